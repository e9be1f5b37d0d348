use std::io::Write;

use bytes::Bytes;

use super::*;
use crate::model::capture::BodyFacts;
use crate::model::headers::Headers;

fn body(text: &str) -> Body {
    Body { facts: BodyFacts::default(), bytes: Bytes::copy_from_slice(text.as_bytes()) }
}

fn stream(text: &str) -> Body {
    let facts = BodyFacts { content_type: Some("text/event-stream; charset=utf-8".to_owned()), ..BodyFacts::default() };
    Body { facts, bytes: Bytes::copy_from_slice(text.as_bytes()) }
}

/// `data:` events as a provider sends them.
fn events(data: &[&str]) -> Body {
    stream(&data.iter().map(|d| format!("data: {d}\n\n")).collect::<String>())
}

fn openai(path: &str, request: &str, response: &Body) -> Meaning {
    read(WireFormat::Openai, path, 200, [&body(request), response], &Headers::NONE)
}

fn chat(response: &Body) -> Meaning {
    openai("/v1/chat/completions", r#"{"model":"gpt-4o","user":"u"}"#, response)
}

fn responses(response: &Body) -> Meaning {
    openai("/v1/responses", r#"{"model":"gpt-5"}"#, response)
}

fn messages(response: &Body) -> Meaning {
    read(WireFormat::Anthropic, "/v1/messages", 200, [&body(r#"{"model":"claude"}"#), response], &Headers::NONE)
}

/// Input and output totals.
fn totals(meaning: &Meaning) -> Option<(i64, i64)> {
    meaning.usage.map(|u| (u.input_tokens(), u.output_tokens()))
}

fn codes(meaning: &Meaning) -> Vec<&str> {
    meaning.notes.iter().map(|n| n.code.as_str()).collect()
}

const USAGE: &str = r#""usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#;

#[test]
fn a_chat_completion() {
    let m = chat(&body(&format!(
        r#"{{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","service_tier":"default","choices":[
        {{"index":0,"finish_reason":"tool_calls","message":{{"content":null,"refusal":null,"tool_calls":[{{"id":"a"}},{{"id":"b"}}]}}}},
        {{"index":1,"finish_reason":"stop","message":{{"function_call":{{"name":"f"}}}}}}],{USAGE}}}"#
    )));
    assert_eq!(m.kind, Some(Kind::Llm));
    assert_eq!((m.format, m.api), (WireFormat::Openai, "chat"));
    assert_eq!(m.request_model.as_deref(), Some("gpt-4o"));
    assert_eq!(m.response_model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(m.response_id.as_deref(), Some("chatcmpl-1"));
    assert_eq!(m.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!((m.calls.asked(), m.streamed, m.user.as_deref()), (3, false, Some("u")));
    assert_eq!((totals(&m), m.usage_missing), (Some((10, 5)), None));
    assert_eq!(m.raw_usage, None, "it says nothing beside the totals");
    assert_eq!((m.error, m.stream_error, m.notes.len()), (None, false, 0));
}

#[test]
fn a_chat_stream() {
    let m = chat(&events(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b"}]}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"c"}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        &format!(r#"{{"choices":[],{USAGE}}}"#),
        "[DONE]",
    ]));
    assert!(m.streamed);
    assert_eq!((m.calls.asked(), m.finish_reason.as_deref()), (3, Some("tool_calls")));
    assert_eq!((m.response_id.as_deref(), m.response_model.as_deref()), (Some("c"), Some("m")));
    assert_eq!(totals(&m), Some((10, 5)));
}

#[test]
fn streams_without_usage_say_why() {
    let plain = events(&[r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#, "[DONE]"]);
    let asked = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    assert!(chat(&plain).usage_missing.unwrap().contains("include_usage"));
    let m = openai("/v1/chat/completions", asked, &plain);
    assert_eq!((m.usage, m.usage_missing), (None, Some("the stream ended before it reported usage")));
}

#[test]
fn copies_of_openai_report_elsewhere() {
    let groq = chat(&events(&[&format!(r#"{{"choices":[],"x_groq":{{"id":"r",{USAGE}}}}}"#)]));
    assert_eq!(totals(&groq), Some((10, 5)));
    let growing = chat(&events(&[
        r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":1}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}"#,
        r#"{"choices":[],"usage":{}}"#,
    ]));
    assert_eq!(totals(&growing), Some((10, 5)));
    let billed = chat(&body(r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.25}}"#));
    assert_eq!(billed.billed_usd, Some(0.25));
}

#[test]
fn errors_inside_a_success() {
    for response in [
        events(&[r#"{"error":{"message":"overloaded","type":"server_error"}}"#]),
        stream("event: error\ndata: {\"message\":\"overloaded\"}\n\n"),
        body(r#"{"error":{"message":"overloaded"}}"#),
        body(r#"{"choices":[{"error":{"message":"overloaded"},"finish_reason":"error"}]}"#),
    ] {
        let m = chat(&response);
        assert!(m.stream_error, "{response:?}");
        assert_eq!(m.error.as_deref(), Some("overloaded"), "{response:?}");
    }
}

#[test]
fn errors_of_the_provider() {
    let long = "é".repeat(3_000);
    for (status, text, words) in [
        (400, r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#, Some("bad")),
        (400, r#"{"error":{"type":"overloaded_error"}}"#, Some("overloaded_error")),
        (400, r#"{"error":"plain"}"#, Some("plain")),
        (422, r#"{"detail":"d"}"#, Some("d")),
        (422, r#"{"detail":[{"loc":1}]}"#, None),
        (404, r#"{"message":"m","error":null}"#, Some("m")),
        (404, r#"{"error":{}}"#, Some("{}")),
        (502, "<html>bad gateway</html>", None),
        (500, "it broke\n", Some("it broke")),
        (500, "", None),
        (-3, "partial", Some("partial")),
    ] {
        let m = read(WireFormat::Openai, "/v1/chat/completions", status, [&body("{}"), &body(text)], &Headers::NONE);
        assert_eq!(m.error.as_deref(), words, "{text}");
        assert_eq!((m.usage, m.usage_missing, m.stream_error), (None, Some("the call failed"), false), "{text}");
    }
    let m = read(WireFormat::Openai, "/v1/responses", 500, [&body("{}"), &body(&long)], &Headers::NONE);
    assert_eq!(m.error.unwrap().chars().count(), MAX_ERROR_CHARS);
}

#[test]
fn a_response() {
    let m = responses(&body(
        r#"{"id":"resp_1","object":"response","model":"gpt-5-x","status":"completed","error":null,"incomplete_details":null,
        "output":[{"type":"reasoning"},{"type":"function_call"},{"type":"custom_tool_call"},{"type":"web_search_call"}],
        "usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":9,
        "output_tokens_details":{"reasoning_tokens":4},"total_tokens":29}}"#,
    ));
    assert_eq!((m.api, m.calls.asked(), m.finish_reason.as_deref()), ("responses", 2, Some("completed")));
    let usage = m.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.prompt_cache_read_tokens), (12, 8));
    assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (5, 4));
}

#[test]
fn responses_that_end_badly() {
    let failed = r#"{"status":"failed","error":{"code":"server_error","message":"boom"},"output":[],"usage":null}"#;
    for response in [
        body(failed),
        events(&[&format!(r#"{{"type":"response.failed","response":{failed}}}"#)]),
        events(&[r#"{"type":"error","code":"server_error","message":"boom"}"#]),
        events(&[r#"{"type":"error","error":{"message":"boom"}}"#]),
    ] {
        let m = responses(&response);
        assert!(m.stream_error, "{response:?}");
        assert_eq!((m.error.as_deref(), m.usage), (Some("boom"), None), "{response:?}");
    }
    let cut = r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[],
        "usage":{"input_tokens":1,"output_tokens":2}}"#;
    for response in [body(cut), events(&[&format!(r#"{{"type":"response.incomplete","response":{}}}"#, one_line(cut))])]
    {
        let m = responses(&response);
        assert_eq!((m.finish_reason.as_deref(), m.stream_error), (Some("max_output_tokens"), false));
        assert_eq!(totals(&m), Some((1, 2)));
    }
}

#[test]
fn a_response_stream_that_breaks_off_keeps_its_calls() {
    let m = responses(&events(&[
        r#"{"type":"response.created","response":{"id":"r","model":"m","status":"in_progress","usage":null}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"function_call"}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"message"}}"#,
    ]));
    assert_eq!((m.calls.asked(), m.finish_reason, m.response_id.as_deref()), (1, None, Some("r")));
    assert_eq!(m.usage_missing, Some("the stream ended before it reported usage"));
}

#[test]
fn a_fetched_response_counts_only_in_background_mode() {
    let usage = r#""usage":{"input_tokens":1,"output_tokens":2}"#;
    let fetch = |text: String| openai("/v1/responses/resp_1", "", &body(&text));
    assert_eq!(totals(&fetch(format!(r#"{{"background":true,{usage}}}"#))), Some((1, 2)));
    let again = fetch(format!(r#"{{"background":false,{usage}}}"#));
    assert_eq!(again.usage, None);
    assert!(again.usage_missing.unwrap().contains("counted when it was made"));
}

#[test]
fn embeddings_and_calls_without_tokens() {
    let m = openai(
        "/v1/embeddings",
        r#"{"model":"e"}"#,
        &body(
            r#"{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":7,"total_tokens":7}}"#,
        ),
    );
    assert_eq!((totals(&m), m.api), (Some((7, 0)), "embeddings"));
    let m = openai(
        "/v1/completions",
        r#"{"model":"i"}"#,
        &body(&format!(r#"{{"choices":[{{"finish_reason":"length"}}],{USAGE}}}"#)),
    );
    assert_eq!((totals(&m), m.finish_reason.as_deref()), (Some((10, 5)), Some("length")));
    let m = openai(
        "/v1/images/generations",
        r#"{"model":"gpt-image-1"}"#,
        &body(
            r#"{"usage":{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"text_tokens":3,"image_tokens":0}}}"#,
        ),
    );
    assert_eq!((totals(&m), m.kind), (Some((3, 4)), Some(Kind::Llm)));
    let m = openai("/v1/moderations", r#"{"model":"omni"}"#, &body(r#"{"results":[]}"#));
    assert_eq!(
        (m.usage_missing, m.request_model.as_deref()),
        (Some("this kind of call reports no tokens"), Some("omni"))
    );
    let mut form = body("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--");
    form.facts.content_type = Some("multipart/form-data; boundary=b".to_owned());
    let m = read(
        WireFormat::Openai,
        "/v1/audio/transcriptions",
        200,
        [&form, &body(r#"{"text":"hi","usage":{"type":"duration","seconds":3}}"#)],
        &Headers::NONE,
    );
    assert_eq!((m.usage, m.request_model.as_deref()), (None, Some("whisper-1")));
    assert_eq!((m.audio_seconds, m.api), (Some(3.0), "audio"));
    let m = openai("/v1/models", "", &body(r#"{"data":[]}"#));
    assert_eq!((m.kind, m.usage), (None, None));
    let m = read(
        WireFormat::Anthropic,
        "/v1/messages/count_tokens",
        200,
        [&body("{}"), &body(r#"{"input_tokens":5}"#)],
        &Headers::NONE,
    );
    assert_eq!((m.kind, m.usage, m.usage_missing), (None, None, Some("counting tokens uses none")));
    let m =
        read(WireFormat::Gemini, "/v1beta/models/g:generateContent", 200, [&body("{}"), &body("{}")], &Headers::NONE);
    assert_eq!((m.kind, m.request_model.as_deref()), (Some(Kind::Llm), Some("g")));
    assert!(m.usage.is_none() && m.usage_missing.is_some());
}

#[test]
fn a_message() {
    let m = messages(&body(
        r#"{"id":"msg_1","type":"message","model":"claude-x","stop_reason":"tool_use","content":[{"type":"text"},
        {"type":"tool_use"},{"type":"server_tool_use"},{"type":"tool_use"}],"usage":{"input_tokens":3,"output_tokens":20,
        "cache_creation_input_tokens":30,"cache_read_input_tokens":7,"service_tier":"standard",
        "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}}"#,
    ));
    assert_eq!((m.calls.asked(), m.finish_reason.as_deref()), (2, Some("tool_use")));
    assert_eq!((m.format, m.api, m.service_tier.as_deref()), (WireFormat::Anthropic, "messages", Some("standard")));
    let usage = m.usage.unwrap();
    assert_eq!((usage.input_tokens(), usage.prompt_cache_write_1h_tokens, usage.output_tokens()), (40, 20, 20));
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg","model":"claude-x","usage":{"input_tokens":11,
    "cache_creation_input_tokens":30,"cache_read_input_tokens":0,"output_tokens":2,
    "cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":30}}}}"#;

/// Newlines inside data would end its line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_message_stream_adds_up() {
    let m = messages(&events(&[
        &one_line(START),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","input":{}}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":40}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":50}}"#,
        r#"{"type":"message_stop"}"#,
    ]));
    assert_eq!(
        (m.calls.asked(), m.finish_reason.as_deref(), m.response_model.as_deref()),
        (1, Some("tool_use"), Some("claude-x"))
    );
    let usage = m.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.output_tokens(), usage.prompt_cache_write_1h_tokens), (11, 50, 30));
    assert_eq!(m.raw_usage.unwrap()["output_tokens"], 50);
    assert!(m.notes.is_empty());
}

#[test]
fn a_message_stream_cut_short_says_so() {
    let m = messages(&events(&[&one_line(START)]));
    assert_eq!((totals(&m), codes(&m)), (Some((41, 2)), vec!["usage.partial"]));
    let m = messages(&events(&[r#"{"type":"ping"}"#]));
    assert_eq!((m.usage, m.usage_missing), (None, Some("the stream ended before it reported usage")));
    let m = messages(&events(&[
        &one_line(START),
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    ]));
    assert!(m.stream_error);
    assert_eq!((m.error.as_deref(), totals(&m)), (Some("Overloaded"), Some((41, 2))));
}

#[test]
fn other_models_inside_a_message_are_noted() {
    let m = messages(&body(
        r#"{"model":"a","usage":{"input_tokens":1,"output_tokens":1,"iterations":[{"type":"message"},{"model":"b"}]}}"#,
    ));
    assert_eq!(codes(&m), ["usage.other_models"]);
    let m = messages(&body(
        r#"{"model":"a","usage":{"input_tokens":1,"output_tokens":1,"iterations":[{"type":"compaction"},{"type":"message"}]}}"#,
    ));
    assert_eq!(codes(&m), ["usage.compaction"]);
}

#[test]
fn numbers_that_cannot_be_believed_are_missing() {
    for usage in [
        r#"{"prompt_tokens":"10","completion_tokens":5}"#,
        r#"{"prompt_tokens":-10,"completion_tokens":5}"#,
        r#"{"prompt_tokens":1e300,"completion_tokens":5}"#,
        r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}}"#,
        "[]",
        "7",
    ] {
        let m = chat(&body(&format!(r#"{{"usage":{usage}}}"#)));
        assert_eq!((m.usage, codes(&m)), (None, vec!["usage.invalid"]), "{usage}");
        assert!(m.usage_missing.is_some());
    }
}

#[test]
fn bodies_that_were_cut_or_shed() {
    let mut cut = body(&format!(r#"{{"id":"c","model":"m",{USAGE},"choices":[{{"finish_rea"#));
    cut.facts.kept = Kept::Truncated;
    let m = chat(&cut);
    assert_eq!((totals(&m), m.response_model.as_deref()), (Some((10, 5)), Some("m")));
    for (kept, words) in [(Kept::Shed, "short of memory"), (Kept::Truncated, "larger"), (Kept::Omitted, "not kept")] {
        let mut cut = body(r#"{"id":"c","model":"m","choices":[{"message":{"content":"aaa"#);
        cut.facts.kept = kept;
        let m = chat(&cut);
        assert!(m.usage_missing.unwrap().contains(words), "{kept:?}: {:?}", m.usage_missing);
        assert_eq!(m.response_model.as_deref(), Some("m"));
    }
    assert_eq!(chat(&body("")).usage_missing, Some("there was no response body"));
    assert_eq!(chat(&body("hello")).usage_missing, Some("the response is not JSON"));
    assert_eq!(chat(&body("{}")).usage_missing, Some("the response reports no usage"));
}

#[test]
fn compressed_answers_are_read() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("{{{USAGE}}}").as_bytes()).unwrap();
    let facts = BodyFacts { content_encoding: Some("gzip".to_owned()), ..BodyFacts::default() };
    let m = chat(&Body { facts, bytes: Bytes::from(gzip.finish().unwrap()) });
    assert_eq!(totals(&m), Some((10, 5)));
    let facts = BodyFacts { content_encoding: Some("zip?".to_owned()), ..BodyFacts::default() };
    let m = chat(&Body { facts, bytes: Bytes::from_static(b"{}") });
    assert_eq!(
        (m.usage_missing, codes(&m)),
        (Some("the response's content encoding could not be undone"), vec!["body.encoding"])
    );
}

#[test]
fn hostile_bodies_do_no_harm() {
    let deep = "[".repeat(200_000);
    for text in
        [deep.as_str(), &format!("{{\"usage\":{deep}"), "{\"usage\":{\"prompt_tokens\":{}}}", "\u{0}", "data:", "{"]
    {
        for read_one in [chat, responses, messages] {
            assert!(read_one(&body(text)).usage.is_none());
            assert!(read_one(&stream(text)).usage.is_none());
        }
    }
    let m = chat(&body(&format!(
        r#"{{"model":"\ud800","x":1e400,"choices":[{{"message":{{"content":"\udfff"}}}}],"usage":{{"prompt_tokens":1,"prompt_tokens":10,"completion_tokens":5}},"deep":{deep}{}}}"#,
        "]".repeat(200_000)
    )));
    assert_eq!(totals(&m), Some((10, 5)));
}

#[test]
fn logs_are_told_by_shape() {
    let log = |response: &str| read_log(WireFormat::Other, 200, &body(r#"{"model":"m"}"#), &body(response));
    let m = log(&format!(r#"{{"choices":[],{USAGE}}}"#));
    assert_eq!((totals(&m), m.api, m.kind), (Some((10, 5)), "chat", Some(Kind::Llm)));
    let m = log(r#"{"type":"message","usage":{"input_tokens":1,"output_tokens":2}}"#);
    assert_eq!((totals(&m), m.api), (Some((1, 2)), "messages"));
    let lines = format!(
        "{{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"delta\":{{}}}}]}}\n{{\"choices\":[],{USAGE}}}\n"
    );
    let m = log(&lines);
    assert_eq!((totals(&m), m.streamed), (Some((10, 5)), true));
    let m = log(&format!(
        "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[]}}\n\ndata: {{\"choices\":[],{USAGE}}}\n\n"
    ));
    assert_eq!(totals(&m), Some((10, 5)));
    let message_lines =
        format!("{}\n{}\n", one_line(START), r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":9}}"#);
    assert_eq!(totals(&log(&message_lines)), Some((41, 9)));
    let m = log(&format!(r#"{{"streamed_data":[{{"choices":[{{"delta":{{}}}}]}},{{"choices":[],{USAGE}}}]}}"#));
    assert_eq!((totals(&m), m.streamed), (Some((10, 5)), true));
    let m = log("Traceback (most recent call last)");
    assert_eq!((m.usage, m.kind), (None, Some(Kind::Llm)));
    assert!(asks_for_stream(r#"{"stream":true}"#) && !asks_for_stream(r#"{"stream":"true"}"#));
}
