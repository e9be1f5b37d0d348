//! The books of the segments: how far each may be read, how many of its frames are acknowledged, which are spent.
//!
//! Invariant: a segment is spent only when it is sealed and each of its frames is acknowledged or known to be lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::frame::{SEGMENT_HEADER, Salts};
use super::reader::Position;

/// A mark a tenth of a second is enough to tell an age.
const MARK_EVERY: Duration = Duration::from_millis(100);
const MAX_MARKS: usize = 4096;

/// Segments whose files can go.
#[must_use = "their files are still there: hand them to give_back"]
#[derive(Debug, Default)]
pub struct Spent(pub(super) Vec<SpentSegment>);

impl Spent {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct SpentSegment {
    pub(super) first: u64,
    pub(super) damaged: bool,
    /// This process filled it and closed it in good order: unless it is damaged, its file may be written over.
    pub(super) filled: bool,
    pub(super) len: u64,
}

/// A segment's name: its first sequence.
pub(super) fn file_name(first: u64) -> String {
    format!("{first:016x}")
}

/// The sequence in a segment's name.
pub(super) fn parse_name(name: &str) -> Option<u64> {
    (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok())?
}

#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// How far it may be read.
    pub(super) len: u64,
    pub(super) salts: Salts,
    /// The sequence behind its last frame; unknown only if the header of the next segment is damaged.
    pub(super) end: Option<u64>,
    pub(super) sealed: bool,
    /// Acknowledged or lost.
    pub(super) done: u64,
    pub(super) damaged: bool,
    /// Of an earlier process's last segment: from this sequence on nothing says that it was on disk. A frame that is not there
    /// is taken for one that never was.
    pub(super) unsynced_from: Option<u64>,
    /// This process filled it and closed it in good order.
    pub(super) filled: bool,
}

impl Segment {
    /// One that is not written to any more, and of whose frames none is acknowledged.
    pub(super) fn sealed(len: u64, salts: Salts, end: Option<u64>) -> Self {
        Self { len, salts, end, sealed: true, done: 0, damaged: false, unsynced_from: None, filled: false }
    }
}

#[derive(Default)]
pub(super) struct Catalog {
    segments: BTreeMap<u64, Segment>,
    bytes: u64,
    /// `(sequence, when it was synced)`, oldest first.
    marks: VecDeque<(u64, Instant)>,
    end: u64,
}

impl Catalog {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn get(&self, first: u64) -> Option<&Segment> {
        self.segments.get(&first)
    }

    /// The first segment behind the one named, or the first of all.
    pub(super) fn after(&self, last: Option<u64>) -> Option<(u64, &Segment)> {
        let from = last.map_or(0, |last| last.saturating_add(1));
        self.segments.range(from..).next().map(|(first, segment)| (*first, segment))
    }

    pub(super) fn insert(&mut self, first: u64, segment: Segment) {
        self.bytes += segment.len;
        if segment.end != Some(first) {
            self.mark(first);
        }
        self.end = self.end.max(segment.end.unwrap_or(first));
        self.segments.insert(first, segment);
    }

    /// A new current segment, empty.
    pub(super) fn start(&mut self, first: u64, salts: Salts) {
        self.insert(first, Segment { sealed: false, ..Segment::sealed(SEGMENT_HEADER, salts, Some(first)) });
    }

    /// The current segment is synced up to `len` bytes and sequence `end`.
    pub(super) fn publish(&mut self, first: u64, len: u64, end: u64) {
        let before = self.end;
        let Some(segment) = self.segments.get_mut(&first) else { return };
        self.bytes += len.saturating_sub(segment.len);
        segment.len = len;
        segment.end = Some(end);
        self.end = end;
        self.mark(before);
    }

    /// Nothing is added to this segment any more.
    pub(super) fn seal(&mut self, first: u64) -> Spent {
        if let Some(segment) = self.segments.get_mut(&first) {
            segment.sealed = true;
        }
        Spent(self.spend(first).into_iter().collect())
    }

    /// The same for one that is full, and in good order.
    pub(super) fn seal_filled(&mut self, first: u64) -> Spent {
        if let Some(segment) = self.segments.get_mut(&first) {
            segment.filled = true;
        }
        self.seal(first)
    }

    /// Whether there is a segment that is written to.
    pub(super) fn is_written(&self) -> bool {
        self.segments.last_key_value().is_some_and(|(_, segment)| !segment.sealed)
    }

    /// Whether every frame of this segment is done.
    pub(super) fn all_done(&self, first: u64) -> bool {
        self.segments.get(&first).is_some_and(|s| s.end.is_some_and(|end| s.done >= end.saturating_sub(first)))
    }

    /// Also says whether the current segment holds nothing that is still needed.
    pub(super) fn acknowledge(&mut self, positions: &[Position], through: u64) -> (Spent, bool) {
        let mut spent = Vec::new();
        for position in positions {
            let Some(segment) = self.segments.get_mut(&position.segment) else { continue };
            segment.done += 1;
            if segment.sealed {
                spent.extend(self.spend(position.segment));
            }
        }
        if through >= self.end {
            self.marks.clear();
        }
        while self.marks.get(1).is_some_and(|(seq, _)| *seq <= through) {
            self.marks.pop_front();
        }
        let idle = self
            .segments
            .last_key_value()
            .is_some_and(|(first, s)| !s.sealed && s.end != Some(*first) && self.all_done(*first));
        (Spent(spent), idle)
    }

    /// The reader is through with a sealed segment: `lost` of its frames cannot be read, and it ends at `end`.
    pub(super) fn finish(&mut self, first: u64, end: u64, lost: u64) -> Spent {
        if let Some(segment) = self.segments.get_mut(&first) {
            segment.end = Some(end);
            segment.done += lost;
        }
        Spent(self.spend(first).into_iter().collect())
    }

    pub(super) fn damaged(&mut self, first: u64) {
        if let Some(segment) = self.segments.get_mut(&first) {
            segment.damaged = true;
        }
    }

    fn spend(&mut self, first: u64) -> Option<SpentSegment> {
        if !self.segments.get(&first)?.sealed || !self.all_done(first) {
            return None;
        }
        let segment = self.segments.remove(&first)?;
        self.bytes = self.bytes.saturating_sub(segment.len);
        Some(SpentSegment { first, damaged: segment.damaged, filled: segment.filled, len: segment.len })
    }

    pub(super) fn oldest_waiting(&self) -> Option<Duration> {
        self.marks.front().map(|(_, at)| at.elapsed())
    }

    fn mark(&mut self, seq: u64) {
        let now = Instant::now();
        if self.marks.back().is_some_and(|(_, at)| now.duration_since(*at) < MARK_EVERY) {
            return;
        }
        if self.marks.len() >= MAX_MARKS {
            let mut keep = false;
            self.marks.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.marks.push_back((seq, now));
    }
}
