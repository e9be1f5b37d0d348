//! The tables and columns that a filter may name, under Helicone's names; the ones marked ours are additions.

use super::parse::Scope;
use super::{CallField, Field, SessionField, UserField};

/// A table of the filter language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Calls,
    Sessions,
    Users,
    /// The short form, and the older tables below: what they mean on calls.
    Properties,
    Request,
    Response,
    Feedback,
    Values,
}

/// What a column is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    Plain(Field, Kind),
    /// `{key: condition}` on custom properties.
    Properties,
    /// `{name: condition}` on scores.
    Scores,
    /// A body, as text: only where calls and sessions are listed and counted.
    Body(CallField),
    /// It exists in the original and cannot mean anything here; says why.
    Refused(&'static str),
}

/// The type of a column decides its operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text where `"null"` and `"__empty__"` are ordinary words.
    MapText,
    Number,
    Bool,
    Time,
}

impl Kind {
    pub const fn operators(self) -> &'static str {
        match self {
            Self::Text | Self::MapText => "equals, not-equals, like, ilike, contains, not-contains",
            Self::Number | Self::Time => "equals, not-equals, gte, lte, gt, lt",
            Self::Bool => "equals, not-equals",
        }
    }
}

const CALLS: (&str, Table) = ("request_response_rmt", Table::Calls);
const SESSIONS: (&str, Table) = ("sessions_request_response_rmt", Table::Sessions);
const USERS: (&str, Table) = ("users_view", Table::Users);
const PROPERTIES: (&str, Table) = ("properties", Table::Properties);
const REQUEST: (&str, Table) = ("request", Table::Request);
const RESPONSE: (&str, Table) = ("response", Table::Response);
const FEEDBACK: (&str, Table) = ("feedback", Table::Feedback);
const VALUES: (&str, Table) = ("values", Table::Values);

pub(super) const fn tables_of(scope: Scope) -> &'static [(&'static str, Table)] {
    match scope {
        Scope::Sessions => &[CALLS, SESSIONS, PROPERTIES],
        Scope::Requests => &[CALLS, SESSIONS, PROPERTIES, REQUEST, RESPONSE, FEEDBACK, VALUES],
        Scope::Users => &[CALLS, USERS, PROPERTIES],
        Scope::Metrics => &[CALLS, SESSIONS, USERS, PROPERTIES, REQUEST, RESPONSE, FEEDBACK, VALUES],
    }
}

pub(super) const fn columns_of(table: Table) -> &'static [(&'static str, Column)] {
    match table {
        Table::Calls => CALL_COLUMNS,
        Table::Sessions => SESSION_COLUMNS,
        Table::Users => USER_COLUMNS,
        Table::Request => REQUEST_COLUMNS,
        Table::Response => RESPONSE_COLUMNS,
        Table::Feedback => FEEDBACK_COLUMNS,
        // Their keys are free.
        Table::Values | Table::Properties => &[],
    }
}

const fn text(field: CallField) -> Column {
    Column::Plain(Field::Call(field), Kind::Text)
}

const fn number(field: CallField) -> Column {
    Column::Plain(Field::Call(field), Kind::Number)
}

const fn flag(field: CallField) -> Column {
    Column::Plain(Field::Call(field), Kind::Bool)
}

const fn time(field: CallField) -> Column {
    Column::Plain(Field::Call(field), Kind::Time)
}

/// Why sums over calls are not made by their bodies.
pub(super) const NO_BODIES: &str =
    "bodies can be searched in queries of requests and sessions only; filter on columns or properties here";
pub(super) const NO_SUMS_OF_USERS: &str =
    "sums over a user's calls can be asked for in queries of users only; filter on user_user_id here";
const OTHER_TABLE: &str = "use request_response_rmt.request_body or request_response_rmt.response_body";

const CALL_COLUMNS: &[(&str, Column)] = &[
    ("request_id", text(CallField::Id)),
    ("provider", text(CallField::Provider)),
    ("model", text(CallField::Model)),
    ("user_id", text(CallField::UserId)),
    ("target_url", text(CallField::TargetUrl)),
    ("country_code", text(CallField::CountryCode)),
    ("organization_id", text(CallField::OrganizationId)),
    ("node_id", text(CallField::NodeId)),
    ("job_id", text(CallField::JobId)),
    ("cache_reference_id", text(CallField::CacheReferenceId)),
    ("assets", text(CallField::Assets)),
    ("prompt_id", text(CallField::PromptId)),
    ("prompt_version", text(CallField::PromptVersion)),
    ("request_referrer", text(CallField::RequestReferrer)),
    ("request_body", Column::Body(CallField::RequestBody)),
    ("response_body", Column::Body(CallField::ResponseBody)),
    ("scores_column", Column::Refused("use `scores`: {name: {operator: number}}")),
    ("latency", number(CallField::Latency)),
    ("cost", number(CallField::Cost)),
    ("time_to_first_token", number(CallField::TimeToFirstToken)),
    ("status", number(CallField::Status)),
    ("prompt_tokens", number(CallField::PromptTokens)),
    ("completion_tokens", number(CallField::CompletionTokens)),
    ("prompt_cache_read_tokens", number(CallField::PromptCacheReadTokens)),
    ("prompt_cache_write_tokens", number(CallField::PromptCacheWriteTokens)),
    ("total_tokens", number(CallField::TotalTokens)),
    ("threat", flag(CallField::Threat)),
    ("cache_enabled", flag(CallField::CacheEnabled)),
    ("cached", flag(CallField::Cached)),
    ("helicone-score-feedback", flag(CallField::Feedback)),
    ("is_passthrough_billing", flag(CallField::PassthroughBilling)),
    ("request_created_at", time(CallField::CreatedAt)),
    ("response_created_at", time(CallField::ResponseCreatedAt)),
    ("properties", Column::Properties),
    ("search_properties", Column::Properties),
    ("scores", Column::Scores),
    ("property_key", Column::Plain(Field::PropertyKey, Kind::MapText)),
    // ours
    ("session_id", text(CallField::SessionId)),
    ("session_name", text(CallField::SessionName)),
    ("session_path", text(CallField::SessionPath)),
    ("request_path", text(CallField::Path)),
    ("kind", text(CallField::Kind)),
    ("outcome", text(CallField::Outcome)),
    ("finish_reason", text(CallField::FinishReason)),
    ("error_message", text(CallField::ErrorMessage)),
    ("request_model", text(CallField::RequestModel)),
    ("response_model", text(CallField::ResponseModel)),
    ("model_override", text(CallField::ModelOverride)),
    ("reasoning_tokens", number(CallField::ReasoningTokens)),
    ("input_tokens", number(CallField::InputTokens)),
    ("output_tokens", number(CallField::OutputTokens)),
    ("tool_calls", number(CallField::ToolCalls)),
    ("error", flag(CallField::Error)),
    ("streamed", flag(CallField::Streamed)),
];

const fn session(field: SessionField, kind: Kind) -> Column {
    Column::Plain(Field::Session(field), kind)
}

const SESSION_COLUMNS: &[(&str, Column)] = &[
    ("session_session_id", session(SessionField::Id, Kind::Text)),
    ("session_session_name", session(SessionField::Name, Kind::Text)),
    ("session_tag", session(SessionField::Tag, Kind::Text)),
    ("session_total_cost", session(SessionField::TotalCost, Kind::Number)),
    ("session_total_tokens", session(SessionField::TotalTokens, Kind::Number)),
    ("session_prompt_tokens", session(SessionField::PromptTokens, Kind::Number)),
    ("session_completion_tokens", session(SessionField::CompletionTokens, Kind::Number)),
    ("session_total_requests", session(SessionField::TotalRequests, Kind::Number)),
    ("session_created_at", session(SessionField::CreatedAt, Kind::Time)),
    ("session_latest_request_created_at", session(SessionField::LatestRequestCreatedAt, Kind::Time)),
    // ours
    ("session_errors", session(SessionField::Errors, Kind::Number)),
    ("session_wall_time_ms", session(SessionField::WallTime, Kind::Number)),
    ("session_outcome", session(SessionField::Outcome, Kind::Text)),
];

const fn user(field: UserField, kind: Kind) -> Column {
    Column::Plain(Field::User(field), kind)
}

const USER_COLUMNS: &[(&str, Column)] = &[
    // A user's id is a column of each call; no aggregate is needed.
    ("user_user_id", text(CallField::UserId)),
    ("user_active_for", user(UserField::ActiveFor, Kind::Number)),
    ("user_first_active", user(UserField::FirstActive, Kind::Time)),
    ("user_last_active", user(UserField::LastActive, Kind::Time)),
    ("user_total_requests", user(UserField::TotalRequests, Kind::Number)),
    ("user_average_requests_per_day_active", user(UserField::AverageRequestsPerDayActive, Kind::Number)),
    ("user_average_tokens_per_request", user(UserField::AverageTokensPerRequest, Kind::Number)),
    ("user_total_completion_tokens", user(UserField::TotalCompletionTokens, Kind::Number)),
    ("user_total_prompt_tokens", user(UserField::TotalPromptTokens, Kind::Number)),
    ("user_cost", user(UserField::Cost, Kind::Number)),
];

const REQUEST_COLUMNS: &[(&str, Column)] = &[
    ("id", text(CallField::Id)),
    ("created_at", time(CallField::CreatedAt)),
    ("user_id", text(CallField::UserId)),
    ("model", text(CallField::Model)),
    ("modelOverride", text(CallField::ModelOverride)),
    ("provider", text(CallField::Provider)),
    ("path", text(CallField::Path)),
    ("prompt_id", text(CallField::PromptId)),
    ("country_code", text(CallField::CountryCode)),
    ("org_id", text(CallField::OrganizationId)),
    ("node_id", text(CallField::NodeId)),
    ("prompt", Column::Refused(OTHER_TABLE)),
    ("auth_hash", Column::Refused("hashes of keys cannot be filtered on")),
];

const RESPONSE_COLUMNS: &[(&str, Column)] = &[
    ("status", number(CallField::Status)),
    ("model", text(CallField::Model)),
    ("body_model", text(CallField::ResponseModel)),
    ("body_tokens", number(CallField::TotalTokens)),
    ("created_at", time(CallField::ResponseCreatedAt)),
    ("body_completion", Column::Refused(OTHER_TABLE)),
];

const FEEDBACK_COLUMNS: &[(&str, Column)] = &[
    ("rating", flag(CallField::Feedback)),
    ("id", Column::Refused("feedback has no id of its own here; use `rating`")),
    ("created_at", Column::Refused("the time of feedback is not kept; use `rating`")),
];
