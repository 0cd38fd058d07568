//! `private_key_jwt` (RFC 7523): a client authenticates with a valid assertion. Every other
//! assertion is refused like an unknown client.

use crate::prelude::*;

async fn request(app: &TestApp, tenant: &str, assertion: &str) -> Answer {
    app.post(&token_path(tenant), &asserted(assertion)).await
}

fn signed(tenant: &str, claims: &Value) -> String {
    assertion_key(tenant).sign("JWT", claims).unwrap()
}

fn good(tenant: &str, jti: &str) -> String {
    signed(tenant, &assertion_claims(tenant, jti))
}

fn compact(header: &str, claims: &str, signature: &str) -> String {
    format!("{}.{}.{signature}", BASE64URL.encode(header), BASE64URL.encode(claims))
}

// [V10 10.4.16]: 3 | Clients authenticate by public keys | not met | Those that are registered so; a client
//   may have a secret instead
// [core Core §9], [rfc9700 §2.5 b]
#[tokio::test]
async fn an_assertion_gets_one_token() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let assertion = good(tenant, "1");
        let answer = request(&app, tenant, &assertion).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.text("access_token");
        request(&app, tenant, &assertion).await.assert_unauthenticated();

        let (introspect, again) = (tenant_path(tenant, "/oauth/introspect"), good(tenant, "2"));
        let form = [
            ("token", token.as_str()),
            ("client_id", ASSERTING),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &again),
        ];
        let introspected = app.post(&introspect, &form).await.json();
        assert_eq!((&introspected["active"], &introspected["client_id"]), (&json!(true), &json!(ASSERTING)));
    }
}

// [third 5]
#[tokio::test]
async fn assertions_from_before_a_restore_are_refused() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let restored = app.now();
        app.change_tenant(tenant, |tenant| tenant.restored_at = Some(Timestamp::from_seconds(restored)));
        app.pass(10);
        let issued = |of: &str, jti: &str, iat: Option<u64>| {
            let mut claims = assertion_claims(of, jti);
            claims["exp"] = json!(app.now() + 60);
            if let Some(iat) = iat {
                claims["iat"] = json!(iat);
            }
            signed(of, &claims)
        };
        let get = async |of: &str, jti: &str, iat| request(&app, of, &issued(of, jti, iat)).await.status;
        for (jti, iat) in [("1", Some(restored - 1)), ("2", Some(restored)), ("3", None)] {
            assert_eq!(get(tenant, jti, iat).await, 401, "{iat:?} at {tenant}");
            assert_eq!(get(other, jti, iat).await, 200, "{iat:?} at {other}, which was not restored");
        }
        assert_eq!(get(tenant, "4", Some(restored + 1)).await, 200);
        // Everything from before the restore has expired by now.
        app.pass(3_600 + 60);
        assert_eq!(get(tenant, "5", None).await, 200);
    }
}

// [assertions RFC 7523 §3 e]
#[tokio::test]
async fn full_assertion_share_affects_only_its_tenant() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with_share(2);
        assert_eq!(request(&app, tenant, &good(tenant, "1")).await.status, 200);
        for _ in 0..5 {
            assert_eq!(request(&app, tenant, &good(tenant, "1")).await.status, 401);
        }
        assert_eq!(request(&app, tenant, &good(tenant, "2")).await.status, 200);
        let full = request(&app, tenant, &good(tenant, "3")).await;
        full.assert_error(503, "temporarily_unavailable");
        assert!(full.header("retry-after").parse::<u32>().unwrap() > 0);
        full.assert_not_stored();
        assert_eq!(request(&app, other, &good(other, "1")).await.status, 200);
        // Proofs have a separate limit, and a secret needs no proof.
        let secret = app.secrets(tenant).of(SVC);
        assert_eq!(app.fetch(tenant, SVC, secret).await.status, 200);
        // There is room again after the first ones have expired.
        app.pass(3_600);
        let mut later = assertion_claims(tenant, "3");
        later["exp"] = json!(app.now() + 60);
        assert_eq!(request(&app, tenant, &signed(tenant, &later)).await.status, 200);
    }
}

// [shared 2.10]
#[tokio::test]
async fn one_client_cannot_fill_its_tenants_share() {
    capture();
    let app = TestApp::start_with_share(20);
    // The second tenant still has its whole share.
    for tenant in [ACME, GLOBEX] {
        let mut second = fixtures::client(&fixtures::tenant(tenant), "second");
        let jwks = json!({ "keys": [assertion_key(tenant).jwk] }).to_string();
        second.authentication_method = ClientAuthenticationMethod::PrivateKeyJwt;
        second.keys = Some(ClientKeys::parse(&jwks).unwrap());
        app.store.put_client(second);
        for jti in 0..11 {
            assert_eq!(request(&app, tenant, &good(tenant, &jti.to_string())).await.status, 200, "{jti}");
        }
        let full = request(&app, tenant, &good(tenant, "more")).await;
        full.assert_error(503, "temporarily_unavailable");
        assert_eq!(line_of(&full).await.get("reason"), "limit_reached");
        let of_second = but(assertion_claims(tenant, "1"), json!({ "iss": "second", "sub": "second" }));
        assert_eq!(request(&app, tenant, &signed(tenant, &of_second)).await.status, 200);
    }
}

// [assertions RFC 7523 §3 f]: Ours: a tenant may accept its issuer alone as audience (RFC 7523bis §3), and
//   shorter assertions
#[tokio::test]
async fn tenant_limits_audience_and_lifetime_of_assertions() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        app.change_tenant(tenant, |tenant| {
            tenant.assertions.issuer_only = true;
            tenant.assertions.max_lifetime = values::Lifetime::from_seconds(120);
        });
        let endpoint = |tenant: &str| format!("{PUBLIC_URL}{}", token_path(tenant));
        let with = |tenant: &str, aud: Value, seconds: u64, jti: &str| {
            let mut claims = assertion_claims(tenant, jti);
            claims["aud"] = aud;
            claims["exp"] = json!(app.now() + seconds);
            signed(tenant, &claims)
        };
        let issuer = |tenant| json!(crate::forge::issuer(tenant));
        for (aud, seconds, reason) in [
            (json!(endpoint(tenant)), 60, "assertion_for_another_audience"),
            (json!([crate::forge::issuer(tenant)]), 60, "assertion_for_another_audience"),
            // Includes the minute of clock skew that the server accepts.
            (issuer(tenant), 181, "assertion_lives_too_long"),
        ] {
            let refused = request(&app, tenant, &with(tenant, aud, seconds, "1")).await;
            assert_eq!(line_of(&refused).await.get("reason"), reason);
            refused.assert_unauthenticated();
        }
        assert_eq!(request(&app, tenant, &with(tenant, issuer(tenant), 180, "1")).await.status, 200);
        for (jti, aud) in [("1", json!(endpoint(other))), ("2", json!([crate::forge::issuer(other)]))] {
            request(&app, other, &with(other, aud, 3_600, jti)).await.assert_status(200);
        }
    }
}

// [assertions RFC 7521 §4.2.1]: A bad assertion is `invalid_client`. The reason, which may be in
//   `error_description`, is in the log alone: it would tell registered clients from others
#[tokio::test]
async fn assertion_refusal_reason_is_only_logged() {
    capture();
    let app = TestApp::start();
    let now = fixtures::NOW.seconds();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let with = |name: &str, value: Value| {
            let mut claims = assertion_claims(tenant, "1");
            claims[name] = value;
            signed(tenant, &claims)
        };
        let of_other_key = signed(other, &assertion_claims(tenant, "1"));
        for (assertion, reason, claimed) in [
            (of_other_key, "assertion_signature_invalid", ASSERTING),
            (good(other, "1"), "assertion_signature_invalid", ASSERTING),
            (with("sub", json!(SVC)), "assertion_key_unknown", SVC),
            (with("sub", json!("no-such-client")), "unknown_client", ""),
            (with("iss", json!(SVC)), "assertion_of_another_client", ASSERTING),
            (with("aud", json!(PUBLIC_URL)), "assertion_for_another_audience", ASSERTING),
            (with("aud", json!(7)), "assertion_malformed", ASSERTING),
            (with("exp", json!(now - 60)), "assertion_expired", ASSERTING),
            (with("nbf", json!(now + 61)), "assertion_not_yet_valid", ASSERTING),
            (with("exp", json!(now + 7_200)), "assertion_lives_too_long", ASSERTING),
            (with("jti", json!("")), "assertion_not_identified", ASSERTING),
            ("a.b.c".to_owned(), "malformed_credentials", ""),
        ] {
            let answer = request(&app, tenant, &assertion).await;
            let line = line_of(&answer).await;
            let found = ["error", "reason", "claimed_client_id"].map(|name| line.get(name));
            assert_eq!(found, ["invalid_client", reason, claimed]);
            answer.assert_unauthenticated();
        }
        // None of the refused assertions used the `jti` up.
        assert_eq!(request(&app, tenant, &good(tenant, "1")).await.status, 200);
        let replayed = request(&app, tenant, &good(tenant, "1")).await;
        assert_eq!(line_of(&replayed).await.get("reason"), "assertion_replayed");
    }
}

// [assertions RFC 7523 §3.2]: `invalid_client`
// [assertions RFC 7523 §3 h]
#[tokio::test]
async fn malformed_assertions_are_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let rows = malformed(tenant);
        assert!(rows.len() >= 80, "{}", rows.len());
        for assertion in rows {
            let answer = request(&app, tenant, &assertion).await;
            println!("{assertion:.200}");
            answer.assert_some_refusal();
            assert!([400, 401].contains(&answer.status), "{answer:?}");
        }
        assert_eq!(request(&app, tenant, &good(tenant, "1")).await.status, 200);
    }
}

/// Invalid assertions, each similar to a valid one.
fn malformed(tenant: &str) -> Vec<String> {
    let good = good(tenant, "1");
    let (_, signature) = good.rsplit_once('.').unwrap();
    let claims_text = part(&good, 1);
    let mut rows = malformed_compact(&good);
    rows.extend(["\u{1f511}.b.c".to_owned(), format!("{good}\n"), format!("{good}{}", "A".repeat(20_000))]);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"oauth2-key-7"}"#,
        r#"{"alg":"RS256","kid":"oauth2-key-7"}"#,
        r#"{"alg":"ES384","kid":"oauth2-key-7"}"#,
        r#"{"alg":"EdDSA","kid":"oauth2-key-7"}"#,
        r#"{"alg":"es256","kid":"oauth2-key-7"}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-8"}"#,
        r#"{"alg":"ES256","kid":7}"#,
        r#"{"alg":"ES256","kid":null}"#,
        r#"{"alg":["ES256"],"kid":"oauth2-key-7"}"#,
        r#"{"alg":"ES256","alg":"ES256","kid":"oauth2-key-7"}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","jwk":{}}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","jku":"https://evil.example/jwks"}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","x5u":"https://evil.example/x"}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","crit":["exp"]}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","b64":false}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"oauth2-key-7","typ":"dpop+jwt"}"#,
        r#"{"kid":"oauth2-key-7"}"#,
    ]
    .into_iter()
    .chain(["{}", "[]", "null", "7", "\"ES256\"", ""])
    {
        rows.push(compact(header, &claims_text, signature));
        // Unsigned, too.
        rows.push(compact(header, &claims_text, ""));
    }
    let names = ["iss", "sub", "aud", "exp", "jti"];
    let values =
        [json!(null), json!(7), json!(-1), json!([]), json!({}), json!(true), json!("\u{0}"), json!("x")];
    for name in names {
        for value in &values {
            let mut claims = assertion_claims(tenant, "1");
            claims[name] = value.clone();
            // Skips valid values: an audience or identifier may be any text.
            let fits = name == "jti" && value.is_string();
            if !fits {
                rows.push(signed(tenant, &claims));
            }
        }
        let mut claims = assertion_claims(tenant, "1");
        claims.as_object_mut().unwrap().remove(name);
        rows.push(signed(tenant, &claims));
    }
    rows
}

/// Earlier versions answered 401 to an assertion with `x5c` in its header. The certificate is
/// ignored, and does not make another key valid.
#[tokio::test]
async fn a_certificate_in_the_header_is_ignored() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let keys = [("initech", Forge::foreign()), ("umbrella", Forge::other_foreign())];
    for (tenant, key) in &keys {
        let jwks = json!({ "keys": [but(key.jwk(), json!({ "kid": "k1" }))] });
        let client =
            json!({ "client_id": "svc", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks });
        test_env.post(&ops, TENANTS, json!({ "id": tenant, "client": client })).await.assert_status(201);
    }
    for (tenant, _) in &keys {
        for (owner, key) in &keys {
            for (nth, x5c) in
                [json!(["MIIBszCCAVmgAwIBAgIUZ0"]), json!([]), json!("x"), json!(null)].iter().enumerate()
            {
                let header = json!({ "alg": "RS256", "kid": "k1", "typ": "JWT", "x5c": x5c });
                let claims = assertion_claims(tenant, &format!("{owner}-{nth}"));
                let claims = but(claims, json!({ "iss": "svc", "sub": "svc" }));
                let answer = request(&test_env.app, tenant, &key.token_with(&header, &claims)).await;
                match tenant == owner {
                    true => assert_eq!(answer.status, 200, "{x5c}: {answer:?}"),
                    false => answer.assert_unauthenticated(),
                }
            }
        }
    }
}
