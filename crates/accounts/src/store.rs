//! The store that accounts need.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{Account, AccountId, AccountPassword, Identifier};

/// Finds accounts, and rewrites their passwords. "Not found" is `Ok(None)`, also for a deleted account.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The account of this identifier in this tenant, in any status, with its password if it has one. It is one read, of the store and never
    /// of a cache: no cache holds a password.
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Result<Option<(Arc<Account>, Option<AccountPassword>)>, StoreError>;

    /// Replaces the stored form of a password, if it is still `before`, by another form of the same password, and says whether it did.
    /// Nothing else changes: no session ends, and when the password was set stays.
    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Result<bool, StoreError>;

    /// The account of this id in this tenant, in any status.
    async fn find_account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<Arc<Account>>, StoreError>;
}
