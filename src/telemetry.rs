//! Our own log and metrics. Messages are dotted names with fields; never bodies, keys or prompts (`docs/LOGGING.md`).

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::Log;

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
    let handle = PrometheusBuilder::new().install_recorder().context("metrics cannot be started")?;
    metrics::describe_counter!("trailgate_calls_total", "Proxied calls by outcome");
    Ok(handle)
}
