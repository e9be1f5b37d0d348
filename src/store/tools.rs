//! Tool calls with their results: of one session, and of all calls of a filter.
//!
//! Rows are paired when they are read (`model::pairing`), so nothing depends on the order in which they were stored. A result
//! belongs to a call of the same session, or of the same state of a conversation; manual logs that belong to no call are
//! uses of their own.

use std::collections::{HashMap, HashSet};

use sea_query::{Expr, ExprTrait, JoinType, Order, SelectStatement};
use sqlx::FromRow;
use uuid::Uuid;

use super::db::on_db;
use super::error::StoreError;
use super::record::session_key;
use super::{Store, bounds, sql};
use crate::model::agent::{ToolCallRow, ToolResultRow};
use crate::model::filter::Filter;
use crate::model::id::{OrgId, RequestId};
use crate::model::pairing::{Paired, Time, pair};
use crate::model::query::Window;
use crate::model::tools::ToolUse;
use crate::model::units::{Micros, NanoUsd};

/// Tool calls, and manual logs, that figures are made of; of more, the newest count.
const MOST_USES: u64 = 50_000;

/// Of a tool call `c` and its call `e`; its texts, which figures need not read, are given by name.
macro_rules! tool_call_columns {
    ($arguments:literal) => {
        concat!(
            $arguments,
            " AS arguments, c.call_id, c.position, c.tool_id, c.name, c.form, c.at_provider, c.arguments_bytes, \
         c.pair, c.same, c.state, c.started_at, c.ended_at, e.session_path, e.session_key"
        )
    };
}

/// Of a result `r` and the call `x` that tells it.
macro_rules! tool_result_columns {
    ($preview:literal) => {
        concat!(
            $preview,
            " AS preview, r.call_id, r.position, r.pair, r.source, r.ok, r.rule, r.bytes, r.waited, r.state, \
             r.started_at, r.ended_at, x.cost"
        )
    };
}

// Cross joins keep their order on SQLite, from the session's calls to what is theirs; PostgreSQL knows better by itself.
const SESSION_CALLS: &str = concat!(
    "SELECT ",
    tool_call_columns!("c.arguments"),
    " FROM exchange e CROSS JOIN tool_call c WHERE c.org_id = e.org_id AND c.call_id = e.id \
     AND e.org_id = $1 AND e.session_key = $2 AND e.started_at <= $4 \
     ORDER BY e.started_at, c.call_id, c.position LIMIT $3"
);
const SESSION_RESULTS: &str = concat!(
    "SELECT ",
    tool_result_columns!("r.preview"),
    " FROM exchange x CROSS JOIN tool_result r WHERE r.org_id = x.org_id AND r.call_id = x.id \
     AND x.org_id = $1 AND x.session_key = $2 ORDER BY x.started_at, r.call_id, r.position LIMIT $3"
);

const ANY_LOG: &str = "SELECT 1 FROM exchange WHERE org_id = $1 AND kind = 'tool' LIMIT 1";

// The organisation stands where no index sees it: SQLite would walk through all results of an organisation for each call
// rather than look up the pair.
const TOLD: &str = "r.pair = c.pair AND CASE WHEN r.org_id = c.org_id THEN 1 ELSE 0 END = 1";
const LOGGED: &str = "r.pair = c.same AND CASE WHEN r.org_id = c.org_id THEN 1 ELSE 0 END = 1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SESSION_CALLS, SESSION_RESULTS, ANY_LOG];

#[derive(FromRow)]
struct CallRecord {
    call_id: Uuid,
    position: i32,
    tool_id: Option<String>,
    name: String,
    form: String,
    at_provider: bool,
    arguments: Option<Vec<u8>>,
    arguments_bytes: i64,
    pair: i64,
    same: Option<i64>,
    state: Option<i64>,
    started_at: i64,
    ended_at: i64,
    session_path: Option<String>,
    session_key: Option<String>,
}

impl CallRecord {
    fn into_row(self) -> ToolCallRow {
        ToolCallRow {
            call: RequestId(self.call_id),
            position: self.position,
            id: self.tool_id,
            name: self.name,
            form: self.form,
            at_provider: self.at_provider,
            arguments: String::from_utf8_lossy(self.arguments.as_deref().unwrap_or_default()).into_owned(),
            arguments_bytes: self.arguments_bytes,
            path: self.session_path,
            pair: self.pair,
            same: self.same,
            state: self.state,
            started_at: Micros(self.started_at),
            ended_at: Micros(self.ended_at),
        }
    }
}

#[derive(FromRow)]
struct ResultRecord {
    call_id: Uuid,
    position: i32,
    pair: i64,
    source: String,
    ok: bool,
    rule: String,
    bytes: i64,
    preview: Option<String>,
    waited: bool,
    state: Option<i64>,
    started_at: i64,
    ended_at: i64,
    cost: Option<i64>,
}

impl ResultRecord {
    fn into_row(self) -> ToolResultRow {
        ToolResultRow {
            call: RequestId(self.call_id),
            position: self.position,
            pair: self.pair,
            source: self.source,
            ok: self.ok,
            rule: self.rule,
            bytes: self.bytes,
            preview: self.preview.unwrap_or_default(),
            waited: self.waited,
            state: self.state,
            started_at: Micros(self.started_at),
            ended_at: Micros(self.ended_at),
            cost: self.cost.map(NanoUsd),
        }
    }
}

/// A manual log of a tool.
#[derive(FromRow)]
struct LogRecord {
    id: Uuid,
    model: Option<String>,
    session_path: Option<String>,
    session_key: Option<String>,
    started_at: i64,
    ended_at: i64,
    error_rule: Option<String>,
    response_bytes: i64,
    cost: Option<i64>,
}

/// Uses of tools in a window.
#[derive(Clone, Debug, Default)]
pub struct ToolUses {
    pub uses: Vec<ToolUse>,
    /// There are more; these are the ones that began then or later.
    pub cut: Option<Micros>,
}

impl Store {
    /// The tool calls of a session's calls that began until then, with their results, in order of time, at most `limit`.
    pub async fn session_tools(
        &self,
        org: OrgId,
        id: &str,
        (limit, until): (i64, Option<Micros>),
    ) -> Result<Vec<Paired>, StoreError> {
        let key = session_key(id);
        let calls: Vec<CallRecord> = on_db!(
            self,
            read | db | {
                sqlx::query_as(SESSION_CALLS)
                    .bind(org.0)
                    .bind(key.as_str())
                    .bind(limit)
                    .bind(until.map_or(i64::MAX, |until| until.0))
                    .fetch_all(db)
                    .await
            }
        )?;
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        // A call that is repeated has its results told again.
        let results_limit = limit.saturating_mul(4);
        let results: Vec<ResultRecord> = on_db!(
            self,
            read | db | {
                sqlx::query_as(SESSION_RESULTS).bind(org.0).bind(key.as_str()).bind(results_limit).fetch_all(db).await
            }
        )?;
        let calls = calls.into_iter().map(CallRecord::into_row).collect();
        Ok(pair(calls, results.into_iter().map(ResultRecord::into_row).collect()))
    }

    /// Uses of tools by the calls of a filter that started in a window: what `/v1/tool/query` sums up. A log is one with the
    /// call that asked for it where the filter and the window have both.
    pub async fn tool_uses(&self, org: OrgId, filter: &Filter, window: Window) -> Result<ToolUses, StoreError> {
        let most = usize::try_from(MOST_USES).unwrap_or(usize::MAX);
        let (mut calls, mut logs) =
            tokio::try_join!(self.newest_calls(org, filter, window), self.newest_logs(org, filter, window))?;
        // The earliest of what does not fit is left out, and all that is not later.
        let cut = [calls.get(most).map(|call| call.started_at), logs.get(most).map(|log| log.started_at)];
        let cut = cut.into_iter().flatten().max().map(|at| Micros(at).plus_us(1));
        let window = Window { from: window.from.max(cut), ..window };
        let from = window.from.map_or(i64::MIN, |from| from.0);
        calls.retain(|call| call.started_at >= from);
        logs.retain(|log| log.started_at >= from);

        let sessions: HashMap<(Uuid, i32), String> =
            calls.iter().filter_map(|row| Some(((row.call_id, row.position), row.session_key.clone()?))).collect();
        let results =
            async { if calls.is_empty() { Ok(Vec::new()) } else { self.results_of(org, filter, window).await } };
        let verdicts =
            async { if logs.is_empty() { Ok(HashMap::new()) } else { self.log_verdicts(org, filter, window).await } };
        let (results, verdicts) = tokio::try_join!(results, verdicts)?;
        let paired = pair(calls.into_iter().map(CallRecord::into_row).collect(), results);
        let logged: HashSet<Uuid> =
            paired.iter().filter_map(|one| one.manual.as_ref()).map(|manual| manual.call.0).collect();
        let session = |one: &Paired| sessions.get(&(one.call.call.0, one.call.position)).cloned();
        let mut uses: Vec<ToolUse> = paired.iter().map(|one| ToolUse::new(one, session(one))).collect();
        uses.extend(logs.into_iter().filter(|log| !logged.contains(&log.id)).map(|log| lone(log, &verdicts)));
        Ok(ToolUses { uses, cut })
    }

    /// Tool calls of the filter, newest first, one more than are looked at.
    async fn newest_calls(&self, org: OrgId, filter: &Filter, window: Window) -> Result<Vec<CallRecord>, StoreError> {
        let mut select = self.tool_selection(org, filter, window)?;
        select
            .expr(Expr::cust(tool_call_columns!("NULL")))
            .order_by_expr(Expr::cust("c.started_at"), Order::Desc)
            .limit(MOST_USES + 1);
        sql::fetch_all(self, &select).await
    }

    /// Manual logs of tools, newest first, one more than are looked at.
    async fn newest_logs(&self, org: OrgId, filter: &Filter, window: Window) -> Result<Vec<LogRecord>, StoreError> {
        let mut select = self.call_selection(org, filter, window)?;
        select
            .expr(Expr::cust(
                "e.id, e.model, e.session_path, e.session_key, e.started_at, e.ended_at, e.error_rule, \
                 e.response_bytes, e.cost",
            ))
            .and_where(Expr::cust("e.kind = 'tool'"))
            .order_by_expr(Expr::cust("e.started_at"), Order::Desc)
            .limit(MOST_USES + 1);
        sql::fetch_all(self, &select).await
    }

    /// Tool calls `c` of calls `e`, without columns.
    fn tool_selection(&self, org: OrgId, filter: &Filter, window: Window) -> Result<SelectStatement, StoreError> {
        let mut select = self.call_selection(org, filter, window)?;
        select
            .join_as(JoinType::InnerJoin, "tool_call", "c", Expr::cust("c.org_id = e.org_id AND c.call_id = e.id"))
            .and_where(Expr::cust("c.org_id").eq(org.0));
        // The call's own, said again: few calls have tools, and these are found by their time.
        if let Some(from) = window.from {
            select.and_where(Expr::cust("c.started_at").gte(from.0));
        }
        if let Some(to) = window.to {
            select.and_where(Expr::cust("c.started_at").lte(to.0));
        }
        Ok(select)
    }

    /// Results that may belong to tool calls of the filter.
    async fn results_of(&self, org: OrgId, filter: &Filter, window: Window) -> Result<Vec<ToolResultRow>, StoreError> {
        let told = self.results_by(TOLD, org, filter, window);
        let logged = async {
            if self.has_logs(org).await? { self.results_by(LOGGED, org, filter, window).await } else { Ok(Vec::new()) }
        };
        let (mut results, logged) = tokio::try_join!(told, logged)?;
        results.extend(logged);
        Ok(results)
    }

    /// Results `r` that stand to their calls `c` as `same` says.
    async fn results_by(
        &self,
        same: &'static str,
        org: OrgId,
        filter: &Filter,
        window: Window,
    ) -> Result<Vec<ToolResultRow>, StoreError> {
        let mut select = self.tool_selection(org, filter, window)?;
        select
            .join_as(JoinType::InnerJoin, "tool_result", "r", Expr::cust(same))
            .join_as(JoinType::InnerJoin, "exchange", "x", Expr::cust("x.org_id = r.org_id AND x.id = r.call_id"))
            .and_where(Expr::cust("(x.session_key = e.session_key OR r.state = c.state OR r.call_id = c.call_id)"))
            .expr(Expr::cust(tool_result_columns!("NULL")))
            .limit(MOST_USES * 4);
        let found: Vec<ResultRecord> = sql::fetch_all(self, &select).await?;
        Ok(found.into_iter().map(ResultRecord::into_row).collect())
    }

    /// Whether there is any manual log of a tool.
    async fn has_logs(&self, org: OrgId) -> Result<bool, StoreError> {
        let found: Option<(i32,)> =
            on_db!(self, read | db | sqlx::query_as(ANY_LOG).bind(org.0).fetch_optional(db).await)?;
        Ok(found.is_some())
    }

    /// By which rule manual logs of tools succeeded or failed.
    async fn log_verdicts(
        &self,
        org: OrgId,
        filter: &Filter,
        window: Window,
    ) -> Result<HashMap<Uuid, (bool, String)>, StoreError> {
        let mut select = self.call_selection(org, filter, window)?;
        select
            .join_as(JoinType::InnerJoin, "tool_result", "r", Expr::cust("r.org_id = e.org_id AND r.call_id = e.id"))
            .and_where(Expr::cust("e.kind = 'tool'").and(Expr::cust("r.source").eq("manual")))
            .expr(Expr::cust("r.call_id, r.ok, r.rule"))
            .limit(MOST_USES);
        let rows: Vec<(Uuid, bool, String)> = sql::fetch_all(self, &select).await?;
        Ok(rows.into_iter().map(|(call, ok, rule)| (call, (ok, rule))).collect())
    }
}

/// A manual log that belongs to no call.
fn lone(log: LogRecord, verdicts: &HashMap<Uuid, (bool, String)>) -> ToolUse {
    let by_row = || match log.error_rule.clone() {
        Some(rule) => (false, rule),
        None => (true, "no_failure".to_owned()),
    };
    let name = log.model.as_deref().unwrap_or_default();
    ToolUse {
        name: name.strip_prefix("tool:").unwrap_or(name).to_owned(),
        verdict: Some(verdicts.get(&log.id).cloned().unwrap_or_else(by_row)),
        path: log.session_path,
        session: log.session_key,
        started_at: Micros(log.started_at),
        time: Time::Manual(bounds::added(log.ended_at.saturating_sub(log.started_at))),
        result_bytes: Some(log.response_bytes),
        used_by: None,
        cost: log.cost.map(NanoUsd),
        logged: true,
    }
}
