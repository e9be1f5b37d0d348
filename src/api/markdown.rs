//! A session, or one step of it, as Markdown to copy: `GET /v1/session/{id}/markdown`.
//!
//! Each step shows the messages that are new since the step before and the answer. Shapes that are not known here are shown
//! as they came. What was logged is shown inside fences that it cannot close.

use std::fmt::Write as _;

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::ApiState;
use super::answer::{iso, ms};
use super::conversation::{answer, messages, plain};
use super::error::ApiError;
use super::extract::{Reader, Text};
use super::openapi::{Faults, Missing};
use super::reading::{Pages, text};
use crate::model::id::RequestId;
use crate::model::query::{CallBodies, CallDetail};
use crate::model::session::SessionRow;

/// Bytes of a whole document.
const MOST_BYTES: usize = 2 << 20;
/// Characters of one message.
const MOST_CHARS: usize = 20_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MarkdownParams {
    /// Only this call.
    request_id: Option<String>,
}

/// A session as Markdown
#[utoipa::path(get, path = "/v1/session/{id}/markdown", tag = "sessions", operation_id = "getSessionMarkdown",
    params(("id" = String, Path, description = "the session's id, percent-encoded"), MarkdownParams),
    responses((status = 200, content_type = "text/markdown", body = String), Missing, Faults))]
pub async fn get(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(id): Text,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Query(params) = Query::<MarkdownParams>::try_from_uri(&uri)
        .map_err(|_| ApiError::bad("request_id", "is the one parameter that is known here"))?;
    let only: Option<RequestId> = match params.request_id.as_deref() {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| ApiError::bad("request_id", "is not a UUID"))?),
    };
    state.settled().await;
    let Some(session) = state.store.session(caller.org, &id).await? else { return Err(ApiError::no_session(&id)) };
    let mut pages = Pages::open(&state, &caller, &id).await?;
    let mut document = Document::new(&session, only);
    loop {
        let page = pages.next(&state, &caller).await?;
        if page.is_empty() || document.full() {
            break;
        }
        let writing = tokio::task::spawn_blocking(move || {
            page.iter().for_each(|(row, bodies)| document.step(row, bodies.as_ref()));
            document
        });
        document = writing.await.map_err(|error| ApiError::Internal(Box::new(error)))?;
    }
    if only.is_some() && !document.written {
        return Err(ApiError::NotFound("the session has no such request".to_owned()));
    }
    let mut answer = document.finish(pages.truncated).into_response();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(answer)
}

/// A document while it is written.
struct Document {
    text: String,
    only: Option<RequestId>,
    steps: usize,
    written: bool,
    /// The messages of the step before.
    before: Vec<Value>,
}

impl Document {
    fn new(session: &SessionRow, only: Option<RequestId>) -> Self {
        let mut text = String::new();
        if only.is_none() {
            let name = if session.name.is_empty() { &session.id } else { &session.name };
            let totals = session.totals;
            let _ = writeln!(text, "# {}\n", one_line(name));
            let _ = writeln!(text, "- session: {}", code(&session.id));
            let _ = writeln!(text, "- outcome: {}", session.outcome.as_str());
            let _ = writeln!(text, "- calls: {} ({} failed)", totals.calls, totals.errors);
            let _ = writeln!(text, "- cost: ${:.6}", totals.cost.usd());
            let tokens = (totals.usage.input_tokens(), totals.usage.output_tokens());
            let _ = writeln!(text, "- tokens: {} in, {} out", tokens.0, tokens.1);
            let _ = writeln!(text, "- from {} for {:.1} s\n", iso(session.first_at), ms(session.wall_us()) / 1e3);
        }
        Self { text, only, steps: 0, written: false, before: Vec::new() }
    }

    fn full(&self) -> bool {
        self.text.len() >= MOST_BYTES
    }

    fn step(&mut self, row: &CallDetail, bodies: Option<&CallBodies>) {
        self.steps += 1;
        let request = bodies.map(|bodies| text(&bodies.request, "request")).unwrap_or_default();
        let messages = messages(&request);
        let before = std::mem::replace(&mut self.before, messages.clone().unwrap_or_default());
        if self.only.is_some_and(|only| only != row.call.id) || self.full() {
            return;
        }
        self.written = true;
        self.head(row);
        match messages {
            Some(messages) => {
                // Agents send the whole conversation each time: what the step before sent as well is not shown again.
                let known = !before.is_empty() && messages.len() >= before.len() && messages.starts_with(&before);
                let old = if known { before.len() } else { 0 };
                if old > 0 {
                    let _ = writeln!(self.text, "_{old} earlier messages, unchanged_\n");
                }
                for message in messages.iter().skip(old) {
                    self.message(message);
                }
            }
            None => self.block("request", &request),
        }
        let response = bodies.map(|bodies| text(&bodies.response, "response")).unwrap_or_default();
        match serde_json::from_str::<Value>(&response).ok().and_then(|value| answer(&value)) {
            Some(answer) => self.block("answer", &answer),
            None => self.block("answer", &response),
        }
    }

    fn head(&mut self, row: &CallDetail) {
        let call = &row.call;
        let path = call.path.as_deref().unwrap_or("/");
        let model = call.model.as_deref().unwrap_or(&call.provider);
        let _ = writeln!(self.text, "## {}. {} {}\n", self.steps, code(path), one_line(model));
        let seconds = ms(call.ended_at - call.started_at) / 1e3;
        let _ = write!(self.text, "{} · {seconds:.2} s · status {}", iso(call.started_at), call.status);
        if let Some(cost) = call.cost {
            let _ = write!(self.text, " · ${:.6}", cost.usd());
        }
        if let Some(usage) = call.usage {
            let _ = write!(self.text, " · {} in, {} out", usage.input_tokens(), usage.output_tokens());
        }
        self.text.push_str("\n\n");
        if let Some(rule) = &call.error_rule {
            let message = call.error_message.as_deref().unwrap_or_default();
            let _ = writeln!(self.text, "**failed** ({rule}): {}\n", code(message));
        }
    }

    fn message(&mut self, message: &Value) {
        let role = message.get("role").and_then(Value::as_str).unwrap_or("message");
        let content = message.get("content").or_else(|| message.get("parts")).unwrap_or(message);
        let mut text = plain(content).unwrap_or_else(|| content.to_string());
        if let Some(calls) = message.get("tool_calls") {
            let _ = write!(text, "\n{calls}");
        }
        self.block(role, &text);
    }

    fn block(&mut self, title: &str, text: &str) {
        let text = text.trim_matches('\n');
        if text.is_empty() {
            return;
        }
        let cut = crate::model::path::cut(text, MOST_CHARS);
        let fence = "`".repeat(longest_run(cut).max(2) + 1);
        let _ = write!(self.text, "**{}**\n\n{fence}\n{cut}\n{fence}\n\n", one_line(title));
        if cut.len() < text.len() {
            let _ = writeln!(self.text, "_{} more bytes_\n", text.len() - cut.len());
        }
    }

    fn finish(mut self, truncated: bool) -> String {
        if truncated || self.full() {
            self.text.push_str("_The session is longer; this is its beginning._\n");
        }
        self.text
    }
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Text inside a line of Markdown: nothing in it starts markup or a line.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in crate::model::path::cut(text, 300).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => {
                line.push('\\');
                line.push(c);
            }
            c if c.is_control() => line.push(' '),
            c => line.push(c),
        }
    }
    line
}

/// Text as code inside a line.
fn code(text: &str) -> String {
    let line: String =
        crate::model::path::cut(text, 1_000).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&line) + 1);
    if line.is_empty() { String::new() } else { format!("{fence} {line} {fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_logged_cannot_leave_its_fence() {
        let mut document = Document { text: String::new(), only: None, steps: 0, written: false, before: Vec::new() };
        document.block("user", "a\n````\n# not a title\n```");
        assert_eq!(document.text, "**user**\n\n`````\na\n````\n# not a title\n```\n`````\n\n");
        assert_eq!(code("a`b\nc"), "`` a`b c ``");
        assert_eq!(one_line("# <b>\nx"), "\\# \\<b\\> x");
    }
}
