//! Orders to `preload.c`, which is built with the system's C compiler and loaded into the gateway under test: the product
//! itself knows no switch that makes it lose data.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::app::{GatewayOptions, root};

/// What happens to syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Syncs {
    Work = 0,
    /// They say that they worked and did nothing, for every file.
    Forgotten = 1,
    Fail = 2,
    Hang = 3,
    /// Their thread ends.
    EndThread = 4,
}

/// What happens to writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Writes {
    Work = 0,
    Half = 1,
    NoSpace = 2,
    Fail = 3,
}

/// The orders of one gateway.
pub struct Preload {
    folder: TempDir,
    file: File,
}

impl Preload {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = File::create_new(folder.path().join("orders")).expect("a file for orders");
        file.set_len(4_096).expect("room for orders");
        Self { folder, file }
    }

    /// Loads it into the gateway of these options.
    pub fn loaded(&self, options: GatewayOptions) -> GatewayOptions {
        let orders = self.folder.path().join("orders");
        options.env("LD_PRELOAD", library().to_string_lossy()).env("KIT_ORDERS", orders.to_string_lossy())
    }

    /// All syncs from now on.
    pub fn syncs(&self, order: Syncs) {
        self.next_syncs(order, -1);
    }

    /// The next so many syncs of the journal.
    pub fn next_syncs(&self, order: Syncs, count: i64) {
        self.put(8, &count.to_ne_bytes());
        self.put(0, &(order as i32).to_ne_bytes());
    }

    /// The next so many writes of the journal.
    pub fn next_writes(&self, order: Writes, count: i64) {
        self.put(8, &count.to_ne_bytes());
        self.put(4, &(order as i32).to_ne_bytes());
    }

    /// The wall clock is off by so many seconds.
    pub fn clock(&self, seconds: i64) {
        let ns = i64::try_from(Duration::from_secs(seconds.unsigned_abs()).as_nanos()).expect("less than 292 years");
        self.put(16, &(ns * seconds.signum()).to_ne_bytes());
    }

    /// Operations that were failed so far.
    pub fn failed(&self) -> i64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, 24).expect("the orders can be read");
        i64::from_ne_bytes(bytes)
    }

    fn put(&self, at: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, at).expect("the orders can be written");
    }
}

/// Built once a process, beside the other things that cargo builds.
fn library() -> &'static Path {
    static BUILT: OnceLock<std::path::PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (wanted, made) = (folder.join("preload.so"), folder.join(format!("preload-{}.so", std::process::id())));
        let source = root().join("tests/it/support/preload.c");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"])
            .arg(&made)
            .arg(source)
            .args(["-ldl", "-lpthread"]);
        let done = compiler.output().expect("a C compiler");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::rename(&made, &wanted).expect("the library is put in its place");
        wanted
    })
}
