//! HTTP/2 with prior knowledge, on hyper: the same scripts, steps as frames, a broken-off answer as a stream reset.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Received, Shared};
use crate::support::reply::{Framing, Reply, Step};

type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>>;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        shared.note(|log| log.connections += 1);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| exchange(request, Arc::clone(&shared)));
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // A reset by the peer ends the connection; the tests look at the log instead.
            let _ = builder.serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn exchange(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<StreamBody<Frames>>, Infallible> {
    let (parts, body) = request.into_parts();
    let collected = body.collect().await.ok();
    let trailers = collected.as_ref().and_then(|c| c.trailers().cloned()).unwrap_or_default();
    let received = Received {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: pairs(&parts.headers),
        body: collected.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
        trailers: pairs(&trailers),
        head: Bytes::new(),
        version: format!("{:?}", parts.version),
    };
    let reply = (shared.script)(&received);
    let is_head = received.method == "HEAD";
    shared.note(|log| log.received.push(received));

    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if reply.framing == Framing::Length {
        response = response.header("content-length", reply.body().len());
    }
    let body = StreamBody::new(Box::pin(frames(reply, is_head, shared)) as Frames);
    Ok(response.body(body).expect("a head that can be sent"))
}

/// The reply's steps as frames. Dropping the stream before its end counts as an abandoned answer.
fn frames(reply: Reply, is_head: bool, shared: Arc<Shared>) -> impl Stream<Item = Result<Frame<Bytes>, io::Error>> {
    let rest = (reply.steps.into_iter(), reply.trailers, Abandoned { shared, armed: true });
    futures_util::stream::unfold(rest, move |(mut steps, mut trailers, mut guard)| async move {
        for step in steps.by_ref() {
            let frame = match step {
                Step::Send(_) if is_head => continue,
                Step::Send(bytes) => Ok(Frame::data(bytes)),
                Step::Wait(pause) => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
                Step::Stall => std::future::pending().await,
                Step::Reset | Step::Close => Err(io::ErrorKind::ConnectionReset.into()),
            };
            guard.armed &= frame.is_ok();
            return Some((frame, (steps, trailers, guard)));
        }
        guard.armed = false;
        let map: HeaderMap = std::mem::take(&mut trailers)
            .iter()
            .filter_map(|(n, v)| Some((HeaderName::try_from(n).ok()?, HeaderValue::try_from(v).ok()?)))
            .collect();
        (!map.is_empty()).then(|| (Ok(Frame::trailers(map)), (steps, trailers, guard)))
    })
}

/// Notes an abandoned answer when the answer is dropped before its end.
struct Abandoned {
    shared: Arc<Shared>,
    armed: bool,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if self.armed {
            self.shared.note(|log| log.abandoned += 1);
        }
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect()
}
