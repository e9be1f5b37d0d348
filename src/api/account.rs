//! Who is asking, and signing in and out: what the dashboard does first.

use axum::extract::State;
use axum::http::header::{HOST, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, Done, ok};
use super::error::ApiError;
use super::extract::{Anyone, Json};
use super::openapi::Faults;
use super::words::AuthMode;
use crate::auth::{AuthError, Caller, Via};

/// Who is asking and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    organization: Organization,
    /// The key that was shown, or that the browser signed in with; null where none was.
    key: Option<KeyName>,
    rights: RightsResult,
    /// `open`: no key is needed; `keys`: one is.
    auth: AuthMode,
    /// Whether it is a browser's session that speaks.
    signed_in: bool,
    #[schema(value_type = String)]
    version: &'static str,
    /// This server's address as the asker knows it.
    url: String,
    /// Whether the organisation has any call.
    has_data: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct KeyName {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RightsResult {
    read: bool,
    write: bool,
    admin: bool,
}

/// A key, or the token of the link that was printed at start.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    #[schema(value_type = Option<String>)]
    key: Option<SecretString>,
    /// Works once, within an hour of the start.
    #[schema(value_type = Option<String>)]
    token: Option<SecretString>,
}

/// Who is asking
#[utoipa::path(get, path = "/v1/me", tag = "account", operation_id = "getMe",
    responses((status = 200, body = Answer<Me>), Faults))]
pub async fn me(
    State(state): State<ApiState>,
    Anyone(caller): Anyone,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(ok(about(&state, &caller, &headers).await?))
}

/// Signs a browser in
///
/// By a key or by the link printed at start. The session is a cookie that scripts cannot read.
#[utoipa::path(post, path = "/v1/login", tag = "account", operation_id = "login", security(()),
    request_body = LoginBody, responses((status = 200, body = Answer<Me>), Faults))]
pub async fn login(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Json(body): Json<LoginBody>,
) -> Result<Response, ApiError> {
    own_page(&state, &headers)?;
    let signed_in = match (&body.key, &body.token) {
        (Some(key), None) => state.auth.sign_in(key, &headers).await?,
        (None, Some(token)) => state.auth.sign_in_by_link(token, &headers).await?,
        _ => return Err(ApiError::bad("key", "give either a key or the token of the link")),
    };
    let me = about(&state, &signed_in.caller, &headers).await?;
    Ok(with_cookie(ok(me), signed_in.cookie))
}

/// Signs the browser out
#[utoipa::path(post, path = "/v1/logout", tag = "account", operation_id = "logout", security(()),
    responses((status = 200, body = Done), Faults))]
pub async fn logout(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, ApiError> {
    own_page(&state, &headers)?;
    let cookie = state.auth.sign_out(&headers).await?;
    Ok(with_cookie(ok(()), cookie))
}

/// These two need no caller, so nobody else has looked where the request comes from: a page of another site must not sign
/// somebody in as somebody else.
fn own_page(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    if state.auth.is_own_page(&Method::POST, headers) { Ok(()) } else { Err(AuthError::CrossSite.into()) }
}

fn with_cookie(answer: Response, cookie: HeaderValue) -> Response {
    ([(SET_COOKIE, cookie)], answer).into_response()
}

async fn about(state: &ApiState, caller: &Caller, headers: &HeaderMap) -> Result<Me, ApiError> {
    let org = state.store.org(caller.org).await?;
    let name = org.map(|org| org.name).unwrap_or_default();
    let key = match caller.key {
        None => None,
        Some(id) => state.store.keys(caller.org).await?.into_iter().find(|key| key.id == id),
    };
    Ok(Me {
        organization: Organization { id: caller.org.to_string(), name },
        key: key.map(|key| KeyName { id: key.id.to_string(), name: key.name }),
        rights: RightsResult {
            read: caller.rights.read || caller.rights.admin,
            write: caller.rights.write || caller.rights.admin,
            admin: caller.rights.admin,
        },
        auth: AuthMode::of(&state.auth),
        signed_in: caller.via == Via::Cookie,
        version: env!("CARGO_PKG_VERSION"),
        url: address(headers),
        has_data: state.store.has_calls(caller.org).await?,
    })
}

/// The address that the asker used; behind a proxy that ends TLS, what the proxy says of it. Only shown, never trusted.
fn address(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let https = text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    format!("{}://{host}", if https { "https" } else { "http" })
}
