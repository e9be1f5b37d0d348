//! What clients meet at the edges of the API, on both databases: paths that look alike, headers and bodies of odd forms.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

on_both!(
    a_log_is_judged_alike_by_calls_and_tools,
    a_call_stays_in_its_session,
    a_target_wins_over_paths_of_the_api,
    what_is_not_offered_is_not_forwarded,
    sessions_with_names_of_paths,
    a_prompt_is_a_property,
    what_cannot_be_taken_says_why,
    no_call_leads_back_to_the_gateway,
);

async fn start(backend: Backend) -> Gateway {
    Gateway::start(GatewayOptions::new(backend).keys()).await
}

/// Logs a call of a tool in a session, and gives its id.
async fn log_tool(gateway: &Gateway, session: &str, tool: &str, response: &Value) -> String {
    let id = Uuid::new_v4().to_string();
    let body = json!({
        "providerRequest": {"url": "custom-model-nopath", "json": {"_type": "tool", "toolName": tool}, "meta": {}},
        "providerResponse": {"status": 200, "headers": {}, "json": response},
    });
    let request = gateway.http.post(format!("{}/custom/v1/log", gateway.url)).bearer_auth(KEY).json(&body);
    let request = request.header("Helicone-Request-Id", &id).header("Helicone-Session-Id", session);
    assert_eq!(request.send().await.unwrap().status(), 200);
    gateway.call(&id).await;
    id
}

async fn a_log_is_judged_alike_by_calls_and_tools(backend: Backend) {
    let gateway = start(backend).await;
    for (n, (response, error)) in [
        (json!({"error": false, "hits": 3}), None),
        (json!({"error": {}, "errors": []}), None),
        (json!({"error": "", "exit_code": 0}), None),
        (json!({"error": "no such table"}), Some("no such table")),
        (json!({"success": false}), Some("{\"success\":false}")),
        (json!({"success": false, "message": "no disk"}), Some("no disk")),
    ]
    .into_iter()
    .enumerate()
    {
        let (session, tool) = (format!("judged-{n}"), format!("tool_{n}"));
        let id = log_tool(&gateway, &session, &tool, &response).await;
        let row = gateway.call(&id).await;
        assert_eq!(row["error_rule"], error.map_or(Value::Null, |_| json!("tool_error")), "{response}: {row}");
        assert_eq!(row["error_message"].as_str(), error, "{response}");
        let failed = i64::from(error.is_some());
        assert_eq!(gateway.session(&session, 1).await["errors"], failed, "{response}");
        let now = trailgate::model::units::Micros::now().millis();
        let query = json!({"from_ms": now - 3_600_000, "to_ms": now + 3_600_000, "search": tool});
        let (_, found) = gateway.post("/v1/tool/query", &query).await;
        let row = &found["data"]["rows"][0];
        assert_eq!((&row["judged"], &row["errors"]), (&json!(1), &json!(failed)), "{response}: {found}");
    }
}

async fn a_call_stays_in_its_session(backend: Backend) {
    let gateway = start(backend).await;
    let id = log_tool(&gateway, "home", "t", &json!({})).await;
    for key in ["Helicone-Session-Id", "helicone-session-name", "HELICONE-SESSION-PATH"] {
        let request = gateway.http.put(format!("{}/v1/request/{id}/property", gateway.url)).bearer_auth(KEY);
        let answer = request.json(&json!({"key": key, "value": "away"})).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{key}");
        let said: Value = answer.json().await.unwrap();
        assert!(said["error"].as_str().unwrap().starts_with("key: a call stays in the session"), "{said}");
    }
    assert_eq!(gateway.call(&id).await["properties"], json!({"Helicone-Session-Id": "home"}));
}

async fn a_target_wins_over_paths_of_the_api(backend: Backend) {
    let upstream = Upstream::start(|got: &Received| Reply::json(200, &json!({"seen": got.target}))).await;
    let gateway = start(backend).await;
    log_tool(&gateway, "secret", "t", &json!({})).await;
    for header in ["Helicone-Target-URL", "Helicone-OpenAI-Api-Base"] {
        for path in ["/v1/session/query", "/v1/user/subscription", "/v1/session/secret", "/healthz"] {
            let request = gateway.http.post(format!("{}{path}", gateway.url)).header(header, upstream.url());
            let request = request.header("cookie", "trailgate_session=x; a=b").header("x-api-key", "provider");
            let answer = request.bearer_auth(KEY).body("{}").send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"seen": path}), "{header}");
            let got = upstream.last();
            assert_eq!((got.header("authorization"), got.header("x-api-key")), (None, Some("provider")), "{path}");
            assert_eq!(got.header("cookie"), Some("a=b"), "{path}");
        }
    }
    let asked = upstream.received().len();
    let request = gateway.http.post(format!("{}/v1/session/query", gateway.url)).body("{}");
    let answer = request.header("Helicone-Target-URL", upstream.url()).send().await.unwrap();
    assert_eq!(answer.status(), 401, "a key is needed as ever");
    let request = gateway.http.post(format!("{}/custom/v1/log", gateway.url)).bearer_auth(KEY);
    let envelope =
        json!({"providerRequest": {"url": "x", "json": {}}, "providerResponse": {"status": 200, "json": {}}});
    let answer = request.header("Helicone-Target-URL", upstream.url()).json(&envelope).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok", "a log stays a log");
    assert_eq!(upstream.received().len(), asked);
}

async fn what_is_not_offered_is_not_forwarded(backend: Backend) {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({}))).await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    for path in [
        "/v1/vault/add",
        "/v1/prompt-2025/query/production-version",
        "/v1/public/model-registry/models",
        "/v1/evaluator/query",
        "/v1/customer/c/usage",
        "/v1/webhooks",
        "/v1/alert/query",
        "/v1/rate-limits",
        "/v1/log/request",
    ] {
        let (status, said) = gateway.post(path, &json!({"key": "provider's"})).await;
        let words = said["error"].as_str().unwrap_or_default();
        assert!(status == 404 && words.starts_with(&format!("Trailgate does not offer {path}, ")), "{path}: {said}");
    }
    let (status, said) = gateway.post("/v1/gateway/antropic/v1/messages", &json!({})).await;
    assert_eq!((status, &said["code"]), (404, &json!("unknown_path")), "{said}");
    assert!(said["error"]["message"].as_str().unwrap().contains("anthropic"), "{said}");
    assert_eq!(upstream.received().len(), 0);
    for path in ["/v1/evals", "/v1/organization/costs"] {
        assert_eq!(gateway.post(path, &json!({})).await.0, 200, "{path}");
    }
}

async fn sessions_with_names_of_paths(backend: Backend) {
    let gateway = start(backend).await;
    for id in ["query", "count", "name", "metrics"] {
        log_tool(&gateway, id, "t", &json!({})).await;
        assert_eq!(gateway.session(id, 1).await["session_id"], id);
        let (status, tag) = gateway.get(&format!("/v1/session/{id}/tag")).await;
        assert_eq!((status, &tag["data"]), (200, &Value::Null), "{id}");
    }
    let (status, list) = gateway.post("/v1/session/query", &json!({})).await;
    assert_eq!((status, list["data"].as_array().unwrap().len()), (200, 4));
    let answer =
        gateway.http.delete(format!("{}/v1/session/query", gateway.url)).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    let nobody = gateway.http.get(format!("{}/v1/session/query", gateway.url)).send().await.unwrap();
    assert_eq!(nobody.status(), 401, "a key is needed as ever");
}

async fn a_prompt_is_a_property(backend: Backend) {
    let gateway = start(backend).await;
    let id = Uuid::new_v4().to_string();
    let body = json!({
        "providerRequest": {"url": "x", "json": {}, "meta": {"Helicone-Session-Id": "prompted"}},
        "providerResponse": {"status": 200, "headers": {}, "json": {}},
    });
    let request = gateway.http.post(format!("{}/custom/v1/log", gateway.url)).bearer_auth(KEY).json(&body);
    let request = request.header("Helicone-Prompt-Id", "pid").header("Helicone-Request-Id", &id);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let row = gateway.call(&id).await;
    assert_eq!((&row["prompt_id"], &row["properties"]["Helicone-Prompt-Id"]), (&json!("pid"), &json!("pid")));
    let filter = json!({"filter": {"properties": {"Helicone-Prompt-Id": "pid"}}});
    let (_, found) = gateway.post("/v1/session/query", &filter).await;
    assert_eq!(found["data"][0]["session_id"], "prompted", "{found}");
    let (_, found) = gateway.post("/v1/request/query-clickhouse", &filter).await;
    assert_eq!(found["data"][0]["request_id"], id.as_str(), "{found}");
}

async fn what_cannot_be_taken_says_why(backend: Backend) {
    let gateway = start(backend).await;
    for path in ["/custom/v1/log", "/v1/session/query"] {
        let request = gateway.http.post(format!("{}{path}", gateway.url)).bearer_auth(KEY).body("packed");
        let answer = request.header("Content-Encoding", "gzip").send().await.unwrap();
        assert_eq!(answer.status(), 415, "{path}");
        let said: Value = answer.json().await.unwrap();
        assert!(said["error"].as_str().unwrap().contains("Content-Encoding: gzip"), "{said}");
        let request = gateway.http.post(format!("{}{path}", gateway.url)).bearer_auth(KEY).body("7");
        let answer = request.header("Content-Encoding", "identity").send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        let said: Value = answer.json().await.unwrap();
        assert!(!said["error"].as_str().unwrap().contains("struct "), "{said}");
    }
    for (path, allowed) in
        [("/x/custom/v1/log", "POST"), ("/custom/v1/log", "POST"), ("/v1/session/name/query", "POST")]
    {
        let answer = gateway.http.get(format!("{}{path}", gateway.url)).bearer_auth(KEY).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, allowed), "{path}");
    }
}

async fn no_call_leads_back_to_the_gateway(backend: Backend) {
    let gateway = Gateway::start(GatewayOptions::new(backend)).await;
    log_tool(&gateway, "secret", "t", &json!({})).await;
    for path in ["/v1/session/query", "/v1/gateway/openai/v1/session/query"] {
        let request = gateway.http.post(format!("{}{path}", gateway.url)).body("{}");
        let request = request.header("Sec-Fetch-Site", "same-origin").header("Helicone-Target-URL", &gateway.url);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await.unwrap().contains("is this gateway itself"), "{path}");
    }
}
