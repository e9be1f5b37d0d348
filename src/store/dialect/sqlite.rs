//! Bulk writes on SQLite: prepared statements of [`MANY`] rows and of one.
//!
//! Within a statement SQLite keeps its place in a table's tree, and most rows belong right behind the one before. An insert of
//! many calls ends at the first that is there already (those before it stay); from there on they go one by one.
//!
//! Through rusqlite and not through sqlx, which runs SQLite on a thread of its own and copies every value into an argument
//! list first: that cost several times what SQLite needs for a row. Nothing here waits, so a whole batch is one poll.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql, ffi, params, params_from_iter};
use uuid::Uuid;

use super::{
    Dialect, exchange_columns, hours, properties, property_key_merge, session_columns, session_merge,
    session_property_merge, with_columns,
};
use crate::store::error::StoreError;
use crate::store::options::{LOCK_WAIT, PRAGMAS};
use crate::store::record::Record;
use crate::store::rollup::RollUp;
use crate::store::write::{Packed, Starts, add_starts, start_of};

/// A connection inside a transaction.
pub(in crate::store) struct Bulk<'c>(pub &'c mut Connection);

/// Rows of the statements of many.
const MANY: usize = 32;
/// Bodies of one statement of many, bytes: binding copies them.
const MANY_BYTES: usize = 1024 * 1024;

/// `INSERT INTO table (columns) VALUES (?, …), … tail`, with a parameter a column and row.
pub(super) fn insert(table: &str, columns: &str, rows: usize, tail: &str) -> String {
    rows_into("INSERT", table, columns, rows) + tail
}

fn rows_into(verb: &str, table: &str, columns: &str, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.split(',').count()].join(", "));
    format!("{verb} INTO {table} ({columns}) VALUES {}", vec![row.as_str(); rows].join(", "))
}

/// One insert, for many rows and for one.
pub(super) struct Insert {
    many: String,
    one: String,
}

impl Insert {
    /// Where one row is refused, those before it stay: so SQLite needs not copy pages to undo the statement alone.
    pub(super) fn into(table: &str, columns: &str) -> Self {
        let rows = |count| rows_into("INSERT OR FAIL", table, columns, count);
        Self { many: rows(MANY), one: rows(1) }
    }

    /// With what is to happen where a row is there already.
    pub(super) fn merging(table: &str, columns: &str, merge: &str) -> Self {
        Self { many: insert(table, columns, MANY, merge), one: insert(table, columns, 1, merge) }
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> [&str; 2] {
        [&self.many, &self.one]
    }

    /// The statement for a chunk of that many rows.
    fn of(&self, rows: usize) -> &str {
        if rows == MANY { &self.many } else { &self.one }
    }
}

/// Rows in the chunks that there are statements for.
pub(super) fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let (many, rest) = rows.split_at(rows.len() - rows.len() % MANY);
    many.chunks(MANY).chain(rest.chunks(1))
}

static INSERT_CALLS: LazyLock<Insert> = LazyLock::new(|| Insert::into("exchange", exchange_columns!()));
static INSERT_CALL: LazyLock<String> =
    LazyLock::new(|| insert("exchange", exchange_columns!(), 1, " ON CONFLICT DO NOTHING"));
static INSERT_BODIES: LazyLock<Insert> = LazyLock::new(|| {
    let columns =
        "org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers";
    Insert::into("body", columns)
});
static INSERT_PROPERTIES: LazyLock<Insert> = LazyLock::new(|| {
    Insert::into("exchange_property", "org_id, call_id, key_lower, key, value_key, value_long, started_at")
});
static UPSERT_SESSION: LazyLock<String> = LazyLock::new(|| insert("session", session_columns!(), 1, session_merge!()));
const INSERT_USER: &str = "INSERT INTO session_user_id (org_id, session_key, user_key, user_long) VALUES (?, ?, ?, ?) \
     ON CONFLICT DO NOTHING";
const UPSERT_SESSION_PROPERTY: &str = concat!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at, calls) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    session_property_merge!()
);
const KNOWN: &str = "SELECT 1 FROM exchange WHERE org_id = ?1 AND record_id = ?2";
const MOVE_SESSION: &str =
    "UPDATE session_property SET first_at = ?3 WHERE org_id = ?1 AND session_key = ?2 AND first_at <> ?3";
const UPSERT_KEY: &str = concat!(
    "INSERT INTO property_key (org_id, key_lower, key, first_at, last_at) VALUES (?, ?, ?, ?, ?)",
    property_key_merge!()
);

#[cfg(test)]
pub(in crate::store) fn statements() -> Vec<&'static str> {
    vec![
        &INSERT_CALLS.many,
        &INSERT_CALLS.one,
        &INSERT_CALL,
        &INSERT_BODIES.many,
        &INSERT_BODIES.one,
        &INSERT_PROPERTIES.many,
        &INSERT_PROPERTIES.one,
        &UPSERT_SESSION,
        INSERT_USER,
        UPSERT_SESSION_PROPERTY,
        KNOWN,
        MOVE_SESSION,
        UPSERT_KEY,
    ]
}

/// Statements that a connection keeps prepared.
const PREPARED: usize = 48;

/// Pages that the writer keeps, in KiB as SQLite has it (negative). Rows come in order of time, so what it touches again is
/// little; a larger one fills up over hours and looks like a leak.
const WRITER_CACHE: i64 = -4_096;

/// A connection for writing, with the same settings as those of the pools but for its cache.
///
/// # Errors
/// Where the file is not there, cannot be opened, or is no database.
pub(in crate::store) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    for (name, value) in PRAGMAS {
        connection.pragma_update(None, name, value)?;
    }
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    Ok(connection)
}

/// A connection that only reads, with the settings of those of the pool.
///
/// # Errors
/// Where the file is not there, cannot be opened, or is no database.
pub(in crate::store) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_WAIT)?;
    for (name, value) in PRAGMAS.into_iter().filter(|(name, _)| matches!(*name, "cache_size" | "temp_store")) {
        connection.pragma_update(None, name, value)?;
    }
    Ok(connection)
}

/// Binds values one after another.
pub(super) struct Binder<'s, 'c> {
    statement: &'s mut CachedStatement<'c>,
    bound: usize,
}

impl Binder<'_, '_> {
    pub(super) fn put(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

/// Whether a unique key is taken.
fn is_taken(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY))
}

impl Bulk<'_> {
    pub(super) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        Ok(self.0.prepare_cached(sql)?)
    }

    pub(super) const fn inserting(&self, insert: &'static Insert) -> Inserting<'_> {
        Inserting { db: self.0, insert, many: None, one: None }
    }
}

/// An insert under way. Its statements stay bound until it is over: to let go of values costs as much as to bind them.
pub(super) struct Inserting<'c> {
    db: &'c Connection,
    insert: &'static Insert,
    many: Option<CachedStatement<'c>>,
    one: Option<CachedStatement<'c>>,
}

impl Inserting<'_> {
    /// Inserts a whole chunk.
    pub(super) fn run<T>(
        &mut self,
        chunk: &[T],
        bind: impl Fn(&T, &mut Binder<'_, '_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let place = if chunk.len() == MANY { &mut self.many } else { &mut self.one };
        let statement = match place {
            Some(statement) => statement,
            none => none.insert(self.db.prepare_cached(self.insert.of(chunk.len()))?),
        };
        let mut binder = Binder { statement, bound: 0 };
        for row in chunk {
            bind(row, &mut binder)?;
        }
        statement.raw_execute().map(drop)
    }

    /// Inserts a chunk of calls up to the first that is there already; says how many.
    fn calls(&mut self, chunk: &[&Record<'_>]) -> Result<usize, StoreError> {
        let inserted = self.run(chunk, |row, to| {
            macro_rules! bind {
                ($($column:ident),*) => {{ $(to.put(&row.$column)?;)* }};
            }
            with_columns!(bind);
            Ok(())
        });
        match inserted {
            Ok(()) => Ok(chunk.len()),
            Err(error) if is_taken(&error) => Ok(usize::try_from(self.db.changes()).unwrap_or_default()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Dialect for Bulk<'_> {
    async fn insert_calls(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut inserted = HashSet::with_capacity(rows.len());
        let (mut calls, mut single) = (self.inserting(&INSERT_CALLS), None);
        for chunk in chunks(rows) {
            let (fresh, left) = chunk.split_at_checked(calls.calls(chunk)?).unwrap_or((&[], chunk));
            inserted.extend(fresh.iter().map(|row| (row.org_id, row.record_id)));
            if left.is_empty() {
                continue;
            }
            let insert = match &mut single {
                Some(insert) => insert,
                none => none.insert(self.statement(&INSERT_CALL)?),
            };
            for row in left {
                macro_rules! all {
                    ($($column:ident),*) => { [$(&row.$column as &dyn ToSql),*] };
                }
                if insert.execute(&with_columns!(all)[..])? == 1 {
                    inserted.insert((row.org_id, row.record_id));
                }
            }
        }
        Ok(inserted)
    }

    async fn known_records(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut select = self.statement(KNOWN)?;
        let mut known = HashSet::new();
        for row in rows {
            if select.exists(params![row.org_id, row.record_id])? {
                known.insert((row.org_id, row.record_id));
            }
        }
        Ok(known)
    }

    async fn insert_bodies(&mut self, rows: &[&Record<'_>], packed: &[Packed]) -> Result<(), StoreError> {
        let bodies: Vec<_> = rows.iter().filter_map(|row| Some((*row, packed.get(row.index)?))).collect();
        let mut inserting = self.inserting(&INSERT_BODIES);
        for chunk in chunks(&bodies) {
            let small = chunk.iter().map(|(_, body)| body.len()).sum::<usize>() <= MANY_BYTES;
            for part in chunk.chunks(if small { chunk.len() } else { 1 }) {
                inserting.run(part, |(row, body), to| {
                    to.put(row.org_id)?;
                    to.put(row.id)?;
                    to.put(&body.request)?;
                    to.put(&body.response)?;
                    to.put(&body.request_facts)?;
                    to.put(&body.response_facts)?;
                    to.put(&body.request_headers)?;
                    to.put(&body.response_headers)
                })?;
            }
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        let mut properties = properties(rows);
        // Neighbours in the index, which is by key and value.
        properties.sort_by(|(_, a), (_, b)| (&a.key_lower, &a.value_key).cmp(&(&b.key_lower, &b.value_key)));
        let mut inserting = self.inserting(&INSERT_PROPERTIES);
        for chunk in chunks(&properties) {
            inserting.run(chunk, |(row, property), to| {
                to.put(row.org_id)?;
                to.put(row.id)?;
                to.put(&property.key_lower)?;
                to.put(&property.key)?;
                to.put(&property.value_key)?;
                to.put(&property.value_long)?;
                to.put(row.started_at)
            })?;
        }
        Ok(())
    }

    async fn upsert_sessions(&mut self, sum: &RollUp<'_>) -> Result<Starts, StoreError> {
        let mut upsert = self.statement(&UPSERT_SESSION)?;
        let mut rows = Vec::with_capacity(sum.sessions.len());
        for ((org, session), delta) in &sum.sessions {
            let fixed: [&dyn ToSql; 14] = [
                org,
                session,
                &delta.long,
                &delta.name,
                &delta.name_set_at,
                &delta.first_at,
                &delta.last_started_at,
                &delta.last_ended_at,
                &delta.last_failed,
                &delta.calls,
                &delta.errors,
                &delta.cost,
                &delta.unpriced,
                &delta.latency_sum_us,
            ];
            let tokens = delta.tokens.iter().map(|part| part as &dyn ToSql);
            rows.push(upsert.query_row(params_from_iter(fixed.into_iter().chain(tokens)), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?);
        }
        let mut starts = Starts::with_capacity(rows.len());
        add_starts(&mut starts, rows);
        Ok(starts)
    }

    async fn move_session_properties(&mut self, sessions: &[(Uuid, &str, i64)]) -> Result<(), StoreError> {
        let mut update = self.statement(MOVE_SESSION)?;
        for (org, session, first_at) in sessions {
            update.execute(params![org, session, first_at])?;
        }
        Ok(())
    }

    async fn insert_session_users(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        let mut insert = self.statement(INSERT_USER)?;
        for ((org, session, key), long) in &sum.users {
            insert.execute(params![org, session, key, long])?;
        }
        Ok(())
    }

    async fn upsert_session_properties(&mut self, sum: &RollUp<'_>, starts: &Starts) -> Result<(), StoreError> {
        let mut upsert = self.statement(UPSERT_SESSION_PROPERTY)?;
        for ((org, session, key, value), delta) in &sum.properties {
            let first_at = start_of(starts, *org, session).unwrap_or(delta.last_at);
            upsert.execute(params![org, session, key, value, delta.long, first_at, delta.last_at, delta.calls])?;
        }
        Ok(())
    }

    async fn upsert_hours(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        hours::sqlite(self.0, &sum.hours)
    }

    async fn upsert_property_keys(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        let mut upsert = self.statement(UPSERT_KEY)?;
        for ((org, key_lower), delta) in &sum.keys {
            upsert.execute(params![org, key_lower, delta.key, delta.first_at, delta.last_at])?;
        }
        Ok(())
    }
}
