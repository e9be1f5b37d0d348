//! What the API answers when it cannot do what was asked.
//!
//! One enum, one mapping to status and body. The public sentence names the field and what is allowed; the private cause
//! of a failure of ours is logged once, here, and never sent.

use axum::Json;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::{AuthError, AuthFault};
use crate::journal::JournalError;
use crate::model::filter::FilterError;
use crate::store::StoreError;

/// Why a request was not answered with data.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400. A field, by JSON path (empty: the whole body), and what is wrong with it.
    #[error("{}", bad_text(path, message))]
    Bad { path: String, message: String },
    /// 401
    #[error("{0}")]
    Unauthorized(AuthError),
    /// 403
    #[error("{0}")]
    Forbidden(String),
    /// 404. What was looked for.
    #[error("{0}")]
    NotFound(String),
    /// 405
    #[error("this path does not take that method")]
    Method,
    /// 408
    #[error("the request body did not arrive in time")]
    Slow,
    /// 413
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    /// 415. The coding that the body came in.
    #[error("the body came with Content-Encoding: {0}, which is not read here: send it as it is")]
    Encoded(String),
    /// 503 with `Retry-After`: the same request may go through later.
    #[error("{public}")]
    Unavailable { public: &'static str, cause: Option<Box<dyn std::error::Error + Send + Sync>> },
    /// 500
    #[error("the gateway failed to answer; its log says why")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn bad_text(path: &str, message: &str) -> String {
    if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") }
}

impl ApiError {
    /// A field that is not as it must be.
    pub fn bad(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Bad { path: path.into(), message: message.into() }
    }

    /// No such request.
    pub fn no_request(id: &str) -> Self {
        Self::NotFound(format!("no request has the id {:?}", shorten(id)))
    }

    /// No such session.
    pub fn no_session(id: &str) -> Self {
        Self::NotFound(format!("no session has the id {:?}", shorten(id)))
    }

    /// The status that it is answered with.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Bad { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoded(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer with a body of the caller's choice; logs the private cause.
    pub fn respond(self, body: serde_json::Value) -> Response {
        match &self {
            Self::Unavailable { cause: Some(cause), .. } => tracing::warn!(error = %cause, "api.unavailable"),
            Self::Internal(cause) => tracing::error!(error = %cause, "api.failed"),
            _ => {}
        }
        let mut response = (self.status(), Json(body)).into_response();
        match self {
            Self::Unavailable { .. } => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the body was not read: the connection cannot be used again.
            Self::TooLarge { .. } | Self::Encoded(_) | Self::Slow => {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "data": null, "error": self.to_string() });
        self.respond(body)
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Missing | AuthError::Unknown => Self::Unauthorized(error),
            AuthError::Forbidden | AuthError::CrossSite | AuthError::ForeignName | AuthError::Forwarded(_) => {
                Self::Forbidden(error.to_string())
            }
            AuthError::Unavailable => Self::Unavailable {
                public: "the API key cannot be checked now: the database is not available",
                cause: None,
            },
        }
    }
}

impl From<AuthFault> for ApiError {
    fn from(fault: AuthFault) -> Self {
        match fault {
            AuthFault::TooMuch => Self::Forbidden(fault.to_string()),
            AuthFault::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable {
                public: "the database is not available; calls go on being recorded",
                cause: Some(Box::new(error)),
            },
            StoreError::TooBroad { .. } => Self::bad(
                "filter",
                format!(
                    "{error}: narrow it by request_created_at, model, session_id or a property, or ask newest first \
                     for a shorter page"
                ),
            ),
            _ => Self::Internal(Box::new(error)),
        }
    }
}

impl From<JournalError> for ApiError {
    fn from(error: JournalError) -> Self {
        let public = match error {
            JournalError::Full => "the journal is full: nothing was stored",
            _ => "the journal cannot write: nothing was stored",
        };
        Self::Unavailable { public, cause: Some(Box::new(error)) }
    }
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> Self {
        Self::Bad { path: error.path, message: error.message }
    }
}

/// A client's text in an answer: enough of it to be recognised.
pub fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
