//! Events of Anthropic's messages.

use serde_json::{Map, Value, json};

use super::{append, replace};

/// Anthropic: the message of `message_start`, its blocks, and what `message_delta` says last.
pub(super) fn message(chunks: &[Value]) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut blocks: Vec<Value> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    for chunk in chunks {
        let at = chunk.get("index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        match chunk.get("type").and_then(Value::as_str).unwrap_or_default() {
            "message_start" => {
                if let Some(Value::Object(start)) = chunk.get("message") {
                    whole = start.clone();
                }
            }
            "content_block_start" => {
                blocks.push(chunk.get("content_block").cloned().unwrap_or_default());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                if let (Some(block), Some(input), Some(delta)) =
                    (blocks.get_mut(at), inputs.get_mut(at), chunk.get("delta"))
                {
                    block_delta(block, input, delta);
                }
            }
            "message_delta" => {
                for (key, value) in chunk.get("delta").and_then(Value::as_object).into_iter().flatten() {
                    whole.insert(key.clone(), value.clone());
                }
                if let Some(usage) = chunk.get("usage") {
                    replace(whole.entry("usage").or_insert_with(|| json!({})), usage);
                }
            }
            "error" => {
                whole.insert("error".to_owned(), chunk.get("error").cloned().unwrap_or_default());
            }
            _ => {}
        }
    }
    for (block, input) in blocks.iter_mut().zip(inputs) {
        if let (Some(block), false) = (block.as_object_mut(), input.is_empty()) {
            let read = serde_json::from_str(&input).unwrap_or(Value::String(input));
            block.insert("input".to_owned(), read);
        }
    }
    whole.insert("content".to_owned(), Value::Array(blocks));
    whole
}

fn block_delta(block: &mut Value, input: &mut String, delta: &Value) {
    match delta.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text_delta" => append(block, "text", delta.get("text")),
        "thinking_delta" => append(block, "thinking", delta.get("thinking")),
        "signature_delta" => append(block, "signature", delta.get("signature")),
        "input_json_delta" => input.push_str(delta.get("partial_json").and_then(Value::as_str).unwrap_or_default()),
        "citations_delta" => {
            if let (Some(block), Some(citation)) = (block.as_object_mut(), delta.get("citation")) {
                let list = block.entry("citations").or_insert_with(|| json!([]));
                if !list.is_array() {
                    *list = json!([]);
                }
                if let Some(list) = list.as_array_mut() {
                    list.push(citation.clone());
                }
            }
        }
        _ => {}
    }
}
