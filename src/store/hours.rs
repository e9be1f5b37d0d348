//! What a batch of new calls adds to the figures by the hour (`call_hour`): one row for all calls of an hour, and one for
//! each kind, provider, model, path, error rule and status that occurs together in it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::record::Record;
use crate::model::figures::{Figures, part_of};
use crate::model::path::{MOST_CHARS, cut, fold_path};
use crate::model::units::{Micros, NanoUsd};

/// An hour in microseconds.
pub(super) const HOUR_US: i64 = 3_600_000_000;
/// Rows over all calls of an hour.
pub(super) const ALL: i16 = 0;
/// Rows by what calls have in common.
pub(super) const EACH: i16 = 1;

/// Sorted, so that writers meet rows in the same order.
pub(super) type Hours = BTreeMap<HourKey, Figures>;

/// Which row of `call_hour`; everything behind the hour is empty in rows of grain [`ALL`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HourKey {
    pub org: Uuid,
    pub grain: i16,
    pub hour: i64,
    pub kind: &'static str,
    pub provider: String,
    pub model: String,
    pub path: String,
    pub error_rule: &'static str,
    pub status: i32,
}

/// Adds one call.
pub(super) fn add(hours: &mut Hours, call: &Record<'_>) {
    let figures = figures(call);
    let hour = call.started_at.div_euclid(HOUR_US) * HOUR_US;
    let all = HourKey {
        org: call.org_id,
        grain: ALL,
        hour,
        kind: "",
        provider: String::new(),
        model: String::new(),
        path: String::new(),
        error_rule: "",
        status: 0,
    };
    let path = call.session_path.as_deref().filter(|path| !path.is_empty());
    let each = HourKey {
        grain: EACH,
        kind: call.kind,
        provider: cut(&call.provider, MOST_CHARS).to_owned(),
        model: cut(call.model.as_deref().unwrap_or_default(), MOST_CHARS).to_owned(),
        path: path.map(fold_path).unwrap_or_default(),
        error_rule: call.error_rule.unwrap_or_default(),
        status: call.status,
        ..all.clone()
    };
    for key in [all, each] {
        hours.entry(key).or_default().add(&figures);
    }
}

fn figures(call: &Record<'_>) -> Figures {
    let sum = |parts: [Option<i64>; 4]| parts.into_iter().flatten().sum();
    let latency = call.ended_at - call.started_at;
    let mut figures = Figures {
        calls: 1,
        errors: i64::from(call.is_error()),
        cost: NanoUsd(call.cost.unwrap_or_default()),
        unpriced: i64::from(call.is_unpriced()),
        input_tokens: sum([
            call.prompt_tokens,
            call.prompt_cache_read_tokens,
            call.prompt_cache_write_tokens,
            call.prompt_audio_tokens,
        ]),
        cached_tokens: call.prompt_cache_read_tokens.unwrap_or_default(),
        output_tokens: sum([call.completion_tokens, call.completion_audio_tokens, call.reasoning_tokens, None]),
        // A body of more than this is no body; a sum of many must not overflow.
        response_bytes: call.response_bytes.clamp(0, 1 << 40),
        latency_sum_us: latency,
        latency_min_us: latency,
        latency_max_us: latency,
        last_at: Micros(call.started_at),
        ..Figures::default()
    };
    if let Some(part) = figures.histogram.get_mut(part_of(latency)) {
        *part = 1;
    }
    figures
}
