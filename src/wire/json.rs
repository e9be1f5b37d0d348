//! A shallow, tolerant reader of JSON: it picks named fields of one object, or the elements of one array, as raw text.
//!
//! Bodies are not ours, so this reader decodes nothing that it was not asked for: lone surrogates, `1e400`, doubled keys
//! and any depth of nesting pass through it untouched ([`super::scan`] walks over them). A document that breaks off keeps
//! the fields that came before the break.
//!
//! Invariants: no function here builds a `serde_json::Value` from more than [`MAX_VALUE`] bytes; a scalar at the very end
//! of a broken document is never returned, because its last digits may be missing.

use std::borrow::Cow;

use serde::de::{Error as _, IgnoredAny};

use super::scan::{Scan, decoded};

/// The largest text that [`value`] makes a tree of, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// The picked fields of one object, as raw JSON text.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    /// In the order of the asked names; the last one where a key is doubled, as JavaScript has it.
    pub values: [Option<&'a str>; N],
    text: &'a str,
    whole: bool,
}

impl<const N: usize> Fields<'_, N> {
    /// Whether the text was one object and nothing else.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Why the document could not be read to its end; `None` where it could.
    pub fn error(&self) -> Option<serde_json::Error> {
        let why = || serde_json::from_str::<IgnoredAny>(self.text).err();
        (!self.whole).then(|| why().unwrap_or_else(|| serde_json::Error::custom("expected an object")))
    }
}

/// Picks fields of the object in `text`. Anything but an object gives no fields and an error.
pub fn fields<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Fields<'a, N> {
    let mut values = [None; N];
    let mut scan = Scan::new(text);
    let read = scan.object(|key, value| keep(&mut values, &names, key, value));
    let whole = read.and_then(|()| scan.end()).is_ok();
    if !whole {
        for value in &mut values {
            *value = value.filter(|raw| !ends_at_the_break(text, raw));
        }
    }
    Fields { values, text, whole }
}

fn keep<'a, const N: usize>(values: &mut [Option<&'a str>; N], names: &[&str; N], key: &str, value: &'a str) {
    if let Some(slot) = place(key, names).and_then(|place| values.get_mut(place)) {
        *slot = Some(value);
    }
}

/// Which of the names a key is, as it is written.
fn place(written: &str, names: &[&str]) -> Option<usize> {
    let found = names.iter().position(|name| written == *name);
    if found.is_some() || !written.contains('\\') {
        return found;
    }
    let key = decoded(written);
    names.iter().position(|name| key == *name)
}

/// A scalar that runs to the end of the text may be a part of a longer one.
fn ends_at_the_break(text: &str, raw: &str) -> bool {
    offset(text, raw).is_some_and(|at| at.saturating_add(raw.len()) >= text.len()) && !raw.ends_with(['}', ']', '"'])
}

/// Where `part`, a slice of `text`, starts in it.
pub fn offset(text: &str, part: &str) -> Option<usize> {
    (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize).filter(|&at| at <= text.len())
}

/// Picks fields of a nested object; absent, `null` or another type gives none.
pub fn nested<'a, const N: usize>(raw: Option<&'a str>, names: [&str; N]) -> [Option<&'a str>; N] {
    non_null(raw).map_or([None; N], |raw| fields(raw, names).values)
}

/// The first element of an array.
pub fn first(list: Option<&str>) -> Option<&str> {
    let mut found = None;
    elements(list?, |raw| found = found.or(Some(raw)));
    found
}

/// Whether a key with that word in it may be there: cheaper than to look for it, and never a wrong no.
pub fn may_have(text: &str, word: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    has(word) || has("\\u")
}

/// Calls `take` with every element of the array in `text`, in order; stops at a break. True if it was a whole array.
pub fn elements<'a>(text: &'a str, take: impl FnMut(&'a str)) -> bool {
    Scan::new(text).array(take).is_ok()
}

/// Calls `take` with every element of the array in `text` and with those of its fields that have the names, none where it is
/// no object: [`elements`] and [`fields`] in one walk. Stops at a break. True if it was a whole array.
pub fn each<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
    mut take: impl FnMut(&'a str, [Option<&'a str>; N]),
) -> bool {
    let mut scan = Scan::new(text);
    scan.items(|scan| {
        let mut values = [None; N];
        let element = scan.value_with(|key, value| keep(&mut values, &names, key, value))?;
        take(element, values);
        Ok(())
    })
    .is_ok()
}

/// Calls `take` with every key and raw value of the object in `text`, in order. True if it was a whole object.
pub fn entries<'a>(text: &'a str, mut take: impl FnMut(Cow<'a, str>, &'a str)) -> bool {
    Scan::new(text).object(|key, value| take(decoded(key), value)).is_ok()
}

/// The decoded text of a JSON string; lone surrogates become U+FFFD. `None` for any other value. `raw` is a value as this
/// module gives it: it was walked over, and is not a second time.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(decoded)
}

/// A small value as a tree; `None` if it is large, deep, or has numbers that no `f64` holds.
pub fn value(raw: &str) -> Option<serde_json::Value> {
    (raw.len() <= MAX_VALUE).then(|| serde_json::from_str(raw).ok()).flatten()
}

/// The value unless it is absent or `null`.
pub fn non_null(raw: Option<&str>) -> Option<&str> {
    raw.filter(|raw| *raw != "null")
}

/// Whether JSON is nested deeper than so many levels.
pub fn is_deeper(text: &str, most: usize) -> bool {
    Scan::new(text).is_deeper(most)
}

/// Whether the value is an object.
pub fn is_object(raw: &str) -> bool {
    raw.starts_with('{')
}

/// Whether a text begins like a list.
pub fn is_list(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

/// The decoded text of a string that is not empty.
pub fn non_empty_text(raw: Option<&str>) -> Option<String> {
    raw.and_then(text).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(text: &str) -> [Option<&str>; 2] {
        fields(text, ["a", "b"]).values
    }

    #[test]
    fn each_is_elements_and_fields_in_one() {
        for text in [
            r#"[{"a":1,"b":{"a":2}}, "x", {"\u0061":"y"}, [], {}, {"a":1,"a":null}]"#,
            r#"[{"a":1},{"a":2,"b":"#,
            r#"[{"a":1} {"a":2}]"#,
            "[]",
            "{}",
            "7",
        ] {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            let whole = each(text, ["a", "b"], |raw, values| one.push((raw, values)));
            assert_eq!(whole, elements(text, |raw| two.push((raw, pick(raw)))), "{text}");
            assert_eq!(one, two, "{text}");
        }
    }

    #[test]
    fn picks_raw_text_and_the_last_of_doubled_keys() {
        assert_eq!(pick(r#"{"a": 1e400, "b":"\ud800", "c":{}}"#), [Some("1e400"), Some(r#""\ud800""#)]);
        assert_eq!(pick(r#"{"a":1,"\u0061":2}"#), [Some("2"), None]);
        assert_eq!(pick(r#"{"\ud800":1,"b":[ ]}"#), [None, Some("[ ]")]);
        assert_eq!(pick("[1]"), [None, None]);
        assert_eq!(pick(""), [None, None]);
    }

    #[test]
    fn a_broken_document_keeps_what_was_whole() {
        let cut = fields(r#"{"a":{"x":1},"b":12"#, ["a", "b"]);
        assert_eq!(cut.values, [Some(r#"{"x":1}"#), None]);
        assert!(!cut.is_whole());
        assert_eq!(pick(r#"{"b":12,"a":[1,"#), [None, Some("12")]);
        assert!(!fields(r#"{"a":1} x"#, ["a"]).is_whole());
        assert!(fields(r#"{"a":1} "#, ["a"]).is_whole());
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(r#"{{"a":{}{},"b":7}}"#, "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(pick(&deep)[1], Some("7"));
        assert!(fields(&deep, ["b"]).is_whole());
        let unclosed = format!(r#"{{"b":7,"a":{}"#, "{\"a\":[".repeat(100_000));
        assert_eq!(pick(&unclosed), [None, Some("7")]);
    }

    #[test]
    fn strings_decode_with_replacement() {
        assert_eq!(text(r#""a\n\ud83d\ude00""#).as_deref(), Some("a\n😀"));
        assert!(text(r#""x\ud800y""#).is_some_and(|t| t.starts_with('x') && t.ends_with('y')));
        assert_eq!(text("1"), None);
        assert_eq!(text("[1]"), None);
        assert_eq!(text("null"), None);
    }

    #[test]
    fn elements_and_entries_keep_order() {
        let mut seen = Vec::new();
        assert!(elements(r#"[1, {"a":[2]}, "x"]"#, |raw| seen.push(raw)));
        assert_eq!(seen, ["1", r#"{"a":[2]}"#, r#""x""#]);
        let mut seen = Vec::new();
        assert!(entries(r#"{"b":1,"a":null}"#, |key, raw| seen.push((key.into_owned(), raw))));
        assert_eq!(seen, [("b".to_owned(), "1"), ("a".to_owned(), "null")]);
        assert!(!elements("{}", |_| {}));
    }
}
