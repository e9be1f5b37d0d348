//! Totals of the calls that match, session by session.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_query::{
    CaseStatement, CommonTableExpression, Condition, Expr, ExprTrait, JoinType, Query, SelectStatement, WithClause,
};

use super::bounds::{capped, unpriced};
use super::compare::Backend;
use super::error::StoreError;
use super::lower::{Needed, all, conjuncts, names_session};
use super::rows::{SessionRecord, TotalsRecord};
use super::{Store, sql};
use crate::model::filter::Filter;
use crate::model::id::OrgId;
use crate::model::session::Totals;

const TOTALS: &str = concat!(
    "e.session_key, COUNT(*) AS calls, COUNT(e.error_rule) AS errors, \
     CAST(COALESCE(SUM(",
    capped!("e.cost"),
    "), 0) AS BIGINT) AS cost, CAST(SUM(",
    unpriced!("e."),
    ") AS BIGINT) AS unpriced, CAST(SUM(",
    capped!("e.ended_at - e.started_at"),
    ") AS BIGINT) AS latency_sum_us, \
     CAST(COALESCE(SUM(e.prompt_tokens), 0) AS BIGINT) AS prompt_tokens, \
     CAST(COALESCE(SUM(e.prompt_cache_read_tokens), 0) AS BIGINT) AS prompt_cache_read_tokens, \
     CAST(COALESCE(SUM(e.prompt_cache_write_tokens), 0) AS BIGINT) AS prompt_cache_write_tokens, \
     CAST(COALESCE(SUM(e.prompt_cache_write_1h_tokens), 0) AS BIGINT) AS prompt_cache_write_1h_tokens, \
     CAST(COALESCE(SUM(e.prompt_audio_tokens), 0) AS BIGINT) AS prompt_audio_tokens, \
     CAST(COALESCE(SUM(e.completion_tokens), 0) AS BIGINT) AS completion_tokens, \
     CAST(COALESCE(SUM(e.completion_audio_tokens), 0) AS BIGINT) AS completion_audio_tokens, \
     CAST(COALESCE(SUM(e.reasoning_tokens), 0) AS BIGINT) AS reasoning_tokens, \
     CAST(COALESCE(SUM(e.prompt_image_tokens), 0) AS BIGINT) AS prompt_image_tokens, \
     CAST(COALESCE(SUM(e.completion_image_tokens), 0) AS BIGINT) AS completion_image_tokens, \
     CAST(COALESCE(SUM(e.web_searches), 0) AS BIGINT) AS web_searches, \
     CAST(COALESCE(SUM(e.tool_units), 0) AS BIGINT) AS tool_units, \
     CAST(COALESCE(SUM(e.search_units), 0) AS BIGINT) AS search_units"
);

impl Store {
    /// Totals of the calls of these sessions that match, by session.
    pub(super) async fn matching(
        &self,
        org: OrgId,
        page: &[SessionRecord],
        filter: &Filter,
    ) -> Result<HashMap<String, Totals>, StoreError> {
        let mut totals = HashMap::with_capacity(page.len());
        let mut open: Vec<&SessionRecord> = page.iter().collect();
        // Where all calls of a session have what is asked for, their sums are the session's.
        let needed: Option<BTreeSet<Needed>> = conjuncts(filter).into_iter().map(Needed::of).collect();
        if let Some(needed) = needed.filter(|needed| !needed.is_empty()) {
            let all = self.all_calls_have(org, page, &needed).await?;
            open.retain(|row| !all.contains(&row.session_key));
            let all = page.iter().filter(|row| all.contains(&row.session_key));
            totals.extend(all.map(|row| (row.session_key.clone(), row.totals())));
        }
        if !open.is_empty() {
            let select = self.calls_that_match(org, &open, filter)?;
            totals.extend(self.totals_by_session(&select).await?);
        }
        Ok(totals)
    }

    /// Those of the sessions whose calls all have each of the properties, as far as it is counted: what an earlier version
    /// wrote is not.
    async fn all_calls_have(
        &self,
        org: OrgId,
        page: &[SessionRecord],
        needed: &BTreeSet<Needed>,
    ) -> Result<HashSet<String>, StoreError> {
        if needed.len() == 1 && page.iter().all(|row| row.calls_having.is_some()) {
            let all = page.iter().filter(|row| row.calls_having == Some(row.calls()));
            return Ok(all.map(|row| row.session_key.clone()).collect());
        }
        let has = |needed: &Needed| {
            let key = Expr::cust("p.key_lower").eq(needed.key_lower.as_str());
            key.and(Expr::cust("p.value_key").eq(needed.value_key.as_str()))
        };
        let select = Query::select()
            .expr(Expr::cust("p.session_key, p.calls"))
            .from_as("session_property", "p")
            .and_where(Expr::cust("p.org_id").eq(org.0))
            .and_where(Expr::cust("p.session_key").is_in(page.iter().map(|row| row.session_key.as_str())))
            .cond_where(needed.iter().map(has).fold(Condition::any(), Condition::add))
            .take();
        let calls_of: HashMap<&str, i64> = page.iter().map(|row| (row.session_key.as_str(), row.calls())).collect();
        let mut all: HashMap<String, usize> = HashMap::with_capacity(page.len());
        for (session, calls) in sql::fetch_all::<(String, Option<i64>)>(self, &select).await? {
            if calls.is_some() && calls.as_ref() == calls_of.get(session.as_str()) {
                *all.entry(session).or_default() += 1;
            }
        }
        all.retain(|_, properties| *properties == needed.len());
        Ok(all.into_keys().collect())
    }

    /// The calls of these sessions that match, grouped by session, with their totals.
    fn calls_that_match(
        &self,
        org: OrgId,
        page: &[&SessionRecord],
        filter: &Filter,
    ) -> Result<SelectStatement, StoreError> {
        let lower = self.lower(org);
        let mut select = of_sessions(org, names_session(filter));
        select.and_where(Expr::cust("e.session_key").is_in(page.iter().map(|row| row.session_key.as_str())));
        let mut parts = conjuncts(filter);
        let listed = match self.kind() {
            Backend::Postgres => parts.iter().position(|part| Needed::of(part).is_some()),
            // Its look-ups cost less than a list.
            Backend::Sqlite => None,
        };
        if let Some(place) = listed
            && let part = parts.remove(place)
            && let Some(needed) = Needed::of(part)
        {
            let near = Near::of(page);
            select.with_cte(near.list(org, &needed)).and_where(near.holds(lower.call(part)?));
        }
        let rest = parts.into_iter().map(|part| lower.call(part)).collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            select.and_where(one_by_one(all(rest)));
        }
        Ok(select)
    }

    /// Sums by session over the calls of such a selection.
    pub(super) async fn totals_by_session(
        &self,
        select: &SelectStatement,
    ) -> Result<HashMap<String, Totals>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            session_key: String,
            #[sqlx(flatten)]
            totals: TotalsRecord,
        }
        let rows: Vec<Row> = sql::fetch_all(self, select).await?;
        Ok(rows.into_iter().map(|row| (row.session_key, row.totals.into())).collect())
    }
}

/// Totals by session over calls `e`, with their session `s` where a condition names it.
pub(super) fn of_sessions(org: OrgId, names_session: bool) -> SelectStatement {
    let mut select = Query::select();
    select.expr(Expr::cust(TOTALS)).from_as("exchange", "e");
    if names_session {
        let same = Expr::cust("s.org_id = e.org_id AND s.session_key = e.session_key");
        select.join_as(JoinType::InnerJoin, "session", "s", same);
    }
    select
        .and_where(Expr::cust("e.org_id").eq(org.0))
        .and_where(Expr::cust("e.session_key IS NOT NULL"))
        .add_group_by([Expr::cust("e.session_key")]);
    select
}

/// A condition that is tested call by call. PostgreSQL turns a bare `EXISTS` into a join, and then reads all calls with a
/// property to find those of one page of sessions.
pub(super) fn one_by_one(condition: Expr) -> Expr {
    Expr::expr(CaseStatement::new().case(condition, 1).finally(0)).eq(1)
}

/// The time of a page's sessions. The calls that have a property in it are one stretch of an index and seldom many more than
/// those of the page, so reading them all costs less than looking for each call. Where they are many after all, the list is
/// cut and each call is looked for.
struct Near {
    from: i64,
    to: i64,
    most: i64,
}

impl Near {
    fn of(page: &[&SessionRecord]) -> Self {
        let calls: i64 = page.iter().map(|row| row.calls()).fold(0, i64::saturating_add);
        Self {
            from: page.iter().map(|row| row.first_at).fold(i64::MAX, Ord::min),
            to: page.iter().map(|row| row.last_started_at).fold(i64::MIN, Ord::max),
            most: calls.saturating_mul(2).clamp(500, 20_000),
        }
    }

    fn list(&self, org: OrgId, needed: &Needed) -> WithClause {
        let calls = Query::select()
            .expr(Expr::cust("q.call_id"))
            .from_as("exchange_property", "q")
            .and_where(Expr::cust("q.org_id").eq(org.0))
            .and_where(Expr::cust("q.key_lower").eq(needed.key_lower.as_str()))
            .and_where(Expr::cust("q.value_key").eq(needed.value_key.as_str()))
            .and_where(Expr::cust("q.started_at").between(self.from, self.to))
            .limit(self.most.unsigned_abs() + 1)
            .take();
        let mut near = CommonTableExpression::new();
        near.table_name("near").column("call_id").materialized(true).query(calls);
        let mut with = WithClause::new();
        with.cte(near);
        with
    }

    fn holds(&self, looked_for: Expr) -> Expr {
        let listed = CaseStatement::new().case(Expr::cust("e.id IN (SELECT call_id FROM near)"), 1).finally(0);
        let whole = Expr::cust("(SELECT COUNT(*) FROM near)").lte(self.most);
        Expr::expr(CaseStatement::new().case(whole, listed).case(looked_for, 1).finally(0)).eq(1)
    }
}
