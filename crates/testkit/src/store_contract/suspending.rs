//! Every interface can suspend and resume a row, whichever interface manages it.

use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use registry::{Client, ClientStatus};
use tenancy::{Tenant, TenantStatus};

use super::{Stores, add, apply, at, commit};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// Tests a tenant and a client of the files and of the API, and a client with the same name that stays
/// active.
pub async fn files_and_api_can_suspend_any_row(stores: Stores) {
    for (owner, other) in [(ManagedBy::Config, ManagedBy::Api), (ManagedBy::Api, ManagedBy::Config)] {
        let of = |suffix: &str| fixtures::tenant(&format!("{}-{suffix}", owner.as_str()));
        let (acme, namesake) = (of("acme"), of("other"));
        for tenant in [&acme, &namesake] {
            let svc = fixtures::client(tenant, "svc");
            let mut added = CommitRequest { managed_by: owner, ..requests::added(tenant, &[&svc]) };
            added.edit.tenant_metadata.clear();
            commit(&stores, &added).await;
        }
        let svc = Client { secrets: Vec::new(), ..fixtures::client(&acme, "svc") };
        let client = |kind| requests::client(kind, &svc, &svc);
        let by_other = |change| CommitRequest { managed_by: other, ..requests::declared(vec![change]) };

        commit(&stores, &by_other(client(ChangeKind::Suspended))).await;
        let found = stores.find_client(&acme.id, &svc.id).await.unwrap();
        assert!(found.is_none_or(|client| client.status == ClientStatus::Suspended));
        let theirs = stores.find_client(&namesake.id, &svc.id).await.unwrap().unwrap();
        assert_eq!(theirs.status, ClientStatus::Active);
        let state = stores.load_state(&acme.id).await.unwrap().unwrap();
        assert_eq!(state.clients[0].lifecycle.suspended_at, Some(NOW));
        assert_eq!(state.clients[0].lifecycle.managed_by, owner);
        commit(&stores, &by_other(client(ChangeKind::Resumed))).await;
        let found = stores.find_client(&acme.id, &svc.id).await.unwrap().unwrap();
        assert_eq!(found.status, ClientStatus::Active);

        let suspended = suspended(&acme, 60);
        commit(&stores, &by_other(requests::tenant(ChangeKind::Suspended, &acme, &suspended))).await;
        assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&suspended));
        assert!(stores.find_tenant(&namesake.id).await.unwrap().unwrap().is_active());
        commit(&stores, &by_other(requests::tenant(ChangeKind::Resumed, &suspended, &acme))).await;
        assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&acme));
    }
}

/// The keys stay published until the later of the two times.
pub async fn tenant_serves_after_resuming_and_restoring(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    let steps = [
        (ChangeKind::Retired, suspended(&acme, 60), Some(60)),
        (ChangeKind::Suspended, suspended(&acme, 30), Some(60)),
        (ChangeKind::Restored, acme.clone(), Some(60)),
        (ChangeKind::Retired, suspended(&acme, 90), Some(90)),
        (ChangeKind::Resumed, suspended(&acme, 0), Some(90)),
        (ChangeKind::Restored, acme.clone(), None),
    ];
    for (kind, after, expected) in steps {
        apply(&stores, requests::tenant(kind, &acme, &after)).await;
        let expected = expected.map_or(TenantStatus::Active, |seconds| suspended(&acme, seconds).status);
        let found = stores.find_tenant(&acme.id).await.unwrap().unwrap();
        assert_eq!(found.status, expected, "{kind:?}");
        let state = stores.load_state(&acme.id).await.unwrap().unwrap();
        assert_eq!(state.tenant, *found, "{kind:?}");
        assert_eq!(state.lifecycle.serves(), found.is_active(), "{kind:?}");
    }
}

fn suspended(tenant: &Tenant, seconds: u64) -> Tenant {
    Tenant { status: TenantStatus::Suspended { keys_published_until: at(seconds) }, ..tenant.clone() }
}
