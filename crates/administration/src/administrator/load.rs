//! Loads the facts about a tenant that the rules need. The file of each kind of row says what its edits need.

use accounts::AccountId;
use async_trait::async_trait;
use registry::{ApiKeyId, ClientId};
use tenancy::TenantId;

use super::Administrator;
use crate::edit::{Edited, Facts};
use crate::{AdministrationStore, RelatedClients};

/// The facts that an edit needs before it is decided.
#[async_trait]
pub trait Scope: Send + Sync {
    /// Reads it. The tenant's revision guards what is read after the tenant.
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts>;

    /// Whether the time of the decision counts, rather than that of the request.
    fn counts_from_decision(&self) -> bool {
        false
    }
}

/// The tenant alone.
pub(super) struct TenantAlone;

#[async_trait]
impl Scope for TenantAlone {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let state = store.load_with_related_clients(tenant, RelatedClients::default()).await?;
        Ok(Facts { state, ..Facts::default() })
    }
}

/// The tenant with what stands in for one row that this version cannot read.
pub enum UnreadableRow {
    /// A client.
    Client(ClientId),
    /// An account.
    Account(AccountId),
    /// An API key of a client.
    ApiKey(ClientId, ApiKeyId),
}

#[async_trait]
impl Scope for UnreadableRow {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let owner = if let Self::ApiKey(client, _) = self { Some(client.as_str()) } else { None };
        let related = RelatedClients { ids: owner.as_slice(), listed: &[] };
        let mut state = store.load_with_related_clients(tenant, related).await?;
        if let Some(state) = &mut state {
            match self {
                Self::Client(id) => state.clients.extend(store.find_unreadable_client(tenant, id).await?),
                Self::Account(id) => state.accounts.extend(store.find_unreadable_account(tenant, id).await?),
                Self::ApiKey(_, id) => {
                    state.api_keys.extend(store.find_unreadable_api_key(tenant, id).await?);
                }
            }
        }
        Ok(Facts { state, ..Facts::default() })
    }
}

impl Administrator {
    pub(super) async fn load(&self, tenant: &TenantId, scope: &dyn Scope) -> Edited<Facts> {
        scope.load(&*self.store, tenant).await
    }
}
