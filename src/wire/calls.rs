//! Tool calls as answers carry them, whole or in parts.
//!
//! Bounded: of one answer the first [`MAX_CALLS`] are kept, of each at most [`MAX_ARGUMENTS`] bytes of arguments. All are
//! counted, each once, however many parts it came in.

use std::collections::HashMap;

pub use crate::model::capture::ToolCall;

/// Calls kept of one answer.
pub const MAX_CALLS: usize = 256;
/// Bytes kept of one call's arguments.
pub const MAX_ARGUMENTS: usize = 64 * 1024;

impl ToolCall {
    /// A call of this form that nothing more is known of.
    pub fn of(form: &str, at_provider: bool) -> Self {
        Self { form: form.to_owned(), at_provider, ..Self::default() }
    }

    /// Adds a piece of the arguments.
    pub fn extend(&mut self, piece: &str) {
        let room = MAX_ARGUMENTS.saturating_sub(self.arguments.len());
        let end = piece.floor_char_boundary(room.min(piece.len()));
        self.arguments.push_str(piece.get(..end).unwrap_or_default());
    }
}

/// The calls of one answer, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct ToolCalls {
    list: Vec<ToolCall>,
    /// Of calls that come in parts: where they stand in the list, if they are kept.
    places: HashMap<String, Option<usize>>,
    asked: u32,
    ran: u32,
}

impl ToolCalls {
    /// Calls that were read before, of which not all were kept.
    pub fn again(asked: u32, kept: Vec<ToolCall>) -> Self {
        let ran = kept.iter().filter(|call| call.at_provider).count();
        Self { asked, ran: u32::try_from(ran).unwrap_or(u32::MAX), list: kept, ..Self::default() }
    }

    /// Takes a whole call.
    pub fn add(&mut self, call: ToolCall) {
        self.count(call.at_provider);
        if self.list.len() < MAX_CALLS {
            self.list.push(call);
        }
    }

    /// The call at a place of the answer; `new` makes it when the place is named for the first time. `None` where it is
    /// counted and not kept.
    pub fn at(&mut self, place: &str, new: impl FnOnce() -> ToolCall) -> Option<&mut ToolCall> {
        if !self.places.contains_key(place) {
            let call = new();
            self.count(call.at_provider);
            let kept = self.list.len() < MAX_CALLS;
            self.places.insert(place.to_owned(), kept.then_some(self.list.len()));
            if kept {
                self.list.push(call);
            }
        }
        self.known(place)
    }

    /// What comes at this place next is another call.
    pub fn leave(&mut self, place: &str) {
        self.places.remove(place);
    }

    /// The call at a place, if there is one already.
    pub fn known(&mut self, place: &str) -> Option<&mut ToolCall> {
        let index = (*self.places.get(place)?)?;
        self.list.get_mut(index)
    }

    /// How many ask the client for something.
    pub const fn asked(&self) -> u32 {
        self.asked
    }

    /// How many ran at the provider.
    pub const fn ran(&self) -> u32 {
        self.ran
    }

    pub fn iter(&self) -> impl Iterator<Item = &ToolCall> {
        self.list.iter()
    }

    fn count(&mut self, at_provider: bool) {
        let sum = if at_provider { &mut self.ran } else { &mut self.asked };
        *sum = sum.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_place_are_one_call() {
        let mut calls = ToolCalls::default();
        for (place, piece) in [("0", "{\"a\""), ("1", "{}"), ("0", ":1}")] {
            calls.at(place, || ToolCall::of("function", false)).unwrap().extend(piece);
        }
        calls.add(ToolCall::of("web_search_call", true));
        assert_eq!((calls.asked(), calls.ran()), (2, 1));
        assert_eq!(calls.iter().map(|c| c.arguments.as_str()).collect::<Vec<_>>(), ["{\"a\":1}", "{}", ""]);
        assert!(calls.known("2").is_none());
    }

    #[test]
    fn many_and_long_calls_are_counted_and_cut() {
        let mut calls = ToolCalls::default();
        for n in 0..1_000 {
            if let Some(call) = calls.at(&n.to_string(), || ToolCall::of("function", false)) {
                call.extend(&"ü".repeat(MAX_ARGUMENTS));
                call.extend("more");
                assert!(call.arguments.len() <= MAX_ARGUMENTS);
            }
        }
        assert_eq!((calls.asked(), calls.iter().count()), (1_000, MAX_CALLS));
    }
}
