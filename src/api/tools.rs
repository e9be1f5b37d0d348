//! Tools: `/v1/tool/query`. What counts is each use of a tool, once: a tool call in an answer, or a manual log of a tool; a
//! call and the log that tells of it are one (`model::pairing`).

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ms, ok};
use super::breakdown::{Sorting, Wanted};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::figures::{FiguresResult, Span};
use super::openapi::Faults;
use super::sessions::filter;
use super::words::DurationSource;
use crate::auth::Caller;
use crate::model::figures::{surely, wilson};
use crate::model::filter::{Filter, Scope};
use crate::model::path::fold_path;
use crate::model::query::Window;
use crate::model::tools::{Times, ToolFigures, ToolUse, grouped, sum};
use crate::model::units::Micros;

/// Levels of a path that uses are summed up at.
const MOST_DEPTH: usize = 48;

/// Which uses of tools, and in which order their groups.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolBody {
    from_ms: i64,
    to_ms: i64,
    /// Which calls: those whose answers ask for tools, and manual logs of tools.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// What rows are by; default `tool`.
    #[serde(default)]
    by: By,
    /// By path: whether numbers and ids in it are folded (`/iteration/3` to `/iteration/:n`); default true.
    fold: Option<bool>,
    /// Part of the tool's name, or of the path, without case.
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

/// What rows of tools are by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    #[default]
    Tool,
    /// The path of the call that asked, and each path above it.
    Path,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Tools {
    rows: Vec<ToolRow>,
    /// Groups before `limit`.
    total: usize,
    /// Percentiles are always read from the uses themselves.
    exact: bool,
    /// True: only the newest uses are counted, those that began at `from_ms` or later.
    truncated: bool,
    from_ms: i64,
}

/// One tool, or the tools below one path.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolRow {
    /// The tool's name; the path, where rows are by path.
    tool: String,
    /// `calls` are uses, `errors` those that failed, their interval over those whose outcome is known; `cost` is what manual
    /// logs say themselves; times are of one source, `duration_source`.
    #[serde(flatten)]
    figures: FiguresResult,
    /// Uses that a manual log tells of.
    logged: i64,
    /// Uses whose outcome is known.
    judged: i64,
    /// `manual`: times that manual logs tell, of the uses that have one. `gap`: no use has one; at most so long, from the
    /// answer's end to the request with the result. Null: no time is known.
    duration_source: Option<DurationSource>,
    /// Uses with a person in the gap, and the sum of these gaps; in no other time.
    waits: i64,
    wait_ms: f64,
    /// US dollars, over the calls that the results were handed to, each once.
    turn_cost: f64,
    /// Those of them whose cost is not known.
    unpriced_turns: i64,
    /// By which rule uses failed, most first.
    rules: Vec<RuleCount>,
    /// Bytes of a result.
    mean_result_bytes: Option<i64>,
    max_result_bytes: Option<i64>,
    /// Start of the latest use.
    last_seen_ms: i64,
    /// Of the window of the same length before; null where there was no use, or where the window is cut.
    previous: Option<FiguresResult>,
    /// Uses in equal parts of the window.
    trend: Vec<i64>,
    trend_errors: Vec<i64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleCount {
    rule: String,
    calls: i64,
}

/// The times of a group, and who tells them.
const fn times(figures: &ToolFigures) -> (Times, Option<DurationSource>) {
    if figures.manual.calls > 0 {
        (figures.manual, Some(DurationSource::Manual))
    } else if figures.gap.calls > 0 {
        (figures.gap, Some(DurationSource::Gap))
    } else {
        (figures.gap, None)
    }
}

fn result(figures: &ToolFigures) -> FiguresResult {
    let interval = wilson(figures.failures, figures.judged);
    let (times, _) = times(figures);
    FiguresResult {
        calls: figures.calls,
        errors: figures.failures,
        error_low: interval.map(|(low, _)| low),
        error_high: interval.map(|(_, high)| high),
        cost: figures.cost.usd(),
        mean_ms: times.mean_us.map(ms),
        p50_ms: times.p50_us.map(ms),
        p95_ms: times.p95_us.map(ms),
        sessions: Some(figures.sessions),
        ..FiguresResult::default()
    }
}

impl ToolRow {
    fn new(tool: String, figures: ToolFigures, previous: Option<&ToolFigures>, trend: (Vec<i64>, Vec<i64>)) -> Self {
        Self {
            tool,
            figures: result(&figures),
            logged: figures.logged,
            judged: figures.judged,
            duration_source: times(&figures).1,
            waits: figures.waits,
            wait_ms: ms(figures.wait_us),
            turn_cost: figures.turn_cost.usd(),
            unpriced_turns: figures.unpriced_turns,
            rules: figures.rules.into_iter().map(|(rule, calls)| RuleCount { rule, calls }).collect(),
            mean_result_bytes: figures.mean_result_bytes,
            max_result_bytes: figures.max_result_bytes,
            last_seen_ms: figures.last_at.millis(),
            previous: previous.map(result),
            trend: trend.0,
            trend_errors: trend.1,
        }
    }
}

/// Tools with their uses, failures and times
///
/// Uses are tool calls in answers, and manual logs of tools; a call and its log are one use. Of very many the newest count.
#[utoipa::path(post, path = "/v1/tool/query", tag = "figures", operation_id = "queryTools",
    request_body = ToolBody, responses((status = 200, body = Answer<Tools>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<ToolBody>,
) -> Result<Response, ApiError> {
    let span = Span::new(body.from_ms, body.to_ms)?;
    let filter = filter(body.filter.as_ref(), Scope::Requests)?;
    let wanted = Wanted::new(&body.search, (body.sort, body.descending), body.limit, body.trend)?;
    let groups = |one: &ToolUse| groups(one, body.by, body.fold.unwrap_or(true));
    state.settled().await;
    let window = Window { from: Some(span.from), to: Some(span.to.plus_us(-1)) };
    let found = state.store.tool_uses(caller.org, &filter, window).await?;
    let from = found.cut.unwrap_or(span.from);
    let mut all: Vec<(String, ToolFigures, Vec<&ToolUse>)> = grouped(&found.uses, groups)
        .into_iter()
        .filter(|(name, _)| wanted.search.is_empty() || name.to_lowercase().contains(&wanted.search))
        .map(|(name, uses)| (name, sum(&uses), uses))
        .collect();
    let total = all.len();
    sort(&mut all, &wanted);
    all.truncate(wanted.limit);
    let names: BTreeSet<&str> = all.iter().map(|(name, ..)| name.as_str()).collect();
    let before = if found.cut.is_none() { earlier(&state, &caller, &filter, span).await? } else { Vec::new() };
    let before: BTreeMap<String, ToolFigures> = grouped(&before, groups)
        .into_iter()
        .filter(|(name, _)| names.contains(name.as_str()))
        .map(|(name, uses)| (name, sum(&uses)))
        .collect();
    let rows = all.into_iter().map(|(name, figures, uses)| {
        let trend = trend(&uses, (from, span.to), wanted.trend);
        let previous = before.get(&name);
        ToolRow::new(name, figures, previous, trend)
    });
    Ok(ok(Tools { rows: rows.collect(), total, exact: true, truncated: found.cut.is_some(), from_ms: from.millis() }))
}

/// Uses in the window before; none where they are too many to be counted.
async fn earlier(state: &ApiState, caller: &Caller, filter: &Filter, span: Span) -> Result<Vec<ToolUse>, ApiError> {
    let before = span.doubled();
    if before.from >= span.from {
        return Ok(Vec::new());
    }
    let window = Window { from: Some(before.from), to: Some(span.from.plus_us(-1)) };
    let found = state.store.tool_uses(caller.org, filter, window).await?;
    Ok(if found.cut.is_none() { found.uses } else { Vec::new() })
}

/// The rows that a use counts in.
fn groups(one: &ToolUse, by: By, fold: bool) -> Vec<String> {
    if by == By::Tool {
        return vec![one.name.clone()];
    }
    let path = one.path.as_deref().unwrap_or_default();
    let path = if fold { fold_path(path) } else { path.to_owned() };
    let mut all = vec!["/".to_owned()];
    let mut above = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()).take(MOST_DEPTH) {
        above.push('/');
        above.push_str(segment);
        all.push(above.clone());
    }
    all
}

/// Uses and failures in equal parts of a window.
fn trend(uses: &[&ToolUse], (from, to): (Micros, Micros), parts: i64) -> (Vec<i64>, Vec<i64>) {
    let count = usize::try_from(parts).unwrap_or_default();
    let (mut calls, mut errors) = (vec![0; count], vec![0; count]);
    let width = (to - from).checked_div(parts).unwrap_or_default().max(1);
    for one in uses {
        let part = usize::try_from((one.started_at - from) / width).unwrap_or_default().min(count.saturating_sub(1));
        if let Some(calls) = calls.get_mut(part) {
            *calls += 1;
        }
        if let Some(errors) = errors.get_mut(part) {
            *errors += i64::from(one.verdict.as_ref().is_some_and(|(ok, _)| !ok));
        }
    }
    (calls, errors)
}

fn sort(groups: &mut [(String, ToolFigures, Vec<&ToolUse>)], wanted: &Wanted) {
    let rate = |f: &ToolFigures| surely(f.failures, f.judged);
    groups.sort_by(|(a, x, _), (b, y, _)| {
        let order = match wanted.sort {
            Sorting::Calls => x.calls.cmp(&y.calls),
            Sorting::Errors => x.failures.cmp(&y.failures),
            Sorting::ErrorRate => rate(x).total_cmp(&rate(y)),
            Sorting::Cost => (x.turn_cost, x.cost).cmp(&(y.turn_cost, y.cost)),
            // Tools have none.
            Sorting::Tokens | Sorting::Value => a.cmp(b),
            Sorting::P50 => times(x).0.p50_us.cmp(&times(y).0.p50_us),
            Sorting::P95 => times(x).0.p95_us.cmp(&times(y).0.p95_us),
            Sorting::Sessions => x.sessions.cmp(&y.sessions),
            Sorting::LastSeen => x.last_at.cmp(&y.last_at),
        };
        let order = if wanted.descending { order.reverse() } else { order };
        order.then_with(|| a.cmp(b))
    });
}
