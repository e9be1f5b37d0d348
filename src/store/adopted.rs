//! Stored calls that come into the sessions of new ones, and what they add there: the end of the story that `store::threads`
//! tells, inside the same transaction.
//!
//! Invariants
//! - A call that moves is counted once, in the session that it is in when the transaction ends. One of the batch itself that
//!   moved with its session is counted with the batch, there.
//! - No call is left in a session that was merged away: what several calls of a batch merge is followed to its end.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::dialect::agents::{Adoption, Agents, Moved, MovedProperty};
use super::error::StoreError;
use super::record::Record;
use super::rollup::{Added, RollUp};
use super::threads::{Group, Plan};

/// Stored calls that moved, with their properties.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    calls: Vec<Moved>,
    properties: Vec<MovedProperty>,
}

/// By organisation and session: what it becomes, key and whole id.
type Merges<'g> = BTreeMap<(Uuid, &'g str), &'g (String, Option<String>)>;

impl Plan {
    /// Moves stored calls into the sessions of those new calls that they hang together with. Records of the batch whose
    /// session is merged away get the one that takes its place.
    pub async fn adopt<D: Agents>(
        self,
        db: &mut D,
        records: &mut [Record<'_>],
        stored: &HashSet<usize>,
    ) -> Result<Adopted, StoreError> {
        let is_new = |group: &&Group| group.records.iter().any(|index| stored.contains(index));
        let groups: Vec<&Group> = self.groups.iter().filter(is_new).collect();
        let mut merges = Merges::new();
        for group in &groups {
            merges.extend(group.merge.iter().map(|from| ((group.org, from.as_str()), &group.session)));
        }
        let mut moved = Vec::new();
        for (org, from) in merges.keys() {
            let (key, long) = end_of(&merges, *org, from);
            moved.extend(db.move_session(*org, from, (key, long)).await?);
        }
        let mut single = Vec::new();
        for group in &groups {
            let (key, long) = end_of(&merges, group.org, &group.session.0);
            let long = if key == group.session.0 { group.session.1.as_deref() } else { long };
            single.extend(group.adopt.iter().map(|(call, rule)| Adoption {
                org: group.org,
                call: *call,
                session_key: key.to_owned(),
                session_long: long.map(str::to_owned),
                rule,
            }));
        }
        single.sort_by_key(|call| (call.org, call.call));
        if !single.is_empty() {
            moved.extend(db.adopt(&single).await?);
        }
        let mut adopted = Adopted { calls: others(moved, records, stored), properties: Vec::new() };
        if !adopted.calls.is_empty() {
            let ids: Vec<(Uuid, Uuid)> = adopted.calls.iter().map(|call| (call.org_id, call.id)).collect();
            adopted.properties = db.properties_of(&ids).await?;
        }
        Ok(adopted)
    }
}

/// The session that one is in the end, which is itself where it is not merged.
fn end_of<'g>(merges: &Merges<'g>, org: Uuid, session: &'g str) -> (&'g str, Option<&'g str>) {
    let mut end = (session, None);
    // As many steps as there are merges: a circle, should there be one, is left somewhere.
    for _ in 0..merges.len() {
        let Some(next) = merges.get(&(org, end.0)).copied() else { break };
        end = (next.0.as_str(), next.1.as_deref());
    }
    end
}

/// Moved calls without those of the batch, which are told their session instead.
fn others(moved: Vec<Moved>, records: &mut [Record<'_>], stored: &HashSet<usize>) -> Vec<Moved> {
    let own: HashMap<(Uuid, Uuid), usize> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| stored.contains(&record.index))
        .map(|(at, record)| ((record.org_id, record.id), at))
        .collect();
    let mut others: BTreeMap<(Uuid, Uuid), Moved> = BTreeMap::new();
    for call in moved {
        match own.get(&(call.org_id, call.id)).and_then(|at| records.get_mut(*at)) {
            Some(record) => {
                record.session_key = Some(Cow::Owned(call.session_key));
                record.session_long = call.session_long.map(Cow::Owned);
            }
            // Where a call moved twice, the last time counts.
            None => drop(others.insert((call.org_id, call.id), call)),
        }
    }
    others.into_values().collect()
}

impl Adopted {
    /// Adds the moved calls to their sessions.
    pub fn add_to<'a>(&'a self, sum: &mut RollUp<'a>) {
        let mut properties: HashMap<(Uuid, Uuid), Vec<&MovedProperty>> = HashMap::new();
        for property in &self.properties {
            properties.entry((property.org_id, property.call_id)).or_default().push(property);
        }
        for call in &self.calls {
            let added = Added {
                org_id: call.org_id,
                session: &call.session_key,
                long: call.session_long.as_deref(),
                name: call.session_name.as_deref(),
                started_at: call.started_at,
                ended_at: call.ended_at,
                failed: call.failed,
                unpriced: call.unpriced,
                cost: call.cost,
                user: call.user_id.as_deref().filter(|user| !user.is_empty()),
                tokens: call.tokens.parts(),
            };
            sum.add_session(&added);
            for property in properties.remove(&(call.org_id, call.id)).into_iter().flatten() {
                sum.add_property(&added, (&property.key_lower, &property.value_key), property.value_long.as_deref());
            }
        }
    }
}
