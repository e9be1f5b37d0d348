//! Tokens counted from the texts of a call whose stream broke off before the provider had reported anything.
//!
//! An estimate and marked as one: OpenAI's tokenizer (`o200k`) stands in for all models, and what a provider adds to a
//! prompt is not known. The tokenizer is made at the first estimate, which takes a fraction of a second and some tens of
//! megabytes; most gateways never need it.
//!
//! Bounded: of each side the first [`MAX_TEXT`] bytes of text are counted, and the rest is put down at the same rate.

use super::answer::Answer;
use super::body::readable;
use super::json;
use crate::model::capture::Body;
use crate::model::exchange::Usage;

/// Bytes of text that are counted exactly.
const MAX_TEXT: usize = 256 * 1024;
/// Bytes that the tokenizer gets at once.
const MAX_PIECE: usize = 4_096;
/// Values within values that are looked into.
const MAX_DEPTH: usize = 12;
/// A text without a blank that is longer than this is data (an image in base64), not language.
const MAX_WORD: usize = 4_096;

/// What a request asks with.
const ASKED: [&str; 11] = [
    "messages",
    "input",
    "prompt",
    "contents",
    "system",
    "systemInstruction",
    "system_instruction",
    "instructions",
    "tools",
    "message",
    "chat_history",
];
/// What of a stream's events is the answer.
const ANSWERED: [&str; 14] = [
    "content",
    "text",
    "delta",
    "thinking",
    "reasoning",
    "reasoning_content",
    "reasoningText",
    "refusal",
    "arguments",
    "partial_json",
    "input",
    "response",
    "completion",
    "args",
];
/// Names in a request whose texts are not read by the model.
const SILENT: [&str; 9] =
    ["id", "type", "role", "data", "url", "image_url", "signature", "thoughtSignature", "mimeType"];

/// Counts a request and the part of its answer that came. `None` where there is no text on either side.
pub fn estimate(request: &Body, response: &Body) -> Option<Usage> {
    let mut asked = Texts::default();
    let request = readable(request, "request");
    json::entries(&request.text, |name, raw| {
        if ASKED.contains(&&*name) {
            asked.take_all(raw, 0);
        }
    });
    let mut answered = Texts::default();
    let text = readable(response, "response");
    match Answer::of(response.facts.content_type.as_deref(), &text.text) {
        Answer::Json(text) => answered.take_named(text, 0),
        answer => answer.each_event(|event| answered.take_named(&event.data, 0)),
    }
    if asked.len == 0 && answered.len == 0 {
        return None;
    }
    Some(Usage { prompt_tokens: asked.tokens(), completion_tokens: answered.tokens(), ..Usage::default() })
}

/// Texts laid end to end.
#[derive(Default)]
struct Texts {
    text: String,
    /// Of all texts, kept or not.
    len: usize,
}

impl Texts {
    fn add(&mut self, raw: &str) {
        let Some(text) = json::text(raw) else { return };
        if text.len() > MAX_WORD && !text.contains(char::is_whitespace) {
            return;
        }
        self.len = self.len.saturating_add(text.len());
        let room = MAX_TEXT.saturating_sub(self.text.len());
        let end = text.floor_char_boundary(room.min(text.len()));
        self.text.push_str(text.get(..end).unwrap_or_default());
    }

    /// Every text within a value, but those with silent names.
    fn take_all(&mut self, raw: &str, depth: usize) {
        match raw.as_bytes().first() {
            _ if depth > MAX_DEPTH => {}
            Some(b'"') => self.add(raw),
            Some(b'[') => {
                json::elements(raw, |element| self.take_all(element, depth + 1));
            }
            Some(b'{') => {
                json::entries(raw, |name, value| {
                    if !SILENT.contains(&&*name) {
                        self.take_all(value, depth + 1);
                    }
                });
            }
            _ => {}
        }
    }

    /// The texts whose own name says that they are a part of the answer.
    fn take_named(&mut self, raw: &str, depth: usize) {
        match raw.as_bytes().first() {
            _ if depth > MAX_DEPTH => {}
            Some(b'[') => {
                json::elements(raw, |element| self.take_named(element, depth + 1));
            }
            Some(b'{') => {
                json::entries(raw, |name, value| match value.as_bytes().first() {
                    Some(b'"') if ANSWERED.contains(&&*name) => self.add(value),
                    Some(b'{' | b'[') if !SILENT.contains(&&*name) => self.take_named(value, depth + 1),
                    _ => {}
                });
            }
            _ => {}
        }
    }

    fn tokens(&self) -> i64 {
        if self.text.is_empty() {
            return 0;
        }
        let tokenizer = tiktoken_rs::o200k_base_singleton();
        // Piece by piece: the time for a long text without a break grows with the square of its length.
        let mut rest = self.text.as_str();
        let mut counted = 0_u128;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_PIECE.min(rest.len())));
            counted += tokenizer.count_ordinary(piece) as u128;
            rest = after;
        }
        let all = counted * self.len as u128 / self.text.len() as u128;
        i64::try_from(all).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::capture::BodyFacts;

    fn body(text: &str) -> Body {
        Body { facts: BodyFacts::default(), bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }

    #[test]
    fn texts_are_counted_and_data_is_not() {
        let image = "A".repeat(100_000);
        let request = format!(
            r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":[{{"type":"text","text":"hello world"}},
            {{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}}]}}]}}"#
        );
        let answer = "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\" world\"}}]}\n\n";
        let usage = estimate(&body(&request), &body(answer)).unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (2, 2));
    }

    #[test]
    fn every_provider_s_pieces_are_found() {
        for piece in [
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"hello world"}}"#,
            r#"{"type":"response.output_text.delta","delta":"hello world"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"hello world"}]}}]}"#,
            r#"{"contentBlockIndex":0,"delta":{"text":"hello world"}}"#,
            r#"{"type":"content-delta","delta":{"message":{"content":{"text":"hello world"}}}}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"hello world"}}]}}]}"#,
        ] {
            let usage = estimate(&body("{}"), &body(&format!("data: {piece}\n\n"))).unwrap();
            assert_eq!(usage.completion_tokens, 2, "{piece}");
        }
    }

    #[test]
    fn long_texts_are_put_down_at_the_same_rate() {
        let request = |n: usize| format!(r#"{{"input":"{}"}}"#, "hello world ".repeat(n));
        let small = estimate(&body(&request(1_000)), &body("")).unwrap().prompt_tokens;
        let large = estimate(&body(&request(100_000)), &body("")).unwrap().prompt_tokens;
        assert!((large - small * 100).abs() < large / 50, "{small} {large}");
        assert_eq!(estimate(&body("{}"), &body("data: {}\n\n")), None);
        assert_eq!(estimate(&body("not json"), &body("<html>")), None);
    }
}
