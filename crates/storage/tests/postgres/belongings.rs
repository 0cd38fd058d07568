//! Rows that a tenant may have beside its clients and keys, equal in every tenant.

use administration::{Application, ApplicationId, IdempotentAnswer, SecretUsage, UsedFrom, VerifierFetch};
use keys::KeyId;
use registry::{SecretId, SingleUseIdentifier, TokenRevocation, UseOutcome};
use tenancy::TenantId;
use testkit::fixtures;
use values::Lifetime;

/// Returns an application with the same identifier, name and key in each tenant.
pub(crate) fn application(tenant: &TenantId) -> Application {
    Application {
        tenant: tenant.clone(),
        id: ApplicationId::parse("550e8400-e29b-41d4-a716-446655440000").unwrap(),
        name: "app".to_owned(),
        client: Some(fixtures::client_id("svc")),
        document: serde_json::json!({ "of": tenant.as_str() }),
        created_at: fixtures::NOW,
    }
}

pub(crate) fn answer(tenant: &TenantId) -> IdempotentAnswer {
    IdempotentAnswer {
        tenant: tenant.clone(),
        key: [1; 32],
        request: [2; 32],
        sealed: tenant.as_str().as_bytes().to_vec(),
        expires_at: fixtures::NOW + Lifetime::from_seconds(60),
    }
}

/// Returns an identifier that is the same in each tenant.
pub(crate) fn identifier() -> SingleUseIdentifier {
    let expires_at = fixtures::NOW + Lifetime::from_seconds(60);
    SingleUseIdentifier::of_assertion(&fixtures::client_id("svc"), "jti", expires_at)
}

pub(crate) fn used(tenant: &TenantId) -> SecretUsage {
    let address = format!("192.0.2.{}", tenant.as_str().len());
    SecretUsage {
        tenant: tenant.clone(),
        client: fixtures::client_id("svc"),
        secret: SecretId::new("s1"),
        from: UsedFrom::presented(address, UseOutcome::Accepted, fixtures::NOW),
    }
}

pub(crate) fn seen(tenant: &TenantId) -> VerifierFetch {
    VerifierFetch {
        tenant: tenant.clone(),
        verifier: format!("verifier of {tenant}"),
        last_fetch_at: fixtures::NOW,
        newest_key: KeyId::numbered(1),
    }
}

pub(crate) fn revoked() -> TokenRevocation {
    let (client, jti) = (fixtures::client_id("svc"), "1".to_owned());
    TokenRevocation { client, jti, issued_at: fixtures::NOW, expires_at: fixtures::NOW, sub: None }
}
