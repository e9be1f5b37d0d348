//! A store that takes nothing: whoever is at fault, no row is put aside for it.

use super::*;
use crate::journal::tests::open_scripted;
use crate::journal::tests::sim::Sim;

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

/// A request that is too long to be kept in memory is read again when its call ends.
#[tokio::test]
async fn a_process_without_descriptors_loses_no_part_of_a_record() {
    let (disk, sink) = (Sim::default(), Memory::default());
    let rig = start_on(open_scripted(&disk, options(Path::new("/j"))), &sink);
    let before = call(&rig.ingest, "/v1/before").await;
    assert!(rig.ingest.settled(LIMIT).await);
    let mut long = begin("/v1/long");
    long.request = Some(BodyFacts { len: 100_000, ..BodyFacts::default() });
    rig.ingest.begin(&long, vec![Bytes::from(vec![b'q'; 100_000])], None);
    // Its begin is read, and the segment is open to the reader.
    let after = call(&rig.ingest, "/v1/between").await;
    assert!(rig.ingest.settled(LIMIT).await);
    disk.no_descriptors(true);
    rig.ingest.end(long.org, &end(long.record), Vec::new(), None).wait().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sink.row(long.record).is_none(), "half a record is none");
    disk.no_descriptors(false);
    assert!(rig.ingest.settled(LIMIT).await);
    let row = sink.row(long.record).unwrap();
    assert_eq!((row.request.facts.len, row.request.bytes.len()), (100_000, 100_000));
    assert!(row.notes.iter().all(|note| note.code != "journal.part_lost"));
    assert!(sink.row(before).is_some() && sink.row(after).is_some());
}
