//! Filters that look into bodies: equal to the model whatever they are mixed with, in every order, page by page, and never a
//! part of the truth.

use std::collections::BTreeSet;
use std::time::Duration;

use trailgate::model::exchange::Exchange;
use trailgate::model::filter::{CallField, Field, Filter, SessionField, Test, TextOp};
use trailgate::model::id::OrgId;
use trailgate::model::query::{Sort, SortKey, Start};
use trailgate::store::{Store, StoreError, StoreOptions};

use super::filters::{World, any_filter_of_bodies, leaf, property_is};
use super::sample::{Random, body, call, in_session, property};
use super::{Bed, every_call, every_session};

const ORG: OrgId = OrgId::DEFAULT;

fn request(op: TextOp, term: &str) -> Filter {
    leaf(Field::Call(CallField::RequestBody), Test::Text(op, term.to_owned()))
}

pub async fn equal_the_model(bed: Bed) {
    let world = World::new(&bed, 51).await;
    let mut random = Random::new(52);
    for _ in 0..200 {
        let filter = random.pick(&any_filter_of_bodies());
        world.check_calls(&bed, &filter).await;
        world.check_sessions(&bed, &filter).await;
    }
}

/// More calls than one batch of candidates, so that a page needs several, with a match here and there.
pub async fn pages(bed: Bed) {
    let mut batch = Vec::new();
    for i in 0..700_i64 {
        let text = if i % 9 == 0 { "here is the Needle" } else { "hay" };
        batch.push(Exchange {
            request: body(text),
            properties: vec![property("p", if i % 2 == 0 { "even" } else { "odd" })],
            ..in_session(&format!("s{:03}", i / 7), i / 3)
        });
    }
    bed.write(&batch).await;
    let needle = request(TextOp::Contains, "needle");
    for filter in [needle.clone(), Filter::And(vec![property_is("P", "even"), needle.clone()])] {
        let wanted: BTreeSet<_> = batch
            .iter()
            .filter(|c| c.request.bytes.len() > 3 && (filter == needle || c.properties[0].value == "even"))
            .map(|c| c.id)
            .collect();
        for by in [SortKey::CreatedAt, SortKey::Latency, SortKey::Random] {
            for descending in [true, false] {
                let mut query = every_call(filter.clone());
                query.sort = Sort { by: by.clone(), descending };
                let whole = bed.store.calls(ORG, &query).await.unwrap();
                assert_eq!(whole.iter().map(|c| c.call.id).collect::<BTreeSet<_>>(), wanted);
                if by == SortKey::Random {
                    continue;
                }
                query.page.limit = 10;
                let mut seen = Vec::new();
                loop {
                    query.page.start = Start::Offset(i64::try_from(seen.len()).unwrap());
                    let page = bed.store.calls(ORG, &query).await.unwrap();
                    if page.is_empty() {
                        break;
                    }
                    seen.extend(page.into_iter().map(|c| c.call.id));
                }
                assert_eq!(seen, whole.iter().map(|c| c.call.id).collect::<Vec<_>>(), "{by:?} by count");
            }
        }
        let whole = bed.store.sessions(ORG, &every_session(filter.clone())).await.unwrap();
        assert!(whole.rows.len() > 30 && whole.next.is_none());
        let matching: i64 = whole.rows.iter().filter_map(|row| row.matching).map(|m| m.calls).sum();
        assert_eq!(usize::try_from(matching).unwrap(), wanted.len());
        let mut query = every_session(filter.clone());
        query.page.limit = 7;
        let mut seen = Vec::new();
        loop {
            let page = bed.store.sessions(ORG, &query).await.unwrap();
            seen.extend(page.rows);
            let Some((at, id)) = page.next else { break };
            query.page.start = Start::After { at, id };
        }
        assert_eq!(seen, whole.rows, "by key");
        query.page.start = Start::Offset(5);
        assert_eq!(bed.store.sessions(ORG, &query).await.unwrap().rows, whole.rows[5..12], "by count");
        let count = bed.store.session_count(ORG, &query).await.unwrap();
        assert_eq!(count.calls, whole.rows.iter().map(|row| row.totals.calls).sum::<i64>());
        assert_eq!(count.cost.0, whole.rows.iter().map(|row| row.totals.cost.0).sum::<i64>());
        let figures = bed.store.session_figures(ORG, &query).await.unwrap();
        assert_eq!(figures.len(), whole.rows.len());
    }
}

pub async fn names(bed: Bed) {
    let named = |session: &str, name: &str, at: i64, text: &str| Exchange {
        session_name: Some(name.to_owned()),
        request: body(text),
        ..in_session(session, at)
    };
    bed.write(&[
        named("a", "Alpha", 0, "x"),
        named("b", "Alpha", 5, "y"),
        named("c", "Beta", 9, "x"),
        named("d", "Alpha", 3, "x"),
    ])
    .await;
    let query = every_session(request(TextOp::Equals, "x"));
    let of = async |contains| {
        let rows = bed.store.session_names(ORG, contains, &query).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.sessions, row.calls)).collect::<Vec<_>>()
    };
    let (alpha, beta) = (("Alpha".to_owned(), 2, 2), ("Beta".to_owned(), 1, 1));
    assert_eq!(of("").await, [beta, alpha.clone()]);
    assert_eq!(of("ALPH").await, [alpha]);
}

pub async fn another_organisation_is_not_searched(bed: Bed) {
    let other = OrgId(uuid::Uuid::from_u128(7));
    let mine = call();
    bed.write(&[mine.clone(), Exchange { org: other, ..call() }]).await;
    let filter = request(TextOp::Contains, "gpt");
    let rows = bed.store.calls(ORG, &every_call(filter.clone())).await.unwrap();
    assert_eq!(rows.iter().map(|c| c.call.id).collect::<Vec<_>>(), [mine.id]);
    assert_eq!(bed.store.call_count(other, &filter, Default::default()).await.unwrap(), 1);
    assert_eq!(bed.store.call_count(OrgId(uuid::Uuid::from_u128(8)), &filter, Default::default()).await.unwrap(), 0);
}

/// A search that cannot be finished in its time says so and answers nothing.
pub async fn too_much_is_an_error(bed: Bed) {
    bed.write(&[Exchange { request: body("a".repeat(16 << 20)), ..in_session("s", 0) }]).await;
    let options = StoreOptions { statement_timeout: Duration::from_secs(2), ..bed.options.clone() };
    let store = Store::open(&options).await.unwrap();
    let filter = request(TextOp::Like, &format!("%{}b", "a".repeat(4_000)));
    let calls = store.calls(ORG, &every_call(filter.clone())).await;
    assert!(matches!(calls, Err(StoreError::TooBroad { looked_at: 1 })), "{calls:?}");
    let tested = Field::Session(SessionField::TotalRequests);
    let either = Filter::Or(vec![filter, leaf(tested, Test::Number(trailgate::model::filter::NumberOp::Equals, 1.0))]);
    // What the database can tell alone needs no body.
    assert_eq!(store.sessions(ORG, &every_session(either)).await.unwrap().rows.len(), 1);
}
