//! Session paths without what differs from run to run: `/research/iteration/3` and `/research/iteration/4` are one decision
//! point, `/research/iteration/:n`. Pure, and the same again on what it made.

/// Characters of a folded path that figures are kept under; the rest is cut.
pub const MOST_CHARS: usize = 200;

/// A path with its numbers as `:n` and its ids as `:id`, a slash before each segment and none at the end; `/` for none.
/// Segments that do not fit any more are left out, so that what is left reads the same when it is folded again.
pub fn fold_path(path: &str) -> String {
    let mut folded = String::with_capacity(path.len() + 1);
    let mut chars = 0;
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = fold_segment(segment);
        chars += 1 + segment.chars().count();
        if chars > MOST_CHARS {
            break;
        }
        folded.push('/');
        folded.push_str(&segment);
    }
    match (folded.is_empty(), chars) {
        (true, 0) => "/".to_owned(),
        (true, _) => "/:long".to_owned(),
        _ => folded,
    }
}

/// The text's first characters.
pub fn cut(text: &str, chars: usize) -> &str {
    match text.char_indices().nth(chars) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// `3` is `:n`, `step-3` and `step_3` are `step-:n` and `step_:n`, a UUID or a hash is `:id`.
pub fn fold_segment(segment: &str) -> String {
    if is_number(segment) {
        return ":n".to_owned();
    }
    if is_id(segment) {
        return ":id".to_owned();
    }
    let Some(at) = segment.rfind(['-', '_', ':', '#']) else { return segment.to_owned() };
    let (name, tail) = segment.split_at(at + 1);
    if is_number(tail) {
        format!("{name}:n")
    } else if is_id(tail) {
        format!("{name}:id")
    } else {
        segment.to_owned()
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A UUID, eight or more hexadecimal digits of both kinds, or a long run of letters and digits with many of both.
fn is_id(text: &str) -> bool {
    let bare: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    if text.len() == 36 && bare.len() == 32 && bare.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let plain = digits + letters == text.len();
    let hash = text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits > 0 && letters > 0;
    plain && (hash || (text.len() >= 16 && digits >= 4 && letters >= 4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_folded() {
        for (path, folded) in [
            ("", "/"),
            ("/", "/"),
            ("a//b/", "/a/b"),
            ("/research/iteration/3", "/research/iteration/:n"),
            ("/iteration-12/tool", "/iteration-:n/tool"),
            ("/step_3", "/step_:n"),
            ("/user/018f6b1c-7c1e-7c3a-9d5a-1f2e3d4c5b6a/x", "/user/:id/x"),
            ("/commit/9f86d081884c7d65", "/commit/:id"),
            ("/run/V1StGXR8Z5jdHi6Bmy", "/run/:id"),
            ("/v2/plan", "/v2/plan"),
            ("/gpt-4o/answer", "/gpt-4o/answer"),
            ("/deadbeef/face", "/deadbeef/face"),
            ("/größe/3", "/größe/:n"),
            (&"x".repeat(300), "/:long"),
            (&format!("/a/{}/b", "x".repeat(300)), "/a"),
        ] {
            assert_eq!(fold_path(path), folded, "{path}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(path in "(/[a-z0-9_:#é-]{0,40}){0,8}") {
            let once = fold_path(&path);
            prop_assert_eq!(&fold_path(&once), &once);
            prop_assert!(once.starts_with('/') && once.chars().count() <= MOST_CHARS);
        }
    }
}
