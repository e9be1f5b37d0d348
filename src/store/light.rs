//! Calls as light rows: by id for those who watch, of a session for those who read it through, and in short for the
//! sparklines of a page of sessions.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, Order, Query};
use uuid::Uuid;

use super::error::StoreError;
use super::record::session_key;
use super::rows::{CallRecord, call_columns};
use super::{Store, sql};
use crate::model::id::{OrgId, RequestId};
use crate::model::query::{CallDetail, Spark};

/// Calls that one query reads by id.
const MOST_IDS: usize = 1_000;

impl Store {
    /// Calls by id, oldest first, without properties and scores; ids that do not exist are left out.
    pub async fn light_calls(&self, org: OrgId, ids: &[RequestId]) -> Result<Vec<CallDetail>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().take(MOST_IDS).map(|id| id.0).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let select = Query::select()
            .expr(Expr::cust(call_columns!()))
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.id").is_in(ids))
            .order_by_expr(Expr::cust("e.started_at"), Order::Asc)
            .order_by_expr(Expr::cust("e.id"), Order::Asc)
            .take();
        let rows: Vec<CallRecord> = sql::fetch_all(self, &select).await?;
        Ok(rows.into_iter().map(CallRecord::into_detail).collect())
    }

    /// The session's calls in time order, at most `limit`, without properties and scores.
    pub async fn session_details(&self, org: OrgId, id: &str, limit: i64) -> Result<Vec<CallDetail>, StoreError> {
        let select = Query::select()
            .expr(Expr::cust(call_columns!()))
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.session_key").eq(session_key(id)))
            // The plus keeps SQLite from walking through all calls in order of start to spare itself the sort.
            .order_by_expr(Expr::cust("+e.started_at"), Order::Asc)
            .order_by_expr(Expr::cust("e.id"), Order::Asc)
            .limit(limit.clamp(0, i64::MAX).unsigned_abs())
            .take();
        let rows: Vec<CallRecord> = sql::fetch_all(self, &select).await?;
        Ok(rows.into_iter().map(CallRecord::into_detail).collect())
    }

    /// Which agent made these calls: their property `Agent-Name`, else `Agent`.
    pub async fn agents(&self, org: OrgId, ids: &[RequestId]) -> Result<HashMap<RequestId, String>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().take(MOST_IDS).map(|id| id.0).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let select =
            agents().and_where(Expr::cust("p.org_id").eq(org.0)).and_where(Expr::cust("p.call_id").is_in(ids)).take();
        Ok(first_named(sql::fetch_all(self, &select).await?))
    }

    /// The same for all calls of a session.
    pub async fn session_agents(&self, org: OrgId, id: &str) -> Result<HashMap<RequestId, String>, StoreError> {
        let select = agents()
            .join_as(
                sea_query::JoinType::InnerJoin,
                "exchange",
                "e",
                Expr::cust("e.org_id = p.org_id AND e.id = p.call_id"),
            )
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.session_key").eq(session_key(id)))
            .take();
        Ok(first_named(sql::fetch_all(self, &select).await?))
    }

    /// Calls and errors of sessions over their own time, in `buckets` parts; by session id as asked for. Sessions that do
    /// not exist are left out.
    pub async fn sparks(
        &self,
        org: OrgId,
        ids: &[String],
        buckets: usize,
    ) -> Result<HashMap<String, Spark>, StoreError> {
        let by_key: HashMap<String, &String> = ids.iter().map(|id| (session_key(id), id)).collect();
        if by_key.is_empty() || buckets == 0 {
            return Ok(HashMap::new());
        }
        let parts = i64::try_from(buckets).unwrap_or(i64::MAX);
        // Counted from the session's first start; a session of one instant is all in its first part.
        let part = Expr::cust("(e.started_at - s.first_at)")
            .mul(parts)
            .div(Expr::cust("(s.last_started_at - s.first_at + 1)"));
        let calls = Query::select()
            .expr(Expr::cust("e.session_key AS session_key"))
            .expr_as(part, "part")
            .expr(Expr::cust("e.error_rule AS error_rule"))
            .from_as("session", "s")
            .join_as(
                sea_query::JoinType::InnerJoin,
                "exchange",
                "e",
                Expr::cust("e.org_id = s.org_id AND e.session_key = s.session_key"),
            )
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where(Expr::cust("s.session_key").is_in(by_key.keys().map(String::as_str)))
            .take();
        let select = Query::select()
            .expr(Expr::cust("c.session_key, c.part, COUNT(*), COUNT(c.error_rule)"))
            .from_subquery(calls, "c")
            .add_group_by([Expr::cust("c.session_key"), Expr::cust("c.part")])
            .take();
        let rows: Vec<(String, i64, i64, i64)> = sql::fetch_all(self, &select).await?;
        let mut sparks: HashMap<String, Spark> = HashMap::new();
        for (key, part, calls, errors) in rows {
            let Some(id) = by_key.get(&key) else { continue };
            let spark = sparks
                .entry((*id).clone())
                .or_insert_with(|| Spark { calls: vec![0; buckets], errors: vec![0; buckets] });
            // A call that started before the roll-up knew belongs to the first part.
            let part = usize::try_from(Ord::max(part, 0)).unwrap_or_default().min(buckets - 1);
            for (sums, more) in [(&mut spark.calls, calls), (&mut spark.errors, errors)] {
                if let Some(sum) = sums.get_mut(part) {
                    *sum += more;
                }
            }
        }
        Ok(sparks)
    }
}

/// Calls with their agent's name; where a call has both properties the better one comes first.
fn agents() -> sea_query::SelectStatement {
    Query::select()
        .expr(Expr::cust("p.call_id, p.value_key"))
        .from_as("exchange_property", "p")
        .and_where(Expr::cust("p.key_lower IN ('agent-name', 'agent') AND p.value_key <> ''"))
        .order_by_expr(Expr::cust("p.key_lower"), Order::Desc)
        .take()
}

fn first_named(rows: Vec<(Uuid, String)>) -> HashMap<RequestId, String> {
    let mut named = HashMap::with_capacity(rows.len());
    for (id, agent) in rows {
        named.entry(RequestId(id)).or_insert(agent);
    }
    named
}
