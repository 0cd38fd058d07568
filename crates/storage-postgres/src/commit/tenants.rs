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
    SELECT tenant_id, name, $3, $2, $2, oauth2, oidc, stale_if_error, algorithm, rotate_every, publish_before,
           jwks_max_age, jwks_stale, skew, lifetime, format, typ
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, name text, oauth2 boolean, oidc boolean, stale_if_error bigint, algorithm text,
               rotate_every bigint, publish_before bigint, jwks_max_age bigint, jwks_stale bigint, skew bigint,
               lifetime bigint, format text, typ text)";

/// A tenant that another door has suspended stays so, and its keys stay published as long.
const UPDATE: &str = "
    UPDATE tenants t
       SET name = given.name, updated_at = $2, retired_at = NULL,
           keys_published_until = CASE WHEN t.suspended_at IS NULL THEN NULL ELSE t.keys_published_until END,
           oauth2_enabled = given.oauth2, oidc_enabled = given.oidc, stale_if_error = given.stale_if_error,
           signing_algorithm = given.algorithm, rotate_every = given.rotate_every,
           publish_before = given.publish_before, jwks_max_age = given.jwks_max_age,
           jwks_stale = given.jwks_stale, skew = given.skew, access_token_lifetime = given.lifetime,
           access_token_format = given.format, access_token_typ = given.typ
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, name text, oauth2 boolean, oidc boolean, stale_if_error bigint, algorithm text,
               rotate_every bigint, publish_before bigint, jwks_max_age bigint, jwks_stale bigint, skew bigint,
               lifetime bigint, format text, typ text)
     WHERE t.tenant_id = given.tenant_id AND t.managed_by = $3 AND t.deleted_at IS NULL";

const RETIRE: &str = "
    UPDATE tenants t
       SET retired_at = $2, updated_at = $2, keys_published_until = given.keys_published_until
      FROM json_to_recordset($1::json) AS given (tenant_id text, keys_published_until bigint)
     WHERE t.tenant_id = given.tenant_id AND t.managed_by = $3 AND t.deleted_at IS NULL";

const DELETE_ISSUERS: &str = "
    DELETE FROM tenant_issuers
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))";

const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT tenant_id, position, issuer
      FROM json_to_recordset($1::json) AS given (tenant_id text, position bigint, issuer text)";

const DELETE_FORMER_TYPS: &str = "
    DELETE FROM tenant_former_typs
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))";

const INSERT_FORMER_TYPS: &str = "
    INSERT INTO tenant_former_typs (tenant_id, typ, accepted_until)
    SELECT tenant_id, typ, accepted_until
      FROM json_to_recordset($1::json) AS given (tenant_id text, typ text, accepted_until bigint)";

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
