//! Explains why the user of this process cannot open a database's file: the file, its owner and mode, and the
//! fix.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use settings::owner::{ours, ownership, user};

/// The first of SQLite's files, or their folder, that this user may not use. `None` if all may be used.
pub(crate) fn denied(database: &Path, writes: bool) -> Option<String> {
    let files = files_of(database);
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of_file =
        files.iter().find(|file| is_denied(&OpenOptions::new().read(true).write(writes).open(file)));
    // SQLite creates its log next to the file.
    let of_folder = || writes && is_denied(&tempfile::tempfile_in(folder));
    let path = of_file.map(PathBuf::as_path).or_else(|| of_folder().then_some(folder))?;
    // In a folder that this user may not enter, nothing is known about the file itself.
    let path = if fs::metadata(path).is_ok() { path } else { folder };
    Some(explanation(path, &fs::metadata(path), &fs::metadata(folder)))
}

/// The files that SQLite creates for a database.
pub fn files_of(database: &Path) -> [PathBuf; 3] {
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
    let us = ours();
    let (Ok(found), Ok(folder)) = (found, folder) else {
        let us = us.map_or_else(|| "another user".to_owned(), user);
        return format!("{us} may not read the folder. Run the program as the owner of the folder");
    };
    let fix = fix(path, found, folder.uid(), us);
    format!("{} {}; {fix}", path.display(), ownership(found, us))
}

/// Suggests a fix: another mode if this user owns the file, otherwise another owner or running the program as
/// the owner.
fn fix(path: &Path, found: &fs::Metadata, folder: u32, us: Option<u32>) -> String {
    let (owner, shown) = (found.uid(), path.display());
    if us == Some(owner) {
        return format!("run `chmod u+rwX {shown}`, or mount the volume writable");
    }
    if !found.is_dir() && folder != owner {
        return format!(
            "run the program as the owner, or, if the owner is wrong, run `chown {folder}: {shown}`"
        );
    }
    match us {
        Some(us) if found.is_dir() => {
            format!(
                "run the program as the owner, or run `chown {us}: {shown}`, or mount a volume there that this user can write to"
            )
        }
        Some(us) => format!("run the program as the owner, or run `chown {us}: {shown}`"),
        None => "run the program as the owner".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // In a folder of root the hint must not be `chown 0:`, because root already owns the file.
    #[test]
    fn hint_never_suggests_the_current_owner() {
        let (file, us) = (tempfile::NamedTempFile::new().unwrap(), Some(1_000_690_000));
        let folder = tempfile::tempdir().unwrap();
        let [of_file, of_folder] = [file.path(), folder.path()].map(|path| fs::metadata(path).unwrap());
        let (owner, path) = (of_file.uid(), Path::new("data"));
        for (found, folder, us, expected) in [
            (
                &of_folder,
                owner,
                us,
                "run the program as the owner, or run `chown 1000690000: data`, or mount a volume there that this user can write to"
                    .to_owned(),
            ),
            (&of_file, owner, us, "run the program as the owner, or run `chown 1000690000: data`".to_owned()),
            (
                &of_file,
                owner + 1,
                us,
                format!(
                    "run the program as the owner, or, if the owner is wrong, run `chown {}: data`",
                    owner + 1
                ),
            ),
            (
                &of_folder,
                owner,
                Some(owner),
                "run `chmod u+rwX data`, or mount the volume writable".to_owned(),
            ),
        ] {
            assert_eq!(fix(path, found, folder, us), expected);
        }
    }
}
