//! Devices that wait for a person's decision.

use std::sync::Arc;

use grants::{DeviceCode, Granted, OneTime, OneTimeKey, OneTimeStore, OneTimeUse};
use tenancy::TenantId;
use values::Timestamp;

use super::Stores;
use super::people::{at, client, device_code, person};
use super::sign_ins::first_uses;

async fn write(stores: &Stores, code: &OneTime<DeviceCode>) -> bool {
    super::devices(stores).add(&code.tenant, code, 20, code.created_at).await.unwrap()
}

async fn find(stores: &Stores, tenant: &TenantId, key: OneTimeKey) -> Option<OneTime<DeviceCode>> {
    super::devices(stores).find(tenant, &key).await.unwrap()
}

async fn typed(
    stores: &Stores,
    tenant: &TenantId,
    digest: u8,
    now: Timestamp,
) -> Option<OneTime<DeviceCode>> {
    super::devices(stores).find_device_by_user_code(tenant, &[digest; 32], now).await.unwrap()
}

async fn redeem(
    stores: &Stores,
    code: &OneTime<DeviceCode>,
    by: &str,
    now: Timestamp,
) -> Option<OneTime<DeviceCode>> {
    let used = OneTimeUse { key: code.key, client: client(by), proof: (), family: None };
    super::devices(stores).use_up(&code.tenant, &used, now).await.unwrap()
}

/// A device code is found by either of its codes, only at its own tenant, and until it expires.
pub async fn a_device_code_is_found_in_its_tenant(stores: Stores) {
    let (acme, globex) = (person(&stores, "acme").await.tenant, person(&stores, "globex").await.tenant);
    let code = device_code(&acme, 1);
    assert!(write(&stores, &code).await);
    assert_eq!(find(&stores, &acme, code.key).await, Some(code.clone()));
    assert_eq!(typed(&stores, &acme, 101, at(599)).await, Some(code.clone()));
    assert_eq!(typed(&stores, &acme, 101, at(600)).await, None, "expired");
    assert_eq!(find(&stores, &globex, code.key).await, None);
    assert_eq!(typed(&stores, &globex, 101, at(1)).await, None);
    for other in [OneTimeKey { slot: 4, ..code.key }, OneTimeKey { digest: [9; 32], ..code.key }] {
        assert_eq!(find(&stores, &acme, other).await, None);
    }
    let twin = OneTime { key: OneTimeKey { digest: [2; 32], ..code.key }, ..code };
    assert!(write(&stores, &twin).await);
    assert_eq!(typed(&stores, &acme, 101, at(1)).await, None, "which of the two is meant nobody knows");
}

/// The limit counts the undecided codes of one client from one address.
pub async fn waiting_device_codes_are_limited(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    for number in 1..=20 {
        assert!(write(&stores, &device_code(&ada.tenant, number)).await, "{number}");
    }
    let next = device_code(&ada.tenant, 21);
    assert!(!write(&stores, &next).await);
    assert_eq!(find(&stores, &ada.tenant, next.key).await, None);
    assert!(write(&stores, &OneTime { client: client("radio"), ..next }).await);
    let mut elsewhere = device_code(&ada.tenant, 22);
    elsewhere.content.requested_from = "192.0.2.2".to_owned();
    assert!(write(&stores, &elsewhere).await);
    assert!(write(&stores, &device_code(&other.tenant, 1)).await, "of another tenant");
    let first = device_code(&ada.tenant, 1);
    assert!(super::devices(&stores).note(&ada.tenant, &first.key, &None, at(1)).await.unwrap());
    assert!(write(&stores, &device_code(&ada.tenant, 23)).await, "one is decided on");
    let mut later = OneTime { valid_until: at(1_200), ..device_code(&ada.tenant, 24) };
    later.content.created_at = at(600);
    assert!(write(&stores, &later).await, "the others have expired");
}

/// Only the first decision counts. An allowed code is redeemed once, before it expires, and only by its
/// client.
pub async fn device_code_is_decided_and_redeemed_once(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let code = device_code(&ada.tenant, 1);
    write(&stores, &code).await;
    assert_eq!(redeem(&stores, &code, "tv", at(1)).await, None, "nobody has decided");
    let granted = Granted { auth_time: 5, acr: "1".to_owned(), ..code.granted.clone() };
    let decide = async |tenant: &TenantId, allowed: bool, now| {
        let allowed = allowed.then(|| (ada.id.clone(), granted.clone()));
        super::devices(&stores).note(tenant, &code.key, &allowed, now).await.unwrap()
    };
    assert!(!decide(&other.tenant, true, at(2)).await);
    assert!(!decide(&ada.tenant, true, at(600)).await, "too late");
    assert!(decide(&ada.tenant, true, at(2)).await);
    assert!(!decide(&ada.tenant, false, at(3)).await && !decide(&ada.tenant, true, at(3)).await);
    assert_eq!(typed(&stores, &ada.tenant, 101, at(3)).await, None, "nobody else is asked");
    assert_eq!(redeem(&stores, &code, "radio", at(4)).await, None);
    assert_eq!(redeem(&stores, &code, "tv", at(600)).await, None);
    let of_another = OneTime { tenant: other.tenant.clone(), ..code.clone() };
    assert_eq!(redeem(&stores, &of_another, "tv", at(4)).await, None);
    let redeemed = redeem(&stores, &code, "tv", at(4)).await.unwrap();
    let (decided_at, account) = (Some(at(2)), Some(ada.id.clone()));
    let content = DeviceCode { granted: granted.clone(), decided_at, account, ..code.content.clone() };
    let expected = OneTime { content, used_at: Some(at(4)), ..code.clone() };
    assert_eq!(redeemed, expected);
    assert_eq!(redeem(&stores, &code, "tv", at(5)).await, None);

    let refused = device_code(&ada.tenant, 2);
    write(&stores, &refused).await;
    assert!(super::devices(&stores).note(&ada.tenant, &refused.key, &None, at(2)).await.unwrap());
    let found = find(&stores, &ada.tenant, refused.key).await.unwrap();
    assert_eq!((found.decided_at, &found.account), (Some(at(2)), &None));
    assert_eq!(redeem(&stores, &refused, "tv", at(3)).await, None);
}

/// The result is the same with any number of connections.
pub async fn concurrent_device_code_redemptions_succeed_once(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let code = device_code(&ada.tenant, 1);
    write(&stores, &code).await;
    let allowed = Some((ada.id, code.granted.clone()));
    super::devices(&stores).note(&code.tenant, &code.key, &allowed, at(1)).await.unwrap();
    let used = OneTimeUse { key: code.key, client: client("tv"), proof: (), family: None };
    let store: Arc<dyn OneTimeStore<DeviceCode>> = super::devices(&stores);
    assert_eq!(first_uses(store, &code.tenant, &used, at(2)).await, 1);
}
