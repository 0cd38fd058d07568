//! Tests faulty stores: one that returns the wrong rows, and one that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::{Account, AccountId, AccountPassword, AccountStore, Identifier};
use async_trait::async_trait;
use cache::{Caches, Capacity, Freshness};
use keys::{KeyRecord, KeyRecords, Kid, SigningKeyStore};
use registry::{
    ApiKey, ApiKeyId, ApiKeyStore, Client, ClientId, ClientStore, FederatedClientStore, FederatedClients,
    ForeignSubject, RevocationFacts, RevocationStore, RevokedSubject, TextPattern, TokenRevocation,
};
use tenancy::{LogoStore, StoreError, Stored, Tenant, TenantId, TenantStore};
use testkit::fixtures;
use values::Timestamp;

/// Panics `panics` times and works afterwards.
struct Bad {
    panics: AtomicU64,
    /// Returns globex and its client for every request.
    is_confused: bool,
}

#[async_trait]
impl TenantStore for Bad {
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>> {
        let left = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "made to panic");
        let answered = if self.is_confused { "globex" } else { tenant.as_str() };
        Ok(Some(Arc::new(fixtures::tenant(answered))))
    }
}

#[async_trait]
impl LogoStore for Bad {
    async fn find_logo(&self, _: &TenantId, _: &str) -> Stored<Option<Arc<Vec<u8>>>> {
        Err(StoreError::fault("no test reads logos"))
    }
}

#[async_trait]
impl ClientStore for Bad {
    async fn find_client(&self, _: &TenantId, _: &ClientId) -> Stored<Option<Arc<Client>>> {
        Ok(Some(Arc::new(fixtures::client(&fixtures::tenant("globex"), "svc"))))
    }
}

#[async_trait]
impl FederatedClientStore for Bad {
    async fn find_federated_clients(
        &self,
        _: &TenantId,
        subject: &ForeignSubject,
    ) -> Stored<Option<Arc<FederatedClients>>> {
        let rules = vec![("ci".to_owned(), TextPattern::new("a"))];
        let rows = [(fixtures::client_id("svc"), rules)];
        Ok(FederatedClients::new(fixtures::tenant_id("globex"), subject, &rows, rows.len()).map(Arc::new))
    }
}

#[async_trait]
impl ApiKeyStore for Bad {
    async fn find_api_key(&self, _: &TenantId, key: &ApiKeyId) -> Stored<Option<Arc<ApiKey>>> {
        let svc = fixtures::client(&fixtures::tenant("globex"), "svc");
        Ok(Some(Arc::new(fixtures::api_key(&svc, key.as_str()))))
    }
}

#[async_trait]
impl SigningKeyStore for Bad {
    async fn find_keys(&self, _: &TenantId) -> Stored<Arc<KeyRecords>> {
        Err(StoreError::fault("no test reads keys"))
    }

    async fn find_key(&self, _: &TenantId, _: Kid) -> Stored<Option<KeyRecord>> {
        Err(StoreError::fault("no test reads keys"))
    }

    async fn add_key(&self, _: &TenantId, _: &KeyRecord) -> Stored<bool> {
        Err(StoreError::fault("no test adds a key"))
    }
}

#[async_trait]
impl RevocationStore for Bad {
    async fn find_revocations(&self, _: &TenantId) -> Stored<Arc<RevocationFacts>> {
        Ok(Arc::new(RevocationFacts::none(fixtures::tenant_id("globex"))))
    }

    async fn revoke_token(&self, _: &TenantId, _: &TokenRevocation, _: Timestamp) -> Stored<()> {
        Err(StoreError::fault("no test revokes a token"))
    }

    async fn revoke_people(
        &self,
        _: &TenantId,
        _: &RevokedSubject,
        _: Option<&str>,
        _: Timestamp,
    ) -> Stored<()> {
        Err(StoreError::fault("no test revokes tokens of people"))
    }

    async fn delete_ended_revocations(&self, _: Timestamp) -> Stored<u64> {
        Err(StoreError::fault("no test deletes revocations"))
    }
}

#[async_trait]
impl AccountStore for Bad {
    async fn find_by_identifier(
        &self,
        _: &TenantId,
        _: &Identifier,
    ) -> Stored<Option<(Arc<Account>, Option<AccountPassword>)>> {
        Err(StoreError::fault("no test signs in"))
    }

    async fn replace_password(
        &self,
        _: &TenantId,
        _: &AccountId,
        _: &AccountPassword,
        _: &AccountPassword,
    ) -> Stored<bool> {
        Err(StoreError::fault("no test signs in"))
    }

    async fn find_account(&self, _: &TenantId, account: &AccountId) -> Stored<Option<Arc<Account>>> {
        let globex = fixtures::tenant_id("globex");
        Ok(Some(Arc::new(Account::new(globex, account.clone(), Timestamp::from_seconds(1)))))
    }
}

fn caches(panics: u64, is_confused: bool) -> Caches {
    let store = Arc::new(Bad { panics: AtomicU64::new(panics), is_confused });
    Caches::new(store, None, Capacity::default(), Freshness::default())
}

#[tokio::test]
async fn rows_of_another_tenant_or_name_are_faults() {
    let Caches { tenants, clients, federated, api_keys, revocations, accounts, .. } = caches(0, true);
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant_id);
    let client = async |id, name| clients.find_client(id, &fixtures::client_id(name)).await;
    let (ada, key): (_, ApiKeyId) = (AccountId::from_bytes([1; 16]), "4fT9xQ2bV7mK".parse().unwrap());
    let subject = ForeignSubject::of(["ci"], "a").unwrap();
    for _ in 0..2 {
        assert!(tenants.find_tenant(&globex).await.is_ok());
        assert!(is_fault(tenants.find_tenant(&acme).await));
        assert!(client(&globex, "svc").await.is_ok());
        assert!(is_fault(client(&acme, "svc").await));
        assert!(is_fault(client(&globex, "other").await));
        assert!(federated.find_federated_clients(&globex, &subject).await.is_ok());
        assert!(is_fault(federated.find_federated_clients(&acme, &subject).await));
        assert!(revocations.find_revocations(&globex).await.is_ok());
        assert!(is_fault(revocations.find_revocations(&acme).await));
        assert!(accounts.find_account(&globex, &ada).await.is_ok());
        assert!(is_fault(accounts.find_account(&acme, &ada).await));
        assert!(api_keys.find_api_key(&globex, &key).await.is_ok());
        assert!(is_fault(api_keys.find_api_key(&acme, &key).await));
    }
}

fn is_fault<T>(found: Stored<T>) -> bool {
    matches!(found, Err(StoreError::Fault(_)))
}

#[tokio::test]
async fn panicked_load_is_retried_once() {
    for (panics, answered) in [(1, true), (2, false)] {
        let tenants = caches(panics, false).tenants;
        let acme = fixtures::tenant_id("acme");
        assert_eq!(tenants.find_tenant(&acme).await.is_ok(), answered);
        assert!(tenants.find_tenant(&acme).await.is_ok(), "nothing of it is left behind");
    }
}
