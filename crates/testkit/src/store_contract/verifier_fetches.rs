//! The keys that verifiers fetched, which several replicas record in batches.

use administration::store::{KEPT_VERIFIERS, VerifierFetch};
use keys::KeyId;
use tenancy::TenantId;

use super::key_commits::two_tenants;
use super::{Stores, at, revision};
use crate::fixtures::{self, NOW};

/// A verifier has one time and one key, the latest of each, in whatever order the batches arrive. The number
/// of verifiers of each tenant is limited.
pub async fn verifier_fetches_are_merged_and_pruned(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let first = [seen(&acme, "a", 5, 1), seen(&acme, "b", 7, 2), seen(&acme, "a", 9, 1)];
    stores.record_verifier_fetches(&first).await.unwrap();
    // An older copy from another replica removes no key, and a late record does not set the time back.
    stores.record_verifier_fetches(&[seen(&acme, "b", 8, 1), seen(&acme, "a", 3, 4)]).await.unwrap();
    stores.record_verifier_fetches(&[seen(&globex, "a", 2, 1)]).await.unwrap();
    stores.record_verifier_fetches(&[]).await.unwrap();
    let expected = [seen(&acme, "a", 9, 4), seen(&acme, "b", 8, 2)];
    assert_eq!(stores.verifier_fetches(&acme).await.unwrap(), expected);
    assert_eq!(stores.verifier_fetches(&globex).await.unwrap(), [seen(&globex, "a", 2, 1)]);

    // Any caller may use any name, as often as it likes. The known verifiers keep their places, and fetch
    // again.
    let numbered = |from: u64, count: u64, at: u64, key| {
        // Names are compared by bytes, so upper case comes first, whatever the language of the database.
        let name = |nth: u64| format!("{}{:04}", if nth.is_multiple_of(2) { "v" } else { "V" }, from + nth);
        let seen = |nth: u64| seen(&acme, &name(nth), at + nth / 2, key);
        (0..count).map(seen).collect::<Vec<_>>()
    };
    let places = u64::try_from(KEPT_VERIFIERS).unwrap();
    let newcomers = numbered(0, places + 50, 100, 9);
    for batch in newcomers.chunks(200) {
        stores.record_verifier_fetches(batch).await.unwrap();
    }
    // The first batch leaves 54 places. Pairs arrive at the same time, and the latest of the second batch
    // stay.
    let mut kept = [&expected[..], &newcomers[..200], &newcomers[252..]].concat();
    let latest_first = |seen: &mut Vec<VerifierFetch>| {
        seen.sort_by_key(|seen| (std::cmp::Reverse(seen.last_fetch_at), seen.verifier.clone()));
    };
    latest_first(&mut kept);
    assert_eq!(kept.len(), KEPT_VERIFIERS);
    assert_eq!(stores.verifier_fetches(&acme).await.unwrap(), kept);
    let again = [&numbered(5000, places, 400, 9)[..], &[seen(&acme, "b", 600, 4)]].concat();
    stores.record_verifier_fetches(&again).await.unwrap();
    kept.iter_mut().filter(|kept| kept.verifier == "b").for_each(|b| *b = seen(&acme, "b", 600, 4));
    latest_first(&mut kept);
    assert_eq!(stores.verifier_fetches(&acme).await.unwrap(), kept);

    // A verifier that has not fetched for a day is replaced, unless it fetches just now.
    let day = 86_400;
    // The number is odd, so that one of a pair finds a place and the other does not.
    let late = [&numbered(7000, places - 1, day + 23, 9)[..], &[seen(&acme, "a", day + 25, 4)]].concat();
    stores.record_verifier_fetches(&late).await.unwrap();
    let since = at(late.iter().map(|seen| seen.last_fetch_at.seconds() - NOW.seconds()).max().unwrap() - day);
    kept.retain(|seen| seen.last_fetch_at > since && seen.verifier != "a");
    kept.push(seen(&acme, "a", day + 25, 4));
    let mut newcomers = late[..late.len() - 1].to_vec();
    latest_first(&mut newcomers);
    newcomers.truncate(KEPT_VERIFIERS - kept.len());
    assert!((50..=200).contains(&newcomers.len()), "{}", newcomers.len());
    kept.extend(newcomers);
    latest_first(&mut kept);
    assert_eq!(stores.verifier_fetches(&acme).await.unwrap(), kept);
    assert_eq!(stores.verifier_fetches(&globex).await.unwrap().len(), 1);
    // No plan depends on fetches, so the revision does not change.
    assert_eq!(revision(&stores, &acme).await, 1);
}

/// A tenant may be deleted while a fetch waits to be recorded.
pub async fn verifier_fetches_of_unknown_tenants_are_ignored(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let unknown = fixtures::tenant_id("nobody");
    let batch = [seen(&unknown, "a", 1, 1), seen(&acme, "a", 1, 1)];
    stores.record_verifier_fetches(&batch).await.unwrap();
    assert_eq!(stores.verifier_fetches(&acme).await.unwrap(), [seen(&acme, "a", 1, 1)]);
    for none in [&unknown, &globex] {
        assert_eq!(stores.verifier_fetches(none).await.unwrap(), []);
    }
}

fn seen(tenant: &TenantId, verifier: &str, seconds: u64, newest_key: u32) -> VerifierFetch {
    VerifierFetch {
        tenant: tenant.clone(),
        verifier: verifier.to_owned(),
        last_fetch_at: at(seconds),
        newest_key: KeyId::numbered(newest_key),
    }
}
