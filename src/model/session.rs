//! Sessions: rows of the list, and the tree of one session by path.

use serde::{Deserialize, Serialize};

use super::agent::Step;
use super::exchange::Usage;
use super::units::{Micros, NanoUsd};

/// Sums over calls. Parts are disjoint as in [`Usage`]; `None` costs and tokens are left out of the sums and counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub calls: i64,
    pub errors: i64,
    pub cost: NanoUsd,
    /// Calls of kind `llm` whose cost is not known.
    pub unpriced: i64,
    /// Sums of the parts over the calls that reported usage.
    pub usage: Usage,
    /// Sum of the calls' wall times, microseconds.
    pub latency_sum_us: i64,
}

impl Totals {
    /// Adds the sums over other calls.
    pub const fn add(&mut self, more: &Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.errors = self.errors.saturating_add(more.errors);
        self.cost = NanoUsd(self.cost.0.saturating_add(more.cost.0));
        self.unpriced = self.unpriced.saturating_add(more.unpriced);
        self.usage.add(&more.usage);
        self.latency_sum_us = self.latency_sum_us.saturating_add(more.latency_sum_us);
    }
}

/// One session of the list, from the roll-up.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    pub id: String,
    /// Empty if no call gave one.
    pub name: String,
    /// Start of the first call.
    pub first_at: Micros,
    /// Start of the latest-started call.
    pub last_started_at: Micros,
    /// Latest end of a call.
    pub last_ended_at: Micros,
    pub totals: Totals,
    /// The part of the wall time in which at least one call was running, microseconds.
    pub busy_us: i64,
    pub outcome: SessionOutcome,
    /// Distinct user ids of its calls, sorted.
    pub user_ids: Vec<String>,
    pub tag: Option<String>,
    /// Totals of the calls that matched a filter on calls; `None` where the filter named no call field.
    pub matching: Option<Totals>,
}

impl SessionRow {
    /// From the first start to the latest end, microseconds.
    pub fn wall_us(&self) -> i64 {
        self.last_ended_at - self.first_at
    }
}

/// How a session stands, judged from its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOutcome {
    /// No call failed.
    Success,
    /// Calls failed, but the one that ended last did not.
    Recovered,
    /// The call that ended last failed.
    Error,
}

impl SessionOutcome {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Recovered => "recovered",
            Self::Error => "error",
        }
    }

    /// Judged from counts.
    pub const fn judge(errors: i64, last_failed: bool) -> Self {
        match (errors, last_failed) {
            (0, _) => Self::Success,
            (_, false) => Self::Recovered,
            (_, true) => Self::Error,
        }
    }
}

/// One call of a session, without its bodies: what the tree, the timeline and the lists need.
#[derive(Clone, Debug)]
pub struct CallRow {
    pub id: super::id::RequestId,
    pub kind: String,
    pub path: Option<String>,
    pub started_at: Micros,
    pub ended_at: Micros,
    pub first_byte_us: Option<i64>,
    pub status: i32,
    pub outcome: String,
    pub error_rule: Option<String>,
    pub error_message: Option<String>,
    pub provider: String,
    pub model: Option<String>,
    pub streamed: bool,
    pub finish_reason: Option<String>,
    pub tool_calls: i32,
    pub user_id: Option<String>,
    pub cost: Option<NanoUsd>,
    pub usage: Option<Usage>,
    /// Which rule gave the call its session; `None` where its sender did.
    pub session_rule: Option<String>,
    /// Where it stands in its conversation; `None` where it carries none.
    pub step: Option<Step>,
}

/// A node of the session's tree: a path segment with the calls made at exactly this path.
#[derive(Clone, Debug)]
pub struct PathNode {
    /// The last segment as sent; empty for the root.
    pub segment: String,
    /// From the root, with a leading `/`.
    pub path: String,
    /// Sums over the calls at exactly this path.
    pub own: Totals,
    /// Sums over this path and all below.
    pub inclusive: Totals,
    /// Union of the intervals of the calls at exactly this path, microseconds.
    pub own_busy_us: i64,
    /// From the first start to the last end at this path and below, microseconds.
    pub span_us: i64,
    /// Union of the intervals of the calls at this path and below, microseconds.
    pub inclusive_busy_us: i64,
    pub first_at: Micros,
    pub last_ended_at: Micros,
    /// Indices into the session's calls, in time order.
    pub calls: Vec<usize>,
    /// In order of first appearance.
    pub children: Vec<Self>,
}
