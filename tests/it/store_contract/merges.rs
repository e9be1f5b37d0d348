//! Sessions that turn out to be one, several at once and in one batch: what is stored of a session is what its rows add up to.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::Filter;
use trailgate::model::session::SessionRow;
use trailgate::model::tags::Tags;

use super::agents::{ORG, chat, session_of};
use super::sample::{Random, property};
use super::{Bed, every_session, memory};

fn said(role: &str, text: &str) -> Value {
    json!({"role": role, "content": text})
}

/// The `step`-th call of a conversation, which continues the one before; with a cache key, in a session of the client's.
fn step(name: &str, step: usize, at: i64, key: Option<&str>, session: Option<&str>) -> Exchange {
    let mut messages = vec![said("user", &format!("Please solve the task of {name}."))];
    for n in 0..step {
        messages.extend([said("assistant", &format!("{name} {n}")), said("user", &format!("Go on, {name} {n}."))]);
    }
    let mut request = json!({"model": "gpt-4o", "messages": messages});
    if let Some(key) = key {
        request["prompt_cache_key"] = json!(key);
    }
    let tags = Tags { session_id: session.map(str::to_owned), ..Tags::default() };
    let mut call = chat(at, tags, &[], &request, &said("assistant", &format!("{name} {step}")));
    call.properties = vec![property("Name", name)];
    call.user_id = Some(format!("user of {name}"));
    call
}

/// What is stored of sessions equals what the stored calls add up to.
pub async fn roll_ups_equal_rows(bed: &Bed, calls: &[Exchange]) {
    let mut known = Vec::new();
    for call in calls {
        if let Some(row) = bed.store.call(ORG, call.id).await.unwrap() {
            known.push(Exchange { session_id: row.session_id, ..call.clone() });
        }
    }
    let page = bed.store.sessions(ORG, &every_session(Filter::ALL)).await.unwrap();
    let found: BTreeMap<String, SessionRow> = page.rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    assert_eq!(found, memory::sessions(&known));
    for (id, row) in &found {
        for name in ["a", "b", "c", "d"] {
            let filter = super::filters::property_is("Name", name);
            let page = bed.store.sessions(ORG, &every_session(filter)).await.unwrap();
            let matching = page.rows.iter().find(|row| row.id == *id).and_then(|row| row.matching);
            let having = known.iter().filter(|call| call.session_id.as_ref() == Some(id));
            let having = having.filter(|call| call.properties[0].value == name).count();
            assert_eq!(matching.map_or(0, |sums| sums.calls), i64::try_from(having).unwrap(), "{name} of {row:?}");
        }
    }
}

/// One call brings session Y into X, another of the same batch continues Y.
pub async fn two_calls_of_a_batch_in_a_merged_session(bed: Bed) {
    let y = [step("y1", 0, 10, Some("k"), None), step("y2", 0, 11, Some("k"), None)];
    let x = [step("x", 0, 0, None, None), step("x", 1, 1, None, None)];
    bed.write(&y).await;
    bed.write(&x).await;
    assert_ne!(session_of(&bed, &y[0]).await, session_of(&bed, &x[0]).await);
    let now = [step("x", 2, 20, Some("k"), None), step("y1", 1, 21, None, None)];
    bed.write(&now).await;
    let all: Vec<Exchange> = y.into_iter().chain(x).chain(now).collect();
    let one = session_of(&bed, &all[0]).await.unwrap();
    for call in &all {
        assert_eq!(session_of(&bed, call).await.as_ref(), Some(&one));
    }
    roll_ups_equal_rows(&bed, &all).await;
    // What comes later finds the session that is left.
    let later = step("y2", 1, 30, None, None);
    bed.write(std::slice::from_ref(&later)).await;
    assert_eq!(session_of(&bed, &later).await, Some(one));
    roll_ups_equal_rows(&bed, &[all, vec![later]].concat()).await;
}

/// Y comes into X and X into W at once; and a call of the batch names Y itself.
pub async fn chains_of_merges(bed: Bed) {
    let mut all = Vec::new();
    for (name, at) in [("w", 0), ("x", 10), ("y", 20)] {
        all.extend([step(name, 0, at, None, None), step(name, 1, at + 1, None, None)]);
        bed.write(&all[all.len() - 2..]).await;
    }
    let named = session_of(&bed, &all[4]).await.unwrap();
    let now = [
        step("y", 2, 30, Some("k1"), None),
        step("x", 2, 31, Some("k1"), None),
        step("x", 3, 32, Some("k2"), None),
        step("w", 2, 33, Some("k2"), None),
        step("z", 0, 34, None, Some(&named)),
    ];
    bed.write(&now).await;
    all.extend(now);
    let one = session_of(&bed, &all[0]).await.unwrap();
    for call in &all {
        assert_eq!(session_of(&bed, call).await.as_ref(), Some(&one));
    }
    roll_ups_equal_rows(&bed, &all).await;
}

/// Calls of four conversations with a few keys and sessions of the client's between them.
pub fn woven(random: &mut Random) -> Vec<Exchange> {
    let mut calls = Vec::new();
    for (n, name) in (0..).zip(["a", "b", "c", "d"]) {
        for one in 0..5 {
            let key = [None, None, None, Some("k1"), Some("k2")][random.pick(&(0..5_usize))];
            let session = [None, None, None, None, None, Some("mine")][random.pick(&(0..6_usize))];
            let at = i64::try_from(one).unwrap() * 10 + n;
            calls.push(step(name, one, at, key, session));
        }
    }
    calls
}

pub async fn roll_ups_equal_rows_after_merges(bed: Bed) {
    for seed in 0..12 {
        // Each on an empty database.
        let bed = bed.another().await;
        let mut random = Random::new(seed);
        let mut calls = woven(&mut random);
        random.shuffle(&mut calls);
        let mut rest = calls.as_mut_slice();
        let mut done: Vec<Exchange> = Vec::new();
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(random.pick(&(1..=rest.len().min(9))));
            // Now and then somebody says the id of a session that was found.
            let found = bed.store.sessions(ORG, &every_session(Filter::ALL)).await.unwrap().rows;
            for call in now.iter_mut().filter(|call| call.session_id.is_none()) {
                if let Some(row) = found.first().filter(|_| random.pick(&(0..6)) == 0) {
                    call.session_id = Some(row.id.clone());
                }
            }
            // With some that were there before.
            let again = random.pick(&(0..=done.len().min(2)));
            let batch: Vec<Exchange> = now.iter().chain(&done[..again]).cloned().collect();
            bed.write(&batch).await;
            done.extend_from_slice(now);
            roll_ups_equal_rows(&bed, &done).await;
            rest = later;
        }
    }
}
