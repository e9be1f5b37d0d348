//! Decision points: `/v1/path/query`. All sessions of a filter as one tree of paths, numbers and ids folded, with errors,
//! cost, time, and where sessions end; on request the same for two values of a property side by side.

use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ms, ok};
use super::error::ApiError;
use super::extract::{Json, Reader};
use super::figures::Span;
use super::openapi::Faults;
use super::sessions::filter;
use crate::model::figures::wilson;
use crate::model::filter::Scope;
use crate::model::path::fold_segment;
use crate::model::query::{PathRow, Window};
use crate::model::units::{Micros, NanoUsd};

/// Sessions that a tree is made of.
const MOST_SESSIONS: i64 = 2_000;
/// Nodes of a tree; calls at further paths count at the last node above.
const MOST_NODES: usize = 5_000;
/// Levels below the root.
const MOST_DEPTH: usize = 48;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PathBody {
    /// Sessions that began in the window.
    from_ms: i64,
    to_ms: i64,
    /// Which calls, as in a request query.
    #[schema(value_type = serde_json::Value)]
    filter: Option<Value>,
    /// Whether numbers and ids in paths are folded (`/iteration/3` to `/iteration/:n`); default true.
    fold: Option<bool>,
    compare: Option<CompareBody>,
}

/// Two values of a property.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareBody {
    property: String,
    a: String,
    b: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Paths {
    root: DecisionPoint,
    sessions: usize,
    calls: i64,
    /// True: only the newest 2000 sessions are in it.
    truncated: bool,
    compare: Option<Compared>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Compared {
    a: SideTotals,
    b: SideTotals,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SideTotals {
    sessions: usize,
    calls: i64,
}

/// A path with all calls that sessions made there.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionPoint {
    /// Empty for the root.
    segment: String,
    path: String,
    #[serde(flatten)]
    all: Side,
    /// Where two values are compared: over the calls with the first one.
    a: Option<Side>,
    b: Option<Side>,
    /// Those with most inclusive cost first, then most time.
    #[schema(no_recursion)]
    children: Vec<Self>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Side {
    /// Over the calls at exactly this path.
    own: PathSums,
    /// Over the calls at this path and below.
    inclusive: PathSums,
    /// Sessions with a call here or below.
    sessions: usize,
    /// Sessions whose last call is exactly here.
    exits: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PathSums {
    calls: i64,
    errors: i64,
    /// Between these shares the rate of errors lies with 95 % certainty; null of no calls.
    error_low: Option<f64>,
    error_high: Option<f64>,
    /// US dollars.
    cost: f64,
    /// Sum of the calls' wall times.
    time_ms: f64,
    input_tokens: i64,
    output_tokens: i64,
}

/// Decision points of many sessions as one tree
#[utoipa::path(post, path = "/v1/path/query", tag = "figures", operation_id = "queryPaths",
    request_body = PathBody, responses((status = 200, body = Answer<Paths>), Faults))]
pub async fn query(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Json(body): Json<PathBody>,
) -> Result<Response, ApiError> {
    let span = Span::new(body.from_ms, body.to_ms)?;
    let filter = filter(body.filter.as_ref(), Scope::Sessions)?;
    let fold = body.fold.unwrap_or(true);
    let window = Window { from: Some(span.from), to: Some(span.to.plus_us(-1)) };
    let property = body.compare.as_ref().map(|compare| compare.property.as_str());
    state.settled().await;
    let (rows, truncated) = state.store.path_rows(caller.org, &filter, window, (MOST_SESSIONS, property)).await?;
    let sides = body.compare.as_ref().map(|compare| [compare.a.as_str(), compare.b.as_str()]);
    Ok(ok(tree(&rows, sides, fold, truncated)))
}

fn tree(rows: &[PathRow], sides: Option<[&str; 2]>, fold: bool, truncated: bool) -> Paths {
    let mut draft = Draft::default();
    let mut everything = Tally::default();
    let mut compared = [Tally::default(), Tally::default()];
    for row in rows {
        let way = draft.way(&row.path, fold);
        let side = sides.and_then(|sides| sides.iter().position(|value| *value == row.side));
        draft.add(row, &way, side);
        everything.add(row);
        if let Some(tally) = side.and_then(|side| compared.get_mut(side)) {
            tally.add(row);
        }
    }
    draft.exits(sides);
    let [a, b] = compared.map(Tally::done);
    Paths {
        root: draft.nest(sides.is_some()),
        sessions: everything.sessions.len(),
        calls: everything.calls,
        truncated,
        compare: sides.map(|_| Compared { a, b }),
    }
}

#[derive(Default)]
struct Tally<'r> {
    sessions: HashSet<&'r str>,
    calls: i64,
}

impl<'r> Tally<'r> {
    fn add(&mut self, row: &'r PathRow) {
        self.sessions.insert(&row.session);
        self.calls += row.calls;
    }

    fn done(self) -> SideTotals {
        SideTotals { sessions: self.sessions.len(), calls: self.calls }
    }
}

/// The tree while it is made: nodes in order of making, each after its parent.
struct Draft<'r> {
    nodes: Vec<Node<'r>>,
    places: HashMap<(usize, String), usize>,
    /// By session (and side, where two are compared): its latest call and where that is.
    last: [HashMap<&'r str, (Micros, usize)>; 3],
}

#[derive(Default)]
struct Node<'r> {
    parent: usize,
    segment: String,
    path: String,
    /// All calls, those of the first side, those of the second.
    sides: [SideDraft<'r>; 3],
}

#[derive(Default)]
struct SideDraft<'r> {
    own: Sums,
    inclusive: Sums,
    sessions: HashSet<&'r str>,
    exits: usize,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    calls: i64,
    errors: i64,
    cost: i64,
    time_us: i64,
    input_tokens: i64,
    output_tokens: i64,
}

impl Sums {
    fn add(&mut self, row: &PathRow) {
        for (sum, more) in [
            (&mut self.calls, row.calls),
            (&mut self.errors, row.errors),
            (&mut self.cost, row.cost.0),
            (&mut self.time_us, row.time_us),
            (&mut self.input_tokens, row.input_tokens),
            (&mut self.output_tokens, row.output_tokens),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    fn done(self) -> PathSums {
        let interval = wilson(self.errors, self.calls);
        PathSums {
            calls: self.calls,
            errors: self.errors,
            error_low: interval.map(|(low, _)| low),
            error_high: interval.map(|(_, high)| high),
            cost: NanoUsd(self.cost).usd(),
            time_ms: ms(self.time_us),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
        }
    }
}

impl SideDraft<'_> {
    fn done(self) -> Side {
        Side {
            own: self.own.done(),
            inclusive: self.inclusive.done(),
            sessions: self.sessions.len(),
            exits: self.exits,
        }
    }
}

impl Default for Draft<'_> {
    fn default() -> Self {
        let root = Node { path: "/".to_owned(), ..Node::default() };
        Self { nodes: vec![root], places: HashMap::new(), last: Default::default() }
    }
}

impl<'r> Draft<'r> {
    /// The nodes from the root to a path, made where they are not there.
    fn way(&mut self, path: &str, fold: bool) -> Vec<usize> {
        let mut way = vec![0];
        let mut at = 0;
        for segment in path.split('/').filter(|segment| !segment.is_empty()).take(MOST_DEPTH) {
            let segment = if fold { fold_segment(segment) } else { segment.to_owned() };
            let known = self.places.get(&(at, segment.clone())).copied();
            let place = match known {
                Some(place) => place,
                None if self.nodes.len() >= MOST_NODES => break,
                None => {
                    let above = self.nodes.get(at).map_or("", |node| node.path.trim_end_matches('/'));
                    let path = format!("{above}/{segment}");
                    self.nodes.push(Node { parent: at, segment: segment.clone(), path, ..Node::default() });
                    self.places.insert((at, segment), self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
            way.push(place);
            at = place;
        }
        way
    }

    fn add(&mut self, row: &'r PathRow, way: &[usize], side: Option<usize>) {
        let end = way.last().copied().unwrap_or_default();
        let kept = [Some(0), side.map(|side| side + 1)];
        for kept in kept.into_iter().flatten() {
            for place in way {
                let Some(draft) = self.nodes.get_mut(*place).and_then(|node| node.sides.get_mut(kept)) else {
                    continue;
                };
                draft.inclusive.add(row);
                draft.sessions.insert(&row.session);
                if *place == end {
                    draft.own.add(row);
                }
            }
            if let Some(last) = self.last.get_mut(kept) {
                let entry = last.entry(&row.session).or_insert((row.last_at, end));
                if row.last_at > entry.0 {
                    *entry = (row.last_at, end);
                }
            }
        }
    }

    fn exits(&mut self, sides: Option<[&str; 2]>) {
        let kept = if sides.is_some() { 3 } else { 1 };
        for (side, last) in self.last.iter().take(kept).enumerate() {
            for (_, place) in last.values() {
                if let Some(draft) = self.nodes.get_mut(*place).and_then(|node| node.sides.get_mut(side)) {
                    draft.exits += 1;
                }
            }
        }
    }

    /// Hands each node to its parent, from the last one made to the root.
    fn nest(mut self, compared: bool) -> DecisionPoint {
        let mut below: HashMap<usize, Vec<DecisionPoint>> = HashMap::new();
        loop {
            let node = self.nodes.pop().unwrap_or_default();
            let place = self.nodes.len();
            let mut children = below.remove(&place).unwrap_or_default();
            children.sort_by(|x, y| {
                let (x, y) = (&x.all.inclusive, &y.all.inclusive);
                y.cost.total_cmp(&x.cost).then_with(|| y.time_ms.total_cmp(&x.time_ms))
            });
            let [all, a, b] = node.sides;
            let done = DecisionPoint {
                segment: node.segment,
                path: node.path,
                all: all.done(),
                a: compared.then(|| a.done()),
                b: compared.then(|| b.done()),
                children,
            };
            if place == 0 {
                return done;
            }
            below.entry(node.parent).or_default().push(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(session: &str, path: &str, side: &str, (calls, errors): (i64, i64), last_at: i64) -> PathRow {
        PathRow {
            session: session.to_owned(),
            path: path.to_owned(),
            side: side.to_owned(),
            calls,
            errors,
            cost: NanoUsd(calls * 1_000_000_000),
            time_us: calls * 1_000,
            input_tokens: calls,
            output_tokens: 0,
            last_at: Micros(last_at),
        }
    }

    #[test]
    fn sessions_meet_at_folded_paths() {
        let rows = [
            row("s1", "/plan", "v1", (1, 0), 1),
            row("s1", "/plan/step/1", "v1", (2, 1), 2),
            row("s1", "/plan/step/2", "v1", (3, 0), 3),
            row("s2", "/plan/step/7", "v2", (4, 4), 9),
            row("s2", "", "v2", (1, 0), 4),
        ];
        let paths = tree(&rows, Some(["v1", "v2"]), true, false);
        assert_eq!((paths.sessions, paths.calls), (2, 11));
        let root = &paths.root;
        assert_eq!((root.all.inclusive.calls, root.all.own.calls, root.all.sessions, root.all.exits), (11, 1, 2, 0));
        let plan = &root.children[0];
        assert_eq!((plan.path.as_str(), plan.all.inclusive.calls, plan.all.own.calls), ("/plan", 10, 1));
        let step = &plan.children[0].children[0];
        assert_eq!(step.path, "/plan/step/:n");
        assert_eq!((step.all.own.calls, step.all.own.errors, step.all.sessions, step.all.exits), (9, 5, 2, 2));
        let (a, b) = (step.a.as_ref().unwrap(), step.b.as_ref().unwrap());
        assert_eq!((a.own.calls, a.exits, b.own.calls, b.exits, b.sessions), (5, 1, 4, 1, 1));
        let compared = paths.compare.unwrap();
        assert_eq!((compared.a.calls, compared.b.calls, compared.b.sessions), (6, 5, 1));
        assert!(step.all.own.cost > 8.9 && step.all.own.error_low.unwrap() > 0.2);

        let plain = tree(&rows, None, false, true);
        assert_eq!(plain.root.children[0].children[0].children.len(), 3, "three steps where nothing is folded");
        assert!(plain.truncated && plain.compare.is_none() && plain.root.a.is_none());
    }

    #[test]
    fn a_tree_of_nothing_and_one_of_too_much() {
        assert_eq!(tree(&[], None, true, false).root.all.inclusive.calls, 0);
        let rows: Vec<PathRow> = (0..MOST_NODES + 10).map(|n| row("s", &format!("/x{n}y"), "", (1, 0), 1)).collect();
        let paths = tree(&rows, None, true, false);
        assert_eq!(paths.root.all.inclusive.calls, paths.calls, "no call is lost");
        assert_eq!(paths.root.children.len(), MOST_NODES - 1);
        let deep = [row("s", &"/a".repeat(500), "", (1, 0), 1)];
        let mut at = &tree(&deep, None, true, false).root;
        let mut depth = 0;
        while let Some(child) = at.children.first() {
            at = child;
            depth += 1;
        }
        assert_eq!(depth, MOST_DEPTH);
    }
}
