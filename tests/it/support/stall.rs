//! A database that takes no calls for a while, though it is there: somebody holds a lock on the table of calls (PostgreSQL)
//! or on the whole database (SQLite). Dropping it, or [`Stall::end`], lets go.

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use super::app::Gateway;

pub enum Stall {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Stall {
    /// Of the database behind a gateway that has started.
    pub async fn of(gateway: &Gateway) -> Self {
        let command = gateway.command(&["serve"]);
        let url = command.as_std().get_envs().find_map(|(name, value)| {
            (name == "TRAILGATE_DATABASE_URL").then(|| value.expect("a URL").to_str().expect("text").to_owned())
        });
        if let Some(url) = url {
            let mut connection = PgConnection::connect(&url).await.expect("the server answers");
            let lock = "BEGIN; LOCK TABLE exchange IN ACCESS EXCLUSIVE MODE";
            connection.execute(sqlx::raw_sql(lock)).await.expect("the lock is taken");
            return Self::Postgres(connection);
        }
        let path = gateway.data_dir().join("trailgate.db");
        let url = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.expect("the database opens");
        connection
            .execute(sqlx::raw_sql("PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE"))
            .await
            .expect("the lock is taken");
        Self::Sqlite(connection)
    }

    pub async fn end(self) {
        match self {
            Self::Sqlite(mut connection) => {
                connection.execute(sqlx::raw_sql("ROLLBACK")).await.expect("the lock is given back");
                connection.close().await.expect("the connection closes");
            }
            Self::Postgres(mut connection) => {
                connection.execute(sqlx::raw_sql("ROLLBACK")).await.expect("the lock is given back");
                connection.close().await.expect("the connection closes");
            }
        }
    }
}
