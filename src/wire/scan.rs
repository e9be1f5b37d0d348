//! Walks over JSON without decoding it: where a value begins and ends, which keys an object has.
//!
//! Most of a body is a few long strings, so the walk through them takes many bytes in a step. It is iterative: a document of 100,000
//! brackets costs a byte each on the heap and no stack. It accepts what RFC 8259 accepts, and escapes of lone surrogates.

use std::borrow::Cow;

use super::body::lossy;

/// A place in a document, at which a value is expected.
#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// The document breaks off, or is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What a list goes on with.
#[derive(PartialEq)]
enum Next {
    Item,
    End,
}

impl<'a> Scan<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Calls `take` with every key, as it is written between its quotes, and the raw value behind it.
    pub fn object(&mut self, mut take: impl FnMut(&'a str, &'a str)) -> Result<(), Broken> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            let value = self.value()?;
            take(key, value);
            if self.next(b'}')? == Next::End {
                return Ok(());
            }
        }
    }

    /// Calls `take` with every element, raw.
    pub fn array(&mut self, mut take: impl FnMut(&'a str)) -> Result<(), Broken> {
        self.items(|scan| scan.value().map(&mut take))
    }

    /// Walks over a list; `item` walks over one element.
    pub fn items(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Broken>) -> Result<(), Broken> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            if self.next(b']')? == Next::End {
                return Ok(());
            }
        }
    }

    /// Walks over one value of any kind and gives it back; the fields of an object go to `take` on the way.
    pub fn value_with(&mut self, take: impl FnMut(&'a str, &'a str)) -> Result<&'a str, Broken> {
        if self.peek() != Some(b'{') {
            return self.value();
        }
        let start = self.at;
        self.object(take)?;
        self.since(start)
    }

    /// Whether more than `most` lists and objects stand in one another, from here on.
    pub fn is_deeper(&mut self, most: usize) -> bool {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if self.string().is_ok() => continue,
                b'{' | b'[' if depth == most => return true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Result<(), Broken> {
        if self.peek().is_none() { Ok(()) } else { Err(Broken) }
    }

    /// Walks over one value of any kind and gives it back without the white space around it.
    fn value(&mut self) -> Result<&'a str, Broken> {
        self.peek();
        let start = self.at;
        let mut open = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(b'{') => {
                    self.at += 1;
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                    } else {
                        self.key()?;
                        open.push(b'}');
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if self.peek() == Some(b']') {
                        self.at += 1;
                    } else {
                        open.push(b']');
                        continue;
                    }
                }
                Some(b't') => self.word("true")?,
                Some(b'f') => self.word("false")?,
                Some(b'n') => self.word("null")?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => return Err(Broken),
            }
            // Behind a value: the next one of the list around it, or the ends of lists.
            loop {
                let Some(&close) = open.last() else { return self.since(start) };
                if self.next(close)? == Next::Item {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    /// Behind an item of a list that `close` ends.
    fn next(&mut self, close: u8) -> Result<Next, Broken> {
        let found = self.peek().ok_or(Broken)?;
        self.at += 1;
        if found == close {
            Ok(Next::End)
        } else if found == b',' {
            Ok(Next::Item)
        } else {
            Err(Broken)
        }
    }

    /// A key and the colon behind it.
    fn key(&mut self) -> Result<&'a str, Broken> {
        self.peek();
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// What is written between two quotes.
    fn string(&mut self) -> Result<&'a str, Broken> {
        self.expect_here(b'"')?;
        let start = self.at;
        loop {
            let rest = self.rest();
            let len = plain(rest);
            self.at += len;
            match rest.get(len) {
                Some(b'"') => {
                    let text = self.since(start)?;
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => self.escape()?,
                // A control character, or the end.
                _ => return Err(Broken),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        let len = match self.rest() {
            [b'\\', kind, ..] if is_simple(*kind) => 2,
            [b'\\', b'u', digits @ ..] if digits.iter().take(4).filter(|d| d.is_ascii_hexdigit()).count() == 4 => 6,
            _ => return Err(Broken),
        };
        self.at += len;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Broken> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Broken);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Broken> {
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _signed = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Broken> {
        let len = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += len;
        if len == 0 { Err(Broken) } else { Ok(()) }
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.rest().first() == Some(&byte);
        self.at += usize::from(there);
        there
    }

    /// The next byte that is no white space; the place is before it then.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.at += blank;
        rest.get(blank).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        self.peek();
        self.expect_here(byte)
    }

    fn expect_here(&mut self, byte: u8) -> Result<(), Broken> {
        if self.skip(byte) { Ok(()) } else { Err(Broken) }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> Result<&'a str, Broken> {
        self.text.get(start..self.at).ok_or(Broken)
    }
}

/// Whether a backslash and this byte are an escape by themselves. A set of bits: jumps would be guessed wrong at every other one.
const fn is_simple(kind: u8) -> bool {
    const SET: u128 = 1 << b'"' | 1 << b'\\' | 1 << b'/' | 1 << b'b' | 1 << b'f' | 1 << b'n' | 1 << b'r' | 1 << b't';
    kind < 128 && SET >> kind & 1 == 1
}

/// How many bytes stand before the next one that means something in a string: a quote, a backslash, a control character.
///
/// Sixteen bytes in a step, in a form that compiles to comparisons of whole registers; the first and those before a find eight in
/// a step, as most strings are keys. Wider registers are faster in long strings, and slower by more where escapes stand close.
fn plain(bytes: &[u8]) -> usize {
    let Some((first, rest)) = bytes.split_first_chunk::<16>() else { return plain_by_words(bytes) };
    let mut at = plain_by_words(first);
    if at < first.len() {
        return at;
    }
    let (blocks, _) = rest.as_chunks::<16>();
    for block in blocks {
        let mut found = 0;
        for byte in block {
            found |= u8::from(*byte < 0x20) | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
        }
        if found != 0 {
            break;
        }
        at += block.len();
    }
    at + plain_by_words(bytes.get(at..).unwrap_or_default())
}

/// The top bit of each of eight bytes that is below the limit; exact up to the first.
pub(super) const fn below(word: u64, limit: u64) -> u64 {
    word.wrapping_sub(ONES * limit) & !word & (ONES << 7)
}

/// The same of each that is this byte.
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * byte as u64), 1)
}

const ONES: u64 = u64::MAX / 0xFF;

/// Eight bytes in a step, as one number.
fn plain_by_words(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (n, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let found = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return n * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let means = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    chunks.len() * 8 + rest.iter().position(means).unwrap_or(rest.len())
}

/// The decoded text of a JSON string, from what stands between its quotes; lone surrogates become U+FFFD.
pub(super) fn decoded(inner: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let at = copy_before(rest.as_bytes(), &mut text, |word| equal(word, b'\\'));
        let Some(escape) = rest.get(at..).filter(|escape| !escape.is_empty()) else { break };
        let (character, len) = unescaped(escape);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(len..).unwrap_or_default();
    }
    Cow::Owned(lossy(text))
}

/// Copies what stands before the first byte that `found` marks by its top bit (as [`below`] does), and tells how much it was.
/// Eight bytes in a step, for what is found every few bytes.
pub(super) fn copy_before(bytes: &[u8], text: &mut Vec<u8>, found: impl Fn(u64) -> u64) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (n, chunk) in chunks.iter().enumerate() {
        text.extend_from_slice(chunk);
        let found = found(u64::from_le_bytes(*chunk));
        if found != 0 {
            let before = found.trailing_zeros() as usize / 8;
            text.truncate(text.len() - chunk.len() + before);
            return n * 8 + before;
        }
    }
    let before = rest.iter().position(|byte| found(ONES * u64::from(*byte)) != 0).unwrap_or(rest.len());
    text.extend_from_slice(rest.get(..before).unwrap_or_default());
    chunks.len() * 8 + before
}

/// The character of an escape, and how long it is written.
fn unescaped(escape: &str) -> (char, usize) {
    let simple = match escape.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return of_units(escape),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

fn of_units(escape: &str) -> (char, usize) {
    let unit = |at: usize| {
        let digits = escape.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 2) };
    match char::decode_utf16([first, unit(6).unwrap_or(0)]).next() {
        Some(Ok(character)) => (character, if character.len_utf16() == 2 { 12 } else { 6 }),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// The walk over one value and its end.
    fn whole(text: &str) -> bool {
        let mut scan = Scan::new(text);
        scan.value().and_then(|_| scan.end()).is_ok()
    }

    #[test]
    fn what_is_json() {
        for good in [
            "0",
            "-0",
            "1.5e+3",
            "12E-1",
            "1e400",
            "true",
            "null",
            r#""""#,
            r#""a\u00e9\ud800\\""#,
            "[]",
            "[ ]",
            "{}",
            "{ }",
            r#" {"a" : [1, {"b":null}] , "":"\"" } "#,
            "[[],{}]",
            "\"\u{7f}é\"",
        ] {
            assert!(whole(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "01",
            "1.",
            "-",
            ".5",
            "1e",
            "+1",
            "tru",
            "nul",
            "'a'",
            "\"",
            r#""\x""#,
            r#""\u12g4""#,
            "\"\n\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:2}",
            "[1}",
            "{\"a\":1]",
            "[",
            "{",
            "1 2",
            "\u{feff}1",
            "{\"a\" 1}",
            "\u{a0}1",
        ] {
            assert!(!whole(bad), "{bad}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(decoded(r#"a\n\"\/\\\u00e9\ud83d\ude00\b\f\r\tz"#), "a\n\"/\\é😀\u{8}\u{c}\r\tz");
        assert_eq!(decoded(r"\ud800x\ude00\ud800\ud83d\ude00"), "\u{fffd}x\u{fffd}\u{fffd}😀");
        assert_eq!(decoded("plain é"), "plain é");
        // What the walk would not have accepted is still no panic.
        for odd in ["\\", "\\u", "\\u12", "\\ué000", "\\é", "\\ud800\\"] {
            decoded(odd);
        }
    }

    #[test]
    fn the_first_byte_that_means_something_is_found() {
        for special in ['"', '\\', '\u{0}', '\u{1f}'] {
            for (at, other) in
                (0..70).flat_map(|at| ["a", "é", "\u{7f}", " ", "!", "#", "[", "]"].map(|other| (at, other)))
            {
                let text = format!("{}{special}\"\\\\{special}", other.repeat(at));
                assert_eq!(plain(text.as_bytes()), other.len() * at, "{text:?}");
            }
        }
        assert_eq!(plain("no ende é".as_bytes()), 10);
        assert_eq!(plain(b""), 0);
    }

    /// Texts that are nearly JSON.
    fn nearly() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"b\":", "\\", "\\n", "\\u00e9", "\\ud800", "1", "-", "0",
            ".5", "e3", "true", "null", "false", " ", "\n", "é", "\u{1}",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn it_accepts_what_the_library_accepts(text in nearly()) {
            prop_assert_eq!(whole(&text), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn it_decodes_as_the_library_does(text in ".{0,40}") {
            let raw = serde_json::to_string(&text).unwrap_or_default();
            let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default();
            prop_assert_eq!(decoded(inner), text);
        }
    }
}
