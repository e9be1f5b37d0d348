//! Calls by what their bodies say: pages and counts.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use super::{Candidate, Search};
use crate::model::filter::Filter;
use crate::model::id::OrgId;
use crate::model::query::{CallQuery, Sort, SortKey, Start, Window};
use crate::model::units::Micros;
use crate::store::error::StoreError;
use crate::store::exchanges::{after, order};
use crate::store::rows::{CallRecord, call_columns};
use crate::store::{Store, sql};

/// Candidates of the first batch, which is often enough for a page; each further one is twice as long.
const FIRST_BATCH: u64 = 128;
const MOST_BATCH: u64 = 4_096;
/// Candidates of an order that has no key to go on from.
const MOST_LISTED: u64 = 20_000;

impl Store {
    /// A page of calls, `limit` long, as [`Store::calls`] promises it.
    pub(in crate::store) async fn calls_by_body(
        &self,
        org: OrgId,
        query: &CallQuery,
        limit: i64,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let (skip, mut last) = match &query.page.start {
            Start::Offset(rows) => (usize::try_from(*rows).unwrap_or_default(), None),
            Start::After { at, id } => (0, Some((at.0, Uuid::try_parse(id).unwrap_or_default()))),
        };
        let wanted = skip.saturating_add(usize::try_from(limit).unwrap_or_default());
        let mut search = Search::new(self, org, &query.filter);
        let mut ids: Vec<Uuid> = Vec::new();
        let mut batch = FIRST_BATCH;
        if query.sort.by == SortKey::CreatedAt {
            while ids.len() < wanted {
                let found = search.calls(query.window, &query.sort, last, batch).await?;
                let more = found.len() as u64 == batch;
                last = found.last().map(|candidate| (candidate.started_at, candidate.id));
                ids.extend(search.passing(found, false).await?.into_iter().map(|candidate| candidate.id));
                if !more {
                    break;
                }
                batch = Ord::min(batch * 2, MOST_BATCH);
            }
        } else {
            let listed = search.calls(query.window, &query.sort, last, MOST_LISTED + 1).await?;
            if listed.len() as u64 > MOST_LISTED {
                return Err(search.too_broad());
            }
            let mut listed = listed.into_iter();
            while ids.len() < wanted {
                let some: Vec<Candidate> = listed.by_ref().take(usize::try_from(batch).unwrap_or_default()).collect();
                if some.is_empty() {
                    break;
                }
                ids.extend(search.passing(some, false).await?.into_iter().map(|candidate| candidate.id));
            }
        }
        let page: Vec<Uuid> = ids.into_iter().take(wanted).skip(skip).collect();
        self.calls_of(org, &page).await
    }

    pub(in crate::store) async fn call_count_by_body(
        &self,
        org: OrgId,
        filter: &Filter,
        window: Window,
    ) -> Result<i64, StoreError> {
        let sort = Sort { by: SortKey::CreatedAt, descending: true };
        let mut search = Search::new(self, org, filter);
        let (mut count, mut last) = (0_i64, None);
        loop {
            let found = search.calls(window, &sort, last, MOST_BATCH).await?;
            let more = found.len() as u64 == MOST_BATCH;
            last = found.last().map(|candidate| (candidate.started_at, candidate.id));
            count += i64::try_from(search.passing(found, false).await?.len()).unwrap_or_default();
            if !more {
                return Ok(count);
            }
        }
    }

    /// These calls, in this order.
    async fn calls_of(&self, org: OrgId, ids: &[Uuid]) -> Result<Vec<CallRecord>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let select = Query::select()
            .expr(Expr::cust(call_columns!()))
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.id").is_in(ids.iter().copied()))
            .take();
        let mut rows: Vec<CallRecord> = sql::fetch_all(self, &select).await?;
        let places: HashMap<Uuid, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        rows.sort_by_key(|row| places.get(&row.id).copied());
        Ok(rows)
    }
}

impl Search<'_> {
    /// Candidates in order, those behind `last`.
    async fn calls(
        &self,
        window: Window,
        sort: &Sort,
        last: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.in_time()?;
        let mut select = self.store.call_selection(self.org, &self.wider, window)?;
        self.columns(&mut select)?;
        order(&mut select, self.org, sort);
        select.limit(limit);
        if let Some((at, id)) = last {
            select.and_where(after(Micros(at), id, sort.descending));
        }
        sql::fetch_all(self.store, &select).await
    }
}
