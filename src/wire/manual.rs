//! The manual logger's envelope: parsed, checked, and its bodies given back byte for byte.
//!
//! It takes everything that Helicone's loggers send and its own servers accept:
//! `textBody` null or missing, `json` missing beside a `textBody`, `meta` and `headers` null or missing, times as
//! `{seconds, milliseconds}`, numbers, digits or ISO 8601 dates, statuses that are negative or have a fraction. Unknown
//! fields are passed over. What is wrong is refused with the JSON path of the first fault.
//!
//! The bodies are never decoded here, so nothing in them (lone surrogates, huge numbers, doubled keys, depth) can make an
//! envelope fail. Invalid UTF-8 is replaced by U+FFFD before parsing, as the original does.

use std::borrow::Cow;

use super::json;
use super::messages::{PREVIEW_CHARS, says_something, verdict};
use crate::model::exchange::Kind;
use crate::model::tags::Note;
use crate::model::units::Micros;

/// The end of the year 9999, in microseconds.
const MAX_MICROS: f64 = 253_402_300_799_999_999.0;
/// Digits below that are seconds, above milliseconds (the year 2100 in seconds).
const SECONDS_BELOW: f64 = 4_102_444_800.0;

/// An envelope whose shape is right. `'a` is the posted body.
#[derive(Clone, Debug, Default)]
pub struct Envelope<'a> {
    /// `providerRequest.url`
    pub url: String,
    /// `providerRequest.json`, raw.
    pub request: Cow<'a, str>,
    /// `providerRequest.meta`: `Helicone-*` names and values.
    pub meta: Vec<(String, String)>,
    /// The response body: `providerResponse.textBody` if it is not empty, else `providerResponse.json`, raw.
    pub response: Cow<'a, str>,
    /// Whether `response` is `textBody`.
    pub is_text: bool,
    /// `providerResponse.status`; 200 and so on, negative for the original's own codes.
    pub status: i32,
    /// `providerResponse.headers`
    pub headers: Vec<(String, String)>,
    /// `timing.startTime`
    pub started_at: Option<Micros>,
    /// `timing.endTime`; not before `started_at`.
    pub ended_at: Option<Micros>,
    /// `timing.timeToFirstToken`, microseconds.
    pub first_byte_us: Option<i64>,
    /// `provider`, as sent.
    pub provider: Option<String>,
    pub notes: Vec<Note>,
}

/// The first fault of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct EnvelopeError {
    /// Such as `providerRequest.url`; empty where the body as a whole is wrong.
    pub path: String,
    /// What is wrong and what is expected; never a value that was sent.
    pub message: String,
}

fn fault(path: &str, message: &str) -> EnvelopeError {
    EnvelopeError { path: path.to_owned(), message: message.to_owned() }
}

/// Parses and checks a posted body.
pub fn parse(body: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => parse_text(text),
        Cow::Owned(text) => {
            let mut envelope = into_owned(parse_text(&text)?);
            envelope
                .notes
                .push(Note::new("log.not_text", "The log was not valid UTF-8; the wrong bytes were replaced."));
            Ok(envelope)
        }
    }
}

fn into_owned(envelope: Envelope<'_>) -> Envelope<'static> {
    Envelope {
        request: Cow::Owned(envelope.request.into_owned()),
        response: Cow::Owned(envelope.response.into_owned()),
        url: envelope.url,
        meta: envelope.meta,
        is_text: envelope.is_text,
        status: envelope.status,
        headers: envelope.headers,
        started_at: envelope.started_at,
        ended_at: envelope.ended_at,
        first_byte_us: envelope.first_byte_us,
        provider: envelope.provider,
        notes: envelope.notes,
    }
}

fn parse_text(text: &str) -> Result<Envelope<'_>, EnvelopeError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        return Err(fault("", "the body must be a JSON object with providerRequest and providerResponse"));
    }
    let read = json::fields(text, ["providerRequest", "providerResponse", "timing", "provider"]);
    if let Some(error) = read.error() {
        return Err(fault("", &format!("the body is not valid JSON: {error}")));
    }
    let [request, response, timing, provider] = read.values;

    let mut envelope = Envelope::default();
    read_request(object(request, "providerRequest")?, &mut envelope)?;
    read_response(object(response, "providerResponse")?, &mut envelope)?;
    if let Some(timing) = json::non_null(timing) {
        read_timing(object(Some(timing), "timing")?, &mut envelope)?;
    }
    envelope.provider = json::non_empty_text(provider).map(|name| name.chars().take(100).collect());
    Ok(envelope)
}

fn object<'a>(raw: Option<&'a str>, path: &str) -> Result<&'a str, EnvelopeError> {
    match raw {
        Some(raw) if json::is_object(raw) => Ok(raw),
        Some(_) => Err(fault(path, "must be an object")),
        None => Err(fault(path, "is missing; it must be an object")),
    }
}

fn read_request<'a>(raw: &'a str, envelope: &mut Envelope<'a>) -> Result<(), EnvelopeError> {
    let [url, body, meta] = json::fields(raw, ["url", "json", "meta"]).values;
    envelope.url =
        url.and_then(json::text).ok_or_else(|| fault("providerRequest.url", "must be a string"))?.into_owned();
    envelope.request =
        Cow::Borrowed(body.ok_or_else(|| fault("providerRequest.json", "is missing; it may be any JSON value"))?);
    envelope.meta = pairs(meta, "providerRequest.meta")?;
    Ok(())
}

fn read_response<'a>(raw: &'a str, envelope: &mut Envelope<'a>) -> Result<(), EnvelopeError> {
    let [body, text_body, status, headers] = json::fields(raw, ["json", "textBody", "status", "headers"]).values;
    let text_body = match json::non_null(text_body) {
        Some(raw) => {
            Some(json::text(raw).ok_or_else(|| fault("providerResponse.textBody", "must be a string or null"))?)
        }
        None => None,
    };
    match (text_body, body) {
        (Some(text), _) if !text.is_empty() => {
            envelope.response = text;
            envelope.is_text = true;
        }
        (_, Some(body)) => envelope.response = Cow::Borrowed(body),
        (Some(_), None) => {}
        (None, None) => {
            return Err(fault("providerResponse.json", "is missing, and there is no textBody; one of them is needed"));
        }
    }
    envelope.status = read_status(status)?;
    envelope.headers = pairs(headers, "providerResponse.headers")?;
    Ok(())
}

fn read_status(raw: Option<&str>) -> Result<i32, EnvelopeError> {
    let path = "providerResponse.status";
    let number: f64 =
        raw.and_then(|raw| raw.parse().ok()).ok_or_else(|| fault(path, "must be a number, such as 200"))?;
    if !(-100_000.0..=100_000.0).contains(&number) {
        return Err(fault(path, "must be a number between -100000 and 100000"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "within range, checked above; the fraction means nothing")]
    Ok(number as i32)
}

/// A flat object of texts. Numbers and switches are taken as they are written; `null` is absent; a list is joined.
fn pairs(raw: Option<&str>, path: &str) -> Result<Vec<(String, String)>, EnvelopeError> {
    let Some(raw) = json::non_null(raw) else { return Ok(Vec::new()) };
    let mut pairs = Vec::new();
    let whole = json::entries(object(Some(raw), path)?, |name, value| {
        if let Some(value) = plain(value) {
            pairs.push((name.into_owned(), value));
        }
    });
    if whole { Ok(pairs) } else { Err(fault(path, "must be an object")) }
}

fn plain(raw: &str) -> Option<String> {
    if let Some(text) = json::text(raw) {
        return Some(text.into_owned());
    }
    if raw.starts_with('[') {
        let mut parts = Vec::new();
        json::elements(raw, |part| parts.extend(json::text(part)));
        return Some(parts.join(", "));
    }
    (raw != "null" && !json::is_object(raw)).then(|| raw.to_owned())
}

fn read_timing(raw: &str, envelope: &mut Envelope<'_>) -> Result<(), EnvelopeError> {
    let [start, end, first] = json::fields(raw, ["startTime", "endTime", "timeToFirstToken"]).values;
    envelope.started_at = instant(start, "timing.startTime")?;
    envelope.ended_at = instant(end, "timing.endTime")?;
    if let (Some(start), Some(end)) = (envelope.started_at, envelope.ended_at)
        && start > end
    {
        return Err(fault("timing.startTime", "must not be later than timing.endTime"));
    }
    if let Some(first) = json::non_null(first) {
        let path = "timing.timeToFirstToken";
        let ms = number(first).ok_or_else(|| fault(path, "must be a number of milliseconds, or null"))?;
        match micros(ms * 1_000.0) {
            Some(us) => envelope.first_byte_us = Some(us),
            None => envelope.notes.push(Note::new(
                "log.time_to_first_token",
                "timing.timeToFirstToken is negative or too large and was left out. Send milliseconds.",
            )),
        }
    }
    Ok(())
}

/// A number, or digits in a string.
fn number(raw: &str) -> Option<f64> {
    let text = json::text(raw).unwrap_or(Cow::Borrowed(raw));
    let text = text.trim();
    let plain = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    plain.then(|| text.parse::<f64>().ok()).flatten().filter(|n| n.is_finite())
}

/// Microseconds since the epoch, if they are between 1970 and 9999.
fn micros(us: f64) -> Option<i64> {
    let us = us.round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked on the same line")]
    (0.0..=MAX_MICROS).contains(&us).then_some(us as i64)
}

fn instant(raw: Option<&str>, path: &str) -> Result<Option<Micros>, EnvelopeError> {
    let Some(raw) = json::non_null(raw) else { return Ok(None) };
    let wrong = || fault(path, "must be {\"seconds\": …, \"milliseconds\": …}, a number, or an ISO 8601 date as text");
    let us = if json::is_object(raw) {
        seconds_and_milliseconds(raw, path)?
    } else if let Some(number) = number(raw) {
        number * if number < SECONDS_BELOW { 1e6 } else { 1e3 }
    } else {
        let text = json::text(raw).ok_or_else(wrong)?;
        let at = date(text.trim()).ok_or_else(wrong)?;
        return if at.0 >= 0 { Ok(Some(at)) } else { Err(fault(path, "must not be before 1970")) };
    };
    if us < 0.0 {
        return Err(fault(path, "must not be before 1970"));
    }
    micros(us).map(|us| Some(Micros(us))).ok_or_else(|| fault(path, "must not be after the year 9999"))
}

/// The milliseconds may exceed 999 and have a fraction.
fn seconds_and_milliseconds(raw: &str, path: &str) -> Result<f64, EnvelopeError> {
    let [seconds, milliseconds] = json::fields(raw, ["seconds", "milliseconds"]).values;
    let part = |raw: Option<&str>, name: &str, default: Option<f64>| match json::non_null(raw) {
        None => default.ok_or_else(|| fault(&format!("{path}.{name}"), "is missing; it must be a number")),
        Some(raw) => number(raw).ok_or_else(|| fault(&format!("{path}.{name}"), "must be a number")),
    };
    Ok(part(seconds, "seconds", None)? * 1e6 + part(milliseconds, "milliseconds", Some(0.0))? * 1e3)
}

/// An ISO 8601 date or date and time; without a zone it is UTC.
fn date(text: &str) -> Option<Micros> {
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(Micros(stamp.as_microsecond()))
}

/// A log that is no model call.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: Kind,
    /// `tool:<toolName>`, `vector_db`, `data:<name>`
    pub model: String,
    /// What went wrong, where the response tells of a failure ([`verdict`]): its words, else how it begins.
    pub error: Option<String>,
    /// `usage.cost` of the response, in dollars.
    pub billed_usd: Option<f64>,
}

/// Whether a model's name is one that [`event`] gives to what is no model.
pub fn names_event(model: &str) -> bool {
    model == "vector_db" || model.starts_with("tool:") || model.starts_with("data:")
}

/// Whether the bodies of a log are a custom event (`_type` in the request, else in the response).
pub fn event(request: &str, response: &str) -> Option<Event> {
    let names = ["_type", "toolName", "name"];
    let [asked_type, asked_tool, asked_name] = json::fields(request, names).values;
    let [type_, tool, name, usage] = json::fields(response, ["_type", "toolName", "name", "usage"]).values;
    let kind = |raw: Option<&str>| match raw.and_then(json::text).as_deref() {
        Some("tool") => Some(Kind::Tool),
        Some("vector_db") => Some(Kind::VectorDb),
        Some("data") => Some(Kind::Data),
        _ => None,
    };
    let named = |asked: Option<&str>, answered: Option<&str>| {
        json::non_empty_text(asked).or_else(|| json::non_empty_text(answered)).unwrap_or_else(|| "unknown".to_owned())
    };
    let kind = kind(asked_type).or_else(|| kind(type_))?;
    let model = match kind {
        Kind::Tool => format!("tool:{}", named(asked_tool, tool)),
        Kind::Data => format!("data:{}", named(asked_name, name)),
        _ => "vector_db".to_owned(),
    };
    let (succeeded, _) = verdict(None, response);
    let error = (!succeeded).then(|| failure_words(response));
    Some(Event { kind, model, error, billed_usd: usage.and_then(super::usage::billed_usd) })
}

fn failure_words(response: &str) -> String {
    let [error, errors, exception, message] =
        json::fields(response, ["error", "errors", "exception", "message"]).values;
    let said = [error, errors, exception].into_iter().flatten().find(|raw| says_something(raw));
    // `true` says that there is an error and not which one.
    let words = said.filter(|raw| *raw != "true").and_then(super::error_words);
    words
        .or_else(|| json::non_empty_text(message))
        .unwrap_or_else(|| response.trim().chars().take(PREVIEW_CHARS).collect())
}

#[cfg(test)]
mod tests;
