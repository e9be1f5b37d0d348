//! Captures: what the edges hand to `ingest` and what the journal keeps. Raw bytes and plain facts; nothing in them was
//! interpreted, so a later and better parser can read them again.
//!
//! A proxied call is a [`Begin`], perhaps a [`RequestBody`] (when the body was not there at once), and an [`End`].
//! A manual log is one [`Posted`]. Every struct is the head of a journal frame, written with its fields' names; body bytes
//! follow it. Fields may be added with a default, never renamed, retyped or removed: files on disk depend on it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::exchange::Usage;
use super::headers::Headers;
use super::id::{KeyId, OrgId, RecordId};
use super::tags::{Note, Tags};
use super::units::Micros;

/// A call was accepted; nothing was sent upstream yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    pub record: RecordId,
    pub org: OrgId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// When the request's head had arrived.
    pub at: Micros,
    pub method: String,
    /// Path and query as the client sent them, credentials in the query redacted.
    pub path: String,
    /// Where it goes: the full upstream URL, credentials redacted. Empty if the call was refused before routing.
    #[serde(default)]
    pub target_url: String,
    /// The provider's name in the configuration (`openai`, …), or the target's host where it is in no table.
    #[serde(default)]
    pub provider: String,
    /// Which parser reads the bodies.
    #[serde(default)]
    pub format: WireFormat,
    #[serde(default)]
    pub headers: Headers,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Present when the whole request body was there at arrival; else a [`RequestBody`] follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<BodyFacts>,
}

/// The request body of a call, when it was not complete at arrival.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestBody {
    pub record: RecordId,
    pub request: BodyFacts,
}

/// A call came to its end, whichever it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct End {
    pub record: RecordId,
    pub outcome: Outcome,
    /// The status that the client saw; 0 if it left before there was one.
    pub status: u16,
    /// From the request's head to the end, monotonic clock, microseconds.
    pub duration_us: i64,
    /// From the request's head to the response's head, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_us: Option<i64>,
    /// From the request's head to the first byte of the response's body, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<i64>,
    #[serde(default)]
    pub headers: Headers,
    pub response: BodyFacts,
    /// Why the gateway itself ended the call; for a person, never a body or a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// A manual log as it was posted; the frame's body is the post's body, validated before it was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Posted {
    pub record: RecordId,
    pub org: OrgId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// When it arrived: the call's time where the envelope has none.
    pub at: Micros,
    /// Which route took it: decides the provider where the envelope does not.
    pub route: LogRoute,
    /// From the headers of the post; the envelope's `meta` is read later and yields to these.
    #[serde(default)]
    pub tags: Tags,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// The routes of the manual logger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogRoute {
    /// `/custom/v1/log`: provider `CUSTOM` unless the envelope names one.
    Custom,
    /// `/oai/v1/log`
    Openai,
    /// `/anthropic/v1/log`
    Anthropic,
    /// `/googleapis/v1/log`
    Google,
    /// `/v1/trace/custom/…`: the envelope's `provider` decides, default `OPENAI`.
    Trace,
}

/// What is known of a body beside its kept bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BodyFacts {
    /// Bytes that passed, kept or not.
    pub len: u64,
    /// Which of them were kept.
    pub kept: Kept,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// SHA-256 in hex over all bytes that passed; only where not all were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What was read from a body before it was left out because the journal was almost full. Never in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub essence: Option<Box<Essence>>,
}

/// What the parsers found in a body that was not kept, request or response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Essence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    pub streamed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// How many ask the client for something.
    pub tool_calls: u32,
    /// Those of them, and of the ones that ran at the provider, that were kept; without arguments where these were too long.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The usage is what had been reported when the stream broke off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_seconds: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_missing: Option<String>,
    /// Dollars, as the provider billed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_usd: Option<serde_json::Number>,
    /// The usage object in the provider's own shape, for pricing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_usage: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub stream_error: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// A tool call as an answer carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolCall {
    /// As the provider calls it; its result refers to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As the model wrote them, normally a JSON object; perhaps cut.
    pub arguments: String,
    /// The provider's word for this form of call: `function`, `custom`, `tool_use`, `functionCall`, `mcp_call`, …
    pub form: String,
    /// It ran at the provider. Only the others ask the client for something.
    pub at_provider: bool,
}

/// How much of a body was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// All that passed.
    #[default]
    Whole,
    /// The first part, up to the cap on a body's size.
    Truncated,
    /// The first part, until the gateway ran short of memory for captures; nothing where the journal was almost full.
    Shed,
    /// Nothing: the sender asked for that (`Helicone-Omit-*`).
    Omitted,
}

/// How a call ended, seen from the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider's answer reached the client whole (whatever its status).
    Complete,
    /// No connection to the upstream.
    Unreachable,
    /// The upstream broke off: before the head, or in the middle of the body.
    UpstreamReset,
    /// The client left before the end.
    ClientGone,
    /// A time limit of the gateway ended it.
    Timeout,
    /// The gateway would not forward it (target not allowed, no such route, bad key).
    Refused,
    /// The gateway itself died during the call; known from a begin without an end.
    Interrupted,
}

impl Outcome {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Unreachable => "unreachable",
            Self::UpstreamReset => "upstream_reset",
            Self::ClientGone => "client_gone",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Complete,
            Self::Unreachable,
            Self::UpstreamReset,
            Self::ClientGone,
            Self::Timeout,
            Self::Refused,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|o| o.as_str() == name)
    }
}

/// Which wire format an upstream speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireFormat {
    /// OpenAI's API and all that copy it.
    Openai,
    Anthropic,
    Gemini,
    Bedrock,
    Cohere,
    Ollama,
    /// Not known: status, sizes and times only.
    #[default]
    Other,
}

impl WireFormat {
    /// The name in the configuration and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
            Self::Other => "other",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Openai, Self::Anthropic, Self::Gemini, Self::Bedrock, Self::Cohere, Self::Ollama, Self::Other]
            .into_iter()
            .find(|format| format.as_str() == name)
    }
}

/// A whole capture, read back from the journal and ready to be understood.
#[derive(Clone, Debug)]
pub enum Capture {
    /// A proxied call. `end` is absent when the gateway died during it.
    Call { begin: Box<Begin>, request: Body, end: Option<Box<(End, Bytes)>> },
    /// A manual log and its posted bytes.
    Log { posted: Box<Posted>, body: Bytes },
}

/// A captured body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub facts: BodyFacts,
    pub bytes: Bytes,
}
