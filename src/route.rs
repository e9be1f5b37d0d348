//! Routing: from a call's path, host name and tags to the upstream that it goes to. Pure; decides names only, never
//! addresses (the connector in `proxy::upstream` checks those when it connects).
//!
//! In order, the first that applies (PROTOCOL 1.1 to 1.4):
//! 1. `Helicone-Target-URL`, else `Helicone-OpenAI-Api-Base`: the origin of that URL; a path inside it is ignored.
//! 2. `/v1/gateway/<provider>/…`: that provider, the rest of the path; nowhere where no provider has the name.
//! 3. The host name's first label: a provider's name or alias; `gateway` asks for a target.
//! 4. Paths that only one provider has: `/v1/messages` and `/v1/complete` (Anthropic); `/v1beta/…`, `/v1alpha/…`,
//!    `/upload/…`, `/v1/interactions` and `/v1/models/{model}:generateContent` with its like (Google);
//!    `/v1/projects/…/locations/…`, `/v1/publishers/…` and `/v1beta1/…` (Vertex); `/v1/chat`, `/v1/embed`, `/v2/chat` with
//!    its like (Cohere).
//! 5. Other paths under `/v1/…` with what only one provider's clients send: `anthropic-version` or `anthropic-beta`
//!    (Anthropic's models, files, batches), `x-goog-api-key` or a key of Google's in the address. The default provider would
//!    be told another one's key.
//! 6. `/v1/…`: the default provider.

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Uri};
use url::{Host, Url};

use crate::config::{Config, Provider, Targets};
use crate::model::capture::WireFormat;
use crate::model::tags::Tags;

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The provider's configured name, or the target's host name where no provider has it.
    pub provider: String,
    pub format: WireFormat,
    /// The whole upstream address; path and query are the client's bytes, behind the provider's own path if it has one.
    pub uri: Uri,
    /// Speak HTTP/2 without TLS.
    pub http2: bool,
}

/// Why a call goes nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("{header}: {reason}")]
    BadTarget { header: &'static str, reason: String },
    #[error(
        "Missing target base url: this host name serves any provider, so the call must name one in Helicone-Target-URL, \
         or use the path /v1/gateway/<provider>/…"
    )]
    MissingTarget,
    #[error(
        "{header}: the host {host} is none of the configured providers, and egress.targets = \"known\" allows only those"
    )]
    UnknownTarget { header: &'static str, host: String },
    #[error(
        "no provider serves the path {path}: use /v1/…, /v1/gateway/<provider>/… with one of {providers}, or name the \
         upstream in Helicone-Target-URL"
    )]
    UnknownPath { path: String, providers: String },
}

/// The part of a call that routing looks at.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// Path and query as received.
    pub path: &'a PathAndQuery,
    /// `Host` or `:authority`, if there was one.
    pub host: Option<&'a str>,
    pub headers: &'a HeaderMap,
}

/// Finds the upstream of a call.
///
/// # Errors
/// When the target is no usable URL, is not allowed, or nothing serves the path.
pub fn resolve(config: &Config, address: Address<'_>, tags: &Tags) -> Result<Route, RouteError> {
    let chosen = [("Helicone-Target-URL", &tags.target_url), ("Helicone-OpenAI-Api-Base", &tags.openai_api_base)]
        .into_iter()
        .find_map(|(header, value)| Some((header, value.as_deref()?)));
    let gateway_path = split_gateway_path(config, address.path);
    if let Some((header, text)) = chosen {
        let path = gateway_path.map_or_else(|| address.path.clone(), |(_, _, rest)| rest);
        return to_target(config, header, text, path);
    }
    if let Some((name, provider, rest)) = gateway_path {
        return Ok(to_provider(name, provider, &rest));
    }
    if names_gateway(address.path.path()) {
        return Err(unknown_path(config, address.path.path()));
    }
    match first_label(address.host) {
        Some(label) if label == "gateway" => return Err(RouteError::MissingTarget),
        Some(label) => {
            if let Some((name, provider)) = find_provider(config, &label) {
                return Ok(to_provider(name, provider, address.path));
            }
        }
        None => {}
    }
    let path = address.path.path();
    let by_path = of_path(path).or_else(|| path.starts_with("/v1/").then(|| by_client(config, address)));
    let by_path = by_path.unwrap_or_default();
    if let Some((name, provider)) = find_provider(config, by_path) {
        return Ok(to_provider(name, provider, address.path));
    }
    Err(unknown_path(config, path))
}

fn unknown_path(config: &Config, path: &str) -> RouteError {
    let providers = config.providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    RouteError::UnknownPath { path: shortened(path), providers }
}

/// The one provider that has such a path.
fn of_path(path: &str) -> Option<&'static str> {
    let under = |starts: &[&str]| starts.iter().any(|start| path.starts_with(start));
    Some(match path {
        "/v1/complete" | "/v1/messages" => "anthropic",
        "/v1/chat" | "/v1/embed" | "/v2/chat" | "/v2/embed" | "/v2/rerank" | "/v2/parse" => "cohere",
        "/v1/interactions" => "google",
        _ if under(&["/v1/messages/"]) => "anthropic",
        _ if under(&["/v1/publishers/", "/v1beta1/"]) => "vertex",
        // OpenAI has projects, too; Vertex names a place in them.
        _ if under(&["/v1/projects/"]) && ["/locations/", "/cacheConfig"].iter().any(|word| path.contains(word)) => {
            "vertex"
        }
        _ if under(&["/v1beta/", "/v1alpha/", "/upload/v1/", "/upload/v1beta/", "/upload/v1alpha/"]) => "google",
        _ if under(&["/v1/interactions/"]) => "google",
        _ if path.starts_with("/v1/") && has_google_verb(path) => "google",
        _ => return None,
    })
}

/// The provider that a call's client shows, by what only that one's clients send; else the default one, also where it
/// speaks that provider's format itself.
fn by_client<'a>(config: &'a Config, address: Address<'_>) -> &'a str {
    let has = |name: &str| address.headers.contains_key(name);
    // Google's keys all begin so; in an address they are no one else's.
    let google_key =
        || address.path.query().is_some_and(|query| query.split('&').any(|one| one.starts_with("key=AIza")));
    let (provider, format) = if has("anthropic-version") || has("anthropic-beta") {
        ("anthropic", WireFormat::Anthropic)
    } else if has("x-goog-api-key") || google_key() {
        ("google", WireFormat::Gemini)
    } else {
        return &config.default_provider;
    };
    let default = find_provider(config, &config.default_provider);
    if default.is_some_and(|(_, default)| default.format == format) { &config.default_provider } else { provider }
}

/// Whether a path ends in `{model}:{verb}` with a verb of Google's. Others' models have colons in their names, too.
fn has_google_verb(path: &str) -> bool {
    const VERBS: [&str; 10] = [
        "generateContent",
        "streamGenerateContent",
        "generateAnswer",
        "batchGenerateContent",
        "embedContent",
        "batchEmbedContents",
        "asyncBatchEmbedContent",
        "countTokens",
        "predict",
        "predictLongRunning",
    ];
    path.rsplit_once(':').is_some_and(|(_, verb)| VERBS.contains(&verb))
}

/// Whether a call names its upstream in a header: then its path is the upstream's, also where it looks like one of ours.
pub fn names_target(headers: &HeaderMap) -> bool {
    let named = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    named("helicone-target-url") || named("helicone-openai-api-base")
}

/// The same address with one slash at its start, where its path begins with more: a base URL that ends in one makes such.
pub fn with_one_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query()?.as_str();
    let rest = path.strip_prefix("//")?.trim_start_matches('/');
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("/{rest}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// A Helicone key given as the first segment of the path, or as the one behind `/v1`, and the path without it.
pub fn split_path_key(path: &PathAndQuery) -> Option<(String, PathAndQuery)> {
    let text = path.as_str();
    let (lead, rest) = text.strip_prefix("/v1/").map_or(("", text.strip_prefix('/')?), |rest| ("/v1", rest));
    let end = rest.find(['/', '?'])?;
    let (key, tail) = rest.split_at_checked(end)?;
    let is_key = ["sk-helicone-", "pk-helicone-"].iter().any(|prefix| key.starts_with(prefix));
    if !is_key {
        return None;
    }
    Some((key.to_owned(), format!("{lead}{tail}").parse().ok()?))
}

/// The path and query for eyes and disks: values of query parameters that carry credentials blanked.
pub fn redact_query(path_and_query: &str) -> String {
    const SECRET: [&str; 9] = [
        "key",
        "api_key",
        "api-key",
        "apikey",
        "access_token",
        "token",
        "sig",
        "x-amz-signature",
        "x-amz-security-token",
    ];
    let Some((path, query)) = path_and_query.split_once('?') else { return path_and_query.to_owned() };
    let parts: Vec<String> = query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
                format!("{name}=[redacted]")
            }
            _ => part.to_owned(),
        })
        .collect();
    format!("{path}?{}", parts.join("&"))
}

fn find_provider<'a>(config: &'a Config, label: &str) -> Option<(&'a str, &'a Provider)> {
    config
        .providers
        .get_key_value(label)
        .or_else(|| config.providers.iter().find(|(_, provider)| provider.aliases.iter().any(|alias| alias == label)))
        .map(|(name, provider)| (name.as_str(), provider))
}

fn split_gateway_path<'a>(config: &'a Config, path: &PathAndQuery) -> Option<(&'a str, &'a Provider, PathAndQuery)> {
    let rest = path.as_str().strip_prefix("/v1/gateway/")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (label, tail) = rest.split_at_checked(end)?;
    let (name, provider) = find_provider(config, &label.to_ascii_lowercase())?;
    let tail = if tail.starts_with('/') { tail.to_owned() } else { format!("/{tail}") };
    Some((name, provider, tail.parse().ok()?))
}

/// Whether a path asks for a provider by name. Where no provider has that name the call goes nowhere: the default provider
/// would be told another one's key and prompt.
fn names_gateway(path: &str) -> bool {
    behind_v1(path).is_some_and(|segment| segment.eq_ignore_ascii_case("gateway"))
}

/// The segment behind `/v1`, which tells whose a path is.
pub fn behind_v1(path: &str) -> Option<&str> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.next().filter(|&first| first == "v1").and_then(|_| segments.next())
}

/// The first of at least two labels of a host name, in lower case; nothing for an address.
fn first_label(host: Option<&str>) -> Option<String> {
    let host = host?;
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    let (label, rest) = name.split_once('.')?;
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    (!rest.is_empty() && !is_address).then(|| label.to_ascii_lowercase())
}

fn to_provider(name: &str, provider: &Provider, path: &PathAndQuery) -> Route {
    let base = provider.url.path().trim_end_matches('/');
    let joined =
        if base.is_empty() { path.clone() } else { format!("{base}{path}").parse().unwrap_or_else(|_| path.clone()) };
    Route {
        provider: name.to_owned(),
        format: provider.format,
        uri: join(&provider.url, joined),
        http2: provider.http2,
    }
}

fn to_target(config: &Config, header: &'static str, text: &str, path: PathAndQuery) -> Result<Route, RouteError> {
    let bad = |reason: String| RouteError::BadTarget { header, reason };
    // These change meaning between one parser and the next; no honest target has them.
    if text.bytes().any(|b| matches!(b, b'\\' | b'@' | b'#') || b.is_ascii_whitespace() || b.is_ascii_control()) {
        return Err(bad(
            "must be a plain URL such as https://api.example.com, without user, fragment, blank or backslash"
                .to_owned(),
        ));
    }
    let url =
        Url::parse(text).map_err(|error| bad(format!("must be a URL such as https://api.example.com: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("must begin with https:// or http://".to_owned()));
    }
    let Some(host) = url.host() else { return Err(bad("names no host".to_owned())) };
    let known = config.providers.iter().find(|(_, provider)| same_origin(&provider.url, &url));
    let host_text = host.to_string();
    if known.is_none() && config.egress.targets == Targets::Known && family(&host).is_none() {
        return Err(RouteError::UnknownTarget { header, host: host_text });
    }
    let (provider, format, http2) = match (known, family(&host)) {
        (Some((name, provider)), _) => (name.clone(), provider.format, provider.http2),
        (None, Some((name, format))) => (name.to_owned(), format, false),
        (None, None) => (host_text, guess_format(path.path()), false),
    };
    Ok(Route { provider, format, uri: join(&url, path), http2 })
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

/// Providers that give each customer a host name of their own.
fn family(host: &Host<&str>) -> Option<(&'static str, WireFormat)> {
    let Host::Domain(name) = host else { return None };
    let under = |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    if ["openai.azure.com", "azure-api.net", "cognitiveservices.azure.com", "services.ai.azure.com"]
        .into_iter()
        .any(under)
    {
        return Some(("azure", WireFormat::Openai));
    }
    let regional = name.starts_with("aiplatform.") && under("rep.googleapis.com");
    if regional || name.ends_with("-aiplatform.googleapis.com") || *name == "aiplatform.googleapis.com" {
        return Some(("vertex", WireFormat::Gemini));
    }
    if ["bedrock-runtime.", "bedrock-runtime-fips."].iter().any(|start| name.starts_with(start))
        && under("amazonaws.com")
    {
        return Some(("bedrock", WireFormat::Bedrock));
    }
    None
}

/// The wire format that a path looks like, where nothing better is known.
pub fn guess_format(path: &str) -> WireFormat {
    const OPENAI: [&str; 5] = ["/chat/completions", "/completions", "/responses", "/embeddings", "/models"];
    match path {
        _ if path.ends_with("/messages") => WireFormat::Anthropic,
        _ if OPENAI.iter().any(|tail| path.ends_with(tail)) => WireFormat::Openai,
        _ if path.contains(":generateContent") || path.contains(":streamGenerateContent") => WireFormat::Gemini,
        _ if path.ends_with("/api/chat") || path.ends_with("/api/generate") => WireFormat::Ollama,
        _ => WireFormat::Other,
    }
}

fn join(origin: &Url, path: PathAndQuery) -> Uri {
    let scheme = if origin.scheme() == "http" { Scheme::HTTP } else { Scheme::HTTPS };
    let mut parts = http::uri::Parts::default();
    parts.authority = origin.authority().parse::<Authority>().ok();
    parts.scheme = parts.authority.is_some().then_some(scheme);
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap_or_default()
}

fn shortened(path: &str) -> String {
    path.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
