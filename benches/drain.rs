//! `cargo bench --bench drain -- [DATABASE_URL] [CALLS] [BODY_BYTES]` fills a journal with proxied calls while nothing drains
//! it, then measures how fast the drain brings that backlog to the store: what catching up after an outage costs. Without a
//! URL the store is SQLite in a temporary folder; a PostgreSQL database must be empty or of an earlier run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench ends where something is not as it should be, and prints figures"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trailgate::ingest::enrich::{EnrichContext, enrich};
use trailgate::ingest::{Budget, DrainOptions, Ingest, IngestParts, StoreSink};
use trailgate::journal::{Durability, Journal, JournalOptions};
use trailgate::live::Live;
use trailgate::model::capture::{Begin, BodyFacts, End, Outcome, WireFormat};
use trailgate::model::id::{OrgId, RecordId};
use trailgate::model::tags::{Property, Tags};
use trailgate::model::units::Micros;
use trailgate::pricing::Pricing;
use trailgate::store::{Store, StoreOptions};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    let url = arguments.next_if(|argument| argument.contains(':'));
    let calls: usize = arguments.next().map_or(50_000, |text| text.parse().unwrap());
    let body: usize = arguments.next().map_or(4_096, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = url.unwrap_or_else(|| format!("sqlite://{}", folder.path().join("trailgate.db").display()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = JournalOptions {
            dir: folder.path().join("journal"),
            durability: Durability::Fast,
            segment_bytes: 64 << 20,
            group_bytes: 1 << 20,
            max_bytes: 1 << 40,
            min_free_bytes: 0,
            reserve_bytes: 0,
        };
        let (journal, reader) = Journal::open(options).unwrap();
        let context = EnrichContext { pricing: Arc::new(Pricing::load(None).unwrap()), infer_sessions: true };
        let store = StoreOptions { url, max_read_connections: 4, statement_timeout: Duration::from_secs(30) };
        let store = Store::open(&store).await.unwrap();
        store.migrate().await.unwrap();
        let parts = IngestParts {
            journal,
            reader,
            understand: Arc::new(move |capture| enrich(capture, &context)),
            live: Live::new(16),
            budget: Budget::new(64 << 20),
            options: DrainOptions::default(),
        };
        let (ingest, drain) = Ingest::start(parts, StoreSink::new(store.clone()));
        for n in 0..calls {
            submit(&ingest, n, body);
            if n % 1_000 == 999 {
                ingest.journal().flushed().await;
            }
        }
        ingest.journal().flushed().await;
        println!("{calls} calls, {} MB of journal", ingest.journal().stats().disk_bytes >> 20);
        let started = Instant::now();
        let watch = async {
            assert!(ingest.settled(Duration::from_secs(3_600)).await);
            let took = started.elapsed();
            println!("{}: {:.0} calls/s ({took:.1?})", store.backend(), calls as f64 / took.as_secs_f64());
            ingest.close(Duration::from_secs(5)).await;
        };
        tokio::join!(drain.run(), watch);
        assert_eq!(ingest.stats().stored, calls as u64);
        store.close().await;
    });
}

/// A chat completion of about `body` bytes in all, in a session of 20 calls with two properties.
fn submit(ingest: &Ingest, n: usize, body: usize) {
    let words = "the quick brown fox jumps over the lazy dog and thinks about it ".repeat(body / 128 + 1);
    let words = words.get(..body / 2).unwrap_or(&words);
    let request = format!("{{\"model\":\"gpt-4o\",\"messages\":[{{\"role\":\"user\",\"content\":\"{n} {words}\"}}]}}");
    let answer = format!(
        "{{\"id\":\"chatcmpl-{n}\",\"object\":\"chat.completion\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{{\"index\":0,\
         \"message\":{{\"role\":\"assistant\",\"content\":\"{words}\"}},\"finish_reason\":\"stop\"}}],\
         \"usage\":{{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150}}}}"
    );
    let facts = |text: &str| BodyFacts { len: text.len() as u64, ..BodyFacts::default() };
    let property = |key: &str, value: String| Property { key: key.to_owned(), value };
    let begin = Begin {
        record: RecordId::generate(),
        org: OrgId::DEFAULT,
        key: None,
        at: Micros::now(),
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        target_url: "https://api.openai.com/v1/chat/completions".to_owned(),
        provider: "openai".to_owned(),
        format: WireFormat::Openai,
        headers: [("content-type", "application/json")].into_iter().collect(),
        tags: Tags {
            session_id: Some(format!("session-{}", n / 20)),
            session_name: Some("bench".to_owned()),
            session_path: Some("/plan".to_owned()),
            properties: vec![property("Agent-Version", "v1".to_owned()), property("Task", (n % 50).to_string())],
            ..Tags::default()
        },
        notes: Vec::new(),
        request: Some(facts(&request)),
    };
    let end = End {
        record: begin.record,
        outcome: Outcome::Complete,
        status: 200,
        duration_us: 1_000_000,
        head_us: Some(900_000),
        first_byte_us: Some(900_000),
        headers: [("content-type", "application/json")].into_iter().collect(),
        response: facts(&answer),
        error: None,
        notes: Vec::new(),
    };
    ingest.begin(&begin, vec![Bytes::from(request)], None);
    drop(ingest.end(begin.org, &end, vec![Bytes::from(answer)], None));
}
