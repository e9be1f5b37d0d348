//! Our own log and metrics. Messages are dotted names with fields; never bodies, keys or prompts (`docs/LOGGING.md`).

use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::Log;
use crate::ingest::Ingest;

/// Bounds of the histogram of the journal's syncs, seconds: from a fast disk to one that is in trouble.
const SYNC_SECONDS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
/// Histograms collect single values until somebody sums them up; this often at the latest.
const UPKEEP: Duration = Duration::from_secs(5);

/// Writes the log to standard error from here on.
///
/// # Errors
/// When `log.filter` is no filter.
pub fn start_log(settings: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.filter)
        .with_context(|| format!("log.filter: {:?} is not a filter", settings.filter))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if settings.json { log.json().try_init() } else { log.with_ansi(false).try_init() };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

/// Collects metrics from here on; the handle renders them as Prometheus text.
///
/// # Errors
/// When another recorder is installed already.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("trailgate_journal_sync_seconds".to_owned()), &SYNC_SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics cannot be started")?;
    metrics::describe_counter!("trailgate_calls_total", "Proxied calls by outcome");
    metrics::describe_histogram!("trailgate_journal_sync_seconds", "Time that a sync of the journal to disk took");
    metrics::describe_counter!("trailgate_calls_not_logged_total", "Calls served without a record, by organisation");
    metrics::describe_counter!("trailgate_bodies_shed_total", "Bodies left out as the journal was almost full");
    metrics::describe_counter!("trailgate_calls_rejected_total", "Calls turned away as the journal was full");
    metrics::describe_gauge!("trailgate_journal_step", "0 normal, 1 warning, 2 shedding bodies, 3 full");
    Ok(handle)
}

/// Keeps the memory of histograms bounded while nobody asks for them, for as long as it is polled.
pub async fn keep_up(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}

/// Reads the journal's and the drain's figures into gauges; called whenever somebody asks for the metrics.
#[expect(clippy::cast_precision_loss, reason = "figures for display; Prometheus has floating-point numbers only")]
pub fn gauge_ingest(ingest: &Ingest) {
    let journal = ingest.journal().stats();
    let drain = ingest.stats();
    let oldest = journal.oldest_waiting.map_or(0.0, |age| age.as_secs_f64());
    for (name, value) in [
        ("trailgate_journal_bytes", journal.disk_bytes as f64),
        ("trailgate_journal_max_bytes", journal.max_bytes as f64),
        ("trailgate_journal_fill_ratio", f64::from(journal.fill) / 1e3),
        ("trailgate_journal_step", f64::from(journal.step as u8)),
        ("trailgate_journal_frames_late", journal.late as f64),
        ("trailgate_journal_frames_late_dropped_total", journal.late_dropped as f64),
        ("trailgate_journal_segments", journal.segments as f64),
        ("trailgate_journal_oldest_waiting_seconds", oldest),
        ("trailgate_journal_last_sync_seconds", journal.last_sync.as_secs_f64()),
        ("trailgate_journal_groups_total", journal.groups as f64),
        ("trailgate_journal_frames_total", journal.frames as f64),
        ("trailgate_journal_frames_refused_total", journal.refused as f64),
        ("trailgate_journal_bytes_cut_total", journal.bytes_cut as f64),
        ("trailgate_journal_frames_lost_total", journal.frames_lost as f64),
        ("trailgate_journal_errors_total", journal.errors as f64),
        ("trailgate_capture_memory_bytes", ingest.budget().used() as f64),
        ("trailgate_drain_stored_total", drain.stored as f64),
        ("trailgate_drain_replayed_total", drain.replayed as f64),
        ("trailgate_drain_dead_total", drain.dead as f64),
        ("trailgate_drain_failures_total", drain.failures as f64),
    ] {
        metrics::gauge!(name).set(value);
    }
}
