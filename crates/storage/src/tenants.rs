//! Tenants with their issuers, previous `typ` values and search terms.

use std::sync::{Arc, LazyLock};

use administration::rows::TenantRows;
use async_trait::async_trait;
use serde_json::Value;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::commit::{CommitError, CommitWriter};
use crate::database::Database;
use crate::rows::TenantRow;
use crate::statement::Statement;
use crate::upsert::Table;

/// Everything about a tenant `t` but its clients and keys.
macro_rules! columns {
    () => {
        "t.*,
         COALESCE((SELECT CAST({array}(i.issuer ORDER BY i.position) AS text)
            FROM tenant_issuers i WHERE i.tenant_id = t.tenant_id), '[]') AS issuers,
         COALESCE((SELECT CAST({array}({object}('typ', f.typ, 'accepted_until', f.accepted_until) ORDER BY f.typ) AS text)
            FROM tenant_former_typs f WHERE f.tenant_id = t.tenant_id), '[]') AS former_typs,
         COALESCE((SELECT CAST({array}(
                     {object}('audience', r.audience, 'scopes', r.scopes, 'managed_by', r.managed_by,
                              'introspection_clients', {json}(r.introspection_clients),
                              'retired_at', r.retired_at, 'deleted_at', r.deleted_at,
                              'created_at', r.created_at, 'updated_at', r.updated_at)
                     ORDER BY r.audience) AS text)
            FROM resource_servers r WHERE r.tenant_id = t.tenant_id), '[]') AS resource_servers"
    };
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

pub(crate) use {columns, longest_token};

/// One tenant.
pub(crate) const SELECT: &str =
    concat!("SELECT ", columns!(), " FROM tenants t WHERE t.tenant_id = {tenant}");

/// Across tenants on purpose: reconciling compares all that it manages.
pub(crate) const SUMMARIES: &str = "
    SELECT tenant_id, managed_by, created_at, updated_at, suspended_at, retired_at, deleted_at, deletion_due_at,
           fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id IN (SELECT value FROM {elements($1)})";

/// Across tenants on purpose: an issuer is unique on the whole platform.
pub(crate) const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer IN (SELECT value FROM {elements($1)})";

/// Across tenants on purpose: one process deletes for all of them.
pub(crate) const DUE_DELETIONS: &str = "
    SELECT tenant_id FROM tenants
     WHERE deletion_due_at IS NOT NULL AND deletion_due_at <= $1 AND deleted_at IS NULL
     ORDER BY deletion_due_at, tenant_id LIMIT $2";

/// The revision is the expected one plus 1, and 1 of a new tenant: one that exists already is not overwritten by a new one.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let table = Table {
        name: "tenants",
        key: "tenant_id text",
        constant: "managed_by text, created_at bigint",
        columns: "revision bigint, name text, updated_at bigint, suspended_at bigint, retired_at bigint,
                  deleted_at bigint, deletion_due_at bigint, keys_published_until bigint, oauth2_enabled boolean,
                  oidc_enabled boolean, stale_if_error bigint, signing_algorithm text, rotate_every bigint,
                  publish_before bigint, jwks_max_age bigint, jwks_stale bigint, skew bigint, rsa_bits bigint,
                  hold_activation bigint, access_token_lifetime bigint, access_token_format text,
                  access_token_typ text, limits text",
        condition: "tenants.revision = excluded.revision - 1",
    };
    table.upsert()
});

/// Of tenants whose own rows the commit does not write.
const INCREMENT_REVISIONS: &str = "
    UPDATE tenants AS t SET revision = t.revision + 1
      FROM {given(tenant_id text, revision bigint)}
     WHERE t.tenant_id = given.tenant_id AND t.revision = given.revision";

const SET_FINGERPRINTS: &str = "
    UPDATE tenants AS t SET fingerprint = given.fingerprint
      FROM {given(tenant_id text, fingerprint bytea)}
     WHERE t.tenant_id = given.tenant_id";

const SET_PREVIOUS_TOKENS: &str = "
    UPDATE tenants AS t SET earlier_tokens_until = given.earlier_tokens_until
      FROM {given(tenant_id text, earlier_tokens_until bigint)}
     WHERE t.tenant_id = given.tenant_id";

const DELETE_ISSUERS: &str = "
    DELETE FROM tenant_issuers WHERE tenant_id IN (SELECT tenant_id FROM {given(tenant_id text)})";

const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT tenant_id, position, issuer FROM {given(tenant_id text, position bigint, issuer text)}";

const DELETE_PREVIOUS_TYPS: &str = "
    DELETE FROM tenant_former_typs WHERE tenant_id IN (SELECT tenant_id FROM {given(tenant_id text)})";

const INSERT_PREVIOUS_TYPS: &str = "
    INSERT INTO tenant_former_typs (tenant_id, typ, accepted_until)
    SELECT tenant_id, typ, accepted_until FROM {given(tenant_id text, typ text, accepted_until bigint)}";

const DELETE_SEARCH_TERMS: &str = "
    DELETE FROM tenant_words WHERE tenant_id IN (SELECT tenant_id FROM {given(tenant_id text)})";

pub(crate) const INSERT_SEARCH_TERMS: &str = "
    INSERT INTO tenant_words (tenant_id, word)
    SELECT tenant_id, word FROM {given(tenant_id text, word text)}";

#[async_trait]
impl TenantStore for Database {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let rows: Vec<TenantRow> = self.look_up(Statement::of(SELECT).bind(tenant)).await?;
        let row = rows.first().filter(|row| !row.is_deleted());
        row.map(|row| row.tenant().map(Arc::new)).transpose()
    }
}

impl CommitWriter<'_> {
    pub(crate) async fn revisions(&mut self, rows: &[Value]) -> Result<(), CommitError> {
        self.all(INCREMENT_REVISIONS, rows).await
    }

    pub(crate) async fn tenants(&mut self, tenants: &TenantRows) -> Result<(), CommitError> {
        self.all(&UPSERT, &tenants.rows).await?;
        // All issuers that are given up are free before any is taken, so that two tenants can change places.
        self.each(DELETE_ISSUERS, &tenants.rewritten).await?;
        self.each(DELETE_PREVIOUS_TYPS, &tenants.rewritten).await?;
        self.all(INSERT_ISSUERS, &tenants.issuers).await?;
        self.all(INSERT_PREVIOUS_TYPS, &tenants.former_typs).await?;
        self.each(DELETE_SEARCH_TERMS, &tenants.outdated_terms).await?;
        self.all(INSERT_SEARCH_TERMS, &tenants.search_terms).await
    }

    pub(crate) async fn tenant_metadata(
        &mut self,
        fingerprints: &[Value],
        previous_tokens: &[Value],
    ) -> Result<(), CommitError> {
        self.all(SET_FINGERPRINTS, fingerprints).await?;
        self.all(SET_PREVIOUS_TOKENS, previous_tokens).await
    }
}
