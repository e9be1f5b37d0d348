//! The database is away, silent, locked, broken or refuses a record: the gateway goes on, and everything is there in the end.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::support::app::{Backend, Gateway, GatewayOptions, KEY};
use crate::support::openai;
use crate::support::pg;
use crate::support::relay::Relay;
use crate::support::reply::Reply;
use crate::support::upstream::{Received, Upstream};

/// A gateway with keys before the scripted provider.
struct Site {
    gateway: Gateway,
    _upstream: Upstream,
    /// The database itself, past any relay.
    database: String,
}

impl Site {
    async fn start(backend: Backend) -> Self {
        Self::with(backend, |options| options).await
    }

    async fn with(backend: Backend, change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> Self {
        let upstream = Upstream::start(script).await;
        let mut options = GatewayOptions::new(backend).keys().provider("openai", upstream.url());
        let mut database = String::new();
        if backend == Backend::Postgres {
            database = pg::database().await;
            options = options.env("TRAILGATE_DATABASE_URL", database.clone());
        }
        let gateway = Gateway::start(change(options)).await;
        if backend == Backend::Sqlite {
            database = format!("sqlite://{}", gateway.data_dir().join("trailgate.db").display());
        }
        Self { gateway, _upstream: upstream, database }
    }

    async fn before(relay: &Relay, database: &str) -> Self {
        let url = relay.url(database);
        let upstream = Upstream::start(script).await;
        let options = GatewayOptions::new(Backend::Postgres).keys().provider("openai", upstream.url());
        let gateway = Gateway::start(options.env("TRAILGATE_DATABASE_URL", url)).await;
        Self { gateway, _upstream: upstream, database: database.to_owned() }
    }

    fn request(&self, key: &str) -> reqwest::RequestBuilder {
        let request = self.gateway.http.post(format!("{}/v1/chat/completions", self.gateway.url));
        request.header("helicone-auth", format!("Bearer {key}")).timeout(Duration::from_secs(20))
    }

    /// A proxied call; its id.
    async fn call(&self) -> String {
        accepted(self.request(KEY).body("{\"model\": \"gpt-4o\"}")).await
    }

    /// A manual log; its id.
    async fn log(&self) -> String {
        let envelope = json!({
            "providerRequest": {"url": "custom-model-nopath", "json": {"_type": "tool", "toolName": "t", "input": {}}, "meta": {}},
            "providerResponse": {"status": 200, "headers": {}, "json": {"_type": "tool"}},
            "timing": {"startTime": {"seconds": 1_790_000_000, "milliseconds": 0},
                       "endTime": {"seconds": 1_790_000_001, "milliseconds": 0}},
        });
        accepted(self.gateway.http.post(format!("{}/custom/v1/log", self.gateway.url)).bearer_auth(KEY).json(&envelope))
            .await
    }

    async fn stored(&self, ids: &[String]) {
        for id in ids {
            self.gateway.call(id).await;
        }
    }

    /// Runs statements on the database.
    async fn sql(&self, statements: &[&str]) {
        for statement in statements {
            let text = AssertSqlSafe((*statement).to_owned());
            let done = if self.database.starts_with("sqlite:") {
                let mut connection = SqliteConnection::connect(&self.database).await.unwrap();
                connection.execute(text).await.map(drop)
            } else {
                let mut connection = PgConnection::connect(&self.database).await.unwrap();
                // It may have been made read-only by a statement before.
                connection.execute("SET default_transaction_read_only = off").await.unwrap();
                connection.execute(text).await.map(drop)
            };
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    async fn ready(&self) -> (u16, Value) {
        self.gateway.get("/readyz").await
    }

    async fn until_failures(&self, more_than: u64) {
        self.gateway
            .until("the drain has failed some times", async |gateway| {
                let (_, body) = gateway.get("/readyz").await;
                (body["journal"]["drain_failures"].as_u64()? > more_than).then_some(())
            })
            .await;
    }
}

fn script(received: &Received) -> Reply {
    if received.json()["model"] == "endless" {
        return Reply::events(["data: {}\n\n"]).stall();
    }
    openai::script(received)
}

async fn accepted(request: reqwest::RequestBuilder) -> String {
    let answer = request.send().await.unwrap();
    let (status, id) = (answer.status(), answer.headers()["helicone-id"].to_str().unwrap().to_owned());
    let body = answer.bytes().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{body:?}");
    id
}

/// A database's relay, and the database behind it.
async fn relayed() -> (Relay, String) {
    let database = pg::database().await;
    let url = url::Url::parse(&database).unwrap();
    let address = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap();
    (Relay::start(address).await, database)
}

/// What goes on as if nothing had happened, and what says that the database is away.
async fn goes_on_without(site: &Site) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(site.call().await);
        ids.push(site.log().await);
    }
    let unknown = site.request("sk-helicone-unknown-unknown-unknown-unknown").body("{}").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE, "nobody knows whether the key is good");
    let (status, body) = site.gateway.post("/v1/session/query", &json!({})).await;
    assert_eq!(status, 503, "{body}");
    assert!(body["error"].as_str().unwrap().contains("the database is not available"), "{body}");
    let (status, body) = site.ready().await;
    assert_eq!((status, &body["store"]["available"]), (200, &json!(false)), "{body}");
    assert!(body["journal"]["bytes_on_disk"].as_u64() > Some(0), "{body}");
    assert!(body["journal"]["oldest_waiting_ms"].is_u64(), "{body}");
    let metrics = site.gateway.http.get(format!("{}/metrics", site.gateway.url)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for name in [
        "trailgate_journal_bytes ",
        "trailgate_journal_oldest_waiting_seconds ",
        "trailgate_journal_frames_refused_total ",
        "trailgate_journal_bytes_cut_total ",
        "trailgate_journal_sync_seconds_bucket{le=\"0.01\"} ",
        "trailgate_drain_dead_total ",
        "trailgate_drain_failures_total ",
    ] {
        assert!(metrics.contains(&format!("\n{name}")), "{name} is not in\n{metrics}");
    }
    ids
}

#[tokio::test]
async fn a_silent_postgres_stops_nobody_and_gets_everything_later() {
    let (relay, database) = relayed().await;
    let site = Site::before(&relay, &database).await;
    site.stored(&[site.call().await]).await;
    relay.mute();
    let ids = goes_on_without(&site).await;
    relay.answer_new();
    site.stored(&ids).await;
    site.gateway
        .until("queries work again", async |gateway| {
            (gateway.post("/v1/session/query", &json!({})).await.0 == 200).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_start_without_a_database_serves() {
    let (relay, database) = relayed().await;
    relay.refuse(true);
    let site = Site::before(&relay, &database).await;
    let ids = goes_on_without(&site).await;
    relay.refuse(false);
    site.stored(&ids).await;
}

#[tokio::test]
async fn an_end_beside_a_silent_postgres_is_in_time_and_loses_nothing() {
    let (relay, database) = relayed().await;
    let mut site = Site::before(&relay, &database).await;
    site.stored(&[site.call().await]).await;
    relay.mute();
    let ids = [site.call().await, site.log().await];
    assert!(site.gateway.terminate().await.success());
    relay.answer_new();
    site.gateway.launch().await;
    site.stored(&ids).await;
}

#[tokio::test]
async fn a_read_only_postgres_gets_everything_later() {
    let site = Site::start(Backend::Postgres).await;
    let name = site.database.rsplit('/').next().unwrap().to_owned();
    let read_only = |on: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}");
    let end_others = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    );
    site.sql(&[&read_only("on"), &end_others]).await;
    let ids = [site.call().await, site.log().await];
    site.until_failures(2).await;
    site.sql(&[&read_only("off"), &end_others]).await;
    site.stored(&ids).await;
    assert_eq!(site.ready().await.1["journal"]["dead"], 0);
}

#[tokio::test]
async fn a_locked_sqlite_gets_everything_later() {
    let site = Site::start(Backend::Sqlite).await;
    let mut other = SqliteConnection::connect(&site.database).await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    let ids = [site.call().await, site.log().await];
    assert_eq!(site.gateway.post("/v1/session/query", &json!({})).await.0, 200, "readers need no lock");
    site.until_failures(0).await;
    other.execute("ROLLBACK").await.unwrap();
    site.stored(&ids).await;
    assert_eq!(site.ready().await.1["journal"]["dead"], 0);
}

async fn a_store_that_takes_nothing_makes_no_dead_letters(backend: Backend) {
    let site = Site::with(backend, |options| options.env("TRAILGATE_DRAIN_STUCK_MS", "300")).await;
    site.stored(&[site.call().await]).await;
    for (hide, show) in [
        ("ALTER TABLE exchange RENAME TO gone", "ALTER TABLE gone RENAME TO exchange"),
        ("ALTER TABLE session RENAME COLUMN calls TO gone", "ALTER TABLE session RENAME COLUMN gone TO calls"),
        ("ALTER TABLE body RENAME TO gone", "ALTER TABLE gone RENAME TO body"),
    ] {
        let before = site.ready().await.1["journal"]["drain_failures"].as_u64().unwrap();
        site.sql(&[hide]).await;
        let session = ("helicone-session-id", "s");
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(accepted(site.request(KEY).header(session.0, session.1).body("{\"model\": \"gpt-4o\"}")).await);
        }
        site.until_failures(before + 4).await;
        site.gateway
            .until("it is not ready while nothing moves beside a database that answers", async |gateway| {
                (gateway.get("/readyz").await.0 == 503).then_some(())
            })
            .await;
        site.sql(&[show]).await;
        site.stored(&ids).await;
    }
    let (status, body) = site.ready().await;
    assert_eq!((status, &body["journal"]["dead"]), (200, &json!(0)), "{body}");
}

async fn what_the_database_refuses_is_a_dead_letter(backend: Backend) {
    let site = Site::start(backend).await;
    let (forbid, allow) = match backend {
        Backend::Sqlite => (
            "CREATE TRIGGER no_poison BEFORE INSERT ON exchange WHEN NEW.user_id = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'a word of the content'); END",
            "DROP TRIGGER no_poison",
        ),
        Backend::Postgres => (
            "ALTER TABLE exchange ADD CONSTRAINT no_poison CHECK (user_id <> 'poison') NOT VALID",
            "ALTER TABLE exchange DROP CONSTRAINT no_poison",
        ),
    };
    site.sql(&[forbid]).await;
    let text = "{\"model\": \"gpt-4o\", \"secret\": \"kept\"}";
    let poison = || accepted(site.request(KEY).header("helicone-user-id", "poison").body(text));
    let (before, first, second, after) = (site.call().await, poison().await, poison().await, site.call().await);
    site.stored(&[before, after]).await;
    let listed = site
        .gateway
        .until("two dead letters", async |gateway| {
            let (status, body) = gateway.get("/v1/dead-letter?limit=1").await;
            assert_eq!(status, 200, "{body}");
            let next = body["next_cursor"].as_str()?.to_owned();
            let (_, more) = gateway.get(&format!("/v1/dead-letter?limit=1&cursor={next}")).await;
            assert!(more["next_cursor"].is_null(), "{more}");
            Some([body["data"][0].clone(), more["data"][0].clone()])
        })
        .await;
    let mut ids: Vec<&str> = listed.iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let mut wanted = [first.as_str(), second.as_str()];
    wanted.sort_unstable();
    assert_eq!(ids, wanted, "a record without an id of its sender's has one name");
    for row in &listed {
        assert_eq!(row["kind"], "call");
        let reason = row["reason"].as_str().unwrap();
        assert!(reason.starts_with("the database refused it, code ") && !reason.contains("word"), "{reason}");
    }

    let raw = site.ask(Method::GET, &format!("/v1/dead-letter/{first}")).await;
    assert_eq!(raw.0, 200);
    assert!(raw.1.windows(text.len()).any(|window| window == text.as_bytes()), "the request's bytes are in it");
    let retried = async |id: &str| site.ask(Method::POST, &format!("/v1/dead-letter/{id}/retry")).await;
    let outcome =
        |answer: (u16, Vec<u8>)| serde_json::from_slice::<Value>(&answer.1).unwrap()["data"]["outcome"].clone();
    assert_eq!(outcome(retried(&first).await), "refused");
    site.sql(&[allow]).await;
    assert_eq!(outcome(retried(&first).await), "stored");
    assert_eq!(retried(&first).await.0, 404, "it is no letter any more");
    site.stored(std::slice::from_ref(&first)).await;
    assert_eq!(site.ask(Method::GET, &format!("/v1/request/{first}/body/request")).await.1, text.as_bytes());

    let (code, out) = site.cli(&["dead-letter", "list", "--json"]).await;
    let row: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((code, &row["id"]), (Some(0), &json!(second)));
    let (code, out) = site.cli(&["dead-letter", "show", &second]).await;
    assert_eq!(code, Some(0));
    assert!(out.windows(text.len()).any(|window| window == text.as_bytes()));
    let (code, out) = site.cli(&["dead-letter", "retry", "--all", "--json"]).await;
    let row: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((code, &row["outcome"]), (Some(0), &json!("stored")));
    site.stored(std::slice::from_ref(&second)).await;

    site.sql(&[forbid]).await;
    let third = poison().await;
    site.gateway
        .until("a third dead letter", async |gateway| {
            let (_, body) = gateway.get("/v1/dead-letter").await;
            (body["data"][0]["id"] == third).then_some(())
        })
        .await;
    assert_eq!(site.cli(&["dead-letter", "retry", &third]).await.0, Some(1), "it is still refused");
    assert_eq!(site.ask(Method::DELETE, &format!("/v1/dead-letter/{third}")).await.0, 200);
    assert_eq!(site.ask(Method::DELETE, &format!("/v1/dead-letter/{third}")).await.0, 404);
    assert_eq!(site.cli(&["dead-letter", "drop", &third]).await.0, Some(1));
}

impl Site {
    async fn ask(&self, method: Method, path: &str) -> (u16, Vec<u8>) {
        let url = format!("{}{path}", self.gateway.url);
        let answer = self.gateway.http.request(method, url).bearer_auth(KEY).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    async fn cli(&self, arguments: &[&str]) -> (Option<i32>, Vec<u8>) {
        let output = self.gateway.command(arguments).output().await.unwrap();
        (output.status.code(), output.stdout)
    }
}

async fn hostile_bodies_are_no_poison(backend: Backend) {
    let site = Site::with(backend, |options| options.env("TRAILGATE_CAPTURE_MAX_BODY_BYTES", "33554432")).await;
    let deep = format!("{{\"model\": \"gpt-4o\", \"x\": {}1{}}}", "[".repeat(300), "]".repeat(300));
    let mut long = b"{\"model\": \"gpt-4o\", \"x\": \"".to_vec();
    long.resize(20 << 20, b'y');
    long.extend_from_slice(b"\"}");
    let bodies: [Vec<u8>; 7] = [
        b"{\"model\": \"gpt-4o\", \"user\": \"a\\u0000b\", \"x\": \"\0\"}".to_vec(),
        b"{\"model\": \"gpt-4o\", \"user\": \"\\ud800\", \"x\": \"\\udfff\\ud800\"}".to_vec(),
        b"{\"model\": \"gpt-4o\", \"temperature\": 1e400, \"max_tokens\": -1e400}".to_vec(),
        deep.into_bytes(),
        b"{\"model\": \"gpt-4o\", \"model\": \"gpt-4o-mini\", \"user\": \"a\", \"user\": null}".to_vec(),
        b"{\"model\": \"gpt-4o\", \"user\": \"\xff\xfe\xc3\x28\"}".to_vec(),
        long,
    ];
    let mut sent = Vec::new();
    for body in bodies {
        let answer =
            site.request(KEY).header("helicone-session-id", "hostile").body(body.clone()).send().await.unwrap();
        let id = answer.headers()["helicone-id"].to_str().unwrap().to_owned();
        answer.bytes().await.unwrap();
        sent.push((id, body));
    }
    let after = site.call().await;
    site.stored(&[after]).await;
    for (id, body) in sent {
        // Not by the call's JSON: this test's own parser takes neither such numbers nor such depths.
        let path = format!("/v1/request/{id}/body/request");
        let kept = site
            .gateway
            .until("the body is stored", async |_| {
                let (status, kept) = site.ask(Method::GET, &path).await;
                (status == 200).then_some(kept)
            })
            .await;
        assert!(kept == body, "{id}: {} bytes came back of {}", kept.len(), body.len());
    }
    assert_eq!(site.ready().await.1["journal"]["dead"], 0);
}

async fn a_second_signal_leaves_at_once(backend: Backend) {
    let mut site = Site::start(backend).await;
    let kept = site.call().await;
    let mut stream = site.request(KEY).body("{\"model\": \"endless\", \"stream\": true}").send().await.unwrap();
    let cut = stream.headers()["helicone-id"].to_str().unwrap().to_owned();
    stream.chunk().await.unwrap();
    site.gateway.signal("TERM").await;
    let address = site.gateway.url.trim_start_matches("http://").to_owned();
    site.gateway
        .until("new connections are refused", async |_| {
            tokio::net::TcpStream::connect(&address).await.is_err().then_some(())
        })
        .await;
    let status = site.gateway.terminate().await;
    assert_eq!(status.code(), Some(3), "{}", site.gateway.stderr());
    assert!(stream.chunk().await.is_err(), "a stream that was cut does not end cleanly");
    site.gateway.launch().await;
    site.stored(&[kept, cut]).await;
}

/// The test on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Backend::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Backend::Postgres).await;
            })*
        }
    };
}

on_both!(
    a_store_that_takes_nothing_makes_no_dead_letters,
    what_the_database_refuses_is_a_dead_letter,
    hostile_bodies_are_no_poison,
    a_second_signal_leaves_at_once,
);
