//! Sessions for calls that name none: found by what calls show, inside the drain's transaction.
//!
//! Each call without a session of its own is joined with the call whose answer it continues, with calls that carry the same
//! key, or with the call that handed over what it begins with; and with stored calls that waited for it. What hangs together
//! so is one session. A call that hangs together with nothing has none, until another continues it: then both are in it, and
//! the first one's figures are added to the session in the same transaction, once.
//!
//! Invariants
//! - The result is the same whatever the order in which calls come: a call that comes too early leaves what it waits for.
//! - Ids that clients gave win: sessions of theirs are never renamed nor merged. Two inferred ones that turn out to be one
//!   become the older one.
//! - Nothing is joined across organisations. Writers of one organisation take turns, from the look-up to the commit.
//! - A batch without such calls costs nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::dialect::agents::{Agents, Known, StateRow};
use super::error::StoreError;
use super::record::Record;
use super::text::split;
use crate::model::agent::{INFERRED, Link, SessionRule, is_inferred};
use crate::model::exchange::Exchange;

/// What is to be done with stored calls once the batch's own are in (`store::adopted`).
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub groups: Vec<Group>,
    /// Calls that wait for another to show a state.
    waits: Vec<Wait>,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    /// Of the call in the batch.
    index: usize,
    state: i64,
    rule: &'static str,
}

/// Calls that hang together, and their session.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub org: Uuid,
    pub session: (String, Option<String>),
    /// Batch indexes.
    pub records: Vec<usize>,
    pub adopt: Vec<(Uuid, &'static str)>,
    /// Inferred sessions that become this one.
    pub merge: BTreeSet<String>,
}

/// Finds sessions for the batch's calls and puts them into the records.
pub(super) async fn plan<D: Agents>(
    db: &mut D,
    batch: &[Exchange],
    records: &mut [Record<'_>],
) -> Result<Plan, StoreError> {
    let mut orgs: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        if link_of(batch, record).is_some() {
            orgs.entry(record.org_id).or_default().push(at);
        }
    }
    let mut plan = Plan::default();
    if orgs.is_empty() {
        return Ok(plan);
    }
    db.lock(&orgs.keys().copied().collect::<Vec<_>>()).await?;
    for (org, mut members) in orgs {
        members.sort_by_key(|at| records.get(*at).map(|record| (record.started_at, record.index)));
        let mut web = Web::new(org, batch, records, &members);
        let known = db.showing(org, &web.wanted()).await?;
        let waiting = db.waiting(org, &web.heads()).await?;
        web.take(known, waiting);
        web.join(records, &mut plan.waits);
        web.unite_sessions();
        plan.groups.extend(web.groups(records));
    }
    Ok(plan)
}

fn link_of<'b>(batch: &'b [Exchange], record: &Record<'_>) -> Option<&'b Link> {
    batch.get(record.index)?.agent.link.as_ref()
}

/// One organisation's calls of a batch and the stored ones that they may hang together with.
struct Web<'b> {
    org: Uuid,
    nodes: Vec<Node<'b>>,
    /// Which batch calls show a state, and what a delegate puts behind the path.
    shown: HashMap<i64, Vec<(usize, Option<&'b str>)>>,
    known: HashMap<i64, Vec<(usize, Option<String>)>>,
    waiting: HashMap<i64, Vec<(usize, SessionRule)>>,
    /// By record id: a stored call is one node.
    places: HashMap<Uuid, usize>,
    /// Who hangs together: each node's way to the root of its group.
    above: Vec<usize>,
}

struct Node<'b> {
    /// Index into the records and its link; `None`: stored.
    own: Option<(usize, &'b Link, &'b [i64])>,
    id: Uuid,
    session: Option<(String, Option<String>)>,
    path: Option<String>,
    started_at: i64,
    rule: Option<SessionRule>,
    /// The session that its key makes.
    keyed: Option<&'b str>,
}

impl<'b> Web<'b> {
    fn new(org: Uuid, batch: &'b [Exchange], records: &[Record<'_>], members: &[usize]) -> Self {
        let mut web = Self {
            org,
            nodes: Vec::new(),
            shown: HashMap::new(),
            known: HashMap::new(),
            waiting: HashMap::new(),
            places: HashMap::new(),
            above: Vec::new(),
        };
        for at in members {
            let Some(record) = records.get(*at) else { continue };
            let Some(link) = link_of(batch, record) else { continue };
            let heads = heads_of(batch, record);
            let node = web.nodes.len();
            web.places.insert(record.record_id, node);
            web.above.push(node);
            web.nodes.push(Node {
                own: Some((*at, link, heads)),
                id: record.id,
                session: session_of(record),
                path: record.session_path.as_deref().map(str::to_owned),
                started_at: record.started_at,
                rule: None,
                keyed: None,
            });
            for state in heads.iter().chain(link.key.as_ref().map(|key| &key.state)) {
                web.shown.entry(*state).or_default().push((node, None));
            }
            for delegate in &link.delegates {
                web.shown.entry(delegate.state).or_default().push((node, Some(&delegate.path)));
            }
        }
        web
    }

    /// States whose callers may be stored: what calls continue, and what they show themselves, which tells replays.
    fn wanted(&self) -> Vec<i64> {
        let mut states = BTreeSet::new();
        for (_, link, heads) in self.nodes.iter().filter_map(|node| node.own) {
            let keys = link.key.as_ref().map(|key| &key.state);
            states.extend(link.continues.iter().chain(&link.opening).chain(heads).chain(keys));
        }
        states.into_iter().collect()
    }

    /// States that stored calls may wait for.
    fn heads(&self) -> Vec<i64> {
        let heads = self.nodes.iter().filter_map(|node| node.own).flat_map(|(_, _, heads)| heads.iter().copied());
        heads.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn take(&mut self, known: Vec<Known>, waiting: Vec<Known>) {
        for row in known {
            let (state, below) = (row.state, row.below.clone());
            let node = self.place(row);
            self.known.entry(state).or_default().push((node, below));
        }
        for row in waiting {
            let state = row.state;
            let previous = row.below.as_deref() == Some(SessionRule::PreviousResponse.as_str());
            let rule = if previous { SessionRule::PreviousResponse } else { SessionRule::Messages };
            let node = self.place(row);
            self.waiting.entry(state).or_default().push((node, rule));
        }
    }

    /// The node of a stored call. One that is in the batch too is a replay: it is in the session that it was stored in.
    fn place(&mut self, row: Known) -> usize {
        let session = row.session_key.map(|key| (key, row.session_long));
        if let Some(at) = self.places.get(&row.record_id).copied() {
            if let Some(node) = self.nodes.get_mut(at).filter(|node| node.own.is_some()) {
                (node.own, node.session, node.path) = (None, session, row.session_path);
            }
            return at;
        }
        let node = self.nodes.len();
        self.places.insert(row.record_id, node);
        self.above.push(node);
        self.nodes.push(Node {
            own: None,
            id: row.id,
            session,
            path: row.session_path,
            started_at: row.started_at,
            rule: None,
            keyed: None,
        });
        node
    }

    /// Lays the edges, from the earliest call to the latest, and gives calls the paths of what they hang on.
    fn join(&mut self, records: &mut [Record<'_>], waits: &mut Vec<Wait>) {
        for node in 0..self.nodes.len() {
            let Some((at, link, heads)) = self.nodes.get(node).and_then(|node| node.own) else { continue };
            let named = self.nodes.get(node).is_some_and(|node| node.session.is_some());
            let mut above = None;
            if !named {
                let found = link.continues.iter().find_map(|state| Some((*state, self.showing(node, *state)?)));
                if found.as_ref().map(|(state, _)| *state) != link.continues.first().copied() {
                    let index = records.get(at).map_or(usize::MAX, |record| record.index);
                    let rule = link.rule.unwrap_or(SessionRule::Messages).as_str();
                    waits.extend(link.continues.first().map(|state| Wait { index, state: *state, rule }));
                }
                if let Some((_, (before, _))) = found {
                    self.edge(node, before, link.rule);
                    above = self.nodes.get(before).and_then(|before| before.path.clone());
                }
                // The key's rule comes before that of the messages: it is laid last and so the one that is told.
                if let Some(key) = &link.key
                    && let Some((other, _)) = self.showing(node, key.state)
                {
                    self.edge(node, other, Some(key.rule));
                    for member in [node, other] {
                        if let Some(member) = self.nodes.get_mut(member) {
                            member.keyed = Some(&key.session);
                        }
                    }
                }
            }
            if above.is_none()
                && link.continues.is_empty()
                && let Some((parent, below)) = self.delegated(node, &link.opening)
            {
                if !named {
                    let rule = self.nodes.get(node).and_then(|node| node.rule).unwrap_or(SessionRule::Delegated);
                    self.edge(node, parent, Some(rule));
                }
                let together = !named || self.same_session(node, parent);
                let path = self.nodes.get(parent).and_then(|parent| parent.path.as_deref()).unwrap_or_default();
                above = together.then(|| format!("{}{below}", path.trim_end_matches('/')));
            }
            if let (Some(path), Some(own)) = (above, self.nodes.get_mut(node))
                && own.path.is_none()
            {
                own.path = Some(path.clone());
                if let Some(record) = records.get_mut(at) {
                    record.session_path = Some(Cow::Owned(path));
                }
            }
            let waiting: Vec<_> = heads.iter().filter_map(|head| self.waiting.get(head)).flatten().copied().collect();
            for (other, rule) in waiting {
                self.edge(other, node, Some(rule));
            }
        }
    }

    /// The call that shows a state: of several the latest that started before, else the earliest.
    fn showing(&self, node: usize, state: i64) -> Option<(usize, Option<String>)> {
        let own = self.nodes.get(node)?;
        let in_batch = self.shown.get(&state).into_iter().flatten().map(|(at, below)| (*at, below.map(str::to_owned)));
        let stored = self.known.get(&state).into_iter().flatten().cloned();
        in_batch.chain(stored).filter(|(at, _)| *at != node).max_by_key(|(at, _)| {
            let started = self.nodes.get(*at).map_or(i64::MAX, |node| node.started_at);
            let before = started <= own.started_at;
            (before, if before { started } else { started.saturating_neg() })
        })
    }

    /// The call that handed over one of these texts.
    fn delegated(&self, node: usize, opening: &[i64]) -> Option<(usize, String)> {
        opening.iter().find_map(|state| {
            let (parent, below) = self.showing(node, *state)?;
            Some((parent, below?))
        })
    }

    fn same_session(&self, one: usize, other: usize) -> bool {
        let session = |node: usize| self.nodes.get(node).and_then(|node| node.session.as_ref());
        session(one).is_some() && session(one) == session(other)
    }

    fn edge(&mut self, from: usize, to: usize, rule: Option<SessionRule>) {
        let rule = rule.unwrap_or(SessionRule::Messages);
        for node in [from, to] {
            if let Some(node) = self.nodes.get_mut(node) {
                node.rule = node.rule.or(Some(rule));
            }
        }
        if let Some(node) = self.nodes.get_mut(from) {
            node.rule = Some(rule);
        }
        self.unite(from, to);
    }

    fn unite(&mut self, from: usize, to: usize) {
        let (from, to) = (self.root(from), self.root(to));
        if let Some(above) = self.above.get_mut(from) {
            *above = to;
        }
    }

    fn root(&self, mut node: usize) -> usize {
        while let Some(above) = self.above.get(node).copied().filter(|above| *above != node) {
            node = above;
        }
        node
    }

    /// Calls of one inferred session hang together whatever else they do: where one of them brings its session into another,
    /// all of them go there.
    fn unite_sessions(&mut self) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut edges = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let Some((key, _)) = node.session.as_ref().filter(|(key, _)| is_inferred(key)) else { continue };
            match first.get(key.as_str()) {
                Some(first) => edges.push((at, *first)),
                None => drop(first.insert(key, at)),
            }
        }
        for (from, to) in edges {
            self.unite(from, to);
        }
    }

    fn groups(&self, records: &mut [Record<'_>]) -> Vec<Group> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for node in 0..self.nodes.len() {
            members.entry(self.root(node)).or_default().push(node);
        }
        members.into_values().filter(|nodes| nodes.len() > 1).map(|nodes| self.group(&nodes, records)).collect()
    }

    fn group(&self, nodes: &[usize], records: &mut [Record<'_>]) -> Group {
        let mut nodes: Vec<&Node<'_>> = nodes.iter().filter_map(|node| self.nodes.get(*node)).collect();
        nodes.sort_by_key(|node| (node.started_at, node.id));
        let session = session_for(&nodes);
        let mut group = Group { org: self.org, session, ..Group::default() };
        for node in nodes {
            let rule = node.rule.unwrap_or(SessionRule::Messages);
            match (&node.own, &node.session) {
                (Some((at, _, _)), None) => {
                    if let Some(record) = records.get_mut(*at) {
                        record.session_key = Some(Cow::Owned(group.session.0.clone()));
                        record.session_long = group.session.1.clone().map(Cow::Owned);
                        record.session_rule = Some(rule.as_str());
                        group.records.push(record.index);
                    }
                }
                (Some((at, _, _)), Some(_)) => group.records.extend(records.get(*at).map(|record| record.index)),
                (None, None) => group.adopt.push((node.id, rule.as_str())),
                (None, Some((key, _))) if is_inferred(key) && *key != group.session.0 => {
                    group.merge.insert(key.clone());
                }
                (None, Some(_)) => {}
            }
        }
        group
    }
}

/// One that a client gave, else the oldest inferred one, else the one that a key makes, else a new one after the first call.
fn session_for(nodes: &[&Node<'_>]) -> (String, Option<String>) {
    let given = |inferred: bool| {
        nodes.iter().filter_map(|node| node.session.clone()).filter(move |(key, _)| is_inferred(key) == inferred)
    };
    if let Some(session) = given(false).next().or_else(|| given(true).min()) {
        return session;
    }
    if let Some(key) = nodes.iter().find_map(|node| node.keyed) {
        return split(key);
    }
    let first = nodes.first().map(|node| node.id).unwrap_or_default();
    (format!("{INFERRED}{}", first.simple()), None)
}

fn session_of(record: &Record<'_>) -> Option<(String, Option<String>)> {
    let key = record.session_key.as_deref()?.to_owned();
    Some((key, record.session_long.as_deref().map(str::to_owned)))
}

fn heads_of<'b>(batch: &'b [Exchange], record: &Record<'_>) -> &'b [i64] {
    batch
        .get(record.index)
        .and_then(|call| call.agent.step.as_ref())
        .map(|step| step.heads.as_slice())
        .unwrap_or_default()
}

impl Plan {
    /// What the batch's new calls show and wait for.
    pub async fn remember<D: Agents>(
        &self,
        db: &mut D,
        batch: &[Exchange],
        new: &[&Record<'_>],
    ) -> Result<(), StoreError> {
        let mut states: BTreeMap<(Uuid, i64), StateRow<'_>> = BTreeMap::new();
        for record in new {
            let Some(link) = link_of(batch, record) else { continue };
            let shown = heads_of(batch, record).iter().chain(link.key.as_ref().map(|key| &key.state));
            let shown = shown.map(|state| (*state, None));
            let handed = link.delegates.iter().map(|delegate| (delegate.state, Some(delegate.path.as_str())));
            for (state, path) in shown.chain(handed) {
                let row = StateRow { org: record.org_id, state, call: record.id, started_at: record.started_at, path };
                let latest = states.entry((row.org, state)).or_insert_with(|| row.clone());
                if (row.started_at, row.call) > (latest.started_at, latest.call) {
                    *latest = row;
                }
            }
        }
        if !states.is_empty() {
            db.put_states(&states.into_values().collect::<Vec<_>>()).await?;
        }
        if self.waits.is_empty() {
            return Ok(());
        }
        let by_index: HashMap<usize, &Record<'_>> = new.iter().map(|record| (record.index, *record)).collect();
        let mut waits: Vec<StateRow<'_>> = Vec::new();
        for wait in &self.waits {
            let Some(record) = by_index.get(&wait.index) else { continue };
            let (org, call, started_at) = (record.org_id, record.id, record.started_at);
            waits.push(StateRow { org, state: wait.state, call, started_at, path: Some(wait.rule) });
        }
        waits.sort_by_key(|row| (row.org, row.state, row.call));
        if waits.is_empty() { Ok(()) } else { db.put_waits(&waits).await }
    }
}
