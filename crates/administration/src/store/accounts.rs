//! Accounts as administration sees them.

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{AccountQuery, AccountState, RelatedAccounts};

/// Reads accounts. [`TenantRows::commit`](crate::TenantRows::commit) writes them.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The accounts of this tenant that an edit or a declaration is about, in the order of their ids.
    async fn find_accounts(
        &self,
        tenant: &TenantId,
        related: RelatedAccounts<'_>,
    ) -> Result<Vec<AccountState>, StoreError>;

    /// A page of a tenant's accounts without deleted ones, in the order of their creation.
    async fn list_accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Vec<AccountState>, StoreError>;
}
