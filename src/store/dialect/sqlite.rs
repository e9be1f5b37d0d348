//! Bulk writes on SQLite: prepared statements of [`ROWS`] rows, and of one row for the rest.
//!
//! sqlx runs SQLite on a thread of its own, so each statement costs two hand-overs between threads, several times what
//! SQLite needs for a row. A statement of many rows fails as a whole where one of them is there already (the transaction
//! goes on); its rows then go one by one.

use std::collections::HashSet;

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::{
    Dialect, exchange_columns, properties, property_key_merge, session_columns, session_merge, session_property_merge,
    with_columns,
};
use crate::store::error::StoreError;
use crate::store::record::Record;
use crate::store::rollup::RollUp;
use crate::store::write::{Packed, Starts, start_of};

/// A connection inside a transaction.
pub(in crate::store) struct Bulk<'c>(pub &'c mut SqliteConnection);

/// Rows of a statement of many.
const ROWS: usize = 16;
/// Bodies of one statement of many, bytes: binding copies them.
const ROWS_BYTES: usize = 256 * 1024;

/// A row of `VALUES`, sixteen times.
macro_rules! sixteen {
    ($row:literal) => {
        concat!(
            $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ",
            $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row
        )
    };
}

const INSERT_CALLS: &str = concat!(
    "INSERT INTO exchange (",
    exchange_columns!(),
    ") VALUES ",
    sixteen!(
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
         ?, ?, ?, ?, ?, ?, ?)"
    )
);
const INSERT_BODIES: &str = concat!(
    "INSERT INTO body \
     (org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers) VALUES ",
    sixteen!("(?, ?, ?, ?, ?, ?, ?, ?)")
);
const INSERT_PROPERTIES: &str = concat!(
    "INSERT INTO exchange_property (org_id, call_id, key_lower, key, value_key, value_long, started_at) VALUES ",
    sixteen!("(?, ?, ?, ?, ?, ?, ?)")
);
const UPSERT_SESSION_PROPERTIES: &str = concat!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at) VALUES ",
    sixteen!("(?, ?, ?, ?, ?, ?, ?)"),
    session_property_merge!()
);
const INSERT_CALL: &str = concat!(
    "INSERT INTO exchange (",
    exchange_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
         $43, $44, $45, $46) \
     ON CONFLICT DO NOTHING"
);
const KNOWN: &str = "SELECT 1 FROM exchange WHERE org_id = $1 AND record_id = $2";
const INSERT_BODY: &str = "INSERT INTO body \
     (org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const INSERT_PROPERTY: &str = "INSERT INTO exchange_property \
     (org_id, call_id, key_lower, key, value_key, value_long, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const UPSERT_SESSION: &str = concat!(
    "INSERT INTO session (",
    session_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
    session_merge!()
);
const MOVE_SESSION: &str =
    "UPDATE session_property SET first_at = $3 WHERE org_id = $1 AND session_key = $2 AND first_at <> $3";
const INSERT_USER: &str = "INSERT INTO session_user_id (org_id, session_key, user_key, user_long) VALUES ($1, $2, $3, $4) \
     ON CONFLICT DO NOTHING";
const UPSERT_SESSION_PROPERTY: &str = concat!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
    session_property_merge!()
);
const UPSERT_KEY: &str = concat!(
    "INSERT INTO property_key (org_id, key_lower, key, first_at, last_at) VALUES ($1, $2, $3, $4, $5)",
    property_key_merge!()
);

#[cfg(test)]
pub(in crate::store) const STATEMENTS: &[&str] = &[
    INSERT_CALLS,
    INSERT_BODIES,
    INSERT_PROPERTIES,
    UPSERT_SESSION_PROPERTIES,
    INSERT_CALL,
    KNOWN,
    INSERT_BODY,
    INSERT_PROPERTY,
    UPSERT_SESSION,
    MOVE_SESSION,
    INSERT_USER,
    UPSERT_SESSION_PROPERTY,
    UPSERT_KEY,
];

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
        if chunk.len() != ROWS {
            return Ok(false);
        }
        let mut query = sqlx::query(INSERT_CALLS);
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
        for chunk in rows.chunks(ROWS) {
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
        for chunk in bodies.chunks(ROWS) {
            if chunk.len() == ROWS && chunk.iter().map(|(_, body)| body.len()).sum::<usize>() <= ROWS_BYTES {
                let mut query = sqlx::query(INSERT_BODIES);
                for (row, body) in chunk {
                    query = bind_body!(query, row, body);
                }
                query.execute(&mut *self.0).await?;
                continue;
            }
            for (row, body) in chunk {
                bind_body!(sqlx::query(INSERT_BODY), row, body).execute(&mut *self.0).await?;
            }
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        for chunk in properties(rows).chunks(ROWS) {
            if chunk.len() == ROWS {
                let mut query = sqlx::query(INSERT_PROPERTIES);
                for (row, property) in chunk {
                    query = bind_property!(query, row, property);
                }
                query.execute(&mut *self.0).await?;
                continue;
            }
            for (row, property) in chunk {
                bind_property!(sqlx::query(INSERT_PROPERTY), row, property).execute(&mut *self.0).await?;
            }
        }
        Ok(())
    }

    async fn upsert_sessions(&mut self, sum: &RollUp<'_>) -> Result<Starts, StoreError> {
        let mut starts = Starts::with_capacity(sum.sessions.len());
        for ((org, session), delta) in &sum.sessions {
            let mut query = sqlx::query_as::<_, (Uuid, String, i64)>(UPSERT_SESSION)
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
            let (org, session, first_at) = query.fetch_one(&mut *self.0).await?;
            starts.insert((org, session), first_at);
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
        for ((org, session, key), long) in &sum.users {
            let query = sqlx::query(INSERT_USER).bind(*org).bind(*session).bind(key.as_str()).bind(long.as_deref());
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn upsert_session_properties(&mut self, sum: &RollUp<'_>, starts: &Starts) -> Result<(), StoreError> {
        let all: Vec<_> = sum.properties.iter().collect();
        for chunk in all.chunks(ROWS) {
            if chunk.len() == ROWS {
                let mut query = sqlx::query(UPSERT_SESSION_PROPERTIES);
                for (key, delta) in chunk {
                    query = bind_session_property!(query, key, delta, starts);
                }
                query.execute(&mut *self.0).await?;
                continue;
            }
            for (key, delta) in chunk {
                let query = sqlx::query(UPSERT_SESSION_PROPERTY);
                bind_session_property!(query, key, delta, starts).execute(&mut *self.0).await?;
            }
        }
        Ok(())
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
