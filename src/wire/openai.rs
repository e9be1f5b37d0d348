//! OpenAI's chat completions, completions, embeddings, images and audio, and the many that copy them.
//!
//! The last usage of a stream wins: OpenAI reports it once, in a chunk without choices; some copies repeat a growing one.
//! Groq reports it under `x_groq` as well, Moonshot in the last choice.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::{Meaning, error_text, error_words, json, llama, usage};

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
        if choices.is_none() && reported.is_none() {
            match self.api {
                Api::Chat => llama::read(text, self.meaning),
                Api::Audio => self.recording(text),
                _ => {}
            }
        }
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

    /// A transcription that tells how long the recording is, and no usage.
    fn recording(&mut self, text: &str) {
        let [seconds] = json::fields(text, ["duration"]).values;
        // Some write the number as text.
        let seconds = seconds.map(|raw| raw.trim_matches('"'));
        self.meaning.audio_seconds = usage::seconds(seconds).or(self.meaning.audio_seconds);
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

    fn choice(&mut self, fields: [Option<&str>; CHOICE.len()]) {
        let [index, reason, stop_reason, message, delta, error, reported] = fields;
        if self.meaning.finish_reason.is_none() {
            // Some models behind Bedrock call it so.
            self.meaning.finish_reason = json::non_empty_text(reason).or_else(|| json::non_empty_text(stop_reason));
        }
        if let Some(raw) = json::non_null(reported) {
            self.usage(raw);
        }
        // OpenRouter reports a provider's failure inside a choice.
        if let Some(words) = json::non_null(error).and_then(error_words) {
            self.meaning.stream_error = true;
            self.meaning.set_error(&words);
        }
        // Perplexity repeats in `message` what the deltas said so far.
        let delta = json::non_null(delta);
        if let Some(message) = message.filter(|_| delta.is_none()) {
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
        if let Some(calls) = json::non_null(calls) {
            let whole_list = json::each(calls, PIECE, |raw, fields| self.piece(choice, raw, fields));
            if !whole_list && json::is_object(calls) {
                self.piece(choice, calls, json::fields(calls, PIECE).values);
            }
        }
    }

    /// A piece of a call in a stream. Copies that send whole calls in one chunk leave the position out, or put all at the
    /// first: what has a name and an id of its own is a call of its own.
    fn piece(&mut self, choice: &str, raw: &str, [position, id, function]: [Option<&str>; PIECE.len()]) {
        let [name] = json::nested(function, ["name"]);
        let begins = json::non_empty_text(name).is_some();
        let id = id_of(id);
        let Some(place) = json::non_null(position).or(id.as_deref()) else {
            if begins {
                self.meaning.calls.add(whole(raw));
            }
            return;
        };
        let place = format!("{choice} {place}");
        if begins
            && id.is_some()
            && self.meaning.calls.known(&place).is_some_and(|call| call.id.is_some() && call.id != id)
        {
            self.meaning.calls.leave(&place);
        }
        if let Some(call) = self.meaning.calls.at(&place, ToolCall::default) {
            lay(call, raw);
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
const CHOICE: [&str; 7] = ["index", "finish_reason", "stop_reason", "message", "delta", "error", "usage"];

/// What is read of an element of `delta.tool_calls`.
const PIECE: [&str; 3] = ["index", "id", "function"];

/// A call's id; Mistral's streams once wrote `"null"` for none.
fn id_of(raw: Option<&str>) -> Option<String> {
    json::non_empty_text(raw).filter(|id| id != "null")
}

/// A call that came in one piece.
fn whole(raw: &str) -> ToolCall {
    let mut call = ToolCall::default();
    lay(&mut call, raw);
    call
}

/// Lays a call, or a piece of one, over what is there.
fn lay(call: &mut ToolCall, raw: &str) {
    let [id, form, function, custom] = json::fields(raw, ["id", "type", "function", "custom"]).values;
    call.id = call.id.take().or_else(|| id_of(id));
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
