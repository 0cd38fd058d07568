//! Which verifiers fetched which keys, noted in batches by several replicas.

use administration::{KEPT_VERIFIERS, KeySighting};
use keys::KeyId;
use tenancy::TenantId;

use super::key_commits::{at, two_tenants};
use super::{Stores, revision};
use crate::fixtures;

/// A verifier has one time and one key, the latest of each, in whatever order the batches come; of each tenant those stay that came
/// last.
pub async fn sightings_of_keys_are_merged_and_pruned(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let store = &stores.administration;
    let first = [seen(&acme, "a", 5, 1), seen(&acme, "b", 7, 2), seen(&acme, "a", 9, 1)];
    store.record_key_sightings(&first).await.unwrap();
    // A copy that an older replica handed out takes no key away again, and a time that comes late does not go back.
    store.record_key_sightings(&[seen(&acme, "b", 8, 1), seen(&acme, "a", 3, 4)]).await.unwrap();
    store.record_key_sightings(&[seen(&globex, "a", 2, 1)]).await.unwrap();
    store.record_key_sightings(&[]).await.unwrap();
    let expected = [seen(&acme, "a", 9, 4), seen(&acme, "b", 8, 2)];
    assert_eq!(store.key_sightings(&acme).await.unwrap(), expected);
    assert_eq!(store.key_sightings(&globex).await.unwrap(), [seen(&globex, "a", 2, 1)]);

    let many = u64::try_from(KEPT_VERIFIERS).unwrap() + 50;
    // Pairs come at once, so the end lies in the middle of one: of it the smaller name stays.
    let all: Vec<_> = (1..many).map(|nth| seen(&acme, &format!("v{nth:04}"), 100 + nth / 2, 3)).collect();
    for batch in all.chunks(200) {
        store.record_key_sightings(batch).await.unwrap();
    }
    let mut latest = all.clone();
    latest.sort_by_key(|seen| (std::cmp::Reverse(seen.last_fetch_at), seen.verifier.clone()));
    latest.truncate(KEPT_VERIFIERS);
    assert_eq!(store.key_sightings(&acme).await.unwrap(), latest);
    assert_eq!(store.key_sightings(&globex).await.unwrap().len(), 1);
    // Nothing that anyone planned rests on it.
    assert_eq!(revision(&stores, &acme).await, 1);
}

/// A tenant may go while a fetch waits to be noted.
pub async fn sightings_of_unknown_tenants_are_passed_over(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let nobody = fixtures::tenant_id("nobody");
    let batch = [seen(&nobody, "a", 1, 1), seen(&acme, "a", 1, 1)];
    stores.administration.record_key_sightings(&batch).await.unwrap();
    assert_eq!(stores.administration.key_sightings(&acme).await.unwrap(), [seen(&acme, "a", 1, 1)]);
    for none in [&nobody, &globex] {
        assert_eq!(stores.administration.key_sightings(none).await.unwrap(), []);
    }
}

fn seen(tenant: &TenantId, verifier: &str, seconds: u64, newest_key: u32) -> KeySighting {
    KeySighting {
        tenant: tenant.clone(),
        verifier: verifier.to_owned(),
        last_fetch_at: at(seconds),
        newest_key: KeyId::numbered(newest_key),
    }
}
