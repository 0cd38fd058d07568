//! Rotations of tenants' keys through the admin API, one after the other, while traffic goes on.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::running::tenant_path;
use crate::traffic::Traffic;

/// Three seconds, and what a busy machine needs.
const ANNOUNCED: Duration = Duration::from_secs(15);

/// Members of `signing` that make what takes days take seconds: verifiers know a new key within 2 s (`jwks_max_age` and
/// `cache.l1_lifetime`), and it signs after 3. The third is for the parts of seconds that instants do not have.
pub(crate) const QUICK: &str = "publish_before: 3s, jwks_max_age: 1s, jwks_stale: 0s, skew: 0s";
/// What belongs to it beside the tenants.
pub(crate) const QUICK_CACHE: &str = "cache: { l1_lifetime: 1s }\n";
/// Of tokens: their keys go while others come.
pub(crate) const QUICK_TOKENS: &str = "access_token: { lifetime: 6s }";

/// Rotates all these tenants' keys so often, at the programs in turn, each time when tokens of the last new keys have been seen.
pub(crate) async fn rotate(admins: &[Administrator], tenants: &[&str], times: usize, traffic: &Traffic) {
    let mut before = vec![0; tenants.len()];
    for round in 0..=times {
        let began = Instant::now();
        let all_sign = || tenants.iter().zip(&before).all(|(tenant, before)| traffic.kids(tenant) > *before);
        while !all_sign() {
            assert!(
                began.elapsed() < ANNOUNCED,
                "no token by a new key after {round} rotations of {before:?}"
            );
            sleep(Duration::from_millis(20)).await;
        }
        if round == times {
            return;
        }
        before = tenants.iter().map(|tenant| traffic.kids(tenant)).collect();
        let admin = &admins[round % admins.len()];
        for tenant in tenants {
            let path = tenant_path(tenant, "/keys/rotate");
            let changed = admin.send_request(Method::POST, &path, Some(json!({}))).await;
            assert_eq!(changed["breaks"], json!([]), "{tenant}: {changed}");
            assert_one_signs(tenant, &changed);
        }
    }
}

/// At this instant the tenant has exactly one key that signs.
pub(crate) async fn look(admin: &Administrator, tenant: &str) {
    let keys = admin.send_request(Method::GET, &tenant_path(tenant, "/keys"), None).await;
    assert_one_signs(tenant, &keys);
}

#[track_caller]
fn assert_one_signs(tenant: &str, keys: &Value) {
    let states = keys["items"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap());
    assert_eq!(states.filter(|state| *state == "active").count(), 1, "{tenant}: {keys}");
}
