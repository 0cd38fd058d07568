//! The logos of tenants, beside their rows.

use std::sync::Arc;

use administration::{Change, ChangeKind, CommitRequest, RowChange};
use async_trait::async_trait;
use tenancy::{LogoStore, StoreError, Tenant, TenantId};

use super::MemoryStore;
use super::rows::Rows;

#[async_trait]
impl LogoStore for MemoryStore {
    async fn find_logo(&self, tenant: &TenantId, hash: &str) -> Result<Option<Arc<Vec<u8>>>, StoreError> {
        let key = (tenant.clone(), hash.to_owned());
        self.answer(&self.calls.find_logo, |rows| rows.logos.get(&key).cloned()).await
    }
}

impl Rows {
    pub(super) fn write_logos(&mut self, request: &CommitRequest) {
        for change in &request.changes {
            let Change::Tenant(RowChange { kind, after, .. }) = change else { continue };
            match kind {
                ChangeKind::Added | ChangeKind::Changed | ChangeKind::Restored => self.put_logos(after),
                ChangeKind::Deleted => self.logos.retain(|(of, _), _| *of != after.id),
                _ => {}
            }
        }
    }

    /// Those that the tenant shows, and no others.
    pub(super) fn put_logos(&mut self, tenant: &Tenant) {
        let shown = |hash: &str| tenant.branding.logos().any(|logo| logo.hash() == hash);
        self.logos.retain(|(of, hash), _| *of != tenant.id || shown(hash));
        for logo in tenant.branding.logos() {
            let Some(content) = logo.content() else { continue };
            let key = (tenant.id.clone(), logo.hash().to_owned());
            self.logos.entry(key).or_insert_with(|| Arc::new(content.to_vec()));
        }
    }
}
