//! Ingest: the one road from an edge to the store. Edges submit captures; the journal keeps them; the drain reads them
//! back, has them understood, writes them to the store, tells `live`, and gives the journal its space back.
#![allow(unused_variables, clippy::todo, clippy::unused_async, missing_docs)] // skeleton

pub mod enrich;

use bytes::Bytes;

use crate::journal::{JournalError, Receipt};
use crate::model::capture::{Begin, End, Posted, RequestBody};
use crate::model::id::OrgId;

/// Memory that captured bytes may take between the wire and the disk, over all calls.
#[derive(Clone)]
pub struct Budget {}

/// A part of the budget, given back on drop.
pub struct Charge {}

impl Budget {
    pub fn new(bytes: usize) -> Self {
        todo!()
    }
    /// `None` if that much is not left. Never waits.
    pub fn take(&self, bytes: usize) -> Option<Charge> {
        todo!()
    }
    pub fn used(&self) -> usize {
        todo!()
    }
}

impl Charge {
    /// Grows by `bytes`; false (and unchanged) if that much is not left.
    pub fn grow(&mut self, bytes: usize) -> bool {
        todo!()
    }
}

/// The edges' handle. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {}

impl Ingest {
    pub fn budget(&self) -> &Budget {
        todo!()
    }
    /// The call began; `body` is the request body when `begin.request` is set. Nobody waits for it.
    pub fn begin(&self, begin: &Begin, body: Vec<Bytes>, charge: Option<Charge>) {
        todo!()
    }
    pub fn request(&self, org: OrgId, request: &RequestBody, body: Vec<Bytes>, charge: Option<Charge>) {
        todo!()
    }
    /// The call ended. The receipt says when that is kept.
    pub fn end(&self, org: OrgId, end: &End, body: Vec<Bytes>, charge: Option<Charge>) -> Receipt {
        todo!()
    }
    /// A manual log; returns when it is kept.
    pub async fn log(&self, posted: &Posted, body: Bytes) -> Result<(), JournalError> {
        todo!()
    }
    /// Waits until everything submitted before this call is in the store, at most for `limit`. True if it is.
    pub async fn settled(&self, limit: std::time::Duration) -> bool {
        todo!()
    }
}
