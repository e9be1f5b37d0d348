//! Shapes that each provider documents, as small bodies: one test a format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::eventstream::tests::{event, framed};
use super::*;
use crate::model::capture::BodyFacts;
use crate::model::exchange::Usage;
use crate::model::headers::Headers;

pub(super) fn typed(text: impl Into<Bytes>, kind: &str) -> Body {
    Body { facts: BodyFacts { content_type: Some(kind.to_owned()), ..BodyFacts::default() }, bytes: text.into() }
}

fn reply(format: WireFormat, path: &str, request: &str, response: &Body) -> Meaning {
    read(format, path, 200, [&typed(request.to_owned(), "application/json"), response], &Headers::NONE)
}

fn json(format: WireFormat, path: &str, response: &str) -> Meaning {
    reply(format, path, r#"{"model":"asked"}"#, &typed(response.to_owned(), "application/json"))
}

fn sse(format: WireFormat, path: &str, data: &[&str]) -> Meaning {
    let text: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
    reply(format, path, "{}", &typed(text, "text/event-stream"))
}

fn call(m: &Meaning) -> (Option<&str>, Option<&str>, &str, &str) {
    let call = m.calls.iter().next().unwrap();
    (call.id.as_deref(), call.name.as_deref(), call.arguments.as_str(), call.form.as_str())
}

pub(super) fn tokens(input: i64, output: i64) -> Option<Usage> {
    Some(Usage { prompt_tokens: input, completion_tokens: output, ..Usage::default() })
}

const GEMINI: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
const GEMINI_STREAM: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

#[test]
fn gemini_content() {
    let m = json(
        WireFormat::Gemini,
        GEMINI,
        r#"{"candidates":[{"content":{"parts":[{"text":"x"},{"functionCall":{"id":"i","name":"f","args":{"a":1}}},
        {"executableCode":{"code":"1"}}]},"finishReason":"STOP"}],"modelVersion":"gemini-2.5-flash-001","responseId":"r",
        "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"thoughtsTokenCount":6,"serviceTier":"STANDARD"}}"#,
    );
    assert_eq!((m.calls.asked(), m.calls.ran(), m.finish_reason.as_deref()), (1, 1, Some("STOP")));
    assert_eq!(call(&m), (Some("i"), Some("f"), r#"{"a":1}"#, "functionCall"));
    assert_eq!(
        m.usage,
        Some(Usage { prompt_tokens: 10, completion_tokens: 4, reasoning_tokens: 6, ..Usage::default() })
    );
    assert_eq!(
        (m.response_model.as_deref(), m.service_tier.as_deref()),
        (Some("gemini-2.5-flash-001"), Some("standard"))
    );
    assert_eq!((m.response_id.as_deref(), m.format, m.notes.len()), (Some("r"), WireFormat::Gemini, 0));

    let blocked = json(
        WireFormat::Gemini,
        GEMINI,
        r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}"#,
    );
    assert_eq!(
        (blocked.finish_reason.as_deref(), blocked.refused, blocked.usage),
        (Some("SAFETY"), true, tokens(3, 0))
    );
}

#[test]
fn gemini_streams_in_both_forms() {
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":1}}"#;
    let last = r#"{"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":9}}"#;
    let array = |parts: &str| {
        reply(WireFormat::Gemini, GEMINI_STREAM, "{}", &typed(parts.to_owned(), "application/json; charset=UTF-8"))
    };
    for m in [sse(WireFormat::Gemini, GEMINI_STREAM, &[first, last]), array(&format!("[{first},\r\n{last}]"))] {
        assert_eq!(
            (m.usage, m.partial, m.streamed, m.finish_reason.as_deref()),
            (tokens(7, 9), false, true, Some("STOP"))
        );
    }
    for m in [sse(WireFormat::Gemini, GEMINI_STREAM, &[first]), array(&format!("[{first},\n{{\"candi"))] {
        assert_eq!((m.usage, m.partial), (tokens(7, 1), true));
        assert_eq!(m.notes.first().map(|n| n.code.as_str()), Some("usage.partial"));
    }
    let error = r#"[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]"#;
    let m = read(
        WireFormat::Gemini,
        GEMINI_STREAM,
        429,
        [&typed("{}", ""), &typed(error, "application/json")],
        &Headers::NONE,
    );
    assert_eq!((m.error.as_deref(), m.usage_missing), (Some("slow down"), Some("the call failed")));
}

#[test]
fn gemini_embeddings_and_vertex() {
    let m = json(
        WireFormat::Gemini,
        "/v1beta/models/e:batchEmbedContents",
        r#"{"embeddings":[{"values":[0.1]}],"usageMetadata":{"promptTokenCount":7}}"#,
    );
    assert_eq!((m.usage, m.request_model.as_deref()), (tokens(7, 0), Some("asked")));
    let predict = "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict";
    let m = json(
        WireFormat::Gemini,
        predict,
        r#"{"predictions":[{"embeddings":{"statistics":{"token_count":3}}},{"embeddings":{"statistics":{"token_count":4}}}]}"#,
    );
    assert_eq!(m.usage, tokens(7, 0));
    let bad =
        json(WireFormat::Gemini, predict, r#"{"predictions":[{"embeddings":{"statistics":{"token_count":"3"}}}]}"#);
    assert_eq!((bad.usage, bad.notes.len()), (None, 1));
    let claude = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5:rawPredict";
    let m =
        json(WireFormat::Gemini, claude, r#"{"usage":{"input_tokens":1,"output_tokens":2},"stop_reason":"refusal"}"#);
    assert_eq!((m.usage, m.format, m.finish_reason.as_deref()), (tokens(1, 2), WireFormat::Anthropic, Some("refusal")));
}

const CONVERSE: &str = "/model/us.amazon.nova-micro-v1%3A0/converse-stream";

#[test]
fn bedrock_converse() {
    let m = reply(
        WireFormat::Bedrock,
        "/model/us.amazon.nova-micro-v1%3A0/converse",
        "{}",
        &typed(
            r#"{"output":{"message":{"content":[{"text":"x"},{"toolUse":{"toolUseId":"t","name":"f","input":{"a":1}}}]}},
            "stopReason":"tool_use","usage":{"inputTokens":3,"outputTokens":227,"cacheReadInputTokens":5,"cacheWriteInputTokens":1712,
            "cacheDetails":[{"ttl":"5m","inputTokens":1700},{"ttl":"1h","inputTokens":12}]}}"#,
            "application/json",
        ),
    );
    let usage = m.usage.unwrap();
    assert_eq!((usage.input_tokens(), usage.output_tokens(), usage.prompt_tokens), (1_720, 227, 3));
    assert_eq!((usage.prompt_cache_write_tokens, usage.prompt_cache_write_1h_tokens), (1_712, 12));
    assert_eq!(call(&m), (Some("t"), Some("f"), r#"{"a":1}"#, "toolUse"));
    assert_eq!(
        (m.request_model.as_deref(), m.finish_reason.as_deref()),
        (Some("us.amazon.nova-micro-v1:0"), Some("tool_use"))
    );
}

fn converse_frames() -> Vec<Vec<u8>> {
    [
        ("messageStart", r#"{"role":"assistant"}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"1}"}}}"#),
        ("messageStop", r#"{"stopReason":"tool_use"}"#),
        ("metadata", r#"{"usage":{"inputTokens":210,"outputTokens":18,"totalTokens":228}}"#),
    ]
    .map(|(name, payload)| event(name, payload))
    .to_vec()
}

#[test]
fn bedrock_streams() {
    let kind = "application/vnd.amazon.eventstream";
    let whole = converse_frames().concat();
    let m = reply(WireFormat::Bedrock, CONVERSE, "{}", &typed(whole.clone(), kind));
    assert_eq!((m.usage, m.streamed, m.finish_reason.as_deref()), (tokens(210, 18), true, Some("tool_use")));
    assert_eq!((call(&m), m.calls.asked()), ((Some("t"), Some("f"), r#"{"a":1}"#, "toolUse"), 1));
    let m = reply(WireFormat::Bedrock, CONVERSE, "{}", &typed(whole[..whole.len() - 1].to_vec(), kind));
    assert_eq!((m.usage, m.usage_missing), (None, Some("the stream ended before it reported usage")));
    assert_eq!(m.notes.first().map(|n| n.code.as_str()), Some("body.frames"));
    let mut failing = converse_frames()[0].clone();
    failing.extend(framed(
        &[(":exception-type", "modelStreamErrorException"), (":message-type", "exception")],
        r#"{"message":"it broke"}"#,
    ));
    let m = reply(WireFormat::Bedrock, CONVERSE, "{}", &typed(failing, kind));
    assert_eq!((m.stream_error, m.error.as_deref()), (true, Some("it broke")));
}

#[test]
fn bedrock_invoke_in_the_makers_shapes() {
    let invoke = |model: &str, response: &str, headers: &[(String, String)]| {
        let path = format!("/model/{model}/invoke");
        read(
            WireFormat::Bedrock,
            &path,
            200,
            [&typed("{}", ""), &typed(response.to_owned(), "application/json")],
            &headers.iter().map(|(name, value)| (name, value)).collect(),
        )
    };
    for (model, response, finish) in [
        (
            "us.anthropic.claude-x",
            r#"{"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":4}}"#,
            Some("end_turn"),
        ),
        (
            "openai.gpt-oss-120b-1:0",
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
            Some("stop"),
        ),
        (
            "amazon.titan-text-express-v1",
            r#"{"inputTextTokenCount":3,"results":[{"tokenCount":4,"completionReason":"FINISH"}]}"#,
            Some("FINISH"),
        ),
        (
            "amazon.nova-lite-v1:0",
            r#"{"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":4}}"#,
            Some("end_turn"),
        ),
        (
            "meta.llama3-8b-instruct-v1:0",
            r#"{"prompt_token_count":3,"generation_token_count":4,"stop_reason":"stop"}"#,
            Some("stop"),
        ),
    ] {
        let m = invoke(model, response, &[]);
        assert_eq!((m.usage, m.finish_reason.as_deref()), (tokens(3, 4), finish), "{model}");
    }
    let counts = |input: &str| {
        vec![
            ("x-amzn-bedrock-input-token-count".to_owned(), input.to_owned()),
            ("x-amzn-bedrock-output-token-count".to_owned(), "4".to_owned()),
        ]
    };
    let mistral = r#"{"outputs":[{"text":"x","stop_reason":"stop"}]}"#;
    assert_eq!(invoke("mistral.mistral-7b", mistral, &counts("3")).usage, tokens(3, 4));
    let bad = invoke("mistral.mistral-7b", mistral, &counts("three"));
    assert_eq!((bad.usage, bad.notes.len()), (None, 1));
    assert_eq!(invoke("amazon.nova-2-multimodal-embeddings-v1:0", r#"{"embeddings":[]}"#, &[]).usage, None);

    let inner = |text: &str| event("chunk", &format!(r#"{{"bytes":"{}"}}"#, STANDARD.encode(text)));
    let stream = |parts: &[&str], model: &str| {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| inner(part)).collect();
        let path = format!("/model/{model}/invoke-with-response-stream");
        reply(WireFormat::Bedrock, &path, "{}", &typed(bytes, "application/vnd.amazon.eventstream"))
    };
    let start =
        r#"{"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":11,"output_tokens":1}}}"#;
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#;
    let metrics =
        r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":11,"outputTokenCount":9}}"#;
    let m = stream(&[start, delta, metrics], "anthropic.claude-x");
    assert_eq!((m.usage, m.partial, m.response_model.as_deref()), (tokens(11, 9), false, Some("claude-x")));
    assert_eq!(stream(&[start, metrics], "anthropic.claude-x").usage, tokens(11, 9));
    let llama = r#"{"generation":"x","amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6}}"#;
    assert_eq!(stream(&[llama], "meta.llama3").usage, tokens(5, 6));
}

#[test]
fn cohere_chats() {
    let m = json(
        WireFormat::Cohere,
        "/v2/chat",
        r#"{"id":"i","finish_reason":"TOOL_CALL","message":{"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},
        "usage":{"billed_units":{"input_tokens":41,"output_tokens":25},"cached_tokens":144,"tokens":{"input_tokens":1441,"output_tokens":54}}}"#,
    );
    assert_eq!(
        (m.usage, m.finish_reason.as_deref(), m.response_id.as_deref()),
        (tokens(41, 25), Some("TOOL_CALL"), Some("i"))
    );
    assert_eq!(call(&m), (Some("t"), Some("f"), "{}", "tool_calls"));
    let m = json(
        WireFormat::Cohere,
        "/v1/chat",
        r#"{"generation_id":"g","finish_reason":"COMPLETE","tool_calls":[{"name":"f","parameters":{"a":1}}],
        "meta":{"billed_units":{"input_tokens":1,"output_tokens":2}}}"#,
    );
    assert_eq!((m.usage, call(&m).2, m.response_id.as_deref()), (tokens(1, 2), r#"{"a":1}"#, Some("g")));

    let m = sse(
        WireFormat::Cohere,
        "/v2/chat",
        &[
            r#"{"type":"message-start","id":"i"}"#,
            r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t","function":{"name":"f","arguments":""}}}}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}}}"#,
        ],
    );
    assert_eq!((m.usage, m.calls.asked(), call(&m).2), (tokens(3, 4), 1, "{}"));
    let lines = "{\"event_type\":\"stream-start\",\"generation_id\":\"g\"}\n{\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{\"meta\":{\"billed_units\":{\"input_tokens\":5,\"output_tokens\":6}}}}\n";
    let m = reply(WireFormat::Cohere, "/v1/chat", "{}", &typed(lines, "application/stream+json"));
    assert_eq!((m.usage, m.finish_reason.as_deref(), m.streamed), (tokens(5, 6), Some("COMPLETE"), true));
}

#[test]
fn cohere_embeds_and_reranks() {
    let m = json(
        WireFormat::Cohere,
        "/v2/embed",
        r#"{"embeddings":{},"meta":{"billed_units":{"image_tokens":6,"input_tokens":4}}}"#,
    );
    let usage = m.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.prompt_image_tokens, usage.input_tokens()), (4, 6, 10));
    let m =
        json(WireFormat::Cohere, "/v2/rerank", r#"{"id":"i","results":[],"meta":{"billed_units":{"search_units":2}}}"#);
    assert_eq!((m.usage.unwrap().search_units, m.usage.unwrap().input_tokens()), (2, 0));
    let m = json(WireFormat::Openai, "/v1/rerank", r#"{"results":[],"usage":{"total_tokens":9}}"#);
    assert_eq!(m.usage, tokens(9, 0));
    let m = json(WireFormat::Openai, "/v1/rerank", r#"{"results":[]}"#);
    assert_eq!(m.usage_missing, Some("this kind of call reports no tokens"));
}

#[test]
fn ollama_lines() {
    let lines = "{\"model\":\"llama3\",\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]},\"done\":false}\n\
        {\"model\":\"llama3\",\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":26,\"eval_count\":290}\n";
    let m = reply(WireFormat::Ollama, "/api/chat", "{}", &typed(lines, "application/x-ndjson"));
    assert_eq!((m.usage, m.streamed, m.finish_reason.as_deref()), (tokens(26, 290), true, Some("stop")));
    assert_eq!((call(&m).1, call(&m).2), (Some("f"), r#"{"a":1}"#));
    let cut = reply(WireFormat::Ollama, "/api/chat", "{}", &typed("{\"done\":false}\n", "application/x-ndjson"));
    assert_eq!((cut.streamed, cut.usage), (true, None));
    assert_eq!(
        json(WireFormat::Ollama, "/api/embed", r#"{"embeddings":[],"prompt_eval_count":8}"#).usage,
        tokens(8, 0)
    );
    // Without the prompt's count the usage is not known.
    assert_eq!(json(WireFormat::Ollama, "/api/generate", r#"{"done":true,"eval_count":8}"#).usage, None);
    let m = reply(
        WireFormat::Ollama,
        "/api/chat",
        "{}",
        &typed("{\"done\":false}\n{\"error\":\"gone\"}\n", "application/x-ndjson"),
    );
    assert_eq!((m.stream_error, m.error.as_deref()), (true, Some("gone")));
}

#[test]
fn peculiarities_of_those_who_copy_openai() {
    let usage =
        |raw: &str| json(WireFormat::Openai, "/v1/chat/completions", &format!(r#"{{"choices":[],"usage":{raw}}}"#));
    let m =
        usage(r#"{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2}"#);
    assert_eq!(m.usage.unwrap().prompt_cache_read_tokens, 8);
    let m = usage(
        r#"{"prompt_tokens":10,"completion_tokens":1,"num_search_queries":3,"cost":{"request_cost":0.005,"total_cost":0.006}}"#,
    );
    assert_eq!((m.usage.unwrap().web_searches, m.billed_usd), (3, Some(0.006)));
    let m = usage(
        r#"{"prompt_tokens":10,"completion_tokens":1,"num_sources_used":4,"cost_in_usd_ticks":25000000,
        "server_side_tool_usage_details":{"web_search_calls":2,"code_interpreter_calls":1}}"#,
    );
    let counted = m.usage.unwrap();
    assert_eq!((counted.search_units, counted.web_searches, counted.tool_units, m.billed_usd), (4, 2, 1, Some(0.0025)));
    let m = usage(
        r#"{"prompt_tokens":10,"completion_tokens":20,"completion_tokens_details":{"image_tokens":15,"reasoning_tokens":3}}"#,
    );
    let counted = m.usage.unwrap();
    assert_eq!((counted.completion_tokens, counted.completion_image_tokens, counted.reasoning_tokens), (2, 15, 3));
    // Cached audio is counted as cached, once.
    let m = usage(
        r#"{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":90}}"#,
    );
    let counted = m.usage.unwrap();
    assert_eq!((counted.prompt_tokens, counted.prompt_audio_tokens, counted.input_tokens()), (0, 20, 100));
    let m = json(WireFormat::Openai, "/v1/embeddings", r#"{"data":[],"usage":{"total_tokens":6}}"#);
    assert_eq!(m.usage, tokens(6, 0));
}

#[test]
fn audio_images_and_kept_things() {
    let m = sse(
        WireFormat::Openai,
        "/v1/audio/transcriptions",
        &[
            r#"{"type":"transcript.text.delta","delta":"x"}"#,
            r#"{"type":"transcript.text.done","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45}}"#,
        ],
    );
    let usage = m.usage.unwrap();
    assert_eq!(
        (usage.prompt_audio_tokens, usage.prompt_tokens, usage.completion_tokens, m.streamed),
        (14, 0, 45, true)
    );
    let m = json(
        WireFormat::Openai,
        "/v1/images/generations",
        r#"{"usage":{"input_tokens":50,"output_tokens":40,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}}"#,
    );
    assert_eq!((m.usage.unwrap().prompt_image_tokens, m.api), (40, "images"));
    let m = reply(
        WireFormat::Openai,
        "/v1/audio/speech",
        r#"{"model":"tts-1"}"#,
        &typed(&b"\xff\xfb\x90"[..], "audio/mpeg"),
    );
    assert_eq!(
        (m.usage, m.usage_missing, m.request_model.as_deref()),
        (None, Some("this kind of call reports no tokens"), Some("tts-1"))
    );
    let m = json(
        WireFormat::Openai,
        "/v1/batches/batch_1",
        r#"{"id":"batch_1","status":"completed","usage":{"input_tokens":9,"output_tokens":9}}"#,
    );
    assert_eq!((m.kind, m.usage, m.api, m.finish_reason.as_deref()), (None, None, "batches", Some("completed")));
}

#[test]
fn refusals_and_calls_keep_their_words() {
    let m = json(
        WireFormat::Openai,
        "/v1/chat/completions",
        r#"{"choices":[{"finish_reason":"stop","message":{"refusal":"I can't.","tool_calls":[{"id":"c","type":"custom","custom":{"name":"g","input":"raw"}}]}}]}"#,
    );
    assert_eq!(
        (m.finish_reason.as_deref(), m.refused, call(&m)),
        (Some("stop"), true, (Some("c"), Some("g"), "raw", "custom"))
    );
    assert!(m.notes.iter().any(|note| note.code == "answer.refused"));
    let m = json(
        WireFormat::Openai,
        "/v1/responses",
        r#"{"status":"completed","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"web_search_call","id":"w","action":{"query":"q"}},
        {"type":"message","content":[{"type":"refusal","refusal":"no"}]}],"usage":{"input_tokens":1,"output_tokens":1}}"#,
    );
    assert_eq!(
        (m.calls.asked(), m.calls.ran(), m.refused, call(&m)),
        (1, 1, true, (Some("c"), Some("f"), "{}", "function_call"))
    );
    let m = sse(
        WireFormat::Anthropic,
        "/v1/messages",
        &[
            r#"{"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2,"server_tool_use":{"web_search_requests":3,"web_fetch_requests":1}}}"#,
        ],
    );
    assert_eq!(call(&m), (Some("t"), Some("f"), r#"{"a":1}"#, "tool_use"));
    assert_eq!((m.usage.unwrap().web_searches, m.usage.unwrap().tool_units), (3, 1));
}
