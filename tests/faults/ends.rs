//! F13 to F15 and F17: the upstream breaks off or hangs, the client leaves or reads slowly. Each call keeps what was seen,
//! under its own outcome, and frees what it held.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::report::{Row, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::ledger::post;
use crate::support::mill::EVENT;
use crate::support::proc;
use crate::support::raw::Raw;
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

rows! {
    f13_reset_sqlite: reset(Sqlite);
    f13_reset_postgres: reset(Postgres);
    f14_hangs_sqlite: hangs(Sqlite);
    f15_client_leaves_sqlite: client_leaves(Sqlite);
    f15_client_leaves_postgres: client_leaves(Postgres);
    f17_slow_reader_sqlite: slow_reader(Sqlite);
}

/// How many events the upstream sends before it breaks off or the client leaves.
fn pieces(got: &Received) -> usize {
    got.header("x-pieces").and_then(|text| text.parse().ok()).unwrap_or(0)
}

async fn body_of(gateway: &Gateway, id: Uuid) -> Vec<u8> {
    let path = format!("{}/v1/request/{id}/body/response", gateway.url);
    let answer = gateway.http.get(path).bearer_auth(KEY).send().await.expect("an answer of the API");
    answer.bytes().await.expect("a whole body").to_vec()
}

async fn reset(test: &'static str, backend: Backend) {
    let figure = "the client sees an abort; the log has what came and `upstream_reset`, 100 %";
    let mut row = Row::new(test, backend, "F13 upstream resets mid-stream", figure);
    let upstream = Upstream::start(|got: &Received| {
        // The pause lets the pieces arrive before the RST, which throws away what was not read.
        Reply::events(vec![EVENT; pieces(got)]).wait(Duration::from_millis(60)).reset()
    })
    .await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    let mut calls = JoinSet::new();
    let many = pick(64, 1_000_usize);
    let mut ids = Vec::new();
    let mut aborts = 0;
    for n in 0..many {
        let (id, url) = (Uuid::now_v7(), gateway.url.clone());
        ids.push((id, n % 5));
        calls.spawn(async move {
            let request = post("/v1/chat/completions", id, &format!("x-pieces: {}\r\n", n % 5), "{}");
            matches!(Caller::default().call(&url, &request).await, Ended::Broken { .. })
        });
        if calls.len() >= 32 {
            aborts += usize::from(calls.join_next().await.is_some_and(|done| done.unwrap_or(false)));
        }
    }
    aborts += calls.join_all().await.into_iter().filter(|abort| *abort).count();
    let all: BTreeSet<Uuid> = ids.iter().map(|(id, _)| *id).collect();
    let (audit, _) = Audit::until(backend, &gateway, &all, Duration::from_secs(30)).await;
    row.done(format!("{many} streams, RST after 0 to 4 events"));
    row.counted(many, audit.missing(&all).len());
    row.holds("every client saw an abort", aborts == many, aborts);
    let told = audit.with_outcome("upstream_reset");
    row.holds("each is told as `upstream_reset`", told == many, told);
    let mut whole = 0;
    for (id, n) in &ids {
        whole += usize::from(body_of(&gateway, *id).await == EVENT.repeat(*n).as_bytes());
    }
    row.measured(format!("{whole} of {many} kept every event that came"));
    row.holds("what came is kept", whole == many, whole);
    row.said(&gateway);
    row.end();
}

/// A listener that takes no more connections: SYNs are dropped, and who connects waits.
async fn deaf() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("a bound address");
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queue.push(stream);
    }
    (listener, queue)
}

async fn hangs(test: &'static str, backend: Backend) {
    let figure = "three limits within ±10 %; 504 before the first byte, abort after";
    let mut row = Row::new(test, backend, "F14 upstream hangs", figure);
    let upstream = Upstream::start(|got: &Received| match got.path() {
        "/v1/head" => Reply::silence(),
        "/v1/head/slow" => {
            Reply::raw("HTTP/1.1 200 OK\r\nx-a: ").wait(Duration::from_millis(500)).send("b\r\n").stall()
        }
        _ => Reply::events([EVENT, EVENT]).stall(),
    })
    .await;
    let (listener, queue) = deaf().await;
    let connect_url = format!("http://{}", listener.local_addr().expect("a bound address"));
    let (connect, first_byte, idle) = (1_000_u32, 2_000_u32, 1_500_u32);
    let options = GatewayOptions::new(backend)
        .provider("openai", upstream.url())
        .provider("mistral", connect_url)
        .env("TRAILGATE_TIMEOUTS_CONNECT_MS", connect.to_string())
        .env("TRAILGATE_TIMEOUTS_FIRST_BYTE_MS", first_byte.to_string())
        .env("TRAILGATE_TIMEOUTS_IDLE_MS", idle.to_string());
    let gateway = Gateway::start(options).await;
    let mut ids = BTreeSet::new();
    for (path, what, limit) in [
        ("/v1/gateway/mistral/v1/chat/completions", "connect", connect),
        ("/v1/head", "first byte", first_byte),
        ("/v1/head/slow", "first byte, half a head", first_byte),
        ("/v1/between", "between pieces", idle),
    ] {
        let id = Uuid::now_v7();
        ids.insert(id);
        let began = Instant::now();
        let ended = Caller::default().call(&gateway.url, &post(path, id, "", "{}")).await;
        let took = began.elapsed().as_secs_f64() * 1e3;
        let as_told = match &ended {
            Ended::Whole(answer) => answer.status == 504 && answer.is_ours() && what != "between pieces",
            Ended::Broken { head } => *head && what == "between pieces",
            Ended::Unsent => false,
        };
        row.holds("504 before the first byte, an abort after", as_told, format!("{what}: {ended:?}"));
        row.holds("not before the limit", took >= f64::from(limit) * 0.98, format!("{what}: {took:.0} ms"));
        row.at_most(&format!("{what} ({limit} ms)"), took, f64::from(limit) * 1.1, "ms");
        let stored = gateway.call(&id.to_string()).await;
        row.holds("it is told as `timeout`", stored["outcome"] == "timeout", format!("{what}: {}", stored["outcome"]));
    }
    drop(queue);
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(10)).await;
    row.done("one call for each limit");
    row.counted(ids.len(), audit.missing(&ids).len());
    upstream.wait_abandoned(3).await;
    row.said(&gateway);
    row.end();
}

async fn client_leaves(test: &'static str, backend: Backend) {
    let figure = "upstream cancelled ≤ 1 s, log with what was seen 100 %, files back ≤ 5 s";
    let mut row = Row::new(test, backend, "F15 client leaves mid-stream", figure);
    let upstream = Upstream::start(|got: &Received| Reply::events(vec![EVENT; pieces(got)]).stall()).await;
    let gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", upstream.url())).await;
    gateway.get("/v1/request/00000000-0000-0000-0000-000000000000").await;
    let files = proc::files(gateway.pid());
    let many = pick(40, 500_usize);
    let (mut ids, mut clients) = (BTreeSet::new(), Vec::new());
    for n in 0..many {
        let id = Uuid::now_v7();
        let mut client = Raw::connect(&gateway.url).await;
        client.send(post("/v1/chat/completions", id, &format!("x-pieces: {}\r\n", 1 + n % 4), "{}")).await;
        ids.insert(id);
        clients.push((client, 1 + n % 4));
    }
    for (client, n) in &mut clients {
        client.times("data: ", *n).await;
    }
    let began = Instant::now();
    drop(clients);
    upstream.wait_abandoned(many).await;
    let cancelled = began.elapsed();
    gateway.until("files are closed", async |gateway| (proc::files(gateway.pid()) <= files + 4).then_some(())).await;
    row.done(format!("{many} streams left at once after 1 to 4 events"));
    row.at_most("last upstream cancelled after", cancelled.as_secs_f64(), 1.0, "s");
    row.back("open files are back", began.elapsed(), Duration::from_secs(5));
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(30)).await;
    row.counted(many, audit.missing(&ids).len());
    let told = audit.with_outcome("client_gone");
    row.holds("each is told as `client_gone`", told == many, told);
    let mut seen = 0;
    for (n, id) in ids.iter().enumerate() {
        seen += usize::from(body_of(&gateway, *id).await == EVENT.repeat(1 + n % 4).as_bytes());
    }
    row.measured(format!("{seen} of {many} kept what was seen"));
    row.holds("what was seen is kept", seen == many, seen);
    row.said(&gateway);
    row.end();
}

/// An upstream that writes as fast as it is read; says how many bytes it got rid of.
async fn fountain(bytes: usize) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&sent);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut calls = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = std::sync::Arc::clone(&counter);
            calls.spawn(async move {
                let mut head = vec![0; 4_096];
                if stream.read(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {bytes}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok();
                let piece = vec![b'.'; 64 * 1024];
                let mut left = bytes;
                while left > 0 {
                    let Ok(n) = stream.write(&piece[..left.min(piece.len())]).await else { return };
                    left -= n;
                    counter.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    (url, sent, tasks)
}

async fn slow_reader(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F17 slow readers", "≤ 256 KB buffered a stream, upstream held back, log complete");
    let bytes = 50_000_000;
    let (url, sent, _upstream) = fountain(bytes).await;
    // What is kept of a body for the record is another budget than what is buffered on its way.
    let options = GatewayOptions::new(backend).provider("openai", url).env("TRAILGATE_CAPTURE_MAX_BODY_BYTES", "1024");
    let gateway = Gateway::start(options).await;
    let readers = pick(8, 64_usize);
    // The first call pays for what every process needs once.
    let mut ids = BTreeSet::new();
    let first = Uuid::now_v7();
    ids.insert(first);
    let done = Caller::default().call(&gateway.url, &post("/v1/files/1/content", first, "", "{}")).await;
    row.holds(
        "a fast reader gets everything",
        matches!(&done, Ended::Whole(answer) if answer.body.len() == bytes),
        "no",
    );
    let (memory, before) = (proc::rss(gateway.pid()), sent.load(std::sync::atomic::Ordering::Relaxed));
    let mut slow = Vec::new();
    for _ in 0..readers {
        let id = Uuid::now_v7();
        let socket = TcpSocket::new_v4().expect("a socket");
        // A client's own buffer is the client's business: a small one.
        socket.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let address = gateway.url.trim_start_matches("http://").parse().expect("an address");
        let mut stream = socket.connect(address).await.expect("the gateway listens");
        stream.write_all(&post("/v1/files/1/content", id, "", "{}")).await.expect("a request is taken");
        ids.insert(id);
        slow.push(stream);
    }
    // 1 KB a second each; until the upstream could not get rid of a byte for two seconds.
    let mut highest = memory;
    let (mut last, mut still) = (0, Instant::now());
    let deadline = Instant::now() + Duration::from_secs(60);
    while still.elapsed() < Duration::from_secs(2) && Instant::now() < deadline {
        for stream in &mut slow {
            let mut kilobyte = [0; 256];
            tokio::time::timeout(Duration::from_millis(100), stream.read(&mut kilobyte)).await.ok();
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        highest = highest.max(proc::rss(gateway.pid()));
        let now = sent.load(std::sync::atomic::Ordering::Relaxed);
        if now > last + readers * 4_096 {
            (last, still) = (now, Instant::now());
        }
    }
    let through = sent.load(std::sync::atomic::Ordering::Relaxed) - before;
    row.done(format!("{readers} clients that read 1 KB/s of 50 MB"));
    row.at_most("memory", (highest - memory) as f64 / readers as f64 / 1024.0, 256.0, "KB a stream");
    row.at_most(
        "upstream got rid of",
        through as f64 / readers as f64 / 1e6,
        12.0,
        "MB a stream (kernel buffers included)",
    );
    row.holds("the upstream is held back", through < readers * bytes / 2, through);
    drop(slow);
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(30)).await;
    row.counted(ids.len(), audit.missing(&ids).len());
    row.said(&gateway);
    row.end();
}
