//! Frames outside of the journal: a parcel is a small segment of its own, in a file of `dead/` or in a column of a database.
//!
//! It has its own salts and checksums, so it is read as any segment is, however it was carried.

use std::io;

use bytes::Bytes;

use super::frame::{self, SEGMENT_HEADER, Salts, SegmentHeader};
use super::fs::SegmentFile;
use super::reader::{Entry, Found, Position, Scan, entry};

/// Frames as one piece of bytes.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let salts = Salts::random();
    let first = entries.iter().map(|entry| entry.position.seq).min().unwrap_or_default();
    let mut bytes = SegmentHeader { first, previous: (0, 0), salts, reused: false }.to_bytes();
    for entry in entries {
        frame::encode_entry(&mut bytes, entry, salts);
    }
    bytes
}

/// The frames of a parcel, as far as they are whole.
///
/// # Errors
/// When no frame of it can be read.
pub fn unpack(bytes: &Bytes) -> io::Result<Vec<Entry>> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "there is no whole frame in it");
    let header = SegmentHeader::parse(bytes).ok_or_else(bad)?;
    let end = bytes.len() as u64;
    let mut scan = Scan::new(Box::new(Memory(bytes.clone())), header.salts);
    let mut entries = Vec::new();
    while scan.at().max(SEGMENT_HEADER) < end {
        match scan.next(end)? {
            Found::Frame { header: frame, offset, payload } => {
                let position = Position { seq: frame.seq, segment: header.first, offset };
                entries.push(entry(position, &frame, payload));
            }
            Found::Damage => {}
            Found::End => break,
        }
    }
    if entries.is_empty() { Err(bad()) } else { Ok(entries) }
}

/// Bytes that are read as a file is.
struct Memory(Bytes);

impl SegmentFile for Memory {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.0.get(at..)).unwrap_or_default();
        let len = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::journal::FrameKind;

    fn entries() -> Vec<Entry> {
        let one = |seq, code, kind, body: &'static [u8]| Entry {
            position: Position { seq, segment: 1, offset: 0 },
            code,
            kind,
            record: Uuid::from_u128(7),
            org: Uuid::from_u128(1),
            head: Bytes::from_static(b"{}"),
            body: Bytes::from_static(body),
        };
        vec![one(9, 1, Some(FrameKind::Begin), b"asked"), one(12, 200, None, b"\0of a later version")]
    }

    #[test]
    fn frames_come_back_as_they_were() {
        let packed = Bytes::from(pack(&entries()));
        let back = unpack(&packed).unwrap();
        let facts = |list: &[Entry]| {
            list.iter().map(|e| (e.position.seq, e.code, e.kind, e.head.clone(), e.body.clone())).collect::<Vec<_>>()
        };
        assert_eq!(facts(&back), facts(&entries()));
        assert!(back.iter().all(|e| e.record.as_u128() == 7 && e.org.as_u128() == 1));
    }

    #[test]
    fn any_damage_costs_at_most_what_it_hits() {
        let packed = pack(&entries());
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x40;
            let whole = unpack(&damaged.into()).unwrap().len();
            assert!(whole >= 1, "byte {at}");
            unpack(&Bytes::copy_from_slice(&packed[..at])).ok();
        }
        assert!(unpack(&Bytes::new()).is_err());
        assert!(unpack(&Bytes::from(pack(&[]))).is_err());
    }
}
