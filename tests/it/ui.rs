//! The dashboard in a real Chromium: programs under `tests/ui` drive it on data that real clients and manual logs sent through
//! the gateway, and say what they saw.
//!
//! Whatever a program does, three things hold: no dialog opened, nothing was asked of another machine, and the browser
//! reported no fault, which includes breaches of the page's own policy.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY, root};
use crate::support::clients::{python, typescript};
use crate::support::openai;
use crate::support::upstream::Upstream;

/// What one program may take; the longest seeds ten thousand calls on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(420);

/// Runs `tests/ui/<program>.mjs` and gives back what each of its parts found.
async fn browse(gateway: &Gateway, program: &str) -> Value {
    let folder = root().join("tests/ui");
    let mut command = Command::new("node");
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.arg(folder.join(program).with_extension("mjs")).current_dir(&folder).kill_on_drop(true);
    command.env("TRAILGATE_URL", &gateway.url).env("HELICONE_API_KEY", KEY);
    let output = match tokio::time::timeout(LIMIT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => panic!("{program} could not be started ({error}): run scripts/test-setup first"),
        Err(_) => panic!("{program} did not end in {LIMIT:?}; the gateway said:\n{}", gateway.stderr()),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let seen = text.trim_end().lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let Some(seen) = seen else {
        panic!(
            "{program} failed:\n{text}\n{}\nthe gateway said:\n{}",
            String::from_utf8_lossy(&output.stderr),
            gateway.stderr()
        );
    };
    assert!(seen["failed"].is_null(), "{program}: {}\n{}", seen["failed"].as_str().unwrap_or_default(), seen["faults"]);
    assert_eq!(seen["dialogs"], json!([]), "{program}: a dialog opened");
    assert_eq!(seen["outside"], json!([]), "{program}: something was asked of another machine");
    assert_eq!(seen["faults"], json!([]), "{program}: the browser reported faults");
    seen["done"].clone()
}

fn open(backend: Backend) -> GatewayOptions {
    GatewayOptions::new(backend).env("TRAILGATE_LOG_FILTER", "warn")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_turns_the_first_page_into_its_session() {
    let gateway = Gateway::start(open(Backend::Sqlite)).await;
    browse(&gateway, "start").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_make_keys() {
    let gateway = Gateway::start(open(Backend::Sqlite).keys()).await;
    browse(&gateway, "login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_sent_is_only_text() {
    let gateway = Gateway::start(open(Backend::Sqlite)).await;
    browse(&gateway, "hostile").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_steps() {
    let gateway = Gateway::start(open(Backend::Sqlite)).await;
    let done = browse(&gateway, "long").await;
    // Times differ from machine to machine: they are shown, not judged.
    println!("ten thousand steps: {:#}", done["first paint, lenses and filters"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_on_sqlite() {
    every_page(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_on_postgres() {
    every_page(Backend::Postgres).await;
}

/// The real packages first, through the proxy and the manual loggers; then a history that only manual logs can have.
async fn every_page(backend: Backend) {
    let upstream = Upstream::start(openai::script).await;
    let options = open(backend).provider("openai", upstream.url()).provider("anthropic", upstream.url());
    let gateway = Gateway::start(options).await;
    for seen in [python(&gateway, "complete_agent", &[]).await, typescript(&gateway, "tracked_agent", &[]).await] {
        assert!(seen.is_object(), "a client said {seen}");
    }
    browse(&gateway, "pages").await;
}
