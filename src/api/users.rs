//! Users: `/v1/user/query`, `/v1/user/metrics/query`, `/v1/user/metrics-overview/query`.
//!
//! Conditions of a filter on `request_response_rmt` choose the calls that are summed, those on `users_view` the users. What is
//! left out of a body has a default.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, iso, ok};
use super::error::ApiError;
use super::extract::{Json, Reader, number, some_number, whole};
use super::histogram::{HistogramRow, PSize, histogram};
use super::openapi::Faults;
use super::sessions::{filter, minutes};
use super::sort;
use crate::model::filter::{CallField, Field, Filter, Leaf, Scope, Test, TextOp};
use crate::model::query::Window;
use crate::model::units::Micros;
use crate::model::user::{UserQuery, UserRow, UserSort, UserSortKey};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 1000;
/// Rows of `/v1/user/query`.
const MOST_USERS: i64 = 100;

/// Which users, in which order.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct UserMetricsQueryBody {
    /// `"all"`, `{}`, a leaf or a branch; tables `users_view` and `request_response_rmt`.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Rows to skip; default 0.
    #[serde(deserialize_with = "some_number")]
    offset: Option<f64>,
    /// Rows to answer, 0 to 1000; default 50.
    #[serde(deserialize_with = "some_number")]
    limit: Option<f64>,
    /// Calls that started in it; absent: all times.
    time_filter: Option<SecondsFilter>,
    /// Where days begin: minutes east of Greenwich, -1440 to 1440; default 0.
    #[serde(deserialize_with = "some_number")]
    time_zone_difference_minutes: Option<f64>,
    /// One key of the answer's rows with `asc` or `desc`; default `{"last_active": "desc"}`.
    #[schema(value_type = serde_json::Value)]
    sort: Option<Value>,
}

/// A stretch of time, in seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecondsFilter {
    #[serde(deserialize_with = "number")]
    start_time_unix_seconds: f64,
    #[serde(deserialize_with = "number")]
    end_time_unix_seconds: f64,
}

/// Which users, for histograms.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct UserOverviewQueryBody {
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Where histograms cut off the tail; default `p75`.
    p_size: Option<PSize>,
    /// Cuts off the other end as well; default false.
    use_interquartile: Option<bool>,
}

/// Which users, by id.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct UserQueryBody {
    /// Absent or empty: all; at most 1000.
    user_ids: Option<Vec<String>>,
    /// Calls that started in it; absent: all times.
    time_filter: Option<SecondsFilter>,
}

/// One user: sums over the calls that the filter chose.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserMetrics {
    /// The same as `user_id`.
    id: String,
    user_id: String,
    /// Days with a call.
    active_for: i64,
    /// Start of the first call: ISO 8601, UTC.
    first_active: String,
    /// Start of the last call.
    last_active: String,
    total_requests: i64,
    average_requests_per_day_active: f64,
    /// All input and output, a request.
    average_tokens_per_request: f64,
    /// Output without reasoning and audio.
    total_completion_tokens: i64,
    /// Input without cached and audio.
    total_prompt_tokens: i64,
    /// US dollars, over the calls whose cost is known.
    cost: f64,
}

impl From<UserRow> for UserMetrics {
    fn from(row: UserRow) -> Self {
        Self {
            active_for: row.active_days,
            first_active: iso(row.first_at),
            last_active: iso(row.last_at),
            total_requests: row.calls,
            average_requests_per_day_active: row.calls_per_day(),
            average_tokens_per_request: row.tokens_per_call(),
            total_completion_tokens: row.completion_tokens,
            total_prompt_tokens: row.prompt_tokens,
            cost: row.cost.usd(),
            id: row.id.clone(),
            user_id: row.id,
        }
    }
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserMetricsResult {
    users: Vec<UserMetrics>,
    /// Users on all pages.
    count: i64,
    /// Whether any call carries a user's id, whatever the filter.
    has_users: bool,
}

/// Histograms over users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserOverview {
    /// Calls a user.
    request_count: Vec<HistogramRow>,
    /// US dollars a user.
    user_cost: Vec<HistogramRow>,
}

/// A user's sums.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserResult {
    user_id: String,
    /// Calls.
    count: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    /// US dollars.
    cost: f64,
}

/// Users with their sums
#[utoipa::path(post, path = "/v1/user/metrics/query", tag = "users", operation_id = "queryUserMetrics",
    request_body = UserMetricsQueryBody, responses((status = 200, body = Answer<UserMetricsResult>), Faults))]
pub async fn metrics(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<UserMetricsQueryBody>,
) -> Result<Response, ApiError> {
    let limit = body.limit.map_or(DEFAULT_LIMIT, whole);
    if !(0..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::bad("limit", format!("must be between 0 and {MAX_LIMIT}")));
    }
    let query = UserQuery {
        filter: filter(body.filter.as_ref(), Scope::Users)?,
        window: window(body.time_filter),
        utc_offset_minutes: minutes("timeZoneDifferenceMinutes", body.time_zone_difference_minutes)?,
        sort: read_sort(body.sort.as_ref())?,
        offset: body.offset.map_or(0, whole).max(0),
        limit,
    };
    state.settled().await;
    let page = state.store.users_page(caller.org, &query).await?;
    let has_users = page.count > 0 || state.store.has_users(caller.org).await?;
    let users = page.rows.into_iter().map(UserMetrics::from).collect();
    Ok(ok(UserMetricsResult { users, count: page.count, has_users }))
}

/// Histograms of calls and cost of users
#[utoipa::path(post, path = "/v1/user/metrics-overview/query", tag = "users", operation_id = "queryUserOverview",
    request_body = UserOverviewQueryBody, responses((status = 200, body = Answer<UserOverview>), Faults))]
pub async fn overview(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<UserOverviewQueryBody>,
) -> Result<Response, ApiError> {
    let (cut, both) = (body.p_size.unwrap_or_default(), body.use_interquartile.unwrap_or_default());
    let query = UserQuery { filter: filter(body.filter.as_ref(), Scope::Users)?, ..all_users() };
    state.settled().await;
    let figures = state.store.user_figures(caller.org, &query).await?;
    #[expect(clippy::cast_precision_loss, reason = "a count for display")]
    let counts: Vec<f64> = figures.iter().map(|(calls, _)| *calls as f64).collect();
    let costs: Vec<f64> = figures.iter().map(|(_, cost)| cost.usd()).collect();
    Ok(ok(UserOverview { request_count: histogram(counts, cut, both), user_cost: histogram(costs, cut, both) }))
}

/// Users by id, at most 100, those with most calls first
#[utoipa::path(post, path = "/v1/user/query", tag = "users", operation_id = "queryUsers",
    request_body = UserQueryBody, responses((status = 200, body = Answer<Vec<UserResult>>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<UserQueryBody>,
) -> Result<Response, ApiError> {
    let ids = body.user_ids.unwrap_or_default();
    if i64::try_from(ids.len()).unwrap_or(i64::MAX) > MAX_LIMIT {
        return Err(ApiError::bad("userIds", format!("are more than {MAX_LIMIT}")));
    }
    let is = |id| Filter::Leaf(Leaf { field: Field::Call(CallField::UserId), test: Test::Text(TextOp::Equals, id) });
    let filter = if ids.is_empty() { Filter::ALL } else { Filter::Or(ids.into_iter().map(is).collect()) };
    let query = UserQuery { filter, window: window(body.time_filter), limit: MOST_USERS, ..all_users() };
    state.settled().await;
    let page = state.store.users_page(caller.org, &query).await?;
    let row = |row: UserRow| UserResult {
        user_id: row.id,
        count: row.calls,
        prompt_tokens: row.prompt_tokens,
        completion_tokens: row.completion_tokens,
        cost: row.cost.usd(),
    };
    Ok(ok(page.rows.into_iter().map(row).collect::<Vec<_>>()))
}

const fn all_users() -> UserQuery {
    UserQuery {
        filter: Filter::ALL,
        window: Window { from: None, to: None },
        utc_offset_minutes: 0,
        sort: UserSort { by: UserSortKey::Calls, descending: true },
        offset: 0,
        limit: 0,
    }
}

fn window(filter: Option<SecondsFilter>) -> Window {
    filter.map_or_else(Window::default, |f| Window {
        from: Some(Micros(whole(f.start_time_unix_seconds * 1e6))),
        to: Some(Micros(whole(f.end_time_unix_seconds * 1e6))),
    })
}

const KEYS: [(&str, UserSortKey); 11] = [
    ("user_id", UserSortKey::Id),
    ("id", UserSortKey::Id),
    ("active_for", UserSortKey::ActiveFor),
    ("first_active", UserSortKey::FirstActive),
    ("last_active", UserSortKey::LastActive),
    ("total_requests", UserSortKey::Calls),
    ("average_requests_per_day_active", UserSortKey::CallsPerDay),
    ("average_tokens_per_request", UserSortKey::TokensPerCall),
    ("total_completion_tokens", UserSortKey::CompletionTokens),
    ("total_prompt_tokens", UserSortKey::PromptTokens),
    ("cost", UserSortKey::Cost),
];

fn read_sort(value: Option<&Value>) -> Result<UserSort, ApiError> {
    Ok(match sort::one_key(value)? {
        None => UserSort { by: UserSortKey::LastActive, descending: true },
        Some((key, how)) => {
            UserSort { by: sort::known(&KEYS, key, &[])?, descending: sort::direction(how, format!("sort.{key}"))? }
        }
    })
}
