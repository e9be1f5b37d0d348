//! Events of Cohere's chat. Version 2 has a `type`; the last event of version 1, whose kind is `event_type`, has the whole
//! answer in it.

use serde_json::{Map, Value, json};

use super::append;

/// Version 2: `id`, `message`, `finish_reason`, `usage`.
pub(super) fn second(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut message = json!({});
    for chunk in chunks {
        let delta = chunk.get("delta");
        let said = delta.and_then(|delta| delta.get("message"));
        match chunk.get("type").and_then(Value::as_str).unwrap_or_default() {
            "message-start" => {
                whole.extend(chunk.get("id").map(|id| ("id".to_owned(), id.clone())));
                message = said.filter(|said| said.is_object()).cloned().unwrap_or_else(|| json!({}));
            }
            "content-start" => push(&mut message, "content", said),
            "content-delta" => {
                let more = said.and_then(|said| said.get("content"));
                if let (Some(part), Some(more)) = (part(&mut message, "content", chunk), more) {
                    append(part, "text", more.get("text"));
                    append(part, "thinking", more.get("thinking"));
                }
            }
            "tool-plan-delta" => append(&mut message, "tool_plan", said.and_then(|said| said.get("tool_plan"))),
            "tool-call-start" => push(&mut message, "tool_calls", said),
            "tool-call-delta" => {
                let more = said.and_then(|said| said.pointer("/tool_calls/function/arguments"));
                if let Some(function) =
                    part(&mut message, "tool_calls", chunk).and_then(|call| call.get_mut("function"))
                {
                    append(function, "arguments", more);
                }
            }
            "citation-start" => push(&mut message, "citations", said),
            "message-end" => {
                let ends = delta.and_then(Value::as_object).into_iter().flatten();
                whole.extend(
                    ends.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())),
                );
            }
            _ => {}
        }
    }
    whole.insert("message".to_owned(), message);
    whole
}

/// Adds an element to a list of the message.
fn push(message: &mut Value, list: &str, said: Option<&Value>) {
    let Some(element) = said.and_then(|said| said.get(list)).filter(|element| element.is_object()) else { return };
    let Some(message) = message.as_object_mut() else { return };
    let have = message.entry(list).or_insert_with(|| json!([]));
    match have.as_array_mut() {
        Some(have) => have.push(element.clone()),
        None => *have = json!([element]),
    }
}

/// The element that a delta goes on with: texts and calls have indices of their own.
fn part<'a>(message: &'a mut Value, list: &str, chunk: &Value) -> Option<&'a mut Value> {
    let parts = message.get_mut(list)?.as_array_mut()?;
    let at = chunk.get("index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok())?;
    if at < parts.len() { parts.get_mut(at) } else { parts.last_mut() }
}

/// Version 1: the answer of `stream-end`; without it, the text that came.
pub(super) fn first(chunks: &[Value]) -> Map<String, Value> {
    let whole = chunks.iter().rev().find_map(|chunk| chunk.get("response")).and_then(Value::as_object);
    if let Some(whole) = whole {
        return whole.clone();
    }
    let mut part = json!({"text": ""});
    for chunk in chunks {
        append(&mut part, "text", chunk.get("text"));
        if let (Some(id), Some(part)) = (chunk.get("generation_id"), part.as_object_mut()) {
            part.insert("generation_id".to_owned(), id.clone());
        }
    }
    part.as_object().cloned().unwrap_or_default()
}
