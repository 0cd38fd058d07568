//! The declaration in the operator's files, after it was read and checked, and before it is compared with the
//! store.

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
    /// The tenants by id. Each tenant contains its id as well.
    pub tenants: BTreeMap<TenantId, DeclaredTenant>,
    /// Secrets that could not be read from a secret store. Their tenants stay unchanged.
    pub unread: BTreeMap<TenantId, Vec<UnreadValue>>,
}

/// A secret of a client that could not be read from a secret store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadValue {
    pub client: ClientId,
    pub why: String,
}

/// A client and the secrets that it should have.
#[derive(Debug)]
pub struct DeclaredClient {
    /// The registration. Its list of secrets is empty, because a registration contains only hashes.
    pub client: Client,
    pub secrets: Vec<DeclaredSecret>,
}

pub struct DeclaredSecret {
    /// The secret itself, which is hashed before it is stored, or only its hash.
    pub password: DeclaredPassword,
    pub expires_at: Option<Timestamp>,
    /// How long the secret that this one replaces stays valid.
    pub previous_for: Option<Lifetime>,
    /// What the secret store says about the secret, if the secret comes from a store.
    pub stored: Option<StoredSource>,
}

/// What a secret store says about a secret that was read from it.
pub struct StoredSource {
    /// The names of the store and of the version, for plans and the audit.
    pub version: String,
    /// When the store got this version.
    pub created_at: Timestamp,
    /// The previous value, if the store has one.
    pub previous: Option<Secret>,
}

impl DeclaredSecret {
    /// The previous value in the secret store, and when it expires, if `previous_for` keeps it valid now.
    pub(crate) fn kept_previous(&self, now: Timestamp) -> Option<(&Secret, Timestamp)> {
        let StoredSource { created_at, previous, .. } = self.stored.as_ref()?;
        let end = *created_at + self.previous_for?;
        previous.as_ref().filter(|_| end > now).map(|previous| (previous, end))
    }
}

/// Prints neither secret nor hash.
impl fmt::Debug for DeclaredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
