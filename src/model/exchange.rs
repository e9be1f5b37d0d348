//! An exchange: one stored row, everything that was understood of a call.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::agent::Agent;
use super::capture::{BodyFacts, Outcome, WireFormat};
use super::headers::Headers;
use super::id::{KeyId, OrgId, RecordId, RequestId};
use super::tags::{Note, Property};
use super::units::{Micros, NanoUsd};

/// One call, as the drain hands it to the store.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub org: OrgId,
    /// What the client calls it. The store keeps one row per `(org, id)`; see `store::write` for what happens when a
    /// client uses one id for two calls.
    pub id: RequestId,
    /// What the gateway calls it: replays carry the same.
    pub record: RecordId,
    pub key: Option<KeyId>,
    pub source: Source,
    pub kind: Kind,

    pub started_at: Micros,
    /// `started_at` plus the monotonic duration.
    pub ended_at: Micros,
    /// To the first byte of a streamed answer; `None` where nothing was streamed.
    pub first_byte_us: Option<i64>,
    pub outcome: Outcome,
    /// HTTP status that the client saw, or what a manual log says (negative values included); 0 where there was none.
    pub status: i32,
    /// Set exactly when the call counts as an error: which rule says so (`status`, `outcome`, `stream_error`,
    /// `tool_error`).
    pub error_rule: Option<&'static str>,
    /// The provider's (or tool's, or gateway's) own words, at most 1,000 characters.
    pub error_message: Option<String>,

    /// Row provider name: `OPENAI`, `ANTHROPIC`, `CUSTOM`, … (PROTOCOL 1.6), else the provider's configured name.
    pub provider: String,
    pub format: WireFormat,
    pub method: String,
    pub path: String,
    pub target_url: String,
    pub streamed: bool,

    /// The model that the row is about: override, else response's, else request's; `tool:<name>`, `vector_db`,
    /// `data:<name>` for custom events.
    pub model: Option<String>,
    pub request_model: Option<String>,
    pub response_model: Option<String>,
    pub model_override: Option<String>,
    /// The provider's word: `stop`, `tool_calls`, `end_turn`, …
    pub finish_reason: Option<String>,
    /// Tool calls that the response asks for.
    pub tool_calls: i32,

    pub session_id: Option<String>,
    pub session_name: Option<String>,
    pub session_path: Option<String>,
    pub user_id: Option<String>,
    pub prompt_id: Option<String>,
    /// Custom properties only; the session's are in their own fields.
    pub properties: Vec<Property>,

    pub usage: Option<Usage>,
    /// Where the usage comes from; set exactly when there is one.
    pub usage_source: Option<UsageSource>,
    /// Why there is no usage; `None` exactly when there is.
    pub usage_missing: Option<String>,
    pub cost: Option<Cost>,
    /// As the response reports it: some tiers have their own prices.
    pub service_tier: Option<String>,
    /// What was priced where [`Usage`] does not say all of it: a JSON object of the price table's units.
    pub priced_units: Option<String>,
    pub notes: Vec<Note>,
    /// Tool calls, results, and where the call stands in its conversation.
    pub agent: Agent,

    pub request_headers: Headers,
    pub response_headers: Headers,
    pub request: KeptBody,
    pub response: KeptBody,
}

impl Exchange {
    /// Wall time in microseconds.
    pub fn duration_us(&self) -> i64 {
        self.ended_at - self.started_at
    }
}

/// Where a row came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It went through the proxy.
    Proxy,
    /// The manual logger posted it.
    Manual,
}

impl Source {
    /// The name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Manual => "manual",
        }
    }
}

/// What a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Llm,
    Tool,
    VectorDb,
    Data,
    /// A proxied call that is no model call: model lists, files, unknown paths.
    Other,
}

impl Kind {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Tool => "tool",
            Self::VectorDb => "vector_db",
            Self::Data => "data",
            Self::Other => "other",
        }
    }
}

/// Where a usage comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageSource {
    /// The provider reported it.
    Reported,
    /// The provider had reported that much when the stream broke off.
    Partial,
    /// Nothing was reported when the stream broke off: counted from the texts.
    Estimated,
}

impl UsageSource {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Partial => "partial",
            Self::Estimated => "estimated",
        }
    }
}

/// Tokens in disjoint parts: no token is counted in two of them. Behind them what is counted beside tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input without cached, audio and images.
    pub prompt_tokens: i64,
    pub prompt_cache_read_tokens: i64,
    /// Written to the cache, any lifetime.
    pub prompt_cache_write_tokens: i64,
    /// Of these, the ones written for an hour (Anthropic's `ephemeral_1h`).
    pub prompt_cache_write_1h_tokens: i64,
    pub prompt_audio_tokens: i64,
    pub prompt_image_tokens: i64,
    /// Output without reasoning, audio and images.
    pub completion_tokens: i64,
    pub completion_audio_tokens: i64,
    pub completion_image_tokens: i64,
    pub reasoning_tokens: i64,
    /// Web searches that the provider ran and counts in its usage.
    pub web_searches: i64,
    /// Other runs of the provider's own tools that it counts.
    pub tool_units: i64,
    /// What is searched by the unit: Cohere's search units, xAI's sources.
    pub search_units: i64,
}

impl Usage {
    /// Adds each part of another.
    pub const fn add(&mut self, more: &Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.prompt_cache_read_tokens = self.prompt_cache_read_tokens.saturating_add(more.prompt_cache_read_tokens);
        self.prompt_cache_write_tokens = self.prompt_cache_write_tokens.saturating_add(more.prompt_cache_write_tokens);
        self.prompt_cache_write_1h_tokens =
            self.prompt_cache_write_1h_tokens.saturating_add(more.prompt_cache_write_1h_tokens);
        self.prompt_audio_tokens = self.prompt_audio_tokens.saturating_add(more.prompt_audio_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
        self.completion_audio_tokens = self.completion_audio_tokens.saturating_add(more.completion_audio_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(more.reasoning_tokens);
        self.prompt_image_tokens = self.prompt_image_tokens.saturating_add(more.prompt_image_tokens);
        self.completion_image_tokens = self.completion_image_tokens.saturating_add(more.completion_image_tokens);
        self.web_searches = self.web_searches.saturating_add(more.web_searches);
        self.tool_units = self.tool_units.saturating_add(more.tool_units);
        self.search_units = self.search_units.saturating_add(more.search_units);
    }

    /// All input, cached included (OpenTelemetry `gen_ai.usage.input_tokens`).
    pub const fn input_tokens(&self) -> i64 {
        self.prompt_tokens
            .saturating_add(self.prompt_cache_read_tokens)
            .saturating_add(self.prompt_cache_write_tokens)
            .saturating_add(self.prompt_audio_tokens)
            .saturating_add(self.prompt_image_tokens)
    }

    /// All output, reasoning included (OpenTelemetry `gen_ai.usage.output_tokens`).
    pub const fn output_tokens(&self) -> i64 {
        self.completion_tokens
            .saturating_add(self.completion_audio_tokens)
            .saturating_add(self.completion_image_tokens)
            .saturating_add(self.reasoning_tokens)
    }
}

/// What a call cost and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    pub amount: NanoUsd,
    pub source: CostSource,
    /// Version of the price data; empty where the provider billed.
    pub price_version: String,
}

/// Where a cost comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostSource {
    /// `usage.cost` in the provider's answer.
    Provider,
    /// The `genai-prices` table.
    Prices,
    /// The operator's overlay.
    Overlay,
}

impl CostSource {
    /// The name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Prices => "genai-prices",
            Self::Overlay => "overlay",
        }
    }
}

/// A body on its way to the store, bytes exactly as they passed.
#[derive(Clone, Debug, Default)]
pub struct KeptBody {
    pub facts: BodyFacts,
    /// Empty where nothing was kept.
    pub bytes: Bytes,
}
/// Whether a call's cost is missing from a sum. One that failed and reported no usage cost nothing that anybody knows of: to
/// count it would have each failure look like a gap in the prices.
pub fn is_unpriced(kind: &str, has_cost: bool, failed: bool, has_usage: bool) -> bool {
    kind == Kind::Llm.as_str() && !has_cost && (!failed || has_usage)
}
