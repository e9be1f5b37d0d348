//! A TCP relay in front of a database or an upstream, which does to connections what networks do to them: it delays, cuts,
//! resets, slows down, and falls silent without a word (no FIN, no RST), as a firewall that lost its state does.
//!
//! Each order takes effect at once on the connections that it names. Dropping the relay closes everything.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the relay does at present. Connections are numbered from 1 in the order in which they came.
#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    accepted: u64,
    /// Connections up to this number never move a byte again.
    muted_through: u64,
    /// The same for those that come.
    mute_new: bool,
    cut_through: u64,
    reset_through: u64,
    refuse: bool,
    paused: bool,
    delay: Duration,
    bytes_per_second: Option<u64>,
}

/// A relay to one address.
pub struct Relay {
    pub addr: SocketAddr,
    orders: watch::Sender<Orders>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Listens on a free port and passes everything on to `target`.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound address");
        let (orders, _) = watch::channel(Orders::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, orders.clone()));
        Self { addr, orders, _tasks: tasks }
    }

    /// `url` with the relay's address in place of its host and port, such as a database's URL.
    pub fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).expect("a URL");
        url.set_ip_host(self.addr.ip()).expect("a URL with a host");
        url.set_port(Some(self.addr.port())).expect("a URL with a port");
        url.to_string()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.orders.borrow().accepted
    }

    /// The connections that are open now fall silent for good; new ones work.
    pub fn mute_existing(&self) {
        self.order(|orders| orders.muted_through = orders.accepted);
    }

    /// All connections fall silent for good, and so do those that come until [`Self::answer_new`].
    pub fn mute(&self) {
        self.order(|orders| {
            orders.muted_through = orders.accepted;
            orders.mute_new = true;
        });
    }

    /// Connections that come from now on work; what is silent stays silent.
    pub fn answer_new(&self) {
        self.order(|orders| orders.mute_new = false);
    }

    /// Nothing moves until [`Self::resume`]; then everything goes on where it was, as after a paused machine.
    pub fn pause(&self) {
        self.order(|orders| orders.paused = true);
    }

    pub fn resume(&self) {
        self.order(|orders| orders.paused = false);
    }

    /// Closes what is open with FIN.
    pub fn cut(&self) {
        self.order(|orders| orders.cut_through = orders.accepted);
    }

    /// Closes what is open with RST.
    pub fn reset(&self) {
        self.order(|orders| orders.reset_through = orders.accepted);
    }

    /// Whether connections that come are closed with RST at once.
    pub fn refuse(&self, refuse: bool) {
        self.order(|orders| orders.refuse = refuse);
    }

    /// Each piece of an answer is held back for so long.
    pub fn delay(&self, delay: Duration) {
        self.order(|orders| orders.delay = delay);
    }

    /// Bytes a second and direction at most.
    pub fn rate(&self, bytes_per_second: Option<u64>) {
        self.order(|orders| orders.bytes_per_second = bytes_per_second);
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        self.orders.send_modify(change);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, orders: watch::Sender<Orders>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let mut number = 0;
        orders.send_modify(|orders| {
            orders.accepted += 1;
            number = orders.accepted;
            if orders.mute_new {
                orders.muted_through = number;
            }
        });
        if orders.borrow().refuse {
            near.set_zero_linger().ok();
            continue;
        }
        connections.spawn(carry(near, target, number, orders.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(mut near: TcpStream, target: SocketAddr, number: u64, mut orders: watch::Receiver<Orders>) {
    // A silent connection does not even reach the target: nobody there learns of it.
    let mute = orders.borrow().muted_through >= number;
    if mute && orders.wait_for(|orders| orders.ends(number)).await.is_err() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(target).await else {
        near.set_zero_linger().ok();
        return;
    };
    near.set_nodelay(true).ok();
    far.set_nodelay(true).ok();
    {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let there = pump(near_read, far_write, number, false, orders.clone());
        let back = pump(far_read, near_write, number, true, orders.clone());
        tokio::select! {
            _ = async { tokio::join!(there, back) } => {}
            _ = orders.wait_for(|orders| orders.ends(number)) => {}
        }
    }
    let reset = orders.borrow().reset_through >= number;
    for mut socket in [near, far] {
        if reset {
            socket.set_zero_linger().ok();
        } else {
            socket.shutdown().await.ok();
        }
    }
}

/// Moves bytes one way until the sender's end, which is passed on.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    number: u64,
    is_answer: bool,
    mut orders: watch::Receiver<Orders>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if orders.wait_for(|orders| orders.moves(number)).await.is_err() {
            return;
        }
        let room = match orders.borrow().bytes_per_second {
            Some(rate) => usize::try_from(rate / 20).unwrap_or(usize::MAX).clamp(1, buffer.len()),
            None => buffer.len(),
        };
        let Ok(n) = from.read(&mut buffer[..room]).await else { return };
        let now = *orders.borrow();
        if is_answer && !now.delay.is_zero() {
            tokio::time::sleep(now.delay).await;
        }
        if let Some(rate) = now.bytes_per_second {
            tokio::time::sleep(Duration::from_secs_f64(n as f64 / rate.max(1) as f64)).await;
        }
        // An order may have come while a piece was under way.
        if orders.wait_for(|orders| orders.moves(number)).await.is_err() {
            return;
        }
        if n == 0 {
            to.shutdown().await.ok();
            return;
        }
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}

impl Orders {
    fn moves(&self, number: u64) -> bool {
        !self.paused && number > self.muted_through
    }

    fn ends(&self, number: u64) -> bool {
        number <= self.cut_through || number <= self.reset_through
    }
}

mod tests {
    use super::*;

    /// An echo server, the relay before it and a client's connection through it.
    async fn line() -> (JoinSet<()>, Relay, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let target = listener.local_addr().expect("a bound address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut echoes = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                echoes.spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await.ok();
                });
            }
        });
        let relay = Relay::start(target).await;
        let client = TcpStream::connect(relay.addr).await.expect("a connection to the relay");
        (tasks, relay, client)
    }

    async fn echoed(client: &mut TcpStream) -> bool {
        client.write_all(b"x").await.expect("a socket that takes a byte");
        let mut byte = [0; 1];
        matches!(tokio::time::timeout(Duration::from_millis(150), client.read_exact(&mut byte)).await, Ok(Ok(_)))
    }

    #[tokio::test]
    async fn silence_is_silence_and_others_go_on() {
        let (_echo, relay, mut client) = line().await;
        assert!(echoed(&mut client).await);
        relay.mute_existing();
        assert!(!echoed(&mut client).await, "a muted connection says nothing, not even that it ended");
        let mut other = TcpStream::connect(relay.addr).await.expect("a connection to the relay");
        assert!(echoed(&mut other).await);
        relay.mute();
        let mut third = TcpStream::connect(relay.addr).await.expect("a connection to the relay");
        assert!(!echoed(&mut other).await && !echoed(&mut third).await);
        relay.answer_new();
        let mut fourth = TcpStream::connect(relay.addr).await.expect("a connection to the relay");
        assert!(echoed(&mut fourth).await && !echoed(&mut third).await);
        assert_eq!(relay.connections(), 4);
    }

    #[tokio::test]
    async fn cuts_and_resets_are_told_apart() {
        let (_echo, relay, mut client) = line().await;
        assert!(echoed(&mut client).await);
        relay.cut();
        assert_eq!(client.read(&mut [0; 1]).await.expect("a clean end"), 0);
        let mut other = TcpStream::connect(relay.addr).await.expect("a connection to the relay");
        assert!(echoed(&mut other).await);
        relay.reset();
        let ended = other.read(&mut [0; 1]).await.expect_err("no clean end");
        assert_eq!(ended.kind(), std::io::ErrorKind::ConnectionReset);
        relay.refuse(true);
        let mut third = TcpStream::connect(relay.addr).await.expect("the port is open");
        assert!(third.read(&mut [0; 1]).await.is_err());
    }

    #[tokio::test]
    async fn delays_pauses_and_rates_hold_bytes_back() {
        let (_echo, relay, mut client) = line().await;
        relay.pause();
        assert!(!echoed(&mut client).await);
        relay.resume();
        let mut held = [0; 1];
        client.read_exact(&mut held).await.expect("what was held comes after all");
        relay.delay(Duration::from_millis(300));
        assert!(!echoed(&mut client).await);
        client.read_exact(&mut held).await.expect("what was delayed comes");
        relay.delay(Duration::ZERO);
        relay.rate(Some(2));
        assert!(!echoed(&mut client).await);
    }
}
