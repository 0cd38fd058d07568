//! The effect of a commit on signing keys: it numbers, changes and destroys keys of its own tenants, or does
//! nothing.

use administration::kinds::change::{ChangeKind, KeyChangeKind};
use administration::kinds::{Change, Invalidation};
use administration::store::CommitOutcome;
use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord, KeyRecords, ShownTimes};
use protocol::SigningAlgorithm;
use tenancy::{Tenant, TenantId};

use super::{
    Stores, add, apply, at, commit, commit_now, planned_commit, published, resting_on_today, revision,
};
use crate::fixtures::{self, NOW};
use crate::requests::{self, announcing};

/// Adds several keys in one commit, and reads each field back. Another test covers a declared first key.
pub async fn committed_keys_get_the_next_numbers(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let second = KeyRecord {
        algorithm: SigningAlgorithm::EdDSA.into(),
        active_from: at(10),
        retiring_from: Some(at(20)),
        removed_at: Some(at(30)),
        shown: ShownTimes { announced_at: Some(at(1)), active_from: Some(at(11)), ..ShownTimes::default() },
        ..fixtures::key(2)
    };
    for taken_or_not_due in [1, 3, 0] {
        let mut request = announcing(&acme, &[fixtures::key(taken_or_not_due)]);
        request.edit.changes.push(renamed("acme"));
        assert_eq!(commit_now(&stores, &request).await, CommitOutcome::StaleRevision, "{taken_or_not_due}");
    }
    assert_eq!(stores.find_tenant(&acme).await.unwrap().unwrap().name, "acme");
    commit(&stores, &announcing(&acme, &[second.clone(), fixtures::key(3)])).await;
    let found = records(&stores, &acme).await;
    assert_eq!(found.next, KeyId::numbered(4));
    assert_eq!(found.keys, [fixtures::key_of(&acme, 1), second, fixtures::key(3)]);
    assert_eq!(records(&stores, &globex).await.keys, [fixtures::key_of(&globex, 1)]);

    let initech = add(&stores, &fixtures::tenant("initech"), &[]).await;
    commit(&stores, &announcing(&initech, &[fixtures::key(1)])).await;
    let state = stores.load_state(&initech).await.unwrap().unwrap();
    assert_eq!((state.first_key_thumbprint, state.has_had_keys), (None, true));
    // In a commit for two tenants, each tenant counts its own keys.
    let mut both = announcing(&acme, &[fixtures::key(4)]);
    requests::announce_key(&mut both, &globex, fixtures::key_of(&globex, 2));
    commit(&stores, &both).await;
    assert_eq!(records(&stores, &acme).await.next, KeyId::numbered(5));
    assert_eq!(records(&stores, &globex).await.next, KeyId::numbered(3));
}

/// A commit of keys needs the expected revision, like every plan.
pub async fn committing_keys_requires_the_current_revision(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let mut request = announcing(&acme, &[fixtures::key(2)]);
    request.edit.keys.due.push((acme.clone(), Some(at(50))));
    let planned = resting_on_today(&stores, &request).await;
    apply(&stores, renamed("globex")).await;
    apply(&stores, renamed("acme")).await;
    assert_eq!(planned_commit(&stores, &planned).await, CommitOutcome::StaleRevision);
    assert_eq!(records(&stores, &acme).await.keys.len(), 1);
    let before = revision(&stores, &acme).await;
    commit(&stores, &request).await;
    assert_eq!(revision(&stores, &acme).await, before + 1);
    assert_eq!(records(&stores, &globex).await.keys.len(), 1);
}

/// A request that creates a key does not increment the revision, so only the number decides.
pub async fn request_and_commit_cannot_add_the_same_key(stores: Stores) {
    let [acme, _] = two_tenants(&stores).await;
    let planned = resting_on_today(&stores, &announcing(&acme, &[fixtures::key(2)])).await;
    let of_request = KeyRecord { thumbprint: "of the request".to_owned(), ..fixtures::key(2) };
    assert!(stores.add_key(&acme, &of_request).await.unwrap());
    assert_eq!(planned_commit(&stores, &planned).await, CommitOutcome::StaleRevision);
    assert_eq!(records(&stores, &acme).await.keys, [fixtures::key_of(&acme, 1), of_request]);
    commit(&stores, &announcing(&acme, &[fixtures::key(3)])).await;
    assert!(!stores.add_key(&acme, &fixtures::key(3)).await.unwrap());
}

/// The row of a destroyed key stays, so that the key is recognized. Requests do not read such rows, because
/// the number of rows grows with each rotation.
pub async fn commits_reschedule_and_destroy_only_own_keys(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    for tenant in [&acme, &globex] {
        assert!(stores.add_key(tenant, &fixtures::key_of(tenant, 2)).await.unwrap());
    }
    let position = stores.position().await.unwrap();
    let shown = ShownTimes {
        announced_at: None,
        active_from: Some(at(4)),
        retiring_from: Some(at(5)),
        removed_at: Some(at(6)),
    };
    let after = KeyTimes {
        id: KeyId::numbered(2),
        active_from: at(1),
        retiring_from: Some(at(2)),
        removed_at: Some(at(3)),
        shown,
    };
    let mut request = requests::declared(Vec::new());
    requests::reschedule_key(&mut request, &acme, KeyTimes::from_key(&fixtures::key(2)), after);
    requests::destroy_key(&mut request, &acme, KeyId::numbered(1));
    commit(&stores, &request).await;
    let destroyed = KeyRecord { sealed_private_key: Vec::new(), ..fixtures::key_of(&acme, 1) };
    let moved = KeyRecord {
        active_from: at(1),
        retiring_from: Some(at(2)),
        removed_at: Some(at(3)),
        shown,
        ..fixtures::key_of(&acme, 2)
    };
    assert_eq!(records(&stores, &acme).await.keys, [destroyed.clone(), moved]);
    let [first, second] = [1, 2].map(|number| fixtures::key_of(&globex, number));
    assert_eq!(records(&stores, &globex).await.keys, [first, second]);
    assert_eq!(published(&stores, position).await, [Invalidation::Keys(acme.clone())]);

    // Times can be removed again. Destroying a key twice changes nothing.
    let mut back = requests::declared(Vec::new());
    requests::reschedule_key(&mut back, &acme, after, KeyTimes::from_key(&fixtures::key(2)));
    requests::destroy_key(&mut back, &acme, KeyId::numbered(1));
    commit(&stores, &back).await;
    assert_eq!(records(&stores, &acme).await.keys, [destroyed, fixtures::key_of(&acme, 2)]);

    let [mut moved, mut destroyed] = [(); 2].map(|()| requests::declared(vec![renamed("acme")]));
    let unknown = KeyTimes { id: KeyId::numbered(3), ..after };
    requests::reschedule_key(&mut moved, &acme, unknown, unknown);
    requests::destroy_key(&mut destroyed, &acme, KeyId::numbered(3));
    for outdated in [moved, destroyed] {
        assert_eq!(commit_now(&stores, &outdated).await, CommitOutcome::StaleRevision);
    }
    assert_eq!(stores.find_tenant(&acme).await.unwrap().unwrap().name, "acme");
}

/// Without a logged change, caches would keep the previous keys.
pub async fn key_commit_without_a_change_is_refused(stores: Stores) {
    let [acme, _] = two_tenants(&stores).await;
    let id = KeyId::numbered(2);
    let announced = KeyChangeKind::Announced {
        algorithm: SigningAlgorithm::ES256.into(),
        thumbprint: String::new(),
        active_from: NOW,
        imported: true,
    };
    let change_only = requests::declared(vec![requests::key(&acme, id, announced)]);
    let mut record_only = requests::declared(vec![renamed("acme")]);
    record_only.edit.keys.added.push((acme.clone(), fixtures::key(2)));
    let leaping = announcing(&acme, &[fixtures::key(2), fixtures::key(4)]);
    let mut unseen = requests::declared(Vec::new());
    unseen.edit.keys.due.push((fixtures::tenant_id("globex"), None));
    for request in [change_only, record_only, leaping] {
        assert!(resting_on_today(&stores, &request).await.decide().is_none(), "{:?}", request.edit.changes);
    }
    assert!(unseen.decide().is_none());
    assert_eq!(records(&stores, &acme).await.keys, [fixtures::key_of(&acme, 1)]);
}

/// Both tenants have a key with number 1.
pub(super) async fn two_tenants(stores: &Stores) -> [TenantId; 2] {
    let tenants = super::two_tenants(stores, &[]).await;
    for tenant in &tenants {
        assert!(stores.add_key(&tenant.id, &fixtures::key_of(&tenant.id, 1)).await.unwrap());
    }
    tenants.map(|tenant| tenant.id)
}

/// The change of the tenant's name.
pub(super) fn renamed(tenant: &str) -> Change {
    let before = fixtures::tenant(tenant);
    let after = Tenant { name: "renamed".to_owned(), ..before.clone() };
    requests::tenant(ChangeKind::Changed, &before, &after)
}

async fn records(stores: &Stores, tenant: &TenantId) -> KeyRecords {
    let found = stores.find_keys(tenant).await.unwrap();
    let loaded = stores.load_keys(tenant).await.unwrap().unwrap();
    let mut whole = loaded.records.clone();
    whole.keys.retain(|key| !key.sealed_private_key.is_empty());
    assert_eq!(whole, *found);
    loaded.records
}
