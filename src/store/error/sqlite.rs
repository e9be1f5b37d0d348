//! Faults of the drain's own SQLite connection as faults of a database, so that one table sorts them all.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind};

use super::StoreError;

/// What SQLite answered, with its extended result code.
#[derive(Debug)]
pub(super) struct Fault {
    code: i32,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl Error for Fault {}

impl DatabaseError for Fault {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(self.code.to_string()))
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

    fn kind(&self) -> ErrorKind {
        match self.code {
            // CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID
            1555 | 2067 | 2579 => ErrorKind::UniqueViolation,
            787 => ErrorKind::ForeignKeyViolation,
            1299 => ErrorKind::NotNullViolation,
            275 => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, message) => {
                let message = message.unwrap_or_else(|| code.to_string());
                sqlx::Error::Database(Box::new(Fault { code: code.extended_code, message })).into()
            }
            // A value that SQLite has no place for, such as a text with more bytes than a length can say.
            rusqlite::Error::ToSqlConversionFailure(error) => sqlx::Error::Encode(error).into(),
            other => Self::Internal(sqlx::Error::Decode(Box::new(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some("a secret".to_owned())).into()
    }

    #[test]
    fn codes_are_sorted_as_those_of_the_pools() {
        // BUSY, BUSY_SNAPSHOT, READONLY_DBMOVED, IOERR_WRITE, FULL, CANTOPEN, NOTADB
        for code in [5, 517, 1032, 778, 13, 14, 26] {
            assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
        }
        // CONSTRAINT_UNIQUE, CONSTRAINT_NOTNULL, TOOBIG
        for code in [2067, 1299, 18] {
            assert!(matches!(of(code), StoreError::Rejected(_)), "{code}");
        }
        // ERROR, MISUSE
        for code in [1, 21] {
            assert!(matches!(of(code), StoreError::Internal(_)), "{code}");
        }
        let missing = rusqlite::ffi::Error::new(1);
        let missing = rusqlite::Error::SqliteFailure(missing, Some("no such table: exchange".to_owned()));
        assert!(StoreError::from(missing).may_pass());
    }

    #[test]
    fn a_reason_names_the_code_and_never_quotes() {
        assert_eq!(of(2067).reason(), "the database refused it, code 2067");
    }
}
