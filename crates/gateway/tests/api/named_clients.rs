//! A refusal names the client of the request, at each endpoint with client authentication, before
//! and after the authentication. Only clients of the tenant are named, and an unknown client costs
//! the same number of store calls.

use crate::prelude::*;

const ENDPOINTS: [&str; 6] = ["token", "introspect", "revoke", "par", "device_authorization", "usage"];
/// A client that only this tenant has.
const OWN: &str = "own";

/// A refused request: header, form and reason.
type Request = (Option<String>, Vec<(&'static str, String)>, &'static str);

/// Requests that name a client. Most endpoints refuse all but the last three before the
/// authentication.
fn requests(client: &str) -> Vec<Request> {
    let basic = |secret| Some(format!("Basic {}", BASE64.encode(format!("{client}:{secret}"))));
    let id = || ("client_id", client.to_owned());
    let twice = [("x", "1".to_owned()), ("x", "2".to_owned())];
    let claims = json!({ "iss": client, "sub": client });
    let assertion = Forge::foreign().token_with(&json!({ "alg": "RS256" }), &claims);
    let of_assertion =
        || [("client_assertion_type", JWT_BEARER.to_owned()), ("client_assertion", assertion.clone())];
    let and_twice = |form: &[(&'static str, String)]| [form, &twice].concat();
    vec![
        (basic("wrong"), and_twice(&[]), "repeated_parameter"),
        (None, and_twice(&[id(), ("client_secret", "wrong".to_owned())]), "repeated_parameter"),
        (None, and_twice(&of_assertion()), "repeated_parameter"),
        (basic("wrong"), vec![("client_secret", "wrong".to_owned())], "several_credentials"),
        (Some("Bearer x".to_owned()), vec![id()], "malformed_credentials"),
        (None, vec![id(), ("client_assertion", "x".to_owned())], "malformed_credentials"),
        (basic("wrong"), vec![], "wrong_secret"),
    ]
}

struct Sent<'a> {
    app: &'a TestApp,
    tenant: &'static str,
}

impl Sent<'_> {
    /// Sends a request with cold caches. Returns the reason and the client of its refusal, and the
    /// store calls.
    async fn send(&self, endpoint: &str, (header, form, _): &Request) -> (String, Option<String>, u64) {
        let Self { app, tenant } = self;
        app.pass(120);
        let path = tenant_path(tenant, &format!("/oauth/{endpoint}"));
        let more = [("grant_type", "client_credentials".to_owned()), ("token", "x".to_owned())];
        let mut request = app.request(Method::POST, &path).form(&[&more, &form[..]].concat());
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let before = app.store_calls();
        let answer = Answer::to(request).await;
        let calls = app.store_calls() - before;
        assert!((400..402).contains(&answer.status), "{path} {form:?}: {answer:?}");
        // A refusal is stored after the response.
        for _ in 0..1_000 {
            if let Some(kept) = app.refusals.take(1).pop() {
                assert_eq!(
                    (kept.request_id.as_str(), kept.is_proven),
                    // A revoked key still identifies its client.
                    (answer.header("x-request-id"), kept.reason == "revoked_api_key")
                );
                return (kept.reason, kept.client.map(|client| client.to_string()), calls);
            }
            sleep(Duration::from_millis(1)).await;
        }
        panic!("{path} {form:?}: nothing is kept");
    }
}

// [third 15]: Usage and refusals counted for no client what was refused before authentication, without a
//   credential, or with an API key, so a client with a wrong setting did not see its own refusals | fixed |
//   Each refusal at an endpoint for forms names the client that the request names, with its id, the subject
//   of an assertion or an API key, if the tenant has it. Known and unknown ids and keys cost as many calls to
//   the store, and these refusals leave when those of credentials do
#[tokio::test]
async fn refusals_name_the_client_of_the_tenant() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
        let own = |tenant: &str| format!("{OWN}-of-{tenant}");
        app.store.put_client(fixtures::client(&fixtures::tenant(tenant), &own(tenant)));
        app.store.put_client(fixtures::client(&fixtures::tenant(other), &own(other)));
        let sent = Sent { app: &app, tenant };
        for endpoint in ENDPOINTS {
            let known = requests(&own(tenant));
            let others = [own(other), "nobody".to_owned()].map(|id| requests(&id));
            for (at, request) in known.iter().enumerate() {
                let (reason, named, cost) = sent.send(endpoint, request).await;
                assert_eq!(named, Some(own(tenant)), "{endpoint} {request:?}");
                // These two endpoints check most parameters after the authentication.
                let reads_later = ["par", "usage"].contains(&endpoint);
                assert!(reason == request.2 || reads_later, "{endpoint} {request:?}: {reason}");
                for others in &others {
                    let (_, named, unknown) = sent.send(endpoint, &others[at]).await;
                    assert_eq!((named, unknown), (None, cost), "{endpoint} {:?}", others[at]);
                }
            }
        }
    }
}

// [third 15]
#[tokio::test]
async fn refused_api_keys_name_their_client() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let keys = Keys::new(&test_env, tenant).await;
        let foreign = Keys::new(&test_env, other).await.make(json!({ "name": "n" })).await.text;
        let live = keys.make(json!({ "name": "live" })).await.text;
        let ended = keys.make(json!({ "name": "ended" })).await;
        test_env.delete(&keys.token, &ended.path).await.assert_status(200);
        let _ = test_env.app.refusals.take(1_000);
        let sent = Sent { app: &test_env.app, tenant };
        let twice = [("x", "1".to_owned()), ("x", "2".to_owned())];
        for endpoint in
            ENDPOINTS.into_iter().filter(|endpoint| !["par", "device_authorization"].contains(endpoint))
        {
            let accepts = endpoint == "token";
            let (of_ended, of_live) = match accepts {
                true => ("revoked_api_key", "repeated_parameter"),
                false => ("api_key_not_accepted", "api_key_not_accepted"),
            };
            let more = if accepts { &twice[..] } else { &[] };
            let request = |text: &str, more: &[_]| {
                let form = [&[("client_secret", text.to_owned())], more].concat();
                (None, form, "")
            };
            let (reason, named, cost) = sent.send(endpoint, &request(&ended.text, &[])).await;
            assert_eq!((&*reason, named.as_deref()), (of_ended, Some(SVC)), "{endpoint}");
            let (reason, named, of_twice) = sent.send(endpoint, &request(&live, more)).await;
            assert_eq!((&*reason, named.as_deref()), (of_live, Some(SVC)), "{endpoint}");
            for (more, cost) in [(&[][..], cost), (more, of_twice)] {
                let (_, named, unknown) = sent.send(endpoint, &request(&foreign, more)).await;
                assert_eq!((named, unknown), (None, cost), "{endpoint}: a key of another tenant");
            }
        }
    }
}
