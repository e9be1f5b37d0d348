//! Which interface of a provider a call used, told by the end of its path or, for logs, by the shapes of the bodies.

use std::borrow::Cow;

use super::{json, mistral, sse};
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
    /// `/images/…`
    Images,
    /// `/audio/speech`, `/audio/transcriptions`, `/audio/translations`
    Audio,
    /// `/moderations`: no tokens.
    Moderations,
    /// `/rerank` of Cohere and those who copy it.
    Rerank,
    /// Anthropic's `/messages`, and what Vertex makes of it.
    Messages,
    /// Gemini's `:generateContent`.
    GenerateContent,
    /// Gemini's `:streamGenerateContent`: server-sent events, or one long JSON array.
    StreamContent,
    /// Gemini's `:embedContent` and `:batchEmbedContents`.
    EmbedContent,
    /// Google's `/interactions`.
    Interactions,
    /// `/interactions/{id}`: one that is fetched again, or polled for.
    InteractionLookup,
    /// Vertex's `:predict`: embeddings, images.
    Predict,
    /// Bedrock's `/converse` and `/converse-stream`.
    Converse,
    /// Bedrock's `/invoke` and `/invoke-with-response-stream`: the model maker's own shape inside.
    Invoke,
    /// Cohere's `/chat`, versions 1 and 2, and `/generate`.
    CohereChat,
    /// Cohere's `/embed` and `/classify`.
    CohereEmbed,
    /// Ollama's `/api/chat` and `/api/generate`.
    OllamaChat,
    /// Ollama's `/api/embed`.
    OllamaEmbed,
    /// Mistral's `/conversations` and `/conversations/{id}`, where the answer shows that a model was called.
    Conversation,
    /// A model call in a format that has no reader; the clause says so.
    Unread(&'static str),
    /// Files, batches and other things that are kept at a provider: their names and states are read, nothing else.
    Metadata(&'static str),
    /// No model call; the clause says so.
    NoModelCall(&'static str),
}

const OTHER: Api = Api::NoModelCall("this is no model call that the gateway knows");
const COUNTING: Api = Api::NoModelCall("counting tokens uses none");
const SHAPELESS: Api = Api::Unread("the bodies have no shape that the gateway knows");
const UNREAD: Api = Api::Unread("usage in this provider's format is not read");

/// What providers keep for later, by the path segment that names it.
const KEPT_THINGS: [&str; 11] = [
    "batches",
    "files",
    "uploads",
    "jobs",
    "vector_stores",
    "assistants",
    "threads",
    "conversations",
    "cachedContents",
    "containers",
    "model-invocation-job",
];

/// The path segment behind which Databricks names a model.
const SERVING: &str = "serving-endpoints";

impl Api {
    /// By path. OpenAI's and Anthropic's paths are known wherever they appear: most providers offer one of the two shapes
    /// beside their own, so the path says more than the provider's usual format.
    pub fn of(format: WireFormat, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let mut segments = path.rsplit('/');
        let last = segments.next().unwrap_or("");
        let before = segments.next().unwrap_or("");
        let above = segments.next().unwrap_or("");
        if let Some(api) = Self::of_verb(path, last) {
            return api;
        }
        if let Some(thing) = kept_thing(path) {
            return Self::Metadata(thing);
        }
        match (before, last) {
            ("chat" | "agents", "completions") | ("deferred-completion", _) => Self::Chat,
            (_, "invocations") if above == SERVING => Self::Chat,
            (_, "completions") => Self::Completions,
            ("api", "embeddings" | "embed") if format == WireFormat::Ollama => Self::OllamaEmbed,
            (_, "embeddings" | "contextualizedembeddings" | "multimodalembeddings") => Self::Embeddings,
            (_, "responses") => Self::Responses,
            ("responses", "compact") => Self::Compaction,
            ("responses", "input_tokens") | ("messages", "count_tokens") | (_, "count-tokens") => COUNTING,
            ("responses", _) if format != WireFormat::Other => Self::ResponseLookup,
            (_, "cancel") if above == "responses" && format != WireFormat::Other => Self::ResponseLookup,
            ("images", "generations" | "edits" | "variations") => Self::Images,
            ("audio", "speech" | "transcriptions" | "translations") => Self::Audio,
            (_, "moderations") => Self::Moderations,
            (_, "rerank") => Self::Rerank,
            // Questions whose answers are counted as those of the interface beside it.
            (_, "decisions") if format == WireFormat::Gemini => Self::Interactions,
            (_, "decisions") if format == WireFormat::Openai => Self::Responses,
            (_, "ocr") if format != WireFormat::Other => UNREAD,
            (_, "messages" | "complete") => Self::Messages,
            (_, "interactions") if format != WireFormat::Other => Self::Interactions,
            ("interactions", "live") => OTHER,
            ("interactions", _) if format != WireFormat::Other => Self::InteractionLookup,
            (_, "cancel") if above == "interactions" && format != WireFormat::Other => Self::InteractionLookup,
            (_, "converse" | "converse-stream") => Self::Converse,
            (_, "invoke" | "invoke-with-response-stream") => Self::Invoke,
            ("api", "chat" | "generate") => Self::OllamaChat,
            ("v1" | "v2", "chat") => Self::CohereChat,
            ("v1", "generate") if format == WireFormat::Cohere => Self::CohereChat,
            ("v1" | "v2", "embed" | "classify") => Self::CohereEmbed,
            _ if matches!(format, WireFormat::Bedrock) && path.contains("/model/") => UNREAD,
            _ => OTHER,
        }
    }

    /// Google's paths end in `{model}:{verb}`. A model's own name may have a colon too (`…-v1:0/converse`), so the verb is
    /// looked for behind the last one, in the last segment.
    fn of_verb(path: &str, last: &str) -> Option<Self> {
        let (_, verb) = last.rsplit_once(':')?;
        Some(match verb {
            "generateContent" | "generateAnswer" => Self::GenerateContent,
            "streamGenerateContent" => Self::StreamContent,
            "embedContent" | "batchEmbedContents" => Self::EmbedContent,
            "countTokens" | "computeTokens" => COUNTING,
            "predict" => Self::Predict,
            "rawPredict" | "streamRawPredict" if path.contains("count-tokens") => COUNTING,
            "rawPredict" | "streamRawPredict" if path.contains("/anthropic/") => Self::Messages,
            "rawPredict" | "streamRawPredict" => Self::Chat,
            "batchGenerateContent" | "asyncBatchEmbedContent" | "predictLongRunning" => Self::Metadata("batches"),
            _ => return None,
        })
    }

    /// Corrects what the path says by what the answer shows: conversations are kept at OpenAI, and calls of a model at Mistral.
    pub fn corrected(self, answer: &str) -> Self {
        match self {
            Self::Metadata("conversations") if mistral::is_call(answer) => Self::Conversation,
            other => other,
        }
    }

    /// By shape, for logs.
    pub fn guess(format: WireFormat, request: &str, response: &str) -> Self {
        Self::by_shape(response).or_else(|| Self::by_request(format, request)).unwrap_or(match format {
            WireFormat::Openai => Self::Chat,
            WireFormat::Anthropic => Self::Messages,
            WireFormat::Gemini => Self::GenerateContent,
            WireFormat::Bedrock => Self::Converse,
            WireFormat::Cohere => Self::CohereChat,
            WireFormat::Ollama => Self::OllamaChat,
            WireFormat::Other => SHAPELESS,
        })
    }

    fn by_shape(response: &str) -> Option<Self> {
        let trimmed = response.trim_start();
        if sse::looks_like_events(trimmed) {
            return sse::events(trimmed).take(3).find_map(|event| Self::by_object(&event.data));
        }
        if trimmed.starts_with('[') {
            let mut first = None;
            json::elements(trimmed, |raw| first = first.or_else(|| Self::by_object(raw)));
            return first.filter(|api| *api == Self::GenerateContent).map(|_| Self::StreamContent);
        }
        Self::by_object(trimmed)
    }

    /// By the fields of a response, or by those of the chunks in its `streamed_data`. Chunks within chunks are not looked at.
    fn by_object(text: &str) -> Option<Self> {
        let (api, chunks) = Self::by_fields(text);
        let Some(chunks) = chunks.filter(|raw| raw.starts_with('[')) else { return api };
        let mut found = None;
        json::elements(chunks, |raw| {
            found = found.or_else(|| Self::by_fields(json::text(raw).as_deref().unwrap_or(raw)).0);
        });
        found
    }

    /// By the fields that only one interface has; and the field `streamed_data`.
    fn by_fields(text: &str) -> (Option<Self>, Option<&str>) {
        let [object, kind, usage, choices, output, stop_reason, chunks, candidates, metadata, stop, done, meta] =
            json::fields(
                text,
                [
                    "object",
                    "type",
                    "usage",
                    "choices",
                    "output",
                    "stop_reason",
                    "streamed_data",
                    "candidates",
                    "usageMetadata",
                    "stopReason",
                    "done",
                    "meta",
                ],
            )
            .values;
        let named = Self::by_names(object, kind);
        let found = || {
            if candidates.is_some() || metadata.is_some() {
                return Some(Self::GenerateContent);
            }
            let [prompt, completion, input, camel, billed] = usage.map_or([None; 5], |usage| {
                let names = ["prompt_tokens", "completion_tokens", "input_tokens", "inputTokens", "billed_units"];
                json::fields(usage, names).values
            });
            if stop.is_some() || camel.is_some() {
                return Some(Self::Converse);
            }
            if billed.is_some() || meta.is_some_and(|meta| json::fields(meta, ["billed_units"]).values[0].is_some()) {
                return Some(Self::CohereChat);
            }
            if choices.is_some() || completion.is_some() {
                return Some(Self::Chat);
            }
            if prompt.is_some() {
                return Some(Self::Embeddings);
            }
            if stop_reason.is_some() {
                return Some(Self::Messages);
            }
            if matches!(done, Some("true" | "false")) {
                return Some(Self::OllamaChat);
            }
            (output.is_some() || input.is_some()).then_some(Self::Responses)
        };
        (named.or_else(found), chunks)
    }

    /// By what `object` and `type` say.
    fn by_names(object: Option<&str>, kind: Option<&str>) -> Option<Self> {
        let object = object.and_then(json::text);
        let kind = kind.and_then(json::text);
        match (object.as_deref(), kind.as_deref()) {
            (Some("chat.completion" | "chat.completion.chunk"), _) => Some(Self::Chat),
            (Some("text_completion"), _) => Some(Self::Completions),
            (Some("response"), _) => Some(Self::Responses),
            (Some("interaction"), _) => Some(Self::Interactions),
            (_, Some("message" | "message_start" | "message_delta" | "content_block_start" | "ping")) => {
                Some(Self::Messages)
            }
            (_, Some("message-start" | "content-delta" | "message-end")) => Some(Self::CohereChat),
            (_, Some(kind)) if kind.starts_with("response.") => Some(Self::Responses),
            _ => None,
        }
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
            Self::NoModelCall(_) | Self::Metadata(_) => None,
            _ => Some(Kind::Llm),
        }
    }

    /// Whose shape the bodies have.
    pub const fn format(self) -> WireFormat {
        match self {
            Self::Messages => WireFormat::Anthropic,
            Self::GenerateContent
            | Self::StreamContent
            | Self::EmbedContent
            | Self::Interactions
            | Self::InteractionLookup
            | Self::Predict => WireFormat::Gemini,
            Self::Converse | Self::Invoke => WireFormat::Bedrock,
            Self::CohereChat | Self::CohereEmbed => WireFormat::Cohere,
            Self::OllamaChat | Self::OllamaEmbed => WireFormat::Ollama,
            Self::Unread(_) | Self::NoModelCall(_) | Self::Metadata(_) | Self::Rerank => WireFormat::Other,
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
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Moderations => "moderations",
            Self::Rerank => "rerank",
            Self::Messages => "messages",
            Self::GenerateContent | Self::StreamContent => "generate_content",
            Self::EmbedContent => "embed_content",
            Self::Interactions | Self::InteractionLookup => "interactions",
            Self::Predict => "predict",
            Self::Converse => "converse",
            Self::Invoke => "invoke",
            Self::CohereChat => "cohere_chat",
            Self::CohereEmbed => "cohere_embed",
            Self::OllamaChat => "ollama_chat",
            Self::OllamaEmbed => "ollama_embed",
            Self::Conversation => "conversations",
            Self::Metadata(thing) => thing,
            Self::Unread(_) | Self::NoModelCall(_) => "",
        }
    }
}

/// A path such as `/v1/batches/x` or `/v1/files/x/content`. An answer that is made inside a thing (`/threads/x/runs`) is not
/// read: it has a shape of its own.
fn kept_thing(path: &str) -> Option<&'static str> {
    path.split('/').find_map(|segment| KEPT_THINGS.into_iter().find(|thing| *thing == segment))
}

/// The model in a path such as `/engines/x/…`, `/models/x:generate`, `/model/x/invoke`, `/deployments/x/…`,
/// `/endpoints/x:generate` or `/serving-endpoints/x/invocations`, its percent-encoding undone.
pub fn model_in_path(path: &str) -> Option<String> {
    let mut segments = path.split('/');
    while let Some(holder) = segments.next() {
        let name = match holder {
            "engines" | "models" | "deployments" | "tunedModels" => segments.next()?.split(':').next()?,
            // Bedrock's names have a colon of their own, and a path of names behind it (an ARN's, its slashes encoded).
            "model" => segments.next()?,
            // Vertex's shared endpoint is `/endpoints/openapi/chat/completions`.
            "endpoints" => segments.next()?.split_once(':')?.0,
            SERVING => segments.next().filter(|_| segments.next() == Some("invocations"))?,
            _ => continue,
        };
        // Azure's shared endpoint: `/models/chat/completions`.
        let is_verb = matches!(name, "" | "chat" | "embeddings" | "images");
        return (!is_verb).then(|| percent_decoded(name));
    }
    None
}

/// Bytes that are no UTF-8 are replaced; what is no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%'
            && let (Some(high), Some(low)) = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)))
            && let Ok(decoded) = u8::try_from(high * 16 + low)
        {
            out.push(decoded);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    match String::from_utf8_lossy(&out) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

/// The field `model` of a multipart form, as the audio and image uploads have it.
pub fn model_in_form(text: &str) -> Option<String> {
    let (_, after) = text.split_once("name=\"model\"")?;
    let (_, value) = after.split_once("\r\n\r\n")?;
    let value = value.split("\r\n").next()?.trim();
    (!value.is_empty() && value.len() <= 256).then(|| value.to_owned())
}

#[cfg(test)]
mod tests;
