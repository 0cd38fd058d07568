//! Codes that are bound to a DPoP key by the authorization request (RFC 9449 §10), each at two tenants.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, tenant_path, token_path};
use crate::openid::claims;
use crate::person::{
    Browser, PASSWORD, add_person, add_web_client, authorization_request, continued, parameter,
    redemption_form,
};
use crate::prover::{DPOP, Prover, proof_claims};
use crate::pushed_requests::open;

const NOT_VALID: &str = "The authorization code is not valid";

/// A proof for this path of the tenant.
fn proof(app: &TestApp, prover: &Prover, path: &str, jti: &str) -> String {
    prover.proof(proof_claims("POST", path, app.now(), jti), json!({}))
}

/// Redeems a code beside a proof, if there is one.
async fn redeem(app: &TestApp, tenant: &str, secret: &str, code: &str, proof: Option<&str>) -> Answer {
    let form = redemption_form(&[("client_secret", secret), ("code", code)]);
    let request = app.request(Method::POST, &token_path(tenant)).form(&form);
    Answer::to(proof.into_iter().fold(request, |request, proof| request.header(DPOP, proof))).await
}

/// Pushes the usual request beside a proof.
async fn push(app: &TestApp, tenant: &str, more: &[(&str, &str)], proof: &str) -> Answer {
    let request = app.request(Method::POST, &tenant_path(tenant, "/oauth/par"));
    Answer::to(request.form(&authorization_request(more)).header(DPOP, proof)).await
}

/// The code for a pushed request.
async fn code_of(app: &TestApp, tenant: &str, pushed: &Answer) -> String {
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let mut browser = Browser::new(app);
    let page = open(&mut browser, tenant, "web", pushed.json()["request_uri"].as_str().unwrap()).await;
    parameter(&continued(&browser.sign_in(tenant, &page, PASSWORD).await), "code")
}

#[track_caller]
fn assert_bound(answer: &Answer, prover: &Prover) {
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{}", answer.body);
    let bound_to: Value = claims(&answer.json()["access_token"])["cnf"].clone();
    assert_eq!(bound_to, json!({ "jkt": prover.thumbprint() }));
}

#[tokio::test]
async fn a_code_is_redeemed_with_the_proof_of_its_key_alone() {
    let app = TestApp::start();
    let (prover, thief) = (Prover::new(), Prover::new());
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        add_person(&app, tenant);
        let secret = add_web_client(&app, tenant, |_| ());
        let path = token_path(tenant);
        let key = prover.thumbprint();
        let code = async || Browser::new(&app).code(tenant, &[("dpop_jkt", &key)]).await;

        let stolen = code().await;
        redeem(&app, tenant, &secret, &stolen, None).await.assert_refused(400, "invalid_grant", NOT_VALID);
        // It is used up.
        let late = redeem(&app, tenant, &secret, &stolen, Some(&proof(&app, &prover, &path, "1"))).await;
        late.assert_refused(400, "invalid_grant", NOT_VALID);
        let of_thief = proof(&app, &thief, &path, "2");
        let refused = redeem(&app, tenant, &secret, &code().await, Some(&of_thief)).await;
        refused.assert_refused(400, "invalid_grant", NOT_VALID);

        // A proof for the other tenant is none, and uses nothing up.
        let code = code().await;
        let elsewhere = proof(&app, &prover, &token_path(other), "3");
        let refused = redeem(&app, tenant, &secret, &code, Some(&elsewhere)).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
        let good = redeem(&app, tenant, &secret, &code, Some(&proof(&app, &prover, &path, "4"))).await;
        assert_bound(&good, &prover);
    }
}

#[tokio::test]
async fn a_push_with_a_proof_binds_its_code() {
    let app = TestApp::start();
    let (prover, thief) = (Prover::new(), Prover::new());
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        add_person(&app, tenant);
        let secret = add_web_client(&app, tenant, |_| ());
        let (par, token) = (tenant_path(tenant, "/oauth/par"), token_path(tenant));
        let mut jti = 0;
        let mut proof = |prover: &Prover, path: &str| {
            jti += 1;
            proof(&app, prover, path, &jti.to_string())
        };
        let by_secret = ("client_secret", secret.as_str());

        let pushed = push(&app, tenant, &[by_secret], &proof(&prover, &par)).await;
        let code = code_of(&app, tenant, &pushed).await;
        let refused = redeem(&app, tenant, &secret, &code, Some(&proof(&thief, &token))).await;
        refused.assert_refused(400, "invalid_grant", NOT_VALID);

        // The parameter may say the same.
        let (key, key_of_thief) = (prover.thumbprint(), thief.thumbprint());
        let named = [by_secret, ("dpop_jkt", key.as_str())];
        let used = proof(&prover, &par);
        let pushed = push(&app, tenant, &named, &used).await;
        let code = code_of(&app, tenant, &pushed).await;
        let good = redeem(&app, tenant, &secret, &code, Some(&proof(&prover, &token))).await;
        assert_bound(&good, &prover);
        let named = [by_secret, ("dpop_jkt", key_of_thief.as_str())];
        let refused = push(&app, tenant, &named, &proof(&prover, &par)).await;
        refused.assert_refused(400, "invalid_request", "The dpop_jkt is not the key of the DPoP proof");

        let of_other = proof(&prover, &tenant_path(other, "/oauth/par"));
        for bad in [used, of_other, proof(&prover, &token), "x".to_owned()] {
            let refused = push(&app, tenant, &[by_secret], &bad).await;
            assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
        }
    }
}

#[tokio::test]
async fn a_push_is_supplied_with_the_nonce_that_its_proof_needs() {
    let app = TestApp::start();
    let prover = Prover::new();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        let secret = add_web_client(&app, tenant, |_| ());
        app.change_tenant(tenant, |tenant| {
            tenant.strategies.oidc = true;
            tenant.access_token.require_dpop_nonce = true;
        });
        let path = tenant_path(tenant, "/oauth/par");
        let more = [("client_secret", secret.as_str())];
        let without = push(&app, tenant, &more, &proof(&app, &prover, &path, "1")).await;
        assert_eq!((without.status, &without.json()["error"]), (400, &json!("use_dpop_nonce")));
        let nonce = json!({ "nonce": without.header("dpop-nonce") });
        let with = prover.proof(proof_claims("POST", &path, app.now(), "2"), nonce);
        let pushed = push(&app, tenant, &more, &with).await;
        assert_eq!((pushed.status, pushed.header("dpop-nonce").is_empty()), (201, false), "{}", pushed.body);
    }
}
