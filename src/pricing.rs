//! Prices: usage in, money out. The table is the `genai-prices` crate's; an operator's overlay file comes first.
//!
//! Promise: the amount is what `genai-prices` computes for the same usage, model and instant, to the nano-dollar; what the
//! provider billed comes before any table; an unknown price is `None`, never zero. It does not fetch newer tables.
//!
//! The overlay is TOML, a list of `[[price]]` with `model` (exact, or a prefix that ends in `*`), optionally `provider`
//! (the configured name), and dollars per million tokens: `input`, `output`, and where they differ from those
//! `cache_read`, `cache_write`, `cache_write_1h`, `audio_input`, `audio_output`, `reasoning`. The first match counts.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, ExtractRequest, PriceRequest, Usage as Units};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::capture::WireFormat;
use crate::model::exchange::{Cost, CostSource, Usage};
use crate::model::units::{Micros, NanoUsd};

/// The price data's version, as kept with a row. The data is embedded in the crate, so this is the crate's.
pub const PRICE_VERSION: &str = "genai-prices 0.2.1";

/// Why the overlay could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PricingError {
    #[error("the price overlay {path} could not be read: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("the price overlay {path} is wrong: {reason}")]
    Invalid { path: PathBuf, reason: String },
}

/// The price tables, decoded. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Pricing {
    calculator: &'static Calculator,
    overlay: Vec<OverlayPrice>,
}

/// What is to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// The provider's name in the configuration, a host, or what a log calls it.
    pub provider: &'a str,
    /// Full upstream URL; empty where there is none.
    pub url: &'a str,
    /// Whose shape the bodies have: the last resort for finding the provider.
    pub format: WireFormat,
    /// The interface's short name (`chat`, `responses`, …): which shape the raw usage has.
    pub api: &'a str,
    pub model: &'a str,
    pub usage: &'a Usage,
    /// The usage object as the provider sent it; it has parts that [`Usage`] has not, such as web searches.
    pub raw_usage: Option<&'a Value>,
    /// As the response reports it.
    pub service_tier: Option<&'a str>,
    /// When the call was made: prices change.
    pub at: Micros,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayFile {
    #[serde(default)]
    price: Vec<OverlayPrice>,
}

/// Dollars per million tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayPrice {
    provider: Option<String>,
    model: String,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
    reasoning: Option<f64>,
}

impl Pricing {
    /// Decodes the tables, which takes tens of milliseconds, and reads the overlay.
    pub fn load(overlay: Option<&Path>) -> Result<Self, PricingError> {
        let overlay = match overlay {
            Some(path) => read_overlay(path)?,
            None => Vec::new(),
        };
        Ok(Self { calculator: Calculator::bundled(), overlay })
    }

    /// What the provider says that it billed.
    pub fn billed(usd: f64) -> Option<Cost> {
        let amount = NanoUsd::from_usd(usd)?;
        Some(Cost { amount, source: CostSource::Provider, price_version: String::new() })
    }

    /// The price by the overlay, else by the table; `None` where neither knows the model.
    pub fn price(&self, sale: &Sale<'_>) -> Option<Cost> {
        if let Some(price) = self.overlay.iter().find(|price| price.is_for(sale)) {
            let amount = NanoUsd::from_usd(price.usd(sale.usage))?;
            return Some(Cost { amount, source: CostSource::Overlay, price_version: "overlay".to_owned() });
        }
        let usd = self.table_usd(sale)?;
        let amount = NanoUsd::from_usd(usd)?;
        Some(Cost { amount, source: CostSource::Prices, price_version: PRICE_VERSION.to_owned() })
    }

    fn table_usd(&self, sale: &Sale<'_>) -> Option<f64> {
        if sale.model.is_empty() {
            return None;
        }
        // A provider that the table knows decides, even where it does not have the model: another one's price for a
        // model of that name would be a guess.
        if let Some(id) = self.provider_id(sale) {
            return self.usd_of(sale, Some(&id));
        }
        self.usd_of(sale, None).or_else(|| self.usd_of(sale, Some(default_provider(sale.format)?)))
    }

    /// The table's id of the provider, by configured name, else by URL.
    fn provider_id(&self, sale: &Sale<'_>) -> Option<String> {
        let name = table_name(sale.provider);
        let by_name = (!name.is_empty()).then(|| self.calculator.find_provider(Some(&name), None).ok().flatten());
        let found = by_name.flatten().or_else(|| {
            (!sale.url.is_empty()).then(|| self.calculator.find_provider(None, Some(sale.url)).ok().flatten())?
        });
        found.map(|provider| provider.id().to_owned())
    }

    fn usd_of(&self, sale: &Sale<'_>, provider: Option<&str>) -> Option<f64> {
        let units = provider.and_then(|id| self.extract(sale, id)).unwrap_or_else(|| units(sale.usage));
        let at = UNIX_EPOCH.checked_add(Duration::from_micros(u64::try_from(sale.at.0).ok()?))?;
        let mut request = PriceRequest::new(sale.model, &units).with_timestamp(at);
        if let Some(id) = provider {
            request = request.with_provider_id(id);
        }
        match sale.service_tier {
            Some("batch") => request = request.with_price_context("processing", "batch"),
            Some(tier) if !matches!(tier, "default" | "auto" | "standard") => {
                request = request.with_price_context("service_tier", tier);
            }
            _ => {}
        }
        self.calculator.calculate(&request).ok().map(|price| price.total_price)
    }

    /// The usage as the table's own reader of that provider's responses sees it.
    fn extract(&self, sale: &Sale<'_>, provider: &str) -> Option<Units> {
        let response = Value::Object(Map::from_iter([("usage".to_owned(), sale.raw_usage?.clone())]));
        let flavors: &[&str] = match sale.api {
            "messages" => &["anthropic", "default"],
            "responses" => &["responses", "default"],
            "embeddings" => &["embeddings", "default"],
            "media" => &["images", "default"],
            _ => &["chat", "default"],
        };
        flavors.iter().find_map(|flavor| {
            let request = ExtractRequest::from_value(&response).with_provider_id(provider).with_api_flavor(flavor);
            self.calculator.extract_provider_usage(&request).ok().map(|extracted| extracted.usage)
        })
    }
}

/// The table's provider ids where ours differ.
fn table_name(provider: &str) -> String {
    let name = provider.trim().to_ascii_lowercase();
    match name.as_str() {
        "custom" => "",
        "x" | "xai" => "x-ai",
        "gemini" | "vertex" | "google-ai-studio" => "google",
        "bedrock" => "aws",
        "moonshot" => "moonshotai",
        "voyage" => "voyageai",
        other => other,
    }
    .to_owned()
}

/// Who serves a format first of all.
const fn default_provider(format: WireFormat) -> Option<&'static str> {
    match format {
        WireFormat::Openai => Some("openai"),
        WireFormat::Anthropic => Some("anthropic"),
        WireFormat::Gemini => Some("google"),
        WireFormat::Bedrock => Some("aws"),
        WireFormat::Cohere => Some("cohere"),
        WireFormat::Ollama | WireFormat::Other => None,
    }
}

/// Our disjoint parts in the table's terms, where totals include their parts.
fn units(usage: &Usage) -> Units {
    let mut units = Units::new();
    for (key, tokens) in [
        ("input_tokens", usage.input_tokens()),
        ("cache_read_tokens", usage.prompt_cache_read_tokens),
        ("cache_write_tokens", usage.prompt_cache_write_tokens),
        ("cache_write_1h_tokens", usage.prompt_cache_write_1h_tokens),
        ("input_audio_tokens", usage.prompt_audio_tokens),
        ("output_tokens", usage.output_tokens()),
        ("output_audio_tokens", usage.completion_audio_tokens),
        ("output_reasoning_tokens", usage.reasoning_tokens),
    ] {
        if tokens != 0 || matches!(key, "input_tokens" | "output_tokens") {
            units.insert(key, float(tokens));
        }
    }
    units
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
const fn float(tokens: i64) -> f64 {
    tokens as f64
}

fn read_overlay(path: &Path) -> Result<Vec<OverlayPrice>, PricingError> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| PricingError::Unreadable { path: path.to_owned(), cause })?;
    let invalid = |reason: String| PricingError::Invalid { path: path.to_owned(), reason };
    let file: OverlayFile = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    for price in &file.price {
        if price.model.is_empty() {
            return Err(invalid("a price has an empty model".to_owned()));
        }
        if price.rates().iter().any(|rate| !rate.is_finite() || *rate < 0.0) {
            return Err(invalid(format!("the price of {} has a rate that is negative or not finite", price.model)));
        }
    }
    Ok(file.price)
}

impl OverlayPrice {
    fn is_for(&self, sale: &Sale<'_>) -> bool {
        if self.provider.as_deref().is_some_and(|name| !name.eq_ignore_ascii_case(sale.provider)) {
            return false;
        }
        let (wanted, model) = (self.model.to_lowercase(), sale.model.to_lowercase());
        match wanted.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => model == wanted,
        }
    }

    /// In the order of [`Self::usd`]; a rate that is not given is that of the plain tokens.
    fn rates(&self) -> [f64; 8] {
        let write = self.cache_write.unwrap_or(self.input);
        [
            self.input,
            self.cache_read.unwrap_or(self.input),
            write,
            self.cache_write_1h.unwrap_or(write),
            self.audio_input.unwrap_or(self.input),
            self.output,
            self.audio_output.unwrap_or(self.output),
            self.reasoning.unwrap_or(self.output),
        ]
    }

    fn usd(&self, usage: &Usage) -> f64 {
        let tokens = [
            usage.prompt_tokens,
            usage.prompt_cache_read_tokens,
            usage.prompt_cache_write_tokens - usage.prompt_cache_write_1h_tokens,
            usage.prompt_cache_write_1h_tokens,
            usage.prompt_audio_tokens,
            usage.completion_tokens,
            usage.completion_audio_tokens,
            usage.reasoning_tokens,
        ];
        self.rates().iter().zip(tokens).map(|(rate, tokens)| rate * float(tokens)).sum::<f64>() / 1e6
    }
}

#[cfg(test)]
mod tests;
