//! A provider in OpenAI's shape that follows a script: answers, streams, tool calls, and a 429 on every fifth call. It
//! checks nothing and keeps nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::script;

/// Thinking time before the first byte, and between two chunks of a stream.
const THINK: Duration = Duration::from_millis(120);
const BETWEEN: Duration = Duration::from_millis(25);

/// Every so many calls one is refused.
const REFUSE_EACH: u64 = 5;

/// Serves until it is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(models))
        .with_state(Arc::new(AtomicU64::new(0)));
    axum::serve(listener, app).await
}

async fn models() -> Json<Value> {
    Json(json!({"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model", "owned_by": "demo"}]}))
}

async fn chat(State(count): State<Arc<AtomicU64>>, Json(request): Json<Value>) -> Response {
    let number = count.fetch_add(1, Ordering::Relaxed) + 1;
    tokio::time::sleep(THINK).await;
    if number.is_multiple_of(REFUSE_EACH) {
        return (StatusCode::TOO_MANY_REQUESTS, Json(script::overloaded())).into_response();
    }
    let turn = script::next_turn(&request);
    if request.get("stream") != Some(&Value::Bool(true)) {
        return Json(script::completion(&request, &turn, number)).into_response();
    }
    let events = script::chunks(&request, &turn, number).into_iter().map(|event| format!("data: {event}\n\n"));
    let events: Vec<String> = events.chain(["data: [DONE]\n\n".to_owned()]).collect();
    let paced = stream::unfold(events.into_iter(), |mut events| async {
        let event = events.next()?;
        tokio::time::sleep(BETWEEN).await;
        Some((Ok::<_, Infallible>(Bytes::from(event)), events))
    });
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], Body::from_stream(paced)).into_response()
}
