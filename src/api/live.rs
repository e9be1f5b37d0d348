//! What happens now: new calls as server-sent events, and the calls in flight.
//!
//! A stream tells of rows that are in the store, so whoever hears of one can ask for it. It ends when the server stops, and
//! when the asker's key is revoked or its session over; a browser asks again by itself.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::Reader;
use super::openapi::Faults;
use super::session::CallLight;
use crate::auth::Caller;
use crate::ingest::RunningCall;
use crate::live::{Feed, LiveEvent};
use crate::model::id::RequestId;

/// Comments between events, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the calls in flight are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often the asker's right is looked at.
const CHECK: Duration = Duration::from_secs(10);
/// Rows in one event; who gets more is told to fetch.
const MOST_ROWS: usize = 500;
const MOST_RUNNING: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiveParams {
    /// Only of this session.
    session: Option<String>,
}

/// A call that is new in the store; `offset_ms` is 0.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveCall {
    session_id: Option<String>,
    session_name: Option<String>,
    #[serde(flatten)]
    call: CallLight,
}

/// A call in flight.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunningResult {
    /// The id that its row will have.
    request_id: String,
    session_id: Option<String>,
    session_name: Option<String>,
    path: Option<String>,
    provider: String,
    /// Where the request names it at its start.
    model: Option<String>,
    /// Milliseconds since 1970.
    started_ms: i64,
}

impl From<RunningCall> for RunningResult {
    fn from(call: RunningCall) -> Self {
        Self {
            request_id: call.id.to_string(),
            session_id: call.session_id,
            session_name: call.session_name,
            path: call.session_path,
            provider: call.provider,
            model: call.model,
            started_ms: call.started_at.millis(),
        }
    }
}

fn params(uri: &Uri) -> Result<LiveParams, ApiError> {
    let Query(params) = Query::try_from_uri(uri)
        .map_err(|_| ApiError::bad("session", "is the one parameter that is known here, given once"))?;
    Ok(params)
}

/// Calls in flight in this process, newest first, at most 1000
#[utoipa::path(get, path = "/v1/live/running", tag = "live", operation_id = "getRunning", params(LiveParams),
    responses((status = 200, body = Answer<Vec<RunningResult>>), Faults))]
pub async fn running(State(state): State<ApiState>, Reader(caller): Reader, uri: Uri) -> Result<Response, ApiError> {
    let LiveParams { session } = params(&uri)?;
    Ok(ok(list(&state, &caller, session.as_deref())))
}

fn list(state: &ApiState, caller: &Caller, session: Option<&str>) -> Vec<RunningResult> {
    state.ingest.running(caller.org, session, MOST_RUNNING).into_iter().map(Into::into).collect()
}

/// New calls and calls in flight, as server-sent events
///
/// `calls` (rows that are new in the store), `running` (all calls in flight, when they change), `refetch` (some rows were
/// missed: ask anew), `end` (with `reason` `shutdown` or `signed_out`; nothing follows).
#[utoipa::path(get, path = "/v1/live", tag = "live", operation_id = "watch", params(LiveParams),
    responses((status = 200, content_type = "text/event-stream", body = String), Faults))]
pub async fn watch(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    let LiveParams { session } = params(&uri)?;
    let (feed, now) = (state.ingest.watch(caller.org), Instant::now());
    let watcher = Watcher {
        state,
        caller,
        headers,
        session,
        feed,
        checked: now,
        look: now,
        version: None,
        told: None,
        over: false,
    };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

struct Watcher {
    state: ApiState,
    caller: Caller,
    headers: HeaderMap,
    session: Option<String>,
    feed: Feed,
    checked: Instant,
    look: Instant,
    /// Of the calls in flight when they were looked at last.
    version: Option<u64>,
    /// Those that were told last.
    told: Option<serde_json::Value>,
    over: bool,
}

impl Watcher {
    /// Stop and revocation are looked at, and calls in flight are told, at most once in [`LOOK`], whatever goes on meanwhile.
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        loop {
            if self.state.stop.is_cancelled() {
                return Some(self.end("shutdown"));
            }
            if self.look <= Instant::now() {
                self.look = Instant::now() + LOOK;
                if self.checked.elapsed() >= CHECK && !self.may_stay().await {
                    return Some(self.end("signed_out"));
                }
                if let Some(event) = self.running() {
                    return Some(event);
                }
            }
            let told = tokio::select! {
                biased;
                () = self.state.stop.cancelled() => continue,
                told = self.feed.next() => told,
                () = tokio::time::sleep_until(self.look.into()) => continue,
            };
            let event = match told {
                None => self.end("shutdown"),
                Some(LiveEvent::Refetch) => refetch(),
                Some(LiveEvent::New(ids)) => match self.rows(&ids).await {
                    Some(event) => event,
                    None => continue,
                },
            };
            return Some(event);
        }
    }

    /// The rows of these calls; `None` where none is of the session.
    async fn rows(&self, ids: &[RequestId]) -> Option<Event> {
        if ids.len() > MOST_ROWS {
            return Some(refetch());
        }
        let Ok(rows) = self.state.store.light_calls(self.caller.org, ids).await else { return Some(refetch()) };
        let Ok(mut agents) = self.state.store.agents(self.caller.org, ids).await else { return Some(refetch()) };
        let calls: Vec<LiveCall> = rows
            .into_iter()
            .filter(|row| self.session.is_none() || row.session_id == self.session)
            .map(|row| {
                let (start, agent) = (row.call.started_at, agents.remove(&row.call.id));
                let (session_id, session_name) = (row.session_id.clone(), row.session_name.clone());
                LiveCall { session_id, session_name, call: CallLight::new(row, agent, start) }
            })
            .collect();
        (!calls.is_empty()).then(|| event("calls", &serde_json::json!({ "calls": calls })))
    }

    /// The calls in flight, if they are others than those that were told last.
    fn running(&mut self) -> Option<Event> {
        let version = self.state.ingest.running_version();
        if self.version.replace(version) == Some(version) {
            return None;
        }
        let calls = list(&self.state, &self.caller, self.session.as_deref());
        let told = serde_json::json!({ "calls": calls });
        if self.told.as_ref() == Some(&told) {
            return None;
        }
        let event = event("running", &told);
        self.told = Some(told);
        Some(event)
    }

    /// Whether the asker's key or session is still what it was. A database that is away is no reason to leave.
    async fn may_stay(&mut self) -> bool {
        self.checked = Instant::now();
        match self.state.auth.caller(&Method::GET, &self.headers).await {
            Ok(caller) => caller.org == self.caller.org && (caller.rights.read || caller.rights.admin),
            Err(error) => error == crate::auth::AuthError::Unavailable,
        }
    }

    fn end(&mut self, reason: &str) -> Event {
        self.over = true;
        event("end", &serde_json::json!({ "reason": reason }))
    }
}

fn refetch() -> Event {
    event("refetch", &serde_json::json!({}))
}

fn event(name: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).data(data.to_string())
}
