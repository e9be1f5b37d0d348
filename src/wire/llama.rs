//! Meta's own shape of chat completions (api.llama.com): the path is OpenAI's, the answer a `completion_message` with
//! `metrics` beside it, a stream of `event`s.

use super::calls::ToolCall;
use super::usage::{Fault, count};
use super::{Meaning, json};
use crate::model::exchange::Usage;

/// The place of the call whose pieces are coming: they come one call after the other.
const PLACE: &str = "llama";

/// Reads a whole answer or one chunk of a stream; finds nothing in any other shape.
pub(super) fn read(text: &str, meaning: &mut Meaning) {
    let [message, metrics, event] = json::fields(text, ["completion_message", "metrics", "event"]).values;
    if let Some(message) = message {
        let [content, reason, calls] = json::fields(message, ["content", "stop_reason", "tool_calls"]).values;
        meaning.said.content(content);
        end(reason, metrics, meaning);
        if let Some(calls) = json::non_null(calls) {
            json::each(calls, CALL, |_, fields| {
                let mut call = ToolCall::of("function", false);
                lay(&mut call, fields);
                meaning.calls.add(call);
            });
        }
    }
    let [kind, delta, reason, metrics] = json::nested(event, ["event_type", "delta", "stop_reason", "metrics"]);
    if kind.is_some() {
        end(reason, metrics, meaning);
        if let Some(delta) = json::non_null(delta) {
            piece(delta, meaning);
        }
    }
}

/// A piece of the text, or of a call: its first one has the id.
fn piece(delta: &str, meaning: &mut Meaning) {
    let [kind, text] = json::fields(delta, ["type", "text"]).values;
    if kind != Some("\"tool_call\"") {
        meaning.said.content(text);
        return;
    }
    let fields = json::fields(delta, CALL).values;
    let id = json::non_empty_text(fields[0]);
    if id.is_some() && meaning.calls.known(PLACE).is_some_and(|call| call.id != id) {
        meaning.calls.leave(PLACE);
    }
    if let Some(call) = meaning.calls.at(PLACE, || ToolCall::of("function", false)) {
        lay(call, fields);
    }
}

/// What is read of a call.
const CALL: [&str; 2] = ["id", "function"];

fn lay(call: &mut ToolCall, [id, function]: [Option<&str>; CALL.len()]) {
    let [name, arguments] = json::nested(function, ["name", "arguments"]);
    call.id = call.id.take().or_else(|| json::non_empty_text(id));
    call.name = call.name.take().or_else(|| json::non_empty_text(name));
    if let Some(piece) = json::non_null(arguments) {
        call.extend(json::text(piece).as_deref().unwrap_or(piece));
    }
}

fn end(reason: Option<&str>, metrics: Option<&str>, meaning: &mut Meaning) {
    meaning.finish_reason = json::non_empty_text(reason).or(meaning.finish_reason.take());
    if let Some(metrics) = json::non_null(metrics) {
        let read = usage(metrics);
        if read != Ok(None) {
            meaning.set_usage(read);
        }
    }
}

/// A list of `{"metric": …, "value": …}`.
fn usage(metrics: &str) -> Result<Option<Usage>, Fault> {
    let (mut prompt, mut completion) = (Ok(None), Ok(None));
    json::each(metrics, ["metric", "value"], |_, [metric, value]| match metric {
        Some("\"num_prompt_tokens\"") => prompt = count(value),
        Some("\"num_completion_tokens\"") => completion = count(value),
        _ => {}
    });
    let (Some(prompt_tokens), Some(completion_tokens)) = (prompt?, completion?) else { return Ok(None) };
    Ok(Some(Usage { prompt_tokens, completion_tokens, ..Usage::default() }))
}
