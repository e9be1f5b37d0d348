use std::sync::LazyLock;

use super::*;
use crate::model::exchange::{CostSource, Usage};
use crate::model::id::{OrgId, RecordId};
use crate::model::tags::Property;
use crate::model::units::{Micros, NanoUsd};

/// 2026-11-24
const AT: Micros = Micros(1_795_500_000_000_000);

static CONTEXT: LazyLock<EnrichContext> =
    LazyLock::new(|| EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true });

const REQUEST: &str = r#"{"model":"gpt-4o","user":"body-user"}"#;
const ANSWER: &str = r#"{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"finish_reason":"stop","message":{}}],
    "usage":{"prompt_tokens":1000,"completion_tokens":300}}"#;

fn begin() -> Begin {
    Begin {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: AT,
        method: "POST".to_owned(),
        path: "/v1/gateway/oai/v1/chat/completions?x=1".to_owned(),
        target_url: "http://127.0.0.1:1/v1/chat/completions?x=1".to_owned(),
        provider: "openai".to_owned(),
        format: WireFormat::Openai,
        headers: [("a", "b")].into_iter().collect(),
        tags: Tags::default(),
        notes: vec![Note::new("begin", "b")],
        request: None,
    }
}

fn end(begin: &Begin, status: u16, outcome: Outcome) -> End {
    End {
        record: begin.record,
        outcome,
        status,
        duration_us: 2_000_000,
        head_us: Some(1_000),
        first_byte_us: Some(1_500),
        headers: [("c", "d")].into_iter().collect(),
        response: BodyFacts::default(),
        error: None,
        notes: vec![Note::new("end", "e")],
    }
}

fn enrich_call(begin: Begin, end: Option<End>, response: &str) -> Exchange {
    let request = Body { facts: BodyFacts::default(), bytes: Bytes::from_static(REQUEST.as_bytes()) };
    let end = end.map(|mut end| {
        end.response.len = response.len() as u64;
        Box::new((end, Bytes::copy_from_slice(response.as_bytes())))
    });
    enrich(Capture::Call { begin: Box::new(begin), request, end }, &CONTEXT)
}

fn answered(begin: Begin, response: &str) -> Exchange {
    let end = end(&begin, 200, Outcome::Complete);
    enrich_call(begin, Some(end), response)
}

fn posted(route: LogRoute) -> Posted {
    Posted {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: AT,
        route,
        tags: Tags::default(),
        notes: Vec::new(),
    }
}

fn enrich_log(posted: Posted, body: &str) -> Exchange {
    enrich(Capture::Log { posted: Box::new(posted), body: Bytes::copy_from_slice(body.as_bytes()) }, &CONTEXT)
}

fn envelope(request: &str, response: &str, rest: &str) -> String {
    format!(
        r#"{{"providerRequest":{{"url":"custom-model-nopath","json":{request},"meta":{{}}}},"providerResponse":{response}{rest}}}"#
    )
}

fn codes(row: &Exchange) -> Vec<&str> {
    row.notes.iter().map(|n| n.code.as_str()).collect()
}

#[test]
fn a_proxied_call() {
    let begin = begin();
    let record = begin.record;
    let row = answered(begin, ANSWER);
    assert_eq!((row.id, row.record), (RequestId(record.0), record));
    assert_eq!((row.source, row.kind, row.format), (Source::Proxy, Kind::Llm, WireFormat::Openai));
    assert_eq!((row.started_at, row.ended_at, row.duration_us()), (AT, AT.plus_us(2_000_000), 2_000_000));
    assert_eq!(
        (row.status, row.outcome, row.error_rule, row.error_message.clone()),
        (200, Outcome::Complete, None, None)
    );
    assert_eq!((row.streamed, row.first_byte_us), (false, None));
    assert_eq!(row.provider, "OPENAI");
    assert_eq!(row.path, "/v1/gateway/oai/v1/chat/completions?x=1");
    assert_eq!(row.model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!((row.request_model.as_deref(), row.finish_reason.as_deref()), (Some("gpt-4o"), Some("stop")));
    assert_eq!(row.user_id.as_deref(), Some("body-user"));
    assert_eq!(row.usage, Some(Usage { prompt_tokens: 1000, completion_tokens: 300, ..Usage::default() }));
    let cost = row.cost.clone().unwrap();
    assert_eq!((cost.amount, cost.source), (NanoUsd(5_500_000), CostSource::Prices));
    assert_eq!(codes(&row), ["begin", "end"]);
    assert_eq!((row.request.bytes.as_ref(), row.response.bytes.as_ref()), (REQUEST.as_bytes(), ANSWER.as_bytes()));
    assert_eq!((row.request_headers.lines().len(), row.response_headers.lines().len()), (1, 1));
}

#[test]
fn tags_reach_the_row() {
    let mut begin = begin();
    let id: RequestId = "0192f3a4-0000-7000-8000-000000000001".parse().unwrap();
    begin.tags = Tags {
        session_id: Some("s".into()),
        session_name: Some("n".into()),
        session_path: Some("/p".into()),
        user_id: Some("tag-user".into()),
        request_id: Some(id),
        model_override: Some("gpt-4o-mini".into()),
        prompt_id: Some("q".into()),
        properties: vec![Property { key: "K".into(), value: "v".into() }],
        ..Tags::default()
    };
    let row = answered(begin, ANSWER);
    assert_eq!(row.id, id);
    assert_eq!(
        (row.session_id.as_deref(), row.session_name.as_deref(), row.session_path.as_deref()),
        (Some("s"), Some("n"), Some("/p"))
    );
    assert_eq!((row.user_id.as_deref(), row.prompt_id.as_deref()), (Some("tag-user"), Some("q")));
    assert_eq!((row.model.as_deref(), row.model_override.as_deref()), (Some("gpt-4o-mini"), Some("gpt-4o-mini")));
    assert_eq!(row.cost.unwrap().amount, NanoUsd(330_000), "the override decides the price");
    assert_eq!(row.properties.len(), 1);
}

#[test]
fn omitted_bodies_are_counted_and_dropped() {
    let mut begin = begin();
    begin.tags.omit_request = true;
    begin.tags.omit_response = true;
    let row = answered(begin, ANSWER);
    assert!(row.usage.is_some() && row.cost.is_some());
    assert!(row.request.bytes.is_empty() && row.response.bytes.is_empty());
    assert_eq!((row.request.facts.kept, row.response.facts.kept), (Kept::Omitted, Kept::Omitted));
    assert_eq!(row.response.facts.len, ANSWER.len() as u64);
}

#[test]
fn every_error_rule() {
    let stream_error = "data: {\"error\":{\"message\":\"late\"}}\n\n";
    for (status, outcome, response, rule, words) in [
        (200, Outcome::Complete, ANSWER, None, None),
        (429, Outcome::Complete, r#"{"error":{"message":"slow"}}"#, Some("status"), Some("slow")),
        (502, Outcome::Unreachable, "", Some("status"), Some("ours")),
        (200, Outcome::UpstreamReset, "data: {}\n\n", Some("outcome"), Some("ours")),
        (0, Outcome::ClientGone, "", Some("outcome"), Some("ours")),
        (200, Outcome::Complete, stream_error, Some("stream_error"), Some("late")),
    ] {
        let begin = begin();
        let mut end = end(&begin, status, outcome);
        end.error = (outcome != Outcome::Complete).then(|| "ours".to_owned());
        let row = enrich_call(begin, Some(end), response);
        assert_eq!((row.error_rule, row.error_message.as_deref()), (rule, words), "{status} {outcome:?}");
    }
}

#[test]
fn a_call_without_an_end_was_interrupted() {
    let row = enrich_call(begin(), None, "");
    assert_eq!((row.outcome, row.status, row.error_rule), (Outcome::Interrupted, 0, Some("outcome")));
    assert_eq!((row.started_at, row.ended_at), (AT, AT));
    assert_eq!(row.request_model.as_deref(), Some("gpt-4o"));
    assert!(row.usage.is_none() && row.usage_missing.is_some() && row.cost.is_none());
}

#[test]
fn first_byte_belongs_to_streams() {
    let row = answered(begin(), "data: {\"choices\":[]}\n\n");
    assert_eq!((row.streamed, row.first_byte_us), (true, Some(1_500)));
}

#[test]
fn calls_that_are_no_model_calls_and_unknown_prices() {
    let mut models = begin();
    models.target_url = "https://api.openai.com/v1/models".to_owned();
    let row = answered(models, r#"{"data":[]}"#);
    assert_eq!((row.kind, row.cost.is_none(), row.usage.is_none()), (Kind::Other, true, true));
    assert!(row.usage_missing.is_some());
    let mut own = begin();
    own.tags.model_override = Some("my-own".to_owned());
    let row = answered(own, r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#);
    assert!(row.usage.is_some() && row.cost.is_none(), "unknown is not zero");
    let row = answered(begin(), r#"{"model":"my-own","usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.5}}"#);
    assert_eq!(row.cost.unwrap().source, CostSource::Provider);
}

#[test]
fn a_tool_log_of_the_python_helper() {
    let mut posted = posted(LogRoute::Custom);
    posted.tags.session_id = Some("agent-1".into());
    let request = r#"{"_type":"tool","toolName":"search","input":{}}"#;
    let response = r#"{"headers":{"Authorization":"Bearer x","A":"b"},"status":200,"json":{"results":[1],"_type":"tool"},"textBody":null}"#;
    let timing = r#","timing":{"startTime":{"seconds":100,"milliseconds":5},"endTime":{"seconds":100,"milliseconds":9},"timeToFirstToken":null}"#;
    let body = envelope(request, response, timing);
    let row = enrich_log(posted, &body);
    assert_eq!((row.source, row.kind, row.provider.as_str()), (Source::Manual, Kind::Tool, "CUSTOM"));
    assert_eq!(row.model.as_deref(), Some("tool:search"));
    assert_eq!((row.started_at, row.duration_us()), (Micros(100_005_000), 4_000));
    assert_eq!((row.path.as_str(), row.target_url.as_str()), ("custom-model-nopath", ""));
    assert_eq!(row.request.bytes.as_ref(), request.as_bytes());
    assert_eq!(row.response.bytes.as_ref(), br#"{"results":[1],"_type":"tool"}"#);
    assert_eq!(row.session_id.as_deref(), Some("agent-1"));
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(row.response_headers.lines(), [pair("authorization", "[redacted]"), pair("a", "b")]);
    assert!(row.usage.is_none() && row.cost.is_none() && row.error_rule.is_none());
    assert_eq!(row.usage_missing.as_deref(), Some("this is no model call"));
}

#[test]
fn logs_that_failed() {
    let tool = r#"{"_type":"tool","toolName":"t"}"#;
    for (request, response, rule, words, outcome) in [
        (
            tool,
            r#"{"status":200,"json":{"error":"no such table"}}"#,
            Some("tool_error"),
            Some("no such table"),
            Outcome::Complete,
        ),
        (tool, r#"{"status":200,"json":{"error":null}}"#, None, None, Outcome::Complete),
        (tool, r#"{"status":500,"textBody":"Error: x"}"#, Some("status"), Some("Error: x"), Outcome::Complete),
        ("{}", r#"{"status":500,"textBody":"Error: x"}"#, Some("status"), Some("Error: x"), Outcome::Complete),
        ("{}", r#"{"status":-3,"textBody":"partial"}"#, Some("status"), Some("partial"), Outcome::ClientGone),
        ("{}", r#"{"status":-2,"json":{}}"#, Some("status"), None, Outcome::Timeout),
        ("{}", r#"{"status":200,"json":{"error":{"message":"m"}}}"#, None, None, Outcome::Complete),
    ] {
        let row = enrich_log(posted(LogRoute::Custom), &envelope(request, response, ""));
        assert_eq!((row.error_rule, row.error_message.as_deref(), row.outcome), (rule, words, outcome), "{response}");
    }
}

#[test]
fn logged_model_calls() {
    let response = format!(r#"{{"status":200,"json":{ANSWER}}}"#);
    for (route, rest, provider) in [
        (LogRoute::Openai, "", "OPENAI"),
        (LogRoute::Custom, "", "CUSTOM"),
        (LogRoute::Custom, r#","provider":"OpenAI""#, "OPENAI"),
        (LogRoute::Trace, "", "OPENAI"),
        (LogRoute::Trace, r#","provider":"my-lab""#, "my-lab"),
    ] {
        let row = enrich_log(posted(route), &envelope(REQUEST, &response, rest));
        assert_eq!((row.provider.as_str(), row.kind, row.format), (provider, Kind::Llm, WireFormat::Openai));
        assert_eq!(row.cost.map(|c| c.amount), Some(NanoUsd(5_500_000)), "{route:?} {rest}");
        assert_eq!((row.user_id.as_deref(), row.started_at, row.ended_at), (Some("body-user"), AT, AT));
    }
    let anthropic = r#"{"status":200,"json":{"type":"message","model":"claude-sonnet-4-0","usage":{"input_tokens":1000,"output_tokens":300}}}"#;
    let row = enrich_log(posted(LogRoute::Anthropic), &envelope("{}", anthropic, ""));
    assert_eq!((row.provider.as_str(), row.cost.map(|c| c.amount)), ("ANTHROPIC", Some(NanoUsd(7_500_000))));
    let stream = r#"{"status":200,"json":{},"textBody":"{\"choices\":[]}\n{\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":300}}\n"}"#;
    let timing = r#","timing":{"startTime":{"seconds":1},"endTime":{"seconds":2},"timeToFirstToken":12}"#;
    let row = enrich_log(posted(LogRoute::Openai), &envelope(r#"{"stream":true}"#, stream, timing));
    assert_eq!(
        (row.streamed, row.first_byte_us, row.usage.map(|u| u.output_tokens())),
        (true, Some(12_000), Some(300))
    );
    assert!(row.response.bytes.starts_with(b"{\"choices\":[]}\n{"));
}

#[test]
fn meta_fills_what_headers_leave_open() {
    let mut posted = posted(LogRoute::Custom);
    posted.tags.session_id = Some("header".into());
    let body = r#"{"providerRequest":{"url":"https://api.x.com/v1","json":{},"meta":{"Helicone-Session-Id":"meta",
        "Helicone-Session-Path":"/m","Helicone-Omit-Response":"true","helicone-nonsense":"1"}},
        "providerResponse":{"status":200,"json":{"a":1}}}"#;
    let row = enrich_log(posted, body);
    assert_eq!((row.session_id.as_deref(), row.session_path.as_deref()), (Some("header"), Some("/m")));
    assert_eq!((row.response.bytes.len(), row.response.facts.kept), (0, Kept::Omitted));
    assert_eq!(row.target_url, "https://api.x.com/v1");
    assert_eq!(codes(&row), ["tag.unknown"]);
}

#[test]
fn times_that_are_half_given() {
    let response = r#"{"status":200,"json":{}}"#;
    for (timing, start, end) in [
        ("{}", AT, AT),
        (r#"{"startTime":{"seconds":5}}"#, Micros(5_000_000), AT),
        (r#"{"endTime":{"seconds":5}}"#, Micros(5_000_000), Micros(5_000_000)),
        (r#"{"startTime":{"seconds":9999999999}}"#, Micros(9_999_999_999_000_000), Micros(9_999_999_999_000_000)),
    ] {
        let row = enrich_log(posted(LogRoute::Custom), &envelope("{}", response, &format!(r#","timing":{timing}"#)));
        assert_eq!((row.started_at, row.ended_at), (start, end), "{timing}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_still_a_row() {
    let row = enrich_log(posted(LogRoute::Custom), "not an envelope");
    assert_eq!(codes(&row), ["log.unread"]);
    assert_eq!(row.request.bytes.as_ref(), b"not an envelope");
    assert!(row.usage.is_none());
}

#[test]
fn a_defect_in_a_parser_costs_no_row() {
    let meaning = guarded(|| panic!("a defect, as the test wants it"));
    assert_eq!(meaning.notes[0].code, "wire.defect");
    assert!(meaning.usage.is_none() && meaning.usage_missing.is_some());
}

#[test]
fn text_that_no_database_keeps_is_replaced() {
    let mut begin = begin();
    begin.tags.user_id = Some("u".into());
    let row = answered(begin, r#"{"model":"a\u0000b","choices":[{"finish_reason":"x\u0000"}]}"#);
    assert_eq!((row.model.as_deref(), row.finish_reason.as_deref()), (Some("a\u{fffd}b"), Some("x\u{fffd}")));
}

#[test]
fn provider_names() {
    for (configured, name) in [
        ("openai", "OPENAI"),
        ("Anthropic", "ANTHROPIC"),
        ("gemini", "GOOGLE"),
        ("xai", "X"),
        ("custom", "CUSTOM"),
        ("my-vllm", "my-vllm"),
        ("api.example.com", "api.example.com"),
    ] {
        assert_eq!(provider_name(configured), name);
    }
}

const PIECE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello world\"}}]}\n\n";

fn broken_off(outcome: Outcome, response: &str) -> Exchange {
    let begin = begin();
    let end = end(&begin, 200, outcome);
    enrich_call(begin, Some(end), response)
}

#[test]
fn a_stream_that_broke_off_before_any_usage_is_estimated() {
    for outcome in [Outcome::ClientGone, Outcome::UpstreamReset, Outcome::Timeout] {
        let row = broken_off(outcome, PIECE);
        assert_eq!(row.usage_source, Some(UsageSource::Estimated), "{outcome:?}");
        assert_eq!((row.usage.unwrap().completion_tokens, row.usage_missing.clone()), (2, None));
        assert!(row.cost.is_some() && codes(&row).contains(&"usage.estimated"));
    }
}

#[test]
fn what_the_provider_said_is_never_replaced_by_an_estimate() {
    let start =
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":11,\"output_tokens\":2}}}\n\n";
    let mut anthropic = begin();
    anthropic.target_url = "https://api.anthropic.com/v1/messages".to_owned();
    let gone = end(&anthropic, 200, Outcome::ClientGone);
    let row = enrich_call(anthropic, Some(gone), start);
    assert_eq!(row.usage_source, Some(UsageSource::Partial));
    assert_eq!((row.usage.unwrap().prompt_tokens, row.usage.unwrap().completion_tokens), (11, 2));

    let wrong =
        format!("{PIECE}data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":\"9\",\"completion_tokens\":1}}}}\n\n");
    let row = broken_off(Outcome::ClientGone, &wrong);
    assert_eq!((row.usage, row.usage_source), (None, None));
    let row = broken_off(Outcome::Complete, PIECE);
    assert_eq!((row.usage, row.usage_source), (None, None), "a stream that ended said all that it would say");
    let row = broken_off(Outcome::ClientGone, r#"{"choices":[{"message":{"content":"hello world"}}]}"#);
    assert_eq!(row.usage, None, "not a stream");
    let reported =
        format!("{PIECE}data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":9,\"completion_tokens\":1}}}}\n\n");
    let row = broken_off(Outcome::ClientGone, &reported);
    assert_eq!((row.usage.unwrap().prompt_tokens, row.usage_source), (9, Some(UsageSource::Reported)));
}

#[test]
fn units_and_tiers_that_the_parts_do_not_say_are_kept_for_pricing_again() {
    let row = answered(begin(), ANSWER);
    assert_eq!((row.service_tier, row.priced_units), (None, None));
    let mut transcription = begin();
    transcription.target_url = "https://api.openai.com/v1/audio/transcriptions".to_owned();
    let end = end(&transcription, 200, Outcome::Complete);
    let request = Body { facts: BodyFacts::default(), bytes: Bytes::from_static(br#"{"model":"whisper-1"}"#) };
    let response = Bytes::from_static(br#"{"text":"hi","usage":{"type":"duration","seconds":60}}"#);
    let end = Some(Box::new((end, response)));
    let row = enrich(Capture::Call { begin: Box::new(transcription), request, end }, &CONTEXT);
    // A minute of whisper-1 costs 0.6 cents.
    assert_eq!((row.usage, row.cost.map(|cost| cost.amount)), (None, Some(NanoUsd(6_000_000))));
    let units = row.priced_units.unwrap();
    let again = Sale {
        provider: "OPENAI",
        url: "",
        format: WireFormat::Openai,
        api: "",
        model: "whisper-1",
        asked: None,
        usage: None,
        raw_usage: None,
        audio_seconds: None,
        priced_units: Some(&units),
        service_tier: None,
        at: AT,
    };
    let sold = CONTEXT.pricing.sell(&again);
    assert_eq!((sold.cost.unwrap().amount, sold.priced_units), (NanoUsd(6_000_000), Some(units.clone())));
}

#[test]
fn the_model_that_was_asked_for_is_priced_where_the_other_has_no_price() {
    let usage = r#""usage":{"prompt_tokens":1000,"completion_tokens":300}"#;
    let cost = |begin: Begin, model: &str| {
        let row = answered(begin, &format!(r#"{{"model":"{model}",{usage}}}"#));
        (row.model, row.cost.map(|cost| cost.amount))
    };
    let gpt_4o = Some(NanoUsd(5_500_000));
    assert_eq!(cost(begin(), "nobody-knows-it"), (Some("nobody-knows-it".to_owned()), gpt_4o));
    assert_eq!(cost(begin(), "gpt-4o-mini").1, Some(NanoUsd(330_000)));
    let mut overridden = begin();
    overridden.tags.model_override = Some("my-own".to_owned());
    assert_eq!(cost(overridden, "gpt-4o"), (Some("my-own".to_owned()), None));
    let mut ollama = begin();
    (ollama.provider, ollama.format) = ("ollama".to_owned(), WireFormat::Ollama);
    assert_eq!(cost(ollama, "gpt-4o").1, None);
}

#[test]
fn a_log_of_any_depth_is_a_row() {
    let levels = 100_000;
    let deep = format!("{}{}", r#"{"streamed_data":["#.repeat(levels), "]}".repeat(levels));
    let body = format!(
        r#"{{"providerRequest":{{"url":"u","json":{deep},"meta":{{}}}},"providerResponse":{{"json":{deep},"status":200,"headers":{{}}}}}}"#
    );
    let capture = Capture::Log { posted: Box::new(posted(LogRoute::Custom)), body: body.into() };
    let row = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| enrich(capture, &CONTEXT)).unwrap().join();
    assert_eq!(row.unwrap().response.bytes.len(), deep.len());
}
