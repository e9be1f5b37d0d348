//! The gateway's own failures, in the shape in which the provider would have told its own, so that an SDK raises the
//! exception that its users know. The body's bytes are ours; the status and the shape are the provider's.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::auth::AuthError;
use crate::model::capture::{Outcome, WireFormat};
use crate::route::RouteError;

/// A failure of the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: StatusCode,
    /// A stable name, such as `upstream_unreachable`.
    pub code: &'static str,
    pub message: String,
    pub outcome: Outcome,
}

impl Failure {
    fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), outcome: Outcome::Refused }
    }

    /// The journal is full, and the operator wants no calls without a record.
    pub fn journal_full() -> Self {
        let message = "calls cannot be recorded now (journal.on_full is reject): nothing was sent upstream";
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, "journal_full", message)
    }

    /// Forwarded without its upgrade it would be another call than the one that was meant.
    pub fn websocket() -> Self {
        let message = "WebSocket connections are not forwarded: nothing was sent upstream";
        Self::refused(StatusCode::NOT_IMPLEMENTED, "websocket_unsupported", message)
    }

    /// The request's body did not come to its end.
    pub fn request_stalled(limit: Duration) -> Self {
        let ms = limit.as_millis();
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            code: "request_timeout",
            message: format!("nothing more of the request came within {ms} ms (timeouts.idle_ms)"),
            outcome: Outcome::Timeout,
        }
    }

    /// No answer came from the upstream.
    pub fn no_answer(outcome: Outcome, message: &str) -> Self {
        let (status, code, lead) = match outcome {
            Outcome::Refused => (StatusCode::FORBIDDEN, "target_refused", "the upstream is refused"),
            Outcome::Timeout => {
                (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", "the upstream did not answer in time")
            }
            Outcome::Unreachable => (StatusCode::BAD_GATEWAY, "upstream_unreachable", "the upstream cannot be reached"),
            Outcome::ClientGone => (StatusCode::BAD_REQUEST, "request_incomplete", "the request broke off"),
            Outcome::Complete | Outcome::UpstreamReset | Outcome::Interrupted => {
                (StatusCode::BAD_GATEWAY, "upstream_reset", "the upstream broke off before it answered")
            }
        };
        Self { status, code, message: format!("{lead}: {message}"), outcome }
    }

    /// The body in the provider's shape. PROTOCOL 3.3 names the statuses; the shapes are the providers' own.
    pub fn body(&self, format: WireFormat) -> Value {
        let message = format!("Trailgate: {}", self.message);
        match format {
            WireFormat::Anthropic => {
                json!({"type": "error", "error": {"type": self.anthropic_type(), "message": message}, "code": self.code})
            }
            WireFormat::Gemini => {
                json!({"error": {"code": self.status.as_u16(), "message": message, "status": self.google_status(), "reason": self.code}})
            }
            WireFormat::Bedrock | WireFormat::Cohere => json!({"message": message, "code": self.code}),
            WireFormat::Ollama => json!({"error": message, "code": self.code}),
            WireFormat::Openai | WireFormat::Other => {
                json!({"error": {"message": message, "type": self.openai_type(), "param": null, "code": self.code}})
            }
        }
    }

    fn openai_type(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        }
    }

    fn anthropic_type(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            400..=499 => "invalid_request_error",
            504 => "timeout_error",
            _ => "api_error",
        }
    }

    fn google_status(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            400..=499 => "INVALID_ARGUMENT",
            504 => "DEADLINE_EXCEEDED",
            _ => "UNAVAILABLE",
        }
    }
}

impl From<RouteError> for Failure {
    fn from(error: RouteError) -> Self {
        let (status, code) = match &error {
            RouteError::BadTarget { .. } => (StatusCode::BAD_REQUEST, "bad_target"),
            RouteError::MissingTarget => (StatusCode::BAD_REQUEST, "missing_target"),
            RouteError::UnknownTarget { .. } => (StatusCode::FORBIDDEN, "target_refused"),
            RouteError::UnknownPath { .. } => (StatusCode::NOT_FOUND, "unknown_path"),
        };
        Self::refused(status, code, error.to_string())
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        let (status, code) = match error {
            AuthError::Missing => (StatusCode::UNAUTHORIZED, "missing_key"),
            AuthError::Unknown => (StatusCode::UNAUTHORIZED, "invalid_key"),
            AuthError::Forbidden | AuthError::CrossSite | AuthError::ForeignName | AuthError::Forwarded(_) => {
                (StatusCode::FORBIDDEN, "insufficient_rights")
            }
            AuthError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "key_check_unavailable"),
        };
        Self::refused(status, code, error.to_string())
    }
}
