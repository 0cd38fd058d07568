//! Why a tenant's keys cannot be had. Errors name the tenant and the key, never what is in it.

use tenancy::{StoreError, TenantId};

use crate::{GenerationError, KeyId, KeyRejected, SealError};

/// The keys of a tenant cannot be loaded or made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored key cannot be read: a wrong sealing key, a damaged or a moved row.
    #[error("key {key} of tenant {tenant} does not unseal")]
    Unseal {
        /// Whose key.
        tenant: TenantId,
        /// Which key.
        key: KeyId,
        /// What is wrong.
        source: SealError,
    },
    /// A new key cannot be stored.
    #[error("new key {key} of tenant {tenant} cannot be sealed")]
    Seal {
        /// Whose key.
        tenant: TenantId,
        /// Which key.
        key: KeyId,
        /// What is wrong.
        source: SealError,
    },
    /// A key unsealed but is none for its algorithm.
    #[error("key {key} of tenant {tenant} is unusable")]
    Unusable {
        /// Whose key.
        tenant: TenantId,
        /// Which key.
        key: KeyId,
        /// What is wrong.
        source: KeyRejected,
    },
    /// A key unsealed and is another one than its row says.
    #[error("key {key} of tenant {tenant} has another thumbprint than its row")]
    ThumbprintDiffers {
        /// Whose key.
        tenant: TenantId,
        /// Which key.
        key: KeyId,
    },
    /// No key could be made.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// Others went on adding keys while this one tried.
    #[error("the keys of tenant {tenant} change faster than they can be read")]
    Contended {
        /// Whose keys.
        tenant: TenantId,
    },
    /// The tenant is suspended, and none is made for it.
    #[error("tenant {tenant} has no signing key")]
    NoSigningKey {
        /// Which tenant.
        tenant: TenantId,
    },
}

impl KeyError {
    /// Whether only an operator can mend it, by another sealing key or a backup: trying again will not help.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Unseal { source, .. } | Self::Seal { source, .. } => match source {
                SealError::UnknownFormat
                | SealError::WrongKey { .. }
                | SealError::MissingKey { .. }
                | SealError::Corrupt => true,
                SealError::Unavailable(_) | SealError::Failed => false,
            },
            Self::Unusable { .. } | Self::ThumbprintDiffers { .. } => true,
            Self::Store(_) | Self::Generation(_) | Self::Contended { .. } | Self::NoSigningKey { .. } => {
                false
            }
        }
    }
}
