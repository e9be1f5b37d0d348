//! The store: rows, bodies, sessions and keys in SQLite or PostgreSQL, one SQL text for both.
#![allow(unused_variables, clippy::todo, clippy::unused_async, missing_docs)] // skeleton

use crate::model::exchange::Exchange;
use crate::model::filter::Filter;
use crate::model::id::{KeyId, OrgId, RequestId};
use crate::model::query::{
    CallBodies, CallDetail, CallQuery, KeyRow, PropertyKeyRow, Rights, SessionCount, SessionFigures, SessionNameRow,
    SessionPage, SessionQuery, Window, Written,
};
use crate::model::session::{CallRow, SessionRow};
use crate::model::tags::Property;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, busy or too slow: the same call may go through later.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database refused these rows (and would again).
    #[error("the database refused the data: {0}")]
    Rejected(#[source] sqlx::Error),
    /// A defect: SQL or schema and code disagree.
    #[error("the store failed: {0}")]
    Internal(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("database.url: {0}")]
    Url(String),
}

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    pub max_read_connections: u32,
    pub statement_timeout: std::time::Duration,
}

/// Read and small-write access. Cheap to clone.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens pools; does not migrate. With PostgreSQL it does not need the server to be there (pools are lazy).
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        todo!()
    }
    /// Brings the schema up to date; replicas that start together do it once.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        todo!()
    }
    /// One trivial query.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }
    /// `sqlite` or `postgres`.
    pub fn backend(&self) -> &'static str {
        todo!()
    }
    /// A writer with a connection of its own, for the drain.
    pub async fn writer(&self) -> Result<Writer, StoreError> {
        todo!()
    }
    pub async fn close(&self) {
        todo!()
    }

    // sessions
    pub async fn sessions(&self, org: OrgId, query: &SessionQuery) -> Result<SessionPage, StoreError> {
        todo!()
    }
    pub async fn session_count(&self, org: OrgId, query: &SessionQuery) -> Result<SessionCount, StoreError> {
        todo!()
    }
    pub async fn session_names(
        &self,
        org: OrgId,
        contains: &str,
        query: &SessionQuery,
    ) -> Result<Vec<SessionNameRow>, StoreError> {
        todo!()
    }
    /// Figures of every session of the query (its page is ignored), at most 100,000.
    pub async fn session_figures(&self, org: OrgId, query: &SessionQuery) -> Result<Vec<SessionFigures>, StoreError> {
        todo!()
    }
    pub async fn session(&self, org: OrgId, id: &str) -> Result<Option<SessionRow>, StoreError> {
        todo!()
    }
    /// The session's calls in time order, at most `limit`.
    pub async fn session_calls(&self, org: OrgId, id: &str, limit: i64) -> Result<Vec<CallRow>, StoreError> {
        todo!()
    }
    pub async fn session_tag(&self, org: OrgId, id: &str) -> Result<Option<String>, StoreError> {
        todo!()
    }
    /// False if there is no such session.
    pub async fn set_session_tag(&self, org: OrgId, id: &str, tag: &str) -> Result<bool, StoreError> {
        todo!()
    }
    /// Puts property `Helicone-Session-Feedback` = `1`/`0` on the session's first call. False if there is no such session.
    pub async fn set_session_feedback(&self, org: OrgId, id: &str, rating: bool) -> Result<bool, StoreError> {
        todo!()
    }

    // calls
    pub async fn calls(&self, org: OrgId, query: &CallQuery) -> Result<Vec<CallDetail>, StoreError> {
        todo!()
    }
    pub async fn call_count(&self, org: OrgId, filter: &Filter, window: Window) -> Result<i64, StoreError> {
        todo!()
    }
    pub async fn call(&self, org: OrgId, id: RequestId) -> Result<Option<CallDetail>, StoreError> {
        todo!()
    }
    pub async fn call_bodies(&self, org: OrgId, id: RequestId) -> Result<Option<CallBodies>, StoreError> {
        todo!()
    }
    /// Several at once; ids that do not exist are left out.
    pub async fn calls_bodies(
        &self,
        org: OrgId,
        ids: &[RequestId],
    ) -> Result<Vec<(RequestId, CallBodies)>, StoreError> {
        todo!()
    }
    /// Adds or replaces a property (key without case). False if there is no such call.
    pub async fn set_property(&self, org: OrgId, id: RequestId, property: &Property) -> Result<bool, StoreError> {
        todo!()
    }
    /// Adds or replaces a score. False if there is no such call.
    pub async fn set_score(&self, org: OrgId, id: RequestId, name: &str, value: f64) -> Result<bool, StoreError> {
        todo!()
    }

    // properties
    pub async fn property_keys(&self, org: OrgId) -> Result<Vec<PropertyKeyRow>, StoreError> {
        todo!()
    }
    pub async fn property_values(
        &self,
        org: OrgId,
        key: &str,
        contains: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        todo!()
    }

    // keys
    pub async fn insert_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<(), StoreError> {
        todo!()
    }
    /// Inserts only if the organisation has no key at all; true if it did. Replicas that race insert one.
    pub async fn insert_first_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<bool, StoreError> {
        todo!()
    }
    /// Inserts or, where the hash is there already, makes it valid again with these rights (for `auth.key`).
    pub async fn upsert_key(&self, row: &KeyRow, hash: &[u8; 32]) -> Result<KeyRow, StoreError> {
        todo!()
    }
    /// Only keys that are not revoked.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        todo!()
    }
    pub async fn keys(&self, org: OrgId) -> Result<Vec<KeyRow>, StoreError> {
        todo!()
    }
    /// False if there is no such key in the organisation.
    pub async fn revoke_key(&self, org: OrgId, id: KeyId) -> Result<bool, StoreError> {
        todo!()
    }
    pub async fn create_org(&self, name: &str) -> Result<OrgId, StoreError> {
        todo!()
    }
    pub async fn org_by_name(&self, name: &str) -> Result<Option<OrgId>, StoreError> {
        todo!()
    }
}

/// The drain's connection: its own, outside any pool.
pub struct Writer {}

impl Writer {
    /// One idempotent transaction: rows, bodies, properties, and roll-ups from the rows that were new.
    pub async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        todo!()
    }
}

impl StoreError {
    /// Whether the same call may go through later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
