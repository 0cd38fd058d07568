//! Accounts as administration sees them.

use accounts::AccountId;
use async_trait::async_trait;
use sessions::FoundSession;
use tenancy::{Stored, TenantId};

use crate::{AccountQuery, AccountState, ConsentState, RelatedAccounts};

/// Reads accounts. [`TenantRows::commit`](crate::TenantRows::commit) writes them.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The accounts of this tenant that an edit or a declaration is about, in the order of their ids.
    async fn find_accounts(
        &self,
        tenant: &TenantId,
        related: RelatedAccounts<'_>,
    ) -> Stored<Vec<AccountState>>;

    /// A page of a tenant's accounts without deleted ones, in the order of their creation.
    async fn list_accounts(&self, tenant: &TenantId, query: &AccountQuery) -> Stored<Vec<AccountState>>;
}

/// Reads what the sign-ins of an account leave behind. [`TenantRows::commit`](crate::TenantRows::commit) ends it.
#[async_trait]
pub trait AccountSignIns: Send + Sync {
    /// The sessions of the account, ended ones too, those first that were used last, and [`LISTED_SESSIONS`] at most.
    async fn list_sessions(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<FoundSession>>;

    /// What the account has allowed clients, in the order of their ids.
    async fn list_consents(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<ConsentState>>;
}

/// So many sessions of an account are listed.
pub const LISTED_SESSIONS: u32 = 200;
