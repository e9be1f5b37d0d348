//! Finding text inside a session: `GET /v1/session/{id}/find`.

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::answer::{Answer, ok};
use super::error::ApiError;
use super::extract::{Reader, Text};
use super::openapi::{Faults, Missing};
use super::reading::{Pages, text};
use crate::model::query::{CallBodies, CallDetail};

const MOST_CHARS: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindParams {
    /// What to find, without case, 1 to 200 characters.
    q: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// Calls with hits, in order of start.
    hits: Vec<Hit>,
    /// Hits in all calls.
    total: usize,
    /// True: not everything was looked through (10,000 calls, 64 MB of bodies).
    truncated: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    request_id: String,
    count: usize,
}

/// Which calls of a session hold a text
///
/// Looked for in both bodies (streams put together), the path, the model and the error's message.
#[utoipa::path(get, path = "/v1/session/{id}/find", tag = "sessions", operation_id = "findInSession",
    params(("id" = String, Path, description = "the session's id, percent-encoded"), FindParams),
    responses((status = 200, body = Answer<Found>), Missing, Faults))]
pub async fn find(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Text(id): Text,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Query(params) = Query::<FindParams>::try_from_uri(&uri)
        .map_err(|_| ApiError::bad("q", "is the one parameter that is known here, and must be given"))?;
    if params.q.is_empty() || params.q.chars().count() > MOST_CHARS {
        return Err(ApiError::bad("q", format!("must have 1 to {MOST_CHARS} characters")));
    }
    state.settled().await;
    let needle = Needle::new(&params.q);
    let mut pages = Pages::open(&state, &caller, &id).await?;
    let mut found = Found { hits: Vec::new(), total: 0, truncated: false };
    loop {
        let page = pages.next(&state, &caller).await?;
        if page.is_empty() {
            break;
        }
        let sought = needle.clone();
        // Decoding and searching megabytes: not on a thread that forwards calls.
        let hits =
            tokio::task::spawn_blocking(move || page.iter().filter_map(|call| sought.hit(call)).collect::<Vec<_>>());
        let hits = hits.await.map_err(|error| ApiError::Internal(Box::new(error)))?;
        found.total += hits.iter().map(|hit| hit.count).sum::<usize>();
        found.hits.extend(hits);
    }
    found.truncated = pages.truncated;
    Ok(ok(found))
}

/// A text as it is, and as JSON writes it: bodies hold it in either form.
#[derive(Clone)]
struct Needle {
    plain: String,
    escaped: String,
}

impl Needle {
    fn new(text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_lowercase();
        Self { plain: text.to_lowercase(), escaped }
    }

    fn count(&self, text: &str) -> usize {
        let text = text.to_lowercase();
        let plain = text.matches(&self.plain).count();
        if self.escaped == self.plain { plain } else { plain + text.matches(&self.escaped).count() }
    }

    fn hit(&self, (row, bodies): &(CallDetail, Option<CallBodies>)) -> Option<Hit> {
        let call = &row.call;
        let named = [&call.path, &call.model, &call.error_message].into_iter().flatten();
        let mut count: usize = named.map(|text| self.count(text)).sum();
        if let Some(bodies) = bodies {
            count += self.count(&text(&bodies.request, "request"));
            count += self.count(&text(&bodies.response, "response"));
        }
        (count > 0).then(|| Hit { request_id: call.id.to_string(), count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_without_case_and_as_json_writes_it() {
        let of = |needle: &str, text: &str| Needle::new(needle).count(text);
        assert_eq!(of("hotel", "Hotel hOTEL motel"), 2);
        assert_eq!(of("straße", "STRASSE straße"), 1);
        assert_eq!(of("say \"hi\"", r#"{"content":"say \"hi\" twice"}"#), 1);
        assert_eq!(of("a\nb", r#"{"content":"a\nb"}"#), 1);
        assert_eq!(of("é", "É"), 1);
        assert_eq!(of("x", ""), 0);
    }
}
