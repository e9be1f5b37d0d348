//! What a browser sees: the dashboard, embedded in the binary from `web/dist`, and for everybody else at `/` how to use this
//! server.
//!
//! Pages are answered only to browsers that ask for one (`Accept: text/html`) and to nobody who names a target, so no path
//! of a provider is taken away from the proxy. Everything that is sent forbids itself to load or to run anything from
//! elsewhere: what the dashboard shows was written by strangers.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, HOST, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `npm run build` left in `web/dist`; empty in a clone that was built without it.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
struct Dist;

/// The document of every page; the dashboard reads from the address which one is meant.
const INDEX: &str = "index.html";
/// First segments of the dashboard's own addresses.
const PAGES: [&str; 11] =
    ["", "start", "sessions", "requests", "paths", "tools", "models", "users", "properties", "settings", "login"];
/// Files whose names hold a hash of what is in them.
const HASHED: &str = "assets/";
/// Smaller files gain nothing by being packed.
const PACK_FROM: usize = 512;

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";
const TARGET: HeaderName = HeaderName::from_static("helicone-target-url");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether a request is for the dashboard, or for the greeting at `/`.
pub fn wants(request: &Request) -> bool {
    let headers = request.headers();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if !reads || headers.contains_key(TARGET) || headers.contains_key(AUTHORIZATION) {
        return false;
    }
    let path = request.uri().path();
    path == "/" || (is_page(path) && asks_html(headers)) || name_of(path).is_some()
}

/// Answers what [`wants`] says yes to.
pub async fn answer(request: Request) -> Response {
    let path = request.uri().path();
    let headers = request.headers();
    if let Some(name) = name_of(path) {
        return file(name, headers).await;
    }
    if !asks_html(headers) {
        return greeting(headers, "");
    }
    if Dist::get(INDEX).is_none() {
        return greeting(headers, "\nThe dashboard is not part of this build: run `make web`, then build again.\n");
    }
    file(INDEX, headers).await
}

fn is_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    PAGES.contains(&first)
}

fn asks_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// The file of the build that a path names, pages aside.
fn name_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let hidden = name.is_empty() || name.starts_with('.') || name == INDEX || name.contains("/.");
    let known = !hidden && (name.starts_with(HASHED) || !name.contains('/'));
    (known && Dist::get(name).is_some()).then_some(name)
}

async fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some(found) = Dist::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let kept = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let encoding = Encoding::choose(headers, found.data.len());
    let etag = format!("\"{}{}\"", hex::encode(found.metadata.sha256_hash()), encoding.suffix());
    let mut answer = Response::new(Body::empty());
    let head = answer.headers_mut();
    head.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    head.insert(VARY, HeaderValue::from_static("accept-encoding"));
    head.extend(HeaderValue::from_str(&etag).map(|etag| (ETAG, etag)));
    guard(head);
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag)) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    let mime = found.metadata.mimetype();
    let mime = if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    head.extend(HeaderValue::from_str(&mime).map(|mime| (CONTENT_TYPE, mime)));
    let bytes = match encoding {
        Encoding::Plain => Bytes::from(found.data.into_owned()),
        packed => match pack(name, found, packed).await {
            Some(bytes) => {
                head.insert(CONTENT_ENCODING, HeaderValue::from_static(packed.name()));
                bytes
            }
            None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    };
    *answer.body_mut() = Body::from(bytes);
    answer
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Encoding {
    Plain,
    Gzip,
    Brotli,
}

impl Encoding {
    fn choose(headers: &HeaderMap, len: usize) -> Self {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
        let accepts = |name: &str| {
            accepted.split(',').filter_map(|one| one.split(';').next()).any(|one| one.trim().eq_ignore_ascii_case(name))
        };
        match () {
            () if len < PACK_FROM => Self::Plain,
            () if accepts("br") => Self::Brotli,
            () if accepts("gzip") => Self::Gzip,
            () => Self::Plain,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => "-gzip",
            Self::Brotli => "-br",
        }
    }
}

type Packed = HashMap<(String, Encoding), ([u8; 32], Bytes)>;

/// The file packed; done once for each file and way of packing.
async fn pack(name: &str, file: EmbeddedFile, encoding: Encoding) -> Option<Bytes> {
    static PACKED: LazyLock<Arc<Mutex<Packed>>> = LazyLock::new(Arc::default);
    let packed = Arc::clone(&PACKED);
    let key = (name.to_owned(), encoding);
    let hash = file.metadata.sha256_hash();
    if let Some((known, bytes)) = packed.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
        && *known == hash
    {
        return Some(bytes.clone());
    }
    let squeezed = tokio::task::spawn_blocking(move || squeeze(&file.data, encoding)).await.ok()?;
    let bytes = Bytes::from(squeezed.inspect_err(|error| tracing::error!(%error, "ui.not_packed")).ok()?);
    packed.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (hash, bytes.clone()));
    Some(bytes)
}

fn squeeze(data: &[u8], encoding: Encoding) -> std::io::Result<Vec<u8>> {
    const BROTLI_QUALITY: u32 = 9;
    const BROTLI_WINDOW: u32 = 20;
    let mut out = Vec::with_capacity(data.len() / 3);
    match encoding {
        Encoding::Plain => out.extend_from_slice(data),
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::best());
            writer.write_all(data)?;
            writer.finish()?;
        }
        Encoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, BROTLI_QUALITY, BROTLI_WINDOW);
            writer.write_all(data)?;
            writer.flush()?;
        }
    }
    Ok(out)
}

fn guard(head: &mut HeaderMap) {
    head.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    head.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    head.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    head.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

fn greeting(headers: &HeaderMap, more: &str) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8787");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "Trailgate {version}\n\n\
         Point an OpenAI SDK here:     base_url = http://{host}/v1\n\
         Point an Anthropic SDK here:  base_url = http://{host}/v1/gateway/anthropic\n\
         Any other provider:           base_url = http://{host}/v1/gateway/<provider>/v1\n\
         Helicone's manual loggers:    logging_endpoint = http://{host}\n\n\
         Ask for sessions:  curl -s http://{host}/v1/session/query -H 'content-type: application/json' -d '{{}}'\n\
         The whole API:     http://{host}/openapi.json\n{more}"
    );
    let mut answer = text.into_response();
    guard(answer.headers_mut());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn pages_are_for_browsers_and_take_nothing_from_the_proxy() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        for path in ["/", "/sessions", "/sessions/a%2Fb", "/models", "/login", "/settings/keys"] {
            assert!(wants(&request("GET", path, &[html])), "{path}");
            assert!(wants(&request("HEAD", path, &[html])), "{path}");
            assert!(!wants(&request("POST", path, &[html])), "{path}");
            assert!(!wants(&request("GET", path, &[html, ("helicone-target-url", "https://x.example")])), "{path}");
            assert!(!wants(&request("GET", path, &[html, ("authorization", "Bearer x")])), "{path}");
        }
        assert!(wants(&request("GET", "/", &[])), "the greeting");
        for path in
            ["/models", "/sessions", "/v1/models", "/chat/completions", "/nothing", "/.gitignore", "/index.html"]
        {
            assert!(!wants(&request("GET", path, &[("accept", "*/*")])), "{path}");
        }
        assert!(!wants(&request("GET", "/v1/chat/completions", &[html])));
        assert!(!wants(&request("GET", "/.gitignore", &[html])));
    }

    #[tokio::test]
    async fn whoever_is_no_browser_is_told_how_to_use_the_server() {
        let answer = answer(request("GET", "/", &[("host", "gateway:1")])).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("base_url = http://gateway:1/v1"));
    }

    #[test]
    fn packing_is_chosen_by_what_the_browser_takes() {
        let of = |accepted: &'static str, len| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            Encoding::choose(&headers, len).name()
        };
        assert_eq!(of("gzip, deflate, br;q=1", 1000), "br");
        assert_eq!(of("GZIP", 1000), "gzip");
        assert_eq!(of("brx", 1000), "identity");
        assert_eq!(of("br", 10), "identity");
        for encoding in [Encoding::Gzip, Encoding::Brotli] {
            let text = b"the same words again ".repeat(100);
            let packed = squeeze(&text, encoding).unwrap();
            assert!(packed.len() < text.len() / 4, "{}", encoding.name());
        }
    }
}
