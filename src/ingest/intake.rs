//! The reading half of the drain: frames of the journal, paired into records, understood.
//!
//! A call that is still going on costs a table entry with two positions; its frames are read again when its end comes.
//! The smallest and newest are also kept in memory up to a total. A panic while a record is understood costs its meaning,
//! not the record.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::Understand;
use super::capture::Parts;
use super::fallback::plain;
use crate::journal::{Entry, FrameKind, Limits, Position, Progress, Reader};
use crate::model::exchange::Exchange;
use crate::model::gap::Gap;

/// Memory for begun calls' frames, all together; beyond it they are read again from disk.
const KEEP_BYTES: usize = 4 << 20;
/// Frames longer than this are always read again.
const KEEP_ONE: usize = 64 << 10;

/// A record on its way to the store.
pub(super) struct Record {
    pub(super) exchange: Exchange,
    pub(super) positions: Vec<Position>,
}

/// What one reading gave.
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    /// Their frames are among `spare`.
    pub(super) gaps: Vec<Gap>,
    /// Frames that no record needs (a repeated begin, a kind that says nothing by itself).
    pub(super) spare: Vec<Position>,
    /// Frames that cannot be read as what they say they are.
    pub(super) broken: Vec<Position>,
    pub(super) through: u64,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.spare.is_empty() && self.broken.is_empty()
    }
}

#[derive(Default)]
struct Pending {
    begin: Option<Seen>,
    request: Option<Seen>,
}

struct Seen {
    position: Position,
    kept: Option<Entry>,
}

pub(super) struct Intake {
    pub(super) reader: Reader,
    understand: Understand,
    pending: HashMap<Uuid, Pending>,
    kept_bytes: usize,
    interrupted_told: bool,
}

impl Intake {
    pub(super) fn new(reader: Reader, understand: Understand) -> Self {
        Self { reader, understand, pending: HashMap::new(), kept_bytes: 0, interrupted_told: false }
    }

    /// Reads up to `limits`. Blocks.
    pub(super) fn read(&mut self, limits: Limits) -> io::Result<(Batch, Progress)> {
        let mut entries = Vec::new();
        let progress = self.reader.read(limits, &mut entries);
        let mut batch =
            Batch { records: Vec::new(), gaps: Vec::new(), spare: Vec::new(), broken: Vec::new(), through: 0 };
        // What was read before a failure is not read again: it must go on its way now.
        if let (Err(error), true) = (&progress, entries.is_empty()) {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        for entry in entries {
            batch.through = entry.position.seq.saturating_add(1);
            self.take(entry, &mut batch);
        }
        let progress = progress.unwrap_or(Progress { through: batch.through, caught_up: false, replayed: false });
        batch.through = batch.through.max(progress.through);
        if progress.replayed && !self.interrupted_told {
            self.interrupted_told = true;
            self.interrupt(&mut batch);
        }
        Ok((batch, progress))
    }

    fn take(&mut self, entry: Entry, batch: &mut Batch) {
        match entry.kind {
            Some(FrameKind::Begin) => {
                let seen = self.see(&entry);
                let pending = self.pending.entry(seen.0).or_default();
                if let Some(before) = pending.begin.replace(seen.1) {
                    self.forget(&before, batch);
                }
            }
            Some(FrameKind::Request) => {
                let seen = self.see(&entry);
                let pending = self.pending.entry(seen.0).or_default();
                if let Some(before) = pending.request.replace(seen.1) {
                    self.forget(&before, batch);
                }
            }
            Some(FrameKind::End) => {
                let pending = self.pending.remove(&entry.record).unwrap_or_default();
                self.complete(pending, Some(entry), batch);
            }
            Some(FrameKind::Posted) => self.complete(Pending::default(), Some(entry), batch),
            Some(FrameKind::Gap) => match serde_json::from_slice(&entry.head) {
                Ok(gap) => {
                    batch.gaps.push(gap);
                    batch.spare.push(entry.position);
                }
                Err(_) => batch.broken.push(entry.position),
            },
            None => batch.broken.push(entry.position),
        }
    }

    fn see(&mut self, entry: &Entry) -> (Uuid, Seen) {
        let (record, position) = (entry.record, entry.position);
        let len = entry.head.len() + entry.body.len();
        let keep = len <= KEEP_ONE && self.kept_bytes + len <= KEEP_BYTES;
        // Copied: a slice would hold the whole chunk that it was read with.
        let kept = keep.then(|| Entry {
            head: Bytes::copy_from_slice(&entry.head),
            body: Bytes::copy_from_slice(&entry.body),
            ..entry.clone()
        });
        if keep {
            self.kept_bytes += len;
        }
        (record, Seen { position, kept })
    }

    fn forget(&mut self, seen: &Seen, batch: &mut Batch) {
        batch.spare.push(seen.position);
        self.release(seen);
    }

    fn release(&mut self, seen: &Seen) {
        if let Some(entry) = &seen.kept {
            self.kept_bytes = self.kept_bytes.saturating_sub(entry.head.len() + entry.body.len());
        }
    }

    /// Calls of an earlier process that have no end never will.
    fn interrupt(&mut self, batch: &mut Batch) {
        let own = self.reader.own_from();
        let old: Vec<Uuid> = self
            .pending
            .iter()
            .filter(|(_, p)| [&p.begin, &p.request].into_iter().flatten().all(|seen| seen.position.seq < own))
            .map(|(record, _)| *record)
            .collect();
        for record in old {
            let Some(pending) = self.pending.remove(&record) else { continue };
            if pending.begin.is_some() {
                self.complete(pending, None, batch);
            } else if let Some(request) = pending.request {
                batch.broken.push(request.position);
                self.release(&request);
            }
        }
    }

    fn complete(&mut self, pending: Pending, last: Option<Entry>, batch: &mut Batch) {
        let mut positions = Vec::with_capacity(3);
        let mut parts = Parts { begin: None, request: None, last };
        for (seen, slot) in [(pending.begin, &mut parts.begin), (pending.request, &mut parts.request)] {
            let Some(seen) = seen else { continue };
            positions.push(seen.position);
            self.release(&seen);
            *slot = match seen.kept {
                Some(entry) => Some(entry),
                None => self
                    .reader
                    .fetch(seen.position)
                    .inspect_err(|error| {
                        tracing::error!(%error, seq = seen.position.seq, "drain.frame.unreadable");
                    })
                    .ok(),
            };
        }
        positions.extend(parts.last.as_ref().map(|entry| entry.position));
        match exchange(&self.understand, &parts) {
            Ok(exchange) => batch.records.push(Record { exchange, positions }),
            Err(error) => {
                tracing::error!(error, "drain.record.broken");
                batch.broken.extend(positions);
            }
        }
    }
}

/// The row of a record's frames.
pub(super) fn exchange(understand: &Understand, parts: &Parts) -> Result<Exchange, String> {
    let capture = parts.decode()?;
    let understand = Arc::clone(understand);
    if let Ok(exchange) = catch_unwind(AssertUnwindSafe(move || understand(capture))) {
        return Ok(exchange);
    }
    tracing::error!("drain.understand.panicked");
    Ok(plain(parts.decode()?))
}
