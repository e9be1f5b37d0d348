//! Layers, faults and redaction of the configuration.

use std::io::Write as _;

use secrecy::ExposeSecret as _;

use super::{Environment, Faults, load};
use crate::model::capture::WireFormat;

fn env(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn keys(faults: &Faults) -> Vec<&str> {
    faults.0.iter().map(|fault| fault.key.as_str()).collect()
}

#[test]
fn defaults_are_complete_and_valid() {
    let config = load(None, &env(&[])).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.database.url.expose_secret(), "sqlite://./data/trailgate.db");
    assert_eq!(config.providers["openai"].aliases, ["oai"]);
    assert_eq!(config.providers["anthropic"].format, WireFormat::Anthropic);
    assert!(config.egress.allow.is_empty());
    assert_eq!(config.drain.stuck.as_secs(), 120);
    assert!(config.infer_sessions);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "[server]\nlisten = \"127.0.0.1:1\"\nheader_timeout_ms = 5\n[providers.my-llm]\nurl = \"http://10.0.0.1/base\"\n"
    )
    .unwrap();
    let vars = env(&[
        ("TRAILGATE_SERVER_LISTEN", "0.0.0.0:2"),
        ("TRAILGATE_PROVIDERS_MY_LLM_URL", "http://10.0.0.2/"),
        ("TRAILGATE_PROVIDERS_NEW_ONE_URL", "https://new.example"),
        ("TRAILGATE_PROVIDERS_NEW_ONE_FORMAT", "anthropic"),
        ("TRAILGATE_EGRESS_ALLOW", "10.0.0.0/8, ::1"),
        ("TRAILGATE_AUTH_KEY", "a-key-of-some-length"),
        ("TRAILGATE_SESSIONS_INFER", "off"),
        ("UNRELATED", "x"),
    ]);
    let config = load(Some(file.path()), &vars).unwrap();
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:2");
    assert_eq!(config.server.header_timeout.as_millis(), 5);
    assert_eq!(config.providers["my-llm"].url.as_str(), "http://10.0.0.2/");
    assert_eq!(config.providers["my-llm"].format, WireFormat::Openai, "the default format");
    assert_eq!(config.providers["new_one"].format, WireFormat::Anthropic);
    assert_eq!(config.egress.allow.len(), 2);
    assert!(!config.infer_sessions);
    assert_eq!(config.auth.key.unwrap().expose_secret(), "a-key-of-some-length");
}

#[test]
fn all_faults_are_told_at_once_each_with_its_key() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "nonsense = 1\n[server]\nlisten = \"here\"\nmax_connections = \"many\"\ncolour = 1\n[egress]\nallow = [\"10.0.0.0/99\"]\n\
         [journal]\ndurability = \"maybe\"\nsegment_bytes = 1\nmax_bytes = 5\nmin_free_bytes = -1\non_full = \"stop\"\n[providers.bad]\nurl = \"ftp://x\"\nfromat = \"openai\"\n\
         [providers.twin]\nurl = \"https://x.example\"\naliases = [\"oai\"]\n[routing]\ndefault_provider = \"nobody\"\n"
    )
    .unwrap();
    let vars = env(&[
        ("TRAILGATE_SERVER_LISTN", "x"),
        ("TRAILGATE_TIMEOUTS_IDLE_MS", "soon"),
        ("TRAILGATE_DATABASE_URL", "mysql://u:pw@h/d"),
    ]);
    let faults = load(Some(file.path()), &vars).unwrap_err();
    for key in [
        "nonsense",
        "server.listen",
        "server.max_connections",
        "server.colour",
        "egress.allow",
        "journal.durability",
        "journal.segment_bytes",
        "journal.max_bytes",
        "journal.min_free_bytes",
        "journal.on_full",
        "providers.bad.url",
        "providers.bad.fromat",
        "providers.twin",
        "routing.default_provider",
        "TRAILGATE_SERVER_LISTN",
        "TRAILGATE_TIMEOUTS_IDLE_MS",
        "database.url",
    ] {
        assert!(keys(&faults).contains(&key), "{key} is missing in:\n{faults}");
    }
    assert!(!faults.to_string().contains("pw"), "a password is never repeated:\n{faults}");
}

#[test]
fn unreadable_files_are_faults() {
    let faults = load(Some(std::path::Path::new("/nonexistent/x.toml")), &env(&[])).unwrap_err();
    assert_eq!(keys(&faults), ["/nonexistent/x.toml"]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[server").unwrap();
    assert!(load(Some(file.path()), &env(&[])).unwrap_err().to_string().contains("not valid TOML"));
}

#[test]
fn the_effective_document_hides_secrets() {
    let vars = env(&[
        ("TRAILGATE_DATABASE_URL", "postgres://u:secret-word@h/d"),
        ("TRAILGATE_AUTH_KEY", "secret-word-of-some-length"),
    ]);
    let config = load(None, &vars).unwrap();
    let shown = toml::to_string(&config.effective).unwrap();
    assert!(!shown.contains("secret-word"), "{shown}");
    assert!(!format!("{config:?}").contains("secret-word"));
}
