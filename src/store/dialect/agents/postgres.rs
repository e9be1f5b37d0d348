//! Tool calls and conversations on PostgreSQL.

use uuid::Uuid;

use super::{
    Adoption, Agents, DROP_PROPERTIES, DROP_SESSION, DROP_TAG, DROP_USERS, Known, LOCK_SESSION, MOVE_SESSION, MOVE_TAG,
    Moved, MovedProperty, StateRow, known_columns, moved_columns, state_columns, state_merge, tool_call_columns,
    tool_result_columns, wait_columns,
};
use crate::model::agent::{ToolCall, ToolResult};
use crate::store::dialect::CHUNK;
use crate::store::dialect::postgres::{Bulk, column};
use crate::store::error::StoreError;
use crate::store::link::limited;
use crate::store::record::Record;
use crate::store::text::clean;

const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
const SHOWING: &str = concat!(
    "SELECT s.state, ",
    known_columns!(),
    ", s.path AS below FROM conversation_state s JOIN exchange e ON e.org_id = s.org_id AND e.id = s.call_id \
     WHERE s.org_id = $1 AND s.state = ANY($2::int8[])"
);
const WAITING: &str = concat!(
    "SELECT w.state, ",
    known_columns!(),
    ", w.rule AS below FROM conversation_wait w \
     JOIN exchange e ON e.org_id = w.org_id AND e.id = w.call_id \
     WHERE w.org_id = $1 AND w.state = ANY($2::int8[]) LIMIT 1000"
);
const PUT_STATES: &str = concat!(
    "INSERT INTO conversation_state (",
    state_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::int8[], $3::uuid[], $4::int8[], $5::text[])",
    state_merge!()
);
const PUT_WAITS: &str = concat!(
    "INSERT INTO conversation_wait (",
    wait_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::int8[], $3::uuid[], $4::text[]) ON CONFLICT DO NOTHING"
);
const INSERT_TOOL_CALLS: &str = concat!(
    "INSERT INTO tool_call (",
    tool_call_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::bool[], \
     $8::bytea[], $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::int8[], $14::int8[])"
);
const INSERT_TOOL_RESULTS: &str = concat!(
    "INSERT INTO tool_result (",
    tool_result_columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::int4[], $4::int8[], $5::text[], $6::bool[], $7::text[], \
     $8::int8[], $9::text[], $10::bool[], $11::int8[], $12::int8[], $13::int8[])"
);
const ADOPT: &str = concat!(
    "UPDATE exchange SET session_key = t.key, session_long = t.long, session_rule = t.rule \
     FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (org, call, key, long, rule) \
     WHERE org_id = t.org AND id = t.call AND exchange.session_key IS NULL",
    moved_columns!()
);
const PROPERTIES: &str = "SELECT p.org_id, p.call_id, p.key_lower, p.value_key, p.value_long \
     FROM UNNEST($1::uuid[], $2::uuid[]) AS t (org_id, call_id) \
     JOIN exchange_property p ON p.org_id = t.org_id AND p.call_id = t.call_id";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[LOCK, SHOWING, WAITING, PUT_STATES, PUT_WAITS, INSERT_TOOL_CALLS, INSERT_TOOL_RESULTS, ADOPT, PROPERTIES];

/// The lock of an organisation's conversations among those that the database knows by a number.
fn lock_of(org: Uuid) -> i64 {
    let (high, low) = org.as_u64_pair();
    i64::from_ne_bytes((high ^ low.rotate_left(17) ^ 0x7472_6169_6c67_6174).to_ne_bytes())
}

async fn known(db: &mut Bulk<'_>, text: &'static str, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
    if states.is_empty() {
        return Ok(Vec::new());
    }
    limited(db.limit, sqlx::query_as(text).bind(org).bind(states).fetch_all(&mut *db.connection)).await
}

impl Agents for Bulk<'_> {
    async fn lock(&mut self, orgs: &[Uuid]) -> Result<(), StoreError> {
        for org in orgs {
            let query = sqlx::query(LOCK).bind(lock_of(*org));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn showing(&mut self, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
        known(self, SHOWING, org, states).await
    }

    async fn waiting(&mut self, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
        known(self, WAITING, org, states).await
    }

    async fn put_states(&mut self, rows: &[StateRow<'_>]) -> Result<(), StoreError> {
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(PUT_STATES)
                .bind(column(chunk, |row| row.org))
                .bind(column(chunk, |row| row.state))
                .bind(column(chunk, |row| row.call))
                .bind(column(chunk, |row| row.started_at))
                .bind(column(chunk, |row| row.path));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn put_waits(&mut self, rows: &[StateRow<'_>]) -> Result<(), StoreError> {
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(PUT_WAITS)
                .bind(column(chunk, |row| row.org))
                .bind(column(chunk, |row| row.state))
                .bind(column(chunk, |row| row.call))
                .bind(column(chunk, |row| row.path));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn insert_tool_calls(&mut self, rows: &[(&Record<'_>, &ToolCall)]) -> Result<(), StoreError> {
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(INSERT_TOOL_CALLS)
                .bind(column(chunk, |(row, _)| row.org_id))
                .bind(column(chunk, |(row, _)| row.id))
                .bind(column(chunk, |(_, call)| call.position))
                .bind(column(chunk, |(_, call)| call.id.as_deref()))
                .bind(column(chunk, |(_, call)| call.name.as_str()))
                .bind(column(chunk, |(_, call)| call.form.as_str()))
                .bind(column(chunk, |(_, call)| call.at_provider))
                .bind(column(chunk, |(_, call)| call.arguments.as_bytes()))
                .bind(column(chunk, |(_, call)| call.arguments_bytes))
                .bind(column(chunk, |(_, call)| call.pair))
                .bind(column(chunk, |(_, call)| call.same))
                .bind(column(chunk, |(_, call)| call.state))
                .bind(column(chunk, |(row, _)| row.started_at))
                .bind(column(chunk, |(row, _)| row.ended_at));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn insert_tool_results(&mut self, rows: &[(&Record<'_>, &ToolResult)]) -> Result<(), StoreError> {
        for chunk in rows.chunks(CHUNK) {
            let query = sqlx::query(INSERT_TOOL_RESULTS)
                .bind(column(chunk, |(row, _)| row.org_id))
                .bind(column(chunk, |(row, _)| row.id))
                .bind(column(chunk, |(_, result)| result.position))
                .bind(column(chunk, |(_, result)| result.pair))
                .bind(column(chunk, |(_, result)| result.source.as_str()))
                .bind(column(chunk, |(_, result)| result.ok))
                .bind(column(chunk, |(_, result)| result.rule))
                .bind(column(chunk, |(_, result)| result.bytes))
                .bind(column(chunk, |(_, result)| clean(&result.preview)))
                .bind(column(chunk, |(_, result)| result.waited))
                .bind(column(chunk, |(_, result)| result.state))
                .bind(column(chunk, |(row, _)| row.started_at))
                .bind(column(chunk, |(row, _)| row.ended_at));
            limited(self.limit, query.execute(&mut *self.connection)).await?;
        }
        Ok(())
    }

    async fn adopt(&mut self, calls: &[Adoption]) -> Result<Vec<Moved>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query_as(ADOPT)
            .bind(column(calls, |call| call.org))
            .bind(column(calls, |call| call.call))
            .bind(column(calls, |call| call.session_key.as_str()))
            .bind(column(calls, |call| call.session_long.as_deref()))
            .bind(column(calls, |call| call.rule));
        limited(self.limit, query.fetch_all(&mut *self.connection)).await
    }

    async fn move_session(
        &mut self,
        org: Uuid,
        from: &str,
        (key, long): (&str, Option<&str>),
    ) -> Result<Vec<Moved>, StoreError> {
        let lock = sqlx::query(LOCK_SESSION).bind(org).bind(from);
        limited(self.limit, lock.execute(&mut *self.connection)).await?;
        let update = sqlx::query_as(MOVE_SESSION).bind(key).bind(long).bind(org).bind(from);
        let moved = limited(self.limit, update.fetch_all(&mut *self.connection)).await?;
        let tag = sqlx::query(MOVE_TAG).bind(key).bind(org).bind(from);
        limited(self.limit, tag.execute(&mut *self.connection)).await?;
        for text in [DROP_TAG, DROP_SESSION, DROP_USERS, DROP_PROPERTIES] {
            limited(self.limit, sqlx::query(text).bind(org).bind(from).execute(&mut *self.connection)).await?;
        }
        Ok(moved)
    }

    async fn properties_of(&mut self, calls: &[(Uuid, Uuid)]) -> Result<Vec<MovedProperty>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query_as(PROPERTIES).bind(column(calls, |call| call.0)).bind(column(calls, |call| call.1));
        limited(self.limit, query.fetch_all(&mut *self.connection)).await
    }
}
