//! Which tokens a commit revokes. Each interface revokes by its changes alone, so none can forget it.

use registry::{CredentialTag, RevokedSubject, removed_keys};
use tenancy::TenantId;

use crate::{Change, ChangeKind, KeyChangeKind, RowChange, SecretChangeKind};

/// What a commit does to the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChange {
    /// Whose tokens.
    pub tenant: TenantId,
    /// Which of them.
    pub subject: RevokedSubject,
    /// What happens.
    pub effect: RevocationEffect,
}

/// What happens to the tokens of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationEffect {
    /// Those that were issued until now are invalid.
    Issued,
    /// Those as well that a replica issues before it learns that the subject has ended.
    Ended,
    /// The subject has not ended any more: later tokens are valid.
    Resumed,
}

/// What these changes do, in their order.
#[must_use]
pub fn revocations(changes: &[Change]) -> Vec<RevocationChange> {
    changes.iter().flat_map(Change::revocations).collect()
}

impl Change {
    /// What this change does to tokens.
    pub(crate) fn revocations(&self) -> Vec<RevocationChange> {
        use RevocationEffect::{Ended, Issued, Resumed};
        let of = |effect, subject| RevocationChange { tenant: self.tenant().clone(), subject, effect };
        match self {
            Self::Tenant(row) => Vec::from_iter(effect(row).map(|effect| of(effect, RevokedSubject::Tenant))),
            Self::Client(row) => {
                let (tenant, id) = (&row.after.tenant, &row.after.id);
                let own = effect(row).map(|effect| of(effect, RevokedSubject::Client(id.clone())));
                let before = row.before.as_ref().and_then(|before| before.keys.as_ref());
                let tag = |thumbprint| {
                    RevokedSubject::Credential(id.clone(), CredentialTag::of_key(tenant, id, thumbprint))
                };
                // What the client publishes from now on may be the same keys.
                let gone = if row.after.jwks_uri.is_some() { Issued } else { Ended };
                let removed = removed_keys(before, row.after.keys.as_ref()).map(|key| of(gone, tag(key)));
                let added = removed_keys(row.after.keys.as_ref(), before).map(|key| of(Resumed, tag(key)));
                own.into_iter().chain(removed).chain(added).collect()
            }
            Self::Secret(tenant, client, secret) => {
                let effect = match secret.kind {
                    SecretChangeKind::Revoked => Ended,
                    SecretChangeKind::Restored { .. } => Resumed,
                    SecretChangeKind::Added { .. } | SecretChangeKind::Rescheduled { .. } => {
                        return Vec::new();
                    }
                };
                let tag = CredentialTag::of_secret(tenant, client, &secret.id);
                vec![of(effect, RevokedSubject::Credential(client.clone(), tag))]
            }
            Self::Key(_, key) => match key.kind {
                KeyChangeKind::Revoked { .. } => {
                    vec![of(Ended, RevokedSubject::SigningKey(key.id.to_string()))]
                }
                KeyChangeKind::Announced { .. }
                | KeyChangeKind::Rescheduled { .. }
                | KeyChangeKind::Destroyed => Vec::new(),
            },
            Self::Tokens(_, None) => vec![of(Issued, RevokedSubject::Tenant)],
            Self::Tokens(_, Some(client)) => vec![of(Issued, RevokedSubject::Client(client.clone()))],
            // Of accounts `valid_from` decides.
            Self::ResourceServer(..)
            | Self::FirstKey(..)
            | Self::Application(_)
            | Self::Account(_)
            | Self::AccountPassword(..)
            | Self::Sessions(..)
            | Self::Consent(..) => Vec::new(),
        }
    }
}

/// The effect of a step of a row's life. A row that the files leave out for a while is retired, and serves again as before.
fn effect<T>(row: &RowChange<T>) -> Option<RevocationEffect> {
    match row.kind {
        ChangeKind::Suspended | ChangeKind::DeletionScheduled { .. } | ChangeKind::Deleted => {
            Some(RevocationEffect::Ended)
        }
        ChangeKind::Resumed | ChangeKind::DeletionCancelled => Some(RevocationEffect::Resumed),
        ChangeKind::Added | ChangeKind::Changed | ChangeKind::Retired | ChangeKind::Restored => None,
    }
}
