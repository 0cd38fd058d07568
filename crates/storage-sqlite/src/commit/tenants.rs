//! Tenants with their issuers and former `typ` values.

use administration::Change;
use serde::Serialize;
use tenancy::{Tenant, TenantStatus};

use super::{CommitError, Writing, by_kind};
use crate::column::{seconds, span};

const INSERT: &str = "
    INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, oauth2_enabled, oidc_enabled,
                         stale_if_error, signing_algorithm, rotate_every, publish_before, jwks_max_age,
                         jwks_stale, skew, access_token_lifetime, access_token_format, access_token_typ)
    SELECT value ->> 'tenant_id', value ->> 'name', ?3, ?2, ?2, value ->> 'oauth2', value ->> 'oidc',
           value ->> 'stale_if_error', value ->> 'algorithm', value ->> 'rotate_every',
           value ->> 'publish_before', value ->> 'jwks_max_age', value ->> 'jwks_stale', value ->> 'skew',
           value ->> 'lifetime', value ->> 'format', value ->> 'typ'
      FROM json_each(?1)";

/// A tenant that another door has suspended stays so, and its keys stay published as long.
///
/// The plus keeps SQLite from finding the rows by their door, that is nearly all tenants for each row of the batch.
const UPDATE: &str = "
    UPDATE tenants
       SET name = value ->> 'name', updated_at = ?2, retired_at = NULL,
           keys_published_until = IIF(suspended_at IS NULL, NULL, keys_published_until),
           oauth2_enabled = value ->> 'oauth2', oidc_enabled = value ->> 'oidc',
           stale_if_error = value ->> 'stale_if_error', signing_algorithm = value ->> 'algorithm',
           rotate_every = value ->> 'rotate_every', publish_before = value ->> 'publish_before',
           jwks_max_age = value ->> 'jwks_max_age', jwks_stale = value ->> 'jwks_stale',
           skew = value ->> 'skew', access_token_lifetime = value ->> 'lifetime',
           access_token_format = value ->> 'format', access_token_typ = value ->> 'typ'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND +managed_by = ?3 AND deleted_at IS NULL";

const RETIRE: &str = "
    UPDATE tenants
       SET retired_at = ?2, updated_at = ?2, keys_published_until = value ->> 'keys_published_until'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND +managed_by = ?3 AND deleted_at IS NULL";

const DELETE_ISSUERS: &str = "
    DELETE FROM tenant_issuers WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))";

const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT value ->> 'tenant_id', value ->> 'position', value ->> 'issuer' FROM json_each(?1)";

const DELETE_FORMER_TYPS: &str = "
    DELETE FROM tenant_former_typs WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))";

const INSERT_FORMER_TYPS: &str = "
    INSERT INTO tenant_former_typs (tenant_id, typ, accepted_until)
    SELECT value ->> 'tenant_id', value ->> 'typ', value ->> 'accepted_until' FROM json_each(?1)";

#[derive(Serialize)]
struct TenantRow<'a> {
    tenant_id: &'a str,
    name: &'a str,
    oauth2: bool,
    oidc: bool,
    stale_if_error: i64,
    algorithm: &'a str,
    rotate_every: i64,
    publish_before: i64,
    jwks_max_age: i64,
    jwks_stale: i64,
    skew: i64,
    lifetime: i64,
    format: &'a str,
    typ: &'a str,
    keys_published_until: Option<i64>,
}

#[derive(Serialize)]
struct IssuerRow<'a> {
    tenant_id: &'a str,
    position: usize,
    issuer: &'a str,
}

#[derive(Serialize)]
struct FormerTypRow<'a> {
    tenant_id: &'a str,
    typ: &'a str,
    accepted_until: i64,
}

impl Writing<'_> {
    pub(super) async fn tenants(&mut self) -> Result<(), CommitError> {
        let changes = self.request.changes.iter().filter_map(|change| match change {
            Change::Tenant(row) => Some(row),
            Change::ResourceServer(..) | Change::Client(_) | Change::Secret(..) | Change::FirstKey(..) => {
                None
            }
        });
        let sorted = by_kind(changes);
        let (added, changed) = (tenant_rows(&sorted.added), tenant_rows(&sorted.changed));
        self.all(INSERT, &added).await?;
        self.all(UPDATE, &changed).await?;
        self.all(RETIRE, &tenant_rows(&sorted.retired)).await?;
        // All issuers that are given up are free before any is taken, so that two tenants can change places.
        self.each(DELETE_ISSUERS, &changed).await?;
        self.each(DELETE_FORMER_TYPS, &changed).await?;
        let written: Vec<&Tenant> = sorted.added.into_iter().chain(sorted.changed).collect();
        let issuers: Vec<_> = written.iter().flat_map(|tenant| issuer_rows(tenant)).collect();
        self.all(INSERT_ISSUERS, &issuers).await?;
        let former_typs: Vec<_> = written.iter().flat_map(|tenant| former_typ_rows(tenant)).collect();
        self.all(INSERT_FORMER_TYPS, &former_typs).await
    }
}

fn tenant_rows<'a>(tenants: &[&'a Tenant]) -> Vec<TenantRow<'a>> {
    tenants.iter().map(|tenant| tenant_row(tenant)).collect()
}

fn tenant_row(tenant: &Tenant) -> TenantRow<'_> {
    let (signing, access_token) = (&tenant.signing, &tenant.access_token);
    TenantRow {
        tenant_id: tenant.id.as_str(),
        name: &tenant.name,
        oauth2: tenant.strategies.oauth2,
        oidc: tenant.strategies.oidc,
        stale_if_error: span(tenant.stale_if_error),
        algorithm: signing.algorithm.as_str(),
        rotate_every: span(signing.rotate_every),
        publish_before: span(signing.publish_before),
        jwks_max_age: span(signing.jwks_max_age),
        jwks_stale: span(signing.jwks_stale),
        skew: span(signing.skew),
        lifetime: span(access_token.lifetime),
        format: access_token.format.as_str(),
        typ: &access_token.typ,
        keys_published_until: match tenant.status {
            TenantStatus::Active => None,
            TenantStatus::Suspended { keys_published_until } => Some(seconds(keys_published_until)),
        },
    }
}

fn issuer_rows(tenant: &Tenant) -> impl Iterator<Item = IssuerRow<'_>> {
    let issuers = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases).enumerate();
    issuers.map(|(position, issuer)| IssuerRow {
        tenant_id: tenant.id.as_str(),
        position,
        issuer: issuer.as_str(),
    })
}

fn former_typ_rows(tenant: &Tenant) -> impl Iterator<Item = FormerTypRow<'_>> {
    tenant.access_token.former_typs.iter().map(|former| FormerTypRow {
        tenant_id: tenant.id.as_str(),
        typ: &former.typ,
        accepted_until: seconds(former.accepted_until),
    })
}
