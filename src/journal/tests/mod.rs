//! The journal against the real file system (restart, kill -9) and against a simulated one (`faults`, `damage`).

#![expect(clippy::cast_possible_truncation, reason = "sizes of test data")]

mod damage;
mod faults;
mod fullness;
pub(crate) mod sim;
mod spare;
mod torn;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

fn options(dir: &std::path::Path) -> JournalOptions {
    JournalOptions {
        dir: dir.to_owned(),
        durability: Durability::Durable,
        segment_bytes: 4096,
        group_bytes: 2048,
        max_bytes: 1 << 30,
        min_free_bytes: 0,
        reserve_bytes: 0,
    }
}

/// A journal on a scripted disk, for tests of those who use one.
pub(crate) fn open_scripted(disk: &sim::Sim, options: JournalOptions) -> (Journal, Reader) {
    Journal::open_on(Arc::new(disk.clone()), options).unwrap()
}

fn frame(kind: FrameKind, n: u128) -> Frame {
    Frame {
        kind,
        record: Uuid::from_u128(n),
        org: Uuid::from_u128(1),
        head: format!("{{\"n\":{n}}}").into_bytes(),
        body: vec![Bytes::from(vec![b'x'; 100]), Bytes::from_static(b"end")],
        hold: None,
    }
}

fn read_all(reader: &mut Reader) -> Vec<Entry> {
    let mut out = Vec::new();
    while !reader.read(Limits { frames: 10, bytes: 1 << 20 }, &mut out).unwrap().caught_up {}
    out
}

/// These are dealt with, and nothing before the tail is open; the segments that nobody needs go.
fn deal_with(journal: &Journal, entries: &[Entry]) {
    let positions: Vec<Position> = entries.iter().map(|e| e.position).collect();
    journal.give_back(journal.acknowledge(&positions, journal.tail()));
}

#[tokio::test]
async fn what_was_acknowledged_is_read_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, mut reader) = Journal::open(options(dir.path())).unwrap();
    for n in 0..100 {
        journal.append(frame(FrameKind::Begin, n)).wait().await.unwrap();
    }
    assert_eq!(read_all(&mut reader).len(), 100);
    assert!(journal.stats().segments > 1, "tiny segments rotate");
    assert!(matches!(Journal::open(options(dir.path())), Err(JournalError::Locked(_))));
    drop((journal, reader));

    let (journal, mut reader) = Journal::open(options(dir.path())).unwrap();
    let entries = read_all(&mut reader);
    let records: Vec<u128> = entries.iter().map(|e| e.record.as_u128()).collect();
    assert_eq!(records, (0..100).collect::<Vec<_>>());
    assert_eq!(entries[7].head, "{\"n\":7}".as_bytes());
    assert_eq!(entries[7].body.len(), 103);

    let positions: Vec<Position> = entries.iter().map(|e| e.position).collect();
    let spent = journal.acknowledge(&positions, 101);
    journal.give_back(spent);
    assert_eq!(journal.stats().disk_bytes, 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the lock file stays");
}

/// Not a test of its own: the process that `kill_9` kills.
#[tokio::test]
async fn kill_9_child() {
    let Ok(dir) = std::env::var("TRAILGATE_TEST_KILL_DIR") else { return };
    let from: u128 = std::env::var("TRAILGATE_TEST_KILL_FROM").unwrap().parse().unwrap();
    let mut options = options(std::path::Path::new(&dir));
    options.segment_bytes = 64 << 10;
    let (journal, _reader) = Journal::open(options).unwrap();
    for n in from.. {
        journal.append_unwatched(frame(FrameKind::Begin, n + (1 << 64)));
        journal.append(frame(FrameKind::End, n)).wait().await.unwrap();
        println!("acked {n}");
    }
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acked = BTreeSet::new();
    for round in 0..6_u128 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::tests::kill_9_child", "--nocapture"])
            .env("TRAILGATE_TEST_KILL_DIR", dir.path())
            .env("TRAILGATE_TEST_KILL_FROM", (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut seen = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            // libtest may put its own words before the first line.
            let Some((_, n)) = line.split_once("acked ") else { continue };
            acked.insert(n.parse::<u128>().unwrap());
            seen += 1;
            if seen == 150 + 37 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(acked.len() > 1_000);
    let (_journal, mut reader) = Journal::open(options(dir.path())).unwrap();
    let found: BTreeSet<u128> = read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect();
    assert_eq!(acked.difference(&found).count(), 0);
}
