//! One kept-alive HTTP/1.1 connection that makes call after call and knows of each how far it came: nothing sent, broken
//! off, or whole to the last byte. Written by hand, so that thousands of calls a second cost little beside the gateway.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How a call ended.
#[derive(Debug)]
pub enum Ended {
    /// The last byte came.
    Whole(Answer),
    /// There was no connection: the gateway never heard of the call.
    Unsent,
    /// The connection broke after the call was sent.
    Broken { head: bool },
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower case.
    pub head: String,
    pub body: Vec<u8>,
    pub first_byte: Duration,
    pub whole: Duration,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// Whether the gateway itself failed the call.
    pub fn is_ours(&self) -> bool {
        self.header("helicone-status") == Some("failed")
    }
}

/// A connection that is made when it is needed.
#[derive(Default)]
pub struct Caller {
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// No call of the kit takes longer.
const LIMIT: Duration = Duration::from_secs(60);

impl Caller {
    /// Sends a whole request to `http://host:port` and reads the whole answer.
    pub async fn call(&mut self, url: &str, request: &[u8]) -> Ended {
        let ended = match tokio::time::timeout(LIMIT, self.exchange(url, request)).await {
            Ok(ended) => ended,
            Err(_) => Ended::Broken { head: false },
        };
        if !matches!(ended, Ended::Whole(_)) {
            self.stream = None;
        }
        ended
    }

    async fn exchange(&mut self, url: &str, request: &[u8]) -> Ended {
        let mut stream = match self.stream.take().filter(is_open) {
            Some(stream) => stream,
            None => {
                let Ok(stream) = TcpStream::connect(url.trim_start_matches("http://")).await else {
                    return Ended::Unsent;
                };
                stream.set_nodelay(true).ok();
                stream
            }
        };
        let began = Instant::now();
        if stream.write_all(request).await.is_err() {
            return Ended::Broken { head: false };
        }
        self.buffer.clear();
        let mut first_byte = None;
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read_buf(&mut self.buffer).await {
                Ok(n) if n > 0 => first_byte = first_byte.or_else(|| Some(began.elapsed())),
                _ => return Ended::Broken { head: false },
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
            first_byte: first_byte.unwrap_or_default(),
            whole: Duration::ZERO,
        };
        let chunked = answer.header("transfer-encoding") == Some("chunked");
        let length: usize = answer.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        loop {
            let body = &self.buffer[head_end..];
            let whole = if chunked { body.ends_with(b"0\r\n\r\n") } else { body.len() >= length };
            if whole {
                break;
            }
            match stream.read_buf(&mut self.buffer).await {
                Ok(n) if n > 0 => {}
                _ => return Ended::Broken { head: true },
            }
        }
        answer.whole = began.elapsed();
        answer.body = self.buffer.split_off(head_end);
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ended::Whole(answer)
    }
}

/// Whether the gateway has left a kept connection open: one that nobody used for long is closed.
fn is_open(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
