//! Tests sign-ins with client libraries. Each library itself checks the answers, and refuses an answer for
//! another client.

use std::time::Duration;
use testkit::free_port;

use serde_json::{Value, json};

use crate::apache::{Apache, Sites};
use crate::foreign::{browser, node, python};
use crate::logout_receiver::logout_receiver;
use crate::two_providers::{ProviderTenant, REDIRECT_URI, TwoProviders};

// [native RFC 8252 §8.10]: An app is protected against other servers by `iss` of the answer
// [clients #1]: openid-client 6.8 | Node, http on loopback | with parameters, pushed (RFC 9126) and signed
//   (RFC 9101); silent, with `max_age`; a device (RFC 8628) | twice, rotating | by hint, with `state`; then
//   `prompt=none` is `login_required`, and the client is told by back-channel logout | the other tenant's
//   `iss` | a used refresh token, a used code, a device that the person denied
// [clients #2]: oauth4webapi 3.8 | Node, http on loopback | with parameters | rotating | by hint, with
//   `state`; then `login_required`, and back-channel logout | the other tenant's `iss`, no `iss`, another
//   `state`, another `nonce` | a used code
// [back-channel §2.1]: Metadata says that it is supported, and that tokens have `sid`
// [devices §4]: Metadata names the endpoint and the grant type
// [rfc9700 §4.4]: Mix-up of authorization servers | Each answer names the issuer, and issuers are unique over
//   all tenants. Clients compare it
// [core Core §3.1.3.6], [native RFC 9207 §2], [native RFC 9207 §3], [back-channel §2.4], [back-channel §2.5],
//   [devices §3.5], [attacks #4], [rfc9700 §2.1], [V7 7.6.1]
#[tokio::test]
async fn openid_client_and_oauth4webapi_sign_a_person_in() {
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

        // Each library has ended only the session that it began.
        let ended = [(); 2].map(|()| {
            let (path, body) = logouts.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(path, format!("/{}", tenant.id));
            ended_session(tenant, body.strip_prefix("logout_token=").unwrap())
        });
        assert!(sessions.iter().all(|session| ended.contains(session)), "{sessions:?}, not {ended:?}");
        assert!(logouts.try_recv().is_err(), "each client is told once");
    }
}

/// The person and the session in a logout token, which a library verifies.
#[track_caller]
fn ended_session(tenant: &ProviderTenant, token: &str) -> Value {
    let environment = [("ISSUER", tenant.issuer.as_str()), ("TOKEN", token)];
    let verified = node(include_str!("scripts/logout-token.cjs"), &environment).json();
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    assert_eq!((&verified["events"], verified.get("nonce")), (&event, None));
    let lifetime = verified["exp"].as_u64().unwrap() - verified["iat"].as_u64().unwrap();
    assert!(verified["jti"].is_string() && lifetime == 120);
    json!({ "sub": verified["sub"], "sid": verified["sid"] })
}

// [clients #3]: Authlib 1.9 | Python, http on loopback | with parameters | rotating | by hint; then
//   `login_required` | another `state`, another `nonce`, an ID token where it expects the other tenant's | a
//   used code
#[test]
fn authlib_signs_a_person_in() {
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

// [clients #5]: oidc-client-ts 3.5 | Chromium, a public client, http on loopback | in the window, and in a
//   popup | rotating, by `signinSilent` | by hint, with revocation: userinfo then answers 401, and the person
//   is asked again | another `state` | a revoked access token
// [V6 6.2.7]
#[test]
fn oidc_client_ts_signs_a_person_in() {
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

// [clients #6]: mod_auth_openidc 2.4.12 | Apache 2.4 in front of an application, Chromium, http on loopback |
//   with parameters | rotating | by its own address; and by back-channel logout, when an administrator ends
//   the session | another `state`, the other tenant's `iss` | another code
#[test]
fn mod_auth_openidc_signs_a_person_in_and_out() {
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
