//! Keeps the store as small as its organisations want it: a task that deletes what is older than they keep.
//!
//! It deletes in small batches with pauses between them, so that the drain never waits long for it, and starts again where
//! it was. A store that is away is asked again at the next round, and what fails for one organisation stops no other.
//!
//! A clock that jumped forward must not delete everything: where it ran ahead of the time that this process has lived,
//! nothing is deleted for a day ([`Clock`]).

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::model::id::OrgId;
use crate::model::query::Retention;
use crate::model::units::Micros;
use crate::store::{Store, StoreError};

const DAY_US: i64 = 24 * 3_600_000_000;

/// How far the wall clock may run ahead of the process's own time.
const AHEAD_US: i64 = 3_600_000_000;

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

/// The wall clock, held against the time that this process has lived.
#[derive(Debug)]
pub struct Clock {
    since: Instant,
    wall: Micros,
    /// Since when it has been ahead.
    ahead: Option<Instant>,
}

impl Clock {
    /// A clock that showed `wall` just now.
    pub fn showing(wall: Micros) -> Self {
        Self { since: Instant::now(), wall, ahead: None }
    }

    /// Whether it may be gone by: it did not jump forward, or has said the same for `doubt` since (a machine that slept, say).
    fn is_right(&mut self, doubt: Duration) -> bool {
        let lived = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        if (Micros::now() - self.wall).saturating_sub(lived) <= AHEAD_US {
            self.ahead = None;
            return true;
        }
        let ahead = *self.ahead.get_or_insert_with(|| {
            tracing::warn!(wait_s = doubt.as_secs(), "retention.clock_jumped");
            Instant::now()
        });
        if ahead.elapsed() < doubt {
            return false;
        }
        *self = Self::showing(Micros::now());
        true
    }
}

/// Runs until `stop`, from the moment that the schema is there.
pub async fn run(store: Store, pace: Pace, prepared: CancellationToken, stop: CancellationToken) {
    tokio::select! {
        () = prepared.cancelled() => {}
        () = stop.cancelled() => return,
    }
    let mut clock = Clock::showing(Micros::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = round(&store, pace, &mut clock) => match result {
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
/// is logged. Nothing where the clock is in doubt.
///
/// # Errors
/// When the store cannot tell who keeps what.
pub async fn round(store: &Store, pace: Pace, clock: &mut Clock) -> Result<usize, StoreError> {
    if !clock.is_right(pace.doubt) {
        return Ok(0);
    }
    let mut deleted = 0;
    for (org, retention) in store.retentions().await? {
        match keep(store, (org, retention), pace).await {
            Ok(more) => deleted += more,
            Err(error) => tracing::warn!(org = %org.0, %error, "retention.failed"),
        }
    }
    Ok(deleted)
}

async fn keep(store: &Store, (org, retention): (OrgId, Retention), pace: Pace) -> Result<usize, StoreError> {
    let now = Micros::now();
    let before = |days: i64| now.plus_us(days.saturating_mul(DAY_US).saturating_neg());
    let (calls, bodies) = (retention.calls_days.map(before), retention.bodies_days.map(before));
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
