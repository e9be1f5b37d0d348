//! The organisation's name, how long it keeps its calls, and how the server is.

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Admin, Json, Reader};
use super::openapi::Faults;
use super::words::AuthMode;
use super::{ApiState, JournalState};
use crate::model::query::Retention;
use crate::model::units::Micros;
use crate::pricing::PRICE_VERSION;

const MOST_NAME_BYTES: usize = 256;
const MOST_DAYS: i64 = 36_500;
const MOST_RUNNING: usize = 100_000;

#[derive(Debug, Serialize, ToSchema)]
pub struct OrgResult {
    id: String,
    name: String,
    created_ms: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgBody {
    /// At most 256 bytes.
    name: String,
}

/// The organisation
#[utoipa::path(get, path = "/v1/org", tag = "settings", operation_id = "getOrg",
    responses((status = 200, body = Answer<OrgResult>), Faults))]
pub async fn org(State(state): State<ApiState>, Reader(caller): Reader) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("the organisation is gone".to_owned());
    let org = state.store.org(caller.org).await?.ok_or_else(missing)?;
    Ok(ok(OrgResult { id: org.id.to_string(), name: org.name, created_ms: org.created_at.millis() }))
}

/// Names the organisation
#[utoipa::path(put, path = "/v1/org", tag = "settings", operation_id = "setOrg", request_body = OrgBody,
    responses((status = 200, body = Answer<OrgResult>), Faults))]
pub async fn set_org(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    Json(body): Json<OrgBody>,
) -> Result<Response, ApiError> {
    let name = body.name.trim();
    if name.is_empty() || name.len() > MOST_NAME_BYTES {
        return Err(ApiError::bad("name", format!("must not be empty and have at most {MOST_NAME_BYTES} bytes")));
    }
    state.store.rename_org(caller.org, name).await?;
    org(State(state), Reader(caller)).await
}

/// How many days calls and their bodies are kept; null: for good.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionDays {
    /// 1 to 36500.
    #[schema(required)]
    calls_days: Option<i64>,
    /// 1 to 36500, not more than `calls_days`.
    #[schema(required)]
    bodies_days: Option<i64>,
}

/// How long calls are kept
#[utoipa::path(get, path = "/v1/retention", tag = "settings", operation_id = "getRetention",
    responses((status = 200, body = Answer<RetentionDays>), Faults))]
pub async fn retention(State(state): State<ApiState>, Reader(caller): Reader) -> Result<Response, ApiError> {
    let Retention { calls_days, bodies_days } = state.store.retention(caller.org).await?;
    Ok(ok(RetentionDays { calls_days, bodies_days }))
}

/// Sets how long calls are kept
///
/// What is older is deleted in the background, by the age of each call's start.
#[utoipa::path(put, path = "/v1/retention", tag = "settings", operation_id = "setRetention",
    request_body = RetentionDays, responses((status = 200, body = Answer<RetentionDays>), Faults))]
pub async fn set_retention(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    Json(body): Json<RetentionDays>,
) -> Result<Response, ApiError> {
    for (field, days) in [("calls_days", body.calls_days), ("bodies_days", body.bodies_days)] {
        if days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return Err(ApiError::bad(field, format!("must be between 1 and {MOST_DAYS}, or null")));
        }
    }
    if let (Some(calls), Some(bodies)) = (body.calls_days, body.bodies_days)
        && bodies > calls
    {
        return Err(ApiError::bad("bodies_days", "must not be more than calls_days"));
    }
    let retention = Retention { calls_days: body.calls_days, bodies_days: body.bodies_days };
    state.store.set_retention(caller.org, retention).await?;
    Ok(ok(body))
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct System {
    #[schema(value_type = String)]
    version: &'static str,
    started_ms: i64,
    database: DatabaseState,
    journal: JournalState,
    prices: PricesInfo,
    counts: Counts,
    /// Calls of the organisation in flight.
    running: usize,
    /// `open` or `keys`.
    auth: AuthMode,
    /// `durable` or `fast`.
    #[schema(value_type = String)]
    durability: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DatabaseState {
    /// `sqlite` or `postgres`.
    #[schema(value_type = String)]
    kind: &'static str,
    ok: bool,
    /// How long it took to answer; null where it did not.
    ping_ms: Option<f64>,
    /// Of the whole database; for keys that may administer.
    bytes: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PricesInfo {
    #[schema(value_type = String)]
    source: &'static str,
    #[schema(value_type = String)]
    version: &'static str,
    /// Whether prices of the operator win over these.
    overlay: bool,
}

/// What the organisation has; null while the database is away.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    calls: Option<i64>,
    sessions: Option<i64>,
    /// The hour of the first call.
    first_ms: Option<i64>,
    /// Start of the latest call.
    last_ms: Option<i64>,
}

/// How the server, its database and its journal are
#[utoipa::path(get, path = "/v1/system", tag = "settings", operation_id = "getSystem",
    responses((status = 200, body = Answer<System>), Faults))]
pub async fn system(State(state): State<ApiState>, Reader(caller): Reader) -> Result<Response, ApiError> {
    let asked = Instant::now();
    let available = state.store.ping().await.is_ok();
    let ping_ms = available.then(|| asked.elapsed().as_secs_f64() * 1e3);
    let contents = if available { state.store.contents(caller.org).await.ok() } else { None };
    let counts = contents.map_or_else(Counts::default, |contents| Counts {
        calls: Some(contents.calls),
        sessions: Some(contents.sessions),
        first_ms: contents.first_hour.map(Micros::millis),
        last_ms: contents.last_at.map(Micros::millis),
    });
    // The size is that of all organisations together.
    let bytes = if available && caller.rights.admin { state.store.size().await.ok() } else { None };
    let mut journal = (state.probes.journal)();
    journal.missing.retain(|org, _| *org == caller.org);
    let (source, version) = PRICE_VERSION.split_once(' ').unwrap_or((PRICE_VERSION, ""));
    Ok(ok(System {
        version: env!("CARGO_PKG_VERSION"),
        started_ms: state.about.started_at.millis(),
        database: DatabaseState { kind: state.store.backend(), ok: available, ping_ms, bytes },
        journal,
        prices: PricesInfo { source, version, overlay: state.about.price_overlay },
        counts,
        running: state.ingest.running(caller.org, None, MOST_RUNNING).len(),
        auth: AuthMode::of(&state.auth),
        durability: state.about.durability,
    }))
}
