//! The drain's connection to PostgreSQL: its own, outside any pool, every statement under a time limit.
//!
//! After a fault of the connection or a time limit of ours it is dropped, which closes the socket here and waits for nobody:
//! a silent server would let a polite goodbye wait for ever. The next use dials anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::timeout;

use super::error::StoreError;

/// What one statement of a write may take at most; the server ends it by then. A batch that is too slow for it is tried
/// again in halves. A silent server is noticed in this time.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// How much longer we wait than the server is told to work.
const GRACE: Duration = Duration::from_secs(1);
/// How long to wait for a new connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

const FSYNC: &str = "SELECT current_setting('fsync')";

/// A connection that is dialled when it is needed.
pub(super) struct Link {
    options: PgConnectOptions,
    limit: Duration,
    /// Absent before the first use, and after a fault until the next.
    open: Option<PgConnection>,
}

impl Link {
    pub(super) fn new(options: PgConnectOptions, statement_timeout: Duration) -> Self {
        let limit = STATEMENT_LIMIT.min(statement_timeout);
        let ms = limit.as_millis().max(1).to_string();
        let names = ["statement_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout"];
        Self { options: options.options(names.map(|name| (name, ms.as_str()))), limit: limit + GRACE, open: None }
    }

    /// The limit of one statement, seen from here.
    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }

    /// The connection, taken out. Whoever has no fault of it to tell puts it back.
    pub(super) async fn take(&mut self) -> Result<PgConnection, StoreError> {
        match self.open.take() {
            Some(open) => Ok(open),
            None => self.dial().await,
        }
    }

    pub(super) fn put_back(&mut self, open: PgConnection) {
        self.open = Some(open);
    }

    async fn dial(&self) -> Result<PgConnection, StoreError> {
        let mut open = limited(CONNECT_LIMIT, PgConnection::connect_with(&self.options)).await?;
        warn_of_no_fsync(&mut open, self.limit).await?;
        Ok(open)
    }
}

/// A committed batch leaves the journal: it must be on the server's disk by then. Told once in a process.
async fn warn_of_no_fsync(open: &mut PgConnection, limit: Duration) -> Result<(), StoreError> {
    static ASKED: AtomicBool = AtomicBool::new(false);
    if ASKED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let fsync: String = limited(limit, sqlx::query_scalar(FSYNC).fetch_one(open)).await?;
    if !ASKED.swap(true, Ordering::Relaxed) && fsync == "off" {
        tracing::warn!("store.fsync_is_off: the server may lose committed calls when its machine loses power");
    }
    Ok(())
}

/// One statement, or one other thing that waits for the server.
pub(super) async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    Ok(timeout(limit, work).await.map_err(|_| StoreError::too_slow())??)
}

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FSYNC];
