//! Why this process's user cannot open a database's file: the file, its owner and mode, and the fix.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use settings::owner::user;

/// The first of SQLite's files, or their folder, that this user may not use. `None` if the user may use all
/// of them.
pub(crate) fn denied(database: &Path, writes: bool) -> Option<String> {
    let files = files_of(database);
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of_file =
        files.iter().find(|file| is_denied(&OpenOptions::new().read(true).write(writes).open(file)));
    // SQLite creates its log beside the file.
    let of_folder = || writes && is_denied(&tempfile::tempfile_in(folder));
    let path = of_file.map(PathBuf::as_path).or_else(|| of_folder().then_some(folder))?;
    Some(explanation(path, &fs::metadata(path), &fs::metadata(folder)))
}

/// The files that SQLite creates for a database.
pub(crate) fn files_of(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn is_denied(opened: &io::Result<File>) -> bool {
    opened.as_ref().is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    })
}

fn explanation(path: &Path, found: &io::Result<fs::Metadata>, folder: &io::Result<fs::Metadata>) -> String {
    let us = fs::metadata("/proc/self").map_or_else(|_| "another user".to_owned(), |us| user(us.uid()));
    let (Ok(found), Ok(folder)) = (found, folder) else {
        return format!("{us} may not read its folder; run the program as the owner of the folder");
    };
    format!(
        "{} belongs to {} with mode {:04o}, and this program runs as {us}; run the program as the owner, or \
         `chown {}: {}` if it got that owner by mistake",
        path.display(),
        user(found.uid()),
        found.mode() & 0o7777,
        folder.uid(),
        path.display()
    )
}
