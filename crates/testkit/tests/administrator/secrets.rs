//! Secrets rotate without an outage.

use administration::{RotateSettings, SecretUsage, UsageLog as _};
use protocol::Lifetime;
use registry::SecretId;
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{caller, env, later, operator};

const DAY: u64 = 86_400;

#[tokio::test]
async fn usage_says_whether_a_secret_is_safe_to_delete() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let settings = RotateSettings { grace: Some(Lifetime::from_seconds(9 * DAY)), expires_at: None };
    administrator.rotate_secret(&caller(&operator(), NOW), &acme, &svc, settings).await.unwrap();
    let used = |secret: &str, address: &str, seconds| SecretUsage {
        tenant: acme.clone(),
        client: svc.clone(),
        secret: SecretId::new(secret),
        address: address.to_owned(),
        at: later(seconds),
    };
    let usage = [used("s1", "192.0.2.1", 60), used("s1", "192.0.2.2", 90), used("s2", "192.0.2.1", 2 * DAY)];
    env.store.record_secret_usage(&usage).await.unwrap();
    let shown = administrator.secrets(&caller(&operator(), later(2 * DAY)), &acme, &svc).await.unwrap();
    let described: Vec<_> =
        shown.iter().map(|view| (view.addresses, view.last_used_at, view.safe_to_delete)).collect();
    assert_eq!(described, [(2, Some(later(90).into()), true), (1, Some(later(2 * DAY).into()), false)]);
}
