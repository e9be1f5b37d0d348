//! A fresh PostgreSQL database a test, on the server that `TRAILGATE_TEST_POSTGRES` names.

use tokio::process::Command;

/// The URL of a new, empty database.
pub async fn database() -> String {
    let server = std::env::var("TRAILGATE_TEST_POSTGRES").expect("TRAILGATE_TEST_POSTGRES: postgres://user@host:port");
    let name = format!("t{}", uuid::Uuid::new_v4().simple());
    let statement = format!("CREATE DATABASE {name}");
    let made = Command::new("psql").args([&format!("{server}/postgres"), "-qc", &statement]).status().await;
    assert!(made.is_ok_and(|status| status.success()), "psql could not create a database on {server}");
    format!("{server}/{name}")
}
