//! Mistral's conversations: the answer is a list of `outputs`, a stream one event for each piece of these.
//!
//! Tokens of connectors are counted by Mistral beside the prompt and have no part here; they stay in the raw usage.

use super::answer::Answer;
use super::calls::ToolCall;
use super::{Meaning, error_words, json, sse, usage};

/// Whether an answer of a path with `conversations` is that of a model: OpenAI keeps conversations under the same path.
pub(super) fn is_call(answer: &str) -> bool {
    let answer = answer.trim_start();
    if !answer.starts_with('{') {
        return sse::looks_like_events(answer)
            && sse::events(answer).next().is_some_and(|first| {
                let [kind] = json::fields(&first.data, ["type"]).values;
                kind.is_some_and(|kind| kind.starts_with("\"conversation.response."))
            });
    }
    let [outputs, reported] = json::fields(answer, ["outputs", "usage"]).values;
    let [prompt] = json::nested(reported, ["prompt_tokens"]);
    outputs.is_some_and(json::is_list) && prompt.is_some()
}

/// Reads an answer or a stream.
pub(super) fn read(answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => {
            let [id, outputs, reported] = json::fields(text, ["conversation_id", "outputs", "usage"]).values;
            meaning.response_id = json::non_empty_text(id);
            take_usage(reported, meaning);
            if let Some(outputs) = outputs {
                json::each(outputs, OUTPUT, |_, fields| output(fields, meaning));
            }
        }
        _ => answer.each_event(|event| {
            let [id, reported, code, message] =
                json::fields(&event.data, ["conversation_id", "usage", "code", "message"]).values;
            meaning.response_id = meaning.response_id.take().or_else(|| json::non_empty_text(id));
            take_usage(reported, meaning);
            let fields = json::fields(&event.data, OUTPUT).values;
            if fields[0] == Some("\"conversation.response.error\"") {
                meaning.stream_error = true;
                let words = json::non_null(message).and_then(error_words);
                meaning.set_error(&words.or_else(|| code.map(str::to_owned)).unwrap_or_default());
            }
            output(fields, meaning);
        }),
    }
}

/// What is read of an element of `outputs`, and of an event.
const OUTPUT: [&str; 7] = ["type", "id", "tool_call_id", "name", "arguments", "content", "model"];

/// `function.call` asks the client; `tool.execution` ran at Mistral. In a stream the names have an ending, and only a function's
/// call comes in pieces.
fn output([kind, id, call_id, name, arguments, content, model]: [Option<&str>; OUTPUT.len()], meaning: &mut Meaning) {
    let kind = kind.and_then(json::text);
    meaning.response_model = meaning.response_model.take().or_else(|| json::non_empty_text(model));
    let id = json::non_empty_text(call_id).or_else(|| json::non_empty_text(id));
    let (form, at_provider) = match kind.as_deref() {
        Some("message.output" | "message.output.delta") => return meaning.said.content(content),
        Some("function.call" | "function.call.delta") => ("function.call", false),
        Some("tool.execution" | "tool.execution.started") => ("tool.execution", true),
        _ => return,
    };
    // Whatever has no id is a call of its own.
    let place = id.clone().unwrap_or_default();
    meaning.calls.leave("");
    if let Some(call) = meaning.calls.at(&place, || ToolCall::of(form, at_provider)) {
        call.id = id;
        call.name = call.name.take().or_else(|| json::non_empty_text(name));
        if let Some(piece) = json::non_null(arguments) {
            call.extend(json::text(piece).as_deref().unwrap_or(piece));
        }
    }
}

fn take_usage(reported: Option<&str>, meaning: &mut Meaning) {
    let Some(raw) = json::non_null(reported) else { return };
    let read = usage::openai(raw, false);
    if read == Ok(None) {
        return;
    }
    meaning.set_usage(read);
    meaning.raw_usage = json::value(raw);
    let [connectors] = json::nested(Some(raw), ["connectors"]);
    let [searches] = json::nested(connectors, ["web_search"]);
    if let (Some(usage), Ok(Some(searches))) = (&mut meaning.usage, usage::count(searches)) {
        usage.web_searches = usage.web_searches.max(searches);
    }
}
