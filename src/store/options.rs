//! How to reach a database: the URL, and what every connection is told when it opens.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::error::StoreError;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    pub max_read_connections: u32,
    pub statement_timeout: Duration,
}

/// A database URL, read.
pub(super) enum Target {
    Sqlite { path: PathBuf, options: Box<SqliteConnectOptions> },
    Postgres(Box<PgConnectOptions>),
}

/// How long a connection waits for a lock that another holds before it gives up.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What every connection to SQLite is told, whoever opens it.
pub(super) const PRAGMAS: [(&str, &str); 6] = [
    ("journal_mode", "WAL"),
    // FULL, not NORMAL: the journal gives its space back once a batch was committed here, so a commit must be on disk.
    ("synchronous", "FULL"),
    ("foreign_keys", "ON"),
    ("cache_size", "-16384"),
    // A checkpoint writes each page that changed since the last one once: the rarer, the fewer writes.
    ("wal_autocheckpoint", "4000"),
    ("temp_store", "memory"),
];

/// Reads the URL. The error never repeats it, because it may hold a password.
pub(super) fn target(options: &StoreOptions) -> Result<Target, StoreError> {
    let url = options.url.trim();
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return sqlite(path);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url, options.statement_timeout);
    }
    Err(StoreError::Url("expected `sqlite://path/to/file.db` or `postgres://user:password@host/database`".to_owned()))
}

fn sqlite(path: &str) -> Result<Target, StoreError> {
    if path.is_empty() || path.contains(":memory:") {
        return Err(StoreError::Url("SQLite needs a file: `sqlite://path/to/file.db`".to_owned()));
    }
    if path.contains('?') {
        return Err(StoreError::Url("parameters after `?` are not supported for SQLite".to_owned()));
    }
    let path = Path::new(path).to_path_buf();
    let told = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .busy_timeout(LOCK_WAIT)
        // Of a new file; another one keeps its own. A call with its bodies takes three kilobytes.
        .page_size(8_192);
    let options = PRAGMAS.into_iter().fold(told, |options, (name, value)| options.pragma(name, value));
    Ok(Target::Sqlite { path, options: Box::new(options) })
}

fn postgres(url: &str, statement_timeout: Duration) -> Result<Target, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| {
            StoreError::Url("not a PostgreSQL URL (`postgres://user:password@host:5432/database`)".to_owned())
        })?
        .application_name("trailgate");
    Ok(Target::Postgres(Box::new(with_limits(options, statement_timeout))))
}

/// What the server is told at connect, so that it ends by itself what we gave up on (our socket may be gone by then).
fn with_limits(options: PgConnectOptions, statement_timeout: Duration) -> PgConnectOptions {
    let ms = statement_timeout.as_millis().max(1).to_string();
    let lock = LOCK_WAIT.as_millis().to_string();
    options.options([
        ("statement_timeout", ms.as_str()),
        ("idle_in_transaction_session_timeout", ms.as_str()),
        ("tcp_user_timeout", ms.as_str()),
        ("lock_timeout", lock.as_str()),
        ("synchronous_commit", "on"),
        ("client_min_messages", "warning"),
        // Statements are prepared once and run with very different values; a generic plan is wrong for some of them.
        ("plan_cache_mode", "force_custom_plan"),
        ("jit", "off"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Target, StoreError> {
        target(&StoreOptions {
            url: url.to_owned(),
            max_read_connections: 1,
            statement_timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn urls() {
        assert!(
            matches!(read("sqlite:///tmp/a.db"), Ok(Target::Sqlite { path, .. }) if path == Path::new("/tmp/a.db"))
        );
        assert!(
            matches!(read("sqlite://data/a.db"), Ok(Target::Sqlite { path, .. }) if path == Path::new("data/a.db"))
        );
        assert!(matches!(read("postgres://u:p@h/d"), Ok(Target::Postgres(_))));
        for bad in ["", "mysql://h/d", "sqlite://", "sqlite::memory:", "sqlite://a?mode=ro", "postgres://u:p@h:port/d"]
        {
            let Err(StoreError::Url(text)) = read(bad) else { panic!("{bad} was accepted") };
            assert!(!text.contains("u:p"), "{text}");
        }
    }
}
