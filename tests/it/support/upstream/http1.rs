//! HTTP/1.1 by hand: reads one request after another from a connection, keeps its bytes, and follows the reply's steps.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Reading, Received, Shared};
use crate::support::reply::{Framing, Reply, Step};

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        shared.note(|log| log.connections += 1);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let mut connection = Connection { socket, buffer: BytesMut::new(), reading: shared.reading };
            while let Ok(true) = connection.exchange(&shared).await {}
        });
        while connections.try_join_next().is_some() {}
    }
}

struct Connection {
    socket: TcpStream,
    buffer: BytesMut,
    reading: Reading,
}

impl Connection {
    /// One request and its answer. False: the connection is over.
    async fn exchange(&mut self, shared: &Shared) -> io::Result<bool> {
        let Some(mut received) = self.head().await? else { return Ok(false) };
        if self.reading != Reading::HeadOnly {
            if received.header("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue")) {
                self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            self.body(&mut received).await?;
        }
        let reply = (shared.script)(&received);
        let is_head = received.method == "HEAD";
        shared.note(|log| log.received.push(received));
        let kept = self.answer(&reply, is_head).await;
        if matches!(kept, Err(ref error) if error.kind() == io::ErrorKind::BrokenPipe || error.kind() == io::ErrorKind::ConnectionReset)
        {
            shared.note(|log| log.abandoned += 1);
        }
        if self.reading == Reading::HeadOnly {
            // As servers do: closing over bytes that were not read would be a RST, and that may overtake the answer.
            self.socket.shutdown().await?;
            tokio::time::timeout(std::time::Duration::from_secs(5), gone(&mut self.socket, &mut self.buffer))
                .await
                .ok();
            return Ok(false);
        }
        kept
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let Reading::Slow { bytes, pause } = self.reading else { return self.socket.read_buf(&mut self.buffer).await };
        tokio::time::sleep(pause).await;
        let mut part = vec![0; bytes];
        let n = self.socket.read(&mut part).await?;
        self.buffer.extend_from_slice(&part[..n]);
        Ok(n)
    }

    async fn head(&mut self) -> io::Result<Option<Received>> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        };
        let head = self.buffer.split_to(end).freeze();
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.trim_end().split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        Ok(Some(Received {
            method: first.next().unwrap_or_default(),
            target: first.next().unwrap_or_default(),
            version: first.next().unwrap_or_default(),
            headers: lines.filter_map(header_line).collect(),
            head,
            ..Received::default()
        }))
    }

    async fn body(&mut self, received: &mut Received) -> io::Result<()> {
        if received.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            let mut body = BytesMut::new();
            loop {
                let size = usize::from_str_radix(self.line().await?.split(';').next().unwrap_or_default().trim(), 16)
                    .map_err(io::Error::other)?;
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&self.exactly(size).await?);
                self.exactly(2).await?;
            }
            loop {
                let line = self.line().await?;
                if line.is_empty() {
                    break;
                }
                received.trailers.extend(header_line(&line));
            }
            received.body = body.freeze();
            return Ok(());
        }
        let length = received.header("content-length").and_then(|v| v.trim().parse().ok()).unwrap_or(0);
        received.body = self.exactly(length).await?;
        Ok(())
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.advance(at + 2);
                return Ok(line);
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Follows the reply. True: another request may follow on this connection.
    async fn answer(&mut self, reply: &Reply, is_head: bool) -> io::Result<bool> {
        self.socket.set_nodelay(true)?;
        if reply.framing != Framing::Raw {
            self.socket.write_all(&head_of(reply)).await?;
        }
        let chunked = reply.framing == Framing::Chunked;
        for step in &reply.steps {
            match step {
                Step::Send(_) if is_head => {}
                Step::Send(bytes) if chunked => {
                    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                    chunk.extend_from_slice(bytes);
                    chunk.extend_from_slice(b"\r\n");
                    self.socket.write_all(&chunk).await?;
                }
                Step::Send(bytes) => self.socket.write_all(bytes).await?,
                Step::Wait(pause) => {
                    let gone = tokio::time::timeout(*pause, gone(&mut self.socket, &mut self.buffer)).await;
                    if gone.is_ok() {
                        return Err(io::ErrorKind::BrokenPipe.into());
                    }
                }
                Step::Stall => {
                    gone(&mut self.socket, &mut self.buffer).await;
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Step::Reset => {
                    self.socket.set_zero_linger()?;
                    return Ok(false);
                }
                Step::Close => {
                    self.socket.shutdown().await?;
                    return Ok(false);
                }
            }
        }
        if chunked && !is_head {
            let mut end = String::from("0\r\n");
            for (name, value) in &reply.trailers {
                end += &format!("{name}: {value}\r\n");
            }
            end += "\r\n";
            self.socket.write_all(end.as_bytes()).await?;
        }
        Ok(!matches!(reply.framing, Framing::Raw | Framing::UntilClose))
    }
}

/// Resolves when the peer has closed or reset the connection; what it sends before is kept as the next request.
async fn gone(socket: &mut TcpStream, buffer: &mut BytesMut) {
    while matches!(socket.read_buf(buffer).await, Ok(n) if n > 0) {}
}

fn head_of(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match reply.framing {
        Framing::Length => head += &format!("content-length: {}\r\n", reply.body().len()),
        Framing::Chunked => head += "transfer-encoding: chunked\r\n",
        Framing::UntilClose => head += "connection: close\r\n",
        Framing::Raw | Framing::None => {}
    }
    head += "\r\n";
    head.into_bytes()
}

fn header_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.trim().to_owned()))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
