//! Users: what can be asked of them, and their sums.

use super::filter::Filter;
use super::query::Window;
use super::units::{Micros, NanoUsd};

/// Which users, in which order.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// Conditions on calls choose the calls that are summed, those on aggregates of users test the sums.
    pub filter: Filter,
    /// Calls that started in it.
    pub window: Window,
    /// Where days begin, east of Greenwich.
    pub utc_offset_minutes: i64,
    pub sort: UserSort,
    pub offset: i64,
    pub limit: i64,
}

/// The order of users; ties by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSort {
    pub by: UserSortKey,
    pub descending: bool,
}

/// What users can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSortKey {
    Id,
    ActiveFor,
    FirstActive,
    LastActive,
    Calls,
    CallsPerDay,
    TokensPerCall,
    PromptTokens,
    CompletionTokens,
    Cost,
}

/// One user: sums over the calls that the query chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    pub id: String,
    /// Start of the first call.
    pub first_at: Micros,
    /// Start of the last call.
    pub last_at: Micros,
    /// Days with a call.
    pub active_days: i64,
    pub calls: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    /// All input and output.
    pub tokens: i64,
    pub cost: NanoUsd,
}

impl UserRow {
    /// Calls a day with a call.
    pub fn calls_per_day(&self) -> f64 {
        ratio(self.calls, self.active_days)
    }

    /// Tokens a call, those without reported usage counted as none.
    pub fn tokens_per_call(&self) -> f64 {
        ratio(self.tokens, self.calls)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean for display")]
fn ratio(sum: i64, count: i64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

/// A page of users.
#[derive(Clone, Debug)]
pub struct UserPage {
    pub rows: Vec<UserRow>,
    /// Users on all pages.
    pub count: i64,
}
