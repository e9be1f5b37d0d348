//! F18 and F37 to F39: many idle streams, no file descriptors, little memory, a long time. Calls go on.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use uuid::Uuid;

use crate::report::{Row, long, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::ledger::{Ledger, Load, Running, Target, post};
use crate::support::mill::Mill;
use crate::support::pg_server::{PgServer, Stop};
use crate::support::proc;
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

rows! {
    f18_idle_streams_sqlite: idle_streams(Sqlite);
    f37_no_files_sqlite: no_files(Sqlite);
    f38_little_memory_postgres: little_memory(Postgres);
    #[ignore = "long form only"]
    f39_soak_sqlite: soak(Sqlite);
}

/// Raises the limit on open files of a process as far as this user may, and says how far that was.
async fn more_files(pid: u32) -> usize {
    for limit in ["65536:65536".to_owned(), format!("{}:", proc::most_files(pid))] {
        let mut command = Command::new("prlimit");
        command.args(["--pid", &pid.to_string(), &format!("--nofile={limit}")]).stderr(Stdio::null());
        if command.status().await.is_ok_and(|done| done.success()) {
            break;
        }
    }
    proc::most_files(pid)
}

async fn idle_streams(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F18 idle streams", "≤ 64 KB RSS a stream, new calls p99 + ≤ 5 ms, 0 failures");
    let mut many = pick(500, 10_000_usize);
    let upstream = Upstream::start(|got: &Received| match got.path() {
        "/v1/idle" => Reply::events(["data: 1\n\n"]).stall(),
        _ => Reply::json(200, &serde_json::json!({"ok": true})),
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    if long() {
        // A stream is two connections of the gateway, and two of this process, which is client and upstream.
        let files = more_files(std::process::id()).await.min(more_files(gateway.pid()).await);
        many = many.min(files.saturating_sub(400) / 2);
        if many < 9_000 {
            return row.not_run("raising the limit on open files needs root");
        }
    }
    let quick = async |calls: usize| {
        let mut ledger = Ledger::default();
        let mut caller = Caller::default();
        let from = Instant::now();
        for _ in 0..calls {
            let id = Uuid::now_v7();
            let began = Instant::now();
            match caller.call(&gateway.url, &post("/v1/chat/completions", id, "", "{}")).await {
                Ended::Whole(answer) if answer.status == 200 => {
                    ledger.accepted.insert(id);
                    ledger.times.push((began, answer.whole));
                }
                other => ledger.failed.push(format!("{other:?}")),
            }
        }
        (ledger.p99_ms(from, Instant::now()), ledger)
    };
    let (before, first) = quick(pick(50, 1_000)).await;
    let memory = proc::rss(gateway.pid());
    let mut streams = Vec::with_capacity(many);
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let mut failures = 0;
    for _ in 0..many {
        let mut stream = TcpStream::connect(&address).await.expect("the gateway accepts");
        let id = Uuid::now_v7();
        stream.write_all(&post("/v1/idle", id, "", r#"{"stream":true}"#)).await.expect("a request is taken");
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("data: 1") {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                failures += 1;
                break;
            }
        }
        streams.push((id, stream));
    }
    let each = proc::rss(gateway.pid()).saturating_sub(memory) as f64 / many as f64 / 1024.0;
    let (during, second) = quick(pick(50, 1_000)).await;
    row.done(format!("{many} streams that say nothing more"));
    row.at_most("memory", each, 64.0, "KB a stream");
    row.measured(format!("p99 {before:.1} ms before, {during:.1} ms beside them"));
    row.at_most("added p99", during - before, 5.0, "ms");
    row.holds("no stream failed", failures == 0, failures);
    row.holds("no call failed", first.failed.is_empty() && second.failed.is_empty(), format!("{:.3?}", second.failed));
    let ids = streams.iter().map(|(id, _)| *id).chain(first.accepted).chain(second.accepted).collect();
    drop(streams);
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(60)).await;
    row.counted(ids.len(), audit.missing(&ids).len());
    let left = audit.with_outcome("client_gone");
    row.holds("streams that were left are told so", left == many, left);
    row.said(&gateway);
    row.end();
}

async fn no_files(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F37 no file descriptors", "no crash, ≤ 20 % of a processor, recovers");
    let mill = Mill::start();
    let options = GatewayOptions::new(backend).provider("openai", mill.url());
    let gateway = Gateway::start(options.before(&["prlimit", "--nofile=64:64"])).await;
    let before = proc::files(gateway.pid());
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(TcpStream::connect(&address).await.expect("the system's queue takes it"));
    }
    let share = proc::cpu_share(gateway.pid(), pick(Duration::from_secs(2), Duration::from_secs(8))).await;
    row.holds("the limit was reached", proc::files(gateway.pid()) >= 62, proc::files(gateway.pid()));
    row.at_most("processor meanwhile", share * 100.0, 20.0, "%");
    row.holds("no busy loop", share < 0.8, share);
    row.holds("the gateway lives", proc::lives(gateway.pid()), "it does not");
    drop(held);
    let began = Instant::now();
    gateway.until("files are closed", async |gateway| (proc::files(gateway.pid()) <= before + 8).then_some(())).await;
    let target = Target::new(&gateway.url);
    let load = Running::start(Load { log_every: 5, ..Load::concurrency(4) }, &target);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ledger = load.stop().await;
    row.back("calls are served", began.elapsed() - Duration::from_secs(1), Duration::from_secs(5));
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(30)).await;
    row.done("limit of 64, 200 connections that say nothing, then calls again");
    row.audit(&audit, &ledger);
    row.holds("calls are served again", ledger.accepted.len() > 10 && ledger.failed.is_empty(), ledger.accepted.len());
    row.said(&gateway);
    row.end();
}

/// A memory limit on one process; taken away when it is dropped.
struct MemoryLimit(std::path::PathBuf);

impl MemoryLimit {
    /// `None` where this machine has no control groups that we may use.
    fn of(pid: u32, megabytes: u64) -> Option<Self> {
        let name = format!("trailgate-{}", Uuid::now_v7().simple());
        let (folder, file) = match std::path::Path::new("/sys/fs/cgroup/memory") {
            v1 if v1.is_dir() => (v1.join(name), "memory.limit_in_bytes"),
            _ => (std::path::Path::new("/sys/fs/cgroup").join(name), "memory.max"),
        };
        std::fs::create_dir(&folder).ok()?;
        let limit = Self(folder);
        std::fs::write(limit.0.join(file), (megabytes << 20).to_string()).ok()?;
        std::fs::write(limit.0.join("cgroup.procs"), pid.to_string()).ok()?;
        Some(limit)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // A group with processes cannot go: they are gone by then.
        std::fs::remove_dir(&self.0).ok();
    }
}

async fn little_memory(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F38 256 MB of memory, database away", "never killed, 0 lost");
    let mut server = PgServer::start().await;
    let mill = Mill::start();
    let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
    let gateway = Gateway::start(options).await;
    let limit = MemoryLimit::of(gateway.pid(), 256);
    let how = if limit.is_some() { "a control group's limit" } else { "watched only: no control groups here" };
    let watch = proc::Watch::start(gateway.pid());
    server.stop(Stop::Fast).await;
    let load = Running::start(Load { filling: 20_000, ..Load::concurrency(64) }, &Target::new(&gateway.url));
    tokio::time::sleep(pick(Duration::from_secs(4), Duration::from_secs(120))).await;
    let ledger = load.stop().await;
    row.done(format!("full load for {} s with requests of 20 KB; {how}", pick(4, 120)));
    row.holds("it was not killed", proc::lives(gateway.pid()), "it was");
    row.at_most("memory at most", watch.highest() as f64 / f64::from(1 << 20), 256.0, "MB");
    row.holds("no call failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    let began = Instant::now();
    server.start_again().await;
    let (audit, _) =
        Audit::until(backend, &gateway, &ledger.accepted, pick(Duration::from_secs(60), Duration::from_secs(300)))
            .await;
    row.measured(format!("caught up in {:.1} s", began.elapsed().as_secs_f64()));
    row.audit(&audit, &ledger);
    row.holds("it was not killed while it caught up", proc::lives(gateway.pid()), "it was");
    drop(gateway);
    drop(limit);
    row.end();
}

async fn soak(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F39 a long time", "RSS slope ≤ 1 MB in 10 min after warm-up, open files constant");
    let mill = Mill::start();
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", mill.url())).await;
    let load = Running::start(Load::concurrency(16), &Target::new(&gateway.url));
    let minutes =
        std::env::var("TRAILGATE_FAULTS_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(10.0);
    let lasts = pick(Duration::from_secs(3), Duration::from_secs_f64(minutes * 60.0));
    tokio::time::sleep(lasts / 3).await;
    let (mut points, files) = (Vec::new(), proc::files(gateway.pid()));
    let began = Instant::now();
    while began.elapsed() < lasts - lasts / 3 {
        points.push((began.elapsed().as_secs_f64() / 600.0, proc::rss(gateway.pid()) as f64 / f64::from(1 << 20)));
        tokio::time::sleep(lasts / 100).await;
    }
    let grown = proc::files(gateway.pid()).abs_diff(files);
    let ledger = load.stop().await;
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(120)).await;
    row.done(format!("16 calls at a time for {:.1} min", lasts.as_secs_f64() / 60.0));
    row.audit(&audit, &ledger);
    row.holds("no call failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    row.holds("open files do not grow", grown <= 8, grown);
    row.measured(format!("{:.0} MB at the end", points.last().map_or(0.0, |(_, mb)| *mb)));
    row.at_most("slope", slope(&points), 1.0, "MB in 10 min");
    row.said(&gateway);
    row.end();
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / n, y + point.1 / n));
    let (over, under) = points
        .iter()
        .fold((0.0, 0.0), |(over, under), point| (over + (point.0 - x) * (point.1 - y), under + (point.0 - x).powi(2)));
    over / under
}
