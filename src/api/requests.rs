//! Requests, one row a call: `/v1/request/query-clickhouse` and its siblings.
//!
//! Bodies come with the rows up to a number of bytes a page; a row past it carries a placeholder and the address of its
//! bodies, so that no page takes more memory than that.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, PageAnswer, ok, page};
use super::error::ApiError;
use super::extract::{Json, Reader, RequestPath, some_number, whole};
use super::openapi::{Faults, Missing};
use super::request_row::HeliconeRequest;
use super::sessions::{filter, start};
use super::sort;
use crate::auth::Caller;
use crate::model::capture::Kept;
use crate::model::filter::{CallField, Field, Filter, Leaf, Scope, Test, TextOp};
use crate::model::id::RequestId;
use crate::model::query::{CallBodies, CallDetail, CallQuery, Page, Sort, SortKey, Start, Window};

const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 1000;

/// Which requests, in which order.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RequestQueryBody {
    /// `"all"`, `{}`, a leaf or a branch; absent: all.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Rows to skip; default 0.
    #[serde(deserialize_with = "some_number")]
    offset: Option<f64>,
    /// Rows to answer, 0 to 1000; default 10.
    #[serde(deserialize_with = "some_number")]
    limit: Option<f64>,
    /// One key with `asc` or `desc`, default `{"created_at": "desc"}`; or `{"random": true}`.
    #[schema(value_type = serde_json::Value)]
    sort: Option<Value>,
    /// True: only answers from a cache, of which there are none.
    is_cached: Option<bool>,
    /// Without effect: prompt inputs are not kept apart.
    include_inputs: Option<bool>,
    /// True: only requests of experiments, of which there are none.
    is_part_of_experiment: Option<bool>,
    /// Only `false` is taken; filter by `scores` instead.
    is_scored: Option<bool>,
    /// `next_cursor` of the page before, with the same order by `created_at`.
    cursor: Option<String>,
    /// False: rows without their bodies; default true.
    include_bodies: Option<bool>,
}

impl RequestQueryBody {
    fn condition(&self) -> Result<Filter, ApiError> {
        if self.is_scored == Some(true) {
            return Err(ApiError::bad(
                "isScored",
                "only false is taken; filter by request_response_rmt.scores instead",
            ));
        }
        let asked = filter(self.filter.as_ref(), Scope::Requests)?;
        if self.is_part_of_experiment == Some(true) || self.is_cached == Some(true) {
            return Ok(Filter::Or(Vec::new()));
        }
        Ok(asked)
    }

    fn into_query(self) -> Result<CallQuery, ApiError> {
        let filter = self.condition()?;
        let limit = self.limit.map_or(DEFAULT_LIMIT, whole);
        if !(0..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::bad("limit", format!("must be between 0 and {MAX_LIMIT}")));
        }
        let sort = sort::parse(self.sort.as_ref())?;
        let start = start(self.cursor.as_deref(), self.offset)?;
        if matches!(start, Start::After { .. }) && sort.by != SortKey::CreatedAt {
            return Err(ApiError::bad("cursor", "can be used only with an order by created_at"));
        }
        Ok(CallQuery { filter, window: Window::default(), sort, page: Page { limit, start } })
    }
}

/// Requests
#[utoipa::path(post, path = "/v1/request/query-clickhouse", tag = "requests", operation_id = "queryRequests",
    request_body = RequestQueryBody, responses((status = 201, body = PageAnswer<HeliconeRequest>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<RequestQueryBody>,
) -> Result<Response, ApiError> {
    let with_bodies = body.include_bodies != Some(false);
    let mut query = body.into_query()?;
    let limit = query.page.limit;
    if limit == 0 {
        return Ok(page::<HeliconeRequest>(StatusCode::CREATED, Vec::new(), None));
    }
    state.settled().await;
    // One more than asked for shows whether there is a next page.
    query.page.limit = limit + 1;
    let mut rows = state.store.calls(caller.org, &query).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more && query.sort.by == SortKey::CreatedAt);
    let next = last.map(|row| (row.call.started_at, row.call.id.to_string()));
    let rows = with_rows(&state, &caller, rows, with_bodies).await?;
    Ok(page(StatusCode::CREATED, rows, next))
}

/// Requests, under the name of the original's older store
#[utoipa::path(post, path = "/v1/request/query", tag = "requests", operation_id = "queryRequestsLegacy",
    request_body = RequestQueryBody, responses((status = 201, body = PageAnswer<HeliconeRequest>), Faults))]
pub async fn query_legacy(
    state: State<ApiState>,
    reader: Reader,
    body: Json<RequestQueryBody>,
) -> Result<Response, ApiError> {
    query(state, reader, body).await
}

/// How many requests match; only `filter` has an effect
#[utoipa::path(post, path = "/v1/request/count/query", tag = "requests", operation_id = "countRequests",
    request_body = RequestQueryBody, responses((status = 200, body = Answer<i64>), Faults))]
pub async fn count(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<RequestQueryBody>,
) -> Result<Response, ApiError> {
    let filter = body.condition()?;
    state.settled().await;
    Ok(ok(state.store.call_count(caller.org, &filter, Window::default()).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IdsBody {
    /// At most 1000.
    request_ids: Vec<String>,
}

/// Requests by id, newest first; ids that do not exist are left out
#[utoipa::path(post, path = "/v1/request/query-ids", tag = "requests", operation_id = "queryRequestsByIds",
    request_body = IdsBody, responses((status = 200, body = Answer<Vec<HeliconeRequest>>), Faults))]
pub async fn by_ids(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<IdsBody>,
) -> Result<Response, ApiError> {
    let limit = i64::try_from(body.request_ids.len()).unwrap_or(i64::MAX);
    if limit > MAX_LIMIT {
        return Err(ApiError::bad("requestIds", format!("are more than {MAX_LIMIT}")));
    }
    let mut leaves = Vec::new();
    for (n, text) in body.request_ids.iter().enumerate() {
        let id: RequestId = text.parse().map_err(|_| ApiError::bad(format!("requestIds[{n}]"), "is not a UUID"))?;
        let test = Test::Text(TextOp::Equals, id.to_string());
        leaves.push(Filter::Leaf(Leaf { field: Field::Call(CallField::Id), test }));
    }
    if leaves.is_empty() {
        return Ok(ok(Vec::<HeliconeRequest>::new()));
    }
    state.settled().await;
    let query = CallQuery {
        filter: Filter::Or(leaves),
        window: Window::default(),
        sort: Sort { by: SortKey::CreatedAt, descending: true },
        page: Page { limit, start: Start::Offset(0) },
    };
    let rows = state.store.calls(caller.org, &query).await?;
    Ok(ok(with_rows(&state, &caller, rows, true).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetParams {
    /// True: with bodies of any size. False: without bodies. Absent: with bodies that fit a page.
    include_body: Option<bool>,
    /// With `includeBody=true`: bodies of more bytes than this, both together and decoded, are left out.
    #[serde(rename = "max_bytes")]
    max_bytes: Option<usize>,
}

/// One request
///
/// Bodies are JSON where they parse as such, else text: a streamed answer is the text of its events. Bytes that are no
/// UTF-8 come in `request_body_base64` and `response_body_base64` as well.
#[utoipa::path(get, path = "/v1/request/{id}", tag = "requests", operation_id = "getRequest",
    params(("id" = String, Path), GetParams),
    responses((status = 200, body = Answer<HeliconeRequest>), Missing, Faults))]
pub async fn get(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    RequestPath(id): RequestPath,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Query(params) = Query::<GetParams>::try_from_uri(&uri).map_err(|_| {
        ApiError::bad("includeBody", "must be true or false, max_bytes a number; nothing else is known")
    })?;
    state.settled().await;
    let row = state.store.call(caller.org, id).await?.ok_or_else(|| ApiError::no_request(&id.to_string()))?;
    if params.include_body == Some(true) {
        let bodies = state.store.call_bodies(caller.org, id).await?;
        return Ok(ok(render(vec![(row, bodies)], params.max_bytes.unwrap_or(usize::MAX)).await?.pop()));
    }
    Ok(ok(with_rows(&state, &caller, vec![row], params.include_body.is_none()).await?.pop()))
}

/// The bytes of a body as they passed
///
/// `which` is `request` or `response`. The stored content type and encoding come in `x-stored-content-type` and
/// `x-stored-content-encoding`: a browser must never run what a provider or client sent.
#[utoipa::path(get, path = "/v1/request/{id}/body/{which}", tag = "requests", operation_id = "getRequestBody",
    params(("id" = String, Path), ("which" = String, Path, description = "`request` or `response`")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), Missing, Faults))]
pub async fn raw_body(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    uri: Uri,
    path: axum::extract::RawPathParams,
) -> Result<Response, ApiError> {
    let part = |name| path.iter().find_map(|(key, value)| (key == name).then(|| value.to_owned())).unwrap_or_default();
    let (id, which) = (part("id"), part("which"));
    let known: RequestId = id.parse().map_err(|_| ApiError::no_request(&id))?;
    state.settled().await;
    let bodies = state.store.call_bodies(caller.org, known).await?.ok_or_else(|| ApiError::no_request(&id))?;
    let body = match which.as_str() {
        "request" => bodies.request,
        "response" => bodies.response,
        _ => return Err(ApiError::NotFound(format!("{}: the body is called request or response", uri.path()))),
    };
    let mut response = body.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let facts = body.facts;
    let kept = match facts.kept {
        Kept::Whole => "whole",
        Kept::Truncated => "truncated",
        Kept::Shed => "shed",
        Kept::Omitted => "omitted",
    };
    headers.insert(HeaderName::from_static("x-stored-kept"), HeaderValue::from_static(kept));
    for (name, text) in
        [("x-stored-content-type", facts.content_type), ("x-stored-content-encoding", facts.content_encoding)]
    {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}

/// Rows for the wire; the first ones with bodies, as far as a page's bytes reach.
pub async fn with_rows(
    state: &ApiState,
    caller: &Caller,
    rows: Vec<CallDetail>,
    with_bodies: bool,
) -> Result<Vec<HeliconeRequest>, ApiError> {
    let most = state.limits.page_bytes;
    let mut left = if with_bodies { i64::try_from(most).unwrap_or(i64::MAX) } else { -1 };
    let fits = |row: &&CallDetail| {
        let bytes = row.request_bytes.saturating_add(row.response_bytes);
        let fits = bytes <= left;
        left -= if fits { bytes } else { 0 };
        fits
    };
    let ids: Vec<RequestId> = rows.iter().filter(fits).map(|row| row.call.id).collect();
    let found = if ids.is_empty() { Vec::new() } else { state.store.calls_bodies(caller.org, &ids).await? };
    let mut bodies: HashMap<RequestId, CallBodies> = found.into_iter().collect();
    let rows = rows.into_iter().map(|row| {
        let bodies = bodies.remove(&row.call.id);
        (row, bodies)
    });
    render(rows.collect(), most).await
}

/// Decoding takes time (encodings, large JSON): not on a thread that forwards calls.
async fn render(rows: Vec<(CallDetail, Option<CallBodies>)>, most: usize) -> Result<Vec<HeliconeRequest>, ApiError> {
    let rendered = tokio::task::spawn_blocking(move || {
        let mut left = most;
        rows.into_iter().map(|(row, bodies)| HeliconeRequest::new(row, bodies, &mut left)).collect()
    });
    rendered.await.map_err(|error| ApiError::Internal(Box::new(error)))
}
