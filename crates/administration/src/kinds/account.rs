//! Accounts: their rows, the rules for their settings, and how a store finds them.

use std::fmt;

use accounts::{Account, AccountId, AccountIdentifier, AccountStatus, Identifier, check_claims};
use async_trait::async_trait;
use protocol::{Scope, ScopeToken};
use registry::{DeclaredPassword, RevokedSubject};
use serde_json::Value;
use sessions::{FoundSession, SessionId};
use tenancy::{Stored, Tenant, TenantId};
use values::Timestamp;

use super::{Kind, TenantState};
use crate::documents::AccountSettings;
use crate::edit::EditError;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::ABSENT;
use crate::kinds::revocations::{RevocationChange, RevocationEffect};
use crate::kinds::state::{ConsentState, RowLifecycle};
use crate::kinds::{Invalidation, Permission};
use crate::rows::Decided;
use crate::rules::{FieldErrors, LONGEST_ID};
use crate::store::{Listed, NewPassword};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// A deleted account contains only its id.
    pub account: Account,
    pub lifecycle: RowLifecycle,
    /// Whether the person of the account set the current password. Otherwise another person may know the
    /// password.
    pub has_own_password: bool,
    /// Recognizes the declared password when files are compared. It is not used for sign-in.
    pub declared_digest: Option<[u8; 32]>,
}

impl State {
    /// A placeholder for a row that cannot be read. It has all permissions of a tenant, so that only a caller
    /// with all of them can delete the row.
    #[must_use]
    pub fn stand_in(tenant: TenantId, id: AccountId, lifecycle: RowLifecycle) -> Self {
        let permissions = Permission::all_of_tenants();
        let account = Account { permissions, ..Account::new(tenant, id, lifecycle.created_at) };
        Self { account, lifecycle, has_own_password: false, declared_digest: None }
    }
}

impl Kind for Account {
    const NOUN: &'static str = "account";
    const COLLECTION: &'static str = "accounts";
    const IS_PERSONAL: bool = true;
    const AUDITED: &'static [&'static str] = &["permissions"];

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn fields(&self) -> Vec<(String, String)> {
        let text = |held: Option<&AccountIdentifier>| {
            held.map_or_else(|| ABSENT.to_owned(), |held| held.identifier.to_string())
        };
        let is_verified = self.email().is_some_and(|email| email.verified_at.is_some());
        let fields = [
            ("email", text(self.email())),
            ("email_verified", is_verified.to_string()),
            ("username", text(self.username())),
            ("external_id", self.external_id.clone().unwrap_or_else(|| ABSENT.to_owned())),
            ("claims", Value::Object(self.claims.clone()).to_string()),
            ("groups", Value::from(self.groups.clone()).to_string()),
            ("permissions", Scope::text(self.permissions.iter()).unwrap_or_else(|| ABSENT.to_owned())),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let key = (tenant.clone(), change.after.id.clone());
        let before = decided.account(&key);
        let known = before.as_ref().map(|row| (&row.account, row.lifecycle));
        let (fields, lifecycle) = decided.row_after(change, known)?;
        let now = decided.now;
        let is_deleted = change.kind == ChangeKind::Deleted;
        // A deleted account contains no data of its person.
        let emptied = || Account::new(key.0.clone(), key.1.clone(), now);
        let mut account = if is_deleted { emptied() } else { fields };
        if change.kind == ChangeKind::Retired {
            // Another declared account may now have its names. If this account is declared again, it gets its
            // names from the declaration.
            account.identifiers.clear();
            account.external_id = None;
        }
        if let Some(State { account: before, .. }) = &before {
            account.valid_from = before.valid_from;
            account.password_changed_at = before.password_changed_at.filter(|_| !is_deleted);
        }
        decided.changed.push(Invalidation::Account(key.0.clone(), key.1.clone()));
        // Codes and refresh tokens are refused while the account may not sign in.
        if matches!(change.kind, ChangeKind::Suspended | ChangeKind::Retired | ChangeKind::Deleted) {
            account.valid_from = account.valid_from.max(decided.next_second());
            decided.deleted.authentications.push(key.clone());
            decided.end_sessions(&key, None);
        }
        if change.kind.writes_names() {
            decided.rows.identifiers.push(key.clone());
        }
        if change.kind.replaces_names() || change.kind == ChangeKind::Retired || is_deleted {
            decided.deleted.identifiers.push(key.clone());
        }
        if is_deleted {
            decided.deleted.accounts.push(key.clone());
            decided.rows.passwords.push(NewPassword::none(&key));
        }
        account.status = if lifecycle.serves() { AccountStatus::Active } else { AccountStatus::Suspended };
        account.updated_at = lifecycle.updated_at;
        let before = before.filter(|_| !is_deleted);
        let has_own_password = before.as_ref().is_some_and(|before| before.has_own_password);
        let declared_digest = before.and_then(|before| before.declared_digest);
        let row = State { account, lifecycle, has_own_password, declared_digest };
        decided.rows.accounts.insert(key, row);
        Some(())
    }
}

impl Decided<'_> {
    /// Invalidates all earlier sign-ins of an account.
    pub(crate) fn sign_out(&mut self, key: (TenantId, AccountId)) -> Option<()> {
        let row = self.account(&key);
        let mut row = row.filter(|row| row.lifecycle.deleted_at.is_none())?;
        row.account.valid_from = row.account.valid_from.max(self.next_second());
        self.deleted.authentications.push(key.clone());
        self.end_sessions(&key, None);
        self.rows.accounts.insert(key, row);
        Some(())
    }

    /// Ends all sessions of an account, or one of them, with their tokens.
    pub(crate) fn end_sessions(&mut self, key: &(TenantId, AccountId), session: Option<&SessionId>) {
        self.deleted.sessions.push((key.clone(), session.cloned()));
        let account = key.1.as_str().to_owned();
        let (subject, account) = match session {
            Some(session) => (RevokedSubject::Session(session.as_str().to_owned()), Some(account)),
            None => (RevokedSubject::Account(account), None),
        };
        let (tenant, effect) = (key.0.clone(), RevocationEffect::Issued);
        self.revoked.push(RevocationChange { tenant, subject, account, effect });
    }

    /// Sessions that began before the password changed end. A new account has no sessions.
    pub(crate) fn decide_password(&mut self, new: NewPassword) -> Option<()> {
        let key = (new.tenant.clone(), new.account.clone());
        if self.stored_account(&key).is_some() {
            self.end_sessions(&key, None);
        }
        let mut row = self.account(&key).filter(|row| row.lifecycle.is_live())?;
        // Setting the first password of an account ends no session.
        let had_one = row.account.password_changed_at.is_some();
        let from = if had_one { self.next_second() } else { self.now };
        row.account.valid_from = row.account.valid_from.max(from);
        row.account.password_changed_at = new.password.as_ref().map(|_| self.now);
        row.has_own_password = new.is_own && new.password.is_some();
        row.declared_digest = new.declared_digest;
        self.rows.passwords.push(new);
        self.rows.accounts.insert(key, row);
        Some(())
    }

    /// Finds the account as it is now, or after an earlier change of the same commit.
    fn account(&self, key: &(TenantId, AccountId)) -> Option<State> {
        self.rows.accounts.get(key).or_else(|| self.stored_account(key)).cloned()
    }

    fn stored_account(&self, key: &(TenantId, AccountId)) -> Option<&State> {
        self.tenants.get(&key.0)?.accounts.iter().find(|row| row.account.id == key.1)
    }
}

impl TenantState {
    /// One of its loaded accounts, unless it is deleted.
    pub(crate) fn account(&self, id: &AccountId) -> Result<&State, EditError> {
        let found = self.accounts.iter().find(|row| row.account.id == *id);
        found.filter(|row| row.lifecycle.deleted_at.is_none()).ok_or(EditError::NotFound("account"))
    }
}

pub struct Declared {
    /// The name in the file. The id is derived from this name.
    pub name: String,
    /// Only the store knows when an identifier was verified. The declaration only says whether it is
    /// verified.
    pub account: Account,
    pub password: Option<DeclaredPassword>,
}

/// Prints no personal data.
impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

const MOST_GROUPS: usize = 200;

/// Checks the settings and returns the account. If there are errors, the account must not be used. An address
/// that becomes verified gets the instant `now`.
pub fn check_account(
    errors: &mut FieldErrors,
    tenant: &TenantId,
    id: &AccountId,
    settings: &AccountSettings,
    now: Timestamp,
) -> Account {
    let mut account = Account::new(tenant.clone(), id.clone(), now);
    account.identifiers = check_identifiers(errors, settings, now);
    account.external_id.clone_from(&settings.external_id);
    if let Some(external_id) = &settings.external_id {
        errors.check_text("/external_id", "the external id", external_id, LONGEST_ID);
    }
    account.claims = settings.claims.members();
    for error in check_claims(&account.claims) {
        let at = if error.path.is_empty() { String::new() } else { format!("/{}", error.path) };
        errors.refuse(&format!("/claims{at}"), "this is not a valid value for the claim", error.detail);
    }
    errors.check_distinct("/groups", &settings.groups);
    if settings.groups.len() > MOST_GROUPS {
        errors.add("/groups", format!("an account can have at most {MOST_GROUPS} groups"));
    }
    for (index, group) in settings.groups.iter().enumerate() {
        errors.check_text(&format!("/groups/{index}"), "the group", group, LONGEST_ID);
    }
    account.groups.clone_from(&settings.groups);
    account.permissions = check_permissions(errors, tenant, &settings.permissions);
    account
}

/// Each permission is a reserved scope of the platform. Only accounts of the platform can have the scope for
/// all tenants.
fn check_permissions(errors: &mut FieldErrors, tenant: &TenantId, names: &[String]) -> Scope {
    errors.check_distinct("/permissions", names);
    for (index, name) in names.iter().enumerate() {
        let at = format!("/permissions/{index}");
        let permission = errors.check_one_of(&at, name, &Permission::NAMED);
        if permission == Some(Permission::Tenants) && tenant.as_str() != TenantId::PLATFORM {
            errors.add(&at, "only accounts of the tenant `platform` can have this permission");
        }
    }
    names.iter().filter_map(|name| ScopeToken::parse(name).ok()).collect()
}

fn check_identifiers(
    errors: &mut FieldErrors,
    settings: &AccountSettings,
    now: Timestamp,
) -> Vec<AccountIdentifier> {
    let mut held = Vec::new();
    for (at, text, is_email) in [("/email", &settings.email, true), ("/username", &settings.username, false)]
    {
        let Some(text) = text else { continue };
        match Identifier::parse(text) {
            Ok(identifier) if matches!(identifier, Identifier::Email(_)) == is_email => {
                let verified_at = (is_email && settings.email_verified).then_some(now);
                held.push(AccountIdentifier { identifier, verified_at });
            }
            Err(error) if text.contains('@') == is_email => errors.add(at, error.to_string()),
            Ok(_) | Err(_) if is_email => {
                errors.refuse(at, "this is not a valid email address", "it contains an @");
            }
            Ok(_) | Err(_) => {
                errors.refuse(at, "this is not a valid user name", "write a text with an @ as `email`");
            }
        }
    }
    if settings.email.is_none() && settings.username.is_none() {
        errors.refuse("", "the account has no identifier", "set `email`, `username` or both");
    }
    if settings.email.is_none() && settings.email_verified {
        errors.refuse("/email_verified", "the account has no email address to verify", "also set `email`");
    }
    held
}

/// The passwords that an attacker would try first for this account.
#[must_use]
pub fn password_context(tenant: &Tenant, account: &Account) -> Vec<String> {
    let names = [tenant.id.to_string(), tenant.name.clone()];
    names.into_iter().chain(account.identifiers.iter().map(|held| held.identifier.to_string())).collect()
}

/// An unchanged address or name keeps the time of its verification.
pub(crate) fn keep_verification(before: &Account, after: &mut Account) {
    for held in &mut after.identifiers {
        let known = before.identifiers.iter().find(|known| known.identifier == held.identifier);
        if let (Some(_), Some(known)) = (held.verified_at, known.and_then(|known| known.verified_at)) {
            held.verified_at = Some(known);
        }
    }
}

/// The most sessions of an account in a list.
pub const LISTED_SESSIONS: u32 = 200;

/// Reads accounts with their sessions and consents.
/// [`TenantRows::commit`](crate::store::TenantRows::commit) writes them.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The accounts of this tenant that an edit or a declaration needs, in the order of their ids.
    async fn find_accounts(&self, tenant: &TenantId, related: Related<'_>) -> Stored<Vec<State>>;

    /// A page of a tenant's accounts without deleted ones, in the order of their creation.
    async fn list_accounts(&self, tenant: &TenantId, query: &Query) -> Stored<Vec<Listed<State>>>;

    /// The sessions of the account including ended ones, the most recently used first, at most
    /// [`LISTED_SESSIONS`].
    async fn list_sessions(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<FoundSession>>;

    /// The consents to clients, in the order of the clients' ids.
    async fn list_consents(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<ConsentState>>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only accounts after this one, in the order of creation. The instant is its creation.
    pub after: Option<(Timestamp, AccountId)>,
    pub limit: u32,
    /// Only accounts with one of these names. A search has one page.
    pub search: Option<Search>,
}

/// What a person has typed to find an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The beginning of an email address or user name, in the form in which they are stored.
    pub beginning: String,
    /// The whole id or external id.
    pub id: String,
}

impl Search {
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let beginning =
            Identifier::parse(text).map_or_else(|_| text.to_lowercase(), |whole| whole.to_string());
        Self { beginning, id: text.to_owned() }
    }
}

/// Selects the accounts of a tenant that an edit or a declaration needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Related<'a> {
    /// Includes deleted accounts.
    pub ids: &'a [AccountId],
    pub identifiers: &'a [Identifier],
    pub external_ids: &'a [String],
    /// All accounts that the files declare or declared.
    pub declared: bool,
    /// All accounts with permissions.
    pub administrators: bool,
}

impl<'a> Related<'a> {
    #[must_use]
    pub const fn from_ids(ids: &'a [AccountId]) -> Self {
        Self { ids, identifiers: &[], external_ids: &[], declared: false, administrators: false }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::edit::test_states::pointers;
    use crate::rules::FieldErrors;
    use crate::rules::Interface;

    const NOW: Timestamp = Timestamp::from_seconds(100);

    fn check(document: Value) -> (Account, Vec<String>) {
        let mut errors = FieldErrors::from_interface(Interface::Api);
        let settings: AccountSettings = serde_json::from_value(document).unwrap();
        let (tenant, id) = (TenantId::parse("acme").unwrap(), AccountId::from_bytes([1; 16]));
        let account = check_account(&mut errors, &tenant, &id, &settings, NOW);
        (account, pointers(errors.into_vec()))
    }

    #[test]
    fn every_field_is_validated() {
        let allowed = |permissions: Value| json!({ "username": "ada", "permissions": permissions });
        let claiming = |claims: Value| json!({ "username": "ada", "claims": claims });
        for (document, expected) in [
            (json!({ "email": "ada@example.com" }), &[][..]),
            (json!({ "username": "Ada", "groups": ["staff", "a b"], "external_id": "7" }), &[]),
            (json!({ "email": "Ada@Example.com", "email_verified": true, "username": "ada" }), &[]),
            (json!({}), &[""]),
            (json!({ "email": "ada" }), &["/email"]),
            (json!({ "email": "ada@" }), &["/email"]),
            (json!({ "username": "ada@example.com" }), &["/username"]),
            (json!({ "username": "a b" }), &["/username"]),
            (json!({ "username": "ada", "email_verified": true }), &["/email_verified"]),
            (json!({ "username": "ada", "external_id": "" }), &["/external_id"]),
            (json!({ "username": "ada", "external_id": "a\u{200b}" }), &["/external_id"]),
            (json!({ "username": "ada", "groups": ["a", "a"] }), &["/groups/1"]),
            (json!({ "username": "ada", "groups": ["a\n"] }), &["/groups/0"]),
            (allowed(json!(["latchkey:clients", "latchkey:audit"])), &[]),
            (allowed(json!(["openid", "latchkey:all"])), &["/permissions/0", "/permissions/1"]),
            (allowed(json!(["latchkey:keys", "latchkey:keys"])), &["/permissions/1"]),
            (allowed(json!(["latchkey:tenants"])), &["/permissions/0"]),
            (claiming(json!({ "picture": "ada.png" })), &["/claims/picture"]),
            (claiming(json!({ "address": { "country": "a\nb" } })), &["/claims/address/country"]),
        ] {
            assert_eq!(check(document.clone()).1, expected, "{document}");
        }
        let many: Vec<_> = (0..=MOST_GROUPS).map(|number| number.to_string()).collect();
        assert_eq!(check(json!({ "username": "ada", "groups": many })).1, ["/groups"]);
    }

    #[test]
    fn account_document_round_trips() {
        let document = json!({
            "email": "ada@example.com", "email_verified": true, "username": "ada", "external_id": "7",
            "claims": { "name": "Ada", "address": { "country": "GB" } }, "groups": ["staff"],
            "permissions": ["latchkey:clients"],
        });
        let (account, errors) = check(document.clone());
        assert_eq!((errors, json!(AccountSettings::from(&account))), (Vec::new(), document));
        assert_eq!(account.email().unwrap().verified_at, Some(NOW));
    }

    #[test]
    fn unchanged_address_keeps_its_verification_time() {
        let verified = |text: &str| check(json!({ "email": text, "email_verified": true })).0;
        let mut before = verified("ada@example.com");
        before.identifiers[0].verified_at = Some(Timestamp::from_seconds(5));
        for (mut after, expected) in [
            (verified("ada@example.com"), Some(5)),
            (verified("bob@example.com"), Some(100)),
            (check(json!({ "email": "ada@example.com" })).0, None),
        ] {
            keep_verification(&before, &mut after);
            assert_eq!(after.identifiers[0].verified_at.map(Timestamp::seconds), expected);
        }
    }
}
