//! Frames to captures and back: the head of a frame is the JSON of a capture's struct, its body the raw bytes.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::journal::{Entry, Frame, FrameKind};
use crate::model::capture::{Begin, Body, BodyFacts, Capture, End, Kept, Posted, RequestBody, WireFormat};
use crate::model::headers::Headers;
use crate::model::id::{OrgId, RecordId};
use crate::model::tags::{Note, Tags};
use crate::model::units::Micros;

/// What most heads need, so that writing one does not grow its memory step by step.
const HEAD_BYTES: usize = 1_536;

/// A frame for one part of a capture. Fails only if the head cannot be written as JSON.
pub(super) fn frame<H: Serialize>(
    kind: FrameKind,
    ids: (RecordId, OrgId),
    head: &H,
    body: Vec<Bytes>,
) -> serde_json::Result<Frame> {
    let mut json = Vec::with_capacity(HEAD_BYTES);
    serde_json::to_writer(&mut json, head)?;
    Ok(Frame { kind, record: ids.0.0, org: ids.1.0, head: json, body, hold: None })
}

/// The frames of one record, gathered.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) begin: Option<Entry>,
    pub(super) request: Option<Entry>,
    /// `End` of a call, or the only frame of a manual log.
    pub(super) last: Option<Entry>,
}

impl Parts {
    /// Fails where a head is not what this version writes, or no frame is there.
    pub(super) fn decode(&self) -> Result<Capture, String> {
        if let Some(last) = &self.last
            && last.kind == Some(FrameKind::Posted)
        {
            let posted: Posted = head(last)?;
            return Ok(Capture::Log { posted: Box::new(posted), body: last.body.clone() });
        }
        let end = self.last.as_ref().map(|entry| head::<End>(entry).map(|end| Box::new((end, entry.body.clone()))));
        let end = end.transpose()?;
        let begin: Begin = match (&self.begin, &self.last) {
            (Some(begin), _) => head(begin)?,
            (None, Some(end)) => without_begin(end.record, end.org),
            (None, None) => return Err("no frame".to_owned()),
        };
        let request = match (&self.request, &self.begin) {
            (Some(request), _) => Body { facts: head::<RequestBody>(request)?.request, bytes: request.body.clone() },
            (None, Some(entry)) => Body { facts: begin.request.clone().unwrap_or_default(), bytes: entry.body.clone() },
            (None, None) => Body { facts: BodyFacts { kept: Kept::Shed, ..BodyFacts::default() }, bytes: Bytes::new() },
        };
        Ok(Capture::Call { begin: Box::new(begin), request, end })
    }
}

fn head<H: DeserializeOwned>(entry: &Entry) -> Result<H, String> {
    // As text: from bytes each string in it would be looked at for valid UTF-8 by itself.
    let text = std::str::from_utf8(&entry.head).map_err(|e| e.to_string())?;
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// What is still known of a call whose begin was not kept (the journal was full, or the disk is damaged).
fn without_begin(record: Uuid, org: Uuid) -> Begin {
    // A record's id is a UUIDv7: its first 48 bits are the milliseconds of the call's arrival.
    let millis = i64::try_from(record.as_u128() >> 80).unwrap_or(0);
    Begin {
        record: RecordId(record),
        org: OrgId(org),
        key: None,
        at: Micros::from_millis(millis),
        method: String::new(),
        path: String::new(),
        target_url: String::new(),
        provider: String::new(),
        format: WireFormat::Other,
        headers: Headers::default(),
        tags: Tags::default(),
        notes: vec![Note::new(
            "journal.begin_lost",
            "The start of this call could not be kept: only its end is known.",
        )],
        request: None,
    }
}
