//! Sessions in another order than by their start: by cost, errors, time, calls or tokens.

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

use super::compare;
use super::error::StoreError;
use super::rows::{SESSION_COLUMNS, SessionRecord};
use super::search::names_body;
use super::sessions::Matching;
use super::{Store, sql};
use crate::model::filter::TextOp;
use crate::model::id::OrgId;
use crate::model::query::{SessionQuery, SessionSort, Start};
use crate::model::session::SessionRow;

/// Rows of a page.
const MOST_ROWS: i64 = 1_000;

impl Store {
    /// Sessions of a query in this order, then newest first. Each session of the window is looked at; pages start at a count
    /// (another start reads as the first page).
    pub async fn top_sessions(
        &self,
        org: OrgId,
        query: &SessionQuery,
        (sort, descending): (SessionSort, bool),
    ) -> Result<Vec<SessionRow>, StoreError> {
        // Each session would have to be looked into before the first could be shown.
        if names_body(&query.filter) {
            return Err(StoreError::TooBroad { looked_at: 0 });
        }
        let by = match sort {
            SessionSort::CreatedAt => "s.first_at",
            SessionSort::TotalCost => "s.cost",
            SessionSort::Errors => "s.errors",
            SessionSort::WallTime => "s.last_ended_at - s.first_at",
            SessionSort::TotalRequests => "s.calls",
            SessionSort::TotalTokens => {
                "s.prompt_tokens + s.prompt_cache_read_tokens + s.prompt_cache_write_tokens + s.prompt_audio_tokens \
                 + s.prompt_image_tokens + s.completion_tokens + s.completion_audio_tokens + s.completion_image_tokens \
                 + s.reasoning_tokens"
            }
        };
        let direction = if descending { Order::Desc } else { Order::Asc };
        let offset = match query.page.start {
            Start::Offset(rows) => u64::try_from(rows).unwrap_or_default(),
            Start::After { .. } => 0,
        };
        let ordered = |select: &mut SelectStatement| {
            select
                .order_by_expr(Expr::cust(by), direction.clone())
                .order_by_expr(Expr::cust("s.first_at"), Order::Desc)
                .order_by_expr(Expr::cust("s.session_key"), Order::Desc);
        };
        // Of all sessions that are ordered only what that needs is read; of those of the page, everything.
        let mut page = Query::select();
        page.expr(Expr::cust("s.org_id, s.session_key"))
            .from_as("session", "s")
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where_option(query.window.from.map(|from| Expr::cust("s.last_ended_at").gte(from.0)))
            .and_where_option(query.window.to.map(|to| Expr::cust("s.first_at").lte(to.0)))
            .and_where(self.lower(org).session(&query.filter)?)
            .limit(query.page.limit.clamp(0, MOST_ROWS).unsigned_abs())
            .offset(offset);
        if !query.search.is_empty() {
            let contains = |column| compare::text(self.kind(), Expr::cust(column), TextOp::Contains, &query.search);
            page.and_where(contains("s.name").or(contains("COALESCE(s.session_long, s.session_key)")));
        }
        ordered(&mut page);
        let same = |table: &str| format!("{table}.org_id = s.org_id AND {table}.session_key = s.session_key");
        let mut select = Query::select();
        select
            .expr(Expr::cust(SESSION_COLUMNS))
            .from_subquery(page, "p")
            .join_as(JoinType::InnerJoin, "session", "s", Expr::cust(same("p")))
            .join_as(JoinType::LeftJoin, "session_tag", "t", Expr::cust(same("t")));
        ordered(&mut select);
        let found: Vec<SessionRecord> = sql::fetch_all(self, &select).await?;
        self.complete(org, found, Matching::of(&query.filter)).await
    }
}
