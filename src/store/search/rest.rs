//! A filter taken apart: what a database can be asked, and what is left for the bodies to decide.

use crate::model::filter::{CallField, Field, Filter, Leaf, Test};

/// Whether a leaf of it looks into a body.
pub(in crate::store) fn names_body(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(names_body),
        Filter::Leaf(leaf) => side(leaf).is_some(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

fn side(leaf: &Leaf) -> Option<Side> {
    match leaf.field {
        Field::Call(CallField::RequestBody) => Some(Side::Request),
        Field::Call(CallField::ResponseBody) => Some(Side::Response),
        _ => None,
    }
}

/// The filter with every condition on a body taken for true.
pub(super) fn wider(filter: &Filter) -> Filter {
    match filter {
        Filter::And(parts) => Filter::And(parts.iter().map(wider).collect()),
        Filter::Or(parts) => Filter::Or(parts.iter().map(wider).collect()),
        Filter::Leaf(leaf) if side(leaf).is_some() => Filter::ALL,
        Filter::Leaf(_) => filter.clone(),
    }
}

/// What the bodies decide of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rest {
    And(Vec<Self>),
    Or(Vec<Self>),
    /// The database's answer of that number.
    Answer(usize),
    Body(Side, Test),
}

impl Rest {
    /// The rest of a filter. `given`: candidates pass all of its conditions that name no body, so these are left out;
    /// otherwise the database is asked for them, in `asked`.
    pub fn of(filter: &Filter, given: bool, asked: &mut Vec<Filter>) -> Self {
        let (parts, and) = match filter {
            Filter::And(parts) => (parts, true),
            Filter::Or(parts) => (parts, false),
            Filter::Leaf(leaf) => {
                return match side(leaf) {
                    Some(side) => Self::Body(side, leaf.test.clone()),
                    None if given => Self::And(Vec::new()),
                    None => Self::ask(filter.clone(), asked),
                };
            }
        };
        let (bodies, others): (Vec<&Filter>, Vec<&Filter>) = parts.iter().partition(|part| names_body(part));
        let mut rest: Vec<Self> = bodies.into_iter().map(|part| Self::of(part, given && and, asked)).collect();
        if !(others.is_empty() || given && and) {
            let others = others.into_iter().cloned().collect();
            rest.push(Self::ask(if and { Filter::And(others) } else { Filter::Or(others) }, asked));
        }
        if and { Self::And(rest) } else { Self::Or(rest) }
    }

    fn ask(filter: Filter, asked: &mut Vec<Filter>) -> Self {
        asked.push(filter);
        Self::Answer(asked.len() - 1)
    }

    /// Whether it holds, as far as the leaves tell: `None` where one that is not known decides.
    pub fn holds(&self, answers: &[bool], body: &mut impl FnMut(Side, &Test) -> Option<bool>) -> Option<bool> {
        let (parts, deciding) = match self {
            Self::Answer(n) => return Some(answers.get(*n).copied().unwrap_or_default()),
            Self::Body(side, test) => return body(*side, test),
            Self::And(parts) => (parts, false),
            Self::Or(parts) => (parts, true),
        };
        let mut known = true;
        for part in parts {
            match part.holds(answers, body) {
                Some(holds) if holds == deciding => return Some(deciding),
                Some(_) => {}
                None => known = false,
            }
        }
        known.then_some(!deciding)
    }

    pub fn names(&self, wanted: Side) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.names(wanted)),
            Self::Answer(_) => false,
            Self::Body(side, _) => *side == wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::filter::TextOp;

    fn leaf(field: CallField) -> Filter {
        Filter::Leaf(Leaf { field: Field::Call(field), test: Test::Text(TextOp::Equals, "x".to_owned()) })
    }

    #[test]
    fn the_database_is_asked_only_for_what_candidates_may_lack() {
        let body = || leaf(CallField::RequestBody);
        let column = |n: usize| leaf([CallField::Model, CallField::Path, CallField::Kind][n]);
        let filter = Filter::And(vec![
            column(0),
            body(),
            Filter::Or(vec![column(1), Filter::And(vec![column(2), column(0), body()]), column(2)]),
        ]);
        let mut asked = Vec::new();
        let rest = Rest::of(&filter, true, &mut asked);
        assert_eq!(
            asked,
            [Filter::And(vec![column(2), column(0)]), Filter::Or(vec![column(1), column(2)])],
            "not the first, which holds for each candidate"
        );
        for (answers, body_holds, holds) in [
            ([false, false], true, Some(false)),
            ([true, false], true, Some(true)),
            ([false, true], true, Some(true)),
            ([true, true], false, Some(false)),
        ] {
            assert_eq!(rest.holds(&answers, &mut |_, _| Some(body_holds)), holds, "{answers:?} {body_holds}");
        }
        assert_eq!(rest.holds(&[true, true], &mut |_, _| None), None);
        assert_eq!(rest.holds(&[false, false], &mut |_, _| None), Some(false), "no body can help");
        assert!(names_body(&filter) && !names_body(&wider(&filter)));
        assert!(rest.names(Side::Request) && !rest.names(Side::Response));
    }
}
