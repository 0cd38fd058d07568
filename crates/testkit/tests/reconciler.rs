//! Tests replicas that apply the same settings at the same time, and people whose accounts files declare.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use accounts::{AccountId, AccountPassword, AccountStore as _, BrowserHistory, Identifier, SignIns};
use administration::declaration::Declaration;
use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome::{Along, Outcome, ReconcileOptions};
use administration::declaration::plan::Retirements;
use administration::declaration::reconcile::Reconciler;
use administration::kinds;
use administration::kinds::DeclaredTenant;
use administration::store::{Generations as _, NewGeneration};
use keys::SealingKey;
use registry::DeclaredPassword;
use secrets::{CallerAddress, HashPool, PasswordSalt, Pepper, hash_password};
use testkit::fixtures::{self, NOW};
use testkit::{TestStore, requests};
use values::Secret;
use zeroize::Zeroizing;

fn reconciler(store: &Arc<TestStore>) -> Reconciler {
    let sealer = SealingKey::generate().unwrap();
    let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
    Reconciler::new(Arc::clone(store) as _, Arc::new(sealer), Arc::new(pepper))
}

async fn apply(store: &Arc<TestStore>, content: &str, accounts: Vec<kinds::account::Declared>) -> Outcome {
    let tenant = fixtures::tenant("acme");
    let id = tenant.id.clone();
    let declared = DeclaredTenant { tenant, clients: Vec::new(), accounts, first_key: None };
    let declaration = Declaration { tenants: BTreeMap::from([(id, declared)]), ..Declaration::default() };
    let options = ReconcileOptions {
        max_retired: Retirements { tenants: 0, clients: 0 },
        prune: false,
        force_generation: false,
        ends_previous: false,
        now: NOW,
    };
    let content = ContentHash::from_parts([content.as_bytes()]);
    reconciler(store).apply(&declaration, &content, &options, Along::NONE).await.unwrap()
}

/// The second replica reads the latest generation before the first one commits, and searches its own content
/// afterwards.
#[tokio::test]
async fn second_replica_finds_settings_already_applied() {
    let elsewhere = Arc::<TestStore>::default();
    assert!(matches!(apply(&elsewhere, "settings", Vec::new()).await, Outcome::Applied { .. }));
    let applied = elsewhere.latest_generation().await.unwrap().unwrap();

    let store = Arc::<TestStore>::default();
    let held = store.hold_answers().await;
    let second = tokio::spawn({
        let store = Arc::clone(&store);
        async move { apply(&store, "settings", Vec::new()).await }
    });
    store.until(|calls| calls.administration >= 1).await;
    let mut request = requests::added(&fixtures::tenant("acme"), &[]);
    request.generation = Some(NewGeneration {
        content: applied.content,
        expected_latest: None,
        sealed_sources: None,
        left_out: Vec::new(),
    });
    let first = tokio::spawn({
        let store = Arc::clone(&store);
        async move { requests::commit(&*store, &request).await.unwrap() }
    });
    store.until(|calls| calls.administration >= 2).await;
    drop(held);
    first.await.unwrap();
    assert_eq!(second.await.unwrap(), Outcome::Unchanged);
}

const PASSWORD: &str = "correct horse battery";

/// An account of acme with this address and password.
async fn apply_account(store: &Arc<TestStore>, content: &str, password: DeclaredPassword) -> Outcome {
    let tenant = fixtures::tenant("acme");
    let id = AccountId::declared(&tenant.id, "ada");
    let account = accounts::Account { id, ..requests::account(&tenant.id, 1, &["ada@example.com"]) };
    let declared = kinds::account::Declared { name: "ada".to_owned(), account, password: Some(password) };
    apply(store, content, vec![declared]).await
}

fn value(text: &str) -> DeclaredPassword {
    DeclaredPassword::Value(Secret::new(text.to_owned()))
}

async fn stored_password(store: &TestStore) -> Option<AccountPassword> {
    let ada = Identifier::parse("ada@example.com").unwrap();
    store.find_by_identifier(&fixtures::tenant_id("acme"), &ada).await.unwrap().unwrap().1
}

async fn signs_in(store: &Arc<TestStore>, tenant: &str, password: &str) -> bool {
    let pool = Arc::new(HashPool::start(NonZeroUsize::MIN).unwrap());
    let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
    let sign_ins = SignIns::new(Arc::clone(store) as _, &pepper, pool);
    let (password, source) = (Secret::new(password.to_owned()), CallerAddress::new(None));
    let (id, history) = (fixtures::tenant_id(tenant), BrowserHistory::default());
    let (tenant, name) = ((&id, tenancy::PasswordLimits::default()), "Ada@Example.com");
    sign_ins.sign_in_with_password(tenant, name, password, &source, &history, NOW).await.is_ok()
}

#[tokio::test]
async fn unchanged_declared_password_is_not_hashed_again() {
    let store = Arc::<TestStore>::default();
    assert!(matches!(apply_account(&store, "1", value(PASSWORD)).await, Outcome::Applied { .. }));
    assert!(signs_in(&store, "acme", PASSWORD).await);
    assert!(!signs_in(&store, "acme", "correct horse batterY").await);
    assert!(!signs_in(&store, "globex", PASSWORD).await);

    let first = stored_password(&store).await;
    let again = apply_account(&store, "2", value(PASSWORD)).await;
    assert!(matches!(again, Outcome::Applied { plan, .. } if plan.is_empty()), "another generation");
    assert!(stored_password(&store).await == first);

    apply_account(&store, "3", value("another long passphrase")).await;
    assert!(stored_password(&store).await != first);
    assert!(signs_in(&store, "acme", "another long passphrase").await);

    let phc = hash_password(&Secret::new(PASSWORD.to_owned()), &PasswordSalt::generate()).unwrap();
    apply_account(&store, "4", DeclaredPassword::Hash(phc.to_string())).await;
    assert!(signs_in(&store, "acme", PASSWORD).await, "of an imported hash");
}
