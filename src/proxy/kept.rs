//! What is kept of a body while it passes: a copy up to a cap, always the length, and a SHA-256 where the copy is not
//! whole. Keeping never delays or changes the body; where memory runs short the copy stops, not the call.

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use crate::ingest::{Budget, Charge};
use crate::model::capture::{BodyFacts, Kept};

/// Smaller pieces are copied together: a reference to one would pin the whole read buffer that it came in.
const COPY_BELOW: usize = 16 * 1024;

/// A copy in the making.
pub struct KeptBody {
    budget: Budget,
    charge: Option<Charge>,
    cap: usize,
    chunks: Vec<Bytes>,
    /// The copied pieces since the last chunk.
    tail: BytesMut,
    kept: usize,
    len: u64,
    state: Kept,
    hasher: Option<Box<Sha256>>,
}

/// A finished copy, ready for the journal.
pub struct Finished {
    pub facts: BodyFacts,
    pub chunks: Vec<Bytes>,
    pub charge: Option<Charge>,
}

impl KeptBody {
    /// Keeps at most `cap` bytes, all charged to `budget`.
    pub fn new(budget: &Budget, cap: usize) -> Self {
        Self {
            budget: budget.clone(),
            charge: None,
            cap,
            chunks: Vec::new(),
            tail: BytesMut::new(),
            kept: 0,
            len: 0,
            state: Kept::Whole,
            hasher: None,
        }
    }

    /// Bytes that passed so far.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// A piece passed.
    pub fn push(&mut self, piece: &Bytes) {
        self.len = self.len.saturating_add(piece.len() as u64);
        if self.state != Kept::Whole {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(piece);
            }
            return;
        }
        let room = self.cap.saturating_sub(self.kept);
        if piece.len() > room {
            self.stop(Kept::Truncated, piece, room);
        } else if self.afford(piece.len()) {
            self.append(piece.clone());
        } else {
            self.stop(Kept::Shed, piece, 0);
        }
    }

    fn afford(&mut self, bytes: usize) -> bool {
        match &mut self.charge {
            Some(charge) => charge.grow(bytes),
            None => {
                self.charge = self.budget.take(bytes);
                self.charge.is_some()
            }
        }
    }

    fn append(&mut self, piece: Bytes) {
        self.kept = self.kept.saturating_add(piece.len());
        if piece.len() < COPY_BELOW {
            self.tail.extend_from_slice(&piece);
        } else {
            self.flush_tail();
            self.chunks.push(piece);
        }
    }

    fn flush_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(self.tail.split().freeze());
        }
    }

    /// Ends the copy within `piece`, of which `room` bytes are still kept, and starts the hash over all that passed.
    fn stop(&mut self, why: Kept, piece: &Bytes, room: usize) {
        self.state = why;
        if room > 0 && self.afford(room) {
            self.append(piece.slice(..room));
        }
        self.flush_tail();
        let mut hasher = Box::new(Sha256::new());
        let mut passed = self.len.saturating_sub(piece.len() as u64);
        for chunk in &self.chunks {
            let part = usize::try_from(passed).map_or(chunk.len(), |left| left.min(chunk.len()));
            hasher.update(chunk.slice(..part));
            passed = passed.saturating_sub(part as u64);
        }
        hasher.update(piece);
        self.hasher = Some(hasher);
    }

    /// The copy as it stands; `self` is left empty.
    pub fn finish(&mut self, content_type: Option<String>, content_encoding: Option<String>) -> Finished {
        self.flush_tail();
        let sha256 = self.hasher.take().map(|hasher| hex::encode(hasher.finalize()));
        Finished {
            facts: BodyFacts { len: self.len, kept: self.state, content_type, content_encoding, sha256, essence: None },
            chunks: std::mem::take(&mut self.chunks),
            charge: self.charge.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(cap: usize, memory: usize, pieces: &[usize]) -> (Finished, Vec<u8>) {
        let budget = Budget::new(memory);
        let mut body = KeptBody::new(&budget, cap);
        let mut all = Vec::new();
        for (n, size) in pieces.iter().enumerate() {
            let piece: Vec<u8> = (0..*size).map(|i| u8::try_from((i * 7 + n) % 251).unwrap()).collect();
            all.extend_from_slice(&piece);
            body.push(&Bytes::from(piece));
        }
        (body.finish(None, None), all)
    }

    fn sha(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }

    #[test]
    fn small_and_large_pieces_keep_their_order() {
        let (done, all) = keep(1 << 20, 1 << 20, &[10, 20_000, 5, 7, 16_384, 1]);
        assert_eq!(done.chunks.concat(), all);
        assert_eq!((done.facts.kept, done.facts.len, done.facts.sha256), (Kept::Whole, all.len() as u64, None));
    }

    #[test]
    fn past_the_cap_only_length_and_hash_go_on() {
        for pieces in [&[100_usize, 100, 100][..], &[300], &[150, 150], &[149, 1, 150], &[0, 150, 0, 150]] {
            let (done, all) = keep(150, 1 << 20, pieces);
            assert_eq!(done.chunks.concat(), all[..150], "{pieces:?}");
            assert_eq!(done.facts.kept, Kept::Truncated);
            assert_eq!(done.facts.len, 300);
            assert_eq!(done.facts.sha256, Some(sha(&all)), "{pieces:?}");
        }
    }

    #[test]
    fn without_memory_the_copy_stops_and_the_call_does_not() {
        let (done, all) = keep(1 << 20, 150, &[100, 100, 100]);
        assert_eq!(done.chunks.concat(), all[..100]);
        assert_eq!((done.facts.kept, done.facts.len), (Kept::Shed, 300));
        assert_eq!(done.facts.sha256, Some(sha(&all)));
    }

    #[test]
    fn memory_is_given_back() {
        let budget = Budget::new(100);
        let mut body = KeptBody::new(&budget, 1000);
        body.push(&Bytes::from_static(&[0; 80]));
        let done = body.finish(None, None);
        assert_eq!(budget.used(), 80);
        drop(done);
        assert_eq!(budget.used(), 0);
    }
}
