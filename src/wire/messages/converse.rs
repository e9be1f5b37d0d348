//! Bedrock's converse: blocks as in Anthropic's messages, told apart by their one field.

use super::{Scribe, arguments};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    scribe.system(request.system.filter(|raw| *raw != "[]"));
    scribe.tools(request.tool_config);
    let Some(messages) = request.messages else { return };
    json::each(messages, ["role", "content"], |_, [role, content]| {
        scribe.message();
        let by_model = role == Some("\"assistant\"");
        if let Some(content) = content {
            json::each(content, BLOCK, |_, block| read_block(block, by_model, scribe));
        }
    });
}

/// What is read of a block.
const BLOCK: [&str; 6] = ["text", "toolUse", "toolResult", "image", "document", "video"];

fn read_block(
    [text, call, result, image, document, video]: [Option<&str>; BLOCK.len()],
    by_model: bool,
    scribe: &mut Scribe,
) {
    if let Some(call) = json::non_null(call) {
        let [id, name, input] = json::fields(call, ["toolUseId", "name", "input"]).values;
        return scribe.call(
            json::non_empty_text(id),
            json::non_empty_text(name).unwrap_or_default(),
            &arguments(input),
        );
    }
    if let Some(result) = json::non_null(result) {
        let [id, content, status] = json::fields(result, ["toolUseId", "content", "status"]).values;
        let content = content.map(values);
        return scribe.result(json::non_empty_text(id), None, status.map(|raw| raw == "\"error\""), content.as_deref());
    }
    match (text.and_then(json::text), by_model) {
        (Some(text), true) => scribe.answer_text(&text),
        (Some(text), false) => scribe.user(&text),
        (None, false) => {
            if let Some(media) = image.or(document).or(video) {
                scribe.media(media);
            }
        }
        (None, true) => {}
    }
}

/// A result may be `[{"json": …}]`: then the value is the result.
fn values(content: &str) -> String {
    let mut value = None;
    json::each(content, ["json"], |_, [inner]| {
        value = value.take().or(inner.map(str::to_owned));
    });
    value.unwrap_or_else(|| content.to_owned())
}
