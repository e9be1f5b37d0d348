//! Which paths are the API's, in whole families: whatever is under one is answered here, by 404 where there is nothing, and
//! never forwarded. A provider would be told questions, keys and bodies that are not meant for it.
//!
//! Paths that OpenAI has too (`/v1/evals`, `/v1/organization`, `/v1/models`) are not in here.

use axum::response::{IntoResponse, Response};

use super::error::{ApiError, shorten};
use crate::route::behind_v1;

/// Second segments of the API's paths.
const OURS: [&str; 21] = [
    "session",
    "request",
    "property",
    "user",
    "api-keys",
    "feedback",
    "trace",
    "me",
    "login",
    "logout",
    "metrics",
    "path",
    "tool",
    "live",
    "saved-filter",
    "export",
    "org",
    "retention",
    "system",
    "dead-letter",
    "gaps",
];

/// Second segments of paths that Helicone's API has, no provider has, and this one does not offer.
const NOT_OFFERED: [&str; 15] = [
    "alert",
    "customer",
    "dashboard",
    "evaluator",
    "experiment",
    "helicone-dataset",
    "helicone-sql",
    "integration",
    "log",
    "prompt",
    "prompt-2025",
    "public",
    "rate-limits",
    "vault",
    "webhooks",
];

/// Whether a path belongs to the API even if it names nothing in it: such a path is answered 404, never forwarded.
pub fn owns(path: &str) -> bool {
    // OpenAI has `/v1/live/sessions` and what is below it.
    let is_live_call = || path.split('/').filter(|segment| !segment.is_empty()).nth(2) == Some("sessions");
    behind_v1(path).is_some_and(|family| match family {
        "live" => !is_live_call(),
        family => OURS.contains(&family) || NOT_OFFERED.contains(&family),
    })
}

/// What a path of the API that names nothing is answered.
pub fn not_here(path: &str) -> Response {
    let shown = shorten(path);
    let text = match behind_v1(path) {
        Some(family) if NOT_OFFERED.contains(&family) => format!(
            "Trailgate does not offer {shown}, which is a path of Helicone's API; nothing was forwarded. To call a \
             provider's path of that name use /v1/gateway/<provider>{shown} or Helicone-Target-URL"
        ),
        _ => format!("the API has no path {shown}; GET /openapi.json lists them"),
    };
    ApiError::NotFound(text).into_response()
}
