//! Gemini's content, streams and embeddings, and what Vertex adds to them.
//!
//! Counts: `promptTokenCount` includes cached tokens; those of tool results that were fed back (`toolUsePromptTokenCount`)
//! and of thoughts stand beside the prompt and the candidates. Every chunk of a stream reports the totals so far, so the
//! last one counts; the pages of a document are read as images and counted with them, as the price tables do.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::calls::{ToolCall, ToolCalls};
use super::usage::{Fault, INCONSISTENT, NOT_AN_OBJECT, count, part, within};
use super::{Meaning, error_words, json, partial_args};
use crate::model::exchange::Usage;

/// Reads a response of this format.
pub(super) fn read(answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut coming = Coming { call: None, room: partial_args::MOST_VALUES };
    match *answer {
        Answer::Json(text) => {
            object(text, &mut coming, meaning);
            predictions(text, meaning);
        }
        _ => {
            let mut finished = false;
            answer.each_event(|event| finished |= object(&event.data, &mut coming, meaning));
            if !finished && answer.is_stream() {
                meaning.usage_is_partial();
            }
        }
    }
    coming.end(&mut meaning.calls);
}

/// A call whose arguments are still coming, and those that came.
struct Coming {
    call: Option<(ToolCall, Map<String, Value>)>,
    /// For values of arguments, in all of the answer.
    room: usize,
}

impl Coming {
    /// A call that begins. Whole ones are added at once.
    fn begin(&mut self, mut call: ToolCall, function: Option<&str>, calls: &mut ToolCalls) {
        self.end(calls);
        let [partial, more] = json::nested(function, ["partialArgs", "willContinue"]);
        if partial.is_none() && more != Some("true") {
            return calls.add(call);
        }
        // Those that came at once go first.
        let whole = std::mem::take(&mut call.arguments);
        self.call = Some((call, serde_json::from_str(&whole).unwrap_or_default()));
        self.go_on(partial);
    }

    fn go_on(&mut self, partial: Option<&str>) {
        if let (Some((_, arguments)), Some(partial)) = (&mut self.call, partial.and_then(json::value)) {
            partial_args::lay(arguments, &partial, &mut self.room);
        }
    }

    fn end(&mut self, calls: &mut ToolCalls) {
        let Some((mut call, arguments)) = self.call.take() else { return };
        if !arguments.is_empty() {
            call.extend(&Value::Object(arguments).to_string());
        }
        calls.add(call);
    }
}

/// One response, or one chunk of a stream. True if it says why the answer ended.
fn object(text: &str, coming: &mut Coming, meaning: &mut Meaning) -> bool {
    let [model, id, candidates, feedback, metadata, error] =
        json::fields(text, ["modelVersion", "responseId", "candidates", "promptFeedback", "usageMetadata", "error"])
            .values;
    meaning.response_model = meaning.response_model.take().or_else(|| json::non_empty_text(model));
    meaning.response_id = meaning.response_id.take().or_else(|| json::non_empty_text(id));
    if let Some(error) = json::non_null(error) {
        meaning.stream_error = true;
        if let Some(words) = error_words(error) {
            meaning.set_error(&words);
        }
    }
    let mut finished = false;
    if let Some(candidates) = candidates {
        let mut first = true;
        json::each(candidates, ["finishReason", "content"], |_, candidate| {
            finished |= read_candidate(candidate, std::mem::take(&mut first), coming, meaning);
        });
    }
    // A prompt that was blocked has no candidates.
    let [blocked] = json::nested(feedback, ["blockReason"]);
    if let Some(reason) = json::non_empty_text(blocked) {
        meaning.refused = true;
        meaning.finish_reason = meaning.finish_reason.take().or(Some(reason));
        finished = true;
    }
    if let Some(raw) = json::non_null(metadata) {
        let read = usage(raw);
        if read != Ok(None) {
            meaning.set_usage(read);
            meaning.raw_usage = json::value(raw);
            let [tier] = json::fields(raw, ["serviceTier"]).values;
            meaning.service_tier = json::non_empty_text(tier).map(|tier| tier.to_ascii_lowercase());
        }
    }
    finished
}

/// A conversation goes on with the first of several.
fn read_candidate(
    [reason, content]: [Option<&str>; 2],
    first: bool,
    coming: &mut Coming,
    meaning: &mut Meaning,
) -> bool {
    let [parts] = json::nested(content, ["parts"]);
    if let Some(parts) = parts {
        let names = ["text", "thought", "functionCall", "executableCode", "toolCall"];
        json::each(parts, names, |_, [text, thought, function, code, tool]| {
            if first && thought != Some("true") {
                meaning.said.content(text);
            }
            match call_of(function, code, tool) {
                Some(call) => coming.begin(call, function, &mut meaning.calls),
                None => coming.go_on(json::nested(function, ["partialArgs"])[0]),
            }
        });
    }
    let Some(reason) = json::non_empty_text(reason) else { return false };
    meaning.refused |= matches!(reason.as_str(), "SAFETY" | "PROHIBITED_CONTENT" | "BLOCKLIST" | "SPII");
    meaning.finish_reason = meaning.finish_reason.take().or(Some(reason));
    true
}

/// `functionCall` asks the client; `executableCode` and `toolCall` run at Google. Arguments that are streamed come in further
/// parts of a `functionCall` that have no name.
fn call_of(function: Option<&str>, code: Option<&str>, tool: Option<&str>) -> Option<ToolCall> {
    let (raw, form, at_provider) = match [function, code, tool].map(json::non_null) {
        [Some(raw), _, _] => (raw, "functionCall", false),
        [_, Some(raw), _] => (raw, "executableCode", true),
        [_, _, Some(raw)] => (raw, "toolCall", true),
        _ => return None,
    };
    let [id, name, kind, arguments, code] = json::fields(raw, ["id", "name", "toolType", "args", "code"]).values;
    let mut call = ToolCall::of(form, at_provider);
    call.id = json::non_empty_text(id);
    call.name = json::non_empty_text(name).or_else(|| json::non_empty_text(kind));
    if function.is_some() && call.name.is_none() {
        return None;
    }
    if let Some(arguments) = json::non_null(arguments).or(json::non_null(code)) {
        call.extend(json::text(arguments).as_deref().unwrap_or(arguments));
    }
    Some(call)
}

/// Vertex's `:predict`: each embedding counts its own text.
fn predictions(text: &str, meaning: &mut Meaning) {
    let [predictions] = json::fields(text, ["predictions"]).values;
    let Some(predictions) = predictions else { return };
    let mut sum = Ok(None);
    json::each(predictions, ["embeddings"], |_, [embeddings]| {
        let [statistics] = json::nested(embeddings, ["statistics"]);
        let [tokens] = json::nested(statistics, ["token_count"]);
        sum = match (sum, count(tokens)) {
            (Ok(before), Ok(Some(more))) => Ok(Some(before.unwrap_or(0_i64).saturating_add(more))),
            (Ok(before), Ok(None)) => Ok(before),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
        };
    });
    let usage = sum.map(|tokens| tokens.map(|prompt_tokens| Usage { prompt_tokens, ..Usage::default() }));
    if usage != Ok(None) {
        meaning.set_usage(usage);
    }
}

/// `usageMetadata`.
fn usage(raw: &str) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [prompt, cached, candidates, thoughts, tool, prompt_details, cache_details, candidate_details, tool_details] =
        json::fields(
            raw,
            [
                "promptTokenCount",
                "cachedContentTokenCount",
                "candidatesTokenCount",
                "thoughtsTokenCount",
                "toolUsePromptTokenCount",
                "promptTokensDetails",
                "cacheTokensDetails",
                "candidatesTokensDetails",
                "toolUsePromptTokensDetails",
            ],
        )
        .values;
    // Vertex calls the output of some of its models so.
    let [response] = json::fields(raw, ["responseTokenCount"]).values;
    let modalities = |details| modalities(details, "tokenCount");
    Counts {
        prompt: count(prompt)?,
        candidates: count(candidates)?.or(count(response)?),
        cached: part(cached)?,
        thoughts: part(thoughts)?,
        tool: part(tool)?,
        of_prompt: modalities(prompt_details)?,
        of_cached: modalities(cache_details)?,
        of_tool: modalities(tool_details)?,
        of_candidates: modalities(candidate_details)?,
    }
    .usage()
}

/// Google's counts, whatever they are called.
pub(super) struct Counts {
    /// With what was cached; without what came back from tools.
    pub prompt: Option<i64>,
    /// Without thoughts.
    pub candidates: Option<i64>,
    pub cached: i64,
    pub thoughts: i64,
    pub tool: i64,
    /// Audio and images in each.
    pub of_prompt: [i64; 2],
    pub of_cached: [i64; 2],
    pub of_tool: [i64; 2],
    pub of_candidates: [i64; 2],
}

impl Counts {
    /// The disjoint parts. `None` where nothing was counted.
    pub(super) fn usage(self) -> Result<Option<Usage>, Fault> {
        if self.prompt.is_none() && self.candidates.is_none() {
            return Ok(None);
        }
        let (prompt, candidates, cached) = (self.prompt.unwrap_or(0), self.candidates.unwrap_or(0), self.cached);
        // What was cached may be a tool's result, too.
        let input = prompt.saturating_add(self.tool);
        if cached > input {
            return Err(INCONSISTENT);
        }
        let ([audio, image], [cached_audio, cached_image]) = (self.of_prompt, self.of_cached);
        let ([tool_audio, tool_image], [audio_out, image_out]) = (self.of_tool, self.of_candidates);
        if audio > prompt || image > prompt || audio_out > candidates || image_out > candidates {
            return Err(INCONSISTENT);
        }
        let audio = within((audio - cached_audio).max(0).saturating_add(tool_audio), input, cached);
        let taken = cached.saturating_add(audio);
        let image = within((image - cached_image).max(0).saturating_add(tool_image), input, taken);
        let image_out = within(image_out, candidates, audio_out);
        Ok(Some(Usage {
            prompt_tokens: input - cached - audio - image,
            prompt_cache_read_tokens: cached,
            prompt_audio_tokens: audio,
            prompt_image_tokens: image,
            completion_tokens: candidates - audio_out - image_out,
            completion_audio_tokens: audio_out,
            completion_image_tokens: image_out,
            reasoning_tokens: self.thoughts,
            ..Usage::default()
        }))
    }
}

/// Audio, and images with documents, of a list of `{modality, <tokens>}`.
pub(super) fn modalities(details: Option<&str>, tokens: &str) -> Result<[i64; 2], Fault> {
    let mut sums = Ok([0_i64; 2]);
    if let Some(details) = json::non_null(details) {
        json::each(details, ["modality", tokens], |_, [modality, tokens]| {
            let (Ok([audio, image]), tokens) = (&mut sums, part(tokens)) else { return };
            let modality = modality.and_then(json::text).map(|name| name.to_ascii_lowercase());
            match (modality.as_deref(), tokens) {
                (Some("audio"), Ok(tokens)) => *audio = audio.saturating_add(tokens),
                (Some("image" | "document"), Ok(tokens)) => *image = image.saturating_add(tokens),
                (_, Err(fault)) => sums = Err(fault),
                _ => {}
            }
        });
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint() {
        let raw = r#"{"promptTokenCount":345,"cachedContentTokenCount":230,"candidatesTokenCount":51,"thoughtsTokenCount":7,
            "toolUsePromptTokenCount":10,"totalTokenCount":413,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":87},{"modality":"DOCUMENT","tokenCount":258}],
            "cacheTokensDetails":[{"modality":"TEXT","tokenCount":58},{"modality":"DOCUMENT","tokenCount":172}],
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":1},{"modality":"IMAGE","tokenCount":50}]}"#;
        let usage = usage(raw).unwrap().unwrap();
        assert_eq!((usage.input_tokens(), usage.output_tokens()), (355, 58));
        assert_eq!((usage.prompt_tokens, usage.prompt_cache_read_tokens, usage.prompt_image_tokens), (39, 230, 86));
        assert_eq!((usage.completion_tokens, usage.completion_image_tokens, usage.reasoning_tokens), (1, 50, 7));
    }

    #[test]
    fn wrong_counts_are_no_usage() {
        for raw in [
            "7",
            r#"{"promptTokenCount":"1"}"#,
            r#"{"promptTokenCount":1,"candidatesTokenCount":-1}"#,
            r#"{"promptTokenCount":1,"cachedContentTokenCount":2}"#,
            r#"{"promptTokenCount":1,"toolUsePromptTokenCount":2,"cachedContentTokenCount":4}"#,
            r#"{"promptTokenCount":1,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":true}]}"#,
            r#"{"promptTokenCount":1,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":5}]}"#,
        ] {
            assert!(usage(raw).is_err(), "{raw}");
        }
        let fed_back = usage(r#"{"promptTokenCount":1,"toolUsePromptTokenCount":5,"cachedContentTokenCount":4}"#);
        assert_eq!(fed_back.map(|u| u.map(|u| (u.prompt_tokens, u.prompt_cache_read_tokens))), Ok(Some((2, 4))));
        assert_eq!(usage("{}"), Ok(None));
        assert_eq!(usage(r#"{"totalTokenCount":3}"#), Ok(None));
    }
}
