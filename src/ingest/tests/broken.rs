//! A store that takes nothing: whoever is at fault, no row is put aside for it.

use super::*;

/// A store that takes nothing is at fault itself, whatever it says of single rows.
async fn broken(break_it: impl Fn(&mut Table, bool), rows: usize) {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    sink.with(|t| break_it(t, true));
    let rig = start(dir.path(), &sink);
    let mut records = Vec::new();
    for _ in 0..rows {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    sink.until(|t| t.tries > 60).await;
    sink.with(|t| break_it(t, false));
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert_eq!(rig.ingest.stats().dead, 0);
    assert!(sink.with(|t| t.letters.is_empty()));
}

#[tokio::test]
async fn a_store_that_is_broken_altogether_costs_nothing() {
    broken(|t, on| t.broken = on, 1).await;
    broken(|t, on| t.broken = on, 40).await;
}

#[tokio::test]
async fn a_store_that_refuses_everything_costs_nothing() {
    broken(|t, on| t.refusing = on, 1).await;
    broken(|t, on| t.refusing = on, 40).await;
}

#[tokio::test]
async fn a_store_that_breaks_in_the_middle_of_a_batch_costs_nothing() {
    // Poison makes the batch go in by halves; the store breaks while some of them are in.
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    sink.with(|t| t.away = true);
    let rig = start(dir.path(), &sink);
    let mut records = Vec::new();
    for _ in 0..40 {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    let poison = records.remove(17);
    sink.with(|t| {
        t.poison.insert(poison);
        t.breaks_at = Some(5);
        t.away = false;
    });
    sink.until(|t| t.tries > 100 && t.rows.len() >= 5).await;
    sink.with(|t| t.breaks_at = None);
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert_eq!(rig.ingest.stats().dead, 1);
}
