//! Rows as they come back, and their way into the model.

use sqlx::FromRow;
use uuid::Uuid;

use crate::model::agent::Step;
use crate::model::exchange::Usage;
use crate::model::id::RequestId;
use crate::model::query::CallDetail;
use crate::model::session::{CallRow, SessionOutcome, SessionRow, Totals};
use crate::model::units::{Micros, NanoUsd};

/// The columns of [`CallRecord`], of a call `e`.
macro_rules! call_columns {
    () => {
        "e.id, e.kind, e.session_path, e.started_at, e.ended_at, e.first_byte_us, e.status, e.outcome, e.error_rule, \
         e.error_message, e.provider, e.model, e.streamed, e.finish_reason, e.tool_calls, e.user_id, e.cost, \
         e.prompt_tokens, e.prompt_cache_read_tokens, e.prompt_cache_write_tokens, e.prompt_cache_write_1h_tokens, \
         e.prompt_audio_tokens, e.completion_tokens, e.completion_audio_tokens, e.reasoning_tokens, \
         e.prompt_image_tokens, e.completion_image_tokens, e.web_searches, e.tool_units, e.search_units, \
         e.usage_source, e.service_tier, \
         e.source, e.format, e.method, e.path, e.target_url, COALESCE(e.session_long, e.session_key) AS session_id, \
         e.session_name, e.prompt_id, e.request_model, e.response_model, e.model_override, e.usage_missing, \
         e.cost_source, e.price_version, e.request_bytes, e.response_bytes, e.notes, \
         e.session_rule, e.message_count, e.system_hash, e.tools_hash, e.chain"
    };
}
pub(super) use call_columns;

/// The columns of [`SessionRecord`], of a session `s` and its tag `t`.
pub(super) const SESSION_COLUMNS: &str = "s.session_key, COALESCE(s.session_long, s.session_key) AS id, s.name, \
     s.first_at, s.last_started_at, s.last_ended_at, s.last_failed, s.calls, s.errors, s.cost, s.unpriced, \
     s.latency_sum_us, s.prompt_tokens, s.prompt_cache_read_tokens, s.prompt_cache_write_tokens, \
     s.prompt_cache_write_1h_tokens, s.prompt_audio_tokens, s.completion_tokens, s.completion_audio_tokens, \
     s.reasoning_tokens, s.prompt_image_tokens, s.completion_image_tokens, s.web_searches, s.tool_units, \
     s.search_units, t.tag";

/// A call as it is stored, without its bodies.
#[derive(Debug, FromRow)]
pub(super) struct CallRecord {
    pub id: Uuid,
    kind: String,
    session_path: Option<String>,
    started_at: i64,
    ended_at: i64,
    first_byte_us: Option<i64>,
    status: i32,
    outcome: String,
    error_rule: Option<String>,
    error_message: Option<String>,
    provider: String,
    model: Option<String>,
    streamed: bool,
    finish_reason: Option<String>,
    tool_calls: i32,
    user_id: Option<String>,
    cost: Option<i64>,
    prompt_tokens: Option<i64>,
    prompt_cache_read_tokens: Option<i64>,
    prompt_cache_write_tokens: Option<i64>,
    prompt_cache_write_1h_tokens: Option<i64>,
    prompt_audio_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    completion_audio_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    prompt_image_tokens: Option<i64>,
    completion_image_tokens: Option<i64>,
    web_searches: Option<i64>,
    tool_units: Option<i64>,
    search_units: Option<i64>,
    usage_source: Option<String>,
    service_tier: Option<String>,
    source: String,
    format: String,
    method: String,
    path: String,
    target_url: String,
    session_id: Option<String>,
    session_name: Option<String>,
    prompt_id: Option<String>,
    request_model: Option<String>,
    response_model: Option<String>,
    model_override: Option<String>,
    usage_missing: Option<String>,
    cost_source: Option<String>,
    price_version: Option<String>,
    request_bytes: i64,
    response_bytes: i64,
    notes: Option<String>,
    session_rule: Option<String>,
    message_count: Option<i32>,
    system_hash: Option<i64>,
    tools_hash: Option<i64>,
    chain: Option<Vec<u8>>,
}

impl CallRecord {
    fn usage(&self) -> Option<Usage> {
        // All parts are NULL or none is.
        let prompt_tokens = self.prompt_tokens?;
        Some(Usage {
            prompt_tokens,
            prompt_cache_read_tokens: self.prompt_cache_read_tokens.unwrap_or_default(),
            prompt_cache_write_tokens: self.prompt_cache_write_tokens.unwrap_or_default(),
            prompt_cache_write_1h_tokens: self.prompt_cache_write_1h_tokens.unwrap_or_default(),
            prompt_audio_tokens: self.prompt_audio_tokens.unwrap_or_default(),
            completion_tokens: self.completion_tokens.unwrap_or_default(),
            completion_audio_tokens: self.completion_audio_tokens.unwrap_or_default(),
            reasoning_tokens: self.reasoning_tokens.unwrap_or_default(),
            prompt_image_tokens: self.prompt_image_tokens.unwrap_or_default(),
            completion_image_tokens: self.completion_image_tokens.unwrap_or_default(),
            web_searches: self.web_searches.unwrap_or_default(),
            tool_units: self.tool_units.unwrap_or_default(),
            search_units: self.search_units.unwrap_or_default(),
        })
    }

    /// Where it stands in its conversation; `None` where it carries none.
    fn step(&self) -> Option<Step> {
        let messages = u32::try_from(self.message_count?).unwrap_or_default();
        let mut step = Step { messages, system: self.system_hash, tools: self.tools_hash, ..Step::default() };
        step.set_chain(self.chain.as_deref().unwrap_or_default());
        Some(step)
    }

    /// With its properties and scores still to come.
    pub fn into_detail(self) -> CallDetail {
        let usage = self.usage();
        let step = self.step();
        let notes = self.notes.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        CallDetail {
            call: CallRow {
                id: RequestId(self.id),
                kind: self.kind,
                path: self.session_path,
                started_at: Micros(self.started_at),
                ended_at: Micros(self.ended_at),
                first_byte_us: self.first_byte_us,
                status: self.status,
                outcome: self.outcome,
                error_rule: self.error_rule,
                error_message: self.error_message,
                provider: self.provider,
                model: self.model,
                streamed: self.streamed,
                finish_reason: self.finish_reason,
                tool_calls: self.tool_calls,
                user_id: self.user_id,
                cost: self.cost.map(NanoUsd),
                usage,
                session_rule: self.session_rule,
                step,
            },
            source: self.source,
            format: self.format,
            method: self.method,
            request_path: self.path,
            target_url: self.target_url,
            session_id: self.session_id,
            session_name: self.session_name,
            prompt_id: self.prompt_id,
            request_model: self.request_model,
            response_model: self.response_model,
            model_override: self.model_override,
            usage_source: self.usage_source,
            usage_missing: self.usage_missing,
            service_tier: self.service_tier,
            cost_source: self.cost_source,
            price_version: self.price_version,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            properties: Vec::new(),
            scores: Vec::new(),
            notes,
        }
    }
}

/// Sums over calls.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct TotalsRecord {
    calls: i64,
    errors: i64,
    cost: i64,
    unpriced: i64,
    latency_sum_us: i64,
    prompt_tokens: i64,
    prompt_cache_read_tokens: i64,
    prompt_cache_write_tokens: i64,
    prompt_cache_write_1h_tokens: i64,
    prompt_audio_tokens: i64,
    completion_tokens: i64,
    completion_audio_tokens: i64,
    reasoning_tokens: i64,
    prompt_image_tokens: i64,
    completion_image_tokens: i64,
    web_searches: i64,
    tool_units: i64,
    search_units: i64,
}

impl From<TotalsRecord> for Totals {
    fn from(row: TotalsRecord) -> Self {
        Self {
            calls: row.calls,
            errors: row.errors,
            cost: NanoUsd(row.cost),
            unpriced: row.unpriced,
            latency_sum_us: row.latency_sum_us,
            usage: Usage {
                prompt_tokens: row.prompt_tokens,
                prompt_cache_read_tokens: row.prompt_cache_read_tokens,
                prompt_cache_write_tokens: row.prompt_cache_write_tokens,
                prompt_cache_write_1h_tokens: row.prompt_cache_write_1h_tokens,
                prompt_audio_tokens: row.prompt_audio_tokens,
                completion_tokens: row.completion_tokens,
                completion_audio_tokens: row.completion_audio_tokens,
                reasoning_tokens: row.reasoning_tokens,
                prompt_image_tokens: row.prompt_image_tokens,
                completion_image_tokens: row.completion_image_tokens,
                web_searches: row.web_searches,
                tool_units: row.tool_units,
                search_units: row.search_units,
            },
        }
    }
}

/// A session as it is stored, with its tag.
#[derive(Debug, FromRow)]
pub(super) struct SessionRecord {
    pub session_key: String,
    pub id: String,
    name: String,
    pub first_at: i64,
    pub last_started_at: i64,
    last_ended_at: i64,
    last_failed: bool,
    tag: Option<String>,
    #[sqlx(flatten)]
    totals: TotalsRecord,
    /// How many of its calls have the one property that was asked for; `None`: not counted, or more was asked.
    #[sqlx(default)]
    pub calls_having: Option<i64>,
}

impl SessionRecord {
    pub const fn calls(&self) -> i64 {
        self.totals.calls
    }

    pub fn totals(&self) -> Totals {
        self.totals.into()
    }

    /// With what is read for the whole page still to come.
    pub fn into_row(self) -> SessionRow {
        let totals = Totals::from(self.totals);
        SessionRow {
            id: self.id,
            name: self.name,
            first_at: Micros(self.first_at),
            last_started_at: Micros(self.last_started_at),
            last_ended_at: Micros(self.last_ended_at),
            totals,
            busy_us: 0,
            outcome: SessionOutcome::judge(totals.errors, self.last_failed),
            user_ids: Vec::new(),
            tag: self.tag,
            matching: None,
        }
    }
}
