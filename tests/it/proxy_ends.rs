//! How calls end: each way leaves one record with its own outcome, and failures of the gateway come in the provider's shape.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::raw::Raw;
use crate::support::reply::Reply;
use crate::support::upstream::{Reading, Received, Upstream, closed_port};

fn id_of(answer: &reqwest::Response) -> String {
    answer.headers()["helicone-id"].to_str().unwrap().to_owned()
}

/// A request by hand that says how long its body is, whatever there is of it.
fn post(path: &str, id: &str, length: usize, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: gw\r\nHelicone-Request-Id: {id}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Sends a chat completion; status, body and the stored call.
async fn call(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> (u16, Value, Value) {
    let mut request = gateway.http.post(format!("{}{path}", gateway.url)).body("{\"model\": \"gpt-4o\"}");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, id) = (answer.status().as_u16(), id_of(&answer));
    let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    let stored = gateway.call(&id).await;
    (status, body, stored)
}

async fn every_failure_is_told_in_the_providers_shape_and_recorded(backend: Backend) {
    let upstream = Upstream::start(|got: &Received| match got.path() {
        "/v1/reset" => Reply::reset_at_once(),
        "/v1/stall" => Reply::raw("HTTP/1.1 200 OK\r\n").stall(),
        "/v1/nonsense" => Reply::raw("this is no HTTP\r\n\r\n"),
        _ => Reply::json(429, &json!({"error": {"message": "slow down", "type": "rate_limit"}})),
    })
    .await;
    let closed = closed_port().await;
    let options = GatewayOptions::new(backend)
        .provider("openai", upstream.url())
        .provider("anthropic", format!("http://{closed}"))
        .env("TRAILGATE_TIMEOUTS_FIRST_BYTE_MS", "300");
    let gateway = Gateway::start(options).await;

    let (status, body, stored) = call(&gateway, "/v1/chat/completions", &[]).await;
    assert_eq!((status, &stored["outcome"]), (429, &json!("complete")), "a provider's error passes: {stored}");
    assert_eq!(body["error"]["message"], "slow down");
    assert_eq!(stored["response_status"], 429);

    for (path, status, outcome, code) in [
        ("/v1/reset", 502, "upstream_reset", "upstream_reset"),
        ("/v1/nonsense", 502, "upstream_reset", "upstream_reset"),
        ("/v1/stall", 504, "timeout", "upstream_timeout"),
        ("/nowhere", 404, "refused", "unknown_path"),
    ] {
        let (got, body, stored) = call(&gateway, path, &[]).await;
        assert_eq!(
            (got, &stored["outcome"], &body["error"]["code"]),
            (status, &json!(outcome), &json!(code)),
            "{path}: {body} {stored}"
        );
        assert_eq!(stored["response_status"], status, "{path}");
    }

    let (status, body, stored) = call(&gateway, "/v1/messages", &[]).await;
    assert_eq!((status, &body["type"], &body["error"]["type"]), (502, &json!("error"), &json!("api_error")), "{body}");
    assert_eq!(stored["outcome"], "unreachable");

    for (target, status, code) in [
        ("https://169.254.169.254", 403, "target_refused"),
        ("https://10.1.2.3", 403, "target_refused"),
        ("https://[::ffff:10.1.2.3]", 403, "target_refused"),
        ("not a url", 400, "bad_target"),
        ("https://user@host.example", 400, "bad_target"),
    ] {
        let (got, body, stored) = call(&gateway, "/v1/chat/completions", &[("Helicone-Target-URL", target)]).await;
        assert_eq!((got, &body["error"]["code"]), (status, &json!(code)), "{target}: {body}");
        assert_eq!(stored["outcome"], "refused", "{target}");
    }
}

#[tokio::test]
async fn every_failure_is_told_and_recorded_on_sqlite() {
    every_failure_is_told_in_the_providers_shape_and_recorded(Backend::Sqlite).await;
}

#[tokio::test]
async fn every_failure_is_told_and_recorded_on_postgres() {
    every_failure_is_told_in_the_providers_shape_and_recorded(Backend::Postgres).await;
}

#[tokio::test]
async fn a_reset_in_mid_stream_is_never_a_clean_end() {
    let upstream = Upstream::start(|_: &Received| {
        Reply::events(["data: {\"choices\":[]}\n\n", "data: 2\n\n"]).wait(Duration::from_millis(100)).reset()
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let mut answer = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body("{}").send().await.unwrap();
    let id = id_of(&answer);
    let mut seen = Vec::new();
    let error = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => seen.extend_from_slice(&chunk),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(error.is_some(), "the client must see that the stream broke");
    assert_eq!(seen, b"data: {\"choices\":[]}\n\ndata: 2\n\n");
    let stored = gateway.call(&id).await;
    assert_eq!(stored["outcome"], "upstream_reset", "{stored}");
    let kept = gateway
        .http
        .get(format!("{}/v1/request/{id}/body/response", gateway.url))
        .bearer_auth(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(kept.bytes().await.unwrap(), seen, "the part that came is kept");
}

#[tokio::test]
async fn silence_in_mid_stream_is_a_timeout() {
    let upstream = Upstream::start(|_: &Received| Reply::events(["data: 1\n\n"]).stall()).await;
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_TIMEOUTS_IDLE_MS", "300");
    let gateway = Gateway::start(options).await;
    let answer = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body("{}").send().await.unwrap();
    let id = id_of(&answer);
    assert!(answer.bytes().await.is_err(), "the stream must break");
    assert_eq!(gateway.call(&id).await["outcome"], "timeout");
    upstream.wait_abandoned(1).await;
}

#[tokio::test]
async fn a_request_that_stalls_is_a_timeout() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({}))).await;
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_TIMEOUTS_IDLE_MS", "300");
    let gateway = Gateway::start(options).await;
    let id = "0190c0de-0000-7000-8000-000000000005";
    let mut client = Raw::connect(&gateway.url).await;
    client.send(post("/v1/stalled", id, 100, "{\"model\":")).await;
    let said = client.until("request_timeout").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    let stored = gateway.call(id).await;
    assert_eq!((&stored["outcome"], &stored["response_status"]), (&json!("timeout"), &json!(408)), "{stored}");
    assert!(upstream.received().is_empty(), "nothing was forwarded");
}

#[tokio::test]
async fn a_client_that_does_not_read_frees_the_upstream() {
    let upstream =
        Upstream::start(|_: &Received| Reply::events(std::iter::repeat_n("x".repeat(64 << 10), 1_000)).stall()).await;
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_TIMEOUTS_IDLE_MS", "1000");
    let gateway = Gateway::start(options).await;
    let id = "0190c0de-0000-7000-8000-000000000006";
    let mut client = Raw::connect(&gateway.url).await;
    client.send(post("/v1/unread", id, 2, "{}")).await;
    upstream.wait_abandoned(1).await;
    let stored = gateway.call(id).await;
    assert_eq!(stored["outcome"], "client_gone", "{stored}");
}

#[tokio::test]
async fn a_client_that_leaves_frees_the_upstream_and_leaves_a_record() {
    let upstream = Upstream::start(|got: &Received| match got.path() {
        "/v1/before" => Reply::raw("").stall(),
        _ => Reply::events(["data: 1\n\n"]).stall(),
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    for (n, (path, wait, id)) in [
        ("/v1/during", "data: 1", "0190c0de-0000-7000-8000-000000000001"),
        ("/v1/before", "", "0190c0de-0000-7000-8000-000000000002"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Raw::connect(&gateway.url).await;
        client.send(post(path, id, 2, "{}")).await;
        upstream.wait_received(n + 1).await;
        client.until(wait).await;
        drop(client);
        upstream.wait_abandoned(n + 1).await;
        let stored = gateway.call(id).await;
        assert_eq!(stored["outcome"], "client_gone", "{path}: {stored}");
    }
}

#[tokio::test]
async fn a_client_that_ends_its_half_has_left() {
    let upstream = Upstream::start(|_: &Received| Reply::events(["data: 1\n\n"]).stall()).await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let id = "0190c0de-0000-7000-8000-000000000003";
    let mut client = Raw::connect(&gateway.url).await;
    client.send(post("/v1/half", id, 2, "{}")).await;
    client.until("data: 1").await;
    client.end().await;
    upstream.wait_abandoned(1).await;
    let stored = gateway.call(id).await;
    assert_eq!(stored["outcome"], "client_gone", "{stored}");
    assert!(!client.rest().await.ends_with(b"0\r\n\r\n"), "no clean end for an answer that was not whole");
}

#[tokio::test]
async fn an_answer_before_the_request_was_sent_is_kept_with_what_was_sent() {
    let upstream = Upstream::reading(Reading::HeadOnly, |_: &Received| {
        Reply::json(413, &json!({"error": {"message": "too large"}}))
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let id = "0190c0de-0000-7000-8000-000000000004";
    let mut client = Raw::connect(&gateway.url).await;
    client.send(post("/v1/files", id, 9_000_000, "")).await;
    client.send(vec![b'x'; 100_000]).await;
    client.until("too large").await;
    // The connection cannot be used again: most of the request is not there.
    client.rest().await;
    let stored = gateway.call(id).await;
    assert_eq!((&stored["outcome"], &stored["response_status"]), (&json!("complete"), &json!(413)), "{stored}");
    let path = format!("{}/v1/request/{id}/body/request", gateway.url);
    let kept = gateway.http.get(path).bearer_auth(KEY).send().await.unwrap().bytes().await.unwrap();
    assert!(kept.len() <= 100_000 && kept.iter().all(|byte| *byte == b'x'), "{} bytes", kept.len());
}

#[tokio::test]
async fn a_broken_stream_keeps_the_usage_that_was_told() {
    let start = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-3-5-sonnet-20241022", "content": [], "usage": {"input_tokens": 321, "output_tokens": 1}}});
    let event = format!("event: message_start\ndata: {start}\n\n");
    let upstream =
        Upstream::start(move |_: &Received| Reply::events([event.clone()]).wait(Duration::from_millis(100)).reset())
            .await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("anthropic", upstream.url())).await;
    let answer = gateway.http.post(format!("{}/v1/messages", gateway.url)).body("{}").send().await.unwrap();
    let id = id_of(&answer);
    assert!(answer.bytes().await.is_err(), "the stream must break");
    let stored = gateway.call(&id).await;
    assert_eq!((&stored["outcome"], &stored["prompt_tokens"]), (&json!("upstream_reset"), &json!(321)), "{stored}");
}

#[tokio::test]
async fn keys_are_asked_for_and_never_passed_on() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({"ok": true}))).await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url()).keys()).await;
    let url = format!("{}/v1/chat/completions", gateway.url);
    let send = async |headers: &[(&str, String)]| {
        let request = headers
            .iter()
            .fold(gateway.http.post(&url).body("{}"), |request, (name, value)| request.header(*name, value));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap())
    };
    let own = format!("Bearer {KEY}");
    for (headers, forwarded) in [
        (
            vec![("helicone-auth", own.clone()), ("authorization", "Bearer sk-provider".to_owned())],
            Some("Bearer sk-provider"),
        ),
        (vec![("authorization", format!("Bearer sk-provider, {own}"))], Some("Bearer sk-provider")),
        (vec![("authorization", format!("{own}, Bearer sk-provider"))], Some("Bearer sk-provider")),
        (vec![("authorization", own.clone())], None),
        (
            vec![("x-api-key", KEY.to_owned()), ("authorization", "Bearer sk-provider".to_owned())],
            Some("Bearer sk-provider"),
        ),
    ] {
        let (status, body) = send(&headers).await;
        assert_eq!(status, 200, "{headers:?}: {body}");
        let got = upstream.last();
        assert_eq!(got.header("authorization"), forwarded, "{headers:?}");
        assert!(!String::from_utf8_lossy(&got.head).contains(KEY), "our key went upstream");
    }
    // Wherever it stands: a second line of the same name, and the header of Google's clients.
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send(format!(
            "POST /v1/x HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer sk-provider\r\nAuthorization: {own}\r\n\
             x-goog-api-key: {KEY}\r\nContent-Length: 2\r\n\r\n{{}}"
        ))
        .await;
    client.until("\"ok\"").await;
    let got = upstream.last();
    assert_eq!((got.header("authorization"), got.header("x-goog-api-key")), (Some("Bearer sk-provider"), None));
    assert!(!String::from_utf8_lossy(&got.head).contains(KEY), "our key went upstream");
    let before = upstream.received().len();
    for headers in [
        vec![],
        vec![("authorization", "Bearer sk-provider".to_owned())],
        vec![("helicone-auth", "Bearer sk-helicone-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa".to_owned())],
        vec![("helicone-auth", "Bearer wrong".to_owned()), ("authorization", "Bearer sk-provider".to_owned())],
    ] {
        let (status, body) = send(&headers).await;
        assert_eq!((status, &body["error"]["type"]), (401, &json!("authentication_error")), "{headers:?}: {body}");
    }
    assert_eq!(upstream.received().len(), before, "nothing was forwarded");
    assert!(!gateway.stderr().contains(KEY));

    // What nobody's call says of itself is not kept.
    let claims = [("x-claude-code-session-id", "victim".to_owned()), ("helicone-session-id", "victim".to_owned())];
    assert_eq!(send(&claims).await.0, 401);
    let found = gateway.http.post(format!("{}/v1/session/query", gateway.url)).bearer_auth(KEY).json(&json!({}));
    let found: Value = found.send().await.unwrap().json().await.unwrap();
    assert!(!found.to_string().contains("victim"), "{found}");
}

#[tokio::test]
async fn a_websocket_is_told_that_it_is_not_forwarded() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({"ok": true}))).await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let ask = |connection: &str| {
        format!(
            "GET /v1/realtime?model=m HTTP/1.1\r\nHost: gw\r\nConnection: {connection}\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    };
    let mut client = Raw::connect(&gateway.url).await;
    client.send(ask("keep-alive, Upgrade")).await;
    let answer = client.until("websocket_unsupported").await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
    assert!(upstream.received().is_empty());
    // It asks for nothing: a header that an ordinary call carries.
    let mut client = Raw::connect(&gateway.url).await;
    client.send(ask("keep-alive")).await;
    client.until("\"ok\"").await;
    let rows =
        gateway.http.post(format!("{}/v1/request/query-clickhouse", gateway.url)).json(&json!({"filter": "all"}));
    let rows: Value = rows.send().await.unwrap().json().await.unwrap();
    let found: Vec<_> =
        rows["data"].as_array().unwrap().iter().map(|row| (&row["response_status"], &row["outcome"])).collect();
    assert!(found.contains(&(&json!(501), &json!("refused"))) && found.len() == 2, "{rows}");
}

/// What a page of a stranger can make a browser send to a gateway that asks for no key.
#[tokio::test]
async fn pages_of_strangers_reach_no_upstream() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({"ok": true}))).await;
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let send = async |method: reqwest::Method, headers: &[(&str, &str)]| {
        let url = format!("{}/v1/chat/completions", gateway.url);
        let request =
            headers.iter().fold(gateway.http.request(method, url), |r, (name, value)| r.header(*name, *value));
        request.body("{}").send().await.unwrap().status().as_u16()
    };
    let target = ("helicone-target-url", upstream.url());
    let target = (target.0, target.1.as_str());
    let (evil, key) = (("origin", "https://evil.example"), ("authorization", "Bearer sk-x"));
    let rebound = ("host", "rebound.example.com:8787");
    for headers in [vec![evil], vec![evil, key], vec![("sec-fetch-site", "cross-site")], vec![rebound, target]] {
        assert_eq!(send(reqwest::Method::POST, &headers).await, 403, "{headers:?}");
    }
    for headers in
        [vec![rebound, target], vec![rebound, ("user-agent", "Mozilla/5.0")], vec![rebound, ("referer", "x")]]
    {
        assert_eq!(send(reqwest::Method::GET, &headers).await, 403, "{headers:?}");
    }
    assert!(upstream.received().is_empty());
    for headers in [
        vec![],
        vec![target],
        vec![("host", "oai.helicone.ai"), target],
        vec![("host", "gateway.localhost:8787"), target],
        // A program of the operator's network.
        vec![("host", "llm.example.com")],
        // A page that is being developed on this machine.
        vec![("origin", "http://localhost:3000"), key],
    ] {
        assert_eq!(send(reqwest::Method::POST, &headers).await, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn kill_9_loses_nothing_that_a_client_was_told() {
    let upstream = Upstream::start(|got: &Received| match got.path() {
        "/v1/stall" => Reply::raw("").stall(),
        _ => Reply::json(
            200,
            &json!({"model": "gpt-4o", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}),
        ),
    })
    .await;
    let mut gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        let answer = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body("{}").send().await.unwrap();
        let id = id_of(&answer);
        answer.bytes().await.unwrap();
        ids.push(id);
    }
    let hanging = "0190c0de-0000-7000-8000-00000000000f";
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send(format!(
            "POST /v1/stall HTTP/1.1\r\nHost: gw\r\nHelicone-Request-Id: {hanging}\r\nContent-Length: 2\r\n\r\n{{}}"
        ))
        .await;
    upstream.wait_received(51).await;
    // Nobody waits for the frame that says that a call began: two of each answered call, one of the hanging one.
    gateway
        .until("the hanging call's begin is written", async |gateway| {
            let figures = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.ok()?.text().await.ok()?;
            figures.lines().any(|line| line == "trailgate_journal_frames_total 101").then_some(())
        })
        .await;
    gateway.kill().await;
    gateway.launch().await;
    for id in &ids {
        assert_eq!(gateway.call(id).await["outcome"], "complete");
    }
    assert_eq!(gateway.call(hanging).await["outcome"], "interrupted");
    let (_, count) = gateway.post("/v1/request/count/query", &json!({"filter": {}})).await;
    assert_eq!(count["data"], 51, "each call once: {count}");
}
