//! The kit against itself: an upstream that did not do what its script says would make other tests lie.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Reading, Upstream};
use crate::support::reply::Reply;

async fn say(upstream: &Upstream, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(upstream.addr).await.expect("a listening upstream");
    socket.write_all(request.as_bytes()).await.expect("a request is taken");
    socket
}

#[tokio::test]
async fn chunks_and_trailers_are_on_the_wire_and_the_request_is_kept() {
    let upstream = Upstream::start(|_| Reply::status(200).chunked().send("ab").send("c").trailer("x-sum", "3")).await;
    let request = "POST /p?q=1 HTTP/1.1\r\nHost: x\r\nX-Case: Kept\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
    let mut socket = say(&upstream, request).await;
    let expected =
        "HTTP/1.1 200 Scripted\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nx-sum: 3\r\n\r\n";
    let mut answer = vec![0; expected.len()];
    socket.read_exact(&mut answer).await.expect("the scripted answer");
    assert_eq!(String::from_utf8_lossy(&answer), expected);
    let received = upstream.last();
    assert_eq!((received.target.as_str(), &received.body[..]), ("/p?q=1", &b"abc"[..]));
    assert_eq!(received.header("x-case"), Some("Kept"));
    assert_eq!(received.trailers, [("X-T".to_owned(), "1".to_owned())]);
    assert!(received.head.ends_with(b"chunked\r\n\r\n"));
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_peer_that_leaves_is_noticed() {
    let upstream = Upstream::start(|received| match received.path() {
        "/cut" => Reply::status(200).chunked().send("part").reset(),
        _ => Reply::status(200).chunked().send("part").stall(),
    })
    .await;
    let mut socket = say(&upstream, "GET /cut HTTP/1.1\r\n\r\n").await;
    let ended = socket.read_to_end(&mut Vec::new()).await;
    assert_eq!(ended.expect_err("no clean end").kind(), std::io::ErrorKind::ConnectionReset);

    let mut socket = say(&upstream, "GET /stall HTTP/1.1\r\n\r\n").await;
    socket.read_u8().await.expect("the first byte of the head");
    drop(socket);
    upstream.wait_abandoned(1).await;
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn expectations_are_answered_and_slow_readers_read_all() {
    let slow = Reading::Slow { bytes: 7, pause: Duration::from_millis(1) };
    let upstream = Upstream::reading(slow, |_| Reply::status(204)).await;
    let mut socket = say(&upstream, "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n").await;
    let mut interim = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    socket.read_exact(&mut interim).await.expect("an interim answer");
    assert!(interim.starts_with(b"HTTP/1.1 100"));
    socket.write_all(&[b'x'; 20]).await.expect("a body is taken");
    let mut answer = vec![0; "HTTP/1.1 204 Scripted\r\n\r\n".len()];
    socket.read_exact(&mut answer).await.expect("the final answer");
    assert_eq!(answer, b"HTTP/1.1 204 Scripted\r\n\r\n");
    assert_eq!(upstream.last().body.len(), 20);
}

#[tokio::test]
async fn http2_carries_frames_and_trailers_and_resets() {
    let upstream = Upstream::http2(|received| match received.path() {
        "/cut" => Reply::status(200).chunked().send("part").wait(Duration::from_millis(50)).reset(),
        _ => Reply::status(200).chunked().send("ab").send("c").trailer("x-sum", "3"),
    })
    .await;
    let socket = TcpStream::connect(upstream.addr).await.expect("a listening upstream");
    let (client, connection) = h2::client::handshake(socket).await.expect("an HTTP/2 connection");
    let talk = async {
        let mut client = client.ready().await.expect("a ready connection");
        let request = |path: &str| http::Request::get(format!("http://x{path}")).body(()).expect("a request");
        let (answer, _) = client.send_request(request("/whole"), true).expect("a stream");
        let mut body = answer.await.expect("a head").into_body();
        let mut bytes = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.expect("a data frame");
            let _ = body.flow_control().release_capacity(data.len());
            bytes.extend_from_slice(&data);
        }
        assert_eq!(bytes, b"abc");
        assert_eq!(body.trailers().await.expect("trailers").expect("some")["x-sum"], "3");

        let (answer, _) = client.send_request(request("/cut"), true).expect("a stream");
        let mut body = answer.await.expect("a head").into_body();
        let mut failed = false;
        while let Some(data) = body.data().await {
            failed |= data.is_err();
            if failed {
                break;
            }
        }
        assert!(failed, "a reset stream must not look whole");
    };
    tokio::select! {
        () = talk => {}
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
    assert_eq!(upstream.last().version, "HTTP/2.0");
}
