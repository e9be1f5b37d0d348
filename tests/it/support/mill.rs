//! A provider for bulk: answers like OpenAI from fixed bytes, keeps nothing but which calls it heard of, and costs little.
//!
//! The header `x-mill: <pieces>,<pause ms>` asks for a stream of so many events with a pause before each but the first;
//! without it there is one JSON answer. `x-ledger` is the call's id, noted before the answer begins.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

/// The JSON answer.
pub const JSON: &str = concat!(
    r#"{"id":"chatcmpl-mill","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"Sunny."},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}"#
);

/// One event of a stream.
pub const EVENT: &str = concat!(
    r#"data: {"id":"chatcmpl-mill","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","#,
    r#""choices":[{"index":0,"delta":{"content":"Sunny "},"finish_reason":null}]}"#,
    "\n\n"
);

/// The upstream; ends when it is dropped.
pub struct Mill {
    pub addr: SocketAddr,
    heard: Arc<Mutex<BTreeSet<Uuid>>>,
    _tasks: JoinSet<()>,
}

impl Mill {
    pub fn start() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let listener = socket.listen(4_096).expect("a listener");
        let addr = listener.local_addr().expect("a bound address");
        let heard = Arc::<Mutex<BTreeSet<Uuid>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&heard)));
        Self { addr, heard, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The calls that arrived here.
    pub fn heard(&self) -> BTreeSet<Uuid> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, heard: Arc<Mutex<BTreeSet<Uuid>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let heard = Arc::clone(&heard);
        connections.spawn(async move {
            // However the gateway ends, this only stops.
            serve(stream, &heard).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, heard: &Mutex<BTreeSet<Uuid>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        let header = |name: &str| {
            head.split("\r\n")
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(|text| text.trim().to_owned())
        };
        if let Some(id) = header("x-ledger").and_then(|text| text.parse().ok()) {
            heard.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        }
        let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..end + length);
        match header("x-mill") {
            None => {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{JSON}",
                    JSON.len()
                );
                stream.write_all(answer.as_bytes()).await?;
            }
            Some(wish) => {
                let (pieces, pause) = wish.split_once(',').unwrap_or((&wish, "0"));
                let pause = Duration::from_millis(pause.parse().unwrap_or(0));
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                let piece = format!("{:x}\r\n{EVENT}\r\n", EVENT.len());
                stream.write_all(format!("{head}{piece}").as_bytes()).await?;
                for _ in 1..pieces.parse().unwrap_or(1) {
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                    stream.write_all(piece.as_bytes()).await?;
                }
                stream.write_all(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n").await?;
            }
        }
    }
}
