//! Records without bodies: what the parsers read from a body stands in its facts instead, so that the row has its usage,
//! cost, model, errors and tool calls all the same. What they said of a conversation (messages, results) is lost with them.
//!
//! It is done where a body is handed in, on the caller's thread: it costs what reading the body in the drain would.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::capture;
use super::enrich::guarded;
use crate::journal::{Frame, FrameKind};
use crate::model::capture::{Begin, Body, BodyFacts, End, Essence, Kept, RequestBody, WireFormat};
use crate::model::headers::Headers;
use crate::model::tags::Note;
use crate::wire::calls::{ToolCall, ToolCalls};
use crate::wire::{self, Meaning};

/// Bytes of arguments that are kept of one answer's tool calls, all together.
const MOST_ARGUMENTS: usize = 16 * 1024;

/// How a call's bodies are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub format: WireFormat,
    /// The upstream's path, without query.
    pub path: &'a str,
}

/// Leaves a request body out. False, and nothing is changed, where there is none.
pub fn request(reading: Reading<'_>, facts: &mut BodyFacts, chunks: &mut Vec<Bytes>) -> bool {
    let Some(body) = leave_out(facts, chunks) else { return false };
    let read = guarded(|| wire::read(reading.format, reading.path, 200, [&body, &Body::default()], &Headers::NONE));
    let notes = read.notes.iter().filter(|note| note.code == "body.encoding").cloned();
    let essence =
        Essence { request_model: read.request_model, user: read.user, notes: notes.collect(), ..Essence::default() };
    keep(facts, essence, "The request body was not kept: the journal was almost full. It was read before.");
    true
}

/// Leaves a response body out. False, and nothing is changed, where there is none.
pub fn response(
    reading: Reading<'_>,
    (status, headers): (u16, &Headers),
    facts: &mut BodyFacts,
    chunks: &mut Vec<Bytes>,
) -> bool {
    let Some(body) = leave_out(facts, chunks) else { return false };
    let bodies = [&Body::default(), &body];
    let read = guarded(|| wire::read(reading.format, reading.path, i32::from(status), bodies, headers));
    // Spelled out, so that a fact that is added to the meaning of a body is not forgotten here.
    let Meaning {
        kind: _,
        format: _,
        api: _,
        request_model: _,
        response_model,
        response_id,
        streamed,
        finish_reason,
        calls,
        refused,
        user: _,
        usage,
        partial,
        audio_seconds,
        usage_missing,
        billed_usd,
        raw_usage,
        service_tier,
        error,
        stream_error,
        notes,
        conversation: _,
        said: _,
    } = read;
    let essence = Essence {
        request_model: None,
        user: None,
        response_model,
        response_id,
        streamed,
        finish_reason,
        tool_calls: calls.asked(),
        calls: within_room(&calls),
        refused,
        usage,
        partial,
        audio_seconds: audio_seconds.and_then(serde_json::Number::from_f64),
        usage_missing: usage_missing.map(str::to_owned),
        billed_usd: billed_usd.and_then(serde_json::Number::from_f64),
        raw_usage,
        service_tier,
        error,
        stream_error,
        notes,
    };
    keep(facts, essence, "The response body was not kept: the journal was almost full. It was read before.");
    true
}

/// Calls with their arguments as long as there is room for these.
fn within_room(calls: &ToolCalls) -> Vec<ToolCall> {
    let mut room = MOST_ARGUMENTS;
    let mut kept: Vec<ToolCall> = calls.iter().cloned().collect();
    for call in &mut kept {
        match room.checked_sub(call.arguments.len()) {
            Some(left) => room = left,
            None => call.arguments.clear(),
        }
    }
    kept
}

fn keep(facts: &mut BodyFacts, mut essence: Essence, text: &str) {
    essence.notes.push(Note::new("body.shed", text));
    facts.essence = Some(Box::new(essence));
}

/// Takes the bytes; the facts keep their length and hash.
fn leave_out(facts: &mut BodyFacts, chunks: &mut Vec<Bytes>) -> Option<Body> {
    if facts.len == 0 {
        return None;
    }
    let before = facts.clone();
    if facts.sha256.is_none() {
        let mut hasher = Sha256::new();
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        facts.sha256 = Some(hex::encode(hasher.finalize()));
    }
    facts.kept = Kept::Shed;
    let bytes = match chunks.as_slice() {
        [one] => one.clone(),
        many => Bytes::from(many.concat()),
    };
    chunks.clear();
    Some(Body { facts: before, bytes })
}

/// Adds what stood in the facts of left-out bodies to what was read without them. Returns why there is no usage.
pub(super) fn lay_over(meaning: &mut Meaning, request: &mut BodyFacts, response: &mut BodyFacts) -> Option<String> {
    if let Some(read) = request.essence.take() {
        meaning.request_model = read.request_model.or_else(|| meaning.request_model.take());
        meaning.user = read.user;
        meaning.notes.extend(read.notes);
    }
    let read = *response.essence.take()?;
    meaning.response_model = read.response_model;
    meaning.response_id = read.response_id;
    meaning.streamed = read.streamed;
    meaning.finish_reason = read.finish_reason;
    meaning.calls = ToolCalls::again(read.tool_calls, read.calls);
    meaning.refused = read.refused;
    meaning.usage = read.usage;
    meaning.partial = read.partial;
    meaning.audio_seconds = read.audio_seconds.and_then(|seconds| seconds.as_f64());
    meaning.billed_usd = read.billed_usd.and_then(|usd| usd.as_f64());
    meaning.raw_usage = read.raw_usage;
    meaning.service_tier = read.service_tier;
    meaning.error = read.error;
    meaning.stream_error = read.stream_error;
    meaning.notes.extend(read.notes);
    read.usage_missing.filter(|_| read.usage.is_none())
}

/// A refused frame without its body, for the journal's last try. What the body meant is not read here.
pub(super) fn lighten(frame: &mut Frame) {
    if frame.body.iter().all(Bytes::is_empty) {
        return;
    }
    let (body, head) = (std::mem::take(&mut frame.body), frame.head.as_slice());
    let lighter = match frame.kind {
        FrameKind::Begin => relabelled(head, |begin: &mut Begin| begin.request.as_mut(), &body),
        FrameKind::Request => relabelled(head, |request: &mut RequestBody| Some(&mut request.request), &body),
        FrameKind::End => relabelled(head, |end: &mut End| Some(&mut end.response), &body),
        FrameKind::Posted | FrameKind::Gap => None,
    };
    match lighter {
        Some(head) => {
            frame.head = head;
            frame.hold = None;
        }
        None => frame.body = body,
    }
}

fn relabelled<H: DeserializeOwned + Serialize>(
    head: &[u8],
    facts: impl Fn(&mut H) -> Option<&mut BodyFacts>,
    body: &[Bytes],
) -> Option<Vec<u8>> {
    let mut read: H = capture::read(head).ok()?;
    let facts = facts(&mut read)?;
    leave_out(facts, &mut body.to_vec())?;
    let missing = "the response was not kept: the journal was full".to_owned();
    let essence = Essence { usage_missing: Some(missing), ..Essence::default() };
    keep(facts, essence, "A body was not kept: the journal was full. What it said is not known.");
    capture::written(&read).ok()
}
