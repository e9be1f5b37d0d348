//! Sessions in any order: `/v1/session/top`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::openapi::Faults;
use super::sessions::{SessionResult, filter};
use crate::model::filter::Scope;
use crate::model::query::{Page, SessionQuery, SessionSort, Start, Window};
use crate::model::units::Micros;

const MOST_ROWS: i64 = 200;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopBody {
    /// Sessions that overlap the window; milliseconds since 1970.
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    /// As in a session query.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Part of the id or the name, without case.
    #[serde(default)]
    search: String,
    #[serde(default)]
    sort: TopSort,
    /// Default true.
    descending: Option<bool>,
    /// Rows to skip.
    #[serde(default)]
    offset: i64,
    /// Rows, at most 200; default 50.
    limit: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopSort {
    #[default]
    TotalCost,
    Errors,
    WallMs,
    TotalRequests,
    TotalTokens,
    CreatedAt,
}

/// Sessions by cost, errors, wall time, calls, tokens or start
///
/// The rows of a session query in another order; every session of the window is looked at.
#[utoipa::path(post, path = "/v1/session/top", tag = "sessions", operation_id = "queryTopSessions",
    request_body = TopBody, responses((status = 200, body = Answer<Vec<SessionResult>>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<TopBody>,
) -> Result<Response, ApiError> {
    let limit = body.limit.unwrap_or(50);
    if !(1..=MOST_ROWS).contains(&limit) {
        return Err(ApiError::bad("limit", format!("must be between 1 and {MOST_ROWS}")));
    }
    if body.offset < 0 {
        return Err(ApiError::bad("offset", "must not be negative"));
    }
    let sort = match body.sort {
        TopSort::TotalCost => SessionSort::TotalCost,
        TopSort::Errors => SessionSort::Errors,
        TopSort::WallMs => SessionSort::WallTime,
        TopSort::TotalRequests => SessionSort::TotalRequests,
        TopSort::TotalTokens => SessionSort::TotalTokens,
        TopSort::CreatedAt => SessionSort::CreatedAt,
    };
    let query = SessionQuery {
        filter: filter(body.filter.as_ref(), Scope::Sessions)?,
        search: body.search,
        name_equals: None,
        window: Window {
            from: body.from_ms.map(|at| Micros(at.saturating_mul(1_000))),
            to: body.to_ms.map(|at| Micros(at.saturating_mul(1_000).saturating_sub(1))),
        },
        page: Page { limit, start: Start::Offset(body.offset) },
    };
    state.settled().await;
    let rows = state.store.top_sessions(caller.org, &query, (sort, body.descending.unwrap_or(true))).await?;
    Ok(ok(rows.into_iter().map(|row| SessionResult::new(row, 0)).collect::<Vec<_>>()))
}
