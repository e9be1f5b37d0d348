//! The gateway under test: the real binary on a free port with a data folder of its own.
//!
//! Dropping a [`Gateway`] kills the process by its id and removes the folder. What it printed on standard error is shown
//! when it does not start, and is there for tests that look for secrets in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;

use super::upstream::DEADLINE;

/// Which database is behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// How to start a gateway.
pub struct GatewayOptions {
    pub backend: Backend,
    /// Environment, over the kit's own.
    pub env: BTreeMap<String, String>,
    /// Text of a configuration file, if one is wanted.
    pub config: Option<String>,
    /// A program before the binary, with its arguments; it must become the binary (`exec`).
    pub before: Vec<String>,
    /// Where the data is, if not in the gateway's own folder.
    pub data_dir: Option<PathBuf>,
    /// The database, if it is not to be a fresh one of the kit's.
    pub database_url: Option<String>,
}

/// A key with all rights that gateways of the kit accept when [`GatewayOptions::keys`] was asked for.
pub const KEY: &str = "sk-helicone-tests00-tests00-tests00-tests00";

impl GatewayOptions {
    /// Loopback upstreams allowed, no key needed.
    pub fn new(backend: Backend) -> Self {
        let (env, before) = (BTreeMap::new(), Vec::new());
        let options = Self { backend, env, config: None, before, data_dir: None, database_url: None };
        options.env("TRAILGATE_EGRESS_ALLOW", "127.0.0.0/8").env("TRAILGATE_LOG_FILTER", "info")
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// `providers.<name>.url`.
    #[must_use]
    pub fn provider(self, name: &str, url: impl Into<String>) -> Self {
        let variable = format!("TRAILGATE_PROVIDERS_{}_URL", name.to_uppercase());
        self.env(&variable, url)
    }

    /// Every call needs a key; [`KEY`] is one.
    #[must_use]
    pub fn keys(self) -> Self {
        self.env("TRAILGATE_AUTH_MODE", "keys").env("TRAILGATE_AUTH_KEY", KEY)
    }

    #[must_use]
    pub fn config(mut self, text: impl Into<String>) -> Self {
        self.config = Some(text.into());
        self
    }

    /// Starts the binary by way of another program, such as `prlimit --nofile=64`.
    #[must_use]
    pub fn before(mut self, program: &[&str]) -> Self {
        self.before = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }
}

/// A running gateway.
pub struct Gateway {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    pub http: reqwest::Client,
    process: Option<Process>,
    options: GatewayOptions,
    folder: TempDir,
    /// Kept over restarts.
    database_url: Option<String>,
}

struct Process {
    child: Child,
    pid: u32,
    /// What it printed at its start.
    said: String,
    /// Kept open: a process that prints to a closed pipe is killed.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Gateway {
    /// Starts the binary and waits until it says that it is ready.
    pub async fn start(options: GatewayOptions) -> Self {
        let mut gateway = Self::prepare(options).await;
        gateway.launch().await;
        gateway
    }

    /// Everything but the start.
    pub async fn prepare(options: GatewayOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = match (&options.database_url, options.backend) {
            (Some(url), _) => Some(url.clone()),
            (None, Backend::Sqlite) => None,
            (None, Backend::Postgres) => Some(super::pg::database().await),
        };
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { url: String::new(), http, process: None, options, folder, database_url }
    }

    /// Starts it again on the same folder and database, on a new port, after [`Self::kill`] or [`Self::terminate`].
    pub async fn launch(&mut self) {
        assert!(self.process.is_none(), "the gateway runs already");
        let mut child = self.command(&["serve"]).spawn().expect("the gateway's binary starts");
        let pid = child.id().expect("a process that was not awaited yet");
        let mut lines = BufReader::new(child.stdout.take().expect("piped standard output")).lines();
        // From the address to the last line of what it says at its start.
        let announced = async {
            let mut said = String::new();
            while let Ok(Some(line)) = lines.next_line().await {
                said.push_str(&line);
                said.push('\n');
                if line.trim().starts_with("data:") {
                    break;
                }
            }
            said
        };
        let said = tokio::time::timeout(DEADLINE, announced).await.unwrap_or_default();
        let url = said.lines().find_map(|line| line.trim().strip_prefix("trailgate is listening on "));
        let Some(url) = url else { panic!("the gateway did not start ({said:?}); it said:\n{}", self.stderr()) };
        self.url = url.trim_end_matches('/').to_owned();
        self.process = Some(Process { child, pid, said, _output: lines });
        self.until("GET /readyz is 200", async |gateway| {
            let answer = gateway.http.get(format!("{}/readyz", gateway.url)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// The binary with this gateway's environment, for other subcommands.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_trailgate");
        let mut command = match self.options.before.split_first() {
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command.args(arguments).env_clear().kill_on_drop(true).current_dir(self.folder.path());
        command.env("TRAILGATE_SERVER_LISTEN", "127.0.0.1:0").env("TRAILGATE_DATA_DIR", self.data_dir());
        if let Some(url) = &self.database_url {
            command.env("TRAILGATE_DATABASE_URL", url);
        }
        command.envs(&self.options.env);
        if let Some(text) = &self.options.config {
            let path = self.folder.path().join("trailgate.toml");
            std::fs::write(&path, text).expect("a configuration file");
            command.arg("--config").arg(path);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).expect("a log file");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        command
    }

    pub fn data_dir(&self) -> PathBuf {
        self.options.data_dir.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// The database's URL as sqlx takes it.
    pub fn database_url(&self) -> String {
        let file = || format!("sqlite://{}", self.data_dir().join("trailgate.db").display());
        self.database_url.clone().unwrap_or_else(file)
    }

    /// Other settings for the next start.
    pub fn options(&mut self) -> &mut GatewayOptions {
        &mut self.options
    }

    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("stderr.log")
    }

    /// Everything it has printed on standard error, over all launches.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// What it printed on standard output at its start.
    pub fn stdout(&self) -> String {
        self.process.as_ref().expect("a running gateway").said.clone()
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("a running gateway").pid
    }

    /// SIGKILL, and waits for the end.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("a running gateway");
        process.child.kill().await.expect("a process that can be killed");
    }

    /// SIGTERM; returns when the process has ended by itself.
    pub async fn terminate(&mut self) -> std::process::ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Waits for the end of a process that was told to end.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().expect("a running gateway");
        // The limit on streams at the end is half a minute.
        let ended = tokio::time::timeout(2 * DEADLINE, process.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("no end after SIGTERM; it said:\n{}", self.stderr())).expect("an exit status")
    }

    /// Sends a signal by name, such as `TERM`, `STOP`, `CONT`.
    pub async fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {}", self.pid());
    }

    /// Asks the API with [`KEY`]; status and JSON (`Null` where the answer is no JSON).
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(reqwest::Method::GET, path, None).await
    }

    /// The same with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(reqwest::Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(KEY);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer of the API");
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.expect("a whole answer of the API");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The call as the API tells it, as soon as it is stored.
    pub async fn call(&self, id: &str) -> Value {
        self.until(&format!("call {id} is stored"), async |gateway| {
            let (status, body) = gateway.get(&format!("/v1/request/{id}?includeBody=true")).await;
            (status == 200 && !body["data"].is_null()).then(|| body["data"].clone())
        })
        .await
    }

    /// The session's row with its `tree` and `calls`, as soon as it has so many calls.
    pub async fn session(&self, id: &str, calls: i64) -> Value {
        self.until(&format!("session {id} has {calls} calls"), async |gateway| {
            let (status, mut body) = gateway.get(&format!("/v1/session/{id}")).await;
            (status == 200 && body["data"]["total_requests"] == calls).then(|| body["data"].take())
        })
        .await
    }

    /// Polls until there is something, with a deadline; panics with what the gateway said if there never is.
    pub async fn until<T>(&self, what: &str, mut probe: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = probe(self).await {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain until {what}; the gateway said:\n{}", self.stderr());
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }
}

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
