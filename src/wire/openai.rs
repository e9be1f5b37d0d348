//! OpenAI's chat completions, completions, embeddings, images and audio, and the many that copy them.
//!
//! The last usage of a stream wins: OpenAI reports it once, in a chunk without choices; some copies repeat a growing one.
//! Groq reports it under `x_groq` as well.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::{Meaning, error_text, error_words, json, usage};

/// Reads a response of one of these interfaces.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut reading = Reading { api, meaning };
    match *answer {
        Answer::Json(text) => reading.object(text),
        _ => answer.each_event(|event| {
            if event.name == "error" {
                reading.meaning.stream_error = true;
                if let Some(words) = error_text(&event.data) {
                    reading.meaning.set_error(&words);
                }
            }
            reading.object(&event.data);
        }),
    }
}

struct Reading<'m> {
    api: Api,
    meaning: &'m mut Meaning,
}

impl Reading<'_> {
    /// A whole response, or one chunk of a stream.
    fn object(&mut self, text: &str) {
        if !text.trim_start().starts_with('{') {
            return;
        }
        let [id, model, choices, reported, groq, error, tier] =
            json::fields(text, ["id", "model", "choices", "usage", "x_groq", "error", "service_tier"]).values;
        let meaning = &mut *self.meaning;
        if meaning.response_id.is_none() {
            meaning.response_id = json::non_empty_text(id);
        }
        if meaning.response_model.is_none() {
            meaning.response_model = json::non_empty_text(model);
        }
        if let Some(tier) = json::non_empty_text(tier) {
            meaning.service_tier = Some(tier);
        }
        if let Some(error) = json::non_null(error) {
            meaning.stream_error = true;
            if let Some(words) = error_words(error) {
                meaning.set_error(&words);
            }
        }
        let within_groq = || groq.and_then(|groq| json::fields(groq, ["usage"]).values.first().copied().flatten());
        if let Some(raw) = json::non_null(reported).or_else(|| json::non_null(within_groq())) {
            self.usage(raw);
        }
        if let Some(choices) = choices {
            json::each(choices, CHOICE, |_, choice| self.choice(choice));
        }
    }

    fn usage(&mut self, raw: &str) {
        let read = usage::openai(raw, matches!(self.api, Api::Embeddings | Api::Rerank));
        self.meaning.audio_seconds = usage::audio_seconds(raw).or(self.meaning.audio_seconds);
        // An empty usage object in a late chunk does not undo an earlier one.
        if read == Ok(None) {
            return;
        }
        let meaning = &mut *self.meaning;
        meaning.set_usage(read);
        meaning.billed_usd = usage::billed_usd(raw);
        let keep = self.api != Api::Chat || usage::says_more(raw, meaning.usage.as_ref());
        meaning.raw_usage = if keep { json::value(raw) } else { None };
    }

    fn choice(&mut self, [index, reason, message, delta, error]: [Option<&str>; CHOICE.len()]) {
        if self.meaning.finish_reason.is_none() {
            self.meaning.finish_reason = json::non_empty_text(reason);
        }
        // OpenRouter reports a provider's failure inside a choice.
        if let Some(words) = json::non_null(error).and_then(error_words) {
            self.meaning.stream_error = true;
            self.meaning.set_error(&words);
        }
        if let Some(message) = message {
            let [calls, function, refusal, content] =
                json::fields(message, ["tool_calls", "function_call", "refusal", "content"]).values;
            self.meaning.refused |= json::non_empty_text(refusal).is_some();
            self.said(index, content);
            if let Some(function) = json::non_null(function) {
                let mut call = ToolCall::of("function_call", false);
                fill(&mut call, function);
                self.meaning.calls.add(call);
            }
            if let Some(calls) = calls {
                json::elements(calls, |raw| self.meaning.calls.add(whole(raw)));
            }
        }
        let Some(delta) = delta else { return };
        let [calls, function, refusal, content] =
            json::fields(delta, ["tool_calls", "function_call", "refusal", "content"]).values;
        self.meaning.refused |= json::non_empty_text(refusal).is_some();
        self.said(index, content);
        let choice = index.unwrap_or("0");
        if let Some(function) = json::non_null(function) {
            let new = || ToolCall::of("function_call", false);
            if let Some(call) = self.meaning.calls.at(&format!("{choice} function"), new) {
                fill(call, function);
            }
        }
        if let Some(calls) = calls {
            json::each(calls, ["index", "id"], |raw, [position, id]| {
                // Copies that send whole calls in one chunk leave the position out.
                if let Some(place) = json::non_null(position).or(json::non_null(id))
                    && let Some(call) = self.meaning.calls.at(&format!("{choice} {place}"), ToolCall::default)
                {
                    lay(call, raw);
                }
            });
        }
    }

    /// Of several choices a conversation goes on with the first.
    fn said(&mut self, index: Option<&str>, content: Option<&str>) {
        if matches!(index, None | Some("0")) {
            self.meaning.said.content(content);
        }
    }
}

/// What is read of a choice.
const CHOICE: [&str; 5] = ["index", "finish_reason", "message", "delta", "error"];

/// A call of `message.tool_calls`.
fn whole(raw: &str) -> ToolCall {
    let mut call = ToolCall::default();
    lay(&mut call, raw);
    call
}

/// Lays a call, or a piece of one, over what is there.
fn lay(call: &mut ToolCall, raw: &str) {
    let [id, form, function, custom] = json::fields(raw, ["id", "type", "function", "custom"]).values;
    call.id = call.id.take().or_else(|| json::non_empty_text(id));
    if call.form.is_empty() {
        call.form = json::non_empty_text(form).unwrap_or_else(|| "function".to_owned());
    }
    if let Some(inner) = json::non_null(function).or(json::non_null(custom)) {
        fill(call, inner);
    }
}

/// Name and arguments. These are a JSON text in a string; a few copies send the object itself.
fn fill(call: &mut ToolCall, function: &str) {
    let [name, arguments, input] = json::fields(function, ["name", "arguments", "input"]).values;
    call.name = call.name.take().or_else(|| json::non_empty_text(name));
    if let Some(piece) = json::non_null(arguments).or(json::non_null(input)) {
        call.extend(json::text(piece).as_deref().unwrap_or(piece));
    }
}
