//! Calls without their bodies: lists, counts, single ones.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, JoinType, NullOrdering, Order, Query, SelectStatement};
use uuid::Uuid;

use super::db::on_db;
use super::error::StoreError;
use super::lower::{self, Needed, conjuncts, names_session};
use super::rows::{CallRecord, call_columns};
use super::search::names_body;
use super::text::property_key;
use super::{Store, sql};
use crate::model::filter::Filter;
use crate::model::id::{OrgId, RequestId};
use crate::model::query::{CallDetail, CallQuery, Sort, SortKey, Start, Window};
use crate::model::tags::Property;
use crate::model::units::Micros;

/// Rows of a page.
const MOST_ROWS: i64 = 1_000;

const CALL: &str = concat!("SELECT ", call_columns!(), " FROM exchange e WHERE e.org_id = $1 AND e.id = $2");

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CALL];

impl Store {
    /// A page of calls.
    pub async fn calls(&self, org: OrgId, query: &CallQuery) -> Result<Vec<CallDetail>, StoreError> {
        let limit = query.page.limit.clamp(0, MOST_ROWS);
        if names_body(&query.filter) {
            let rows = self.calls_by_body(org, query, limit).await?;
            return self.with_details(org, rows).await;
        }
        let mut select = self.call_selection(org, &query.filter, query.window)?;
        select.expr(Expr::cust(call_columns!())).limit(limit.unsigned_abs());
        order(&mut select, org, &query.sort);
        match &query.page.start {
            Start::Offset(rows) => {
                select.offset(u64::try_from(*rows).unwrap_or_default());
            }
            Start::After { at, id } => {
                let id = Uuid::try_parse(id).unwrap_or_default();
                select.and_where(after(*at, id, query.sort.descending));
            }
        }
        let rows: Vec<CallRecord> = sql::fetch_all(self, &select).await?;
        self.with_details(org, rows).await
    }

    pub async fn call_count(&self, org: OrgId, filter: &Filter, window: Window) -> Result<i64, StoreError> {
        if names_body(filter) {
            return self.call_count_by_body(org, filter, window).await;
        }
        let mut select = self.call_selection(org, filter, window)?;
        select.expr(Expr::cust("COUNT(*)"));
        let (count,): (i64,) = sql::fetch_one(self, &select).await?;
        Ok(count)
    }

    pub async fn call(&self, org: OrgId, id: RequestId) -> Result<Option<CallDetail>, StoreError> {
        let row: Option<CallRecord> =
            on_db!(self, read | db | sqlx::query_as(CALL).bind(org.0).bind(id.0).fetch_optional(db).await)?;
        Ok(self.with_details(org, row.into_iter().collect()).await?.pop())
    }

    /// Calls `e` (and their sessions `s`, where the filter names one) without columns.
    pub(super) fn call_selection(
        &self,
        org: OrgId,
        filter: &Filter,
        window: Window,
    ) -> Result<SelectStatement, StoreError> {
        let mut select = Query::select();
        match conjuncts(filter).into_iter().find_map(Needed::of) {
            // Calls that have a property are one stretch of an index; the filter still tests each.
            Some(needed) => {
                select
                    .from_as("exchange_property", "q")
                    .join_as(
                        JoinType::InnerJoin,
                        "exchange",
                        "e",
                        Expr::cust("e.org_id = q.org_id AND e.id = q.call_id"),
                    )
                    .and_where(Expr::cust("q.org_id").eq(org.0))
                    .and_where(Expr::cust("q.key_lower").eq(needed.key_lower))
                    .and_where(Expr::cust("q.value_key").eq(needed.value_key));
                select.and_where_option(window.from.map(|from| Expr::cust("q.started_at").gte(from.0)));
                select.and_where_option(window.to.map(|to| Expr::cust("q.started_at").lte(to.0)));
            }
            None => {
                select.from_as("exchange", "e").and_where(Expr::cust("e.org_id").eq(org.0));
                select.and_where_option(window.from.map(|from| Expr::cust("e.started_at").gte(from.0)));
                select.and_where_option(window.to.map(|to| Expr::cust("e.started_at").lte(to.0)));
            }
        }
        if names_session(filter) {
            let same = Expr::cust("s.org_id = e.org_id AND s.session_key = e.session_key");
            select.join_as(JoinType::LeftJoin, "session", "s", same);
        }
        select.and_where(self.lower(org).call(filter)?);
        Ok(select)
    }

    /// Adds properties and scores: two queries for all rows.
    async fn with_details(&self, org: OrgId, rows: Vec<CallRecord>) -> Result<Vec<CallDetail>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut properties = self.properties_of(org, &ids).await?;
        let mut scores = self.scores_of(org, &ids).await?;
        let detail = |row: CallRecord| {
            let id = row.id;
            let mut detail = row.into_detail();
            detail.properties = properties.remove(&id).unwrap_or_default();
            detail.scores = scores.remove(&id).unwrap_or_default();
            detail
        };
        Ok(rows.into_iter().map(detail).collect())
    }

    async fn properties_of(&self, org: OrgId, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Property>>, StoreError> {
        let select = Query::select()
            .expr(Expr::cust("p.call_id, p.key, COALESCE(p.value_long, p.value_key)"))
            .from_as("exchange_property", "p")
            .and_where(Expr::cust("p.org_id").eq(org.0))
            .and_where(Expr::cust("p.call_id").is_in(ids.iter().copied()))
            .order_by_expr(Expr::cust("p.key_lower"), Order::Asc)
            .take();
        let mut found: HashMap<Uuid, Vec<Property>> = HashMap::new();
        for (id, key, value) in sql::fetch_all::<(Uuid, String, String)>(self, &select).await? {
            found.entry(id).or_default().push(Property { key, value });
        }
        Ok(found)
    }

    async fn scores_of(&self, org: OrgId, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<(String, f64)>>, StoreError> {
        let select = Query::select()
            .expr(Expr::cust("c.call_id, c.name, c.value"))
            .from_as("exchange_score", "c")
            .and_where(Expr::cust("c.org_id").eq(org.0))
            .and_where(Expr::cust("c.call_id").is_in(ids.iter().copied()))
            .order_by_expr(Expr::cust("c.name"), Order::Asc)
            .take();
        let mut found: HashMap<Uuid, Vec<(String, f64)>> = HashMap::new();
        for (id, name, value) in sql::fetch_all::<(Uuid, String, f64)>(self, &select).await? {
            found.entry(id).or_default().push((name, value));
        }
        Ok(found)
    }
}

/// Calls behind this one in the order by start.
pub(super) fn after(at: Micros, id: Uuid, descending: bool) -> Expr {
    let here = Expr::tuple([Expr::cust("e.started_at"), Expr::cust("e.id")]);
    let last = Expr::tuple([Expr::val(at.0), Expr::val(id)]);
    if descending { here.lt(last) } else { here.gt(last) }
}

/// What is missing sorts last, whichever the direction.
pub(super) fn order(select: &mut SelectStatement, org: OrgId, sort: &Sort) {
    let direction = if sort.descending { Order::Desc } else { Order::Asc };
    let by = match &sort.by {
        SortKey::CreatedAt => None,
        SortKey::Latency => Some(Expr::cust("e.ended_at - e.started_at")),
        SortKey::TimeToFirstToken => Some(Expr::cust("e.first_byte_us")),
        SortKey::TotalTokens => Some(Expr::cust(lower::TOTAL_TOKENS)),
        SortKey::PromptTokens => Some(Expr::cust("e.prompt_tokens")),
        SortKey::CompletionTokens => Some(Expr::cust("e.completion_tokens")),
        SortKey::UserId => Some(Expr::cust("e.user_id")),
        SortKey::Model => Some(Expr::cust("e.model")),
        SortKey::Cost => Some(Expr::cust("e.cost")),
        SortKey::Property(key) => Some(property_value(org, key)),
        SortKey::Random => {
            select.order_by_expr(Expr::cust("random()"), Order::Asc);
            return;
        }
    };
    if let Some(by) = by {
        select.order_by_expr_with_nulls(by, direction.clone(), NullOrdering::Last);
    }
    select.order_by_expr(Expr::cust("e.started_at"), direction.clone());
    select.order_by_expr(Expr::cust("e.id"), direction);
}

fn property_value(org: OrgId, key: &str) -> Expr {
    let column = match lower::session_column(key) {
        Some(lower::SessionColumn::Id) => "COALESCE(e.session_long, e.session_key)",
        Some(lower::SessionColumn::Name) => "e.session_name",
        Some(lower::SessionColumn::Path) => "e.session_path",
        None => {
            let select = Query::select()
                .expr(Expr::cust("p.value_key"))
                .from_as("exchange_property", "p")
                .and_where(Expr::cust("p.org_id").eq(org.0))
                .and_where(Expr::cust("p.call_id = e.id"))
                .and_where(Expr::cust("p.key_lower").eq(property_key(key)))
                .take();
            return Expr::SubQuery(None, Box::new(select.into()));
        }
    };
    Expr::cust(column)
}
