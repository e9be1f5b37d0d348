//! Queries by body and by user, as a client sees them, on both databases.

use std::io::{Read as _, Write as _};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};

on_both!(bodies_are_searched, users_are_summed, pages_of_any_origin_may_judge, who_sends_too_much_hears_it);

async fn start(backend: Backend) -> Gateway {
    Gateway::start(GatewayOptions::new(backend).keys()).await
}

/// Logs a call of gpt-4o: 1000 tokens in, 100 out.
async fn log(gateway: &Gateway, session: &str, user: &str, question: &str, answer: &str) -> String {
    let envelope = json!({
        "providerRequest": { "url": "https://api.openai.com/v1/chat/completions", "meta": {},
            "json": { "model": "gpt-4o", "messages": [{ "role": "user", "content": question }] } },
        "providerResponse": { "status": 200, "headers": {}, "json": { "model": "gpt-4o",
            "choices": [{ "message": { "role": "assistant", "content": answer } }],
            "usage": { "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 } } },
        "timing": { "startTime": { "seconds": 1_700_000_000, "milliseconds": 0 },
            "endTime": { "seconds": 1_700_000_001, "milliseconds": 0 } },
    });
    let id = Uuid::new_v4().to_string();
    let request = gateway
        .http
        .post(format!("{}/oai/v1/log", gateway.url))
        .bearer_auth(KEY)
        .header("Helicone-Session-Id", session)
        .header("Helicone-User-Id", user)
        .header("Helicone-Request-Id", &id)
        .json(&envelope);
    assert_eq!(request.send().await.unwrap().status(), 200);
    gateway.call(&id).await;
    id
}

fn column<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

async fn bodies_are_searched(backend: Backend) {
    let gateway = start(backend).await;
    let one = log(&gateway, "a", "ann", "Where is the Nile?", "In Africa.").await;
    log(&gateway, "a", "ann", "Thanks", "You are welcome").await;
    let two = log(&gateway, "b", "bob", "Where is the Rhine?", "In Europe.").await;

    let asks = |column: &str, operator: &str, term: &str| json!({"filter": {"request_response_rmt": {column: {operator: term}}}, "sort": {"created_at": "asc"}});
    for (column_name, operator, term, ids) in [
        ("request_body", "contains", "NILE", vec![&one]),
        ("response_body", "ilike", "%in europe%", vec![&two]),
        ("response_body", "like", "%in europe%", vec![]),
    ] {
        let body = asks(column_name, operator, term);
        let (status, answer) = gateway.post("/v1/request/query-clickhouse", &body).await;
        assert_eq!((status, column(&answer["data"], "request_id")), (201, ids.iter().map(|id| id.as_str()).collect()));
        let (_, count) = gateway.post("/v1/request/count/query", &json!({"filter": body["filter"]})).await;
        assert_eq!(count["data"], json!(ids.len()), "{count}");
    }
    let either = json!({"filter": {
        "left": {"request_response_rmt": {"request_body": {"contains": "nile"}}},
        "operator": "or",
        "right": {"sessions_request_response_rmt": {"session_session_id": {"equals": "b"}}},
    }});
    let (status, sessions) = gateway.post("/v1/session/query", &either).await;
    assert_eq!(status, 200, "{sessions}");
    let rows = sessions["data"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|row| row["session_id"] == id).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&of("a")["total_requests"], &of("a")["matching_requests"]), (&json!(2), &json!(1)));
    assert_eq!(of("b")["matching_requests"], 1);
    let (_, count) = gateway.post("/v1/session/count", &either).await;
    assert_eq!((&count["data"]["count"], &count["data"]["avg_requests"]), (&json!(2), &json!(1.5)), "{count}");

    let (status, refused) = gateway
        .post("/v1/user/metrics/query", &json!({"filter": {"request_response_rmt": {"request_body": {"like": "x"}}}}))
        .await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["error"].as_str().unwrap().starts_with("filter.request_response_rmt.request_body: "));
}

async fn users_are_summed(backend: Backend) {
    let gateway = start(backend).await;
    let (_, nobody) = gateway.post("/v1/user/metrics/query", &json!({})).await;
    assert_eq!(nobody["data"], json!({"users": [], "count": 0, "hasUsers": false}));
    for (session, user) in [("a", "ann"), ("a", "ann"), ("b", "bob")] {
        log(&gateway, session, user, "q", "a").await;
    }
    let (status, page) =
        gateway.post("/v1/user/metrics/query", &json!({"sort": {"total_requests": "desc"}, "limit": 1})).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!((&page["data"]["count"], &page["data"]["hasUsers"]), (&json!(2), &json!(true)));
    let mut ann = page["data"]["users"][0].clone();
    assert!((ann["cost"].as_f64().unwrap() - 0.007).abs() < 1e-9, "{ann}");
    ann.as_object_mut().unwrap().remove("cost");
    assert_eq!(
        ann,
        json!({
            "id": "ann", "user_id": "ann", "active_for": 1, "total_requests": 2,
            "first_active": "2023-11-14T22:13:20.000000Z", "last_active": "2023-11-14T22:13:20.000000Z",
            "average_requests_per_day_active": 2.0, "average_tokens_per_request": 1100.0,
            "total_prompt_tokens": 2000, "total_completion_tokens": 200,
        })
    );
    for (filter, users) in [
        (json!({"users_view": {"user_user_id": {"equals": "bob"}}}), vec!["bob"]),
        (json!({"users_view": {"user_total_requests": {"gte": 2}}}), vec!["ann"]),
        (json!({"users_view": {"user_cost": {"lt": 0.005}}}), vec!["bob"]),
        (json!({"request_response_rmt": {"session_id": {"equals": "a"}}}), vec!["ann"]),
        (
            json!({"left": {"users_view": {"user_total_prompt_tokens": {"gt": 1000}}}, "operator": "or",
                "right": {"request_response_rmt": {"session_id": {"equals": "b"}}}}),
            vec!["ann", "bob"],
        ),
    ] {
        let body = json!({"filter": filter, "sort": {"user_id": "asc"}});
        let (_, answer) = gateway.post("/v1/user/metrics/query", &body).await;
        assert_eq!(column(&answer["data"]["users"], "user_id"), users, "{answer}");
    }
    let late = json!({"timeFilter": {"startTimeUnixSeconds": 1_700_000_001, "endTimeUnixSeconds": 1_800_000_000}});
    let (_, none) = gateway.post("/v1/user/metrics/query", &late).await;
    assert_eq!(none["data"], json!({"users": [], "count": 0, "hasUsers": true}));

    let (_, overview) =
        gateway.post("/v1/user/metrics-overview/query", &json!({"filter": "all", "pSize": "p99.9"})).await;
    let bins = |name: &str| overview["data"][name].as_array().unwrap().iter().filter_map(|b| b["value"].as_u64()).sum();
    let (counts, costs): (u64, u64) = (bins("request_count"), bins("user_cost"));
    assert!(counts >= 1 && costs >= 1, "{overview}");

    let (_, all) = gateway.post("/v1/user/query", &json!({})).await;
    assert_eq!(column(&all["data"], "user_id"), ["ann", "bob"], "{all}");
    let (_, one) = gateway.post("/v1/user/query", &json!({"userIds": ["bob", "carl"]})).await;
    assert_eq!((&one["data"][0]["user_id"], &one["data"][0]["count"]), (&json!("bob"), &json!(1)), "{one}");

    for (path, body, start) in [
        ("/v1/user/metrics/query", json!({"limit": 1001}), "limit: "),
        ("/v1/user/metrics/query", json!({"colour": 1}), "colour: unknown field"),
        ("/v1/user/metrics/query", json!({"sort": {"colour": "asc"}}), "sort.colour: unknown key; allowed: user_id"),
        ("/v1/user/metrics/query", json!({"sort": {"cost": "up"}}), "sort.cost: "),
        ("/v1/user/metrics/query", json!({"timeZoneDifferenceMinutes": 2000}), "timeZoneDifferenceMinutes: "),
        ("/v1/user/metrics/query", json!({"timeFilter": {}}), "timeFilter.startTimeUnixSeconds: missing"),
        (
            "/v1/user/metrics/query",
            json!({"filter": {"users_view": {"user_cost": {"contains": 1}}}}),
            "filter.users_view.user_cost.contains: ",
        ),
        (
            "/v1/user/metrics/query",
            json!({"filter": {"sessions_request_response_rmt": {"session_tag": {"equals": "x"}}}}),
            "filter.sessions_request_response_rmt: no such table here",
        ),
        ("/v1/user/metrics-overview/query", json!({"pSize": "p1"}), "pSize: "),
        ("/v1/user/query", json!({"userIds": "x"}), "userIds: "),
    ] {
        let (status, answer) = gateway.post(path, &body).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.starts_with(start), "{path} {body}: {status} {answer}");
    }
    let elsewhere =
        gateway.http.post(format!("{}/v1/user/nothing", gateway.url)).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    let keyless = gateway.http.post(format!("{}/v1/user/query", gateway.url)).body("{}").send().await.unwrap();
    assert_eq!(keyless.status(), 401);
}

async fn pages_of_any_origin_may_judge(backend: Backend) {
    let gateway = start(backend).await;
    let id = log(&gateway, "a", "ann", "q", "a").await;
    let url = format!("{}/v1/feedback", gateway.url);
    let asked = gateway
        .http
        .request(Method::OPTIONS, &url)
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "helicone-auth,content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(asked.status(), 204);
    assert_eq!(asked.headers()["access-control-allow-origin"], "*");
    assert!(asked.headers()["access-control-allow-headers"].to_str().unwrap().contains("helicone-auth"));
    assert!(asked.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    let judged = gateway
        .http
        .post(&url)
        .header("Helicone-Auth", format!("Bearer {KEY}"))
        .json(&json!({"helicone-id": id, "rating": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (judged.status().as_u16(), &judged.headers()["access-control-allow-origin"]),
        (200, &"*".parse().unwrap())
    );
    // A page reads why not, too.
    let refused = gateway.http.post(&url).json(&json!({"helicone-id": id, "rating": true})).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    let other = gateway.http.post(format!("{}/v1/session/query", gateway.url)).bearer_auth(KEY).body("{}");
    assert!(!other.send().await.unwrap().headers().contains_key("access-control-allow-origin"));
}

/// A client that writes its whole request before it reads anything still reads why it was refused.
async fn who_sends_too_much_hears_it(backend: Backend) {
    let gateway = start(backend).await;
    for path in ["/v1/session/query", "/custom/v1/log"] {
        let address = gateway.url.strip_prefix("http://").unwrap().to_owned();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {}\r\n\r\n",
            12 << 20
        );
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&vec![b' '; 12 << 20]).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
        .await
        .unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains(r#""error":"the body is larger than"#), "{answer}");
    }
}
