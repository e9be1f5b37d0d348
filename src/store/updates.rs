//! What a person or a program says about a call afterwards: properties, scores, feedback, tags of sessions.
//!
//! A changed property keeps the roll-up of its session true in the same transaction. The session's row is locked first, as
//! the drain does, so that the two never disagree and never wait for each other in a circle.

use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use super::record::{PropertyRecord, session_key};
use super::text::clean;
use crate::model::id::{OrgId, RequestId};
use crate::model::tags::Property;
use crate::model::units::Micros;

/// The property that feedback on a session is kept as.
const SESSION_FEEDBACK: &str = "Helicone-Session-Feedback";

/// A lock and a look in one: a call may be moving into a session.
const FIND_CALL: &str = "UPDATE exchange SET id = id WHERE org_id = $1 AND id = $2 RETURNING started_at, session_key";
/// A lock and a look in one: it changes nothing.
const LOCK_SESSION: &str = "UPDATE session SET name = name WHERE org_id = $1 AND session_key = $2 RETURNING first_at";
const OLD_VALUE: &str = "SELECT value_key FROM exchange_property WHERE org_id = $1 AND call_id = $2 AND key_lower = $3";
const SET_PROPERTY: &str = "INSERT INTO exchange_property \
     (org_id, call_id, key_lower, key, value_key, value_long, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (org_id, call_id, key_lower) DO UPDATE SET \
     key = excluded.key, value_key = excluded.value_key, value_long = excluded.value_long";
/// The roll-up of one value in one session, made anew from the session's calls. Calls that are older than its start are
/// about to be deleted and count no more (`store::retention`).
const CLEAR_SESSION_VALUE: &str = "DELETE FROM session_property \
     WHERE org_id = $1 AND session_key = $2 AND key_lower = $3 AND value_key = $4";
const FILL_SESSION_VALUE: &str = "INSERT INTO session_property \
     (org_id, session_key, key_lower, value_key, value_long, first_at, last_at, calls) \
     SELECT e.org_id, e.session_key, p.key_lower, p.value_key, MAX(p.value_long), \
     CAST($5 AS BIGINT), MAX(e.started_at), COUNT(*) \
     FROM exchange e JOIN exchange_property p ON p.org_id = e.org_id AND p.call_id = e.id \
     WHERE e.org_id = $1 AND e.session_key = $2 AND p.key_lower = $3 AND p.value_key = $4 AND e.started_at >= $5 \
     GROUP BY e.org_id, e.session_key, p.key_lower, p.value_key";
const SET_KEY: &str = "INSERT INTO property_key (org_id, key_lower, key, first_at, last_at) VALUES ($1, $2, $3, $4, $4) \
     ON CONFLICT (org_id, key_lower) DO UPDATE SET last_at = \
     CASE WHEN excluded.last_at > property_key.last_at THEN excluded.last_at ELSE property_key.last_at END";
const SET_SCORE: &str = "INSERT INTO exchange_score (org_id, call_id, name, value) \
     SELECT org_id, id, $3, $4 FROM exchange WHERE org_id = $1 AND id = $2 \
     ON CONFLICT (org_id, call_id, name) DO UPDATE SET value = excluded.value";
const SET_TAG: &str = "INSERT INTO session_tag (org_id, session_key, tag, set_at) \
     SELECT org_id, session_key, $3, $4 FROM session WHERE org_id = $1 AND session_key = $2 \
     ON CONFLICT (org_id, session_key) DO UPDATE SET tag = excluded.tag, set_at = excluded.set_at";
const TAG: &str = "SELECT t.tag FROM session s \
     LEFT JOIN session_tag t ON t.org_id = s.org_id AND t.session_key = s.session_key \
     WHERE s.org_id = $1 AND s.session_key = $2";
const FIRST_CALL: &str =
    "SELECT id FROM exchange WHERE org_id = $1 AND session_key = $2 ORDER BY started_at, id LIMIT 1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    FIND_CALL,
    LOCK_SESSION,
    OLD_VALUE,
    SET_PROPERTY,
    CLEAR_SESSION_VALUE,
    FILL_SESSION_VALUE,
    SET_KEY,
    SET_SCORE,
    SET_TAG,
    TAG,
    FIRST_CALL,
];

impl Store {
    /// Adds or replaces a property (key without case). False if there is no such call.
    pub async fn set_property(&self, org: OrgId, id: RequestId, property: &Property) -> Result<bool, StoreError> {
        let row = PropertyRecord::new(&property.key, &property.value);
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                let call: Option<(i64, Option<String>)> =
                    sqlx::query_as(FIND_CALL).bind(org.0).bind(id.0).fetch_optional(&mut *tx).await?;
                let Some((started_at, session)) = call else { return Ok(false) };
                let mut first_at = None;
                if let Some(session) = &session {
                    first_at = sqlx::query_as::<_, (i64,)>(LOCK_SESSION)
                        .bind(org.0)
                        .bind(session.as_str())
                        .fetch_optional(&mut *tx)
                        .await?;
                }
                let old: Option<(String,)> = sqlx::query_as(OLD_VALUE)
                    .bind(org.0)
                    .bind(id.0)
                    .bind(row.key_lower.as_str())
                    .fetch_optional(&mut *tx)
                    .await?;
                sqlx::query(SET_PROPERTY)
                    .bind(org.0)
                    .bind(id.0)
                    .bind(row.key_lower.as_str())
                    .bind(&*row.key)
                    .bind(row.value_key.as_str())
                    .bind(row.value_long.as_deref())
                    .bind(started_at)
                    .execute(&mut *tx)
                    .await?;
                if let (Some(session), Some((first_at,))) = (&session, first_at) {
                    for value in old.iter().map(|(old,)| old.as_str()).chain([row.value_key.as_str()]) {
                        sqlx::query(CLEAR_SESSION_VALUE)
                            .bind(org.0)
                            .bind(session.as_str())
                            .bind(row.key_lower.as_str())
                            .bind(value)
                            .execute(&mut *tx)
                            .await?;
                        sqlx::query(FILL_SESSION_VALUE)
                            .bind(org.0)
                            .bind(session.as_str())
                            .bind(row.key_lower.as_str())
                            .bind(value)
                            .bind(first_at)
                            .execute(&mut *tx)
                            .await?;
                    }
                }
                sqlx::query(SET_KEY)
                    .bind(org.0)
                    .bind(row.key_lower.as_str())
                    .bind(&*row.key)
                    .bind(started_at)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                Ok(true)
            }
        )
    }

    /// Adds or replaces a score. False if there is no such call.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a value that is not finite.
    pub async fn set_score(&self, org: OrgId, id: RequestId, name: &str, value: f64) -> Result<bool, StoreError> {
        if !value.is_finite() {
            return Err(StoreError::Rejected(sqlx::Error::Encode("a score is a finite number".into())));
        }
        on_db!(
            self,
            write | db | {
                let query = sqlx::query(SET_SCORE).bind(org.0).bind(id.0).bind(clean(name).into_owned()).bind(value);
                Ok(query.execute(db).await?.rows_affected() > 0)
            }
        )
    }

    /// The newest tag, if it has one; the outer `None`: there is no such session.
    pub async fn session_tag(&self, org: OrgId, id: &str) -> Result<Option<Option<String>>, StoreError> {
        let row: Option<(Option<String>,)> =
            on_db!(self, read | db | sqlx::query_as(TAG).bind(org.0).bind(session_key(id)).fetch_optional(db).await)?;
        Ok(row.map(|(tag,)| tag))
    }

    /// False if there is no such session.
    pub async fn set_session_tag(&self, org: OrgId, id: &str, tag: &str) -> Result<bool, StoreError> {
        on_db!(
            self,
            write | db | {
                let query = sqlx::query(SET_TAG).bind(org.0).bind(session_key(id)).bind(clean(tag).into_owned());
                Ok(query.bind(Micros::now().0).execute(db).await?.rows_affected() > 0)
            }
        )
    }

    /// Puts property `Helicone-Session-Feedback` = `1`/`0` on the session's first call. False if there is no such session.
    pub async fn set_session_feedback(&self, org: OrgId, id: &str, rating: bool) -> Result<bool, StoreError> {
        let first: Option<(Uuid,)> = on_db!(
            self,
            read | db | sqlx::query_as(FIRST_CALL).bind(org.0).bind(session_key(id)).fetch_optional(db).await
        )?;
        let Some((call,)) = first else { return Ok(false) };
        let value = if rating { "1" } else { "0" };
        let property = Property { key: SESSION_FEEDBACK.to_owned(), value: value.to_owned() };
        self.set_property(org, RequestId(call), &property).await
    }
}
