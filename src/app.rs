//! The composition root: builds everything once, in the order of the layers, serves, and takes it down in reverse.
//!
//! The gateway serves from the first moment: with the database away, calls are proxied and kept in the journal, and the
//! schema, the first key and the drain follow when it is back.
#![expect(clippy::print_stdout, reason = "where to point an SDK, and the first key, are for the person who started it")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::api::{self, About, ApiState, JournalState, Limits, Probes};
use crate::auth::{Auth, AuthFault};
use crate::config::{AuthMode, Config, Durability, OnFull};
use crate::ingest::enrich::{EnrichContext, enrich};
use crate::ingest::{Budget, DeadLetters, DrainEnd, DrainOptions, Ingest, IngestParts, Sink, StoreSink, Understand};
use crate::journal::{self, DeadFolder, Journal, JournalOptions, Reader, Step};
use crate::listen;
use crate::live::Live;
use crate::model::dead_letter::DeadLetter;
use crate::model::exchange::Exchange;
use crate::model::gap::Gap;
use crate::model::query::Written;
use crate::model::units::Micros;
use crate::pricing::Pricing;
use crate::proxy::Proxy;
use crate::store::{Store, StoreError, StoreOptions};
use crate::{retention, route, telemetry, ui};

/// How long the start waits for a database that says nothing before it serves without it.
const PREPARE: Duration = Duration::from_secs(5);
/// How often the database is asked again after that.
const PREPARE_AGAIN: Duration = Duration::from_secs(2);
/// How long the shutdown waits for the journal to reach the database. What does not make it is drained at the next start.
const LAST_DRAIN: Duration = Duration::from_secs(5);
/// The same after a second signal, for each part that is still busy.
const LEAVE: Duration = Duration::from_millis(300);
/// How often the journal's folder of dead records is looked into.
const IMPORT_AGAIN: Duration = Duration::from_secs(60);
/// Bytes of one write to the journal at most.
const GROUP_BYTES: usize = 1 << 20;
/// Disk that is held for the last words of a journal that closes on a full disk.
const RESERVE_BYTES: u64 = 8 << 20;
/// Watchers of live rows that fall so many events behind are told to fetch anew.
const LIVE_EVENTS: usize = 1_024;

/// Why serving ended in another way than it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    #[error("a second signal came: calls in flight were cut; what was accepted is in the journal")]
    SecondSignal,
    #[error(
        "recording calls stopped after a panic: this process is of no use any more; what was accepted is in the journal"
    )]
    RecordingDied,
}

/// `trailgate serve`: until SIGTERM or SIGINT.
///
/// # Errors
/// When something that serving cannot do without fails: the address, the data folder, the journal, the schema. [`Cut`] where
/// calls were cut short.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("server.listen: cannot listen on {}", config.server.listen))?;
    serve_on(config, listener).await
}

/// The same on a listener that is there already.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on(mut config: Config, listener: TcpListener) -> anyhow::Result<()> {
    config.server.listen = listener.local_addr()?;
    telemetry::start_log(&config.log)?;
    let metrics = telemetry::start_metrics()?;
    let stop = CancellationToken::new();
    let leave = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(watch_signals(stop.clone(), leave.clone())?);
    tasks.spawn(telemetry::keep_up(metrics.clone()));
    let address = config.server.listen;
    let gateway = Gateway::build(Arc::new(config), address, metrics, (&tasks, &stop)).await?;
    gateway.run(listener, stop, leave).await
}

/// Opens the store that the configuration names; does not bring its schema up to date.
///
/// # Errors
/// When the data folder cannot be made, or the URL is wrong.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data.dir: cannot make {}", config.data_dir.display()))?;
    let options = StoreOptions {
        url: config.database.url.expose_secret().to_owned(),
        max_read_connections: config.database.max_read_connections,
        statement_timeout: config.database.statement_timeout,
    };
    Ok(Store::open(&options).await?)
}

/// Everything that runs, put together.
struct Gateway {
    config: Arc<Config>,
    address: SocketAddr,
    store: Store,
    ingest: Ingest,
    auth: Auth,
    door: Arc<Door>,
    prepared: CancellationToken,
    drain: oneshot::Receiver<DrainEnd>,
}

impl Gateway {
    async fn build(
        config: Arc<Config>,
        address: SocketAddr,
        metrics: PrometheusHandle,
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> anyhow::Result<Self> {
        let store = open_store(&config).await?;
        let (journal, reader) = open_journal(&config)?;
        let understand = understand(&config)?;
        let live = Live::new(LIVE_EVENTS);
        let dead_letters = DeadLetters::new(store.clone(), Arc::clone(&understand), live.clone());
        let prepared = CancellationToken::new();
        let parts = IngestParts {
            journal,
            reader,
            understand,
            live,
            budget: Budget::new(config.capture.memory_bytes),
            options: DrainOptions {
                frames: config.drain.batch_rows.saturating_mul(2),
                linger: config.drain.linger,
                ..DrainOptions::default()
            },
        };
        let sink = PreparedSink { prepared: prepared.clone(), sink: StoreSink::new(store.clone()) };
        let (ingest, drain) = Ingest::start(parts, sink);
        let drain = drain.spawn()?;
        tasks.spawn(import(prepared.clone(), dead_letters.clone(), dead_folder(&config)));
        let auth = Auth::new(store.clone(), keys_required(&config, address))
            .with_key(config.auth.key.as_ref())
            .for_this_machine(config.auth.mode == AuthMode::Auto);
        tasks.spawn(auth.clone().watch());
        let pace = retention::Pace::default();
        tasks.spawn(retention::run(store.clone(), pace, prepared.clone(), stop.clone()));
        let proxy = Proxy::new(Arc::clone(&config), auth.clone(), ingest.clone())?;
        let state = ApiState {
            store: store.clone(),
            ingest: ingest.clone(),
            auth: auth.clone(),
            limits: Limits { log_bytes: config.capture.max_log_bytes, ..Limits::default() },
            probes: probes(&ingest, &config, metrics),
            dead_letters,
            about: Arc::new(about(&config)),
            stop: stop.clone(),
        };
        Ok(Self { config, address, store, ingest, auth, door: Arc::new(Door::new(state, proxy)), prepared, drain })
    }

    async fn run(
        mut self,
        listener: TcpListener,
        stop: CancellationToken,
        leave: CancellationToken,
    ) -> anyhow::Result<()> {
        let away = CancellationToken::new();
        let (store, auth, config) = (self.store.clone(), self.auth.clone(), Arc::clone(&self.config));
        let mut preparing =
            std::pin::pin!(prepare(store, auth, Arc::clone(&config), self.prepared.clone(), away.clone()));
        tokio::select! {
            result = &mut preparing => result?,
            () = tokio::time::sleep(PREPARE) => away.cancel(),
            () = away.cancelled() => {}
            () = stop.cancelled() => {}
        }
        if away.is_cancelled() {
            tracing::warn!("app.database_away: calls are proxied and kept in the journal until it is back");
        }
        self.announce();
        let door = Arc::clone(&self.door);
        let handler = move |request| Arc::clone(&door).answer(request);
        let limits = (&config.server, config.timeouts.idle);
        let serving = listen::serve(listener, handler, limits, stop.cancelled(), leave.cancelled());
        let mut serving = std::pin::pin!(serving);
        loop {
            tokio::select! {
                () = &mut serving => break,
                result = &mut preparing, if !self.prepared.is_cancelled() => result?,
                // Calls whose records nobody keeps must not be served: whoever started this process starts it anew.
                () = recording_died(&mut self.drain, self.ingest.journal()) => return Err(Cut::RecordingDied.into()),
            }
        }
        self.end(&leave).await;
        if leave.is_cancelled() { Err(Cut::SecondSignal.into()) } else { Ok(()) }
    }

    fn announce(&self) {
        let Self { config, address, .. } = self;
        let url = format!("http://{address}");
        println!("trailgate is listening on {url}");
        println!("  OpenAI SDKs:        base_url = {url}/v1");
        println!("  Anthropic SDKs:     base_url = {url}/v1/gateway/anthropic");
        println!("  Google SDKs:        base_url = {url}");
        println!("  other providers:    base_url = {url}/v1/gateway/<provider>/v1");
        println!("  manual loggers:     logging_endpoint = {url}");
        println!("  API:                POST {url}/v1/session/query, GET {url}/openapi.json");
        let keys = if self.auth.required() { "are required (trailgate key create)" } else { "are not needed" };
        println!("  keys:               {keys}");
        if self.auth.required() {
            let link = self.auth.start_link();
            println!("  dashboard:          {url}/login#token={} (once, within an hour)", link.expose_secret());
        } else {
            println!("  dashboard:          {url}");
        }
        println!("  data:               {} ({})", config.data_dir.display(), self.store.backend());
    }

    async fn end(self, leave: &CancellationToken) {
        let kept = tokio::select! {
            biased;
            () = leave.cancelled() => self.ingest.close(Duration::ZERO).await,
            kept = self.ingest.close(LAST_DRAIN) => kept,
        };
        if !kept {
            tracing::info!("app.backlog_stays: the journal is drained at the next start");
        }
        if !in_time(self.drain, leave).await {
            tracing::warn!("app.drain_did_not_end");
        }
        if !in_time(self.store.close(), leave).await {
            tracing::warn!("app.store_did_not_close");
        }
    }
}

/// Whether the work ended in the time that is left.
async fn in_time(work: impl Future, leave: &CancellationToken) -> bool {
    tokio::select! {
        _ = work => true,
        () = tokio::time::sleep(LAST_DRAIN) => false,
        () = async {
            leave.cancelled().await;
            tokio::time::sleep(LEAVE).await;
        } => false,
    }
}

/// Resolves when records are not moved any more although nobody asked for that: never alive with a dead pipeline.
async fn recording_died(drain: &mut oneshot::Receiver<DrainEnd>, journal: &Journal) {
    tokio::select! {
        ended = drain => tracing::error!(?ended, "app.drain_died"),
        () = journal.died() => tracing::error!("app.journal_died"),
    }
}

/// How a capture becomes a row under this configuration.
///
/// # Errors
/// When the prices cannot be read.
pub fn understand(config: &Config) -> anyhow::Result<Understand> {
    let pricing = Arc::new(Pricing::load(config.price_overlay.as_deref())?);
    let context = EnrichContext { pricing, infer_sessions: config.infer_sessions };
    Ok(Arc::new(move |capture| enrich(capture, &context)))
}

/// Where the journal puts records that nothing else took.
pub fn dead_folder(config: &Config) -> DeadFolder {
    DeadFolder::of(&journal_dir(config))
}

/// Brings what lies in the folder of dead records to the store, once that is there and from time to time.
async fn import(prepared: CancellationToken, letters: DeadLetters, folder: DeadFolder) {
    prepared.cancelled().await;
    loop {
        match letters.import(folder.clone()).await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "app.dead_records_imported"),
            Err(error) => tracing::warn!(reason = error.reason(), "app.dead_records_not_imported"),
        }
        tokio::time::sleep(IMPORT_AGAIN).await;
    }
}

/// Where a request goes: what is not the API's goes to a provider; manual logs are taken under any base path.
struct Door {
    state: ApiState,
    proxy: Proxy,
    router: Router,
}

impl Door {
    fn new(state: ApiState, proxy: Proxy) -> Self {
        let inside = (state.clone(), proxy.clone());
        let fallback = move |request: Request| {
            let (state, proxy) = inside.clone();
            async move { dispatch(&state, &proxy, request, false).await }
        };
        let router = api::router(state.clone()).fallback(fallback);
        Self { state, proxy, router }
    }

    /// Most calls are a provider's, and the router has no route for them: asking it would cost more than routing does.
    async fn answer(self: Arc<Self>, mut request: Request) -> Response {
        let targeted = route::names_target(request.headers());
        if !targeted && let Some(uri) = route::with_one_slash(request.uri()) {
            *request.uri_mut() = uri;
        }
        let path = request.uri().path();
        if targeted || (path.starts_with("/v1/") && !api::owns(path)) {
            return dispatch(&self.state, &self.proxy, request, targeted).await;
        }
        Box::pin(self.router.clone().oneshot(request)).await.unwrap_or_else(|never| match never {})
    }
}

/// Manual logs first, as a logger may send with its logs what it sends with its calls; then what names its upstream, whatever
/// its path. What is rare is boxed: hyper moves the whole future of every call about, which has room for the largest of these.
async fn dispatch(state: &ApiState, proxy: &Proxy, request: Request, targeted: bool) -> Response {
    let path = request.uri().path();
    if let Some(route) = api::is_log_path(path) {
        return Box::pin(api::take_log(state, route, request)).await;
    }
    if !targeted {
        if api::owns(path) {
            return api::not_here(path);
        }
        if ui::wants(&request) {
            return Box::pin(ui::answer(request)).await;
        }
    }
    proxy.serve(request).await
}

/// The store as the drain's sink, from the moment that its schema is there.
struct PreparedSink {
    prepared: CancellationToken,
    sink: StoreSink,
}

impl Sink for PreparedSink {
    async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        self.prepared.cancelled().await;
        self.sink.write(batch).await
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        self.prepared.cancelled().await;
        self.sink.probe().await
    }

    async fn bury(&mut self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.prepared.cancelled().await;
        self.sink.bury(letter).await
    }

    async fn write_gaps(&mut self, gaps: &[Gap]) -> Result<(), StoreError> {
        self.prepared.cancelled().await;
        self.sink.write_gaps(gaps).await
    }
}

/// Brings the database to where serving needs it, however long it is away; `away` tells that it is.
async fn prepare(
    store: Store,
    auth: Auth,
    config: Arc<Config>,
    prepared: CancellationToken,
    away: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        match prepare_once(&store, &auth, &config).await {
            Ok(()) => {
                prepared.cancel();
                return Ok(());
            }
            Err(AuthFault::Store(error)) if error.may_pass() => tracing::warn!(%error, "app.database_not_ready"),
            Err(error) => return Err(error.into()),
        }
        away.cancel();
        tokio::time::sleep(PREPARE_AGAIN).await;
    }
}

async fn prepare_once(store: &Store, auth: &Auth, config: &Config) -> Result<(), AuthFault> {
    store.migrate().await?;
    if let Some(key) = &config.auth.key {
        auth.accept(key).await?;
    } else if auth.required()
        && let Some(key) = auth.first_key().await?
    {
        println!("the first API key, shown this once: {}", key.expose_secret());
    }
    Ok(())
}

fn about(config: &Config) -> About {
    About {
        started_at: Micros::now(),
        durability: match config.journal.durability {
            Durability::Durable => "durable",
            Durability::Fast => "fast",
        },
        price_overlay: config.price_overlay.is_some(),
    }
}

fn keys_required(config: &Config, address: SocketAddr) -> bool {
    match config.auth.mode {
        AuthMode::Open => false,
        AuthMode::Keys => true,
        AuthMode::Auto => !address.ip().is_loopback(),
    }
}

fn journal_dir(config: &Config) -> PathBuf {
    config.data_dir.join("journal")
}

fn open_journal(config: &Config) -> anyhow::Result<(Journal, Reader)> {
    let dir = journal_dir(config);
    let options = JournalOptions {
        dir: dir.clone(),
        durability: match config.journal.durability {
            Durability::Durable => journal::Durability::Durable,
            Durability::Fast => journal::Durability::Fast,
        },
        segment_bytes: config.journal.segment_bytes,
        group_bytes: GROUP_BYTES,
        max_bytes: config.journal.max_bytes,
        min_free_bytes: config.journal.min_free_bytes,
        reserve_bytes: RESERVE_BYTES,
    };
    Journal::open(options).with_context(|| format!("the journal in {} cannot be opened", dir.display()))
}

fn probes(ingest: &Ingest, config: &Config, metrics: PrometheusHandle) -> Probes {
    let (stuck, on_full) = (config.drain.stuck, config.journal.on_full);
    let for_metrics = ingest.clone();
    let for_journal = ingest.clone();
    Probes {
        metrics: Arc::new(move || {
            telemetry::gauge_ingest(&for_metrics);
            metrics.render()
        }),
        journal: Arc::new(move || {
            let stats = for_journal.journal().stats();
            let drain = for_journal.stats();
            let writable = stats.step < Step::Full;
            JournalState {
                step: stats.step.as_str(),
                fill_percent: stats.fill / 10,
                writable,
                serving: writable || on_full == OnFull::Serve,
                draining: stats.oldest_waiting.is_none_or(|age| age < stuck),
                bytes_on_disk: stats.disk_bytes,
                max_bytes: stats.max_bytes,
                oldest_waiting_ms: stats.oldest_waiting.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
                frames_refused: stats.refused,
                frames_lost: stats.frames_lost,
                bytes_cut: stats.bytes_cut,
                last_sync_us: u64::try_from(stats.last_sync.as_micros()).unwrap_or(u64::MAX),
                syncing_ms: stats.syncing.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
                drain_failures: drain.failures,
                dead: drain.dead,
                missing: for_journal.missing().into_iter().collect(),
            }
        }),
    }
}

fn watch_signals(stop: CancellationToken, leave: CancellationToken) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for token in [stop, leave] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    })
}
