//! Sparklines of a page of sessions: `/v1/session/sparks`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::openapi::Faults;

const MOST_SESSIONS: usize = 200;
const MOST_RUNNING: usize = 10_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SparksBody {
    /// At most 200.
    session_ids: Vec<String>,
    /// Parts of each session's time, 4 to 60; default 16.
    buckets: Option<usize>,
}

/// A session's calls over its time.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct SparkResult {
    calls: Vec<i64>,
    errors: Vec<i64>,
    /// Calls in flight now: the session is live if there are any.
    running: i64,
}

/// Calls and errors of sessions over their time, and how many run now; by session id
#[utoipa::path(post, path = "/v1/session/sparks", tag = "sessions", operation_id = "querySparks",
    request_body = SparksBody, responses((status = 200, body = Answer<BTreeMap<String, SparkResult>>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<SparksBody>,
) -> Result<Response, ApiError> {
    if body.session_ids.len() > MOST_SESSIONS {
        return Err(ApiError::bad("session_ids", format!("are more than {MOST_SESSIONS}")));
    }
    let buckets = body.buckets.unwrap_or(16);
    if !(4..=60).contains(&buckets) {
        return Err(ApiError::bad("buckets", "must be between 4 and 60"));
    }
    let sparks = state.store.sparks(caller.org, &body.session_ids, buckets).await?;
    let mut results: BTreeMap<String, SparkResult> = sparks
        .into_iter()
        .map(|(id, spark)| (id, SparkResult { calls: spark.calls, errors: spark.errors, running: 0 }))
        .collect();
    for call in state.ingest.running(caller.org, None, MOST_RUNNING) {
        let Some(id) = call.session_id else { continue };
        if let Some(result) = results.get_mut(&id) {
            result.running += 1;
        }
    }
    Ok(ok(results))
}
