//! A store in memory, simple enough to be the measure of the others, which counts its calls and fails or waits on demand.

mod accounts;
mod commit;
mod commit_bookkeeping;
mod commit_keys;
mod devices;
mod ended_secrets;
mod key_lists;
mod lists;
mod logos;
mod logouts;
mod published_jwks;
mod refresh_families;
mod revocations;
mod rows;
mod sign_ins;
mod used_identifiers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::accounts::{Account, AccountPassword};
use administration::{AdministrationStore, AuditRecord, ChangeLog, Invalidation};
use async_trait::async_trait;
use keys::{KeyId, KeyRecord, KeyRecords, SigningKeyStore};
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use self::rows::Rows;
use crate::calls::CallCounters;
use crate::fault_injection::FaultInjection;
use crate::{Calls, Failure, Held};

/// All the rows of a platform, in memory.
#[derive(Default)]
pub struct MemoryStore {
    rows: Mutex<Rows>,
    calls: CallCounters,
    faults: FaultInjection,
}

impl AdministrationStore for MemoryStore {}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a tenant with its resource servers. Its clients stay.
    pub fn put_tenant(&self, tenant: Tenant) {
        self.rows().put_tenant(tenant);
    }

    /// Adds or replaces a client with its secrets.
    ///
    /// # Panics
    /// Where its tenant is missing.
    pub fn put_client(&self, client: Client) {
        self.rows().put_client(client);
    }

    /// Adds or replaces an account with its password.
    pub fn put_account(&self, account: Account, password: Option<AccountPassword>) {
        self.rows().put_account(account, password);
    }

    /// What was recorded about changes.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditRecord> {
        self.rows().audit.clone()
    }

    /// How often it was asked.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.calls.read()
    }

    /// From now on every call fails like this, or none does.
    pub fn fail_with(&self, failure: impl Into<Option<Failure>>) {
        self.faults.fail_with(failure.into());
    }

    /// From now on calls read and write at once but answer only when the returned value is dropped.
    pub async fn hold_answers(&self) -> Held {
        self.faults.hold().await
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn administer<T: Send>(&self, work: impl FnOnce(&mut Rows) -> T + Send) -> Result<T, StoreError> {
        self.answer(&self.calls.administration, work).await
    }

    async fn answer<T: Send>(
        &self,
        counter: &AtomicU64,
        work: impl FnOnce(&mut Rows) -> T + Send,
    ) -> Result<T, StoreError> {
        counter.fetch_add(1, Ordering::SeqCst);
        let answer = self.faults.check().map(|()| work(&mut self.rows()));
        self.faults.pass(answer).await
    }
}

#[async_trait]
impl ChangeLog for MemoryStore {
    async fn position(&self) -> Result<i64, StoreError> {
        self.administer(|rows| as_position(rows.changes.len())).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        self.administer(|rows| {
            let all = rows.changes.iter().enumerate();
            all.map(|(index, change)| (as_position(index + 1), change.clone()))
                .filter(|(at, _)| *at > position)
                .collect()
        })
        .await
    }
}

#[async_trait]
impl TenantStore for MemoryStore {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        self.answer(&self.calls.find_tenant, |rows| rows.tenant(tenant).map(Arc::new)).await
    }
}

#[async_trait]
impl ClientStore for MemoryStore {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        self.answer(&self.calls.find_client, |rows| rows.client(tenant, client).map(Arc::new)).await
    }
}

#[async_trait]
impl SigningKeyStore for MemoryStore {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        self.answer(&self.calls.find_keys, |rows| Arc::new(rows.whole_keys(tenant))).await
    }

    async fn find_key(&self, tenant: &TenantId, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.answer(&self.calls.find_key, |rows| rows.keys(tenant).keys.into_iter().find(|row| row.id == key))
            .await
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        self.answer(&self.calls.add_key, |rows| rows.add_key_at_once(tenant, key)).await
    }
}

fn as_position(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn as_count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
