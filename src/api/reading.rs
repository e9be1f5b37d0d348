//! Reading a session through: its calls with their bodies as text, in pages that bound the memory.

use crate::auth::Caller;
use crate::model::capture::{Body, Kept};
use crate::model::id::RequestId;
use crate::model::query::{CallBodies, CallDetail};
use crate::wire;

use super::ApiState;
use super::error::ApiError;

/// Calls of a session that are read.
pub const MOST_CALLS: i64 = 10_000;
/// Bytes of bodies that are read, as they are stored.
pub const MOST_BYTES: i64 = 64 << 20;
/// Calls and bytes of one page.
const PAGE_CALLS: usize = 200;
const PAGE_BYTES: i64 = 8 << 20;

/// Pages of calls in time order: as many as fit, then the next ones.
pub struct Pages {
    rows: std::vec::IntoIter<CallDetail>,
    left: i64,
    /// Whether calls, or bodies of calls, were left out.
    pub truncated: bool,
}

impl Pages {
    /// # Errors
    /// [`ApiError::NotFound`] where the organisation has no such session.
    pub async fn open(state: &ApiState, caller: &Caller, session: &str) -> Result<Self, ApiError> {
        let mut rows = state.store.session_details(caller.org, session, MOST_CALLS + 1).await?;
        if rows.is_empty() {
            return Err(ApiError::no_session(session));
        }
        let most = usize::try_from(MOST_CALLS).unwrap_or(usize::MAX);
        let truncated = rows.len() > most;
        rows.truncate(most);
        Ok(Self { rows: rows.into_iter(), left: MOST_BYTES, truncated })
    }

    /// The next calls with their bodies; without bodies once enough was read. Empty at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(
        &mut self,
        state: &ApiState,
        caller: &Caller,
    ) -> Result<Vec<(CallDetail, Option<CallBodies>)>, ApiError> {
        let mut page = Vec::new();
        let mut ids: Vec<RequestId> = Vec::new();
        let mut bytes = 0;
        while page.len() < PAGE_CALLS && (bytes < PAGE_BYTES || page.is_empty()) {
            let Some(row) = self.rows.next() else { break };
            let size = row.request_bytes.saturating_add(row.response_bytes);
            if size <= self.left {
                self.left -= size;
                bytes += size;
                ids.push(row.call.id);
            } else {
                self.truncated = true;
            }
            page.push(row);
        }
        let mut found = state.store.calls_bodies(caller.org, &ids).await?.into_iter().peekable();
        let with_bodies = page.into_iter().map(|row| {
            let bodies = found.next_if(|(id, _)| *id == row.call.id).map(|(_, bodies)| bodies);
            (row, bodies)
        });
        Ok(with_bodies.collect())
    }
}

/// A body as text for reading: encodings undone, a stream put together. Empty where nothing was kept.
pub fn text(body: &Body, which: &str) -> String {
    if body.facts.kept == Kept::Omitted || body.bytes.is_empty() {
        return String::new();
    }
    let readable = wire::body::readable(body, which);
    match wire::assemble::assemble(body.facts.content_type.as_deref(), &readable.text) {
        Some(mut whole) => {
            if let Some(map) = whole.as_object_mut() {
                map.remove("streamed_data");
            }
            whole.to_string()
        }
        None => readable.text.into_owned(),
    }
}
