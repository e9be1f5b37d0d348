//! Loading: `default.toml` ← file ← environment, then every key read once. All faults are found before any is reported,
//! each naming its key; a key that nobody reads is a fault too.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use toml::{Table, Value};
use url::Url;

use super::{
    Auth, AuthMode, Capture, Config, Database, Drain, Durability, Egress, Journal, Log, OnFull, Provider, Server,
    Targets, Timeouts,
};
use crate::model::capture::WireFormat;

const DEFAULTS: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "TRAILGATE_";

/// Environment variables, handed in so that tests need none of the process's.
pub type Environment = BTreeMap<String, String>;

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `section.key`, or the name of the environment variable.
    pub key: String,
    /// The reason and what is allowed.
    pub message: String,
}

/// All things wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let line_break = if n == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}: {}", fault.key, fault.message)?;
        }
        Ok(())
    }
}

/// Merges the layers and reads every key.
///
/// # Errors
/// Every fault of every layer together; nothing is half-loaded.
pub fn load(file: Option<&Path>, env: &Environment) -> Result<Config, Faults> {
    let mut faults = Vec::new();
    let mut merged = parse(DEFAULTS, "config/default.toml", &mut faults);
    let defaults = merged.clone();
    if let Some(path) = file {
        match std::fs::read_to_string(path) {
            Ok(text) => merge(&mut merged, parse(&text, &path.display().to_string(), &mut faults)),
            Err(error) => faults.push(fault(&path.display().to_string(), format!("cannot be read: {error}"))),
        }
    }
    apply_environment(&mut merged, &defaults, env, &mut faults);
    let config = read(merged, &mut faults);
    if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
}

fn fault(key: &str, message: impl Into<String>) -> Fault {
    Fault { key: key.to_owned(), message: message.into() }
}

fn parse(text: &str, name: &str, faults: &mut Vec<Fault>) -> Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        faults.push(fault(name, format!("is not valid TOML: {}", error.to_string().trim_end())));
        Table::new()
    })
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(table)) => merge(inner, table),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// `TRAILGATE_SECTION_KEY` over the merged document. The default's type decides how the text is read.
fn apply_environment(merged: &mut Table, defaults: &Table, env: &Environment, faults: &mut Vec<Fault>) {
    for (name, text) in env.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        let wanted = name.strip_prefix(PREFIX).unwrap_or_default().to_ascii_lowercase();
        if wanted == "config" || wanted.starts_with("test_") {
            continue; // the command line's own variable, and those of the test suite
        }
        let known = defaults.iter().filter(|(section, _)| *section != "providers").find_map(|(section, keys)| {
            let key = wanted.strip_prefix(&format!("{section}_"))?;
            Some((section.clone(), key.to_owned(), keys.get(key)?.clone()))
        });
        if let Some((section, key, like)) = known {
            match from_text(text, &like) {
                Ok(value) => set(merged, &[&section, &key], value),
                Err(message) => faults.push(fault(name, message)),
            }
            continue;
        }
        let Some((provider, key)) = provider_key(&wanted, merged) else {
            faults.push(fault(name, "there is no such setting; `trailgate print-config` lists all"));
            continue;
        };
        let like = match key {
            "http2" => Value::Boolean(false),
            "aliases" => Value::Array(Vec::new()),
            _ => Value::String(String::new()),
        };
        match from_text(text, &like) {
            Ok(value) => set(merged, &["providers", &provider, key], value),
            Err(message) => faults.push(fault(name, message)),
        }
    }
}

/// `providers_my_llm_url` → (`my-llm` if there is such a provider, else `my_llm`; `url`).
fn provider_key(wanted: &str, merged: &Table) -> Option<(String, &'static str)> {
    let rest = wanted.strip_prefix("providers_")?;
    let key = ["url", "format", "aliases", "http2"].into_iter().find(|key| rest.ends_with(&format!("_{key}")))?;
    let name = rest.strip_suffix(key)?.strip_suffix('_').filter(|name| !name.is_empty())?;
    let spelled = merged
        .get("providers")
        .and_then(Value::as_table)
        .and_then(|table| table.keys().find(|have| have.to_ascii_lowercase().replace('-', "_") == name).cloned());
    Some((spelled.unwrap_or_else(|| name.to_owned()), key))
}

fn from_text(text: &str, like: &Value) -> Result<Value, String> {
    match like {
        Value::Integer(_) => {
            text.trim().parse().map(Value::Integer).map_err(|_| format!("must be a whole number, not {text:?}"))
        }
        Value::Boolean(_) => match text.trim() {
            "true" | "1" => Ok(Value::Boolean(true)),
            "false" | "0" | "" => Ok(Value::Boolean(false)),
            other => Err(format!("must be true or false, not {other:?}")),
        },
        Value::Array(_) => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::String(item.to_owned()))
                .collect(),
        )),
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn set(table: &mut Table, path: &[&str], value: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut here = table;
    for name in parents {
        let slot = here.entry((*name).to_owned()).or_insert_with(|| Value::Table(Table::new()));
        if !slot.is_table() {
            *slot = Value::Table(Table::new());
        }
        let Value::Table(inner) = slot else { return };
        here = inner;
    }
    here.insert((*last).to_owned(), value);
}

/// Reads keys out of the document; what is left at the end was unknown.
struct Reader<'a> {
    table: Table,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn take(&mut self, section: &str, key: &str) -> Option<Value> {
        match self.table.get_mut(section) {
            Some(Value::Table(inner)) => inner.remove(key),
            Some(_) => {
                self.table.remove(section);
                self.faults.push(fault(section, "must be a section, such as [server]"));
                None
            }
            None => None,
        }
    }

    fn wrong(&mut self, section: &str, key: &str, message: impl Into<String>) {
        self.faults.push(fault(&format!("{section}.{key}"), message));
    }

    fn text(&mut self, section: &str, key: &str) -> String {
        match self.take(section, key) {
            Some(Value::String(text)) => text,
            None => String::new(),
            Some(other) => {
                self.wrong(section, key, format!("must be a text in quotes, not {}", other.type_str()));
                String::new()
            }
        }
    }

    fn optional_path(&mut self, section: &str, key: &str) -> Option<PathBuf> {
        let text = self.text(section, key);
        (!text.is_empty()).then(|| PathBuf::from(text))
    }

    /// A whole number in `min..=max`.
    fn number<T: TryFrom<i64> + Default>(&mut self, section: &str, key: &str, min: i64, max: i64) -> T {
        let value = match self.take(section, key) {
            Some(Value::Integer(number)) => number,
            None => return T::default(),
            Some(other) => {
                self.wrong(section, key, format!("must be a whole number, not {}", other.type_str()));
                return T::default();
            }
        };
        match T::try_from(value) {
            Ok(number) if (min..=max).contains(&value) => number,
            _ => {
                self.wrong(section, key, format!("must be between {min} and {max}, not {value}"));
                T::default()
            }
        }
    }

    fn millis(&mut self, section: &str, key: &str, min: i64) -> Duration {
        Duration::from_millis(self.number(section, key, min, 86_400_000))
    }

    fn texts(&mut self, section: &str, key: &str) -> Vec<String> {
        let Some(value) = self.take(section, key) else { return Vec::new() };
        let items = value.as_array().cloned().unwrap_or_default();
        let texts: Vec<String> = items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
        if !value.is_array() || texts.len() != items.len() {
            self.wrong(section, key, "must be a list of texts, such as [\"10.0.0.0/8\"]");
        }
        texts
    }

    fn choice<T: Copy>(&mut self, section: &str, key: &str, choices: &[(&str, T)], otherwise: T) -> T {
        let text = self.text(section, key);
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return *value;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.wrong(section, key, format!("must be one of {}, not {text:?}", names.join(", ")));
        otherwise
    }

    fn unknown_keys(self) {
        for (section, value) in self.table {
            match value {
                Value::Table(rest) => {
                    for key in rest.keys() {
                        self.faults.push(fault(
                            &format!("{section}.{key}"),
                            "there is no such setting; `trailgate print-config` lists all",
                        ));
                    }
                }
                _ => self.faults.push(fault(&section, "there is no such setting; `trailgate print-config` lists all")),
            }
        }
    }
}

const FORMATS: &[(&str, WireFormat)] = &[
    ("openai", WireFormat::Openai),
    ("anthropic", WireFormat::Anthropic),
    ("gemini", WireFormat::Gemini),
    ("bedrock", WireFormat::Bedrock),
    ("cohere", WireFormat::Cohere),
    ("ollama", WireFormat::Ollama),
    ("other", WireFormat::Other),
];

fn read(mut merged: Table, faults: &mut Vec<Fault>) -> Config {
    let effective = redacted(&merged);
    let providers = read_providers(merged.remove("providers"), faults);
    let mut r = Reader { table: merged, faults };
    let data_dir = PathBuf::from(r.text("data", "dir"));
    if data_dir.as_os_str().is_empty() {
        r.wrong("data", "dir", "must not be empty");
    }
    let config = Config {
        server: read_server(&mut r),
        database: read_database(&mut r, &data_dir),
        data_dir,
        auth: read_auth(&mut r),
        default_provider: r.text("routing", "default_provider").to_ascii_lowercase(),
        egress: read_egress(&mut r),
        timeouts: Timeouts {
            connect: r.millis("timeouts", "connect_ms", 1),
            first_byte: r.millis("timeouts", "first_byte_ms", 1),
            idle: r.millis("timeouts", "idle_ms", 1),
        },
        capture: Capture {
            max_body_bytes: r.number("capture", "max_body_bytes", 0, 1 << 30),
            memory_bytes: r.number("capture", "memory_bytes", 1 << 20, 1 << 40),
            max_log_bytes: r.number("capture", "max_log_bytes", 1024, 1 << 30),
        },
        journal: read_journal(&mut r),
        drain: Drain {
            batch_rows: r.number("drain", "batch_rows", 1, 2_000),
            linger: r.millis("drain", "linger_ms", 0),
            stuck: r.millis("drain", "stuck_ms", 1),
        },
        infer_sessions: r.choice("sessions", "infer", &[("on", true), ("off", false)], false),
        price_overlay: r.optional_path("pricing", "overlay"),
        log: Log {
            filter: r.text("log", "filter"),
            json: r.choice("log", "format", &[("text", false), ("json", true)], false),
        },
        providers,
        effective,
    };
    if !config.providers.contains_key(&config.default_provider) {
        let names: Vec<&str> = config.providers.keys().map(String::as_str).collect();
        r.wrong(
            "routing",
            "default_provider",
            format!("{:?} is not among the providers: {}", config.default_provider, names.join(", ")),
        );
    }
    r.unknown_keys();
    config
}

fn read_server(r: &mut Reader<'_>) -> Server {
    let listen = r.text("server", "listen");
    let address = listen.parse().unwrap_or_else(|_| {
        r.wrong(
            "server",
            "listen",
            format!("must be an address and a port, such as 127.0.0.1:8787 or [::]:8787, not {listen:?}"),
        );
        std::net::SocketAddr::from(([127, 0, 0, 1], 0))
    });
    Server {
        listen: address,
        header_timeout: r.millis("server", "header_timeout_ms", 1),
        max_connections: r.number("server", "max_connections", 1, 10_000_000),
        drain_timeout: r.millis("server", "drain_timeout_ms", 0),
    }
}

fn read_database(r: &mut Reader<'_>, data_dir: &Path) -> Database {
    let mut url = r.text("database", "url");
    if url.is_empty() {
        url = format!("sqlite://{}", data_dir.join("trailgate.db").display());
    }
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    if !known {
        // The URL may hold a password, so it is not repeated.
        r.wrong("database", "url", "must begin with sqlite:// or postgres://");
    }
    Database {
        url: SecretString::from(url),
        max_read_connections: r.number("database", "max_read_connections", 1, 1_000),
        statement_timeout: r.millis("database", "statement_timeout_ms", 1),
    }
}

fn read_journal(r: &mut Reader<'_>) -> Journal {
    const LEAST: u64 = 1 << 20;
    let durability = [("durable", Durability::Durable), ("fast", Durability::Fast)];
    let max_bytes: u64 = r.number("journal", "max_bytes", 0, i64::MAX);
    if (1..LEAST).contains(&max_bytes) {
        r.wrong("journal", "max_bytes", format!("must be 0 or at least {LEAST}, not {max_bytes}"));
    }
    Journal {
        durability: r.choice("journal", "durability", &durability, Durability::Durable),
        segment_bytes: r.number("journal", "segment_bytes", 1 << 16, 1 << 32),
        max_bytes,
        min_free_bytes: r.number("journal", "min_free_bytes", 0, i64::MAX),
        on_full: r.choice("journal", "on_full", &[("serve", OnFull::Serve), ("reject", OnFull::Reject)], OnFull::Serve),
    }
}

fn read_auth(r: &mut Reader<'_>) -> Auth {
    let mode = r.choice(
        "auth",
        "mode",
        &[("auto", AuthMode::Auto), ("open", AuthMode::Open), ("keys", AuthMode::Keys)],
        AuthMode::Keys,
    );
    let key = r.text("auth", "key");
    let usable = key.len() >= 16 && key.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if !key.is_empty() && !usable {
        r.wrong("auth", "key", "must have at least 16 characters, all printable ASCII, without blanks and commas");
    }
    Auth { mode, key: (!key.is_empty()).then(|| SecretString::from(key)) }
}

fn read_egress(r: &mut Reader<'_>) -> Egress {
    let mut allow = Vec::new();
    for text in r.texts("egress", "allow") {
        let network = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into));
        match network {
            Ok(network) => allow.push(network),
            Err(_) => r.wrong("egress", "allow", format!("{text:?} is not a network such as 10.0.0.0/8 or ::1/128")),
        }
    }
    Egress {
        allow,
        targets: r.choice("egress", "targets", &[("any", Targets::Any), ("known", Targets::Known)], Targets::Known),
        ca_file: r.optional_path("egress", "ca_file"),
    }
}

fn read_providers(value: Option<Value>, faults: &mut Vec<Fault>) -> BTreeMap<String, Provider> {
    let Some(Value::Table(table)) = value else {
        faults.push(fault("providers", "must be a section of providers, such as [providers.openai]"));
        return BTreeMap::new();
    };
    let mut providers = BTreeMap::new();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in table {
        let section = format!("providers.{name}");
        let lower = name.to_ascii_lowercase();
        let plain = !lower.is_empty() && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plain {
            faults.push(fault(&section, "a provider's name is made of letters, digits, - and _"));
            continue;
        }
        let mut r = Reader { table: Table::from_iter([(section.clone(), value)]), faults: &mut *faults };
        let url = r.text(&section, "url");
        let format = match r.table.get(&section).and_then(|s| s.get("format")) {
            Some(_) => r.choice(&section, "format", FORMATS, WireFormat::Other),
            None => WireFormat::Openai,
        };
        let aliases: Vec<String> = r.texts(&section, "aliases").iter().map(|a| a.to_ascii_lowercase()).collect();
        let http2 = match r.take(&section, "http2") {
            Some(Value::Boolean(http2)) => http2,
            None => false,
            Some(_) => {
                r.wrong(&section, "http2", "must be true or false");
                false
            }
        };
        let parsed = parse_upstream(&url);
        if let Err(message) = &parsed {
            r.wrong(&section, "url", message.clone());
        }
        r.unknown_keys();
        for label in std::iter::once(&lower).chain(&aliases) {
            if let Some(other) = owners.insert(label.clone(), name.clone()) {
                faults.push(fault(&section, format!("the name {label:?} is taken by providers.{other} already")));
            }
        }
        if let Ok(url) = parsed {
            providers.insert(lower, Provider { url, format, aliases, http2 });
        }
    }
    providers
}

fn parse_upstream(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("must be a URL such as https://api.example.com: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with https:// or http:// and name a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must not hold a user, a password, a query or a fragment".to_owned());
    }
    Ok(url)
}

/// The document for people's eyes: keys and passwords blanked.
fn redacted(merged: &Table) -> Table {
    let mut shown = merged.clone();
    if let Some(Value::Table(auth)) = shown.get_mut("auth")
        && auth.get("key").and_then(Value::as_str).is_some_and(|key| !key.is_empty())
    {
        auth.insert("key".to_owned(), Value::String("[redacted]".to_owned()));
    }
    if let Some(Value::Table(database)) = shown.get_mut("database")
        && let Some(text) = database.get("url").and_then(Value::as_str)
        && let Ok(mut url) = Url::parse(text)
        && url.password().is_some()
    {
        let blanked = url.set_password(Some("redacted")).map(|()| url.to_string()).unwrap_or_default();
        database.insert("url".to_owned(), Value::String(blanked));
    }
    shown
}
