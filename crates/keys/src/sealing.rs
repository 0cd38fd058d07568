//! What is sealed, and the context to which sealed bytes are bound: a private key belongs to one tenant, identifier
//! and algorithm, and a row moved elsewhere does not unseal there.

use std::error::Error;
use std::sync::Arc;

use protocol::SigningAlgorithm;
use tenancy::TenantId;

use crate::{KeyId, SealingKeyId};

/// What is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealingContext<'a> {
    /// The private key of a tenant.
    SigningKey {
        /// Whose it is.
        tenant: &'a TenantId,
        /// Which of the tenant's keys.
        id: KeyId,
        /// What it signs with.
        algorithm: SigningAlgorithm,
    },
    /// A secret of the whole installation, by its name.
    Named(&'a str),
    /// What a configuration was read from, by the digest of its content.
    Sources(&'a [u8; 32]),
    /// What was answered to an idempotency key.
    IdempotentAnswer {
        /// Under whom it is kept.
        tenant: &'a TenantId,
        /// Digest of the idempotency key.
        key: &'a [u8; 32],
    },
}

/// Sealed bytes could not be made or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SealError {
    /// The first byte names another format.
    #[error("sealed in a format that this version does not know")]
    UnknownFormat,
    /// Another key has sealed them.
    #[error("sealed with sealing key {sealed_with}, but sealing key {present} is configured")]
    WrongKey {
        /// The key that is needed.
        sealed_with: SealingKeyId,
        /// The key that there is.
        present: SealingKeyId,
    },
    /// A key-encryption key has sealed them that is not among the readable ones.
    #[error("sealed with key-encryption key {name:?}, which is not configured; readable are {readable:?}")]
    MissingKey {
        /// The key that is needed.
        name: String,
        /// The keys that there are.
        readable: Vec<String>,
    },
    /// The service that should hold the key-encryption key has none of that name, or another one.
    #[error("key-encryption key {name:?} is gone: its service has none of that name, or another one")]
    KeyGone {
        /// The key that is needed.
        name: String,
    },
    /// The right key, but the bytes do not authenticate.
    #[error("altered, cut off or sealed for something else")]
    Corrupt,
    /// A sealing service did not answer.
    #[error("the sealing service is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// No random bytes, or more plaintext than the cipher takes.
    #[error("the cryptographic library failed")]
    Failed,
}

impl SealingContext<'_> {
    /// The context as associated data. Each field is preceded by its length, so no two contexts have the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SigningKey { tenant, id, algorithm } => {
                let number = id.number().to_string();
                length_prefixed(&["signing-key", tenant.as_str(), &number, algorithm.as_str()])
            }
            Self::Named(name) => length_prefixed(&["named", name]),
            // No secret of the installation has a name like these.
            Self::Sources(content) => length_prefixed(&["named", &format!("generation:{}", hex(content))]),
            Self::IdempotentAnswer { tenant, key } => {
                length_prefixed(&["named", &format!("idempotent answer {tenant} {}", hex(key))])
            }
        }
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn length_prefixed(fields: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_contexts_have_the_same_bytes() {
        let tenants = ["a", "a1", "signing-key"].map(|id| TenantId::parse(id).unwrap());
        let mut seen = Vec::new();
        for tenant in &tenants {
            for number in [1, 2, 11] {
                for algorithm in SigningAlgorithm::ALL {
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

    /// What is in a store was sealed for these bytes.
    #[test]
    fn sources_and_answers_are_sealed_under_names() {
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
