//! Bulk writes on SQLite: prepared statements, row by row.

use std::collections::HashSet;

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::{
    Dialect, exchange_columns, property_key_merge, session_columns, session_merge, session_property_merge, with_columns,
};
use crate::store::error::StoreError;
use crate::store::record::Record;
use crate::store::rollup::RollUp;
use crate::store::write::{Packed, Starts, start_of};

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
const INSERT_USER: &str = "INSERT INTO session_user (org_id, session_key, user_key, user_long) VALUES ($1, $2, $3, $4) \
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

impl Dialect for SqliteConnection {
    async fn insert_calls(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut inserted = HashSet::with_capacity(rows.len());
        for row in rows {
            macro_rules! bind_all {
                ($($column:ident),*) => { sqlx::query(INSERT_CALL)$(.bind(row.$column.clone()))* };
            }
            if with_columns!(bind_all).execute(&mut *self).await?.rows_affected() == 1 {
                inserted.insert((row.org_id, row.record_id));
            }
        }
        Ok(inserted)
    }

    async fn known_records(&mut self, rows: &[&Record<'_>]) -> Result<HashSet<(Uuid, Uuid)>, StoreError> {
        let mut known = HashSet::new();
        for row in rows {
            let query = sqlx::query(KNOWN).bind(row.org_id).bind(row.record_id);
            if query.fetch_optional(&mut *self).await?.is_some() {
                known.insert((row.org_id, row.record_id));
            }
        }
        Ok(known)
    }

    async fn insert_bodies(&mut self, rows: &[&Record<'_>], packed: &[Packed]) -> Result<(), StoreError> {
        for row in rows {
            let Some(body) = packed.get(row.index) else { continue };
            sqlx::query(INSERT_BODY)
                .bind(row.org_id)
                .bind(row.id)
                .bind(body.request.as_deref())
                .bind(body.response.as_deref())
                .bind(body.request_facts.as_slice())
                .bind(body.response_facts.as_slice())
                .bind(body.request_headers.as_slice())
                .bind(body.response_headers.as_slice())
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }

    async fn insert_properties(&mut self, rows: &[&Record<'_>]) -> Result<(), StoreError> {
        for row in rows {
            for property in &row.properties {
                sqlx::query(INSERT_PROPERTY)
                    .bind(row.org_id)
                    .bind(row.id)
                    .bind(property.key_lower.as_str())
                    .bind(&*property.key)
                    .bind(property.value_key.as_str())
                    .bind(property.value_long.as_deref())
                    .bind(row.started_at)
                    .execute(&mut *self)
                    .await?;
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
            let (org, session, first_at) = query.fetch_one(&mut *self).await?;
            starts.insert((org, session), first_at);
        }
        Ok(starts)
    }

    async fn move_session_properties(&mut self, sessions: &[(Uuid, &str, i64)]) -> Result<(), StoreError> {
        for (org, session, first_at) in sessions {
            sqlx::query(MOVE_SESSION).bind(*org).bind(*session).bind(*first_at).execute(&mut *self).await?;
        }
        Ok(())
    }

    async fn insert_session_users(&mut self, sum: &RollUp<'_>) -> Result<(), StoreError> {
        for ((org, session, key), long) in &sum.users {
            let query = sqlx::query(INSERT_USER).bind(*org).bind(*session).bind(key.as_str()).bind(long.as_deref());
            query.execute(&mut *self).await?;
        }
        Ok(())
    }

    async fn upsert_session_properties(&mut self, sum: &RollUp<'_>, starts: &Starts) -> Result<(), StoreError> {
        for ((org, session, key, value), delta) in &sum.properties {
            sqlx::query(UPSERT_SESSION_PROPERTY)
                .bind(*org)
                .bind(*session)
                .bind(*key)
                .bind(*value)
                .bind(delta.long)
                .bind(start_of(starts, *org, session).unwrap_or(delta.last_at))
                .bind(delta.last_at)
                .execute(&mut *self)
                .await?;
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
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }
}
