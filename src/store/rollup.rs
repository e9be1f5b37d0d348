//! What a batch of new calls adds to the roll-ups. Pure; the order of calls and of batches does not matter to the result.
//!
//! Everything is in sorted maps: writers that touch the same sessions at the same time lock their rows in the same order
//! and so never wait for each other in a circle.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::bounds;
use super::hours::{self, Hours};
use super::record::Record;
use super::text::split;

/// All that a batch adds.
#[derive(Debug, Default)]
pub(super) struct RollUp<'a> {
    pub sessions: BTreeMap<(Uuid, &'a str), SessionDelta<'a>>,
    /// Organisation, session, user key → the whole user id where the key is not.
    pub users: BTreeMap<(Uuid, &'a str, String), Option<String>>,
    pub properties: BTreeMap<(Uuid, &'a str, &'a str, &'a str), PropertyDelta<'a>>,
    pub keys: BTreeMap<(Uuid, &'a str), KeyDelta<'a>>,
    pub hours: Hours,
}

/// Columns of a usage.
pub(super) const PARTS: usize = 13;

/// What a batch adds to a row of `session`.
#[derive(Debug)]
pub(super) struct SessionDelta<'a> {
    pub long: Option<&'a str>,
    pub name: &'a str,
    /// `i64::MIN` where no call gave a name.
    pub name_set_at: i64,
    pub first_at: i64,
    pub last_started_at: i64,
    pub last_ended_at: i64,
    /// Of the calls that ended last, whether one failed.
    pub last_failed: bool,
    pub calls: i64,
    pub errors: i64,
    pub cost: i64,
    pub unpriced: i64,
    pub latency_sum_us: i64,
    /// In the order of the columns: prompt, cache read, cache write, cache write 1 h, audio in, completion, audio out,
    /// reasoning, images in, images out; then web searches, tool units, search units.
    pub tokens: [i64; PARTS],
}

/// What one call adds to its session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added<'a> {
    pub org_id: Uuid,
    pub session: &'a str,
    pub long: Option<&'a str>,
    pub name: Option<&'a str>,
    pub started_at: i64,
    pub ended_at: i64,
    pub failed: bool,
    pub unpriced: bool,
    pub cost: Option<i64>,
    pub user: Option<&'a str>,
    pub tokens: [Option<i64>; PARTS],
}

/// What a batch adds to a row of `session_property`.
#[derive(Debug)]
pub(super) struct PropertyDelta<'a> {
    pub long: Option<&'a str>,
    pub last_at: i64,
    pub calls: i64,
}

/// What a batch adds to a row of `property_key`.
#[derive(Debug)]
pub(super) struct KeyDelta<'a> {
    pub key: &'a str,
    pub first_at: i64,
    pub last_at: i64,
}

/// Adds up calls that were new.
pub(super) fn fold<'a>(new: impl IntoIterator<Item = &'a Record<'a>>) -> RollUp<'a> {
    let mut sum = RollUp::default();
    for call in new {
        sum.add_keys(call);
        hours::add(&mut sum.hours, call);
        if let Some(session) = call.session_key.as_deref() {
            let added = added(call, session);
            sum.add_session(&added);
            for property in &call.properties {
                sum.add_property(&added, (&property.key_lower, &property.value_key), property.value_long.as_deref());
            }
        }
    }
    sum
}

impl<'a> RollUp<'a> {
    fn add_keys(&mut self, call: &'a Record<'a>) {
        for property in &call.properties {
            let key: &str = &property.key;
            let entry = self.keys.entry((call.org_id, &property.key_lower)).or_insert(KeyDelta {
                key,
                first_at: call.started_at,
                last_at: call.started_at,
            });
            if (call.started_at, key) < (entry.first_at, entry.key) {
                entry.key = key;
            }
            entry.first_at = entry.first_at.min(call.started_at);
            entry.last_at = entry.last_at.max(call.started_at);
        }
    }

    pub fn add_session(&mut self, call: &Added<'a>) {
        self.sessions
            .entry((call.org_id, call.session))
            .and_modify(|delta| delta.add(call))
            .or_insert_with(|| SessionDelta::new(call));
        if let Some(user) = call.user {
            let (key, long) = split(user);
            self.users.insert((call.org_id, call.session, key), long);
        }
    }

    /// Key and value, both as index keys.
    pub fn add_property(&mut self, call: &Added<'a>, (key, value): (&'a str, &'a str), long: Option<&'a str>) {
        let entry = self.properties.entry((call.org_id, call.session, key, value)).or_insert(PropertyDelta {
            long,
            last_at: call.started_at,
            calls: 0,
        });
        entry.last_at = entry.last_at.max(call.started_at);
        entry.calls += 1;
    }
}

fn added<'a>(call: &'a Record<'a>, session: &'a str) -> Added<'a> {
    Added {
        org_id: call.org_id,
        session,
        long: call.session_long.as_deref(),
        name: call.session_name.as_deref(),
        started_at: call.started_at,
        ended_at: call.ended_at,
        failed: call.is_error(),
        unpriced: call.is_unpriced(),
        cost: call.cost,
        user: call.user(),
        tokens: [
            call.prompt_tokens,
            call.prompt_cache_read_tokens,
            call.prompt_cache_write_tokens,
            call.prompt_cache_write_1h_tokens,
            call.prompt_audio_tokens,
            call.completion_tokens,
            call.completion_audio_tokens,
            call.reasoning_tokens,
            call.prompt_image_tokens,
            call.completion_image_tokens,
            call.web_searches,
            call.tool_units,
            call.search_units,
        ],
    }
}

impl<'a> SessionDelta<'a> {
    fn new(call: &Added<'a>) -> Self {
        let mut delta = Self {
            long: call.long,
            name: "",
            name_set_at: i64::MIN,
            first_at: call.started_at,
            last_started_at: call.started_at,
            last_ended_at: call.ended_at,
            last_failed: false,
            calls: 0,
            errors: 0,
            cost: 0,
            unpriced: 0,
            latency_sum_us: 0,
            tokens: [0; PARTS],
        };
        delta.add(call);
        delta
    }

    fn add(&mut self, call: &Added<'a>) {
        let name = call.name.unwrap_or_default();
        if !name.is_empty() && (call.started_at, name) > (self.name_set_at, self.name) {
            self.name = name;
            self.name_set_at = call.started_at;
        }
        self.first_at = self.first_at.min(call.started_at);
        self.last_started_at = self.last_started_at.max(call.started_at);
        if call.ended_at > self.last_ended_at {
            self.last_ended_at = call.ended_at;
            self.last_failed = call.failed;
        } else if call.ended_at == self.last_ended_at {
            self.last_failed |= call.failed;
        }
        self.calls += 1;
        self.errors += i64::from(call.failed);
        self.cost = self.cost.saturating_add(bounds::added(call.cost.unwrap_or_default()));
        self.unpriced += i64::from(call.unpriced);
        let latency_us = bounds::added(call.ended_at.saturating_sub(call.started_at));
        self.latency_sum_us = self.latency_sum_us.saturating_add(latency_us);
        for (sum, part) in self.tokens.iter_mut().zip(call.tokens) {
            *sum = sum.saturating_add(bounds::added(part.unwrap_or_default()));
        }
    }
}
