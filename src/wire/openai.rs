//! OpenAI's chat completions, completions, embeddings, images and audio, and the many that copy them.
//!
//! The last usage of a stream wins: OpenAI reports it once, in a chunk without choices; some copies repeat a growing one.
//! Groq reports it under `x_groq` as well.

use std::collections::HashSet;

use super::answer::Answer;
use super::api::Api;
use super::{Meaning, error_text, error_words, json, usage};

/// Reads a response of one of these interfaces.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut reading = Reading { api, meaning, asked: HashSet::new() };
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
    let asked = reading.asked.len();
    meaning.tool_calls = meaning.tool_calls.saturating_add(u32::try_from(asked).unwrap_or(u32::MAX));
}

struct Reading<'m> {
    api: Api,
    meaning: &'m mut Meaning,
    /// Tool calls of a stream, by choice and position: their parts come in many chunks.
    asked: HashSet<(String, String)>,
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
            json::elements(choices, |choice| self.choice(choice));
        }
    }

    fn usage(&mut self, raw: &str) {
        let read = usage::openai(raw, matches!(self.api, Api::Embeddings));
        // An empty usage object in a late chunk does not undo an earlier one.
        if read == Ok(None) {
            return;
        }
        let meaning = &mut *self.meaning;
        meaning.set_usage(read);
        meaning.billed_usd = usage::billed_usd(raw);
        meaning.raw_usage = json::value(raw);
    }

    fn choice(&mut self, choice: &str) {
        let [index, reason, message, delta, error] =
            json::fields(choice, ["index", "finish_reason", "message", "delta", "error"]).values;
        if self.meaning.finish_reason.is_none() {
            self.meaning.finish_reason = json::non_empty_text(reason);
        }
        // OpenRouter reports a provider's failure inside a choice.
        if let Some(words) = json::non_null(error).and_then(error_words) {
            self.meaning.stream_error = true;
            self.meaning.set_error(&words);
        }
        if let Some(message) = message {
            let [calls, function] = json::fields(message, ["tool_calls", "function_call"]).values;
            let mut count = u32::from(json::non_null(function).is_some());
            if let Some(calls) = calls {
                json::elements(calls, |_| count = count.saturating_add(1));
            }
            self.meaning.tool_calls = self.meaning.tool_calls.saturating_add(count);
        }
        let Some(delta) = delta else { return };
        let [calls, function] = json::fields(delta, ["tool_calls", "function_call"]).values;
        let choice = index.unwrap_or("0");
        if json::non_null(function).is_some() {
            self.asked.insert((choice.to_owned(), "function".to_owned()));
        }
        if let Some(calls) = calls {
            json::elements(calls, |call| {
                let [position, id] = json::fields(call, ["index", "id"]).values;
                // Copies that send whole calls in one chunk leave the position out.
                if let Some(place) = position.or(id) {
                    self.asked.insert((choice.to_owned(), place.to_owned()));
                }
            });
        }
    }
}
