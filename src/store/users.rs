//! Users: sums over the calls that carry their id.
//!
//! A filter has three kinds of conditions. Those on calls alone, joined by `and` to the rest, choose the calls that are summed.
//! Those on a user's sums choose users. Where `or` mixes the two, a user is chosen when it holds for one of the calls that are
//! summed. Calls without a user's id are nobody's.
//!
//! Nothing is kept at write time for users, so a query reads all calls of its window.

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

use super::bounds::capped;
use super::db::on_db;
use super::error::StoreError;
use super::lower::{self, CALLS_PER_DAY, TOKENS_PER_CALL, all, conjuncts, names_call, names_user};
use super::{Store, sql};
use crate::model::filter::Filter;
use crate::model::id::OrgId;
use crate::model::units::{Micros, NanoUsd};
use crate::model::user::{UserPage, UserQuery, UserRow, UserSort, UserSortKey};

/// Rows of a page.
const MOST_ROWS: i64 = 1_000;
/// Users that the histograms look at.
const MOST_FIGURES: u64 = 100_000;
const DAY: i64 = 86_400_000_000;

const HAS_USERS: &str = "SELECT e.user_id FROM exchange e WHERE e.org_id = $1 AND e.user_id <> '' LIMIT 1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[HAS_USERS];

#[derive(sqlx::FromRow)]
struct UserRecord {
    user_id: String,
    first_at: i64,
    last_at: i64,
    active_days: i64,
    calls: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    tokens: i64,
    cost: i64,
}

impl From<UserRecord> for UserRow {
    fn from(row: UserRecord) -> Self {
        Self {
            id: row.user_id,
            first_at: Micros(row.first_at),
            last_at: Micros(row.last_at),
            active_days: row.active_days,
            calls: row.calls,
            prompt_tokens: row.prompt_tokens,
            completion_tokens: row.completion_tokens,
            tokens: row.tokens,
            cost: NanoUsd(row.cost),
        }
    }
}

/// The columns of [`UserRecord`], of sums `u`.
const USER_COLUMNS: &str = "u.user_id, u.first_at, u.last_at, u.active_days, u.calls, u.prompt_tokens, \
     u.completion_tokens, u.tokens, u.cost";

impl Store {
    /// A page of users, and how many there are on all pages.
    pub async fn users_page(&self, org: OrgId, query: &UserQuery) -> Result<UserPage, StoreError> {
        let mut count = self.user_selection(org, query)?;
        count.expr(Expr::cust("COUNT(*)"));
        let (count,): (i64,) = sql::fetch_one(self, &count).await?;
        let mut select = self.user_selection(org, query)?;
        select.expr(Expr::cust(USER_COLUMNS));
        order(&mut select, query.sort);
        select
            .limit(query.limit.clamp(0, MOST_ROWS).unsigned_abs())
            .offset(u64::try_from(query.offset).unwrap_or_default());
        let rows: Vec<UserRecord> = sql::fetch_all(self, &select).await?;
        Ok(UserPage { rows: rows.into_iter().map(UserRow::from).collect(), count })
    }

    /// Calls and cost of every user of the query (its page and order are ignored), of the 100,000 with most calls at most.
    pub async fn user_figures(&self, org: OrgId, query: &UserQuery) -> Result<Vec<(i64, NanoUsd)>, StoreError> {
        let mut select = self.user_selection(org, query)?;
        select.expr(Expr::cust("u.calls, u.cost"));
        order(&mut select, UserSort { by: UserSortKey::Calls, descending: true });
        select.limit(MOST_FIGURES);
        let rows: Vec<(i64, i64)> = sql::fetch_all(self, &select).await?;
        Ok(rows.into_iter().map(|(calls, cost)| (calls, NanoUsd(cost))).collect())
    }

    /// Whether any call carries a user's id.
    pub async fn has_users(&self, org: OrgId) -> Result<bool, StoreError> {
        let found: Option<(String,)> =
            on_db!(self, read | db | sqlx::query_as(HAS_USERS).bind(org.0).fetch_optional(db).await)?;
        Ok(found.is_some())
    }

    /// Users `u` of the query without columns.
    fn user_selection(&self, org: OrgId, query: &UserQuery) -> Result<SelectStatement, StoreError> {
        let (on_calls, others): (Vec<&Filter>, Vec<&Filter>) =
            conjuncts(&query.filter).into_iter().partition(|part| !names_user(part));
        let (mixed, on_users): (Vec<&Filter>, Vec<&Filter>) = others.into_iter().partition(|part| names_call(part));
        let lower = self.lower(org);
        let lowered = |parts: &[&Filter]| parts.iter().map(|part| lower.call(part)).collect::<Result<Vec<_>, _>>();
        let mut calls = Query::select();
        calls
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(org.0))
            .and_where(Expr::cust("e.user_id <> ''"))
            .and_where_option(query.window.from.map(|from| Expr::cust("e.started_at").gte(from.0)))
            .and_where_option(query.window.to.map(|to| Expr::cust("e.started_at").lte(to.0)))
            .and_where(all(lowered(&on_calls)?));
        let sums = sums(calls.clone(), query.utc_offset_minutes);
        let mut select = Query::select();
        select.from_subquery(sums.clone(), "u").and_where(all(lowered(&on_users)?));
        if !mixed.is_empty() {
            let mut one = calls;
            one.expr(Expr::cust("e.user_id"))
                .join_subquery(JoinType::InnerJoin, sums, "u", Expr::cust("u.user_id = e.user_id"))
                .and_where(all(lowered(&mixed)?));
            select.and_where(Expr::cust("u.user_id").in_subquery(one));
        }
        Ok(select)
    }
}

/// Sums over these calls by user.
fn sums(mut calls: SelectStatement, utc_offset_minutes: i64) -> SelectStatement {
    let shift = utc_offset_minutes.saturating_mul(60_000_000);
    calls
        .expr(Expr::cust(concat!(
            "e.user_id, MIN(e.started_at) AS first_at, MAX(e.started_at) AS last_at, COUNT(*) AS calls, \
                 CAST(COALESCE(SUM(e.prompt_tokens), 0) AS BIGINT) AS prompt_tokens, \
                 CAST(COALESCE(SUM(e.completion_tokens), 0) AS BIGINT) AS completion_tokens, CAST(COALESCE(SUM(",
            capped!("e.cost"),
            "), 0) AS BIGINT) AS cost"
        )))
        .expr_as(Expr::cust(format!("CAST(COALESCE(SUM({}), 0) AS BIGINT)", lower::TOTAL_TOKENS)), "tokens")
        .expr_as(Expr::cust(format!("COUNT(DISTINCT (e.started_at + {shift}) / {DAY})")), "active_days")
        .add_group_by([Expr::cust("e.user_id")]);
    calls
}

fn order(select: &mut SelectStatement, sort: UserSort) {
    let by = match sort.by {
        UserSortKey::Id => "u.user_id",
        UserSortKey::ActiveFor => "u.active_days",
        UserSortKey::FirstActive => "u.first_at",
        UserSortKey::LastActive => "u.last_at",
        UserSortKey::Calls => "u.calls",
        UserSortKey::CallsPerDay => CALLS_PER_DAY,
        UserSortKey::TokensPerCall => TOKENS_PER_CALL,
        UserSortKey::PromptTokens => "u.prompt_tokens",
        UserSortKey::CompletionTokens => "u.completion_tokens",
        UserSortKey::Cost => "u.cost",
    };
    select.order_by_expr(Expr::cust(by), if sort.descending { Order::Desc } else { Order::Asc });
    select.order_by_expr(Expr::cust("u.user_id"), Order::Asc);
}
