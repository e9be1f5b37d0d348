//! The record of one call: it begins before anything is sent upstream and ends exactly once, whichever way the call goes.
//! Dropping it unfinished is an end too: the client left.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Uri, header};

use super::headers;
use super::kept::{Finished, KeptBody};
use crate::ingest::Ingest;
use crate::ingest::shed::{self, Reading};
use crate::journal::{JournalError, Receipt};
use crate::model::capture::{Begin, BodyFacts, End, Outcome, RequestBody, WireFormat};
use crate::model::headers::Headers;
use crate::model::id::{OrgId, RecordId};
use crate::model::tags::Note;

/// The record of a call in flight.
pub struct Record {
    ingest: Ingest,
    org: OrgId,
    record: RecordId,
    /// False where the journal was full when the call arrived: it is counted instead.
    logged: bool,
    upstream: UpstreamPath,
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

/// How the bodies of a call are to be read, should they be left out.
#[derive(Clone)]
struct UpstreamPath {
    format: WireFormat,
    uri: Uri,
}

impl UpstreamPath {
    fn reading(&self) -> Reading<'_> {
        Reading { format: self.format, path: self.uri.path() }
    }
}

/// The request body's copy, shared between the body on its way upstream and the record: whichever ends first hands it in.
#[derive(Clone)]
pub struct SharedRequest(Arc<Mutex<RequestSide>>);

struct RequestSide {
    ingest: Ingest,
    org: OrgId,
    record: RecordId,
    upstream: UpstreamPath,
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
        let mut done = side.kept.finish(content_type, content_encoding);
        shed_request(&side.ingest, side.org, &side.upstream, &mut done);
        let request = RequestBody { record: side.record, request: done.facts };
        side.ingest.request(side.org, &request, done.chunks, done.charge);
    }
}

/// Leaves a request body out where the journal has little room.
fn shed_request(ingest: &Ingest, org: OrgId, upstream: &UpstreamPath, done: &mut Finished) {
    if ingest.sheds_bodies() && shed::request(upstream.reading(), &mut done.facts, &mut done.chunks) {
        done.charge = None;
        ingest.count_shed(org);
    }
}

/// A record that is not kept yet waits in memory; its call goes on.
pub fn told(kept: Result<(), JournalError>) {
    if let Err(error) = kept {
        tracing::debug!(%error, "proxy.record_waits");
    }
}

/// What a record is begun with.
pub struct Opening {
    pub ingest: Ingest,
    pub begin: Begin,
    /// Where the call goes; the client's own path where it goes nowhere.
    pub uri: Uri,
    pub started: Instant,
    /// The request body where it is there whole.
    pub request: Option<Bytes>,
    pub max_body_bytes: usize,
}

impl Record {
    /// Begins: the begin frame is on its way to the journal, nobody waits for it. Where the journal is full, the call is
    /// counted and nothing of it is kept.
    pub fn begin(opening: Opening, request_headers: &HeaderMap) -> Self {
        let Opening { ingest, mut begin, uri, started, request, max_body_bytes } = opening;
        let logged = ingest.puts_on_record(begin.org, begin.at);
        let upstream = UpstreamPath { format: begin.format, uri };
        let content_type = headers::text(request_headers, &header::CONTENT_TYPE);
        let content_encoding = headers::text(request_headers, &header::CONTENT_ENCODING);
        let mut kept = KeptBody::new(ingest.budget(), max_body_bytes);
        let handed_in = request.is_some() || !logged;
        if !logged {
            // Nothing of it is kept.
        } else if let Some(body) = request {
            if !body.is_empty() {
                kept.push(&body);
            }
            let mut done = kept.finish(content_type.clone(), content_encoding.clone());
            shed_request(&ingest, begin.org, &upstream, &mut done);
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
            upstream: upstream.clone(),
            kept,
            content_type,
            content_encoding,
            handed_in,
        };
        Self {
            ingest,
            org: begin.org,
            record: begin.record,
            logged,
            upstream,
            started,
            request: SharedRequest(Arc::new(Mutex::new(side))),
            status: 0,
            head_us: None,
            first_byte_us: None,
            response_headers: Headers::default(),
            content_type: None,
            content_encoding: None,
            response,
            notes: Vec::new(),
            finished: false,
        }
    }

    /// Whether the call is on record.
    pub const fn logged(&self) -> bool {
        self.logged
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
        if !self.logged {
            return;
        }
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
        metrics::counter!("trailgate_calls_total", "outcome" => outcome.as_str()).increment(1);
        if !self.logged {
            return Some(Receipt::of(Ok(())));
        }
        self.request.hand_in();
        let mut done = self.response.finish(self.content_type.take(), self.content_encoding.take());
        if self.ingest.sheds_bodies() {
            self.shed(&mut done);
        }
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
        Some(self.ingest.end(self.org, &end, done.chunks, done.charge))
    }

    /// Leaves the answer's body out.
    fn shed(&self, done: &mut Finished) {
        if shed::response(
            self.upstream.reading(),
            (self.status, &self.response_headers),
            &mut done.facts,
            &mut done.chunks,
        ) {
            done.charge = None;
            self.ingest.count_shed(self.org);
        }
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
