//! The listener: accepts connections, serves HTTP/1.1 and HTTP/2 on them, lets them finish at shutdown.
//!
//! `axum::serve` installs no timers, so hyper-util's connection builder runs here: a connection that does not send a whole
//! request head in time is closed, and one that only keeps itself alive may stay idle longer.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::HOST;
use http::{Request, Response, StatusCode, Version};
use hyper::rt::{Sleep, Timer};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::config::Server;

/// How long a connection may wait for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Bytes that a connection buffers of what its peer does not read (HTTP/1.1); also the longest request head.
const BUFFER: usize = 64 * 1024;
/// Headers of one request. More than hyper's own limit, as a call may carry a hundred properties; room for them is taken
/// while a head is read and given back then. Their size is bounded by [`BUFFER`].
const MOST_HEADERS: usize = 512;
/// No request head is shorter: `GET / HTTP/1.1` and two line ends.
const SHORTEST_HEAD: u64 = 18;

/// Lets this process have as many descriptors as it may: systems begin with far fewer than there may be connections.
pub fn raise_file_limit() {
    let most = getrlimit(Resource::Nofile);
    if most.current != most.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: most.maximum, ..most })
    {
        tracing::debug!(%error, "listen.file_limit_stays");
    }
}

/// Serves calls with `handler` until `stop` resolves, then lets connections finish for the configured time.
///
/// `leave` ends even that. A peer that takes nothing of what waits for it for `unread_limit` is cut off. Returns when no connection is left or nobody waits for them any more.
pub async fn serve<H, F>(
    listener: TcpListener,
    handler: H,
    (settings, unread_limit): (&Server, Duration),
    stop: impl Future<Output = ()>,
    leave: impl Future<Output = ()>,
) where
    H: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(settings.max_connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let connection =
            connection(stream, handler.clone(), (settings.header_timeout, unread_limit), graceful.watcher());
        tasks.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    tasks.close();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(settings.drain_timeout) => tracing::warn!("listen.drain_timeout: calls in flight are cut"),
        () = leave => tracing::warn!("listen.second_signal: calls in flight are cut"),
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of file descriptors, mostly: trying at once would only burn the processor.
            tracing::warn!(%error, "listen.accept_failed");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn connection<H, F>(
    stream: TcpStream,
    handler: H,
    (head_limit, unread_limit): (Duration, Duration),
    watcher: hyper_util::server::graceful::Watcher,
) where
    H: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true).and_then(|()| Ok(limit_silence(&stream, unread_limit)?)) {
        tracing::debug!(%error, "listen.socket_options_failed");
    }
    let read = Arc::new(AtomicU64::new(0));
    let io = TokioIo::new(Counted { inner: stream, read: Arc::clone(&read) });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(HeadTimer { read: Arc::clone(&read), served: Arc::new(AtomicBool::new(false)), limit: head_limit })
        .header_read_timeout(head_limit)
        .preserve_header_case(true)
        // A client that ends its half of the connection has left: it could not be told from one that closed it, and the
        // upstream of a silent stream would be held for it. Never `pipeline_flush`: with it hyper takes a whole answer into memory for a client that does not read.
        .max_buf_size(BUFFER)
        .max_headers(MOST_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .adaptive_window(true)
        .max_concurrent_streams(1_000)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        // Boxed, as hyper moves a service's future about, and keeps room for one on a connection that waits.
        let answer = has_one_host(&request).then(|| Box::pin(handler(request.map(Body::new))));
        async move {
            Ok::<Response<Body>, Infallible>(match answer {
                Some(answer) => answer.await,
                None => without_host(),
            })
        }
    });
    let serving = watcher.watch(builder.serve_connection(io, service).into_owned());
    // The builder waits without a limit for enough bytes to tell HTTP/1 from HTTP/2.
    let silent = async {
        tokio::time::sleep(head_limit).await;
        if read.load(Ordering::Relaxed) >= SHORTEST_HEAD {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = serving => if let Err(error) = result {
            tracing::debug!(%error, "listen.connection_ended");
        },
        () = silent => tracing::debug!("listen.silent_connection_closed"),
    }
}

/// Ends a connection whose peer is gone without a word, or does not read what waits for it: nobody asks the body of an answer
/// that hyper cannot write, so only the system sees that.
fn limit_silence(stream: &TcpStream, unread_limit: Duration) -> rustix::io::Result<()> {
    let limit = u32::try_from(unread_limit.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(stream, limit)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112, 3.2): with two of them the next server may believe another one.
fn has_one_host<B>(request: &Request<B>) -> bool {
    request.version() != Version::HTTP_11 || request.headers().get_all(HOST).iter().count() == 1
}

fn without_host() -> Response<Body> {
    let mut answer = Response::new(Body::from("an HTTP/1.1 request has exactly one Host header\n"));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

/// A socket that counts what was read from it.
struct Counted {
    inner: TcpStream,
    read: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        let arrived = buf.filled().len().saturating_sub(before);
        self.read.fetch_add(arrived as u64, Ordering::Relaxed);
        result
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// The clock that hyper asks for the head's time limit. hyper starts it when a connection begins to wait for a head; on a
/// connection that served one already, waiting is no fault until the first byte of the next head has come.
#[derive(Clone)]
struct HeadTimer {
    read: Arc<AtomicU64>,
    served: Arc<AtomicBool>,
    limit: Duration,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let idle = self.served.swap(true, Ordering::Relaxed);
        let until = if idle { Instant::now() + KEEP_ALIVE } else { deadline };
        Box::pin(HeadSleep {
            sleep: tokio::time::sleep_until(until.into()),
            idle_at: idle.then(|| self.read.load(Ordering::Relaxed)),
            read: Arc::clone(&self.read),
            limit: self.limit,
        })
    }
}

pin_project_lite::pin_project! {
    struct HeadSleep {
        #[pin]
        sleep: tokio::time::Sleep,
        // The count of bytes at which the connection fell idle; `None` once a head has begun.
        idle_at: Option<u64>,
        read: Arc<AtomicU64>,
        limit: Duration,
    }
}

impl Future for HeadSleep {
    type Output = ();

    /// hyper polls this whenever bytes have come that do not make a whole head yet.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let begun = this.idle_at.is_some_and(|at| this.read.load(Ordering::Relaxed) > at);
        if begun {
            *this.idle_at = None;
            this.sleep.as_mut().reset((Instant::now() + *this.limit).into());
        }
        this.sleep.poll(cx)
    }
}

impl Sleep for HeadSleep {}
