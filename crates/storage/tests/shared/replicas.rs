//! Tests two replicas on one database: each change happens once.

use keys::SigningKeyStore as _;
use storage::Database;
use testkit::fixtures::{key, tenant};
use testkit::requests;
use testkit::store_contract::refresh_families::{code_with_offline_access, redeem_with_family, takes_step};

use crate::sandbox::{STEPS, Sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn only_one_replica_adds_the_first_key() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let acme = tenant("acme");
    let store: &Database = &left;
    requests::commit(store, &requests::added(&acme, &[])).await.unwrap();
    let key = key(1);
    let (here, there) = tokio::join!(left.add_key(&acme.id, &key), right.add_key(&acme.id, &key));
    assert_ne!(here.unwrap(), there.unwrap());
    assert_eq!(right.find_keys(&acme.id).await.unwrap().keys, [key]);
}

/// All refresh tokens belong to one family.
#[tokio::test(flavor = "multi_thread")]
async fn only_one_replica_uses_each_refresh_token() {
    let sandbox = Sandbox::new().await;
    let tenant = code_with_offline_access(&sandbox.stores().await).await;
    let opened = (sandbox.open().await, sandbox.open().await);
    let (left, right): (&Database, &Database) = (&opened.0, &opened.1);
    let family = redeem_with_family(left, &tenant).await;
    for generation in 0..STEPS {
        let (here, there) =
            tokio::join!(takes_step(left, &family, generation), takes_step(right, &family, generation));
        assert_ne!(here, there, "{generation}");
    }
}
