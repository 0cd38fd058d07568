//! A store in memory, simple enough to be the measure of the others, which counts its calls and fails or waits on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use keys::{KeyId, KeyRecord, KeyRecords, SigningKeyStore};
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::calls::CallCounters;
use crate::fault_injection::FaultInjection;
use crate::{Calls, Failure, Held};

/// Tenants, clients and keys in memory.
#[derive(Default)]
pub struct MemoryStore {
    rows: Mutex<Rows>,
    calls: CallCounters,
    faults: FaultInjection,
}

#[derive(Default)]
struct Rows {
    tenants: BTreeMap<TenantId, Arc<Tenant>>,
    clients: BTreeMap<(TenantId, ClientId), Arc<Client>>,
    keys: BTreeMap<TenantId, Arc<KeyRecords>>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a tenant.
    pub fn put_tenant(&self, tenant: Tenant) {
        self.rows().tenants.insert(tenant.id.clone(), Arc::new(tenant));
    }

    /// Adds or replaces a client.
    pub fn put_client(&self, client: Client) {
        let key = (client.tenant.clone(), client.id.clone());
        self.rows().clients.insert(key, Arc::new(client));
    }

    /// Puts a client where it does not belong, as a store with a defect would.
    pub fn misplace_client(&self, tenant: &TenantId, id: &ClientId, client: Client) {
        self.rows().clients.insert((tenant.clone(), id.clone()), Arc::new(client));
    }

    /// Puts a tenant where it does not belong.
    pub fn misplace_tenant(&self, id: &TenantId, tenant: Tenant) {
        self.rows().tenants.insert(id.clone(), Arc::new(tenant));
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

    async fn answer<T>(
        &self,
        counter: &AtomicU64,
        work: impl FnOnce(&mut Rows) -> T + Send,
    ) -> Result<T, StoreError>
    where
        T: Send,
    {
        counter.fetch_add(1, Ordering::SeqCst);
        let answer = self.faults.check().map(|()| work(&mut self.rows()));
        self.faults.pass(answer).await
    }
}

impl Rows {
    fn keys_of(&self, tenant: &TenantId) -> Arc<KeyRecords> {
        let none = || Arc::new(KeyRecords { next: KeyId::numbered(1), keys: Vec::new() });
        self.keys.get(tenant).cloned().unwrap_or_else(none)
    }

    fn add_key(&mut self, tenant: &TenantId, key: &KeyRecord) -> bool {
        let mut records = KeyRecords::clone(&self.keys_of(tenant));
        if key.id != records.next {
            return false;
        }
        records.next = KeyId::numbered(key.id.number() + 1);
        records.keys.push(key.clone());
        self.keys.insert(tenant.clone(), Arc::new(records));
        true
    }
}

#[async_trait]
impl TenantStore for MemoryStore {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        self.answer(&self.calls.find_tenant, |rows| rows.tenants.get(tenant).cloned()).await
    }
}

#[async_trait]
impl ClientStore for MemoryStore {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let key = (tenant.clone(), client.clone());
        self.answer(&self.calls.find_client, move |rows| rows.clients.get(&key).cloned()).await
    }
}

#[async_trait]
impl SigningKeyStore for MemoryStore {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        self.answer(&self.calls.find_keys, |rows| rows.keys_of(tenant)).await
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        self.answer(&self.calls.add_key, |rows| rows.add_key(tenant, key)).await
    }
}
