//! Tokens that the sample resource server must refuse, each with the error that gives the reason
//! (RFC 8725, RFC 9068 §4).

use crate::forge::unsigned;
use crate::prelude::*;

// [bearer RFC 6750 §3 b]: The challenge has `error` and `error_description` if a token was refused
// [bearer RFC 6750 §3.1]: Expired, malformed or otherwise invalid: 401 `invalid_token`
// [access-tokens RFC 9068 §4 b]: It checks issuer, audience, signature and expiry, and refuses `none`
// [access-tokens RFC 9068 §4 c]: It answers `invalid_token`, as RFC 6750 §3.1 says
// [access-tokens RFC 9068 §4], [V9 9.1.1], [V10 10.3.1]
/// One token for each error. The test vectors of `latchkey-verifier` contain further tokens.
#[tokio::test]
async fn each_invalid_token_is_refused_with_its_reason() {
    for (tenant, other) in BOTH {
        let app = TestApp::start_with(&options(tenant));
        let (forge, foreign) = (Forge::from_tenant(tenant), Forge::foreign());
        let (good, now, public) = (claims(tenant), app.now(), &forge.public_forms()[0]);
        assert_eq!(app.get_with(&forge.token(&good), RESOURCE).await.status, 200);
        let claiming = |changes: Value| forge.token(&but(good.clone(), changes));
        let headed = |changes: Value| forge.token_with(&but(header(), changes), &good);
        let [none, hs256] = ["none", "HS256"].map(|alg| but(header(), json!({ "alg": alg })));
        let brought = but(header(), json!({ "jwk": foreign.jwk() }));
        for (token, words) in [
            (claiming(json!({ "exp": now })), "Token has expired"),
            (claiming(json!({ "nbf": now + 6 })), "Token is not yet valid"),
            (claiming(json!({ "iat": now + 6 })), "Token is not yet valid"),
            (claiming(json!({ "iss": issuer(other) })), "Token issuer is not accepted"),
            (claiming(json!({ "aud": "another" })), "Token audience is not accepted"),
            (claiming(json!({ "client_id": null })), "Token is malformed"),
            (forge.token(&good) + "=", "Token is malformed"),
            (foreign.token(&good), "Token signature is invalid"),
            (Forge::from_tenant(other).token(&good), "Token signature is invalid"),
            (unsigned(&header(), &good), "Token signature is invalid"),
            (forge.hs256(&header(), &good, public), "Token signature is invalid"),
            (forge.hs256(&hs256, &good, public), "Token algorithm is not allowed"),
            (unsigned(&none, &good), "Token algorithm is not allowed"),
            (headed(json!({ "kid": "oauth2-key-2" })), "Token key is unknown"),
            (foreign.token_with(&brought, &good), "Token header is not allowed"),
            (headed(json!({ "typ": "JWT" })), "Token type is not accepted"),
        ] {
            assert_invalid(&app.get_with(&token, RESOURCE).await, words);
        }
    }
}
