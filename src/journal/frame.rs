//! The bytes of a segment: a header, then frames. All integers are little-endian.
//!
//! ```text
//! segment header, twice:  magic 4 | version 1 | flags 1 | zero 2 | first sequence 8
//!                         | first sequence and end of the segment before 16 | salts 8 | CRC32C 4
//!                         flag 1: its file was another segment's, of which there may be something behind its last frame
//! frame header (60):      magic 4 | version 1 | kind 1 | not synced 2 | payload length 4 | payload CRC32C 4 | sequence 8
//!                         | record 16 | org 16 | CRC32C of the header so far 4
//!                         not synced: one more than how many frames before it were not on disk when it was written;
//!                         0: not known
//! payload:                head length 4 | head | body
//! ```
//!
//! Both checksums of a frame start from the segment's two random salts. A body may hold any bytes, also those of a
//! perfect frame; without the salts they do not pass for one when a damaged stretch is searched for the next frame.
//! Sequences are contiguous within a segment, so a hole in them is exactly the number of frames that were lost.

use bytes::{Buf, BufMut, Bytes};
use uuid::Uuid;

use super::{Entry, Frame, FrameKind};

pub(super) const FRAME_MAGIC: [u8; 4] = [0xF4, b'T', b'G', 0x9C];
const SEGMENT_MAGIC: [u8; 4] = [0xF5, b'T', b'G', 0x9C];
const VERSION: u8 = 1;
const REUSED: u8 = 1;

/// Length of a frame's header.
pub(super) const HEADER: usize = 60;
/// Length of one copy of a segment's header.
const SEGMENT_HEADER_COPY: usize = 44;
/// Length of a segment's header: two copies, so that one damaged byte does not cost a segment.
pub(super) const SEGMENT_HEADER: u64 = 2 * SEGMENT_HEADER_COPY as u64;
/// A payload is shorter than this; no body cap comes near it.
pub(super) const MAX_PAYLOAD: usize = 1 << 30;

/// What the checksums of a segment start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Salts {
    header: u32,
    payload: u32,
}

impl Salts {
    pub(super) fn random() -> Self {
        Self { header: rand::random(), payload: rand::random() }
    }
}

/// The start of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// Sequence of its first frame; also its name.
    pub(super) first: u64,
    /// The segment that was written before: its first sequence and the one behind its last frame.
    pub(super) previous: (u64, u64),
    pub(super) salts: Salts,
    /// Its file was another segment's: what stands behind its last frame may be that one's.
    pub(super) reused: bool,
}

impl SegmentHeader {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(SEGMENT_HEADER_COPY * 2);
        copy.extend_from_slice(&SEGMENT_MAGIC);
        copy.extend_from_slice(&[VERSION, if self.reused { REUSED } else { 0 }, 0, 0]);
        copy.extend_from_slice(&self.first.to_le_bytes());
        copy.extend_from_slice(&self.previous.0.to_le_bytes());
        copy.extend_from_slice(&self.previous.1.to_le_bytes());
        copy.extend_from_slice(&self.salts.header.to_le_bytes());
        copy.extend_from_slice(&self.salts.payload.to_le_bytes());
        let crc = crc32c::crc32c(&copy);
        copy.extend_from_slice(&crc.to_le_bytes());
        copy.extend_from_within(..);
        copy
    }

    /// `None` if both copies are damaged.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.chunks_exact(SEGMENT_HEADER_COPY).take(2).find_map(Self::parse_copy)
    }

    fn parse_copy(copy: &[u8]) -> Option<Self> {
        let (fields, mut crc) = copy.split_at_checked(SEGMENT_HEADER_COPY - 4)?;
        if crc.get_u32_le() != crc32c::crc32c(fields) {
            return None;
        }
        let (start, mut rest) = fields.split_at_checked(8)?;
        if !start.starts_with(&SEGMENT_MAGIC) || start.get(4) != Some(&VERSION) {
            return None;
        }
        Some(Self {
            first: rest.get_u64_le(),
            previous: (rest.get_u64_le(), rest.get_u64_le()),
            salts: Salts { header: rest.get_u32_le(), payload: rest.get_u32_le() },
            reused: start.get(5).is_some_and(|flags| flags & REUSED != 0),
        })
    }
}

/// The start of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    /// One more than how many frames before it were not on disk when it was written; 0: not known.
    not_synced: u16,
    /// Payload length.
    pub(super) len: u32,
    payload_crc: u32,
    pub(super) seq: u64,
    pub(super) record: Uuid,
    pub(super) org: Uuid,
}

impl Header {
    fn to_bytes(self, salts: Salts) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let (fields, mut crc) = bytes.split_at_mut(HEADER - 4);
        let mut rest = &mut *fields;
        rest.put_slice(&FRAME_MAGIC);
        rest.put_slice(&[VERSION, self.kind]);
        rest.put_u16_le(self.not_synced);
        rest.put_u32_le(self.len);
        rest.put_u32_le(self.payload_crc);
        rest.put_u64_le(self.seq);
        rest.put_slice(self.record.as_bytes());
        rest.put_slice(self.org.as_bytes());
        crc.put_u32_le(crc32c::crc32c_append(salts.header, fields));
        bytes
    }

    /// `None` if these bytes do not start with a whole, undamaged header.
    pub(super) fn parse(bytes: &[u8], salts: Salts) -> Option<Self> {
        let (fields, mut crc) = bytes.get(..HEADER)?.split_at_checked(HEADER - 4)?;
        if !fields.starts_with(&FRAME_MAGIC) || crc.get_u32_le() != crc32c::crc32c_append(salts.header, fields) {
            return None;
        }
        let mut rest = fields.get(4..)?;
        if rest.get_u8() != VERSION {
            return None;
        }
        let kind = rest.get_u8();
        Some(Self {
            kind,
            not_synced: rest.get_u16_le(),
            len: rest.get_u32_le(),
            payload_crc: rest.get_u32_le(),
            seq: rest.get_u64_le(),
            record: Uuid::from_u128(rest.get_u128()),
            org: Uuid::from_u128(rest.get_u128()),
        })
    }

    /// Everything before this sequence was on disk when the frame was written.
    pub(super) fn synced_before(&self) -> Option<u64> {
        self.not_synced.checked_sub(1).map(|frames| self.seq.saturating_sub(u64::from(frames)))
    }

    pub(super) fn payload_is_whole(&self, payload: &[u8], salts: Salts) -> bool {
        payload.len() == self.len as usize && crc32c::crc32c_append(salts.payload, payload) == self.payload_crc
    }

    /// `None` for a kind that this version does not know.
    pub(super) fn frame_kind(&self) -> Option<FrameKind> {
        [FrameKind::Begin, FrameKind::Request, FrameKind::End, FrameKind::Posted, FrameKind::Gap]
            .into_iter()
            .find(|kind| *kind as u8 == self.kind)
    }
}

/// Bytes that a frame takes in a segment.
pub(super) fn encoded_len(frame: &Frame) -> usize {
    HEADER + payload_len(frame)
}

pub(super) fn payload_len(frame: &Frame) -> usize {
    4 + frame.head.len() + frame.body.iter().map(Bytes::len).sum::<usize>()
}

/// Appends a frame to `buf`; everything before `synced` is on disk. The caller checked [`MAX_PAYLOAD`].
pub(super) fn encode(buf: &mut Vec<u8>, frame: &Frame, seq: u64, synced: u64, salts: Salts) {
    let start = buf.len();
    buf.extend_from_slice(&[0; HEADER]);
    buf.extend_from_slice(&u32::try_from(frame.head.len()).unwrap_or(u32::MAX).to_le_bytes());
    buf.extend_from_slice(&frame.head);
    for chunk in &frame.body {
        buf.extend_from_slice(chunk);
    }
    let (header, payload) = buf.split_at_mut(start + HEADER);
    let bytes = Header {
        kind: frame.kind as u8,
        not_synced: u16::try_from(seq.saturating_sub(synced) + 1).unwrap_or(u16::MAX),
        len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        payload_crc: crc32c::crc32c_append(salts.payload, payload),
        seq,
        record: frame.record,
        org: frame.org,
    }
    .to_bytes(salts);
    if let Some(slot) = header.get_mut(start..) {
        slot.copy_from_slice(&bytes);
    }
}

/// Appends a frame that was read back, under its own sequence and other salts.
pub(super) fn encode_entry(buf: &mut Vec<u8>, entry: &Entry, salts: Salts) {
    let mut payload = Vec::with_capacity(4 + entry.head.len() + entry.body.len());
    payload.extend_from_slice(&u32::try_from(entry.head.len()).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend_from_slice(&entry.head);
    payload.extend_from_slice(&entry.body);
    let header = Header {
        kind: entry.code,
        not_synced: 0,
        len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        payload_crc: crc32c::crc32c_append(salts.payload, &payload),
        seq: entry.position.seq,
        record: entry.record,
        org: entry.org,
    };
    buf.extend_from_slice(&header.to_bytes(salts));
    buf.extend_from_slice(&payload);
}

/// Frames as they were before they were encoded, their bytes copied.
pub(super) fn decode(mut bytes: &[u8], salts: Salts) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(header) = Header::parse(bytes, salts) {
        let Some(end) = HEADER.checked_add(header.len as usize) else { break };
        let (Some(payload), Some(rest)) = (bytes.get(HEADER..end), bytes.get(end..)) else { break };
        bytes = rest;
        let (Some(kind), Some((head, body))) = (header.frame_kind(), split_payload(Bytes::copy_from_slice(payload)))
        else {
            continue;
        };
        let (record, org) = (header.record, header.org);
        frames.push(Frame { kind, record, org, head: head.to_vec(), body: vec![body], hold: None });
    }
    frames
}

/// Gives the frames in `buf` new sequences from `first` on; returns the sequence behind the last.
pub(super) fn renumber(buf: &mut [u8], first: u64, salts: Salts) -> u64 {
    let mut seq = first;
    let mut rest = buf;
    while let Some(header) = Header::parse(rest, salts) {
        let bytes = Header { seq, ..header }.to_bytes(salts);
        let Some((slot, tail)) = rest.split_at_mut_checked(HEADER) else { break };
        slot.copy_from_slice(&bytes);
        let Some((_, tail)) = tail.split_at_mut_checked(header.len as usize) else { break };
        rest = tail;
        seq += 1;
    }
    seq
}

/// Head and body of a payload whose checksum was right; `None` if its inner length points outside.
pub(super) fn split_payload(mut payload: Bytes) -> Option<(Bytes, Bytes)> {
    let head_len = payload.try_get_u32_le().ok()? as usize;
    if head_len > payload.len() {
        return None;
    }
    let head = payload.split_to(head_len);
    Some((head, payload))
}
