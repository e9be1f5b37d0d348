//! What a batch of new calls adds to the figures by the hour (`call_hour`): for each hour one row for all calls, one for
//! each model, one for each path and so on. What calls have in common by chance (user, property) is not among them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::bounds;
use super::record::Record;
use crate::model::exchange::Kind;
use crate::model::figures::Figures;
use crate::model::path::{MOST_CHARS, cut, fold_path};
use crate::model::units::{Micros, NanoUsd};

/// An hour in microseconds.
pub(super) const HOUR_US: i64 = 3_600_000_000;
/// By what rows of `call_hour` are; the numbers are the column `dim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub(super) enum Dim {
    All = 0,
    Kind = 1,
    Provider = 2,
    Model = 3,
    /// Calls of kind `tool`, by model.
    Tool = 4,
    Path = 5,
    Status = 6,
    /// Failed calls.
    ErrorRule = 7,
    // 8 was rules of failed tools.
    SessionName = 9,
}

/// Sorted, so that writers meet rows in the same order.
pub(super) type Hours = BTreeMap<HourKey, Figures>;

/// Which row of `call_hour`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HourKey {
    pub org: Uuid,
    pub dim: i16,
    pub hour: i64,
    pub value: String,
}

/// What decides in which rows of `call_hour` a call counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub org: Uuid,
    pub started_at: i64,
    pub kind: &'a str,
    pub provider: &'a str,
    pub model: Option<&'a str>,
    pub path: Option<&'a str>,
    pub status: i32,
    pub error_rule: Option<&'a str>,
    pub session_name: Option<&'a str>,
}

impl Place<'_> {
    /// Calls `take` with each of these rows.
    pub fn each(&self, mut take: impl FnMut(HourKey)) {
        let hour = self.started_at.div_euclid(HOUR_US) * HOUR_US;
        let mut add =
            |dim: Dim, value: &str| take(HourKey { org: self.org, dim: dim as i16, hour, value: value.to_owned() });
        let model = cut(self.model.unwrap_or_default(), MOST_CHARS);
        add(Dim::All, "");
        add(Dim::Kind, self.kind);
        add(Dim::Provider, cut(self.provider, MOST_CHARS));
        add(Dim::Model, model);
        if self.kind == Kind::Tool.as_str() {
            add(Dim::Tool, model);
        }
        add(Dim::Path, &self.path.filter(|path| !path.is_empty()).map(fold_path).unwrap_or_default());
        add(Dim::Status, &self.status.to_string());
        if let Some(rule) = self.error_rule {
            add(Dim::ErrorRule, rule);
        }
        add(Dim::SessionName, cut(self.session_name.unwrap_or_default(), MOST_CHARS));
    }
}

/// Adds one call.
pub(super) fn add(hours: &mut Hours, call: &Record<'_>) {
    let figures = figures(call);
    let place = Place {
        org: call.org_id,
        started_at: call.started_at,
        kind: call.kind,
        provider: &call.provider,
        model: call.model.as_deref(),
        path: call.session_path.as_deref(),
        status: call.status,
        error_rule: call.error_rule,
        session_name: call.session_name.as_deref(),
    };
    place.each(|key| hours.entry(key).or_default().add(&figures));
}

fn figures(call: &Record<'_>) -> Figures {
    let sum = |parts: [Option<i64>; 5]| bounds::added(parts.into_iter().flatten().fold(0, i64::saturating_add));
    let latency = bounds::added(call.ended_at.saturating_sub(call.started_at));
    Figures {
        errors: i64::from(call.is_error()),
        cost: NanoUsd(bounds::added(call.cost.unwrap_or_default())),
        unpriced: i64::from(call.is_unpriced()),
        input_tokens: sum([
            call.prompt_tokens,
            call.prompt_cache_read_tokens,
            call.prompt_cache_write_tokens,
            call.prompt_audio_tokens,
            call.prompt_image_tokens,
        ]),
        cached_tokens: call.prompt_cache_read_tokens.unwrap_or_default(),
        output_tokens: sum([
            call.completion_tokens,
            call.completion_audio_tokens,
            call.completion_image_tokens,
            call.reasoning_tokens,
            None,
        ]),
        response_bytes: bounds::added(call.response_bytes),
        last_at: Micros(call.started_at),
        ..Figures::of_call(latency)
    }
}
