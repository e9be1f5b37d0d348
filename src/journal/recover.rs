//! Opening a journal that an earlier process left: lists the segments, cuts the last one's dirty end, goes on behind it.
//!
//! Only headers and the last segment are read here, so the time does not grow with the backlog. Nothing is deleted but
//! bytes behind the last whole frame and spare files; a segment whose header cannot be read is kept aside as `*.bad`.

use std::path::Path;

use super::catalog::{Catalog, Segment, file_name, parse_name};
use super::frame::{SEGMENT_HEADER, SegmentHeader};
use super::fs::{DirLock, Fs, read_full_at};
use super::reader::{Found, Scan};
use super::{JournalError, JournalOptions, spare};

pub(super) struct Recovered {
    pub(super) lock: DirLock,
    pub(super) catalog: Catalog,
    pub(super) next_seq: u64,
    /// First sequence of the last segment and the one behind its last frame; zeros if there is none.
    pub(super) last: (u64, u64),
    pub(super) bytes_cut: u64,
    pub(super) segments_aside: u64,
}

struct Listed {
    first: u64,
    len: u64,
    header: SegmentHeader,
}

pub(super) fn recover(fs: &dyn Fs, options: &JournalOptions) -> Result<Recovered, JournalError> {
    let dir = options.dir.as_path();
    fs.create_dir(dir)?;
    let lock = fs.lock(&dir.join("lock"))?.ok_or_else(|| JournalError::Locked(options.dir.clone()))?;
    let mut found =
        Recovered { lock, catalog: Catalog::default(), next_seq: 1, last: (0, 0), bytes_cut: 0, segments_aside: 0 };
    let mut listed = Vec::new();
    let mut names = Vec::new();
    for (name, len) in fs.list(dir)? {
        if Path::new(&name).extension().is_some_and(|end| end == spare::EXTENSION) {
            fs.remove(&dir.join(&name))?;
            continue;
        }
        let stem = name.strip_suffix(".bad").unwrap_or(&name);
        let Some(first) = parse_name(stem) else { continue };
        found.next_seq = found.next_seq.max(first.saturating_add(1));
        if stem.len() == name.len() {
            names.push((first, len));
        }
    }
    names.sort_unstable();
    for (first, len) in names {
        match read_header(fs, dir, first)? {
            Some(header) => listed.push(Listed { first, len, header }),
            None if len <= SEGMENT_HEADER => {
                found.bytes_cut += len;
                fs.remove(&dir.join(file_name(first)))?;
            }
            None => {
                tracing::error!(segment = first, bytes = len, "journal.segment.header_damaged");
                found.segments_aside += 1;
                let path = dir.join(file_name(first));
                fs.rename(&path, &path.with_extension("bad"))?;
            }
        }
    }
    let previous: Vec<(u64, u64)> = listed.iter().skip(1).map(|next| next.header.previous).collect();
    for (index, segment) in listed.iter().enumerate() {
        match previous.get(index) {
            // The one that the next names may be gone by now; then the end of this one is not known yet.
            Some((first, end)) => add_sealed(&mut found, segment, Some(*end).filter(|_| *first == segment.first)),
            None => add_last(fs, dir, &mut found, segment)?,
        }
    }
    Ok(found)
}

fn read_header(fs: &dyn Fs, dir: &Path, first: u64) -> Result<Option<SegmentHeader>, JournalError> {
    let file = fs.open(&dir.join(file_name(first)))?;
    let bytes = read_full_at(file.as_ref(), usize::try_from(SEGMENT_HEADER).unwrap_or(usize::MAX), 0)?;
    Ok(SegmentHeader::parse(&bytes).filter(|header| header.first == first))
}

fn add_sealed(found: &mut Recovered, listed: &Listed, end: Option<u64>) {
    let salts = listed.header.salts;
    found.next_seq = found.next_seq.max(end.unwrap_or(0));
    found.catalog.insert(listed.first, Segment::sealed(listed.len, salts, end));
}

fn add_last(fs: &dyn Fs, dir: &Path, found: &mut Recovered, listed: &Listed) -> Result<(), JournalError> {
    let path = dir.join(file_name(listed.first));
    let mut scan = Scan::new(fs.open(&path)?, listed.header.salts);
    let mut good = SEGMENT_HEADER;
    let mut end = listed.first;
    let mut unsynced_from = listed.first;
    loop {
        match scan.next(listed.len)? {
            Found::Frame { header, .. } => {
                good = scan.at();
                unsynced_from = unsynced_from.max(header.synced_before().unwrap_or(0));
                end = header.seq.saturating_add(1);
            }
            Found::Damage => {}
            Found::End => break,
        }
    }
    found.next_seq = found.next_seq.max(end);
    // Behind the last frame of one that was written over another stands what is left of that one.
    let dirty = if listed.header.reused { 0 } else { listed.len.saturating_sub(good) };
    found.bytes_cut += dirty;
    if end == listed.first {
        fs.remove(&path)?;
        return Ok(());
    }
    if good < listed.len {
        if dirty > 0 {
            tracing::warn!(segment = listed.first, bytes = dirty, "journal.tail.cut");
        }
        fs.truncate(&path, good)?;
    }
    let salts = listed.header.salts;
    found.last = (listed.first, end);
    // Where a file is written over, a power cut may leave a hole in what was not synced. A file that grew has none there, and
    // what an earlier version wrote does not say what was synced.
    let unsynced_from = listed.header.reused.then_some(unsynced_from);
    found.catalog.insert(listed.first, Segment { unsynced_from, ..Segment::sealed(good, salts, Some(end)) });
    Ok(())
}
