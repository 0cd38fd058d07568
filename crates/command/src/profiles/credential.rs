//! Where a profile's credential is stored: in a file, or in the keyring of the system. The profile says
//! which, and no other place is tried.

use anyhow::Context as _;
use clap::ValueEnum;
use outbound::{Keyring, open_keyring};
use serde::{Deserialize, Serialize};
use values::with_commands;
use zeroize::Zeroizing;

use super::folders::Folders;
use super::private_files;
use super::profile_name::ProfileName;

/// The place of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CredentialStore {
    /// File that only its owner can read.
    File,
    /// Kernel keyring, until the machine restarts or for three days without use. Requires the feature
    /// `keyring`.
    Keyring,
}

impl CredentialStore {
    /// Fails if this program was built without the storage.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        match self {
            Self::File => Ok(()),
            Self::Keyring => keyring().map(drop),
        }
    }

    pub(super) fn write(self, folders: &Folders, name: &ProfileName, text: &str) -> anyhow::Result<()> {
        match self {
            Self::File => private_files::write(&folders.credential(name), text),
            Self::Keyring => {
                let unwritten =
                    || format!("the keyring did not store the credential of {name}. Use --store file");
                keyring()?.store(&entry(folders, name), text).with_context(unwritten)
            }
        }
    }

    pub(super) fn read(self, folders: &Folders, name: &ProfileName) -> anyhow::Result<Zeroizing<String>> {
        let login = with_commands("run `latchkey login --profile=NAME`", &[("NAME", name.as_str())]);
        match self {
            Self::File => {
                let path = folders.credential(name);
                private_files::read(&path)?
                    .with_context(|| format!("{} is missing. To restore it, {login}", path.display()))
            }
            Self::Keyring => {
                let unread = || format!("cannot read the credential of {name} from the keyring");
                let found = keyring()?.read(&entry(folders, name)).with_context(unread)?;
                found.with_context(|| {
                    format!("the credential of {name} is no longer in the keyring. To restore it, {login}")
                })
            }
        }
    }

    /// Removes a credential. A missing credential is not an error.
    pub(super) fn remove(self, folders: &Folders, name: &ProfileName) -> anyhow::Result<()> {
        match self {
            Self::File => private_files::remove(&folders.credential(name)),
            Self::Keyring => {
                let unremoved = || format!("cannot remove the credential of {name} from the keyring");
                keyring()?.remove(&entry(folders, name)).with_context(unremoved)
            }
        }
    }

    /// The place of the credential, for people.
    pub(crate) fn place(self, folders: &Folders, name: &ProfileName) -> String {
        match self {
            Self::File => folders.credential(name).display().to_string(),
            Self::Keyring => format!("the keyring, as {}", entry(folders, name)),
        }
    }
}

fn keyring() -> anyhow::Result<Box<dyn Keyring>> {
    open_keyring().context("cannot use --store keyring. Use --store file")
}

/// The name in the keyring is the path that the file would have, so profiles in other folders have different
/// names.
fn entry(folders: &Folders, name: &ProfileName) -> String {
    folders.credential(name).display().to_string()
}
