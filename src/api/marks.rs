//! What is said about a request afterwards: properties, scores, judgements.

use std::collections::BTreeMap;

use axum::Json as AxumJson;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Done, created};
use super::error::ApiError;
use super::extract::{Json, Logger, RequestPath};
use super::openapi::{Faults, Missing};
use super::request_row::FEEDBACK_SCORE;
use super::session::FeedbackBody;
use crate::model::id::{OrgId, RequestId};
use crate::model::tags::Property;

/// As for keys in headers.
const MOST_KEY_BYTES: usize = 256;
const MOST_VALUE_BYTES: usize = 64 * 1024;
/// Kept as columns of a call, by which its session is summed.
const SESSION_KEYS: [&str; 3] = ["Helicone-Session-Id", "Helicone-Session-Name", "Helicone-Session-Path"];
const MOST_SCORES: usize = 100;

/// Judges a request
///
/// Kept as score `helicone-score-feedback`, 1 or 0.
#[utoipa::path(post, path = "/v1/request/{id}/feedback", tag = "requests", operation_id = "rateRequest",
    params(("id" = String, Path)), request_body = FeedbackBody,
    responses((status = 201, body = Done), Missing, Faults))]
pub async fn feedback(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    RequestPath(id): RequestPath,
    Json(body): Json<FeedbackBody>,
) -> Result<Response, ApiError> {
    rate(&state, caller.org, id, body.rating).await?;
    Ok(created(()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeliconeFeedbackBody {
    #[serde(rename = "helicone-id")]
    helicone_id: String,
    rating: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HeliconeFeedbackAnswer {
    message: String,
    helicone_id: String,
}

/// Judges a request, in the proxy's form
#[utoipa::path(post, path = "/v1/feedback", tag = "requests", operation_id = "rateRequestByHeliconeId",
    request_body = HeliconeFeedbackBody, responses((status = 200, body = HeliconeFeedbackAnswer), Missing, Faults))]
pub async fn helicone_feedback(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    Json(body): Json<HeliconeFeedbackBody>,
) -> Result<Response, ApiError> {
    let id = body.helicone_id.parse().map_err(|_| ApiError::no_request(&body.helicone_id))?;
    rate(&state, caller.org, id, body.rating).await?;
    let message = "Feedback added successfully.".to_owned();
    Ok(AxumJson(HeliconeFeedbackAnswer { message, helicone_id: body.helicone_id }).into_response())
}

/// What a browser asks before it lets a page judge a request
#[utoipa::path(options, path = "/v1/feedback", tag = "requests", operation_id = "preflightRateRequest",
    responses((status = 204, description = "Pages of any origin may, with a key in a header.")), security(()))]
pub async fn helicone_feedback_preflight() -> Response {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, helicone-auth"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

async fn rate(state: &ApiState, org: OrgId, id: RequestId, rating: bool) -> Result<(), ApiError> {
    state.settled().await;
    let value = if rating { 1.0 } else { 0.0 };
    if state.store.set_score(org, id, FEEDBACK_SCORE, value).await? {
        Ok(())
    } else {
        Err(ApiError::no_request(&id.to_string()))
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PropertyBody {
    /// 1 to 256 bytes; compared without case. Not `Helicone-Session-Id`, `-Name` or `-Path`: a call stays in its session.
    key: String,
    /// At most 64 KiB.
    value: String,
}

/// Adds or replaces a property of a request
#[utoipa::path(put, path = "/v1/request/{id}/property", tag = "requests", operation_id = "setRequestProperty",
    params(("id" = String, Path)), request_body = PropertyBody,
    responses((status = 201, body = Done), Missing, Faults))]
pub async fn property(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    RequestPath(id): RequestPath,
    Json(body): Json<PropertyBody>,
) -> Result<Response, ApiError> {
    if body.key.is_empty() || body.key.len() > MOST_KEY_BYTES {
        return Err(ApiError::bad("key", format!("must have 1 to {MOST_KEY_BYTES} bytes")));
    }
    if SESSION_KEYS.iter().any(|key| body.key.eq_ignore_ascii_case(key)) {
        return Err(ApiError::bad(
            "key",
            "a call stays in the session, and at the path, that it was sent with: send the Helicone-Session-* headers \
             with the call",
        ));
    }
    if body.value.len() > MOST_VALUE_BYTES {
        return Err(ApiError::bad("value", format!("is longer than {MOST_VALUE_BYTES} bytes")));
    }
    state.settled().await;
    let property = Property { key: body.key, value: body.value };
    if !state.store.set_property(caller.org, id, &property).await? {
        return Err(ApiError::no_request(&id.to_string()));
    }
    // `ok` is what the original's other host answers to the same path.
    Ok((StatusCode::CREATED, AxumJson(json!({ "data": null, "error": null, "ok": "true" }))).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoresBody {
    /// By name: a whole number, or true or false, which is kept as 1 or 0 under `<name>-hcone-bool`.
    #[schema(value_type = BTreeMap<String, i64>)]
    scores: BTreeMap<String, Value>,
}

/// Adds or replaces scores of a request
#[utoipa::path(post, path = "/v1/request/{id}/score", tag = "requests", operation_id = "scoreRequest",
    params(("id" = String, Path)), request_body = ScoresBody,
    responses((status = 201, body = Done), Missing, Faults))]
pub async fn scores(
    State(state): State<ApiState>,
    Logger(caller): Logger,
    RequestPath(id): RequestPath,
    Json(body): Json<ScoresBody>,
) -> Result<Response, ApiError> {
    let scores = read_scores(body.scores)?;
    state.settled().await;
    if state.store.call(caller.org, id).await?.is_none() {
        return Err(ApiError::no_request(&id.to_string()));
    }
    for (name, value) in &scores {
        state.store.set_score(caller.org, id, name, *value).await?;
    }
    Ok(created(()))
}

/// All of them or none: one that is wrong leaves the others unsaid.
fn read_scores(scores: BTreeMap<String, Value>) -> Result<Vec<(String, f64)>, ApiError> {
    if scores.len() > MOST_SCORES {
        return Err(ApiError::bad("scores", format!("are more than {MOST_SCORES}")));
    }
    let read = |(name, value): (String, Value)| {
        if name.is_empty() || name.len() > MOST_KEY_BYTES {
            return Err(ApiError::bad("scores", format!("a name must have 1 to {MOST_KEY_BYTES} bytes")));
        }
        match &value {
            Value::Bool(yes) => Ok((format!("{name}-hcone-bool"), f64::from(u8::from(*yes)))),
            Value::Number(number) => match whole_number(number) {
                Some(score) => Ok((name, score)),
                None => Err(ApiError::bad(format!("scores.{name}"), "must be a whole number, true or false")),
            },
            _ => Err(ApiError::bad(format!("scores.{name}"), "must be a whole number, true or false")),
        }
    };
    scores.into_iter().map(read).collect()
}

fn whole_number(number: &Number) -> Option<f64> {
    number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= 2_f64.powi(53))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Result<Vec<(String, f64)>, String> {
        read_scores(serde_json::from_value(value).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn scores_are_whole_numbers_or_booleans() {
        let read_ok = read(json!({"a": 3, "b": true, "c": false, "d": -1.0})).unwrap();
        let names: Vec<&str> = read_ok.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b-hcone-bool", "c-hcone-bool", "d"]);
        assert_eq!(read_ok.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [3.0, 1.0, 0.0, -1.0]);
        for wrong in [json!({"x": 0.5}), json!({"x": "1"}), json!({"x": null}), json!({"a": 1, "x": []})] {
            assert!(read(wrong.clone()).unwrap_err().starts_with("scores.x: "), "{wrong}");
        }
    }
}
