//! Sessions: lists, counts and single ones, from the roll-up.
//!
//! The filter selects sessions, the totals are the whole session's, and `matching` has those of the calls for which the
//! filter holds (`lower` says precisely what that is). A page costs its rows, plus one query each for busy time, users and,
//! where the filter looks at calls, matching calls.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::bounds::capped;
use super::compare;
use super::db::on_db;
use super::error::StoreError;
use super::lower::{Needed, conjuncts, names_call};
use super::record::session_key;
use super::rows::{CallRecord, SESSION_COLUMNS, SessionRecord, call_columns};
use super::search::names_body;
use super::{Store, sql};
use crate::model::filter::{Filter, TextOp};
use crate::model::id::OrgId;
use crate::model::query::{SessionCount, SessionFigures, SessionNameRow, SessionPage, SessionQuery, Start};
use crate::model::session::{CallRow, SessionRow, Totals};
use crate::model::units::{Micros, NanoUsd};

/// Sessions that the histograms look at.
const MOST_FIGURES: u64 = 100_000;
/// Rows of a page.
const MOST_ROWS: i64 = 1_000;

const CALLS: &str = concat!(
    "SELECT ",
    call_columns!(),
    " FROM exchange e WHERE e.org_id = $1 AND e.session_key = $2 ORDER BY +e.started_at, e.id LIMIT $3"
);

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CALLS];

/// How the sessions of a query are found.
enum Plan<'q> {
    /// One stretch of the index of properties; nothing else is asked, so the page is cut before sessions are read.
    PropertyPage(Needed),
    /// The index of properties leads, the condition tests each session.
    Property(Needed, &'q Filter),
    /// The sessions of the organisation, newest first, each tested.
    Scan(&'q Filter),
}

impl<'q> Plan<'q> {
    fn choose(query: &'q SessionQuery) -> Self {
        let parts = conjuncts(&query.filter);
        let plain = query.search.is_empty() && query.name_equals.is_none() && query.window.from.is_none();
        match (parts.as_slice(), parts.iter().find_map(|part| Needed::of(part))) {
            ([_], Some(needed)) if plain => Self::PropertyPage(needed),
            (_, Some(needed)) => Self::Property(needed, &query.filter),
            (_, None) => Self::Scan(&query.filter),
        }
    }
}

impl Store {
    /// A page of sessions, newest first.
    pub async fn sessions(&self, org: OrgId, query: &SessionQuery) -> Result<SessionPage, StoreError> {
        let wanted = usize::try_from(query.page.limit.clamp(0, MOST_ROWS)).unwrap_or_default();
        let (rows, more) = if names_body(&query.filter) {
            let (mut found, matching) = self.sessions_by_body(org, query, wanted + 1).await?;
            let more = found.len() > wanted;
            found.truncate(wanted);
            (self.complete(org, found, Matching::Known(matching)).await?, more)
        } else {
            let (found, more) = self.session_records(org, query).await?;
            (self.complete(org, found, Matching::of(&query.filter)).await?, more)
        };
        let next = rows.last().filter(|_| more).map(|last| (last.first_at, last.id.clone()));
        Ok(SessionPage { rows, next })
    }

    /// The rows of a page, and whether there are more behind it. The filter names no body.
    pub(super) async fn session_records(
        &self,
        org: OrgId,
        query: &SessionQuery,
    ) -> Result<(Vec<SessionRecord>, bool), StoreError> {
        let limit = query.page.limit.clamp(0, MOST_ROWS);
        let mut select = self.selection(org, query, Some(limit))?;
        select.expr(Expr::cust(SESSION_COLUMNS)).join_as(
            sea_query::JoinType::LeftJoin,
            "session_tag",
            "t",
            Expr::cust("t.org_id = s.org_id AND t.session_key = s.session_key"),
        );
        if conjuncts(&query.filter).len() == 1 && !matches!(Plan::choose(query), Plan::Scan(_)) {
            select.expr_as(Expr::cust("p.calls"), "calls_having");
        }
        let mut found: Vec<SessionRecord> = sql::fetch_all(self, &select).await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let more = found.len() > wanted;
        found.truncate(wanted);
        Ok((found, more))
    }

    /// Sums over all sessions of the query.
    pub async fn session_count(&self, org: OrgId, query: &SessionQuery) -> Result<SessionCount, StoreError> {
        if names_body(&query.filter) {
            return self.session_count_by_body(org, query).await;
        }
        let mut select = self.selection(org, query, None)?;
        select.expr(Expr::cust(
            "COUNT(*), CAST(COALESCE(SUM(s.calls), 0) AS BIGINT), CAST(COALESCE(SUM(s.cost), 0) AS BIGINT), \
             CAST(COALESCE(SUM(s.latency_sum_us), 0) AS BIGINT)",
        ));
        let (sessions, calls, cost, latency_sum_us): (i64, i64, i64, i64) = sql::fetch_one(self, &select).await?;
        Ok(SessionCount { sessions, calls, cost: NanoUsd(cost), latency_sum_us })
    }

    /// Names that contain a text (without case, literally) with their sessions, last used first; the page's limit applies.
    pub async fn session_names(
        &self,
        org: OrgId,
        contains: &str,
        query: &SessionQuery,
    ) -> Result<Vec<SessionNameRow>, StoreError> {
        let most = query.page.limit.clamp(0, MOST_ROWS).unsigned_abs();
        if names_body(&query.filter) {
            return self.session_names_by_body(org, contains, query, usize::try_from(most).unwrap_or_default()).await;
        }
        let mut select = self.selection(org, query, None)?;
        select
            .expr(Expr::cust(
                "s.name, COUNT(*), CAST(SUM(s.calls) AS BIGINT), MIN(s.first_at), MAX(s.last_started_at), \
                 CAST(SUM(s.latency_sum_us) AS BIGINT)",
            ))
            .and_where_option(
                (!contains.is_empty())
                    .then(|| compare::text(self.kind(), Expr::cust("s.name"), TextOp::Contains, contains)),
            )
            .add_group_by([Expr::cust("s.name")])
            .order_by_expr(Expr::cust("MAX(s.last_started_at)"), Order::Desc)
            .order_by_expr(Expr::cust("s.name"), Order::Asc)
            .limit(most);
        let rows: Vec<(String, i64, i64, i64, i64, i64)> = sql::fetch_all(self, &select).await?;
        Ok(rows
            .into_iter()
            .map(|(name, sessions, calls, first_at, last_at, latency_sum_us)| SessionNameRow {
                name,
                sessions,
                calls,
                first_at: Micros(first_at),
                last_at: Micros(last_at),
                latency_sum_us,
            })
            .collect())
    }

    /// Figures of every session of the query (its page is ignored), the newest 100,000 at most.
    pub async fn session_figures(&self, org: OrgId, query: &SessionQuery) -> Result<Vec<SessionFigures>, StoreError> {
        if names_body(&query.filter) {
            return self.session_figures_by_body(org, query, MOST_FIGURES).await;
        }
        let mut select = self.selection(org, query, None)?;
        select
            .expr(Expr::cust("s.calls, s.last_ended_at - s.first_at, s.cost"))
            .order_by_expr(Expr::cust("s.first_at"), Order::Desc)
            .limit(MOST_FIGURES);
        let rows: Vec<(i64, i64, i64)> = sql::fetch_all(self, &select).await?;
        let figures = |(calls, duration_us, cost)| SessionFigures { calls, duration_us, cost: NanoUsd(cost) };
        Ok(rows.into_iter().map(figures).collect())
    }

    pub async fn session(&self, org: OrgId, id: &str) -> Result<Option<SessionRow>, StoreError> {
        let select = Query::select()
            .expr(Expr::cust(SESSION_COLUMNS))
            .from_as("session", "s")
            .join_as(
                sea_query::JoinType::LeftJoin,
                "session_tag",
                "t",
                Expr::cust("t.org_id = s.org_id AND t.session_key = s.session_key"),
            )
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where(Expr::cust("s.session_key").eq(session_key(id)))
            .take();
        let found: Vec<SessionRecord> = sql::fetch_all(self, &select).await?;
        Ok(self.complete(org, found, Matching::NotAsked).await?.pop())
    }

    /// The session's calls in time order, at most `limit`.
    pub async fn session_calls(&self, org: OrgId, id: &str, limit: i64) -> Result<Vec<CallRow>, StoreError> {
        let rows: Vec<CallRecord> = on_db!(
            self,
            read | db | {
                sqlx::query_as(CALLS)
                    .bind(org.0)
                    .bind(session_key(id))
                    .bind(limit.clamp(0, i64::MAX))
                    .fetch_all(db)
                    .await
            }
        )?;
        Ok(rows.into_iter().map(|row| row.into_detail().call).collect())
    }

    /// Sessions `s` of the query without columns. With a limit, one page in order and one row more.
    fn selection(&self, org: OrgId, query: &SessionQuery, limit: Option<i64>) -> Result<SelectStatement, StoreError> {
        let lower = self.lower(org);
        let mut select = Query::select();
        // The table whose index gives the order, or whose rows are counted.
        let lead = match Plan::choose(query) {
            Plan::PropertyPage(needed) => {
                let mut page = property_sessions(org, &needed);
                if let Some(limit) = limit {
                    cut(&mut page, "p", query, limit);
                }
                page.and_where_option(starts_by(query, "p"));
                select.from_subquery(page, "p");
                join_session(&mut select);
                if limit.is_some() {
                    order(&mut select, "p");
                }
                return Ok(select);
            }
            Plan::Property(needed, filter) => {
                select.from_subquery(property_sessions(org, &needed), "p");
                join_session(&mut select);
                select.and_where(lower.session(filter)?);
                "p"
            }
            Plan::Scan(filter) => {
                select.from_as("session", "s").and_where(Expr::cust("s.org_id").eq(org.0));
                select.and_where(lower.session(filter)?);
                "s"
            }
        };
        select.and_where_option(starts_by(query, lead));
        select.and_where_option(query.window.from.map(|from| Expr::cust("s.last_ended_at").gte(from.0)));
        select.and_where_option(
            query
                .name_equals
                .as_deref()
                .map(|name| compare::text(self.kind(), Expr::cust("s.name"), TextOp::Equals, name)),
        );
        if !query.search.is_empty() {
            let contains = |column| compare::text(self.kind(), Expr::cust(column), TextOp::Contains, &query.search);
            select.and_where(contains("s.name").or(contains("COALESCE(s.session_long, s.session_key)")));
        }
        if let Some(limit) = limit {
            cut(&mut select, lead, query, limit);
        }
        Ok(select)
    }

    /// Adds what is read for a whole page at once.
    pub(super) async fn complete(
        &self,
        org: OrgId,
        found: Vec<SessionRecord>,
        matching: Matching<'_>,
    ) -> Result<Vec<SessionRow>, StoreError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = found.iter().map(|row| row.session_key.clone()).collect();
        let matching = async {
            match matching {
                Matching::NotAsked => Ok(None),
                Matching::Asked(filter) => self.matching(org, &found, filter).await.map(Some),
                Matching::Known(totals) => Ok(Some(totals)),
            }
        };
        // At once: they are independent, and a page takes as long as the slowest.
        let (matching, busy, mut users) = tokio::try_join!(matching, self.busy(org, &keys), self.users(org, &keys))?;
        Ok(found
            .into_iter()
            .map(|record| {
                let key = record.session_key.clone();
                let mut row = record.into_row();
                row.busy_us = busy.get(&key).copied().unwrap_or_default();
                row.user_ids = users.remove(&key).unwrap_or_default();
                row.matching = matching.as_ref().map(|m| m.get(&key).copied().unwrap_or_default());
                row
            })
            .collect())
    }

    /// For each session the time in which at least one call was running: what each call adds beyond the latest end of those
    /// that started before it.
    async fn busy(&self, org: OrgId, keys: &[String]) -> Result<HashMap<String, i64>, StoreError> {
        let calls = Query::select()
            .expr(Expr::cust(
                "e.session_key, e.started_at, e.ended_at, MAX(e.ended_at) OVER (PARTITION BY e.session_key \
                 ORDER BY e.started_at, e.ended_at, e.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before",
            ))
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.session_key").is_in(keys))
            .take();
        let select = Query::select()
            .expr(Expr::cust(concat!(
                "c.session_key, CAST(SUM(CASE WHEN c.before IS NULL OR c.started_at >= c.before THEN ",
                capped!("c.ended_at - c.started_at"),
                " WHEN c.ended_at > c.before THEN ",
                capped!("c.ended_at - c.before"),
                " ELSE 0 END) AS BIGINT)"
            )))
            .from_subquery(calls, "c")
            .add_group_by([Expr::cust("c.session_key")])
            .take();
        Ok(sql::fetch_all::<(String, i64)>(self, &select).await?.into_iter().collect())
    }

    async fn users(&self, org: OrgId, keys: &[String]) -> Result<HashMap<String, Vec<String>>, StoreError> {
        let select = Query::select()
            .expr(Expr::cust("u.session_key, COALESCE(u.user_long, u.user_key)"))
            .from_as("session_user_id", "u")
            .and_where(Expr::cust("u.org_id").eq(org.0))
            .and_where(Expr::cust("u.session_key").is_in(keys))
            .take();
        let mut users: HashMap<String, Vec<String>> = HashMap::new();
        for (key, user) in sql::fetch_all::<(String, String)>(self, &select).await? {
            users.entry(key).or_default().push(user);
        }
        users.values_mut().for_each(|ids| ids.sort_unstable());
        Ok(users)
    }
}

/// Where the totals of the calls that match come from.
pub(super) enum Matching<'f> {
    /// The filter names no call.
    NotAsked,
    Asked(&'f Filter),
    /// By session key.
    Known(HashMap<String, Totals>),
}

impl<'f> Matching<'f> {
    pub(super) fn of(filter: &'f Filter) -> Self {
        if names_call(filter) { Self::Asked(filter) } else { Self::NotAsked }
    }
}

fn property_sessions(org: OrgId, needed: &Needed) -> SelectStatement {
    Query::select()
        .expr(Expr::cust("p.org_id, p.session_key, p.first_at, p.calls"))
        .from_as("session_property", "p")
        .and_where(Expr::cust("p.org_id").eq(org.0))
        .and_where(Expr::cust("p.key_lower").eq(needed.key_lower.as_str()))
        .and_where(Expr::cust("p.value_key").eq(needed.value_key.as_str()))
        .take()
}

fn join_session(select: &mut SelectStatement) {
    let same = Expr::cust("s.org_id = p.org_id AND s.session_key = p.session_key");
    select.join_as(sea_query::JoinType::InnerJoin, "session", "s", same);
}

/// The half of "overlaps the window" that the order's index can answer.
fn starts_by(query: &SessionQuery, table: &'static str) -> Option<Expr> {
    query.window.to.map(|to| first_at(table).lte(to.0))
}

fn first_at(table: &'static str) -> Expr {
    Expr::cust(if table == "p" { "p.first_at" } else { "s.first_at" })
}

fn key(table: &'static str) -> Expr {
    Expr::cust(if table == "p" { "p.session_key" } else { "s.session_key" })
}

fn order(select: &mut SelectStatement, table: &'static str) {
    select.order_by_expr(first_at(table), Order::Desc).order_by_expr(key(table), Order::Desc);
}

/// Cuts a page, and one row more to know whether there is another.
fn cut(select: &mut SelectStatement, table: &'static str, query: &SessionQuery, limit: i64) {
    order(select, table);
    select.limit(limit.unsigned_abs() + 1);
    match &query.page.start {
        Start::Offset(rows) => {
            select.offset(u64::try_from(*rows).unwrap_or_default());
        }
        Start::After { at, id } => {
            let after = Expr::tuple([Expr::val(at.0), Expr::val(session_key(id))]);
            select.and_where(Expr::tuple([first_at(table), key(table)]).lt(after));
        }
    }
}
