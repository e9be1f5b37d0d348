//! Gaps: counts of calls that were served without a record, by minute.

use super::Store;
use super::db::on_db;
use super::error::StoreError;
use super::text::clean;
use crate::model::gap::{Gap, GapRow};
use crate::model::id::OrgId;
use crate::model::query::Window;
use crate::model::units::Micros;

/// A gap is stored once, however often it is written.
const ADD: &str = "INSERT INTO gap (org_id, id, minute, calls, reason) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (org_id, id) DO NOTHING";
const LIST: &str = "SELECT minute, reason, CAST(SUM(calls) AS BIGINT) FROM gap \
                    WHERE org_id = $1 AND minute >= $2 AND minute <= $3 \
                    GROUP BY minute, reason ORDER BY minute DESC, reason LIMIT $4";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ADD, LIST];

/// Rows that a question may return.
const MOST_ROWS: i64 = 10_000;

impl Store {
    /// Adds counts, all or none; those that are there already change nothing.
    pub async fn add_gaps(&self, gaps: &[Gap]) -> Result<(), StoreError> {
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                for gap in gaps {
                    let query = sqlx::query(ADD).bind(gap.org.0).bind(gap.id.0).bind(gap.minute.0).bind(gap.calls);
                    query.bind(clean(&gap.reason).into_owned()).execute(&mut *tx).await?;
                }
                tx.commit().await?;
                Ok(())
            }
        )
    }

    /// Counts by minute and reason, newest first, at most so many; the window is that of the minutes' starts.
    pub async fn gaps(&self, org: OrgId, window: Window, limit: i64) -> Result<Vec<GapRow>, StoreError> {
        let from = window.from.map_or(i64::MIN, |at| at.0);
        let to = window.to.map_or(i64::MAX, |at| at.0);
        let limit = limit.clamp(0, MOST_ROWS);
        let rows: Vec<(i64, String, i64)> = on_db!(
            self,
            read | db | sqlx::query_as(LIST).bind(org.0).bind(from).bind(to).bind(limit).fetch_all(db).await
        )?;
        let row = |(minute, reason, calls)| GapRow { minute: Micros(minute), calls, reason };
        Ok(rows.into_iter().map(row).collect())
    }
}
