//! Where providers depart from the shapes that they copy, or that they had before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::eventstream::tests::event;
use super::formats_tests::{tokens, typed};
use super::*;
use crate::model::capture::BodyFacts;
use crate::model::exchange::Usage;
use crate::model::headers::Headers;

fn answered(format: WireFormat, path: &str, status: i32, response: &Body) -> Meaning {
    read(format, path, status, [&typed(r#"{"model":"asked"}"#, "application/json"), response], &Headers::NONE)
}

fn json(path: &str, response: &str) -> Meaning {
    answered(WireFormat::Openai, path, 200, &typed(response.to_owned(), "application/json"))
}

fn sse(path: &str, data: &[&str]) -> Meaning {
    let text: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
    answered(WireFormat::Openai, path, 200, &typed(text, "text/event-stream"))
}

fn calls(m: &Meaning) -> Vec<(&str, &str, &str)> {
    m.calls
        .iter()
        .map(|call| (call.id.as_deref().unwrap_or(""), call.name.as_deref().unwrap_or(""), call.arguments.as_str()))
        .collect()
}

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

#[test]
fn parallel_calls_at_one_position() {
    let m = sse(
        CHAT,
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        ],
    );
    assert_eq!((m.calls.asked(), calls(&m)), (2, vec![("a", "f", r#"{"x":1}"#), ("b", "f", "{}")]));
}

#[test]
fn calls_without_a_position() {
    let m = sse(
        CHAT,
        &[
            r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"h","arguments":{"y":2}}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":{"id":"null","function":{"name":"i","arguments":"{}"}}}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":null}}]}"#,
        ],
    );
    let expected = vec![("a", "f", "{}"), ("b", "g", ""), ("", "h", r#"{"y":2}"#), ("", "i", "{}")];
    assert_eq!((m.calls.asked(), calls(&m)), (4, expected));
}

#[test]
fn a_delta_counts_and_not_its_repetition() {
    let m = sse(
        CHAT,
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]},"message":{"tool_calls":[{"id":"a","function":{"name":"f"}}]}}]}"#,
        ],
    );
    assert_eq!(m.calls.asked(), 1);
    let m = json(CHAT, r#"{"choices":[{"delta":null,"message":{"tool_calls":[{"id":"a","function":{"name":"f"}}]}}]}"#);
    assert_eq!(m.calls.asked(), 1);
}

#[test]
fn usage_and_reasons_in_a_choice() {
    let m = sse(
        CHAT,
        &[
            r#"{"choices":[{"index":0,"delta":{"content":"x"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":4,"cached_tokens":8}}]}"#,
        ],
    );
    assert_eq!(m.finish_reason.as_deref(), Some("stop"));
    assert_eq!((m.usage.unwrap().prompt_cache_read_tokens, m.usage.unwrap().input_tokens()), (8, 9));
    let m = json(CHAT, r#"{"choices":[{"finish_reason":null,"stop_reason":"tool_calls"}]}"#);
    assert_eq!(m.finish_reason.as_deref(), Some("tool_calls"));
}

#[test]
fn the_length_of_a_recording() {
    for (response, seconds) in [
        (r#"{"text":"hi","duration":8.5}"#, Some(8.5)),
        (r#"{"text":"hi","duration":"8.5"}"#, Some(8.5)),
        (r#"{"text":"hi","duration":-1}"#, None),
        (r#"{"text":"hi","duration":8.5,"usage":{"type":"duration","seconds":9}}"#, Some(9.0)),
    ] {
        assert_eq!(json("/v1/audio/transcriptions", response).audio_seconds, seconds, "{response}");
    }
    assert_eq!(json(CHAT, r#"{"duration":8.5}"#).audio_seconds, None);
}

#[test]
fn items_that_run_at_one_side_or_the_other() {
    let item = |item: &str| {
        let m = json(RESPONSES, &format!(r#"{{"status":"completed","output":[{item}]}}"#));
        (m.calls.asked(), m.calls.ran())
    };
    for (raw, expected) in [
        (r#"{"type":"tool_search_call","execution":"client","call_id":"c"}"#, (1, 0)),
        (r#"{"type":"tool_search_call","execution":"server"}"#, (0, 1)),
        (r#"{"type":"shell_call","call_id":"c","environment":{"type":"local"}}"#, (1, 0)),
        (r#"{"type":"shell_call","call_id":"c","environment":null}"#, (1, 0)),
        (
            r#"{"type":"shell_call","call_id":"c","environment":{"type":"container_reference","container_id":"x"}}"#,
            (0, 1),
        ),
        (r#"{"type":"custom_tool_call","call_id":"call_1","name":"g"}"#, (1, 0)),
        (r#"{"type":"custom_tool_call","call_id":"xs_call_1","name":"x_keyword_search"}"#, (0, 1)),
        (r#"{"type":"function_call","call_id":"c"}"#, (1, 0)),
        (r#"{"type":"web_search_call","id":"w"}"#, (0, 1)),
    ] {
        assert_eq!(item(raw), expected, "{raw}");
    }
    let m = json(
        RESPONSES,
        r#"{"usage":{"input_tokens":3,"output_tokens":4},"tool_usage":{"web_search":{"num_requests":2}}}"#,
    );
    assert_eq!((m.usage.unwrap().web_searches, m.usage.unwrap().prompt_tokens), (2, 3));
}

#[test]
fn parts_of_a_usage_elsewhere() {
    let usage = |raw: &str| json(CHAT, &format!(r#"{{"choices":[],"usage":{raw}}}"#)).usage.unwrap();
    let u = usage(r#"{"prompt_tokens":10,"completion_tokens":1,"cached_tokens":8}"#);
    assert_eq!((u.prompt_tokens, u.prompt_cache_read_tokens), (2, 8));
    let u = usage(
        r#"{"prompt_tokens":10,"completion_tokens":1,"cache_read_input_tokens":5,"cache_creation_input_tokens":3}"#,
    );
    assert_eq!((u.prompt_tokens, u.prompt_cache_read_tokens, u.prompt_cache_write_tokens), (2, 5, 3));
    // Where Anthropic's own shape comes to the same reader, the input is without the cache.
    let u = usage(r#"{"input_tokens":10,"output_tokens":1,"cache_read_input_tokens":50}"#);
    assert_eq!((u.prompt_tokens, u.prompt_cache_read_tokens), (10, 50));
    // The details come before what stands at the top.
    let u = usage(
        r#"{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4},"cached_tokens":8}"#,
    );
    assert_eq!(u.prompt_cache_read_tokens, 4);
    // Perplexity's deep research: reasoning and citations stand beside the completion.
    let u = usage(
        r#"{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"citation_tokens":20016,"num_search_queries":18,"reasoning_tokens":5000}"#,
    );
    assert_eq!((u.completion_tokens, u.reasoning_tokens, u.web_searches), (7_163, 5_000, 18));
    // More reasoning than output is beside it.
    let u = usage(r#"{"prompt_tokens":1,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":7}}"#);
    assert_eq!((u.completion_tokens, u.reasoning_tokens), (2, 7));
    let u = usage(r#"{"prompt_tokens":1,"completion_tokens":9,"reasoning_tokens":7}"#);
    assert_eq!((u.completion_tokens, u.reasoning_tokens), (2, 7));
}

#[test]
fn arguments_of_gemini_that_are_streamed() {
    let part = |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{part}}}]}}}}]}}"#);
    let parts = [
        part(r#"{"name":"f","args":{},"willContinue":true}"#),
        part(r#"{"partialArgs":[{"jsonPath":"$.city","stringValue":"Par","willContinue":true}],"willContinue":true}"#),
        part(r#"{"partialArgs":[{"jsonPath":"$.city","stringValue":"is"}],"willContinue":true}"#),
        part("{}"),
        part(r#"{"name":"g","args":{}}"#),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let m = sse("/v1beta/models/g:streamGenerateContent", &parts);
    assert_eq!((m.calls.asked(), calls(&m)), (2, vec![("", "f", r#"{"city":"Paris"}"#), ("", "g", "{}")]));
    // Two in a row, the second cut short.
    let parts = [
        part(r#"{"name":"f","partialArgs":[{"jsonPath":"$.n","numberValue":1}],"willContinue":true}"#),
        part(r#"{"name":"g","id":"7","willContinue":true}"#),
        part(r#"{"partialArgs":[{"jsonPath":"$.l[0]","stringValue":"a"}],"willContinue":true}"#),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let m = sse("/v1beta/models/g:streamGenerateContent", &parts);
    assert_eq!((m.calls.asked(), calls(&m)), (2, vec![("", "f", r#"{"n":1}"#), ("7", "g", r#"{"l":["a"]}"#)]));
}

fn invoked(model: &str, response: &str) -> Meaning {
    answered(
        WireFormat::Bedrock,
        &format!("/model/{model}/invoke"),
        200,
        &typed(response.to_owned(), "application/json"),
    )
}

fn invoked_stream(model: &str, parts: &[&str]) -> Meaning {
    let chunk = |text: &&str| event("chunk", &format!(r#"{{"bytes":"{}"}}"#, STANDARD.encode(text)));
    let bytes: Vec<u8> = parts.iter().flat_map(chunk).collect();
    let path = format!("/model/{model}/invoke-with-response-stream");
    answered(WireFormat::Bedrock, &path, 200, &typed(bytes, "application/vnd.amazon.eventstream"))
}

const PROFILE: &str = "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fabc";

#[test]
fn a_profile_that_names_no_model() {
    let m = invoked(
        PROFILE,
        r#"{"type":"message","model":"claude-x","stop_reason":"tool_use","content":[{"type":"tool_use","id":"t","name":"f","input":{}}],"usage":{"input_tokens":3,"cache_read_input_tokens":9,"output_tokens":4}}"#,
    );
    assert_eq!(
        (m.usage.unwrap().input_tokens(), m.calls.asked(), m.finish_reason.as_deref()),
        (12, 1, Some("tool_use"))
    );
    let m = invoked_stream(
        PROFILE,
        &[
            r#"{"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":11,"output_tokens":1}}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
        ],
    );
    assert_eq!((m.usage, m.partial, m.finish_reason.as_deref()), (tokens(11, 9), false, Some("end_turn")));
}

#[test]
fn streams_of_nova_are_wrapped() {
    let m = invoked_stream(
        "us.amazon.nova-lite-v1%3A0",
        &[
            r#"{"messageStart":{"role":"assistant"}}"#,
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t","name":"f"}},"contentBlockIndex":1}}"#,
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"a\":1}"}},"contentBlockIndex":1}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":1}}"#,
            r#"{"messageStop":{"stopReason":"tool_use"}}"#,
            r#"{"metadata":{"usage":{"inputTokens":10,"outputTokens":20,"cacheReadInputTokenCount":5},"metrics":{}},"amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":20}}"#,
        ],
    );
    assert_eq!((m.calls.asked(), calls(&m)), (1, vec![("t", "f", r#"{"a":1}"#)]));
    let usage = m.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.prompt_cache_read_tokens, usage.completion_tokens), (10, 5, 20));
    assert_eq!(m.finish_reason.as_deref(), Some("tool_use"));
}

#[test]
fn makers_behind_invoke_that_have_choices() {
    let m = invoked(
        "mistral.mistral-large-2407-v1%3A0",
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"","tool_calls":[{"id":"t","function":{"name":"f","arguments":"{}"}}]},"stop_reason":"tool_calls"}]}"#,
    );
    assert_eq!((calls(&m), m.finish_reason.as_deref(), m.usage), (vec![("t", "f", "{}")], Some("tool_calls"), None));
    let m = invoked("us.deepseek.r1-v1%3A0", r#"{"choices":[{"text":"x","stop_reason":"length"}]}"#);
    assert_eq!((m.finish_reason.as_deref(), m.usage), (Some("length"), None));
    let m = invoked_stream(
        "qwen.qwen3-32b-v1%3A0",
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}}],"metadata":{}}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6}}"#,
        ],
    );
    assert_eq!((m.calls.asked(), m.finish_reason.as_deref(), m.usage), (1, Some("tool_calls"), tokens(5, 6)));
}

#[test]
fn makers_behind_invoke_with_shapes_of_their_own() {
    let m = invoked_stream(
        "amazon.titan-text-express-v1",
        &[
            r#"{"outputText":"a","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":3}"#,
            r#"{"outputText":"b","index":0,"totalOutputTextTokenCount":4,"completionReason":"FINISH","inputTextTokenCount":null}"#,
        ],
    );
    assert_eq!((m.usage, m.finish_reason.as_deref()), (tokens(3, 4), Some("FINISH")));
    let m = invoked(
        "cohere.command-r-v1%3A0",
        r#"{"generation_id":"g","text":"","finish_reason":"COMPLETE","tool_calls":[{"name":"f","parameters":{"a":1}}]}"#,
    );
    assert_eq!((calls(&m), m.finish_reason.as_deref()), (vec![("", "f", r#"{"a":1}"#)], Some("COMPLETE")));
    let m = invoked("cohere.command-text-v14", r#"{"generations":[{"finish_reason":"MAX_TOKENS","text":"x"}]}"#);
    assert_eq!(m.finish_reason.as_deref(), Some("MAX_TOKENS"));
    let m = invoked_stream(
        "cohere.command-r-v1%3A0",
        &[
            r#"{"event_type":"text-generation","text":"x","is_finished":false}"#,
            r#"{"event_type":"stream-end","finish_reason":"COMPLETE","response":{},"amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6}}"#,
        ],
    );
    assert_eq!((m.usage, m.finish_reason.as_deref()), (tokens(5, 6), Some("COMPLETE")));
}

#[test]
fn answers_of_meta() {
    let metrics = r#""metrics":[{"metric":"num_completion_tokens","value":4,"unit":"tokens"},{"metric":"num_prompt_tokens","value":3},{"metric":"num_total_tokens","value":7}]"#;
    let m = json(
        CHAT,
        &format!(
            r#"{{"id":"i","completion_message":{{"role":"assistant","stop_reason":"tool_calls","content":{{"type":"text","text":"x"}},"tool_calls":[{{"id":"a","function":{{"name":"f","arguments":"{{}}"}}}}]}},{metrics}}}"#
        ),
    );
    assert_eq!((calls(&m), m.finish_reason.as_deref()), (vec![("a", "f", "{}")], Some("tool_calls")));
    assert_eq!((m.usage, m.response_id.as_deref()), (tokens(3, 4), Some("i")));
    let m = sse(
        CHAT,
        &[
            r#"{"event":{"event_type":"start","delta":{"type":"text","text":""}}}"#,
            r#"{"event":{"event_type":"progress","delta":{"type":"tool_call","id":"a","function":{"name":"f","arguments":"{\"x\""}}}}"#,
            r#"{"event":{"event_type":"progress","delta":{"type":"tool_call","function":{"arguments":":1}"}}}}"#,
            r#"{"event":{"event_type":"progress","delta":{"type":"tool_call","id":"b","function":{"name":"g","arguments":"{}"}}}}"#,
            r#"{"event":{"event_type":"complete","delta":{"type":"text","text":""},"stop_reason":"tool_calls"}}"#,
            &format!(r#"{{"event":{{"event_type":"metrics","delta":{{"type":"text","text":""}},{metrics}}}}}"#),
        ],
    );
    assert_eq!((m.calls.asked(), calls(&m)), (2, vec![("a", "f", r#"{"x":1}"#), ("b", "g", "{}")]));
    assert_eq!((m.usage, m.finish_reason.as_deref()), (tokens(3, 4), Some("tool_calls")));
    let odd = json(CHAT, r#"{"completion_message":{},"metrics":[{"metric":"num_prompt_tokens","value":"3"}]}"#);
    assert_eq!((odd.usage, odd.notes.len()), (None, 1));
}

#[test]
fn conversations_of_mistral_and_of_openai() {
    for path in ["/v1/conversations", "/v1/conversations/conv_1"] {
        let m = json(
            path,
            r#"{"object":"conversation.response","conversation_id":"conv_1","outputs":[
            {"type":"tool.execution","id":"e","name":"web_search","arguments":"{}"},
            {"type":"message.output","model":"mistral-medium-2505","content":[{"type":"text","text":"x"}]},
            {"type":"function.call","id":"o","tool_call_id":"t","name":"f","arguments":"{\"a\":1}"}],
            "usage":{"prompt_tokens":188,"completion_tokens":55,"total_tokens":7355,"connector_tokens":7112,"connectors":{"web_search":1}}}"#,
        );
        assert_eq!((m.kind, m.api, m.calls.asked(), m.calls.ran()), (Some(Kind::Llm), "conversations", 1, 1));
        assert_eq!(calls(&m)[1], ("t", "f", r#"{"a":1}"#));
        assert_eq!(m.usage, Some(Usage { web_searches: 1, ..tokens(188, 55).unwrap() }));
        assert_eq!(
            (m.response_model.as_deref(), m.response_id.as_deref()),
            (Some("mistral-medium-2505"), Some("conv_1"))
        );
        let kept = json(path, r#"{"id":"conv_1","object":"conversation","created_at":1,"metadata":{}}"#);
        assert_eq!((kept.kind, kept.api, kept.response_id.as_deref()), (None, "conversations", Some("conv_1")));
    }
    let m = sse(
        "/v1/conversations",
        &[
            r#"{"type":"conversation.response.started","conversation_id":"conv_1"}"#,
            r#"{"type":"tool.execution.started","id":"e","name":"web_search","arguments":""}"#,
            r#"{"type":"tool.execution.done","id":"e","name":"web_search"}"#,
            r#"{"type":"message.output.delta","id":"m","model":"mistral-medium-2505","content":"x"}"#,
            r#"{"type":"function.call.delta","id":"o","tool_call_id":"t","name":"f","arguments":"{\"a\""}"#,
            r#"{"type":"function.call.delta","id":"o","tool_call_id":"t","name":"f","arguments":":1}"}"#,
            r#"{"type":"conversation.response.done","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#,
        ],
    );
    assert_eq!((m.kind, m.calls.asked(), m.calls.ran(), m.usage), (Some(Kind::Llm), 1, 1, tokens(3, 4)));
    assert_eq!(calls(&m)[1], ("t", "f", r#"{"a":1}"#));
}

#[test]
fn paths_of_their_own() {
    let m =
        json("/v1/multimodalembeddings", r#"{"data":[],"usage":{"text_tokens":2,"image_pixels":9,"total_tokens":6}}"#);
    assert_eq!((m.usage, m.api), (tokens(6, 0), "embeddings"));
    let chat = r#"{"model":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    for path in ["/serving-endpoints/m/invocations", "/v1/chat/deferred-completion/1"] {
        let m = json(path, chat);
        assert_eq!((m.usage, m.api), (tokens(3, 4), "chat"), "{path}");
    }
    let m =
        json("/v1/responses/resp_1/cancel", r#"{"id":"resp_1","status":"cancelled","background":true,"output":[]}"#);
    assert_eq!((m.api, m.finish_reason.as_deref(), m.usage), ("responses", Some("cancelled"), None));
}

#[test]
fn json_under_the_type_of_a_stream() {
    let kind = "text/event-stream; charset=utf-8";
    let chat = r#"{"id":"c","choices":[{"finish_reason":"stop","message":{}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    let m = answered(WireFormat::Openai, CHAT, 200, &typed(chat, kind));
    assert_eq!((m.usage, m.finish_reason.as_deref(), m.streamed), (tokens(3, 4), Some("stop"), false));
    let m = answered(WireFormat::Openai, CHAT, 401, &typed(r#"{"error":{"message":"bad key"}}"#, kind));
    assert_eq!((m.error.as_deref(), m.usage_missing), (Some("bad key"), Some("the call failed")));
    let m = answered(WireFormat::Gemini, CHAT, 429, &typed(r#"[{"error":{"message":"slow down"}}]"#, kind));
    assert_eq!(m.error.as_deref(), Some("slow down"));
}

#[test]
fn a_later_sum_keeps_what_was_written_for_an_hour() {
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}}}"#;
    let read = |sum: i64| {
        let delta =
            format!(r#"{{"type":"message_delta","usage":{{"output_tokens":2,"cache_creation_input_tokens":{sum}}}}}"#);
        let m = sse("/v1/messages", &[start, &delta]);
        let lifetimes = m.raw_usage.as_ref().and_then(|raw| raw.get("cache_creation")).cloned();
        (m.usage.map(|u| (u.prompt_cache_write_tokens, u.prompt_cache_write_1h_tokens)), lifetimes)
    };
    let lifetimes =
        |five: i64| Some(serde_json::json!({"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": 20}));
    assert_eq!(read(30), (Some((30, 20)), lifetimes(10)));
    assert_eq!(read(45), (Some((45, 20)), lifetimes(25)));
    assert_eq!(read(20), (Some((20, 20)), lifetimes(0)));
    assert_eq!(read(19), (Some((19, 0)), None));
}

/// On a stack that no recursion over so many levels would fit on; the 128 levels of `serde_json` do.
#[test]
fn depth_costs_no_stack() {
    const LEVELS: usize = 10_000;
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(LEVELS), close.repeat(LEVELS));
    let run = move || {
        for body in [
            nested(r#"{"streamed_data":["#, "]}"),
            nested(r#"{"streamed_data":[{"choices":["#, "]}]}"),
            r#"{"streamed_data":["#.repeat(LEVELS),
            nested(r#"{"messages":[{"content":["#, "]}]}"),
            nested(r#"{"usage":{"cache_creation":"#, "}}"),
            nested(r#"{"content":[{"input":"#, "}]}"),
            nested(r#"{"outputs":["#, "]}"),
            nested(r#"{"event":{"delta":"#, "}}"),
            nested(r#"{"error":"#, "}"),
            nested("[", "]"),
            format!("data: {}\n\n", nested(r#"{"choices":[{"delta":"#, "}]}")),
        ] {
            let body = Body { facts: BodyFacts::default(), bytes: body.into() };
            for format in [WireFormat::Other, WireFormat::Openai, WireFormat::Bedrock] {
                assert_eq!(read_log(format, 200, &body, &body).usage, None);
            }
            for path in [CHAT, RESPONSES, "/v1/messages", "/v1/models/g:streamGenerateContent", "/model/m/invoke"] {
                read(WireFormat::Openai, path, 500, [&body, &body], &Headers::NONE);
            }
            let text = String::from_utf8_lossy(&body.bytes);
            manual::event(&text, &text);
            manual::parse(format!(r#"{{"providerRequest":{text},"providerResponse":{text}}}"#).as_bytes()).unwrap_err();
            assert!(assemble::assemble(None, &text).is_none());
            estimate::estimate(&body, &body);
            messages::canonical(&text);
            messages::verdict(None, &text);
        }
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).unwrap().join().unwrap();
}
