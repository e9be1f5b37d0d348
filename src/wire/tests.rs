use bytes::Bytes;

use super::*;
use crate::model::capture::BodyFacts;

fn body(text: &str) -> Body {
    Body { facts: BodyFacts::default(), bytes: Bytes::copy_from_slice(text.as_bytes()) }
}

fn chat(response: &str) -> Meaning {
    read(WireFormat::Openai, "/v1/chat/completions", 200, &body(r#"{"model":"gpt-4o","user":"u"}"#), &body(response))
}

#[test]
fn smoke() {
    let m = chat(
        r#"{"id":"c","model":"gpt-4o-x","choices":[{"finish_reason":"stop","message":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    );
    assert_eq!(m.usage.unwrap().output_tokens(), 2);
    assert_eq!(m.kind, Some(Kind::Llm));
}
