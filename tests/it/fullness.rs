//! A journal that fills up under the real binary: bodies go first, then whole records, each counted exactly; everything is
//! normal again when the database takes records, without a restart.

use serde_json::{Value, json};

use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::reply::Reply;
use crate::support::stall::Stall;
use crate::support::upstream::{Received, Upstream};

/// The organisation of calls without a key.
const ORG: &str = "00000000-0000-0000-0000-000000000001";
const CALL: &str = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}"#;

fn answer() -> Value {
    json!({"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x".repeat(8_000)}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}})
}

async fn upstream() -> Upstream {
    Upstream::start(|_: &Received| Reply::json(200, &answer())).await
}

fn options(backend: Backend, upstream: &Upstream) -> GatewayOptions {
    GatewayOptions::new(backend)
        .provider("openai", upstream.url())
        .env("TRAILGATE_JOURNAL_MAX_BYTES", "1048576")
        .env("TRAILGATE_JOURNAL_MIN_FREE_BYTES", "0")
        .env("TRAILGATE_DATABASE_STATEMENT_TIMEOUT_MS", "1000")
}

/// One call: its id, and whether the answer says that it is on record.
async fn call(gateway: &Gateway) -> (String, bool) {
    let sent = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body(CALL).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let logged = sent.headers().get("trailgate-logged").is_none_or(|value| value != "false");
    let id = sent.headers()["helicone-id"].to_str().unwrap().to_owned();
    assert_eq!(sent.json::<Value>().await.unwrap(), answer(), "served whole, on record or not");
    (id, logged)
}

async fn step(gateway: &Gateway) -> String {
    let (_, body) = gateway.get("/readyz").await;
    body["journal"]["step"].as_str().unwrap().to_owned()
}

/// Status and `Retry-After` of a manual log with so many bytes in it.
async fn log(gateway: &Gateway, bytes: usize) -> (u16, bool) {
    let body = json!({"providerRequest": {"url": "x", "json": {"text": "y".repeat(bytes)}, "meta": {}},
        "providerResponse": {"status": 200, "headers": {}, "json": {}}});
    let sent = gateway.http.post(format!("{}/custom/v1/log", gateway.url)).json(&body).send().await.unwrap();
    (sent.status().as_u16(), sent.headers().contains_key("retry-after"))
}

async fn a_full_journal_is_counted_to_the_call(backend: Backend) {
    let upstream = upstream().await;
    let gateway = Gateway::start(options(backend, &upstream)).await;
    let stall = Stall::of(&gateway).await;
    let (mut logged, mut not_logged, mut logs) = (Vec::new(), 0_i64, 0);
    while step(&gateway).await != "shedding" {
        let (id, on_record) = call(&gateway).await;
        assert!(on_record);
        logged.push(id);
    }
    let first_shed = logged.len();
    // The step may come in the middle of a call: its request was kept then, and its response is not.
    let (_, ready) = gateway.get("/readyz").await;
    let halves = ready["journal"]["missing"][ORG]["bodies_shed"].as_u64().unwrap_or(0);
    assert!(halves <= 1, "{ready}");
    for _ in 0..3 {
        let (id, on_record) = call(&gateway).await;
        assert!(on_record);
        logged.push(id);
    }
    assert_eq!(log(&gateway, 70_000).await, (503, true), "a long log is not taken");
    assert_eq!(log(&gateway, 100).await, (200, false), "a short one is");
    logs += 1;
    loop {
        let (id, on_record) = call(&gateway).await;
        if !on_record {
            not_logged += 1;
            break;
        }
        logged.push(id);
    }
    for _ in 0..25 {
        let (_, on_record) = call(&gateway).await;
        assert!(!on_record);
        not_logged += 1;
    }
    assert_eq!(log(&gateway, 100).await, (503, true));
    let (status, ready) = gateway.get("/readyz").await;
    assert_eq!((status, &ready["journal"]["step"]), (200, &json!("full")), "calls are served: {ready}");
    assert!(ready["degraded"].as_str().unwrap().contains("not recorded"), "{ready}");
    assert_eq!(ready["journal"]["missing"][ORG]["calls_not_logged"], not_logged, "{ready}");
    let shed = ready["journal"]["missing"][ORG]["bodies_shed"].as_u64().unwrap();
    assert_eq!(shed, halves + 2 * (logged.len() - first_shed) as u64, "request and response of each");
    let metrics = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(&format!("trailgate_calls_not_logged_total{{org=\"{ORG}\"}} {not_logged}")), "{metrics}");
    assert!(metrics.contains(&format!("trailgate_bodies_shed_total{{org=\"{ORG}\"}} {shed}")));

    stall.end().await;
    gateway.until("it is normal again", async |gateway| (step(gateway).await == "normal").then_some(())).await;
    let (id, on_record) = call(&gateway).await;
    assert!(on_record);
    logged.push(id);
    for (n, id) in logged.iter().enumerate() {
        let row = gateway.call(id).await;
        assert_eq!((&row["outcome"], &row["response_status"]), (&json!("complete"), &json!(200)), "{row}");
        assert_eq!((&row["prompt_tokens"], &row["completion_tokens"]), (&json!(1000), &json!(300)), "call {n}: {row}");
        assert!(row["cost"].as_f64().or(row["costUSD"].as_f64()).is_some_and(|cost| cost > 0.0), "call {n}: {row}");
    }
    let (_, count) = gateway.post("/v1/request/count/query", &json!({"filter": "all"})).await;
    assert_eq!(count["data"], logged.len() + logs, "{count}");
    let (status, gaps) = gateway.get("/v1/gaps").await;
    let minutes = gaps["data"]["minutes"].as_array().unwrap();
    let sum: i64 = minutes.iter().map(|minute| minute["calls"].as_i64().unwrap()).sum();
    assert_eq!((status, sum, &gaps["data"]["waiting"]), (200, not_logged, &json!(0)), "{gaps}");
    assert!(minutes.iter().all(|minute| minute["reason"] == "journal_full"));
    let (_, later) = gateway.get("/v1/gaps?from=2100-01-01T00:00:00Z").await;
    assert_eq!(later["data"]["minutes"], json!([]));
    let (_, earlier) = gateway.get("/v1/gaps?to=2000-01-01T00:00:00Z").await;
    assert_eq!(earlier["data"]["minutes"], json!([]));
    let (status, wrong) = gateway.get("/v1/gaps?from=yesterday").await;
    assert_eq!(status, 400);
    assert!(wrong["error"].as_str().unwrap().starts_with("from: "), "{wrong}");
}

#[tokio::test]
async fn a_full_journal_is_counted_to_the_call_on_sqlite() {
    a_full_journal_is_counted_to_the_call(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_full_journal_is_counted_to_the_call_on_postgres() {
    a_full_journal_is_counted_to_the_call(Backend::Postgres).await;
}

#[tokio::test]
async fn a_gateway_that_rejects_sends_nothing_upstream() {
    let upstream = upstream().await;
    let options = options(Backend::Sqlite, &upstream).env("TRAILGATE_JOURNAL_ON_FULL", "reject");
    let gateway = Gateway::start(options).await;
    let stall = Stall::of(&gateway).await;
    while step(&gateway).await != "full" {
        log(&gateway, 9_000).await;
    }
    for (path, kind) in [("/v1/chat/completions", "server_error"), ("/v1/messages", "api_error")] {
        let sent = gateway.http.post(format!("{}{path}", gateway.url)).body(CALL).send().await.unwrap();
        assert_eq!((sent.status().as_u16(), sent.headers().contains_key("retry-after")), (503, true));
        assert_eq!(sent.headers()["trailgate-logged"], "false");
        assert!(!sent.headers().contains_key("x-should-retry"), "an SDK may try again");
        let body: Value = sent.json().await.unwrap();
        assert_eq!(body["error"]["type"], kind, "{path}: {body}");
    }
    assert_eq!(upstream.received().len(), 0);
    let (status, ready) = gateway.get("/readyz").await;
    assert_eq!((status, &ready["ready"]), (503, &json!(false)), "{ready}");
    stall.end().await;
    gateway.until("it is ready again", async |gateway| (gateway.get("/readyz").await.0 == 200).then_some(())).await;
    let (id, on_record) = call(&gateway).await;
    assert!(on_record);
    gateway.call(&id).await;
    let (_, gaps) = gateway.get("/v1/gaps").await;
    assert_eq!(gaps["data"]["minutes"], json!([]), "nothing was served without a record");
}
