//! The conversation that a request carries: who said what, tool results, system prompt, tool definitions. Pure and total.
//!
//! A conversation is a row of states: each is the hash of the one before it and of one message, so a request that begins
//! with an earlier request's messages and its answer shows the state behind that answer. What clients change on the way is
//! left out of the hash: white space at the ends, thinking, ids of messages, cache marks, reminders that agents put in, and
//! what tool results say (agents clear old ones). The system prompt and the tool definitions have hashes of their own.

mod answer;
mod anthropic;
mod chat;
mod converse;
mod gemini;
mod harness;
mod interactions;
mod responses;
mod verdict;

use std::borrow::Cow;

use serde_json::Value;

use super::api::Api;
use super::calls::{ToolCall, ToolCalls};
use super::json;
use super::request::Request;
use super::scan::{below, copy_before};
use crate::model::agent::{Point, SessionRule, Step};

pub use self::answer::Said;
pub use self::harness::{Named, may_name, named_by_headers, trace_of};
pub use self::verdict::{PREVIEW_CHARS, says_something, verdict};

/// Points kept of one request: the latest. Whoever continues an older one has cut much off.
const MOST_POINTS: usize = 64;
/// Texts of the first message that may have been handed over by another agent.
const MOST_OPENINGS: usize = 8;
/// Bytes of a text that two agents do not write by chance.
pub const LEAST_OPENING: usize = 20;
/// Results kept of one request.
const MOST_RESULTS: usize = 256;
/// What agents put between a person's words.
const REMINDER: &str = "<system-reminder>";

/// What was read of a conversation.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    pub step: Step,
    /// States whose call the request continues, the best first, and by which rule.
    pub continues: Vec<i64>,
    pub rule: Option<SessionRule>,
    /// The state in front of what is new.
    pub tail: Option<i64>,
    pub opening: Vec<i64>,
    /// Results that no earlier request told.
    pub told: Vec<Told>,
    /// Results of tools that ran at the provider, told by the answer.
    pub told_by_provider: Vec<Told>,
    /// A person wrote something besides the results.
    pub user_since: bool,
    /// Whether tool calls have ids that results repeat.
    pub ids: bool,
    pub named: Named,
}

/// A tool's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub id: Option<String>,
    /// Name and canonical arguments of the call, and how many like it came before it in the same answer; known where the
    /// request carries the call too.
    pub of: Option<(String, String, usize)>,
    pub ok: bool,
    pub rule: &'static str,
    pub bytes: usize,
    pub preview: String,
}

/// A hash as the store keeps it.
pub fn hash(domain: &str, parts: &[&str]) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(domain.as_bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    finish(&hasher)
}

fn finish(hasher: &blake3::Hasher) -> i64 {
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    i64::from_le_bytes(first)
}

/// The state of an answer that is kept at the provider under this id.
pub fn response_state(id: &str) -> i64 {
    hash("response", &[id])
}

/// What a text hands over to whoever begins with it.
pub fn opening_state(text: &str) -> i64 {
    hash("opening", &[text.trim()])
}

/// Arguments with sorted keys and without white space; what is no JSON stays as it is.
pub fn canonical(arguments: &str) -> String {
    match json::value(arguments) {
        Some(value) => {
            let mut text = String::with_capacity(arguments.len());
            write_sorted(&value, &mut text);
            text
        }
        None if arguments.trim().is_empty() => "{}".to_owned(),
        None => arguments.trim().to_owned(),
    }
}

/// Recursive; `serde_json` reads no value that is nested more than 128 deep.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in fields {
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write_sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(item, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// Reads a conversation; `said` is what a whole answer said. `None` for interfaces that have none.
pub(super) fn read(api: Api, request: &Request<'_>, calls: &ToolCalls, said: Option<Said>) -> Option<Conversation> {
    let ids = !matches!(api, Api::GenerateContent | Api::StreamContent | Api::OllamaChat);
    let mut scribe = Scribe { ids, ..Scribe::default() };
    match api {
        Api::Chat | Api::CohereChat | Api::OllamaChat => chat::read(request, &mut scribe),
        Api::Responses => responses::read(request, &mut scribe),
        Api::Messages => anthropic::read(request, &mut scribe),
        Api::Invoke if request.text.contains("anthropic_version") => anthropic::read(request, &mut scribe),
        Api::GenerateContent | Api::StreamContent => gemini::read(request, &mut scribe),
        Api::Interactions => interactions::read(request, &mut scribe),
        Api::Converse => converse::read(request, &mut scribe),
        _ => return None,
    }
    let mut conversation = scribe.close();
    conversation.named = harness::named_by_body(request);
    if let Some(id) = &conversation.named.previous {
        conversation.tail = Some(response_state(id));
        conversation.step.points = vec![Point { state: response_state(id), messages: 0 }];
        conversation.rule = Some(SessionRule::PreviousResponse);
    }
    conversation.continues = conversation.step.points.iter().rev().map(|point| point.state).collect();
    match said {
        Some(said) => answer::add(said, calls, &mut conversation),
        None => conversation.step.heads.clear(),
    }
    Some(conversation)
}

/// A call as a request repeats it.
#[derive(Clone, Debug)]
struct Asked {
    id: Option<String>,
    name: String,
    arguments: String,
}

/// Writes a request's messages down as an adapter of a format reads them out.
#[derive(Debug, Default)]
struct Scribe {
    ids: bool,
    state: i64,
    messages: u32,
    points: Vec<Point>,
    system: Option<blake3::Hasher>,
    tools: Option<i64>,
    /// The answer that is being read: its text and calls.
    turn: Option<(String, Vec<Asked>)>,
    /// Calls of the last answer.
    asked: Vec<Asked>,
    told: Vec<(Option<String>, Option<String>, Told)>,
    user_since: bool,
    opening: Vec<i64>,
}

impl Scribe {
    /// The next element of the list of messages.
    fn message(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    fn system(&mut self, raw: Option<&str>) {
        let Some(raw) = json::non_null(raw) else { return };
        let hasher = self.system.get_or_insert_with(blake3::Hasher::new);
        each_text(raw, &mut |text| {
            hasher.update(text.trim().as_bytes());
            hasher.update(&[0]);
        });
    }

    fn tools(&mut self, raw: Option<&str>) {
        if let Some(raw) = json::non_null(raw).filter(|raw| *raw != "[]") {
            self.tools = Some(hash("tools", &[raw]));
        }
    }

    /// A person's words.
    fn user(&mut self, text: &str) {
        let text = text.trim();
        self.end_turn();
        if text.is_empty() || text.starts_with(REMINDER) {
            return;
        }
        self.user_since = true;
        if self.points.is_empty() && text.len() >= LEAST_OPENING && self.opening.len() < MOST_OPENINGS {
            // Its hash stands for the text: a long one is not hashed twice.
            let opening = opening_state(text);
            self.opening.push(opening);
            self.mix(b'o', &opening.to_le_bytes());
        } else {
            self.mix(b'u', text.as_bytes());
        }
    }

    /// A picture, a document and so on: its own bytes, without what stands around them.
    fn media(&mut self, raw: &str) {
        self.end_turn();
        self.user_since = true;
        self.mix(b'm', raw.as_bytes());
    }

    fn answer_text(&mut self, text: &str) {
        let so_far = &mut self.turn.get_or_insert_default().0;
        so_far.push_str(text);
        so_far.push(' ');
    }

    fn call(&mut self, id: Option<String>, name: String, arguments: &str) {
        let call = Asked { id, name, arguments: canonical(arguments) };
        self.turn.get_or_insert_default().1.push(call);
    }

    fn result(&mut self, id: Option<String>, name: Option<String>, failed: Option<bool>, raw: Option<&str>) {
        self.end_turn();
        self.mix(b't', if self.ids { id.as_deref().unwrap_or_default().as_bytes() } else { b"" });
        if self.told.len() < MOST_RESULTS {
            self.told.push((id, name, told(failed, raw)));
        }
    }

    fn mix(&mut self, kind: u8, bytes: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.state.to_le_bytes());
        hasher.update(&[kind]);
        hasher.update(bytes);
        self.state = finish(&hasher);
    }

    /// An answer is over: other calls may continue from here.
    fn end_turn(&mut self) {
        let Some((text, calls)) = self.turn.take() else { return };
        if text.trim().is_empty() && calls.is_empty() {
            return;
        }
        self.state = behind(self.state, &text, &calls, self.ids);
        self.points.push(Point { state: self.state, messages: self.messages.saturating_sub(1) });
        self.asked = calls;
        self.told.clear();
        self.user_since = false;
    }

    fn close(mut self) -> Conversation {
        if self.turn.is_some() {
            // The request ends with an answer: one that is to go on.
            self.messages = self.messages.saturating_add(1);
            self.end_turn();
            self.messages = self.messages.saturating_sub(1);
        }
        let cut = self.points.len().saturating_sub(MOST_POINTS);
        let points = self.points.split_off(cut);
        let tail = points.last().map(|point| point.state);
        let told = resolve(self.told, &self.asked);
        Conversation {
            rule: (!points.is_empty()).then_some(SessionRule::Messages),
            step: Step {
                messages: self.messages,
                system: self.system.map(|hasher| finish(&hasher)),
                tools: self.tools,
                // The state behind the request; the answer makes the head of it.
                heads: if self.state == 0 { Vec::new() } else { vec![self.state] },
                points,
            },
            tail,
            opening: self.opening,
            told,
            user_since: self.user_since,
            ids: self.ids,
            ..Conversation::default()
        }
    }
}

/// The state behind an answer.
fn behind(state: i64, text: &str, calls: &[Asked], ids: bool) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&state.to_le_bytes());
    hasher.update(b"a");
    // Texts come in parts that clients join and split at will. In one piece: a hash of each word by itself is slow.
    hasher.update(&without_blanks(text.as_bytes()));
    for call in calls {
        for part in [call.id.as_deref().filter(|_| ids).unwrap_or_default(), &call.name, &call.arguments] {
            hasher.update(&[0]);
            hasher.update(part.as_bytes());
        }
    }
    finish(&hasher)
}

/// A text without ASCII white space.
fn without_blanks(mut text: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(text.len());
    loop {
        // All white space is among these bytes, and little else.
        let at = copy_before(text, &mut words, |word| below(word, 0x21));
        let Some(byte) = text.get(at) else { return words };
        if !byte.is_ascii_whitespace() {
            words.push(*byte);
        }
        text = text.get(at + 1..).unwrap_or_default();
    }
}

/// Finds for each result the call that it answers: by id, else by name and order, else by order.
fn resolve(told: Vec<(Option<String>, Option<String>, Told)>, asked: &[Asked]) -> Vec<Told> {
    let mut free: Vec<Option<usize>> = (0..asked.len()).map(Some).collect();
    told.into_iter()
        .map(|(id, name, mut told)| {
            let by = |fits: &dyn Fn(&Asked) -> bool, free: &[Option<usize>]| {
                free.iter().flatten().copied().find(|index| asked.get(*index).is_some_and(fits))
            };
            let found = match (&id, &name) {
                (Some(id), _) if asked.iter().any(|call| call.id.as_ref() == Some(id)) => {
                    by(&|call| call.id.as_ref() == Some(id), &free)
                }
                (_, Some(name)) => by(&|call| call.name == *name, &free),
                _ => by(&|_| true, &free),
            };
            if let Some(index) = found
                && let Some(call) = asked.get(index)
            {
                if let Some(slot) = free.get_mut(index) {
                    *slot = None;
                }
                told.of = Some((call.name.clone(), call.arguments.clone(), alike(asked.iter().take(index), call)));
            }
            told.id = id;
            told
        })
        .collect()
}

fn alike<'a>(before: impl Iterator<Item = &'a Asked>, call: &Asked) -> usize {
    before.filter(|other| other.name == call.name && other.arguments == call.arguments).count()
}

/// A result with its verdict.
fn told(failed: Option<bool>, raw: Option<&str>) -> Told {
    let raw = raw.unwrap_or("");
    let mut text = String::new();
    each_text(raw, &mut |part| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    });
    let shown: &str = if text.is_empty() && !raw.starts_with('"') && raw != "null" { raw } else { &text };
    let (ok, rule) = verdict(failed, shown);
    let preview = shown.chars().take(PREVIEW_CHARS).collect();
    Told { ok, rule, bytes: shown.len(), preview, ..Told::default() }
}

/// The texts of a content: a string, an object with `text`, or a list of these.
fn each_text(raw: &str, take: &mut dyn FnMut(&str)) {
    if let Some(text) = json::text(raw) {
        take(&text);
    } else if raw.starts_with('[') {
        json::each(raw, ["text"], |part, [text]| {
            if let Some(text) = json::text(text.unwrap_or(part)) {
                take(&text);
            }
        });
    } else {
        let [text] = json::fields(raw, ["text"]).values;
        if let Some(text) = text.and_then(json::text) {
            take(&text);
        }
    }
}

/// A call's arguments: a JSON text in a string, or the object itself.
fn arguments<'a>(raw: Option<&'a str>) -> Cow<'a, str> {
    match json::non_null(raw) {
        Some(raw) => json::text(raw).unwrap_or(Cow::Borrowed(raw)),
        None => Cow::Borrowed(""),
    }
}

/// The calls of an answer that ask the client, as a later request repeats them.
fn asked_by(calls: &ToolCalls) -> Vec<Asked> {
    let asks = calls.iter().filter(|call| !call.at_provider);
    asks.map(|call| Asked { id: call.id.clone(), name: name_of(call), arguments: canonical(&call.arguments) }).collect()
}

/// What a call is shown as: its name, or its form where it has none.
pub fn name_of(call: &ToolCall) -> String {
    call.name.clone().unwrap_or_else(|| call.form.clone())
}

/// What a call and its result show alike. `before`: calls of the same answer with the same name and arguments.
pub fn pair(scope: &str, ids: bool, id: Option<&str>, of: Option<(&str, &str, usize)>) -> Option<i64> {
    match (id.filter(|_| ids), of) {
        (Some(id), _) => Some(hash("id", &[scope, id])),
        (None, Some((name, arguments, before))) => Some(hash("call", &[scope, name, arguments, &before.to_string()])),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
