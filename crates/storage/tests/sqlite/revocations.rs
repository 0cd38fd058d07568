//! What a revocation costs does not grow with those before it.

use accounts::AccountId;
use administration::Change;
use registry::{RevocationStore as _, RevokedSubject};
use sessions::SessionId;
use testkit::fixtures::{NOW, client, tenant};
use testkit::requests;
use testkit::store_contract::{Stores, add, commit};

use super::sandbox::Sandbox;

#[tokio::test]
async fn the_ten_thousandth_revocation_is_as_many_statements_as_the_first() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    let stores = Stores::of(std::sync::Arc::into_inner(sandbox.open().await).unwrap());
    let acme = tenant("acme", Vec::new()).tenant;
    add(&stores, &acme, &[&client(&acme, "svc")]).await;
    let mut counted = Vec::new();
    for round in ["first", "last"] {
        let before = database.statements();
        for subject in [RevokedSubject::Session(round.to_owned()), RevokedSubject::Grant(round.to_owned())] {
            database.revoke_people(&acme.id, &subject, Some(round), NOW).await.unwrap();
        }
        counted.push(database.statements() - before);
        let sign_out = |number: u64| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            Change::Sessions(acme.id.clone(), AccountId::from_bytes(id), Some(SessionId::from_bytes(id)))
        };
        if round == "first" {
            commit(&stores, &requests::declared((0..9_998).map(sign_out).collect())).await;
        }
    }
    assert_eq!(counted[0], counted[1]);
}
