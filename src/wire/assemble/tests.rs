use serde_json::json;

use super::*;

fn stream(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).chain(["data: [DONE]\n\n".to_owned()]).collect()
}

#[test]
fn chat_chunks_become_a_completion() {
    let text = stream(&[
        json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}),
        json!({"choices": [{"index": 0, "delta": {"content": "Hel"}}]}),
        json!({"choices": [{"index": 1, "delta": {"content": "other"}}, {"index": 0, "delta": {"content": "lo"}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}]}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\""}}]}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, "finish_reason": "tool_calls"}]}),
        json!({"choices": [], "usage": {"total_tokens": 3}}),
    ]);
    let whole = assemble(Some("text/event-stream"), &text).unwrap();
    assert_eq!(whole["object"], "chat.completion");
    let first = &whole["choices"][0];
    assert_eq!(first["message"]["content"], "Hello");
    assert_eq!(first["message"]["role"], "assistant");
    assert_eq!(first["message"]["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{\"a\":1}"}));
    assert_eq!(first["finish_reason"], "tool_calls");
    assert_eq!(whole["choices"][1]["message"]["content"], "other");
    assert_eq!(whole["usage"]["total_tokens"], 3);
    assert_eq!(whole["streamed_data"].as_array().unwrap().len(), 7);
}

#[test]
fn anthropic_events_become_a_message() {
    let text = stream(&[
        json!({"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "f", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
    ]);
    let whole = assemble(None, &text).unwrap();
    assert_eq!(
        whole["content"],
        json!([{"type": "text", "text": "Hi"}, {"type": "tool_use", "name": "f", "input": {"a": 1}}])
    );
    assert_eq!(whole["usage"], json!({"input_tokens": 5, "output_tokens": 9}));
    assert_eq!(whole["stop_reason"], "tool_use");
}

#[test]
fn responses_end_with_the_whole_or_with_what_came() {
    let parts = [
        json!({"type": "response.created", "response": {"id": "r", "output": []}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "lo"}),
    ];
    let cut = assemble(None, &stream(&parts)).unwrap();
    assert_eq!(cut["output"][0]["content"][0]["text"], "Hello");
    let mut all = parts.to_vec();
    all.push(json!({"type": "response.completed", "response": {"id": "r", "output": [{"type": "message"}], "usage": {"input_tokens": 1}}}));
    let whole = assemble(None, &stream(&all)).unwrap();
    assert_eq!((&whole["output"], &whole["usage"]["input_tokens"]), (&json!([{"type": "message"}]), &json!(1)));
}

#[test]
fn what_is_no_stream_is_left_alone() {
    for text in ["", "{\"choices\": []}", "plain", "data: nothing\n\n", "data: {\"other\": 1}\n\n"] {
        assert_eq!(assemble(None, text), None, "{text}");
    }
}

#[test]
fn odd_chunks_do_no_harm() {
    let text = stream(&[
        json!({"choices": [{"delta": 5}, 7, {"index": "x", "delta": {"content": 1}}, {"delta": {"content": "a", "tool_calls": [{"index": 99}, 1]}}]}),
        json!({"choices": [{"delta": {"content": "b", "tool_calls": "no"}}]}),
    ]);
    assert!(assemble(None, &text).is_some());
}

#[test]
fn gemini_chunks_become_a_response() {
    let chunks = [
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "hm", "thought": true}]}}], "modelVersion": "g"}),
        json!({"candidates": [{"content": {"parts": [{"text": "Hel"}]}}], "usageMetadata": {"promptTokenCount": 3}}),
        json!({"candidates": [{"index": 1, "content": {"parts": [{"text": "other"}]}}, {"content": {"parts": [{"text": "lo"}]}}]}),
        json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4}}),
    ];
    for text in [stream(&chunks), Value::from(chunks.to_vec()).to_string()] {
        let whole = assemble(None, &text).unwrap();
        let first = &whole["candidates"][0];
        assert_eq!(
            first["content"]["parts"],
            json!([{"text": "hm", "thought": true}, {"text": "Hello"}, {"functionCall": {"name": "f", "args": {"a": 1}}}])
        );
        assert_eq!((&first["content"]["role"], &first["finishReason"]), (&json!("model"), &json!("STOP")));
        assert_eq!(whole["candidates"][1]["content"]["parts"][0]["text"], "other");
        assert_eq!(whole["usageMetadata"], json!({"promptTokenCount": 3, "candidatesTokenCount": 4}));
        assert_eq!(whole["modelVersion"], "g");
    }
    assert_eq!(assemble(None, r#"[{"choices": []}]"#), None, "a list of anything else is left alone");
}

#[test]
fn arguments_of_gemini_in_pieces_become_a_call() {
    let chunk = |parts: Value| json!({"candidates": [{"content": {"parts": parts}}]});
    let piece = |text: &str| json!([{"jsonPath": "$.city", "stringValue": text, "willContinue": true}]);
    let whole = assemble(
        None,
        &stream(&[
            chunk(json!([{"functionCall": {"name": "f", "id": "1", "willContinue": true}, "thoughtSignature": "s"}])),
            chunk(json!([{"functionCall": {"partialArgs": piece("Par"), "willContinue": true}}])),
            chunk(json!([{"functionCall": {"partialArgs": piece("is")}}, {"functionCall": {}}])),
            chunk(json!([{"functionCall": {"name": "g", "args": {"a": 1}}}])),
        ]),
    );
    let parts = json!([
        {"functionCall": {"name": "f", "id": "1", "args": {"city": "Paris"}}, "thoughtSignature": "s"},
        {"functionCall": {"name": "g", "args": {"a": 1}}}
    ]);
    assert_eq!(whole.unwrap()["candidates"][0]["content"]["parts"], parts);
}

#[test]
fn events_of_an_interaction_become_it() {
    let step =
        |kind: &str, index: usize, key: &str, value: Value| json!({"event_type": kind, "index": index, key: value});
    let whole = assemble(
        None,
        &stream(&[
            json!({"event_type": "interaction.created", "interaction": {"id": "v1", "status": "in_progress", "model": "g"}}),
            step("step.start", 0, "step", json!({"type": "thought"})),
            step("step.delta", 0, "delta", json!({"type": "thought_signature", "signature": "s"})),
            step("step.start", 1, "step", json!({"type": "model_output"})),
            step("step.delta", 1, "delta", json!({"type": "text", "text": "Hel"})),
            step("step.delta", 1, "delta", json!({"type": "text", "text": "lo"})),
            step("step.delta", 1, "delta", json!({"type": "image", "data": "QQ==", "mime_type": "image/png"})),
            step("step.delta", 1, "delta", json!({"type": "audio", "data": "QUJD", "mime_type": "audio/l16"})),
            step("step.delta", 1, "delta", json!({"type": "audio", "data": "REVG"})),
            step("step.start", 2, "step", json!({"type": "function_call", "id": "c", "name": "f", "arguments": {}})),
            step("step.delta", 2, "delta", json!({"type": "arguments_delta", "arguments": "{\"a\""})),
            step("step.delta", 2, "delta", json!({"type": "arguments_delta", "arguments": ":1}"})),
            json!({"event_type": "step.stop", "index": 2}),
            json!({"event_type": "interaction.completed", "interaction": {"id": "v1", "status": "completed", "steps": [], "usage": {"total_tokens": 3}}}),
        ]),
    )
    .unwrap();
    assert_eq!(
        whole["steps"],
        json!([
            {"type": "thought", "signature": "s"},
            {"type": "model_output", "content": [{"type": "text", "text": "Hello"},
                {"type": "image", "data": "QQ==", "mime_type": "image/png"},
                {"type": "audio", "data": "QUJDREVG", "mime_type": "audio/l16"}]},
            {"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}}
        ])
    );
    assert_eq!(
        (&whole["status"], &whole["model"], &whole["usage"]["total_tokens"]),
        (&json!("completed"), &json!("g"), &json!(3))
    );
}

#[test]
fn converse_events_become_an_answer() {
    let whole = assemble(
        None,
        &stream(&[
            json!({"role": "assistant"}),
            json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
            json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}),
            json!({"contentBlockIndex": 1, "delta": {"text": "Hel"}}),
            json!({"contentBlockIndex": 1, "delta": {"text": "lo"}}),
            json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}),
            json!({"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{\"a\""}}}),
            json!({"contentBlockIndex": 2, "delta": {"toolUse": {"input": ":1}"}}}),
            json!({"contentBlockIndex": 2}),
            json!({"stopReason": "tool_use"}),
            json!({"usage": {"inputTokens": 3}, "metrics": {"latencyMs": 5}}),
        ]),
    )
    .unwrap();
    assert_eq!(
        whole["output"]["message"],
        json!({"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"text": "Hello"},
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
        ]})
    );
    assert_eq!((&whole["stopReason"], &whole["usage"]["inputTokens"]), (&json!("tool_use"), &json!(3)));
}

#[test]
fn cohere_events_become_an_answer() {
    let whole = assemble(
        None,
        &stream(&[
            json!({"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": [], "tool_calls": []}}}),
            json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will"}}}),
            json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}}}}),
            json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "{}"}}}}}),
            json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
            json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hel"}}}}),
            json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "lo"}}}}),
            json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 3}}}}),
        ]),
    )
    .unwrap();
    let message = &whole["message"];
    assert_eq!(message["content"], json!([{"type": "text", "text": "Hello"}]));
    assert_eq!(message["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{}"}));
    assert_eq!(message["tool_plan"], "I will");
    assert_eq!((&whole["id"], &whole["finish_reason"]), (&json!("c"), &json!("COMPLETE")));
    assert_eq!(whole["usage"]["billed_units"]["input_tokens"], 3);

    let old = [
        json!({"event_type": "stream-start", "generation_id": "g"}),
        json!({"event_type": "text-generation", "text": "Hel"}),
        json!({"event_type": "text-generation", "text": "lo"}),
        json!({"event_type": "stream-end", "response": {"text": "Hello", "generation_id": "g", "finish_reason": "COMPLETE"}}),
    ];
    assert_eq!(assemble(None, &stream(&old)).unwrap()["finish_reason"], "COMPLETE");
    let cut = assemble(None, &stream(&old[..3])).unwrap();
    assert_eq!((&cut["text"], &cut["generation_id"]), (&json!("Hello"), &json!("g")));
}

#[test]
fn ollama_lines_become_an_answer() {
    let lines = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let chat = lines(&[
        json!({"model": "l", "message": {"role": "assistant", "content": "Hel"}, "done": false}),
        json!({"model": "l", "message": {"role": "assistant", "content": "lo"}, "done": false}),
        json!({"model": "l", "message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}, "done": false}),
        json!({"model": "l", "done": true, "done_reason": "stop", "eval_count": 4}),
    ]);
    let whole = assemble(Some("application/x-ndjson"), &chat).unwrap();
    assert_eq!(
        whole["message"],
        json!({"role": "assistant", "content": "Hello", "tool_calls": [{"function": {"name": "f"}}]})
    );
    assert_eq!((&whole["done"], &whole["eval_count"]), (&json!(true), &json!(4)));
    let generate = lines(&[json!({"response": "a", "done": false}), json!({"response": "b", "done": true})]);
    assert_eq!(assemble(Some("application/x-ndjson"), &generate).unwrap()["response"], "ab");
}
