//! The journal: an append-only log of segments that makes a record durable before anybody is told that it is kept.
//!
//! Promises: an acknowledged frame survives what its [`Durability`] names; a dirty end of file is cut and counted, never
//! an error; the journal goes on by itself after a full disk, a failed write and a failed sync; a segment's space comes
//! back when all its frames are acknowledged, not before.
//!
//! It does not look inside frames, and it does not remember acknowledgements over a restart: what was not given back is
//! read again, and whoever reads must be idempotent.
//!
//! Invariants: one writer thread owns the current segment; readers see synced frames only; a file whose sync failed is
//! never written again; sequences are contiguous within a segment and only ever grow.

mod alarm;
mod catalog;
mod dead;
mod error;
mod frame;
mod fs;
mod late;
mod parcel;
mod reader;
mod recover;
mod segment;
mod space;
mod spare;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use catalog::Catalog;
pub use catalog::Spent;
pub use dead::DeadFolder;
pub use error::JournalError;
use fs::{DirLock, Fs, StdFs};
pub use parcel::{pack, unpack};
pub use reader::{Entry, Limits, Position, Progress, Reader, may_pass};
use space::Level;
pub use space::Step;
use spare::Spares;

/// Bytes of frames that may wait for the writer thread; more are refused. The edges' memory budget is far below it.
const QUEUE_BYTES: usize = 512 << 20;

/// What a frame is. The journal does not look inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    Begin = 1,
    Request = 2,
    End = 3,
    Posted = 4,
    /// What could not be kept, once that is known.
    Gap = 5,
}

/// A frame to append: a small head and the raw bytes of a body, in the chunks in which they came.
pub struct Frame {
    pub kind: FrameKind,
    /// The record that it belongs to.
    pub record: Uuid,
    pub org: Uuid,
    pub head: Vec<u8>,
    pub body: Vec<Bytes>,
    /// Whatever must live until the frame is written (a memory charge); dropped then.
    pub hold: Option<Box<dyn Send>>,
}

/// What an acknowledgement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledgement means: on disk (`fdatasync`).
    Durable,
    /// An acknowledgement means: handed to the operating system; survives kill -9, not a power cut.
    Fast,
}

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// Made if absent; one process at a time.
    pub dir: PathBuf,
    pub durability: Durability,
    /// A segment is closed once it is this long.
    pub segment_bytes: u64,
    /// A group is closed once it is this long.
    pub group_bytes: usize,
    /// All segments together; frames beyond are refused with [`JournalError::Full`]. 0: a fifth of the disk, at most 10 GB.
    pub max_bytes: u64,
    /// What is left free on the disk; of a small disk a twentieth.
    pub min_free_bytes: u64,
    /// What is held in reserve for the last words of a journal that closes on a full disk; never more than a sixteenth of
    /// the quota. 0: nothing.
    pub reserve_bytes: u64,
}

/// Takes from a frame what it can do without, so that it finds room.
pub type Lighten = fn(&mut Frame);

/// How the journal is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Length of all segments that are still needed.
    pub disk_bytes: u64,
    /// The quota.
    pub max_bytes: u64,
    pub segments: usize,
    /// How long the oldest frame waits that the reader's owner has not dealt with; `None` if there is none.
    pub oldest_waiting: Option<Duration>,
    pub last_sync: Duration,
    /// How long the sync under way has taken until now.
    pub syncing: Option<Duration>,
    pub groups: u64,
    pub frames: u64,
    /// Frames that were refused (full, failed write).
    pub refused: u64,
    /// Bytes cut from the dirty end of the last segment at start.
    pub bytes_cut: u64,
    /// Frames lost to damage in the middle of a segment.
    pub frames_lost: u64,
    /// Segments kept aside because they are damaged (`*.bad`), since start.
    pub segments_aside: u64,
    /// Writes, syncs and creations that failed.
    pub errors: u64,
    pub step: Step,
    /// Thousandths of what the journal may take now, the disk's free space considered.
    pub fill: u32,
    /// Frames of calls that were refused and wait in memory for room.
    pub late: u64,
    /// Such frames that memory could not hold.
    pub late_dropped: u64,
}

#[derive(Default)]
struct Counters {
    last_sync_us: AtomicU64,
    /// Since when a sync is under way.
    syncing: Mutex<Option<Instant>>,
    groups: AtomicU64,
    frames: AtomicU64,
    refused: AtomicU64,
    bytes_cut: AtomicU64,
    frames_lost: AtomicU64,
    segments_aside: AtomicU64,
    errors: AtomicU64,
    late: AtomicU64,
    late_dropped: AtomicU64,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

/// Who wants to know the fate of a frame.
struct Waiter {
    tell: oneshot::Sender<Result<(), JournalError>>,
    durability: Durability,
}

enum Item {
    Frame(Frame, Option<Waiter>),
    /// Everything before it is to be synced now.
    Flush(oneshot::Sender<u64>),
}

/// What waits for the writer thread. Bounded by the edges' memory budget, and by [`QUEUE_BYTES`] whatever they do.
#[derive(Default)]
struct Inbox {
    items: VecDeque<Item>,
    bytes: usize,
    closed: bool,
    /// The writer sleeps: ring the bell.
    writer_waits: bool,
    /// Since when everything in the current segment is acknowledged.
    idle_since: Option<Instant>,
}

struct Shared {
    fs: Arc<dyn Fs>,
    options: JournalOptions,
    inbox: Mutex<Inbox>,
    bell: Condvar,
    catalog: Mutex<Catalog>,
    /// The sequence behind the last synced frame.
    synced: watch::Sender<u64>,
    counters: Counters,
    level: Level,
    spares: Spares,
    lighten: OnceLock<Lighten>,
    lock: Mutex<Option<DirLock>>,
}

/// A panic elsewhere does not make this data wrong: every critical section leaves it whole.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Inner {
    shared: Arc<Shared>,
    /// Rings when the writer thread panicked.
    died: CancellationToken,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    fn close(&self) {
        hold(&self.shared.inbox).closed = true;
        self.shared.bell.notify_one();
        let Some(thread) = hold(&self.writer).take() else { return };
        // A panic of its has rung the bell.
        thread.join().ok();
        hold(&self.shared.lock).take();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// The writing side. Cheap to clone; the last clone closes the journal.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

impl Journal {
    /// Locks the directory, cuts a dirty end, starts the writer thread. Reads the last segment only; the rest of a
    /// backlog is streamed by the reader. Blocks: call it before serving or on a blocking thread.
    pub fn open(options: JournalOptions) -> Result<(Self, Reader), JournalError> {
        Self::open_on(Arc::new(StdFs), options)
    }

    fn open_on(fs: Arc<dyn Fs>, mut options: JournalOptions) -> Result<(Self, Reader), JournalError> {
        let found = recover::recover(fs.as_ref(), &options)?;
        let disk = fs.space(&options.dir).ok();
        space::fit(&mut options, disk);
        let (synced, _) = watch::channel(found.next_seq);
        let counters = Counters::default();
        count(&counters.bytes_cut, found.bytes_cut);
        count(&counters.segments_aside, found.segments_aside);
        let shared = Arc::new(Shared {
            fs,
            inbox: Mutex::default(),
            bell: Condvar::new(),
            catalog: Mutex::new(found.catalog),
            synced,
            counters,
            level: Level::new(),
            spares: Spares::default(),
            lighten: OnceLock::new(),
            lock: Mutex::new(Some(found.lock)),
            options,
        });
        let writer = writer::Writer::new(Arc::clone(&shared), found.next_seq, found.last);
        let died = CancellationToken::new();
        let alarm = alarm::Alarm::new(died.clone());
        let thread = std::thread::Builder::new().name("journal-writer".into()).spawn(move || {
            let _alarm = alarm;
            writer.run();
        })?;
        let reader = Reader::new(Arc::clone(&shared), found.next_seq);
        Ok((Self { inner: Arc::new(Inner { shared, died, writer: Mutex::new(Some(thread)) }) }, reader))
    }

    /// Never waits. The receipt resolves when the frame is as safe as `durability` asks, or could not be written.
    pub fn append(&self, frame: Frame) -> Receipt {
        self.append_watched(frame, self.inner.shared.options.durability)
    }

    /// Like `append`, but the receipt always means: on disk.
    pub fn append_durable(&self, frame: Frame) -> Receipt {
        self.append_watched(frame, Durability::Durable)
    }

    /// Like `append`, for frames whose fate interests nobody. It is written at once and synced with the next watched
    /// frame, or 20 ms later.
    pub fn append_unwatched(&self, frame: Frame) {
        if let Err((_, error)) = self.push(frame, None) {
            tracing::debug!(%error, "journal.frame.refused");
        }
    }

    fn append_watched(&self, frame: Frame, durability: Durability) -> Receipt {
        let (tell, rx) = oneshot::channel();
        if let Err((Some(waiter), error)) = self.push(frame, Some(Waiter { tell, durability })) {
            waiter.tell.send(Err(error)).ok();
        }
        Receipt { rx }
    }

    fn push(&self, frame: Frame, waiter: Option<Waiter>) -> Result<(), (Option<Waiter>, JournalError)> {
        let shared = &self.inner.shared;
        let refuse = |waiter, error| {
            count(&shared.counters.refused, 1);
            Err((waiter, error))
        };
        if frame::payload_len(&frame) >= frame::MAX_PAYLOAD {
            return refuse(waiter, std::io::Error::from(std::io::ErrorKind::FileTooLarge).into());
        }
        let len = frame::encoded_len(&frame);
        let mut inbox = hold(&shared.inbox);
        if inbox.closed {
            return refuse(waiter, JournalError::Closed);
        }
        if inbox.bytes.saturating_add(len) > QUEUE_BYTES {
            return refuse(waiter, JournalError::Full);
        }
        inbox.bytes += len;
        inbox.items.push_back(Item::Frame(frame, waiter));
        let ring = std::mem::take(&mut inbox.writer_waits);
        drop(inbox);
        if ring {
            shared.bell.notify_one();
        }
        Ok(())
    }

    /// The position behind the last frame that is synced, which is as far as a reader can come by now.
    pub fn tail(&self) -> u64 {
        *self.inner.shared.synced.borrow()
    }

    /// Waits until every frame that was handed to `append` before this call is synced or refused; then the position
    /// behind them. At once after `close`.
    pub async fn flushed(&self) -> u64 {
        let (tell, rx) = oneshot::channel();
        let ring = {
            let mut inbox = hold(&self.inner.shared.inbox);
            if inbox.closed {
                return self.tail();
            }
            inbox.items.push_back(Item::Flush(tell));
            std::mem::take(&mut inbox.writer_waits)
        };
        if ring {
            self.inner.shared.bell.notify_one();
        }
        rx.await.unwrap_or_else(|_| self.tail())
    }

    /// These frames are dealt with for good; everything before `through` was seen. The segments that nobody needs any
    /// more leave the books now and the disk with [`Journal::give_back`].
    pub fn acknowledge(&self, positions: &[Position], through: u64) -> Spent {
        let shared = &self.inner.shared;
        let (spent, idle) = hold(&shared.catalog).acknowledge(positions, through);
        if idle {
            let mut inbox = hold(&shared.inbox);
            inbox.idle_since.get_or_insert_with(Instant::now);
            let ring = std::mem::take(&mut inbox.writer_waits);
            drop(inbox);
            if ring {
                shared.bell.notify_one();
            }
        }
        spent
    }

    /// Gives the files of spent segments to the next segments, or unlinks them. Blocks.
    pub fn give_back(&self, spent: Spent) {
        self.inner.shared.give_back(spent);
    }

    /// Reads frames again that are not acknowledged yet, as far as they can be read. Blocks.
    ///
    /// # Errors
    /// Where nothing can be read now ([`may_pass`]).
    pub fn fetch(&self, positions: &[Position]) -> std::io::Result<Vec<Entry>> {
        reader::fetch_readable(&self.inner.shared, positions)
    }

    /// Keeps the parcel of a record in `dead/`. Blocks.
    ///
    /// # Errors
    /// When it is not safe there.
    pub fn bury(&self, record: Uuid, parcel: &[u8]) -> std::io::Result<()> {
        let shared = &self.inner.shared;
        dead::bury(shared.fs.as_ref(), &shared.options.dir, record, parcel)
    }

    /// Resolves when the writer thread has died of a panic: nothing is kept any more, and waiters wait for ever.
    pub async fn died(&self) {
        self.inner.died.cancelled().await;
    }

    /// How full it is.
    pub fn step(&self) -> Step {
        self.inner.shared.level.step()
    }

    /// Tells each change of [`Journal::step`].
    pub fn steps(&self) -> watch::Receiver<Step> {
        self.inner.shared.level.steps.subscribe()
    }

    /// Whether the last write failed and none has gone through since.
    pub fn cannot_write(&self) -> bool {
        self.inner.shared.level.cannot_write()
    }

    /// What makes a frame lighter that was refused and waits for room. Only the first call counts.
    pub fn lighten_by(&self, lighten: Lighten) {
        self.inner.shared.lighten.set(lighten).ok();
    }

    /// Before the last words of a full journal: gives the reserve up for them. Blocks.
    pub fn spend_reserve(&self) {
        space::spend_reserve(&self.inner.shared);
    }

    /// How the journal is doing now.
    pub fn stats(&self) -> JournalStats {
        let shared = &self.inner.shared;
        let counters = &shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let catalog = hold(&shared.catalog);
        JournalStats {
            disk_bytes: catalog.bytes(),
            max_bytes: shared.options.max_bytes,
            segments: catalog.len(),
            oldest_waiting: catalog.oldest_waiting(),
            last_sync: Duration::from_micros(get(&counters.last_sync_us)),
            syncing: hold(&counters.syncing).map(|since| since.elapsed()),
            groups: get(&counters.groups),
            frames: get(&counters.frames),
            refused: get(&counters.refused),
            bytes_cut: get(&counters.bytes_cut),
            frames_lost: get(&counters.frames_lost),
            segments_aside: get(&counters.segments_aside),
            errors: get(&counters.errors),
            step: shared.level.step(),
            fill: shared.level.fill(),
            late: get(&counters.late),
            late_dropped: get(&counters.late_dropped),
        }
    }

    /// Writes and syncs what is queued, ends the writer thread, gives the directory up. Blocks. Later frames are refused.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Shared {
    fn give_back(&self, spent: Spent) {
        for segment in spent.0 {
            let path = self.options.dir.join(catalog::file_name(segment.first));
            let done = if segment.damaged {
                count(&self.counters.segments_aside, 1);
                self.fs.rename(&path, &path.with_extension("bad"))
            } else if self.keep_spare(&segment, &path) {
                Ok(())
            } else {
                self.fs.remove(&path)
            };
            if let Err(error) = done {
                count(&self.counters.errors, 1);
                tracing::warn!(%error, segment = segment.first, "journal.segment.not_removed");
            }
        }
    }
}

/// Tells the fate of one frame.
pub struct Receipt {
    rx: oneshot::Receiver<Result<(), JournalError>>,
}

impl Receipt {
    /// A receipt that is there already: of what could not be written, or need not be.
    pub fn of(outcome: Result<(), JournalError>) -> Self {
        let (tell, rx) = oneshot::channel();
        tell.send(outcome).ok();
        Self { rx }
    }

    /// Waits until the frame is as safe as was asked.
    pub async fn wait(self) -> Result<(), JournalError> {
        self.rx.await.unwrap_or(Err(JournalError::Closed))
    }
}
