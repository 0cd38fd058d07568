//! Errors of files that settings name, and which files the system already protects.

use std::path::Path;
use std::{fs, io};

use super::diagnostic::ExplainedError;
use super::environment::Environment;
use super::owner::unreadable;
use crate::files::FileError;

/// Folders of container engines and systemd. The system gives these files only to this program, whatever
/// their modes are.
pub(crate) const PRIVATE_FOLDERS: [&str; 2] = ["/run/secrets", "/run/credentials"];

/// Whether the path is in one of these folders, or in the folder that systemd names.
pub(crate) fn is_private(path: &Path, environment: &Environment) -> bool {
    let Ok(target) = fs::canonicalize(path) else { return false };
    let named = environment.text("CREDENTIALS_DIRECTORY").map(Path::new).filter(|path| path.is_absolute());
    let folders = PRIVATE_FOLDERS.map(Path::new).into_iter().chain(named);
    folders.filter_map(|folder| fs::canonicalize(folder).ok()).any(|folder| target.starts_with(folder))
}

/// The error of a file, and what to do about it. The name is not repeated if the file could not be opened:
/// the text may be something other than a path, such as a secret.
pub(crate) fn refusal(error: &FileError, path: &Path) -> ExplainedError {
    match error {
        FileError::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => ExplainedError::new(
                "this file does not exist",
                "create it, or correct the path; a relative path starts at the file that contains it",
            ),
            io::ErrorKind::PermissionDenied => {
                ExplainedError::new("this program has no permission to read this file", unreadable(path))
            }
            _ => ExplainedError::new(
                format!("cannot read this file: {error}"),
                "name a file that this program can read",
            ),
        },
        FileError::NotRegular(_) => ExplainedError::new(error.to_string(), "name a regular file"),
        FileError::TooLarge(_) => ExplainedError::new(error.to_string(), "name only the file that you mean"),
        FileError::Writable(mode) => ExplainedError::new(
            format!(
                "group or others can write to this file, so they can replace the secret in it (its mode is {mode:04o})"
            ),
            format!("run `chmod go-w {}`", path.display()),
        ),
    }
}
