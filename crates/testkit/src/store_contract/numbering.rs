//! Keys and sealed values: every number is used once, and the first writer wins.

use administration::kinds::change::ChangeKind;
use administration::store::{CommitOutcome, tenant_key_name};
use keys::{KeyId, KeyRecord, Kid};
use tenancy::KidForm;

use super::key_owners::beginning_with;
use super::{Stores, apply, two_tenants};
use crate::fixtures::{self, NOW};
use crate::{at_once, requests};

/// An added key can be read. A number that is already used or not the next one is refused.
pub async fn key_numbers_start_at_one_and_are_unique(stores: Stores) {
    let acme = super::add(&stores, &fixtures::tenant("acme"), &[]).await;
    let none = stores.find_keys(&acme).await.unwrap();
    assert_eq!((none.next, none.keys.len()), (KeyId::numbered(1), 0));
    for (number, added) in [(2, false), (0, false), (1, true), (1, false), (3, false), (2, true), (1, false)]
    {
        assert_eq!(stores.add_key(&acme, &fixtures::key(number)).await.unwrap(), added, "{number}");
    }
    let records = stores.find_keys(&acme).await.unwrap();
    assert_eq!(records.next, KeyId::numbered(3));
    assert_eq!(records.keys, [fixtures::key(1), fixtures::key(2)]);
    assert!(stores.load_state(&acme).await.unwrap().unwrap().has_had_keys);
    assert!(stores.holds_sealed_rows().await.unwrap());
}

/// A `kid` is only unique within its tenant.
pub async fn each_tenant_counts_its_own_keys(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await.map(|tenant| tenant.id);
    for (tenant, bytes) in [(&acme, vec![1]), (&globex, vec![2])] {
        let key = KeyRecord { sealed_private_key: bytes, ..fixtures::key_of(tenant, 1) };
        assert!(stores.add_key(tenant, &key).await.unwrap());
    }
    for (tenant, bytes) in [(&acme, vec![1]), (&globex, vec![2])] {
        let records = stores.find_keys(tenant).await.unwrap();
        assert_eq!(records.keys.len(), 1);
        assert_eq!(records.keys[0].sealed_private_key, bytes);
    }
}

/// The result is the same for a key of a request and of a commit, and after the private half is destroyed.
pub async fn public_key_is_found_only_in_its_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await.map(|tenant| tenant.id);
    let mut keys = [1, 2].map(|number| KeyRecord {
        public_jwk: Some(format!(r#"{{"kty":"{number}"}}"#)),
        ..fixtures::key_of(&acme, number)
    });
    keys[1].id = keys[1].id.named(keys[1].algorithm, KidForm::Thumbprint, &keys[1].thumbprint);
    let named = keys[1].id.kid();
    assert_ne!(named, Kid::Numbered(2));
    assert!(stores.add_key(&acme, &keys[0]).await.unwrap());
    let mut request = requests::declared(Vec::new());
    requests::announce_key(&mut request, &acme, keys[1].clone());
    requests::destroy_key(&mut request, &acme, keys[0].id);
    super::commit(&stores, &request).await;
    let own = KeyRecord { public_jwk: None, ..fixtures::key_of(&globex, 1) };
    assert!(stores.add_key(&globex, &own).await.unwrap());

    let destroyed = KeyRecord { sealed_private_key: Vec::new(), ..keys[0].clone() };
    let second = keys[1].clone();
    for (tenant, kid, expected) in [
        (&acme, Kid::Numbered(1), Some(&destroyed)),
        (&acme, named, Some(&second)),
        (&acme, Kid::Numbered(2), None),
        (&acme, Kid::Numbered(3), None),
        (&globex, Kid::Numbered(1), Some(&own)),
        (&globex, named, None),
    ] {
        let found = stores.find_key(tenant, kid).await.unwrap();
        assert_eq!(found.as_ref(), expected, "{kid} of {tenant}");
        assert!(found.is_none_or(|found| found.id.kid() == kid), "{kid} of {tenant}");
    }
    // Requests that need all keys do not need the public halves.
    let whole = stores.find_keys(&acme).await.unwrap();
    assert_eq!(whole.keys, [KeyRecord { public_jwk: None, ..second }]);
    assert_eq!(whole.find(named).map(|key| key.id.number()), Some(2));
}

/// Replicas that create a first key at the same time agree on one.
pub async fn concurrent_first_keys_add_only_one(stores: Stores) {
    let acme = super::add(&stores, &fixtures::tenant("acme"), &[]).await;
    let attempts = (0..20).map(|attempt| {
        let (keys, acme) = (stores.clone(), acme.clone());
        let key = KeyRecord { thumbprint: format!("of {attempt}"), ..fixtures::key(1) };
        async move { keys.add_key(&acme, &key).await.unwrap().then_some(key) }
    });
    let added: Vec<_> = at_once(attempts).await.into_iter().flatten().collect();
    assert_eq!(added.len(), 1);
    assert_eq!(stores.find_keys(&acme).await.unwrap().keys, added);
}

/// A first key cannot be imported after the tenant has had a key.
pub async fn a_first_key_is_imported_once(stores: Stores) {
    let acme = super::add(&stores, &fixtures::tenant("acme"), &[]).await;
    let key = fixtures::key(1);
    let request = beginning_with(&acme, &key);
    super::commit(&stores, &request).await;
    let found = stores.find_keys(&acme).await.unwrap();
    assert_eq!(found.keys, std::slice::from_ref(&key));
    let state = stores.load_state(&acme).await.unwrap().unwrap();
    assert_eq!((state.first_key_thumbprint, state.has_had_keys), (Some(key.thumbprint), true));
    assert_eq!(super::commit_now(&stores, &request).await, CommitOutcome::StaleRevision);
    assert_eq!(stores.find_keys(&acme).await.unwrap().next, KeyId::numbered(2));
}

/// Replicas that create a pepper at the same time agree on one.
pub async fn sealed_value_is_written_once(stores: Stores) {
    let attempts = (0..20_u8).map(|attempt| {
        let store = stores.clone();
        async move { (store.put_sealed_if_absent("pepper", &[attempt, 0, 255], NOW).await.unwrap(), attempt) }
    });
    let put = at_once(attempts).await.into_iter().filter(|(is_put, _)| *is_put);
    let [(_, winner)] = put.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(stores.find_sealed("pepper").await.unwrap(), Some(vec![winner, 0, 255]));
    assert_eq!(stores.find_sealed("Pepper").await.unwrap(), None);
    assert!(stores.holds_sealed_rows().await.unwrap());
}

/// A tenant that was imported from another installation has such a key.
pub async fn digest_key_is_deleted_with_its_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await.map(|tenant| tenant.id);
    let names =
        [tenant_key_name(&acme), tenant_key_name(&globex), "tenant key".to_owned(), "tenant keys".to_owned()];
    for (name, byte) in names.iter().zip(1..) {
        assert!(stores.put_sealed_if_absent(name, &[byte], NOW).await.unwrap());
    }
    assert_eq!(stores.tenant_keys().await.unwrap(), [(acme.clone(), vec![1]), (globex.clone(), vec![2])]);
    let tenant = fixtures::tenant("acme");
    apply(&stores, requests::tenant(ChangeKind::Deleted, &tenant, &tenant)).await;
    stores.prune_ended_secrets(NOW, 9).await.unwrap();
    assert_eq!(stores.tenant_keys().await.unwrap(), [(globex, vec![2])]);
}
