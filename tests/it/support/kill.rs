//! SIGKILL at random times under load, and the start on the same folder after each.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};

use super::app::Gateway;
use super::ledger::Target;

/// What a kill loop saw.
#[derive(Debug, Default)]
pub struct Kills {
    pub kills: usize,
    /// From the start of the process to readiness.
    pub ready: Vec<Duration>,
}

impl Kills {
    pub fn slowest_ready(&self) -> Duration {
        self.ready.iter().copied().max().unwrap_or_default()
    }
}

/// Kills and starts `gateway` until `enough` says so, after 0.2 to 2 seconds each time.
pub async fn kill_loop(
    gateway: &mut Gateway,
    target: &Target,
    seed: u64,
    mut enough: impl FnMut(usize) -> bool,
) -> Kills {
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut seen = Kills::default();
    while !enough(seen.kills) {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..2_000))).await;
        gateway.kill().await;
        seen.kills += 1;
        let began = Instant::now();
        gateway.launch().await;
        seen.ready.push(began.elapsed());
        target.set(&gateway.url);
    }
    seen
}
