//! F33, F35, F36, F40 and F41: jumping clocks, replicas, a folder that is taken, a pipeline that dies, a bad configuration.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::report::{Row, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::ledger::{Load, Running, Target, post};
use crate::support::mill::Mill;
use crate::support::pg_server::{PgServer, Stop};
use crate::support::preload::{Preload, Syncs};
use crate::support::proc;

rows! {
    f33_clock_sqlite: clock(Sqlite);
    f33_clock_postgres: clock(Postgres);
    f35_replicas_postgres: replicas(Postgres);
    f35_ten_starts_postgres: ten_starts(Postgres);
    f36_one_folder_sqlite: one_folder(Sqlite);
    f40_writer_dies_sqlite: writer_dies(Sqlite);
    #[ignore = "long form only"]
    f40_disk_hangs_sqlite: disk_hangs(Sqlite);
    f41_bad_config_postgres: bad_config(Postgres);
}

async fn clock(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F33 clock jumps", "no negative durations, ids unique, 0 lost");
    let preload = Preload::new();
    let mill = Mill::start();
    let gateway = Gateway::start(preload.loaded(GatewayOptions::new(backend)).provider("openai", mill.url())).await;
    let load = Running::start(Load::concurrency(16), &Target::new(&gateway.url));
    let (hour, year) = (3_600, 31_557_600);
    let jumps = [0, hour, 0, -hour, 0, 10 * year, -hour, 0];
    for _ in 0..pick(1, 8) {
        for jump in jumps {
            preload.clock(jump);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    // Calls to which the gateway gives the id.
    let mut own = BTreeSet::new();
    for jump in jumps.into_iter().cycle().take(40) {
        preload.clock(jump);
        let answer = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body("{}").send().await.unwrap();
        own.insert(answer.headers()["helicone-id"].to_str().unwrap().parse::<Uuid>().unwrap());
        answer.bytes().await.unwrap();
    }
    preload.clock(0);
    let ledger = load.stop().await;
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(60)).await;
    row.done(format!("{} jumps of ±1 h and 10 years under load", jumps.len() * pick(1, 8)));
    row.audit(&audit, &ledger);
    row.holds("no call failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    row.holds("ids of our own are unique", own.len() == 40, own.len());
    let (audit, _) = Audit::until(backend, &gateway, &own, Duration::from_secs(20)).await;
    row.holds("calls with ids of our own are there", audit.missing(&own).is_empty(), audit.missing(&own).len());
    let backwards = Audit::backwards(backend, &gateway.database_url()).await;
    row.holds("no call ends before it begins", backwards == 0, backwards);
    row.said(&gateway);
    row.end();
}

async fn replicas(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F35 two replicas, one killed", "one row an id, 0 lost, 0 errors of the others");
    let server = PgServer::start().await;
    let mill = Mill::start();
    let start = async || {
        let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
        Gateway::start(options).await
    };
    let (stays, mut dies) = (start().await, start().await);
    let (left, right) = (Target::new(&stays.url), Target::new(&dies.url));
    let (one, two) = (Running::start(Load::concurrency(8), &left), Running::start(Load::concurrency(8), &right));
    // The same ids to both.
    let mut same = BTreeSet::new();
    for _ in 0..pick(100, 2_000) {
        let id = Uuid::now_v7();
        let request = post("/v1/chat/completions", id, "", "{}");
        for url in [&stays.url, &dies.url] {
            let ended = Caller::default().call(url, &request).await;
            row.holds("both replicas answer", matches!(ended, Ended::Whole(answer) if answer.status == 200), id);
        }
        same.insert(id);
    }
    tokio::time::sleep(pick(Duration::from_secs(1), Duration::from_secs(10))).await;
    dies.kill().await;
    tokio::time::sleep(pick(Duration::from_secs(1), Duration::from_secs(5))).await;
    dies.launch().await;
    right.set(&dies.url);
    tokio::time::sleep(pick(Duration::from_millis(500), Duration::from_secs(5))).await;
    let (mut ledger, other) = (one.stop().await, two.stop().await);
    row.holds("no call failed", ledger.failed.is_empty() && other.failed.is_empty(), format!("{:.3?}", other.failed));
    row.holds("the other one lost no connection", ledger.unknown.is_empty(), ledger.unknown.len());
    ledger.accepted.extend(other.accepted);
    ledger.accepted.extend(&same);
    let (audit, _) = Audit::until(backend, &stays, &ledger.accepted, Duration::from_secs(60)).await;
    row.done(format!("load on both, {} ids sent to both, one killed and started again", same.len()));
    row.audit(&audit, &ledger);
    let (_, count) = stays.post("/v1/request/count/query", &serde_json::json!({"filter": "all"})).await;
    row.holds("the API counts the same", count["data"].as_u64() == Some(audit.rows.len() as u64), &count);
    row.end();
}

async fn ten_starts(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F35 ten replicas start at once", "one run of migrations, 0 errors");
    let server = PgServer::start().await;
    let mill = Mill::start();
    let many = pick(4, 10);
    let mut starts = JoinSet::new();
    for _ in 0..many {
        let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
        starts.spawn(async move {
            let mut gateway = Gateway::prepare(options.env("TRAILGATE_DATABASE_MAX_READ_CONNECTIONS", "2")).await;
            gateway.launch().await;
            gateway
        });
    }
    let gateways = starts.join_all().await;
    let mut ids = BTreeSet::new();
    for gateway in &gateways {
        let id = Uuid::now_v7();
        let ended = Caller::default().call(&gateway.url, &post("/v1/chat/completions", id, "", "{}")).await;
        row.holds("each answers", matches!(ended, Ended::Whole(answer) if answer.status == 200), id);
        ids.insert(id);
        let errors = gateway.stderr().lines().filter(|line| line.contains("ERROR")).count();
        row.holds("none logged an error", errors == 0, gateway.stderr());
    }
    let (audit, _) = Audit::until(backend, &gateways[0], &ids, Duration::from_secs(20)).await;
    row.done(format!("{many} at once on an empty database"));
    row.counted(ids.len(), audit.missing(&ids).len());
    row.end();
}

async fn one_folder(test: &'static str, backend: Backend) {
    let mut row = Row::new(
        test,
        backend,
        "F36 two processes, one folder",
        "the second ends ≤ 1 s, not with 0, with a clear text",
    );
    let gateway = Gateway::start(GatewayOptions::new(backend)).await;
    let began = Instant::now();
    let second = tokio::time::timeout(Duration::from_secs(20), gateway.command(&["serve"]).output()).await;
    let took = began.elapsed();
    let output = second.expect("the second process ends").expect("the second process starts");
    let (exit, said) = (output.status, String::from_utf8_lossy(&output.stderr).into_owned());
    row.done("started twice on the same folder");
    row.at_most("ended after", took.as_secs_f64(), 1.0, "s");
    row.holds("not with 0", !exit.success(), exit);
    let clear = said.contains("journal") && (said.contains("another process") || said.contains("in use"));
    row.holds("the text says why", clear, &said);
    row.measured(said.lines().last().unwrap_or_default().chars().take(160).collect::<String>());
    let (status, _) = gateway.get("/healthz").await;
    row.holds("the first goes on", status == 200, status);
    row.said(&gateway);
    row.end();
}

async fn writer_dies(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F40 the journal's writer dies", "ends ≤ 1 s: never alive with a dead pipeline");
    broken_pipeline(row, backend, Syncs::EndThread).await;
}

async fn disk_hangs(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F40 a sync never returns", "not ready ≤ 20 s");
    broken_pipeline(row, backend, Syncs::Hang).await;
}

async fn broken_pipeline(mut row: Row, backend: Backend, order: Syncs) {
    let preload = Preload::new();
    let mill = Mill::start();
    let mut gateway = Gateway::start(preload.loaded(GatewayOptions::new(backend)).provider("openai", mill.url())).await;
    let load = Running::start(Load::concurrency(4), &Target::new(&gateway.url));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let books = load.books().accepted.clone();
    preload.syncs(order);
    let began = Instant::now();
    let noticed = loop {
        let ready = gateway.http.get(format!("{}/readyz", gateway.url)).timeout(Duration::from_secs(2)).send().await;
        if !proc::lives(gateway.pid()) {
            break Some("it ended");
        }
        if ready.is_ok_and(|answer| answer.status().as_u16() == 503) {
            break Some("not ready");
        }
        if began.elapsed() > Duration::from_secs(20) {
            break None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let took = began.elapsed().as_secs_f64();
    row.done("once, under load");
    row.measured(format!("{} after {took:.1} s", noticed.unwrap_or("not noticed")));
    row.holds("it is noticed", noticed.is_some(), took);
    drop(load);
    gateway.kill().await;
    preload.syncs(Syncs::Work);
    gateway.launch().await;
    let (audit, _) = Audit::until(backend, &gateway, &books, Duration::from_secs(20)).await;
    row.counted(books.len(), audit.missing(&books).len());
    row.said(&gateway);
    row.end();
}

/// Names and contents of the journal's segments.
fn segments(data_dir: &Path) -> Vec<(String, u64, blake3::Hash)> {
    let files = std::fs::read_dir(data_dir.join("journal")).expect("a journal").flatten();
    let files = files.filter(|file| file.path().is_file());
    let mut all: Vec<_> = files
        .map(|file| {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            (file.file_name().to_string_lossy().into_owned(), bytes.len() as u64, blake3::hash(&bytes))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

async fn bad_config(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F41 bad configuration with a backlog", "backlog untouched, all of it lands");
    let mut server = PgServer::start().await;
    let mill = Mill::start();
    let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
    let mut gateway = Gateway::start(options).await;
    server.stop(Stop::Fast).await;
    let load = Running::start(Load::concurrency(8), &Target::new(&gateway.url));
    tokio::time::sleep(pick(Duration::from_secs(1), Duration::from_secs(5))).await;
    let ledger = load.stop().await;
    gateway.kill().await;
    let before = segments(&gateway.data_dir());
    for bad in ["[journal]\ndurability = \"maybe\"\n", "this is no TOML", "[journal]\nsegment_bytes = -1\n"] {
        gateway.options().config = Some(bad.to_owned());
        let exit = gateway.command(&["serve"]).output().await.expect("the binary starts").status;
        row.holds("a bad configuration is refused", !exit.success(), bad);
        row.holds("the backlog is untouched", segments(&gateway.data_dir()) == before, bad);
    }
    gateway.options().config = None;
    server.start_again().await;
    gateway.launch().await;
    let began = Instant::now();
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(60)).await;
    row.back("all has landed", began.elapsed(), Duration::from_secs(30));
    row.done(format!("killed with {} files of backlog, three bad configurations, then a good one", before.len()));
    row.audit(&audit, &ledger);
    row.said(&gateway);
    row.end();
}
