//! The revocation feed: signed by its tenant, public, cheap to poll, and not usable as an access
//! token.

use keys::{PublicKeys, SignedJwt};
use registry::{CredentialTag, RevocationFeed};

use crate::prelude::*;

async fn fetch(app: &TestApp, tenant: &str) -> Answer {
    app.get(&tenant_path(tenant, "/oauth/revocations")).await
}

/// `None` if the tenant's keys do not verify the feed.
async fn verified(app: &TestApp, tenant: &str, jws: &str) -> Option<RevocationFeed> {
    let keys = PublicKeys::read(&app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await.body).unwrap();
    let (claims, _) = SignedJwt::parse(jws, &[RevocationFeed::TYP]).unwrap().verify(&keys).ok()?;
    Some(claims)
}

async fn feed(app: &TestApp, tenant: &str) -> RevocationFeed {
    let answer = fetch(app, tenant).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/jwt"), "{answer:?}");
    verified(app, tenant, &answer.body).await.unwrap()
}

fn claim(token: &str, name: &str) -> String {
    let claims = claims_of(token);
    claims[name].as_str().unwrap().to_owned()
}

// [revocation ours c]: The revocation feed is signed by its tenant, and by no other; says what the tenant has
//   revoked; and names no client in clear
#[tokio::test]
async fn feed_contains_only_its_tenants_revocations() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let before = feed(app, tenant).await;
        assert_eq!((before.iss.as_str(), before.iat.seconds()), (&*issuer(tenant), app.now()));
        assert_eq!(before.exp.seconds(), app.now() + 180);
        assert!(before.issued_until.is_none() && before.clients.is_empty() && before.tokens.is_empty());
        let unchanged = feed(app, other).await;

        let token = app.token(tenant).await;
        assert_eq!(app.post_as((tenant, SVC), "/oauth/revoke", &[("token", &token)]).await.status, 200);
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/{PLAIN}/tokens/revoke", clients_path(tenant));
        assert_eq!(test_env.step(&boss, &path).await.status, 200);
        let path = format!("{}/{SVC}/secrets", clients_path(tenant));
        let secrets = test_env.get(&boss, &path).await.json();
        let id = secrets["items"][0]["id"].as_str().unwrap();
        assert_eq!(test_env.delete(&boss, &format!("{path}/{id}")).await.status, 200);

        let after = feed(app, tenant).await;
        assert_eq!(after.tokens, [claim(&token, "jti")]);
        let named: BTreeSet<_> = after.clients.keys().cloned().collect();
        assert_eq!(named, BTreeSet::from([SVC, PLAIN].map(RevocationFeed::name)));
        let plain = &after.clients[&RevocationFeed::name(PLAIN)];
        assert_eq!(plain.issued_until.unwrap().seconds(), app.now());
        let svc = &after.clients[&RevocationFeed::name(SVC)];
        let tag = CredentialTag::of_token(&claim(&token, "jti")).unwrap().to_string();
        assert!(svc.issued_until.is_none() && svc.credentials.keys().eq([&tag]), "{svc:?}");
        assert!(svc.credentials[&tag].seconds() > app.now());
        assert_eq!(feed(app, other).await, unchanged);

        // The other tenant's keys do not verify the feed, and the feed contains no client id.
        let jws = fetch(app, tenant).await.body;
        assert_eq!(verified(app, other, &jws).await, None);
        let text = part(&jws, 1);
        assert!(!text.contains(SVC) && !text.contains(PLAIN), "{text}");
    }
}

// [revocation RFC 9110 §13.1.2]: `If-None-Match` of the feed is compared weakly, and gets 304
// [revocation ours e]
#[tokio::test]
async fn repeated_fetches_return_the_same_signed_feed() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let path = tenant_path(tenant, "/oauth/revocations");
        let first = fetch(&app, tenant).await;
        let etag = first.header("etag").to_owned();
        assert!(etag.len() > 20 && first.header("cache-control") == "public, max-age=10", "{first:?}");
        for _ in 0..20 {
            let again = fetch(&app, tenant).await;
            assert_eq!((&again.body, again.header("etag")), (&first.body, &*etag));
            let known = Answer::to(app.request(Method::GET, &path).header("if-none-match", &etag)).await;
            assert_eq!((known.status, known.body.as_str(), known.header("etag")), (304, "", &*etag));
        }
        let head = Answer::to(app.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.body.as_str(), head.header("etag")), (200, "", &*etag));
        for tag in ["*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
            let request = app.request(Method::GET, &path).header("if-none-match", tag);
            assert_eq!(Answer::to(request).await.status, 304, "{tag}");
        }
        for tag in ["\"x\"", "", "x"] {
            let request = app.request(Method::GET, &path).header("if-none-match", tag);
            assert_eq!(Answer::to(request).await.status, 200, "{tag}");
        }
        app.pass(60);
        assert_ne!(fetch(&app, tenant).await.header("etag"), etag);
    }
}

// [revocation ours d]: A feed is no access token (RFC 8725 §3.11)
#[tokio::test]
async fn feed_is_not_accepted_as_an_access_token() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let jws = fetch(&app, tenant).await.body;
        app.get_with(&jws, RESOURCE).await.assert_refused(401, "invalid_token", "Token is malformed");
        let answer = app.post_as((tenant, AUDITOR), "/oauth/introspect", &[("token", &jws)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"active":false}"#));
    }
}

// [revocation ours e]
#[tokio::test]
async fn feed_survives_suspension_but_not_store_failure() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    let ops = test_env.token(PLATFORM, OPS).await;
    for tenant in [ACME, GLOBEX] {
        app.store.fail_with(Failure::Unavailable);
        assert_eq!(fetch(app, tenant).await.status, 503);
        app.store.fail_with(None);
        let token = app.token(tenant).await;
        assert_eq!(test_env.step(&ops, &format!("{TENANTS}/{tenant}/suspend")).await.status, 200);
        let claims = claims_of(&token);
        assert!(feed(app, tenant).await.issued_until.unwrap().seconds() >= claims["iat"].as_u64().unwrap());
    }
    assert_eq!(app.get("/api/v1/tenant/nobody/oauth/revocations").await.status, 404);
    let posted = app.post(&tenant_path(ACME, "/oauth/revocations"), &[]).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
}
