//! Routes that anybody may ask: is it alive, is it ready, its figures, its description. Nothing of a tenant is in them but
//! how many of its calls could not be recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ApiState;
use crate::ingest::Missing;
use crate::model::id::OrgId;

const PING_LIMIT: Duration = Duration::from_secs(2);
/// A sync that takes longer is taken for one that never ends.
const LONGEST_SYNC_MS: u64 = 10_000;

/// What the routes of this file ask the rest of the process.
#[derive(Clone)]
pub struct Probes {
    /// All figures in the text format of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub journal: Arc<dyn Fn() -> JournalState + Send + Sync>,
}

/// How the journal and the drain behind it stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JournalState {
    /// How full it is: `normal`, `warning` (70 %), `shedding` (85 %: calls are recorded without bodies), `full` (95 %, or the
    /// disk takes no writes: calls are not recorded).
    #[schema(value_type = String)]
    pub step: &'static str,
    pub fill_percent: u32,
    /// Whether records are accepted.
    pub writable: bool,
    /// Whether calls are forwarded: always, unless it is full and `journal.on_full` is `reject`.
    pub serving: bool,
    /// Whether the drain makes headway: false where records wait too long although the database answers.
    pub draining: bool,
    pub bytes_on_disk: u64,
    pub max_bytes: u64,
    /// Age of the oldest record that is not in the database yet.
    pub oldest_waiting_ms: Option<u64>,
    /// Frames that were not taken since the start: the journal was full or could not write.
    pub frames_refused: u64,
    /// Frames lost to damage on disk.
    pub frames_lost: u64,
    /// Bytes cut from a dirty end at the start.
    pub bytes_cut: u64,
    /// How long the last sync to disk took.
    pub last_sync_us: u64,
    /// How long the sync that is under way has taken until now.
    pub syncing_ms: Option<u64>,
    /// Tries to write to the database that failed, since the start.
    pub drain_failures: u64,
    /// Records that were put aside as dead letters since the start.
    pub dead: u64,
    /// What organisations miss since the start of the process; without those that miss nothing.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, u64>>)]
    pub missing: BTreeMap<OrgId, Missing>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    ready: bool,
    /// What does not go as it should although calls are served; `null` where all is well.
    #[schema(value_type = Option<String>)]
    degraded: Option<&'static str>,
    store: StoreState,
    journal: JournalState,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StoreState {
    /// `sqlite` or `postgres`.
    #[schema(value_type = String)]
    backend: &'static str,
    /// Whether it answered just now.
    available: bool,
}

/// The process answers
#[utoipa::path(get, path = "/healthz", tag = "health", operation_id = "healthz", security(()),
    responses((status = 200, body = String)))]
pub async fn alive() -> &'static str {
    "ok"
}

/// The process answers, in the original's words
#[utoipa::path(get, path = "/healthcheck", tag = "health", operation_id = "healthcheck", security(()),
    responses((status = 200, body = Object)))]
pub async fn healthcheck() -> Response {
    Json(json!({ "status": "healthy :)" })).into_response()
}

/// Whether calls can be accepted and recorded
///
/// A database that is away does not make it unready: calls are forwarded and wait in the journal. It is unready where the
/// journal is full and `journal.on_full` is `reject`, where the disk does not finish a sync in ten seconds, or where records
/// are not moved to a database that answers.
#[utoipa::path(get, path = "/readyz", tag = "health", operation_id = "readyz", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn ready(State(state): State<ApiState>) -> Response {
    let available = matches!(tokio::time::timeout(PING_LIMIT, state.store.ping()).await, Ok(Ok(())));
    let journal = (state.probes.journal)();
    let hangs = journal.syncing_ms.is_some_and(|ms| ms >= LONGEST_SYNC_MS);
    let ready = journal.serving && !hangs && (journal.draining || !available);
    let degraded = match journal.step {
        _ if hangs => Some("the disk of the journal does not finish a sync: calls wait for their last byte"),
        "full" => Some("the journal is full: calls are not recorded"),
        "shedding" => Some("the journal is almost full: calls are recorded without their bodies"),
        "warning" => Some("the journal fills up"),
        _ if !available => Some("the database is away: records wait in the journal"),
        _ if journal.frames_lost > 0 => Some("the journal lost records to damage on its disk: see its *.bad files"),
        _ => None,
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let store = StoreState { backend: state.store.backend(), available };
    (status, Json(Readiness { ready, degraded, store, journal })).into_response()
}

/// Figures of the process for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "metrics", security(()),
    responses((status = 200, content_type = "text/plain; version=0.0.4", body = String)))]
pub async fn metrics(State(state): State<ApiState>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (state.probes.metrics)()).into_response()
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "health", operation_id = "openapi", security(()),
    responses((status = 200, body = Object)))]
pub async fn description() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| super::openapi().to_json().unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// A greeting with the custom properties of the request, to try headers with
#[utoipa::path(get, path = "/helicone/test", tag = "health", operation_id = "heliconeTest", security(()),
    responses((status = 200, body = Object)))]
pub async fn helicone_test(mut headers: HeaderMap) -> Response {
    let (tags, _, _) = crate::wire::tags::take(&mut headers);
    let properties: serde_json::Map<_, _> =
        tags.properties.into_iter().map(|p| (p.key, serde_json::Value::from(p.value))).collect();
    Json(json!({ "test": "Hello World!", "properties": properties })).into_response()
}
