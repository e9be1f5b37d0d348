//! The drain against a sink in memory that goes away, refuses rows and counts what it is sent twice.

mod broken;
mod fixture;
mod full;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use super::*;
use crate::journal::{DeadFolder, Durability, JournalOptions, unpack};
use crate::model::capture::{BodyFacts, Outcome, WireFormat};
use crate::model::dead_letter::{DeadLetter, LetterKind};
use crate::model::gap::Gap;
use crate::model::headers::Headers;
use crate::model::id::RequestId;
use crate::model::query::Written;
use crate::model::tags::Tags;
use crate::model::units::Micros;
use crate::store::StoreError;

#[derive(Default)]
struct Table {
    rows: BTreeMap<RecordId, Exchange>,
    gaps: BTreeMap<RecordId, Gap>,
    away: bool,
    poison: BTreeSet<RecordId>,
    /// The error for poison is a defect's.
    defect: bool,
    /// Every write fails as a defect.
    broken: bool,
    /// Every write is refused.
    refusing: bool,
    /// A batch of more rows takes too long.
    slow_over: Option<usize>,
    /// A write of poison panics.
    panics: bool,
    /// After so many rows the store is broken.
    breaks_at: Option<usize>,
    tries: usize,
    letters: Vec<DeadLetter>,
    /// The table of letters refuses everything.
    no_letters: bool,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Table>>);

impl Table {
    fn check(&self, batch: &[Exchange]) -> Result<(), StoreError> {
        let poisoned = batch.iter().any(|row| self.poison.contains(&row.record));
        if self.away {
            return Err(StoreError::Unavailable(sqlx::Error::PoolClosed));
        }
        if self.slow_over.is_some_and(|most| batch.len() > most) {
            return Err(StoreError::away());
        }
        assert!(!self.panics || !poisoned, "a defect");
        if self.broken || self.defect && poisoned || self.breaks_at.is_some_and(|at| self.rows.len() >= at) {
            return Err(StoreError::Internal(sqlx::Error::RowNotFound));
        }
        if self.refusing || poisoned {
            return Err(StoreError::Rejected(sqlx::Error::RowNotFound));
        }
        Ok(())
    }
}

impl Sink for Memory {
    async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        let mut table = hold(&self.0);
        table.tries += 1;
        table.check(batch)?;
        let mut written = Written::default();
        for row in batch {
            match table.rows.insert(row.record, row.clone()) {
                None => written.new.push((row.org, row.id)),
                Some(_) => written.replayed += 1,
            }
        }
        Ok(written)
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        hold(&self.0).check(&[])
    }

    async fn bury(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        let mut table = hold(&self.0);
        if table.no_letters {
            return Err(StoreError::Internal(sqlx::Error::RowNotFound));
        }
        table.letters.push(letter.clone());
        Ok(())
    }

    async fn write_gaps(&mut self, gaps: &[Gap]) -> Result<(), StoreError> {
        let mut table = hold(&self.0);
        if table.away {
            return Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut));
        }
        table.gaps.extend(gaps.iter().map(|gap| (gap.id, gap.clone())));
        Ok(())
    }
}

/// A sink that panicked holds nothing that is half done.
fn hold(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn with<T>(&self, f: impl FnOnce(&mut Table) -> T) -> T {
        f(&mut hold(&self.0))
    }
    fn row(&self, record: RecordId) -> Option<Exchange> {
        self.with(|t| t.rows.get(&record).cloned())
    }
    async fn until(&self, done: impl Fn(&Table) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.with(|t| done(t)) {
            assert!(Instant::now() < deadline, "it did not happen in time");
            tokio::task::yield_now().await;
        }
    }
}

/// Panics once more when the panic that carries it is dropped: no net holds it.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a defect");
    }
}

struct Rig {
    ingest: Ingest,
    tasks: JoinSet<DrainEnd>,
}

const LIMIT: Duration = Duration::from_secs(10);

fn options(dir: &Path) -> JournalOptions {
    JournalOptions {
        dir: dir.to_owned(),
        durability: Durability::Durable,
        segment_bytes: 8 << 10,
        group_bytes: 4 << 10,
        max_bytes: 1 << 30,
        min_free_bytes: 0,
        reserve_bytes: 0,
    }
}

fn start(dir: &Path, sink: &Memory) -> Rig {
    start_on(Journal::open(options(dir)).unwrap(), sink)
}

fn start_on((journal, reader): (Journal, Reader), sink: &Memory) -> Rig {
    let understand: Understand = Arc::new(|capture| {
        if let Capture::Call { begin, .. } = &capture {
            assert_ne!(begin.path, "/panic", "a parser that fails");
            if begin.path == "/bomb" {
                std::panic::panic_any(Bomb);
            }
        }
        let mut row = fallback::plain(capture);
        row.notes.clear();
        row
    });
    let options = DrainOptions {
        frames: 64,
        linger: Duration::from_millis(1),
        retry_first: Duration::from_millis(1),
        retry_most: Duration::from_millis(5),
        ..DrainOptions::default()
    };
    let live = Live::new(16);
    let parts = IngestParts { journal, reader, understand, live, budget: Budget::new(1 << 20), options };
    let (ingest, task) = Ingest::start(parts, sink.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run());
    Rig { ingest, tasks }
}

impl Rig {
    /// As a crash leaves it: nothing is waited for.
    async fn crash(mut self) {
        self.tasks.shutdown().await;
        self.ingest.journal().close();
    }
}

fn begin(path: &str) -> Begin {
    Begin {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros::now(),
        method: "POST".into(),
        path: path.into(),
        target_url: String::new(),
        provider: "openai".into(),
        format: WireFormat::Openai,
        headers: Headers::NONE,
        tags: Tags::default(),
        notes: Vec::new(),
        request: Some(BodyFacts { len: 2, ..BodyFacts::default() }),
    }
}

fn end(record: RecordId) -> End {
    End {
        record,
        outcome: Outcome::Complete,
        status: 200,
        duration_us: 5,
        head_us: None,
        first_byte_us: None,
        headers: Headers::NONE,
        response: BodyFacts::default(),
        error: None,
        notes: Vec::new(),
    }
}

async fn call(ingest: &Ingest, path: &str) -> RecordId {
    let begin = begin(path);
    ingest.begin(&begin, vec![Bytes::from_static(b"{}")], ingest.budget().take(2));
    ingest.end(begin.org, &end(begin.record), vec![Bytes::from_static(b"answer")], None).wait().await.unwrap();
    begin.record
}

#[tokio::test]
async fn a_call_and_a_log_reach_the_sink_whole() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    assert!(rig.ingest.settled(LIMIT).await, "an empty journal is settled");
    let whole = call(&rig.ingest, "/v1/x").await;
    // A body that came later, too long to be kept in memory until the end.
    let mut late = begin("/late");
    late.request = None;
    rig.ingest.begin(&late, Vec::new(), None);
    let long = Bytes::from(vec![b'z'; 200_000]);
    let request = RequestBody { record: late.record, request: BodyFacts { len: 200_000, ..BodyFacts::default() } };
    rig.ingest.request(late.org, &request, vec![long.slice(..50_000), long.slice(50_000..)], None);
    assert!(rig.ingest.settled(LIMIT).await, "a call that goes on does not hold it up");
    assert!(sink.row(late.record).is_none());
    rig.ingest.end(late.org, &end(late.record), Vec::new(), None).wait().await.unwrap();
    let posted = Posted {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros::now(),
        route: crate::model::capture::LogRoute::Custom,
        tags: Tags::default(),
        notes: Vec::new(),
    };
    rig.ingest.log(&posted, Bytes::from_static(b"{\"a\":1}")).await.unwrap();
    assert!(rig.ingest.settled(LIMIT).await);

    let row = sink.row(whole).unwrap();
    assert_eq!((&row.request.bytes[..], &row.response.bytes[..]), (&b"{}"[..], &b"answer"[..]));
    assert_eq!(row.id, RequestId(whole.0));
    assert_eq!(sink.row(late.record).unwrap().request.bytes, long);
    assert_eq!(sink.row(posted.record).unwrap().request.bytes, "{\"a\":1}".as_bytes());
    assert_eq!(rig.ingest.budget().used(), 0);
    assert_eq!(rig.ingest.stats().stored, 3);
    assert!(rig.ingest.close(LIMIT).await);
    assert_eq!(rig.tasks.join_all().await.len(), 1, "the drain ends by itself");
}

#[tokio::test]
async fn a_sink_that_was_away_gets_everything() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    sink.with(|t| t.away = true);
    let mut records = Vec::new();
    for _ in 0..300 {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    sink.until(|t| t.tries > 5).await;
    assert!(!rig.ingest.settled(Duration::from_millis(20)).await);
    assert!(rig.ingest.journal().stats().oldest_waiting.is_some());
    sink.with(|t| t.away = false);
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert!(rig.ingest.close(LIMIT).await);
}

#[tokio::test]
async fn a_close_while_the_sink_is_away_keeps_all_for_the_next_start() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    sink.with(|t| t.away = true);
    let record = call(&rig.ingest, "/v1/x").await;
    assert!(!rig.ingest.close(Duration::from_millis(30)).await);
    rig.tasks.join_all().await;
    sink.with(|t| t.away = false);
    let rig = start(dir.path(), &sink);
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(sink.row(record).is_some());
}

#[tokio::test]
async fn after_a_crash_calls_are_there_once_and_the_unfinished_are_interrupted() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    let open = begin("/open");
    rig.ingest.begin(&open, vec![Bytes::from_static(b"asked")], None);
    let mut records = Vec::new();
    for _ in 0..50 {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    assert!(rig.ingest.settled(LIMIT).await);
    rig.crash().await;

    let rig = start(dir.path(), &sink);
    let own = begin("/own");
    rig.ingest.begin(&own, Vec::new(), None);
    assert!(rig.ingest.settled(LIMIT).await);
    let row = sink.row(open.record).unwrap();
    assert_eq!((row.outcome, &row.request.bytes[..]), (Outcome::Interrupted, &b"asked"[..]));
    assert!(sink.row(own.record).is_none(), "a call of this process goes on");
    assert_eq!(sink.with(|t| t.rows.len()), 51, "replays are no new rows");
    rig.crash().await;

    let rig = start(dir.path(), &sink);
    assert!(rig.ingest.settled(LIMIT).await);
    assert_eq!(sink.row(own.record).unwrap().outcome, Outcome::Interrupted);
}

#[tokio::test]
async fn a_poison_row_is_put_aside_and_blocks_nobody() {
    poison(false).await;
}

#[tokio::test]
async fn a_row_that_the_store_trips_over_is_put_aside_too() {
    poison(true).await;
}

#[tokio::test]
async fn a_row_whose_writing_panics_is_put_aside_too() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    sink.with(|t| t.panics = true);
    let rig = start(dir.path(), &sink);
    poisoned(&rig, &sink, 3).await;
}

#[tokio::test]
async fn a_batch_that_takes_too_long_goes_in_by_parts() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    sink.with(|t| t.slow_over = Some(3));
    let rig = start(dir.path(), &sink);
    let mut records = Vec::new();
    for _ in 0..40 {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert_eq!(rig.ingest.stats().dead, 0);
}

async fn poison(defect: bool) {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    sink.with(|t| {
        t.away = true;
        t.defect = defect;
    });
    let mut records = Vec::new();
    for _ in 0..39 {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    let letter = poisoned(&rig, &sink, 1).await;
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert_eq!(letter.reason, "the gateway failed to write it");
}

/// Sends `rows` calls around one that is poison; its letter, after everything else was stored.
async fn poisoned(rig: &Rig, sink: &Memory, rows: usize) -> DeadLetter {
    let mut records = Vec::new();
    sink.with(|t| t.away = true);
    for _ in 0..=rows {
        records.push(call(&rig.ingest, "/v1/x").await);
    }
    let poison = records.remove(rows / 2);
    sink.with(|t| {
        t.poison.insert(poison);
        t.away = false;
    });
    assert!(rig.ingest.settled(LIMIT).await);
    assert!(records.iter().all(|record| sink.row(*record).is_some()));
    assert!(sink.row(poison).is_none());
    assert_eq!(rig.ingest.stats().dead, 1);
    let letter = sink.with(|t| t.letters.pop()).unwrap();
    assert_eq!((letter.record, letter.org, letter.kind), (poison, OrgId::DEFAULT, LetterKind::Call));
    let bodies: Vec<Bytes> = unpack(&letter.frames).unwrap().into_iter().map(|entry| entry.body).collect();
    assert_eq!(bodies, [&b"{}"[..], b"answer"], "its begin and its end");
    letter
}

#[tokio::test]
async fn what_the_table_of_letters_refuses_goes_to_the_folder() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    sink.with(|t| t.no_letters = true);
    let record = begin("/v1/x").record;
    sink.with(|t| t.poison.insert(record));
    rig.ingest.end(OrgId::DEFAULT, &end(record), vec![Bytes::from_static(b"kept")], None).wait().await.unwrap();
    assert!(rig.ingest.settled(LIMIT).await);
    let files = DeadFolder::of(dir.path()).list().unwrap();
    let entries = DeadFolder::read(&files[0]).unwrap();
    assert_eq!((files.len(), entries[0].record, &entries[0].body[..]), (1, record.0, &b"kept"[..]));
}

#[tokio::test]
async fn a_drain_that_dies_says_so() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let mut rig = start(dir.path(), &sink);
    sink.with(|t| t.away = true);
    call(&rig.ingest, "/v1/x").await;
    call(&rig.ingest, "/bomb").await;
    let ended = tokio::time::timeout(LIMIT, rig.tasks.join_next()).await.expect("although the store is away");
    assert_eq!(ended.unwrap().unwrap(), DrainEnd::Died);
    rig.ingest.journal().close();
    // Nothing of it was acknowledged: a better version finds it again.
    let options = JournalOptions {
        dir: dir.path().to_owned(),
        durability: Durability::Durable,
        segment_bytes: 8 << 10,
        group_bytes: 4 << 10,
        max_bytes: 1 << 30,
        min_free_bytes: 0,
        reserve_bytes: 0,
    };
    let (_journal, mut reader) = Journal::open(options).unwrap();
    let mut entries = Vec::new();
    reader.read(crate::journal::Limits { frames: 100, bytes: 1 << 20 }, &mut entries).unwrap();
    assert_eq!(entries.len(), 4);
}

#[tokio::test]
async fn a_panic_costs_the_meaning_and_a_lost_begin_is_noted() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Memory::default());
    let rig = start(dir.path(), &sink);
    let panicked = call(&rig.ingest, "/panic").await;
    let orphan = RecordId::generate();
    rig.ingest.end(OrgId::DEFAULT, &end(orphan), vec![Bytes::from_static(b"tail")], None).wait().await.unwrap();
    let after = call(&rig.ingest, "/v1/x").await;
    assert!(rig.ingest.settled(LIMIT).await);
    let row = sink.row(panicked).unwrap();
    assert_eq!(row.notes.last().unwrap().code, "understand.failed");
    assert_eq!(row.response.bytes, "answer".as_bytes());
    let row = sink.row(orphan).unwrap();
    assert_eq!(row.response.bytes, "tail".as_bytes());
    assert!((Micros::now() - row.started_at).abs() < 60_000_000, "its time is in its id");
    assert!(sink.row(after).is_some());
}
