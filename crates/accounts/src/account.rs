//! Accounts of one tenant. Accounts of two tenants with the same email address are unrelated.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{Scope, ScopeToken};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenancy::{Stored, TenantId};
use values::{Timestamp, folded};

use crate::{AccountId, AccountPassword, EmailAddress, Identifier};

/// An account without its password hash, so that it can be cached and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub tenant: TenantId,
    /// Never changes.
    pub id: AccountId,
    pub status: AccountStatus,
    /// The identifiers that the person can sign in with, sorted by their text.
    pub identifiers: Vec<AccountIdentifier>,
    /// The id of the person in another system of the tenant. Unique within the tenant.
    pub external_id: Option<String>,
    /// Standard claims (OpenID Connect Core §5.1), as accepted by [`check_claims`](crate::check_claims). Does
    /// not include `sub`, `email`, `email_verified` and `updated_at`, which come from other fields.
    pub claims: Map<String, Value>,
    pub groups: Vec<String>,
    /// The person's permissions as an administrator: reserved scopes of the platform. They are never part of
    /// a token.
    pub permissions: Scope,
    /// Authentications before this time are not valid any more.
    pub valid_from: Timestamp,
    /// When the password was set. `None` if there is no password.
    pub password_changed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIdentifier {
    pub identifier: Identifier,
    /// When the person proved to have the identifier, or the tenant declared so.
    pub verified_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    Active,
    /// An administrator has suspended the account, or the operator's files no longer declare it.
    Suspended,
}

impl Account {
    /// Creates an account that has only an id.
    #[must_use]
    pub fn new(tenant: TenantId, id: AccountId, now: Timestamp) -> Self {
        Self {
            tenant,
            id,
            status: AccountStatus::Active,
            identifiers: Vec::new(),
            external_id: None,
            claims: Map::new(),
            groups: Vec::new(),
            permissions: Scope::default(),
            valid_from: now,
            password_changed_at: None,
            updated_at: now,
        }
    }

    /// Whether an authentication at this time is still valid, for a session, a code or a refresh token.
    #[must_use]
    pub fn accepts_authentication_of(&self, at: Timestamp) -> bool {
        self.status == AccountStatus::Active && self.valid_from <= at
    }

    /// The email address, with the time of its verification.
    #[must_use]
    pub fn email(&self) -> Option<&AccountIdentifier> {
        self.identifiers.iter().find(|held| matches!(held.identifier, Identifier::Email(_)))
    }

    #[must_use]
    pub fn email_address(&self) -> Option<&EmailAddress> {
        self.identifiers.iter().find_map(|held| match &held.identifier {
            Identifier::Email(address) => Some(address),
            Identifier::Username(_) => None,
        })
    }

    #[must_use]
    pub fn username(&self) -> Option<&AccountIdentifier> {
        self.identifiers.iter().find(|held| matches!(held.identifier, Identifier::Username(_)))
    }

    /// The email address, else the user name.
    #[must_use]
    pub fn sign_in_name(&self) -> Option<&str> {
        self.email().or_else(|| self.username()).map(|held| held.identifier.as_str())
    }

    /// The name that administrators see: the claim `name`, else the sign-in name, else the id.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let name = self.claims.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        name.or_else(|| self.sign_in_name()).unwrap_or_else(|| self.id.as_str())
    }

    /// The standard claims, including those from other fields (OpenID Connect Core §5.1), but without `sub`,
    /// which may be pairwise. The user name is the `preferred_username` unless the claims contain one.
    #[must_use]
    pub fn standard_claims(&self) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        if let Some(email) = self.email() {
            claims.insert("email".to_owned(), email.identifier.as_str().into());
            claims.insert("email_verified".to_owned(), email.verified_at.is_some().into());
        }
        if let Some(username) = self.username() {
            claims.entry("preferred_username").or_insert_with(|| username.identifier.as_str().into());
        }
        claims.insert("updated_at".to_owned(), self.updated_at.seconds().into());
        claims
    }

    /// The groups that a claim may contain: not reserved, and among the groups of the tenant, if the tenant
    /// declares any.
    pub fn claimed_groups<'a>(&'a self, declared: Option<&'a [String]>) -> impl Iterator<Item = &'a str> {
        let is_declared = move |group: &String| declared.is_none_or(|declared| declared.contains(group));
        let groups = self.groups.iter().filter(move |group| is_declared(group) && !is_reserved_group(group));
        groups.map(String::as_str)
    }
}

/// Whether a reader that ignores case or invisible characters could take the group for a permission of the
/// platform.
#[must_use]
pub fn is_reserved_group(group: &str) -> bool {
    folded(group).starts_with(ScopeToken::RESERVED_PREFIX)
}

/// Finds accounts and rewrites their passwords. Returns `Ok(None)` for an unknown or deleted account.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The account with this identifier in any status, with its password if it has one. Always reads the
    /// store, because caches contain no passwords.
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Stored<Option<(Arc<Account>, Option<AccountPassword>)>>;

    /// Replaces the stored form of a password by another form of the same password, if it is still `before`.
    /// Returns whether it did. Sessions stay valid, and `password_changed_at` does not change.
    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Stored<bool>;

    /// The account with this id in any status.
    async fn find_account(&self, tenant: &TenantId, account: &AccountId) -> Stored<Option<Arc<Account>>>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account() -> Account {
        let now = Timestamp::from_seconds(100);
        Account::new(TenantId::parse("acme").unwrap(), AccountId::from_bytes([1; 16]), now)
    }

    fn identifier(text: &str, verified_at: Option<u64>) -> AccountIdentifier {
        let verified_at = verified_at.map(Timestamp::from_seconds);
        AccountIdentifier { identifier: Identifier::parse(text).unwrap(), verified_at }
    }

    #[test]
    fn suspension_or_later_valid_from_ends_authentication() {
        let at = Timestamp::from_seconds;
        let mut account = account();
        assert!(account.accepts_authentication_of(at(100)));
        assert!(!account.accepts_authentication_of(at(99)));
        account.status = AccountStatus::Suspended;
        assert!(!account.accepts_authentication_of(at(100)));
    }

    #[test]
    fn standard_claims_include_identifiers() {
        let mut account = account();
        assert_eq!(Value::Object(account.standard_claims()), json!({ "updated_at": 100 }));
        account.identifiers = vec![identifier("ada@example.com", None), identifier("ada", None)];
        let expected = json!({
            "email": "ada@example.com", "email_verified": false, "preferred_username": "ada", "updated_at": 100,
        });
        assert_eq!(Value::Object(account.standard_claims()), expected);
        account.identifiers[0].verified_at = Some(account.valid_from);
        account.claims.insert("preferred_username".to_owned(), "Countess".into());
        let claims = account.standard_claims();
        assert_eq!(claims["email_verified"], true);
        assert_eq!(claims["preferred_username"], "Countess");
    }
}
