//! `Helicone-Stream-Usage`: makes a streamed chat completion report its usage.

use super::json;

/// The body with `stream_options.include_usage` set, all other bytes as they were; `None` where there is nothing to
/// change: no JSON object, no `"stream": true`, or set already.
///
/// Only chat completions and completions know this option: the caller looks at the path.
pub fn set_stream_usage(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let read = json::fields(text, ["stream", "stream_options"]);
    let [stream, options] = read.values;
    if !read.is_whole() || stream != Some("true") {
        return None;
    }
    let Some(options) = options else {
        // The object is not empty (it has `stream`), so a comma follows.
        let at = text.find('{')?.checked_add(1)?;
        return splice(text, at, 0, r#""stream_options":{"include_usage":true},"#);
    };
    let at = json::offset(text, options)?;
    if !json::is_object(options) {
        return splice(text, at, options.len(), r#"{"include_usage":true}"#);
    }
    match json::fields(options, ["include_usage"]).values {
        [Some("true")] => None,
        [Some(other)] => splice(text, json::offset(text, other)?, other.len(), "true"),
        [None] => {
            let empty = options.get(1..).is_some_and(|rest| rest.trim_start().starts_with('}'));
            splice(
                text,
                at.checked_add(1)?,
                0,
                if empty { r#""include_usage":true"# } else { r#""include_usage":true,"# },
            )
        }
    }
}

/// Replaces `len` bytes at `at`.
fn splice(text: &str, at: usize, len: usize, new: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() + new.len());
    out.extend_from_slice(text.get(..at)?.as_bytes());
    out.extend_from_slice(new.as_bytes());
    out.extend_from_slice(text.get(at.checked_add(len)?..)?.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (body, expected) in [
            (r#"{"stream":true}"#, Some(r#"{"stream_options":{"include_usage":true},"stream":true}"#)),
            (
                " {\n \"stream\" : true }\n",
                Some(" {\"stream_options\":{\"include_usage\":true},\n \"stream\" : true }\n"),
            ),
            (
                r#"{"stream":true,"stream_options":null}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{ }}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true }}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"x":1}}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#),
            ),
            (
                r#"{"stream_options":{"include_usage":false},"stream":true,"n":1e400,"s":"\ud800"}"#,
                Some(r#"{"stream_options":{"include_usage":true},"stream":true,"n":1e400,"s":"\ud800"}"#),
            ),
            (r#"{"stream":true,"stream_options":{"include_usage":true}}"#, None),
            (r#"{"stream":false}"#, None),
            (r#"{"stream":true"#, None),
            (r#"{"stream":true} x"#, None),
            (r#"[{"stream":true}]"#, None),
            ("{}", None),
            ("", None),
        ] {
            let changed = set_stream_usage(body.as_bytes());
            assert_eq!(changed.as_deref().map(|b| std::str::from_utf8(b).unwrap()), expected, "{body}");
        }
        assert_eq!(set_stream_usage(b"{\"stream\":true,\"a\":\"\xff\"}"), None);
    }

    #[test]
    fn what_comes_out_needs_no_second_change() {
        let once = set_stream_usage(br#"{"model":"m","stream":true,"stream_options":{"x":{}}}"#).unwrap();
        assert_eq!(set_stream_usage(&once), None);
        assert!(serde_json::from_slice::<serde_json::Value>(&once).is_ok());
    }
}
