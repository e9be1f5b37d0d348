//! How full the journal is: what it takes against what it may take, in four steps that the edges go by.
//!
//! It may take its quota, or what the disk has left above a floor, whichever is less. A step up is seen with the group that
//! makes it, a step down when the writer looks at the disk, once a second; so is that a disk takes writes again.
//! Reading the step costs the edges one atomic load.
//!
//! A file of some megabytes is held in reserve. It is given up only when a journal closes on a full disk: what must be
//! said then (what was not kept, how calls ended) goes where it was.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rand::Rng as _;
use tokio::sync::watch;

use super::fs::{Fs, Space, write_all_at};
use super::{JournalOptions, Shared, count, hold};

/// How often the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 1_000 });
/// A reserve that could not be made is tried again after this.
const RESERVE_AGAIN: Duration = Duration::from_secs(60);
/// Without a quota: a fifth of the disk, at most 10 GB.
const QUOTA_SHARE: u64 = 5;
const QUOTA_MOST: u64 = 10 << 30;
/// The floor is never more than this share of a small disk.
const FLOOR_SHARE: u64 = 20;
/// The reserve is never more than this share of the quota.
const RESERVE_SHARE: u64 = 16;
/// A segment is never more than this share of the quota, so that space comes back before the quota is used up.
const SEGMENT_SHARE: u64 = 8;
const SEGMENT_LEAST: u64 = 64 << 10;
/// What a disk must take before a journal that could not write counts as writable again.
const PROBE_BYTES: usize = 64 << 10;

/// The steps up, in thousandths.
const WARNING: u32 = 700;
const SHEDDING: u32 = 850;
const FULL: u32 = 950;
/// How far below a step the fill must be before the step is left.
const SLACK: u32 = 30;

const RESERVE: &str = "reserve";
const PROBE: &str = "probe";

/// How full the journal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Step {
    #[default]
    Normal = 0,
    /// Over 70 %: an operator should know.
    Warning = 1,
    /// Over 85 %: bodies of proxied calls are not kept.
    Shedding = 2,
    /// Over 95 %, or the disk takes no writes: new calls are not put on record.
    Full = 3,
}

impl Step {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Shedding => "shedding",
            Self::Full => "full",
        }
    }

    fn at(fill: u32) -> Self {
        match fill {
            FULL.. => Self::Full,
            SHEDDING.. => Self::Shedding,
            WARNING.. => Self::Warning,
            _ => Self::Normal,
        }
    }

    /// The step at this fill, coming from another: up at once, down only well below.
    fn next(self, fill: u32) -> Self {
        let up = Self::at(fill);
        if up >= self { up } else { Self::at(fill.saturating_add(SLACK)).min(self) }
    }

    const fn from_u8(n: u8) -> Self {
        match n {
            0 => Self::Normal,
            1 => Self::Warning,
            2 => Self::Shedding,
            _ => Self::Full,
        }
    }
}

/// What everybody may know of the space.
pub(super) struct Level {
    step: AtomicU8,
    /// Thousandths.
    fill: AtomicU32,
    /// The last write failed for want of space, or the disk does not work.
    cannot_write: AtomicBool,
    /// The reserve is on disk.
    reserve: Mutex<bool>,
    /// The reserve was given up: the quota ends later by as much.
    reserve_spent: AtomicBool,
    pub(super) steps: watch::Sender<Step>,
}

impl Level {
    pub(super) fn new() -> Self {
        Self {
            step: AtomicU8::new(0),
            fill: AtomicU32::new(0),
            cannot_write: AtomicBool::new(false),
            reserve: Mutex::new(false),
            reserve_spent: AtomicBool::new(false),
            steps: watch::channel(Step::Normal).0,
        }
    }

    pub(super) fn step(&self) -> Step {
        Step::from_u8(self.step.load(Ordering::Relaxed))
    }

    pub(super) fn fill(&self) -> u32 {
        self.fill.load(Ordering::Relaxed)
    }

    pub(super) fn cannot_write(&self) -> bool {
        self.cannot_write.load(Ordering::Relaxed)
    }

    pub(super) fn reserve_is_spent(&self) -> bool {
        self.reserve_spent.load(Ordering::Relaxed)
    }
}

/// Puts numbers where the options leave them to the disk, and keeps them in proportion on a small one.
pub(super) fn fit(options: &mut JournalOptions, disk: Option<Space>) {
    let total = disk.map_or(u64::MAX, |disk| disk.total);
    if options.max_bytes == 0 {
        options.max_bytes = (total / QUOTA_SHARE).clamp(1 << 20, QUOTA_MOST);
    }
    options.min_free_bytes = options.min_free_bytes.min(total / FLOOR_SHARE);
    options.reserve_bytes = options.reserve_bytes.min(options.max_bytes / RESERVE_SHARE);
    options.segment_bytes = options.segment_bytes.min((options.max_bytes / SEGMENT_SHARE).max(SEGMENT_LEAST));
}

/// The writer's own view: when it last looked, and what the journal may come to take.
pub(super) struct Gauge {
    next_look: Instant,
    capacity: u64,
    free: u64,
    /// When to see to the reserve; never again once it is there.
    reserve_at: Option<Instant>,
}

impl Gauge {
    pub(super) fn new(shared: &Shared) -> Self {
        let now = Instant::now();
        Self { next_look: now, capacity: shared.options.max_bytes, free: u64::MAX, reserve_at: Some(now) }
    }

    pub(super) fn next_look(&self) -> Instant {
        self.next_look
    }

    pub(super) fn is_due(&self) -> bool {
        self.next_look <= Instant::now()
    }

    /// Looks at the disk; the only place where a step is left downwards.
    pub(super) fn look(&mut self, shared: &Shared, used: u64) {
        self.next_look = Instant::now() + LOOK_EVERY;
        // A file system that cannot say is taken at the quota's word.
        self.free = shared.fs.space(&shared.options.dir).map_or(u64::MAX, |space| space.free);
        let above_floor = self.free.saturating_sub(shared.options.min_free_bytes);
        self.capacity = shared.options.max_bytes.min(used.saturating_add(above_floor));
        if shared.level.cannot_write() && above_floor >= PROBE_BYTES as u64 && probe(shared).is_ok() {
            shared.level.cannot_write.store(false, Ordering::Relaxed);
        }
        let fill = self.fill(used);
        self.set(shared, shared.level.step().next(fill), fill);
        if shared.level.step() <= Step::Warning && above_floor > shared.options.reserve_bytes {
            self.reserve(shared);
        }
    }

    /// The journal has grown to `used`.
    pub(super) fn grown(&self, shared: &Shared, used: u64) {
        let fill = self.fill(used);
        let step = shared.level.step();
        self.set(shared, step.next(fill).max(step), fill);
    }

    /// The disk did not take a write. Until it takes one again nothing new is put on record.
    pub(super) fn failed(&self, shared: &Shared) {
        shared.level.cannot_write.store(true, Ordering::Relaxed);
        self.set(shared, Step::Full, shared.level.fill());
    }

    fn fill(&self, used: u64) -> u32 {
        if self.capacity == 0 {
            return 1_000;
        }
        let thousandths = u128::from(used) * 1_000 / u128::from(self.capacity);
        u32::try_from(thousandths).unwrap_or(u32::MAX).min(1_000)
    }

    fn set(&self, shared: &Shared, step: Step, fill: u32) {
        let level = &shared.level;
        let step = if level.cannot_write() { Step::Full } else { step };
        level.fill.store(fill, Ordering::Relaxed);
        let before = Step::from_u8(level.step.swap(step as u8, Ordering::Relaxed));
        if before == step {
            return;
        }
        let (percent, free) = (fill / 10, self.free);
        let cannot_write = level.cannot_write();
        if step > before {
            tracing::warn!(step = step.as_str(), percent, free_bytes = free, cannot_write, "journal.fuller");
        } else {
            tracing::info!(step = step.as_str(), percent, free_bytes = free, "journal.emptier");
        }
        level.steps.send_replace(step);
    }

    /// Sees to it that the reserve is there.
    fn reserve(&mut self, shared: &Shared) {
        let due = self.reserve_at.is_some_and(|at| at <= Instant::now());
        if !due || shared.options.reserve_bytes == 0 || shared.level.reserve_is_spent() {
            return;
        }
        let mut there = hold(&shared.level.reserve);
        match make_reserve(shared) {
            Ok(()) => {
                *there = true;
                self.reserve_at = None;
            }
            Err(error) => {
                count(&shared.counters.errors, 1);
                tracing::warn!(%error, "journal.reserve.not_made");
                self.reserve_at = Some(Instant::now() + RESERVE_AGAIN);
            }
        }
    }
}

fn make_reserve(shared: &Shared) -> io::Result<()> {
    let dir = &shared.options.dir;
    let wanted = shared.options.reserve_bytes;
    let path = dir.join(RESERVE);
    let mut files = shared.fs.list(dir)?.into_iter();
    if let Some((_, len)) = files.find(|(name, _)| name == RESERVE) {
        if len >= wanted {
            return Ok(());
        }
        shared.fs.remove(&path)?;
    }
    let made = match shared.fs.allocate(&path, wanted) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            shared.fs.remove(&path).ok();
            write_noise(shared.fs.as_ref(), &path, wanted)
        }
        made => made,
    };
    made.and_then(|()| shared.fs.sync_dir(dir)).inspect_err(|_| drop(shared.fs.remove(&path)))
}

/// Real bytes that no file system can leave out or shrink.
fn write_noise(fs: &dyn Fs, path: &std::path::Path, len: u64) -> io::Result<()> {
    let file = fs.create(path)?;
    let mut block = vec![0; PROBE_BYTES];
    let mut at = 0;
    while at < len {
        rand::rng().fill_bytes(&mut block);
        let part = usize::try_from(len - at).unwrap_or(usize::MAX).min(block.len());
        write_all_at(file.as_ref(), block.get(..part).unwrap_or_default(), at)?;
        at += part as u64;
    }
    file.sync_data()
}

/// Whether the disk takes a write and a sync.
fn probe(shared: &Shared) -> io::Result<()> {
    let path = shared.options.dir.join(PROBE);
    // One from a process that ended in between.
    shared.fs.remove(&path).ok();
    let done = write_noise(shared.fs.as_ref(), &path, PROBE_BYTES as u64);
    let removed = shared.fs.remove(&path);
    done.and(removed)
}

/// Gives the reserve up for what must be written now. The next start makes it anew.
pub(super) fn spend_reserve(shared: &Shared) {
    let mut there = hold(&shared.level.reserve);
    if shared.level.reserve_spent.swap(true, Ordering::Relaxed) || !std::mem::take(&mut *there) {
        return;
    }
    if let Err(error) = shared.fs.remove(&shared.options.dir.join(RESERVE)) {
        tracing::warn!(%error, "journal.reserve.not_given_up");
    }
}
