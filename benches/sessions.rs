//! How long `POST /v1/session/query` takes over a million calls.
//!
//! `cargo bench --bench sessions -- [DATABASE_URL] [CALLS]` fills the database through the drain's writer (once: a filled
//! one is used again), starts the gateway's own binary on it, and asks over HTTP for the newest 50 sessions: without a
//! filter, with a property that half of the sessions have, with one that a few have, with one that nobody has. It prints
//! the median, the 99th percentile and the reference beside them: `GET /healthz` on the same connection in the same run,
//! which is what HTTP alone costs. Default: SQLite under target/bench and 1,000,000 calls.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench is a program for developers: it ends where it fails"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailgate::model::capture::{Outcome, WireFormat};
use trailgate::model::exchange::{Cost, CostSource, Exchange, KeptBody, Kind, Source, Usage, UsageSource};
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId, RequestId};
use trailgate::model::tags::Property;
use trailgate::model::units::{Micros, NanoUsd};
use trailgate::store::{Store, StoreOptions};

const CALLS_A_SESSION: usize = 20;
const BATCH: usize = 500;
const ROUNDS: usize = 300;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    std::fs::create_dir_all("target/bench").unwrap();
    let url = arguments.next().unwrap_or_else(|| "sqlite://target/bench/sessions.db".to_owned());
    let calls: usize = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of calls"));
    fill(&url, calls).await;
    measure(&url).await;
}

async fn fill(url: &str, calls: usize) {
    let options =
        StoreOptions { url: url.to_owned(), max_read_connections: 2, statement_timeout: Duration::from_secs(120) };
    let store = Store::open(&options).await.unwrap();
    store.migrate().await.unwrap();
    let have = usize::try_from(
        store.call_count(OrgId::DEFAULT, &trailgate::model::filter::Filter::ALL, Default::default()).await.unwrap(),
    )
    .unwrap();
    if have >= calls {
        println!("{} holds {have} calls already", store.backend());
        return;
    }
    let mut writer = store.writer().await.unwrap();
    let began = Instant::now();
    let first = Micros::now().plus_us(-30 * 86_400_000_000);
    let mut batch = Vec::with_capacity(BATCH);
    for n in have..calls {
        batch.push(exchange(n, calls, first));
        if batch.len() == BATCH || n + 1 == calls {
            writer.write(&batch).await.unwrap();
            batch.clear();
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate for display")]
    let rate = (calls - have) as f64 / seconds;
    println!("{}: wrote {} calls in {seconds:.0} s, {rate:.0} a second", store.backend(), calls - have);
    store.close().await;
}

/// Call `n`: 20 calls in a row make a session; properties are skewed as in real use.
fn exchange(n: usize, calls: usize, first: Micros) -> Exchange {
    let session = n / CALLS_A_SESSION;
    let step = 30 * 86_400_000_000 / i64::try_from(calls).unwrap();
    let at = first.plus_us(i64::try_from(n).unwrap() * step);
    let failed = n.is_multiple_of(97);
    let record = RecordId::generate();
    let property = |key: &str, value: String| Property { key: key.to_owned(), value };
    Exchange {
        org: OrgId::DEFAULT,
        id: RequestId(record.0),
        record,
        key: None,
        source: Source::Proxy,
        kind: Kind::Llm,
        started_at: at,
        ended_at: at.plus_us(900_000),
        first_byte_us: None,
        outcome: Outcome::Complete,
        status: if failed { 500 } else { 200 },
        error_rule: failed.then_some("status"),
        error_message: None,
        provider: "OPENAI".to_owned(),
        format: WireFormat::Openai,
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        target_url: "https://api.openai.com/v1/chat/completions".to_owned(),
        streamed: false,
        model: Some("gpt-4o-mini".to_owned()),
        request_model: Some("gpt-4o-mini".to_owned()),
        response_model: Some("gpt-4o-mini-2024-07-18".to_owned()),
        model_override: None,
        finish_reason: Some("stop".to_owned()),
        tool_calls: 0,
        session_id: Some(format!("agent-{session:08}")),
        session_name: Some("Bench Agent".to_owned()),
        session_path: Some(format!("/iteration/{}", n % CALLS_A_SESSION)),
        user_id: Some(format!("user-{}", session % 5_000)),
        prompt_id: None,
        properties: vec![
            property("Environment", if session.is_multiple_of(2) { "production" } else { "staging" }.to_owned()),
            property("Feature", format!("feature-{}", session % 25)),
            property("Agent-Version", format!("v1.{}", session % 4)),
        ],
        usage: Some(Usage { prompt_tokens: 900, completion_tokens: 120, ..Usage::default() }),
        usage_source: Some(UsageSource::Reported),
        usage_missing: None,
        cost: Some(Cost { amount: NanoUsd(207_000), source: CostSource::Prices, price_version: String::new() }),
        service_tier: None,
        priced_units: None,
        notes: Vec::new(),
        agent: trailgate::model::agent::Agent::default(),
        request_headers: Headers::default(),
        response_headers: Headers::default(),
        request: KeptBody::default(),
        response: KeptBody::default(),
    }
}

struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn measure(url: &str) {
    let data = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailgate"))
        .arg("serve")
        .env("TRAILGATE_SERVER_LISTEN", "127.0.0.1:0")
        .env("TRAILGATE_DATA_DIR", data.path())
        .env("TRAILGATE_DATABASE_URL", url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _gateway = Gateway(child);
    let base = lines
        .find_map(|line| line.unwrap().strip_prefix("trailgate is listening on ").map(str::to_owned))
        .expect("an address");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    println!("{:44} {:>10} {:>10} {:>6}", "query (50 newest sessions)", "p50 ms", "p99 ms", "rows");
    let (p50, p99, _) = rounds(|| http.get(format!("{base}/healthz"))).await;
    println!("{:44} {p50:>10.2} {p99:>10.2}", "GET /healthz, the reference");
    for (name, filter) in [
        ("no filter", json!({})),
        ("Environment = production (half)", json!({"properties": {"environment": "production"}})),
        ("Feature = feature-5 (1 in 25)", json!({"properties": {"Feature": "feature-5"}})),
        ("Agent-Version = v9 (none)", json!({"properties": {"Agent-Version": "v9"}})),
    ] {
        let body = json!({"filter": filter, "limit": 50});
        let (p50, p99, rows) = rounds(|| http.post(format!("{base}/v1/session/query")).json(&body)).await;
        println!("{name:44} {p50:>10.2} {p99:>10.2} {rows:>6}");
    }
}

async fn rounds(request: impl Fn() -> reqwest::RequestBuilder) -> (f64, f64, usize) {
    let mut times = Vec::with_capacity(ROUNDS);
    let mut rows = 0;
    for round in 0..ROUNDS + 20 {
        let began = Instant::now();
        let bytes = request().send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
        if round >= 20 {
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        rows = answer["data"].as_array().map_or(0, Vec::len);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100], rows)
}
