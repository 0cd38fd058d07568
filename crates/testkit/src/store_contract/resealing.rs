//! Everything that is sealed can be sealed anew, while others read and write it.

use administration::{Invalidation, SealedPlace};
use keys::{KeyId, KeyRecord};
use protocol::SigningAlgorithm;
use tenancy::TenantId;

use super::key_commits::two_tenants;
use super::{Stores, commit, revision};
use crate::fixtures::{self, NOW};
use crate::requests;

/// Keys by tenant and number, then named values; nothing twice, nothing left out, whatever the page's size.
pub async fn what_is_sealed_is_listed_page_by_page(stores: Stores) {
    let store = &stores.administration;
    assert_eq!(store.list_sealed(None, 9).await.unwrap(), []);
    let [acme, globex] = two_tenants(&stores).await;
    for number in 2..=11 {
        let sealed_private_key = vec![u8::try_from(number).unwrap()];
        let algorithm = if number == 3 { SigningAlgorithm::EdDSA } else { SigningAlgorithm::RS256 };
        let key = KeyRecord { sealed_private_key, algorithm, ..fixtures::key(number) };
        assert!(stores.signing_keys.add_key(&acme, &key).await.unwrap());
    }
    for name in ["pepper", "Another"] {
        assert!(store.put_sealed_if_absent(name, name.as_bytes(), NOW).await.unwrap());
    }
    let mut destroying = requests::declared(Vec::new());
    requests::destroy_key(&mut destroying, &acme, KeyId::numbered(5));
    commit(&stores, &destroying).await;

    let mut expected = vec![(place(&acme, 1), fixtures::key(1).sealed_private_key)];
    expected.extend((2..=11).filter(|number| *number != 5).map(|number| {
        let of = SealedPlace::SigningKey {
            tenant: acme.clone(),
            id: KeyId::numbered(number),
            algorithm: if number == 3 { SigningAlgorithm::EdDSA } else { SigningAlgorithm::RS256 },
        };
        (of, vec![u8::try_from(number).unwrap()])
    }));
    expected.push((place(&globex, 1), fixtures::key(1).sealed_private_key));
    expected.extend(["Another", "pepper"].map(|name| (named(name), name.as_bytes().to_vec())));
    for limit in [1, 2, 5, 11, 12, 100] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|(place, _)| place);
            let page = store.list_sealed(after, limit).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "{limit}");
    }
}

/// Of two that seal the same row anew one does; caches learn of it, and nobody's plan is disturbed.
pub async fn what_is_sealed_is_replaced_only_while_it_is_there(stores: Stores) {
    let store = &stores.administration;
    let [acme, globex] = two_tenants(&stores).await;
    assert!(store.put_sealed_if_absent("pepper", &[1, 0, 255], NOW).await.unwrap());
    let position = store.position().await.unwrap();
    let old = fixtures::key(1).sealed_private_key;
    let other_algorithm = SealedPlace::SigningKey {
        tenant: acme.clone(),
        id: KeyId::numbered(1),
        algorithm: SigningAlgorithm::ES256,
    };
    for (place, old, new, expected) in [
        (place(&acme, 1), &old[..], &[9, 0, 200][..], true),
        (place(&acme, 1), &old, &[8], false),
        (place(&acme, 1), &[9, 0], &[8], false),
        (place(&acme, 1), &[], &[8], false),
        (place(&acme, 2), &old, &[8], false),
        (place(&fixtures::tenant_id("nobody"), 1), &old, &[8], false),
        (other_algorithm, &[9, 0, 200], &[8], false),
        (named("pepper"), &[1, 0, 255], &[2, 255], true),
        (named("pepper"), &[1, 0, 255], &[3], false),
        (named("Pepper"), &[2, 255], &[3], false),
    ] {
        assert_eq!(store.replace_sealed(&place, old, new).await.unwrap(), expected, "{place:?} {new:?}");
    }
    let sealed = async |tenant| {
        stores.signing_keys.find_keys(tenant).await.unwrap().keys[0].sealed_private_key.clone()
    };
    assert_eq!((sealed(&acme).await, sealed(&globex).await), (vec![9, 0, 200], old));
    assert_eq!(store.find_sealed("pepper").await.unwrap(), Some(vec![2, 255]));
    let told = store.changes_since(position).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|(_, told)| told).collect();
    assert_eq!(told, [Invalidation::Keys(acme.clone())]);
    assert_eq!(revision(&stores, &acme).await, 1);
}

/// A key that was destroyed between reading and writing stays so, and is nothing that a sealing key is needed for.
pub async fn destroyed_keys_are_not_sealed_anew(stores: Stores) {
    let store = &stores.administration;
    let [acme, globex] = two_tenants(&stores).await;
    let mut request = requests::declared(Vec::new());
    for tenant in [&acme, &globex] {
        assert!(store.holds_sealed_rows().await.unwrap());
        requests::destroy_key(&mut request, tenant, KeyId::numbered(1));
    }
    commit(&stores, &request).await;
    for old in [&fixtures::key(1).sealed_private_key[..], &[]] {
        assert!(!store.replace_sealed(&place(&acme, 1), old, &[7]).await.unwrap());
    }
    let records = stores.signing_keys.find_keys(&acme).await.unwrap();
    assert!(records.keys[0].sealed_private_key.is_empty());
    assert_eq!(store.list_sealed(None, 9).await.unwrap(), []);
    assert!(!store.holds_sealed_rows().await.unwrap());
}

/// Of a key of the fixtures.
fn place(tenant: &TenantId, number: u32) -> SealedPlace {
    let key = fixtures::key(number);
    SealedPlace::SigningKey { tenant: tenant.clone(), id: key.id, algorithm: key.algorithm }
}

fn named(name: &str) -> SealedPlace {
    SealedPlace::Named(name.to_owned())
}
