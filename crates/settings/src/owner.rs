//! The owner of files that the program creates: they get the owner of their folder. Otherwise a command that
//! root runs would create files that the service cannot open.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown, fchown};
use std::path::Path;

const ROOT: u32 = 0;

/// Creates a folder and its missing parents, with the owner of the nearest existing one.
pub(crate) fn create_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        give(&fs::metadata(folder)?, above, |user, group| chown(folder, user, group))?;
    }
    Ok(())
}

/// Gives a new file to the owner of its folder.
pub(crate) fn adopt(file: &File, folder: &Path) -> io::Result<()> {
    give(&file.metadata()?, folder, |user, group| fchown(file, user, group))
}

/// Only root can change the owner. If a folder of root is writable for this user, such as a mounted volume,
/// the file keeps this user. In the folder of another user, that user could not open the file, so it is
/// refused.
fn give(
    ours: &fs::Metadata,
    folder: &Path,
    change: impl FnOnce(Option<u32>, Option<u32>) -> io::Result<()>,
) -> io::Result<()> {
    let theirs = fs::metadata(folder)?;
    if ours.uid() == theirs.uid() {
        return Ok(());
    }
    let given = change(Some(theirs.uid()), Some(theirs.gid()));
    if given.is_ok() || theirs.uid() == ROOT {
        return Ok(());
    }
    let [owner, us] = [theirs.uid(), ours.uid()].map(user);
    let why = format!(
        "{} belongs to {owner}, who could not open a new file of {us} there; run this command as {owner} or as root",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// The user of this process, if the system says.
pub fn ours() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|us| us.uid())
}

/// Describes who owns a file, and which user this process has.
pub fn ownership(found: &fs::Metadata, us: Option<u32>) -> String {
    format!(
        "belongs to {} with mode {:04o}, but this program runs as {}",
        user(found.uid()),
        found.mode() & 0o7777,
        us.map_or_else(|| "another user".to_owned(), user),
    )
}

/// Explains why this user may not read a file with a secret, and what to do.
pub fn unreadable(path: &Path) -> String {
    let us = ours();
    match fs::metadata(path) {
        Ok(found) => format!("it {}; {}", ownership(&found, us), reading_fix(found.uid(), us, path)),
        Err(_) => format!(
            "{} has no permission to enter its folder; run the program as the owner of the folder",
            us.map_or_else(|| "this user".to_owned(), user)
        ),
    }
}

fn reading_fix(owner: u32, us: Option<u32>, path: &Path) -> String {
    match us {
        Some(us) if us == owner => format!("run `chmod u+r {}`", path.display()),
        Some(us) => format!("run the program as the owner, or `chown {us}: {}`", path.display()),
        None => "run the program as the owner".to_owned(),
    }
}

/// The name of a user, with its id.
pub fn user(id: u32) -> String {
    name(id).map_or_else(|| format!("the user with id {id}"), |name| format!("{name} (user id {id})"))
}

/// The name of a user, if the system has one.
pub fn name(id: u32) -> Option<String> {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    list.lines().find_map(|line| {
        let mut members = line.split(':');
        let name = members.next()?;
        (members.nth(1)? == id.to_string()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    // Without the hint, an operator does not see why the user of a container cannot read a sealing key of
    // root.
    #[test]
    fn reading_hint_depends_on_owner_and_user() {
        let path = Path::new("data/sealing.key");
        for (owner, us, expected) in [
            (0, Some(1_000_690_000), "run the program as the owner, or `chown 1000690000: data/sealing.key`"),
            (7, Some(7), "run `chmod u+r data/sealing.key`"),
            (7, None, "run the program as the owner"),
        ] {
            assert_eq!(reading_fix(owner, us, path), expected);
        }
    }

    use super::*;

    const OTHER: u32 = 64_999;

    fn folder_of(user: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(user), Some(user)).unwrap();
        folder
    }

    fn own() -> u32 {
        tempfile::tempfile().unwrap().metadata().unwrap().uid()
    }

    /// Only root can give a folder to another user. As any other user, the test checks a folder that this
    /// user owns.
    #[test]
    fn new_file_belongs_to_owner_of_the_folder() {
        let user = if own() == ROOT { OTHER } else { own() };
        let folder = folder_of(user);
        let path = folder.path().join("a/b/c");
        crate::files::create(&path, b"", 0o600).unwrap();
        for made in ["a", "a/b", "a/b/c"] {
            assert_eq!(fs::metadata(folder.path().join(made)).unwrap().uid(), user, "{made}");
        }
    }

    #[test]
    fn failed_chown_is_refused_in_foreign_folder() {
        let denied = |_, _| Err(io::ErrorKind::PermissionDenied.into());
        let ours = tempfile::tempfile().unwrap().metadata().unwrap();
        let root = Path::new("/");
        assert!(give(&ours, root, denied).is_ok());
        if own() == ROOT {
            let folder = folder_of(OTHER);
            let refused = give(&ours, folder.path(), denied).unwrap_err().to_string();
            assert!(refused.contains("belongs to the user with id 64999, who could not open"), "{refused}");
            assert!(refused.contains("run this command as the user with id 64999 or as root"), "{refused}");
        }
    }

    #[test]
    fn user_is_shown_with_name_if_known() {
        assert_eq!(user(ROOT), "root (user id 0)");
        assert_eq!(user(OTHER), "the user with id 64999");
    }
}
