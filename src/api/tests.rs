//! The description of the API, held against itself: what it promises is there and points somewhere.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Routes that nobody needs a key for.
const OPEN: [&str; 8] =
    ["/healthcheck", "/healthz", "/helicone/test", "/metrics", "/openapi.json", "/readyz", "/v1/login", "/v1/logout"];

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Path, method and operation of every route.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(each).collect()
}

#[test]
fn every_operation_is_described() {
    let document = document();
    let operations = operations(&document);
    let ids: BTreeSet<String> = operations.iter().map(|(_, _, o)| o["operationId"].to_string()).collect();
    assert_eq!(ids.len(), operations.len(), "an operation's id is there once");
    assert!(operations.len() >= 35, "{} operations", operations.len());
    for (path, method, operation) in &operations {
        let name = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name} has no summary");
        assert!(operation["tags"][0].is_string(), "{name} has no tag");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
        // A browser asks whether it may ask before it shows who it is.
        let open = OPEN.contains(&path.as_str()) || method == "options";
        assert_eq!(operation["security"] == serde_json::json!([{}]), open, "{name}: open or not");
        for status in ["400", "401", "403", "503"] {
            assert!(open || answers.contains_key(status), "{name} does not tell of {status}");
        }
        if path.contains("{id}") && !(path.ends_with("/tag") && method == "get") {
            assert!(answers.contains_key("404"), "{name} does not tell of 404");
        }
    }
}

/// What comes in front of the router asks `owns` and `is_log_path` first.
#[test]
fn every_route_under_v1_is_known_to_be_ours() {
    for (path, method, _) in operations(&document()) {
        let ours = !path.starts_with("/v1/") || owns(&path) || is_log_path(&path).is_some();
        assert!(ours, "{method} {path} would be sent to a provider");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    let mut seen = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} is not there");
                    seen += 1;
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(seen > 50, "{seen} references");
}

/// Clients that are made from the description need not guess which fields an answer has.
#[test]
fn what_may_be_null_is_there() {
    let document = document();
    let required = |schema: &str| document["components"]["schemas"][schema]["required"].to_string();
    for (schema, fields) in [
        ("FiguresResult", ["p95_ms", "sessions"]),
        ("HeliconeRequest", ["cost", "request_body"]),
        ("Me", ["key", "organization"]),
        ("Paths", ["compare", "root"]),
    ] {
        for field in fields {
            assert!(required(schema).contains(&format!("\"{field}\"")), "{schema}.{field}: {}", required(schema));
        }
    }
    assert!(!required("HeliconeRequest").contains("body_url"), "is left out where the bodies are in the row");
    assert!(!required("AttentionBody").contains("limit"), "has a default");
}

/// The dashboard's types are made from the file.
#[test]
fn the_dashboard_knows_this_description() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
    let known: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        known == document(),
        "the API's description has changed: start a gateway of these sources and run \
         `npm run types -- http://127.0.0.1:8787` in web/, with its address"
    );
}

#[test]
fn the_api_owns_its_paths_and_no_provider_path() {
    for path in [
        "/v1/session/x",
        "/v1/request",
        "//v1/property/query",
        "/v1/api-keys/1/2",
        "/v1/trace/log",
        "/v1/gaps",
        "/v1/vault/add",
        "/v1/prompt-2025/query",
        "/v1/public/model-registry/models",
        "/v1/log/request",
    ] {
        assert!(owns(path), "{path}");
    }
    for path in [
        "/",
        "/v1",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/responses",
        "/v1/sessions",
        "/v1/live/sessions/s/events",
        "/session/x",
        "/v1/evals",
        "/v1/organization/users",
        "/v1/prompts",
        "/v1/logs",
    ] {
        assert!(!owns(path), "{path}");
    }
}
