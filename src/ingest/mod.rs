//! Ingest: the one road from an edge to the store. Edges submit captures; the journal keeps them; the drain reads them
//! back, has them understood, writes them to the store, tells `live`, and gives the journal its space back.
//!
//! Submitting never waits for the store, whether it is there or not. What is in the journal reaches the store at least
//! once, under an id made at arrival, so the store has each record once.

mod budget;
mod capture;
mod dead;
mod drain;
mod fallback;
mod follow;
mod fullness;
mod gaps;
mod intake;
mod names;
mod running;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub mod enrich;
pub mod reprice;
pub mod shed;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub use budget::{Budget, Charge};
pub use dead::{DeadLetters, Retried};
pub use drain::{DrainEnd, DrainOptions, DrainStats, DrainTask, Sink, StoreSink};
pub use fullness::SMALL_LOG;
pub use gaps::Missing;
pub use running::RunningCall;

use crate::journal::{Frame, FrameKind, Journal, JournalError, Reader, Receipt};
use crate::live::{Feed, Live};
use crate::model::capture::{Begin, Capture, End, Posted, RequestBody};
use crate::model::exchange::Exchange;
use crate::model::id::{OrgId, RecordId};
use drain::{Counters, DrainState};
use gaps::Gaps;
use intake::Intake;
use running::Running;

/// Makes a row of a capture. Runs on a blocking thread; may panic, then the row is stored without its meaning.
pub type Understand = Arc<dyn Fn(Capture) -> Exchange + Send + Sync>;

/// The edges' handle. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    budget: Budget,
    running: Arc<Running>,
    state: Arc<DrainState>,
}

/// What an [`Ingest`] is made of, its sink aside.
pub struct IngestParts {
    pub journal: Journal,
    pub reader: Reader,
    pub understand: Understand,
    pub live: Live,
    pub budget: Budget,
    pub options: DrainOptions,
}

impl Ingest {
    /// Ready at once; a backlog is replayed by the task, which the caller runs.
    pub fn start<S: Sink>(parts: IngestParts, sink: S) -> (Self, DrainTask<S>) {
        parts.journal.lighten_by(shed::lighten);
        let state = Arc::new(DrainState {
            journal: parts.journal,
            live: parts.live,
            options: parts.options,
            stop: CancellationToken::new(),
            hurry: Notify::new(),
            committed: watch::channel(0).0,
            counters: Counters::default(),
            gaps: Gaps::default(),
        });
        let intake = Intake::new(parts.reader, parts.understand);
        let task = DrainTask { state: Arc::clone(&state), intake, sink };
        (Self { budget: parts.budget, running: Arc::default(), state }, task)
    }

    /// Where edges charge the bytes that they capture.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// For figures.
    pub fn journal(&self) -> &Journal {
        &self.state.journal
    }

    /// The organisation's proxied calls that are in flight in this process, newest first, at most `most`.
    pub fn running(&self, org: OrgId, session: Option<&str>, most: usize) -> Vec<RunningCall> {
        self.running.list(org, session, most)
    }

    /// Changes whenever a call begins or ends.
    pub fn running_version(&self) -> u64 {
        self.running.version()
    }

    /// Tells of an organisation's calls as they reach the store.
    pub fn watch(&self, org: OrgId) -> Feed {
        self.state.live.subscribe(org)
    }

    /// How the drain is doing.
    pub fn stats(&self) -> DrainStats {
        self.state.counters.stats()
    }

    /// The call began; `body` is the request body when `begin.request` is set. Nobody waits for it.
    pub fn begin(&self, begin: &Begin, body: Vec<Bytes>, charge: Option<Charge>) {
        self.running.begin(begin, &body);
        if let Ok(frame) = build(FrameKind::Begin, (begin.record, begin.org), begin, (body, charge)) {
            self.state.journal.append_unwatched(frame);
        }
    }

    /// The request body, where it was not complete when the call began. Nobody waits for it.
    pub fn request(&self, org: OrgId, request: &RequestBody, body: Vec<Bytes>, charge: Option<Charge>) {
        if let Ok(frame) = build(FrameKind::Request, (request.record, org), request, (body, charge)) {
            self.state.journal.append_unwatched(frame);
        }
    }

    /// The call ended. The receipt says when that is kept.
    pub fn end(&self, org: OrgId, end: &End, body: Vec<Bytes>, charge: Option<Charge>) -> Receipt {
        self.running.end(end.record);
        match build(FrameKind::End, (end.record, org), end, (body, charge)) {
            Ok(frame) => self.state.journal.append(frame),
            Err(error) => Receipt::of(Err(error)),
        }
    }

    /// A manual log; returns when it is on disk, whatever the journal's durability is for proxied calls. The budget is
    /// the caller's to charge.
    pub async fn log(&self, posted: &Posted, body: Bytes) -> Result<(), JournalError> {
        let frame = build(FrameKind::Posted, (posted.record, posted.org), posted, (vec![body], None))?;
        self.state.journal.append_durable(frame).wait().await
    }

    /// Waits until everything submitted before this call is in the store, at most for `limit`. True if it is. Calls that
    /// have not ended do not hold it up.
    pub async fn settled(&self, limit: Duration) -> bool {
        let settled = async {
            let tail = self.state.journal.flushed().await;
            if *self.state.committed.borrow() < tail {
                self.state.hurry.notify_one();
            }
            let mut committed = self.state.committed.subscribe();
            committed.wait_for(|committed| *committed >= tail).await.is_ok()
        };
        tokio::time::timeout(limit, settled).await.unwrap_or(false)
    }

    /// Stores what the journal has, at most for `limit`, then ends the drain and closes the journal. True if nothing is
    /// left; what is left stays in the journal for the next start. Edges must have stopped submitting.
    pub async fn close(&self, limit: Duration) -> bool {
        let settled = self.settled(limit).await;
        self.state.stop.cancel();
        fullness::last_words(&self.state).await;
        let journal = self.state.journal.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || journal.close()).await {
            tracing::error!(%error, "ingest.close.failed");
        }
        settled
    }
}

fn build<H: Serialize>(
    kind: FrameKind,
    ids: (RecordId, OrgId),
    head: &H,
    body: (Vec<Bytes>, Option<Charge>),
) -> Result<Frame, JournalError> {
    let mut frame = capture::frame(kind, ids, head, body.0).map_err(|error| {
        tracing::error!(%error, "ingest.head.not_written");
        JournalError::Io(Arc::new(std::io::Error::other(error)))
    })?;
    frame.hold = body.1.map(|charge| Box::new(charge) as Box<dyn Send>);
    Ok(frame)
}
