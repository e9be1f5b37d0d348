//! The real client packages against the real gateway: the snippets of Helicone's agent-tracing page as published, the
//! SDKs' streams and exceptions, and every way in which the manual loggers post. Each on both databases.

use serde_json::{Value, json};

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::clients::{python, typescript};
use crate::support::openai::{self, ANSWER, COMPLETION, GPT_4O_COST, PROMPT};
use crate::support::upstream::{Received, Upstream};

on_both!(
    tracked_agents,
    complete_agent,
    tool_logger,
    openai_and_anthropic_sdks,
    python_manual_logs,
    typescript_manual_logs
);

async fn start(backend: Backend) -> (Gateway, Upstream) {
    let upstream = Upstream::start(openai::script).await;
    let options = GatewayOptions::new(backend)
        .keys()
        .provider("openai", upstream.url())
        .provider("anthropic", upstream.url())
        .env("TRAILGATE_TIMEOUTS_FIRST_BYTE_MS", "1500");
    (Gateway::start(options).await, upstream)
}

/// No tag and no key of ours reached the provider, and its own credential did.
fn assert_clean(received: &[Received]) {
    for call in received {
        assert!(
            !call
                .headers
                .iter()
                .any(|(name, value)| name.to_lowercase().starts_with("helicone-") || value.contains(KEY))
        );
        let credential = call.header("authorization").or_else(|| call.header("x-api-key"));
        assert!(credential.is_some_and(|text| text.contains("provider-key")), "{:?}", call.headers);
    }
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|number| (number - expected).abs() < 1e-9)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// The paths of the tree's nodes with the number of calls at exactly that path, in order.
fn paths(session: &Value) -> Vec<(String, u64)> {
    fn walk(node: &Value, found: &mut Vec<(String, u64)>) {
        let own = node["own"]["requests"].as_u64().unwrap_or_default();
        if own > 0 {
            found.push((text(node, "path").to_owned(), own));
        }
        for child in node["children"].as_array().into_iter().flatten() {
            walk(child, found);
        }
    }
    let mut found = Vec::new();
    walk(&session["tree"], &mut found);
    found
}

/// The session's calls by path; a path that occurs twice keeps its last call.
fn by_path(session: &Value, path: &str) -> Value {
    let calls = session["calls"].as_array().unwrap_or_else(|| panic!("no calls in {session}"));
    calls.iter().rfind(|call| call["path"] == path).unwrap_or_else(|| panic!("no {path} in {session}")).clone()
}

async fn tracked_agents(backend: Backend) {
    let (gateway, upstream) = start(backend).await;
    let expected = ["/classify-query", "/tools/search-database", "/tools/search-database/format-results"];
    let mut sessions = Vec::new();
    for seen in [python(&gateway, "tracked_agent", &[]).await, typescript(&gateway, "tracked_agent", &[]).await] {
        assert_eq!(seen["answers"], json!([ANSWER, ANSWER, ANSWER]));
        let id = text(&seen, "session").to_owned();
        let session = gateway.session(&id, 3).await;
        assert_eq!(session["session_name"], "AI Agent");
        assert!(near(&session["total_cost"], 3.0 * GPT_4O_COST), "cost of {session}");
        assert_eq!(session["input_tokens"], 3 * PROMPT);
        assert_eq!(session["output_tokens"], 3 * COMPLETION);
        assert_eq!(paths(&session), expected.map(|path| (path.to_owned(), 1)));
        sessions.push(id);
    }
    assert_clean(&upstream.received());

    let answer = typescript(&gateway, "query_sessions", &[]).await;
    assert_eq!(answer["status"], 200, "{answer}");
    let rows = answer["sessions"]["data"].as_array().expect("rows").clone();
    let mut found: Vec<&str> = rows.iter().map(|row| text(row, "session_id")).collect();
    found.reverse();
    assert_eq!(found, sessions, "newest first, one row a session: {rows:?}");
    for row in &rows {
        assert_eq!(row["total_requests"], 3);
        assert!(near(&row["total_cost"], 3.0 * GPT_4O_COST), "cost of {row}");
    }
}

async fn complete_agent(backend: Backend) {
    let (gateway, upstream) = start(backend).await;
    let seen = python(&gateway, "complete_agent", &[]).await;
    assert_eq!(seen["answer"], ANSWER);
    let id = text(&seen, "session");
    let session = gateway.session(id, 5).await;
    assert_eq!(session["session_name"], "Complete Agent");
    assert_eq!(session["errors"], 0);
    assert!(near(&session["total_cost"], 3.0 * GPT_4O_COST), "cost of {session}");
    let expected = ["/iteration/0", "/iteration/1", "/iteration/2", "/tools/search_database", "/tools/fetch_weather"];
    assert_eq!(paths(&session), expected.map(|path| (path.to_owned(), 1)));
    let tool = by_path(&session, "/tools/fetch_weather");
    assert_eq!((text(&tool, "kind"), text(&tool, "model")), ("tool", "tool:fetch_weather"));
    assert_clean(&upstream.received());

    // The tool logs carry no name; the session is one row all the same.
    let (status, rows) = gateway.post("/v1/session/query", &json!({"search": id})).await;
    assert_eq!(status, 200, "{rows}");
    let rows = rows["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["total_requests"], 5);
    let filter = json!({"filter": {"properties": {"Tool-Category": "external-api"}}});
    let (_, rows) = gateway.post("/v1/session/query", &filter).await;
    assert_eq!(rows["data"][0]["session_id"], id, "{rows}");
}

async fn tool_logger(backend: Backend) {
    let (gateway, _upstream) = start(backend).await;
    let seen = python(&gateway, "agent_with_tools", &[]).await;
    assert_eq!(seen["results"][1], json!({"temp": 72, "condition": "sunny"}));
    let session = gateway.session(text(&seen, "session"), 4).await;
    let expected = [("/tools/search_database", 2), ("/tools/fetch_weather", 1), ("/tools/send_email", 1)];
    assert_eq!(paths(&session), expected.map(|(path, calls)| (path.to_owned(), calls)));
    let id = text(&by_path(&session, "/tools/fetch_weather"), "request_id").to_owned();
    let call = gateway.call(&id).await;
    assert_eq!(
        call["request_body"],
        json!({"_type": "tool", "toolName": "fetch_weather", "input": {"location": "Paris"}})
    );
    assert_eq!(call["response_body"]["temp"], 72);

    let seen = typescript(&gateway, "agent_with_tools", &[]).await;
    assert_eq!(seen["results"][2], json!({"error": "Unknown tool: send_email"}));
    let session = gateway.session(text(&seen, "session"), 3).await;
    let expected = ["/tools/search_database", "/tools/fetch_weather", "/tools/send_email"];
    assert_eq!(paths(&session), expected.map(|path| (path.to_owned(), 1)));
    assert_eq!(by_path(&session, "/tools/search_database")["model"], "tool:search_database");
}

async fn openai_and_anthropic_sdks(backend: Backend) {
    let (gateway, _upstream) = start(backend).await;
    let seen = python(&gateway, "sdk_calls", &[]).await;
    let words = ANSWER.split(' ').count();
    assert_eq!(seen["text"], ANSWER);
    assert_eq!(seen["provider_request_id"], "req_scripted");
    assert_eq!(seen["stream"], json!({"chunks": words, "text": ANSWER, "usage": PROMPT + COMPLETION}));
    assert_eq!(seen["usage_by_header"], json!([PROMPT + COMPLETION]));
    assert_eq!(seen["cut"]["words"], 3, "{}", seen["cut"]);
    assert_ne!(seen["cut"]["class"], "nothing", "a broken stream must not look like a whole one");
    assert_eq!(seen["claude"], ANSWER);
    assert_eq!(seen["claude_stream"], json!({"text": ANSWER, "output_tokens": COMPLETION}));
    let python_classes = [
        ("provider_400", "BadRequestError", 400),
        ("provider_401", "AuthenticationError", 401),
        ("provider_429", "RateLimitError", 429),
        ("provider_500", "InternalServerError", 500),
        ("bad_key", "AuthenticationError", 401),
        ("unreachable", "InternalServerError", 502),
        ("forbidden_target", "PermissionDeniedError", 403),
        ("timeout", "InternalServerError", 504),
        ("claude_unreachable", "InternalServerError", 502),
    ];
    assert_raised(&seen["errors"], &python_classes);
    assert_eq!(seen["errors"]["claude_529"][1], 529);
    let call = gateway.call(text(&seen, "id")).await;
    assert_eq!(call["response_status"], 200);
    assert!(near(&call["cost"], GPT_4O_COST), "cost of {call}");

    let seen = typescript(&gateway, "sdk_calls", &[]).await;
    assert_eq!(seen["text"], ANSWER);
    assert_eq!(seen["stream"], json!({"chunks": words, "text": ANSWER, "usage": PROMPT + COMPLETION}));
    assert_raised(&seen["errors"], &python_classes[..6]);
    assert_eq!(seen["errors"]["timeout"][1], 504);
    // Whole, streamed, four provider errors, unreachable, timed out, abandoned; who shows a bad key joins no session.
    let session = gateway.session("typescript-sdk", 9).await;
    assert_eq!(by_path(&session, "/abandoned")["outcome"], "client_gone");
}

fn assert_raised(errors: &Value, expected: &[(&str, &str, u16)]) {
    for (case, class, status) in expected {
        assert_eq!(errors[case][0], *class, "{case}: {errors}");
        assert_eq!(errors[case][1], *status, "{case}: {errors}");
        assert!(errors[case][2].is_string() || errors[case][2].is_object(), "{case} says nothing: {errors}");
    }
}

async fn python_manual_logs(backend: Backend) {
    let (gateway, _upstream) = start(backend).await;
    let seen = python(&gateway, "manual_logs", &[]).await;
    assert_eq!(seen["raised"], true);
    let session = gateway.session("python-logs", 10).await;
    let call = |path: &str| by_path(&session, path);
    let openai = call("/openai");
    assert_eq!((openai["input_tokens"].as_i64(), openai["output_tokens"].as_i64()), (Some(10), Some(5)), "{openai}");
    assert_eq!(call("/anthropic")["model"], "claude-sonnet-4-5");
    assert_eq!(call("/anthropic")["output_tokens"], 3);
    assert!(call("/text")["input_tokens"].is_null());
    assert_eq!(call("/vector")["model"], "vector_db");
    assert_eq!(call("/data")["model"], "data:load-user");
    assert_eq!(call("/builder/whole")["input_tokens"], 4);
    for path in ["/base/some/base", "/base/v1/trace"] {
        assert_eq!(call(path)["model"], "tool:based");
    }
    let text_row = gateway.call(text(&call("/text"), "request_id")).await;
    assert_eq!(text_row["response_body"], "plain text");
    assert_eq!(gateway.call(text(&openai, "request_id")).await["delay_ms"], 1500);
}

async fn typescript_manual_logs(backend: Backend) {
    let (gateway, _upstream) = start(backend).await;
    let seen = typescript(&gateway, "manual_logs", &[]).await;
    assert_eq!(seen["raised"], true);
    assert_eq!(seen["old"], json!([200, "ok", true]));
    let session = gateway.session("typescript-logs", 16).await;
    let call = |path: &str| by_path(&session, path);
    let tokens = |path: &str| (call(path)["input_tokens"].as_i64(), call(path)["output_tokens"].as_i64());
    assert_eq!(tokens("/sendLog"), (Some(10), Some(5)));
    assert_eq!(tokens("/logStream"), (Some(11), Some(6)));
    assert_eq!(tokens("/logSingleStream"), (Some(11), Some(6)));
    assert_eq!(tokens("/logSingleRequest"), (Some(4), Some(2)));
    assert_eq!(tokens("/builder/whole"), (Some(3), Some(1)));
    assert_eq!(tokens("/builder/stream"), (Some(11), Some(6)));
    assert_eq!(tokens("/old-client"), (Some(2), Some(1)));
    assert_eq!(call("/status")["status"], 503);
    assert_eq!(call("/builder/error")["status"], 500);
    assert_eq!(call("/builder/cancelled")["status"], -3);
    for n in 0..6 {
        assert_eq!(call(&format!("/endpoint/{n}"))["model"], "tool:based");
    }
}
