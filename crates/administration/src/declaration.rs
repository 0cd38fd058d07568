//! What the operator's files declare, after they were read and checked, before it is compared with the store.

use std::collections::BTreeMap;
use std::fmt;

use accounts::Account;
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
    /// Its accounts.
    pub accounts: Vec<DeclaredAccount>,
    /// The first key, instead of a generated one.
    pub first_key: Option<ImportedKey>,
}

/// An account and its password.
pub struct DeclaredAccount {
    /// Its name in the file, from which its id is derived.
    pub name: String,
    /// Its fields. When an identifier was verified only the store knows: here it says whether it is.
    pub account: Account,
    /// Its password, which is hashed before it is stored, or only a hash.
    pub password: Option<DeclaredPassword>,
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

/// No data of a person is printed.
impl fmt::Debug for DeclaredAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A hash is not printed either.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
