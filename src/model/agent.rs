//! What agents show on the wire: tool calls and their results, and which call continues which.
//!
//! States are 64-bit hashes of a conversation up to a point: two calls that show the same state are of one conversation.
//! They mean something inside one organisation only.

use super::id::RequestId;
use super::units::{Micros, NanoUsd};

/// What ids of sessions begin with that no client gave; 32 hexadecimal digits follow.
pub const INFERRED: &str = "inferred-";

/// Whether a session's id is one that no client made up. One that a client read here and sends back means that very session.
pub fn is_inferred(session: &str) -> bool {
    let digits = session.strip_prefix(INFERRED);
    digits.is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// What was understood of a call beyond its usage.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// Which rule gave the call its session; `None` where its sender did, or where it has none.
    pub session_rule: Option<SessionRule>,
    pub step: Option<Step>,
    /// Present where the call's session is to be found by what it shows.
    pub link: Option<Link>,
    pub calls: Vec<ToolCall>,
    pub results: Vec<ToolResult>,
}

/// Why a call that named no session is in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionRule {
    /// Body field `previous_response_id`.
    PreviousResponse,
    /// Body field `conversation`.
    Conversation,
    /// A header or field in which agents send the id of their session.
    Harness,
    PromptCacheKey,
    /// Body field `metadata.user_id`.
    MetadataUser,
    /// The trace of header `traceparent`.
    Trace,
    /// Its messages begin with those of an earlier call and its answer.
    Messages,
    /// It begins with what a tool call of the session handed over.
    Delegated,
}

impl SessionRule {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreviousResponse => "previous_response_id",
            Self::Conversation => "conversation",
            Self::Harness => "harness",
            Self::PromptCacheKey => "prompt_cache_key",
            Self::MetadataUser => "metadata_user_id",
            Self::Trace => "traceparent",
            Self::Messages => "messages",
            Self::Delegated => "delegated",
        }
    }
}

/// Where a call stands in its conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Messages of the request.
    pub messages: u32,
    /// Hash of the system prompt; `None` where there is none.
    pub system: Option<i64>,
    /// Hash of the tool definitions.
    pub tools: Option<i64>,
    /// States behind the answer: a call that continues this one begins with one of them.
    pub heads: Vec<i64>,
    /// States inside the request behind which another call's answer may end, oldest first.
    pub points: Vec<Point>,
}

/// A state inside a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub state: i64,
    /// Messages before it; the first new one has this index.
    pub messages: u32,
}

impl Step {
    /// Heads and points as bytes: a count of heads, the heads, then pairs of state and index, all little-endian.
    pub fn chain(&self) -> Vec<u8> {
        let heads = self.heads.len().min(usize::from(u8::MAX));
        let mut bytes = Vec::with_capacity(1 + heads * 8 + self.points.len() * 12);
        bytes.push(u8::try_from(heads).unwrap_or(u8::MAX));
        for head in self.heads.iter().take(heads) {
            bytes.extend_from_slice(&head.to_le_bytes());
        }
        for point in &self.points {
            bytes.extend_from_slice(&point.state.to_le_bytes());
            bytes.extend_from_slice(&point.messages.to_le_bytes());
        }
        bytes
    }

    /// Takes what [`Self::chain`] made; bytes that are no chain give nothing.
    pub fn set_chain(&mut self, bytes: &[u8]) {
        let Some((heads, rest)) = bytes.split_first() else { return };
        let (heads, points) = rest.split_at(rest.len().min(usize::from(*heads) * 8));
        self.heads = heads.chunks_exact(8).filter_map(|raw| Some(i64::from_le_bytes(raw.try_into().ok()?))).collect();
        let point = |raw: &[u8]| {
            let (state, messages) = raw.split_at_checked(8)?;
            let (state, messages) = (state.try_into().ok()?, messages.try_into().ok()?);
            Some(Point { state: i64::from_le_bytes(state), messages: u32::from_le_bytes(messages) })
        };
        self.points = points.chunks_exact(12).filter_map(point).collect();
    }
}

/// What a call shows of its conversation, for calls that name no session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// States whose call this one continues, the best first, and by which rule.
    pub continues: Vec<i64>,
    pub rule: Option<SessionRule>,
    /// What all calls of a conversation carry alike.
    pub key: Option<Key>,
    /// Hashes of texts that the conversation begins with.
    pub opening: Vec<i64>,
    /// Texts that tool calls of the answer hand over, and where a conversation that begins with one belongs.
    pub delegates: Vec<Delegate>,
}

/// Something that calls of one conversation have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub rule: SessionRule,
    pub state: i64,
    /// The session of two or more calls that show it.
    pub session: String,
}

/// A text handed over to another agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegate {
    pub state: i64,
    /// What is put behind the path of the call: `/<tool>/<id>`.
    pub path: String,
}

/// A tool call that an answer asks for, or tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// Where it stands in the answer, from 0.
    pub position: i32,
    /// The provider's id of it.
    pub id: Option<String>,
    pub name: String,
    /// The provider's word for its form: `function`, `tool_use`, `mcp_call`, …
    pub form: String,
    pub at_provider: bool,
    /// As the model wrote them; perhaps cut.
    pub arguments: String,
    /// Of all of them.
    pub arguments_bytes: i64,
    /// What its result shows too.
    pub pair: i64,
    /// What a manual log of the same tool and arguments in the session shows too.
    pub same: Option<i64>,
    /// The state behind the answer.
    pub state: Option<i64>,
}

/// A tool's result where it was first told: in a request, by a manual log, or by the provider itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    pub position: i32,
    pub pair: i64,
    pub source: ResultSource,
    pub ok: bool,
    /// Which rule says so.
    pub rule: &'static str,
    pub bytes: i64,
    /// Its start.
    pub preview: String,
    /// A person wrote something besides: the time until then was not the tool's alone.
    pub waited: bool,
    /// The state in front of the result.
    pub state: Option<i64>,
}

/// Who told a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultSource {
    Request,
    Manual,
    Provider,
}

impl ResultSource {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Manual => "manual",
            Self::Provider => "provider",
        }
    }
}

/// A stored tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCallRow {
    /// The call whose answer asks for it.
    pub call: RequestId,
    pub position: i32,
    pub id: Option<String>,
    pub name: String,
    pub form: String,
    pub at_provider: bool,
    pub arguments: String,
    pub arguments_bytes: i64,
    pub path: Option<String>,
    pub pair: i64,
    pub same: Option<i64>,
    pub state: Option<i64>,
    /// Of the call.
    pub started_at: Micros,
    pub ended_at: Micros,
}

/// A stored result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResultRow {
    /// The call that tells it.
    pub call: RequestId,
    pub position: i32,
    pub pair: i64,
    pub source: String,
    pub ok: bool,
    pub rule: String,
    pub bytes: i64,
    pub preview: String,
    pub waited: bool,
    pub state: Option<i64>,
    /// Of the call that tells it; of a manual log, the tool's own times.
    pub started_at: Micros,
    pub ended_at: Micros,
    /// Of the call that tells it.
    pub cost: Option<NanoUsd>,
}
