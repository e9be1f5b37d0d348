//! Figures over time: `/v1/metrics/query`. Also what a breakdown shares with it: windows, figures as they leave here,
//! groups under the names that they are shown by.

use std::cmp::Ordering;
use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::openapi::Faults;
use super::sessions::filter;
use crate::auth::Caller;
use crate::model::figures::Figures;
use crate::model::filter::{Filter, Scope};
use crate::model::path::fold_path;
use crate::model::query::{FigurePlan, FigureQuery, FigureRow, GroupBy, Reading};
use crate::model::units::Micros;

const MS: i64 = 1_000;
/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// Widths that are chosen where none is asked for, milliseconds.
const WIDTHS: [i64; 12] = [
    10_000,
    60_000,
    300_000,
    900_000,
    HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    24 * HOUR_MS,
    7 * 24 * HOUR_MS,
    30 * 24 * HOUR_MS,
    365 * 24 * HOUR_MS,
];
/// Buckets that such a width may make.
const GOOD_BUCKETS: i64 = 100;
const MOST_BUCKETS: i64 = 2_000;
/// Groups shown over time.
const TOP_GROUPS: usize = 8;
/// Groups that a breakdown looks at.
pub const MOST_GROUPS: u64 = 5_000;
/// Rows of groups and parts that are read.
pub const MOST_ROWS: u64 = 100_000;
/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// A window: milliseconds since 1970, the end not in it.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Micros,
    pub to: Micros,
}

impl Span {
    /// # Errors
    /// [`ApiError::Bad`] for what is no stretch of time.
    pub fn new(from_ms: i64, to_ms: i64) -> Result<Self, ApiError> {
        if !(0..=LAST_MS).contains(&from_ms) {
            return Err(ApiError::bad("from_ms", "must be milliseconds since 1970"));
        }
        if !(0..=LAST_MS).contains(&to_ms) || to_ms <= from_ms {
            return Err(ApiError::bad("to_ms", "must be milliseconds since 1970, after from_ms"));
        }
        Ok(Self { from: Micros::from_millis(from_ms), to: Micros::from_millis(to_ms) })
    }

    /// With the window of the same length before it.
    pub fn doubled(self) -> Self {
        Self { from: Micros((self.from.0 - (self.to - self.from)).max(0)), to: self.to }
    }
}

/// Figures of calls.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FiguresResult {
    pub calls: i64,
    pub errors: i64,
    /// Between these shares the rate of errors lies with 95 % certainty; null of no calls.
    pub error_low: Option<f64>,
    pub error_high: Option<f64>,
    /// US dollars, over the calls whose cost is known.
    pub cost: f64,
    /// Model calls whose cost is not known; not those that failed without any usage.
    pub unpriced_calls: i64,
    /// All input, cached included.
    pub input_tokens: i64,
    pub cached_tokens: i64,
    /// All output, reasoning included.
    pub output_tokens: i64,
    /// Wall times; null of no calls.
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    /// Null where sessions were not counted.
    pub sessions: Option<i64>,
}

impl From<&Figures> for FiguresResult {
    fn from(figures: &Figures) -> Self {
        let interval = figures.error_interval();
        Self {
            calls: figures.calls,
            errors: figures.errors,
            error_low: interval.map(|(low, _)| low),
            error_high: interval.map(|(_, high)| high),
            cost: figures.cost.usd(),
            unpriced_calls: figures.unpriced,
            input_tokens: figures.input_tokens,
            cached_tokens: figures.cached_tokens,
            output_tokens: figures.output_tokens,
            mean_ms: figures.mean_us().map(|us| us / 1e3),
            p50_ms: figures.percentile_us(50).map(|us| us / 1e3),
            p95_ms: figures.percentile_us(95).map(|us| us / 1e3),
            sessions: figures.sessions,
        }
    }
}

/// What a breakdown is by: `kind`, `provider`, `model`, `tool`, `path`, `status`, `error_rule`, `user`, `session_name` or
/// `property:<Key>`.
pub fn group_by(text: &str, field: &str) -> Result<GroupBy, ApiError> {
    Ok(match text {
        "kind" => GroupBy::Kind,
        "provider" => GroupBy::Provider,
        "model" => GroupBy::Model,
        "tool" => GroupBy::Tool,
        "path" => GroupBy::Path,
        "status" => GroupBy::Status,
        "error_rule" => GroupBy::ErrorRule,
        "user" => GroupBy::User,
        "session_name" => GroupBy::SessionName,
        _ => match text.strip_prefix("property:").filter(|key| !key.is_empty()) {
            Some(key) => GroupBy::Property(key.to_owned()),
            None => {
                let allowed =
                    "kind, provider, model, tool, path, status, error_rule, user, session_name, property:<Key>";
                return Err(ApiError::bad(field, format!("allowed: {allowed}")));
            }
        },
    })
}

/// Which figures over time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsBody {
    /// Milliseconds since 1970.
    from_ms: i64,
    /// Not in the window.
    to_ms: i64,
    /// Length of a bucket, milliseconds; absent: a fitting one. At most 2000 buckets.
    bucket_ms: Option<i64>,
    /// Minutes east of Greenwich where days begin, -1440 to 1440; default 0.
    #[serde(default)]
    utc_offset_minutes: i64,
    /// Which calls; as in a request query.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// What groups are by; as `by` of a breakdown.
    group: Option<String>,
    /// Which groups are told: those with the most of it. Default `calls`.
    #[serde(default)]
    group_sort: GroupSort,
}

/// What puts groups in order, the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupSort {
    #[default]
    Calls,
    Errors,
    Cost,
    /// The 95th percentile of wall times.
    P95Ms,
}

impl GroupSort {
    /// The larger, the earlier.
    fn rank(self, figures: &Figures) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "only the order counts")]
        let number = |n: i64| n as f64;
        match self {
            Self::Calls => number(figures.calls),
            Self::Errors => number(figures.errors),
            Self::Cost => number(figures.cost.0),
            Self::P95Ms => figures.percentile_us(95).unwrap_or(0.0),
        }
    }
}

/// Figures over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metrics {
    /// The window that was read: with many calls it is widened to whole hours.
    from_ms: i64,
    to_ms: i64,
    bucket_ms: i64,
    /// Whether percentiles are exact; else from histograms.
    exact: bool,
    totals: FiguresResult,
    /// Of the window of the same length before.
    previous: FiguresResult,
    series: Series,
    /// With `group`: the eight that come first by `group_sort`.
    groups: Vec<GroupSeries>,
}

/// Each list has one element a bucket.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Series {
    /// Where buckets begin.
    at_ms: Vec<i64>,
    calls: Vec<i64>,
    errors: Vec<i64>,
    cost: Vec<f64>,
    input_tokens: Vec<i64>,
    cached_tokens: Vec<i64>,
    output_tokens: Vec<i64>,
    p50_ms: Vec<Option<f64>>,
    p95_ms: Vec<Option<f64>>,
    /// Sessions that began.
    sessions: Vec<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GroupSeries {
    value: String,
    calls: Vec<i64>,
    errors: Vec<i64>,
    cost: Vec<f64>,
    p95_ms: Vec<Option<f64>>,
}

/// Where buckets lie.
struct Buckets {
    origin: Micros,
    width_us: i64,
    count: usize,
}

impl Buckets {
    /// Of a window, aligned to the zone's days, the last one holding its end.
    fn new(plan: &FigurePlan, width_ms: i64, offset_minutes: i64) -> Self {
        let width_us = width_ms * MS;
        let offset = offset_minutes * 60_000_000;
        let origin = (plan.from.0 + offset).div_euclid(width_us) * width_us - offset;
        let count = (plan.to.0 - origin + width_us - 1) / width_us;
        Self { origin: Micros(origin), width_us, count: usize::try_from(count).unwrap_or_default() }
    }

    fn index(&self, row: i64) -> Option<usize> {
        usize::try_from(row).ok().filter(|index| *index < self.count)
    }
}

/// Figures over time
///
/// Calls, errors, cost, tokens, percentiles of wall times and sessions that began, in buckets and in total, with the window
/// before to compare.
#[utoipa::path(post, path = "/v1/metrics/query", tag = "figures", operation_id = "queryMetrics",
    request_body = MetricsBody, responses((status = 200, body = Answer<Metrics>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<MetricsBody>,
) -> Result<Response, ApiError> {
    let span = Span::new(body.from_ms, body.to_ms)?;
    if !(-1440..=1440).contains(&body.utc_offset_minutes) {
        return Err(ApiError::bad("utc_offset_minutes", "must be between -1440 and 1440"));
    }
    let filter = filter(body.filter.as_ref(), Scope::Requests)?;
    let group = body.group.as_deref().map(|by| group_by(by, "group")).transpose()?;
    state.settled().await;
    let plan = state.store.figure_plan(caller.org, &filter, (span.from, span.to)).await?;
    let width_ms = width(body.bucket_ms, &plan)?;
    let buckets = Buckets::new(&plan, width_ms, body.utc_offset_minutes);
    let query = FigureQuery {
        plan,
        filter: &filter,
        group: GroupBy::None,
        only: None,
        width_us: buckets.width_us,
        origin: buckets.origin,
        limit: MOST_ROWS,
    };
    let rows = state.store.figures(caller.org, &query).await?;
    let starts = state.store.session_starts(caller.org, &query).await?;
    let (totals, previous) = totals(&state, &caller, &query, &rows).await?;
    let groups = match group {
        Some(group) => {
            let query = FigureQuery { group, ..query };
            group_series(&state, &caller, &query, body.group_sort, &buckets).await?
        }
        None => Vec::new(),
    };
    Ok(ok(Metrics {
        from_ms: plan.from.millis(),
        to_ms: plan.to.millis(),
        bucket_ms: width_ms,
        exact: rows.iter().all(|row| row.figures.exact.is_some()),
        totals: FiguresResult::from(&totals),
        previous: FiguresResult::from(&previous),
        series: series(&rows, &starts, &buckets),
        groups,
    }))
}

fn width(asked: Option<i64>, plan: &FigurePlan) -> Result<i64, ApiError> {
    let span_ms = plan.to.millis() - plan.from.millis();
    if let Some(width) = asked {
        if width < 1_000 || span_ms / width > MOST_BUCKETS {
            return Err(ApiError::bad(
                "bucket_ms",
                format!("must be at least 1000 and make at most {MOST_BUCKETS} buckets"),
            ));
        }
        return Ok(width);
    }
    let least = if plan.reading == Reading::Hours { HOUR_MS } else { 0 };
    let fits = WIDTHS.into_iter().find(|width| *width >= least && span_ms / width <= GOOD_BUCKETS);
    // Past ten thousand years there is nothing.
    Ok(fits.unwrap_or(365 * 24 * HOUR_MS))
}

/// The sums of the window and of the one before. Exact percentiles need calls, not sums, so they are read again.
async fn totals(
    state: &ApiState,
    caller: &Caller,
    query: &FigureQuery<'_>,
    rows: &[FigureRow],
) -> Result<(Figures, Figures), ApiError> {
    let plan = query.plan;
    let length = plan.to - plan.from;
    let before = FigurePlan { reading: plan.reading, from: Micros((plan.from.0 - length).max(0)), to: plan.from };
    let one = |plan: FigurePlan| FigureQuery { plan, width_us: i64::MAX, origin: plan.from, ..query.clone() };
    let sum = |rows: &[FigureRow]| {
        let mut sum = Figures::default();
        rows.iter().for_each(|row| sum.add(&row.figures));
        sum
    };
    let mut totals = match plan.reading {
        Reading::Exact => {
            let mut all = state.store.figures(caller.org, &one(plan)).await?;
            all.pop().map(|row| row.figures).unwrap_or_default()
        }
        Reading::Calls | Reading::Hours => sum(rows),
    };
    // The width is the whole window's, which must be whole hours for the roll-up to have it.
    let width_us = if plan.reading == Reading::Hours { length.max(1) } else { i64::MAX };
    let mut earlier = if before.from < before.to {
        let query = FigureQuery { width_us, ..one(before) };
        let rows = state.store.figures(caller.org, &query).await?;
        match <[FigureRow; 1]>::try_from(rows) {
            Ok([only]) => only.figures,
            Err(rows) => sum(&rows),
        }
    } else {
        Figures::default()
    };
    if *query.filter == Filter::ALL {
        for (figures, plan) in [(&mut totals, plan), (&mut earlier, before)] {
            let starts = state.store.session_starts(caller.org, &one(plan)).await?;
            figures.sessions = Some(starts.iter().map(|(_, count)| count).sum());
        }
    }
    Ok((totals, earlier))
}

fn series(rows: &[FigureRow], starts: &[(i64, i64)], buckets: &Buckets) -> Series {
    let mut by_part = vec![Figures::default(); buckets.count];
    for row in rows {
        if let Some(figures) = buckets.index(row.part).and_then(|index| by_part.get_mut(index)) {
            *figures = row.figures.clone();
        }
    }
    let mut series = Series { sessions: vec![0; buckets.count], ..Series::default() };
    let mut at = buckets.origin;
    for figures in &by_part {
        series.at_ms.push(at.millis());
        series.calls.push(figures.calls);
        series.errors.push(figures.errors);
        series.cost.push(figures.cost.usd());
        series.input_tokens.push(figures.input_tokens);
        series.cached_tokens.push(figures.cached_tokens);
        series.output_tokens.push(figures.output_tokens);
        series.p50_ms.push(figures.percentile_us(50).map(|us| us / 1e3));
        series.p95_ms.push(figures.percentile_us(95).map(|us| us / 1e3));
        at = at.plus_us(buckets.width_us);
    }
    for (part, count) in starts {
        if let Some(sum) = buckets.index(*part).and_then(|index| series.sessions.get_mut(index)) {
            *sum = *count;
        }
    }
    series
}

async fn group_series(
    state: &ApiState,
    caller: &Caller,
    query: &FigureQuery<'_>,
    sort: GroupSort,
    buckets: &Buckets,
) -> Result<Vec<GroupSeries>, ApiError> {
    let whole = window_query(query);
    let mut top = merged(state.store.figures(caller.org, &whole).await?, &query.group);
    let order = |group: &Group| (sort.rank(&group.figures), GroupSort::Calls.rank(&group.figures));
    top.sort_by(|a, b| order(b).partial_cmp(&order(a)).unwrap_or(Ordering::Equal).then_with(|| a.value.cmp(&b.value)));
    top.truncate(TOP_GROUPS);
    let raw: Vec<String> = top.iter().flat_map(|group| group.raw.iter().cloned()).collect();
    let rows = state.store.figures(caller.org, &FigureQuery { only: Some(&raw), ..query.clone() }).await?;
    let named = by_name(&top);
    let mut parts: Vec<Vec<Figures>> = vec![vec![Figures::default(); buckets.count]; top.len()];
    for row in rows {
        let place = named.get(row.group.as_str()).and_then(|at| parts.get_mut(*at));
        if let Some(figures) = place.zip(buckets.index(row.part)).and_then(|(parts, index)| parts.get_mut(index)) {
            take(figures, row.figures);
        }
    }
    Ok(top
        .into_iter()
        .zip(parts)
        .map(|(group, parts)| GroupSeries {
            value: group.value,
            calls: parts.iter().map(|f| f.calls).collect(),
            errors: parts.iter().map(|f| f.errors).collect(),
            cost: parts.iter().map(|f| f.cost.usd()).collect(),
            p95_ms: parts.iter().map(|f| f.percentile_us(95).map(|us| us / 1e3)).collect(),
        })
        .collect())
}

/// The same figures over the whole window at once.
pub fn window_query<'a>(query: &FigureQuery<'a>) -> FigureQuery<'a> {
    let plan = query.plan;
    FigureQuery { width_us: (plan.to - plan.from).max(1), origin: plan.from, limit: MOST_GROUPS, ..query.clone() }
}

/// A group as it is shown.
pub struct Group {
    pub value: String,
    /// The names under which the store has it: several paths fold to one.
    pub raw: Vec<String>,
    pub figures: Figures,
}

/// Adds; the first one is taken as it is, so that exact percentiles stay.
pub fn take(figures: &mut Figures, more: Figures) {
    if figures.calls == 0 { *figures = more } else { figures.add(&more) }
}

/// Rows by the name that is shown.
pub fn merged(rows: Vec<FigureRow>, by: &GroupBy) -> Vec<Group> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let value = shown(&row.group, by);
        let place = *places.entry(value.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { value, raw: Vec::new(), figures: Figures::default() });
        }
        let Some(group) = groups.get_mut(place) else { continue };
        if !group.raw.contains(&row.group) {
            group.raw.push(row.group);
        }
        take(&mut group.figures, row.figures);
    }
    groups
}

fn shown(group: &str, by: &GroupBy) -> String {
    match by {
        GroupBy::Path if !group.is_empty() => fold_path(group),
        GroupBy::Tool => group.strip_prefix("tool:").unwrap_or(group).to_owned(),
        _ => group.to_owned(),
    }
}

/// Where each name of the store is among the groups.
pub fn by_name(groups: &[Group]) -> HashMap<&str, usize> {
    let names = groups.iter().enumerate().flat_map(|(at, group)| group.raw.iter().map(move |raw| (raw.as_str(), at)));
    names.collect()
}
