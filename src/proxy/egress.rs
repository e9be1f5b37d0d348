//! Egress: which addresses the gateway may connect to. Everything that reaches the network goes through [`Guarded`], and
//! the address that was checked is the address that is connected to: names are looked up once, here.
//!
//! Private, loopback, link-local, metadata and reserved addresses are refused unless the operator allowed them, also in
//! their disguises (IPv4 mapped into IPv6, NAT64, 6to4). The refusal does not tell an open port from a closed one.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::net::TcpStream;
use tower::{Service, ServiceExt as _};

use crate::config::Config;

/// Why a connection was not tried, or did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The policy refuses the address.
    #[error(
        "the address of {host} is private, local or reserved, and egress.allow names no network that holds it{hint}"
    )]
    Refused { host: String, hint: &'static str },
    /// The gateway's own address: what it tells this machine without a key would be told to whoever sent the call.
    #[error("{0} is this gateway itself")]
    Itself(String),
    /// The caller's limit ran out.
    #[error("no connection within {} ms (timeouts.connect_ms)", .0.as_millis())]
    TimedOut(Duration),
    /// The name has no address.
    #[error("the name {0} has no address")]
    NoAddress(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// TCP failed; the system's words.
    #[error("{0}")]
    Tcp(String),
}

/// What may be connected to.
#[derive(Clone, Debug)]
pub struct Policy {
    allow: Arc<[IpNet]>,
    /// Origins that the operator configured, as `host:port`: plain http is fine with them.
    configured: Arc<[(String, u16)]>,
    /// Where the gateway listens.
    own: SocketAddr,
}

impl Policy {
    /// The policy that the configuration describes.
    pub fn new(config: &Config) -> Self {
        let configured = config.providers.values().filter_map(|provider| {
            Some((provider.url.host_str()?.trim_matches(['[', ']']).to_owned(), provider.url.port_or_known_default()?))
        });
        Self { allow: config.egress.allow.clone().into(), configured: configured.collect(), own: config.server.listen }
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let (ip, own) = (address.ip().to_canonical(), self.own.ip().to_canonical());
        let here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        address.port() == self.own.port() && (ip == own || (here(ip) && here(own)))
    }

    fn allows(&self, address: IpAddr, plain_http: bool) -> bool {
        let address = address.to_canonical();
        let named = self.allow.iter().any(|network| network.contains(&address));
        named || (is_public(address) && !plain_http)
    }

    fn is_configured(&self, host: &str, port: u16) -> bool {
        self.configured.iter().any(|(name, number)| name.eq_ignore_ascii_case(host) && *number == port)
    }
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let reserved = v4.is_unspecified()
        || v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !reserved
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let embedded = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // NAT64 carries the IPv4 address at the end, 6to4 right behind its prefix.
        (0x64, 0xff9b) => c == 0 && d == 0 && e == 0 && f == 0 && embedded(g, h),
        (0x2002, _) => embedded(b, c),
        // Teredo, benchmarking, ORCHID, documentation.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x3fff, 0..=0x0fff) => false,
        // Only 2000::/3 is given out; the rest is loopback, local, multicast or reserved.
        _ => a & 0xe000 == 0x2000,
    }
}

/// A TCP connector that checks every address before it connects.
#[derive(Clone, Debug)]
pub struct Guarded {
    policy: Policy,
    resolver: GaiResolver,
}

impl Guarded {
    pub fn new(policy: Policy) -> Self {
        Self { policy, resolver: GaiResolver::new() }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let plain = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let plain_http = plain && !self.policy.is_configured(&host, port);
        let refused = || ConnectError::Refused {
            host: host.clone(),
            hint: if plain_http { "; plain http to a target that a caller chose needs that too" } else { "" },
        };
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(literal) => vec![SocketAddr::new(literal, port)],
            Err(_) => {
                let name = host.parse::<Name>().map_err(|_| ConnectError::NoAddress(host.clone()))?;
                let addresses = self.resolver.oneshot(name).await?;
                addresses.map(|address| SocketAddr::new(address.ip(), port)).collect()
            }
        };
        if found.is_empty() {
            return Err(ConnectError::NoAddress(host));
        }
        let checked: Vec<SocketAddr> =
            found.into_iter().filter(|address| self.policy.allows(address.ip(), plain_http)).collect();
        if checked.is_empty() {
            return Err(refused());
        }
        if checked.iter().any(|address| self.policy.is_own(*address)) {
            return Err(ConnectError::Itself(host));
        }
        let mut tcp = HttpConnector::new_with_resolver(Checked(checked));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        let stream = tcp.oneshot(uri).await.map_err(|error| ConnectError::Tcp(tcp_words(&error)))?;
        // The last word belongs to the socket: what is connected must be what was checked.
        let peer = stream.inner().peer_addr()?;
        if self.policy.allows(peer.ip(), plain_http) { Ok(stream) } else { Err(refused()) }
    }
}

fn tcp_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}

impl Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A resolver that answers with the addresses that passed the check, whatever it is asked.
#[derive(Clone, Debug)]
struct Checked(Vec<SocketAddr>);

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        std::future::ready(Ok(self.0.clone().into_iter()))
    }
}

/// A time limit around a whole connect: look-up, TCP and TLS together.
#[derive(Clone, Debug)]
pub struct TimeLimited<C> {
    pub inner: C,
    pub limit: Duration,
}

impl<C> Service<Uri> for TimeLimited<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    C::Response: 'static,
{
    type Response = C::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = self.limit;
        let connecting = self.inner.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(result) => result.map_err(Into::into),
                Err(_) => Err(ConnectError::TimedOut(limit).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str]) -> Policy {
        Policy {
            allow: allow.iter().map(|network| network.parse().unwrap()).collect(),
            configured: Arc::new([("configured.example".to_owned(), 80)]),
            own: "127.0.0.1:8787".parse().unwrap(),
        }
    }

    #[test]
    fn only_public_addresses_pass() {
        let policy = policy(&[]);
        for refused in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "169.254.169.254",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.9",
            "198.18.0.1",
            "192.0.0.192",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:1::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
        ] {
            assert!(!policy.allows(refused.parse().unwrap(), false), "{refused}");
        }
        for allowed in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(policy.allows(allowed.parse().unwrap(), false), "{allowed}");
            assert!(!policy.allows(allowed.parse().unwrap(), true), "{allowed} over plain http");
        }
    }

    #[test]
    fn the_operator_can_allow_networks() {
        let policy = policy(&["127.0.0.0/8", "fd00::/8"]);
        for (address, allowed) in
            [("127.0.0.1", true), ("::ffff:127.0.0.1", true), ("fd00::7", true), ("10.0.0.1", false), ("::1", false)]
        {
            assert_eq!(policy.allows(address.parse().unwrap(), true), allowed, "{address}");
        }
    }

    #[tokio::test]
    async fn no_call_leads_back_here() {
        let policy = policy(&["127.0.0.0/8", "0.0.0.0/32", "::/127"]);
        for host in ["127.0.0.1", "localhost", "0.0.0.0", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]"] {
            let uri: Uri = format!("http://{host}:8787/").parse().unwrap();
            let error = Guarded::new(policy.clone()).oneshot(uri).await.unwrap_err();
            assert!(matches!(error, ConnectError::Itself(_)), "{host}: {error}");
        }
        let of = |address: &str| policy.is_own(address.parse().unwrap());
        assert!(!of("127.0.0.1:8788") && !of("10.0.0.1:8787"));
    }

    #[tokio::test]
    async fn refusals_come_before_any_connection() {
        let canary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = canary.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
            let uri: Uri = format!("https://{host}:{port}/").parse().unwrap();
            let error = Guarded::new(policy(&[])).oneshot(uri).await.unwrap_err();
            assert!(matches!(error, ConnectError::Refused { .. }), "{host}: {error}");
        }
        let waiting = tokio::time::timeout(Duration::from_millis(50), canary.accept()).await;
        assert!(waiting.is_err(), "nobody may have connected");
        let uri: Uri = format!("http://127.0.0.1:{port}/").parse().unwrap();
        assert!(Guarded::new(policy(&["127.0.0.1/32"])).oneshot(uri).await.is_ok());
    }
}
