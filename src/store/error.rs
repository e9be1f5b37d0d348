//! Why the store could not answer, sorted by what a caller can do about it.

use sqlx::migrate::MigrateError;

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
    /// A search in bodies that cannot be finished in the time that one statement may take.
    #[error("the search in bodies was not done after {looked_at} calls")]
    TooBroad { looked_at: u64 },
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("database.url: {0}")]
    Url(String),
}

impl StoreError {
    /// A time limit of ours passed before the database answered.
    pub(super) const fn too_slow() -> Self {
        Self::Unavailable(sqlx::Error::PoolTimedOut)
    }

    /// Whether the database undid the transaction because of another one; the same may go through at once.
    pub(super) fn is_conflict(&self) -> bool {
        let (Self::Unavailable(error) | Self::Rejected(error) | Self::Internal(error)) = self else { return false };
        error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| code == "40P01" || code == "40001")
    }

    /// Whether the same call may go through later, a migration included.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Migrate(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_))
            }
            _ => false,
        }
    }

    /// Whether the fault lies in the connection or the time that it took, not in the statement.
    pub(super) const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(database) => match verdict(database.as_ref()) {
                Verdict::Later => Self::Unavailable(error),
                Verdict::Never => Self::Rejected(error),
                Verdict::Defect => Self::Internal(error),
            },
            E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
                Self::Unavailable(error)
            }
            E::Encode(_) => Self::Rejected(error),
            _ => Self::Internal(error),
        }
    }
}

enum Verdict {
    Later,
    Never,
    Defect,
}

/// PostgreSQL's classes of SQLSTATE have letters or digits of five; SQLite's codes are numbers whose low byte is the class.
fn verdict(error: &dyn sqlx::error::DatabaseError) -> Verdict {
    let Some(code) = error.code() else { return Verdict::Defect };
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return match code.parse::<u32>().unwrap_or_default() & 0xff {
            // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
            5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15 => Verdict::Later,
            // TOOBIG, CONSTRAINT, MISMATCH, RANGE
            18 | 19 | 20 | 25 => Verdict::Never,
            _ => Verdict::Defect,
        };
    }
    match code.get(..2).unwrap_or_default() {
        // connection, read-only or aborted transaction, authorisation, no such database, conflict, out of resources, not
        // ready, cancelled or shutting down, system error
        "08" | "25" | "28" | "3D" | "40" | "53" | "55" | "57" | "58" => Verdict::Later,
        // data, integrity, over a limit of the server
        "22" | "23" | "54" => Verdict::Never,
        _ => Verdict::Defect,
    }
}
