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
use super::capture::{self, Parts};
use super::fallback::plain;
use crate::journal::{Entry, FrameKind, Limits, Position, Progress, Reader, may_pass};
use crate::model::exchange::Exchange;
use crate::model::gap::Gap;
use crate::model::tags::Note;

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

/// What came before the end of a record.
#[derive(Default)]
struct Before {
    begin: Option<Entry>,
    request: Option<Entry>,
    positions: Vec<Position>,
    /// A part was there and cannot be read any more.
    lost: bool,
}

pub(super) struct Intake {
    pub(super) reader: Reader,
    understand: Understand,
    /// What was read and could not be dealt with, and how far the reader was: it comes first.
    again: Option<(Vec<Entry>, Progress)>,
    pending: HashMap<Uuid, Pending>,
    kept_bytes: usize,
    interrupted_told: bool,
}

impl Intake {
    pub(super) fn new(reader: Reader, understand: Understand) -> Self {
        Self { reader, understand, again: None, pending: HashMap::new(), kept_bytes: 0, interrupted_told: false }
    }

    /// Reads up to `limits`. Blocks. After a failure the next call goes on where this one stopped.
    pub(super) fn read(&mut self, limits: Limits) -> io::Result<(Batch, Progress)> {
        let (entries, progress) = match self.again.take() {
            Some(again) => again,
            None => self.read_on(limits)?,
        };
        let mut batch =
            Batch { records: Vec::new(), gaps: Vec::new(), spare: Vec::new(), broken: Vec::new(), through: 0 };
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            let seq = entry.position.seq;
            if let Err(held) = self.take(entry, &mut batch) {
                let (entry, error) = *held;
                self.again = Some((std::iter::once(entry).chain(entries).collect(), progress));
                let progress = Progress { through: batch.through, caught_up: false, replayed: false };
                return if batch.through == 0 { Err(error) } else { Ok((batch, progress)) };
            }
            batch.through = seq.saturating_add(1);
        }
        batch.through = batch.through.max(progress.through);
        if progress.replayed && !self.interrupted_told {
            match self.interrupt(&mut batch) {
                Ok(()) => self.interrupted_told = true,
                Err(error) if batch.is_empty() => return Err(error),
                // With the next batch.
                Err(_) => {}
            }
        }
        Ok((batch, progress))
    }

    fn read_on(&mut self, limits: Limits) -> io::Result<(Vec<Entry>, Progress)> {
        let mut entries = Vec::new();
        let progress = self.reader.read(limits, &mut entries);
        // What was read before a failure is not read again: it must go on its way now.
        let Some(last) = entries.last() else { return progress.map(|progress| (entries, progress)) };
        let through = last.position.seq.saturating_add(1);
        let progress = progress.unwrap_or(Progress { through, caught_up: false, replayed: false });
        Ok((entries, progress))
    }

    /// The entry comes back where it cannot be dealt with now.
    fn take(&mut self, entry: Entry, batch: &mut Batch) -> Result<(), Box<(Entry, io::Error)>> {
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
                let before = match self.collect(entry.record) {
                    Ok(before) => before,
                    Err(error) => return Err(Box::new((entry, error))),
                };
                self.complete(before, Some(entry), batch);
            }
            Some(FrameKind::Posted) => self.complete(Before::default(), Some(entry), batch),
            Some(FrameKind::Gap) => match capture::read(&entry.head) {
                Ok(gap) => {
                    batch.gaps.push(gap);
                    batch.spare.push(entry.position);
                }
                Err(_) => batch.broken.push(entry.position),
            },
            None => batch.broken.push(entry.position),
        }
        Ok(())
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
    fn interrupt(&mut self, batch: &mut Batch) -> io::Result<()> {
        let own = self.reader.own_from();
        let old: Vec<Uuid> = self
            .pending
            .iter()
            .filter(|(_, p)| [&p.begin, &p.request].into_iter().flatten().all(|seen| seen.position.seq < own))
            .map(|(record, _)| *record)
            .collect();
        for record in old {
            if self.pending.get(&record).is_some_and(|pending| pending.begin.is_some()) {
                let before = self.collect(record)?;
                self.complete(before, None, batch);
            } else if let Some(request) = self.pending.remove(&record).and_then(|pending| pending.request) {
                batch.broken.push(request.position);
                self.release(&request);
            }
        }
        Ok(())
    }

    /// Takes out what came before a record's end, read again where it was not kept in memory. Where it cannot be read now,
    /// all stays as it is.
    fn collect(&mut self, record: Uuid) -> io::Result<Before> {
        let Some(pending) = self.pending.get(&record) else { return Ok(Before::default()) };
        let mut before = Before::default();
        for (seen, slot) in [(&pending.begin, &mut before.begin), (&pending.request, &mut before.request)] {
            let Some(seen) = seen else { continue };
            before.positions.push(seen.position);
            *slot = match &seen.kept {
                Some(entry) => Some(entry.clone()),
                None => match self.reader.fetch(seen.position) {
                    Ok(entry) => Some(entry),
                    Err(error) if may_pass(&error) => return Err(error),
                    Err(error) => {
                        tracing::error!(%error, seq = seen.position.seq, "drain.frame.unreadable");
                        self.reader.lost(seen.position);
                        before.lost = true;
                        None
                    }
                },
            };
        }
        let pending = self.pending.remove(&record).unwrap_or_default();
        for seen in [&pending.begin, &pending.request].into_iter().flatten() {
            self.release(seen);
        }
        Ok(before)
    }

    fn complete(&mut self, before: Before, last: Option<Entry>, batch: &mut Batch) {
        let Before { begin, request, mut positions, lost } = before;
        let parts = Parts { begin, request, last };
        positions.extend(parts.last.as_ref().map(|entry| entry.position));
        match exchange(&self.understand, &parts) {
            Ok(mut exchange) => {
                if lost {
                    let text = "A part of this record can no longer be read on the journal's disk; the row is made of the rest.";
                    exchange.notes.push(Note::new("journal.part_lost", text));
                }
                batch.records.push(Record { exchange, positions });
            }
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
