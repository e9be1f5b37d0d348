//! OpenAI's responses: whole, streamed, polled and compacted.
//!
//! A response that is fetched again (`GET /responses/{id}`) reports the usage of the call that made it. It counts only for
//! one in background mode, where the call that made it had none to report yet.

use std::borrow::Cow;

use super::answer::Answer;
use super::api::Api;
use super::calls::{ToolCall, ToolCalls};
use super::messages::Said;
use super::{Meaning, error_words, json, usage};

/// Output items that always ask the client to do something. Those that OpenAI runs itself (web search, file search, code
/// interpreter, MCP) are not among them; of some it depends ([`Item::asks_client`]).
const CALLS: [&str; 4] = ["function_call", "computer_call", "local_shell_call", "apply_patch_call"];

/// Reads a response of this interface.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => response(api, text, meaning),
        _ => stream(api, answer, meaning),
    }
}

/// A response object: the body itself, or the `response` of an event.
fn response(api: Api, text: &str, meaning: &mut Meaning) {
    let [id, model, status, error, incomplete, output, reported, tier, background, ran] = json::fields(
        text,
        [
            "id",
            "model",
            "status",
            "error",
            "incomplete_details",
            "output",
            "usage",
            "service_tier",
            "background",
            "tool_usage",
        ],
    )
    .values;
    meaning.response_id = json::non_empty_text(id).or(meaning.response_id.take());
    meaning.response_model = json::non_empty_text(model).or(meaning.response_model.take());
    meaning.service_tier = json::non_empty_text(tier).or(meaning.service_tier.take());

    let status = status.and_then(json::text);
    let [reason] = json::nested(incomplete, ["reason"]);
    meaning.finish_reason = json::non_empty_text(reason)
        .or_else(|| status.as_deref().filter(|s| !matches!(*s, "in_progress" | "queued" | "")).map(str::to_owned))
        .or(meaning.finish_reason.take());
    if status.as_deref() == Some("failed") {
        meaning.stream_error = true;
    }
    if let Some(error) = json::non_null(error) {
        meaning.stream_error = true;
        if let Some(words) = error_words(error) {
            meaning.set_error(&words);
        }
    }
    if let Some(output) = output {
        let mut calls = ToolCalls::default();
        meaning.said = Said::of(meaning.response_id.clone());
        json::each(output, ITEM, |_, fields| {
            let item = Item::new(fields);
            match item.call() {
                Some(call) => calls.add(call),
                None => meaning.refused |= item.is_refusal(),
            }
            item.say(&mut meaning.said);
        });
        // The last event lists them all; an earlier one none yet.
        if calls.asked() >= meaning.calls.asked() {
            meaning.calls = calls;
        }
    }
    let Some(raw) = json::non_null(reported) else { return };
    if api == Api::ResponseLookup && background != Some("true") {
        meaning.usage_missing = Some("the usage of a response that is fetched again was counted when it was made");
        return;
    }
    let read = usage::openai(raw, false);
    if read == Ok(None) {
        return;
    }
    meaning.set_usage(read);
    meaning.billed_usd = usage::billed_usd(raw);
    let [searched] = json::nested(ran, ["web_search"]);
    let [searches] = json::nested(searched, ["num_requests"]);
    if let (Some(usage), Ok(Some(searches))) = (&mut meaning.usage, usage::count(searches)) {
        usage.web_searches = usage.web_searches.max(searches);
    }
    meaning.raw_usage = if usage::says_more(raw, meaning.usage.as_ref()) { json::value(raw) } else { None };
}

/// What is read of an element of `output`.
const ITEM: [&str; 12] = [
    "type",
    "call_id",
    "id",
    "name",
    "arguments",
    "input",
    "action",
    "content",
    "output",
    "error",
    "execution",
    "environment",
];

/// An element of `output`.
struct Item<'a> {
    kind: Option<Cow<'a, str>>,
    call_id: Option<&'a str>,
    id: Option<&'a str>,
    name: Option<&'a str>,
    arguments: Option<&'a str>,
    input: Option<&'a str>,
    action: Option<&'a str>,
    content: Option<&'a str>,
    output: Option<&'a str>,
    error: Option<&'a str>,
    execution: Option<&'a str>,
    environment: Option<&'a str>,
}

impl<'a> Item<'a> {
    fn of(raw: &'a str) -> Self {
        Self::new(json::fields(raw, ITEM).values)
    }

    fn new(fields: [Option<&'a str>; ITEM.len()]) -> Self {
        let [kind, call_id, id, name, arguments, input, action, content, output, error, execution, environment] =
            fields;
        let kind = kind.and_then(json::text);
        Self { kind, call_id, id, name, arguments, input, action, content, output, error, execution, environment }
    }

    /// Items that are calls: those that ask the client, and the ones that ran at the provider (`web_search_call`, `mcp_call`,
    /// …).
    fn call(&self) -> Option<ToolCall> {
        let kind = self.kind.as_deref().filter(|kind| kind.ends_with("_call"))?;
        let mut call = ToolCall::of(kind, !self.asks_client(kind));
        call.id = json::non_empty_text(self.call_id).or_else(|| json::non_empty_text(self.id));
        call.name = json::non_empty_text(self.name);
        if let Some(arguments) = [self.arguments, self.input, self.action].into_iter().find_map(json::non_null) {
            call.extend(json::text(arguments).as_deref().unwrap_or(arguments));
        }
        Some(call)
    }

    /// Whether the client is to run it. A shell may stand in a container of the provider's, a search for tools at either side,
    /// and xAI writes searches of its own as calls of custom tools.
    fn asks_client(&self, kind: &str) -> bool {
        match kind {
            "tool_search_call" => self.execution == Some("\"client\""),
            "shell_call" => {
                let [place] = json::nested(self.environment, ["type"]);
                !place.is_some_and(|place| place.starts_with("\"container"))
            }
            "custom_tool_call" => !self.call_id.is_some_and(|id| id.starts_with("\"xs_call")),
            _ => CALLS.contains(&kind),
        }
    }

    /// A message whose content is a refusal.
    fn is_refusal(&self) -> bool {
        let mut refused = false;
        if let Some(content) = self.content.filter(|raw| raw.starts_with('[')) {
            json::each(content, ["type"], |_, [kind]| {
                refused |= kind == Some("\"refusal\"");
            });
        }
        refused
    }

    fn say(&self, said: &mut Said) {
        match self.kind.as_deref() {
            Some("message") => said.content(self.content),
            Some("mcp_call") => {
                let error = json::non_null(self.error);
                said.result(self.id, error.is_some(), error.or(self.output));
            }
            _ => {}
        }
    }
}

fn stream(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut done = ToolCalls::default();
    answer.each_event(|event| {
        let [kind, inner, item, index, message, error] =
            json::fields(&event.data, ["type", "response", "item", "output_index", "message", "error"]).values;
        let kind = kind.and_then(json::text);
        match kind.as_deref().unwrap_or(event.name) {
            "response.output_item.done" => {
                if let Some(call) = item.and_then(|raw| Item::of(raw).call()) {
                    done.at(index.unwrap_or(""), || call);
                }
            }
            // The error's fields are in the event itself, or (by some copies) in an `error` object.
            "error" => {
                meaning.stream_error = true;
                let words = json::non_empty_text(message).or_else(|| json::non_null(error).and_then(error_words));
                meaning.set_error(words.as_deref().unwrap_or(""));
            }
            _ => {
                if let Some(inner) = json::non_null(inner) {
                    response(api, inner, meaning);
                }
            }
        }
    });
    // The last event lists them all; the items count where the stream broke off before it.
    if done.asked() > meaning.calls.asked() {
        meaning.calls = done;
    }
}
