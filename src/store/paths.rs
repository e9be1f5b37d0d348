//! Many sessions at once: their calls by session and path, which the tree of decision points is made of, and the sessions
//! of a window that stand out.

use sea_query::{Expr, ExprTrait, JoinType, Order, Query};
use sqlx::FromRow;

use super::bounds::{capped, capped_input, capped_output};
use super::error::StoreError;
use super::text::property_key;
use super::{Store, sql};
use crate::model::filter::Filter;
use crate::model::id::OrgId;
use crate::model::query::{Noticed, NoticedSessions, PathRow, Window};
use crate::model::units::{Micros, NanoUsd};

/// Rows that one answer takes; with paths that never repeat, sessions of this many calls.
const MOST_ROWS: u64 = 300_000;

/// Of calls `e`, with the side put before it.
const SUMS: &str = concat!(
    "COUNT(*) AS calls, COUNT(e.error_rule) AS errors, CAST(COALESCE(SUM(",
    capped!("e.cost"),
    "), 0) AS BIGINT) AS cost, CAST(SUM(",
    capped!("e.ended_at - e.started_at"),
    ") AS BIGINT) AS time_us, CAST(COALESCE(SUM(",
    capped_input!(),
    "), 0) AS BIGINT) AS input_tokens, CAST(COALESCE(SUM(",
    capped_output!(),
    "), 0) AS BIGINT) AS output_tokens, MAX(e.started_at) AS last_at"
);

#[derive(FromRow)]
struct PathRecord {
    session: String,
    path: String,
    side: String,
    calls: i64,
    errors: i64,
    cost: i64,
    time_us: i64,
    input_tokens: i64,
    output_tokens: i64,
    last_at: i64,
}

impl From<PathRecord> for PathRow {
    fn from(row: PathRecord) -> Self {
        Self {
            session: row.session,
            path: row.path,
            side: row.side,
            calls: row.calls,
            errors: row.errors,
            cost: NanoUsd(row.cost),
            time_us: row.time_us,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            last_at: Micros(row.last_at),
        }
    }
}

impl Store {
    /// Calls that pass the filter, of the newest sessions that began in the window, at most `sessions` of them. The second
    /// part says whether there were more sessions, or more rows than one answer takes. `side`: a property by whose value
    /// rows are kept apart.
    pub async fn path_rows(
        &self,
        org: OrgId,
        filter: &Filter,
        window: Window,
        (sessions, side): (i64, Option<&str>),
    ) -> Result<(Vec<PathRow>, bool), StoreError> {
        let mut newest = Query::select();
        newest
            .expr(Expr::cust("s.session_key, s.first_at"))
            .from_as("session", "s")
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where_option(window.from.map(|from| Expr::cust("s.first_at").gte(from.0)))
            .and_where_option(window.to.map(|to| Expr::cust("s.first_at").lte(to.0)))
            .order_by_expr(Expr::cust("s.first_at"), Order::Desc)
            .order_by_expr(Expr::cust("s.session_key"), Order::Desc)
            .limit(sessions.clamp(0, i64::MAX - 1).unsigned_abs() + 1);
        // Where the filter passes only some calls the sessions are those that have one: found before they are cut.
        if *filter != Filter::ALL {
            newest.and_where(self.lower(org).session(filter)?);
        }
        let found: Vec<(String, i64)> = sql::fetch_all(self, &newest).await?;
        let wanted = usize::try_from(sessions).unwrap_or_default();
        let more = found.len() > wanted;
        let Some((_, oldest)) = found.iter().take(wanted).next_back() else { return Ok((Vec::new(), false)) };

        let mut select = Query::select();
        let side_of = if side.is_some() { "COALESCE(x.value_key, '')" } else { "''" };
        select
            .expr(Expr::cust("e.session_key AS session"))
            .expr(Expr::cust("substr(COALESCE(e.session_path, ''), 1, 2000) AS path"))
            .expr_as(Expr::cust(side_of), "side")
            .expr(Expr::cust(SUMS))
            .from_as("session", "s")
            .join_as(
                JoinType::InnerJoin,
                "exchange",
                "e",
                Expr::cust("e.org_id = s.org_id AND e.session_key = s.session_key"),
            )
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where(Expr::cust("s.first_at").gte(*oldest))
            .and_where_option(window.to.map(|to| Expr::cust("s.first_at").lte(to.0)))
            .and_where(self.lower(org).call(filter)?);
        if let Some(side) = side {
            let on = Expr::cust("x.org_id = e.org_id AND x.call_id = e.id")
                .and(Expr::cust("x.key_lower").eq(property_key(side)));
            select.join_as(JoinType::LeftJoin, "exchange_property", "x", on);
        }
        let mut groups = vec!["e.session_key", "substr(COALESCE(e.session_path, ''), 1, 2000)"];
        if side.is_some() {
            groups.push("COALESCE(x.value_key, '')");
        }
        select.add_group_by(groups.into_iter().map(Expr::cust)).limit(MOST_ROWS);
        let rows: Vec<PathRecord> = sql::fetch_all(self, &select).await?;
        let full = rows.len() as u64 == MOST_ROWS;
        Ok((rows.into_iter().map(Into::into).collect(), more || full))
    }

    /// Sessions with a call in the window that ended in an error or cost most, at most `most` of each.
    pub async fn noticed_sessions(&self, org: OrgId, window: Window, most: i64) -> Result<NoticedSessions, StoreError> {
        let of_window = || {
            let mut select = Query::select();
            select.from_as("session", "s").and_where(Expr::cust("s.org_id").eq(org.0));
            select.and_where_option(window.from.map(|from| Expr::cust("s.last_ended_at").gte(from.0)));
            select.and_where_option(window.to.map(|to| Expr::cust("s.first_at").lte(to.0)));
            select
        };
        let named = "COALESCE(s.session_long, s.session_key) AS id, s.name, s.calls, s.errors, s.cost";
        let limit = most.clamp(0, 1_000).unsigned_abs();
        let failed = of_window()
            .expr(Expr::cust(named))
            .and_where(Expr::cust("s.errors > 0 AND s.last_failed"))
            .order_by_expr(Expr::cust("s.first_at"), Order::Desc)
            .order_by_expr(Expr::cust("s.session_key"), Order::Desc)
            .limit(limit)
            .take();
        let dear = of_window()
            .expr(Expr::cust(named))
            .order_by_expr(Expr::cust("s.cost"), Order::Desc)
            .order_by_expr(Expr::cust("s.session_key"), Order::Desc)
            .limit(limit)
            .take();
        let sums = of_window().expr(Expr::cust("COUNT(*), CAST(COALESCE(SUM(s.cost), 0) AS BIGINT)")).take();
        let (sessions, cost): (i64, i64) = sql::fetch_one(self, &sums).await?;
        #[expect(clippy::cast_precision_loss, reason = "a mean for display")]
        let mean_cost = if sessions == 0 { 0.0 } else { NanoUsd(cost).usd() / sessions as f64 };
        let rows = async |select| -> Result<Vec<Noticed>, StoreError> {
            let rows: Vec<(String, String, i64, i64, i64)> = sql::fetch_all(self, select).await?;
            let short = |(id, name, calls, errors, cost)| Noticed { id, name, calls, errors, cost: NanoUsd(cost) };
            Ok(rows.into_iter().map(short).collect())
        };
        Ok(NoticedSessions { sessions, mean_cost, failed: rows(&failed).await?, dear: rows(&dear).await? })
    }
}
