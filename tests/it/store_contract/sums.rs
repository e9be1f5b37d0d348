//! Sums over calls that claim absurd times, costs and numbers: every reading answers, and all of them the same.

use trailgate::model::exchange::{Exchange, Source, Usage};
use trailgate::model::filter::Filter;
use trailgate::model::id::{OrgId, RecordId, RequestId};
use trailgate::model::query::Window;
use trailgate::model::units::{Micros, NanoUsd};
use trailgate::model::user::{UserQuery, UserSort, UserSortKey};

use super::sample::{T0, call, in_session};
use super::{Bed, every_session};

const ORG: OrgId = OrgId::DEFAULT;
/// What one call adds to a sum at most.
const MOST: i64 = 1 << 40;
/// The last microsecond of the year 9999.
const LAST: i64 = 253_402_300_799_999_999;
const CALLS: i64 = 40;

fn absurd() -> Exchange {
    let record = RecordId::generate();
    let mut call = Exchange { record, id: RequestId(record.0), source: Source::Manual, ..in_session("s", 0) };
    (call.started_at, call.ended_at) = (Micros(0), Micros(LAST));
    call.user_id = Some("u".to_owned());
    call.session_name = Some("n".to_owned());
    call.session_path = Some("/p".to_owned());
    call.cost.as_mut().unwrap().amount = NanoUsd(i64::MAX);
    let most = i64::MAX;
    call.usage =
        Some(Usage { prompt_tokens: most, completion_tokens: most, reasoning_tokens: most, ..Usage::default() });
    call
}

pub async fn absurd_calls_stay_readable(bed: Bed) {
    let calls: Vec<Exchange> = (0..CALLS).map(|_| absurd()).collect();
    // At once, and one by one.
    bed.write(&calls[..20]).await;
    for call in &calls[20..] {
        bed.write(std::slice::from_ref(call)).await;
    }
    let row = bed.store.call(ORG, calls[0].id).await.unwrap().unwrap().call;
    assert_eq!((row.started_at, row.ended_at), (Micros(0), Micros(LAST)), "the row keeps its times");
    let every = every_session(Filter::ALL);
    let check = async |more_calls: i64, more_us: i64| {
        let page = bed.store.sessions(ORG, &every).await.unwrap();
        let totals = page.rows[0].totals;
        assert_eq!((totals.calls, totals.latency_sum_us), (CALLS + more_calls, CALLS * MOST + more_us));
        assert!(totals.cost.0 >= CALLS * MOST && page.rows[0].busy_us >= MOST);
        let count = bed.store.session_count(ORG, &every).await.unwrap();
        assert_eq!((count.calls, count.latency_sum_us), (totals.calls, totals.latency_sum_us));
        let names = bed.store.session_names(ORG, "", &every).await.unwrap();
        assert_eq!(names[0].latency_sum_us, totals.latency_sum_us);
        bed.store.session_figures(ORG, &every).await.unwrap();
        bed.store.noticed_sessions(ORG, Window::default(), 5).await.unwrap();
        let matching = every_session(super::filters::property_is("k", "v"));
        let page = bed.store.sessions(ORG, &matching).await.unwrap();
        assert_eq!(page.rows[0].matching.unwrap().latency_sum_us, CALLS * MOST);
    };
    let mut tagged = calls.clone();
    for call in &mut tagged {
        bed.store.set_property(ORG, call.id, &super::sample::property("k", "v")).await.unwrap();
    }
    check(0, 0).await;
    bed.write(&[Exchange { session_name: Some("n".to_owned()), ..in_session("s", 1) }]).await;
    check(1, 1_000_000).await;
    super::figures::hours_equal_calls(&bed, ORG).await;
    let (paths, _) = bed.store.path_rows(ORG, &Filter::ALL, Window::default(), (10, None)).await.unwrap();
    assert_eq!(paths.iter().map(|row| row.time_us).max(), Some(CALLS * MOST));
    let users = UserQuery {
        filter: Filter::ALL,
        window: Window::default(),
        utc_offset_minutes: 0,
        sort: UserSort { by: UserSortKey::Id, descending: false },
        offset: 0,
        limit: 10,
    };
    let users = bed.store.users_page(ORG, &users).await.unwrap();
    assert_eq!(users.rows[0].cost.0, CALLS * MOST);

    assert_eq!(bed.store.delete_calls_before(ORG, Micros(T0)).await.unwrap(), tagged.len());
    let page = bed.store.sessions(ORG, &every).await.unwrap();
    assert_eq!((page.rows[0].totals.calls, page.rows[0].totals.latency_sum_us), (1, 1_000_000));
}

/// As an earlier version left them: on SQLite such a sum had become a floating-point number.
pub async fn too_large_sums_are_repaired(bed: Bed) {
    let calls: Vec<Exchange> = (0..CALLS).map(|_| absurd()).collect();
    bed.write(&calls).await;
    bed.write(&[call(), in_session("plain", 3)]).await;
    let every = every_session(Filter::ALL);
    let before = bed.store.sessions(ORG, &every).await.unwrap().rows;
    let (large, migration) = match bed.store.backend() {
        "postgres" => ("9100000000000000000", include_str!("../../../migrations/postgres/0010_bounded_sums.sql")),
        _ => ("1.0e19", include_str!("../../../migrations/sqlite/0010_bounded_sums.sql")),
    };
    bed.execute(format!(
        "UPDATE session SET latency_sum_us = {large}, cost = {large} WHERE session_key = 's'; \
         UPDATE call_hour SET latency_sum_us = {large}, cost = {large}, latency_max_us = {LAST}, latency_min_us = {LAST} \
         WHERE hour = 0"
    ))
    .await;
    bed.execute(migration).await;
    assert_eq!(bed.store.sessions(ORG, &every).await.unwrap().rows, before);
    super::figures::hours_equal_calls(&bed, ORG).await;
    // And once more changes nothing.
    bed.execute(migration).await;
    assert_eq!(bed.store.sessions(ORG, &every).await.unwrap().rows, before);
}
