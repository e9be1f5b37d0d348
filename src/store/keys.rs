//! API keys and organisations. Only hashes of keys come here.

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use super::text::clean;
use crate::model::id::{KeyId, OrgId};
use crate::model::query::{KeyRow, Rights};
use crate::model::units::Micros;

const INSERT: &str = "INSERT INTO api_key \
     (id, org_id, name, hash, can_write, can_read, can_admin, created_at, revoked_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
/// Taken before the first key is looked for, so that replicas that start together make one.
const LOCK_ORG: &str = "UPDATE org SET name = name WHERE id = $1";
const ANY_KEY: &str = "SELECT 1 FROM api_key WHERE org_id = $1 LIMIT 1";
const UPSERT: &str = "INSERT INTO api_key \
     (id, org_id, name, hash, can_write, can_read, can_admin, created_at, revoked_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (hash) DO UPDATE SET can_write = excluded.can_write, can_read = excluded.can_read, \
     can_admin = excluded.can_admin, revoked_at = NULL \
     RETURNING id, org_id, name, can_write, can_read, can_admin, created_at, revoked_at";
const BY_HASH: &str = "SELECT id, org_id, name, can_write, can_read, can_admin, created_at, revoked_at \
     FROM api_key WHERE hash = $1 AND revoked_at IS NULL";
const BY_ORG: &str = "SELECT id, org_id, name, can_write, can_read, can_admin, created_at, revoked_at \
     FROM api_key WHERE org_id = $1 ORDER BY created_at, id";
const REVOKE_OTHERS: &str =
    "UPDATE api_key SET revoked_at = $4 WHERE org_id = $1 AND name = $2 AND id <> $3 AND revoked_at IS NULL";
const REVOKE: &str =
    "UPDATE api_key SET revoked_at = COALESCE(revoked_at, $3) WHERE org_id = $1 AND id = $2 RETURNING revoked_at";
const CREATE_ORG: &str = "INSERT INTO org (id, name, created_at) VALUES ($1, $2, $3)";
const ORG_BY_NAME: &str = "SELECT id FROM org WHERE name = $1 ORDER BY created_at, id LIMIT 1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[INSERT, LOCK_ORG, ANY_KEY, UPSERT, BY_HASH, BY_ORG, REVOKE_OTHERS, REVOKE, CREATE_ORG, ORG_BY_NAME];

#[derive(FromRow)]
struct KeyRecord {
    id: Uuid,
    org_id: Uuid,
    name: String,
    can_write: bool,
    can_read: bool,
    can_admin: bool,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl From<KeyRecord> for KeyRow {
    fn from(row: KeyRecord) -> Self {
        Self {
            id: KeyId(row.id),
            org: OrgId(row.org_id),
            name: row.name,
            rights: Rights { write: row.can_write, read: row.can_read, admin: row.can_admin },
            created_at: Micros(row.created_at),
            revoked_at: row.revoked_at.map(Micros),
        }
    }
}

/// Binds a key to one of the two inserts.
macro_rules! bind_key {
    ($query:expr, $row:expr, $hash:expr) => {
        $query
            .bind($row.id.0)
            .bind($row.org.0)
            .bind(clean(&$row.name).into_owned())
            .bind($hash.as_slice())
            .bind($row.rights.write)
            .bind($row.rights.read)
            .bind($row.rights.admin)
            .bind($row.created_at.0)
            .bind($row.revoked_at.map(|at| at.0))
    };
}

impl Store {
    /// # Errors
    /// [`StoreError::Rejected`] where the hash or the id is there already, or the organisation is not.
    pub async fn insert_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<(), StoreError> {
        on_db!(self, write | db | bind_key!(sqlx::query(INSERT), row, hash).execute(db).await.map(drop))
    }

    /// Inserts only if the organisation has no key at all; true if it did. Replicas that race insert one.
    pub async fn insert_first_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<bool, StoreError> {
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                sqlx::query(LOCK_ORG).bind(row.org.0).execute(&mut *tx).await?;
                if sqlx::query(ANY_KEY).bind(row.org.0).fetch_optional(&mut *tx).await?.is_some() {
                    return Ok(false);
                }
                bind_key!(sqlx::query(INSERT), row, hash).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(true)
            }
        )
    }

    /// Inserts or, where the hash is there already, makes it valid again with these rights; the organisation's other keys of
    /// the same name are revoked. For `auth.key`, of which there is one at a time: of replicas that start with different ones
    /// the last decides.
    pub async fn replace_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<KeyRow, StoreError> {
        let stored: KeyRecord = on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                sqlx::query(LOCK_ORG).bind(row.org.0).execute(&mut *tx).await?;
                let stored: KeyRecord = bind_key!(sqlx::query_as(UPSERT), row, hash).fetch_one(&mut *tx).await?;
                sqlx::query(REVOKE_OTHERS)
                    .bind(row.org.0)
                    .bind(clean(&row.name).into_owned())
                    .bind(stored.id)
                    .bind(row.created_at.0)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                Ok(stored)
            }
        )?;
        Ok(stored.into())
    }

    /// Only keys that are not revoked.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        let row: Option<KeyRecord> =
            on_db!(self, read | db | sqlx::query_as(BY_HASH).bind(hash.as_slice()).fetch_optional(db).await)?;
        Ok(row.map(Into::into))
    }

    /// All keys of the organisation, revoked ones too, oldest first.
    pub async fn keys(&self, org: OrgId) -> Result<Vec<KeyRow>, StoreError> {
        let rows: Vec<KeyRecord> = on_db!(self, read | db | sqlx::query_as(BY_ORG).bind(org.0).fetch_all(db).await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// False if there is no such key in the organisation. A key that was revoked before stays so, with its first time.
    pub async fn revoke_key(&self, org: OrgId, id: KeyId) -> Result<bool, StoreError> {
        let revoked: Option<(Option<i64>,)> = on_db!(
            self,
            write | db | {
                sqlx::query_as(REVOKE).bind(org.0).bind(id.0).bind(Micros::now().0).fetch_optional(db).await
            }
        )?;
        Ok(revoked.is_some())
    }

    pub async fn create_org(&self, name: &str) -> Result<OrgId, StoreError> {
        let id = OrgId::generate();
        on_db!(
            self,
            write | db | {
                let query = sqlx::query(CREATE_ORG).bind(id.0).bind(clean(name).into_owned()).bind(Micros::now().0);
                query.execute(db).await.map(drop)
            }
        )?;
        Ok(id)
    }

    /// The oldest organisation of that name.
    pub async fn org_by_name(&self, name: &str) -> Result<Option<OrgId>, StoreError> {
        let row: Option<(Uuid,)> = on_db!(
            self,
            read | db | sqlx::query_as(ORG_BY_NAME).bind(clean(name).into_owned()).fetch_optional(db).await
        )?;
        Ok(row.map(|(id,)| OrgId(id)))
    }
}
