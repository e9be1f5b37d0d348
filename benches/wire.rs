//! How long reading an exchange takes: everything between the captured bytes and the row, price included.
//!
//! `cargo bench --bench wire` prints the median of many rounds for an exchange of 1 KB and of 20 KB in each format, for a
//! stream, and for a request of 1 MB with a small answer.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench is a program for developers: it ends where it fails"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::model::capture::{Begin, Body, BodyFacts, Capture, End, Outcome, WireFormat};
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::tags::Tags;
use trailgate::model::units::Micros;
use trailgate::pricing::Pricing;
use trailgate::wire;

struct Case {
    name: &'static str,
    format: WireFormat,
    provider: &'static str,
    path: &'static str,
    content_type: &'static str,
    request: String,
    response: String,
}

/// Text of about so many bytes, with escapes in it as real answers have them.
fn words(bytes: usize) -> String {
    "The \"quick\" brown fox\njumps over the lazy dög. ".repeat(bytes / 48 + 1)
}

fn chat(bytes: usize) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06", "service_tier": "default",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": words(bytes),
            "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "search", "arguments": "{\"query\":\"weather\"}"}}]}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}}})
}

fn cases() -> Vec<Case> {
    let asked =
        |bytes: usize| json!({"model": "gpt-4o", "messages": [{"role": "user", "content": words(bytes)}]}).to_string();
    let case = |name, format, provider, path, content_type, request, response: String| Case {
        name,
        format,
        provider,
        path,
        content_type,
        request,
        response,
    };
    let messages = |bytes: usize| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": words(bytes)}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 12, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": 30}})
        .to_string()
    };
    let gemini = |bytes: usize| {
        json!({"candidates": [{"content": {"parts": [{"text": words(bytes)}], "role": "model"}, "finishReason": "STOP"}],
            "modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 52, "candidatesTokenCount": 5,
                "totalTokenCount": 57, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 52}]}})
        .to_string()
    };
    // The model is in the path.
    let told = |bytes: usize| json!({"messages": [{"role": "user", "content": [{"text": words(bytes)}]}]}).to_string();
    let converse = |bytes: usize| {
        json!({"output": {"message": {"content": [{"text": words(bytes)}], "role": "assistant"}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 227, "totalTokens": 230}, "metrics": {"latencyMs": 7}})
        .to_string()
    };
    let chunk = |delta: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        format!("data: {chunk}\n\n")
    };
    let mut stream: String = (0..80).map(|_| chunk(json!({"content": " word"}))).collect();
    stream.push_str(
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":80}}\n\ndata: [DONE]\n\n",
    );
    let (json, sse) = ("application/json", "text/event-stream");
    let (openai, anthropic, google) =
        ("/v1/chat/completions", "/v1/messages", "/v1beta/models/gemini-2.5-flash:generateContent");
    let bedrock = "/model/us.amazon.nova-micro-v1%3A0/converse";
    use WireFormat::{Anthropic, Bedrock, Gemini, Openai};
    vec![
        case("chat completion, 1 KB", Openai, "openai", openai, json, asked(200), chat(300).to_string()),
        case("message, 1 KB", Anthropic, "anthropic", anthropic, json, asked(200), messages(400)),
        case("generateContent, 1 KB", Gemini, "google", google, json, asked(200), gemini(400)),
        case("converse, 1 KB", Bedrock, "bedrock", bedrock, json, told(200), converse(500)),
        case("chat completion, 20 KB", Openai, "openai", openai, json, asked(10_000), chat(10_000).to_string()),
        case("chat stream, 80 chunks, 16 KB", Openai, "openai", openai, sse, asked(200), stream),
        case("request of 1 MB", Openai, "openai", openai, json, asked(1 << 20), chat(300).to_string()),
        case("answer of 1 MB", Openai, "openai", openai, json, asked(200), chat(1 << 20).to_string()),
    ]
}

fn facts(body: &str, content_type: &str) -> BodyFacts {
    BodyFacts { len: body.len() as u64, content_type: Some(content_type.to_owned()), ..BodyFacts::default() }
}

/// Median of a function's time in microseconds.
fn median(mut one: impl FnMut()) -> f64 {
    let began = Instant::now();
    one();
    let rounds = (200_000_000 / began.elapsed().as_nanos().max(1)).clamp(50, 20_000);
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            one();
            began.elapsed().as_nanos() as f64 / 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let context = EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true };
    println!("{:<32} {:>9} {:>12} {:>12} {:>12}", "exchange", "bytes", "walk us", "read us", "row us");
    for case in cases() {
        let request = Body { facts: facts(&case.request, "application/json"), bytes: Bytes::from(case.request) };
        let response = Body { facts: facts(&case.response, case.content_type), bytes: Bytes::from(case.response) };
        // The reference: one walk of serde_json over both bodies that keeps nothing.
        let walk = median(|| {
            for body in [&request.bytes, &response.bytes] {
                black_box(serde_json::from_slice::<IgnoredAny>(body).is_ok());
            }
        });
        let read = median(|| {
            black_box(wire::read(case.format, case.path, 200, [&request, &response], &Headers::NONE));
        });
        let record = RecordId::generate();
        let row = median(|| {
            let begin = Begin {
                record,
                org: OrgId::DEFAULT,
                key: None,
                at: Micros(1_795_500_000_000_000),
                method: "POST".to_owned(),
                path: case.path.to_owned(),
                target_url: format!("https://example.com{}", case.path),
                provider: case.provider.to_owned(),
                format: case.format,
                headers: Headers::NONE,
                tags: Tags::default(),
                notes: Vec::new(),
                request: Some(request.facts.clone()),
            };
            let end = End {
                record,
                outcome: Outcome::Complete,
                status: 200,
                duration_us: 1_000,
                head_us: None,
                first_byte_us: Some(500),
                headers: Headers::NONE,
                response: response.facts.clone(),
                error: None,
                notes: Vec::new(),
            };
            let end = Some(Box::new((end, response.bytes.clone())));
            let row = enrich(Capture::Call { begin: Box::new(begin), request: request.clone(), end }, &context);
            assert!(row.usage.is_some() && row.cost.is_some());
            black_box(row);
        });
        let bytes = request.bytes.len() + response.bytes.len();
        println!("{:<32} {bytes:>9} {walk:>12.1} {read:>12.1} {row:>12.1}", case.name);
    }
}
