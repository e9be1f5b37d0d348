//! Every recorded exchange, served as an upstream and sent through the gateway: the client must get the provider's bytes,
//! the provider the client's, and the store what the provider reported, priced as `genai-prices` prices it.
//!
//! It prints a table by provider and endpoint. With `TRAILGATE_PROVIDERS_MD=docs/PROVIDERS.md` the SQLite run writes the
//! table into that file, between its two marks.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use trailgate::model::units::NanoUsd;

use crate::support::app::{Backend, Gateway, GatewayOptions, root};
use crate::support::recordings::{self, Recording};
use crate::support::reply::Reply;
use crate::support::said::{self, Shape};
use crate::support::upstream::{Received, Upstream};

/// The header by which the upstream knows which recording is asked for.
const NUMBER: &str = "x-recording";
/// Where the table stands in the document.
const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of table -->\n"];

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_all_providers_on_sqlite() {
    let table = replay(Backend::Sqlite).await;
    if let Some(path) = std::env::var_os("TRAILGATE_PROVIDERS_MD") {
        let path = root().join(path);
        let text = std::fs::read_to_string(&path).expect("the document");
        let (head, rest) = text.split_once(MARKS[0]).expect("the first mark");
        let (_, tail) = rest.split_once(MARKS[1]).expect("the second mark");
        std::fs::write(&path, [head, MARKS[0], &table, MARKS[1], tail].concat()).expect("a written document");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_of_all_providers_on_postgres() {
    replay(Backend::Postgres).await;
}

/// A recording's place: its provider and itself.
type Entry = (String, Recording);

/// Counts of one endpoint.
#[derive(Default)]
struct Line {
    calls: usize,
    streamed: usize,
    reported: usize,
    usage_right: usize,
    priced: usize,
    cost_right: usize,
    tools: usize,
    tools_right: usize,
    facts_right: usize,
}

async fn replay(backend: Backend) -> String {
    let all: Vec<Entry> =
        recordings::all().into_iter().flat_map(|(p, list)| list.into_iter().map(move |r| (p.clone(), r))).collect();
    assert!(!all.is_empty());
    let all = Arc::new(all);
    let served = Arc::clone(&all);
    let arrived: Arc<Mutex<HashMap<usize, Received>>> = Arc::default();
    let seen = Arc::clone(&arrived);
    let upstream = Upstream::start(move |received| {
        let n: usize = received.header(NUMBER).and_then(|text| text.parse().ok()).expect("a recording's number");
        seen.lock().expect("no test failed").insert(n, received.clone());
        answer(&served[n].1)
    })
    .await;
    let mut options = GatewayOptions::new(backend);
    for (provider, _) in all.iter() {
        options = options.provider(configured(provider), upstream.url());
    }
    let gateway = Gateway::start(options).await;

    let mut ids = Vec::with_capacity(all.len());
    for (n, (provider, recording)) in all.iter().enumerate() {
        ids.push(exchange(&gateway, provider, n, recording).await);
        let received = arrived.lock().expect("no test failed").remove(&n).expect("the upstream got the call");
        let name = &recording.name;
        assert_eq!(received.target, recording.path, "{name}: path at the upstream");
        assert_eq!(received.body, recording.request(), "{name}: body at the upstream");
        assert!(
            received.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("helicone-")),
            "{name}: tags left"
        );
    }
    let mut table: BTreeMap<(String, String), Line> = BTreeMap::new();
    let mut faults = Vec::new();
    for (entry, id) in all.iter().zip(&ids) {
        let line = table.entry((entry.0.clone(), endpoint(&entry.1))).or_default();
        stored(&gateway, id, entry, line, &mut faults).await;
    }
    let table = written(&table);
    println!("{backend:?}\n{table}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    table
}

/// The gateway's name of a provider whose file is called so.
fn configured(provider: &str) -> &str {
    match provider {
        "gemini" => "google",
        other => other,
    }
}

fn answer(recording: &Recording) -> Reply {
    let reply = Reply::status(recording.status).header("x-request-id", "req_recorded");
    let reply = match &recording.content_type {
        Some(kind) => reply.header("content-type", kind),
        None => reply,
    };
    if !recording.is_stream() {
        return reply.send(recording.response());
    }
    let body = recording.response();
    // One stream of each length comes byte by byte: no reader may depend on where the pieces end.
    let size = if body.len() < 3_000 { 1 } else { 700 };
    body.chunks(size).fold(reply.chunked(), |reply, part| reply.send(part.to_vec()))
}

/// Sends the recorded request through the gateway and checks what comes back. The row's id.
async fn exchange(gateway: &Gateway, provider: &str, n: usize, recording: &Recording) -> String {
    let name = &recording.name;
    let prefix = if provider == "openai" { String::new() } else { format!("/v1/gateway/{}", configured(provider)) };
    let method = recording.method.parse().expect("a method");
    let response = gateway
        .http
        .request(method, format!("{}{prefix}{}", gateway.url, recording.path))
        .header(NUMBER, n)
        .header("authorization", "Bearer sk-provider")
        .header("content-type", "application/json")
        .header("helicone-session-id", format!("recordings of {provider}"))
        .header("helicone-session-path", format!("/{n}"))
        .body(recording.request())
        .send()
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(response.status().as_u16(), recording.status, "{name}: status");
    let header = |key: &str| response.headers().get(key).and_then(|v| v.to_str().ok()).map(str::to_owned);
    assert_eq!(header("content-type"), recording.content_type, "{name}: content type");
    assert_eq!(header("x-request-id").as_deref(), Some("req_recorded"), "{name}: a header of the provider");
    let id = header("helicone-id").unwrap_or_else(|| panic!("{name}: no Helicone-Id"));
    let body = response.bytes().await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(body, recording.response(), "{name}: body at the client");
    id
}

/// Holds the row against what was said.
async fn stored(gateway: &Gateway, id: &str, (provider, recording): &Entry, line: &mut Line, faults: &mut Vec<String>) {
    let name = format!("{provider} {} {}", recording.name, recording.path);
    let call = gateway.call(id).await;
    for (side, expected) in [("request", recording.request()), ("response", recording.response())] {
        let url = format!("{}/v1/request/{id}/body/{side}", gateway.url);
        let body = gateway.http.get(url).send().await.expect("an answer").bytes().await.expect("a whole answer");
        if body != expected {
            faults.push(format!("{name}: stored {side} body"));
        }
    }
    let said = said::said(recording);
    let shape = Shape::of(&recording.path);
    let mut holds = |what: &str, ours: &Value, theirs: Value| {
        let right = *ours == theirs;
        if !right {
            faults.push(format!("{name}: {what} is {ours} and not {theirs}"));
        }
        right
    };
    line.calls += 1;
    line.streamed += usize::from(recording.is_stream());
    let model = said::row_model(recording, &said);
    let facts = [
        holds("status", &call["response_status"], recording.status.into()),
        holds("streamed", &call["streamed"], recording.is_stream().into()),
        holds("finish_reason", &call["finish_reason"], said.finish.clone().into()),
        holds("model", &call["model"], model.clone().into()),
        holds("error_rule", &call["error_rule"], rule(recording, &said).into()),
    ];
    line.facts_right += usize::from(facts.into_iter().all(|right| right));
    line.tools += said.calls;
    line.tools_right += usize::from(holds("tool_calls", &call["tool_calls"], said.calls.into()));

    let reported = said.usage.as_ref().map(|usage| said::figures(shape, usage));
    line.reported += usize::from(reported.is_some());
    let right = match &reported {
        None => {
            holds("input_tokens", &call["input_tokens"], Value::Null)
                && holds("a reason for no usage", &call["usage_missing"].is_string().into(), true.into())
        }
        Some(figures) => {
            let wrong = figures.iter().filter(|(field, tokens)| !holds(field, &call[*field], (*tokens).into()));
            wrong.count() == 0
        }
    };
    line.usage_right += usize::from(right);

    let at: jiff::Timestamp = call["request_created_at"].as_str().and_then(|at| at.parse().ok()).expect("an instant");
    let nanos = model.and_then(|model| said::price(provider, shape, &model, &said, at.as_microsecond()));
    line.priced += usize::from(nanos.is_some());
    let ours = call["cost"].as_f64().and_then(NanoUsd::from_usd).map(|nanos| nanos.0);
    line.cost_right += usize::from(holds("nano-dollars", &ours.into(), nanos.into()));
}

fn rule(recording: &Recording, said: &said::Said) -> Option<&'static str> {
    if recording.status >= 400 { Some("status") } else { said.failed_inside.then_some("stream_error") }
}

/// The path without what differs from call to call.
fn endpoint(recording: &Recording) -> String {
    let path = recording.path.split('?').next().unwrap_or_default();
    let segments = path.split('/').map(|segment| {
        let (name, verb) = segment.split_once(':').map_or((segment, ""), |(name, verb)| (name, verb));
        let folded = if segment.starts_with("resp_") { "{id}" } else { name };
        if verb.is_empty() { folded.to_owned() } else { format!("{{model}}:{verb}") }
    });
    let mut folded: Vec<String> = segments.collect();
    if let Some(at) = folded.iter().position(|segment| segment == "model")
        && let Some(model) = folded.get_mut(at + 1)
    {
        "{model}".clone_into(model);
    }
    let failed = if recording.status >= 400 { " (failed)" } else { "" };
    format!("{} {}{failed}", recording.method, folded.join("/"))
}

fn written(table: &BTreeMap<(String, String), Line>) -> String {
    let mut text =
        "\n| provider | endpoint | calls | streamed | facts right | usage reported | usage right | priced | \
                    cost right | tool calls | tools right |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    let mut row = |provider: &str, endpoint: &str, l: &Line| {
        let numbers = [
            l.calls,
            l.streamed,
            l.facts_right,
            l.reported,
            l.usage_right,
            l.priced,
            l.cost_right,
            l.tools,
            l.tools_right,
        ];
        let numbers = numbers.map(|n| n.to_string()).join(" | ");
        writeln!(text, "| {provider} | `{endpoint}` | {numbers} |").expect("a string takes everything");
    };
    let mut sum = Line::default();
    for ((provider, endpoint), l) in table {
        row(provider, endpoint, l);
        sum.calls += l.calls;
        sum.streamed += l.streamed;
        sum.facts_right += l.facts_right;
        sum.reported += l.reported;
        sum.usage_right += l.usage_right;
        sum.priced += l.priced;
        sum.cost_right += l.cost_right;
        sum.tools += l.tools;
        sum.tools_right += l.tools_right;
    }
    row("all", "all", &sum);
    text.push('\n');
    text
}
