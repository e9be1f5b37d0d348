//! Bedrock's converse and invoke, whole and streamed (as `eventstream` lays the frames out).
//!
//! Converse has one shape for all models: cached tokens stand beside `inputTokens`. Invoke hands through what the model's
//! maker defined: Anthropic's messages, OpenAI's chat, Cohere's chat, converse, or a shape of the maker's own with its own
//! names for two counts. The body tells which: the path may name an inference profile and no model. Where the body has no
//! counts, the metrics of a stream's last event and the answer's headers have them.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::usage::{Fault, INCONSISTENT, NOT_AN_OBJECT, count, part};
use super::{Meaning, anthropic, cohere, error_words, json, openai};
use crate::model::exchange::Usage;

/// Reads a response of converse.
pub(super) fn read(answer: &Answer<'_>, meaning: &mut Meaning) {
    if let Answer::Json(text) = *answer {
        let [output, reason, reported, tier] =
            json::fields(text, ["output", "stopReason", "usage", "serviceTier"]).values;
        end(reason, reported, tier, meaning);
        let [message] = json::nested(output, ["message"]);
        let [content] = json::nested(message, ["content"]);
        if let Some(content) = content {
            json::each(content, ["toolUse", "text"], |_, [call, text]| {
                meaning.said.content(text);
                if let Some(raw) = call {
                    meaning.calls.add(call_of(raw));
                }
            });
        }
        return;
    }
    answer.each_event(|event| {
        event_of(&event.data, meaning);
        if event.name == "error" {
            failed(&event.data, meaning);
        }
    });
}

/// An event of converse.
fn event_of(data: &str, meaning: &mut Meaning) {
    let [index, start, delta, reason, reported, tier] =
        json::fields(data, ["contentBlockIndex", "start", "delta", "stopReason", "usage", "serviceTier"]).values;
    end(reason, reported, tier, meaning);
    let place = index.unwrap_or("0");
    if let [Some(raw)] = json::nested(start, ["toolUse"]) {
        meaning.calls.at(place, || call_of(raw));
    }
    let [call, text] = json::nested(delta, ["toolUse", "text"]);
    meaning.said.content(text);
    if let Some(raw) = call
        && let [Some(piece)] = json::fields(raw, ["input"]).values
        && let Some(call) = meaning.calls.known(place)
    {
        call.extend(&json::text(piece).unwrap_or_default());
    }
}

/// A frame that is an exception.
fn failed(data: &str, meaning: &mut Meaning) {
    let [error] = json::fields(data, ["error"]).values;
    meaning.stream_error = true;
    meaning.set_error(&error.and_then(error_words).unwrap_or_default());
}

fn end(reason: Option<&str>, reported: Option<&str>, tier: Option<&str>, meaning: &mut Meaning) {
    if let Some(reason) = json::non_empty_text(reason) {
        meaning.refused |= matches!(reason.as_str(), "guardrail_intervened" | "content_filtered");
        meaning.finish_reason = Some(reason);
    }
    if let Some(raw) = json::non_null(reported) {
        let read = usage(raw);
        if read != Ok(None) {
            meaning.set_usage(read);
            meaning.raw_usage = json::value(raw);
        }
    }
    let [tier] = json::nested(tier, ["type"]);
    meaning.service_tier = json::non_empty_text(tier).or(meaning.service_tier.take());
}

fn call_of(raw: &str) -> ToolCall {
    let [id, name, input, kind] = json::fields(raw, ["toolUseId", "name", "input", "type"]).values;
    let mut call = ToolCall::of("toolUse", kind == Some("\"server_tool_use\""));
    call.id = json::non_empty_text(id);
    call.name = json::non_empty_text(name);
    call.extend(json::non_null(input).unwrap_or_default());
    call
}

/// `usage` of converse.
fn usage(raw: &str) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [input, output, read, read_count, written, written_count, details] = json::fields(
        raw,
        [
            "inputTokens",
            "outputTokens",
            "cacheReadInputTokens",
            "cacheReadInputTokenCount",
            "cacheWriteInputTokens",
            "cacheWriteInputTokenCount",
            "cacheDetails",
        ],
    )
    .values;
    let (Some(prompt_tokens), Some(completion_tokens)) = (count(input)?, count(output)?) else { return Ok(None) };
    let read = count(read)?.map_or_else(|| part(read_count), Ok)?;
    let written = count(written)?.map_or_else(|| part(written_count), Ok)?;
    let mut one_hour = Ok(0_i64);
    if let Some(details) = json::non_null(details) {
        json::each(details, ["ttl", "inputTokens"], |_, [ttl, tokens]| match (&mut one_hour, part(tokens)) {
            (Ok(sum), Ok(tokens)) if ttl == Some("\"1h\"") => *sum = sum.saturating_add(tokens),
            (Ok(_), Err(fault)) => one_hour = Err(fault),
            _ => {}
        });
    }
    let one_hour = one_hour?;
    if one_hour > written {
        return Err(INCONSISTENT);
    }
    Ok(Some(Usage {
        prompt_tokens,
        prompt_cache_read_tokens: read,
        prompt_cache_write_tokens: written,
        prompt_cache_write_1h_tokens: one_hour,
        completion_tokens,
        ..Usage::default()
    }))
}

/// Reads a response of invoke.
pub(super) fn read_invoke(answer: &Answer<'_>, headers: &[(String, String)], meaning: &mut Meaning) {
    let by_model = meaning.request_model.as_ref().is_some_and(|model| model.contains("anthropic."));
    match *answer {
        _ if by_model || is_message(answer) => anthropic::read(answer, meaning),
        Answer::Json(text) => own_shape(text, meaning),
        _ => answer.each_event(|event| own_shape(&event.data, meaning)),
    }
    answer.each_event(|event| {
        if event.name == "error" {
            failed(&event.data, meaning);
        }
    });
    // A count that cannot be believed is not replaced by another one.
    if meaning.usage_missing.is_some() || (meaning.usage.is_some() && !meaning.partial) {
        return;
    }
    let found = metrics(answer).or_else(|| from_headers(headers));
    if let Some(read) = found {
        meaning.partial = false;
        meaning.notes.retain(|note| note.code != super::PARTIAL);
        meaning.set_usage(read);
        meaning.raw_usage = None;
    }
}

/// Events of a stream by which its shape is told.
const FIRST: u32 = 3;

/// Whether an answer is a message of Anthropic's, or a stream that begins with one.
fn is_message(answer: &Answer<'_>) -> bool {
    let is = |text: &str, wanted: &str| json::fields(text, ["type"]).values == [Some(wanted)];
    match *answer {
        Answer::Json(text) => is(text, "\"message\""),
        _ => {
            let (mut found, mut seen) = (false, 0_u32);
            answer.each_event(|event| {
                seen = seen.saturating_add(1);
                found = found || (seen <= FIRST && is(&event.data, "\"message_start\""));
            });
            found
        }
    }
}

/// The names under which Nova's streams have the events of converse.
const EVENTS: [&str; 5] = ["messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata"];

/// A whole answer, or a chunk of a stream, in the shape that the model's maker chose.
fn own_shape(text: &str, meaning: &mut Meaning) {
    let [reason, camel, reported, titan, results, llama_in, llama_out, outputs] = json::fields(
        text,
        [
            "stop_reason",
            "stopReason",
            "usage",
            "inputTextTokenCount",
            "results",
            "prompt_token_count",
            "generation_token_count",
            "outputs",
        ],
    )
    .values;
    let [choices, error, kind, finish, generations, calls, completion] = json::fields(
        text,
        ["choices", "error", "event_type", "finish_reason", "generations", "tool_calls", "completionReason"],
    )
    .values;
    // OpenAI, AI21, Qwen, DeepSeek, the larger ones of Mistral.
    let camel = camel.is_some() || json::nested(reported, ["inputTokens"]) != [None];
    if choices.is_some() || (!camel && json::non_null(reported).or(json::non_null(error)).is_some()) {
        openai::read(Api::Chat, &Answer::Json(text), meaning);
        if meaning.usage.is_none()
            && meaning.usage_missing.is_none()
            && let Some(raw) = json::non_null(reported)
        {
            meaning.set_usage(super::usage::openai(raw, true));
        }
        return;
    }
    let events = json::fields(text, EVENTS).values;
    if events.iter().any(|event| event.is_some_and(json::is_object)) {
        return events.into_iter().flatten().for_each(|event| event_of(event, meaning));
    }
    if camel {
        return read(&Answer::Json(text), meaning);
    }
    if kind.is_some() || [finish, generations, calls].into_iter().any(|raw| json::non_null(raw).is_some()) {
        return cohere::chat_of(text, kind.is_some(), meaning);
    }
    let reason = json::non_empty_text(reason).or_else(|| json::non_empty_text(completion));
    meaning.finish_reason = reason.or(meaning.finish_reason.take());
    let mut titan_out = None;
    for list in [results, outputs].into_iter().flatten() {
        json::each(list, ["tokenCount", "completionReason", "stop_reason"], |_, [tokens, reason, stop]| {
            titan_out = titan_out.or(tokens);
            let reason = json::non_empty_text(reason).or_else(|| json::non_empty_text(stop));
            meaning.finish_reason = meaning.finish_reason.take().or(reason);
        });
    }
    // A chunk of a stream has the input only at its beginning and the output only at its end.
    let [total_out] = json::fields(text, ["totalOutputTextTokenCount"]).values;
    let input = json::non_null(titan).or(json::non_null(llama_in));
    let output = json::non_null(total_out).or(titan_out).or(json::non_null(llama_out));
    let before = meaning.usage.unwrap_or_default();
    let read = count(input).and_then(|input| Ok((input, count(output)?)));
    match read {
        Ok((None, None)) => {}
        Ok((input, output)) => meaning.set_usage(Ok(Some(Usage {
            prompt_tokens: input.unwrap_or(before.prompt_tokens),
            completion_tokens: output.unwrap_or(before.completion_tokens),
            ..before
        }))),
        Err(fault) => meaning.set_usage(Err(fault)),
    }
}

/// `amazon-bedrock-invocationMetrics` of a stream's last event.
fn metrics(answer: &Answer<'_>) -> Option<Result<Option<Usage>, Fault>> {
    let mut found = None;
    let mut look = |text: &str| {
        let [metrics] = json::fields(text, ["amazon-bedrock-invocationMetrics"]).values;
        if let Some(metrics) = json::non_null(metrics) {
            let names =
                ["inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"];
            found = Some(four(json::fields(metrics, names).values));
        }
    };
    match *answer {
        Answer::Json(text) => look(text),
        _ => answer.each_event(|event| look(&event.data)),
    }
    found.filter(|read| *read != Ok(None))
}

fn from_headers(headers: &[(String, String)]) -> Option<Result<Option<Usage>, Fault>> {
    let named =
        |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let read = four([
        named("x-amzn-bedrock-input-token-count"),
        named("x-amzn-bedrock-output-token-count"),
        named("x-amzn-bedrock-cache-read-input-token-count"),
        named("x-amzn-bedrock-cache-write-input-token-count"),
    ]);
    (read != Ok(None)).then_some(read)
}

/// Input, output, cache read, cache write. Embeddings have no output.
fn four([input, output, read, written]: [Option<&str>; 4]) -> Result<Option<Usage>, Fault> {
    let Some(prompt_tokens) = count(input)? else { return Ok(None) };
    Ok(Some(Usage {
        prompt_tokens,
        prompt_cache_read_tokens: part(read)?,
        prompt_cache_write_tokens: part(written)?,
        completion_tokens: part(output)?,
        ..Usage::default()
    }))
}
