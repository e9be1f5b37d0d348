//! Bulk writes on PostgreSQL: arrays through `UNNEST`, which measured equal to `COPY` and allows `ON CONFLICT`.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{
    CHUNK, Dialect, exchange_columns, hours, properties, property_key_merge, session_columns, session_merge,
    session_property_merge, with_columns,
};
use crate::store::error::StoreError;
use crate::store::link::limited;
use crate::store::record::Record;
use crate::store::rollup::{PARTS, RollUp, SessionDelta};
use crate::store::write::{Packed, Starts, add_starts, start_of};

/// A connection inside a transaction.
pub(in crate::store) struct Bulk<'c> {
    pub connection: &'c mut PgConnection,
    /// Of each statement.
    pub limit: Duration,
}

/// Bytes of bodies a statement, so that no message nears the protocol's limit of 1 GB and memory stays bounded.
const BODY_BYTES: usize = 16 << 20;

const INSERT_CALLS: &str = concat!(
    "INSERT INTO exchange (",
    exchange_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int8[], \
         $8::int8[], $9::int8[], $10::text[], $11::int4[], $12::text[], $13::text[], $14::text[], \
         $15::text[], $16::text[], $17::text[], $18::text[], $19::bool[], $20::text[], $21::text[], \
         $22::text[], $23::text[], $24::text[], $25::int4[], $26::text[], $27::text[], $28::text[], \
         $29::text[], $30::text[], $31::text[], $32::text[], $33::int8[], $34::int8[], $35::int8[], \
         $36::int8[], $37::int8[], $38::int8[], $39::int8[], $40::int8[], $41::int8[], $42::int8[], \
         $43::int8[], $44::int8[], $45::int8[], $46::text[], $47::text[], $48::text[], $49::int8[], \
         $50::text[], $51::text[], $52::int8[], $53::int8[], $54::text[], $55::text[], \
         $56::int4[], $57::int8[], $58::int8[], $59::bytea[]) \
     ON CONFLICT DO NOTHING RETURNING org_id, record_id"
);
const KNOWN: &str = "SELECT e.org_id, e.record_id FROM UNNEST($1::uuid[], $2::uuid[]) AS t (org_id, record_id) \
     JOIN exchange e ON e.org_id = t.org_id AND e.record_id = t.record_id";
const INSERT_BODIES: &str = "INSERT INTO body \
     (org_id, call_id, request, response, request_facts, response_facts, request_headers, response_headers) \
     SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], \
     $8::bytea[])";
const INSERT_PROPERTIES: &str = "INSERT INTO exchange_property \
     (org_id, call_id, key_lower, key, value_key, value_long, started_at) \
     SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[])";
const UPSERT_SESSIONS: &str = concat!(
    "INSERT INTO session (",
    session_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], \
         $8::int8[], $9::bool[], $10::int8[], $11::int8[], $12::int8[], $13::int8[], $14::int8[], \
         $15::int8[], $16::int8[], $17::int8[], $18::int8[], $19::int8[], $20::int8[], $21::int8[], \
         $22::int8[], $23::int8[], $24::int8[], $25::int8[], $26::int8[], $27::int8[])",
    session_merge!()
);
const MOVE_SESSIONS: &str = "UPDATE session_property AS p SET first_at = t.first_at \
     FROM UNNEST($1::uuid[], $2::text[], $3::int8[]) AS t (org_id, session_key, first_at) \
     WHERE p.org_id = t.org_id AND p.session_key = t.session_key AND p.first_at <> t.first_at";
const INSERT_USERS: &str = "INSERT INTO session_user_id (org_id, session_key, user_key, user_long) \
     SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING";
const UPSERT_SESSION_PROPERTIES: &str = concat!(
    "INSERT INTO session_property (org_id, session_key, key_lower, value_key, value_long, first_at, last_at, calls) \
     SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], $8::int8[])",
    session_property_merge!()
);
const UPSERT_KEYS: &str = concat!(
    "INSERT INTO property_key (org_id, key_lower, key, first_at, last_at) \
     SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::int8[], $5::int8[])",
    property_key_merge!()
);

#[cfg(test)]
pub(in crate::store) const STATEMENTS: &[&str] = &[
    INSERT_CALLS,
    KNOWN,
    INSERT_BODIES,
    INSERT_PROPERTIES,
    UPSERT_SESSIONS,
    MOVE_SESSIONS,
    INSERT_USERS,
    UPSERT_SESSION_PROPERTIES,
    UPSERT_KEYS,
];

/// One array of a column.
pub(super) fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

impl Dialect for Bulk<'_> {
    async fn insert_calls(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut inserted = HashSet::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            macro_rules! bind_all {
                ($($column:ident),*) => {
                    sqlx::query_as::<_, (Uuid, Uuid)>(INSERT_CALLS)$(.bind(column(chunk, |row| row.$column.clone())))*
                };
            }
            inserted.extend(limited(self.limit, with_columns!(bind_all).fetch_all(&mut *self.connection)).await?);
        }
        Ok(inserted)
    }

    async fn known_records(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut known = HashSet::new();
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query_as::<_, (Uuid, Uuid)>(KNOWN)
                .bind(column(chunk, |row| row.org_id))
                .bind(column(chunk, |row| row.record_id));
            known.extend(limited(self.limit, query.fetch_all(&mut *self.connection)).await?);
        }
        Ok(known)
    }

    async fn insert_bodies(&mut self, rows: &[&Record<'_>], packed: &[Packed]) -> Result<(), StoreError> {
        let rows: Vec<(&Record<'_>, &Packed)> =
            rows.iter().filter_map(|row| packed.get(row.index).map(|body| (*row, body))).collect();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(body_chunk(rest));
            rest = after;
            let query = sqlx::query(INSERT_BODIES)
                .bind(column(chunk, |(row, _)| row.org_id))
                .bind(column(chunk, |(row, _)| row.id))
                .bind(column(chunk, |(_, body)| body.request.as_deref()))
                .bind(column(chunk, |(_, body)| body.response.as_deref()))
                .bind(column(chunk, |(_, body)| body.request_facts.as_slice()))
                .bind(column(chunk, |(_, body)| body.response_facts.as_slice()))
                .bind(column(chunk, |(_, body)| body.request_headers.as_slice()))
                .bind(column(chunk, |(_, body)| body.response_headers.as_slice()));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        for chunk in properties(rows).chunks(CHUNK) {
            let query = sqlx::query(INSERT_PROPERTIES)
                .bind(column(chunk, |(row, _)| row.org_id))
                .bind(column(chunk, |(row, _)| row.id))
                .bind(column(chunk, |(_, property)| property.key_lower.as_str()))
                .bind(column(chunk, |(_, property)| &*property.key))
                .bind(column(chunk, |(_, property)| property.value_key.as_str()))
                .bind(column(chunk, |(_, property)| property.value_long.as_deref()))
                .bind(column(chunk, |(row, _)| row.started_at));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn upsert_sessions(&mut self, sum: &RollUp<'_>) -> Result<Starts, StoreError> {
        let mut starts = Starts::with_capacity(sum.sessions.len());
        let rows: Vec<(&(Uuid, &str), &SessionDelta<'_>)> = sum.sessions.iter().collect();
        for chunk in rows.chunks(CHUNK) {
            let mut query = sqlx::query_as::<_, (Uuid, String, i64, i64)>(UPSERT_SESSIONS)
                .bind(column(chunk, |(key, _)| key.0))
                .bind(column(chunk, |(key, _)| key.1))
                .bind(column(chunk, |(_, delta)| delta.long))
                .bind(column(chunk, |(_, delta)| delta.name))
                .bind(column(chunk, |(_, delta)| delta.name_set_at))
                .bind(column(chunk, |(_, delta)| delta.first_at))
                .bind(column(chunk, |(_, delta)| delta.last_started_at))
                .bind(column(chunk, |(_, delta)| delta.last_ended_at))
                .bind(column(chunk, |(_, delta)| delta.last_failed))
                .bind(column(chunk, |(_, delta)| delta.calls))
                .bind(column(chunk, |(_, delta)| delta.errors))
                .bind(column(chunk, |(_, delta)| delta.cost))
                .bind(column(chunk, |(_, delta)| delta.unpriced))
                .bind(column(chunk, |(_, delta)| delta.latency_sum_us));
            for part in 0..PARTS {
                query = query.bind(column(chunk, |(_, delta)| delta.tokens.get(part).copied().unwrap_or_default()));
            }
            add_starts(&mut starts, limited(self.limit, query.fetch_all(&mut *self.connection)).await?);
        }
        Ok(starts)
    }

    async fn move_session_properties(&mut self, sessions: &[(Uuid, &str, i64)]) -> Result<(), StoreError> {
        for chunk in sessions.chunks(CHUNK) {
            let query = sqlx::query(MOVE_SESSIONS)
                .bind(column(chunk, |row| row.0))
                .bind(column(chunk, |row| row.1))
                .bind(column(chunk, |row| row.2));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn insert_session_users(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        let rows: Vec<_> = sum.users.iter().collect();
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(INSERT_USERS)
                .bind(column(chunk, |(key, _)| key.0))
                .bind(column(chunk, |(key, _)| key.1))
                .bind(column(chunk, |(key, _)| key.2.as_str()))
                .bind(column(chunk, |(_, long)| long.as_deref()));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn upsert_session_properties(&mut self, sum: &RollUp<'_>, starts: &Starts) -> Result<(), StoreError> {
        let rows: Vec<_> = sum.properties.iter().collect();
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(UPSERT_SESSION_PROPERTIES)
                .bind(column(chunk, |(key, _)| key.0))
                .bind(column(chunk, |(key, _)| key.1))
                .bind(column(chunk, |(key, _)| key.2))
                .bind(column(chunk, |(key, _)| key.3))
                .bind(column(chunk, |(_, delta)| delta.long))
                .bind(column(chunk, |(key, delta)| start_of(starts, key.0, key.1).unwrap_or(delta.last_at)))
                .bind(column(chunk, |(_, delta)| delta.last_at))
                .bind(column(chunk, |(_, delta)| delta.calls));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn upsert_hours(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        hours::postgres(self.connection, self.limit, &sum.hours).await
    }

    async fn upsert_property_keys(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        let rows: Vec<_> = sum.keys.iter().collect();
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(UPSERT_KEYS)
                .bind(column(chunk, |(key, _)| key.0))
                .bind(column(chunk, |(key, _)| key.1))
                .bind(column(chunk, |(_, delta)| delta.key))
                .bind(column(chunk, |(_, delta)| delta.first_at))
                .bind(column(chunk, |(_, delta)| delta.last_at));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }
}

/// How many rows the next statement takes: at least one, then as many as stay within the limits.
fn body_chunk(rows: &[(&Record<'_>, &Packed)]) -> usize {
    let mut bytes = 0;
    let fits = rows.iter().take(CHUNK).take_while(|(_, body)| {
        bytes += body.len();
        bytes <= BODY_BYTES
    });
    fits.count().max(1)
}
