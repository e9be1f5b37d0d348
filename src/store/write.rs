//! The drain's way in: one idempotent transaction a batch.
//!
//! Invariants
//! - A record is stored at most once: `(org, record)` is unique, and a row that was there already changes nothing.
//! - Roll-ups take only rows that this transaction inserted, so a replay adds nothing.
//! - A client may use one request id for two calls (SDKs repeat `Helicone-Request-Id` when they retry). A proxied call then
//!   goes under its record's id and carries a note; a manual log is taken as the same post again and is not stored.
//! - Compression happens before the transaction; the transaction only writes.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, SqlitePool};
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

use super::dead_letters::DROP;
use super::dialect::agents::Agents;
use super::dialect::{Dialect, postgres, sqlite};
use super::error::StoreError;
use super::link::{Link, limited};
use super::probe::plain_call;
use super::record::Record;
use super::rollup::{self, RollUp, SessionDelta};
use super::threads;
use crate::model::exchange::Exchange;
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::query::Written;

/// zstd's fastest regular level.
const LEVEL: i32 = 1;
/// Its level for bodies of up to [`SHORT`] bytes: without entropy tables, whose making costs more than it saves on them.
const SHORT_LEVEL: i32 = -3;
const SHORT: usize = 8 * 1024;
/// Bodies of up to so many bytes are not compressed at all: a sixth of what a call costs this process, for a kilobyte.
const PLAIN: usize = 2 * 1024;

/// The drain's connection: its own, outside any pool.
pub struct Writer {
    side: Side,
}

enum Side {
    Sqlite(Box<SqliteSide>),
    Postgres(Box<Link>),
}

/// SQLite's, which is opened with the first batch. Who writes here holds the one connection of the store's writing pool
/// meanwhile, so that small updates of this process wait for their turn there and not for SQLite's lock.
struct SqliteSide {
    turn: SqlitePool,
    path: PathBuf,
    /// Never locked, only taken out: it makes the writer one that threads may share.
    open: Mutex<Option<rusqlite::Connection>>,
}

/// How a transaction ends that went through.
#[derive(Clone, Copy)]
enum Finish {
    Keep,
    /// It was only a trial.
    TakeBack,
    /// The record had been put aside: where it is new now, its letter goes with the same commit.
    Release(OrgId, RecordId),
}

/// A call's bodies and headers as they go into `body`.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub request: Option<Vec<u8>>,
    pub response: Option<Vec<u8>>,
    pub request_facts: Vec<u8>,
    pub response_facts: Vec<u8>,
    pub request_headers: Vec<u8>,
    pub response_headers: Vec<u8>,
}

impl Packed {
    pub fn len(&self) -> usize {
        self.request.as_ref().map_or(0, Vec::len) + self.response.as_ref().map_or(0, Vec::len)
    }
}

impl Writer {
    pub(super) fn sqlite(turn: SqlitePool, path: PathBuf) -> Self {
        Self { side: Side::Sqlite(Box::new(SqliteSide { turn, path, open: Mutex::new(None) })) }
    }

    pub(super) fn postgres(options: PgConnectOptions, statement_timeout: Duration) -> Self {
        Self { side: Side::Postgres(Box::new(Link::new(options, statement_timeout))) }
    }

    /// One idempotent transaction: rows, bodies, properties, and roll-ups from the rows that were new.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the same batch may go through later (the connection is replaced by then);
    /// [`StoreError::Rejected`] where the database refuses one of these rows for what it holds. Nothing of the batch is
    /// stored in either case.
    pub async fn write(&mut self, batch: &[Exchange]) -> Result<Written, StoreError> {
        self.transact(batch, Finish::Keep).await
    }

    /// Whether a plain row would go in now. Leaves nothing behind.
    ///
    /// # Errors
    /// Where it would not: then the fault is the store's.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        self.transact(&[plain_call()], Finish::TakeBack).await.map(drop)
    }

    /// Stores a record that had been put aside, and drops its letter with the same commit. Where the record is in the store
    /// already, nothing is new and the letter stays.
    ///
    /// # Errors
    /// As [`Writer::write`]; the letter stays.
    pub async fn release(&mut self, call: &Exchange) -> Result<Written, StoreError> {
        self.transact(std::slice::from_ref(call), Finish::Release(call.org, call.record)).await
    }

    async fn transact(&mut self, batch: &[Exchange], finish: Finish) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let packed = pack(batch).await?;
        match self.once(batch, &packed, finish).await {
            // Another writer was in the way and the database undid this one: by now the other is through.
            Err(error) if error.is_conflict() => self.once(batch, &packed, finish).await,
            result => result,
        }
    }

    async fn once(&mut self, batch: &[Exchange], packed: &[Packed], finish: Finish) -> Result<Written, StoreError> {
        match &mut self.side {
            Side::Sqlite(side) => {
                let _turn = side.turn.acquire().await?;
                let place = side.open.get_mut().unwrap_or_else(PoisonError::into_inner);
                let mut open = match place.take() {
                    Some(open) => open,
                    None => in_place(|| sqlite::open(&side.path))?,
                };
                let result = in_place(|| in_sqlite(&mut open, batch, packed, finish));
                // After a fault of the file it is opened anew.
                if !result.as_ref().is_err_and(StoreError::is_unavailable) {
                    *place = Some(open);
                }
                result
            }
            Side::Postgres(link) => {
                let mut open = link.take().await?;
                let result = in_postgres(&mut open, link.limit(), batch, packed, finish).await;
                // After a fault of the connection it is dropped. After a refusal it is as good as before.
                if !result.as_ref().is_err_and(|e| e.is_unavailable() && !e.is_conflict()) {
                    link.put_back(open);
                }
                result
            }
        }
    }
}

/// Runs what blocks: other tasks of this thread go on elsewhere meanwhile.
fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A runtime of one thread, as the drain has: there is nowhere else to go on.
        _ => work(),
    }
}

fn in_sqlite(
    open: &mut rusqlite::Connection,
    batch: &[Exchange],
    packed: &[Packed],
    finish: Finish,
) -> Result<Written, StoreError> {
    open.execute_batch("BEGIN IMMEDIATE")?;
    let result = store(&mut sqlite::Bulk(open), batch, packed).now_or_never().unwrap_or_else(|| {
        let waits = std::io::Error::other("a statement on SQLite waits for something");
        Err(StoreError::Internal(sqlx::Error::Io(waits)))
    });
    let result = result.and_then(|written| {
        match finish {
            Finish::TakeBack => return Ok(open.execute_batch("ROLLBACK").map(|()| written)?),
            Finish::Release(org, record) if !written.new.is_empty() => {
                open.execute(DROP, (org.0, record.0))?;
            }
            Finish::Release(..) | Finish::Keep => (),
        }
        open.execute_batch("COMMIT")?;
        Ok(written)
    });
    if result.is_err() && !open.is_autocommit() {
        // Where that fails too, the connection is of no use.
        open.execute_batch("ROLLBACK")?;
    }
    result
}

async fn in_postgres(
    open: &mut PgConnection,
    limit: Duration,
    batch: &[Exchange],
    packed: &[Packed],
    finish: Finish,
) -> Result<Written, StoreError> {
    let mut tx = limited(limit, open.begin()).await?;
    let result: Result<Written, StoreError> = async {
        let written = store(&mut postgres::Bulk { connection: &mut tx, limit }, batch, packed).await?;
        if let (Finish::Release(org, record), false) = (finish, written.new.is_empty()) {
            limited(limit, sqlx::query(DROP).bind(org.0).bind(record.0).execute(&mut *tx)).await?;
        }
        Ok(written)
    }
    .await;
    match result {
        Ok(written) if matches!(finish, Finish::TakeBack) => {
            limited(limit, tx.rollback()).await?;
            Ok(written)
        }
        Ok(written) => {
            limited(limit, tx.commit()).await?;
            Ok(written)
        }
        // The connection is dropped, and with it the transaction: no word more to a server that may be silent.
        Err(error) if error.is_unavailable() && !error.is_conflict() => Err(error),
        Err(error) => {
            // Explicit, so that the connection is clean when it is used again.
            limited(limit, tx.rollback()).await?;
            Err(error)
        }
    }
}

/// The transaction's story, the same on both databases.
async fn store<D: Dialect + Agents>(db: &mut D, batch: &[Exchange], packed: &[Packed]) -> Result<Written, StoreError> {
    let (mut records, repeated) = distinct(batch);
    let plan = threads::plan(db, batch, &mut records).await?;
    let mut stored: HashSet<usize> = HashSet::with_capacity(records.len());

    insert(db, &records, &mut stored).await?;
    move_reused(db, &mut records, &mut stored, batch).await?;

    let new: Vec<&Record<'_>> = records.iter().filter(|r| stored.contains(&r.index)).collect();
    let written = written(&new, records.len() - new.len() + repeated);
    if new.is_empty() {
        return Ok(written);
    }
    db.insert_bodies(&new, packed).await?;
    db.insert_properties(&new).await?;
    insert_tools(db, batch, &new).await?;
    plan.remember(db, batch, &new).await?;
    let adopted = plan.adopt(db, &mut records, &stored).await?;
    let mut new: Vec<&Record<'_>> = records.iter().filter(|r| stored.contains(&r.index)).collect();
    new.sort_by_key(|r| r.index);
    let mut sum = rollup::fold(new);
    adopted.add_to(&mut sum);
    roll_up(db, &sum).await?;
    Ok(written)
}

/// Tool calls that the new calls ask for, and results that they tell.
async fn insert_tools<D: Agents>(db: &mut D, batch: &[Exchange], new: &[&Record<'_>]) -> Result<(), StoreError> {
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for record in new {
        let Some(call) = batch.get(record.index) else { continue };
        calls.extend(call.agent.calls.iter().map(|tool| (*record, tool)));
        results.extend(call.agent.results.iter().map(|result| (*record, result)));
    }
    if !calls.is_empty() {
        db.insert_tool_calls(&calls).await?;
    }
    if !results.is_empty() {
        db.insert_tool_results(&results).await?;
    }
    Ok(())
}

/// Calls without those whose record occurs twice in the batch, and the number of the latter.
///
/// Sorted, so that writers meet unique keys in the same order; stable, so the first of two calls with one id keeps it.
fn distinct(batch: &[Exchange]) -> (Vec<Record<'_>>, usize) {
    let mut seen = HashSet::with_capacity(batch.len());
    let mut calls: Vec<(usize, &Exchange)> =
        batch.iter().enumerate().filter(|(_, call)| seen.insert((call.org, call.record))).collect();
    calls.sort_by_key(|(_, call)| (call.org.0, call.id.0));
    let records: Vec<Record<'_>> = calls.into_iter().map(|(index, call)| Record::new(index, call)).collect();
    let repeated = batch.len() - records.len();
    (records, repeated)
}

async fn insert<D: Dialect>(db: &mut D, records: &[Record<'_>], stored: &mut HashSet<usize>) -> Result<(), StoreError> {
    let open: Vec<&Record<'_>> = records.iter().filter(|r| !stored.contains(&r.index)).collect();
    let inserted = db.insert_calls(&open).await?;
    stored.extend(open.iter().filter(|r| inserted.contains(&(r.org_id, r.record_id))).map(|r| r.index));
    Ok(())
}

/// Calls whose id was taken by another call go under their record's id.
async fn move_reused<D: Dialect>(
    db: &mut D,
    records: &mut [Record<'_>],
    stored: &mut HashSet<usize>,
    batch: &[Exchange],
) -> Result<(), StoreError> {
    // More than one round only if somebody's record id was used as a request id too.
    for round in 0..3 {
        let left: Vec<&Record<'_>> = records.iter().filter(|r| !stored.contains(&r.index)).collect();
        if left.is_empty() {
            return Ok(());
        }
        let known = db.known_records(&left).await?;
        let mut moved = Vec::new();
        for record in records.iter_mut().filter(|r| !stored.contains(&r.index)) {
            if known.contains(&(record.org_id, record.record_id)) {
                continue;
            }
            let id = if round == 0 { record.record_id } else { Uuid::now_v7() };
            record.move_to(id, batch.get(record.index).map_or(&[], |call| &call.notes));
            moved.push(record.clone());
        }
        if moved.is_empty() {
            return Ok(());
        }
        insert(db, &moved, stored).await?;
    }
    Ok(())
}

fn written(new: &[&Record<'_>], replayed: usize) -> Written {
    let mut ordered: Vec<&&Record<'_>> = new.iter().collect();
    ordered.sort_by_key(|r| r.index);
    Written { new: ordered.iter().map(|r| (OrgId(r.org_id), RequestId(r.id))).collect(), replayed }
}

async fn roll_up<D: Dialect>(db: &mut D, sum: &RollUp<'_>) -> Result<(), StoreError> {
    if !sum.sessions.is_empty() {
        let starts = db.upsert_sessions(sum).await?;
        // Its properties sort by a session's start.
        let moved: Vec<(Uuid, &str, i64)> = sum
            .sessions
            .iter()
            .filter(|((org, key), delta)| may_have_moved(&starts, *org, key, delta))
            .map(|((org, key), delta)| (*org, *key, delta.first_at))
            .collect();
        db.move_session_properties(&moved).await?;
        db.insert_session_users(sum).await?;
        db.upsert_session_properties(sum, &starts).await?;
    }
    db.upsert_property_keys(sum).await?;
    // Last: every writer of an organisation waits for the row of this hour until the other's transaction is over.
    db.upsert_hours(sum).await
}

/// Sessions after their upsert, by organisation and session key.
pub(super) type Starts = HashMap<(Uuid, String), Start>;

/// What is to be known of a session after its upsert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    first_at: i64,
    calls: i64,
}

/// Takes rows of organisation, session key, start and number of calls.
pub(super) fn add_starts(starts: &mut Starts, rows: Vec<(Uuid, String, i64, i64)>) {
    starts.extend(rows.into_iter().map(|(org, session, first_at, calls)| ((org, session), Start { first_at, calls })));
}

pub(super) fn start_of(starts: &Starts, org: Uuid, session: &str) -> Option<i64> {
    starts.get(&(org, session.to_owned())).map(|start| start.first_at)
}

/// Whether an older session starts with this batch now: it may have started later before.
fn may_have_moved(starts: &Starts, org: Uuid, session: &str, delta: &SessionDelta<'_>) -> bool {
    let start = starts.get(&(org, session.to_owned()));
    start.is_some_and(|start| start.first_at == delta.first_at && start.calls > delta.calls)
}

/// Compresses on a blocking thread where there is something to compress: half a millisecond a megabyte would hold up every
/// other task. Short bodies are only framed, which is less work than asking another thread.
async fn pack(batch: &[Exchange]) -> Result<Vec<Packed>, StoreError> {
    let io = |error| StoreError::Internal(sqlx::Error::Io(error));
    let mut packed: Vec<Packed> = batch.iter().map(describe).collect();
    let raw: Vec<(Bytes, Bytes)> = batch.iter().map(|c| (c.request.bytes.clone(), c.response.bytes.clone())).collect();
    let bodies = if raw.iter().all(|(request, response)| request.len() <= PLAIN && response.len() <= PLAIN) {
        squeeze_all(&raw)
    } else {
        let there = tokio::task::spawn_blocking(move || squeeze_all(&raw));
        there.await.map_err(|e| io(std::io::Error::other(e)))?
    };
    for (packed, (request, response)) in packed.iter_mut().zip(bodies.map_err(io)?) {
        packed.request = request;
        packed.response = response;
    }
    Ok(packed)
}

fn describe(call: &Exchange) -> Packed {
    Packed {
        request: None,
        response: None,
        request_facts: serde_json::to_vec(&call.request.facts).unwrap_or_default(),
        response_facts: serde_json::to_vec(&call.response.facts).unwrap_or_default(),
        request_headers: call.request_headers.json().into(),
        response_headers: call.response_headers.json().into(),
    }
}

/// Compressors for long and for short bodies, made when the first of these comes; making one costs more than using it.
#[derive(Default)]
struct Encoder {
    long: Option<zstd::bulk::Compressor<'static>>,
    short: Option<zstd::bulk::Compressor<'static>>,
}

type Squeezed = Option<Vec<u8>>;

fn squeeze_all(raw: &[(Bytes, Bytes)]) -> std::io::Result<Vec<(Squeezed, Squeezed)>> {
    let mut encoder = Encoder::default();
    let pair =
        |(request, response): &(Bytes, Bytes)| Ok((squeeze(&mut encoder, request)?, squeeze(&mut encoder, response)?));
    raw.iter().map(pair).collect()
}

fn squeeze(encoder: &mut Encoder, body: &[u8]) -> std::io::Result<Squeezed> {
    if body.is_empty() {
        return Ok(None);
    }
    if body.len() <= PLAIN {
        return Ok(Some(plain_frame(body)));
    }
    let (fitting, level) =
        if body.len() <= SHORT { (&mut encoder.short, SHORT_LEVEL) } else { (&mut encoder.long, LEVEL) };
    let compressor = match fitting {
        Some(made) => made,
        none => none.insert(zstd::bulk::Compressor::new(level)?),
    };
    compressor.compress(body).map(Some)
}

/// A zstd frame (RFC 8878, 3.1.1) of one raw block, which every decoder reads: no window, no checksum, the content's
/// length in one byte or in two. For at most [`PLAIN`] bytes.
fn plain_frame(body: &[u8]) -> Vec<u8> {
    const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    /// Single segment; the length field has one byte.
    const SHORT_LENGTH: u8 = 0x20;
    /// Single segment; the length field has two bytes and counts from 256.
    const LONG_LENGTH: u8 = 0x60;
    let mut frame = Vec::with_capacity(body.len() + 10);
    frame.extend_from_slice(&MAGIC);
    let len = u16::try_from(body.len()).unwrap_or(u16::MAX);
    match u8::try_from(len) {
        Ok(len) => frame.extend_from_slice(&[SHORT_LENGTH, len]),
        Err(_) => {
            frame.push(LONG_LENGTH);
            frame.extend_from_slice(&(len - 256).to_le_bytes());
        }
    }
    // The last block, of type raw, with its length in the upper bits.
    let [low, middle, high, _] = (1 | (u32::from(len) << 3)).to_le_bytes();
    frame.extend_from_slice(&[low, middle, high]);
    frame.extend_from_slice(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_every_length_come_back() {
        let mut encoder = Encoder::default();
        let text: Vec<u8> = (0..20_000_u32).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
        for len in (1..=PLAIN + 3).chain([SHORT, SHORT + 1, 20_000]) {
            let packed = squeeze(&mut encoder, &text[..len]).unwrap().unwrap();
            assert_eq!(zstd::decode_all(&*packed).unwrap(), &text[..len], "{len}");
            assert!(packed.len() <= len + 20, "{len}");
        }
        assert_eq!(squeeze(&mut encoder, &[]).unwrap(), None);
    }
}
