//! What becomes of headers and of a log's `meta`.

use secrecy::ExposeSecret;

use super::*;

fn map(pairs: &[(&str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn codes(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.code.as_str()).collect()
}

fn pairs(list: &[(&str, &str)]) -> (Tags, Vec<Note>) {
    from_pairs(list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
}

#[test]
fn the_headers_of_an_agent() {
    let mut headers = map(&[
        ("content-type", b"application/json"),
        ("Helicone-Auth", b"Bearer sk-helicone-x"),
        ("Helicone-Session-Id", b"s-1"),
        ("Helicone-Session-Name", b""),
        ("Helicone-Session-Path", b"//a/b/"),
        ("Helicone-Property-Agent-Version", b"v1.0"),
        ("helicone-property-empty", b""),
        ("Helicone-User-Id", b"u"),
        ("Helicone-Request-Id", b"0192F3A4-0000-7000-8000-000000000001"),
        ("Helicone-Model-Override", b"gpt-4o"),
        ("Helicone-Omit-Request", b"true"),
        ("Helicone-Stream-Usage", b"true"),
        ("Helicone-Target-URL", b"https://api.example.com"),
        ("Helicone-Prompt-Id", b"p"),
        ("x-stripe-customer-id", b"cus_1"),
    ]);
    let (tags, notes, control) = take(&mut headers);
    assert_eq!(codes(&notes), [] as [&str; 0]);
    assert_eq!(headers.len(), 2, "content-type and x-stripe-customer-id stay");
    assert!(headers.contains_key("x-stripe-customer-id"));
    assert_eq!(control.auth.unwrap().expose_secret(), "Bearer sk-helicone-x");
    let property = |key: &str, value: &str| Property { key: key.to_owned(), value: value.to_owned() };
    assert_eq!(
        tags,
        Tags {
            session_id: Some("s-1".into()),
            session_path: Some("//a/b/".into()),
            user_id: Some("u".into()),
            request_id: Some("0192f3a4-0000-7000-8000-000000000001".parse().unwrap()),
            model_override: Some("gpt-4o".into()),
            prompt_id: Some("p".into()),
            properties: vec![
                property("agent-version", "v1.0"),
                property("empty", ""),
                property("Helicone-Prompt-Id", "p"),
                property("stripe_customer_id", "cus_1")
            ],
            omit_request: true,
            stream_usage: true,
            target_url: Some("https://api.example.com".into()),
            ..Tags::default()
        }
    );
}

#[test]
fn malformed_and_unknown_ones_become_notes_and_are_stripped() {
    for (name, value, code) in [
        ("Helicone-Request-Id", &b"run-7"[..], "tag.request_id"),
        ("Helicone-Request-Id", b"00000000-0000-0000-0000-000000000000", "tag.request_id"),
        ("Helicone-Omit-Request", b"True", "tag.switch"),
        ("Helicone-Omit-Response", b"1", "tag.switch"),
        ("Helicone-Cache-Enabled", b"true", "tag.no_effect"),
        ("Helicone-Retry-Enabled", b"false", "tag.no_effect"),
        ("Helicone-RateLimit-Policy", b"100;w=60", "tag.no_effect"),
        ("Helicone-Fallbacks", b"[", "tag.no_effect"),
        ("Helicone-Prompt-Mode", b"x", "tag.no_effect"),
        ("Helicone-Experiment-Id", b"x", "tag.no_effect"),
        ("__helicone-mock-response", b"{", "tag.no_effect"),
        ("Helicone-Sesion-Id", b"x", "tag.unknown"),
        ("Helicone-Property-", b"x", "tag.property_key"),
        ("Helicone-Session-Name", b"caf\xe9", "tag.not_text"),
    ] {
        let mut headers = map(&[(name, value)]);
        let (tags, notes, _) = take(&mut headers);
        assert!(headers.is_empty(), "{name}");
        assert_eq!(codes(&notes), [code], "{name}");
        assert!(notes[0].text.to_lowercase().starts_with(&name.to_lowercase()), "{}", notes[0].text);
        assert!(!tags.omit_request && !tags.omit_response && tags.request_id.is_none(), "{name}");
    }
}

#[test]
fn what_is_no_utf8_is_latin_1() {
    let mut headers = map(&[
        ("Helicone-Session-Name", b"R\xe9servation"),
        ("Helicone-Property-Stage", "fr\u{fc}h".as_bytes()),
        ("Helicone-Property-Stage", b"sp\xe4t"),
    ]);
    let (tags, notes, _) = take(&mut headers);
    assert_eq!(tags.session_name.as_deref(), Some("R\u{e9}servation"));
    assert_eq!(tags.properties[0].value, "fr\u{fc}h, sp\u{e4}t");
    assert_eq!(codes(&notes), ["tag.not_text", "tag.not_text"]);
}

#[test]
fn doubled_headers_join() {
    let mut headers =
        map(&[("helicone-session-id", b"a"), ("Helicone-Session-Id", b"b"), ("helicone-property-x", b"1")]);
    headers.append("helicone-property-x", HeaderValue::from_static("2"));
    let (tags, _, _) = take(&mut headers);
    assert_eq!(tags.session_id.as_deref(), Some("a, b"));
    assert_eq!(tags.properties[0].value, "1, 2");
}

#[test]
fn what_is_no_tag_stays_as_it_was() {
    let lines: [(&str, &[u8]); 7] = [
        ("accept", b"a"),
        ("helicone-user-id", b"u"),
        ("x-one", b"1"),
        ("x-stripe-customer-id", b"cus_1"),
        ("x-one", b"\xff"),
        ("helicone-user-id", b"v"),
        ("x-one", b"3"),
    ];
    let mut headers = map(&lines);
    let (tags, _, _) = take(&mut headers);
    assert_eq!(tags.user_id.as_deref(), Some("u, v"));
    let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["accept", "x-one", "x-stripe-customer-id"]);
    let ones: Vec<&[u8]> = headers.get_all("x-one").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(ones, [&b"1"[..], b"\xff", b"3"]);
}

#[test]
fn meta_reads_alike_and_keeps_the_case_of_keys() {
    let (tags, notes) = pairs(&[
        ("Helicone-Session-Id", "s"),
        ("Helicone-Property-Agent-Version", "v1"),
        ("Helicone-Property-AGENT-VERSION", "v2"),
        ("Helicone-Property-Helicone-Session-Id", "not the session"),
        ("Helicone-Auth", "Bearer secret"),
        ("Authorization", "Bearer secret"),
        ("something", "else"),
    ]);
    assert_eq!(codes(&notes), [] as [&str; 0]);
    assert_eq!(tags.session_id.as_deref(), Some("s"));
    assert_eq!(tags.properties[0], Property { key: "Agent-Version".into(), value: "v1, v2".into() });
    assert_eq!(tags.properties[1].key, "Helicone-Session-Id");
    assert!(!format!("{tags:?}{notes:?}").contains("secret"));
}

#[test]
fn everything_is_bounded() {
    let long = "ü".repeat(MAX_VALUE);
    let mut list = vec![
        (format!("Helicone-Property-{}", "k".repeat(300)), long.clone()),
        ("Helicone-Session-Id".to_owned(), long),
        ("Helicone-User-Id".to_owned(), "a\0b".to_owned()),
    ];
    list.extend((0..200).map(|i| (format!("Helicone-Property-p{i}"), String::new())));
    list.extend((0..200).map(|i| (format!("Helicone-Nonsense-{i}"), String::new())));
    let (tags, notes) = from_pairs(list);
    assert_eq!(tags.properties.len(), MAX_PROPERTIES);
    assert_eq!((tags.properties[0].key.len(), tags.properties[0].value.len()), (MAX_KEY, MAX_VALUE));
    assert_eq!(tags.session_id.unwrap().len(), MAX_TEXT);
    assert_eq!(tags.user_id.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(notes.len(), MAX_NOTES);
    assert_eq!(codes(&notes[..5]), ["tag.cut", "tag.cut", "tag.cut", "tag.nul", "tag.properties"]);
}

#[test]
fn headers_win_over_meta() {
    let (mut tags, _) = pairs(&[("Helicone-Session-Id", "header"), ("Helicone-Property-A", "1")]);
    let (meta, _) = pairs(&[
        ("Helicone-Session-Id", "meta"),
        ("Helicone-Session-Path", "/p"),
        ("Helicone-Property-a", "2"),
        ("Helicone-Property-B", "3"),
        ("Helicone-Omit-Response", "true"),
    ]);
    merge_under(&mut tags, meta);
    assert_eq!((tags.session_id.as_deref(), tags.session_path.as_deref()), (Some("header"), Some("/p")));
    assert!(tags.omit_response);
    let all: Vec<_> = tags.properties.iter().map(|p| (p.key.as_str(), p.value.as_str())).collect();
    assert_eq!(all, [("A", "1"), ("B", "3")]);
}
