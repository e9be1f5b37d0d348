//! Retention: what is kept and what goes, beside writers, and where something is wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use trailgate::model::dead_letter::{DeadLetter, LetterKind};
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::Filter;
use trailgate::model::gap::{Gap, JOURNAL_FULL};
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::query::{Retention, Window};
use trailgate::model::session::SessionRow;
use trailgate::model::units::Micros;
use trailgate::retention::{Clock, Pace, round};

use super::merges::{roll_ups_equal_rows, woven};
use super::sample::{Random, SECOND, T0, call, in_session, property};
use super::{Bed, every_call, every_session, memory};

const ORG: OrgId = OrgId::DEFAULT;
const DAY: i64 = 86_400 * SECOND;
/// Without waiting for anything.
const AT_ONCE: Pace = Pace { every: Duration::ZERO, pause: Duration::ZERO, doubt: Duration::ZERO };
const KEEP: Retention = Retention { calls_days: Some(30), bodies_days: Some(10) };

fn days_ago(days: i64) -> Micros {
    Micros::now().plus_us(-days * DAY)
}

fn started(at: Micros, call: Exchange) -> Exchange {
    Exchange { started_at: at, ended_at: at.plus_us(SECOND), ..call }
}

async fn sessions(bed: &Bed) -> BTreeMap<String, SessionRow> {
    let page = bed.store.sessions(ORG, &every_session(Filter::ALL)).await.unwrap();
    page.rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

async fn calls_of(bed: &Bed, org: OrgId) -> usize {
    bed.store.calls(org, &every_call(Filter::ALL)).await.unwrap().len()
}

pub async fn a_long_session_is_summed_once(bed: Bed) {
    let mut calls: Vec<Exchange> = (0..450).map(|n| in_session("long", n)).collect();
    calls.extend((0..5).map(|n| in_session("short", n)));
    for (n, call) in calls.iter_mut().enumerate() {
        call.properties = vec![property("n", if n % 2 == 0 { "even" } else { "odd" })];
        call.user_id = Some(format!("user {}", n / 100));
        call.session_name = Some(format!("name {}", n / 440));
    }
    bed.write(&calls).await;
    let before = Micros(T0 + 440 * SECOND);
    let left: Vec<Exchange> = calls.iter().filter(|call| call.started_at >= before).cloned().collect();
    assert_eq!(bed.store.delete_calls_before(ORG, before).await.unwrap(), 200);
    // What goes counts no more, although it is not all gone. (Busy time is read from the calls themselves.)
    let wanted = memory::sessions(&left).remove("long").unwrap();
    let busy_us = wanted.busy_us;
    assert_eq!(SessionRow { busy_us, ..sessions(&bed).await.remove("long").unwrap() }, wanted);
    // One that comes in late counts until it goes as well.
    let late = in_session("long", 7);
    bed.write(std::slice::from_ref(&late)).await;
    assert_eq!(sessions(&bed).await["long"].totals.calls, 11);
    let mut deleted = 200;
    while deleted < 446 {
        deleted += bed.store.delete_calls_before(ORG, before).await.unwrap();
    }
    assert_eq!(bed.store.delete_calls_before(ORG, before).await.unwrap(), 0);
    assert_eq!(sessions(&bed).await, memory::sessions(&left));
    let odd = bed.store.sessions(ORG, &every_session(super::filters::property_is("n", "odd"))).await.unwrap();
    assert_eq!(odd.rows[0].matching.unwrap().calls, 5);
}

pub async fn what_calls_leave_elsewhere_goes(bed: Bed) {
    let other = bed.store.create_org("other").await.unwrap();
    let letter = |org: OrgId, at: Micros| DeadLetter {
        org,
        record: RecordId::generate(),
        at,
        kind: LetterKind::Call,
        reason: "a reason".to_owned(),
        frames: Bytes::from_static(b"frames"),
    };
    let gap = |org: OrgId, minute: Micros| Gap {
        id: RecordId::generate(),
        org,
        minute,
        calls: 1,
        reason: JOURNAL_FULL.to_owned(),
    };
    for org in [ORG, other] {
        let old = Exchange { org, properties: vec![property("Old", "x"), property("Both", "x")], ..call() };
        let new = Exchange { org, properties: vec![property("both", "x"), property("New", "x")], ..call() };
        bed.write(&[started(days_ago(31), old), started(days_ago(1), new)]).await;
        for days in [40, 11, 1] {
            bed.store.put_dead_letter(&letter(org, days_ago(days))).await.unwrap();
        }
        bed.store.add_gaps(&[gap(org, days_ago(40)), gap(org, days_ago(11))]).await.unwrap();
    }
    bed.store.set_retention(ORG, KEEP).await.unwrap();
    round(&bed.store, AT_ONCE, &mut Clock::showing(Micros::now())).await.unwrap();
    let left = async |org| {
        let keys = bed.store.property_keys(org).await.unwrap().into_iter().map(|row| row.key).collect::<Vec<_>>();
        let letters = bed.store.dead_letters(org, None, 10).await.unwrap().len();
        let gaps = bed.store.gaps(org, Window::default(), 10).await.unwrap().len();
        (keys.join(" "), letters, gaps, calls_of(&bed, org).await)
    };
    assert_eq!(left(ORG).await, ("Both New".to_owned(), 1, 1, 1), "letters hold bodies and go with these");
    assert_eq!(left(other).await, ("Both New Old".to_owned(), 3, 2, 2));
}

pub async fn one_failure_stops_no_other(bed: Bed) {
    let mut orgs = Vec::new();
    for n in 0..5 {
        let org = bed.store.create_org(&format!("o{n}")).await.unwrap();
        bed.store.set_retention(org, KEEP).await.unwrap();
        bed.write(&[started(days_ago(31), Exchange { org, ..in_session("s", 0) })]).await;
        orgs.push(org);
    }
    // The call of the one in the middle cannot be deleted.
    let id = orgs[2].0;
    bed.execute(match bed.store.backend() {
        "postgres" => format!(
            "CREATE FUNCTION no() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql; \
             CREATE TRIGGER no BEFORE DELETE ON exchange FOR EACH ROW WHEN (OLD.org_id = '{id}') EXECUTE FUNCTION no()"
        ),
        _ => format!(
            "CREATE TRIGGER no BEFORE DELETE ON exchange WHEN OLD.org_id = X'{}' BEGIN SELECT RAISE(ABORT, 'no'); END",
            id.simple()
        ),
    })
    .await;
    round(&bed.store, AT_ONCE, &mut Clock::showing(Micros::now())).await.unwrap();
    for (n, org) in orgs.iter().enumerate() {
        assert_eq!(calls_of(&bed, *org).await, usize::from(n == 2), "{n}");
    }
    assert_eq!(bed.store.sessions(orgs[2], &every_session(Filter::ALL)).await.unwrap().rows[0].totals.calls, 1);
}

pub async fn a_jumped_clock_deletes_nothing(bed: Bed) {
    let patient = Pace { doubt: Duration::from_secs(3_600), ..AT_ONCE };
    bed.store.set_retention(ORG, KEEP).await.unwrap();
    bed.write(&[started(days_ago(40), call()), started(days_ago(1), call())]).await;
    // It showed another day a moment ago.
    let mut clock = Clock::showing(days_ago(40));
    for _ in 0..2 {
        assert_eq!(round(&bed.store, patient, &mut clock).await.unwrap(), 0);
    }
    assert_eq!(calls_of(&bed, ORG).await, 2);
    // It has said the same for long enough.
    assert_eq!(round(&bed.store, AT_ONCE, &mut clock).await.unwrap(), 1);
    // One that goes right, or went back, deletes what is too old at once.
    for shown in [days_ago(0), days_ago(-5)] {
        bed.write(&[started(days_ago(40), call())]).await;
        assert_eq!(round(&bed.store, patient, &mut Clock::showing(shown)).await.unwrap(), 1);
    }
    assert_eq!(calls_of(&bed, ORG).await, 1);
}

/// Old calls are deleted while sessions are found and become one: what is left is what its rows add up to.
pub async fn merges_and_deletion_at_once(bed: Bed) {
    for seed in 0..4 {
        let bed = bed.another().await;
        let mut random = Random::new(seed);
        let mut calls = woven(&mut random);
        random.shuffle(&mut calls);
        let before = Micros(T0 + 22 * SECOND);
        let (store, mine) = (bed.store.clone(), calls.clone());
        let deleting = async {
            for _ in 0..40 {
                // A deadlock that the database undoes is tried again, as the next round does.
                drop(bed.store.delete_calls_before(ORG, before).await);
                tokio::task::yield_now().await;
            }
        };
        let mut writing = tokio::task::JoinSet::new();
        writing.spawn(async move {
            let mut writer = store.writer().await.unwrap();
            for batch in mine.chunks(3) {
                writer.write(batch).await.unwrap();
            }
        });
        deleting.await;
        writing.join_all().await;
        while bed.store.delete_calls_before(ORG, before).await.unwrap() > 0 {}
        assert_eq!(calls_of(&bed, ORG).await, calls.iter().filter(|call| call.started_at >= before).count());
        roll_ups_equal_rows(&bed, &calls).await;
    }
}
