//! Reads and creates files that an operator names. Only regular files of limited size are read, and files
//! with secrets only if no other user may write them. A pipe or device is refused immediately, without
//! waiting for it.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::owner;

/// The kind of content, which determines the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// Settings. The size limit allows ten thousand tenants.
    Settings,
    /// Certificates and public keys.
    Public,
    /// A private key, a secret, a password or a token.
    Secret,
    /// A picture. Its size is checked later, with the picture.
    Image,
}

pub struct Contents {
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether every user of this machine may read the file.
    pub others_may_read: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses to open or read the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The path is a folder, a pipe, a socket or a device.
    #[error("this is {0}, not a regular file")]
    NotRegular(&'static str),
    /// The file is larger than its kind of content may be.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// Other users could replace the secret in the file.
    #[error("group or others can write to the file (its mode is {0:04o}); run `chmod go-w` on it")]
    Writable(u32),
}

impl Holds {
    const fn largest(self) -> u64 {
        match self {
            Self::Settings => 64 << 20,
            Self::Public | Self::Image => 1 << 20,
            Self::Secret => 64 << 10,
        }
    }
}

/// Reads a file. Follows links, and checks their target.
pub fn read(path: &Path, holds: Holds) -> Result<Contents, FileError> {
    // Without this flag, opening a pipe blocks until another program opens it for writing.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let metadata = file.metadata()?;
    judge(&metadata, holds)?;
    // Allocates the whole buffer first, because a vector that grows leaves copies of secrets in memory.
    let room = usize::try_from(metadata.len()).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(holds.largest() + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > holds.largest() {
        return Err(FileError::TooLarge(holds.largest()));
    }
    if holds != Holds::Image && bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(Contents { bytes, others_may_read: others_may_read(&metadata) })
}

/// Editors and shells on Windows write this mark before UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Removes the byte order mark, if there is one.
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Opens a text of any size, such as a backup, and skips its byte order mark.
pub fn open(path: &Path) -> io::Result<BufReader<File>> {
    let mut file = BufReader::new(File::open(path)?);
    skip_mark(&mut file)?;
    Ok(file)
}

/// Skips the byte order mark at the beginning of a file or of standard input.
pub fn skip_mark(file: &mut impl BufRead) -> io::Result<()> {
    if file.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        file.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// Checks the kind, size and mode of a file.
pub fn judge(metadata: &Metadata, holds: Holds) -> Result<(), FileError> {
    if !metadata.is_file() {
        return Err(FileError::NotRegular(kind(metadata)));
    }
    if holds == Holds::Secret {
        check_writers(metadata)?;
    }
    if metadata.len() > holds.largest() {
        return Err(FileError::TooLarge(holds.largest()));
    }
    Ok(())
}

/// Refuses a file or pipe that its group or others may write.
pub fn check_writers(metadata: &Metadata) -> Result<(), FileError> {
    const GROUP_OR_OTHERS_MAY_WRITE: u32 = 0o022;
    match metadata.mode() & GROUP_OR_OTHERS_MAY_WRITE {
        0 => Ok(()),
        _ => Err(FileError::Writable(metadata.mode() & 0o7777)),
    }
}

/// Whether the mode lets every user of this machine read the file.
pub fn others_may_read(metadata: &Metadata) -> bool {
    metadata.mode() & 0o004 != 0
}

/// Reads a file with a secret, for crates that do not use these types.
pub fn read_secret(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    Ok(read(path, Holds::Secret)?.bytes)
}

/// Reads a file without a secret, for crates that do not use these types.
pub fn read_public(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    Ok(read(path, Holds::Public)?.bytes)
}

pub fn read_secret_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let bytes = read_secret(path)?;
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the file is not UTF-8")),
    }
}

/// Creates a file with this mode, and the missing folders above it. The file gets its name only when it is
/// complete, so a killed program leaves no partial file. An existing file is never replaced. The file gets
/// the owner of its folder, as [`owner`] decides.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    owner::create_folders(folder)?;
    let mut file = tempfile::Builder::new().prefix(".latchkey-").tempfile_in(folder)?;
    owner::adopt(file.as_file(), folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            refused => Self::other(refused),
        }
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    fn file(folder: &tempfile::TempDir, mode: u32, text: &[u8]) -> PathBuf {
        let path = folder.path().join(format!("{mode:o}-{}", text.len()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn refusal(path: &Path, holds: Holds) -> Option<String> {
        read(path, holds).err().map(|error| error.to_string())
    }

    // [found 18]: A world-writable sealing key was used without a warning | fixed | Files with secrets that
    //   group or others may write are refused; there is a warning for world-readable ones, but not below
    //   `$CREDENTIALS_DIRECTORY`, `/run/secrets` and `/run/credentials`
    // [V13 13.3.2]
    #[test]
    fn a_secret_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, accepted) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o644, true),
            (0o444, true),
            (0o660, false),
            (0o602, false),
            (0o664, false),
            (0o666, false),
            (0o777, false),
        ] {
            let path = file(&folder, mode, b"secret");
            let link = folder.path().join(format!("link-{mode:o}"));
            symlink(&path, &link).unwrap();
            for path in [&path, &link] {
                let words =
                    "group or others can write to the file (its mode is MODE); run `chmod go-w` on it";
                let expected = (!accepted).then(|| words.replace("MODE", &format!("{mode:04o}")));
                assert_eq!(refusal(path, Holds::Secret), expected, "{mode:o}");
                assert_eq!(refusal(path, Holds::Settings), None, "{mode:o}");
            }
            if accepted {
                let contents = read(&link, Holds::Secret).unwrap();
                assert_eq!(contents.others_may_read, mode & 0o4 != 0, "{mode:o}");
                assert_eq!(*contents.bytes, b"secret");
            }
        }
    }

    // [limits #33], [found 16]
    #[test]
    fn non_regular_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, kind) in
            [(pipe.as_path(), "a pipe"), (folder.path(), "a folder"), (Path::new("/dev/zero"), "a device")]
        {
            for holds in [Holds::Secret, Holds::Public, Holds::Settings] {
                let expected = format!("this is {kind}, not a regular file");
                assert_eq!(refusal(path, holds), Some(expected));
            }
        }
    }

    // [limits #33]: files of settings; with public keys, certificates or pictures; with a secret | 64 MiB; 1
    //   MiB; 64 KiB; regular files only | refused
    // [found 16]
    #[test]
    fn each_kind_of_file_has_a_size_limit() {
        let folder = tempfile::tempdir().unwrap();
        for (size, holds, refused) in [
            (65_536, Holds::Secret, false),
            (65_537, Holds::Secret, true),
            (65_537, Holds::Public, false),
            ((1 << 20) + 1, Holds::Public, true),
            ((1 << 20) + 1, Holds::Settings, false),
        ] {
            let path = file(&folder, 0o600, &vec![b'a'; size]);
            assert_eq!(refusal(&path, holds).is_some(), refused, "{size} {holds:?}");
        }
    }
}
