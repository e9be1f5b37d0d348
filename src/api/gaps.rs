//! Gaps: how many calls were served without a record, by minute. An organisation sees its own.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, iso, ok};
use super::error::ApiError;
use super::extract::Reader;
use super::openapi::Faults;
use crate::model::query::Window;
use crate::model::units::Micros;

/// Minutes of one answer.
const MOST_MINUTES: i64 = 1_440;

/// From when to when; both may be left out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GapsQuery {
    /// An instant such as `2026-11-24T04:30:00Z`; minutes that start before it are left out.
    from: Option<String>,
    /// Minutes that start after it are left out.
    to: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Gaps {
    /// Newest first; at most the newest 1,440.
    minutes: Vec<GapMinute>,
    /// Calls without a record that are counted in the gateway's memory and not in `minutes` yet, whenever they came.
    waiting: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GapMinute {
    /// The start of the minute.
    minute: String,
    /// Calls that were served without a record.
    calls: i64,
    /// `journal_full`
    reason: String,
}

/// Calls that were served without a record, by minute
#[utoipa::path(get, path = "/v1/gaps", tag = "gaps", operation_id = "listGaps", params(GapsQuery),
    responses((status = 200, body = Answer<Gaps>), Faults))]
pub async fn list(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    query: Result<Query<GapsQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad("", error.body_text()))?;
    let window = Window { from: instant("from", query.from)?, to: instant("to", query.to)? };
    state.settled().await;
    let waiting = state.ingest.gaps_waiting(caller.org);
    let rows = state.store.gaps(caller.org, window, MOST_MINUTES).await?;
    let minutes =
        rows.into_iter().map(|row| GapMinute { minute: iso(row.minute), calls: row.calls, reason: row.reason });
    Ok(ok(Gaps { minutes: minutes.collect(), waiting }))
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Micros>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(Some(Micros(at.as_microsecond()))),
        Err(_) => Err(ApiError::bad(name, "must be an instant such as 2026-11-24T04:30:00Z")),
    }
}
