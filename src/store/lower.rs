//! Filters as SQL conditions, for both databases.
//!
//! A filter is a test `F(s, c)` of a session `s` and one call `c` of it. A call passes when `F` holds for it and its session;
//! a session is selected when at least one of its calls passes. So an `and` of two conditions on calls asks for one call that
//! has both, an `or` of a call's and a session's condition works in either order, and the calls that match within a selected
//! session are those for which `F` holds.
//!
//! In conditions `e` is the call and `s` its session; a call without a session has `s` NULL and passes no test of one. The
//! language has no negation above its leaves, so NULL may stand for false everywhere.

mod join;
mod kept;

use sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use uuid::Uuid;

use super::compare::{self, Backend};
use super::error::StoreError;
use super::record::session_key;
use super::text::{index_key, property_key};
use crate::model::filter::{CallField, Field, Filter, Leaf, SessionField, Test, TextOp, UserField};
pub(super) use join::all;
use join::{always, any, never};
pub(super) use kept::Needed;
use kept::user_of;

/// The score that feedback is kept as.
pub(super) const FEEDBACK: &str = "helicone-score-feedback";
/// What rows show as the id of the cached call: nothing is cached.
const ZERO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// Properties that are looked up in the index of sessions before the calls of a session are tested.
const PREFILTERS: usize = 2;

/// Lowers filters of one organisation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lower {
    pub org: Uuid,
    pub backend: Backend,
}

/// The conditions that must all hold, without nesting.
pub(super) fn conjuncts(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Whether a leaf of it looks at a call.
pub(super) fn names_call(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(names_call),
        Filter::Leaf(leaf) => !matches!(leaf.field, Field::Session(_) | Field::User(_)),
    }
}

/// Whether a leaf of it looks at a session's aggregates.
pub(super) fn names_session(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(names_session),
        Filter::Leaf(leaf) => matches!(leaf.field, Field::Session(_)),
    }
}

/// Whether a leaf of it looks at a user's aggregates.
pub(super) fn names_user(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(names_user),
        Filter::Leaf(leaf) => matches!(leaf.field, Field::User(_)),
    }
}

impl Lower {
    /// The condition on a call `e` and its session `s`.
    pub fn call(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(parts) => Ok(all(parts.iter().map(|part| self.call(part)).collect::<Result<_, _>>()?)),
            Filter::Or(parts) => Ok(any(parts.iter().map(|part| self.call(part)).collect::<Result<_, _>>()?)),
            Filter::Leaf(leaf) => self.leaf(leaf),
        }
    }

    /// The condition on a session `s` that one of its calls passes.
    pub fn session(&self, filter: &Filter) -> Result<Expr, StoreError> {
        if !names_call(filter) {
            return self.call(filter);
        }
        if let Some(needed) = Needed::of(filter) {
            return Ok(self.session_has(&needed));
        }
        if let Some(user) = user_of(filter) {
            return Ok(self.session_of(user));
        }
        match filter {
            Filter::Or(parts) => Ok(any(parts.iter().map(|part| self.session(part)).collect::<Result<_, _>>()?)),
            Filter::And(_) => self.session_all(&conjuncts(filter)),
            Filter::Leaf(_) => self.some_call(&[filter]),
        }
    }

    fn session_all(&self, parts: &[&Filter]) -> Result<Expr, StoreError> {
        let (on_calls, on_session): (Vec<&Filter>, Vec<&Filter>) = parts.iter().partition(|part| names_call(part));
        let mut conditions = on_session.into_iter().map(|part| self.call(part)).collect::<Result<Vec<_>, _>>()?;
        match on_calls.as_slice() {
            [] => {}
            [one] => conditions.push(self.session(one)?),
            several => {
                // One call must have them all; what is kept of sessions can only say that some call has each.
                let indexed = several.iter().filter_map(|part| Needed::of(part)).take(PREFILTERS);
                conditions.extend(indexed.map(|needed| self.session_has(&needed)));
                conditions.extend(several.iter().find_map(|part| user_of(part)).map(|user| self.session_of(user)));
                conditions.push(self.some_call(several)?);
            }
        }
        Ok(all(conditions))
    }

    fn some_call(&self, parts: &[&Filter]) -> Result<Expr, StoreError> {
        let mut select = Query::select();
        select
            .expr(Expr::cust("1"))
            .from_as("exchange", "e")
            .and_where(Expr::cust("e.org_id").eq(self.org))
            .and_where(Expr::cust("e.session_key = s.session_key"))
            .and_where(all(parts.iter().map(|part| self.call(part)).collect::<Result<_, _>>()?));
        Ok(Expr::exists(select.take()))
    }

    fn leaf(&self, leaf: &Leaf) -> Result<Expr, StoreError> {
        match &leaf.field {
            Field::Call(field) => self.call_leaf(*field, &leaf.test),
            Field::Property(key) => self.property_leaf(key, &leaf.test),
            Field::PropertyKey => self.property_key_leaf(&leaf.test),
            Field::Score(name) => self.score_leaf(name, &leaf.test),
            Field::Session(field) => self.session_leaf(*field, &leaf.test),
            Field::User(field) => self.user_leaf(*field, &leaf.test),
        }
    }

    fn call_leaf(&self, field: CallField, test: &Test) -> Result<Expr, StoreError> {
        use CallField as F;
        match field {
            F::Id => self.id_leaf(test),
            F::SessionId => self.session_id_leaf("e", test),
            F::Provider => self.text("e.provider", false, test),
            F::Model => self.text("e.model", true, test),
            F::RequestModel => self.text("e.request_model", true, test),
            F::ResponseModel => self.text("e.response_model", true, test),
            F::ModelOverride => self.text("e.model_override", true, test),
            F::UserId => self.text("e.user_id", true, test),
            F::TargetUrl => self.text("e.target_url", false, test),
            F::Path => self.text("e.path", false, test),
            F::PromptId => self.text("e.prompt_id", true, test),
            F::SessionName => self.text("e.session_name", true, test),
            F::SessionPath => self.text("e.session_path", true, test),
            F::Kind => self.text("e.kind", false, test),
            F::Outcome => self.text("e.outcome", false, test),
            F::FinishReason => self.text("e.finish_reason", true, test),
            F::ErrorMessage => self.text("e.error_message", true, test),
            F::CountryCode | F::PromptVersion | F::RequestReferrer | F::NodeId | F::JobId | F::Assets => {
                constant_text("", test)
            }
            F::CacheReferenceId => constant_text(ZERO_UUID, test),
            F::OrganizationId => constant_text(&self.org.to_string(), test),
            F::RequestBody | F::ResponseBody => Err(unfit("bodies are not in this table")),
            F::Status => number("e.status", 1.0, test),
            F::Latency => number("(e.ended_at - e.started_at) / 1000", 1.0, test),
            F::TimeToFirstToken => number("e.first_byte_us / 1000", 1.0, test),
            F::Cost => sum("e.cost", 1e9, test),
            F::PromptTokens => sum("e.prompt_tokens", 1.0, test),
            F::CompletionTokens => sum("e.completion_tokens", 1.0, test),
            F::PromptCacheReadTokens => sum("e.prompt_cache_read_tokens", 1.0, test),
            F::PromptCacheWriteTokens => sum("e.prompt_cache_write_tokens", 1.0, test),
            F::ReasoningTokens => sum("e.reasoning_tokens", 1.0, test),
            F::InputTokens => sum(INPUT_TOKENS, 1.0, test),
            F::OutputTokens => sum(OUTPUT_TOKENS, 1.0, test),
            F::TotalTokens => sum(TOTAL_TOKENS, 1.0, test),
            F::ToolCalls => number("e.tool_calls", 1.0, test),
            F::Error => flag(test, Expr::cust("e.error_rule IS NOT NULL"), Expr::cust("e.error_rule IS NULL")),
            F::Streamed => flag(test, Expr::cust("e.streamed"), Expr::cust("NOT e.streamed")),
            F::Feedback => flag(test, self.has_score(FEEDBACK, 1.0), self.has_score(FEEDBACK, 0.0)),
            F::Threat | F::CacheEnabled | F::Cached | F::PassthroughBilling => flag(test, never(), always()),
            F::CreatedAt => time("e.started_at", test),
            F::ResponseCreatedAt => time("e.ended_at", test),
        }
    }

    fn session_leaf(&self, field: SessionField, test: &Test) -> Result<Expr, StoreError> {
        use SessionField as F;
        let tested = match field {
            F::Id => self.session_id_leaf("s", test),
            F::Name => self.text("s.name", false, test),
            F::Tag => self.text(
                "(SELECT t.tag FROM session_tag t WHERE t.org_id = s.org_id AND t.session_key = s.session_key)",
                true,
                test,
            ),
            F::TotalCost => number("s.cost", 1e9, test),
            F::TotalTokens => number(SESSION_TOTAL_TOKENS, 1.0, test),
            F::PromptTokens => number("s.prompt_tokens", 1.0, test),
            F::CompletionTokens => number("s.completion_tokens", 1.0, test),
            F::TotalRequests => number("s.calls", 1.0, test),
            F::Errors => number("s.errors", 1.0, test),
            F::WallTime => number("(s.last_ended_at - s.first_at) / 1000", 1.0, test),
            F::Outcome => self.text(
                "(CASE WHEN s.errors IS NULL THEN NULL WHEN s.errors = 0 THEN 'success' WHEN s.last_failed THEN 'error' \
                 ELSE 'recovered' END)",
                false,
                test,
            ),
            F::CreatedAt => time("s.first_at", test),
            F::LatestRequestCreatedAt => time("s.last_started_at", test),
        };
        // A call without a session has no row `s`: of the tests that hold for something missing none may hold here.
        Ok(Expr::cust("s.org_id IS NOT NULL").and(tested?))
    }

    /// A test of a user's sums `u`, which only queries of users have.
    fn user_leaf(&self, field: UserField, test: &Test) -> Result<Expr, StoreError> {
        use UserField as F;
        match field {
            F::UserId => self.text("u.user_id", false, test),
            F::ActiveFor => number("u.active_days", 1.0, test),
            F::FirstActive => time("u.first_at", test),
            F::LastActive => time("u.last_at", test),
            F::TotalRequests => number("u.calls", 1.0, test),
            F::AverageRequestsPerDayActive => ratio(CALLS_PER_DAY, test),
            F::AverageTokensPerRequest => ratio(TOKENS_PER_CALL, test),
            F::TotalCompletionTokens => number("u.completion_tokens", 1.0, test),
            F::TotalPromptTokens => number("u.prompt_tokens", 1.0, test),
            F::Cost => number("u.cost", 1e9, test),
        }
    }

    fn id_leaf(&self, test: &Test) -> Result<Expr, StoreError> {
        if let Test::Text(op @ (TextOp::Equals | TextOp::NotEquals), value) = test {
            let equal = *op == TextOp::Equals;
            return Ok(match Uuid::try_parse(value) {
                Ok(id) if equal => Expr::cust("e.id").eq(id),
                Ok(id) => Expr::cust("e.id").ne(id),
                Err(_) if equal => never(),
                Err(_) => always(),
            });
        }
        self.text(
            match self.backend {
                Backend::Postgres => "e.id::text",
                Backend::Sqlite => {
                    "lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || \
                     substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21))"
                }
            },
            false,
            test,
        )
    }

    fn session_id_leaf(&self, table: &str, test: &Test) -> Result<Expr, StoreError> {
        let (key, whole) = match table {
            "s" => ("s.session_key", "COALESCE(s.session_long, s.session_key)"),
            _ => ("e.session_key", "COALESCE(e.session_long, e.session_key)"),
        };
        match test {
            Test::Text(TextOp::Equals, id) if !id.is_empty() => Ok(Expr::cust(key).eq(session_key(id))),
            _ => self.text(whole, true, test),
        }
    }

    fn property_leaf(&self, key: &str, test: &Test) -> Result<Expr, StoreError> {
        match session_column(key) {
            Some(SessionColumn::Id) => return self.session_id_leaf("e", test),
            Some(SessionColumn::Name) => return self.text("e.session_name", true, test),
            Some(SessionColumn::Path) => return self.text("e.session_path", true, test),
            None => {}
        }
        let has = |condition: Option<Expr>| Expr::exists(self.property_row(key, "1", condition));
        let value_is = |value: &str| Some(Expr::cust("p.value_key").eq(index_key(value).into_owned()));
        Ok(match test {
            Test::IsNull(null) => not_if(*null, has(None)),
            Test::Text(TextOp::Equals, value) if value.is_empty() => has(Some(Expr::cust("p.value_key <> ''"))).not(),
            Test::Text(TextOp::NotEquals, value) if value.is_empty() => has(Some(Expr::cust("p.value_key <> ''"))),
            Test::Text(TextOp::Equals, value) => has(value_is(value)),
            Test::Text(TextOp::NotEquals, value) => has(value_is(value)).not(),
            Test::Text(op, value) => {
                let select = self.property_row(key, "COALESCE(p.value_long, p.value_key)", None);
                compare::text(self.backend, compare::or_empty(subquery(select)), *op, value)
            }
            Test::Number(..) | Test::Bool(_) | Test::Time(..) => return Err(unfit("a property is text")),
        })
    }

    fn property_row(&self, key: &str, column: &'static str, condition: Option<Expr>) -> SelectStatement {
        Query::select()
            .expr(Expr::cust(column))
            .from_as("exchange_property", "p")
            .and_where(Expr::cust("p.org_id").eq(self.org))
            .and_where(Expr::cust("p.call_id = e.id"))
            .and_where(Expr::cust("p.key_lower").eq(property_key(key)))
            .and_where_option(condition)
            .take()
    }

    fn property_key_leaf(&self, test: &Test) -> Result<Expr, StoreError> {
        let Test::Text(op, name) = test else { return Err(unfit("the key of a property is text")) };
        // The negative tests are "has no such property", not "has another one".
        let (positive, negated) = match op {
            TextOp::NotEquals => (TextOp::Equals, true),
            TextOp::NotContains => (TextOp::Contains, true),
            op => (*op, false),
        };
        if positive == TextOp::Equals {
            let has = match session_column(name) {
                Some(SessionColumn::Id) => Expr::cust("e.session_key IS NOT NULL"),
                Some(SessionColumn::Name) => Expr::cust("e.session_name IS NOT NULL"),
                Some(SessionColumn::Path) => Expr::cust("e.session_path IS NOT NULL"),
                None => Expr::exists(self.property_row(name, "1", None)),
            };
            return Ok(not_if(negated, has));
        }
        let select = Query::select()
            .expr(Expr::cust("1"))
            .from_as("exchange_property", "p")
            .and_where(Expr::cust("p.org_id").eq(self.org))
            .and_where(Expr::cust("p.call_id = e.id"))
            .and_where(compare::text(self.backend, Expr::cust("p.key"), positive, name))
            .take();
        Ok(not_if(negated, Expr::exists(select)))
    }

    fn score_leaf(&self, name: &str, test: &Test) -> Result<Expr, StoreError> {
        let value = subquery(self.score_row(name, "c.value", None));
        match test {
            Test::Number(op, wanted) => Ok(compare::float(value, *op, *wanted)),
            Test::IsNull(null) => Ok(not_if(*null, Expr::exists(self.score_row(name, "1", None)))),
            _ => Err(unfit("a score is a number")),
        }
    }

    fn has_score(&self, name: &str, value: f64) -> Expr {
        Expr::exists(self.score_row(name, "1", Some(Expr::cust("c.value").eq(value))))
    }

    fn score_row(&self, name: &str, column: &'static str, condition: Option<Expr>) -> SelectStatement {
        Query::select()
            .expr(Expr::cust(column))
            .from_as("exchange_score", "c")
            .and_where(Expr::cust("c.org_id").eq(self.org))
            .and_where(Expr::cust("c.call_id = e.id"))
            .and_where(Expr::cust("c.name").eq(super::text::clean(name).into_owned()))
            .and_where_option(condition)
            .take()
    }

    fn text(&self, column: &'static str, nullable: bool, test: &Test) -> Result<Expr, StoreError> {
        match test {
            // NULL equals no text but the empty one, so the plain column will do, and an index with it.
            Test::Text(TextOp::Equals, value) if !value.is_empty() => {
                Ok(compare::text(self.backend, Expr::cust(column), TextOp::Equals, value))
            }
            Test::Text(op, value) => {
                let read = if nullable { compare::or_empty(Expr::cust(column)) } else { Expr::cust(column) };
                Ok(compare::text(self.backend, read, *op, value))
            }
            Test::IsNull(true) => Ok(Expr::cust(column).is_null()),
            Test::IsNull(false) => Ok(Expr::cust(column).is_not_null()),
            _ => Err(unfit("a text asks for a test of text")),
        }
    }
}

/// All tokens that went in, cached ones included.
pub(super) const INPUT_TOKENS: &str = "(e.prompt_tokens + e.prompt_cache_read_tokens + e.prompt_cache_write_tokens + e.prompt_audio_tokens + \
     e.prompt_image_tokens)";
/// All tokens that came out, reasoning included.
pub(super) const OUTPUT_TOKENS: &str = "(e.completion_tokens + e.completion_audio_tokens + e.completion_image_tokens + \
     e.reasoning_tokens)";
pub(super) const TOTAL_TOKENS: &str = "(e.prompt_tokens + e.prompt_cache_read_tokens + e.prompt_cache_write_tokens + \
     e.prompt_audio_tokens + e.prompt_image_tokens + e.completion_tokens + e.completion_audio_tokens + \
     e.completion_image_tokens + e.reasoning_tokens)";
const SESSION_TOTAL_TOKENS: &str = "(s.prompt_tokens + s.prompt_cache_read_tokens + s.prompt_cache_write_tokens + \
     s.prompt_audio_tokens + s.prompt_image_tokens + s.completion_tokens + s.completion_audio_tokens + \
     s.completion_image_tokens + s.reasoning_tokens)";

/// Means of a user's sums `u`, none of which is over nothing.
pub(super) const CALLS_PER_DAY: &str = "(CAST(u.calls AS DOUBLE PRECISION) / u.active_days)";
pub(super) const TOKENS_PER_CALL: &str = "(CAST(u.tokens AS DOUBLE PRECISION) / u.calls)";

pub(super) enum SessionColumn {
    Id,
    Name,
    Path,
}

/// Property keys that read columns of the call.
pub(super) fn session_column(key: &str) -> Option<SessionColumn> {
    match key {
        _ if key.eq_ignore_ascii_case("helicone-session-id") => Some(SessionColumn::Id),
        _ if key.eq_ignore_ascii_case("helicone-session-name") => Some(SessionColumn::Name),
        _ if key.eq_ignore_ascii_case("helicone-session-path") => Some(SessionColumn::Path),
        _ => None,
    }
}

fn number(column: &'static str, scale: f64, test: &Test) -> Result<Expr, StoreError> {
    match test {
        Test::Number(op, wanted) => Ok(compare::integer(Expr::cust(column), *op, wanted * scale)),
        Test::IsNull(true) => Ok(Expr::cust(column).is_null()),
        Test::IsNull(false) => Ok(Expr::cust(column).is_not_null()),
        _ => Err(unfit("a number asks for a test of numbers")),
    }
}

/// A number that compares as 0 where it is not known: that is what the original's rows have there.
fn sum(column: &'static str, scale: f64, test: &Test) -> Result<Expr, StoreError> {
    match test {
        Test::Number(op, wanted) => {
            let known = Func::coalesce([Expr::cust(column), Expr::cust("0")]);
            Ok(compare::integer(known.into(), *op, wanted * scale))
        }
        _ => number(column, scale, test),
    }
}

fn ratio(column: &'static str, test: &Test) -> Result<Expr, StoreError> {
    match test {
        Test::Number(op, wanted) => Ok(compare::float(Expr::cust(column), *op, *wanted)),
        _ => Err(unfit("a mean asks for a test of numbers")),
    }
}

fn time(column: &'static str, test: &Test) -> Result<Expr, StoreError> {
    match test {
        Test::Time(op, at) => Ok(compare::instant(Expr::cust(column), *op, *at)),
        Test::IsNull(true) => Ok(Expr::cust(column).is_null()),
        Test::IsNull(false) => Ok(Expr::cust(column).is_not_null()),
        _ => Err(unfit("an instant asks for a test of time")),
    }
}

fn flag(test: &Test, is: Expr, is_not: Expr) -> Result<Expr, StoreError> {
    match test {
        Test::Bool(true) => Ok(is),
        Test::Bool(false) => Ok(is_not),
        _ => Err(unfit("a flag asks for a test of true or false")),
    }
}

/// A test of a column that every row shows alike.
fn constant_text(shown: &str, test: &Test) -> Result<Expr, StoreError> {
    let holds = match test {
        Test::Text(op, value) => compare::matches(shown, *op, value),
        Test::IsNull(null) => !null,
        _ => return Err(unfit("a text asks for a test of text")),
    };
    Ok(if holds { always() } else { never() })
}

fn not_if(negated: bool, condition: Expr) -> Expr {
    if negated { condition.not() } else { condition }
}

fn subquery(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(select.into()))
}

/// The parser lets no such filter through.
fn unfit(why: &'static str) -> StoreError {
    StoreError::Internal(sqlx::Error::Configuration(why.into()))
}
