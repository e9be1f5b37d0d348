//! Reading the journal back: frames in order, up to what is synced, with positions to acknowledge and to read again by.
//!
//! Damage never stops a reader. It goes on at the next whole frame, counts what is missing by the hole in the sequences,
//! and the segment is kept aside instead of being deleted.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::catalog::file_name;
use super::frame::{self, FRAME_MAGIC, HEADER, Header, SEGMENT_HEADER, Salts};
use super::fs::{SegmentFile, read_full_at};
use super::{FrameKind, Shared, count, hold};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Grows with every frame.
    pub seq: u64,
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// A frame that was read back.
#[derive(Clone, Debug)]
pub struct Entry {
    pub position: Position,
    /// The kind as it is on disk.
    pub code: u8,
    /// `None`: a kind that this version does not know.
    pub kind: Option<FrameKind>,
    pub record: Uuid,
    pub org: Uuid,
    pub head: Bytes,
    pub body: Bytes,
}

/// How much to read at once: whichever is reached first.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub frames: usize,
    pub bytes: usize,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The sequence behind the last frame that was read or given up.
    pub through: u64,
    /// Everything that was synced so far has been read.
    pub caught_up: bool,
    /// Everything that an earlier process left has been read.
    pub replayed: bool,
}

/// What stands at a place in a segment.
pub(super) enum Found {
    Frame {
        header: Header,
        offset: u64,
        payload: Bytes,
    },
    /// A stretch without a whole frame; the scan stands behind it.
    Damage,
    End,
}

/// Walks over the frames of one segment.
pub(super) struct Scan {
    file: Box<dyn SegmentFile>,
    salts: Salts,
    at: u64,
    chunk: Bytes,
    chunk_at: u64,
}

impl Scan {
    pub(super) fn new(file: Box<dyn SegmentFile>, salts: Salts) -> Self {
        Self { file, salts, at: SEGMENT_HEADER, chunk: Bytes::new(), chunk_at: SEGMENT_HEADER }
    }

    /// The offset behind what was found last.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The bytes from here on: at least `need`, unless `limit` comes first.
    fn window(&mut self, need: usize, limit: u64) -> io::Result<Bytes> {
        let skip = usize::try_from(self.at - self.chunk_at).unwrap_or(usize::MAX);
        if skip.saturating_add(need) <= self.chunk.len() {
            return Ok(self.chunk.slice(skip..));
        }
        let left = usize::try_from(limit.saturating_sub(self.at)).unwrap_or(usize::MAX);
        self.chunk = Bytes::from(read_full_at(self.file.as_ref(), need.max(CHUNK).min(left), self.at)?);
        self.chunk_at = self.at;
        Ok(self.chunk.clone())
    }

    pub(super) fn next(&mut self, limit: u64) -> io::Result<Found> {
        if self.at >= limit {
            return Ok(Found::End);
        }
        let offset = self.at;
        let Some(header) = Header::parse(&self.window(HEADER, limit)?, self.salts) else {
            return self.resync(limit);
        };
        let whole = HEADER + header.len as usize;
        if whole as u64 > limit - offset {
            return self.resync(limit);
        }
        let window = self.window(whole, limit)?;
        if window.len() < whole {
            return self.resync(limit);
        }
        self.at += whole as u64;
        let payload = window.slice(HEADER..whole);
        if header.payload_is_whole(&payload, self.salts) {
            return Ok(Found::Frame { header, offset, payload });
        }
        Ok(Found::Damage)
    }

    /// Moves to the next place behind this one where a header stands, or to `limit`.
    fn resync(&mut self, limit: u64) -> io::Result<Found> {
        self.at += 1;
        while self.at < limit {
            let window = self.window(HEADER.min(usize::try_from(limit - self.at).unwrap_or(HEADER)), limit)?;
            let Some(found) = window.windows(FRAME_MAGIC.len()).position(|four| four == FRAME_MAGIC) else {
                // The file may be shorter than the books say; the last bytes may be the start of a mark.
                let step = window.len().saturating_sub(FRAME_MAGIC.len() - 1);
                self.at = if step == 0 { limit } else { self.at + step as u64 };
                continue;
            };
            self.at += found as u64;
            if Header::parse(&self.window(HEADER, limit)?, self.salts).is_some() {
                break;
            }
            self.at += 1;
        }
        self.at = self.at.min(limit);
        Ok(Found::Damage)
    }
}

struct Open {
    first: u64,
    scan: Scan,
    /// The sequence that comes next if nothing is missing.
    expected: u64,
    /// From this sequence on a frame that is not there is none that is lost.
    unsynced_from: u64,
    lost: u64,
    /// Frames that are not there and count as never on disk.
    torn: u64,
}

/// Reads all frames once, in order. There is one reader a journal.
pub struct Reader {
    shared: Arc<Shared>,
    synced: watch::Receiver<u64>,
    open: Option<Open>,
    last_segment: Option<u64>,
    through: u64,
    /// The first sequence of this process.
    own_from: u64,
    tries: u32,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, own_from: u64) -> Self {
        let synced = shared.synced.subscribe();
        Self { shared, synced, open: None, last_segment: None, through: 0, own_from, tries: 0 }
    }

    /// The first sequence that this process gives: frames before it are an earlier process's.
    pub fn own_from(&self) -> u64 {
        self.own_from
    }

    /// Waits until there is something behind `progress`.
    pub async fn wait(&mut self, progress: Progress) {
        if !progress.caught_up {
            return;
        }
        if self.synced.wait_for(|synced| *synced > progress.through).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Frames that can be read now, about; for deciding whether waiting for more makes sense.
    pub fn waiting(&self, progress: Progress) -> u64 {
        self.synced.borrow().saturating_sub(progress.through)
    }

    /// Reads the next frames into `out`. Blocks. After a failure the next call tries again; a segment that fails three
    /// times is given up and kept aside, unless it is the process that lacks something ([`may_pass`]).
    pub fn read(&mut self, limits: Limits, out: &mut Vec<Entry>) -> io::Result<Progress> {
        let (mut frames, mut bytes) = (0, 0);
        while frames < limits.frames && bytes < limits.bytes {
            self.open_next()?;
            let Some(open) = self.open.as_mut() else {
                let through = self.through.max(self.own_from);
                return Ok(Progress { through, caught_up: true, replayed: true });
            };
            let (limit, sealed) = match hold(&self.shared.catalog).get(open.first) {
                Some(segment) => (segment.len, segment.sealed),
                // All its frames were acknowledged and it is gone.
                None => (0, true),
            };
            match open.scan.next(limit) {
                Ok(Found::Frame { header, offset, payload }) => {
                    self.tries = 0;
                    let open_first = open.first;
                    if header.seq > open.expected {
                        let lost = header.seq.min(open.unsynced_from).saturating_sub(open.expected);
                        open.lost += lost;
                        open.torn += header.seq - open.expected - lost;
                    }
                    open.expected = header.seq.saturating_add(1);
                    self.through = open.expected;
                    frames += 1;
                    bytes += payload.len();
                    let position = Position { seq: header.seq, segment: open_first, offset };
                    out.push(entry(position, &header, payload));
                }
                Ok(Found::Damage) => {
                    let first = open.first;
                    if open.expected >= open.unsynced_from {
                        tracing::warn!(segment = first, offset = open.scan.at(), "journal.segment.torn");
                        continue;
                    }
                    tracing::error!(segment = first, offset = open.scan.at(), "journal.segment.damaged");
                    hold(&self.shared.catalog).damaged(first);
                }
                Ok(Found::End) if sealed => self.finish(),
                Ok(Found::End) => return Ok(self.progress(true)),
                Err(error) => return self.failed(error),
            }
        }
        Ok(self.progress(false))
    }

    fn progress(&self, caught_up: bool) -> Progress {
        let first = self.open.as_ref().map(|open| open.first);
        let replayed = first.is_some_and(|first| first >= self.own_from);
        Progress { through: self.through, caught_up, replayed }
    }

    /// Opens the next segment if none is open and there is one.
    fn open_next(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            let (first, salts, unsynced_from) = match hold(&self.shared.catalog).after(self.last_segment) {
                Some((first, segment)) => (first, segment.salts, segment.unsynced_from),
                None => return Ok(()),
            };
            let file = match self.shared.fs.open(&self.shared.options.dir.join(file_name(first))) {
                Ok(file) => file,
                Err(error) => {
                    self.tries += u32::from(!may_pass(&error));
                    if self.tries >= 3 {
                        self.give_up(first, first, 0, 0);
                    }
                    return Err(error);
                }
            };
            self.last_segment = Some(first);
            self.open = Some(Open {
                first,
                scan: Scan::new(file, salts),
                expected: first,
                unsynced_from: unsynced_from.unwrap_or(u64::MAX),
                lost: 0,
                torn: 0,
            });
        }
        Ok(())
    }

    fn finish(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut catalog = hold(&self.shared.catalog);
        let Some(segment) = catalog.get(open.first) else { return };
        let end = segment.end.map_or(open.expected, |end| end.max(open.expected));
        let lost = open.lost + end.saturating_sub(open.expected);
        if lost > 0 {
            catalog.damaged(open.first);
            count(&self.shared.counters.frames_lost, lost);
        }
        let spent = catalog.finish(open.first, end, lost + open.torn);
        drop(catalog);
        self.through = self.through.max(end);
        self.shared.give_back(spent);
    }

    fn failed(&mut self, error: io::Error) -> io::Result<Progress> {
        self.tries += u32::from(!may_pass(&error));
        if self.tries >= 3
            && let Some(open) = self.open.take()
        {
            self.give_up(open.first, open.expected, open.lost, open.torn);
        }
        Err(error)
    }

    fn give_up(&mut self, first: u64, expected: u64, lost: u64, torn: u64) {
        self.tries = 0;
        self.last_segment = Some(first);
        let mut catalog = hold(&self.shared.catalog);
        let Some(segment) = catalog.get(first) else { return };
        let end = segment.end.unwrap_or(expected);
        let lost = lost + end.saturating_sub(expected);
        catalog.damaged(first);
        count(&self.shared.counters.frames_lost, lost);
        let spent = catalog.finish(first, end, lost + torn);
        drop(catalog);
        self.through = self.through.max(end);
        tracing::error!(segment = first, lost, "journal.segment.unreadable");
        self.shared.give_back(spent);
    }

    /// A frame that was read before cannot be read again: its segment is kept aside instead of being deleted.
    pub fn lost(&self, position: Position) {
        hold(&self.shared.catalog).damaged(position.segment);
        count(&self.shared.counters.frames_lost, 1);
    }

    /// Reads one frame again. Blocks. Only frames that are not acknowledged are sure to be there.
    pub fn fetch(&self, position: Position) -> io::Result<Entry> {
        let (header, raw) = fetch_raw(&self.shared, position)?;
        Ok(entry(position, &header, raw.slice(HEADER..)))
    }
}

pub(super) fn entry(position: Position, header: &Header, payload: Bytes) -> Entry {
    // A payload with a right checksum always splits; were it otherwise, an empty head is refused further up.
    let (head, body) = frame::split_payload(payload).unwrap_or_default();
    let (code, kind) = (header.kind, header.frame_kind());
    Entry { position, code, kind, record: header.record, org: header.org, head, body }
}

/// Header and all bytes of a frame, checked.
fn fetch_raw(shared: &Shared, position: Position) -> io::Result<(Header, Bytes)> {
    let salts = hold(&shared.catalog).get(position.segment).map(|s| s.salts).ok_or(io::ErrorKind::NotFound)?;
    let file = shared.fs.open(&shared.options.dir.join(file_name(position.segment)))?;
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let start = read_full_at(file.as_ref(), HEADER, position.offset)?;
    let header = Header::parse(&start, salts).filter(|h| h.seq == position.seq).ok_or_else(bad)?;
    let raw = Bytes::from(read_full_at(file.as_ref(), HEADER + header.len as usize, position.offset)?);
    if raw.len() <= HEADER || !header.payload_is_whole(&raw.slice(HEADER..), salts) {
        return Err(bad());
    }
    Ok((header, raw))
}

/// Whether a failure lies in what the process has (no descriptor, no memory) and not in the file: trying again helps then,
/// and giving up would lose what is whole on disk.
pub fn may_pass(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let lacking = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::INTR, Errno::AGAIN];
    let code = error.raw_os_error();
    lacking.iter().any(|errno| code == Some(errno.raw_os_error()))
        || matches!(error.kind(), io::ErrorKind::OutOfMemory | io::ErrorKind::Interrupted)
}

/// Reads frames again that are not acknowledged yet. One that cannot be read is left out, and its segment is kept aside
/// instead of being deleted.
///
/// # Errors
/// What [`may_pass`]: nothing was left out.
pub(super) fn fetch_readable(shared: &Shared, positions: &[Position]) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(positions.len());
    for position in positions {
        match fetch_raw(shared, *position) {
            Ok((header, raw)) => entries.push(entry(*position, &header, raw.slice(HEADER..))),
            Err(error) if may_pass(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%error, seq = position.seq, "journal.frame.unreadable");
                hold(&shared.catalog).damaged(position.segment);
                count(&shared.counters.frames_lost, 1);
            }
        }
    }
    Ok(entries)
}
