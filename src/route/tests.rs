//! Calls and where they go.

use super::*;
use crate::config::{Environment, load};

fn config(pairs: &[(&str, &str)]) -> Config {
    load(None, &pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Environment>()).unwrap()
}

fn route(config: &Config, host: &str, path: &str, tags: &Tags) -> Result<(String, String), RouteError> {
    let path: PathAndQuery = path.parse().unwrap();
    let address = Address { path: &path, host: Some(host), headers: &HeaderMap::new() };
    resolve(config, address, tags).map(|r| (r.provider, r.uri.to_string()))
}

#[test]
fn headers_of_one_provider_keep_its_key_from_the_default_one() {
    let config = config(&[("TRAILGATE_PROVIDERS_MYLLM_URL", "http://10.0.0.1:8000")]);
    for (header, path, provider) in [
        ("anthropic-version", "/v1/models", "anthropic"),
        ("anthropic-version", "/v1/files/f?beta=true", "anthropic"),
        ("anthropic-beta", "/v1/oauth/token", "anthropic"),
        ("x-goog-api-key", "/v1/models", "google"),
        ("accept", "/v1/models?pageSize=1&key=AIzaSy", "google"),
        ("accept", "/v1/models?key=sk-other", "openai"),
        ("x-api-key", "/v1/models", "openai"),
        // What the path says goes first.
        ("anthropic-version", "/v1/gateway/myllm/v1/messages", "myllm"),
        ("anthropic-version", "/v1/models/g:countTokens", "google"),
        ("anthropic-version", "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", "vertex"),
    ] {
        let path: PathAndQuery = path.parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header, "2023-06-01".parse().unwrap());
        let address = Address { path: &path, host: Some("localhost"), headers: &headers };
        let got = resolve(&config, address, &Tags::default()).map(|route| route.provider);
        assert_eq!(got.as_deref(), Ok(provider), "{header} {path}");
    }
    // A default provider that speaks that format is meant itself.
    let config = super::tests::config(&[
        ("TRAILGATE_PROVIDERS_OWN_URL", "http://10.0.0.1:8000"),
        ("TRAILGATE_PROVIDERS_OWN_FORMAT", "anthropic"),
        ("TRAILGATE_ROUTING_DEFAULT_PROVIDER", "own"),
    ]);
    let (path, mut headers) = ("/v1/models".parse().unwrap(), HeaderMap::new());
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    let address = Address { path: &path, host: None, headers: &headers };
    assert_eq!(resolve(&config, address, &Tags::default()).map(|route| route.provider).as_deref(), Ok("own"));
}

#[test]
fn paths_and_hosts_find_their_provider() {
    let config = config(&[
        ("TRAILGATE_PROVIDERS_MYLLM_URL", "http://10.0.0.1:8000/deep/base/"),
        ("TRAILGATE_PROVIDERS_MYLLM_ALIASES", "mine"),
    ]);
    for (host, path, provider, uri) in [
        ("127.0.0.1:8787", "/v1/chat/completions", "openai", "https://api.openai.com/v1/chat/completions"),
        ("127.0.0.1:8787", "/v1/files/a%2Fb?x=%20&y", "openai", "https://api.openai.com/v1/files/a%2Fb?x=%20&y"),
        ("localhost", "/v1/messages", "anthropic", "https://api.anthropic.com/v1/messages"),
        ("localhost", "/v1/messages/count_tokens", "anthropic", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("localhost", "/v1/gateway/oai/v1/responses", "openai", "https://api.openai.com/v1/responses"),
        ("localhost", "/v1/gateway/Anthropic/v1/messages", "anthropic", "https://api.anthropic.com/v1/messages"),
        ("localhost", "/v1/gateway/groq/openai/v1/models?a=b", "groq", "https://api.groq.com/openai/v1/models?a=b"),
        ("localhost", "/v1/gateway/mine/v1/x", "myllm", "http://10.0.0.1:8000/deep/base/v1/x"),
        ("localhost", "/v1/gateway/mine?q", "myllm", "http://10.0.0.1:8000/deep/base/?q"),
        ("oai.helicone.ai", "/v1/chat/completions", "openai", "https://api.openai.com/v1/chat/completions"),
        ("anthropic.localhost:8787", "/v1/messages", "anthropic", "https://api.anthropic.com/v1/messages"),
        (
            "GROQ.gateway.internal",
            "/openai/v1/chat/completions",
            "groq",
            "https://api.groq.com/openai/v1/chat/completions",
        ),
        (
            "localhost",
            "/v1beta/models/g:generateContent?key=k",
            "google",
            "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent?key=k",
        ),
        (
            "localhost",
            "/v1/models/g:generateContent",
            "google",
            "https://generativelanguage.googleapis.com/v1/models/g:generateContent",
        ),
        (
            "localhost",
            "/v1alpha/models/g:streamGenerateContent?alt=sse",
            "google",
            "https://generativelanguage.googleapis.com/v1alpha/models/g:streamGenerateContent?alt=sse",
        ),
        (
            "localhost",
            "/upload/v1beta/files",
            "google",
            "https://generativelanguage.googleapis.com/upload/v1beta/files",
        ),
        (
            "localhost",
            "/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "vertex",
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent",
        ),
        (
            "localhost",
            "/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
            "vertex",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
        ),
        (
            "localhost",
            "/v1/interactions/i?stream=true",
            "google",
            "https://generativelanguage.googleapis.com/v1/interactions/i?stream=true",
        ),
        ("localhost", "/upload/v1/files", "google", "https://generativelanguage.googleapis.com/upload/v1/files"),
        (
            "localhost",
            "/v1/publishers/google/models/g:generateContent",
            "vertex",
            "https://aiplatform.googleapis.com/v1/publishers/google/models/g:generateContent",
        ),
        ("localhost", "/v1/projects/p/groups/g/roles", "openai", "https://api.openai.com/v1/projects/p/groups/g/roles"),
        ("localhost", "/v2/chat", "cohere", "https://api.cohere.com/v2/chat"),
        ("localhost", "/v1/chat", "cohere", "https://api.cohere.com/v1/chat"),
        ("localhost", "/v1/models/g", "openai", "https://api.openai.com/v1/models/g"),
        ("localhost", "/v1/models/ft:g:o::1", "openai", "https://api.openai.com/v1/models/ft:g:o::1"),
        ("llm.example.com", "/v1/a/../b//c", "openai", "https://api.openai.com/v1/a/../b//c"),
    ] {
        let got = route(&config, host, path, &Tags::default());
        assert_eq!(got, Ok((provider.to_owned(), uri.to_owned())), "{host} {path}");
    }
}

#[test]
fn a_target_gives_its_origin_and_nothing_else() {
    let config = config(&[]);
    for (target, path, provider, uri) in [
        ("https://api.mistral.ai", "/v1/chat/completions", "mistral", "https://api.mistral.ai/v1/chat/completions"),
        (
            "https://host.example:8443/prefix?x=1",
            "/v1/messages",
            "host.example",
            "https://host.example:8443/v1/messages",
        ),
        (
            "https://acme.openai.azure.com",
            "/openai/deployments/d/chat/completions?api-version=1",
            "azure",
            "https://acme.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
        ),
        ("http://127.0.0.1:9", "/v1/gateway/oai/v1/models", "127.0.0.1", "http://127.0.0.1:9/v1/models"),
        ("https://bücher.example", "/x", "xn--bcher-kva.example", "https://xn--bcher-kva.example/x"),
    ] {
        let tags = Tags { target_url: Some(target.to_owned()), ..Tags::default() };
        assert_eq!(route(&config, "gateway.x.y", path, &tags), Ok((provider.to_owned(), uri.to_owned())), "{target}");
    }
    let base = Tags { openai_api_base: Some("https://api.groq.com".to_owned()), ..Tags::default() };
    assert_eq!(route(&config, "oai.x.y", "/v1/models", &base).unwrap().0, "groq");
}

#[test]
fn targets_that_parsers_disagree_about_are_refused() {
    let config = config(&[]);
    for target in [
        "not a url",
        "ftp://x.example",
        "https://",
        "https://user@host.example",
        "https://u:p@host.example",
        "//host.example",
        "https://host.example#@evil.example",
        "https://host.example\\@evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://host.example\t.evil",
        "",
    ] {
        let tags = Tags { target_url: Some(target.to_owned()), ..Tags::default() };
        let got = route(&config, "h", "/v1/x", &tags);
        assert!(matches!(got, Err(RouteError::BadTarget { header: "Helicone-Target-URL", .. })), "{target:?}: {got:?}");
    }
}

#[test]
fn verbs_of_google_are_told_from_names() {
    let config = config(&[]);
    for verb in ["generateContent", "streamGenerateContent", "embedContent", "batchEmbedContents", "countTokens"] {
        let (provider, _) = route(&config, "localhost", &format!("/v1/models/g:{verb}"), &Tags::default()).unwrap();
        assert_eq!(provider, "google", "{verb}");
    }
}

#[test]
fn hosts_of_customers_and_regions_have_a_family() {
    let config = config(&[]);
    for (host, expected) in [
        ("us-east5-aiplatform.googleapis.com", "vertex"),
        ("aiplatform.eu.rep.googleapis.com", "vertex"),
        ("aiplatform.rep.googleapis.com.evil.example", "aiplatform.rep.googleapis.com.evil.example"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock"),
        ("bedrock-runtime-other.us-east-1.amazonaws.com", "bedrock-runtime-other.us-east-1.amazonaws.com"),
    ] {
        let tags = Tags { target_url: Some(format!("https://{host}")), ..Tags::default() };
        assert_eq!(route(&config, "h", "/v1/x", &tags).unwrap().0, expected, "{host}");
    }
}

#[test]
fn known_targets_only_when_the_operator_says_so() {
    let config = config(&[("TRAILGATE_EGRESS_TARGETS", "known")]);
    let to = |target: &str| Tags { target_url: Some(target.to_owned()), ..Tags::default() };
    assert!(route(&config, "h", "/v1/x", &to("https://api.groq.com")).is_ok());
    assert!(route(&config, "h", "/v1/x", &to("https://r.openai.azure.com")).is_ok());
    for target in [
        "https://evil.example",
        "https://api.groq.com.evil.example",
        "https://openai.azure.com.evil.example",
        "https://evilopenai.azure.com",
    ] {
        assert!(matches!(route(&config, "h", "/v1/x", &to(target)), Err(RouteError::UnknownTarget { .. })), "{target}");
    }
}

#[test]
fn nothing_serves_unknown_paths() {
    let config = config(&[]);
    assert!(matches!(route(&config, "localhost", "/nope", &Tags::default()), Err(RouteError::UnknownPath { .. })));
    assert_eq!(route(&config, "gateway.helicone.ai", "/v1/x", &Tags::default()), Err(RouteError::MissingTarget));
}

#[test]
fn a_name_that_no_provider_has_goes_nowhere() {
    let config = config(&[]);
    for path in [
        "/v1/gateway/antropic/v1/messages",
        "/v1/gateway/firecrawl/v0/scrape",
        "/v1/gateway//oai/v1/chat/completions",
        "/v1/gateway/%6fai/v1/chat/completions",
        "/v1//gateway/oai/v1/chat/completions",
        "/v1/Gateway/oai/v1/chat/completions",
        "/v1/gateway/v1/messages",
        "/v1/gateway/",
        "/v1/gateway?oai",
    ] {
        for host in ["localhost", "oai.gateway.example"] {
            let got = route(&config, host, path, &Tags::default());
            let Err(RouteError::UnknownPath { providers, .. }) = got else { panic!("{host} {path}: {got:?}") };
            assert!(providers.contains("anthropic, "), "{providers}");
        }
    }
    assert!(route(&config, "localhost", "/v1/gateways", &Tags::default()).is_ok());
}

#[test]
fn slashes_at_the_start_are_one() {
    let one = |uri: &str| with_one_slash(&uri.parse().unwrap()).map(|uri| uri.to_string());
    assert_eq!(one("//v1/models?a=//b"), Some("/v1/models?a=//b".to_owned()));
    assert_eq!(one("///v1//x"), Some("/v1//x".to_owned()));
    assert_eq!(one("http://h//?x"), Some("http://h/?x".to_owned()));
    assert_eq!((one("/v1/a//b"), one("/"), one("*")), (None, None, None));
}

#[test]
fn keys_in_paths_are_taken_out() {
    let split = |path: &str| split_path_key(&path.parse().unwrap()).map(|(key, rest)| (key, rest.to_string()));
    let key = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd";
    assert_eq!(split(&format!("/{key}/v1/openai?x=1")), Some((key.to_owned(), "/v1/openai?x=1".to_owned())));
    assert_eq!(split(&format!("/v1/{key}/chat")), Some((key.to_owned(), "/v1/chat".to_owned())));
    assert_eq!(split("/v1/sk-other/chat"), None);
    assert_eq!(split("/v1/chat/completions"), None);
    assert_eq!(split("/"), None);
}

#[test]
fn credentials_in_queries_are_blanked() {
    assert_eq!(redact_query("/a?key=1&x=2&API_KEY=3&flag"), "/a?key=[redacted]&x=2&API_KEY=[redacted]&flag");
    assert_eq!(redact_query("/a"), "/a");
}
