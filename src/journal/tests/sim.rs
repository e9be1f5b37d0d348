//! A disk in memory that fails on demand, fills up, and forgets on a power cut what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::journal::fs::{DirLock, Fs, SegmentFile, Space};
use crate::journal::hold;

/// Instead of an error's number: the operation panics.
pub(super) const PANIC: i32 = -1;

#[derive(Default)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    /// A sync failed: the pages count as clean, later syncs succeed and bring nothing to disk.
    dropped: bool,
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<PathBuf, Arc<Mutex<Inode>>>,
    /// The directory as it is on disk.
    durable: BTreeMap<PathBuf, Arc<Mutex<Inode>>>,
    /// How many files were made.
    created: usize,
    locks: BTreeSet<PathBuf>,
    ops: usize,
    /// First operation, how many, the error.
    fail: Option<(usize, usize, i32)>,
    /// Before which operation to keep what a power cut would leave; and that.
    cut_at: Option<usize>,
    was_cut: Option<Sim>,
    capacity: Option<usize>,
    /// What files of others take.
    taken: usize,
    short_writes: bool,
    syncs_lie: bool,
    /// The process has no descriptor left: nothing can be opened.
    no_descriptors: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Sim(Arc<Mutex<Disk>>);

impl Sim {
    /// The operation of that number, counted from the first that changes the disk, fails with an error of the system.
    pub(crate) fn fail_at(&self, op: usize, errno: i32) {
        self.fail_from(op, 1, errno);
    }
    /// A byte of a file rots.
    pub(super) fn damage(&self, path: &Path, at: usize) {
        let file = self.inode(path).unwrap();
        hold(&file).data[at] ^= 1;
    }
    /// The same for so many operations in a row.
    pub(crate) fn fail_from(&self, op: usize, times: usize, errno: i32) {
        hold(&self.0).fail = Some((op, times, errno));
    }
    /// Files of others take so many bytes of the capacity.
    pub(crate) fn take(&self, bytes: usize) {
        hold(&self.0).taken = bytes;
    }
    pub(super) fn created(&self) -> usize {
        hold(&self.0).created
    }
    pub(crate) fn ops(&self) -> usize {
        hold(&self.0).ops
    }
    pub(crate) fn capacity(&self, bytes: Option<usize>) {
        hold(&self.0).capacity = bytes;
    }
    pub(crate) fn no_descriptors(&self, lacking: bool) {
        hold(&self.0).no_descriptors = lacking;
    }
    pub(crate) fn short_writes(&self) {
        hold(&self.0).short_writes = true;
    }
    pub(crate) fn syncs_lie(&self) {
        hold(&self.0).syncs_lie = true;
    }
    pub(crate) fn used(&self) -> usize {
        hold(&self.0).files.values().map(|f| hold(f).data.len()).sum()
    }
    /// The bytes of each file, by name.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        hold(&self.0).files.iter().map(|(path, f)| (path.clone(), hold(f).data.clone())).collect()
    }
    pub(crate) fn with_files(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let sim = Self::default();
        for (path, data) in files {
            let inode = Inode { data: data.clone(), durable: data.clone(), dropped: false };
            let inode = Arc::new(Mutex::new(inode));
            hold(&sim.0).files.insert(path.clone(), Arc::clone(&inode));
            hold(&sim.0).durable.insert(path.clone(), inode);
        }
        sim
    }
    /// What another process finds after kill -9.
    pub(crate) fn killed(&self) -> Self {
        Self::with_files(&self.files())
    }
    /// What a machine finds after a power cut; the first `torn` bytes that were written to each file since its last sync made
    /// it, too.
    pub(crate) fn power_cut(&self, torn: usize) -> Self {
        self.cut(|changed| (changed.start, changed.end.min(changed.start + torn)))
    }
    /// The same where the last `torn` bytes made it and those before them did not: pages reach a disk in any order.
    pub(super) fn power_cut_backwards(&self, torn: usize) -> Self {
        self.cut(|changed| (changed.start.max(changed.end.saturating_sub(torn)), changed.end))
    }

    /// Keeps what a power cut just before the operation of that number would leave.
    pub(super) fn cut_at(&self, op: usize) {
        hold(&self.0).cut_at = Some(op);
    }
    pub(super) fn was_cut(&self) -> Option<Self> {
        hold(&self.0).was_cut.clone()
    }

    fn cut(&self, reached: impl Fn(Range<usize>) -> (usize, usize)) -> Self {
        let disk = hold(&self.0);
        let after = disk.durable.iter().map(|(path, inode)| {
            let inode = hold(inode);
            let mut data = inode.durable.clone();
            if !inode.dropped {
                let same = |at: &usize| data.get(*at) == inode.data.get(*at);
                let start = (0..inode.data.len()).find(|at| !same(at)).unwrap_or(inode.data.len());
                let end = (start..inode.data.len()).rev().find(|at| !same(at)).map_or(start, |at| at + 1);
                let (from, to) = reached(start..end);
                if from < to {
                    data.resize(data.len().max(to), 0);
                    data[from..to].copy_from_slice(&inode.data[from..to]);
                }
            }
            (path.clone(), data)
        });
        Self::with_files(&after.collect())
    }

    fn step(&self) -> io::Result<()> {
        let mut disk = hold(&self.0);
        let op = disk.ops;
        disk.ops += 1;
        if disk.cut_at == Some(op) {
            drop(disk);
            let left = self.power_cut(0);
            disk = hold(&self.0);
            disk.was_cut = Some(left);
        }
        match disk.fail {
            Some((at, _, PANIC)) if at == op => {
                drop(disk);
                panic!("a defect in the writer");
            }
            Some((at, times, errno)) if (at..at + times).contains(&op) => Err(io::Error::from_raw_os_error(errno)),
            _ => Ok(()),
        }
    }

    fn inode(&self, path: &Path) -> io::Result<Arc<Mutex<Inode>>> {
        hold(&self.0).files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Lock(Sim, PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        hold(&self.0.0).locks.remove(&self.1);
    }
}

impl Fs for Sim {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn lock(&self, path: &Path) -> io::Result<Option<DirLock>> {
        let new = hold(&self.0).locks.insert(path.to_owned());
        Ok(new.then(|| Box::new(Lock(self.clone(), path.to_owned())) as DirLock))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let disk = hold(&self.0);
        let inside = disk.files.iter().filter(|(path, _)| path.parent() == Some(dir));
        Ok(inside
            .map(|(path, f)| (path.file_name().unwrap().to_str().unwrap().to_owned(), hold(f).data.len() as u64))
            .collect())
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.step()?;
        if self.inode(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = Arc::new(Mutex::new(Inode::default()));
        let mut disk = hold(&self.0);
        disk.created += 1;
        disk.files.insert(path.to_owned(), Arc::clone(&inode));
        Ok(Box::new(SimFile(self.clone(), inode)))
    }
    fn reopen(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.step()?;
        Ok(Box::new(SimFile(self.clone(), self.inode(path)?)))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        if hold(&self.0).no_descriptors {
            return Err(rustix::io::Errno::MFILE.into());
        }
        Ok(Box::new(SimFile(self.clone(), self.inode(path)?)))
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.step()?;
        let inode = self.inode(path)?;
        let mut inode = hold(&inode);
        inode.data.truncate(len as usize);
        inode.durable.truncate(len as usize);
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = hold(&self.0);
        disk.durable.remove(path);
        disk.files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = hold(&self.0);
        let inode = disk.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        // On disk it has its old name until the directory is synced.
        disk.files.insert(to.to_owned(), inode);
        Ok(())
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step()?;
        let mut disk = hold(&self.0);
        let here = disk.files.iter().filter(|(path, _)| path.parent() == Some(dir));
        let here: Vec<_> = here.map(|(path, inode)| (path.clone(), Arc::clone(inode))).collect();
        disk.durable.retain(|path, _| path.parent() != Some(dir));
        disk.durable.extend(here);
        Ok(())
    }
    fn allocate(&self, _: &Path, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn space(&self, _: &Path) -> io::Result<Space> {
        let used = self.used();
        let disk = hold(&self.0);
        let total = disk.capacity.map_or(1 << 40, |c| c as u64);
        Ok(Space { total, free: total.saturating_sub((used + disk.taken) as u64) })
    }
}

struct SimFile(Sim, Arc<Mutex<Inode>>);

impl SegmentFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let inode = hold(&self.1);
        let from = inode.data.get(offset as usize..).unwrap_or_default();
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        Ok(n)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let failed = self.0.step().err();
        let used = self.0.used();
        let (room, short) = {
            let disk = hold(&self.0.0);
            (disk.capacity.map_or(usize::MAX, |c| c.saturating_sub(used + disk.taken)), disk.short_writes)
        };
        // Only what makes the file longer needs room.
        let within = hold(&self.1).data.len().saturating_sub(offset as usize);
        let mut n = buf.len().min(within.saturating_add(room));
        if short || failed.is_some() {
            n = n.min(buf.len().div_ceil(2));
        }
        let mut inode = hold(&self.1);
        let end = offset as usize + n;
        if inode.data.len() < end {
            inode.data.resize(end, 0);
        }
        inode.data[offset as usize..end].copy_from_slice(&buf[..n]);
        match failed {
            Some(error) => Err(error),
            None if n == 0 => Err(io::Error::from_raw_os_error(28)),
            None => Ok(n),
        }
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.step()?;
        hold(&self.1).data.truncate(len as usize);
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        let failed = self.0.step();
        let lies = hold(&self.0.0).syncs_lie;
        let mut inode = hold(&self.1);
        if failed.is_err() {
            inode.dropped = true;
        } else if !lies && !inode.dropped {
            inode.durable = inode.data.clone();
        }
        failed
    }
}
