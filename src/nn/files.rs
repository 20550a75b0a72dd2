//! # nn/files: write beside, then rename
//!
//! **In:** a path and what to write there. **Out:** the new file, complete, or the old one, untouched: never half of either.
//! **Above:** weights ([`state`](crate::nn::state)), downloads ([`datasets`](crate::nn::datasets)), pictures (the examples).
//! **Below:** the operating system.
//!
//! Laws:
//! 1. Whoever opens the path sees the old content or all of the new one, whatever happens in between (an error, a panic, a full
//!    disk, a power cut): `rename` swaps the two in one step, and it runs only once the new bytes are on the disk.
//! 2. An attempt that fails removes what it wrote beside. (A process that is killed can't; it leaves a `.teenygrad-….tmp`, which
//!    nothing ever reads.)
//! 3. Only regular files are replaced. Renaming something over `/dev/null` would break the machine for everyone on it.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces the file at `path` by `bytes`, or leaves it as it was.
///
/// # Errors
/// If the folder doesn't exist or can't be written to, if the disk is full, or if `path` is something else than a regular file.
/// ```
/// let folder = std::env::temp_dir();
/// let path = folder.join(format!("teenygrad-doc-{}.txt", std::process::id()));
/// teenygrad::nn::files::write(&path, b"new")?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"new");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), teenygrad::Error>(())
/// ```
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// The same for content that is made piece by piece: `fill` writes it; an error of `fill` leaves the old file as it was.
///
/// # Errors
/// As [`write()`], and whatever `fill` returns.
pub fn write_with(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    let attempt = || -> io::Result<()> {
        let target = target_of(path)?;
        // "weights.safetensors" has the parent "", which no system call takes for the current folder.
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        let mut beside = Beside::create(folder)?;
        let mut buffered = BufWriter::new(beside.file()?);
        fill(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        if let Ok(old) = fs::metadata(&target) {
            fs::set_permissions(&beside.path, old.permissions())?;
        }
        beside.become_file(&target)?;
        // The new name itself is data of the folder. Not every file system lets a folder be synced, and the file is complete
        // either way, so that a refusal is no failure.
        #[cfg(unix)]
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    };
    attempt().map_err(|source| {
        let hint = match source.kind() {
            io::ErrorKind::NotFound => "does the folder exist?",
            io::ErrorKind::PermissionDenied => "is the folder writable?",
            _ => "",
        };
        Error::io(path, source).with_hint(hint)
    })
}

/// The file that is to be replaced: `path`, or what it points to, so that a symbolic link stays one.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    let target = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => fs::canonicalize(path)?,
        Ok(_) => path.to_path_buf(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    match fs::metadata(&target) {
        Ok(meta) if !meta.is_file() => {
            let what = if meta.is_dir() {
                "a folder"
            } else {
                "a device or a pipe"
            };
            let message = format!("expected a regular file, or none yet, found {what}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
        Ok(_) | Err(_) => Ok(target),
    }
}

/// A file that is being written beside its target, and that vanishes with its owner unless it became the target.
struct Beside {
    path: PathBuf,
    file: Option<File>,
    renamed: bool,
}

impl Beside {
    /// A new file in `folder`: in the same folder, because a rename across file systems would be a copy, which can be cut short.
    fn create(folder: &Path) -> io::Result<Beside> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            // A name of its own, not the target's with something added: that could be longer than names may be.
            let path = folder.join(format!(".teenygrad-{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Beside {
                        path,
                        file: Some(file),
                        renamed: false,
                    });
                }
                // Left by a killed process that had the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::other("the file is closed"))
    }

    /// Waits until the bytes are on the disk, closes the file (Windows renames no open ones) and gives it its name.
    fn become_file(&mut self, target: &Path) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.renamed {
            self.file = None;
            // Nobody is left to tell; the file is litter, not damage.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_and_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"one, and long").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names_in(folder.path()), ["a"]);
    }

    #[test]
    fn an_attempt_that_fails_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |file| {
            file.write_all(&[7; 100_000])?; // more than the buffer: some of it is on the disk
            Err(io::Error::other("the source ran dry"))
        });
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("the source ran dry")
        );
        let panicked = std::panic::catch_unwind(|| write_with(&path, |_| panic!("in the middle")));
        assert!(panicked.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["a"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = write(folder.path().join("no/such/a"), b"")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("no/such/a") && message.contains("does the folder exist?"),
            "{message}"
        );
        let message = write(folder.path(), b"").unwrap_err().to_string();
        assert!(message.contains("found a folder"), "{message}");
    }

    #[test]
    #[cfg(unix)]
    fn links_stay_links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        write(&real, b"old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_device_is_never_replaced() {
        let message = write("/dev/null", b"x").unwrap_err().to_string();
        assert!(message.contains("found a device or a pipe"), "{message}");
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
