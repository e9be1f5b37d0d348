//! The proxied call, told as a story: tags, route, caller, record, forward, tee, end.
//!
//! Promises: status, headers and body pass as they came, when they came; every call ends in exactly one record; nothing
//! here waits for the database. Deliberately not here: reading what the bodies mean (`ingest::enrich` does, later), and
//! retries (an SDK has its own).

mod body;
mod egress;
mod error;
mod headers;
mod kept;
mod record;
mod strangers;
mod upstream;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header, request};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use secrecy::SecretString;

use self::body::{Activity, AnswerBody, ClientBody};
use self::error::Failure;
use self::record::{Opening, Record};
use self::strangers::Strangers;
use self::upstream::{SendError, Upstream};
use crate::auth::{Auth, AuthError, Caller, Presented};
use crate::config::{Config, OnFull};
use crate::ingest::Ingest;
use crate::journal::Step;
use crate::model::capture::{Begin, Outcome, WireFormat};
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::query::Rights;
use crate::model::tags::{Note, Tags};
use crate::model::units::Micros;
use crate::route::{self, Address, Route};
use crate::wire;

const HELICONE_ID: HeaderName = HeaderName::from_static("helicone-id");
const HELICONE_STATUS: HeaderName = HeaderName::from_static("helicone-status");
/// `false` on an answer whose call is not on record.
const LOGGED: HeaderName = HeaderName::from_static("trailgate-logged");
/// Seconds after which a call that was turned away may be tried again.
const TRY_AGAIN: HeaderValue = HeaderValue::from_static("5");

/// Request bodies up to this length are read before the upstream is called: they come with the head anyway, and the
/// record then begins with the whole request.
const READ_FIRST: u64 = 64 * 1024;

/// Answers of a known length up to this may leave in one piece with their head.
const SETTLE: u64 = 64 * 1024;

/// The proxy. Cheap to clone.
#[derive(Clone)]
pub struct Proxy {
    config: Arc<Config>,
    auth: Auth,
    ingest: Ingest,
    upstream: Upstream,
    strangers: Arc<Strangers>,
}

/// A call on its way in: what the request said, before anything was decided.
struct Call {
    at: Micros,
    started: Instant,
    record: RecordId,
    tags: Tags,
    notes: Vec<Note>,
    method: http::Method,
    /// Without a key that was in it.
    path: PathAndQuery,
    headers: HeaderMap,
    extensions: http::Extensions,
    /// It asks for another protocol on its connection.
    websocket: bool,
}

/// The request body, as far as it is there.
enum Arrived {
    Whole(Bytes),
    Coming(Body),
}

impl Proxy {
    /// # Errors
    /// When the upstream client cannot be built (certificate authorities).
    pub fn new(config: Arc<Config>, auth: Auth, ingest: Ingest) -> anyhow::Result<Self> {
        let upstream = Upstream::new(&config)?;
        Ok(Self { config, auth, ingest, upstream, strangers: Arc::new(Strangers::new()) })
    }

    /// Serves one call. Always answers; failures of our own come in the provider's shape.
    pub async fn serve(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (mut call, presented) = Call::read(parts);
        let resolve = |call: &Call| {
            let address = Address { path: &call.path, host: presented.host.as_deref(), headers: &call.headers };
            route::resolve(&self.config, address, &call.tags).map_err(Failure::from)
        };
        if self.config.journal.on_full == OnFull::Reject && self.ingest.step() == Step::Full {
            return turn_away(&call, resolve(&call).ok().as_ref());
        }
        let admitted = self.auth.admit(&mut call.headers, &presented).await.and_then(may_write);
        // Our own keys are out of the headers by now: in a header of Google's they make no call to Google.
        let route = resolve(&call);
        let (caller, route) = match (admitted, route) {
            (Ok(caller), Ok(route)) => (caller, route),
            (Ok(caller), Err(failure)) => return Box::pin(self.refuse(call, Some(caller), None, failure)).await,
            (Err(error), route) => return Box::pin(self.refuse(call, None, route.ok(), error.into())).await,
        };
        if call.websocket {
            return Box::pin(self.refuse(call, Some(caller), Some(route), Failure::websocket())).await;
        }
        let body = match self.arrive(&mut call, body).await {
            Ok(body) => body,
            Err(failure) => return Box::pin(self.refuse(call, Some(caller), Some(route), failure)).await,
        };
        self.forward(call, caller, &route, body).await
    }

    /// Reads a short body whole, and any body that `Helicone-Stream-Usage` asks to change.
    async fn arrive(&self, call: &mut Call, body: Body) -> Result<Arrived, Failure> {
        if body.is_end_stream() {
            return Ok(Arrived::Whole(Bytes::new()));
        }
        let length = body.size_hint().exact();
        let change = call.tags.stream_usage;
        let limit = if change { self.config.capture.max_body_bytes as u64 } else { READ_FIRST };
        if length.is_none_or(|length| length > limit) {
            if change {
                let text = "Helicone-Stream-Usage: had no effect, as the request's length is not known or too large";
                call.notes.push(Note::new("tag.stream_usage", text));
            }
            return Ok(Arrived::Coming(body));
        }
        let mut bytes = self.collect(body).await?;
        if change && let Some(changed) = wire::stream_usage::set_stream_usage(&bytes) {
            bytes = Bytes::from(changed);
            call.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
        Ok(Arrived::Whole(bytes))
    }

    /// A whole request body; its pieces may not let wait for themselves longer than those of an answer.
    async fn collect(&self, mut body: Body) -> Result<Bytes, Failure> {
        let idle = self.config.timeouts.idle;
        let mut pieces = Vec::new();
        loop {
            let next = match tokio::time::timeout(idle, body.frame()).await {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(Failure::no_answer(Outcome::ClientGone, &error.to_string())),
                Err(_) => return Err(Failure::request_stalled(idle)),
            };
            pieces.extend(next.into_data());
        }
        Ok(match <[Bytes; 1]>::try_from(pieces) {
            Ok([whole]) => whole,
            Err(pieces) => pieces.concat().into(),
        })
    }

    async fn forward(&self, mut call: Call, caller: Caller, route: &Route, body: Arrived) -> Response<Body> {
        let id = call.id();
        let (whole, coming) = match body {
            Arrived::Whole(bytes) => (Some(bytes), None),
            Arrived::Coming(body) => (None, Some(body)),
        };
        let mut record = self.begin(&mut call, Some(caller), Some(route), whole.clone());
        let activity = Activity::new(call.started);
        let outgoing = match coming {
            Some(inner) => ClientBody::Passing { inner, copy: record.request(), activity: activity.clone() },
            None => ClientBody::Whole(whole.filter(|bytes| !bytes.is_empty())),
        };
        let mut request = Request::new(outgoing);
        *request.method_mut() = call.method;
        *request.uri_mut() = route.uri.clone();
        *request.headers_mut() = call.headers;
        *request.extensions_mut() = call.extensions;
        // Calls that came together go on together: whom their requests wake is woken once and finds several. With one call this
        // returns as soon as the sockets were looked at.
        tokio::task::yield_now().await;
        match self.answer(request, route.http2, &activity).await {
            Ok(answer) => self.pass_on(answer, record, id).await,
            Err(error) => {
                let failure = Failure::no_answer(error.outcome, &error.message);
                tracing::debug!(outcome = error.outcome.as_str(), "proxy.no_answer");
                Box::pin(fail(&mut record, &failure, route.format, id)).await
            }
        }
    }

    /// Sends the call; the limit on the answer's head starts anew whenever a piece of the request moves.
    async fn answer(
        &self,
        request: Request<ClientBody>,
        http2: bool,
        activity: &Activity,
    ) -> Result<Response<Incoming>, SendError> {
        let limit = self.config.timeouts.first_byte;
        let mut sending = std::pin::pin!(self.upstream.send(request, http2));
        loop {
            let deadline = activity.last() + limit;
            tokio::select! {
                biased;
                answer = &mut sending => return answer,
                () = tokio::time::sleep_until(deadline.into()) => {
                    if activity.last() + limit <= Instant::now() {
                        let message = format!("no answer within {} ms (timeouts.first_byte_ms)", limit.as_millis());
                        return Err(SendError { outcome: Outcome::Timeout, message });
                    }
                }
            }
        }
    }

    async fn pass_on(&self, answer: Response<Incoming>, mut record: Record, id: RequestId) -> Response<Body> {
        let (mut head, incoming) = answer.into_parts();
        headers::strip_response(&mut head.headers);
        record.head(head.status, &head.headers);
        mark(&mut head.headers, id, "success", record.logged());
        // The version of the upstream connection says nothing about the client's.
        head.version = Version::HTTP_11;
        if incoming.is_end_stream() {
            kept(record.finish(Outcome::Complete, None)).await;
            return Response::from_parts(head, Body::empty());
        }
        let is_short = incoming.size_hint().exact().is_some_and(|length| length <= SETTLE);
        let mut body = AnswerBody::new(incoming, record, self.config.timeouts.idle);
        if is_short {
            body.settle().await;
        }
        Response::from_parts(head, Body::new(body))
    }

    /// Answers a call that goes nowhere. Without a caller its claims (tags, headers, body) are nobody's and are not kept, and
    /// of very many such calls not all are put on record.
    async fn refuse(
        &self,
        mut call: Call,
        caller: Option<Caller>,
        route: Option<Route>,
        failure: Failure,
    ) -> Response<Body> {
        let id = call.id();
        let format = format_of(&call, route.as_ref());
        if caller.is_none() {
            call.tags = Tags::default();
            call.notes.clear();
            call.headers.clear();
            if !self.strangers.admit() {
                metrics::counter!("trailgate_calls_total", "outcome" => failure.outcome.as_str()).increment(1);
                let (mut response, _) = answer_of(&failure, format);
                mark(response.headers_mut(), id, "failed", false);
                return response;
            }
        }
        let mut record = self.begin(&mut call, caller, route.as_ref(), Some(Bytes::new()));
        fail(&mut record, &failure, format, id).await
    }

    fn begin(&self, call: &mut Call, caller: Option<Caller>, route: Option<&Route>, request: Option<Bytes>) -> Record {
        let begin = Begin {
            record: call.record,
            org: caller.map_or(OrgId::DEFAULT, |caller| caller.org),
            key: caller.and_then(|caller| caller.key),
            at: call.at,
            method: call.method.to_string(),
            path: route::redact_query(call.path.as_str()),
            target_url: route.map_or_else(String::new, |route| route::redact_query(&route.uri.to_string())),
            provider: route.map_or_else(String::new, |route| route.provider.clone()),
            format: route.map_or(WireFormat::Other, |route| route.format),
            headers: headers::kept(&call.headers),
            tags: std::mem::take(&mut call.tags),
            notes: std::mem::take(&mut call.notes),
            request: None,
        };
        let opening = Opening {
            ingest: self.ingest.clone(),
            begin,
            uri: route.map_or_else(|| Uri::from(call.path.clone()), |route| route.uri.clone()),
            started: call.started,
            request,
            max_body_bytes: self.config.capture.max_body_bytes,
        };
        Record::begin(opening, &call.headers)
    }
}

impl Call {
    /// Takes the request's head apart: tags and credentials of ours leave it here.
    fn read(parts: request::Parts) -> (Self, Presented) {
        let request::Parts { method, uri, mut headers, extensions, .. } = parts;
        let host = uri.authority().map(ToString::to_string).or_else(|| headers::text(&headers, &header::HOST));
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let (path_key, path) = match route::split_path_key(&path) {
            Some((key, rest)) => (Some(SecretString::from(key)), rest),
            None => (None, path),
        };
        let (tags, notes, control) = wire::tags::take(&mut headers);
        let presented = Presented {
            method: method.clone(),
            host,
            own: control.auth.or(path_key),
            names_target: tags.target_url.is_some() || tags.openai_api_base.is_some(),
        };
        let websocket = headers::asks_for_websocket(&headers);
        headers::strip_request(&mut headers);
        let call = Self {
            at: Micros::now(),
            started: Instant::now(),
            record: RecordId::generate(),
            tags,
            notes,
            method,
            path,
            headers,
            extensions,
            websocket,
        };
        (call, presented)
    }

    fn id(&self) -> RequestId {
        self.tags.request_id.unwrap_or(RequestId(self.record.0))
    }
}

fn may_write(caller: Caller) -> Result<Caller, AuthError> {
    let needed = Rights { write: true, ..Rights::NONE };
    if caller.rights.includes(needed) { Ok(caller) } else { Err(AuthError::Forbidden) }
}

fn format_of(call: &Call, route: Option<&Route>) -> WireFormat {
    route.map_or_else(|| route::guess_format(call.path.path()), |route| route.format)
}

/// Answers a call that is neither forwarded nor recorded.
fn turn_away(call: &Call, route: Option<&Route>) -> Response<Body> {
    metrics::counter!("trailgate_calls_rejected_total").increment(1);
    let (mut response, _) = answer_of(&Failure::journal_full(), format_of(call, route));
    mark(response.headers_mut(), call.id(), "failed", false);
    response
}

/// An answer of our own, and its body.
fn answer_of(failure: &Failure, format: WireFormat) -> (Response<Body>, Bytes) {
    let bytes = Bytes::from(failure.body(format).to_string());
    let mut response = Response::new(Body::from(bytes.clone()));
    *response.status_mut() = failure.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if failure.status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, TRY_AGAIN);
    } else if failure.outcome == Outcome::Refused {
        // The same call would be refused again; the SDKs of OpenAI and Anthropic heed this.
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    (response, bytes)
}

/// Ends the record with a failure of our own and answers with it.
async fn fail(record: &mut Record, failure: &Failure, format: WireFormat, id: RequestId) -> Response<Body> {
    let (mut response, bytes) = answer_of(failure, format);
    let headers = response.headers_mut();
    record.head(failure.status, headers);
    mark(headers, id, "failed", record.logged());
    record.push(&bytes);
    kept(record.finish(failure.outcome, Some(failure.message.clone()))).await;
    response
}

async fn kept(receipt: Option<crate::journal::Receipt>) {
    if let Some(receipt) = receipt {
        record::told(receipt.wait().await);
    }
}

fn mark(headers: &mut HeaderMap, id: RequestId, status: &'static str, logged: bool) {
    if logged {
        headers.remove(LOGGED);
    } else {
        headers.insert(LOGGED, HeaderValue::from_static("false"));
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HELICONE_ID, value);
    }
    headers.insert(HELICONE_STATUS, HeaderValue::from_static(status));
}
