//! From a tenant's rows to its document.

use std::collections::BTreeMap;

use tenancy::{AccessTokenPolicy, Issuer, ResourceServer, SigningPolicy, Tenant, TenantLimits};

use super::{
    AccessTokenSettings, LimitsSettings, ResourceServerSettings, SigningSettings, TenantSettings,
    TenantStatusView, TenantView,
};
use crate::{RowLifecycle, TenantState};

impl TenantView {
    /// The view of a tenant's rows. Its endpoints are below the public URL, whatever its issuer is.
    #[must_use]
    pub fn of(state: &TenantState, public_url: &str) -> Self {
        let TenantState { tenant, lifecycle, .. } = state;
        let path = Issuer::derived(public_url, &tenant.id);
        Self {
            id: tenant.id.to_string(),
            status: TenantStatusView::of(lifecycle),
            managed_by: lifecycle.managed_by.as_str().to_owned(),
            created_at: lifecycle.created_at,
            updated_at: lifecycle.updated_at,
            deletion_due_at: lifecycle.deletion_due_at,
            jwks_uri: format!("{path}/.well-known/jwks.json"),
            token_endpoint: format!("{path}/oauth/token"),
            settings: TenantSettings::from(tenant),
        }
    }
}

impl TenantStatusView {
    /// The status that most keeps the tenant from serving, if any does.
    fn of(lifecycle: &RowLifecycle) -> Self {
        if lifecycle.deleted_at.is_some() {
            Self::Deleted
        } else if lifecycle.deletion_due_at.is_some() {
            Self::Deleting
        } else if lifecycle.retired_at.is_some() {
            Self::Retired
        } else if lifecycle.suspended_at.is_some() {
            Self::Suspended
        } else {
            Self::Active
        }
    }
}

impl From<&Tenant> for TenantSettings {
    fn from(tenant: &Tenant) -> Self {
        let Tenant {
            id: _,
            name,
            issuer,
            issuer_aliases,
            status: _,
            strategies,
            stale_if_error,
            signing,
            access_token,
            resource_servers,
            limits,
        } = tenant;
        Self {
            name: Some(name.clone()),
            issuer: Some(issuer.to_string()),
            issuer_aliases: issuer_aliases.iter().map(ToString::to_string).collect(),
            strategies: (*strategies).into(),
            stale_if_error: *stale_if_error,
            signing: signing.into(),
            access_token: access_token.into(),
            resource_servers: resource_servers
                .iter()
                .map(|server| (server.audience.clone(), ResourceServerSettings::from(server)))
                .collect(),
            limits: (*limits).into(),
            clients: BTreeMap::new(),
        }
    }
}

impl From<&SigningPolicy> for SigningSettings {
    fn from(policy: &SigningPolicy) -> Self {
        let SigningPolicy {
            algorithm,
            rotate_every,
            publish_before,
            jwks_max_age,
            jwks_stale,
            skew,
            rsa_bits,
            hold_activation,
        } = *policy;
        Self {
            algorithm: algorithm.to_string(),
            rotate_every: Some(rotate_every),
            publish_before,
            jwks_max_age,
            jwks_stale,
            skew,
            rsa_bits,
            hold_activation,
            first_key: None,
        }
    }
}

impl From<&AccessTokenPolicy> for AccessTokenSettings {
    fn from(policy: &AccessTokenPolicy) -> Self {
        let AccessTokenPolicy { lifetime, format, typ, previous_typs: _ } = policy;
        Self { lifetime: *lifetime, format: format.as_str().to_owned(), typ: typ.clone() }
    }
}

impl From<TenantLimits> for LimitsSettings {
    fn from(limits: TenantLimits) -> Self {
        let TenantLimits { failed_attempts, clients, admin_writes, live_secrets } = limits;
        Self { failed_attempts, clients, admin_writes, live_secrets }
    }
}

impl From<&ResourceServer> for ResourceServerSettings {
    fn from(server: &ResourceServer) -> Self {
        Self {
            scopes: server.scopes.iter().map(|token| token.as_str().to_owned()).collect(),
            clients: server.introspection_clients.clone(),
        }
    }
}
