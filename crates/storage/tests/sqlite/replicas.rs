//! Several processes on one file: each change happens once.

use std::sync::Arc;

use administration::Outcome;
use keys::SigningKeyStore as _;
use tenancy::TenantStore as _;
use testkit::fixtures::{key, tenant_id};
use testkit::store_contract::{Stores, code_with_offline_access, redeem_with_family, takes_step};

use crate::declared::{Sandbox, apply, declaration, tenant, value};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_start_with_the_same_change_one_applies_it() {
    let sandbox = Sandbox::new();
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let declared = || declaration(vec![tenant("acme", vec![value("chosen")])]);
    let (here, there) = (declared(), declared());
    let (here, there) = tokio::join!(apply(&left, &here, "1"), apply(&right, &there, "1"));
    let outcomes = [here.unwrap(), there.unwrap()];
    let applied = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied { .. })).count();
    assert_eq!(applied, 1, "{outcomes:?}");
    assert!(outcomes.contains(&Outcome::Unchanged), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_open_a_new_file_at_once_all_get_the_schema() {
    let sandbox = Sandbox::new();
    let (left, right) = tokio::join!(sandbox.open(), sandbox.open());
    assert!(left.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
    assert!(right.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_create_a_first_key_one_has_to_read_again() {
    let sandbox = Sandbox::new();
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    apply(&left, &declaration(vec![tenant("acme", Vec::new())]), "1").await.unwrap();
    let (id, key) = (tenant_id("acme"), key(1));
    let (here, there) = tokio::join!(left.add_key(&id, &key), right.add_key(&id, &key));
    assert_ne!(here.unwrap(), there.unwrap());
    assert_eq!(right.find_keys(&id).await.unwrap().keys, [key]);
}

/// From each of a hundred refresh tokens of one family.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_that_take_one_step_from_a_hundred_refresh_tokens_one_does() {
    let sandbox = Sandbox::new();
    let tenant = code_with_offline_access(&Stores::of(Arc::into_inner(sandbox.open().await).unwrap())).await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let family = redeem_with_family(&*left, &tenant).await;
    for generation in 0..100 {
        let (here, there) =
            tokio::join!(takes_step(&*left, &family, generation), takes_step(&*right, &family, generation));
        assert_ne!(here, there, "{generation}");
    }
}
