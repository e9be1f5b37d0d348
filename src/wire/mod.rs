//! Wire formats: pure functions from bytes to facts. No `async`, no I/O, no panics on any input.
#![allow(unused_variables, clippy::todo, missing_docs)] // skeleton

use crate::model::capture::{Body, WireFormat};
use crate::model::exchange::{Kind, Usage};
use crate::model::tags::Note;

/// What was read from one exchange.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// `None`: no model call that this parser knows.
    pub kind: Option<Kind>,
    pub request_model: Option<String>,
    pub response_model: Option<String>,
    /// The provider's response id, such as `chatcmpl-…`.
    pub response_id: Option<String>,
    pub streamed: bool,
    pub finish_reason: Option<String>,
    pub tool_calls: u32,
    /// Body field `user`, the fallback for `Helicone-User-Id`.
    pub user: Option<String>,
    pub usage: Option<Usage>,
    /// Set exactly when `usage` is `None`: one short clause for a person.
    pub usage_missing: Option<&'static str>,
    /// `usage.cost` in dollars, as the provider billed it.
    pub billed_usd: Option<f64>,
    /// Raw usage object of the response in the provider's own shape, for pricing.
    pub raw_usage: Option<serde_json::Value>,
    pub service_tier: Option<String>,
    /// The provider's error text.
    pub error: Option<String>,
    /// A stream that carried an `error` event although its status said success.
    pub stream_error: bool,
    pub notes: Vec<Note>,
}

/// Reads one exchange. `path` is the upstream path without query; `status` the response's.
pub fn read(format: WireFormat, path: &str, status: i32, request: &Body, response: &Body) -> Meaning {
    todo!()
}
pub fn with_stream_usage(body: &[u8]) -> Option<Vec<u8>> { todo!() }
pub mod tags {
    //! seam
    use crate::model::tags::{Note, Tags};
    pub struct Taken { pub tags: Tags, pub notes: Vec<Note>, pub auth: Option<secrecy::SecretString> }
    pub fn take(headers: &mut http::HeaderMap) -> Taken { todo!() }
}
