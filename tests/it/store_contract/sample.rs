//! Calls to store: one plain call to start from, and random ones from small alphabets, so that they meet.

use std::io::Write as _;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use trailgate::model::capture::{BodyFacts, Kept, Outcome, WireFormat};
use trailgate::model::exchange::{Cost, CostSource, Exchange, KeptBody, Kind, Source, Usage, UsageSource};
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId, RequestId};
use trailgate::model::tags::Property;
use trailgate::model::units::{Micros, NanoUsd};

/// A microsecond in 2026.
pub const T0: i64 = 1_770_000_000_000_000;
pub const SECOND: i64 = 1_000_000;

pub fn body(text: impl Into<Vec<u8>>) -> KeptBody {
    let bytes = Bytes::from(text.into());
    KeptBody { facts: BodyFacts { len: bytes.len() as u64, ..BodyFacts::default() }, bytes }
}

pub fn property(key: &str, value: &str) -> Property {
    Property { key: key.to_owned(), value: value.to_owned() }
}

/// A model call of one second in no session.
pub fn call() -> Exchange {
    let record = RecordId::generate();
    Exchange {
        org: OrgId::DEFAULT,
        id: RequestId(record.0),
        record,
        key: None,
        source: Source::Proxy,
        kind: Kind::Llm,
        started_at: Micros(T0),
        ended_at: Micros(T0 + SECOND),
        first_byte_us: None,
        outcome: Outcome::Complete,
        status: 200,
        error_rule: None,
        error_message: None,
        provider: "OPENAI".to_owned(),
        format: WireFormat::Openai,
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        target_url: "https://api.openai.com/v1/chat/completions".to_owned(),
        streamed: false,
        model: Some("gpt-4o".to_owned()),
        request_model: Some("gpt-4o".to_owned()),
        response_model: None,
        model_override: None,
        finish_reason: Some("stop".to_owned()),
        tool_calls: 0,
        session_id: None,
        session_name: None,
        session_path: None,
        user_id: None,
        prompt_id: None,
        properties: Vec::new(),
        usage: Some(Usage { prompt_tokens: 10, completion_tokens: 5, ..Usage::default() }),
        usage_source: Some(UsageSource::Reported),
        usage_missing: None,
        cost: Some(Cost {
            amount: NanoUsd(1_000_000),
            source: CostSource::Prices,
            price_version: "2026-01-01".to_owned(),
        }),
        service_tier: None,
        priced_units: None,
        notes: Vec::new(),
        agent: trailgate::model::agent::Agent::default(),
        request_headers: [("content-type", "application/json")].into_iter().collect(),
        response_headers: Headers::NONE,
        request: body("{\"model\":\"gpt-4o\"}"),
        response: body("{}"),
    }
}

/// The same in a session, `at` seconds after the start of time.
pub fn in_session(session: &str, at: i64) -> Exchange {
    let started_at = Micros(T0 + at * SECOND);
    Exchange { session_id: Some(session.to_owned()), started_at, ended_at: started_at.plus_us(SECOND), ..call() }
}

/// A source of random values that is the same in every run.
pub struct Random(TestRunner);

impl Random {
    pub fn new(seed: u8) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    pub fn pick<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.0).expect("the strategy rejects nothing").current()
    }

    pub fn calls(&mut self, count: usize) -> Vec<Exchange> {
        let strategy = any_call();
        (0..count).map(|_| self.pick(&strategy)).collect()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.pick(&(0..=i));
            items.swap(i, j);
        }
    }
}

/// Texts that are hard on comparisons: case, wildcards, what escapes in either database, letters outside ASCII, NUL.
pub fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "A",
        "ab",
        "AB",
        "aB",
        "a%b",
        "a_b",
        "%",
        "_",
        "*",
        "a*b",
        "[a]",
        "a?b",
        "\\",
        "a\\b",
        "'",
        "\"",
        "$1",
        "?",
        "null",
        "__empty__",
        "äÖ",
        "ÄÖ",
        "äö",
        "日本",
        "ß",
        "b a",
        "\0",
        "x\0y",
        "60",
        "0",
    ])
    .prop_map(str::to_owned)
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, text())
}

/// Bodies as they pass: short texts, some of them compressed, not kept, of an unknown encoding or no text.
fn any_body() -> impl Strategy<Value = KeptBody> {
    let plain = prop_oneof![
        6 => text().prop_map(String::into_bytes),
        2 => text().prop_map(|text| format!("{{\"content\":\"{text}\"}}").into_bytes()),
        1 => Just(b"a\xffB\xf0\x9f".to_vec()),
    ];
    let encoding = prop::sample::select(vec![None, None, None, Some("gzip"), Some("br"), Some("zstd"), Some("other")]);
    (plain, encoding, prop::bool::weighted(0.1)).prop_map(|(plain, encoding, omitted)| {
        let bytes = match encoding {
            Some("gzip") => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap()
            }
            Some("br") => {
                let mut bytes = Vec::new();
                brotli::CompressorWriter::new(&mut bytes, 4096, 5, 20).write_all(&plain).unwrap();
                bytes
            }
            Some("zstd") => zstd::encode_all(plain.as_slice(), 1).unwrap(),
            _ => plain,
        };
        let mut kept = body(bytes);
        kept.facts.content_encoding = encoding.map(str::to_owned);
        if omitted {
            kept.facts.kept = Kept::Omitted;
            kept.bytes = Bytes::new();
        }
        kept
    })
}

fn any_usage() -> impl Strategy<Value = Option<Usage>> {
    prop::option::weighted(
        0.8,
        prop::array::uniform(0_i64..4).prop_map(|n: [i64; 13]| Usage {
            prompt_tokens: n[0],
            prompt_cache_read_tokens: n[1],
            prompt_cache_write_tokens: n[2] + n[3],
            prompt_cache_write_1h_tokens: n[3],
            prompt_audio_tokens: n[4],
            completion_tokens: n[5],
            completion_audio_tokens: n[6],
            reasoning_tokens: n[7],
            prompt_image_tokens: n[8],
            completion_image_tokens: n[9],
            web_searches: n[10],
            tool_units: n[11],
            search_units: n[12],
        }),
    )
}

pub fn any_call() -> impl Strategy<Value = Exchange> {
    let times = (0_i64..20, 0_i64..4_000, prop::option::of(0_i64..3_000_000));
    let session = (prop::option::weighted(0.8, prop::sample::select(vec!["s1", "s2", "S2", "s3", "ä"])), maybe_text());
    let texts = (maybe_text(), maybe_text(), text(), maybe_text());
    let properties =
        prop::collection::vec((prop::sample::select(vec!["Version", "version", "Straße", "b"]), text()), 0..3);
    let kind = prop::sample::select(vec![Kind::Llm, Kind::Tool, Kind::Other]);
    let outcome = prop::sample::select(vec![Outcome::Complete, Outcome::Timeout]);
    let numbers = (any_usage(), prop::option::of(0_i64..4), 0_i32..3, any::<bool>());
    let status = prop::sample::select(vec![200, 404, 500, -3, 0]);
    let bodies = (any_body(), any_body());
    (times, session, texts, properties, (kind, outcome, status), numbers, bodies).prop_map(
        |(
            (at, ms, first),
            (session, name),
            (model, user, provider, path),
            properties,
            (kind, outcome, status),
            numbers,
            (request, response),
        )| {
            let (usage, cost, tool_calls, streamed) = numbers;
            let started_at = Micros(T0 + at * SECOND + ms % 7);
            let mut seen: Vec<String> = Vec::new();
            let mut kept = Vec::new();
            for (key, value) in properties {
                if !seen.contains(&key.to_lowercase()) {
                    seen.push(key.to_lowercase());
                    kept.push(property(key, &value));
                }
            }
            let failed = status >= 400 || outcome != Outcome::Complete;
            let record = RecordId::generate();
            Exchange {
                id: RequestId(record.0),
                record,
                kind,
                started_at,
                ended_at: started_at.plus_us(ms * 1_000 + 3),
                first_byte_us: first,
                outcome,
                status,
                error_rule: failed.then_some("status"),
                error_message: failed.then(|| "it failed".to_owned()),
                provider,
                streamed,
                model,
                tool_calls,
                session_id: session.map(str::to_owned),
                session_name: name,
                session_path: path,
                user_id: user,
                properties: kept,
                usage_source: usage.map(|_| UsageSource::Partial),
                usage_missing: usage.is_none().then(|| "none reported".to_owned()),
                usage,
                cost: cost.map(|n| Cost {
                    amount: NanoUsd(n * 3_000_000_000),
                    source: CostSource::Prices,
                    price_version: "v".to_owned(),
                }),
                request,
                response,
                ..call()
            }
        },
    )
}
