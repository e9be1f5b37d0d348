//! Bodies as text: content encodings undone, invalid UTF-8 replaced, both within limits.
//!
//! The stored body stays as it passed; this is a copy for reading. A body that was cut, or whose encoding breaks off, gives
//! the part that could be decoded.

use std::borrow::Cow;
use std::io::Read;

use super::eventstream;
use crate::model::capture::{Body, Kept};
use crate::model::tags::Note;

/// Decoded bytes that are looked at, per body.
pub const MAX_DECODED: u64 = 64 * 1024 * 1024;

/// More encodings than that on one body are no honest mistake.
const MAX_ENCODINGS: usize = 4;

/// The largest zstd window that is accepted, as a power of two (RFC 9659 asks for 8 MB = 23; a little more is let through).
const ZSTD_WINDOW_LOG: u32 = 25;

/// A body ready for reading.
#[derive(Debug, Default)]
pub struct Readable<'a> {
    pub text: Cow<'a, str>,
    /// False where bytes are missing at the end: not kept, cut off, or beyond [`MAX_DECODED`].
    pub whole: bool,
    /// A body came, but nothing of it can be read: an unknown encoding, or a broken one.
    pub unreadable: bool,
    /// The text is a rendering of bytes that were no text.
    pub rendered: bool,
    pub note: Option<Note>,
}

/// Decodes a body. `which` is `request` or `response`, for the note.
pub fn readable<'a>(body: &'a Body, which: &str) -> Readable<'a> {
    let kept_whole = body.facts.kept == Kept::Whole;
    let encodings: Vec<&str> = body
        .facts
        .content_encoding
        .as_deref()
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
        .collect();
    let framed = body.facts.content_type.as_deref().is_some_and(eventstream::is_event_stream);
    if framed && encodings.is_empty() {
        return rendered(&body.bytes, which, kept_whole);
    }
    if encodings.is_empty() || body.bytes.is_empty() {
        return Readable { text: without_bom(text(&body.bytes)), whole: kept_whole, ..Readable::default() };
    }

    let unreadable = |reason: String| Readable {
        unreadable: true,
        note: Some(Note::new("body.encoding", format!("The {which} body could not be read: {reason}."))),
        ..Readable::default()
    };
    if encodings.len() > MAX_ENCODINGS {
        return unreadable(format!("it has more than {MAX_ENCODINGS} content encodings"));
    }
    let mut reader: Box<dyn Read + '_> = Box::new(&*body.bytes);
    for name in encodings.iter().rev() {
        reader = match decoder(name, reader) {
            Some(next) => Box::new(next.take(MAX_DECODED + 1)),
            None => return unreadable("its content encoding is not known".to_owned()),
        };
    }

    let mut decoded = Vec::new();
    // `read_to_end` keeps what came before the error.
    let ended = reader.read_to_end(&mut decoded);
    let over = decoded.len() as u64 > MAX_DECODED;
    if over {
        decoded.truncate(usize::try_from(MAX_DECODED).unwrap_or(usize::MAX));
    }
    if decoded.is_empty() && ended.is_err() {
        return unreadable("its content encoding is broken".to_owned());
    }
    if framed {
        return rendered(&decoded, which, kept_whole && ended.is_ok() && !over);
    }
    let note = if over {
        Some(format!("The {which} body was read only up to {} MB of decoded bytes.", MAX_DECODED / 1024 / 1024))
    } else if ended.is_err() && kept_whole {
        Some(format!("The {which} body's content encoding breaks off; what came before was read."))
    } else {
        None
    };
    Readable {
        text: without_bom(Cow::Owned(lossy(decoded))),
        whole: kept_whole && ended.is_ok() && !over,
        unreadable: false,
        rendered: false,
        note: note.map(|text| Note::new("body.encoding", text)),
    }
}

/// An AWS event stream as text.
fn rendered<'a>(bytes: &[u8], which: &str, whole: bool) -> Readable<'a> {
    let (text, fault) = eventstream::transcript(bytes);
    let note = fault
        .map(|fault| Note::new("body.frames", format!("The {which} body could be read only up to a point: {fault}.")));
    Readable { text: Cow::Owned(text), whole: whole && fault.is_none(), unreadable: false, rendered: true, note }
}

fn decoder<'a>(name: &str, input: Box<dyn Read + 'a>) -> Option<Box<dyn Read + 'a>> {
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(input)),
        "deflate" => Box::new(Deflate::new(input)?),
        "br" => Box::new(brotli::Decompressor::new(input, 4096)),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(input).ok()?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).ok()?;
            Box::new(decoder)
        }
        _ => return None,
    })
}

/// `deflate` means a zlib stream (RFC 9110, 8.4.1.2), but some servers send a bare one: the first two bytes tell.
struct Deflate;

impl Deflate {
    #[expect(clippy::new_ret_no_self, reason = "it chooses between two decoders and is neither")]
    fn new<'a>(mut input: Box<dyn Read + 'a>) -> Option<Box<dyn Read + 'a>> {
        let mut head = [0_u8; 2];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match input.read(rest).ok()? {
                0 => break,
                n => filled += n,
            }
        }
        let is_zlib = head[0] & 0x0f == 8 && u16::from_be_bytes(head) % 31 == 0;
        let whole = std::io::Cursor::new(head).take(filled as u64).chain(input);
        Some(if is_zlib {
            Box::new(flate2::read::ZlibDecoder::new(whole))
        } else {
            Box::new(flate2::read::DeflateDecoder::new(whole))
        })
    }
}

/// Bytes as text. Checking them first is several times faster than a lossy reading, and nearly all are valid.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Bytes as text; copies only where something must be replaced.
pub fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn without_bom(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Cow::Owned(text) => match text.strip_prefix('\u{feff}') {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => Cow::Owned(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;

    use super::*;
    use crate::model::capture::BodyFacts;

    fn body(bytes: Vec<u8>, encoding: &str) -> Body {
        Body {
            facts: BodyFacts { content_encoding: Some(encoding.to_owned()), ..BodyFacts::default() },
            bytes: Bytes::from(bytes),
        }
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        w.write_all(data).unwrap();
        w.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut w = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        w.write_all(data).unwrap();
        w.finish().unwrap()
    }

    fn raw_deflate(data: &[u8]) -> Vec<u8> {
        let mut w = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        w.write_all(data).unwrap();
        w.finish().unwrap()
    }

    fn br(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 20).write_all(data).unwrap();
        out
    }

    #[test]
    fn every_encoding_and_a_stack_of_two() {
        let plain = r#"{"model":"gpt-4o","n":"ü"}"#.repeat(50);
        let data = plain.as_bytes();
        let zstd_of = |data: &[u8]| zstd::encode_all(data, 3).unwrap();
        for (encoding, bytes) in [
            ("gzip", gzip(data)),
            ("X-Gzip", gzip(data)),
            ("deflate", zlib(data)),
            ("deflate", raw_deflate(data)),
            ("br", br(data)),
            ("zstd", zstd_of(data)),
            ("identity", data.to_vec()),
            ("gzip, br", br(&gzip(data))),
            ("br,zstd , identity", zstd_of(&br(data))),
        ] {
            let body = body(bytes, encoding);
            let read = readable(&body, "response");
            assert_eq!(read.text, plain, "{encoding}");
            assert!(read.whole && !read.unreadable && read.note.is_none(), "{encoding}");
        }
    }

    #[test]
    fn a_cut_body_gives_its_beginning() {
        let plain = (0..20_000).map(|i| i.to_string()).collect::<String>();
        let mut bytes = gzip(plain.as_bytes());
        bytes.truncate(bytes.len() / 2);
        let body = body(bytes, "gzip");
        let read = readable(&body, "response");
        assert!(read.text.len() > 1000 && plain.starts_with(&*read.text));
        assert!(!read.whole && !read.unreadable);
        assert_eq!(read.note.unwrap().code, "body.encoding");
    }

    #[test]
    fn a_bomb_is_stopped() {
        let zeros = vec![b' '; 70 * 1024 * 1024];
        let bomb = body(gzip(&gzip(&zeros)), "gzip, gzip");
        let read = readable(&bomb, "request");
        assert_eq!(read.text.len() as u64, MAX_DECODED);
        assert!(!read.whole && read.note.is_some());
    }

    #[test]
    fn unknown_and_broken_encodings_are_unreadable() {
        for (encoding, bytes) in
            [("rot13", b"{}".to_vec()), ("gzip", b"{}".to_vec()), ("br,br,br,br,br", b"{}".to_vec())]
        {
            let body = body(bytes, encoding);
            let read = readable(&body, "response");
            assert!(read.unreadable && !read.whole && read.text.is_empty(), "{encoding}");
            assert!(read.note.is_some(), "{encoding}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let body = Body { facts: BodyFacts::default(), bytes: Bytes::from_static(b"\xef\xbb\xbf{\"a\":\"\xff\"}") };
        assert_eq!(readable(&body, "response").text, "{\"a\":\"\u{fffd}\"}");
    }
}
