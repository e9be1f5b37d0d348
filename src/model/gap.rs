//! Gaps: calls that were served and could not be put on record, counted.

use serde::{Deserialize, Serialize};

use super::id::{OrgId, RecordId};
use super::units::Micros;

/// The journal was full, or its disk took no writes.
pub const JOURNAL_FULL: &str = "journal_full";

/// So many calls of an organisation in a minute were served without a record. Also the head of a journal frame:
/// fields may be added with a default, never renamed, retyped or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Made once for this count: it is stored once however often it is written.
    pub id: RecordId,
    pub org: OrgId,
    /// The minute's start (the day's, where very many minutes had to be kept in memory).
    pub minute: Micros,
    pub calls: i64,
    /// A stable name, such as [`JOURNAL_FULL`].
    pub reason: String,
}

/// The gaps of a minute and a reason, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapRow {
    pub minute: Micros,
    pub calls: i64,
    pub reason: String,
}
