//! A registered client: what it may ask for and which secrets it has (RFC 6749 §2, RFC 7591 §2).

use protocol::{ClientAuthenticationMethod, GrantType, Lifetime, Scope};
use serde::{Deserialize, Serialize};
use tenancy::{Issuer, TenantId};

use crate::{ClientId, ClientSecret};

/// A client of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Whose client it is. A store that answers with another tenant's client is caught by this.
    pub tenant: TenantId,
    /// Its identifier.
    pub id: ClientId,
    /// Its name for people.
    pub name: String,
    /// Whether it may authenticate.
    pub status: ClientStatus,
    /// How it must authenticate.
    pub authentication_method: ClientAuthenticationMethod,
    /// Which grants it may use.
    pub grant_types: Vec<GrantType>,
    /// What goes into `aud` when the request names no resource.
    pub audiences: Vec<String>,
    /// What it may name in `resource` beyond its audiences (RFC 8707).
    pub resources: Vec<String>,
    /// What it may be granted.
    pub scope: Scope,
    /// How long its tokens live, where that differs from the tenant's.
    pub access_token_lifetime: Option<Lifetime>,
    /// `iss` of its tokens, where that is an alias of the tenant's.
    pub issuer: Option<Issuer>,
    /// Whose tokens it may introspect.
    pub introspection: IntrospectionRight,
    /// Its secrets, live or not; which is which depends on the time.
    pub secrets: Vec<ClientSecret>,
}

/// Whether a client may authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    /// It may.
    Active,
    /// It fails as an unknown client does.
    Suspended,
}

/// Whose tokens a client may introspect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntrospectionRight {
    /// Those issued to itself.
    #[default]
    Own,
    /// Also those for a resource server that lists it.
    Audience,
    /// All of its tenant.
    Tenant,
}

impl IntrospectionRight {
    /// The name in configuration and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Audience => "audience",
            Self::Tenant => "tenant",
        }
    }
}
