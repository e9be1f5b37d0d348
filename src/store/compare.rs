//! Single comparisons as SQL, with the same result on both databases.
//!
//! Without case means: each letter is compared in its lower form where that is one character. SQL's own folding differs
//! between the databases outside ASCII, so `lower()` (on columns of collation "C": ASCII only) is completed by a `replace`
//! for each letter outside ASCII that the term itself has; letters that it has not cannot matter.

use std::str::Chars;
use std::time::Instant;

use sea_query::{BinOper, Expr, ExprTrait, Func};

use super::text::{clean, fold, fold_char, fold_pairs};
use crate::model::filter::{NumberOp, TextOp};
use crate::model::units::Micros;

/// Letters outside ASCII that one term folds, each a level of nesting in the SQL; in a term with more of them, which is no
/// word of any language, the rest are compared with case.
const MOST_LETTERS: usize = 48;

/// Which SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

/// Something missing reads as the empty text.
pub(super) fn or_empty(text: Expr) -> Expr {
    Func::coalesce([text, Expr::cust("''")]).into()
}

/// A test of a text that is not NULL.
pub(super) fn text(backend: Backend, text: Expr, op: TextOp, term: &str) -> Expr {
    let term = clean(term);
    match op {
        TextOp::Equals => text.eq(term.into_owned()),
        TextOp::NotEquals => text.ne(term.into_owned()),
        TextOp::Contains => position(backend, text, &term).gt(Expr::cust("0")),
        TextOp::NotContains => position(backend, text, &term).eq(Expr::cust("0")),
        TextOp::Like => match backend {
            Backend::Postgres => text.binary(BinOper::Like, Expr::val(without_escapes(&term))),
            // SQLite's LIKE has no case; its GLOB has.
            Backend::Sqlite => text.binary(BinOper::Custom("GLOB"), Expr::val(glob(&term))),
        },
        TextOp::ILike => {
            let term = fold(&term);
            let text = folded(text, &term);
            match backend {
                Backend::Postgres => text.binary(BinOper::Like, Expr::val(without_escapes(&term))),
                Backend::Sqlite => text.binary(BinOper::Like, Expr::val(term)),
            }
        }
    }
}

/// Where the term starts in the text, without case; 0 if nowhere.
fn position(backend: Backend, text: Expr, term: &str) -> Expr {
    let term = fold(term);
    let function = match backend {
        Backend::Sqlite => "instr",
        Backend::Postgres => "strpos",
    };
    Func::cust(function).args([folded(text, &term), Expr::val(term)]).into()
}

fn folded(text: Expr, folded_term: &str) -> Expr {
    let lower: Expr = Func::lower(text).into();
    fold_pairs(folded_term).into_iter().take(MOST_LETTERS).fold(lower, |text, (upper, lower)| {
        Func::cust("replace").args([text, Expr::val(upper.to_string()), Expr::val(lower.to_string())]).into()
    })
}

/// PostgreSQL's LIKE takes a backslash as an escape; the filter language has none.
fn without_escapes(pattern: &str) -> String {
    pattern.replace('\\', "\\\\")
}

fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len() + 8);
    for c in pattern.chars() {
        match c {
            '%' => glob.push('*'),
            '_' => glob.push('?'),
            '*' | '?' | '[' => glob.extend(['[', c, ']']),
            c => glob.push(c),
        }
    }
    glob
}

/// A test of a whole number against one that may have a fraction. Something missing passes only `not-equals`.
pub(super) fn integer(column: Expr, op: NumberOp, wanted: f64) -> Expr {
    let near = wanted.round();
    // 0.1 dollars are 100,000,000.00000001 nano-dollars in floating point: that close to a whole number is that number.
    let whole = (wanted - near).abs() < 1e-3;
    let floor = if whole { near } else { wanted.floor() };
    if !(-9.2e18..=9.2e18).contains(&floor) {
        let holds = match op {
            NumberOp::Gte | NumberOp::Gt => floor < 0.0,
            NumberOp::Lte | NumberOp::Lt => floor > 0.0,
            NumberOp::Equals => false,
            NumberOp::NotEquals => return Expr::cust("1 = 1"),
        };
        return if holds { column.is_not_null() } else { Expr::cust("1 = 0") };
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked above and the number is whole")]
    let bound = floor as i64;
    match (op, whole) {
        (NumberOp::Equals, true) => column.eq(bound),
        (NumberOp::Equals, false) => Expr::cust("1 = 0"),
        (NumberOp::NotEquals, true) => column.clone().ne(bound).or(column.is_null()),
        (NumberOp::NotEquals, false) => Expr::cust("1 = 1"),
        (NumberOp::Gte, true) => column.gte(bound),
        (NumberOp::Lt, true) => column.lt(bound),
        (NumberOp::Gt, _) | (NumberOp::Gte, false) => column.gt(bound),
        (NumberOp::Lte, _) | (NumberOp::Lt, false) => column.lte(bound),
    }
}

/// A test of a floating-point column. Something missing passes only `not-equals`.
pub(super) fn float(column: Expr, op: NumberOp, wanted: f64) -> Expr {
    match op {
        NumberOp::Equals => column.eq(wanted),
        NumberOp::NotEquals => column.clone().ne(wanted).or(column.is_null()),
        NumberOp::Gte => column.gte(wanted),
        NumberOp::Lte => column.lte(wanted),
        NumberOp::Gt => column.gt(wanted),
        NumberOp::Lt => column.lt(wanted),
    }
}

/// A test of an instant. Rows show milliseconds, so an instant of whole milliseconds stands for all of that millisecond:
/// what a row shows, sent back, finds the row.
pub(super) fn instant(column: Expr, op: NumberOp, wanted: Micros) -> Expr {
    let first = wanted.0;
    let last = if first % 1_000 == 0 { first.saturating_add(999) } else { first };
    match op {
        NumberOp::Equals => column.between(first, last),
        NumberOp::NotEquals => column.clone().not_between(first, last).or(column.is_null()),
        NumberOp::Gte => column.gte(first),
        NumberOp::Gt => column.gt(last),
        NumberOp::Lte => column.lte(last),
        NumberOp::Lt => column.lt(first),
    }
}

/// The same tests on a text at hand.
pub(super) fn matches(text: &str, op: TextOp, term: &str) -> bool {
    matches_by(text, op, term, None).unwrap_or_default()
}

/// The same, until an instant: `None` where it came before the end.
pub(super) fn matches_by(text: &str, op: TextOp, term: &str, until: Option<Instant>) -> Option<bool> {
    Some(match op {
        TextOp::Equals => text == term,
        TextOp::NotEquals => text != term,
        TextOp::Contains => fold(text).contains(&fold(term)),
        TextOp::NotContains => !fold(text).contains(&fold(term)),
        TextOp::Like => return like(text, term, |c| c, until),
        TextOp::ILike => return like(text, term, fold_char, until),
    })
}

/// Characters between two looks at the clock.
const LOOK_EVERY: u32 = 1 << 20;

/// LIKE without escapes, in time proportional to the product of the lengths: on a mismatch only the last `%` takes one more.
fn like(text: &str, pattern: &str, fold: impl Fn(char) -> char, until: Option<Instant>) -> Option<bool> {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    let mut steps = 0_u32;
    loop {
        steps = (steps + 1) % LOOK_EVERY;
        if steps == 0 && until.is_some_and(|until| Instant::now() > until) {
            return None;
        }
        let mut behind = text.clone();
        let Some(c) = behind.next() else { break };
        match pattern.clone().next() {
            Some('%') => {
                pattern.next();
                retry = Some((text.clone(), pattern.clone()));
                continue;
            }
            Some(q) if q == '_' || fold(q) == fold(c) => {
                pattern.next();
                text = behind;
                continue;
            }
            _ => {}
        }
        let Some((from, after)) = &mut retry else { return Some(false) };
        from.next();
        text = from.clone();
        pattern = after.clone();
    }
    Some(pattern.all(|c| c == '%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        assert_eq!(glob("a%b_c*?[x]"), "a*b?c[*][?][[]x]");
    }

    #[test]
    fn text_tests() {
        for (text, op, term, holds) in [
            ("gpt-4o", TextOp::Like, "gpt%", true),
            ("GPT-4o", TextOp::Like, "gpt%", false),
            ("GPT-4o", TextOp::ILike, "gpt%", true),
            ("a%b", TextOp::Contains, "%", true),
            ("ab", TextOp::Contains, "%", false),
            ("ÄPFEL", TextOp::Contains, "äpf", true),
            ("aXbXc", TextOp::Like, "%X_", true),
            ("aXb", TextOp::Like, "a_b_", false),
            ("", TextOp::Like, "%", true),
            ("", TextOp::Like, "_", false),
            ("abc", TextOp::NotContains, "B", false),
            ("aaab", TextOp::Like, "%aab", true),
            ("日本x", TextOp::ILike, "_本X%", true),
        ] {
            assert_eq!(matches(text, op, term), holds, "{text} {op:?} {term}");
        }
    }

    #[test]
    fn a_match_that_takes_too_long_is_given_up() {
        let (text, pattern) = ("a".repeat(1 << 16), format!("%{}b", "a".repeat(4_000)));
        assert_eq!(matches_by(&text, TextOp::Like, &pattern, Some(Instant::now())), None);
    }
}
