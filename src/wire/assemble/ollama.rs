//! Lines of Ollama's own interface: each has the next piece of the answer, the last one the counts.

use serde_json::{Map, Value, json};

use super::append_in;

/// `message` of `/api/chat`, `response` of `/api/generate`; of everything else the last.
pub(super) fn answer(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut message = Map::new();
    for chunk in chunks.iter().filter_map(Value::as_object) {
        for (key, value) in chunk {
            match (key.as_str(), value) {
                ("message", Value::Object(piece)) => lay(&mut message, piece),
                ("response" | "thinking", Value::String(_)) => append_in(&mut whole, key, Some(value)),
                _ => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
    }
    if !message.is_empty() {
        whole.insert("message".to_owned(), Value::Object(message));
    }
    whole
}

fn lay(message: &mut Map<String, Value>, piece: &Map<String, Value>) {
    for (key, value) in piece {
        match (key.as_str(), value) {
            ("content" | "thinking", Value::String(_)) => append_in(message, key, Some(value)),
            ("tool_calls", Value::Array(calls)) => {
                if let Some(list) = message.entry("tool_calls").or_insert_with(|| json!([])).as_array_mut() {
                    list.extend(calls.iter().cloned());
                }
            }
            _ => {
                message.insert(key.clone(), value.clone());
            }
        }
    }
}
