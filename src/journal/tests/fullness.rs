//! Steps of fullness, frames that wait for room, the reserve.

use super::faults::{ENOSPC, open};
use super::sim::Sim;
use super::*;

fn lighten(frame: &mut Frame) {
    frame.body.clear();
}

/// Polls with a deadline.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

fn kinds(sim: &Sim) -> Vec<(FrameKind, u128, usize)> {
    let (_journal, mut reader) = open(sim, Durability::Durable);
    read_all(&mut reader).iter().map(|e| (e.kind.unwrap(), e.record.as_u128(), e.body.len())).collect()
}

fn with_quota(sim: &Sim, change: impl FnOnce(&mut JournalOptions)) -> (Journal, Reader) {
    let mut options = options(std::path::Path::new("/j"));
    change(&mut options);
    Journal::open_on(Arc::new(sim.clone()), options).unwrap()
}

fn sized(kind: FrameKind, n: u128, len: usize) -> Frame {
    Frame { body: vec![Bytes::from(vec![b'y'; len])], ..frame(kind, n) }
}

#[tokio::test]
async fn the_quota_is_used_up_in_steps_and_given_back_at_once() {
    let sim = Sim::default();
    let (journal, mut reader) = with_quota(&sim, |options| options.max_bytes = 100_000);
    let mut steps = Vec::new();
    for n in 0..96 {
        journal.append(sized(FrameKind::Posted, n, 930)).wait().await.unwrap();
        // Up at once, with the acknowledgement.
        if steps.last() != Some(&journal.step()) {
            steps.push(journal.step());
        }
        let used = journal.stats().disk_bytes;
        let least = match used {
            95_000.. => Step::Full,
            85_000.. => Step::Shedding,
            70_000.. => Step::Warning,
            _ => Step::Normal,
        };
        assert_eq!(journal.step(), least, "{used} bytes");
    }
    assert_eq!(steps, [Step::Normal, Step::Warning, Step::Shedding, Step::Full]);
    assert!(!journal.cannot_write());
    deal_with(&journal, &read_all(&mut reader));
    until("it is normal again", || journal.step() == Step::Normal);
}

#[tokio::test]
async fn free_space_above_the_floor_counts_as_the_quota_does() {
    let sim = Sim::default();
    sim.capacity(Some(1_000_000));
    sim.take(900_000);
    let (journal, _reader) = with_quota(&sim, |options| options.min_free_bytes = 1 << 40);
    // The floor is a twentieth of this disk, so 50 kB are ours.
    for n in 0..20 {
        journal.append(sized(FrameKind::Posted, n, 900)).wait().await.unwrap();
    }
    assert_eq!(journal.step(), Step::Normal);
    sim.take(945_000);
    until("somebody else's files make it full", || journal.step() == Step::Full);
    assert!(journal.append(frame(FrameKind::End, 99)).wait().await.is_ok(), "what has begun may still end");
    sim.take(0);
    until("it is normal again", || journal.step() == Step::Normal);
}

#[test]
fn without_numbers_they_come_from_the_disk() {
    let fitted = |total: u64| {
        let mut options = options(std::path::Path::new("/j"));
        (options.max_bytes, options.min_free_bytes, options.reserve_bytes) = (0, 1 << 30, 8 << 20);
        options.segment_bytes = 64 << 20;
        space::fit(&mut options, Some(fs::Space { total, free: total }));
        (options.max_bytes, options.min_free_bytes, options.reserve_bytes, options.segment_bytes)
    };
    let mib = 1 << 20;
    assert_eq!(fitted(1 << 40), (10 << 30, 1 << 30, 8 * mib, 64 * mib));
    assert_eq!(fitted(10 << 30), (2 << 30, 512 * mib, 8 * mib, 64 * mib));
    let (quota, floor, reserve, segment) = fitted(64 * mib);
    assert!(quota + floor < 64 * mib && reserve < mib && segment < 2 * mib, "{quota} {floor} {reserve} {segment}");
}

#[tokio::test]
async fn a_call_that_the_disk_refuses_is_written_when_there_is_room() {
    let sim = Sim::default();
    let (journal, _reader) = open(&sim, Durability::Durable);
    journal.append(frame(FrameKind::Begin, 1)).wait().await.unwrap();
    sim.capacity(Some(sim.used()));
    // The end of one call, all of another, one that nobody waits for, and a manual log.
    assert!(matches!(journal.append(frame(FrameKind::End, 1)).wait().await, Err(JournalError::Full)));
    assert_eq!(journal.step(), Step::Full, "known with the refusal");
    assert!(journal.cannot_write());
    journal.append_unwatched(frame(FrameKind::Begin, 2));
    journal.append_unwatched(frame(FrameKind::Request, 2));
    assert!(journal.append(frame(FrameKind::End, 2)).wait().await.is_err());
    assert!(journal.append(frame(FrameKind::Posted, 3)).wait().await.is_err());
    assert_eq!(journal.stats().late, 4, "a manual log's sender was told and sends it again");
    sim.capacity(None);
    until("it takes writes again", || journal.step() == Step::Normal && journal.stats().late == 0);
    journal.flushed().await;
    let expected = [
        (FrameKind::Begin, 1),
        (FrameKind::End, 1),
        (FrameKind::Begin, 2),
        (FrameKind::Request, 2),
        (FrameKind::End, 2),
    ];
    let found = kinds(&sim.power_cut(0));
    assert_eq!(found.iter().map(|(kind, n, _)| (*kind, *n)).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|(_, _, body)| *body == 103), "with their bodies");
}

#[tokio::test]
async fn an_end_never_overtakes_a_begin_that_waits() {
    let sim = Sim::default();
    let (journal, _reader) = open(&sim, Durability::Durable);
    journal.append(frame(FrameKind::Posted, 9)).wait().await.unwrap();
    // Room for the end, none for the begin.
    sim.capacity(Some(sim.used() + 300));
    journal.append_unwatched(sized(FrameKind::Begin, 1, 2_000));
    assert!(journal.append(frame(FrameKind::End, 1)).wait().await.is_err());
    sim.capacity(None);
    until("both are written", || journal.stats().late == 0);
    journal.flushed().await;
    let order: Vec<FrameKind> = kinds(&sim.power_cut(0)).into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(order, [FrameKind::Posted, FrameKind::Begin, FrameKind::End]);
}

#[tokio::test]
async fn a_body_that_will_never_fit_is_left_out() {
    let sim = Sim::default();
    let (journal, _reader) = with_quota(&sim, |options| options.max_bytes = 50_000);
    journal.lighten_by(lighten);
    assert!(matches!(journal.append(sized(FrameKind::End, 1, 60_000)).wait().await, Err(JournalError::Full)));
    until("its frame is written without it", || journal.stats().late == 0);
    journal.flushed().await;
    assert_eq!(kinds(&sim.power_cut(0)), [(FrameKind::End, 1, 0)]);
    assert_eq!(journal.step(), Step::Normal);
}

#[tokio::test]
async fn last_words_go_where_the_reserve_was() {
    let sim = Sim::default();
    let reserved = |options: &mut JournalOptions| {
        options.max_bytes = 1 << 20;
        options.reserve_bytes = 8_000;
    };
    let (journal, _reader) = with_quota(&sim, reserved);
    journal.lighten_by(lighten);
    let reserve = std::path::Path::new("/j/reserve");
    until("the reserve is there", || sim.files().get(reserve).is_some_and(|bytes| bytes.len() == 8_000));
    journal.append(frame(FrameKind::Begin, 1)).wait().await.unwrap();
    sim.capacity(Some(sim.used()));
    assert!(journal.append(sized(FrameKind::End, 1, 9_000)).wait().await.is_err());
    let gap = |n| Frame { body: Vec::new(), ..frame(FrameKind::Gap, n) };
    assert!(journal.append_durable(gap(2)).wait().await.is_err(), "the reserve is not for the living");
    journal.spend_reserve();
    journal.append_durable(gap(2)).wait().await.unwrap();
    journal.close();
    assert!(!sim.files().contains_key(reserve));
    let found = kinds(&sim.power_cut(0));
    assert_eq!(found, [(FrameKind::Begin, 1, 103), (FrameKind::Gap, 2, 0), (FrameKind::End, 1, 0)]);
    // The next start has it again as soon as there is room.
    sim.capacity(None);
    let (_journal, _reader) = with_quota(&sim, reserved);
    until("the reserve is there again", || sim.files().contains_key(reserve));
}

#[tokio::test]
async fn a_gap_is_written_beyond_the_quota() {
    let sim = Sim::default();
    let (journal, _reader) = with_quota(&sim, |options| {
        options.max_bytes = 20_000;
        options.reserve_bytes = 1_000;
    });
    let mut n = 0;
    while journal.append(frame(FrameKind::Posted, n)).wait().await.is_ok() {
        n += 1;
    }
    assert_eq!(journal.step(), Step::Full);
    journal.append_durable(Frame { body: Vec::new(), ..frame(FrameKind::Gap, 1_000) }).wait().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_fails_again_and_again_costs_nothing_that_was_acknowledged() {
    for failures in 2..5 {
        for op in 0..40 {
            let sim = Sim::default();
            sim.fail_from(op, failures, if op % 2 == 0 { ENOSPC } else { 5 });
            let (journal, _reader) = open(&sim, Durability::Durable);
            let mut acked = std::collections::BTreeSet::new();
            for n in 0..40 {
                if journal.append(frame(FrameKind::Posted, n)).wait().await.is_ok() {
                    acked.insert(n);
                }
            }
            assert!(acked.len() >= 40 - failures, "operation {op}, {failures} failures: {}", acked.len());
            let found: std::collections::BTreeSet<u128> =
                kinds(&sim.power_cut(op * 7 % 300)).into_iter().map(|(_, n, _)| n).collect();
            assert!(acked.is_subset(&found), "operation {op}, {failures} failures");
            until("it takes writes again", || journal.step() == Step::Normal);
            assert!(!journal.cannot_write());
        }
    }
}
