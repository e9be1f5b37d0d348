//! What reads promise: pages, orders, tenancy, updates, keys.

use bytes::Bytes;
use trailgate::model::capture::{BodyFacts, Kept};
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::Filter;
use trailgate::model::id::{KeyId, OrgId, RequestId};
use trailgate::model::query::{KeyRow, Page, Rights, Sort, SortKey, Start, Window};
use trailgate::model::tags::Note;
use trailgate::model::units::Micros;

use super::filters::property_is;
use super::sample::{Random, SECOND, T0, body, call, in_session, property};
use super::{Bed, every_call, every_session};

const ORG: OrgId = OrgId::DEFAULT;

pub async fn bodies_come_back_exactly(bed: Bed) {
    let hostile: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    let mut one = call();
    one.request = body(hostile.clone());
    one.request.facts = BodyFacts {
        len: 1 << 40,
        kept: Kept::Truncated,
        content_encoding: Some("gzip".to_owned()),
        ..one.request.facts
    };
    one.response = body("");
    one.request_headers = [("x", "a\u{0}b")].into_iter().collect();
    one.notes = vec![Note::new("a.b", "a\u{0}b")];
    let two = Exchange { response: body("\\ud800 1e400"), ..call() };
    bed.write(&[one.clone(), two.clone()]).await;
    let bodies = bed.store.call_bodies(ORG, one.id).await.unwrap().unwrap();
    assert_eq!(bodies.request.bytes, Bytes::from(hostile));
    assert_eq!(bodies.request.facts, one.request.facts);
    assert!(bodies.response.bytes.is_empty());
    assert_eq!(bodies.request_headers, one.request_headers.lines());
    let both = bed.store.calls_bodies(ORG, &[two.id, RequestId::generate(), one.id]).await.unwrap();
    assert_eq!(both.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [two.id, one.id]);
    assert_eq!(both[0].1.response.bytes, two.response.bytes);
    let detail = bed.store.call(ORG, one.id).await.unwrap().unwrap();
    assert_eq!(detail.request_bytes, 1 << 40);
    assert_eq!(detail.notes, one.notes);
    assert_eq!(detail.call.usage, one.usage);
}

pub async fn pages_of_sessions(bed: Bed) {
    let mut batch = Vec::new();
    for i in 0..37_i64 {
        let mut call = in_session(&format!("s{i:02}"), i / 3);
        call.properties = vec![property("p", "v")];
        batch.push(call);
    }
    bed.write(&batch).await;
    for filter in [Filter::ALL, property_is("p", "v")] {
        let whole = bed.store.sessions(ORG, &every_session(filter.clone())).await.unwrap();
        assert_eq!((whole.rows.len(), whole.next.is_none()), (37, true));
        let mut seen = Vec::new();
        let mut query = every_session(filter.clone());
        query.page.limit = 5;
        loop {
            let page = bed.store.sessions(ORG, &query).await.unwrap();
            assert!(page.rows.len() <= 5);
            seen.extend(page.rows);
            let Some((at, id)) = page.next else { break };
            query.page.start = Start::After { at, id };
        }
        assert_eq!(seen, whole.rows, "by key");
        query.page.start = Start::Offset(35);
        let last = bed.store.sessions(ORG, &query).await.unwrap();
        assert_eq!((last.rows.as_slice(), last.next), (&whole.rows[35..], None), "by count");
    }
}

pub async fn pages_of_calls(bed: Bed) {
    let batch: Vec<Exchange> = (0..23_i64).map(|i| in_session("s", i / 4)).collect();
    bed.write(&batch).await;
    for descending in [true, false] {
        let mut query = every_call(Filter::ALL);
        query.sort.descending = descending;
        let whole: Vec<_> = bed.store.calls(ORG, &query).await.unwrap().into_iter().map(|c| c.call.id).collect();
        assert_eq!(whole.len(), 23);
        query.page = Page { limit: 4, start: Start::Offset(0) };
        let mut seen = Vec::new();
        loop {
            let page = bed.store.calls(ORG, &query).await.unwrap();
            let Some(last) = page.last() else { break };
            query.page.start = Start::After { at: last.call.started_at, id: last.call.id.to_string() };
            seen.extend(page.into_iter().map(|c| c.call.id));
        }
        assert_eq!(seen, whole);
    }
    let window = Window { from: Some(Micros(T0 + SECOND)), to: Some(Micros(T0 + 2 * SECOND)) };
    assert_eq!(bed.store.call_count(ORG, &Filter::ALL, window).await.unwrap(), 8);
    let in_order = bed.store.session_calls(ORG, "s", 100).await.unwrap();
    assert!(in_order.is_sorted_by_key(|c| (c.started_at, c.id)) && in_order.len() == 23);
    assert_eq!(bed.store.session_calls(ORG, "s", 3).await.unwrap().len(), 3);
}

pub async fn sorts_of_calls(bed: Bed) {
    let calls = Random::new(7).calls(80);
    bed.write(&calls).await;
    let keys = [
        SortKey::Latency,
        SortKey::TimeToFirstToken,
        SortKey::TotalTokens,
        SortKey::PromptTokens,
        SortKey::CompletionTokens,
        SortKey::UserId,
        SortKey::Model,
        SortKey::Cost,
        SortKey::Property("VERSION".to_owned()),
        SortKey::Property("helicone-session-id".to_owned()),
        SortKey::Random,
    ];
    for by in keys {
        for descending in [true, false] {
            let mut query = every_call(Filter::ALL);
            query.sort = Sort { by: by.clone(), descending };
            let rows = bed.store.calls(ORG, &query).await.unwrap();
            assert_eq!(rows.len(), 80, "{by:?}");
            let shown: Vec<String> = rows
                .iter()
                .filter_map(|c| {
                    let number = |n: i64| format!("{n:020}");
                    match &by {
                        SortKey::Latency => Some(number(c.call.ended_at - c.call.started_at)),
                        SortKey::TimeToFirstToken => c.call.first_byte_us.map(number),
                        SortKey::TotalTokens => c.call.usage.map(|u| number(u.input_tokens() + u.output_tokens())),
                        SortKey::PromptTokens => c.call.usage.map(|u| number(u.prompt_tokens)),
                        SortKey::CompletionTokens => c.call.usage.map(|u| number(u.completion_tokens)),
                        SortKey::UserId => c.call.user_id.clone(),
                        SortKey::Model => c.call.model.clone(),
                        SortKey::Cost => c.call.cost.map(|n| number(n.0)),
                        SortKey::Property(key) if key == "VERSION" => {
                            c.properties.iter().find(|p| p.key.to_lowercase() == "version").map(|p| p.value.clone())
                        }
                        SortKey::Property(_) => c.session_id.clone(),
                        SortKey::CreatedAt | SortKey::Random => None,
                    }
                })
                .collect();
            let sorted = if descending { shown.is_sorted_by(|a, b| a >= b) } else { shown.is_sorted() };
            assert!(sorted, "{by:?} {descending} {shown:?}");
        }
    }
}

pub async fn windows_search_and_names(bed: Bed) {
    let named = |id: &str, name: &str, at: i64| Exchange {
        session_name: Some(name.to_owned()),
        properties: vec![property("p", "v")],
        ..in_session(id, at)
    };
    bed.write(&[
        named("One-1", "Planner", 0),
        named("One-1", "", 100),
        named("two", "planner", 50),
        named("three%", "Ärger", 200),
        in_session("four", 300),
    ])
    .await;
    let ids = async |edit: &dyn Fn(&mut trailgate::model::query::SessionQuery)| {
        let mut query = every_session(Filter::ALL);
        edit(&mut query);
        let page = bed.store.sessions(ORG, &query).await.unwrap();
        let counted = bed.store.session_count(ORG, &query).await.unwrap();
        assert_eq!(counted.sessions, i64::try_from(page.rows.len()).unwrap());
        assert_eq!(bed.store.session_figures(ORG, &query).await.unwrap().len(), page.rows.len());
        page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let at = |s: i64| Some(Micros(T0 + s * SECOND));
    assert_eq!(ids(&|_| ()).await, ["four", "three%", "two", "One-1"]);
    assert_eq!(ids(&|q| q.window = Window { from: at(60), to: at(70) }).await, ["One-1"], "it overlaps");
    assert_eq!(ids(&|q| q.window = Window { from: at(101), to: at(101) }).await, ["One-1"], "both ends count");
    assert_eq!(ids(&|q| q.window = Window { from: None, to: at(50) }).await, ["two", "One-1"]);
    assert_eq!(ids(&|q| q.search = "ONE".to_owned()).await, ["One-1"]);
    assert_eq!(ids(&|q| q.search = "%".to_owned()).await, ["three%"], "literally");
    assert_eq!(ids(&|q| q.search = "äRG".to_owned()).await, ["three%"]);
    assert_eq!(ids(&|q| q.search = "PLAN".to_owned()).await, ["two", "One-1"]);
    assert_eq!(ids(&|q| q.name_equals = Some("planner".to_owned())).await, ["two"]);
    assert_eq!(ids(&|q| q.name_equals = Some(String::new())).await, ["four"]);
    let filtered = |q: &mut trailgate::model::query::SessionQuery| {
        q.filter = property_is("p", "v");
        q.window = Window { from: at(60), to: at(210) };
        q.search = "e".to_owned();
    };
    assert_eq!(ids(&filtered).await, ["three%", "One-1"]);

    let names = bed.store.session_names(ORG, "PLANNER", &every_session(Filter::ALL)).await.unwrap();
    let shown: Vec<_> = names.iter().map(|n| (n.name.as_str(), n.sessions, n.calls)).collect();
    assert_eq!(shown, [("Planner", 1, 2), ("planner", 1, 1)]);
    assert_eq!((names[0].first_at, names[0].last_at), (Micros(T0), Micros(T0 + 100 * SECOND)));
}

pub async fn updates(bed: Bed) {
    let one = Exchange { properties: vec![property("Env", "dev")], ..in_session("s", 0) };
    let two = Exchange { properties: vec![property("Env", "dev")], ..in_session("s", 1) };
    bed.write(&[one.clone(), two.clone()]).await;
    // Of the sessions with this value: the calls that have it, and all calls.
    let having = async |value: &str| {
        let page = bed.store.sessions(ORG, &every_session(property_is("env", value))).await.unwrap();
        page.rows.iter().map(|row| (row.matching.unwrap().calls, row.totals.calls)).collect::<Vec<_>>()
    };
    assert_eq!(having("dev").await, [(2, 2)]);
    assert!(bed.store.set_property(ORG, one.id, &property("ENV", "prod")).await.unwrap());
    assert_eq!(having("dev").await, [(1, 2)], "the other call still has the old value");
    assert_eq!(having("prod").await, [(1, 2)]);
    assert!(bed.store.set_property(ORG, two.id, &property("env", "prod")).await.unwrap());
    assert_eq!(having("dev").await, []);
    assert_eq!(having("prod").await, [(2, 2)]);
    assert!(!bed.store.set_property(ORG, RequestId::generate(), &property("env", "x")).await.unwrap());
    let keys = bed.store.property_keys(ORG).await.unwrap();
    assert_eq!(keys.iter().map(|k| k.key.as_str()).collect::<Vec<_>>(), ["Env"], "as first sent");
    assert_eq!(bed.store.property_values(ORG, "eNV", "RO", 10).await.unwrap(), ["prod"]);

    bed.write(&[Exchange { properties: vec![property("Env", "prod")], ..in_session("s", 2) }]).await;
    assert_eq!(having("prod").await, [(3, 3)]);
    bed.write(&[in_session("s", 3)]).await;
    assert_eq!(having("prod").await, [(3, 4)]);

    assert!(bed.store.set_score(ORG, one.id, "quality", 0.5).await.unwrap());
    assert!(bed.store.set_score(ORG, one.id, "quality", 0.75).await.unwrap());
    assert!(!bed.store.set_score(ORG, RequestId::generate(), "quality", 1.0).await.unwrap());
    assert!(bed.store.set_score(ORG, one.id, "quality", f64::NAN).await.is_err());
    let scores = bed.store.call(ORG, one.id).await.unwrap().unwrap().scores;
    assert_eq!(scores, [("quality".to_owned(), 0.75)]);

    assert_eq!(bed.store.session_tag(ORG, "s").await.unwrap(), Some(None));
    assert!(bed.store.set_session_tag(ORG, "s", "red").await.unwrap());
    assert!(bed.store.set_session_tag(ORG, "s", "blue").await.unwrap());
    assert!(!bed.store.set_session_tag(ORG, "nope", "blue").await.unwrap());
    assert_eq!(bed.store.session_tag(ORG, "s").await.unwrap(), Some(Some("blue".to_owned())));
    assert_eq!(bed.store.session(ORG, "s").await.unwrap().unwrap().tag.as_deref(), Some("blue"));
    assert!(bed.store.session(ORG, "nope").await.unwrap().is_none());

    assert!(bed.store.set_session_feedback(ORG, "s", true).await.unwrap());
    assert!(!bed.store.set_session_feedback(ORG, "nope", true).await.unwrap());
    let first = bed.store.call(ORG, one.id).await.unwrap().unwrap();
    assert!(first.properties.contains(&property("Helicone-Session-Feedback", "1")));
}

pub async fn another_organisation_sees_nothing(bed: Bed) {
    let other = bed.store.create_org("other").await.unwrap();
    assert_eq!(bed.store.org_by_name("other").await.unwrap(), Some(other));
    assert_eq!(bed.store.org_by_name("default").await.unwrap(), Some(ORG));
    let mine = Exchange { properties: vec![property("p", "v")], ..in_session("s", 0) };
    bed.write(std::slice::from_ref(&mine)).await;
    bed.store.set_session_tag(ORG, "s", "t").await.unwrap();
    let (store, all) = (&bed.store, Filter::ALL);
    for filter in [Filter::ALL, property_is("p", "v")] {
        assert!(store.sessions(other, &every_session(filter.clone())).await.unwrap().rows.is_empty());
        assert_eq!(store.session_count(other, &every_session(filter.clone())).await.unwrap().sessions, 0);
        assert!(store.session_names(other, "", &every_session(filter.clone())).await.unwrap().is_empty());
        assert!(store.session_figures(other, &every_session(filter.clone())).await.unwrap().is_empty());
        assert!(store.calls(other, &every_call(filter.clone())).await.unwrap().is_empty());
        assert_eq!(store.call_count(other, &filter, Window::default()).await.unwrap(), 0);
    }
    assert!(store.session(other, "s").await.unwrap().is_none());
    assert!(store.session_calls(other, "s", 10).await.unwrap().is_empty());
    assert!(store.session_tag(other, "s").await.unwrap().is_none());
    assert!(!store.set_session_tag(other, "s", "x").await.unwrap());
    assert!(!store.set_session_feedback(other, "s", true).await.unwrap());
    assert!(store.call(other, mine.id).await.unwrap().is_none());
    assert!(store.call_bodies(other, mine.id).await.unwrap().is_none());
    assert!(store.calls_bodies(other, &[mine.id]).await.unwrap().is_empty());
    assert!(!store.set_property(other, mine.id, &property("p", "x")).await.unwrap());
    assert!(!store.set_score(other, mine.id, "q", 1.0).await.unwrap());
    assert!(store.property_keys(other).await.unwrap().is_empty());
    assert!(store.property_values(other, "p", "", 10).await.unwrap().is_empty());
    assert!(store.keys(other).await.unwrap().is_empty());
    // The same ids in both organisations are two calls and two sessions.
    let theirs = Exchange { org: other, ..mine.clone() };
    assert_eq!(bed.write(&[theirs]).await.new, vec![(other, mine.id)]);
    assert_eq!(store.call_count(ORG, &all, Window::default()).await.unwrap(), 1);
    assert_eq!(store.session(ORG, "s").await.unwrap().unwrap().totals.calls, 1);
}

pub async fn keys(bed: Bed) {
    let row = |name: &str, rights| KeyRow {
        id: KeyId::generate(),
        org: ORG,
        name: name.to_owned(),
        rights,
        created_at: Micros(T0),
        revoked_at: None,
    };
    let store = &bed.store;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8_u8 {
        let (store, row) = (store.clone(), row("first", Rights::ALL));
        tasks.spawn(async move { store.insert_first_key(&row, &[n; 32]).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|made| *made).count(), 1);

    let write = Rights { write: true, ..Rights::NONE };
    let second = row("second", write);
    store.insert_key(&second, &[100; 32]).await.unwrap();
    assert!(store.insert_key(&row("again", write), &[100; 32]).await.is_err(), "a hash is there once");
    assert_eq!(store.key_by_hash(&[100; 32]).await.unwrap(), Some(second.clone()));
    assert_eq!(store.key_by_hash(&[101; 32]).await.unwrap(), None);
    assert!(store.revoke_key(ORG, second.id).await.unwrap());
    assert!(store.revoke_key(ORG, second.id).await.unwrap());
    assert!(!store.revoke_key(ORG, KeyId::generate()).await.unwrap());
    let other = store.create_org("other").await.unwrap();
    assert!(!store.revoke_key(other, second.id).await.unwrap());
    assert_eq!(store.key_by_hash(&[100; 32]).await.unwrap(), None);
    let listed = store.keys(ORG).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().any(|k| k.id == second.id && k.revoked_at.is_some()));

    let again = store.replace_key(&row("configured", Rights::ALL), &[100; 32]).await.unwrap();
    assert_eq!((again.id, again.rights, again.revoked_at), (second.id, Rights::ALL, None));
    assert_eq!(store.key_by_hash(&[100; 32]).await.unwrap().map(|k| k.id), Some(second.id));
    let fresh = row("fresh", write);
    assert_eq!(store.replace_key(&fresh, &[102; 32]).await.unwrap(), fresh);
    // The next of that name takes its place, and that of no other name nor organisation.
    let theirs = KeyRow { org: other, ..row("fresh", write) };
    store.insert_key(&theirs, &[103; 32]).await.unwrap();
    let next = row("fresh", write);
    assert_eq!(store.replace_key(&next, &[104; 32]).await.unwrap(), next);
    let valid = async |hash: u8| store.key_by_hash(&[hash; 32]).await.unwrap().is_some();
    assert_eq!((valid(100).await, valid(102).await, valid(103).await, valid(104).await), (true, false, true, true));
    // And back.
    assert_eq!(store.replace_key(&row("fresh", write), &[102; 32]).await.unwrap().id, fresh.id);
    assert_eq!((valid(102).await, valid(104).await), (true, false));
}
