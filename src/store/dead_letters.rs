//! Dead letters: what the store refused, kept until an operator has it tried again or drops it.
//!
//! Putting one there twice is harmless; of two letters of a record the longer one stays.

use bytes::Bytes;
use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use super::text::clean;
use crate::model::dead_letter::{DeadLetter, DeadLetterRow};
use crate::model::id::{OrgId, RecordId};
use crate::model::units::Micros;

const PUT: &str = "INSERT INTO dead_letter (org_id, record_id, at, kind, reason, frames) \
     VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (org_id, record_id) DO UPDATE SET at = excluded.at, kind = excluded.kind, reason = excluded.reason, \
     frames = excluded.frames WHERE length(excluded.frames) > length(dead_letter.frames)";
const LIST: &str = "SELECT record_id, at, kind, reason, CAST(length(frames) AS BIGINT) AS bytes FROM dead_letter \
     WHERE org_id = $1 AND (at, record_id) < ($2, $3) ORDER BY at DESC, record_id DESC LIMIT $4";
const FRAMES: &str = "SELECT frames FROM dead_letter WHERE org_id = $1 AND record_id = $2";
/// Also run by the drain's writer, in the transaction that stores the record after all.
pub(super) const DROP: &str = "DELETE FROM dead_letter WHERE org_id = $1 AND record_id = $2";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, LIST, FRAMES, DROP];

#[derive(FromRow)]
struct LetterRecord {
    record_id: Uuid,
    at: i64,
    kind: String,
    reason: String,
    bytes: i64,
}

impl Store {
    /// Keeps a letter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the same may go through later.
    pub async fn put_dead_letter(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        on_db!(
            self,
            write | db | {
                let query = sqlx::query(PUT)
                    .bind(letter.org.0)
                    .bind(letter.record.0)
                    .bind(letter.at.0)
                    .bind(letter.kind.as_str())
                    .bind(clean(&letter.reason).into_owned())
                    .bind(&letter.frames[..]);
                query.execute(db).await.map(drop)
            }
        )
    }

    /// The organisation's letters, newest first; `after` is the last row of the page before.
    pub async fn dead_letters(
        &self,
        org: OrgId,
        after: Option<(Micros, RecordId)>,
        limit: i64,
    ) -> Result<Vec<DeadLetterRow>, StoreError> {
        let (at, record) = after.map_or((i64::MAX, Uuid::max()), |(at, record)| (at.0, record.0));
        let rows: Vec<LetterRecord> = on_db!(
            self,
            read | db | sqlx::query_as(LIST).bind(org.0).bind(at).bind(record).bind(limit).fetch_all(db).await
        )?;
        let row = |row: LetterRecord| DeadLetterRow {
            record: RecordId(row.record_id),
            at: Micros(row.at),
            kind: row.kind,
            reason: row.reason,
            bytes: row.bytes,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// A letter's frames, as they were put there.
    pub async fn dead_letter(&self, org: OrgId, record: RecordId) -> Result<Option<Bytes>, StoreError> {
        let found: Option<(Vec<u8>,)> =
            on_db!(self, read | db | sqlx::query_as(FRAMES).bind(org.0).bind(record.0).fetch_optional(db).await)?;
        Ok(found.map(|(frames,)| Bytes::from(frames)))
    }

    /// Drops a letter for good; false if the organisation has none of that record.
    pub async fn drop_dead_letter(&self, org: OrgId, record: RecordId) -> Result<bool, StoreError> {
        on_db!(
            self,
            write | db | {
                let done = sqlx::query(DROP).bind(org.0).bind(record.0).execute(db).await?;
                Ok(done.rows_affected() > 0)
            }
        )
    }
}
