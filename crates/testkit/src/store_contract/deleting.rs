//! Deletion of tenants and clients. The names of deleted rows stay reserved.

use administration::documents::application::Application;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::store::CommitOutcome;
use administration::store::query::TenantQuery;
use registry::{Client, ClientStatus};
use tenancy::{Tenant, TenantStatus};

use super::applications::application;
use super::bookkeeping::answer;
use super::secret_usage::used;
use super::{Stores, add, apply, at, commit, commit_now};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// The first step makes the tenant inactive and can be cancelled; the second cannot.
pub async fn a_tenant_is_deleted_in_two_steps(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    let due_at = at(600);
    let stopped = Tenant { status: TenantStatus::Suspended { keys_published_until: due_at }, ..acme.clone() };
    let schedule = tenant(ChangeKind::DeletionScheduled { due_at }, &stopped);
    let due = async || stores.load_state(&acme.id).await.unwrap().unwrap().lifecycle.deletion_due_at;
    commit(&stores, &schedule).await;
    assert_eq!(due().await, Some(due_at));
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&stopped));
    commit(&stores, &tenant(ChangeKind::DeletionCancelled, &acme)).await;
    assert_eq!(due().await, None);
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&acme));

    commit(&stores, &schedule).await;
    commit(&stores, &own(tenant(ChangeKind::Deleted, &stopped))).await;
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap(), None);
    let lifecycle = stores.load_state(&acme.id).await.unwrap().unwrap().lifecycle;
    assert_eq!((lifecycle.deleted_at, lifecycle.deletion_due_at), (Some(NOW), None));
    for kind in
        [ChangeKind::DeletionCancelled, ChangeKind::Resumed, ChangeKind::Restored, ChangeKind::Changed]
    {
        let outcome = commit_now(&stores, &own(tenant(kind, &acme))).await;
        assert_eq!(outcome, CommitOutcome::StaleRevision, "{kind:?}");
    }
}

/// The earliest comes first. At most the requested number is returned.
pub async fn due_deletions_are_found(stores: Stores) {
    for (id, due) in [("late", Some(30)), ("b-soon", Some(10)), ("a-soon", Some(10)), ("never", None)] {
        let stopped = fixtures::tenant(id);
        add(&stores, &stopped, &[]).await;
        if let Some(due) = due {
            commit(&stores, &tenant(ChangeKind::DeletionScheduled { due_at: at(due) }, &stopped)).await;
        }
    }
    let found = async |seconds, limit| {
        let found = stores.find_due_deletions(at(seconds), limit).await.unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(found(9, 10).await.is_empty());
    assert_eq!(found(10, 10).await, ["a-soon", "b-soon"]);
    assert_eq!(found(30, 10).await, ["a-soon", "b-soon", "late"]);
    assert_eq!(found(30, 2).await, ["a-soon", "b-soon"]);
    commit(&stores, &own(tenant(ChangeKind::Deleted, &fixtures::tenant("a-soon")))).await;
    assert_eq!(found(30, 10).await, ["b-soon", "late"]);
}

/// Secrets, keys, applications and answers of the tenant are deleted. Those of other tenants stay.
pub async fn deleted_tenant_keeps_only_its_names(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    for owner in [&acme, &globex] {
        let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(owner, "svc") };
        add(&stores, owner, &[&svc]).await;
        assert!(stores.add_key(&owner.id, &fixtures::key_of(&owner.id, 1)).await.unwrap());
        stores.record_secret_usage(&[used(owner, "s1", "a", 0)]).await.unwrap();
        let shop = Application { client: Some(svc.id), ..application(owner, "shop") };
        let added = Change::Application(requests::row(ChangeKind::Added, None, &shop));
        let mut request = requests::declared(vec![added]);
        request.idempotent = Some(answer(owner, 5, 60));
        commit(&stores, &request).await;
    }
    commit(&stores, &own(tenant(ChangeKind::Deleted, &acme))).await;
    for (owner, there) in [(&acme, false), (&globex, true)] {
        let (id, svc) = (&owner.id, fixtures::client_id("svc"));
        assert_eq!(stores.find_tenant(id).await.unwrap().is_some(), there);
        assert_eq!(stores.find_client(id, &svc).await.unwrap().is_some(), there);
        assert_eq!(stores.find_keys(id).await.unwrap().keys.len(), usize::from(there));
        assert_eq!(stores.secret_usage(id, &svc).await.unwrap().len(), usize::from(there));
        assert_eq!(stores.list_applications(id, 0, 10).await.unwrap().0, u64::from(there));
        let found = stores.find_idempotent_answer(id, &[5; 32], NOW).await.unwrap();
        assert_eq!(found.is_some(), there);
        let state = stores.load_state(id).await.unwrap().unwrap();
        assert_eq!(state.clients[0].secrets.len(), usize::from(there));
        assert_eq!(state.clients[0].lifecycle.is_live(), there);
        assert_eq!(state.resource_servers[0].lifecycle.is_live(), there);
        let listed = stores.list_tenants(&TenantQuery { limit: 9, ..TenantQuery::default() }).await.unwrap();
        assert_eq!(listed.iter().any(|(_, state)| state.tenant.id == *id), there);
        let terms = vec![id.to_string()];
        let found = stores.list_tenants(&TenantQuery { terms, limit: 9, after: None }).await.unwrap();
        assert_eq!(found.len(), usize::from(there));
        assert_eq!(stores.find_issuer_owners(std::slice::from_ref(&owner.issuer)).await.unwrap().len(), 1);
    }
    assert!(!stores.add_key(&acme.id, &fixtures::key(2)).await.unwrap());
    assert_eq!(commit_now(&stores, &requests::added(&acme, &[])).await, CommitOutcome::StaleRevision);
    let thief = Tenant { issuer: acme.issuer.clone(), ..fixtures::tenant("thief") };
    assert_eq!(commit_now(&stores, &requests::added(&thief, &[])).await, CommitOutcome::StaleRevision);
}

/// A client with the same id in another tenant is not affected.
pub async fn deleted_client_keeps_only_its_id(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    for owner in [&acme, &globex] {
        let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(owner, "svc") };
        add(&stores, owner, &[&svc]).await;
        stores.record_secret_usage(&[used(owner, "s1", "a", 0)]).await.unwrap();
    }
    let svc = fixtures::client(&acme, "svc");
    let change = |kind| requests::declared(vec![requests::client(kind, &svc, &svc)]);
    commit(&stores, &change(ChangeKind::Deleted)).await;
    assert_eq!(stores.find_client(&acme.id, &svc.id).await.unwrap(), None);
    assert!(stores.secret_usage(&acme.id, &svc.id).await.unwrap().is_empty());
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert_eq!((state.clients[0].secrets.len(), state.clients[0].lifecycle.deleted_at), (0, Some(NOW)));
    for kind in [ChangeKind::Added, ChangeKind::Resumed, ChangeKind::Restored, ChangeKind::Changed] {
        assert_eq!(commit_now(&stores, &change(kind)).await, CommitOutcome::StaleRevision, "{kind:?}");
    }
    let theirs = stores.find_client(&globex.id, &svc.id).await.unwrap().unwrap();
    assert_eq!((theirs.status, theirs.secrets.len()), (ClientStatus::Active, 1));
    assert_eq!(stores.secret_usage(&globex.id, &svc.id).await.unwrap().len(), 1);
}

/// Until a declared row is retired, only the files can remove it.
pub async fn api_deletes_declared_rows_only_after_retirement(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    let server = &acme.resource_servers[0];
    add(&stores, &acme, &[&svc]).await;
    let rows = |kind| {
        [
            requests::client(kind, &svc, &svc),
            requests::resource_server(&acme.id, kind, Some(server), server),
            requests::tenant(kind, &acme, &acme),
        ]
    };
    let by_api = |change| CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(vec![change]) };
    for (retired, deleted) in rows(ChangeKind::Retired).into_iter().zip(rows(ChangeKind::Deleted)) {
        let deletion = by_api(deleted);
        assert_eq!(commit_now(&stores, &deletion).await, CommitOutcome::StaleRevision);
        apply(&stores, retired).await;
        commit(&stores, &deletion).await;
    }
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert!(state.lifecycle.deleted_at.is_some());
}

fn tenant(kind: ChangeKind, after: &Tenant) -> CommitRequest {
    let change = requests::tenant(kind, after, after);
    CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(vec![change]) }
}

/// The request as one of the files, which created the rows of these tests.
fn own(request: CommitRequest) -> CommitRequest {
    CommitRequest { managed_by: ManagedBy::Config, ..request }
}
