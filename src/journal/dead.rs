//! `dead/`: parcels of records that neither the store nor its table of dead letters took. Whoever finds the database in a
//! better state moves them there; nothing is deleted before.
//!
//! The folder may be read while the journal is open in another process: a file is whole once it can be unpacked.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

use super::fs::{Fs, write_all_at};
use super::parcel::unpack;
use super::reader::Entry;

const FOLDER: &str = "dead";

/// The folder beside the segments.
#[derive(Clone, Debug)]
pub struct DeadFolder(PathBuf);

impl DeadFolder {
    /// That of the journal in `dir`; need not be there.
    pub fn of(dir: &Path) -> Self {
        Self(dir.join(FOLDER))
    }

    /// All parcels in it. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be read; one that is absent is empty.
    pub fn list(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
        paths.sort();
        Ok(paths)
    }

    /// The frames of one of its files. Blocks.
    ///
    /// # Errors
    /// When it cannot be read, or holds no whole frame.
    pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
        unpack(&Bytes::from(std::fs::read(path)?))
    }

    /// Deletes a file whose frames are safe elsewhere; one that is gone already is no fault. Blocks.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn remove(path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes a parcel to `dead/` of the journal in `dir`, durably. Once it returns, the record is safe there.
pub(super) fn bury(fs: &dyn Fs, dir: &Path, record: Uuid, parcel: &[u8]) -> io::Result<()> {
    let folder = dir.join(FOLDER);
    fs.create_dir(&folder)?;
    let path = folder.join(format!("{}.seg", record.simple()));
    // A file of that name is from a try that failed half-way, or from before a crash: it holds nothing else.
    match fs.remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = fs.create(&path)?;
    write_all_at(file.as_ref(), parcel, 0)?;
    file.sync_data()?;
    fs.sync_dir(&folder)
}
