//! A retired row is inactive and kept. It becomes active again when it is restored.

use administration::kinds::change::ChangeKind;
use registry::{Client, ClientStatus};
use tenancy::{Tenant, TenantStatus};

use super::{Stores, add, apply};
use crate::fixtures::{self, NOW};
use crate::requests;

/// A store may return the retired client as suspended, or not at all.
pub async fn retired_client_is_inactive_until_restored_with_secrets(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&acme, "svc") };
    let registration = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    apply(&stores, requests::client(ChangeKind::Retired, &registration, &registration)).await;
    let found = stores.find_client(&acme.id, &svc.id).await.unwrap();
    assert!(found.is_none_or(|client| client.status == ClientStatus::Suspended));
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert_eq!(state.clients[0].lifecycle.retired_at, Some(NOW));

    apply(&stores, requests::client(ChangeKind::Restored, &registration, &registration)).await;
    assert_eq!(stores.find_client(&acme.id, &svc.id).await.unwrap().as_deref(), Some(&svc));
}

/// The keys stay published for a while, so the tenant is still found.
pub async fn retired_tenant_is_inactive_until_restored_with_keys(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    assert!(stores.add_key(&acme.id, &fixtures::key(1)).await.unwrap());
    let retired = Tenant { status: TenantStatus::Suspended { keys_published_until: NOW }, ..acme.clone() };
    apply(&stores, requests::tenant(ChangeKind::Retired, &acme, &retired)).await;
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&retired));
    let summaries = stores.list_tenant_summaries(std::slice::from_ref(&acme.id)).await.unwrap();
    assert_eq!(summaries[0].lifecycle.retired_at, Some(NOW));

    apply(&stores, requests::tenant(ChangeKind::Restored, &retired, &acme)).await;
    assert_eq!(stores.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&acme));
    assert_eq!(stores.find_keys(&acme.id).await.unwrap().keys.len(), 1);
}

/// Requests do not see the resource server; administration does.
pub async fn retired_resource_server_is_hidden_until_restored(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[]).await;
    let server = &acme.resource_servers[0];
    for (kind, visible) in [(ChangeKind::Retired, 0), (ChangeKind::Restored, 1)] {
        apply(&stores, requests::resource_server(&acme.id, kind, Some(server), server)).await;
        let found = stores.find_tenant(&acme.id).await.unwrap().unwrap();
        assert_eq!(found.resource_servers.len(), visible);
        let state = stores.load_state(&acme.id).await.unwrap().unwrap();
        assert_eq!(state.resource_servers[0].lifecycle.is_live(), visible == 1);
    }
}
