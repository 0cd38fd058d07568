//! Files that only their owner may read, in folders that only their owner may enter. As ssh does, a file that
//! others may read is refused.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use settings::files;
use zeroize::Zeroizing;

/// Longer than a command needs to fetch a token, including retries.
const LOCK: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The content of a file, or `None` if it does not exist.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => refuse_readable(path, &metadata.with_context(|| unreadable(path))?)?,
    }
    files::read_secret_text(path).map(Some).with_context(|| unreadable(path))
}

/// Writes a temporary file and renames it, so that no reader sees a partial file.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let unwritten = || format!("cannot write {}", path.display());
    let folder = path.parent().with_context(unwritten)?;
    create_folder(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".latchkey-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .with_context(unwritten)?;
    file.write_all(text.as_bytes()).with_context(unwritten)?;
    file.as_file().sync_all().with_context(unwritten)?;
    file.persist(path).with_context(unwritten)?;
    Ok(())
}

pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Waits for the lock of this file. The lock is released when the returned file is dropped. Use a separate
/// file, because replacing a file would lose its lock.
pub(super) fn lock(path: &Path) -> anyhow::Result<File> {
    create_folder(path.parent().unwrap_or(path))?;
    let unlocked = || format!("cannot lock {}", path.display());
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    let file = file.with_context(unlocked)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK => sleep(LOOK_AGAIN),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another process has locked {} for {} s. Stop that process",
                    path.display(),
                    LOCK.as_secs()
                )
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(unlocked),
        }
    }
}

/// Creates a folder that only its owner may enter. An existing folder must be private, too.
fn create_folder(folder: &Path) -> anyhow::Result<()> {
    let uncreated = || format!("cannot create {}", folder.display());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(uncreated)?;
    refuse_readable(folder, &fs::metadata(folder).with_context(uncreated)?)
}

fn refuse_readable(path: &Path, metadata: &fs::Metadata) -> anyhow::Result<()> {
    if metadata.mode() & 0o077 != 0 {
        let (path, mode) = (path.display(), metadata.mode() & 0o7777);
        bail!("other users can read {path} (mode {mode:04o}). Run `chmod go-rwx '{path}'`");
    }
    Ok(())
}

fn unreadable(path: &Path) -> String {
    format!("cannot read {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_to_their_owner() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/file");
        assert!(read(&path).unwrap().is_none());
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_str(), "two");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let refused = read(&path).unwrap_err().to_string();
        assert!(refused.contains("mode 0640") && refused.contains("chmod go-rwx"), "{refused}");
        fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
        assert!(write(&path, "three").unwrap_err().to_string().contains("mode 0755"));
        remove(&path).unwrap();
        remove(&path).unwrap();
    }

    #[test]
    fn lock_is_exclusive() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x/file.lock");
        let first = lock(&path).unwrap();
        assert!(matches!(File::open(&path).unwrap().try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        lock(&path).unwrap();
    }
}
