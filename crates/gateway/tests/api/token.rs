//! Successful requests to the token endpoint (RFC 6749 §5.1, RFC 9068 §2).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

use crate::client_fixtures::ODD;
use crate::prelude::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// A request of `svc` with additional parameters.
async fn ask(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> Answer {
    ask_as(app, tenant, SVC, more).await
}

async fn ask_as(app: &TestApp, tenant: &str, client: &str, more: &[(&str, &str)]) -> Answer {
    let form =
        [&[GRANT, ("client_id", client), ("client_secret", app.secrets(tenant).of(client))], more].concat();
    app.post(&token_path(tenant), &form).await
}

#[track_caller]
fn claims(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&part(answer.json()["access_token"].as_str().unwrap(), 1)).unwrap()
}

// [oauth RFC 6749 §5.1]: `access_token` and `token_type` in JSON, with `expires_in` and `scope`
// [oauth RFC 6749 §5.1 b]: `Cache-Control: no-store` and `Pragma: no-cache` wherever a token is
// [access-tokens RFC 9068 §2.1 b]: `typ` is `at+jwt`
// [oauth RFC 6749 §3.3 c]: The answer names the granted scope if that differs from the requested one; here
//   always, unless no scope was granted
// [access-tokens RFC 9068 §2.2.3]: `scope` has the granted scope
// [access-tokens RFC 9068 §2.2.3 b]: Every scope is meaningful at every audience. Without `resource` a token
//   has all scopes of its client, of all resource servers: the registration of the client decides | departs
// [http RFC 9111 §5.2.2.5]: `no-store` on every answer with a token or an error
// [V10 10.1.1]: 2 | Tokens go only to parties that need them | To the requesting client, with `no-store`;
//   they are neither stored nor logged
// [oauth RFC 6749 §2.3.1 d], [oauth RFC 6749 §3.3 d], [oauth RFC 6749 §4.4.3], [access-tokens RFC 9068 §2.2]
#[tokio::test]
async fn a_token_response_has_its_documented_members_in_order() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let answer = ask(&app, tenant, &[("scope", "api:read api:write")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.assert_json();
        answer.assert_not_stored();
        let token = answer.text("access_token");
        let rest = r#""token_type":"Bearer","expires_in":3600,"scope":"api:read api:write""#;
        assert_eq!(answer.body, format!(r#"{{"access_token":"{token}",{rest}}}"#));
        assert_eq!(part(&token, 0), r#"{"alg":"RS256","typ":"at+jwt","kid":"oauth2-key-1"}"#);
        let text = part(&token, 1);
        let claims: Value = serde_json::from_str(&text).unwrap();
        let (now, jti) = (fixtures::NOW.seconds(), claims["jti"].as_str().unwrap());
        let (iss, exp) = (issuer(tenant), now + 3600);
        let first = format!(r#""iss":"{iss}","sub":"svc","aud":["api"],"exp":{exp},"iat":{now},"nbf":{now}"#);
        let rest = format!(r#""jti":"{jti}","scope":"api:read api:write","client_id":"svc""#);
        assert_eq!(text, format!("{{{first},{rest}}}"));
        assert!(jti.len() >= 22, "{jti}");
    }
}

// [jwt RFC 8725 §3.8]
#[tokio::test]
async fn only_the_tenants_published_keys_verify_its_tokens() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let token = app.token(tenant).await;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_audience(&[fixtures::AUDIENCE]);
        validation.set_issuer(&[issuer(tenant)]);
        for (publisher, verifies) in [(tenant, true), (other, false)] {
            let key = &app.get(&tenant_path(publisher, "/.well-known/jwks.json")).await.json()["keys"][0];
            let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
            let key = DecodingKey::from_rsa_components(n, e).unwrap();
            let verified = decode::<Value>(&token, &key, &validation);
            assert_eq!(verified.is_ok(), verifies, "{tenant} by {publisher}");
        }
    }
}

// [jwt RFC 7519 §4.1.7]: `jti` is unique
// [V11 11.5.2]
#[tokio::test]
async fn each_token_has_its_own_identifier() {
    let app = TestApp::start();
    let [first, second] = [app.token(ACME).await, app.token(ACME).await];
    assert_ne!(first, second);
}

// [oauth RFC 6749 §2.3.1], [oauth RFC 6749 §2.3.1 b]
#[tokio::test]
async fn basic_credentials_are_accepted_encoded_and_raw() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for client in [SVC, CHOSEN, ODD] {
            let secret = app.secrets(tenant).of(client);
            for (id, secret) in [(client.to_owned(), secret.to_owned()), (encode(client), encode(secret))] {
                let request = app.request(Method::POST, &token_path(tenant)).basic_auth(&id, Some(&secret));
                assert_eq!(claims(&Answer::to(request.form(&[GRANT])).await)["client_id"], client, "{id}");
            }
            assert_eq!(claims(&ask_as(&app, tenant, client, &[]).await)["sub"], client);
        }
    }
}

#[tokio::test]
async fn the_default_tenant_is_served_without_its_path() {
    for (default, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&crate::app::options(default));
        for path in ["/oauth/token", "/oauth2/token"] {
            let form = |tenant| [GRANT, ("client_id", SVC), ("client_secret", app.secrets(tenant).of(SVC))];
            assert_eq!(claims(&app.post(path, &form(default)).await)["iss"], issuer(default));
            app.post(path, &form(other)).await.assert_unauthenticated();
        }
        for (tenant, active) in [(default, true), (other, false)] {
            let token = app.token(tenant).await;
            let secret = app.secrets(default).of(SVC);
            let form = [("token", token.as_str()), ("client_id", SVC), ("client_secret", secret)];
            assert_eq!(app.post("/oauth2/introspect", &form).await.json_of(200)["active"], active);
        }
        let long = app.get(&tenant_path(default, "/.well-known/jwks.json")).await;
        let short = app.get("/oauth2/jwks").await;
        assert_eq!((short.status, &short.body, short.header("etag")), (200, &long.body, long.header("etag")));
    }
}

#[tokio::test]
async fn short_paths_are_unknown_without_a_default_tenant() {
    let mut options = crate::app::options(ACME);
    options.default_tenant = None;
    let app = TestApp::start_with(&options);
    for path in ["/oauth/token", "/oauth2/token", "/oauth2/introspect"] {
        app.post(path, &[GRANT]).await.assert_refused(404, "not_found", "Unknown tenant");
    }
    app.get("/oauth2/jwks").await.assert_refused(404, "not_found", "Unknown tenant");
    assert_eq!(app.store_calls(), 0);
}

// [access-tokens RFC 9068 §3]: A `resource` of the request becomes `aud`
// [rfc9700 §4.9.1]: A counterfeit resource server replays tokens | Tokens name their audiences; a client
//   requests with `resource` a token that is valid at one server only
// [resources RFC 8707 §2 b], [resources RFC 8707 §2 d], [resources RFC 8707 §2 e]
// [resources RFC 8707 §2.2 b]
/// Clients of other products send `audience`. A client can be registered for names such as `api`.
#[tokio::test]
async fn audience_parameter_works_like_resource() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let own = format!("only-{tenant}");
        app.change_client(tenant, SVC, |client| client.audiences.push(own.clone()));
        let (audience, resource) = (("audience", own.as_str()), ("resource", ORDERS));
        for (more, aud) in [
            (&[] as &[(&str, &str)], json!(["api", own])),
            (&[resource, resource], json!(ORDERS)),
            (&[audience], json!(own)),
            (&[audience, audience], json!(own)),
            (&[("audience", ORDERS)], json!(ORDERS)),
            (&[resource, audience], json!([ORDERS, own])),
            (&[audience, resource], json!([own, ORDERS])),
            (&[("audience", "")], json!(["api", own])),
        ] {
            assert_eq!(claims(&ask(&app, tenant, more).await)["aud"], aud, "{more:?}");
        }
        // As with a resource, the scope is that of the audience.
        assert_eq!(ask(&app, tenant, &[("audience", ORDERS)]).await.json()["scope"], "orders:read");
        let foreign = format!("only-{other}");
        for more in [&[("audience", &*foreign)] as &[(&str, &str)], &[audience, ("audience", &foreign)]] {
            ask(&app, tenant, more).await.assert_error(400, "invalid_target");
        }
    }
}

// A client sends `resource=https%3A%2F%2Fmcp.example.com` where https://mcp.example.com/ is
// registered, or the reverse.
#[tokio::test]
async fn token_has_the_registered_spelling_of_its_resource() {
    let app = TestApp::start();
    let (short, long) = ("https://mcp.example.com", "https://mcp.example.com/");
    // Each tenant has registered one of the two spellings.
    for (tenant, registered) in [(ACME, long), (GLOBEX, short)] {
        app.change_client(tenant, SVC, |client| client.resources = vec![registered.to_owned()]);
        for requested in [short, long, "HTTPS://MCP.example.com:443"] {
            let answer = ask(&app, tenant, &[("resource", requested)]).await;
            assert_eq!(claims(&answer)["aud"], json!(registered), "{requested}");
        }
        let twice = ask(&app, tenant, &[("resource", short), ("resource", long)]).await;
        assert_eq!(claims(&twice)["aud"], json!(registered));
        for more in [("resource", "https://mcp.example.com/v1"), ("audience", "HTTPS://mcp.example.com")] {
            ask(&app, tenant, &[more]).await.assert_error(400, "invalid_target");
        }
        app.change_client(tenant, SVC, |client| client.resources = vec![long.to_owned(), short.to_owned()]);
        for requested in [short, long] {
            let answer = ask(&app, tenant, &[("resource", requested)]).await;
            assert_eq!(claims(&answer)["aud"], json!(requested), "both are registered");
        }
    }
}

// [bearer RFC 6750 §5.3]: Tokens are short-lived and scoped; one hour unless the tenant or client sets
//   another lifetime
// [oauth RFC 6749 §5.1]
#[tokio::test]
async fn tenant_sets_the_lifetime_of_its_tokens() {
    let app = TestApp::start();
    app.change_tenant(GLOBEX, |tenant| tenant.access_token.lifetime = Lifetime::from_seconds(2));
    for (tenant, lifetime) in [(ACME, 3600), (GLOBEX, 2)] {
        let answer = ask(&app, tenant, &[]).await;
        let claims = claims(&answer);
        assert_eq!(answer.json()["expires_in"], lifetime);
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), lifetime);
    }
}

// [access-tokens RFC 9068 §2.1 c]: Every tenant does so. A tenant may set another `typ`, and the sample sets
//   `JWT`, because the verifiers of the documented examples expect it | departs
#[tokio::test]
async fn tenant_sets_the_typ_of_its_tokens() {
    let app = TestApp::start();
    app.change_tenant(GLOBEX, |tenant| tenant.access_token.typ = "JWT".to_owned());
    let header = r#"{"alg":"RS256","typ":"JWT","kid":"oauth2-key-1"}"#;
    assert_eq!(part(&app.token(GLOBEX).await, 0), header);
    assert_ne!(part(&app.token(ACME).await, 0), header);
}

/// `application/x-www-form-urlencoded` (RFC 6749 §2.3.1).
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
