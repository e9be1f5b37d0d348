//! What the dashboard asks, on both databases: figures, decision points, tools, exports, reading sessions through, live
//! streams, settings, and the pages themselves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::reply::Reply;
use crate::support::upstream::{DEADLINE, Upstream};

on_both!(figures, paths, tools, attention, reading, exports, live, settings, lists);

/// 2023-11-14T22:00:00Z: a whole hour.
const HOUR: i64 = 1_699_999_200;

/// A manual log, seconds counted from [`HOUR`].
#[derive(Clone, Copy)]
struct Log<'a> {
    session: &'a str,
    path: &'a str,
    at: i64,
    ms: i64,
    status: i64,
    version: &'a str,
    /// Of a tool call; empty: a model call.
    tool: &'a str,
    text: &'a str,
}

const LOG: Log<'_> =
    Log { session: "s", path: "/", at: 0, ms: 1_000, status: 200, version: "v1", tool: "", text: "hello" };

impl Log<'_> {
    fn envelope(&self) -> Value {
        let (request, answer) = if self.tool.is_empty() {
            (
                json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": self.text }] }),
                json!({ "model": "gpt-4o", "choices": [{ "message": { "role": "assistant", "content": "an answer" } }],
                    "usage": { "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 } }),
            )
        } else {
            (json!({ "_type": "tool", "toolName": self.tool, "input": { "q": self.text } }), json!({ "found": 1 }))
        };
        let end = self.at * 1_000 + self.ms;
        json!({
            "providerRequest": { "url": "custom-model-nopath", "json": request, "meta": {} },
            "providerResponse": { "status": self.status, "headers": {}, "json": answer },
            "timing": { "startTime": { "seconds": HOUR + self.at, "milliseconds": 0 },
                "endTime": { "seconds": HOUR + end / 1_000, "milliseconds": end % 1_000 } },
        })
    }

    /// Logs it; it is in the store when the API is asked next.
    async fn send(&self, gateway: &Gateway) -> String {
        let id = Uuid::new_v4().to_string();
        let route = if self.tool.is_empty() { "oai" } else { "custom" };
        let request =
            gateway.http.post(format!("{}/{route}/v1/log", gateway.url)).bearer_auth(KEY).json(&self.envelope());
        let request = request
            .header("Helicone-Request-Id", &id)
            .header("Helicone-Session-Id", self.session)
            .header("Helicone-Session-Path", self.path)
            .header("Helicone-Property-Agent-Version", self.version)
            .header("Helicone-Property-Agent-Name", "planner");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        id
    }
}

async fn start(backend: Backend) -> Gateway {
    Gateway::start(GatewayOptions::new(backend).keys()).await
}

/// Waits until so many calls are in the store.
async fn stored(gateway: &Gateway, calls: i64) {
    gateway
        .until(&format!("{calls} calls are stored"), async |gateway| {
            let (_, body) = gateway.post("/v1/request/count/query", &json!({})).await;
            (body["data"] == calls).then_some(())
        })
        .await;
}

async fn data(gateway: &Gateway, path: &str, body: &Value) -> Value {
    let (status, mut answer) = gateway.post(path, body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer["data"].take()
}

async fn read(gateway: &Gateway, path: &str) -> Value {
    let (status, mut answer) = gateway.get(path).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer["data"].take()
}

fn window() -> Value {
    json!({ "from_ms": HOUR * 1_000, "to_ms": (HOUR + 7_200) * 1_000 })
}

fn with(mut object: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        object.as_object_mut().unwrap().extend(more);
    }
    object
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|number| (number - expected).abs() < 1e-9)
}

async fn figures(backend: Backend) {
    let gateway = start(backend).await;
    Log { at: -60, status: 500, ..LOG }.send(&gateway).await;
    for n in 0..4 {
        Log { session: "a", at: n * 60, ms: 1_000 * (n + 1), ..LOG }.send(&gateway).await;
    }
    Log { session: "b", at: 3_700, ms: 10_000, status: 500, version: "v2", ..LOG }.send(&gateway).await;
    stored(&gateway, 6).await;

    let metrics =
        data(&gateway, "/v1/metrics/query", &with(window(), json!({ "bucket_ms": 3_600_000, "group": "model" }))).await;
    let totals = &metrics["totals"];
    assert_eq!(
        (&totals["calls"], &totals["errors"], &totals["sessions"]),
        (&json!(5), &json!(1), &json!(2)),
        "{metrics}"
    );
    assert_eq!((&totals["p50_ms"], &totals["p95_ms"]), (&json!(3000.0), &json!(10000.0)), "exact: {totals}");
    assert_eq!(metrics["exact"], true);
    assert_eq!(totals["input_tokens"], 5000);
    assert!(near(&totals["cost"], 5.0 * 0.0035), "{totals}");
    assert!(totals["error_low"].as_f64().unwrap() < 0.2 && totals["error_high"].as_f64().unwrap() > 0.5);
    assert_eq!((&metrics["previous"]["calls"], &metrics["previous"]["errors"]), (&json!(1), &json!(1)));
    let series = &metrics["series"];
    assert_eq!(series["at_ms"], json!([HOUR * 1_000, (HOUR + 3_600) * 1_000]));
    assert_eq!(
        (&series["calls"], &series["errors"], &series["sessions"]),
        (&json!([4, 1]), &json!([0, 1]), &json!([1, 1]))
    );
    assert_eq!(metrics["groups"][0]["value"], "gpt-4o");
    assert_eq!(metrics["groups"][0]["calls"], json!([4, 1]));

    for (sort, first) in [("calls", "v1"), ("cost", "v1"), ("errors", "v2"), ("p95_ms", "v2")] {
        let asked = with(window(), json!({ "group": "property:Agent-Version", "group_sort": sort }));
        let metrics = data(&gateway, "/v1/metrics/query", &asked).await;
        assert_eq!(metrics["groups"][0]["value"], first, "{sort}");
    }

    let filtered = with(window(), json!({ "filter": { "properties": { "Agent-Version": "v2" } } }));
    let metrics = data(&gateway, "/v1/metrics/query", &filtered).await;
    assert_eq!((&metrics["totals"]["calls"], &metrics["previous"]["calls"]), (&json!(1), &json!(0)));
    assert_eq!(
        metrics["series"]["at_ms"].as_array().unwrap().len(),
        metrics["series"]["calls"].as_array().unwrap().len()
    );

    for (by, value, calls) in [
        ("model", "gpt-4o", 5),
        ("status", "200", 4),
        ("kind", "llm", 5),
        ("property:agent-VERSION", "v1", 4),
        ("path", "/", 5),
        ("user", "", 5),
        ("session_name", "", 5),
    ] {
        let found = data(&gateway, "/v1/metrics/breakdown", &with(window(), json!({ "by": by, "trend": 2 }))).await;
        let row = &found["rows"][0];
        assert_eq!((&row["value"], &row["calls"]), (&json!(value), &json!(calls)), "{by}: {found}");
        assert_eq!(row["trend"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum::<i64>(), calls, "{by}");
        assert_eq!(found["exact"], by != "path", "{by}");
    }
    let by_rule = data(&gateway, "/v1/metrics/breakdown", &with(window(), json!({ "by": "error_rule" }))).await;
    assert_eq!((&by_rule["total"], &by_rule["rows"][0]["calls"]), (&json!(1), &json!(1)), "{by_rule}");
    let sorted = with(window(), json!({ "by": "property:Agent-Version", "sort": "p95", "limit": 1 }));
    let found = data(&gateway, "/v1/metrics/breakdown", &sorted).await;
    assert_eq!((&found["rows"][0]["value"], &found["total"]), (&json!("v2"), &json!(2)), "{found}");
    assert_eq!(found["rows"][0]["previous"], Value::Null);
    let searched = with(window(), json!({ "by": "model", "search": "CLAUDE" }));
    assert_eq!(data(&gateway, "/v1/metrics/breakdown", &searched).await["total"], 0);

    for (path, body, field) in [
        ("/v1/metrics/query", json!({ "from_ms": 5, "to_ms": 5 }), "to_ms"),
        ("/v1/metrics/query", json!({ "from_ms": -1, "to_ms": 5 }), "from_ms"),
        ("/v1/metrics/query", with(window(), json!({ "bucket_ms": 1 })), "bucket_ms"),
        ("/v1/metrics/query", with(window(), json!({ "group": "nothing" })), "group"),
        ("/v1/metrics/query", with(window(), json!({ "group": "model", "group_sort": "size" })), "group_sort"),
        ("/v1/metrics/breakdown", with(window(), json!({ "by": "property:" })), "by"),
        ("/v1/metrics/breakdown", with(window(), json!({ "by": "model", "limit": 0 })), "limit"),
        ("/v1/metrics/breakdown", with(window(), json!({ "by": "model", "surprise": 0 })), "surprise"),
        ("/v1/session/top", json!({ "limit": 1_000 }), "limit"),
    ] {
        let (status, answer) = gateway.post(path, &body).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().starts_with(field), "{path} {body}: {answer}");
    }
}

async fn paths(backend: Backend) {
    let gateway = start(backend).await;
    for (session, version) in [("a", "v1"), ("b", "v2")] {
        Log { session, path: "/plan", version, ..LOG }.send(&gateway).await;
        Log { session, path: "/plan/step/1", at: 2, version, ..LOG }.send(&gateway).await;
        Log { session, path: "/plan/step/2", at: 4, version, status: 500, ..LOG }.send(&gateway).await;
    }
    stored(&gateway, 6).await;
    let compare = json!({ "compare": { "property": "Agent-Version", "a": "v1", "b": "v2" } });
    let found = data(&gateway, "/v1/path/query", &with(window(), compare)).await;
    assert_eq!(
        (&found["sessions"], &found["calls"], &found["truncated"]),
        (&json!(2), &json!(6), &json!(false)),
        "{found}"
    );
    let step = &found["root"]["children"][0]["children"][0]["children"][0];
    assert_eq!(
        (&step["path"], &step["own"]["calls"], &step["own"]["errors"]),
        (&json!("/plan/step/:n"), &json!(4), &json!(2))
    );
    assert_eq!(
        (&step["sessions"], &step["exits"], &step["a"]["own"]["calls"]),
        (&json!(2), &json!(2), &json!(2)),
        "{step}"
    );
    assert_eq!(found["root"]["inclusive"]["time_ms"], 6_000.0);
    let plain = with(window(), json!({ "fold": false, "filter": { "properties": { "Agent-Version": "v1" } } }));
    let found = data(&gateway, "/v1/path/query", &plain).await;
    assert_eq!(found["calls"], 3);
    assert_eq!(found["root"]["children"][0]["children"][0]["children"].as_array().unwrap().len(), 2);
    let before = json!({ "from_ms": 0, "to_ms": 1_000 });
    assert_eq!(data(&gateway, "/v1/path/query", &before).await["sessions"], 0);
}

async fn tools(backend: Backend) {
    let gateway = start(backend).await;
    for n in 0..3 {
        Log { tool: "search", at: n, ms: 100, status: if n == 0 { 500 } else { 200 }, ..LOG }.send(&gateway).await;
    }
    Log { tool: "book", at: 9, ms: 3_000, ..LOG }.send(&gateway).await;
    LOG.send(&gateway).await;
    stored(&gateway, 5).await;
    let found = data(&gateway, "/v1/tool/query", &window()).await;
    assert_eq!(found["total"], 2, "{found}");
    let search = &found["rows"][0];
    assert_eq!((&search["tool"], &search["calls"], &search["errors"]), (&json!("search"), &json!(3), &json!(1)));
    assert_eq!(
        (&search["rules"][0]["calls"], &search["p50_ms"], &search["sessions"]),
        (&json!(1), &json!(100.0), &json!(1))
    );
    assert!(search["mean_result_bytes"].as_f64().unwrap() > 0.0, "{search}");
    let slow = data(&gateway, "/v1/tool/query", &with(window(), json!({ "sort": "p95" }))).await;
    assert_eq!(slow["rows"][0]["tool"], "book");
}

/// A call whose answer asks for a tool, and the next one, which tells the result.
fn asks_and_tells(n: i64, at: i64, result: &Value) -> [Value; 2] {
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": format!("call_{n}"), "type": "function", "function": { "name": "look_up", "arguments": "{}" } },
    ] });
    let user = json!({ "role": "user", "content": format!("Where is number {n}?") });
    let told = json!({ "role": "tool", "tool_call_id": format!("call_{n}"), "content": result.to_string() });
    let said = json!({ "role": "assistant", "content": "I have looked." });
    let envelope = |at: i64, messages: Value, answer: &Value| {
        let mut envelope = Log { at, ..LOG }.envelope();
        envelope["providerRequest"]["json"]["messages"] = messages;
        envelope["providerResponse"]["json"]["choices"][0]["message"] = answer.clone();
        envelope
    };
    [envelope(at, json!([user]), &call), envelope(at + 2, json!([user, call, told]), &said)]
}

async fn attention(backend: Backend) {
    let gateway = start(backend).await;
    let mut sent = tokio::task::JoinSet::new();
    for (n, tool) in (0..60_i64).flat_map(|n| [(n, ""), (n, "search")]) {
        // Half of them in the hour before, without errors.
        let (session, at, status) = if n % 2 == 0 { ("old", -3_000 + n, 200) } else { ("new", 100 + n, 500) };
        let envelope = Log { at, status, tool, ..LOG }.envelope();
        let route = if tool.is_empty() { "oai" } else { "custom" };
        let request = gateway.http.post(format!("{}/{route}/v1/log", gateway.url)).bearer_auth(KEY).json(&envelope);
        let request = request.header("Helicone-Session-Id", session).header("Helicone-Session-Path", "/act");
        sent.spawn(async move { assert_eq!(request.send().await.unwrap().status(), 200) });
        if !tool.is_empty() {
            continue;
        }
        // A tool that nobody logs: an answer asks for it, and the next request tells that it failed.
        let result = if n % 2 == 0 { json!({ "found": n }) } else { json!({ "error": "no such city" }) };
        for (part, envelope) in asks_and_tells(n, at, &result).into_iter().enumerate() {
            let request = gateway.http.post(format!("{}/oai/v1/log", gateway.url)).bearer_auth(KEY).json(&envelope);
            let request = request.header("Helicone-Session-Id", format!("tools-{n}"));
            sent.spawn(async move { assert_eq!(request.send().await.unwrap().status(), 200, "{part}") });
        }
    }
    sent.join_all().await;
    stored(&gateway, 240).await;
    let hour = json!({ "from_ms": HOUR * 1_000, "to_ms": (HOUR + 3_600) * 1_000 });
    let found = data(&gateway, "/v1/metrics/attention", &hour).await;
    let items = found["items"].as_array().unwrap();
    let of = |kind: &str| items.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {found}"));
    assert_eq!((&of("model")["value"], &of("model")["reason"]), (&json!("gpt-4o"), &json!("error_rate")));
    assert_eq!((&of("path")["value"], &of("path")["link"]["params"]["path"]), (&json!("/act"), &json!("/act")));
    let tool = |name: &str| items.iter().find(|item| item["kind"] == "tool" && item["value"] == name).unwrap();
    assert_eq!((&tool("search")["reason"], &tool("search")["link"]["page"]), (&json!("error_rate"), &json!("tools")));
    let asked = tool("look_up");
    assert_eq!((&asked["reason"], &asked["calls"], &asked["now"]), (&json!("error_rate"), &json!(30), &json!(1.0)));
    assert_eq!(items.iter().filter(|item| item["kind"] == "model").count(), 1, "runs of a tool are no model: {found}");
    let failed = items.iter().find(|item| item["kind"] == "session" && item["reason"] == "failed").unwrap();
    assert_eq!(failed["value"], "new");
    assert!(items.windows(2).all(|pair| pair[0]["severity"].as_f64() >= pair[1]["severity"].as_f64()));
    let quiet = json!({ "from_ms": (HOUR - 3_600) * 1_000, "to_ms": HOUR * 1_000 });
    let quiet = data(&gateway, "/v1/metrics/attention", &quiet).await;
    assert!(quiet["items"].as_array().unwrap().iter().all(|item| item["kind"] == "session"), "{quiet}");
}

async fn reading(backend: Backend) {
    let gateway = start(backend).await;
    let first = Log { session: "r/1", text: "find the HOTEL", ..LOG }.send(&gateway).await;
    let second = Log { session: "r/1", at: 5, text: "hotel or \"hostel\"", path: "/b", ..LOG }.send(&gateway).await;
    stored(&gateway, 2).await;
    let found = read(&gateway, "/v1/session/r%2F1/find?q=hotel").await;
    assert_eq!(
        found["hits"],
        json!([{ "request_id": first, "count": 1 }, { "request_id": second, "count": 1 }]),
        "{found}"
    );
    let quoted = read(&gateway, "/v1/session/r%2F1/find?q=%22hostel%22").await;
    assert_eq!((&quoted["total"], &quoted["truncated"]), (&json!(1), &json!(false)));
    assert_eq!(gateway.get("/v1/session/r%2F1/find?q=").await.0, 400);
    assert_eq!(gateway.get("/v1/session/none/find?q=x").await.0, 404);

    let url = format!("{}/v1/session/r%2F1/markdown", gateway.url);
    let answer = gateway.http.get(&url).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/markdown; charset=utf-8");
    let text = answer.text().await.unwrap();
    for part in ["# r/1", "- calls: 2 (0 failed)", "find the HOTEL", "an answer", "## 2. ` /b ` gpt-4o"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = gateway.http.get(format!("{url}?request_id={second}")).bearer_auth(KEY).send().await.unwrap();
    let one = one.text().await.unwrap();
    assert!(one.starts_with("## 2.") && !one.contains("find the HOTEL"), "{one}");
    assert_eq!(gateway.get(&format!("/v1/session/r%2F1/markdown?request_id={}", Uuid::new_v4())).await.0, 404);

    let digest = data(&gateway, "/v1/session/r%2F1/digest", &json!({ "request_ids": [second, Uuid::nil()] })).await;
    assert_eq!(digest.as_object().unwrap().len(), 1, "ids of elsewhere are left out");
    let step = &digest[&second];
    assert_eq!(
        (&step["input"][0]["role"], &step["answer"][0]["text"]),
        (&json!("user"), &json!("an answer")),
        "{step}"
    );
    assert_eq!(gateway.post("/v1/session/r%2F1/digest", &json!({ "request_ids": ["x"] })).await.0, 400);

    let detail = read(&gateway, "/v1/session/r%2F1").await;
    let call = &detail["calls"][0];
    assert_eq!((&call["agent"], &call["source"]), (&json!("planner"), &json!("manual")), "{call}");
    assert!(call["request_bytes"].as_i64().unwrap() > 0);
    let whole = read(&gateway, &format!("/v1/request/{first}?includeBody=true&max_bytes=100000")).await;
    assert!(whole["request_headers"].is_array() && whole["request_body"]["messages"].is_array(), "{whole}");
    let cut = read(&gateway, &format!("/v1/request/{first}?includeBody=true&max_bytes=10")).await;
    assert_eq!(cut["storage_location"], "s3");
}

/// A text answer with its number of rows.
async fn export(gateway: &Gateway, path: &str) -> (i64, String) {
    let answer = gateway.http.get(format!("{}{path}", gateway.url)).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let rows = answer.headers()["x-total-rows"].to_str().unwrap().parse().unwrap();
    (rows, answer.text().await.unwrap())
}

async fn exports(backend: Backend) {
    let gateway = start(backend).await;
    // More than a page of either.
    const SESSIONS: i64 = 520;
    let mut sent = tokio::task::JoinSet::new();
    for n in 0..SESSIONS {
        let session = format!("=s{n}");
        let envelope = Log { at: n, ..LOG }.envelope();
        let request = gateway.http.post(format!("{}/oai/v1/log", gateway.url)).bearer_auth(KEY).json(&envelope);
        let request = request.header("Helicone-Session-Id", session);
        sent.spawn(async move { assert_eq!(request.send().await.unwrap().status(), 200) });
        if sent.len() == 32 {
            sent.join_next().await.unwrap().unwrap();
        }
    }
    sent.join_all().await;
    stored(&gateway, SESSIONS).await;
    for (path, first) in [("/v1/export/sessions", "'=s519,"), ("/v1/export/requests", "")] {
        let (rows, text) = export(&gateway, &format!("{path}?format=csv")).await;
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!((rows, lines.len()), (SESSIONS, 521), "{path}");
        assert!(
            lines[0].starts_with(&path[11..18]) && lines[1].starts_with(first),
            "{path}: {} {}",
            lines[0],
            lines[1]
        );
        let distinct: std::collections::HashSet<&str> = lines.iter().copied().collect();
        assert_eq!(distinct.len(), 521, "{path}: no row twice");
    }
    let to = (HOUR + 10) * 1_000;
    let (rows, text) = export(&gateway, &format!("/v1/export/requests?format=jsonl&bodies=true&to_ms={to}")).await;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows, lines.len()), (10, 10));
    assert_eq!((&lines[0]["session_id"], &lines[0]["request_body"]["model"]), (&json!("=s9"), &json!("gpt-4o")));
    let filter = "%7B%22properties%22%3A%7B%22Helicone-Session-Id%22%3A%22%3Ds7%22%7D%7D";
    let (rows, text) = export(&gateway, &format!("/v1/export/sessions?format=jsonl&filter={filter}")).await;
    assert_eq!((rows, text.lines().count()), (1, 1), "{text}");
    for wrong in ["?format=xml", "?filter=x", "?surprise=1", "?bodies=true", "?search=x"] {
        assert_eq!(gateway.get(&format!("/v1/export/requests{wrong}")).await.0, 400, "{wrong}");
    }
}

/// A stream of server-sent events.
struct Events {
    answer: reqwest::Response,
    text: String,
}

impl Events {
    async fn open(gateway: &Gateway, path: &str) -> Self {
        let answer = gateway.http.get(format!("{}{path}", gateway.url)).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, text: String::new() }
    }

    /// Name and data of the next event.
    async fn any(&mut self) -> (String, Value) {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let line = |field: &str| event.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
                let (name, data) = (line("event: ").to_owned(), line("data: ").to_owned());
                self.text = rest.to_owned();
                // What has no name only keeps the connection alive.
                if !name.is_empty() {
                    return (name, serde_json::from_str(&data).unwrap());
                }
            }
            let piece = self.answer.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The data of the next event of that name that fits.
    async fn next(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let (found, data) = self.any().await;
                if found == name && fits(&data) {
                    return data;
                }
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("no {name} came"))
    }

    /// The row of a call that ended and the news that none is running, whichever comes first.
    async fn stored_and_idle(&mut self) -> Value {
        let wait = async {
            let (mut stored, mut idle) = (None, false);
            loop {
                let (name, data) = self.any().await;
                match name.as_str() {
                    "running" => idle = data["calls"] == json!([]),
                    "calls" => stored = Some(data),
                    _ => {}
                }
                if let (Some(stored), true) = (&stored, idle) {
                    return stored.clone();
                }
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the call is stored and over")
    }
}

#[expect(clippy::disallowed_methods, reason = "the test awaits what it spawns")]
async fn live(backend: Backend) {
    let slow = Upstream::start(|_| Reply::status(200).send("{").wait(Duration::from_secs(2)).send("}")).await;
    let mut gateway = Gateway::start(GatewayOptions::new(backend).keys().provider("slow", slow.url())).await;
    let mut all = Events::open(&gateway, "/v1/live").await;
    let mut other = Events::open(&gateway, "/v1/live?session=elsewhere").await;
    assert_eq!(all.next("running", |_| true).await["calls"], json!([]));

    let call = gateway.http.post(format!("{}/v1/gateway/slow/v1/chat/completions", gateway.url));
    let call = call.header("Helicone-Auth", format!("Bearer {KEY}")).header("Helicone-Session-Id", "now");
    let call = tokio::spawn(call.header("Helicone-Session-Path", "/think").body(r#"{"model":"slow-1"}"#).send());
    let running = all.next("running", |data| data["calls"][0]["session_id"] == "now").await;
    let shown = &running["calls"][0];
    assert_eq!(
        (&shown["path"], &shown["model"], &shown["provider"]),
        (&json!("/think"), &json!("slow-1"), &json!("slow"))
    );
    assert_eq!(read(&gateway, "/v1/live/running?session=now").await.as_array().unwrap().len(), 1);
    assert_eq!(read(&gateway, "/v1/live/running?session=other").await, json!([]));
    assert_eq!(read(&gateway, "/v1/system").await["running"], 1);

    let stored = all.stored_and_idle().await;
    assert_eq!(stored["calls"][0]["request_id"], shown["request_id"], "the row has the id that was told");
    assert_eq!((&stored["calls"][0]["session_id"], &stored["calls"][0]["path"]), (&json!("now"), &json!("/think")));
    call.await.unwrap().unwrap();

    Log { session: "elsewhere", ..LOG }.send(&gateway).await;
    let mine = other.next("calls", |_| true).await;
    assert_eq!(mine["calls"][0]["session_id"], "elsewhere", "only its own session: {mine}");

    let told = tokio::spawn(async move {
        let reason = all.next("end", |_| true).await["reason"].clone();
        let end = tokio::time::timeout(DEADLINE, all.answer.chunk()).await.expect("the stream ends");
        (reason, matches!(end, Ok(None)))
    });
    assert!(gateway.terminate().await.success());
    assert_eq!(told.await.unwrap(), (json!("shutdown"), true));
}

async fn send(gateway: &Gateway, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
    let request = gateway.http.request(method, format!("{}{path}", gateway.url)).bearer_auth(KEY).json(body);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

async fn settings(backend: Backend) {
    use reqwest::Method;
    let gateway = start(backend).await;
    assert_eq!(read(&gateway, "/v1/org").await["name"], "default");
    assert_eq!(send(&gateway, Method::PUT, "/v1/org", &json!({ "name": "  Acme " })).await.0, 200);
    assert_eq!(read(&gateway, "/v1/me").await["organization"]["name"], "Acme");
    assert_eq!(send(&gateway, Method::PUT, "/v1/org", &json!({ "name": " " })).await.0, 400);

    assert_eq!(read(&gateway, "/v1/retention").await, json!({ "calls_days": null, "bodies_days": null }));
    for (body, status) in [
        (json!({ "calls_days": 0, "bodies_days": null }), 400),
        (json!({ "calls_days": 7, "bodies_days": 30 }), 400),
        (json!({ "calls_days": 90, "bodies_days": 30 }), 200),
    ] {
        assert_eq!(send(&gateway, Method::PUT, "/v1/retention", &body).await.0, status, "{body}");
    }
    assert_eq!(read(&gateway, "/v1/retention").await, json!({ "calls_days": 90, "bodies_days": 30 }));

    let saved = |name: &str, query: &str| json!({ "page": "sessions", "name": name, "query": query });
    let first = data(&gateway, "/v1/saved-filter", &saved("dear", "cost>1")).await;
    let again = data(&gateway, "/v1/saved-filter", &saved("dear", "cost>2")).await;
    assert_eq!((&first["id"], &again["query"]), (&again["id"], &json!("cost>2")), "replaced");
    data(&gateway, "/v1/saved-filter", &saved("all", "")).await;
    let listed = read(&gateway, "/v1/saved-filter?page=sessions").await;
    assert_eq!(
        listed.as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["all", "dear"]
    );
    assert_eq!(read(&gateway, "/v1/saved-filter?page=requests").await, json!([]));
    assert_eq!(gateway.post("/v1/saved-filter", &saved(" ", "")).await.0, 400);
    let path = format!("/v1/saved-filter/{}", first["id"].as_str().unwrap());
    assert_eq!(send(&gateway, Method::DELETE, &path, &json!({})).await.0, 200);
    assert_eq!(send(&gateway, Method::DELETE, &path, &json!({})).await.0, 404);

    LOG.send(&gateway).await;
    stored(&gateway, 1).await;
    let system = read(&gateway, "/v1/system").await;
    let kind = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
    assert_eq!((&system["database"]["kind"], &system["database"]["ok"]), (&json!(kind), &json!(true)), "{system}");
    assert!(system["database"]["bytes"].as_i64().unwrap() > 0 && system["journal"]["max_bytes"].as_i64().unwrap() > 0);
    assert_eq!((&system["counts"]["calls"], &system["counts"]["sessions"]), (&json!(1), &json!(1)));
    assert_eq!((&system["counts"]["first_ms"], &system["auth"]), (&json!(HOUR * 1_000), &json!("keys")));
}

async fn lists(backend: Backend) {
    let gateway = start(backend).await;
    for (session, calls) in [("small", 1), ("large", 3)] {
        for n in 0..calls {
            Log { session, at: n * 10, status: if n == 2 { 500 } else { 200 }, ..LOG }.send(&gateway).await;
        }
    }
    stored(&gateway, 4).await;
    let body = json!({ "session_ids": ["small", "large", "none"], "buckets": 4 });
    let sparks = data(&gateway, "/v1/session/sparks", &body).await;
    assert_eq!(sparks["small"], json!({ "calls": [1, 0, 0, 0], "errors": [0, 0, 0, 0], "running": 0 }), "{sparks}");
    assert_eq!((&sparks["large"]["calls"], &sparks["large"]["errors"]), (&json!([1, 1, 0, 1]), &json!([0, 0, 0, 1])));
    assert!(sparks.get("none").is_none());
    let ids = |top: &Value| {
        top.as_array().unwrap().iter().map(|row| row["session_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for sort in ["total_cost", "errors", "wall_ms", "total_requests", "total_tokens"] {
        assert_eq!(
            ids(&data(&gateway, "/v1/session/top", &json!({ "sort": sort })).await),
            ["large", "small"],
            "{sort}"
        );
        let up = json!({ "sort": sort, "descending": false, "offset": 1, "limit": 1 });
        assert_eq!(ids(&data(&gateway, "/v1/session/top", &up).await), ["large"], "{sort}");
    }
    let failed = json!({ "filter": { "sessions_request_response_rmt": { "session_errors": { "gte": 1 } } } });
    assert_eq!(ids(&data(&gateway, "/v1/session/top", &failed).await), ["large"]);
}
