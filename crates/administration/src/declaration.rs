//! The declaration in the operator's files, read and checked, before it is compared with the store.

pub mod compare;
pub mod fingerprint;
pub mod judged_rows;
pub mod outcome;
pub mod plan;
pub(crate) mod plan_view;
pub(crate) mod previous_jwks;
pub(crate) mod previous_typs;
pub mod reconcile;
pub(crate) mod render;

use std::collections::BTreeMap;
use std::fmt;

use registry::{Client, ClientId, DeclaredPassword};
use tenancy::TenantId;
use values::{Lifetime, Secret, Timestamp};

use crate::kinds::DeclaredTenant;

/// Everything that the files declare.
#[derive(Debug, Default)]
pub struct Declaration {
    /// `server.public_url`.
    pub public_url: String,
    /// The tenants by id. Each contains its id as well.
    pub tenants: BTreeMap<TenantId, DeclaredTenant>,
    /// The tenants with secrets that a secret store did not give. They stay as they are.
    pub unread: BTreeMap<TenantId, Vec<UnreadValue>>,
}

/// A secret of a client that a secret store did not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadValue {
    pub client: ClientId,
    /// The error of the secret store.
    pub why: String,
}

/// A client and the secrets that it should have.
#[derive(Debug)]
pub struct DeclaredClient {
    /// The registration, with an empty list of secrets: those that are stored are hashes.
    pub client: Client,
    pub secrets: Vec<DeclaredSecret>,
}

/// A secret as the operator gave it.
pub struct DeclaredSecret {
    /// The secret itself, which is hashed before it is stored, or only its hash.
    pub password: DeclaredPassword,
    pub expires_at: Option<Timestamp>,
    /// How long the secret stays valid whose place it takes.
    pub previous_for: Option<Lifetime>,
    /// The data of a secret store, if the secret comes from one.
    pub stored: Option<StoredSource>,
}

/// The data of a secret store about a secret that was read from it.
pub struct StoredSource {
    /// The names of the store and of the version, for plans and the audit.
    pub version: String,
    /// When the store got this version.
    pub created_at: Timestamp,
    /// The value before, where the store has it.
    pub previous: Option<Secret>,
}

impl DeclaredSecret {
    /// The previous value in the secret store, and its end, if `previous_for` keeps it now.
    pub(crate) fn kept_previous(&self, now: Timestamp) -> Option<(&Secret, Timestamp)> {
        let StoredSource { created_at, previous, .. } = self.stored.as_ref()?;
        let end = *created_at + self.previous_for?;
        previous.as_ref().filter(|_| end > now).map(|previous| (previous, end))
    }
}

/// A hash is not printed either.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
