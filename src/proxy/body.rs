//! The two bodies of a call. Both pass every frame on as it came, at once, and keep a copy beside it.
//!
//! [`ClientBody`] goes upstream. [`AnswerBody`] goes to the client; it holds its last frame back until the record of the
//! call is kept, so that a client that has read the whole answer knows that the call is logged.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::record::{Record, SharedRequest, told};
use crate::journal::JournalError;
use crate::model::capture::Outcome;

/// When something last moved, in microseconds since the call began: read by the wait for the answer's head.
#[derive(Clone)]
pub struct Activity {
    began: Instant,
    last_us: Arc<AtomicU64>,
}

impl Activity {
    pub fn new(began: Instant) -> Self {
        Self { began, last_us: Arc::new(AtomicU64::new(0)) }
    }

    fn touch(&self) {
        let us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_us.store(us, Ordering::Relaxed);
    }

    /// The instant of the last movement.
    pub fn last(&self) -> Instant {
        self.began + Duration::from_micros(self.last_us.load(Ordering::Relaxed))
    }
}

/// A body from the client broke off.
#[derive(Debug, thiserror::Error)]
#[error("the client's request broke off: {0}")]
pub struct ClientBodyError(#[source] axum::Error);

/// A request body on its way upstream.
pub enum ClientBody {
    /// It was there whole at arrival.
    Whole(Option<Bytes>),
    /// It passes piece by piece.
    Passing { inner: axum::body::Body, copy: SharedRequest, activity: Activity },
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Passing { inner, copy, activity } => {
                let next = ready!(Pin::new(inner).poll_frame(cx));
                activity.touch();
                match &next {
                    Some(Ok(frame)) => {
                        if let Some(piece) = frame.data_ref() {
                            copy.push(piece);
                        }
                    }
                    Some(Err(_)) | None => copy.hand_in(),
                }
                Poll::Ready(next.map(|frame| frame.map_err(ClientBodyError)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Passing { inner, .. } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Passing { inner, .. } => inner.size_hint(),
        }
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if let Self::Passing { copy, inner, .. } = self
            && inner.is_end_stream()
        {
            copy.hand_in();
        }
    }
}

/// Why an answer's body ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the upstream broke off: {0}")]
    Upstream(#[from] hyper::Error),
    #[error("nothing came from the upstream for {} ms (timeouts.idle_ms)", .0.as_millis())]
    Idle(Duration),
}

type Keeping = Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send>>;

enum State {
    Passing(Incoming),
    /// The record is being kept; then the last frame (if the end was one) goes out.
    Holding {
        last: Option<Frame<Bytes>>,
        keeping: Keeping,
    },
    /// The record is kept.
    Kept(Option<Frame<Bytes>>),
    /// The answer broke off. hyper drops what it has not written yet when a body fails, so it is first given a turn to
    /// write: the client gets every piece that came.
    Failing {
        error: AnswerError,
        had_its_turn: bool,
    },
    Over,
}

/// How often an answer's head lets other tasks have their turn for the body that may have come with it.
const TURNS: usize = 2;

/// An answer on its way to the client.
pub struct AnswerBody {
    state: State,
    /// A frame that came while the head was still here; before all others.
    early: Option<Frame<Bytes>>,
    record: Record,
    idle: Duration,
    /// Made when the upstream first lets us wait; moved on only when it fires, not for every frame.
    timer: Option<Pin<Box<Sleep>>>,
    last_frame: Instant,
}

impl AnswerBody {
    /// `inner` must not be at its end already: such an answer has no last frame to hold back.
    pub fn new(inner: Incoming, record: Record, idle: Duration) -> Self {
        Self { state: State::Passing(inner), early: None, record, idle, timer: None, last_frame: Instant::now() }
    }

    /// Before the head goes out: where the whole body came with it, waits for the record, so that head and body leave in one
    /// piece and not in two. What is not there yet is not waited for.
    pub async fn settle(&mut self) {
        for turn in 0..=TURNS {
            match poll_fn(|cx| Poll::Ready(self.poll_upstream(cx))).await {
                Poll::Ready(next) => {
                    self.early = self.take(next);
                    break;
                }
                Poll::Pending if turn < TURNS => tokio::task::yield_now().await,
                Poll::Pending => {}
            }
        }
        if let State::Holding { last, keeping } = &mut self.state {
            told(keeping.await);
            self.state = State::Kept(last.take());
        }
    }

    /// What comes of the upstream's next frame: itself, if it may pass at once.
    fn take(&mut self, next: Option<Result<Frame<Bytes>, AnswerError>>) -> Option<Frame<Bytes>> {
        match next {
            None => self.hold(None),
            Some(Err(error)) => self.fail(error),
            Some(Ok(frame)) => {
                if let Some(piece) = frame.data_ref() {
                    self.record.push(piece);
                }
                let is_last =
                    frame.is_trailers() || matches!(&self.state, State::Passing(inner) if inner.is_end_stream());
                if !is_last {
                    return Some(frame);
                }
                self.hold(Some(frame));
            }
        }
        None
    }

    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let State::Passing(inner) = &mut self.state else { return Poll::Ready(None) };
        if let Poll::Ready(next) = Pin::new(inner).poll_frame(cx) {
            self.last_frame = Instant::now();
            return Poll::Ready(next.map(|frame| frame.map_err(AnswerError::from)));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.idle)));
        while timer.as_mut().poll(cx).is_ready() {
            let deadline = self.last_frame + self.idle;
            if deadline <= Instant::now() {
                return Poll::Ready(Some(Err(AnswerError::Idle(self.idle))));
            }
            timer.as_mut().reset(deadline.into());
        }
        Poll::Pending
    }

    fn hold(&mut self, last: Option<Frame<Bytes>>) {
        let receipt = self.record.finish(Outcome::Complete, None);
        self.state = match receipt {
            Some(receipt) => State::Holding { last, keeping: Box::pin(receipt.wait()) },
            None => State::Over,
        };
    }

    fn fail(&mut self, error: AnswerError) {
        let outcome = match &error {
            AnswerError::Upstream(_) => Outcome::UpstreamReset,
            AnswerError::Idle(_) => Outcome::Timeout,
        };
        drop(self.record.finish(outcome, Some(error.to_string())));
        self.state = State::Failing { error, had_its_turn: false };
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let this = &mut *self;
        if let Some(frame) = this.early.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        loop {
            match &mut this.state {
                State::Over => return Poll::Ready(None),
                State::Failing { had_its_turn: had_its_turn @ false, .. } => {
                    *had_its_turn = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Failing { .. } => {
                    let State::Failing { error, .. } = std::mem::replace(&mut this.state, State::Over) else {
                        continue;
                    };
                    return Poll::Ready(Some(Err(error)));
                }
                State::Holding { last, keeping } => {
                    told(ready!(keeping.as_mut().poll(cx)));
                    this.state = State::Kept(last.take());
                }
                State::Kept(last) => {
                    let last = last.take();
                    this.state = State::Over;
                    return Poll::Ready(last.map(Ok));
                }
                State::Passing(_) => {
                    let next = ready!(this.poll_upstream(cx));
                    if let Some(frame) = this.take(next) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.early.is_none() && matches!(self.state, State::Over | State::Kept(None))
    }

    fn size_hint(&self) -> SizeHint {
        let length = |frame: &Option<Frame<Bytes>>| {
            frame.as_ref().and_then(Frame::data_ref).map_or(0, |data| data.remaining() as u64)
        };
        let early = length(&self.early);
        match &self.state {
            State::Passing(inner) if early == 0 => inner.size_hint(),
            State::Passing(inner) => {
                inner.size_hint().exact().map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + early))
            }
            State::Holding { last, .. } | State::Kept(last) => SizeHint::with_exact(length(last) + early),
            State::Failing { .. } => SizeHint::default(),
            State::Over => SizeHint::with_exact(early),
        }
    }
}
