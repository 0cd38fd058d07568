//! The schedules by which the platform rotates secrets of clients.

use administration::administrator::rotation_progress::RotationProgress;
use administration::kinds::change::ChangeKind;
use registry::{Client, ClientId, SecretRotation};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use super::{Stores, add, at, commit};
use crate::fixtures::{self, NOW};
use crate::requests;

fn scheduled(tenant: &TenantId, name: &str, every: u64) -> Client {
    let every = Lifetime::from_seconds(every);
    let rotation = SecretRotation { every, into: "vault:a#b".to_owned(), grace: Lifetime::from_seconds(60) };
    Client { rotation: Some(rotation), ..fixtures::client(&fixtures::tenant(tenant.as_str()), name) }
}

async fn due(stores: &Stores, now: Timestamp, limit: u32) -> Vec<String> {
    let due = stores.find_due_rotations(now, limit).await.unwrap();
    due.iter().map(|(tenant, client)| format!("{tenant}/{client}")).collect()
}

/// Each rotation is claimed once. Many schedules of one tenant do not hide those of another.
pub async fn due_rotations_alternate_between_tenants(stores: Stores) {
    for (name, clients) in [("acme", &["a", "b", "c"][..]), ("globex", &["a"])] {
        let tenant = fixtures::tenant(name);
        let clients: Vec<_> = clients.iter().map(|client| scheduled(&tenant.id, client, 3600)).collect();
        let plain = fixtures::client(&tenant, "plain");
        let all: Vec<_> = clients.iter().chain([&plain]).collect();
        add(&stores, &tenant, &all).await;
    }
    assert_eq!(due(&stores, NOW, 3).await, ["acme/a", "globex/a", "acme/b"]);

    let (store, [acme, globex]) = (&stores, ["acme", "globex"].map(fixtures::tenant_id));
    let a = ClientId::parse("a").unwrap();
    assert!(store.take_rotation(&acme, &a, NOW, at(600)).await.unwrap());
    assert!(!store.take_rotation(&acme, &a, NOW, at(600)).await.unwrap(), "another process has it");
    assert!(!store.take_rotation(&acme, &ClientId::parse("plain").unwrap(), NOW, at(600)).await.unwrap());
    assert_eq!(due(&stores, at(599), 9).await, ["acme/b", "globex/a", "acme/c"]);
    assert_eq!(due(&stores, at(600), 9).await, ["acme/b", "globex/a", "acme/c", "acme/a"]);

    let failed = RotationProgress {
        due_at: Some(at(900)),
        begun_at: None,
        failures: 2,
        failed_at: Some(NOW),
        failure: Some("no answer".to_owned()),
    };
    store.record_rotation(&acme, &a, &failed).await.unwrap();
    assert_eq!(store.count_failing_rotations().await.unwrap(), 1);
    let state = store.load_state(&acme).await.unwrap().unwrap();
    let rows: Vec<_> = state.clients.iter().map(|row| (row.client.id.as_str(), &row.rotation)).collect();
    let none = RotationProgress::default();
    assert_eq!(rows, [("a", &failed), ("b", &none), ("c", &none), ("plain", &none)]);
    assert_eq!(store.load_state(&globex).await.unwrap().unwrap().clients[0].rotation, none);

    // A new name does not change the schedule. A changed schedule is due immediately.
    let renamed = Client { name: "A".to_owned(), ..scheduled(&acme, "a", 3600) };
    let faster = scheduled(&acme, "a", 7200);
    let put = async |kind, client: &Client| {
        let mut request = requests::declared(Vec::new());
        requests::put_client(&mut request, kind, client);
        commit(&stores, &request).await;
    };
    for (client, is_due) in [(renamed, false), (faster, true)] {
        put(ChangeKind::Changed, &client).await;
        assert_eq!(due(&stores, at(1), 9).await.contains(&"acme/a".to_owned()), is_due);
    }
    put(ChangeKind::Deleted, &scheduled(&acme, "a", 7200)).await;
    assert!(!due(&stores, at(1), 9).await.contains(&"acme/a".to_owned()));
    assert_eq!(store.count_failing_rotations().await.unwrap(), 0);
}
