//! `trailgate dead-letter`: lists, shows, tries again and drops what the store refused. Works on the store of the
//! configuration, whether a gateway runs beside it or not.
#![expect(clippy::print_stdout, reason = "a command line speaks on standard output")]

use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::find_org;
use crate::app;
use crate::config::Config;
use crate::ingest::{DeadLetters, Retried};
use crate::live::Live;
use crate::model::dead_letter::DeadLetterRow;
use crate::model::id::{OrgId, RecordId};
use crate::store::Store;

const PAGE: i64 = 500;

#[derive(Debug, Args)]
pub(super) struct Line {
    #[command(subcommand)]
    command: Command,
    /// The organisation whose letters they are.
    #[arg(long, global = true, value_name = "NAME")]
    org: Option<String>,
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the letters, newest first.
    List,
    /// Write the frames of one to standard output, byte for byte.
    Show { record: RecordId },
    /// Try letters again; those that can be stored now are no letters any more.
    Retry(Which),
    /// Drop letters for good.
    Drop(Which),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The record's id.
    record: Option<RecordId>,
    /// All of the organisation.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(config: &Config, line: Line) -> anyhow::Result<()> {
    let store = app::open_store(config).await?;
    store.migrate().await?;
    let letters = DeadLetters::new(store.clone(), app::understand(config)?, Live::new(1));
    letters.import(app::dead_folder(config)).await?;
    let org = find_org(&store, line.org).await?;
    let done = match line.command {
        Command::List => list(&store, org, line.json).await,
        Command::Show { record } => show(&store, org, record).await,
        Command::Retry(which) => retry(&store, &letters, org, which, line.json).await,
        Command::Drop(which) => remove(&store, org, which, line.json).await,
    };
    store.close().await;
    done
}

/// All letters, page by page.
async fn each(store: &Store, org: OrgId) -> anyhow::Result<Vec<DeadLetterRow>> {
    let mut all: Vec<DeadLetterRow> = Vec::new();
    loop {
        let after = all.last().map(|row| (row.at, row.record));
        let page = store.dead_letters(org, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn list(store: &Store, org: OrgId, as_json: bool) -> anyhow::Result<()> {
    for row in each(store, org).await? {
        let at = jiff::Timestamp::from_microsecond(row.at.0).context("a time out of range")?;
        if as_json {
            let (id, kind) = (row.record.to_string(), row.kind);
            tell(
                &json!({ "id": id, "created_at": at.to_string(), "kind": kind, "reason": row.reason, "bytes": row.bytes }),
            );
        } else {
            println!("{}  {at:.0}  {:7}  {:9} bytes  {}", row.record, row.kind, row.bytes, row.reason);
        }
    }
    Ok(())
}

async fn show(store: &Store, org: OrgId, record: RecordId) -> anyhow::Result<()> {
    let frames = store.dead_letter(org, record).await?.with_context(|| none(record))?;
    std::io::stdout().lock().write_all(&frames).context("standard output")
}

async fn retry(store: &Store, letters: &DeadLetters, org: OrgId, which: Which, as_json: bool) -> anyhow::Result<()> {
    let mut left = 0;
    for record in chosen(store, org, &which).await? {
        let (outcome, detail) = match letters.retry(org, record).await?.with_context(|| none(record))? {
            Retried::Stored(id) => ("stored", Some(id.to_string())),
            Retried::Known => ("known", None),
            Retried::Unreadable(reason) => ("unreadable", Some(reason)),
            Retried::Refused(reason) => ("refused", Some(reason)),
        };
        left += u32::from(outcome != "stored");
        if as_json {
            tell(&json!({ "id": record.to_string(), "outcome": outcome, "detail": detail }));
        } else {
            println!("{record}  {outcome}  {}", detail.unwrap_or_default());
        }
    }
    if left > 0 {
        bail!("{left} letter(s) stay");
    }
    Ok(())
}

async fn remove(store: &Store, org: OrgId, which: Which, as_json: bool) -> anyhow::Result<()> {
    for record in chosen(store, org, &which).await? {
        if !store.drop_dead_letter(org, record).await? {
            bail!(none(record));
        }
        if as_json {
            tell(&json!({ "id": record.to_string(), "outcome": "dropped" }));
        } else {
            println!("{record}  dropped");
        }
    }
    Ok(())
}

async fn chosen(store: &Store, org: OrgId, which: &Which) -> anyhow::Result<Vec<RecordId>> {
    match which.record {
        Some(record) => Ok(vec![record]),
        None => Ok(each(store, org).await?.into_iter().map(|row| row.record).collect()),
    }
}

fn tell(value: &Value) {
    println!("{value}");
}

fn none(record: RecordId) -> String {
    format!("the organisation has no dead letter of the record {record}")
}
