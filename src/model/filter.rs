//! The filter language of the query API: a tree of conditions over calls and over sessions (PROTOCOL section 6).

mod columns;
mod parse;

pub use parse::{FilterError, Scope};

use super::units::Micros;

/// A parsed filter. `And([])` is true, `Or([])` is false.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    And(Vec<Self>),
    Or(Vec<Self>),
    Leaf(Leaf),
}

impl Filter {
    /// The filter that everything passes.
    pub const ALL: Self = Self::And(Vec::new());
}

/// One condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    pub field: Field,
    pub test: Test,
}

/// What a leaf looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A column of a call.
    Call(CallField),
    /// A custom property of a call, key compared without case. A call without it reads as `""`, except for `null` tests.
    /// The keys `helicone-session-id`, `-name`, `-path` read the session columns.
    Property(String),
    /// "The call has a property of this key", with [`Test::Text`] on the key.
    PropertyKey,
    /// A score of a call, by name.
    Score(String),
    /// An aggregate of a session.
    Session(SessionField),
    /// An aggregate of a user.
    User(UserField),
}

/// Columns of a call that can be filtered (`request_response_rmt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallField {
    // text
    Id,
    Provider,
    Model,
    RequestModel,
    ResponseModel,
    ModelOverride,
    UserId,
    TargetUrl,
    Path,
    CountryCode,
    PromptId,
    PromptVersion,
    RequestReferrer,
    CacheReferenceId,
    NodeId,
    JobId,
    Assets,
    OrganizationId,
    RequestBody,
    ResponseBody,
    SessionId,
    SessionName,
    SessionPath,
    Kind,
    Outcome,
    FinishReason,
    ErrorMessage,
    // number
    Status,
    /// Milliseconds.
    Latency,
    /// US dollars.
    Cost,
    /// Milliseconds.
    TimeToFirstToken,
    PromptTokens,
    CompletionTokens,
    PromptCacheReadTokens,
    PromptCacheWriteTokens,
    ReasoningTokens,
    InputTokens,
    OutputTokens,
    TotalTokens,
    ToolCalls,
    // boolean
    Error,
    Streamed,
    Threat,
    CacheEnabled,
    Cached,
    Feedback,
    PassthroughBilling,
    // time
    CreatedAt,
    ResponseCreatedAt,
}

/// Aggregates of a session that can be filtered (`sessions_request_response_rmt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionField {
    Id,
    Name,
    Tag,
    /// US dollars.
    TotalCost,
    TotalTokens,
    PromptTokens,
    CompletionTokens,
    TotalRequests,
    Errors,
    /// Milliseconds.
    WallTime,
    Outcome,
    CreatedAt,
    LatestRequestCreatedAt,
}

/// Aggregates of a user that can be filtered (`users_view`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserField {
    UserId,
    ActiveFor,
    FirstActive,
    LastActive,
    TotalRequests,
    AverageRequestsPerDayActive,
    AverageTokensPerRequest,
    TotalCompletionTokens,
    TotalPromptTokens,
    Cost,
}

/// What a condition asks. The parser lets only tests through that fit the field's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Text(TextOp, String),
    Number(NumberOp, f64),
    Bool(bool),
    Time(NumberOp, Micros),
    /// Text `"null"` with `equals`; the negation with `not-equals`.
    IsNull(bool),
}

/// Operators on text. `%` and `_` are wildcards in `Like` and `ILike` only; `Contains` takes them literally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOp {
    Equals,
    NotEquals,
    /// With case.
    Like,
    /// Without case.
    ILike,
    /// Without case, literal.
    Contains,
    NotContains,
}

/// Operators on numbers and instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberOp {
    Equals,
    NotEquals,
    Gte,
    Lte,
    Gt,
    Lt,
}
