//! Which tokens a commit revokes. Each interface revokes by its changes alone, so none can forget it.

use std::collections::HashSet;

use registry::{CredentialTag, RevokedSubject};
use tenancy::TenantId;

use crate::kinds::{Kind, match_change};
use crate::{Change, ChangeKind, KeyChangeKind, RowChange, SecretChangeKind};

/// What a commit does to the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationChange {
    /// Whose tokens.
    pub tenant: TenantId,
    /// Which of them.
    pub subject: RevokedSubject,
    /// The account for which a session counts.
    pub account: Option<String>,
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
    each_with_revocations(changes).flat_map(|(_, revocations)| revocations).collect()
}

/// Each of these changes with what it does to tokens. The first password of an account ends nothing.
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
    /// What this change does to tokens.
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
    /// The effect of a step of a row's life. A row that the files leave out for a while is retired, and
    /// serves again as before.
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
