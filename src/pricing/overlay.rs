//! The operator's own prices: a TOML file, read at start and again whenever it changes.
//!
//! A change that cannot be read is logged and the prices that were there stay in force. Whether the file changed is looked
//! at with a sale, at most once a second: nothing runs while nothing is sold.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use serde::Deserialize;

use super::{Sale, float, table_name};
use crate::model::exchange::{Cost, CostSource, Usage};
use crate::model::units::NanoUsd;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The largest file that is read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Why the overlay could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PricingError {
    #[error("the price overlay {path} could not be read: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("the price overlay {path} is wrong: {reason}")]
    Invalid { path: PathBuf, reason: String },
}

/// The file and what it said last.
#[derive(Debug)]
pub(super) struct Overlay {
    path: PathBuf,
    prices: ArcSwap<Prices>,
    opened: Instant,
    /// Milliseconds since `opened` at which it is looked at next.
    next_look: AtomicU64,
    /// What the file looked like when it was read last, well or not.
    seen: Mutex<Option<Stamp>>,
}

/// Two states of a file with the same stamp are the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    len: u64,
    #[cfg(unix)]
    inode: u64,
}

#[derive(Debug)]
struct Prices {
    list: Vec<OverlayPrice>,
    /// As kept with a row: tells one state of the file from another.
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayFile {
    #[serde(default)]
    price: Vec<OverlayPrice>,
}

/// Dollars per million tokens, per thousand of what is counted by pieces, and per call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayPrice {
    provider: Option<String>,
    model: String,
    #[serde(default)]
    fallback: bool,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
    image_input: Option<f64>,
    image_output: Option<f64>,
    reasoning: Option<f64>,
    #[serde(default)]
    web_search: f64,
    #[serde(default)]
    tool_unit: f64,
    #[serde(default)]
    search_unit: f64,
    #[serde(default)]
    request: f64,
}

impl Overlay {
    pub fn open(path: &Path) -> Result<Self, PricingError> {
        let stamp = stamp(path);
        let prices = read(path)?;
        Ok(Self {
            path: path.to_owned(),
            prices: ArcSwap::from_pointee(prices),
            opened: Instant::now(),
            next_look: AtomicU64::new(millis(LOOK)),
            seen: Mutex::new(stamp),
        })
    }

    /// The price by the first entry that fits, of those that come before the table or (`fallback`) behind it.
    pub fn price(&self, sale: &Sale<'_>, fallback: bool) -> Option<Cost> {
        self.look();
        let prices = self.prices.load();
        let price = prices.list.iter().find(|price| price.fallback == fallback && price.is_for(sale))?;
        let amount = NanoUsd::from_usd(price.usd(sale.usage?))?;
        Some(Cost { amount, source: CostSource::Overlay, price_version: prices.version.clone() })
    }

    /// Reads the file again if it is time to look and it has changed.
    fn look(&self) {
        let now = millis(self.opened.elapsed());
        let due = self.next_look.load(Ordering::Relaxed);
        let then = now.saturating_add(millis(LOOK));
        if now < due || self.next_look.compare_exchange(due, then, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        self.reload();
    }

    fn reload(&self) {
        let stamp = stamp(&self.path);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == stamp {
            return;
        }
        *seen = stamp;
        match read(&self.path) {
            Ok(prices) => {
                tracing::info!(prices = prices.list.len(), version = %prices.version, "pricing.overlay_read");
                self.prices.store(Arc::new(prices));
            }
            Err(error) => {
                tracing::error!(%error, "pricing.overlay_kept: the prices that were read before stay in force");
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `None` where there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some(Stamp {
        changed: facts.modified().ok(),
        len: facts.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&facts),
    })
}

fn read(path: &Path) -> Result<Prices, PricingError> {
    let unreadable = |cause| PricingError::Unreadable { path: path.to_owned(), cause };
    let invalid = |reason: String| PricingError::Invalid { path: path.to_owned(), reason };
    if fs::metadata(path).map_err(unreadable)?.len() > MOST_BYTES {
        return Err(invalid(format!("it is larger than {MOST_BYTES} bytes")));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let file: OverlayFile = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    for price in &file.price {
        if price.model.is_empty() {
            return Err(invalid("a price has an empty model".to_owned()));
        }
        if price.rates().iter().chain(&price.piece_rates()).any(|rate| !rate.is_finite() || *rate < 0.0) {
            return Err(invalid(format!("the price of {} has a rate that is negative or not finite", price.model)));
        }
    }
    let hash = blake3::hash(text.as_bytes()).to_hex();
    Ok(Prices { list: file.price, version: format!("overlay {}", hash.get(..8).unwrap_or_default()) })
}

impl OverlayPrice {
    fn is_for(&self, sale: &Sale<'_>) -> bool {
        // Rows call some providers otherwise than the configuration does.
        let same =
            |name: &str| name.eq_ignore_ascii_case(sale.provider) || table_name(name) == table_name(sale.provider);
        if self.provider.as_deref().is_some_and(|name| !same(name)) {
            return false;
        }
        let (wanted, model) = (self.model.to_lowercase(), sale.model.to_lowercase());
        match wanted.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => model == wanted,
        }
    }

    /// In the order of [`Self::usd`]; a rate that is not given is that of the plain tokens.
    fn rates(&self) -> [f64; 10] {
        let write = self.cache_write.unwrap_or(self.input);
        [
            self.input,
            self.cache_read.unwrap_or(self.input),
            write,
            self.cache_write_1h.unwrap_or(write),
            self.audio_input.unwrap_or(self.input),
            self.image_input.unwrap_or(self.input),
            self.output,
            self.audio_output.unwrap_or(self.output),
            self.image_output.unwrap_or(self.output),
            self.reasoning.unwrap_or(self.output),
        ]
    }

    const fn piece_rates(&self) -> [f64; 4] {
        [self.web_search, self.tool_unit, self.search_unit, self.request]
    }

    fn usd(&self, usage: &Usage) -> f64 {
        let tokens = [
            usage.prompt_tokens,
            usage.prompt_cache_read_tokens,
            usage.prompt_cache_write_tokens - usage.prompt_cache_write_1h_tokens,
            usage.prompt_cache_write_1h_tokens,
            usage.prompt_audio_tokens,
            usage.prompt_image_tokens,
            usage.completion_tokens,
            usage.completion_audio_tokens,
            usage.completion_image_tokens,
            usage.reasoning_tokens,
        ];
        let tokens = self.rates().iter().zip(tokens).map(|(rate, tokens)| rate * float(tokens)).sum::<f64>() / 1e6;
        let pieces = [usage.web_searches, usage.tool_units, usage.search_units];
        let pieces =
            self.piece_rates().iter().zip(pieces).map(|(rate, pieces)| rate * float(pieces)).sum::<f64>() / 1e3;
        tokens + pieces + self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[price]]\nmodel = \"m\"\ninput = 1.0\noutput = 1.0\n";

    #[test]
    fn a_changed_file_is_read_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prices.toml");
        fs::write(&path, ONE).unwrap();
        let overlay = Overlay::open(&path).unwrap();
        let first = overlay.prices.load().version.clone();
        let replace = |text: &str| {
            let next = dir.path().join("next");
            fs::write(&next, text).unwrap();
            fs::rename(&next, &path).unwrap();
            overlay.reload();
            let prices = overlay.prices.load();
            (prices.list.len(), prices.version.clone())
        };
        assert_eq!(replace("nonsense"), (1, first.clone()));
        let (count, second) = replace(&ONE.repeat(2));
        assert!(count == 2 && second != first);
        fs::remove_file(&path).unwrap();
        overlay.reload();
        assert_eq!(overlay.prices.load().list.len(), 2);
        assert_eq!(replace(ONE), (1, first));
    }

    #[test]
    fn the_file_is_not_looked_at_with_every_sale() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prices.toml");
        fs::write(&path, ONE).unwrap();
        let overlay = Overlay::open(&path).unwrap();
        overlay.next_look.store(u64::MAX, Ordering::Relaxed);
        fs::write(&path, ONE.repeat(3)).unwrap();
        overlay.look();
        assert_eq!(overlay.prices.load().list.len(), 1);
        overlay.next_look.store(0, Ordering::Relaxed);
        overlay.look();
        assert_eq!(overlay.prices.load().list.len(), 3);
        assert!(overlay.next_look.load(Ordering::Relaxed) >= millis(LOOK));
    }
}
