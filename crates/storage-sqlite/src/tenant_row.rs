//! A tenant's row with what hangs on it, gathered by one statement, and how it becomes a tenant.

use administration::{Fingerprint, ResourceServerState, Standing};
use protocol::Scope;
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::{
    AccessTokenPolicy, FormerTyp, Issuer, ResourceServer, SigningPolicy, StoreError, Strategies, Tenant,
    TenantId, TenantStatus, TokenFormat,
};

use crate::column::{json, lifetime, named, parse, standing, timestamp, unreadable};

/// Everything about a tenant but its clients and keys; the condition follows.
macro_rules! select {
    () => {
        "SELECT t.*,
               (SELECT json_group_array(i.issuer ORDER BY i.position)
                  FROM tenant_issuers i WHERE i.tenant_id = t.tenant_id) AS issuers,
               (SELECT json_group_array(json_object('typ', f.typ, 'accepted_until', f.accepted_until) ORDER BY f.typ)
                  FROM tenant_former_typs f WHERE f.tenant_id = t.tenant_id) AS former_typs,
               (SELECT json_group_array(
                           json_object('audience', r.audience, 'scopes', r.scopes, 'managed_by', r.managed_by,
                                       'introspection_clients', json(r.introspection_clients),
                                       'retired_at', r.retired_at, 'deleted_at', r.deleted_at)
                           ORDER BY r.audience)
                  FROM resource_servers r WHERE r.tenant_id = t.tenant_id) AS resource_servers
          FROM tenants t "
    };
}

/// One tenant.
pub(crate) const SELECT: &str = concat!(select!(), "WHERE t.tenant_id = ?1");

/// Across tenants on purpose: a commit looks at all that it changes.
pub(crate) const SELECT_MANY: &str =
    concat!(select!(), "WHERE t.tenant_id IN (SELECT value FROM json_each(?1))");

#[derive(Debug, FromRow)]
pub(crate) struct TenantRow {
    tenant_id: String,
    name: String,
    managed_by: String,
    suspended_at: Option<i64>,
    retired_at: Option<i64>,
    deleted_at: Option<i64>,
    keys_published_until: Option<i64>,
    pub(crate) earlier_tokens_until: Option<i64>,
    oauth2_enabled: bool,
    oidc_enabled: bool,
    stale_if_error: i64,
    signing_algorithm: String,
    rotate_every: i64,
    publish_before: i64,
    jwks_max_age: i64,
    jwks_stale: i64,
    skew: i64,
    access_token_lifetime: i64,
    access_token_format: String,
    access_token_typ: String,
    pub(crate) next_key: i64,
    pub(crate) first_key_thumbprint: Option<String>,
    issuers: String,
    former_typs: String,
    resource_servers: String,
}

#[derive(Deserialize)]
struct FormerTypRow {
    typ: String,
    accepted_until: i64,
}

#[derive(Deserialize)]
struct ResourceServerRow {
    audience: String,
    scopes: String,
    introspection_clients: Vec<String>,
    managed_by: String,
    retired_at: Option<i64>,
    deleted_at: Option<i64>,
}

impl TenantRow {
    pub(crate) fn standing(&self) -> Result<Standing, StoreError> {
        standing(&self.managed_by, self.suspended_at, self.retired_at, self.deleted_at)
    }

    /// Retired and deleted ones too.
    pub(crate) fn resource_servers(&self) -> Result<Vec<ResourceServerState>, StoreError> {
        let rows: Vec<ResourceServerRow> = json("resource_servers", &self.resource_servers)?;
        rows.into_iter().map(ResourceServerState::try_from).collect()
    }

    /// As requests see it.
    pub(crate) fn tenant(&self) -> Result<Tenant, StoreError> {
        let id = TenantId::parse(&self.tenant_id).map_err(|cause| unreadable("tenant_id", cause))?;
        let issuers: Vec<String> = json("issuers", &self.issuers)?;
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let mut issuers = issuers.iter().map(issuer);
        let live = self.resource_servers()?.into_iter().filter(|row| row.standing.is_live());
        Ok(Tenant {
            id,
            name: self.name.clone(),
            issuer: issuers
                .next()
                .unwrap_or_else(|| Err(unreadable("issuers", "a tenant without issuer")))?,
            issuer_aliases: issuers.collect::<Result<_, _>>()?,
            status: self.status(),
            strategies: Strategies { oauth2: self.oauth2_enabled, oidc: self.oidc_enabled },
            stale_if_error: lifetime(self.stale_if_error),
            signing: SigningPolicy {
                algorithm: parse("signing_algorithm", &self.signing_algorithm)?,
                rotate_every: lifetime(self.rotate_every),
                publish_before: lifetime(self.publish_before),
                jwks_max_age: lifetime(self.jwks_max_age),
                jwks_stale: lifetime(self.jwks_stale),
                skew: lifetime(self.skew),
            },
            access_token: self.access_token()?,
            resource_servers: live.map(|row| row.resource_server).collect(),
        })
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    fn status(&self) -> TenantStatus {
        if self.suspended_at.is_none() && self.retired_at.is_none() && self.deleted_at.is_none() {
            return TenantStatus::Active;
        }
        TenantStatus::Suspended { keys_published_until: timestamp(self.keys_published_until.unwrap_or(0)) }
    }

    fn access_token(&self) -> Result<AccessTokenPolicy, StoreError> {
        let formats = [TokenFormat::Jwt, TokenFormat::Opaque];
        let former: Vec<FormerTypRow> = json("former_typs", &self.former_typs)?;
        let of_row = |FormerTypRow { typ, accepted_until }| FormerTyp {
            typ,
            accepted_until: timestamp(accepted_until),
        };
        Ok(AccessTokenPolicy {
            lifetime: lifetime(self.access_token_lifetime),
            format: named("access_token_format", &formats, TokenFormat::as_str, &self.access_token_format)?,
            typ: self.access_token_typ.clone(),
            former_typs: former.into_iter().map(of_row).collect(),
        })
    }
}

impl TryFrom<ResourceServerRow> for ResourceServerState {
    type Error = StoreError;

    fn try_from(row: ResourceServerRow) -> Result<Self, Self::Error> {
        let ResourceServerRow { audience, scopes, introspection_clients, .. } = row;
        let scopes = Scope::parse(&scopes).map_err(|cause| unreadable("scopes", cause))?;
        let standing = standing(&row.managed_by, None, row.retired_at, row.deleted_at)?;
        Ok(Self { resource_server: ResourceServer { audience, scopes, introspection_clients }, standing })
    }
}

/// From its column.
pub(crate) fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    let bytes = bytes.try_into().map_err(|cause| unreadable("fingerprint", cause))?;
    Ok(Fingerprint::from_bytes(bytes))
}
