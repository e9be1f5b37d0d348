//! F3 to F7: the database is stopped, restarted, silent, slow, read-only or full, and comes back. Calls go on as if nothing
//! had happened, and everything is there soon after.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::report::{Row, long, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::disk::Disk;
use crate::support::ledger::{Load, Running, Target};
use crate::support::mill::Mill;
use crate::support::pg_server::{PgServer, Stop};
use crate::support::proc;
use crate::support::relay::Relay;

rows! {
    f03_stopped_postgres: stopped(Postgres);
    f03_locked_sqlite: locked(Sqlite);
    f04_restarts_postgres: restarts(Postgres);
    #[ignore = "long form only"]
    f05_silent_postgres: silent(Postgres);
    #[ignore = "long form only"]
    f05_frozen_postgres: frozen(Postgres);
    #[ignore = "long form only"]
    f06_slow_postgres: slow(Postgres);
    f07_read_only_postgres: read_only(Postgres);
    f07_full_sqlite: full(Sqlite);
}

/// What is wrong with the database, and for how long.
#[derive(Clone, Copy)]
struct Outage {
    how: How,
    lasts: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Stopped,
    Locked,
    Restarts,
    Silent,
    Frozen,
    Slow,
    ReadOnly,
    Full,
}

/// The database of one row.
enum Database {
    Postgres { server: Box<PgServer>, relay: Relay },
    Sqlite { disk: Option<Disk>, folder: tempfile::TempDir, lock: Option<SqliteConnection> },
}

impl Database {
    async fn start(backend: Backend, how: How) -> Option<Self> {
        Some(match backend {
            Backend::Postgres => {
                let server = Box::new(PgServer::start().await);
                let relay = Relay::start(server.addr).await;
                Self::Postgres { server, relay }
            }
            Backend::Sqlite => {
                let disk = if how == How::Full { Some(Disk::in_memory(48)?) } else { None };
                Self::Sqlite { disk, folder: tempfile::tempdir().expect("a temporary folder"), lock: None }
            }
        })
    }

    /// As the test reads it.
    fn url(&self) -> String {
        match self {
            Self::Postgres { server, .. } => server.url(),
            Self::Sqlite { disk, folder, .. } => {
                let at = disk.as_ref().map_or_else(|| folder.path().to_owned(), Disk::path);
                format!("sqlite://{}", at.join("calls.db").display())
            }
        }
    }

    /// As the gateway reaches it.
    fn url_for_gateway(&self) -> String {
        match self {
            Self::Postgres { server, relay } => relay.url(&server.url()),
            Self::Sqlite { .. } => self.url(),
        }
    }

    async fn break_down(&mut self, how: How) {
        let url = self.url();
        match (self, how) {
            (Self::Postgres { server, .. }, How::Stopped) => server.stop(Stop::Fast).await,
            (Self::Postgres { server, .. }, How::Restarts) => server.stop(Stop::Immediate).await,
            (Self::Postgres { server, .. }, How::Frozen) => server.freeze().await,
            (Self::Postgres { server, .. }, How::ReadOnly) => server.read_only(true).await,
            (Self::Postgres { relay, .. }, How::Silent) => relay.mute(),
            (Self::Postgres { relay, .. }, How::Slow) => relay.delay(Duration::from_secs(2)),
            (Self::Sqlite { lock, .. }, How::Locked) => {
                let mut connection = SqliteConnection::connect(&url).await.expect("the database opens");
                connection.execute("PRAGMA busy_timeout = 20000").await.expect("a setting");
                connection.execute("BEGIN EXCLUSIVE").await.expect("the lock is had");
                *lock = Some(connection);
            }
            (Self::Sqlite { disk: Some(disk), .. }, How::Full) => {
                // Until the last page is gone: writes end where the space ends.
                let filling = std::io::copy(
                    &mut std::io::Read::take(std::io::repeat(0), 48 << 20),
                    &mut std::fs::File::create(disk.path().join("filling")).expect("a file"),
                );
                assert!(filling.is_err(), "the disk is full");
            }
            _ => unreachable!("this database has no such fault"),
        }
    }

    async fn mend(&mut self, how: How) {
        match (self, how) {
            (Self::Postgres { server, .. }, How::Stopped | How::Restarts) => server.start_again().await,
            (Self::Postgres { server, .. }, How::Frozen) => server.thaw().await,
            (Self::Postgres { server, .. }, How::ReadOnly) => server.read_only(false).await,
            (Self::Postgres { relay, .. }, How::Silent) => relay.answer_new(),
            (Self::Postgres { relay, .. }, How::Slow) => relay.delay(Duration::ZERO),
            (Self::Sqlite { lock, .. }, How::Locked) => {
                let mut connection = lock.take().expect("the lock");
                connection.execute("ROLLBACK").await.expect("the lock is given back");
            }
            (Self::Sqlite { disk: Some(disk), .. }, How::Full) => {
                std::fs::remove_file(disk.path().join("filling")).expect("the filling is there");
            }
            _ => unreachable!("this database has no such fault"),
        }
    }
}

/// What a read says while the database is away: the status and how long it took.
async fn read_in_between(gateway: &Gateway) -> (u16, Duration) {
    let began = Instant::now();
    let (status, _) = gateway.post("/v1/request/count/query", &serde_json::json!({"filter": "all"})).await;
    (status, began.elapsed())
}

impl Outage {
    async fn run(self, mut row: Row, backend: Backend, what: &str) {
        let Self { how, lasts } = self;
        let Some(mut database) = Database::start(backend, how).await else {
            return row.not_run("mounting needs root");
        };
        let mill = Mill::start();
        let options = GatewayOptions::new(backend).provider("openai", mill.url());
        let gateway = Gateway::start(options.database_url(database.url_for_gateway())).await;
        let rate = pick(60.0, 200.0);
        let load = Running::start(Load::rate(rate), &Target::new(&gateway.url));
        // The first calls make connections and fill caches.
        tokio::time::sleep(pick(Duration::from_secs(1), Duration::from_secs(5))).await;
        let calm = Instant::now();
        tokio::time::sleep(pick(Duration::from_secs(2), Duration::from_secs(30))).await;

        let broken = Instant::now();
        let memory = proc::rss(gateway.pid());
        let watch = proc::Watch::start(gateway.pid());
        database.break_down(how).await;
        let read = read_in_between(&gateway).await;
        while broken.elapsed() < lasts {
            if how == How::Restarts {
                tokio::time::sleep(pick(Duration::from_millis(500), Duration::from_secs(3))).await;
                database.mend(how).await;
                tokio::time::sleep(pick(Duration::from_millis(1_500), Duration::from_secs(12))).await;
                database.break_down(how).await;
            } else {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let alive = gateway.http.get(format!("{}/healthz", gateway.url)).send().await;
        row.holds("/healthz is 200 meanwhile", alive.is_ok_and(|answer| answer.status().is_success()), "no");
        let outage = broken.elapsed();
        let over = Instant::now();
        database.mend(how).await;
        let due = load.books().accepted.clone();
        let growth = watch.highest().saturating_sub(memory) as f64 / f64::from(1 << 20);
        let slack = if how == How::Silent || how == How::Frozen { 30 } else { 10 };
        let limit = outage.mul_f64(0.2) + Duration::from_secs(slack);
        let patience = limit.max(Duration::from_secs(45));
        let (_, took) = Audit::until_in(backend, &database.url(), &due, patience).await;
        let ledger = load.stop().await;
        let (audit, _) = Audit::until_in(backend, &database.url(), &ledger.accepted, patience).await;

        row.done(format!("{what} {:.0} s at {rate} calls/s, half of them streams of 2 s", outage.as_secs_f64()));
        row.audit(&audit, &ledger);
        row.holds("no call failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
        row.holds("no manual log was refused", ledger.refusals() == 0, ledger.refusals());
        row.holds("no connection broke", ledger.unknown.is_empty(), ledger.unknown.len());
        row.back("all is there", took, limit);
        let (before, during) = (ledger.p99_ms(calm, broken), ledger.p99_ms(broken, over));
        row.measured(format!("p99 {before:.1} ms before, {during:.1} ms meanwhile"));
        if how == How::Restarts {
            // A server that recovers every few seconds takes processors and disk, which are the gateway's here, too.
            row.measured(format!("added p99 {:.1} ms", during - before));
        } else {
            row.at_most("added p99", during - before, 2.0, "ms");
        }
        row.at_most("memory", growth, 64.0, "MB more");
        row.measured(format!("a read meanwhile: {} after {:.1} s", read.0, read.1.as_secs_f64()));
        if matches!(how, How::Silent | How::Frozen | How::Stopped) {
            row.holds(
                "a read says 503 within 5 s",
                read.0 == 503 && (!long() || read.1.as_secs() < 5),
                format!("{read:?}"),
            );
        }
        let (status, _) = read_in_between(&gateway).await;
        row.holds("reads work again by themselves", status == 200, status);
        row.said(&gateway);
        row.end();
    }
}

async fn stopped(test: &'static str, backend: Backend) {
    let figure = "no errors of ours, p99 + ≤ 2 ms, + ≤ 64 MB, all there ≤ 0.2 × outage + 10 s";
    let row = Row::new(test, backend, "F3 database stopped", figure);
    let lasts = pick(Duration::from_secs(4), Duration::from_secs(300));
    Outage { how: How::Stopped, lasts }.run(row, backend, "stopped for").await;
}

async fn locked(test: &'static str, backend: Backend) {
    let figure = "no errors of ours, p99 + ≤ 2 ms, + ≤ 64 MB, all there ≤ 0.2 × outage + 10 s";
    let row = Row::new(test, backend, "F3 database locked by another process", figure);
    let lasts = pick(Duration::from_secs(4), Duration::from_secs(60));
    Outage { how: How::Locked, lasts }.run(row, backend, "write lock held for").await;
}

async fn restarts(test: &'static str, backend: Backend) {
    let row =
        Row::new(test, backend, "F4 database crashes again and again", "0 lost, 0 twice, nobody has to do anything");
    let lasts = pick(Duration::from_secs(5), Duration::from_secs(180));
    Outage { how: How::Restarts, lasts }.run(row, backend, "killed (immediate) every 15 s for").await;
}

async fn silent(test: &'static str, backend: Backend) {
    let row =
        Row::new(test, backend, "F5 database silent, no RST", "writes again ≤ 30 s after it answers, same process");
    let lasts = pick(Duration::from_secs(4), Duration::from_secs(60));
    Outage { how: How::Silent, lasts }.run(row, backend, "all connections silent for good, new ones for").await;
}

async fn frozen(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F5 database frozen", "writes again ≤ 30 s after it answers, same process");
    let lasts = pick(Duration::from_secs(3), Duration::from_secs(60));
    Outage { how: How::Frozen, lasts }.run(row, backend, "SIGSTOP of every server process for").await;
}

async fn slow(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F6 database slow", "0 lost, p99 + ≤ 2 ms");
    let lasts = pick(Duration::from_secs(5), Duration::from_secs(60));
    Outage { how: How::Slow, lasts }.run(row, backend, "2 s on each of its answers for").await;
}

async fn read_only(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F7 database read-only", "as F3");
    let lasts = pick(Duration::from_secs(3), Duration::from_secs(60));
    Outage { how: How::ReadOnly, lasts }.run(row, backend, "read-only for").await;
}

async fn full(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F7 database's disk full", "as F3");
    let lasts = pick(Duration::from_secs(3), Duration::from_secs(30));
    Outage { how: How::Full, lasts }.run(row, backend, "no space for").await;
}
