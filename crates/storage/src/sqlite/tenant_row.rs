//! A tenant's row with what hangs on it, gathered by one statement, and how it becomes a tenant.

use administration::{ClientState, Fingerprint, ResourceServerState, TenantCursor, TenantState};
use keys::KeyId;
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::{
    AccessTokenPolicy, Issuer, PreviousTyp, SigningPolicy, StoreError, Strategies, Tenant, TenantId,
    TenantStatus, TokenFormat,
};

use crate::sqlite::column::{json, lifetime, named, parse, timestamp, unreadable};
use crate::sqlite::lifecycle_columns::LifecycleColumns;
use crate::sqlite::resource_server_row::ResourceServerRow;
use crate::sqlite::signing_key_row::key_id;

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
                                       'retired_at', r.retired_at, 'deleted_at', r.deleted_at,
                                       'created_at', r.created_at, 'updated_at', r.updated_at)
                           ORDER BY r.audience)
                  FROM resource_servers r WHERE r.tenant_id = t.tenant_id) AS resource_servers
          FROM tenants t "
    };
}

/// One tenant.
pub(crate) const SELECT: &str = concat!(select!(), "WHERE t.tenant_id = ?1");

/// A page of tenants after a given one, across tenants on purpose.
pub(crate) const SELECT_PAGE: &str = concat!(
    "SELECT '' AS word, page.* FROM (",
    select!(),
    "WHERE t.tenant_id > ?1 AND t.deleted_at IS NULL ORDER BY t.tenant_id LIMIT ?2) AS page"
);

/// The tenants of the places that the search has found, in their order.
pub(crate) const SELECT_FOUND: &str = concat!(
    "SELECT place.word, found.* FROM (SELECT key, value ->> 0 AS word, value ->> 1 AS id FROM json_each(?1)) place CROSS JOIN (",
    select!(),
    ") AS found ON found.tenant_id = place.id ORDER BY place.key"
);

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
    issuers: String,
    former_typs: String,
    resource_servers: String,
}

/// A tenant on a page, with the word that it was found by.
#[derive(Debug, FromRow)]
pub(crate) struct PlacedRow {
    word: String,
    #[sqlx(flatten)]
    row: TenantRow,
}

#[derive(Deserialize)]
struct PreviousTypRow {
    typ: String,
    accepted_until: i64,
}

impl TenantRow {
    /// As administration sees it.
    pub(crate) fn state(&self, clients: Vec<ClientState>) -> Result<TenantState, StoreError> {
        Ok(TenantState {
            tenant: self.tenant()?,
            lifecycle: self.lifecycle.lifecycle()?,
            revision: self.revision.unsigned_abs(),
            previous_tokens_until: self.earlier_tokens_until.map(timestamp),
            resource_servers: self.resource_servers()?,
            clients,
            first_key_thumbprint: self.first_key_thumbprint.clone(),
            has_had_keys: self.next_key > 1,
        })
    }

    /// Retired and deleted ones too.
    fn resource_servers(&self) -> Result<Vec<ResourceServerState>, StoreError> {
        let rows: Vec<ResourceServerRow> = json("resource_servers", &self.resource_servers)?;
        rows.into_iter().map(ResourceServerState::try_from).collect()
    }

    /// As requests see it.
    pub(crate) fn tenant(&self) -> Result<Tenant, StoreError> {
        let id = TenantId::parse(&self.tenant_id).map_err(|cause| unreadable("tenant_id", cause))?;
        let issuers: Vec<String> = json("issuers", &self.issuers)?;
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let mut issuers = issuers.iter().map(issuer);
        let live = self.resource_servers()?.into_iter().filter(|row| row.lifecycle.is_live());
        Ok(Tenant {
            id,
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

    pub(crate) fn next_key(&self) -> Result<KeyId, StoreError> {
        key_id(self.next_key)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.lifecycle.is_deleted()
    }

    fn status(&self) -> Result<TenantStatus, StoreError> {
        if self.lifecycle.lifecycle()?.serves() {
            return Ok(TenantStatus::Active);
        }
        let keys_published_until = timestamp(self.keys_published_until.unwrap_or(0));
        Ok(TenantStatus::Suspended { keys_published_until })
    }

    fn access_token(&self) -> Result<AccessTokenPolicy, StoreError> {
        let formats = [TokenFormat::Jwt, TokenFormat::Opaque];
        let previous: Vec<PreviousTypRow> = json("former_typs", &self.former_typs)?;
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

impl TryFrom<PlacedRow> for (TenantCursor, TenantState) {
    type Error = StoreError;

    fn try_from(PlacedRow { word, row }: PlacedRow) -> Result<Self, Self::Error> {
        let state = row.state(Vec::new())?;
        Ok((TenantCursor { word, tenant: state.tenant.id.clone() }, state))
    }
}

/// From its column.
pub(crate) fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    let bytes = bytes.try_into().map_err(|cause| unreadable("fingerprint", cause))?;
    Ok(Fingerprint::from_bytes(bytes))
}
