//! Secrets in the settings: where config.yaml says a secret is to be found, and the type that holds one.
//! It prints `[redacted]`, is wiped when dropped, and can be neither cloned nor serialised.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::scalar::Instant;

/// A text that must not be shown.
#[derive(Deserialize, JsonSchema, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(crate) struct Secret(String);

/// A secret of a client: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientSecretSetting {
    /// The secret itself. For samples and tests: whoever reads the file has it.
    pub(crate) value: Option<Secret>,
    /// The environment variable that holds the secret.
    pub(crate) env: Option<String>,
    /// The file that holds the secret; one newline at its end is left out. Relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The argon2id hash of the secret (m=19456, t=2, p=1) as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`.
    pub(crate) hash: Option<Secret>,
    /// The instant from which on the secret is refused. Default: never.
    pub(crate) expires: Option<Instant>,
}

/// The password of an administrator: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PasswordSetting {
    /// The password itself. Start is refused with it on a listener beyond loopback.
    pub(crate) value: Option<Secret>,
    /// The environment variable that holds the password.
    pub(crate) env: Option<String>,
    /// The file that holds the password; one newline at its end is left out. Relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The argon2id hash of the password (m=19456, t=2, p=1) as a PHC string.
    pub(crate) hash: Option<Secret>,
}

/// A private key in PEM: exactly one of `file`, `env` and `value`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
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
        Self(text)
    }

    /// The text, for the one who must compare, hash or open something with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
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
