//! Scripted providers. A script is a function from what was received to a [`Reply`]; the upstream keeps everything it
//! received, byte for byte, so that tests can hold it against what the client sent.
//!
//! HTTP/1.1 is written by hand on a TCP socket: that is the only way to lie about lengths, to break off with RST and to
//! see the request's bytes as they were. HTTP/2 (prior knowledge, no TLS) is hyper's server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::reply::Reply;

mod http1;
mod http2;
mod tests;

/// What a test waits for at most.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A request as the upstream saw it.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In the order and case of the wire (HTTP/2: lower case, without pseudo headers).
    pub headers: Vec<(String, String)>,
    /// Decoded: without chunk framing.
    pub body: Bytes,
    pub trailers: Vec<(String, String)>,
    /// HTTP/1.1 only: the bytes of the head, including the empty line.
    pub head: Bytes,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
}

impl Received {
    /// The first header of that name, without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as JSON; `Null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// How the upstream reads request bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Prompt,
    /// So many bytes, then a pause, and again (HTTP/1.1 only).
    Slow {
        bytes: usize,
        pause: Duration,
    },
    /// Answers after the head without reading the body, then closes (HTTP/1.1 only).
    HeadOnly,
}

type Script = dyn Fn(&Received) -> Reply + Send + Sync;

/// A provider that follows a script until it is dropped.
pub struct Upstream {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    script: Box<Script>,
    reading: Reading,
    log: Mutex<Log>,
    changed: Notify,
}

#[derive(Default)]
struct Log {
    received: Vec<Received>,
    connections: usize,
    /// Answers that the peer did not wait for.
    abandoned: usize,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log());
        self.changed.notify_waiters();
    }
}

impl Upstream {
    /// An HTTP/1.1 upstream.
    pub async fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::reading(Reading::Prompt, script).await
    }

    /// An HTTP/1.1 upstream that reads bodies in its own way.
    pub async fn reading(reading: Reading, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let (listener, addr, shared) = open(reading, script).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(http1::serve(listener, Arc::clone(&shared)));
        Self { addr, shared, _tasks: tasks }
    }

    /// An HTTP/2 upstream without TLS, prior knowledge.
    pub async fn http2(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let (listener, addr, shared) = open(Reading::Prompt, script).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(http2::serve(listener, Arc::clone(&shared)));
        Self { addr, shared, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Everything received so far, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.log().received.clone()
    }

    /// The newest request.
    pub fn last(&self) -> Received {
        self.shared.log().received.last().cloned().expect("the upstream received nothing")
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.log().connections
    }

    /// Waits until `n` requests have arrived whole.
    pub async fn wait_received(&self, n: usize) {
        self.wait(&format!("{n} requests"), |log| log.received.len() >= n).await;
    }

    /// Waits until the peer has left `n` answers before their end.
    pub async fn wait_abandoned(&self, n: usize) {
        self.wait(&format!("{n} abandoned answers"), |log| log.abandoned >= n).await;
    }

    async fn wait(&self, what: &str, done: impl Fn(&Log) -> bool) {
        let reached = async {
            loop {
                let changed = self.shared.changed.notified();
                if done(&self.shared.log()) {
                    return;
                }
                changed.await;
            }
        };
        let log = || {
            let log = self.shared.log();
            format!("{} received, {} abandoned", log.received.len(), log.abandoned)
        };
        assert!(tokio::time::timeout(DEADLINE, reached).await.is_ok(), "waited for {what} in vain: {}", log());
    }
}

async fn open(
    reading: Reading,
    script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (TcpListener, SocketAddr, Arc<Shared>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound address");
    let shared = Shared { script: Box::new(script), reading, log: Mutex::default(), changed: Notify::new() };
    (listener, addr, Arc::new(shared))
}

/// An address on which nobody listens.
pub async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("a bound address")
}
