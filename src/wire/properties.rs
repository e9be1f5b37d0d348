//! Properties: whatever happens to an exchange on its way, no parser panics and no number appears that the provider did not
//! report.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::capture::BodyFacts;
use crate::model::headers::Headers;

/// Path, whether it streams, response, and every (input, output) that the provider has reported at some point in it.
struct Original {
    path: &'static str,
    streams: bool,
    response: String,
    reported: &'static [(i64, i64)],
}

fn originals() -> Vec<Original> {
    let sse = |data: &[&str]| data.iter().map(|d| format!("data: {d}\n\n")).collect::<String>();
    vec![
        Original {
            path: "/v1/chat/completions",
            streams: false,
            response: r#"{"id":"c","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"content":"héllo","tool_calls":[{"id":"a"}]}}],"usage":{"prompt_tokens":1234,"completion_tokens":567,"prompt_tokens_details":{"cached_tokens":1024},"completion_tokens_details":{"reasoning_tokens":64}}}"#.to_owned(),
            reported: &[(1234, 567)],
        },
        Original {
            path: "/v1/chat/completions",
            streams: true,
            response: sse(&[
                r#"{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a"}]}}],"usage":null}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"ü"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":1234,"completion_tokens":567,"total_tokens":1801}}"#,
                "[DONE]",
            ]),
            reported: &[(1234, 567)],
        },
        Original {
            path: "/v1/responses",
            streams: true,
            response: sse(&[
                r#"{"type":"response.created","response":{"id":"r","usage":null}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"function_call"}],"usage":{"input_tokens":4321,"output_tokens":765,"input_tokens_details":{"cached_tokens":21},"output_tokens_details":{"reasoning_tokens":700}}}}"#,
            ]),
            reported: &[(4321, 765)],
        },
        Original {
            path: "/v1/messages",
            streams: true,
            response: sse(&[
                r#"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":3210,"cache_read_input_tokens":90,"output_tokens":23}}}"#,
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use"}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":456}}"#,
                r#"{"type":"message_stop"}"#,
            ]),
            reported: &[(3300, 23), (3300, 456)],
        },
        Original {
            path: "/v1beta/interactions",
            streams: true,
            response: sse(&[
                r#"{"event_type":"interaction.created","interaction":{"id":"v","status":"in_progress","model":"g"}}"#,
                r#"{"event_type":"step.start","index":0,"step":{"type":"function_call","id":"c","name":"f","arguments":{}}}"#,
                r#"{"event_type":"step.delta","index":0,"delta":{"type":"arguments_delta","arguments":"{\"ü\":1}"}}"#,
                r#"{"event_type":"interaction.completed","interaction":{"id":"v","status":"completed","usage":{"total_input_tokens":4321,"total_cached_tokens":21,"total_output_tokens":65,"total_thought_tokens":700}}}"#,
            ]),
            reported: &[(4321, 765)],
        },
        Original {
            path: "/v1/embeddings",
            streams: false,
            response: r#"{"object":"list","data":[{"embedding":[0.25]}],"model":"e","usage":{"prompt_tokens":4711,"total_tokens":4711}}"#.to_owned(),
            reported: &[(4711, 0)],
        },
    ]
}

fn read_bytes(original: &Original, bytes: Vec<u8>) -> Meaning {
    let content_type = if original.streams { "text/event-stream" } else { "application/json" };
    let facts = BodyFacts { content_type: Some(content_type.to_owned()), ..BodyFacts::default() };
    let request = Body { facts: BodyFacts::default(), bytes: Bytes::from_static(br#"{"model":"m"}"#) };
    let response = Body { facts, bytes: Bytes::from(bytes) };
    read(WireFormat::Openai, original.path, 200, [&request, &response], &Headers::NONE)
}

fn check(original: &Original, meaning: &Meaning) -> Result<(), TestCaseError> {
    prop_assert_eq!(meaning.usage.is_none(), meaning.usage_missing.is_some());
    if let Some(usage) = meaning.usage {
        let totals = (usage.input_tokens(), usage.output_tokens());
        prop_assert!(original.reported.contains(&totals), "{totals:?} was never reported on {}", original.path);
    }
    prop_assert!(meaning.calls.asked() <= 1);
    Ok(())
}

/// The ends of a body's events (of its bytes, where it has none).
fn blocks(text: &str) -> Vec<&str> {
    text.split_inclusive("\n\n").collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn cut_anywhere(which in 0..5_usize, at in 0..10_000_usize) {
        let original = &originals()[which];
        let bytes = original.response.as_bytes();
        check(original, &read_bytes(original, bytes[..at % (bytes.len() + 1)].to_vec()))?;
    }

    #[test]
    fn blocks_repeated_and_lost(which in 0..5_usize, picks in proptest::collection::vec(0..8_usize, 0..12)) {
        let original = &originals()[which];
        let blocks = blocks(&original.response);
        // In order, as a network would repeat or lose them; usage in a stream is cumulative.
        let mut picks: Vec<usize> = picks.into_iter().map(|i| i % blocks.len()).collect();
        picks.sort_unstable();
        if !original.streams {
            picks.truncate(1);
        }
        let text: String = picks.into_iter().map(|i| blocks[i]).collect();
        check(original, &read_bytes(original, text.into_bytes()))?;
    }

    #[test]
    fn line_ends_do_not_matter(which in 0..5_usize, end in prop_oneof![Just("\r\n"), Just("\r"), Just("\n")]) {
        let original = &originals()[which];
        let meaning = read_bytes(original, original.response.replace('\n', end).into_bytes());
        check(original, &meaning)?;
        prop_assert!(meaning.usage.is_some());
    }

    #[test]
    fn wrong_types_for_numbers(which in 0..5_usize, nth in 0..8_usize, wrong in prop_oneof![
        Just("\"12\""), Just("-1"), Just("1.5"), Just("1e400"), Just("99999999999999999999"), Just("true"), Just("[]"), Just("{}"), Just("null"),
    ]) {
        let original = &originals()[which];
        // Replaces the n-th number behind `_tokens":`.
        let mut seen = 0;
        let mut text = String::new();
        let mut rest = original.response.as_str();
        while let Some(at) = rest.find("_tokens\":") {
            let (head, tail) = rest.split_at(at + "_tokens\":".len());
            text.push_str(head);
            let digits = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            text.push_str(if seen == nth && digits > 0 { wrong } else { &tail[..digits] });
            seen += 1;
            rest = &tail[digits..];
        }
        text.push_str(rest);
        let meaning = read_bytes(original, text.into_bytes());
        prop_assert_eq!(meaning.usage.is_none(), meaning.usage_missing.is_some());
        if let Some(usage) = meaning.usage {
            // `null` is absent: a part counts as none, and what was left of a stream's totals stands.
            let totals = (usage.input_tokens(), usage.output_tokens());
            let without_part = wrong == "null" && totals.0 <= original.reported[0].0;
            prop_assert!(original.reported.contains(&totals) || without_part, "{totals:?} {wrong}");
        }
    }

    #[test]
    fn bytes_flipped(which in 0..5_usize, flips in proptest::collection::vec((0..10_000_usize, any::<u8>()), 1..6)) {
        let original = &originals()[which];
        let mut bytes = original.response.clone().into_bytes();
        for (at, byte) in flips {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        let meaning = read_bytes(original, bytes);
        prop_assert_eq!(meaning.usage.is_none(), meaning.usage_missing.is_some());
    }

    #[test]
    fn anything_at_all(bytes in proptest::collection::vec(any::<u8>(), 0..400), path in "/[a-z/{}:]{0,30}", encoding in prop_oneof![
        Just(None), Just(Some("gzip")), Just(Some("br")), Just(Some("zstd")), Just(Some("deflate")), Just(Some("deflate, gzip")),
    ]) {
        let facts = BodyFacts { content_encoding: encoding.map(str::to_owned), ..BodyFacts::default() };
        let body = Body { facts, bytes: Bytes::from(bytes.clone()) };
        for path in [&*path, "/chat/completions", "/responses", "/messages", "/embeddings"] {
            prop_assert!(read(WireFormat::Openai, path, 200, [&body, &body], &Headers::NONE).usage.is_none());
        }
        let _ = read_log(WireFormat::Other, 500, &body, &body);
        prop_assert!(manual::parse(&bytes).is_err());
        let _ = stream_usage::set_stream_usage(&bytes);
    }

    #[test]
    fn any_tags(pairs in proptest::collection::vec(("(?i:helicone-(property-|session-id|request-id|omit-request|auth|cache-enabled)?)\\PC{0,20}", "\\PC{0,40}"), 0..20)) {
        let (tags, notes) = tags::from_pairs(pairs);
        prop_assert!(tags.properties.iter().all(|p| !p.key.is_empty()));
        prop_assert!(notes.iter().all(|n| !n.text.is_empty()));
    }
}
