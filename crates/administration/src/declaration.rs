//! What the operator's files declare, after they were read and checked, before it is compared with the store.

use std::collections::BTreeMap;
use std::fmt;

use protocol::{Lifetime, Timestamp};
use registry::{Client, DeclaredPassword};
use tenancy::TenantId;

use crate::DeclaredTenant;

/// Everything that the files declare.
#[derive(Debug, Default)]
pub struct Declaration {
    /// By id, which each tenant repeats.
    pub tenants: BTreeMap<TenantId, DeclaredTenant>,
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
pub struct DeclaredSecret {
    /// The secret itself, which is hashed before it is stored, or only its hash.
    pub password: DeclaredPassword,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// How long the secret stays valid whose place it takes.
    pub previous_for: Option<Lifetime>,
}

/// A hash is not printed either.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
