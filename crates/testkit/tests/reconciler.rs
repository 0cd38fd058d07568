//! Replicas that apply the same settings concurrently.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use administration::{
    Along, ContentHash, Declaration, DeclaredTenant, Generations as _, NewGeneration, Outcome,
    ReconcileOptions, Reconciler, Retirements, TenantRows as _,
};
use keys::SealingKey;
use secrets::Pepper;
use testkit::fixtures::{self, NOW};
use testkit::{MemoryStore, requests};
use zeroize::Zeroizing;

fn reconciler(store: &Arc<MemoryStore>) -> Reconciler {
    let sealer = SealingKey::generate().unwrap();
    let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
    Reconciler::new(Arc::clone(store) as _, Arc::new(sealer), Arc::new(pepper))
}

async fn apply(store: &Arc<MemoryStore>) -> Outcome {
    let tenant = fixtures::tenant("acme");
    let declared = DeclaredTenant { tenant: tenant.clone(), clients: Vec::new(), first_key: None };
    let declaration = Declaration { tenants: BTreeMap::from([(tenant.id, declared)]) };
    let options = ReconcileOptions {
        max_retired: Retirements { tenants: 0, clients: 0 },
        prune: false,
        force_generation: false,
        now: NOW,
    };
    let content = ContentHash::of([b"settings".as_slice()]);
    reconciler(store).apply(&declaration, &content, &options, Along::NONE).await.unwrap()
}

/// The second replica reads the latest generation before the first one commits, and looks for its own content after that.
#[tokio::test]
async fn settings_that_another_replica_applies_meanwhile_are_unchanged_and_no_older_generation() {
    let elsewhere = Arc::<MemoryStore>::default();
    assert!(matches!(apply(&elsewhere).await, Outcome::Applied { .. }));
    let applied = elsewhere.latest_generation().await.unwrap().unwrap();

    let store = Arc::<MemoryStore>::default();
    let held = store.hold_answers().await;
    let second = tokio::spawn({
        let store = Arc::clone(&store);
        async move { apply(&store).await }
    });
    while store.calls().administration == 0 {
        tokio::task::yield_now().await;
    }
    let mut request = requests::added(&fixtures::tenant("acme"), &[]);
    request.generation = Some(NewGeneration {
        content: applied.content,
        expected_latest: None,
        sealed_sources: None,
        left_out: Vec::new(),
    });
    let first = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(&request).await.unwrap() }
    });
    while store.calls().administration < 2 {
        tokio::task::yield_now().await;
    }
    drop(held);
    first.await.unwrap();
    assert_eq!(second.await.unwrap(), Outcome::Unchanged);
}
