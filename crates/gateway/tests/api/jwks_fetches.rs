//! The log of JWKS fetches records exactly the verifiers that received the keys or a 304.

use administration::store::{UsageLog as _, VerifierFetch};

use crate::jwks::path;
use crate::prelude::*;

async fn fetch(app: &TestApp, method: Method, path: &str, agent: &str, tags: &str) -> u16 {
    let request = app.request(method, path).header("user-agent", agent).header("if-none-match", tags);
    Answer::to(request).await.status
}

/// The fetches since the previous call: tenant, verifier, newest key and time.
fn noted(app: &TestApp) -> Vec<(String, String, String, u64)> {
    let seen = app.jwks_fetches.0.drain().into_iter();
    seen.map(|seen| {
        (seen.owner.to_string(), seen.user.to_string(), seen.newest.to_string(), seen.at.seconds())
    })
    .collect()
}

/// Writes the log to the store, as the program does every few seconds.
async fn write(app: &TestApp) {
    let seen = app.jwks_fetches.0.drain().into_iter();
    let seen: Vec<_> = seen
        .map(|seen| VerifierFetch {
            tenant: seen.owner,
            verifier: seen.user.to_string(),
            last_fetch_at: seen.at,
            newest_key: seen.newest,
        })
        .collect();
    app.store.record_verifier_fetches(&seen).await.unwrap();
}

fn recorded(app: &TestApp, tenant: &str, agent: &str, key: &str) -> (String, String, String, u64) {
    (tenant.to_owned(), format!("{agent} (127.0.0.1)"), key.to_owned(), app.now())
}

#[tokio::test]
async fn fetch_is_recorded_for_its_tenant_only() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        app.pass(7);
        assert_eq!(fetch(&app, Method::GET, &path(tenant), "jose/5", "").await, 200);
        assert_eq!(noted(&app), [recorded(&app, tenant, "jose/5", "oauth2-key-1")]);
        assert_eq!(fetch(&app, Method::GET, &path(tenant), "PyJWT/2", "*").await, 304);
        let counted = [recorded(&app, tenant, "PyJWT/2", "oauth2-key-1")];
        assert_eq!(noted(&app), counted, "a 304 counts as a fetch");
    }
}

#[tokio::test]
async fn an_answer_without_keys_is_not_recorded() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        assert_eq!(fetch(&app, Method::HEAD, &path(tenant), "x", "").await, 200);
        assert_eq!(fetch(&app, Method::HEAD, &path(tenant), "x", "*").await, 304);
        assert_eq!(fetch(&app, Method::POST, &path(tenant), "x", "").await, 405);
        assert_eq!(fetch(&app, Method::GET, &path("unknown"), "x", "").await, 404);
        app.token(tenant).await;
        app.store.fail_with(testkit::Failure::Unavailable);
        assert_eq!(fetch(&app, Method::GET, &path(tenant), "x", "").await, 503);
        app.store.fail_with(None);
        assert_eq!(noted(&app), []);
    }
}

#[tokio::test]
async fn fetch_records_the_newest_published_key() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        test_env.rotate(&keeper, tenant).await;
        assert_eq!(fetch(&test_env.app, Method::GET, &path(tenant), "jose/5", "").await, 200);
        assert_eq!(noted(&test_env.app), [recorded(&test_env.app, tenant, "jose/5", "oauth2-key-2")]);
    }
}

#[tokio::test]
async fn fetches_from_a_suspended_tenant_are_recorded() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        app.suspend(tenant);
        assert_eq!(fetch(&app, Method::GET, &path(tenant), "jose/5", "").await, 200);
        assert_eq!(noted(&app), [recorded(&app, tenant, "jose/5", "oauth2-key-1")]);
    }
}

#[tokio::test]
async fn fetches_at_the_default_tenants_path_are_recorded() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        assert_eq!(fetch(&app, Method::GET, "/oauth2/jwks", "jose/5", "").await, 200);
        assert_eq!(noted(&app), [recorded(&app, tenant, "jose/5", "oauth2-key-1")]);
    }
}

/// From the fetch to the key status in the admin API.
#[tokio::test]
async fn status_shows_verifiers_with_the_announced_key() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let status = async || test_env.get(&keeper, &format!("{}/status", keys_path(tenant))).await.json();
        for agent in ["jose/5", "PyJWT/2"] {
            fetch(&test_env.app, Method::GET, &path(tenant), agent, "").await;
        }
        write(&test_env.app).await;
        let before = status().await;
        assert_eq!(before["signing"]["kid"], "oauth2-key-1", "{before}");
        assert_eq!((before.get("announced"), before.get("seen_by_all")), (None, None), "{before}");
        assert_eq!(before["verifiers"].as_array().unwrap().len(), 2, "{before}");

        test_env.rotate(&keeper, tenant).await;
        fetch(&test_env.app, Method::GET, &path(tenant), "jose/5", "").await;
        write(&test_env.app).await;
        let between = status().await;
        assert_eq!(between["announced"]["kid"], "oauth2-key-2", "{between}");
        assert_eq!(between["seen_by_all"], false, "{between}");
        let has = |verifier: &str| {
            let all = between["verifiers"].as_array().unwrap();
            all.iter().find(|one| one["verifier"] == verifier).unwrap()["has_announced"].clone()
        };
        assert_eq!(has("jose/5 (127.0.0.1)"), true);
        assert_eq!(has("PyJWT/2 (127.0.0.1)"), false);

        fetch(&test_env.app, Method::GET, &path(tenant), "PyJWT/2", "").await;
        write(&test_env.app).await;
        assert_eq!(status().await["seen_by_all"], true);
    }
}

/// The status is unknown if no verifier polls, and does not depend on strangers.
#[tokio::test]
async fn seen_by_all_requires_every_known_verifier() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let seen_by_all = async || {
            let status = test_env.get(&keeper, &format!("{}/status", keys_path(tenant))).await.json();
            assert_eq!(status["announced"]["kid"], "oauth2-key-2", "{status}");
            status.get("seen_by_all").cloned()
        };
        if tenant == GLOBEX {
            fetch(app, Method::GET, &path(tenant), "jose/5", "").await;
            write(app).await;
        }
        test_env.rotate(&keeper, tenant).await;
        let before = if tenant == GLOBEX { Some(json!(false)) } else { None };
        assert_eq!(seen_by_all().await, before);
        app.pass(1);
        for stranger in 0..300 {
            fetch(app, Method::GET, &path(tenant), &format!("made-up/{stranger}"), "").await;
        }
        write(app).await;
        assert_eq!(seen_by_all().await, Some(json!(tenant == ACME)), "those who are known there");
    }
}
