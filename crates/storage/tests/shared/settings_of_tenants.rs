//! A tenant with every setting, as a program wrote it for which each setting was a column.

use protocol::{Lifetime, SigningAlgorithm, SubjectType};
use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Branding, Issuer, RefreshTokenPolicy, SessionPolicy, SignInPolicy,
    SigningPolicy, Strategies, Tenant, TenantLimits, TenantStatus, TokenFormat,
};
use testkit::fixtures::tenant_id;

/// The statement that gives the tenant `acme-1` its settings.
pub(crate) const WRITTEN: &str = r#"
    UPDATE tenants
       SET oauth2_enabled = TRUE, oidc_enabled = FALSE, stale_if_error = 7, signing_algorithm = 'ES256', rotate_every = 11,
           publish_before = 12, jwks_max_age = 13, jwks_stale = 14, skew = 15, rsa_bits = 3072, hold_activation = 16,
           access_token_lifetime = 17, access_token_format = 'jwt', access_token_typ = 'at+jwt', require_sender_constraint = TRUE,
           require_dpop_nonce = TRUE, assertions_for_issuer_only = TRUE, assertion_max_lifetime = 18, subject = 'pairwise',
           refresh_token = '{"grace":19}', sign_in = '{"session":{"idle":20,"absolute":21,"remember":22}}',
           branding = '{"support_url":"https://acme.example/ä"}', limits = '{"clients":23}'
     WHERE tenant_id = 'acme-1'"#;

/// The same tenant.
pub(crate) fn expected() -> Tenant {
    let seconds = Lifetime::from_seconds;
    let (id, branding) = (tenant_id("acme-1"), Branding::default());
    Tenant {
        name: "ACME (Tools), No. 1".to_owned(),
        issuer: Issuer::parse("https://auth.example.com/acme-1").unwrap(),
        issuer_aliases: Vec::new(),
        status: TenantStatus::Active,
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
            hold_activation: Some(seconds(16)),
        },
        access_token: AccessTokenPolicy {
            lifetime: seconds(17),
            format: TokenFormat::Jwt,
            typ: "at+jwt".to_owned(),
            require_sender_constraint: true,
            require_dpop_nonce: true,
            previous_typs: Vec::new(),
        },
        assertions: AssertionPolicy { issuer_only: true, max_lifetime: seconds(18) },
        refresh_token: RefreshTokenPolicy { grace: seconds(19), ..RefreshTokenPolicy::default() },
        sign_in: SignInPolicy {
            session: SessionPolicy { idle: seconds(20), absolute: seconds(21), remember: seconds(22) },
        },
        subject: SubjectType::Pairwise,
        branding: Branding { support_url: Some("https://acme.example/ä".to_owned()), ..branding },
        resource_servers: Vec::new(),
        limits: TenantLimits { clients: std::num::NonZero::new(23), ..TenantLimits::default() },
        id,
    }
}
