//! Sessions by what the bodies of their calls say: pages, and the walk over all of them for sums.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, JoinType, Order, Query};
use uuid::Uuid;

use super::{Candidate, Search};
use crate::model::filter::TextOp;
use crate::model::id::OrgId;
use crate::model::query::{Page, SessionCount, SessionFigures, SessionNameRow, SessionQuery, Start};
use crate::model::session::Totals;
use crate::model::units::{Micros, NanoUsd};
use crate::store::error::StoreError;
use crate::store::exchanges::after;
use crate::store::lower::names_session;
use crate::store::matching::{of_sessions, one_by_one};
use crate::store::rows::SessionRecord;
use crate::store::text::clean;
use crate::store::{Store, compare, sql};

/// Sessions whose calls are looked at together.
const SESSIONS_A_BATCH: i64 = 64;
/// Calls of them that are listed together.
const CALLS_A_BATCH: u64 = 4_096;
/// Calls whose totals one statement sums.
const SUMMED: usize = 1_000;

impl Store {
    /// The first `most` sessions from where the page starts, with the totals of their calls that match.
    pub(in crate::store) async fn sessions_by_body(
        &self,
        org: OrgId,
        query: &SessionQuery,
        most: usize,
    ) -> Result<(Vec<SessionRecord>, HashMap<String, Totals>), StoreError> {
        let (mut skip, start) = match &query.page.start {
            Start::Offset(rows) => (usize::try_from(*rows).unwrap_or_default(), Start::Offset(0)),
            after @ Start::After { .. } => (0, after.clone()),
        };
        let mut search = Search::new(self, org, &query.filter);
        let (mut page, mut matched) = (Vec::new(), Vec::new());
        search
            .sessions(query, start, false, |record, ids| {
                if skip > 0 {
                    skip -= 1;
                    return true;
                }
                page.push(record);
                matched.extend(ids);
                page.len() < most
            })
            .await?;
        Ok((page, self.totals_of(org, &matched).await?))
    }

    pub(in crate::store) async fn session_count_by_body(
        &self,
        org: OrgId,
        query: &SessionQuery,
    ) -> Result<SessionCount, StoreError> {
        let mut sum = SessionCount::default();
        self.each_session_by_body(org, query, |record| {
            let totals = record.totals();
            sum.sessions += 1;
            sum.calls = sum.calls.saturating_add(totals.calls);
            sum.cost = NanoUsd(sum.cost.0.saturating_add(totals.cost.0));
            sum.latency_sum_us = sum.latency_sum_us.saturating_add(totals.latency_sum_us);
            true
        })
        .await?;
        Ok(sum)
    }

    pub(in crate::store) async fn session_names_by_body(
        &self,
        org: OrgId,
        contains: &str,
        query: &SessionQuery,
        most: usize,
    ) -> Result<Vec<SessionNameRow>, StoreError> {
        let mut names: HashMap<String, SessionNameRow> = HashMap::new();
        self.each_session_by_body(org, query, |record| {
            let row = record.into_row();
            if compare::matches(&row.name, TextOp::Contains, &clean(contains)) {
                let sum = names.entry(row.name.clone()).or_insert_with(|| SessionNameRow {
                    name: row.name,
                    sessions: 0,
                    calls: 0,
                    first_at: row.first_at,
                    last_at: row.last_started_at,
                    latency_sum_us: 0,
                });
                sum.sessions += 1;
                sum.calls = sum.calls.saturating_add(row.totals.calls);
                sum.first_at = sum.first_at.min(row.first_at);
                sum.last_at = sum.last_at.max(row.last_started_at);
                sum.latency_sum_us = sum.latency_sum_us.saturating_add(row.totals.latency_sum_us);
            }
            true
        })
        .await?;
        let mut names: Vec<SessionNameRow> = names.into_values().collect();
        names.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.name.cmp(&b.name)));
        names.truncate(most);
        Ok(names)
    }

    pub(in crate::store) async fn session_figures_by_body(
        &self,
        org: OrgId,
        query: &SessionQuery,
        most: u64,
    ) -> Result<Vec<SessionFigures>, StoreError> {
        let mut figures = Vec::new();
        self.each_session_by_body(org, query, |record| {
            let row = record.into_row();
            figures.push(SessionFigures { calls: row.totals.calls, duration_us: row.wall_us(), cost: row.totals.cost });
            (figures.len() as u64) < most
        })
        .await?;
        Ok(figures)
    }

    /// Every session of the query, newest first, as long as `visit` wants more.
    async fn each_session_by_body(
        &self,
        org: OrgId,
        query: &SessionQuery,
        mut visit: impl FnMut(SessionRecord) -> bool,
    ) -> Result<(), StoreError> {
        let mut search = Search::new(self, org, &query.filter);
        search.sessions(query, Start::Offset(0), true, |record, _| visit(record)).await
    }

    /// Sums over these calls, by session.
    async fn totals_of(&self, org: OrgId, ids: &[Uuid]) -> Result<HashMap<String, Totals>, StoreError> {
        let mut sums: HashMap<String, Totals> = HashMap::new();
        for some in ids.chunks(SUMMED) {
            let mut select = of_sessions(org, false);
            select.and_where(Expr::cust("e.id").is_in(some.iter().copied()));
            for (key, totals) in self.totals_by_session(&select).await? {
                sums.entry(key).or_default().add(&totals);
            }
        }
        Ok(sums)
    }
}

impl Search<'_> {
    /// Shows `visit` each session that has a call that passes, with these calls (with `one_each`: at least one of them).
    async fn sessions(
        &mut self,
        query: &SessionQuery,
        start: Start,
        one_each: bool,
        mut visit: impl FnMut(SessionRecord, Vec<Uuid>) -> bool,
    ) -> Result<(), StoreError> {
        let page = Page { limit: SESSIONS_A_BATCH, start };
        let mut query = SessionQuery { filter: self.wider.clone(), page, ..query.clone() };
        loop {
            self.in_time()?;
            let (records, more) = self.store.session_records(self.org, &query).await?;
            let last = records.last().map(|last| (Micros(last.first_at), last.id.clone()));
            let keys: Vec<&str> = records.iter().map(|record| record.session_key.as_str()).collect();
            let mut passing = self.calls_of_sessions(&keys, one_each).await?;
            for record in records {
                if let Some(ids) = passing.remove(&record.session_key)
                    && !visit(record, ids)
                {
                    return Ok(());
                }
            }
            let Some((at, id)) = last.filter(|_| more) else { return Ok(()) };
            query.page.start = Start::After { at, id };
        }
    }

    /// The calls of these sessions that pass, by session.
    async fn calls_of_sessions(
        &mut self,
        keys: &[&str],
        one_each: bool,
    ) -> Result<HashMap<String, Vec<Uuid>>, StoreError> {
        let mut passing: HashMap<String, Vec<Uuid>> = HashMap::new();
        let mut last: Option<(i64, Uuid)> = None;
        // Sessions of which nothing more is to be known are not listed again.
        let mut open = keys.to_vec();
        while !open.is_empty() {
            self.in_time()?;
            let mut select = Query::select();
            select.from_as("exchange", "e");
            if names_session(&self.wider) {
                let same = Expr::cust("s.org_id = e.org_id AND s.session_key = e.session_key");
                select.join_as(JoinType::InnerJoin, "session", "s", same);
            }
            self.columns(&mut select)?;
            select
                .and_where(Expr::cust("e.org_id").eq(self.org.0))
                .and_where(Expr::cust("e.session_key").is_in(open.iter().copied()))
                .and_where(one_by_one(self.store.lower(self.org).call(&self.wider)?))
                .and_where_option(last.map(|(at, id)| after(Micros(at), id, true)))
                .order_by_expr(Expr::cust("e.started_at"), Order::Desc)
                .order_by_expr(Expr::cust("e.id"), Order::Desc)
                .limit(CALLS_A_BATCH);
            let found: Vec<Candidate> = sql::fetch_all(self.store, &select).await?;
            let more = found.len() as u64 == CALLS_A_BATCH;
            last = found.last().map(|candidate| (candidate.started_at, candidate.id));
            for candidate in self.passing(found, one_each).await? {
                if let Some(key) = candidate.session_key {
                    passing.entry(key).or_default().push(candidate.id);
                }
            }
            if !more {
                break;
            }
            if one_each {
                open.retain(|key| !passing.contains_key(*key));
            }
        }
        Ok(passing)
    }
}
