//! Resource servers of a tenant.

use tenancy::{ResourceServer, TenantId};

use super::Kind;
use crate::documents::RESOURCE_SERVER;
use crate::documents::ResourceServerSettings;
use crate::kinds::Invalidation;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::members;
use crate::kinds::state::RowLifecycle;
use crate::rows::Decided;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServerState {
    pub resource_server: ResourceServer,
    pub lifecycle: RowLifecycle,
}

/// A resource server sends no requests, so it cannot be suspended.
impl Kind for ResourceServer {
    const NOUN: &'static str = "resource server";
    const COLLECTION: &'static str = "resource_servers";

    fn fields(&self) -> Vec<(String, String)> {
        members(&RESOURCE_SERVER, &ResourceServerSettings::from(self))
    }

    fn name(&self) -> String {
        self.audience.clone()
    }

    fn knows(kind: ChangeKind) -> bool {
        use ChangeKind::{Added, Changed, Deleted, Restored, Retired};
        matches!(kind, Added | Changed | Deleted | Restored | Retired)
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let key = (tenant.clone(), change.after.audience.clone());
        let before = decided.rows.resource_servers.get(&key).or_else(|| {
            let stored = &decided.tenants.get(tenant)?.resource_servers;
            stored.iter().find(|row| row.resource_server.audience == key.1)
        });
        let before = before.map(|row| (&row.resource_server, row.lifecycle));
        let (resource_server, lifecycle) = decided.row_after(change, before)?;
        decided.rows.resource_servers.insert(key, ResourceServerState { resource_server, lifecycle });
        // Caches store resource servers with their tenant.
        decided.changed.push(Invalidation::Tenant(tenant.clone()));
        Some(())
    }
}
