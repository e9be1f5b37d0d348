//! One session: `GET /v1/session/{id}` with its tree, its feedback and its tags.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, Done, iso, ms, ok};
use super::error::ApiError;
use super::extract::{Json, Logger, Reader, Text};
use super::openapi::{Faults, Missing};
use super::sessions::{SessionResult, total_tokens};
use super::tool_node::{ToolCallNode, node_of, shorten};
use super::words::CallKind;
use crate::auth::Caller;
use crate::model::id::RequestId;
use crate::model::query::CallDetail;
use crate::model::session::{CallRow, PathNode, Totals};
use crate::model::steps::{News, news};
use crate::model::tree::fold;
use crate::model::units::{Micros, NanoUsd};

const DEFAULT_CALLS: i64 = 10_000;
const MOST_CALLS: i64 = 50_000;
const MOST_TAG_BYTES: usize = 1024;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DetailParams {
    /// Calls to answer at most, oldest first: 1 to 50000, default 10000.
    limit: Option<i64>,
}

/// A session with its calls as light rows and its tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionDetail {
    /// Totals over all calls, as in the session list, times in UTC.
    #[serde(flatten)]
    session: SessionResult,
    tree: TreeNode,
    /// In order of start.
    calls: Vec<CallLight>,
    /// Tool calls that the answers of the session's calls ask for, in order of time.
    tool_calls: Vec<ToolCallNode>,
    /// True where the session has more calls than were asked for; the tree is then that of the calls in `calls`.
    truncated: bool,
}

/// A path with the calls made at exactly this path, and the paths below it.
///
/// A call without a path is at `/`; a leading slash is added; empty segments count for nothing. Below 48 levels the rest
/// of a path is one segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct TreeNode {
    /// The last segment as sent; empty for the root.
    segment: String,
    /// From the root, with a leading slash.
    path: String,
    /// Over the calls at exactly this path.
    own: NodeTotals,
    /// Over the calls at this path and below.
    inclusive: NodeTotals,
    /// Start of the first call here or below.
    started_at: String,
    /// End of the last call here or below.
    ended_at: String,
    /// From `started_at` to `ended_at`.
    span_ms: f64,
    /// Ids of the calls at exactly this path, in order of start.
    calls: Vec<String>,
    /// Nodes of the tool calls that these calls ask for.
    tool_calls: Vec<String>,
    /// In order of first appearance.
    #[schema(no_recursion)]
    children: Vec<Self>,
}

/// Sums over calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeTotals {
    requests: i64,
    errors: i64,
    /// US dollars, over the calls whose cost is known.
    cost: f64,
    unpriced_requests: i64,
    input_tokens: i64,
    output_tokens: i64,
    total_tokens: i64,
    /// Time in which at least one of the calls was running.
    busy_ms: f64,
    /// Sum of the calls' wall times.
    latency_ms: f64,
}

/// A call without its bodies.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallLight {
    request_id: String,
    #[schema(value_type = CallKind)]
    kind: String,
    /// As sent; null if none was.
    path: Option<String>,
    /// ISO 8601, UTC, microseconds.
    started_at: String,
    ended_at: String,
    /// From the session's start to this call's.
    offset_ms: f64,
    duration_ms: f64,
    /// Null where the answer was not streamed.
    time_to_first_token: Option<f64>,
    status: i32,
    /// `complete`, `unreachable`, `upstream_reset`, `client_gone`, `timeout`, `refused` or `interrupted`.
    outcome: String,
    /// Null unless the call counts as failed: which rule says so.
    error_rule: Option<String>,
    error_message: Option<String>,
    provider: String,
    model: Option<String>,
    streamed: bool,
    finish_reason: Option<String>,
    /// Tool calls that the answer asks for.
    tool_calls: i32,
    user_id: Option<String>,
    /// US dollars; null where not known.
    cost: Option<f64>,
    /// Tokens are null where no usage was reported.
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    prompt_cache_read_tokens: Option<i64>,
    prompt_cache_write_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    total_tokens: Option<i64>,
    /// `proxy` or `manual`.
    source: String,
    /// Bytes of the bodies, as they passed.
    request_bytes: i64,
    response_bytes: i64,
    /// Who made the call: its property `Agent-Name`, else `Agent`; null if it has neither.
    agent: Option<String>,
    /// Null where the sender named the session: by which rule the call is in it (docs/SESSIONS.md).
    session_rule: Option<String>,
    /// Messages of the request; null where it carries no conversation.
    messages: Option<u32>,
    /// The call of this session that this one continues.
    previous_call_id: Option<String>,
    /// Index of the first message that is new since then: 0 where the conversation begins, null where that is not known.
    new_from_message: Option<u32>,
    /// Whether the system prompt is another one than the previous call's; null without one.
    system_changed: Option<bool>,
    /// Whether the tool definitions are.
    tools_changed: Option<bool>,
}

impl CallLight {
    /// The call, seen from its session's start. What it continues is said by [`CallLight::continuing`].
    pub fn new(detail: CallDetail, agent: Option<String>, session_start: Micros) -> Self {
        let CallDetail { call: row, source, request_bytes, response_bytes, .. } = detail;
        let usage = row.usage;
        Self {
            source,
            request_bytes,
            response_bytes,
            agent,
            request_id: row.id.to_string(),
            started_at: iso(row.started_at),
            ended_at: iso(row.ended_at),
            offset_ms: ms(row.started_at - session_start),
            duration_ms: ms(row.ended_at - row.started_at),
            time_to_first_token: row.first_byte_us.map(ms),
            kind: row.kind,
            path: row.path,
            status: row.status,
            outcome: row.outcome,
            error_rule: row.error_rule,
            error_message: row.error_message,
            provider: row.provider,
            model: row.model,
            streamed: row.streamed,
            finish_reason: row.finish_reason,
            tool_calls: row.tool_calls,
            user_id: row.user_id,
            cost: row.cost.map(NanoUsd::usd),
            prompt_tokens: usage.map(|u| u.prompt_tokens),
            completion_tokens: usage.map(|u| u.completion_tokens),
            prompt_cache_read_tokens: usage.map(|u| u.prompt_cache_read_tokens),
            prompt_cache_write_tokens: usage.map(|u| u.prompt_cache_write_tokens),
            reasoning_tokens: usage.map(|u| u.reasoning_tokens),
            input_tokens: usage.map(|u| u.input_tokens()),
            output_tokens: usage.map(|u| u.output_tokens()),
            total_tokens: usage.map(|u| u.input_tokens().saturating_add(u.output_tokens())),
            session_rule: row.session_rule,
            messages: row.step.as_ref().map(|step| step.messages),
            previous_call_id: None,
            new_from_message: None,
            system_changed: None,
            tools_changed: None,
        }
    }

    /// The same with what is new in it since the call of this id.
    fn continuing(self, news: &News, previous: Option<String>) -> Self {
        Self {
            previous_call_id: previous,
            new_from_message: news.first,
            system_changed: news.system_changed,
            tools_changed: news.tools_changed,
            ..self
        }
    }
}

impl NodeTotals {
    fn new(totals: &Totals, busy_us: i64) -> Self {
        Self {
            requests: totals.calls,
            errors: totals.errors,
            cost: totals.cost.usd(),
            unpriced_requests: totals.unpriced,
            input_tokens: totals.usage.input_tokens(),
            output_tokens: totals.usage.output_tokens(),
            total_tokens: total_tokens(totals),
            busy_ms: ms(busy_us),
            latency_ms: ms(totals.latency_sum_us),
        }
    }
}

impl TreeNode {
    /// Recursive; the fold bounds the depth.
    fn new(node: PathNode, calls: &[CallRow], tools: &HashMap<RequestId, Vec<String>>) -> Self {
        let of_call = |index: &usize| calls.get(*index).and_then(|call| tools.get(&call.id));
        let tool_calls = node.calls.iter().filter_map(of_call).flatten().cloned().collect();
        let id_of = |index: usize| calls.get(index).map(|call| call.id.to_string());
        Self {
            own: NodeTotals::new(&node.own, node.own_busy_us),
            inclusive: NodeTotals::new(&node.inclusive, node.inclusive_busy_us),
            started_at: iso(node.first_at),
            ended_at: iso(node.last_ended_at),
            span_ms: ms(node.span_us),
            calls: node.calls.into_iter().filter_map(id_of).collect(),
            tool_calls,
            children: node.children.into_iter().map(|child| Self::new(child, calls, tools)).collect(),
            segment: node.segment,
            path: node.path,
        }
    }
}

/// One session with its tree
///
/// An id that holds a slash comes percent-encoded (`%2F`).
#[utoipa::path(get, path = "/v1/session/{id}", tag = "sessions", operation_id = "getSession",
    params(("id" = String, Path, description = "the session's id, percent-encoded"), DetailParams),
    responses((status = 200, body = Answer<SessionDetail>), Missing, Faults))]
pub async fn detail(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(id): Text,
    uri: Uri,
) -> Result<Response, ApiError> {
    tell(&state, &caller, &id, &uri).await
}

/// The same for a session whose id is a word of the API's own paths, such as `query`: the router finds that path first.
pub async fn detail_by_word(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Response, ApiError> {
    let id = uri.path().rsplit('/').next().unwrap_or_default();
    tell(&state, &caller, id, &uri).await
}

async fn tell(state: &ApiState, caller: &Caller, id: &str, uri: &Uri) -> Result<Response, ApiError> {
    let Query(params) = Query::<DetailParams>::try_from_uri(uri)
        .map_err(|_| ApiError::bad("limit", "must be a whole number; no other parameter is known"))?;
    let limit = params.limit.unwrap_or(DEFAULT_CALLS);
    if !(1..=MOST_CALLS).contains(&limit) {
        return Err(ApiError::bad("limit", format!("must be between 1 and {MOST_CALLS}")));
    }
    state.settled().await;
    let Some(session) = state.store.session(caller.org, id).await? else { return Err(ApiError::no_session(id)) };
    let mut details = state.store.session_details(caller.org, id, limit + 1).await?;
    let mut agents = state.store.session_agents(caller.org, id).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = details.len() > limit;
    details.truncate(limit);
    let start = session.first_at;
    let calls: Vec<CallRow> = details.iter().map(|detail| detail.call.clone()).collect();
    let until = calls.last().map(|call| call.started_at).filter(|_| truncated);
    let mut tools = state.store.session_tools(caller.org, id, (MOST_CALLS, until)).await?;
    shorten(&mut tools);
    let mut nodes: HashMap<RequestId, Vec<String>> = HashMap::new();
    for tool in &tools {
        nodes.entry(tool.call.call).or_default().push(node_of(&tool.call));
    }
    let id_of = |index: usize| calls.get(index).map(|call| call.id.to_string());
    Ok(ok(SessionDetail {
        session: SessionResult::new(session, 0),
        tree: TreeNode::new(fold(&calls), &calls, &nodes),
        calls: details
            .into_iter()
            .zip(news(&calls))
            .map(|(detail, news)| {
                let agent = agents.remove(&detail.call.id);
                CallLight::new(detail, agent, start).continuing(&news, news.previous.and_then(id_of))
            })
            .collect(),
        tool_calls: tools.into_iter().map(|tool| ToolCallNode::new(tool, start)).collect(),
        truncated,
    }))
}

/// The tool calls of a session
///
/// As `tool_calls` of `GET /v1/session/{id}`, in order of time. A result is told by a later request, so a node changes while
/// its session runs.
#[utoipa::path(get, path = "/v1/session/{id}/tool-calls", tag = "sessions", operation_id = "getSessionToolCalls",
    params(("id" = String, Path, description = "the session's id, percent-encoded")),
    responses((status = 200, body = Answer<Vec<ToolCallNode>>), Missing, Faults))]
pub async fn tool_calls(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(id): Text,
) -> Result<Response, ApiError> {
    state.settled().await;
    let Some(session) = state.store.session(caller.org, &id).await? else { return Err(ApiError::no_session(&id)) };
    let mut tools = state.store.session_tools(caller.org, &id, (MOST_CALLS, None)).await?;
    shorten(&mut tools);
    Ok(ok(tools.into_iter().map(|tool| ToolCallNode::new(tool, session.first_at)).collect::<Vec<_>>()))
}

/// A judgement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackBody {
    /// True: good.
    pub rating: bool,
}

/// Judges a session
///
/// Kept as property `Helicone-Session-Feedback` (`1` or `0`) of its first call.
#[utoipa::path(post, path = "/v1/session/{id}/feedback", tag = "sessions", operation_id = "rateSession",
    params(("id" = String, Path)), request_body = FeedbackBody,
    responses((status = 200, body = Done), Missing, Faults))]
pub async fn feedback(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    Text(id): Text,
    Json(body): Json<FeedbackBody>,
) -> Result<Response, ApiError> {
    state.settled().await;
    if !state.store.set_session_feedback(caller.org, &id, body.rating).await? {
        return Err(ApiError::no_session(&id));
    }
    Ok(ok(()))
}

/// The session's newest tag, or null
#[utoipa::path(get, path = "/v1/session/{id}/tag", tag = "sessions", operation_id = "getSessionTag",
    params(("id" = String, Path)), responses((status = 200, body = Answer<Option<String>>), Missing, Faults))]
pub async fn tag(State(state): State<ApiState>, Reader(caller): Reader, Text(id): Text) -> Result<Response, ApiError> {
    state.settled().await;
    match state.store.session_tag(caller.org, &id).await? {
        Some(tag) => Ok(ok(tag)),
        None => Err(ApiError::no_session(&id)),
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagBody {
    /// At most 1024 bytes.
    tag: String,
}

/// Tags a session; the newest tag counts
#[utoipa::path(post, path = "/v1/session/{id}/tag", tag = "sessions", operation_id = "tagSession",
    params(("id" = String, Path)), request_body = TagBody,
    responses((status = 200, body = Done), Missing, Faults))]
pub async fn set_tag(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    Text(id): Text,
    Json(body): Json<TagBody>,
) -> Result<Response, ApiError> {
    if body.tag.len() > MOST_TAG_BYTES {
        return Err(ApiError::bad("tag", format!("is longer than {MOST_TAG_BYTES} bytes")));
    }
    state.settled().await;
    if !state.store.set_session_tag(caller.org, &id, &body.tag).await? {
        return Err(ApiError::no_session(&id));
    }
    Ok(ok(()))
}
