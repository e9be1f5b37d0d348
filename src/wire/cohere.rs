//! Cohere's chat (versions 1 and 2), embeddings, classification, and reranking by Cohere and those who copy it.
//!
//! Cohere counts twice: `tokens`, which includes a template of its own, and `billed_units`, which is what the caller wrote
//! and pays for. The billed ones are the row's, as OpenTelemetry asks; `tokens` counts only where there is nothing else.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::usage::{Fault, NOT_AN_OBJECT, count, part};
use super::{Meaning, error_words, json, openai};
use crate::model::exchange::Usage;

/// Reads a response of one of these interfaces.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => {
            object(text, meaning);
            if api == Api::Rerank && meaning.usage.is_none() && meaning.usage_missing.is_none() {
                openai::read(api, answer, meaning);
            }
        }
        _ => answer.each_event(|event| stream_event(&event.data, meaning)),
    }
}

/// An answer of a chat of the first version, or of an older generation; `event`: one event of its stream.
pub(super) fn chat_of(text: &str, event: bool, meaning: &mut Meaning) {
    if event {
        return stream_event(text, meaning);
    }
    object(text, meaning);
    let [generations] = json::fields(text, ["generations"]).values;
    if let Some(generations) = generations {
        json::each(generations, ["finish_reason"], |_, [reason]| {
            if meaning.finish_reason.is_none() {
                finish(reason, meaning);
            }
        });
    }
}

/// A whole response of either version.
fn object(text: &str, meaning: &mut Meaning) {
    let [id, generation, response, reason, message, calls, reported, meta] = json::fields(
        text,
        ["id", "generation_id", "response_id", "finish_reason", "message", "tool_calls", "usage", "meta"],
    )
    .values;
    let id = [id, generation, response].into_iter().find_map(json::non_empty_text);
    meaning.response_id = meaning.response_id.take().or(id);
    finish(reason, meaning);
    let [inner, content] = json::nested(message.filter(|raw| json::is_object(raw)), ["tool_calls", "content"]);
    meaning.said.content(content);
    for list in [json::non_null(calls), json::non_null(inner)].into_iter().flatten() {
        json::elements(list, |raw| {
            let mut call = ToolCall::of("tool_calls", false);
            lay(&mut call, raw);
            meaning.calls.add(call);
        });
    }
    take_usage(json::non_null(reported).or(json::non_null(meta)), meaning);
}

fn finish(reason: Option<&str>, meaning: &mut Meaning) {
    if let Some(reason) = json::non_empty_text(reason) {
        meaning.refused |= reason == "ERROR_TOXIC";
        meaning.stream_error |= reason.starts_with("ERROR") || reason == "TIMEOUT";
        meaning.finish_reason = Some(reason);
    }
}

/// Version 2 names its events by `type`, version 1 by `event_type`.
fn stream_event(text: &str, meaning: &mut Meaning) {
    let [kind, old_kind, id, index, delta, response, error, calls] =
        json::fields(text, ["type", "event_type", "id", "index", "delta", "response", "error", "tool_calls"]).values;
    let kind = json::non_null(kind).or(old_kind).and_then(json::text);
    let [message, reason, reported, late_error] = json::nested(delta, ["message", "finish_reason", "usage", "error"]);
    if let Some(words) = json::non_null(error).or(json::non_null(late_error)).and_then(error_words) {
        meaning.stream_error = true;
        meaning.set_error(&words);
    }
    let [call, content] = json::nested(message, ["tool_calls", "content"]);
    meaning.said.content(content);
    match kind.as_deref() {
        Some("message-start") => meaning.response_id = json::non_empty_text(id),
        Some("stream-start") => {
            let [id] = json::fields(text, ["generation_id"]).values;
            meaning.response_id = json::non_empty_text(id);
        }
        Some("tool-call-start" | "tool-call-delta") => {
            if let (Some(raw), Some(call)) =
                (call, meaning.calls.at(index.unwrap_or("0"), || ToolCall::of("tool_calls", false)))
            {
                lay(call, raw);
            }
        }
        Some("tool-calls-generation") => {
            if let Some(calls) = calls {
                let mut n = 0_u32;
                json::elements(calls, |raw| {
                    if let Some(call) = meaning.calls.at(&n.to_string(), || ToolCall::of("tool_calls", false)) {
                        call.arguments.clear();
                        lay(call, raw);
                    }
                    n = n.saturating_add(1);
                });
            }
        }
        Some("message-end") => {
            finish(reason, meaning);
            take_usage(json::non_null(reported), meaning);
        }
        Some("stream-end") => {
            let [reason] = json::fields(text, ["finish_reason"]).values;
            finish(reason, meaning);
            let [meta, usage, generation] = json::nested(response, ["meta", "usage", "generation_id"]);
            meaning.response_id = meaning.response_id.take().or_else(|| json::non_empty_text(generation));
            take_usage(json::non_null(meta).or(json::non_null(usage)), meaning);
        }
        _ => {}
    }
}

/// Version 2 has OpenAI's form, version 1 `name` and `parameters`.
fn lay(call: &mut ToolCall, raw: &str) {
    let [id, function, name, parameters] = json::fields(raw, ["id", "function", "name", "parameters"]).values;
    call.id = call.id.take().or_else(|| json::non_empty_text(id));
    let [inner_name, arguments] = json::nested(function, ["name", "arguments"]);
    call.name = call.name.take().or_else(|| json::non_empty_text(inner_name)).or_else(|| json::non_empty_text(name));
    if let Some(piece) = json::non_null(arguments).or(json::non_null(parameters)) {
        call.extend(json::text(piece).as_deref().unwrap_or(piece));
    }
}

fn take_usage(reported: Option<&str>, meaning: &mut Meaning) {
    let Some(raw) = reported else { return };
    let read = usage(raw);
    if read != Ok(None) {
        meaning.set_usage(read);
        meaning.raw_usage = json::value(raw);
    }
}

/// `usage` of version 2, `meta` of version 1 and of embeddings.
fn usage(raw: &str) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [billed, tokens] = json::fields(raw, ["billed_units", "tokens"]).values;
    let names = ["input_tokens", "output_tokens", "image_tokens", "search_units", "classifications"];
    let [input, output, images, searches, classified] = json::nested(billed, names);
    let [all_input, all_output] = json::nested(tokens, ["input_tokens", "output_tokens"]);
    let (mut input, mut output) = (count(input)?, count(output)?);
    let (images, searches, classified) = (count(images)?, count(searches)?, count(classified)?);
    if [input, output, images, searches, classified].iter().all(Option::is_none) {
        (input, output) = (count(all_input)?, count(all_output)?);
        if input.is_none() && output.is_none() {
            return Ok(None);
        }
    } else {
        // They are not used, but one that is no number says that nothing here can be believed.
        part(all_input)?;
        part(all_output)?;
    }
    Ok(Some(Usage {
        prompt_tokens: input.unwrap_or(0),
        prompt_image_tokens: images.unwrap_or(0),
        completion_tokens: output.unwrap_or(0),
        search_units: searches.unwrap_or(0).saturating_add(classified.unwrap_or(0)),
        ..Usage::default()
    }))
}
