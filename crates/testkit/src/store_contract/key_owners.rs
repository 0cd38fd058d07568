//! A private key belongs to one tenant: each method that adds a key refuses a key that another tenant has or
//! had.

use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, FirstKey};
use administration::store::CommitOutcome;
use keys::{KeyId, KeyRecord};
use tenancy::TenantId;

use super::{Stores, add, apply, commit, commit_now};
use crate::requests::{self, CommitRequest, announcing};
use crate::{at_once, fixtures};

// [found 16]: One key could be `first_key` of two tenants; a tenant file could name any file, a pipe or
//   device too | fixed | Only regular files of bounded size are read, in `tenants_dir` too; tenant files are
//   trusted like the main file, as this page says. The store claims the thumbprint of each new key for one
//   tenant, for ever ([decision 21](decisions/0021-a-key-and-a-commit-of-one-tenant.md)); equal keys from
//   before stay until they are rotated
/// A tenant may add its own key again, with another number.
pub async fn a_key_belongs_to_one_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let key = fixtures::key(1);
    assert!(owners(&stores, &key).await.is_empty());
    assert!(stores.add_key(&acme, &key).await.unwrap());
    assert_eq!(owners(&stores, &key).await, ["acme"]);

    assert!(!stores.add_key(&globex, &key).await.unwrap());
    for request in [announcing(&globex, std::slice::from_ref(&key)), beginning_with(&globex, &key)] {
        assert_eq!(commit_now(&stores, &request).await, CommitOutcome::StaleRevision);
    }
    let found = stores.find_keys(&globex).await.unwrap();
    assert_eq!((found.next, found.keys.len()), (KeyId::numbered(1), 0));
    assert_eq!(stores.load_state(&globex).await.unwrap().unwrap().first_key_thumbprint, None);

    commit(&stores, &announcing(&acme, &[KeyRecord { id: KeyId::numbered(2), ..key.clone() }])).await;
    let own = fixtures::key_of(&globex, 1);
    commit(&stores, &beginning_with(&globex, &own)).await;
    assert_eq!(owners(&stores, &own).await, ["globex"]);
    assert_eq!(owners(&stores, &key).await, ["acme"]);
}

/// Verifiers may still trust the key of a deleted tenant.
pub async fn key_of_deleted_tenant_stays_reserved(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let key = fixtures::key(1);
    commit(&stores, &beginning_with(&acme, &key)).await;
    let tenant = fixtures::tenant("acme");
    apply(&stores, requests::tenant(ChangeKind::Deleted, &tenant, &tenant)).await;
    assert!(stores.find_keys(&acme).await.unwrap().keys.is_empty());

    assert_eq!(owners(&stores, &key).await, ["acme"]);
    assert!(!stores.add_key(&globex, &key).await.unwrap());
    assert_eq!(commit_now(&stores, &announcing(&globex, &[key])).await, CommitOutcome::StaleRevision);
}

// [found 16]
/// A commit and requests for first keys add the key at the same time.
pub async fn concurrently_added_key_gets_one_owner(stores: Stores) {
    for round in 1..=5 {
        let tenants: Vec<TenantId> =
            (1..=4).map(|nth| fixtures::tenant_id(&format!("t{round}-{nth}"))).collect();
        for tenant in &tenants {
            add(&stores, &fixtures::tenant(tenant.as_str()), &[]).await;
        }
        let key = KeyRecord { thumbprint: format!("of round {round}"), ..fixtures::key(1) };
        let attempts = (0..).zip(tenants.clone()).map(|(nth, tenant)| {
            let (stores, key) = (stores.clone(), key.clone());
            async move {
                let added = match nth % 2 {
                    0 => stores.add_key(&tenant, &key).await.unwrap(),
                    _ => {
                        commit_now(&stores, &announcing(&tenant, &[key])).await
                            != CommitOutcome::StaleRevision
                    }
                };
                added.then(|| tenant.to_string())
            }
        });
        let added: Vec<_> = at_once(attempts).await.into_iter().flatten().collect();
        assert_eq!(added.len(), 1, "{added:?}");
        assert_eq!(owners(&stores, &key).await, added);
        for tenant in &tenants {
            let keys = stores.find_keys(tenant).await.unwrap().keys.len();
            assert_eq!(keys, usize::from(added == [tenant.to_string()]), "{tenant}");
        }
    }
}

async fn two_tenants(stores: &Stores) -> [TenantId; 2] {
    super::two_tenants(stores, &[]).await.map(|tenant| tenant.id)
}

async fn owners(stores: &Stores, key: &KeyRecord) -> Vec<String> {
    let found = stores.find_key_owners(&[&key.thumbprint, "unknown"]).await.unwrap();
    found
        .into_iter()
        .map(|(thumbprint, owner)| {
            assert_eq!(thumbprint, key.thumbprint);
            owner.to_string()
        })
        .collect()
}

pub(super) fn beginning_with(tenant: &TenantId, key: &KeyRecord) -> CommitRequest {
    let first = FirstKey { id: key.id, algorithm: key.algorithm, thumbprint: key.thumbprint.clone() };
    let mut request = requests::declared(vec![Change::FirstKey(tenant.clone(), first)]);
    request.edit.keys.added.push((tenant.clone(), key.clone()));
    request
}
