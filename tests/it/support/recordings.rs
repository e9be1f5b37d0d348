//! Recorded exchanges with real providers, one JSON object a line.
//!
//! They are not part of the repository. They are looked for in `TRAILGATE_RECORDINGS`, then in `../shared/recordings`;
//! `tests/clients/recordings` holds a few of our own making, so that there is always something to replay.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use super::app::root;

/// One exchange.
#[derive(Clone, Debug, Deserialize)]
pub struct Recording {
    pub name: String,
    pub method: String,
    /// Path and query.
    pub path: String,
    request: Option<Value>,
    pub status: u16,
    pub content_type: Option<String>,
    response: Option<Value>,
}

impl Recording {
    pub fn request(&self) -> Vec<u8> {
        bytes(self.request.as_ref())
    }

    pub fn response(&self) -> Vec<u8> {
        bytes(self.response.as_ref())
    }

    pub fn is_stream(&self) -> bool {
        let kind = self.content_type.as_deref().unwrap_or_default();
        ["text/event-stream", "application/vnd.amazon.eventstream"].iter().any(|stream| kind.starts_with(stream))
    }
}

/// All recordings that can be found, by provider.
pub fn all() -> BTreeMap<String, Vec<Recording>> {
    let given =
        std::env::var_os("TRAILGATE_RECORDINGS").map_or_else(|| root().join("../shared/recordings"), PathBuf::from);
    let mut all: BTreeMap<String, Vec<Recording>> = BTreeMap::new();
    for folder in [root().join("tests/clients/recordings"), given] {
        let Ok(files) = std::fs::read_dir(&folder) else {
            eprintln!("{} is not there: replaying our own recordings only", folder.display());
            continue;
        };
        for path in files.flatten().map(|file| file.path()) {
            if path.extension().is_some_and(|kind| kind == "jsonl") {
                let provider = path.file_stem().expect("a file's name").to_string_lossy().into_owned();
                all.entry(provider).or_default().extend(read(&path));
            }
        }
    }
    all
}

fn read(path: &std::path::Path) -> Vec<Recording> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let parse = |(n, line): (usize, &str)| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), n + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

fn bytes(body: Option<&Value>) -> Vec<u8> {
    match body {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(Value::Object(map)) => {
            let text = map.get("base64").and_then(Value::as_str).expect("a body as text or as base64");
            base64::engine::general_purpose::STANDARD.decode(text).expect("valid base64")
        }
        _ => Vec::new(),
    }
}
