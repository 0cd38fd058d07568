//! The number of a tenant's clients, which is read with the tenant's row.

use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::store::CommitOutcome;
use administration::store::query::{RelatedClients, TenantQuery};
use registry::Client;
use tenancy::{Tenant, TenantStatus};

use super::{Stores, apply, commit, resting_on_today, two_tenants};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// After every change of a client the count equals the number of rows, and no other tenant's count changes.
pub async fn only_live_clients_are_counted(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &["a", "b", "c"]).await;
    assert_eq!(counts(&stores, &acme).await, 3);
    let from_api = |request| CommitRequest { managed_by: ManagedBy::Api, ..request };
    for (change, id, counted) in [
        (changed("d", ChangeKind::Added), "d", 4),
        (changed("a", ChangeKind::Suspended), "a", 4),
        (changed("a", ChangeKind::Changed), "a", 4),
        (changed("a", ChangeKind::Retired), "a", 3),
        (changed("a", ChangeKind::Resumed), "a", 3),
        (changed("a", ChangeKind::Restored), "a", 4),
        (changed("b", ChangeKind::Deleted), "b", 3),
        (changed("c", ChangeKind::Retired), "c", 2),
    ] {
        commit(&stores, &change).await;
        assert_eq!(counts(&stores, &acme).await, counted, "{id}");
    }
    // The API deletes a client that the files have retired. The count is decremented only once.
    commit(&stores, &from_api(changed("c", ChangeKind::Deleted))).await;
    assert_eq!(counts(&stores, &acme).await, 2);
    commit(&stores, &from_api(changed("e", ChangeKind::Added))).await;
    assert_eq!(counts(&stores, &acme).await, 3);

    let stopped = Tenant { status: TenantStatus::Suspended { keys_published_until: NOW }, ..acme.clone() };
    for (kind, counted) in [(ChangeKind::DeletionScheduled { due_at: NOW }, 3), (ChangeKind::Deleted, 0)] {
        apply(&stores, requests::tenant(kind, &acme, &stopped)).await;
        let state = stores.load_state(&acme.id).await.unwrap().unwrap();
        assert_eq!(state.client_count, counted, "{kind:?}");
    }
    assert_eq!(counts(&stores, &globex).await, 3);
}

/// Both commits were decided on the same count. The revision allows only one of them; the other is decided
/// again on the new count.
pub async fn only_one_concurrent_client_commit_succeeds(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await;
    for round in 0..3 {
        let planned = async |side: &str| {
            resting_on_today(&stores, &changed(&format!("{side}-{round}"), ChangeKind::Added)).await
        };
        let (left, right) = (planned("left").await, planned("right").await);
        let store = &stores;
        let (left, right) =
            tokio::join!(requests::commit(&**store, &left), requests::commit(&**store, &right));
        let outcomes = [left.unwrap(), right.unwrap()];
        let stale = outcomes.iter().filter(|outcome| **outcome == CommitOutcome::StaleRevision).count();
        assert_eq!(stale, 1, "{outcomes:?}");
        assert_eq!(counts(&stores, &acme).await, round + 1);
    }
    assert_eq!(counts(&stores, &globex).await, 0);
}

/// The commit adds the tenants and more clients than one statement can insert. The next commit retires all
/// clients of each tenant but one.
pub async fn one_commit_counts_clients_of_many_tenants(stores: Stores) {
    let tenants = ["acme", "globex", "empty"].map(fixtures::tenant);
    let sizes = [700, 601, 0];
    let (mut added, mut retired) = (requests::declared(Vec::new()), requests::declared(Vec::new()));
    for (tenant, size) in tenants.iter().zip(sizes) {
        let clients: Vec<_> = (0..size).map(|nth| fixtures::client(tenant, &format!("svc-{nth}"))).collect();
        let request = requests::added(tenant, &clients.iter().collect::<Vec<_>>());
        added.edit.changes.extend(request.edit.changes);
        let retire = |client: &Client| requests::client(ChangeKind::Retired, client, client);
        retired.edit.changes.extend(clients.iter().skip(1).map(retire));
    }
    commit(&stores, &added).await;
    for (tenant, size) in tenants.iter().zip(sizes) {
        assert_eq!(counts(&stores, tenant).await, size);
    }
    commit(&stores, &retired).await;
    for (tenant, size) in tenants.iter().zip(sizes) {
        assert_eq!(counts(&stores, tenant).await, size.min(1));
    }
}

/// The count as each read returns it. It must equal the number of rows.
async fn counts(stores: &Stores, tenant: &Tenant) -> u64 {
    let state = stores.load_state(&tenant.id).await.unwrap().unwrap();
    let live = state.clients.iter().filter(|row| row.lifecycle.is_live()).count();
    assert_eq!(state.client_count, live as u64, "{}", tenant.id);
    let related = RelatedClients { ids: &[], listed: &[] };
    let partial = stores.load_with_related_clients(&tenant.id, related).await.unwrap().unwrap();
    let listed = stores.list_tenants(&TenantQuery { limit: 9, ..TenantQuery::default() }).await.unwrap();
    let listed = listed.iter().find(|(_, listed)| listed.tenant.id == tenant.id).map(|(_, listed)| listed);
    assert_eq!(
        (partial.client_count, listed.map(|state| state.client_count)),
        (live as u64, Some(live as u64))
    );
    state.client_count
}

/// A change of a client of `acme` by the files.
fn changed(id: &str, kind: ChangeKind) -> CommitRequest {
    let client = fixtures::client(&fixtures::tenant("acme"), id);
    let before = (kind != ChangeKind::Added).then_some(&client);
    requests::declared(vec![Change::Client(requests::row(kind, before, &client))])
}
