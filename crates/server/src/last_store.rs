//! The store that these settings last used. A file next to the platform's data records it, so that a program
//! does not silently start with another, empty store, which would have other keys with the same names.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use administration::store::Generations as _;
use anyhow::bail;
use serde::{Deserialize, Serialize};
use settings::{PlatformSettings, SealingKeySource, StorageLocation, files};
use storage::{Database, OpenError};

use crate::database::{self, store_place};

const FILE: &str = "last-store.json";
/// The folder of the default `storage.url`, next to the settings.
const DATA: &str = "data";
const DATABASE: &str = "latchkey.db";

/// The store of the settings, and the folders that may contain the record.
pub struct LastStore {
    store: String,
    folders: Vec<PathBuf>,
    /// The SQLite file that a server with default settings would have created, if the settings name another
    /// store.
    other: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoreFacts {
    store: String,
    generation: u64,
}

impl LastStore {
    /// `config` is the path of config.yaml.
    pub fn new(config: &Path, settings: &PlatformSettings) -> Self {
        let store = store_place(&settings.storage).shown().unwrap_or_default();
        let data = config.parent().unwrap_or(Path::new("")).join(DATA);
        let mut folders = vec![data.clone()];
        if let SealingKeySource::File(key) = &settings.sealing_keys.writing {
            folders.extend(folder_of(key));
        }
        let other = match &settings.storage {
            StorageLocation::Sqlite(path) => {
                folders.extend(folder_of(path));
                None
            }
            StorageLocation::Postgres(_) => Some(data.join(DATABASE)),
        };
        folders.sort();
        folders.dedup();
        Self { store, folders, other }
    }

    /// The store that was used before, if it was a different one.
    pub fn elsewhere(&self) -> Option<String> {
        self.served().find(|served| served.store != self.store).map(|served| named(&served))
    }

    /// The warning about an empty store, if these settings have been used before. `database` is `None` if the
    /// store was never used.
    pub async fn emptied(&self, database: Option<&Database>) -> anyhow::Result<Option<String>> {
        let Some(before) = self.before() else { return Ok(None) };
        if let Some(database) = database
            && database.latest_generation().await?.is_some()
        {
            return Ok(None);
        }
        Ok(Some(format!("the store {} is empty, but {before}", self.store)))
    }

    /// Like [`LastStore::emptied`], for a store that is not open. It is only opened if there is a record.
    pub async fn look(&self, settings: &PlatformSettings) -> anyhow::Result<Option<String>> {
        if self.before().is_none() {
            return Ok(None);
        }
        let database = database::open_read_only(&settings.storage).await?;
        self.emptied(database.as_deref()).await
    }

    /// Refuses an empty store without creating anything, for an installation that was set up before.
    pub(crate) async fn refuse_empty(&self, settings: &PlatformSettings) -> anyhow::Result<()> {
        match database::open_read_only(&settings.storage).await {
            Ok(Some(database)) => {
                let latest = database.latest_generation().await?;
                database.close().await;
                if latest.is_some() {
                    return Ok(());
                }
            }
            Ok(None) => {}
            // An earlier version of the program has already used the store.
            Err(OpenError::Older { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let before = self.served().next().map_or_else(String::new, |served| format!("; {}", named(&served)));
        bail!(
            "refusing to start with --require-store, because the store {} is empty{before}; {}",
            self.store,
            Self::FIX
        )
    }

    /// What to do in both cases.
    pub const FIX: &str = "correct storage.url, or copy the old store with `latchkey store copy` (docs/operations.md). The empty store has none of \
         the old tenants, secrets and keys";

    /// Records the store with its generation. Folders that cannot be written get no record.
    pub(crate) async fn remember(&self, database: &Database) {
        let Ok(Some(latest)) = database.latest_generation().await else { return };
        let served = StoreFacts { store: self.store.clone(), generation: latest.number };
        let Ok(text) = serde_json::to_string(&served) else { return };
        // The record must not create folders.
        for path in self.folders.iter().filter(|folder| folder.is_dir()).map(|folder| folder.join(FILE)) {
            if read(&path).as_ref() == Some(&served) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => continue,
                _ => drop(files::create(&path, text.as_bytes(), 0o600)),
            }
        }
    }

    fn before(&self) -> Option<String> {
        let other = || {
            let file = self.other.as_ref().filter(|path| path.metadata().is_ok_and(|file| file.len() > 0))?;
            Some(format!("{} belongs to a server with other settings", file.display()))
        };
        self.served().next().map(|served| named(&served)).or_else(other)
    }

    fn served(&self) -> impl Iterator<Item = StoreFacts> + '_ {
        self.folders.iter().filter_map(|folder| read(&folder.join(FILE)))
    }
}

/// The folder of a file. A name without a folder is in the working directory.
fn folder_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
}

fn named(StoreFacts { store, generation }: &StoreFacts) -> String {
    format!("these settings previously used the store {store} with generation {generation}")
}

fn read(path: &Path) -> Option<StoreFacts> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use settings::{Environment, read_platform};

    use super::*;

    #[test]
    fn earlier_sqlite_store_is_found_for_a_postgresql_url() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yaml");
        let settings = "storage: { url: 'postgres://latchkey@127.0.0.1:9/rows' }\nkeys: { sealing_key: { file: data/sealing.key } }\n";
        std::fs::write(&config, settings).unwrap();
        let settings = read_platform(&config, &Environment::default()).unwrap();
        let before = || LastStore::new(&config, &settings).before();
        assert_eq!(before(), None);
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/latchkey.db"), "").unwrap();
        assert_eq!(before(), None, "no server has written it");
        std::fs::write(folder.path().join("data/latchkey.db"), "rows").unwrap();
        assert!(before().is_some_and(|before| before.contains("data/latchkey.db belongs to a server")));
    }

    // [third 17]: A start beside a `config.yaml` with the bare name forgot its store and sealing key, and a
    //   copy of a store that is not there made its target | fixed | The folder of a bare name is the working
    //   directory; a copy and a restore create the target after their source was checked
    #[test]
    fn folder_of_a_bare_name_is_the_working_directory() {
        for (file, folder) in
            [("sealing.key", "."), ("data/latchkey.db", "data"), ("/var/sealing.key", "/var")]
        {
            assert_eq!(folder_of(Path::new(file)), Some(PathBuf::from(folder)), "{file}");
        }
    }
}
