//! Runs statements that were built at run time. The only file that asserts the safety of SQL text: what comes here was
//! built by sea-query from fixed identifiers, and every value of a client is a bound parameter.

use sea_query::{PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};

use super::Store;
use super::db::Db;
use super::error::StoreError;

/// Texts up to this many bytes stay prepared on their connection (the least used of a hundred leaves), which spares the
/// server their parsing and us a round trip. Longer ones, from large filters, are rare, and each would hold memory.
const MOST_PREPARED: usize = 16 * 1024;

/// All rows of a built query.
pub(super) async fn fetch_all<T>(store: &Store, select: &SelectStatement) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    match &*store.db {
        Db::Sqlite(side) => {
            let (sql, values) = select.build_sqlx(SqliteQueryBuilder);
            let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), values);
            side.limited(async { query.fetch_all(&side.read()).await }).await
        }
        Db::Postgres(side) => {
            let (sql, values) = select.build_sqlx(PostgresQueryBuilder);
            let keep = sql.len() <= MOST_PREPARED;
            let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), values).persistent(keep);
            side.limited(async { query.fetch_all(&side.read()).await }).await
        }
    }
}

/// The one row of a built query that always has one.
pub(super) async fn fetch_one<T>(store: &Store, select: &SelectStatement) -> Result<T, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    fetch_all(store, select).await?.into_iter().next().ok_or(StoreError::Internal(sqlx::Error::RowNotFound))
}
