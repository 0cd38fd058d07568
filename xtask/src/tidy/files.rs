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
        for folder in ["crates", "xtask", "docs", "migrations", "deploy"] {
            files.read_folder(root, folder)?;
        }
        for file in ["Cargo.toml", "Cargo.lock", "deny.toml", "README.md", "CONTRIBUTING.md", "SECURITY.md"] {
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

    /// The sources of the product, each up to its own tests.
    pub(super) fn product(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_product = |path: &str| {
            let of_crate = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"));
            let is_of_tests = |part: &str| ["tests", "tests.rs", "mock_server"].contains(&part);
            of_crate.is_some_and(|(name, file)| name != "testkit" && !file.split('/').any(is_of_tests))
        };
        self.rust().filter(move |(path, _)| is_product(path)).map(|(path, text)| (path, without_tests(text)))
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

/// The text before the module of its tests. A separate file of tests may be declared anywhere.
fn without_tests(text: &str) -> &str {
    let mut modules = text.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at);
    let is_inline = |at: &usize| text[*at..].lines().nth(1).is_some_and(|line| line.contains('{'));
    &text[..modules.find(is_inline).unwrap_or(text.len())]
}

#[cfg(test)]
impl<P: Into<String>, T: Into<String>> FromIterator<(P, T)> for Files {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(files: I) -> Self {
        Self(files.into_iter().map(|(path, text)| (path.into(), text.into())).collect())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Files {
    fn from(files: [(&str, &str); N]) -> Self {
        files.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_code_excludes_tests() {
        let files = Files::from([
            ("crates/keys/src/a.rs", "#[cfg(test)]\nmod other;\nfn a() {}\n#[cfg(test)]\nmod tests {\n}\n"),
            ("crates/keys/src/a/tests.rs", ""),
            ("crates/keys/tests/a.rs", ""),
            ("crates/testkit/src/a.rs", ""),
        ]);
        let product: Vec<_> = files.product().collect();
        assert_eq!(product, [("crates/keys/src/a.rs", "#[cfg(test)]\nmod other;\nfn a() {}\n")]);
    }
}
