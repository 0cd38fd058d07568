//! The temporary folder of the servers. PostgreSQL refuses to run as root, so for root the folder
//! belongs to the user postgres.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Doing, Failure, Workspace, is_content, run};

/// The user that PostgreSQL's Debian packages create.
const USER: &str = "postgres";

/// The folder of this run, removed when dropped.
pub(super) struct Folder {
    path: PathBuf,
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
        remove_stale(&place);
        let path = place.join(std::process::id().to_string());
        let folder = Self { path, user };
        fs::create_dir_all(folder.path()).doing(format_args!("make {}", folder.path().display()))?;
        if let Some(user) = user {
            run(workspace.program("chown", &[user]).arg(folder.path()))?;
        }
        run(workspace.program("chmod", &["700"]).arg(folder.path()))?;
        Ok(folder)
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
        drop(fs::remove_dir_all(&self.path));
    }
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
    fn a_folder_goes_when_dropped_and_those_of_ended_runs_with_it() {
        let workspace = Workspace::here();
        let stale = workspace.target_folder().unwrap().join("test-servers/4194999");
        fs::create_dir_all(&stale).unwrap();
        let folder = Folder::new(&workspace).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
        if path.parent() == stale.parent() && Path::new("/proc/self").exists() {
            assert!(!stale.exists());
        }
    }
}
