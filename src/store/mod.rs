//! The store: rows, bodies, sessions and keys in SQLite or PostgreSQL, one SQL text for both.
//!
//! Invariants
//! - Every query carries the organisation; there is no method without it except for keys, which lead to one.
//! - Lists never read bodies, except those of calls for which a filter on bodies is all that is left to be decided
//!   (`search`). Pages start at a key, not at a count, where the caller lets them.
//! - Static SQL is a `const` beside its function and runs on both databases; filters are built in `lower`, run in `sql`;
//!   only the drain's bulk writes differ, in `dialect`.
//! - The store knows neither HTTP nor the journal.

mod adopted;
mod bodies;
mod bounds;
mod compare;
mod db;
mod dead_letters;
mod dialect;
mod error;
mod exchanges;
mod figures;
mod fold;
mod forget;
mod gaps;
mod hours;
mod keys;
mod light;
mod link;
mod lower;
mod matching;
mod migrate;
mod options;
mod orgs;
mod paths;
mod probe;
mod properties;
mod record;
mod reprice;
mod retention;
mod rollup;
mod rows;
mod search;
mod sessions;
mod sql;
#[cfg(test)]
mod tests;
mod text;
mod threads;
mod tools;
mod top;
mod updates;
mod users;
mod web_sessions;
mod write;

use std::sync::Arc;

pub use error::StoreError;
pub use options::StoreOptions;
pub use tools::ToolUses;
pub use write::Writer;

use crate::model::id::OrgId;
use compare::Backend;
use db::{Db, on_db};
use lower::Lower;
use tokio::sync::Semaphore;

/// Read and small-write access. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Arc<Db>,
    /// Whoever unpacks many bodies holds it meanwhile: memory is that of one, and a core stays free.
    unpacking: Arc<Semaphore>,
}

impl Store {
    /// Opens pools; does not migrate. Nothing is connected yet, so the server need not be there.
    ///
    /// # Errors
    /// [`StoreError::Url`] where the URL cannot be understood.
    #[expect(clippy::unused_async, reason = "pools ask for a runtime around them, which an async fn makes plain")]
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self { db: Arc::new(Db::open(options)?), unpacking: Arc::new(Semaphore::new(1)) })
    }

    /// Brings the schema up to date; replicas that start together do it once.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.db).await
    }

    /// One trivial query.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const PING: &str = "SELECT 1";
        on_db!(self, read | db | sqlx::query(PING).execute(db).await.map(drop))
    }

    /// `sqlite` or `postgres`.
    pub fn backend(&self) -> &'static str {
        match self.kind() {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        }
    }

    /// A writer with a connection of its own, for the drain. It connects with its first batch.
    #[expect(clippy::unused_async, reason = "callers await it: a writer that dials at once may come back")]
    pub async fn writer(&self) -> Result<Writer, StoreError> {
        Ok(match &*self.db {
            Db::Sqlite(side) => Writer::sqlite(side.write(), side.path.clone()),
            Db::Postgres(side) => Writer::postgres(side.options.clone(), side.limit),
        })
    }

    /// Closes the pools; waits at most a few seconds.
    pub async fn close(&self) {
        self.db.close().await;
    }

    fn kind(&self) -> Backend {
        match &*self.db {
            Db::Sqlite(_) => Backend::Sqlite,
            Db::Postgres(_) => Backend::Postgres,
        }
    }

    fn lower(&self, org: OrgId) -> Lower {
        Lower { org: org.0, backend: self.kind() }
    }
}
