//! Tool calls and conversations on SQLite: prepared statements of many rows and of one. Lists of states go as one JSON text.

use std::sync::LazyLock;

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    Adoption, Agents, DROP_PROPERTIES, DROP_SESSION, DROP_TAG, DROP_USERS, Known, MOVE_SESSION, MOVE_TAG, Moved,
    MovedProperty, StateRow, Tokens, known_columns, moved_columns, state_columns, state_merge, tool_call_columns,
    tool_result_columns, wait_columns,
};
use crate::model::agent::{ToolCall, ToolResult};
use crate::store::dialect::sqlite::{Bulk, Insert, chunks};
use crate::store::error::StoreError;
use crate::store::record::Record;
use crate::store::text::clean;

// Cross joins keep their order: each state is looked up, and never all states of an organisation walked through.
const SHOWING: &str = concat!(
    "SELECT s.state, ",
    known_columns!(),
    ", s.path AS below FROM json_each(?2) j CROSS JOIN conversation_state s ON s.org_id = ?1 AND s.state = j.value \
     CROSS JOIN exchange e ON e.org_id = s.org_id AND e.id = s.call_id"
);
const WAITING: &str = concat!(
    "SELECT w.state, ",
    known_columns!(),
    ", w.rule AS below FROM json_each(?2) j CROSS JOIN conversation_wait w ON w.org_id = ?1 AND w.state = j.value \
     CROSS JOIN exchange e ON e.org_id = w.org_id AND e.id = w.call_id LIMIT 1000"
);
static PUT_STATES: LazyLock<Insert> =
    LazyLock::new(|| Insert::merging("conversation_state", state_columns!(), state_merge!()));
static PUT_WAITS: LazyLock<Insert> =
    LazyLock::new(|| Insert::merging("conversation_wait", wait_columns!(), " ON CONFLICT DO NOTHING"));
static INSERT_TOOL_CALLS: LazyLock<Insert> = LazyLock::new(|| Insert::into("tool_call", tool_call_columns!()));
static INSERT_TOOL_RESULTS: LazyLock<Insert> = LazyLock::new(|| Insert::into("tool_result", tool_result_columns!()));
const ADOPT: &str = concat!(
    "UPDATE exchange SET session_key = ?3, session_long = ?4, session_rule = ?5 \
     WHERE org_id = ?1 AND id = ?2 AND session_key IS NULL",
    moved_columns!()
);
const PROPERTIES: &str = "SELECT org_id, call_id, key_lower, value_key, value_long FROM exchange_property \
     WHERE org_id = ?1 AND call_id = ?2";

#[cfg(test)]
pub(super) fn statements() -> Vec<&'static str> {
    let inserts = [&PUT_STATES, &PUT_WAITS, &INSERT_TOOL_CALLS, &INSERT_TOOL_RESULTS];
    inserts.into_iter().flat_map(|insert| insert.texts()).chain([SHOWING, WAITING, ADOPT, PROPERTIES]).collect()
}

impl Bulk<'_> {
    fn known(&self, text: &str, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
        if states.is_empty() {
            return Ok(Vec::new());
        }
        let list = serde_json::to_string(states).unwrap_or_default();
        let mut select = self.statement(text)?;
        let rows = select.query_map(params![org, list], |row| {
            Ok(Known {
                state: row.get(0)?,
                id: row.get(1)?,
                record_id: row.get(2)?,
                session_key: row.get(3)?,
                session_long: row.get(4)?,
                session_path: row.get(5)?,
                started_at: row.get(6)?,
                below: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The columns of `moved_columns`.
fn moved(row: &Row<'_>) -> rusqlite::Result<Moved> {
    Ok(Moved {
        org_id: row.get(0)?,
        id: row.get(1)?,
        session_key: row.get(2)?,
        session_long: row.get(3)?,
        session_name: row.get(4)?,
        started_at: row.get(5)?,
        ended_at: row.get(6)?,
        failed: row.get(7)?,
        unpriced: row.get(8)?,
        cost: row.get(9)?,
        user_id: row.get(10)?,
        tokens: Tokens::of(|part| row.get(11 + part))?,
    })
}

impl Agents for Bulk<'_> {
    async fn lock(&mut self, _: &[Uuid]) -> Result<(), StoreError> {
        // There is one writer at a time.
        Ok(())
    }

    async fn showing(&mut self, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
        self.known(SHOWING, org, states)
    }

    async fn waiting(&mut self, org: Uuid, states: &[i64]) -> Result<Vec<Known>, StoreError> {
        self.known(WAITING, org, states)
    }

    async fn put_states(&mut self, rows: &[StateRow<'_>]) -> Result<(), StoreError> {
        let mut inserting = self.inserting(&PUT_STATES);
        for chunk in chunks(rows) {
            inserting.run(chunk, |row, to| {
                to.put(row.org)?;
                to.put(row.state)?;
                to.put(row.call)?;
                to.put(row.started_at)?;
                to.put(row.path)
            })?;
        }
        Ok(())
    }

    async fn put_waits(&mut self, rows: &[StateRow<'_>]) -> Result<(), StoreError> {
        let mut inserting = self.inserting(&PUT_WAITS);
        for chunk in chunks(rows) {
            inserting.run(chunk, |row, to| {
                to.put(row.org)?;
                to.put(row.state)?;
                to.put(row.call)?;
                to.put(row.path)
            })?;
        }
        Ok(())
    }

    async fn insert_tool_calls(&mut self, rows: &[(&Record<'_>, &ToolCall)]) -> Result<(), StoreError> {
        let mut inserting = self.inserting(&INSERT_TOOL_CALLS);
        for chunk in chunks(rows) {
            inserting.run(chunk, |(row, call), to| {
                to.put(row.org_id)?;
                to.put(row.id)?;
                to.put(call.position)?;
                to.put(&call.id)?;
                to.put(&call.name)?;
                to.put(&call.form)?;
                to.put(call.at_provider)?;
                to.put(call.arguments.as_bytes())?;
                to.put(call.arguments_bytes)?;
                to.put(call.pair)?;
                to.put(call.same)?;
                to.put(call.state)?;
                to.put(row.started_at)?;
                to.put(row.ended_at)
            })?;
        }
        Ok(())
    }

    async fn insert_tool_results(&mut self, rows: &[(&Record<'_>, &ToolResult)]) -> Result<(), StoreError> {
        let mut inserting = self.inserting(&INSERT_TOOL_RESULTS);
        for chunk in chunks(rows) {
            inserting.run(chunk, |(row, result), to| {
                to.put(row.org_id)?;
                to.put(row.id)?;
                to.put(result.position)?;
                to.put(result.pair)?;
                to.put(result.source.as_str())?;
                to.put(result.ok)?;
                to.put(result.rule)?;
                to.put(result.bytes)?;
                to.put(clean(&result.preview))?;
                to.put(result.waited)?;
                to.put(result.state)?;
                to.put(row.started_at)?;
                to.put(row.ended_at)
            })?;
        }
        Ok(())
    }

    async fn adopt(&mut self, calls: &[Adoption]) -> Result<Vec<Moved>, StoreError> {
        let mut update = self.statement(ADOPT)?;
        let mut all = Vec::with_capacity(calls.len());
        for call in calls {
            let values = params![call.org, call.call, call.session_key, call.session_long, call.rule];
            for row in update.query_map(values, moved)? {
                all.push(row?);
            }
        }
        Ok(all)
    }

    async fn move_session(
        &mut self,
        org: Uuid,
        from: &str,
        (key, long): (&str, Option<&str>),
    ) -> Result<Vec<Moved>, StoreError> {
        let mut update = self.statement(MOVE_SESSION)?;
        let all = update.query_map(params![key, long, org, from], moved)?.collect::<Result<_, _>>()?;
        self.0.execute(MOVE_TAG, params![key, org, from])?;
        for text in [DROP_TAG, DROP_SESSION, DROP_USERS, DROP_PROPERTIES] {
            self.0.execute(text, params![org, from])?;
        }
        Ok(all)
    }

    async fn properties_of(&mut self, calls: &[(Uuid, Uuid)]) -> Result<Vec<MovedProperty>, StoreError> {
        let mut select = self.statement(PROPERTIES)?;
        let mut found = Vec::new();
        for (org, call) in calls {
            let rows = select.query_map(params![org, call], |row| {
                Ok(MovedProperty {
                    org_id: row.get(0)?,
                    call_id: row.get(1)?,
                    key_lower: row.get(2)?,
                    value_key: row.get(3)?,
                    value_long: row.get(4)?,
                })
            })?;
            for row in rows {
                found.push(row?);
            }
        }
        Ok(found)
    }
}
