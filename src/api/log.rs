//! The manual logger: `…/custom/v1/log` and its siblings, under any base path that a client is configured with.
//!
//! 200 is answered only when the record is kept as durably as the journal promises. The post's bytes go into the journal as
//! they came; what they mean is read in the drain.

use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::ApiState;
use super::error::ApiError;
use super::extract::read_charged;
use super::openapi::Faults;
use crate::auth::AuthError;
use crate::ingest::SMALL_LOG;
use crate::journal::Step;
use crate::model::capture::{LogRoute, Posted};
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::units::Micros;
use crate::wire::{manual, tags};

const HELICONE_ID: HeaderName = HeaderName::from_static("helicone-id");

/// The route of the manual logger that a path names, whatever stands before it. Empty segments count for nothing.
///
/// Clients append `/custom/v1/log` to the base that they are given, so bases such as `/v1/trace/custom/log` or one that
/// ends in a slash lead here as well.
pub fn is_log_path(path: &str) -> Option<LogRoute> {
    let mut last: Vec<&str> = path.rsplit('/').filter(|segment| !segment.is_empty()).take(4).collect();
    last.reverse();
    match last.as_slice() {
        [.., "trace", "custom", "v1", "log"]
        | [.., "trace", "custom", "log"]
        | [.., "trace", "custom", "log", "typed"] => Some(LogRoute::Trace),
        [.., "custom", "v1", "log"] | ["v1", "log"] => Some(LogRoute::Custom),
        [.., "oai", "v1", "log"] => Some(LogRoute::Openai),
        [.., "anthropic", "v1", "log"] => Some(LogRoute::Anthropic),
        [.., "googleapis", "v1", "log"] => Some(LogRoute::Google),
        _ => None,
    }
}

/// Takes a manual log. The request's path must be one that [`is_log_path`] knows; `route` is its answer.
pub async fn take(state: &ApiState, route: LogRoute, request: Request) -> Response {
    if request.method() != Method::POST {
        let mut response = refuse(ApiError::Method, false);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let typed = request.uri().path().trim_end_matches('/').ends_with("/typed");
    match store(state, route, request).await {
        Ok(id) => {
            let text = if route == LogRoute::Trace { "" } else { "ok" };
            let mut response = (StatusCode::OK, text).into_response();
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                response.headers_mut().insert(HELICONE_ID, value);
            }
            response
        }
        Err(error) => refuse(error, typed),
    }
}

async fn store(state: &ApiState, route: LogRoute, request: Request) -> Result<RequestId, ApiError> {
    let at = Micros::now();
    let (mut parts, body) = request.into_parts();
    let caller = state.auth.caller(&parts.method, &parts.headers).await?;
    if !caller.rights.write && !caller.rights.admin {
        return Err(AuthError::Forbidden.into());
    }
    // Held until the record is kept.
    let mut charge = state.ingest.budget().take(0);
    let grow = |bytes| charge.as_mut().is_some_and(|charge| charge.grow(bytes));
    let body = read_charged(&parts, body, state.limits.log_bytes, state.limits.body_timeout, grow).await?;
    // Not before the body was read: a client that is still sending would see a broken connection and no answer.
    room(state, body.len())?;
    let (tags, notes, _) = tags::take(&mut parts.headers);
    let envelope = manual::parse(&body).map_err(|error| ApiError::bad(error.path, error.message))?;
    let said = tags.request_id.or_else(|| tags::from_pairs(envelope.meta).0.request_id);
    let record = said.map_or_else(RecordId::generate, |id| record_of(caller.org, id, &body));
    let posted = Posted { record, org: caller.org, key: caller.key, at, route, tags, notes };
    state.ingest.log(&posted, body).await?;
    drop(charge);
    Ok(said.unwrap_or(RequestId(record.0)))
}

/// The record of a post that names its id: the same for the same post sent again, and another one for another post.
fn record_of(org: OrgId, id: RequestId, body: &[u8]) -> RecordId {
    let mut hasher = blake3::Hasher::new_derive_key("trailgate 2026 manual log");
    hasher.update(org.0.as_bytes()).update(id.0.as_bytes()).update(body);
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    RecordId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Whether the journal takes a log of so many bytes now.
fn room(state: &ApiState, bytes: usize) -> Result<(), ApiError> {
    state.ingest.takes_log(bytes).map_err(|_| ApiError::Unavailable {
        public: if bytes > SMALL_LOG && state.ingest.step() < Step::Full {
            "the journal is almost full: logs of more than 64 KB are not taken now; nothing was stored"
        } else {
            "the journal is full: nothing was stored"
        },
        cause: None,
    })
}

/// The loggers know no wrapper: `{"error": …}`; the typed form also has the original's list of faults.
fn refuse(error: ApiError, typed: bool) -> Response {
    let text = error.to_string();
    let body = match &error {
        ApiError::Bad { path, message } if typed => {
            json!({ "isValid": false, "errors": [{ "field": path, "message": message }], "error": text })
        }
        _ => json!({ "error": text }),
    };
    error.respond(body)
}

macro_rules! log_route {
    ($(#[doc = $doc:literal])* $name:ident, $path:literal, $id:literal, $route:expr) => {
        $(#[doc = $doc])*
        #[utoipa::path(post, path = $path, tag = "manual logger", operation_id = $id,
            request_body(content = Object, description = "the envelope: providerRequest, providerResponse, timing"),
            responses((status = 200, body = String,
                headers(("helicone-id" = String, description = "the id of the request that was logged"))), Faults))]
        pub async fn $name(State(state): State<ApiState>, request: Request) -> Response {
            take(&state, $route, request).await
        }
    };
}

log_route!(
    /// Logs an event or a call to any provider
    ///
    /// The same under any path that ends like this one.
    custom, "/custom/v1/log", "logCustom", LogRoute::Custom);
log_route!(
    /// Logs an OpenAI call
    openai, "/oai/v1/log", "logOpenai", LogRoute::Openai);
log_route!(
    /// Logs an Anthropic call
    anthropic, "/anthropic/v1/log", "logAnthropic", LogRoute::Anthropic);
log_route!(
    /// Logs a Google call
    google, "/googleapis/v1/log", "logGoogle", LogRoute::Google);
log_route!(
    /// Logs an event or a call to any provider, under the short path
    short, "/v1/log", "logShort", LogRoute::Custom);
log_route!(
    /// Logs a call; the envelope's `provider` names the provider
    trace, "/v1/trace/custom/v1/log", "logTrace", LogRoute::Trace);
log_route!(
    /// Logs a call; the envelope's `provider` names the provider
    trace_short, "/v1/trace/custom/log", "logTraceShort", LogRoute::Trace);
log_route!(
    /// Logs a call; faults come as a list
    trace_typed, "/v1/trace/custom/log/typed", "logTraceTyped", LogRoute::Trace);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_known_again_by_its_id_and_bytes() {
        let (id, other) = (RequestId::generate(), RequestId::generate());
        let one = record_of(OrgId::DEFAULT, id, b"a");
        assert_eq!(record_of(OrgId::DEFAULT, id, b"a"), one);
        for another in [(OrgId::generate(), id, b"a"), (OrgId::DEFAULT, other, b"a"), (OrgId::DEFAULT, id, b"b")] {
            assert_ne!(record_of(another.0, another.1, another.2), one);
        }
    }

    #[test]
    fn log_paths_are_known_under_any_base() {
        for (path, route) in [
            ("/custom/v1/log", Some(LogRoute::Custom)),
            ("//custom/v1/log", Some(LogRoute::Custom)),
            ("/foo/bar/custom/v1/log", Some(LogRoute::Custom)),
            ("/v1/trace/custom/log/custom/v1/log", Some(LogRoute::Custom)),
            ("/v1/log", Some(LogRoute::Custom)),
            ("/oai/v1/log", Some(LogRoute::Openai)),
            ("/x/oai/v1/log/", Some(LogRoute::Openai)),
            ("/anthropic/v1/log", Some(LogRoute::Anthropic)),
            ("/googleapis/v1/log", Some(LogRoute::Google)),
            ("/v1/trace/custom/v1/log", Some(LogRoute::Trace)),
            ("/v1/trace/custom/log", Some(LogRoute::Trace)),
            ("/v1/trace/custom/log/typed", Some(LogRoute::Trace)),
            ("/", None),
            ("", None),
            ("/log", None),
            ("/api/v1/log", None),
            ("/v1/logs", None),
            ("/mycustom/v1/log", None),
            ("/v1/chat/completions", None),
            ("/custom/v1/log/x", None),
        ] {
            assert_eq!(is_log_path(path), route, "{path}");
        }
    }
}
