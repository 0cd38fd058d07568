//! The statements of tenants with their issuers, previous `typ` values and search terms.

use std::sync::Arc;

use administration::kinds::TenantState;
use administration::store::query::search_terms;
use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Stored, Tenant, TenantId, TenantStore};

use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;

pub(crate) const SELECT: &str = "SELECT {columns(t)} FROM tenants t WHERE t.tenant_id = {tenant}";

/// Reads across tenants on purpose: reconciling compares all tenants that files manage.
pub(crate) const SUMMARIES: &str = "
    SELECT {columns(t)} FROM tenants t
     WHERE t.managed_by = 'config' OR t.tenant_id IN (SELECT value FROM {elements($1)})";

/// Reads across tenants on purpose: an issuer is unique on the whole platform.
pub(crate) const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer IN (SELECT value FROM {elements($1)})";

/// Reads across tenants on purpose, as above. `0` is the character after `/`, so the range is all issuers
/// with this prefix and a slash.
pub(crate) const ISSUERS_BELOW: &str = "
    SELECT i.issuer, i.tenant_id FROM {elements($1)} AS above {join} tenant_issuers i
        ON i.issuer >= above.value || '/' AND i.issuer < above.value || '0'";

/// Reads across tenants on purpose: one process deletes the tenants.
pub(crate) const DUE_DELETIONS: &str = "
    SELECT tenant_id FROM tenants
     WHERE deletion_due_at IS NOT NULL AND deletion_due_at <= $1 AND deleted_at IS NULL
     ORDER BY deletion_due_at, tenant_id LIMIT $2";

/// Locks the rows of tenants until the end of the transaction. All transactions lock in the same order, which
/// avoids deadlocks.
pub(crate) const LOCK: &str = "
    SELECT t.tenant_id FROM {given} JOIN tenants t ON t.tenant_id = given.tenant_id
     ORDER BY t.tenant_id FOR NO KEY UPDATE OF t";

/// Writes only if the stored revision is the expected revision. A new tenant has revision 1, so it cannot
/// overwrite an existing tenant.
pub(crate) const UPSERT: &str = "
    INSERT INTO tenants ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id) DO UPDATE SET {updates} WHERE tenants.revision = excluded.revision - 1";

/// Changes the lifecycle of tenants whose settings cannot be read, without changing the settings.
pub(crate) const TAKE_STEP: &str = "
    UPDATE tenants AS t
       SET suspended_at = given.suspended_at, deleted_at = given.deleted_at, deletion_due_at = given.deletion_due_at,
           keys_published_until = given.keys_published_until, updated_at = given.updated_at, revision = given.revision
      FROM {given}
     WHERE t.tenant_id = given.tenant_id AND t.revision = given.revision - 1";

/// Increments the revisions of tenants whose own rows the commit does not change.
pub(crate) const INCREMENT_REVISIONS: &str = "
    UPDATE tenants AS t SET revision = t.revision + 1
      FROM {given(tenant_id text, revision bigint)}
     WHERE t.tenant_id = given.tenant_id AND t.revision = given.revision";

pub(crate) const SET_FINGERPRINTS: &str = "
    UPDATE tenants AS t SET fingerprint = given.fingerprint
      FROM {given(tenant_id text, fingerprint bytea)}
     WHERE t.tenant_id = given.tenant_id";

pub(crate) const SET_PREVIOUS_TOKENS: &str = "
    UPDATE tenants AS t SET earlier_tokens_until = given.earlier_tokens_until
      FROM {given(tenant_id text, earlier_tokens_until bigint)}
     WHERE t.tenant_id = given.tenant_id";

pub(crate) const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT tenant_id, position, issuer FROM {given(tenant_id text, position bigint, issuer text)}";

pub(crate) const INSERT_SEARCH_TERMS: &str = "
    INSERT INTO tenant_words (tenant_id, word)
    SELECT tenant_id, word FROM {given(tenant_id text, word text)}";

#[async_trait]
impl TenantStore for Database {
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>> {
        let rows: Vec<TenantState> =
            self.look_up(Statement::from_text(SELECT).bind(tenant).asking_for_tenant()).await?;
        let live = rows.into_iter().find(|row| row.lifecycle.deleted_at.is_none());
        Ok(live.map(readable).transpose()?.map(|row| Arc::new(row.tenant)))
    }
}

/// Refuses a tenant whose settings this version cannot read: such a tenant must not be served or compared.
pub(crate) fn readable(state: TenantState) -> Result<TenantState, Error> {
    match state.tenant.is_unreadable {
        true => Err(Error::unreadable("settings", format!("tenant {} has none", state.tenant.id))),
        false => Ok(state),
    }
}

pub(crate) fn issuer_rows(tenant: &Tenant) -> impl Iterator<Item = Value> {
    let issuers = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases).enumerate();
    issuers.map(|(position, issuer)| {
        json!({ "tenant_id": tenant.id.as_str(), "position": position, "issuer": issuer.as_str() })
    })
}

pub(crate) fn search_term_rows(tenant: &str, name: &str) -> Vec<Value> {
    let terms = search_terms(&format!("{tenant} {name}"));
    terms.into_iter().map(|word| json!({ "tenant_id": tenant, "word": word })).collect()
}
