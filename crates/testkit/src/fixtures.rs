//! Simple tenants, clients and keys, which are always the same. A test changes the fields that it tests.

use std::num::NonZero;

use keys::{KeyId, KeyRecord};
use protocol::{ClientAuthenticationMethod, GrantType, Scope, SigningAlgorithm, StaticClaims, SubjectType};
use registry::{
    ApiKey, ClaimRule, Client, ClientId, ClientKeys, ClientSecret, CodeFlow, IntrospectionRight, SecretId,
    TrustRule, TrustRules,
};
use secrets::SecretHash;
use tenancy::{
    AccessTokenPolicy, ApiKeyPolicy, AssertionPolicy, Branding, Issuer, IssuerKeys, KidForm,
    RefreshTokenPolicy, ResourceServer, ReuseWindow, SessionPolicy, SignInPolicy, SigningPolicy, Strategies,
    Tenant, TenantId, TenantLimits, TokenFormat, TokenOverrides, TrustedIssuer,
};
use values::{Lifetime, Timestamp};

/// The time of the tests: 2026-01-01T00:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// The audience of the resource server in [`tenant`].
pub const AUDIENCE: &str = "api";

/// A tenant id.
///
/// # Panics
/// If the text is invalid.
#[must_use]
pub fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// A client id.
///
/// # Panics
/// If the text is invalid.
#[must_use]
pub fn client_id(id: &str) -> ClientId {
    ClientId::parse(id).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// A scope.
///
/// # Panics
/// If the text is invalid.
#[must_use]
pub fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An issuer.
///
/// # Panics
/// If the text is invalid.
#[must_use]
pub fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An active tenant with OAuth, its derived issuer, the default settings and one resource server.
#[must_use]
pub fn tenant(id: &str) -> Tenant {
    let id = tenant_id(id);
    let resource_server = ResourceServer {
        audience: AUDIENCE.to_owned(),
        scopes: scope("api:read api:write"),
        ..ResourceServer::default()
    };
    Tenant {
        strategies: Strategies { oauth2: true, oidc: true },
        resource_servers: vec![resource_server],
        ..Tenant::new(id.clone(), Issuer::derived("http://localhost:3000", &id))
    }
}

/// An active client of the tenant for `client_credentials`, without secrets.
#[must_use]
pub fn client(tenant: &Tenant, id: &str) -> Client {
    Client {
        audiences: vec![AUDIENCE.to_owned()],
        scope: scope("api:read api:write"),
        ..Client::new(tenant.id.clone(), client_id(id))
    }
}

#[must_use]
pub fn with_token_lifetime(client: Client, seconds: u64) -> Client {
    Client { access_token_lifetime: Some(Lifetime::from_seconds(seconds)), ..client }
}

/// Static claims of access tokens, from JSON.
#[must_use]
pub fn claims(text: &str) -> StaticClaims {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A live secret that no value matches, for tests of rows.
#[must_use]
pub fn secret(id: &str) -> ClientSecret {
    ClientSecret {
        id: SecretId::new(id),
        hash: SecretHash::token([7; 32]),
        hint: "9xQ2".to_owned(),
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}

/// A key that signs since [`NOW`]. Its sealed bytes are not a key, so it is only for tests of rows.
#[must_use]
pub fn key(number: u32) -> KeyRecord {
    KeyRecord {
        id: KeyId::numbered(number),
        algorithm: SigningAlgorithm::RS256.into(),
        sealed_private_key: vec![0, 159, 146, 150, 255],
        thumbprint: format!("thumbprint-{number}"),
        public_jwk: None,
        announced_at: NOW,
        active_from: NOW,
        retiring_from: None,
        removed_at: None,
        shown: keys::ShownTimes::default(),
    }
}

/// Like [`key`], but different for each tenant.
#[must_use]
pub fn key_of(tenant: &TenantId, number: u32) -> KeyRecord {
    KeyRecord { thumbprint: format!("thumbprint-{number}-of-{tenant}"), ..key(number) }
}

/// A tenant `acme-1` with a value for every setting.
#[must_use]
pub fn tenant_with_settings() -> Tenant {
    let seconds = Lifetime::from_seconds;
    Tenant {
        name: "ACME (Tools), No. 1".to_owned(),
        issuer: issuer("https://auth.example.com/acme-1"),
        strategies: Strategies { oauth2: true, oidc: false },
        stale_if_error: seconds(7),
        signing: SigningPolicy {
            algorithm: SigningAlgorithm::ES256,
            rotate_every: seconds(11),
            publish_before: seconds(12),
            jwks_max_age: seconds(13),
            jwks_stale: seconds(14),
            skew: seconds(15),
            rsa_bits: 3072,
            kid: KidForm::Thumbprint,
            hold_activation: Some(seconds(16)),
        },
        access_token: AccessTokenPolicy {
            reuse: ReuseWindow::parse("20%").unwrap_or_default(),
            lifetime: seconds(17),
            format: TokenFormat::Jwt,
            typ: "at+jwt".to_owned(),
            require_sender_constraint: true,
            require_dpop_nonce: true,
            claims: claims(r#"{"plan":"pro"}"#),
            claims_allow: vec!["roles".to_owned()],
            previous_typs: Vec::new(),
        },
        assertions: AssertionPolicy { issuer_only: true, max_lifetime: seconds(18) },
        trusted_issuers: vec![TrustedIssuer {
            name: "ci".to_owned(),
            keys: IssuerKeys::Url("https://ci.example.com/keys".to_owned()),
            algorithms: vec!["ES256".to_owned()],
            ..TrustedIssuer::of_url("https://ci.example.com")
        }],
        client_ca: Some("-----BEGIN CERTIFICATE-----".to_owned()),
        api_keys: Some(ApiKeyPolicy {
            max_lifetime: seconds(25),
            default_lifetime: seconds(24),
            prefix: Some("acme_live".to_owned()),
        }),
        leaks: tenancy::LeakPolicy { action: tenancy::LeakAction::Revoke, grace: Lifetime::from_seconds(26) },
        refresh_token: RefreshTokenPolicy { grace: seconds(19), ..RefreshTokenPolicy::default() },
        sign_in: SignInPolicy {
            session: SessionPolicy { idle: seconds(20), absolute: seconds(21), remember: seconds(22) },
            recovery: false,
        },
        subject: SubjectType::Pairwise,
        userinfo: tenancy::UserinfoTokens::Separate,
        groups: Some(vec!["staff".to_owned()]),
        branding: Branding { support_url: Some("https://acme.example/ä".to_owned()), ..Branding::default() },
        limits: TenantLimits { clients: NonZero::new(23), ..TenantLimits::default() },
        resource_servers: Vec::new(),
        ..tenant("acme-1")
    }
}

/// A key of a client that expires after a day.
#[must_use]
pub fn api_key(client: &Client, id: &str) -> ApiKey {
    let (id, hash) = (id.parse().expect("the id of a key"), SecretHash::token([7; 32]));
    let expires_at = NOW + Lifetime::from_seconds(86_400);
    let name = "Nightly export".to_owned();
    ApiKey { name, expires_at, ..ApiKey::new(client, id, hash, "Yx3k".to_owned(), NOW) }
}

/// A client of `acme-1` with a value for every setting.
#[must_use]
pub fn client_with_settings() -> Client {
    Client {
        name: "svc".to_owned(),
        description: Some("Sends “bills”".to_owned()),
        authentication_method: ClientAuthenticationMethod::PrivateKeyJwt,
        grant_types: vec![GrantType::RefreshToken, GrantType::ClientCredentials],
        audiences: vec!["api".to_owned(), "a b".to_owned()],
        scope: scope("b a"),
        access_token_lifetime: Some(Lifetime::from_seconds(77)),
        access_token: TokenOverrides { format: Some(TokenFormat::Opaque), reuse: ReuseWindow::parse("25%") },
        issuer: Some(issuer("thunder")),
        introspection: IntrospectionRight::Tenant,
        dpop_bound_access_tokens: true,
        tls_client_certificate_bound_access_tokens: true,
        keys: Some(ClientKeys::from(r#"{"keys":[]}"#.to_owned())),
        jwks_uri: Some("https://keys.example.com/ä".to_owned()),
        copied_claims: [("repo".to_owned(), "repository".to_owned())].into(),
        federated: TrustRules(vec![TrustRule {
            audience: Some("https://id.example.com/ä".to_owned()),
            claims: [("environment".to_owned(), ClaimRule::OneOf(vec!["prod*".into()]))].into(),
            once: true,
            ..TrustRule::new("ci", "repo:acme/**")
        }]),
        certificate_subject: Some("san_dns:example.com".parse().expect("a subject")),
        code_flow: CodeFlow {
            redirect_uris: vec!["https://app.example.com/cb".to_owned()],
            require_pkce: false,
            popup: true,
            ..CodeFlow::default()
        },
        ..Client::new(tenant_id("acme-1"), client_id("svc"))
    }
}
