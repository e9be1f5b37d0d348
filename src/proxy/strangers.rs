//! Calls of nobody: keys are needed and none was right. They are put on record, too, but whoever sends many of them must not
//! fill the journal with it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many of them are put on record in each [`SPAN`].
const MOST: u32 = 1_000;
const SPAN: Duration = Duration::from_secs(60);

/// How many there were.
pub struct Strangers(Mutex<(Instant, u32)>);

impl Strangers {
    pub fn new() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }

    /// Counts one more; whether it is put on record.
    pub fn admit(&self) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0.elapsed() >= SPAN {
            *seen = (Instant::now(), 0);
        }
        seen.1 = seen.1.saturating_add(1);
        seen.1 <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_span_are_put_on_record() {
        let strangers = Strangers::new();
        assert_eq!((0..2 * MOST).filter(|_| strangers.admit()).count(), 1_000);
        strangers.0.lock().unwrap().0 -= SPAN;
        assert!(strangers.admit());
    }
}
