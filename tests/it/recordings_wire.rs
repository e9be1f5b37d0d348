//! Real exchanges with OpenAI and Anthropic, read by `enrich`, held against what the provider reported.
//!
//! The expectation is computed here a second time and in another way: whole JSON trees, `data:` lines cut naively, and
//! the price straight from `genai-prices`. The recordings lie beside the checkout in `shared/recordings`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test: what is not as expected fails it"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use genai_prices::{ExtractRequest, ExtractedUsage, PriceRequest, Usage, UsageKey};
use serde_json::{Value, json};
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::model::capture::{Begin, Body, BodyFacts, Capture, End, Outcome, WireFormat};
use trailgate::model::exchange::Exchange;
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::tags::Tags;
use trailgate::model::units::{Micros, NanoUsd};
use trailgate::pricing::Pricing;

/// 2026-11-24, so that the expected prices do not move with the calendar.
const AT: Micros = Micros(1_795_500_000_000_000);

struct Recording {
    name: String,
    host: String,
    method: String,
    path: String,
    status: u16,
    content_type: String,
    request: String,
    response: String,
}

fn recordings(file: &str) -> Vec<Recording> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("the recordings are missing: {} ({e}); put them beside the checkout", path.display())
    });
    let parse = |line: &str| {
        let v: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| v[key].as_str().unwrap_or_default().to_owned();
        Recording {
            name: text("name"),
            host: text("host"),
            method: text("method"),
            path: text("path"),
            status: u16::try_from(v["status"].as_u64().unwrap()).unwrap(),
            content_type: text("content_type"),
            request: text("request"),
            response: text("response"),
        }
    };
    text.lines().map(parse).collect()
}

fn enriched(provider: &str, format: WireFormat, recording: &Recording, context: &EnrichContext) -> Exchange {
    let facts = |body: &str, kind: &str| BodyFacts {
        len: body.len() as u64,
        content_type: Some(kind.to_owned()),
        ..BodyFacts::default()
    };
    let record = RecordId::generate();
    let request = facts(&recording.request, "application/json");
    let begin = Begin {
        record,
        org: OrgId::DEFAULT,
        key: None,
        at: AT,
        method: recording.method.clone(),
        path: recording.path.clone(),
        target_url: format!("https://{}{}", recording.host, recording.path),
        provider: provider.to_owned(),
        format,
        headers: Vec::new(),
        tags: Tags::default(),
        notes: Vec::new(),
        request: Some(request.clone()),
    };
    let end = End {
        record,
        outcome: Outcome::Complete,
        status: recording.status,
        duration_us: 1_000,
        head_us: None,
        first_byte_us: Some(500),
        headers: Vec::new(),
        response: facts(&recording.response, &recording.content_type),
        error: None,
        notes: Vec::new(),
    };
    let request = Body { facts: request, bytes: Bytes::from(recording.request.clone()) };
    let response = Bytes::from(recording.response.clone());
    enrich(Capture::Call { begin: Box::new(begin), request, end: Some(Box::new((end, response))) }, context)
}

/// What the provider said, read with whole trees.
#[derive(Debug, Default)]
struct Said {
    model: Option<String>,
    finish: Option<String>,
    calls: usize,
    usage: Option<Value>,
    /// The tier that answered; a flex answer costs half.
    tier: Option<String>,
}

fn text(v: &Value) -> Option<String> {
    v.as_str().map(str::to_owned)
}

fn data_lines(body: &str) -> Vec<Value> {
    body.lines().filter_map(|l| l.strip_prefix("data: ")).filter_map(|d| serde_json::from_str(d).ok()).collect()
}

fn said(path: &str, body: &str, streamed: bool) -> Said {
    let route = path.split('?').next().unwrap();
    if !streamed {
        let v: Value = serde_json::from_str(body).unwrap();
        return if route.ends_with("/messages") {
            anthropic_said(&v)
        } else if route.contains("/responses") {
            responses_said(&v)
        } else {
            chat_said(&v)
        };
    }
    let events = data_lines(body);
    assert!(!events.is_empty());
    if route.ends_with("/messages") {
        let mut message = events.iter().find(|e| e["type"] == "message_start").unwrap()["message"].clone();
        let mut content = Vec::new();
        for event in &events {
            if event["type"] == "content_block_start" {
                content.push(event["content_block"].clone());
            }
            if event["type"] == "message_delta" {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (key, value) in event["usage"].as_object().unwrap() {
                    message["usage"][key] = value.clone();
                }
            }
        }
        message["content"] = Value::Array(content);
        anthropic_said(&message)
    } else if route.contains("/responses") {
        let last = events.iter().rev().find(|e| e["type"] == "response.completed");
        last.map_or_else(Said::default, |e| responses_said(&e["response"]))
    } else {
        let mut said = Said { model: text(&events[0]["model"]), ..Said::default() };
        let mut positions = std::collections::BTreeSet::new();
        for event in &events {
            for usage in [&event["usage"], &event["x_groq"]["usage"]] {
                if usage.is_object() {
                    said.usage = Some(usage.clone());
                }
            }
            said.tier = text(&event["service_tier"]).or(said.tier);
            for choice in event["choices"].as_array().into_iter().flatten() {
                said.finish = said.finish.or_else(|| text(&choice["finish_reason"]));
                for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                    positions.insert((choice["index"].as_i64(), call["index"].as_i64()));
                }
            }
        }
        said.calls = positions.len();
        said
    }
}

fn of_type(items: &Value, wanted: &[&str]) -> usize {
    items.as_array().map_or(0, |i| i.iter().filter(|x| wanted.contains(&x["type"].as_str().unwrap_or(""))).count())
}

fn anthropic_said(v: &Value) -> Said {
    Said {
        model: text(&v["model"]),
        finish: text(&v["stop_reason"]),
        calls: of_type(&v["content"], &["tool_use"]),
        usage: v["usage"].is_object().then(|| v["usage"].clone()),
        tier: text(&v["service_tier"]),
    }
}

fn responses_said(v: &Value) -> Said {
    let status = text(&v["status"]).filter(|s| s != "queued" && s != "in_progress");
    Said {
        model: text(&v["model"]),
        finish: text(&v["incomplete_details"]["reason"]).or(status),
        calls: of_type(
            &v["output"],
            &[
                "function_call",
                "custom_tool_call",
                "shell_call",
                "local_shell_call",
                "computer_call",
                "apply_patch_call",
            ],
        ),
        usage: v["usage"].is_object().then(|| v["usage"].clone()),
        tier: text(&v["service_tier"]),
    }
}

fn chat_said(v: &Value) -> Said {
    let choices = v["choices"].as_array().cloned().unwrap_or_default();
    Said {
        model: text(&v["model"]),
        finish: choices.iter().find_map(|c| text(&c["finish_reason"])),
        calls: choices.iter().map(|c| c["message"]["tool_calls"].as_array().map_or(0, Vec::len)).sum(),
        usage: v["usage"].is_object().then(|| v["usage"].clone()),
        tier: text(&v["service_tier"]),
    }
}

fn at(usage: &Value, path: &str) -> i64 {
    usage.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

/// Input, cache read, cache write, 1h write, reasoning, output: totals as the provider counts them.
fn reported(provider: &str, u: &Value) -> [i64; 6] {
    if provider == "anthropic" {
        let (read, write) = (at(u, "/cache_read_input_tokens"), at(u, "/cache_creation_input_tokens"));
        return [
            at(u, "/input_tokens") + read + write,
            read,
            write,
            at(u, "/cache_creation/ephemeral_1h_input_tokens"),
            at(u, "/output_tokens_details/thinking_tokens"),
            at(u, "/output_tokens"),
        ];
    }
    let (input, output) = if u.get("prompt_tokens").is_some() {
        ("prompt_tokens", "completion_tokens")
    } else {
        ("input_tokens", "output_tokens")
    };
    [
        at(u, &format!("/{input}")),
        at(u, &format!("/{input}_details/cached_tokens")),
        at(u, &format!("/{input}_details/cache_write_tokens")),
        0,
        at(u, &format!("/{output}_details/reasoning_tokens")),
        at(u, &format!("/{output}")),
    ]
}

fn price(provider: &str, path: &str, model: &str, said: &Said) -> Option<NanoUsd> {
    let usage = said.usage.as_ref()?;
    if let Some(billed) = usage["cost"].as_f64() {
        return NanoUsd::from_usd(billed);
    }
    let flavor = match path.split('?').next().unwrap() {
        p if p.ends_with("/messages") => "default",
        _ if ["groq", "mistral"].contains(&provider) => "default",
        p if p.contains("/responses") => "responses",
        p if p.ends_with("/embeddings") => "embeddings",
        _ => "chat",
    };
    let body = json!({"model": model, "usage": usage}).to_string();
    let extract = ExtractRequest::new(&body).with_provider_id(provider).with_api_flavor(flavor);
    let when = UNIX_EPOCH + Duration::from_micros(AT.0.unsigned_abs());
    let extracted: ExtractedUsage;
    let counted: Usage;
    let mut request = if let Ok(found) = genai_prices::extract_usage(&extract) {
        extracted = found;
        extracted.price_request()?
    } else {
        // The table has no reader for this shape (DeepSeek's responses): the counts themselves.
        let [input, read, _, _, reasoning, output] =
            reported(provider, usage).map(|n| f64::from(i32::try_from(n).unwrap()));
        counted = Usage::from([
            (UsageKey::INPUT_TOKENS, input),
            (UsageKey::CACHE_READ_TOKENS, read),
            (UsageKey::OUTPUT_TOKENS, output),
            (UsageKey::OUTPUT_REASONING_TOKENS, reasoning),
        ]);
        PriceRequest::new(model, &counted).with_provider_id(provider)
    };
    request = request.with_timestamp(when);
    if let Some(tier) = said.tier.as_deref().filter(|tier| matches!(*tier, "flex" | "priority")) {
        request = request.with_price_context("service_tier", tier);
    }
    NanoUsd::from_usd(genai_prices::calculate(&request).ok()?.total_price)
}

fn walk(file: &str, provider: &str, format: WireFormat, expected_usages: i64) {
    let context = EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()) };
    // endpoint → calls, with usage, priced, streamed, tool calls, tokens, nano-dollars
    let mut table: BTreeMap<String, [i64; 7]> = BTreeMap::new();
    for r in recordings(file) {
        let streamed = r.content_type.starts_with("text/event-stream");
        let said = said(&r.path, &r.response, streamed);
        let row = enriched(provider, format, &r, &context);
        let case = format!("{} {} {}", r.name, r.method, r.path);

        assert_eq!(row.streamed, streamed, "{case}");
        assert_eq!(row.first_byte_us.is_some(), streamed, "{case}");
        assert_eq!(row.response_model, said.model, "{case}");
        assert_eq!(row.finish_reason, said.finish, "{case}");
        assert_eq!(usize::try_from(row.tool_calls).unwrap(), said.calls, "{case}");
        assert_eq!(row.usage.is_some(), said.usage.is_some(), "{case}: {:?}", row.usage_missing);
        assert_eq!(row.usage.is_none(), row.usage_missing.is_some(), "{case}");
        let failed_inside = streamed && data_lines(&r.response).iter().any(|event| event["error"].is_object());
        let rule = if failed_inside { Some("stream_error") } else { (r.status >= 400).then_some("status") };
        assert_eq!(row.error_rule, rule, "{case}");
        assert_eq!(row.error_rule.is_some(), row.error_message.is_some(), "{case}");
        let mut expected_cost = None;
        if let (Some(usage), Some(raw)) = (&row.usage, &said.usage) {
            let ours = [
                usage.input_tokens(),
                usage.prompt_cache_read_tokens,
                usage.prompt_cache_write_tokens,
                usage.prompt_cache_write_1h_tokens,
                usage.reasoning_tokens,
                usage.output_tokens(),
            ];
            let mut theirs = reported(provider, raw);
            if theirs[1] + theirs[2] > theirs[0] {
                theirs[2] = 0; // written and read in one call: read
            }
            assert_eq!(ours, theirs, "{case}");
            expected_cost = row.model.as_deref().and_then(|model| price(provider, &r.path, model, &said));
        }
        assert_eq!(row.cost.as_ref().map(|c| c.amount), expected_cost, "{case}: {:?}", row.model);

        let endpoint = r.path.split('?').next().unwrap();
        let endpoint = if endpoint.contains("/responses/resp_") { "/v1/responses/{id}" } else { endpoint };
        let line = table.entry(format!("{} {endpoint} {}", r.method, r.status)).or_default();
        let tokens = row.usage.map_or(0, |u| u.input_tokens() + u.output_tokens());
        let more = [
            1,
            i64::from(row.usage.is_some()),
            i64::from(row.cost.is_some()),
            i64::from(streamed),
            i64::from(row.tool_calls),
            tokens,
            row.cost.map_or(0, |c| c.amount.0),
        ];
        line.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
    }
    println!("{file:<42} calls usage priced streamed tools   tokens  nano-dollars");
    for (endpoint, [calls, usage, priced, streamed, tools, tokens, cost]) in &table {
        println!("{endpoint:<42} {calls:>5} {usage:>5} {priced:>6} {streamed:>8} {tools:>5} {tokens:>8} {cost:>13}");
    }
    assert!(table.values().map(|line| line[1]).sum::<i64>() >= expected_usages, "most recordings are missing");
}

#[test]
fn openai_rows_say_what_openai_said() {
    walk("openai.jsonl", "openai", WireFormat::Openai, 200);
}

#[test]
fn anthropic_rows_say_what_anthropic_said() {
    walk("anthropic.jsonl", "anthropic", WireFormat::Anthropic, 130);
}

#[test]
fn rows_of_those_who_copy_openai_say_what_they_said() {
    for (provider, usages) in [("groq", 40), ("openrouter", 30), ("deepseek", 6), ("mistral", 30), ("cerebras", 9)] {
        walk(&format!("{provider}.jsonl"), provider, WireFormat::Openai, usages);
    }
}
