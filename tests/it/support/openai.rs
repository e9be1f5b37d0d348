//! A scripted OpenAI and Anthropic: an assistant that calls two tools and then answers, with fixed usage, so that tests can
//! say beforehand what a session costs.
//!
//! The model's name chooses other behaviour: `fail-<status>` answers an error in OpenAI's shape, `stall` never answers,
//! `cut` breaks off in the middle of a stream.

use std::time::Duration;

use serde_json::{Value, json};

use super::reply::Reply;
use super::upstream::Received;

/// Tokens that every answer reports: prompt, of these cached, completion, of these reasoning.
pub const PROMPT: i64 = 100;
pub const CACHED: i64 = 20;
pub const COMPLETION: i64 = 12;
pub const REASONING: i64 = 4;

/// What one `gpt-4o` answer costs in dollars, at 2.50 a million input, 1.25 cached, 10 output.
pub const GPT_4O_COST: f64 = (80.0 * 2.5 + 20.0 * 1.25 + 12.0 * 10.0) / 1e6;

/// The final answer of the assistant.
pub const ANSWER: &str = "It is 72 degrees and sunny in San Francisco.";

/// The script.
pub fn script(received: &Received) -> Reply {
    let request = received.json();
    let model = request["model"].as_str().unwrap_or_default();
    if let Some(status) = model.strip_prefix("fail-").and_then(|text| text.parse().ok()) {
        return failure(status);
    }
    if model == "stall" {
        return Reply::silence();
    }
    match received.path() {
        "/v1/chat/completions" => chat(&request, model),
        "/v1/messages" => message(&request, model),
        "/v1/models" => Reply::json(200, &json!({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]})),
        _ => failure(404),
    }
}

fn failure(status: u16) -> Reply {
    let kind = if status == 401 { "authentication_error" } else { "scripted_error" };
    let error = json!({"message": format!("scripted failure {status}"), "type": kind, "param": null, "code": kind});
    Reply::json(status, &json!({"error": error})).header("x-request-id", "req_scripted")
}

fn chat(request: &Value, model: &str) -> Reply {
    let answered = request["messages"].as_array().map_or(0, |all| all.iter().filter(|m| m["role"] == "tool").count());
    let offers_tools = request["tools"].as_array().is_some_and(|tools| !tools.is_empty());
    let tool = match (offers_tools, answered) {
        (true, 0) => Some(("search_database", json!({"query": "weather stations", "limit": 3}))),
        (true, 1) => Some(("fetch_weather", json!({"location": "San Francisco"}))),
        _ => None,
    };
    let usage = json!({
        "prompt_tokens": PROMPT, "completion_tokens": COMPLETION, "total_tokens": PROMPT + COMPLETION,
        "prompt_tokens_details": {"cached_tokens": CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": REASONING, "audio_tokens": 0},
    });
    let frame =
        |object: &str| json!({"id": "chatcmpl-scripted", "object": object, "created": 1_700_000_000, "model": model});
    let call = tool.map(|(name, arguments)| {
        json!({"id": format!("call_{answered}"), "type": "function",
               "function": {"name": name, "arguments": arguments.to_string()}})
    });
    if request["stream"] == true {
        let with_usage = request["stream_options"]["include_usage"] == true;
        let reply = stream(&frame("chat.completion.chunk"), with_usage.then_some(usage), model == "cut");
        return if model == "slow" { reply.paced(Duration::from_millis(200)) } else { reply };
    }
    let (message, reason) = match call {
        Some(call) => (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls"),
        None => (json!({"role": "assistant", "content": ANSWER}), "stop"),
    };
    let mut answer = frame("chat.completion");
    answer["choices"] = json!([{"index": 0, "message": message, "finish_reason": reason}]);
    answer["usage"] = usage;
    Reply::json(200, &answer).header("x-request-id", "req_scripted")
}

fn stream(frame: &Value, usage: Option<Value>, cut: bool) -> Reply {
    let event = |choices: Value, usage: Value| {
        let mut chunk = frame.clone();
        chunk["choices"] = choices;
        chunk["usage"] = usage;
        format!("data: {chunk}\n\n")
    };
    let words = ANSWER.split_inclusive(' ');
    let mut events: Vec<String> =
        words.map(|word| event(json!([{"index": 0, "delta": {"content": word}}]), Value::Null)).collect();
    if cut {
        events.truncate(3);
        return Reply::events(events).reset();
    }
    events.push(event(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null));
    events.extend(usage.map(|usage| event(json!([]), usage)));
    events.push("data: [DONE]\n\n".to_owned());
    Reply::events(events)
}

fn message(request: &Value, model: &str) -> Reply {
    let usage = json!({"input_tokens": PROMPT, "cache_read_input_tokens": CACHED, "cache_creation_input_tokens": 0,
                       "output_tokens": COMPLETION});
    let mut answer = json!({"id": "msg_scripted", "type": "message", "role": "assistant", "model": model,
                            "content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn",
                            "stop_sequence": null, "usage": usage});
    if request["stream"] != true {
        return Reply::json(200, &answer).header("request-id", "req_scripted");
    }
    answer["content"] = json!([]);
    answer["stop_reason"] = Value::Null;
    answer["usage"]["output_tokens"] = json!(1);
    let event = |body: Value| format!("event: {}\ndata: {body}\n\n", body["type"].as_str().unwrap_or_default());
    Reply::events([
        event(json!({"type": "message_start", "message": answer})),
        event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
        event(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}})),
        event(json!({"type": "content_block_stop", "index": 0})),
        event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                     "usage": {"output_tokens": COMPLETION}})),
        event(json!({"type": "message_stop"})),
    ])
}
