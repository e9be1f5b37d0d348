//! The segment that is written to: made, made over a spent one, and cut to what it holds.

use std::io;

use super::catalog::file_name;
use super::frame::{SEGMENT_HEADER, Salts, SegmentHeader};
use super::fs::{SegmentFile, write_all_at};
use super::{Shared, count};

pub(super) struct Current {
    pub(super) file: Box<dyn SegmentFile>,
    pub(super) first: u64,
    pub(super) salts: Salts,
    /// Behind the last frame that was written whole.
    pub(super) len: u64,
    /// Where the file ends: what is between is an earlier segment's.
    pub(super) file_len: u64,
}

impl Current {
    /// A segment in a file of its own.
    pub(super) fn create(shared: &Shared, header: SegmentHeader) -> io::Result<Self> {
        let file = shared.fs.create(&shared.options.dir.join(file_name(header.first)))?;
        write_all_at(file.as_ref(), &header.to_bytes(), 0)?;
        file.sync_data()?;
        shared.fs.sync_dir(&shared.options.dir)?;
        Ok(Self::new(file, header, SEGMENT_HEADER))
    }

    /// A segment in the file of a spent one, if there is one. It has salts of its own, whatever the header says.
    pub(super) fn over_spare(shared: &Shared, header: SegmentHeader) -> Option<Self> {
        let spare = shared.take_spare()?;
        let path = shared.options.dir.join(file_name(header.first));
        let header = SegmentHeader { salts: Salts::random(), reused: true, ..header };
        let done = shared.fs.reopen(&spare.path).and_then(|file| {
            write_all_at(file.as_ref(), &header.to_bytes(), 0)?;
            file.sync_data()?;
            // Only now, so that no file has this name and another's header.
            shared.fs.rename(&spare.path, &path)?;
            shared.fs.sync_dir(&shared.options.dir)?;
            Ok(file)
        });
        match done {
            Ok(file) => Some(Self::new(file, header, spare.len)),
            Err(error) => {
                count(&shared.counters.errors, 1);
                tracing::warn!(%error, "journal.spare.not_used");
                // It has one of the two names.
                shared.fs.remove(&spare.path).or_else(|_| shared.fs.remove(&path)).ok();
                None
            }
        }
    }

    fn new(file: Box<dyn SegmentFile>, header: SegmentHeader, file_len: u64) -> Self {
        Self { file, first: header.first, salts: header.salts, len: SEGMENT_HEADER, file_len }
    }

    /// Takes off what an earlier segment left behind the frames of this one: a reader of a closed segment goes to the end of
    /// its file. Whether nothing stands there now.
    pub(super) fn cut(&self, shared: &Shared) -> bool {
        if self.file_len <= self.len {
            return true;
        }
        let done = self.file.set_len(self.len).and_then(|()| self.file.sync_data());
        if let Err(error) = &done {
            count(&shared.counters.errors, 1);
            tracing::warn!(%error, segment = self.first, "journal.segment.not_cut");
        }
        done.is_ok()
    }
}
