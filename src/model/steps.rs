//! Which call of a session continues which, and what is new in it: a pure fold of the session's calls.

use std::collections::HashMap;

use super::agent::Step;
use super::session::CallRow;

/// What is new in a call since the one that it continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Index of the call that this one continues.
    pub previous: Option<usize>,
    /// Index of the first message that is new; 0 where the conversation begins, `None` where that is not known.
    pub first: Option<u32>,
    /// Whether the system prompt is another one than the previous call's.
    pub system_changed: Option<bool>,
    pub tools_changed: Option<bool>,
}

/// For each call, in the order of `calls`, what is new in it.
pub fn news(calls: &[CallRow]) -> Vec<News> {
    let mut heads: HashMap<i64, Vec<usize>> = HashMap::new();
    for (index, step) in steps(calls) {
        for head in &step.heads {
            heads.entry(*head).or_default().push(index);
        }
    }
    let mut all = vec![News::default(); calls.len()];
    for (index, step) in steps(calls) {
        let started = |other: usize| calls.get(other).map(|call| call.started_at);
        let found = step.points.iter().rev().find_map(|point| {
            let before = heads.get(&point.state)?.iter().copied();
            let before = before.filter(|other| *other != index && started(*other) <= started(index));
            Some((before.max_by_key(|other| (started(*other), *other))?, point.messages))
        });
        let news = match found {
            Some((previous, first)) => {
                let before = calls.get(previous).and_then(|call| call.step.as_ref());
                News {
                    previous: Some(previous),
                    first: Some(first),
                    system_changed: before.map(|before| before.system != step.system),
                    tools_changed: before.map(|before| before.tools != step.tools),
                }
            }
            None if step.points.is_empty() => News { first: Some(0), ..News::default() },
            None => News::default(),
        };
        if let Some(slot) = all.get_mut(index) {
            *slot = news;
        }
    }
    all
}

fn steps(calls: &[CallRow]) -> impl Iterator<Item = (usize, &Step)> {
    calls.iter().enumerate().filter_map(|(index, call)| Some((index, call.step.as_ref()?)))
}
