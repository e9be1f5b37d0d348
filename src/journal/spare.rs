//! Files of spent segments, kept for the next segments to be written over them.
//!
//! Where a write goes into blocks that its file has already, the file system changes nothing but the content, and a sync takes
//! about half as long (`docs/adr/0008-segments-written-over.md`). Spares are kept only while the journal is written to and has
//! room: when its last frame is dealt with, nothing of any call stays on the disk.
//!
//! Invariant: what a file held before never passes for what it holds now, because a segment that is written over another has
//! salts of its own.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::catalog::SpentSegment;
use super::{Shared, Step, count, hold};

/// One is filled while the one before is read.
const MOST: usize = 2;
/// Of their names: `<first sequence of what they held>.spare`.
pub(super) const EXTENSION: &str = "spare";

pub(super) struct Spare {
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<Spare>>);

impl Shared {
    /// Keeps the file of a spent segment that is not damaged, if one is wanted. `false`: it is still where it was. Blocks.
    pub(super) fn keep_spare(&self, segment: &SpentSegment, path: &Path) -> bool {
        if !segment.filled || !self.wants_spare(&hold(&self.spares.0)) {
            return false;
        }
        let spare = Spare { path: path.with_extension(EXTENSION), len: segment.len };
        if self.fs.rename(path, &spare.path).is_err() {
            return false;
        }
        // Before it gets another header: found under its old name, it would pass for a damaged segment.
        let renamed = self.fs.sync_dir(&self.options.dir);
        let mut spares = hold(&self.spares.0);
        // Meanwhile the last segment may have been closed, and the spares dropped.
        if renamed.is_ok() && self.wants_spare(&spares) {
            spares.push(spare);
        } else {
            drop(spares);
            self.remove_spare(&spare);
        }
        true
    }

    fn wants_spare(&self, spares: &[Spare]) -> bool {
        spares.len() < MOST && self.level.step() == Step::Normal && hold(&self.catalog).is_written()
    }

    pub(super) fn take_spare(&self) -> Option<Spare> {
        hold(&self.spares.0).pop()
    }

    pub(super) fn drop_spares(&self) {
        let spares = std::mem::take(&mut *hold(&self.spares.0));
        spares.iter().for_each(|spare| self.remove_spare(spare));
    }

    fn remove_spare(&self, spare: &Spare) {
        if let Err(error) = self.fs.remove(&spare.path) {
            count(&self.counters.errors, 1);
            tracing::warn!(%error, "journal.spare.not_removed");
        }
    }
}
