//! DPoP (RFC 9449): bound tokens from the token endpoint, and proofs at the protected resource and
//! the admin API.

use crate::metrics::numbers;
use crate::prelude::*;

const REFUSED: &str = "The DPoP proof is not accepted";

/// Requests a token with these proofs.
async fn request_at(app: &TestApp, path: &str, secret: &str, proofs: &[&str]) -> Answer {
    let request = app.request(Method::POST, path).form(&credentials(SVC, secret));
    Answer::to(proofs.iter().fold(request, |request, proof| request.header(DPOP, *proof))).await
}

async fn request(app: &TestApp, tenant: &str, proofs: &[&str]) -> Answer {
    request_at(app, &token_path(tenant), app.secrets(tenant).of(SVC), proofs).await
}

/// A proof for the tenant's token endpoint.
fn for_token(app: &TestApp, prover: &Prover, tenant: &str, jti: &str) -> String {
    prover.proof(proof_claims("POST", &token_path(tenant), app.now(), jti), json!({}))
}

/// A proof for the protected resource with this token.
fn for_resource(app: &TestApp, prover: &Prover, token: &str, jti: &str) -> String {
    prover.proof(proof_claims("GET", RESOURCE, app.now(), jti), json!({ "ath": hash_of(token) }))
}

async fn present(app: &TestApp, token: &str, proof: &str) -> Answer {
    Answer::to(with_dpop(app.request(Method::GET, RESOURCE), token, proof)).await
}

pub(crate) async fn bound_token(app: &TestApp, tenant: &str, prover: &Prover, jti: &str) -> String {
    let answer = request(app, tenant, &[&for_token(app, prover, tenant, jti)]).await;
    answer.access_token()
}

#[track_caller]
fn assert_unauthorized(answer: &Answer, code: &str, words: &str) {
    answer.assert_refused(401, code, words);
    answer.assert_not_stored();
    let algorithms = "RS256 RS384 RS512 PS256 ES256 ES384 EdDSA";
    let challenge = format!(
        "DPoP realm=\"protected-resource\", error=\"{code}\", error_description=\"{words}\", algs=\"{algorithms}\""
    );
    assert_eq!(answer.header("www-authenticate"), challenge);
}

// [dpop RFC 9449 §5]: `token_type` is `DPoP`; a bad proof is `invalid_dpop_proof`
// [dpop RFC 9449 §6.1]: `cnf.jkt` is the SHA-256 thumbprint of the key (RFC 7638)
// [dpop RFC 9449 §7.1]: `Authorization: DPoP` with a proof; else 401 with `WWW-Authenticate: DPoP` and `algs`
// [rfc9700 §2.2.1]: Access tokens are bound to their sender | DPoP (RFC 9449), where client or tenant require
//   it or the client sends a proof. Other tokens are bearer tokens: keep their lifetimes short. Or a client
//   certificate, where client or tenant require it ([client-certificates.md](client-certificates.md))
// [rfc9700 §4.10.1]: Tokens are bound to their sender | As §2.2.1
// [V10 10.3.5]: 3 | Tokens are bound to their sender | As RFC 9700 §2.2.1
// [V10 10.4.14]: 3 | Only tokens that are bound to their sender are issued | not met | Where client or tenant
//   require it
// [dpop RFC 9449 §4.3, §7.1]
#[tokio::test]
async fn a_proof_binds_the_token_to_its_key() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let answer = request(&app, tenant, &[&for_token(&app, &prover, tenant, "1")]).await;
        assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")));
        answer.assert_not_stored();
        assert!(!answer.headers.contains_key("dpop-nonce"), "no nonce where none is required");
        let token = answer.text("access_token");
        let claims = claims_of(&token);
        assert_eq!(claims["cnf"], json!({ "jkt": prover.thumbprint() }));

        present(&app, &token, &for_resource(&app, &prover, &token, "1")).await.assert_status(200);
        // The token is refused without a proof, as a bearer token, and with a proof of another key.
        let thief = Prover::new();
        let stolen = present(&app, &token, &for_resource(&app, &thief, &token, "2")).await;
        assert_unauthorized(&stolen, "invalid_token", "Token is not bound to the key of the DPoP proof");
        let bare = app.request(Method::GET, RESOURCE).header("authorization", format!("DPoP {token}"));
        let words = "The request must have a DPoP proof in the header DPoP";
        assert_unauthorized(&Answer::to(bare).await, "invalid_dpop_proof", words);
        let bearer = app.request(Method::GET, RESOURCE).bearer_auth(&token);
        let bearer = bearer.header(DPOP, for_resource(&app, &prover, &token, "3"));
        let words = "Token requires the DPoP scheme and a DPoP proof";
        Answer::to(bearer).await.assert_refused(401, "invalid_token", words);
    }
}

// [dpop RFC 9449 §11.1]: A `jti` is used once in the context of its URI, at all replicas
#[tokio::test]
async fn a_proof_is_used_once() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let proof = for_token(&app, &prover, tenant, "1");
        assert_eq!(request(&app, tenant, &[&proof]).await.status, 200);
        let replayed = request(&app, tenant, &[&proof]).await;
        replayed.assert_refused(400, "invalid_dpop_proof", REFUSED);
        assert_eq!(line_of(&replayed).await.get("reason"), "dpop_proof_replayed");
        // Another key, another URI and another tenant may use the same `jti`.
        assert_eq!(request(&app, tenant, &[&for_token(&app, &Prover::new(), tenant, "1")]).await.status, 200);
        assert_eq!(request(&app, other, &[&for_token(&app, &prover, other, "1")]).await.status, 200);
        let token = bound_token(&app, tenant, &prover, "2").await;
        let proof = for_resource(&app, &prover, &token, "1");
        assert_eq!(present(&app, &token, &proof).await.status, 200);
        assert_unauthorized(&present(&app, &token, &proof).await, "invalid_dpop_proof", REFUSED);
        // At the end of its time window the proof is refused because of its age. Until then the
        // server remembered it.
        app.pass(60);
        let late = present(&app, &token, &proof).await;
        assert_eq!(line_of(&late).await.get("reason"), "dpop_proof_replayed");
        app.pass(1);
        let later = present(&app, &token, &proof).await;
        assert_eq!(line_of(&later).await.get("reason"), "dpop_proof_of_another_time");
    }
}

// [dpop RFC 9449 §4.3 i]
#[tokio::test]
async fn proof_is_valid_only_at_its_tenants_endpoint() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let proof = for_token(&app, &prover, other, "1");
        request(&app, tenant, &[&proof]).await.assert_refused(400, "invalid_dpop_proof", REFUSED);
        assert_eq!(request(&app, other, &[&proof]).await.status, 200, "it was not used up");
        // The other tenant's token is invalid here even with a valid proof. The proof is not used
        // up.
        let token = bound_token(&app, other, &prover, "2").await;
        let answer = present(&app, &token, &for_resource(&app, &prover, &token, "3")).await;
        assert_unauthorized(&answer, "invalid_token", "Token issuer is not accepted");
        // The paths of the default tenant need their own proofs, because the URL differs.
        let secret = app.secrets(tenant).of(SVC);
        let alias = |htu: &str, jti: &str| prover.proof(proof_claims("POST", htu, app.now(), jti), json!({}));
        for path in ["/oauth/token", "/oauth2/token"] {
            assert_eq!(request_at(&app, path, secret, &[&alias(path, "4")]).await.status, 200, "{path}");
            let canonical = request_at(&app, path, secret, &[&alias(&token_path(tenant), "5")]).await;
            canonical.assert_refused(400, "invalid_dpop_proof", REFUSED);
        }
    }
}

#[tokio::test]
async fn proof_may_name_the_mtls_endpoint() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let mtls_url = Some("https://mtls.example.com/".to_owned());
        let app = TestApp::start_with(&Options { mtls_url, ..options(tenant) });
        let prover = Prover::new();
        let at = |host: &str, path: &str, jti: &str| {
            let claims =
                json!({ "jti": jti, "htm": "POST", "htu": format!("{host}{path}"), "iat": app.now() });
            prover.proof(claims, json!({}))
        };
        let own = token_path(tenant);
        request(&app, tenant, &[&at("https://mtls.example.com", &own, "1")]).await.assert_status(200);
        for proof in [
            at("https://mtls.example.org", &own, "2"),
            at("https://mtls.example.com", &token_path(other), "3"),
        ] {
            request(&app, tenant, &[&proof]).await.assert_refused(400, "invalid_dpop_proof", REFUSED);
        }
    }
}

// [dpop RFC 9449 §11.1 b]: Ours: no proof of a caller is recorded that has neither authenticated nor, for a
//   public client, a valid grant; pushed requests of a public client are bounded
#[tokio::test]
async fn unauthenticated_caller_uses_up_no_proof() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let proof = for_token(&app, &prover, tenant, "1");
        let calls = || app.store.calls().record_use;
        let before = calls();
        let wrong = app.secrets(other).of(SVC);
        let refused = request_at(&app, &token_path(tenant), wrong, &[&proof]).await;
        refused.assert_unauthenticated();
        let expired = Forge::from_tenant(tenant)
            .token(&but(claims(tenant), json!({ "cnf": { "jkt": prover.thumbprint() }, "exp": app.now() })));
        let refused = present(&app, &expired, &for_resource(&app, &prover, &expired, "2")).await;
        assert_unauthorized(&refused, "invalid_token", "Token has expired");
        // A valid token with a proof of another key is refused, too.
        let token = Forge::from_tenant(tenant)
            .token(&but(claims(tenant), json!({ "cnf": { "jkt": prover.thumbprint() } })));
        let refused = present(&app, &token, &for_resource(&app, &Prover::new(), &token, "3")).await;
        assert_unauthorized(&refused, "invalid_token", "Token is not bound to the key of the DPoP proof");
        assert_eq!(calls(), before, "nothing is written");
        assert_eq!(request(&app, tenant, &[&proof]).await.status, 200);
        assert_eq!(calls(), before + 1);
    }
}

// [dpop RFC 9449 §11.1 c]: Ours: what is remembered is bounded for each tenant, a full share is 503 there and
//   nowhere else, and replays take nothing of it
#[tokio::test]
async fn full_proof_share_affects_only_its_tenant() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with_share(2);
        let prover = Prover::new();
        let send = async |tenant, jti| request(&app, tenant, &[&for_token(&app, &prover, tenant, jti)]).await;
        assert_eq!(send(tenant, "1").await.status, 200);
        for _ in 0..5 {
            send(tenant, "1").await.assert_refused(400, "invalid_dpop_proof", REFUSED);
        }
        let token = send(tenant, "2").await.text("access_token");
        let full = send(tenant, "3").await;
        full.assert_error(503, "temporarily_unavailable");
        assert!(full.header("retry-after").parse::<u32>().unwrap() > 0);
        full.assert_not_stored();
        let at_resource = present(&app, &token, &for_resource(&app, &prover, &token, "4")).await;
        assert_eq!(at_resource.status, if tenant == ACME { 503 } else { 401 }, "{at_resource:?}");
        assert_eq!(send(other, "1").await.status, 200);
        assert_eq!(request(&app, tenant, &[]).await.status, 200, "a bearer token needs no proof");
        app.pass(300);
        assert_eq!(send(tenant, "3").await.status, 200, "the first ones have expired");
    }
}

// [dpop RFC 9449 §8, §9]: `use_dpop_nonce` with `DPoP-Nonce`: 400 at the token endpoint, 401 at a resource
// [dpop RFC 9449 §8.2]: An answer supplies the next nonce
// [dpop RFC 9449 §4.3, §8, §11.3]
#[tokio::test]
async fn required_nonce_is_supplied_and_expires() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        for tenant in [ACME, GLOBEX] {
            app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = true);
        }
        let prover = Prover::new();
        let with_nonce = |nonce: &str, jti: &str, changes: Value| {
            let claims =
                but(proof_claims("POST", &token_path(tenant), app.now(), jti), json!({ "nonce": nonce }));
            prover.proof(claims, changes)
        };
        let words = "The DPoP proof must contain the nonce from the header DPoP-Nonce";
        let answer = request(&app, tenant, &[&for_token(&app, &prover, tenant, "1")]).await;
        answer.assert_refused(400, "use_dpop_nonce", words);
        answer.assert_not_stored();
        let nonce = answer.header("dpop-nonce").to_owned();
        // With a nonce, the client's clock does not matter.
        let answer = request(&app, tenant, &[&with_nonce(&nonce, "1", json!({ "iat": 1 }))]).await;
        assert_eq!((answer.status, answer.header("dpop-nonce")), (200, nonce.as_str()));
        let token = answer.text("access_token");
        // The nonce of another tenant is refused.
        let foreign = request(&app, other, &[&for_token(&app, &prover, other, "1")]).await;
        let foreign = with_nonce(foreign.header("dpop-nonce"), "2", json!({}));
        request(&app, tenant, &[&foreign]).await.assert_refused(400, "use_dpop_nonce", words);

        let answer = present(&app, &token, &for_resource(&app, &prover, &token, "1")).await;
        assert_unauthorized(&answer, "use_dpop_nonce", words);
        assert_eq!(answer.header("dpop-nonce"), nonce, "one nonce for all endpoints of a server");
        let proof = prover.proof(
            proof_claims("GET", RESOURCE, app.now(), "1"),
            json!({ "ath": hash_of(&token), "nonce": nonce }),
        );
        let answer = present(&app, &token, &proof).await;
        assert_eq!((answer.status, answer.header("dpop-nonce")), (200, nonce.as_str()));

        app.pass(119);
        assert_eq!(request(&app, tenant, &[&with_nonce(&nonce, "3", json!({}))]).await.status, 200);
        app.pass(1);
        let late = request(&app, tenant, &[&with_nonce(&nonce, "4", json!({}))]).await;
        late.assert_refused(400, "use_dpop_nonce", words);
        assert_ne!(late.header("dpop-nonce"), nonce);
        // A bearer token needs no nonce.
        assert!(!request(&app, tenant, &[]).await.headers.contains_key("dpop-nonce"));
    }
}

// [dpop RFC 9449 §7.1]
#[tokio::test]
async fn admin_api_accepts_bound_tokens_with_proofs() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let prover = Prover::new();
        let path = clients_path(tenant);
        let bound = but(
            admin_claims(tenant, BOSS, "latchkey:clients"),
            json!({ "cnf": { "jkt": prover.thumbprint() } }),
        );
        let token = Forge::from_tenant(tenant).token(&bound);
        let proof = |path: &str, jti: &str| {
            prover.proof(proof_claims("GET", path, app.now(), jti), json!({ "ath": hash_of(&token) }))
        };
        let ask = async |path: &str, proof: &str| {
            Answer::to(with_dpop(app.request(Method::GET, path), &token, proof)).await
        };
        assert_eq!(ask(&path, &proof(&path, "1")).await.status, 200);
        // The audit records that the token was bound.
        let proven = proof_claims("POST", &path, app.now(), "write");
        let proven = prover.proof(proven, json!({ "ath": hash_of(&token) }));
        let write = with_dpop(app.request(Method::POST, &path), &token, &proven);
        assert_eq!(Answer::to(write.json(&json!({ "client_id": "made" }))).await.status, 201);
        let reader = test_env.token(tenant, READER).await;
        let audit = test_env.get(&reader, &tenant_path(tenant, "/audit")).await.json();
        assert_eq!(audit["items"][0]["sender_constraint"], "dpop", "{audit}");
        // A proof does not cover the query.
        assert_eq!(ask(&format!("{path}?limit=1"), &proof(&path, "2")).await.status, 200);
        for refused in [
            ask(&path, &proof(&path, "1")).await,
            ask(&path, &proof(&clients_path(other), "3")).await,
            ask(&path, "a.b.c").await,
        ] {
            refused.assert_problem(401, "invalid-token");
            let expected = format!(
                "DPoP realm=\"latchkey\", error=\"invalid_dpop_proof\", error_description=\"{REFUSED}\""
            );
            assert!(refused.header("www-authenticate").starts_with(&expected), "{refused:?}");
        }
        test_env.get(&token, &path).await.assert_problem(401, "invalid-token");
        ask(&clients_path(other), &proof(&clients_path(other), "4"))
            .await
            .assert_problem(401, "invalid-token");
        app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = true);
        let answer = ask(&path, &proof(&path, "5")).await;
        answer.assert_problem(401, "invalid-token");
        assert!(answer.header("www-authenticate").contains("error=\"use_dpop_nonce\""));
        assert_eq!(answer.header("dpop-nonce").len(), 22);
    }
}

// [dpop RFC 9449 §4.3], [dpop RFC 9449 §5]
#[tokio::test]
async fn proof_refusal_reason_is_only_logged() {
    capture();
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let good = proof_claims("POST", &token_path(tenant), app.now(), "1");
        let with = |changes: Value| prover.proof(good.clone(), changes);
        let with_header =
            |changes: Value| prover.signed(&but(prover.header(), changes).to_string(), &good.to_string());
        let of_other = Prover::new().signed(&prover.header().to_string(), &good.to_string());
        for (proof, reason) in [
            ("a.b.c".to_owned(), "dpop_proof_malformed"),
            ("\u{e9}".to_owned(), "dpop_proof_malformed"),
            (with(json!({ "jti": null })), "dpop_proof_malformed"),
            (with(json!({ "iat": "now" })), "dpop_proof_malformed"),
            (with_header(json!({ "typ": "JWT" })), "dpop_proof_of_another_type"),
            (with_header(json!({ "crit": ["a"] })), "dpop_proof_header_not_allowed"),
            (with_header(json!({ "alg": "none" })), "dpop_proof_algorithm_not_allowed"),
            (with_header(json!({ "alg": "HS256" })), "dpop_proof_algorithm_not_allowed"),
            (with_header(json!({ "jwk": null })), "dpop_proof_key_not_usable"),
            (
                with_header(json!({ "jwk": but(prover.jwk(), json!({ "d": "AAAA" })) })),
                "dpop_proof_key_not_usable",
            ),
            (with(json!({ "htm": "GET" })), "dpop_proof_for_another_method"),
            (with(json!({ "htu": "http://127.0.0.1/oauth/token" })), "dpop_proof_for_another_uri"),
            (with(json!({ "iat": app.now() - 61 })), "dpop_proof_of_another_time"),
            (with(json!({ "iat": app.now() + 61 })), "dpop_proof_of_another_time"),
            (of_other, "dpop_proof_signature_invalid"),
        ] {
            let answer = request(&app, tenant, &[&proof]).await;
            answer.assert_refused(400, "invalid_dpop_proof", REFUSED);
            answer.assert_not_stored();
            let line = line_of(&answer).await;
            assert_eq!([line.get("error"), line.get("reason")], ["invalid_dpop_proof", reason], "{proof}");
        }
        let twice = request(&app, tenant, &[&with(json!({})), &with(json!({ "jti": "2" }))]).await;
        assert_eq!(line_of(&twice).await.get("reason"), "dpop_proof_repeated");
        let listed = format!("{}, {}", with(json!({})), with(json!({ "jti": "2" })));
        let listed = request(&app, tenant, &[&listed]).await;
        assert_eq!(line_of(&listed).await.get("reason"), "dpop_proof_malformed");

        let token = bound_token(&app, tenant, &prover, "3").await;
        for ath in [json!(null), json!(""), json!(hash_of("other")), json!(token)] {
            let claims = proof_claims("GET", RESOURCE, app.now(), "1");
            let answer = present(&app, &token, &prover.proof(claims, json!({ "ath": ath }))).await;
            assert_unauthorized(&answer, "invalid_dpop_proof", REFUSED);
            assert_eq!(line_of(&answer).await.get("reason"), "dpop_proof_for_another_token");
        }
        // None of the refused requests used the `jti` up.
        assert_eq!(request(&app, tenant, &[&with(json!({}))]).await.status, 200);
        assert_eq!(present(&app, &token, &for_resource(&app, &prover, &token, "1")).await.status, 200);
    }
}

// [dpop RFC 9449 §4.2], [dpop RFC 9449 §4.3 b]
/// Invalid proofs, each similar to a valid one, at both kinds of endpoint.
#[tokio::test]
async fn malformed_proofs_are_refused() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let good = for_token(&app, &prover, tenant, "1");
        let token = bound_token(&app, tenant, &prover, "0").await;
        let rows = malformed(&good);
        assert!(rows.len() >= 80, "{}", rows.len());
        for proof in rows {
            println!("{proof:.200}");
            let answer = request(&app, tenant, &[&proof]).await;
            answer.assert_refused(400, "invalid_dpop_proof", REFUSED);
            answer.assert_not_stored();
            assert_unauthorized(&present(&app, &token, &proof).await, "invalid_dpop_proof", REFUSED);
        }
        assert_eq!(request(&app, tenant, &[&good]).await.status, 200);
    }
}

fn malformed(good: &str) -> Vec<String> {
    let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let text = |part: &str| String::from_utf8(BASE64URL.decode(part).unwrap()).unwrap();
    let (header_text, claims_text) = (text(header), text(claims));
    let mut rows = malformed_compact(good);
    let with_header = |text: &str| format!("{}.{claims}.{signature}", BASE64URL.encode(text));
    rows.extend(
        ["", "[]", "null", "7", "\"a\"", "{", "{}", "{\"alg\":\"EdDSA\"}", "[[[[[[[[[[", "\u{0}"]
            .map(with_header),
    );
    for (from, to) in [
        ("dpop+jwt", "JWT"),
        ("dpop+jwt", "at+jwt"),
        ("dpop+jwt", ""),
        ("\"dpop+jwt\"", "null"),
        ("\"dpop+jwt\"", "[\"dpop+jwt\"]"),
        ("EdDSA", "none"),
        ("EdDSA", "HS256"),
        ("EdDSA", "ES256"),
        ("EdDSA", "eddsa"),
        ("\"EdDSA\"", "null"),
        ("\"EdDSA\"", "7"),
        ("\"alg\":\"EdDSA\",", ""),
        ("\"alg\"", "\"alg\":\"EdDSA\",\"alg\""),
        ("OKP", "EC"),
        ("OKP", "oct"),
        ("OKP", "okp"),
        ("Ed25519", "Ed448"),
        ("Ed25519", "X25519"),
        ("\"jwk\"", "\"jku\":\"https://a.example\",\"jwk\""),
        ("\"jwk\"", "\"x5c\":[],\"jwk\""),
        ("\"jwk\"", "\"crit\":[],\"jwk\""),
        ("\"jwk\"", "\"kid\""),
        ("\"x\":", "\"d\":\"AAAA\",\"x\":"),
        ("\"x\":", "\"k\":\"AAAA\",\"x\":"),
        ("\"x\":", "\"x\":\"AAAA\",\"y\":"),
        ("\"x\":\"", "\"x\":\"A"),
        ("\"x\":\"", "\"x\":\"*"),
        ("\"x\":", "\"y\":"),
    ] {
        let changed = header_text.replacen(from, to, 1);
        assert_ne!(changed, header_text, "{from}");
        rows.push(with_header(&changed));
    }
    let with_claims = |text: &str| format!("{header}.{}.{signature}", BASE64URL.encode(text));
    rows.extend(["", "[]", "null", "7", "{", "{}", "[[[[[[[[[[", "{\"jti\":\"1\"}"].map(with_claims));
    for (from, to) in [
        ("\"jti\":\"1\"", "\"jti\":\"2\""),
        ("\"jti\":\"1\"", "\"jti\":\"\""),
        ("\"jti\":\"1\"", "\"jti\":1"),
        ("\"jti\":\"1\"", "\"jti\":null"),
        ("\"jti\":\"1\"", "\"jti\":\"1\",\"jti\":\"1\""),
        ("\"htm\":\"POST\"", "\"htm\":\"GET\""),
        ("\"htm\":\"POST\"", "\"htm\":\"PUT\""),
        ("\"htm\":\"POST\"", "\"htm\":[\"POST\"]"),
        ("\"htm\"", "\"hts\""),
        ("\"htu\"", "\"hts\""),
        ("\"iat\":", "\"iat\":-"),
        ("\"iat\":", "\"iat\":1e9,\"nbf\":"),
        ("\"iat\"", "\"exp\""),
        ("}", ",\"ath\":7}"),
        ("}", ",\"nonce\":{}}"),
    ] {
        let changed = claims_text.replacen(from, to, 1);
        assert_ne!(changed, claims_text, "{from}");
        rows.push(with_claims(&changed));
    }
    rows
}

#[tokio::test]
async fn proofs_and_bound_tokens_are_counted() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let prover = Prover::new();
        let proof = for_token(&app, &prover, tenant, "1");
        let token = bound_token(&app, tenant, &prover, "0").await;
        assert_eq!(request(&app, tenant, &[&proof]).await.status, 200);
        for _ in 0..3 {
            assert_eq!(request(&app, tenant, &[&proof]).await.status, 400);
        }
        let elsewhere = for_resource(&app, &prover, &token, "2");
        let (signed, other) = (proof.rsplit_once('.').unwrap().0, elsewhere.rsplit_once('.').unwrap().1);
        let unsigned = format!("{signed}.{other}");
        let late = for_token(&app, &prover, tenant, "3");
        for refused in [&[&*elsewhere][..], &[&unsigned], &[&late, &late]] {
            assert_eq!(request(&app, tenant, refused).await.status, 400);
        }
        assert_eq!(present(&app, &token, &for_resource(&app, &prover, &token, "4")).await.status, 200);
        // A request without a proof is not counted as a proof, and its token is not bound.
        assert_eq!(request(&app, tenant, &[]).await.status, 200);
        app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = true);
        assert_eq!(request(&app, tenant, &[&for_token(&app, &prover, tenant, "5")]).await.status, 400);
        let numbers = numbers(&app, 11.0).await;
        for (outcome, expected) in [
            ("accepted", 3.0),
            ("replayed", 3.0),
            ("refused", 3.0),
            ("unavailable", 0.0),
            ("nonce_needed", 1.0),
        ] {
            let series = format!("latchkey_dpop_proofs_total{{outcome=\"{outcome}\"}}");
            assert_eq!(numbers.get(&series), Some(&expected), "{series}");
        }
        assert_eq!(numbers.get("latchkey_dpop_bound_tokens_total"), Some(&2.0));
    }
}
