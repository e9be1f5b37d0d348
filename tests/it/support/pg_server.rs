//! A PostgreSQL server of one test's own, to be stopped, killed, frozen and started again at the same address.
//!
//! A shell that waits for orders on a pipe from this process owns the server, and removes it when the pipe closes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The server.
pub struct PgServer {
    pub addr: SocketAddr,
    _shell: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    dir: PathBuf,
}

/// How it is stopped.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Connections are closed, what is open is rolled back.
    Fast,
    /// As a crash of the server.
    Immediate,
}

const SCRIPT: &str = r#"
run() { if [ -n "$AS" ]; then setpriv --reuid="$AS" --regid="$AS" --clear-groups "$@"; else "$@"; fi; }
trap '' INT TERM HUP
exec 3>&1 >>"$DIR/log" 2>&1
if [ -n "$AS" ]; then chown "$AS" "$DIR"; fi
cd "$DIR" || exit 1
run "$BIN/initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --locale=C --no-sync || exit 1
set -- "$BIN/postgres" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c max_connections=300 -c shared_buffers=64MB
pid=
start() {
    if [ -n "$AS" ]; then setpriv --reuid="$AS" --regid="$AS" --clear-groups "$@" </dev/null 3>&- & else "$@" </dev/null 3>&- & fi
    pid=$!
    until "$BIN/pg_isready" -q -h 127.0.0.1 -p "$PORT" -U postgres; do
        kill -0 $pid 2>/dev/null || exit 1
        sleep 0.05
    done
}
all() { kill -"$1" $pid $(cat "/proc/$pid/task/$pid/children"); }
while read -r order; do
    case $order in
        start) start "$@" ;;
        fast) kill -INT $pid; wait $pid; pid= ;;
        immediate) kill -QUIT $pid; wait $pid; pid= ;;
        freeze) all STOP ;;
        thaw) all CONT ;;
    esac
    echo done >&3
done
if [ -n "$pid" ]; then all CONT; kill -QUIT $pid; wait $pid; fi
rm -rf "$DIR"
"#;

impl PgServer {
    /// A server that runs, with an empty database.
    pub async fn start() -> Self {
        let bin = super::pg::programs().expect("PostgreSQL 15 or newer: apt-get install postgresql");
        let dir = tempfile::Builder::new().prefix("trailgate-pg-").tempdir().expect("a temporary folder").keep();
        let addr = super::upstream::closed_port().await;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(SCRIPT).env("BIN", &bin).env("DIR", &dir).env("PORT", addr.port().to_string());
        shell.env("AS", super::pg::server_user().unwrap_or_default());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().expect("a shell");
        let orders = shell.stdin.take().expect("a pipe");
        let said = BufReader::new(shell.stdout.take().expect("a pipe")).lines();
        let mut server = Self { addr, _shell: shell, orders, said, dir };
        server.order("start").await;
        let mut admin = PgConnection::connect(&server.named("postgres")).await.expect("the server answers");
        admin.execute("CREATE DATABASE trailgate").await.expect("a database is created");
        server
    }

    /// The database's URL.
    pub fn url(&self) -> String {
        self.named("trailgate")
    }

    fn named(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.addr)
    }

    pub async fn stop(&mut self, how: Stop) {
        self.order(match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        })
        .await;
    }

    pub async fn start_again(&mut self) {
        self.order("start").await;
    }

    /// Every process of the server stands still: connections stay, nothing answers.
    pub async fn freeze(&mut self) {
        self.order("freeze").await;
    }

    pub async fn thaw(&mut self) {
        self.order("thaw").await;
    }

    /// Whether transactions may write, for every connection from its next transaction on.
    pub async fn read_only(&self, read_only: bool) {
        let mut admin = PgConnection::connect(&self.named("postgres")).await.expect("the server answers");
        let word = if read_only { "on" } else { "off" };
        let text = format!("ALTER SYSTEM SET default_transaction_read_only = {word}");
        admin.execute(sqlx::AssertSqlSafe(text)).await.expect("a setting is changed");
        admin.execute("SELECT pg_reload_conf()").await.expect("settings are read again");
    }

    async fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("the shell takes an order");
        let said = tokio::time::timeout(std::time::Duration::from_secs(60), self.said.next_line()).await;
        let done = matches!(&said, Ok(Ok(Some(line))) if line == "done");
        let log = || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        assert!(done, "PostgreSQL: {order} did not work:\n{}", log());
    }
}
