//! The store of an account's sessions and consents.

use accounts::AccountId;
use async_trait::async_trait;
use sessions::FoundSession;
use tenancy::{Stored, TenantId};

use crate::ConsentState;

/// Reads the sessions and consents of an account. [`TenantRows::commit`](crate::TenantRows::commit) ends
/// them.
#[async_trait]
pub trait AccountSignIns: Send + Sync {
    /// The sessions of the account with ended ones, the last used first, and [`LISTED_SESSIONS`] at most.
    async fn list_sessions(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<FoundSession>>;

    /// The consents to clients, in the order of the clients' ids.
    async fn list_consents(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<ConsentState>>;
}

/// The most sessions of an account in a list.
pub const LISTED_SESSIONS: u32 = 200;
