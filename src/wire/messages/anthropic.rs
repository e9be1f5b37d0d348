//! Anthropic's messages: blocks in `content`; results are blocks of the user's message.

use super::{Scribe, arguments};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    scribe.system(request.system);
    scribe.tools(request.tools);
    let Some(messages) = request.messages else { return };
    json::each(messages, ["role", "content"], |_, [role, content]| {
        scribe.message();
        let by_model = role == Some("\"assistant\"");
        let Some(content) = json::non_null(content) else { return };
        if let Some(text) = json::text(content) {
            return if by_model { scribe.answer_text(&text) } else { scribe.user(&text) };
        }
        json::each(content, BLOCK, |_, block| read_block(block, by_model, scribe));
    });
}

/// What is read of a block.
const BLOCK: [&str; 9] = ["type", "text", "id", "name", "input", "tool_use_id", "content", "is_error", "source"];

fn read_block(
    [kind, text, id, name, input, result_of, content, failed, source]: [Option<&str>; BLOCK.len()],
    by_model: bool,
    scribe: &mut Scribe,
) {
    match (kind.and_then(json::text).as_deref(), by_model) {
        (Some("text"), true) => scribe.answer_text(&text.and_then(json::text).unwrap_or_default()),
        (Some("text"), false) => scribe.user(&text.and_then(json::text).unwrap_or_default()),
        (Some("tool_use"), true) => {
            scribe.call(json::non_empty_text(id), json::non_empty_text(name).unwrap_or_default(), &arguments(input));
        }
        (Some("tool_result"), _) => {
            scribe.result(json::non_empty_text(result_of), None, failed.map(|raw| raw == "true"), content);
        }
        (_, false) => {
            if let Some(source) = source {
                scribe.media(source);
            }
        }
        // Thinking and what ran at the provider: clients leave them out at will.
        _ => {}
    }
}
