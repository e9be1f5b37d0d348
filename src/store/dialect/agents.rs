//! The statements about tool calls and conversations of one batch, inside its transaction. A batch that has nothing for one
//! of them does not send it.
//!
//! Both databases promise the same; `store::threads` tells the story. Looking up is one statement an organisation; moving
//! calls into a session is seldom and may cost more.

mod postgres;
mod sqlite;

use sqlx::FromRow;
use uuid::Uuid;

use crate::model::agent::{ToolCall, ToolResult};
#[cfg(test)]
use crate::store::compare::Backend;
use crate::store::error::StoreError;
use crate::store::record::Record;
use crate::store::rollup::PARTS;

/// A state that a call shows, or waits for.
#[derive(Clone, Debug)]
pub(in crate::store) struct StateRow<'a> {
    pub org: Uuid,
    pub state: i64,
    pub call: Uuid,
    pub started_at: i64,
    /// What a delegate puts behind the path; of one that waits, its rule.
    pub path: Option<&'a str>,
}

/// A stored call that shows, or waits for, a state.
#[derive(Clone, Debug, FromRow)]
pub(in crate::store) struct Known {
    pub state: i64,
    pub id: Uuid,
    pub record_id: Uuid,
    pub session_key: Option<String>,
    pub session_long: Option<String>,
    pub session_path: Option<String>,
    pub started_at: i64,
    /// What a delegate puts behind the path; of one that waits, its rule.
    pub below: Option<String>,
}

/// A stored call that had no session and gets one.
#[derive(Clone, Debug)]
pub(in crate::store) struct Adoption {
    pub org: Uuid,
    pub call: Uuid,
    pub session_key: String,
    pub session_long: Option<String>,
    pub rule: &'static str,
}

/// What a stored call adds to a session that it moves to.
#[derive(Clone, Debug, FromRow)]
pub(in crate::store) struct Moved {
    pub org_id: Uuid,
    pub id: Uuid,
    pub session_key: String,
    pub session_long: Option<String>,
    pub session_name: Option<String>,
    pub started_at: i64,
    pub ended_at: i64,
    pub failed: bool,
    pub unpriced: bool,
    pub cost: Option<i64>,
    pub user_id: Option<String>,
    #[sqlx(flatten)]
    pub tokens: Tokens,
}

/// The parts of a usage, in the order of `rollup::SessionDelta::tokens`.
#[derive(Clone, Copy, Debug, FromRow)]
pub(in crate::store) struct Tokens {
    prompt_tokens: Option<i64>,
    prompt_cache_read_tokens: Option<i64>,
    prompt_cache_write_tokens: Option<i64>,
    prompt_cache_write_1h_tokens: Option<i64>,
    prompt_audio_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    completion_audio_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    prompt_image_tokens: Option<i64>,
    completion_image_tokens: Option<i64>,
    web_searches: Option<i64>,
    tool_units: Option<i64>,
    search_units: Option<i64>,
}

impl Tokens {
    /// The parts of a row, in order.
    fn of(part: impl Fn(usize) -> rusqlite::Result<Option<i64>>) -> rusqlite::Result<Self> {
        Ok(Self {
            prompt_tokens: part(0)?,
            prompt_cache_read_tokens: part(1)?,
            prompt_cache_write_tokens: part(2)?,
            prompt_cache_write_1h_tokens: part(3)?,
            prompt_audio_tokens: part(4)?,
            completion_tokens: part(5)?,
            completion_audio_tokens: part(6)?,
            reasoning_tokens: part(7)?,
            prompt_image_tokens: part(8)?,
            completion_image_tokens: part(9)?,
            web_searches: part(10)?,
            tool_units: part(11)?,
            search_units: part(12)?,
        })
    }

    pub const fn parts(&self) -> [Option<i64>; PARTS] {
        [
            self.prompt_tokens,
            self.prompt_cache_read_tokens,
            self.prompt_cache_write_tokens,
            self.prompt_cache_write_1h_tokens,
            self.prompt_audio_tokens,
            self.completion_tokens,
            self.completion_audio_tokens,
            self.reasoning_tokens,
            self.prompt_image_tokens,
            self.completion_image_tokens,
            self.web_searches,
            self.tool_units,
            self.search_units,
        ]
    }
}

/// A property of a moved call.
#[derive(Clone, Debug, FromRow)]
pub(in crate::store) struct MovedProperty {
    pub org_id: Uuid,
    pub call_id: Uuid,
    pub key_lower: String,
    pub value_key: String,
    pub value_long: Option<String>,
}

pub(in crate::store) trait Agents: Send {
    /// Other writers of these organisations wait until this transaction ends. Sorted, so that none waits in a circle.
    fn lock(&mut self, orgs: &[Uuid]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Calls that show these states, one a state.
    fn showing(&mut self, org: Uuid, states: &[i64]) -> impl Future<Output = Result<Vec<Known>, StoreError>> + Send;
    /// Calls that wait for these states.
    fn waiting(&mut self, org: Uuid, states: &[i64]) -> impl Future<Output = Result<Vec<Known>, StoreError>> + Send;
    /// The latest call that shows a state is kept. No state twice.
    fn put_states(&mut self, rows: &[StateRow<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn put_waits(&mut self, rows: &[StateRow<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn insert_tool_calls(
        &mut self,
        rows: &[(&Record<'_>, &ToolCall)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn insert_tool_results(
        &mut self,
        rows: &[(&Record<'_>, &ToolResult)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Gives calls their session unless they have one; returns those that had none.
    fn adopt(&mut self, calls: &[Adoption]) -> impl Future<Output = Result<Vec<Moved>, StoreError>> + Send;
    /// Moves all calls of a session to another and removes it; returns them. Its tag goes with them unless there is one.
    fn move_session(
        &mut self,
        org: Uuid,
        from: &str,
        to: (&str, Option<&str>),
    ) -> impl Future<Output = Result<Vec<Moved>, StoreError>> + Send;
    fn properties_of(
        &mut self,
        calls: &[(Uuid, Uuid)],
    ) -> impl Future<Output = Result<Vec<MovedProperty>, StoreError>> + Send;
}

/// Columns of [`Known`] behind its state: of a call `e`.
macro_rules! known_columns {
    () => {
        "e.id, e.record_id, e.session_key, e.session_long, e.session_path, e.started_at"
    };
}
use known_columns;

/// Columns of [`Moved`].
macro_rules! moved_columns {
    () => {
        concat!(
            " RETURNING org_id, id, session_key, session_long, session_name, started_at, ended_at, \
         error_rule IS NOT NULL AS failed, (",
            $crate::store::bounds::unpriced!(""),
            ") = 1 AS unpriced, cost, user_id, \
         prompt_tokens, prompt_cache_read_tokens, prompt_cache_write_tokens, prompt_cache_write_1h_tokens, \
         prompt_audio_tokens, completion_tokens, completion_audio_tokens, reasoning_tokens, \
         prompt_image_tokens, completion_image_tokens, web_searches, tool_units, search_units"
        )
    };
}
use moved_columns;

macro_rules! state_merge {
    () => {
        " ON CONFLICT (org_id, state) DO UPDATE SET \
         call_id = excluded.call_id, started_at = excluded.started_at, path = excluded.path \
         WHERE excluded.started_at >= conversation_state.started_at"
    };
}
use state_merge;

macro_rules! state_columns {
    () => {
        "org_id, state, call_id, started_at, path"
    };
}
use state_columns;

macro_rules! wait_columns {
    () => {
        "org_id, state, call_id, rule"
    };
}
use wait_columns;

macro_rules! tool_call_columns {
    () => {
        "org_id, call_id, position, tool_id, name, form, at_provider, arguments, arguments_bytes, pair, same, state, \
         started_at, ended_at"
    };
}
use tool_call_columns;

macro_rules! tool_result_columns {
    () => {
        "org_id, call_id, position, pair, source, ok, rule, bytes, preview, waited, state, started_at, ended_at"
    };
}
use tool_result_columns;

// Of these each parameter stands behind those with lower numbers: to SQLite `$1` is a name, counted where it comes first.
const MOVE_SESSION: &str = concat!(
    "UPDATE exchange SET session_key = $1, session_long = $2 WHERE org_id = $3 AND session_key = $4",
    moved_columns!()
);
/// Whoever adds to the session is done before it moves, so that what he added moves too.
const LOCK_SESSION: &str = "UPDATE session SET name = name WHERE org_id = $1 AND session_key = $2";
const DROP_SESSION: &str = "DELETE FROM session WHERE org_id = $1 AND session_key = $2";
const DROP_USERS: &str = "DELETE FROM session_user_id WHERE org_id = $1 AND session_key = $2";
const DROP_PROPERTIES: &str = "DELETE FROM session_property WHERE org_id = $1 AND session_key = $2";
const MOVE_TAG: &str = "INSERT INTO session_tag (org_id, session_key, tag, set_at) \
     SELECT org_id, $1, tag, set_at FROM session_tag WHERE org_id = $2 AND session_key = $3 \
     ON CONFLICT (org_id, session_key) DO NOTHING";
const DROP_TAG: &str = "DELETE FROM session_tag WHERE org_id = $1 AND session_key = $2";

#[cfg(test)]
const STATEMENTS: [&str; 7] =
    [LOCK_SESSION, MOVE_SESSION, DROP_SESSION, DROP_USERS, DROP_PROPERTIES, MOVE_TAG, DROP_TAG];

#[cfg(test)]
pub(in crate::store) fn statements(backend: Backend) -> Vec<&'static str> {
    let own = match backend {
        Backend::Sqlite => sqlite::statements(),
        Backend::Postgres => postgres::STATEMENTS.to_vec(),
    };
    STATEMENTS.into_iter().chain(own).collect()
}
