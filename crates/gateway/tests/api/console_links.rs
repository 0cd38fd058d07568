//! Console links at two tenants: when their sessions end, and who can use them.

use crate::administrators::settle;
use crate::console::{begun, code, form_token, home};
use crate::prelude::*;
use crate::prover::{Prover, hash_of, proof_claims, with_dpop};

const CHIEF: &str = "chief";
const SCOPE: &str = "latchkey:clients latchkey:keys latchkey:audit";

/// A token of the tenant's client, issued `ago` seconds ago and valid for `left` more seconds.
fn token(test_env: &TestEnv, tenant: &str, (ago, left): (u64, u64), more: Value) -> String {
    let now = test_env.app.now();
    let times = json!({ "iat": now - ago, "nbf": now - ago, "exp": now + left });
    Forge::from_tenant(tenant).token(&but(but(admin_claims(tenant, CHIEF, SCOPE), times), more))
}

fn links(tenant: &str) -> String {
    tenant_path(tenant, "/console-links")
}

/// A browser with the session of the link in this response.
async fn opened<'a>(test_env: &'a TestEnv, tenant: &str, made: &Value) -> Browser<'a> {
    let code = text(made, "path").split_once('#').unwrap().1.to_owned();
    let mut browser = Browser::new(&test_env.app);
    browser.post(&format!("{}/link", home(tenant)), &[("code", &*code)]).await.assert_status(303);
    browser
}

fn instant(seconds: u64) -> String {
    Timestamp::from_seconds(seconds).to_rfc3339()
}

// [third 6]: A session of the console lasted twelve hours, when the token that opened it expired after two
//   seconds, and counted as proven from the link on | fixed | A session ends with its token. If the client
//   also authenticates in the request for the link, the session lasts up to twelve hours. The session of a
//   bound token lasts up to 15 minutes. A sign-in is as old as the token
#[tokio::test]
async fn a_session_ends_with_the_token_that_opened_it() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        for tenant in [tenant, other] {
            settle(&test_env.app, tenant, CHIEF, SCOPE);
        }
        let ends = instant(test_env.app.now() + 100);
        let made =
            test_env.step(&token(&test_env, tenant, (0, 100), json!({})), &links(tenant)).await.json_of(201);
        assert_eq!(text(&made, "session_ends_at"), ends);
        let mut browser = opened(&test_env, tenant, &made).await;
        let mut neighbour = begun(&test_env, other, &token(&test_env, other, (0, 600), json!({}))).await;
        test_env.app.pass(99);
        browser.get(&home(tenant)).await.assert_says(200, &format!("<time datetime=\"{ends}\""));
        test_env.app.pass(1);
        assert_eq!(browser.get(&home(tenant)).await.status, 303);
        assert_eq!(neighbour.get(&home(other)).await.status, 200);
        // The link expires with the token.
        let made =
            test_env.step(&token(&test_env, tenant, (0, 5), json!({})), &links(tenant)).await.json_of(201);
        assert_eq!(text(&made, "expires_at"), instant(test_env.app.now() + 5));
    }
}

// [third 6]
#[tokio::test]
async fn a_sign_in_is_as_old_as_its_token() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        settle(&test_env.app, tenant, CHIEF, SCOPE);
        settle(&test_env.app, other, CHIEF, SCOPE);
        let keys = format!("{}/keys", home(tenant));
        for (ago, is_recent) in [(899, true), (900, false)] {
            let mut browser =
                begun(&test_env, tenant, &token(&test_env, tenant, (ago, 600), json!({}))).await;
            let form = form_token(&browser.get(&keys).await);
            let answer = browser.post(&keys, &[("form", &form), ("act", "emergency"), ("confirm", "")]).await;
            assert_eq!(
                answer.body.contains("Run one of these commands again"),
                !is_recent,
                "{ago}: {}",
                answer.body
            );
        }
    }
}

// [third 6]
#[tokio::test]
async fn authenticating_for_the_link_extends_the_session() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let [secret, of_other] = [tenant, other].map(|tenant| settle(&test_env.app, tenant, CHIEF, SCOPE));
        let neighbour = settle(&test_env.app, tenant, "deputy", SCOPE);
        let short = token(&test_env, tenant, (0, 100), json!({}));
        let ask = async |form: &[(&str, &str)]| {
            let request = test_env.app.request(Method::POST, &links(tenant)).bearer_auth(&short);
            Answer::to(request.form(form)).await
        };
        for (client, secret) in [(CHIEF, "wrong"), (CHIEF, &*of_other), ("deputy", &*neighbour), (CHIEF, "")]
        {
            let refused = ask(&[("client_id", client), ("client_secret", secret)]).await;
            assert_eq!(refused.status, 400, "{client}: {}", refused.body);
        }
        let made = ask(&[("client_id", CHIEF), ("client_secret", &secret)]).await.json_of(201);
        assert_eq!(text(&made, "session_ends_at"), instant(test_env.app.now() + 43_200));
        let mut browser = opened(&test_env, tenant, &made).await;
        test_env.app.pass(101);
        assert_eq!(browser.get(&home(tenant)).await.status, 200);
        assert_eq!(browser.get(&home(other)).await.status, 303);
    }
}

// [third 6]
#[tokio::test]
async fn bound_token_requires_proof_and_opens_short_session() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        settle(&test_env.app, tenant, CHIEF, SCOPE);
        let prover = Prover::new();
        let bound = token(&test_env, tenant, (0, 3_600), json!({ "cnf": { "jkt": prover.thumbprint() } }));
        test_env.step(&bound, &links(tenant)).await.assert_status(401);
        let proof = |path: &str, jti: &str| {
            let claims = proof_claims("POST", path, test_env.app.now(), jti);
            prover.proof(claims, json!({ "ath": hash_of(&bound) }))
        };
        let ask = async |path: &str, proof: &str| {
            Answer::to(with_dpop(test_env.app.request(Method::POST, path), &bound, proof)).await
        };
        ask(&links(tenant), &proof(&links(other), "1")).await.assert_status(401);
        let made = ask(&links(tenant), &proof(&links(tenant), "2")).await.json_of(201);
        assert_eq!(text(&made, "session_ends_at"), instant(test_env.app.now() + 900));
        let mut browser = opened(&test_env, tenant, &made).await;
        test_env.app.pass(899);
        assert_eq!(browser.get(&home(tenant)).await.status, 200);
        test_env.app.pass(1);
        assert_eq!(browser.get(&home(tenant)).await.status, 303);
    }
}

// [third 9]: A link to the console replaced the session of the administrator who opened it by the session of
//   another one, without a question | fixed | If the browser has a session of another holder at any tenant,
//   the page shows tenant and holder of the link, and asks. Its button works without script, and no script
//   presses it. Without a session, or with one of the same holder, the link opens the console as before
#[tokio::test]
async fn link_of_another_administrator_asks_first() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        for at in [tenant, other, PLATFORM] {
            settle(&test_env.app, at, CHIEF, SCOPE);
        }
        let chief = token(&test_env, tenant, (0, 600), json!({}));
        let link = format!("{}/link", home(tenant));
        let own = begun(&test_env, tenant, &test_env.token(tenant, BOSS).await).await;
        let elsewhere = begun(&test_env, other, &test_env.token(other, BOSS).await).await;
        let operator = begun(&test_env, PLATFORM, &test_env.token(PLATFORM, OPS).await).await;
        for (mut browser, who) in [
            (own, format!("client:{tenant}/{BOSS}")),
            (elsewhere, format!("client:{other}/{BOSS}")),
            (operator, format!("client:platform/{OPS}")),
        ] {
            let code = code(&test_env, tenant, &chief).await;
            let before = browser.cookies.clone();
            let asked = browser.post(&link, &[("code", &*code)]).await;
            asked.assert_says(200, &format!("client:{tenant}/{CHIEF}"));
            asked.assert_says(200, &who);
            asked.assert_not_stored();
            assert!(!asked.body.contains("data-fragment"), "no script sends it: {}", asked.body);
            assert_eq!(browser.cookies, before);
            // A stranger without the code learns nothing, and a form of another session is refused.
            let form = form_token(&asked);
            let stranger = browser.post(&link, &[("code", "x"), ("form", &form)]).await;
            assert!(!stranger.body.contains(CHIEF), "{}", stranger.body);
            let forged = browser.post(&link, &[("code", &*code), ("form", "x")]).await;
            assert_eq!((forged.status, &browser.cookies), (403, &before), "{}", forged.body);
            let begun = browser.post(&link, &[("code", &*code), ("form", &form)]).await;
            assert_eq!((begun.status, begun.header("location")), (303, &*home(tenant)), "{}", begun.body);
            browser.get(&home(tenant)).await.assert_says(200, &format!("client:{tenant}/{CHIEF}"));
        }
        let mut browser = begun(&test_env, tenant, &chief).await;
        let again = code(&test_env, tenant, &chief).await;
        assert_eq!(browser.post(&link, &[("code", &*again)]).await.status, 303, "the same holder");
    }
}

// [third 12]: No record of the audit said that the platform had signed a report | fixed | Each signature is a
//   record `report.signed` with the digest. The folder of `latchkey dev` is 0700
#[tokio::test]
async fn each_signed_report_is_audited() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let path = "/api/v1/admin/report-signatures";
    let records = async || {
        let page = test_env.get(&ops, "/api/v1/admin/audit?action=report.signed").await.json_of(200);
        page["items"].as_array().unwrap().clone()
    };
    for (tenant, boss) in test_env.of_each(BOSS).await {
        test_env.post(&boss, path, json!({ "sha256": "1".repeat(64) })).await.assert_status(401);
        assert_eq!(records().await, Vec::<Value>::new(), "{tenant}");
    }
    test_env.post(&ops, path, json!({ "sha256": "x" })).await.assert_status(400);
    test_env.post(&ops, path, json!({ "sha256": "0".repeat(64) })).await.assert_status(200);
    let [record] = &*records().await else { panic!("one record") };
    assert_eq!((text(record, "subject"), text(record, "tenant")), (&*"0".repeat(64), PLATFORM));
    assert_eq!(text(record, "actor"), format!("client:platform/{OPS}"));
}
