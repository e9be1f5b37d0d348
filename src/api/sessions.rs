//! Sessions in lists and sums: `/v1/session/query`, `/count`, `/name/query`, `/metrics/query`.
//!
//! Bodies are accepted in the original's strict form and in a short one: whatever is left out has a default, so
//! `{"filter":{"properties":{"Agent-Version":"v1.0"}}}` is a query. Times come back shifted by `timezoneDifference`
//! minutes; the store never hears of time zones.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, PageAnswer, mean_ms, ms, ok, page, read_cursor, session_time};
use super::error::ApiError;
use super::extract::{Json, Reader, number, some_number, whole};
use super::histogram::{HistogramRow, PSize, histogram, mean};
use super::openapi::Faults;
use super::words::SessionState;
use crate::model::filter::{Filter, Scope};
use crate::model::query::{Page, SessionCount, SessionNameRow, SessionQuery, Start, Window};
use crate::model::session::{SessionRow, Totals};
use crate::model::units::Micros;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 1000;
const MOST_NAMES: i64 = 50;
const MINUTES_A_DAY: f64 = 1440.0;

/// Which sessions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct SessionQueryBody {
    /// Part of the session's id or name, without case; empty: all.
    search: Option<String>,
    /// Sessions that overlap it; absent: all times.
    time_filter: Option<TimeFilter>,
    /// Minutes that are added to the times in the answer, -1440 to 1440; default 0.
    #[serde(deserialize_with = "some_number")]
    timezone_difference: Option<f64>,
    /// `"all"`, `{}`, a leaf or a branch; also the short form `{"properties": {"Key": "value"}}`.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// The session's exact name.
    name_equals: Option<String>,
    /// Rows to skip; default 0.
    #[serde(deserialize_with = "some_number")]
    offset: Option<f64>,
    /// Rows to answer, at most 1000; default 50.
    #[serde(deserialize_with = "some_number")]
    limit: Option<f64>,
    /// `next_cursor` of the page before; better than `offset` on long lists.
    cursor: Option<String>,
}

/// A stretch of time, in milliseconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimeFilter {
    #[serde(deserialize_with = "number")]
    start_time_unix_ms: f64,
    #[serde(deserialize_with = "number")]
    end_time_unix_ms: f64,
}

/// Which sessions, for lists of names and histograms.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct SessionNameQueryBody {
    /// `name/query`: part of the name, without case. `metrics/query`: the exact name. Empty: all.
    name_contains: Option<String>,
    /// As in a session query.
    #[serde(deserialize_with = "some_number")]
    timezone_difference: Option<f64>,
    /// Where histograms cut off the tail; default `p75`.
    p_size: Option<PSize>,
    /// Cuts off the other end as well; default false.
    use_interquartile: Option<bool>,
    time_filter: Option<TimeFilter>,
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
}

/// One session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionResult {
    /// Start of the first call, `YYYY-MM-DD HH:MM:SS.mmm`, shifted by `timezoneDifference`.
    created_at: String,
    /// Start of the call that started last, in the same form.
    latest_request_created_at: String,
    /// End of the call that ended last, in the same form.
    latest_ended_at: String,
    session_id: String,
    /// Empty if no call gave one.
    session_name: String,
    /// US dollars, over the calls whose cost is known.
    total_cost: f64,
    /// Calls of all kinds.
    total_requests: i64,
    /// Input without cached, audio and images.
    prompt_tokens: i64,
    /// Output without reasoning, audio and images.
    completion_tokens: i64,
    /// `input_tokens` + `output_tokens`.
    total_tokens: i64,
    /// Mean of the calls' wall times, milliseconds.
    avg_latency: f64,
    user_ids: Vec<String>,
    /// Calls that failed.
    errors: i64,
    #[schema(value_type = SessionState)]
    outcome: &'static str,
    /// From the first start to the last end.
    wall_ms: f64,
    /// The part of it in which a call was running.
    busy_ms: f64,
    /// All input, cached included.
    input_tokens: i64,
    /// All output, reasoning included.
    output_tokens: i64,
    prompt_cache_read_tokens: i64,
    prompt_cache_write_tokens: i64,
    prompt_audio_tokens: i64,
    completion_audio_tokens: i64,
    reasoning_tokens: i64,
    prompt_image_tokens: i64,
    completion_image_tokens: i64,
    /// Web searches that providers ran and counted.
    web_searches: i64,
    /// Other runs of providers' own tools that they counted.
    tool_units: i64,
    /// Searches counted by the unit (reranking, sources).
    search_units: i64,
    /// Model calls whose cost is not known; not those that failed without any usage.
    unpriced_requests: i64,
    /// The newest tag.
    tag: Option<String>,
    /// Calls that matched the filter on calls; null where it named no field of a call. The same holds below.
    matching_requests: Option<i64>,
    matching_errors: Option<i64>,
    /// US dollars.
    matching_cost: Option<f64>,
    matching_tokens: Option<i64>,
    matching_input_tokens: Option<i64>,
    matching_output_tokens: Option<i64>,
    matching_avg_latency: Option<f64>,
}

impl SessionResult {
    /// The row with its times moved by `minutes`.
    pub fn new(row: SessionRow, minutes: i64) -> Self {
        let Totals { usage, .. } = row.totals;
        let matching = row.matching;
        Self {
            created_at: session_time(row.first_at, minutes),
            latest_request_created_at: session_time(row.last_started_at, minutes),
            latest_ended_at: session_time(row.last_ended_at, minutes),
            wall_ms: ms(row.wall_us()),
            session_id: row.id,
            session_name: row.name,
            total_cost: row.totals.cost.usd(),
            total_requests: row.totals.calls,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: total_tokens(&row.totals),
            avg_latency: mean_ms(row.totals.latency_sum_us, row.totals.calls),
            user_ids: row.user_ids,
            errors: row.totals.errors,
            outcome: row.outcome.as_str(),
            busy_ms: ms(row.busy_us),
            input_tokens: usage.input_tokens(),
            output_tokens: usage.output_tokens(),
            prompt_cache_read_tokens: usage.prompt_cache_read_tokens,
            prompt_cache_write_tokens: usage.prompt_cache_write_tokens,
            prompt_audio_tokens: usage.prompt_audio_tokens,
            completion_audio_tokens: usage.completion_audio_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            prompt_image_tokens: usage.prompt_image_tokens,
            completion_image_tokens: usage.completion_image_tokens,
            web_searches: usage.web_searches,
            tool_units: usage.tool_units,
            search_units: usage.search_units,
            unpriced_requests: row.totals.unpriced,
            tag: row.tag,
            matching_requests: matching.map(|m| m.calls),
            matching_errors: matching.map(|m| m.errors),
            matching_cost: matching.map(|m| m.cost.usd()),
            matching_tokens: matching.map(|m| total_tokens(&m)),
            matching_input_tokens: matching.map(|m| m.usage.input_tokens()),
            matching_output_tokens: matching.map(|m| m.usage.output_tokens()),
            matching_avg_latency: matching.map(|m| mean_ms(m.latency_sum_us, m.calls)),
        }
    }
}

/// All tokens: cached input and reasoning included.
pub const fn total_tokens(totals: &Totals) -> i64 {
    totals.usage.input_tokens().saturating_add(totals.usage.output_tokens())
}

/// Sums over all sessions of a query.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionCountResult {
    count: i64,
    /// US dollars.
    total_cost: f64,
    /// US dollars a session.
    avg_cost: f64,
    /// Sum of the calls' wall times, a session, milliseconds.
    avg_latency: f64,
    /// Calls a session.
    avg_requests: f64,
}

/// One name.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionNameResult {
    name: String,
    /// Start of the first call under this name, in the form of the session list.
    created_at: String,
    /// Start of the latest call.
    last_used: String,
    /// As `created_at`.
    first_used: String,
    session_count: i64,
    total_requests: i64,
    /// Mean of the calls' wall times, milliseconds.
    avg_latency: f64,
}

/// Histograms over sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionMetrics {
    /// Calls a session.
    session_count: Vec<HistogramRow>,
    /// Seconds from the first start to the last end.
    session_duration: Vec<HistogramRow>,
    /// US dollars.
    session_cost: Vec<HistogramRow>,
    average: SessionAverages,
}

/// Means over all sessions, the cut-off ones included. Each list has one element.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionAverages {
    session_count: [Average; 1],
    session_duration: [Average; 1],
    session_cost: [Average; 1],
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Average {
    average: f64,
}

/// Sessions, newest first
///
/// A filter on calls selects the sessions that have a matching call. The totals are the whole session's; the `matching_*`
/// fields are those of the calls that matched.
#[utoipa::path(post, path = "/v1/session/query", tag = "sessions", operation_id = "querySessions",
    request_body = SessionQueryBody, responses((status = 200, body = PageAnswer<SessionResult>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<SessionQueryBody>,
) -> Result<Response, ApiError> {
    let minutes = minutes("timezoneDifference", body.timezone_difference)?;
    let query = body.into_query()?;
    state.settled().await;
    let found = state.store.sessions(caller.org, &query).await?;
    let rows = found.rows.into_iter().map(|row| SessionResult::new(row, minutes)).collect();
    Ok(page(StatusCode::OK, rows, found.next))
}

/// Sums over all sessions of a query
///
/// `offset`, `limit` and `cursor` have no effect.
#[utoipa::path(post, path = "/v1/session/count", tag = "sessions", operation_id = "countSessions",
    request_body = SessionQueryBody, responses((status = 200, body = Answer<SessionCountResult>), Faults))]
pub async fn count(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<SessionQueryBody>,
) -> Result<Response, ApiError> {
    minutes("timezoneDifference", body.timezone_difference)?;
    let query = body.into_query()?;
    state.settled().await;
    let SessionCount { sessions, calls, cost, latency_sum_us } = state.store.session_count(caller.org, &query).await?;
    Ok(ok(SessionCountResult {
        count: sessions,
        total_cost: cost.usd(),
        avg_cost: per(cost.usd(), sessions),
        avg_latency: mean_ms(latency_sum_us, sessions),
        #[expect(clippy::cast_precision_loss, reason = "a mean for display")]
        avg_requests: per(calls as f64, sessions),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a mean for display")]
fn per(sum: f64, count: i64) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Session names, at most 50
///
/// Times are shifted as in the session list (the original shifts them the other way for zones east of Greenwich).
#[utoipa::path(post, path = "/v1/session/name/query", tag = "sessions", operation_id = "querySessionNames",
    request_body = SessionNameQueryBody, responses((status = 200, body = Answer<Vec<SessionNameResult>>), Faults))]
pub async fn names(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<SessionNameQueryBody>,
) -> Result<Response, ApiError> {
    let minutes = minutes("timezoneDifference", body.timezone_difference)?;
    let contains = body.name_contains.clone().unwrap_or_default();
    let query = body.into_query(None)?;
    state.settled().await;
    let rows = state.store.session_names(caller.org, &contains, &query).await?;
    let named = |row: SessionNameRow| SessionNameResult {
        name: row.name,
        created_at: session_time(row.first_at, minutes),
        first_used: session_time(row.first_at, minutes),
        last_used: session_time(row.last_at, minutes),
        session_count: row.sessions,
        total_requests: row.calls,
        avg_latency: mean_ms(row.latency_sum_us, row.calls),
    };
    Ok(ok(rows.into_iter().map(named).collect::<Vec<_>>()))
}

/// Histograms of calls, duration and cost of sessions
#[utoipa::path(post, path = "/v1/session/metrics/query", tag = "sessions", operation_id = "querySessionMetrics",
    request_body = SessionNameQueryBody, responses((status = 200, body = Answer<SessionMetrics>), Faults))]
pub async fn metrics(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<SessionNameQueryBody>,
) -> Result<Response, ApiError> {
    minutes("timezoneDifference", body.timezone_difference)?;
    let (cut, both) = (body.p_size.unwrap_or_default(), body.use_interquartile.unwrap_or_default());
    let name = body.name_contains.clone().filter(|name| !name.is_empty());
    let query = body.into_query(name)?;
    state.settled().await;
    let figures = state.store.session_figures(caller.org, &query).await?;
    #[expect(clippy::cast_precision_loss, reason = "a count for display")]
    let counts: Vec<f64> = figures.iter().map(|f| f.calls as f64).collect();
    let durations: Vec<f64> = figures.iter().map(|f| ms(f.duration_us) / 1e3).collect();
    let costs: Vec<f64> = figures.iter().map(|f| f.cost.usd()).collect();
    let average = |values: &[f64]| [Average { average: mean(values) }];
    Ok(ok(SessionMetrics {
        average: SessionAverages {
            session_count: average(&counts),
            session_duration: average(&durations),
            session_cost: average(&costs),
        },
        session_count: histogram(counts, cut, both),
        session_duration: histogram(durations, cut, both),
        session_cost: histogram(costs, cut, both),
    }))
}

impl SessionQueryBody {
    fn into_query(self) -> Result<SessionQuery, ApiError> {
        let limit = match self.limit.map_or(0, whole).clamp(0, MAX_LIMIT) {
            0 => DEFAULT_LIMIT,
            limit => limit,
        };
        let start = start(self.cursor.as_deref(), self.offset)?;
        Ok(SessionQuery {
            filter: filter(self.filter.as_ref(), Scope::Sessions)?,
            search: self.search.unwrap_or_default(),
            name_equals: self.name_equals,
            window: window(self.time_filter),
            page: Page { limit, start },
        })
    }
}

impl SessionNameQueryBody {
    fn into_query(self, name_equals: Option<String>) -> Result<SessionQuery, ApiError> {
        Ok(SessionQuery {
            filter: filter(self.filter.as_ref(), Scope::Sessions)?,
            search: String::new(),
            name_equals,
            window: window(self.time_filter),
            page: Page { limit: MOST_NAMES, start: Start::Offset(0) },
        })
    }
}

/// Where a page starts: behind a cursor, or after `offset` rows (a negative one reads as 0).
pub fn start(cursor: Option<&str>, offset: Option<f64>) -> Result<Start, ApiError> {
    let offset = offset.map_or(0, whole).max(0);
    match cursor {
        None => Ok(Start::Offset(offset)),
        Some(_) if offset > 0 => Err(ApiError::bad("offset", "give either a cursor or an offset")),
        Some(cursor) => {
            let (at, id) = read_cursor(cursor)?;
            Ok(Start::After { at, id })
        }
    }
}

/// The filter of a body; none given: all.
pub fn filter(value: Option<&Value>, scope: Scope) -> Result<Filter, ApiError> {
    value.map_or(Ok(Filter::ALL), |value| Ok(Filter::parse(value, scope)?))
}

fn window(filter: Option<TimeFilter>) -> Window {
    filter.map_or_else(Window::default, |f| Window {
        from: Some(Micros(whole(f.start_time_unix_ms * 1e3))),
        to: Some(Micros(whole(f.end_time_unix_ms * 1e3))),
    })
}

/// The difference of a time zone, in the field of that name.
pub fn minutes(field: &str, difference: Option<f64>) -> Result<i64, ApiError> {
    let minutes = difference.unwrap_or_default();
    if !(-MINUTES_A_DAY..=MINUTES_A_DAY).contains(&minutes) {
        return Err(ApiError::bad(field, "must be minutes between -1440 and 1440"));
    }
    Ok(whole(minutes))
}
