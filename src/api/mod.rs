//! The API: manual logs come in, sessions and requests are asked for. JSON over HTTP in Helicone's shapes, with additions.
//!
//! It knows the store and ingest, never the proxy. Each handler takes the caller's right as an extractor, so a route
//! without one shows in its signature. All times leave here as text, all money in dollars, all durations in
//! milliseconds.

mod account;
mod answer;
mod attention;
mod breakdown;
mod conversation;
mod dead_letters;
mod digest;
mod error;
mod export;
mod extract;
mod figures;
mod find;
mod gaps;
mod health;
mod histogram;
mod keys;
mod live;
mod log;
mod markdown;
mod marks;
mod openapi;
mod owned;
mod paths;
mod properties;
mod reading;
mod request_row;
mod requests;
mod saved;
mod session;
mod sessions;
mod settings;
mod sort;
mod sparks;
#[cfg(test)]
mod tests;
mod tool_node;
mod tools;
mod top;
mod users;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::response::Response;
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Auth;
use crate::ingest::{DeadLetters, Ingest};
use crate::model::units::Micros;
use crate::store::Store;

pub use error::ApiError;
pub use health::{JournalState, Probes};
pub use log::{is_log_path, take as take_log};
pub use owned::{not_here, owns};

/// How long a request waits for what was logged before it to be in the store.
const SETTLE_LIMIT: Duration = Duration::from_millis(250);

/// Everything that handlers use. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    pub store: Store,
    pub ingest: Ingest,
    pub auth: Auth,
    pub limits: Limits,
    pub probes: Probes,
    pub dead_letters: DeadLetters,
    pub about: Arc<About>,
    /// Streams end when it is cancelled.
    pub stop: CancellationToken,
}

/// What the settings page shows of this process.
#[derive(Clone, Debug)]
pub struct About {
    pub started_at: Micros,
    /// `durable` or `fast`.
    pub durability: &'static str,
    /// Whether prices of the operator win over the built-in ones.
    pub price_overlay: bool,
}

/// Sizes and times that bound a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of a manual log's body.
    pub log_bytes: usize,
    /// Of any other body.
    pub query_bytes: usize,
    /// Of the bodies in one page of requests.
    pub page_bytes: usize,
    /// In which a request's body must arrive.
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { log_bytes: 10 * MIB, query_bytes: MIB, page_bytes: 10 * MIB, body_timeout: Duration::from_secs(60) }
    }
}

impl ApiState {
    /// Lets what was accepted before reach the store, so that clients read what they wrote. Gives up when the store is
    /// away or far behind: an answer that is a little old is better than none.
    async fn settled(&self) {
        self.ingest.settled(SETTLE_LIMIT).await;
    }
}

/// The routes. The fallback takes manual logs under any base path and answers 404 else; an application that proxies
/// replaces it, and asks [`is_log_path`] and [`owns`] first.
pub fn router(state: ApiState) -> Router {
    routes().split_for_parts().0.fallback(elsewhere).method_not_allowed_fallback(wrong_method).with_state(state)
}

/// The description of all routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = routes().into_openapi();
    openapi::complete(&mut document);
    document
}

fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::Frame::openapi())
        .routes(routes!(sessions::query))
        .routes(routes!(sessions::count))
        .routes(routes!(sessions::names))
        .routes(routes!(sessions::metrics))
        .routes(routes!(session::detail))
        .route("/v1/session/query", get(session::detail_by_word))
        .route("/v1/session/count", get(session::detail_by_word))
        .routes(routes!(session::tool_calls))
        .routes(routes!(session::feedback))
        .routes(routes!(session::tag, session::set_tag))
        .routes(routes!(requests::query))
        .routes(routes!(requests::query_legacy))
        .routes(routes!(requests::count))
        .routes(routes!(requests::by_ids))
        .routes(routes!(requests::get))
        .routes(routes!(requests::raw_body))
        .routes(routes!(marks::feedback))
        .merge(from_browsers())
        .routes(routes!(marks::property))
        .routes(routes!(marks::scores))
        .routes(routes!(properties::keys))
        .routes(routes!(properties::values))
        .routes(routes!(users::query))
        .routes(routes!(users::metrics))
        .routes(routes!(users::overview))
        .routes(routes!(gaps::list))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::get, dead_letters::remove))
        .routes(routes!(dead_letters::retry))
        .routes(routes!(log::custom))
        .routes(routes!(log::openai))
        .routes(routes!(log::anthropic))
        .routes(routes!(log::google))
        .routes(routes!(log::short))
        .routes(routes!(log::trace))
        .routes(routes!(log::trace_short))
        .routes(routes!(log::trace_typed))
        .routes(routes!(account::me))
        .routes(routes!(account::login))
        .routes(routes!(account::logout))
        .routes(routes!(top::query))
        .routes(routes!(sparks::query))
        .routes(routes!(digest::digest))
        .routes(routes!(find::find))
        .routes(routes!(markdown::get))
        .routes(routes!(export::sessions))
        .routes(routes!(export::requests))
        .routes(routes!(figures::query))
        .routes(routes!(breakdown::breakdown))
        .routes(routes!(attention::query))
        .routes(routes!(paths::query))
        .routes(routes!(tools::query))
        .routes(routes!(saved::list, saved::save))
        .routes(routes!(saved::delete))
        .routes(routes!(settings::org, settings::set_org))
        .routes(routes!(settings::retention, settings::set_retention))
        .routes(routes!(settings::system))
        .routes(routes!(live::watch))
        .routes(routes!(live::running))
        .routes(routes!(health::alive))
        .routes(routes!(health::healthcheck))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(health::description))
        .routes(routes!(health::helicone_test))
}

/// What pages of any origin may ask for, as in the original: the judgement of a call whose id they have from its answer.
/// Cookies play no part in it.
fn from_browsers() -> OpenApiRouter<ApiState> {
    let any = SetResponseHeaderLayer::overriding(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    OpenApiRouter::new().routes(routes!(marks::helicone_feedback, marks::helicone_feedback_preflight)).layer(any)
}

async fn elsewhere(State(state): State<ApiState>, request: Request) -> Response {
    match is_log_path(request.uri().path()) {
        Some(route) => take_log(&state, route, request).await,
        None => not_here(request.uri().path()),
    }
}

async fn wrong_method() -> ApiError {
    ApiError::Method
}
