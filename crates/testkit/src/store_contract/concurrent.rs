//! Values that other writers change without a revision are not overwritten by a commit that was decided
//! earlier.

use administration::documents::UsedFrom;
use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, SecretChangeKind};
use administration::store::{CommitOutcome, SealedPlace, SecretUsage, VerifierFetch};
use keys::KeyId;
use keys::life_cycle::KeyTimes;
use registry::{Client, UseOutcome};
use tenancy::Tenant;

use super::{Stores, add, commit, resting_on_today};
use crate::fixtures::{self, NOW};
use crate::requests;

/// A request adds the first key while an administrator changes the tenant, its client and its secret.
pub async fn commit_keeps_concurrent_first_key_and_usage(stores: Stores) {
    let (store, acme, svc) = rows(&stores).await;
    let planned = resting_on_today(&stores, &requests::declared(changes(&acme, &svc))).await;

    assert!(stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
    let usage = [SecretUsage {
        tenant: acme.id.clone(),
        client: svc.id.clone(),
        secret: svc.secrets[0].id.clone(),
        from: UsedFrom::presented("192.0.2.1".to_owned(), UseOutcome::Accepted, NOW),
    }];
    store.record_secret_usage(&usage).await.unwrap();
    let fetches = [VerifierFetch {
        tenant: acme.id.clone(),
        verifier: "verifier".to_owned(),
        last_fetch_at: NOW,
        newest_key: KeyId::numbered(1),
    }];
    store.record_verifier_fetches(&fetches).await.unwrap();
    let until = NOW + values::Lifetime::from_seconds(60);
    assert!(store.try_lease("rotation", "left", NOW, until).await.unwrap());

    let committed = CommitOutcome::Committed { generation: None, resumed_until: None };
    assert_eq!(requests::commit(&*store, &planned).await.unwrap(), committed);
    let found = stores.find_keys(&acme.id).await.unwrap();
    assert_eq!((found.next, found.keys.as_slice()), (KeyId::numbered(2), &[fixtures::key(1)][..]));
    assert_eq!(store.secret_usage(&acme.id, &svc.id).await.unwrap(), usage);
    assert_eq!(store.verifier_fetches(&acme.id).await.unwrap(), fetches);
    assert!(!store.try_lease("rotation", "right", NOW, until).await.unwrap());
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().unwrap().name, "renamed");
}

/// A rotation changes the times of a key while another process reseals the key.
pub async fn rotation_keeps_concurrently_resealed_bytes(stores: Stores) {
    let (store, acme, svc) = rows(&stores).await;
    let key = fixtures::key(1);
    assert!(stores.add_key(&acme.id, &key).await.unwrap());
    let mut request = requests::declared(changes(&acme, &svc));
    let before = KeyTimes::from_key(&key);
    let retiring_from = Some(NOW + values::Lifetime::from_seconds(9));
    requests::reschedule_key(&mut request, &acme.id, before, KeyTimes { retiring_from, ..before });
    let planned = resting_on_today(&stores, &request).await;
    let place = SealedPlace::SigningKey { tenant: acme.id.clone(), id: key.id, algorithm: key.algorithm };
    assert!(store.replace_sealed(&place, &key.sealed_private_key, b"anew").await.unwrap());

    assert_eq!(
        requests::commit(&*store, &planned).await.unwrap(),
        CommitOutcome::Committed { generation: None, resumed_until: None }
    );
    let found = stores.find_keys(&acme.id).await.unwrap();
    assert_eq!(found.keys[0].sealed_private_key, b"anew");
    assert_eq!(found.keys[0].retiring_from, retiring_from);
}

/// Adds a row to each table that commits change. The test then adds a column of a newer version to these
/// tables.
pub async fn add_rows_of_each_table(stores: &Stores) {
    let (_, acme, _) = rows(stores).await;
    assert!(stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
}

pub async fn change_rows_of_each_table(stores: &Stores) {
    let acme = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&acme, "svc") };
    let mut request = requests::declared(changes(&acme, &svc));
    let before = KeyTimes::from_key(&fixtures::key(1));
    let after = KeyTimes { retiring_from: Some(NOW), ..before };
    requests::reschedule_key(&mut request, &acme.id, before, after);
    commit(stores, &request).await;
    assert_eq!(stores.find_client(&acme.id, &svc.id).await.unwrap().unwrap().name, "renamed");
}

async fn rows(
    stores: &Stores,
) -> (std::sync::Arc<dyn administration::store::AdministrationStore>, Tenant, Client) {
    let acme = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&acme, "svc") };
    add(stores, &acme, &[&svc]).await;
    (stores.clone(), acme, svc)
}

/// A change of the tenant, its resource server, its client and the client's secret.
fn changes(acme: &Tenant, svc: &Client) -> Vec<Change> {
    let renamed = Tenant { name: "renamed".to_owned(), ..acme.clone() };
    let registered = Client { secrets: Vec::new(), ..svc.clone() };
    let other = Client { name: "renamed".to_owned(), ..registered.clone() };
    let server = &acme.resource_servers[0];
    let end = SecretChangeKind::Rescheduled { before: None, after: Some(NOW) };
    vec![
        requests::tenant(ChangeKind::Changed, acme, &renamed),
        requests::resource_server(&acme.id, ChangeKind::Changed, Some(server), server),
        requests::client(ChangeKind::Changed, &registered, &other),
        requests::secret(svc, &svc.secrets[0], end),
    ]
}
