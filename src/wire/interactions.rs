//! Google's Interactions API: whole, streamed and fetched again. Its steps come as `steps`, before revision 2026-05-20 as
//! `outputs`; its events as `step.…`, before as `content.…`.
//!
//! Counts are those of `generateContent` under other names: the input includes what was cached; thoughts and what came back
//! from tools stand beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::answer::Answer;
use super::api::Api;
use super::calls::{ToolCall, ToolCalls};
use super::gemini::{Counts, modalities};
use super::messages::Said;
use super::usage::{Fault, NOT_AN_OBJECT, count, part};
use super::{Meaning, error_words, json};
use crate::model::exchange::Usage;

/// Reads a response of this interface.
pub(super) fn read(api: Api, answer: &Answer<'_>, meaning: &mut Meaning) {
    let mut of = Maker::default();
    match *answer {
        Answer::Json(text) => interaction(text, &mut of, meaning),
        _ => stream(answer, &mut of, meaning),
    }
    // What is fetched again reports the usage of the call that made it. An agent works in the background, where that call had
    // none to report; what it has used so far is no usage yet.
    let goes_on = meaning.finish_reason.is_none();
    if api == Api::InteractionLookup && meaning.usage.is_some() && (!of.agent || of.model || goes_on) {
        meaning.usage = None;
        meaning.partial = false;
        meaning.usage_missing = Some("the usage of an interaction that is fetched again was counted when it was made");
    }
}

/// Who made an interaction.
#[derive(Default)]
struct Maker {
    model: bool,
    agent: bool,
}

/// An interaction: the body itself, or what an event has of it.
fn interaction(text: &str, of: &mut Maker, meaning: &mut Meaning) {
    let [id, model, agent, status, steps, outputs, reported, errors, tier] =
        json::fields(text, ["id", "model", "agent", "status", "steps", "outputs", "usage", "errors", "service_tier"])
            .values;
    meaning.response_id = json::non_empty_text(id).or(meaning.response_id.take());
    let (model, agent) = (json::non_empty_text(model), json::non_empty_text(agent));
    of.model |= model.is_some();
    of.agent |= agent.is_some();
    meaning.response_model = model.or(agent).or(meaning.response_model.take());
    meaning.service_tier = json::non_empty_text(tier).or(meaning.service_tier.take());
    take_status(status, meaning);
    let mut words = None;
    if let Some(errors) = json::non_null(errors) {
        json::each(errors, ["message"], |error, _| words = words.take().or_else(|| error_words(error)));
    }
    if let Some(words) = words {
        meaning.set_error(&words);
    }
    if let Some(steps) = json::non_null(steps).or(json::non_null(outputs)) {
        let mut calls = ToolCalls::default();
        let mut said = Said::of(meaning.response_id.clone());
        json::each(steps, STEP, |_, fields| {
            let step = Step::new(fields);
            if let Some(call) = step.call() {
                calls.add(call);
            }
            step.say(&mut said);
        });
        // The last event of a stream lists none.
        if calls.asked() + calls.ran() >= meaning.calls.asked() + meaning.calls.ran() {
            meaning.calls = calls;
            meaning.said = said;
        }
    }
    take_usage(reported, meaning);
}

fn take_status(status: Option<&str>, meaning: &mut Meaning) {
    let status = json::non_empty_text(status).filter(|status| !matches!(status.as_str(), "in_progress" | "queued"));
    meaning.stream_error |= status.as_deref() == Some("failed");
    meaning.finish_reason = status.or(meaning.finish_reason.take());
}

fn take_usage(reported: Option<&str>, meaning: &mut Meaning) {
    let Some(raw) = json::non_null(reported) else { return };
    let read = usage(raw);
    if read != Ok(None) {
        meaning.set_usage(read);
    }
}

/// What is read of a step, of a content and of a delta.
const STEP: [&str; 9] = ["type", "id", "call_id", "name", "arguments", "content", "text", "result", "is_error"];

/// Media that Google takes apart by itself: no tool that the model asked for.
const PROCESSING: &str = "processing_call";

struct Step<'a> {
    kind: Option<Cow<'a, str>>,
    id: Option<&'a str>,
    call_id: Option<&'a str>,
    name: Option<&'a str>,
    arguments: Option<&'a str>,
    content: Option<&'a str>,
    text: Option<&'a str>,
    result: Option<&'a str>,
    is_error: Option<&'a str>,
}

impl<'a> Step<'a> {
    fn new(fields: [Option<&'a str>; STEP.len()]) -> Self {
        let [kind, id, call_id, name, arguments, content, text, result, is_error] = fields;
        Self { kind: kind.and_then(json::text), id, call_id, name, arguments, content, text, result, is_error }
    }

    /// `function_call` asks the client; `google_search_call`, `code_execution_call`, `mcp_server_tool_call` and their like ran
    /// at Google. Arguments that are streamed begin as an empty object.
    fn call(&self) -> Option<ToolCall> {
        let kind = self.kind.as_deref().filter(|kind| kind.ends_with("_call") && *kind != PROCESSING)?;
        let mut call = ToolCall::of(kind, kind != "function_call");
        call.id = json::non_empty_text(self.id);
        call.name = json::non_empty_text(self.name);
        if let Some(arguments) = json::non_null(self.arguments).filter(|raw| *raw != "{}") {
            call.extend(json::text(arguments).as_deref().unwrap_or(arguments));
        }
        Some(call)
    }

    fn say(&self, said: &mut Said) {
        match self.kind.as_deref() {
            Some("model_output") => said.content(self.content),
            Some("text") => said.content(self.text),
            Some(_) if self.is_result() => said.result(self.call_id, self.is_error == Some("true"), self.result),
            _ => {}
        }
    }

    /// Of a tool that ran at Google.
    fn is_result(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.ends_with("_result") && kind != "function_result")
    }
}

/// What a stream has told so far beside calls.
#[derive(Default)]
struct Told {
    said: Said,
    /// Results by the index of their step: the id of the call comes first, what it gave behind it.
    results: BTreeMap<String, Outcome>,
}

/// What a tool gave; id and result raw.
#[derive(Default)]
struct Outcome {
    call_id: Option<String>,
    failed: bool,
    result: Option<String>,
}

/// Results kept of one stream.
const MOST_RESULTS: usize = 256;

fn stream(answer: &Answer<'_>, of: &mut Maker, meaning: &mut Meaning) {
    let (mut finished, mut told) = (false, Told::default());
    answer.each_event(|event| {
        let [kind, inner, status, index, step, content, delta, used, metadata, error] = json::fields(
            &event.data,
            ["event_type", "interaction", "status", "index", "step", "content", "delta", "usage", "metadata", "error"],
        )
        .values;
        let kind = kind.and_then(json::text);
        match kind.as_deref().unwrap_or(event.name) {
            "step.start" | "content.start" => take_piece(json::non_null(step).or(content), index, &mut told, meaning),
            "step.delta" | "content.delta" => take_piece(delta, index, &mut told, meaning),
            "interaction.status_update" => take_status(status, meaning),
            "error" => {
                meaning.stream_error = true;
                meaning.set_error(json::non_null(error).and_then(error_words).as_deref().unwrap_or(""));
            }
            other => {
                finished |= matches!(other, "interaction.completed" | "interaction.complete");
                if let Some(inner) = json::non_null(inner) {
                    interaction(inner, of, meaning);
                }
            }
        }
        // Sums so far, wherever they stand.
        let [so_far] = json::nested(metadata, ["total_usage"]);
        take_usage(json::non_null(used).or(so_far), meaning);
    });
    for outcome in told.results.into_values() {
        told.said.result(outcome.call_id.as_deref(), outcome.failed, outcome.result.as_deref());
    }
    // The id is what a later request names, also where nothing but calls was said.
    if !told.said.is_empty() || meaning.said.is_empty() {
        told.said.name(meaning.response_id.clone());
        meaning.said = told.said;
    }
    if !finished && answer.is_stream() {
        meaning.usage_is_partial();
    }
}

/// The beginning of a step, or more of it.
fn take_piece(raw: Option<&str>, index: Option<&str>, told: &mut Told, meaning: &mut Meaning) {
    let Some(raw) = json::non_null(raw) else { return };
    let place = index.unwrap_or("");
    let piece = Step::new(json::fields(raw, STEP).values);
    if piece.kind.as_deref() == Some("arguments_delta") {
        if let Some(call) = meaning.calls.known(place) {
            call.extend(piece.arguments.and_then(json::text).as_deref().unwrap_or(""));
        }
    } else if let Some(mut call) = piece.call() {
        let mut begins = false;
        let known = meaning.calls.at(place, || {
            begins = true;
            std::mem::take(&mut call)
        });
        if let Some(known) = known.filter(|_| !begins) {
            known.id = known.id.take().or(call.id);
            known.name = known.name.take().or(call.name);
            if !call.arguments.is_empty() {
                known.arguments = call.arguments;
            }
        }
    } else if piece.is_result() {
        if !told.results.contains_key(place) && told.results.len() == MOST_RESULTS {
            return;
        }
        let outcome = told.results.entry(place.to_owned()).or_default();
        let later = |new: Option<&str>, old: Option<String>| json::non_null(new).map(str::to_owned).or(old);
        outcome.call_id = later(piece.call_id, outcome.call_id.take());
        outcome.failed |= piece.is_error == Some("true");
        outcome.result = later(piece.result, outcome.result.take());
    } else {
        piece.say(&mut told.said);
    }
}

/// `usage`.
fn usage(raw: &str) -> Result<Option<Usage>, Fault> {
    if !json::is_object(raw) {
        return Err(NOT_AN_OBJECT);
    }
    let [prompt, cached, output, thoughts, tool, of_prompt, of_cached, of_output, of_tool, grounding] = json::fields(
        raw,
        [
            "total_input_tokens",
            "total_cached_tokens",
            "total_output_tokens",
            "total_thought_tokens",
            "total_tool_use_tokens",
            "input_tokens_by_modality",
            "cached_tokens_by_modality",
            "output_tokens_by_modality",
            "tool_use_tokens_by_modality",
            "grounding_tool_count",
        ],
    )
    .values;
    let modalities = |details| modalities(details, "tokens");
    let counts = Counts {
        prompt: count(prompt)?,
        candidates: count(output)?,
        cached: part(cached)?,
        thoughts: part(thoughts)?,
        tool: part(tool)?,
        of_prompt: modalities(of_prompt)?,
        of_cached: modalities(of_cached)?,
        of_tool: modalities(of_tool)?,
        of_candidates: modalities(of_output)?,
    };
    let Some(mut usage) = counts.usage()? else { return Ok(None) };
    let mut searches: Result<i64, Fault> = Ok(0);
    if let Some(grounding) = json::non_null(grounding) {
        json::each(grounding, ["type", "count"], |_, [kind, times]| {
            if kind == Some("\"google_search\"") {
                searches = searches.and_then(|sum| Ok(sum.saturating_add(part(times)?)));
            }
        });
    }
    usage.web_searches = searches?;
    Ok(Some(usage))
}

#[cfg(test)]
mod tests {
    use super::super::formats_tests::typed;
    use super::super::{WireFormat, read};
    use super::*;
    use crate::model::headers::Headers;

    fn reply(path: &str, response: &str) -> Meaning {
        let kind = if response.starts_with('{') { "application/json" } else { "text/event-stream" };
        let request = typed(r#"{"agent":"asked"}"#, "application/json");
        read(WireFormat::Gemini, path, 200, [&request, &typed(response.to_owned(), kind)], &Headers::NONE)
    }

    fn events(data: &[&str]) -> String {
        data.iter().map(|data| format!("data: {data}\n\n")).collect()
    }

    fn tokens(meaning: &Meaning) -> Option<(i64, i64)> {
        meaning.usage.as_ref().map(|usage| (usage.input_tokens(), usage.output_tokens()))
    }

    fn calls(meaning: &Meaning) -> Vec<[&str; 3]> {
        let calls = meaning.calls.iter();
        calls.map(|c| [c.id.as_deref().unwrap_or(""), c.name.as_deref().unwrap_or(""), &*c.arguments]).collect()
    }

    const WHOLE: &str = r#"{"id":"v1_x","object":"interaction","model":"gemini-3-flash","status":"requires_action","service_tier":"flex",
        "steps":[{"type":"thought","signature":"s"},{"type":"google_search_call","id":"s1","arguments":{"queries":["q"]}},
            {"type":"google_search_result","call_id":"s1","result":[{"url":"u"}],"is_error":false},
            {"type":"model_output","content":[{"type":"text","text":"hi"}]},
            {"type":"function_call","id":"c1","name":"f","arguments":{"a":1}}],
        "usage":{"total_input_tokens":100,"total_cached_tokens":40,"total_output_tokens":20,"total_thought_tokens":7,
            "total_tool_use_tokens":5,"total_tokens":132,"input_tokens_by_modality":[{"modality":"text","tokens":90},
            {"modality":"image","tokens":10}],"grounding_tool_count":[{"type":"google_search","count":2}]}}"#;

    #[test]
    fn a_whole_one() {
        let m = reply("/v1beta/interactions", WHOLE);
        assert_eq!(
            (m.api, m.format, m.kind),
            ("interactions", WireFormat::Gemini, Some(crate::model::exchange::Kind::Llm))
        );
        assert_eq!((m.request_model.as_deref(), m.response_model.as_deref()), (Some("asked"), Some("gemini-3-flash")));
        assert_eq!((m.response_id.as_deref(), m.finish_reason.as_deref()), (Some("v1_x"), Some("requires_action")));
        assert_eq!((m.service_tier.as_deref(), m.raw_usage.is_none()), (Some("flex"), true));
        assert_eq!(tokens(&m), Some((105, 27)));
        let u = m.usage.unwrap();
        assert_eq!((u.prompt_cache_read_tokens, u.prompt_image_tokens, u.reasoning_tokens), (40, 10, 7));
        assert_eq!(u.web_searches, 2);
        assert_eq!((m.calls.asked(), m.calls.ran()), (1, 1));
        assert_eq!(
            calls(&reply("/v1beta/interactions", WHOLE)),
            [["s1", "", r#"{"queries":["q"]}"#], ["c1", "f", r#"{"a":1}"#]]
        );
        let log = super::super::read_log(
            WireFormat::Gemini,
            200,
            &typed("{}", "application/json"),
            &typed(WHOLE, "application/json"),
        );
        assert_eq!((log.api, tokens(&log)), ("interactions", Some((105, 27))));
    }

    #[test]
    fn one_that_is_fetched_again_counts_nothing_unless_an_agent_made_it() {
        let m = reply("/v1beta/interactions/v1_x", WHOLE);
        assert_eq!((m.usage, m.calls.asked()), (None, 1));
        assert!(m.usage_missing.unwrap().contains("fetched again"));
        let agent = WHOLE.replace("\"model\":\"gemini-3-flash\"", "\"agent\":\"deep-research\"");
        let m = reply("/v1beta/interactions/v1_x", &agent);
        assert_eq!((tokens(&m), m.response_model.as_deref()), (Some((105, 27)), Some("deep-research")));
        let begun = r#"{"id":"v1_x","agent":"deep-research","status":"in_progress","usage":{"total_input_tokens":1}}"#;
        let m = reply("/v1beta/interactions/v1_x", begun);
        assert_eq!((m.usage, m.finish_reason, m.stream_error), (None, None, false), "it goes on");
        // A stream that is taken up again tells the maker in its first event or not at all.
        let end = r#"{"event_type":"interaction.completed","interaction":{"status":"completed","usage":{"total_input_tokens":9}}}"#;
        let first = r#"{"event_type":"interaction.created","interaction":{"agent":"deep-research"}}"#;
        assert_eq!(tokens(&reply("/v1beta/interactions/v1_x", &events(&[first, end]))), Some((9, 0)));
        assert_eq!(reply("/v1beta/interactions/v1_x", &events(&[end])).usage, None);
    }

    #[test]
    fn streams_of_both_revisions() {
        let parts = [
            r#"{"event_type":"interaction.created","interaction":{"id":"v1_x","status":"in_progress","model":"g"}}"#,
            r#"{"event_type":"step.start","index":0,"step":{"type":"model_output"}}"#,
            r#"{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"hi"}}"#,
            r#"{"event_type":"step.start","index":1,"step":{"type":"function_call","id":"c1","name":"f","arguments":{}}}"#,
            r#"{"event_type":"step.delta","index":1,"delta":{"type":"arguments_delta","arguments":"{\"a\""}}"#,
            r#"{"event_type":"step.delta","index":1,"delta":{"type":"arguments_delta","arguments":":1}"}}"#,
            r#"{"event_type":"step.stop","index":1,"usage":{"total_input_tokens":9,"total_output_tokens":4}}"#,
            r#"{"event_type":"interaction.completed","interaction":{"id":"v1_x","status":"completed","steps":[],"usage":{"total_input_tokens":9,"total_output_tokens":5}}}"#,
        ];
        let m = reply("/v1beta/interactions", &events(&parts));
        assert_eq!((m.streamed, m.partial, tokens(&m)), (true, false, Some((9, 5))));
        assert_eq!((m.finish_reason.as_deref(), calls(&m)), (Some("completed"), vec![["c1", "f", r#"{"a":1}"#]]));
        assert!(reply("/v1beta/interactions/v1_x", &events(&parts)).usage.is_none(), "it was counted when it was made");
        let cut = reply("/v1beta/interactions", &events(&parts[..7]));
        assert_eq!((cut.partial, tokens(&cut), cut.calls.asked()), (true, Some((9, 4)), 1));

        let old = reply(
            "/v1beta/interactions",
            &events(&[
                r#"{"event_type":"interaction.start","interaction":{"id":"v1_x","status":"in_progress"}}"#,
                r#"{"event_type":"content.start","index":0,"content":{"type":"function_call"}}"#,
                r#"{"event_type":"content.delta","index":0,"delta":{"type":"function_call","id":"c1","name":"f","arguments":{"a":1}}}"#,
                r#"{"event_type":"content.stop","index":0}"#,
                r#"{"event_type":"interaction.complete","interaction":{"status":"completed","usage":{"total_input_tokens":1}}}"#,
            ]),
        );
        assert_eq!((calls(&old), tokens(&old)), (vec![["c1", "f", r#"{"a":1}"#]], Some((1, 0))));
    }

    #[test]
    fn results_of_tools_at_google_come_in_two_pieces() {
        let m = reply(
            "/v1beta/interactions",
            &events(&[
                r#"{"event_type":"step.start","index":0,"step":{"type":"processing_call","id":"p"}}"#,
                r#"{"event_type":"step.start","index":1,"step":{"type":"code_execution_call","id":"s1"}}"#,
                r#"{"event_type":"step.delta","index":1,"delta":{"type":"code_execution_call","arguments":{"code":"1/0"}}}"#,
                r#"{"event_type":"step.start","index":2,"step":{"type":"code_execution_result","call_id":"s1","result":""}}"#,
                r#"{"event_type":"step.delta","index":2,"delta":{"type":"code_execution_result","is_error":true,"result":"ZeroDivisionError"}}"#,
                r#"{"event_type":"interaction.completed","interaction":{"id":"v1_x","status":"completed"}}"#,
            ]),
        );
        assert_eq!((m.calls.ran(), m.calls.asked()), (1, 0));
        assert_eq!(calls(&m), [["s1", "", r#"{"code":"1/0"}"#]]);
        let told = m.conversation.unwrap().told_by_provider;
        let told: Vec<_> = told.iter().map(|told| (told.id.as_deref(), told.ok, told.preview.as_str())).collect();
        assert_eq!(told, [(Some("s1"), false, "ZeroDivisionError")]);
    }

    #[test]
    fn failures_and_wrong_counts() {
        let m = reply("/v1beta/interactions", r#"{"status":"failed","errors":[{"code":13,"message":"broke"}]}"#);
        assert_eq!((m.stream_error, m.error.as_deref()), (true, Some("broke")));
        let m =
            reply("/v1beta/interactions", &events(&[r#"{"event_type":"error","error":{"message":"no","code":"x"}}"#]));
        assert_eq!((m.stream_error, m.error.as_deref(), m.usage), (true, Some("no"), None));
        for usage in ["7", r#"{"total_input_tokens":1,"total_cached_tokens":2}"#, r#"{"total_input_tokens":-1}"#] {
            let m = reply("/v1beta/interactions", &format!(r#"{{"status":"completed","usage":{usage}}}"#));
            assert!(m.usage.is_none() && !m.notes.is_empty(), "{usage}");
        }
    }
}
