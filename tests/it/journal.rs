//! The journal under the real binary: one process a folder, a backlog that outlives wrong configurations and is replayed
//! while calls are served, and journals that earlier versions left.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::app::{Backend, Gateway, GatewayOptions, root};
use crate::support::reply::Reply;
use crate::support::stall::Stall;
use crate::support::upstream::{DEADLINE, Received, Upstream};

/// The bytes of each segment.
fn segments(gateway: &Gateway) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(gateway.data_dir().join("journal")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let named = files.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)));
    named.filter(|(name, _)| name.len() == 16).map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

async fn call(gateway: &Gateway) -> String {
    let sent = gateway.http.post(format!("{}/v1/chat/completions", gateway.url)).body("{}").send().await.unwrap();
    let id = sent.headers()["helicone-id"].to_str().unwrap().to_owned();
    assert_eq!(sent.status(), 200);
    sent.bytes().await.unwrap();
    id
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_ends_with_a_clear_text() {
    let gateway = Gateway::start(GatewayOptions::new(Backend::Sqlite)).await;
    let second = tokio::time::timeout(DEADLINE, gateway.command(&["serve"]).status()).await;
    let status = second.expect("it ends by itself").unwrap();
    assert!(!status.success(), "{status}");
    let said = gateway.stderr();
    assert!(said.contains("another process uses the journal in"), "{said}");
    assert_eq!(gateway.get("/readyz").await.0, 200, "the first goes on");
}

#[tokio::test]
async fn a_wrong_configuration_leaves_the_backlog_alone() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({"ok": true}))).await;
    let options = GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url());
    let mut gateway = Gateway::start(options).await;
    let stall = Stall::of(&gateway).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(call(&gateway).await);
    }
    gateway.kill().await;
    stall.end().await;
    let before = segments(&gateway);
    assert!(before.values().map(Vec::len).sum::<usize>() > 5_000);
    for (name, value) in [
        ("TRAILGATE_JOURNAL_ON_FULL", "never"),
        ("TRAILGATE_JOURNAL_MAX_BYTES", "7"),
        ("TRAILGATE_DATABASE_URL", "mysql://h/d"),
        ("TRAILGATE_NO_SUCH_THING", "1"),
        ("TRAILGATE_PRICING_OVERLAY", "/nonexistent/prices.json"),
    ] {
        let ended = tokio::time::timeout(DEADLINE, gateway.command(&["serve"]).env(name, value).status()).await;
        assert!(!ended.expect("it ends by itself").unwrap().success(), "{name}={value}");
        assert_eq!(segments(&gateway), before, "{name}={value}");
    }
    gateway.launch().await;
    for id in ids {
        assert_eq!(gateway.call(&id).await["outcome"], "complete");
    }
}

#[tokio::test]
async fn calls_are_served_while_a_long_backlog_waits() {
    let long = json!({"text": "z".repeat(5_000_000)});
    let upstream = Upstream::start(move |_: &Received| Reply::json(200, &long)).await;
    let options = GatewayOptions::new(Backend::Postgres)
        .provider("openai", upstream.url())
        .env("TRAILGATE_DATABASE_STATEMENT_TIMEOUT_MS", "1000");
    let mut gateway = Gateway::start(options).await;
    let stall = Stall::of(&gateway).await;
    let mut ids = Vec::new();
    for _ in 0..21 {
        ids.push(call(&gateway).await);
    }
    gateway.kill().await;
    let backlog: usize = segments(&gateway).values().map(Vec::len).sum();
    assert!(backlog > 100_000_000, "{backlog} bytes");
    // Nothing of it can reach the database yet.
    gateway.launch().await;
    let alive = gateway.http.get(format!("{}/healthz", gateway.url)).send().await.unwrap();
    assert_eq!(alive.status(), 200);
    ids.push(call(&gateway).await);
    let (_, ready) = gateway.get("/readyz").await;
    assert!(ready["journal"]["bytes_on_disk"].as_u64().unwrap() > 100_000_000, "{ready}");
    stall.end().await;
    for id in ids {
        gateway.call(&id).await;
    }
    gateway
        .until("the disk is given back", async |gateway| {
            let (_, ready) = gateway.get("/readyz").await;
            (ready["journal"]["bytes_on_disk"] == 0).then_some(())
        })
        .await;
    assert!(segments(&gateway).is_empty());
}

/// Copies a kept journal to where a gateway looks for its own.
fn lay_down(fixture: &str, gateway: &Gateway) {
    let journal = gateway.data_dir().join("journal");
    let from = root().join("tests/fixtures").join(fixture);
    let mut files = 0;
    for entry in std::fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), journal.join(entry.file_name())).unwrap();
        files += 1;
    }
    assert!(files > 0, "{} is empty", Path::new(&from).display());
}

async fn a_kept_journal_is_replayed(backend: Backend, fixture: &str) {
    let mut gateway = Gateway::start(GatewayOptions::new(backend)).await;
    gateway.terminate().await;
    lay_down(fixture, &gateway);
    gateway.launch().await;
    let id = |n: u32| format!("019ab9b9-b400-7000-8000-{n:012x}");
    for n in 1..=4 {
        let row = gateway.call(&id(n)).await;
        assert_eq!(row["outcome"], if n == 4 { "interrupted" } else { "complete" }, "call {n}: {row}");
        let tokens = if n == 4 { Value::Null } else { json!(9) };
        assert_eq!(row["prompt_tokens"], tokens, "call {n}: {row}");
        assert_eq!(row["request_body"]["model"] == "gpt-4o", n != 3, "call {n}: {row}");
    }
    let tool = gateway.call(&id(5)).await;
    assert!(tool.to_string().contains("search"), "{tool}");
    let session = gateway.session("fixture", 5).await;
    assert_eq!(session["total_requests"], 5);
    let (_, gaps) = gateway.get("/v1/gaps").await;
    assert_eq!(gaps["data"]["minutes"][0]["calls"], 7, "{gaps}");
    let (_, ready) = gateway.get("/readyz").await;
    assert_eq!(ready["journal"]["writable"], true);
    assert!(!gateway.stderr().contains("journal.segment.damaged"), "{}", gateway.stderr());
}

#[tokio::test]
async fn a_journal_of_format_1_is_replayed_on_sqlite() {
    a_kept_journal_is_replayed(Backend::Sqlite, "journal-v1").await;
}

#[tokio::test]
async fn a_journal_of_format_1_is_replayed_on_postgres() {
    a_kept_journal_is_replayed(Backend::Postgres, "journal-v1").await;
}

#[tokio::test]
async fn a_journal_with_packed_heads_is_replayed_on_sqlite() {
    a_kept_journal_is_replayed(Backend::Sqlite, "journal-v1-packed").await;
}

#[tokio::test]
async fn a_journal_with_packed_heads_is_replayed_on_postgres() {
    a_kept_journal_is_replayed(Backend::Postgres, "journal-v1-packed").await;
}
