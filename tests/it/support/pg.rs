//! A real PostgreSQL for tests: one throw-away cluster a test process, one fresh database a test.
//!
//! The cluster lives in a temporary directory and listens on a free port of the loopback address. A shell that waits on a pipe
//! from this process stops and removes it, so it goes away however the process ends. `TRAILGATE_TEST_PG_URL` (a superuser's
//! URL) uses a server that is there already; `TRAILGATE_TEST_PG_BIN` names the directory of the server's programs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection};

struct Cluster {
    /// `postgres://user@host:port`, no database.
    base: String,
    /// Held open for the life of the process; the watching shell ends with it.
    _watch: Option<(Child, ChildStdin)>,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// The URL of a fresh, empty database.
pub async fn database() -> String {
    let cluster = match CLUSTER.get() {
        Some(cluster) => cluster,
        None => tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start)).await.expect("the cluster starts"),
    };
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(&format!("{}/postgres", cluster.base)).await.expect("the server answers");
    // A name of our own making: hexadecimal digits.
    admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database is created");
    admin.close().await.expect("the connection closes");
    format!("{}/{name}", cluster.base)
}

fn start() -> Cluster {
    if let Ok(url) = std::env::var("TRAILGATE_TEST_PG_URL") {
        let base = url.rsplit_once('/').filter(|(left, _)| !left.ends_with('/')).map_or(url.as_str(), |(left, _)| left);
        return Cluster { base: base.to_owned(), _watch: None };
    }
    let bin =
        programs().unwrap_or_else(|| panic!("PostgreSQL 15 or newer is not installed: apt-get install postgresql"));
    let dir = tempfile::Builder::new().prefix("trailgate-pg-").tempdir().expect("a temporary directory").keep();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(SCRIPT).env("BIN", &bin).env("DIR", &dir).env("PORT", port.to_string());
    shell.env("AS", server_user().unwrap_or_default());
    let mut watch = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
    let hold = watch.stdin.take().expect("a pipe");
    let deadline = Instant::now() + Duration::from_secs(90);
    while !dir.join("ready").exists() {
        if Instant::now() > deadline || watch.try_wait().expect("the shell can be asked").is_some() {
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Cluster { base: format!("postgres://postgres@127.0.0.1:{port}"), _watch: Some((watch, hold)) }
}

/// Makes and starts the cluster, then waits until the pipe on its input is closed, then stops and removes it.
const SCRIPT: &str = r#"
run() { if [ -n "$AS" ]; then setpriv --reuid="$AS" --regid="$AS" --clear-groups "$@"; else "$@"; fi; }
trap '' INT TERM HUP
exec >>"$DIR/log" 2>&1
if [ -n "$AS" ]; then chown "$AS" "$DIR"; fi
cd "$DIR" || exit 1
run "$BIN/initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --locale=C --no-sync || exit 1
set -- "$BIN/postgres" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB
# Not through a function: $! is to be the server itself.
if [ -n "$AS" ]; then setpriv --reuid="$AS" --regid="$AS" --clear-groups "$@" </dev/null & else "$@" </dev/null & fi
pid=$!
until "$BIN/pg_isready" -q -h 127.0.0.1 -p "$PORT" -U postgres; do
    kill -0 $pid 2>/dev/null || exit 1
    sleep 0.05
done
: >"$DIR/ready"
cat >/dev/null
kill -INT $pid
wait $pid
rm -rf "$DIR"
"#;

/// PostgreSQL refuses to run as root.
pub fn server_user() -> Option<String> {
    let uid = Command::new("id").arg("-u").output().ok()?;
    if uid.stdout.trim_ascii() != b"0" {
        return None;
    }
    let known = |name: &&str| Command::new("id").arg("-u").arg(name).output().is_ok_and(|o| o.status.success());
    ["postgres", "nobody"].into_iter().find(known).map(str::to_owned)
}

pub fn programs() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::var_os("TRAILGATE_TEST_PG_BIN").map(PathBuf::from).into_iter().collect();
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|dirs| dirs.flatten().map(|dir| dir.path().join("bin")).collect())
        .unwrap_or_default();
    packaged.sort_by_key(|bin| std::cmp::Reverse(version(bin)));
    places.extend(packaged);
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    places.into_iter().find(|bin| bin.join("initdb").exists() && version(bin) >= 15)
}

fn version(bin: &Path) -> u32 {
    let Ok(output) = Command::new(bin.join("postgres")).arg("--version").output() else { return 0 };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().find_map(|word| word.split('.').next()?.parse().ok());
    number.unwrap_or_default()
}
