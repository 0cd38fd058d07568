//! One tenant as its requests need it: identity, policies and resource servers. Clients and keys are found separately.

use protocol::{Lifetime, Scope, ScopeToken, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AccessTokenPolicy, Issuer, SigningPolicy, TenantId};

/// An isolated authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name in paths and rows.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// `iss` of its tokens, unless a client was given an alias.
    pub issuer: Issuer,
    /// Other `iss` values that its clients may be given.
    pub issuer_aliases: Vec<Issuer>,
    /// Whether it serves requests.
    pub status: TenantStatus,
    /// What it offers.
    pub strategies: Strategies,
    /// How long its cached rows may serve while the store is down.
    pub stale_if_error: Lifetime,
    /// How it signs.
    pub signing: SigningPolicy,
    /// What it issues.
    pub access_token: AccessTokenPolicy,
    /// Its audiences, in the order of their names.
    pub resource_servers: Vec<ResourceServer>,
}

/// Whether a tenant serves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantStatus {
    /// It does.
    Active,
    /// It answers as an unknown tenant, but for its public keys.
    Suspended {
        /// When the last token that it issued expires; until then its keys stay published.
        keys_published_until: Timestamp,
    },
}

/// What a tenant offers at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategies {
    /// Token, introspection and metadata endpoints.
    pub oauth2: bool,
    /// Named in the list of strategies; it has no endpoints of its own yet.
    pub oidc: bool,
}

/// An audience and the scopes that belong to it (RFC 8707 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// Its name in `aud` and, where it is a URI, in `resource`.
    pub audience: String,
    /// Scopes that mean something there.
    pub scopes: Scope,
    /// Clients that may introspect tokens for it.
    pub introspection_clients: Vec<String>,
}

impl Tenant {
    /// Whether `iss` names this tenant, as itself or by an alias.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.as_str() == iss || self.issuer_aliases.iter().any(|alias| alias.as_str() == iss)
    }

    /// Whether it serves requests.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }

    /// The resource server of this name.
    #[must_use]
    pub fn resource_server(&self, audience: &str) -> Option<&ResourceServer> {
        self.resource_servers.iter().find(|server| server.audience == audience)
    }

    /// Whether the scope means something at the audience. A scope that no resource server has declared is nobody's in
    /// particular and goes anywhere.
    #[must_use]
    pub fn scope_belongs_to(&self, token: &ScopeToken, audience: &str) -> bool {
        self.resource_server(audience).is_some_and(|server| server.scopes.contains(token))
            || !self.resource_servers.iter().any(|server| server.scopes.contains(token))
    }
}
