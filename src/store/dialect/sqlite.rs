//! Bulk writes on SQLite: one prepared statement a table, run row by row.
//!
//! Through rusqlite and not through sqlx, which runs SQLite on a thread of its own and copies every value into an argument
//! list first: that cost several times what SQLite needs for a row. Nothing here waits, so a whole batch is one poll.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql, params, params_from_iter};
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

/// `INSERT INTO table (columns) VALUES (?, …) tail`, with a parameter a column.
pub(super) fn insert(table: &str, columns: &str, tail: &str) -> String {
    let places = vec!["?"; columns.split(',').count()].join(", ");
    format!("INSERT INTO {table} ({columns}) VALUES ({places}){tail}")
}

static INSERT_CALL: LazyLock<String> =
    LazyLock::new(|| insert("exchange", exchange_columns!(), " ON CONFLICT DO NOTHING"));
static UPSERT_SESSION: LazyLock<String> = LazyLock::new(|| insert("session", session_columns!(), session_merge!()));
const INSERT_BODY: &str = "INSERT INTO body \
     (org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_PROPERTY: &str = "INSERT INTO exchange_property \
     (org_id, call_id, key_lower, key, value_key, value_long, started_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
const INSERT_USER: &str = "INSERT INTO session_user_id (org_id, session_key, user_key, user_long) VALUES (?, ?, ?, ?) \
     ON CONFLICT DO NOTHING";
const UPSERT_SESSION_PROPERTY: &str = concat!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?)",
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
        INSERT_CALL.as_str(),
        UPSERT_SESSION.as_str(),
        INSERT_BODY,
        INSERT_PROPERTY,
        INSERT_USER,
        UPSERT_SESSION_PROPERTY,
        KNOWN,
        MOVE_SESSION,
        UPSERT_KEY,
    ]
}

/// Statements that a connection keeps prepared.
const PREPARED: usize = 32;

/// A connection for writing, with the same settings as those of the pools.
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
    Ok(connection)
}

impl Bulk<'_> {
    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        Ok(self.0.prepare_cached(sql)?)
    }
}

impl Dialect for Bulk<'_> {
    async fn insert_calls(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut insert = self.statement(&INSERT_CALL)?;
        let mut inserted = HashSet::with_capacity(rows.len());
        for row in rows {
            macro_rules! all {
                ($($column:ident),*) => { [$(&row.$column as &dyn ToSql),*] };
            }
            if insert.execute(&with_columns!(all)[..])? == 1 {
                inserted.insert((row.org_id, row.record_id));
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
        let mut insert = self.statement(INSERT_BODY)?;
        for row in rows {
            let Some(body) = packed.get(row.index) else { continue };
            insert.execute(params![
                row.org_id,
                row.id,
                body.request,
                body.response,
                body.request_facts,
                body.response_facts,
                body.request_headers,
                body.response_headers
            ])?;
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        let mut insert = self.statement(INSERT_PROPERTY)?;
        for (row, property) in properties(rows) {
            insert.execute(params![
                row.org_id,
                row.id,
                property.key_lower,
                property.key,
                property.value_key,
                property.value_long,
                row.started_at
            ])?;
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
            upsert.execute(params![org, session, key, value, delta.long, first_at, delta.last_at])?;
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
