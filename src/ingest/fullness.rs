//! What the edges do while the journal fills up, and what is made good when space is back.
//!
//! The begin decides: a call that arrives while the journal is full is served, counted and told so in a header; a call that
//! arrived before is on record however it ends, and what the disk does not take of it waits in the journal's memory. So
//! rows and gaps together are exactly the calls that were served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Ingest;
use super::drain::DrainState;
use super::gaps::{Missing, minute_of};
use crate::journal::{JournalError, Step};
use crate::model::id::OrgId;
use crate::model::units::Micros;

/// Manual logs up to this length are taken while bodies of proxied calls are shed.
pub const SMALL_LOG: usize = 64 << 10;
/// How often gap records that wait are tried.
const AGAIN: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 1_000 });

impl Ingest {
    /// How full the journal is. Cheap.
    pub fn step(&self) -> Step {
        self.state.journal.step()
    }

    /// Whether a call that arrives now goes on record. Where it does not, it is counted: ask once a call.
    pub fn puts_on_record(&self, org: OrgId, at: Micros) -> bool {
        let full = self.step() == Step::Full;
        if full {
            self.state.gaps.call(org, at);
        }
        !full
    }

    /// Whether bodies of proxied calls are left out now.
    pub fn sheds_bodies(&self) -> bool {
        self.step() >= Step::Shedding
    }

    /// A body was left out.
    pub fn count_shed(&self, org: OrgId) {
        self.state.gaps.body(org);
    }

    /// Whether a manual log of so many bytes is taken now.
    ///
    /// # Errors
    /// [`JournalError::Full`].
    pub fn takes_log(&self, bytes: usize) -> Result<(), JournalError> {
        match self.step() {
            Step::Full => Err(JournalError::Full),
            Step::Shedding if bytes > SMALL_LOG => Err(JournalError::Full),
            _ => Ok(()),
        }
    }

    /// What each organisation misses since the start of the process.
    pub fn missing(&self) -> BTreeMap<OrgId, Missing> {
        self.state.gaps.missing()
    }

    /// Calls of an organisation that were not put on record and whose gap is not in the journal yet.
    pub fn gaps_waiting(&self, org: OrgId) -> i64 {
        self.state.gaps.waiting(org)
    }
}

/// Writes gap records when they can be written, until the drain stops.
pub(super) async fn keep(state: Arc<DrainState>) {
    let mut steps = state.journal.steps();
    loop {
        // While it is full, counts come at any time.
        let waits = !state.gaps.is_empty() || state.journal.step() == Step::Full;
        tokio::select! {
            () = state.stop.cancelled() => return,
            changed = steps.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AGAIN), if waits => {}
        }
        if state.journal.step() < Step::Full {
            state.gaps.write(&state.journal, Micros(i64::MAX)).await;
        } else if !state.journal.cannot_write() {
            state.gaps.write(&state.journal, minute_of(Micros::now())).await;
        }
    }
}

/// What must be said before the journal closes, on a full disk too.
pub(super) async fn last_words(state: &DrainState) {
    if state.gaps.is_empty() {
        return;
    }
    if state.journal.step() == Step::Full {
        let journal = state.journal.clone();
        tokio::task::spawn_blocking(move || journal.spend_reserve()).await.ok();
    }
    state.gaps.write(&state.journal, Micros(i64::MAX)).await;
    if !state.gaps.is_empty() {
        tracing::error!("ingest.gap.lost: the disk took no record of calls that were not logged");
    }
}
