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
mod tests;
