//! A response body, by its outer shape: one JSON value, a stream of events, or anything else.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::sse::{self, Event};
use super::{eventstream, json};

/// The outer shape of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    Nothing,
    /// It begins like an object; it may break off.
    Json(&'a str),
    /// Server-sent events.
    Events(&'a str),
    /// JSON values one after another, as the manual loggers write streams.
    Lines(&'a str),
    /// An array of chunks, as the field `streamed_data` of a logged response.
    Chunks(&'a str),
    Text(&'a str),
}

impl<'a> Answer<'a> {
    /// Judges by the content type where there is one, else by the first characters. JSON is JSON also under the type of an
    /// event stream: some providers send errors, and whole answers, so.
    pub fn of(content_type: Option<&str>, text: &'a str) -> Self {
        let trimmed = text.trim_start();
        if trimmed.is_empty() {
            return Self::Nothing;
        }
        if !trimmed.starts_with('{') {
            let told = !json::is_list(trimmed) && content_type.is_some_and(is_event_stream);
            return if told || sse::looks_like_events(trimmed) { Self::Events(text) } else { Self::Text(text) };
        }
        if content_type.is_some_and(|kind| ["ndjson", "jsonl"].iter().any(|word| kind.contains(word))) {
            return Self::Lines(trimmed);
        }
        if !json::may_have(trimmed, "streamed_data") && !may_have_second_object(trimmed) {
            return Self::Json(trimmed);
        }
        let first = json::fields(trimmed, ["streamed_data"]);
        if let Some(chunks) = first.values.first().copied().flatten().filter(|raw| raw.starts_with('[')) {
            return Self::Chunks(chunks);
        }
        // More values behind the first one: only then is it worth to look for its end.
        if !first.is_whole() && has_second_object(trimmed) { Self::Lines(trimmed) } else { Self::Json(trimmed) }
    }

    /// A list as the chunks in it: Gemini's streams are one where nobody asked for events.
    pub fn with_list_as_chunks(self) -> Self {
        match self {
            Self::Text(text) if json::is_list(text) => Self::Chunks(text),
            other => other,
        }
    }

    /// Whether it came in parts.
    pub const fn is_stream(&self) -> bool {
        matches!(self, Self::Events(_) | Self::Lines(_) | Self::Chunks(_))
    }

    /// Calls `take` with every event of a stream; with none for anything else.
    pub fn each_event(&self, mut take: impl FnMut(&Event<'_>)) {
        match *self {
            Self::Events(text) => sse::events(text).for_each(|event| take(&event)),
            Self::Lines(text) => {
                for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().map_while(Result::ok) {
                    take(&Event { name: "", data: Cow::Borrowed(raw.get()) });
                }
            }
            Self::Chunks(text) => {
                json::elements(text, |raw| {
                    let data = json::text(raw).unwrap_or(Cow::Borrowed(raw));
                    take(&Event { name: "", data });
                });
            }
            Self::Nothing | Self::Json(_) | Self::Text(_) => {}
        }
    }
}

/// AWS's framing counts as one too: it was laid out as events before it came here.
fn is_event_stream(content_type: &str) -> bool {
    eventstream::is_event_stream(content_type)
        || content_type.trim_start().get(..17).is_some_and(|start| start.eq_ignore_ascii_case("text/event-stream"))
}

/// Whether an object begins right behind another one, or within a text that looks so.
fn may_have_second_object(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'}', bytes)
        .any(|at| bytes.iter().skip(at + 1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'))
}

fn has_second_object(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let first_ends = values.next().is_some_and(|first| first.is_ok());
    let at = values.byte_offset();
    first_ends && text.get(at..).is_some_and(|rest| rest.trim_start().starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(answer: Answer<'_>) -> Vec<String> {
        let mut seen = Vec::new();
        answer.each_event(|event| seen.push(event.data.to_string()));
        seen
    }

    #[test]
    fn a_key_may_be_written_in_escapes() {
        assert_eq!(Answer::of(None, r#"{"streamed_d\u0061ta":[1]}"#), Answer::Chunks("[1]"));
        assert_eq!(Answer::of(None, r#"{"a":"}","b":{}}"#), Answer::Json(r#"{"a":"}","b":{}}"#));
        assert_eq!(Answer::of(None, "{\"a\":{}}\n {\"b\":1}"), Answer::Lines("{\"a\":{}}\n {\"b\":1}"));
    }

    #[test]
    fn shapes() {
        let sse_type = Some("text/event-stream; charset=utf-8");
        assert_eq!(Answer::of(None, " \n"), Answer::Nothing);
        assert_eq!(Answer::of(None, "{\"a\":1}"), Answer::Json("{\"a\":1}"));
        assert_eq!(Answer::of(None, "{\"a\":"), Answer::Json("{\"a\":"));
        assert_eq!(Answer::of(None, "{\"a\":1} trailing"), Answer::Json("{\"a\":1} trailing"));
        assert_eq!(Answer::of(Some("text/html"), "<p>"), Answer::Text("<p>"));
        assert_eq!(Answer::of(None, "data: {}\n\n"), Answer::Events("data: {}\n\n"));
        assert_eq!(Answer::of(sse_type, "odd"), Answer::Events("odd"));
        assert_eq!(Answer::of(sse_type, "\n{\"a\":1}"), Answer::Json("{\"a\":1}"));
        assert_eq!(Answer::of(sse_type, "[{}]"), Answer::Text("[{}]"));
        let frames = Some("application/vnd.amazon.eventstream");
        assert_eq!(Answer::of(frames, "event: a\ndata: {}\n\n"), Answer::Events("event: a\ndata: {}\n\n"));
        assert!(matches!(Answer::of(None, "{\"a\":1}\n{\"b\":2}\n"), Answer::Lines(_)));
        assert!(matches!(Answer::of(None, "{\"a\":1}{\"b\":"), Answer::Lines(_)));
    }

    #[test]
    fn logged_streams_give_their_values() {
        assert_eq!(collected(Answer::of(None, "{\"a\":1}\n\n{\"b\":2}\n{\"c\":")), ["{\"a\":1}", "{\"b\":2}"]);
        let chunks = r#"{"streamed_data":[{"a":1},"{\"b\":2}"]}"#;
        assert_eq!(collected(Answer::of(Some("application/json"), chunks)), ["{\"a\":1}", "{\"b\":2}"]);
    }
}
