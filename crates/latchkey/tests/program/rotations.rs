//! Repeated rotations of tenants' keys through the admin API under load.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::running::tenant_path;
use crate::traffic::Traffic;

/// The three seconds until a new key signs, and a margin for a busy machine.
const ANNOUNCED: Duration = Duration::from_secs(15);

/// Members of `signing` that shorten days to seconds: verifiers know a new key within 2 s (`jwks_max_age` and
/// `cache.l1_lifetime`), and it signs after 3 s. The third second is for the rounding of timestamps.
pub(crate) const QUICK: &str = "publish_before: 3s, jwks_max_age: 1s, jwks_stale: 0s, skew: 0s";
/// The settings that `QUICK` needs outside the tenants.
pub(crate) const QUICK_CACHE: &str = "cache: { l1_lifetime: 1s }\n";
/// A short token lifetime, so that keys are removed while others are announced.
pub(crate) const QUICK_TOKENS: &str = "access_token: { lifetime: 6s }";

/// Rotates the keys of these tenants `times` times, alternating between the programs. Each rotation waits for
/// tokens that are signed with the previous new keys.
pub(crate) async fn rotate(admins: &[Administrator], tenants: &[&str], times: usize, traffic: &Traffic) {
    let mut before = vec![0; tenants.len()];
    for round in 0..=times {
        let began = Instant::now();
        let all_sign = || tenants.iter().zip(&before).all(|(tenant, before)| traffic.kids(tenant) > *before);
        while !all_sign() {
            assert!(began.elapsed() < ANNOUNCED, "no new key signs after {round} rotations of {before:?}");
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

/// Asserts that exactly one key of the tenant signs now.
pub(crate) async fn look(admin: &Administrator, tenant: &str) {
    let keys = admin.send_request(Method::GET, &tenant_path(tenant, "/keys"), None).await;
    assert_one_signs(tenant, &keys);
}

#[track_caller]
fn assert_one_signs(tenant: &str, keys: &Value) {
    let states = keys["items"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap());
    assert_eq!(states.filter(|state| *state == "active").count(), 1, "{tenant}: {keys}");
}
