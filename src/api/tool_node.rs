//! A tool call of a session as the API shows it: below the call that asked for it, beside its result.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{iso, ms};
use super::words::DurationSource;
use crate::model::agent::ToolCallRow;
use crate::model::pairing::{Paired, Time};
use crate::model::units::Micros;

/// Bytes of arguments that one answer carries before it cuts them.
const MOST_ARGUMENTS: usize = 2 * 1024 * 1024;
const SHORT_ARGUMENTS: usize = 200;

/// A tool call that an answer asks for, or that ran at the provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolCallNode {
    /// `<request id>/<position>`
    node: String,
    /// The call whose answer asks for it.
    request_id: String,
    /// Where it stands in the answer, from 0.
    position: i32,
    /// The provider's id of it; null where it has none.
    tool_call_id: Option<String>,
    name: String,
    /// The provider's word: `function`, `tool_use`, `mcp_call`, …
    form: String,
    /// It ran at the provider.
    at_provider: bool,
    /// As the model wrote them, the first 4 kB; the first 200 bytes where the session has very many.
    arguments: String,
    arguments_bytes: i64,
    /// Of the call that asks for it.
    path: Option<String>,
    /// The end of the answer that asks for it; of a manual log, the tool's own start.
    started_at: String,
    offset_ms: f64,
    /// Null where not known.
    duration_ms: Option<f64>,
    /// `manual`: as a manual log says. `gap`: at most so long. Null: not known.
    duration_source: Option<DurationSource>,
    /// The gap, where a person was in it: no duration of the tool.
    wait_ms: Option<f64>,
    /// `user_message`: the request with the result carries a person's words too. `over_limit`: longer than ten minutes.
    wait_rule: Option<&'static str>,
    /// Null where not known yet.
    ok: Option<bool>,
    /// Which rule says so (docs/SESSIONS.md).
    ok_rule: Option<String>,
    result_bytes: Option<i64>,
    /// Its first 500 characters.
    result_preview: Option<String>,
    /// The call whose request tells the result.
    result_request_id: Option<String>,
    /// The manual log of the tool.
    log_request_id: Option<String>,
}

/// The name of a tool call's node.
pub fn node_of(call: &ToolCallRow) -> String {
    format!("{}/{}", call.call, call.position)
}

/// Cuts arguments where there are so many that nobody can have wanted all of them.
pub fn shorten(tools: &mut [Paired]) {
    let all: usize = tools.iter().map(|tool| tool.call.arguments.len()).sum();
    if all <= MOST_ARGUMENTS {
        return;
    }
    for tool in tools {
        let end = tool.call.arguments.floor_char_boundary(SHORT_ARGUMENTS);
        tool.call.arguments.truncate(end);
    }
}

impl ToolCallNode {
    pub fn new(tool: Paired, session_start: Micros) -> Self {
        let (duration, duration_source, wait, wait_rule) = match tool.time() {
            Time::Manual(us) => (Some(us), Some(DurationSource::Manual), None, None),
            Time::Gap(us) => (Some(us), Some(DurationSource::Gap), None, None),
            Time::Wait(us, rule) => (None, None, Some(us), Some(rule)),
            Time::Unknown => (None, None, None, None),
        };
        let verdict = tool.verdict().map(|(ok, rule)| (ok, rule.to_owned()));
        let started_at = tool.manual.as_ref().map_or(tool.call.ended_at, |manual| manual.started_at);
        Self {
            node: node_of(&tool.call),
            request_id: tool.call.call.to_string(),
            started_at: iso(started_at),
            offset_ms: ms(started_at - session_start),
            duration_ms: duration.map(ms),
            duration_source,
            wait_ms: wait.map(ms),
            wait_rule,
            ok: verdict.as_ref().map(|(ok, _)| *ok),
            ok_rule: verdict.map(|(_, rule)| rule),
            result_bytes: tool.bytes(),
            result_preview: tool.preview().map(str::to_owned),
            result_request_id: tool.result.as_ref().map(|result| result.call.to_string()),
            log_request_id: tool.manual.as_ref().map(|manual| manual.call.to_string()),
            position: tool.call.position,
            tool_call_id: tool.call.id,
            name: tool.call.name,
            form: tool.call.form,
            at_provider: tool.call.at_provider,
            arguments: tool.call.arguments,
            arguments_bytes: tool.call.arguments_bytes,
            path: tool.call.path,
        }
    }
}
