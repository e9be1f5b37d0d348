//! Keeps the store as small as its organisations want it: a task that deletes what is older than they keep.
//!
//! It deletes in small batches with pauses between them, so that the drain never waits long for it, and starts again where
//! it was: nothing is remembered. A store that is away is asked again at the next round.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::id::OrgId;
use crate::model::query::Retention;
use crate::model::units::Micros;
use crate::store::{Store, StoreError};

const DAY_US: i64 = 24 * 3_600_000_000;

/// How often retention is looked at, and how long it rests between two batches.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub every: Duration,
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Duration::from_secs(60), pause: Duration::from_millis(50) }
    }
}

/// Runs until `stop`, from the moment that the schema is there.
pub async fn run(store: Store, pace: Pace, prepared: CancellationToken, stop: CancellationToken) {
    tokio::select! {
        () = prepared.cancelled() => {}
        () = stop.cancelled() => return,
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = round(&store, pace.pause) => match result {
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

/// Deletes everything that is too old now; how many calls and bodies that were.
///
/// # Errors
/// When the store fails; what was deleted until then stays so.
pub async fn round(store: &Store, pause: Duration) -> Result<usize, StoreError> {
    let mut deleted = 0;
    for (org, retention) in store.retentions().await? {
        deleted += keep(store, org, retention, pause).await?;
    }
    Ok(deleted)
}

async fn keep(store: &Store, org: OrgId, retention: Retention, pause: Duration) -> Result<usize, StoreError> {
    let now = Micros::now();
    let before = |days: i64| now.plus_us(-days.saturating_mul(DAY_US));
    let mut deleted = 0;
    if let Some(days) = retention.calls_days {
        loop {
            match store.delete_calls_before(org, before(days)).await? {
                0 => break,
                some => deleted += some,
            }
            tokio::time::sleep(pause).await;
        }
        store.delete_hours_before(org, before(days)).await?;
        store.delete_states_before(org, before(days)).await?;
    }
    if let Some(days) = retention.bodies_days {
        loop {
            match store.delete_bodies_before(org, before(days)).await? {
                0 => break,
                some => deleted += some,
            }
            tokio::time::sleep(pause).await;
        }
    }
    Ok(deleted)
}
