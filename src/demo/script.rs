//! What the demo's provider says: pure functions from a chat request to an answer in OpenAI's shape.

use serde_json::{Value, json};

/// What the assistant does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Asks for tools: name and arguments.
    Tools(Vec<(&'static str, Value)>),
    /// Answers.
    Answer(&'static str),
}

/// What the assistant plans for a question that has the word.
struct Plan {
    word: &'static str,
    place: &'static str,
    nights: u32,
    answer: &'static str,
}

const PLANS: [Plan; 3] = [
    Plan {
        word: "northern",
        place: "Tromsø",
        nights: 2,
        answer: "Fly to Tromsø on Friday at 09:40; the sky will be clear. The hotel by the harbour is booked for two nights.",
    },
    Plan {
        word: "sea",
        place: "Lagos",
        nights: 7,
        answer: "Take the morning train to Lagos and stay a week at the guest house behind the dunes; it is booked.",
    },
    Plan {
        word: "museums",
        place: "Vienna",
        nights: 3,
        answer: "Vienna it is: four museums within a short walk, and a room near the ring is booked from Thursday to Sunday.",
    },
];

const ANY: Plan = Plan {
    word: "",
    place: "La Palma",
    nights: 5,
    answer: "La Palma has 22 degrees in February; a room above the harbour of Tazacorte is booked for five nights.",
};

/// Decides by the question and by what the tools have already told.
pub fn next_turn(request: &Value) -> Turn {
    let messages = request.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tools_ran = messages.iter().filter(|message| role(message) == "tool").count();
    let question = messages.iter().find(|message| role(message) == "user").map(content).unwrap_or_default();
    let plan = PLANS.iter().find(|plan| question.contains(plan.word)).unwrap_or(&ANY);
    match tools_ran {
        0 => Turn::Tools(vec![
            ("find_trips", json!({"wish": question, "limit": 3})),
            ("check_weather", json!({"place": plan.place, "days": 3})),
        ]),
        1 | 2 => Turn::Tools(vec![("book_hotel", json!({"place": plan.place, "nights": plan.nights}))]),
        _ => Turn::Answer(plan.answer),
    }
}

/// A whole answer.
pub fn completion(request: &Value, turn: &Turn, number: u64) -> Value {
    let (message, reason) = match turn {
        Turn::Answer(text) => (json!({"role": "assistant", "content": text}), "stop"),
        Turn::Tools(calls) => {
            (json!({"role": "assistant", "content": null, "tool_calls": tool_calls(calls, number)}), "tool_calls")
        }
    };
    let mut answer = frame(request, "chat.completion", number);
    put(&mut answer, "choices", json!([{"index": 0, "message": message, "finish_reason": reason}]));
    put(&mut answer, "usage", usage(request, turn));
    answer
}

/// The same as the events of a stream, without the last `[DONE]`.
pub fn chunks(request: &Value, turn: &Turn, number: u64) -> Vec<Value> {
    let deltas: Vec<Value> = match turn {
        Turn::Answer(text) => text.split_inclusive(' ').map(|word| json!({"content": word})).collect(),
        Turn::Tools(calls) => vec![json!({"tool_calls": tool_calls(calls, number)})],
    };
    let reason = if matches!(turn, Turn::Answer(_)) { "stop" } else { "tool_calls" };
    let mut choices: Vec<Value> = deltas.into_iter().map(|delta| json!([{"index": 0, "delta": delta}])).collect();
    choices.push(json!([{"index": 0, "delta": {}, "finish_reason": reason}]));
    let mut events: Vec<Value> =
        choices.into_iter().map(|choices| chunk(request, number, choices, Value::Null)).collect();
    if request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true)) {
        events.push(chunk(request, number, json!([]), usage(request, turn)));
    }
    events
}

/// The error that the provider gives now and then.
pub fn overloaded() -> Value {
    json!({"error": {"message": "The scripted provider is busy; try again.", "type": "requests", "param": null, "code": "rate_limit_exceeded"}})
}

fn chunk(request: &Value, number: u64, choices: Value, usage: Value) -> Value {
    let mut chunk = frame(request, "chat.completion.chunk", number);
    put(&mut chunk, "choices", choices);
    put(&mut chunk, "usage", usage);
    chunk
}

fn frame(request: &Value, object: &str, number: u64) -> Value {
    let model = request.get("model").and_then(Value::as_str).unwrap_or("gpt-4o-mini");
    json!({"id": format!("chatcmpl-demo-{number}"), "object": object, "created": 1_760_000_000, "model": model})
}

fn tool_calls(calls: &[(&'static str, Value)], number: u64) -> Value {
    let calls = calls.iter().enumerate().map(|(n, (name, arguments))| {
        json!({"index": n, "id": format!("call_{number}_{n}"), "type": "function",
               "function": {"name": name, "arguments": arguments.to_string()}})
    });
    Value::Array(calls.collect())
}

/// Four characters a token, and every second part of the prompt from the cache once there is a conversation.
fn usage(request: &Value, turn: &Turn) -> Value {
    let tokens = |characters: usize| characters / 4 + 1;
    let prompt = tokens(request.get("messages").map(ToString::to_string).unwrap_or_default().len());
    let cached = if prompt > 200 { prompt / 2 } else { 0 };
    let completion = match turn {
        Turn::Answer(text) => tokens(text.len()),
        Turn::Tools(calls) => {
            calls.iter().map(|(name, arguments)| tokens(name.len() + arguments.to_string().len())).sum()
        }
    };
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
           "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
           "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}})
}

fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

fn content(message: &Value) -> &str {
    message.get("content").and_then(Value::as_str).unwrap_or_default()
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(tools: usize) -> Value {
        let mut messages = vec![json!({"role": "user", "content": "hello"})];
        messages.extend((0..tools).map(|n| json!({"role": "tool", "content": n.to_string()})));
        json!({"model": "gpt-4o", "messages": messages, "stream_options": {"include_usage": true}})
    }

    #[test]
    fn the_assistant_asks_for_tools_then_answers() {
        let names = |turn: Turn| match turn {
            Turn::Tools(calls) => calls.into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
            Turn::Answer(_) => vec!["answer"],
        };
        assert_eq!(names(next_turn(&request(0))), ["find_trips", "check_weather"]);
        assert_eq!(names(next_turn(&request(2))), ["book_hotel"]);
        assert_eq!(names(next_turn(&request(3))), ["answer"]);
        assert_eq!(names(next_turn(&Value::Null)), ["find_trips", "check_weather"]);
    }

    #[test]
    fn a_stream_says_what_the_whole_answer_says() {
        let request = request(3);
        let turn = next_turn(&request);
        let whole = completion(&request, &turn, 7);
        let events = chunks(&request, &turn, 7);
        let words: String =
            events.iter().filter_map(|event| event.pointer("/choices/0/delta/content")?.as_str()).collect();
        assert_eq!(whole["choices"][0]["message"]["content"], words);
        assert_eq!(events.last().expect("events")["usage"], whole["usage"]);
    }
}
