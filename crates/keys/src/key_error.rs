//! Why a tenant's keys are unavailable. Errors name tenant and key, never the content.

use tenancy::{StoreError, TenantId};
use values::{causes, with_commands};

use crate::{GenerationError, KeyId, KeyRejected, SealError};

#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored key cannot be unsealed: wrong sealing key, or a damaged or moved row.
    #[error("cannot unseal key {key} of tenant {tenant}")]
    Unseal { tenant: TenantId, key: KeyId, source: SealError },
    /// A new key cannot be sealed.
    #[error("cannot seal new key {key} of tenant {tenant}")]
    Seal { tenant: TenantId, key: KeyId, source: SealError },
    /// An unsealed key is not valid for its algorithm.
    #[error("cannot use key {key} of tenant {tenant}")]
    Unusable { tenant: TenantId, key: KeyId, source: KeyRejected },
    /// An unsealed key does not match the thumbprint in its row.
    #[error("the thumbprint of key {key} of tenant {tenant} does not match its row")]
    ThumbprintDiffers { tenant: TenantId, key: KeyId },
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// Other replicas added keys during all attempts.
    #[error("the keys of tenant {tenant} change faster than Latchkey can read them")]
    Contended { tenant: TenantId },
    /// Another replica has just created the key of an opaque token.
    #[error("this replica has not read key {key} of tenant {tenant} yet")]
    NotReadYet { tenant: TenantId, key: KeyId },
    /// The tenant is suspended and has no signing key.
    #[error("tenant {tenant} has no signing key")]
    NoSigningKey { tenant: TenantId },
}

impl KeyError {
    /// Whether only an operator can fix the error, with another sealing key or a backup. A retry does not
    /// help.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Unseal { source, .. } | Self::Seal { source, .. } => match source {
                SealError::UnknownFormat
                | SealError::WrongKey { .. }
                | SealError::MissingKey { .. }
                | SealError::KeyGone { .. }
                | SealError::Corrupt => true,
                SealError::Unavailable(_) | SealError::Failed => false,
            },
            Self::Unusable { .. } | Self::ThumbprintDiffers { .. } => true,
            Self::Store(_)
            | Self::Generation(_)
            | Self::Contended { .. }
            | Self::NotReadYet { .. }
            | Self::NoSigningKey { .. } => false,
        }
    }

    /// The error with its causes and a hint on one line. Show it only to operators, because it names sealing
    /// keys and where they are.
    #[must_use]
    pub fn in_full(&self) -> String {
        let text = causes(self);
        match self.hint() {
            Some(hint) => format!("{text}; {hint}"),
            None => text,
        }
    }

    fn hint(&self) -> Option<String> {
        let (tenant, key, hint) = match self {
            Self::Unseal { tenant, key, source } => match source {
                SealError::MissingKey { .. } | SealError::WrongKey { .. } => {
                    (tenant, key, "add that sealing key to keys.former_sealing_keys and restart")
                }
                SealError::KeyGone { .. } => (tenant, key, "restore that sealing key in its service"),
                SealError::UnknownFormat | SealError::Corrupt => {
                    (tenant, key, "restore the row from a backup")
                }
                SealError::Unavailable(_) | SealError::Failed => return None,
            },
            Self::Unusable { tenant, key, .. } | Self::ThumbprintDiffers { tenant, key } => {
                (tenant, key, "restore the row from a backup")
            }
            _ => return None,
        };
        let lost = with_commands(
            "if it is lost, replace the key with `latchkey key revoke TENANT KEY`",
            &[("TENANT", tenant.as_str()), ("KEY", &key.to_string())],
        );
        Some(format!("{hint}; {lost}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[track_caller]
    fn check(source: SealError, expected: &str) {
        let (tenant, key) = (TenantId::parse("acme").unwrap(), KeyId::numbered(3));
        let text = KeyError::Unseal { tenant, key, source }.in_full();
        let expected = format!("cannot unseal key oauth2-key-3 of tenant acme: {expected}");
        assert_eq!(text, expected);
    }

    #[test]
    fn error_names_the_missing_key_and_the_remedy() {
        let lost = "; if it is lost, replace the key with `latchkey key revoke acme oauth2-key-3`";
        let missing =
            SealError::MissingKey { name: "vault:a/transit/b".into(), readable: vec!["c0ffee".into()] };
        check(
            missing,
            &format!(
                "sealed with key-encryption key \"vault:a/transit/b\", which is not configured; the configured keys are [\"c0ffee\"]; \
                 add that sealing key to keys.former_sealing_keys and restart{lost}"
            ),
        );
        check(
            SealError::KeyGone { name: "vault:a/transit/b version 2".into() },
            &format!(
                "key-encryption key \"vault:a/transit/b version 2\" is gone: its service no longer has a key with this name, or has a different key; \
                 restore that sealing key in its service{lost}"
            ),
        );
        check(
            SealError::Corrupt,
            &format!("changed, truncated or sealed for another purpose; restore the row from a backup{lost}"),
        );
        let down = SealError::Unavailable(Arc::new(std::io::Error::other("vault does not answer")));
        check(down, "the sealing service is unavailable: vault does not answer");
    }
}
