//! Pricing calls again: reads what a price is made of, writes new prices, and carries the difference into the sums of the
//! sessions and of the hours.
//!
//! A call is looked at under a lock in the transaction that changes it, and the sums get the difference to what was found
//! then: however many run this at once, beside however many drains, sums stay the sums of their calls.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::bounds::added;
use super::db::on_db;
use super::error::StoreError;
use super::hours::{Dim, HourKey, Place};
use super::record::{MOST_COST, MOST_TOKENS};
use super::rollup::PARTS;
use super::text::clean;
use crate::model::exchange::{Usage, is_unpriced};
use crate::model::id::{OrgId, RequestId};
use crate::model::path::{MOST_CHARS, cut};
use crate::model::query::{NewPrice, PricedCall};
use crate::model::units::{Micros, NanoUsd};

const ORGS: &str = "SELECT id FROM org ORDER BY created_at, id";
const PAGE: &str = "SELECT e.id, e.started_at, e.source, e.path, e.status, e.provider, e.format, e.target_url, e.model, \
     e.prompt_tokens, e.prompt_cache_read_tokens, e.prompt_cache_write_tokens, e.prompt_cache_write_1h_tokens, \
     e.prompt_audio_tokens, e.completion_tokens, e.completion_audio_tokens, e.reasoning_tokens, e.prompt_image_tokens, \
     e.completion_image_tokens, e.web_searches, e.tool_units, e.search_units, e.usage_source, e.usage_missing, \
     e.service_tier, e.priced_units, e.cost, e.cost_source, e.price_version \
     FROM exchange e WHERE e.org_id = $1 AND e.kind = 'llm' AND (e.started_at, e.id) > ($2, $3) \
     ORDER BY e.started_at, e.id LIMIT $4";
/// A lock and a look in one: it changes nothing.
const LOCK: &str = "UPDATE exchange SET cost = cost WHERE org_id = $1 AND id = $2 \
     RETURNING started_at, kind, provider, model, session_path, session_name, status, error_rule, session_key, cost, \
     prompt_tokens, prompt_cache_read_tokens, prompt_cache_write_tokens, prompt_cache_write_1h_tokens, prompt_audio_tokens, completion_tokens, completion_audio_tokens, reasoning_tokens, \
     prompt_image_tokens, completion_image_tokens, web_searches, tool_units, search_units";
const SET_PRICE: &str = "UPDATE exchange SET cost = $3, cost_source = $4, price_version = $5, usage_source = $6, \
     usage_missing = $7, service_tier = $8, priced_units = $9, prompt_tokens = $10, prompt_cache_read_tokens = $11, \
     prompt_cache_write_tokens = $12, prompt_cache_write_1h_tokens = $13, prompt_audio_tokens = $14, \
     completion_tokens = $15, completion_audio_tokens = $16, reasoning_tokens = $17, prompt_image_tokens = $18, \
     completion_image_tokens = $19, web_searches = $20, tool_units = $21, search_units = $22 \
     WHERE org_id = $1 AND id = $2";
const ADD: &str = "UPDATE session SET cost = cost + $3, unpriced = unpriced + $4, prompt_tokens = prompt_tokens + $5, \
     prompt_cache_read_tokens = prompt_cache_read_tokens + $6, \
     prompt_cache_write_tokens = prompt_cache_write_tokens + $7, \
     prompt_cache_write_1h_tokens = prompt_cache_write_1h_tokens + $8, prompt_audio_tokens = prompt_audio_tokens + $9, \
     completion_tokens = completion_tokens + $10, completion_audio_tokens = completion_audio_tokens + $11, \
     reasoning_tokens = reasoning_tokens + $12, prompt_image_tokens = prompt_image_tokens + $13, \
     completion_image_tokens = completion_image_tokens + $14, web_searches = web_searches + $15, \
     tool_units = tool_units + $16, search_units = search_units + $17 \
     WHERE org_id = $1 AND session_key = $2";
/// A lock and a look in one. What started before its start is about to be deleted and counts no more (`store::retention`).
const LOCK_SESSION: &str = "UPDATE session SET name = name WHERE org_id = $1 AND session_key = $2 RETURNING first_at";
const ADD_HOUR: &str = "UPDATE call_hour SET cost = cost + $5, unpriced = unpriced + $6, input_tokens = input_tokens + $7, \
     cached_tokens = cached_tokens + $8, output_tokens = output_tokens + $9 \
     WHERE org_id = $1 AND dim = $2 AND hour = $3 AND value = $4";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ORGS, PAGE, LOCK, SET_PRICE, ADD, LOCK_SESSION, ADD_HOUR];

/// The parts of a usage, in the order of the roll-up's columns.
#[derive(Debug, FromRow)]
struct Parts {
    prompt_tokens: Option<i64>,
    prompt_cache_read_tokens: Option<i64>,
    prompt_cache_write_tokens: Option<i64>,
    prompt_cache_write_1h_tokens: Option<i64>,
    prompt_audio_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    completion_audio_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    prompt_image_tokens: Option<i64>,
    completion_image_tokens: Option<i64>,
    web_searches: Option<i64>,
    tool_units: Option<i64>,
    search_units: Option<i64>,
}

impl Parts {
    fn of(usage: Option<&Usage>) -> Self {
        let part = |part: fn(&Usage) -> i64| usage.map(|usage| part(usage).clamp(0, MOST_TOKENS));
        Self {
            prompt_tokens: part(|u| u.prompt_tokens),
            prompt_cache_read_tokens: part(|u| u.prompt_cache_read_tokens),
            prompt_cache_write_tokens: part(|u| u.prompt_cache_write_tokens),
            prompt_cache_write_1h_tokens: part(|u| u.prompt_cache_write_1h_tokens),
            prompt_audio_tokens: part(|u| u.prompt_audio_tokens),
            completion_tokens: part(|u| u.completion_tokens),
            completion_audio_tokens: part(|u| u.completion_audio_tokens),
            reasoning_tokens: part(|u| u.reasoning_tokens),
            prompt_image_tokens: part(|u| u.prompt_image_tokens),
            completion_image_tokens: part(|u| u.completion_image_tokens),
            web_searches: part(|u| u.web_searches),
            tool_units: part(|u| u.tool_units),
            search_units: part(|u| u.search_units),
        }
    }

    const fn list(&self) -> [Option<i64>; PARTS] {
        [
            self.prompt_tokens,
            self.prompt_cache_read_tokens,
            self.prompt_cache_write_tokens,
            self.prompt_cache_write_1h_tokens,
            self.prompt_audio_tokens,
            self.completion_tokens,
            self.completion_audio_tokens,
            self.reasoning_tokens,
            self.prompt_image_tokens,
            self.completion_image_tokens,
            self.web_searches,
            self.tool_units,
            self.search_units,
        ]
    }

    fn usage(&self) -> Option<Usage> {
        let part = Option::unwrap_or_default;
        Some(Usage {
            prompt_tokens: self.prompt_tokens?,
            prompt_cache_read_tokens: part(self.prompt_cache_read_tokens),
            prompt_cache_write_tokens: part(self.prompt_cache_write_tokens),
            prompt_cache_write_1h_tokens: part(self.prompt_cache_write_1h_tokens),
            prompt_audio_tokens: part(self.prompt_audio_tokens),
            prompt_image_tokens: part(self.prompt_image_tokens),
            completion_tokens: part(self.completion_tokens),
            completion_audio_tokens: part(self.completion_audio_tokens),
            completion_image_tokens: part(self.completion_image_tokens),
            reasoning_tokens: part(self.reasoning_tokens),
            web_searches: part(self.web_searches),
            tool_units: part(self.tool_units),
            search_units: part(self.search_units),
        })
    }
}

#[derive(FromRow)]
struct CallRecord {
    id: Uuid,
    started_at: i64,
    source: String,
    path: String,
    status: i32,
    provider: String,
    format: String,
    target_url: String,
    model: Option<String>,
    usage_source: Option<String>,
    usage_missing: Option<String>,
    service_tier: Option<String>,
    priced_units: Option<String>,
    cost: Option<i64>,
    cost_source: Option<String>,
    price_version: Option<String>,
    #[sqlx(flatten)]
    parts: Parts,
}

impl From<CallRecord> for PricedCall {
    fn from(row: CallRecord) -> Self {
        Self {
            id: RequestId(row.id),
            started_at: Micros(row.started_at),
            source: row.source,
            path: row.path,
            status: row.status,
            provider: row.provider,
            format: row.format,
            target_url: row.target_url,
            model: row.model,
            price: NewPrice {
                usage: row.parts.usage(),
                usage_source: row.usage_source,
                usage_missing: row.usage_missing,
                service_tier: row.service_tier,
                priced_units: row.priced_units,
                cost: row.cost.map(NanoUsd),
                cost_source: row.cost_source,
                price_version: row.price_version,
            },
        }
    }
}

#[derive(FromRow)]
struct Found {
    started_at: i64,
    kind: String,
    provider: String,
    model: Option<String>,
    session_path: Option<String>,
    session_name: Option<String>,
    status: i32,
    error_rule: Option<String>,
    session_key: Option<String>,
    cost: Option<i64>,
    #[sqlx(flatten)]
    parts: Parts,
}

impl Found {
    fn place(&self, org: Uuid) -> Place<'_> {
        Place {
            org,
            started_at: self.started_at,
            kind: &self.kind,
            provider: &self.provider,
            model: self.model.as_deref(),
            path: self.session_path.as_deref(),
            status: self.status,
            error_rule: self.error_rule.as_deref(),
            session_name: self.session_name.as_deref(),
        }
    }
}

/// What sums gain.
#[derive(Default)]
struct Gain {
    cost: i64,
    unpriced: i64,
    parts: [i64; PARTS],
}

impl Gain {
    /// What one call's sums gain.
    fn of(old: &Found, cost: Option<i64>, parts: &Parts) -> Self {
        let unpriced = |cost: Option<i64>, parts: &Parts| {
            i64::from(is_unpriced(&old.kind, cost.is_some(), old.error_rule.is_some(), parts.prompt_tokens.is_some()))
        };
        let mut gain = Self {
            cost: added(cost.unwrap_or_default()) - added(old.cost.unwrap_or_default()),
            unpriced: unpriced(cost, parts) - unpriced(old.cost, &old.parts),
            ..Self::default()
        };
        for ((sum, new), old) in gain.parts.iter_mut().zip(parts.list()).zip(old.parts.list()) {
            *sum = added(new.unwrap_or_default()) - added(old.unwrap_or_default());
        }
        gain
    }

    fn add(&mut self, other: &Self) {
        self.cost = self.cost.saturating_add(other.cost);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
        for (sum, more) in self.parts.iter_mut().zip(other.parts) {
            *sum = sum.saturating_add(more);
        }
    }

    /// The tokens as the figures by the hour have them: all input, what of it was cached, all output.
    const fn tokens(&self) -> [i64; 3] {
        let [prompt, read, written, _, audio_in, completion, audio_out, reasoning, image_in, image_out, ..] =
            self.parts;
        [prompt + read + written + audio_in + image_in, read, completion + audio_out + image_out + reasoning]
    }

    fn is_nothing(&self) -> bool {
        self.cost == 0 && self.unpriced == 0 && self.parts.iter().all(|part| *part == 0)
    }
}

/// What rows of `call_hour` gain, in order; and of those by path what each path gains as it was sent, for rows that an early
/// migration made.
#[derive(Default)]
struct Hours(BTreeMap<HourKey, (Gain, BTreeMap<String, Gain>)>);

impl Hours {
    fn add(&mut self, place: &Place<'_>, gain: &Gain) {
        let sent = cut(place.path.unwrap_or_default(), MOST_CHARS);
        place.each(|key| {
            let by_path = key.dim == Dim::Path as i16 && key.value != sent;
            let (sum, unfolded) = self.0.entry(key).or_default();
            sum.add(gain);
            if by_path {
                unfolded.entry(sent.to_owned()).or_default().add(gain);
            }
        });
    }
}

/// The statement that adds a gain to the row of an hour's key with this value.
macro_rules! add_hour {
    ($key:expr, $value:expr, $gain:expr) => {{
        let [input, cached, output] = $gain.tokens();
        sqlx::query(ADD_HOUR)
            .bind($key.org)
            .bind($key.dim)
            .bind($key.hour)
            .bind($value.as_str())
            .bind($gain.cost)
            .bind($gain.unpriced)
            .bind(input)
            .bind(cached)
            .bind(output)
    }};
}

impl Store {
    /// Every organisation, oldest first: prices are made again for all of them.
    pub async fn orgs(&self) -> Result<Vec<OrgId>, StoreError> {
        let rows: Vec<(Uuid,)> = on_db!(self, read | db | sqlx::query_as(ORGS).fetch_all(db).await)?;
        Ok(rows.into_iter().map(|(id,)| OrgId(id)).collect())
    }

    /// Model calls in the order of time, those behind `(at, id)`.
    pub async fn calls_to_price(
        &self,
        org: OrgId,
        (at, id): (Micros, RequestId),
        limit: i64,
    ) -> Result<Vec<PricedCall>, StoreError> {
        let rows: Vec<CallRecord> = on_db!(
            self,
            read | db | sqlx::query_as(PAGE).bind(org.0).bind(at.0).bind(id.0).bind(limit).fetch_all(db).await
        )?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Gives model calls new prices, and the sessions and the hours the differences, in one transaction. Calls that are not
    /// there any more are left out.
    pub async fn set_prices(&self, org: OrgId, prices: &[(RequestId, NewPrice)]) -> Result<(), StoreError> {
        on_db!(
            self,
            write | db | {
                let mut tx = db.begin().await?;
                let mut gains: BTreeMap<String, Vec<(i64, Gain)>> = BTreeMap::new();
                let mut hours = Hours::default();
                for (id, price) in prices {
                    let found: Option<Found> =
                        sqlx::query_as(LOCK).bind(org.0).bind(id.0).fetch_optional(&mut *tx).await?;
                    let Some(found) = found else { continue };
                    let cost = price.cost.map(|cost| cost.0.clamp(0, MOST_COST));
                    let parts = Parts::of(price.usage.as_ref());
                    let text = |field: &Option<String>| field.as_deref().map(|text| clean(text).into_owned());
                    let mut set = sqlx::query(SET_PRICE)
                        .bind(org.0)
                        .bind(id.0)
                        .bind(cost)
                        .bind(text(&price.cost_source))
                        .bind(text(&price.price_version))
                        .bind(text(&price.usage_source))
                        .bind(text(&price.usage_missing))
                        .bind(text(&price.service_tier))
                        .bind(text(&price.priced_units));
                    for part in parts.list() {
                        set = set.bind(part);
                    }
                    set.execute(&mut *tx).await?;
                    let gain = Gain::of(&found, cost, &parts);
                    if gain.is_nothing() {
                        continue;
                    }
                    hours.add(&found.place(org.0), &gain);
                    if let Some(session) = found.session_key {
                        gains.entry(session).or_default().push((found.started_at, gain));
                    }
                }
                // In sorted order, as the drain locks them.
                for (session, calls) in &gains {
                    let start: Option<(i64,)> = sqlx::query_as(LOCK_SESSION)
                        .bind(org.0)
                        .bind(session.as_str())
                        .fetch_optional(&mut *tx)
                        .await?;
                    let Some((start,)) = start else { continue };
                    let mut gain = Gain::default();
                    calls.iter().filter(|(at, _)| *at >= start).for_each(|(_, one)| gain.add(one));
                    let mut add =
                        sqlx::query(ADD).bind(org.0).bind(session.as_str()).bind(gain.cost).bind(gain.unpriced);
                    for part in gain.parts {
                        add = add.bind(part);
                    }
                    add.execute(&mut *tx).await?;
                }
                // Last, as the drain does it.
                for (key, (gain, unfolded)) in &hours.0 {
                    let added = add_hour!(key, &key.value, gain).execute(&mut *tx).await?;
                    if added.rows_affected() == 0 {
                        for (path, gain) in unfolded {
                            add_hour!(key, path, gain).execute(&mut *tx).await?;
                        }
                    }
                }
                tx.commit().await
            }
        )
    }
}
