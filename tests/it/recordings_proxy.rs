//! Every recorded exchange, served as an upstream and sent through the gateway: the client must get the provider's bytes,
//! the provider the client's, and the store what the provider reported.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::recordings::{self, Recording};
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

/// The header by which the upstream knows which recording is asked for.
const NUMBER: &str = "x-recording";

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_openai_on_sqlite() {
    replay("openai", Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_openai_on_postgres() {
    replay("openai", Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_anthropic_on_sqlite() {
    replay("anthropic", Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_anthropic_on_postgres() {
    replay("anthropic", Backend::Postgres).await;
}

async fn replay(provider: &str, backend: Backend) {
    let all = Arc::new(recordings::of(provider));
    assert!(!all.is_empty());
    let served = Arc::clone(&all);
    let arrived: Arc<Mutex<HashMap<usize, Received>>> = Arc::default();
    let seen = Arc::clone(&arrived);
    let upstream = Upstream::start(move |received| {
        let n: usize = received.header(NUMBER).and_then(|text| text.parse().ok()).expect("a recording's number");
        seen.lock().expect("no test failed").insert(n, received.clone());
        answer(&served[n])
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider(provider, upstream.url())).await;

    for (n, recording) in all.iter().enumerate() {
        let id = exchange(&gateway, provider, n, recording).await;
        let received = arrived.lock().expect("no test failed").remove(&n).expect("the upstream got the call");
        let name = &recording.name;
        assert_eq!(received.target, recording.path, "{name}: path at the upstream");
        assert_eq!(received.body, recording.request(), "{name}: body at the upstream");
        assert!(
            received.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("helicone-")),
            "{name}: tags left"
        );
        stored(&gateway, &id, recording).await;
    }
}

fn answer(recording: &Recording) -> Reply {
    let reply = Reply::status(recording.status).header("x-request-id", "req_recorded");
    let reply = match &recording.content_type {
        Some(kind) => reply.header("content-type", kind),
        None => reply,
    };
    if !recording.is_stream() {
        return reply.send(recording.response());
    }
    let body = recording.response();
    body.chunks(700).fold(reply.chunked(), |reply, part| reply.send(part.to_vec()))
}

/// Sends the recorded request through the gateway and checks what comes back. The row's id.
async fn exchange(gateway: &Gateway, provider: &str, n: usize, recording: &Recording) -> String {
    let name = &recording.name;
    let prefix = if provider == "openai" { String::new() } else { format!("/v1/gateway/{provider}") };
    let method = recording.method.parse().expect("a method");
    let response = gateway
        .http
        .request(method, format!("{}{prefix}{}", gateway.url, recording.path))
        .header(NUMBER, n)
        .header("authorization", "Bearer sk-provider")
        .header("content-type", "application/json")
        .header("helicone-session-id", "recordings")
        .header("helicone-session-path", format!("/{n}"))
        .body(recording.request())
        .send()
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(response.status().as_u16(), recording.status, "{name}: status");
    let header = |key: &str| response.headers().get(key).and_then(|v| v.to_str().ok()).map(str::to_owned);
    assert_eq!(header("content-type"), recording.content_type, "{name}: content type");
    assert_eq!(header("x-request-id").as_deref(), Some("req_recorded"), "{name}: a header of the provider");
    let id = header("helicone-id").unwrap_or_else(|| panic!("{name}: no Helicone-Id"));
    let body = response.bytes().await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(body, recording.response(), "{name}: body at the client");
    id
}

async fn stored(gateway: &Gateway, id: &str, recording: &Recording) {
    let name = &recording.name;
    let call = gateway.call(id).await;
    assert_eq!(call["response_status"], recording.status, "{name}: stored status");
    for (side, expected) in [("request", recording.request()), ("response", recording.response())] {
        let url = format!("{}/v1/request/{id}/body/{side}", gateway.url);
        let body = gateway.http.get(url).send().await.expect("an answer").bytes().await.expect("a whole answer");
        assert_eq!(body, expected, "{name}: stored {side} body");
    }
    let Some(expected) = reported(recording) else {
        assert!(call["input_tokens"].is_null(), "{name}: usage from nowhere: {call}");
        return;
    };
    for (field, tokens) in expected {
        assert_eq!(call[field].as_i64(), Some(tokens), "{name}: {field} of {call}");
    }
}

/// The row's figures, worked out here from the usage object that the provider sent.
fn reported(recording: &Recording) -> Option<Vec<(&'static str, i64)>> {
    let usage = last_usage(recording)?;
    let at = |pointer: &str| usage.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let is_anthropic = recording.path.starts_with("/v1/messages");
    let (input, cached, written, output, reasoning) = if is_anthropic {
        let (read, written) = (at("/cache_read_input_tokens"), at("/cache_creation_input_tokens"));
        (
            at("/input_tokens") + read + written,
            read,
            written,
            at("/output_tokens"),
            at("/output_tokens_details/thinking_tokens"),
        )
    } else if usage.get("prompt_tokens").is_some() {
        let (cached, reasoning) =
            (at("/prompt_tokens_details/cached_tokens"), at("/completion_tokens_details/reasoning_tokens"));
        (at("/prompt_tokens"), cached, 0, at("/completion_tokens"), reasoning)
    } else {
        let (cached, reasoning) =
            (at("/input_tokens_details/cached_tokens"), at("/output_tokens_details/reasoning_tokens"));
        (at("/input_tokens"), cached, 0, at("/output_tokens"), reasoning)
    };
    let audio_in = at("/prompt_tokens_details/audio_tokens");
    let audio_out = at("/completion_tokens_details/audio_tokens");
    Some(vec![
        ("input_tokens", input),
        ("output_tokens", output),
        ("total_tokens", input + output),
        ("prompt_tokens", input - cached - written - audio_in),
        ("prompt_cache_read_tokens", cached),
        ("prompt_cache_write_tokens", written),
        ("completion_tokens", output - reasoning - audio_out),
        ("reasoning_tokens", reasoning),
    ])
}

/// The usage that stands last in the answer; Anthropic's stream gives it in two parts that are laid over each other.
fn last_usage(recording: &Recording) -> Option<Value> {
    if recording.status != 200 {
        return None;
    }
    let body = String::from_utf8(recording.response()).ok()?;
    // Fetching a response again costs nothing: its usage is that of the call that made it, unless that ran in the background
    // and had none to report yet.
    let is_own = |response: &Value| recording.method == "POST" || response["background"] == true;
    if !recording.is_stream() {
        let answer: Value = serde_json::from_str(&body).ok()?;
        return answer.get("usage").filter(|usage| usage.is_object() && is_own(&answer)).cloned();
    }
    let mut total = serde_json::Map::new();
    for line in body.lines() {
        let Some(event) = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok()) else {
            continue;
        };
        for holder in ["", "/message", "/response"] {
            let Some(response) = event.pointer(holder).filter(|response| is_own(response)) else { continue };
            if let Some(Value::Object(usage)) = response.get("usage") {
                total.extend(usage.clone());
            }
        }
    }
    (!total.is_empty()).then_some(Value::Object(total))
}
