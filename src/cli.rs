//! The command line: what was typed, turned into one call of `app` or of the store. Exit codes: 0 done, 1 failed, 2 the
//! configuration or the command line is wrong, 3 a second signal cut calls short, 70 recording died of a defect and the
//! gateway wants to be started anew.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks on standard output and standard error"
)]

mod dead_letter;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::ExposeSecret as _;

use crate::auth::{Auth, Caller, Via};
use crate::config::{self, Config};
use crate::ingest::enrich::EnrichContext;
use crate::ingest::reprice::Wish;
use crate::model::id::{KeyId, OrgId};
use crate::model::query::Rights;
use crate::model::units::Micros;
use crate::pricing::Pricing;
use crate::store::Store;
use crate::{app, ingest, listen};

/// How long threads that still work may hold up the end.
const LAST_THREADS: Duration = Duration::from_millis(300);

/// A gateway for LLM calls that records each one and shows agent sessions.
#[derive(Debug, Parser)]
#[command(name = "trailgate", version)]
struct Line {
    /// TOML file; what it does not set keeps its default (see `trailgate print-config`).
    #[arg(long, global = true, value_name = "FILE", env = "TRAILGATE_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gateway, the API and the dashboard.
    Serve,
    /// Bring the database's schema up to date and exit.
    Migrate,
    /// Read the configuration, tell all faults, exit with 2 if there are any.
    CheckConfig,
    /// Print the configuration in force, secrets blanked.
    PrintConfig,
    /// Price stored calls again, with the prices of now at the instants of then.
    Reprice(RepriceLine),
    /// Make, list and revoke API keys.
    Key(KeyLine),
    /// List, show, try again and drop records that the database refused.
    DeadLetter(dead_letter::Line),
    /// Ask a running gateway whether it is well; for containers.
    Healthcheck(HealthLine),
    /// Serve the gateway beside a scripted provider and run an agent through it.
    Demo,
}

#[derive(Debug, Args)]
struct RepriceLine {
    /// Calls that started at that instant or later: `2026-11-24`, `2026-11-24T08:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Micros,
    /// Read the usage again from the stored bodies, too.
    #[arg(long)]
    reparse: bool,
    /// Print what would change and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct KeyLine {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key and print it, this once.
    Create {
        /// What the key is for.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum, value_delimiter = ',', default_value = "write,read")]
        rights: Vec<Right>,
        /// The organisation; made if there is none of that name.
        #[arg(long, value_name = "NAME")]
        org: Option<String>,
    },
    /// List the keys of an organisation.
    List {
        #[arg(long, value_name = "NAME")]
        org: Option<String>,
    },
    /// Revoke a key by its id.
    Revoke {
        id: KeyId,
        #[arg(long, value_name = "NAME")]
        org: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Right {
    /// Send calls and manual logs.
    Write,
    /// Ask the API.
    Read,
    /// Make and revoke keys; gives the other two.
    Admin,
}

#[derive(Debug, Args)]
struct HealthLine {
    /// Default: the address that `server.listen` names, on this machine.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let env = std::env::vars().collect();
    let config = match config::load(line.config.as_deref(), &env) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("the configuration has {} fault(s):\n{faults}", faults.0.len());
            return ExitCode::from(2);
        }
    };
    match run(line.command, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trailgate: {error:#}");
            match error.downcast_ref::<app::Cut>() {
                Some(app::Cut::SecondSignal) => ExitCode::from(3),
                Some(app::Cut::RecordingDied) => ExitCode::from(70),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn run(command: Command, config: Config) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")?;
    let done = match command {
        Command::Serve => {
            listen::raise_file_limit();
            runtime.block_on(app::serve(config))
        }
        Command::Demo => runtime.block_on(demo(config)),
        Command::Migrate => runtime.block_on(migrate(&config)),
        Command::CheckConfig => {
            println!("the configuration is good");
            Ok(())
        }
        Command::PrintConfig => {
            print!("{}", toml::to_string(&config.effective)?);
            Ok(())
        }
        Command::Reprice(line) => runtime.block_on(reprice(&config, &line)),
        Command::Key(line) => runtime.block_on(key(&config, line.command)),
        Command::DeadLetter(line) => runtime.block_on(dead_letter::run(&config, line)),
        Command::Healthcheck(line) => runtime.block_on(healthcheck(&config, line.url)),
    };
    // A thread that waits for a silent disk or a lock must not keep the process from ending.
    runtime.shutdown_timeout(LAST_THREADS);
    done
}

/// The demo's gateway: this configuration, with the scripted provider as `openai` and a data folder of its own.
async fn demo(mut config: Config) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder for the demo's data")?;
    let listen = config.server.listen;
    config.data_dir = folder.path().to_owned();
    config.database.url = format!("sqlite://{}", folder.path().join("trailgate.db").display()).into();
    config.auth.mode = config::AuthMode::Open;
    config.egress.allow.push("127.0.0.1/32".parse()?);
    let serve = |listener, provider_url: String| async move {
        let url = provider_url.parse().context("the demo's provider")?;
        let openai = config.providers.get_mut("openai").context("the demo needs the provider openai")?;
        openai.url = url;
        app::serve_on(config, listener).await
    };
    crate::demo::run(listen, serve).await
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let store = app::open_store(config).await?;
    store.migrate().await?;
    println!("the schema of {} is up to date", store.backend());
    store.close().await;
    Ok(())
}

/// An instant, or the beginning of a day in UTC.
fn instant(text: &str) -> Result<Micros, String> {
    let day = || -> Result<jiff::Timestamp, jiff::Error> {
        Ok(text.parse::<jiff::civil::Date>()?.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    };
    let instant = text.parse::<jiff::Timestamp>().or_else(|_| day());
    instant
        .map(|at| Micros(at.as_microsecond()))
        .map_err(|_| "must be a day or an instant, such as 2026-11-24".to_owned())
}

async fn reprice(config: &Config, line: &RepriceLine) -> anyhow::Result<()> {
    let pricing = Arc::new(Pricing::load(config.price_overlay.as_deref())?);
    let store = app::open_store(config).await?;
    store.migrate().await?;
    let wish = Wish { since: line.since, reparse: line.reparse, dry_run: line.dry_run };
    let done = ingest::reprice::reprice(&store, &EnrichContext { pricing, infer_sessions: false }, wish).await?;
    store.close().await;
    let changed: u64 = done.changes.values().map(|change| change.calls).sum();
    for ((provider, model), change) in &done.changes {
        println!(
            "{provider} {model}: {} calls, ${:.6} -> ${:.6} ({} newly priced, {} without a price now, {} with another usage)",
            change.calls,
            change.before.usd(),
            change.after.usd(),
            change.priced,
            change.unpriced,
            change.reread,
        );
    }
    let verb = if line.dry_run { "would change" } else { "changed" };
    println!("looked at {} model calls, {verb} {changed}", done.calls);
    Ok(())
}

async fn key(config: &Config, command: KeyCommand) -> anyhow::Result<()> {
    let store = app::open_store(config).await?;
    store.migrate().await?;
    let auth = Auth::new(store.clone(), true);
    match command {
        KeyCommand::Create { name, rights, org } => {
            let org = match org {
                Some(org) => match store.org_by_name(&org).await? {
                    Some(id) => id,
                    None => store.create_org(&org).await?,
                },
                None => OrgId::DEFAULT,
            };
            let admin = rights.contains(&Right::Admin);
            let rights = Rights {
                write: admin || rights.contains(&Right::Write),
                read: admin || rights.contains(&Right::Read),
                admin,
            };
            let (row, secret) = auth
                .create_key(&Caller { org, key: None, rights: Rights::ALL, via: Via::Nothing }, &name, rights)
                .await?;
            eprintln!("key {} ({name}); it is shown this once:", row.id);
            println!("{}", secret.expose_secret());
        }
        KeyCommand::List { org } => {
            for row in auth.keys(find_org(&store, org).await?).await? {
                let state = if row.revoked_at.is_some() { "revoked" } else { "valid" };
                println!("{}  {state:7}  {}  {}", row.id, rights_text(row.rights), row.name);
            }
        }
        KeyCommand::Revoke { id, org } => {
            if !auth.revoke(find_org(&store, org).await?, id).await? {
                bail!("the organisation has no valid key with the id {id}");
            }
            println!("revoked {id}");
        }
    }
    store.close().await;
    Ok(())
}

async fn find_org(store: &Store, name: Option<String>) -> anyhow::Result<OrgId> {
    match name {
        None => Ok(OrgId::DEFAULT),
        Some(name) => store.org_by_name(&name).await?.with_context(|| format!("there is no organisation {name:?}")),
    }
}

fn rights_text(rights: Rights) -> String {
    let names = [(rights.write, "write"), (rights.read, "read"), (rights.admin, "admin")];
    names.into_iter().filter_map(|(has, name)| has.then_some(name)).collect::<Vec<_>>().join(",")
}

async fn healthcheck(config: &Config, url: Option<String>) -> anyhow::Result<()> {
    let url = url.unwrap_or_else(|| {
        let listen = config.server.listen;
        let host = match listen.ip() {
            ip if ip.is_unspecified() && ip.is_ipv6() => "[::1]".to_owned(),
            ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            std::net::IpAddr::V4(ip) => ip.to_string(),
        };
        format!("http://{host}:{}", listen.port())
    });
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build()?;
    let answer = client.get(format!("{url}/healthz")).send().await.with_context(|| format!("{url} does not answer"))?;
    if !answer.status().is_success() {
        bail!("{url}/healthz answers {}", answer.status());
    }
    println!("{url} is well");
    Ok(())
}
