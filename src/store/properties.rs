//! The keys of properties and their values, for lists to choose from.

use sea_query::{Expr, ExprTrait, Order, Query};

use super::db::on_db;
use super::error::StoreError;
use super::text::property_key;
use super::{Store, compare, sql};
use crate::model::filter::TextOp;
use crate::model::id::OrgId;
use crate::model::query::PropertyKeyRow;
use crate::model::units::Micros;

const KEYS: &str = "SELECT key, last_at FROM property_key WHERE org_id = $1 ORDER BY key_lower";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[KEYS];

/// Values that a search may return.
const MOST_VALUES: i64 = 1_000;

impl Store {
    /// All keys, in alphabetical order without case.
    pub async fn property_keys(&self, org: OrgId) -> Result<Vec<PropertyKeyRow>, StoreError> {
        let rows: Vec<(String, i64)> = on_db!(self, read | db | sqlx::query_as(KEYS).bind(org.0).fetch_all(db).await)?;
        Ok(rows.into_iter().map(|(key, last_at)| PropertyKeyRow { key, last_at: Micros(last_at) }).collect())
    }

    /// Distinct values of a key that contain a text (without case, literally), in alphabetical order.
    pub async fn property_values(
        &self,
        org: OrgId,
        key: &str,
        contains: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let value = "COALESCE(p.value_long, p.value_key)";
        let select = Query::select()
            .distinct()
            .expr(Expr::cust("COALESCE(p.value_long, p.value_key), p.value_key"))
            .from_as("exchange_property", "p")
            .and_where(Expr::cust("p.org_id").eq(org.0))
            .and_where(Expr::cust("p.key_lower").eq(property_key(key)))
            .and_where_option(
                (!contains.is_empty())
                    .then(|| compare::text(self.kind(), Expr::cust(value), TextOp::Contains, contains)),
            )
            .order_by_expr(Expr::cust("p.value_key"), Order::Asc)
            .limit(limit.clamp(0, MOST_VALUES).unsigned_abs())
            .take();
        let rows: Vec<(String, String)> = sql::fetch_all(self, &select).await?;
        Ok(rows.into_iter().map(|(value, _)| value).collect())
    }
}
