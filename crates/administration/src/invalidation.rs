//! What caches must forget after a change.

use std::collections::HashSet;

use accounts::AccountId;
use registry::ClientId;
use serde::{Deserialize, Serialize};
use tenancy::TenantId;

use crate::Change;
use crate::revocations::each_with_revocations;

/// A thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Invalidation {
    /// The tenant's own row or its resource servers.
    Tenant(TenantId),
    /// A client or its secrets.
    Client(TenantId, ClientId),
    /// The tenant's keys.
    Keys(TenantId),
    /// What the tenant has revoked.
    Revocations(TenantId),
    /// An account.
    Account(TenantId, AccountId),
}

impl Invalidation {
    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(tenant)
            | Self::Client(tenant, _)
            | Self::Keys(tenant)
            | Self::Account(tenant, _)
            | Self::Revocations(tenant) => tenant,
        }
    }
}

/// What these changes invalidate, each thing once, in the order in which it is first named.
#[must_use]
pub fn invalidations(changes: &[Change]) -> Vec<Invalidation> {
    let mut seen = HashSet::new();
    let all = each_with_revocations(changes).flat_map(|(change, revocations)| {
        let revoked = (!revocations.is_empty()).then(|| Invalidation::Revocations(change.tenant().clone()));
        change.invalidation().into_iter().chain(revoked)
    });
    all.filter(|invalidation| seen.insert(invalidation.clone())).collect()
}

impl Change {
    /// The row that this change invalidates, if any.
    #[must_use]
    pub fn invalidation(&self) -> Option<Invalidation> {
        let tenant = self.tenant().clone();
        Some(match self {
            Self::Tenant(_) | Self::ResourceServer(..) => Invalidation::Tenant(tenant),
            Self::Client(row) => Invalidation::Client(tenant, row.after.id.clone()),
            Self::Account(row) => Invalidation::Account(tenant, row.after.id.clone()),
            Self::AccountPassword(_, account, _)
            | Self::Sessions(_, account, None)
            | Self::Unlock(_, account) => Invalidation::Account(tenant, account.clone()),
            // No cache holds applications.
            Self::Application(_) => return None,
            Self::Secret(_, client, _) => Invalidation::Client(tenant, client.clone()),
            Self::FirstKey(..) | Self::Key(..) => Invalidation::Keys(tenant),
            // No cache holds sessions or what people have allowed.
            Self::Sessions(_, _, Some(_)) | Self::Consent(..) | Self::Tokens(..) => return None,
        })
    }
}
