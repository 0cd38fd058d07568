//! A tenant's row with what hangs on it, gathered by one statement, and how it becomes a tenant.

use administration::{ClientState, Fingerprint, ResourceServerState, RowLifecycle, TenantState};
use protocol::{Scope, Timestamp};
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::{
    AccessTokenPolicy, Issuer, PreviousTyp, ResourceServer, SigningPolicy, StoreError, Strategies, Tenant,
    TenantStatus, TokenFormat,
};

use crate::postgres::column::{bytes32, json, lifetime, named, parse, tenant_id, timestamp, unreadable};
use crate::postgres::lifecycle_columns::LifecycleColumns;
use crate::postgres::read::in_tenant;

/// Everything about a tenant `t` but its clients and keys.
macro_rules! columns {
    () => {
        "t.*,
                (SELECT array_agg(i.issuer ORDER BY i.position)
                   FROM tenant_issuers i WHERE i.tenant_id = t.tenant_id) AS issuers,
                (SELECT json_agg(json_build_object('typ', f.typ, 'accepted_until', f.accepted_until) ORDER BY f.typ)
                   FROM tenant_former_typs f WHERE f.tenant_id = t.tenant_id)::text AS former_typs,
                (SELECT json_agg(
                            json_build_object('audience', r.audience, 'scopes', r.scopes, 'managed_by', r.managed_by,
                                              'introspection_clients', r.introspection_clients,
                                              'created_at', r.created_at, 'updated_at', r.updated_at,
                                              'retired_at', r.retired_at, 'deleted_at', r.deleted_at)
                            ORDER BY r.audience)
                   FROM resource_servers r WHERE r.tenant_id = t.tenant_id)::text AS resource_servers"
    };
}

pub(crate) use columns;

/// One tenant.
pub(crate) const SELECT: &str =
    in_tenant!("SELECT ", columns!(), " FROM tenants t WHERE t.tenant_id = entered.tenant_id");

#[derive(Debug, FromRow)]
pub(crate) struct TenantRow {
    tenant_id: String,
    name: String,
    #[sqlx(flatten)]
    lifecycle: LifecycleColumns,
    revision: i64,
    keys_published_until: Option<i64>,
    earlier_tokens_until: Option<i64>,
    oauth2_enabled: bool,
    oidc_enabled: bool,
    stale_if_error: i64,
    signing_algorithm: String,
    rotate_every: i64,
    publish_before: i64,
    jwks_max_age: i64,
    jwks_stale: i64,
    skew: i64,
    rsa_bits: i64,
    hold_activation: Option<i64>,
    access_token_lifetime: i64,
    access_token_format: String,
    access_token_typ: String,
    next_key: i64,
    first_key_thumbprint: Option<String>,
    issuers: Option<Vec<String>>,
    former_typs: Option<String>,
    resource_servers: Option<String>,
}

#[derive(Deserialize)]
struct PreviousTypRow {
    typ: String,
    accepted_until: i64,
}

#[derive(Deserialize)]
struct ResourceServerRow {
    audience: String,
    scopes: String,
    introspection_clients: Vec<String>,
    #[serde(flatten)]
    lifecycle: LifecycleColumns,
}

impl TenantRow {
    /// As administration sees it, with these clients.
    pub(crate) fn state(&self, clients: Vec<ClientState>) -> Result<TenantState, StoreError> {
        Ok(TenantState {
            tenant: self.tenant()?,
            lifecycle: self.lifecycle()?,
            revision: self.revision(),
            previous_tokens_until: self.previous_tokens_until(),
            resource_servers: self.resource_servers()?,
            clients,
            first_key_thumbprint: self.first_key_thumbprint.clone(),
            has_had_keys: self.next_key > 1,
        })
    }

    /// Retired and deleted ones too.
    fn resource_servers(&self) -> Result<Vec<ResourceServerState>, StoreError> {
        let rows: Vec<ResourceServerRow> = json("resource_servers", self.resource_servers.as_deref())?;
        rows.into_iter().map(ResourceServerState::try_from).collect()
    }

    /// As requests see it.
    pub(crate) fn tenant(&self) -> Result<Tenant, StoreError> {
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let mut issuers = self.issuers.iter().flatten().map(issuer);
        let live = self.resource_servers()?.into_iter().filter(|row| row.lifecycle.is_live());
        Ok(Tenant {
            id: tenant_id(&self.tenant_id)?,
            name: self.name.clone(),
            issuer: issuers
                .next()
                .unwrap_or_else(|| Err(unreadable("issuers", "a tenant without issuer")))?,
            issuer_aliases: issuers.collect::<Result<_, _>>()?,
            status: self.status()?,
            strategies: Strategies { oauth2: self.oauth2_enabled, oidc: self.oidc_enabled },
            stale_if_error: lifetime(self.stale_if_error),
            signing: SigningPolicy {
                algorithm: parse("signing_algorithm", &self.signing_algorithm)?,
                rotate_every: lifetime(self.rotate_every),
                publish_before: lifetime(self.publish_before),
                jwks_max_age: lifetime(self.jwks_max_age),
                jwks_stale: lifetime(self.jwks_stale),
                skew: lifetime(self.skew),
                rsa_bits: u32::try_from(self.rsa_bits).map_err(|cause| unreadable("rsa_bits", cause))?,
                hold_activation: self.hold_activation.map(lifetime),
            },
            access_token: self.access_token()?,
            resource_servers: live.map(|row| row.resource_server).collect(),
        })
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.lifecycle.is_deleted()
    }

    pub(crate) fn lifecycle(&self) -> Result<RowLifecycle, StoreError> {
        self.lifecycle.lifecycle()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.unsigned_abs()
    }

    pub(crate) fn previous_tokens_until(&self) -> Option<Timestamp> {
        self.earlier_tokens_until.map(timestamp)
    }

    fn status(&self) -> Result<TenantStatus, StoreError> {
        if self.lifecycle()?.serves() {
            return Ok(TenantStatus::Active);
        }
        let keys_published_until = timestamp(self.keys_published_until.unwrap_or(0));
        Ok(TenantStatus::Suspended { keys_published_until })
    }

    fn access_token(&self) -> Result<AccessTokenPolicy, StoreError> {
        let formats = [TokenFormat::Jwt, TokenFormat::Opaque];
        let previous: Vec<PreviousTypRow> = json("former_typs", self.former_typs.as_deref())?;
        let of_row = |PreviousTypRow { typ, accepted_until }| PreviousTyp {
            typ,
            accepted_until: timestamp(accepted_until),
        };
        Ok(AccessTokenPolicy {
            lifetime: lifetime(self.access_token_lifetime),
            format: named("access_token_format", &formats, TokenFormat::as_str, &self.access_token_format)?,
            typ: self.access_token_typ.clone(),
            previous_typs: previous.into_iter().map(of_row).collect(),
        })
    }
}

impl TryFrom<ResourceServerRow> for ResourceServerState {
    type Error = StoreError;

    fn try_from(row: ResourceServerRow) -> Result<Self, Self::Error> {
        let ResourceServerRow { audience, scopes, introspection_clients, lifecycle } = row;
        let scopes = Scope::parse(&scopes).map_err(|cause| unreadable("scopes", cause))?;
        let lifecycle = lifecycle.lifecycle()?;
        Ok(Self { resource_server: ResourceServer { audience, scopes, introspection_clients }, lifecycle })
    }
}

/// From its column.
pub(crate) fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    bytes32("fingerprint", bytes).map(Fingerprint::from_bytes)
}
