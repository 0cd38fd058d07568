//! The places in the files that declare a tenant or a client, for messages to people. The file is read for
//! each question.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use administration::documents::FileSecret;

use super::files;
use super::source_map::SourceMap;

/// The line is not searched in a larger file.
const LARGEST: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPlaces {
    main: PathBuf,
    /// The folder of `tenants_dir`.
    folder: Option<PathBuf>,
}

impl DeclaredPlaces {
    pub(super) fn new(main: &Path, folder: Option<PathBuf>) -> Self {
        Self { main: main.to_owned(), folder }
    }

    /// File, line and key, such as `tenants/acme.yaml:12, clients.svc`. The file is relative to the folder of
    /// config.yaml. Without the line if it is not found.
    #[must_use]
    pub fn find(&self, tenant: &str, client: Option<&str>) -> String {
        let (path, mut keys) = match self.file_of(tenant) {
            Some(path) => (path, Vec::new()),
            None => (self.main.clone(), vec!["tenants", tenant]),
        };
        keys.extend(client.iter().flat_map(|client| ["clients", client]));
        let shown = self.main.parent().and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(&path);
        let line = line(&path, &keys).map(|line| format!(":{line}")).unwrap_or_default();
        let key = if keys.is_empty() { String::new() } else { format!(", {}", keys.join(".")) };
        format!("{}{line}{key}", shown.display())
    }

    fn file_of(&self, tenant: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let files = ["yaml", "yml"].map(|extension| folder.join(format!("{tenant}.{extension}")));
        files.into_iter().find(|file| file.is_file())
    }
}

fn line(path: &Path, keys: &[&str]) -> Option<usize> {
    if fs::metadata(path).ok()?.len() > LARGEST {
        return None;
    }
    let text = FileSecret::new(files::open(path).and_then(io::read_to_string).ok()?);
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    let byte = if keys.is_empty() { 0 } else { SourceMap::from_text(text.expose()).key(&keys)? };
    Some(text.expose().get(..byte)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::test_folder::Folder;

    #[test]
    fn place_is_found_in_main_and_tenant_files() {
        let folder = Folder::new();
        let main = folder.path("config.yaml");
        let text = "tenants:\n  acme:\n    name: A\n    clients:\n      web: {}\n      jobs: {}\n";
        folder.write("config.yaml", 0o600, text);
        folder.write("more/globex.yml", 0o600, "\u{feff}name: G\nclients:\n  web: {}\n");
        let places = DeclaredPlaces::new(&main, Some(folder.path("more")));
        for (tenant, client, expected) in [
            ("acme", None, "config.yaml:2, tenants.acme"),
            ("acme", Some("jobs"), "config.yaml:6, tenants.acme.clients.jobs"),
            ("acme", Some("gone"), "config.yaml, tenants.acme.clients.gone"),
            ("globex", None, "more/globex.yml:1"),
            ("globex", Some("web"), "more/globex.yml:3, clients.web"),
            ("nobody", None, "config.yaml, tenants.nobody"),
        ] {
            assert_eq!(places.find(tenant, client), expected, "{tenant} {client:?}");
        }
        let without = DeclaredPlaces::new(&folder.path("gone.yaml"), None);
        assert_eq!(without.find("acme", None), "gone.yaml, tenants.acme");
    }
}
