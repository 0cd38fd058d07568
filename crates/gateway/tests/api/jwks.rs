//! A tenant's public keys: their form, their cache lifetime, and how long they are published (RFC
//! 7517, RFC 9111).

use crate::prelude::*;

pub(crate) fn path(tenant: &str) -> String {
    tenant_path(tenant, "/.well-known/jwks.json")
}

// [keys RFC 7517 §8.5.2]: The registered media type of a set is `application/jwk-set+json`. Here it is
//   `application/json`, which every client reads | departs
// [keys RFC 7517 §5]
#[tokio::test]
async fn a_jwk_has_its_documented_members_in_order() {
    let app = TestApp::start();
    let mut moduli = Vec::new();
    for tenant in [ACME, GLOBEX] {
        let answer = app.get(&path(tenant)).await;
        answer.assert_json();
        let n = answer.json()["keys"][0]["n"].as_str().unwrap().to_owned();
        let key =
            format!(r#"{{"kty":"RSA","use":"sig","kid":"oauth2-key-1","n":"{n}","e":"AQAB","alg":"RS256"}}"#);
        assert_eq!((answer.status, answer.body), (200, format!(r#"{{"keys":[{key}]}}"#)));
        let modulus = BASE64URL.decode(&n).unwrap();
        assert_eq!((modulus.len(), modulus[0] >> 7), (256, 1));
        moduli.push(modulus);
    }
    assert_ne!(moduli[0], moduli[1], "tenants share no key, whatever its name");
}

// [http RFC 9111 §5.2.2]: Key sets state how long they may be cached: `max-age` and `stale-while-revalidate`
//   (RFC 5861 §3) of the tenant
#[tokio::test]
async fn tenant_sets_the_cache_lifetime_of_its_keys() {
    let app = TestApp::start();
    app.change_tenant(GLOBEX, |tenant| {
        tenant.signing.jwks_max_age = Lifetime::from_seconds(7);
        tenant.signing.jwks_stale = Lifetime::from_seconds(0);
    });
    for (tenant, expected) in [
        (ACME, "public, max-age=300, stale-while-revalidate=60"),
        (GLOBEX, "public, max-age=7, stale-while-revalidate=0"),
    ] {
        assert_eq!(app.get(&path(tenant)).await.header("cache-control"), expected);
    }
}

// [http RFC 9111 §4.2]
/// Verifiers must fetch the keys again as soon as the next key is published.
#[tokio::test]
async fn cache_lifetime_shrinks_before_a_new_key() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let began = app.now();
        // `max-age` and `stale-while-revalidate`.
        let spans = async |tenant| {
            let answer = app.get(&path(tenant)).await;
            let value = answer.header("cache-control").strip_prefix("public, max-age=").unwrap();
            let (max_age, stale) = value.split_once(", stale-while-revalidate=").unwrap();
            (max_age.parse::<u64>().unwrap(), stale.parse::<u64>().unwrap())
        };
        // The next key is announced in 400 s.
        app.change_tenant(tenant, |tenant| {
            let active_for = began - testkit::fixtures::NOW.seconds();
            tenant.signing.rotate_every = Lifetime::from_seconds(active_for + 1000);
            tenant.signing.publish_before = Lifetime::from_seconds(600);
        });
        let keeper = test_env.token(tenant, KEEPER).await;
        assert_eq!(spans(tenant).await, (300, 60));
        let mut last = 360;
        for step in [50, 100, 50, 100, 50, 40, 5] {
            app.pass(step);
            let (left, (max_age, stale)) = (began + 400 - app.now(), spans(tenant).await);
            let used = max_age + stale;
            assert!(max_age <= 300 && used <= last && used <= left, "{max_age} and {stale} of {left}");
            assert!(used + 2 >= left.min(360), "no less than need be: {max_age} and {stale} of {left}");
            assert_eq!(spans(other).await, (300, 60), "the other tenant's key is not due");
            last = used;
        }
        app.pass(began + 400 - app.now());
        assert_eq!(spans(tenant).await, (1, 0), "at once, but not in a storm");
        test_env.rotate(&keeper, tenant).await.assert_status(200);
        assert_eq!(spans(tenant).await, (300, 60), "the next but one is far away");
        app.change_tenant(tenant, |_| {});
    }
}

// [http RFC 9110 §15.4.5]: 304 repeats `ETag` and `Cache-Control` and has no body
// [http RFC 9110 §13.1.2], [http RFC 9110 §8.8.3]
#[tokio::test]
async fn a_request_with_the_current_etag_is_answered_304() {
    let app = TestApp::start();
    let [acme, globex] = [app.get(&path(ACME)).await, app.get(&path(GLOBEX)).await];
    let (acme, globex) = (acme.header("etag"), globex.header("etag"));
    assert_ne!(acme, globex);
    for (tenant, own, other) in [(ACME, acme, globex), (GLOBEX, globex, acme)] {
        for (tags, status) in [
            (own.to_owned(), 304),
            (format!("W/{own}"), 304),
            (format!("{other}, {own}"), 304),
            ("*".to_owned(), 304),
            (other.to_owned(), 200),
            ("\"\"".to_owned(), 200),
            (String::new(), 200),
        ] {
            let request = app.request(Method::GET, &path(tenant)).header("if-none-match", &tags);
            let answer = Answer::to(request).await;
            assert_eq!((answer.status, answer.header("etag")), (status, own), "{tags}");
            assert!(!answer.header("cache-control").is_empty());
            assert_eq!(answer.body.is_empty(), status == 304);
        }
    }
}

// [http RFC 9110 §9.1]: GET and HEAD are served for every readable resource
#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let get = app.get(&path(tenant)).await;
        let head = Answer::to(app.request(Method::HEAD, &path(tenant))).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        for name in ["etag", "cache-control", "content-type", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        let post = app.post(&path(tenant), &[]).await;
        post.assert_refused(405, "invalid_request", "The method is not allowed here");
        assert_eq!(post.header("allow"), "GET, HEAD");
    }
}

#[tokio::test]
async fn suspended_tenants_keys_stay_until_its_tokens_expire() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let before = app.get(&path(tenant)).await;
        let keys_published_until = Timestamp::from_seconds(app.now() + 10);
        app.change_tenant(tenant, |tenant| tenant.status = TenantStatus::Suspended { keys_published_until });
        app.pass(9);
        assert_eq!(app.get(&path(tenant)).await.body, before.body);
        app.pass(1);
        app.get(&path(tenant)).await.assert_refused(404, "not_found", "Unknown tenant");
        assert_eq!(app.get(&path(other)).await.status, 200);
        app.change_tenant(tenant, |_| {});
    }
}

#[tokio::test]
async fn first_fetch_creates_a_key_unless_suspended() {
    let app = TestApp::start();
    app.change_tenant("initech", |_| {});
    app.suspend("hooli");
    let before = app.store.calls().add_key;
    let initech = app.get(&path("initech")).await.json()["keys"][0].clone();
    assert_eq!(initech["kid"], "oauth2-key-1");
    assert_eq!(app.get(&path("initech")).await.json()["keys"][0], initech);
    for other in [ACME, GLOBEX] {
        assert_ne!(app.get(&path(other)).await.json()["keys"][0]["n"], initech["n"]);
    }
    // A verifier that cached an empty set would refuse the first tokens after the tenant is
    // resumed.
    app.get(&path("hooli")).await.assert_refused(404, "not_found", "Unknown tenant");
    assert_eq!(app.store.calls().add_key, before + 1);
    app.change_tenant("hooli", |_| {});
    assert_eq!(app.get(&path("hooli")).await.json()["keys"][0]["kid"], "oauth2-key-1", "resumed");
}
