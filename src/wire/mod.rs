//! Wire formats: pure functions from bytes to facts. No `async`, no I/O, no panics on any input.
//!
//! [`read`] understands one proxied exchange, [`read_log`] one that was posted without a path; [`tags`] reads what clients
//! say in `Helicone-*` headers; [`manual`] reads the manual logger's envelope. One file per provider format; a new one is
//! a file, a variant of [`api::Api`] and an arm in [`read_answer`].
//!
//! Invariant: usage is all or nothing. A count that cannot be believed makes it missing, with a reason.

pub mod api;
pub mod assemble;
pub mod body;
pub mod calls;
pub mod estimate;
pub mod eventstream;
pub mod json;
pub mod manual;
pub mod messages;
pub mod sse;
pub mod stream_usage;
pub mod tags;
pub mod usage;

mod answer;
mod anthropic;
mod bedrock;
mod cohere;
#[cfg(test)]
mod departures_tests;
#[cfg(test)]
mod formats_tests;
mod gemini;
mod interactions;
mod llama;
mod mistral;
mod ollama;
mod openai;
mod partial_args;
#[cfg(test)]
mod properties;
mod request;
mod responses;
mod scan;

pub use self::stream_usage::set_stream_usage;

use self::answer::Answer;
use self::api::Api;
use self::body::{Readable, readable};
use self::calls::ToolCalls;
use self::request::Request;
use crate::model::capture::{Body, Kept, WireFormat};
use crate::model::exchange::{Kind, Usage};
use crate::model::headers::Headers;
use crate::model::tags::Note;

/// The code of the note on a usage that was reported and cannot be believed.
pub const INVALID: &str = "usage.invalid";

/// The code of the note on a usage that was reported before the end.
const PARTIAL: &str = "usage.partial";

/// Error texts are cut at that many characters.
pub const MAX_ERROR_CHARS: usize = 1_000;

/// What was read from one exchange.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// `None`: no model call that this parser knows.
    pub kind: Option<Kind>,
    /// Whose shape the bodies have, whoever sent them.
    pub format: WireFormat,
    /// Which of the format's interfaces: `chat`, `responses`, `embeddings`, `messages`, …; empty where not known.
    pub api: &'static str,
    pub request_model: Option<String>,
    pub response_model: Option<String>,
    /// The provider's response id, such as `chatcmpl-…`.
    pub response_id: Option<String>,
    pub streamed: bool,
    pub finish_reason: Option<String>,
    /// The tool calls in the answer, those that ask the client and those that ran at the provider.
    pub calls: ToolCalls,
    /// The model, or a filter before or behind it, would not answer. Beside `finish_reason`, which stays the provider's word:
    /// with some providers it is `stop` even then.
    pub refused: bool,
    /// Body field `user`, the fallback for `Helicone-User-Id`.
    pub user: Option<String>,
    pub usage: Option<Usage>,
    /// The usage is what had been reported when the stream broke off.
    pub partial: bool,
    /// Seconds of audio, where a transcription is counted by them and has no tokens.
    pub audio_seconds: Option<f64>,
    /// Set exactly when `usage` is `None`: one short clause for a person.
    pub usage_missing: Option<&'static str>,
    /// `usage.cost` in dollars, as the provider billed it.
    pub billed_usd: Option<f64>,
    /// Raw usage object of the response in the provider's own shape, for pricing. Of a stream: its parts laid together. `None`
    /// where it is known to say nothing beside the totals in `usage`.
    pub raw_usage: Option<serde_json::Value>,
    /// As the response reports it; never what the request asked for.
    pub service_tier: Option<String>,
    /// The provider's error text, at most [`MAX_ERROR_CHARS`].
    pub error: Option<String>,
    /// The answer says that it failed although its status said success: a stream with an `error` event, or a response
    /// whose own `status` is `failed`.
    pub stream_error: bool,
    pub notes: Vec<Note>,
    /// What the request carries of a conversation; `None` where the interface has none or the body was not kept whole.
    pub conversation: Option<Box<messages::Conversation>>,
    /// The answer's words and results, on their way into `conversation`; empty afterwards.
    pub said: messages::Said,
}

impl Meaning {
    /// Takes a usage as read by [`usage`], or the reason why it cannot be.
    fn set_usage(&mut self, read: Result<Option<Usage>, usage::Fault>) {
        match read {
            Ok(found) => self.usage = found,
            Err(fault) => {
                self.usage = None;
                self.usage_missing = Some(fault);
                self.notes.push(Note::new(INVALID, format!("No tokens and no cost: {fault}.")));
            }
        }
    }

    /// The stream broke off behind the usage that was read last.
    fn usage_is_partial(&mut self) {
        if self.usage.is_some() {
            self.partial = true;
            self.notes.push(Note::new(
                PARTIAL,
                "The stream ended before its last usage: the output tokens are those that had been reported by then.",
            ));
        }
    }

    /// Keeps an error text, shortened. The first one that says something wins.
    fn set_error(&mut self, text: &str) {
        let text = text.trim();
        if self.error.is_none() && !text.is_empty() {
            self.error = Some(text.chars().take(MAX_ERROR_CHARS).collect());
        }
    }
}

/// Whether a status says that the call failed: 400 and above, or one of the negative codes that manual logs carry.
pub fn is_failure(status: i32) -> bool {
    !(0..400).contains(&status)
}

/// Reads one exchange. `path` is the upstream path without query; `status` and `headers` are the response's.
pub fn read(
    format: WireFormat,
    path: &str,
    status: i32,
    [request, response]: [&Body; 2],
    headers: &Headers,
) -> Meaning {
    read_as(Api::of(format, path), path, status, [request, response], headers)
}

/// Reads a logged exchange, which has no path: the shapes of the bodies tell which interface it was.
pub fn read_log(format: WireFormat, status: i32, request: &Body, response: &Body) -> Meaning {
    let api = Api::guess(format, &readable(request, "request").text, &readable(response, "response").text);
    let mut meaning = read_as(api, "", status, [request, response], &Headers::default());
    meaning.kind = Some(Kind::Llm);
    meaning
}

fn read_as(api: Api, path: &str, status: i32, [request, response]: [&Body; 2], headers: &Headers) -> Meaning {
    let mut asked = readable(request, "request");
    let mut answered = readable(response, "response");
    let api = api.corrected(&answered.text);
    let mut meaning = Meaning { kind: api.kind(), format: api.format(), api: api.name(), ..Meaning::default() };
    meaning.notes.extend(asked.note.take());
    meaning.notes.extend(answered.note.take());

    let fields = Request::read(&asked.text);
    let wants_usage = read_request(&mut meaning, request, &fields);
    if meaning.request_model.is_none() {
        meaning.request_model = api::model_in_path(path);
    }
    let mut answer = Answer::of(response.facts.content_type.as_deref(), &answered.text);
    if api == Api::StreamContent {
        answer = answer.with_list_as_chunks();
    }
    meaning.streamed = answer.is_stream();
    read_answer(api, &answer, headers, &mut meaning);
    if meaning.refused {
        meaning.notes.push(Note::new("answer.refused", "The model, or a filter around it, refused to answer."));
    }
    if is_failure(status) {
        meaning.stream_error = false;
        read_error(&answer, &mut meaning);
    }
    let said = std::mem::take(&mut meaning.said);
    if asked.whole && !asked.unreadable {
        let told_all = answered.whole && !is_failure(status) && !meaning.stream_error;
        meaning.conversation = messages::read(api, &fields, &meaning.calls, told_all.then_some(said)).map(Box::new);
    }
    if meaning.usage.is_none() {
        meaning.usage_missing = meaning
            .usage_missing
            .or_else(|| Some(why_missing(api, status, &answer, (&answered, response, wants_usage))));
    } else {
        meaning.usage_missing = None;
    }
    meaning
}

fn read_answer(api: Api, answer: &Answer<'_>, headers: &Headers, meaning: &mut Meaning) {
    match api {
        Api::Chat | Api::Completions | Api::Embeddings | Api::Images | Api::Audio | Api::Moderations => {
            openai::read(api, answer, meaning);
        }
        Api::Responses | Api::ResponseLookup | Api::Compaction => responses::read(api, answer, meaning),
        Api::Messages => anthropic::read(answer, meaning),
        Api::GenerateContent | Api::StreamContent | Api::EmbedContent | Api::Predict => {
            gemini::read(answer, meaning);
        }
        Api::Interactions | Api::InteractionLookup => interactions::read(api, answer, meaning),
        Api::Converse => bedrock::read(answer, meaning),
        Api::Invoke => bedrock::read_invoke(answer, &headers.lines(), meaning),
        Api::CohereChat | Api::CohereEmbed | Api::Rerank => cohere::read(api, answer, meaning),
        Api::OllamaChat | Api::OllamaEmbed => ollama::read(api, answer, meaning),
        Api::Conversation => mistral::read(answer, meaning),
        Api::Metadata(_) => read_thing(answer, meaning),
        Api::Unread(_) | Api::NoModelCall(_) => {}
    }
}

/// A file, a batch and the like: what it is called, whose model it names, how far it is.
fn read_thing(answer: &Answer<'_>, meaning: &mut Meaning) {
    let Answer::Json(text) = *answer else { return };
    let [id, name, status, processing, state, model] =
        json::fields(text, ["id", "name", "status", "processing_status", "state", "model"]).values;
    meaning.response_id = json::non_empty_text(id).or_else(|| json::non_empty_text(name));
    meaning.response_model = json::non_empty_text(model);
    meaning.finish_reason = [status, processing, state].into_iter().find_map(json::non_empty_text);
}

/// The facts of the request that all formats share. True if the body asks for usage at a stream's end.
fn read_request(meaning: &mut Meaning, body: &Body, request: &Request<'_>) -> bool {
    if body.facts.content_type.as_deref().is_some_and(|t| t.starts_with("multipart/form-data")) {
        meaning.request_model = api::model_in_form(request.text);
        return false;
    }
    meaning.request_model = json::non_empty_text(request.model).or_else(|| json::non_empty_text(request.agent));
    meaning.user = json::non_empty_text(request.user);
    let [include] = json::nested(request.stream_options, ["include_usage"]);
    include == Some("true")
}

/// Whether a request body asks for a stream.
pub fn asks_for_stream(request: &str) -> bool {
    json::fields(request, ["stream"]).values == [Some("true")]
}

/// The provider's own words, wherever it puts them.
fn read_error(answer: &Answer<'_>, meaning: &mut Meaning) {
    match *answer {
        Answer::Json(text) => {
            if let Some(words) = error_text(text) {
                meaning.set_error(&words);
            }
        }
        Answer::Text(text) | Answer::Chunks(text) if json::is_list(text) => {
            if let Some(words) = error_text(text.trim_start()) {
                meaning.set_error(&words);
            }
        }
        // A page of HTML helps nobody.
        Answer::Text(text) if !text.trim_start().starts_with('<') => meaning.set_error(text),
        _ => {}
    }
}

/// `error.message`, `error`, `message` or `detail`, the first that is text.
fn error_text(object: &str) -> Option<String> {
    // Gemini's streams send errors in a list of one.
    let object = json::first(Some(object)).unwrap_or(object);
    let [error, message, detail] = json::fields(object, ["error", "message", "detail"]).values;
    json::non_null(error)
        .and_then(error_words)
        .or_else(|| json::non_empty_text(message))
        .or_else(|| json::non_empty_text(detail))
}

/// What an `error` value says: itself if it is text, else its `message`, `type` or `code`, else its raw JSON.
pub fn error_words(error: &str) -> Option<String> {
    if let Some(text) = json::text(error) {
        return Some(text.into_owned()).filter(|text| !text.is_empty());
    }
    let [message, kind, code] = json::fields(error, ["message", "type", "code"]).values;
    [message, kind, code]
        .into_iter()
        .find_map(json::non_empty_text)
        .or_else(|| json::non_null(Some(error)).map(|raw| raw.chars().take(MAX_ERROR_CHARS).collect()))
}

fn why_missing(
    api: Api,
    status: i32,
    answer: &Answer<'_>,
    (answered, response, wants_usage): (&Readable<'_>, &Body, bool),
) -> &'static str {
    match api {
        Api::NoModelCall(reason) | Api::Unread(reason) => return reason,
        Api::Metadata(_) => return "things that are kept at a provider use no tokens by themselves",
        _ => {}
    }
    if is_failure(status) {
        return "the call failed";
    }
    if answered.unreadable {
        return "the response's content encoding could not be undone";
    }
    match (response.facts.kept, answer) {
        (Kept::Shed, _) => "the gateway ran short of memory and kept only the beginning of the response",
        (Kept::Truncated, _) => "the response is larger than the gateway keeps",
        (Kept::Omitted, _) => "the response was not kept",
        (Kept::Whole, Answer::Nothing) => "there was no response body",
        (Kept::Whole, _) if matches!(api, Api::Images | Api::Audio | Api::Moderations | Api::Rerank) => {
            "this kind of call reports no tokens"
        }
        (Kept::Whole, Answer::Text(_)) => "the response is not JSON",
        (Kept::Whole, _) if answer.is_stream() && api == Api::Chat && !wants_usage => {
            "the stream carried no usage: the request did not set stream_options.include_usage"
        }
        (Kept::Whole, _) if answer.is_stream() => "the stream ended before it reported usage",
        (Kept::Whole, _) => "the response reports no usage",
    }
}

#[cfg(test)]
mod tests;
