//! Histograms of session figures: a percentile cut, then at most ten bins of one width with round bounds.
//!
//! The original's bins adapt to the density and have fractional heights; these hold plain counts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// At most that many bins.
const MOST: f64 = 10.0;

/// Where the tail is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PSize {
    #[serde(rename = "p50")]
    P50,
    #[default]
    #[serde(rename = "p75")]
    P75,
    #[serde(rename = "p95")]
    P95,
    #[serde(rename = "p99")]
    P99,
    #[serde(rename = "p99.9")]
    P999,
}

impl PSize {
    const fn quantile(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P75 => 0.75,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
        }
    }
}

/// One bin.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct HistogramRow {
    /// A number as text, inclusive.
    pub range_start: String,
    /// A number as text, exclusive.
    pub range_end: String,
    /// Sessions in it.
    pub value: u64,
}

/// The histogram of values up to a quantile, or between that quantile and its mirror image. Empty for no values.
pub fn histogram(mut values: Vec<f64>, cut: PSize, interquartile: bool) -> Vec<HistogramRow> {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let p = cut.quantile();
    let (one, other) = (quantile(&values, p), quantile(&values, 1.0 - p));
    // The median and its mirror image are one point: nothing but the median itself would be left.
    let (low, high) = if interquartile { (one.min(other), one.max(other)) } else { (f64::NEG_INFINITY, one) };
    // An interpolated bound may miss the very value that it lies on by a rounding error.
    let slack = (one - other).abs() * 1e-9;
    values.retain(|&v| v >= low - slack && v <= high + slack);
    bins(&values)
}

/// The plain mean; 0 of none.
#[expect(clippy::cast_precision_loss, reason = "a count of values in memory")]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// By linear interpolation between neighbours; `sorted` ascending.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index between 0 and a length"
)]
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = p * last as f64;
    let below = sorted.get(place.floor() as usize).copied().unwrap_or_default();
    let above = sorted.get((place.ceil() as usize).min(last)).copied().unwrap_or_default();
    below + (above - below) * place.fract()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number of a bin, checked to be between 0 and ten"
)]
fn bins(sorted: &[f64]) -> Vec<HistogramRow> {
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let Some(grid) = Grid::over(min, max) else {
        return vec![HistogramRow {
            range_start: min.to_string(),
            range_end: max.to_string(),
            value: sorted.len() as u64,
        }];
    };
    let first = grid.cell(min);
    let count = (grid.cell(max) - first) as usize + 1;
    let mut heights = vec![0_u64; count.min(MOST as usize)];
    for &value in sorted {
        if let Some(height) = heights.get_mut((grid.cell(value) - first) as usize) {
            *height += 1;
        }
    }
    let mut bound = first;
    heights
        .into_iter()
        .map(|value| {
            let range_start = grid.bound(bound);
            bound += 1.0;
            HistogramRow { range_start, range_end: grid.bound(bound), value }
        })
        .collect()
}

/// Cells of the width 1, 2 or 5 times a power of ten.
struct Grid {
    step: f64,
    decimals: usize,
}

impl Grid {
    /// The finest one with at most ten cells; `None` where all values are (nearly) one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an exponent within ±330")]
    fn over(min: f64, max: f64) -> Option<Self> {
        let spread = max - min;
        if spread <= max.abs().max(min.abs()) * 1e-12 {
            return None;
        }
        let smallest = (spread / MOST).log10().floor() as i32;
        (smallest..smallest + 3).flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| (digit, exponent))).find_map(
            |(digit, exponent)| {
                let grid = Self { step: digit * 10_f64.powi(exponent), decimals: (-exponent).clamp(0, 18) as usize };
                (grid.cell(max) - grid.cell(min) + 1.0 <= MOST).then_some(grid)
            },
        )
    }

    fn cell(&self, value: f64) -> f64 {
        (value / self.step).floor()
    }

    fn bound(&self, cell: f64) -> String {
        format!("{:.*}", self.decimals, cell * self.step)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(values: &[f64], cut: PSize) -> Vec<(String, String, u64)> {
        histogram(values.to_vec(), cut, false).into_iter().map(|r| (r.range_start, r.range_end, r.value)).collect()
    }

    #[test]
    fn bounds_are_round() {
        let to_ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let all = rows(&to_ten, PSize::P999);
        assert_eq!(all.first().unwrap(), &("1".to_owned(), "2".to_owned(), 1));
        assert_eq!(all.len(), 9, "the largest lies above the cut");
        assert_eq!(rows(&[0.001, 0.002, 0.0035], PSize::P99).first().unwrap().0, "0.0010");
        assert_eq!(rows(&[], PSize::P75), []);
        assert_eq!(rows(&[3.0; 4], PSize::P75), [("3".to_owned(), "3".to_owned(), 4)]);
    }

    #[test]
    fn the_cut_keeps_values_up_to_the_quantile() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let count = |cut, inner| histogram(values.clone(), cut, inner).iter().map(|r| r.value).sum::<u64>();
        assert_eq!(count(PSize::P50, false), 51);
        assert_eq!(count(PSize::P75, false), 76);
        assert_eq!(count(PSize::P75, true), 51);
        assert_eq!(count(PSize::P95, true), 91);
        assert_eq!(mean(&values), 50.0);
        assert_eq!(mean(&[]), 0.0);
    }

    proptest! {
        #[test]
        fn every_kept_value_is_in_a_bin(values in prop::collection::vec(0.0..1e7_f64, 1..200)) {
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let bins = bins(&sorted);
            prop_assert!(bins.len() <= 10);
            prop_assert_eq!(bins.iter().map(|b| b.value).sum::<u64>(), sorted.len() as u64);
        }
    }
}
