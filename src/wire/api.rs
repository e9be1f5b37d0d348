//! Which interface of a provider a call used, told by the end of its path or, for logs, by the shapes of the bodies.

use super::json;
use super::sse;
use crate::model::capture::WireFormat;
use crate::model::exchange::Kind;

/// An interface whose bodies have one shape. Paths are compared by their end, because gateways put them under any prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `/chat/completions`
    Chat,
    /// `/completions`, the older one.
    Completions,
    /// `/responses`
    Responses,
    /// `/responses/{id}`: an answer fetched again, or polled for in background mode.
    ResponseLookup,
    /// `/responses/compact`
    Compaction,
    /// `/embeddings`
    Embeddings,
    /// Images, audio, moderations: a model call, mostly without tokens.
    Media,
    /// Anthropic's `/messages`.
    Messages,
    /// A model call in a format that has no reader; the clause says so.
    Unread(&'static str),
    /// No model call; the clause says so.
    NoModelCall(&'static str),
}

const OTHER: Api = Api::NoModelCall("this is no model call that the gateway knows");
const COUNTING: Api = Api::NoModelCall("counting tokens uses none");
const SHAPELESS: Api = Api::Unread("the bodies have no shape that the gateway knows");
const UNREAD: Api = Api::Unread("usage in this provider's format is not read");

impl Api {
    /// By path. OpenAI's and Anthropic's paths are known wherever they appear: most providers offer one of the two shapes
    /// beside their own, so the path says more than the provider's usual format.
    pub fn of(format: WireFormat, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let mut segments = path.rsplit('/');
        let last = segments.next().unwrap_or("");
        let before = segments.next().unwrap_or("");
        match (before, last) {
            ("chat", "completions") => Self::Chat,
            (_, "completions") => Self::Completions,
            (_, "embeddings") => Self::Embeddings,
            (_, "responses") => Self::Responses,
            ("responses", "compact") => Self::Compaction,
            ("responses", "input_tokens") | ("messages", "count_tokens") => COUNTING,
            ("responses", _) if format != WireFormat::Other => Self::ResponseLookup,
            ("images", "generations" | "edits" | "variations")
            | ("audio", "speech" | "transcriptions" | "translations")
            | (_, "moderations") => Self::Media,
            // OpenAI has messages too: those of its assistants' threads.
            (_, "messages") if !path.contains("/threads/") => Self::Messages,
            _ if matches!(format, WireFormat::Openai | WireFormat::Anthropic | WireFormat::Other) => OTHER,
            _ => UNREAD,
        }
    }

    /// By shape, for logs.
    pub fn guess(format: WireFormat, request: &str, response: &str) -> Self {
        Self::by_shape(response).or_else(|| Self::by_request(format, request)).unwrap_or(match format {
            WireFormat::Openai => Self::Chat,
            WireFormat::Anthropic => Self::Messages,
            WireFormat::Other => SHAPELESS,
            _ => UNREAD,
        })
    }

    fn by_shape(response: &str) -> Option<Self> {
        let trimmed = response.trim_start();
        if sse::looks_like_events(trimmed) {
            return sse::events(trimmed).take(3).find_map(|event| Self::by_object(&event.data));
        }
        Self::by_object(trimmed)
    }

    /// By the fields that only one interface has.
    fn by_object(text: &str) -> Option<Self> {
        let [object, kind, usage, choices, output, stop_reason, chunks] =
            json::fields(text, ["object", "type", "usage", "choices", "output", "stop_reason", "streamed_data"]).values;
        if let Some(chunks) = chunks.filter(|raw| raw.starts_with('[')) {
            let mut found = None;
            json::elements(chunks, |raw| {
                let data = json::text(raw);
                found = found.or_else(|| Self::by_object(data.as_deref().unwrap_or(raw)));
            });
            return found;
        }
        let object = object.and_then(json::text);
        let kind = kind.and_then(json::text);
        match (object.as_deref(), kind.as_deref()) {
            (Some("chat.completion" | "chat.completion.chunk"), _) => return Some(Self::Chat),
            (Some("text_completion"), _) => return Some(Self::Completions),
            (Some("response"), _) => return Some(Self::Responses),
            (_, Some("message" | "message_start" | "message_delta" | "content_block_start" | "ping")) => {
                return Some(Self::Messages);
            }
            (_, Some(kind)) if kind.starts_with("response.") => return Some(Self::Responses),
            _ => {}
        }
        let [prompt, completion, input] = usage.map_or([None; 3], |usage| {
            json::fields(usage, ["prompt_tokens", "completion_tokens", "input_tokens"]).values
        });
        if choices.is_some() || completion.is_some() {
            return Some(Self::Chat);
        }
        if prompt.is_some() {
            return Some(Self::Embeddings);
        }
        if stop_reason.is_some() {
            return Some(Self::Messages);
        }
        (output.is_some() || input.is_some()).then_some(Self::Responses)
    }

    fn by_request(format: WireFormat, request: &str) -> Option<Self> {
        let [messages, input, max_tokens] = json::fields(request, ["messages", "input", "max_tokens"]).values;
        match format {
            WireFormat::Anthropic if messages.is_some() && max_tokens.is_some() => Some(Self::Messages),
            WireFormat::Openai if input.is_some() => Some(Self::Responses),
            _ => None,
        }
    }

    /// What a call of this interface is; `None` where it is no model call.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::NoModelCall(_) => None,
            _ => Some(Kind::Llm),
        }
    }

    /// Whose shape the bodies have.
    pub const fn format(self) -> WireFormat {
        match self {
            Self::Messages => WireFormat::Anthropic,
            Self::Unread(_) | Self::NoModelCall(_) => WireFormat::Other,
            _ => WireFormat::Openai,
        }
    }

    /// A short name, also the hint at a usage's shape for pricing.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses | Self::ResponseLookup | Self::Compaction => "responses",
            Self::Embeddings => "embeddings",
            Self::Media => "media",
            Self::Messages => "messages",
            Self::Unread(_) | Self::NoModelCall(_) => "",
        }
    }
}

/// The model in a path such as `/engines/x/…`, `/models/x:generate`, `/model/x/invoke` or `/deployments/x/…`.
pub fn model_in_path(path: &str) -> Option<String> {
    let mut segments = path.split('/');
    segments.find(|s| matches!(*s, "engines" | "models" | "model" | "deployments"))?;
    let name = segments.next()?.split(':').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The field `model` of a multipart form, as the audio and image uploads have it.
pub fn model_in_form(text: &str) -> Option<String> {
    let (_, after) = text.split_once("name=\"model\"")?;
    let (_, value) = after.split_once("\r\n\r\n")?;
    let value = value.split("\r\n").next()?.trim();
    (!value.is_empty() && value.len() <= 256).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        use WireFormat::{Anthropic, Gemini, Openai, Other};
        for (format, path, expected) in [
            (Openai, "/v1/chat/completions", Api::Chat),
            (Openai, "/openai/deployments/x/chat/completions/", Api::Chat),
            (Anthropic, "/v1/chat/completions", Api::Chat),
            (Gemini, "/v1beta/openai/chat/completions", Api::Chat),
            (Openai, "/v1/completions", Api::Completions),
            (Openai, "/v1/engines/davinci/completions", Api::Completions),
            (Openai, "/v1/responses", Api::Responses),
            (Openai, "/v1/responses/resp_1", Api::ResponseLookup),
            (Openai, "/v1/responses/compact", Api::Compaction),
            (Openai, "/v1/responses/input_tokens", COUNTING),
            (Openai, "/v1/embeddings", Api::Embeddings),
            (Openai, "/v1/images/generations", Api::Media),
            (Openai, "/v1/audio/transcriptions", Api::Media),
            (Openai, "/v1/moderations", Api::Media),
            (Openai, "/v1/threads/t/messages", OTHER),
            (Openai, "/v1/models", OTHER),
            (Openai, "/v1/models/gpt-4o", OTHER),
            (Openai, "", OTHER),
            (Anthropic, "/v1/messages", Api::Messages),
            (Openai, "/api/v1/messages", Api::Messages),
            (Anthropic, "/v1/messages/count_tokens", COUNTING),
            (Anthropic, "/v1/messages/batches", OTHER),
            (Other, "/v1/chat/completions", Api::Chat),
            (Gemini, "/v1beta/models/gemini-2.5-pro:generateContent", UNREAD),
        ] {
            assert_eq!(Api::of(format, path), expected, "{format:?} {path}");
        }
    }

    #[test]
    fn shapes() {
        use WireFormat::{Anthropic, Openai, Other};
        for (format, request, response, expected) in [
            (Other, "{}", r#"{"choices":[]}"#, Api::Chat),
            (Other, "{}", r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#, Api::Chat),
            (Other, "{}", r#"{"object":"list","usage":{"prompt_tokens":1,"total_tokens":1}}"#, Api::Embeddings),
            (Other, "{}", r#"{"type":"message","usage":{}}"#, Api::Messages),
            (Other, "{}", r#"{"stop_reason":"end_turn"}"#, Api::Messages),
            (Other, "{}", r#"{"object":"response"}"#, Api::Responses),
            (Other, "{}", "event: message_start\ndata: {\"type\":\"message_start\"}\n\n", Api::Messages),
            (Other, "{}", "data: {\"type\":\"response.created\"}\n\n", Api::Responses),
            (Other, "{}", "{\"object\":\"chat.completion.chunk\"}\n{}", Api::Chat),
            (Other, "{}", r#"{"streamed_data":[{"type":"message_start"}]}"#, Api::Messages),
            (Anthropic, "{}", "", Api::Messages),
            (Openai, r#"{"input":"x"}"#, "", Api::Responses),
            (Other, "{}", "", SHAPELESS),
            (Openai, "{}", "", Api::Chat),
            (WireFormat::Gemini, "{}", r#"{"candidates":[]}"#, UNREAD),
        ] {
            assert_eq!(Api::guess(format, request, response), expected, "{format:?} {response}");
        }
    }

    #[test]
    fn models_outside_json() {
        assert_eq!(model_in_path("/v1/engines/davinci/completions").as_deref(), Some("davinci"));
        assert_eq!(model_in_path("/v1beta/models/gemini-2.5-pro:generateContent").as_deref(), Some("gemini-2.5-pro"));
        assert_eq!(model_in_path("/model/anthropic.claude/invoke").as_deref(), Some("anthropic.claude"));
        assert_eq!(model_in_path("/openai/deployments/d/chat/completions").as_deref(), Some("d"));
        assert_eq!(model_in_path("/v1/models"), None);
        assert_eq!(model_in_path("/v1/models/"), None);
        let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--";
        assert_eq!(model_in_form(form).as_deref(), Some("whisper-1"));
        assert_eq!(model_in_form("name=\"model\""), None);
    }
}
