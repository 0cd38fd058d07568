//! A temporary folder with settings and the files that they name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, mode: u32, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The errors, one on each line, with paths relative to this folder.
    pub(crate) fn faults(&self, error: &crate::ReadError) -> String {
        error.faults.iter().map(|fault| self.relative(&fault.brief())).collect::<Vec<_>>().join("\n")
    }

    /// Makes the paths in a text relative to this folder.
    pub(crate) fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}
