//! What a browser sees at `/`: how to use this server. The dashboard's place.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::routing::get;

/// The routes for people.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(front))
}

async fn front(headers: HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8787");
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "Trailgate {version}\n\n\
         Point an OpenAI SDK here:     base_url = http://{host}/v1\n\
         Point an Anthropic SDK here:  base_url = http://{host}\n\
         Any other provider:           base_url = http://{host}/v1/gateway/<provider>/v1\n\
         Helicone's manual loggers:    logging_endpoint = http://{host}\n\n\
         Ask for sessions:  curl -s http://{host}/v1/session/query -H 'content-type: application/json' -d '{{}}'\n\
         The whole API:     http://{host}/openapi.json\n"
    )
}
