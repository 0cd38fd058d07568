//! Codes that the authorization request binds to a DPoP key (RFC 9449 §10), at two tenants.

use crate::device;
use crate::person::redemption_form;
use crate::prelude::*;
use crate::pushed_requests::open;

const NOT_VALID: &str = "The authorization code is not valid";

/// A proof for this path of the tenant.
fn proof(app: &TestApp, prover: &Prover, path: &str, jti: &str) -> String {
    prover.proof(proof_claims("POST", path, app.now(), jti), json!({}))
}

async fn redeem(app: &TestApp, tenant: &str, secret: &str, code: &str, proof: Option<&str>) -> Answer {
    let form = redemption_form(&[("client_secret", secret), ("code", code)]);
    let request = app.request(Method::POST, &token_path(tenant)).form(&form);
    Answer::to(proof.into_iter().fold(request, |request, proof| request.header(DPOP, proof))).await
}

/// Pushes the usual request with a proof.
async fn push(app: &TestApp, tenant: &str, more: &[(&str, &str)], proof: &str) -> Answer {
    let request = app.request(Method::POST, &tenant_path(tenant, "/oauth/par"));
    Answer::to(request.form(&authorization_request(more)).header(DPOP, proof)).await
}

async fn code_of(app: &TestApp, tenant: &str, pushed: &Answer) -> String {
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let mut browser = Browser::new(app);
    let page = open(&mut browser, tenant, "web", pushed.json()["request_uri"].as_str().unwrap()).await;
    code_in(&browser.sign_in(tenant, &page, PASSWORD).await)
}

#[track_caller]
fn assert_bound(answer: &Answer, prover: &Prover) {
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{}", answer.body);
    assert_eq!(payload(&answer.json()["access_token"])["cnf"].clone(), json!({ "jkt": prover.thumbprint() }));
}

// [dpop RFC 9449 §10], [attacks #5], [shared 2.2]
#[tokio::test]
async fn bound_code_requires_a_proof_of_its_key() {
    let app = TestApp::start();
    let (prover, thief) = (Prover::new(), Prover::new());
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let secret = furnish(&app, tenant, |_| ());
        let path = token_path(tenant);
        let key = prover.thumbprint();
        let code = async || Browser::new(&app).code(tenant, &[("dpop_jkt", &key)]).await;

        let stolen = code().await;
        redeem(&app, tenant, &secret, &stolen, None).await.assert_refused(400, "invalid_grant", NOT_VALID);
        // The code is used up.
        let late = redeem(&app, tenant, &secret, &stolen, Some(&proof(&app, &prover, &path, "1"))).await;
        late.assert_refused(400, "invalid_grant", NOT_VALID);
        let of_thief = proof(&app, &thief, &path, "2");
        let refused = redeem(&app, tenant, &secret, &code().await, Some(&of_thief)).await;
        refused.assert_refused(400, "invalid_grant", NOT_VALID);

        // No token was issued for either code, so nothing is revoked.
        assert_eq!(app.store.find_revocations(&fixtures::tenant_id(tenant)).await.unwrap().iter().count(), 0);

        // A proof for the other tenant is refused and does not use the code up.
        let code = code().await;
        let elsewhere = proof(&app, &prover, &token_path(other), "3");
        redeem(&app, tenant, &secret, &code, Some(&elsewhere)).await.assert_error(400, "invalid_dpop_proof");
        let good = redeem(&app, tenant, &secret, &code, Some(&proof(&app, &prover, &path, "4"))).await;
        assert_bound(&good, &prover);

        // A second use of a code ends only the grant of that code.
        redeem(&app, tenant, &secret, &code, None).await.assert_refused(400, "invalid_grant", NOT_VALID);
        let grant = payload(&good.json()["access_token"])["grant_id"].as_str().unwrap().to_owned();
        let facts = app.store.find_revocations(&fixtures::tenant_id(tenant)).await.unwrap();
        let revoked: Vec<_> = facts.iter().map(|(subject, _)| subject).collect();
        assert_eq!(revoked, [RevokedSubject::Grant(grant)]);
    }
}

// [dpop RFC 9449 §10.1]: A proof beside a pushed request binds the code, too; another `dpop_jkt` beside it is
//   refused
#[tokio::test]
async fn proof_of_a_pushed_request_binds_the_code() {
    let app = TestApp::start();
    let (prover, thief) = (Prover::new(), Prover::new());
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let secret = furnish(&app, tenant, |_| ());
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

        // The parameter may repeat the key of the proof.
        let (key, key_of_thief) = (prover.thumbprint(), thief.thumbprint());
        let named = [by_secret, ("dpop_jkt", key.as_str())];
        let used = proof(&prover, &par);
        let code = code_of(&app, tenant, &push(&app, tenant, &named, &used).await).await;
        assert_bound(&redeem(&app, tenant, &secret, &code, Some(&proof(&prover, &token))).await, &prover);
        let named = [by_secret, ("dpop_jkt", key_of_thief.as_str())];
        let refused = push(&app, tenant, &named, &proof(&prover, &par)).await;
        refused.assert_refused(
            400,
            "invalid_request",
            "The dpop_jkt does not match the key of the DPoP proof",
        );

        let of_other = proof(&prover, &tenant_path(other, "/oauth/par"));
        for bad in [used, of_other, proof(&prover, &token), "x".to_owned()] {
            push(&app, tenant, &[by_secret], &bad).await.assert_error(400, "invalid_dpop_proof");
        }
    }
}

// [dpop RFC 9449 §10.1]
#[tokio::test]
async fn pushed_request_gets_the_required_nonce() {
    let app = TestApp::start();
    let prover = Prover::new();
    for tenant in [ACME, GLOBEX] {
        let secret = furnish(&app, tenant, |_| ());
        app.change_provider(tenant, |tenant| tenant.access_token.require_dpop_nonce = true);
        let path = tenant_path(tenant, "/oauth/par");
        let more = [("client_secret", secret.as_str())];
        let without = push(&app, tenant, &more, &proof(&app, &prover, &path, "1")).await;
        without.assert_error(400, "use_dpop_nonce");
        let nonce = json!({ "nonce": without.header("dpop-nonce") });
        let with = prover.proof(proof_claims("POST", &path, app.now(), "2"), nonce);
        let pushed = push(&app, tenant, &more, &with).await;
        assert_eq!((pushed.status, pushed.header("dpop-nonce").is_empty()), (201, false), "{}", pushed.body);
    }
}

/// Registered for all grants.
fn add_public_client(app: &TestApp, tenant: &str) {
    furnish(app, tenant, |client| {
        public(client);
        client.grant_types.extend([GrantType::RefreshToken, GrantType::DeviceCode]);
        client.scope = fixtures::scope("openid profile offline_access");
    });
}

async fn send(app: &TestApp, path: &str, form: &[(&str, &str)], proof: &str) -> Answer {
    Answer::to(app.request(Method::POST, path).form(form).header(DPOP, proof)).await
}

// [dpop RFC 9449 §11.1 b]
#[tokio::test]
async fn invalid_grants_of_public_clients_use_up_no_proof() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        add_public_client(&app, tenant);
        add_public_client(&app, other);
        let (path, par) = (token_path(tenant), tenant_path(tenant, "/oauth/par"));
        let stranger = Prover::new();
        let pending = device::begin(&app, tenant).await;
        let foreign = Browser::new(&app).code(other, &[]).await;
        let calls = || app.store.calls().record_use;
        let before = calls();
        let unknown = format!("1{}", "A".repeat(43));
        let device_grant = "urn:ietf:params:oauth:grant-type:device_code";
        let refreshing =
            |token| [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)];
        let polling = |code| [("grant_type", device_grant), ("client_id", "web"), ("device_code", code)];
        let mut number = 0;
        let mut check = async |form: &[(&str, &str)], expected: &str| {
            number += 1;
            let refused = send(&app, &path, form, &proof(&app, &stranger, &path, &number.to_string())).await;
            assert_eq!((refused.status, &refused.json()["error"]), (400, &json!(expected)), "{form:?}");
        };
        check(&redemption_form(&[("code", &unknown)]), "invalid_grant").await;
        check(&redemption_form(&[("code", &foreign)]), "invalid_grant").await;
        for token in ["lk_rt_", "x", &foreign] {
            check(&refreshing(token), "invalid_grant").await;
        }
        check(&polling(&unknown), "invalid_grant").await;
        check(&polling(pending["device_code"].as_str().unwrap()), "authorization_pending").await;
        let bad = authorization_request(&[("redirect_uri", "https://evil.example/")]);
        send(&app, &par, &bad, &proof(&app, &stranger, &par, "p")).await.assert_status(400);
        assert_eq!(calls(), before, "nothing is written");

        // A proof with a valid grant is used up. A replayed proof does not end the grant.
        let prover = Prover::new();
        let first = proof(&app, &prover, &path, "1");
        let code = Browser::new(&app).code(tenant, &[("scope", "openid offline_access")]).await;
        let tokens = send(&app, &path, &redemption_form(&[("code", &code)]), &first).await;
        assert_bound(&tokens, &prover);
        assert_eq!(calls(), before + 1);
        let token = tokens.text("refresh_token");
        let code = Browser::new(&app).code(tenant, &[]).await;
        let again = redemption_form(&[("code", &code)]);
        for form in [&again[..], &refreshing(&token)] {
            let replayed = send(&app, &path, form, &first).await;
            replayed.assert_refused(400, "invalid_dpop_proof", "The DPoP proof is not accepted");
        }
        assert_eq!(calls(), before + 1, "a replay is found by reading");
        assert_bound(&send(&app, &path, &again, &proof(&app, &prover, &path, "2")).await, &prover);
        let next = send(&app, &path, &refreshing(&token), &proof(&app, &prover, &path, "3")).await;
        assert_bound(&next, &prover);
        push(&app, tenant, &[], &proof(&app, &prover, &par, "1")).await.assert_status(201);
        let replayed = push(&app, tenant, &[], &proof(&app, &prover, &par, "1")).await;
        replayed.assert_refused(400, "invalid_dpop_proof", "The DPoP proof is not accepted");
        assert_eq!(calls(), before + 4);
    }
}

// [dpop RFC 9449 §11.1 b]
#[tokio::test]
async fn concurrent_requests_with_one_proof_get_tokens_once() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_public_client(&app, tenant);
        let (path, prover) = (token_path(tenant), Prover::new());
        let proof = proof(&app, &prover, &path, "1");
        let mut codes = Vec::new();
        for _ in 0..10 {
            codes.push(Browser::new(&app).code(tenant, &[]).await);
        }
        let (app, path, proof) = (&app, &path, &proof);
        let sent = codes.iter().map(async |code| {
            let form = redemption_form(&[("code", code)]);
            send(app, path, &form, proof).await.status
        });
        let mut statuses = futures_util::future::join_all(sent).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200][..], &[400; 9]].concat());
    }
}
