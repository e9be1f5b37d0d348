//! The row of a capture that nobody could understand: facts and bytes as they came, and a note that says so.

use bytes::Bytes;

use super::enrich;
use crate::model::agent::Agent;
use crate::model::capture::{Body, BodyFacts, Capture, Outcome, WireFormat};
use crate::model::exchange::{Exchange, KeptBody, Kind, Source};
use crate::model::headers::Headers;
use crate::model::id::RequestId;
use crate::model::tags::Note;

const WHY: &str = "the record could not be read";

/// A row without any interpretation.
pub(super) fn plain(capture: Capture) -> Exchange {
    let note = Note::new(
        "understand.failed",
        "Reading this record failed inside the gateway; its bytes are kept as they came.",
    );
    match capture {
        Capture::Call { begin, request, end } => {
            let begin = *begin;
            let (end, response) = end.map_or((None, Bytes::new()), |end| (Some(end.0), end.1));
            let mut notes = begin.notes;
            let (mut outcome, mut status, mut duration_us, mut first_byte_us) = (Outcome::Interrupted, 0, 0, None);
            let (mut error_message, mut response_headers, mut response_facts) =
                (None, Headers::NONE, BodyFacts::default());
            if let Some(end) = end {
                (outcome, status) = (end.outcome, i32::from(end.status));
                (duration_us, first_byte_us) = (end.duration_us, end.first_byte_us);
                (error_message, response_headers, response_facts) = (end.error, end.headers, end.response);
                notes.extend(end.notes);
            }
            notes.push(note);
            let error_rule = match outcome {
                Outcome::Complete => (status >= 400).then_some("status"),
                _ => Some("outcome"),
            };
            Exchange {
                org: begin.org,
                id: begin.tags.request_id.unwrap_or(RequestId(begin.record.0)),
                record: begin.record,
                key: begin.key,
                source: Source::Proxy,
                kind: Kind::Other,
                started_at: begin.at,
                ended_at: begin.at.plus_us(duration_us),
                first_byte_us,
                outcome,
                status,
                error_rule,
                error_message,
                provider: begin.provider,
                format: begin.format,
                method: begin.method,
                path: begin.path,
                target_url: begin.target_url,
                streamed: false,
                model: begin.tags.model_override.clone(),
                request_model: None,
                response_model: None,
                model_override: begin.tags.model_override,
                finish_reason: None,
                tool_calls: 0,
                session_id: begin.tags.session_id,
                session_name: begin.tags.session_name,
                session_path: begin.tags.session_path,
                user_id: begin.tags.user_id,
                prompt_id: begin.tags.prompt_id,
                properties: begin.tags.properties,
                usage: None,
                usage_source: None,
                usage_missing: Some(WHY.to_owned()),
                cost: None,
                service_tier: None,
                priced_units: None,
                notes,
                agent: Agent::default(),
                request_headers: begin.headers,
                response_headers,
                request: enrich::kept(request.facts, request.bytes, begin.tags.omit_request),
                response: enrich::kept(response_facts, response, begin.tags.omit_response),
            }
        }
        Capture::Log { posted, body } => {
            let posted = *posted;
            let facts = BodyFacts { len: body.len() as u64, ..BodyFacts::default() };
            let body = Body { facts, bytes: body };
            let mut notes = posted.notes;
            notes.push(note);
            Exchange {
                org: posted.org,
                id: posted.tags.request_id.unwrap_or(RequestId(posted.record.0)),
                record: posted.record,
                key: posted.key,
                source: Source::Manual,
                kind: Kind::Other,
                started_at: posted.at,
                ended_at: posted.at,
                first_byte_us: None,
                outcome: Outcome::Complete,
                status: 0,
                error_rule: None,
                error_message: None,
                provider: "CUSTOM".to_owned(),
                format: WireFormat::Other,
                method: "POST".to_owned(),
                path: String::new(),
                target_url: String::new(),
                streamed: false,
                model: posted.tags.model_override.clone(),
                request_model: None,
                response_model: None,
                model_override: posted.tags.model_override,
                finish_reason: None,
                tool_calls: 0,
                session_id: posted.tags.session_id,
                session_name: posted.tags.session_name,
                session_path: posted.tags.session_path,
                user_id: posted.tags.user_id,
                prompt_id: posted.tags.prompt_id,
                properties: posted.tags.properties,
                usage: None,
                usage_source: None,
                usage_missing: Some(WHY.to_owned()),
                cost: None,
                service_tier: None,
                priced_units: None,
                notes,
                agent: Agent::default(),
                request_headers: Headers::default(),
                response_headers: Headers::default(),
                // The post holds both bodies: it goes where either is not to be kept.
                request: enrich::kept(body.facts, body.bytes, posted.tags.omit_request || posted.tags.omit_response),
                response: KeptBody::default(),
            }
        }
    }
}
