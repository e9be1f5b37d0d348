//! The tree of one session: a pure fold of its calls, by path.
//!
//! Rows keep their path as it was sent. For the tree a missing or empty path is the root, a leading slash is added, and
//! empty segments count for nothing, so `a//b/` and `/a/b` are one node. Nothing else is changed: no merging of case, no
//! decoding, no sorting. A node holds its calls *and* its children, so a call at `/a` is the parent of one at `/a/b`.
//! Below [`MAX_DEPTH`] the rest of a path is one segment: a hostile path must not make a document that no JSON reader
//! can nest.

use std::collections::HashMap;

use super::exchange::is_unpriced;
use super::session::{CallRow, PathNode, Totals};
use super::units::{Micros, NanoUsd};

/// Levels below the root. Two levels of JSON each, which stays under the 128 that common readers allow.
pub const MAX_DEPTH: usize = 48;

/// Folds a session's calls into its tree. The root is always there, also for a session without calls.
///
/// The calls may come in any order; a node's calls are indices into `calls`, in order of start, then as given.
pub fn fold(calls: &[CallRow]) -> PathNode {
    let mut order: Vec<(usize, &CallRow)> = calls.iter().enumerate().collect();
    order.sort_by_key(|(_, call)| call.started_at);

    let mut drafts = vec![Draft::new(0, String::new(), String::from("/"))];
    let mut by_name: HashMap<(usize, String), usize> = HashMap::new();
    for (index, call) in order {
        let mut at = 0;
        if let Some(root) = drafts.first_mut() {
            root.inclusive.add(call);
        }
        for segment in segments(call.path.as_deref().unwrap_or_default()) {
            let name = (at, segment.to_owned());
            at = by_name.get(&name).copied().unwrap_or(drafts.len());
            if at == drafts.len() {
                let above = drafts.get(name.0).map_or("/", |d| d.path.as_str());
                let path = format!("{}/{segment}", above.trim_end_matches('/'));
                drafts.push(Draft::new(name.0, segment.to_owned(), path));
                by_name.insert(name, at);
            }
            if let Some(draft) = drafts.get_mut(at) {
                draft.inclusive.add(call);
            }
        }
        if let Some(draft) = drafts.get_mut(at) {
            draft.own.add(call);
            draft.calls.push(index);
        }
    }
    nest(drafts)
}

/// The segments of a path as the tree sees them: none for the root, [`MAX_DEPTH`] at most.
fn segments(path: &str) -> Vec<&str> {
    let mut rest = path.trim_matches('/');
    let mut found = Vec::new();
    while !rest.is_empty() {
        if found.len() + 1 == MAX_DEPTH {
            found.push(rest);
            break;
        }
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        found.push(segment);
        rest = after.trim_start_matches('/');
    }
    found
}

/// A node while the fold runs. Its index is larger than its parent's.
struct Draft {
    parent: usize,
    segment: String,
    path: String,
    own: Sum,
    inclusive: Sum,
    calls: Vec<usize>,
    children: Vec<PathNode>,
}

impl Draft {
    fn new(parent: usize, segment: String, path: String) -> Self {
        Self {
            parent,
            segment,
            path,
            own: Sum::default(),
            inclusive: Sum::default(),
            calls: Vec::new(),
            children: Vec::new(),
        }
    }

    fn finish(mut self) -> PathNode {
        // Children were handed up last first.
        self.children.reverse();
        PathNode {
            segment: self.segment,
            path: self.path,
            own: self.own.totals,
            inclusive: self.inclusive.totals,
            own_busy_us: self.own.busy_us,
            span_us: self.inclusive.last_ended_at - self.inclusive.first_at,
            inclusive_busy_us: self.inclusive.busy_us,
            first_at: self.inclusive.first_at,
            last_ended_at: self.inclusive.last_ended_at,
            calls: self.calls,
            children: self.children,
        }
    }
}

/// Hands each node to its parent, from the last one made to the root. No recursion.
fn nest(mut drafts: Vec<Draft>) -> PathNode {
    loop {
        let Some(draft) = drafts.pop() else { return Draft::new(0, String::new(), String::from("/")).finish() };
        let parent = draft.parent;
        let node = draft.finish();
        match drafts.get_mut(parent) {
            Some(above) => above.children.push(node),
            None => return node,
        }
    }
}

/// Sums over calls that come in order of start, and the union of their intervals.
#[derive(Default)]
struct Sum {
    totals: Totals,
    busy_us: i64,
    first_at: Micros,
    last_ended_at: Micros,
}

impl Sum {
    fn add(&mut self, call: &CallRow) {
        let ended_at = call.ended_at.max(call.started_at);
        if self.totals.calls == 0 {
            self.first_at = call.started_at;
            self.last_ended_at = call.started_at;
        }
        // What lies before `last_ended_at` is counted already or was idle time before this start.
        let fresh = ended_at - call.started_at.max(self.last_ended_at);
        self.busy_us = self.busy_us.saturating_add(fresh.max(0));
        self.last_ended_at = self.last_ended_at.max(ended_at);
        add_call(&mut self.totals, call);
    }
}

/// Adds one call to sums. An unknown cost or usage adds nothing; a model call's that should be known is counted.
fn add_call(totals: &mut Totals, call: &CallRow) {
    totals.calls += 1;
    totals.errors += i64::from(call.error_rule.is_some());
    match call.cost {
        Some(cost) => totals.cost = NanoUsd(totals.cost.0.saturating_add(cost.0)),
        None => {
            let (failed, has_usage) = (call.error_rule.is_some(), call.usage.is_some());
            totals.unpriced += i64::from(is_unpriced(&call.kind, false, failed, has_usage));
        }
    }
    totals.latency_sum_us = totals.latency_sum_us.saturating_add((call.ended_at - call.started_at).max(0));
    let Some(usage) = call.usage else { return };
    let sum = &mut totals.usage;
    for (part, more) in [
        (&mut sum.prompt_tokens, usage.prompt_tokens),
        (&mut sum.prompt_cache_read_tokens, usage.prompt_cache_read_tokens),
        (&mut sum.prompt_cache_write_tokens, usage.prompt_cache_write_tokens),
        (&mut sum.prompt_cache_write_1h_tokens, usage.prompt_cache_write_1h_tokens),
        (&mut sum.prompt_audio_tokens, usage.prompt_audio_tokens),
        (&mut sum.completion_tokens, usage.completion_tokens),
        (&mut sum.completion_audio_tokens, usage.completion_audio_tokens),
        (&mut sum.reasoning_tokens, usage.reasoning_tokens),
        (&mut sum.prompt_image_tokens, usage.prompt_image_tokens),
        (&mut sum.completion_image_tokens, usage.completion_image_tokens),
        (&mut sum.web_searches, usage.web_searches),
        (&mut sum.tool_units, usage.tool_units),
        (&mut sum.search_units, usage.search_units),
    ] {
        *part = part.saturating_add(more);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::exchange::Usage;
    use crate::model::id::RequestId;

    fn call(path: Option<&str>, start: i64, end: i64) -> CallRow {
        CallRow {
            id: RequestId::generate(),
            kind: "llm".into(),
            path: path.map(str::to_owned),
            started_at: Micros(start),
            ended_at: Micros(end),
            first_byte_us: None,
            status: 200,
            outcome: "complete".into(),
            error_rule: None,
            error_message: None,
            provider: "OPENAI".into(),
            model: None,
            streamed: false,
            finish_reason: None,
            tool_calls: 0,
            user_id: None,
            cost: Some(NanoUsd(5)),
            usage: Some(Usage { prompt_tokens: 3, reasoning_tokens: 2, ..Usage::default() }),
            session_rule: None,
            step: None,
        }
    }

    /// `segment[calls]{children}` in order.
    fn draw(node: &PathNode) -> String {
        let calls: String = node.calls.iter().map(|i| format!("[{}]", i + 1)).collect();
        let children: Vec<String> = node.children.iter().map(draw).collect();
        let below = if children.is_empty() { String::new() } else { format!("{{{}}}", children.join(" ")) };
        format!("{}{calls}{below}", node.segment)
    }

    fn shape(paths: &[Option<&str>]) -> String {
        let calls: Vec<CallRow> = paths
            .iter()
            .enumerate()
            .map(|(i, p)| call(*p, i64::try_from(i).unwrap(), i64::try_from(i).unwrap() + 1))
            .collect();
        draw(&fold(&calls))
    }

    #[test]
    fn paths_become_nodes() {
        for (paths, tree) in [
            (vec![], ""),
            (vec![None, Some("/"), Some(""), Some("///")], "[1][2][3][4]"),
            (vec![Some("a/b"), Some("/a")], "{a[2]{b[1]}}"),
            (vec![Some("/a//b"), Some("/a/b")], "{a{b[1][2]}}"),
            (vec![Some("/a/"), Some("/a")], "{a[1][2]}"),
            (vec![Some("/x/y"), Some("/x"), Some("/x")], "{x[2][3]{y[1]}}"),
            (vec![Some("/b"), Some("/a"), Some("/b/c"), Some("/A")], "{b[1]{c[3]} a[2] A[4]}"),
            (vec![Some("/a%2Fb"), Some("/a b")], "{a%2Fb[1] a b[2]}"),
        ] {
            assert_eq!(shape(&paths), tree, "{paths:?}");
        }
    }

    #[test]
    fn paths_are_absolute_and_times_are_unions() {
        // /a runs 0..10 and 5..20 and 30..40; /a/b runs 8..12 and 50..51.
        let calls = [
            call(Some("a"), 30, 40),
            call(Some("a"), 0, 10),
            call(Some("a"), 5, 20),
            call(Some("a/b"), 8, 12),
            call(Some("a/b"), 50, 51),
        ];
        let root = fold(&calls);
        let a = &root.children[0];
        let b = &a.children[0];
        assert_eq!((root.path.as_str(), a.path.as_str(), b.path.as_str()), ("/", "/a", "/a/b"));
        assert_eq!(a.calls, [1, 2, 0]);
        assert_eq!((a.own_busy_us, a.inclusive_busy_us, a.span_us), (30, 31, 51));
        assert_eq!((b.own_busy_us, b.span_us), (5, 43));
        assert_eq!((root.own.calls, root.inclusive.calls, a.own.calls), (0, 5, 3));
        assert_eq!(root.inclusive.cost, NanoUsd(25));
        assert_eq!(root.inclusive.usage.reasoning_tokens, 10);
        assert_eq!((root.first_at, root.last_ended_at), (Micros(0), Micros(51)));
    }

    #[test]
    fn unknown_costs_are_counted_for_model_calls_only() {
        let mut calls = vec![call(None, 0, 1), call(None, 1, 2), call(None, 2, 3)];
        calls[0].cost = None;
        calls[1].cost = None;
        calls[1].kind = "tool".into();
        calls[2].error_rule = Some("status".into());
        let root = fold(&calls);
        assert_eq!((root.own.unpriced, root.own.errors, root.own.cost), (1, 1, NanoUsd(5)));
    }

    #[test]
    fn a_hostile_path_nests_no_deeper_than_allowed() {
        let path = "x/".repeat(100_000);
        let root = fold(&[call(Some(&path), 0, 1)]);
        let mut node = &root;
        let mut depth = 0;
        while let Some(child) = node.children.first() {
            node = child;
            depth += 1;
        }
        assert_eq!((depth, node.calls.as_slice()), (MAX_DEPTH, [0].as_slice()));
    }

    proptest! {
        #[test]
        fn every_call_is_in_one_node_and_sums_agree(
            rows in prop::collection::vec(("[ab/]{0,6}", 0_i64..1000, 0_i64..100), 0..40)
        ) {
            let calls: Vec<CallRow> =
                rows.iter().map(|(p, s, d)| call(Some(p), *s, s + d)).collect();
            let root = fold(&calls);
            let mut seen = Vec::new();
            let mut nodes = vec![&root];
            while let Some(node) = nodes.pop() {
                seen.extend(node.calls.iter().copied());
                let below: i64 = node.children.iter().map(|c| c.inclusive.calls).sum();
                prop_assert_eq!(node.inclusive.calls, node.own.calls + below);
                prop_assert!(node.own_busy_us <= node.inclusive_busy_us && node.inclusive_busy_us <= node.span_us);
                nodes.extend(&node.children);
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..calls.len()).collect::<Vec<_>>());
        }
    }
}
