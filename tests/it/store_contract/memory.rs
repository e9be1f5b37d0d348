//! What the store promises, over calls in memory: written from the promises, slow and plain, sharing no code with the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use trailgate::model::capture::Kept;
use trailgate::model::exchange::{Exchange, KeptBody, Kind, Usage};
use trailgate::model::filter::{CallField, Field, Filter, Leaf, NumberOp, SessionField, Test, TextOp};
use trailgate::model::session::{SessionOutcome, SessionRow, Totals};
use trailgate::model::units::{Micros, NanoUsd};

/// A text as it is stored.
pub fn stored(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn optional(text: Option<&String>) -> Option<String> {
    text.map(|t| stored(t))
}

/// Sessions by id, from their calls.
pub fn sessions(calls: &[Exchange]) -> BTreeMap<String, SessionRow> {
    let mut groups: BTreeMap<String, Vec<&Exchange>> = BTreeMap::new();
    for call in calls {
        if let Some(id) = call.session_id.as_deref().filter(|id| !id.is_empty()) {
            groups.entry(stored(id)).or_default().push(call);
        }
    }
    groups.into_iter().map(|(id, calls)| (id.clone(), session(id, &calls))).collect()
}

fn session(id: String, calls: &[&Exchange]) -> SessionRow {
    let named = calls.iter().filter_map(|c| {
        let name = optional(c.session_name.as_ref()).filter(|name| !name.is_empty())?;
        Some((c.started_at, name))
    });
    let last_ended_at = calls.iter().map(|c| c.ended_at).max().unwrap();
    let last_failed = calls.iter().any(|c| c.ended_at == last_ended_at && c.error_rule.is_some());
    let totals = totals(calls.iter().copied());
    let users: BTreeSet<String> =
        calls.iter().filter_map(|c| optional(c.user_id.as_ref())).filter(|user| !user.is_empty()).collect();
    SessionRow {
        id,
        name: named.max().map(|(_, name)| name).unwrap_or_default(),
        first_at: calls.iter().map(|c| c.started_at).min().unwrap(),
        last_started_at: calls.iter().map(|c| c.started_at).max().unwrap(),
        last_ended_at,
        totals,
        busy_us: busy(calls),
        outcome: SessionOutcome::judge(totals.errors, last_failed),
        user_ids: users.into_iter().collect(),
        tag: None,
        matching: None,
    }
}

fn busy(calls: &[&Exchange]) -> i64 {
    let mut spans: Vec<(Micros, Micros)> = calls.iter().map(|c| (c.started_at, c.ended_at)).collect();
    spans.sort_unstable();
    let mut merged: Vec<(Micros, Micros)> = Vec::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged.into_iter().map(|(start, end)| end - start).sum()
}

pub fn totals<'a>(calls: impl Iterator<Item = &'a Exchange>) -> Totals {
    let mut sum = Totals::default();
    for call in calls {
        sum.calls += 1;
        sum.errors += i64::from(call.error_rule.is_some());
        sum.cost = NanoUsd(sum.cost.0 + call.cost.as_ref().map_or(0, |c| c.amount.0));
        let silent = call.error_rule.is_some() && call.usage.is_none();
        sum.unpriced += i64::from(call.kind == Kind::Llm && call.cost.is_none() && !silent);
        sum.latency_sum_us += call.duration_us();
        let u = call.usage.unwrap_or_default();
        sum.usage = Usage {
            prompt_tokens: sum.usage.prompt_tokens + u.prompt_tokens,
            prompt_cache_read_tokens: sum.usage.prompt_cache_read_tokens + u.prompt_cache_read_tokens,
            prompt_cache_write_tokens: sum.usage.prompt_cache_write_tokens + u.prompt_cache_write_tokens,
            prompt_cache_write_1h_tokens: sum.usage.prompt_cache_write_1h_tokens + u.prompt_cache_write_1h_tokens,
            prompt_audio_tokens: sum.usage.prompt_audio_tokens + u.prompt_audio_tokens,
            completion_tokens: sum.usage.completion_tokens + u.completion_tokens,
            completion_audio_tokens: sum.usage.completion_audio_tokens + u.completion_audio_tokens,
            reasoning_tokens: sum.usage.reasoning_tokens + u.reasoning_tokens,
            prompt_image_tokens: sum.usage.prompt_image_tokens + u.prompt_image_tokens,
            completion_image_tokens: sum.usage.completion_image_tokens + u.completion_image_tokens,
            web_searches: sum.usage.web_searches + u.web_searches,
            tool_units: sum.usage.tool_units + u.tool_units,
            search_units: sum.usage.search_units + u.search_units,
        };
    }
    sum
}

/// Whether a call passes, given its session.
pub fn passes(filter: &Filter, call: &Exchange, session: Option<&SessionRow>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes(part, call, session)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, call, session)),
        Filter::Leaf(leaf) => leaf_passes(leaf, call, session),
    }
}

fn leaf_passes(leaf: &Leaf, call: &Exchange, session: Option<&SessionRow>) -> bool {
    match &leaf.field {
        Field::Call(field) => call_field(*field, call).passes(&leaf.test),
        Field::Property(key) => match key.to_lowercase().as_str() {
            "helicone-session-id" => Shown::Text(optional(call.session_id.as_ref())).passes(&leaf.test),
            "helicone-session-name" => Shown::Text(optional(call.session_name.as_ref())).passes(&leaf.test),
            "helicone-session-path" => Shown::Text(optional(call.session_path.as_ref())).passes(&leaf.test),
            lower => {
                let found = call.properties.iter().find(|p| p.key.to_lowercase() == lower);
                Shown::Text(found.map(|p| stored(&p.value))).passes(&leaf.test)
            }
        },
        Field::PropertyKey => {
            let Test::Text(op, name) = &leaf.test else { panic!("a key is text") };
            let (positive, negated) = match op {
                TextOp::NotEquals => (TextOp::Equals, true),
                TextOp::NotContains => (TextOp::Contains, true),
                op => (*op, false),
            };
            let has = call.properties.iter().any(|p| match positive {
                TextOp::Equals => p.key.to_lowercase() == name.to_lowercase(),
                op => text_passes(&stored(&p.key), op, &stored(name)),
            });
            has != negated
        }
        Field::Session(field) => session.is_some_and(|s| session_field(*field, s).passes(&leaf.test)),
        Field::Score(_) | Field::User(_) => panic!("not in this model"),
    }
}

enum Shown {
    /// A body, where one was kept and it can be read.
    Body {
        kept: bool,
        text: Option<String>,
    },
    Text(Option<String>),
    Number(Option<f64>),
    Bool(bool),
    Time(Micros),
}

impl Shown {
    fn passes(&self, test: &Test) -> bool {
        match (self, test) {
            (Self::Body { kept, .. }, Test::IsNull(null)) => kept != null,
            (Self::Body { text, .. }, Test::Text(op, term)) => {
                text.as_ref().is_some_and(|text| text_passes(text, *op, term))
            }
            (Self::Text(text), Test::IsNull(null)) => text.is_none() == *null,
            (Self::Text(text), Test::Text(op, term)) => {
                text_passes(text.as_deref().unwrap_or_default(), *op, &stored(term))
            }
            (Self::Number(number), Test::Number(op, wanted)) => match number {
                None => *op == NumberOp::NotEquals,
                Some(number) => ordered(*op, number.total_cmp(wanted)),
            },
            (Self::Bool(flag), Test::Bool(wanted)) => flag == wanted,
            (Self::Time(at), Test::Time(op, wanted)) => {
                let at = if wanted.0 % 1_000 == 0 { Micros(at.0 - at.0 % 1_000) } else { *at };
                ordered(*op, at.cmp(wanted))
            }
            _ => panic!("the parser lets no such test through"),
        }
    }
}

pub fn ordered(op: NumberOp, is: std::cmp::Ordering) -> bool {
    match op {
        NumberOp::Equals => is.is_eq(),
        NumberOp::NotEquals => is.is_ne(),
        NumberOp::Gte => is.is_ge(),
        NumberOp::Lte => is.is_le(),
        NumberOp::Gt => is.is_gt(),
        NumberOp::Lt => is.is_lt(),
    }
}

fn text_passes(text: &str, op: TextOp, term: &str) -> bool {
    let chars = |t: &str| t.chars().collect::<Vec<_>>();
    match op {
        TextOp::Equals => text == term,
        TextOp::NotEquals => text != term,
        TextOp::Like => like(&chars(text), &chars(term)),
        TextOp::ILike => like(&chars(&text.to_lowercase()), &chars(&term.to_lowercase())),
        TextOp::Contains => text.to_lowercase().contains(&term.to_lowercase()),
        TextOp::NotContains => !text.to_lowercase().contains(&term.to_lowercase()),
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        Some((p, rest)) => text.split_first().is_some_and(|(t, after)| (*p == '_' || p == t) && like(after, rest)),
    }
}

fn shown_body(body: &KeptBody) -> Shown {
    let kept = body.facts.kept != Kept::Omitted;
    let mut text = Vec::new();
    let readable = match body.facts.content_encoding.as_deref() {
        _ if body.bytes.is_empty() => true,
        None => text.write_all(&body.bytes).is_ok(),
        Some("gzip") => flate2::read::GzDecoder::new(&*body.bytes).read_to_end(&mut text).is_ok(),
        Some("br") => brotli::Decompressor::new(&*body.bytes, 4096).read_to_end(&mut text).is_ok(),
        Some("zstd") => zstd::Decoder::new(&*body.bytes).unwrap().read_to_end(&mut text).is_ok(),
        Some(_) => false,
    };
    Shown::Body { kept, text: (kept && readable).then(|| String::from_utf8_lossy(&text).into_owned()) }
}

fn call_field(field: CallField, call: &Exchange) -> Shown {
    use CallField as F;
    // What is not known compares as 0.
    let tokens = |part: fn(&Usage) -> i64| Shown::Number(Some(call.usage.as_ref().map_or(0.0, |u| part(u) as f64)));
    match field {
        F::Id => Shown::Text(Some(call.id.to_string())),
        F::Provider => Shown::Text(Some(stored(&call.provider))),
        F::RequestBody => shown_body(&call.request),
        F::ResponseBody => shown_body(&call.response),
        F::Model => Shown::Text(optional(call.model.as_ref())),
        F::UserId => Shown::Text(optional(call.user_id.as_ref())),
        F::Path => Shown::Text(Some(stored(&call.path))),
        F::SessionId => Shown::Text(optional(call.session_id.as_ref())),
        F::SessionName => Shown::Text(optional(call.session_name.as_ref())),
        F::SessionPath => Shown::Text(optional(call.session_path.as_ref())),
        F::Kind => Shown::Text(Some(call.kind.as_str().to_owned())),
        F::Outcome => Shown::Text(Some(call.outcome.as_str().to_owned())),
        F::CountryCode | F::RequestReferrer => Shown::Text(Some(String::new())),
        F::Status => Shown::Number(Some(f64::from(call.status))),
        F::Latency => Shown::Number(Some((call.duration_us() / 1_000) as f64)),
        F::TimeToFirstToken => Shown::Number(call.first_byte_us.map(|us| (us / 1_000) as f64)),
        F::Cost => Shown::Number(Some(call.cost.as_ref().map_or(0.0, |c| c.amount.usd()))),
        F::PromptTokens => tokens(|u| u.prompt_tokens),
        F::CompletionTokens => tokens(|u| u.completion_tokens),
        F::InputTokens => tokens(Usage::input_tokens),
        F::OutputTokens => tokens(Usage::output_tokens),
        F::TotalTokens => tokens(|u| u.input_tokens() + u.output_tokens()),
        F::ToolCalls => Shown::Number(Some(f64::from(call.tool_calls))),
        F::Error => Shown::Bool(call.error_rule.is_some()),
        F::Streamed => Shown::Bool(call.streamed),
        F::Threat | F::Cached => Shown::Bool(false),
        F::CreatedAt => Shown::Time(call.started_at),
        F::ResponseCreatedAt => Shown::Time(call.ended_at),
        other => panic!("{other:?} is not in this model"),
    }
}

fn session_field(field: SessionField, s: &SessionRow) -> Shown {
    use SessionField as F;
    let number = |n: i64| Shown::Number(Some(n as f64));
    match field {
        F::Id => Shown::Text(Some(s.id.clone())),
        F::Name => Shown::Text(Some(s.name.clone())),
        F::Tag => Shown::Text(s.tag.clone()),
        F::TotalCost => Shown::Number(Some(s.totals.cost.usd())),
        F::TotalTokens => number(s.totals.usage.input_tokens() + s.totals.usage.output_tokens()),
        F::PromptTokens => number(s.totals.usage.prompt_tokens),
        F::CompletionTokens => number(s.totals.usage.completion_tokens),
        F::TotalRequests => number(s.totals.calls),
        F::Errors => number(s.totals.errors),
        F::WallTime => number(s.wall_us() / 1_000),
        F::Outcome => Shown::Text(Some(s.outcome.as_str().to_owned())),
        F::CreatedAt => Shown::Time(s.first_at),
        F::LatestRequestCreatedAt => Shown::Time(s.last_started_at),
    }
}
