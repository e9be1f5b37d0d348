//! Writes the journal that `tests/fixtures/journal-v1-packed` keeps: what this version leaves on disk, for later ones to read
//! (`journal-v1` has JSON heads).
//!
//! Not a test of its own: it does something only where `TRAILGATE_TEST_FIXTURE_DIR` names a folder. A new format gets a
//! folder of its own; these are never written again. `tests/it/journal.rs` replays both.

use uuid::Uuid;

use super::*;
use crate::model::capture::{Essence, Kept, LogRoute};
use crate::model::exchange::Usage;
use crate::model::tags::{Note, Property};

/// 2026-11-25, and ids that say which record it is.
const AT: Micros = Micros(1_795_564_800_000_000);

fn record(n: u128) -> RecordId {
    RecordId(Uuid::from_u128((0x019a_b9b9_b400_7000 << 64) | (0x8000 << 48) | n))
}

fn chat(n: u128) -> Begin {
    let tags = Tags {
        session_id: Some("fixture".to_owned()),
        session_path: Some(format!("/call/{n}")),
        properties: vec![Property { key: "Kind".to_owned(), value: "kept".to_owned() }],
        ..Tags::default()
    };
    Begin {
        record: record(n),
        at: AT.plus_us(i64::try_from(n).unwrap() * 1_000_000),
        target_url: "https://api.openai.com/v1/chat/completions".to_owned(),
        headers: [("content-type", "application/json")].into_iter().collect(),
        tags,
        notes: vec![Note::new("tag.example", "A note.")],
        ..begin("/v1/chat/completions")
    }
}

const REQUEST: &[u8] = br#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}"#;
const ANSWER: &[u8] = br#"{"id":"chatcmpl-f","model":"gpt-4o-2024-08-06","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#;

fn facts(len: usize) -> BodyFacts {
    BodyFacts { len: len as u64, content_type: Some("application/json".to_owned()), ..BodyFacts::default() }
}

#[tokio::test]
async fn fixture_writer() {
    let Some(dir) = std::env::var_os("TRAILGATE_TEST_FIXTURE_DIR") else { return };
    let sink = Memory::default();
    sink.with(|t| t.away = true);
    let rig = start(Path::new(&dir), &sink);
    let ingest = &rig.ingest;
    // 1: whole. 2: its request came late. 3: without bodies, as a full journal keeps calls. 4: never ended.
    for n in 1..=4 {
        let mut begin = chat(n);
        let mut request = facts(REQUEST.len());
        let body = vec![Bytes::from_static(REQUEST)];
        match n {
            2 => {
                begin.request = None;
                ingest.begin(&begin, Vec::new(), None);
                ingest.request(begin.org, &RequestBody { record: begin.record, request }, body, None);
            }
            3 => {
                request.kept = Kept::Shed;
                request.sha256 = Some("0".repeat(64));
                let model = Some("gpt-4o".to_owned());
                request.essence = Some(Box::new(Essence { request_model: model, ..Essence::default() }));
                begin.request = Some(request);
                ingest.begin(&begin, Vec::new(), None);
            }
            _ => {
                begin.request = Some(request);
                ingest.begin(&begin, body, None);
            }
        }
        let mut response = facts(ANSWER.len());
        let mut body = vec![Bytes::from_static(ANSWER)];
        if n == 3 {
            body.clear();
            response.kept = Kept::Shed;
            response.sha256 = Some("1".repeat(64));
            response.essence = Some(Box::new(Essence {
                response_model: Some("gpt-4o-2024-08-06".to_owned()),
                finish_reason: Some("stop".to_owned()),
                usage: Some(Usage { prompt_tokens: 9, completion_tokens: 2, ..Usage::default() }),
                raw_usage: Some(serde_json::json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})),
                ..Essence::default()
            }));
        }
        if n < 4 {
            let end = End { duration_us: 1_500_000, response, ..end(begin.record) };
            ingest.end(begin.org, &end, body, None).wait().await.unwrap();
        }
    }
    let posted = Posted {
        record: record(5),
        org: OrgId::DEFAULT,
        key: None,
        at: AT.plus_us(9_000_000),
        route: LogRoute::Custom,
        tags: Tags { session_id: Some("fixture".to_owned()), ..Tags::default() },
        notes: Vec::new(),
    };
    let log = br#"{"providerRequest":{"url":"custom-model-nopath","json":{"_type":"tool","toolName":"search","input":{}},"meta":{}},"providerResponse":{"status":200,"headers":{},"json":{"hits":3}},"timing":{"startTime":{"seconds":1795564809,"milliseconds":0},"endTime":{"seconds":1795564810,"milliseconds":0}}}"#;
    ingest.log(&posted, Bytes::from_static(log)).await.unwrap();
    let gap = Gap { id: record(6), org: OrgId::DEFAULT, minute: AT, calls: 7, reason: "journal_full".to_owned() };
    let frame = capture::frame(FrameKind::Gap, (gap.id, gap.org), &gap, Vec::new()).unwrap();
    ingest.state.journal.append_durable(frame).wait().await.unwrap();
    rig.crash().await;
}
