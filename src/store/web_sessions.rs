//! Browsers that signed in. Only hashes of what they hold come here.

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use crate::model::id::{KeyId, OrgId};
use crate::model::query::{Rights, WebSession};
use crate::model::units::Micros;

const INSERT: &str = "INSERT INTO web_session (hash, org_id, key_id, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)";
/// A session of a revoked key is none.
const BY_HASH: &str = "SELECT w.org_id, w.key_id, w.created_at, w.seen_at, k.can_write, k.can_read, k.can_admin \
     FROM web_session w LEFT JOIN api_key k ON k.id = w.key_id AND k.org_id = w.org_id \
     WHERE w.hash = $1 AND (w.key_id IS NULL OR (k.id IS NOT NULL AND k.revoked_at IS NULL))";
const SEEN: &str = "UPDATE web_session SET seen_at = $2 WHERE hash = $1 AND seen_at < $2";
const DELETE: &str = "DELETE FROM web_session WHERE hash = $1";
const DELETE_OLD: &str = "DELETE FROM web_session WHERE created_at < $1 OR seen_at < $2";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, BY_HASH, SEEN, DELETE, DELETE_OLD];

#[derive(FromRow)]
struct WebSessionRecord {
    org_id: Uuid,
    key_id: Option<Uuid>,
    created_at: i64,
    seen_at: i64,
    can_write: Option<bool>,
    can_read: Option<bool>,
    can_admin: Option<bool>,
}

impl From<WebSessionRecord> for WebSession {
    fn from(row: WebSessionRecord) -> Self {
        let rights = match row.key_id {
            None => Rights::ALL,
            Some(_) => Rights {
                write: row.can_write.unwrap_or_default(),
                read: row.can_read.unwrap_or_default(),
                admin: row.can_admin.unwrap_or_default(),
            },
        };
        Self {
            org: OrgId(row.org_id),
            key: row.key_id.map(KeyId),
            rights,
            created_at: Micros(row.created_at),
            seen_at: Micros(row.seen_at),
        }
    }
}

impl Store {
    /// Keeps a session that begins now; without a key it has all rights in the organisation.
    pub async fn insert_web_session(
        &self,
        hash: &[u8; 32],
        org: OrgId,
        key: Option<KeyId>,
        now: Micros,
    ) -> Result<(), StoreError> {
        on_db!(
            self,
            write | db | {
                let query = sqlx::query(INSERT).bind(hash.as_slice()).bind(org.0).bind(key.map(|key| key.0));
                query.bind(now.0).execute(db).await.map(drop)
            }
        )
    }

    /// The session of that hash, unless its key was revoked. Whether it is too old is for the caller to say.
    pub async fn web_session(&self, hash: &[u8; 32]) -> Result<Option<WebSession>, StoreError> {
        let row: Option<WebSessionRecord> =
            on_db!(self, read | db | sqlx::query_as(BY_HASH).bind(hash.as_slice()).fetch_optional(db).await)?;
        Ok(row.map(Into::into))
    }

    pub async fn web_session_seen(&self, hash: &[u8; 32], now: Micros) -> Result<(), StoreError> {
        on_db!(self, write | db | sqlx::query(SEEN).bind(hash.as_slice()).bind(now.0).execute(db).await.map(drop))
    }

    pub async fn delete_web_session(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        on_db!(self, write | db | sqlx::query(DELETE).bind(hash.as_slice()).execute(db).await.map(drop))
    }

    /// Deletes sessions that began before one instant or were last used before the other.
    pub async fn delete_old_web_sessions(&self, created: Micros, seen: Micros) -> Result<(), StoreError> {
        on_db!(self, write | db | sqlx::query(DELETE_OLD).bind(created.0).bind(seen.0).execute(db).await.map(drop))
    }
}
