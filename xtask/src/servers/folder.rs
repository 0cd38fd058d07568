//! The temporary folders of the servers. PostgreSQL refuses to run as root, so for root the folders
//! belong to the user postgres.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Doing, Failure, Workspace, is_content, read_text, run};

/// The user that PostgreSQL's Debian packages create.
const USER: &str = "postgres";

/// The folder in which Linux keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";
/// The MiB that the data of both versions of PostgreSQL may take.
const MOST_DATA: u64 = 2048;

/// The folders of this run, removed when dropped.
pub(super) struct Folder {
    path: PathBuf,
    data: Option<PathBuf>,
    user: Option<&'static str>,
}

impl Folder {
    pub(super) fn new(workspace: &Workspace) -> Result<Self, Failure> {
        let user = is_content(&mut workspace.program("sh", &["-c", "test \"$(id -u)\" = 0"])).then_some(USER);
        let below_target = workspace.target_folder()?.join("test-servers");
        let place = if is_open_to(workspace, user, &below_target)? {
            below_target
        } else {
            std::env::temp_dir().join("latchkey-test-servers")
        };
        let in_memory = Path::new(IN_MEMORY).join("latchkey-test-servers");
        Ok(Self {
            path: make_below(workspace, &place, user)?,
            data: has_room_in_memory(workspace)
                .then(|| make_below(workspace, &in_memory, user).ok())
                .flatten(),
            user,
        })
    }

    /// The folder for databases, in memory where there is room. Each test makes a database and drops it, and
    /// ext4 takes long to make files soon after many others were removed.
    pub(super) fn data(&self) -> &Path {
        self.data.as_ref().unwrap_or(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the servers can read this path.
    pub(super) fn is_open(&self, workspace: &Workspace, place: &Path) -> bool {
        is_open(workspace, self.user, place)
    }

    /// The user for programs that refuse to run as root; none when we are not root.
    pub(super) fn user(&self) -> Option<&'static str> {
        self.user
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for path in std::iter::once(&self.path).chain(&self.data) {
            drop(fs::remove_dir_all(path));
        }
    }
}

/// Makes the folder of this run, which `user` owns.
fn make_below(workspace: &Workspace, place: &Path, user: Option<&str>) -> Result<PathBuf, Failure> {
    remove_stale(place);
    let path = place.join(std::process::id().to_string());
    fs::create_dir_all(&path).doing(format_args!("make {}", path.display()))?;
    if let Some(user) = user {
        run(workspace.program("chown", &[user]).arg(&path))?;
    }
    run(workspace.program("chmod", &["700"]).arg(&path))?;
    Ok(path)
}

/// The folder is small in a container.
fn has_room_in_memory(workspace: &Workspace) -> bool {
    if !Path::new(IN_MEMORY).is_dir() {
        return false;
    }
    let free =
        read_text(&mut workspace.program("df", &["--output=avail", "--block-size=1048576", IN_MEMORY]));
    let number = free.ok().and_then(|table| table.lines().nth(1)?.trim().parse::<u64>().ok());
    number >= Some(MOST_DATA)
}

/// For example, a home folder is closed to other users.
fn is_open_to(workspace: &Workspace, user: Option<&str>, place: &Path) -> Result<bool, Failure> {
    fs::create_dir_all(place).doing(format_args!("make {}", place.display()))?;
    Ok(is_open(workspace, user, place))
}

fn is_open(workspace: &Workspace, user: Option<&str>, place: &Path) -> bool {
    let Some(user) = user else { return true };
    let arguments = ["--reuid", user, "--regid", user, "--init-groups", "test", "-x"];
    is_content(workspace.program("setpriv", &arguments).arg(place))
}

/// Removes the folders of killed runs. Needs `/proc` to know which processes exist.
fn remove_stale(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in entries.flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_and_stale_folders_are_deleted() {
        let workspace = Workspace::here();
        let stale = workspace.target_folder().unwrap().join("test-servers/4194999");
        fs::create_dir_all(&stale).unwrap();
        let folder = Folder::new(&workspace).unwrap();
        let (path, data) = (folder.path().to_owned(), folder.data().to_owned());
        assert!(path.is_dir() && data.is_dir());
        drop(folder);
        assert!(!path.exists() && !data.exists());
        if path.parent() == stale.parent() && Path::new("/proc/self").exists() {
            assert!(!stale.exists());
        }
    }
}
