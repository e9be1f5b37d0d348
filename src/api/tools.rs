//! Tools: `/v1/tool/query`. A tool call is a call of kind `tool`; which calls those are is said in one place, the group
//! `tool` of `store::figures`.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::breakdown::{BreakdownRow, Sorting, Wanted, rows};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::figures::{FiguresResult, MOST_GROUPS, Span};
use super::openapi::Faults;
use super::sessions::filter;
use crate::model::filter::Scope;
use crate::model::query::{FigureQuery, GroupBy};

/// Which tool calls, and in which order their tools.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolBody {
    from_ms: i64,
    to_ms: i64,
    #[schema(value_type = Object)]
    filter: Option<Value>,
    /// Part of the tool's name, without case.
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

#[derive(Debug, Serialize, ToSchema)]
pub struct Tools {
    rows: Vec<ToolRow>,
    /// Tools before `limit`.
    total: usize,
    /// Whether percentiles are exact.
    exact: bool,
}

/// One tool.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolRow {
    tool: String,
    #[serde(flatten)]
    figures: FiguresResult,
    /// By which rule calls failed, most first.
    rules: Vec<RuleCount>,
    /// Bytes of a result.
    mean_result_bytes: Option<f64>,
    /// Start of the latest call.
    last_seen_ms: i64,
    /// Of the window of the same length before.
    previous: Option<FiguresResult>,
    /// Calls in equal parts of the window.
    trend: Vec<i64>,
    trend_errors: Vec<i64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleCount {
    rule: String,
    calls: i64,
}

impl ToolRow {
    fn new(row: BreakdownRow, rules: Vec<RuleCount>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a mean for display")]
        let mean = (row.sums.calls > 0).then(|| row.sums.response_bytes as f64 / row.sums.calls as f64);
        Self {
            tool: row.value,
            figures: row.figures,
            rules,
            mean_result_bytes: mean,
            last_seen_ms: row.last_seen_ms,
            previous: row.previous,
            trend: row.trend,
            trend_errors: row.trend_errors,
        }
    }
}

/// Tools with their calls, failures and times
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
    state.settled().await;
    let plan = state.store.figure_plan(caller.org, &filter, (span.from, span.to)).await?;
    let query = FigureQuery {
        plan,
        filter: &filter,
        group: GroupBy::Tool,
        only: None,
        width_us: 1,
        origin: plan.from,
        limit: MOST_GROUPS,
    };
    let found = rows(&state, &caller, &query, &wanted).await?;
    let mut rules: HashMap<String, Vec<RuleCount>> = HashMap::new();
    for (tool, rule, calls) in state.store.tool_rules(caller.org, &query).await? {
        let tool = tool.strip_prefix("tool:").unwrap_or(&tool).to_owned();
        rules.entry(tool).or_default().push(RuleCount { rule, calls });
    }
    rules.values_mut().for_each(|rules| rules.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.rule.cmp(&b.rule))));
    Ok(ok(Tools {
        exact: found.rows.iter().all(|row| row.sums.exact.is_some()),
        total: found.total,
        rows: found
            .rows
            .into_iter()
            .map(|row| {
                let rules = rules.get(&row.value).cloned().unwrap_or_default();
                ToolRow::new(row, rules)
            })
            .collect(),
    }))
}
