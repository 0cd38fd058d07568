//! The files that rules read, loaded once: path from the root, with slashes, and text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::workspace::{Doing, Failure};

/// Texts by path. A file that is not UTF-8 is absent.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut files = Self::default();
        for folder in ["crates", "xtask", "docs", "migrations", "deploy", ".github"] {
            files.read_folder(root, folder)?;
        }
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "deny.toml",
            "config.yaml",
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "SECURITY.md",
        ] {
            files.read_file(root, file);
        }
        Ok(files)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust sources under `crates/` and `xtask/`.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = |path: &str| path.starts_with("crates/") || path.starts_with("xtask/");
        self.iter().filter(move |(path, _)| path.ends_with(".rs") && ours(path))
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> Result<(), Failure> {
        let path = root.join(folder);
        if !path.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(&path).doing(format_args!("list {folder}"))? {
            let entry = entry.doing(format_args!("list {folder}"))?;
            let below = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.read_folder(root, &below)?;
            } else {
                self.read_file(root, &below);
            }
        }
        Ok(())
    }

    fn read_file(&mut self, root: &Path, path: &str) {
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            self.0.insert(path.to_owned(), text);
        }
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Files {
    fn from(files: [(&str, &str); N]) -> Self {
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
    }
}
