//! Whether a tool's result is a failure: visible rules, the first that fits decides, each with a name.

use crate::wire::json;

/// Characters of a result that are kept beside the verdict.
pub const PREVIEW_CHARS: usize = 500;
/// Where a text is looked at for words.
const LOOK: usize = 4_096;

/// Texts that begin so tell of a failure; compared without case.
const BEGINNINGS: [&str; 12] = [
    "error:",
    "error -",
    "[error]",
    "<tool_use_error>",
    "exception:",
    "traceback (most recent call last)",
    "failed to ",
    "command failed",
    "permission denied",
    "fatal:",
    "panic:",
    "no such file or directory",
];

/// `failed`: what the format itself says, where it has a field for it.
pub fn verdict(failed: Option<bool>, text: &str) -> (bool, &'static str) {
    if failed == Some(true) {
        return (false, "is_error");
    }
    match failure(text) {
        Some(rule) => (false, rule),
        None => (true, "no_failure"),
    }
}

/// The rule by which a result is a failure, judged by what it says alone.
fn failure(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if text.starts_with('{') { object(text) } else { words(text) }
}

fn object(text: &str) -> Option<&'static str> {
    let [error, errors, exception, success, ok, status, code, exit, exit_camel, returned, returned_snake] =
        json::fields(
            text,
            [
                "error",
                "errors",
                "exception",
                "success",
                "ok",
                "status",
                "statusCode",
                "exit_code",
                "exitCode",
                "returncode",
                "return_code",
            ],
        )
        .values;
    if [error, errors, exception].into_iter().flatten().any(says_something) {
        return Some("error_key");
    }
    if [success, ok].contains(&Some("false")) || [status, code].into_iter().flatten().any(bad_status) {
        return Some("status");
    }
    let exits = [exit, exit_camel, returned, returned_snake];
    exits.into_iter().flatten().any(|raw| raw.parse::<i64>().is_ok_and(|code| code != 0)).then_some("exit_code")
}

/// Anything but what stands for "none".
pub fn says_something(raw: &str) -> bool {
    !matches!(raw, "null" | "false" | "\"\"" | "[]" | "{}" | "0")
}

fn bad_status(raw: &str) -> bool {
    if let Ok(number) = raw.parse::<i64>() {
        return (400..600).contains(&number);
    }
    let word = json::text(raw).map(|word| word.to_ascii_lowercase());
    matches!(word.as_deref(), Some("error" | "failed" | "failure" | "errored"))
}

fn words(text: &str) -> Option<&'static str> {
    let start = text.get(..text.floor_char_boundary(LOOK)).unwrap_or(text);
    let lower = start.to_ascii_lowercase();
    if BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning)) {
        return Some("text");
    }
    for mark in ["exit code: ", "exit code ", "exit status ", "exited with code "] {
        let Some((_, rest)) = lower.split_once(mark) else { continue };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if digits.parse::<i64>().is_ok_and(|code| code != 0) {
            return Some("exit_code");
        }
    }
    // `ValueError: …` at the very start.
    let first = lower.lines().next().unwrap_or_default();
    let (name, _) = first.split_once(':')?;
    let one_word =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    (one_word && (name.ends_with("error") || name.ends_with("exception"))).then_some("text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_names_its_rule() {
        for (failed, text, wanted) in [
            (Some(true), "fine", (false, "is_error")),
            (Some(false), "{\"error\":\"no such city\"}", (false, "error_key")),
            (None, "{\"error\":null,\"city\":\"Paris\"}", (true, "no_failure")),
            (None, "{\"errors\":[]}", (true, "no_failure")),
            (None, "{\"errors\":[{\"m\":1}]}", (false, "error_key")),
            (None, "{\"exception\":\"x\"}", (false, "error_key")),
            (None, "{\"success\":false}", (false, "status")),
            (None, "{\"status\":\"error\"}", (false, "status")),
            (None, "{\"status\":\"ok\"}", (true, "no_failure")),
            (None, "{\"status\":503}", (false, "status")),
            (None, "{\"statusCode\":200}", (true, "no_failure")),
            (None, "{\"exit_code\":2,\"stdout\":\"\"}", (false, "exit_code")),
            (None, "{\"exit_code\":0}", (true, "no_failure")),
            (None, "Exit code: 127\nnot found", (false, "exit_code")),
            (None, "Process exited with code 0", (true, "no_failure")),
            (None, "Error: no route", (false, "text")),
            (None, "ValueError: bad city", (false, "text")),
            (None, "Traceback (most recent call last):\n  File", (false, "text")),
            (None, "<tool_use_error>File does not exist</tool_use_error>", (false, "text")),
            (None, "Errors are rare in Paris", (true, "no_failure")),
            (None, "The error: none", (true, "no_failure")),
            (None, "", (true, "no_failure")),
            (None, "{\"error\"", (true, "no_failure")),
            (None, "üüü", (true, "no_failure")),
        ] {
            assert_eq!(verdict(failed, text), wanted, "{text}");
        }
    }
}
