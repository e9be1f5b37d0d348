//! The writer thread: takes all that is queued, writes it as one group, syncs, tells who waits.
//!
//! The next group collects while this one is synced, so there is no timer between a frame and its acknowledgement.
//! `buf` holds exactly the encoded frames that are not known to be on disk. It is emptied by a successful sync only:
//! after a failed one the kernel may have dropped the pages and call them clean, so the file is left alone for good and
//! `buf` goes to a new segment, under new sequences, before anybody is told anything.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::catalog::file_name;
use super::frame::{self, Salts, SegmentHeader};
use super::fs::write_all_at;
use super::late::Late;
use super::segment::Current;
use super::space::{self, Gauge, Step};
use super::{Durability, Frame, FrameKind, Item, JournalError, Shared, Waiter, count, hold};

const GROUP_FRAMES: usize = 1024;
/// How often the others may go first before a group is taken.
const YIELDS: usize = 4;
/// Frames that nobody waits for are synced after this at the latest.
const SYNC_AFTER: Duration = Duration::from_millis(20);
/// A current segment without anything needed in it is closed after this.
const IDLE_AFTER: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 1_000 });
/// Frames that could not be brought to disk are tried again after this when nothing else happens.
const RETRY_AFTER: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 500 });

enum Wake {
    Group,
    /// `buf` is due.
    Sync,
    Idle,
    /// The disk is to be looked at.
    Look,
    Closed,
}

/// A segment that was left because a sync or write failed.
struct Left {
    path: PathBuf,
    /// How much of it counts; nothing: it can go.
    len: Option<u64>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    current: Option<Current>,
    left: Vec<Left>,
    buf: Vec<u8>,
    /// Of the current segment, and of all that is in `buf`.
    salts: Salts,
    next_seq: u64,
    /// The sequence behind the last synced frame.
    synced_seq: u64,
    /// The last segment with frames: its first sequence, and the one behind its last synced frame.
    previous: (u64, u64),
    /// Since when `buf` holds something.
    unsynced_since: Option<Instant>,
    group: Vec<Item>,
    gauge: Gauge,
    late: Late,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, next_seq: u64, previous: (u64, u64)) -> Self {
        Self {
            gauge: Gauge::new(&shared),
            late: Late::default(),
            shared,
            current: None,
            left: Vec::new(),
            buf: Vec::new(),
            salts: Salts::random(),
            next_seq,
            synced_seq: next_seq,
            previous,
            unsynced_since: None,
            group: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        loop {
            if self.gauge.is_due() {
                self.look();
            }
            match self.take() {
                Wake::Group => self.commit(),
                Wake::Sync => {
                    if self.sync().is_err() {
                        self.unsynced_since = Some(Instant::now() + RETRY_AFTER);
                        self.gauge.failed(&self.shared);
                    }
                }
                Wake::Idle => self.seal_if_spent(),
                Wake::Look => self.look(),
                Wake::Closed => break,
            }
        }
        if !self.late.is_empty() {
            if self.shared.level.step() == Step::Full {
                space::spend_reserve(&self.shared);
            }
            self.retry_late(true);
        }
        if self.sync().is_err() {
            tracing::error!(bytes = self.buf.len(), "journal.close.unsynced");
        }
        if let Some(current) = &self.current {
            current.cut(&self.shared);
        }
        self.shared.drop_spares();
    }

    /// Sleeps until there is something to do; fills `group`.
    fn take(&mut self) -> Wake {
        let shared = Arc::clone(&self.shared);
        let mut inbox = hold(&shared.inbox);
        let mut yields = 0;
        loop {
            if !inbox.items.is_empty() {
                if yields > 0 {
                    // Woken by the first frame of many, on a core that the others may share: they go first, for as long as
                    // they bring more. On an idle core this returns at once.
                    let before = inbox.items.len();
                    drop(inbox);
                    std::thread::yield_now();
                    inbox = hold(&shared.inbox);
                    yields = if inbox.items.len() > before { yields - 1 } else { 0 };
                    continue;
                }
                let mut bytes = 0;
                while self.group.len() < GROUP_FRAMES && bytes < shared.options.group_bytes {
                    let Some(item) = inbox.items.pop_front() else { break };
                    if let Item::Frame(frame, _) = &item {
                        bytes += frame::encoded_len(frame);
                    }
                    self.group.push(item);
                }
                inbox.bytes = inbox.bytes.saturating_sub(bytes);
                // Somebody who only waits for what was written before does not make a segment needed again.
                if bytes > 0 {
                    inbox.idle_since = None;
                }
                return Wake::Group;
            }
            if inbox.closed {
                return Wake::Closed;
            }
            let due = match (self.unsynced_since, inbox.idle_since) {
                (Some(since), _) => Some((since + SYNC_AFTER, Wake::Sync)),
                (None, Some(since)) => Some((since + IDLE_AFTER, Wake::Idle)),
                (None, None) => None,
            };
            let now = Instant::now();
            let until = match due {
                Some((at, wake)) if at <= now => {
                    inbox.idle_since = None;
                    return wake;
                }
                Some((at, _)) => at.min(self.gauge.next_look()),
                None => self.gauge.next_look(),
            };
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return Wake::Look;
            }
            inbox.writer_waits = true;
            yields = YIELDS;
            inbox = shared.bell.wait_timeout(inbox, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
            inbox.writer_waits = false;
        }
    }

    fn commit(&mut self) {
        let mut group = std::mem::take(&mut self.group);
        count(&self.shared.counters.groups, 1);
        let mut flushes: Vec<oneshot::Sender<u64>> = Vec::new();
        let mut durable: Vec<Waiter> = Vec::new();
        let mut fast: Vec<Waiter> = Vec::new();

        // Who only waits for what was written before needs no segment.
        let writes = group.iter().any(|item| matches!(item, Item::Frame(..)));
        let ready = if writes { self.ready() } else { Ok(()) };
        let (mark, first) = (self.buf.len(), self.next_seq);
        let mut room = self.room();
        let mut taken = 0;
        // Their memory charges are given back when the frames are written.
        let mut written = Vec::with_capacity(group.len());
        for item in group.drain(..) {
            let (frame, waiter) = match item {
                Item::Flush(tell) => {
                    flushes.push(tell);
                    continue;
                }
                Item::Frame(frame, waiter) => (frame, waiter),
            };
            let len = frame::encoded_len(&frame) as u64;
            // What was not kept is told even where nothing else finds room.
            let beyond = if frame.kind == FrameKind::Gap { self.shared.options.reserve_bytes } else { 0 };
            let verdict = match &ready {
                Err(error) => Err(error.clone()),
                Ok(()) if len > room.saturating_add(beyond) || self.late.goes_before(&frame) => Err(JournalError::Full),
                Ok(()) => Ok(()),
            };
            if let Err(error) = verdict {
                count(&self.shared.counters.refused, 1);
                self.wait_for_room(frame);
                refuse(waiter, &error);
                continue;
            }
            room = room.saturating_sub(len);
            taken += 1;
            frame::encode(&mut self.buf, &frame, self.next_seq, self.synced_seq, self.salts);
            self.next_seq += 1;
            written.push(frame);
            match waiter {
                Some(waiter) if waiter.durability == Durability::Fast => fast.push(waiter),
                Some(waiter) => durable.push(waiter),
                None => {}
            }
        }
        self.group = group;

        let mut outcome = if taken > 0 { self.write(mark, first) } else { Ok(()) };
        if outcome.is_err() {
            written.into_iter().for_each(|frame| self.wait_for_room(frame));
        } else {
            drop(written);
        }
        match &outcome {
            Ok(()) => {
                if taken > 0 {
                    self.unsynced_since.get_or_insert_with(Instant::now);
                }
                let acknowledged = !fast.is_empty();
                fast.drain(..).for_each(|waiter| drop(waiter.tell.send(Ok(()))));
                if self.sync_is_due(!durable.is_empty() || !flushes.is_empty()) {
                    outcome = self.sync();
                    // Nobody was told that these are kept, so nobody needs them; the others are tried again.
                    if outcome.is_err() && !acknowledged && taken > 0 && self.buf.len() > mark {
                        let again = frame::decode(self.buf.get(mark..).unwrap_or_default(), self.salts);
                        again.into_iter().for_each(|frame| self.wait_for_room(frame));
                        self.buf.truncate(mark);
                        count(&self.shared.counters.refused, taken);
                    } else if taken > 0 {
                        count(&self.shared.counters.frames, taken);
                    }
                } else {
                    count(&self.shared.counters.frames, taken);
                }
            }
            Err(_) => count(&self.shared.counters.refused, taken),
        }
        if self.buf.is_empty() {
            self.unsynced_since = None;
        }
        if outcome.is_err() || ready.is_err() {
            self.gauge.failed(&self.shared);
        } else {
            self.gauge.grown(&self.shared, self.used());
        }
        for waiter in fast.into_iter().chain(durable) {
            waiter.tell.send(outcome.clone()).ok();
        }
        for tell in flushes {
            tell.send(self.synced_seq).ok();
        }
    }

    fn sync_is_due(&self, wanted: bool) -> bool {
        wanted
            || self.buf.len() > self.shared.options.group_bytes.saturating_mul(4)
            || self.current.as_ref().is_some_and(|c| c.len >= self.shared.options.segment_bytes)
            || self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_AFTER)
    }

    fn used(&self) -> u64 {
        hold(&self.shared.catalog).bytes() + self.buf.len() as u64
    }

    /// What the quota leaves.
    fn room(&self) -> u64 {
        let options = &self.shared.options;
        let more = if self.shared.level.reserve_is_spent() { options.reserve_bytes } else { 0 };
        options.max_bytes.saturating_add(more).saturating_sub(self.used())
    }

    fn look(&mut self) {
        let used = self.used();
        self.gauge.look(&self.shared, used);
        if self.shared.level.step() > Step::Normal {
            self.shared.drop_spares();
        }
        if !self.late.is_empty() && self.shared.level.step() < Step::Full {
            self.retry_late(false);
        }
    }

    /// Keeps a refused frame where it is a call's.
    fn wait_for_room(&mut self, frame: Frame) {
        if !self.late.take(frame, self.shared.lighten.get().copied()) {
            count(&self.shared.counters.late_dropped, 1);
        }
        self.shared.counters.late.store(self.late.len() as u64, Ordering::Relaxed);
    }

    /// Writes what waits for room, in groups, until a frame is refused again.
    fn retry_late(&mut self, all_light: bool) {
        let mut waiting = self.late.drain(self.shared.lighten.get().copied(), all_light);
        self.late.retrying = true;
        while self.late.is_empty() && !waiting.is_empty() {
            let mut bytes = 0;
            while self.group.len() < GROUP_FRAMES && bytes < self.shared.options.group_bytes {
                let Some(frame) = waiting.pop_front() else { break };
                bytes += frame::encoded_len(&frame);
                self.group.push(Item::Frame(frame, None));
            }
            self.commit();
        }
        self.late.retrying = false;
        waiting.into_iter().for_each(|frame| self.wait_for_room(frame));
        self.shared.counters.late.store(self.late.len() as u64, Ordering::Relaxed);
    }

    /// Makes sure that there is a segment to write to, with all of `buf` in it.
    fn ready(&mut self) -> Result<(), JournalError> {
        if self.current.is_some() {
            return Ok(());
        }
        if self.buf.is_empty() {
            return self.start_segment();
        }
        self.rescue()
    }

    /// Writes `buf[mark..]`, whose first frame has sequence `first`; on failure these bytes are out of `buf` again.
    fn write(&mut self, mark: usize, first: u64) -> Result<(), JournalError> {
        let Some(current) = self.current.as_mut() else { return Err(JournalError::Closed) };
        let bytes = self.buf.get(mark..).unwrap_or_default();
        let Err(error) = write_all_at(current.file.as_ref(), bytes, current.len) else {
            current.len += bytes.len() as u64;
            return Ok(());
        };
        count(&self.shared.counters.errors, 1);
        tracing::warn!(%error, "journal.write.failed");
        let cut = current.file.set_len(current.len);
        if cut.is_ok() {
            current.file_len = current.len;
        }
        let error = JournalError::from(error);
        if matches!(error, JournalError::Full) && cut.is_ok() {
            self.buf.truncate(mark);
            self.next_seq = first;
            return Err(error);
        }
        self.leave(mark);
        self.rescue().inspect_err(|_| self.buf.truncate(mark))
    }

    /// Gives the current segment up as it is on disk; `buf` waits for another. `written`: how much of `buf` it has.
    fn leave(&mut self, written: usize) {
        let Some(current) = self.current.take() else { return };
        let path = self.shared.options.dir.join(file_name(current.first));
        let len = current.len.saturating_sub(written as u64);
        let spent = hold(&self.shared.catalog).seal(current.first);
        // Untouched until `buf` is safe elsewhere: it may hold frames that were acknowledged as `fast`. A start in
        // between reads them twice, which is harmless.
        self.left.push(Left { path, len: spent.is_empty().then_some(len) });
    }

    /// Brings all of `buf` to disk in a new segment.
    fn rescue(&mut self) -> Result<(), JournalError> {
        self.start_segment()?;
        self.next_seq = frame::renumber(&mut self.buf, self.next_seq, self.salts);
        let Some(current) = self.current.as_mut() else { return Err(JournalError::Closed) };
        let done = write_all_at(current.file.as_ref(), &self.buf, current.len).and_then(|()| {
            current.len += self.buf.len() as u64;
            current.file.sync_data()
        });
        if let Err(error) = done {
            count(&self.shared.counters.errors, 1);
            tracing::warn!(%error, "journal.rescue.failed");
            if let Some(current) = self.current.take() {
                // Nothing in it is acknowledged: it leaves the books empty, and the disk.
                let spent = hold(&self.shared.catalog).seal(current.first);
                self.shared.give_back(spent);
            }
            return Err(error.into());
        }
        for left in self.left.drain(..) {
            let done = match left.len {
                Some(len) => self.shared.fs.truncate(&left.path, len),
                None => self.shared.fs.remove(&left.path),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "journal.leftover.not_cut");
            }
        }
        self.publish();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        if self.buf.is_empty() {
            return Ok(());
        }
        let Some(current) = self.current.as_ref() else { return self.rescue() };
        let before = Instant::now();
        *hold(&self.shared.counters.syncing) = Some(before);
        let synced = current.file.sync_data();
        *hold(&self.shared.counters.syncing) = None;
        if let Err(error) = synced {
            count(&self.shared.counters.errors, 1);
            tracing::warn!(%error, "journal.sync.failed");
            self.leave(self.buf.len());
            return self.rescue();
        }
        metrics::histogram!("trailgate_journal_sync_seconds").record(before.elapsed());
        let took = u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.counters.last_sync_us.store(took, Ordering::Relaxed);
        self.publish();
        Ok(())
    }

    /// All of `buf` is on disk in the current segment.
    fn publish(&mut self) {
        let Some(current) = self.current.as_ref() else { return };
        self.buf.clear();
        self.buf.shrink_to(self.shared.options.group_bytes.saturating_mul(2));
        self.unsynced_since = None;
        self.synced_seq = self.next_seq;
        self.previous = (current.first, self.next_seq);
        hold(&self.shared.catalog).publish(current.first, current.len, self.next_seq);
        if current.len >= self.shared.options.segment_bytes {
            self.seal();
        }
        self.shared.synced.send_replace(self.synced_seq);
    }

    /// Closes a full segment.
    fn seal(&mut self) {
        let Some(current) = self.current.take() else { return };
        let whole = current.cut(&self.shared);
        let mut catalog = hold(&self.shared.catalog);
        let spent = if whole { catalog.seal_filled(current.first) } else { catalog.seal(current.first) };
        drop(catalog);
        self.shared.give_back(spent);
    }

    /// Closes the current segment if nothing in it is needed. Nothing stays on the disk then.
    fn seal_if_spent(&mut self) {
        let Some(first) = self.current.as_ref().map(|c| c.first) else { return };
        if self.buf.is_empty() && hold(&self.shared.catalog).all_done(first) {
            self.current = None;
            let spent = hold(&self.shared.catalog).seal(first);
            self.shared.give_back(spent);
            self.shared.drop_spares();
        }
    }

    fn start_segment(&mut self) -> Result<(), JournalError> {
        let first = self.next_seq;
        let header = SegmentHeader { first, previous: self.previous, salts: self.salts, reused: false };
        // What is in `buf` has the salts of now.
        let over = if self.buf.is_empty() { Current::over_spare(&self.shared, header) } else { None };
        match over.map_or_else(|| Current::create(&self.shared, header), Ok) {
            Ok(current) => {
                self.salts = current.salts;
                hold(&self.shared.catalog).start(first, current.salts);
                self.current = Some(current);
                Ok(())
            }
            Err(error) => {
                count(&self.shared.counters.errors, 1);
                tracing::warn!(%error, "journal.segment.not_created");
                // The name may be taken now: by a file without frames, which the next start removes.
                if error.kind() != io::ErrorKind::AlreadyExists {
                    self.shared.fs.remove(&self.shared.options.dir.join(file_name(first))).ok();
                }
                self.next_seq += 1;
                Err(error.into())
            }
        }
    }
}

fn refuse(waiter: Option<Waiter>, error: &JournalError) {
    if let Some(waiter) = waiter {
        waiter.tell.send(Err(error.clone())).ok();
    }
}
