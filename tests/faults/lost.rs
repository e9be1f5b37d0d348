//! F1 and F2: the process is killed, the power is cut. What was accepted is there afterwards.

use std::time::{Duration, Instant};

use crate::report::{Row, pick, rows, seed};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::kill::kill_loop;
use crate::support::ledger::{Load, Running, Target};
use crate::support::mill::Mill;
use crate::support::power::Power;
use crate::support::preload::{Preload, Syncs};

rows! {
    f01_kill_sqlite: kill_9(Sqlite);
    f01_kill_postgres: kill_9(Postgres);
    f02_power_sqlite: power(Sqlite);
    f02_power_postgres: power(Postgres);
    f02_fast_sqlite: power_fast(Sqlite);
    f02_control_sqlite: power_without_syncs(Sqlite);
}

/// Segments that are full after a moment, so that most are written over spent ones.
fn small_segments(backend: Backend) -> GatewayOptions {
    GatewayOptions::new(backend).env("TRAILGATE_JOURNAL_SEGMENT_BYTES", "1048576")
}

async fn kill_9(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F1 kill -9 under load", "0 lost, 0 twice; ready again ≤ 2 s");
    let mill = Mill::start();
    let mut gateway = Gateway::start(small_segments(backend).provider("openai", mill.url())).await;
    let target = Target::new(&gateway.url);
    let load = Running::start(Load::concurrency(48), &target);
    // Both stores together: 20 kills and 20,000 calls in the short form.
    let (kills, accepted) = pick((10, 10_000), (100, 100_000));
    let began = Instant::now();
    // A machine that is busy with other things accepts fewer; the figure is the long form's.
    let patience = pick(Duration::from_secs(60), Duration::from_secs(900));
    let done = kill_loop(&mut gateway, &target, seed(), |kills_so_far| {
        kills_so_far >= kills && (load.books().accepted.len() >= accepted || began.elapsed() > patience)
    })
    .await;
    let ledger = load.stop().await;
    let (audit, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(60)).await;
    row.done(format!("{} × SIGKILL after 0.2 to 2 s, 48 calls at a time, segments of 1 MB", done.kills));
    row.audit(&audit, &ledger);
    let enough = pick(accepted / 10, accepted);
    row.holds("enough calls were accepted", ledger.accepted.len() >= enough, ledger.accepted.len());
    row.holds("only broken connections failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
    let heard = mill.heard();
    let unseen = audit.missing(&heard).len();
    row.measured(format!(
        "{} broke off, {} of them told as interrupted; {} reached the upstream, {unseen} of them without a row",
        ledger.unknown.len(),
        audit.with_outcome("interrupted"),
        heard.len()
    ));
    row.at_most("slowest start", done.slowest_ready().as_secs_f64(), 2.0, "s");
    row.said(&gateway);
    row.end();
}

/// Cuts the power again and again under load; the books go on.
struct Cuts {
    backend: Backend,
    /// What the gateway is started with, its data folder aside.
    options: GatewayOptions,
    cuts: usize,
    preload: Option<Preload>,
}

impl Cuts {
    async fn run(self, mut row: Row) -> Option<(Row, usize, crate::support::ledger::Ledger, Audit)> {
        let Some(mut power) = Power::on(256) else {
            row.not_run("mounting an image needs root and loop devices");
            return None;
        };
        let mill = Mill::start();
        let mut all = crate::support::ledger::Ledger::default();
        let options = self.options.provider("openai", mill.url()).data_dir(power.data_dir());
        let mut gateway = Gateway::start(options).await;
        let began = Instant::now();
        let mut young = 0;
        for _ in 0..self.cuts {
            let target = Target::new(&gateway.url);
            let load = Running::start(Load::concurrency(16), &target);
            tokio::time::sleep(Duration::from_millis(rand::random_range(500..1_500))).await;
            // From here on nothing reaches the disk through the gateway, and nobody hears of it.
            gateway.signal("STOP").await;
            // What is on its way to the client was accepted: sent means synced.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let books = load.books().clone();
            let image = power.snapshot();
            gateway.kill().await;
            drop(load);
            power.swap(image);
            gateway.options().data_dir = Some(power.data_dir());
            gateway.launch().await;
            let limit = if self.preload.is_some() { Duration::from_secs(2) } else { Duration::from_secs(30) };
            let (audit, _) = Audit::until(self.backend, &gateway, &books.accepted, limit).await;
            young += audit.missing(&books.accepted).len();
            all.accepted.extend(books.accepted);
            all.failed.extend(books.failed);
        }
        row.done(format!(
            "{} × SIGSTOP, copy of the disk, start on the copy; 16 calls at a time, segments of 1 MB",
            self.cuts
        ));
        row.measured(format!("{:.0} s in all", began.elapsed().as_secs_f64()));
        let (audit, _) = Audit::until(self.backend, &gateway, &all.accepted, Duration::from_secs(1)).await;
        gateway.kill().await;
        drop(gateway);
        Some((row, young, all, audit))
    }
}

async fn power(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F2 power cut, `durable`", "0 lost");
    let cuts = Cuts { backend, options: small_segments(backend), cuts: pick(3, 50), preload: None };
    if let Some((mut row, _, ledger, audit)) = cuts.run(row).await {
        row.audit(&audit, &ledger);
        row.holds("no call failed", ledger.failed.is_empty(), format!("{:.3?}", ledger.failed));
        row.end();
    }
}

/// `fast` promises less: what is younger than a moment may go with the power.
async fn power_fast(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F2 power cut, `fast`", "only the last moment's calls may be lost");
    let options = small_segments(backend).env("TRAILGATE_JOURNAL_DURABILITY", "fast");
    let cuts = Cuts { backend, options, cuts: pick(1, 20), preload: None };
    let many = cuts.cuts;
    if let Some((mut row, lost, ledger, audit)) = cuts.run(row).await {
        row.measured(format!("{lost} of {} lost, all young", ledger.accepted.len()));
        row.holds("no row is there twice", audit.duplicates() == 0, audit.duplicates());
        // 16 calls at a time: a sync that is under way and the one after it.
        row.holds("only the youngest are lost", lost <= many * 200, lost);
        row.end();
    }
}

/// The control: with syncs that do nothing the same test must find losses, or it could not find any.
async fn power_without_syncs(test: &'static str, backend: Backend) {
    let row = Row::new(test, backend, "F2 control: syncs are forgotten", "**must** lose");
    let preload = Preload::new();
    preload.syncs(Syncs::Forgotten);
    let options = preload.loaded(small_segments(backend));
    let cuts = Cuts { backend, options, cuts: pick(1, 5), preload: Some(preload) };
    if let Some((mut row, lost, ledger, _)) = cuts.run(row).await {
        row.measured(format!("{lost} of {} lost, as it should be", ledger.accepted.len()));
        row.holds("the control loses", lost > 0, lost);
        row.end();
    }
}
