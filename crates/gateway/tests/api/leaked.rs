//! Reports of leaked credentials: the response reveals nothing, and the tenant's policy decides
//! what happens.

use tenancy::{LeakAction, LeakPolicy};

use crate::prelude::*;

const PATH: &str = "/api/v1/secrets/leaked";

async fn report(app: &TestApp, body: Value) {
    let answer = Answer::to(app.request(Method::POST, PATH).json(&body)).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{body}");
    answer.assert_not_stored();
}

/// Handles each report, as the program does. Returns the number of credentials.
async fn work(app: &TestApp) -> usize {
    let (mut found, now) = (0, Timestamp::from_seconds(app.now()));
    while let Some(report) = app.leaks.take() {
        for leaked in app.administrator.find_leaked(&report.text).await.unwrap() {
            app.administrator.end_leaked(&leaked, &report.source, now).await.unwrap();
            app.administrator.note_leaked(&leaked, &report.source, None, now).await.unwrap();
            found += 1;
        }
    }
    found
}

fn policy(app: &TestApp, tenant: &str, action: LeakAction) {
    let grace = values::Lifetime::from_seconds(600);
    app.change_tenant(tenant, |tenant| {
        tenant.api_keys = Some(tenancy::ApiKeyPolicy::default());
        tenant.leaks = LeakPolicy { action, grace };
    });
}

#[tokio::test]
async fn tenant_policy_decides_about_reported_credentials() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for action in [LeakAction::Notify, LeakAction::End, LeakAction::Revoke] {
            let test_env = TestEnv::start();
            let app = &test_env.app;
            let keys = Keys::new(&test_env, tenant).await;
            let key = keys.make(json!({ "name": "Nightly" })).await;
            policy(app, tenant, action);
            let path = format!("{}/{SVC}/secrets", clients_path(tenant));
            let secret = test_env.post(&keys.token, &path, json!({})).await.json_of(201);
            let secret = secret["client_secret"].as_str().unwrap().to_owned();
            let opens = async || {
                let by_key = keys.exchange(None, &[("client_secret", &key.text)]).await.status == 200;
                (test_env.opens(tenant, SVC, &secret).await, by_key)
            };
            report(app, json!({ "secrets": [secret, "nothing", ""] })).await;
            report(app, json!([{ "token": key.text, "type": "latchkey", "url": "https://x.example", "source": "content" }])).await;
            assert_eq!(work(app).await, 2);
            let at_once = action == LeakAction::Revoke;
            assert_eq!(opens().await, (!at_once, !at_once), "{action:?}");
            app.pass(600);
            let lives_on = action == LeakAction::Notify;
            assert_eq!(opens().await, (lives_on, lives_on), "{action:?}");
            assert!(test_env.opens(other, SVC, app.secrets(other).of(SVC)).await);

            // A second report changes nothing, and the audit has only one record.
            report(app, json!({ "secrets": [secret, key.text] })).await;
            work(app).await;
            let watcher = test_env.token(tenant, READER).await;
            let path = tenant_path(tenant, "/audit?actor=leak%20report");
            let records = test_env.get(&watcher, &path).await.json_of(200);
            let mut actions = column(&records, "action");
            actions.sort_unstable();
            let expected: &[&str] = match action {
                LeakAction::Notify => &["api_key.leaked", "secret.leaked"],
                LeakAction::End => {
                    &["api_key.leaked", "api_key.restricted", "secret.leaked", "secret.rescheduled"]
                }
                LeakAction::Revoke => {
                    &["api_key.leaked", "api_key.revoked", "secret.leaked", "secret.revoked"]
                }
            };
            assert_eq!(actions, expected);
        }
    }
}

// [limits #38]
// [third 23]: The 429 of the endpoint for leak reports and of the page for device codes, and the 503 of the
//   page that sets a password, had no `Retry-After` | fixed | Every 429 and 503 has `Retry-After`;
//   `documented.rs` checks each answer of each test
#[tokio::test]
async fn reports_get_equal_responses_until_rate_limited() {
    let app = TestApp::start();
    let well_formed = secrets::GeneratedSecret::generate().secret;
    for body in [
        json!({ "secrets": [app.acme.of(SVC)] }),
        json!({ "secrets": [well_formed.expose()] }),
        json!({ "secrets": vec!["x"; 200] }),
        json!({ "else": 1 }),
        json!([]),
        json!("text"),
    ] {
        report(&app, body).await;
    }
    let not_json = Answer::to(app.request(Method::POST, PATH).body("{")).await;
    assert_eq!((not_json.status, not_json.body.as_str()), (202, ""));
    for _ in 7..60 {
        report(&app, json!([])).await;
    }
    let more = Answer::to(app.request(Method::POST, PATH).json(&json!([]))).await;
    more.assert_error(429, "temporarily_unavailable");
    assert_eq!(more.header("retry-after"), "1");
    app.pass(60);
    report(&app, json!([])).await;
}

/// Sends 100 000 strings. All responses are the same, and none waits for the store.
#[tokio::test]
async fn responses_reveal_nothing_about_reported_strings() {
    let app = TestApp::start();
    let unknown = secrets::GeneratedSecret::generate().secret;
    let wrong = format!("{}0", &unknown.expose()[..unknown.expose().len() - 1]);
    let kinds = [app.acme.of(SVC), app.globex.of(SVC), unknown.expose(), &wrong, "no credential"];
    let bodies = kinds.map(|text| json!({ "secrets": vec![text; 100] }));
    let held = app.store.hold_answers().await;
    let mut answers = std::collections::BTreeSet::new();
    for round in 0..200 {
        for body in &bodies {
            let answer = Answer::to(app.request(Method::POST, PATH).json(body)).await;
            let headers =
                answer.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
            answers.insert(format!("{} {:?} {}", answer.status, headers.collect::<Vec<_>>(), answer.body));
        }
        while app.leaks.take().is_some() {}
        if round % 12 == 11 {
            app.pass(60);
        }
    }
    drop(held);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.first().unwrap().starts_with("202 "), "{answers:?}");
}
