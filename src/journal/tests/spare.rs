//! Segments written over spent ones: nothing old comes back, nothing new is lost, nothing stays.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::open;
use super::sim::Sim;
use super::*;
use crate::journal::frame::{SEGMENT_HEADER, Salts, SegmentHeader};

const ERRORS: [i32; 2] = [5, super::faults::ENOSPC];

/// Lengths never repeat where they did, so frames stand elsewhere in each segment.
fn length(n: u128) -> usize {
    200 + (n as usize * 37) % 150
}

fn sized(kind: FrameKind, n: u128) -> Frame {
    Frame { body: vec![Bytes::from(vec![b'x'; length(n)])], ..frame(kind, n) }
}

/// A journal whose reader keeps a segment behind the writer, so that segments are spent all the time.
struct Flow {
    sim: Sim,
    journal: Journal,
    reader: Reader,
    held: Vec<Entry>,
    next: u128,
    /// Acknowledged by the journal.
    kept: BTreeSet<u128>,
    /// Read, and dealt with.
    done: BTreeSet<u128>,
}

impl Flow {
    fn new(sim: Sim, durability: Durability) -> Self {
        let (journal, reader) = open(&sim, durability);
        Self { sim, journal, reader, held: Vec::new(), next: 0, kept: BTreeSet::new(), done: BTreeSet::new() }
    }

    /// Four more frames; then all but the newest are dealt with.
    async fn round(&mut self) {
        let ids = self.next..self.next + 4;
        self.next += 4;
        let receipts: Vec<_> = ids.map(|n| (n, self.journal.append(sized(FrameKind::Posted, n)))).collect();
        for (n, receipt) in receipts {
            if receipt.wait().await.is_ok() {
                self.kept.insert(n);
            }
        }
        self.journal.flushed().await;
        self.held.extend(read_all(&mut self.reader));
        let through = self.held.len().saturating_sub(20);
        let dealt: Vec<Entry> = self.held.drain(..through).collect();
        self.done.extend(dealt.iter().map(|e| e.record.as_u128()));
        let positions: Vec<Position> = dealt.iter().map(|e| e.position).collect();
        let before = self.held.first().map_or(self.journal.tail(), |e| e.position.seq);
        self.journal.give_back(self.journal.acknowledge(&positions, before));
    }

    /// What a start on that disk finds: everything that was kept and is not dealt with, each frame once and as it was, and of
    /// what was dealt with no more than a segment.
    fn check(&self, disk: &Sim, what: &str) {
        self.check_for(&self.kept, disk, what);
    }

    fn check_for(&self, kept: &BTreeSet<u128>, disk: &Sim, what: &str) {
        let (journal, mut reader) = open(disk, Durability::Durable);
        assert_eq!(journal.stats().segments_aside, 0, "{what}");
        let entries = read_all(&mut reader);
        let found: Vec<u128> = entries.iter().map(|e| e.record.as_u128()).collect();
        let set: BTreeSet<u128> = found.iter().copied().collect();
        assert_eq!(set.len(), found.len(), "{what}: none twice in {found:?}");
        let open: BTreeSet<u128> = kept.difference(&self.done).copied().collect();
        assert!(open.is_subset(&set), "{what}: lost {:?}", open.difference(&set));
        // One whose new name never reached the disk may be found again under its old one.
        let (found_bytes, needed) = (journal.stats().disk_bytes, self.journal.stats().disk_bytes);
        assert!(found_bytes <= needed + 4096 + 2048, "{what}: {found_bytes} of {needed}");
        assert!(entries.iter().all(|e| e.body.len() == length(e.record.as_u128())), "{what}");
        assert!(entries.is_sorted_by_key(|e| e.position.seq), "{what}: in order: {found:?}");
    }
}

#[tokio::test]
async fn spent_files_are_written_over() {
    let mut flow = Flow::new(Sim::default(), Durability::Durable);
    let mut segments = BTreeSet::new();
    for _ in 0..100 {
        flow.round().await;
        segments.extend(flow.held.iter().map(|e| e.position.segment));
    }
    assert!(segments.len() > 20, "{}", segments.len());
    assert!(flow.sim.created() <= 5, "{} files for {} segments", flow.sim.created(), segments.len());
    assert_eq!(flow.done.len() + flow.held.len(), 400);
    assert!(flow.sim.files().len() <= 5, "and no more are kept");
}

#[tokio::test]
async fn nothing_of_a_spent_segment_comes_back() {
    let mut flow = Flow::new(Sim::default(), Durability::Durable);
    for n in 0..120 {
        flow.round().await;
        flow.check(&flow.sim.killed(), "killed");
        // Some frames are written and not synced when the power goes.
        flow.journal.append_unwatched(sized(FrameKind::Begin, 1_000_000 + n));
        for torn in [0, 1, 59, 60, 150, 10_000] {
            flow.check(&flow.sim.power_cut(torn), &format!("power cut, the first {torn} bytes made it"));
            flow.check(&flow.sim.power_cut_backwards(torn), &format!("power cut, the last {torn} bytes made it"));
        }
    }
}

#[tokio::test]
async fn a_start_in_a_file_that_was_used_before_is_no_damage() {
    let mut flow = Flow::new(Sim::default(), Durability::Durable);
    let mut over = 0;
    for _ in 0..60 {
        flow.round().await;
        let killed = flow.sim.killed();
        let longer = killed.used() as u64 > flow.journal.stats().disk_bytes + 200;
        over += u32::from(longer);
        let (journal, mut reader) = open(&killed, Durability::Durable);
        // Each is given back when all is dealt with: were one damaged, it would be kept aside.
        deal_with(&journal, &read_all(&mut reader));
        let stats = journal.stats();
        assert_eq!((stats.bytes_cut, stats.frames_lost, stats.segments_aside), (0, 0, 0));
        drop((journal, reader));
        assert!(killed.files().keys().all(|path| path.extension().is_none()), "spares go with a start");
    }
    assert!(over > 20, "there was something to cut: {over}");
}

/// A segment in a file that was used before, of six frames: three that were synced one by one and three of one group, whose
/// first one is not whole.
fn with_a_hole(rot: usize) -> BTreeMap<PathBuf, Vec<u8>> {
    let salts = Salts::random();
    let mut bytes = SegmentHeader { first: 7, previous: (0, 0), salts, reused: true }.to_bytes();
    let mut starts = Vec::new();
    for (seq, synced) in (7..).zip([7, 8, 9, 10, 10, 10]) {
        starts.push(bytes.len());
        frame::encode(&mut bytes, &sized(FrameKind::Begin, seq.into()), seq, synced, salts);
    }
    for frame in BTreeSet::from([rot, 3]) {
        bytes[starts[frame] + 150] ^= 1;
    }
    bytes.extend_from_slice(b"what the file held before");
    BTreeMap::from([("/j/0000000000000007".into(), bytes)])
}

/// Pages of a group may reach the disk in any order. What is torn then was promised to nobody, and nobody is alarmed; a frame
/// that was on disk before and rots is counted, as it always is.
#[test]
fn a_hole_in_what_was_not_synced_is_no_loss() {
    for (rot, left, lost) in [(3, vec![7, 8, 9, 11, 12], 0), (1, vec![7, 9, 11, 12], 1), (5, vec![7, 8, 9, 11], 0)] {
        let (journal, mut reader) = open(&Sim::with_files(&with_a_hole(rot)), Durability::Durable);
        let entries = read_all(&mut reader);
        assert_eq!(entries.iter().map(|e| e.record.as_u128()).collect::<Vec<_>>(), left);
        deal_with(&journal, &entries);
        let stats = journal.stats();
        assert_eq!((stats.frames_lost, stats.segments_aside), (lost, lost), "rot in frame {rot}");
        assert_eq!((stats.segments, stats.bytes_cut), (0, 0));
    }
}

#[tokio::test]
async fn nothing_stays_on_the_disk() {
    let mut flow = Flow::new(Sim::default(), Durability::Durable);
    for _ in 0..40 {
        flow.round().await;
    }
    assert!(flow.sim.files().keys().any(|path| path.extension().is_some()), "there are spares");
    deal_with(&flow.journal, &flow.held);
    let deadline = Instant::now() + Duration::from_secs(10);
    while flow.sim.used() > 0 {
        assert!(Instant::now() < deadline, "{} bytes stay", flow.sim.used());
        std::thread::yield_now();
    }
    assert_eq!(flow.sim.files().len(), 0);
}

#[tokio::test]
async fn a_clean_end_leaves_what_is_needed() {
    let mut flow = Flow::new(Sim::default(), Durability::Durable);
    for _ in 0..41 {
        flow.round().await;
    }
    flow.journal.close();
    assert_eq!(flow.sim.used() as u64, flow.journal.stats().disk_bytes, "no spares, nothing behind the last frame");
    flow.check(&flow.sim.power_cut(0), "closed");
}

#[tokio::test]
async fn any_one_operation_may_fail() {
    for durability in [Durability::Durable, Durability::Fast] {
        let mut clean = Flow::new(Sim::default(), durability);
        for _ in 0..30 {
            clean.round().await;
        }
        let ops = clean.sim.ops();
        assert!(ops > 60);
        for (op, errno) in (0..ops).flat_map(|op| ERRORS.map(|errno| (op, errno))) {
            let sim = Sim::default();
            sim.fail_at(op, errno);
            let mut flow = Flow::new(sim, durability);
            for _ in 0..30 {
                flow.round().await;
            }
            let what = format!("operation {op} fails with {errno}");
            assert!(flow.kept.len() >= 116, "{what}: at most one round: {}", flow.kept.len());
            flow.check(&flow.sim.killed(), &what);
            if durability == Durability::Durable {
                flow.check(&flow.sim.power_cut(op * 7 % 300), &what);
            }
            // The file that tries whether the disk works again comes and goes.
            let files = flow.sim.files().into_iter().filter(|(path, _)| !path.ends_with("probe"));
            let used: u64 = files.map(|(_, data)| data.len() as u64).sum();
            let needed = flow.journal.stats().disk_bytes;
            assert!(used <= needed + 4 * (4096 + 2048 + SEGMENT_HEADER), "{what}: {used} bytes, {needed} are needed");
        }
    }
}

#[tokio::test]
async fn the_power_may_go_at_any_operation() {
    let mut clean = Flow::new(Sim::default(), Durability::Durable);
    for _ in 0..40 {
        clean.round().await;
    }
    for op in 0..clean.sim.ops() {
        let mut flow = Flow::new(Sim::default(), Durability::Durable);
        flow.sim.cut_at(op);
        for _ in 0..40 {
            let kept = flow.kept.clone();
            flow.round().await;
            if let Some(disk) = flow.sim.was_cut() {
                flow.check_for(&kept, &disk, &format!("before operation {op}"));
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_journal_that_fills_up_keeps_no_spares() {
    let sim = Sim::default();
    let mut flow = Flow::new(sim.clone(), Durability::Durable);
    for _ in 0..40 {
        flow.round().await;
    }
    assert!(sim.files().keys().any(|path| path.extension().is_some()));
    // Others fill the disk.
    sim.capacity(Some(sim.used()));
    let deadline = Instant::now() + Duration::from_secs(10);
    while sim.files().keys().any(|path| path.extension().is_some()) {
        assert!(Instant::now() < deadline, "the spares go");
        std::thread::yield_now();
    }
}
