//! Migrations, compiled in. Replicas that start together run them once: PostgreSQL holds an advisory lock meanwhile, SQLite
//! a lock on a file beside the database.

use std::fs::File;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use super::db::{Db, PostgresSide, SqliteSide};
use super::error::StoreError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long to wait for a connection; what a migration itself takes has no limit.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

pub(super) async fn run(db: &Db) -> Result<(), StoreError> {
    match db {
        Db::Sqlite(side) => sqlite(side).await,
        Db::Postgres(side) => postgres(side).await,
    }
}

async fn sqlite(side: &SqliteSide) -> Result<(), StoreError> {
    let mut path = side.path.clone().into_os_string();
    path.push(".migrate-lock");
    let lock = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    let lock = lock.await.unwrap_or_else(|e| Err(std::io::Error::other(e))).map_err(sqlx::Error::Io)?;
    let mut connection = side.write.acquire().await?;
    // Not `run`: its future cannot move between threads.
    SQLITE.run_direct(None, &mut *connection, false).await?;
    drop(lock);
    Ok(())
}

async fn postgres(side: &PostgresSide) -> Result<(), StoreError> {
    // Its own connection without the time limits of the others: waiting for another replica's migration is no fault.
    let options = side.options.clone().options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let dialled = tokio::time::timeout(CONNECT_LIMIT, PgConnection::connect_with(&options)).await;
    let mut connection = dialled.map_err(|_| StoreError::too_slow())??;
    POSTGRES.run_direct(None, &mut connection, false).await?;
    connection.close().await?;
    Ok(())
}
