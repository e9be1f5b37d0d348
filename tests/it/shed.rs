//! A call that is recorded without its bodies has the row that it would have had with them, bodies aside: every recording of
//! a provider, through the journal's JSON and back.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::ingest::shed::{self, Reading};
use trailgate::model::capture::{Begin, Body, BodyFacts, Capture, End, Kept, Outcome, WireFormat};
use trailgate::model::exchange::Exchange;
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::tags::Tags;
use trailgate::model::units::Micros;
use trailgate::pricing::Pricing;

use crate::support::recordings::{self, Recording};

struct Call {
    begin: Begin,
    end: End,
    request: Vec<u8>,
    response: Vec<u8>,
}

fn facts(body: &[u8], content_type: Option<&str>) -> BodyFacts {
    BodyFacts { len: body.len() as u64, content_type: content_type.map(str::to_owned), ..BodyFacts::default() }
}

impl Call {
    fn of(recording: &Recording, provider: &str, format: WireFormat) -> Self {
        let (request, response) = (recording.request(), recording.response());
        let record = RecordId::generate();
        let begin = Begin {
            record,
            org: OrgId::DEFAULT,
            key: None,
            at: Micros(1_795_500_000_000_000),
            method: recording.method.clone(),
            path: recording.path.clone(),
            target_url: format!("https://provider.example{}", recording.path),
            provider: provider.to_owned(),
            format,
            headers: Headers::NONE,
            tags: Tags::default(),
            notes: Vec::new(),
            request: Some(facts(&request, Some("application/json"))),
        };
        let end = End {
            record,
            outcome: Outcome::Complete,
            status: recording.status,
            duration_us: 1_000_000,
            head_us: Some(1),
            first_byte_us: Some(2),
            headers: Headers::NONE,
            response: facts(&response, recording.content_type.as_deref()),
            error: None,
            notes: Vec::new(),
        };
        Self { begin, end, request, response }
    }

    fn row(&self, context: &EnrichContext, without: [bool; 2]) -> Exchange {
        let (mut begin, mut end) = (self.begin.clone(), self.end.clone());
        // In pieces, as it comes from the wire.
        let mut request: Vec<Bytes> = self.request.chunks(1_000).map(Bytes::copy_from_slice).collect();
        let mut response: Vec<Bytes> = self.response.chunks(1_000).map(Bytes::copy_from_slice).collect();
        let path = begin.path.split('?').next().unwrap().to_owned();
        let reading = Reading { format: begin.format, path: &path };
        if without[0] {
            let left_out = shed::request(reading, begin.request.as_mut().unwrap(), &mut request);
            assert_eq!(left_out, !self.request.is_empty());
        }
        if without[1] {
            let left_out = shed::response(reading, (end.status, &end.headers), &mut end.response, &mut response);
            assert_eq!(left_out, !self.response.is_empty());
        }
        let begin: Begin = serde_json::from_slice(&serde_json::to_vec(&begin).unwrap()).unwrap();
        let end: End = serde_json::from_slice(&serde_json::to_vec(&end).unwrap()).unwrap();
        let request = Body { facts: begin.request.clone().unwrap(), bytes: Bytes::from(request.concat()) };
        let end = Some(Box::new((end, Bytes::from(response.concat()))));
        enrich(Capture::Call { begin: Box::new(begin), request, end }, context)
    }
}

/// Everything in a row that a person or a sum looks at, bodies aside.
fn told(row: &Exchange) -> String {
    let Exchange { kind, format, provider, streamed, model, request_model, response_model, finish_reason, .. } = row;
    let Exchange { tool_calls, user_id, usage, cost, error_rule, error_message, first_byte_us, status, .. } = row;
    let calls: Vec<_> = row
        .agent
        .calls
        .iter()
        .map(|call| (call.position, &call.id, &call.name, &call.form, call.at_provider, &call.arguments))
        .collect();
    format!(
        "{kind:?} {format:?} {provider} {streamed} {model:?} {request_model:?} {response_model:?} {finish_reason:?} \
         {tool_calls} {calls:?} {user_id:?} {usage:?} {cost:?} {error_rule:?} {error_message:?} {first_byte_us:?} {status}"
    )
}

#[test]
fn a_row_without_bodies_says_the_same() {
    let context = EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true };
    let (mut calls, mut with_usage, mut with_cost, mut with_tools) = (0, 0, 0, 0);
    for (provider, format) in [("openai", WireFormat::Openai), ("anthropic", WireFormat::Anthropic)] {
        for recording in recordings::all().remove(provider).unwrap_or_default() {
            let call = Call::of(&recording, provider, format);
            let whole = call.row(&context, [false, false]);
            for without in [[true, true], [true, false], [false, true]] {
                let row = call.row(&context, without);
                assert_eq!(told(&row), told(&whole), "{provider}/{} without {without:?}", recording.name);
                for (kept, body, left_out) in
                    [(&row.request, &call.request, without[0]), (&row.response, &call.response, without[1])]
                {
                    assert_eq!(kept.facts.len, body.len() as u64);
                    assert_eq!(kept.facts.essence, None, "never in a row");
                    let left_out = left_out && !body.is_empty();
                    assert_eq!(kept.facts.kept, if left_out { Kept::Shed } else { Kept::Whole });
                    assert_eq!(kept.bytes, if left_out { &b""[..] } else { body.as_slice() });
                    let sha: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
                    assert_eq!(kept.facts.sha256, left_out.then_some(sha));
                }
                let notes = row.notes.iter().filter(|note| note.code == "body.shed").count();
                let bodies = [(&call.request, without[0]), (&call.response, without[1])];
                assert_eq!(notes, bodies.iter().filter(|(body, out)| *out && !body.is_empty()).count());
            }
            calls += 1;
            with_usage += usize::from(whole.usage.is_some());
            with_cost += usize::from(whole.cost.is_some());
            with_tools += usize::from(!whole.agent.calls.is_empty());
        }
    }
    assert!(
        calls > 2 && with_usage > 1 && with_cost > 1 && with_tools > 1,
        "{calls} calls, {with_usage} with usage, {with_cost} with cost, {with_tools} with tools"
    );
}
