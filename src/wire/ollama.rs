//! Ollama's own interface: `/api/chat`, `/api/generate`, `/api/embed`; streams are lines of JSON, and stream they do unless
//! the request says otherwise.
//!
//! The last line has the counts. `prompt_eval_count` is what the prompt had; a server that found all of it in its cache may
//! leave it out, and then the usage is not known.

use super::answer::Answer;
use super::api::Api;
use super::calls::ToolCall;
use super::usage::count;
use super::{Meaning, error_words, json};
use crate::model::exchange::Usage;

/// Reads a response of this interface.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => object(api, text, meaning),
        _ => answer.each_event(|event| object(api, &event.data, meaning)),
    }
}

fn object(api: Api, text: &str, meaning: &mut Meaning) {
    let [model, message, reason, input, output, error] =
        json::fields(text, ["model", "message", "done_reason", "prompt_eval_count", "eval_count", "error"]).values;
    meaning.response_model = meaning.response_model.take().or_else(|| json::non_empty_text(model));
    meaning.finish_reason = json::non_empty_text(reason).or(meaning.finish_reason.take());
    if let Some(words) = json::non_null(error).and_then(error_words) {
        meaning.stream_error = true;
        meaning.set_error(&words);
    }
    let [calls, content] = json::nested(message, ["tool_calls", "content"]);
    meaning.said.content(content);
    if let Some(calls) = calls {
        json::elements(calls, |raw| meaning.calls.add(call_of(raw)));
    }
    let read = count(input).and_then(|input| Ok((input, count(output)?)));
    match read {
        Ok((Some(prompt_tokens), output)) if output.is_some() || api == Api::OllamaEmbed => {
            let completion_tokens = output.unwrap_or(0);
            meaning.set_usage(Ok(Some(Usage { prompt_tokens, completion_tokens, ..Usage::default() })));
        }
        Ok(_) => {}
        Err(fault) => meaning.set_usage(Err(fault)),
    }
}

fn call_of(raw: &str) -> ToolCall {
    let [id, function] = json::fields(raw, ["id", "function"]).values;
    let [name, arguments] = json::nested(function, ["name", "arguments"]);
    let mut call = ToolCall::of("function", false);
    call.id = json::non_empty_text(id);
    call.name = json::non_empty_text(name);
    call.extend(json::non_null(arguments).unwrap_or_default());
    call
}
