//! Tests secrets and API keys with programs of clients: each gets a token at its own tenant and none at the
//! other. [`crate::verifiers`] has the `oauth2` crate.

use std::process::Command;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::foreign::{go, node, python};
use crate::host::run;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

const TENANTS: [(&str, &str, &str); 2] = [("acme", ACME_SECRET, "globex"), ("globex", GLOBEX_SECRET, "acme")];

/// Two tenants whose clients may have API keys.
pub(crate) fn with_api_keys() -> (Folder, Program) {
    let offered = "\n    api_keys: { max_lifetime: 365d }\n    clients:";
    Program::serving(&TWO_TENANTS.replace("\n    clients:", offered))
}

/// The id of a new API key of `svc`, and the key.
pub(crate) fn new_api_key(folder: &Folder, tenant: &str, more: &[&str]) -> (String, String) {
    let arguments = [&["api-key", "add", tenant, "svc", "--name", "n", "--json"], more].concat();
    let made = run(&mut folder.program(&arguments)).output();
    let made: Value = serde_json::from_str(&made).unwrap_or_else(|error| panic!("{error}: {made}"));
    let [id, key] = ["id", "api_key"].map(|name| made[name].as_str().unwrap().to_owned());
    (id, key)
}

/// Both tenants, and a secret and an API key of each, with the tenant that they are not of.
fn serving() -> (Folder, Program, Vec<(&'static str, String, &'static str)>) {
    let (folder, program) = with_api_keys();
    let of_each = TENANTS.map(|(tenant, secret, other)| {
        [(tenant, secret.to_owned(), other), (tenant, new_api_key(&folder, tenant, &[]).1, other)]
    });
    (folder, program, of_each.into_iter().flatten().collect())
}

/// Each way of the library gets a token at the tenant of its secret, and none at the other.
async fn try_library(run: impl Fn(&[(&str, &str)]) -> String) {
    let (_folder, program, credentials) = serving();
    for (tenant, secret, other) in &credentials {
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
async fn x_oauth2_of_go_sends_a_secret_in_both_ways() {
    try_library(|environment| go(include_str!("scripts/secret.go"), environment).output()).await;
}

#[tokio::test]
async fn curl_sends_a_secret_in_both_ways_and_a_key_alone() {
    let (_folder, program, credentials) = serving();
    for (tenant, secret, other) in &credentials {
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
            let alone = if secret.contains("lkk_") { expected } else { "401" };
            assert_eq!(status(at, ["--user", &format!(":{secret}")], &[]), alone, "{tenant} at {at}");
        }
    }
    program.stop();
}
