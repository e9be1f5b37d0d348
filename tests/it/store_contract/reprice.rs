//! Pricing again: rows and the sessions' sums change together, once, however often and by however many it is done.

use std::collections::BTreeMap;

use trailgate::model::exchange::{Cost, CostSource, Exchange, Usage};
use trailgate::model::filter::Filter;
use trailgate::model::id::{OrgId, RequestId};
use trailgate::model::query::{GroupBy, NewPrice};
use trailgate::model::session::SessionRow;
use trailgate::model::units::{Micros, NanoUsd};

use super::sample::{Random, T0, in_session};
use super::{Bed, every_session, memory};

const FIRST: (Micros, RequestId) = (Micros(0), RequestId(uuid::Uuid::nil()));

/// What the `n`-th call gets: every third has no price, every second another usage.
fn new_price(n: usize, old: &NewPrice) -> NewPrice {
    let n = i64::try_from(n).unwrap();
    let mut price = old.clone();
    price.cost = (n % 3 != 0).then_some(NanoUsd(n * 1_000));
    price.cost_source = price.cost.map(|_| "overlay".to_owned());
    price.price_version = price.cost.map(|_| "overlay 1".to_owned());
    if n % 2 == 0 {
        let usage = Usage { prompt_tokens: n, prompt_image_tokens: 7, web_searches: 3, ..Usage::default() };
        price.usage = Some(usage);
        price.usage_source = Some("reported".to_owned());
        price.usage_missing = None;
    }
    price
}

async fn stored_sessions(bed: &Bed, org: OrgId) -> BTreeMap<String, SessionRow> {
    let page = bed.store.sessions(org, &every_session(Filter::ALL)).await.unwrap();
    page.rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

pub async fn sums_follow_new_prices(bed: Bed) {
    let org = bed.store.create_org("o").await.unwrap();
    let mut calls = Random::new(42).calls(80);
    for (n, call) in calls.iter_mut().enumerate() {
        call.org = org;
        // Folded already: the calls themselves are grouped by what was sent.
        call.session_path = Some(["/plan", "/plan/step/:n", "/act"][n % 3].to_owned());
    }
    bed.write(&calls).await;
    assert_eq!(stored_sessions(&bed, org).await, memory::sessions(&calls));

    let found = bed.store.calls_to_price(org, FIRST, 1_000).await.unwrap();
    let mut by_id: BTreeMap<uuid::Uuid, &mut Exchange> = calls.iter_mut().map(|c| (c.id.0, c)).collect();
    let mut prices = Vec::new();
    for (n, call) in found.iter().enumerate() {
        let price = new_price(n, &call.price);
        let row = by_id.get_mut(&call.id.0).unwrap();
        assert_eq!((call.price.usage, call.price.cost), (row.usage, row.cost.as_ref().map(|cost| cost.amount)));
        row.usage = price.usage;
        row.cost = price.cost.map(|amount| Cost { amount, source: CostSource::Overlay, price_version: String::new() });
        prices.push((call.id, price));
    }
    assert!(found.len() > 10 && found.windows(2).all(|two| two[0].started_at <= two[1].started_at));

    // Two at once, and once more: the sums gain what changed, once.
    let other = bed.store.clone();
    let same = prices.clone();
    let mut twin = tokio::task::JoinSet::new();
    twin.spawn(async move { other.set_prices(org, &same).await.unwrap() });
    bed.store.set_prices(org, &prices).await.unwrap();
    twin.join_all().await;
    bed.store.set_prices(org, &prices).await.unwrap();
    assert_eq!(stored_sessions(&bed, org).await, memory::sessions(&calls));
    super::figures::hours_equal_calls(&bed, org).await;
    let again = bed.store.calls_to_price(org, FIRST, 1_000).await.unwrap();
    assert!(again.iter().zip(&prices).all(|(call, (id, price))| call.id == *id && call.price == *price));
}

/// Rows by path that an early migration made are not folded; they gain what their calls do.
pub async fn unfolded_paths_follow(bed: Bed) {
    let org = bed.store.create_org("o").await.unwrap();
    let path = |n: i64| Some(format!("/plan/step/{}", n % 2));
    let calls: Vec<Exchange> =
        (0..6).map(|n| Exchange { org, session_path: path(n), ..in_session("s", n * 3_600) }).collect();
    bed.write(&calls).await;
    bed.execute("UPDATE call_hour SET value = '/plan/step/0' WHERE dim = 5 AND (hour / 3600000000) % 2 = 0").await;
    bed.execute("UPDATE call_hour SET value = '/plan/step/1' WHERE dim = 5 AND value = '/plan/step/:n'").await;
    // One of them has the sent path of no call in that hour: an even and an odd call alternate with the hours.
    let prices: Vec<(RequestId, NewPrice)> = {
        let found = bed.store.calls_to_price(org, FIRST, 100).await.unwrap();
        found.iter().enumerate().map(|(n, call)| (call.id, new_price(n + 1, &call.price))).collect()
    };
    bed.store.set_prices(org, &prices).await.unwrap();
    let sums = async |group| {
        let rows = super::figures::by_the_hour(&bed, org, group).await;
        rows.into_iter().fold((0, 0, 0), |(cost, unpriced, tokens), row| {
            let figures = row.figures;
            (cost + figures.cost.0, unpriced + figures.unpriced, tokens + figures.input_tokens)
        })
    };
    assert_eq!(sums(GroupBy::Path).await, sums(GroupBy::None).await);
}

pub async fn pages_end_and_other_organisations_stay(bed: Bed) {
    let mine: Vec<Exchange> = (0..5).map(|n| in_session("s", n)).collect();
    bed.write(&mine).await;
    let other = bed.store.create_org("other").await.unwrap();
    assert!(bed.store.orgs().await.unwrap().contains(&other));
    let mut seen = Vec::new();
    let mut last = (Micros(T0), RequestId(uuid::Uuid::max()));
    loop {
        let page = bed.store.calls_to_price(OrgId::DEFAULT, last, 2).await.unwrap();
        let Some(end) = page.last() else { break };
        last = (end.started_at, end.id);
        seen.extend(page.into_iter().map(|call| call.id));
    }
    assert_eq!(seen, mine[1..].iter().map(|call| call.id).collect::<Vec<_>>(), "those after the first instant");
    // Another organisation neither sees nor changes them.
    assert!(bed.store.calls_to_price(other, FIRST, 10).await.unwrap().is_empty());
    let before = stored_sessions(&bed, OrgId::DEFAULT).await;
    bed.store.set_prices(other, &[(mine[0].id, NewPrice::default())]).await.unwrap();
    assert_eq!(stored_sessions(&bed, OrgId::DEFAULT).await, before);
}
