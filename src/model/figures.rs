//! Figures of many calls: sums, percentiles of their wall times, and how sure a rate of errors is. Pure.

use std::sync::LazyLock;

use super::units::{Micros, NanoUsd};

/// Parts of the histogram of wall times.
pub const PARTS: usize = 32;
/// Microseconds below which a call is in the first part; each next part reaches 1.5 times as far, the last has no end.
const FIRST: f64 = 2_000.0;
const STEP: f64 = 1.5;

/// Sums over calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub calls: i64,
    pub errors: i64,
    /// Over the calls whose cost is known.
    pub cost: NanoUsd,
    /// Calls of kind `llm` whose cost is not known.
    pub unpriced: i64,
    /// All input, cached included.
    pub input_tokens: i64,
    pub cached_tokens: i64,
    /// All output, reasoning included.
    pub output_tokens: i64,
    pub response_bytes: i64,
    /// Of the wall times, microseconds. The least and the most are 0 where there is no call.
    pub latency_sum_us: i64,
    pub latency_min_us: i64,
    pub latency_max_us: i64,
    /// Start of the latest call.
    pub last_at: Micros,
    /// Calls by wall time ([`part_of`]).
    pub histogram: [i64; PARTS],
    /// Percentiles read from the calls themselves, 50 and 95, microseconds; `None`: see the histogram.
    pub exact: Option<(i64, i64)>,
    /// Distinct sessions; `None` where they were not counted.
    pub sessions: Option<i64>,
}

impl Figures {
    /// One call of which only the wall time is known, microseconds.
    pub fn of_call(latency_us: i64) -> Self {
        let mut one = Self {
            calls: 1,
            latency_sum_us: latency_us,
            latency_min_us: latency_us,
            latency_max_us: latency_us,
            ..Self::default()
        };
        if let Some(part) = one.histogram.get_mut(part_of(latency_us)) {
            *part = 1;
        }
        one
    }

    /// Adds other calls. What only the calls themselves can say (exact percentiles, distinct sessions) is lost.
    pub fn add(&mut self, other: &Self) {
        if other.calls == 0 {
            return;
        }
        self.latency_min_us = match self.calls {
            0 => other.latency_min_us,
            _ => self.latency_min_us.min(other.latency_min_us),
        };
        self.latency_max_us = self.latency_max_us.max(other.latency_max_us);
        self.last_at = self.last_at.max(other.last_at);
        for (sum, more) in [
            (&mut self.calls, other.calls),
            (&mut self.errors, other.errors),
            (&mut self.cost.0, other.cost.0),
            (&mut self.unpriced, other.unpriced),
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.response_bytes, other.response_bytes),
            (&mut self.latency_sum_us, other.latency_sum_us),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (sum, more) in self.histogram.iter_mut().zip(other.histogram) {
            *sum += more;
        }
        self.exact = None;
        self.sessions = None;
    }

    /// The wall time that `percent` of the calls did not exceed, microseconds; `None` of no calls. From a histogram it is
    /// within its part, a quarter off at most for evenly spread times.
    pub fn percentile_us(&self, percent: u32) -> Option<f64> {
        match self.exact {
            Some((p50, _)) if percent == 50 => return Some(as_f64(p50)),
            Some((_, p95)) if percent == 95 => return Some(as_f64(p95)),
            _ => {}
        }
        let total: i64 = self.histogram.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = as_f64(total) * f64::from(percent) / 100.0;
        let (mut below, mut from, mut to) = (0.0, 0.0, FIRST);
        for count in self.histogram.map(as_f64) {
            if count > 0.0 && below + count >= rank {
                let inside = ((rank - below) / count).clamp(0.0, 1.0);
                let low = f64::max(from, as_f64(self.latency_min_us));
                let high = f64::min(to, as_f64(self.latency_max_us)).max(low);
                return Some((high - low).mul_add(inside, low));
            }
            below += count;
            from = to;
            to *= STEP;
        }
        Some(as_f64(self.latency_max_us))
    }

    /// Mean wall time, microseconds.
    pub fn mean_us(&self) -> Option<f64> {
        (self.calls > 0).then(|| as_f64(self.latency_sum_us) / as_f64(self.calls))
    }

    /// The share of calls that failed, 0 of none.
    pub fn error_rate(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { as_f64(self.errors) / as_f64(self.calls) }
    }

    /// Between which shares the true rate of errors lies with 95 % certainty ([`wilson`]).
    pub fn error_interval(&self) -> Option<(f64, f64)> {
        wilson(self.errors, self.calls)
    }

    /// US dollars a call.
    pub fn cost_a_call(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { self.cost.usd() / as_f64(self.calls) }
    }
}

/// The part of the histogram that a wall time belongs to.
pub fn part_of(us: i64) -> usize {
    static BOUNDS: LazyLock<[i64; PARTS - 1]> = LazyLock::new(bounds);
    BOUNDS.partition_point(|bound| *bound <= us)
}

/// The ends of the parts but the last, microseconds, rounded as the statements have them.
pub fn bounds() -> [i64; PARTS - 1] {
    let mut bound = FIRST;
    std::array::from_fn(|_| {
        let this = rounded(bound);
        bound *= STEP;
        this
    })
}

/// Wilson's score interval for `hits` of `total`, 95 %; `None` of none.
pub fn wilson(hits: i64, total: i64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    if total <= 0 {
        return None;
    }
    let n = as_f64(total);
    let share = as_f64(hits) / n;
    let spread = Z * Z / n;
    let middle = (share + spread / 2.0) / (1.0 + spread);
    let half = Z / (1.0 + spread) * (share * (1.0 - share) / n + spread / (4.0 * n)).max(0.0).sqrt();
    Some(((middle - half).clamp(0.0, 1.0), (middle + half).clamp(0.0, 1.0)))
}

/// The share that is surely reached: the lower end of [`wilson`]. One failure of one call is less sure than 300 of 1000.
pub fn surely(hits: i64, total: i64) -> f64 {
    wilson(hits, total).filter(|_| hits > 0).map_or(0.0, |(low, _)| low)
}

#[expect(clippy::cast_precision_loss, reason = "figures for display")]
const fn as_f64(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the largest bound is seven minutes")]
fn rounded(number: f64) -> i64 {
    // Halves to even, as the tool that wrote the statements did.
    number.round_ties_even() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: &[i64]) -> Figures {
        let mut sum = Figures::default();
        for us in latencies {
            sum.add(&Figures::of_call(*us));
        }
        sum
    }

    #[test]
    fn percentiles_from_a_histogram_are_near_the_true_ones() {
        assert_eq!(Figures::default().percentile_us(50), None);
        assert_eq!(of(&[123_456]).percentile_us(95), Some(123_456.0), "of one call it is that call's");
        let even: Vec<i64> = (1..=10_000).map(|n| n * 100).collect();
        let sum = of(&even);
        for (percent, truth) in [(50, 500_000.0), (95, 950_000.0), (100, 1_000_000.0)] {
            let got = sum.percentile_us(percent).unwrap();
            assert!((got - truth).abs() / truth < 0.1, "p{percent}: {got} for {truth}");
        }
        let far = of(&[0, 3_600_000_000]);
        assert_eq!(far.percentile_us(95).map(|us| us > 383_000_000.0), Some(true));
    }

    #[test]
    fn every_time_has_a_part() {
        let bounds = bounds();
        assert_eq!((bounds[0], bounds[1], bounds[5], bounds[30]), (2_000, 3_000, 15_188, 383_502_118));
        assert_eq!((part_of(-1), part_of(0), part_of(1_999), part_of(2_000), part_of(i64::MAX)), (0, 0, 0, 1, 31));
        assert!(bounds.iter().enumerate().all(|(n, bound)| part_of(*bound) == n + 1 && part_of(bound - 1) == n));
    }

    #[test]
    fn few_calls_make_no_certain_rate() {
        assert_eq!(wilson(0, 0), None);
        assert!(surely(300, 1000) > surely(1, 1) && surely(1, 1) > surely(0, 9) && surely(0, 9) == surely(0, 0));
        let (low, high) = wilson(1, 2).unwrap();
        assert!(low < 0.1 && high > 0.9, "{low} {high}");
        let (low, high) = wilson(0, 1000).unwrap();
        assert!(low < 1e-9 && high < 0.005, "{low} {high}");
        let (low, high) = wilson(100, 1000).unwrap();
        assert!((low - 0.0829).abs() < 1e-3 && (high - 0.1202).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn sums_lose_what_only_calls_know() {
        let mut sum = Figures { calls: 1, exact: Some((1, 2)), sessions: Some(1), ..Figures::default() };
        sum.add(&Figures::default());
        assert_eq!(sum.exact, Some((1, 2)), "nothing was added");
        sum.add(&of(&[5]));
        assert_eq!((sum.calls, sum.exact, sum.sessions, sum.latency_min_us), (2, None, None, 0));
    }
}
