use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::headers::Headers;
use crate::wire::answer::Answer;
use crate::wire::calls::ToolCalls;

/// A conversation of two calls: the first request and its answer, and the second request.
struct Talk {
    name: &'static str,
    api: Api,
    first: Value,
    answer: String,
    second: Value,
}

fn answered(api: Api, answer: &str) -> (ToolCalls, Said) {
    let mut meaning = crate::wire::Meaning::default();
    crate::wire::read_answer(api, &Answer::of(None, answer), &Headers::default(), &mut meaning);
    (meaning.calls, meaning.said)
}

fn conversation(api: Api, request: &Value, answer: &str) -> Conversation {
    let (calls, said) = answered(api, answer);
    read(api, &Request::read(&request.to_string()), &calls, Some(said)).unwrap()
}

fn events(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

const ASKED: &str = "What is the weather in Paris and Rome?";

/// The same talk in every format: a question, two calls of tools in parallel, their results (the second one failed).
fn talks() -> Vec<Talk> {
    chat_talks().into_iter().chain(block_talks()).collect()
}

fn chat_talks() -> Vec<Talk> {
    let calls = json!([
        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}},
        {"id": "c2", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Rome\"}"}},
    ]);
    // As clients send it back: other order of keys, other white space.
    let again = json!({"messages": [
        {"content": "be brief", "role": "system"}, {"content": ASKED, "role": "user"},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"type": "function", "id": "c1", "function": {"arguments": "{ \"city\": \"Paris\" }", "name": "get_weather"}},
            {"type": "function", "id": "c2", "function": {"arguments": "{\"city\":\"Rome\"}", "name": "get_weather"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": "{\"error\":\"no such city\"}"}]});
    let first = json!({"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": ASKED}]});
    let ollama = json!([{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}},
        {"function": {"name": "get_weather", "arguments": {"city": "Rome"}}}]);
    let delta = |delta: Value| json!({"choices": [{"index": 0, "delta": delta}]});
    vec![
        Talk {
            name: "chat",
            api: Api::Chat,
            first: first.clone(),
            answer: json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "I look.",
                "tool_calls": calls}}]})
            .to_string(),
            second: again.clone(),
        },
        Talk {
            name: "chat stream",
            api: Api::Chat,
            first: first.clone(),
            answer: events(&[
                delta(json!({"role": "assistant", "content": "I l"})),
                delta(json!({"content": "ook."})),
                delta(json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                    "function": {"name": "get_weather", "arguments": "{\"city\":"}}]})),
                delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"Paris\"}"}}]})),
                delta(json!({"tool_calls": [{"index": 1, "id": "c2", "type": "function",
                    "function": {"name": "get_weather", "arguments": "{\"city\":\"Rome\"}"}}]})),
            ]),
            second: again.clone(),
        },
        Talk {
            name: "cohere",
            api: Api::CohereChat,
            first: first.clone(),
            answer: json!({"id": "x", "finish_reason": "TOOL_CALL", "message": {"role": "assistant",
                "tool_plan": "I plan.", "content": [{"type": "text", "text": "I look."}], "tool_calls": calls}})
            .to_string(),
            second: again,
        },
        Talk {
            name: "ollama",
            api: Api::OllamaChat,
            first,
            answer: json!({"message": {"role": "assistant", "content": "I look.", "tool_calls": ollama}, "done": true})
                .to_string(),
            second: json!({"messages": [
                {"role": "system", "content": "be brief"}, {"role": "user", "content": ASKED},
                {"role": "assistant", "content": "I look.", "tool_calls": ollama},
                {"role": "tool", "tool_name": "get_weather", "content": "sunny"},
                {"role": "tool", "tool_name": "get_weather", "content": "{\"error\":\"no such city\"}"}]}),
        },
    ]
}

fn block_talks() -> Vec<Talk> {
    let blocks = json!([{"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "c2", "name": "get_weather", "input": {"city": "Rome"}}]);
    let parts = json!([{"text": "I look."}, {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}},
        {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}}]);
    let items = json!([{"type": "reasoning", "id": "rs"},
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "id": "f1", "call_id": "c1", "name": "get_weather",
            "arguments": "{\"city\":\"Paris\"}"},
        {"type": "function_call", "id": "f2", "call_id": "c2", "name": "get_weather",
            "arguments": "{\"city\":\"Rome\"}"}]);
    let converse = json!([{"text": "I look."},
        {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Paris"}}},
        {"toolUse": {"toolUseId": "c2", "name": "get_weather", "input": {"city": "Rome"}}}]);
    let gemini_system = json!({"parts": [{"text": "be brief"}]});
    let start =
        |index: usize, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta = |index: usize, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    vec![
        Talk {
            name: "anthropic",
            api: Api::Messages,
            first: json!({"system": "be brief", "messages": [{"role": "user", "content": ASKED}]}),
            answer: json!({"type": "message", "content": blocks, "stop_reason": "tool_use"}).to_string(),
            second: json!({"system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
                "messages": [
                {"role": "user", "content": [{"type": "text", "text": ASKED}]},
                {"role": "assistant", "content": blocks},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "sunny"}]},
                    {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": true},
                    {"type": "text", "text": "<system-reminder>be kind</system-reminder>"}]}]}),
        },
        Talk {
            name: "anthropic stream",
            api: Api::Messages,
            first: json!({"system": "be brief", "messages": [{"role": "user", "content": ASKED}]}),
            answer: events(&[
                json!({"type": "message_start", "message": {"id": "m"}}),
                start(0, json!({"type": "text", "text": ""})),
                delta(0, json!({"type": "text_delta", "text": "I look."})),
                start(1, json!({"type": "tool_use", "id": "c1", "name": "get_weather", "input": {}})),
                delta(1, json!({"type": "input_json_delta", "partial_json": "{\"city\": \"Paris\"}"})),
                start(2, json!({"type": "tool_use", "id": "c2", "name": "get_weather", "input": {}})),
                delta(2, json!({"type": "input_json_delta", "partial_json": "{\"city\":\"Rome\"}"})),
                json!({"type": "message_stop"}),
            ]),
            second: json!({"system": "be brief", "messages": [
                {"role": "user", "content": ASKED}, {"role": "assistant", "content": blocks},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "sunny", "is_error": false},
                    {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": true}]}]}),
        },
        Talk {
            name: "responses",
            api: Api::Responses,
            first: json!({"instructions": "be brief", "input": ASKED}),
            answer: json!({"id": "resp_1", "object": "response", "status": "completed", "output": items}).to_string(),
            second: json!({"instructions": "be brief", "input": [
                {"role": "user", "content": ASKED}, items[1], items[2], items[3],
                {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
                {"type": "function_call_output", "call_id": "c2", "output": "{\"error\":\"no such city\"}"}]}),
        },
        Talk {
            name: "gemini",
            api: Api::GenerateContent,
            first: json!({"systemInstruction": gemini_system, "contents": [{"role": "user", "parts": [{"text": ASKED}]}]}),
            answer: json!({"candidates": [{"content": {"role": "model", "parts": parts}}]}).to_string(),
            second: json!({"systemInstruction": gemini_system, "contents": [
                {"role": "user", "parts": [{"text": ASKED}]}, {"role": "model", "parts": parts},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "get_weather", "response": {"weather": "sunny"}}},
                    {"functionResponse": {"name": "get_weather", "response": {"error": "no such city"}}}]}]}),
        },
        Talk {
            name: "converse",
            api: Api::Converse,
            first: json!({"system": [{"text": "be brief"}],
                "messages": [{"role": "user", "content": [{"text": ASKED}]}]}),
            answer:
                json!({"output": {"message": {"role": "assistant", "content": converse}}, "stopReason": "tool_use"})
                    .to_string(),
            second: json!({"system": [{"text": "be brief"}], "messages": [
                {"role": "user", "content": [{"text": ASKED}]}, {"role": "assistant", "content": converse},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "c1", "content": [{"text": "sunny"}], "status": "success"}},
                    {"toolResult": {"toolUseId": "c2", "content": [{"json": {"a": 1}}], "status": "error"}}]}]}),
        },
    ]
}

#[test]
fn a_second_request_continues_the_first_in_every_format() {
    for talk in talks() {
        let name = talk.name;
        let one = conversation(talk.api, &talk.first, &talk.answer);
        let two = conversation(talk.api, &talk.second, "{}");
        let head = one.step.heads.first().copied();
        assert!(head.is_some() && one.step.points.is_empty(), "{name}");
        assert_eq!(two.step.points.last().map(|point| point.state), head, "{name}");
        assert_eq!((two.tail, two.rule), (head, Some(SessionRule::Messages)), "{name}");
        assert!(one.step.system.is_some() && one.step.system == two.step.system, "{name}");
        let first_new = match talk.api {
            Api::Responses => 4,
            Api::Messages | Api::GenerateContent | Api::Converse => 2,
            _ => 3,
        };
        assert_eq!(two.step.points[0].messages, first_new, "{name}");
        assert!(!two.user_since, "{name}: results alone are no words of a person");
        assert_eq!(one.opening.len(), 1, "{name}");
    }
}

#[test]
fn results_show_what_their_calls_show() {
    for talk in talks() {
        let name = talk.name;
        let (calls, _) = answered(talk.api, &talk.answer);
        let two = conversation(talk.api, &talk.second, "{}");
        let asked: Vec<Option<i64>> = calls
            .iter()
            .map(|call| {
                let of = (name_of(call), canonical(&call.arguments));
                pair("s", two.ids, call.id.as_deref(), Some((&of.0, &of.1, 0)))
            })
            .collect();
        let shown = |told: &Told| {
            let of = told.of.as_ref().map(|(name, arguments, before)| (name.as_str(), arguments.as_str(), *before));
            pair("s", two.ids, told.id.as_deref(), of)
        };
        let told: Vec<Option<i64>> = two.told.iter().map(shown).collect();
        assert_eq!(asked.len(), 2, "{name}");
        assert_eq!(asked, told, "{name}");
        assert_eq!(two.told.iter().map(|told| told.ok).collect::<Vec<_>>(), [true, false], "{name}");
        assert!(matches!(two.told[1].rule, "error_key" | "is_error"), "{name}: {}", two.told[1].rule);
    }
}

#[test]
fn later_requests_tell_only_what_is_new() {
    let mut request = talks().remove(0).second;
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": "It is sunny."}));
    messages.push(json!({"role": "user", "content": "Thanks. And in Oslo?"}));
    let read = conversation(Api::Chat, &request, "{}");
    assert!(read.told.is_empty() && read.user_since);
    assert_eq!(read.step.points.iter().map(|point| point.messages).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(read.step.messages, 7);
    assert_eq!(read.continues.first(), read.step.points.last().map(|point| &point.state), "the longest match is first");
}

#[test]
fn a_person_beside_a_result_is_seen() {
    let mut request = talks().remove(0).second;
    request["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": "go on"}));
    let read = conversation(Api::Chat, &request, "{}");
    assert!(read.user_since && read.told.len() == 2);
}

#[test]
fn another_word_is_another_state() {
    let talk = talks().remove(0);
    let mut other = talk.second.clone();
    other["messages"][1]["content"] = json!("What is the weather in Paris and Oslo?");
    let head = conversation(talk.api, &talk.first, &talk.answer).step.heads.first().copied();
    assert_ne!(conversation(talk.api, &other, "{}").tail, head);
    let mut cleared = talk.second;
    cleared["messages"][3]["content"] = json!("[cleared]");
    assert_eq!(conversation(talk.api, &cleared, "{}").tail, head, "agents clear old results");
}

#[test]
fn ids_of_responses_are_states() {
    let answer = json!({"id": "resp_1", "object": "response", "status": "completed", "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]})
    .to_string();
    let one = conversation(Api::Responses, &json!({"input": "hello"}), &answer);
    let two = conversation(Api::Responses, &json!({"previous_response_id": "resp_1", "input": "more"}), &answer);
    assert!(one.step.heads.contains(&two.continues[0]));
    assert_eq!((two.rule, two.step.points[0].messages), (Some(SessionRule::PreviousResponse), 0));
    assert_eq!(two.step.heads, [response_state("resp_1")]);
}

#[test]
fn interactions_go_on_by_id_or_by_their_steps() {
    let call = json!({"type": "function_call", "id": "c1", "name": "f", "arguments": {"a": 1}});
    let answer = json!({"id": "v1_1", "object": "interaction", "status": "requires_action", "steps": [
        {"type": "thought", "signature": "s"}, {"type": "model_output", "content": [{"type": "text", "text": "hm"}]}, call]})
    .to_string();
    let one =
        conversation(Api::Interactions, &json!({"input": "What is it?", "system_instruction": "Be brief."}), &answer);
    assert!(one.step.system.is_some());
    let result =
        json!({"type": "function_result", "call_id": "c1", "name": "f", "is_error": true, "result": "no such thing"});
    let two = conversation(Api::Interactions, &json!({"previous_interaction_id": "v1_1", "input": [result]}), &answer);
    assert!(one.step.heads.contains(&two.continues[0]));
    let told =
        |read: &Conversation| read.told.iter().map(|told| (told.id.clone(), told.ok, told.rule)).collect::<Vec<_>>();
    assert_eq!(told(&two), [(Some("c1".to_owned()), false, "is_error")]);
    let streamed = events(&[
        json!({"event_type": "interaction.created", "interaction": {"id": "v1_1", "status": "in_progress"}}),
        json!({"event_type": "step.start", "index": 0, "step": call}),
        json!({"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "requires_action", "steps": []}}),
    ]);
    let same = conversation(Api::Interactions, &json!({"input": "What is it?"}), &streamed);
    assert!(same.step.heads.contains(&two.continues[0]), "also where nothing but a call was said");
    // Without the provider's memory: all steps again, or (before) turns.
    let steps = json!([{"type": "user_input", "content": [{"type": "text", "text": "What is it?"}]},
        {"type": "model_output", "content": [{"type": "text", "text": "hm"}]}, call, result]);
    let turns = json!([{"role": "user", "content": "What is it?"},
        {"role": "model", "content": [{"type": "text", "text": "hm"}, call]}, {"role": "user", "content": [result]}]);
    for input in [steps, turns] {
        let three = conversation(Api::Interactions, &json!({"input": input}), &answer);
        assert_eq!(three.rule, Some(SessionRule::Messages), "{input}");
        assert!(one.step.heads.contains(&three.continues[0]), "{input}");
        assert_eq!(three.told[0].of, Some(("f".to_owned(), canonical(r#"{"a":1}"#), 0)), "{input}");
    }
    let deep = format!("{}{}", r#"[{"type":"user_input","content":"#.repeat(20_000), "1");
    assert_eq!(conversation(Api::Interactions, &json!({"input": deep}), "{}").step.messages, 1);
    let raw = format!(r#"{{"input":{deep}"#);
    assert!(read(Api::Interactions, &Request::read(&raw), &ToolCalls::default(), None).is_some());
}

#[test]
fn the_provider_tells_results_itself() {
    let answer = json!({"type": "message", "content": [
        {"type": "server_tool_use", "id": "st1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "st1", "content":
            {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}},
        {"type": "mcp_tool_use", "id": "mt1", "name": "echo", "server_name": "s", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mt1", "is_error": false, "content": [{"type": "text", "text": "hi"}]},
        {"type": "text", "text": "done"}]});
    let request = json!({"messages": [{"role": "user", "content": "go"}]});
    let read = conversation(Api::Messages, &request, &answer.to_string());
    let told: Vec<_> = read.told_by_provider.iter().map(|told| (told.id.as_deref(), told.ok)).collect();
    assert_eq!(told, [(Some("st1"), false), (Some("mt1"), true)]);
    let answer = json!({"id": "r", "object": "response", "status": "completed", "output": [
        {"type": "mcp_call", "id": "mcp_1", "name": "roll", "arguments": "{}", "output": "4", "error": null},
        {"type": "mcp_call", "id": "mcp_2", "name": "roll", "arguments": "{}", "output": null, "error": "denied"},
        {"type": "message", "content": [{"type": "output_text", "text": "4"}]}]});
    let read = conversation(Api::Responses, &json!({"input": "go"}), &answer.to_string());
    let told: Vec<_> = read.told_by_provider.iter().map(|told| (told.id.as_deref(), told.ok, told.bytes)).collect();
    assert_eq!(told, [(Some("mcp_1"), true, 1), (Some("mcp_2"), false, 6)]);
}

#[test]
fn arguments_compare_without_order_and_space() {
    let one = canonical("{ \"b\": [1, {\"d\":2,\"c\":\"x\"}], \"a\": null }");
    assert_eq!(one, canonical("{\"a\":null,\"b\":[1,{\"c\":\"x\",\"d\":2}]}"));
    assert_ne!(canonical("{\"a\":1}"), canonical("{\"a\":\"1\"}"));
    assert_eq!((canonical(""), canonical(" not json ")), ("{}".to_owned(), "not json".to_owned()));
}

fn any_api() -> impl Strategy<Value = Api> {
    prop::sample::select(vec![
        Api::Chat,
        Api::CohereChat,
        Api::OllamaChat,
        Api::Responses,
        Api::Messages,
        Api::Invoke,
        Api::GenerateContent,
        Api::StreamContent,
        Api::Converse,
        Api::Embeddings,
    ])
}

proptest! {
    #[test]
    fn blanks_are_left_out(text in "[ab \\n\\t\\r\x0b\x0c\x00é!]{0,40}") {
        let wanted: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        prop_assert_eq!(without_blanks(text.as_bytes()), wanted);
    }

    /// Whatever the bytes are, nothing panics and what is kept is bounded.
    #[test]
    fn every_request_is_read(
        api in any_api(),
        talk in any::<prop::sample::Index>(),
        cut in 0_usize..2_000,
        at in any::<prop::sample::Index>(),
        with in "[{}\\[\\],:\"a0ü]",
    ) {
        let talks = talks();
        let talk = talk.get(&talks);
        let mut request = talk.second.to_string();
        request.truncate(request.floor_char_boundary(cut));
        let at = request.floor_char_boundary(at.index(request.len() + 1));
        request.insert_str(at, &with);
        for text in [request.as_str(), &talk.answer] {
            let (calls, said) = answered(api, text);
            if let Some(read) = read(api, &Request::read(text), &calls, Some(said)) {
                prop_assert!(read.step.points.len() <= MOST_POINTS && read.told.len() <= MOST_RESULTS);
                let mut back = Step::default();
                back.set_chain(&read.step.chain());
                prop_assert_eq!(back.points, read.step.points);
                prop_assert_eq!(back.heads, read.step.heads);
            }
        }
    }

    #[test]
    fn chains_of_any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        Step::default().set_chain(&bytes);
    }
}
