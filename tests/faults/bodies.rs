//! F8 and F19 to F21: bodies that are poison to a parser, huge, torn, compressed, or bombs. They pass unchanged and are kept.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::report::{Row, pick, rows, seed};
use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::ledger::{Load, Running, Target, post};
use crate::support::mill::JSON;
use crate::support::proc;
use crate::support::reply::{Framing, Reply};
use crate::support::upstream::{Received, Upstream};

rows! {
    f08_poison_sqlite: poison(Sqlite);
    f08_poison_postgres: poison(Postgres);
    f19_huge_sqlite: huge(Sqlite);
    f20_torn_sqlite: torn(Sqlite);
    f20_torn_postgres: torn(Postgres);
    f21_encoded_sqlite: encoded(Sqlite);
    f21_bomb_sqlite: bomb(Sqlite);
}

/// Bodies that databases and parsers stumble over.
fn poisons() -> Vec<Vec<u8>> {
    let chat = |content: &[u8]| {
        [br#"{"model":"gpt-4o","choices":[{"message":{"content":""#, content, br#""}}],"usage":{"prompt_tokens":1}}"#]
            .concat()
    };
    let deep = [b"[".repeat(300), b"]".repeat(300)].concat();
    let mut all = vec![
        chat(b"\\u0000"),
        chat(b"\0"),
        chat(b"\\ud800"),
        chat(b"\\udfff\\ud800"),
        chat(&[0xff, 0xfe, 0xc0, 0x80]),
        br#"{"usage":{"prompt_tokens":1e400,"completion_tokens":-1e400}}"#.to_vec(),
        br#"{"usage":{"prompt_tokens":99999999999999999999999,"total_tokens":1.5}}"#.to_vec(),
        br#"{"model":"a\u0000b","id":"\u0000","usage":{}}"#.to_vec(),
        br#"{"model":"a","model":"b","usage":{"prompt_tokens":1,"prompt_tokens":2}}"#.to_vec(),
        deep,
        b"{".to_vec(),
        vec![0; 64],
        [&b"data: "[..], &[0xff; 40], b"\n\n"].concat(),
    ];
    all.push(chat(&b"x".repeat(pick(2, 9) << 20)));
    all
}

async fn poison(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F8 poison rows", "rows around land ≤ 5 s, poison kept byte for byte, nothing blocked");
    let bodies = poisons();
    let scripted = bodies.clone();
    let upstream = Upstream::start(move |got: &Received| {
        match got.header("x-poison").and_then(|text| text.parse::<usize>().ok()) {
            Some(n) => Reply::status(200).header("content-type", "application/json").send(scripted[n].clone()),
            None => Reply::status(200).header("content-type", "application/json").send(JSON),
        }
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    // Streams are not this upstream's business.
    let around = Load { stream: (1, Duration::ZERO), ..Load::rate(50.0) };
    let load = Running::start(around, &Target::new(&gateway.url));
    let mut caller = Caller::default();
    let (mut sent, mut untouched) = (Vec::new(), 0);
    for round in 0..pick(1, 5) {
        for (n, body) in bodies.iter().enumerate() {
            let id = Uuid::now_v7();
            let request = post("/v1/chat/completions", id, &format!("x-poison: {n}\r\n"), "{}");
            if let Ended::Whole(answer) = caller.call(&gateway.url, &request).await {
                untouched += usize::from(answer.body == *body);
            }
            sent.push((id, n));
            // The same in a request, with names and values as bad as they get in headers.
            let id = Uuid::now_v7();
            let text = String::from_utf8_lossy(body).into_owned();
            let tags = format!("Helicone-Property-Poison-{n}: \u{fffd}{round}\r\nHelicone-Session-Id: \\u0000\r\n");
            caller.call(&gateway.url, &post("/v1/chat/completions", id, &tags, &text)).await;
            sent.push((id, usize::MAX));
        }
    }
    let ids: BTreeSet<Uuid> = sent.iter().map(|(id, _)| *id).collect();
    let began = Instant::now();
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(30)).await;
    let ledger = load.stop().await;
    let (around, _) = Audit::until(backend, &gateway, &ledger.accepted, Duration::from_secs(30)).await;
    row.back("rows around are there", began.elapsed(), Duration::from_secs(5));
    row.done(format!("{} calls with {} kinds of bad bodies among calls at 50/s", ids.len(), bodies.len()));
    let missing = audit.missing(&ids).len();
    row.audit(&around, &ledger);
    row.holds("every poison row is there", missing == 0, missing);
    let answers = sent.iter().filter(|(_, n)| *n != usize::MAX).count();
    row.holds("poison passes unchanged", untouched == answers, untouched);
    let mut kept = 0;
    for (id, n) in sent.iter().filter(|(_, n)| *n != usize::MAX) {
        let path = format!("{}/v1/request/{id}/body/response", gateway.url);
        let answer = gateway.http.get(path).bearer_auth(KEY).send().await.expect("an answer of the API");
        kept += usize::from(answer.bytes().await.expect("a whole body") == bodies[*n]);
    }
    row.measured(format!("{kept} of {answers} kept byte for byte"));
    row.holds("poison is kept byte for byte", kept == answers, kept);
    row.said(&gateway);
    row.end();
}

/// Bytes that repeat late, from an offset on.
fn pattern(len: usize) -> Bytes {
    let unit: Vec<u8> = (0..65_521_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    unit.iter().copied().cycle().take(len).collect()
}

/// Takes any request, hashes its body, answers with `body`; the hash goes back in a header.
async fn hashing_upstream(body: Bytes) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut calls = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body.clone();
            calls.spawn(async move {
                let (head, rest) = head(&mut stream).await;
                let hash = hash_body(&mut stream, rest, length(&head)).await;
                let head = format!("HTTP/1.1 200 OK\r\nx-hash: {hash}\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).await.ok();
                stream.write_all(&body).await.ok();
            });
        }
    });
    (url, tasks)
}

async fn head(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return (String::from_utf8_lossy(&bytes).to_lowercase(), rest);
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::new(), Vec::new());
        }
    }
}

fn length(head: &str) -> usize {
    let line = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:"));
    line.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

async fn hash_body(stream: &mut TcpStream, first: Vec<u8>, len: usize) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&first);
    let mut seen = first.len();
    let mut buffer = vec![0; 256 * 1024];
    while seen < len {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => {
                hasher.update(&buffer[..n]);
                seen += n;
            }
            _ => break,
        }
    }
    hasher.finalize()
}

async fn huge(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F19 100 MB both ways, 4 at once", "identical; RSS + ≤ 64 MB and the caps");
    let body = pattern(pick(2, 100) * 1_000_000);
    let (url, _upstream) = hashing_upstream(body.clone()).await;
    let cap = pick(1 << 20, 10 << 20);
    let options = GatewayOptions::new(backend).provider("openai", url);
    let gateway = Gateway::start(options.env("TRAILGATE_CAPTURE_MAX_BODY_BYTES", cap.to_string())).await;
    let before = proc::rss(gateway.pid());
    let watch = proc::Watch::start(gateway.pid());
    let wanted = blake3::hash(&body);
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let (address, body) = (gateway.url.trim_start_matches("http://").to_owned(), body.clone());
        calls.spawn(async move {
            let id = Uuid::now_v7();
            let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
            let request = format!(
                "POST /v1/files HTTP/1.1\r\nHost: g\r\nHelicone-Request-Id: {id}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(request.as_bytes()).await.expect("a head is taken");
            stream.write_all(&body).await.expect("a body is taken");
            let (head, rest) = head(&mut stream).await;
            let there = head.contains(&format!("x-hash: {wanted}"));
            let back = hash_body(&mut stream, rest, body.len()).await == wanted;
            (id, there && back)
        });
    }
    let done = calls.join_all().await;
    let growth = watch.highest().saturating_sub(before) as f64 / f64::from(1 << 20);
    row.done(format!("4 calls at once, {} MB each way", body.len() / 1_000_000));
    row.holds("bytes are identical both ways", done.iter().all(|(_, same)| *same), format!("{done:?}"));
    let sha: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut lost = 0;
    for (id, _) in &done {
        let stored = gateway.call(&id.to_string()).await;
        lost += usize::from(stored["outcome"] != "complete");
        for facts in Audit::body_facts(&gateway.database_url(), *id).await {
            let whole = facts["len"] == body.len() && facts["sha256"] == sha.as_str() && facts["kept"] == "truncated";
            row.holds("length and hash of the whole are kept", whole, &facts);
        }
    }
    row.counted(done.len(), lost);
    // Eight bodies are kept up to their cap.
    row.at_most("memory", growth, f64::from(64 + 8 * (cap >> 20)), "MB more");
    row.said(&gateway);
    row.end();
}

/// An answer that a provider should not give, by number; and whether the gateway can pass it on at all.
fn torn_reply(random: &mut StdRng) -> (Reply, bool) {
    let mut junk: Vec<u8> = (0..random.random_range(0..400)).map(|_| random.random()).collect();
    let events = random.random_bool(0.5);
    let kind = if events { "text/event-stream" } else { "application/json" };
    let ok = |body: Vec<u8>| Reply::status(200).header("content-type", kind).send(body);
    match random.random_range(0..9) {
        0 => (ok(junk), true),
        1 => {
            let mut body = JSON.as_bytes().to_vec();
            body.truncate(random.random_range(0..body.len()));
            (ok(body), true)
        }
        2 => {
            let mut body = crate::support::mill::EVENT.repeat(3).into_bytes();
            let at = random.random_range(0..body.len());
            body[at] = random.random();
            (ok(body).framed(Framing::Chunked), true)
        }
        3 => {
            let pieces: Vec<Bytes> = junk.chunks(7).map(Bytes::copy_from_slice).collect();
            (Reply::events(pieces), true)
        }
        4 => (ok(junk).header("x-odd", "\u{fc}\u{1f600}").header("content-encoding", "gzip"), true),
        5 => (ok([b"data: ".repeat(20), junk].concat()).framed(Framing::UntilClose), true),
        6 => (Reply::raw(junk.split_off(junk.len() / 2)).close(), false),
        7 => (Reply::raw("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n").close(), false),
        _ => (Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde").close(), false),
    }
}

async fn torn(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F20 malformed heads, JSON, events, UTF-8", "bytes unchanged, a row each, no bare 500");
    let seed = seed();
    let upstream = Upstream::start(move |got: &Received| {
        let case: u64 = got.header("x-case").and_then(|text| text.parse().ok()).unwrap_or(0);
        torn_reply(&mut StdRng::seed_from_u64(seed ^ case)).0
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let mut caller = Caller::default();
    let cases = pick(300, 10_000);
    let (mut ids, mut changed, mut bare) = (BTreeSet::new(), Vec::new(), Vec::new());
    for case in 0..cases {
        let id = Uuid::now_v7();
        let (reply, passes) = torn_reply(&mut StdRng::seed_from_u64(seed ^ case));
        let request = post("/v1/chat/completions", id, &format!("x-case: {case}\r\n"), "{\"model\": \"\\ud800");
        match caller.call(&gateway.url, &request).await {
            Ended::Whole(answer) if passes => {
                let chunked = answer.header("transfer-encoding") == Some("chunked");
                let body = if chunked { unchunked(&answer.body) } else { answer.body };
                if body != reply.body() || answer.status != 200 {
                    changed.push(case);
                }
            }
            Ended::Whole(answer) => {
                if answer.status != 502 || !answer.is_ours() {
                    bare.push((case, answer.status));
                }
            }
            ended => bare.push((case, if matches!(ended, Ended::Unsent) { 0 } else { 1 })),
        }
        ids.insert(id);
    }
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(60)).await;
    row.done(format!("{cases} random answers, seed {seed}"));
    row.counted(ids.len(), audit.missing(&ids).len());
    row.holds("bytes are unchanged", changed.is_empty(), format!("cases {changed:.5?}"));
    row.holds("what is no HTTP is told as 502 in the provider's shape", bare.is_empty(), format!("{bare:.5?}"));
    row.holds("the gateway lives", proc::lives(gateway.pid()), "it does not");
    row.holds("nothing panicked", !gateway.stderr().contains("panicked"), "see its log");
    row.said(&gateway);
    row.end();
}

fn unchunked(mut wire: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = wire.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&wire[..at]), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.extend_from_slice(&wire[at + 2..at + 2 + size]);
        wire = &wire[at + 4 + size..];
    }
    body
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn packed(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => gzip(bytes),
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).expect("memory takes bytes");
            encoder.finish().expect("memory takes bytes")
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4_096, 5, 20).write_all(bytes).expect("memory takes bytes");
            out
        }
        _ => zstd::encode_all(bytes, 3).expect("memory takes bytes"),
    }
}

async fn encoded(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F21 gzip, br, zstd, deflate", "client gets the original bytes; the log is decoded");
    let upstream = Upstream::start(|got: &Received| {
        let encoding = got.header("x-encoding").unwrap_or("gzip").to_owned();
        let body = packed(&encoding, JSON.as_bytes());
        Reply::status(200).header("content-type", "application/json").header("content-encoding", encoding).send(body)
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let mut caller = Caller::default();
    let mut understood = 0;
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let id = Uuid::now_v7();
        let request = post("/v1/chat/completions", id, &format!("x-encoding: {encoding}\r\n"), "{}");
        let Ended::Whole(answer) = caller.call(&gateway.url, &request).await else { panic!("{encoding}: no answer") };
        row.holds("the client gets the original bytes", answer.body == packed(encoding, JSON.as_bytes()), encoding);
        let stored = gateway.call(&id.to_string()).await;
        let read = stored["prompt_tokens"] == 10 && stored["response_body"]["model"] == "gpt-4o";
        row.holds("the log is decoded", read, format!("{encoding}: {stored}"));
        understood += usize::from(read);
    }
    row.done("one call with each");
    row.counted(4, 4 - understood);
    row.said(&gateway);
    row.end();
}

async fn bomb(test: &'static str, backend: Backend) {
    let mut row = Row::new(
        test,
        backend,
        "F21 compression bomb",
        "original bytes pass; decoding ends at 64 MB and ≤ 1 s of processor",
    );
    let megabytes = pick(200, 10_240_u64);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..megabytes {
        encoder.write_all(&zeros).expect("memory takes bytes");
    }
    let body = Bytes::from(encoder.finish().expect("memory takes bytes"));
    let scripted = body.clone();
    let upstream = Upstream::start(move |_: &Received| {
        let head = Reply::status(200).header("content-type", "application/json");
        head.header("content-encoding", "gzip").send(scripted.clone())
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let (memory, cpu) = (proc::rss(gateway.pid()), proc::cpu(gateway.pid()));
    let watch = proc::Watch::start(gateway.pid());
    let id = Uuid::now_v7();
    let request = post("/v1/chat/completions", id, "", "{}");
    let Ended::Whole(answer) = Caller::default().call(&gateway.url, &request).await else { panic!("no answer") };
    row.holds("the client gets the original bytes", answer.body == body, answer.body.len());
    let (audit, _) = Audit::until(backend, &gateway, &BTreeSet::from([id]), Duration::from_secs(60)).await;
    let growth = watch.highest().saturating_sub(memory) as f64 / f64::from(1 << 20);
    row.done(format!("one answer of {} KB that unpacks to {megabytes} MB", body.len() >> 10));
    row.counted(1, audit.missing(&BTreeSet::from([id])).len());
    row.at_most("processor", (proc::cpu(gateway.pid()) - cpu).as_secs_f64(), 1.0, "s");
    row.at_most("memory", growth, 256.0, "MB more");
    row.said(&gateway);
    row.end();
}
