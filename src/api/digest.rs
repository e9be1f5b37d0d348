//! Steps of a session in short: `/v1/session/{id}/digest`. Of each call the messages that are new since the model call that
//! it goes on from, and the answer, cut to what fits a list.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, ok};
use super::conversation::{answer, has_text, messages, plain, tool_calls};
use super::error::ApiError;
use super::extract::{Json, Reader, Text};
use super::openapi::{Faults, Missing};
use super::reading::{MOST_CALLS, text};
use crate::model::id::RequestId;
use crate::model::path::cut;
use crate::model::query::{CallBodies, CallDetail};

const MOST_IDS: usize = 40;
/// Characters of a text.
const MOST_CHARS: usize = 2_000;
/// New messages of one step; of more the last ones are shown.
const MOST_MESSAGES: usize = 50;
/// Bytes of both bodies of a call that are read, as they are stored.
const MOST_BYTES: i64 = 8 << 20;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DigestBody {
    /// Calls of the session, at most 40.
    request_ids: Vec<String>,
}

/// A step in short.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Digest {
    /// Messages that were sent before and are not in `input`.
    history: usize,
    /// Messages that are new.
    input: Vec<Said>,
    answer: Vec<Said>,
    tool_calls: Vec<ToolCallShown>,
    /// True: the bodies are too large to be read for a list.
    too_large: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Said {
    role: String,
    /// At most 2000 characters.
    text: String,
    /// Of a tool's result: the tool, where the message names it.
    tool: Option<String>,
    /// Whether the text goes on.
    cut: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ToolCallShown {
    id: Option<String>,
    name: String,
    /// At most 2000 characters.
    arguments: String,
}

impl Said {
    fn new(role: &str, tool: Option<&str>, text: &str) -> Self {
        let shown = cut(text, MOST_CHARS);
        Self {
            role: role.to_owned(),
            tool: tool.map(str::to_owned),
            cut: shown.len() < text.len(),
            text: shown.to_owned(),
        }
    }

    fn of(message: &Value) -> Self {
        let word = |name: &str| message.get(name).and_then(Value::as_str);
        let content = ["content", "parts", "output"].into_iter().find_map(|name| message.get(name));
        let content = content.filter(|content| !content.is_null());
        let text = content.map_or_else(
            || message.get("tool_calls").unwrap_or(message).to_string(),
            |content| plain(content).unwrap_or_else(|| content.to_string()),
        );
        Self::new(word("role").or_else(|| word("type")).unwrap_or("message"), word("name"), &text)
    }
}

/// Steps of a session in short, by request id
#[utoipa::path(post, path = "/v1/session/{id}/digest", tag = "sessions", operation_id = "digestSteps",
    params(("id" = String, Path, description = "the session's id, percent-encoded")), request_body = DigestBody,
    responses((status = 200, body = Answer<BTreeMap<String, Digest>>), Missing, Faults))]
pub async fn digest(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(id): Text,
    Json(body): Json<DigestBody>,
) -> Result<Response, ApiError> {
    if body.request_ids.len() > MOST_IDS {
        return Err(ApiError::bad("request_ids", format!("are more than {MOST_IDS}")));
    }
    let mut wanted = HashSet::new();
    for (n, text) in body.request_ids.iter().enumerate() {
        let id: RequestId = text.parse().map_err(|_| ApiError::bad(format!("request_ids[{n}]"), "is not a UUID"))?;
        wanted.insert(id);
    }
    let rows = state.store.session_details(caller.org, &id, MOST_CALLS).await?;
    if rows.is_empty() {
        return Err(ApiError::no_session(&id));
    }
    let steps = steps(&rows, &wanted);
    let readable = |row: &&CallDetail| row.request_bytes.saturating_add(row.response_bytes) <= MOST_BYTES;
    let needed: HashSet<RequestId> =
        steps.iter().flat_map(|(id, before)| std::iter::once(*id).chain(before.clone())).collect();
    let ids: Vec<RequestId> =
        rows.iter().filter(|row| needed.contains(&row.call.id)).filter(readable).map(|row| row.call.id).collect();
    let mut digests = BTreeMap::new();
    let bodies: HashMap<RequestId, CallBodies> =
        state.store.calls_bodies(caller.org, &ids).await?.into_iter().collect();
    let reading = tokio::task::spawn_blocking(move || {
        for (id, before) in steps {
            let earlier: Vec<&CallBodies> = before.iter().filter_map(|id| bodies.get(id)).collect();
            digests.insert(id.to_string(), step(bodies.get(&id), &earlier));
        }
        digests
    });
    Ok(ok(reading.await.map_err(|error| ApiError::Internal(Box::new(error)))?))
}

/// The wanted calls of the session, each with the model calls that it may go on from: the last one before it, and the last
/// one before it at its own path.
fn steps(rows: &[CallDetail], wanted: &HashSet<RequestId>) -> Vec<(RequestId, Vec<RequestId>)> {
    let mut last: Option<RequestId> = None;
    let mut at_path: HashMap<Option<&str>, RequestId> = HashMap::new();
    let mut found = Vec::new();
    for row in rows {
        let path = row.call.path.as_deref();
        if wanted.contains(&row.call.id) {
            let mut before: Vec<RequestId> = at_path.get(&path).copied().into_iter().chain(last).collect();
            before.dedup();
            found.push((row.call.id, before));
        }
        if row.call.kind == "llm" {
            last = Some(row.call.id);
            at_path.insert(path, row.call.id);
        }
    }
    found
}

fn step(bodies: Option<&CallBodies>, earlier: &[&CallBodies]) -> Digest {
    let Some(bodies) = bodies else { return Digest { too_large: true, ..Digest::default() } };
    let request = text(&bodies.request, "request");
    let mut digest = Digest::default();
    match messages(&request) {
        Some(list) => {
            let known = earlier.iter().filter_map(|bodies| messages(&text(&bodies.request, "request")));
            digest.history = known.filter(|known| list.starts_with(known)).map(|known| known.len()).max().unwrap_or(0);
            // The same request again is new as a whole.
            if digest.history == list.len() {
                digest.history = 0;
            }
            digest.history = digest.history.max(list.len().saturating_sub(MOST_MESSAGES));
            digest.input = list.iter().skip(digest.history).map(Said::of).collect();
        }
        None if request.is_empty() => {}
        None => digest.input.push(Said::new("request", None, &request)),
    }
    let response = text(&bodies.response, "response");
    match serde_json::from_str::<Value>(&response) {
        Ok(value) => {
            digest.tool_calls = tool_calls(&value)
                .into_iter()
                .map(|call| ToolCallShown {
                    id: call.id,
                    name: call.name,
                    arguments: cut(&call.arguments, MOST_CHARS).to_owned(),
                })
                .collect();
            let said = answer(&value).unwrap_or_else(|| if value.is_null() { String::new() } else { response.clone() });
            if !said.is_empty() && (digest.tool_calls.is_empty() || has_text(&value)) {
                digest.answer.push(Said::new("assistant", None, &said));
            }
        }
        Err(_) if response.is_empty() => {}
        Err(_) => digest.answer.push(Said::new("response", None, &response)),
    }
    digest
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn bodies(request: &Value, response: &Value) -> CallBodies {
        let mut bodies = CallBodies::default();
        bodies.request.bytes = Bytes::from(request.to_string());
        bodies.response.bytes = Bytes::from(response.to_string());
        bodies
    }

    fn user(text: &str) -> Value {
        json!({ "role": "user", "content": text })
    }

    #[test]
    fn a_step_shows_what_is_new() {
        let answer = json!({ "choices": [{ "message": { "role": "assistant", "content": "fine" } }] });
        let first = bodies(&json!({ "messages": [user("a")] }), &answer);
        let second = bodies(&json!({ "messages": [user("a"), user("b"), user(&"c".repeat(3_000))] }), &answer);
        let shown = step(Some(&second), &[&first]);
        assert_eq!((shown.history, shown.input.len(), shown.answer[0].text.as_str()), (1, 2, "fine"));
        assert!(shown.input[1].cut && shown.input[1].text.len() == MOST_CHARS && !shown.input[0].cut);
        assert_eq!(step(Some(&first), &[&first]).input.len(), 1, "asked again");
        assert_eq!(step(Some(&first), &[&second]).history, 0, "another conversation");
        assert!(step(None, &[]).too_large);
    }

    #[test]
    fn tools_that_are_asked_for_stand_apart() {
        let call = json!({ "id": "1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let silent = json!({ "choices": [{ "message": { "content": null, "tool_calls": [call] } }] });
        let shown = step(Some(&bodies(&json!({ "messages": [user("a")] }), &silent)), &[]);
        assert_eq!((shown.answer.len(), shown.tool_calls[0].name.as_str()), (0, "f"));
        let result = json!({ "role": "tool", "name": "f", "content": "42" });
        let shown = step(Some(&bodies(&json!({ "messages": [user("a"), result] }), &json!({}))), &[]);
        assert_eq!((shown.input[1].role.as_str(), shown.input[1].tool.as_deref()), ("tool", Some("f")));
    }
}
