//! Prices calls again that are stored already: with the tables and the overlay of now, at the instants of then.
//!
//! What the provider billed stays. A price is made from the stored usage; with [`Wish::reparse`] the usage itself is read
//! again from the stored bodies, which is also done for calls that were stored before a usage was kept in all its parts.
//! Doing it twice changes nothing the second time.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::enrich::{EnrichContext, upstream_path};
use crate::model::capture::{Kept, WireFormat};
use crate::model::exchange::{Cost, Source, UsageSource};
use crate::model::id::{OrgId, RequestId};
use crate::model::query::{CallBodies, NewPrice, PricedCall};
use crate::model::units::{Micros, NanoUsd};
use crate::pricing::{Pricing, Sale};
use crate::store::{Store, StoreError};
use crate::wire::{self, Meaning};

/// Calls read at once.
const PAGE: i64 = 500;
/// Calls whose bodies are in memory at once.
const BODIES: usize = 16;

/// What to do again.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Calls that started then or later.
    pub since: Micros,
    /// Read the usage again too.
    pub reparse: bool,
    /// Only say what would change.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Repriced {
    pub calls: u64,
    /// By provider and model, only where something changed.
    pub changes: BTreeMap<(String, String), Change>,
}

/// The calls of one model that changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub calls: u64,
    /// They had no price and have one now.
    pub priced: u64,
    /// They had a price and have none now.
    pub unpriced: u64,
    /// Their usage was read anew and is another one.
    pub reread: u64,
    pub before: NanoUsd,
    pub after: NanoUsd,
}

/// Prices again.
///
/// # Errors
/// When the store fails. What was done by then stays done, and is consistent.
pub async fn reprice(store: &Store, context: &EnrichContext, wish: Wish) -> Result<Repriced, StoreError> {
    let mut report = Repriced::default();
    for org in store.orgs().await? {
        let mut last = (wish.since.plus_us(-1), RequestId(uuid::Uuid::max()));
        loop {
            let page = store.calls_to_price(org, last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = (end.started_at, end.id);
            let bodies_of = |call: &PricedCall| wish.reparse || is_old(call);
            let mut new: Vec<(RequestId, NewPrice)> = Vec::new();
            let (to_read, to_price): (Vec<_>, Vec<_>) = page.iter().partition(|call| bodies_of(call));
            let mut priced = prices(store, org, &to_price, &HashMap::new(), context).await?;
            for some in to_read.chunks(BODIES) {
                let bodies = bodies(store, org, some).await?;
                priced.extend(prices(store, org, some, &bodies, context).await?);
            }
            for (call, price) in priced {
                take(&mut new, &mut report, call, price);
            }
            report.calls += page.len() as u64;
            if !wish.dry_run && !new.is_empty() {
                store.set_prices(org, &new).await?;
            }
        }
    }
    Ok(report)
}

/// Stored before a usage had all its parts.
fn is_old(call: &PricedCall) -> bool {
    call.price.usage.is_some() && call.price.usage_source.is_none()
}

async fn bodies(
    store: &Store,
    org: OrgId,
    calls: &[&PricedCall],
) -> Result<HashMap<RequestId, CallBodies>, StoreError> {
    let ids: Vec<RequestId> = calls.iter().map(|call| call.id).collect();
    Ok(store.calls_bodies(org, &ids).await?.into_iter().collect())
}

/// The prices of some calls. Only where the answer's model has none, the model that was asked for is looked up and tried.
async fn prices<'a>(
    store: &Store,
    org: OrgId,
    calls: &[&'a PricedCall],
    bodies: &HashMap<RequestId, CallBodies>,
    context: &EnrichContext,
) -> Result<Vec<(&'a PricedCall, NewPrice)>, StoreError> {
    let again = |call: &PricedCall, asked| again(call, bodies.get(&call.id), asked, context);
    let mut prices: Vec<_> = calls.iter().map(|call| (*call, again(call, None))).collect();
    let unpriced: Vec<RequestId> =
        prices.iter().filter(|(_, price)| is_unpriced(price)).map(|(call, _)| call.id).collect();
    if unpriced.is_empty() {
        return Ok(prices);
    }
    let asked = asked_models(store, org, &unpriced).await?;
    for (call, price) in &mut prices {
        if let Some(model) = asked.get(&call.id) {
            *price = again(call, Some(model.as_str()));
        }
    }
    Ok(prices)
}

/// There is something to price, and no price for it.
const fn is_unpriced(price: &NewPrice) -> bool {
    price.cost.is_none() && (price.usage.is_some() || price.priced_units.is_some())
}

/// The models that calls asked for, unless their clients said what they are to be priced as.
async fn asked_models(store: &Store, org: OrgId, ids: &[RequestId]) -> Result<HashMap<RequestId, String>, StoreError> {
    let calls = store.light_calls(org, ids).await?;
    let asked = calls.into_iter().filter(|call| call.model_override.is_none());
    Ok(asked.filter_map(|call| Some((call.call.id, call.request_model?))).collect())
}

fn take(new: &mut Vec<(RequestId, NewPrice)>, report: &mut Repriced, call: &PricedCall, price: NewPrice) {
    if price == call.price {
        return;
    }
    let model = call.model.clone().unwrap_or_default();
    let change = report.changes.entry((call.provider.clone(), model)).or_default();
    let (before, after) = (call.price.cost, price.cost);
    change.calls += 1;
    change.priced += u64::from(before.is_none() && after.is_some());
    change.unpriced += u64::from(before.is_some() && after.is_none());
    change.reread += u64::from(price.usage != call.price.usage);
    change.before.0 = change.before.0.saturating_add(before.unwrap_or_default().0);
    change.after.0 = change.after.0.saturating_add(after.unwrap_or_default().0);
    new.push((call.id, price));
}

/// The price of a call as it would be if it were stored now.
fn again(call: &PricedCall, bodies: Option<&CallBodies>, asked: Option<&str>, context: &EnrichContext) -> NewPrice {
    let mut price = call.price.clone();
    // An estimate was made from a stream that broke off; reading it again would find nothing.
    let estimated = price.usage_source.as_deref() == Some(UsageSource::Estimated.as_str());
    let whole = |bodies: &&CallBodies| bodies.response.facts.kept != Kept::Omitted && !estimated;
    let meaning = bodies.filter(whole).and_then(|bodies| read(call, bodies));
    if let Some(meaning) = &meaning {
        let source = if meaning.partial { UsageSource::Partial } else { UsageSource::Reported };
        price.usage = meaning.usage;
        price.usage_source = meaning.usage.map(|_| source.as_str().to_owned());
        price.usage_missing = match meaning.usage {
            Some(_) => None,
            None => meaning.usage_missing.map(str::to_owned),
        };
        price.service_tier.clone_from(&meaning.service_tier);
        price.priced_units = None;
    }
    let sale = Sale {
        provider: &call.provider,
        url: &call.target_url,
        format: format(call),
        api: meaning.as_ref().map_or("", |meaning| meaning.api),
        model: call.model.as_deref().unwrap_or_default(),
        asked,
        usage: price.usage.as_ref(),
        raw_usage: meaning.as_ref().and_then(|meaning| meaning.raw_usage.as_ref()).filter(|_| price.usage.is_some()),
        audio_seconds: meaning.as_ref().and_then(|meaning| meaning.audio_seconds),
        priced_units: price.priced_units.as_deref(),
        service_tier: price.service_tier.as_deref(),
        at: call.started_at,
    };
    let sold = catch_unwind(AssertUnwindSafe(|| context.pricing.sell(&sale))).unwrap_or_default();
    let billed = match &meaning {
        Some(meaning) => meaning.billed_usd.and_then(Pricing::billed),
        None => None,
    };
    let stays = billed.is_none() && price.cost_source.as_deref() == Some("provider") && meaning.is_none();
    price.priced_units = sold.priced_units;
    if !stays {
        set_cost(&mut price, billed.or(sold.cost));
    }
    price
}

fn set_cost(price: &mut NewPrice, cost: Option<Cost>) {
    price.cost_source = cost.as_ref().map(|cost| cost.source.as_str().to_owned());
    price.cost = cost.as_ref().map(|cost| cost.amount);
    price.price_version = cost.map(|cost| cost.price_version);
}

/// `None` where the bodies cannot be read now though they could be then.
fn read(call: &PricedCall, bodies: &CallBodies) -> Option<Meaning> {
    let both = [&bodies.request, &bodies.response];
    let format = format(call);
    let read = || {
        if call.source == Source::Proxy.as_str() {
            let path = upstream_path(&call.target_url, &call.path);
            let headers = bodies.response_headers.iter().map(|(name, value)| (name, value)).collect();
            wire::read(format, &path, call.status, both, &headers)
        } else {
            wire::read_log(format, call.status, both[0], both[1])
        }
    };
    catch_unwind(AssertUnwindSafe(read)).ok()
}

fn format(call: &PricedCall) -> WireFormat {
    WireFormat::from_name(&call.format).unwrap_or_default()
}
