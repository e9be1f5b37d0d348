//! Figures of calls: the roll-up by the hour says what the calls say, exact percentiles are those of the calls, and what
//! retention deletes leaves roll-ups that equal those of the calls that are left.

use std::collections::BTreeMap;

use trailgate::model::exchange::{Exchange, Kind};
use trailgate::model::figures::Figures;
use trailgate::model::filter::Filter;
use trailgate::model::id::OrgId;
use trailgate::model::query::{FigurePlan, FigureQuery, FigureRow, GroupBy, Reading, Window};
use trailgate::model::session::SessionRow;
use trailgate::model::units::Micros;

use super::sample::{Random, SECOND, T0, call, in_session, property};
use super::{Bed, every_call, every_session, memory};

const HOUR: i64 = 3_600 * SECOND;
static EVERY: Filter = Filter::ALL;
const FIRST_HOUR: i64 = T0 / HOUR * HOUR;

fn query(reading: Reading, group: GroupBy, width_us: i64) -> FigureQuery<'static> {
    let plan = FigurePlan { reading, from: Micros(0), to: Micros(FIRST_HOUR + 1_000_000 * HOUR) };
    FigureQuery { plan, filter: &EVERY, group, only: None, width_us, origin: Micros(0), limit: 100_000 }
}

/// What the roll-up by the hour has of an organisation.
pub async fn by_the_hour(bed: &Bed, org: OrgId, group: GroupBy) -> Vec<FigureRow> {
    bed.store.figures(org, &query(Reading::Hours, group, HOUR)).await.unwrap()
}

/// By group and part, without what only one of the readings knows.
fn plain(rows: Vec<FigureRow>) -> BTreeMap<(String, i64), Figures> {
    rows.into_iter()
        .map(|row| ((row.group, row.part), Figures { exact: None, sessions: None, ..row.figures }))
        .collect()
}

/// The figures by the hour are those of the organisation's calls, whatever they are grouped by.
pub async fn hours_equal_calls(bed: &Bed, org: OrgId) {
    for group in [
        GroupBy::None,
        GroupBy::Kind,
        GroupBy::Provider,
        GroupBy::Model,
        GroupBy::Tool,
        GroupBy::Path,
        GroupBy::Status,
        GroupBy::ErrorRule,
        GroupBy::SessionName,
    ] {
        let of = async |reading| {
            let query = query(reading, group.clone(), 2 * HOUR);
            plain(bed.store.figures(org, &query).await.unwrap())
        };
        assert_eq!(of(Reading::Hours).await, of(Reading::Calls).await, "{group:?}");
    }
    // Counts alone are those of the figures, also by what the roll-up does not have.
    for group in [GroupBy::None, GroupBy::Path, GroupBy::User, GroupBy::Property("Version".to_owned())] {
        for reading in [Reading::Hours, Reading::Calls, Reading::Exact] {
            let query = query(reading, group.clone(), 2 * HOUR);
            let figures = plain(bed.store.figures(org, &query).await.unwrap());
            let counts = bed.store.figure_counts(org, &query).await.unwrap();
            let counts: BTreeMap<_, _> =
                counts.into_iter().map(|(g, p, calls, errors)| ((g, p), (calls, errors))).collect();
            let expected: BTreeMap<_, _> = figures.into_iter().map(|(key, f)| (key, (f.calls, f.errors))).collect();
            assert_eq!(counts, expected, "{group:?} {reading:?}");
        }
    }
}

pub async fn hours_say_what_calls_say(bed: Bed) {
    for seed in 0..4 {
        let org = bed.store.create_org("o").await.unwrap();
        let mut random = Random::new(seed);
        let mut calls = random.calls(80);
        for (n, call) in calls.iter_mut().enumerate() {
            call.org = org;
            // Over some hours, with paths that are folded already.
            let started = Micros(T0 + i64::try_from(n).unwrap() * 400 * SECOND);
            call.ended_at = started.plus_us(call.ended_at - call.started_at);
            call.started_at = started;
            call.session_path = Some(["/plan", "/plan/step/:n", "/act"][n % 3].to_owned());
        }
        let mut writer = bed.store.writer().await.unwrap();
        for batch in calls.chunks(17) {
            writer.write(batch).await.unwrap();
            // A replay adds nothing.
            writer.write(batch).await.unwrap();
        }
        hours_equal_calls(&bed, org).await;
        let all = bed.store.figures(org, &query(Reading::Hours, GroupBy::None, i64::MAX / HOUR * HOUR)).await.unwrap();
        assert_eq!(all[0].figures.calls, 80);
        assert_eq!(bed.store.contents(org).await.unwrap().calls, 80);
        let elsewhere = bed.store.create_org("nobody").await.unwrap();
        for reading in [Reading::Hours, Reading::Calls, Reading::Exact] {
            assert_eq!(bed.store.figures(elsewhere, &query(reading, GroupBy::Model, HOUR)).await.unwrap(), []);
        }
    }
}

pub async fn exact_percentiles(bed: Bed) {
    // 1 to 100 ms in a shuffled order, half of them in each of two sessions.
    let calls: Vec<Exchange> = (0..100_i64)
        .map(|n| {
            let ms = (n * 37) % 100 + 1;
            let session = if n % 2 == 0 { "a" } else { "b" };
            let started_at = Micros(T0 + n);
            Exchange { started_at, ended_at: started_at.plus_us(ms * 1_000), ..in_session(session, 0) }
        })
        .collect();
    bed.write(&calls).await;
    let rows = bed.store.figures(OrgId::DEFAULT, &query(Reading::Exact, GroupBy::None, i64::MAX)).await.unwrap();
    let figures = &rows[0].figures;
    assert_eq!((figures.exact, figures.sessions), (Some((50_000, 95_000)), Some(2)));
    assert_eq!((figures.percentile_us(50), figures.percentile_us(95)), (Some(50_000.0), Some(95_000.0)));
    let rows = bed.store.figures(OrgId::DEFAULT, &query(Reading::Hours, GroupBy::None, HOUR)).await.unwrap();
    for (percent, truth) in [(50, 50_000.0), (95, 95_000.0)] {
        let got = rows[0].figures.percentile_us(percent).unwrap();
        assert!((got - truth).abs() / truth < 0.1, "p{percent}: {got}");
    }
    let some = [String::from("gpt-4o")];
    let only = FigureQuery { only: Some(&some), ..query(Reading::Exact, GroupBy::Model, i64::MAX) };
    assert_eq!(bed.store.figures(OrgId::DEFAULT, &only).await.unwrap()[0].figures.calls, 100);
    let starts =
        bed.store.session_starts(OrgId::DEFAULT, &query(Reading::Exact, GroupBy::None, i64::MAX)).await.unwrap();
    assert_eq!(starts, [(0, 2)]);
    let plan = bed.store.figure_plan(OrgId::DEFAULT, &Filter::ALL, (Micros(T0), Micros(T0 + 1))).await.unwrap();
    assert_eq!(plan, FigurePlan { reading: Reading::Exact, from: Micros(T0), to: Micros(T0 + 1) });
}

pub async fn properties_and_tools(bed: Bed) {
    let tool = Exchange { kind: Kind::Tool, model: Some("tool:search".to_owned()), ..in_session("s", 1) };
    let failed = Exchange { error_rule: Some("http_status"), status: 500, ..tool.clone() };
    let failed = Exchange { id: call().id, record: call().record, ..failed };
    let tagged = Exchange { properties: vec![property("Version", "v1")], ..in_session("s", 2) };
    bed.write(&[tool, failed, tagged]).await;
    let of = async |group| bed.store.figures(OrgId::DEFAULT, &query(Reading::Exact, group, i64::MAX)).await.unwrap();
    let rows = of(GroupBy::Property("VERSION".to_owned())).await;
    assert_eq!((rows.len(), rows[0].group.as_str(), rows[0].figures.calls), (1, "v1", 1));
    for reading in [Reading::Exact, Reading::Hours] {
        let query = query(reading, GroupBy::Tool, HOUR);
        let rows = bed.store.figures(OrgId::DEFAULT, &query).await.unwrap();
        assert_eq!((rows.len(), rows[0].group.as_str(), rows[0].figures.calls), (1, "tool:search", 2));
    }
    let window = Window { from: Some(Micros(T0)), to: None };
    let noticed = bed.store.noticed_sessions(OrgId::DEFAULT, window, 5).await.unwrap();
    assert_eq!((noticed.sessions, noticed.dear.len(), noticed.dear[0].id.as_str()), (1, 1, "s"));
}

pub async fn retention_leaves_true_roll_ups(bed: Bed) {
    for seed in 0..4 {
        let org = bed.store.create_org("o").await.unwrap();
        let other = bed.store.create_org("other").await.unwrap();
        let mut random = Random::new(seed);
        let mut calls = random.calls(60);
        calls.iter_mut().for_each(|call| call.org = org);
        bed.write(&calls).await;
        bed.write(&[Exchange { org: other, ..in_session("theirs", 0) }]).await;
        let mut starts: Vec<Micros> = calls.iter().map(|call| call.started_at).collect();
        starts.sort_unstable();
        let before = starts[30];
        let mut deleted = 0;
        loop {
            match bed.store.delete_calls_before(org, before).await.unwrap() {
                0 => break,
                some => deleted += some,
            }
        }
        let left: Vec<Exchange> = calls.iter().filter(|call| call.started_at >= before).cloned().collect();
        assert_eq!(deleted, calls.len() - left.len());
        assert!(deleted > 0 && !left.is_empty(), "seed {seed}");
        let rows = bed.store.calls(org, &every_call(Filter::ALL)).await.unwrap();
        assert_eq!(rows.len(), left.len());
        let page = bed.store.sessions(org, &every_session(Filter::ALL)).await.unwrap();
        let found: BTreeMap<String, SessionRow> = page.rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        assert_eq!(found, memory::sessions(&left), "seed {seed}");
        for gone in calls.iter().filter(|call| call.started_at < before) {
            assert!(bed.store.call_bodies(org, gone.id).await.unwrap().is_none());
        }
        let bodies = bed.store.delete_bodies_before(org, starts[45]).await.unwrap();
        let old = left.iter().filter(|call| call.started_at < starts[45]).count();
        assert_eq!(bodies, old, "seed {seed}");
        assert_eq!(bed.store.calls(org, &every_call(Filter::ALL)).await.unwrap().len(), left.len(), "their calls stay");
        assert_eq!(bed.store.sessions(other, &every_session(Filter::ALL)).await.unwrap().rows.len(), 1);
    }
    let org = bed.store.create_org("hours").await.unwrap();
    bed.write(&[Exchange { org, ..call() }]).await;
    bed.store.delete_hours_before(org, Micros(FIRST_HOUR + HOUR - 1)).await.unwrap();
    assert_eq!(bed.store.contents(org).await.unwrap().calls, 1, "the hour is not over yet");
    bed.store.delete_hours_before(org, Micros(FIRST_HOUR + HOUR)).await.unwrap();
    assert_eq!(bed.store.contents(org).await.unwrap().calls, 0);
}
