//! The memory that captured bytes may take between the wire and the disk. This bounds the journal's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Account {
    limit: usize,
    used: AtomicUsize,
}

impl Account {
    fn take(&self, bytes: usize) -> bool {
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .is_ok()
    }
}

/// Memory that captured bytes may take between the wire and the disk, over all calls. Cheap to clone.
#[derive(Clone)]
pub struct Budget(Arc<Account>);

/// A part of the budget, given back on drop.
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Account { limit: bytes, used: AtomicUsize::new(0) }))
    }

    /// `None` if that much is not left. Never waits.
    pub fn take(&self, bytes: usize) -> Option<Charge> {
        self.0.take(bytes).then(|| Charge { account: Arc::clone(&self.0), bytes })
    }

    /// Bytes that are charged now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Acquire)
    }
}

impl Charge {
    /// Grows by `bytes`; false (and unchanged) if that much is not left.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let more = self.account.take(bytes);
        if more {
            self.bytes += bytes;
        }
        more
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_grows_to_the_limit_and_comes_back() {
        let budget = Budget::new(100);
        let mut charge = budget.take(60).unwrap();
        assert!(budget.take(41).is_none());
        assert!(!charge.grow(41));
        assert!(charge.grow(40));
        assert!(!charge.grow(usize::MAX));
        assert_eq!(budget.used(), 100);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }
}
