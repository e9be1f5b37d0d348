//! The pools behind a [`super::Store`], and the one road on which every statement of theirs goes.
//!
//! Every statement is under a time limit of ours. PostgreSQL's pool can lock up for good when the server goes silent (its
//! way of taking a connection back waits for the peer without a limit), so a row of time-outs makes us open a new pool and
//! let go of the old one.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::StoreError;
use super::options::{StoreOptions, Target, target};

/// Time-outs in a row after which the pool is replaced.
const STRIKES: u32 = 3;
/// A pool is given so long at least: when the server is only overloaded, more and more connections would make it worse.
const POOL_LIFE: Duration = Duration::from_secs(10);
/// How long a read waits for a connection. Readers hear "not available" in this time when the server is silent.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);

pub(super) enum Db {
    Sqlite(SqliteSide),
    Postgres(Box<PostgresSide>),
}

pub(super) struct SqliteSide {
    pub path: PathBuf,
    pub read: SqlitePool,
    /// One connection: whoever writes in this process waits here and not for SQLite's lock.
    pub write: SqlitePool,
    /// Queries that [`super::fold`] runs at once, beside those of the pool.
    pub folds: Semaphore,
    pub limit: Duration,
}

pub(super) struct PostgresSide {
    pub options: PgConnectOptions,
    pub limit: Duration,
    pool: ArcSwap<PgPool>,
    max: u32,
    strikes: AtomicU32,
    replaced: Mutex<Instant>,
}

impl Db {
    /// Pools without a connection in them.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let max = options.max_read_connections.max(1);
        let limit = options.statement_timeout;
        Ok(match target(options)? {
            Target::Sqlite { path, options } => Self::Sqlite(SqliteSide {
                path,
                read: sqlite_pool(&options, max),
                write: sqlite_pool(&options, 1),
                folds: Semaphore::new(max as usize),
                limit,
            }),
            Target::Postgres(options) => Self::Postgres(Box::new(PostgresSide {
                pool: ArcSwap::from_pointee(postgres_pool(&options, max, limit)),
                options: *options,
                limit,
                max,
                strikes: AtomicU32::new(0),
                replaced: Mutex::new(Instant::now()),
            })),
        })
    }

    /// The time that a statement may take.
    pub const fn limit(&self) -> Duration {
        match self {
            Self::Sqlite(side) => side.limit,
            Self::Postgres(side) => side.limit,
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(side) => {
                side.read.close().await;
                side.write.close().await;
            }
            // The pool waits for connections to say goodbye; a silent server never answers.
            Self::Postgres(side) => drop(timeout(ACQUIRE_LIMIT, side.pool.load_full().close()).await),
        }
    }
}

impl SqliteSide {
    pub fn read(&self) -> SqlitePool {
        self.read.clone()
    }

    pub fn write(&self) -> SqlitePool {
        self.write.clone()
    }

    pub async fn limited<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
        Ok(timeout(self.limit, work).await.map_err(|_| StoreError::too_slow())??)
    }
}

impl PostgresSide {
    pub fn read(&self) -> PgPool {
        PgPool::clone(&self.pool.load())
    }

    pub fn write(&self) -> PgPool {
        self.read()
    }

    pub async fn limited<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
        let result = timeout(self.limit + ACQUIRE_LIMIT, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if matches!(result, Err(sqlx::Error::PoolTimedOut)) {
            self.strike();
        } else {
            self.strikes.store(0, Ordering::Relaxed);
        }
        Ok(result?)
    }

    fn strike(&self) {
        if self.strikes.fetch_add(1, Ordering::Relaxed) + 1 < STRIKES {
            return;
        }
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        if replaced.elapsed() < POOL_LIFE {
            return;
        }
        *replaced = Instant::now();
        self.strikes.store(0, Ordering::Relaxed);
        tracing::warn!(strikes = STRIKES, "store.pool_replaced");
        // The old pool is dropped with its last user and not closed: closing waits for the silent peer.
        self.pool.store(Arc::new(postgres_pool(&self.options, self.max, self.limit)));
    }
}

fn sqlite_pool(options: &SqliteConnectOptions, max: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_clean(connection)))
        .connect_lazy_with(options.clone())
}

/// Whether a connection that comes back may be used again. Where SQLite ended a transaction by itself (a full disk), the
/// driver's own ROLLBACK fails and it counts a transaction that is not there: nothing could be begun on it ever after.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A ROLLBACK that is on its way has arrived by then.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn postgres_pool(options: &PgConnectOptions, max: u32, limit: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(ACQUIRE_LIMIT.min(limit))
        // The default asks a connection whether it is still there before each use: a query on one whose server has fallen
        // silent would only be given up after a whole statement's time.
        .test_before_acquire(true)
        .idle_timeout(Duration::from_secs(600))
        .connect_lazy_with(options.clone())
}

/// Runs one piece of work on the pool of whichever database this is: `on_db!(store, read |pool| …)`. The body is compiled
/// once for each and must yield `Result<_, sqlx::Error>`.
macro_rules! on_db {
    ($store:expr, $access:ident |$pool:ident| $body:expr) => {
        match &*$store.db {
            $crate::store::db::Db::Sqlite(side) => {
                let $pool = &side.$access();
                side.limited(async { $body }).await
            }
            $crate::store::db::Db::Postgres(side) => {
                let $pool = &side.$access();
                side.limited(async { $body }).await
            }
        }
    };
}
pub(super) use on_db;
