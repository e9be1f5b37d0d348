//! Real exchanges read by `enrich` without a gateway around it: as they are, on several days, and broken in thousands of ways.
//!
//! The expectation is computed a second time and in another way (`support::said`). The recordings lie beside the checkout in
//! `shared/recordings`, or where `TRAILGATE_RECORDINGS` says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::model::capture::{Begin, Body, BodyFacts, Capture, End, Outcome, WireFormat};
use trailgate::model::exchange::Exchange;
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::tags::Tags;
use trailgate::model::units::Micros;
use trailgate::pricing::Pricing;
use trailgate::wire::assemble::assemble;
use trailgate::wire::body::readable;

use crate::support::recordings::{self, Recording};
use crate::support::said::{self, Shape};

/// 2025-06-01 and 2026-11-24: prices changed between them.
const DAYS: [Micros; 2] = [Micros(1_748_736_000_000_000), Micros(1_795_500_000_000_000)];

fn context() -> EnrichContext {
    EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true }
}

fn format(provider: &str) -> WireFormat {
    match provider {
        "anthropic" => WireFormat::Anthropic,
        "gemini" | "google" | "vertex" => WireFormat::Gemini,
        "bedrock" => WireFormat::Bedrock,
        "cohere" => WireFormat::Cohere,
        "ollama" => WireFormat::Ollama,
        _ => WireFormat::Openai,
    }
}

/// The row of an exchange with this body as its answer.
fn row(provider: &str, recording: &Recording, response: Vec<u8>, at: Micros, context: &EnrichContext) -> Exchange {
    let facts = |body: &[u8], kind: &str| BodyFacts {
        len: body.len() as u64,
        content_type: Some(kind.to_owned()),
        ..BodyFacts::default()
    };
    let record = RecordId::generate();
    let request = recording.request();
    let request_facts = facts(&request, "application/json");
    let begin = Begin {
        record,
        org: OrgId::DEFAULT,
        key: None,
        at,
        method: recording.method.clone(),
        path: recording.path.clone(),
        target_url: format!("http://127.0.0.1:1{}", recording.path),
        provider: if provider == "gemini" { "google" } else { provider }.to_owned(),
        format: format(provider),
        headers: Headers::NONE,
        tags: Tags::default(),
        notes: Vec::new(),
        request: Some(request_facts.clone()),
    };
    let end = End {
        record,
        outcome: Outcome::Complete,
        status: recording.status,
        duration_us: 1_000,
        head_us: None,
        first_byte_us: Some(500),
        headers: Headers::NONE,
        response: facts(&response, recording.content_type.as_deref().unwrap_or_default()),
        error: None,
        notes: Vec::new(),
    };
    let request = Body { facts: request_facts, bytes: Bytes::from(request) };
    let end = Some(Box::new((end, Bytes::from(response))));
    enrich(Capture::Call { begin: Box::new(begin), request, end }, context)
}

#[test]
fn rows_say_what_providers_said_on_any_day() {
    let context = context();
    let (mut calls, mut usages, mut prices) = (0, 0, 0);
    for (provider, list) in recordings::all() {
        for (recording, at) in list.iter().flat_map(|recording| DAYS.map(|day| (recording, day))) {
            let case = format!("{provider} {} {} {}", recording.name, recording.method, recording.path);
            let said = said::said(recording);
            let shape = Shape::of(&recording.path);
            let row = row(&provider, recording, recording.response(), at, &context);
            calls += 1;
            assert_eq!(row.first_byte_us.is_some(), recording.is_stream(), "{case}");
            assert_eq!(row.response_model, said.model, "{case}");
            assert_eq!(row.finish_reason, said.finish, "{case}");
            assert_eq!(usize::try_from(row.tool_calls).unwrap(), said.calls, "{case}");
            assert_eq!(row.usage.is_some(), said.usage.is_some(), "{case}: {:?}", row.usage_missing);
            assert_eq!(row.usage.is_none(), row.usage_missing.is_some(), "{case}");
            assert_eq!(row.usage.is_some(), row.usage_source.is_some(), "{case}");
            assert_eq!(row.error_rule.is_some(), row.error_message.is_some(), "{case}");
            assert!(row.notes.iter().all(|note| note.code != "usage.invalid"), "{case}: {:?}", row.notes);
            let model = said::row_model(recording, &said);
            let nanos = model.and_then(|model| said::price(&provider, shape, &model, &said, at.0));
            assert_eq!(row.cost.as_ref().map(|cost| cost.amount.0), nanos, "{case}: {:?}", row.model);
            usages += i32::from(row.usage.is_some());
            prices += i32::from(nanos.is_some());
        }
    }
    println!("{calls} rows, {usages} with usage, {prices} priced");
    assert!(usages > 0 && prices > 0);
}

/// What a broken exchange may say at most.
struct Limits {
    /// Every (input, output) that the provider had reported at some point.
    totals: Vec<(i64, i64)>,
    calls: usize,
}

fn limits(recording: &Recording) -> Limits {
    let shape = Shape::of(&recording.path);
    let whole = said::said(recording);
    let mut all = vec![whole];
    if recording.is_stream() {
        let events = said::events(&recording.response());
        all.extend((1..events.len()).map(|n| said::of_events(shape, &recording.method, &events[..n])));
    }
    let total = |usage: &Value| {
        let figures = said::figures(shape, usage);
        (figures[0].1, figures[1].1)
    };
    let mut totals: Vec<(i64, i64)> = all.iter().filter_map(|said| said.usage.as_ref()).map(total).collect();
    totals.dedup();
    Limits { totals, calls: all.iter().map(|said| said.calls).max().unwrap_or(0) }
}

/// One or two of each provider's endpoints, whole and streamed: the small ones, of which every variant is quick to read.
fn samples() -> Vec<(String, Recording)> {
    let mut chosen: BTreeMap<(String, String, bool), Vec<Recording>> = BTreeMap::new();
    for (provider, list) in recordings::all() {
        for recording in list.into_iter().filter(|r| r.status == 200 && Shape::of(&r.path) != Shape::None) {
            let endpoint = format!("{:?}", Shape::of(&recording.path));
            chosen.entry((provider.clone(), endpoint, recording.is_stream())).or_default().push(recording);
        }
    }
    let mut samples = Vec::new();
    for ((provider, ..), mut list) in chosen {
        list.sort_by_key(|recording| recording.response().len());
        samples.extend(list.into_iter().filter(|r| r.response().len() > 200).take(2).map(|r| (provider.clone(), r)));
    }
    samples
}

/// The parts that may be lost or repeated: events of text, frames, or the whole.
fn blocks(recording: &Recording) -> Vec<Vec<u8>> {
    let body = recording.response();
    if !recording.is_stream() {
        return vec![body];
    }
    if let Ok(text) = std::str::from_utf8(&body) {
        let end = if text.contains("\r\n\r\n") { "\r\n\r\n" } else { "\n\n" };
        return text.split_inclusive(end).map(|block| block.as_bytes().to_vec()).collect();
    }
    let mut blocks = Vec::new();
    let mut rest = body.as_slice();
    while rest.len() > 16 {
        let total = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (block, after) = rest.split_at(total.min(rest.len()));
        blocks.push(block.to_vec());
        rest = after;
    }
    blocks
}

/// The text with its `n`-th count replaced; `None` where there are not so many.
fn with_wrong_count(text: &str, n: usize, wrong: &str) -> Option<String> {
    let mut seen = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("oken") {
        at += found + 4;
        let Some(colon) = text[at..].find("\":").filter(|colon| *colon < 24) else { continue };
        let start = at + colon + 2;
        let blank = text[start..].len() - text[start..].trim_start().len();
        let digits = text[start + blank..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            continue;
        }
        if seen == n {
            return Some(format!("{}{wrong}{}", &text[..start + blank], &text[start + blank + digits..]));
        }
        seen += 1;
        at = start;
    }
    None
}

/// Checks one variant; true if the row says that something was wrong.
fn check(row: &Exchange, limits: &Limits, repeats: usize, case: &str) -> bool {
    assert!(row.notes.iter().all(|note| note.code != "wire.defect"), "{case}: a reader panicked");
    assert_eq!(row.usage.is_none(), row.usage_missing.is_some(), "{case}");
    if let Some(usage) = row.usage {
        let totals = (usage.input_tokens(), usage.output_tokens());
        assert!(limits.totals.contains(&totals), "{case}: {totals:?} was never reported");
    }
    assert!(usize::try_from(row.tool_calls).unwrap() <= limits.calls * repeats, "{case}: {} calls", row.tool_calls);
    row.usage_missing.is_some() || !row.notes.is_empty()
}

#[test]
fn thousands_of_broken_exchanges_give_no_wrong_number() {
    let context = context();
    let (mut variants, mut noted) = (0_u32, 0_u32);
    for (provider, recording) in samples() {
        let limits = limits(&recording);
        let body = recording.response();
        let case = format!("{provider} {} {}", recording.name, recording.path);
        let mut read = |body: Vec<u8>, repeats: usize, what: String| {
            let row = row(&provider, &recording, body, DAYS[1], &context);
            variants += 1;
            noted += u32::from(check(&row, &limits, repeats, &format!("{case}, {what}")));
            row
        };
        // Cut: at the ends of all blocks, and at places spread over the whole.
        let blocks = blocks(&recording);
        let mut at = 0;
        for block in &blocks {
            at += block.len();
            read(body[..at].to_vec(), 1, format!("cut behind a block at {at}"));
        }
        for n in 0..60 {
            let at = body.len() * n / 60;
            read(body[..at].to_vec(), 1, format!("cut at {at}"));
        }
        for at in body.len().saturating_sub(20)..body.len() {
            read(body[..at].to_vec(), 1, format!("cut at {at}"));
        }
        // Repeated and lost, in order, as a network would.
        for (n, _) in blocks.iter().enumerate().take(40) {
            let repeated: Vec<u8> = blocks[..=n].iter().chain(&blocks[n..]).flatten().copied().collect();
            if recording.is_stream() {
                read(repeated, 2, format!("block {n} twice"));
            }
        }
        // Counts of wrong types: unknown, never zero and never something else.
        let Ok(text) = String::from_utf8(body.clone()) else { continue };
        for wrong in ["\"12\"", "-1", "1.5", "1e400", "99999999999999999999", "true", "[]", "{}"] {
            for n in (0..12).map_while(|n| with_wrong_count(&text, n, wrong).map(|text| (n, text))) {
                read(n.1.into_bytes(), 1, format!("count {} is {wrong}", n.0));
            }
        }
        // `null` is absent: a part counts as none, so what is left is less, and no more.
        for (n, text) in (0..12).map_while(|n| with_wrong_count(&text, n, "null").map(|text| (n, text))) {
            let row = row_of_null(&provider, &recording, text, &context);
            variants += 1;
            let most = limits.totals.iter().fold((0, 0), |most, t| (most.0.max(t.0), most.1.max(t.1)));
            if let Some(usage) = row.usage {
                assert!(usage.input_tokens() <= most.0 && usage.output_tokens() <= most.1, "{case}, count {n} is null");
            }
        }
    }
    println!("{variants} variants, {noted} with a note or a reason");
    assert!(variants >= 2_000, "only {variants} variants");
}

fn row_of_null(provider: &str, recording: &Recording, text: String, context: &EnrichContext) -> Exchange {
    row(provider, recording, text.into_bytes(), DAYS[1], context)
}

/// A stream that was put together for people says what the stream said.
#[test]
fn assembled_streams_say_what_streams_said() {
    let context = context();
    let mut assembled = BTreeMap::<String, (usize, usize)>::new();
    for (provider, list) in recordings::all() {
        for recording in list.iter().filter(|recording| recording.is_stream()) {
            let case = format!("{provider} {} {}", recording.name, recording.path);
            let body = Body {
                facts: BodyFacts { content_type: recording.content_type.clone(), ..BodyFacts::default() },
                bytes: Bytes::from(recording.response()),
            };
            let text = readable(&body, "response").text;
            let counts = assembled.entry(provider.clone()).or_default();
            counts.1 += 1;
            let Some(mut whole) = assemble(recording.content_type.as_deref(), &text) else { continue };
            counts.0 += 1;
            whole.as_object_mut().unwrap().remove("streamed_data");
            let mut as_json = recording.clone();
            as_json.content_type = Some("application/json".to_owned());
            let stream = row(&provider, recording, recording.response(), DAYS[1], &context);
            let one = row(&provider, &as_json, whole.to_string().into_bytes(), DAYS[1], &context);
            assert_eq!(one.tool_calls, stream.tool_calls, "{case}: {whole}");
            assert_eq!(one.finish_reason, stream.finish_reason, "{case}: {whole}");
            assert_eq!(one.response_model, stream.response_model, "{case}: {whole}");
            if stream.usage_source == one.usage_source {
                assert_eq!(one.usage, stream.usage, "{case}: {whole}");
            }
            let heads = |row: &Exchange| row.agent.step.as_ref().map(|step| step.heads.clone());
            assert_eq!(heads(&one), heads(&stream), "{case}: {whole}");
        }
    }
    println!("{assembled:?}");
    assert!(assembled.values().all(|(put_together, _)| *put_together > 0), "{assembled:?}");
}
