//! Counts of calls without a record: once each, by minute, each organisation's own.

use trailgate::model::gap::{Gap, GapRow, JOURNAL_FULL};
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::query::Window;
use trailgate::model::units::Micros;

use super::Bed;

const MINUTE: i64 = 60_000_000;

fn gap(org: OrgId, minute: i64, calls: i64, reason: &str) -> Gap {
    Gap { id: RecordId::generate(), org, minute: Micros(minute * MINUTE), calls, reason: reason.to_owned() }
}

fn row(minute: i64, calls: i64, reason: &str) -> GapRow {
    GapRow { minute: Micros(minute * MINUTE), calls, reason: reason.to_owned() }
}

pub async fn a_gap_is_counted_once_and_for_its_organisation(bed: Bed) {
    let (mine, other) = (OrgId::DEFAULT, OrgId::generate());
    let gaps = [
        gap(mine, 10, 3, JOURNAL_FULL),
        gap(mine, 10, 4, JOURNAL_FULL),
        gap(mine, 10, 1, "other\0reason"),
        gap(mine, 12, 5, JOURNAL_FULL),
        gap(mine, 14, i64::MAX / 4, JOURNAL_FULL),
        gap(other, 12, 100, JOURNAL_FULL),
    ];
    bed.store.add_gaps(&[]).await.unwrap();
    bed.store.add_gaps(&gaps[..4]).await.unwrap();
    // A replay, and with it what is new.
    bed.store.add_gaps(&gaps).await.unwrap();
    let all = bed.store.gaps(mine, Window::default(), 10).await.unwrap();
    let expected = [
        row(14, i64::MAX / 4, JOURNAL_FULL),
        row(12, 5, JOURNAL_FULL),
        row(10, 7, JOURNAL_FULL),
        row(10, 1, "other\u{fffd}reason"),
    ];
    assert_eq!(all, expected);
    assert_eq!(bed.store.gaps(mine, Window::default(), 2).await.unwrap(), expected[..2]);
    let window = |from: i64, to: i64| Window { from: Some(Micros(from * MINUTE)), to: Some(Micros(to * MINUTE)) };
    assert_eq!(bed.store.gaps(mine, window(11, 12), 10).await.unwrap(), expected[1..2]);
    assert_eq!(bed.store.gaps(mine, window(11, 11), 10).await.unwrap(), []);
    assert_eq!(bed.store.gaps(other, Window::default(), 10).await.unwrap(), [row(12, 100, JOURNAL_FULL)]);
    assert_eq!(bed.store.gaps(OrgId::generate(), Window::default(), 10).await.unwrap(), []);
}
