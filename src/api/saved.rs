//! Saved filters of the dashboard: what somebody gave a name. What is in one is the dashboard's business.

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, Done, ok};
use super::error::ApiError;
use super::extract::{Json, Logger, Reader, Text};
use super::openapi::{Faults, Missing};
use crate::model::id::SavedFilterId;
use crate::model::query::SavedFilter;
use crate::model::units::Micros;

const MOST_FILTERS: i64 = 200;
const MOST_PAGE_BYTES: usize = 64;
const MOST_NAME_BYTES: usize = 256;
const MOST_QUERY_BYTES: usize = 8 * 1024;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SavedParams {
    /// Only those of this page.
    page: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedBody {
    /// At most 64 bytes.
    page: String,
    /// At most 256 bytes; one of the same page and name is replaced.
    name: String,
    /// At most 8 kB.
    query: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SavedResult {
    id: String,
    page: String,
    name: String,
    query: String,
    created_ms: i64,
}

impl From<SavedFilter> for SavedResult {
    fn from(filter: SavedFilter) -> Self {
        Self {
            id: filter.id.to_string(),
            page: filter.page,
            name: filter.name,
            query: filter.query,
            created_ms: filter.created_at.millis(),
        }
    }
}

/// Saved filters, by page and name
#[utoipa::path(get, path = "/v1/saved-filter", tag = "settings", operation_id = "listSavedFilters", params(SavedParams),
    responses((status = 200, body = Answer<Vec<SavedResult>>), Faults))]
pub async fn list(State(state): State<ApiState>, Reader(caller): Reader, uri: Uri) -> Result<Response, ApiError> {
    let Query(params) = Query::<SavedParams>::try_from_uri(&uri)
        .map_err(|_| ApiError::bad("page", "is the one parameter that is known here"))?;
    let filters = state.store.saved_filters(caller.org, params.page.as_deref().unwrap_or_default()).await?;
    Ok(ok(filters.into_iter().map(SavedResult::from).collect::<Vec<_>>()))
}

/// Saves a filter; one of the same page and name is replaced
#[utoipa::path(post, path = "/v1/saved-filter", tag = "settings", operation_id = "saveFilter", request_body = SavedBody,
    responses((status = 200, body = Answer<SavedResult>), Faults))]
pub async fn save(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    Json(body): Json<SavedBody>,
) -> Result<Response, ApiError> {
    for (field, text, most) in [
        ("page", &body.page, MOST_PAGE_BYTES),
        ("name", &body.name, MOST_NAME_BYTES),
        ("query", &body.query, MOST_QUERY_BYTES),
    ] {
        if text.len() > most || (text.trim().is_empty() && field != "query") {
            return Err(ApiError::bad(field, format!("must not be empty and have at most {most} bytes")));
        }
    }
    if state.store.saved_filter_count(caller.org).await? >= MOST_FILTERS {
        return Err(ApiError::bad("", format!("{MOST_FILTERS} filters are saved already: delete one first")));
    }
    let filter = SavedFilter {
        id: SavedFilterId::generate(),
        page: body.page,
        name: body.name,
        query: body.query,
        created_at: Micros::now(),
    };
    Ok(ok(SavedResult::from(state.store.save_filter(caller.org, &filter).await?)))
}

/// Deletes a saved filter
#[utoipa::path(delete, path = "/v1/saved-filter/{id}", tag = "settings", operation_id = "deleteSavedFilter",
    params(("id" = String, Path)), responses((status = 200, body = Done), Missing, Faults))]
pub async fn delete(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    Text(id): Text,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("no saved filter has that id".to_owned());
    let id: SavedFilterId = id.parse().map_err(|_| missing())?;
    if !state.store.delete_saved_filter(caller.org, id).await? {
        return Err(missing());
    }
    Ok(ok(()))
}
