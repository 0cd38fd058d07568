//! The logos of tenants. A commit writes a logo with the tenant that shows it, and deletes it with the last
//! use, so no unused row stays.

use std::sync::Arc;

use administration::{Change, ChangeKind, RowChange};
use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Branding, Logo, LogoStore, Stored, Tenant, TenantId};

use crate::column::{Column as _, is_text};
use crate::commit::CommitWriter;
use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;

pub(crate) const SELECT: &str = "
    SELECT l.content FROM tenant_logos l WHERE l.tenant_id = {tenant} AND l.hash = $2";

/// A tenant may show the same picture in both schemes.
const INSERT: &str = "
    INSERT INTO tenant_logos (tenant_id, hash, content)
    SELECT tenant_id, hash, content FROM {given(tenant_id text, hash text, content bytea)} WHERE TRUE
    ON CONFLICT DO NOTHING";

const DELETE: &str = "
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

impl CommitWriter<'_> {
    /// The pictures that tenants begin to show, and those that they show no more.
    pub(crate) async fn logos(&mut self) -> Result<(), Error> {
        let request = self.request;
        for change in &request.changes {
            let Change::Tenant(RowChange { kind, before, after }) = change else { continue };
            if !matches!(kind, ChangeKind::Added | ChangeKind::Changed | ChangeKind::Restored) {
                continue;
            }
            let before = before.as_ref().map(|before| &before.branding);
            for logo in after.branding.logos().filter(|logo| !shows(before, logo)) {
                // Each picture has a statement of its own, because it may have as many bytes as a thousand
                // rows.
                self.each(INSERT, &[row(after, logo)]).await?;
            }
            let ended = before.into_iter().flat_map(Branding::logos);
            let ended = ended.filter(|logo| !shows(Some(&after.branding), logo));
            self.each(DELETE, &ended.map(|logo| row(after, logo)).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn shows(branding: Option<&Branding>, logo: &Logo) -> bool {
    branding.is_some_and(|branding| branding.logos().any(|shown| shown == logo))
}

fn row(tenant: &Tenant, logo: &Logo) -> Value {
    let content = logo.content().map(|content| content.to_vec().json());
    json!({ "tenant_id": tenant.id.as_str(), "hash": logo.hash(), "content": content })
}
