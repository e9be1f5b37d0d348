//! What can be asked of the store, and the shapes of its answers. No HTTP, no JSON of the wire, no SQL.

use super::exchange::Usage;
use super::figures::Figures;
use super::filter::Filter;
use super::id::{KeyId, OrgId, RequestId, SavedFilterId};
use super::session::SessionRow;
use super::tags::{Note, Property};
use super::units::{Micros, NanoUsd};

/// A half-open or closed stretch of time; `None` is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub from: Option<Micros>,
    /// Inclusive.
    pub to: Option<Micros>,
}

/// Which sessions: all conditions together.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// A filter on calls selects the sessions that have a matching call; one on sessions tests their aggregates; any
    /// mixture of `and` and `or` of both is honoured.
    pub filter: Filter,
    /// Literal, without case, in the session's id or name; empty: all.
    pub search: String,
    pub name_equals: Option<String>,
    /// Sessions that overlap it.
    pub window: Window,
    pub page: Page,
}

/// What sessions can be ordered by where not by their start alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSort {
    CreatedAt,
    TotalCost,
    Errors,
    WallTime,
    TotalRequests,
    TotalTokens,
}

/// Where a page starts and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: i64,
    pub start: Start,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After so many rows. For clients of the original; slow on deep pages.
    Offset(i64),
    /// After the row with this sort key.
    After { at: Micros, id: String },
}

/// A page of sessions, newest first by start of the first call, then by id.
#[derive(Clone, Debug)]
pub struct SessionPage {
    pub rows: Vec<SessionRow>,
    /// The start of the next page; `None` on the last.
    pub next: Option<(Micros, String)>,
}

/// Sums over all sessions of a query (its page is ignored).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SessionCount {
    pub sessions: i64,
    pub calls: i64,
    pub cost: NanoUsd,
    /// Sum of the calls' wall times, microseconds.
    pub latency_sum_us: i64,
}

/// One name of the session names' list.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionNameRow {
    pub name: String,
    pub sessions: i64,
    pub calls: i64,
    /// First start of any of its sessions.
    pub first_at: Micros,
    /// Latest start of a call in any of its sessions.
    pub last_at: Micros,
    pub latency_sum_us: i64,
}

/// One session's figures for the histograms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionFigures {
    pub calls: i64,
    /// Wall time, microseconds.
    pub duration_us: i64,
    pub cost: NanoUsd,
}

/// Which calls, in which order.
#[derive(Clone, Debug)]
pub struct CallQuery {
    pub filter: Filter,
    pub window: Window,
    pub sort: Sort,
    pub page: Page,
}

/// The order of calls; ties by start and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: SortKey,
    pub descending: bool,
}

/// What calls can be ordered by. Keyset paging ([`Start::After`]) works with `CreatedAt` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    CreatedAt,
    Latency,
    TimeToFirstToken,
    TotalTokens,
    PromptTokens,
    CompletionTokens,
    UserId,
    Model,
    Cost,
    Property(String),
    Random,
}

/// A call with everything but its bodies.
#[derive(Clone, Debug)]
pub struct CallDetail {
    pub call: super::session::CallRow,
    pub source: String,
    pub format: String,
    pub method: String,
    pub request_path: String,
    pub target_url: String,
    pub session_id: Option<String>,
    pub session_name: Option<String>,
    pub prompt_id: Option<String>,
    pub request_model: Option<String>,
    pub response_model: Option<String>,
    pub model_override: Option<String>,
    pub usage_source: Option<String>,
    pub usage_missing: Option<String>,
    pub cost_source: Option<String>,
    pub price_version: Option<String>,
    pub service_tier: Option<String>,
    pub request_bytes: i64,
    pub response_bytes: i64,
    pub properties: Vec<Property>,
    pub scores: Vec<(String, f64)>,
    pub notes: Vec<Note>,
}

/// A call's bodies and headers, exactly as they passed.
#[derive(Clone, Debug, Default)]
pub struct CallBodies {
    pub request: super::capture::Body,
    pub response: super::capture::Body,
    pub request_headers: super::headers::HeaderLines,
    pub response_headers: super::headers::HeaderLines,
}

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub id: KeyId,
    pub org: OrgId,
    pub name: String,
    pub rights: Rights,
    pub created_at: Micros,
    pub revoked_at: Option<Micros>,
}

/// A browser that signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSession {
    pub org: OrgId,
    /// The key that it signed in with; `None`: the link printed at start.
    pub key: Option<KeyId>,
    /// The key's, as they are now.
    pub rights: Rights,
    pub created_at: Micros,
    /// Its last use, to within a few minutes.
    pub seen_at: Micros,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Send calls through the proxy and post manual logs.
    pub write: bool,
    /// Ask the API.
    pub read: bool,
    /// Make and revoke keys of the organisation. Implies the other two.
    pub admin: bool,
}

impl Rights {
    pub const ALL: Self = Self { write: true, read: true, admin: true };
    pub const NONE: Self = Self { write: false, read: false, admin: false };

    /// Whether every right of `other` is among these.
    pub const fn includes(self, other: Self) -> bool {
        (self.write || !other.write) && (self.read || !other.read) && (self.admin || !other.admin)
    }
}

/// A key of a property with the number of calls that carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyKeyRow {
    /// As first sent.
    pub key: String,
    pub last_at: Micros,
}

/// What figures are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Nothing: one group, named `""`.
    None,
    Kind,
    Provider,
    Model,
    /// Calls of kind `tool`, by model (`tool:<name>`).
    Tool,
    /// As sent, or folded where they come from the roll-up: fold what comes.
    Path,
    Status,
    /// Failed calls only.
    ErrorRule,
    User,
    SessionName,
    /// Calls that have this property (key without case).
    Property(String),
}

/// How figures are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// From the calls, percentiles exact.
    Exact,
    /// From the calls, percentiles from histograms.
    Calls,
    /// From the roll-up by the hour, percentiles from histograms.
    Hours,
}

/// How figures of a window are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigurePlan {
    pub reading: Reading,
    /// Inclusive.
    pub from: Micros,
    /// Exclusive.
    pub to: Micros,
}

/// Which figures.
#[derive(Clone, Debug)]
pub struct FigureQuery<'a> {
    pub plan: FigurePlan,
    /// Calls that pass; only with [`Filter::ALL`] may the plan read hours.
    pub filter: &'a Filter,
    pub group: GroupBy,
    /// Only these groups.
    pub only: Option<&'a [String]>,
    /// Parts of the window are so long and counted from `origin`, which is not after the window's start.
    pub width_us: i64,
    pub origin: Micros,
    pub limit: u64,
}

/// Figures of one group in one part of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureRow {
    pub group: String,
    pub part: i64,
    pub figures: Figures,
}

/// Sessions of a window that somebody may want to look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoticedSessions {
    /// All of the window.
    pub sessions: i64,
    /// US dollars a session.
    pub mean_cost: f64,
    /// Those that ended in an error, latest first.
    pub failed: Vec<Noticed>,
    /// Those that cost most.
    pub dear: Vec<Noticed>,
}

/// A session in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    pub id: String,
    pub name: String,
    pub calls: i64,
    pub errors: i64,
    pub cost: NanoUsd,
}

/// Calls of one session at one path (as sent), and of one side where two are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRow {
    pub session: String,
    pub path: String,
    /// The compared property's value; empty where nothing is compared or it has none.
    pub side: String,
    pub calls: i64,
    pub errors: i64,
    pub cost: NanoUsd,
    /// Sum of the wall times, microseconds.
    pub time_us: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    /// Start of the latest call.
    pub last_at: Micros,
}

/// Calls and errors of a session over its time, in equal parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spark {
    pub calls: Vec<i64>,
    pub errors: Vec<i64>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgRow {
    pub id: OrgId,
    pub name: String,
    pub created_at: Micros,
}

/// How much an organisation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub calls: i64,
    pub sessions: i64,
    /// The start of the hour in which its first call started.
    pub first_hour: Option<Micros>,
    /// Start of its latest call.
    pub last_at: Option<Micros>,
}

/// A filter of the dashboard that somebody gave a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFilter {
    pub id: SavedFilterId,
    pub page: String,
    pub name: String,
    /// What the dashboard makes of it; opaque here.
    pub query: String,
    pub created_at: Micros,
}

/// How many days an organisation keeps its calls, and how many the bodies of these; `None`: for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    pub calls_days: Option<i64>,
    pub bodies_days: Option<i64>,
}

/// What was written by one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Ids of the rows that were new, as stored.
    pub new: Vec<(OrgId, RequestId)>,
    /// Rows that were there already (a replay).
    pub replayed: usize,
}

/// A stored model call, as far as pricing it again needs it.
#[derive(Clone, Debug)]
pub struct PricedCall {
    pub id: RequestId,
    pub started_at: Micros,
    pub source: String,
    pub path: String,
    pub status: i32,
    pub provider: String,
    pub format: String,
    pub target_url: String,
    pub model: Option<String>,
    pub price: NewPrice,
}

/// What pricing a call again may change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPrice {
    pub usage: Option<Usage>,
    pub usage_source: Option<String>,
    pub usage_missing: Option<String>,
    pub service_tier: Option<String>,
    pub priced_units: Option<String>,
    pub cost: Option<NanoUsd>,
    pub cost_source: Option<String>,
    pub price_version: Option<String>,
}
