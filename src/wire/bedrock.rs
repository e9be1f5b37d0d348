//! Bedrock's converse and invoke, whole and streamed (as `eventstream` lays the frames out).
//!
//! Converse has one shape for all models: cached tokens stand beside `inputTokens`. Invoke hands through what the model's
//! maker defined: Anthropic's messages, OpenAI's chat, or a shape of the maker's own with its own names for two counts. Where
//! the body has none, the metrics of a stream's last event and the answer's headers have them.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::usage::{Fault, INCONSISTENT, NOT_AN_OBJECT, count, part};
use super::{Meaning, anthropic, error_words, json, openai};
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
        let [index, start, delta, reason, reported, tier, error] = json::fields(
            &event.data,
            ["contentBlockIndex", "start", "delta", "stopReason", "usage", "serviceTier", "error"],
        )
        .values;
        end(reason, reported, tier, meaning);
        if event.name == "error" {
            meaning.stream_error = true;
            meaning.set_error(&error.and_then(error_words).unwrap_or_default());
        }
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
    });
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

/// Reads a response of invoke. `model` is the one in the path.
pub(super) fn read_invoke(answer: &Answer<'_>, headers: &[(String, String)], meaning: &mut Meaning) {
    let model = meaning.request_model.clone().unwrap_or_default();
    let is_shape = |word: &str| model.contains(word);
    match *answer {
        _ if is_shape("anthropic.") => anthropic::read(answer, meaning),
        _ if is_shape("openai.") || is_shape("ai21.") => openai::read(Api::Chat, answer, meaning),
        Answer::Json(text) => own_shape(text, meaning),
        _ if is_shape("amazon.nova") => read(answer, meaning),
        _ => answer.each_event(|event| own_shape(&event.data, meaning)),
    }
    answer.each_event(|event| {
        if event.name == "error" {
            meaning.stream_error = true;
            let [error] = json::fields(&event.data, ["error"]).values;
            meaning.set_error(&error.and_then(error_words).unwrap_or_default());
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

/// Titan, Nova, Llama, Mistral and Cohere, each with its own names.
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
    if camel.is_some() || reported.is_some_and(|raw| json::fields(raw, ["inputTokens"]).values[0].is_some()) {
        read(&Answer::Json(text), meaning);
        return;
    }
    if let Some(raw) = json::non_null(reported) {
        openai::read(Api::Chat, &Answer::Json(text), meaning);
        if meaning.usage.is_none() && meaning.usage_missing.is_none() {
            meaning.set_usage(super::usage::openai(raw, true));
        }
        return;
    }
    meaning.finish_reason = json::non_empty_text(reason).or(meaning.finish_reason.take());
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
