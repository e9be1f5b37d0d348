//! Users against a model in memory: which calls are summed, which users are chosen, in which order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::{CallField, Field, Filter, NumberOp, Test, TextOp, UserField};
use trailgate::model::id::OrgId;
use trailgate::model::query::Window;
use trailgate::model::units::{Micros, NanoUsd};
use trailgate::model::user::{UserQuery, UserRow, UserSort, UserSortKey};

use super::filters::leaf;
use super::sample::{Random, SECOND, T0, call};
use super::{Bed, memory};

const ORG: OrgId = OrgId::DEFAULT;
const DAY: i64 = 86_400 * SECOND;

fn every_user(filter: Filter) -> UserQuery {
    UserQuery {
        filter,
        window: Window::default(),
        utc_offset_minutes: 0,
        sort: UserSort { by: UserSortKey::Id, descending: false },
        offset: 0,
        limit: 1_000,
    }
}

fn conjuncts(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

fn names_user(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(names_user),
        Filter::Leaf(leaf) => matches!(leaf.field, Field::User(_)),
    }
}

fn sums(id: &str, calls: &[&Exchange], shift_us: i64) -> UserRow {
    let usages = || calls.iter().filter_map(|c| c.usage);
    UserRow {
        id: id.to_owned(),
        first_at: calls.iter().map(|c| c.started_at).min().unwrap(),
        last_at: calls.iter().map(|c| c.started_at).max().unwrap(),
        active_days: calls
            .iter()
            .map(|c| (c.started_at.0 + shift_us) / DAY)
            .collect::<BTreeSet<_>>()
            .len()
            .try_into()
            .unwrap(),
        calls: calls.len().try_into().unwrap(),
        prompt_tokens: usages().map(|u| u.prompt_tokens).sum(),
        completion_tokens: usages().map(|u| u.completion_tokens).sum(),
        tokens: usages().map(|u| u.input_tokens() + u.output_tokens()).sum(),
        cost: NanoUsd(calls.iter().filter_map(|c| c.cost.as_ref()).map(|c| c.amount.0).sum()),
    }
}

fn holds(filter: &Filter, call: &Exchange, user: &UserRow) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| holds(part, call, user)),
        Filter::Or(parts) => parts.iter().any(|part| holds(part, call, user)),
        Filter::Leaf(leaf) => {
            let Field::User(field) = &leaf.field else { return memory::passes(filter, call, None) };
            use UserField as F;
            let number = match field {
                F::UserId => panic!("the parser makes it a call's"),
                F::FirstActive | F::LastActive => {
                    let at = if *field == F::FirstActive { user.first_at } else { user.last_at };
                    let Test::Time(op, wanted) = &leaf.test else { panic!("an instant") };
                    let at = if wanted.0 % 1_000 == 0 { at.0 - at.0 % 1_000 } else { at.0 };
                    return memory::ordered(*op, at.cmp(&wanted.0));
                }
                F::ActiveFor => user.active_days as f64,
                F::TotalRequests => user.calls as f64,
                F::AverageRequestsPerDayActive => user.calls as f64 / user.active_days as f64,
                F::AverageTokensPerRequest => user.tokens as f64 / user.calls as f64,
                F::TotalCompletionTokens => user.completion_tokens as f64,
                F::TotalPromptTokens => user.prompt_tokens as f64,
                F::Cost => user.cost.usd(),
            };
            let Test::Number(op, wanted) = &leaf.test else { panic!("a number") };
            memory::ordered(*op, number.total_cmp(wanted))
        }
    }
}

/// Users by id.
fn expected(calls: &[Exchange], query: &UserQuery) -> Vec<UserRow> {
    let (tested, on_calls): (Vec<&Filter>, Vec<&Filter>) =
        conjuncts(&query.filter).into_iter().partition(|part| names_user(part));
    let mut groups: BTreeMap<String, Vec<&Exchange>> = BTreeMap::new();
    for call in calls {
        let user = call.user_id.as_deref().map(memory::stored).unwrap_or_default();
        let within = query.window.from.is_none_or(|from| call.started_at >= from)
            && query.window.to.is_none_or(|to| call.started_at <= to);
        if !user.is_empty() && within && on_calls.iter().all(|part| memory::passes(part, call, None)) {
            groups.entry(user).or_default().push(call);
        }
    }
    let mut rows = Vec::new();
    for (id, calls) in groups {
        let row = sums(&id, &calls, query.utc_offset_minutes * 60 * SECOND);
        // Conditions on sums alone need no call; what mixes both needs one for which all of it holds.
        if calls.iter().any(|call| tested.iter().all(|part| holds(part, call, &row))) {
            rows.push(row);
        }
    }
    rows
}

fn any_filter() -> impl Strategy<Value = Filter> {
    use UserField as F;
    let ops = vec![NumberOp::Equals, NumberOp::NotEquals, NumberOp::Gte, NumberOp::Lte, NumberOp::Gt, NumberOp::Lt];
    let ops = prop::sample::select(ops);
    let fields = vec![
        F::ActiveFor,
        F::TotalRequests,
        F::AverageRequestsPerDayActive,
        F::AverageTokensPerRequest,
        F::TotalCompletionTokens,
        F::TotalPromptTokens,
        F::Cost,
    ];
    let numbers = prop::sample::select(vec![0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 9.0, 12.0, 30.0]);
    let sums = (prop::sample::select(fields), ops.clone(), numbers)
        .prop_map(|(field, op, n)| leaf(Field::User(field), Test::Number(op, n)));
    let times = (prop::sample::select(vec![F::FirstActive, F::LastActive]), ops, 0_i64..40)
        .prop_map(|(field, op, at)| leaf(Field::User(field), Test::Time(op, Micros(T0 + at * SECOND / 2))));
    let statuses = prop::sample::select(vec![200.0, 404.0, 500.0])
        .prop_map(|n| leaf(Field::Call(CallField::Status), Test::Number(NumberOp::Equals, n)));
    let texts = prop::sample::select(vec![
        (Field::Property("Version".to_owned()), TextOp::Contains, "a"),
        (Field::Call(CallField::UserId), TextOp::Equals, "a"),
        (Field::Call(CallField::Model), TextOp::NotContains, "A"),
        (Field::Call(CallField::Kind), TextOp::Equals, "llm"),
    ])
    .prop_map(|(field, op, term)| leaf(field, Test::Text(op, term.to_owned())));
    prop_oneof![3 => sums, 1 => times, 1 => statuses, 2 => texts].prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::And),
            1 => prop::collection::vec(inner, 1..4).prop_map(Filter::Or),
        ]
    })
}

pub async fn equal_the_model(bed: Bed) {
    let mut random = Random::new(61);
    let mut calls = random.calls(150);
    for (n, call) in calls.iter_mut().enumerate() {
        // Over some days, so that there are days to count.
        let days = DAY / 3 * i64::try_from(n % 7).unwrap();
        call.started_at = call.started_at.plus_us(days);
        call.ended_at = call.ended_at.plus_us(days);
    }
    bed.write(&calls).await;
    for round in 0..150 {
        let mut query = every_user(random.pick(&any_filter()));
        query.utc_offset_minutes = i64::from(round % 3) * 400 - 400;
        if round % 4 == 0 {
            query.window = Window { from: Some(Micros(T0 + DAY / 2)), to: Some(Micros(T0 + 2 * DAY)) };
        }
        let wanted = expected(&calls, &query);
        let page = bed.store.users_page(ORG, &query).await.unwrap();
        assert_eq!(page.rows, wanted, "{query:?}");
        assert_eq!(usize::try_from(page.count).unwrap(), wanted.len());
        let mut figures = bed.store.user_figures(ORG, &query).await.unwrap();
        let mut of_rows: Vec<_> = wanted.iter().map(|row| (row.calls, row.cost)).collect();
        figures.sort_unstable();
        of_rows.sort_unstable();
        assert_eq!(figures, of_rows);
    }
}

pub async fn orders_and_pages(bed: Bed) {
    assert!(!bed.store.has_users(ORG).await.unwrap());
    let calls = Random::new(62).calls(120);
    bed.write(&calls).await;
    assert!(bed.store.has_users(ORG).await.unwrap());
    assert!(!bed.store.has_users(OrgId(uuid::Uuid::from_u128(9))).await.unwrap());
    let all = expected(&calls, &every_user(Filter::ALL));
    type Key = fn(&UserRow) -> f64;
    let keys: [(UserSortKey, Key); 9] = [
        (UserSortKey::ActiveFor, |u| u.active_days as f64),
        (UserSortKey::FirstActive, |u| u.first_at.0 as f64),
        (UserSortKey::LastActive, |u| u.last_at.0 as f64),
        (UserSortKey::Calls, |u| u.calls as f64),
        (UserSortKey::CallsPerDay, UserRow::calls_per_day),
        (UserSortKey::TokensPerCall, UserRow::tokens_per_call),
        (UserSortKey::PromptTokens, |u| u.prompt_tokens as f64),
        (UserSortKey::CompletionTokens, |u| u.completion_tokens as f64),
        (UserSortKey::Cost, |u| u.cost.0 as f64),
    ];
    for (by, key) in keys {
        for descending in [true, false] {
            let mut wanted = all.clone();
            wanted.sort_by(|a, b| {
                let order = key(a).total_cmp(&key(b));
                (if descending { order.reverse() } else { order }).then_with(|| a.id.cmp(&b.id))
            });
            let mut query = every_user(Filter::ALL);
            query.sort = UserSort { by, descending };
            query.limit = 4;
            let mut seen = Vec::new();
            loop {
                query.offset = seen.len().try_into().unwrap();
                let page = bed.store.users_page(ORG, &query).await.unwrap();
                assert_eq!(usize::try_from(page.count).unwrap(), all.len());
                if page.rows.is_empty() {
                    break;
                }
                seen.extend(page.rows);
            }
            assert_eq!(seen, wanted, "{by:?} {descending}");
        }
    }
}

pub async fn tenants_do_not_mix(bed: Bed) {
    let other = OrgId(uuid::Uuid::from_u128(7));
    let of = |org| Exchange { org, user_id: Some("u".to_owned()), ..call() };
    bed.write(&[of(ORG), of(other), of(other)]).await;
    let mixed = Filter::Or(vec![
        leaf(Field::User(UserField::TotalRequests), Test::Number(NumberOp::Gte, 2.0)),
        leaf(Field::Call(CallField::Status), Test::Number(NumberOp::Equals, 200.0)),
    ]);
    for filter in [Filter::ALL, mixed] {
        let page = bed.store.users_page(ORG, &every_user(filter)).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.calls).collect::<Vec<_>>(), [1]);
    }
}
