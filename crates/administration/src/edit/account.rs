//! Creates and changes an account, sets its password, changes its status, and ends its sessions and consents.

use accounts::{
    Account, AccountCode, AccountId, AccountIdentifier, AccountPassword, AccountStatus, CodePurpose,
    EmailAddress, Identifier,
};
use registry::ClientId;
use serde_json::Value;
use sessions::SessionId;
use tenancy::TenantId;

use super::privilege::{gained, require_account, require_gained, require_successor};
use super::{Edit, EditContext, Edited, declared, ok_unless_errors, patched};
use crate::documents::{AccountSettings, AccountView};
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::authority::Authority;
use crate::kinds::change::ChangeKind;
use crate::kinds::keep_verification;
use crate::kinds::{Change, Permission, TenantState, change, check_account, password_context};
use crate::rules::{FieldErrors, check_new_groups, recovery_obstacles};
use crate::store::NewPassword;

/// An account that is not deleted, with its tenant.
type Found<'a> = (&'a TenantState, &'a kinds::account::State);

#[derive(Debug)]
pub(crate) struct NewPerson<'a> {
    pub(crate) id: AccountId,
    pub(crate) settings: &'a AccountSettings,
}

/// Creates an account without a password. Also returns what an attacker would try first as its password.
pub(crate) fn create(context: EditContext<'_>, new: &NewPerson<'_>) -> Edited<(Edit, Vec<String>)> {
    let state = may_create(context)?;
    let account = checked(context, state, &new.id, new.settings)?;
    require_gained(context, context.tenant, None, &account.permissions)?;
    let words = password_context(&state.tenant, &account);
    Ok((Edit::from_change(change::RowChange::new(ChangeKind::Added, None, account)), words))
}

/// Returns the tenant if the caller may create accounts in it.
pub(super) fn may_create(context: EditContext<'_>) -> Edited<&TenantState> {
    context.by.require_in(context.tenant, Permission::Accounts)?;
    context.facts.tenant()
}

/// Applies a merge patch to the account.
pub(crate) fn patch(context: EditContext<'_>, account: &AccountId, patch: &Value) -> Edited {
    let (state, row) = find_to_change(context, account)?;
    require_account(context, &row.account)?;
    let settings = patched(&AccountSettings::from(&row.account), patch, AccountSettings::read)?;
    let mut after = checked(context, state, account, &settings)?;
    require_gained(context, context.tenant, Some(&row.account.permissions), &after.permissions)?;
    keep_verification(&row.account, &mut after);
    let before = &row.account;
    let own = Authority::account_name(account);
    require_successor(context, &own, &before.permissions, Some(&after.permissions))?;
    (after.status, after.valid_from) = (before.status, before.valid_from);
    after.password_changed_at = before.password_changed_at;
    let is_granted = gained(Some(&before.permissions), &after.permissions).next().is_some();
    let change = change::RowChange::between(Some((before, &row.lifecycle)), after);
    let mut edit = change.map_or_else(Edit::default, Edit::from_change);
    if is_granted {
        edit.extend(voided(state, row));
    }
    Ok(edit)
}

/// If an account gains a permission, everything that an administrator could have prepared before is
/// invalidated: links, sessions, codes, and a password that another person knows. The person then gets a new
/// link instead of the password.
fn voided(state: &TenantState, row: &kinds::account::State) -> Edit {
    let (tenant, account) = (row.account.tenant.clone(), row.account.id.clone());
    if row.account.password_changed_at.is_none() || row.has_own_password {
        return Edit::from_change(Change::Sessions(tenant, account, None));
    }
    // Removing the password invalidates links, sessions and codes, too.
    let removed = change::PasswordChange::Removed;
    let mut edit = Edit::from_change(Change::AccountPassword(tenant.clone(), account.clone(), removed));
    if state.tenant.strategies.oidc {
        edit.changes.push(Change::PasswordLink(tenant.clone(), account.clone()));
    }
    edit.passwords.push(NewPassword::none(&(tenant, account)));
    edit
}

/// The passwords that an attacker would try first, which the rules for a new password refuse. The person of
/// the account may call this function, too.
pub(crate) fn words(context: EditContext<'_>, account: &AccountId) -> Edited<Vec<String>> {
    context.by.require_account(context.tenant, account)?;
    let (state, row) = changeable(context, account)?;
    if !context.by.is_account(context.tenant, account) {
        require_account(context, &row.account)?;
    }
    Ok(password_context(&state.tenant, &row.account))
}

/// Records that a link to set the password of the account was created.
pub(crate) fn link(context: EditContext<'_>, account: &AccountId) -> Edited {
    let (_, row) = find_to_change(context, account)?;
    require_account(context, &row.account)?;
    offer_link(context, account)
}

/// As [`link`], for an account that the same commit creates.
pub(crate) fn offer_link(context: EditContext<'_>, account: &AccountId) -> Edited {
    if !context.facts.tenant()?.tenant.strategies.oidc {
        let message = "this tenant does not offer sign-in: set `strategies.oidc.enabled` first";
        return Err(EditError::Conflict(message.to_owned()));
    }
    Ok(Edit::from_change(Change::PasswordLink(context.tenant.clone(), account.clone())))
}

/// The account, if a link that sets the first password may be mailed to its person.
pub(crate) fn invite<'a>(context: EditContext<'a>, account: &AccountId) -> Edited<&'a kinds::account::State> {
    // The same authority and tenant as for a link.
    link(context, account)?;
    let row = context.facts.tenant()?.account(account)?;
    let obstacle = if row.account.password_changed_at.is_some() {
        "the account already has a password; the person can reset it on the sign-in page"
    } else if row.account.status != AccountStatus::Active {
        "the account is suspended; resume it first"
    } else if !context.policy.mail.sends {
        "the server cannot send mail for this tenant: set `mail` in config.yaml first"
    } else {
        return Ok(row);
    };
    Err(EditError::Conflict(obstacle.to_owned()))
}

/// What the holder of a code that sets a password may do: the passwords that an attacker would try first, and
/// the change that verifies the address that the code was mailed to.
pub(crate) fn by_password_code(context: EditContext<'_>, code: &AccountCode) -> Edited<(Edit, Vec<String>)> {
    let (_, row) = held_by(context, code)?;
    if code.purpose().address().is_some() {
        return Err(EditError::NotFound("code"));
    }
    let words = words(context, code.account())?;
    let mailed_to = row.account.email_address().filter(|_| *code.purpose() != CodePurpose::Password);
    Ok((mailed_to.map(|address| with_email(context, row, address)).unwrap_or_default(), words))
}

/// Gives the account the address that the code was mailed to. A code that restores an address also ends all
/// sessions. Also returns the earlier address, if it was verified: only then its owner can undo the change.
pub(crate) fn by_address_code(
    context: EditContext<'_>,
    code: &AccountCode,
) -> Edited<(Edit, Option<EmailAddress>)> {
    let (state, row) = held_by(context, code)?;
    let address = code.purpose().address().ok_or(EditError::NotFound("code"))?;
    if another_owner(state, &row.account.id, &Identifier::Email(address.clone())).is_some() {
        return Err(EditError::NotFound("code"));
    }
    let mut edit = with_email(context, row, address);
    if matches!(code.purpose(), CodePurpose::Undo(_)) {
        edit.changes.push(Change::Sessions(context.tenant.clone(), row.account.id.clone(), None));
    }
    let is_verified = row.account.email().is_some_and(|held| held.verified_at.is_some());
    let before = row.account.email_address().filter(|before| is_verified && *before != address);
    Ok((edit, before.cloned()))
}

/// The account of a code that can be used now.
fn held_by<'a>(context: EditContext<'a>, code: &AccountCode) -> Edited<Found<'a>> {
    let unusable = |_| EditError::NotFound("code");
    let state = context.facts.tenant()?;
    let row = state.account(code.account()).map_err(unusable)?;
    let is_allowed = *code.purpose() != CodePurpose::Recovery
        || recovery_obstacles(&state.tenant, row, context.policy.mail).is_empty();
    if !is_allowed || !code.fits(&row.account, context.now) {
        return Err(EditError::NotFound("code"));
    }
    changeable(context, code.account())
}

/// The account of the signed-in person, who may change it.
pub(crate) fn own<'a>(context: EditContext<'a>, account: &AccountId) -> Edited<&'a kinds::account::State> {
    context.by.require_account(context.tenant, account)?;
    Ok(changeable(context, account)?.1)
}

/// Another of the loaded accounts that has this identifier.
pub(crate) fn another_owner<'a>(
    state: &'a TenantState,
    id: &AccountId,
    identifier: &Identifier,
) -> Option<&'a AccountId> {
    let mut others = state.accounts.iter().map(|row| &row.account).filter(|other| other.id != *id);
    let has = |other: &&Account| other.identifiers.iter().any(|of| of.identifier == *identifier);
    others.find(has).map(|other| &other.id)
}

/// Gives the account this verified address.
fn with_email(context: EditContext<'_>, row: &kinds::account::State, address: &EmailAddress) -> Edit {
    let mut after = row.account.clone();
    after.identifiers.retain(|held| !matches!(held.identifier, Identifier::Email(_)));
    let identifier = Identifier::Email(address.clone());
    after.identifiers.push(AccountIdentifier { identifier, verified_at: Some(context.now) });
    after.identifiers.sort_by(|left, right| left.identifier.cmp(&right.identifier));
    keep_verification(&row.account, &mut after);
    let change = change::RowChange::between(Some((&row.account, &row.lifecycle)), after);
    change.map_or_else(Edit::default, Edit::from_change)
}

/// Sets a password, also of an account that the same commit creates. Earlier sessions end.
pub(crate) fn with_password(
    tenant: &TenantId,
    account: &AccountId,
    password: AccountPassword,
    form: change::SecretForm,
    is_own: bool,
) -> Edit {
    let change = change::PasswordChange::Set(form);
    let mut edit = Edit::from_change(Change::AccountPassword(tenant.clone(), account.clone(), change));
    let (tenant, account, password) = (tenant.clone(), account.clone(), Some(password));
    edit.passwords.push(NewPassword { tenant, account, password, is_own, declared_digest: None });
    edit
}

/// The account, unless it is deleted.
pub(super) fn find<'a>(context: EditContext<'a>, account: &AccountId) -> Edited<Found<'a>> {
    context.by.require_in(context.tenant, Permission::Accounts)?;
    let state = context.facts.tenant()?;
    Ok((state, state.account(account)?))
}

/// Finds the account, unless the caller's version is out of date or the operator's files declare the account.
fn find_to_change<'a>(context: EditContext<'a>, account: &AccountId) -> Edited<Found<'a>> {
    context.by.require_in(context.tenant, Permission::Accounts)?;
    changeable(context, account)
}

/// Finds the account. The caller must be authorized already.
fn changeable<'a>(context: EditContext<'a>, account: &AccountId) -> Edited<Found<'a>> {
    let state = context.facts.tenant()?;
    let row = state.account(account)?;
    if row.lifecycle.is_config_managed() {
        return Err(declared("account", &row.account.id, "change it there"));
    }
    context.require_match(|| AccountView::from(row))?;
    Ok((state, row))
}

/// Builds the account from the settings, and checks that no other account has its names.
fn checked(
    context: EditContext<'_>,
    state: &TenantState,
    id: &AccountId,
    settings: &AccountSettings,
) -> Edited<Account> {
    let mut errors = FieldErrors::default();
    let account = check_account(&mut errors, &state.tenant.id, id, settings, context.now);
    let before = state.accounts.iter().find(|row| row.account.id == *id);
    let before = before.map(|row| row.account.groups.as_slice()).unwrap_or_default();
    errors.extend(check_new_groups(state.tenant.groups.as_deref(), before, &account.groups));
    let account = ok_unless_errors(account, errors.into_vec())?;
    for held in &account.identifiers {
        if let Some(owner) = another_owner(state, id, &held.identifier) {
            let kind = held.identifier.kind();
            return Err(EditError::Conflict(format!("account {owner} already has this {kind}")));
        }
    }
    let mut others = state.accounts.iter().map(|row| &row.account).filter(|other| other.id != *id);
    if let Some(external_id) = &account.external_id
        && let Some(owner) = others.find(|other| other.external_id.as_ref() == Some(external_id))
    {
        return Err(EditError::Conflict(format!("account {} already has this external_id", owner.id)));
    }
    Ok(account)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person can no longer sign in, and all sessions and tokens of the person are invalid.
    Suspend,
    /// The person can sign in again.
    Resume,
    /// The failed sign-ins of the account are forgotten.
    Unlock,
    /// Only the id of the account stays stored, so that it is never used again.
    Delete,
}

/// Repeating a step changes nothing, but a deleted account is not found.
pub(crate) fn step(context: EditContext<'_>, account: &AccountId, step: Step) -> Edited {
    let (_, row) = find(context, account)?;
    if step != Step::Suspend {
        require_account(context, &row.account)?;
    }
    context.require_match(|| AccountView::from(row))?;
    if matches!(step, Step::Suspend | Step::Delete) {
        require_successor(context, &Authority::account_name(account), &row.account.permissions, None)?;
    }
    let (kind, status) = match step {
        Step::Unlock => {
            return Ok(Edit::from_change(Change::Unlock(context.tenant.clone(), account.clone())));
        }
        Step::Suspend => (ChangeKind::Suspended, AccountStatus::Suspended),
        Step::Resume => (ChangeKind::Resumed, AccountStatus::Active),
        Step::Delete if row.lifecycle.is_config_managed() => {
            return Err(declared("account", &row.account.id, "remove it there first"));
        }
        Step::Delete => (ChangeKind::Deleted, AccountStatus::Suspended),
    };
    let after = Account { status, ..row.account.clone() };
    Ok(Edit::of_step(kind, (&row.account, &row.lifecycle), after))
}

/// What to end. The account's person may also do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInEnd {
    /// All sessions in every browser, with all their tokens.
    All,
    Session(SessionId),
    /// The consent to a client. The client then has to ask the person again.
    Consent(ClientId),
}

/// Does nothing if the session or consent does not exist.
pub(crate) fn end(context: EditContext<'_>, account: &AccountId, end: &SignInEnd) -> Edited {
    context.by.require_account(context.tenant, account)?;
    let (facts, state) = (context.facts, context.facts.tenant()?);
    state.account(account)?;
    let (tenant, account) = (context.tenant.clone(), account.clone());
    Ok(Edit::from_change(match end {
        SignInEnd::All => Change::Sessions(tenant, account, None),
        SignInEnd::Session(session) => {
            let policy = state.tenant.sign_in.session;
            let mut live = facts.sessions.iter().filter(|found| found.is_valid(policy, context.now));
            live.find(|found| found.session.id == *session).ok_or(EditError::NotFound("session"))?;
            Change::Sessions(tenant, account, Some(session.clone()))
        }
        SignInEnd::Consent(client) => {
            let mut consents = facts.consents.iter();
            consents.find(|consent| consent.client == *client).ok_or(EditError::NotFound("consent"))?;
            Change::Consent(tenant, account, client.clone())
        }
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::edit::Facts;
    use crate::edit::test_states::*;
    use crate::kinds::TenantState;
    use crate::kinds::authority::{Actor, Authority};
    use crate::kinds::state::ManagedBy;

    fn ada() -> AccountId {
        AccountId::from_bytes([1; 16])
    }

    fn ends() -> [SignInEnd; 3] {
        let session = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let client = registry::ClientId::parse("web").unwrap();
        [SignInEnd::All, SignInEnd::Session(session), SignInEnd::Consent(client)]
    }

    /// The tenant `t` with Ada, after this change, and Bob.
    fn rows(change: impl Fn(&mut kinds::account::State)) -> Facts {
        let ada = with(account("t", 1, "ada@example.com"), change);
        facts(TenantState { accounts: vec![ada, account("t", 2, "bob@example.com")], ..state("t") })
    }

    fn created(by: &Authority, tenant: &str, document: Value) -> String {
        let settings = AccountSettings::read(document).unwrap();
        let row = NewPerson { id: AccountId::from_bytes([3; 16]), settings: &settings };
        let facts = facts(state(tenant));
        described(ask(by, |context| create(context.on(&facts), &row)).map(|(edit, _)| edit))
    }

    fn patched_by(by: &Authority, change: impl Fn(&mut kinds::account::State), merge: Value) -> String {
        let facts = rows(change);
        described(ask(by, |context| patch(context.on(&facts), &ada(), &merge)))
    }

    #[test]
    fn changing_accounts_requires_latchkey_accounts() {
        let forbidden = "forbidden: latchkey:accounts";
        let others = "latchkey:tenants latchkey:clients latchkey:keys latchkey:audit";
        for by in
            [of_platform(others), of_tenant("t", others), of_tenant("u", "latchkey:accounts"), of_user("t")]
        {
            assert_eq!(created(&by, "t", json!({ "username": "eve" })), forbidden);
            let ada = &ada();
            // The answer for a missing row is the same as the answer without permission.
            for facts in [rows(|_| {}), Facts::default()] {
                let ends = ends();
                let edits = ask(&by, |context| {
                    let context = context.on(&facts);
                    [
                        patch(context, ada, &json!({})),
                        step(context, ada, Step::Suspend),
                        step(context, ada, Step::Delete),
                        end(context, ada, &ends[0]),
                        end(context, ada, &ends[1]),
                        end(context, ada, &ends[2]),
                        words(context, ada).map(|_| Edit::default()),
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
    fn person_may_only_sign_out_and_set_own_password() {
        let facts = rows(|_| {});
        let holder = |tenant, number| {
            let account = AccountId::from_bytes([number; 16]);
            let signed_in = sessions::SignedIn::for_tests(tenant_id(tenant), account, NOW);
            Authority::of_account_holder(&signed_in, None)
        };
        for (by, may) in [(holder("t", 1), true), (holder("t", 2), false), (holder("u", 1), false)] {
            let ada = &ada();
            let forbidden = |edit| described(edit) == "forbidden: latchkey:accounts";
            let [out, ended, revoked] =
                ask(&by, |context| ends().map(|what| end(context.on(&facts), ada, &what)));
            assert_eq!(out.is_ok(), may);
            assert_eq!([forbidden(ended), forbidden(revoked)], [!may, !may]);
            let changes = ask(&by, |context| {
                let context = context.on(&facts);
                [
                    patch(context, ada, &json!({})),
                    step(context, ada, Step::Suspend),
                    step(context, ada, Step::Delete),
                ]
            });
            assert!(changes.into_iter().all(forbidden));
            let password = ask(&by, |context| words(context.on(&facts), ada));
            assert_eq!(password.is_ok(), may);
            assert_eq!(forbidden(password.map(|_| Edit::default())), !may);
            assert!(created(&by, "t", json!({ "username": "eve" })).starts_with("forbidden"));
        }
    }

    // [parties #4]
    #[test]
    fn callers_cannot_exceed_their_own_permissions() {
        let all = "latchkey:accounts latchkey:clients latchkey:keys";
        let holds = |row: &mut kinds::account::State| {
            row.account.permissions = scope("latchkey:accounts latchkey:keys");
        };
        let ada = ada();
        for (by, may) in [
            (of_tenant("t", "latchkey:accounts"), false),
            (of_tenant("t", "latchkey:accounts latchkey:clients"), false),
            (of_platform("latchkey:accounts"), false),
            (of_tenant("t", all), true),
            (of_platform(all), true),
            (of_platform("latchkey:accounts latchkey:tenants"), true),
            (Authority::of_account(Actor::default(), tenant_id("t"), &scope(all)), true),
            (operator(), true),
        ] {
            let eve = json!({ "username": "eve", "permissions": ["latchkey:accounts", "latchkey:keys"] });
            let facts = rows(holds);
            let changes = ask(&by, |context| {
                let context = context.on(&facts);
                [
                    patch(context, &ada, &json!({ "email": "eve@example.com" })),
                    patch(context, &ada, &json!({ "permissions": [] })),
                    words(context, &ada).map(|_| Edit::default()),
                    link(context, &ada),
                    step(context, &ada, Step::Resume),
                    step(context, &ada, Step::Unlock),
                    step(context, &ada, Step::Delete),
                ]
            });
            let changes = changes.map(described);
            let grants = [
                patched_by(&by, |_| {}, json!({ "permissions": ["latchkey:keys"] })),
                created(&by, "t", eve),
            ];
            for edit in changes.iter().chain(&grants) {
                assert_eq!(edit != "insufficient privilege", may, "{edit} {by:?}");
            }
            let stopped = ask(&by, |context| {
                let context = context.on(&facts);
                [step(context, &ada, Step::Suspend), end(context, &ada, &SignInEnd::All)]
            });
            assert!(stopped.into_iter().all(|edit| edit.is_ok()), "{by:?}");
        }
        assert!(created(&of_platform(all), "platform", json!({ "username": "eve" })).ends_with(" added"));
    }

    #[test]
    fn last_full_administrator_cannot_remove_itself() {
        const ALL: &str = "latchkey:clients latchkey:accounts latchkey:keys latchkey:audit";
        let named = |name: String| Actor { name, ..Actor::default() };
        let itself =
            Authority::of_account(named(Authority::account_name(&ada())), tenant_id("t"), &scope(ALL));
        let of_bob = AccountId::from_bytes([2; 16]);
        let bob = Authority::of_account(named(Authority::account_name(&of_bob)), tenant_id("t"), &scope(ALL));
        let check = |by: &Authority, change: &dyn Fn(&mut TenantState), is_refused: bool| {
            let mut facts = rows(|row| row.account.permissions = scope(ALL));
            change(facts.state.as_mut().unwrap());
            let ada = &ada();
            let edits = ask(by, |context| {
                let context = context.on(&facts);
                [
                    patch(context, ada, &json!({ "permissions": [] })),
                    patch(context, ada, &json!({ "permissions": ["latchkey:clients", "latchkey:accounts"] })),
                    step(context, ada, Step::Suspend),
                    step(context, ada, Step::Delete),
                ]
            });
            for edit in edits.map(described) {
                assert_eq!(edit == "conflict", is_refused, "{edit} {by:?}");
            }
            let other = ask(by, |context| patch(context.on(&facts), ada, &json!({ "groups": ["a"] })));
            assert!(other.is_ok());
        };
        let suspended =
            |lifecycle: &mut crate::kinds::state::RowLifecycle| lifecycle.suspended_at = Some(NOW);
        check(&itself, &|_| {}, true);
        check(&bob, &|_| {}, false);
        check(&operator(), &|_| {}, false);
        check(
            &itself,
            &|t| t.accounts[0].account.permissions = scope("latchkey:accounts latchkey:clients"),
            false,
        );
        check(&itself, &|t| t.accounts[1].account.permissions = scope(ALL), false);
        check(&itself, &|t| t.accounts[1].account.permissions = scope("latchkey:accounts"), true);
        check(&itself, &|t| t.clients[1].client.scope = scope(ALL), false);
        check(
            &itself,
            &|t| {
                t.clients[1].client.scope = scope(ALL);
                suspended(&mut t.clients[1].lifecycle);
                t.accounts[1].account.permissions = scope(ALL);
                suspended(&mut t.accounts[1].lifecycle);
            },
            true,
        );
    }

    #[test]
    fn declared_and_deleted_accounts_cannot_be_changed() {
        let by = operator();
        let declared = |row: &mut kinds::account::State| row.lifecycle.managed_by = ManagedBy::Config;
        let deleted = |row: &mut kinds::account::State| row.lifecycle.deleted_at = Some(NOW);
        assert_eq!(patched_by(&by, declared, json!({ "groups": ["a"] })), "conflict");
        let own = sessions::SignedIn::for_tests(tenant_id("t"), ada(), NOW);
        let own = Authority::of_account_holder(&own, None);
        let password = ask(&own, |context| words(context.on(&rows(declared)), &ada()));
        assert_eq!(described(password.map(|_| Edit::default())), "conflict");
        assert_eq!(patched_by(&by, deleted, json!({ "groups": ["a"] })), "no account has this id");
        let stepped = |change: &dyn Fn(&mut kinds::account::State), step| {
            let facts = rows(change);
            described(ask(&by, |context| super::step(context.on(&facts), &ada(), step)))
        };
        let suspended = |row: &mut kinds::account::State| row.lifecycle.suspended_at = Some(NOW);
        assert_eq!(stepped(&declared, Step::Suspend), format!("{} suspended", ada()));
        assert_eq!(stepped(&declared, Step::Delete), "conflict");
        assert_eq!(stepped(&|_| {}, Step::Delete), format!("{} deleted", ada()));
        assert_eq!(stepped(&suspended, Step::Suspend), "", "a step may be sent again");
        assert_eq!(stepped(&suspended, Step::Resume), format!("{} resumed", ada()));
        assert_eq!(stepped(&deleted, Step::Resume), "no account has this id");
    }
}
