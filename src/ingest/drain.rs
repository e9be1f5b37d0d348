//! The writing half of the drain: batches go to the store, then to `live`, then the journal gets its space back.
//!
//! Accepted data has no retry budget: while the store is away or broken a batch is tried for ever. A batch that is refused
//! is halved down to the rows that are at fault, and those are put aside as dead letters, so that nothing blocks behind
//! them. A row is at fault only if it fails alone, twice, beside a plain row that the store would have taken: a store that
//! takes nothing is never a row's fault. A frame is acknowledged only after the store has committed it, or after its record
//! was put aside.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::dead::{Dead, letters};
use super::fullness;
use super::gaps::Gaps;
use super::intake::{Batch, Intake, Record};
use crate::journal::{Journal, Limits, Position, Progress};
use crate::live::Live;
use crate::model::dead_letter::DeadLetter;
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
    /// Whether a plain row would go in now. Leaves nothing behind.
    fn probe(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Keeps a record that cannot be written.
    fn bury(&mut self, letter: &DeadLetter) -> impl Future<Output = Result<(), StoreError>> + Send;
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

impl StoreSink {
    async fn take(&mut self) -> Result<Writer, StoreError> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => self.store.writer().await,
        }
    }

    fn keep<T>(&mut self, writer: Writer, done: &Result<T, StoreError>) {
        if matches!(done, Ok(_) | Err(StoreError::Rejected(_))) {
            self.writer = Some(writer);
        }
    }
}

impl Sink for StoreSink {
    async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        let mut writer = self.take().await?;
        let done = writer.write(batch).await;
        self.keep(writer, &done);
        done
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        let mut writer = self.take().await?;
        let done = writer.probe().await;
        self.keep(writer, &done);
        done
    }

    async fn bury(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.store.put_dead_letter(letter).await
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
    /// Records that were put aside as dead letters.
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

/// The drain, to be run until it ends by itself after `Ingest::close`.
pub struct DrainTask<S> {
    pub(super) state: Arc<DrainState>,
    pub(super) intake: Intake,
    pub(super) sink: S,
}

/// Why a drain is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// It was told to end.
    Closed,
    /// Reading the journal back panicked: nothing is moved to the store any more.
    Died,
}

impl<S: Sink> DrainTask<S> {
    /// Runs on a thread of its own: an embedded store holds up the thread that writes to it, and calls that were served there
    /// would have to move to another one with each batch, away from the memory that they know.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn spawn(self) -> io::Result<oneshot::Receiver<DrainEnd>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().thread_name("drain-reader").build()?;
        let (tell, ended) = oneshot::channel();
        let run = move || tell.send(runtime.block_on(self.run())).ok();
        std::thread::Builder::new().name("drain".to_owned()).spawn(run)?;
        Ok(ended)
    }

    /// Reads one batch ahead of the one that is being written.
    pub async fn run(self) -> DrainEnd {
        let (tx, rx) = mpsc::channel(1);
        let delivery = Delivery { state: Arc::clone(&self.state), sink: self.sink };
        let keep = fullness::keep(Arc::clone(&self.state));
        tokio::join!(read(self.state, self.intake, tx), delivery.run(rx), keep).0
    }
}

async fn read(state: Arc<DrainState>, mut intake: Intake, tx: mpsc::Sender<Batch>) -> DrainEnd {
    let limits = Limits { frames: state.options.frames, bytes: state.options.bytes };
    let mut progress = Progress { through: 0, caught_up: false, replayed: false };
    loop {
        tokio::select! {
            biased;
            () = state.stop.cancelled() => return DrainEnd::Closed,
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
                return DrainEnd::Died;
            }
        };
        match done {
            Ok((batch, now)) => {
                let moved = !batch.is_empty() || now.through > progress.through;
                progress = now;
                if moved && tx.send(batch).await.is_err() {
                    return DrainEnd::Closed;
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

        let mut dead = Vec::new();
        if !broken.is_empty() {
            dead.push(Dead { positions: broken, reason: None });
        }
        let mut refused = refused.into_iter().peekable();
        for (index, positions) in positions.into_iter().enumerate() {
            match refused.next_if(|(at, _)| *at == index) {
                Some((_, reason)) => dead.push(Dead { positions, reason: Some(reason) }),
                None => spare.extend(positions),
            }
        }
        for dead in dead {
            if !self.bury(&dead).await {
                return false;
            }
            spare.extend(dead.positions);
        }
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

    /// Writes all rows but those that are at fault; their indexes, ascending, and what was wrong are the second part.
    /// `None`: stopped.
    async fn store(&mut self, rows: &[Exchange]) -> Option<(Written, Vec<(usize, String)>)> {
        let mut total = Written::default();
        let mut refused = Vec::new();
        let mut wait = Wait::new(&self.state.options);
        let mut todo = vec![Part { range: 0..rows.len(), refusals: 0 }];
        while let Some(mut part) = todo.pop() {
            let Some(some) = rows.get(part.range.clone()).filter(|some| !some.is_empty()) else { continue };
            let error = match self.stoppable(|sink| sink.write(some)).await? {
                Ok(written) => {
                    total.new.extend(written.new);
                    total.replayed += written.replayed;
                    wait = Wait::new(&self.state.options);
                    continue;
                }
                Err(error) => error,
            };
            count(&self.state.counters.failures, 1);
            let rows_fault = match &error {
                StoreError::Rejected(_) | StoreError::Internal(_) => self.stoppable(Sink::probe).await?.is_ok(),
                _ => false,
            };
            part.refusals += u32::from(rows_fault);
            if !rows_fault {
                let pause_for = wait.next();
                tracing::warn!(reason = error.reason(), retry_ms = pause_for.as_millis(), "drain.write.failed");
                pause(&self.state, pause_for).await;
                if self.state.stop.is_cancelled() {
                    return None;
                }
            }
            if some.len() > 1 && (rows_fault || error.is_slow()) {
                let middle = part.range.start + some.len() / 2;
                todo.push(Part { range: middle..part.range.end, refusals: 0 });
                todo.push(Part { range: part.range.start..middle, refusals: 0 });
            } else if part.refusals >= REFUSALS {
                let reason = error.reason();
                tracing::error!(reason, "drain.row.refused");
                refused.push((part.range.start, reason));
            } else if rows_fault {
                todo.push(part);
            } else {
                // Behind the others: the store may take those meanwhile.
                todo.insert(0, part);
            }
        }
        refused.sort_unstable();
        Some((total, refused))
    }

    /// Work at the sink; a panic in it is a defect like any other. `None`: stopped meanwhile.
    async fn stoppable<'s, T, F>(&'s mut self, work: impl FnOnce(&'s mut S) -> F) -> Option<Result<T, StoreError>>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let stop = self.state.stop.clone();
        tokio::select! {
            biased;
            done = AssertUnwindSafe(work(&mut self.sink)).catch_unwind() => Some(done.unwrap_or_else(|_| {
                tracing::error!("drain.sink.panicked");
                Err(StoreError::Internal(sqlx::Error::WorkerCrashed))
            })),
            () = stop.cancelled() => None,
        }
    }

    /// Puts records aside, in the store or, where that refuses even this, in a folder; tries until it works. False: stopped.
    async fn bury(&mut self, dead: &Dead) -> bool {
        let mut wait = Wait::new(&self.state.options);
        let letters = loop {
            let (journal, positions, reason) =
                (self.state.journal.clone(), dead.positions.clone(), dead.reason.clone());
            let read = tokio::task::spawn_blocking(move || {
                Ok::<_, std::io::Error>(letters(&journal.fetch(&positions)?, reason.as_deref()))
            });
            match read.await {
                Ok(Ok(letters)) => break letters,
                Ok(Err(error)) => tracing::error!(%error, "drain.bury.failed"),
                Err(_) => return false,
            }
            pause(&self.state, wait.next()).await;
            if self.state.stop.is_cancelled() {
                return false;
            }
        };
        for letter in letters {
            loop {
                let Some(done) = self.stoppable(|sink| sink.bury(&letter)).await else { return false };
                let error = match done {
                    Ok(()) => break,
                    Err(error @ StoreError::Unavailable(_)) => error.reason(),
                    Err(error) => match self.bury_in_folder(&letter).await {
                        Ok(()) => break,
                        Err(other) => format!("{}; {other}", error.reason()),
                    },
                };
                let pause_for = wait.next();
                tracing::error!(error, retry_ms = pause_for.as_millis(), "drain.bury.failed");
                pause(&self.state, pause_for).await;
                if self.state.stop.is_cancelled() {
                    return false;
                }
            }
            count(&self.state.counters.dead, 1);
            tracing::error!(record = %letter.record, org = %letter.org, "drain.record.put_aside");
        }
        true
    }

    async fn bury_in_folder(&self, letter: &DeadLetter) -> std::io::Result<()> {
        let (journal, record, frames) = (self.state.journal.clone(), letter.record, letter.frames.clone());
        let done = tokio::task::spawn_blocking(move || journal.bury(record.0, &frames));
        done.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

fn split(records: Vec<Record>) -> (Vec<Exchange>, Vec<Vec<Position>>) {
    records.into_iter().map(|record| (record.exchange, record.positions)).unzip()
}

/// Rows that are tried together.
struct Part {
    range: Range<usize>,
    /// How often the store refused it and would have taken a plain row.
    refusals: u32,
}

/// A row is at fault after so many refusals of it alone: the first may have fallen into a moment in which the store was
/// broken, and the probe behind that moment.
const REFUSALS: u32 = 2;

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
