//! Reads the database afterwards, past the gateway, and holds it against a ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use uuid::Uuid;

use super::app::{Backend, Gateway};
use super::ledger::Ledger;

/// Every call that the database has: its outcomes, one for each row.
#[derive(Debug, Default)]
pub struct Audit {
    pub rows: BTreeMap<Uuid, Vec<String>>,
}

impl Audit {
    /// Reads `database`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(backend: Backend, database: &str) -> Result<Self, sqlx::Error> {
        let text = "SELECT id, outcome FROM exchange";
        let pairs: Vec<(Uuid, String)> = match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(database).await?;
                let rows = sqlx::query(text).fetch_all(&mut connection).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(database).await?;
                let rows = sqlx::query(text).fetch_all(&mut connection).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?
            }
        };
        let mut audit = Self::default();
        for (id, outcome) in pairs {
            audit.rows.entry(id).or_default().push(outcome);
        }
        Ok(audit)
    }

    /// What a SQLite database says of a call's two bodies, as JSON.
    pub async fn body_facts(database: &str, id: Uuid) -> [serde_json::Value; 2] {
        let mut connection = SqliteConnection::connect(database).await.expect("the database opens");
        let query = sqlx::query("SELECT request_facts, response_facts FROM body WHERE call_id = ?").bind(id);
        let row = query.fetch_one(&mut connection).await.expect("the call's bodies");
        [0, 1].map(|n| serde_json::from_slice(row.get::<&[u8], _>(n)).expect("facts are JSON"))
    }

    /// Calls that end before they begin, or whose first byte came before them.
    pub async fn backwards(backend: Backend, database: &str) -> i64 {
        let text = "SELECT count(*) FROM exchange WHERE ended_at < started_at OR first_byte_us < 0";
        let count = match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(database).await.expect("the database opens");
                sqlx::query_scalar(text).fetch_one(&mut connection).await
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(database).await.expect("the database answers");
                sqlx::query_scalar(text).fetch_one(&mut connection).await
            }
        };
        count.expect("a count")
    }

    /// Reads until nothing of `ids` is missing any more or the limit is over; with the time that it took.
    pub async fn until(backend: Backend, gateway: &Gateway, ids: &BTreeSet<Uuid>, limit: Duration) -> (Self, Duration) {
        Self::until_in(backend, &gateway.database_url(), ids, limit).await
    }

    /// The same with the database's URL.
    pub async fn until_in(backend: Backend, database: &str, ids: &BTreeSet<Uuid>, limit: Duration) -> (Self, Duration) {
        let began = Instant::now();
        loop {
            let read = Self::read(backend, database).await;
            let took = began.elapsed();
            match read {
                Ok(audit) if audit.missing(ids).is_empty() => return (audit, took),
                Ok(audit) if took > limit => return (audit, took),
                Err(error) if took > limit => panic!("the database does not answer: {error}"),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Which of them have no row.
    pub fn missing(&self, ids: &BTreeSet<Uuid>) -> Vec<Uuid> {
        ids.iter().filter(|id| !self.rows.contains_key(id)).copied().collect()
    }

    /// Rows beyond the first of their id.
    pub fn duplicates(&self) -> usize {
        self.rows.values().map(|outcomes| outcomes.len() - 1).sum()
    }

    /// Accepted calls that are told as something other than complete.
    pub fn untrue(&self, ledger: &Ledger) -> usize {
        let wrong = |id: &&Uuid| self.rows.get(id).is_some_and(|all| all.iter().any(|outcome| outcome != "complete"));
        ledger.accepted.iter().filter(wrong).count()
    }

    pub fn with_outcome(&self, outcome: &str) -> usize {
        self.rows.values().flatten().filter(|told| *told == outcome).count()
    }
}
