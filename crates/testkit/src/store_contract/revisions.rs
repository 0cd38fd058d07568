//! A plan is written only if the tenant still has the revision on which the plan was made.

use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, SecretChangeKind};
use administration::kinds::state::ManagedBy;
use administration::store::CommitOutcome;
use registry::Client;
use tenancy::Tenant;

use super::{
    Stores, add, apply, at, commit, commit_now, planned_commit, resting_on_today, revision, two_tenants,
};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// A plan is stale after any change. The next plan uses the current rows.
pub async fn a_plan_on_an_older_revision_is_stale(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&acme, "svc") };
    add(&stores, &acme, &[&svc]).await;
    let server = &acme.resource_servers[0];
    let renamed = Tenant { name: "renamed".to_owned(), ..acme.clone() };
    let planned = resting_on_today(&stores, &renaming(&acme, &renamed)).await;
    let meanwhile = [
        requests::secret(&svc, &svc.secrets[0], SecretChangeKind::Revoked),
        requests::resource_server(&acme.id, ChangeKind::Retired, Some(server), server),
        requests::client(ChangeKind::Retired, &svc, &svc),
    ];
    for change in meanwhile {
        let planned = resting_on_today(&stores, &renaming(&acme, &renamed)).await;
        apply(&stores, change).await;
        assert_eq!(planned_commit(&stores, &planned).await, CommitOutcome::StaleRevision);
    }
    assert_eq!(planned_commit(&stores, &planned).await, CommitOutcome::StaleRevision);
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().unwrap().name, acme.name);
    commit(&stores, &renaming(&acme, &renamed)).await;
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().unwrap().name, "renamed");
}

/// The other client may be managed by another interface. The rules apply to a tenant as a whole, so the plan
/// is stale.
pub async fn change_of_another_client_makes_plan_stale(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &["svc", "other"]).await;
    let suspended = |tenant: &Tenant, id: &str| {
        let client = fixtures::client(tenant, id);
        let change = requests::client(ChangeKind::Suspended, &client, &client);
        CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(vec![change]) }
    };
    let planned = resting_on_today(&stores, &suspended(&acme, "svc")).await;
    commit(&stores, &suspended(&globex, "svc")).await;
    commit(&stores, &suspended(&acme, "other")).await;
    assert_eq!(planned_commit(&stores, &planned).await, CommitOutcome::StaleRevision);

    // The commit does not affect the other tenant.
    let planned = resting_on_today(&stores, &suspended(&globex, "other")).await;
    commit(&stores, &suspended(&acme, "svc")).await;
    let outcome = planned_commit(&stores, &planned).await;
    assert_eq!(outcome, CommitOutcome::Committed { generation: None, resumed_until: None });
}

pub async fn commit_increments_revision_of_each_expected_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await;
    let revisions = async || (revision(&stores, &acme.id).await, revision(&stores, &globex.id).await);
    assert_eq!(revisions().await, (1, 1));
    assert!(stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
    assert_eq!(revisions().await, (1, 1));
    let svc = fixtures::client(&acme, "svc");
    apply(&stores, Change::Client(requests::row(ChangeKind::Added, None, &svc))).await;
    assert_eq!(revisions().await, (2, 1));
    let mut nothing = requests::declared(Vec::new());
    nothing.expected_revisions = vec![(acme.id.clone(), 2), (globex.id.clone(), 2)];
    assert_eq!(planned_commit(&stores, &nothing).await, CommitOutcome::StaleRevision);
    assert_eq!(revisions().await, (2, 1));
    nothing.expected_revisions[1].1 = 1;
    assert!(matches!(planned_commit(&stores, &nothing).await, CommitOutcome::Committed { .. }));
    assert_eq!(revisions().await, (3, 2));
}

/// A plan that did not read the tenant it changes is a bug.
pub async fn change_without_expected_revision_is_refused(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    let renamed = Tenant { name: "renamed".to_owned(), ..acme.clone() };
    let mut request = renaming(&acme, &renamed);
    assert!(request.decide().is_none());
    request.before.extend(stores.load_state(&acme.id).await.unwrap());
    assert!(request.decide().is_none());
}

/// The console and the API show these times.
pub async fn rows_store_creation_and_change_times(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let renamed = Client { name: "renamed".to_owned(), ..svc.clone() };
    let change = requests::client(ChangeKind::Changed, &svc, &renamed);
    commit(&stores, &CommitRequest { now: at(5), ..requests::declared(vec![change]) }).await;
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    let times =
        |lifecycle: administration::kinds::state::RowLifecycle| (lifecycle.created_at, lifecycle.updated_at);
    assert_eq!(times(state.clients[0].lifecycle), (NOW, at(5)));
    assert_eq!(times(state.lifecycle), (NOW, NOW));
    assert_eq!(times(state.resource_servers[0].lifecycle), (NOW, NOW));
}

/// A change of a retired row would become active unnoticed when the row is restored.
pub async fn fields_of_a_retired_row_do_not_change(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    apply(&stores, requests::client(ChangeKind::Retired, &svc, &svc)).await;
    let changing = requests::declared(vec![requests::client(ChangeKind::Changed, &svc, &svc)]);
    assert_eq!(commit_now(&stores, &changing).await, CommitOutcome::StaleRevision);
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert!(!state.clients[0].lifecycle.is_live());
}

fn renaming(before: &Tenant, after: &Tenant) -> CommitRequest {
    requests::declared(vec![requests::tenant(ChangeKind::Changed, before, after)])
}
