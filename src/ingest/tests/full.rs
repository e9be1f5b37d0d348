//! A journal that fills up: rows and gaps together are exactly the calls that were served, whatever the disk does.

use super::*;
use crate::journal::Step;
use crate::journal::tests::open_scripted;
use crate::journal::tests::sim::Sim;

/// What a client knows: calls that it believes to be on record, and the number of those whose answer said otherwise.
#[derive(Default)]
struct Ledger {
    logged: Vec<(RecordId, OrgId)>,
    not_logged: BTreeMap<OrgId, i64>,
}

impl Ledger {
    /// A call as the proxy makes it; in its middle the world may change.
    async fn serve(&mut self, ingest: &Ingest, org: OrgId, body: usize, in_between: impl FnOnce()) {
        let mut begin = begin("/v1/x");
        begin.org = org;
        if !ingest.puts_on_record(org, begin.at) {
            *self.not_logged.entry(org).or_default() += 1;
            return;
        }
        ingest.begin(&begin, vec![Bytes::from_static(b"{}")], None);
        in_between();
        let facts = BodyFacts { len: body as u64, ..BodyFacts::default() };
        let end = End { response: facts, ..end(begin.record) };
        // Whether it is kept now or waits in memory: the client has its answer.
        ingest.end(org, &end, vec![Bytes::from(vec![b'a'; body])], None).wait().await.ok();
        self.logged.push((begin.record, org));
    }

    fn check(&self, sink: &Memory) {
        for (record, org) in &self.logged {
            let row = sink.row(*record).unwrap_or_else(|| panic!("{record} has no row"));
            assert_eq!((row.org, row.outcome, row.path.as_str()), (*org, Outcome::Complete, "/v1/x"));
        }
        assert_eq!(sink.with(|t| t.rows.len()), self.logged.len(), "no row but of calls that were served");
        let mut gaps: BTreeMap<OrgId, i64> = BTreeMap::new();
        for gap in sink.with(|t| t.gaps.clone()).into_values() {
            assert!(gap.calls > 0 && gap.minute.0 % 60_000_000 == 0 && gap.reason == "journal_full", "{gap:?}");
            *gaps.entry(gap.org).or_default() += gap.calls;
        }
        assert_eq!(gaps, self.not_logged);
    }
}

/// Calls come until the journal is full; what the drain gives back in between is gone at once.
async fn fill_up(disk: &Sim, ingest: &Ingest, ledger: &mut Ledger, free: usize) {
    let deadline = Instant::now() + LIMIT;
    while ingest.step() != Step::Full {
        assert!(Instant::now() < deadline, "it never filled up");
        ledger.serve(ingest, OrgId::DEFAULT, 300, || disk.capacity(Some(disk.used() + free))).await;
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::task::yield_now().await;
    }
}

fn rig(disk: &Sim, sink: &Memory, max_bytes: u64) -> Rig {
    let options = JournalOptions { max_bytes, reserve_bytes: 8 << 10, ..options(Path::new("/j")) };
    start_on(open_scripted(disk, options), sink)
}

#[tokio::test]
async fn rows_and_gaps_are_the_calls_that_were_served() {
    let (disk, sink) = (Sim::default(), Memory::default());
    let rig = rig(&disk, &sink, 1 << 30);
    let orgs = [OrgId::DEFAULT, OrgId::generate()];
    let mut ledger = Ledger::default();
    for round in 0..6 {
        for n in 0..20 {
            ledger.serve(&rig.ingest, orgs[n % 2], 300, || {}).await;
        }
        // The disk fills up in the middle of a call, and again under those that follow.
        fill_up(&disk, &rig.ingest, &mut ledger, 17 * round).await;
        for n in 0..10 + round {
            ledger.serve(&rig.ingest, orgs[n % 2], 300, || {}).await;
        }
        assert!(rig.ingest.takes_log(0).is_err());
        disk.capacity(None);
        until("it is normal again", || rig.ingest.step() == Step::Normal).await;
    }
    let missing = rig.ingest.missing();
    for org in orgs {
        assert_eq!(missing[&org].calls_not_logged, u64::try_from(ledger.not_logged[&org]).unwrap());
    }
    until("no gap waits", || orgs.iter().all(|org| rig.ingest.gaps_waiting(*org) == 0)).await;
    until("no frame waits", || rig.ingest.journal().stats().late == 0).await;
    assert!(rig.ingest.settled(LIMIT).await);
    ledger.check(&sink);
    assert!(rig.ingest.close(LIMIT).await);
}

#[tokio::test]
async fn a_close_on_a_full_disk_loses_no_count_and_no_end() {
    let (disk, sink) = (Sim::default(), Memory::default());
    let rig = rig(&disk, &sink, 1 << 30);
    until("the reserve is there", || disk.files().contains_key(Path::new("/j/reserve"))).await;
    let mut ledger = Ledger::default();
    ledger.serve(&rig.ingest, OrgId::DEFAULT, 300, || {}).await;
    ledger.serve(&rig.ingest, OrgId::DEFAULT, 9_000, || disk.capacity(Some(disk.used()))).await;
    until("it is full", || rig.ingest.step() == Step::Full).await;
    for _ in 0..7 {
        ledger.serve(&rig.ingest, OrgId::DEFAULT, 300, || {}).await;
    }
    assert_eq!(ledger.not_logged[&OrgId::DEFAULT], 7);
    rig.ingest.close(Duration::from_millis(50)).await;
    rig.tasks.join_all().await;

    let rig = self::rig(&disk, &sink, 1 << 30);
    assert!(rig.ingest.settled(LIMIT).await);
    ledger.check(&sink);
    let (late, _) = ledger.logged[1];
    let row = sink.row(late).unwrap();
    assert_eq!((row.response.bytes.len(), row.response.facts.len), (0, 9_000), "its body found no room");
    assert_eq!(row.response.facts.kept, crate::model::capture::Kept::Shed);
    assert!(row.response.facts.sha256.is_some());
}

#[tokio::test]
async fn while_the_store_is_away_past_minutes_are_on_disk_and_replays_count_once() {
    let (disk, sink) = (Sim::default(), Memory::default());
    let rig = rig(&disk, &sink, 64 << 10);
    sink.with(|t| t.away = true);
    let mut ledger = Ledger::default();
    until("it is full", || {
        rig.ingest.step() == Step::Full || {
            let posted = posted();
            drop(
                rig.ingest.state.journal.append(
                    build(
                        FrameKind::Posted,
                        (posted.record, posted.org),
                        &posted,
                        (vec![Bytes::from(vec![b' '; 500])], None),
                    )
                    .unwrap(),
                ),
            );
            false
        }
    })
    .await;
    let long_ago = Micros(90 * 60_000_000 + 5);
    for _ in 0..3 {
        assert!(!rig.ingest.puts_on_record(OrgId::DEFAULT, long_ago));
    }
    until("the minute is written", || rig.ingest.gaps_waiting(OrgId::DEFAULT) == 0).await;
    ledger.serve(&rig.ingest, OrgId::DEFAULT, 1, || {}).await;
    rig.crash().await;

    // The count of the current minute is lost with the process; the one on disk is stored once.
    sink.with(|t| t.away = false);
    for _ in 0..2 {
        let rig = self::rig(&disk.killed(), &sink, 64 << 10);
        assert!(rig.ingest.settled(LIMIT).await);
        let gaps: Vec<Gap> = sink.with(|t| t.gaps.values().cloned().collect());
        assert_eq!(gaps.iter().map(|gap| (gap.minute, gap.calls)).collect::<Vec<_>>(), [(Micros(90 * 60_000_000), 3)]);
    }
}

#[tokio::test]
async fn while_bodies_are_shed_small_logs_are_taken() {
    let (disk, sink) = (Sim::default(), Memory::default());
    let rig = rig(&disk, &sink, 100_000);
    sink.with(|t| t.away = true);
    assert!(rig.ingest.takes_log(1 << 20).is_ok());
    while rig.ingest.step() < Step::Shedding {
        rig.ingest.log(&posted(), Bytes::from(vec![b' '; 700])).await.unwrap();
    }
    assert!(rig.ingest.sheds_bodies());
    assert!(rig.ingest.takes_log(SMALL_LOG).is_ok());
    assert!(rig.ingest.takes_log(SMALL_LOG + 1).is_err());
    sink.with(|t| t.away = false);
    until("it is normal again", || rig.ingest.step() == Step::Normal).await;
}

fn posted() -> Posted {
    Posted {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros::now(),
        route: crate::model::capture::LogRoute::Custom,
        tags: Tags::default(),
        notes: Vec::new(),
    }
}
