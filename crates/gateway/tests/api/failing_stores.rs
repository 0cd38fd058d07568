//! While a store is unavailable, no credential, token, proof or key is reported as wrong.
//! Afterwards all of them are still valid.

use crate::prelude::*;

/// The responses to a wrong secret, and to a valid token, key set, assertion and proof.
async fn answers(app: &TestApp, tenant: &str, tokens: [&str; 2], prover: &Prover) -> [Answer; 8] {
    let [token, bound] = tokens;
    let assertion = assertion_key(tenant).sign("JWT", &assertion_claims(tenant, "1")).unwrap();
    let proof = prover.proof(proof_claims("GET", RESOURCE, app.now(), "1"), json!({ "ath": hash_of(bound) }));
    [
        app.fetch(tenant, SVC, "wrong").await,
        app.post_as((tenant, SVC), "/oauth/introspect", &[("token", token)]).await,
        app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await,
        app.get_with(token, RESOURCE).await,
        app.get_with(token, &tenant_path(tenant, "/oauth/forward-auth?audience=api")).await,
        app.post(&token_path(tenant), &asserted(&assertion)).await,
        Answer::to(with_dpop(app.request(Method::GET, RESOURCE), bound, &proof)).await,
        app.post_as((tenant, SVC), "/oauth/revoke", &[("token", token)]).await,
    ]
}

// [introspection RFC 7662 §4 c]: If the server cannot decide, the answer is 503 and not "active"
// [revocation RFC 7009 §2.2.1 c]: 503 while the server cannot revoke; the token may be valid still.
//   `Retry-After` says when to try again
// [http RFC 9110 §15.6.4]: 503 comes with `Retry-After`
// [oauth RFC 6749 §5.2 j]
#[tokio::test]
async fn failing_store_never_reports_valid_credentials_as_wrong() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let (token, prover) = (app.token(tenant).await, Prover::new());
        let cnf = json!({ "cnf": { "jkt": prover.thumbprint() } });
        let bound = Forge::from_tenant(tenant).token(&but(claims(tenant), cnf));
        for (failure, status, error, words) in [
            (Failure::Unavailable, 503, "temporarily_unavailable", "The server cannot answer now; try again"),
            (Failure::Fault, 500, "server_error", "The server failed to answer"),
        ] {
            app.store.fail_with(failure);
            for answer in answers(&app, tenant, [&token, &bound], &prover).await {
                answer.assert_refused(status, error, words);
                assert_eq!(answer.header("www-authenticate"), "");
                let again: Option<u32> = answer.header("retry-after").parse().ok();
                assert_eq!(again.is_some_and(|seconds| seconds > 0), status == 503, "{answer:?}");
            }
            app.store.fail_with(None);
            assert!(app.is_active(tenant, &token).await);
        }
        let [wrong, good @ ..] = answers(&app, tenant, [&token, &bound], &prover).await;
        wrong.assert_unauthenticated();
        good.iter().for_each(|answer| answer.assert_status(200));
    }
}
