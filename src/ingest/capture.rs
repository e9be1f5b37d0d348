//! Frames to captures and back: the head of a frame is a capture's struct in MessagePack, with the names of its fields, so that
//! fields may be added; its body the raw bytes. A head that begins with `{` is JSON, which is what was written at first
//! (docs/adr/0007-journal-heads.md).

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

/// A frame for one part of a capture. Fails only if the head cannot be written as MessagePack.
pub(super) fn frame<H: Serialize>(
    kind: FrameKind,
    ids: (RecordId, OrgId),
    head: &H,
    body: Vec<Bytes>,
) -> Result<Frame, rmp_serde::encode::Error> {
    Ok(Frame { kind, record: ids.0.0, org: ids.1.0, head: written(head)?, body, hold: None })
}

/// The head of a frame.
pub(super) fn written<H: Serialize>(head: &H) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    rmp_serde::encode::write_named(&mut bytes, head)?;
    Ok(bytes)
}

/// What a frame's head says. Fails where it is not what this version or one before it writes.
pub(super) fn read<H: DeserializeOwned>(head: &[u8]) -> Result<H, String> {
    if head.starts_with(b"{") {
        return serde_json::from_slice(head).map_err(|e| e.to_string());
    }
    rmp_serde::from_slice(head).map_err(|e| e.to_string())
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
            let posted: Posted = read(&last.head)?;
            return Ok(Capture::Log { posted: Box::new(posted), body: last.body.clone() });
        }
        let end =
            self.last.as_ref().map(|entry| read::<End>(&entry.head).map(|end| Box::new((end, entry.body.clone()))));
        let end = end.transpose()?;
        let begin: Begin = match (&self.begin, &self.last) {
            (Some(begin), _) => read(&begin.head)?,
            (None, Some(end)) => without_begin(end.record, end.org),
            (None, None) => return Err("no frame".to_owned()),
        };
        let request = match (&self.request, &self.begin) {
            (Some(request), _) => {
                Body { facts: read::<RequestBody>(&request.head)?.request, bytes: request.body.clone() }
            }
            (None, Some(entry)) => Body { facts: begin.request.clone().unwrap_or_default(), bytes: entry.body.clone() },
            (None, None) => Body { facts: BodyFacts { kept: Kept::Shed, ..BodyFacts::default() }, bytes: Bytes::new() },
        };
        Ok(Capture::Call { begin: Box::new(begin), request, end })
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::capture::{Essence, LogRoute, Outcome};
    use crate::model::exchange::Usage;
    use crate::model::gap::Gap;
    use crate::model::id::{KeyId, RequestId};
    use crate::model::tags::Property;

    /// Goes through both forms of a head and comes back as it was.
    fn comes_back<H: Serialize + DeserializeOwned>(head: &H) {
        let whole = serde_json::to_value(head).unwrap();
        let (packed, plain) = (written(head).unwrap(), serde_json::to_vec(head).unwrap());
        assert!(packed.len() < plain.len(), "{whole}");
        for bytes in [packed, plain] {
            let again: H = read(&bytes).unwrap();
            assert_eq!(serde_json::to_value(&again).unwrap(), whole);
        }
    }

    fn text() -> Option<String> {
        Some("zwölf \"Wörter\"\n\u{1F980}".to_owned())
    }

    fn facts() -> BodyFacts {
        let essence = Essence {
            usage: Some(Usage { prompt_tokens: 3, ..Usage::default() }),
            audio_seconds: serde_json::Number::from_f64(1.5),
            billed_usd: serde_json::Number::from_f64(2.0),
            raw_usage: Some(json!({"a": [1, -1, 1.0, u64::MAX, 1e300, null, true], "b": {"c": text()}})),
            error: text(),
            ..Essence::default()
        };
        BodyFacts {
            len: u64::MAX,
            kept: Kept::Shed,
            content_type: text(),
            content_encoding: text(),
            sha256: text(),
            essence: Some(Box::new(essence)),
        }
    }

    fn begin() -> Begin {
        Begin {
            key: Some(KeyId::generate()),
            at: Micros(i64::MAX),
            method: "POST".to_owned(),
            path: "/v1/x?y=z".to_owned(),
            target_url: "https://h/v1/x".to_owned(),
            provider: "openai".to_owned(),
            format: WireFormat::Openai,
            headers: [("a", "\"b\"\t"), ("a", "é")].into_iter().collect(),
            tags: Tags {
                session_id: text(),
                request_id: Some(RequestId::generate()),
                properties: vec![Property { key: "k".to_owned(), value: String::new() }],
                omit_request: true,
                ..Tags::default()
            },
            notes: vec![Note::new("tag.x", "Why.")],
            request: Some(facts()),
            ..without_begin(RecordId::generate().0, OrgId::DEFAULT.0)
        }
    }

    #[test]
    fn heads_come_back() {
        let record = RecordId::generate();
        comes_back(&begin());
        comes_back(&without_begin(record.0, OrgId::DEFAULT.0));
        comes_back(&RequestBody { record, request: facts() });
        let end = End {
            record,
            outcome: Outcome::UpstreamReset,
            status: 502,
            duration_us: -1,
            head_us: Some(0),
            first_byte_us: None,
            headers: Headers::NONE,
            response: BodyFacts::default(),
            error: text(),
            notes: Vec::new(),
        };
        comes_back(&end);
        let Begin { org, key, at, tags, notes, .. } = begin();
        comes_back(&Posted { record, org, key, at, route: LogRoute::Trace, tags, notes });
        comes_back(&Gap { id: record, org, minute: at, calls: 7, reason: "journal_full".to_owned() });
    }

    #[test]
    fn fields_of_another_version_do_no_harm() {
        let Value::Object(mut fields) = serde_json::to_value(begin()).unwrap() else { panic!("no object") };
        fields.retain(|name, _| ["record", "org", "at", "method", "path"].contains(&name.as_str()));
        fields.insert("to_come".to_owned(), json!({"a": [1]}));
        let head: Begin = read(&serde_json::to_vec(&fields).unwrap()).unwrap();
        assert_eq!((head.method.as_str(), head.request), ("POST", None));

        #[derive(Serialize)]
        struct Later {
            record: RecordId,
            to_come: Value,
            request: BodyFacts,
        }
        let later = Later { record: RecordId::generate(), to_come: json!([{"a": 1}]), request: BodyFacts::default() };
        let head: RequestBody = read(&written(&later).unwrap()).unwrap();
        assert_eq!(head.record, later.record);
    }

    #[test]
    fn what_is_no_head_is_told() {
        let whole = written(&begin()).unwrap();
        for len in 0..whole.len() {
            assert!(read::<Begin>(&whole[..len]).is_err(), "{len}");
        }
        for bytes in [&b"{"[..], b"[]", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc1"] {
            assert!(read::<Begin>(bytes).is_err(), "{bytes:?}");
        }
        let nested = vec![0x91; 100_000];
        assert!(read::<Begin>(&nested).is_err());
    }
}
