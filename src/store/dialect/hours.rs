//! The figures by the hour, on both databases: rows of [`Hours`] added to what is there.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::{Connection, ToSql, params_from_iter};
use sqlx::postgres::PgConnection;

use super::CHUNK;
use super::sqlite::insert;
use crate::model::figures::{Figures, PARTS};
use crate::store::error::StoreError;
use crate::store::hours::{HourKey, Hours};
use crate::store::link::limited;

macro_rules! columns {
    () => {
        "org_id, dim, hour, value, calls, errors, cost, unpriced, input_tokens, cached_tokens, output_tokens, \
         response_bytes, latency_sum_us, latency_min_us, latency_max_us, last_at, h00, h01, h02, h03, h04, h05, h06, \
         h07, h08, h09, h10, h11, h12, h13, h14, h15, h16, h17, h18, h19, h20, h21, h22, h23, h24, h25, h26, h27, h28, \
         h29, h30, h31"
    };
}

macro_rules! merge {
    () => {
        " ON CONFLICT (org_id, dim, hour, value) DO UPDATE SET \
          \
         latency_min_us = CASE WHEN excluded.latency_min_us < call_hour.latency_min_us THEN excluded.latency_min_us ELSE call_hour.latency_min_us END, \
         latency_max_us = CASE WHEN excluded.latency_max_us > call_hour.latency_max_us THEN excluded.latency_max_us ELSE call_hour.latency_max_us END, \
         last_at = CASE WHEN excluded.last_at > call_hour.last_at THEN excluded.last_at ELSE call_hour.last_at END, \
         calls = call_hour.calls + excluded.calls, errors = call_hour.errors + excluded.errors, \
         cost = call_hour.cost + excluded.cost, unpriced = call_hour.unpriced + excluded.unpriced, \
         input_tokens = call_hour.input_tokens + excluded.input_tokens, \
         cached_tokens = call_hour.cached_tokens + excluded.cached_tokens, \
         output_tokens = call_hour.output_tokens + excluded.output_tokens, \
         response_bytes = call_hour.response_bytes + excluded.response_bytes, \
         latency_sum_us = call_hour.latency_sum_us + excluded.latency_sum_us, h00 = call_hour.h00 + excluded.h00, \
         h01 = call_hour.h01 + excluded.h01, h02 = call_hour.h02 + excluded.h02, \
         h03 = call_hour.h03 + excluded.h03, h04 = call_hour.h04 + excluded.h04, \
         h05 = call_hour.h05 + excluded.h05, h06 = call_hour.h06 + excluded.h06, \
         h07 = call_hour.h07 + excluded.h07, h08 = call_hour.h08 + excluded.h08, \
         h09 = call_hour.h09 + excluded.h09, h10 = call_hour.h10 + excluded.h10, \
         h11 = call_hour.h11 + excluded.h11, h12 = call_hour.h12 + excluded.h12, \
         h13 = call_hour.h13 + excluded.h13, h14 = call_hour.h14 + excluded.h14, \
         h15 = call_hour.h15 + excluded.h15, h16 = call_hour.h16 + excluded.h16, \
         h17 = call_hour.h17 + excluded.h17, h18 = call_hour.h18 + excluded.h18, \
         h19 = call_hour.h19 + excluded.h19, h20 = call_hour.h20 + excluded.h20, \
         h21 = call_hour.h21 + excluded.h21, h22 = call_hour.h22 + excluded.h22, \
         h23 = call_hour.h23 + excluded.h23, h24 = call_hour.h24 + excluded.h24, \
         h25 = call_hour.h25 + excluded.h25, h26 = call_hour.h26 + excluded.h26, \
         h27 = call_hour.h27 + excluded.h27, h28 = call_hour.h28 + excluded.h28, \
         h29 = call_hour.h29 + excluded.h29, h30 = call_hour.h30 + excluded.h30, \
         h31 = call_hour.h31 + excluded.h31"
    };
}

/// A row of it, for SQLite.
static SQLITE: LazyLock<String> = LazyLock::new(|| insert("call_hour", columns!(), 1, merge!()));
const POSTGRES: &str = concat!(
    "INSERT INTO call_hour (",
    columns!(),
    ") SELECT * FROM UNNEST($1::uuid[], $2::int2[], $3::int8[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], \
         $10::int8[], $11::int8[], $12::int8[], $13::int8[], $14::int8[], $15::int8[], $16::int8[], $17::int8[], \
         $18::int8[], $19::int8[], $20::int8[], $21::int8[], $22::int8[], $23::int8[], $24::int8[], $25::int8[], \
         $26::int8[], $27::int8[], $28::int8[], $29::int8[], $30::int8[], $31::int8[], $32::int8[], $33::int8[], \
         $34::int8[], $35::int8[], $36::int8[], $37::int8[], $38::int8[], $39::int8[], $40::int8[], $41::int8[], \
         $42::int8[], $43::int8[], $44::int8[], $45::int8[], $46::int8[], $47::int8[], $48::int8[])",
    merge!()
);

#[cfg(test)]
pub(in crate::store) fn sqlite_statement() -> &'static str {
    &SQLITE
}
#[cfg(test)]
pub(in crate::store) const POSTGRES_STATEMENTS: &[&str] = &[POSTGRES];

/// The sums in the order of the columns, the histogram aside.
fn sums(figures: &Figures) -> [i64; 12] {
    [
        figures.calls,
        figures.errors,
        figures.cost.0,
        figures.unpriced,
        figures.input_tokens,
        figures.cached_tokens,
        figures.output_tokens,
        figures.response_bytes,
        figures.latency_sum_us,
        figures.latency_min_us,
        figures.latency_max_us,
        figures.last_at.0,
    ]
}

pub(in crate::store) fn sqlite(db: &Connection, hours: &Hours) -> Result<(), StoreError> {
    let mut upsert = db.prepare_cached(&SQLITE)?;
    for (key, figures) in hours {
        let named: [&dyn ToSql; 4] = [&key.org, &key.dim, &key.hour, &key.value];
        let sums = sums(figures);
        let sums = sums.iter().chain(&figures.histogram).map(|sum| sum as &dyn ToSql);
        upsert.execute(params_from_iter(named.into_iter().chain(sums)))?;
    }
    Ok(())
}

pub(in crate::store) async fn postgres(
    db: &mut PgConnection,
    limit: Duration,
    hours: &Hours,
) -> Result<(), StoreError> {
    let rows: Vec<(&HourKey, &Figures)> = hours.iter().collect();
    for chunk in rows.chunks(CHUNK) {
        macro_rules! column {
            ($field:ident) => {
                chunk.iter().map(|(key, _)| key.$field.clone()).collect::<Vec<_>>()
            };
        }
        let mut query =
            sqlx::query(POSTGRES).bind(column!(org)).bind(column!(dim)).bind(column!(hour)).bind(column!(value));
        let all: Vec<Vec<i64>> =
            chunk.iter().map(|(_, figures)| sums(figures).into_iter().chain(figures.histogram).collect()).collect();
        for n in 0..12 + PARTS {
            let one: Vec<i64> = all.iter().map(|row| row.get(n).copied().unwrap_or_default()).collect();
            query = query.bind(one);
        }
        limited(limit, query.execute(&mut *db)).await?;
    }
    Ok(())
}
