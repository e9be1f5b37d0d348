//! Chunks of Gemini's content: each is a response of its own, with the next parts of each candidate.

use serde_json::{Map, Value, json};

use super::super::partial_args;
use super::{append, entry};

/// Candidates by index, their texts joined where one goes on with the other; of everything else the last.
pub(super) fn content(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut room = partial_args::MOST_VALUES;
    let mut candidates: Vec<Map<String, Value>> = Vec::new();
    for chunk in chunks.iter().filter_map(Value::as_object) {
        for (key, value) in chunk.iter().filter(|(key, value)| *key != "candidates" && !value.is_null()) {
            whole.insert(key.clone(), value.clone());
        }
        for part in chunk.get("candidates").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
        {
            let index = part.get("index").cloned().unwrap_or_else(|| json!(0));
            let candidate = entry(&mut candidates, "index", &index);
            for (key, value) in part.iter().filter(|(key, value)| *key != "index" && !value.is_null()) {
                if key == "content" {
                    lay(candidate.entry("content").or_insert_with(|| json!({})), value, &mut room);
                } else {
                    candidate.insert(key.clone(), value.clone());
                }
            }
        }
    }
    whole.insert("candidates".to_owned(), Value::Array(candidates.into_iter().map(Value::Object).collect()));
    whole
}

/// Lays the next content over what is there: `role` and `parts`.
fn lay(whole: &mut Value, content: &Value, room: &mut usize) {
    let (Some(whole), Some(content)) = (whole.as_object_mut(), content.as_object()) else { return };
    for (key, value) in content.iter().filter(|(key, _)| *key != "parts") {
        whole.insert(key.clone(), value.clone());
    }
    let Some(more) = content.get("parts").and_then(Value::as_array) else { return };
    let parts = whole.entry("parts").or_insert_with(|| json!([]));
    let Some(parts) = parts.as_array_mut() else { return };
    for part in more {
        match parts.last_mut() {
            Some(last) if goes_on(last, part) => append(last, "text", part.get("text")),
            Some(last) if last.get(CALL).is_some() && is_rest_of_call(part) => lay_arguments(last, part, room),
            _ => {
                let mut first = part.clone();
                lay_arguments(&mut first, part, room);
                parts.push(first);
            }
        }
    }
}

const CALL: &str = "functionCall";

/// Arguments that are streamed come in further parts without the function's name.
fn is_rest_of_call(part: &Value) -> bool {
    part.get(CALL).is_some_and(|call| call.get("name").is_none())
}

/// Moves what a part has of a call's arguments to those of the call, where it has any.
fn lay_arguments(whole: &mut Value, part: &Value, room: &mut usize) {
    let Some(call) = whole.get_mut(CALL).and_then(Value::as_object_mut) else { return };
    let more = part.get(CALL).and_then(|call| call.get("partialArgs"));
    call.remove("partialArgs");
    call.remove("willContinue");
    let Some(more) = more else { return };
    if let Some(arguments) = call.entry("args").or_insert_with(|| json!({})).as_object_mut() {
        partial_args::lay(arguments, more, room);
    }
}

/// Whether a part is more of the same text: both are answer or both are thought, and neither has anything else.
fn goes_on(last: &Value, part: &Value) -> bool {
    let plain = |part: &Value| {
        let only = |map: &Map<String, Value>| map.keys().all(|key| matches!(key.as_str(), "text" | "thought"));
        part.as_object().is_some_and(only) && part.get("text").is_some_and(Value::is_string)
    };
    plain(last) && plain(part) && last.get("thought") == part.get("thought")
}
