//! The rings of all tenants that are in use: loaded from the store, unsealed and parsed once, and begun with a first key for a
//! tenant that has none. The one async shell of this crate.

use std::fmt;
use std::sync::Arc;

use moka::future::Cache;
use moka::ops::compute::Op;
use protocol::{SigningAlgorithm, Timestamp};
use tenancy::{Tenant, TenantId};

use crate::{
    KeyError, KeyPool, KeyRecord, KeyRecords, KeyRing, KeySealer, KeyState, PrivateKeyDocument,
    SealingContext, SigningKey, SigningKeyStore,
};

/// Gives each tenant its ring.
pub struct KeyRings {
    store: Arc<dyn SigningKeyStore>,
    sealer: Arc<dyn KeySealer>,
    pool: KeyPool,
    rings: Cache<TenantId, Arc<KeyRing>>,
}

/// A row changes rarely, so a second try is nearly always enough.
const ATTEMPTS: usize = 4;

impl KeyRings {
    /// Over a store, which should be a cache: it is asked on every call. At most `capacity` tenants' parsed keys are kept.
    #[must_use]
    pub fn new(
        store: Arc<dyn SigningKeyStore>,
        sealer: Arc<dyn KeySealer>,
        pool: KeyPool,
        capacity: u64,
    ) -> Self {
        Self { store, sealer, pool, rings: Cache::new(capacity) }
    }

    /// The tenant's ring as its rows are now. An active tenant without a key to sign with is given one, published and active at
    /// once: nobody can have fetched its keys before.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn ring(&self, tenant: &Tenant, now: Timestamp) -> Result<Arc<KeyRing>, KeyError> {
        let mut newest = None;
        for _ in 0..ATTEMPTS {
            let records = self.store.find_keys(&tenant.id).await?;
            let known = self.rings.get(&tenant.id).await;
            if let Some(ring) = &known {
                if is_of(ring, &records) && !needs_key(tenant, ring, now) {
                    return Ok(ring.clone());
                }
                self.discard(&tenant.id, ring).await;
            }
            // All that come at once wait for one of them. What it built may be older than the rows that another one saw, hence
            // the loop.
            let build = self.build(tenant, known.as_deref(), now);
            let built = self.rings.try_get_with(tenant.id.clone(), build).await;
            newest = Some(built.map_err(|error| KeyError::clone(&error))?);
        }
        newest.ok_or_else(|| KeyError::Contended { tenant: tenant.id.clone() })
    }

    /// The key that signs the tenant's tokens now.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn signing_key(&self, tenant: &Tenant, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        let ring = self.ring(tenant, now).await?;
        let key = ring.signing_key(&tenant.signing, now).cloned();
        key.ok_or_else(|| KeyError::NoSigningKey { tenant: tenant.id.clone() })
    }

    /// Drops the parsed keys of a tenant.
    pub async fn forget(&self, tenant: &TenantId) {
        self.rings.invalidate(tenant).await;
    }

    async fn build(
        &self,
        tenant: &Tenant,
        previous: Option<&KeyRing>,
        now: Timestamp,
    ) -> Result<Arc<KeyRing>, KeyError> {
        for _ in 0..ATTEMPTS {
            let records = self.store.find_keys(&tenant.id).await?;
            let ring = self.open(&tenant.id, records, previous, now).await?;
            if !needs_key(tenant, &ring, now) {
                return Ok(Arc::new(ring));
            }
            // Whether it was added or another replica was faster, the rows must be read again.
            self.add_key(tenant, ring.records(), now).await?;
        }
        Err(KeyError::Contended { tenant: tenant.id.clone() })
    }

    async fn open(
        &self,
        tenant: &TenantId,
        records: Arc<KeyRecords>,
        previous: Option<&KeyRing>,
        now: Timestamp,
    ) -> Result<KeyRing, KeyError> {
        let mut keys = Vec::with_capacity(records.keys.len());
        for record in records.keys.iter().filter(|record| record.state(now) != KeyState::Removed) {
            keys.push(match previous.and_then(|ring| ring.parsed(record)) {
                Some(key) => key,
                None => Arc::new(self.unseal(tenant, record).await?),
            });
        }
        Ok(KeyRing::new(records, keys))
    }

    async fn unseal(&self, tenant: &TenantId, record: &KeyRecord) -> Result<SigningKey, KeyError> {
        let (tenant, key, algorithm) = (tenant.clone(), record.id, record.algorithm);
        let context = SealingContext::SigningKey { tenant: &tenant, id: key, algorithm };
        let document = match self.sealer.unseal(&context, &record.sealed_private_key).await {
            Ok(document) => document,
            Err(source) => return Err(KeyError::Unseal { tenant, key, source }),
        };
        match SigningKey::parse(key, algorithm, &document) {
            Ok(parsed) if parsed.thumbprint() == record.thumbprint => Ok(parsed),
            Ok(_) => Err(KeyError::ThumbprintDiffers { tenant, key }),
            Err(source) => Err(KeyError::Unusable { tenant, key, source }),
        }
    }

    async fn add_key(&self, tenant: &Tenant, records: &KeyRecords, now: Timestamp) -> Result<(), KeyError> {
        let algorithm = tenant.signing.algorithm;
        let document = self.document(algorithm).await?;
        let (tenant, id) = (&tenant.id, records.next);
        let parsed = SigningKey::parse(id, algorithm, document.expose());
        let parsed =
            parsed.map_err(|source| KeyError::Unusable { tenant: tenant.clone(), key: id, source })?;
        let context = SealingContext::SigningKey { tenant, id, algorithm };
        let sealed = self.sealer.seal(&context, document.expose()).await;
        let record = KeyRecord {
            id,
            algorithm,
            sealed_private_key: sealed.map_err(|source| KeyError::Seal {
                tenant: tenant.clone(),
                key: id,
                source,
            })?,
            thumbprint: parsed.thumbprint().to_owned(),
            announced_at: now,
            active_from: now,
            retiring_from: None,
            removed_at: None,
        };
        if self.store.add_key(tenant, &record).await? {
            tracing::info!(%tenant, key = %id, %algorithm, "tenant {tenant} signs with its new key {id}");
        }
        Ok(())
    }

    async fn document(&self, algorithm: SigningAlgorithm) -> Result<PrivateKeyDocument, KeyError> {
        Ok(match algorithm {
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256 => self.pool.take().await?,
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 | SigningAlgorithm::EdDSA => {
                PrivateKeyDocument::generate(algorithm)?
            }
        })
    }

    /// Makes room for a newer ring, unless somebody has put one there already.
    async fn discard(&self, tenant: &TenantId, ring: &Arc<KeyRing>) {
        self.rings
            .entry_by_ref(tenant)
            .and_compute_with(|entry| {
                let unchanged = entry.is_some_and(|entry| Arc::ptr_eq(entry.value(), ring));
                std::future::ready(if unchanged { Op::Remove } else { Op::Nop })
            })
            .await;
    }
}

/// A suspended tenant signs nothing, so it needs no key.
fn needs_key(tenant: &Tenant, ring: &KeyRing, now: Timestamp) -> bool {
    tenant.is_active() && ring.signing_key(&tenant.signing, now).is_none()
}

/// A warm store hands out the same rows each time; only others are compared.
fn is_of(ring: &KeyRing, records: &Arc<KeyRecords>) -> bool {
    Arc::ptr_eq(ring.records(), records) || ring.records() == records
}

impl fmt::Debug for KeyRings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRings").field("pool", &self.pool).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use async_trait::async_trait;
    use protocol::Lifetime;
    use tenancy::{AccessTokenPolicy, Issuer, SigningPolicy, StoreError, Strategies, TenantStatus};
    use tokio::task::JoinSet;

    use super::*;
    use crate::{KeyId, LocalSealer, SealError, SealingKey};

    const ES256: SigningAlgorithm = SigningAlgorithm::ES256;

    #[derive(Default)]
    struct Rows {
        keys: Mutex<HashMap<TenantId, Arc<KeyRecords>>>,
        reads: AtomicUsize,
        added: AtomicUsize,
        down: AtomicBool,
        refuses: AtomicBool,
        faster: Mutex<Option<KeyRecord>>,
    }

    impl Rows {
        fn records(&self, tenant: &TenantId) -> Arc<KeyRecords> {
            let empty = || Arc::new(KeyRecords { next: KeyId::numbered(1), keys: Vec::new() });
            self.keys.lock().unwrap().get(tenant).cloned().unwrap_or_else(empty)
        }

        fn put(&self, tenant: &TenantId, change: impl FnOnce(&mut KeyRecords)) {
            let mut records = (*self.records(tenant)).clone();
            change(&mut records);
            self.keys.lock().unwrap().insert(tenant.clone(), Arc::new(records));
        }

        fn push(&self, tenant: &TenantId, key: KeyRecord) {
            self.put(tenant, |records| {
                records.next = KeyId::numbered(key.id.number() + 1);
                records.keys.push(key);
            });
        }
    }

    #[async_trait]
    impl SigningKeyStore for Rows {
        async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if self.down.load(Ordering::Relaxed) {
                return Err(StoreError::unavailable("down"));
            }
            Ok(self.records(tenant))
        }

        async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
            if let Some(faster) = self.faster.lock().unwrap().take() {
                self.push(tenant, faster);
            }
            if self.refuses.load(Ordering::Relaxed) || self.records(tenant).next != key.id {
                return Ok(false);
            }
            self.push(tenant, key.clone());
            self.added.fetch_add(1, Ordering::Relaxed);
            Ok(true)
        }
    }

    struct Setting {
        rows: Arc<Rows>,
        rings: Arc<KeyRings>,
    }

    fn setting() -> Setting {
        let rows = Arc::new(Rows::default());
        let sealer = LocalSealer::new(SealingKey::generate().unwrap());
        let rings = Arc::new(KeyRings::new(rows.clone(), Arc::new(sealer), KeyPool::new(0), 100));
        Setting { rows, rings }
    }

    /// Another replica: the same rows under another sealing key.
    fn with_another_sealing_key(rows: &Arc<Rows>) -> KeyRings {
        let sealer = LocalSealer::new(SealingKey::generate().unwrap());
        KeyRings::new(rows.clone(), Arc::new(sealer), KeyPool::new(0), 100)
    }

    fn tenant(id: &str, algorithm: SigningAlgorithm) -> Tenant {
        Tenant {
            id: TenantId::parse(id).unwrap(),
            name: id.to_owned(),
            issuer: Issuer::parse(id).unwrap(),
            issuer_aliases: Vec::new(),
            status: TenantStatus::Active,
            strategies: Strategies::default(),
            stale_if_error: Lifetime::from_seconds(0),
            signing: SigningPolicy { algorithm, ..SigningPolicy::default() },
            access_token: AccessTokenPolicy::default(),
            resource_servers: Vec::new(),
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_thousand_first_requests_make_one_key_and_one_ring() {
        let Setting { rows, rings } = setting();
        let mut requests = JoinSet::new();
        for _ in 0..2_000 {
            let rings = rings.clone();
            requests.spawn(async move {
                rings.ring(&tenant("acme", SigningAlgorithm::RS256), at(10)).await.unwrap()
            });
        }
        let made = requests.join_all().await;
        assert!(made.iter().all(|ring| Arc::ptr_eq(ring, &made[0])));
        assert_eq!(rows.added.load(Ordering::Relaxed), 1);
        let record = &made[0].records().keys[0];
        assert_eq!(
            (record.id, record.announced_at, record.active_from),
            (KeyId::numbered(1), at(10), at(10))
        );
        assert_eq!((record.retiring_from, record.removed_at), (None, None));
        assert_eq!(made[0].jwk_set(at(10)).keys().len(), 1);
    }

    #[tokio::test]
    async fn a_warm_ring_is_the_same_ring_and_asks_the_store_once() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        let first = rings.ring(&acme, at(10)).await.unwrap();
        let reads = rows.reads.load(Ordering::Relaxed);
        let second = rings.ring(&acme, at(1_000_000)).await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(rows.reads.load(Ordering::Relaxed), reads + 1);
        // Equal rows under another pointer are the same rows.
        rows.put(&acme.id, |_| {});
        assert!(Arc::ptr_eq(&first, &rings.ring(&acme, at(10)).await.unwrap()));
        let key = rings.signing_key(&acme, at(10)).await.unwrap();
        assert!(Arc::ptr_eq(&key, first.active(ES256, at(10)).unwrap()));
        rings.forget(&acme.id).await;
        let again = rings.ring(&acme, at(10)).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &again));
        assert_eq!(again.jwk_set(at(10)), first.jwk_set(at(10)));
    }

    #[tokio::test]
    async fn two_tenants_never_share_a_key() {
        let Setting { rings, .. } = setting();
        let mut thumbprints = Vec::new();
        for id in ["acme", "other"] {
            let key = rings.signing_key(&tenant(id, ES256), at(10)).await.unwrap();
            assert_eq!(key.id(), KeyId::numbered(1));
            thumbprints.push(key.thumbprint().to_owned());
        }
        assert_ne!(thumbprints[0], thumbprints[1]);
    }

    #[tokio::test]
    async fn the_loser_of_a_race_signs_with_the_winners_key() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        rings.ring(&acme, at(10)).await.unwrap();
        let winner = rows.records(&acme.id).keys[0].clone();
        rows.keys.lock().unwrap().clear();
        rings.forget(&acme.id).await;
        *rows.faster.lock().unwrap() = Some(winner.clone());
        let key = rings.signing_key(&acme, at(10)).await.unwrap();
        assert_eq!(key.thumbprint(), winner.thumbprint);
        assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_race_that_never_ends_is_given_up() {
        let Setting { rows, rings } = setting();
        rows.refuses.store(true, Ordering::Relaxed);
        let error = rings.ring(&tenant("acme", ES256), at(10)).await.unwrap_err();
        assert!(matches!(error, KeyError::Contended { .. }), "{error}");
        assert!(!error.needs_operator());
    }

    #[tokio::test]
    async fn new_rows_make_a_new_ring_of_the_keys_that_were_parsed() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        let first = rings.ring(&acme, at(10)).await.unwrap();
        rows.put(&acme.id, |records| records.keys[0].retiring_from = Some(at(20)));
        let second = rings.ring(&acme, at(11)).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(first.active(ES256, at(11)).unwrap(), second.active(ES256, at(11)).unwrap()));
        assert_eq!(rows.added.load(Ordering::Relaxed), 1);
        // Nothing follows the key that retires, so the tenant is given another one, and the old one stays published.
        let third = rings.ring(&acme, at(20)).await.unwrap();
        assert_eq!(third.active(ES256, at(20)).unwrap().id(), KeyId::numbered(2));
        assert_eq!(third.jwk_set(at(20)).keys().len(), 2);
    }

    #[tokio::test]
    async fn a_key_that_begins_within_the_skew_is_not_made_twice() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        rings.ring(&acme, at(130)).await.unwrap();
        rings.forget(&acme.id).await;
        assert_eq!(rings.signing_key(&acme, at(100)).await.unwrap().id(), KeyId::numbered(1));
        assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_tenant_whose_key_does_not_unseal_fails_clearly_and_alone() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        rings.ring(&acme, at(10)).await.unwrap();
        let replica = with_another_sealing_key(&rows);
        let error = replica.ring(&acme, at(10)).await.unwrap_err();
        assert_eq!(error.to_string(), "key oauth2-key-1 of tenant acme does not unseal");
        assert!(matches!(&error, KeyError::Unseal { source: SealError::WrongKey { .. }, .. }));
        assert!(error.needs_operator());
        assert!(replica.ring(&tenant("other", ES256), at(10)).await.is_ok());
        assert_eq!(rows.records(&acme.id).keys.len(), 1, "no key is made to cover up for it");
    }

    #[tokio::test]
    async fn a_row_that_was_moved_does_not_unseal() {
        let Setting { rows, rings } = setting();
        let [acme, other] = ["acme", "other"].map(|id| tenant(id, ES256));
        rings.ring(&acme, at(10)).await.unwrap();
        let row = rows.records(&acme.id).keys[0].clone();
        rows.push(&other.id, row.clone());
        let error = rings.ring(&other, at(10)).await.unwrap_err();
        assert!(matches!(error, KeyError::Unseal { source: SealError::Corrupt, .. }), "{error}");
        rows.put(&acme.id, |records| records.keys[0].id = KeyId::numbered(7));
        assert!(matches!(rings.ring(&acme, at(10)).await, Err(KeyError::Unseal { .. })));
        rows.put(&acme.id, |records| {
            records.keys[0] = KeyRecord { thumbprint: "another".to_owned(), ..row };
        });
        rings.forget(&acme.id).await;
        let error = rings.ring(&acme, at(10)).await.unwrap_err();
        assert!(matches!(error, KeyError::ThumbprintDiffers { .. }) && error.needs_operator(), "{error}");
    }

    #[tokio::test]
    async fn a_removed_key_need_not_unseal() {
        let Setting { rows, rings } = setting();
        let acme = tenant("acme", ES256);
        rings.ring(&acme, at(10)).await.unwrap();
        rows.put(&acme.id, |records| {
            records.keys[0].removed_at = Some(at(10));
            records.keys[0].sealed_private_key.clear();
        });
        let ring = rings.ring(&acme, at(10)).await.unwrap();
        assert_eq!(ring.active(ES256, at(10)).unwrap().id(), KeyId::numbered(2));
        assert!(ring.find("oauth2-key-1", at(10)).is_none());
    }

    #[tokio::test]
    async fn a_store_that_is_down_is_said_to_be_so() {
        let Setting { rows, rings } = setting();
        rows.down.store(true, Ordering::Relaxed);
        let error = rings.ring(&tenant("acme", ES256), at(10)).await.unwrap_err();
        assert!(matches!(error, KeyError::Store(StoreError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_suspended_tenant_is_given_no_key() {
        let Setting { rows, rings } = setting();
        let status = TenantStatus::Suspended { keys_published_until: at(100) };
        let acme = Tenant { status, ..tenant("acme", ES256) };
        assert!(rings.ring(&acme, at(10)).await.unwrap().jwk_set(at(10)).keys().is_empty());
        assert!(matches!(rings.signing_key(&acme, at(10)).await, Err(KeyError::NoSigningKey { .. })));
        assert_eq!(rows.added.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn another_algorithm_is_another_key_beside_the_first() {
        let Setting { rings, .. } = setting();
        rings.ring(&tenant("acme", ES256), at(10)).await.unwrap();
        let ring = rings.ring(&tenant("acme", SigningAlgorithm::EdDSA), at(11)).await.unwrap();
        assert_eq!(ring.active(SigningAlgorithm::EdDSA, at(11)).unwrap().id(), KeyId::numbered(2));
        assert_eq!(ring.published(at(11)).count(), 2);
    }
}
