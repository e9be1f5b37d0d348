//! An organisation: its name, what it has, its saved filters, how long it keeps its calls.

use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use super::compare::Backend;
use super::db::on_db;
use super::error::StoreError;
use super::text::clean;
use crate::model::id::{OrgId, SavedFilterId};
use crate::model::query::{Contents, OrgRow, Retention, SavedFilter};
use crate::model::units::Micros;

const ORG: &str = "SELECT name, created_at FROM org WHERE id = $1";
const RENAME: &str = "UPDATE org SET name = $2 WHERE id = $1";
const HAS_DATA: &str = "SELECT 1 FROM exchange WHERE org_id = $1 LIMIT 1";
/// From the roll-up by the hour: counting calls would read them all.
const CONTENTS: &str = "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT), MIN(hour), MAX(last_at) \
     FROM call_hour WHERE org_id = $1 AND dim = 0";
const SESSIONS: &str = "SELECT COUNT(*) FROM session WHERE org_id = $1";

const FILTERS: &str = "SELECT id, page, name, query, created_at FROM saved_filter \
     WHERE org_id = $1 AND ($2 = '' OR page = $2) ORDER BY page, name";
const COUNT_FILTERS: &str = "SELECT COUNT(*) FROM saved_filter WHERE org_id = $1";
const SAVE_FILTER: &str = "INSERT INTO saved_filter (org_id, id, page, name, query, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id, page, name) DO UPDATE SET query = excluded.query \
     RETURNING id, page, name, query, created_at";
const DELETE_FILTER: &str = "DELETE FROM saved_filter WHERE org_id = $1 AND id = $2";

const RETENTION: &str = "SELECT calls_days, bodies_days FROM retention WHERE org_id = $1";
const ALL_RETENTION: &str = "SELECT org_id, calls_days, bodies_days FROM retention";
const SET_RETENTION: &str = "INSERT INTO retention (org_id, calls_days, bodies_days) VALUES ($1, $2, $3) \
     ON CONFLICT (org_id) DO UPDATE SET calls_days = excluded.calls_days, bodies_days = excluded.bodies_days";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    ORG,
    RENAME,
    HAS_DATA,
    CONTENTS,
    SESSIONS,
    FILTERS,
    COUNT_FILTERS,
    SAVE_FILTER,
    DELETE_FILTER,
    RETENTION,
    ALL_RETENTION,
    SET_RETENTION,
];
/// How large the database is, one statement for each kind.
#[cfg(test)]
pub(super) const SIZES: [&str; 2] = [SQLITE_SIZE, POSTGRES_SIZE];
const SQLITE_SIZE: &str = "SELECT CAST(page_count * page_size AS BIGINT) FROM pragma_page_count(), pragma_page_size()";
const POSTGRES_SIZE: &str = "SELECT pg_database_size(current_database())";

#[derive(FromRow)]
struct FilterRecord {
    id: Uuid,
    page: String,
    name: String,
    query: String,
    created_at: i64,
}

impl From<FilterRecord> for SavedFilter {
    fn from(row: FilterRecord) -> Self {
        Self {
            id: SavedFilterId(row.id),
            page: row.page,
            name: row.name,
            query: row.query,
            created_at: Micros(row.created_at),
        }
    }
}

impl Store {
    pub async fn org(&self, org: OrgId) -> Result<Option<OrgRow>, StoreError> {
        let row: Option<(String, i64)> =
            on_db!(self, read | db | sqlx::query_as(ORG).bind(org.0).fetch_optional(db).await)?;
        Ok(row.map(|(name, created_at)| OrgRow { id: org, name, created_at: Micros(created_at) }))
    }

    pub async fn rename_org(&self, org: OrgId, name: &str) -> Result<(), StoreError> {
        let name = clean(name).into_owned();
        on_db!(self, write | db | sqlx::query(RENAME).bind(org.0).bind(name).execute(db).await.map(drop))
    }

    /// Whether it has any call.
    pub async fn has_calls(&self, org: OrgId) -> Result<bool, StoreError> {
        on_db!(self, read | db | Ok(sqlx::query(HAS_DATA).bind(org.0).fetch_optional(db).await?.is_some()))
    }

    /// How much it has.
    pub async fn contents(&self, org: OrgId) -> Result<Contents, StoreError> {
        let (calls, first, last): (i64, Option<i64>, Option<i64>) =
            on_db!(self, read | db | sqlx::query_as(CONTENTS).bind(org.0).fetch_one(db).await)?;
        let (sessions,): (i64,) = on_db!(self, read | db | sqlx::query_as(SESSIONS).bind(org.0).fetch_one(db).await)?;
        Ok(Contents { calls, sessions, first_hour: first.map(Micros), last_at: last.map(Micros) })
    }

    /// Bytes of the whole database, of all organisations.
    pub async fn size(&self) -> Result<i64, StoreError> {
        let statement = match self.kind() {
            Backend::Sqlite => SQLITE_SIZE,
            Backend::Postgres => POSTGRES_SIZE,
        };
        let (bytes,): (i64,) = on_db!(self, read | db | sqlx::query_as(statement).fetch_one(db).await)?;
        Ok(bytes)
    }

    /// Saved filters of a page, or of all pages if it is empty; by page and name.
    pub async fn saved_filters(&self, org: OrgId, page: &str) -> Result<Vec<SavedFilter>, StoreError> {
        let page = clean(page).into_owned();
        let rows: Vec<FilterRecord> =
            on_db!(self, read | db | sqlx::query_as(FILTERS).bind(org.0).bind(page.as_str()).fetch_all(db).await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub async fn saved_filter_count(&self, org: OrgId) -> Result<i64, StoreError> {
        let (count,): (i64,) = on_db!(self, read | db | sqlx::query_as(COUNT_FILTERS).bind(org.0).fetch_one(db).await)?;
        Ok(count)
    }

    /// Keeps a filter; one of the same page and name is replaced and keeps its id.
    pub async fn save_filter(&self, org: OrgId, filter: &SavedFilter) -> Result<SavedFilter, StoreError> {
        let row: FilterRecord = on_db!(
            self,
            write | db | {
                sqlx::query_as(SAVE_FILTER)
                    .bind(org.0)
                    .bind(filter.id.0)
                    .bind(clean(&filter.page).into_owned())
                    .bind(clean(&filter.name).into_owned())
                    .bind(clean(&filter.query).into_owned())
                    .bind(filter.created_at.0)
                    .fetch_one(db)
                    .await
            }
        )?;
        Ok(row.into())
    }

    /// False if the organisation has none of that id.
    pub async fn delete_saved_filter(&self, org: OrgId, id: SavedFilterId) -> Result<bool, StoreError> {
        on_db!(
            self,
            write | db | Ok(sqlx::query(DELETE_FILTER).bind(org.0).bind(id.0).execute(db).await?.rows_affected() > 0)
        )
    }

    pub async fn retention(&self, org: OrgId) -> Result<Retention, StoreError> {
        let row: Option<(Option<i64>, Option<i64>)> =
            on_db!(self, read | db | sqlx::query_as(RETENTION).bind(org.0).fetch_optional(db).await)?;
        Ok(row.map_or_else(Retention::default, |(calls_days, bodies_days)| Retention { calls_days, bodies_days }))
    }

    /// Of every organisation that set one.
    pub async fn retentions(&self) -> Result<Vec<(OrgId, Retention)>, StoreError> {
        let rows: Vec<(Uuid, Option<i64>, Option<i64>)> =
            on_db!(self, read | db | sqlx::query_as(ALL_RETENTION).fetch_all(db).await)?;
        let named = |(org, calls_days, bodies_days)| (OrgId(org), Retention { calls_days, bodies_days });
        Ok(rows.into_iter().map(named).collect())
    }

    pub async fn set_retention(&self, org: OrgId, retention: Retention) -> Result<(), StoreError> {
        let Retention { calls_days, bodies_days } = retention;
        on_db!(
            self,
            write | db | {
                sqlx::query(SET_RETENTION).bind(org.0).bind(calls_days).bind(bodies_days).execute(db).await.map(drop)
            }
        )
    }
}
