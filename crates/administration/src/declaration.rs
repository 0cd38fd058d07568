//! What the operator's files declare, after they were read and checked, before it is compared with the store.

use std::collections::BTreeMap;
use std::fmt;

use keys::ImportedKey;
use protocol::{Secret, Timestamp};
use registry::Client;
use tenancy::{Tenant, TenantId};

/// Everything that the files declare.
#[derive(Debug, Default)]
pub struct Declaration {
    /// By id, which each tenant repeats.
    pub tenants: BTreeMap<TenantId, DeclaredTenant>,
}

/// A tenant with all that belongs to it.
#[derive(Debug)]
pub struct DeclaredTenant {
    /// Identity, policies and resource servers. Its status is active and it has no former `typ`: a file knows neither.
    pub tenant: Tenant,
    /// Its clients, each id once.
    pub clients: Vec<DeclaredClient>,
    /// The first key, instead of a generated one.
    pub first_key: Option<ImportedKey>,
}

/// A client and the secrets that it should have.
#[derive(Debug)]
pub struct DeclaredClient {
    /// The registration, with an empty list of secrets: those that are stored are hashes.
    pub client: Client,
    /// Its secrets.
    pub secrets: Vec<DeclaredSecret>,
}

/// A secret as the operator gave it.
pub enum DeclaredSecret {
    /// The secret itself.
    Value {
        /// Hashed before it is stored.
        secret: Secret,
        /// When it expires.
        expires_at: Option<Timestamp>,
    },
    /// Only its hash.
    Hash {
        /// As `secrets::SecretHash` reads it.
        phc: String,
        /// When it expires.
        expires_at: Option<Timestamp>,
    },
}

/// A hash is not printed either.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Value { .. } => "DeclaredSecret::Value",
            Self::Hash { .. } => "DeclaredSecret::Hash",
        };
        f.debug_struct(kind).field("expires_at", &self.expires_at()).finish_non_exhaustive()
    }
}

impl DeclaredSecret {
    /// When it expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Value { expires_at, .. } | Self::Hash { expires_at, .. } => *expires_at,
        }
    }
}
