//! Units: instants in microseconds since the Unix epoch (UTC), money in nano-dollars.

use std::ops::Sub;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// An instant: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// The wall clock now. Durations are never made from two of these; they come from a monotonic clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// From milliseconds since the epoch; saturates.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant moved by a number of microseconds; saturates.
    #[must_use]
    pub const fn plus_us(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl Sub for Micros {
    type Output = i64;
    /// The distance in microseconds; saturates.
    fn sub(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Money: billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// From dollars, rounded to the nearest nano-dollar; `None` for negative, infinite or absurdly large amounts.
    pub fn from_usd(usd: f64) -> Option<Self> {
        let nanos = (usd * 1e9).round();
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked on the same line")]
        (0.0..9e18).contains(&nanos).then_some(Self(nanos as i64))
    }

    /// In dollars.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a dollar amount for display; nine digits are kept up to 9 million dollars"
    )]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e9
    }
}
