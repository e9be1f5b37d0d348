//! Small disks: a folder in memory of a fixed size, and an ext4 image on a loop device. Both need root.
//!
//! A shell that waits on a pipe from this process unmounts, so nothing stays mounted however the process ends.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// A mounted file system.
pub struct Disk {
    folder: Option<TempDir>,
    watch: Option<(Child, ChildStdin)>,
}

/// `$1`: the folder; what follows: how to mount it.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
folder=$1
shift
if "$@" "$folder" 2>&1; then echo mounted; else exit 1; fi
cat >/dev/null
umount "$folder" 2>/dev/null || umount -l "$folder"
"#;

impl Disk {
    /// So many megabytes in memory. `None` where this user may not mount.
    pub fn in_memory(megabytes: u32) -> Option<Self> {
        Self::mount(&["mount", "-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
    }

    /// The ext4 file system in `image`.
    pub fn image(image: &Path) -> Option<Self> {
        Self::mount(&["mount", "-o", "loop", image.to_str()?])
    }

    fn mount(how: &[&str]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("trailgate-disk-").tempdir().expect("a temporary folder");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "disk"]).arg(folder.path()).args(how);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        let hold = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let said: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| line != "mounted").collect();
        if !mounted(folder.path()) {
            eprintln!("{how:?} did not work: {said:?}");
            child.wait().ok();
            return None;
        }
        Some(Self { folder: Some(folder), watch: Some((child, hold)) })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.as_ref().map_or_else(PathBuf::new, |folder| folder.path().to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some((mut child, hold)) = self.watch.take() {
            drop(hold);
            child.wait().ok();
        }
        self.folder.take();
    }
}

fn mounted(path: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(1) == path.to_str())
}
