//! What the operator's files declare, after they were read and checked, before it is compared with the store.

use std::collections::BTreeMap;
use std::fmt;

use keys::ImportedKey;
use protocol::Timestamp;
use registry::{Client, DeclaredPassword};
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
pub struct DeclaredSecret {
    /// The secret itself, which is hashed before it is stored, or only its hash.
    pub password: DeclaredPassword,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
}

/// A hash is not printed either.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
