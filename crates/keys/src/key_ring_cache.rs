//! The key rings of all tenants in use. Keys are loaded from the store, unsealed and parsed once. A tenant
//! without a key gets its first key here.

mod single_load;

use std::sync::Arc;

use moka::ops::compute::Op;
use moka::sync::Cache;
use tenancy::{Tenant, TenantId};
use values::{Lifetime, Timestamp};

use self::single_load::SingleLoads;
use crate::hint_key::hint_key;
use crate::key_failures::KeyFailures;
use crate::loaded_keys::{LoadedKeys, in_use, openable};
use crate::recent_rings::RecentRings;
use crate::{
    KeyAlgorithm, KeyError, KeyId, KeyPool, KeyRecord, KeyRecords, KeyRing, KeySealer, KeySpec, Kid,
    PublicKeys, SealingContext, SigningKey, SigningKeyStore, TenantKey, UnopenedKeys,
};

#[derive(derive_more::Debug)]
#[debug("KeyRings {{ pool: {pool:?}, .. }}")]
pub struct KeyRingCache {
    store: Arc<dyn SigningKeyStore>,
    sealer: Arc<dyn KeySealer>,
    pool: KeyPool,
    cache: Cache<TenantId, Arc<LoadedKeys>>,
    loads: SingleLoads,
    recent: RecentRings,
    failures: KeyFailures,
}

/// The maximum number of attempts. Rows change rarely, so the second attempt nearly always succeeds.
const ATTEMPTS: usize = 4;
impl KeyRingCache {
    /// `store` should be a cache, because every call reads it. Parsed keys use at most `capacity` bytes, as
    /// estimated; the least used are evicted first.
    #[must_use]
    pub fn new(
        store: Arc<dyn SigningKeyStore>,
        sealer: Arc<dyn KeySealer>,
        pool: KeyPool,
        capacity: u64,
    ) -> Self {
        let weigher = |_: &TenantId, loaded: &Arc<LoadedKeys>| loaded.bytes();
        let cache = Cache::builder().max_capacity(capacity).weigher(weigher).build();
        let loads = SingleLoads::default();
        Self {
            store,
            sealer,
            pool,
            cache,
            loads,
            recent: RecentRings::new(),
            failures: KeyFailures::default(),
        }
    }

    /// The tenant's ring for its current rows. An active tenant without a signing key gets one, which is
    /// published and active immediately, because no verifier can have fetched its keys before. Keys that only
    /// an operator can fix are missing in the ring; if no key is left, this is an error.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn ring(&self, tenant: &Tenant, now: Timestamp) -> Result<Arc<KeyRing>, KeyError> {
        self.loaded(tenant, tenant.signing.algorithm.into(), now).await?.ring(now)
    }

    /// The key that signs the tenant's tokens now. If it fails to load, no other key replaces it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn signing_key(&self, tenant: &Tenant, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        let key = self.key(tenant, tenant.signing.algorithm.into(), now).await?;
        key.signing().cloned().ok_or_else(|| KeyError::NoSigningKey { tenant: tenant.id.clone() })
    }

    /// The key that signs, or encrypts opaque tokens, by the use of the wanted algorithm. The first token of
    /// each use creates its first key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn key(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<TenantKey, KeyError> {
        self.loaded(tenant, wanted, now).await?.key(tenant, wanted, now)
    }

    /// Fails if the store has a key that the ring does not know yet, because another replica has just created
    /// it. Reads one row, or none if the number is not near the tenant's next one. So invented tokens cost
    /// little, and are refused like others.
    ///
    /// # Errors
    /// [`KeyError::NotReadYet`], or that of the store.
    pub async fn ensure_read(&self, tenant: &TenantId, ring: &KeyRing, id: KeyId) -> Result<(), KeyError> {
        const AHEAD: u32 = 8;
        let next = ring.records.next.number();
        let is_near = (next..next.saturating_add(AHEAD)).contains(&id.number());
        if is_near && self.store.find_key(tenant, id.kid()).await?.is_some() {
            return Err(KeyError::NotReadYet { tenant: tenant.clone(), key: id });
        }
        Ok(())
    }

    /// The key that would sign or encrypt the tenant's tokens now, without creating a key. `None` if the
    /// first token would create the key.
    ///
    /// # Errors
    /// [`KeyError`] if the key fails to load, like [`KeyRingCache::signing_key`].
    pub async fn existing_key(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Option<TenantKey>, KeyError> {
        let records = self.store.find_keys(&tenant.id).await?;
        if in_use(&records, tenant, wanted, now).is_none() {
            return Ok(None);
        }
        self.key(tenant, wanted, now).await.map(Some)
    }

    /// The public key of a removed key, for logout hints, if the key was removed at most `kept` ago and was
    /// not revoked. Reads one row, or none if the tenant has never used the number.
    ///
    /// # Errors
    /// [`KeyError`] if the store does not answer.
    pub async fn hint_key(
        &self,
        tenant: &TenantId,
        ring: &KeyRing,
        kid: &str,
        kept: Lifetime,
        now: Timestamp,
    ) -> Result<Option<PublicKeys>, KeyError> {
        let was_given = |kid: &Kid| match kid {
            Kid::Numbered(number) => *number < ring.records.next.number(),
            Kid::Thumbprint(_) => true,
        };
        let Some(kid) = Kid::parse(kid).filter(was_given) else { return Ok(None) };
        let key = self.store.find_key(tenant, kid).await?;
        Ok(key.and_then(|key| hint_key(&key, kept, now)))
    }

    /// Drops the parsed keys of a tenant.
    pub fn forget(&self, tenant: &TenantId) {
        self.cache.invalidate(tenant);
    }

    /// The tenants that were used in the last minute and whose keys failed to load, if any.
    #[must_use]
    pub fn unopened(&self, now: Timestamp) -> Option<UnopenedKeys> {
        self.failures.lately(now)
    }

    /// The tenant's keys, with one of the wanted use.
    async fn loaded(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<LoadedKeys>, KeyError> {
        let records = self.store.find_keys(&tenant.id).await?;
        if let Some(loaded) = self.recent.find(&records).filter(|loaded| loaded.serves(tenant, wanted, now)) {
            return Ok(loaded);
        }
        // Boxed, because the future is large and few requests need it.
        let loaded = Box::pin(self.load(tenant, wanted, now)).await?;
        self.recent.note(&loaded);
        Ok(loaded)
    }

    async fn load(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<LoadedKeys>, KeyError> {
        let mut newest = None;
        for _ in 0..ATTEMPTS {
            let records = self.store.find_keys(&tenant.id).await?;
            let known = self.cache.get(&tenant.id);
            if let Some(loaded) = &known {
                if is_of(&loaded.ring, &records) {
                    if loaded.try_again(now) {
                        return self.renew(tenant, wanted, loaded, now).await;
                    }
                    // If the first key could not be sealed, not every request generates another one.
                    if loaded.has_failed() || !loaded.needs_key(tenant, wanted, now) {
                        return Ok(loaded.clone());
                    }
                }
                self.replace(&tenant.id, loaded, None);
            }
            // Concurrent callers wait for one load. Its result may be older than the rows of a caller, so
            // this is a loop.
            let build = self.build(tenant, wanted, known.as_deref().map(|loaded| &*loaded.ring), now);
            let known = || self.cache.get(&tenant.id);
            let keep = |loaded: &Arc<LoadedKeys>| self.cache.insert(tenant.id.clone(), loaded.clone());
            newest = Some(self.loads.load(&tenant.id, known, build, keep).await?);
        }
        newest.ok_or_else(|| KeyError::Contended { tenant: tenant.id.clone() })
    }

    async fn build(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        previous: Option<&KeyRing>,
        now: Timestamp,
    ) -> Result<Arc<LoadedKeys>, KeyError> {
        for _ in 0..ATTEMPTS {
            let records = self.store.find_keys(&tenant.id).await?;
            let mut loaded = self.open(&tenant.id, records, previous, now).await;
            // The first key of every tenant signs, so reading a token never has to create one.
            let uses = [tenant.signing.algorithm.into(), wanted];
            if let Some(missing) = uses.into_iter().find(|wanted| loaded.needs_key(tenant, *wanted, now)) {
                match self.add_key(tenant, missing, &loaded.ring.records, now).await {
                    // Reads the rows again, whether this or another replica added the key.
                    Ok(()) => continue,
                    Err(error @ KeyError::Seal { .. }) => loaded.add_failure(error),
                    Err(error) => return Err(error),
                }
            }
            self.failures.note(&tenant.id, loaded.errors(), now);
            return Ok(Arc::new(loaded));
        }
        Err(KeyError::Contended { tenant: tenant.id.clone() })
    }

    async fn open(
        &self,
        tenant: &TenantId,
        records: Arc<KeyRecords>,
        previous: Option<&KeyRing>,
        now: Timestamp,
    ) -> LoadedKeys {
        let (mut keys, mut failures) = (Vec::with_capacity(records.keys.len()), Vec::new());
        for record in openable(&records.keys, now) {
            match previous.and_then(|ring| ring.parsed(record)) {
                Some(key) => keys.push(key),
                None => match open_key(&*self.sealer, tenant, record).await {
                    Ok(key) => keys.push(key),
                    Err(error) => failures.push((record.id, error)),
                },
            }
        }
        LoadedKeys::new(KeyRing::new(records, keys), failures, now)
    }

    async fn add_key(
        &self,
        tenant: &Tenant,
        algorithm: KeyAlgorithm,
        records: &KeyRecords,
        now: Timestamp,
    ) -> Result<(), KeyError> {
        let spec = KeySpec { algorithm, ..KeySpec::new(&tenant.signing) };
        let document = self.pool.take(&tenant.id, spec).await?;
        let (tenant, kid, id) = (&tenant.id, tenant.signing.kid, records.next);
        let parsed = TenantKey::parse(id, algorithm, document.expose());
        let parsed =
            parsed.map_err(|source| KeyError::Unusable { tenant: tenant.clone(), key: id, source })?;
        let id = id.named(algorithm, kid, parsed.thumbprint());
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
            public_jwk: parsed.public_jwk(),
            announced_at: now,
            active_from: now,
            retiring_from: None,
            removed_at: None,
            shown: crate::ShownTimes::default(),
        };
        if self.store.add_key(tenant, &record).await? {
            let does = if algorithm.signing().is_some() { "signs" } else { "encrypts opaque tokens" };
            tracing::info!(%tenant, key = %id, %algorithm, "tenant {tenant} now {does} with its new key {id}");
        }
        Ok(())
    }

    /// Tries the failed keys again. Other callers use the loaded keys in the meantime, because a key service
    /// may take long to refuse.
    async fn renew(
        &self,
        tenant: &Tenant,
        wanted: KeyAlgorithm,
        loaded: &Arc<LoadedKeys>,
        now: Timestamp,
    ) -> Result<Arc<LoadedKeys>, KeyError> {
        let renewed = self.build(tenant, wanted, Some(&loaded.ring), now).await?;
        self.replace(&tenant.id, loaded, Some(renewed.clone()));
        Ok(renewed)
    }

    /// Replaces or removes the ring, unless another caller has already replaced it.
    fn replace(&self, tenant: &TenantId, loaded: &Arc<LoadedKeys>, newer: Option<Arc<LoadedKeys>>) {
        self.cache.entry_by_ref(tenant).and_compute_with(|entry| {
            let unchanged = entry.is_some_and(|entry| Arc::ptr_eq(entry.value(), loaded));
            if unchanged { newer.map_or(Op::Remove, Op::Put) } else { Op::Nop }
        });
    }
}

/// Unseals and parses the key of a row. The key must match the row.
///
/// # Errors
/// [`KeyError`].
pub async fn open_key(
    sealer: &dyn KeySealer,
    tenant: &TenantId,
    record: &KeyRecord,
) -> Result<TenantKey, KeyError> {
    let (tenant, key, algorithm) = (tenant.clone(), record.id, record.algorithm);
    let context = SealingContext::SigningKey { tenant: &tenant, id: key, algorithm };
    let document = match sealer.unseal(&context, &record.sealed_private_key).await {
        Ok(document) => document,
        Err(source) => return Err(KeyError::Unseal { tenant, key, source }),
    };
    match TenantKey::parse(key, algorithm, &document) {
        Ok(parsed) if parsed.thumbprint() == record.thumbprint => Ok(parsed),
        Ok(_) => Err(KeyError::ThumbprintDiffers { tenant, key }),
        Err(source) => Err(KeyError::Unusable { tenant, key, source }),
    }
}

/// Compares pointers first, because a warm store returns the same rows each time.
fn is_of(ring: &KeyRing, records: &Arc<KeyRecords>) -> bool {
    Arc::ptr_eq(&ring.records, records) || ring.records == *records
}

#[cfg(test)]
mod tests;
