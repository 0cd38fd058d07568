//! The cache entries that a change invalidates.

use std::collections::HashSet;

use crate::kinds::{Kind, match_change};
use crate::revocations::each_with_revocations;
use crate::{Change, Invalidation};

/// The rows that these changes invalidate, each once, in the order of their first change.
pub(crate) fn invalidations(changes: &[Change]) -> Vec<Invalidation> {
    let mut seen = HashSet::new();
    let all = each_with_revocations(changes).flat_map(|(change, revocations)| {
        let revoked = (!revocations.is_empty()).then(|| Invalidation::Revocations(change.tenant().clone()));
        change.invalidation().into_iter().chain(revoked)
    });
    all.filter(|invalidation| seen.insert(invalidation.clone())).collect()
}

impl Change {
    /// The row that this change invalidates, if any.
    fn invalidation(&self) -> Option<Invalidation> {
        let tenant = self.tenant().clone();
        Some(match_change! { self,
            row => return Kind::invalidation(row, tenant),
            Self::AccountPassword(_, account, _)
            | Self::Sessions(_, account, None)
            | Self::PasswordLink(_, account)
            | Self::Unlock(_, account) => Invalidation::Account(tenant, account.clone()),
            Self::Secret(_, client, _) => Invalidation::Client(tenant, client.clone()),
            Self::FirstKey(..) | Self::Key(..) => Invalidation::Keys(tenant),
            // No cache holds sessions or what people have allowed.
            Self::Sessions(_, _, Some(_)) | Self::Consent(..) | Self::Tokens(..) => return None,
        })
    }
}
