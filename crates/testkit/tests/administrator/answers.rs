//! Tests the answer to a change.

use administration::edit;
use registry::SecretId;
use serde_json::json;
use tenancy::Tenant;
use testkit::fixtures::client_id;

use crate::test_env::{at, env, later};

/// A commit writes exactly what was decided. The answer is built from the decision, without reading rows
/// again.
#[tokio::test]
async fn the_answer_to_a_change_is_what_the_store_holds_after_it() {
    let env = env();
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    for id in ["acme", "globex"] {
        let (tenant, _) = env.tenant_with(id, json!({ "client_id": "svc" })).await;

        for (seconds, servers) in [
            (1, json!({ "b": {}, "a": { "scopes": ["read"] } })),
            (2, json!({ "a": { "scopes": ["write"] }, "b": null })),
            (3, json!({ "b": {} })),
        ] {
            let patch = json!({ "name": id, "resource_servers": servers });
            let before = env.store.calls().administration;
            let patched = administrator.of(&at(seconds), &tenant).patch::<Tenant>(&(), patch).await.unwrap();
            assert!(env.store.calls().administration <= before + 3, "rows, owners of issuers, commit");
            assert_eq!(patched, administrator.of(&at(seconds), &tenant).look::<Tenant>(&()).await.unwrap());
        }
        for step in [
            edit::secret::Step::Expire(Some(later(99))),
            edit::secret::Step::Expire(None),
            edit::secret::Step::Revoke,
        ] {
            let s1 = SecretId::new("s1");
            let stepped = administrator.of(&at(7), &tenant).step_secret(&svc, &s1, step).await.unwrap();
            assert_eq!(
                [stepped],
                *administrator.of(&at(7), &tenant).secrets(&svc).await.unwrap(),
                "{step:?}"
            );
        }
    }
}
