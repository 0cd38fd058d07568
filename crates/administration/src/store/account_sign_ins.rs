//! What the sign-ins of an account leave behind.

use accounts::AccountId;
use async_trait::async_trait;
use sessions::FoundSession;
use tenancy::{Stored, TenantId};

use crate::ConsentState;

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
