//! A commit is written completely or not at all. It is not written if its plan no longer fits the rows.

use administration::declaration::fingerprint::Fingerprint;
use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, SecretChangeKind};
use administration::kinds::state::ManagedBy;
use administration::store::{CommitOutcome, Generation, NewGeneration};
use tenancy::Tenant;

use super::{Stores, add, commit, commit_now, planned_commit};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// If one change no longer fits, no other change of the commit is written either.
pub async fn commit_is_all_or_nothing(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let unknown = fixtures::tenant("nobody");
    let nothing = fixtures::client(&acme, "nothing");
    let position = stores.position().await.unwrap();
    let stale = [
        requests::tenant(ChangeKind::Changed, &unknown, &unknown),
        requests::client(ChangeKind::Changed, &nothing, &nothing),
        requests::client(ChangeKind::Retired, &nothing, &nothing),
        requests::secret(&svc, &fixtures::secret("s1"), SecretChangeKind::Revoked),
        Change::Tenant(requests::row(ChangeKind::Added, None, &acme)),
        Change::Client(requests::row(ChangeKind::Added, None, &svc)),
    ];
    for outdated in stale {
        let new = fixtures::client(&acme, "new");
        let other = fixtures::tenant("globex");
        let first = Change::Client(requests::row(ChangeKind::Added, None, &new));
        let last = Change::Tenant(requests::row(ChangeKind::Added, None, &other));
        let mut request = requests::declared(vec![first, outdated, last]);
        request.generation = Some(generation(1, None));
        assert_eq!(commit_now(&stores, &request).await, CommitOutcome::StaleRevision);
        assert_eq!(stores.find_client(&acme.id, &new.id).await.unwrap(), None);
        assert_eq!(stores.find_tenant(&other.id).await.unwrap(), None);
        assert_eq!(stores.latest_generation().await.unwrap(), None);
    }
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&acme));
    assert_eq!(stores.changes_since(position).await.unwrap(), []);
}

/// Several replicas read the same new files, and only one applies them.
pub async fn only_one_of_two_equal_plans_is_applied(stores: Stores) {
    let configuration = |name: &str, content: u8, expected_latest: Option<u64>| {
        let mut request = requests::added(&fixtures::tenant(name), &[]);
        request.generation = Some(generation(content, expected_latest));
        request
    };
    let found = async |name| stores.find_tenant(&fixtures::tenant_id(name)).await.unwrap().is_some();
    let applied = CommitOutcome::Committed { generation: Some(1), resumed_until: None };
    assert_eq!(planned_commit(&stores, &configuration("first", 1, None)).await, applied);
    assert_eq!(
        planned_commit(&stores, &configuration("second", 2, None)).await,
        CommitOutcome::StaleRevision
    );
    assert!(found("first").await && !found("second").await);

    let applied = CommitOutcome::Committed { generation: Some(2), resumed_until: None };
    assert_eq!(planned_commit(&stores, &configuration("second", 2, Some(1))).await, applied);
    assert!(found("second").await);
    let content = Fingerprint::from_bytes([2; 32]);
    assert_eq!(
        stores.latest_generation().await.unwrap(),
        Some(Generation { number: 2, content, applied_at: NOW, left_out: Vec::new() })
    );
    for (content, known) in [(1, true), (2, true), (3, false)] {
        assert_eq!(stores.is_known_generation(&Fingerprint::from_bytes([content; 32])).await.unwrap(), known);
    }
}

/// Files never change rows that the API created, and the API never changes rows of the files.
pub async fn files_and_api_change_only_own_rows(stores: Stores) {
    for (owner, other) in [(ManagedBy::Api, ManagedBy::Config), (ManagedBy::Config, ManagedBy::Api)] {
        let tenant = fixtures::tenant(owner.as_str());
        commit(&stores, &CommitRequest { managed_by: owner, ..requests::added(&tenant, &[]) }).await;
        let renamed = Tenant { name: "renamed".to_owned(), ..tenant.clone() };
        for kind in [ChangeKind::Changed, ChangeKind::Retired] {
            let change = requests::tenant(kind, &tenant, &renamed);
            let request = CommitRequest { managed_by: other, ..requests::declared(vec![change]) };
            assert_eq!(commit_now(&stores, &request).await, CommitOutcome::StaleRevision);
        }
        assert_eq!(stores.find_tenant(&tenant.id).await.unwrap().as_deref(), Some(&tenant));
    }
}

/// The same applies to aliases.
pub async fn an_issuer_belongs_to_one_tenant(stores: Stores) {
    let acme = Tenant { issuer_aliases: vec![fixtures::issuer("thunder")], ..fixtures::tenant("acme") };
    add(&stores, &acme, &[]).await;
    for issuer in [acme.issuer.clone(), fixtures::issuer("thunder")] {
        let globex = Tenant { issuer: issuer.clone(), ..fixtures::tenant("globex") };
        let aliased = Tenant { issuer_aliases: vec![issuer], ..fixtures::tenant("globex") };
        for thief in [globex, aliased] {
            let outcome = requests::commit(&*stores, &requests::added(&thief, &[])).await;
            assert_eq!(outcome.unwrap(), CommitOutcome::StaleRevision);
            assert_eq!(stores.find_tenant(&thief.id).await.unwrap(), None);
        }
    }
}

fn generation(content: u8, expected_latest: Option<u64>) -> NewGeneration {
    let content = Fingerprint::from_bytes([content; 32]);
    NewGeneration { content, expected_latest, sealed_sources: None, left_out: Vec::new() }
}
