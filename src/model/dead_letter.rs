//! Dead letters: records that the store refused for what they hold, kept as the raw frames of the journal.

use bytes::Bytes;

use super::id::{OrgId, RecordId};
use super::units::Micros;

/// What a letter is, as far as its frames tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    /// A proxied call.
    Call,
    /// A manual log.
    Log,
    /// Frames that this version does not know.
    Unknown,
}

impl LetterKind {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Log => "log",
            Self::Unknown => "unknown",
        }
    }
}

/// A record that was put aside, with everything that is known of it.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub org: OrgId,
    pub record: RecordId,
    /// When it was put aside.
    pub at: Micros,
    pub kind: LetterKind,
    /// Why, for an operator; nothing of the record's content.
    pub reason: String,
    /// Its frames, as a parcel of the journal.
    pub frames: Bytes,
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterRow {
    pub record: RecordId,
    pub at: Micros,
    pub kind: String,
    pub reason: String,
    /// Length of its frames.
    pub bytes: i64,
}
