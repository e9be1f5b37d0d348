//! F32: SIGTERM with streams under way, with the database up and down, and a second signal.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::report::{Row, pick, rows};
use crate::support::app::{Backend, Gateway, GatewayOptions};
use crate::support::audit::Audit;
use crate::support::caller::{Caller, Ended};
use crate::support::ledger::post;
use crate::support::mill::Mill;
use crate::support::pg_server::{PgServer, Stop};

rows! {
    f32_sigterm_sqlite: sigterm(Sqlite);
    f32_sigterm_postgres: sigterm(Postgres);
    f32_database_away_postgres: database_away(Postgres);
    f32_second_signal_sqlite: second_signal(Sqlite);
}

const FIGURE: &str = "new connections refused ≤ 100 ms, streams finish 100 %, exit 0, 0 lost";

/// Streams under way, each with its id and whether it came whole.
struct Streams {
    calls: JoinSet<(Uuid, bool)>,
}

impl Streams {
    /// Streams of `pieces` events, 100 ms apart; all of them have reached the upstream.
    async fn start(gateway: &Gateway, mill: &Mill, many: usize, pieces: u32) -> Self {
        let mut calls = JoinSet::new();
        let mut ids = BTreeSet::new();
        for _ in 0..many {
            let (id, url) = (Uuid::now_v7(), gateway.url.clone());
            ids.insert(id);
            calls.spawn(async move {
                let request = post("/v1/chat/completions", id, &format!("x-mill: {pieces},100\r\n"), r#"{"stream":true}"#);
                (id, matches!(Caller::default().call(&url, &request).await, Ended::Whole(answer) if answer.status == 200))
            });
        }
        gateway.until("all streams reached the upstream", async |_| ids.is_subset(&mill.heard()).then_some(())).await;
        Self { calls }
    }

    async fn whole(self) -> BTreeSet<Uuid> {
        self.calls.join_all().await.into_iter().filter(|(_, whole)| *whole).map(|(id, _)| id).collect()
    }
}

/// Until a connection is refused.
async fn refused(url: &str) -> Duration {
    let began = Instant::now();
    while TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(began.elapsed() < Duration::from_secs(20), "connections are accepted for ever");
    }
    began.elapsed()
}

async fn sigterm(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F32 SIGTERM with streams under way", FIGURE);
    let mill = Mill::start();
    let mut gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", mill.url())).await;
    let many = pick(60, 200);
    let streams = Streams::start(&gateway, &mill, many, 30).await;
    let began = Instant::now();
    gateway.signal("TERM").await;
    let closed = refused(&gateway.url).await;
    let exit = gateway.ended().await;
    let took = began.elapsed();
    let whole = streams.whole().await;
    row.done(format!("{many} streams of 3 s"));
    row.at_most("refused after", closed.as_secs_f64() * 1e3, 100.0, "ms");
    row.holds("exit 0", exit.success(), exit);
    row.holds("streams finish", whole.len() == many, whole.len());
    row.measured(format!("ended after {:.1} s", took.as_secs_f64()));
    let (audit, _) = Audit::until(backend, &gateway, &whole, Duration::from_secs(1)).await;
    row.measured(format!("{} in the database at the end", whole.len() - audit.missing(&whole).len()));
    gateway.launch().await;
    let (audit, _) = Audit::until(backend, &gateway, &whole, Duration::from_secs(20)).await;
    row.counted(whole.len(), audit.missing(&whole).len());
    row.said(&gateway);
    row.end();
}

async fn database_away(test: &'static str, backend: Backend) {
    let mut row =
        Row::new(test, backend, "F32 SIGTERM, database away", "streams finish, leaves in time, backlog stays, 0 lost");
    let mut server = PgServer::start().await;
    let mill = Mill::start();
    let options = GatewayOptions::new(backend).provider("openai", mill.url()).database_url(server.url());
    let mut gateway = Gateway::start(options).await;
    server.stop(Stop::Fast).await;
    let many = pick(60, 200);
    let streams = Streams::start(&gateway, &mill, many, 20).await;
    let began = Instant::now();
    gateway.signal("TERM").await;
    let whole = streams.whole().await;
    let exit = gateway.ended().await;
    row.done(format!("{many} streams of 2 s, PostgreSQL stopped"));
    row.back("it left", began.elapsed(), Duration::from_secs(35));
    row.holds("exit 0", exit.success(), exit);
    row.holds("streams finish", whole.len() == many, whole.len());
    server.start_again().await;
    gateway.launch().await;
    let (audit, _) = Audit::until(backend, &gateway, &whole, Duration::from_secs(20)).await;
    row.counted(whole.len(), audit.missing(&whole).len());
    row.said(&gateway);
    row.end();
}

async fn second_signal(test: &'static str, backend: Backend) {
    let mut row = Row::new(test, backend, "F32 a second signal", "leaves at once; what broke off is told as such");
    let mill = Mill::start();
    let mut gateway = Gateway::start(GatewayOptions::new(backend).provider("openai", mill.url())).await;
    let many = pick(20, 200);
    let streams = Streams::start(&gateway, &mill, many, 600).await;
    gateway.signal("TERM").await;
    refused(&gateway.url).await;
    let began = Instant::now();
    gateway.signal("TERM").await;
    gateway.ended().await;
    let took = began.elapsed();
    let whole = streams.whole().await;
    row.done(format!("{many} streams of 60 s, two SIGTERM"));
    row.at_most("left after", took.as_secs_f64(), 2.0, "s");
    row.holds("it did not wait for the streams", took < Duration::from_secs(15) && whole.is_empty(), whole.len());
    gateway.launch().await;
    let ids = mill.heard();
    let (audit, _) = Audit::until(backend, &gateway, &ids, Duration::from_secs(20)).await;
    row.counted(ids.len(), audit.missing(&ids).len());
    row.holds("none is told as complete", audit.with_outcome("complete") == 0, audit.with_outcome("complete"));
    row.said(&gateway);
    row.end();
}
