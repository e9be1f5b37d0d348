//! Deleting what is older than an organisation wants to keep, in small transactions.
//!
//! A call goes with its body, its properties, its scores and its tool calls and results, and the roll-ups of its session are
//! made anew from the calls that are left, in the same transaction; a session without calls goes too. Sessions are locked
//! before anything is deleted, in order, as the drain does. Figures by the hour go by whole hours.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use super::hours::HOUR_US;
use crate::model::id::OrgId;
use crate::model::units::Micros;

/// Calls of one transaction.
const BATCH: i64 = 200;

const OLD_CALLS: &str = "SELECT id, session_key FROM exchange WHERE org_id = $1 AND started_at < $2 \
     ORDER BY started_at, id LIMIT $3";
const LOCK_SESSION: &str = "UPDATE session SET name = name WHERE org_id = $1 AND session_key = $2";
const DELETE_BODY: &str = "DELETE FROM body WHERE org_id = $1 AND call_id = $2";
const DELETE_PROPERTIES: &str = "DELETE FROM exchange_property WHERE org_id = $1 AND call_id = $2";
const DELETE_SCORES: &str = "DELETE FROM exchange_score WHERE org_id = $1 AND call_id = $2";
const DELETE_TOOL_CALLS: &str = "DELETE FROM tool_call WHERE org_id = $1 AND call_id = $2";
const DELETE_TOOL_RESULTS: &str = "DELETE FROM tool_result WHERE org_id = $1 AND call_id = $2";
const DELETE_CALL: &str = "DELETE FROM exchange WHERE org_id = $1 AND id = $2";

const SUMS: &str = "SELECT COUNT(*) AS calls, COUNT(error_rule) AS errors, \
     CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost, \
     CAST(COALESCE(SUM(CASE WHEN kind = 'llm' AND cost IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS unpriced, \
     CAST(COALESCE(SUM(ended_at - started_at), 0) AS BIGINT) AS latency_sum_us, \
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
     FROM exchange WHERE org_id = $1 AND session_key = $2";
const LAST_FAILED: &str =
    "SELECT COUNT(error_rule) FROM exchange WHERE org_id = $1 AND session_key = $2 AND ended_at = $3";
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
     WHERE e.org_id = $1 AND e.session_key = $2 \
     GROUP BY e.org_id, e.session_key, p.key_lower, p.value_key";
const DELETE_USERS: &str = "DELETE FROM session_user_id WHERE org_id = $1 AND session_key = $2";
const DELETE_TAG: &str = "DELETE FROM session_tag WHERE org_id = $1 AND session_key = $2";
const DELETE_SESSION: &str = "DELETE FROM session WHERE org_id = $1 AND session_key = $2";

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
    SET_SESSION,
    CLEAR_PROPERTIES,
    FILL_PROPERTIES,
    DELETE_USERS,
    DELETE_TAG,
    DELETE_SESSION,
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

impl Store {
    /// Deletes the oldest calls that started before an instant, at most a batch of them; how many those were.
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
                for session in &sessions {
                    sqlx::query(LOCK_SESSION).bind(org.0).bind(*session).execute(&mut *tx).await?;
                }
                for (id, _) in &old {
                    for statement in [
                        DELETE_BODY,
                        DELETE_PROPERTIES,
                        DELETE_SCORES,
                        DELETE_TOOL_CALLS,
                        DELETE_TOOL_RESULTS,
                        DELETE_CALL,
                    ] {
                        sqlx::query(statement).bind(org.0).bind(*id).execute(&mut *tx).await?;
                    }
                }
                for session in &sessions {
                    let sums: Sums = sqlx::query_as(SUMS).bind(org.0).bind(*session).fetch_one(&mut *tx).await?;
                    if sums.calls == 0 {
                        for statement in [CLEAR_PROPERTIES, DELETE_USERS, DELETE_TAG, DELETE_SESSION] {
                            sqlx::query(statement).bind(org.0).bind(*session).execute(&mut *tx).await?;
                        }
                        continue;
                    }
                    let (failed,): (i64,) = sqlx::query_as(LAST_FAILED)
                        .bind(org.0)
                        .bind(*session)
                        .bind(sums.last_ended_at)
                        .fetch_one(&mut *tx)
                        .await?;
                    let mut update = sqlx::query(SET_SESSION).bind(org.0).bind(*session);
                    for sum in [
                        sums.calls,
                        sums.errors,
                        sums.cost,
                        sums.unpriced,
                        sums.latency_sum_us,
                        sums.prompt_tokens,
                        sums.prompt_cache_read_tokens,
                        sums.prompt_cache_write_tokens,
                        sums.prompt_cache_write_1h_tokens,
                        sums.prompt_audio_tokens,
                        sums.completion_tokens,
                        sums.completion_audio_tokens,
                        sums.reasoning_tokens,
                        sums.prompt_image_tokens,
                        sums.completion_image_tokens,
                        sums.web_searches,
                        sums.tool_units,
                        sums.search_units,
                        sums.first_at,
                        sums.last_started_at,
                        sums.last_ended_at,
                    ] {
                        update = update.bind(sum);
                    }
                    update.bind(failed > 0).execute(&mut *tx).await?;
                    sqlx::query(CLEAR_PROPERTIES).bind(org.0).bind(*session).execute(&mut *tx).await?;
                    sqlx::query(FILL_PROPERTIES)
                        .bind(org.0)
                        .bind(*session)
                        .bind(sums.first_at)
                        .execute(&mut *tx)
                        .await?;
                }
                tx.commit().await
            }
        )?;
        Ok(old.len())
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
}
