//! The items of OpenAI's responses. An answer is several items; those that ran at the provider are no part of its state.

use super::{Scribe, arguments, each_text};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    scribe.system(request.instructions);
    scribe.tools(request.tools);
    let Some(input) = json::non_null(request.input) else { return };
    if let Some(text) = json::text(input) {
        scribe.message();
        return scribe.user(&text);
    }
    json::each(input, ITEM, |_, item| {
        scribe.message();
        read_item(item, scribe);
    });
}

/// What is read of an item.
const ITEM: [&str; 8] = ["type", "role", "content", "call_id", "name", "arguments", "input", "output"];

fn read_item(
    [kind, role, content, call_id, name, given, custom, output]: [Option<&str>; ITEM.len()],
    scribe: &mut Scribe,
) {
    let kind = kind.and_then(json::text);
    match kind.as_deref() {
        Some("function_call" | "custom_tool_call") => {
            scribe.call(
                json::non_empty_text(call_id),
                json::non_empty_text(name).unwrap_or_default(),
                &arguments(given.or(custom)),
            );
        }
        Some(kind) if kind.ends_with("_call_output") => {
            scribe.result(json::non_empty_text(call_id), None, None, output);
        }
        Some("message") | None => read_message(role, content, scribe),
        _ => {}
    }
}

fn read_message(role: Option<&str>, content: Option<&str>, scribe: &mut Scribe) {
    let Some(content) = json::non_null(content) else { return };
    match role.and_then(json::text).as_deref() {
        Some("system" | "developer") => scribe.system(Some(content)),
        Some("assistant") => each_text(content, &mut |text| scribe.answer_text(text)),
        _ if content.starts_with('[') => {
            let names = ["text", "image_url", "file_url", "file_id", "file_data"];
            json::each(content, names, |_, [text, image, file, id, data]| match text.and_then(json::text) {
                Some(text) => scribe.user(&text),
                None => scribe.media(image.or(file).or(id).or(data).unwrap_or_default()),
            });
        }
        _ => each_text(content, &mut |text| scribe.user(text)),
    }
}
