//! Tests several processes on one file: each change happens once.

use administration::declaration::outcome::Outcome;
use tenancy::TenantStore as _;
use testkit::fixtures::tenant_id;

use crate::declared::{apply, declaration, tenant, value};
use crate::sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn same_change_at_two_starts_is_applied_once() {
    let sandbox = Sandbox::new().await;
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
async fn concurrent_openings_all_get_the_schema() {
    let sandbox = Sandbox::new().await;
    let (left, right) = tokio::join!(sandbox.open(), sandbox.open());
    assert!(left.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
    assert!(right.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
}
