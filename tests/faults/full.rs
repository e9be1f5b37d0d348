//! F9 and F10: the journal's disk is full, or fails. Calls are served; what was accepted is there; what was not is counted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::report::{Row, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::disk::Disk;
use crate::support::ledger::{Load, Running, Target};
use crate::support::mill::Mill;
use crate::support::pg_server::{PgServer, Stop};
use crate::support::preload::{Preload, Syncs, Writes};
use crate::support::proc;

rows! {
    #[ignore = "long form only"]
    f09_full_postgres: full_disk(Postgres);
    #[ignore = "long form only"]
    f10_failed_syncs_sqlite: failed_syncs(Sqlite);
    #[ignore = "long form only"]
    f10_failed_writes_sqlite: failed_writes(Sqlite);
}

async fn full_disk(test: &'static str, backend: Backend) {
    let figure =
        "100 % served, logs refused with 503, 0 lost of what was accepted, shed counted exactly, normal ≤ 5 s after";
    let mut row = Row::new(test, backend, "F9 journal's disk full", figure);
    let Some(disk) = Disk::in_memory(64) else { return row.not_run("mounting needs root") };
    let mut server = PgServer::start().await;
    let mill = Mill::start();
    let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
    let gateway = Gateway::start(options.data_dir(disk.path().join("data"))).await;
    server.stop(Stop::Fast).await;
    let target = Target::new(&gateway.url);
    // 64 MB are soon full of requests that do not compress on their way.
    let load = Running::start(Load { filling: 60_000, ..Load::concurrency(16) }, &target);
    let began = Instant::now();
    let patience = Duration::from_secs(60);
    while load.books().refusals() < 20 && began.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(pick(Duration::from_secs(1), Duration::from_secs(20))).await;
    let served = gateway.http.get(format!("{}/healthz", gateway.url)).send().await;
    row.holds("/healthz is 200 meanwhile", served.is_ok_and(|answer| answer.status().is_success()), "no");
    server.start_again().await;
    let back = Instant::now();
    let again = async {
        loop {
            let id = Uuid::now_v7();
            let request = crate::support::ledger::log(id, "x");
            match Caller::default().call(&gateway.url, &request).await {
                Ended::Whole(answer) if answer.status == 200 => return,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let normal = tokio::time::timeout(Duration::from_secs(60), again).await;
    row.holds("manual logs are taken again", normal.is_ok(), "not within a minute");
    row.back("manual logs are taken again", back.elapsed(), Duration::from_secs(5));
    let ledger = load.stop().await;
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(60)).await;
    row.done("database stopped, requests of 60 KB until a tmpfs of 64 MB was full, then it came back");
    row.audit(&audit, &ledger);
    row.holds("every proxied call was served", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    row.holds("the disk was full", ledger.refusals() > 0, "nothing was refused");
    let other = ledger.refused.keys().filter(|status| **status != 503).count();
    row.holds("logs are refused with 503", other == 0, format!("{:?}", ledger.refused.keys()));
    let told: BTreeSet<Uuid> = ledger.refused.values().flatten().copied().collect();
    let kept = told.len() - audit.missing(&told).len();
    row.holds("a refused log is not there", kept == 0, kept);
    let counted = shed(&gateway).await;
    row.measured(format!("{} served unlogged, {counted} counted", ledger.unlogged.len()));
    row.holds("what was served unlogged is counted exactly", counted == ledger.unlogged.len() as u64, counted);
    row.said(&gateway);
    row.end();
}

/// Calls that were served without a record, as `/metrics` tells.
async fn shed(gateway: &Gateway) -> u64 {
    let text = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.expect("figures");
    let text = text.text().await.expect("figures");
    let lines = text.lines().filter(|line| line.starts_with("trailgate_calls_not_logged_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
}

/// Whether calls are put on record now.
async fn records(gateway: &Gateway) -> bool {
    let Ok(answer) = gateway.http.get(format!("{}/readyz", gateway.url)).send().await else { return false };
    answer.json::<serde_json::Value>().await.is_ok_and(|state| state["journal"]["writable"] == true)
}

/// A load during which the journal's disk fails again and again.
async fn failing(mut row: Row, backend: Backend, what: &str, mut fail: impl FnMut(&Preload, i64)) {
    let preload = Preload::new();
    let mill = Mill::start();
    let gateway = Gateway::start(preload.loaded(GatewayOptions::new(backend)).provider("openai", mill.url())).await;
    let load = Running::start(Load::concurrency(16), &Target::new(&gateway.url));
    let times = pick(8, 60);
    for n in 0..times {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let failed = preload.failed();
        fail(&preload, n);
        // The next one comes when this one is over.
        let over = async {
            while preload.failed() == failed || !records(&gateway).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let over = tokio::time::timeout(Duration::from_secs(15), over).await;
        row.holds("it recovers from each within 15 s", over.is_ok(), n);
    }
    let failed = preload.failed();
    let pid = gateway.pid();
    let before = load.books().accepted.len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = load.books().accepted.len();
    let ledger = load.stop().await;
    row.done(format!("{what}, {failed} failed in {times} goes"));
    row.holds("faults were injected", failed >= times / 2, failed);
    row.holds("the same process goes on", proc::lives(pid) && after > before, after);
    row.holds("every proxied call was served", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(15)).await;
    // A call whose head had passed when its record could not be kept cannot be told so any more: it is counted.
    let missing = audit.missing(&ledger.accepted);
    let logs = missing.iter().filter(|id| ledger.logs.contains(id)).count();
    let counted = shed(&gateway).await;
    row.counted(ledger.accepted.len(), logs);
    row.holds("no row is there twice", audit.duplicates() == 0, audit.duplicates());
    let unlogged = missing.len() - logs + ledger.unlogged.len();
    row.holds("what was served without a record is counted exactly", counted == unlogged as u64, counted);
    row.measured(format!("{} logs refused, {unlogged} served without a record, {counted} counted", ledger.refusals()));
    row.said(&gateway);
    row.end();
}

async fn failed_syncs(test: &'static str, backend: Backend) {
    let row = Row::new(
        test,
        backend,
        "F10 fdatasync fails",
        "nothing accepted on a failed sync, 0 lost, goes on in a new segment",
    );
    failing(row, backend, "EIO from the next 1 to 3 syncs", |preload, n| preload.next_syncs(Syncs::Fail, 1 + n % 3))
        .await;
}

async fn failed_writes(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F10 writes fail or stop half-way", "0 lost, goes on");
    failing(row, backend, "short writes, ENOSPC and EIO in turn", |preload, n| {
        let order = [Writes::Half, Writes::NoSpace, Writes::Fail][usize::try_from(n % 3).unwrap_or(0)];
        preload.next_writes(order, 2);
    })
    .await;
}
