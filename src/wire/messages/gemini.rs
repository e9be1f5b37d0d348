//! Gemini's contents. Its calls have no ids that can be relied on: clients make some up, so order and names count.

use super::{Scribe, arguments};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    if let Some(system) = request.system_instruction {
        let [parts] = json::fields(system, ["parts"]).values;
        scribe.system(parts.or(Some(system)));
    }
    scribe.tools(request.tools);
    let Some(contents) = request.contents else { return };
    json::each(contents, ["role", "parts"], |_, [role, parts]| {
        scribe.message();
        let by_model = role == Some("\"model\"");
        if let Some(parts) = parts {
            json::each(parts, PART, |_, part| read_part(part, by_model, scribe));
        }
    });
}

/// What is read of a part.
const PART: [&str; 8] = [
    "text",
    "thought",
    "functionCall",
    "function_call",
    "functionResponse",
    "function_response",
    "inlineData",
    "fileData",
];

fn read_part(
    [text, thought, call, snake_call, result, snake_result, data, file]: [Option<&str>; PART.len()],
    by_model: bool,
    scribe: &mut Scribe,
) {
    if let Some(call) = json::non_null(call).or(json::non_null(snake_call)) {
        let [id, name, args] = json::fields(call, ["id", "name", "args"]).values;
        return scribe.call(json::non_empty_text(id), json::non_empty_text(name).unwrap_or_default(), &arguments(args));
    }
    if let Some(result) = json::non_null(result).or(json::non_null(snake_result)) {
        let [id, name, response] = json::fields(result, ["id", "name", "response"]).values;
        return scribe.result(json::non_empty_text(id), json::non_empty_text(name), None, response);
    }
    match text.and_then(json::text) {
        Some(_) if thought == Some("true") => {}
        Some(text) if by_model => scribe.answer_text(&text),
        Some(text) => scribe.user(&text),
        None => {
            if let Some(media) = data.or(file).filter(|_| !by_model) {
                scribe.media(media);
            }
        }
    }
}
