//! Plain tenants, clients and keys, always the same. A test changes the fields that it is about.

use keys::{KeyId, KeyRecord};
use protocol::{Lifetime, Scope, SigningAlgorithm, Timestamp};
use registry::{Client, ClientId, ClientSecret, SecretId};
use secrets::SecretHash;
use tenancy::{
    AccessTokenPolicy, Issuer, ResourceServer, SigningPolicy, Strategies, Tenant, TenantId, TenantLimits,
    TenantStatus,
};

/// The moment at which tests happen: 2026-01-01T00:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// The audience that fixtures know.
pub const AUDIENCE: &str = "api";

/// A tenant id.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// A client id.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn client_id(id: &str) -> ClientId {
    ClientId::parse(id).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// A scope.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An issuer.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An active tenant that serves OAuth, with its derived issuer, the defaults of configuration and one resource server.
#[must_use]
pub fn tenant(id: &str) -> Tenant {
    let id = tenant_id(id);
    let resource_server = ResourceServer {
        audience: AUDIENCE.to_owned(),
        scopes: scope("api:read api:write"),
        introspection_clients: Vec::new(),
    };
    Tenant {
        name: id.to_string(),
        issuer: Issuer::derived("http://localhost:3000", &id),
        issuer_aliases: Vec::new(),
        status: TenantStatus::Active,
        strategies: Strategies { oauth2: true, oidc: true },
        stale_if_error: Lifetime::from_seconds(900),
        signing: SigningPolicy::default(),
        access_token: AccessTokenPolicy::default(),
        resource_servers: vec![resource_server],
        limits: TenantLimits::default(),
        assertions: tenancy::AssertionPolicy::default(),
        refresh_token: tenancy::RefreshTokenPolicy::default(),
        sign_in: tenancy::SignInPolicy::default(),
        subject: protocol::SubjectType::default(),
        branding: tenancy::Branding::default(),
        id,
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

/// The client with a lifetime of its own for its tokens.
#[must_use]
pub fn with_token_lifetime(client: Client, seconds: u64) -> Client {
    Client { access_token_lifetime: Some(Lifetime::from_seconds(seconds)), ..client }
}

/// A live secret that no value matches, for tests of rows.
#[must_use]
pub fn secret(id: &str) -> ClientSecret {
    ClientSecret {
        id: SecretId::new(id),
        hash: SecretHash::Token([7; 32]),
        hint: "9xQ2".to_owned(),
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}

/// A key that signs since [`NOW`]. Its sealed bytes are no key: this too is for tests of rows.
#[must_use]
pub fn key(number: u32) -> KeyRecord {
    KeyRecord {
        id: KeyId::numbered(number),
        algorithm: SigningAlgorithm::RS256,
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

/// As [`key`], and no other tenant's.
#[must_use]
pub fn key_of(tenant: &TenantId, number: u32) -> KeyRecord {
    KeyRecord { thumbprint: format!("thumbprint-{number} of {tenant}"), ..key(number) }
}
