//! The record of one call: it begins before anything is sent upstream and ends exactly once, whichever way the call goes.
//! Dropping it unfinished is an end too: the client left.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, header};

use super::headers;
use super::kept::KeptBody;
use crate::ingest::Ingest;
use crate::journal::Receipt;
use crate::model::capture::{Begin, BodyFacts, End, Headers, Outcome, RequestBody};
use crate::model::id::{OrgId, RecordId};
use crate::model::tags::Note;

/// The record of a call in flight.
pub struct Record {
    ingest: Ingest,
    org: OrgId,
    record: RecordId,
    started: Instant,
    request: SharedRequest,
    status: u16,
    head_us: Option<i64>,
    first_byte_us: Option<i64>,
    response_headers: Headers,
    content_type: Option<String>,
    content_encoding: Option<String>,
    response: KeptBody,
    notes: Vec<Note>,
    finished: bool,
}

/// The request body's copy, shared between the body on its way upstream and the record: whichever ends first hands it in.
#[derive(Clone)]
pub struct SharedRequest(Arc<Mutex<RequestSide>>);

struct RequestSide {
    ingest: Ingest,
    org: OrgId,
    record: RecordId,
    kept: KeptBody,
    content_type: Option<String>,
    content_encoding: Option<String>,
    handed_in: bool,
}

impl SharedRequest {
    /// A piece of the request went upstream.
    pub fn push(&self, piece: &Bytes) {
        let mut side = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !side.handed_in {
            side.kept.push(piece);
        }
    }

    /// The request body is over, or nobody will read on. Only the first call counts.
    pub fn hand_in(&self) {
        let mut side = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut side.handed_in, true) {
            return;
        }
        let (content_type, content_encoding) = (side.content_type.take(), side.content_encoding.take());
        let done = side.kept.finish(content_type, content_encoding);
        let request = RequestBody { record: side.record, request: done.facts };
        side.ingest.request(side.org, &request, done.chunks, done.charge);
    }
}

/// What a record is begun with.
pub struct Opening {
    pub ingest: Ingest,
    pub begin: Begin,
    pub started: Instant,
    /// The request body where it is there whole.
    pub request: Option<Bytes>,
    pub max_body_bytes: usize,
}

impl Record {
    /// Begins: the begin frame is on its way to the journal, nobody waits for it.
    pub fn begin(opening: Opening, request_headers: &HeaderMap) -> Self {
        let Opening { ingest, mut begin, started, request, max_body_bytes } = opening;
        let content_type = headers::text(request_headers, &header::CONTENT_TYPE);
        let content_encoding = headers::text(request_headers, &header::CONTENT_ENCODING);
        let mut kept = KeptBody::new(ingest.budget(), max_body_bytes);
        let handed_in = request.is_some();
        if let Some(body) = request {
            if !body.is_empty() {
                kept.push(&body);
            }
            let done = kept.finish(content_type.clone(), content_encoding.clone());
            begin.request = Some(done.facts);
            ingest.begin(&begin, done.chunks, done.charge);
        } else {
            ingest.begin(&begin, Vec::new(), None);
        }
        let response = KeptBody::new(ingest.budget(), max_body_bytes);
        let side = RequestSide {
            ingest: ingest.clone(),
            org: begin.org,
            record: begin.record,
            kept,
            content_type,
            content_encoding,
            handed_in,
        };
        Self {
            ingest,
            org: begin.org,
            record: begin.record,
            started,
            request: SharedRequest(Arc::new(Mutex::new(side))),
            status: 0,
            head_us: None,
            first_byte_us: None,
            response_headers: Vec::new(),
            content_type: None,
            content_encoding: None,
            response,
            notes: Vec::new(),
            finished: false,
        }
    }

    /// The request body's side, for the body that goes upstream.
    pub fn request(&self) -> SharedRequest {
        self.request.clone()
    }

    /// The answer's head as the client will see it.
    pub fn head(&mut self, status: http::StatusCode, answer: &HeaderMap) {
        self.status = status.as_u16();
        self.head_us = Some(self.elapsed_us());
        self.response_headers = headers::kept(answer);
        self.content_type = headers::text(answer, &header::CONTENT_TYPE);
        self.content_encoding = headers::text(answer, &header::CONTENT_ENCODING);
    }

    /// A piece of the answer passed.
    pub fn push(&mut self, piece: &Bytes) {
        if self.response.len() == 0 && !piece.is_empty() {
            self.first_byte_us = Some(self.elapsed_us());
        }
        self.response.push(piece);
    }

    /// Ends the record. Only the first end counts; the receipt says when it is kept.
    pub fn finish(&mut self, outcome: Outcome, error: Option<String>) -> Option<Receipt> {
        if std::mem::replace(&mut self.finished, true) {
            return None;
        }
        self.request.hand_in();
        let done = self.response.finish(self.content_type.take(), self.content_encoding.take());
        let end = End {
            record: self.record,
            outcome,
            status: self.status,
            duration_us: self.elapsed_us(),
            head_us: self.head_us,
            first_byte_us: self.first_byte_us,
            headers: std::mem::take(&mut self.response_headers),
            response: BodyFacts { ..done.facts },
            error,
            notes: std::mem::take(&mut self.notes),
        };
        metrics::counter!("trailgate_calls_total", "outcome" => outcome.as_str()).increment(1);
        Some(self.ingest.end(self.org, &end, done.chunks, done.charge))
    }

    fn elapsed_us(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

impl Drop for Record {
    /// Finishing must not wait here: whoever drops a call in flight is gone already.
    fn drop(&mut self) {
        drop(self.finish(Outcome::ClientGone, None));
    }
}
