//! Assembling: the chunks of a stream put together into the answer that the same call would have given without streaming,
//! for people and for clients that read `response_body`. Never stored, never used for usage or cost; a cut stream gives
//! the part that came.
//!
//! The chunk shapes are those of OpenAI's chat completions, completions and responses, and of Anthropic's messages.

use serde_json::{Map, Value, json};

use super::answer::Answer;

/// Streams longer than that, in text, are shown as they are.
const MAX_TEXT: usize = 8 * 1024 * 1024;

/// The whole answer of a stream, with its chunks beside it as `streamed_data` (the original's name). `None` where the body
/// is no stream of a shape that is known here.
pub fn assemble(content_type: Option<&str>, text: &str) -> Option<Value> {
    let answer = Answer::of(content_type, text);
    if !answer.is_stream() || text.len() > MAX_TEXT {
        return None;
    }
    let mut chunks = Vec::new();
    answer.each_event(|event| {
        if let Ok(chunk @ Value::Object(_)) = serde_json::from_str(&event.data) {
            chunks.push(chunk);
        }
    });
    let mut whole = match chunks.iter().find_map(shape)? {
        Shape::Choices => choices(&chunks),
        Shape::Response => response(&chunks),
        Shape::Message => message(&chunks),
    };
    whole.insert("streamed_data".to_owned(), Value::Array(chunks));
    Some(Value::Object(whole))
}

#[derive(Clone, Copy)]
enum Shape {
    Choices,
    Response,
    Message,
}

fn shape(chunk: &Value) -> Option<Shape> {
    let kind = chunk.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        _ if chunk.get("choices").is_some_and(Value::is_array) => Some(Shape::Choices),
        _ if kind.starts_with("response.") => Some(Shape::Response),
        "message_start" | "content_block_start" => Some(Shape::Message),
        _ => None,
    }
}

/// `chat.completion.chunk` and `text_completion`: choices by index, deltas added up.
fn choices(chunks: &[Value]) -> Map<String, Value> {
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

fn entry<'a>(list: &'a mut Vec<Map<String, Value>>, key: &str, value: &Value) -> &'a mut Map<String, Value> {
    let at = list.iter().position(|item| item.get(key) == Some(value)).unwrap_or_else(|| {
        list.push(Map::from_iter([(key.to_owned(), value.clone())]));
        list.len().saturating_sub(1)
    });
    #[expect(clippy::indexing_slicing, reason = "the position was found or made on the lines above")]
    &mut list[at]
}

/// Responses: the last event that carries the whole response has it all; before that, finished items and texts so far.
fn response(chunks: &[Value]) -> Map<String, Value> {
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

fn append(object: &mut Value, key: &str, delta: Option<&Value>) {
    let (Some(object), Some(delta)) = (object.as_object_mut(), delta.and_then(Value::as_str)) else { return };
    match object.get_mut(key) {
        Some(Value::String(text)) => text.push_str(delta),
        _ => {
            object.insert(key.to_owned(), json!(delta));
        }
    }
}

/// Anthropic: the message of `message_start`, its blocks, and what `message_delta` says last.
fn message(chunks: &[Value]) -> Map<String, Value> {
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

/// Later figures replace earlier ones: Anthropic's are cumulative.
fn replace(whole: &mut Value, with: &Value) {
    if let (Some(whole), Some(with)) = (whole.as_object_mut(), with.as_object()) {
        for (key, value) in with.iter().filter(|(_, value)| !value.is_null()) {
            whole.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(chunks: &[Value]) -> String {
        chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).chain(["data: [DONE]\n\n".to_owned()]).collect()
    }

    #[test]
    fn chat_chunks_become_a_completion() {
        let text = stream(&[
            json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {"content": "Hel"}}]}),
            json!({"choices": [{"index": 1, "delta": {"content": "other"}}, {"index": 0, "delta": {"content": "lo"}}]}),
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}]}}]}),
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\""}}]}}]}),
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, "finish_reason": "tool_calls"}]}),
            json!({"choices": [], "usage": {"total_tokens": 3}}),
        ]);
        let whole = assemble(Some("text/event-stream"), &text).unwrap();
        assert_eq!(whole["object"], "chat.completion");
        let first = &whole["choices"][0];
        assert_eq!(first["message"]["content"], "Hello");
        assert_eq!(first["message"]["role"], "assistant");
        assert_eq!(first["message"]["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{\"a\":1}"}));
        assert_eq!(first["finish_reason"], "tool_calls");
        assert_eq!(whole["choices"][1]["message"]["content"], "other");
        assert_eq!(whole["usage"]["total_tokens"], 3);
        assert_eq!(whole["streamed_data"].as_array().unwrap().len(), 7);
    }

    #[test]
    fn anthropic_events_become_a_message() {
        let text = stream(&[
            json!({"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "f", "input": {}}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
        ]);
        let whole = assemble(None, &text).unwrap();
        assert_eq!(
            whole["content"],
            json!([{"type": "text", "text": "Hi"}, {"type": "tool_use", "name": "f", "input": {"a": 1}}])
        );
        assert_eq!(whole["usage"], json!({"input_tokens": 5, "output_tokens": 9}));
        assert_eq!(whole["stop_reason"], "tool_use");
    }

    #[test]
    fn responses_end_with_the_whole_or_with_what_came() {
        let parts = [
            json!({"type": "response.created", "response": {"id": "r", "output": []}}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}}),
            json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"}),
            json!({"type": "response.output_text.delta", "output_index": 0, "delta": "lo"}),
        ];
        let cut = assemble(None, &stream(&parts)).unwrap();
        assert_eq!(cut["output"][0]["content"][0]["text"], "Hello");
        let mut all = parts.to_vec();
        all.push(json!({"type": "response.completed", "response": {"id": "r", "output": [{"type": "message"}], "usage": {"input_tokens": 1}}}));
        let whole = assemble(None, &stream(&all)).unwrap();
        assert_eq!((&whole["output"], &whole["usage"]["input_tokens"]), (&json!([{"type": "message"}]), &json!(1)));
    }

    #[test]
    fn what_is_no_stream_is_left_alone() {
        for text in ["", "{\"choices\": []}", "plain", "data: nothing\n\n", "data: {\"other\": 1}\n\n"] {
            assert_eq!(assemble(None, text), None, "{text}");
        }
    }

    #[test]
    fn odd_chunks_do_no_harm() {
        let text = stream(&[
            json!({"choices": [{"delta": 5}, 7, {"index": "x", "delta": {"content": 1}}, {"delta": {"content": "a", "tool_calls": [{"index": 99}, 1]}}]}),
            json!({"choices": [{"delta": {"content": "b", "tool_calls": "no"}}]}),
        ]);
        assert!(assemble(None, &text).is_some());
    }
}
