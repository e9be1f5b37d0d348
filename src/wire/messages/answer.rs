//! The answer's words, which make the state behind a call, and results that the provider tells itself.

use super::{Conversation, Told, asked_by, behind, each_text, response_state, told};
use crate::wire::answer::Answer;
use crate::wire::api::Api;
use crate::wire::calls::ToolCalls;
use crate::wire::json;

/// Texts longer than this are cut: two conversations that differ only behind it are taken for one.
const MOST_TEXT: usize = 4 * 1024 * 1024;

/// Adds the answer to a conversation whose request was read.
pub(super) fn read(api: Api, answer: &Answer<'_>, calls: &ToolCalls, conversation: &mut Conversation) {
    let mut said = Said { api, text: String::new(), id: None, told: Vec::new() };
    match *answer {
        Answer::Json(text) => said.whole(text),
        _ => answer.each_event(|event| said.event(&event.data)),
    }
    let before = conversation.step.heads.pop();
    let asked = asked_by(calls);
    if said.text.trim().is_empty() && asked.is_empty() {
        return;
    }
    // After `previous_response_id` the messages are no whole conversation.
    if let Some(before) =
        before.filter(|_| conversation.named.previous.is_none() && conversation.named.conversation.is_none())
    {
        conversation.step.heads.push(behind(before, &said.text, &asked, conversation.ids));
    }
    if let Some(id) = said.id {
        conversation.step.heads.push(response_state(&id));
    }
    conversation.told_by_provider = said.told;
}

struct Said {
    api: Api,
    text: String,
    id: Option<String>,
    told: Vec<Told>,
}

impl Said {
    fn add(&mut self, text: &str) {
        if self.text.len() < MOST_TEXT {
            self.text.push_str(text);
        }
    }

    fn piece(&mut self, text: Option<&str>) {
        if let Some(text) = text.and_then(json::text) {
            self.add(&text);
        }
    }
}

impl Said {
    fn whole(&mut self, text: &str) {
        match self.api {
            Api::Chat => {
                let [choices] = json::fields(text, ["choices"]).values;
                let [message] = json::nested(json::first(choices), ["message"]);
                self.content_of(message);
            }
            Api::Responses => self.response(text),
            Api::Messages | Api::Invoke => {
                let [content] = json::fields(text, ["content"]).values;
                if let Some(content) = content {
                    json::elements(content, |block| self.block(block));
                }
            }
            Api::GenerateContent | Api::StreamContent => self.candidate(text),
            Api::Converse => {
                let [output] = json::fields(text, ["output"]).values;
                let [message] = json::nested(output, ["message"]);
                self.content_of(message);
            }
            Api::CohereChat | Api::OllamaChat => {
                let [message] = json::fields(text, ["message"]).values;
                self.content_of(message);
            }
            _ => {}
        }
    }

    fn content_of(&mut self, message: Option<&str>) {
        let [content] = json::nested(message, ["content"]);
        if let Some(content) = json::non_null(content) {
            each_text(content, &mut |text| self.add(text));
        }
    }

    fn event(&mut self, data: &str) {
        match self.api {
            Api::Chat => {
                let [choices] = json::fields(data, ["choices"]).values;
                if let Some(choice) = json::first(choices) {
                    let [delta] = json::fields(choice, ["delta"]).values;
                    let [content] = json::nested(delta, ["content"]);
                    self.piece(content);
                }
            }
            Api::Responses => {
                let [kind, response] = json::fields(data, ["type", "response"]).values;
                if matches!(kind, Some("\"response.completed\"" | "\"response.incomplete\""))
                    && let Some(response) = response
                {
                    self.response(response);
                }
            }
            Api::Messages | Api::Invoke => {
                let [kind, block, delta] = json::fields(data, ["type", "content_block", "delta"]).values;
                match kind {
                    Some("\"content_block_start\"") => {
                        if let Some(block) = block {
                            self.block(block);
                        }
                    }
                    Some("\"content_block_delta\"") => {
                        let [kind, text] = json::nested(delta, ["type", "text"]);
                        self.piece(text.filter(|_| kind == Some("\"text_delta\"")));
                    }
                    _ => {}
                }
            }
            Api::GenerateContent | Api::StreamContent => self.candidate(data),
            Api::Converse => {
                let [delta] = json::fields(data, ["delta"]).values;
                let [text] = json::nested(delta, ["text"]);
                self.piece(text);
            }
            Api::CohereChat => {
                let [delta] = json::fields(data, ["delta"]).values;
                let [message] = json::nested(delta, ["message"]);
                let [content] = json::nested(message, ["content"]);
                let [text] = json::nested(content, ["text"]);
                self.piece(text);
            }
            Api::OllamaChat => {
                let [message] = json::fields(data, ["message"]).values;
                let [content] = json::nested(message, ["content"]);
                self.piece(content);
            }
            _ => {}
        }
    }

    fn response(&mut self, text: &str) {
        let [id, output] = json::fields(text, ["id", "output"]).values;
        self.id = json::non_empty_text(id);
        let Some(output) = output else { return };
        json::elements(output, |item| {
            let [kind, content, id, output, error] =
                json::fields(item, ["type", "content", "id", "output", "error"]).values;
            match kind {
                Some("\"message\"") => {
                    if let Some(content) = content {
                        each_text(content, &mut |text| self.add(text));
                    }
                }
                Some("\"mcp_call\"") => {
                    let failed = json::non_null(error).is_some();
                    let result = told(Some(failed), json::non_null(error).or(output));
                    self.told.push(Told { id: json::non_empty_text(id), ..result });
                }
                _ => {}
            }
        });
    }

    /// A block of Anthropic's.
    fn block(&mut self, block: &str) {
        let [kind, text, of, content, failed] =
            json::fields(block, ["type", "text", "tool_use_id", "content", "is_error"]).values;
        let Some(kind) = kind.and_then(json::text) else { return };
        if kind == "text" {
            self.add(&text.and_then(json::text).unwrap_or_default());
        } else if kind.ends_with("_tool_result") {
            // `{"type": "web_search_tool_result_error", …}` in the place of a list.
            let [inner] = json::nested(content, ["type"]);
            let error = inner.is_some_and(|kind| kind.ends_with("_error\"")) || failed == Some("true");
            self.told.push(Told { id: json::non_empty_text(of), ..told(Some(error), content) });
        }
    }

    fn candidate(&mut self, text: &str) {
        let [candidates] = json::fields(text, ["candidates"]).values;
        let [content] = json::nested(json::first(candidates), ["content"]);
        let [parts] = json::nested(content, ["parts"]);
        let Some(parts) = parts else { return };
        json::elements(parts, |part| {
            let [text, thought] = json::fields(part, ["text", "thought"]).values;
            self.piece(text.filter(|_| thought != Some("true")));
        });
    }
}
