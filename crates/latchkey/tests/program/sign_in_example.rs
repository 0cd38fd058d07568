//! Tests the example of a client for which people sign in, `docs/examples/js/sign-in.mjs`. It runs as printed
//! with the client of the repository's settings. Another tenant has a client and a person with the same
//! names.

use serde_json::json;
use testkit::free_port;

use crate::folder::Folder;
use crate::foreign::{NodeServer, browser, pointed};
use crate::program::Program;
use crate::settings::{edited, sample};

const PRINTED_BASE: &str = "http://localhost:3000";
const PRINTED_HOME: &str = "http://localhost:8080/";
const PRINTED_TENANT: &str = "/tenant/acme";
const SECRET: &str = "acme-web-sample-secret";

/// The tenants of the sample and a further one, which differs from `acme` in its id and in the person's name.
fn settings(listen: u16, home: &str) -> String {
    let sample = edited(&sample(), "address: 127.0.0.1:0", &format!("address: 127.0.0.1:{listen}"));
    let base = format!("http://localhost:{listen}");
    // The tokens expire during the test.
    let short = "first_party: true\n        access_token_lifetime: 6s";
    let (others, acme) = sample.split_once("\n  acme:\n").unwrap();
    let acme = edited(acme, "first_party: true", short);
    let globex = edited(&acme, "Ada Lovelace", "Ada of Globex");
    let settings = format!("{others}\n  acme:\n{acme}\n  globex:\n{globex}");
    pointed(&settings, &[(PRINTED_BASE, &base), (PRINTED_HOME, home)])
}

// [clients #7]: [`js/sign-in.mjs`](examples/js/sign-in.mjs), openid-client | Node and Chromium, http on
//   loopback | with parameters | when the access token has ended | by hint | another `state`, the other
//   tenant's `iss`, an answer that it has not asked for | another code
// [V10 10.1.2]
#[test]
fn example_signs_in_renews_tokens_and_signs_out() {
    let (listen, port) = (free_port(), free_port());
    let home = format!("http://localhost:{port}/");
    let folder = Folder::with(&settings(listen, &home));
    let _program = Program::start(&folder);
    let base = format!("http://localhost:{listen}");
    let issuer = |tenant: &str| format!("{base}/api/v1/tenant/{tenant}");
    for (tenant, other, name) in [("acme", "globex", "Ada Lovelace"), ("globex", "acme", "Ada of Globex")] {
        let example = pointed(
            include_str!("../../../../docs/examples/js/sign-in.mjs"),
            &[(PRINTED_TENANT, &format!("/tenant/{tenant}")), (PRINTED_BASE, &base), (PRINTED_HOME, &home)],
        );
        let _example = NodeServer::start(&example, &[("CLIENT_SECRET", SECRET)]);
        let environment = [
            ("APP", home.as_str()),
            ("ISSUER", &issuer(tenant)),
            ("OTHER_ISSUER", &issuer(other)),
            ("PASSWORD", "acme-sample-password"),
        ];
        let found = browser("sign-in-example.cjs", &environment).json();
        let page = |content: &str| format!("<!doctype html><title>Example</title>{content}");
        let expected = json!({
            "person": format!("{name}, ada@example.com"),
            "renewed": true,
            "refusals": {
                "none": "",
                "state": page("unexpected &#34;state&#34; response parameter value"),
                "iss": page("unexpected &#34;iss&#34; (issuer) response parameter value"),
                "code": page("The authorization code is not valid"),
                "unasked": page("this browser began no sign-in"),
            },
            "signedOut": 1,
            "samePerson": true,
        });
        assert_eq!(found, expected, "{tenant}");
    }
}
