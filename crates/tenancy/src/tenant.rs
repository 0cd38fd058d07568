//! A tenant as its requests need it: identity, policies and resource servers. Clients and keys are read
//! separately.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{CanonicalResource, Scope, ScopeToken, SubjectType};
use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp};

use crate::{
    AccessTokenPolicy, ApiKeyPolicy, AssertionPolicy, Branding, Issuer, LeakPolicy, RefreshTokenPolicy,
    SignInPolicy, SigningPolicy, TenantId, TenantLimits, TokenFormat, TrustedIssuer, UserinfoTokens,
};

/// An isolated authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The name in paths and rows.
    pub id: TenantId,
    /// The display name.
    pub name: String,
    /// `iss` of the tenant's tokens, unless the client uses an alias.
    pub issuer: Issuer,
    /// Other `iss` values for single clients.
    pub issuer_aliases: Vec<Issuer>,
    pub status: TenantStatus,
    pub strategies: Strategies,
    /// How long cached rows of the tenant may be served while the store is unavailable.
    pub stale_if_error: Lifetime,
    pub signing: SigningPolicy,
    pub access_token: AccessTokenPolicy,
    pub assertions: AssertionPolicy,
    /// Other issuers that the rules of clients refer to.
    #[serde(default)]
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The authorities for clients' certificates in PEM. They replace those of the listener.
    #[serde(default)]
    pub client_ca: Option<String>,
    /// The policy for API keys. `None` means that clients cannot have API keys.
    #[serde(default)]
    pub api_keys: Option<ApiKeyPolicy>,
    #[serde(default)]
    pub leaks: LeakPolicy,
    pub refresh_token: RefreshTokenPolicy,
    pub sign_in: SignInPolicy,
    /// The default for clients without their own setting.
    pub subject: SubjectType,
    /// The default for clients without their own setting.
    #[serde(default)]
    pub userinfo: UserinfoTokens,
    /// The groups that accounts may have. `None` means any.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// The appearance of the tenant's pages.
    pub branding: Branding,
    /// The audiences, sorted by name.
    pub resource_servers: Vec<ResourceServer>,
    pub limits: TenantLimits,
    /// When the tenant's rows were last restored or imported. The record of uses before that time may be
    /// incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// Whether this version cannot read the tenant's settings. They have their defaults here. Such a tenant
    /// serves no requests, but can be suspended and deleted.
    #[serde(skip)]
    pub is_unreadable: bool,
}

impl Tenant {
    /// The default of `stale_if_error`.
    pub const STALE_IF_ERROR: Lifetime = Lifetime::from_seconds(15 * 60);

    /// An active tenant with its id as name and default settings.
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
            groups: None,
            branding: Branding::default(),
            resource_servers: Vec::new(),
            limits: TenantLimits::default(),
            restored_at: None,
            is_unreadable: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantStatus {
    Active,
    /// The tenant looks like an unknown tenant, except that its public keys stay available.
    Suspended {
        /// When the tenant's last token expires. Until then its keys stay published.
        keys_published_until: Timestamp,
    },
}

/// What a tenant offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategies {
    /// Token, introspection and metadata endpoints.
    pub oauth2: bool,
    /// Sign-in of people. Requires `oauth2`.
    pub oidc: bool,
}

/// An audience and the scopes that belong to it (RFC 8707 §2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The name in `aud` and, if it is a URI, in `resource`.
    pub audience: String,
    pub scopes: Scope,
    /// Descriptions of scopes for people, by scope. Optional for each scope.
    #[serde(default)]
    pub scope_descriptions: BTreeMap<String, String>,
    /// The clients that may introspect tokens for this audience.
    pub introspection_clients: Vec<String>,
    /// The format of its tokens, if it overrides those of client and tenant.
    #[serde(default)]
    pub token_format: Option<TokenFormat>,
}

impl Tenant {
    /// Whether `iss` is the tenant's issuer or one of its aliases.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.as_str() == iss || self.issuer_aliases.iter().any(|alias| alias.as_str() == iss)
    }

    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }

    #[must_use]
    pub fn resource_server(&self, audience: &str) -> Option<&ResourceServer> {
        self.resource_servers.iter().find(|server| server.audience == audience)
    }

    /// The resource server for a resource: the one with exactly this name, otherwise one with an equivalent
    /// spelling.
    #[must_use]
    pub fn server_of_resource(&self, resource: &str) -> Option<&ResourceServer> {
        self.resource_server(resource).or_else(|| {
            let resource = CanonicalResource::new(resource);
            self.resource_servers.iter().find(|server| CanonicalResource::new(&server.audience) == resource)
        })
    }

    /// Whether the scope applies to the audience. A scope that no resource server declares applies to every
    /// audience.
    #[must_use]
    pub fn scope_belongs_to(&self, token: &ScopeToken, audience: &str) -> bool {
        self.server_of_resource(audience).is_some_and(|server| server.scopes.contains(token))
            || !self.resource_servers.iter().any(|server| server.scopes.contains(token))
    }

    /// The descriptions of a scope: those of the resource servers of these audiences, or otherwise those of
    /// other resource servers.
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
