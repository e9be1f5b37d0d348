//! Assembling: the chunks of a stream put together into the answer that the same call would have given without streaming,
//! for people and for clients that read `response_body`. Never stored, never used for usage or cost; a cut stream gives
//! the part that came. One file per provider's chunks; which they are, the chunks themselves show.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::json;

mod anthropic;
mod cohere;
mod converse;
mod gemini;
mod interactions;
mod ollama;
mod openai;

/// Streams longer than that, in text, are shown as they are.
const MAX_TEXT: usize = 8 * 1024 * 1024;

/// The whole answer of a stream, with its chunks beside it as `streamed_data` (the original's name). `None` where the body
/// is no stream of a shape that is known here.
pub fn assemble(content_type: Option<&str>, text: &str) -> Option<Value> {
    let answer = Answer::of(content_type, text).with_list_as_chunks();
    if !answer.is_stream() || text.len() > MAX_TEXT {
        return None;
    }
    let mut chunks = Vec::new();
    answer.each_event(|event| {
        if let Ok(chunk @ Value::Object(_)) = serde_json::from_str(&event.data) {
            chunks.push(chunk);
        }
    });
    let shape = chunks.iter().find_map(shape)?;
    // A list of anything else is an answer as it is.
    if json::is_list(text) && shape != Shape::Content {
        return None;
    }
    let mut whole = match shape {
        Shape::Choices => openai::choices(&chunks),
        Shape::Response => openai::response(&chunks),
        Shape::Message => anthropic::message(&chunks),
        Shape::Content => gemini::content(&chunks),
        Shape::Interaction => interactions::interaction(&chunks),
        Shape::Converse => converse::converse(&chunks),
        Shape::Cohere => cohere::second(&chunks),
        Shape::OldCohere => cohere::first(&chunks),
        Shape::Ollama => ollama::answer(&chunks),
    };
    whole.insert("streamed_data".to_owned(), Value::Array(chunks));
    Some(Value::Object(whole))
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Choices,
    Response,
    Message,
    Content,
    Interaction,
    Converse,
    Cohere,
    OldCohere,
    Ollama,
}

fn shape(chunk: &Value) -> Option<Shape> {
    let has = |key: &str| chunk.get(key).is_some();
    let kind = chunk.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        _ if chunk.get("choices").is_some_and(Value::is_array) => Some(Shape::Choices),
        _ if kind.starts_with("response.") => Some(Shape::Response),
        "message_start" | "content_block_start" => Some(Shape::Message),
        "message-start" | "content-start" | "content-delta" => Some(Shape::Cohere),
        _ if has("candidates") || has("promptFeedback") => Some(Shape::Content),
        _ if has("contentBlockIndex") => Some(Shape::Converse),
        _ if chunk.get("event_type").and_then(Value::as_str).is_some_and(interactions::is_event) => {
            Some(Shape::Interaction)
        }
        _ if has("event_type") => Some(Shape::OldCohere),
        _ if has("done") && (has("message") || has("response")) => Some(Shape::Ollama),
        _ => None,
    }
}

/// Choices, candidates and blocks of one answer. What claims to be another one goes to the last: each is looked for in the
/// list.
const MOST_ENTRIES: usize = 1_000;

fn entry<'a>(list: &'a mut Vec<Map<String, Value>>, key: &str, value: &Value) -> &'a mut Map<String, Value> {
    let at = list.iter().position(|item| item.get(key) == Some(value)).unwrap_or_else(|| {
        if list.len() < MOST_ENTRIES {
            list.push(Map::from_iter([(key.to_owned(), value.clone())]));
        }
        list.len().saturating_sub(1)
    });
    #[expect(clippy::indexing_slicing, reason = "the position was found or made on the lines above")]
    &mut list[at]
}

/// Adds a text to the one of a field. What is no object, and no text, is left alone.
fn append(object: &mut Value, key: &str, delta: Option<&Value>) {
    if let Some(object) = object.as_object_mut() {
        append_in(object, key, delta);
    }
}

fn append_in(object: &mut Map<String, Value>, key: &str, delta: Option<&Value>) {
    let Some(delta) = delta.and_then(Value::as_str) else { return };
    match object.get_mut(key) {
        Some(Value::String(text)) => text.push_str(delta),
        _ => {
            object.insert(key.to_owned(), Value::from(delta));
        }
    }
}

/// Later figures replace earlier ones: Anthropic's are cumulative.
fn replace(whole: &mut Value, with: &Value) {
    if let (Some(whole), Some(with)) = (whole.as_object_mut(), with.as_object()) {
        for (key, value) in with.iter().filter(|(_, value)| !value.is_null()) {
            whole.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
