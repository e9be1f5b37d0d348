//! Filters against the model in memory.

use std::collections::BTreeSet;

use proptest::prelude::*;
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::{CallField, Field, Filter, Leaf, NumberOp, SessionField, Test, TextOp};
use trailgate::model::id::OrgId;
use trailgate::model::query::Window;
use trailgate::model::units::Micros;

use super::sample::{Random, SECOND, T0, call, in_session, property, text};
use super::{Bed, every_call, every_session, memory};

const ORG: OrgId = OrgId::DEFAULT;

pub fn leaf(field: Field, test: Test) -> Filter {
    Filter::Leaf(Leaf { field, test })
}

pub fn property_is(key: &str, value: &str) -> Filter {
    leaf(Field::Property(key.to_owned()), Test::Text(TextOp::Equals, value.to_owned()))
}

const TEXT_OPS: [TextOp; 6] =
    [TextOp::Equals, TextOp::NotEquals, TextOp::Like, TextOp::ILike, TextOp::Contains, TextOp::NotContains];
const NUMBER_OPS: [NumberOp; 6] =
    [NumberOp::Equals, NumberOp::NotEquals, NumberOp::Gte, NumberOp::Lte, NumberOp::Gt, NumberOp::Lt];

fn text_fields() -> Vec<Field> {
    use CallField as F;
    let columns = [
        F::Provider,
        F::Model,
        F::UserId,
        F::Path,
        F::SessionId,
        F::SessionName,
        F::SessionPath,
        F::Kind,
        F::Outcome,
        F::CountryCode,
        F::Id,
        F::RequestBody,
        F::ResponseBody,
    ];
    let keys =
        ["VERSION", "strasse", "STRAßE", "b", "Helicone-Session-Id", "helicone-session-name", "helicone-session-path"];
    let sessions = [SessionField::Id, SessionField::Name, SessionField::Outcome, SessionField::Tag];
    let mut fields: Vec<Field> = columns.into_iter().map(Field::Call).collect();
    fields.extend(keys.into_iter().map(|key| Field::Property(key.to_owned())));
    fields.extend(sessions.into_iter().map(Field::Session));
    fields.push(Field::PropertyKey);
    fields
}

fn number_fields() -> Vec<Field> {
    use CallField as F;
    use SessionField as S;
    let columns = [
        F::Status,
        F::Latency,
        F::TimeToFirstToken,
        F::Cost,
        F::PromptTokens,
        F::CompletionTokens,
        F::InputTokens,
        F::OutputTokens,
        F::TotalTokens,
        F::ToolCalls,
    ];
    let sessions =
        [S::TotalCost, S::TotalTokens, S::PromptTokens, S::CompletionTokens, S::TotalRequests, S::Errors, S::WallTime];
    columns.into_iter().map(Field::Call).chain(sessions.into_iter().map(Field::Session)).collect()
}

fn flag_fields() -> Vec<Field> {
    [CallField::Error, CallField::Streamed, CallField::Threat, CallField::Cached].into_iter().map(Field::Call).collect()
}

fn time_fields() -> Vec<Field> {
    vec![
        Field::Call(CallField::CreatedAt),
        Field::Call(CallField::ResponseCreatedAt),
        Field::Session(SessionField::CreatedAt),
        Field::Session(SessionField::LatestRequestCreatedAt),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let known = ["version", "s1", "S", "s2", "llm", "success", "error", "TIMEOUT", "STRASSE", "straße", "%rs%", "_1"];
    prop_oneof![3 => text(), 1 => prop::sample::select(known.to_vec()).prop_map(str::to_owned)]
}

fn number() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0, 1.0, 2.0, 2.5, 3.0, 5.0, 200.0, 404.0, 1_000.0, 3_000.0, -3.0, 6.1, 1e18, -1e300, 1e300,
    ])
}

fn any_leaf() -> impl Strategy<Value = Filter> {
    let texts = (prop::sample::select(text_fields()), prop::sample::select(TEXT_OPS.to_vec()), term())
        .prop_map(|(field, op, term)| leaf(field, Test::Text(op, term)));
    let nulls = (
        prop::sample::select(vec![CallField::Model, CallField::UserId, CallField::SessionName, CallField::RequestBody]),
        any::<bool>(),
    )
        .prop_map(|(field, null)| leaf(Field::Call(field), Test::IsNull(null)));
    let numbers = (prop::sample::select(number_fields()), prop::sample::select(NUMBER_OPS.to_vec()), number())
        .prop_map(|(field, op, n)| leaf(field, Test::Number(op, n)));
    let flags = (prop::sample::select(flag_fields()), any::<bool>()).prop_map(|(field, b)| leaf(field, Test::Bool(b)));
    let times = (prop::sample::select(time_fields()), prop::sample::select(NUMBER_OPS.to_vec()), 0_i64..40, 0_i64..3)
        .prop_map(|(field, op, at, us)| leaf(field, Test::Time(op, Micros(T0 + at * SECOND / 2 + us))));
    prop_oneof![6 => texts, 1 => nulls, 3 => numbers, 1 => flags, 2 => times]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    any_leaf().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner, 0..4).prop_map(Filter::Or),
        ]
    })
}

/// Filters of which most conditions look into bodies.
pub fn any_filter_of_bodies() -> impl Strategy<Value = Filter> {
    let side = prop::sample::select(vec![CallField::RequestBody, CallField::ResponseBody]);
    let texts = (side.clone(), prop::sample::select(TEXT_OPS.to_vec()), term())
        .prop_map(|(side, op, term)| leaf(Field::Call(side), Test::Text(op, term)));
    let nulls = (side, any::<bool>()).prop_map(|(side, null)| leaf(Field::Call(side), Test::IsNull(null)));
    prop_oneof![6 => texts, 1 => nulls, 4 => any_leaf()].prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner, 0..4).prop_map(Filter::Or),
        ]
    })
}

pub struct World {
    pub calls: Vec<Exchange>,
    pub sessions: std::collections::BTreeMap<String, trailgate::model::session::SessionRow>,
}

impl World {
    pub async fn new(bed: &Bed, seed: u8) -> Self {
        let calls = Random::new(seed).calls(120);
        bed.write(&calls).await;
        let mut sessions = memory::sessions(&calls);
        if let Some(tagged) = sessions.get_mut("s1") {
            bed.store.set_session_tag(ORG, "s1", "ab").await.unwrap();
            tagged.tag = Some("ab".to_owned());
        }
        Self { calls, sessions }
    }

    pub fn passing(&self, filter: &Filter) -> Vec<&Exchange> {
        self.calls.iter().filter(|c| memory::passes(filter, c, self.session_of(c))).collect()
    }

    fn session_of(&self, call: &Exchange) -> Option<&trailgate::model::session::SessionRow> {
        call.session_id.as_ref().and_then(|id| self.sessions.get(id))
    }

    pub async fn check_calls(&self, bed: &Bed, filter: &Filter) {
        let wanted: BTreeSet<_> = self.passing(filter).iter().map(|c| c.id).collect();
        let rows = bed.store.calls(ORG, &every_call(filter.clone())).await.unwrap();
        let found: BTreeSet<_> = rows.iter().map(|c| c.call.id).collect();
        assert_eq!(found.len(), rows.len(), "no call twice");
        assert_eq!(found, wanted, "{filter:?}");
        let count = bed.store.call_count(ORG, filter, Window::default()).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), wanted.len());
    }

    pub async fn check_sessions(&self, bed: &Bed, filter: &Filter) {
        let passing = self.passing(filter);
        let mut wanted: Vec<_> = self
            .sessions
            .values()
            .filter_map(|row| {
                let of_it = passing.iter().filter(|c| c.session_id.as_ref() == Some(&row.id));
                let matching = memory::totals(of_it.copied());
                let named = format!("{filter:?}").replace("field: Session", "").contains("field: ");
                (matching.calls > 0).then(|| trailgate::model::session::SessionRow {
                    matching: named.then_some(matching),
                    ..row.clone()
                })
            })
            .collect();
        wanted.sort_by(|a, b| (b.first_at, &b.id).cmp(&(a.first_at, &a.id)));
        let page = bed.store.sessions(ORG, &every_session(filter.clone())).await.unwrap();
        assert_eq!(page.rows, wanted, "{filter:?}");
        let count = bed.store.session_count(ORG, &every_session(filter.clone())).await.unwrap();
        assert_eq!(usize::try_from(count.sessions).unwrap(), wanted.len());
    }
}

pub async fn calls_equal_the_model(bed: Bed) {
    let world = World::new(&bed, 21).await;
    let mut random = Random::new(22);
    for _ in 0..250 {
        world.check_calls(&bed, &random.pick(&any_filter())).await;
    }
}

pub async fn sessions_equal_the_model(bed: Bed) {
    let world = World::new(&bed, 31).await;
    let mut random = Random::new(32);
    for _ in 0..250 {
        world.check_sessions(&bed, &random.pick(&any_filter())).await;
    }
}

/// Sessions among which far more calls of others have the property than their own.
pub async fn matching_in_a_crowd(bed: Bed) {
    let with = |session: &str, at: i64, value: &str| Exchange {
        properties: vec![property("p", value)],
        ..in_session(session, at)
    };
    let mut batch = vec![with("s", 0, "v"), with("s", 100, "v"), with("s", 200, "w"), with("t", 50, "v")];
    batch.extend((0..700).map(|at| with("crowd", at % 200, "v")));
    bed.write(&batch).await;
    let own = |id: &str| leaf(Field::Session(SessionField::Id), Test::Text(TextOp::Equals, id.to_owned()));
    let few = Filter::And(vec![property_is("P", "v"), Filter::Or(vec![own("s"), own("t")])]);
    for (filter, wanted) in
        [(few, vec![("t", 1), ("s", 2)]), (property_is("P", "v"), vec![("t", 1), ("crowd", 700), ("s", 2)])]
    {
        let page = bed.store.sessions(ORG, &every_session(filter)).await.unwrap();
        let found: BTreeSet<_> = page.rows.iter().map(|row| (row.id.as_str(), row.matching.unwrap().calls)).collect();
        assert_eq!(found, wanted.into_iter().collect());
    }
}

pub async fn every_operator_on_every_type(bed: Bed) {
    let world = World::new(&bed, 41).await;
    let mut random = Random::new(42);
    let mut filters = Vec::new();
    for field in text_fields() {
        for op in TEXT_OPS {
            filters.push(leaf(field.clone(), Test::Text(op, random.pick(&term()))));
            filters.push(leaf(field.clone(), Test::Text(op, String::new())));
        }
    }
    for field in number_fields() {
        for op in NUMBER_OPS {
            filters.push(leaf(field.clone(), Test::Number(op, random.pick(&number()))));
            filters.push(leaf(field.clone(), Test::Number(op, 0.0)));
        }
    }
    for field in flag_fields() {
        filters.extend([true, false].map(|flag| leaf(field.clone(), Test::Bool(flag))));
    }
    for field in time_fields() {
        for op in NUMBER_OPS {
            // An instant that some row has.
            let at = if field == Field::Call(CallField::ResponseCreatedAt) {
                world.calls[3].ended_at
            } else {
                world.calls[3].started_at
            };
            filters.push(leaf(field.clone(), Test::Time(op, at)));
            filters.push(leaf(field.clone(), Test::Time(op, Micros(at.0 - at.0 % 1_000))));
        }
    }
    for filter in filters {
        world.check_calls(&bed, &filter).await;
        world.check_sessions(&bed, &filter).await;
    }
}

pub async fn wide_and_deep_filters(bed: Bed) {
    bed.write(&[Exchange { properties: vec![property("k", "v")], ..in_session("s", 0) }]).await;
    for make in [Filter::And, Filter::Or] {
        let wide = make((0..1_000).map(|_| property_is("K", "v")).collect());
        let contains = Test::Text(TextOp::Contains, "ÄÖÜ éèà".to_owned());
        let mixed = make((0..900).map(|_| leaf(Field::Property("k".to_owned()), contains.clone())).collect());
        let deep = (0..64).fold(property_is("K", "v"), |inner, i| {
            let other =
                leaf(Field::Session(SessionField::TotalRequests), Test::Number(NumberOp::Equals, f64::from(i % 2)));
            if i % 2 == 0 { Filter::Or(vec![other, inner]) } else { Filter::And(vec![inner, other]) }
        });
        for (filter, sessions) in [(wide, 1), (mixed, 0), (deep, 1)] {
            let page = bed.store.sessions(ORG, &every_session(filter.clone())).await.unwrap();
            assert_eq!(page.rows.len(), sessions);
            assert_eq!(bed.store.calls(ORG, &every_call(filter)).await.unwrap().len(), sessions);
        }
    }
}

pub async fn scores(bed: Bed) {
    let (good, bad, none) = (call(), call(), call());
    bed.write(&[good.clone(), bad.clone(), none.clone()]).await;
    for (call, value) in [(&good, 1.0), (&bad, 0.0)] {
        bed.store.set_score(ORG, call.id, "helicone-score-feedback", value).await.unwrap();
        bed.store.set_score(ORG, call.id, "q", value * 7.0).await.unwrap();
    }
    let ids = async |filter: Filter| {
        let rows = bed.store.calls(ORG, &every_call(filter)).await.unwrap();
        rows.iter().map(|c| c.call.id).collect::<BTreeSet<_>>()
    };
    let feedback = |flag| leaf(Field::Call(CallField::Feedback), Test::Bool(flag));
    assert_eq!(ids(feedback(true)).await, BTreeSet::from([good.id]));
    assert_eq!(ids(feedback(false)).await, BTreeSet::from([bad.id]));
    let score = |op, n| leaf(Field::Score("q".to_owned()), Test::Number(op, n));
    assert_eq!(ids(score(NumberOp::Gte, 6.5)).await, BTreeSet::from([good.id]));
    assert_eq!(ids(score(NumberOp::Equals, 0.0)).await, BTreeSet::from([bad.id]));
    assert_eq!(ids(score(NumberOp::NotEquals, 7.0)).await, BTreeSet::from([bad.id, none.id]));
    assert_eq!(ids(leaf(Field::Score("q".to_owned()), Test::IsNull(true))).await, BTreeSet::from([none.id]));
}
