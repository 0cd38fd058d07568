//! What requests cost: one statement, one round trip, for each thing that is looked up.

use administration::AdministrationStore as _;
use keys::SigningKeyStore as _;
use registry::ClientStore as _;
use tenancy::TenantStore as _;
use testkit::fixtures::{self, key};
use testkit::requests;

use crate::sandbox::Sandbox;

#[tokio::test]
async fn every_statement_is_counted_and_each_lookup_is_one() {
    let sandbox = Sandbox::new().await;
    let database = sandbox.open().await;
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    database.commit(&requests::added(&acme, &[&svc])).await.unwrap();
    let counted = |before: u64| database.statements() - before;

    let before = database.statements();
    assert!(database.find_tenant(&acme.id).await.unwrap().is_some());
    assert_eq!(counted(before), 1);
    assert!(database.find_client(&acme.id, &svc.id).await.unwrap().is_some());
    assert_eq!(counted(before), 2);
    assert!(database.find_keys(&acme.id).await.unwrap().keys.is_empty());
    assert_eq!(counted(before), 3);

    // BEGIN, entering the tenant, the number, the key, the log, COMMIT: once in a tenant's life.
    let before = database.statements();
    assert!(database.add_key(&acme.id, &key(1)).await.unwrap());
    assert_eq!(counted(before), 6);
    // BEGIN, the tenant, its clients, COMMIT.
    let before = database.statements();
    assert!(database.load_state(&acme.id).await.unwrap().is_some());
    assert_eq!(counted(before), 4);
}
