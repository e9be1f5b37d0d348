//! Figures by what calls have in common: `/v1/metrics/breakdown`, and the same rows for the tools' page.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::figures::{
    FiguresResult, Group, HOUR_MS, MOST_GROUPS, MOST_ROWS, Span, by_name, group_by, merged, take, window_query,
};
use super::openapi::Faults;
use super::sessions::filter;
use crate::auth::Caller;
use crate::model::figures::{Figures, surely};
use crate::model::filter::Scope;
use crate::model::query::{FigurePlan, FigureQuery, Reading};
use crate::model::units::Micros;

const MOST_LIMIT: usize = 500;
const MOST_TREND: i64 = 60;

/// What a breakdown is by and how it is ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakdownBody {
    /// `model`, `provider`, `kind`, `tool`, `path`, `status`, `error_rule`, `user`, `session_name` or `property:<Key>`.
    /// `tool` is by manual logs of tools; all uses of tools are in `/v1/tool/query`.
    by: String,
    from_ms: i64,
    to_ms: i64,
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Part of the value, without case.
    #[serde(default)]
    search: String,
    #[serde(default)]
    sort: Sorting,
    /// Default true.
    descending: Option<bool>,
    /// Rows, at most 500; default 50.
    limit: Option<usize>,
    /// Buckets of `trend`, 0 to 60; default 12.
    trend: Option<i64>,
}

/// What groups are ordered by. `error_rate` goes by the lower end of its interval, so that one failure of one call does not
/// come before 300 of 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sorting {
    #[default]
    Calls,
    Errors,
    ErrorRate,
    Cost,
    Tokens,
    P50,
    P95,
    Sessions,
    LastSeen,
    Value,
}

/// What a list of groups is asked for.
#[derive(Debug)]
pub struct Wanted {
    pub search: String,
    pub sort: Sorting,
    pub descending: bool,
    pub limit: usize,
    pub trend: i64,
}

impl Wanted {
    /// # Errors
    /// [`ApiError::Bad`] for numbers out of range.
    pub fn new(
        search: &str,
        (sort, descending): (Sorting, Option<bool>),
        limit: Option<usize>,
        trend: Option<i64>,
    ) -> Result<Self, ApiError> {
        let limit = limit.unwrap_or(50);
        if !(1..=MOST_LIMIT).contains(&limit) {
            return Err(ApiError::bad("limit", format!("must be between 1 and {MOST_LIMIT}")));
        }
        let trend = trend.unwrap_or(12);
        if !(0..=MOST_TREND).contains(&trend) {
            return Err(ApiError::bad("trend", format!("must be between 0 and {MOST_TREND}")));
        }
        Ok(Self { search: search.to_lowercase(), sort, descending: descending.unwrap_or(true), limit, trend })
    }
}

/// Groups of calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct Breakdown {
    rows: Vec<BreakdownRow>,
    /// Groups before `limit`.
    total: usize,
    /// Whether percentiles are exact.
    exact: bool,
    /// True: there are more groups than are looked at (5000, those with most calls).
    truncated: bool,
}

/// One group.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakdownRow {
    /// Empty: not given.
    pub value: String,
    #[serde(flatten)]
    pub figures: FiguresResult,
    /// Start of the latest call.
    pub last_seen_ms: i64,
    /// Of the window of the same length before; null where the group had no calls then.
    pub previous: Option<FiguresResult>,
    /// Calls in equal parts of the window.
    pub trend: Vec<i64>,
    pub trend_errors: Vec<i64>,
    #[serde(skip)]
    pub sums: Figures,
}

/// Figures by what calls have in common
#[utoipa::path(post, path = "/v1/metrics/breakdown", tag = "figures", operation_id = "breakDown",
    request_body = BreakdownBody, responses((status = 200, body = Answer<Breakdown>), Faults))]
pub async fn breakdown(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<BreakdownBody>,
) -> Result<Response, ApiError> {
    let span = Span::new(body.from_ms, body.to_ms)?;
    let by = group_by(&body.by, "by")?;
    let filter = filter(body.filter.as_ref(), Scope::Requests)?;
    let wanted = Wanted::new(&body.search, (body.sort, body.descending), body.limit, body.trend)?;
    state.settled().await;
    let plan = state.store.figure_plan(caller.org, &filter, (span.from, span.to)).await?;
    let query = FigureQuery {
        plan,
        filter: &filter,
        group: by,
        only: None,
        width_us: 1,
        origin: plan.from,
        limit: MOST_GROUPS,
    };
    let found = rows(&state, &caller, &query, &wanted).await?;
    Ok(ok(Breakdown {
        exact: found.rows.iter().all(|row| row.sums.exact.is_some()),
        rows: found.rows,
        total: found.total,
        truncated: found.truncated,
    }))
}

/// The rows of a list of groups.
pub struct Rows {
    pub rows: Vec<BreakdownRow>,
    pub total: usize,
    pub truncated: bool,
}

/// Groups of a query in order, with trends and with their figures before.
///
/// # Errors
/// When the store fails.
pub async fn rows(
    state: &ApiState,
    caller: &Caller,
    query: &FigureQuery<'_>,
    wanted: &Wanted,
) -> Result<Rows, ApiError> {
    let all = state.store.figures(caller.org, &window_query(query)).await?;
    let truncated = all.len() as u64 == MOST_GROUPS;
    let mut groups = merged(all, &query.group);
    groups.retain(|group| wanted.search.is_empty() || group.value.to_lowercase().contains(&wanted.search));
    let total = groups.len();
    sort(&mut groups, wanted);
    groups.truncate(wanted.limit);
    let raw: Vec<String> = groups.iter().flat_map(|group| group.raw.iter().cloned()).collect();
    let query = FigureQuery { only: Some(&raw), limit: MOST_ROWS, ..query.clone() };
    let before = earlier(state, caller, &query, &groups);
    let (before, trends) = tokio::try_join!(before, trends(state, caller, &query, (&groups, wanted.trend)))?;
    let rows =
        groups.into_iter().zip(before).zip(trends).map(|((group, before), (trend, trend_errors))| BreakdownRow {
            figures: FiguresResult::from(&group.figures),
            last_seen_ms: group.figures.last_at.millis(),
            previous: (before.calls > 0).then(|| FiguresResult::from(&before)),
            value: group.value,
            trend,
            trend_errors,
            sums: group.figures,
        });
    Ok(Rows { rows: rows.collect(), total, truncated })
}

/// The groups' figures in the window before.
async fn earlier(
    state: &ApiState,
    caller: &Caller,
    query: &FigureQuery<'_>,
    groups: &[Group],
) -> Result<Vec<Figures>, ApiError> {
    let mut before = vec![Figures::default(); groups.len()];
    let length = query.plan.to - query.plan.from;
    let plan = FigurePlan { from: Micros((query.plan.from.0 - length).max(0)), to: query.plan.from, ..query.plan };
    if groups.is_empty() || plan.from >= plan.to {
        return Ok(before);
    }
    let query = FigureQuery { plan, ..query.clone() };
    let names = by_name(groups);
    for row in state.store.figures(caller.org, &window_query(&query)).await? {
        if let Some(figures) = names.get(row.group.as_str()).and_then(|at| before.get_mut(*at)) {
            take(figures, row.figures);
        }
    }
    Ok(before)
}

/// Calls and errors of the groups in equal parts of the window.
async fn trends(
    state: &ApiState,
    caller: &Caller,
    query: &FigureQuery<'_>,
    (groups, parts): (&[Group], i64),
) -> Result<Vec<(Vec<i64>, Vec<i64>)>, ApiError> {
    let count = usize::try_from(parts).unwrap_or_default();
    let mut trends = vec![(vec![0; count], vec![0; count]); groups.len()];
    if groups.is_empty() || parts == 0 {
        return Ok(trends);
    }
    let plan = query.plan;
    let mut width_us = ((plan.to - plan.from) / parts).max(1);
    if plan.reading == Reading::Hours {
        let hour = HOUR_MS * 1_000;
        width_us = (width_us + hour - 1) / hour * hour;
    }
    let query = FigureQuery { width_us, origin: plan.from, ..query.clone() };
    let names = by_name(groups);
    for (group, part, more_calls, more_errors) in state.store.figure_counts(caller.org, &query).await? {
        let Some((calls, errors)) = names.get(group.as_str()).and_then(|at| trends.get_mut(*at)) else { continue };
        let part = usize::try_from(part).unwrap_or_default().min(count - 1);
        for (sums, more) in [(calls, more_calls), (errors, more_errors)] {
            if let Some(sum) = sums.get_mut(part) {
                *sum += more;
            }
        }
    }
    Ok(trends)
}

fn sort(groups: &mut [Group], wanted: &Wanted) {
    let tokens = |f: &Figures| f.input_tokens.saturating_add(f.output_tokens);
    let time = |f: &Figures, percent| f.percentile_us(percent).unwrap_or_default();
    groups.sort_by(|a, b| {
        let (x, y) = (&a.figures, &b.figures);
        let order = match wanted.sort {
            Sorting::Calls => x.calls.cmp(&y.calls),
            Sorting::Errors => x.errors.cmp(&y.errors),
            Sorting::ErrorRate => surely(x.errors, x.calls).total_cmp(&surely(y.errors, y.calls)),
            Sorting::Cost => x.cost.0.cmp(&y.cost.0),
            Sorting::Tokens => tokens(x).cmp(&tokens(y)),
            Sorting::P50 => time(x, 50).total_cmp(&time(y, 50)),
            Sorting::P95 => time(x, 95).total_cmp(&time(y, 95)),
            Sorting::Sessions => x.sessions.cmp(&y.sessions),
            Sorting::LastSeen => x.last_at.cmp(&y.last_at),
            Sorting::Value => a.value.cmp(&b.value),
        };
        let order = if wanted.descending { order.reverse() } else { order };
        order.then_with(|| a.value.cmp(&b.value))
    });
}
