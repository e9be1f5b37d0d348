//! Keeps the store as small as its organisations want it: a task that deletes what is older than they keep.
//!
//! It deletes in small batches with pauses between them, so that the drain never waits long for it, and starts again where
//! it was. A store that is away is asked again at the next round, and what fails for one organisation stops no other.
//!
//! A clock that is wrong must not delete everything. With a clock that goes right the newest of what is too old became so
//! since the last round. Where it has been so for more than an hour, either this process did not run, or the organisation has
//! only now said how long it keeps its calls, or the clock has jumped: then deletion waits until this process has seen the
//! same for a day.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::model::id::OrgId;
use crate::model::query::Retention;
use crate::model::units::Micros;
use crate::store::{Store, StoreError};

const DAY_US: i64 = 24 * 3_600_000_000;

/// How far the newest of what would be deleted may lie behind the instant before which it is.
const FAR_US: i64 = 3_600_000_000;

/// How often retention is looked at, how long it rests between two batches, and how long it waits where the clock is in doubt.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub every: Duration,
    pub pause: Duration,
    pub doubt: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            pause: Duration::from_millis(50),
            doubt: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What is kept for a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Calls,
    Bodies,
}

/// Since when the clock has been in doubt, by what it would delete.
#[derive(Debug, Default)]
pub struct Doubts(HashMap<(OrgId, Part), Instant>);

impl Doubts {
    /// Whether deletion has to wait.
    fn hold(&mut self, what: (OrgId, Part), (newest, before): (Option<Micros>, Micros), wait: Duration) -> bool {
        if newest.is_none_or(|newest| before.0.saturating_sub(newest.0) <= FAR_US) {
            self.0.remove(&what);
            return false;
        }
        let since = self.0.entry(what).or_insert_with(|| {
            let (org, part) = what;
            let wait_s = wait.as_secs();
            tracing::warn!(org = %org.0, ?part, wait_s, "retention.clock_in_doubt");
            Instant::now()
        });
        since.elapsed() < wait
    }
}

/// Runs until `stop`, from the moment that the schema is there.
pub async fn run(store: Store, pace: Pace, prepared: CancellationToken, stop: CancellationToken) {
    tokio::select! {
        () = prepared.cancelled() => {}
        () = stop.cancelled() => return,
    }
    let mut doubts = Doubts::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = round(&store, pace, &mut doubts) => match result {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "retention.deleted"),
                Err(error) => tracing::warn!(%error, "retention.failed"),
            },
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pace.every) => {}
        }
    }
}

/// Deletes everything that is too old now; how many calls, bodies and dead letters that were. What fails for an organisation
/// is logged.
///
/// # Errors
/// When the store cannot tell who keeps what.
pub async fn round(store: &Store, pace: Pace, doubts: &mut Doubts) -> Result<usize, StoreError> {
    let mut deleted = 0;
    for (org, retention) in store.retentions().await? {
        match keep(store, (org, retention), pace, doubts).await {
            Ok(more) => deleted += more,
            Err(error) => tracing::warn!(org = %org.0, %error, "retention.failed"),
        }
    }
    Ok(deleted)
}

async fn keep(
    store: &Store,
    (org, retention): (OrgId, Retention),
    pace: Pace,
    doubts: &mut Doubts,
) -> Result<usize, StoreError> {
    let now = Micros::now();
    let before = |days: i64| now.plus_us(days.saturating_mul(DAY_US).saturating_neg());
    let mut calls = retention.calls_days.map(before);
    if let Some(before) = calls {
        let newest = store.newest_call_before(org, before).await?;
        calls = calls.filter(|_| !doubts.hold((org, Part::Calls), (newest, before), pace.doubt));
    }
    let mut bodies = retention.bodies_days.map(before);
    if let Some(before) = bodies {
        let newest = store.newest_body_before(org, before).await?;
        bodies = bodies.filter(|_| !doubts.hold((org, Part::Bodies), (newest, before), pace.doubt));
    }

    let mut deleted = 0;
    if let Some(before) = calls {
        deleted += in_batches(pace.pause, || store.delete_calls_before(org, before)).await?;
        store.delete_property_keys_before(org, before).await?;
        store.delete_hours_before(org, before).await?;
        store.delete_states_before(org, before).await?;
        store.delete_gaps_before(org, before).await?;
    }
    if let Some(before) = bodies {
        deleted += in_batches(pace.pause, || store.delete_bodies_before(org, before)).await?;
    }
    // A dead letter holds a call's bodies.
    if let Some(before) = calls.max(bodies) {
        deleted += in_batches(pace.pause, || store.delete_dead_letters_before(org, before)).await?;
    }
    Ok(deleted)
}

/// Deletes until nothing is left to delete; how much that was.
async fn in_batches<F>(pause: Duration, mut batch: impl FnMut() -> F + Send) -> Result<usize, StoreError>
where
    F: Future<Output = Result<usize, StoreError>> + Send,
{
    let mut deleted = 0;
    loop {
        match batch().await? {
            0 => return Ok(deleted),
            some => deleted += some,
        }
        tokio::time::sleep(pause).await;
    }
}
