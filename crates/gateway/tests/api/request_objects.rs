//! Request objects (RFC 9101) at two tenants.

use crate::prelude::*;
use crate::pushed_requests::{open as open_pushed, push, push_with};

const TYP: &str = "oauth-authz-req+jwt";

/// The members of a valid request object.
fn members(tenant: &str, now: u64) -> Value {
    json!({
        "iss": "web", "aud": issuer(tenant), "exp": now + 300, "iat": now, "client_id": "web",
        "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid profile", "state": "inside", "nonce": "n1",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "max_age": 3600
    })
}

fn but(mut members: Value, name: &str, value: Value) -> Value {
    members[name] = value;
    members
}

fn sign(tenant: &str, members: &Value) -> String {
    assertion_key(tenant).sign(TYP, members).unwrap()
}

/// Adds a client with a secret and a key for request objects.
fn add_signing_client(app: &TestApp, tenant: &str) -> String {
    let jwks = json!({ "keys": [assertion_key(tenant).jwk] }).to_string();
    add_web_client(app, tenant, |client| client.keys = Some(ClientKeys::parse(&jwks).unwrap()))
}

async fn open(browser: &mut Browser<'_>, tenant: &str, object: &str, more: &str) -> Answer {
    let query = format!("/oauth/authorize?client_id=web&request={object}{more}");
    browser.get(&tenant_path(tenant, &query)).await
}

// [core Core §6.1]: `request`: a signed request object, whose members count
// [core RFC 9101 §6.3]: Only parameters of the request object are used; `invalid_request_object` and
//   `invalid_request_uri`
// [core RFC 9126 §3]: A request object is pushed
// [attacks #24]
#[tokio::test]
async fn only_signed_parameters_count() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        let secret = add_signing_client(&app, tenant);
        let object = sign(tenant, &members(tenant, app.now()));
        let mut browser = Browser::new(&app);
        let outside =
            "&state=outside&scope=openid+email&redirect_uri=https://evil.example&prompt=none&nonce=other";
        let page = open(&mut browser, tenant, &object, outside).await;
        assert_eq!(page.status, 200, "{}", page.body);
        // The object was valid when the page was opened, and has expired when the person sends the
        // form.
        app.pass(600);
        let to = continued(&browser.sign_in(tenant, &page, PASSWORD).await);
        assert!(to.as_str().starts_with(CALLBACK));
        assert_eq!(parameter(&to, "state"), "inside");
        let tokens = redeem(&app, tenant, &secret, &parameter(&to, "code")).await;
        assert_eq!((tokens.status, &tokens.json()["scope"]), (200, &"openid profile".into()));
        // The object can be pushed, too.
        let object = sign(tenant, &members(tenant, app.now()));
        let sent = [("client_secret", &*secret), ("request", &*object), ("state", "outside")];
        let back = open_pushed(&mut browser, tenant, "web", &push(&app, tenant, &sent).await).await;
        assert!(back.status == 303 && back.header("location").contains("state=inside"), "{}", back.body);
        // A request with `prompt=none`.
        let silent = sign(tenant, &but(members(tenant, app.now()), "prompt", "none".into()));
        let back = open(&mut Browser::new(&app), tenant, &silent, "").await;
        assert!(back.header("location").contains("error=login_required"), "{}", back.body);
    }
}

// [core Core §6.1 b]: Unsigned and encrypted request objects. Left out on purpose: anyone could have made
//   them | absent
// [core RFC 9101 §5]: `client_id` inside and outside are equal; `request` and `request_uri` are not both sent
// [core RFC 9101 §6.2]: The signature is verified with a key of the client, by an algorithm of that key
// [attacks #24]: Request objects and request URIs that are not the client's, or say two things | What is
//   inside counts alone; no `none`, no shared secret; one use
// [core RFC 9101 §10.8]
/// Each refusal is an error page, or JSON if the object is pushed.
#[tokio::test]
async fn forged_expired_and_foreign_objects_are_refused() {
    let app = TestApp::start();
    let secrets = [ACME, GLOBEX].map(|tenant| add_signing_client(&app, tenant));
    for (own, stranger, secret) in [(ACME, GLOBEX, &secrets[0]), (GLOBEX, ACME, &secrets[1])] {
        let now = app.now();
        let good = || members(own, now);
        let forge = |alg: &str| {
            let encode = |value: Value| BASE64URL.encode(value.to_string());
            format!("{}.{}.", encode(json!({ "alg": alg })), encode(good()))
        };
        let object = sign(own, &good());
        let altered = {
            let mut parts: Vec<_> = object.split('.').map(str::to_owned).collect();
            parts[1] = BASE64URL.encode(but(good(), "scope", "openid email".into()).to_string());
            parts.join(".")
        };
        let wrong = "invalid_request_object";
        let cases = [
            (forge("none"), wrong),
            (forge("HS256") + "AAAA", wrong),
            (altered, wrong),
            ("a.b.c".to_owned(), wrong),
            // Signed by the foreign client with the same id and a key with the same `kid`.
            (sign(stranger, &good()), wrong),
            // For the other tenant.
            (sign(own, &members(stranger, now)), wrong),
            (assertion_key(own).sign("at+jwt", &good()).unwrap(), wrong),
            (sign(own, &but(good(), "iss", "other".into())), wrong),
            (sign(own, &but(good(), "client_id", "other".into())), wrong),
            (sign(own, &but(good(), "exp", (now - 61).into())), wrong),
            (sign(own, &but(good(), "request_uri", "urn:a".into())), wrong),
        ];
        let before = app.store.calls();
        for (object, code) in &cases {
            println!("{object}");
            let page = open(&mut Browser::new(&app), own, object, "").await;
            page.assert_shown(400);
            page.assert_says(400, code);
            let pushed = push_with(&app, own, &[("client_secret", secret), ("request", object)]).await;
            pushed.assert_error(400, code);
        }
        assert_eq!(app.store.calls().sign_ins, before.sign_ins);
        // The parameters in the object are checked like those of any request. Parameters outside
        // the object are ignored.
        for redirect_uri in [json!("https://evil.example"), json!(null)] {
            let object = sign(own, &but(good(), "redirect_uri", redirect_uri));
            let outside = format!("&redirect_uri={CALLBACK}");
            open(&mut Browser::new(&app), own, &object, &outside).await.assert_shown(400);
        }
        open(&mut Browser::new(&app), own, &object, "&request_uri=urn:example:a").await.assert_status(400);
    }
}

// [core RFC 9101 §4 b]: Ours: an object with `jti` begins a flow once, at all replicas: in one browser, which
//   may reload the page and go back to it, or by one push. An object without `jti` counts until it has
//   expired
// [shared 2.19]: An observer of a signed request could begin its flow for an hour, because `jti` was not read
//   | fixed | An object with `jti` begins a flow in one browser or by one push
#[tokio::test]
async fn object_with_jti_starts_one_flow() {
    let app = TestApp::start();
    let secrets = [ACME, GLOBEX].map(|tenant| {
        add_person(&app, tenant);
        add_signing_client(&app, tenant)
    });
    for (tenant, secret) in [ACME, GLOBEX].into_iter().zip(&secrets) {
        let with = |jti: &str| sign(tenant, &but(members(tenant, app.now()), "jti", jti.into()));
        let push = async |object: &str| {
            push_with(&app, tenant, &[("client_secret", &**secret), ("request", object)]).await
        };
        let refused = "The request object was already used";
        let object = with("1");
        // The person reloads the page, signs in, and goes back.
        let mut browser = Browser::new(&app);
        open(&mut browser, tenant, &object, "").await.assert_status(200);
        let page = open(&mut browser, tenant, &object, "").await;
        let to = continued(&browser.sign_in(tenant, &page, PASSWORD).await);
        assert_eq!(redeem(&app, tenant, secret, &parameter(&to, "code")).await.status, 200);
        let back = open(&mut browser, tenant, &object, "").await;
        assert!(back.header("location").contains("code="), "{}", back.body);
        // Somebody else has seen the URL.
        let mut observer = Browser::new(&app);
        for _ in 0..2 {
            let page = open(&mut observer, tenant, &object, "").await;
            page.assert_shown(400);
            page.assert_says(400, refused);
        }
        let pushed = push(&object).await;
        pushed.assert_error(400, "invalid_request_object");
        // A push uses the object up. The browser that follows needs no object.
        let object = with("2");
        let reference = push(&object).await.json_of(201);
        push(&object).await.assert_error(400, "invalid_request_object");
        open(&mut observer, tenant, &object, "").await.assert_says(400, refused);
        let opened = open_pushed(&mut browser, tenant, "web", text(&reference, "request_uri")).await;
        assert!(opened.header("location").contains("code="), "{}", opened.body);
        // A request that is refused for another reason does not use the object up. A client's form
        // does not either, because the browser is redirected to a GET.
        let object = with("3");
        let form = [("client_id", "web"), ("request", &*object)];
        observer.post(&tenant_path(tenant, "/oauth/authorize"), &form).await.assert_status(303);
        open(&mut Browser::new(&app), tenant, &object, "").await.assert_status(200);
    }
}

#[tokio::test]
async fn request_objects_require_keys_or_a_jwks_uri() {
    const JWKS_URI: &str = "https://keys.example.com/objects";
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = add_web_client(&app, tenant, |_| ());
        let object = sign(tenant, &members(tenant, app.now()));
        open(&mut Browser::new(&app), tenant, &object, "").await.assert_says(400, "request_not_supported");
        let pushed = push_with(&app, tenant, &[("client_secret", &secret), ("request", &object)]).await;
        pushed.assert_error(400, "request_not_supported");
        add_web_client(&app, tenant, |client| client.jwks_uri = Some(JWKS_URI.to_owned()));
        let jwks = json!({ "keys": [assertion_key(tenant).jwk] }).to_string();
        app.store.publish_jwks(&fixtures::tenant_id(tenant), JWKS_URI, Some(&jwks));
        assert_eq!(open(&mut Browser::new(&app), tenant, &object, "").await.status, 200);
    }
}
