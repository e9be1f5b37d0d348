//! A client that drives the gateway and keeps books: of each call, under an id of its own, whether it was accepted (the
//! last byte, or 2xx for a manual log), refused, or unknown because the connection broke.
//!
//! Every second proxied call is a stream; every `log_every`-th call is a manual log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::caller::{Answer, Caller, Ended};

/// What the books say.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub accepted: BTreeSet<Uuid>,
    /// Those of them that are manual logs.
    pub logs: BTreeSet<Uuid>,
    /// Proxied calls that were served but, as their answer says, not recorded.
    pub unlogged: BTreeSet<Uuid>,
    /// Manual logs that were answered with something other than 2xx, by status.
    pub refused: BTreeMap<u16, BTreeSet<Uuid>>,
    pub unknown: BTreeSet<Uuid>,
    /// No connection came about.
    pub unsent: usize,
    /// Proxied calls that the gateway failed, or that did not bring the provider's answer.
    pub failed: Vec<String>,
    pub proxied: usize,
    /// Proxied calls without pauses: when they began and how long they took to the last byte.
    pub times: Vec<(Instant, Duration)>,
}

impl Ledger {
    /// What 99 of 100 calls took at most that began between two instants, in milliseconds.
    pub fn p99_ms(&self, from: Instant, to: Instant) -> f64 {
        let mut all: Vec<Duration> =
            self.times.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, took)| *took).collect();
        all.sort_unstable();
        let rank = (all.len() * 99).div_ceil(100);
        all.get(rank.saturating_sub(1)).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }

    pub fn refusals(&self) -> usize {
        self.refused.values().map(BTreeSet::len).sum()
    }
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many a second, whether earlier ones are over or not.
    Rate(f64),
    /// So many at a time, each connection one call after another.
    Concurrency(usize),
}

/// The load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub pace: Pace,
    /// Events of a stream and the pause between two.
    pub stream: (u32, Duration),
    /// Every so many-th call is a manual log; 0: none.
    pub log_every: u64,
    /// Bytes of filling in each request.
    pub filling: usize,
}

impl Load {
    pub fn rate(per_second: f64) -> Self {
        Self { pace: Pace::Rate(per_second), stream: (8, Duration::from_millis(285)), log_every: 5, filling: 2_500 }
    }

    pub fn concurrency(calls: usize) -> Self {
        Self { pace: Pace::Concurrency(calls), stream: (4, Duration::from_millis(1)), log_every: 5, filling: 300 }
    }
}

/// Where the gateway is at present; it moves when it is started again.
#[derive(Clone)]
pub struct Target(Arc<Mutex<String>>);

impl Target {
    pub fn new(url: &str) -> Self {
        Self(Arc::new(Mutex::new(url.to_owned())))
    }

    pub fn set(&self, url: &str) {
        url.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn url(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A load that is running; ends when it is dropped.
pub struct Running {
    books: Arc<Mutex<Ledger>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    pub fn start(load: Load, target: &Target) -> Self {
        let books = Arc::new(Mutex::new(Ledger::default()));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let driver = Driver { load, target: target.clone(), books: Arc::clone(&books), stopped };
        match load.pace {
            Pace::Rate(per_second) => {
                tasks.spawn(driver.open(per_second));
            }
            Pace::Concurrency(calls) => {
                for first in 0..calls {
                    tasks.spawn(driver.clone().closed(first as u64));
                }
            }
        }
        Self { books, stop, tasks }
    }

    /// The books as they stand.
    pub fn books(&self) -> MutexGuard<'_, Ledger> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins no more calls, lets those under way end, and closes the books.
    pub async fn stop(mut self) -> Ledger {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        std::mem::take(&mut *self.books())
    }
}

#[derive(Clone)]
struct Driver {
    load: Load,
    target: Target,
    books: Arc<Mutex<Ledger>>,
    stopped: watch::Receiver<bool>,
}

impl Driver {
    async fn closed(self, first: u64) {
        let mut caller = Caller::default();
        let mut n = first;
        while !*self.stopped.borrow() {
            n += 1;
            if !self.one(&mut caller, n).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    async fn open(self, per_second: f64) {
        let idle = Arc::new(Mutex::new(Vec::<Caller>::new()));
        let mut under_way = JoinSet::new();
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
        let mut n = 0;
        while !*self.stopped.borrow() {
            ticks.tick().await;
            n += 1;
            let (driver, idle) = (self.clone(), Arc::clone(&idle));
            under_way.spawn(async move {
                let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut caller = free.unwrap_or_default();
                driver.one(&mut caller, n).await;
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(caller);
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
    }

    /// One call; false if there is no gateway at present.
    async fn one(&self, caller: &mut Caller, n: u64) -> bool {
        let id = Uuid::now_v7();
        let is_log = self.load.log_every > 0 && n.is_multiple_of(self.load.log_every);
        let is_stream = !is_log && n.is_multiple_of(2);
        let filling = "x".repeat(self.load.filling);
        let request = if is_log { log(id, &filling) } else { self.proxied(id, is_stream, &filling) };
        let began = Instant::now();
        let ended = caller.call(&self.target.url(), &request).await;
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.proxied += usize::from(!is_log && !matches!(ended, Ended::Unsent));
        match ended {
            Ended::Unsent => {
                books.unsent += 1;
                return false;
            }
            Ended::Broken { .. } => {
                books.unknown.insert(id);
                return false;
            }
            Ended::Whole(answer) if is_log => {
                if (200..300).contains(&answer.status) {
                    books.accepted.insert(id);
                    books.logs.insert(id);
                } else {
                    books.refused.entry(answer.status).or_default().insert(id);
                }
            }
            Ended::Whole(answer) => {
                if answer.is_ours() || answer.status != 200 {
                    books.failed.push(format!("{id}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)));
                    return true;
                }
                if is_unlogged(&answer) {
                    books.unlogged.insert(id);
                } else {
                    books.accepted.insert(id);
                }
                if !is_stream {
                    books.times.push((began, answer.whole));
                }
            }
        }
        true
    }

    fn proxied(&self, id: Uuid, is_stream: bool, filling: &str) -> Vec<u8> {
        let body = format!(
            r#"{{"model":"gpt-4o","stream":{is_stream},"messages":[{{"role":"user","content":"{filling}"}}]}}"#
        );
        let (pieces, pause) = self.load.stream;
        let wish = if is_stream { format!("x-mill: {pieces},{}\r\n", pause.as_millis()) } else { String::new() };
        post("/v1/chat/completions", id, &wish, &body)
    }
}

/// A whole manual log.
pub fn log(id: Uuid, filling: &str) -> Vec<u8> {
    let body = format!(
        concat!(
            r#"{{"providerRequest":{{"url":"custom-model-nopath","json":{{"prompt":"{}"}},"meta":{{}}}},"#,
            r#""providerResponse":{{"json":{{"answer":1}},"status":200,"headers":{{}}}},"#,
            r#""timing":{{"startTime":{{"seconds":1700000000,"milliseconds":0}},"endTime":{{"seconds":1700000001,"milliseconds":0}}}}}}"#
        ),
        filling
    );
    post("/custom/v1/log", id, "", &body)
}

/// A whole POST; the gateway gets the id as the request's, the upstream as `x-ledger`.
pub fn post(path: &str, id: Uuid, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nHelicone-Request-Id: {id}\r\n\
         x-ledger: {id}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Whether the answer says that the call is not recorded.
pub fn is_unlogged(answer: &Answer) -> bool {
    answer.header("trailgate-logged") == Some("false")
}
