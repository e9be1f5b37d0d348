//! The API as a client sees it, on both databases: shapes, defaults, errors that name the field, cursors, trees, marks,
//! rights.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};

on_both!(sessions_are_listed, bad_input_is_named, pages_follow_each_other, trees, requests, marks, rights, log_forms);

/// 2023-11-14T22:13:20Z, the start of every session here.
const START: i64 = 1_700_000_000;

/// A call for the manual logger. Milliseconds count from [`START`].
struct Call<'a> {
    session: &'a str,
    name: &'a str,
    path: Option<&'a str>,
    from_ms: i64,
    to_ms: i64,
    status: i64,
    version: &'a str,
}

const CALL: Call<'_> =
    Call { session: "s", name: "", path: None, from_ms: 0, to_ms: 1000, status: 200, version: "v1.0" };

impl Call<'_> {
    /// 1000 tokens in and 100 out of gpt-4o: 0.0035 dollars.
    async fn log(&self, gateway: &Gateway) -> String {
        let envelope = json!({
            "providerRequest": { "url": "https://api.openai.com/v1/chat/completions",
                "json": { "model": "gpt-4o", "messages": [] }, "meta": {} },
            "providerResponse": { "status": self.status, "headers": {}, "json": { "model": "gpt-4o", "choices": [],
                "usage": { "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 } } },
            "timing": { "startTime": { "seconds": START, "milliseconds": self.from_ms },
                "endTime": { "seconds": START, "milliseconds": self.to_ms } },
        });
        let id = Uuid::new_v4().to_string();
        let mut request = gateway.http.post(format!("{}/oai/v1/log", gateway.url)).bearer_auth(KEY).json(&envelope);
        for (name, value) in
            [("Session-Id", self.session), ("Property-Agent-Version", self.version), ("Request-Id", &id)]
        {
            request = request.header(format!("Helicone-{name}"), value);
        }
        if !self.name.is_empty() {
            request = request.header("Helicone-Session-Name", self.name);
        }
        if let Some(path) = self.path {
            request = request.header("Helicone-Session-Path", path);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["helicone-id"], id.as_str());
        assert_eq!(answer.text().await.unwrap(), "ok");
        gateway.call(&id).await;
        id
    }
}

async fn start(backend: Backend) -> Gateway {
    Gateway::start(GatewayOptions::new(backend).keys()).await
}

async fn send(gateway: &Gateway, method: Method, path: &str, key: Option<&str>, body: &str) -> (u16, Value) {
    let mut request = gateway.http.request(method, format!("{}{path}", gateway.url)).body(body.to_owned());
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|number| (number - expected).abs() < 1e-9)
}

fn column<'a>(answer: &'a Value, field: &str) -> Vec<&'a str> {
    answer["data"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

async fn sessions_are_listed(backend: Backend) {
    let gateway = start(backend).await;
    Call { session: "a", name: "Agent", path: Some("/x"), ..CALL }.log(&gateway).await;
    Call { session: "a", from_ms: 500, to_ms: 2500, status: 500, version: "v2", ..CALL }.log(&gateway).await;
    Call { session: "b", from_ms: 60_000, to_ms: 61_000, version: "v2", ..CALL }.log(&gateway).await;

    let (status, answer) =
        gateway.post("/v1/session/query", &json!({"filter": {"properties": {"Agent-Version": "v1.0"}}})).await;
    assert_eq!((status, &answer["error"]), (200, &Value::Null), "{answer}");
    let [row] = answer["data"].as_array().unwrap().as_slice() else { panic!("one session: {answer}") };
    for (field, value) in [
        ("session_id", json!("a")),
        ("session_name", json!("Agent")),
        ("created_at", json!("2023-11-14 22:13:20.000")),
        ("latest_request_created_at", json!("2023-11-14 22:13:20.500")),
        ("latest_ended_at", json!("2023-11-14 22:13:22.500")),
        ("total_requests", json!(2)),
        ("prompt_tokens", json!(2000)),
        ("completion_tokens", json!(200)),
        ("total_tokens", json!(2200)),
        ("avg_latency", json!(1500.0)),
        ("errors", json!(1)),
        ("outcome", json!("error")),
        ("wall_ms", json!(2500.0)),
        ("busy_ms", json!(2500.0)),
        ("matching_requests", json!(1)),
        ("matching_errors", json!(0)),
        ("tag", Value::Null),
    ] {
        assert_eq!(row[field], value, "{field} of {row}");
    }
    assert!(near(&row["total_cost"], 0.007) && near(&row["matching_cost"], 0.0035), "{row}");

    let strict = |tz: i64| {
        json!({ "search": "", "timezoneDifference": tz, "filter": "all", "offset": 0, "limit": "10",
            "timeFilter": { "startTimeUnixMs": 0, "endTimeUnixMs": 4_102_444_800_000_i64 } })
    };
    let (_, shifted) = gateway.post("/v1/session/query", &strict(90)).await;
    assert_eq!(column(&shifted, "session_id"), ["b", "a"], "newest first");
    assert_eq!(shifted["data"][1]["created_at"], "2023-11-14 23:43:20.000");
    assert_eq!(shifted["data"][1]["matching_requests"], Value::Null);

    let (_, count) = gateway.post("/v1/session/count", &strict(0)).await;
    assert_eq!((&count["data"]["count"], &count["data"]["avg_requests"]), (&json!(2), &json!(1.5)), "{count}");
    assert!(near(&count["data"]["avg_latency"], 2000.0) && near(&count["data"]["total_cost"], 0.0105), "{count}");

    let (_, names) = gateway.post("/v1/session/name/query", &json!({"nameContains": "AGE"})).await;
    assert_eq!(column(&names, "name"), ["Agent"]);
    assert_eq!(names["data"][0]["session_count"], 1);

    let (_, metrics) = gateway.post("/v1/session/metrics/query", &json!({"pSize": "p99.9"})).await;
    assert_eq!(metrics["data"]["average"]["session_count"], json!([{"average": 1.5}]), "{metrics}");
    assert!(metrics["data"]["session_duration"].as_array().is_some_and(|bins| !bins.is_empty()), "{metrics}");

    let (_, keys) = gateway.post("/v1/property/query", &json!({})).await;
    assert_eq!(column(&keys, "property").len(), 1, "{keys}");
    let (_, values) = gateway.post("/v1/property/AGENT-version/search", &json!({"searchTerm": "1."})).await;
    assert_eq!(values["data"], json!(["v1.0"]));
}

async fn bad_input_is_named(backend: Backend) {
    let gateway = start(backend).await;
    let id = Uuid::new_v4();
    for (path, body, names) in [
        ("/v1/session/query", r#"{"serch":""}"#, "serch: unknown field `serch`, expected one of"),
        ("/v1/session/query", "{", "the body is not JSON"),
        ("/v1/session/query", "[]", "the body must be a JSON object"),
        ("/v1/session/query", r#"{"timeFilter":{"startTimeUnixMs":1}}"#, "timeFilter.endTimeUnixMs: missing"),
        ("/v1/session/query", r#"{"timezoneDifference":1441}"#, "timezoneDifference: "),
        ("/v1/session/query", r#"{"cursor":"nonsense"}"#, "cursor: "),
        (
            "/v1/session/query",
            r#"{"filter":{"request_response_rmt":{"colour":{"equals":"x"}}}}"#,
            "filter.request_response_rmt.colour",
        ),
        ("/v1/request/query-clickhouse", r#"{"limit":1001}"#, "limit: "),
        ("/v1/request/query-clickhouse", r#"{"sort":{"colour":"asc"}}"#, "sort.colour: "),
        ("/v1/request/query-ids", r#"{"requestIds":["x"]}"#, "requestIds[0]: "),
        (
            "/custom/v1/log",
            r#"{"providerRequest":{"url":1,"json":{},"meta":{}},"providerResponse":{"json":{},"status":200,"headers":{}}}"#,
            "providerRequest.url",
        ),
        ("/custom/v1/log", "not json", ""),
    ] {
        let (status, answer) = send(&gateway, Method::POST, path, Some(KEY), body).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && !error.is_empty() && error.starts_with(names), "{path} {body}: {status} {answer}");
    }
    for (method, path, body) in [
        (Method::GET, "/v1/session/nobody".to_owned(), ""),
        (Method::GET, "/v1/session/nobody/tag".to_owned(), ""),
        (Method::POST, "/v1/session/nobody/tag".to_owned(), r#"{"tag":"x"}"#),
        (Method::POST, "/v1/session/nobody/feedback".to_owned(), r#"{"rating":true}"#),
        (Method::GET, format!("/v1/request/{id}"), ""),
        (Method::GET, "/v1/request/no-uuid".to_owned(), ""),
        (Method::GET, format!("/v1/request/{id}/body/request"), ""),
        (Method::PUT, format!("/v1/request/{id}/property"), r#"{"key":"a","value":"b"}"#),
        (Method::POST, format!("/v1/request/{id}/score"), r#"{"scores":{"a":1}}"#),
        (Method::POST, format!("/v1/request/{id}/feedback"), r#"{"rating":true}"#),
        (Method::DELETE, format!("/v1/api-keys/{id}"), ""),
    ] {
        let (status, answer) = send(&gateway, method.clone(), &path, Some(KEY), body).await;
        assert!(
            status == 404 && answer["error"].is_string() && answer["data"].is_null(),
            "{method} {path}: {status} {answer}"
        );
    }
    let (status, answer) = send(&gateway, Method::DELETE, "/v1/session/query", Some(KEY), "").await;
    assert_eq!((status, answer["error"].is_string()), (405, true), "{answer}");
    let (status, _) = send(&gateway, Method::POST, "/v1/session/query", Some(KEY), &" ".repeat(2_000_000)).await;
    assert_eq!(status, 413);
}

async fn pages_follow_each_other(backend: Backend) {
    let gateway = start(backend).await;
    for n in 0..5 {
        // Two sessions start in the same instant.
        let from_ms = i64::from(n / 2) * 1000;
        Call { session: &format!("s{n}"), from_ms, to_ms: from_ms + 10, ..CALL }.log(&gateway).await;
    }
    for (path, field) in [("/v1/session/query", "session_id"), ("/v1/request/query-clickhouse", "request_id")] {
        let (_, all) = gateway.post(path, &json!({"limit": 100})).await;
        let all = column(&all, field).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all.len(), 5);
        let mut paged = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let (_, page) = gateway.post(path, &json!({"limit": 2, "cursor": cursor})).await;
            paged.extend(column(&page, field).into_iter().map(str::to_owned));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() || paged.len() > 10 {
                break;
            }
        }
        assert_eq!(paged, all, "{path}");
    }
    let (_, second) = gateway.post("/v1/session/query", &json!({"limit": 2, "offset": 2})).await;
    assert_eq!(column(&second, "session_id").len(), 2);
}

/// `segment(own calls)[children]` of the tree below the root.
fn draw(node: &Value) -> String {
    let children: Vec<String> = node["children"].as_array().unwrap().iter().map(draw).collect();
    format!("{}({})[{}]", node["segment"].as_str().unwrap(), node["own"]["requests"], children.join(" "))
}

async fn trees(backend: Backend) {
    let gateway = start(backend).await;
    for (session, paths, tree) in [
        ("t0", vec![None, Some("/")], "(2)[]"),
        ("t1", vec![Some("a/b"), Some("/a")], "(0)[a(1)[b(1)[]]]"),
        ("t2", vec![Some("/a//b"), Some("/a/b")], "(0)[a(0)[b(2)[]]]"),
        ("t3", vec![Some("/a/"), Some("/a")], "(0)[a(2)[]]"),
        ("with/slash ü", vec![Some("/x/y"), Some("/x"), Some("/x")], "(0)[x(2)[y(1)[]]]"),
    ] {
        for (n, path) in paths.iter().enumerate() {
            let from_ms = i64::try_from(n).unwrap() * 100;
            Call { session, path: *path, from_ms, to_ms: from_ms + 150, ..CALL }.log(&gateway).await;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(session.as_bytes()).collect();
        let (status, answer) = gateway.get(&format!("/v1/session/{}", encoded.replace('+', "%20"))).await;
        assert_eq!((status, draw(&answer["data"]["tree"]).as_str()), (200, tree), "{session}: {answer}");
        let calls = answer["data"]["calls"].as_array().unwrap();
        let sent: Vec<Value> = paths.iter().map(|path| json!(path)).collect();
        assert_eq!(calls.iter().map(|call| call["path"].clone()).collect::<Vec<_>>(), sent, "paths stay as sent");
        assert_eq!(calls[1]["offset_ms"], 100.0);
        assert_eq!(answer["data"]["total_requests"], paths.len());
    }
    let (_, answer) = gateway.get("/v1/session/t1?limit=1").await;
    assert_eq!((&answer["data"]["truncated"], &answer["data"]["total_requests"]), (&json!(true), &json!(2)));
    let (_, answer) = gateway.get("/v1/session/t1").await;
    let a = &answer["data"]["tree"]["children"][0];
    assert_eq!((&a["path"], &a["span_ms"], &a["own"]["busy_ms"]), (&json!("/a"), &json!(250.0), &json!(150.0)), "{a}");
    assert_eq!((&a["inclusive"]["busy_ms"], &a["inclusive"]["total_tokens"]), (&json!(250.0), &json!(2200)), "{a}");
}

async fn requests(backend: Backend) {
    let gateway = start(backend).await;
    let first = Call { session: "r", path: Some("/p"), ..CALL }.log(&gateway).await;
    let second = Call { session: "r", from_ms: 5000, to_ms: 5250, status: 429, ..CALL }.log(&gateway).await;
    let of_session = json!({ "sort": {"created_at": "asc"}, "limit": 500, "offset": 0,
        "filter": {"request_response_rmt": {"properties": {"Helicone-Session-Id": {"equals": "r"}}}} });
    for path in ["/v1/request/query-clickhouse", "/v1/request/query"] {
        let (status, answer) = gateway.post(path, &of_session).await;
        assert_eq!((status, column(&answer, "request_id")), (201, vec![first.as_str(), second.as_str()]), "{answer}");
        let row = &answer["data"][0];
        for (field, value) in [
            ("request_created_at", json!("2023-11-14T22:13:20.000000Z")),
            ("response_status", json!(200)),
            ("delay_ms", json!(1000)),
            ("prompt_tokens", json!(1000)),
            ("total_tokens", json!(1100)),
            ("model", json!("gpt-4o")),
            ("storage_location", json!("clickhouse")),
            ("cache_reference_id", json!("00000000-0000-0000-0000-000000000000")),
        ] {
            assert_eq!(row[field], value, "{field} of {row}");
        }
        assert_eq!(row["request_body"], json!({"model": "gpt-4o", "messages": []}));
        assert_eq!(row["properties"]["Helicone-Session-Path"], "/p");
        assert!(near(&row["costUSD"], 0.0035), "{row}");
    }
    let (status, count) = gateway.post("/v1/request/count/query", &of_session).await;
    assert_eq!((status, &count["data"]), (200, &json!(2)));
    let (status, found) = gateway.post("/v1/request/query-ids", &json!({"requestIds": [first, Uuid::new_v4()]})).await;
    assert_eq!((status, column(&found, "request_id")), (200, vec![first.as_str()]));
    let (_, light) = gateway.get(&format!("/v1/request/{first}?includeBody=false")).await;
    assert_eq!(light["data"]["body_url"], format!("/v1/request/{first}?includeBody=true"));
    assert!(light["data"]["request_body"]["helicone_message"].is_string(), "{light}");
    let raw = gateway.http.get(format!("{}/v1/request/{first}/body/request", gateway.url)).bearer_auth(KEY);
    let raw = raw.send().await.unwrap();
    assert_eq!(raw.headers()["x-content-type-options"], "nosniff");
    assert_eq!(raw.text().await.unwrap(), r#"{"model":"gpt-4o","messages":[]}"#);
}

async fn marks(backend: Backend) {
    let gateway = start(backend).await;
    let id = Call { session: "m", ..CALL }.log(&gateway).await;
    for (method, path, body, expected) in [
        (Method::POST, format!("/v1/request/{id}/feedback"), r#"{"rating":true}"#, 201),
        (Method::PUT, format!("/v1/request/{id}/property"), r#"{"key":"Stage","value":"late"}"#, 201),
        (Method::POST, format!("/v1/request/{id}/score"), r#"{"scores":{"quality":7,"fit":false}}"#, 201),
        (Method::POST, "/v1/session/m/tag".to_owned(), r#"{"tag":"first"}"#, 200),
        (Method::POST, "/v1/session/m/tag".to_owned(), r#"{"tag":"second"}"#, 200),
        (Method::POST, "/v1/session/m/feedback".to_owned(), r#"{"rating":false}"#, 200),
    ] {
        let (status, answer) = send(&gateway, method, &path, Some(KEY), body).await;
        assert_eq!((status, &answer["error"]), (expected, &Value::Null), "{path}: {answer}");
    }
    let row = gateway.call(&id).await;
    assert_eq!(row["scores"], json!({"fit-hcone-bool": 0.0, "helicone-score-feedback": 1.0, "quality": 7.0}));
    assert_eq!((&row["properties"]["Stage"], &row["feedback_rating"]), (&json!("late"), &json!(true)));
    assert_eq!(row["properties"]["Helicone-Session-Feedback"], "0");
    let (_, tag) = gateway.get("/v1/session/m/tag").await;
    assert_eq!(tag["data"], "second");
    let (status, none) = gateway.get("/v1/session/nobody/tag").await;
    assert!(status == 404 && none["error"].is_string(), "{none}");
    let (_, found) = gateway.post("/v1/session/query", &json!({"filter": {"properties": {"stage": "late"}}})).await;
    assert_eq!((column(&found, "session_id"), &found["data"][0]["tag"]), (vec!["m"], &json!("second")));

    let body = json!({"helicone-id": id, "rating": false});
    let (status, answer) = gateway.post("/v1/feedback", &body).await;
    assert_eq!((status, answer), (200, json!({"message": "Feedback added successfully.", "helicone_id": id})));
    assert_eq!(gateway.call(&id).await["feedback_rating"], false);
    let (status, answer) = gateway.post(&format!("/v1/request/{id}/score"), &json!({"scores": {"x": 0.5}})).await;
    assert!(status == 400 && answer["error"].as_str().unwrap().starts_with("scores.x: "), "{answer}");
}

async fn rights(backend: Backend) {
    let gateway = start(backend).await;
    let (_, document) = send(&gateway, Method::GET, "/openapi.json", None, "").await;
    let mut closed = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let (status, answer) =
                send(&gateway, method.clone(), &path.replace("{which}", "request"), None, "{}").await;
            if operation["security"] == json!([{}]) {
                let expected = if path == "/v1/login" { 400 } else { 200 };
                assert!(status == expected || status == 204, "{method} {path} is open: {status}");
            } else {
                assert!(status == 401 && answer["error"].is_string(), "{method} {path}: {status} {answer}");
                closed += 1;
            }
        }
    }
    assert!(closed >= 29, "{closed} routes need a key");

    let id = Call { session: "k", ..CALL }.log(&gateway).await;
    let mut made = Vec::new();
    for permissions in ["r", "w", "rw"] {
        let body = json!({"api_key_name": permissions, "key_permissions": permissions});
        let (status, key) = gateway.post("/v1/api-keys", &body).await;
        assert_eq!(status, 200, "{key}");
        made.push((key["apiKey"].as_str().unwrap().to_owned(), key["id"].as_str().unwrap().to_owned()));
    }
    let log = r#"{"providerRequest":{"url":"x","json":{},"meta":{}},"providerResponse":{"json":{},"status":200,"headers":{}}}"#;
    let rate = format!("/v1/request/{id}/feedback");
    for (n, (path, body, expected)) in [
        ("/v1/session/query", "{}", [200, 403, 200]),
        ("/custom/v1/log", log, [403, 200, 200]),
        (rate.as_str(), r#"{"rating":true}"#, [403, 201, 201]),
        ("/v1/api-keys", r#"{"api_key_name":"x"}"#, [403, 403, 403]),
    ]
    .into_iter()
    .enumerate()
    {
        for ((key, _), expected) in made.iter().zip(expected) {
            let (status, answer) = send(&gateway, Method::POST, path, Some(key), body).await;
            assert_eq!(status, expected, "{n} {path}: {answer}");
        }
    }
    let (_, listed) = gateway.get("/v1/api-keys").await;
    assert!(column(&listed, "key_permissions").contains(&"rw"), "{listed}");
    assert!(!listed.to_string().contains(&made[0].0), "a list never shows a secret");
    let (status, _) = send(&gateway, Method::DELETE, &format!("/v1/api-keys/{}", made[0].1), Some(KEY), "").await;
    assert_eq!(status, 200);
    let (status, _) = send(&gateway, Method::POST, "/v1/session/query", Some(&made[0].0), "{}").await;
    assert_eq!(status, 401, "revoked");
}

async fn log_forms(backend: Backend) {
    let gateway = start(backend).await;
    let tool = |session: &str| {
        json!({ "providerRequest": { "url": "custom-model-nopath", "json": { "_type": "tool", "toolName": "find" },
                "meta": { "Helicone-Session-Id": session } },
            "providerResponse": { "headers": {}, "status": 200, "json": { "hits": 2 }, "textBody": null } })
    };
    for (n, (path, text)) in [
        ("/custom/v1/log", "ok"),
        ("//custom/v1/log", "ok"),
        ("/any/base/custom/v1/log", "ok"),
        ("/v1/trace/custom/log/custom/v1/log", "ok"),
        ("/v1/log", "ok"),
        ("/v1/trace/custom/v1/log", ""),
        ("/v1/trace/custom/log", ""),
        ("/v1/trace/custom/log/typed", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let session = format!("form-{n}");
        let request = gateway.http.post(format!("{}{path}", gateway.url)).bearer_auth(KEY).json(&tool(&session));
        let answer = request.send().await.unwrap();
        let id = answer.headers()["helicone-id"].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, text), "{path}");
        let row = gateway.call(&id).await;
        assert_eq!(
            (&row["model"], &row["kind"], &row["session_id"]),
            (&json!("tool:find"), &json!("tool"), &json!(session))
        );
    }
    let (status, answer) = send(&gateway, Method::POST, "/v1/trace/custom/log/typed", Some(KEY), "{}").await;
    assert_eq!((status, &answer["isValid"]), (400, &json!(false)), "{answer}");
    assert!(answer["errors"][0]["message"].is_string(), "{answer}");
}
