//! Creates and changes an account, and sets its password.

use accounts::{Account, AccountId, AccountPassword};
use serde_json::Value;
use tenancy::TenantId;

use super::{Edit, EditContext, declared, ok_unless_errors, patched};
use crate::rules::{FieldErrors, keep_verification, password_context};
use crate::{
    AccountSettings, AccountState, AccountView, Change, ChangeKind, EditError, NewPassword, PasswordChange,
    Permission, RowChange, SecretForm, TenantState, check_account,
};

/// The account to create.
#[derive(Debug)]
pub(crate) struct NewAccountRow<'a> {
    pub(crate) id: AccountId,
    pub(crate) settings: &'a AccountSettings,
}

/// An account without a password, and what a stranger would try first as its password.
pub(crate) fn create(
    context: EditContext<'_>,
    tenant: &TenantId,
    new: &NewAccountRow<'_>,
) -> Result<(Edit, Vec<String>), EditError> {
    context.by.require_in(tenant, Permission::Accounts)?;
    let state = context.facts.tenant()?;
    require_accounts(state)?;
    let account = checked(context, state, &new.id, new.settings)?;
    let words = password_context(&state.tenant, &account);
    Ok((Edit::of(Change::Account(RowChange::of(ChangeKind::Added, None, account))), words))
}

/// Refuses the tenant that has no accounts.
pub(super) fn require_accounts(state: &TenantState) -> Result<(), EditError> {
    if state.tenant.id.as_str() == TenantId::PLATFORM {
        let message = "the tenant `platform` has no accounts: its administrators are clients";
        return Err(EditError::Conflict(message.to_owned()));
    }
    Ok(())
}

/// Changes what the merge patch names.
pub(crate) fn patch(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
    patch: &Value,
) -> Result<Edit, EditError> {
    let (state, row) = find_to_change(context, names)?;
    context.require_match(|| AccountView::from(row))?;
    let settings = patched(&AccountSettings::from(&row.account), patch, AccountSettings::read)?;
    let mut after = checked(context, state, names.1, &settings)?;
    keep_verification(&row.account, &mut after);
    let before = &row.account;
    (after.status, after.valid_from) = (before.status, before.valid_from);
    after.password_changed_at = before.password_changed_at;
    let change = RowChange::between(Some((before, &row.lifecycle)), after);
    Ok(change.map_or_else(Edit::default, |change| Edit::of(Change::Account(change))))
}

/// What a stranger would try first as the password of an account that may get another one.
pub(crate) fn words(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
) -> Result<Vec<String>, EditError> {
    let (state, row) = find_to_change(context, names)?;
    context.require_match(|| AccountView::from(row))?;
    Ok(password_context(&state.tenant, &row.account))
}

/// A password that a person chose. Sessions under the one before end.
pub(crate) fn set_password(
    context: EditContext<'_>,
    names: (&TenantId, &AccountId),
    password: AccountPassword,
) -> Result<Edit, EditError> {
    let (_, row) = find_to_change(context, names)?;
    context.require_match(|| AccountView::from(row))?;
    Ok(with_password(names, password, SecretForm::Chosen))
}

/// The edit of a password, also of an account that the same commit adds.
pub(crate) fn with_password(
    (tenant, account): (&TenantId, &AccountId),
    password: AccountPassword,
    form: SecretForm,
) -> Edit {
    let change = PasswordChange::Set(form);
    let mut edit = Edit::of(Change::AccountPassword(tenant.clone(), account.clone(), change));
    let (tenant, account, password) = (tenant.clone(), account.clone(), Some(password));
    edit.passwords.push(NewPassword { tenant, account, password, declared_digest: None });
    edit
}

/// The account, unless it is deleted.
pub(super) fn find<'a>(
    context: EditContext<'a>,
    (tenant, account): (&TenantId, &AccountId),
) -> Result<(&'a TenantState, &'a AccountState), EditError> {
    context.by.require_in(tenant, Permission::Accounts)?;
    let state = context.facts.tenant()?;
    Ok((state, state.account(account)?))
}

/// The account for what its person may do, too.
pub(super) fn find_own<'a>(
    context: EditContext<'a>,
    (tenant, account): (&TenantId, &AccountId),
) -> Result<&'a AccountState, EditError> {
    context.by.require_account(tenant, account)?;
    context.facts.tenant()?.account(account)
}

/// The account, unless the operator's files declare it.
pub(super) fn find_to_change<'a>(
    context: EditContext<'a>,
    names: (&TenantId, &AccountId),
) -> Result<(&'a TenantState, &'a AccountState), EditError> {
    let (state, row) = find(context, names)?;
    if row.lifecycle.is_config_managed() {
        return Err(declared("account", &row.account.id, "change it there"));
    }
    Ok((state, row))
}

/// The account of these settings, whose names no other account has.
fn checked(
    context: EditContext<'_>,
    state: &TenantState,
    id: &AccountId,
    settings: &AccountSettings,
) -> Result<Account, EditError> {
    let mut errors = FieldErrors::default();
    let account = check_account(&mut errors, &state.tenant.id, id, settings, context.now);
    let account = ok_unless_errors(account, errors.into_vec())?;
    let others = || state.accounts.iter().map(|row| &row.account).filter(|other| other.id != *id);
    for held in &account.identifiers {
        let has = |other: &Account| other.identifiers.iter().any(|of| of.identifier == held.identifier);
        if let Some(owner) = others().find(|other| has(other)) {
            let kind = held.identifier.kind();
            return Err(EditError::Conflict(format!("account {} has this {kind} already", owner.id)));
        }
    }
    if let Some(external_id) = &account.external_id
        && let Some(owner) = others().find(|other| other.external_id.as_ref() == Some(external_id))
    {
        return Err(EditError::Conflict(format!("account {} has this external_id already", owner.id)));
    }
    Ok(account)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_states::{
        NOW, account, ask, described, facts, of_platform, of_tenant, of_user, operator, state, tenant_id,
    };
    use super::super::{AccountStep, Facts, end_session, revoke_consent, sign_out, step_account};
    use super::*;
    use crate::{Authority, ManagedBy};

    fn ada() -> AccountId {
        AccountId::from_bytes([1; 16])
    }

    /// The tenant `t` with Ada, changed like this, and Bob.
    fn rows(change: impl Fn(&mut AccountState)) -> Facts {
        let mut state = state("t");
        state.accounts = vec![account("t", 1, "ada@example.com"), account("t", 2, "bob@example.com")];
        change(&mut state.accounts[0]);
        facts(state)
    }

    fn created(by: &Authority, tenant: &str, document: Value) -> String {
        let settings = AccountSettings::read(document).unwrap();
        let (facts, row) =
            (facts(state(tenant)), NewAccountRow { id: AccountId::from_bytes([3; 16]), settings: &settings });
        described(
            ask(by, |context| create(context.on(&facts), &tenant_id(tenant), &row)).map(|(edit, _)| edit),
        )
    }

    fn patched_by(by: &Authority, change: impl Fn(&mut AccountState), merge: Value) -> String {
        let facts = rows(change);
        described(ask(by, |context| patch(context.on(&facts), (&tenant_id("t"), &ada()), &merge)))
    }

    #[test]
    fn only_holders_of_latchkey_accounts_touch_accounts_of_their_tenants() {
        let forbidden = "forbidden: latchkey:accounts";
        let others = "latchkey:tenants latchkey:clients latchkey:keys latchkey:audit";
        for by in
            [of_platform(others), of_tenant("t", others), of_tenant("u", "latchkey:accounts"), of_user("t")]
        {
            assert_eq!(created(&by, "t", json!({ "username": "eve" })), forbidden);
            let names = (&tenant_id("t"), &ada());
            // What is not there answers as what is.
            for facts in [rows(|_| {}), Facts::default()] {
                let session = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
                let edits = ask(&by, |context| {
                    let context = context.on(&facts);
                    [
                        patch(context, names, &json!({})),
                        step_account(context, names, AccountStep::Suspend),
                        step_account(context, names, AccountStep::Delete),
                        sign_out(context, names),
                        end_session(context, names, &session),
                        revoke_consent(context, names, &registry::ClientId::parse("web").unwrap()),
                        words(context, names).map(|_| Edit::default()),
                    ]
                });
                for edit in edits {
                    assert_eq!(described(edit), forbidden, "{by:?}");
                }
            }
        }
        for by in [of_platform("latchkey:accounts"), of_tenant("t", "latchkey:accounts"), operator()] {
            assert!(created(&by, "t", json!({ "username": "eve" })).ends_with(" added"));
        }
    }

    #[test]
    fn a_person_signs_its_own_account_out_and_changes_nothing_of_it() {
        let facts = rows(|_| {});
        let holder = |tenant, number| {
            let account = AccountId::from_bytes([number; 16]);
            let signed_in = sessions::SignedIn::for_tests(tenant_id(tenant), account, NOW);
            Authority::of_account_holder(&signed_in, None)
        };
        for (by, may) in [(holder("t", 1), true), (holder("t", 2), false), (holder("u", 1), false)] {
            let names = (&tenant_id("t"), &ada());
            let forbidden = |edit| described(edit) == "forbidden: latchkey:accounts";
            let session = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
            let client = registry::ClientId::parse("web").unwrap();
            let [out, ended, revoked] = ask(&by, |context| {
                let context = context.on(&facts);
                [
                    sign_out(context, names),
                    end_session(context, names, &session),
                    revoke_consent(context, names, &client),
                ]
            });
            assert_eq!(out.is_ok(), may);
            assert_eq!([forbidden(ended), forbidden(revoked)], [!may, !may]);
            let changes = ask(&by, |context| {
                let context = context.on(&facts);
                [
                    patch(context, names, &json!({})),
                    step_account(context, names, AccountStep::Suspend),
                    step_account(context, names, AccountStep::Delete),
                    words(context, names).map(|_| Edit::default()),
                ]
            });
            assert!(changes.into_iter().all(forbidden));
            assert!(created(&by, "t", json!({ "username": "eve" })).starts_with("forbidden"));
        }
    }

    #[test]
    fn an_account_has_names_of_its_own_and_the_platform_has_none() {
        assert_eq!(created(&operator(), "platform", json!({ "username": "eve" })), "conflict");
        let by = operator();
        assert_eq!(patched_by(&by, |_| {}, json!({ "email": "bob@example.com" })), "conflict");
        let changed = format!("{} changed", ada());
        assert_eq!(patched_by(&by, |_| {}, json!({ "email": "eve@example.com" })), changed);
        assert_eq!(patched_by(&by, |_| {}, json!({ "email": "ADA@example.com" })), "", "that is the same");
        assert_eq!(patched_by(&by, |_| {}, json!({ "email": null })), "all of it");
        assert_eq!(patched_by(&by, |_| {}, json!(1)), "all of it");
    }

    #[test]
    fn the_files_own_what_they_declare_and_what_is_gone_is_gone() {
        let by = operator();
        let declared = |row: &mut AccountState| row.lifecycle.managed_by = ManagedBy::Config;
        let deleted = |row: &mut AccountState| row.lifecycle.deleted_at = Some(NOW);
        assert_eq!(patched_by(&by, declared, json!({ "groups": ["a"] })), "conflict");
        assert_eq!(patched_by(&by, deleted, json!({ "groups": ["a"] })), "there is no account of this id");
        let stepped = |change: &dyn Fn(&mut AccountState), step| {
            let facts = rows(change);
            described(ask(&by, |context| step_account(context.on(&facts), (&tenant_id("t"), &ada()), step)))
        };
        let suspended = |row: &mut AccountState| row.lifecycle.suspended_at = Some(NOW);
        assert_eq!(stepped(&declared, AccountStep::Suspend), format!("{} suspended", ada()));
        assert_eq!(stepped(&declared, AccountStep::Delete), "conflict");
        assert_eq!(stepped(&|_| {}, AccountStep::Delete), format!("{} deleted", ada()));
        assert_eq!(stepped(&suspended, AccountStep::Suspend), "", "a step may be sent again");
        assert_eq!(stepped(&suspended, AccountStep::Resume), format!("{} resumed", ada()));
        assert_eq!(stepped(&deleted, AccountStep::Resume), "there is no account of this id");
    }
}
