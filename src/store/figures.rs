//! Figures of an organisation's calls: over time, and by what calls have in common.
//!
//! Three readings give the same sums. Few calls are read themselves, and their percentiles are exact; many unfiltered ones
//! come from the roll-up by the hour, so that no page costs more with more calls; the rest is read call by call into
//! histograms. [`Store::figure_plan`] chooses.

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::bounds::{capped, capped_input, capped_output, unpriced};
use super::db::{Db, on_db};
use super::error::StoreError;
use super::fold;
use super::hours::{Dim, HOUR_US};
use super::text::property_key;
use super::{Store, sql};
use crate::model::figures::{Figures, PARTS};
use crate::model::filter::Filter;
use crate::model::id::OrgId;
use crate::model::query::{FigurePlan, FigureQuery, FigureRow, GroupBy, Reading, Window};
use crate::model::units::{Micros, NanoUsd};

/// Calls of a window up to which they are read themselves.
const MOST_EXACT: i64 = 10_000;
/// Rows that one answer takes.
const MOST_ROWS: u64 = 100_000;

const WINDOW_CALLS: &str = "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM call_hour \
     WHERE org_id = $1 AND dim = 0 AND hour >= $2 AND hour < $3";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[WINDOW_CALLS];

/// Of calls `e`: the group and the part are put before it.
const EACH_CALL: &str = concat!(
    capped!("e.ended_at - e.started_at"),
    " AS l, CASE WHEN e.error_rule IS NULL THEN 0 ELSE 1 END AS failed, COALESCE(",
    capped!("e.cost"),
    ", 0) AS cost, ",
    unpriced!("e."),
    " AS unpriced, COALESCE(",
    capped_input!(),
    ", 0) AS input_tokens, COALESCE(e.prompt_cache_read_tokens, 0) AS cached_tokens, COALESCE(",
    capped_output!(),
    ", 0) AS output_tokens, ",
    capped!("e.response_bytes"),
    " AS response_bytes, e.started_at AS at, e.session_key AS session_key"
);
/// The same for counts alone.
const COUNTED_CALL: &str = "1 AS calls, CASE WHEN e.error_rule IS NULL THEN 0 ELSE 1 END AS errors";
/// Each with its place among the wall times of its group and part.
const RANKED: &str = "r.*, ROW_NUMBER() OVER (PARTITION BY r.g, r.p ORDER BY r.l) AS place, \
     COUNT(*) OVER (PARTITION BY r.g, r.p) AS places";
const SUMS: &str = "t.g, t.p, COUNT(*), CAST(SUM(t.failed) AS BIGINT), CAST(SUM(t.cost) AS BIGINT), \
     CAST(SUM(t.unpriced) AS BIGINT), CAST(SUM(t.input_tokens) AS BIGINT), CAST(SUM(t.cached_tokens) AS BIGINT), \
     CAST(SUM(t.output_tokens) AS BIGINT), CAST(SUM(t.response_bytes) AS BIGINT), CAST(SUM(t.l) AS BIGINT), \
     CAST(MIN(t.l) AS BIGINT), CAST(MAX(t.l) AS BIGINT), MAX(t.at)";
const PERCENTILES: &str = "CAST(MIN(CASE WHEN t.place * 2 >= t.places THEN t.l END) AS BIGINT), \
     CAST(MIN(CASE WHEN t.place * 100 >= t.places * 95 THEN t.l END) AS BIGINT), COUNT(DISTINCT t.session_key)";
/// Calls of a group and part whose times are in the same part `b` of `model::figures::bounds`: one row for each.
const BY_TIME: &str = "t.g AS g, t.p AS p, CASE WHEN t.l < 2000 THEN 0 WHEN t.l < 3000 THEN 1 WHEN t.l < 4500 THEN 2 \
     WHEN t.l < 6750 THEN 3 WHEN t.l < 10125 THEN 4 WHEN t.l < 15188 THEN 5 WHEN t.l < 22781 THEN 6 \
     WHEN t.l < 34172 THEN 7 WHEN t.l < 51258 THEN 8 WHEN t.l < 76887 THEN 9 WHEN t.l < 115330 THEN 10 \
     WHEN t.l < 172995 THEN 11 WHEN t.l < 259493 THEN 12 WHEN t.l < 389239 THEN 13 WHEN t.l < 583859 THEN 14 \
     WHEN t.l < 875788 THEN 15 WHEN t.l < 1313682 THEN 16 WHEN t.l < 1970523 THEN 17 WHEN t.l < 2955784 THEN 18 \
     WHEN t.l < 4433676 THEN 19 WHEN t.l < 6650513 THEN 20 WHEN t.l < 9975770 THEN 21 WHEN t.l < 14963655 THEN 22 \
     WHEN t.l < 22445483 THEN 23 WHEN t.l < 33668224 THEN 24 WHEN t.l < 50502337 THEN 25 WHEN t.l < 75753505 THEN 26 \
     WHEN t.l < 113630257 THEN 27 WHEN t.l < 170445386 THEN 28 WHEN t.l < 255668079 THEN 29 \
     WHEN t.l < 383502118 THEN 30 ELSE 31 END AS b, COUNT(*) AS calls, SUM(t.failed) AS errors, SUM(t.cost) AS cost, \
     SUM(t.unpriced) AS unpriced, SUM(t.input_tokens) AS input_tokens, SUM(t.cached_tokens) AS cached_tokens, \
     SUM(t.output_tokens) AS output_tokens, SUM(t.response_bytes) AS response_bytes, SUM(t.l) AS latency_sum_us, \
     MIN(t.l) AS latency_min_us, MAX(t.l) AS latency_max_us, MAX(t.at) AS last_at";
/// Of such rows `t`.
const TIME_PARTS: &str = "CAST(SUM(CASE WHEN t.b = 0 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 1 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 2 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 3 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 4 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 5 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 6 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 7 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 8 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 9 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 10 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 11 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 12 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 13 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 14 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 15 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 16 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 17 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 18 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 19 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 20 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 21 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 22 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 23 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 24 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 25 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 26 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 27 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 28 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 29 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 30 THEN t.calls ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN t.b = 31 THEN t.calls ELSE 0 END) AS BIGINT)";

/// Of rows `h` of `call_hour`.
const EACH_HOUR: &str = "h.calls, h.errors, h.cost, h.unpriced, h.input_tokens, h.cached_tokens, h.output_tokens, \
     h.response_bytes, h.latency_sum_us, h.latency_min_us, h.latency_max_us, h.last_at, \
     h.h00, h.h01, h.h02, h.h03, h.h04, h.h05, h.h06, h.h07, h.h08, h.h09, h.h10, h.h11, \
     h.h12, h.h13, h.h14, h.h15, h.h16, h.h17, h.h18, h.h19, h.h20, h.h21, h.h22, h.h23, \
     h.h24, h.h25, h.h26, h.h27, h.h28, h.h29, h.h30, h.h31";
/// Of rows that are sums themselves.
const SUMS_OF_SUMS: &str = "t.g, t.p, CAST(SUM(t.calls) AS BIGINT), CAST(SUM(t.errors) AS BIGINT), \
     CAST(SUM(t.cost) AS BIGINT), CAST(SUM(t.unpriced) AS BIGINT), CAST(SUM(t.input_tokens) AS BIGINT), \
     CAST(SUM(t.cached_tokens) AS BIGINT), CAST(SUM(t.output_tokens) AS BIGINT), CAST(SUM(t.response_bytes) AS BIGINT), \
     CAST(SUM(t.latency_sum_us) AS BIGINT), MIN(t.latency_min_us), MAX(t.latency_max_us), MAX(t.last_at)";
const HOUR_PARTS: &str = "CAST(SUM(t.h00) AS BIGINT), CAST(SUM(t.h01) AS BIGINT), CAST(SUM(t.h02) AS BIGINT), \
     CAST(SUM(t.h03) AS BIGINT), CAST(SUM(t.h04) AS BIGINT), CAST(SUM(t.h05) AS BIGINT), \
     CAST(SUM(t.h06) AS BIGINT), CAST(SUM(t.h07) AS BIGINT), CAST(SUM(t.h08) AS BIGINT), \
     CAST(SUM(t.h09) AS BIGINT), CAST(SUM(t.h10) AS BIGINT), CAST(SUM(t.h11) AS BIGINT), \
     CAST(SUM(t.h12) AS BIGINT), CAST(SUM(t.h13) AS BIGINT), CAST(SUM(t.h14) AS BIGINT), \
     CAST(SUM(t.h15) AS BIGINT), CAST(SUM(t.h16) AS BIGINT), CAST(SUM(t.h17) AS BIGINT), \
     CAST(SUM(t.h18) AS BIGINT), CAST(SUM(t.h19) AS BIGINT), CAST(SUM(t.h20) AS BIGINT), \
     CAST(SUM(t.h21) AS BIGINT), CAST(SUM(t.h22) AS BIGINT), CAST(SUM(t.h23) AS BIGINT), \
     CAST(SUM(t.h24) AS BIGINT), CAST(SUM(t.h25) AS BIGINT), CAST(SUM(t.h26) AS BIGINT), \
     CAST(SUM(t.h27) AS BIGINT), CAST(SUM(t.h28) AS BIGINT), CAST(SUM(t.h29) AS BIGINT), \
     CAST(SUM(t.h30) AS BIGINT), CAST(SUM(t.h31) AS BIGINT)";

/// Columns before the figures, and sums before the percentiles or the histogram.
const KEYS: usize = 2;
const SUMMED: usize = 12;

impl<'r, R> FromRow<'r, R> for FigureRow
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let mut sums = [0_i64; SUMMED];
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum = row.try_get(KEYS + n)?;
        }
        let [calls, errors, cost, unpriced, input, cached, output, bytes, sum_us, min_us, max_us, last_at] = sums;
        let mut figures = Figures {
            calls,
            errors,
            cost: NanoUsd(cost),
            unpriced,
            input_tokens: input,
            cached_tokens: cached,
            output_tokens: output,
            response_bytes: bytes,
            latency_sum_us: sum_us,
            latency_min_us: min_us,
            latency_max_us: max_us,
            last_at: Micros(last_at),
            ..Figures::default()
        };
        let after = KEYS + SUMMED;
        if row.len() == after + PARTS {
            for (n, part) in figures.histogram.iter_mut().enumerate() {
                *part = row.try_get(after + n)?;
            }
        } else {
            figures.exact = Some((row.try_get(after)?, row.try_get(after + 1)?));
            figures.sessions = Some(row.try_get(after + 2)?);
        }
        Ok(Self { group: row.try_get(0)?, part: row.try_get(1)?, figures })
    }
}

impl Store {
    /// How figures of a window are read, and the window itself: with many calls it is widened to whole hours.
    pub async fn figure_plan(
        &self,
        org: OrgId,
        filter: &Filter,
        (from, to): (Micros, Micros),
    ) -> Result<FigurePlan, StoreError> {
        let low = from.0.div_euclid(HOUR_US) * HOUR_US;
        let high = to.0.saturating_add(HOUR_US - 1).div_euclid(HOUR_US) * HOUR_US;
        let (calls,): (i64,) = on_db!(
            self,
            read | db | sqlx::query_as(WINDOW_CALLS).bind(org.0).bind(low).bind(high).fetch_one(db).await
        )?;
        Ok(match calls {
            ..=MOST_EXACT => FigurePlan { reading: Reading::Exact, from, to },
            _ if *filter == Filter::ALL => FigurePlan { reading: Reading::Hours, from: Micros(low), to: Micros(high) },
            _ => FigurePlan { reading: Reading::Calls, from, to },
        })
    }

    /// Figures by group and part of the window, groups with most calls first. What the roll-up by the hour does not have is
    /// read from the calls; so are parts of less than an hour.
    pub async fn figures(&self, org: OrgId, query: &FigureQuery<'_>) -> Result<Vec<FigureRow>, StoreError> {
        if let Some(dim) = by_the_hour(query) {
            let hours = hours(org, query, dim).expr(Expr::cust(EACH_HOUR)).take();
            let mut select = Query::select();
            select.expr(Expr::cust(SUMS_OF_SUMS)).expr(Expr::cust(HOUR_PARTS)).from_subquery(hours, "t");
            select.order_by_expr(Expr::cust("SUM(t.calls)"), Order::Desc);
            return fetch(self, select, query).await;
        }
        let mut select = Query::select();
        let calls = self.grouped_calls(org, query)?.expr(Expr::cust(EACH_CALL)).take();
        // Paths are folded by whoever asks, and percentiles of several cannot be made one.
        if query.plan.reading == Reading::Exact && query.group != GroupBy::Path {
            let ranked = Query::select().expr(Expr::cust(RANKED)).from_subquery(calls, "r").take();
            select.expr(Expr::cust(SUMS)).expr(Expr::cust(PERCENTILES)).from_subquery(ranked, "t");
            select.order_by_expr(Expr::cust("COUNT(*)"), Order::Desc);
        } else if let Db::Sqlite(side) = &*self.db {
            return fold::figures(side, &calls, most(query)).await;
        } else {
            // Each call is put into one part; a sum for each part of each call would take twice as long.
            let by_time = Query::select()
                .expr(Expr::cust(BY_TIME))
                .from_subquery(calls, "t")
                .add_group_by([Expr::cust("t.g"), Expr::cust("t.p"), Expr::cust("b")])
                .take();
            select.expr(Expr::cust(SUMS_OF_SUMS)).expr(Expr::cust(TIME_PARTS)).from_subquery(by_time, "t");
            select.order_by_expr(Expr::cust("SUM(t.calls)"), Order::Desc);
        }
        fetch(self, select, query).await
    }

    /// Of the same groups and parts only the numbers of calls and of failed ones, from the same place: group, part, calls,
    /// errors. Over many calls it takes half as long.
    pub async fn figure_counts(
        &self,
        org: OrgId,
        query: &FigureQuery<'_>,
    ) -> Result<Vec<(String, i64, i64, i64)>, StoreError> {
        let counted = match (by_the_hour(query), &*self.db) {
            (Some(dim), _) => hours(org, query, dim).expr(Expr::cust("h.calls AS calls, h.errors AS errors")).take(),
            (None, Db::Sqlite(side)) => {
                let calls = self.grouped_calls(org, query)?.expr(Expr::cust(EACH_CALL)).take();
                let rows = fold::figures(side, &calls, most(query)).await?;
                return Ok(rows
                    .into_iter()
                    .map(|row| (row.group, row.part, row.figures.calls, row.figures.errors))
                    .collect());
            }
            (None, Db::Postgres(_)) => self.grouped_calls(org, query)?.expr(Expr::cust(COUNTED_CALL)).take(),
        };
        let select = Query::select()
            .expr(Expr::cust("t.g, t.p, CAST(SUM(t.calls) AS BIGINT), CAST(SUM(t.errors) AS BIGINT)"))
            .from_subquery(counted, "t")
            .order_by_expr(Expr::cust("SUM(t.calls)"), Order::Desc)
            .take();
        fetch(self, select, query).await
    }

    /// Calls with their group `g` and part `p`.
    fn grouped_calls(&self, org: OrgId, query: &FigureQuery<'_>) -> Result<SelectStatement, StoreError> {
        let window = Window { from: Some(query.plan.from), to: Some(query.plan.to.plus_us(-1)) };
        let mut calls = self.call_selection(org, query.filter, window)?;
        let group = Expr::cust(call_group(&query.group));
        match &query.group {
            GroupBy::Tool => drop(calls.and_where(Expr::cust("e.kind = 'tool'"))),
            GroupBy::ErrorRule => drop(calls.and_where(Expr::cust("e.error_rule IS NOT NULL"))),
            GroupBy::Property(key) => {
                calls
                    .join_as(
                        JoinType::InnerJoin,
                        "exchange_property",
                        "x",
                        Expr::cust("x.org_id = e.org_id AND x.call_id = e.id"),
                    )
                    .and_where(Expr::cust("x.key_lower").eq(property_key(key)));
            }
            _ => {}
        }
        if let Some(only) = query.only {
            calls.and_where(group.clone().is_in(only.iter().map(String::as_str)));
        }
        calls.expr_as(group, "g").expr_as(part(Expr::cust("e.started_at"), query), "p");
        Ok(calls)
    }

    /// Sessions that began in the window, by part.
    pub async fn session_starts(&self, org: OrgId, query: &FigureQuery<'_>) -> Result<Vec<(i64, i64)>, StoreError> {
        let sessions = Query::select()
            .expr_as(part(Expr::cust("s.first_at"), query), "p")
            .from_as("session", "s")
            .and_where(Expr::cust("s.org_id").eq(org.0))
            .and_where(Expr::cust("s.first_at").gte(query.plan.from.0))
            .and_where(Expr::cust("s.first_at").lt(query.plan.to.0))
            .take();
        let select = Query::select()
            .expr(Expr::cust("t.p, COUNT(*)"))
            .from_subquery(sessions, "t")
            .add_group_by([Expr::cust("t.p")])
            .take();
        sql::fetch_all(self, &select).await
    }
}

/// The rows of a statement over `t`, by group and part.
async fn fetch<T>(store: &Store, mut select: SelectStatement, query: &FigureQuery<'_>) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    select
        .add_group_by([Expr::cust("t.g"), Expr::cust("t.p")])
        .order_by_expr(Expr::cust("t.g"), Order::Asc)
        .order_by_expr(Expr::cust("t.p"), Order::Asc)
        .limit(most(query));
    sql::fetch_all(store, &select).await
}

fn most(query: &FigureQuery<'_>) -> u64 {
    Ord::min(query.limit, MOST_ROWS)
}

/// The rows of the roll-up that answer the query, if it may and can.
fn by_the_hour(query: &FigureQuery<'_>) -> Option<Dim> {
    let whole = [query.plan.from.0, query.plan.to.0, query.origin.0, query.width_us].iter().all(|t| t % HOUR_US == 0);
    (query.plan.reading == Reading::Hours && whole).then(|| dim(&query.group))?
}

/// Those rows with their group `g` and part `p`.
fn hours(org: OrgId, query: &FigureQuery<'_>, dim: Dim) -> SelectStatement {
    let mut rows = Query::select();
    rows.expr_as(Expr::cust("h.value"), "g")
        .expr_as(part(Expr::cust("h.hour"), query), "p")
        .from_as("call_hour", "h")
        .and_where(Expr::cust("h.org_id").eq(org.0))
        .and_where(Expr::cust("h.dim").eq(dim as i16))
        .and_where(Expr::cust("h.hour").gte(query.plan.from.0))
        .and_where(Expr::cust("h.hour").lt(query.plan.to.0));
    if let Some(only) = query.only {
        rows.and_where(Expr::cust("h.value").is_in(only.iter().map(String::as_str)));
    }
    rows
}

/// The index of the part of the window that an instant lies in.
fn part(at: Expr, query: &FigureQuery<'_>) -> Expr {
    at.sub(query.origin.0).div(Ord::max(query.width_us, 1))
}

/// Where `call_hour` has a group.
const fn dim(group: &GroupBy) -> Option<Dim> {
    Some(match group {
        GroupBy::None => Dim::All,
        GroupBy::Kind => Dim::Kind,
        GroupBy::Provider => Dim::Provider,
        GroupBy::Model => Dim::Model,
        GroupBy::Tool => Dim::Tool,
        GroupBy::Path => Dim::Path,
        GroupBy::Status => Dim::Status,
        GroupBy::ErrorRule => Dim::ErrorRule,
        GroupBy::SessionName => Dim::SessionName,
        GroupBy::User | GroupBy::Property(_) => return None,
    })
}

const fn call_group(group: &GroupBy) -> &'static str {
    match group {
        GroupBy::None => "''",
        GroupBy::Kind => "e.kind",
        GroupBy::Provider => "substr(e.provider, 1, 200)",
        GroupBy::Model | GroupBy::Tool => "substr(COALESCE(e.model, ''), 1, 200)",
        GroupBy::Path => "substr(COALESCE(e.session_path, ''), 1, 200)",
        GroupBy::Status => "CAST(e.status AS TEXT)",
        GroupBy::ErrorRule => "COALESCE(e.error_rule, '')",
        GroupBy::User => "substr(COALESCE(e.user_id, ''), 1, 200)",
        GroupBy::SessionName => "substr(COALESCE(e.session_name, ''), 1, 200)",
        GroupBy::Property(_) => "x.value_key",
    }
}
