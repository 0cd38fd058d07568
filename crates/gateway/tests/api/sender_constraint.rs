//! Bound tokens (RFC 9449, RFC 8705): a token without the proof of its key is refused, whatever the
//! kind of key.

use protocol::Thumbprint;

use crate::dpop::bound_token;
use crate::prelude::*;

fn thumbprint() -> String {
    Thumbprint::new([7; 32]).to_string()
}

/// A token of the tenant with this `cnf`.
fn bound(tenant: &str, cnf: &Value) -> String {
    Forge::from_tenant(tenant).token(&but(claims(tenant), json!({ "cnf": cnf })))
}

async fn present(app: &TestApp, path: &str, scheme: &str, token: &str) -> Answer {
    Answer::to(app.request(Method::GET, path).header(AUTHORIZATION, format!("{scheme} {token}"))).await
}

// [dpop RFC 9449 §7.2]: A bound token as `Bearer` is refused, and so is a bearer token as `DPoP`; without a
//   token both schemes are offered
#[tokio::test]
async fn bound_token_is_refused_as_a_bearer_token() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let dpop = "Token requires the DPoP scheme and a DPoP proof";
        let certificate = "Token is not bound to the client certificate of the request";
        for (cnf, words) in [
            (json!({ "jkt": thumbprint() }), dpop),
            (json!({ "x5t#S256": thumbprint() }), certificate),
            (json!({ "jkt": thumbprint(), "x5t#S256": thumbprint() }), dpop),
            (json!({}), "Token is malformed"),
        ] {
            let answer = present(&app, RESOURCE, "Bearer", &bound(tenant, &cnf)).await;
            answer.assert_refused(401, "invalid_token", words);
            answer.assert_not_stored();
        }
        let null = claims(tenant).to_string().replacen('{', "{\"cnf\":null,", 1);
        let null = Forge::from_tenant(tenant).token_with(&header(), &serde_json::from_str(&null).unwrap());
        let refused = present(&app, RESOURCE, "Bearer", &null).await;
        refused.assert_refused(401, "invalid_token", "Token is malformed");
        // The other tenant's token is refused, bound or not.
        let foreign = bound(other, &json!({ "jkt": thumbprint() }));
        let refused = present(&app, RESOURCE, "Bearer", &foreign).await;
        refused.assert_refused(401, "invalid_token", "Token issuer is not accepted");
    }
}

// [dpop RFC 9449 §7.2]
#[tokio::test]
async fn bearer_token_is_refused_as_a_dpop_token() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        assert_eq!(present(&app, RESOURCE, "Bearer", &token).await.status, 200);
        let answer = present(&app, RESOURCE, "DPoP", &token).await;
        answer.assert_refused(401, "invalid_token", "Token is not bound to a DPoP key");
    }
}

// [dpop RFC 9449 §6.2]: Introspection shows `cnf`, and `token_type` is `DPoP`
// [mutual-tls RFC 8705 §3.2]
#[tokio::test]
async fn introspection_shows_the_token_binding() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let introspect = async |tenant: &str, token: &str| {
            app.post_as((tenant, AUDITOR), "/oauth/introspect", &[("token", token)]).await.json()
        };
        for (cnf, token_type) in [
            (json!({ "jkt": thumbprint() }), "DPoP"),
            (json!({ "x5t#S256": thumbprint() }), "Bearer"),
            (json!({ "jkt": thumbprint(), "x5t#S256": thumbprint() }), "DPoP"),
        ] {
            let token = bound(tenant, &cnf);
            let answer = introspect(tenant, &token).await;
            assert_eq!((&answer["cnf"], &answer["token_type"]), (&cnf, &json!(token_type)));
            assert_eq!(introspect(other, &token).await, json!({ "active": false }));
        }
        let plain = introspect(tenant, &app.token(tenant).await).await;
        assert_eq!((plain.get("cnf"), &plain["token_type"]), (None, &json!("Bearer")));
        let unknown = bound(tenant, &json!({ "kid": "a" }));
        assert_eq!(introspect(tenant, &unknown).await, json!({ "active": false }));
    }
}

// [dpop RFC 9449 §5.2]: `dpop_bound_access_tokens`: a token request without a proof is refused
// [mutual-tls RFC 8705 §3.3, §3.4], [rfc9700 §2.2.1]
#[tokio::test]
async fn required_proof_or_certificate_is_enforced() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let request = async |tenant: &str| app.fetch(tenant, SVC, app.secrets(tenant).of(SVC)).await;
        let prover = Prover::new();
        app.change_client(tenant, SVC, |client| client.dpop_bound_access_tokens = true);
        let words = "The client must send a DPoP proof in the header DPoP";
        request(tenant).await.assert_refused(400, "invalid_dpop_proof", words);
        bound_token(&app, tenant, &prover, "1").await;
        app.change_client(tenant, SVC, |client| client.tls_client_certificate_bound_access_tokens = true);
        let words = "The client must present a client certificate";
        request(tenant).await.assert_refused(400, "invalid_request", words);
        app.change_client(tenant, SVC, |_| ());
        assert_eq!(request(tenant).await.status, 200);
        app.change_tenant(tenant, |tenant| tenant.access_token.require_sender_constraint = true);
        let words = "The token must be bound to a key: send a DPoP proof in the header DPoP";
        request(tenant).await.assert_refused(400, "invalid_request", words);
        bound_token(&app, tenant, &prover, "2").await;
        assert_eq!(request(other).await.status, 200, "the rule is of one tenant");
    }
}
