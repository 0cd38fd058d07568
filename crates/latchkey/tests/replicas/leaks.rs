//! Tests that a credential that is reported as leaked at one replica is refused at the other replica within a
//! second, in a tenant that revokes leaked credentials.

use std::time::Instant;

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::api_keys::{api_key, with_api_keys};
use crate::revocation::{BY_MESSAGE, NOTIFIED, TIMES, assert_median_within};
use crate::running::tenant_path;
use crate::store_copy::patiently;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaked_credential_is_refused_at_the_other_replica() {
    let (_redis, test_env) = TestEnv::with_redis();
    let settings = with_api_keys(&settings(1))
        .replace("\n    clients:", "\n    leaks: { action: revoke }\n    clients:");
    let [one, other] = &test_env.start_two(&settings).await;
    let status = async |tenant: &str, secret: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", "svc-0"), ("client_secret", secret)];
        other.program.post(&tenant_path(tenant, "/oauth/token"), &form).await.status
    };
    let kept = TENANTS.map(|tenant| (tenant, api_key(&test_env, one, tenant).0));
    for kind in [added_secret, |test_env: &TestEnv, replica: &Replica, tenant: &str| {
        api_key(test_env, replica, tenant).0
    }] {
        let mut times = Vec::new();
        for number in 0..TIMES {
            let tenant = TENANTS[number % 2];
            let leaked = kind(&test_env, one, tenant);
            eventually("the other knows it", LONGEST, async || status(tenant, &leaked).await == 200).await;
            let report = one.program.request(Method::POST, "/api/v1/secrets/leaked");
            let answer = Answer::to(report.json(&json!({ "secrets": [leaked] }))).await;
            assert_eq!(answer.status, 202);
            let begun = Instant::now();
            eventually("it is refused", NOTIFIED, async || status(tenant, &leaked).await == 401).await;
            times.push(begun.elapsed());
        }
        assert_median_within(BY_MESSAGE, times);
    }
    for (tenant, key) in kept {
        assert_eq!(status(tenant, &key).await, 200);
    }
}

fn added_secret(test_env: &TestEnv, replica: &Replica, tenant: &str) -> String {
    let arguments = ["secret", "add", tenant, "svc-0", "--json"];
    let made = patiently(|| test_env.command(&replica.folder, &arguments)).json();
    made["client_secret"].as_str().unwrap().to_owned()
}
