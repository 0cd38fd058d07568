//! The columns of a tenant, and of the resource servers, issuers and previous `typ` values that are read with it.

use administration::rows::DecidedTenant;
use administration::{ResourceServerState, RowLifecycle, TenantCursor, TenantState, TenantSummary};
use keys::KeyId;
use protocol::Timestamp;
use serde_json::{Map, Value};
use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Issuer, PreviousTyp, ResourceServer, SigningPolicy, Strategies,
    Tenant, TenantStatus,
};

use super::lifecycle::lifecycle_without;
use crate::column::Column;
use crate::columns::{Columns, columns, gathered, gathered_as, selected};
use crate::error::Error;
use crate::row::{FromRow, Row};

columns! {
    Tenant { id: "tenant_id", name: "name", stale_if_error: "stale_if_error", limits: "limits", branding: "branding", refresh_token: "refresh_token", sign_in: "sign_in", subject: "subject" }
    with {
        strategies: Strategies,
        signing: SigningPolicy,
        access_token: AccessTokenPolicy,
        assertions: AssertionPolicy,
    }
    else |row| {
        status: status(row)?,
        issuer: issuers(row)?.remove(0),
        issuer_aliases: issuers(row)?.split_off(1),
        resource_servers: live_resource_servers(row)?,
    }
}

columns! {
    Strategies { oauth2: "oauth2_enabled", oidc: "oidc_enabled" }
}

columns! {
    SigningPolicy {
        algorithm: "signing_algorithm",
        rotate_every: "rotate_every",
        publish_before: "publish_before",
        jwks_max_age: "jwks_max_age",
        jwks_stale: "jwks_stale",
        skew: "skew",
        rsa_bits: "rsa_bits",
        hold_activation: "hold_activation",
    }
}

columns! {
    AccessTokenPolicy {
        lifetime: "access_token_lifetime",
        format: "access_token_format",
        typ: "access_token_typ",
        require_sender_constraint: "require_sender_constraint",
        require_dpop_nonce: "require_dpop_nonce",
    }
    else |row| { previous_typs: row.rows("former_typs")? }
}

columns! {
    AssertionPolicy { issuer_only: "assertions_for_issuer_only", max_lifetime: "assertion_max_lifetime" }
}

columns! {
    PreviousTyp { typ: "typ", accepted_until: "accepted_until" }
}

columns! {
    ResourceServer { audience: "audience", scopes: "scopes", introspection_clients: "introspection_clients" }
}

columns! {
    DecidedTenant { keys_published_until: "keys_published_until", revision: "revision" }
    with { tenant: Tenant, lifecycle: RowLifecycle }
}

columns! {
    TenantSummary { tenant: "tenant_id", fingerprint: "fingerprint" }
    with { lifecycle: RowLifecycle }
}

/// The longest lifetime of the tokens of a tenant `t`: its own, or that of a live client, which an index knows.
macro_rules! longest_token {
    () => {
        "{greatest}(t.access_token_lifetime,
                    COALESCE((SELECT MAX(c.access_token_lifetime) FROM clients c
                               WHERE c.tenant_id = t.tenant_id AND c.access_token_lifetime IS NOT NULL
                                 AND c.retired_at IS NULL AND c.deleted_at IS NULL), 0))"
    };
}

pub(crate) use longest_token;

fn status(row: &Row) -> Result<TenantStatus, Error> {
    if RowLifecycle::from_row(row)?.serves() {
        return Ok(TenantStatus::Active);
    }
    let until: Option<Timestamp> = Column::read(row, "keys_published_until")?;
    Ok(TenantStatus::Suspended { keys_published_until: until.unwrap_or(Timestamp::from_seconds(0)) })
}

/// The issuer, and then the aliases.
fn issuers(row: &Row) -> Result<Vec<Issuer>, Error> {
    let issuers: Vec<Issuer> = row.json("issuers")?;
    if issuers.is_empty() {
        Err(Error::unreadable("issuers", "a tenant without issuer"))
    } else {
        Ok(issuers)
    }
}

fn live_resource_servers(row: &Row) -> Result<Vec<ResourceServer>, Error> {
    let rows: Vec<ResourceServerState> = row.rows("resource_servers")?;
    Ok(rows.into_iter().filter(|row| row.lifecycle.is_live()).map(|row| row.resource_server).collect())
}

/// With everything that belongs to it but clients and keys.
impl FromRow for TenantState {
    fn selection(table: &str) -> String {
        let of_tenant = |rows: &str| format!("{rows}.tenant_id = {table}.tenant_id");
        let own = selected(&DecidedTenant::columns(), table);
        let issuers = gathered_as("issuer", "tenant_issuers", &of_tenant("tenant_issuers"), "position");
        let previous_typs =
            gathered::<PreviousTyp>("tenant_former_typs", &of_tenant("tenant_former_typs"), "typ");
        let resource_servers =
            gathered::<ResourceServerState>("resource_servers", &of_tenant("resource_servers"), "audience");
        format!(
            "{own}, {table}.earlier_tokens_until, {table}.client_count, {table}.first_key_thumbprint, {table}.next_key,
             {issuers} AS issuers, {previous_typs} AS former_typs, {resource_servers} AS resource_servers"
        )
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        let DecidedTenant { tenant, lifecycle, revision, .. } = FromRow::from_row(row)?;
        Ok(Self {
            tenant,
            lifecycle,
            revision,
            previous_tokens_until: Column::read(row, "earlier_tokens_until")?,
            resource_servers: row.rows("resource_servers")?,
            client_count: Column::read(row, "client_count")?,
            clients: Vec::new(),
            accounts: Vec::new(),
            first_key_thumbprint: Column::read(row, "first_key_thumbprint")?,
            has_had_keys: KeyId::read(row, "next_key")? > KeyId::numbered(1),
        })
    }
}

/// A tenant on a page, with the search term that found it.
impl FromRow for (TenantCursor, TenantState) {
    fn selection(table: &str) -> String {
        TenantState::selection(table)
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        let state = TenantState::from_row(row)?;
        Ok((TenantCursor { word: Column::read(row, "word")?, tenant: state.tenant.id.clone() }, state))
    }
}

/// Without its tenant.
impl Columns for ResourceServerState {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [ResourceServer::columns(), lifecycle_without(&["suspended_at", "deletion_due_at"])].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        self.resource_server.write(row);
        self.lifecycle.write(row);
    }
}

impl FromRow for ResourceServerState {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let resource_server = ResourceServer::from_row(row)?;
        Ok(Self { resource_server, lifecycle: RowLifecycle::from_row(row)? })
    }
}
