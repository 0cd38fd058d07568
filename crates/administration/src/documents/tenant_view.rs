//! Builds a tenant's document from its rows.

use std::collections::BTreeMap;

use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Branding, Issuer, LeakPolicy, PasswordLimits, RefreshTokenPolicy,
    ResourceServer, SessionPolicy, SignInPolicy, SigningPolicy, Tenant, TenantLimits,
};

use super::federation::trusted_issuers;
use super::{
    AccessTokenSettings, ApiTokenSettings, AssertionSettings, BrandingSettings, ClientCaSettings,
    LeaksSettings, LimitsSettings, RefreshTokenSettings, ResourceServerSettings, SessionSettings,
    SignInLimitsSettings, SignInSettings, SigningSettings, TenantSettings, TenantView,
};
use crate::administrator::EditPolicy;
use crate::documents::Instant;
use crate::kinds::TenantState;
use crate::rules::tenant_effects;

impl TenantView {
    /// The view of a tenant's rows. The endpoints are below the public URL, even if the issuer is elsewhere.
    #[must_use]
    pub fn new(state: &TenantState, policy: &EditPolicy) -> Self {
        let TenantState { tenant, lifecycle, .. } = state;
        let path = Issuer::derived(&policy.public_url, &tenant.id);
        let settings = TenantSettings::from(tenant);
        Self {
            id: tenant.id.to_string(),
            status: lifecycle.status().to_owned(),
            managed_by: lifecycle.managed_by.as_str().to_owned(),
            created_at: lifecycle.created_at.into(),
            updated_at: lifecycle.updated_at.into(),
            deletion_due_at: lifecycle.deletion_due_at.map(Instant),
            jwks_uri: format!("{path}/.well-known/jwks.json"),
            token_endpoint: format!("{path}/oauth/token"),
            warnings: tenant_effects(&policy.public_url, tenant.id.as_str(), &settings, &policy.urls)
                .into_iter()
                .map(Into::into)
                .collect(),
            settings,
        }
    }
}

impl From<&Tenant> for TenantSettings {
    fn from(tenant: &Tenant) -> Self {
        Self {
            name: Some(tenant.name.clone()),
            issuer: Some(tenant.issuer.to_string()),
            issuer_aliases: tenant.issuer_aliases.iter().map(ToString::to_string).collect(),
            strategies: tenant.strategies.into(),
            stale_if_error: tenant.stale_if_error,
            signing: (&tenant.signing).into(),
            access_token: (&tenant.access_token).into(),
            assertions: (&tenant.assertions).into(),
            trusted_issuers: trusted_issuers(&tenant.trusted_issuers),
            client_ca: tenant.client_ca.clone().map(|pem| ClientCaSettings { pem: Some(pem), file: None }),
            api_keys: tenant.api_keys.as_ref().map(Into::into),
            leaks: (&tenant.leaks).into(),
            refresh_token: (&tenant.refresh_token).into(),
            sign_in: tenant.sign_in.into(),
            subject: tenant.subject.as_str().to_owned(),
            userinfo: tenant.userinfo.as_str().to_owned(),
            groups: tenant.groups.clone(),
            branding: (&tenant.branding).into(),
            resource_servers: tenant
                .resource_servers
                .iter()
                .map(|server| (server.audience.clone(), ResourceServerSettings::from(server)))
                .collect(),
            limits: tenant.limits.into(),
            clients: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }
}

impl From<&SigningPolicy> for SigningSettings {
    fn from(policy: &SigningPolicy) -> Self {
        Self {
            algorithm: policy.algorithm.to_string(),
            rotate_every: Some(policy.rotate_every),
            publish_before: policy.publish_before,
            jwks_max_age: policy.jwks_max_age,
            jwks_stale: policy.jwks_stale,
            skew: policy.skew,
            rsa_bits: policy.rsa_bits,
            kid: Some(policy.kid.as_str().to_owned()),
            hold_activation: policy.hold_activation,
            first_key: None,
        }
    }
}

impl From<&AccessTokenPolicy> for AccessTokenSettings {
    fn from(policy: &AccessTokenPolicy) -> Self {
        Self {
            lifetime: policy.lifetime,
            format: policy.format.as_str().to_owned(),
            reuse: policy.reuse.to_string(),
            typ: policy.typ.clone(),
            require_sender_constraint: policy.require_sender_constraint,
            require_dpop_nonce: policy.require_dpop_nonce,
            claims: policy.claims.0.clone(),
            claims_allow: policy.claims_allow.clone(),
        }
    }
}

impl From<&AssertionPolicy> for AssertionSettings {
    fn from(policy: &AssertionPolicy) -> Self {
        let AssertionPolicy { issuer_only, max_lifetime } = *policy;
        Self { audience: if issuer_only { "issuer" } else { "any" }.to_owned(), max_lifetime }
    }
}

impl From<&LeakPolicy> for LeaksSettings {
    fn from(&LeakPolicy { action, grace }: &LeakPolicy) -> Self {
        Self { action: action.as_str().to_owned(), grace }
    }
}

impl From<&RefreshTokenPolicy> for RefreshTokenSettings {
    fn from(policy: &RefreshTokenPolicy) -> Self {
        let RefreshTokenPolicy { rotation, grace, idle, absolute } = *policy;
        Self { rotation: rotation.as_str().to_owned(), grace, idle, absolute }
    }
}

impl From<SignInPolicy> for SignInSettings {
    fn from(SignInPolicy { session, recovery }: SignInPolicy) -> Self {
        Self { session: (&session).into(), recovery }
    }
}

impl From<&SessionPolicy> for SessionSettings {
    fn from(policy: &SessionPolicy) -> Self {
        let SessionPolicy { idle, absolute, remember } = *policy;
        Self { idle, absolute, remember }
    }
}

impl From<&Branding> for BrandingSettings {
    fn from(branding: &Branding) -> Self {
        Self {
            primary: branding.primary.to_string(),
            background: branding.background.to_string(),
            corners: branding.corners.as_str().to_owned(),
            font: branding.font.as_str().to_owned(),
            logo: branding.logo.as_ref().map(Into::into),
            logo_dark: branding.logo_dark.as_ref().map(Into::into),
            support_url: branding.support_url.clone(),
            terms_url: branding.terms_url.clone(),
            privacy_url: branding.privacy_url.clone(),
        }
    }
}

impl From<TenantLimits> for LimitsSettings {
    fn from(limits: TenantLimits) -> Self {
        let TenantLimits { failed_attempts, clients, admin_writes, live_secrets, api_keys, sign_in } = limits;
        let PasswordLimits { account, known_browser, source } = sign_in;
        let sign_in = SignInLimitsSettings { account, known_browser, source };
        Self { failed_attempts, clients, admin_writes, live_secrets, api_keys, sign_in }
    }
}

impl From<&ResourceServer> for ResourceServerSettings {
    fn from(server: &ResourceServer) -> Self {
        let format = server.token_format.map(|format| format.as_str().to_owned());
        let access_token = ApiTokenSettings { format };
        Self { scopes: server.into(), clients: server.introspection_clients.clone(), access_token }
    }
}
