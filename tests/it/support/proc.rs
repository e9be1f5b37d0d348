//! What Linux tells of a process: memory, open files, processor time.

use std::time::{Duration, Instant};

/// Resident memory in bytes.
pub fn rss(pid: u32) -> u64 {
    status(pid, "VmRSS:").unwrap_or(0) * 1024
}

/// Threads.
pub fn threads(pid: u32) -> u64 {
    status(pid, "Threads:").unwrap_or(0)
}

/// Open file descriptors.
pub fn files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// How many files a process may open at most, once it asks for it.
pub fn most_files(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    line.split_whitespace().nth(4).and_then(|hard| hard.parse().ok()).unwrap_or(0)
}

/// Processor time used so far, user and system.
pub fn cpu(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = |n: usize| after_name.split_whitespace().nth(n).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    // Fields 14 and 15 of the line, in hundredths of a second on every Linux.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// Whether the process is there (and no zombie).
pub fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|text| !text.contains(") Z "))
}

/// The share of one processor that a process takes over a while.
pub async fn cpu_share(pid: u32, pause: Duration) -> f64 {
    let (began, before) = (Instant::now(), cpu(pid));
    tokio::time::sleep(pause).await;
    (cpu(pid).saturating_sub(before)).as_secs_f64() / began.elapsed().as_secs_f64()
}

fn status(pid: u32, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// Watches the highest resident memory of a process until it is dropped or asked.
pub struct Watch {
    highest: std::sync::Arc<std::sync::atomic::AtomicU64>,
    _tasks: tokio::task::JoinSet<()>,
}

impl Watch {
    pub fn start(pid: u32) -> Self {
        let highest = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(rss(pid)));
        let seen = std::sync::Arc::clone(&highest);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            loop {
                seen.fetch_max(rss(pid), std::sync::atomic::Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { highest, _tasks: tasks }
    }

    pub fn highest(&self) -> u64 {
        self.highest.load(std::sync::atomic::Ordering::Relaxed)
    }
}
