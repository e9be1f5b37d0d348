//! AWS event streams (`application/vnd.amazon.eventstream`): binary frames with two checksums, turned into the text of
//! server-sent events, so that everything behind reads one kind of stream.
//!
//! A frame: its length and that of its headers (4 bytes each, big-endian), CRC-32 of these 8 bytes, headers, payload, CRC-32
//! of all before. The frame's `:event-type` becomes the event's name; the payload its data. The payload of
//! `invoke-with-response-stream` holds the model's own event in base64, which is unpacked. An exception becomes an event
//! `error`. A frame that breaks off or whose checksum is wrong ends the reading: what came before stands.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json;

/// AWS sends no larger ones.
const MAX_FRAME: usize = 16 * 1024 * 1024;
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// Whether a content type names this framing.
pub fn is_event_stream(content_type: &str) -> bool {
    let wanted = "application/vnd.amazon.eventstream";
    content_type.trim_start().get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// The frames as server-sent events, and why the reading ended before the bytes did.
pub fn transcript(bytes: &[u8]) -> (String, Option<&'static str>) {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        match frame(rest) {
            Ok((frame, after)) => {
                write_event(&frame, &mut text);
                rest = after;
            }
            Err(fault) => return (text, Some(fault)),
        }
    }
    (text, None)
}

struct Frame<'a> {
    /// `:event-type`, or `:exception-type` and `:error-code` of a frame that is no event.
    name: Cow<'a, str>,
    is_event: bool,
    payload: &'a [u8],
}

fn frame(bytes: &[u8]) -> Result<(Frame<'_>, &[u8]), &'static str> {
    const CUT: &str = "the last frame breaks off";
    let prelude = bytes.get(..8).ok_or(CUT)?;
    let total = number(bytes.get(..4)).ok_or(CUT)?;
    let headers = number(bytes.get(4..8)).ok_or(CUT)?;
    if checksum(bytes.get(8..PRELUDE)).ok_or(CUT)? != crc32fast::hash(prelude) {
        return Err("the checksum of a frame's lengths is wrong");
    }
    let fits = |room: usize| headers <= room;
    if total > MAX_FRAME || !total.checked_sub(PRELUDE + CHECKSUM).is_some_and(fits) {
        return Err("the lengths of a frame make no sense");
    }
    let (whole, after) = bytes.split_at_checked(total).ok_or(CUT)?;
    let (content, sum) = whole.split_at_checked(total - CHECKSUM).ok_or(CUT)?;
    if checksum(Some(sum)).ok_or(CUT)? != crc32fast::hash(content) {
        return Err("the checksum of a frame is wrong");
    }
    let (head, payload) = content.get(PRELUDE..).and_then(|rest| rest.split_at_checked(headers)).ok_or(CUT)?;
    let mut frame = Frame { name: Cow::Borrowed(""), is_event: true, payload };
    read_headers(head, |name, value| match name {
        ":event-type" | ":exception-type" | ":error-code" => frame.name = Cow::Borrowed(value),
        ":message-type" => frame.is_event = value == "event",
        _ => {}
    })
    .ok_or("the headers of a frame make no sense")?;
    Ok((frame, after))
}

/// Calls `take` with every header whose value is text; the others are stepped over.
fn read_headers<'a>(mut rest: &'a [u8], mut take: impl FnMut(&'a str, &'a str)) -> Option<()> {
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let (kind, after) = after.split_first()?;
        let size = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            9 => 16,
            6 | 7 => {
                let (length, after) = after.split_at_checked(2)?;
                let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
                let (value, after) = after.split_at_checked(length)?;
                if let (7, Ok(name), Ok(value)) = (*kind, std::str::from_utf8(name), std::str::from_utf8(value)) {
                    take(name, value);
                }
                rest = after;
                continue;
            }
            _ => return None,
        };
        rest = after.get(size..)?;
    }
    Some(())
}

fn write_event(frame: &Frame<'_>, text: &mut String) {
    let payload = String::from_utf8_lossy(frame.payload);
    let one_line = |raw: &str| raw.replace(['\r', '\n'], " ");
    if !frame.is_event {
        let error = serde_json::json!({"error": {"type": frame.name, "message": error_message(&payload)}});
        push(text, "error", &error.to_string());
        return;
    }
    let [inner] = json::fields(&payload, ["bytes"]).values;
    let unpacked = inner.and_then(json::text).and_then(|inner| STANDARD.decode(inner.as_bytes()).ok());
    match unpacked {
        Some(bytes) => push(text, "chunk", &one_line(&String::from_utf8_lossy(&bytes))),
        None => push(text, &one_line(&frame.name), &one_line(&payload)),
    }
}

fn error_message(payload: &str) -> String {
    let [message, capital] = json::fields(payload, ["message", "Message"]).values;
    json::non_empty_text(message).or_else(|| json::non_empty_text(capital)).unwrap_or_else(|| payload.to_owned())
}

fn push(text: &mut String, name: &str, data: &str) {
    for part in ["event: ", name, "\ndata: ", data, "\n\n"] {
        text.push_str(part);
    }
}

fn number(bytes: Option<&[u8]>) -> Option<usize> {
    usize::try_from(checksum(bytes)?).ok()
}

fn checksum(bytes: Option<&[u8]>) -> Option<u32> {
    Some(u32::from_be_bytes(bytes?.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A frame as AWS writes it.
    pub fn framed(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let total = u32::try_from(PRELUDE + head.len() + payload.len() + CHECKSUM).unwrap();
        let mut out = total.to_be_bytes().to_vec();
        out.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(payload.as_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out
    }

    pub fn event(name: &str, payload: &str) -> Vec<u8> {
        framed(&[(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload)
    }

    #[test]
    fn frames_become_events() {
        let mut bytes = event("messageStart", "{\"role\":\n\"assistant\"}");
        let inner = STANDARD.encode("{\"type\":\"message_stop\"}");
        bytes.extend(event("chunk", &format!("{{\"bytes\":\"{inner}\",\"p\":\"ab\"}}")));
        bytes.extend(framed(
            &[(":exception-type", "throttlingException"), (":message-type", "exception")],
            "{\"message\":\"slow down\"}",
        ));
        let (text, fault) = transcript(&bytes);
        assert_eq!(fault, None);
        assert_eq!(
            text,
            "event: messageStart\ndata: {\"role\": \"assistant\"}\n\nevent: chunk\ndata: {\"type\":\"message_stop\"}\n\n\
             event: error\ndata: {\"error\":{\"type\":\"throttlingException\",\"message\":\"slow down\"}}\n\n"
        );
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_found() {
        let first = event("a", "{}");
        let mut both = first.clone();
        both.extend(event("b", "{\"x\":1}"));
        let (whole, _) = transcript(&first);
        for at in 1..both.len() {
            let (text, fault) = transcript(&both[..at]);
            assert_eq!(fault.is_none(), at == first.len(), "{at}");
            assert_eq!(text.is_empty(), at < first.len(), "{at}");
        }
        for at in 0..both.len() {
            let mut broken = both.clone();
            broken[at] ^= 0x10;
            let (text, fault) = transcript(&broken);
            assert!(fault.is_some(), "{at}");
            assert!(text.is_empty() || (text == whole && at >= first.len()), "{at}");
        }
    }

    #[test]
    fn headers_of_every_kind_are_stepped_over() {
        let mut head = Vec::new();
        for (kind, value) in [(0, vec![]), (1, vec![]), (2, vec![1]), (3, vec![1; 2]), (4, vec![1; 4]), (5, vec![1; 8])]
        {
            head.extend([1, b'x', kind]);
            head.extend(value);
        }
        head.extend([1, b'y', 6, 0, 2, 9, 9, 1, b't', 8]);
        head.extend([1; 8]);
        head.extend([1, b'u', 9]);
        head.extend([1; 16]);
        head.extend([1, b'z', 7, 0, 1, b'v']);
        let mut seen = Vec::new();
        assert_eq!(read_headers(&head, |name, value| seen.push((name, value))), Some(()));
        assert_eq!(seen, [("z", "v")]);
        assert_eq!(read_headers(&[1, b'x', 10], |_, _| {}), None);
        assert_eq!(read_headers(&[9, b'x'], |_, _| {}), None);
    }
}
