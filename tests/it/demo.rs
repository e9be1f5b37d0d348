//! `trailgate demo` as a newcomer sees it: it starts without a key, works, shows sessions, and goes on serving.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::app::{Backend, Gateway, GatewayOptions};

#[tokio::test(flavor = "multi_thread")]
async fn shows_real_sessions_and_goes_on_serving() {
    // Only its environment and folder are used: the demo is a process of its own, with data of its own.
    let other = Gateway::start(GatewayOptions::new(Backend::Sqlite)).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = other.command(&["demo"]);
    let mut child = command.env("TRAILGATE_DATA_DIR", folder.path()).spawn().expect("the demo starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped standard output")).lines();
    let mut said = Vec::new();
    let talk = async {
        while let Ok(Some(line)) = lines.next_line().await {
            let last = line.contains("goes on serving on");
            said.push(line);
            if last {
                return;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), talk).await;
    let text = said.join("\n");
    let last = said.last().filter(|line| line.contains("goes on serving on"));
    let Some(last) = last else { panic!("the demo did not come to its end ({ended:?}):\n{text}\n{}", other.stderr()) };
    let url =
        last.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").trim_end_matches(';');

    let query = json!({"filter": {"properties": {"Agent-Version": "v1.1"}}});
    let answer = other.http.post(format!("{url}/v1/session/query")).json(&query).send().await.expect("an answer");
    let rows: serde_json::Value = answer.json().await.expect("JSON");
    let rows = rows["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in rows {
        assert_eq!(row["session_name"], "Trip planner");
        assert!(row["total_cost"].as_f64().is_some_and(|cost| cost > 0.0), "{row}");
        assert!(text.contains(row["session_id"].as_str().expect("an id")), "{text}");
    }
}
