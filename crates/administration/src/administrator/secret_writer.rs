//! Writes the values of rotated secrets to the secret stores of the operator's settings.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use tenancy::TenantId;
use values::Secret;

/// A place in a secret store, written `STORE:PATH#KEY`, or `STORE:PATH` if the secret is the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    pub store: String,
    /// The path in Vault's KV engine, or the name or ARN in AWS Secrets Manager.
    pub path: String,
    /// The member of the stored JSON object. `None`: the secret is the whole text.
    pub key: Option<String>,
}

/// The error for a text that is not `STORE:PATH#KEY`.
#[derive(Debug, thiserror::Error)]
#[error("name a store of secret_stores and a path in it, such as vault:oauth2/billing#client_secret")]
pub struct NotAPlace;

#[async_trait]
pub trait SecretWriter: Send + Sync {
    /// Checks a place as far as that is possible without a request to the store.
    fn check(&self, place: &SecretPlace) -> Result<(), String>;

    /// Whether the tenant's own administrators may have secrets written to this place.
    fn allows(&self, tenant: &TenantId, place: &SecretPlace) -> bool;

    /// Writes a value, and returns its version in the store.
    async fn write(&self, place: &SecretPlace, value: &Secret) -> Result<String, WriteFailure>;
}

/// Why a value is not in a secret store, or may not be. The texts are for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailure {
    /// The value is not in the store.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Unknown(String),
}

/// The writer for settings without secret stores.
pub struct NoStores;

#[async_trait]
impl SecretWriter for NoStores {
    fn check(&self, place: &SecretPlace) -> Result<(), String> {
        Err(format!("secret store {} does not exist", place.store))
    }

    fn allows(&self, _: &TenantId, _: &SecretPlace) -> bool {
        false
    }

    async fn write(&self, place: &SecretPlace, _: &Secret) -> Result<String, WriteFailure> {
        Err(WriteFailure::Refused(format!("secret store {} does not exist", place.store)))
    }
}

impl FromStr for SecretPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (store, rest) = text.split_once(':').ok_or(NotAPlace)?;
        let (path, key) = rest.split_once('#').map_or((rest, None), |(path, key)| (path, Some(key)));
        if store.is_empty() || path.is_empty() || key.is_some_and(str::is_empty) {
            return Err(NotAPlace);
        }
        let key = key.map(str::to_owned);
        Ok(Self { store: store.to_owned(), path: path.to_owned(), key })
    }
}

impl SecretPlace {
    /// The error for a tenant that may not have its secrets in this place.
    pub(crate) fn is_not_allowed(&self, tenant: &TenantId) -> String {
        format!(
            "the operator does not allow tenant {tenant} to write secrets to {self}; ask the operator to \
                add the path to the store's `tenant_prefixes`"
        )
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.store, self.path)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_has_store_path_and_optional_key() {
        for (text, expected) in [
            ("vault:oauth2/billing#client_secret", Some(("vault", "oauth2/billing", Some("client_secret")))),
            ("aws:billing", Some(("aws", "billing", None))),
            (
                "aws:arn:aws:secretsmanager:eu-central-1:1:secret:b-x#k",
                Some(("aws", "arn:aws:secretsmanager:eu-central-1:1:secret:b-x", Some("k"))),
            ),
            ("vault", None),
            (":path#key", None),
            ("vault:#key", None),
            ("vault:path#", None),
        ] {
            let place = text.parse::<SecretPlace>().ok();
            let parts =
                place.as_ref().map(|SecretPlace { store, path, key }| (&**store, &**path, key.as_deref()));
            assert_eq!(parts, expected, "{text}");
            assert_eq!(place.map_or_else(|| text.to_owned(), |place| place.to_string()), text);
        }
    }
}
