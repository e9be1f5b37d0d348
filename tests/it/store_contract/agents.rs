//! Sessions that are found by what calls show, and tool calls with their results: in any order, repeated, by two writers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_json::{Value, json};
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::model::capture::{Begin, Body, BodyFacts, Capture, End, Outcome, WireFormat};
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::Filter;
use trailgate::model::headers::Headers;
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::pairing::Time;
use trailgate::model::query::Window;
use trailgate::model::session::SessionRow;
use trailgate::model::steps::news;
use trailgate::model::tags::Tags;
use trailgate::model::tools::{ToolFigures, grouped, sum};
use trailgate::model::units::Micros;
use trailgate::pricing::Pricing;

use super::sample::{Random, SECOND, T0, property};
use super::{Bed, every_session, memory};

pub const ORG: OrgId = OrgId::DEFAULT;

static CONTEXT: LazyLock<EnrichContext> =
    LazyLock::new(|| EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true });

/// A chat completion of one second, `at` seconds after the start of time, as the drain would hand it over.
pub fn chat(at: i64, tags: Tags, headers: &[(&str, &str)], request: &Value, answer: &Value) -> Exchange {
    let facts = |body: &str| BodyFacts {
        len: body.len() as u64,
        content_type: Some("application/json".to_owned()),
        ..BodyFacts::default()
    };
    let response = json!({"model": "gpt-4o", "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}});
    let (request, response) = (request.to_string(), response.to_string());
    let record = RecordId::generate();
    let begin = Begin {
        record,
        org: ORG,
        key: None,
        at: Micros(T0 + at * SECOND),
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        target_url: "https://api.openai.com/v1/chat/completions".to_owned(),
        provider: "openai".to_owned(),
        format: WireFormat::Openai,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        tags,
        notes: Vec::new(),
        request: Some(facts(&request)),
    };
    let end = End {
        record,
        outcome: Outcome::Complete,
        status: 200,
        duration_us: SECOND,
        head_us: None,
        first_byte_us: None,
        headers: Headers::default(),
        response: facts(&response),
        error: None,
        notes: Vec::new(),
    };
    let body = Body { facts: facts(&request), bytes: Bytes::from(request) };
    let end = Some(Box::new((end, Bytes::from(response))));
    enrich(Capture::Call { begin: Box::new(begin), request: body, end }, &CONTEXT)
}

/// The calls of an agent that asks two tools at once in every step; every third result is an error.
fn agent(name: &str, steps: usize, tags: &Tags) -> Vec<Exchange> {
    let mut messages = vec![
        json!({"role": "system", "content": format!("You are {name}.")}),
        json!({"role": "user", "content": format!("Solve the task of {name}, please.")}),
    ];
    let mut calls = Vec::new();
    for step in 0..steps {
        let call = |tool: usize| {
            json!({"id": format!("{name}-{step}-{tool}"), "type": "function",
                "function": {"name": format!("tool_{tool}"), "arguments": json!({"step": step}).to_string()}})
        };
        let last = step + 1 == steps;
        let answer = if last {
            json!({"role": "assistant", "content": format!("{name} is done.")})
        } else {
            json!({"role": "assistant", "content": format!("Step {step}."), "tool_calls": [call(0), call(1)]})
        };
        let at = i64::try_from(step).unwrap() * 10;
        let request = json!({"model": "gpt-4o", "messages": messages});
        let mut one = chat(at, tags.clone(), &[], &request, &answer);
        one.properties = vec![property("Step", &step.to_string())];
        one.user_id = Some(format!("user of {name}"));
        calls.push(one);
        messages.push(answer);
        for tool in 0..2 {
            let content = if (step * 2 + tool) % 3 == 2 { "{\"error\":\"no\"}" } else { "fine" };
            messages.push(json!({"role": "tool", "tool_call_id": format!("{name}-{step}-{tool}"), "content": content}));
        }
    }
    calls
}

async fn sessions(bed: &Bed) -> BTreeMap<String, SessionRow> {
    let page = bed.store.sessions(ORG, &every_session(Filter::ALL)).await.unwrap();
    page.rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

pub async fn session_of(bed: &Bed, call: &Exchange) -> Option<String> {
    bed.store.call(ORG, call.id).await.unwrap().unwrap().session_id
}

/// Every agent's calls are one session, and what is stored of it is what its calls add up to.
async fn each_agent_is_one_session(bed: &Bed, agents: &[Vec<Exchange>]) {
    let mut known = Vec::new();
    let mut ids = BTreeSet::new();
    for calls in agents {
        let id = session_of(bed, &calls[0]).await.expect("a session");
        assert!(id.starts_with("inferred-"), "{id}");
        assert!(ids.insert(id.clone()), "two agents in one session");
        for call in calls {
            assert_eq!(session_of(bed, call).await.as_ref(), Some(&id));
            known.push(Exchange { session_id: Some(id.clone()), ..call.clone() });
        }
    }
    assert_eq!(sessions(bed).await, memory::sessions(&known));
    let by_step = super::filters::property_is("Step", "0");
    let found = bed.store.sessions(ORG, &every_session(by_step)).await.unwrap();
    assert_eq!(found.rows.len(), agents.len(), "the first call's properties came with it, once");
}

pub async fn conversations_are_sessions_in_any_order(bed: Bed) {
    for seed in 0..5 {
        let org = bed.store.create_org("o").await.unwrap();
        let mut random = Random::new(seed);
        let mut agents: Vec<Vec<Exchange>> =
            (0..3).map(|n| agent(&format!("agent {n} of {seed}"), 6, &Tags::default())).collect();
        // Nothing of another organisation is in the way.
        agents.iter_mut().flatten().for_each(|call| call.org = if seed == 0 { ORG } else { org });
        let all: Vec<&Exchange> = agents.iter().flatten().collect();
        let mut order: Vec<usize> = (0..all.len()).chain(0..all.len()).collect();
        random.shuffle(&mut order);
        let mut writer = bed.store.writer().await.unwrap();
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(random.pick(&(1..=rest.len().min(7))));
            let batch: Vec<Exchange> = now.iter().map(|i| all[*i].clone()).collect();
            writer.write(&batch).await.unwrap();
            rest = later;
        }
        if seed == 0 {
            each_agent_is_one_session(&bed, &agents).await;
        } else {
            let page = bed.store.sessions(org, &every_session(Filter::ALL)).await.unwrap();
            let calls: Vec<i64> = page.rows.iter().map(|row| row.totals.calls).collect();
            assert_eq!(calls, [6, 6, 6], "seed {seed}");
        }
    }
}

pub async fn two_writers_find_the_same_sessions(bed: Bed) {
    let agents: Vec<Vec<Exchange>> = (0..4).map(|n| agent(&format!("agent {n}"), 8, &Tags::default())).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for half in 0..2_usize {
        let store = bed.store.clone();
        // Each writer has every other call of every conversation.
        let mine: Vec<Exchange> = agents.iter().flat_map(|calls| calls.iter().skip(half).step_by(2).cloned()).collect();
        tasks.spawn(async move {
            let mut writer = store.writer().await.unwrap();
            for batch in mine.chunks(3) {
                writer.write(batch).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    each_agent_is_one_session(&bed, &agents).await;
}

pub async fn one_call_alone_is_no_session(bed: Bed) {
    let calls = agent("a", 3, &Tags::default());
    bed.write(&calls[..1]).await;
    assert!(sessions(&bed).await.is_empty());
    bed.write(&calls[..1]).await;
    assert!(sessions(&bed).await.is_empty(), "a replay is no second call");
    bed.write(&calls[1..2]).await;
    let two = sessions(&bed).await;
    let (id, row) = two.first_key_value().unwrap();
    assert_eq!(row.totals.calls, 2);
    bed.write(&calls).await;
    assert_eq!(sessions(&bed).await[id].totals.calls, 3, "and it keeps its id");
    let rows = bed.store.session_calls(ORG, id, 10).await.unwrap();
    assert!(rows.iter().all(|row| row.session_rule.as_deref() == Some("messages")), "{rows:?}");
    let new = news(&rows);
    assert_eq!(new.iter().map(|news| news.previous).collect::<Vec<_>>(), [None, Some(0), Some(1)]);
    assert_eq!(new.iter().map(|news| news.first).collect::<Vec<_>>(), [Some(0), Some(3), Some(6)]);
    assert_eq!(new[1].system_changed, Some(false));
}

pub async fn organisations_are_never_joined(bed: Bed) {
    let other = bed.store.create_org("other").await.unwrap();
    let mut calls = agent("a", 2, &Tags::default());
    calls[1].org = other;
    bed.write(&calls).await;
    assert!(sessions(&bed).await.is_empty());
    assert!(bed.store.sessions(other, &every_session(Filter::ALL)).await.unwrap().rows.is_empty());
}

pub async fn ids_of_clients_win(bed: Bed) {
    let tags = Tags { session_id: Some("mine".to_owned()), ..Tags::default() };
    let tagged = agent("a", 3, &tags);
    bed.write(&tagged).await;
    assert_eq!(sessions(&bed).await.keys().collect::<Vec<_>>(), ["mine"]);
    assert_eq!(bed.store.call(ORG, tagged[1].id).await.unwrap().unwrap().call.session_rule, None);
    // The same key in two calls that have nothing else in common.
    let keyed = |at: i64, text: &str| {
        let request =
            json!({"model": "gpt-4o", "prompt_cache_key": "k", "messages": [{"role": "user", "content": text}]});
        chat(at, Tags::default(), &[], &request, &json!({"role": "assistant", "content": "yes"}))
    };
    let (one, two) = (keyed(0, "one"), keyed(1, "two"));
    bed.write(std::slice::from_ref(&one)).await;
    assert_eq!(session_of(&bed, &one).await, None);
    bed.write(std::slice::from_ref(&two)).await;
    let id = session_of(&bed, &one).await.unwrap();
    assert_eq!(session_of(&bed, &two).await.as_ref(), Some(&id));
    let stored = bed.store.call(ORG, one.id).await.unwrap().unwrap();
    assert_eq!(stored.call.session_rule.as_deref(), Some("prompt_cache_key"));
    let named = chat(
        2,
        Tags::default(),
        &[("session_id", "of the harness")],
        &json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}),
        &json!({"role": "assistant", "content": "hello"}),
    );
    bed.write(std::slice::from_ref(&named)).await;
    assert_eq!(session_of(&bed, &named).await.as_deref(), Some("of the harness"));
}

/// A session that an agent calls like an inferred one is the agent's all the same.
pub async fn names_that_look_inferred_stay(bed: Bed) {
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let first = |id: &'static str, at: i64, question: &str, answer: &str| {
        let request = json!({"model": "gpt-4o", "messages": [said("user", question)]});
        chat(at, Tags::default(), &[("session_id", id)], &request, &said("assistant", answer))
    };
    let one = first("inferred-by-me", 0, "What is the capital of France?", "Paris.");
    let two = first("mine", 10, "And which one is that of Norway?", "Oslo.");
    // Each goes on with one of them, and both carry the same key: all four hang together.
    let next = |at: i64, question: &str, answer: &str| {
        let messages = [said("user", question), said("assistant", answer), said("user", "Are you sure?")];
        let request = json!({"model": "gpt-4o", "prompt_cache_key": "k", "messages": messages});
        chat(at, Tags::default(), &[], &request, &said("assistant", "Yes."))
    };
    let three = next(20, "What is the capital of France?", "Paris.");
    let four = next(30, "And which one is that of Norway?", "Oslo.");
    for call in [&one, &two, &three, &four] {
        bed.write(std::slice::from_ref(call)).await;
    }
    for (call, session) in [(&one, "inferred-by-me"), (&two, "mine"), (&three, "inferred-by-me"), (&four, "mine")] {
        assert_eq!(session_of(&bed, call).await.as_deref(), Some(session));
    }
}

pub async fn the_same_beginning_does_not_join(bed: Bed) {
    // Examples in the prompt are an answer that no call gave.
    let examples = |question: &str, at: i64| {
        let request = json!({"model": "gpt-4o", "messages": [
            {"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"},
            {"role": "user", "content": question}]});
        chat(at, Tags::default(), &[], &request, &json!({"role": "assistant", "content": format!("{question}!")}))
    };
    bed.write(&[examples("3+3?", 0), examples("4+4?", 1), examples("5+5?", 2)]).await;
    assert!(sessions(&bed).await.is_empty());
}

pub async fn a_sub_agent_is_below_its_parent(bed: Bed) {
    let prompt = "Find every file that mentions the parser, and say where.";
    let start = json!({"role": "user", "content": "Fix the parser of this program."});
    let task = json!({"role": "assistant", "tool_calls": [{"id": "toolu_1", "type": "function", "function":
        {"name": "Task", "arguments": json!({"description": "search", "prompt": prompt}).to_string()}}]});
    let found = json!({"role": "assistant", "content": "In two places."});
    let ask = |messages: Value| json!({"model": "gpt-4o", "messages": messages});
    let untagged = Tags::default;
    let parent = chat(0, untagged(), &[], &ask(json!([start])), &task);
    let child_start = json!({"role": "user", "content": [{"type": "text", "text": "<system-reminder>x</system-reminder>"},
        {"type": "text", "text": prompt}]});
    let look = json!({"role": "assistant", "tool_calls": [
        {"id": "g1", "type": "function", "function": {"name": "Grep", "arguments": "{}"}}]});
    let child = chat(10, untagged(), &[], &ask(json!([child_start])), &look);
    let result = json!({"role": "tool", "tool_call_id": "g1", "content": "a.rs b.rs"});
    let child_on = chat(20, untagged(), &[], &ask(json!([child_start, look, result])), &found);
    let told = json!({"role": "tool", "tool_call_id": "toolu_1", "content": "In two places."});
    let parent_on =
        chat(30, untagged(), &[], &ask(json!([start, task, told])), &json!({"role": "assistant", "content": "Done."}));
    for call in [&parent, &child, &child_on, &parent_on] {
        bed.write(std::slice::from_ref(call)).await;
    }
    let all = sessions(&bed).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let id = all.keys().next().unwrap();
    let rows = bed.store.session_calls(ORG, id, 10).await.unwrap();
    let paths: Vec<Option<&str>> = rows.iter().map(|row| row.path.as_deref()).collect();
    assert_eq!(paths, [None, Some("/Task/toolu_1"), Some("/Task/toolu_1"), None]);
    assert_eq!(rows[1].session_rule.as_deref(), Some("delegated"));
    let tools = bed.store.session_tools(ORG, id, (10, None)).await.unwrap();
    let times: Vec<(&str, Time)> = tools.iter().map(|tool| (tool.call.name.as_str(), tool.time())).collect();
    assert_eq!(times, [("Task", Time::Gap(29 * SECOND)), ("Grep", Time::Gap(9 * SECOND))]);
}

pub async fn tool_calls_find_their_results_in_any_order(bed: Bed) {
    let mut seen = Vec::new();
    for seed in 0..4 {
        let session = format!("s{seed}");
        let tags = Tags { session_id: Some(session.clone()), ..Tags::default() };
        let calls = agent("a", 5, &tags);
        let mut order: Vec<usize> = (0..calls.len()).chain(0..calls.len()).collect();
        Random::new(seed).shuffle(&mut order);
        for chunk in order.chunks(2) {
            let batch: Vec<Exchange> = chunk.iter().map(|i| calls[*i].clone()).collect();
            bed.write(&batch).await;
        }
        let tools = bed.store.session_tools(ORG, &session, (100, None)).await.unwrap();
        let shape: Vec<_> = tools
            .iter()
            .map(|tool| {
                let verdict = tool.verdict().map(|(ok, rule)| (ok, rule.to_owned()));
                (tool.call.id.clone(), tool.call.name.clone(), verdict, tool.time(), tool.bytes())
            })
            .collect();
        assert_eq!(shape.len(), 8);
        assert_eq!(shape[2].2, Some((false, "error_key".to_owned())));
        assert!(shape.iter().all(|(.., time, bytes)| *time == Time::Gap(9 * SECOND) && bytes.is_some()), "{shape:?}");
        seen.push(shape);
    }
    assert!(seen.iter().all(|shape| *shape == seen[0]));
}

pub async fn tools_have_figures(bed: Bed) {
    let tags = Tags { session_id: Some("s".to_owned()), ..Tags::default() };
    let mut calls = agent("a", 4, &tags);
    // A log that is the result of the first call, and one that no answer asked for.
    let pair = calls[0].agent.calls[0].same.unwrap();
    let log = |at: i64, name: &str, pair: i64| {
        let mut log = super::sample::in_session("s", at);
        log.kind = trailgate::model::exchange::Kind::Tool;
        log.source = trailgate::model::exchange::Source::Manual;
        log.model = Some(format!("tool:{name}"));
        log.agent.results = vec![trailgate::model::agent::ToolResult {
            position: 0,
            pair,
            source: trailgate::model::agent::ResultSource::Manual,
            ok: true,
            rule: "no_failure",
            bytes: 3,
            preview: "yes".to_owned(),
            waited: false,
            state: None,
        }];
        log
    };
    calls.extend([log(2, "tool_0", pair), log(3, "lone", 7)]);
    bed.write(&calls).await;
    let uses = bed.store.tool_uses(ORG, &Filter::ALL, Window::default()).await.unwrap();
    assert_eq!(uses.cut, None);
    let found: BTreeMap<String, ToolFigures> =
        grouped(&uses.uses, |one| [one.name.clone()]).into_iter().map(|(tool, uses)| (tool, sum(&uses))).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["lone", "tool_0", "tool_1"]);
    let (first, second, lone) = (&found["tool_0"], &found["tool_1"], &found["lone"]);
    assert_eq!((first.calls, first.judged, first.failures), (3, 3, 1));
    assert_eq!((first.manual.calls, first.manual.p50_us, first.gap.calls), (1, Some(SECOND), 2));
    assert_eq!((second.calls, second.failures, second.gap.p95_us), (3, 1, Some(9 * SECOND)));
    assert_eq!(second.rules, [("error_key".to_owned(), 1)]);
    assert_eq!((lone.calls, lone.failures, lone.manual.calls, lone.gap.calls), (1, 0, 1, 0));
    let turn = calls[1].cost.as_ref().unwrap().amount.0;
    assert_eq!((first.turn_cost.0, first.sessions), (turn * 3, 1));
    let other = bed.store.create_org("other").await.unwrap();
    assert!(bed.store.tool_uses(other, &Filter::ALL, Window::default()).await.unwrap().uses.is_empty());
    let early = Window { from: None, to: Some(Micros(T0)) };
    assert_eq!(bed.store.tool_uses(ORG, &Filter::ALL, early).await.unwrap().uses.len(), 2);
}

pub async fn retention_takes_what_tools_said(bed: Bed) {
    let calls = agent("a", 6, &Tags::default());
    bed.write(&calls[..5]).await;
    let id = session_of(&bed, &calls[0]).await.unwrap();
    let tools = async || bed.store.session_tools(ORG, &id, (100, None)).await.unwrap();
    let said = |tools: &[trailgate::model::pairing::Paired]| {
        let arguments = tools.iter().filter(|tool| !tool.call.arguments.is_empty()).count();
        (arguments, tools.iter().filter(|tool| tool.preview().is_some_and(|text| !text.is_empty())).count())
    };
    assert_eq!((tools().await.len(), said(&tools().await)), (10, (10, 8)));
    // The bodies of the first three calls go, and with them what was kept of them elsewhere.
    bed.store.delete_bodies_before(ORG, calls[3].started_at).await.unwrap();
    assert_eq!((tools().await.len(), said(&tools().await)), (10, (4, 4)));
    assert_eq!(tools().await[2].verdict(), Some((false, "error_key")), "what was judged stays");
    bed.store.delete_calls_before(ORG, calls[3].started_at).await.unwrap();
    assert_eq!(tools().await.len(), 4);
    // States that are old are forgotten: nothing can continue them.
    bed.store.delete_states_before(ORG, calls[3].started_at).await.unwrap();
    let again = chat(
        100,
        Tags::default(),
        &[],
        &json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Solve the task of a, please."}]}),
        &json!({"role": "assistant", "content": "Fine."}),
    );
    bed.write(&[calls[5].clone(), again.clone()]).await;
    assert_eq!(session_of(&bed, &calls[5]).await.as_ref(), Some(&id), "what is kept is continued");
    assert_eq!(session_of(&bed, &again).await, None);
    bed.store.delete_states_before(ORG, Micros(i64::MAX)).await.unwrap();
    let on = json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": "Solve the task of a, please."}, {"role": "assistant", "content": "Fine."},
        {"role": "user", "content": "More."}]});
    let on = chat(200, Tags::default(), &[], &on, &json!({"role": "assistant", "content": "No."}));
    bed.write(std::slice::from_ref(&on)).await;
    assert_eq!((session_of(&bed, &on).await, session_of(&bed, &again).await), (None, None), "forgotten");
}
