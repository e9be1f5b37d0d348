//! Anthropic's messages, whole and streamed.
//!
//! In a stream `message_start` reports the input and a first count of the output; every `message_delta` reports totals so
//! far, which replace the earlier ones field by field.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::answer::Answer;
use super::calls::ToolCall;
use super::messages::Said;
use super::{Meaning, error_words, json, usage};
use crate::model::tags::Note;

/// Reads a response of this interface.
pub(super) fn read(answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => whole(text, meaning),
        _ => stream(answer, meaning),
    }
}

fn whole(text: &str, meaning: &mut Meaning) {
    let [reported, content, error] = message_head(text, meaning);
    if let Some(content) = content {
        json::each(content, BLOCK, |_, fields| {
            let block = Block::new(fields);
            block.say(&mut meaning.said);
            if let Some(call) = block.call() {
                meaning.calls.add(call);
            }
        });
    }
    if let Some(words) = error.and_then(error_words) {
        meaning.stream_error = true;
        meaning.set_error(&words);
    }
    if let Some(raw) = reported {
        take_usage(raw, meaning);
    }
}

/// The fields that a message has in a body and in `message_start`; gives its usage, content and error.
fn message_head<'a>(message: &'a str, meaning: &mut Meaning) -> [Option<&'a str>; 3] {
    let [id, model, reason, reported, content, error] =
        json::fields(message, ["id", "model", "stop_reason", "usage", "content", "error"]).values;
    meaning.response_id = json::non_empty_text(id);
    meaning.response_model = json::non_empty_text(model);
    meaning.finish_reason = json::non_empty_text(reason);
    [json::non_null(reported), content, json::non_null(error)]
}

/// What is read of an element of `content`.
const BLOCK: [&str; 8] = ["type", "id", "name", "input", "text", "tool_use_id", "content", "is_error"];

/// An element of `content`.
struct Block<'a> {
    kind: Option<Cow<'a, str>>,
    id: Option<&'a str>,
    name: Option<&'a str>,
    input: Option<&'a str>,
    text: Option<&'a str>,
    tool_use_id: Option<&'a str>,
    content: Option<&'a str>,
    is_error: Option<&'a str>,
}

impl<'a> Block<'a> {
    fn of(raw: &'a str) -> Self {
        Self::new(json::fields(raw, BLOCK).values)
    }

    fn new([kind, id, name, input, text, tool_use_id, content, is_error]: [Option<&'a str>; BLOCK.len()]) -> Self {
        Self { kind: kind.and_then(json::text), id, name, input, text, tool_use_id, content, is_error }
    }

    /// `tool_use` asks the client; `server_tool_use` and `mcp_tool_use` run at the provider.
    fn call(&self) -> Option<ToolCall> {
        let kind = self.kind.as_deref()?;
        let at_provider = match kind {
            "tool_use" => false,
            "server_tool_use" | "mcp_tool_use" => true,
            _ => return None,
        };
        let mut call = ToolCall::of(kind, at_provider);
        call.id = json::non_empty_text(self.id);
        call.name = json::non_empty_text(self.name);
        // A stream begins with an empty object and sends the rest in pieces of text.
        call.extend(json::non_null(self.input).filter(|input| *input != "{}").unwrap_or_default());
        Some(call)
    }

    fn say(&self, said: &mut Said) {
        match self.kind.as_deref() {
            Some("text") => said.content(self.text),
            Some(kind) if kind.ends_with("_tool_result") => {
                // `{"type": "web_search_tool_result_error", …}` in the place of a list.
                let [inner] = json::nested(self.content, ["type"]);
                let error = inner.is_some_and(|kind| kind.ends_with("_error\"")) || self.is_error == Some("true");
                said.result(self.tool_use_id, error, self.content);
            }
            _ => {}
        }
    }
}

pub(super) fn take_usage(raw: &str, meaning: &mut Meaning) {
    let read = usage::anthropic(raw);
    meaning.set_usage(read);
    meaning.billed_usd = usage::billed_usd(raw);
    let [tier, steps] = json::fields(raw, ["service_tier", "iterations"]).values;
    meaning.service_tier = json::non_empty_text(tier);
    meaning.raw_usage = json::value(raw);
    note_other_steps(steps, meaning);
}

/// Server-side helpers (an advisor, for one) answer with other models, and the context is compacted on the way: the totals leave
/// their tokens out.
fn note_other_steps(steps: Option<&str>, meaning: &mut Meaning) {
    let (mut other, mut compacted) = (false, false);
    if let Some(steps) = steps {
        json::each(steps, ["type", "model"], |_, [kind, model]| {
            let model = json::non_empty_text(model);
            other |= model.is_some() && model != meaning.response_model;
            compacted |= kind == Some("\"compaction\"");
        });
    }
    let mut note = |code, text| meaning.notes.push(Note::new(code, text));
    if other {
        note(
            "usage.other_models",
            "Other models worked on this answer; their tokens are in the body's usage.iterations and not in these sums.",
        );
    }
    if compacted {
        note(
            "usage.compaction",
            "The context was compacted; the tokens of that are in the body's usage.iterations and not in these sums.",
        );
    }
}

fn stream(answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut parts = Parts::default();
    answer.each_event(|event| {
        let [kind, message, delta, reported, block, index, error] =
            json::fields(&event.data, ["type", "message", "delta", "usage", "content_block", "index", "error"]).values;
        let kind = kind.and_then(json::text);
        match kind.as_deref().unwrap_or(event.name) {
            "message_start" => {
                if let Some(message) = message {
                    let [reported, _, _] = message_head(message, meaning);
                    parts.lay(reported);
                }
            }
            "content_block_start" => {
                if let Some(block) = block.map(Block::of) {
                    block.say(&mut meaning.said);
                    if let Some(call) = block.call() {
                        meaning.calls.at(index.unwrap_or(""), || call);
                    }
                }
            }
            "content_block_delta" => {
                let [kind, text, piece] = json::nested(delta, ["type", "text", "partial_json"]);
                if kind == Some("\"text_delta\"") {
                    meaning.said.content(text);
                }
                if let Some(piece) = piece
                    && let Some(call) = meaning.calls.known(index.unwrap_or(""))
                {
                    call.extend(&json::text(piece).unwrap_or_default());
                }
            }
            // The older `/complete` repeats these in every event.
            "completion" => {
                let [reason, model] = json::fields(&event.data, ["stop_reason", "model"]).values;
                meaning.finish_reason = json::non_empty_text(reason).or(meaning.finish_reason.take());
                meaning.response_model = json::non_empty_text(model).or(meaning.response_model.take());
            }
            "message_delta" => {
                let [reason] = json::nested(delta, ["stop_reason"]);
                meaning.finish_reason = json::non_empty_text(reason).or(meaning.finish_reason.take());
                parts.lay(json::non_null(reported));
                parts.final_seen |= json::non_null(reported).is_some();
            }
            "error" => {
                meaning.stream_error = true;
                meaning.set_error(&json::non_null(error).and_then(error_words).unwrap_or_default());
            }
            _ => {}
        }
    });
    parts.settle(meaning);
}

/// The usage of a stream, laid together from its events.
#[derive(Default)]
struct Parts {
    total: Map<String, Value>,
    seen: bool,
    /// A part was there that is no usable object.
    broken: bool,
    final_seen: bool,
}

impl Parts {
    fn lay(&mut self, reported: Option<&str>) {
        let Some(raw) = reported else { return };
        self.seen = true;
        let Some(Value::Object(part)) = json::value(raw) else {
            self.broken = true;
            return;
        };
        if !part.contains_key("cache_creation")
            && let Some(written) = part.get("cache_creation_input_tokens").filter(|sum| !sum.is_null())
        {
            self.keep_lifetimes(written);
        }
        for (name, value) in part {
            if !value.is_null() {
                self.total.insert(name, value);
            }
        }
    }

    /// A sum came without its lifetimes: what was written for an hour stands as long as it is a part of the sum.
    fn keep_lifetimes(&mut self, written: &Value) {
        let Some(lifetimes) = self.total.get_mut("cache_creation").and_then(Value::as_object_mut) else { return };
        let one_hour = lifetimes.get("ephemeral_1h_input_tokens").and_then(Value::as_i64).unwrap_or(0);
        match written.as_i64().and_then(|written| written.checked_sub(one_hour)).filter(|rest| *rest >= 0) {
            Some(rest) => {
                lifetimes.insert("ephemeral_5m_input_tokens".to_owned(), rest.into());
            }
            None => {
                self.total.remove("cache_creation");
            }
        }
    }

    fn settle(self, meaning: &mut Meaning) {
        if !self.seen {
            return;
        }
        if self.broken {
            meaning.set_usage(Err("the reported usage is not an object"));
            return;
        }
        take_usage(&Value::Object(self.total).to_string(), meaning);
        if !self.final_seen {
            meaning.usage_is_partial();
        }
    }
}
