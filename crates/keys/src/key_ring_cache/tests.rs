//! Tests key rings with in-memory rows that count, fail and race, and with key services that do not answer.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use protocol::SigningAlgorithm;
use tenancy::{Issuer, SigningPolicy, StoreError, Stored, TenantStatus};
use tokio::task::JoinSet;
use values::Lifetime;

use super::*;
use crate::test_keys::{at, record, records};
use crate::{KeyId, SealError, SealingKey};

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
        let empty = || Arc::new(records(Vec::new()));
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
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("down"));
        }
        Ok(self.records(tenant))
    }

    async fn find_key(&self, tenant: &TenantId, kid: Kid) -> Stored<Option<KeyRecord>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.records(tenant).find(kid).cloned())
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool> {
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
    cache: Arc<KeyRingCache>,
}

fn setting() -> Setting {
    let rows = Arc::new(Rows::default());
    let sealer = SealingKey::generate().unwrap();
    let cache = Arc::new(KeyRingCache::new(rows.clone(), Arc::new(sealer), KeyPool::new(0), 1 << 20));
    Setting { rows, cache }
}

/// A store with the tenant acme, which has its first key.
async fn setting_of_acme() -> (Setting, Tenant) {
    let (setting, acme) = (setting(), tenant("acme", ES256));
    setting.cache.ring(&acme, at(10)).await.unwrap();
    (setting, acme)
}

/// A cache of another replica with the same rows but another sealing key.
fn with_another_sealing_key(rows: &Arc<Rows>) -> KeyRingCache {
    let sealer = SealingKey::generate().unwrap();
    KeyRingCache::new(rows.clone(), Arc::new(sealer), KeyPool::new(0), 1 << 20)
}

fn tenant(id: &str, algorithm: SigningAlgorithm) -> Tenant {
    Tenant {
        stale_if_error: Lifetime::from_seconds(0),
        signing: SigningPolicy { algorithm, ..SigningPolicy::default() },
        ..Tenant::new(TenantId::parse(id).unwrap(), Issuer::parse(id).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_first_requests_create_one_key_and_ring() {
    let Setting { rows, cache } = setting();
    let mut requests = JoinSet::new();
    for _ in 0..2_000 {
        let cache = cache.clone();
        requests.spawn(
            async move { cache.ring(&tenant("acme", SigningAlgorithm::RS256), at(10)).await.unwrap() },
        );
    }
    let made = requests.join_all().await;
    assert!(made.iter().all(|ring| Arc::ptr_eq(ring, &made[0])));
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    let record = &made[0].records.keys[0];
    assert_eq!((record.id, record.announced_at, record.active_from), (KeyId::numbered(1), at(10), at(10)));
    assert_eq!((record.retiring_from, record.removed_at), (None, None));
    assert_eq!(made[0].jwk_set(at(10)).keys.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_opaque_tokens_create_one_key() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    let before = cache.ring(&acme, at(10)).await.unwrap();
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let (cache, acme) = (cache.clone(), acme.clone());
        requests
            .spawn(async move { cache.key(&acme, KeyAlgorithm::OpaqueTokens, at(10)).await.unwrap().id() });
    }
    let made = requests.join_all().await;
    assert!(made.iter().all(|id| *id == KeyId::numbered(2)), "{made:?}");
    assert_eq!(rows.added.load(Ordering::Relaxed), 2);
    let ring = cache.ring(&acme, at(10)).await.unwrap();
    assert_eq!(ring.jwk_set(at(10)).keys.len(), 1);
    assert_eq!(ring.records.keys[1].public_jwk, None);
    // A replica with the rows from before cannot tell the new token from an invented one without asking.
    let unread = cache.ensure_read(&acme.id, &before, KeyId::numbered(2)).await;
    assert!(matches!(unread, Err(KeyError::NotReadYet { .. })), "{unread:?}");
    let initech = tenant("initech", ES256);
    assert_eq!(
        cache.key(&initech, KeyAlgorithm::OpaqueTokens, at(10)).await.unwrap().id(),
        KeyId::numbered(2)
    );
    assert_eq!(cache.signing_key(&initech, at(10)).await.unwrap().id(), KeyId::numbered(1));
    let globex = tenant("globex", ES256);
    let theirs = cache.ring(&globex, at(10)).await.unwrap();
    let reads = rows.reads.load(Ordering::Relaxed);
    for number in [1, 2, 3, 9, 10, u32::MAX] {
        cache.ensure_read(&globex.id, &theirs, KeyId::numbered(number)).await.unwrap();
    }
    assert_eq!(rows.reads.load(Ordering::Relaxed) - reads, 3, "only numbers that may be next");
}

#[tokio::test]
async fn warm_ring_is_reused_after_one_store_read() {
    let Setting { rows, cache } = setting();
    let acme = tenant("acme", ES256);
    let first = cache.ring(&acme, at(10)).await.unwrap();
    let reads = rows.reads.load(Ordering::Relaxed);
    let second = cache.ring(&acme, at(1_000_000)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(rows.reads.load(Ordering::Relaxed), reads + 1);
    // The cache compares rows by value, not by pointer.
    rows.put(&acme.id, |_| {});
    assert!(Arc::ptr_eq(&first, &cache.ring(&acme, at(10)).await.unwrap()));
    let key = cache.signing_key(&acme, at(10)).await.unwrap();
    assert!(Arc::ptr_eq(&key, first.active(ES256, at(10)).unwrap()));
    cache.forget(&acme.id);
    let again = cache.ring(&acme, at(10)).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &again));
    assert_eq!(again.jwk_set(at(10)), first.jwk_set(at(10)));
}

#[tokio::test]
async fn two_tenants_never_share_a_key() {
    let Setting { cache, .. } = setting();
    let mut thumbprints = Vec::new();
    for id in ["acme", "other"] {
        let key = cache.signing_key(&tenant(id, ES256), at(10)).await.unwrap();
        assert_eq!(key.id(), KeyId::numbered(1));
        thumbprints.push(key.thumbprint.clone());
    }
    assert_ne!(thumbprints[0], thumbprints[1]);
}

// [keys RFC 7517 §4.5]
#[tokio::test]
async fn loser_of_a_race_signs_with_the_winners_key() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    let winner = rows.records(&acme.id).keys[0].clone();
    rows.keys.lock().unwrap().clear();
    cache.forget(&acme.id);
    *rows.faster.lock().unwrap() = Some(winner.clone());
    let key = cache.signing_key(&acme, at(10)).await.unwrap();
    assert_eq!(key.thumbprint, winner.thumbprint);
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn key_creation_gives_up_after_repeated_conflicts() {
    let Setting { rows, cache } = setting();
    rows.refuses.store(true, Ordering::Relaxed);
    let error = cache.ring(&tenant("acme", ES256), at(10)).await.unwrap_err();
    assert!(matches!(error, KeyError::Contended { .. }), "{error}");
    assert!(!error.needs_operator());
}

#[tokio::test]
async fn new_rows_reuse_parsed_keys() {
    let Setting { rows, cache } = setting();
    let acme = tenant("acme", ES256);
    let first = cache.ring(&acme, at(10)).await.unwrap();
    rows.put(&acme.id, |records| records.keys[0].retiring_from = Some(at(20)));
    let second = cache.ring(&acme, at(11)).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(first.active(ES256, at(11)).unwrap(), second.active(ES256, at(11)).unwrap()));
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    // There is no successor for the retiring key, so the tenant gets a new key. The old key stays published.
    let third = cache.ring(&acme, at(20)).await.unwrap();
    assert_eq!(third.active(ES256, at(20)).unwrap().id(), KeyId::numbered(2));
    assert_eq!(third.jwk_set(at(20)).keys.len(), 2);
}

#[tokio::test]
async fn key_starting_within_the_skew_is_not_created_twice() {
    let Setting { rows, cache } = setting();
    let acme = tenant("acme", ES256);
    cache.ring(&acme, at(130)).await.unwrap();
    cache.forget(&acme.id);
    assert_eq!(cache.signing_key(&acme, at(100)).await.unwrap().id(), KeyId::numbered(1));
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn unsealing_failure_affects_only_that_tenant() {
    let (Setting { rows, .. }, acme) = setting_of_acme().await;
    let replica = with_another_sealing_key(&rows);
    let error = replica.ring(&acme, at(10)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot unseal key oauth2-key-1 of tenant acme");
    assert!(matches!(&error, KeyError::Unseal { source: SealError::WrongKey { .. }, .. }));
    assert!(error.needs_operator());
    assert!(replica.ring(&tenant("other", ES256), at(10)).await.is_ok());
    assert_eq!(rows.records(&acme.id).keys.len(), 1, "no key is made to cover up for it");
}

// [parties #13]: those who can write to the database | create a client (a hash of a chosen secret needs no
//   pepper), change scopes: the database is trusted with its rows | move a sealed key, hash or value to
//   another tenant, client or name
#[tokio::test]
async fn a_row_that_was_moved_does_not_unseal() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    let other = tenant("other", ES256);
    let row = rows.records(&acme.id).keys[0].clone();
    rows.push(&other.id, row.clone());
    let error = cache.ring(&other, at(10)).await.unwrap_err();
    assert!(matches!(error, KeyError::Unseal { source: SealError::Corrupt, .. }), "{error}");
    rows.put(&acme.id, |records| records.keys[0].id = KeyId::numbered(7));
    assert!(matches!(cache.ring(&acme, at(10)).await, Err(KeyError::Unseal { .. })));
    let another = KeyRecord { thumbprint: "another".to_owned(), ..row };
    rows.put(&acme.id, |records| records.keys[0] = another);
    cache.forget(&acme.id);
    let error = cache.ring(&acme, at(10)).await.unwrap_err();
    assert!(matches!(error, KeyError::ThumbprintDiffers { .. }) && error.needs_operator(), "{error}");
}

#[tokio::test]
async fn a_removed_key_need_not_unseal() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    rows.put(&acme.id, |records| {
        records.keys[0].removed_at = Some(at(10));
        records.keys[0].sealed_private_key.clear();
    });
    let ring = cache.ring(&acme, at(10)).await.unwrap();
    assert_eq!(ring.active(ES256, at(10)).unwrap().id(), KeyId::numbered(2));
    assert!(ring.find("oauth2-key-1", Lifetime::from_seconds(0), at(10)).is_none());
}

#[tokio::test]
async fn unavailable_store_is_reported() {
    let Setting { rows, cache } = setting();
    rows.down.store(true, Ordering::Relaxed);
    let error = cache.ring(&tenant("acme", ES256), at(10)).await.unwrap_err();
    assert!(matches!(error, KeyError::Store(StoreError::Unavailable(_))));
}

/// The process was stopped between the arrival of the request and this call, for longer than the maximum
/// difference of clocks.
#[tokio::test]
async fn delayed_request_does_not_create_a_second_key() {
    let Setting { rows, cache } = setting();
    let acme = tenant("acme", ES256);
    let made = at(10) + acme.signing.skew + Lifetime::from_seconds(1);
    cache.ring(&acme, made).await.unwrap();
    assert!(matches!(cache.signing_key(&acme, at(10)).await, Err(KeyError::Contended { .. })));
    assert_eq!(cache.ring(&acme, at(10)).await.unwrap().jwk_set(at(10)).keys.len(), 1);
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    assert_eq!(cache.signing_key(&acme, made).await.unwrap().id(), KeyId::numbered(1));
}

#[tokio::test]
async fn suspended_tenant_gets_no_key() {
    let Setting { rows, cache } = setting();
    let status = TenantStatus::Suspended { keys_published_until: at(100) };
    let acme = Tenant { status, ..tenant("acme", ES256) };
    assert!(cache.ring(&acme, at(10)).await.unwrap().jwk_set(at(10)).keys.is_empty());
    assert!(matches!(cache.signing_key(&acme, at(10)).await, Err(KeyError::NoSigningKey { .. })));
    assert_eq!(rows.added.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn algorithm_change_does_not_create_an_unpublished_key() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    let changed = tenant("acme", SigningAlgorithm::EdDSA);
    let key = cache.signing_key(&changed, at(11)).await.unwrap();
    assert_eq!((key.id(), key.algorithm()), (KeyId::numbered(1), ES256));
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
    // If no key can sign any more, the new key has the new algorithm.
    rows.put(&acme.id, |records| records.keys[0].retiring_from = Some(at(20)));
    let key = cache.signing_key(&changed, at(20)).await.unwrap();
    assert_eq!((key.id(), key.algorithm()), (KeyId::numbered(2), SigningAlgorithm::EdDSA));
}

/// A key service that counts its calls and can be unavailable.
struct Service {
    sealer: SealingKey,
    requests: AtomicUsize,
    away: AtomicBool,
}

impl Service {
    fn answers(&self) -> Result<(), SealError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let away = self.away.load(Ordering::Relaxed);
        if away { Err(SealError::Unavailable(Arc::new(std::fmt::Error))) } else { Ok(()) }
    }
}

#[async_trait]
impl KeySealer for Service {
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        self.answers()?;
        self.sealer.seal(context, plaintext).await
    }

    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, SealError> {
        self.answers()?;
        self.sealer.unseal(context, sealed).await
    }
}

/// A cache of another replica with its own service.
fn with_service(rows: &Arc<Rows>) -> (Arc<Service>, KeyRingCache) {
    let sealer = SealingKey::generate().unwrap();
    let service = Arc::new(Service { sealer, requests: AtomicUsize::new(0), away: AtomicBool::new(false) });
    (service.clone(), KeyRingCache::new(rows.clone(), service, KeyPool::new(0), 1 << 20))
}

/// Adds the tenant's next key, sealed by this service and active from this time on.
async fn push_key(rows: &Rows, service: &Service, tenant: &Tenant, active_from: u64) {
    let id = rows.records(&tenant.id).next;
    let document = crate::PrivateKeyDocument::generate(ES256).unwrap();
    let context = SealingContext::SigningKey { tenant: &tenant.id, id, algorithm: ES256.into() };
    let sealed_private_key = service.sealer.seal(&context, document.expose()).await.unwrap();
    let key = record(&SigningKey::parse(id, ES256, document.expose()).unwrap());
    let (announced_at, active_from) = (at(10), at(active_from));
    rows.push(&tenant.id, KeyRecord { sealed_private_key, announced_at, active_from, ..key });
}

#[tokio::test]
async fn unopened_key_is_not_replaced_and_others_work() {
    let (Setting { rows, .. }, acme) = setting_of_acme().await;
    let other = tenant("other", ES256);
    let (service, replica) = with_service(&rows);
    push_key(&rows, &service, &acme, 50).await;
    let ring = replica.ring(&acme, at(20)).await.unwrap();
    assert_eq!(ring.published(at(20)).map(SigningKey::id).collect::<Vec<_>>(), [KeyId::numbered(2)]);
    let error = replica.signing_key(&acme, at(20)).await.unwrap_err();
    assert!(matches!(&error, KeyError::Unseal { key, .. } if *key == KeyId::numbered(1)), "{error}");
    assert!(error.needs_operator());
    assert!(replica.signing_key(&other, at(20)).await.is_ok());
    assert_eq!(replica.unopened(at(20)), Some(UnopenedKeys { tenants: 1, waiting: false }));
    // The next key signs at its time, and a destroyed key is not a failure.
    assert_eq!(replica.signing_key(&acme, at(50)).await.unwrap().id(), KeyId::numbered(2));
    assert!(replica.unopened(at(50)).is_some());
    rows.put(&acme.id, |records| records.keys[0].sealed_private_key.clear());
    assert!(replica.ring(&acme, at(51)).await.is_ok());
    assert_eq!(replica.unopened(at(51)), None);
    assert_eq!(rows.added.load(Ordering::Relaxed), 2, "one for each tenant, by itself");
}

#[tokio::test]
async fn failed_unsealing_is_retried_once_a_second() {
    let (Setting { rows, .. }, acme) = setting_of_acme().await;
    let (service, replica) = with_service(&rows);
    for (now, requests) in [(20, 1), (20, 1), (19, 1), (21, 2), (21, 2), (20, 2), (500, 3), (30, 4)] {
        for _ in 0..100 {
            assert!(replica.signing_key(&acme, at(now)).await.unwrap_err().needs_operator());
            assert!(replica.ring(&acme, at(now)).await.is_err(), "an empty key set breaks every verifier");
        }
        assert_eq!(service.requests.load(Ordering::Relaxed), requests, "at {now}");
    }
    assert_eq!(replica.unopened(at(89)).unwrap().tenants, 1);
    assert_eq!(replica.unopened(at(90)), None, "nobody has asked for a minute");
}

#[tokio::test]
async fn open_keys_sign_while_the_sealing_service_is_down() {
    let Setting { rows, .. } = setting();
    let acme = tenant("acme", ES256);
    let (service, replica) = with_service(&rows);
    push_key(&rows, &service, &acme, 10).await;
    let first = replica.signing_key(&acme, at(10)).await.unwrap();
    push_key(&rows, &service, &acme, 50).await;
    service.away.store(true, Ordering::Relaxed);
    assert!(Arc::ptr_eq(&replica.signing_key(&acme, at(20)).await.unwrap(), &first));
    let error = replica.ring(&acme, at(20)).await.unwrap_err();
    assert!(!error.needs_operator(), "{error}");
    assert!(replica.signing_key(&acme, at(50)).await.is_err(), "the first one has had its time");
    assert_eq!(replica.unopened(at(50)), Some(UnopenedKeys { tenants: 1, waiting: true }));
    service.away.store(false, Ordering::Relaxed);
    assert_eq!(replica.ring(&acme, at(51)).await.unwrap().jwk_set(at(51)).keys.len(), 2);
    assert_eq!(replica.signing_key(&acme, at(51)).await.unwrap().id(), KeyId::numbered(2));
    assert_eq!(replica.unopened(at(51)), None);
}

#[tokio::test]
async fn failed_first_key_is_not_retried_per_request() {
    let Setting { rows, .. } = setting();
    let acme = tenant("acme", ES256);
    let (service, replica) = with_service(&rows);
    service.away.store(true, Ordering::Relaxed);
    for _ in 0..100 {
        assert!(matches!(replica.signing_key(&acme, at(10)).await, Err(KeyError::Seal { .. })));
        assert!(matches!(replica.ring(&acme, at(10)).await, Err(KeyError::Seal { .. })));
    }
    assert_eq!(service.requests.load(Ordering::Relaxed), 1);
    service.away.store(false, Ordering::Relaxed);
    assert!(replica.signing_key(&acme, at(11)).await.is_ok());
    assert_eq!(rows.added.load(Ordering::Relaxed), 1);
}

/// The memory of parsed keys is limited, however many tenants there are.
#[tokio::test]
async fn rings_beyond_capacity_are_evicted() {
    let sealer = Arc::new(SealingKey::generate().unwrap());
    let kept = async |capacity| {
        let cache = KeyRingCache::new(Arc::new(Rows::default()), sealer.clone(), KeyPool::new(0), capacity);
        let tenants: Vec<_> = (0..200).map(|number| tenant(&format!("t{number}"), ES256)).collect();
        let mut opened = Vec::new();
        for tenant in &tenants {
            opened.push(cache.ring(tenant, at(10)).await.unwrap());
        }
        let mut kept = 0;
        for (tenant, before) in tenants.iter().zip(&opened) {
            kept += usize::from(Arc::ptr_eq(before, &cache.ring(tenant, at(10)).await.unwrap()));
        }
        kept
    };
    assert_eq!(kept(2 << 20).await, 200);
    // There is room for one ring. The cache evicts in the background, so it may contain a few more.
    let few = kept(8 << 10).await;
    assert!(few < 100, "{few}");
}

#[tokio::test]
async fn frequently_used_ring_is_not_evicted() {
    let sealer = Arc::new(SealingKey::generate().unwrap());
    let cache = KeyRingCache::new(Arc::new(Rows::default()), sealer, KeyPool::new(0), 64 << 10);
    let used = tenant("used", ES256);
    let first = cache.ring(&used, at(10)).await.unwrap();
    for number in 0..200 {
        for _ in 0..40 {
            assert!(Arc::ptr_eq(&first, &cache.ring(&used, at(10)).await.unwrap()), "after {number}");
        }
        cache.ring(&tenant(&format!("t{number}"), ES256), at(10)).await.unwrap();
    }
}

#[tokio::test]
async fn hint_reads_the_store_only_for_used_key_numbers() {
    let (Setting { rows, cache }, acme) = setting_of_acme().await;
    let other = tenant("other", ES256);
    cache.ring(&other, at(10)).await.unwrap();
    rows.put(&acme.id, |records| {
        records.keys[0].sealed_private_key.clear();
        (records.keys[0].retiring_from, records.keys[0].removed_at) = (Some(at(20)), Some(at(30)));
    });
    for (tenant, found) in [(&acme, true), (&other, false)] {
        let ring = cache.ring(tenant, at(40)).await.unwrap();
        for (kid, reads) in
            [("oauth2-key-1", 1), ("oauth2-key-3", 0), ("oauth2-key-01", 0), ("4294967295", 0), ("", 0)]
        {
            let before = rows.reads.load(Ordering::Relaxed);
            let kept = Lifetime::from_seconds(60);
            let key = cache.hint_key(&tenant.id, &ring, kid, kept, at(40)).await.unwrap();
            assert_eq!(rows.reads.load(Ordering::Relaxed) - before, reads, "{kid}");
            assert_eq!(key.is_some(), found && reads == 1, "{kid} of {}", tenant.id);
        }
    }
}

#[tokio::test]
async fn key_with_thumbprint_kid_is_found_only_by_thumbprint() {
    let Setting { rows, cache } = setting();
    let mut acme = tenant("acme", ES256);
    acme.signing.kid = tenancy::KidForm::Thumbprint;
    let key = cache.signing_key(&acme, at(10)).await.unwrap();
    let name = &key.thumbprint[..16];
    assert_eq!((key.id().to_string().as_str(), key.id().number()), (name, 1));
    let ring = cache.ring(&acme, at(10)).await.unwrap();
    assert_eq!(ring.jwk_set(at(10)).keys[0].kid.to_string(), name);
    let other = with_another_sealing_key(&rows).ring(&tenant("other", ES256), at(10)).await.unwrap();
    for (kid, [own, others]) in [(name, [true, false]), ("oauth2-key-1", [false, true])] {
        let found = |ring: &KeyRing| ring.find(kid, Lifetime::from_seconds(0), at(10)).is_some();
        assert_eq!([found(&ring), found(&other)], [own, others], "{kid}");
    }
    // The key keeps its name after the setting has changed.
    acme.signing.kid = tenancy::KidForm::Numbered;
    cache.forget(&acme.id);
    assert_eq!(cache.signing_key(&acme, at(11)).await.unwrap().id().to_string(), name);
}
