//! What a call shows of its agent: tool calls, results, where it stands in its conversation, and which calls may be of the
//! same session. Pure; the store finds the others.

use crate::model::agent::{Agent, Delegate, INFERRED, Key, Link, ResultSource, SessionRule, ToolCall, ToolResult};
use crate::model::exchange::{Exchange, Kind, Source};
use crate::model::headers::HeaderLines;
use crate::model::units::Micros;
use crate::wire::calls::ToolCalls;
use crate::wire::messages::{
    Conversation, LEAST_OPENING, Named, PREVIEW_CHARS, Told, canonical, hash, may_name, name_of, named_by_headers,
    opening_state, pair, trace_of, verdict,
};
use crate::wire::{Meaning, json};

/// Bytes of a tool call's arguments that are kept beside it; the body has all of them.
const MOST_ARGUMENTS: usize = 4 * 1024;
/// Characters of a tool's name and id.
const MOST_NAME: usize = 200;
/// Texts of one tool call that another agent may begin with.
const MOST_DELEGATES: usize = 2;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Bodies that are not to be kept: nothing of their text is kept here either.
#[derive(Clone, Copy, Debug)]
pub(super) struct Omit {
    pub request: bool,
    pub response: bool,
}

/// Reads what a model call shows. Its tags are in the row.
pub(super) fn model_call(row: &mut Exchange, meaning: &mut Meaning, infer: bool, omit: Omit) {
    let conversation = meaning.conversation.take();
    let inferring = infer && row.session_id.is_none();
    let empty = Named::default();
    let named = conversation.as_deref().map_or(&empty, |conversation| &conversation.named);
    let mut agent = Agent::default();
    // Read only where they may say something.
    let lines = if inferring && may_name(row.request_headers.json()) {
        row.request_headers.lines()
    } else {
        HeaderLines::new()
    };
    if inferring && let Some((rule, id)) = names_itself(&lines, named) {
        row.session_id = Some(id);
        agent.session_rule = Some(rule);
    }
    let scope = row.session_id.clone().unwrap_or_default();
    let known = conversation.as_deref();
    let ids = known.is_none_or(|conversation| conversation.ids);
    agent.calls = tool_calls(&meaning.calls, known, &scope, ids, omit);
    if let Some(conversation) = known {
        let context = Context { scope: &scope, ids, tail: conversation.tail, waited: conversation.user_since };
        agent.results = results(&conversation.told, ResultSource::Request, &context, omit.request);
        let by_provider = results(&conversation.told_by_provider, ResultSource::Provider, &context, omit.response);
        agent.results.extend(by_provider);
        number(&mut agent.results);
    }
    if inferring {
        agent.link = link((row.started_at, &lines), known, &meaning.calls, agent.session_rule.is_some());
    }
    agent.step = conversation.map(|conversation| conversation.step);
    row.agent = agent;
}

/// A manual log of a tool that names a session may be the result of a call of that session.
pub(super) fn tool_log(row: &mut Exchange, request: &str, response: &str, omit: Omit) {
    let (Source::Manual, Kind::Tool, Some(session)) = (row.source, row.kind, row.session_id.as_deref()) else { return };
    let name = row.model.as_deref().and_then(|model| model.strip_prefix("tool:")).unwrap_or_default();
    let [input] = json::fields(request, ["input"]).values;
    let (ok, rule) = match row.error_rule {
        Some(rule) => (false, rule),
        None => verdict(None, response),
    };
    row.agent.results = vec![ToolResult {
        position: 0,
        pair: same(session, name, &canonical(input.unwrap_or_default())),
        source: ResultSource::Manual,
        ok,
        rule,
        bytes: i64::try_from(response.len()).unwrap_or(i64::MAX),
        preview: if omit.response { String::new() } else { response.chars().take(PREVIEW_CHARS).collect() },
        waited: false,
        state: None,
    }];
}

fn same(session: &str, name: &str, arguments: &str) -> i64 {
    hash("same", &[session, name, arguments])
}

/// An id of the conversation that the call names outright.
fn names_itself(headers: &[(String, String)], named: &Named) -> Option<(SessionRule, String)> {
    if let Some(id) = &named.conversation {
        return Some((SessionRule::Conversation, id.clone()));
    }
    let harness = named_by_headers(headers).or_else(|| named.session.clone());
    harness.map(|id| (SessionRule::Harness, id))
}

fn tool_calls(
    calls: &ToolCalls,
    conversation: Option<&Conversation>,
    scope: &str,
    ids: bool,
    omit: Omit,
) -> Vec<ToolCall> {
    let state = conversation.and_then(|conversation| conversation.step.heads.first().copied());
    let mut rows: Vec<ToolCall> = Vec::new();
    let mut seen: Vec<(String, String)> = Vec::new();
    for call in calls.iter() {
        let (name, arguments) = (name_of(call), canonical(&call.arguments));
        let before = seen.iter().filter(|(n, a)| *n == name && *a == arguments).count();
        // A provider's own run is told with its id whatever the format.
        let ids = ids || call.at_provider;
        let of = Some((name.as_str(), arguments.as_str(), before));
        rows.push(ToolCall {
            position: i32::try_from(rows.len()).unwrap_or(i32::MAX),
            id: call.id.as_deref().map(short),
            form: short(&call.form),
            at_provider: call.at_provider,
            arguments: if omit.response { String::new() } else { start(&call.arguments, MOST_ARGUMENTS).to_owned() },
            arguments_bytes: i64::try_from(call.arguments.len()).unwrap_or(i64::MAX),
            pair: pair(scope, ids, call.id.as_deref(), of).unwrap_or_default(),
            same: (!scope.is_empty() && !call.at_provider).then(|| same(scope, &name, &arguments)),
            state,
            name: short(&name),
        });
        seen.push((name, arguments));
    }
    rows
}

struct Context<'c> {
    scope: &'c str,
    ids: bool,
    tail: Option<i64>,
    waited: bool,
}

fn results(told: &[Told], source: ResultSource, context: &Context<'_>, omitted: bool) -> Vec<ToolResult> {
    let one = |told: &Told| {
        let of = told.of.as_ref().map(|(name, arguments, before)| (name.as_str(), arguments.as_str(), *before));
        let ids = context.ids || source == ResultSource::Provider;
        Some(ToolResult {
            position: 0,
            pair: pair(context.scope, ids, told.id.as_deref(), of)?,
            source,
            ok: told.ok,
            rule: told.rule,
            bytes: i64::try_from(told.bytes).unwrap_or(i64::MAX),
            preview: if omitted { String::new() } else { told.preview.clone() },
            waited: source == ResultSource::Request && context.waited,
            state: context.tail,
        })
    };
    told.iter().filter_map(one).collect()
}

fn number(results: &mut [ToolResult]) {
    for (position, result) in (0..).zip(results) {
        result.position = position;
    }
}

/// When a call began, and its header lines.
type Sent<'h> = (Micros, &'h [(String, String)]);

/// What other calls can be found by. `None` where there is nothing.
fn link(sent: Sent<'_>, conversation: Option<&Conversation>, calls: &ToolCalls, has_session: bool) -> Option<Link> {
    let empty = Conversation::default();
    let conversation = conversation.unwrap_or(&empty);
    let mut link = Link { opening: conversation.opening.clone(), delegates: delegates(calls), ..Link::default() };
    if !has_session {
        link.continues.clone_from(&conversation.continues);
        link.rule = conversation.rule;
        link.key = key(sent, &conversation.named);
    }
    let shows = !link.opening.is_empty() || !link.delegates.is_empty() || !conversation.step.heads.is_empty();
    (shows || link.key.is_some() || !link.continues.is_empty()).then_some(link)
}

/// The first of the rules by which calls of one conversation carry the same text.
fn key((started_at, headers): Sent<'_>, named: &Named) -> Option<Key> {
    if named.previous.is_some() {
        return None;
    }
    let (rule, text) = if let Some(text) = &named.prompt_cache_key {
        (SessionRule::PromptCacheKey, format!("{} {text}", day(started_at)))
    } else if let Some(text) = &named.user {
        (SessionRule::MetadataUser, format!("{} {text}", day(started_at)))
    } else {
        (SessionRule::Trace, trace_of(headers)?)
    };
    let state = hash(rule.as_str(), &[&text]);
    let digest = blake3::hash(format!("{} {text}", rule.as_str()).as_bytes()).to_hex();
    Some(Key { rule, state, session: format!("{INFERRED}{}", start(&digest, 32)) })
}

/// Cache keys and users last for years: their calls of one day (UTC) are one session.
const fn day(at: Micros) -> i64 {
    at.0.div_euclid(DAY_US)
}

/// Long texts among a tool call's arguments: another agent may begin with them.
fn delegates(calls: &ToolCalls) -> Vec<Delegate> {
    let mut found = Vec::new();
    for (position, call) in calls.iter().enumerate().filter(|(_, call)| !call.at_provider) {
        let mut texts: Vec<String> = Vec::new();
        json::entries(&call.arguments, |_, value| {
            if let Some(text) = json::text(value).filter(|text| text.trim().len() >= LEAST_OPENING) {
                texts.push(text.into_owned());
            }
        });
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let id = call.id.clone().unwrap_or_else(|| position.to_string());
        let path = format!("/{}/{}", segment(&name_of(call)), segment(&id));
        for text in texts.iter().take(MOST_DELEGATES) {
            found.push(Delegate { state: opening_state(text), path: path.clone() });
        }
    }
    found
}

/// A name as one segment of a path.
fn segment(text: &str) -> String {
    short(text).replace('/', "_")
}

fn short(text: &str) -> String {
    text.chars().take(MOST_NAME).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
