//! What a provider said in a recorded exchange, read plainly: whole JSON trees, `data:` lines cut naively, AWS frames by
//! their lengths alone. Nothing here uses the gateway's own readers; the price is asked of `genai-prices` directly.

use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{ExtractRequest, PriceRequest, Usage};
use serde_json::{Map, Value, json};
use trailgate::model::units::NanoUsd;

use super::recordings::Recording;

/// The facts that a row must have.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub model: Option<String>,
    pub finish: Option<String>,
    /// Tool calls that ask the client.
    pub calls: usize,
    /// In the provider's own shape.
    pub usage: Option<Value>,
    pub tier: Option<String>,
    pub failed_inside: bool,
}

/// Whose shape an exchange has, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Chat,
    Embeddings,
    Responses,
    Messages,
    Gemini,
    Converse,
    Invoke,
    Cohere,
    /// Nothing is counted.
    None,
}

impl Shape {
    pub fn of(path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        match path {
            _ if path.contains(":countTokens") || path.ends_with("/count_tokens") => Self::None,
            _ if path.contains("enerateContent") || path.contains("mbedContent") => Self::Gemini,
            _ if path.contains("/converse") => Self::Converse,
            _ if path.contains("/invoke") => Self::Invoke,
            _ if path.ends_with("/messages") => Self::Messages,
            _ if path.ends_with("/input_tokens") => Self::None,
            _ if path.contains("/responses") => Self::Responses,
            _ if path.ends_with("/completions") => Self::Chat,
            _ if path.ends_with("/embeddings") => Self::Embeddings,
            "/v1/chat" | "/v2/chat" | "/v1/embed" | "/v2/embed" | "/v1/rerank" | "/v2/rerank" => Self::Cohere,
            _ => Self::None,
        }
    }
}

fn text(v: &Value) -> Option<String> {
    v.as_str().filter(|s| !s.is_empty()).map(str::to_owned)
}

fn list(v: &Value) -> impl Iterator<Item = &Value> {
    v.as_array().into_iter().flatten()
}

/// The events of a stream.
pub fn events(body: &[u8]) -> Vec<Value> {
    if let Ok(text) = std::str::from_utf8(body) {
        return text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str(data).ok())
            .collect();
    }
    let mut found = Vec::new();
    let mut rest = body;
    while rest.len() > 16 {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let (total, head) = (number(0), number(4));
        if total > rest.len() {
            break;
        }
        found.extend(serde_json::from_slice::<Value>(&rest[12 + head..total - 4]));
        rest = &rest[total..];
    }
    found
}

/// Reads an exchange.
pub fn said(recording: &Recording) -> Said {
    let (shape, body) = (Shape::of(&recording.path), recording.response());
    if recording.status >= 400 {
        return Said { model: None, ..Said::default() };
    }
    if recording.is_stream() {
        return of_events(shape, &recording.method, &events(&body));
    }
    let whole: Value = serde_json::from_slice(&body).unwrap_or_default();
    of_object(shape, &recording.method, &whole)
}

/// Of a stream, or the first part of one.
pub fn of_events(shape: Shape, method: &str, events: &[Value]) -> Said {
    let mut said = match shape {
        Shape::Messages => messages(events),
        Shape::Responses => {
            let last = events.iter().rev().find(|e| e["response"].is_object() && e["type"] != "response.in_progress");
            last.map_or_else(Said::default, |e| of_object(shape, method, &e["response"]))
        }
        Shape::Gemini => gemini(events),
        Shape::Converse => converse(events),
        _ => chat_events(events),
    };
    said.failed_inside |= events.iter().any(|event| event["error"].is_object() || event["type"] == "error");
    said
}

fn messages(events: &[Value]) -> Said {
    let start = events.iter().find(|e| e["type"] == "message_start");
    let Some(mut message) = start.map(|e| e["message"].clone()) else { return Said::default() };
    let mut content = Vec::new();
    for event in events {
        if event["type"] == "content_block_start" {
            content.push(event["content_block"].clone());
        }
        if event["type"] == "message_delta" {
            message["stop_reason"] = event["delta"]["stop_reason"].clone();
            for (key, value) in event["usage"].as_object().into_iter().flatten() {
                message["usage"][key] = value.clone();
            }
        }
    }
    message["content"] = Value::Array(content);
    of_object(Shape::Messages, "POST", &message)
}

fn gemini(events: &[Value]) -> Said {
    let mut said = Said::default();
    for event in events {
        said.model = said.model.or_else(|| text(&event["modelVersion"]));
        said.finish = said
            .finish
            .or_else(|| list(&event["candidates"]).find_map(|c| text(&c["finishReason"])))
            .or_else(|| text(&event["promptFeedback"]["blockReason"]));
        for candidate in list(&event["candidates"]) {
            said.calls +=
                list(&candidate["content"]["parts"]).filter(|part| part["functionCall"]["name"].is_string()).count();
        }
        if event["usageMetadata"].is_object() {
            said.usage = Some(event["usageMetadata"].clone());
        }
    }
    said
}

fn converse(events: &[Value]) -> Said {
    let mut said = Said::default();
    for event in events {
        said.calls += usize::from(asks_client(&event["start"]["toolUse"]));
        said.finish = said.finish.or_else(|| text(&event["stopReason"]));
        said.usage = said.usage.or_else(|| event.get("usage").filter(|usage| usage.is_object()).cloned());
    }
    said
}

/// Nova runs some of its tools itself.
fn asks_client(tool_use: &Value) -> bool {
    tool_use.is_object() && tool_use["type"] != "server_tool_use"
}

fn chat_events(events: &[Value]) -> Said {
    let mut said = Said::default();
    let mut positions = std::collections::BTreeSet::new();
    for event in events {
        said.model = said.model.or_else(|| text(&event["model"]));
        for usage in [&event["usage"], &event["x_groq"]["usage"]] {
            if usage.is_object() {
                said.usage = Some(usage.clone());
            }
        }
        said.tier = text(&event["service_tier"]).or(said.tier);
        for choice in list(&event["choices"]) {
            said.finish = said.finish.or_else(|| text(&choice["finish_reason"]));
            for call in list(&choice["delta"]["tool_calls"]) {
                positions.insert((choice["index"].as_i64(), call["index"].as_i64()));
            }
        }
    }
    said.calls = positions.len();
    said
}

/// Items that ask the client: calls with an id for the client's answer to name, which the provider did not answer in the same
/// response. xAI gives such ids to searches of its own.
fn responses_calls(items: &Value) -> usize {
    let is = |item: &Value, end: &str| item["type"].as_str().is_some_and(|kind| kind.ends_with(end));
    let answered: Vec<_> =
        list(items).filter(|item| is(item, "_output")).filter_map(|item| text(&item["call_id"])).collect();
    list(items)
        .filter(|item| is(item, "_call"))
        .filter_map(|item| text(&item["call_id"]))
        .filter(|id| !answered.contains(id) && !id.starts_with("xs_call"))
        .count()
}

fn of_type(items: &Value, wanted: &[&str]) -> usize {
    list(items).filter(|x| wanted.contains(&x["type"].as_str().unwrap_or(""))).count()
}

fn of_object(shape: Shape, method: &str, v: &Value) -> Said {
    let usage = |usage: &Value| usage.is_object().then(|| usage.clone());
    let mut said = Said { model: text(&v["model"]), tier: text(&v["service_tier"]), ..Said::default() };
    match shape {
        Shape::Messages => {
            said.finish = text(&v["stop_reason"]);
            said.calls = of_type(&v["content"], &["tool_use"]);
            said.usage = usage(&v["usage"]);
        }
        Shape::Responses => {
            let status = text(&v["status"]).filter(|s| s != "queued" && s != "in_progress");
            said.finish = text(&v["incomplete_details"]["reason"]).or(status);
            said.calls = responses_calls(&v["output"]);
            // Fetching a response again costs nothing: its usage is that of the call that made it, unless that ran in the
            // background and had none to report yet.
            said.usage = usage(&v["usage"]).filter(|_| method == "POST" || v["background"] == true);
            said.failed_inside = v["error"].is_object();
        }
        Shape::Gemini => said = gemini(std::slice::from_ref(v)),
        Shape::Converse => {
            said.finish = text(&v["stopReason"]);
            said.calls = list(&v["output"]["message"]["content"]).filter(|b| asks_client(&b["toolUse"])).count();
            said.usage = usage(&v["usage"]);
        }
        Shape::Cohere => {
            said.finish = text(&v["finish_reason"]);
            said.calls = list(&v["message"]["tool_calls"]).count();
            said.usage = usage(&v["usage"]).or_else(|| usage(&v["meta"]));
        }
        Shape::Chat | Shape::Embeddings | Shape::Invoke => {
            said.finish = list(&v["choices"]).find_map(|c| text(&c["finish_reason"]));
            said.calls = list(&v["choices"]).map(|c| list(&c["message"]["tool_calls"]).count()).sum();
            said.usage = usage(&v["usage"]);
        }
        Shape::None => {}
    }
    said
}

/// A row's figures for a usage, under the API's names.
pub fn figures(shape: Shape, usage: &Value) -> Vec<(&'static str, i64)> {
    let at = |pointer: &str| usage.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let modality = |details: &str, wanted: &[&str]| -> i64 {
        list(&usage[details])
            .filter(|d| wanted.contains(&d["modality"].as_str().unwrap_or_default()))
            .map(|d| d["tokenCount"].as_i64().unwrap_or(0))
            .sum()
    };
    // Cached and written are parts of the input, reasoning and the rest parts of the output.
    let (mut input, mut read, mut written, mut one_hour) = (0, 0, 0, 0);
    let (mut output, mut reasoning) = (0, 0);
    let (mut audio_in, mut image_in, mut audio_out, mut image_out) = (0, 0, 0, 0);
    let (mut web, mut tools) = (0, 0);
    match shape {
        Shape::Messages => {
            read = at("/cache_read_input_tokens");
            written = at("/cache_creation_input_tokens");
            one_hour = at("/cache_creation/ephemeral_1h_input_tokens");
            input = at("/input_tokens") + read + written;
            output = at("/output_tokens");
            reasoning = at("/output_tokens_details/thinking_tokens");
            web = at("/server_tool_use/web_search_requests");
            tools = at("/server_tool_use/web_fetch_requests");
        }
        Shape::Gemini => {
            input = at("/promptTokenCount") + at("/toolUsePromptTokenCount");
            read = at("/cachedContentTokenCount");
            reasoning = at("/thoughtsTokenCount");
            output = at("/candidatesTokenCount") + reasoning;
            let of = |kinds: &[&str]| {
                modality("promptTokensDetails", kinds) - modality("cacheTokensDetails", kinds)
                    + modality("toolUsePromptTokensDetails", kinds)
            };
            (audio_in, image_in) = (of(&["AUDIO"]), of(&["IMAGE", "DOCUMENT"]));
            audio_out = modality("candidatesTokensDetails", &["AUDIO"]);
            image_out = modality("candidatesTokensDetails", &["IMAGE"]);
        }
        Shape::Converse => {
            read = at("/cacheReadInputTokens");
            written = at("/cacheWriteInputTokens");
            input = at("/inputTokens") + read + written;
            output = at("/outputTokens");
            one_hour = list(&usage["cacheDetails"])
                .filter(|d| d["ttl"] == "1h")
                .map(|d| d["inputTokens"].as_i64().unwrap_or(0))
                .sum();
        }
        Shape::Cohere => {
            image_in = at("/billed_units/image_tokens");
            input = at("/billed_units/input_tokens") + image_in;
            output = at("/billed_units/output_tokens");
        }
        Shape::Chat | Shape::Embeddings | Shape::Responses | Shape::Invoke => {
            let (i, o) = if usage.get("prompt_tokens").is_some() {
                ("prompt_tokens", "completion_tokens")
            } else {
                ("input_tokens", "output_tokens")
            };
            (input, output) = (at(&format!("/{i}")), at(&format!("/{o}")));
            read = at(&format!("/{i}_details/cached_tokens"));
            written = at(&format!("/{i}_details/cache_write_tokens"));
            audio_in = at(&format!("/{i}_details/audio_tokens"));
            image_in = at(&format!("/{i}_details/image_tokens"));
            reasoning = at(&format!("/{o}_details/reasoning_tokens"));
            audio_out = at(&format!("/{o}_details/audio_tokens"));
            image_out = at(&format!("/{o}_details/image_tokens"));
            web = at("/server_tool_use_details/web_search_requests");
            tools = at("/server_tool_use_details/tool_calls_executed") - web;
            if read + written > input {
                written = 0; // written and read in one call: read
            }
        }
        Shape::None => {}
    }
    vec![
        ("input_tokens", input),
        ("output_tokens", output),
        ("total_tokens", input + output),
        ("prompt_tokens", input - read - written - audio_in - image_in),
        ("prompt_cache_read_tokens", read),
        ("prompt_cache_write_tokens", written),
        ("prompt_cache_write_1h_tokens", one_hour),
        ("prompt_audio_tokens", audio_in),
        ("prompt_image_tokens", image_in),
        ("completion_tokens", output - reasoning - audio_out - image_out),
        ("completion_audio_tokens", audio_out),
        ("completion_image_tokens", image_out),
        ("reasoning_tokens", reasoning),
        ("web_searches", web),
        ("tool_units", tools),
    ]
}

/// What the call cost in nano-dollars: as billed, else what `genai-prices` makes of the usage by its own reader (by the
/// plain counts where it has none for this shape).
pub fn price(provider: &str, shape: Shape, model: &str, said: &Said, at_micros: i64) -> Option<i64> {
    let usage = said.usage.as_ref()?;
    if let Some(billed) = usage["cost"].as_f64() {
        return NanoUsd::from_usd(billed).map(|nanos| nanos.0);
    }
    let provider = match provider {
        "gemini" | "vertex" => "google",
        "bedrock" => "aws",
        "xai" => "x-ai",
        other => other,
    };
    let (root, flavors): (_, &[&str]) = match shape {
        Shape::Messages => ("usage", &["anthropic", "default"]),
        Shape::Responses => ("usage", &["responses", "default"]),
        Shape::Embeddings => ("usage", &["embeddings", "default"]),
        Shape::Gemini => ("usageMetadata", &["default"]),
        Shape::Cohere if usage.get("api_version").is_some() => ("meta", &["embeddings"]),
        Shape::Converse | Shape::Cohere => ("usage", &["default"]),
        _ => ("usage", &["chat", "default"]),
    };
    let body = Value::Object(Map::from_iter([(root.to_owned(), usage.clone()), ("model".to_owned(), json!(model))]));
    let counted = flavors.iter().find_map(|flavor| {
        let request = ExtractRequest::from_value(&body).with_provider_id(provider).with_api_flavor(flavor);
        genai_prices::extract_provider_usage(&request).ok().map(|found| found.usage)
    });
    let counted = counted.unwrap_or_else(|| {
        let plain = figures(shape, usage);
        let of = |name: &str| plain.iter().find(|(n, _)| *n == name).map_or(0.0, |(_, tokens)| *tokens as f64);
        Usage::from([
            ("input_tokens", of("input_tokens")),
            ("cache_read_tokens", of("prompt_cache_read_tokens")),
            ("output_tokens", of("output_tokens")),
            ("output_reasoning_tokens", of("reasoning_tokens")),
        ])
    });
    let when = UNIX_EPOCH + Duration::from_micros(at_micros.unsigned_abs());
    let mut request = PriceRequest::new(model, &counted).with_provider_id(provider).with_timestamp(when);
    if let Some(tier) = said.tier.as_deref().filter(|tier| matches!(*tier, "flex" | "priority")) {
        request = request.with_price_context("service_tier", tier);
    }
    NanoUsd::from_usd(genai_prices::calculate(&request).ok()?.total_price).map(|nanos| nanos.0)
}

/// The model that the row is about: the answer's, else the request's, else the path's.
pub fn row_model(recording: &Recording, said: &Said) -> Option<String> {
    let asked: Value = serde_json::from_slice(&recording.request()).unwrap_or_default();
    said.model.clone().or_else(|| text(&asked["model"])).or_else(|| {
        let path = recording.path.split('?').next()?;
        let (_, rest) = path.split_once("/models/").or_else(|| path.split_once("/model/"))?;
        let name = rest.split('/').next()?;
        let name = if path.contains("/model/") { name } else { name.split(':').next()? };
        Some(name.replace("%3A", ":").replace("%2F", "/"))
    })
}
