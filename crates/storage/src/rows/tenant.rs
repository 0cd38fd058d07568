//! A tenant's row with what belongs to it, which the statement gathers.

use administration::{ClientState, ResourceServerState, TenantCursor, TenantState, TenantSummary};
use serde::Deserialize;
use tenancy::{
    AccessTokenPolicy, Issuer, PreviousTyp, SigningPolicy, StoreError, Strategies, Tenant, TenantStatus,
    TokenFormat,
};

use super::lifecycle::LifecycleColumns;
use super::resource_server::ResourceServerRow;
use crate::column::{fingerprint, json, lifetime, named, parse, tenant_id, timestamp, unreadable};

row! {
#[derive(Debug)]
pub(crate) struct TenantRow {
    tenant_id: String,
    name: String,
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
    limits: String,
    next_key: i64,
    first_key_thumbprint: Option<String>,
    client_count: i64,
    issuers: String,
    former_typs: String,
    resource_servers: String,
} with {
    lifecycle: LifecycleColumns,
}
}

// A tenant on a page, with the search term that found it.
row! {
#[derive(Debug)]
pub(crate) struct PlacedRow {
    word: String,
} with {
    row: TenantRow,
}
}

// What reconciling compares first.
row! {
#[derive(Debug)]
pub(crate) struct SummaryRow {
    tenant_id: String,
    fingerprint: Option<Vec<u8>>,
} with {
    lifecycle: LifecycleColumns,
}
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
            client_count: self.client_count.unsigned_abs(),
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
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let issuers: Vec<String> = json("issuers", &self.issuers)?;
        let mut issuers = issuers.iter().map(issuer);
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
            limits: json("limits", &self.limits)?,
        })
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

impl TryFrom<SummaryRow> for TenantSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            lifecycle: row.lifecycle.lifecycle()?,
            fingerprint: row.fingerprint.as_deref().map(fingerprint).transpose()?,
        })
    }
}
