//! States of conversations whose calls are too old to be kept: a little of them at a time.
//!
//! States are hashes, so a stretch of them that begins anywhere is a sample of all. Each round looks at two short stretches,
//! of which one begins by chance: no index is kept for this, and no round costs more where there are more states. A state
//! that is still there although its call is gone does no harm: it is looked up with its call.

use uuid::Uuid;

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use crate::model::id::OrgId;
use crate::model::units::Micros;

/// Rows of a stretch.
const STRETCH: i64 = 2_000;

const OLD_STATES: &str = "SELECT s.state FROM (SELECT state, started_at FROM conversation_state \
     WHERE org_id = $1 AND state >= $2 ORDER BY state LIMIT $3) s WHERE s.started_at < $4";
const DELETE_STATE: &str = "DELETE FROM conversation_state WHERE org_id = $1 AND state = $2 AND started_at < $3";
const LOST_WAITS: &str = "SELECT w.state, w.call_id FROM (SELECT org_id, state, call_id FROM conversation_wait \
     WHERE org_id = $1 AND state >= $2 ORDER BY state LIMIT $3) w \
     LEFT JOIN exchange e ON e.org_id = w.org_id AND e.id = w.call_id WHERE e.id IS NULL";
const DELETE_WAIT: &str = "DELETE FROM conversation_wait WHERE org_id = $1 AND state = $2 AND call_id = $3";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OLD_STATES, DELETE_STATE, LOST_WAITS, DELETE_WAIT];

impl Store {
    /// Deletes some of the states of calls that started before an instant, and of what deleted calls waited for.
    pub async fn delete_states_before(&self, org: OrgId, before: Micros) -> Result<(), StoreError> {
        let chance = i64::from_ne_bytes(Uuid::new_v4().as_u64_pair().0.to_ne_bytes());
        for from in [i64::MIN, chance] {
            let states: Vec<(i64,)> = on_db!(
                self,
                read | db | {
                    sqlx::query_as(OLD_STATES).bind(org.0).bind(from).bind(STRETCH).bind(before.0).fetch_all(db).await
                }
            )?;
            let waits: Vec<(i64, Uuid)> = on_db!(
                self,
                read | db | sqlx::query_as(LOST_WAITS).bind(org.0).bind(from).bind(STRETCH).fetch_all(db).await
            )?;
            if states.is_empty() && waits.is_empty() {
                continue;
            }
            on_db!(
                self,
                write | db | {
                    let mut tx = db.begin().await?;
                    for (state,) in &states {
                        sqlx::query(DELETE_STATE).bind(org.0).bind(*state).bind(before.0).execute(&mut *tx).await?;
                    }
                    for (state, call) in &waits {
                        sqlx::query(DELETE_WAIT).bind(org.0).bind(*state).bind(*call).execute(&mut *tx).await?;
                    }
                    tx.commit().await
                }
            )?;
        }
        Ok(())
    }
}
