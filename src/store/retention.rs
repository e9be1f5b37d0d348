//! Deleting what is older than an organisation wants to keep, in small transactions.
//!
//! A call goes with its body, its properties, its scores and its tool calls and results. The roll-ups of its session are made
//! anew in the transaction that deletes the first of its old calls, and at once from those that stay: the others that are to
//! go count no more from then on, so that a session costs one reading however many transactions its calls take. Its start
//! tells whether that was done, also after a crash, and for what came in between. A session of which nothing stays goes.
//!
//! Sessions are locked before anything is deleted, in order, as the drain does, and a call that has moved to another one by
//! then is left for the next time. Figures by the hour go by whole hours. What a call left elsewhere goes as well: keys of
//! properties that no call has, dead letters, counts of calls without a record.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::bounds::{capped, unpriced};
use super::db::on_db;
use super::error::StoreError;
use super::hours::HOUR_US;
use super::text::split;
use crate::model::id::OrgId;
use crate::model::units::Micros;

/// Calls of one transaction.
const BATCH: i64 = 200;

const OLD_CALLS: &str = "SELECT id, session_key FROM exchange WHERE org_id = $1 AND started_at < $2 \
     ORDER BY started_at, id LIMIT $3";
/// A lock and a look in one: it changes nothing.
const LOCK_SESSION: &str =
    "UPDATE session SET name = name WHERE org_id = $1 AND session_key = $2 RETURNING first_at, name_set_at";
const DELETE_BODY: &str = "DELETE FROM body WHERE org_id = $1 AND call_id = $2";
const DELETE_PROPERTIES: &str = "DELETE FROM exchange_property WHERE org_id = $1 AND call_id = $2";
const DELETE_SCORES: &str = "DELETE FROM exchange_score WHERE org_id = $1 AND call_id = $2";
const DELETE_TOOL_CALLS: &str = "DELETE FROM tool_call WHERE org_id = $1 AND call_id = $2";
const DELETE_TOOL_RESULTS: &str = "DELETE FROM tool_result WHERE org_id = $1 AND call_id = $2";
/// Only where it is still in the session that is locked.
const DELETE_CALL: &str = "DELETE FROM exchange WHERE org_id = $1 AND id = $2 AND COALESCE(session_key, '') = $3";

/// Of those of its calls that stay.
const SUMS: &str = concat!(
    "SELECT COUNT(*) AS calls, COUNT(error_rule) AS errors, \
     CAST(COALESCE(SUM(",
    capped!("cost"),
    "), 0) AS BIGINT) AS cost, CAST(COALESCE(SUM(",
    unpriced!(""),
    "), 0) AS BIGINT) AS unpriced, CAST(COALESCE(SUM(",
    capped!("ended_at - started_at"),
    "), 0) AS BIGINT) AS latency_sum_us, \
     CAST(COALESCE(SUM(prompt_tokens), 0) AS BIGINT) AS prompt_tokens, \
     CAST(COALESCE(SUM(prompt_cache_read_tokens), 0) AS BIGINT) AS prompt_cache_read_tokens, \
     CAST(COALESCE(SUM(prompt_cache_write_tokens), 0) AS BIGINT) AS prompt_cache_write_tokens, \
     CAST(COALESCE(SUM(prompt_cache_write_1h_tokens), 0) AS BIGINT) AS prompt_cache_write_1h_tokens, \
     CAST(COALESCE(SUM(prompt_audio_tokens), 0) AS BIGINT) AS prompt_audio_tokens, \
     CAST(COALESCE(SUM(completion_tokens), 0) AS BIGINT) AS completion_tokens, \
     CAST(COALESCE(SUM(completion_audio_tokens), 0) AS BIGINT) AS completion_audio_tokens, \
     CAST(COALESCE(SUM(reasoning_tokens), 0) AS BIGINT) AS reasoning_tokens, \
     CAST(COALESCE(SUM(prompt_image_tokens), 0) AS BIGINT) AS prompt_image_tokens, \
     CAST(COALESCE(SUM(completion_image_tokens), 0) AS BIGINT) AS completion_image_tokens, \
     CAST(COALESCE(SUM(web_searches), 0) AS BIGINT) AS web_searches, \
     CAST(COALESCE(SUM(tool_units), 0) AS BIGINT) AS tool_units, \
     CAST(COALESCE(SUM(search_units), 0) AS BIGINT) AS search_units, \
     COALESCE(MIN(started_at), 0) AS first_at, COALESCE(MAX(started_at), 0) AS last_started_at, \
     COALESCE(MAX(ended_at), 0) AS last_ended_at \
     FROM exchange WHERE org_id = $1 AND session_key = $2 AND started_at >= $3"
);
const LAST_FAILED: &str = "SELECT COUNT(error_rule) FROM exchange \
     WHERE org_id = $1 AND session_key = $2 AND started_at >= $3 AND ended_at = $4";
const NAME: &str = "SELECT session_name, started_at FROM exchange \
     WHERE org_id = $1 AND session_key = $2 AND started_at >= $3 AND session_name <> '' \
     ORDER BY started_at DESC, session_name DESC LIMIT 1";
const SET_NAME: &str = "UPDATE session SET name = $3, name_set_at = $4 WHERE org_id = $1 AND session_key = $2";
const USERS: &str = "SELECT DISTINCT user_id FROM exchange \
     WHERE org_id = $1 AND session_key = $2 AND started_at >= $3 AND user_id <> ''";
const ADD_USER: &str = "INSERT INTO session_user_id (org_id, session_key, user_key, user_long) VALUES ($1, $2, $3, $4) \
     ON CONFLICT DO NOTHING";
const SET_SESSION: &str = "UPDATE session SET calls = $3, errors = $4, cost = $5, unpriced = $6, latency_sum_us = $7, \
     prompt_tokens = $8, prompt_cache_read_tokens = $9, prompt_cache_write_tokens = $10, \
     prompt_cache_write_1h_tokens = $11, prompt_audio_tokens = $12, completion_tokens = $13, \
     completion_audio_tokens = $14, reasoning_tokens = $15, prompt_image_tokens = $16, \
     completion_image_tokens = $17, web_searches = $18, tool_units = $19, search_units = $20, first_at = $21, \
     last_started_at = $22, last_ended_at = $23, last_failed = $24 WHERE org_id = $1 AND session_key = $2";
const CLEAR_PROPERTIES: &str = "DELETE FROM session_property WHERE org_id = $1 AND session_key = $2";
const FILL_PROPERTIES: &str = "INSERT INTO session_property \
     (org_id, session_key, key_lower, value_key, value_long, first_at, last_at, calls) \
     SELECT e.org_id, e.session_key, p.key_lower, p.value_key, MAX(p.value_long), CAST($3 AS BIGINT), MAX(e.started_at), COUNT(*) \
     FROM exchange e JOIN exchange_property p ON p.org_id = e.org_id AND p.call_id = e.id \
     WHERE e.org_id = $1 AND e.session_key = $2 AND e.started_at >= $3 \
     GROUP BY e.org_id, e.session_key, p.key_lower, p.value_key";
const DELETE_USERS: &str = "DELETE FROM session_user_id WHERE org_id = $1 AND session_key = $2";
const DELETE_TAG: &str = "DELETE FROM session_tag WHERE org_id = $1 AND session_key = $2";
const DELETE_SESSION: &str = "DELETE FROM session WHERE org_id = $1 AND session_key = $2";

/// A call that came late may still have one of them.
const DELETE_KEYS: &str = "DELETE FROM property_key WHERE org_id = $1 AND last_at < $2 AND NOT EXISTS (\
     SELECT 1 FROM exchange_property p WHERE p.org_id = property_key.org_id AND p.key_lower = property_key.key_lower)";
const DELETE_LETTERS: &str = "DELETE FROM dead_letter WHERE org_id = $1 AND record_id IN (\
     SELECT l.record_id FROM dead_letter l WHERE l.org_id = $1 AND l.at < $2 ORDER BY l.at LIMIT $3)";
const DELETE_GAPS: &str = "DELETE FROM gap WHERE org_id = $1 AND minute < $2";
const DELETE_HOURS: &str = "DELETE FROM call_hour WHERE org_id = $1 AND hour < $2";

/// Bodies that still hold bytes; what is known of them, and the headers, go as well.
const OLD_BODIES: &str = "SELECT b.call_id FROM exchange e JOIN body b ON b.org_id = e.org_id AND b.call_id = e.id \
     WHERE e.org_id = $1 AND e.started_at < $2 LIMIT $3";

/// What tool calls and results keep of bodies.
const EMPTY_TOOL_CALLS: &str = "UPDATE tool_call SET arguments = $3 WHERE org_id = $1 AND call_id = $2";
const EMPTY_TOOL_RESULTS: &str = "UPDATE tool_result SET preview = '' WHERE org_id = $1 AND call_id = $2";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    OLD_CALLS,
    LOCK_SESSION,
    DELETE_BODY,
    DELETE_PROPERTIES,
    DELETE_SCORES,
    DELETE_TOOL_CALLS,
    DELETE_TOOL_RESULTS,
    DELETE_CALL,
    SUMS,
    LAST_FAILED,
    NAME,
    SET_NAME,
    USERS,
    ADD_USER,
    SET_SESSION,
    CLEAR_PROPERTIES,
    FILL_PROPERTIES,
    DELETE_USERS,
    DELETE_TAG,
    DELETE_SESSION,
    DELETE_KEYS,
    DELETE_LETTERS,
    DELETE_GAPS,
    DELETE_HOURS,
    OLD_BODIES,
    EMPTY_TOOL_CALLS,
    EMPTY_TOOL_RESULTS,
];

#[derive(FromRow)]
struct Sums {
    calls: i64,
    errors: i64,
    cost: i64,
    unpriced: i64,
    latency_sum_us: i64,
    prompt_tokens: i64,
    prompt_cache_read_tokens: i64,
    prompt_cache_write_tokens: i64,
    prompt_cache_write_1h_tokens: i64,
    prompt_audio_tokens: i64,
    completion_tokens: i64,
    completion_audio_tokens: i64,
    reasoning_tokens: i64,
    prompt_image_tokens: i64,
    completion_image_tokens: i64,
    web_searches: i64,
    tool_units: i64,
    search_units: i64,
    first_at: i64,
    last_started_at: i64,
    last_ended_at: i64,
}

impl Sums {
    /// In the order of the statement that sets them.
    const fn list(&self) -> [i64; 21] {
        [
            self.calls,
            self.errors,
            self.cost,
            self.unpriced,
            self.latency_sum_us,
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
            self.first_at,
            self.last_started_at,
            self.last_ended_at,
        ]
    }
}

impl Store {
    /// Deletes the oldest calls that started before an instant, at most a batch of them; how many those were. What it returns
    /// is 0 when there are none, or when all that it found had moved to other sessions meanwhile.
    pub async fn delete_calls_before(&self, org: OrgId, before: Micros) -> Result<usize, StoreError> {
        let old: Vec<(Uuid, Option<String>)> = on_db!(
            self,
            read | db | sqlx::query_as(OLD_CALLS).bind(org.0).bind(before.0).bind(BATCH).fetch_all(db).await
        )?;
        if old.is_empty() {
            return Ok(0);
        }
        let sessions: BTreeSet<&str> = old.iter().filter_map(|(_, session)| session.as_deref()).collect();
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                let mut found: Vec<(&str, i64, i64)> = Vec::new();
                for session in &sessions {
                    let row: Option<(i64, i64)> =
                        sqlx::query_as(LOCK_SESSION).bind(org.0).bind(*session).fetch_optional(&mut *tx).await?;
                    found.extend(row.map(|(first_at, name_set_at)| (*session, first_at, name_set_at)));
                }
                let mut deleted = 0;
                for (id, session) in &old {
                    let session = session.as_deref().unwrap_or_default();
                    let call = sqlx::query(DELETE_CALL).bind(org.0).bind(*id).bind(session).execute(&mut *tx).await?;
                    if call.rows_affected() == 0 {
                        continue;
                    }
                    deleted += 1;
                    for statement in
                        [DELETE_BODY, DELETE_PROPERTIES, DELETE_SCORES, DELETE_TOOL_CALLS, DELETE_TOOL_RESULTS]
                    {
                        sqlx::query(statement).bind(org.0).bind(*id).execute(&mut *tx).await?;
                    }
                }
                // Those that start later count only what stays already.
                for (session, _, name_set_at) in found.into_iter().filter(|(_, first_at, _)| *first_at < before.0) {
                    let sums: Sums =
                        sqlx::query_as(SUMS).bind(org.0).bind(session).bind(before.0).fetch_one(&mut *tx).await?;
                    sqlx::query(DELETE_USERS).bind(org.0).bind(session).execute(&mut *tx).await?;
                    sqlx::query(CLEAR_PROPERTIES).bind(org.0).bind(session).execute(&mut *tx).await?;
                    if sums.calls == 0 {
                        for statement in [DELETE_TAG, DELETE_SESSION] {
                            sqlx::query(statement).bind(org.0).bind(session).execute(&mut *tx).await?;
                        }
                        continue;
                    }
                    let (failed,): (i64,) = sqlx::query_as(LAST_FAILED)
                        .bind(org.0)
                        .bind(session)
                        .bind(before.0)
                        .bind(sums.last_ended_at)
                        .fetch_one(&mut *tx)
                        .await?;
                    let mut update = sqlx::query(SET_SESSION).bind(org.0).bind(session);
                    for sum in sums.list() {
                        update = update.bind(sum);
                    }
                    update.bind(failed > 0).execute(&mut *tx).await?;
                    // The call that gave the name may be gone.
                    if name_set_at < before.0 {
                        let name: Option<(String, i64)> = sqlx::query_as(NAME)
                            .bind(org.0)
                            .bind(session)
                            .bind(before.0)
                            .fetch_optional(&mut *tx)
                            .await?;
                        let (name, set_at) = name.unwrap_or((String::new(), i64::MIN));
                        sqlx::query(SET_NAME)
                            .bind(org.0)
                            .bind(session)
                            .bind(name)
                            .bind(set_at)
                            .execute(&mut *tx)
                            .await?;
                    }
                    let users: Vec<(String,)> =
                        sqlx::query_as(USERS).bind(org.0).bind(session).bind(before.0).fetch_all(&mut *tx).await?;
                    for (user,) in &users {
                        let (key, long) = split(user);
                        sqlx::query(ADD_USER).bind(org.0).bind(session).bind(key).bind(long).execute(&mut *tx).await?;
                    }
                    sqlx::query(FILL_PROPERTIES)
                        .bind(org.0)
                        .bind(session)
                        .bind(sums.first_at)
                        .execute(&mut *tx)
                        .await?;
                }
                tx.commit().await?;
                Ok(deleted)
            }
        )
    }

    /// Deletes bodies and headers of calls that started before an instant, and their tool calls' texts, at most a batch of
    /// them; how many those were.
    pub async fn delete_bodies_before(&self, org: OrgId, before: Micros) -> Result<usize, StoreError> {
        let old: Vec<(Uuid,)> = on_db!(
            self,
            read | db | sqlx::query_as(OLD_BODIES).bind(org.0).bind(before.0).bind(BATCH).fetch_all(db).await
        )?;
        if old.is_empty() {
            return Ok(0);
        }
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                for (id,) in &old {
                    sqlx::query(DELETE_BODY).bind(org.0).bind(*id).execute(&mut *tx).await?;
                    let nothing: &[u8] = &[];
                    sqlx::query(EMPTY_TOOL_CALLS).bind(org.0).bind(*id).bind(nothing).execute(&mut *tx).await?;
                    sqlx::query(EMPTY_TOOL_RESULTS).bind(org.0).bind(*id).execute(&mut *tx).await?;
                }
                tx.commit().await
            }
        )?;
        Ok(old.len())
    }

    /// Deletes figures of hours that ended before an instant.
    pub async fn delete_hours_before(&self, org: OrgId, before: Micros) -> Result<(), StoreError> {
        let hour = before.0.div_euclid(HOUR_US) * HOUR_US;
        on_db!(self, write | db | sqlx::query(DELETE_HOURS).bind(org.0).bind(hour).execute(db).await.map(drop))
    }

    /// Forgets keys of properties that only calls before an instant had.
    pub async fn delete_property_keys_before(&self, org: OrgId, before: Micros) -> Result<(), StoreError> {
        on_db!(self, write | db | sqlx::query(DELETE_KEYS).bind(org.0).bind(before.0).execute(db).await.map(drop))
    }

    /// Deletes dead letters that were put aside before an instant, at most a batch of them; how many those were.
    pub async fn delete_dead_letters_before(&self, org: OrgId, before: Micros) -> Result<usize, StoreError> {
        let deleted: u64 = on_db!(
            self,
            write | db | {
                let done = sqlx::query(DELETE_LETTERS).bind(org.0).bind(before.0).bind(BATCH).execute(db).await?;
                Ok(done.rows_affected())
            }
        )?;
        Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
    }

    /// Deletes counts of calls without a record, of minutes that began before an instant.
    pub async fn delete_gaps_before(&self, org: OrgId, before: Micros) -> Result<(), StoreError> {
        on_db!(self, write | db | sqlx::query(DELETE_GAPS).bind(org.0).bind(before.0).execute(db).await.map(drop))
    }
}
