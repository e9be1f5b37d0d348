//! Runs the programs under `tests/clients` with the real packages that `scripts/test-setup` installed there.
//!
//! A client is a program that is told where the gateway is and prints one JSON document, what it saw, as the last line
//! of its standard output.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::app::{Gateway, KEY, root};

/// What one client program may take, start of the interpreter included.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs `tests/clients/python/<program>.py`.
pub async fn python(gateway: &Gateway, program: &str, arguments: &[&str]) -> Value {
    let folder = root().join("tests/clients/python");
    let mut command = Command::new(folder.join(".venv/bin/python"));
    command.arg(folder.join(program).with_extension("py")).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
    run(command.current_dir(&folder), gateway, program).await
}

/// Runs `tests/clients/typescript/<program>.ts`.
pub async fn typescript(gateway: &Gateway, program: &str, arguments: &[&str]) -> Value {
    let folder = root().join("tests/clients/typescript");
    let mut command = Command::new("node");
    command.args(["--import", "tsx"]).arg(folder.join(program).with_extension("ts")).args(arguments);
    run(command.current_dir(&folder), gateway, program).await
}

async fn run(command: &mut Command, gateway: &Gateway, program: &str) -> Value {
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.env("TRAILGATE_URL", &gateway.url).env("HELICONE_API_KEY", KEY).env("OPENAI_API_KEY", "sk-provider-key");
    command.env("ANTHROPIC_API_KEY", "sk-ant-provider-key").kill_on_drop(true);
    let output = match tokio::time::timeout(LIMIT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => panic!("{program} could not be started ({error}): run scripts/test-setup first"),
        Err(_) => panic!("{program} did not end in {LIMIT:?}; the gateway said:\n{}", gateway.stderr()),
    };
    last_line(&output).unwrap_or_else(|| {
        panic!(
            "{program} failed ({}):\n{}\n{}\nthe gateway said:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            gateway.stderr()
        )
    })
}

fn last_line(output: &Output) -> Option<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.trim_end().lines().last()?;
    output.status.success().then(|| serde_json::from_str(line).ok())?
}
