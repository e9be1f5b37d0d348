//! Dead letters of the caller's organisation: records that the store refused for what they hold. For administrators.

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, Done, PageAnswer, iso, ok, page, read_cursor};
use super::error::ApiError;
use super::extract::{Admin, Text};
use super::openapi::{Faults, Missing};
use crate::ingest::Retried;
use crate::model::dead_letter::DeadLetterRow;
use crate::model::id::RecordId;

const MOST_ROWS: i64 = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// 1 to 1000; 100 if absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LetterResult {
    /// The record's id.
    id: String,
    /// When it was put aside.
    created_at: String,
    /// `call`, `log`, or `unknown` for what a later version wrote.
    kind: String,
    reason: String,
    /// Length of its frames.
    bytes: i64,
}

impl LetterResult {
    fn new(row: DeadLetterRow) -> Self {
        let (id, created_at) = (row.record.to_string(), iso(row.at));
        Self { id, created_at, kind: row.kind, reason: row.reason, bytes: row.bytes }
    }
}

/// What became of a letter.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetryResult {
    /// `stored`: it is a request now and no letter any more. `known`: the record is stored already. `unreadable`, `refused`:
    /// as before. In these cases the letter stays.
    #[schema(value_type = String)]
    outcome: &'static str,
    /// The request that it became.
    request_id: Option<String>,
    reason: Option<String>,
}

impl RetryResult {
    fn new(retried: Retried) -> Self {
        let (outcome, request_id, reason) = match retried {
            Retried::Stored(id) => ("stored", Some(id.to_string()), None),
            Retried::Known => ("known", None, None),
            Retried::Unreadable(reason) => ("unreadable", None, Some(reason)),
            Retried::Refused(reason) => ("refused", None, Some(reason)),
        };
        Self { outcome, request_id, reason }
    }
}

/// Records that the store refused, newest first
#[utoipa::path(get, path = "/v1/dead-letter", tag = "dead letters", operation_id = "listDeadLetters",
    params(ListQuery), responses((status = 200, body = PageAnswer<LetterResult>), Faults))]
pub async fn list(State(state): State<ApiState>, Admin(caller): Admin, uri: Uri) -> Result<Response, ApiError> {
    let Query(query) = Query::<ListQuery>::try_from_uri(&uri).map_err(|error| ApiError::bad("", error.body_text()))?;
    let limit = query.limit.unwrap_or(100);
    if !(1..=MOST_ROWS).contains(&limit) {
        return Err(ApiError::bad("limit", format!("must be from 1 to {MOST_ROWS}")));
    }
    let after = match query.cursor.as_deref().map(read_cursor).transpose()? {
        Some((at, id)) => {
            let wrong = || ApiError::bad("cursor", "not a cursor of this list");
            Some((at, id.parse::<RecordId>().map_err(|_| wrong())?))
        }
        None => None,
    };
    let mut rows = state.store.dead_letters(caller.org, after, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| (row.at, row.record.to_string()));
    Ok(page(StatusCode::OK, rows.into_iter().map(LetterResult::new).collect(), next))
}

/// The frames of a letter, byte for byte
#[utoipa::path(get, path = "/v1/dead-letter/{id}", tag = "dead letters", operation_id = "getDeadLetter",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), Missing, Faults))]
pub async fn get(State(state): State<ApiState>, Admin(caller): Admin, Text(id): Text) -> Result<Response, ApiError> {
    let record = record(&id)?;
    let frames = state.store.dead_letter(caller.org, record).await?.ok_or_else(missing)?;
    let name = format!("attachment; filename=\"{record}.seg\"");
    Ok(([(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)], frames).into_response())
}

/// Tries a letter again
///
/// The record is read from its frames as if it came now, and stored at most once.
#[utoipa::path(post, path = "/v1/dead-letter/{id}/retry", tag = "dead letters", operation_id = "retryDeadLetter",
    params(("id" = String, Path)), responses((status = 200, body = Answer<RetryResult>), Missing, Faults))]
pub async fn retry(State(state): State<ApiState>, Admin(caller): Admin, Text(id): Text) -> Result<Response, ApiError> {
    let retried = state.dead_letters.retry(caller.org, record(&id)?).await?.ok_or_else(missing)?;
    Ok(ok(RetryResult::new(retried)))
}

/// Drops a letter for good
#[utoipa::path(delete, path = "/v1/dead-letter/{id}", tag = "dead letters", operation_id = "dropDeadLetter",
    params(("id" = String, Path)), responses((status = 200, body = Done), Missing, Faults))]
pub async fn remove(State(state): State<ApiState>, Admin(caller): Admin, Text(id): Text) -> Result<Response, ApiError> {
    if !state.store.drop_dead_letter(caller.org, record(&id)?).await? {
        return Err(missing());
    }
    Ok(ok(()))
}

fn record(id: &str) -> Result<RecordId, ApiError> {
    id.parse().map_err(|_| missing())
}

fn missing() -> ApiError {
    ApiError::NotFound("no dead letter has that id".to_owned())
}
