//! A call as the columns of `exchange`, ready to be bound. Pure: nothing here knows which database it goes to.
//!
//! Numbers that a client or a provider chose are brought into a range that the columns have and that sums over a call's own
//! parts stay in; what a call adds to sums over calls is bounded beside them (`store::bounds`).

use std::borrow::Cow;

use uuid::Uuid;

use super::text::{clean, index_key, property_key, split};
use crate::model::agent::{SessionRule, Step};
use crate::model::exchange::{Exchange, Usage, UsageSource, is_unpriced};
use crate::model::tags::Note;

/// The last microsecond of the year 9999. Instants lie between the epoch and this.
const LAST_INSTANT: i64 = 253_402_300_799_999_999;
/// Tokens in one part of one call: all parts of one together are less than what a call may add to a sum.
pub(super) const MOST_TOKENS: i64 = 1 << 36;
/// Nano-dollars of one call: a million dollars and a bit.
pub(super) const MOST_COST: i64 = 1 << 50;

type Text<'a> = Cow<'a, str>;

/// One row of `exchange`: fields are columns, in the order of the table.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub org_id: Uuid,
    pub id: Uuid,
    pub record_id: Uuid,
    pub key_id: Option<Uuid>,
    pub source: &'static str,
    pub kind: &'static str,
    pub started_at: i64,
    pub ended_at: i64,
    pub first_byte_us: Option<i64>,
    pub outcome: &'static str,
    pub status: i32,
    pub error_rule: Option<&'static str>,
    pub error_message: Option<Text<'a>>,
    pub provider: Text<'a>,
    pub format: &'static str,
    pub method: Text<'a>,
    pub path: Text<'a>,
    pub target_url: Text<'a>,
    pub streamed: bool,
    pub model: Option<Text<'a>>,
    pub request_model: Option<Text<'a>>,
    pub response_model: Option<Text<'a>>,
    pub model_override: Option<Text<'a>>,
    pub finish_reason: Option<Text<'a>>,
    pub tool_calls: i32,
    pub session_key: Option<Text<'a>>,
    pub session_long: Option<Text<'a>>,
    pub session_name: Option<Text<'a>>,
    pub session_path: Option<Text<'a>>,
    pub user_id: Option<Text<'a>>,
    pub prompt_id: Option<Text<'a>>,
    pub usage_missing: Option<Text<'a>>,
    pub prompt_tokens: Option<i64>,
    pub prompt_cache_read_tokens: Option<i64>,
    pub prompt_cache_write_tokens: Option<i64>,
    pub prompt_cache_write_1h_tokens: Option<i64>,
    pub prompt_audio_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub completion_audio_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub prompt_image_tokens: Option<i64>,
    pub completion_image_tokens: Option<i64>,
    pub web_searches: Option<i64>,
    pub tool_units: Option<i64>,
    pub search_units: Option<i64>,
    pub usage_source: Option<&'static str>,
    pub service_tier: Option<Text<'a>>,
    pub priced_units: Option<Text<'a>>,
    pub cost: Option<i64>,
    pub cost_source: Option<&'static str>,
    pub price_version: Option<Text<'a>>,
    pub request_bytes: i64,
    pub response_bytes: i64,
    pub notes: Option<Text<'a>>,
    pub session_rule: Option<&'static str>,
    pub message_count: Option<i32>,
    pub system_hash: Option<i64>,
    pub tools_hash: Option<i64>,
    pub chain: Option<Vec<u8>>,

    /// Rows of `exchange_property`.
    pub properties: Vec<PropertyRecord<'a>>,
    /// Where it stood in the batch.
    pub index: usize,
}

/// A row of `exchange_property`, without what it has in common with its call.
#[derive(Clone, Debug)]
pub(super) struct PropertyRecord<'a> {
    pub key_lower: String,
    pub key: Text<'a>,
    pub value_key: String,
    pub value_long: Option<String>,
}

impl<'a> PropertyRecord<'a> {
    pub fn new(key: &'a str, value: &str) -> Self {
        let (value_key, value_long) = split(value);
        Self { key_lower: property_key(key), key: clean(key), value_key, value_long }
    }
}

impl<'a> Record<'a> {
    pub fn new(index: usize, call: &'a Exchange) -> Self {
        let text = |field: &'a Option<String>| field.as_deref().map(clean);
        let tokens = |part: fn(&Usage) -> i64| call.usage.as_ref().map(|usage| part(usage).clamp(0, MOST_TOKENS));
        let session = call.session_id.as_deref().filter(|id| !id.is_empty());
        let (session_key, session_long) = match session.map(split) {
            Some((key, long)) => (Some(Cow::Owned(key)), long.map(Cow::Owned)),
            None => (None, None),
        };
        let step = call.agent.step.as_ref();
        let started_at = call.started_at.0.clamp(0, LAST_INSTANT);
        let mut record = Self {
            org_id: call.org.0,
            id: call.id.0,
            record_id: call.record.0,
            key_id: call.key.map(|key| key.0),
            source: call.source.as_str(),
            kind: call.kind.as_str(),
            started_at,
            ended_at: call.ended_at.0.clamp(started_at, LAST_INSTANT),
            first_byte_us: call.first_byte_us,
            outcome: call.outcome.as_str(),
            status: call.status,
            error_rule: call.error_rule,
            error_message: text(&call.error_message),
            provider: clean(&call.provider),
            format: call.format.as_str(),
            method: clean(&call.method),
            path: clean(&call.path),
            target_url: clean(&call.target_url),
            streamed: call.streamed,
            model: text(&call.model),
            request_model: text(&call.request_model),
            response_model: text(&call.response_model),
            model_override: text(&call.model_override),
            finish_reason: text(&call.finish_reason),
            tool_calls: call.tool_calls,
            session_key,
            session_long,
            session_name: text(&call.session_name),
            session_path: text(&call.session_path),
            user_id: text(&call.user_id),
            prompt_id: text(&call.prompt_id),
            usage_missing: text(&call.usage_missing),
            prompt_tokens: tokens(|u| u.prompt_tokens),
            prompt_cache_read_tokens: tokens(|u| u.prompt_cache_read_tokens),
            prompt_cache_write_tokens: tokens(|u| u.prompt_cache_write_tokens),
            prompt_cache_write_1h_tokens: tokens(|u| u.prompt_cache_write_1h_tokens),
            prompt_audio_tokens: tokens(|u| u.prompt_audio_tokens),
            completion_tokens: tokens(|u| u.completion_tokens),
            completion_audio_tokens: tokens(|u| u.completion_audio_tokens),
            reasoning_tokens: tokens(|u| u.reasoning_tokens),
            prompt_image_tokens: tokens(|u| u.prompt_image_tokens),
            completion_image_tokens: tokens(|u| u.completion_image_tokens),
            web_searches: tokens(|u| u.web_searches),
            tool_units: tokens(|u| u.tool_units),
            search_units: tokens(|u| u.search_units),
            usage_source: call.usage_source.map(UsageSource::as_str),
            service_tier: text(&call.service_tier),
            priced_units: text(&call.priced_units),
            cost: call.cost.as_ref().map(|cost| cost.amount.0.clamp(0, MOST_COST)),
            cost_source: call.cost.as_ref().map(|cost| cost.source.as_str()),
            price_version: call.cost.as_ref().map(|cost| clean(&cost.price_version)),
            request_bytes: i64::try_from(call.request.facts.len).unwrap_or(i64::MAX),
            response_bytes: i64::try_from(call.response.facts.len).unwrap_or(i64::MAX),
            notes: None,
            session_rule: call.agent.session_rule.map(SessionRule::as_str),
            message_count: step.map(|step| i32::try_from(step.messages).unwrap_or(i32::MAX)),
            system_hash: step.and_then(|step| step.system),
            tools_hash: step.and_then(|step| step.tools),
            chain: step.map(Step::chain),
            properties: properties(call),
            index,
        };
        record.set_notes(&call.notes);
        record
    }

    /// The client used the call's id for another call before: this one goes under `id`, and says so.
    pub fn move_to(&mut self, id: Uuid, notes: &[Note]) {
        let mut notes = notes.to_vec();
        notes.push(Note::new(
            "tag.request_id_reused",
            format!("Helicone-Request-Id {} belongs to an earlier call, so this call got an id of its own.", self.id),
        ));
        self.id = id;
        self.set_notes(&notes);
    }

    pub const fn is_error(&self) -> bool {
        self.error_rule.is_some()
    }

    pub fn is_unpriced(&self) -> bool {
        is_unpriced(self.kind, self.cost.is_some(), self.is_error(), self.prompt_tokens.is_some())
    }

    /// The user for `session_user_id`: an empty one is nobody.
    pub fn user(&self) -> Option<&str> {
        self.user_id.as_deref().filter(|user| !user.is_empty())
    }

    fn set_notes(&mut self, notes: &[Note]) {
        self.notes = match notes {
            [] => None,
            // JSON escapes U+0000, so the text is clean as it is.
            some => serde_json::to_string(some).ok().map(Cow::Owned),
        };
    }
}

fn properties(call: &Exchange) -> Vec<PropertyRecord<'_>> {
    let mut rows: Vec<PropertyRecord<'_>> = Vec::with_capacity(call.properties.len());
    for property in &call.properties {
        let row = PropertyRecord::new(&property.key, &property.value);
        if !rows.iter().any(|known| known.key_lower == row.key_lower) {
            rows.push(row);
        }
    }
    rows
}

/// A session's key for an id that a client asks for.
pub(super) fn session_key(id: &str) -> String {
    index_key(id).into_owned()
}
