//! A row of the table: what was done, what was counted, whether it holds. The long forms write it to `docs/FAULTS.md`, in
//! its place if it is there already, failed or not.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::support::app::{Backend, Gateway, root};
use crate::support::audit::Audit;
use crate::support::ledger::Ledger;

/// Whether this is the long form.
pub fn long() -> bool {
    std::env::var("TRAILGATE_FAULTS").is_ok_and(|form| form == "long")
}

/// The short form's or the long form's number.
pub fn pick<T>(short: T, long_form: T) -> T {
    if long() { long_form } else { short }
}

/// Long forms run one at a time: they load the machine, and they measure. Of short ones each two, which mostly wait.
pub async fn turn() -> SemaphorePermit<'static> {
    static TURN: Semaphore = Semaphore::const_new(2);
    TURN.acquire_many(pick(1, 2)).await.expect("the semaphore is never closed")
}

/// Seed of what is random in a row; printed, and taken from `TRAILGATE_FAULTS_SEED` to repeat.
pub fn seed() -> u64 {
    let seed = std::env::var("TRAILGATE_FAULTS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(rand::random);
    println!("TRAILGATE_FAULTS_SEED={seed}");
    seed
}

/// A row in the making.
pub struct Row {
    test: &'static str,
    fault: &'static str,
    backend: Backend,
    figure: String,
    done: String,
    accepted: String,
    lost: String,
    duplicates: String,
    back: String,
    measured: Vec<String>,
    faults: Vec<String>,
    /// The end of what the gateway printed, shown where something did not hold.
    said: String,
    began: Instant,
    ended: bool,
    written: bool,
}

impl Row {
    pub fn new(test: &'static str, backend: Backend, fault: &'static str, figure: impl Into<String>) -> Self {
        let dash = || "–".to_owned();
        Self {
            test,
            fault,
            backend,
            figure: figure.into(),
            done: String::new(),
            accepted: dash(),
            lost: dash(),
            duplicates: dash(),
            back: dash(),
            measured: Vec::new(),
            faults: Vec::new(),
            said: String::new(),
            began: Instant::now(),
            ended: false,
            written: false,
        }
    }

    /// What was done, how often.
    pub fn done(&mut self, text: impl Into<String>) {
        self.done = text.into();
    }

    /// Holds the database against the books: nothing lost, nothing twice, nothing told wrongly.
    pub fn audit(&mut self, audit: &Audit, ledger: &Ledger) {
        let (lost, twice, untrue) = (audit.missing(&ledger.accepted), audit.duplicates(), audit.untrue(ledger));
        self.accepted = ledger.accepted.len().to_string();
        self.lost = lost.len().to_string();
        self.duplicates = twice.to_string();
        self.holds("nothing accepted is lost", lost.is_empty(), format!("{lost:.5?}"));
        self.holds("no row is there twice", twice == 0, twice);
        self.holds("accepted calls are told as complete", untrue == 0, untrue);
    }

    /// For rows that keep no ledger.
    pub fn counted(&mut self, accepted: usize, lost: usize) {
        self.accepted = accepted.to_string();
        self.lost = lost.to_string();
        self.holds("nothing is lost", lost == 0, lost);
    }

    /// How long it took until all was well again, and the figure for it (the long form's).
    pub fn back(&mut self, what: &str, took: Duration, limit: Duration) {
        self.back = seconds(took);
        self.holds(&format!("{what} within {}", seconds(limit)), !long() || took <= limit, seconds(took));
    }

    /// A figure that only the long form insists on: the short one runs beside other tests, and does not optimise.
    pub fn at_most(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        self.measured.push(format!("{what} {value:.1} {unit}"));
        if !long() {
            return;
        }
        // A value that is no number holds nothing.
        let holds = value <= limit;
        self.holds(&format!("{what} at most {limit} {unit}"), holds, format!("{value:.2}"));
    }

    pub fn measured(&mut self, text: impl Into<String>) {
        self.measured.push(text.into());
    }

    pub fn holds(&mut self, what: &str, holds: bool, but: impl Display) {
        if !holds {
            self.faults.push(format!("{what}: {but}"));
        }
    }

    /// What the gateway printed last.
    pub fn said(&mut self, gateway: &Gateway) {
        let all = gateway.stderr();
        let lines: Vec<&str> = all.lines().collect();
        self.said = lines[lines.len().saturating_sub(25)..].join("\n");
    }

    /// This machine cannot do it: said, not passed over.
    pub fn not_run(mut self, why: &str) {
        println!("{}: not run: {why}", self.test);
        self.ended = true;
        self.write(&format!("not run: {why}"));
    }

    /// Writes the row and fails the test if anything did not hold.
    pub fn end(mut self) {
        self.ended = true;
        let result =
            if self.faults.is_empty() { "pass".to_owned() } else { format!("**FAIL** {}", self.faults.join("; ")) };
        let took = self.began.elapsed().as_secs_f64();
        println!("{}: {result}; {} ({took:.0} s)", self.test, self.measured.join(", "));
        self.write(&result);
        let faults = self.faults.join("\n");
        assert!(self.faults.is_empty(), "{}:\n{faults}\nthe gateway said last:\n{}", self.test, self.said);
    }

    fn write(&mut self, result: &str) {
        self.written = true;
        if !long() {
            return;
        }
        let store = match self.backend {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
        };
        let command = format!("`scripts/faults {}`", self.test);
        let cells = [
            self.fault,
            store,
            &self.done,
            &self.accepted,
            &self.lost,
            &self.duplicates,
            &self.back,
            &self.figure,
            &self.measured.join(", "),
            result,
            &command,
        ];
        let line = cells.map(|cell| cell.replace('|', "/").replace('\n', " ")).join(" | ");
        put(&command, &format!("| {line} |"));
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        if !self.ended && !self.written {
            self.write("**FAIL** broke off before its end");
        }
    }
}

const BEGIN: &str = "<!-- rows -->";
const END: &str = "<!-- end of rows -->";

/// Puts a line into the table, in place of the one with the same command; lines are in the order of their commands.
fn put(command: &str, line: &str) {
    let path = root().join("docs/FAULTS.md");
    let text = std::fs::read_to_string(&path).expect("docs/FAULTS.md");
    let (before, rest) = text.split_once(BEGIN).expect("a table in docs/FAULTS.md");
    let (rows, after) = rest.split_once(END).expect("the table's end in docs/FAULTS.md");
    let (head, old): (Vec<&str>, Vec<&str>) =
        rows.lines().filter(|line| !line.is_empty()).partition(|line| !line.contains("`scripts/faults "));
    let mut lines: Vec<&str> = old.into_iter().filter(|old| !old.contains(command)).chain([line]).collect();
    lines.sort_by_key(|line| line.rsplit('`').nth(1).unwrap_or_default().to_owned());
    let table = head.into_iter().chain(lines).collect::<Vec<_>>().join("\n");
    std::fs::write(&path, format!("{before}{BEGIN}\n\n{table}\n\n{END}{after}")).expect("docs/FAULTS.md is written");
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

/// Tests of rows: `name: function(Backend);`. With a reason before it a row is part of the long form only.
macro_rules! rows {
    ($($(#[$ignore:meta])? $name:ident: $function:ident($backend:ident);)*) => {$(
        $(#[$ignore])?
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _turn = crate::report::turn().await;
            let limit = std::time::Duration::from_secs(crate::report::pick(180, 3_600));
            let done = $function(stringify!($name), crate::support::app::Backend::$backend);
            assert!(tokio::time::timeout(limit, done).await.is_ok(), "no end in {limit:?}");
        }
    )*};
}
pub(crate) use rows;
