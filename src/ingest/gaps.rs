//! What was not kept, counted exactly: calls that were served without a record, and bodies that were left out, by
//! organisation.
//!
//! Counts of calls are in memory until the journal takes them as gap records: a minute that is over as soon as the journal
//! can write, the current one once calls are on record again, all of them when the journal closes. A record is made once,
//! with an id of its own, and tried until it is written; so a count is stored once whatever happens in between.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::capture;
use crate::journal::{FrameKind, Journal};
use crate::model::gap::{Gap, JOURNAL_FULL};
use crate::model::id::{OrgId, RecordId};
use crate::model::units::Micros;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * 60 * MINUTE_US;
/// Counts that are kept apart by the minute; beyond, by the day.
const MOST_CELLS: usize = 65_536;

/// What an organisation misses since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Calls that were served without a record.
    pub calls_not_logged: u64,
    /// Bodies that were not kept because the journal was almost full.
    pub bodies_shed: u64,
}

#[derive(Default)]
struct Counts {
    /// By organisation and start of the minute.
    open: BTreeMap<(OrgId, i64), i64>,
    /// Made into records that are not written yet.
    made: Vec<Gap>,
    missing: BTreeMap<OrgId, Missing>,
}

#[derive(Default)]
pub(super) struct Gaps(Mutex<Counts>);

impl Gaps {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is served without a record.
    pub(super) fn call(&self, org: OrgId, at: Micros) {
        let mut counts = self.counts();
        let unit = if counts.open.len() < MOST_CELLS { MINUTE_US } else { DAY_US };
        let minute = at.0.div_euclid(unit) * unit;
        *counts.open.entry((org, minute)).or_default() += 1;
        counts.missing.entry(org).or_default().calls_not_logged += 1;
        drop(counts);
        metrics::counter!("trailgate_calls_not_logged_total", "org" => org.to_string()).increment(1);
    }

    /// A body was left out of a record.
    pub(super) fn body(&self, org: OrgId) {
        self.counts().missing.entry(org).or_default().bodies_shed += 1;
        metrics::counter!("trailgate_bodies_shed_total", "org" => org.to_string()).increment(1);
    }

    /// By organisation, since the start.
    pub(super) fn missing(&self) -> BTreeMap<OrgId, Missing> {
        self.counts().missing.clone()
    }

    /// Calls of an organisation whose gap record is not written yet.
    pub(super) fn waiting(&self, org: OrgId) -> i64 {
        let counts = self.counts();
        let open = counts.open.iter().filter(|((of, _), _)| *of == org).map(|(_, calls)| calls);
        open.chain(counts.made.iter().filter(|gap| gap.org == org).map(|gap| &gap.calls)).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        let counts = self.counts();
        counts.open.is_empty() && counts.made.is_empty()
    }

    /// Makes records of the counts of minutes that began before `before`; gives all records that are to be written.
    fn make(&self, before: Micros) -> Vec<Gap> {
        let mut counts = self.counts();
        let open = std::mem::take(&mut counts.open);
        for ((org, minute), calls) in open {
            if minute < before.0 {
                let reason = JOURNAL_FULL.to_owned();
                counts.made.push(Gap { id: RecordId::generate(), org, minute: Micros(minute), calls, reason });
            } else {
                counts.open.insert((org, minute), calls);
            }
        }
        counts.made.clone()
    }

    /// Writes the records of minutes that began before `before` to the journal; what it does not take stays.
    pub(super) async fn write(&self, journal: &Journal, before: Micros) {
        let mut receipts = Vec::new();
        for gap in self.make(before) {
            match capture::frame(FrameKind::Gap, (gap.id, gap.org), &gap, Vec::new()) {
                Ok(frame) => receipts.push((gap, journal.append_durable(frame))),
                Err(error) => tracing::error!(%error, "ingest.gap.not_written"),
            }
        }
        for (gap, receipt) in receipts {
            match receipt.wait().await {
                Ok(()) => {
                    tracing::warn!(org = %gap.org, minute_us = gap.minute.0, calls = gap.calls, "ingest.gap");
                    self.counts().made.retain(|made| made.id != gap.id);
                }
                Err(error) => tracing::debug!(%error, "ingest.gap.waits"),
            }
        }
    }
}

/// The start of the minute that an instant is in.
pub(super) const fn minute_of(at: Micros) -> Micros {
    Micros(at.0.div_euclid(MINUTE_US) * MINUTE_US)
}
