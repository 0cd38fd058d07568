//! `…/audit`: every change creates a record without secrets, which only its tenant and the platform can read.

use crate::prelude::*;

const ALL: &str = "/api/v1/admin/audit";

async fn records(test_env: &TestEnv, token: &str, path: &str) -> Vec<Value> {
    test_env.get(token, path).await.json_of(200)["items"].as_array().unwrap().clone()
}

fn actions(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["action"].as_str().unwrap()).collect()
}

// [parties #5]
#[tokio::test]
async fn change_is_recorded_without_secrets() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let chosen = json!({ "client_id": "picked", "client_secret": "correct horse battery" });
        test_env.post(&boss, &clients_path(tenant), chosen.clone()).await.assert_status(201);
        let refused = test_env.post(&boss, &clients_path(tenant), chosen.clone()).await;
        refused.assert_problem(409, "conflict");
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
        let secrets = format!("{}/web/secrets", clients_path(tenant));
        let added = test_env.step(&boss, &secrets).await.json();
        let rotated = test_env.step(&boss, &format!("{secrets}/rotate")).await.json();
        test_env.patch(&boss, &format!("{}/web", clients_path(tenant)), json!({ "name": "Web" })).await;
        let reader = test_env.token(tenant, READER).await;
        let path = tenant_path(tenant, "/audit");
        let found = records(&test_env, &reader, &path).await;
        for record in &found {
            assert_eq!(record["tenant"], tenant);
            assert_eq!(record["actor"], format!("client:{tenant}/{BOSS}"));
            assert_eq!([&record["source"], &record["at"]], ["127.0.0.1", "2026-01-01T00:00:00Z"]);
            // The record names the credential: the client's only secret, or a token without a key.
            assert!(record["credential"].as_str().unwrap().starts_with("client_secret "), "{record}");
            assert_eq!(record.get("sender_constraint"), None);
        }
        assert_eq!(actions(&found).iter().filter(|action| **action == "secret.added").count(), 4);
        let secrets = [&chosen, &made["secret"], &added, &rotated].map(|of| text(of, "client_secret"));
        for secret in secrets.into_iter().chain(["$lk2$", "$argon2id$"]) {
            assert!(!format!("{found:?} {}", refused.body).contains(secret), "{secret}");
        }
        assert_eq!(found[0]["action"], "client.changed");
        assert_eq!(found[0]["detail"]["name"]["after"], "Web", "{}", found[0]);

        let only = |filter: &str| format!("{path}?{filter}");
        for (filter, some) in [
            (format!("actor=client%3A{tenant}%2F{BOSS}"), true),
            ("actor=another".to_owned(), false),
            ("action=client.".to_owned(), true),
            ("action=tenant.".to_owned(), false),
            ("subject=web".to_owned(), true),
            ("subject=svc".to_owned(), false),
            ("since=2026-01-01T00:00:00Z".to_owned(), true),
            ("since=2026-01-01T00:00:01Z".to_owned(), false),
            ("until=2026-01-01T00:00:00Z".to_owned(), false),
        ] {
            assert_eq!(!records(&test_env, &reader, &only(&filter)).await.is_empty(), some, "{filter}");
        }
        for filter in ["since=yesterday", "until=7", "limit=0", "limit=201", "cursor=x", "cursor=%ff"] {
            test_env.get(&reader, &only(filter)).await.assert_problem(400, "invalid-request");
        }
    }
}

#[tokio::test]
async fn tenant_reads_only_its_own_audit() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await;
    }
    test_env.post(&test_env.token(PLATFORM, OPS).await, TENANTS, json!({ "id": "initech" })).await;
    let watcher = test_env.token(PLATFORM, WATCHER).await;
    let all = records(&test_env, &watcher, ALL).await;
    let tenants: BTreeSet<_> = all.iter().map(|record| record["tenant"].as_str().unwrap()).collect();
    assert_eq!(tenants, BTreeSet::from([ACME, GLOBEX, "initech"]));
    let one = records(&test_env, &watcher, &format!("{ALL}?tenant=initech")).await;
    assert!(actions(&one).contains(&"tenant.added"), "{one:?}");
    assert!(one.iter().all(|record| record["tenant"] == "initech"));
    test_env.get(&watcher, &format!("{ALL}?tenant=ACME")).await.assert_problem(400, "invalid-request");
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let own = records(&test_env, &watcher, &tenant_path(tenant, "/audit")).await;
        assert!(!own.is_empty() && own.iter().all(|record| record["tenant"] == tenant));
        let reader = test_env.token(tenant, READER).await;
        test_env.get(&reader, &tenant_path(other, "/audit")).await.assert_problem(401, "invalid-token");
        test_env.get(&reader, ALL).await.assert_problem(401, "invalid-token");
    }
}

/// Records that are added while a reader fetches pages cause no gap and no repetition.
#[tokio::test]
async fn audit_pages_have_each_record_once() {
    let test_env = TestEnv::start();
    let boss = test_env.token(ACME, BOSS).await;
    for number in 0..7 {
        test_env.post(&boss, &clients_path(ACME), json!({ "client_id": format!("web-{number}") })).await;
    }
    let path = tenant_path(ACME, "/audit");
    let whole = test_env.pages(&boss, &path, 200, async |_| {}).await;
    let seen = test_env.pages(&boss, &path, 2, async |_| {
        test_env.post(&boss, &clients_path(ACME), json!({})).await.assert_status(201);
    });
    assert_eq!(seen.await, whole);
}
