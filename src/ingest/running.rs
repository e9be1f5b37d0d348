//! What is going on now: proxied calls that began and did not end, for those who watch.
//!
//! In memory and of this process only. Beginning and ending a call costs a short lock on one of [`SHARDS`] maps; past
//! [`MOST`] calls new ones are not listed. Nothing is recorded by it, so nothing is lost with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

use crate::model::capture::Begin;
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::units::Micros;

const SHARDS: usize = 64;
const MOST: usize = 100_000;
/// How far into a request body the model's name is looked for.
const LOOK: usize = 2048;

/// A call in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningCall {
    /// The id that its row will have, unless another call has it.
    pub id: RequestId,
    pub session_id: Option<String>,
    pub session_name: Option<String>,
    pub session_path: Option<String>,
    pub provider: String,
    /// Where the request names it at its start.
    pub model: Option<String>,
    pub started_at: Micros,
}

/// The calls in flight.
pub(super) struct Running {
    shards: [Mutex<HashMap<Uuid, (OrgId, RunningCall)>>; SHARDS],
    len: AtomicUsize,
    /// Changes with every call that begins or ends.
    version: AtomicU64,
}

impl Default for Running {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), len: AtomicUsize::new(0), version: AtomicU64::new(0) }
    }
}

impl Running {
    pub fn begin(&self, begin: &Begin, body: &[Bytes]) {
        if self.len.load(Ordering::Relaxed) >= MOST {
            return;
        }
        let tags = &begin.tags;
        let call = RunningCall {
            id: tags.request_id.unwrap_or(RequestId(begin.record.0)),
            session_id: tags.session_id.clone(),
            session_name: tags.session_name.clone(),
            session_path: tags.session_path.clone(),
            provider: begin.provider.clone(),
            model: body.first().and_then(|piece| model_in(piece)),
            started_at: begin.at,
        };
        let before = self.shard(begin.record).insert(begin.record.0, (begin.org, call));
        if before.is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    pub fn end(&self, record: RecordId) {
        if self.shard(record).remove(&record.0).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub fn list(&self, org: OrgId, session: Option<&str>, most: usize) -> Vec<RunningCall> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = shard.values().filter(|(owner, call)| {
                *owner == org && session.is_none_or(|session| call.session_id.as_deref() == Some(session))
            });
            found.extend(mine.map(|(_, call)| call.clone()));
        }
        found.sort_by_key(|call| (std::cmp::Reverse(call.started_at), call.id));
        found.truncate(most);
        found
    }

    fn shard(&self, record: RecordId) -> std::sync::MutexGuard<'_, HashMap<Uuid, (OrgId, RunningCall)>> {
        // The last byte of an id made here is random.
        let [.., last] = record.0.into_bytes();
        let [first, ..] = &self.shards;
        let shard = self.shards.get(usize::from(last) % SHARDS).unwrap_or(first);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of the first `"model": "…"` near the start of a body. A guess for display; the row's model is read properly.
fn model_in(body: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"model\"";
    let start = body.get(..body.len().min(LOOK))?;
    let at = start.windows(NAME.len()).position(|window| window == NAME)?;
    let rest = start.get(at + NAME.len()..)?.trim_ascii_start().strip_prefix(b":")?;
    let text = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| *byte == b'"' || *byte == b'\\')?;
    std::str::from_utf8(text.get(..end)?)
        .ok()
        .filter(|model| !model.is_empty() && model.len() <= 200)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::headers::Headers;
    use crate::model::tags::Tags;

    fn begin(org: OrgId, session: &str) -> Begin {
        Begin {
            record: RecordId::generate(),
            org,
            key: None,
            at: Micros::now(),
            method: "POST".into(),
            path: "/v1/chat/completions".into(),
            target_url: String::new(),
            provider: "openai".into(),
            format: crate::model::capture::WireFormat::Openai,
            headers: Headers::NONE,
            tags: Tags { session_id: Some(session.into()), ..Tags::default() },
            notes: Vec::new(),
            request: None,
        }
    }

    #[test]
    fn calls_are_listed_while_they_run_and_to_their_own_organisation() {
        let running = Running::default();
        let (mine, other) = (OrgId::generate(), OrgId::generate());
        let first = begin(mine, "a");
        let body = Bytes::from_static(br#"{"model": "gpt-4o", "messages": []}"#);
        running.begin(&first, &[body]);
        running.begin(&begin(mine, "b"), &[]);
        running.begin(&begin(other, "a"), &[]);
        assert_eq!(running.list(mine, None, 10).len(), 2);
        assert_eq!(running.list(mine, None, 1).len(), 1);
        let a = running.list(mine, Some("a"), 10);
        assert_eq!(a.iter().map(|call| call.model.as_deref()).collect::<Vec<_>>(), [Some("gpt-4o")]);
        let version = running.version();
        running.end(first.record);
        assert!(running.version() > version && running.list(mine, Some("a"), 10).is_empty());
        running.end(first.record);
        assert_eq!(running.len.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_model_is_found_near_the_start_only() {
        for (body, model) in [
            (r#"{"model":"m"}"#, Some("m")),
            (r#"{"a":1,"model" : "claude-x","b":2}"#, Some("claude-x")),
            (r#"{"model":null}"#, None),
            (r#"{"model":"cut"#, None),
            (r#"{"model":""}"#, None),
            ("", None),
            ("not json", None),
        ] {
            assert_eq!(model_in(body.as_bytes()).as_deref(), model, "{body}");
        }
        let far = format!("{}\"model\":\"m\"", "x".repeat(LOOK));
        assert_eq!(model_in(far.as_bytes()), None);
    }
}
