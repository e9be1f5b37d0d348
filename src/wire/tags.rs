//! Control headers: `Helicone-*` in, [`Tags`] out, nothing left for the upstream.
//!
//! One reader serves the headers of a proxied call, those of a manual log, and the log's `meta`. It never fails: what it
//! cannot use becomes a [`Note`] that names the header, the reason and the fix. Notes never hold values (one could be a
//! key). Names and rules follow Helicone's, without its limits on UUID versions.
//!
//! Invariants: after [`take`] no header of the map begins with `helicone-`; `Helicone-Auth` appears only in [`Control`];
//! sizes of what is kept are bounded by the constants below.

use std::borrow::Cow;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use uuid::Uuid;

use crate::model::id::RequestId;
use crate::model::tags::{Note, Property, Tags};

/// Properties that one call may carry.
pub const MAX_PROPERTIES: usize = 100;
/// Bytes of a property's key.
pub const MAX_KEY: usize = 256;
/// Bytes of a property's value.
pub const MAX_VALUE: usize = 64 * 1024;
/// Bytes of any other tag.
pub const MAX_TEXT: usize = 8 * 1024;
/// Notes that the tags of one call may cause.
const MAX_NOTES: usize = 50;

const PREFIX: &str = "helicone-";
const PROPERTY: &str = "helicone-property-";
const STRIPE: &str = "x-stripe-customer-id";
const STRIPE_PROPERTY: &str = "stripe_customer_id";
/// A prompt's id is a property too, under the name that the original writes.
const PROMPT_PROPERTY: &str = "Helicone-Prompt-Id";
const MOCK: &str = "__helicone-mock-response";
/// Between values of one name, which are one value by HTTP's rules.
const JOINT: &str = ", ";

/// Headers of Helicone that this gateway knows and that change nothing here, by the beginning of their names.
const WITHOUT_EFFECT: [&str; 33] = [
    "cache-enabled",
    "cache-save",
    "cache-read",
    "cache-control",
    "cache-seed",
    "cache-bucket-max-size",
    "cache-ignore-keys",
    "retry-enabled",
    "retry-num",
    "retry-factor",
    "retry-min-timeout",
    "retry-max-timeout",
    "fallbacks",
    "increase-timeout",
    "ratelimit-policy",
    "rate-limit-policy",
    "gateway-body-mapping",
    "target-provider",
    "moderations-enabled",
    "llm-security-enabled",
    "llm-security-advanced",
    "prompt-security-enabled",
    "token-limit-exception-handler",
    "stream-force-format",
    "posthog-key",
    "posthog-host",
    "lytix-key",
    "lytix-host",
    "webhook-enabled",
    "node-id",
    "manual-access-key",
    "jwt",
    "org-id",
];

/// The same, where a whole family begins alike.
const FAMILIES_WITHOUT_EFFECT: [&str; 2] = ["prompt-", "experiment-"];

/// What the gateway itself needs from the control headers; never stored.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// The raw value of `Helicone-Auth`, such as `Bearer sk-…`.
    pub auth: Option<SecretString>,
}

/// Takes every `Helicone-*` header out of the map and reads it. `x-stripe-customer-id` is read last and stays for the upstream.
pub fn take(headers: &mut HeaderMap) -> (Tags, Vec<Note>, Control) {
    let mut reader = Reader::default();
    if headers.keys().any(is_control) {
        for (name, text) in split(headers, &mut reader) {
            reader.read(name.as_str(), text);
        }
    }
    let mut customers = headers.get_all(STRIPE).iter().peekable();
    if customers.peek().is_some() {
        let texts: Vec<String> = customers.map(|value| reader.decode(STRIPE, value)).collect();
        reader.read(STRIPE, texts.join(JOINT));
    }
    reader.finish()
}

/// Control headers with their values. What is left moves into a new map: to look up each that goes, and to close the gap behind
/// it, would cost more.
fn split(headers: &mut HeaderMap, reader: &mut Reader) -> Vec<(HeaderName, String)> {
    let mut left = HeaderMap::with_capacity(headers.len());
    let mut taken: Vec<(HeaderName, String)> = Vec::new();
    let mut taking = false;
    for (name, value) in std::mem::take(headers) {
        if let Some(name) = &name {
            taking = is_control(name);
        }
        match (name, taking) {
            (Some(name), true) => {
                let text = reader.decode(name.as_str(), &value);
                taken.push((name, text));
            }
            (Some(name), false) => drop(left.append(name, value)),
            // Further values come without their name.
            (None, true) => {
                if let Some((name, joined)) = taken.last_mut() {
                    joined.push_str(JOINT);
                    joined.push_str(&reader.decode(name.as_str(), &value));
                }
            }
            (None, false) => {
                if let Some(name) = left.keys().last().cloned() {
                    left.append(name, value);
                }
            }
        }
    }
    *headers = left;
    taken
}

fn is_control(name: &HeaderName) -> bool {
    name.as_str().starts_with(PREFIX) || name == MOCK
}

/// Reads the same tags from pairs of name and value, such as a manual log's `meta`. Other names are passed over.
pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> (Tags, Vec<Note>) {
    let mut reader = Reader::default();
    for (name, value) in pairs {
        reader.read(&name, value);
    }
    let (tags, notes, _) = reader.finish();
    (tags, notes)
}

/// Fills what `tags` does not say from `under`. Switches are on where either is.
pub fn merge_under(tags: &mut Tags, under: Tags) {
    fn fill<T>(slot: &mut Option<T>, from: Option<T>) {
        if slot.is_none() {
            *slot = from;
        }
    }
    fill(&mut tags.session_id, under.session_id);
    fill(&mut tags.session_name, under.session_name);
    fill(&mut tags.session_path, under.session_path);
    fill(&mut tags.user_id, under.user_id);
    fill(&mut tags.request_id, under.request_id);
    fill(&mut tags.model_override, under.model_override);
    fill(&mut tags.prompt_id, under.prompt_id);
    fill(&mut tags.target_url, under.target_url);
    fill(&mut tags.openai_api_base, under.openai_api_base);
    tags.omit_request |= under.omit_request;
    tags.omit_response |= under.omit_response;
    tags.stream_usage |= under.stream_usage;
    for property in under.properties {
        if tags.properties.len() < MAX_PROPERTIES && !tags.properties.iter().any(|p| same_key(&p.key, &property.key)) {
            tags.properties.push(property);
        }
    }
}

fn same_key(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

#[derive(Default)]
struct Reader {
    tags: Tags,
    notes: Vec<Note>,
    control: Control,
    properties_dropped: bool,
}

impl Reader {
    fn finish(self) -> (Tags, Vec<Note>, Control) {
        (self.tags, self.notes, self.control)
    }

    /// A note that begins with the header's name. Header names come from outside, so they are shortened.
    fn note(&mut self, code: &str, name: &str, rest: &str) {
        if self.notes.len() < MAX_NOTES {
            let name = shown(name);
            self.notes.push(Note::new(code, format!("{name} {rest}.")));
        }
    }

    fn decode(&mut self, name: &str, value: &HeaderValue) -> String {
        if let Ok(text) = std::str::from_utf8(value.as_bytes()) {
            return text.to_owned();
        }
        // What clients send that write a character as one byte.
        self.note("tag.not_text", name, "is not valid UTF-8 and was read as ISO-8859-1. Send UTF-8");
        value.as_bytes().iter().copied().map(char::from).collect()
    }

    fn read(&mut self, name: &str, value: String) {
        let name = name.trim();
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let lower = if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) };
        if lower == STRIPE {
            return self.property(name, STRIPE_PROPERTY, value);
        }
        if lower == MOCK {
            return self.without_effect(name);
        }
        if lower.starts_with(PROPERTY) {
            let key = name.get(PROPERTY.len()..).unwrap_or("");
            return self.property(name, key, value);
        }
        let Some(tag) = lower.strip_prefix(PREFIX) else { return };
        match tag {
            "auth" => {
                if !value.is_empty() {
                    self.control.auth = Some(SecretString::from(value));
                }
            }
            "session-id" => self.tags.session_id = self.text(name, value),
            "session-name" => self.tags.session_name = self.text(name, value),
            "session-path" => self.tags.session_path = self.text(name, value),
            "user-id" => self.tags.user_id = self.text(name, value),
            "model-override" => self.tags.model_override = self.text(name, value),
            "prompt-id" => {
                self.tags.prompt_id = self.text(name, value);
                if let Some(id) = self.tags.prompt_id.clone() {
                    self.property(name, PROMPT_PROPERTY, id);
                }
            }
            "target-url" => self.tags.target_url = self.text(name, value),
            "openai-api-base" => self.tags.openai_api_base = self.text(name, value),
            "request-id" => self.tags.request_id = self.request_id(name, &value),
            "omit-request" => self.tags.omit_request = self.switch(name, &value),
            "omit-response" => self.tags.omit_response = self.switch(name, &value),
            "stream-usage" => self.tags.stream_usage = self.switch(name, &value),
            _ if WITHOUT_EFFECT.contains(&tag) || FAMILIES_WITHOUT_EFFECT.iter().any(|f| tag.starts_with(f)) => {
                self.without_effect(name);
            }
            _ => self.note(
                "tag.unknown",
                name,
                "is not a header that this gateway knows; it was removed and has no effect. Check its spelling",
            ),
        }
    }

    fn without_effect(&mut self, name: &str) {
        self.note("tag.no_effect", name, "has no effect here: this gateway does not offer that function. Leave it out");
    }

    /// Text within its limit, without NULs (no database keeps those); empty is absent.
    fn text(&mut self, name: &str, value: String) -> Option<String> {
        self.bounded(name, value, MAX_TEXT).filter(|text| !text.is_empty())
    }

    fn bounded(&mut self, name: &str, mut value: String, limit: usize) -> Option<String> {
        if value.contains('\0') {
            self.note("tag.nul", name, "has a NUL character, which was replaced. Send text without NULs");
            value = value.replace('\0', "\u{fffd}");
        }
        if value.len() > limit {
            self.note("tag.cut", name, &format!("is longer than {limit} bytes and was cut there. Send a shorter one"));
            value.truncate(value.floor_char_boundary(limit));
        }
        Some(value)
    }

    fn request_id(&mut self, name: &str, value: &str) -> Option<RequestId> {
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        let id = Uuid::try_parse(value).ok().filter(|id| !id.is_nil()).map(RequestId);
        if id.is_none() {
            self.note(
                "tag.request_id",
                name,
                "is no UUID of a call, so the call got an id of its own. Send a UUID of any version, not the nil one",
            );
        }
        id
    }

    fn switch(&mut self, name: &str, value: &str) -> bool {
        if !matches!(value, "true" | "false" | "") {
            self.note("tag.switch", name, "is neither true nor false and counts as false. Send exactly true");
        }
        value == "true"
    }

    fn property(&mut self, name: &str, key: &str, value: String) {
        if key.is_empty() {
            return self.note("tag.property_key", name, "has no key behind its prefix. Send Helicone-Property-<Key>");
        }
        let Some(key) = self.bounded(name, key.to_owned(), MAX_KEY) else { return };
        let Some(value) = self.bounded(name, value, MAX_VALUE) else { return };
        if let Some(same) = self.tags.properties.iter_mut().find(|p| same_key(&p.key, &key)) {
            same.value.push_str(", ");
            same.value.push_str(&value);
            let joined = std::mem::take(&mut same.value);
            let joined = self.bounded(name, joined, MAX_VALUE).unwrap_or_default();
            if let Some(same) = self.tags.properties.iter_mut().find(|p| same_key(&p.key, &key)) {
                same.value = joined;
            }
            return;
        }
        if self.tags.properties.len() >= MAX_PROPERTIES {
            if !self.properties_dropped {
                self.properties_dropped = true;
                self.note(
                    "tag.properties",
                    name,
                    &format!(
                        "and maybe more were dropped: a call carries at most {MAX_PROPERTIES} properties. Send fewer"
                    ),
                );
            }
            return;
        }
        self.tags.properties.push(Property { key, value });
    }
}

/// A header's name as a note shows it: `Helicone-Session-Id`, not too long, no control characters.
fn shown(name: &str) -> String {
    let mut shown = String::new();
    let mut upper = true;
    for c in name.chars().take(100) {
        shown.push(match c {
            c if c.is_control() => '?',
            c if upper => c.to_ascii_uppercase(),
            c => c,
        });
        upper = c == '-';
    }
    shown
}

#[cfg(test)]
mod tests {
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
}
