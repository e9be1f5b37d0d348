//! `trailgate reprice` beside a running gateway, and the overlay that is read again while it runs.

use serde_json::{Value, json};

use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

const OVERLAY: &str = "[[price]]\nmodel = \"my-own*\"\ninput = 1.0\noutput = 2.0\nweb_search = 5.0\n";

async fn call(gateway: &Gateway, session: &str) -> Value {
    let answer = gateway
        .http
        .post(format!("{}/v1/chat/completions", gateway.url))
        .header("helicone-session-id", session)
        .body("{\"model\": \"my-own-model\"}")
        .send()
        .await
        .unwrap();
    let id = answer.headers()["helicone-id"].to_str().unwrap().to_owned();
    gateway.call(&id).await
}

async fn reprice(gateway: &Gateway, overlay: Option<&str>, more: &[&str]) -> String {
    let path = gateway.data_dir().join("prices.toml");
    let mut command = gateway.command(&[&["reprice", "--since", "2020-01-01"], more].concat());
    if let Some(text) = overlay {
        std::fs::write(&path, text).unwrap();
        command.env("TRAILGATE_PRICING_OVERLAY", &path);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", gateway.stderr());
    String::from_utf8(output.stdout).unwrap()
}

async fn stored_calls_get_new_prices(backend: Backend) {
    let upstream = Upstream::start(|_: &Received| {
        let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 500_000, "num_search_queries": 2});
        Reply::json(200, &json!({"model": "my-own-model", "choices": [], "usage": usage}))
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let stored = call(&gateway, "s").await;
    assert_eq!(
        (&stored["cost"], &stored["web_searches"], &stored["usage_source"]),
        (&Value::Null, &json!(2), &json!("reported"))
    );
    call(&gateway, "s").await;
    let before = gateway.session("s", 2).await;
    assert_eq!((&before["unpriced_requests"], &before["total_cost"]), (&json!(2), &json!(0.0)));

    let said = reprice(&gateway, Some(OVERLAY), &["--dry-run"]).await;
    assert!(said.contains("would change 2") && said.contains("OPENAI my-own-model: 2 calls"), "{said}");
    assert_eq!(gateway.session("s", 2).await, before);
    let said = reprice(&gateway, Some(OVERLAY), &[]).await;
    assert!(said.contains("changed 2") && said.contains("2 newly priced"), "{said}");
    let session = gateway.session("s", 2).await;
    assert_eq!((&session["unpriced_requests"], &session["total_cost"]), (&json!(0), &json!(4.02)));
    assert_eq!(session["total_tokens"], before["total_tokens"]);
    let row = gateway.call(stored["request_id"].as_str().unwrap()).await;
    assert_eq!((&row["cost"], &row["cost_source"]), (&json!(2.01), &json!("overlay")));
    assert!(row["price_version"].as_str().unwrap().starts_with("overlay "), "{row}");

    // The second time, and with the bodies read again, nothing is left to change.
    for more in [&[][..], &["--reparse"]] {
        let said = reprice(&gateway, Some(OVERLAY), more).await;
        assert!(said.contains("looked at 2 model calls, changed 0"), "{said}");
    }
    // Without the overlay nobody knows the price any more.
    let said = reprice(&gateway, None, &[]).await;
    assert!(said.contains("2 without a price now"), "{said}");
    let session = gateway.session("s", 2).await;
    assert_eq!((&session["unpriced_requests"], &session["total_cost"]), (&json!(2), &json!(0.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_calls_get_new_prices_on_sqlite() {
    stored_calls_get_new_prices(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_calls_get_new_prices_on_postgres() {
    stored_calls_get_new_prices(Backend::Postgres).await;
}

async fn the_model_that_was_asked_for_counts(backend: Backend) {
    let upstream = Upstream::start(|_: &Received| {
        let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 500_000});
        Reply::json(200, &json!({"model": "unheard-of", "choices": [], "usage": usage}))
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let stored = call(&gateway, "s").await;
    assert_eq!((&stored["cost"], &stored["request_model"]), (&Value::Null, &json!("my-own-model")));
    let said = reprice(&gateway, Some(OVERLAY), &[]).await;
    assert!(said.contains("changed 1") && said.contains("1 newly priced"), "{said}");
    let row = gateway.call(stored["request_id"].as_str().unwrap()).await;
    assert_eq!((&row["cost"], &row["model"]), (&json!(2.0), &json!("unheard-of")));
    for more in [&[][..], &["--reparse"]] {
        let said = reprice(&gateway, Some(OVERLAY), more).await;
        assert!(said.contains("looked at 1 model calls, changed 0"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_that_was_asked_for_counts_on_sqlite() {
    the_model_that_was_asked_for_counts(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_that_was_asked_for_counts_on_postgres() {
    the_model_that_was_asked_for_counts(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_overlay_counts_without_a_restart() {
    let upstream = Upstream::start(|_: &Received| {
        let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 0});
        Reply::json(200, &json!({"model": "my-own-model", "choices": [], "usage": usage}))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.toml");
    std::fs::write(&path, OVERLAY).unwrap();
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_PRICING_OVERLAY", path.to_str().unwrap());
    let gateway = Gateway::start(options).await;
    assert_eq!(call(&gateway, "s").await["cost"], 1.0);
    std::fs::write(&path, OVERLAY.replace("input = 1.0", "input = 3.5")).unwrap();
    gateway
        .until("the new price counts", async |gateway| (call(gateway, "s").await["cost"] == 3.5).then_some(()))
        .await;
    std::fs::write(&path, "nonsense").unwrap();
    gateway
        .until("the fault is logged", async |gateway| {
            assert_eq!(call(gateway, "s").await["cost"], 3.5, "the prices that were there stay");
            gateway.stderr().contains("pricing.overlay_kept").then_some(())
        })
        .await;
}
