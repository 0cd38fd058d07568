//! The kinds of sealed values, and the context that each is bound to. A private key is bound to its tenant,
//! number and algorithm, so a row that is moved elsewhere cannot be unsealed.

use std::error::Error;
use std::sync::Arc;

use tenancy::TenantId;

use crate::{KeyAlgorithm, KeyId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealingContext<'a> {
    SigningKey {
        tenant: &'a TenantId,
        id: KeyId,
        algorithm: KeyAlgorithm,
    },
    /// A secret of the whole installation, by name.
    Named(&'a str),
    /// The source files of a configuration, by the digest of their content.
    Sources(&'a [u8; 32]),
    /// The stored answer for an idempotency key.
    IdempotentAnswer {
        /// The tenant that the idempotency key is for.
        tenant: &'a TenantId,
        /// The digest of the idempotency key.
        key: &'a [u8; 32],
    },
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum SealError {
    /// The first byte is not a known format.
    #[error("sealed in a format that this version does not support")]
    UnknownFormat,
    /// The bytes were sealed with another key.
    #[error("sealed with sealing key {sealed_with}, but sealing key {present} is configured")]
    WrongKey {
        /// The required key.
        sealed_with: String,
        /// The available key.
        present: String,
    },
    /// The required key-encryption key is not among the readable keys.
    #[error(
        "sealed with key-encryption key {name:?}, which is not configured; the configured keys are {readable:?}"
    )]
    MissingKey {
        /// The required key.
        name: String,
        /// The available keys.
        readable: Vec<String>,
    },
    /// The key service has no key with that name, or a different key with that name.
    #[error(
        "key-encryption key {name:?} is gone: its service no longer has a key with this name, or has a \
        different key"
    )]
    KeyGone {
        /// The required key.
        name: String,
    },
    /// The key is right, but the bytes are not authentic.
    #[error("changed, truncated or sealed for another purpose")]
    Corrupt,
    #[error("the sealing service is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// There were no random bytes, or the plaintext is too long.
    #[error("the cryptographic library failed")]
    Failed,
}

impl SealingContext<'_> {
    /// The context as associated data. Each field is preceded by its length, so that two contexts never have
    /// the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SigningKey { tenant, id, algorithm } => {
                let number = id.number().to_string();
                length_prefixed(&["signing-key", tenant.as_str(), &number, algorithm.as_str()])
            }
            Self::Named(name) => length_prefixed(&["named", name]),
            // No secret of the installation has a name like this.
            Self::Sources(content) => length_prefixed(&["named", &format!("generation:{}", hex(*content))]),
            Self::IdempotentAnswer { tenant, key } => {
                length_prefixed(&["named", &format!("idempotent answer {tenant} {}", hex(*key))])
            }
        }
    }
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn length_prefixed(fields: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;

    use super::*;

    // [V11 11.3.3]
    #[test]
    fn no_two_contexts_have_the_same_bytes() {
        let tenants = ["a", "a1", "signing-key"].map(|id| TenantId::parse(id).unwrap());
        let mut seen = Vec::new();
        for tenant in &tenants {
            for number in [1, 2, 11] {
                let signing = SigningAlgorithm::ALL.map(KeyAlgorithm::Signing);
                for algorithm in signing.into_iter().chain([KeyAlgorithm::OpaqueTokens]) {
                    let id = KeyId::numbered(number);
                    seen.push(SealingContext::SigningKey { tenant, id, algorithm }.to_bytes());
                }
            }
        }
        seen.extend(["", "a", "pepper", "signing-key"].map(|name| SealingContext::Named(name).to_bytes()));
        for key in [&[1; 32], &[0x10; 32], &[17; 32]] {
            seen.push(SealingContext::Sources(key).to_bytes());
            for tenant in &tenants {
                seen.push(SealingContext::IdempotentAnswer { tenant, key }.to_bytes());
            }
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    /// Values in existing stores were sealed with these contexts.
    #[test]
    fn sources_and_answers_use_named_contexts() {
        let (tenant, bytes) = (TenantId::parse("acme").unwrap(), [0xa5; 32]);
        let digits = "a5".repeat(32);
        for (context, name) in [
            (SealingContext::Sources(&bytes), format!("generation:{digits}")),
            (
                SealingContext::IdempotentAnswer { tenant: &tenant, key: &bytes },
                format!("idempotent answer acme {digits}"),
            ),
        ] {
            assert_eq!(context.to_bytes(), SealingContext::Named(&name).to_bytes());
        }
    }
}
