//! Power cuts: everything that the gateway keeps is on an ext4 image; the gateway is stopped, the image is copied as the
//! disk holds it at that moment, and the gateway goes on from the copy as if the machine had just been switched on.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::disk::Disk;

/// A disk whose power can be cut.
pub struct Power {
    folder: TempDir,
    image: PathBuf,
    disk: Option<Disk>,
    cuts: usize,
}

impl Power {
    /// A fresh ext4 of so many megabytes. `None` where this user may not mount.
    pub fn on(megabytes: u64) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("trailgate-power-").tempdir().expect("a temporary folder");
        let image = folder.path().join("disk-0");
        std::fs::File::create_new(&image).expect("an image file").set_len(megabytes << 20).expect("a sparse file");
        run(Command::new("mkfs.ext4").arg("-q").arg(&image));
        let disk = Disk::image(&image)?;
        Some(Self { folder, image, disk: Some(disk), cuts: 0 })
    }

    /// Where the data goes.
    pub fn data_dir(&self) -> PathBuf {
        self.disk.as_ref().expect("a mounted disk").path().join("data")
    }

    /// Copies what the disk holds. The gateway must not run at this moment.
    ///
    /// The kernel may write back behind our back while we copy, which no power cut does: only a copy that is the same as
    /// the one made right after it counts.
    pub fn snapshot(&mut self) -> PathBuf {
        self.cuts += 1;
        let (first, second) =
            (self.folder.path().join(format!("disk-{}", self.cuts)), self.folder.path().join("again"));
        for _ in 0..50 {
            copy(&self.image, &first);
            copy(&self.image, &second);
            let same = Command::new("cmp").arg("-s").arg(&first).arg(&second).status().is_ok_and(|done| done.success());
            if same {
                std::fs::remove_file(&second).ok();
                return first;
            }
        }
        panic!("the disk never held still");
    }

    /// Goes on with a copy that [`Self::snapshot`] made. The old disk is gone; nothing may have files open there.
    pub fn swap(&mut self, image: PathBuf) {
        self.disk = None;
        std::fs::remove_file(&self.image).ok();
        self.disk = Some(Disk::image(&image).expect("the copy can be mounted: the file system mends itself"));
        self.image = image;
    }
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("--sparse=always").arg(from).arg(to));
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program that is there");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
