//! The profiles of a user, in `profiles.json`.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use reqwest::Identity;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::folders::Folders;
use super::private_files::{self, lock};
use super::profile::{CredentialKind, Profile};
use super::profile_name::ProfileName;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// The profile for commands without `--profile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<ProfileName>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) name: ProfileName,
    pub(crate) profile: Profile,
}

impl TryFrom<(String, Profile)> for Chosen {
    type Error = anyhow::Error;

    fn try_from((name, profile): (String, Profile)) -> anyhow::Result<Self> {
        Ok(Self { name: name.parse().map_err(anyhow::Error::msg)?, profile })
    }
}

/// The profiles of this user.
pub(crate) struct ProfileStore<'a>(pub(crate) &'a Folders);

impl ProfileStore<'_> {
    pub(crate) fn read(&self) -> anyhow::Result<Profiles> {
        let path = self.0.profiles();
        let Some(text) = private_files::read(&path)? else { return Ok(Profiles::default()) };
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not a valid list of profiles", path.display()))
    }

    /// The named profile, or else the current one.
    pub(crate) fn choose(&self, name: Option<&ProfileName>) -> anyhow::Result<Chosen> {
        let Profiles { current, mut profiles } = self.read()?;
        let login = "create one with `latchkey login`";
        let name = name.cloned().or(current).ok_or_else(|| anyhow!("there is no profile; {login}"))?;
        match profiles.remove(name.as_str()) {
            Some(profile) => Ok(Chosen { name, profile }),
            None => {
                bail!("there is no profile `{name}`. List all profiles with `latchkey profiles`, or {login}")
            }
        }
    }

    /// The profile for the administration of a server: the current one if it is for that server, otherwise
    /// the only profile that is.
    pub(crate) fn of_server(&self, server: &Url) -> anyhow::Result<Option<Chosen>> {
        let Profiles { current, profiles } = self.read()?;
        let mut found: Vec<(String, Profile)> =
            profiles.into_iter().filter(|(_, profile)| profile.is_of(server)).collect();
        if let Some(at) = found
            .iter()
            .position(|(name, _)| current.as_ref().is_some_and(|current| current.as_str() == name))
        {
            found = vec![found.swap_remove(at)];
        }
        if found.len() > 1 {
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            bail!(
                "several profiles are for this server: {}. Choose one with `latchkey use NAME`",
                names.join(", ")
            );
        }
        found.pop().map(Chosen::try_from).transpose()
    }

    pub(crate) fn save(&self, chosen: &Chosen, credential: &str) -> anyhow::Result<()> {
        let Chosen { name, profile } = chosen;
        profile.store.write(self.0, name, credential)?;
        let former = self.change(|profiles| {
            profiles.current = Some(name.clone());
            profiles.profiles.insert(name.as_str().to_owned(), profile.clone())
        })?;
        match former {
            Some(former) if former.store != profile.store => former.store.remove(self.0, name),
            _ => Ok(()),
        }
    }

    pub(crate) fn switch_to(&self, name: &ProfileName) -> anyhow::Result<()> {
        self.choose(Some(name))?;
        self.change(|profiles| {
            profiles.current = Some(name.clone());
        })
    }

    pub(crate) fn remove(&self, Chosen { name, profile }: &Chosen) -> anyhow::Result<()> {
        profile.store.remove(self.0, name)?;
        self.change(|profiles| {
            profiles.profiles.remove(name.as_str());
            profiles.current.take_if(|current| current == name);
        })
    }

    pub(crate) fn credential(&self, Chosen { name, profile }: &Chosen) -> anyhow::Result<Zeroizing<String>> {
        profile.store.read(self.0, name)
    }

    /// The client's certificate for connections. `None` if the profile has another kind of credential.
    pub(crate) fn identity(&self, chosen: &Chosen) -> anyhow::Result<Option<Identity>> {
        if chosen.profile.credential != CredentialKind::Certificate {
            return Ok(None);
        }
        let identity = Identity::from_pem(self.credential(chosen)?.as_bytes());
        identity.map(Some).context("cannot use the profile's certificate and key")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Profiles) -> T) -> anyhow::Result<T> {
        let _lock = lock(&self.0.config().join("profiles.lock"))?;
        let mut profiles = self.read()?;
        let changed = change(&mut profiles);
        let text = serde_json::to_string_pretty(&profiles).context("profiles are plain JSON")?;
        private_files::write(&self.0.profiles(), &(text + "\n"))?;
        Ok(changed)
    }
}
