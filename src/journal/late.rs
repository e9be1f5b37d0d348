//! Frames of calls that the disk did not take, waiting in memory for room.
//!
//! A call that was put on record keeps its record: its client was told so by a missing header. So its refused frames are
//! written when there is room again, in their order and before anything newer of the same call. What waits has its memory
//! charged by the edges as before, and together it is bounded; over the bound bodies go first.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

use super::{Frame, FrameKind, Lighten, frame};

/// Bytes that may wait; frames that are light already may go over it by as much again.
const MOST: usize = 64 << 20;

struct Waiting {
    frame: Frame,
    /// It had its chance with its body.
    tried: bool,
}

#[derive(Default)]
pub(super) struct Late {
    frames: VecDeque<Waiting>,
    records: HashSet<Uuid>,
    bytes: usize,
    /// What comes now comes a second time.
    pub(super) retrying: bool,
}

impl Late {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether a frame must queue up behind others of its record.
    pub(super) fn goes_before(&self, frame: &Frame) -> bool {
        !self.records.is_empty() && self.records.contains(&frame.record) && frame.kind != FrameKind::Begin
    }

    /// Takes a refused frame if it is a call's. False: it was one and memory does not hold it.
    pub(super) fn take(&mut self, mut frame: Frame, lighten: Option<Lighten>) -> bool {
        if !matches!(frame.kind, FrameKind::Begin | FrameKind::Request | FrameKind::End) {
            return true;
        }
        let mut len = frame::encoded_len(&frame);
        if self.bytes + len > MOST {
            if let Some(lighten) = lighten {
                lighten(&mut frame);
            }
            len = frame::encoded_len(&frame);
            if self.bytes + len > MOST * 2 {
                return false;
            }
        }
        self.bytes += len;
        self.records.insert(frame.record);
        self.frames.push_back(Waiting { frame, tried: self.retrying });
        true
    }

    /// All that waits, oldest first; what was tried before comes without its body.
    pub(super) fn drain(&mut self, lighten: Option<Lighten>, all_light: bool) -> VecDeque<Frame> {
        self.records.clear();
        self.bytes = 0;
        let lightened = |mut waiting: Waiting| {
            if let Some(lighten) = lighten.filter(|_| waiting.tried || all_light) {
                lighten(&mut waiting.frame);
            }
            waiting.frame
        };
        self.frames.drain(..).map(lightened).collect()
    }
}
