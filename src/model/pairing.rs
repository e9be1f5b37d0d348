//! Tool calls and their results, laid side by side: a pure fold, so the order in which they were stored does not matter.
//!
//! A result belongs to the latest open call that shows the same pair, first to one whose conversation stood where the
//! result's does. Each result is used once. A call may have two: what a later request told, and a manual log.

use std::collections::HashMap;

use super::agent::{ToolCallRow, ToolResultRow};
use super::units::Micros;

/// A gap longer than this is a person's, not a tool's.
pub const LONGEST_GAP_US: i64 = 10 * 60 * 1_000_000;
/// Clocks of loggers and of the gateway may differ by this much.
const CLOCKS_US: i64 = 2_000_000;

/// A tool call with what is known of its result.
#[derive(Clone, Debug)]
pub struct Paired {
    pub call: ToolCallRow,
    /// From a later request, or from the provider itself.
    pub result: Option<ToolResultRow>,
    pub manual: Option<ToolResultRow>,
}

/// How long a tool took, or may have taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// As its manual log says.
    Manual(i64),
    /// At most so long: from the answer's end to the request with the result.
    Gap(i64),
    /// The same gap, but a person was in it; by which rule.
    Wait(i64, &'static str),
    Unknown,
}

impl Paired {
    /// Whether it succeeded and which rule says so; `None`: not known yet.
    pub fn verdict(&self) -> Option<(bool, &str)> {
        let mut known = [&self.manual, &self.result].into_iter().flatten();
        let first = known.next()?;
        let chosen = if first.ok { known.find(|other| !other.ok).unwrap_or(first) } else { first };
        Some((chosen.ok, &chosen.rule))
    }

    /// The time that is known best.
    pub fn time(&self) -> Time {
        if let Some(manual) = &self.manual {
            return Time::Manual((manual.ended_at - manual.started_at).max(0));
        }
        let Some(result) = self.result.as_ref().filter(|result| result.source == "request") else {
            return Time::Unknown;
        };
        let gap = (result.started_at - self.call.ended_at).max(0);
        if result.waited {
            Time::Wait(gap, "user_message")
        } else if gap > LONGEST_GAP_US {
            Time::Wait(gap, "over_limit")
        } else {
            Time::Gap(gap)
        }
    }

    /// Bytes of the result.
    pub fn bytes(&self) -> Option<i64> {
        self.result.as_ref().or(self.manual.as_ref()).map(|result| result.bytes)
    }

    /// Its start.
    pub fn preview(&self) -> Option<&str> {
        self.result.as_ref().or(self.manual.as_ref()).map(|result| result.preview.as_str())
    }
}

/// Pairs calls with results; what comes back is in order of time. Results that belong to none are left out.
pub fn pair(mut calls: Vec<ToolCallRow>, results: Vec<ToolResultRow>) -> Vec<Paired> {
    calls.sort_by_key(|call| (call.started_at, call.call, call.position));
    let mut open: HashMap<i64, Vec<Option<ToolResultRow>>> = HashMap::new();
    let mut results = results;
    results.sort_by_key(|result| (result.started_at, result.call, result.position));
    results.dedup_by_key(|result| (result.call, result.position));
    for result in results {
        open.entry(result.pair).or_default().push(Some(result));
    }
    let mut paired: Vec<Paired> = calls.into_iter().map(|call| Paired { call, result: None, manual: None }).collect();
    // The latest call first: a result belongs to the last one before it that asked for it.
    for exact in [true, false] {
        for one in paired.iter_mut().rev() {
            if one.result.is_none() {
                one.result = take(&mut open, one.call.pair, |result| {
                    let told = result.source != "manual"
                        && (result.call == one.call.call || result.started_at >= one.call.started_at);
                    told && (!exact || (one.call.state.is_some() && result.state == one.call.state))
                });
            }
        }
    }
    for one in &mut paired {
        let Some(same) = one.call.same else { continue };
        let from = Micros(one.call.ended_at.0.saturating_sub(CLOCKS_US));
        one.manual = take(&mut open, same, |result| result.source == "manual" && result.started_at >= from);
    }
    paired
}

/// The first result that fits, taken out.
fn take(
    open: &mut HashMap<i64, Vec<Option<ToolResultRow>>>,
    pair: i64,
    fits: impl Fn(&ToolResultRow) -> bool,
) -> Option<ToolResultRow> {
    let slot = open.get_mut(&pair)?.iter_mut().find(|slot| slot.as_ref().is_some_and(&fits))?;
    slot.take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::RequestId;

    fn call(position: i32, pair: i64, at: i64) -> ToolCallRow {
        ToolCallRow {
            call: RequestId(uuid::Uuid::from_u128(u128::try_from(at).unwrap())),
            position,
            id: None,
            name: "t".to_owned(),
            form: "function".to_owned(),
            at_provider: false,
            arguments: String::new(),
            arguments_bytes: 0,
            path: None,
            pair,
            same: Some(pair + 1_000),
            state: None,
            started_at: Micros(at),
            ended_at: Micros(at + 10),
        }
    }

    fn result(pair: i64, at: i64, source: &str, ok: bool) -> ToolResultRow {
        ToolResultRow {
            call: RequestId(uuid::Uuid::from_u128(u128::try_from(at).unwrap())),
            position: 0,
            pair,
            source: source.to_owned(),
            ok,
            rule: if ok { "no_failure" } else { "error_key" }.to_owned(),
            bytes: 1,
            preview: String::new(),
            waited: false,
            state: None,
            started_at: Micros(at),
            ended_at: Micros(at + 5),
            cost: None,
        }
    }

    #[test]
    fn an_id_that_is_used_twice_pairs_with_the_nearest() {
        let calls = vec![call(0, 1, 100), call(0, 1, 300)];
        let results = vec![result(1, 400, "request", true), result(1, 200, "request", false)];
        let paired = pair(calls, results);
        assert_eq!(paired[0].time(), Time::Gap(90));
        assert_eq!(paired[0].verdict(), Some((false, "error_key")));
        assert_eq!(paired[1].time(), Time::Gap(90));
    }

    #[test]
    fn a_manual_log_tells_the_time_and_either_failure_counts() {
        let results = vec![result(1_001, 120, "manual", true), result(1, 200, "request", false)];
        let paired = pair(vec![call(0, 1, 100)], results);
        assert_eq!(paired[0].time(), Time::Manual(5));
        assert_eq!(paired[0].verdict(), Some((false, "error_key")));
    }

    #[test]
    fn a_persons_time_is_kept_apart_and_nothing_known_is_nothing() {
        let mut waited = result(1, 200, "request", true);
        waited.waited = true;
        assert_eq!(pair(vec![call(0, 1, 100)], vec![waited])[0].time(), Time::Wait(90, "user_message"));
        let late = result(1, 200 + LONGEST_GAP_US, "request", true);
        assert!(matches!(pair(vec![call(0, 1, 100)], vec![late])[0].time(), Time::Wait(_, "over_limit")));
        let lone = &pair(vec![call(0, 1, 100)], vec![result(2, 200, "request", true)])[0];
        assert_eq!((lone.time(), lone.verdict()), (Time::Unknown, None));
    }

    #[test]
    fn order_does_not_matter() {
        let calls = || vec![call(0, 1, 100), call(1, 2, 100), call(0, 1, 300)];
        let mut results =
            vec![result(2, 200, "request", true), result(1, 200, "request", true), result(1, 400, "request", false)];
        results[1].position = 1;
        let shape =
            |paired: Vec<Paired>| paired.iter().map(|p| p.result.as_ref().map(|r| r.started_at)).collect::<Vec<_>>();
        let one = shape(pair(calls(), results.clone()));
        results.reverse();
        assert_eq!(shape(pair(calls().into_iter().rev().collect(), results)), one);
        assert_eq!(one, [Some(Micros(200)), Some(Micros(200)), Some(Micros(400))]);
    }
}
