//! Failing writes, syncs and creations, a full disk, power cuts.

use std::collections::BTreeSet;

use super::sim::{PANIC, Sim};
use super::*;

const EIO: i32 = 5;
pub(super) const ENOSPC: i32 = 28;

pub(super) fn open(sim: &Sim, durability: Durability) -> (Journal, Reader) {
    let mut options = options(std::path::Path::new("/j"));
    options.durability = durability;
    Journal::open_on(Arc::new(sim.clone()), options).unwrap()
}

fn records(sim: &Sim) -> Vec<u128> {
    let (_journal, mut reader) = open(sim, Durability::Durable);
    read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect()
}

/// Appends in rounds of four; the ids that were acknowledged.
async fn write_rounds(journal: &Journal, ids: std::ops::Range<u128>) -> BTreeSet<u128> {
    let mut acked = BTreeSet::new();
    for round in ids.step_by(4) {
        let receipts: Vec<_> = (round..round + 4).map(|n| (n, journal.append(frame(FrameKind::Posted, n)))).collect();
        for (n, receipt) in receipts {
            if receipt.wait().await.is_ok() {
                acked.insert(n);
            }
        }
    }
    acked
}

async fn fail_each(durability: Durability, errno: i32) {
    let clean = Sim::default();
    let (journal, _reader) = open(&clean, durability);
    write_rounds(&journal, 0..60).await;
    journal.close();
    let ops = clean.ops();
    assert!(ops > 20);
    for op in 0..ops {
        let sim = Sim::default();
        sim.fail_at(op, errno);
        let (journal, mut reader) = open(&sim, durability);
        let acked = write_rounds(&journal, 0..60).await;
        assert!(acked.len() >= 56, "at most one round fails (operation {op}): {}", acked.len());
        let seen: BTreeSet<u128> = {
            journal.flushed().await;
            read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect()
        };
        assert!(acked.is_subset(&seen), "operation {op}: in the same process");
        let after = if durability == Durability::Durable { sim.power_cut(op * 7 % 300) } else { sim.killed() };
        let found = records(&after);
        let found_set: BTreeSet<u128> = found.iter().copied().collect();
        assert!(acked.is_subset(&found_set), "operation {op}: lost {:?}", acked.difference(&found_set));
        assert!(found_set.iter().all(|n| *n < 60), "nothing is invented");
        journal.close();
        let again = records(&sim.power_cut(0));
        assert!(acked.is_subset(&again.iter().copied().collect()), "operation {op}: after a clean end");
        assert_eq!(again.len(), again.iter().collect::<BTreeSet<_>>().len(), "operation {op}: nothing twice");
    }
}

#[tokio::test]
async fn any_one_operation_may_fail_with_eio() {
    fail_each(Durability::Durable, EIO).await;
}

#[tokio::test]
async fn any_one_operation_may_fail_with_enospc() {
    fail_each(Durability::Durable, ENOSPC).await;
}

#[tokio::test]
async fn any_one_operation_may_fail_in_fast_mode() {
    fail_each(Durability::Fast, EIO).await;
    fail_each(Durability::Fast, ENOSPC).await;
}

#[tokio::test]
async fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let sim = Sim::default();
    sim.short_writes();
    let (journal, _reader) = open(&sim, Durability::Durable);
    let mut acked = BTreeSet::new();
    for n in (0..200).step_by(4) {
        acked.extend(write_rounds(&journal, n..n + 4).await);
        // Some frames are written and not synced when the power goes.
        journal.append_unwatched(frame(FrameKind::Begin, 1_000 + n));
        for torn in [0, 1, 59, 60, 150, 10_000] {
            let found: BTreeSet<u128> = records(&sim.power_cut(torn)).into_iter().collect();
            assert!(acked.is_subset(&found), "after {n}, {torn} torn bytes");
        }
    }
    assert_eq!(acked.len(), 200);
}

#[tokio::test]
async fn without_syncs_a_power_cut_does_lose() {
    let sim = Sim::default();
    sim.syncs_lie();
    let (journal, _reader) = open(&sim, Durability::Durable);
    let acked = write_rounds(&journal, 0..40).await;
    assert_eq!(acked.len(), 40);
    assert!(records(&sim.power_cut(0)).len() < 40, "the method can see a loss");
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_space_returns() {
    let sim = Sim::default();
    sim.capacity(Some(20_000));
    let (journal, _reader) = open(&sim, Durability::Durable);
    let mut acked = write_rounds(&journal, 0..200).await;
    assert!(acked.len() < 200);
    let refused = 200 - acked.len() as u64;
    // A short frame may still find room where a longer one did not.
    let mut record = 1_000;
    let full = loop {
        match journal.append(frame(FrameKind::Posted, record)).wait().await {
            Ok(()) => assert!(acked.insert(record) && record < 2_000, "the disk never fills"),
            Err(error) => break error,
        }
        record += 1;
    };
    assert!(matches!(full, JournalError::Full), "{full}");
    assert_eq!(journal.stats().refused, refused + 1, "each refusal is counted once");
    sim.capacity(None);
    let more = write_rounds(&journal, 200..240).await;
    assert_eq!(more.len(), 40);
    acked.extend(more);
    let found: Vec<u128> = records(&sim.power_cut(0));
    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), acked, "exactly what was acknowledged");
}

#[tokio::test]
async fn the_quota_refuses_until_space_is_given_back() {
    let sim = Sim::default();
    let mut options = options(std::path::Path::new("/j"));
    options.max_bytes = 10_000;
    let (journal, mut reader) = Journal::open_on(Arc::new(sim.clone()), options).unwrap();
    let acked = write_rounds(&journal, 0..100).await;
    assert!((20..100).contains(&acked.len()));
    assert!(journal.stats().disk_bytes <= 10_000 + 1_000);
    deal_with(&journal, &read_all(&mut reader));
    assert!(journal.append(frame(FrameKind::Posted, 999)).wait().await.is_ok());
}

#[tokio::test]
async fn an_idle_segment_gives_its_space_back() {
    let sim = Sim::default();
    let (journal, mut reader) = open(&sim, Durability::Durable);
    write_rounds(&journal, 0..4).await;
    let positions: Vec<Position> = read_all(&mut reader).iter().map(|e| e.position).collect();
    let spent = journal.acknowledge(&positions, journal.tail());
    assert!(spent.is_empty(), "it is still written to");
    journal.flushed().await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while sim.used() > 0 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    journal.flushed().await;
    assert_eq!(journal.stats().disk_bytes, 0, "who waits for nothing makes no segment");
    assert_eq!(journal.stats().oldest_waiting, None);
    write_rounds(&journal, 4..8).await;
    assert_eq!(read_all(&mut reader).len(), 4);
}

#[tokio::test]
async fn one_process_a_directory_and_nothing_after_close() {
    let sim = Sim::default();
    let (journal, _reader) = open(&sim, Durability::Durable);
    let second = Journal::open_on(Arc::new(sim.clone()), options(std::path::Path::new("/j")));
    assert!(matches!(second, Err(JournalError::Locked(_))));
    journal.append_unwatched(frame(FrameKind::Begin, 1));
    journal.close();
    assert!(matches!(journal.append(frame(FrameKind::End, 2)).wait().await, Err(JournalError::Closed)));
    assert_eq!(records(&sim.power_cut(0)), [1], "close syncs what was queued");
}

#[tokio::test]
async fn a_writer_that_panics_rings() {
    let sim = Sim::default();
    let (journal, _reader) = open(&sim, Durability::Durable);
    journal.append(frame(FrameKind::Posted, 1)).wait().await.unwrap();
    sim.fail_at(sim.ops(), PANIC);
    journal.append_unwatched(frame(FrameKind::Posted, 2));
    tokio::time::timeout(Duration::from_secs(10), journal.died()).await.expect("it rings");
    journal.close();
    assert_eq!(records(&sim.killed()), [1]);
}
