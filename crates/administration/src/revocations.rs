//! The tokens that a commit revokes. They follow from the changes alone, so no interface can forget them.

use std::collections::HashSet;

use registry::{CredentialTag, RevokedSubject};
use tenancy::TenantId;

use crate::kinds::{Kind, match_change};
use crate::{Change, ChangeKind, KeyChangeKind, RowChange, SecretChangeKind};

/// The effect of a commit on the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChange {
    /// The tenant of the tokens.
    pub tenant: TenantId,
    /// Which of them.
    pub subject: RevokedSubject,
    /// The account for which a session counts.
    pub account: Option<String>,
    /// The kind of change.
    pub effect: RevocationEffect,
}

/// The effect on the tokens of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationEffect {
    /// The tokens that were issued until now are invalid.
    Issued,
    /// Also invalid are the tokens that a replica issues before it learns that the subject has ended.
    Ended,
    /// The subject has not ended any more: later tokens are valid.
    Resumed,
}

/// The effects of these changes, in their order.
pub(crate) fn revocations(changes: &[Change]) -> Vec<RevocationChange> {
    each_with_revocations(changes).flat_map(|(_, revocations)| revocations).collect()
}

/// Each of these changes with its effect on tokens. The first password of an account ends nothing.
pub(crate) fn each_with_revocations(
    changes: &[Change],
) -> impl Iterator<Item = (&Change, Vec<RevocationChange>)> {
    let added = changes.iter().filter_map(|change| match change {
        Change::Account(row) if row.kind == ChangeKind::Added => Some((&row.after.tenant, &row.after.id)),
        _ => None,
    });
    let added: HashSet<_> = added.collect();
    changes.iter().map(move |change| match change {
        Change::AccountPassword(tenant, account, _) if added.contains(&(tenant, account)) => {
            (change, Vec::new())
        }
        _ => (change, change.revocations()),
    })
}

impl Change {
    /// The effect of this change on tokens.
    fn revocations(&self) -> Vec<RevocationChange> {
        use RevocationEffect::{Ended, Issued, Resumed};
        let of = |effect, subject| RevocationChange {
            tenant: self.tenant().clone(),
            subject,
            account: None,
            effect,
        };
        match_change! { self,
            row => Kind::revoked(row).into_iter().map(|(effect, subject)| of(effect, subject)).collect(),
            Self::Secret(tenant, client, secret) => {
                let effect = match secret.kind {
                    SecretChangeKind::Revoked => Ended,
                    SecretChangeKind::Restored { .. } => Resumed,
                    SecretChangeKind::Added { .. }
                    | SecretChangeKind::Rescheduled { .. }
                    | SecretChangeKind::Removed => {
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
            Self::AccountPassword(_, account, _) | Self::Sessions(_, account, None) => {
                vec![of(Issued, RevokedSubject::Account(account.as_str().to_owned()))]
            }
            Self::Sessions(_, account, Some(session)) => {
                let account = Some(account.as_str().to_owned());
                let subject = RevokedSubject::Session(session.as_str().to_owned());
                vec![RevocationChange { account, ..of(Issued, subject) }]
            }
            Self::Consent(_, account, client) => {
                let subject = RevokedSubject::Consent(client.clone(), account.as_str().to_owned());
                vec![of(Issued, subject)]
            }
            Self::FirstKey(..) | Self::Unlock(..) | Self::PasswordLink(..) => Vec::new(),
        }
    }
}

impl<T> RowChange<T> {
    /// The effect of a step in a row's life. A row that the files no longer declare is retired. It serves
    /// again as before when it is declared again.
    pub(crate) const fn effect(&self) -> Option<RevocationEffect> {
        match self.kind {
            ChangeKind::Suspended
            | ChangeKind::DeletionScheduled { .. }
            | ChangeKind::Deleted
            | ChangeKind::Revoked => Some(RevocationEffect::Ended),
            ChangeKind::Resumed | ChangeKind::DeletionCancelled => Some(RevocationEffect::Resumed),
            ChangeKind::Restricted => Some(RevocationEffect::Issued),
            ChangeKind::Added | ChangeKind::Changed | ChangeKind::Retired | ChangeKind::Restored => None,
        }
    }
}
