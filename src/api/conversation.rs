//! What is said in a call, for people: the messages of its request, the text of its answer, the tools that it asks for. Of
//! the shapes of OpenAI, Anthropic, Gemini, Bedrock, Cohere and Ollama; others give nothing and are shown as they came.

use std::fmt::Write as _;

use serde_json::Value;

/// Where an answer has its message as one object: OpenAI and those that copy it, Cohere and Ollama, Bedrock.
const MESSAGES: [&str; 3] = ["/choices/0/message", "/message", "/output/message"];

/// Where an answer has a list of parts, tool calls among them.
const LISTS: [&str; 6] = [
    "/choices/0/message/tool_calls",
    "/message/tool_calls",
    "/message/content",
    "/output/message/content",
    "/content",
    "/candidates/0/content/parts",
];

/// The messages of a request, where it has a list of them.
pub fn messages(request: &str) -> Option<Vec<Value>> {
    let mut value: Value = serde_json::from_str(request).ok()?;
    let map = value.as_object_mut()?;
    for name in ["messages", "input", "contents"] {
        if let Some(Value::Array(list)) = map.remove(name) {
            let system = map.remove("system").or_else(|| map.remove("instructions")).filter(|system| !system.is_null());
            let system = system.map(|content| serde_json::json!({ "role": "system", "content": content }));
            return Some(system.into_iter().chain(list).collect());
        }
    }
    None
}

/// The answer's text and tool calls, for the shapes that are known.
pub fn answer(value: &Value) -> Option<String> {
    if let Some(message) = MESSAGES.iter().find_map(|path| value.pointer(path).filter(|found| found.is_object())) {
        let mut text = message.get("content").and_then(plain).unwrap_or_default();
        if let Some(calls) = message.get("tool_calls").filter(|calls| calls.as_array().is_some_and(|c| !c.is_empty())) {
            let _ = write!(text, "\n{calls}");
        }
        return (!text.is_empty()).then_some(text);
    }
    let parts = value
        .get("content")
        .or_else(|| value.get("output"))
        .or_else(|| value.get("steps"))
        .or_else(|| value.get("outputs"))
        .or_else(|| value.pointer("/candidates/0/content/parts"));
    parts.or_else(|| value.get("response").filter(|_| value.get("done").is_some())).and_then(plain)
}

/// Whether an answer says something besides what it asks of tools.
pub fn has_text(value: &Value) -> bool {
    let mut messages = MESSAGES.iter().filter_map(|path| value.pointer(path)?.get("content"));
    if let Some(text) = messages.find_map(Value::as_str) {
        return !text.is_empty();
    }
    parts(value).any(|part| part.get("text").is_some() || part.get("content").is_some())
}

fn parts(value: &Value) -> impl Iterator<Item = &Value> {
    let own = ["output", "steps", "outputs"].into_iter().filter_map(|name| value.get(name));
    let lists = LISTS.iter().filter_map(|path| value.pointer(path)).chain(own);
    lists.filter_map(Value::as_array).flatten()
}

/// Text, or a list of parts with their texts; parts of other kinds as they are.
pub fn plain(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) if !parts.is_empty() => {
            let each = parts.iter().map(|part| {
                let text = part.as_str().or_else(|| part.get("text").and_then(Value::as_str));
                let holds = |kind: &Value| kind == "message" || kind == "model_output";
                let inner = || part.get("content").filter(|_| part.get("type").is_some_and(holds));
                text.map(str::to_owned).or_else(|| inner().and_then(plain)).unwrap_or_else(|| part.to_string())
            });
            Some(each.collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// A tool that an answer asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct ToolCall {
    pub id: Option<String>,
    pub name: String,
    /// JSON, or what stood there instead.
    pub arguments: String,
}

/// The tools that an answer asks for, in order.
pub fn tool_calls(value: &Value) -> Vec<ToolCall> {
    parts(value).filter_map(tool_call).collect()
}

fn tool_call(item: &Value) -> Option<ToolCall> {
    let inner = ["function", "functionCall", "toolUse"].into_iter().find_map(|name| item.get(name));
    let kind = item.get("type").and_then(Value::as_str);
    if inner.is_none() && !matches!(kind, Some("tool_use" | "function_call")) {
        return None;
    }
    let call = inner.unwrap_or(item);
    let arguments = ["arguments", "input", "args"].into_iter().find_map(|name| call.get(name));
    let id = ["call_id", "id"].into_iter().find_map(|name| item.get(name)).or_else(|| call.get("toolUseId"));
    let id = id.and_then(Value::as_str);
    Some(ToolCall {
        id: id.map(str::to_owned),
        name: call.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        arguments: match arguments {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_known_shapes_are_text() {
        for (json, text) in [
            (r#"{"choices":[{"message":{"content":"hi"}}]}"#, Some("hi")),
            (r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, Some("a\nb")),
            (r#"{"output":[{"type":"message","content":[{"type":"output_text","text":"o"}]}]}"#, Some("o")),
            (r#"{"candidates":[{"content":{"parts":[{"text":"g"}]}}]}"#, Some("g")),
            (r#"{"steps":[{"type":"model_output","content":[{"type":"text","text":"i"}]}]}"#, Some("i")),
            (r#"{"outputs":[{"type":"text","text":"b"}]}"#, Some("b")),
            (r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]}}]}"#, Some("\n[{\"id\":\"1\"}]")),
            (r#"{"output":{"message":{"role":"assistant","content":[{"text":"b"}]}}}"#, Some("b")),
            (r#"{"message":{"role":"assistant","content":[{"type":"text","text":"c"}]}}"#, Some("c")),
            (r#"{"message":{"role":"assistant","content":"l"},"done":true}"#, Some("l")),
            (r#"{"response":"m","done":true}"#, Some("m")),
            (r#"{"message":"no"}"#, None),
            (r#"{"error":{"message":"no"}}"#, None),
        ] {
            assert_eq!(answer(&serde_json::from_str(json).unwrap()).as_deref(), text, "{json}");
        }
    }

    #[test]
    fn a_request_has_its_system_text_first() {
        let of = |json: &str| messages(json).map(|list| list.len());
        assert_eq!(of(r#"{"system":"s","messages":[{"role":"user","content":"u"}]}"#), Some(2));
        assert_eq!(of(r#"{"input":"just text"}"#), None);
        assert_eq!(of(r#"{"contents":[{"parts":[{"text":"x"}]}]}"#), Some(1));
        assert_eq!(of("not json"), None);
    }

    #[test]
    fn tools_are_found_in_every_shape() {
        for json in [
            r#"{"choices":[{"message":{"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#,
            r#"{"content":[{"type":"text","text":"x"},{"type":"tool_use","id":"1","name":"f","input":{}}]}"#,
            r#"{"output":[{"type":"function_call","call_id":"1","id":"x","name":"f","arguments":"{}"}]}"#,
            r#"{"steps":[{"type":"thought"},{"type":"function_call","id":"1","name":"f","arguments":{}}]}"#,
            r#"{"output":{"message":{"content":[{"toolUse":{"toolUseId":"1","name":"f","input":{}}}]}}}"#,
            r#"{"message":{"content":"","tool_calls":[{"id":"1","function":{"name":"f","arguments":{}}}]}}"#,
        ] {
            let calls = tool_calls(&serde_json::from_str(json).unwrap());
            let one = ToolCall { id: Some("1".into()), name: "f".into(), arguments: "{}".into() };
            assert_eq!(calls, [one], "{json}");
        }
        let gemini = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}]}}]}"#;
        assert_eq!(tool_calls(&serde_json::from_str(gemini).unwrap())[0].arguments, r#"{"a":1}"#);
        assert_eq!(tool_calls(&serde_json::json!({ "content": "text" })), []);
    }
}
