//! Who sends a request, and what the actor may do.
//!
//! Administrators of the platform are clients and people of the tenant `platform`, or operators with access
//! to the store. Administrators of a tenant are its clients, or people whose accounts have permissions; they
//! have no access outside the tenant. Every person has access to the own account. No actor can grant a
//! permission that it does not have.

use std::net::IpAddr;

use accounts::AccountId;
use protocol::{Scope, ScopeToken};
use registry::ClientId;
use sessions::SignedIn;
use tenancy::TenantId;

use crate::edit::EditError;
use crate::kinds::Permission;

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Actor {
    /// The name, such as `client:platform/ops`, `user:admin`, `cli:root` or `config`.
    pub name: String,
    /// The address that the request came from, if it is known.
    pub source: Option<String>,
    /// The credential with which a client got its token, in the form of the audit.
    pub credential: Option<String>,
    /// The key to which the token is bound, in the form of the audit.
    pub sender_constraint: Option<String>,
}

/// An authenticated actor with its permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    actor: Actor,
    kind: ActorKind,
    extent: Extent,
    permissions: Vec<Permission>,
}

/// Where the permissions apply.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Extent {
    Platform,
    Tenant(TenantId),
    Account(TenantId, AccountId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActorKind {
    /// An operator with access to the store.
    Operator,
    /// A client, with the permissions in its token.
    Client,
    /// A person from the operator's files who signed in to manage the applications of a tenant.
    Person,
    /// A person with an account, who manages the own account or has permissions.
    AccountHolder,
}

impl Actor {
    /// An actor without a token, at this address.
    pub(crate) fn named(name: &str, source: Option<String>) -> Self {
        Self { name: name.to_owned(), source, ..Self::default() }
    }
}

impl Authority {
    /// An operator with access to the store may do everything.
    #[must_use]
    pub fn operator(actor: Actor) -> Self {
        Self {
            actor,
            kind: ActorKind::Operator,
            extent: Extent::Platform,
            permissions: Permission::NAMED.map(|(_, permission)| permission).to_vec(),
        }
    }

    /// The platform itself, for changes that only time causes.
    #[must_use]
    pub(crate) fn itself() -> Self {
        Self::operator(Actor::named("latchkey", None))
    }

    /// A client of this tenant, which may be `platform`; `granted` is the scope of its token.
    #[must_use]
    pub fn of_client(actor: Actor, tenant: &TenantId, granted: &Scope) -> Self {
        if tenant.as_str() == TenantId::PLATFORM {
            return Self::of_platform(actor, granted);
        }
        Self::of_tenant(actor, tenant.clone(), granted)
    }

    /// A client of the tenant `platform`; `granted` is the scope of its token.
    #[must_use]
    pub fn of_platform(actor: Actor, granted: &Scope) -> Self {
        Self { actor, kind: ActorKind::Client, extent: Extent::Platform, permissions: permissions(granted) }
    }

    /// A client of this tenant; `granted` is the scope of its token.
    #[must_use]
    pub fn of_tenant(actor: Actor, tenant: TenantId, granted: &Scope) -> Self {
        let mut permissions = permissions(granted);
        permissions.retain(|permission| *permission != Permission::Tenants);
        Self { actor, kind: ActorKind::Client, extent: Extent::Tenant(tenant), permissions }
    }

    /// A person who signed in to manage the applications of this tenant.
    #[must_use]
    pub fn of_user(actor: Actor, tenant: TenantId) -> Self {
        let permissions = vec![Permission::Clients];
        Self { actor, kind: ActorKind::Person, extent: Extent::Tenant(tenant), permissions }
    }

    /// A person with an account of this tenant and these permissions. If the tenant is `platform`, the
    /// permissions apply to the whole platform.
    #[must_use]
    pub fn of_account(actor: Actor, tenant: TenantId, held: &Scope) -> Self {
        let authority = match tenant.as_str() {
            TenantId::PLATFORM => Self::of_platform(actor, held),
            _ => Self::of_tenant(actor, tenant, held),
        };
        Self { kind: ActorKind::AccountHolder, ..authority }
    }

    /// A signed-in person, who may only end sessions and consents of the own account and set its password.
    #[must_use]
    pub fn of_account_holder(signed_in: &SignedIn, source: Option<IpAddr>) -> Self {
        Self::of_code_holder(&signed_in.session().tenant, signed_in.account(), source)
    }

    /// A person with a code for this account. Unlike a signed-in person, this person may only do what the
    /// code is for.
    pub(crate) fn of_code_holder(tenant: &TenantId, account: &AccountId, source: Option<IpAddr>) -> Self {
        let actor = Actor::named(&Self::account_name(account), source.map(|source| source.to_string()));
        let extent = Extent::Account(tenant.clone(), account.clone());
        Self { actor, kind: ActorKind::AccountHolder, extent, permissions: Vec::new() }
    }

    /// The name of a client as an actor.
    #[must_use]
    pub fn client_name(tenant: &TenantId, client: &ClientId) -> String {
        format!("client:{tenant}/{client}")
    }

    /// The name of an account as an actor.
    pub(crate) fn account_name(account: &AccountId) -> String {
        format!("account:{account}")
    }

    /// The tenant to which the actor belongs.
    #[must_use]
    pub fn home(&self) -> TenantId {
        match &self.extent {
            Extent::Platform => TenantId::platform(),
            Extent::Tenant(own) | Extent::Account(own, _) => own.clone(),
        }
    }

    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Refuses an actor without this permission for all tenants.
    pub(crate) fn require_everywhere(&self, permission: Permission) -> Result<(), EditError> {
        if self.holds_everywhere(permission) { Ok(()) } else { Err(EditError::Forbidden(permission)) }
    }

    /// Refuses an actor without this permission in the tenant. The tenant need not exist.
    pub(crate) fn require_in(&self, tenant: &TenantId, permission: Permission) -> Result<(), EditError> {
        if self.holds_in(tenant, permission) { Ok(()) } else { Err(EditError::Forbidden(permission)) }
    }

    /// Refuses an actor that neither manages the accounts of the tenant nor owns this account.
    pub(crate) fn require_account(&self, tenant: &TenantId, account: &AccountId) -> Result<(), EditError> {
        if self.is_account(tenant, account) { Ok(()) } else { self.require_in(tenant, Permission::Accounts) }
    }

    /// Whether the actor is the person of this account.
    pub(crate) fn is_account(&self, tenant: &TenantId, account: &AccountId) -> bool {
        matches!(&self.extent, Extent::Account(own_tenant, own) if (own_tenant, own) == (tenant, account))
    }

    /// Refuses an actor that may not import a private key into the tenant. Whoever has the key can sign as
    /// each client of the tenant, so only the platform may import one. In the tenant `platform` the key signs
    /// for every administrator, so only an operator may import one.
    pub(crate) fn require_key_import(&self, tenant: &TenantId) -> Result<(), EditError> {
        self.require_everywhere(Permission::Tenants)?;
        if tenant.as_str() != TenantId::PLATFORM || self.kind == ActorKind::Operator {
            return Ok(());
        }
        let message = "only an operator can import a key of the tenant `platform`: run `latchkey key import \
            platform FILE` on the machine with the store";
        Err(EditError::InsufficientPrivilege(message.to_owned()))
    }

    /// Whether the actor has this permission in all tenants.
    #[must_use]
    pub fn holds_everywhere(&self, permission: Permission) -> bool {
        self.is_of_platform() && self.permissions.contains(&permission)
    }

    /// Whether the actor has this permission in this tenant. In the tenant `platform` only the platform's
    /// administrators have permissions.
    #[must_use]
    pub fn holds_in(&self, tenant: &TenantId, permission: Permission) -> bool {
        let is_valid = match &self.extent {
            Extent::Platform => true,
            Extent::Account(..) => false,
            Extent::Tenant(own) => own == tenant && tenant.as_str() != TenantId::PLATFORM,
        };
        is_valid && self.permissions.contains(&permission)
    }

    /// Whether the actor may register a client of this tenant with this scope. A reserved scope needs an
    /// administrator of all tenants, or an actor that has the scope and is not a person. Other scopes need a
    /// manager of the tenant's clients.
    pub(crate) fn may_grant(&self, tenant: &TenantId, token: &ScopeToken) -> bool {
        let manages_all = self.holds_everywhere(Permission::Tenants);
        if !token.is_reserved() {
            return manages_all || self.holds_in(tenant, Permission::Clients);
        }
        Permission::of_scope(token.as_str()).is_some_and(|permission| {
            let fits = permission != Permission::Tenants || tenant.as_str() == TenantId::PLATFORM;
            fits && (manages_all || (self.kind != ActorKind::Person && self.holds_in(tenant, permission)))
        })
    }

    /// The permissions that the actor may grant in this tenant.
    #[must_use]
    pub fn grantable(&self, tenant: &TenantId) -> Vec<&'static str> {
        let names = Permission::NAMED.into_iter().map(|(name, _)| name);
        let may = |name: &&str| ScopeToken::parse(name).is_ok_and(|token| self.may_grant(tenant, &token));
        names.filter(may).collect()
    }

    /// Whether the actor has access to the store.
    pub(crate) fn is_operator(&self) -> bool {
        self.kind == ActorKind::Operator
    }

    /// Whether the actor belongs to the platform: an operator or a platform administrator.
    pub(crate) fn is_of_platform(&self) -> bool {
        self.extent == Extent::Platform
    }

    /// Whether the actor may set members that affect other clients' tokens: `issuer` of a client and
    /// `introspection: tenant`.
    pub(crate) fn may_set_beyond_client(&self) -> bool {
        self.is_of_platform() || self.kind == ActorKind::Person
    }
}

fn permissions(granted: &Scope) -> Vec<Permission> {
    granted.iter().filter_map(|token| Permission::of_scope(token.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;

    /// An account of each tenant has all permissions. Checks in which tenants they apply.
    #[test]
    fn only_platform_accounts_administer_all_tenants() {
        let all: Vec<_> = Permission::NAMED.map(|(name, _)| name).into();
        let all = Scope::parse(&all.join(" ")).unwrap();
        let [platform, acme, globex] =
            [TenantId::PLATFORM, "acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        for (home, expected) in [(&platform, [5, 5, 5, 5]), (&acme, [0, 4, 0, 0])] {
            let by = Authority::of_account(Actor::default(), home.clone(), &all);
            let held = |may: &dyn Fn(Permission) -> bool| {
                Permission::NAMED.iter().filter(|(_, permission)| may(*permission)).count()
            };
            let of =
                [&platform, &acme, &globex].map(|tenant| held(&|permission| by.holds_in(tenant, permission)));
            let everywhere = held(&|permission| by.holds_everywhere(permission));
            assert_eq!([of[0], of[1], of[2], everywhere], expected, "{home}");
            assert!(by.require_key_import(&platform).is_err(), "an operator's alone");
            assert_eq!(by.may_set_beyond_client(), *home == platform);
            let none = Authority::of_account(Actor::default(), home.clone(), &Scope::default());
            assert_eq!(held(&|permission| none.holds_in(&acme, permission)), 0);
        }
    }

    #[test]
    fn person_has_access_only_to_own_account() {
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let [ada, bob] = [1, 2].map(|number| AccountId::from_bytes([number; 16]));
        let signed_in = SignedIn::for_tests(acme.clone(), ada.clone(), Timestamp::from_seconds(1_000));
        let own = Authority::of_account_holder(&signed_in, None);
        assert_eq!(own.actor().name, format!("account:{ada}"));
        for (tenant, account, may) in
            [(&acme, &ada, true), (&acme, &bob, false), (&globex, &ada, false), (&globex, &bob, false)]
        {
            assert_eq!(own.require_account(tenant, account).is_ok(), may, "{tenant} {account}");
        }
        let tenants = [acme, globex, TenantId::parse(TenantId::PLATFORM).unwrap()];
        for (_, permission) in Permission::NAMED {
            let has_any = tenants.iter().any(|tenant| own.holds_in(tenant, permission));
            assert!(!has_any && !own.holds_everywhere(permission), "{permission:?}");
        }
        assert!(!own.may_set_beyond_client());
    }
}
