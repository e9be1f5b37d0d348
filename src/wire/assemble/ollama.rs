//! Lines of Ollama's own interface: each has the next piece of the answer, the last one the counts.

use serde_json::{Map, Value, json};

use super::append;

/// `message` of `/api/chat`, `response` of `/api/generate`; of everything else the last.
pub(super) fn answer(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut texts = json!({});
    let mut message = json!({});
    for chunk in chunks.iter().filter_map(Value::as_object) {
        for (key, value) in chunk {
            match (key.as_str(), value) {
                ("message", Value::Object(piece)) => lay(&mut message, piece),
                ("response" | "thinking", Value::String(_)) => append(&mut texts, key, Some(value)),
                _ => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
    }
    if message.as_object().is_some_and(|message| !message.is_empty()) {
        whole.insert("message".to_owned(), message);
    }
    whole.extend(texts.as_object().cloned().unwrap_or_default());
    whole
}

fn lay(message: &mut Value, piece: &Map<String, Value>) {
    for (key, value) in piece {
        match (key.as_str(), value) {
            ("content" | "thinking", Value::String(_)) => append(message, key, Some(value)),
            ("tool_calls", Value::Array(calls)) => {
                let Some(list) = message.as_object_mut().map(|m| m.entry("tool_calls").or_insert_with(|| json!([])))
                else {
                    continue;
                };
                if let Some(list) = list.as_array_mut() {
                    list.extend(calls.iter().cloned());
                }
            }
            _ => {
                if let Some(message) = message.as_object_mut() {
                    message.insert(key.clone(), value.clone());
                }
            }
        }
    }
}
