//! The writer's promises.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use trailgate::model::dead_letter::{DeadLetter, DeadLetterRow, LetterKind};
use trailgate::model::exchange::{Exchange, Source, Usage};
use trailgate::model::filter::Filter;
use trailgate::model::id::{OrgId, RecordId, RequestId};
use trailgate::model::session::SessionRow;
use trailgate::model::units::{Micros, NanoUsd};
use trailgate::store::Store;

use super::sample::{Random, SECOND, T0, body, call, in_session, property};
use super::{Bed, every_call, every_session, memory};

const ORG: OrgId = OrgId::DEFAULT;

async fn sessions(store: &Store) -> BTreeMap<String, SessionRow> {
    let page = store.sessions(ORG, &every_session(Filter::ALL)).await.unwrap();
    page.rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

pub async fn a_replay_changes_nothing(bed: Bed) {
    let batch = vec![in_session("s", 0), in_session("s", 1), call()];
    let first = bed.write(&batch).await;
    assert_eq!(first.new, batch.iter().map(|c| (c.org, c.id)).collect::<Vec<_>>());
    assert_eq!(first.replayed, 0);
    let before = sessions(&bed.store).await;
    let mut again = batch.clone();
    again.push(in_session("s", 2));
    again.push(again[3].clone());
    let second = bed.write(&again).await;
    assert_eq!((second.new.len(), second.replayed), (1, 4));
    assert_eq!(before["s"].totals.calls + 1, sessions(&bed.store).await["s"].totals.calls);
}

/// Rows go in by many at once; one that is there already costs none of those around it.
pub async fn a_batch_with_known_calls_stores_the_others_once(bed: Bed) {
    let batch: Vec<Exchange> = (0..100).map(|n| in_session("s", n)).collect();
    let known: Vec<Exchange> = [0, 17, 18, 63, 64, 99].map(|n: usize| batch[n].clone()).into();
    bed.write(&known).await;
    let written = bed.write(&batch).await;
    let new: Vec<_> = batch.iter().filter(|c| known.iter().all(|k| k.id != c.id)).map(|c| (c.org, c.id)).collect();
    assert_eq!((written.new, written.replayed), (new, known.len()));
    assert_eq!(bed.write(&batch).await.replayed, 100);
    assert_eq!(sessions(&bed.store).await["s"].totals.calls, 100);
    for call in batch {
        assert!(bed.store.call_bodies(ORG, call.id).await.unwrap().is_some());
    }
}

pub async fn a_proxied_call_with_a_used_id_gets_its_own(bed: Bed) {
    let one = in_session("s", 0);
    let two = Exchange { record: RecordId::generate(), id: one.id, ..in_session("s", 1) };
    let three = Exchange { record: RecordId::generate(), id: one.id, ..in_session("s", 2) };
    let written = bed.write(&[one.clone(), two.clone()]).await;
    assert_eq!(written.new, vec![(ORG, one.id), (ORG, RequestId(two.record.0))]);
    let written = bed.write(&[three.clone(), two.clone(), one.clone()]).await;
    assert_eq!(written.new, vec![(ORG, RequestId(three.record.0))]);
    assert_eq!(written.replayed, 2);
    let stored = bed.store.call(ORG, RequestId(three.record.0)).await.unwrap().unwrap();
    assert_eq!(stored.notes.last().map(|note| note.code.as_str()), Some("tag.request_id_reused"));
    assert!(bed.store.call_bodies(ORG, stored.call.id).await.unwrap().is_some());
    assert_eq!(bed.store.call(ORG, one.id).await.unwrap().unwrap().call.started_at, one.started_at);
    assert_eq!(sessions(&bed.store).await["s"].totals.calls, 3);
}

pub async fn a_manual_log_with_a_used_id_is_lost_only_if_it_is_the_same(bed: Bed) {
    let one = Exchange { source: Source::Manual, ..in_session("s", 0) };
    let again = Exchange { ended_at: one.ended_at.plus_us(5), ..one.clone() };
    let other = Exchange { record: RecordId::generate(), id: one.id, source: Source::Manual, ..in_session("s", 1) };
    let written = bed.write(&[one.clone(), again.clone(), other.clone()]).await;
    assert_eq!((written.new, written.replayed), (vec![(ORG, one.id), (ORG, RequestId(other.record.0))], 1));
    let written = bed.write(&[again, other]).await;
    assert_eq!((written.new.len(), written.replayed), (0, 2));
    assert_eq!(sessions(&bed.store).await["s"].totals.calls, 2);
}

pub async fn hostile_values_are_kept(bed: Bed) {
    let megabyte = "é\0".repeat(400_000);
    let stored = memory::stored(&megabyte);
    let mut long = in_session(&megabyte, 0);
    long.session_name = Some(megabyte.clone());
    long.session_path = Some(megabyte.clone());
    long.user_id = Some(megabyte.clone());
    long.model = Some(megabyte.clone());
    long.error_message = Some(megabyte.clone());
    long.properties = vec![property(&megabyte, &megabyte), property("k", &megabyte)];
    let plain = in_session("plain", 1);
    assert_eq!(bed.write(&[long.clone(), plain]).await.new.len(), 2);

    let row = bed.store.session(ORG, &megabyte).await.unwrap().expect("found by the id that was sent");
    assert_eq!((&row.id, &row.name), (&stored, &stored));
    assert_eq!(row.user_ids, vec![stored.clone()]);
    let detail = bed.store.call(ORG, long.id).await.unwrap().unwrap();
    assert_eq!(detail.call.path.as_ref(), Some(&stored));
    assert_eq!(detail.session_id.as_ref(), Some(&stored));
    assert!(detail.properties.contains(&property("k", &stored)));
    assert!(detail.properties.contains(&property(&stored, &stored)));
    assert_eq!(bed.store.session_calls(ORG, &megabyte, 10).await.unwrap().len(), 1);

    let wanted = trailgate::model::filter::Filter::Leaf(trailgate::model::filter::Leaf {
        field: trailgate::model::filter::Field::Property("K".to_owned()),
        test: trailgate::model::filter::Test::Text(trailgate::model::filter::TextOp::Equals, megabyte.clone()),
    });
    assert_eq!(bed.store.sessions(ORG, &every_session(wanted.clone())).await.unwrap().rows.len(), 1);
    assert_eq!(bed.store.calls(ORG, &every_call(wanted)).await.unwrap().len(), 1);
    assert_eq!(bed.store.property_values(ORG, "k", "", 10).await.unwrap(), vec![stored]);
}

pub async fn absurd_numbers_do_not_stop_a_session(bed: Bed) {
    let mut absurd = in_session("s", 0);
    let most = i64::MAX;
    absurd.usage = Some(Usage {
        prompt_tokens: most,
        prompt_cache_read_tokens: most,
        prompt_cache_write_tokens: most,
        completion_tokens: most,
        reasoning_tokens: -1,
        ..Usage::default()
    });
    absurd.cost.as_mut().unwrap().amount = NanoUsd(most);
    absurd.started_at = Micros(i64::MIN);
    absurd.ended_at = Micros(i64::MAX);
    let mut backwards = in_session("s", 1);
    backwards.ended_at = Micros(T0 - SECOND);
    for _ in 0..3 {
        absurd.record = RecordId::generate();
        absurd.id = RequestId::generate();
        bed.write(std::slice::from_ref(&absurd)).await;
    }
    bed.write(&[backwards.clone()]).await;
    let row = sessions(&bed.store).await.remove("s").unwrap();
    assert_eq!(row.totals.calls, 4);
    assert!(row.totals.cost.0 > 0 && row.totals.latency_sum_us > 0 && row.busy_us > 0);
    let stored = bed.store.call(ORG, backwards.id).await.unwrap().unwrap().call;
    assert_eq!(stored.ended_at, stored.started_at, "a call does not end before it starts");
}

pub async fn roll_ups_equal_recomputation(bed: Bed) {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let org = bed.store.create_org("o").await.unwrap();
        let mut calls = random.calls(60);
        calls.iter_mut().for_each(|c| c.org = org);
        // Each call twice, in any order, in batches of any size.
        let mut order: Vec<usize> = (0..calls.len()).chain(0..calls.len()).collect();
        random.shuffle(&mut order);
        let mut writer = bed.store.writer().await.unwrap();
        let mut rest = order.as_slice();
        let mut new = 0;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(random.pick(&(1..=rest.len().min(25))));
            let batch: Vec<Exchange> = now.iter().map(|i| calls[*i].clone()).collect();
            new += writer.write(&batch).await.unwrap().new.len();
            rest = later;
        }
        assert_eq!(new, calls.len());
        let wanted = memory::sessions(&calls);
        let page = bed.store.sessions(org, &every_session(Filter::ALL)).await.unwrap();
        let found: BTreeMap<String, SessionRow> = page.rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        assert_eq!(found, wanted, "seed {seed}");
        let count = bed.store.session_count(org, &every_session(Filter::ALL)).await.unwrap();
        assert_eq!(count.sessions, i64::try_from(wanted.len()).unwrap());
        assert_eq!(count.calls, wanted.values().map(|s| s.totals.calls).sum::<i64>());
        assert_eq!(count.cost.0, wanted.values().map(|s| s.totals.cost.0).sum::<i64>());
    }
}

pub async fn writers_share_sessions(bed: Bed) {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4_i64 {
        let store = bed.store.clone();
        tasks.spawn(async move {
            let mut link = store.writer().await.unwrap();
            for round in 0..10_i64 {
                // The same sessions and properties in another order for each writer.
                let mut batch: Vec<Exchange> = (0..20_i64)
                    .map(|i| {
                        let mut call = in_session(&format!("s{}", i % 5), writer * 1_000 + round * 20 + i);
                        call.properties = vec![property("a", &(i % 3).to_string()), property("b", "x")];
                        call.user_id = Some(format!("u{}", i % 2));
                        call
                    })
                    .collect();
                if writer % 2 == 0 {
                    batch.reverse();
                }
                link.write(&batch).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let sessions = sessions(&bed.store).await;
    assert_eq!(sessions.len(), 5);
    assert!(sessions.values().all(|s| s.totals.calls == 160), "{sessions:?}");
}

/// Ten replicas are sent the same records, some of them break off in the middle of a batch, and all is there once.
pub async fn replicas_with_the_same_records_store_each_once(bed: Bed) {
    let calls: Vec<Exchange> = (0..120_i64)
        .map(|i| {
            let mut call = in_session(&format!("s{}", i % 7), i);
            call.properties = vec![property("a", &(i % 3).to_string())];
            call.user_id = Some(format!("u{}", i % 2));
            call
        })
        .collect();
    let mut tasks = tokio::task::JoinSet::new();
    for replica in 0..10_usize {
        let (store, mut calls) = (bed.store.clone(), calls.clone());
        calls.rotate_left(replica * 12);
        tasks.spawn(async move {
            let mut link = store.writer().await.unwrap();
            let mut new = 0;
            for (n, batch) in calls.chunks(30).enumerate() {
                if replica % 3 == 2 && n == 2 {
                    // As a killed process leaves it: somewhere in the transaction, without a word.
                    let cut = Duration::from_micros(400 * replica as u64);
                    if tokio::time::timeout(cut, link.write(batch)).await.is_err() {
                        link = store.writer().await.unwrap();
                    }
                }
                new += link.write(batch).await.unwrap().new.len();
            }
            new
        });
    }
    let mut new = 0;
    while let Some(done) = tasks.join_next().await {
        new += done.unwrap();
    }
    assert!(new <= calls.len(), "{new} rows were told as new");
    let sessions = sessions(&bed.store).await;
    let stored: i64 = sessions.values().map(|s| s.totals.calls).sum();
    assert_eq!((sessions.len(), stored), (7, 120), "{sessions:?}");
    assert_eq!(bed.store.calls(ORG, &every_call(Filter::ALL)).await.unwrap().len(), calls.len());
}

/// A probe finds the store good, and is not there afterwards.
pub async fn a_probe_leaves_nothing(bed: Bed) {
    let mut link = bed.store.writer().await.unwrap();
    link.probe().await.unwrap();
    link.write(&[in_session("s", 0)]).await.unwrap();
    link.probe().await.unwrap();
    assert_eq!(bed.store.calls(ORG, &every_call(Filter::ALL)).await.unwrap().len(), 1);
    assert_eq!(sessions(&bed.store).await.into_keys().collect::<Vec<_>>(), ["s"]);
    assert!(bed.store.property_keys(ORG).await.unwrap().is_empty());
}

pub async fn dead_letters_are_kept_paged_and_released(bed: Bed) {
    let other = bed.store.create_org("other").await.unwrap();
    let letter = |n: i64, call: &Exchange, frames: &'static [u8]| DeadLetter {
        org: call.org,
        record: call.record,
        at: Micros(T0 + n / 2),
        kind: LetterKind::Call,
        reason: "a reason\0".to_owned(),
        frames: Bytes::from_static(frames),
    };
    let calls: Vec<Exchange> = (0..7).map(|n| in_session("s", n)).collect();
    for (n, call) in (0..).zip(&calls) {
        bed.store.put_dead_letter(&letter(n, call, b"whole\0frames")).await.unwrap();
        bed.store.put_dead_letter(&letter(n, call, b"part")).await.unwrap();
    }
    let mut listed = Vec::new();
    loop {
        let after = listed.last().map(|row: &DeadLetterRow| (row.at, row.record));
        let page = bed.store.dead_letters(ORG, after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let mut wanted: Vec<_> = (0..).zip(&calls).map(|(n, call): (i64, _)| (Micros(T0 + n / 2), call.record)).collect();
    wanted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(listed.iter().map(|row| (row.at, row.record)).collect::<Vec<_>>(), wanted);
    assert!(listed.iter().all(|row| (row.kind.as_str(), row.bytes) == ("call", 12)));
    let record = calls[0].record;
    assert_eq!(bed.store.dead_letter(ORG, record).await.unwrap().unwrap(), "whole\0frames".as_bytes());

    assert!(bed.store.dead_letters(other, None, 10).await.unwrap().is_empty());
    assert!(bed.store.dead_letter(other, record).await.unwrap().is_none());
    assert!(!bed.store.drop_dead_letter(other, record).await.unwrap());

    let mut link = bed.store.writer().await.unwrap();
    assert_eq!(link.release(&calls[0]).await.unwrap().new.len(), 1);
    assert!(bed.store.dead_letter(ORG, record).await.unwrap().is_none());
    link.write(&calls[1..2]).await.unwrap();
    assert_eq!(link.release(&calls[1]).await.unwrap().replayed, 1);
    assert!(bed.store.dead_letter(ORG, calls[1].record).await.unwrap().is_some(), "it may hold more than the row");
    assert!(bed.store.drop_dead_letter(ORG, calls[1].record).await.unwrap());
    assert_eq!(bed.store.dead_letters(ORG, None, 10).await.unwrap().len(), 5);
}

pub async fn an_earlier_call_moves_its_session(bed: Bed) {
    let at = |session: &str, at: i64| Exchange { properties: vec![property("a", "x")], ..in_session(session, at) };
    bed.write(&[at("one", 10), at("two", 20)]).await;
    let has = super::filters::property_is("a", "x");
    let order = async || {
        let page = bed.store.sessions(ORG, &every_session(has.clone())).await.unwrap();
        page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(order().await, ["two", "one"]);
    bed.write(&[in_session("two", 5)]).await;
    assert_eq!(order().await, ["one", "two"], "the index of properties follows the session's start");
}

pub async fn a_big_batch(bed: Bed) {
    let mut batch = Vec::new();
    for i in 0..1_300_i64 {
        let mut call = in_session(&format!("s{}", i % 700), i);
        call.properties = vec![property("n", &i.to_string())];
        call.request = body(vec![b'x'; 40_000]);
        batch.push(call);
    }
    assert_eq!(bed.write(&batch).await.new.len(), 1_300);
    assert_eq!(sessions(&bed.store).await.len(), 700);
    let found = bed.store.sessions(ORG, &every_session(super::filters::property_is("N", "1299"))).await.unwrap();
    assert_eq!(found.rows.len(), 1);
    assert_eq!(found.rows[0].matching.map(|m| m.calls), Some(1));
}

pub async fn stores_that_start_together_migrate_once(bed: Bed) {
    // On a database of its own: the bed's is migrated.
    let url = match bed.store.backend() {
        "postgres" => crate::support::pg::database().await,
        _ => format!("{}-2", bed.options.url),
    };
    let options = trailgate::store::StoreOptions { url, ..bed.options.clone() };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let options = options.clone();
        tasks.spawn(async move {
            let store = Store::open(&options).await.unwrap();
            store.migrate().await.unwrap();
            store.ping().await.unwrap();
            store.writer().await.unwrap().write(&[call()]).await.unwrap().new.len()
        });
    }
    let written: Vec<usize> = tasks.join_all().await;
    assert_eq!(written, [1; 10]);
    let store = Store::open(&options).await.unwrap();
    assert_eq!(store.call_count(ORG, &Filter::ALL, trailgate::model::query::Window::default()).await.unwrap(), 10);
    store.close().await;
}
