//! Why the store could not answer, sorted by what a caller can do about it.

mod sqlite;

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

    /// Nobody waited for an answer.
    pub const fn away() -> Self {
        Self::too_slow()
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
                matches!(kind(error), Kind::Later)
            }
            _ => false,
        }
    }

    /// Whether time ran out, ours or the server's: less work at once may go through.
    pub fn is_slow(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        matches!(error, sqlx::Error::PoolTimedOut) || code(error).is_some_and(|code| code == "57014")
    }

    /// Why, in words that hold nothing of the data: a database's own message may quote it.
    pub fn reason(&self) -> String {
        let (Self::Rejected(error) | Self::Internal(error)) = self else { return self.to_string() };
        let Some(database) = error.as_database_error() else {
            return "the gateway failed to write it".to_owned();
        };
        let mut text = "the database refused it".to_owned();
        for (what, name) in
            [("code", database.code().as_deref()), ("table", database.table()), ("constraint", database.constraint())]
        {
            if let Some(name) = name {
                text.push_str(&format!(", {what} {name}"));
            }
        }
        text
    }

    /// Whether the fault lies in the connection or the time that it took, not in the statement.
    pub(super) const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match kind(&error) {
            Kind::Later => Self::Unavailable(error),
            Kind::Never => Self::Rejected(error),
            Kind::Defect => Self::Internal(error),
        }
    }
}

enum Kind {
    /// The same may go through later.
    Later,
    /// The data is refused.
    Never,
    /// Anything else.
    Defect,
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

fn kind(error: &sqlx::Error) -> Kind {
    use sqlx::Error as E;
    match error {
        E::Database(database) => of_database(database.as_ref()),
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => Kind::Later,
        E::Encode(_) => Kind::Never,
        _ => Kind::Defect,
    }
}

/// PostgreSQL's classes of SQLSTATE have letters or digits of five; SQLite's codes are numbers whose low byte is the class.
fn of_database(error: &dyn sqlx::error::DatabaseError) -> Kind {
    let Some(code) = error.code() else { return Kind::Defect };
    let is_sqlite = error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
    if is_sqlite || error.try_downcast_ref::<sqlite::Fault>().is_some() {
        return match code.parse::<u32>().unwrap_or_default() & 0xff {
            // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB
            5 | 6 | 7 | 8 | 9 | 10 | 11 | 13 | 14 | 15 | 26 => Kind::Later,
            // TOOBIG, CONSTRAINT, MISMATCH, RANGE
            18 | 19 | 20 | 25 => Kind::Never,
            // The schema is not there yet, or somebody took it away.
            1 if error.message().starts_with("no such table") => Kind::Later,
            _ => Kind::Defect,
        };
    }
    match (code.get(..2).unwrap_or_default(), &*code) {
        // connection, read-only or aborted transaction, authorisation, no such database, conflict, out of resources, not
        // ready, cancelled or shutting down, system error; a table that is not there yet or was taken away
        ("08" | "25" | "28" | "3D" | "40" | "53" | "55" | "57" | "58", _) | (_, "42P01") => Kind::Later,
        // data, integrity, over a limit of the server
        ("22" | "23" | "54", _) => Kind::Never,
        _ => Kind::Defect,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct State(&'static str);

    impl fmt::Display for State {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a message with a secret")
        }
    }

    impl Error for State {}

    impl sqlx::error::DatabaseError for State {
        fn message(&self) -> &str {
            "a message with a secret"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }
        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    fn of(code: &'static str) -> StoreError {
        sqlx::Error::Database(Box::new(State(code))).into()
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        // Read-only, disk full, too many connections, out of memory, shut down, crashed, starting, deadlock, serialisation,
        // cancelled, lock time-out, idle in transaction, wrong password, no such database, no such table, I/O error.
        for code in [
            "25006", "53100", "53300", "53200", "57P01", "57P02", "57P03", "40P01", "40001", "57014", "55P03", "25P03",
            "28P01", "3D000", "42P01", "58030", "08006",
        ] {
            assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
            let migration = StoreError::Migrate(MigrateError::Execute(sqlx::Error::Database(Box::new(State(code)))));
            assert!(migration.may_pass(), "{code} in a migration");
        }
        assert!(of("57014").is_slow() && !of("53100").is_slow() && StoreError::too_slow().is_slow());
        assert!(of("40P01").is_conflict() && of("40001").is_conflict() && !of("57014").is_conflict());
    }

    #[test]
    fn what_may_be_the_rows_fault_is_told_apart() {
        for code in ["22003", "22021", "23502", "23505", "23514", "54000"] {
            assert!(matches!(of(code), StoreError::Rejected(_)), "{code}");
        }
        for code in ["42703", "42501", "P0001", "XX000", "XX001", "0A000"] {
            assert!(matches!(of(code), StoreError::Internal(_)), "{code}");
            let migration = StoreError::Migrate(MigrateError::Execute(sqlx::Error::Database(Box::new(State(code)))));
            assert!(!migration.may_pass(), "{code} in a migration");
        }
    }

    #[test]
    fn a_reason_never_quotes_the_database() {
        assert_eq!(of("P0001").reason(), "the database refused it, code P0001");
        let odd = StoreError::Internal(sqlx::Error::ColumnNotFound("secret".into()));
        assert!(!odd.reason().contains("secret"));
    }
}
