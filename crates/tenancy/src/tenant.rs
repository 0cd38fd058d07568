//! One tenant as its requests need it: identity, policies and resource servers. Clients and
//! keys are found separately.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{CanonicalResource, Scope, ScopeToken, SubjectType};
use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp};

use crate::{
    AccessTokenPolicy, ApiKeyPolicy, AssertionPolicy, Branding, Issuer, LeakPolicy, RefreshTokenPolicy,
    SignInPolicy, SigningPolicy, TenantId, TenantLimits, TrustedIssuer, UserinfoTokens,
};

/// An isolated authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The name in paths and rows.
    pub id: TenantId,
    /// The display name.
    pub name: String,
    /// `iss` of its tokens, unless a client has an alias.
    pub issuer: Issuer,
    /// Other `iss` values, for single clients.
    pub issuer_aliases: Vec<Issuer>,
    /// Whether the tenant serves requests.
    pub status: TenantStatus,
    /// The offered strategies.
    pub strategies: Strategies,
    /// How long its cached rows may serve while the store is unavailable.
    pub stale_if_error: Lifetime,
    /// The policy of its keys.
    pub signing: SigningPolicy,
    pub access_token: AccessTokenPolicy,
    /// Which assertions of its clients it accepts.
    pub assertions: AssertionPolicy,
    /// Other issuers that the rules of its clients refer to.
    #[serde(default)]
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The authorities of its clients' certificates in PEM, in place of those of the listener.
    #[serde(default)]
    pub client_ca: Option<String>,
    /// The API keys of its clients, which have none without it.
    #[serde(default)]
    pub api_keys: Option<ApiKeyPolicy>,
    /// The effect of a report that a client's credential has leaked.
    #[serde(default)]
    pub leaks: LeakPolicy,
    /// The policy of the refresh tokens of its people.
    pub refresh_token: RefreshTokenPolicy,
    /// The policy of its sign-ins.
    pub sign_in: SignInPolicy,
    /// Whether `sub` is public or pairwise, for clients without a setting of their own.
    pub subject: SubjectType,
    /// The access tokens for userinfo, of clients without a setting of their own.
    #[serde(default)]
    pub userinfo: UserinfoTokens,
    /// How the pages look that people see.
    pub branding: Branding,
    /// The audiences, ordered by name.
    pub resource_servers: Vec<ResourceServer>,
    pub limits: TenantLimits,
    /// When its rows were last restored or imported. What was used once since they were read is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// Whether this program cannot read its settings, which then have their defaults here. Such a tenant
    /// serves nothing; it can be suspended and deleted.
    #[serde(skip)]
    pub is_unreadable: bool,
}

impl Tenant {
    /// How long cached rows may serve while the store is unavailable, where nothing else is set.
    pub const STALE_IF_ERROR: Lifetime = Lifetime::from_seconds(15 * 60);

    /// An active tenant named by its id, with the default of each setting.
    #[must_use]
    pub fn new(id: TenantId, issuer: Issuer) -> Self {
        Self {
            name: id.to_string(),
            id,
            issuer,
            issuer_aliases: Vec::new(),
            status: TenantStatus::Active,
            strategies: Strategies::default(),
            stale_if_error: Self::STALE_IF_ERROR,
            signing: SigningPolicy::default(),
            access_token: AccessTokenPolicy::default(),
            assertions: AssertionPolicy::default(),
            trusted_issuers: Vec::new(),
            client_ca: None,
            api_keys: None,
            leaks: LeakPolicy::default(),
            refresh_token: RefreshTokenPolicy::default(),
            sign_in: SignInPolicy::default(),
            subject: SubjectType::default(),
            userinfo: UserinfoTokens::default(),
            branding: Branding::default(),
            resource_servers: Vec::new(),
            limits: TenantLimits::default(),
            restored_at: None,
            is_unreadable: false,
        }
    }
}

/// Whether a tenant serves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantStatus {
    /// The tenant serves requests.
    Active,
    /// The tenant looks like an unknown one, except for its public keys.
    Suspended {
        /// When its last token expires; until then its keys stay published.
        keys_published_until: Timestamp,
    },
}

/// The strategies that a tenant can offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategies {
    /// Token, introspection and metadata endpoints.
    pub oauth2: bool,
    /// People sign in; only beside `oauth2`.
    pub oidc: bool,
}

/// An audience and the scopes that belong to it (RFC 8707 §2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The name in `aud` and, if it is a URI, in `resource`.
    pub audience: String,
    /// The scopes of this audience.
    pub scopes: Scope,
    /// The description of a scope for people, by its token. A scope may have none.
    #[serde(default)]
    pub scope_descriptions: BTreeMap<String, String>,
    /// Clients that may introspect tokens for it.
    pub introspection_clients: Vec<String>,
}

impl Tenant {
    /// Whether `iss` is the tenant's issuer or one of its aliases.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.as_str() == iss || self.issuer_aliases.iter().any(|alias| alias.as_str() == iss)
    }

    /// Whether the tenant serves requests.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }

    /// The resource server of this name.
    #[must_use]
    pub fn resource_server(&self, audience: &str) -> Option<&ResourceServer> {
        self.resource_servers.iter().find(|server| server.audience == audience)
    }

    /// The resource server that a resource means: the one of this name, otherwise one with another spelling.
    #[must_use]
    pub fn server_of_resource(&self, resource: &str) -> Option<&ResourceServer> {
        self.resource_server(resource).or_else(|| {
            let resource = CanonicalResource::new(resource);
            self.resource_servers.iter().find(|server| CanonicalResource::new(&server.audience) == resource)
        })
    }

    /// Whether the scope applies to the audience. A scope that no resource server has declared
    /// applies to every audience.
    #[must_use]
    pub fn scope_belongs_to(&self, token: &ScopeToken, audience: &str) -> bool {
        self.server_of_resource(audience).is_some_and(|server| server.scopes.contains(token))
            || !self.resource_servers.iter().any(|server| server.scopes.contains(token))
    }

    /// The description of a scope for people: that of the resource servers of these audiences, or else that
    /// of other ones.
    #[must_use]
    pub fn descriptions_of(&self, scope: &str, audiences: &[String]) -> BTreeSet<&str> {
        let said = |is_of: &dyn Fn(&ResourceServer) -> bool| -> BTreeSet<_> {
            let servers = self.resource_servers.iter().filter(|server| is_of(server));
            servers.filter_map(|server| server.scope_descriptions.get(scope).map(String::as_str)).collect()
        };
        let servers: Vec<_> = audiences.iter().filter_map(|name| self.server_of_resource(name)).collect();
        let of_audiences = said(&|server| servers.iter().any(|known| known.audience == server.audience));
        if of_audiences.is_empty() { said(&|_| true) } else { of_audiences }
    }
}
