//! Tests resealing with a separate store and two local keys.

use administration::declaration::fingerprint::Fingerprint;
use administration::store::{CommitOutcome, IdempotentAnswer, NewGeneration};
use keys::{KeyEncryptionKey, KeyRecord, KeySealer, SealingKey, SigningKeyStore as _};
use testkit::fixtures::NOW;
use testkit::{TestStore, fixtures, requests};
use values::Secret;

use super::*;
use testkit::requests::CommitRequest;

struct TestEnv {
    store: Arc<TestStore>,
    texts: [Secret; 2],
}

impl TestEnv {
    fn key(&self, index: usize) -> SealingKey {
        SealingKey::from_base64(&self.texts[index]).unwrap()
    }

    fn sealer(&self, writing: usize, former: &[usize]) -> Arc<EnvelopeSealer> {
        let wrapping = |index| Arc::new(self.key(index)) as Arc<dyn KeyEncryptionKey>;
        Arc::new(EnvelopeSealer::new(
            wrapping(writing),
            former.iter().map(|index| wrapping(*index)).collect(),
        ))
    }

    fn resealing(&self, writing: usize, former: &[usize]) -> Resealing {
        Resealing { store: self.store.clone(), sealer: self.sealer(writing, former), now: NOW }
    }

    /// Reads all sealed values. A page of the store contains values of one kind only.
    async fn sealed(&self) -> Vec<(SealedPlace, Vec<u8>)> {
        let mut all: Vec<(SealedPlace, Vec<u8>)> = Vec::new();
        loop {
            let after = all.last().map(|(place, _)| place);
            let page = self.store.list_sealed(after, 10_000, NOW).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// Adds a generation with its sources, and a stored answer that expires after `seconds`.
    async fn remember(&self, sealer: &dyn KeySealer, generation: u8, seconds: u64) {
        let seal =
            async |place: &SealedPlace| sealer.seal(&context(place), named(place).as_bytes()).await.unwrap();
        let content = Fingerprint::from_bytes([generation; 32]);
        let sources = SealedPlace::Sources { generation: generation.into(), content };
        let (tenant, key) = (fixtures::tenant_id("platform"), [generation; 32]);
        let answered = SealedPlace::IdempotentAnswer { tenant: tenant.clone(), key };
        let request = CommitRequest {
            generation: Some(NewGeneration {
                content,
                expected_latest: Some(u64::from(generation) - 1).filter(|latest| *latest > 0),
                sealed_sources: Some(seal(&sources).await),
                left_out: Vec::new(),
            }),
            idempotent: Some(IdempotentAnswer {
                tenant,
                key,
                request: [6; 32],
                sealed: seal(&answered).await,
                expires_at: Timestamp::from_seconds(NOW.seconds() + seconds),
            }),
            ..requests::declared(Vec::new())
        };
        let outcome = requests::commit(&*self.store, &request).await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed { .. }));
    }

    async fn assert_opens(&self, sealer: &EnvelopeSealer) {
        for (place, sealed) in self.sealed().await {
            let opened = sealer.unseal(&context(&place), &sealed).await.unwrap();
            assert_eq!(*opened, named(&place).into_bytes());
        }
    }
}

/// The pepper, some keys (half of them in the earlier format), the sources of a generation, and a stored
/// answer. All are sealed with the first key.
async fn test_env(tenants: usize) -> TestEnv {
    let texts = [0; 2].map(|_| SealingKey::generate().unwrap().to_base64());
    let test_env = TestEnv { store: Arc::new(TestStore::new()), texts };
    let (old, envelope) = (test_env.key(0), test_env.sealer(0, &[]));
    let pepper = old.seal(&SealingContext::Named("pepper"), b"the installation's pepper").await.unwrap();
    assert!(test_env.store.put_sealed_if_absent("pepper", &pepper, NOW).await.unwrap());
    test_env.remember(&*envelope, 1, 1).await;
    for number in 0..tenants {
        let tenant = fixtures::tenant(&format!("t{number}"));
        test_env.store.put_tenant(tenant.clone());
        let key = fixtures::key_of(&tenant.id, 1);
        let place =
            SealedPlace::SigningKey { tenant: tenant.id.clone(), id: key.id, algorithm: key.algorithm };
        let sealer: &dyn KeySealer = if number % 2 == 0 { &old } else { &*envelope };
        let sealed_private_key = sealer.seal(&context(&place), named(&place).as_bytes()).await.unwrap();
        assert!(test_env.store.add_key(&tenant.id, &KeyRecord { sealed_private_key, ..key }).await.unwrap());
    }
    test_env
}

// [V11 11.2.2]
#[tokio::test]
async fn run_reseals_everything_once() {
    let test_env = test_env(500).await;
    let resealing = test_env.resealing(1, &[0]);
    let looked = resealing.run(true, &mut |_| {}).await.unwrap();
    assert_eq!((looked.current, looked.moved, looked.left, looked.unreadable), (0, 0, 503, 0));
    test_env.assert_opens(&test_env.sealer(0, &[])).await;
    let mut batches = 0;
    let moved = resealing.run(false, &mut |_| batches += 1).await.unwrap();
    assert_eq!((moved.current, moved.moved, moved.left, moved.unreadable), (503, 503, 0, 0));
    assert_eq!(batches, 12, "three of keys and one of each other kind, which move and then look again");
    test_env.assert_opens(&test_env.sealer(1, &[])).await;
    let before = test_env.sealed().await;
    let again = resealing.run(false, &mut |_| {}).await.unwrap();
    assert_eq!((again.current, again.moved, again.left, again.unreadable), (503, 0, 0, 0));
    assert_eq!(test_env.sealed().await, before);
}

#[tokio::test]
async fn unopenable_values_are_reported_and_kept() {
    let test_env = test_env(3).await;
    let foreign = SealingKey::generate().unwrap();
    let (id, foreign) = (foreign.name().to_owned(), foreign);
    // The answer has already expired, so the run skips it.
    test_env.remember(&foreign, 2, 0).await;
    let (place, old) = test_env.sealed().await.swap_remove(1);
    let sealed = foreign.seal(&context(&place), b"x").await.unwrap();
    assert!(test_env.store.replace_sealed(&place, &old, &sealed).await.unwrap());
    let resealed = test_env.resealing(1, &[0]).run(false, &mut |_| {}).await.unwrap();
    assert_eq!((resealed.current, resealed.moved, resealed.left, resealed.unreadable), (5, 5, 0, 2));
    assert!(resealed.faults.iter().all(|fault| fault.problem.contains(&id)), "{:?}", resealed.faults);
    let mut named: Vec<_> = resealed.faults.iter().map(|fault| fault.place.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, ["key oauth2-key-1 of tenant t1", "the files of generation 2"]);
    assert_eq!(test_env.sealed().await[1].1, sealed);
    // If the settings lack the previous key, the run changes nothing.
    let before = test_env.sealed().await;
    let lost = self::test_env(3).await.resealing(1, &[]).run(false, &mut |_| {}).await.unwrap();
    assert_eq!((lost.moved, lost.unreadable), (0, 6));
    assert_eq!(test_env.sealed().await, before);
}

/// The first run is cancelled after half of the work.
#[tokio::test]
async fn interrupted_run_is_continued() {
    let test_env = test_env(500).await;
    let resealing = test_env.resealing(1, &[0]);
    let ended = tokio::spawn({
        let resealing = resealing.clone();
        async move {
            let mut batches = 0;
            resealing
                .run(false, &mut |_| {
                    batches += 1;
                    assert!(batches < 2, "killed");
                })
                .await
        }
    });
    assert!(ended.await.unwrap_err().is_panic());
    let half = resealing.run(true, &mut |_| {}).await.unwrap();
    assert!(half.current >= 200 && half.left > 0, "{half}");
    test_env.assert_opens(&test_env.sealer(1, &[0])).await;
    let rest = resealing.run(false, &mut |_| {}).await.unwrap();
    assert_eq!((rest.current, rest.moved), (503, half.left));
}

/// Adds keys sealed with the previous key all the time, like a server that has not reloaded its settings yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_lose_nothing() {
    let test_env = test_env(200).await;
    let (store, sealer) = (test_env.store.clone(), test_env.sealer(0, &[]));
    let writer = tokio::spawn(async move {
        for number in 0..50 {
            let tenant = fixtures::tenant(&format!("new{number}"));
            store.put_tenant(tenant.clone());
            let key = fixtures::key_of(&tenant.id, 1);
            let place =
                SealedPlace::SigningKey { tenant: tenant.id.clone(), id: key.id, algorithm: key.algorithm };
            let sealed_private_key = sealer.seal(&context(&place), named(&place).as_bytes()).await.unwrap();
            assert!(store.add_key(&tenant.id, &KeyRecord { sealed_private_key, ..key }).await.unwrap());
            tokio::task::yield_now().await;
        }
    });
    let resealing = test_env.resealing(1, &[0]);
    resealing.run(false, &mut |_| {}).await.unwrap();
    writer.await.unwrap();
    resealing.run(false, &mut |_| {}).await.unwrap();
    assert_eq!(test_env.sealed().await.len(), 253);
    test_env.assert_opens(&test_env.sealer(1, &[])).await;
}

#[tokio::test]
async fn value_changed_meanwhile_is_not_overwritten() {
    let test_env = test_env(1).await;
    let (place, old) = test_env.sealed().await.swap_remove(0);
    let newer = test_env.sealer(0, &[]).seal(&context(&place), named(&place).as_bytes()).await.unwrap();
    let resealing = test_env.resealing(1, &[0]);
    assert!(test_env.store.replace_sealed(&place, &old, &newer).await.unwrap());
    assert!(matches!(resealing.one(place, old, false).await.unwrap(), ResealOutcome::Changed));
    assert_eq!(test_env.sealed().await[0].1, newer);
}
