//! All sealed values can be resealed while other processes read and write them.

use administration::declaration::fingerprint::Fingerprint;
use administration::kinds::Invalidation;
use administration::store::{IdempotentAnswer, KEPT_SOURCES, SealedPlace};
use keys::{KeyAlgorithm, KeyId, KeyRecord};
use protocol::SigningAlgorithm;
use tenancy::TenantId;

use super::bookkeeping::{answer, answering, generation};
use super::key_commits::two_tenants;
use super::{Stores, at, commit, published, revision};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// The order is keys by tenant and number, then named values, sources of generations, and unexpired answers.
/// With any page size, each value is listed exactly once.
pub async fn sealed_values_are_listed_page_by_page(stores: Stores) {
    assert_eq!(stores.list_sealed(None, 9, NOW).await.unwrap(), []);
    let [acme, globex] = two_tenants(&stores).await;
    for number in 2..=11 {
        let sealed_private_key = vec![u8::try_from(number).unwrap()];
        let algorithm = if number == 3 { KeyAlgorithm::OpaqueTokens } else { SigningAlgorithm::RS256.into() };
        let key = KeyRecord { sealed_private_key, algorithm, ..fixtures::key(number) };
        assert!(stores.add_key(&acme, &key).await.unwrap());
    }
    for name in ["pepper", "Another"] {
        assert!(stores.put_sealed_if_absent(name, name.as_bytes(), NOW).await.unwrap());
    }
    let mut destroying = requests::declared(Vec::new());
    requests::destroy_key(&mut destroying, &acme, KeyId::numbered(5));
    commit(&stores, &destroying).await;
    for number in 1..=4 {
        let sources = (number != 2).then(|| vec![u8::try_from(number).unwrap(); 3]);
        commit(&stores, &generation(number, sources)).await;
    }
    for (tenant, key, seconds) in
        [(&globex, 1, 60), (&acme, 200, 60), (&acme, 9, 20), (&acme, 1, 61), (&acme, 8, 21)]
    {
        let sealed = vec![key, 0, 255];
        let answer = IdempotentAnswer { sealed, ..answer(&fixtures::tenant(tenant.as_str()), key, seconds) };
        commit(&stores, &answering(&answer)).await;
    }

    let mut expected = vec![(place(&acme, 1), fixtures::key(1).sealed_private_key)];
    expected.extend((2..=11).filter(|number| *number != 5).map(|number| {
        let of = SealedPlace::SigningKey {
            tenant: acme.clone(),
            id: KeyId::numbered(number),
            algorithm: if number == 3 { KeyAlgorithm::OpaqueTokens } else { SigningAlgorithm::RS256.into() },
        };
        (of, vec![u8::try_from(number).unwrap()])
    }));
    expected.push((place(&globex, 1), fixtures::key(1).sealed_private_key));
    expected.extend(["Another", "pepper"].map(|name| (named(name), name.as_bytes().to_vec())));
    expected.extend([1, 3, 4].map(|number| (sources(number), vec![number; 3])));
    let answers = [(&acme, 1), (&acme, 8), (&acme, 200), (&globex, 1)];
    expected.extend(answers.map(|(tenant, key)| (answered(tenant, key), vec![key, 0, 255])));
    for limit in [1, 2, 5, 11, 12, 100] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|(place, _)| place);
            let page = stores.list_sealed(after, limit, at(20)).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "{limit}");
    }
}

/// If two processes reseal the same row, one of them succeeds. Caches are invalidated, and no plan becomes
/// stale.
pub async fn sealed_value_is_replaced_only_if_unchanged(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    assert!(stores.put_sealed_if_absent("pepper", &[1, 0, 255], NOW).await.unwrap());
    for number in [1, 2] {
        commit(&stores, &generation(number, Some(vec![5, 0, 254]))).await;
    }
    let given = [&acme, &globex].map(|tenant| answer(&fixtures::tenant(tenant.as_str()), 1, 60));
    for answer in &given {
        commit(&stores, &answering(answer)).await;
    }
    let position = stores.position().await.unwrap();
    let old = fixtures::key(1).sealed_private_key;
    let other_algorithm = SealedPlace::SigningKey {
        tenant: acme.clone(),
        id: KeyId::numbered(1),
        algorithm: SigningAlgorithm::ES256.into(),
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
        (sources(1), &[5, 0, 254], &[6, 0, 253], true),
        (sources(1), &[5, 0, 254], &[7], false),
        (sources(3), &[5, 0, 254], &[7], false),
        (answered(&acme, 1), &given[0].sealed, &[6, 0, 252], true),
        (answered(&acme, 1), &given[0].sealed, &[7], false),
        (answered(&acme, 2), &given[0].sealed, &[7], false),
        (answered(&fixtures::tenant_id("nobody"), 1), &given[0].sealed, &[7], false),
    ] {
        assert_eq!(stores.replace_sealed(&place, old, new).await.unwrap(), expected, "{place:?} {new:?}");
    }
    let sealed = async |tenant| stores.find_keys(tenant).await.unwrap().keys[0].sealed_private_key.clone();
    assert_eq!((sealed(&acme).await, sealed(&globex).await), (vec![9, 0, 200], old));
    assert_eq!(stores.find_sealed("pepper").await.unwrap(), Some(vec![2, 255]));
    assert_eq!(stores.find_generation_sources(1).await.unwrap(), Some(vec![6, 0, 253]));
    assert_eq!(stores.find_generation_sources(2).await.unwrap(), Some(vec![5, 0, 254]));
    let [ours, theirs] = given;
    let found = stores.find_idempotent_answer(&acme, &[1; 32], NOW).await.unwrap();
    assert_eq!(found, Some(IdempotentAnswer { sealed: vec![6, 0, 252], ..ours }));
    assert_eq!(stores.find_idempotent_answer(&globex, &[1; 32], NOW).await.unwrap(), Some(theirs));
    assert_eq!(published(&stores, position).await, [Invalidation::Keys(acme.clone())]);
    assert_eq!(revision(&stores, &acme).await, 1);
}

/// A key that was destroyed between reading and writing stays destroyed, and needs no sealing key.
pub async fn destroyed_keys_are_not_resealed(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let mut request = requests::declared(Vec::new());
    for tenant in [&acme, &globex] {
        assert!(stores.holds_sealed_rows().await.unwrap());
        requests::destroy_key(&mut request, tenant, KeyId::numbered(1));
    }
    commit(&stores, &request).await;
    for old in [&fixtures::key(1).sealed_private_key[..], &[]] {
        assert!(!stores.replace_sealed(&place(&acme, 1), old, &[7]).await.unwrap());
    }
    let records = stores.load_keys(&acme).await.unwrap().unwrap().records;
    assert!(records.keys[0].sealed_private_key.is_empty());
    assert_eq!(stores.list_sealed(None, 9, NOW).await.unwrap(), []);
    assert!(!stores.holds_sealed_rows().await.unwrap());
}

/// Between reading and writing, a generation became too old for a rollback, and an answer expired and was
/// replaced.
pub async fn deleted_values_are_not_resealed(stores: Stores) {
    let acme = fixtures::tenant("acme");
    commit(&stores, &generation(1, Some(vec![5]))).await;
    commit(&stores, &answering(&answer(&acme, 1, 60))).await;
    let before = stores.list_sealed(None, 9, NOW).await.unwrap();
    let before = [before, stores.list_sealed(Some(&sources(1)), 9, NOW).await.unwrap()].concat();
    for number in 2..=KEPT_SOURCES + 1 {
        commit(&stores, &generation(number, None)).await;
    }
    let later = IdempotentAnswer { sealed: vec![8], ..answer(&acme, 1, 120) };
    commit(&stores, &CommitRequest { now: at(60), ..answering(&later) }).await;
    for (place, old) in &before {
        assert!(!stores.replace_sealed(place, old, &[9]).await.unwrap(), "{place:?}");
    }
    assert!(before.iter().any(|(place, _)| *place == sources(1)));
    assert_eq!(stores.find_generation_sources(1).await.unwrap(), None);
    assert_eq!(stores.list_sealed(None, 9, at(60)).await.unwrap(), [(answered(&acme.id, 1), vec![8])]);
}

fn place(tenant: &TenantId, number: u32) -> SealedPlace {
    let key = fixtures::key(number);
    SealedPlace::SigningKey { tenant: tenant.clone(), id: key.id, algorithm: key.algorithm }
}

fn named(name: &str) -> SealedPlace {
    SealedPlace::Named(name.to_owned())
}

fn sources(generation: u8) -> SealedPlace {
    SealedPlace::Sources { generation: generation.into(), content: Fingerprint::from_bytes([generation; 32]) }
}

fn answered(tenant: &TenantId, key: u8) -> SealedPlace {
    SealedPlace::IdempotentAnswer { tenant: tenant.clone(), key: [key; 32] }
}
