//! Text on its way to the database: what a text column can hold, what an index can hold, and folding of case.
//!
//! The same functions treat stored values and search terms, so that what was changed on the way in is found again.

use std::borrow::Cow;

/// Texts up to this many bytes are their own index key. Three such keys in one index row stay far below PostgreSQL's
/// limit of about 2,700 bytes.
const KEY_MAX: usize = 255;
/// How much of a longer text its key shows, in bytes. With the 64 digits of the hash it is always longer than [`KEY_MAX`],
/// so a short text never equals the key of a long one.
const KEY_PREFIX: usize = 224;

/// Text that a text column can hold: PostgreSQL knows no U+0000, so it becomes U+FFFD, on both databases.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// What stands for a text in an index: the text itself, or for more than 255 bytes its start and its BLAKE3 hash.
/// Two texts have the same key only if they are the same text.
pub fn index_key(text: &str) -> Cow<'_, str> {
    let text = clean(text);
    if text.len() <= KEY_MAX {
        return text;
    }
    let hash = blake3::hash(text.as_bytes()).to_hex();
    let mut end = KEY_PREFIX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut key = String::with_capacity(KEY_PREFIX + 64);
    key.push_str(text.get(..end).unwrap_or_default());
    key.push_str(&hash);
    Cow::Owned(key)
}

/// The pair of columns `x_key` and `x_long`: the second is set only where the first is not the whole text.
pub fn split(text: &str) -> (String, Option<String>) {
    let key = index_key(text).into_owned();
    let long = (text.len() > KEY_MAX).then(|| clean(text)).filter(|whole| *whole != key).map(Cow::into_owned);
    (key, long)
}

/// The index key of a property's key, which compares without case.
pub fn property_key(key: &str) -> String {
    index_key(&key.to_lowercase()).into_owned()
}

/// A character without case: its lower form where that is one character.
pub fn fold_char(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Text without case, character by character ([`fold_char`]).
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// The letters outside ASCII that a text must have folded before it is compared with this folded term: pairs of upper and
/// lower form. SQL's `lower()` folds ASCII alike on both databases and nothing else reliably; the other letters matter only
/// where the term has them.
pub fn fold_pairs(folded_term: &str) -> Vec<(char, char)> {
    let mut pairs: Vec<(char, char)> = Vec::new();
    for lower in folded_term.chars() {
        let mut upper = lower.to_uppercase();
        let (Some(one), None) = (upper.next(), upper.next()) else { continue };
        let outside = !(one.is_ascii() && lower.is_ascii());
        if one != lower && outside && fold_char(one) == lower && !pairs.contains(&(one, lower)) {
            pairs.push((one, lower));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_their_own_keys() {
        assert_eq!(split("a"), ("a".to_owned(), None));
        let edge = "x".repeat(KEY_MAX);
        assert_eq!(split(&edge), (edge.clone(), None));
    }

    #[test]
    fn long_texts_keep_everything_and_differ_by_their_hash() {
        let a = format!("{}a", "é".repeat(500_000));
        let b = format!("{}b", "é".repeat(500_000));
        let (key_a, long_a) = split(&a);
        let (key_b, _) = split(&b);
        assert_ne!(key_a, key_b);
        assert!(key_a.len() > KEY_MAX && key_a.len() <= KEY_PREFIX + 64, "{}", key_a.len());
        assert_eq!(long_a.as_deref(), Some(a.as_str()));
    }

    #[test]
    fn a_key_never_equals_another_text() {
        let long = "y".repeat(1_000);
        let (key, _) = split(&long);
        assert_ne!(split(&key).0, key, "the key of a long text, sent as a text, has another key");
    }

    #[test]
    fn nul_becomes_a_character_that_text_columns_hold() {
        assert_eq!(split("a\0b").0, "a\u{fffd}b");
    }

    #[test]
    fn only_letters_of_the_term_are_folded() {
        assert_eq!(fold_pairs(&fold("Äpfel ÄÖ")), vec![('Ä', 'ä'), ('Ö', 'ö')]);
        assert!(fold_pairs("plain").is_empty());
        assert!(fold_pairs("ß中").is_empty());
    }
}
