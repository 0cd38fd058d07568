//! Revocation: a client revokes its own tokens immediately, and learns nothing about tokens of
//! others (RFC 7009).

use std::time::Instant;

use registry::{CredentialTag, TokenRevocation};

use crate::prelude::*;

async fn revoke(app: &TestApp, tenant: &str, caller: &str, token: &str) -> Answer {
    app.post_as((tenant, caller), "/oauth/revoke", &[("token", token)]).await
}

#[track_caller]
fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    assert_eq!(answer.header("content-type"), "");
    answer.assert_not_stored();
}

// [revocation RFC 7009 §2]: Refresh tokens and access tokens can be revoked
// [revocation RFC 7009 §2.1 e]: The invalidation takes effect at once. At other replicas it does within a
//   second, and within 10 s where the message is lost; it outlives a crash
// [revocation RFC 7009 §2.2]: 200 for a token that is revoked now, was revoked before, or is invalid; the
//   body is empty
// [revocation RFC 7009 §3]: A resource server that checks self-contained tokens itself learns of a revocation
//   by an interaction of its own: it polls the feed, or introspects. Our resource looks at the facts for each
//   token
// [introspection RFC 7662 §4 b]
#[tokio::test]
async fn revoked_token_is_invalid_immediately() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let (token, second) = (app.token(tenant).await, app.token(tenant).await);
        let theirs = app.token(other).await;
        assert!(app.is_active(tenant, &token).await);
        assert_eq!(app.get_with(&token, RESOURCE).await.status, 200);
        for _ in 0..2 {
            assert_done(&revoke(&app, tenant, SVC, &token).await);
        }
        assert!(!app.is_active(tenant, &token).await);
        app.get_with(&token, RESOURCE).await.assert_refused(401, "invalid_token", "Token has been revoked");
        assert!(app.is_active(tenant, &second).await);
        assert_eq!(app.get_with(&second, RESOURCE).await.status, 200);
        assert!(app.is_active(other, &theirs).await);
        assert_eq!(app.store.calls().revoke_token, 1);
    }
}

// [revocation RFC 7009 §5]: Guessing tokens gains nothing: a token is signed, callers authenticate, and
//   failed authentications are limited
// [revocation RFC 7009 §2.1 d], [revocation RFC 7009 §2.2]
#[tokio::test]
async fn tokens_of_others_are_not_revoked() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (own, foreign) = (app.token(tenant).await, app.token(other).await);
        let of_plain = app.token_of(tenant, PLAIN).await;
        let now = app.now();
        let forge = Forge::from_tenant(tenant);
        let bad = [
            "\u{e9}\u{0}".to_owned(),
            "x".repeat(20_000),
            format!("{own}x"),
            of_plain.clone(),
            foreign.clone(),
            forge.token(&but(claims(tenant), json!({ "exp": now }))),
            forge.token(&but(claims(tenant), json!({ "client_id": PLAIN }))),
            forge.token(&claims(other)),
            Forge::foreign().token(&claims(tenant)),
            Forge::from_tenant(other).token(&claims(tenant)),
        ];
        for token in &bad {
            assert_done(&revoke(&app, tenant, SVC, token).await);
        }
        assert!(app.is_active(tenant, &own).await && app.is_active(tenant, &of_plain).await);
        assert!(app.is_active(other, &foreign).await);
        assert_eq!(app.store.calls().revoke_token, 0);
    }
}

// [revocation RFC 7009 §2 c]: POST only; the parameters are in a form
// [revocation RFC 7009 §2.1 c]: The client authenticates, by each method of the token endpoint, before the
//   token is looked at
// [revocation RFC 7009 §2.2.1]: Errors are those of RFC 6749 §5.2
// [revocation RFC 7009 §2.1]
#[tokio::test]
async fn a_malformed_request_is_refused_and_revokes_nothing() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let token = app.token(tenant).await;
        let secret = app.secrets(tenant).of(SVC);
        let own = format!("client_id={SVC}&client_secret={secret}");
        for (body, status, error) in [
            (own.clone(), 400, "invalid_request"),
            (format!("{own}&token=a&token={token}"), 400, "invalid_request"),
            (format!("{own}&token={token}&token_type_hint=a&token_type_hint=b"), 400, "invalid_request"),
            (format!("{own}&token=%ff"), 400, "invalid_request"),
            ("{}".to_owned(), 400, "invalid_request"),
            (format!("token={token}"), 401, "invalid_client"),
            (format!("token={token}&client_id={SVC}&client_secret=wrong"), 401, "invalid_client"),
            (format!("token={token}&client_assertion=a.b.c"), 401, "invalid_client"),
        ] {
            println!("{body}");
            let answer = app.post_body(&tenant_path(tenant, "/oauth/revoke"), body).await;
            answer.assert_error(status, error);
            answer.assert_not_stored();
        }
        for (method, media_type, status) in [
            ("GET", "application/x-www-form-urlencoded", 405),
            ("POST", "application/json", 415),
            ("POST", "text/plain", 415),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = app.request(method, &tenant_path(tenant, "/oauth/revoke"));
            let request = request.header("content-type", media_type).body(format!("{own}&token={token}"));
            assert_eq!(Answer::to(request).await.status, status, "{media_type}");
        }
        assert!(app.is_active(tenant, &token).await);
    }
    assert_eq!(app.post("/api/v1/tenant/nobody/oauth/revoke", &[("token", "x")]).await.status, 404);
    assert_eq!(app.store.calls().revoke_token, 0);
}

// [revocation RFC 7009 §2.2.1 b]: `unsupported_token_type` for a kind that cannot be revoked. There is no
//   such kind, so it does not occur
// [revocation RFC 7009 §2.1 b], [revocation RFC 7009 §2.1 c]
#[tokio::test]
async fn type_hints_are_ignored_and_every_credential_works() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for hint in ["access_token", "refresh_token", "unknown", "\u{e9}"] {
            let token = app.token(tenant).await;
            let form = [("token", &*token), ("token_type_hint", hint)];
            assert_done(&app.post_as((tenant, SVC), "/oauth/revoke", &form).await);
            assert!(!app.is_active(tenant, &token).await, "{hint}");
        }
        let token = app.token_of(tenant, CHOSEN).await;
        assert_done(&revoke(&app, tenant, CHOSEN, &token).await);
        assert!(!app.is_active(tenant, &token).await);
        let token = app.token(tenant).await;
        let assertion = assertion_key(tenant).sign("JWT", &assertion_claims(tenant, "revoke")).unwrap();
        let form = [&asserted(&assertion)[1..], &[("token", &*token)]].concat();
        assert_done(&app.post(&tenant_path(tenant, "/oauth/revoke"), &form).await);
    }
}

// [revocation RFC 7009 §2 b]: The endpoint is at a secure URL. As at the token endpoint, TLS is the
//   listener's or the proxy's
#[tokio::test]
async fn default_tenant_is_served_at_two_more_paths() {
    for (home, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(home));
        for path in ["/oauth/revoke", "/oauth2/revoke"] {
            let (token, theirs) = (app.token(home).await, app.token(other).await);
            for token in [&token, &theirs] {
                let form =
                    [("client_id", SVC), ("client_secret", app.secrets(home).of(SVC)), ("token", token)];
                assert_done(&app.post(path, &form).await);
            }
            assert!(!app.is_active(home, &token).await && app.is_active(other, &theirs).await);
        }
    }
}

#[tokio::test]
async fn token_identifies_its_credential_by_jti() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        let jti = |token: &str| text(&claims_of(token), "jti").to_owned();
        let (first, second) = (jti(&app.token(tenant).await), jti(&app.token(tenant).await));
        assert_ne!(first, second);
        let tag = CredentialTag::of_token(&first);
        assert!(tag.is_some() && tag == CredentialTag::of_token(&second), "{first} {second}");
        let chosen = jti(&app.token_of(tenant, CHOSEN).await);
        assert!(CredentialTag::of_token(&chosen).is_some_and(|chosen| Some(chosen) != tag));
        assert_ne!(CredentialTag::of_token(&jti(&app.token(other).await)), tag);
    }
}

#[tokio::test]
async fn token_after_a_full_revocation_is_valid() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let before = app.token(tenant).await;
        let id = fixtures::tenant_id(tenant);
        for number in 0..=TokenRevocation::MOST_OF_CLIENT {
            let (client, jti) = (fixtures::client_id(SVC), number.to_string());
            let now = values::Timestamp::from_seconds(app.now());
            let token = TokenRevocation { client, jti, issued_at: now, expires_at: now, sub: None };
            app.store.revoke_token(&id, &token, now).await.unwrap();
        }
        assert!(!app.is_active(tenant, &before).await);
        let begun = Instant::now();
        let after = app.token(tenant).await;
        assert!(begun.elapsed().as_millis() >= 1_000, "{:?}", begun.elapsed());
        assert!(app.is_active(tenant, &after).await);
        assert!(app.is_active(tenant, &app.token_of(tenant, PLAIN).await).await);
        app.pass(2);
        let begun = Instant::now();
        app.token(tenant).await;
        assert!(begun.elapsed().as_millis() < 900, "{:?}", begun.elapsed());
    }
}

// [oauth RFC 6749 §2.1, §2.3]
/// A client that was confidential when it got its token, and is now public.
#[tokio::test]
async fn public_client_revokes_only_its_own_tokens() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let tokens = [app.token_of(tenant, SVC).await, app.token_of(tenant, CHOSEN).await];
        let theirs = app.token_of(other, SVC).await;
        app.change_client(tenant, SVC, public);
        let named = async |at: &str, client: &str, token: &str| {
            let form = [("client_id", client), ("token", token)];
            app.post(&tenant_path(at, "/oauth/revoke"), &form).await
        };
        // A token of another client or tenant stays valid, and so does a token of a confidential
        // client that sends only its `client_id`.
        assert_done(&named(tenant, SVC, &tokens[1]).await);
        assert_done(&named(tenant, SVC, &theirs).await);
        for (at, client) in [(tenant, CHOSEN), (tenant, "no-such-client"), (other, SVC)] {
            named(at, client, &tokens[0]).await.assert_unauthenticated();
        }
        assert!(app.is_active(tenant, &tokens[0]).await && app.is_active(tenant, &tokens[1]).await);
        assert!(app.is_active(other, &theirs).await);
        assert_done(&named(tenant, SVC, &tokens[0]).await);
        assert!(!app.is_active(tenant, &tokens[0]).await);
        // The token endpoint accepts no `client_id` alone.
        let form = [("grant_type", "client_credentials"), ("client_id", SVC), ("token", &tokens[1])];
        for endpoint in ["/oauth/token", "/oauth/introspect"] {
            app.post(&tenant_path(tenant, endpoint), &form).await.assert_unauthenticated();
        }
    }
}
