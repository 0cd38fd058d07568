//! A registered client with its permissions and secrets (RFC 6749 §2, RFC 7591 §2).

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::{
    ClientAuthenticationMethod, GrantType, ResourceIndicator, Scope, StaticClaims, SubjectType, find_resource,
};
use serde::{Deserialize, Serialize};
use tenancy::{Issuer, RefreshTokenPolicy, Tenant, TenantId, TokenOverrides, UserinfoTokens};
use values::Lifetime;

use crate::{CertificateSubject, ClientId, ClientKeys, ClientSecret, CodeFlow, SecretRotation, TrustRules};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The tenant. Detects a store that returns another tenant's client.
    pub tenant: TenantId,
    pub id: ClientId,
    /// The display name.
    pub name: String,
    /// A description for people. Requests do not need it, so it is not cached at replicas.
    #[serde(skip)]
    pub description: Option<String>,
    /// Contacts for questions about the client (RFC 7591 §2).
    #[serde(default)]
    pub contacts: Vec<String>,
    /// The registered kind of client. No decision depends on it.
    #[serde(default)]
    pub purpose: Option<ClientPurpose>,
    pub status: ClientStatus,
    pub authentication_method: ClientAuthenticationMethod,
    pub grant_types: Vec<GrantType>,
    /// The `aud` of the client's tokens if the request names no resource.
    pub audiences: Vec<String>,
    /// Additional values that the client may request with `resource` (RFC 8707).
    pub resources: Vec<String>,
    /// The maximum scope of the client.
    pub scope: Scope,
    /// Overrides the tenant's lifetime of access tokens.
    pub access_token_lifetime: Option<Lifetime>,
    /// Overrides other settings of the tenant's access tokens.
    #[serde(default, skip_serializing_if = "TokenOverrides::is_empty")]
    pub access_token: TokenOverrides,
    /// Claims of the client's tokens, in addition to those of the grant and the tenant.
    #[serde(default)]
    pub claims: StaticClaims,
    /// Claims that the client's tokens copy from an assertion of another issuer: the name in the token, and
    /// the name in the assertion.
    #[serde(default)]
    pub copied_claims: BTreeMap<String, String>,
    /// `iss` of the client's tokens, if it is an alias of the tenant's issuer.
    pub issuer: Option<Issuer>,
    pub introspection: IntrospectionRight,
    /// Whether each token of the client must be bound to a DPoP key (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// Whether each token of the client must be bound to its certificate (RFC 8705 §3.4).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// The schedule by which Latchkey rotates the client's secret. Requests do not need it, so it is not
    /// cached at replicas.
    #[serde(skip)]
    pub rotation: Option<SecretRotation>,
    /// The public keys for assertions.
    pub keys: Option<ClientKeys>,
    /// The URL of the public keys, instead of `keys`.
    pub jwks_uri: Option<String>,
    /// The rules for assertions of other issuers that authenticate the client.
    #[serde(default)]
    pub federated: TrustRules,
    /// The subject of the client's certificates (RFC 8705 §2.1.2).
    pub certificate_subject: Option<CertificateSubject>,
    /// The settings for signing people in.
    #[serde(default)]
    pub code_flow: CodeFlow,
    /// All secrets, including expired and revoked ones. Check [`ClientSecret::is_live`] before use.
    pub secrets: Vec<ClientSecret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    Active,
    /// Authentication fails as for an unknown client.
    Suspended,
}

/// The registered kind of client, a label for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientPurpose {
    /// The client calls an API.
    MachineToMachine,
    /// The client is the identity of a workload.
    ServiceAccount,
    /// The client is an API that receives tokens and introspects them.
    Api,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntrospectionRight {
    /// Tokens that were issued to the client.
    #[default]
    Own,
    /// Tokens that were issued to the client, and tokens for a resource server that lists the client.
    Audience,
    /// All tokens of the tenant.
    Tenant,
}

impl Client {
    /// The registered audiences and resources.
    fn names(&self) -> impl Iterator<Item = &String> + Clone {
        self.audiences.iter().chain(&self.resources)
    }

    /// The registered spelling of a requested resource or audience, if the client may request it.
    #[must_use]
    pub fn resource(&self, requested: &ResourceIndicator) -> Option<&str> {
        requested.find_in(self.names())
    }

    /// The registered spelling of a resource that another row, such as an API key, contains.
    #[must_use]
    pub fn resource_named(&self, name: &str) -> Option<&String> {
        find_resource(self.names(), name)
    }

    /// Creates an active client with the defaults of a registration. Its name is its id, and it may request a
    /// token for itself without scope.
    #[must_use]
    pub fn new(tenant: TenantId, id: ClientId) -> Self {
        Self {
            name: id.to_string(),
            tenant,
            id,
            description: None,
            contacts: Vec::new(),
            purpose: None,
            status: ClientStatus::Active,
            authentication_method: ClientAuthenticationMethod::Any,
            grant_types: vec![GrantType::ClientCredentials],
            audiences: Vec::new(),
            resources: Vec::new(),
            scope: Scope::default(),
            access_token_lifetime: None,
            access_token: TokenOverrides::default(),
            claims: StaticClaims::default(),
            copied_claims: BTreeMap::new(),
            issuer: None,
            introspection: IntrospectionRight::Own,
            dpop_bound_access_tokens: false,
            tls_client_certificate_bound_access_tokens: false,
            rotation: None,
            keys: None,
            jwks_uri: None,
            federated: TrustRules::default(),
            certificate_subject: None,
            code_flow: CodeFlow::default(),
            secrets: Vec::new(),
        }
    }

    /// Whether the client is public, so that it cannot authenticate (RFC 6749 §2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.authentication_method == ClientAuthenticationMethod::None
    }

    /// The client with the claims that an assertion adds to its tokens.
    #[must_use]
    pub(crate) fn with_copied(self: Arc<Self>, copied: &StaticClaims) -> Arc<Self> {
        if copied.is_empty() {
            return self;
        }
        let claims = self.claims.with(copied).into_owned();
        Arc::new(Self { claims, ..Self::clone(&self) })
    }

    #[must_use]
    pub fn gets_refresh_tokens(&self) -> bool {
        self.grant_types.contains(&GrantType::RefreshToken)
    }

    /// Whether the client receives a public or a pairwise `sub`: the client's setting, or the tenant's.
    #[must_use]
    pub fn subject_type(&self, tenant: &Tenant) -> SubjectType {
        self.code_flow.subject_type.unwrap_or(tenant.subject)
    }

    /// The client's setting, or the tenant's.
    #[must_use]
    pub fn userinfo_tokens(&self, tenant: &Tenant) -> UserinfoTokens {
        self.code_flow.userinfo.unwrap_or(tenant.userinfo)
    }

    /// The tenant's policy with the client's overrides.
    #[must_use]
    pub fn refresh_token_policy(&self, tenant: &Tenant) -> RefreshTokenPolicy {
        tenant.refresh_token.with(self.code_flow.refresh_token)
    }

    /// The client's setting, or the tenant's.
    #[must_use]
    pub fn token_lifetime(&self, tenant: &Tenant) -> Lifetime {
        self.access_token_lifetime.unwrap_or(tenant.access_token.lifetime)
    }
}

// The names in configuration and database rows.
values::named! { IntrospectionRight { Own => "own", Audience => "audience", Tenant => "tenant" } }
values::named! {
    ClientPurpose { MachineToMachine => "machine_to_machine", ServiceAccount => "service_account", Api => "api" }
}

#[cfg(test)]
mod tests {
    use tenancy::AccessTokenPolicy;

    use super::*;

    #[test]
    fn client_settings_override_tenant_settings() {
        let (id, lifetime) = (TenantId::parse("acme").unwrap(), Lifetime::from_seconds(60));
        let access_token = AccessTokenPolicy { lifetime, ..AccessTokenPolicy::default() };
        let tenant = Tenant { access_token, ..crate::authentication::authenticator::tests::tenant("acme") };
        let plain = Client::new(id, ClientId::parse("svc").unwrap());
        assert_eq!(plain.token_lifetime(&tenant), lifetime);
        let longer = Lifetime::from_seconds(90);
        let own = Client { access_token_lifetime: Some(longer), ..plain };
        assert_eq!(own.token_lifetime(&tenant), longer);
        let mut client = own;
        for of_tenant in [SubjectType::Public, SubjectType::Pairwise] {
            let tenant = Tenant { subject: of_tenant, ..tenant.clone() };
            for (own, expected) in
                SubjectType::NAMED.map(|(_, own)| (Some(own), own)).into_iter().chain([(None, of_tenant)])
            {
                client.code_flow.subject_type = own;
                assert_eq!(client.subject_type(&tenant), expected);
            }
        }
        for (_, of_tenant) in UserinfoTokens::NAMED {
            let tenant = Tenant { userinfo: of_tenant, ..tenant.clone() };
            client.code_flow.userinfo = None;
            assert_eq!(client.userinfo_tokens(&tenant), of_tenant);
            for (_, own) in UserinfoTokens::NAMED {
                client.code_flow.userinfo = Some(own);
                assert_eq!(client.userinfo_tokens(&tenant), own);
            }
        }
    }
}
