//! Answers: the `{data, error}` wrapper, instants as text, microseconds as milliseconds, and cursors.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::model::units::Micros;

/// The wrapper of every answer: `error` is null exactly when there is an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<T> {
    pub data: T,
    #[schema(value_type = Option<String>)]
    pub error: (),
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageAnswer<T> {
    pub data: Vec<T>,
    #[schema(value_type = Option<String>)]
    pub error: (),
    /// Give it back as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// It was done; there is nothing to tell.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `ok(())` and `created(())` write")]
pub struct Done {
    /// Always null.
    #[schema(value_type = Option<String>)]
    data: (),
    /// Always null.
    #[schema(value_type = Option<String>)]
    error: (),
}

/// Why there is no answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Always null.
    #[schema(value_type = Option<String>)]
    pub data: (),
    /// What was wrong, with the JSON path of the field where there is one.
    pub error: String,
}

/// 200 with data.
pub fn ok<T: Serialize>(data: T) -> Response {
    Json(Answer { data, error: () }).into_response()
}

/// 201 with data: what the original answers to queries and updates of requests.
pub fn created<T: Serialize>(data: T) -> Response {
    (StatusCode::CREATED, Json(Answer { data, error: () })).into_response()
}

/// A page with its cursor.
pub fn page<T: Serialize>(status: StatusCode, data: Vec<T>, next: Option<(Micros, String)>) -> Response {
    let next_cursor = next.map(|(at, id)| cursor(at, &id));
    (status, Json(PageAnswer { data, error: (), next_cursor })).into_response()
}

/// The place behind a row, as opaque text.
pub fn cursor(at: Micros, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{id}", at.0))
}

/// Reads a cursor back.
///
/// # Errors
/// [`ApiError::Bad`] for what was not made by [`cursor`].
pub fn read_cursor(text: &str) -> Result<(Micros, String), ApiError> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .as_deref()
        .and_then(|plain| plain.split_once(':'))
        .and_then(|(at, id)| Some((Micros(at.parse().ok()?), id.to_owned())))
        .ok_or_else(|| ApiError::bad("cursor", "not a cursor of this API; take next_cursor of the page before"))
}

/// `2026-11-24T04:30:00.123456Z`
pub fn iso(at: Micros) -> String {
    format!("{:.6}", timestamp(at))
}

/// `2026-11-24 04:30:00.123`, without a zone: the time in a zone that many minutes east of Greenwich.
pub fn session_time(at: Micros, minutes: i64) -> String {
    let shifted = at.plus_us(minutes.saturating_mul(60_000_000));
    timestamp(shifted).to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn timestamp(at: Micros) -> Timestamp {
    let nearest = if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(at.0).unwrap_or(nearest)
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "durations under 285 years are exact to the microsecond")]
pub fn ms(us: i64) -> f64 {
    us as f64 / 1e3
}

/// The mean in milliseconds of `count` durations that sum up to `us`; 0 of none.
#[expect(clippy::cast_precision_loss, reason = "a mean for display")]
pub fn mean_ms(us: i64, count: i64) -> f64 {
    if count == 0 { 0.0 } else { ms(us) / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_both_forms() {
        let at = Micros(1_764_000_000_123_456);
        assert_eq!(iso(at), "2025-11-24T16:00:00.123456Z");
        assert_eq!(iso(Micros(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(session_time(at, 0), "2025-11-24 16:00:00.123");
        assert_eq!(session_time(at, 90), "2025-11-24 17:30:00.123");
        assert_eq!(session_time(at, -1440), "2025-11-23 16:00:00.123");
        assert_eq!(session_time(Micros(1_764_000_000_000_000), 0), "2025-11-24 16:00:00.000");
        for extreme in [i64::MIN, i64::MAX] {
            assert!(!session_time(Micros(extreme), 1440).is_empty() && !iso(Micros(extreme)).is_empty());
        }
    }

    #[test]
    fn cursors_come_back() {
        for id in ["agent-1", "", "a:b", "ü/\u{0}"] {
            assert_eq!(read_cursor(&cursor(Micros(-5), id)).unwrap(), (Micros(-5), id.to_owned()));
        }
        for wrong in ["", "x", "!!!", "MTIz"] {
            assert!(read_cursor(wrong).is_err(), "{wrong}");
        }
    }
}
