//! Agents without instrumentation, through the real gateway: tool loops of several providers, conversations without headers,
//! sub-agents, and all of it turned off.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

on_both!(
    an_openai_tool_loop,
    anthropic_tools_in_parallel,
    responses_by_their_previous_ids,
    gemini_without_ids,
    an_agent_without_headers_and_its_sub_agent,
    a_call_and_its_log_are_one_use,
    inference_that_is_off,
);

/// A gateway in front of a scripted provider.
struct Bed {
    gateway: Gateway,
    _upstream: Upstream,
}

impl Bed {
    async fn start(
        backend: Backend,
        provider: &str,
        script: impl Fn(&Received) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self::with(GatewayOptions::new(backend), provider, script).await
    }

    async fn with(
        options: GatewayOptions,
        provider: &str,
        script: impl Fn(&Received) -> Value + Send + Sync + 'static,
    ) -> Self {
        let upstream = Upstream::start(move |received| Reply::json(200, &script(received))).await;
        let gateway = Gateway::start(options.provider(provider, upstream.url())).await;
        Self { gateway, _upstream: upstream }
    }

    /// Sends a call, and gives its id and its answer.
    async fn send(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (String, Value) {
        let id = Uuid::new_v4().to_string();
        let mut request = self.gateway.http.post(format!("{}{path}", self.gateway.url)).bearer_auth(KEY).json(body);
        request = request.header("Helicone-Request-Id", &id);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        (id, answer.json().await.unwrap())
    }

    async fn session_of(&self, id: &str) -> Option<String> {
        self.gateway.call(id).await["session_id"].as_str().map(str::to_owned)
    }
}

fn chat_answer(message: &Value) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o", "choices": [{"index": 0, "message": message,
        "finish_reason": "stop"}], "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
}

fn tool_call(id: &str, name: &str, arguments: &Value) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
}

fn list(detail: &Value, field: &str) -> Vec<Value> {
    detail["tool_calls"].as_array().unwrap().iter().map(|tool| tool[field].clone()).collect()
}

async fn an_openai_tool_loop(backend: Backend) {
    let bed = Bed::start(backend, "openai", |received| {
        let body = received.json();
        let messages = body["messages"].as_array().unwrap();
        if messages.last().unwrap()["role"] == "tool" {
            return chat_answer(&json!({"role": "assistant", "content": "It is sunny."}));
        }
        chat_answer(&json!({"role": "assistant", "content": null,
            "tool_calls": [tool_call("call_1", "get_weather", &json!({"city": "Paris"}))]}))
    })
    .await;
    let headers = [("Helicone-Session-Id", "loop"), ("Helicone-Session-Path", "/weather")];
    let tools = json!([{"type": "function", "function": {"name": "get_weather"}}]);
    let mut messages =
        vec![json!({"role": "system", "content": "Help."}), json!({"role": "user", "content": "Weather?"})];
    let body = json!({"model": "gpt-4o", "messages": messages, "tools": tools});
    let (first, answer) = bed.send("/v1/chat/completions", &headers, &body).await;
    messages.push(answer["choices"][0]["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": "call_1", "content": "{\"error\": \"no such city\"}"}));
    messages[0] = json!({"role": "system", "content": "Help well."});
    let body = json!({"model": "gpt-4o", "messages": messages, "tools": tools});
    let (second, _) = bed.send("/v1/chat/completions", &headers, &body).await;

    let detail = bed.gateway.session("loop", 2).await;
    let tool = &detail["tool_calls"][0];
    assert_eq!(detail["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!((&tool["name"], &tool["tool_call_id"]), (&json!("get_weather"), &json!("call_1")));
    assert_eq!((&tool["request_id"], &tool["result_request_id"]), (&json!(first), &json!(second)));
    assert_eq!((&tool["ok"], &tool["ok_rule"]), (&json!(false), &json!("error_key")));
    assert_eq!((&tool["duration_source"], &tool["path"]), (&json!("gap"), &json!("/weather")));
    assert_eq!(tool["result_preview"], "{\"error\": \"no such city\"}");
    let node = format!("{first}/0");
    assert_eq!(detail["tree"]["children"][0]["tool_calls"], json!([node]));
    let call = &detail["calls"][1];
    assert_eq!((&call["previous_call_id"], &call["new_from_message"]), (&json!(first), &json!(3)));
    assert_eq!((&call["system_changed"], &call["tools_changed"]), (&json!(true), &json!(false)));
    assert_eq!((&call["messages"], &call["session_rule"]), (&json!(4), &Value::Null));
    assert_eq!(detail["calls"][0]["new_from_message"], 0);
}

async fn anthropic_tools_in_parallel(backend: Backend) {
    let bed = Bed::start(backend, "anthropic", |received| {
        let body = received.json();
        let content = if body["messages"].as_array().unwrap().len() > 1 {
            json!([{"type": "text", "text": "One of them failed."}])
        } else {
            json!([{"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"file": "a"}},
                {"type": "tool_use", "id": "toolu_2", "name": "read", "input": {"file": "b"}}])
        };
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": content,
            "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 5}})
    })
    .await;
    let user = json!({"user_id": "user_0a_account_0b_session_5d0f3a77-c2aa-4b11-9f00-0123456789ab"});
    let mut messages = vec![json!({"role": "user", "content": "Read both files."})];
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "metadata": user, "messages": messages});
    let (_, answer) = bed.send("/v1/gateway/anthropic/v1/messages", &[], &body).await;
    messages.push(json!({"role": "assistant", "content": answer["content"]}));
    messages.push(json!({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no such file", "is_error": true},
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "text of a"},
        {"type": "text", "text": "Go on."}]}));
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "metadata": user, "messages": messages});
    bed.send("/v1/gateway/anthropic/v1/messages", &[], &body).await;

    let detail = bed.gateway.session("5d0f3a77-c2aa-4b11-9f00-0123456789ab", 2).await;
    assert_eq!(detail["calls"][0]["session_rule"], "harness");
    assert_eq!(list(&detail, "tool_call_id"), [json!("toolu_1"), json!("toolu_2")]);
    assert_eq!(list(&detail, "ok"), [json!(true), json!(false)]);
    assert_eq!(list(&detail, "ok_rule"), [json!("no_failure"), json!("is_error")]);
    assert_eq!(list(&detail, "wait_rule"), [json!("user_message"), json!("user_message")]);
    assert_eq!(list(&detail, "duration_ms"), [Value::Null, Value::Null]);
    assert!(list(&detail, "wait_ms").iter().all(Value::is_number));
}

async fn responses_by_their_previous_ids(backend: Backend) {
    let bed = Bed::start(backend, "openai", |received| {
        let body = received.json();
        let (id, output) = match body["previous_response_id"].as_str() {
            None => (
                "resp_1",
                json!([{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "find", "arguments": "{}"}]),
            ),
            Some(_) => ("resp_2", json!([{"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "Found."}]}])),
        };
        json!({"id": id, "object": "response", "status": "completed", "model": "gpt-4.1", "output": output,
            "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}})
    })
    .await;
    let (first, _) = bed.send("/v1/responses", &[], &json!({"model": "gpt-4.1", "input": "Find it."})).await;
    assert_eq!(bed.session_of(&first).await, None, "one call alone is no session");
    let more = json!({"model": "gpt-4.1", "previous_response_id": "resp_1", "input": [
        {"type": "function_call_output", "call_id": "call_1", "output": "here"}]});
    let (second, _) = bed.send("/v1/responses", &[], &more).await;
    let session = bed.session_of(&second).await.unwrap();
    assert_eq!(bed.session_of(&first).await.as_ref(), Some(&session));
    let detail = bed.gateway.session(&session, 2).await;
    assert_eq!(detail["calls"][1]["session_rule"], "previous_response_id");
    assert_eq!(detail["calls"][1]["previous_call_id"], json!(first));
    assert_eq!(detail["calls"][1]["new_from_message"], 0, "what is sent is all new");
    assert_eq!(list(&detail, "result_preview"), [json!("here")]);
}

async fn gemini_without_ids(backend: Backend) {
    let bed = Bed::start(backend, "google", |received| {
        let body = received.json();
        let call = |city: &str| json!({"functionCall": {"name": "get_weather", "args": {"city": city}}});
        let parts = match body["contents"].as_array().unwrap().len() {
            1 => json!([call("Paris"), call("Rome")]),
            _ => json!([{"text": "Sunny in both."}]),
        };
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
            "modelVersion": "gemini-2.0-flash", "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}})
    })
    .await;
    let path = "/v1/gateway/google/v1beta/models/gemini-2.0-flash:generateContent";
    let mut contents = vec![json!({"role": "user", "parts": [{"text": "Weather in Paris and Rome?"}]})];
    let (first, answer) = bed.send(path, &[], &json!({"contents": contents})).await;
    contents.push(answer["candidates"][0]["content"].clone());
    contents.push(json!({"role": "user", "parts": [
        {"functionResponse": {"name": "get_weather", "response": {"weather": "sunny"}}},
        {"functionResponse": {"name": "get_weather", "response": {"status": "error"}}}]}));
    let (second, _) = bed.send(path, &[], &json!({"contents": contents})).await;
    let session = bed.session_of(&second).await.unwrap();
    let detail = bed.gateway.session(&session, 2).await;
    assert_eq!(detail["calls"][0]["request_id"], json!(first));
    assert_eq!(detail["calls"][1]["session_rule"], "messages");
    assert_eq!(list(&detail, "tool_call_id"), [Value::Null, Value::Null]);
    assert_eq!(list(&detail, "ok_rule"), [json!("no_failure"), json!("status")]);
    assert_eq!(list(&detail, "result_request_id"), [json!(second), json!(second)]);
}

/// A provider that hands a task over, works on it, and tells.
fn delegating(received: &Received) -> Value {
    let body = received.json();
    let messages = body["messages"].as_array().unwrap();
    let is_parent = messages[0]["content"] == "Clean up this program.";
    match (is_parent, messages.len()) {
        (true, 1) => chat_answer(&json!({"role": "assistant", "content": "", "tool_calls": [
            tool_call("call_task", "Task", &json!({"prompt": "List all functions that nobody calls."}))]})),
        (false, 1) => chat_answer(&json!({"role": "assistant", "content": "", "tool_calls": [
            tool_call("call_grep", "Grep", &json!({"pattern": "fn"}))]})),
        (true, _) => chat_answer(&json!({"role": "assistant", "content": "Clean."})),
        (false, _) => chat_answer(&json!({"role": "assistant", "content": "Three of them."})),
    }
}

async fn an_agent_without_headers_and_its_sub_agent(backend: Backend) {
    let bed = Bed::start(backend, "openai", delegating).await;
    let say = |messages: &[Value]| json!({"model": "gpt-4o", "messages": messages});
    let path = "/v1/chat/completions";
    let mut parent = vec![json!({"role": "user", "content": "Clean up this program."})];
    let (first, answer) = bed.send(path, &[], &say(&parent)).await;
    bed.gateway.call(&first).await;
    let mut child = vec![json!({"role": "user", "content": "List all functions that nobody calls."})];
    let (child_first, child_answer) = bed.send(path, &[], &say(&child)).await;
    bed.gateway.call(&child_first).await;
    child.push(child_answer["choices"][0]["message"].clone());
    child.push(json!({"role": "tool", "tool_call_id": "call_grep", "content": "a b c"}));
    let (child_second, _) = bed.send(path, &[], &say(&child)).await;
    bed.gateway.call(&child_second).await;
    parent.push(answer["choices"][0]["message"].clone());
    parent.push(json!({"role": "tool", "tool_call_id": "call_task", "content": "Three of them."}));
    let (last, _) = bed.send(path, &[], &say(&parent)).await;

    let session = bed.session_of(&last).await.unwrap();
    assert!(session.starts_with("inferred-"), "{session}");
    let detail = bed.gateway.session(&session, 4).await;
    let ids: Vec<&str> =
        detail["calls"].as_array().unwrap().iter().map(|c| c["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&first, &child_first, &child_second, &last]);
    let paths: Vec<&Value> = detail["calls"].as_array().unwrap().iter().map(|call| &call["path"]).collect();
    let below = json!("/Task/call_task");
    assert_eq!(paths, [&Value::Null, &below, &below, &Value::Null]);
    assert_eq!(detail["calls"][1]["session_rule"], "delegated");
    assert_eq!(list(&detail, "name"), [json!("Task"), json!("Grep")]);
    assert_eq!(list(&detail, "ok"), [json!(true), json!(true)]);
    assert_eq!(detail["total_requests"], 4);
}

async fn inference_that_is_off(backend: Backend) {
    let options = GatewayOptions::new(backend).env("TRAILGATE_SESSIONS_INFER", "off");
    let bed = Bed::with(options, "openai", delegating).await;
    let headers = [("session_id", "of-the-harness")];
    let body = json!({"model": "gpt-4o", "prompt_cache_key": "k", "messages": [
        {"role": "user", "content": "Clean up this program."}]});
    for _ in 0..2 {
        let (id, _) = bed.send("/v1/chat/completions", &headers, &body).await;
        assert_eq!(bed.session_of(&id).await, None);
    }
    let (status, answer) = bed.gateway.post("/v1/session/query", &json!({})).await;
    assert_eq!((status, &answer["data"]), (200, &json!([])));
}

/// Two runs of a tool in one answer, of which one is logged too, and a tool that is only logged.
async fn a_call_and_its_log_are_one_use(backend: Backend) {
    let bed = Bed::start(backend, "openai", |received| {
        let body = received.json();
        if body["messages"].as_array().unwrap().len() > 1 {
            return chat_answer(&json!({"role": "assistant", "content": "Sunny in one of them."}));
        }
        chat_answer(&json!({"role": "assistant", "content": null, "tool_calls": [
            tool_call("call_1", "get_weather", &json!({"city": "Paris"})),
            tool_call("call_2", "get_weather", &json!({"city": "Rome"}))]}))
    })
    .await;
    let headers = [("Helicone-Session-Id", "uses"), ("Helicone-Session-Path", "/plan/iteration/3")];
    let mut messages = vec![json!({"role": "user", "content": "Weather?"})];
    let ask = |messages: &[Value]| json!({"model": "gpt-4o", "messages": messages});
    let (first, answer) = bed.send("/v1/chat/completions", &headers, &ask(&messages)).await;
    let answered = now_ms();
    let log = |tool: &str, input: &Value| {
        let time = |ms: i64| json!({"seconds": ms / 1_000, "milliseconds": ms % 1_000});
        json!({
            "providerRequest": {"url": "custom-model-nopath", "json": {"_type": "tool", "toolName": tool, "input": input},
                "meta": {}},
            "providerResponse": {"status": 200, "headers": {}, "json": {"_type": "tool", "toolName": tool, "sky": "clear"}},
            "timing": {"startTime": time(answered), "endTime": time(answered + 40)},
        })
    };
    for (tool, input) in [("get_weather", json!({ "city": "Paris" })), ("save", json!({"where": "file"}))] {
        let mut request = bed.gateway.http.post(format!("{}/custom/v1/log", bed.gateway.url)).bearer_auth(KEY);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(request.json(&log(tool, &input)).send().await.unwrap().status(), 200);
    }
    messages.push(answer["choices"][0]["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": "call_1", "content": "clear"}));
    messages.push(json!({"role": "tool", "tool_call_id": "call_2", "content": "{\"error\": \"no such city\"}"}));
    let (second, _) = bed.send("/v1/chat/completions", &headers, &ask(&messages)).await;

    let detail = bed.gateway.session("uses", 4).await;
    assert_eq!(list(&detail, "result_request_id"), [json!(second), json!(second)]);
    assert_eq!(list(&detail, "duration_source"), [json!("manual"), json!("gap")]);
    assert_eq!(list(&detail, "node"), [json!(format!("{first}/0")), json!(format!("{first}/1"))]);
    assert!(list(&detail, "log_request_id")[0].is_string() && list(&detail, "log_request_id")[1].is_null());

    let query = async |more: Value| {
        let mut body = json!({"from_ms": answered - 3_600_000, "to_ms": answered + 3_600_000, "sort": "value",
            "descending": false, "trend": 2});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = bed.gateway.post("/v1/tool/query", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"].clone()
    };
    let found = query(json!({})).await;
    assert_eq!((&found["total"], &found["truncated"]), (&json!(2), &json!(false)), "{found}");
    let (weather, save) = (&found["rows"][0], &found["rows"][1]);
    for (field, wanted) in [
        ("tool", json!("get_weather")),
        ("calls", json!(2)),
        ("logged", json!(1)),
        ("judged", json!(2)),
        ("errors", json!(1)),
        ("rules", json!([{"rule": "error_key", "calls": 1}])),
        ("duration_source", json!("manual")),
        ("p50_ms", json!(40.0)),
        ("sessions", json!(1)),
        ("unpriced_turns", json!(0)),
        ("previous", Value::Null),
    ] {
        assert_eq!(weather[field], wanted, "{field} of {weather}");
    }
    assert!(weather["error_low"].as_f64().unwrap() > 0.0 && weather["error_high"].as_f64().unwrap() < 1.0);
    let turn = bed.gateway.call(&second).await["cost"].as_f64().unwrap();
    assert!(turn > 0.0 && (weather["turn_cost"].as_f64().unwrap() - turn).abs() < 1e-12, "{weather}: {turn}");
    assert_eq!(weather["trend"].as_array().unwrap().iter().filter_map(Value::as_i64).sum::<i64>(), 2);
    assert_eq!((&save["tool"], &save["calls"], &save["turn_cost"]), (&json!("save"), &json!(1), &json!(0.0)));

    let found = query(json!({"by": "path"})).await;
    let rows: Vec<(&Value, &Value)> =
        found["rows"].as_array().unwrap().iter().map(|row| (&row["tool"], &row["calls"])).collect();
    let three = json!(3);
    let paths = ["/", "/plan", "/plan/iteration", "/plan/iteration/:n"].map(|path| json!(path));
    assert_eq!(rows, paths.iter().map(|path| (path, &three)).collect::<Vec<_>>());
    let found = query(json!({"by": "path", "fold": false, "search": "ITERATION/3"})).await;
    assert_eq!((&found["total"], &found["rows"][0]["tool"]), (&json!(1), &json!("/plan/iteration/3")));
    let found = query(json!({"filter": {"request_response_rmt": {"user_id": {"equals": "nobody"}}}})).await;
    assert_eq!(found["rows"], json!([]));
}

fn now_ms() -> i64 {
    trailgate::model::units::Micros::now().millis()
}
