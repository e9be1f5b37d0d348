//! What needs attention: `/v1/metrics/attention`. Models, paths and tools that got worse against the window before, and
//! sessions that failed or cost far more than the others.
//!
//! Few calls prove nothing: a rate of errors got worse where its interval lies above the one before, a time or a cost where
//! it grew by half over enough calls in both windows.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::figures::{MOST_ROWS, Span, merged};
use super::openapi::Faults;
use crate::auth::Caller;
use crate::model::figures::Figures;
use crate::model::filter::Filter;
use crate::model::query::{FigureQuery, FigureRow, GroupBy, Noticed, Reading, Window};
use crate::model::tools::{Times, ToolFigures, ToolUse, grouped, sum};
use crate::model::units::Micros;
use crate::wire::manual;

const MOST_ITEMS: usize = 100;
/// Calls in each window, below which rates are not compared.
const ENOUGH_FOR_RATES: i64 = 20;
/// The same for times and costs, which vary more.
const ENOUGH_FOR_MEANS: i64 = 30;
/// Growth of a time or a cost that is told.
const GROWTH: f64 = 1.5;
/// Times below this, milliseconds, are not told however they grew.
const SHORT_MS: f64 = 50.0;
/// Sessions of a window from which on one can cost "far more than the others".
const ENOUGH_SESSIONS: i64 = 20;
/// How many times the mean of the others that is.
const DEAR: f64 = 5.0;
/// Sessions told for each reason.
const MOST_SESSIONS: i64 = 5;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttentionBody {
    from_ms: i64,
    to_ms: i64,
    /// Items, at most 100; default 20.
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Attention {
    /// Most severe first; empty: nothing got worse.
    items: Vec<Item>,
}

/// One thing that got worse.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    kind: Subject,
    /// Of a session its id.
    value: String,
    label: String,
    reason: Reason,
    /// For a person.
    text: String,
    /// 0 to 1.
    severity: f64,
    now: f64,
    before: f64,
    unit: Unit,
    calls: i64,
    /// Null for sessions.
    previous_calls: Option<i64>,
    link: Link,
}

/// What got worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Model,
    Path,
    Tool,
    Session,
}

/// In what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    ErrorRate,
    P95,
    Cost,
    /// A session that ended in an error.
    Failed,
}

/// What `now` and `before` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Ratio,
    Ms,
    Usd,
    Count,
}

/// A page of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    Models,
    Paths,
    Tools,
    Session,
}

/// Where the dashboard shows more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    page: Page,
    params: BTreeMap<String, String>,
}

impl Subject {
    fn link(self, value: &str) -> Link {
        let (page, name) = match self {
            Self::Model => (Page::Models, "model"),
            Self::Path => (Page::Paths, "path"),
            Self::Tool => (Page::Tools, "tool"),
            Self::Session => (Page::Session, "id"),
        };
        Link { page, params: BTreeMap::from([(name.to_owned(), value.to_owned())]) }
    }
}

/// What needs attention
#[utoipa::path(post, path = "/v1/metrics/attention", tag = "figures", operation_id = "queryAttention",
    request_body = AttentionBody, responses((status = 200, body = Answer<Attention>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<AttentionBody>,
) -> Result<Response, ApiError> {
    let span = Span::new(body.from_ms, body.to_ms)?;
    let limit = body.limit.unwrap_or(20);
    if !(1..=MOST_ITEMS).contains(&limit) {
        return Err(ApiError::bad("limit", format!("must be between 1 and {MOST_ITEMS}")));
    }
    state.settled().await;
    let mut items = sessions(&state, &caller, span).await?;
    for (kind, group) in [(Subject::Model, GroupBy::Model), (Subject::Path, GroupBy::Path)] {
        items.extend(worse(&state, &caller, span, (kind, group)).await?);
    }
    items.extend(worse_tools(&state, &caller, span).await?);
    items.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.value.cmp(&b.value)));
    items.truncate(limit);
    Ok(ok(Attention { items }))
}

/// Groups that got worse.
async fn worse(
    state: &ApiState,
    caller: &Caller,
    span: Span,
    (kind, group): (Subject, GroupBy),
) -> Result<Vec<Item>, ApiError> {
    let both = span.doubled();
    let mut plan = state.store.figure_plan(caller.org, &Filter::ALL, (both.from, both.to)).await?;
    if plan.reading == Reading::Exact {
        plan.reading = Reading::Calls;
    }
    // Two parts: before and now. With whole hours the middle is one as well.
    let mut width_us = (plan.to - plan.from).max(2) / 2;
    if plan.reading == Reading::Hours {
        let hour = super::figures::HOUR_MS * 1_000;
        width_us = (width_us + hour - 1) / hour * hour;
        plan.from = Micros((plan.to.0 - 2 * width_us).max(0));
    }
    let query = FigureQuery {
        plan,
        filter: &Filter::ALL,
        group: group.clone(),
        only: None,
        width_us,
        origin: plan.from,
        limit: MOST_ROWS,
    };
    let rows = state.store.figures(caller.org, &query).await?;
    let (now, before): (Vec<FigureRow>, Vec<FigureRow>) = rows.into_iter().partition(|row| row.part > 0);
    let before = merged(before, &group);
    let mut items = Vec::new();
    for now in merged(now, &group) {
        // Tools and models of calls that are none have no name; nobody can look into them. Runs of a tool are told as a tool's.
        if now.value.is_empty() || (kind == Subject::Model && manual::names_event(&now.value)) {
            continue;
        }
        let Some(before) = before.iter().find(|before| before.value == now.value) else { continue };
        items.extend(compared(kind, &now.value, [&before.figures, &now.figures]));
    }
    Ok(items)
}

/// Tools that got worse: uses as `/v1/tool/query` counts them, so calls in answers too. Where the uses of both windows are too
/// many to be looked at, the manual logs alone are compared.
async fn worse_tools(state: &ApiState, caller: &Caller, span: Span) -> Result<Vec<Item>, ApiError> {
    let window = Window { from: Some(span.doubled().from), to: Some(span.to.plus_us(-1)) };
    let found = state.store.tool_uses(caller.org, &Filter::ALL, window).await?;
    if found.cut.is_some() {
        return worse(state, caller, span, (Subject::Tool, GroupBy::Tool)).await;
    }
    let mut items = Vec::new();
    for (tool, uses) in grouped(&found.uses, |one| [one.name.clone()]) {
        let (now, before): (Vec<&ToolUse>, Vec<&ToolUse>) =
            uses.into_iter().partition(|one| one.started_at >= span.from);
        let (now, before) = (sum(&now), sum(&before));
        // A log tells how long a tool took, a gap how long at most.
        let both = |times: fn(&ToolFigures) -> Times| [times(&before), times(&now)];
        let times = match both(|figures| figures.manual) {
            logged if logged.iter().all(|times| times.calls >= ENOUGH_FOR_MEANS) => logged,
            _ => both(|figures| figures.gap),
        };
        let figures = [(&before, times[0]), (&now, times[1])];
        let [before, now] = figures.map(|(figures, _)| Figures {
            calls: figures.judged,
            errors: figures.failures,
            ..Figures::default()
        });
        items.extend(compared(Subject::Tool, &tool, [&before, &now]));
        let [before, now] = figures.map(|(_, times)| Figures {
            calls: times.calls,
            exact: times.p50_us.zip(times.p95_us),
            ..Figures::default()
        });
        items.extend(compared(Subject::Tool, &tool, [&before, &now]));
    }
    Ok(items)
}

/// What got worse of one model, path or tool.
fn compared(kind: Subject, value: &str, [before, now]: [&Figures; 2]) -> Vec<Item> {
    let item = |(reason, found): (Reason, Comparison)| Item {
        kind,
        value: value.to_owned(),
        label: value.to_owned(),
        reason,
        text: found.text,
        severity: found.severity,
        now: found.now,
        before: found.before,
        unit: found.unit,
        calls: now.calls,
        previous_calls: Some(before.calls),
        link: kind.link(value),
    };
    compare(before, now).into_iter().map(item).collect()
}

/// What got worse and by how much.
#[derive(Debug, PartialEq)]
struct Comparison {
    text: String,
    severity: f64,
    now: f64,
    before: f64,
    unit: Unit,
}

fn compare(before: &Figures, now: &Figures) -> Vec<(Reason, Comparison)> {
    let mut found = Vec::new();
    let least = now.calls.min(before.calls);
    if least >= ENOUGH_FOR_RATES
        && let (Some((_, was)), Some((is, _))) = (before.error_interval(), now.error_interval())
        && is > was
    {
        let (old, new) = (before.error_rate(), now.error_rate());
        found.push((
            Reason::ErrorRate,
            Comparison {
                text: format!("errors rose from {:.1} % to {:.1} % ({} calls)", old * 100.0, new * 100.0, now.calls),
                severity: (0.5 + (new - old)).min(1.0),
                now: new,
                before: old,
                unit: Unit::Ratio,
            },
        ));
    }
    if least < ENOUGH_FOR_MEANS {
        return found;
    }
    if let (Some(old), Some(new)) = (before.percentile_us(95), now.percentile_us(95)) {
        let (old, new) = (old / 1e3, new / 1e3);
        if new >= old * GROWTH && new >= SHORT_MS {
            let text = format!("the slowest 5 % take {} instead of {} ({} calls)", time(new), time(old), now.calls);
            found.push((
                Reason::P95,
                Comparison { text, severity: severity(old, new), now: new, before: old, unit: Unit::Ms },
            ));
        }
    }
    let (old, new) = (before.cost_a_call(), now.cost_a_call());
    if new > 0.0 && old > 0.0 && new >= old * GROWTH {
        let text = format!("a call costs ${new:.4} instead of ${old:.4} ({} calls)", now.calls);
        found.push((
            Reason::Cost,
            Comparison { text, severity: severity(old, new), now: new, before: old, unit: Unit::Usd },
        ));
    }
    found
}

/// From 0.3 at half as much again to 0.9 at ten times.
fn severity(old: f64, new: f64) -> f64 {
    let growth = if old > 0.0 { new / old } else { 10.0 };
    0.3 + 0.6 * ((growth - GROWTH) / (10.0 - GROWTH)).clamp(0.0, 1.0)
}

fn time(ms: f64) -> String {
    if ms < 1e3 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1e3) }
}

/// Sessions that ended in a failure, and those that cost far more than the others.
async fn sessions(state: &ApiState, caller: &Caller, span: Span) -> Result<Vec<Item>, ApiError> {
    let window = Window { from: Some(span.from), to: Some(span.to.plus_us(-1)) };
    let found = state.store.noticed_sessions(caller.org, window, MOST_SESSIONS).await?;
    let mut items: Vec<Item> = found
        .failed
        .into_iter()
        .map(|session| Item {
            text: format!("ended in an error; {} of {} calls failed", session.errors, session.calls),
            severity: 0.4,
            #[expect(clippy::cast_precision_loss, reason = "a count for display")]
            now: session.errors as f64,
            before: 0.0,
            unit: Unit::Count,
            ..of_session(session, Reason::Failed)
        })
        .collect();
    if found.sessions >= ENOUGH_SESSIONS {
        let dear = found.dear.into_iter().filter_map(|session| {
            let (cost, others) = (session.cost.usd(), mean_of_others(&session, found.sessions, found.mean_cost));
            (others > 0.0 && cost >= others * DEAR).then(|| Item {
                text: format!("cost {}, {:.0} times the mean of the others", dollars(cost), cost / others),
                severity: severity(others * DEAR / GROWTH, cost),
                now: cost,
                before: others,
                unit: Unit::Usd,
                ..of_session(session, Reason::Cost)
            })
        });
        items.extend(dear);
    }
    Ok(items)
}

/// What the other sessions of a window cost: one that is dear makes the mean of all dear.
#[expect(clippy::cast_precision_loss, reason = "a count for a mean")]
fn mean_of_others(session: &Noticed, sessions: i64, mean: f64) -> f64 {
    let all = mean * sessions as f64;
    ((all - session.cost.usd()) / (sessions - 1).max(1) as f64).max(0.0)
}

/// Dollars for a person: cents, or what is below them where it is little.
fn dollars(usd: f64) -> String {
    if usd >= 1.0 { format!("${usd:.2}") } else { format!("${usd:.4}") }
}

fn of_session(session: Noticed, reason: Reason) -> Item {
    Item {
        kind: Subject::Session,
        label: if session.name.is_empty() { session.id.clone() } else { session.name },
        link: Subject::Session.link(&session.id),
        value: session.id,
        reason,
        text: String::new(),
        severity: 0.0,
        now: 0.0,
        before: 0.0,
        unit: Unit::Count,
        calls: session.calls,
        previous_calls: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::figures::part_of;
    use crate::model::units::NanoUsd;

    fn calls(count: i64, errors: i64, ms: i64, cost: i64) -> Figures {
        let us = ms * 1_000;
        let mut figures = Figures {
            calls: count,
            errors,
            cost: NanoUsd(cost * count),
            latency_sum_us: us * count,
            latency_min_us: us,
            latency_max_us: us,
            ..Figures::default()
        };
        figures.histogram[part_of(us)] = count;
        figures
    }

    fn reasons(before: &Figures, now: &Figures) -> Vec<Reason> {
        compare(before, now).into_iter().map(|(reason, _)| reason).collect()
    }

    #[test]
    fn only_what_is_certain_is_told() {
        let usual = calls(1000, 10, 500, 1_000);
        assert_eq!(reasons(&usual, &usual), []);
        assert_eq!(reasons(&usual, &calls(1000, 60, 500, 1_000)), [Reason::ErrorRate]);
        assert_eq!(reasons(&usual, &calls(3, 3, 9_000, 9_000)), [], "three calls prove nothing");
        assert_eq!(reasons(&usual, &calls(20, 1, 500, 1_000)), [], "one of twenty may be chance");
        assert_eq!(reasons(&usual, &calls(100, 1, 800, 1_600)), [Reason::P95, Reason::Cost]);
        assert_eq!(reasons(&usual, &calls(100, 1, 600, 1_400)), [], "less than half as much again");
        assert_eq!(reasons(&calls(100, 0, 2, 0), &calls(100, 0, 20, 0)), [], "both are short");
        assert_eq!(reasons(&calls(100, 60, 500, 1), &calls(1000, 10, 500, 1)), [], "it got better");
    }

    #[test]
    fn a_dear_session_is_held_against_the_others() {
        let dear = Noticed {
            id: "s".to_owned(),
            name: String::new(),
            calls: 1,
            errors: 0,
            cost: NanoUsd::from_usd(1_234.5).unwrap(),
        };
        // Nineteen others of a dollar each.
        let others = mean_of_others(&dear, 20, (1_234.5 + 19.0) / 20.0);
        assert!((others - 1.0).abs() < 1e-9, "{others}");
        assert_eq!((dollars(1_234.5), dollars(0.000_14)), ("$1234.50".to_owned(), "$0.0001".to_owned()));
    }

    #[test]
    fn the_worse_the_more_severe() {
        let of = |now: &Figures| compare(&calls(1000, 10, 500, 1_000), now).pop().unwrap().1;
        assert!(of(&calls(100, 0, 5_000, 1_000)).severity > of(&calls(100, 0, 900, 1_000)).severity);
        assert_eq!(of(&calls(1000, 1000, 500, 1_000)).severity, 1.0);
        assert_eq!(of(&calls(1000, 120, 500, 1_000)).text, "errors rose from 1.0 % to 12.0 % (1000 calls)");
    }
}
