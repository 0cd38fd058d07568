//! From a tenant's rows to what doors show of it.

use tenancy::{AccessTokenPolicy, Issuer, ResourceServer, SigningPolicy, Strategies, Tenant};

use super::{
    AccessTokenSettings, ResourceServerSettings, SigningSettings, StrategiesSettings, StrategySettings,
    TenantSettings, TenantStatusView, TenantView,
};
use crate::{RowLifecycle, TenantState};

impl TenantView {
    /// Of a tenant's rows; its endpoints stand under the public URL, whatever its issuer says.
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
    /// The one thing that most stands in the way of serving, if anything does.
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
            strategies: Strategies { oauth2, oidc },
            stale_if_error,
            signing,
            access_token,
            resource_servers,
        } = tenant;
        let SigningPolicy {
            algorithm,
            rotate_every,
            publish_before,
            jwks_max_age,
            jwks_stale,
            skew,
            rsa_bits,
            hold_activation,
        } = signing;
        let AccessTokenPolicy { lifetime, format, typ, previous_typs: _ } = access_token;
        Self {
            name: Some(name.clone()),
            issuer: Some(issuer.to_string()),
            issuer_aliases: issuer_aliases.iter().map(ToString::to_string).collect(),
            strategies: StrategiesSettings {
                oauth2: StrategySettings { enabled: *oauth2 },
                oidc: StrategySettings { enabled: *oidc },
            },
            stale_if_error: stale_if_error.seconds(),
            signing: SigningSettings {
                algorithm: algorithm.to_string(),
                rotate_every: rotate_every.seconds(),
                publish_before: publish_before.seconds(),
                jwks_max_age: jwks_max_age.seconds(),
                jwks_stale: jwks_stale.seconds(),
                skew: skew.seconds(),
                rsa_bits: *rsa_bits,
                hold_activation: hold_activation.map(protocol::Lifetime::seconds),
            },
            access_token: AccessTokenSettings {
                lifetime: lifetime.seconds(),
                format: format.as_str().to_owned(),
                typ: typ.clone(),
            },
            resource_servers: resource_servers
                .iter()
                .map(|server| (server.audience.clone(), ResourceServerSettings::from(server)))
                .collect(),
        }
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
