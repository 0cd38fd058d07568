//! Tests cached accounts: their freshness, invalidation and separation by tenant, and that they are never
//! served stale.

use std::sync::Arc;

use accounts::{Account, AccountId, AccountStore as _};
use administration::kinds::Invalidation;
use cache::FRESH;
use tenancy::{Stored, Tenant};
use testkit::{Failure, requests};
use tokio::time::advance;

use crate::test_env::TestEnv;

fn ada() -> AccountId {
    AccountId::from_bytes([1; 16])
}

fn put(test_env: &TestEnv, tenant: &Tenant, name: &str) {
    let mut account = requests::account(&tenant.id, 1, &["ada@example.com"]);
    account.claims.insert("name".to_owned(), name.into());
    test_env.store.put_account(account, None);
}

async fn name(test_env: &TestEnv, tenant: &Tenant) -> Stored<Option<String>> {
    let found: Option<Arc<Account>> = test_env.caches.accounts.find_account(&tenant.id, &ada()).await?;
    Ok(found.map(|account| account.claims["name"].as_str().unwrap().to_owned()))
}

#[tokio::test(start_paused = true)]
async fn account_is_cached_for_ten_seconds_or_until_changed() {
    let test_env = TestEnv::new();
    let (acme, globex) = (test_env.acme.clone(), test_env.globex.clone());
    put(&test_env, &acme, "Ada");
    put(&test_env, &globex, "Countess");
    let reads = || test_env.store.calls().find_account;
    let before = reads();
    for _ in 0..100 {
        assert_eq!(name(&test_env, &acme).await.unwrap().as_deref(), Some("Ada"));
        assert_eq!(name(&test_env, &globex).await.unwrap().as_deref(), Some("Countess"));
    }
    let before = before + 2;
    assert_eq!(reads(), before);
    put(&test_env, &acme, "Ada L.");
    test_env.caches.forget(&[Invalidation::Account(acme.id.clone(), ada())]);
    assert_eq!(name(&test_env, &acme).await.unwrap().as_deref(), Some("Ada L."));
    assert_eq!(name(&test_env, &globex).await.unwrap().as_deref(), Some("Countess"));
    assert_eq!(reads(), before + 1, "the other tenant's is kept");
    advance(FRESH).await;
    assert_eq!(name(&test_env, &acme).await.unwrap().as_deref(), Some("Ada L."));
    assert_eq!(reads(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn no_account_is_stale_during_an_outage() {
    let test_env = TestEnv::new();
    let acme = test_env.acme.clone();
    put(&test_env, &acme, "Ada");
    assert!(name(&test_env, &acme).await.is_ok());
    test_env.store.fail_with(Failure::Unavailable);
    assert!(name(&test_env, &acme).await.is_ok());
    advance(FRESH).await;
    assert!(name(&test_env, &acme).await.is_err());
}
