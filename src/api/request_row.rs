//! A request on the wire: the original's field names, and ours beside them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{iso, ms};
use super::words::CallKind;
use crate::model::capture::{Body, BodyFacts, Kept};
use crate::model::headers::HeaderLines;
use crate::model::query::{CallBodies, CallDetail};
use crate::model::tags::Note;
use crate::model::units::NanoUsd;
use crate::wire;

/// Where bodies are not with the row.
const PLACEHOLDER: &str = r#"{"helicone_message":"the bodies are not with this row: ask body_url for them"}"#;

/// A body that is nested deeper is shown as text: common parsers would give up on the whole answer for it.
const MOST_DEPTH: usize = 100;

/// What is known of a body beside its bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactsResult {
    /// Bytes that passed, kept or not.
    len: u64,
    kept: KeptResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    content_encoding: Option<String>,
    /// In hex, over all bytes that passed; where not all were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sha256: Option<String>,
}

/// How much of a body was kept.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptResult {
    Whole,
    /// The first part, up to the cap on a body's size.
    Truncated,
    /// The first part, or nothing, because the gateway ran short of memory or of room in the journal.
    Shed,
    /// Nothing: the sender asked for that.
    Omitted,
}

impl From<BodyFacts> for FactsResult {
    fn from(facts: BodyFacts) -> Self {
        Self {
            len: facts.len,
            kept: match facts.kept {
                Kept::Whole => KeptResult::Whole,
                Kept::Truncated => KeptResult::Truncated,
                Kept::Shed => KeptResult::Shed,
                Kept::Omitted => KeptResult::Omitted,
            },
            content_type: facts.content_type,
            content_encoding: facts.content_encoding,
            sha256: facts.sha256,
        }
    }
}

/// What the sender should know about a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteResult {
    /// A stable, dotted name.
    code: String,
    text: String,
}

impl From<Note> for NoteResult {
    fn from(note: Note) -> Self {
        Self { code: note.code, text: note.text }
    }
}

/// One call.
///
/// Costs are null where no price is known, tokens where no usage was reported. `total_tokens` is `input_tokens` +
/// `output_tokens`, cached input and reasoning included; the other token fields are disjoint parts.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeliconeRequest {
    request_id: String,
    /// The same as `request_id`.
    response_id: String,
    /// ISO 8601, UTC, microseconds.
    request_created_at: String,
    response_created_at: String,
    /// JSON where it parses as such, a stream assembled to the answer that it adds up to (its chunks are in
    /// `streamed_data`), else text, as is what is nested deeper than 100 levels; a placeholder object where
    /// `storage_location` is `s3`.
    #[schema(value_type = serde_json::Value)]
    request_body: Box<RawValue>,
    #[schema(value_type = serde_json::Value)]
    response_body: Box<RawValue>,
    /// The stored bytes, where they are no UTF-8 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_body_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_body_base64: Option<String>,
    /// How much of the body was kept, its length and, where not all was kept, the SHA-256 of all that passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_body_facts: Option<FactsResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_body_facts: Option<FactsResult>,
    /// As they passed, lower case, credentials replaced; where the bodies were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<[String; 2]>>, nullable = false)]
    request_headers: Option<HeaderLines>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<[String; 2]>>, nullable = false)]
    response_headers: Option<HeaderLines>,
    /// Where the bodies are, if they are not here; relative to this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body_url: Option<String>,
    /// The status that the answer began with, also where it broke off later: `outcome` says how the call ended. 0 where there
    /// was none. A manual log has what it says itself, which may be one of the original's codes: -2 timeout, -3 client gone.
    response_status: i32,
    request_path: String,
    target_url: String,
    request_user_id: Option<String>,
    helicone_user: Option<String>,
    /// Custom properties and the session's, keys as first sent.
    request_properties: BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
    provider: String,
    model: Option<String>,
    request_model: Option<String>,
    response_model: Option<String>,
    model_override: Option<String>,
    /// Milliseconds, whole.
    delay_ms: i64,
    /// Milliseconds; null where nothing was streamed.
    time_to_first_token: Option<f64>,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    prompt_cache_read_tokens: Option<i64>,
    prompt_cache_write_tokens: Option<i64>,
    /// Of the written ones, those that are kept for an hour.
    prompt_cache_write_1h_tokens: Option<i64>,
    prompt_audio_tokens: Option<i64>,
    completion_audio_tokens: Option<i64>,
    prompt_image_tokens: Option<i64>,
    completion_image_tokens: Option<i64>,
    /// Web searches that the provider ran and counted.
    web_searches: Option<i64>,
    /// Other runs of the provider's own tools that it counted.
    tool_units: Option<i64>,
    /// Searches counted by the unit (reranking, sources).
    search_units: Option<i64>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    total_tokens: Option<i64>,
    /// US dollars.
    cost: Option<f64>,
    #[serde(rename = "costUSD")]
    cost_usd: Option<f64>,
    cache_enabled: bool,
    /// The zero UUID: no answer comes from a cache.
    cache_reference_id: Uuid,
    country_code: String,
    scores: BTreeMap<String, f64>,
    asset_ids: [String; 0],
    assets: [String; 0],
    asset_urls: BTreeMap<String, String>,
    prompt_id: Option<String>,
    prompt_version: String,
    /// Null while nobody judged it.
    feedback_rating: Option<bool>,
    request_referrer: String,
    /// `clickhouse`: the bodies are with the row; `s3`: they are behind `body_url`.
    #[schema(value_type = String)]
    storage_location: &'static str,
    /// Of both bodies, as they passed.
    size_bytes: i64,
    #[serde(rename = "llmSchema")]
    #[schema(value_type = Option<Object>)]
    llm_schema: (),
    #[schema(value_type = CallKind)]
    kind: String,
    /// `proxy` or `manual`.
    source: String,
    method: String,
    streamed: bool,
    finish_reason: Option<String>,
    tool_calls: i32,
    session_id: Option<String>,
    session_name: Option<String>,
    session_path: Option<String>,
    /// How the call ended, seen from the gateway.
    outcome: String,
    /// Null unless the call counts as failed: which rule says so.
    error_rule: Option<String>,
    error_message: Option<String>,
    /// Where the usage comes from: `reported`, `partial` (what had been reported when a stream broke off) or `estimated`
    /// (counted from the texts of such a stream); null without a usage.
    usage_source: Option<String>,
    /// Why there is no usage.
    usage_missing: Option<String>,
    /// Who says what it cost: `provider`, `genai-prices` or `overlay`.
    cost_source: Option<String>,
    price_version: Option<String>,
    /// As the provider reported it.
    service_tier: Option<String>,
    /// What the sender should know about this call.
    notes: Vec<NoteResult>,
    request_bytes: i64,
    response_bytes: i64,
}

impl HeliconeRequest {
    /// The row with its bodies, if they were fetched and decode to at most `left` bytes, which is counted down.
    pub fn new(row: CallDetail, bodies: Option<CallBodies>, left: &mut usize) -> Self {
        let call = row.call;
        let id = call.id.to_string();
        let headers = bodies.as_ref().map(|bodies| (bodies.request_headers.clone(), bodies.response_headers.clone()));
        let (request_headers, response_headers) = headers.unzip();
        let shown = bodies.and_then(|bodies| Shown::both(&bodies, call.model.as_deref(), left));
        let here = shown.is_some();
        let (request, response) = shown.unwrap_or_else(|| (Shown::placeholder(), Shown::placeholder()));

        let mut properties: BTreeMap<String, String> = row.properties.into_iter().map(|p| (p.key, p.value)).collect();
        for (key, value) in [
            ("Helicone-Session-Id", &row.session_id),
            ("Helicone-Session-Name", &row.session_name),
            ("Helicone-Session-Path", &call.path),
        ] {
            if let Some(value) = value {
                properties.insert(key.to_owned(), value.clone());
            }
        }
        let scores: BTreeMap<String, f64> = row.scores.into_iter().collect();
        let usage = call.usage;
        let cost = call.cost.map(NanoUsd::usd);
        Self {
            response_id: id.clone(),
            body_url: (!here).then(|| format!("/v1/request/{id}?includeBody=true")),
            request_id: id,
            request_headers,
            response_headers,
            request_created_at: iso(call.started_at),
            response_created_at: iso(call.ended_at),
            request_body: request.body,
            response_body: response.body,
            request_body_base64: request.base64,
            response_body_base64: response.base64,
            request_body_facts: request.facts.map(Into::into),
            response_body_facts: response.facts.map(Into::into),
            response_status: call.status,
            request_path: row.request_path,
            target_url: row.target_url,
            request_user_id: call.user_id.clone(),
            helicone_user: call.user_id,
            request_properties: properties.clone(),
            properties,
            provider: call.provider,
            request_model: row.request_model.or_else(|| call.model.clone()),
            model: call.model,
            response_model: row.response_model,
            model_override: row.model_override,
            delay_ms: (call.ended_at - call.started_at).saturating_add(500).div_euclid(1000),
            time_to_first_token: call.first_byte_us.map(ms),
            prompt_tokens: usage.map(|u| u.prompt_tokens),
            completion_tokens: usage.map(|u| u.completion_tokens),
            reasoning_tokens: usage.map(|u| u.reasoning_tokens),
            prompt_cache_read_tokens: usage.map(|u| u.prompt_cache_read_tokens),
            prompt_cache_write_tokens: usage.map(|u| u.prompt_cache_write_tokens),
            prompt_cache_write_1h_tokens: usage.map(|u| u.prompt_cache_write_1h_tokens),
            prompt_audio_tokens: usage.map(|u| u.prompt_audio_tokens),
            completion_audio_tokens: usage.map(|u| u.completion_audio_tokens),
            prompt_image_tokens: usage.map(|u| u.prompt_image_tokens),
            completion_image_tokens: usage.map(|u| u.completion_image_tokens),
            web_searches: usage.map(|u| u.web_searches),
            tool_units: usage.map(|u| u.tool_units),
            search_units: usage.map(|u| u.search_units),
            input_tokens: usage.map(|u| u.input_tokens()),
            output_tokens: usage.map(|u| u.output_tokens()),
            total_tokens: usage.map(|u| u.input_tokens().saturating_add(u.output_tokens())),
            cost,
            cost_usd: cost,
            cache_enabled: false,
            cache_reference_id: Uuid::nil(),
            country_code: String::new(),
            feedback_rating: scores.get(FEEDBACK_SCORE).map(|&score| score > 0.0),
            scores,
            asset_ids: [],
            assets: [],
            asset_urls: BTreeMap::new(),
            prompt_id: row.prompt_id,
            prompt_version: String::new(),
            request_referrer: String::new(),
            storage_location: if here { "clickhouse" } else { "s3" },
            size_bytes: row.request_bytes.saturating_add(row.response_bytes),
            llm_schema: (),
            kind: call.kind,
            source: row.source,
            method: row.method,
            streamed: call.streamed,
            finish_reason: call.finish_reason,
            tool_calls: call.tool_calls,
            session_id: row.session_id,
            session_name: row.session_name,
            session_path: call.path,
            outcome: call.outcome,
            error_rule: call.error_rule,
            error_message: call.error_message,
            usage_source: row.usage_source,
            usage_missing: row.usage_missing,
            cost_source: row.cost_source,
            price_version: row.price_version,
            service_tier: row.service_tier,
            notes: row.notes.into_iter().map(Into::into).collect(),
            request_bytes: row.request_bytes,
            response_bytes: row.response_bytes,
        }
    }
}

/// The score that a judgement of a request is kept as.
pub const FEEDBACK_SCORE: &str = "helicone-score-feedback";

/// A body for an answer.
struct Shown {
    body: Box<RawValue>,
    base64: Option<String>,
    facts: Option<BodyFacts>,
}

impl Shown {
    fn both(bodies: &CallBodies, model: Option<&str>, left: &mut usize) -> Option<(Self, Self)> {
        Some((Self::of(&bodies.request, "request", model, left)?, Self::of(&bodies.response, "response", model, left)?))
    }

    /// `None` where it does not fit. JSON stays as it was written: numbers, order, doubled keys and escapes included.
    fn of(body: &Body, which: &str, model: Option<&str>, left: &mut usize) -> Option<Self> {
        let facts = Some(body.facts.clone());
        if body.facts.kept == Kept::Omitted {
            return Some(Self {
                body: to_raw_value(&serde_json::json!({ "model": model })).ok()?,
                base64: None,
                facts,
            });
        }
        if body.bytes.is_empty() {
            return Some(Self { body: RawValue::NULL.to_owned(), base64: None, facts });
        }
        *left = left.checked_sub(body.bytes.len())?;
        let readable = wire::body::readable(body, which);
        *left = left.checked_sub(readable.text.len().saturating_sub(body.bytes.len()))?;
        let base64 = (readable.unreadable || readable.rendered || readable.text.contains(char::REPLACEMENT_CHARACTER))
            .then(|| STANDARD.encode(&body.bytes));
        let text = readable.text.into_owned();
        let json = serde_json::from_str::<&RawValue>(&text).ok();
        let may_be_stream = json.is_none() || wire::json::is_list(&text);
        let whole =
            may_be_stream.then(|| wire::assemble::assemble(body.facts.content_type.as_deref(), &text)).flatten();
        let whole = whole.and_then(|whole| to_raw_value(&whole).ok());
        let shown =
            whole.or_else(|| json.map(ToOwned::to_owned)).filter(|json| !wire::json::is_deeper(json.get(), MOST_DEPTH));
        let body = match shown {
            Some(json) => json,
            None => to_raw_value(&text).ok()?,
        };
        Some(Self { body, base64, facts })
    }

    fn placeholder() -> Self {
        let body = RawValue::from_string(PLACEHOLDER.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { body, base64: None, facts: None }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn show(bytes: &[u8], encoding: Option<&str>) -> (String, bool) {
        let mut body = Body { bytes: Bytes::copy_from_slice(bytes), ..Body::default() };
        body.facts.content_encoding = encoding.map(str::to_owned);
        let shown = Shown::of(&body, "response", None, &mut usize::MAX.clone()).unwrap();
        (shown.body.get().to_owned(), shown.base64.is_some())
    }

    #[test]
    fn json_stays_as_written_and_the_rest_is_text() {
        for json in ["{\"b\":1e400,\"a\":\"\\ud800\",\"a\":1}", "null", "[1.10]"] {
            assert_eq!(show(json.as_bytes(), None), (json.to_owned(), false));
        }
        let deep = |levels: usize| format!("{}\"]\\\"[\"{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(show(deep(MOST_DEPTH).as_bytes(), None), (deep(MOST_DEPTH), false));
        for levels in [MOST_DEPTH + 1, 5_000, 100_000] {
            let shown = show(deep(levels).as_bytes(), None).0;
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), deep(levels));
        }
        assert_eq!(show(b"data: {}\n\n", None), ("\"data: {}\\n\\n\"".to_owned(), false));
        assert_eq!(show(b"", None), ("null".to_owned(), false));
        assert!(show(b"\xff\xfe{", None).1);
        assert!(show(b"not gzip", Some("gzip")).1);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let body = Body { bytes: Bytes::from_static(b"\"12345678\""), ..Body::default() };
        let mut left = 15;
        assert!(Shown::of(&body, "request", None, &mut left).is_some());
        assert_eq!(left, 5);
        assert!(Shown::of(&body, "request", None, &mut left).is_none());
    }
}
