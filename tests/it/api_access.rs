//! Who may ask what: every credential carrier gives the same rights, browsers sign in and out, pages of other sites change
//! nothing, and no organisation sees another's data, on any route. The routes come from the API's own description: one that
//! nobody wrote a row for fails here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::reply::Reply;
use crate::support::upstream::Upstream;

on_both!(
    browsers_sign_in_and_out,
    another_configured_key,
    the_printed_link_works_once,
    carriers,
    other_sites,
    foreign_names,
    tenants
);

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Asks; of a stream only its beginning is read.
async fn ask(
    gateway: &Gateway,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = gateway.http.request(method, format!("{}{path}", gateway.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let mut answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let stream = headers.get("content-type").is_some_and(|mime| mime == "text/event-stream");
    let bytes = if stream { answer.chunk().await.unwrap().unwrap_or_default() } else { answer.bytes().await.unwrap() };
    Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

/// Signs in and gives the `Cookie` header.
async fn sign_in(gateway: &Gateway, key: &str) -> String {
    let answer = ask(gateway, ("POST", "/v1/login"), &[], Some(&json!({ "key": key }))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    cookie(&answer)
}

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn browsers_sign_in_and_out(backend: Backend) {
    let gateway = Gateway::start(GatewayOptions::new(backend).keys()).await;
    assert_eq!(ask(&gateway, ("GET", "/v1/me"), &[], None).await.status, 401);
    let wrong = ask(&gateway, ("POST", "/v1/login"), &[], Some(&json!({ "key": "sk-helicone-no" }))).await;
    assert!(wrong.status == 401 && !wrong.headers.contains_key("set-cookie"));
    for body in [json!({}), json!({ "key": KEY, "token": "x" }), json!({ "key": KEY, "more": 1 })] {
        assert_eq!(ask(&gateway, ("POST", "/v1/login"), &[], Some(&body)).await.status, 400, "{body}");
    }

    let login = ask(&gateway, ("POST", "/v1/login"), &[], Some(&json!({ "key": KEY }))).await;
    let set = login.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["trailgate_session=", "; Path=/;", "HttpOnly", "SameSite=Lax"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    assert!(!set.contains(KEY) && !login.text.contains(KEY), "no secret comes back");
    let held = cookie(&login);
    let me = ask(&gateway, ("GET", "/v1/me"), &[("cookie", &held)], None).await.json();
    assert_eq!((&me["data"]["signed_in"], &me["data"]["rights"]["admin"]), (&json!(true), &json!(true)), "{me}");
    assert_eq!((&me["data"]["auth"], &me["data"]["has_data"]), (&json!("keys"), &json!(false)));
    assert_eq!(me["data"]["url"], gateway.url.as_str());

    let https = [("origin", "https://gateway.example"), ("host", "gateway.example")];
    let login = ask(&gateway, ("POST", "/v1/login"), &https, Some(&json!({ "key": KEY }))).await;
    let set = login.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-trailgate_session=") && set.contains("; Secure"), "{set}");

    // A session lives as long as its key.
    let made =
        ask(&gateway, ("POST", "/v1/api-keys"), &[("cookie", &held)], Some(&json!({ "api_key_name": "b" }))).await;
    let made = made.json();
    let theirs = sign_in(&gateway, made["apiKey"].as_str().unwrap()).await;
    let one = [("cookie", theirs.as_str())];
    assert_eq!(ask(&gateway, ("GET", "/v1/org"), &one, None).await.status, 200);
    assert_eq!(ask(&gateway, ("PUT", "/v1/org"), &one, Some(&json!({ "name": "x" }))).await.status, 403, "no admin");
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(&gateway, ("DELETE", &path), &[("cookie", &held)], None).await.status, 200);
    assert_eq!(ask(&gateway, ("GET", "/v1/org"), &one, None).await.status, 401, "its key was revoked");

    let out = ask(&gateway, ("POST", "/v1/logout"), &[("cookie", &held)], None).await;
    assert!(out.status == 200 && out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(
        ask(&gateway, ("GET", "/v1/me"), &[("cookie", &held)], None).await.status,
        401,
        "signed out on the server"
    );
    assert!(!gateway.stderr().contains(held.split_once('=').unwrap().1), "a session is never logged");
}

/// The key of the configuration is replaced by the next one; keys that were made stay.
async fn another_configured_key(backend: Backend) {
    const NEXT: &str = "sk-helicone-tests11-tests11-tests11-tests11";
    let mut gateway = Gateway::start(GatewayOptions::new(backend).keys()).await;
    let made = ask(
        &gateway,
        ("POST", "/v1/api-keys"),
        &[("authorization", KEY)],
        Some(&json!({ "api_key_name": "b", "key_permissions": "r" })),
    )
    .await
    .json();
    let made = made["apiKey"].as_str().unwrap().to_owned();
    let held = sign_in(&gateway, KEY).await;
    for (key, other) in [(NEXT, KEY), (KEY, NEXT)] {
        gateway.terminate().await;
        gateway.options().env.insert("TRAILGATE_AUTH_KEY".to_owned(), key.to_owned());
        gateway.launch().await;
        let status = async |name, value: &str| ask(&gateway, ("GET", "/v1/org"), &[(name, value)], None).await.status;
        assert_eq!(status("authorization", key).await, 200);
        assert_eq!(status("authorization", other).await, 401);
        assert_eq!(status("authorization", &made).await, 200);
        assert_eq!(status("cookie", &held).await, if key == KEY { 200 } else { 401 }, "a session lives as its key");
    }
}

async fn the_printed_link_works_once(backend: Backend) {
    let options = GatewayOptions::new(backend).keys();
    let gateway = Gateway::start(options).await;
    let said = gateway.stdout();
    let link = said.split_once("/login#token=").map(|(_, rest)| rest.split_whitespace().next().unwrap());
    let token = link.unwrap_or_else(|| panic!("no link in {said}"));
    let wrong = ask(&gateway, ("POST", "/v1/login"), &[], Some(&json!({ "token": format!("{token}x") }))).await;
    assert_eq!(wrong.status, 401);
    let first = ask(&gateway, ("POST", "/v1/login"), &[], Some(&json!({ "token": token }))).await;
    assert_eq!(first.status, 200);
    let me = ask(&gateway, ("GET", "/v1/me"), &[("cookie", &cookie(&first))], None).await.json();
    assert_eq!((&me["data"]["rights"]["admin"], &me["data"]["key"]), (&json!(true), &Value::Null), "{me}");
    let second = ask(&gateway, ("POST", "/v1/login"), &[], Some(&json!({ "token": token }))).await;
    assert_eq!(second.status, 401, "once");
    let open = Gateway::start(GatewayOptions::new(backend)).await;
    assert_eq!(ask(&open, ("GET", "/v1/me"), &[], None).await.json()["data"]["auth"], "open");
}

/// Method and path of every route that needs a caller.
async fn closed_routes(gateway: &Gateway) -> Vec<(String, String)> {
    let document = ask(gateway, ("GET", "/openapi.json"), &[], None).await.json();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"] != json!([{}]) {
                routes.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(routes.len() > 50, "{} routes", routes.len());
    routes
}

/// A path of a route for things that do not exist.
fn nowhere(path: &str) -> String {
    path.replace("{id}", &Uuid::nil().to_string()).replace("{which}", "request")
}

async fn carriers(backend: Backend) {
    let gateway = Gateway::start(GatewayOptions::new(backend).keys()).await;
    let reader = json!({ "api_key_name": "r", "key_permissions": "r" });
    let made = ask(&gateway, ("POST", "/v1/api-keys"), &[("authorization", KEY)], Some(&reader)).await.json();
    let key = made["apiKey"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {key}");
    let held = sign_in(&gateway, &key).await;
    let wrong = format!("Bearer {key}a");
    let cases: [(&str, Vec<(&str, &str)>); 6] = [
        ("authorization", vec![("authorization", bearer.as_str())]),
        ("helicone-auth", vec![("helicone-auth", bearer.as_str())]),
        ("x-api-key", vec![("x-api-key", key.as_str())]),
        ("api-key", vec![("api-key", key.as_str())]),
        ("cookie", vec![("cookie", held.as_str())]),
        (
            "an unknown key beside a known one",
            vec![("helicone-auth", wrong.as_str()), ("authorization", bearer.as_str())],
        ),
    ];
    for (method, path) in closed_routes(&gateway).await {
        let route = (method.as_str(), nowhere(&path));
        let route = (route.0, route.1.as_str());
        let mut statuses = BTreeSet::new();
        for (name, headers) in &cases {
            let answer = ask(&gateway, route, headers, Some(&json!({}))).await;
            assert_ne!(answer.status, 401, "{name}: {method} {path}");
            statuses.insert(answer.status);
        }
        assert_eq!(statuses.len(), 1, "{method} {path}: the same by every carrier, not {statuses:?}");
        for headers in [
            vec![("authorization", wrong.as_str())],
            vec![("authorization", wrong.as_str()), ("authorization", wrong.as_str())],
            vec![("x-api-key", "")],
            vec![("cookie", "trailgate_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            vec![("cookie", key.as_str())],
            vec![],
        ] {
            let answer = ask(&gateway, route, &headers, Some(&json!({}))).await;
            assert_eq!(answer.status, 401, "{headers:?}: {method} {path}: {}", answer.text);
        }
    }
}

/// A page whose host name turns into a loopback address is one of ours to its browser, and not to the gateway.
async fn foreign_names(backend: Backend) {
    let local = Gateway::start(GatewayOptions::new(backend)).await;
    let open = Gateway::start(GatewayOptions::new(backend).env("TRAILGATE_AUTH_MODE", "open")).await;
    let keys = Gateway::start(GatewayOptions::new(backend).keys()).await;
    let evil = ("host", "rebound.example.com:8787");
    let (key, cookie) = (("authorization", KEY), sign_in(&keys, KEY).await);
    for (route, body) in [
        (("GET", "/v1/me"), None),
        (("POST", "/v1/session/query"), Some(json!({}))),
        (("POST", "/v1/api-keys"), Some(json!({ "api_key_name": "stolen" }))),
    ] {
        let answer = ask(&local, route, &[evil], body.as_ref()).await;
        assert_eq!(answer.status, 403, "{route:?}: {}", answer.text);
        assert!(answer.text.contains("names of this machine"), "{route:?}: {}", answer.text);
        for (gateway, headers) in [
            (&local, vec![]),
            (&local, vec![("host", "localhost:8787")]),
            (&local, vec![("host", "host.docker.internal:8787")]),
            (&open, vec![evil]),
            (&keys, vec![evil, key]),
            (&keys, vec![evil, ("cookie", cookie.as_str())]),
        ] {
            let answer = ask(gateway, route, &headers, body.as_ref()).await;
            assert!(answer.status < 300, "{headers:?}: {route:?}: {}", answer.text);
        }
    }
}

async fn other_sites(backend: Backend) {
    let keys = Gateway::start(GatewayOptions::new(backend).keys()).await;
    let open = Gateway::start(GatewayOptions::new(backend)).await;
    let held = sign_in(&keys, KEY).await;
    let evil: [Vec<(&str, &str)>; 4] = [
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
    ];
    let own = keys.url.clone();
    let mut changing = 0;
    for (method, path) in closed_routes(&keys).await {
        if method == "GET" {
            continue;
        }
        changing += 1;
        let path = nowhere(&path);
        let route = (method.as_str(), path.as_str());
        for headers in &evil {
            let with_cookie: Vec<_> = headers.iter().copied().chain([("cookie", held.as_str())]).collect();
            for (gateway, headers) in [(&keys, &with_cookie), (&open, headers)] {
                let answer = ask(gateway, route, headers, Some(&json!({}))).await;
                assert_eq!(answer.status, 403, "{headers:?}: {method} {path}: {}", answer.text);
            }
        }
        for headers in [vec![("sec-fetch-site", "same-origin")], vec![("origin", own.as_str())], vec![]] {
            let with_cookie: Vec<_> = headers.iter().copied().chain([("cookie", held.as_str())]).collect();
            let answer = ask(&keys, route, &with_cookie, Some(&json!({}))).await;
            assert_ne!(answer.status, 403, "{headers:?}: {method} {path}: {}", answer.text);
        }
        // What is no key opens nothing.
        let with_nonsense = [("origin", "https://evil.example"), ("authorization", "Bearer nonsense")];
        assert_eq!(ask(&open, route, &with_nonsense, Some(&json!({}))).await.status, 403, "{method} {path}");
        // A key in a header is nothing that a browser adds by itself.
        let with_key = [("origin", "https://evil.example"), ("authorization", KEY)];
        assert_ne!(ask(&keys, route, &with_key, Some(&json!({}))).await.status, 403, "{method} {path}");
    }
    assert!(changing > 25, "{changing} routes change something");
    for path in ["/v1/login", "/v1/logout"] {
        for headers in &evil {
            let answer = ask(&keys, ("POST", path), headers, Some(&json!({ "key": KEY }))).await;
            assert!(answer.status == 403 && !answer.headers.contains_key("set-cookie"), "{path}: {}", answer.status);
        }
    }
    let still = ask(&keys, ("GET", "/v1/me"), &[("cookie", &held)], None).await;
    assert_eq!(still.status, 200, "nobody signed anybody out");

    // What a browser holds for us is for no provider.
    let upstream = Upstream::start(|_| Reply::json(200, &json!({}))).await;
    let proxied = Gateway::start(GatewayOptions::new(backend).provider("p", upstream.url())).await;
    let answer = ask(&proxied, ("GET", "/v1/gateway/p/v1/models"), &[("cookie", &format!("a=b; {held}"))], None).await;
    assert_eq!((answer.status, upstream.last().header("cookie")), (200, Some("a=b")));
}

/// What a stranger tries on a route, and what tells that nothing was there for him.
enum Try {
    /// A list or a sum: 200, and nothing of the other in it.
    Query(Value),
    /// A thing by its id: 404.
    Missing(Value),
    /// Of his own organisation: any answer, nothing of the other in it.
    Own(Value),
}

/// A row for each route. `MARK` stands in everything that the first organisation has.
#[expect(clippy::match_same_arms, reason = "a table, in the order of the routes")]
fn attempt(method: &str, path: &str) -> Option<Try> {
    let window = || json!({ "from_ms": 0, "to_ms": 4_000_000_000_000_i64 });
    let with = |more: Value| {
        let mut body = window();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let named = json!({ "properties": { "Mark": MARK } });
    Some(match (method, path) {
        ("POST", "/v1/session/query" | "/v1/session/count") => Try::Query(json!({ "filter": named })),
        ("POST", "/v1/session/top") => Try::Query(json!({ "search": MARK })),
        ("POST", "/v1/session/name/query" | "/v1/session/metrics/query") => Try::Query(json!({})),
        ("POST", "/v1/session/sparks") => Try::Query(json!({ "session_ids": [MARK] })),
        ("GET", "/v1/session/{id}") => Try::Missing(Value::Null),
        ("GET", "/v1/session/{id}/tool-calls") => Try::Missing(Value::Null),
        ("POST", "/v1/session/{id}/digest") => Try::Missing(json!({ "request_ids": ["{call}"] })),
        ("GET", "/v1/session/{id}/find") => Try::Missing(Value::Null),
        ("GET", "/v1/session/{id}/markdown") => Try::Missing(Value::Null),
        ("POST", "/v1/session/{id}/feedback") => Try::Missing(json!({ "rating": true })),
        ("POST", "/v1/session/{id}/tag") => Try::Missing(json!({ "tag": "t" })),
        ("GET", "/v1/session/{id}/tag") => Try::Missing(Value::Null),
        ("POST", "/v1/request/query-clickhouse" | "/v1/request/query" | "/v1/request/count/query") => {
            Try::Query(json!({ "filter": named }))
        }
        ("POST", "/v1/request/query-ids") => Try::Query(json!({ "requestIds": ["{call}"] })),
        ("GET", "/v1/request/{id}" | "/v1/request/{id}/body/{which}") => Try::Missing(Value::Null),
        ("POST", "/v1/request/{id}/feedback") => Try::Missing(json!({ "rating": true })),
        ("POST", "/v1/request/{id}/score") => Try::Missing(json!({ "scores": { "x": 1 } })),
        ("PUT", "/v1/request/{id}/property") => Try::Missing(json!({ "key": "a", "value": "b" })),
        ("POST", "/v1/feedback") => Try::Missing(json!({ "helicone-id": "{call}", "rating": true })),
        ("POST", "/v1/property/query" | "/v1/property/{id}/search" | "/v1/property/{key}/search") => {
            Try::Query(json!({}))
        }
        ("GET", "/v1/api-keys" | "/v1/saved-filter" | "/v1/org" | "/v1/retention" | "/v1/system" | "/v1/me") => {
            Try::Query(Value::Null)
        }
        ("POST", "/v1/api-keys") => Try::Own(json!({ "api_key_name": "theirs" })),
        ("DELETE", "/v1/api-keys/{id}" | "/v1/saved-filter/{id}") => Try::Missing(Value::Null),
        ("POST", "/v1/saved-filter") => Try::Own(json!({ "page": "p", "name": "theirs", "query": "" })),
        ("PUT", "/v1/org") => Try::Own(json!({ "name": "theirs" })),
        ("PUT", "/v1/retention") => Try::Own(json!({ "calls_days": 1, "bodies_days": 1 })),
        ("POST", "/v1/user/metrics/query" | "/v1/user/metrics-overview/query" | "/v1/user/query") => {
            Try::Query(json!({}))
        }
        ("POST", "/v1/metrics/query") => Try::Query(with(json!({ "group": "model" }))),
        ("POST", "/v1/metrics/breakdown") => Try::Query(with(json!({ "by": "property:Mark" }))),
        ("POST", "/v1/metrics/attention" | "/v1/path/query" | "/v1/tool/query") => Try::Query(window()),
        ("GET", "/v1/export/sessions" | "/v1/export/requests") => Try::Query(Value::Null),
        ("GET", "/v1/live" | "/v1/live/running") => Try::Query(Value::Null),
        ("GET", "/v1/gaps" | "/v1/dead-letter") => Try::Query(Value::Null),
        ("GET" | "DELETE", "/v1/dead-letter/{id}") => Try::Missing(Value::Null),
        ("POST", "/v1/dead-letter/{id}/retry") => Try::Missing(Value::Null),
        ("OPTIONS", "/v1/feedback") => Try::Own(Value::Null),
        // What one logs is one's own; ids are looked up within the organisation.
        ("POST", path) if path.contains("/log") => Try::Own(json!({})),
        _ => return None,
    })
}

const MARK: &str = "mark-of-the-first";

async fn tenants(backend: Backend) {
    let gateway = Gateway::start(GatewayOptions::new(backend).keys()).await;
    let made = gateway
        .command(&["key", "create", "--name", "b", "--rights", "admin", "--org", "second"])
        .output()
        .await
        .unwrap();
    let stranger = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(stranger.starts_with("sk-helicone-"), "{stranger}");

    let call = Uuid::new_v4().to_string();
    let envelope = json!({
        "providerRequest": { "url": "https://api.openai.com/v1/chat/completions", "json": { "model": MARK, "user": MARK }, "meta": {} },
        "providerResponse": { "status": 500, "headers": {}, "json": { "text": MARK } },
        "timing": { "startTime": { "seconds": 1_700_000_000, "milliseconds": 0 },
            "endTime": { "seconds": 1_700_000_001, "milliseconds": 0 } },
    });
    let headers = [
        ("authorization", KEY),
        ("helicone-request-id", &call),
        ("helicone-session-id", MARK),
        ("helicone-session-name", MARK),
        ("helicone-session-path", MARK),
        ("helicone-user-id", MARK),
        ("helicone-property-mark", MARK),
        ("helicone-property-mark-of-the-first", MARK),
    ];
    assert_eq!(ask(&gateway, ("POST", "/oai/v1/log"), &headers, Some(&envelope)).await.status, 200);
    gateway.session(MARK, 1).await;
    let mine = [("authorization", KEY)];
    ask(&gateway, ("PUT", "/v1/org"), &mine, Some(&json!({ "name": MARK }))).await;
    ask(&gateway, ("POST", &format!("/v1/session/{MARK}/tag")), &mine, Some(&json!({ "tag": MARK }))).await;
    let saved = json!({ "page": MARK, "name": MARK, "query": MARK });
    let saved = ask(&gateway, ("POST", "/v1/saved-filter"), &mine, Some(&saved)).await.json();
    let key = ask(&gateway, ("POST", "/v1/api-keys"), &mine, Some(&json!({ "api_key_name": MARK }))).await.json();
    let everything = async || {
        let mut all = Vec::new();
        for path in ["/v1/api-keys", "/v1/saved-filter", "/v1/org", "/v1/retention"] {
            all.push(ask(&gateway, ("GET", path), &mine, None).await.json());
        }
        for path in [format!("/v1/session/{MARK}"), format!("/v1/request/{call}")] {
            all.push(ask(&gateway, ("GET", &path), &mine, None).await.json());
        }
        all
    };
    let before = everything().await;
    assert!(before.iter().enumerate().all(|(n, answer)| n == 3 || answer.to_string().contains(MARK)), "{before:?}");

    let theirs = [("authorization", stranger.as_str())];
    let mut without = Vec::new();
    for (method, path) in closed_routes(&gateway).await {
        let Some(attempt) = attempt(&method, &path) else {
            without.push(format!("{method} {path}"));
            continue;
        };
        let id = match path.as_str() {
            "/v1/api-keys/{id}" => key["id"].as_str().unwrap(),
            "/v1/saved-filter/{id}" => saved["data"]["id"].as_str().unwrap(),
            path if path.starts_with("/v1/session/") => MARK,
            _ => call.as_str(),
        };
        let mut filled = path.replace("{id}", id).replace("{which}", "request").replace("{key}", "mark");
        if filled.ends_with("/find") {
            filled.push_str("?q=mark");
        }
        let (body, expected) = match attempt {
            Try::Query(body) => (body, Some([200, 201])),
            Try::Missing(body) => (body, Some([404, 404])),
            Try::Own(body) => (body, None),
        };
        let body: Value = serde_json::from_str(&body.to_string().replace("{call}", &call)).unwrap();
        let answer = ask(&gateway, (&method, &filled), &theirs, (!body.is_null()).then_some(&body)).await;
        if let Some(expected) = expected {
            assert!(expected.contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        }
        // A 404 may repeat what was asked for.
        let told = if answer.status == 404 { String::new() } else { answer.text };
        assert!(!told.contains(MARK) && !told.contains(&call), "{method} {path} tells of another's: {told}");
    }
    assert_eq!(without, Vec::<String>::new(), "routes without a row in `attempt`");
    assert_eq!(everything().await, before, "nothing of the first organisation has changed");
}
