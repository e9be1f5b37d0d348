//! Prices: usage in, money out. The table is the `genai-prices` crate's; an operator's overlay file comes before it.
//!
//! Promise: the amount is what `genai-prices` computes for the same usage, model and instant, to the nano-dollar; what the
//! provider billed comes before any table; an unknown price is `None`, never zero. It does not fetch newer tables.
//!
//! In order: billed, overlay, table, overlay entries marked `fallback`; where none of these knows the model that answered, the
//! same for the one that was asked for; nothing. The overlay's form and why it comes before the table: docs/PRICES.md.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, ExtractRequest, PriceRequest, Usage as Units};
use serde_json::{Map, Value};

use self::overlay::Overlay;
use crate::model::capture::WireFormat;
use crate::model::exchange::{Cost, CostSource, Usage};
use crate::model::units::{Micros, NanoUsd};

mod overlay;

pub use self::overlay::PricingError;

/// The price data's version, as kept with a row. The data is embedded in the crate, so this is the crate's.
pub const PRICE_VERSION: &str = "genai-prices 0.2.1";

/// The price tables, decoded. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Pricing {
    calculator: &'static Calculator,
    overlay: Option<Overlay>,
}

/// What is to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// The provider's name in the configuration, a host, what a log calls it, or what the row has.
    pub provider: &'a str,
    /// Full upstream URL; empty where there is none.
    pub url: &'a str,
    /// Whose shape the bodies have: the last resort for finding the provider.
    pub format: WireFormat,
    /// The interface's short name (`chat`, `responses`, …): which shape the raw usage has.
    pub api: &'a str,
    pub model: &'a str,
    /// What was asked for, where `model` is what the answer names: prices may be known for one of them only.
    pub asked: Option<&'a str>,
    /// `None` for what is counted in no tokens.
    pub usage: Option<&'a Usage>,
    /// The usage object as the provider sent it, where it says more than its two totals: it may have parts that [`Usage`] has
    /// not, such as tokens of video.
    pub raw_usage: Option<&'a Value>,
    /// Seconds of audio of a transcription without tokens.
    pub audio_seconds: Option<f64>,
    /// What [`Pricing::sell`] gave back for this call earlier, instead of the raw usage.
    pub priced_units: Option<&'a str>,
    /// As the response reports it.
    pub service_tier: Option<&'a str>,
    /// When the call was made: prices change.
    pub at: Micros,
}

/// A priced sale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sold {
    pub cost: Option<Cost>,
    /// The units that were priced, as JSON, where they are more than [`Usage`] says: with them the same sale can be priced
    /// again without the answer.
    pub priced_units: Option<String>,
}

impl Pricing {
    /// Decodes the tables, which takes tens of milliseconds, and reads the overlay.
    pub fn load(overlay: Option<&Path>) -> Result<Self, PricingError> {
        let overlay = overlay.map(Overlay::open).transpose()?;
        Ok(Self { calculator: Calculator::bundled(), overlay })
    }

    /// What the provider says that it billed.
    pub fn billed(usd: f64) -> Option<Cost> {
        let amount = NanoUsd::from_usd(usd)?;
        Some(Cost { amount, source: CostSource::Provider, price_version: String::new() })
    }

    /// The price alone.
    pub fn price(&self, sale: &Sale<'_>) -> Option<Cost> {
        self.sell(sale).cost
    }

    /// Prices a sale.
    pub fn sell(&self, sale: &Sale<'_>) -> Sold {
        let known = self.provider_id(sale);
        let plain = sale.usage.map(units).unwrap_or_default();
        let units = self.units_of(sale, known.as_deref(), &plain);
        let nothing = units.iter().next().is_none();
        let priced_units = (!nothing && units != plain).then(|| written(&units));
        if nothing {
            return Sold { cost: None, priced_units };
        }
        let asked = sale.asked.filter(|asked| *asked != sale.model);
        let models = [Some(sale.model), asked].into_iter().flatten().filter(|model| !model.is_empty());
        let cost =
            models.map(|model| Sale { model, ..*sale }).find_map(|sale| self.cost(&sale, known.as_deref(), &units));
        Sold { cost, priced_units }
    }

    /// The price of one model.
    fn cost(&self, sale: &Sale<'_>, known: Option<&str>, units: &Units) -> Option<Cost> {
        let by_overlay = |fallback| self.overlay.as_ref()?.price(sale, fallback);
        let by_table = || {
            let amount = NanoUsd::from_usd(self.table_usd(sale, known, units)?)?;
            Some(Cost { amount, source: CostSource::Prices, price_version: PRICE_VERSION.to_owned() })
        };
        by_overlay(false).or_else(by_table).or_else(|| by_overlay(true))
    }

    fn table_usd(&self, sale: &Sale<'_>, known: Option<&str>, units: &Units) -> Option<f64> {
        // Its models bear the names of those that others sell, and run on the operator's own machines.
        if sale.format == WireFormat::Ollama || sale.provider.trim().eq_ignore_ascii_case("ollama") {
            return None;
        }
        // A provider that the table knows decides, even where it does not have the model: another one's price for a
        // model of that name would be a guess.
        if known.is_some() {
            return self.usd_of(sale, known, units);
        }
        self.usd_of(sale, None, units).or_else(|| self.usd_of(sale, Some(default_provider(sale.format)?), units))
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

    fn usd_of(&self, sale: &Sale<'_>, provider: Option<&str>, units: &Units) -> Option<f64> {
        let at = UNIX_EPOCH.checked_add(Duration::from_micros(u64::try_from(sale.at.0).ok()?))?;
        let mut request = PriceRequest::new(sale.model, units).with_timestamp(at);
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

    /// What is priced: what was priced before, else the usage as the table's own reader of that provider's answers sees it,
    /// else our parts.
    fn units_of(&self, sale: &Sale<'_>, known: Option<&str>, plain: &Units) -> Units {
        if let Some(units) = sale.priced_units.and_then(|text| serde_json::from_str::<Units>(text).ok()) {
            return units;
        }
        if let (None, Some(seconds)) = (sale.usage, sale.audio_seconds) {
            return Units::from([("audio_seconds", seconds), ("input_audio_seconds", seconds)]);
        }
        let reader = known.or_else(|| default_provider(sale.format));
        let Some(mut units) = reader.and_then(|id| self.extract(sale, id)) else { return plain.clone() };
        // A reader that does not know how this shape counts its input would have parts of it priced and not the whole.
        if plain.get("input_tokens").is_some() && units.get("input_tokens") != plain.get("input_tokens") {
            return plain.clone();
        }
        // The table's readers leave out the cache where that provider has no price for it yet, or names it otherwise.
        if let (Some(cached), None) = (plain.get("cache_read_tokens"), units.get("cache_read_tokens")) {
            units.insert("cache_read_tokens", cached);
        }
        without_zeros(&units)
    }

    fn extract(&self, sale: &Sale<'_>, provider: &str) -> Option<Units> {
        let (root, flavors): (_, &[&str]) = match sale.api {
            "messages" | "invoke" => ("usage", &["anthropic", "default"]),
            "responses" => ("usage", &["responses", "default"]),
            "embeddings" => ("usage", &["embeddings", "default"]),
            "images" => ("usage", &["images", "default"]),
            "generate_content" | "embed_content" => ("usageMetadata", &["default"]),
            "cohere_embed" => ("meta", &["embeddings"]),
            "converse" | "cohere_chat" => ("usage", &["default"]),
            _ => ("usage", &["chat", "default"]),
        };
        let response = Value::Object(Map::from_iter([(root.to_owned(), sale.raw_usage?.clone())]));
        flavors.iter().find_map(|flavor| {
            let request = ExtractRequest::from_value(&response).with_provider_id(provider).with_api_flavor(flavor);
            self.calculator.extract_provider_usage(&request).ok().map(|extracted| extracted.usage)
        })
    }
}

fn without_zeros(units: &Units) -> Units {
    let always = |key: &str| matches!(key, "input_tokens" | "output_tokens");
    units.iter().filter(|(key, n)| *n != 0.0 || always(key.as_str())).map(|(key, n)| (key.as_str(), n)).collect()
}

/// Units as JSON. Whole numbers are written as such, which is shorter.
fn written(units: &Units) -> String {
    let entry = |(key, n): (&genai_prices::UsageKey, f64)| {
        let number = if n.fract() == 0.0 { format!("{n:.0}") } else { format!("{n}") };
        format!("\"{key}\":{number}")
    };
    format!("{{{}}}", units.iter().map(entry).collect::<Vec<_>>().join(","))
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
        ("input_image_tokens", usage.prompt_image_tokens),
        ("output_tokens", usage.output_tokens()),
        ("output_audio_tokens", usage.completion_audio_tokens),
        ("output_image_tokens", usage.completion_image_tokens),
        ("output_reasoning_tokens", usage.reasoning_tokens),
        ("web_searches", usage.web_searches),
        ("rerank_searches", usage.search_units),
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

#[cfg(test)]
mod tests;
