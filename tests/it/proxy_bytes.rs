//! What passes through the proxy: methods, paths, headers, bodies, trailers, on both versions of HTTP.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::raw::Raw;
use crate::support::reply::{Framing, Reply};
use crate::support::upstream::{Reading, Received, Upstream};

async fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(GatewayOptions::new(Backend::Sqlite).provider("openai", upstream.url())).await
}

fn head_of(answer: &[u8]) -> String {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
    String::from_utf8_lossy(&answer[..end]).into_owned()
}

#[tokio::test]
async fn any_method_path_and_query_passes_as_sent() {
    let upstream = Upstream::start(|got: &Received| Reply::json(201, &json!({"seen": got.target}))).await;
    let gateway = gateway(&upstream).await;
    for (method, path) in [
        ("GET", "/v1/models?limit=2&x=%20y&flag"),
        ("POST", "/v1/a%2Fb/../c//d;e=f"),
        ("PUT", "/v1/files/f%C3%BC"),
        ("PATCH", "/v1/threads/1"),
        ("DELETE", "/v1/files/1"),
        ("OPTIONS", "/v1/anything"),
        ("PROPFIND", "/v1/odd-method"),
    ] {
        let mut client = Raw::connect(&gateway.url).await;
        let body = if method == "GET" { "" } else { "{\"a\": 1}" };
        client
            .send(format!(
                "{method} {path} HTTP/1.1\r\nHost: gw\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ))
            .await;
        let answer = client.rest().await;
        assert!(head_of(&answer).starts_with("HTTP/1.1 201"), "{method} {path}: {}", head_of(&answer));
        let got = upstream.last();
        assert_eq!((got.method.as_str(), got.target.as_str(), &got.body[..]), (method, path, body.as_bytes()));
    }
}

#[tokio::test]
async fn heads_pass_in_their_own_case_and_without_what_is_ours() {
    let upstream = Upstream::start(|_: &Received| {
        Reply::json(200, &json!({}))
            .header("X-Request-ID", "abc")
            .header("OpenAI-Version", "1")
            .header("Set-Cookie", "a=1")
            .header("Set-Cookie", "b=2")
    })
    .await;
    let gateway = gateway(&upstream).await;
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send(
            "GET /v1/x HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer sk-provider\r\nX-MiXeD-Case: yes\r\nX-Nominated: no\r\n\
             Helicone-Auth: Bearer sk-helicone-nobody\r\nHelicone-Session-Id: s\r\nHELICONE-PROPERTY-X: y\r\nHelicone-Future-Thing: z\r\n\
             Keep-Alive: timeout=5\r\nProxy-Authorization: Basic x\r\nConnection: close, X-Nominated\r\n\r\n",
        )
        .await;
    let head = head_of(&client.rest().await);
    for line in [
        "X-Request-ID: abc",
        "OpenAI-Version: 1",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2",
        "content-type: application/json",
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
    assert!(
        head.to_lowercase().contains("helicone-id: ") && head.to_lowercase().contains("helicone-status: success"),
        "{head}"
    );
    let seen = String::from_utf8_lossy(&upstream.last().head).into_owned();
    assert!(seen.contains("Authorization: Bearer sk-provider") && seen.contains("X-MiXeD-Case: yes"), "{seen}");
    let lower = seen.to_lowercase();
    for gone in ["helicone", "x-nominated", "keep-alive", "proxy-authorization", "connection:"] {
        assert!(!lower.contains(gone), "{gone} went upstream: {seen}");
    }
    assert!(lower.contains(&format!("host: {}", upstream.addr)), "{seen}");
}

#[tokio::test]
async fn chunks_arrive_when_they_are_sent() {
    let upstream = Upstream::start(|_: &Received| {
        Reply::events(["data: 1\n\n", "data: 2\n\n"]).paced(Duration::from_millis(300)).stall()
    })
    .await;
    let gateway = gateway(&upstream).await;
    let mut client = Raw::connect(&gateway.url).await;
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: gw\r\nContent-Length: 2\r\n\r\n{}").await;
    let first = client.until("data: 1\n\n").await;
    assert!(!first.contains("data: 2"), "the second chunk cannot be there yet: {first}");
    client.until("data: 2\n\n").await;
}

#[tokio::test]
async fn compressed_answers_are_not_touched() {
    let packed = zstd::encode_all(&b"{\"usage\": null}"[..], 1).unwrap();
    let body = packed.clone();
    let upstream = Upstream::start(move |_: &Received| {
        Reply::status(200)
            .header("content-encoding", "zstd")
            .header("content-type", "application/json")
            .send(body.clone())
    })
    .await;
    let gateway = gateway(&upstream).await;
    let answer = gateway
        .http
        .post(format!("{}/v1/chat/completions", gateway.url))
        .header("accept-encoding", "zstd")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-encoding"], "zstd");
    assert_eq!(answer.bytes().await.unwrap(), packed);
    assert_eq!(upstream.last().header("accept-encoding"), Some("zstd"));
}

#[tokio::test]
async fn answers_without_body_stay_without() {
    let upstream = Upstream::start(|got: &Received| match got.method.as_str() {
        "HEAD" => Reply::status(200).header("content-length", "1234").framed(Framing::None),
        "DELETE" => Reply::status(204),
        _ => Reply::status(304).header("etag", "\"x\""),
    })
    .await;
    let gateway = gateway(&upstream).await;
    for (method, start, has) in [
        ("HEAD", "HTTP/1.1 200", "content-length: 1234"),
        ("DELETE", "HTTP/1.1 204", ""),
        ("GET", "HTTP/1.1 304", "etag: \"x\""),
    ] {
        let mut client = Raw::connect(&gateway.url).await;
        client.send(format!("{method} /v1/x HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n")).await;
        let answer = client.rest().await;
        let head = head_of(&answer);
        assert!(head.starts_with(start) && head.contains(has), "{method}: {head}");
        assert!(answer.ends_with(b"\r\n\r\n"), "{method} has a body");
        assert!(!head.to_lowercase().contains("transfer-encoding"), "{method}: {head}");
    }
}

#[tokio::test]
async fn slashes_at_the_start_count_as_one() {
    let upstream = Upstream::start(|got: &Received| Reply::json(200, &json!({"seen": got.target}))).await;
    let gateway = gateway(&upstream).await;
    let (status, seen) = gateway.get("//v1/models?a=//b").await;
    assert_eq!((status, seen), (200, json!({"seen": "/v1/models?a=//b"})));
    let (status, found) = gateway.post("//v1/session/query", &json!({})).await;
    assert_eq!((status, &found["data"]), (200, &json!([])));
    let request =
        gateway.http.get(format!("{}//bucket//key", gateway.url)).header("Helicone-Target-URL", upstream.url());
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), r#"{"seen":"//bucket//key"}"#);
}

#[tokio::test]
async fn http_1_1_has_one_host() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({}))).await;
    let gateway = gateway(&upstream).await;
    for (version, hosts, status) in [
        ("1.1", "", "400"),
        ("1.1", "Host: a\r\nHost: b\r\n", "400"),
        ("1.1", "Host: a\r\n", "200"),
        ("1.0", "", "200"),
    ] {
        let mut client = Raw::connect(&gateway.url).await;
        client.send(format!("GET /v1/x HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n")).await;
        let head = head_of(&client.rest().await);
        assert!(head.split(' ').nth(1) == Some(status), "{version} {hosts:?}: {head}");
    }
    assert_eq!(upstream.received().len(), 2);
}

#[tokio::test]
async fn heads_of_many_headers_pass() {
    let upstream = Upstream::start(|_: &Received| {
        (0..120).fold(Reply::json(200, &json!({})), |reply, n| reply.header(&format!("X-Answer-{n}"), "v"))
    })
    .await;
    let gateway = gateway(&upstream).await;
    let many: String = (0..100).map(|n| format!("Helicone-Property-P{n}: v\r\nX-Asked-{n}: v\r\n")).collect();
    let id = uuid::Uuid::new_v4();
    let mut client = Raw::connect(&gateway.url).await;
    let head = format!("Host: gw\r\nHelicone-Request-Id: {id}\r\nConnection: close\r\n{many}\r\n");
    client.send(format!("GET /v1/x HTTP/1.1\r\n{head}")).await;
    let head = head_of(&client.rest().await);
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("X-Answer-119: v"), "{head}");
    assert_eq!(upstream.last().header("x-asked-99"), Some("v"));
    let row = gateway.call(&id.to_string()).await;
    assert_eq!(row["properties"].as_object().unwrap().len(), 100);
    let long = gateway.http.get(format!("{}/v1/x", gateway.url)).header("x-long", "v".repeat(300_000));
    assert_eq!(long.send().await.unwrap().status(), 431, "heads are bounded by their size");
}

#[tokio::test]
async fn a_length_beside_chunks_cuts_nothing() {
    let wire = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
                5\r\nwhole\r\n5\r\n body\r\n0\r\n\r\n";
    let upstream = Upstream::start(move |_: &Received| Reply::raw(wire)).await;
    let gateway = gateway(&upstream).await;
    let answer = gateway.http.get(format!("{}/v1/x", gateway.url)).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "whole body");
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send(
            "POST /v1/x HTTP/1.1\r\nHost: gw\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
             5\r\nabcde\r\n0\r\n\r\n",
        )
        .await;
    assert!(String::from_utf8_lossy(&client.rest().await).contains("whole"));
    assert_eq!(&upstream.last().body[..], b"abcde");
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let upstream = Upstream::start(|_: &Received| {
        Reply::status(200).chunked().header("Trailer", "X-Sum").send("part").trailer("X-Sum", "42")
    })
    .await;
    let gateway = gateway(&upstream).await;
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send("POST /v1/x HTTP/1.1\r\nHost: gw\r\nTE: trailers\r\nTrailer: X-Up\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Up: 7\r\n\r\n")
        .await;
    let answer = String::from_utf8_lossy(&client.rest().await).into_owned();
    assert!(answer.to_lowercase().contains("x-sum: 42"), "{answer}");
    let got = upstream.last();
    assert_eq!(&got.body[..], b"abc");
    assert_eq!(
        got.trailers.iter().map(|(n, v)| (n.to_lowercase(), v.as_str())).collect::<Vec<_>>(),
        [("x-up".to_owned(), "7")]
    );
}

#[tokio::test]
async fn clients_that_expect_a_go_ahead_get_it() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({"ok": true}))).await;
    let gateway = gateway(&upstream).await;
    let mut client = Raw::connect(&gateway.url).await;
    client
        .send(
            "POST /v1/x HTTP/1.1\r\nHost: gw\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        )
        .await;
    client.until("100 Continue\r\n\r\n").await;
    client.send("abc").await;
    assert!(String::from_utf8_lossy(&client.rest().await).contains("{\"ok\":true}"));
    assert_eq!(&upstream.last().body[..], b"abc");
    assert_eq!(upstream.last().header("expect"), None);
}

#[tokio::test]
async fn large_bodies_pass_whole_and_are_kept_up_to_the_cap() {
    let blob: Bytes = (0..30_000_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let body = blob.clone();
    let upstream = Upstream::start(move |_: &Received| Reply::status(200).send(body.clone())).await;
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_CAPTURE_MAX_BODY_BYTES", "100000");
    let gateway = Gateway::start(options).await;
    let answer = gateway.http.post(format!("{}/v1/files", gateway.url)).body(blob.clone()).send().await.unwrap();
    let id = answer.headers()["helicone-id"].to_str().unwrap().to_owned();
    let back = answer.bytes().await.unwrap();
    assert!(back == blob, "the answer's bytes differ");
    assert!(upstream.last().body == blob, "the request's bytes differ");
    gateway.call(&id).await;
    let kept = gateway
        .http
        .get(format!("{}/v1/request/{id}/body/response", gateway.url))
        .bearer_auth(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(kept.bytes().await.unwrap(), blob[..100_000]);
    let expected: String = Sha256::digest(&blob).iter().map(|b| format!("{b:02x}")).collect();
    let detail = gateway.call(&id).await;
    assert!(detail.to_string().contains(&expected), "the SHA-256 of the whole body is told: {detail}");
}

#[tokio::test]
async fn http2_works_on_both_legs() {
    let upstream = Upstream::http2(|_: &Received| Reply::events(["data: a\n\n", "data: b\n\n"])).await;
    let options = GatewayOptions::new(Backend::Sqlite)
        .provider("openai", upstream.url())
        .env("TRAILGATE_PROVIDERS_OPENAI_HTTP2", "true");
    let gateway = Gateway::start(options).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let request = http::Request::post(format!("{}/v1/chat/completions", gateway.url)).body(Full::from("{}")).unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert!(answer.headers().contains_key("helicone-id"));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "data: a\n\ndata: b\n\n");
    assert_eq!(upstream.last().version, "HTTP/2.0");
    assert_eq!(&upstream.last().body[..], b"{}");
}

#[tokio::test]
async fn a_slow_upstream_slows_the_client_down_and_nothing_else() {
    let reading = Reading::Slow { bytes: 64 * 1024, pause: Duration::from_millis(5) };
    let upstream =
        Upstream::reading(reading, |got: &Received| Reply::json(200, &json!({"length": got.body.len()}))).await;
    let gateway = gateway(&upstream).await;
    let answer = gateway.http.post(format!("{}/v1/files", gateway.url)).body(vec![7; 3_000_000]).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "{\"length\":3000000}");
}

#[tokio::test]
async fn an_early_answer_reaches_the_client() {
    let upstream = Upstream::reading(Reading::HeadOnly, |_: &Received| {
        Reply::json(413, &json!({"error": {"message": "too large"}}))
    })
    .await;
    let gateway = gateway(&upstream).await;
    let mut client = Raw::connect(&gateway.url).await;
    client.send("POST /v1/files HTTP/1.1\r\nHost: gw\r\nContent-Length: 1000000\r\n\r\nonly the beginning").await;
    let answer = client.until("too large").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn stream_usage_is_asked_for_when_the_client_wants_it() {
    let upstream = Upstream::start(|_: &Received| Reply::json(200, &json!({}))).await;
    let gateway = gateway(&upstream).await;
    let url = format!("{}/v1/chat/completions", gateway.url);
    let body = "{\"model\": \"m\",  \"stream\": true}";
    gateway.http.post(&url).header("Helicone-Stream-Usage", "true").body(body).send().await.unwrap();
    assert_eq!(
        upstream.last().json(),
        json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}})
    );
    gateway.http.post(&url).body(body).send().await.unwrap();
    assert_eq!(&upstream.last().body[..], body.as_bytes());
}
