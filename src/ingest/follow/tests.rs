use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::ingest::enrich::{EnrichContext, enrich};
use crate::model::agent::{ResultSource, SessionRule};
use crate::model::capture::{Begin, Body, BodyFacts, Capture, End, LogRoute, Outcome, Posted, WireFormat};
use crate::model::exchange::Exchange;
use crate::model::headers::Headers;
use crate::model::id::{OrgId, RecordId};
use crate::model::tags::Tags;
use crate::model::units::Micros;
use crate::pricing::Pricing;

static INFER: LazyLock<EnrichContext> =
    LazyLock::new(|| EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true });

fn facts(body: &str) -> BodyFacts {
    BodyFacts { len: body.len() as u64, content_type: Some("application/json".to_owned()), ..BodyFacts::default() }
}

fn capture(headers: &[(&str, &str)], tags: Tags, request: &Value, response: &Value) -> Capture {
    let path = "/v1/chat/completions";
    let (request, response) = (request.to_string(), response.to_string());
    let begin = Begin {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros(1_770_000_000_000_000),
        method: "POST".to_owned(),
        path: path.to_owned(),
        target_url: format!("https://api.example.com{path}"),
        provider: "openai".to_owned(),
        format: WireFormat::Openai,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        tags,
        notes: Vec::new(),
        request: Some(facts(&request)),
    };
    let end = End {
        record: begin.record,
        outcome: Outcome::Complete,
        status: 200,
        duration_us: 1_000,
        head_us: None,
        first_byte_us: None,
        headers: Headers::default(),
        response: facts(&response),
        error: None,
        notes: Vec::new(),
    };
    let request = Body { facts: facts(&request), bytes: Bytes::from(request) };
    Capture::Call { begin: Box::new(begin), request, end: Some(Box::new((end, Bytes::from(response)))) }
}

fn read(headers: &[(&str, &str)], tags: Tags, request: &Value) -> Exchange {
    let answer = json!({"choices": [{"message": {"role": "assistant", "content": "fine"}}]});
    enrich(capture(headers, tags, request, &answer), &INFER)
}

fn chat(extra: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Which city is the largest?"}]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn the_first_rule_that_applies_names_the_session() {
    let trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let named = |headers: &[(&str, &str)], extra: &Value| {
        let row = read(headers, Tags::default(), &chat(extra));
        (row.session_id, row.agent.session_rule, row.agent.link.and_then(|link| link.key).map(|key| key.rule))
    };
    let all = json!({"conversation": "conv_1", "prompt_cache_key": "k", "metadata": {"user_id": "u"}});
    assert_eq!(
        named(&[("session_id", "s-1"), trace], &all),
        (Some("conv_1".to_owned()), Some(SessionRule::Conversation), None)
    );
    let some = json!({"prompt_cache_key": "k", "metadata": {"user_id": "u"}});
    assert_eq!(
        named(&[("session_id", "s-1"), trace], &some),
        (Some("s-1".to_owned()), Some(SessionRule::Harness), None)
    );
    assert_eq!(named(&[trace], &some), (None, None, Some(SessionRule::PromptCacheKey)));
    let user = json!({"metadata": {"user_id": "u"}});
    assert_eq!(named(&[trace], &user), (None, None, Some(SessionRule::MetadataUser)));
    assert_eq!(named(&[trace], &json!({})), (None, None, Some(SessionRule::Trace)));
    assert_eq!(named(&[], &json!({})), (None, None, None));
    let previous = read(&[], Tags::default(), &chat(&json!({"previous_response_id": "resp_1"})));
    assert_eq!(previous.agent.link.unwrap().rule, Some(SessionRule::PreviousResponse));
}

#[test]
fn an_explicit_id_wins_and_off_is_off() {
    let body = chat(&json!({"conversation": "conv_1"}));
    let tags = Tags { session_id: Some("mine".to_owned()), ..Tags::default() };
    let row = read(&[("session_id", "s-1")], tags, &body);
    assert_eq!(row.session_id.as_deref(), Some("mine"));
    assert!(row.agent.session_rule.is_none() && row.agent.link.is_none() && row.agent.step.is_some());
    let off = EnrichContext { infer_sessions: false, ..INFER.clone() };
    let row = enrich(capture(&[("session_id", "s")], Tags::default(), &body, &json!({})), &off);
    assert!(row.session_id.is_none() && row.agent.link.is_none());
}

#[test]
fn what_is_not_to_be_kept_is_not_kept_beside_it_either() {
    let request = json!({"model": "m", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "a secret"},
    ]});
    let answer = json!({"choices": [{"message": {"tool_calls": [
        {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{\"key\":\"a secret\"}"}}]}}]});
    let tags = Tags { omit_request: true, omit_response: true, ..Tags::default() };
    let row = enrich(capture(&[], tags, &request, &answer), &INFER);
    assert_eq!((row.agent.results.len(), row.agent.calls.len()), (1, 1));
    assert!(!format!("{:?}", row.agent).contains("secret"));
    assert_eq!((row.agent.results[0].bytes, row.agent.calls[0].arguments_bytes), (8, 18));
}

#[test]
fn a_log_of_a_tool_shows_the_same_as_the_call() {
    let tags = || Tags { session_id: Some("s".to_owned()), ..Tags::default() };
    let answer = json!({"choices": [{"message": {"tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "find", "arguments": "{\"b\": 1, \"a\": [2]}"}}]}}]});
    let call = enrich(capture(&[], tags(), &chat(&json!({})), &answer), &INFER);
    let log = json!({
        "providerRequest": {"url": "custom-model-nopath", "meta": {}, "json":
            {"_type": "tool", "toolName": "find", "input": {"a": [2], "b": 1}}},
        "providerResponse": {"status": 200, "headers": {}, "json": {"_type": "tool", "error": "no such place"}},
        "timing": {"startTime": {"seconds": 1, "milliseconds": 0}, "endTime": {"seconds": 2, "milliseconds": 0}},
    });
    let posted = Posted {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros(0),
        route: LogRoute::Custom,
        tags: tags(),
        notes: Vec::new(),
    };
    let row = enrich(Capture::Log { posted: Box::new(posted), body: Bytes::from(log.to_string()) }, &INFER);
    let [result] = row.agent.results.as_slice() else { panic!("{:?}", row.agent) };
    assert_eq!(Some(result.pair), call.agent.calls[0].same);
    assert_eq!((result.source, result.ok, result.rule), (ResultSource::Manual, false, "tool_error"));
}
