//! The configuration: plain data, read once at start. `config/default.toml` says what each key is for; `load` merges the
//! layers and finds all faults at once.

mod load;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::model::capture::WireFormat;

pub use load::{Environment, Fault, Faults, load};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: Server,
    pub data_dir: PathBuf,
    pub database: Database,
    pub auth: Auth,
    pub default_provider: String,
    pub egress: Egress,
    pub timeouts: Timeouts,
    pub capture: Capture,
    pub journal: Journal,
    pub drain: Drain,
    /// `sessions.infer`
    pub infer_sessions: bool,
    pub price_overlay: Option<PathBuf>,
    pub log: Log,
    /// By name, lower case.
    pub providers: BTreeMap<String, Provider>,
    /// The merged document with secrets blanked, for `print-config`.
    pub effective: toml::Table,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    pub header_timeout: Duration,
    pub max_connections: usize,
    pub drain_timeout: Duration,
}

/// `[database]`
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`; made from `data.dir` where none was given. Holds a password.
    pub url: SecretString,
    pub max_read_connections: u32,
    pub statement_timeout: Duration,
}

/// `[auth]`
#[derive(Clone, Debug)]
pub struct Auth {
    pub mode: AuthMode,
    pub key: Option<SecretString>,
}

/// Who must show a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// [`AuthMode::Open`] on a loopback address, else [`AuthMode::Keys`].
    Auto,
    /// Nobody.
    Open,
    /// Everybody.
    Keys,
}

/// `[egress]`
#[derive(Clone, Debug)]
pub struct Egress {
    pub allow: Vec<IpNet>,
    pub targets: Targets,
    pub ca_file: Option<PathBuf>,
}

/// What a caller may choose as a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    Any,
    Known,
}

/// `[timeouts]`
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    pub first_byte: Duration,
    pub idle: Duration,
}

/// `[capture]`
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    pub max_body_bytes: usize,
    pub memory_bytes: usize,
    pub max_log_bytes: usize,
}

/// `[journal]`
#[derive(Clone, Copy, Debug)]
pub struct Journal {
    pub durability: Durability,
    pub segment_bytes: u64,
    /// 0: a share of the disk.
    pub max_bytes: u64,
    pub min_free_bytes: u64,
    pub on_full: OnFull,
}

/// What happens to calls that cannot be put on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    Serve,
    Reject,
}

/// What "kept" means before a client hears that its call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk.
    Durable,
    /// With the operating system.
    Fast,
}

/// `[drain]`
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    pub batch_rows: usize,
    pub linger: Duration,
    /// A record that waits longer beside a database that answers makes the gateway unready.
    pub stuck: Duration,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    pub filter: String,
    pub json: bool,
}

/// `[providers.<name>]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub url: Url,
    pub format: WireFormat,
    /// Other names in paths and host names, lower case.
    pub aliases: Vec<String>,
    /// HTTP/2 with prior knowledge over plain TCP.
    pub http2: bool,
}
