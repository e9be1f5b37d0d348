//! Bulk writes on SQLite: prepared statements of [`MANY`], of [`SOME`] and of one row.
//!
//! sqlx runs SQLite on a thread of its own, so each statement costs two hand-overs between threads, several times what
//! SQLite needs for a row. A statement of many rows fails as a whole where one of them is there already (the transaction
//! goes on); its rows then go one by one.

use std::collections::HashSet;

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::{
    Dialect, exchange_columns, hours, properties, property_key_merge, session_columns, session_merge,
    session_property_merge, with_columns,
};
use crate::store::error::StoreError;
use crate::store::record::Record;
use crate::store::rollup::RollUp;
use crate::store::write::{Packed, Starts, add_starts, start_of};

/// A connection inside a transaction.
pub(in crate::store) struct Bulk<'c>(pub &'c mut SqliteConnection);

/// Rows of the statements of many.
const MANY: usize = 64;
const SOME: usize = 8;
/// Bodies of one statement of many, bytes: binding copies them.
const MANY_BYTES: usize = 1024 * 1024;

/// Rows in the chunks that there are statements for: as many large ones as fit, then smaller ones.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let (many, rest) = rows.split_at(rows.len() - rows.len() % MANY);
    let (some, single) = rest.split_at(rest.len() - rest.len() % SOME);
    many.chunks(MANY).chain(some.chunks(SOME)).chain(single.chunks(1))
}

/// The statement for a chunk of that many rows.
const fn of(texts: [&'static str; 3], rows: usize) -> &'static str {
    let [many, some, one] = texts;
    match rows {
        MANY => many,
        SOME => some,
        _ => one,
    }
}

/// A row of `VALUES`, eight times.
macro_rules! eight {
    ($($row:tt)*) => {
        concat!(
            $($row)*, ", ", $($row)*, ", ", $($row)*, ", ", $($row)*, ", ", $($row)*, ", ", $($row)*, ", ", $($row)*, ", ",
            $($row)*
        )
    };
}

/// A statement for [`MANY`], [`SOME`] and one row.
macro_rules! statements {
    ($head:expr, $row:literal, $tail:expr) => {
        [
            concat!($head, " VALUES ", eight!(eight!($row)), $tail),
            concat!($head, " VALUES ", eight!($row), $tail),
            concat!($head, " VALUES ", $row, $tail),
        ]
    };
}

const INSERT_CALLS: [&str; 3] = statements!(
    concat!("INSERT INTO exchange (", exchange_columns!(), ")"),
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
     ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ""
);
const INSERT_BODIES: [&str; 3] = statements!(
    "INSERT INTO body \
     (org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers)",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
    ""
);
const INSERT_PROPERTIES: [&str; 3] = statements!(
    "INSERT INTO exchange_property (org_id, call_id, key_lower, key, value_key, value_long, started_at)",
    "(?, ?, ?, ?, ?, ?, ?)",
    ""
);
const INSERT_USERS: [&str; 3] = statements!(
    "INSERT INTO session_user_id (org_id, session_key, user_key, user_long)",
    "(?, ?, ?, ?)",
    " ON CONFLICT DO NOTHING"
);
const UPSERT_SESSION_PROPERTIES: [&str; 3] = statements!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at)",
    "(?, ?, ?, ?, ?, ?, ?)",
    session_property_merge!()
);
const UPSERT_SESSIONS: [&str; 3] = statements!(
    concat!("INSERT INTO session (", session_columns!(), ")"),
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    session_merge!()
);
const INSERT_CALL: &str = concat!(
    "INSERT INTO exchange (",
    exchange_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
         $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54) \
     ON CONFLICT DO NOTHING"
);
const KNOWN: &str = "SELECT 1 FROM exchange WHERE org_id = $1 AND record_id = $2";
const MOVE_SESSION: &str =
    "UPDATE session_property SET first_at = $3 WHERE org_id = $1 AND session_key = $2 AND first_at <> $3";
const UPSERT_KEY: &str = concat!(
    "INSERT INTO property_key (org_id, key_lower, key, first_at, last_at) VALUES ($1, $2, $3, $4, $5)",
    property_key_merge!()
);

#[cfg(test)]
pub(in crate::store) const STATEMENTS: &[&str] = &[INSERT_CALL, KNOWN, MOVE_SESSION, UPSERT_KEY];
#[cfg(test)]
pub(in crate::store) const STATEMENTS_OF_MANY: &[[&str; 3]] =
    &[INSERT_CALLS, INSERT_BODIES, INSERT_PROPERTIES, INSERT_USERS, UPSERT_SESSION_PROPERTIES, UPSERT_SESSIONS];

/// Binds a call's bodies to a query.
macro_rules! bind_body {
    ($query:expr, $row:expr, $body:expr) => {{
        let (row, body): (&Record<'_>, &Packed) = ($row, $body);
        $query
            .bind(row.org_id)
            .bind(row.id)
            .bind(body.request.as_deref())
            .bind(body.response.as_deref())
            .bind(body.request_facts.as_slice())
            .bind(body.response_facts.as_slice())
            .bind(body.request_headers.as_slice())
            .bind(body.response_headers.as_slice())
    }};
}

/// Binds a property to a query.
macro_rules! bind_property {
    ($query:expr, $row:expr, $property:expr) => {{
        let (row, property) = ($row, $property);
        $query
            .bind(row.org_id)
            .bind(row.id)
            .bind(property.key_lower.as_str())
            .bind(&*property.key)
            .bind(property.value_key.as_str())
            .bind(property.value_long.as_deref())
            .bind(row.started_at)
    }};
}

/// Binds what a batch adds to a property of a session to a query.
macro_rules! bind_session_property {
    ($query:expr, $key:expr, $delta:expr, $starts:expr) => {{
        let ((org, session, key, value), delta) = ($key, $delta);
        $query
            .bind(*org)
            .bind(*session)
            .bind(*key)
            .bind(*value)
            .bind(delta.long)
            .bind(start_of($starts, *org, session).unwrap_or(delta.last_at))
            .bind(delta.last_at)
    }};
}

impl Bulk<'_> {
    /// Inserts a whole chunk, or nothing of it and false where a row of it is there already.
    async fn insert_chunk(&mut self, chunk: &[&Record<'_>]) -> Result<bool, StoreError> {
        let mut query = sqlx::query(of(INSERT_CALLS, chunk.len()));
        for row in chunk {
            macro_rules! bind_all {
                ($($column:ident),*) => { query$(.bind(row.$column.clone()))* };
            }
            query = with_columns!(bind_all);
        }
        match query.execute(&mut *self.0).await {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Dialect for Bulk<'_> {
    async fn insert_calls(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut inserted = HashSet::with_capacity(rows.len());
        for chunk in chunks(rows) {
            if self.insert_chunk(chunk).await? {
                inserted.extend(chunk.iter().map(|row| (row.org_id, row.record_id)));
                continue;
            }
            for row in chunk {
                macro_rules! bind_all {
                    ($($column:ident),*) => { sqlx::query(INSERT_CALL)$(.bind(row.$column.clone()))* };
                }
                if with_columns!(bind_all).execute(&mut *self.0).await?.rows_affected() == 1 {
                    inserted.insert((row.org_id, row.record_id));
                }
            }
        }
        Ok(inserted)
    }

    async fn known_records(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut known = HashSet::new();
        for row in rows {
            let query = sqlx::query(KNOWN).bind(row.org_id).bind(row.record_id);
            if query.fetch_optional(&mut *self.0).await?.is_some() {
                known.insert((row.org_id, row.record_id));
            }
        }
        Ok(known)
    }

    async fn insert_bodies(&mut self, rows: &[&Record<'_>], packed: &[Packed]) -> Result<(), StoreError> {
        let mut bodies = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(body) = packed.get(row.index) {
                bodies.push((*row, body));
            }
        }
        for chunk in chunks(&bodies) {
            let small = chunk.iter().map(|(_, body)| body.len()).sum::<usize>() <= MANY_BYTES;
            for part in chunk.chunks(if small { chunk.len() } else { 1 }) {
                let mut query = sqlx::query(of(INSERT_BODIES, part.len()));
                for (row, body) in part {
                    query = bind_body!(query, row, body);
                }
                query.execute(&mut *self.0).await?;
            }
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        for chunk in chunks(&properties(rows)) {
            let mut query = sqlx::query(of(INSERT_PROPERTIES, chunk.len()));
            for (row, property) in chunk {
                query = bind_property!(query, row, property);
            }
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn upsert_sessions(&mut self, sum: &RollUp<'_>) -> Result<Starts, StoreError> {
        let all: Vec<_> = sum.sessions.iter().collect();
        let mut starts = Starts::with_capacity(all.len());
        for chunk in chunks(&all) {
            let mut query = sqlx::query_as::<_, (Uuid, String, i64, i64)>(of(UPSERT_SESSIONS, chunk.len()));
            for ((org, session), delta) in chunk {
                query = query
                    .bind(*org)
                    .bind(*session)
                    .bind(delta.long)
                    .bind(delta.name)
                    .bind(delta.name_set_at)
                    .bind(delta.first_at)
                    .bind(delta.last_started_at)
                    .bind(delta.last_ended_at)
                    .bind(delta.last_failed)
                    .bind(delta.calls)
                    .bind(delta.errors)
                    .bind(delta.cost)
                    .bind(delta.unpriced)
                    .bind(delta.latency_sum_us);
                for part in delta.tokens {
                    query = query.bind(part);
                }
            }
            add_starts(&mut starts, query.fetch_all(&mut *self.0).await?);
        }
        Ok(starts)
    }

    async fn move_session_properties(&mut self, sessions: &[(Uuid, &str, i64)]) -> Result<(), StoreError> {
        for (org, session, first_at) in sessions {
            sqlx::query(MOVE_SESSION).bind(*org).bind(*session).bind(*first_at).execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn insert_session_users(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        let all: Vec<_> = sum.users.iter().collect();
        for chunk in chunks(&all) {
            let mut query = sqlx::query(of(INSERT_USERS, chunk.len()));
            for ((org, session, key), long) in chunk {
                query = query.bind(*org).bind(*session).bind(key.as_str()).bind(long.as_deref());
            }
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn upsert_session_properties(&mut self, sum: &RollUp<'_>, starts: &Starts) -> Result<(), StoreError> {
        let all: Vec<_> = sum.properties.iter().collect();
        for chunk in chunks(&all) {
            let mut query = sqlx::query(of(UPSERT_SESSION_PROPERTIES, chunk.len()));
            for (key, delta) in chunk {
                query = bind_session_property!(query, key, delta, starts);
            }
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn upsert_hours(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        hours::sqlite(self.0, &sum.hours).await
    }

    async fn upsert_property_keys(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        for ((org, key_lower), delta) in &sum.keys {
            sqlx::query(UPSERT_KEY)
                .bind(*org)
                .bind(*key_lower)
                .bind(delta.key)
                .bind(delta.first_at)
                .bind(delta.last_at)
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }
}
