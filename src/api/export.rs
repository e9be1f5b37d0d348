//! Exports: sessions and requests as CSV or as lines of JSON, streamed. Rows are read in pages behind one another, so that
//! memory stays bounded however many there are. A fault on the way breaks the stream off: a half file never looks whole.

use std::collections::VecDeque;
use std::io;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::error::ApiError;
use super::extract::Reader;
use super::openapi::Faults;
use super::requests::with_rows;
use super::sessions::{SessionResult, filter};
use crate::auth::Caller;
use crate::model::filter::{Filter, Scope};
use crate::model::query::{CallQuery, Page, SessionQuery, Sort, SortKey, Start, Window};
use crate::model::units::Micros;

const TOTAL_ROWS: HeaderName = HeaderName::from_static("x-total-rows");
/// Rows read at once; fewer where they come with bodies.
const PAGE: i64 = 500;
const PAGE_WITH_BODIES: i64 = 50;

/// What is exported and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// `csv` (default) or `jsonl`.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// A filter as JSON text, as in a query.
    filter: Option<String>,
    /// Milliseconds since 1970.
    from_ms: Option<i64>,
    /// Not in the window.
    to_ms: Option<i64>,
    /// Of sessions: part of the id or name.
    search: Option<String>,
    /// Of requests as lines of JSON: with bodies.
    bodies: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Csv,
    Jsonl,
}

impl ExportParams {
    fn read(uri: &Uri) -> Result<Self, ApiError> {
        let Query(params) = Query::<Self>::try_from_uri(uri).map_err(|error| {
            let inner = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            ApiError::bad("", format!("the query string: {inner}"))
        })?;
        Ok(params)
    }

    fn filter(&self, scope: Scope) -> Result<Filter, ApiError> {
        let Some(text) = self.filter.as_deref().filter(|text| !text.is_empty()) else { return Ok(Filter::ALL) };
        let value: Value =
            serde_json::from_str(text).map_err(|error| ApiError::bad("filter", format!("is not JSON: {error}")))?;
        filter(Some(&value), scope)
    }

    fn window(&self) -> Window {
        Window {
            from: self.from_ms.map(|at| Micros(at.saturating_mul(1_000))),
            to: self.to_ms.map(|at| Micros(at.saturating_mul(1_000).saturating_sub(1))),
        }
    }
}

/// Sessions as a file
///
/// Newest first. `X-Total-Rows` says how many there were at the start.
#[utoipa::path(get, path = "/v1/export/sessions", tag = "sessions", operation_id = "exportSessions", params(ExportParams),
    responses((status = 200, content_type = "text/csv", body = String), Faults))]
pub async fn sessions(State(state): State<ApiState>, Reader(caller): Reader, uri: Uri) -> Result<Response, ApiError> {
    let params = ExportParams::read(&uri)?;
    let query = SessionQuery {
        filter: params.filter(Scope::Sessions)?,
        search: params.search.clone().unwrap_or_default(),
        name_equals: None,
        window: params.window(),
        page: Page { limit: PAGE, start: Start::Offset(0) },
    };
    state.settled().await;
    let total = state.store.session_count(caller.org, &query).await?.sessions;
    let source = Source::Sessions(Box::new(query));
    Ok(file("sessions", total, Export::new(state, caller, source, params.format)))
}

/// Requests as a file
///
/// Newest first. `X-Total-Rows` says how many there were at the start.
#[utoipa::path(get, path = "/v1/export/requests", tag = "requests", operation_id = "exportRequests", params(ExportParams),
    responses((status = 200, content_type = "text/csv", body = String), Faults))]
pub async fn requests(State(state): State<ApiState>, Reader(caller): Reader, uri: Uri) -> Result<Response, ApiError> {
    let params = ExportParams::read(&uri)?;
    if params.search.is_some() {
        return Err(ApiError::bad("search", "is for sessions; use filter"));
    }
    let bodies = params.bodies == Some(true);
    if bodies && params.format == Format::Csv {
        return Err(ApiError::bad("bodies", "come with format=jsonl only"));
    }
    let query = CallQuery {
        filter: params.filter(Scope::Requests)?,
        window: params.window(),
        sort: Sort { by: SortKey::CreatedAt, descending: true },
        page: Page { limit: if bodies { PAGE_WITH_BODIES } else { PAGE }, start: Start::Offset(0) },
    };
    state.settled().await;
    let total = state.store.call_count(caller.org, &query.filter, query.window).await?;
    let source = Source::Requests(Box::new(query), bodies);
    Ok(file("requests", total, Export::new(state, caller, source, params.format)))
}

fn file(name: &str, total: i64, export: Export) -> Response {
    let (mime, end) = match export.format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Jsonl => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    let pieces = stream::unfold(Some(export), |export| async move {
        let mut export = export?;
        match export.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(export))),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, "api.export_broke_off");
                Some((Err(io::Error::other("the export broke off")), None))
            }
        }
    });
    let mut answer = Response::new(Body::from_stream(pieces));
    let head = answer.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    head.insert(TOTAL_ROWS, HeaderValue::from(total));
    head.extend(
        HeaderValue::from_str(&format!("attachment; filename=\"{name}.{end}\"")).map(|v| (CONTENT_DISPOSITION, v)),
    );
    answer
}

enum Source {
    Sessions(Box<SessionQuery>),
    Requests(Box<CallQuery>, bool),
}

/// An export on its way.
struct Export {
    state: ApiState,
    caller: Caller,
    source: Source,
    format: Format,
    /// Set by the first row.
    columns: Option<&'static [&'static str]>,
    ready: VecDeque<Bytes>,
    done: bool,
}

impl Export {
    fn new(state: ApiState, caller: Caller, source: Source, format: Format) -> Self {
        let mut export = Self { state, caller, source, format, columns: None, ready: VecDeque::new(), done: false };
        if format == Format::Csv {
            let columns = match export.source {
                Source::Sessions(_) => SESSION_COLUMNS,
                Source::Requests(..) => REQUEST_COLUMNS,
            };
            export.columns = Some(columns);
            export.ready.push_back(Bytes::from(format!("{}\r\n", columns.join(","))));
        }
        export
    }

    /// The next piece of the file; `None` at its end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        while self.ready.is_empty() && !self.done {
            let page = match &mut self.source {
                Source::Sessions(query) => {
                    let found = self.state.store.sessions(self.caller.org, query).await?;
                    match found.next {
                        Some((at, id)) => query.page.start = Start::After { at, id },
                        None => self.done = true,
                    }
                    written(found.rows.into_iter().map(|row| SessionResult::new(row, 0)), self.columns)?
                }
                Source::Requests(query, bodies) => {
                    let rows = self.state.store.calls(self.caller.org, query).await?;
                    match rows.last() {
                        Some(last) => {
                            let (at, id) = (last.call.started_at, last.call.id.to_string());
                            query.page.start = Start::After { at, id };
                        }
                        None => self.done = true,
                    }
                    let rows = with_rows(&self.state, &self.caller, rows, *bodies).await?;
                    written(rows.into_iter(), self.columns)?
                }
            };
            if !page.is_empty() {
                self.ready.push_back(Bytes::from(page));
            }
        }
        Ok(self.ready.pop_front())
    }
}

const SESSION_COLUMNS: &[&str] = &[
    "session_id",
    "session_name",
    "created_at",
    "latest_request_created_at",
    "latest_ended_at",
    "outcome",
    "total_requests",
    "errors",
    "total_cost",
    "unpriced_requests",
    "input_tokens",
    "output_tokens",
    "prompt_cache_read_tokens",
    "reasoning_tokens",
    "wall_ms",
    "busy_ms",
    "avg_latency",
    "user_ids",
    "tag",
];
const REQUEST_COLUMNS: &[&str] = &[
    "request_id",
    "request_created_at",
    "response_created_at",
    "session_id",
    "session_name",
    "session_path",
    "kind",
    "provider",
    "model",
    "response_status",
    "outcome",
    "error_rule",
    "error_message",
    "delay_ms",
    "time_to_first_token",
    "cost",
    "cost_source",
    "input_tokens",
    "output_tokens",
    "prompt_cache_read_tokens",
    "reasoning_tokens",
    "finish_reason",
    "tool_calls",
    "request_user_id",
    "target_url",
    "request_bytes",
    "response_bytes",
    "properties",
];

/// Rows as lines: of these columns, or as JSON.
fn written<T: Serialize>(
    rows: impl Iterator<Item = T>,
    columns: Option<&'static [&'static str]>,
) -> Result<String, ApiError> {
    let failed = |error: serde_json::Error| ApiError::Internal(Box::new(error));
    let mut text = String::new();
    for row in rows {
        let Some(columns) = columns else {
            text.push_str(&serde_json::to_string(&row).map_err(failed)?);
            text.push('\n');
            continue;
        };
        let value = serde_json::to_value(&row).map_err(failed)?;
        let cells: Vec<String> = columns.iter().map(|name| cell(value.get(name))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    Ok(text)
}

/// A cell. Text that a spreadsheet would take for a formula gets an apostrophe before it.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        Some(Value::Number(number)) => return number.to_string(),
        Some(other) => other.to_string(),
    };
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if risky { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_text_that_no_spreadsheet_runs() {
        for (value, text) in [
            (json!(null), ""),
            (json!("plain"), "plain"),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"hi\"\n"), "\"say \"\"hi\"\"\n\""),
            (json!("=1+1"), "'=1+1"),
            (json!("@x,y"), "\"'@x,y\""),
            (json!(-1.5), "-1.5"),
            (json!(["a", "b"]), "a; b"),
            (json!({"k": "v"}), "\"{\"\"k\"\":\"\"v\"\"}\""),
        ] {
            assert_eq!(cell(Some(&value)), text);
        }
        assert_eq!(cell(None), "");
    }
}
