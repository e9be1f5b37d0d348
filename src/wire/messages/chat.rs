//! Chat completions' messages, and those of Cohere's second version and of Ollama, which have the same shape.

use super::{Scribe, arguments};
use crate::wire::json;
use crate::wire::request::Request;

pub(super) fn read(request: &Request<'_>, scribe: &mut Scribe) {
    scribe.tools(request.tools.or(request.functions));
    let Some(messages) = request.messages else { return };
    let names = ["role", "content", "tool_calls", "function_call", "tool_call_id", "name", "tool_name"];
    json::each(messages, names, |_, [role, content, calls, function, id, name, tool]| {
        scribe.message();
        match role.and_then(json::text).as_deref() {
            Some("system" | "developer") => scribe.system(content),
            Some("assistant") => {
                parts(content, |text| scribe.answer_text(text), |_| {});
                if let Some(function) = json::non_null(function) {
                    call(function, None, scribe);
                }
                if let Some(calls) = calls {
                    json::each(calls, ["id", "function", "custom"], |_, [id, function, custom]| {
                        if let Some(inner) = json::non_null(function).or(json::non_null(custom)) {
                            call(inner, json::non_empty_text(id), scribe);
                        }
                    });
                }
            }
            Some("tool" | "function") => {
                let content = content.map(documents);
                scribe.result(
                    json::non_empty_text(id),
                    json::non_empty_text(tool).or_else(|| json::non_empty_text(name)),
                    None,
                    content.as_deref(),
                );
            }
            _ => read_user(content, scribe),
        }
    });
}

fn call(inner: &str, id: Option<String>, scribe: &mut Scribe) {
    let [name, given, input] = json::fields(inner, ["name", "arguments", "input"]).values;
    scribe.call(id, json::non_empty_text(name).unwrap_or_default(), &arguments(given.or(input)));
}

fn read_user(content: Option<&str>, scribe: &mut Scribe) {
    // One list: the scribe is lent to one closure at a time.
    let mut seen: Vec<(bool, String)> = Vec::new();
    let Some(raw) = json::non_null(content) else { return scribe.user("") };
    if let Some(text) = json::text(raw) {
        return scribe.user(&text);
    }
    json::each(raw, ["text", "image_url", "input_audio", "file"], |_, [text, image, audio, file]| {
        if let Some(text) = text.and_then(json::text) {
            seen.push((true, text.into_owned()));
        } else if let Some(media) = image.or(audio).or(file) {
            seen.push((false, media.to_owned()));
        }
    });
    for (is_text, part) in seen {
        if is_text { scribe.user(&part) } else { scribe.media(&part) }
    }
}

/// Calls `text` with each text of a content and `other` with each part that has none.
pub(super) fn parts(content: Option<&str>, mut text: impl FnMut(&str), mut other: impl FnMut(&str)) {
    let Some(raw) = json::non_null(content) else { return };
    if let Some(whole) = json::text(raw) {
        return text(&whole);
    }
    json::each(raw, ["text"], |part, [inner]| match inner.and_then(json::text) {
        Some(inner) => text(&inner),
        None => other(part),
    });
}

/// Cohere's results are documents: `[{"type":"document","document":{"data":"…"}}]`.
fn documents(content: &str) -> String {
    let mut data = Vec::new();
    if content.starts_with('[') {
        json::each(content, ["document"], |_, [document]| {
            let [inner] = json::nested(document, ["data"]);
            data.extend(inner.map(str::to_owned));
        });
    }
    match data.as_slice() {
        [] => content.to_owned(),
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}
