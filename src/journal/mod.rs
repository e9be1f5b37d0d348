//! The journal: an append-only log of segments that makes a record durable before anybody is told that it is kept.
#![allow(unused_variables, clippy::todo, clippy::unused_async, missing_docs)] // skeleton

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

/// What a frame is. The journal does not look inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    Begin = 1,
    Request = 2,
    End = 3,
    Posted = 4,
    Gap = 5,
}

/// A frame to append: a small JSON head and the raw bytes of a body, in the chunks in which they came.
pub struct Frame {
    pub kind: FrameKind,
    /// The record that it belongs to.
    pub record: Uuid,
    pub org: Uuid,
    pub head: Vec<u8>,
    pub body: Vec<Bytes>,
    /// Whatever must live until the frame is written (a memory charge); dropped then.
    pub hold: Option<Box<dyn Send>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledgement means: on disk (`fdatasync`).
    Durable,
    /// An acknowledgement means: handed to the operating system; survives kill -9, not a power cut.
    Fast,
}

#[derive(Clone, Debug)]
pub struct JournalOptions {
    pub dir: PathBuf,
    pub durability: Durability,
    pub segment_bytes: u64,
    pub group_bytes: usize,
    pub max_bytes: u64,
}

#[derive(Debug, thiserror::Error, Clone)]
pub enum JournalError {
    #[error("another process uses the journal in {0}")]
    Locked(PathBuf),
    #[error("the journal is full")]
    Full,
    #[error("the journal cannot write: {0}")]
    Io(Arc<std::io::Error>),
    #[error("the journal is closed")]
    Closed,
}

/// The writing side. Cheap to clone.
#[derive(Clone)]
pub struct Journal {}

impl Journal {
    /// Never waits. The receipt resolves when the frame is as safe as `durability` asks, or could not be written.
    pub fn append(&self, frame: Frame) -> Receipt {
        todo!()
    }
    /// Like `append`, for frames whose fate interests nobody.
    pub fn append_unwatched(&self, frame: Frame) {
        todo!()
    }
    /// The position behind the last frame that was handed to `append` so far.
    pub fn tail(&self) -> u64 {
        todo!()
    }
}

pub struct Receipt {}

impl Receipt {
    pub async fn wait(self) -> Result<(), JournalError> {
        todo!()
    }
}
