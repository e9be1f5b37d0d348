//! The writing half of the drain: batches go to the store, then to `live`, then the journal gets its space back.
//!
//! Accepted data has no retry budget: while the store is away a batch is tried for ever. What the store refuses is
//! halved down to the rows that it refuses, and those are put aside as raw frames, so that nothing blocks behind them.
//! A frame is acknowledged only after the store has committed it, or after it was put aside.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::fullness;
use super::gaps::Gaps;
use super::intake::{Batch, Intake, Record};
use crate::journal::{Journal, Limits, Position, Progress};
use crate::live::Live;
use crate::model::exchange::Exchange;
use crate::model::gap::Gap;
use crate::model::query::Written;
use crate::store::{Store, StoreError, Writer};

/// How the drain goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct DrainOptions {
    /// Frames in a batch.
    pub frames: usize,
    /// Bytes in a batch.
    pub bytes: usize,
    /// How long a first record waits for company, unless somebody waits for it to be stored.
    pub linger: Duration,
    /// The first wait before a failed write is tried again; it doubles.
    pub retry_first: Duration,
    /// The longest such wait.
    pub retry_most: Duration,
}

impl Default for DrainOptions {
    fn default() -> Self {
        Self {
            frames: 1_000,
            bytes: 4 << 20,
            linger: Duration::from_millis(50),
            retry_first: Duration::from_millis(50),
            retry_most: Duration::from_secs(5),
        }
    }
}

/// Where records go. Writing one twice must be harmless.
pub trait Sink: Send + 'static {
    /// One transaction: all of the batch or nothing.
    fn write(&mut self, batch: &[Exchange]) -> impl Future<Output = Result<Written, StoreError>> + Send;
    /// As [`Sink::write`], for counts of calls without a record.
    fn write_gaps(&mut self, gaps: &[Gap]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The store as a sink: a writer that is made anew after every failure.
pub struct StoreSink {
    store: Store,
    writer: Option<Writer>,
}

impl StoreSink {
    pub fn new(store: Store) -> Self {
        Self { store, writer: None }
    }
}

impl Sink for StoreSink {
    async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.store.writer().await?,
        };
        let done = writer.write(batch).await;
        if matches!(done, Ok(_) | Err(StoreError::Rejected(_))) {
            self.writer = Some(writer);
        }
        done
    }

    async fn write_gaps(&mut self, gaps: &[Gap]) -> Result<(), StoreError> {
        self.store.add_gaps(gaps).await
    }
}

/// How the drain is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainStats {
    pub stored: u64,
    /// Records that were in the store already.
    pub replayed: u64,
    /// Frames that were put aside in `dead/`.
    pub dead: u64,
    /// Tries to write that failed.
    pub failures: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    stored: AtomicU64,
    replayed: AtomicU64,
    dead: AtomicU64,
    failures: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self) -> DrainStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DrainStats {
            stored: get(&self.stored),
            replayed: get(&self.replayed),
            dead: get(&self.dead),
            failures: get(&self.failures),
        }
    }
}

fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

/// What both halves share with the handle.
pub(super) struct DrainState {
    pub(super) journal: Journal,
    pub(super) live: Live,
    pub(super) options: DrainOptions,
    pub(super) stop: CancellationToken,
    /// Somebody waits for the store to have what was submitted: no waiting for company.
    pub(super) hurry: Notify,
    /// The sequence up to which everything is in the store, calls that go on aside.
    pub(super) committed: watch::Sender<u64>,
    pub(super) counters: Counters,
    pub(super) gaps: Gaps,
}

/// The drain, to be run as a task until it ends by itself after `Ingest::close`.
pub struct DrainTask<S> {
    pub(super) state: Arc<DrainState>,
    pub(super) intake: Intake,
    pub(super) sink: S,
}

impl<S: Sink> DrainTask<S> {
    /// Reads one batch ahead of the one that is being written.
    pub async fn run(self) {
        let (tx, rx) = mpsc::channel(1);
        let delivery = Delivery { state: Arc::clone(&self.state), sink: self.sink };
        let keep = fullness::keep(Arc::clone(&self.state));
        tokio::join!(read(self.state, self.intake, tx), delivery.run(rx), keep);
    }
}

async fn read(state: Arc<DrainState>, mut intake: Intake, tx: mpsc::Sender<Batch>) {
    let limits = Limits { frames: state.options.frames, bytes: state.options.bytes };
    let mut progress = Progress { through: 0, caught_up: false, replayed: false };
    loop {
        tokio::select! {
            biased;
            () = state.stop.cancelled() => return,
            () = intake.reader.wait(progress) => {}
        }
        if progress.caught_up && intake.reader.waiting(progress) < limits.frames as u64 {
            tokio::select! {
                () = tokio::time::sleep(state.options.linger) => {}
                () = state.hurry.notified() => {}
            }
        }
        let step = tokio::task::spawn_blocking(move || {
            let done = intake.read(limits);
            (intake, done)
        });
        let done = match step.await {
            Ok((back, done)) => {
                intake = back;
                done
            }
            Err(error) => {
                tracing::error!(%error, "drain.intake.died");
                state.stop.cancel();
                return;
            }
        };
        match done {
            Ok((batch, now)) => {
                let moved = !batch.is_empty() || now.through > progress.through;
                progress = now;
                if moved && tx.send(batch).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%error, "drain.read.failed");
                pause(&state, state.options.retry_first).await;
            }
        }
    }
}

async fn pause(state: &DrainState, wait: Duration) {
    tokio::select! {
        () = state.stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}

struct Delivery<S> {
    state: Arc<DrainState>,
    sink: S,
}

impl<S: Sink> Delivery<S> {
    async fn run(mut self, mut batches: mpsc::Receiver<Batch>) {
        while let Some(batch) = batches.recv().await {
            if !self.deliver(batch).await {
                return;
            }
        }
    }

    /// False: stopped before everything was stored; it stays in the journal.
    async fn deliver(&mut self, batch: Batch) -> bool {
        let Batch { records, gaps, mut spare, broken, through } = batch;
        if !self.store_gaps(&gaps).await {
            return false;
        }
        let (exchanges, positions) = split(records);
        let Some((written, refused)) = self.store(&exchanges).await else { return false };
        count(&self.state.counters.stored, written.new.len());
        count(&self.state.counters.replayed, written.replayed);
        self.state.live.publish(&written);

        let mut dead = broken;
        for (index, positions) in positions.into_iter().enumerate() {
            if refused.contains(&index) { dead.extend(positions) } else { spare.extend(positions) }
        }
        if !dead.is_empty() && !self.bury(&dead).await {
            return false;
        }
        spare.extend(dead);
        let spent = self.state.journal.acknowledge(&spare, through);
        self.state.committed.send_replace(through);
        if !spent.is_empty() {
            let journal = self.state.journal.clone();
            tokio::task::spawn_blocking(move || journal.give_back(spent)).await.ok();
        }
        true
    }

    /// Tries until they are stored. False: stopped.
    async fn store_gaps(&mut self, gaps: &[Gap]) -> bool {
        let mut wait = Wait::new(&self.state.options);
        while !gaps.is_empty() {
            let done = tokio::select! {
                biased;
                done = self.sink.write_gaps(gaps) => done,
                () = self.state.stop.cancelled() => return false,
            };
            let Err(error) = done else { break };
            count(&self.state.counters.failures, 1);
            let pause_for = wait.next();
            tracing::warn!(%error, retry_ms = pause_for.as_millis(), "drain.gaps.failed");
            pause(&self.state, pause_for).await;
            if self.state.stop.is_cancelled() {
                return false;
            }
        }
        true
    }

    /// Writes all rows but those that the store refuses; their indexes are the second part. `None`: stopped.
    async fn store(&mut self, rows: &[Exchange]) -> Option<(Written, Vec<usize>)> {
        let mut total = Written::default();
        let mut refused = Vec::new();
        let mut wait = Wait::new(&self.state.options);
        let mut failed_alone = 0;
        let mut todo: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = todo.pop() {
            let Some(part) = rows.get(range.clone()).filter(|part| !part.is_empty()) else { continue };
            let done = tokio::select! {
                biased;
                done = self.sink.write(part) => done,
                () = self.state.stop.cancelled() => return None,
            };
            let error = match done {
                Ok(written) => {
                    total.new.extend(written.new);
                    total.replayed += written.replayed;
                    wait = Wait::new(&self.state.options);
                    continue;
                }
                Err(error) => error,
            };
            count(&self.state.counters.failures, 1);
            let others_went_in = !total.new.is_empty() || total.replayed > 0;
            let given_up = others_went_in || (rows.len() == 1 && failed_alone >= DEFECT_TRIES);
            match verdict(&error, part.len(), given_up) {
                Verdict::Halve => {
                    let middle = range.start + part.len() / 2;
                    todo.push(middle..range.end);
                    todo.push(range.start..middle);
                }
                Verdict::Refused => {
                    tracing::error!(%error, "drain.row.refused");
                    refused.push(range.start);
                }
                Verdict::Again => {
                    let pause_for = wait.next();
                    tracing::warn!(%error, retry_ms = pause_for.as_millis(), "drain.write.failed");
                    failed_alone += u32::from(part.len() == 1);
                    // Behind the others: whether they go in tells a bad row from a bad store.
                    todo.insert(0, range);
                    pause(&self.state, pause_for).await;
                    if self.state.stop.is_cancelled() {
                        return None;
                    }
                }
            }
        }
        Some((total, refused))
    }

    /// Puts frames aside; tries until it works. False: stopped.
    async fn bury(&self, dead: &[Position]) -> bool {
        let mut wait = Wait::new(&self.state.options);
        loop {
            let (journal, positions) = (self.state.journal.clone(), dead.to_vec());
            let error = match tokio::task::spawn_blocking(move || journal.bury(&positions)).await {
                Ok(Ok(())) => {
                    count(&self.state.counters.dead, dead.len());
                    tracing::error!(frames = dead.len(), "drain.frames.put_aside");
                    return true;
                }
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            let pause_for = wait.next();
            tracing::error!(error, "drain.bury.failed");
            pause(&self.state, pause_for).await;
            if self.state.stop.is_cancelled() {
                return false;
            }
        }
    }
}

fn split(records: Vec<Record>) -> (Vec<Exchange>, Vec<Vec<Position>>) {
    records.into_iter().map(|record| (record.exchange, record.positions)).unzip()
}

enum Verdict {
    Again,
    Halve,
    Refused,
}

/// A batch of one row that fails as a defect is refused after this many tries: there is no other row to compare with.
const DEFECT_TRIES: u32 = 40;

/// `given_up`: a defect is the row's, not the store's.
fn verdict(error: &StoreError, rows: usize, given_up: bool) -> Verdict {
    match error {
        StoreError::Rejected(_) | StoreError::Internal(_) if rows > 1 => Verdict::Halve,
        StoreError::Rejected(_) => Verdict::Refused,
        StoreError::Internal(_) if given_up => Verdict::Refused,
        _ => Verdict::Again,
    }
}

/// Doubling waits with a cap and up to a quarter of jitter.
struct Wait {
    next: Duration,
    most: Duration,
}

impl Wait {
    fn new(options: &DrainOptions) -> Self {
        Self { next: options.retry_first, most: options.retry_most }
    }

    fn next(&mut self) -> Duration {
        let now = self.next.min(self.most);
        self.next = now.saturating_mul(2);
        now.mul_f64(rand::random_range(0.75..=1.0))
    }
}
