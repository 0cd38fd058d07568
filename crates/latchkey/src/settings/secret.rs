//! Secrets in the settings: where config.yaml says a secret is to be found, and how one is read.

use std::{ops::Deref, path::PathBuf};

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::{scalar::Instant, schema};

/// A secret as the settings hold it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(from = "String")]
pub(crate) struct Secret(#[schemars(with = "String")] protocol::Secret);

/// A secret of a client: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut Schema| schema::exactly_one(schema, ["value", "env", "file", "hash"]))]
pub(crate) struct ClientSecretSetting {
    /// The secret itself. For samples and tests: whoever reads the file has it.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub(crate) value: Option<Secret>,
    /// The environment variable that holds the secret.
    pub(crate) env: Option<String>,
    /// The file that holds the secret; one newline at its end is left out. Relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The argon2id hash of the secret (m=19456, t=2, p=1) as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`.
    #[schemars(extend("pattern" = schema::PHC))]
    pub(crate) hash: Option<Secret>,
    /// The instant from which on the secret is refused. Default: never.
    pub(crate) expires: Option<Instant>,
}

/// The password of an administrator: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut Schema| schema::exactly_one(schema, ["value", "env", "file", "hash"]))]
pub(crate) struct PasswordSetting {
    /// The password itself. Start is refused with it on a listener beyond loopback.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub(crate) value: Option<Secret>,
    /// The environment variable that holds the password.
    pub(crate) env: Option<String>,
    /// The file that holds the password; one newline at its end is left out. Relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The argon2id hash of the password (m=19456, t=2, p=1) as a PHC string.
    #[schemars(extend("pattern" = schema::PHC))]
    pub(crate) hash: Option<Secret>,
}

/// A private key in PEM: exactly one of `file`, `env` and `value`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut Schema| schema::exactly_one(schema, ["file", "env", "value"]))]
pub(crate) struct PrivateKeySetting {
    /// The file that holds the key, relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The environment variable that holds the key.
    pub(crate) env: Option<String>,
    /// The key itself.
    pub(crate) value: Option<Secret>,
}

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(protocol::Secret::new(text))
    }

    /// For the domain, without a copy.
    pub(crate) fn into_inner(self) -> protocol::Secret {
        self.0
    }
}

impl Deref for Secret {
    type Target = protocol::Secret;

    fn deref(&self) -> &protocol::Secret {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_redacted() {
        let setting = ClientSecretSetting {
            value: Some(Secret::new("hunter2".into())),
            ..ClientSecretSetting::default()
        };
        let printed = format!("{setting:?} {setting:#?}");
        assert!(printed.contains("[redacted]") && !printed.contains("hunter2"), "{printed}");
    }
}
