//! Refresh tokens at two tenants: they get new tokens for the same person, reuse ends the whole
//! grant, and no other client can use them.

use registry::IntrospectionRight;
use secrets::KeyedDigest;
use tenancy::{OwnRefreshTokenPolicy, Rotation};

use crate::prelude::*;

const OFFLINE: &str = "openid profile offline_access";

/// Adds a client that gets refresh tokens, with this change. Returns its secret.
fn add_client(app: &TestApp, tenant: &str, change: impl FnOnce(&mut Client)) -> String {
    add_web_client(app, tenant, |client| {
        client.grant_types.push(GrantType::RefreshToken);
        client.scope = fixtures::scope("openid profile email offline_access api:read");
        change(client);
    })
}

/// Adds Ada and a public client that gets refresh tokens.
fn furnish_public(app: &TestApp, tenant: &str) {
    add_person(app, tenant);
    add_client(app, tenant, public);
}

/// Ada signs in at the public client.
async fn sign_in(app: &TestApp, tenant: &str, scope: &str) -> Value {
    sign_in_with(app, &mut Browser::new(app), tenant, scope).await
}

async fn sign_in_with(app: &TestApp, browser: &mut Browser<'_>, tenant: &str, scope: &str) -> Value {
    let code = browser.code(tenant, &[("scope", scope)]).await;
    let tokens = redeem_with(app, tenant, &[("code", &code)]).await;
    assert_eq!(tokens.header("cache-control"), "no-store");
    tokens.json_of(200)
}

pub(crate) async fn refresh_with(app: &TestApp, tenant: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)];
    app.post(&token_path(tenant), &[&form, more].concat()).await
}

async fn refresh(app: &TestApp, tenant: &str, token: &str) -> Answer {
    refresh_with(app, tenant, token, &[]).await
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert_refused(400, "invalid_grant", "The refresh token is not valid");
}

async fn userinfo(app: &TestApp, tenant: &str, tokens: &Value) -> u16 {
    app.userinfo(tenant, text(tokens, "access_token")).await.status
}

// [oauth RFC 6749 §6]: A refresh token gets the next tokens of its client only, which authenticates if it can
// [rfc9700 §2.2.2]: Refresh tokens are bound or rotate | Those of public clients change with each use; those
//   of other clients are bound to their credential. For 30 s (`grace`) a token that was used before gets the
//   same successor, so that a lost answer ends nothing
// [core Core §12.2]
#[tokio::test]
async fn refresh_token_of_a_public_client_rotates() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        add_client(&app, tenant, public);
        let mut tokens = sign_in(&app, tenant, OFFLINE).await;
        let first = payload(&tokens["id_token"]);
        let grant = payload(&tokens["access_token"])["grant_id"].clone();
        for _ in 0..3 {
            app.pass(100);
            let before = app.store.calls().sign_ins;
            let next = refresh(&app, tenant, text(&tokens, "refresh_token")).await;
            assert_eq!((next.header("cache-control"), app.store.calls().sign_ins - before), ("no-store", 1));
            let next = next.json_of(200);
            assert_ne!(next["refresh_token"], tokens["refresh_token"]);
            assert_ne!(next["access_token"], tokens["access_token"]);
            assert_eq!(next["scope"], OFFLINE);
            // OpenID Connect Core §12.2: the ID token has the same person and the same sign-in, and
            // no nonce.
            let again = payload(&next["id_token"]);
            for same in ["iss", "sub", "aud", "auth_time", "sid", "acr", "amr"] {
                assert_eq!(again[same], first[same], "{same}");
            }
            assert_eq!((&again["nonce"], &again["iat"]), (&Value::Null, &app.now().into()));
            let access = payload(&next["access_token"]);
            assert_eq!((&access["sub"], &access["grant_id"]), (&person.id.as_str().into(), &grant));
            assert_eq!(userinfo(&app, tenant, &next).await, 200);
            tokens = next;
        }
    }
}

// [attacks #22]: A refresh token that was used before, or by another | Within 30 s the same successor, later
//   the end of all that was granted
// [rfc9700 §4.14]: Refresh tokens are protected | One row a family holds a digest of its secret; a token
//   needs the pepper, too. A token that was used before ends all that was granted. The row names client and
//   scope, and ends with the account, the grant and without a use
// [V10 10.4.5]: 1 | Refresh tokens of public clients are not replayed | As RFC 9700 §2.2.2
// [rfc9700 §2.2.2]
#[tokio::test]
async fn reused_token_gets_its_successor_then_ends_the_grant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let tokens = sign_in(&app, tenant, OFFLINE).await;
        let first = text(&tokens, "refresh_token");
        let next = refresh(&app, tenant, first).await.json();
        for _ in 0..2 {
            app.pass(14);
            let again = refresh(&app, tenant, first).await.json();
            assert_eq!(again["refresh_token"], next["refresh_token"], "byte for byte");
            assert_eq!(userinfo(&app, tenant, &again).await, 200);
        }
        app.pass(2);
        assert_refused(&refresh(&app, tenant, first).await);
        // The whole grant has ended.
        assert_refused(&refresh(&app, tenant, text(&next, "refresh_token")).await);
        for tokens in [&tokens, &next] {
            assert_eq!(userinfo(&app, tenant, tokens).await, 401);
        }
        let later = sign_in(&app, tenant, OFFLINE).await;
        assert_eq!(userinfo(&app, tenant, &later).await, 200, "and the person may sign in again");
    }
}

/// The second use is at a replica whose clock is behind that of the first use.
#[tokio::test]
async fn second_use_revokes_tokens_despite_clock_skew() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let code = Browser::new(&app).code(tenant, &[("scope", OFFLINE)]).await;
        app.pass(1);
        let tokens = redeem_with(&app, tenant, &[("code", &code)]).await.json();
        app.go_back(1);
        assert_eq!(redeem_with(&app, tenant, &[("code", &code)]).await.json()["error"], "invalid_grant");
        app.pass(2);
        assert_eq!(userinfo(&app, tenant, &tokens).await, 401);

        let first = text(&sign_in(&app, tenant, OFFLINE).await, "refresh_token").to_owned();
        app.pass(100);
        let second = refresh(&app, tenant, &first).await.json();
        app.pass(100);
        let third = refresh(&app, tenant, text(&second, "refresh_token")).await.json();
        app.go_back(1);
        assert_refused(&refresh(&app, tenant, &first).await);
        app.pass(2);
        for tokens in [&second, &third] {
            assert_eq!(userinfo(&app, tenant, tokens).await, 401);
        }
        let later = sign_in(&app, tenant, OFFLINE).await;
        assert_eq!(userinfo(&app, tenant, &later).await, 200, "of another grant");
    }
}

/// As if a second use of the code revoked the grant after the first use and before the signature.
#[tokio::test]
async fn grant_revoked_during_redemption_gets_no_tokens() {
    let app = TestApp::start();
    let digests = KeyedDigest::for_purpose(app.pepper.expose(), "latchkey authorization code 1");
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        furnish_public(&app, tenant);
        for (of, is_ended) in [(other, false), (tenant, true)] {
            let code = Browser::new(&app).code(tenant, &[("scope", OFFLINE)]).await;
            let grant = BASE64URL.encode(&digests.of([tenant, "grant", &*code].map(str::as_bytes))[..16]);
            let subject = RevokedSubject::Grant(grant.clone());
            let now = Timestamp::from_seconds(app.now());
            app.store.revoke_people(&fixtures::tenant_id(of), &subject, None, now).await.unwrap();
            let tokens = redeem_with(&app, tenant, &[("code", &code)]).await;
            if is_ended {
                tokens.assert_error(400, "invalid_grant");
            } else {
                assert_eq!(tokens.status, 200, "{}", tokens.body);
                assert_eq!(payload(&tokens.json()["access_token"])["grant_id"], grant);
            }
        }
    }
}

// [oauth RFC 6749 §6]
#[tokio::test]
async fn authenticated_client_keeps_its_refresh_token() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        let secret = add_client(&app, tenant, |_| ());
        let tokens = Browser::new(&app).tokens(tenant, &secret, &[("scope", OFFLINE)]).await;
        let token = text(&tokens, "refresh_token");
        let own = [("client_secret", &*secret)];
        for _ in 0..3 {
            app.pass(1_000);
            let next = refresh_with(&app, tenant, token, &own).await;
            assert_eq!((next.status, &next.json()["refresh_token"]), (200, &Value::Null), "{}", next.body);
        }
        assert_eq!(refresh(&app, tenant, token).await.status, 401, "its client has to authenticate");
        // The tenant may require rotation for all clients.
        app.change_provider(tenant, |tenant| tenant.refresh_token.rotation = tenancy::Rotation::Always);
        let next = refresh_with(&app, tenant, token, &own).await.json();
        assert_ne!(text(&next, "refresh_token"), token);
        app.pass(30);
        assert_refused(&refresh_with(&app, tenant, token, &own).await);
        assert_eq!(userinfo(&app, tenant, &next).await, 401);
    }
}

// [oauth RFC 6749 §6], [attacks #22], [rfc9700 §4.14]
#[tokio::test]
async fn foreign_token_is_refused_without_a_store_lookup() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let mut other = fixtures::client(&fixtures::tenant(tenant), "other");
        public(&mut other);
        other.grant_types = vec![GrantType::RefreshToken];
        app.store.put_client(other);
    }
    for (tenant, elsewhere) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let tokens = sign_in(&app, tenant, OFFLINE).await;
        let token = text(&tokens, "refresh_token");
        let before = app.store.calls();
        assert_refused(&refresh(&app, elsewhere, token).await);
        let of_other = [("grant_type", "refresh_token"), ("client_id", "other"), ("refresh_token", token)];
        assert_refused(&app.post(&token_path(tenant), &of_other).await);
        let changed =
            format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
        for garbage in [changed.as_str(), "x", "lk_rt_", text(&tokens, "access_token")] {
            assert_refused(&refresh(&app, tenant, garbage).await);
        }
        for (at, client) in [(elsewhere, "web"), (tenant, "other")] {
            let form = [("token", token), ("client_id", client)];
            assert_eq!(app.post(&tenant_path(at, "/oauth/revoke"), &form).await.status, 200);
        }
        let after = app.store.calls();
        assert_eq!((after.sign_ins, after.revoke_token), (before.sign_ins, before.revoke_token));
        assert_eq!(userinfo(&app, tenant, &tokens).await, 200);
        assert_eq!(refresh(&app, tenant, token).await.status, 200, "nothing has ended");
    }
}

// [back-channel §2.7]: Refresh tokens without `offline_access` end with the session; those with it go on
// [core Core §11], [V7 7.4.1]
#[tokio::test]
async fn without_offline_access_refresh_tokens_end_with_the_session() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let mut of_scopes = Vec::new();
        for scope in ["openid", OFFLINE] {
            let mut browser = Browser::new(&app);
            let tokens = sign_in_with(&app, &mut browser, tenant, scope).await;
            let out = format!("/oauth/logout?id_token_hint={}", text(&tokens, "id_token"));
            let next = refresh(&app, tenant, text(&tokens, "refresh_token")).await;
            assert_eq!(next.status, 200, "{}", next.body);
            assert_eq!(browser.get(&tenant_path(tenant, &out)).await.status, 200);
            assert_eq!(userinfo(&app, tenant, &next.json()).await, 401, "access tokens end with it, too");
            of_scopes.push(next.text("refresh_token"));
        }
        assert_refused(&refresh(&app, tenant, &of_scopes[0]).await);
        let offline = refresh(&app, tenant, &of_scopes[1]).await.json_of(200);
        assert_eq!(userinfo(&app, tenant, &offline).await, 200);
    }
}

// [back-channel §2.7]
#[tokio::test]
async fn refresh_tokens_end_with_idle_or_shortened_sessions() {
    let app = TestApp::start();
    let hours = |hours: u64| Lifetime::from_seconds(hours * 3_600);
    let lasting = |tenant: &str, idle, absolute| {
        app.change_provider(tenant, |tenant| {
            tenant.sign_in.session.idle = hours(idle);
            tenant.sign_in.session.absolute = hours(absolute);
        });
    };
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for tenant in [tenant, other] {
            furnish_public(&app, tenant);
        }
        lasting(tenant, 1, 24);
        lasting(other, 8, 24);
        let mut browser = Browser::new(&app);
        let mut tokens = Vec::new();
        for tenant in [tenant, other] {
            tokens.push(sign_in_with(&app, &mut browser, tenant, "openid").await);
        }
        let offline = text(&sign_in(&app, tenant, OFFLINE).await, "refresh_token").to_owned();
        app.pass(2 * 3_600);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200, "the session is idle");
        assert_refused(&refresh(&app, tenant, text(&tokens[0], "refresh_token")).await);
        assert_eq!(refresh(&app, tenant, &offline).await.status, 200);
        let lives = refresh(&app, other, text(&tokens[1], "refresh_token")).await.json_of(200);
        // A stricter rule applies immediately, also to tokens of clients that authenticate.
        lasting(other, 1, 2);
        assert_refused(&refresh(&app, other, text(&lives, "refresh_token")).await);
        assert_eq!(browser.authorize(other, &[]).await.status, 200);
    }
}

// [core Core §11]
#[tokio::test]
async fn client_without_the_grant_gets_no_refresh_token() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let token = text(&sign_in(&app, tenant, OFFLINE).await, "refresh_token").to_owned();
        add_client(&app, tenant, |client| {
            public(client);
            client.grant_types.retain(|grant| *grant != GrantType::RefreshToken);
        });
        let tokens = sign_in(&app, tenant, OFFLINE).await;
        assert_eq!((&tokens["refresh_token"], &tokens["scope"]), (&Value::Null, &"openid profile".into()));
        refresh(&app, tenant, &token).await.assert_error(400, "unauthorized_client");
    }
}

// [revocation RFC 7009 §2.1 f]: Revoking a refresh token also revokes the access tokens of its grant
// [revocation RFC 7009 §2]
#[tokio::test]
async fn revoking_a_refresh_token_ends_its_grant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let [tokens, others] = [sign_in(&app, tenant, OFFLINE).await, sign_in(&app, tenant, OFFLINE).await];
        let token = text(&tokens, "refresh_token");
        for _ in 0..2 {
            let form = [("token", token), ("client_id", "web"), ("token_type_hint", "refresh_token")];
            let revoked = app.post(&tenant_path(tenant, "/oauth/revoke"), &form).await;
            assert_eq!((revoked.status, revoked.body.as_str()), (200, ""));
        }
        assert_refused(&refresh(&app, tenant, token).await);
        assert_eq!(userinfo(&app, tenant, &tokens).await, 401);
        assert_eq!(userinfo(&app, tenant, &others).await, 200, "of another grant");
        assert_eq!(refresh(&app, tenant, text(&others, "refresh_token")).await.status, 200);
    }
}

#[tokio::test]
async fn only_client_and_tenant_introspector_see_refresh_tokens() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        let secret = add_client(&app, tenant, |_| ());
        let tokens = Browser::new(&app).tokens(tenant, &secret, &[("scope", OFFLINE)]).await;
        let token = text(&tokens, "refresh_token");
        let introspect = async |client: &str, token: &str| {
            let form = [("token", token), ("client_id", client), ("client_secret", &*secret)];
            app.post(&tenant_path(tenant, "/oauth/introspect"), &form).await.json()
        };
        let found = introspect("web", token).await;
        assert_eq!((&found["active"], &found["client_id"]), (&true.into(), &"web".into()), "{found}");
        assert_eq!((&found["sub"], &found["scope"]), (&person.id.as_str().into(), &OFFLINE.into()));
        let (iat, exp) = (found["iat"].as_u64().unwrap(), found["exp"].as_u64().unwrap());
        assert_eq!((iat, exp), (app.now(), app.now() + 30 * 86_400));
        assert!(found["token_type"].is_null() && found["aud"].is_null());
        for (right, active) in [
            (IntrospectionRight::Own, false),
            (IntrospectionRight::Audience, false),
            (IntrospectionRight::Tenant, true),
        ] {
            let mut other = fixtures::client(&fixtures::tenant(tenant), "other");
            other.introspection = right;
            let hash = hash_token(&app.pepper, &other.tenant, &other.id, &Secret::new(secret.clone()));
            other.secrets = vec![ClientSecret { hash, ..fixtures::secret("1") }];
            app.store.put_client(other);
            assert_eq!(introspect("other", token).await["active"], active, "{right:?}");
        }
        let forged = format!("{}AA", &token[..token.len() - 2]);
        assert_eq!(introspect("other", &forged).await, json!({ "active": false }));
        let form = [("token", token), ("client_id", "web"), ("client_secret", &*secret)];
        app.post(&tenant_path(tenant, "/oauth/revoke"), &form).await;
        assert_eq!(introspect("web", token).await, json!({ "active": false }));
    }
}

// [oauth RFC 6749 §4.1.2]: A code expires within 10 minutes (here 60 s), is used once, and is bound to client
//   and redirect URI; a second use is denied and should revoke what the first gave
// [attacks #7], [V10 10.4.2]
#[tokio::test]
async fn reusing_a_code_revokes_its_refresh_tokens() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        furnish_public(&app, tenant);
        let code = Browser::new(&app).code(tenant, &[("scope", OFFLINE)]).await;
        let tokens = redeem_with(&app, tenant, &[("code", &code)]).await.json();
        let next = refresh(&app, tenant, text(&tokens, "refresh_token")).await.json();
        redeem_with(&app, tenant, &[("code", &code)]).await.assert_error(400, "invalid_grant");
        assert_eq!(userinfo(&app, tenant, &next).await, 401);
        assert_refused(&refresh(&app, tenant, text(&next, "refresh_token")).await);
    }
}

// [shared 2.11]: A second use of a code looked like a typo in the log, and nothing else told of it or of that
//   of a refresh token | fixed | `code_reused` and `refresh_token_reused` in the log, `grant.ended` in the
//   audit of the tenant, once for each grant, and the metric `latchkey_grants_ended_total`
// [oauth RFC 6749 §4.1.2]
#[tokio::test]
async fn reuse_is_logged_counted_and_audited_once() {
    capture();
    let app = TestApp::start();
    let reason = async |answer: &Answer| line_of(answer).await.get("reason").to_owned();
    for (nth, tenant) in [ACME, GLOBEX].into_iter().enumerate() {
        let person = add_person(&app, tenant);
        add_client(&app, tenant, public);
        // The code is used twice.
        let code = Browser::new(&app).code(tenant, &[("scope", OFFLINE)]).await;
        let redeem = async |code: &str| redeem_with(&app, tenant, &[("code", code)]).await;
        let by_code = redeem(&code).await.json_of(200);
        let typo = redeem(&code.chars().rev().collect::<String>()).await;
        assert_eq!(reason(&typo).await, "code_not_valid");
        for _ in 0..3 {
            let again = redeem(&code).await;
            assert_eq!((again.status, &again.body), (typo.status, &typo.body));
            assert_eq!(reason(&again).await, "code_reused");
        }
        // The refresh token is used twice, and then the code of the same grant.
        let code = Browser::new(&app).code(tenant, &[("scope", OFFLINE)]).await;
        let tokens = redeem(&code).await.json_of(200);
        refresh(&app, tenant, text(&tokens, "refresh_token")).await.assert_status(200);
        app.pass(31);
        for expected in ["refresh_token_reused", "refresh_token_not_valid"] {
            let again = refresh(&app, tenant, text(&tokens, "refresh_token")).await;
            assert_refused(&again);
            assert_eq!(reason(&again).await, expected);
        }
        assert_eq!(reason(&redeem(&code).await).await, "code_reused");

        let ended: Vec<_> =
            app.store.audit().into_iter().filter(|record| record.action == "grant.ended").collect();
        assert_eq!(ended.len(), 2 * (nth + 1), "{ended:?}");
        for (record, tokens, expected) in [
            (&ended[2 * nth], &by_code, "code_reused"),
            (&ended[2 * nth + 1], &tokens, "refresh_token_reused"),
        ] {
            let grant = &payload(&tokens["access_token"])["grant_id"];
            assert_eq!(record.detail, json!({ "client": "web", "grant_id": grant, "reason": expected }));
            assert_eq!((record.tenant.as_str(), record.subject.as_str()), (tenant, person.id.as_str()));
            let by = (record.actor.as_str(), record.source.as_deref());
            assert_eq!(by, (&*format!("client:{tenant}/web"), Some("127.0.0.1")));
        }
    }
    let metrics = app.get("/metrics").await.body;
    for expected in ["code_reused", "refresh_token_reused"] {
        let line = format!("latchkey_grants_ended_total{{reason=\"{expected}\"}} 2\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[tokio::test]
async fn client_overrides_the_tenants_refresh_token_policy() {
    let app = TestApp::start();
    for (tenant, idle) in [(ACME, 100), (GLOBEX, 300)] {
        add_person(&app, tenant);
        add_client(&app, tenant, |client| {
            public(client);
            client.code_flow.refresh_token = OwnRefreshTokenPolicy {
                rotation: Some(Rotation::Never),
                idle: Some(Lifetime::from_seconds(idle)),
                absolute: Some(Lifetime::from_seconds(2 * idle)),
                grace: None,
            };
        });
        let token = text(&sign_in(&app, tenant, OFFLINE).await, "refresh_token").to_owned();
        app.pass(idle - 1);
        assert_eq!(refresh(&app, tenant, &token).await.json_of(200)["refresh_token"], Value::Null);
        app.pass(idle - 1);
        assert_eq!(refresh(&app, tenant, &token).await.status, 200);
        app.pass(3);
        assert_refused(&refresh(&app, tenant, &token).await);

        let unused = text(&sign_in(&app, tenant, OFFLINE).await, "refresh_token").to_owned();
        app.pass(idle + 1);
        assert_refused(&refresh(&app, tenant, &unused).await);
    }
}
