//! Extractors: who may call, what the body says, what the path names. Each failure is an [`ApiError`] that names the field.
//!
//! A handler that takes none of [`Anyone`], [`Reader`], [`Logger`] and [`Admin`] is open to everybody; a test compares those handlers
//! with the routes that the OpenAPI document declares open.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_ENCODING, EXPECT};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

use super::ApiState;
use super::error::{ApiError, shorten};
use crate::auth::{AuthError, Caller};
use crate::model::id::RequestId;

/// A caller that may ask.
#[derive(Debug)]
pub struct Reader(pub Caller);

/// Any caller that is known, whatever it may do.
#[derive(Debug)]
pub struct Anyone(pub Caller);

/// A caller that may write logs, and annotate what was logged.
#[derive(Debug)]
pub struct Logger(pub Caller);

/// A caller that may make and revoke keys.
#[derive(Debug)]
pub struct Admin(pub Caller);

impl FromRequestParts<ApiState> for Reader {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = state.auth.asker(&parts.method, &parts.headers).await?;
        if caller.rights.read || caller.rights.admin { Ok(Self(caller)) } else { Err(AuthError::Forbidden.into()) }
    }
}

impl FromRequestParts<ApiState> for Anyone {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self(state.auth.asker(&parts.method, &parts.headers).await?))
    }
}

impl FromRequestParts<ApiState> for Logger {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = state.auth.caller(&parts.method, &parts.headers).await?;
        if caller.rights.write || caller.rights.admin { Ok(Self(caller)) } else { Err(AuthError::Forbidden.into()) }
    }
}

impl FromRequestParts<ApiState> for Admin {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = state.auth.asker(&parts.method, &parts.headers).await?;
        if caller.rights.admin { Ok(Self(caller)) } else { Err(AuthError::Forbidden.into()) }
    }
}

/// A JSON body, whatever its content type says; an empty one reads as `{}`. Unknown fields are the type's business.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(&parts, body, state.limits.query_bytes, state.limits.body_timeout).await?;
        let bytes = if bytes.trim_ascii().is_empty() { Bytes::from_static(b"{}") } else { bytes };
        from_json(&bytes).map(Self)
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`ApiError::TooLarge`], [`ApiError::Encoded`] and [`ApiError::Slow`]; [`ApiError::Bad`] when the client broke off.
pub async fn read_body(
    head: &Parts,
    body: axum::body::Body,
    limit: usize,
    within: Duration,
) -> Result<Bytes, ApiError> {
    read_charged(head, body, limit, within, |_| true).await
}

/// As [`read_body`], asking `charge` before each piece is kept.
///
/// # Errors
/// As [`read_body`]; [`ApiError::Unavailable`] when `charge` says no.
pub async fn read_charged(
    head: &Parts,
    mut body: axum::body::Body,
    limit: usize,
    within: Duration,
    charge: impl FnMut(usize) -> bool,
) -> Result<Bytes, ApiError> {
    let read = match coding(head) {
        Some(coding) => Err(ApiError::Encoded(coding)),
        None => read_up_to(&mut body, limit, within, charge).await,
    };
    if matches!(read, Err(ApiError::TooLarge { .. } | ApiError::Encoded(_))) && !head.headers.contains_key(EXPECT) {
        spill(body).await;
    }
    read
}

/// What the body was packed with, if it was.
fn coding(head: &Parts) -> Option<String> {
    let named = head.headers.get(CONTENT_ENCODING)?;
    let named = String::from_utf8_lossy(named.as_bytes());
    (!named.is_empty() && !named.eq_ignore_ascii_case("identity")).then(|| shorten(&named))
}

/// Lets a client that sends more than is taken finish, within bounds: closing on one that still sends loses the answer.
/// (One that expects to be told to go on sends nothing before that.)
async fn spill(mut body: axum::body::Body) {
    const MOST_BYTES: usize = 16 * 1024 * 1024;
    const MOST_TIME: Duration = Duration::from_secs(2);
    let mut left = MOST_BYTES;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // In time or not: the answer is the same.
    let _ = tokio::time::timeout(MOST_TIME, read).await;
}

async fn read_up_to(
    body: &mut axum::body::Body,
    limit: usize,
    within: Duration,
    mut charge: impl FnMut(usize) -> bool,
) -> Result<Bytes, ApiError> {
    let declared = http_body::Body::size_hint(&*body).lower();
    if usize::try_from(declared).is_ok_and(|bytes| bytes > limit) {
        return Err(ApiError::TooLarge { limit });
    }
    let read = async {
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::bad("", "the body broke off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if all.len() + data.len() > limit {
                return Err(ApiError::TooLarge { limit });
            }
            if !charge(data.len()) {
                let public = "the gateway has no memory left for logs: nothing was stored";
                return Err(ApiError::Unavailable { public, cause: None });
            }
            all.extend_from_slice(&data);
        }
        Ok(all.freeze())
    };
    tokio::time::timeout(within, read).await.map_err(|_| ApiError::Slow)?
}

/// Reads JSON; an error names the path.
///
/// # Errors
/// [`ApiError::Bad`].
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Lists would be read as objects without names.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::bad("", "the body must be a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(&error))?;
    reader.end().map_err(|error| ApiError::bad("", format!("the body is not JSON: {error}")))?;
    Ok(value)
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let inner = error.inner();
    let text = inner.to_string();
    if !inner.is_data() {
        return ApiError::bad("", format!("the body is not JSON: {text}"));
    }
    // The position in the text says less than the path, which stands before it.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let mut path = error.path().to_string();
    if path == "." {
        path.clear();
    }
    let named = ["unknown field `", "missing field `"].iter().find_map(|start| text.strip_prefix(start));
    let field = named.and_then(|rest| rest.split('`').next()).unwrap_or_default();
    if !field.is_empty() && path.rsplit('.').next() != Some(field) {
        path = if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    }
    // Names of ours say nothing to a client.
    let wants_object =
        ["struct ", "internally tagged enum "].iter().any(|kind| text.contains(&format!(", expected {kind}")));
    match wants_object {
        true if path.is_empty() => ApiError::bad("", "the body must be a JSON object"),
        true => ApiError::bad(path, "must be an object"),
        false => ApiError::bad(path, text),
    }
}

/// The request that the path names. What is no UUID names no request: 404.
#[derive(Debug)]
pub struct RequestPath(pub RequestId);

impl FromRequestParts<ApiState> for RequestPath {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Text(text) = Text::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| ApiError::no_request(&text))
    }
}

/// The text that the path names, percent-decoded; may hold slashes that came encoded.
#[derive(Debug)]
pub struct Text(pub String);

impl FromRequestParts<ApiState> for Text {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let found: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        found.map(|Path(text)| Self(text)).map_err(|_| ApiError::bad("", "the path is not percent-encoded UTF-8"))
    }
}

/// A number, also as numeric text (`"60"`), as the original's validator takes it.
///
/// # Errors
/// When it is neither, or not finite.
pub fn number<'de, D: Deserializer<'de>>(reader: D) -> Result<f64, D::Error> {
    let value: serde_json::Value = serde::Deserialize::deserialize(reader)?;
    let number = match &value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n: &f64| n.is_finite()).ok_or_else(|| D::Error::custom(format!("{value} is not a number")))
}

/// As [`number`]; absent and `null` are `None`.
///
/// # Errors
/// As [`number`].
pub fn some_number<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<f64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Given(#[serde(deserialize_with = "number")] f64);
    let given: Option<Given> = serde::Deserialize::deserialize(reader)?;
    Ok(given.map(|Given(number)| number))
}

/// A whole number from one that may be fractional or huge: towards zero, clamped.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
pub const fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default)]
        #[expect(dead_code, reason = "only its errors are looked at")]
        inner: Option<Inner>,
        #[expect(dead_code, reason = "only its errors are looked at")]
        rating: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default, deserialize_with = "some_number")]
        n: Option<f64>,
    }

    #[test]
    fn errors_name_the_path() {
        for (text, start) in [
            (r#"{"rating":true,"x":1}"#, "x: unknown field `x`, expected"),
            (r#"{"rating":true,"inner":{"y":1}}"#, "inner.y: unknown field `y`"),
            (r#"{"rating":true,"inner":{"n":"no"}}"#, "inner.n: \"no\" is not a number"),
            (r#"{"rating":1}"#, "rating: invalid type: integer `1`, expected a boolean"),
            ("{}", "rating: missing field `rating`"),
            ("[1]", "the body must be a JSON object"),
            ("1", "the body must be a JSON object"),
            ("\"x\"", "the body must be a JSON object"),
            (r#"{"rating":true,"inner":"x"}"#, "inner: must be an object"),
            ("{", "the body is not JSON: "),
            (r#"{"rating":true} x"#, "the body is not JSON: "),
        ] {
            let error = from_json::<Outer>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(start), "{text}: {error}");
        }
    }

    #[test]
    fn numbers_may_be_text() {
        for (text, n) in
            [(r#"{"n":"60"}"#, Some(60.0)), (r#"{"n":1.5}"#, Some(1.5)), (r#"{"n":null}"#, None), ("{}", None)]
        {
            assert_eq!(from_json::<Inner>(text.as_bytes()).unwrap().n, n, "{text}");
        }
        assert!(from_json::<Inner>(br#"{"n":"inf"}"#).is_err());
        assert!(from_json::<Inner>(br#"{"n":true}"#).is_err());
        assert_eq!((whole(1e300), whole(-0.5), whole(f64::NAN)), (i64::MAX, 0, 0));
    }
}
