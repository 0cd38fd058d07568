//! The steps of an account's life, and the end of what its sign-ins left behind.

use accounts::{Account, AccountId, AccountStatus};
use registry::ClientId;
use sessions::SessionId;
use tenancy::TenantId;

use super::account::{find, find_own};
use super::{Edit, EditContext, declared};
use crate::{AccountView, Change, ChangeKind, EditError, RowChange};

/// A step of an account's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStep {
    /// The person can no longer sign in, and no session or token of the person is valid.
    Suspend,
    /// The person can sign in again.
    Resume,
    /// The failed sign-ins are forgotten.
    Unlock,
    /// Nothing of the person is left but the id, which is not given again.
    Delete,
}

/// A repeated step changes nothing, but a deleted account is not found.
pub(crate) fn step(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
    step: AccountStep,
) -> Result<Edit, EditError> {
    let (_, row) = find(context, names)?;
    context.require_match(|| AccountView::from(row))?;
    let (kind, status) = match step {
        AccountStep::Unlock => return Ok(Edit::of(Change::Unlock(names.0.clone(), names.1.clone()))),
        AccountStep::Suspend => (ChangeKind::Suspended, AccountStatus::Suspended),
        AccountStep::Resume => (ChangeKind::Resumed, AccountStatus::Active),
        AccountStep::Delete if row.lifecycle.is_config_managed() => {
            return Err(declared("account", &row.account.id, "take it out there first"));
        }
        AccountStep::Delete => (ChangeKind::Deleted, AccountStatus::Suspended),
    };
    if row.lifecycle.is_after(kind) {
        return Ok(Edit::default());
    }
    let after = Account { status, ..row.account.clone() };
    Ok(Edit::of(Change::Account(RowChange::of(kind, Some(&row.account), after))))
}

/// Ends all sessions of the account, in every browser.
pub(crate) fn sign_out(context: EditContext<'_>, names: (&TenantId, &AccountId)) -> Result<Edit, EditError> {
    find_own(context, names)?;
    Ok(Edit::of(Change::Sessions(names.0.clone(), names.1.clone(), None)))
}

/// Ends one session of the account.
pub(crate) fn end_session(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
    session: &SessionId,
) -> Result<Edit, EditError> {
    find_own(context, names)?;
    let policy = context.facts.tenant()?.tenant.sign_in.session;
    let mut live = context.facts.sessions.iter().filter(|found| found.is_valid(policy, context.now));
    if !live.any(|found| found.session.id == *session) {
        return Err(EditError::NotFound("session"));
    }
    Ok(Edit::of(Change::Sessions(names.0.clone(), names.1.clone(), Some(session.clone()))))
}

/// Forgets what the account has allowed a client: the person is asked again.
pub(crate) fn revoke_consent(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
    client: &ClientId,
) -> Result<Edit, EditError> {
    find_own(context, names)?;
    if !context.facts.consents.iter().any(|consent| consent.client == *client) {
        return Err(EditError::NotFound("consent"));
    }
    Ok(Edit::of(Change::Consent(names.0.clone(), names.1.clone(), client.clone())))
}
