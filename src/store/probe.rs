//! A plain call that any store takes that takes calls at all: what tells a bad row from a bad store. It is written with every
//! part that a call can have and taken back in the same transaction.

use bytes::Bytes;

use crate::model::agent::Agent;
use crate::model::capture::{BodyFacts, Outcome, WireFormat};
use crate::model::exchange::{Exchange, KeptBody, Kind, Source, Usage};
use crate::model::headers::Headers;
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::tags::Property;
use crate::model::units::Micros;

/// A new one. Its session and its property are its own, so that nobody waits for it.
pub(super) fn plain_call() -> Exchange {
    let record = RecordId::generate();
    let name = format!("trailgate-probe-{record}");
    let body = || KeptBody { facts: BodyFacts { len: 2, ..BodyFacts::default() }, bytes: Bytes::from_static(b"{}") };
    Exchange {
        org: OrgId::DEFAULT,
        id: RequestId(record.0),
        record,
        key: None,
        source: Source::Proxy,
        kind: Kind::Llm,
        started_at: Micros::now(),
        ended_at: Micros::now(),
        first_byte_us: None,
        outcome: Outcome::Complete,
        status: 200,
        error_rule: None,
        error_message: None,
        provider: "OPENAI".to_owned(),
        format: WireFormat::Openai,
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        target_url: String::new(),
        streamed: false,
        model: None,
        request_model: None,
        response_model: None,
        model_override: None,
        finish_reason: None,
        tool_calls: 0,
        session_id: Some(name.clone()),
        session_name: Some("probe".to_owned()),
        session_path: Some("/".to_owned()),
        user_id: Some("probe".to_owned()),
        prompt_id: None,
        properties: vec![Property { key: name, value: "probe".to_owned() }],
        usage: Some(Usage::default()),
        usage_source: None,
        usage_missing: None,
        service_tier: None,
        priced_units: None,
        cost: None,
        notes: Vec::new(),
        agent: Agent::default(),
        request_headers: Headers::default(),
        response_headers: Headers::default(),
        request: body(),
        response: body(),
    }
}
