//! The bulk writes of the drain, once per database, because this is the hot path: SQLite takes prepared rows one by one in
//! one transaction, PostgreSQL takes arrays through `UNNEST`, at most [`CHUNK`] rows a statement.
//!
//! Both promise the same results; `store::write` tells the story. Nothing here decides anything.

pub(super) mod agents;
pub(super) mod hours;
pub(super) mod postgres;
pub(super) mod sqlite;

use std::collections::HashSet;

use uuid::Uuid;

use super::error::StoreError;
use super::record::{PropertyRecord, Record};
use super::rollup::RollUp;
use super::write::{Packed, Starts};

/// Rows a statement.
const CHUNK: usize = 500;

/// The statements of one batch, inside its transaction.
pub(super) trait Dialect: Send {
    /// Inserts rows whose `(org, id)` and `(org, record)` are both new; returns the `(org, record)` of those.
    fn insert_calls(
        &mut self,
        rows: &[&Record<'_>],
    ) -> impl Future<Output = Result<HashSet<(Uuid, Uuid)>, StoreError>> + Send;
    /// Which of these records are stored.
    fn known_records(
        &mut self,
        rows: &[&Record<'_>],
    ) -> impl Future<Output = Result<HashSet<(Uuid, Uuid)>, StoreError>> + Send;
    /// Bodies of rows that were new; `packed` is the whole batch.
    fn insert_bodies(
        &mut self,
        rows: &[&Record<'_>],
        packed: &[Packed],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn insert_properties(&mut self, rows: &[&Record<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Adds to sessions and returns their starts afterwards. Locks the sessions for the rest of the transaction.
    fn upsert_sessions(&mut self, sum: &RollUp<'_>) -> impl Future<Output = Result<Starts, StoreError>> + Send;
    /// Gives the properties of these sessions their sessions' new starts.
    fn move_session_properties(
        &mut self,
        sessions: &[(Uuid, &str, i64)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn insert_session_users(&mut self, sum: &RollUp<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn upsert_session_properties(
        &mut self,
        sum: &RollUp<'_>,
        starts: &Starts,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn upsert_property_keys(&mut self, sum: &RollUp<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn upsert_hours(&mut self, sum: &RollUp<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The properties of calls, each beside its call.
fn properties<'a>(rows: &[&'a Record<'a>]) -> Vec<(&'a Record<'a>, &'a PropertyRecord<'a>)> {
    let mut all = Vec::with_capacity(rows.iter().map(|row| row.properties.len()).sum());
    for row in rows {
        for property in &row.properties {
            all.push((*row, property));
        }
    }
    all
}

/// Calls a macro with the columns of `exchange`, which are the fields of [`Record`], in the order of the statements.
macro_rules! with_columns {
    ($call:ident) => {
        $call!(
            org_id,
            id,
            record_id,
            key_id,
            source,
            kind,
            started_at,
            ended_at,
            first_byte_us,
            outcome,
            status,
            error_rule,
            error_message,
            provider,
            format,
            method,
            path,
            target_url,
            streamed,
            model,
            request_model,
            response_model,
            model_override,
            finish_reason,
            tool_calls,
            session_key,
            session_long,
            session_name,
            session_path,
            user_id,
            prompt_id,
            usage_missing,
            prompt_tokens,
            prompt_cache_read_tokens,
            prompt_cache_write_tokens,
            prompt_cache_write_1h_tokens,
            prompt_audio_tokens,
            completion_tokens,
            completion_audio_tokens,
            reasoning_tokens,
            prompt_image_tokens,
            completion_image_tokens,
            web_searches,
            tool_units,
            search_units,
            usage_source,
            service_tier,
            priced_units,
            cost,
            cost_source,
            price_version,
            request_bytes,
            response_bytes,
            notes,
            session_rule,
            message_count,
            system_hash,
            tools_hash,
            chain
        )
    };
}
use with_columns;

/// The columns of `exchange` in the order of [`with_columns`].
macro_rules! exchange_columns {
    () => {
        "org_id, id, record_id, key_id, source, kind, started_at, ended_at, first_byte_us, outcome, status, error_rule, \
         error_message, provider, format, method, path, target_url, streamed, model, request_model, response_model, \
         model_override, finish_reason, tool_calls, session_key, session_long, session_name, session_path, user_id, \
         prompt_id, usage_missing, prompt_tokens, prompt_cache_read_tokens, prompt_cache_write_tokens, \
         prompt_cache_write_1h_tokens, prompt_audio_tokens, completion_tokens, completion_audio_tokens, \
         reasoning_tokens, prompt_image_tokens, completion_image_tokens, web_searches, tool_units, search_units, \
         usage_source, service_tier, priced_units, cost, cost_source, price_version, request_bytes, response_bytes, notes, \
         session_rule, message_count, system_hash, tools_hash, chain"
    };
}
use exchange_columns;

/// The columns of `session` that a batch brings, and how they are added to what is there.
macro_rules! session_columns {
    () => {
        "org_id, session_key, session_long, name, name_set_at, first_at, last_started_at, last_ended_at, last_failed, \
         calls, errors, cost, unpriced, latency_sum_us, prompt_tokens, prompt_cache_read_tokens, \
         prompt_cache_write_tokens, prompt_cache_write_1h_tokens, prompt_audio_tokens, completion_tokens, \
         completion_audio_tokens, reasoning_tokens, prompt_image_tokens, completion_image_tokens, web_searches, \
         tool_units, search_units"
    };
}
use session_columns;

/// The latest given name wins, an empty one never; of calls that end at the same time a failed one decides.
macro_rules! session_merge {
    () => {
        " ON CONFLICT (org_id, session_key) DO UPDATE SET \
         name = CASE WHEN excluded.name_set_at > session.name_set_at \
           OR (excluded.name_set_at = session.name_set_at AND excluded.name > session.name) \
           THEN excluded.name ELSE session.name END, \
         name_set_at = CASE WHEN excluded.name_set_at > session.name_set_at \
           THEN excluded.name_set_at ELSE session.name_set_at END, \
         first_at = CASE WHEN excluded.first_at < session.first_at THEN excluded.first_at ELSE session.first_at END, \
         last_started_at = CASE WHEN excluded.last_started_at > session.last_started_at \
           THEN excluded.last_started_at ELSE session.last_started_at END, \
         last_failed = CASE WHEN excluded.last_ended_at > session.last_ended_at THEN excluded.last_failed \
           WHEN excluded.last_ended_at = session.last_ended_at THEN excluded.last_failed OR session.last_failed \
           ELSE session.last_failed END, \
         last_ended_at = CASE WHEN excluded.last_ended_at > session.last_ended_at \
           THEN excluded.last_ended_at ELSE session.last_ended_at END, \
         calls = session.calls + excluded.calls, \
         errors = session.errors + excluded.errors, \
         cost = session.cost + excluded.cost, \
         unpriced = session.unpriced + excluded.unpriced, \
         latency_sum_us = session.latency_sum_us + excluded.latency_sum_us, \
         prompt_tokens = session.prompt_tokens + excluded.prompt_tokens, \
         prompt_cache_read_tokens = session.prompt_cache_read_tokens + excluded.prompt_cache_read_tokens, \
         prompt_cache_write_tokens = session.prompt_cache_write_tokens + excluded.prompt_cache_write_tokens, \
         prompt_cache_write_1h_tokens = session.prompt_cache_write_1h_tokens + excluded.prompt_cache_write_1h_tokens, \
         prompt_audio_tokens = session.prompt_audio_tokens + excluded.prompt_audio_tokens, \
         completion_tokens = session.completion_tokens + excluded.completion_tokens, \
         completion_audio_tokens = session.completion_audio_tokens + excluded.completion_audio_tokens, \
         reasoning_tokens = session.reasoning_tokens + excluded.reasoning_tokens, \
         prompt_image_tokens = session.prompt_image_tokens + excluded.prompt_image_tokens, \
         completion_image_tokens = session.completion_image_tokens + excluded.completion_image_tokens, \
         web_searches = session.web_searches + excluded.web_searches, \
         tool_units = session.tool_units + excluded.tool_units, \
         search_units = session.search_units + excluded.search_units \
         RETURNING org_id, session_key, first_at, calls"
    };
}
use session_merge;

macro_rules! session_property_merge {
    () => {
        " ON CONFLICT (org_id, session_key, key_lower, value_key) DO UPDATE SET last_at = \
         CASE WHEN excluded.last_at > session_property.last_at THEN excluded.last_at ELSE session_property.last_at END, \
         calls = session_property.calls + excluded.calls"
    };
}
use session_property_merge;

macro_rules! property_key_merge {
    () => {
        " ON CONFLICT (org_id, key_lower) DO UPDATE SET \
         key = CASE WHEN excluded.first_at < property_key.first_at \
           OR (excluded.first_at = property_key.first_at AND excluded.key < property_key.key) \
           THEN excluded.key ELSE property_key.key END, \
         first_at = CASE WHEN excluded.first_at < property_key.first_at \
           THEN excluded.first_at ELSE property_key.first_at END, \
         last_at = CASE WHEN excluded.last_at > property_key.last_at THEN excluded.last_at ELSE property_key.last_at END"
    };
}
use property_key_merge;
