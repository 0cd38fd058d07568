//! A tenant and a client for the tables of this crate.

use protocol::{Audience, Lifetime, Scope, Timestamp};
use registry::{Client, ClientId};
use tenancy::{
    AccessTokenPolicy, Issuer, ResourceServer, SigningPolicy, Strategies, Tenant, TenantId, TenantStatus,
};

use crate::AccessTokenClaims;

/// Tenant `acme` with an orders API that owns `read` and `write`, and a reports API that owns `report`.
pub(crate) fn acme() -> Tenant {
    let server = |audience: &str, scopes: &str, clients: &[&str]| ResourceServer {
        audience: audience.to_owned(),
        scopes: Scope::parse(scopes).unwrap(),
        introspection_clients: clients.iter().map(|client| (*client).to_owned()).collect(),
    };
    Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "Acme".to_owned(),
        issuer: Issuer::parse("https://acme.example").unwrap(),
        issuer_aliases: vec![Issuer::parse("thunder").unwrap()],
        status: TenantStatus::Active,
        strategies: Strategies { oauth2: true, oidc: false },
        stale_if_error: Lifetime::from_seconds(900),
        signing: SigningPolicy::default(),
        access_token: AccessTokenPolicy::default(),
        resource_servers: vec![
            server("https://orders.example", "read write", &["gatekeeper"]),
            server("https://reports.example", "report", &[]),
        ],
        limits: tenancy::TenantLimits::default(),
        assertions: tenancy::AssertionPolicy::default(),
    }
}

/// A client of `acme` with all scopes and one more that no resource server owns.
pub(crate) fn client(id: &str) -> Client {
    Client {
        resources: vec!["https://orders.example".to_owned(), "https://reports.example".to_owned()],
        scope: Scope::parse("read write report anywhere").unwrap(),
        ..Client::new(TenantId::parse("acme").unwrap(), ClientId::parse(id).unwrap())
    }
}

/// The claims of a token of a client of `acme`, valid from second 1000 on.
pub(crate) fn claims(client: &str, jti: &str) -> AccessTokenClaims<'static> {
    let (iat, exp) = (Timestamp::from_seconds(1000), Timestamp::from_seconds(4600));
    AccessTokenClaims {
        iss: "https://acme.example".into(),
        sub: client.to_owned().into(),
        aud: Audience::One("api".into()),
        exp,
        iat,
        nbf: iat,
        jti: jti.to_owned(),
        scope: None,
        client_id: client.to_owned().into(),
        cnf: None,
    }
}
