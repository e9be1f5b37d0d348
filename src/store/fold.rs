//! Calls added up in this process, for SQLite: its GROUP BY sorts every call, which takes longer than to read them and keeps
//! them all in memory. Here a call costs its reading, and memory is that of the groups.
//!
//! A query has a connection of its own and ends with whoever waits for it: dropping the future interrupts it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rusqlite::{InterruptHandle, Row, params_from_iter, types};
use sea_query::{SelectStatement, SqliteQueryBuilder, Value};
use tokio::time::timeout;

use super::db::SqliteSide;
use super::dialect::sqlite;
use super::error::StoreError;
use crate::model::figures::Figures;
use crate::model::query::FigureRow;
use crate::model::units::{Micros, NanoUsd};

/// Calls between two looks at the clock.
const LOOKS: usize = 4_096;

/// Interrupts a query when nobody waits for it any more.
struct Interrupt(Arc<OnceLock<InterruptHandle>>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some(handle) = self.0.get() {
            handle.interrupt();
        }
    }
}

/// Figures by group and part of calls whose columns are group, part and those of `figures::EACH_CALL`: groups with most
/// calls first, at most `limit` rows.
pub(super) async fn figures(
    side: &SqliteSide,
    calls: &SelectStatement,
    limit: u64,
) -> Result<Vec<FigureRow>, StoreError> {
    let (sql, values) = calls.build(SqliteQueryBuilder);
    let values = values.into_iter().map(bound).collect::<Result<Vec<_>, _>>()?;
    let until = Instant::now() + side.limit;
    let reading = async {
        let _permit = side.folds.acquire().await.map_err(|_| StoreError::away())?;
        let interrupt = Interrupt(Arc::default());
        let (path, handle) = (side.path.clone(), Arc::clone(&interrupt.0));
        let reading = tokio::task::spawn_blocking(move || {
            let db = sqlite::open_to_read(&path)?;
            drop(handle.set(db.get_interrupt_handle()));
            let mut statement = db.prepare(&sql)?;
            let mut sums = Sums::default();
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                sums.add(row)?;
                if sums.calls.is_multiple_of(LOOKS) && Instant::now() > until {
                    return Err(StoreError::too_slow());
                }
            }
            Ok(sums.rows(limit))
        });
        reading.await.map_err(|_| StoreError::Internal(sqlx::Error::WorkerCrashed))?
    };
    timeout(side.limit, reading).await.map_err(|_| StoreError::too_slow())?
}

#[derive(Default)]
struct Sums {
    calls: usize,
    groups: HashMap<String, BTreeMap<i64, Figures>>,
}

impl Sums {
    fn add(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        self.calls += 1;
        let group = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let (part, figures) = (row.get(1)?, figures_of(row)?);
        // A group's name is copied once and not for each call.
        match self.groups.get_mut(group) {
            Some(parts) => parts.entry(part).or_default().add(&figures),
            None => drop(self.groups.insert(group.to_owned(), BTreeMap::from([(part, figures)]))),
        }
        Ok(())
    }

    fn rows(self, limit: u64) -> Vec<FigureRow> {
        let mut rows: Vec<FigureRow> = Vec::new();
        for (group, parts) in self.groups {
            rows.extend(parts.into_iter().map(|(part, figures)| FigureRow { group: group.clone(), part, figures }));
        }
        rows.sort_by(|a, b| {
            let order = b.figures.calls.cmp(&a.figures.calls);
            order.then_with(|| a.group.cmp(&b.group)).then(a.part.cmp(&b.part))
        });
        rows.truncate(limit.try_into().unwrap_or(usize::MAX));
        rows
    }
}

/// One call, in the order of `figures::EACH_CALL`.
fn figures_of(row: &Row<'_>) -> rusqlite::Result<Figures> {
    Ok(Figures {
        errors: row.get(3)?,
        cost: NanoUsd(row.get(4)?),
        unpriced: row.get(5)?,
        input_tokens: row.get(6)?,
        cached_tokens: row.get(7)?,
        output_tokens: row.get(8)?,
        response_bytes: row.get(9)?,
        last_at: Micros(row.get(10)?),
        ..Figures::of_call(row.get(2)?)
    })
}

/// A value of a built query as SQLite has it.
fn bound(value: Value) -> Result<types::Value, StoreError> {
    use types::Value as V;
    let whole = |n: Option<i64>| n.map_or(V::Null, V::Integer);
    Ok(match value {
        Value::Bool(b) => whole(b.map(i64::from)),
        Value::TinyInt(n) => whole(n.map(i64::from)),
        Value::SmallInt(n) => whole(n.map(i64::from)),
        Value::Int(n) => whole(n.map(i64::from)),
        Value::BigInt(n) => whole(n),
        Value::TinyUnsigned(n) => whole(n.map(i64::from)),
        Value::SmallUnsigned(n) => whole(n.map(i64::from)),
        Value::Unsigned(n) => whole(n.map(i64::from)),
        // LIMIT and OFFSET.
        Value::BigUnsigned(n) => whole(n.map(|n| i64::try_from(n).unwrap_or(i64::MAX))),
        Value::Float(n) => n.map_or(V::Null, |n| V::Real(n.into())),
        Value::Double(n) => n.map_or(V::Null, V::Real),
        Value::String(text) => text.map_or(V::Null, V::Text),
        Value::Char(c) => c.map_or(V::Null, |c| V::Text(c.to_string())),
        Value::Bytes(bytes) => bytes.map_or(V::Null, V::Blob),
        Value::Uuid(id) => id.map_or(V::Null, |id| V::Blob(id.as_bytes().to_vec())),
        _ => return Err(StoreError::Internal(sqlx::Error::Encode("a value that no column has".into()))),
    })
}
