//! Tests API keys at two replicas: each replica accepts a new key immediately, and refuses a revoked key
//! shortly afterwards.

use testkit::RedisServer;

use crate::host::run;
use crate::running::tenant_path;
use crate::store_copy::patiently;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// The settings, with API keys allowed at each tenant.
pub(crate) fn with_api_keys(settings: &str) -> String {
    let offered = "\n    api_keys: { max_lifetime: 365d, default_lifetime: 90d }\n    clients:";
    settings.replace("\n    clients:", offered)
}

/// A new key of `svc-0`, and its id.
pub(crate) fn api_key(test_env: &TestEnv, replica: &Replica, tenant: &str) -> (String, String) {
    let arguments = ["api-key", "add", tenant, "svc-0", "--name", "n", "--json"];
    let made = patiently(|| test_env.command(&replica.folder, &arguments)).json();
    (made["api_key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_and_revoked_keys_reach_both_replicas() {
    let redis = RedisServer::started();
    for url in [None, Some(redis.url())] {
        let test_env = TestEnv::new(url);
        let replicas = test_env.start_two(&with_api_keys(&settings(1))).await;
        let keys = TENANTS.map(|tenant| (tenant, api_key(&test_env, &replicas[0], tenant)));
        let status = async |replica: &Replica, at: &str, key: &str| {
            let form = [("grant_type", "client_credentials"), ("client_secret", key)];
            replica.program.post(&tenant_path(at, "/oauth/token"), &form).await.status
        };
        for (tenant, (key, _)) in &keys {
            for replica in &replicas {
                for at in TENANTS {
                    let expected = if at == *tenant { 200 } else { 401 };
                    // On a busy machine the first reading may take longer than a request waits.
                    let mut answered = 503;
                    eventually("the key is read", LONGEST, async || {
                        answered = status(replica, at, key).await;
                        answered != 503
                    })
                    .await;
                    assert_eq!(answered, expected);
                }
            }
        }
        let [(tenant, (revoked, id)), (other, (kept, _))] = &keys;
        let arguments = ["api-key", "revoke", tenant, "svc-0", id, "--yes"];
        run(&mut test_env.command(&replicas[0].folder, &arguments)).output();
        for replica in &replicas {
            eventually("the key is refused", LONGEST, async || status(replica, tenant, revoked).await == 401)
                .await;
            assert_eq!(status(replica, other, kept).await, 200);
        }
    }
}
