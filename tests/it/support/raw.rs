//! A client that writes its bytes by hand and shows the answer's bytes as they came.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::upstream::DEADLINE;

/// A connection to the gateway.
pub struct Raw {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Raw {
    /// To `http://host:port`.
    pub async fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("http://");
        Self { stream: TcpStream::connect(address).await.expect("a connection to the gateway"), seen: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the gateway reads");
    }

    /// Reads until `needle` has come; everything so far, lossy.
    pub async fn until(&mut self, needle: &str) -> String {
        let reading = async {
            loop {
                let text = String::from_utf8_lossy(&self.seen).into_owned();
                if text.contains(needle) {
                    return text;
                }
                let mut buffer = [0; 16 * 1024];
                let n = self.stream.read(&mut buffer).await.unwrap_or(0);
                assert!(n > 0, "the connection ended before {needle:?} came: {text}");
                self.seen.extend_from_slice(&buffer[..n]);
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("waited for {needle:?} in vain"))
    }

    /// Reads until `needle` has come so many times.
    pub async fn times(&mut self, needle: &str, times: usize) {
        let reading = async {
            while String::from_utf8_lossy(&self.seen).matches(needle).count() < times {
                let n = self.stream.read_buf(&mut self.seen).await.unwrap_or(0);
                assert!(n > 0, "the connection ended before {needle:?} came {times} times");
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("waited for {needle:?} in vain"));
    }

    /// Ends our half of the connection and goes on reading.
    pub async fn end(&mut self) {
        self.stream.shutdown().await.expect("a connection that can be half closed");
    }

    /// Reads to the end of the connection, however it ends.
    pub async fn rest(mut self) -> Vec<u8> {
        let reading = async {
            let mut buffer = [0; 16 * 1024];
            while let Ok(n @ 1..) = self.stream.read(&mut buffer).await {
                self.seen.extend_from_slice(&buffer[..n]);
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.expect("the connection ends");
        self.seen
    }

    /// True if nothing comes for so long.
    pub async fn silent(&mut self, pause: Duration) -> bool {
        let mut byte = [0; 1];
        tokio::time::timeout(pause, self.stream.peek(&mut byte)).await.is_err()
    }
}
