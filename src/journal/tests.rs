//! The journal against the real file system: what goes in comes out, once, over restarts.

use super::*;

fn options(dir: &std::path::Path) -> JournalOptions {
    JournalOptions {
        dir: dir.to_owned(),
        durability: Durability::Durable,
        segment_bytes: 4096,
        group_bytes: 2048,
        max_bytes: 1 << 30,
    }
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
