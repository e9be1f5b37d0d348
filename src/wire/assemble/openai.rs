//! Chunks of OpenAI's chat completions, completions and responses.

use serde_json::{Map, Value, json};

use super::{append, entry};

/// `chat.completion.chunk` and `text_completion`: choices by index, deltas added up.
pub(super) fn choices(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut found: Vec<Map<String, Value>> = Vec::new();
    for chunk in chunks.iter().filter_map(Value::as_object) {
        for (key, value) in chunk.iter().filter(|(key, value)| *key != "choices" && !value.is_null()) {
            whole.insert(key.clone(), value.clone());
        }
        for part in chunk.get("choices").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
            let index = part.get("index").cloned().unwrap_or_else(|| json!(0));
            let choice = entry(&mut found, "index", &index);
            for (key, value) in part.iter().filter(|(_, value)| !value.is_null()) {
                match key.as_str() {
                    "index" => {}
                    "delta" => {
                        let message = choice.entry("message").or_insert_with(|| json!({}));
                        add(message, value);
                    }
                    "text" => add(choice.entry("text").or_insert_with(|| json!("")), value),
                    _ => {
                        choice.insert(key.clone(), value.clone());
                    }
                }
            }
        }
    }
    if whole.get("object").and_then(Value::as_str) == Some("chat.completion.chunk") {
        whole.insert("object".to_owned(), json!("chat.completion"));
    }
    whole.insert("choices".to_owned(), Value::Array(found.into_iter().map(Value::Object).collect()));
    whole
}

/// Adds a delta: texts are appended, numbers and switches replaced, lists merged by their elements' `index`.
fn add(whole: &mut Value, delta: &Value) {
    match (whole, delta) {
        (Value::Object(whole), Value::Object(delta)) => {
            for (key, value) in delta.iter().filter(|(_, value)| !value.is_null()) {
                // These name something; a repeated name is the same name.
                let name = matches!(key.as_str(), "role" | "id" | "type" | "index");
                match whole.get_mut(key) {
                    Some(have) if !name => add(have, value),
                    _ => {
                        whole.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(whole), Value::Array(delta)) => {
            for value in delta {
                let at = value.get("index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
                match at.and_then(|at| whole.get_mut(at)) {
                    Some(have) => add(have, value),
                    None => whole.push(value.clone()),
                }
            }
        }
        (Value::String(whole), Value::String(delta)) => whole.push_str(delta),
        (whole, delta) => *whole = delta.clone(),
    }
}

/// Responses: the last event that carries the whole response has it all; before that, finished items and texts so far.
pub(super) fn response(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut items: Vec<(Value, Value)> = Vec::new();
    for chunk in chunks {
        if let Some(Value::Object(response)) = chunk.get("response") {
            whole = response.clone();
        }
        let place = chunk.get("output_index").cloned().unwrap_or_default();
        let item = items.iter_mut().find(|(index, _)| *index == place).map(|(_, item)| item);
        match (chunk.get("type").and_then(Value::as_str), item, chunk.get("item")) {
            (Some("response.output_item.added" | "response.output_item.done"), Some(have), Some(item)) => {
                *have = item.clone();
            }
            (Some("response.output_item.added" | "response.output_item.done"), None, Some(item)) => {
                items.push((place, item.clone()));
            }
            (Some("response.output_text.delta"), Some(have), _) => append_text(have, chunk),
            (Some("response.function_call_arguments.delta"), Some(have), _) => {
                append(have, "arguments", chunk.get("delta"));
            }
            _ => {}
        }
    }
    let empty = whole.get("output").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if empty && !items.is_empty() {
        whole.insert("output".to_owned(), Value::Array(items.into_iter().map(|(_, item)| item).collect()));
    }
    whole
}

/// Text that came for an item which was not finished yet.
fn append_text(item: &mut Value, chunk: &Value) {
    let Some(parts) = item.get_mut("content").and_then(Value::as_array_mut) else { return };
    if parts.is_empty() {
        parts.push(json!({"type": "output_text", "text": ""}));
    }
    if let Some(part) = parts.last_mut() {
        append(part, "text", chunk.get("delta"));
    }
}
