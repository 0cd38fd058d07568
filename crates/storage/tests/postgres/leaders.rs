//! Tests several processes that maintain keys while requests create first keys. Each step happens once, and
//! no process waits forever.

use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, KeyChange, KeyChangeKind};
use administration::store::{CommitOutcome, KeySchedule as _, SealedItems as _, SealedPlace, UsageLog as _};
use keys::{KeyId, KeyRecord, SigningKeyStore as _};
use tenancy::TenantId;
use testkit::fixtures::{self, NOW, key, key_of};
use testkit::requests::{self, CommitRequest};
use values::{Lifetime, Timestamp};

use crate::belongings::seen;
use crate::sandbox::Sandbox;

fn announced(tenant: &TenantId, revision: u64, key: &KeyRecord, due_at: Timestamp) -> CommitRequest {
    let kind = KeyChangeKind::Announced {
        algorithm: key.algorithm,
        thumbprint: key.thumbprint.clone(),
        active_from: key.active_from,
        imported: false,
    };
    let mut request = requests::declared(vec![Change::Key(tenant.clone(), KeyChange { id: key.id, kind })]);
    request.expected_revisions = vec![(tenant.clone(), revision)];
    request.edit.keys.added = vec![(tenant.clone(), key.clone())];
    request.edit.keys.due = vec![(tenant.clone(), Some(due_at))];
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn lease_has_one_owner_until_it_expires() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    for round in 0..20 {
        let now = NOW + Lifetime::from_seconds(15 * round);
        let until = now + Lifetime::from_seconds(15);
        let (here, there) = tokio::join!(
            left.try_lease("rotation", "left", now, until),
            right.try_lease("rotation", "right", now, until)
        );
        let (here, there) = (here.unwrap(), there.unwrap());
        assert_ne!(here, there, "{round}");
        // The owner of a lease can renew it, and can own another lease at the same time.
        let (has, other) = if here { (&left, "left") } else { (&right, "right") };
        assert!(has.try_lease("rotation", other, now, until).await.unwrap());
        assert!(left.try_lease(&format!("other-{round}"), "third", now, until).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_leader_announces_a_key() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let acme = fixtures::tenant("acme");
    requests::commit(&left, &requests::added(&acme, &[])).await.unwrap();
    assert!(left.add_key(&acme.id, &key(1)).await.unwrap());
    for (revision, number) in (1..=10).zip(2..) {
        let due_at = NOW + Lifetime::from_seconds(u64::from(number));
        let of = |name: &str| {
            let key = KeyRecord { thumbprint: format!("{name}-{number}"), ..key(number) };
            announced(&acme.id, revision, &key, due_at)
        };
        let (here, there) = (of("left"), of("right"));
        let (here, there) = tokio::join!(requests::commit(&left, &here), requests::commit(&right, &there));
        let outcomes = [here.unwrap(), there.unwrap()];
        assert!(
            outcomes.contains(&CommitOutcome::Committed { generation: None, resumed_until: None }),
            "{outcomes:?}"
        );
        assert!(outcomes.contains(&CommitOutcome::StaleRevision), "{outcomes:?}");
        let state = left.load_keys(&acme.id).await.unwrap().unwrap();
        assert_eq!((state.records.next, state.due_at), (KeyId::numbered(number + 1), Some(due_at)));
        assert_eq!(state.records.keys.len(), number as usize);
    }
}

/// A request locks its tenant's row, then its schedule, then the log. All other statements must lock in the
/// same order.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_key_statements_do_not_deadlock() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    for number in 0..20 {
        let acme = fixtures::tenant(&format!("acme-{number}"));
        requests::commit(&left, &requests::added(&acme, &[])).await.unwrap();
        assert!(left.add_key(&acme.id, &key_of(&acme.id, 1)).await.unwrap());
        let mut edit = requests::declared(vec![Change::Client(requests::row(
            ChangeKind::Added,
            None,
            &fixtures::client(&acme, "svc"),
        ))]);
        edit.expected_revisions = vec![(acme.id.clone(), 1)];
        let (first, second) = (key_of(&acme.id, 1), key_of(&acme.id, 2));
        let place =
            SealedPlace::SigningKey { tenant: acme.id.clone(), id: first.id, algorithm: first.algorithm };
        let fetches = [seen(&acme.id)];
        let (added, edited, sealed, recorded) = tokio::join!(
            left.add_key(&acme.id, &second),
            requests::commit(&right, &edit),
            right.replace_sealed(&place, &first.sealed_private_key, b"anew"),
            left.record_verifier_fetches(&fetches)
        );
        assert!(added.unwrap() && sealed.unwrap());
        assert_eq!(edited.unwrap(), CommitOutcome::Committed { generation: None, resumed_until: None });
        recorded.unwrap();
        let state = right.load_keys(&acme.id).await.unwrap().unwrap();
        assert_eq!(state.records.keys[0].sealed_private_key, b"anew");
        assert_eq!((state.records.keys.len(), state.due_at), (2, Some(NOW)));
    }
}
