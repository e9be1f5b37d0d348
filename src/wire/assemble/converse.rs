//! Events of Bedrock's converse, whose data does not say which event it is: each kind has fields that no other has.

use serde_json::{Map, Value, json};

use super::{append, append_in, entry, replace};

/// The answer that `converse` gives: `output.message`, `stopReason`, `usage`, `metrics`.
pub(super) fn converse(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut role = json!("assistant");
    let mut blocks: Vec<Map<String, Value>> = Vec::new();
    for chunk in chunks.iter().filter_map(Value::as_object) {
        if let Some(index) = chunk.get("contentBlockIndex") {
            let block = entry(&mut blocks, "contentBlockIndex", index);
            for piece in [chunk.get("start"), chunk.get("delta")].into_iter().flatten() {
                lay(block, piece);
            }
            continue;
        }
        // Bedrock fills its events up with letters in `p`, so that their lengths tell nothing.
        for (key, value) in chunk.iter().filter(|(key, _)| *key != "p") {
            match key.as_str() {
                "role" => role = value.clone(),
                _ => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
    }
    let content = blocks.into_iter().map(|mut block| {
        block.remove("contentBlockIndex");
        finish(&mut block);
        Value::Object(block)
    });
    let message = json!({"role": role, "content": content.collect::<Vec<_>>()});
    whole.insert("output".to_owned(), json!({ "message": message }));
    whole
}

/// Lays a block's start or delta over what is there.
fn lay(block: &mut Map<String, Value>, piece: &Value) {
    for (key, value) in piece.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("text", Value::String(_)) => append_in(block, "text", Some(value)),
            ("toolUse", Value::Object(fields)) => {
                let call = block.entry("toolUse").or_insert_with(|| json!({}));
                append(call, "input", fields.get("input"));
                let named = fields.iter().filter(|(key, _)| *key != "input");
                replace(call, &Value::Object(named.map(|(key, value)| (key.clone(), value.clone())).collect()));
            }
            ("reasoningContent", Value::Object(fields)) => {
                let reasoning = block.entry("reasoningContent").or_insert_with(|| json!({"reasoningText": {}}));
                if let Some(inner) = reasoning.get_mut("reasoningText") {
                    append(inner, "text", fields.get("text"));
                    append(inner, "signature", fields.get("signature"));
                }
            }
            _ => {
                block.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A call's input came as pieces of a JSON text.
fn finish(block: &mut Map<String, Value>) {
    if let Some(call) = block.get_mut("toolUse").and_then(Value::as_object_mut)
        && let Some(input) = call.get("input").and_then(Value::as_str)
    {
        let read = serde_json::from_str(input).unwrap_or_else(|_| json!(input));
        call.insert("input".to_owned(), read);
    }
}
