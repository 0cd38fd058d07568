//! After a change nobody reads what was read before it.

use std::sync::Arc;

use administration::Invalidation;
use keys::{KeyId, SigningKeyStore as _};
use registry::ClientStore as _;
use tenancy::{Tenant, TenantStore as _};
use testkit::{Failure, fixtures};

use crate::house::House;

#[tokio::test]
async fn a_changed_client_is_read_anew_and_no_other() {
    let house = House::new();
    for tenant in [&house.acme, &house.globex] {
        house.client(tenant).await.unwrap();
        house.rename_client(tenant, "renamed");
    }
    house.caches.apply(&[svc_of(&house.acme)]);
    assert_eq!(house.client_name(&house.acme).await, "renamed");
    assert_eq!(house.client_name(&house.globex).await, "svc");
}

#[tokio::test]
async fn a_changed_tenant_is_read_anew_with_all_that_is_its_own() {
    let house = House::new();
    let caches = &house.caches;
    for tenant in [&house.acme, &house.globex] {
        house.tenant(tenant).await.unwrap();
        house.client(tenant).await.unwrap();
        caches.signing_keys.find_keys(&tenant.id).await.unwrap();
        house.rename_client(tenant, "renamed");
        house.store.put_tenant(Tenant { name: "renamed".to_owned(), ..tenant.clone() });
        house.store.add_key(&tenant.id, &fixtures::key(1)).await.unwrap();
    }
    house.caches.apply(&[Invalidation::Tenant(house.acme.id.clone())]);
    for (tenant, name, keys) in [(&house.acme, "renamed", 1), (&house.globex, "svc", 0)] {
        assert_eq!(house.client_name(tenant).await, name);
        assert_eq!(caches.signing_keys.find_keys(&tenant.id).await.unwrap().keys.len(), keys);
    }
    assert_eq!(house.tenant(&house.acme).await.unwrap().unwrap().name, "renamed");
    assert_eq!(house.tenant(&house.globex).await.unwrap().unwrap().name, "globex");
}

#[tokio::test]
async fn a_load_that_began_before_a_change_is_not_found_after_it() {
    for whole_tenant in [false, true] {
        let house = Arc::new(House::new());
        let held = house.store.hold_answers().await;
        let before = {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.client_name(&house.acme).await })
        };
        while house.store.calls().find_client == 0 {
            tokio::task::yield_now().await;
        }
        house.rename_client(&house.acme, "renamed");
        if whole_tenant {
            house.caches.apply(&[Invalidation::Tenant(house.acme.id.clone())]);
        } else {
            house.caches.apply(&[svc_of(&house.acme)]);
        }
        let after = {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.client_name(&house.acme).await })
        };
        while house.store.calls().find_client == 1 {
            tokio::task::yield_now().await;
        }
        drop(held);
        assert_eq!(before.await.unwrap(), "svc", "it asked before the change");
        assert_eq!(after.await.unwrap(), "renamed");
        assert_eq!(house.client_name(&house.acme).await, "renamed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_readers_never_read_what_was_before_a_change() {
    let house = Arc::new(House::new());
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (house, done) = (Arc::clone(&house), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    house.client(&house.acme).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 0..3000 {
        let name = format!("name {number}");
        house.rename_client(&house.acme, &name);
        if number % 2 == 0 {
            house.caches.apply(&[Invalidation::Tenant(house.acme.id.clone())]);
        } else {
            house.caches.apply(&[svc_of(&house.acme)]);
        }
        assert_eq!(house.client_name(&house.acme).await, name);
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn an_added_key_is_seen_at_once_and_a_taken_number_makes_read_again() {
    let house = House::new();
    let keys = &house.caches.signing_keys;
    assert_eq!(keys.find_keys(&house.acme.id).await.unwrap().next, KeyId::numbered(1));
    assert!(keys.add_key(&house.acme.id, &fixtures::key(1)).await.unwrap());
    assert_eq!(keys.find_keys(&house.acme.id).await.unwrap().keys, [fixtures::key(1)]);

    house.store.add_key(&house.acme.id, &fixtures::key(2)).await.unwrap();
    assert!(!keys.add_key(&house.acme.id, &fixtures::key(2)).await.unwrap());
    assert_eq!(keys.find_keys(&house.acme.id).await.unwrap().next, KeyId::numbered(3));
}

#[tokio::test]
async fn changed_keys_are_read_anew() {
    let house = House::new();
    for tenant in [&house.acme, &house.globex] {
        house.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
        house.store.add_key(&tenant.id, &fixtures::key(1)).await.unwrap();
    }
    house.caches.apply(&[Invalidation::Keys(house.acme.id.clone())]);
    for (tenant, keys) in [(&house.acme, 1), (&house.globex, 0)] {
        assert_eq!(house.caches.signing_keys.find_keys(&tenant.id).await.unwrap().keys.len(), keys);
    }
}

#[tokio::test]
async fn a_write_whose_caller_gave_up_makes_read_again() {
    let house = Arc::new(House::new());
    house.caches.signing_keys.find_keys(&house.acme.id).await.unwrap();
    let held = house.store.hold_answers().await;
    let write = {
        let house = Arc::clone(&house);
        tokio::spawn(
            async move { house.caches.signing_keys.add_key(&house.acme.id, &fixtures::key(1)).await },
        )
    };
    while house.store.calls().add_key == 0 {
        tokio::task::yield_now().await;
    }
    write.abort();
    assert!(write.await.unwrap_err().is_cancelled());
    drop(held);
    assert_eq!(house.caches.signing_keys.find_keys(&house.acme.id).await.unwrap().keys.len(), 1);
}

#[tokio::test]
async fn a_changed_row_does_not_serve_stale() {
    let house = House::new();
    house.tenant(&house.acme).await.unwrap();
    house.client(&house.acme).await.unwrap();
    house.store.fail_with(Failure::Unavailable);
    house.caches.apply(&[Invalidation::Tenant(house.acme.id.clone())]);
    assert!(house.client(&house.acme).await.is_err());
    assert!(house.caches.tenants.find_tenant(&house.acme.id).await.is_err());
    let client = house.caches.clients.find_client(&house.globex.id, &fixtures::client_id("svc")).await;
    assert!(client.is_err(), "it was never read");
}

fn svc_of(tenant: &Tenant) -> Invalidation {
    Invalidation::Client(tenant.id.clone(), fixtures::client_id("svc"))
}
