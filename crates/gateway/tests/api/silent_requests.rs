//! What a client learns by `prompt=none` (OpenID Connect Core §3.1.2.1): nothing until the person
//! has consented to something. Runs at two tenants.

use reqwest::header::{HeaderMap, LOCATION};

use crate::prelude::*;

/// The response without date, request id and nonce.
fn whole(answer: &Answer) -> (u16, HeaderMap, String) {
    let nonce = answer.body.split_once("nonce=\"").map(|(_, rest)| rest.split('"').next().unwrap());
    let without = |text: &str| nonce.map_or(text.to_owned(), |nonce| text.replace(nonce, "NONCE"));
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        if !["date", "x-request-id"].contains(&name.as_str()) {
            headers.append(name, without(value.to_str().unwrap()).parse().unwrap());
        }
    }
    (answer.status, headers, without(&answer.body))
}

// [attacks #21]: A client that looks for who is signed in, by requests that show nothing | Until the person
//   has allowed it something, the answers to 16 such requests are equal in every byte
#[tokio::test]
async fn silent_requests_reveal_nothing_before_consent() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        // The person signs in at a first-party client and gets an ID token.
        let secret = add_web_client(&app, tenant, |_| ());
        let mut signed_in = Browser::new(&app);
        let tokens = signed_in.tokens(tenant, &secret, &[]).await;
        let hint = tokens["id_token"].as_str().unwrap();
        assert_eq!(payload(&tokens["id_token"])["sub"], person.id.as_str());
        add_web_client(&app, tenant, |client| {
            client.id = testkit::fixtures::client_id("curious");
            client.code_flow.first_party = false;
        });
        let mut stranger = Browser::new(&app);
        // The browser has the cookie that every browser gets with its first page.
        stranger.authorize(tenant, &[]).await;
        let named = format!(r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#, person.id);
        let unknown = r#"{"id_token":{"sub":{"value":"usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}}"#;
        let acr = r#"{"id_token":{"acr":{"essential":true,"values":["urn:latchkey:acr:1"]}}}"#;
        let demanded = r#"{"id_token":{"acr":{"essential":true,"values":["phr"]}}}"#;
        let requests: [&[(&str, &str)]; 16] = [
            &[],
            &[("scope", "openid")],
            &[("scope", "openid profile email")],
            &[("scope", "openid phone")],
            &[("scope", "api:read")],
            &[("login_hint", EMAIL)],
            &[("login_hint", "bob@example.com")],
            &[("id_token_hint", hint)],
            &[("claims", &named)],
            &[("claims", unknown)],
            &[("claims", acr)],
            &[("claims", demanded)],
            &[("max_age", "0")],
            &[("max_age", "86400")],
            &[("response_mode", "form_post")],
            &[("response_type", "token")],
        ];
        let ask = async |browser: &mut Browser<'_>, more: &[(&str, &str)]| {
            let request = [&[("client_id", "curious"), ("prompt", "none")], more].concat();
            browser.authorize(tenant, &request).await
        };
        let compare = async |signed_in: &mut Browser<'_>, stranger: &mut Browser<'_>| {
            for more in requests {
                let (there, gone) = (ask(signed_in, more).await, ask(stranger, more).await);
                assert_eq!(there.headers.get(LOCATION), gone.headers.get(LOCATION), "{more:?}");
                assert_eq!(whole(&there), whole(&gone), "{more:?}");
                assert!(!there.body.contains(EMAIL), "{more:?}");
                assert!(!there.header("location").contains("code="), "{more:?}");
            }
        };
        compare(&mut signed_in, &mut stranger).await;
        let refused = location(&ask(&mut signed_in, &[]).await);
        assert!(refused.as_str().starts_with(CALLBACK) && parameter(&refused, "error") == "login_required");

        // A refused consent reveals nothing.
        let page = signed_in.authorize(tenant, &[("client_id", "curious")]).await;
        let denied = signed_in.decide(tenant, &page, "deny").await;
        assert_eq!(parameter(&continued(&denied), "error"), "access_denied");
        compare(&mut signed_in, &mut stranger).await;

        // Control: after a consent, the client can see that the person is signed in.
        code_in(&signed_in.decide(tenant, &page, "allow").await);
        let (there, gone) = (ask(&mut signed_in, &[]).await, ask(&mut stranger, &[]).await);
        assert!(!code_at(&there).is_empty());
        assert_ne!(whole(&there), whole(&gone));
    }
}
