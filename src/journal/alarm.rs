//! Rings when the writer thread died of a panic: a journal that takes frames and writes none must not go unnoticed.

use tokio_util::sync::CancellationToken;

/// Held by the writer thread; rings when it is dropped by a panic.
pub(super) struct Alarm(CancellationToken);

impl Alarm {
    pub(super) fn new(bell: CancellationToken) -> Self {
        Self(bell)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("journal.writer.panicked");
            self.0.cancel();
        }
    }
}
