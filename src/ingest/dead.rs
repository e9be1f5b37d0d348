//! Dead letters: from frames that cannot be stored to letters, and from letters back to rows.
//!
//! A letter is tried again with the code of today: what was refused for a defect of an earlier version goes in with a later
//! one, on the same idempotent road as any record.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::Understand;
use super::capture::Parts;
use super::intake::exchange;
use crate::journal::{DeadFolder, Entry, FrameKind, Position, pack, unpack};
use crate::live::Live;
use crate::model::dead_letter::{DeadLetter, LetterKind};
use crate::model::exchange::Exchange;
use crate::model::id::{OrgId, RecordId, RequestId};
use crate::model::units::Micros;
use crate::store::{Store, StoreError};

const UNKNOWN_KIND: &str = "it has frames of a kind that this version does not know";
const UNREADABLE: &str = "its frames cannot be read as a record";
const FOUND: &str = "it was found in the journal's folder of dead records";

/// Frames to put aside.
pub(super) struct Dead {
    pub(super) positions: Vec<Position>,
    /// `None`: they could not be read as a record.
    pub(super) reason: Option<String>,
}

/// One letter a record.
pub(super) fn letters(entries: &[Entry], reason: Option<&str>) -> Vec<DeadLetter> {
    let mut records: BTreeMap<(Uuid, Uuid), Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        records.entry((entry.org, entry.record)).or_default().push(entry.clone());
    }
    records.into_values().filter_map(|entries| letter(&entries, reason)).collect()
}

fn letter(entries: &[Entry], reason: Option<&str>) -> Option<DeadLetter> {
    let first = entries.first()?;
    let has = |kind| entries.iter().any(|entry| entry.kind == kind);
    let kind = if has(None) {
        LetterKind::Unknown
    } else if has(Some(FrameKind::Posted)) {
        LetterKind::Log
    } else {
        LetterKind::Call
    };
    let unread = if kind == LetterKind::Unknown { UNKNOWN_KIND } else { UNREADABLE };
    Some(DeadLetter {
        org: OrgId(first.org),
        record: RecordId(first.record),
        at: Micros::now(),
        kind,
        reason: reason.unwrap_or(unread).to_owned(),
        frames: Bytes::from(pack(entries)),
    })
}

/// What became of a letter that was tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is a row now; the letter is gone.
    Stored(RequestId),
    /// The store has this record already; the letter stays until it is dropped.
    Known,
    /// Its frames still cannot be read; it stays.
    Unreadable(String),
    /// The store still refuses it; it stays.
    Refused(String),
}

/// Tries letters again, and brings those in the journal's folder to the store. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    store: Store,
    understand: Understand,
    live: Live,
}

impl DeadLetters {
    pub fn new(store: Store, understand: Understand, live: Live) -> Self {
        Self { store, understand, live }
    }

    /// Tries a letter again; `None` if the organisation has none of that record.
    ///
    /// # Errors
    /// When the store is away; the letter stays.
    pub async fn retry(&self, org: OrgId, record: RecordId) -> Result<Option<Retried>, StoreError> {
        let Some(frames) = self.store.dead_letter(org, record).await? else { return Ok(None) };
        let understand = Arc::clone(&self.understand);
        let read = tokio::task::spawn_blocking(move || row(&understand, &frames, org, record));
        let row = match read.await.unwrap_or_else(|_| Err(UNREADABLE.to_owned())) {
            Ok(row) => row,
            Err(reason) => return Ok(Some(Retried::Unreadable(reason))),
        };
        Ok(Some(match self.store.writer().await?.release(&row).await {
            Ok(written) => {
                self.live.publish(&written);
                written.new.first().map_or(Retried::Known, |(_, id)| Retried::Stored(*id))
            }
            Err(error @ (StoreError::Rejected(_) | StoreError::Internal(_))) => Retried::Refused(error.reason()),
            Err(error) => return Err(error),
        }))
    }

    /// Moves what is in the folder to the store; the number of records. Another process may do the same meanwhile.
    ///
    /// # Errors
    /// When the store does not take one; it and the rest stay where they are.
    pub async fn import(&self, folder: DeadFolder) -> Result<usize, StoreError> {
        let found = tokio::task::spawn_blocking(move || find(&folder)).await.unwrap_or_default();
        let records = found.len();
        for paths in found {
            let (read, paths) = blocking_read(paths).await;
            for letter in letters(&read, Some(FOUND)) {
                self.store.put_dead_letter(&letter).await?;
            }
            let removed =
                tokio::task::spawn_blocking(move || paths.iter().try_for_each(|path| DeadFolder::remove(path)));
            if let Ok(Err(error)) = removed.await {
                tracing::warn!(%error, "dead.file.not_removed");
            }
        }
        Ok(records)
    }
}

/// The files of each record. A file that is not whole yet, or not any more, stays where it is.
fn find(folder: &DeadFolder) -> Vec<Vec<PathBuf>> {
    let paths = folder.list().unwrap_or_else(|error| {
        tracing::warn!(%error, "dead.folder.unreadable");
        Vec::new()
    });
    let mut records: BTreeMap<Uuid, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        match DeadFolder::read(&path).as_deref() {
            Ok([entry, ..]) => records.entry(entry.record).or_default().push(path),
            Ok([]) => {}
            Err(error) => tracing::warn!(%error, path = %path.display(), "dead.file.unreadable"),
        }
    }
    records.into_values().collect()
}

/// The frames of these files, and those of the files that could be read.
async fn blocking_read(paths: Vec<PathBuf>) -> (Vec<Entry>, Vec<PathBuf>) {
    let read = tokio::task::spawn_blocking(move || {
        let (mut entries, mut whole) = (Vec::new(), Vec::new());
        for path in paths {
            if let Ok(mut frames) = DeadFolder::read(&path) {
                entries.append(&mut frames);
                whole.push(path);
            }
        }
        (entries, whole)
    });
    read.await.unwrap_or_default()
}

fn row(understand: &Understand, frames: &Bytes, org: OrgId, record: RecordId) -> Result<Exchange, String> {
    let mut parts = Parts::default();
    for entry in unpack(frames).map_err(|error| error.to_string())? {
        let slot = match entry.kind {
            Some(FrameKind::Begin) => &mut parts.begin,
            Some(FrameKind::Request) => &mut parts.request,
            Some(FrameKind::End | FrameKind::Posted) => &mut parts.last,
            Some(FrameKind::Gap) => continue,
            None => return Err(UNKNOWN_KIND.to_owned()),
        };
        *slot = Some(entry);
    }
    let row = exchange(understand, &parts).map_err(|_| UNREADABLE.to_owned())?;
    // The letter's owner is in its frames' headers, the row's in their heads: a frame never moves to another tenant.
    if (row.org, row.record) == (org, record) { Ok(row) } else { Err(UNREADABLE.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fallback::plain;
    use super::*;
    use crate::journal::{Durability, Frame, Journal, JournalOptions};
    use crate::store::StoreOptions;

    #[tokio::test]
    async fn what_lies_in_the_folder_comes_to_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("t.db").display());
        let options = StoreOptions { url, max_read_connections: 1, statement_timeout: Duration::from_secs(10) };
        let store = Store::open(&options).await.unwrap();
        let journal_dir = dir.path().join("journal");
        let options = JournalOptions {
            dir: journal_dir.clone(),
            durability: Durability::Durable,
            segment_bytes: 1 << 20,
            group_bytes: 1 << 16,
            max_bytes: 1 << 30,
            min_free_bytes: 0,
            reserve_bytes: 0,
        };
        let (journal, mut reader) = Journal::open(options).unwrap();
        let record = RecordId::generate();
        let (head, body) = (b"no head of ours".to_vec(), vec![Bytes::from_static(b"a body")]);
        let frame = Frame { kind: FrameKind::End, record: record.0, org: OrgId::DEFAULT.0, head, body, hold: None };
        journal.append(frame).wait().await.unwrap();
        let mut entries = Vec::new();
        reader.read(crate::journal::Limits { frames: 10, bytes: 1 << 20 }, &mut entries).unwrap();
        journal.bury(record.0, &pack(&entries)).unwrap();
        let folder = DeadFolder::of(&journal_dir);
        std::fs::write(journal_dir.join("dead/half.seg"), b"half of a file").unwrap();

        let letters = DeadLetters::new(store.clone(), Arc::new(plain), Live::new(1));
        assert!(letters.import(folder.clone()).await.is_err(), "there is no table yet");
        assert_eq!(folder.list().unwrap().len(), 2, "so nothing was deleted");
        store.migrate().await.unwrap();
        assert_eq!(letters.import(folder.clone()).await.unwrap(), 1);
        assert_eq!(letters.import(folder.clone()).await.unwrap(), 0);
        assert_eq!(folder.list().unwrap().len(), 1, "what is not whole stays");
        let kept = store.dead_letter(OrgId::DEFAULT, record).await.unwrap().unwrap();
        assert_eq!(unpack(&kept).unwrap()[0].body, "a body".as_bytes());
        let retried = letters.retry(OrgId::DEFAULT, record).await.unwrap();
        assert_eq!(retried, Some(Retried::Unreadable(UNREADABLE.to_owned())));
        assert_eq!(letters.retry(OrgId::generate(), record).await.unwrap(), None, "another tenant's");
    }
}
