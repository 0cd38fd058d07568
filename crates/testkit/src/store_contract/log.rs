//! The log of changes, from which other processes learn what to invalidate.

use administration::kinds::Invalidation;
use administration::kinds::change::{ChangeKind, SecretChangeKind};
use registry::Client;

use super::{Stores, add, apply, commit};
use crate::{fixtures, requests};

/// Changes are listed after any position; there are none after the newest. Added keys are listed, too.
pub async fn changes_are_listed_in_order_since_a_position(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    let with_secret = Client { secrets: vec![fixtures::secret("s1")], ..svc.clone() };
    add(&stores, &acme, &[&with_secret]).await;
    let start = stores.position().await.unwrap();
    assert_eq!(stores.changes_since(start).await.unwrap(), []);

    let renamed = Client { name: "renamed".to_owned(), ..svc.clone() };
    apply(&stores, requests::client(ChangeKind::Changed, &svc, &renamed)).await;
    let middle = stores.position().await.unwrap();
    assert!(stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
    assert!(!stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
    let server = &acme.resource_servers[0];
    let server = requests::resource_server(&acme.id, ChangeKind::Retired, Some(server), server);
    let secret = requests::secret(&svc, &with_secret.secrets[0], SecretChangeKind::Revoked);
    commit(&stores, &requests::declared(vec![server, secret])).await;

    let client = || Invalidation::Client(acme.id.clone(), svc.id.clone());
    let later = [
        Invalidation::Keys(acme.id.clone()),
        Invalidation::Tenant(acme.id.clone()),
        client(),
        Invalidation::Revocations(acme.id.clone()),
    ];
    let published = stores.changes_since(middle).await.unwrap();
    assert!(published.is_sorted_by(|(left, _), (right, _)| left < right));
    assert!(published.iter().all(|(position, _)| *position > middle));
    assert_eq!(published.last().unwrap().0, stores.position().await.unwrap());
    assert_eq!(published.into_iter().map(|(_, change)| change).collect::<Vec<_>>(), later);
    let published = stores.changes_since(start).await.unwrap();
    assert_eq!(published[0].1, client());
    assert_eq!(published.len(), 5);
}
