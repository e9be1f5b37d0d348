//! Uses of tools and their figures: pure sums over what was paired.

use std::collections::{BTreeMap, HashSet};

use super::id::RequestId;
use super::pairing::{Paired, Time};
use super::units::{Micros, NanoUsd};

/// One use of a tool: a call in an answer, or a manual log that belongs to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolUse {
    pub name: String,
    /// Of the call that asked for it, as sent.
    pub path: Option<String>,
    pub session: Option<String>,
    pub started_at: Micros,
    /// Whether it succeeded and by which rule; `None`: not known yet.
    pub verdict: Option<(bool, String)>,
    pub time: Time,
    pub result_bytes: Option<i64>,
    /// The call that used the result, and its cost.
    pub used_by: Option<(RequestId, Option<NanoUsd>)>,
    /// What its manual log says that it cost.
    pub cost: Option<NanoUsd>,
    /// A manual log tells of it.
    pub logged: bool,
}

impl ToolUse {
    /// A call with what is known of its result.
    pub fn new(paired: &Paired, session: Option<String>) -> Self {
        let used = paired.result.as_ref().filter(|result| result.source == "request");
        Self {
            name: paired.call.name.clone(),
            path: paired.call.path.clone(),
            session,
            started_at: paired.call.started_at,
            verdict: paired.verdict().map(|(ok, rule)| (ok, rule.to_owned())),
            time: paired.time(),
            result_bytes: paired.bytes(),
            used_by: used.map(|result| (result.call, result.cost)),
            cost: paired.manual.as_ref().and_then(|log| log.cost),
            logged: paired.manual.is_some(),
        }
    }
}

/// Sums over uses that have something in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolFigures {
    pub calls: i64,
    /// Those that a manual log tells of.
    pub logged: i64,
    /// Those whose outcome is known; failures are among them.
    pub judged: i64,
    pub failures: i64,
    /// Failures by rule, most first.
    pub rules: Vec<(String, i64)>,
    /// Of the uses whose time a manual log tells.
    pub manual: Times,
    /// Of the others: upper bounds, from the answer's end to the request with the result.
    pub gap: Times,
    /// Uses with a person in the gap, and the sum of these gaps; in no percentile.
    pub waits: i64,
    pub wait_us: i64,
    /// Of the manual logs themselves.
    pub cost: NanoUsd,
    pub mean_result_bytes: Option<i64>,
    pub max_result_bytes: Option<i64>,
    /// Over the calls that used the results, each once, and how many of them have no known cost.
    pub turn_cost: NanoUsd,
    pub unpriced_turns: i64,
    pub sessions: i64,
    pub last_at: Micros,
}

/// Percentiles of times, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub calls: i64,
    pub mean_us: Option<i64>,
    pub p50_us: Option<i64>,
    pub p95_us: Option<i64>,
}

impl Times {
    fn of(mut times: Vec<i64>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).max(1) - 1).copied();
        let calls = whole(times.len());
        let sum = times.iter().fold(0_i64, |sum, us| sum.saturating_add(*us));
        Self { calls, mean_us: sum.checked_div(calls), p50_us: at(50), p95_us: at(95) }
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Uses by what `groups` says of each, in order of the groups. One use may be in several.
pub fn grouped<G: IntoIterator<Item = String>>(
    uses: &[ToolUse],
    groups: impl Fn(&ToolUse) -> G,
) -> BTreeMap<String, Vec<&ToolUse>> {
    let mut all: BTreeMap<String, Vec<&ToolUse>> = BTreeMap::new();
    for one in uses {
        for group in groups(one) {
            all.entry(group).or_default().push(one);
        }
    }
    all
}

/// The figures of some uses.
pub fn sum(uses: &[&ToolUse]) -> ToolFigures {
    let mut sum = ToolFigures { calls: whole(uses.len()), ..ToolFigures::default() };
    let (mut manual, mut gap, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut rules: BTreeMap<&str, i64> = BTreeMap::new();
    let (mut sessions, mut turns) = (HashSet::new(), HashSet::new());
    for one in uses {
        if let Some((ok, rule)) = &one.verdict {
            sum.judged += 1;
            if !ok {
                sum.failures += 1;
                *rules.entry(rule).or_default() += 1;
            }
        }
        match one.time {
            Time::Manual(us) => manual.push(us),
            Time::Gap(us) => gap.push(us),
            Time::Wait(us, _) => {
                sum.waits += 1;
                sum.wait_us = sum.wait_us.saturating_add(us);
            }
            Time::Unknown => {}
        }
        sum.logged += i64::from(one.logged);
        sum.cost = NanoUsd(sum.cost.0.saturating_add(one.cost.map_or(0, |cost| cost.0)));
        bytes.extend(one.result_bytes);
        sessions.extend(one.session.as_deref());
        if let Some((turn, cost)) = one.used_by
            && turns.insert(turn)
        {
            sum.turn_cost = NanoUsd(sum.turn_cost.0.saturating_add(cost.map_or(0, |cost| cost.0)));
            sum.unpriced_turns += i64::from(cost.is_none());
        }
        sum.last_at = sum.last_at.max(one.started_at);
    }
    sum.rules = rules.into_iter().map(|(rule, calls)| (rule.to_owned(), calls)).collect();
    sum.rules.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sum.manual = Times::of(manual);
    sum.gap = Times::of(gap);
    sum.max_result_bytes = bytes.iter().max().copied();
    let total = bytes.iter().fold(0_i64, |total, bytes| total.saturating_add(*bytes));
    sum.mean_result_bytes = total.checked_div(whole(bytes.len()));
    sum.sessions = whole(sessions.len());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_count_once_and_percentiles_are_of_one_source() {
        let turn = RequestId::generate();
        let one = |us: i64, ok: bool| ToolUse {
            name: "t".to_owned(),
            path: None,
            session: Some("s".to_owned()),
            started_at: Micros(us),
            verdict: Some((ok, if ok { "no_failure" } else { "error_key" }.to_owned())),
            time: Time::Gap(us),
            result_bytes: Some(us),
            used_by: Some((turn, Some(NanoUsd(7)))),
            cost: None,
            logged: false,
        };
        let mut uses: Vec<ToolUse> = (1..=20).map(|us| one(us, us > 2)).collect();
        uses.push(ToolUse { time: Time::Manual(1_000), verdict: None, used_by: None, logged: true, ..one(0, true) });
        uses.push(ToolUse { time: Time::Wait(9, "user_message"), result_bytes: None, ..one(0, true) });
        let found = sum(&grouped(&uses, |one| [one.name.clone()])["t"]);
        assert_eq!((found.calls, found.logged, found.judged, found.failures), (22, 1, 21, 2));
        assert_eq!(found.rules, [("error_key".to_owned(), 2)]);
        assert_eq!(found.gap, Times { calls: 20, mean_us: Some(10), p50_us: Some(10), p95_us: Some(19) });
        assert_eq!(found.manual, Times { calls: 1, mean_us: Some(1_000), p50_us: Some(1_000), p95_us: Some(1_000) });
        assert_eq!((found.waits, found.wait_us), (1, 9));
        assert_eq!((found.turn_cost, found.unpriced_turns, found.sessions), (NanoUsd(7), 0, 1));
        assert_eq!((found.mean_result_bytes, found.max_result_bytes), (Some(10), Some(20)));
        assert!(grouped(&[], |one| [one.name.clone()]).is_empty());
        assert_eq!(sum(&[]), ToolFigures::default());
    }
}
