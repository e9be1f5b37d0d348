//! The answer's words, which make the state behind a call, and results that the provider tells itself. The formats' readers
//! write them down while they read the rest of an answer.

use super::{Conversation, Told, asked_by, behind, each_text, response_state, told};
use crate::wire::calls::ToolCalls;
use crate::wire::json;

/// Texts longer than this are cut: two conversations that differ only behind it are taken for one.
const MOST_TEXT: usize = 4 * 1024 * 1024;

/// What an answer says, as the next request of its conversation repeats it.
#[derive(Clone, Debug, Default)]
pub struct Said {
    text: String,
    id: Option<String>,
    /// Results of tools that ran at the provider.
    told: Vec<Told>,
}

impl Said {
    /// An answer that later requests may name by this id, where there is one, instead of its text.
    pub(in crate::wire) fn of(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// Gives an answer its id, where that was told behind its words.
    pub(in crate::wire) fn name(&mut self, id: Option<String>) {
        self.id = id;
    }

    pub(in crate::wire) const fn is_empty(&self) -> bool {
        self.text.is_empty() && self.told.is_empty()
    }

    /// Adds the texts of a content: a string, an object with `text`, or a list of these.
    pub(in crate::wire) fn content(&mut self, raw: Option<&str>) {
        let Some(raw) = json::non_null(raw) else { return };
        each_text(raw, &mut |text| {
            if self.text.len() < MOST_TEXT {
                self.text.push_str(text);
            }
        });
    }

    /// Adds the result of a tool that ran at the provider, of the call with this id.
    pub(in crate::wire) fn result(&mut self, id: Option<&str>, failed: bool, raw: Option<&str>) {
        self.told.push(Told { id: json::non_empty_text(id), ..told(Some(failed), raw) });
    }
}

/// Adds the answer to a conversation whose request was read.
pub(super) fn add(said: Said, calls: &ToolCalls, conversation: &mut Conversation) {
    let before = conversation.step.heads.pop();
    let asked = asked_by(calls);
    let says_something = !said.text.trim().is_empty() || !asked.is_empty();
    // After `previous_response_id` the messages are no whole conversation.
    let whole = conversation.named.previous.is_none() && conversation.named.conversation.is_none();
    if let Some(before) = before.filter(|_| says_something && whole) {
        conversation.step.heads.push(behind(before, &said.text, &asked, conversation.ids));
    }
    // The id names it, also where nothing is there yet that could be repeated.
    if let Some(id) = said.id {
        conversation.step.heads.push(response_state(&id));
    }
    conversation.told_by_provider = said.told;
}
