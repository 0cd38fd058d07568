//! People sign in at the program with the libraries that clients have: each checks the answers by itself, and refuses one that is not for it.

use std::time::Duration;
use testkit::free_port;

use serde_json::{Value, json};

use crate::apache::{Apache, Sites};
use crate::foreign::{browser, node, python};
use crate::logout_receiver::logout_receiver;
use crate::two_providers::{ProviderTenant, REDIRECT_URI, TwoProviders};

#[tokio::test]
async fn openid_client_and_oauth4webapi_sign_a_person_in_at_its_tenant() {
    let (receiver_url, logouts) = logout_receiver();
    let providers = TwoProviders::start_telling("http://127.0.0.1:9", &receiver_url);
    for (tenant, other) in providers.each() {
        let script = concat!(include_str!("scripts/plain-browser.cjs"), include_str!("scripts/sign-in.cjs"));
        let key = tenant.key.pem();
        let mut found = tenant.found(other, &[("KEY", &key)], |environment| node(script, environment));
        let sessions =
            [0, 1].map(|library: usize| found[library].as_object_mut().unwrap().remove("session").unwrap());
        let expected = json!([
            {
                "library": "openid-client",
                "email": "ada@example.com",
                "name": tenant.name,
                "sameSession": true,
                "sent": { "pushed": tenant.name, "signed": tenant.name },
                "mixUp": "refused",
                "refreshed": true,
                "reuse": "invalid_grant",
                "replay": "invalid_grant",
                "signedOut": format!("{REDIRECT_URI}?state=bye"),
                "after": "login_required",
            },
            {
                "library": "oauth4webapi",
                "email": "ada@example.com",
                "refusals": {
                    "none": "",
                    "iss": "unexpected \"iss\" (issuer) response parameter value",
                    "noIss": "response parameter \"iss\" (issuer) missing",
                    "state": "unexpected \"state\" response parameter value",
                    "nonce": "unexpected ID Token \"nonce\" claim value",
                },
                "refreshed": true,
                "replay": "invalid_grant",
                "signedOut": format!("{REDIRECT_URI}?state=bye"),
                "after": "login_required",
            },
            { "device": "ada@example.com", "session": null, "refused": "access_denied" },
        ]);
        assert_eq!(found, expected, "{}", tenant.id);

        // Each library has ended the session that it began, and no other.
        let ended = [(); 2].map(|()| {
            let (path, body) = logouts.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(path, format!("/{}", tenant.id));
            ended_session(tenant, body.strip_prefix("logout_token=").unwrap())
        });
        assert!(sessions.iter().all(|session| ended.contains(session)), "{sessions:?}, not {ended:?}");
        assert!(logouts.try_recv().is_err(), "each client is told once");
    }
}

/// The person and the session that a logout token names, which a library verifies.
#[track_caller]
fn ended_session(tenant: &ProviderTenant, token: &str) -> Value {
    let environment = [("ISSUER", tenant.issuer.as_str()), ("TOKEN", token)];
    let verified = node(include_str!("scripts/logout-token.cjs"), &environment).output();
    let verified: Value = serde_json::from_str(&verified).unwrap();
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    assert_eq!((&verified["events"], verified.get("nonce")), (&event, None));
    let lifetime = verified["exp"].as_u64().unwrap() - verified["iat"].as_u64().unwrap();
    assert!(verified["jti"].is_string() && lifetime == 120);
    json!({ "sub": verified["sub"], "sid": verified["sid"] })
}

#[test]
fn authlib_signs_a_person_in_at_its_tenant() {
    let providers = TwoProviders::start("http://127.0.0.1:9");
    for (tenant, other) in providers.each() {
        let script = concat!(include_str!("scripts/plain_browser.py"), include_str!("scripts/sign_in.py"));
        let found = tenant.found(other, &[], |environment| python(script, environment));
        let expected = json!({
            "name": tenant.name,
            "userinfo": "ada@example.com",
            "otherState": "MismatchingStateException",
            "otherNonce": "refused",
            "otherIssuer": "refused",
            "refreshed": true,
            "replay": "invalid_grant",
            "signedOut": REDIRECT_URI,
            "after": "login_required",
        });
        assert_eq!(found, expected, "{}", tenant.id);
    }
}

#[test]
fn oidc_client_ts_signs_a_person_in_at_its_tenant_in_a_browser() {
    let spa = format!("http://127.0.0.1:{}", free_port());
    let providers = TwoProviders::start(&spa);
    for (tenant, other) in providers.each() {
        let found =
            tenant.found(other, &[("SPA", &spa)], |environment| browser("sign-in-browser.cjs", environment));
        let expected = json!({
            "name": tenant.name,
            "email": "ada@example.com",
            "otherState": "No matching state found in storage",
            "refreshed": true,
            "signedOut": format!("{spa}/signed-out"),
            "userinfoAfterRevocation": 401,
            "asksAgain": true,
            "inPopup": "ada@example.com",
            "reports": [],
        });
        assert_eq!(found, expected, "{}", tenant.id);
    }
}

#[test]
fn mod_auth_openidc_signs_a_person_in_at_its_tenant_and_out_again() {
    let sites = Sites::new();
    let providers = TwoProviders::start_with("http://127.0.0.1:9", |tenant| {
        json!({
            "post_logout_redirect_uris": [format!("{}/signed-out", sites.of(tenant))],
            "backchannel_logout_uri": format!("{}/callback?logout=backchannel", sites.of(tenant)),
        })
    });
    let _apache = Apache::start(&sites, &providers);
    let config = providers.folder.config().display().to_string();
    for (tenant, other) in providers.each() {
        let site = sites.of(tenant.id);
        let more = [
            ("SITE", site),
            ("APPLICATION", &sites.application),
            ("TENANT", tenant.id),
            ("PROGRAM", env!("CARGO_BIN_EXE_latchkey")),
            ("CONFIG", &config),
        ];
        let found = tenant.found(other, &more, |environment| browser("sign-in-apache.cjs", environment));
        let expected = json!({
            "issuer": tenant.issuer,
            "name": tenant.name,
            "email": "ada@example.com",
            "samePerson": true,
            "refreshed": true,
            "accepted": { "otherState": false, "otherIssuer": false, "otherCode": false, "unchanged": true },
            "signedOut": format!("{site}/signed-out"),
            "ended": true,
        });
        assert_eq!(found, expected, "{}", tenant.id);
    }
}
