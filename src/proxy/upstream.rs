//! The upstream client: hyper-util's, over the guarded connector. It follows no redirect, decompresses nothing, knows no
//! cookies and no system proxy; header names keep the case in which the provider wrote them.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::{ClientBody, ClientBodyError};
use super::egress::{ConnectError, Guarded, Policy, TimeLimited};
use crate::config::Config;
use crate::model::capture::Outcome;

/// Idle connections are closed before most providers close theirs, so that few calls meet a closing one.
const IDLE: Duration = Duration::from_secs(55);

/// How often an HTTP/2 connection is asked whether it is alive, and how long the answer may take.
const PING: Duration = Duration::from_secs(20);
const PING_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that are read ahead from an upstream at most, or kept for one that does not read (HTTP/1.1).
const BUFFER: usize = 40 * 1024;

/// Headers of one answer (HTTP/1.1); their size is bounded by [`BUFFER`].
const MOST_HEADERS: usize = 512;

type Connector = TimeLimited<HttpsConnector<Guarded>>;

/// Connections to upstreams. Cheap to clone.
#[derive(Clone)]
pub struct Upstream {
    /// HTTP/1.1, or HTTP/2 where TLS negotiates it.
    client: Client<Connector, ClientBody>,
    /// HTTP/2 with prior knowledge, without TLS.
    plain_http2: Client<Connector, ClientBody>,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct SendError {
    pub outcome: Outcome,
    /// For a person: no key, no body.
    pub message: String,
}

impl Upstream {
    /// A client by the configuration.
    ///
    /// # Errors
    /// When `egress.ca_file` cannot be read or holds no certificate.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let connector = |tls: rustls::ClientConfig| {
            let https = HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                .https_or_http()
                .enable_all_versions()
                .wrap_connector(Guarded::new(Policy::new(config)));
            TimeLimited { inner: https, limit: config.timeouts.connect }
        };
        let tls = tls_config(config)?;
        Ok(Self {
            client: builder().build(connector(tls.clone())),
            plain_http2: builder().http2_only(true).build(connector(tls)),
        })
    }

    /// Sends a call and waits for the answer's head.
    ///
    /// # Errors
    /// When there is no answer; the outcome says which way the call ended.
    pub async fn send(&self, request: Request<ClientBody>, http2: bool) -> Result<Response<Incoming>, SendError> {
        let client = if http2 { &self.plain_http2 } else { &self.client };
        client.request(request).await.map_err(|error| classify(&error))
    }
}

fn builder() -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http1_preserve_header_case(true)
        .http1_max_buf_size(BUFFER)
        .http1_max_headers(MOST_HEADERS)
        .http2_adaptive_window(true)
        // One connection carries all calls to a host: where the peer fell silent it must not take them all with it.
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING_LIMIT)
        .http2_keep_alive_while_idle(true)
        // Only a request of which nothing was sent yet is sent again: a pooled connection that closed in between.
        .retry_canceled_requests(true);
    builder
}

fn tls_config(config: &Config) -> anyhow::Result<rustls::ClientConfig> {
    use anyhow::Context as _;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let mut roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = &config.egress.ca_file {
        let shown = path.display();
        let certificates = CertificateDer::pem_file_iter(path).with_context(|| format!("egress.ca_file: {shown}"))?;
        let mut added = 0_usize;
        for certificate in certificates {
            roots.add(certificate.with_context(|| format!("egress.ca_file: {shown}"))?)?;
            added += 1;
        }
        anyhow::ensure!(added > 0, "egress.ca_file: {shown} holds no certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn classify(error: &hyper_util::client::legacy::Error) -> SendError {
    if let Some(connect) = find::<ConnectError>(error) {
        let outcome = match connect {
            ConnectError::Refused { .. } | ConnectError::Itself(_) => Outcome::Refused,
            ConnectError::TimedOut(_) => Outcome::Timeout,
            ConnectError::NoAddress(_) | ConnectError::Io(_) | ConnectError::Tcp(_) => Outcome::Unreachable,
        };
        return SendError { outcome, message: connect.to_string() };
    }
    if find::<ClientBodyError>(error).is_some() {
        return SendError {
            outcome: Outcome::ClientGone,
            message: "the client left before its request was sent whole".to_owned(),
        };
    }
    let outcome = if error.is_connect() { Outcome::Unreachable } else { Outcome::UpstreamReset };
    SendError { outcome, message: chain(error) }
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An error and its causes in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
