//! The input of Google's interactions: a text, a content, or a list of contents, of steps, or (before revision 2026-05-20) of
//! turns. What went before is mostly left to `previous_interaction_id`.

use super::{Scribe, arguments};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    scribe.system(request.system_instruction);
    scribe.tools(request.tools);
    let Some(input) = json::non_null(request.input) else { return };
    if let Some(text) = json::text(input) {
        scribe.message();
        scribe.user(&text);
    } else if input.starts_with('[') {
        json::each(input, STEP, |_, step| {
            scribe.message();
            read_step(step, scribe);
        });
    } else {
        scribe.message();
        read_step(json::fields(input, STEP).values, scribe);
    }
}

/// What is read of a step, a turn and a content.
const STEP: [&str; 12] =
    ["type", "role", "content", "text", "id", "call_id", "name", "arguments", "result", "is_error", "data", "uri"];

type Fields<'a> = [Option<&'a str>; STEP.len()];

fn read_step(fields: Fields<'_>, scribe: &mut Scribe) {
    let [kind, role, content, ..] = fields;
    match kind {
        Some("\"user_input\"") => read_content(content, false, scribe),
        Some("\"model_output\"") => read_content(content, true, scribe),
        None if role.is_some() => read_content(content, role == Some("\"model\""), scribe),
        _ => read_part(fields, false, scribe),
    }
}

/// A text, or a list of contents. Turns have calls and results in it.
fn read_content(content: Option<&str>, by_model: bool, scribe: &mut Scribe) {
    let Some(content) = json::non_null(content) else { return };
    match json::text(content) {
        Some(text) if by_model => scribe.answer_text(&text),
        Some(text) => scribe.user(&text),
        None => {
            json::each(content, STEP, |_, part| read_part(part, by_model, scribe));
        }
    }
}

fn read_part(
    [kind, _, _, text, id, call_id, name, given, result, is_error, data, uri]: Fields<'_>,
    by_model: bool,
    scribe: &mut Scribe,
) {
    match kind.and_then(json::text).as_deref() {
        Some("function_call") => {
            let name = json::non_empty_text(name).unwrap_or_default();
            scribe.call(json::non_empty_text(id), name, &arguments(given));
        }
        Some("function_result") => {
            let failed = is_error.map(|raw| raw == "true");
            scribe.result(json::non_empty_text(call_id), json::non_empty_text(name), failed, result);
        }
        Some("text") | None => match text.and_then(json::text) {
            Some(text) if by_model => scribe.answer_text(&text),
            Some(text) => scribe.user(&text),
            None => {}
        },
        Some("image" | "audio" | "video" | "document") if !by_model => {
            scribe.media(data.or(uri).unwrap_or_default());
        }
        // Thoughts, and what ran at Google.
        _ => {}
    }
}
