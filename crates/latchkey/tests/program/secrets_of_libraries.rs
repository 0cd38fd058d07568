//! Secrets with the programs that clients have: each gets a token at its own tenant and none at the other. [`crate::verifiers`] has the
//! `oauth2` crate.

use std::process::Command;

use serde_json::{Value, json};

use crate::foreign::{node, python};
use crate::host::run;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

const TENANTS: [(&str, &str, &str); 2] = [("acme", ACME_SECRET, "globex"), ("globex", GLOBEX_SECRET, "acme")];

/// A token for each of the library's ways at the tenant of its secret, and none at the other.
async fn try_library(run: impl Fn(&[(&str, &str)]) -> String) {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    for (tenant, secret, other) in TENANTS {
        let results = |at: &str| {
            let environment = [
                ("ISSUER", format!("http://localhost:3000/api/v1/tenant/{at}")),
                ("TOKEN_ENDPOINT", program.url(&tenant_path(at, "/oauth/token"))),
                ("SECRET", secret.to_owned()),
            ];
            let output = run(&environment.each_ref().map(|(name, value)| (*name, value.as_str())));
            serde_json::from_str::<[Value; 2]>(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
        };
        for token in results(tenant) {
            let claims = jwt::claims(token.as_str().unwrap_or_else(|| panic!("{token}")));
            assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("svc"), &json!("api:read")));
            assert!(claims["iss"].as_str().unwrap().ends_with(tenant), "{claims}");
        }
        assert_eq!(results(other), [json!({ "refused": 401 }), json!({ "refused": 401 })]);
    }
    program.stop();
}

#[tokio::test]
async fn openid_client_and_oauth4webapi_authenticate_with_basic() {
    try_library(|environment| node(include_str!("scripts/secret.cjs"), environment).output()).await;
}

#[tokio::test]
async fn authlib_sends_a_secret_in_both_ways() {
    try_library(|environment| python(include_str!("scripts/secret.py"), environment).output()).await;
}

#[tokio::test]
async fn curl_sends_a_secret_in_both_ways() {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    for (tenant, secret, other) in TENANTS {
        let status = |at: &str, credential: [&str; 2], more: &[&str]| {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null"])
                .args(["--write-out", "%{http_code}", "-d", "grant_type=client_credentials"])
                .args(credential)
                .args(more)
                .arg(program.url(&tenant_path(at, "/oauth/token")));
            run(&mut curl).output()
        };
        let (basic, post) = (format!("svc:{secret}"), format!("client_secret={secret}"));
        for (at, expected) in [(tenant, "200"), (other, "401")] {
            assert_eq!(status(at, ["--user", &basic], &[]), expected, "{tenant} at {at}");
            let in_form = status(at, ["--data-urlencode", &post], &["-d", "client_id=svc"]);
            assert_eq!(in_form, expected, "{tenant} at {at}");
        }
    }
    program.stop();
}
