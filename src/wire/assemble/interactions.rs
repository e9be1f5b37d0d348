//! Events of Google's interactions: the interaction as the first and the last tell it, and between them its steps.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{append, append_in};

/// Whether an `event_type` is one of this interface.
pub(super) fn is_event(kind: &str) -> bool {
    ["interaction.", "step.", "content."].iter().any(|start| kind.starts_with(start))
}

/// The interaction, its steps in order.
pub(super) fn interaction(events: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut steps: Vec<Map<String, Value>> = Vec::new();
    // Where the last step of an index stands.
    let mut places: HashMap<i64, usize> = HashMap::new();
    for event in events {
        if let Some(inner) = event.get("interaction").and_then(Value::as_object) {
            // The last lists no steps.
            let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
            for (key, value) in inner.iter().filter(|(_, value)| !value.is_null() && !empty(value)) {
                whole.insert(key.clone(), value.clone());
            }
        }
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            whole.insert("error".to_owned(), error.clone());
        }
        let index = event.get("index").and_then(Value::as_i64).unwrap_or(-1);
        let begun = event.get("step").or_else(|| event.get("content")).and_then(Value::as_object);
        let delta = event.get("delta").and_then(Value::as_object);
        if begun.is_some() || (delta.is_some() && !places.contains_key(&index)) {
            places.insert(index, steps.len());
            steps.push(begun.cloned().unwrap_or_default());
        }
        if let (None, Some(delta)) = (begun, delta)
            && let Some(step) = places.get(&index).and_then(|place| steps.get_mut(*place))
        {
            lay(step, delta);
        }
    }
    if !steps.is_empty() {
        let steps = steps.into_iter().map(|step| Value::Object(closed(step))).collect();
        whole.insert("steps".to_owned(), Value::Array(steps));
    }
    whole
}

/// Lays a delta over its step. Texts go into the `content` of a step, or into what is a text itself.
fn lay(step: &mut Map<String, Value>, delta: &Map<String, Value>) {
    let kind = delta.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "text" if step.get("type").is_none_or(|kind| kind == "text") => {
            step.entry("type").or_insert_with(|| json!("text"));
            append_in(step, "text", delta.get("text"));
        }
        "text" => {
            let content = step.entry("content").or_insert_with(|| json!([]));
            let Some(content) = content.as_array_mut() else { return };
            match content.last_mut().filter(|last| last.get("type").is_some_and(|kind| kind == "text")) {
                Some(last) => append(last, "text", delta.get("text")),
                None => content.push(json!({"type": "text", "text": delta.get("text")})),
            }
        }
        "arguments_delta" => {
            if step.get("arguments").is_some_and(|so_far| !so_far.is_string()) {
                step.remove("arguments");
            }
            append_in(step, "arguments", delta.get("arguments"));
        }
        // Pictures come whole, sound in pieces.
        "image" | "audio" | "video" | "document" if step.get("type").is_some_and(|kind| kind == "model_output") => {
            let Some(content) = step.entry("content").or_insert_with(|| json!([])).as_array_mut() else { return };
            match content.last_mut().filter(|last| kind == "audio" && last.get("type").is_some_and(|of| of == kind)) {
                Some(last) => append(last, "data", delta.get("data")),
                None => content.push(Value::Object(delta.clone())),
            }
        }
        "thought_summary" => {
            if let Some(summary) = step.entry("summary").or_insert_with(|| json!([])).as_array_mut() {
                summary.extend(delta.get("content").cloned());
            }
        }
        _ => {
            let known = step.contains_key("type");
            for (key, value) in delta.iter().filter(|(key, value)| !value.is_null() && (*key != "type" || !known)) {
                step.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Arguments that came in pieces are the object that they spell.
fn closed(mut step: Map<String, Value>) -> Map<String, Value> {
    let whole = step.get("arguments").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    if let Some(whole @ Value::Object(_)) = whole {
        step.insert("arguments".to_owned(), whole);
    }
    step
}
