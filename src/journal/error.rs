//! Why the journal cannot do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a frame is not kept, or a journal not open.
#[derive(Debug, thiserror::Error, Clone)]
pub enum JournalError {
    #[error("another process uses the journal in {0}")]
    Locked(PathBuf),
    /// The quota is used up or the disk is full. Goes away by itself when space returns.
    #[error("the journal is full")]
    Full,
    #[error("the journal cannot write: {0}")]
    Io(Arc<std::io::Error>),
    #[error("the journal is closed")]
    Closed,
}

impl From<std::io::Error> for JournalError {
    fn from(e: std::io::Error) -> Self {
        match e.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(Arc::new(e)),
        }
    }
}
