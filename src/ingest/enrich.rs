//! Enrich: a capture in, a row out. Everything that is understood of a call is understood here, after it was kept.
//!
//! It is total: whatever the bytes are, there is a row. Should a parser panic (a defect), the row has what needed no
//! parser, and a note. Bodies that the sender asked not to keep are read and then dropped here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use super::follow::{self, Omit};
use super::names::provider_name;
use super::shed;
use crate::model::agent::Agent;
use crate::model::capture::{Begin, Body, BodyFacts, Capture, End, Kept, LogRoute, Outcome, Posted, WireFormat};
use crate::model::exchange::{Exchange, KeptBody, Kind, Source, UsageSource};
use crate::model::headers::{HeaderLines, Headers, is_credential};
use crate::model::id::RequestId;
use crate::model::tags::{Note, Tags};
use crate::pricing::{Pricing, Sale, Sold};
use crate::wire::{self, MAX_ERROR_CHARS, Meaning, manual, tags};

/// What enriching needs beside the capture.
#[derive(Clone, Debug)]
pub struct EnrichContext {
    pub pricing: Arc<Pricing>,
    /// Whether calls that name no session are joined by what they show.
    pub infer_sessions: bool,
}

/// Understands a capture.
pub fn enrich(capture: Capture, context: &EnrichContext) -> Exchange {
    let row = match capture {
        Capture::Call { begin, request, end } => call(*begin, request, end.map(|end| *end), context),
        Capture::Log { posted, body } => log(*posted, &body, context),
    };
    storable(row)
}

fn call(begin: Begin, mut request: Body, end: Option<(End, Bytes)>, context: &EnrichContext) -> Exchange {
    let (end, response) = match end {
        Some((end, bytes)) => (Some(end), bytes),
        None => (None, Bytes::new()),
    };
    let mut response =
        Body { facts: end.as_ref().map(|end| end.response.clone()).unwrap_or_default(), bytes: response };
    let outcome = end.as_ref().map_or(Outcome::Interrupted, |end| end.outcome);
    let status = end.as_ref().map_or(0, |end| i32::from(end.status));
    let path = upstream_path(&begin.target_url, &begin.path);
    let no_headers = Headers::default();
    let headers = end.as_ref().map_or(&no_headers, |end| &end.headers);
    let mut meaning = guarded(|| wire::read(begin.format, &path, status, [&request, &response], headers));
    let usage_missing = shed::lay_over(&mut meaning, &mut request.facts, &mut response.facts);

    let estimated = estimate(&mut meaning, status, outcome, &request, &response);

    let mut row = Exchange {
        org: begin.org,
        id: begin.tags.request_id.unwrap_or(RequestId(begin.record.0)),
        record: begin.record,
        key: begin.key,
        source: Source::Proxy,
        kind: meaning.kind.unwrap_or(Kind::Other),
        started_at: begin.at,
        ended_at: begin.at.plus_us(end.as_ref().map_or(0, |end| end.duration_us.max(0))),
        first_byte_us: end.as_ref().and_then(|end| end.first_byte_us).filter(|_| meaning.streamed),
        outcome,
        status,
        error_rule: None,
        error_message: None,
        provider: provider_name(&begin.provider),
        format: if begin.format == WireFormat::Other { meaning.format } else { begin.format },
        method: begin.method,
        path: begin.path,
        target_url: begin.target_url,
        streamed: meaning.streamed,
        model: None,
        request_model: None,
        response_model: None,
        model_override: None,
        finish_reason: None,
        tool_calls: 0,
        session_id: None,
        session_name: None,
        session_path: None,
        user_id: None,
        prompt_id: None,
        properties: Vec::new(),
        usage: None,
        usage_source: None,
        usage_missing: None,
        cost: None,
        service_tier: None,
        priced_units: None,
        notes: begin.notes,
        agent: Agent::default(),
        request_headers: begin.headers,
        response_headers: Headers::default(),
        request: kept(request.facts, request.bytes, begin.tags.omit_request),
        response: kept(response.facts, response.bytes, begin.tags.omit_response),
    };
    if let Some(end) = end {
        row.notes.extend(end.notes);
        row.response_headers = end.headers;
        // The gateway's own reason comes first where the gateway ended the call.
        if outcome != Outcome::Complete {
            row.error_message = end.error;
        }
    }
    let omit = Omit { request: begin.tags.omit_request, response: begin.tags.omit_response };
    set_tags(&mut row, begin.tags);
    follow::model_call(&mut row, &mut meaning, context.infer_sessions, omit);
    set_meaning(&mut row, &mut meaning, &begin.provider, context);
    row.usage_missing = usage_missing.or(row.usage_missing);
    if estimated {
        row.usage_source = Some(UsageSource::Estimated);
    }
    judge(&mut row, &meaning, None);
    row
}

fn log(posted: Posted, body: &Bytes, context: &EnrichContext) -> Exchange {
    let parsed = catch_unwind(AssertUnwindSafe(|| manual::parse(body)));
    let mut envelope = match parsed {
        Ok(Ok(envelope)) => envelope,
        Ok(Err(error)) => unread_log(body, &format!("The log could not be read: {error}.")),
        Err(_) => unread_log(body, "The log could not be read: a defect in the gateway."),
    };
    let (meta, meta_notes) = tags::from_pairs(std::mem::take(&mut envelope.meta));
    let mut all_tags = posted.tags;
    tags::merge_under(&mut all_tags, meta);

    let request = part(body, &envelope.request, "application/json");
    let response = part(body, &envelope.response, if envelope.is_text { "" } else { "application/json" });
    let (provider, format) = logged_provider(posted.route, envelope.provider.as_deref());
    let event = catch_unwind(|| manual::event(&envelope.request, &envelope.response)).unwrap_or(None);
    let mut meaning = match &event {
        Some(event) => event_meaning(event),
        None => guarded(|| wire::read_log(format, envelope.status, &request, &response)),
    };
    if let Some(event) = &event
        && event.error.is_none()
        && wire::is_failure(envelope.status)
        && envelope.is_text
    {
        meaning.error = Some(envelope.response.chars().take(MAX_ERROR_CHARS).collect());
    }
    let asked_stream = event.is_none() && wire::asks_for_stream(&envelope.request);
    let streamed = meaning.streamed || asked_stream;

    let started_at =
        envelope.started_at.unwrap_or_else(|| envelope.ended_at.map_or(posted.at, |end| end.min(posted.at)));
    let ended_at = envelope.ended_at.unwrap_or(posted.at).max(started_at);
    let is_url = envelope.url.starts_with("http://") || envelope.url.starts_with("https://");
    let mut row = Exchange {
        org: posted.org,
        id: all_tags.request_id.unwrap_or(RequestId(posted.record.0)),
        record: posted.record,
        key: posted.key,
        source: Source::Manual,
        kind: meaning.kind.unwrap_or(Kind::Llm),
        started_at,
        ended_at,
        first_byte_us: envelope.first_byte_us.filter(|us| streamed || *us > 0),
        outcome: logged_outcome(envelope.status),
        status: envelope.status,
        error_rule: None,
        error_message: None,
        provider: provider_name(&provider),
        format: if meaning.format == WireFormat::Other { format } else { meaning.format },
        method: "POST".to_owned(),
        target_url: if is_url { envelope.url.clone() } else { String::new() },
        path: envelope.url,
        streamed: streamed || envelope.first_byte_us.is_some_and(|us| us > 0),
        model: event.as_ref().map(|event| event.model.clone()),
        request_model: None,
        response_model: None,
        model_override: None,
        finish_reason: None,
        tool_calls: 0,
        session_id: None,
        session_name: None,
        session_path: None,
        user_id: None,
        prompt_id: None,
        properties: Vec::new(),
        usage: None,
        usage_source: None,
        usage_missing: None,
        cost: None,
        service_tier: None,
        priced_units: None,
        notes: posted.notes,
        agent: Agent::default(),
        request_headers: Headers::default(),
        response_headers: redacted(envelope.headers),
        request: kept(request.facts, request.bytes, all_tags.omit_request),
        response: kept(response.facts, response.bytes, all_tags.omit_response),
    };
    row.notes.extend(meta_notes);
    row.notes.extend(envelope.notes);
    let omit = Omit { request: all_tags.omit_request, response: all_tags.omit_response };
    set_tags(&mut row, all_tags);
    if event.is_none() {
        follow::model_call(&mut row, &mut meaning, context.infer_sessions, omit);
    }
    set_meaning(&mut row, &mut meaning, &provider, context);
    judge(&mut row, &meaning, event.and_then(|event| event.error));
    follow::tool_log(&mut row, &envelope.request, &envelope.response, omit);
    row
}

/// Runs a parser; should it panic, nothing was understood.
pub(super) fn guarded(read: impl FnOnce() -> Meaning) -> Meaning {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Meaning {
        usage_missing: Some("the bodies could not be read: a defect in the gateway"),
        notes: vec![Note::new("wire.defect", "The bodies could not be read because of a defect in the gateway.")],
        ..Meaning::default()
    })
}

fn unread_log<'a>(body: &'a [u8], note: &str) -> manual::Envelope<'a> {
    manual::Envelope {
        request: String::from_utf8_lossy(body),
        notes: vec![Note::new("log.unread", note)],
        ..manual::Envelope::default()
    }
}

/// Custom events have no tokens; their cost is what they say themselves.
fn event_meaning(event: &manual::Event) -> Meaning {
    Meaning {
        kind: Some(event.kind),
        usage_missing: Some("this is no model call"),
        billed_usd: event.billed_usd,
        ..Meaning::default()
    }
}

/// The path at the provider, without the query; the client's where the call had no target.
pub(super) fn upstream_path(target_url: &str, path: &str) -> String {
    if let Some(plain) = plain_path(target_url) {
        return plain.to_owned();
    }
    if let Ok(url) = url::Url::parse(target_url) {
        return url.path().to_owned();
    }
    path.split(['?', '#']).next().unwrap_or("").to_owned()
}

/// The path of a URL where nothing in it is to be decoded, joined or left out, which parsing would find too.
fn plain_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let path = rest.get(rest.find('/')?..)?.split(['?', '#']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b':' | b'.');
    (path.bytes().all(plain) && !path.contains("/.")).then_some(path)
}

fn set_tags(row: &mut Exchange, tags: Tags) {
    row.session_id = tags.session_id;
    row.session_name = tags.session_name;
    row.session_path = tags.session_path;
    row.user_id = tags.user_id;
    row.prompt_id = tags.prompt_id;
    row.model_override = tags.model_override;
    row.properties = tags.properties;
}

/// Moves what was read into the row and prices it.
fn set_meaning(row: &mut Exchange, meaning: &mut Meaning, provider: &str, context: &EnrichContext) {
    row.request_model = meaning.request_model.take();
    row.response_model = meaning.response_model.take();
    if row.model.is_none() {
        row.model = row.model_override.as_ref().or(row.response_model.as_ref()).or(row.request_model.as_ref()).cloned();
    }
    row.finish_reason = meaning.finish_reason.take();
    row.tool_calls = i32::try_from(meaning.calls.asked()).unwrap_or(i32::MAX);
    row.user_id = row.user_id.take().or(meaning.user.take());
    row.notes.append(&mut meaning.notes);
    row.usage = meaning.usage;
    row.usage_source = row.usage.map(|_| if meaning.partial { UsageSource::Partial } else { UsageSource::Reported });
    row.service_tier = meaning.service_tier.take();
    row.usage_missing = match row.usage {
        Some(_) => None,
        None => Some(meaning.usage_missing.unwrap_or("the response reports no usage").to_owned()),
    };
    let sold = sell(row, meaning, provider, context);
    row.priced_units = sold.priced_units;
    row.cost = match meaning.billed_usd {
        Some(usd) => Pricing::billed(usd),
        None => sold.cost,
    };
}

fn sell(row: &Exchange, meaning: &Meaning, provider: &str, context: &EnrichContext) -> Sold {
    let sale = Sale {
        provider,
        url: &row.target_url,
        format: row.format,
        api: meaning.api,
        model: row.model.as_deref().unwrap_or_default(),
        asked: row.request_model.as_deref().filter(|_| row.model_override.is_none()),
        usage: row.usage.as_ref(),
        raw_usage: meaning.raw_usage.as_ref().filter(|_| row.usage.is_some()),
        audio_seconds: meaning.audio_seconds,
        priced_units: None,
        service_tier: row.service_tier.as_deref(),
        at: row.started_at,
    };
    catch_unwind(AssertUnwindSafe(|| context.pricing.sell(&sale))).unwrap_or_default()
}

/// Counts what a stream carried that broke off before its provider had reported anything. A usage that was reported and
/// cannot be believed is not replaced by a guess.
fn estimate(meaning: &mut Meaning, status: i32, outcome: Outcome, request: &Body, response: &Body) -> bool {
    let broke_off = matches!(outcome, Outcome::UpstreamReset | Outcome::ClientGone | Outcome::Timeout);
    let nothing_said = meaning.usage.is_none() && meaning.notes.iter().all(|note| note.code != wire::INVALID);
    let is_text = ["chat", "completions", "responses", "messages", "generate_content", "converse", "cohere_chat"]
        .contains(&meaning.api)
        || ["ollama_chat", "interactions"].contains(&meaning.api);
    if !broke_off || !nothing_said || !is_text || !meaning.streamed || wire::is_failure(status) {
        return false;
    }
    let counted = catch_unwind(AssertUnwindSafe(|| wire::estimate::estimate(request, response))).unwrap_or(None);
    meaning.usage = counted;
    if counted.is_some() {
        meaning.usage_missing = None;
        meaning.notes.push(Note::new(
            "usage.estimated",
            "The stream broke off before the provider reported any usage: tokens and cost are counted from the texts.",
        ));
    }
    counted.is_some()
}

/// Whether the call counts as an error, and in whose words.
fn judge(row: &mut Exchange, meaning: &Meaning, tool_error: Option<String>) {
    row.error_rule = if wire::is_failure(row.status) {
        Some("status")
    } else if row.outcome != Outcome::Complete {
        Some("outcome")
    } else if meaning.stream_error {
        Some("stream_error")
    } else if tool_error.is_some() {
        Some("tool_error")
    } else {
        None
    };
    let words = row.error_message.take().or_else(|| meaning.error.clone()).or(tool_error);
    row.error_message = words
        .filter(|words| row.error_rule.is_some() && !words.is_empty())
        .map(|words| words.chars().take(MAX_ERROR_CHARS).collect());
}

/// A body as it is kept; without its bytes where its sender wants that.
pub(super) fn kept(mut facts: BodyFacts, bytes: Bytes, omit: bool) -> KeptBody {
    facts.essence = None;
    if !omit {
        return KeptBody { facts, bytes };
    }
    facts.kept = Kept::Omitted;
    KeptBody { facts, bytes: Bytes::new() }
}

/// A part of a posted log as a body; shares the post's memory where the part is a slice of it.
fn part(posted: &Bytes, text: &str, content_type: &str) -> Body {
    let start = (text.as_ptr() as usize).checked_sub(posted.as_ptr() as usize);
    let within = start.filter(|at| at.checked_add(text.len()).is_some_and(|end| end <= posted.len()));
    let bytes = match within {
        Some(at) if !text.is_empty() => posted.slice(at..at + text.len()),
        _ => Bytes::copy_from_slice(text.as_bytes()),
    };
    let facts = BodyFacts {
        len: text.len() as u64,
        content_type: (!content_type.is_empty()).then(|| content_type.to_owned()),
        ..BodyFacts::default()
    };
    Body { facts, bytes }
}

fn redacted(headers: HeaderLines) -> Headers {
    headers
        .into_iter()
        .map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let value = if is_credential(&name) { "[redacted]".to_owned() } else { value };
            (name, value)
        })
        .collect()
}

/// The original's own codes: -2 a timeout, -3 a client that left.
const fn logged_outcome(status: i32) -> Outcome {
    match status {
        -2 => Outcome::Timeout,
        -3 => Outcome::ClientGone,
        _ => Outcome::Complete,
    }
}

fn logged_provider(route: LogRoute, named: Option<&str>) -> (String, WireFormat) {
    let name = match (route, named) {
        (LogRoute::Openai, _) | (LogRoute::Trace, None) => "openai",
        (LogRoute::Anthropic, _) => "anthropic",
        (LogRoute::Google, _) => "google",
        (LogRoute::Custom | LogRoute::Trace, Some(name)) => name,
        (LogRoute::Custom, None) => "custom",
    };
    let lower = name.to_ascii_lowercase();
    let format = match lower.as_str() {
        "openai" => WireFormat::Openai,
        "anthropic" => WireFormat::Anthropic,
        "google" | "gemini" => WireFormat::Gemini,
        _ => WireFormat::Other,
    };
    (lower, format)
}

/// No database keeps NULs in text, and one odd name must not cost a row.
fn storable(mut row: Exchange) -> Exchange {
    let texts = [
        &mut row.error_message,
        &mut row.model,
        &mut row.request_model,
        &mut row.response_model,
        &mut row.finish_reason,
        &mut row.service_tier,
        &mut row.user_id,
    ];
    for text in texts.into_iter().flatten().chain([&mut row.path, &mut row.target_url, &mut row.provider]) {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
        if text.len() > tags::MAX_TEXT {
            text.truncate(text.floor_char_boundary(tags::MAX_TEXT));
        }
    }
    row
}

#[cfg(test)]
mod tests;
