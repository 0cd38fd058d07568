//! The logos of tenants. A commit writes a logo with the tenant that shows it, and deletes it with the last
//! use, so no unused row stays.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Logo, LogoStore, Stored, TenantId};

use crate::column::{ColumnValue as _, is_text};
use crate::database::Database;
use crate::statement::Statement;

pub(crate) const SELECT: &str = "
    SELECT l.content FROM tenant_logos l WHERE l.tenant_id = {tenant} AND l.hash = $2";

/// A tenant may show the same picture in both schemes.
pub(crate) const INSERT: &str = "
    INSERT INTO tenant_logos (tenant_id, hash, content)
    SELECT tenant_id, hash, content FROM {given(tenant_id text, hash text, content bytea)} WHERE TRUE
    ON CONFLICT DO NOTHING";

pub(crate) const DELETE: &str = "
    DELETE FROM tenant_logos
     WHERE (tenant_id, hash) IN (SELECT tenant_id, hash FROM {given(tenant_id text, hash text)})";

#[async_trait]
impl LogoStore for Database {
    async fn find_logo(&self, tenant: &TenantId, hash: &str) -> Stored<Option<Arc<Vec<u8>>>> {
        if !is_text(hash) {
            return Ok(None);
        }
        let rows: Vec<(Vec<u8>,)> =
            self.look_up(Statement::from_text(SELECT).bind(tenant).bind(hash)).await?;
        Ok(rows.into_iter().next().map(|(content,)| Arc::new(content)))
    }
}

pub(crate) fn row((tenant, logo): &(TenantId, Logo)) -> Value {
    let content = logo.content().map(|content| content.to_vec().json());
    json!({ "tenant_id": tenant.as_str(), "hash": logo.hash(), "content": content })
}
