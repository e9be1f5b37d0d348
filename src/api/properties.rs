//! Custom properties: their keys, and the values of a key.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Json, Reader, Text};
use super::openapi::Faults;

const MOST_VALUES: i64 = 25;

/// Nothing can be asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PropertyQueryBody {}

#[derive(Debug, Serialize, ToSchema)]
pub struct PropertyResult {
    /// As first sent.
    property: String,
}

/// Keys of properties
#[utoipa::path(post, path = "/v1/property/query", tag = "properties", operation_id = "queryProperties",
    request_body = PropertyQueryBody, responses((status = 200, body = Answer<Vec<PropertyResult>>), Faults))]
pub async fn keys(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(PropertyQueryBody {}): Json<PropertyQueryBody>,
) -> Result<Response, ApiError> {
    state.settled().await;
    let rows = state.store.property_keys(caller.org).await?;
    Ok(ok(rows.into_iter().map(|row| PropertyResult { property: row.key }).collect::<Vec<_>>()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PropertySearchBody {
    /// Part of the value, without case; empty or absent: all.
    #[serde(default)]
    search_term: String,
}

/// Values of a property, at most 25
#[utoipa::path(post, path = "/v1/property/{key}/search", tag = "properties", operation_id = "searchPropertyValues",
    params(("key" = String, Path, description = "compared without case")), request_body = PropertySearchBody,
    responses((status = 200, body = Answer<Vec<String>>), Faults))]
pub async fn values(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(key): Text,
    Json(body): Json<PropertySearchBody>,
) -> Result<Response, ApiError> {
    state.settled().await;
    Ok(ok(state.store.property_values(caller.org, &key, &body.search_term, MOST_VALUES).await?))
}
