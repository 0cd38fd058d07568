//! What is said about a file that settings name: why it cannot be read, and whether the system keeps
//! it for this program alone.

use std::path::Path;
use std::{fs, io};

use super::diagnostic::ExplainedError;
use super::environment::Environment;
use super::owner::unreadable;
use crate::files::FileError;

/// Folders of container engines and systemd. The system gives their files to this program alone, whatever
/// their modes are.
pub(crate) const PRIVATE_FOLDERS: [&str; 2] = ["/run/secrets", "/run/credentials"];

/// Whether this path leads below one of them, or below the folder that systemd names.
pub(crate) fn is_private(path: &Path, environment: &Environment) -> bool {
    let Ok(target) = fs::canonicalize(path) else { return false };
    let named = environment.text("CREDENTIALS_DIRECTORY").map(Path::new).filter(|path| path.is_absolute());
    let folders = PRIVATE_FOLDERS.map(Path::new).into_iter().chain(named);
    folders.filter_map(|folder| fs::canonicalize(folder).ok()).any(|folder| target.starts_with(folder))
}

/// The error of a file, and what to do about it. A file that could not be opened may not exist, and its name
/// may be something else than a path, so the name is not repeated.
pub(crate) fn refusal(error: &FileError, path: &Path) -> ExplainedError {
    match error {
        FileError::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => ExplainedError::new(
                "there is no file of this name",
                "make it, or correct the path; paths are relative to the file that names them",
            ),
            io::ErrorKind::PermissionDenied => {
                ExplainedError::new("this file may not be read", unreadable(path))
            }
            _ => ExplainedError::new(
                format!("this file cannot be read: {error}"),
                "name a file that can be read",
            ),
        },
        FileError::NotRegular(_) => ExplainedError::new(error.to_string(), "name a regular file"),
        FileError::TooLarge(_) => {
            ExplainedError::new(error.to_string(), "name the file that is meant, and nothing else")
        }
        FileError::Writable(mode) => ExplainedError::new(
            format!(
                "group or others may write this file, and so replace the secret in it (its mode is {mode:04o})"
            ),
            format!("run `chmod go-w {}`", path.display()),
        ),
    }
}
