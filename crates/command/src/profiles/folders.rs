//! The folders of profiles and tokens: below `$XDG_CONFIG_HOME/latchkey` and `$XDG_CACHE_HOME/latchkey`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use settings::Environment;

use super::profile_name::ProfileName;

/// The folders of the current user.
#[derive(Debug)]
pub(crate) struct Folders {
    config: PathBuf,
    cache: PathBuf,
}

impl Folders {
    /// The folders from the environment variables.
    pub(crate) fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        Self::by(|name| environment.text(name))
    }

    fn by<'e>(variable: impl Fn(&str) -> Option<&'e str>) -> anyhow::Result<Self> {
        let folder = |name: &str, below_home: &str| {
            // The XDG Base Directory Specification says that relative paths are ignored.
            let given = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let home = variable("HOME").filter(|home| Path::new(home).is_absolute());
            match given.or_else(|| Some(Path::new(home?).join(below_home))) {
                Some(folder) => Ok(folder.join("latchkey")),
                None => bail!("cannot find the folder for profiles. Set {name} or HOME to an absolute path"),
            }
        };
        Ok(Self { config: folder("XDG_CONFIG_HOME", ".config")?, cache: folder("XDG_CACHE_HOME", ".cache")? })
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    pub(super) fn profiles(&self) -> PathBuf {
        self.config.join("profiles.json")
    }

    /// The file of a profile's credential.
    pub(super) fn credential(&self, name: &ProfileName) -> PathBuf {
        self.config.join("secrets").join(name.as_str())
    }

    pub(super) fn tokens(&self) -> PathBuf {
        self.cache.join("tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_the_environment_variables() {
        for (variables, config) in [
            (&[("HOME", "/home/a")][..], Some("/home/a/.config/latchkey")),
            (&[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "/x")], Some("/x/latchkey")),
            (&[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "x")], Some("/home/a/.config/latchkey")),
            (&[("XDG_CONFIG_HOME", "/x")], None),
            (&[("HOME", "relative")], None),
        ] {
            let read =
                |name: &str| variables.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
            let found = Folders::by(read).ok();
            assert_eq!(found.as_ref().map(|found| found.config.to_str().unwrap()), config, "{variables:?}");
        }
    }
}
