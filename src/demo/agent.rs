//! The demo's agent: asks a model, runs the tools that it asks for, posts each tool call to the manual logger, and streams
//! the last answer. It knows the gateway by its URL only.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// One customer's wish.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    pub question: &'static str,
    pub customer: &'static str,
    /// Property `Agent-Version` of the session's calls.
    pub version: &'static str,
}

/// What an errand took.
#[derive(Clone, Debug)]
pub struct Report {
    pub session: String,
    pub answer: String,
    pub calls: u32,
    pub tools: u32,
}

/// More rounds than the script needs.
const MAX_ITERATIONS: u32 = 6;
/// Tries of one model call; the provider refuses one in five.
const TRIES: u32 = 3;

struct Conversation<'a> {
    client: &'a Client,
    gateway: &'a str,
    errand: &'a Errand,
    session: String,
    messages: Vec<Value>,
    calls: u32,
    tools: u32,
}

/// A tool's run, as the manual logger is told of it.
struct ToolRun<'a> {
    name: &'a str,
    input: &'a Value,
    result: &'a Value,
    status: u16,
    took: Duration,
}

/// Does one errand, as one session.
///
/// # Errors
/// When the gateway cannot be reached, or the provider does not answer in its script.
pub async fn run(client: &Client, gateway: &str, errand: &Errand) -> anyhow::Result<Report> {
    let session = format!("demo-{}-{}", errand.customer, uuid::Uuid::now_v7());
    let messages = vec![
        json!({"role": "system", "content": "You plan trips. Use the tools, then answer in one sentence."}),
        json!({"role": "user", "content": errand.question}),
    ];
    let mut talk = Conversation { client, gateway, errand, session, messages, calls: 0, tools: 0 };
    for iteration in 0..MAX_ITERATIONS {
        let message = talk.ask(iteration).await?;
        let wanted = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
        if wanted.is_empty() {
            let answer = talk.stream_answer().await?;
            return Ok(Report { session: talk.session, answer, calls: talk.calls, tools: talk.tools });
        }
        talk.messages.push(message);
        for call in &wanted {
            let result = talk.use_tool(call).await?;
            let id = call.get("id").cloned().unwrap_or_default();
            talk.messages.push(json!({"role": "tool", "tool_call_id": id, "content": result.to_string()}));
        }
    }
    bail!("the agent did not come to an end in {MAX_ITERATIONS} rounds")
}

impl Conversation<'_> {
    /// One model call, tried again when the provider is busy. The assistant's message.
    async fn ask(&mut self, iteration: u32) -> anyhow::Result<Value> {
        let body = json!({"model": "gpt-4o-mini", "messages": self.messages, "tools": tools()});
        let response = self.send(&body, &format!("/plan/iteration-{iteration}")).await?;
        let answer: Value = response.json().await.context("the provider's answer is no JSON")?;
        answer.pointer("/choices/0/message").cloned().context("the provider's answer has no message")
    }

    async fn stream_answer(&mut self) -> anyhow::Result<String> {
        let body = json!({"model": "gpt-4o", "messages": self.messages, "stream": true});
        let mut response = self.send(&body, "/answer").await?;
        let mut received = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            received.extend_from_slice(&chunk);
        }
        Ok(spoken(&String::from_utf8_lossy(&received)))
    }

    async fn send(&mut self, body: &Value, path: &str) -> anyhow::Result<Response> {
        for attempt in 1..=TRIES {
            self.calls += 1;
            let request = self.client.post(format!("{}/v1/chat/completions", self.gateway)).bearer_auth("demo");
            let request = request.header("Helicone-Property-Attempt", attempt).header("Helicone-Stream-Usage", "true");
            let response = self.tagged(request, path).json(body).send().await?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return response.error_for_status().context("the gateway did not pass a good answer on");
            }
        }
        bail!("the provider was busy {TRIES} times in a row")
    }

    /// Runs a tool and logs it; booking fails at the first try, as tools do.
    async fn use_tool(&mut self, call: &Value) -> anyhow::Result<Value> {
        let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/function/name").to_owned();
        let input: Value = serde_json::from_str(text("/function/arguments")).unwrap_or_default();
        if name == "book_hotel" && self.errand.version == "v1.0" {
            let refused = json!({"error": "the hotel's system did not answer"});
            let took = Duration::from_millis(90);
            self.log_tool(&ToolRun { name: &name, input: &input, result: &refused, status: 502, took }).await?;
        }
        let started = Instant::now();
        tokio::time::sleep(Duration::from_millis(40)).await;
        let result = match name.as_str() {
            "find_trips" => {
                json!({"trips": ["Tromsø, Friday 09:40", "Lagos, Saturday 07:10", "Vienna, Thursday 18:05"]})
            }
            "check_weather" => json!({"sky": "clear", "temperature": -4}),
            "book_hotel" => json!({"booked": true, "reference": "H-2041"}),
            _ => json!({"error": format!("no tool is called {name}")}),
        };
        let took = started.elapsed();
        self.log_tool(&ToolRun { name: &name, input: &input, result: &result, status: 200, took }).await?;
        Ok(result)
    }

    async fn log_tool(&mut self, run: &ToolRun<'_>) -> anyhow::Result<()> {
        self.tools += 1;
        let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = end.saturating_sub(run.took);
        let instant = |at: Duration| json!({"seconds": at.as_secs(), "milliseconds": at.subsec_millis()});
        let mut response = json!({"_type": "tool", "toolName": run.name});
        if let (Some(all), Some(more)) = (response.as_object_mut(), run.result.as_object()) {
            all.extend(more.clone());
        }
        let envelope = json!({
            "providerRequest": {"url": "custom-model-nopath", "json": {"_type": "tool", "toolName": run.name, "input": run.input}, "meta": {}},
            "providerResponse": {"headers": {}, "status": run.status, "json": response},
            "timing": {"startTime": instant(start), "endTime": instant(end)},
        });
        let request = self.client.post(format!("{}/custom/v1/log", self.gateway)).bearer_auth("demo");
        let posted = self.tagged(request, &format!("/tools/{}", run.name)).json(&envelope).send().await?;
        posted.error_for_status().context("the gateway did not take a tool log")?;
        Ok(())
    }

    fn tagged(&self, request: RequestBuilder, path: &str) -> RequestBuilder {
        request
            .header("Helicone-Session-Id", &self.session)
            .header("Helicone-Session-Name", "Trip planner")
            .header("Helicone-Session-Path", path)
            .header("Helicone-User-Id", self.errand.customer)
            .header("Helicone-Property-Agent-Version", self.errand.version)
    }
}

/// Waits until the gateway says that it is ready.
///
/// # Errors
/// When it does not within `limit`.
pub async fn wait_until_ready(client: &Client, gateway: &str, limit: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let answer = client.get(format!("{gateway}/readyz")).timeout(Duration::from_secs(1)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the gateway on {gateway} was not ready within {limit:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One line a session, newest first, as the query API tells them.
///
/// # Errors
/// When the API does not answer with sessions.
pub async fn sessions(client: &Client, gateway: &str) -> anyhow::Result<Vec<String>> {
    let query = json!({"search": "demo-", "limit": 10});
    let answer = client.post(format!("{gateway}/v1/session/query")).json(&query).send().await?.error_for_status()?;
    let answer: Value = answer.json().await?;
    let rows = answer.get("data").and_then(Value::as_array).context("the query API answered without data")?;
    Ok(rows.iter().map(session_line).collect())
}

fn session_line(row: &Value) -> String {
    let number = |field: &str| row.get(field).and_then(Value::as_f64).unwrap_or_default();
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{}  {}  {} calls, {} errors, ${:.6}, {}",
        text("session_id"),
        text("session_name"),
        number("total_requests"),
        number("errors"),
        number("total_cost"),
        text("outcome"),
    )
}

/// The words of an event stream.
fn spoken(stream: &str) -> String {
    let events = stream.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    events.filter_map(|event| Some(event.pointer("/choices/0/delta/content")?.as_str()?.to_owned())).collect()
}

fn tools() -> Value {
    let tool = |name: &str, about: &str, field: &str| {
        json!({"type": "function", "function": {"name": name, "description": about, "parameters": {
            "type": "object", "properties": {field: {"type": "string"}}, "required": [field]}}})
    };
    json!([
        tool("find_trips", "Trips that match a wish", "wish"),
        tool("check_weather", "The weather of the next days", "place"),
        tool("book_hotel", "Book a room", "place"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::provider;

    #[test]
    fn words_of_a_stream_are_joined() {
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"a \"}}]}\n\n: note\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\ndata: [DONE]\n\n";
        assert_eq!(spoken(stream), "a b");
    }

    #[tokio::test]
    async fn the_provider_streams_and_refuses_every_fifth_call() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1/chat/completions", listener.local_addr().expect("an address"));
        let client = Client::builder().no_proxy().build().expect("a client");
        let tools_ran = |n: usize| vec![json!({"role": "tool", "content": "x"}); n];
        let calls = async {
            let mut statuses = Vec::new();
            for _ in 0..5 {
                let body = json!({"model": "gpt-4o", "messages": tools_ran(3), "stream": true});
                let answer = client.post(&url).json(&body).send().await.expect("an answer");
                statuses.push(answer.status().as_u16());
                if answer.status().is_success() {
                    assert!(!spoken(&answer.text().await.expect("a body")).is_empty());
                }
            }
            statuses
        };
        tokio::select! {
            statuses = calls => assert_eq!(statuses, [200, 200, 200, 200, 429]),
            ended = provider::serve(listener) => panic!("the provider stopped: {ended:?}"),
        }
    }
}
