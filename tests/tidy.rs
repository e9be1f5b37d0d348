//! Keeps the shape of the code: layers with one-way arrows, files of a readable length, a `//!` on each, SQL text that
//! cannot be made from input, migrations in pairs. It reads text, not syntax: what it can be tricked with is not its enemy.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module and its layer; a module may use lower layers, and its own layer only where that is named below.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("config", 0),
    ("wire", 1),
    ("route", 1),
    ("pricing", 1),
    ("store", 2),
    ("journal", 2),
    ("live", 2),
    ("ingest", 3),
    ("auth", 3),
    ("retention", 3),
    ("proxy", 4),
    ("api", 4),
    ("ui", 4),
    ("app", 5),
    ("cli", 5),
    ("demo", 5),
    ("listen", 5),
    ("telemetry", 5),
    ("main", 5),
    ("lib", 5),
];

/// Arrows inside a layer that are allowed. `config` may name the types of `model`; the top layer is one composition.
const SIDEWAYS: &[(&str, &str)] = &[("config", "model")];

const MAX_LINES: usize = 500;

/// Longer files, each with its reason.
const LONG: &[(&str, &str)] = &[];

#[test]
fn layers_use_only_lower_ones() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let Some(layer) = layer_of(&module) else {
            faults.push(format!("{}: module {module} has no layer: add it to LAYERS here", path.display()));
            continue;
        };
        for used in uses(&text) {
            let Some(other) = layer_of(&used) else { continue };
            let allowed = used == module
                || other < layer
                || (layer == 5 && other == 5)
                || SIDEWAYS.contains(&(module.as_str(), used.as_str()));
            if !allowed {
                faults.push(format!("{}: {module} (layer {layer}) uses {used} (layer {other})", path.display()));
            }
        }
    }
    none(&faults);
}

#[test]
fn files_are_short_and_say_what_they_promise() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let name = relative(&path);
        let lines = text.lines().count();
        if lines > MAX_LINES && !LONG.iter().any(|(long, _)| *long == name) {
            faults
                .push(format!("{name}: {lines} lines; over {MAX_LINES} it is two files, or one table listed in LONG"));
        }
        if !text.starts_with("//!") && !name.ends_with("tests.rs") {
            faults.push(format!("{name}: does not begin with //!"));
        }
    }
    for (long, reason) in LONG {
        let lines = fs::read_to_string(root().join(long)).map_or(0, |text| text.lines().count());
        if lines <= MAX_LINES {
            faults.push(format!("{long}: {lines} lines, so LONG need not list it ({reason})"));
        }
    }
    none(&faults);
}

#[test]
fn unchecked_sql_is_made_in_one_file() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let name = relative(&path);
        if text.contains("AssertSqlSafe") && name != "src/store/sql.rs" {
            faults.push(format!("{name}: AssertSqlSafe belongs into src/store/sql.rs only"));
        }
    }
    none(&faults);
}

#[test]
fn nothing_is_left_undone_or_vaguely_named() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for (n, line) in code_lines(&text) {
            if line.contains("todo!(") || line.contains("unimplemented!(") {
                faults.push(format!("{}:{n}: left undone: {}", relative(&path), line.trim()));
            }
            if let Some(name) = declared(line)
                && ["Manager", "Helper", "Utils", "Util"].iter().any(|vague| name.ends_with(vague))
            {
                faults.push(format!("{}:{n}: {name} says nothing: name the noun", relative(&path)));
            }
        }
    }
    none(&faults);
}

#[test]
fn migrations_come_in_pairs() {
    let names = |backend: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(backend);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("a folder entry").file_name().to_string_lossy().into_owned()).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "there are no migrations");
    assert_eq!(sqlite, postgres, "both databases have the same migrations");
}

fn layer_of(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// The top-level module that a file under `src` belongs to.
fn module_of(path: &Path) -> String {
    let name = relative(path);
    let inside = name.trim_start_matches("src/");
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs").to_owned()
}

/// Top-level modules that the code names by `crate::` or `trailgate::`, grouped imports included.
fn uses(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let code: String = code_lines(text).map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    for root in ["crate::", "trailgate::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => used.extend(group_heads(group)),
                None => used.extend(identifier(rest)),
            }
        }
    }
    used
}

/// The first identifiers of the entries of a `{…}` import, given what follows its brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.extend(identifier(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.extend(identifier(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The name that a line declares as a type or a module.
fn declared(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|keyword| line.strip_prefix(keyword))?;
    identifier(rest)
}

/// Lines that are no comments, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every Rust file under `src` with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
