use super::*;

/// An envelope with one place replaced.
fn envelope(request: &str, response: &str, rest: &str) -> String {
    format!(r#"{{"providerRequest":{request},"providerResponse":{response}{rest}}}"#)
}

const REQUEST: &str = r#"{"url":"custom-model-nopath","json":{"_type":"tool"},"meta":{}}"#;
const RESPONSE: &str = r#"{"headers":{},"status":200,"json":{"a":1}}"#;

fn with_timing(timing: &str) -> String {
    envelope(REQUEST, RESPONSE, &format!(r#","timing":{timing}"#))
}

fn with_response(response: &str) -> String {
    envelope(REQUEST, response, "")
}

#[test]
fn the_python_helper() {
    let body = r#"{"providerRequest":{"url":"custom-model-nopath","json":{"_type":"tool","toolName":"search_database",
        "input":{"query":"q"}},"meta":{"Helicone-Session-Id":"s","n":1,"x":null}},"providerResponse":{"headers":{"a":"b"},
        "status":200,"json":{"results":[1,2]},"textBody":null},"timing":{"startTime":{"seconds":1795416742,
        "milliseconds":844},"endTime":{"seconds":1795416742,"milliseconds":844},"timeToFirstToken":null}}"#;
    let e = parse(body.as_bytes()).unwrap();
    assert_eq!(e.url, "custom-model-nopath");
    assert_eq!(e.response, r#"{"results":[1,2]}"#);
    assert!(e.request.starts_with(r#"{"_type":"tool""#));
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(e.meta, [pair("Helicone-Session-Id", "s"), pair("n", "1")]);
    assert_eq!(e.headers, [pair("a", "b")]);
    assert_eq!((e.status, e.is_text, e.first_byte_us, e.provider), (200, false, None, None));
    assert_eq!((e.started_at, e.ended_at), (Some(Micros(1_795_416_742_844_000)), Some(Micros(1_795_416_742_844_000))));
}

#[test]
fn what_is_accepted() {
    for body in [
        envelope(r#"{"url":"","json":null}"#, r#"{"status":200,"json":null}"#, ""),
        envelope(r#"{"url":"u","json":1,"meta":null}"#, r#"{"status":200,"headers":null,"textBody":"t"}"#, ""),
        envelope(REQUEST, RESPONSE, r#","timing":null,"provider":null,"extra":{}"#),
        with_timing("{}"),
        with_timing(r#"{"endTime":{"seconds":1}}"#),
        with_timing(r#"{"startTime":{"seconds":1.5},"endTime":{"seconds":99999999999}}"#),
        with_timing(r#"{"startTime":{"seconds":"1700000000","milliseconds":"5"}}"#),
        with_timing(r#"{"timeToFirstToken":-5}"#),
        with_response(r#"{"status":200,"textBody":""}"#),
        format!("\u{feff} {} ", envelope(REQUEST, RESPONSE, "")),
    ] {
        assert!(parse(body.as_bytes()).is_ok(), "{body}: {:?}", parse(body.as_bytes()));
    }
}

#[test]
fn what_is_refused_and_where() {
    for (body, path) in [
        (String::new(), ""),
        ("[]".to_owned(), ""),
        ("nonsense".to_owned(), ""),
        ("{}".to_owned(), "providerRequest"),
        (r#"{"providerRequest":1}"#.to_owned(), "providerRequest"),
        (format!("{{\"providerRequest\":{REQUEST}}}"), "providerResponse"),
        (envelope(REQUEST, RESPONSE, "") + "x", ""),
        (envelope(REQUEST, RESPONSE, "")[..80].to_owned(), ""),
        (envelope(r#"{"json":{}}"#, RESPONSE, ""), "providerRequest.url"),
        (envelope(r#"{"url":1,"json":{}}"#, RESPONSE, ""), "providerRequest.url"),
        (envelope(r#"{"url":"u"}"#, RESPONSE, ""), "providerRequest.json"),
        (envelope(r#"{"url":"u","json":{},"meta":[]}"#, RESPONSE, ""), "providerRequest.meta"),
        (with_response(r#"{"status":200}"#), "providerResponse.json"),
        (with_response(r#"{"status":200,"textBody":null}"#), "providerResponse.json"),
        (with_response(r#"{"status":200,"textBody":1,"json":{}}"#), "providerResponse.textBody"),
        (with_response(r#"{"json":{}}"#), "providerResponse.status"),
        (with_response(r#"{"json":{},"status":null}"#), "providerResponse.status"),
        (with_response(r#"{"json":{},"status":"200"}"#), "providerResponse.status"),
        (with_response(r#"{"json":{},"status":1e400}"#), "providerResponse.status"),
        (with_response(r#"{"json":{},"status":200,"headers":"x"}"#), "providerResponse.headers"),
        (with_timing("[]"), "timing"),
        (with_timing(r#"{"startTime":{"milliseconds":1}}"#), "timing.startTime.seconds"),
        (with_timing(r#"{"startTime":{"seconds":true}}"#), "timing.startTime.seconds"),
        (with_timing(r#"{"endTime":{"seconds":1,"milliseconds":"x"}}"#), "timing.endTime.milliseconds"),
        (with_timing(r#"{"startTime":"yesterday"}"#), "timing.startTime"),
        (with_timing(r#"{"startTime":true}"#), "timing.startTime"),
        (with_timing(r#"{"startTime":-1}"#), "timing.startTime"),
        (with_timing(r#"{"startTime":"1960-01-01"}"#), "timing.startTime"),
        (with_timing(r#"{"startTime":{"seconds":1e300}}"#), "timing.startTime"),
        (with_timing(r#"{"startTime":{"seconds":2},"endTime":{"seconds":1}}"#), "timing.startTime"),
        (with_timing(r#"{"timeToFirstToken":{}}"#), "timing.timeToFirstToken"),
    ] {
        let error = parse(body.as_bytes()).expect_err(&body);
        assert_eq!(error.path, path, "{body}: {error}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn times_in_every_form() {
    for (raw, micros) in [
        (r#"{"seconds":1700000000,"milliseconds":1500.25}"#, 1_700_000_001_500_250_i64),
        ("1700000000", 1_700_000_000_000_000),
        ("1700000000.5", 1_700_000_000_500_000),
        ("1700000000123", 1_700_000_000_123_000),
        (r#""1700000000""#, 1_700_000_000_000_000),
        (r#""1700000000123""#, 1_700_000_000_123_000),
        (r#""2023-11-14T22:13:20.5Z""#, 1_700_000_000_500_000),
        (r#""2023-11-14T23:13:20+01:00""#, 1_700_000_000_000_000),
        (r#""2023-11-14T22:13:20""#, 1_700_000_000_000_000),
        (r#""2023-11-14""#, 1_699_920_000_000_000),
    ] {
        assert_eq!(instant(Some(raw), "t"), Ok(Some(Micros(micros))), "{raw}");
    }
    let first = with_timing(r#"{"timeToFirstToken":12.5}"#);
    assert_eq!(parse(first.as_bytes()).unwrap().first_byte_us, Some(12_500));
}

#[test]
fn statuses() {
    for (raw, status) in [("200", 200), ("-3", -3), ("200.0", 200), ("503.7", 503), ("0", 0)] {
        assert_eq!(read_status(Some(raw)), Ok(status), "{raw}");
    }
}

#[test]
fn bodies_come_back_byte_for_byte() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let odd = r#"{ "a" : "\ud800", "a":1e400 ,"n":-0.0}"#;
    let body = envelope(&format!(r#"{{"url":"u","json":{odd}}}"#), &format!(r#"{{"status":1,"json":{deep}}}"#), "");
    let e = parse(body.as_bytes()).unwrap();
    assert_eq!(e.request, odd);
    assert_eq!(e.response, deep);
    assert!(matches!(e.request, Cow::Borrowed(_)));
    let text = with_response(r#"{"status":200,"json":{},"textBody":"line\nü\ud83d\ude00"}"#);
    let e = parse(text.as_bytes()).unwrap();
    assert_eq!((&*e.response, e.is_text), ("line\nü😀", true));
    let not_text = [
        br#"{"providerRequest":{"url":"u","json":{"a":""#.as_slice(),
        b"\xff",
        br#""}},"providerResponse":{"status":1,"json":1}}"#,
    ]
    .concat();
    let e = parse(&not_text).unwrap();
    assert_eq!(e.request, "{\"a\":\"\u{fffd}\"}");
    assert_eq!(e.notes[0].code, "log.not_text");
}

#[test]
fn events() {
    let tool = |error: Option<&str>| Event {
        kind: Kind::Tool,
        model: "tool:search".to_owned(),
        error: error.map(str::to_owned),
        billed_usd: None,
    };
    for (request, response, expected) in [
        (r#"{"_type":"tool","toolName":"search"}"#, "{}", Some(tool(None))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"error":null}"#, Some(tool(None))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"error":"no"}"#, Some(tool(Some("no")))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"error":{"message":"m"}}"#, Some(tool(Some("m")))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"error":[1]}"#, Some(tool(Some("[1]")))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"error":true,"message":"m"}"#, Some(tool(Some("m")))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"success":false,"message":"m"}"#, Some(tool(Some("m")))),
        (r#"{"_type":"tool","toolName":"search"}"#, r#"{"success":false}"#, Some(tool(Some(r#"{"success":false}"#)))),
        (r#"{"_type":"tool","toolName":"search"}"#, "Error: no route", Some(tool(Some("Error: no route")))),
        ("{}", r#"{"_type":"tool","toolName":"search"}"#, Some(tool(None))),
        ("{}", "plain text", None),
        (r#"{"_type":"other"}"#, "{}", None),
        (r#"{"model":"gpt-4o"}"#, r#"{"choices":[]}"#, None),
    ] {
        assert_eq!(event(request, response), expected, "{request} {response}");
    }
    for none in ["false", "\"\"", "[]", "{}", "0", "null"] {
        let response = format!("{{\"error\":{none},\"hits\":3}}");
        assert_eq!(event(r#"{"_type":"tool","toolName":"search"}"#, &response), Some(tool(None)), "{none}");
    }
    let model = |request: &str| event(request, "{}").map(|e| (e.kind, e.model));
    assert_eq!(model(r#"{"_type":"vector_db","operation":"search"}"#), Some((Kind::VectorDb, "vector_db".into())));
    assert_eq!(model(r#"{"_type":"data","name":"etl"}"#), Some((Kind::Data, "data:etl".into())));
    assert_eq!(model(r#"{"_type":"data"}"#), Some((Kind::Data, "data:unknown".into())));
    assert_eq!(model(r#"{"_type":"tool"}"#), Some((Kind::Tool, "tool:unknown".into())));
}
