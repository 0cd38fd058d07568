//! The addresses that used secrets, recorded in batches by several replicas.

use administration::{Instant, KEPT_ADDRESSES, SecretChangeKind, SecretUsage, UsedFrom};
use registry::{Client, UseOutcome};
use tenancy::Tenant;

use super::{Stores, add, apply, at, revision};
use crate::{fixtures, requests};

/// An address has one time, the latest, in whatever order the batches come. The latest addresses of each
/// secret stay.
pub async fn usage_of_secrets_is_merged_and_pruned(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    for tenant in [&acme, &globex] {
        let secrets = vec![fixtures::secret("s1"), fixtures::secret("s2")];
        add(&stores, tenant, &[&Client { secrets, ..fixtures::client(tenant, "svc") }]).await;
    }
    let svc = fixtures::client_id("svc");
    let first = [used(&acme, "s1", "a", 5), used(&acme, "s1", "b", 7), used(&acme, "s1", "a", 9)];
    stores.record_secret_usage(&first).await.unwrap();
    stores.record_secret_usage(&[used(&acme, "s1", "b", 6), used(&acme, "s2", "a", 1)]).await.unwrap();
    stores.record_secret_usage(&[used(&globex, "s1", "c", 2)]).await.unwrap();
    stores.record_secret_usage(&[]).await.unwrap();
    let expected = [used(&acme, "s1", "a", 9), used(&acme, "s1", "b", 7), used(&acme, "s2", "a", 1)];
    assert_eq!(sorted(stores.secret_usage(&acme.id, &svc).await.unwrap()), expected);
    assert_eq!(stores.secret_usage(&globex.id, &svc).await.unwrap(), [used(&globex, "s1", "c", 2)]);

    let of_range = async |tenant: &Tenant, first, last| {
        let clients = fixtures::client_id(first)..=fixtures::client_id(last);
        stores.secret_usage_of_clients(&tenant.id, &clients).await.unwrap()
    };
    assert_eq!(sorted(of_range(&acme, "svc", "svc").await), expected);
    assert_eq!(of_range(&globex, "a", "z").await, [used(&globex, "s1", "c", 2)]);
    assert_eq!(of_range(&acme, "svd", "z").await, []);

    let all: Vec<_> = (0..200).map(|nth| used(&acme, "s1", &format!("address {nth}"), 100 + nth)).collect();
    for batch in all.chunks(80) {
        stores.record_secret_usage(batch).await.unwrap();
    }
    let kept = stores.secret_usage(&acme.id, &svc).await.unwrap();
    let (of_first, of_second): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|used| used.secret.as_str() == "s1");
    assert_eq!(sorted(of_first), sorted(all[all.len() - KEPT_ADDRESSES..].to_vec()));
    assert_eq!(of_second, [used(&acme, "s2", "a", 1)]);

    // Refused attempts from the same and from other addresses take no place of a use.
    let attempts: Vec<_> =
        (0..200).map(|nth| refused(&acme, "s1", &format!("elsewhere {nth}"), 900 + nth)).collect();
    for batch in attempts.chunks(80) {
        stores.record_secret_usage(batch).await.unwrap();
    }
    let kept = stores.secret_usage(&acme.id, &svc).await.unwrap();
    let of = |kept: &[SecretUsage], time: fn(&UsedFrom) -> Option<Instant>| {
        let of_first = kept.iter().filter(|used| used.secret.as_str() == "s1");
        let mut times: Vec<_> = of_first
            .filter_map(|used| time(&used.from))
            .map(|time| time.0.seconds() - at(0).seconds())
            .collect();
        times.sort_unstable();
        times
    };
    let latest = KEPT_ADDRESSES as u64;
    assert_eq!(of(&kept, |from| from.last_used_at), (300 - latest..300).collect::<Vec<_>>());
    assert_eq!(of(&kept, |from| from.presented_after_end_at), (1_100 - latest..1_100).collect::<Vec<_>>());
    // Both facts of one address come in one batch, or after each other.
    let both = [used(&acme, "s2", "b", 20), refused(&acme, "s2", "b", 30), refused(&acme, "s2", "a", 9)];
    stores.record_secret_usage(&both).await.unwrap();
    let kept = sorted(stores.secret_usage(&acme.id, &svc).await.unwrap());
    let second: Vec<_> =
        kept.iter().filter(|used| used.secret.as_str() == "s2").map(|used| &used.from).collect();
    let from = |address: &str, used: u64, refused: u64| UsedFrom {
        address: address.to_owned(),
        last_used_at: Some(at(used).into()),
        presented_after_end_at: Some(at(refused).into()),
    };
    assert_eq!(second, [&from("a", 1, 9), &from("b", 20, 30)]);
    assert_eq!(stores.secret_usage(&globex.id, &svc).await.unwrap(), [used(&globex, "s1", "c", 2)]);
    // No plan depends on it.
    assert_eq!(revision(&stores, &acme.id).await, 1);
}

/// A secret may go while its last use waits to be noted.
pub async fn usage_of_unknown_secrets_is_ignored(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&acme, "svc") };
    add(&stores, &acme, &[&svc]).await;
    apply(&stores, requests::secret(&svc, &svc.secrets[0], SecretChangeKind::Revoked)).await;
    let unknown = fixtures::tenant("nobody");
    let batch = [used(&unknown, "s1", "a", 1), used(&acme, "s9", "a", 1), used(&acme, "s1", "a", 1)];
    stores.record_secret_usage(&batch).await.unwrap();
    let found = stores.secret_usage(&acme.id, &svc.id).await.unwrap();
    assert_eq!(found, [used(&acme, "s1", "a", 1)]);
    assert!(stores.secret_usage(&unknown.id, &svc.id).await.unwrap().is_empty());
}

pub(super) fn used(tenant: &Tenant, secret: &str, address: &str, seconds: u64) -> SecretUsage {
    SecretUsage {
        tenant: tenant.id.clone(),
        client: fixtures::client_id("svc"),
        secret: fixtures::secret(secret).id,
        from: UsedFrom::presented(address.to_owned(), UseOutcome::Accepted, at(seconds)),
    }
}

fn refused(tenant: &Tenant, secret: &str, address: &str, seconds: u64) -> SecretUsage {
    let from = UsedFrom::presented(address.to_owned(), UseOutcome::Refused, at(seconds));
    SecretUsage { from, ..used(tenant, secret, address, 0) }
}

fn sorted(mut usage: Vec<SecretUsage>) -> Vec<SecretUsage> {
    usage.sort_by_key(|used| (used.secret.clone(), used.from.address.clone()));
    usage
}
