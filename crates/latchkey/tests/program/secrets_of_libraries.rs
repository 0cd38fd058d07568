//! Tests secrets and API keys with client libraries: each gets a token at its own tenant and none at the
//! other. [`crate::verifiers`] tests the `oauth2` crate.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::foreign::{go, node, python};
use crate::host::run;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{TENANTS, TWO_TENANTS};

/// Two tenants whose clients may have API keys.
pub(crate) fn with_api_keys() -> (Folder, Program) {
    let offered = "\n    api_keys: { max_lifetime: 365d }\n    clients:";
    Program::serving(&TWO_TENANTS.replace("\n    clients:", offered))
}

/// The id of a new API key of `svc`, and the key.
pub(crate) fn new_api_key(folder: &Folder, tenant: &str, more: &[&str]) -> (String, String) {
    let arguments = [&["api-key", "add", tenant, "svc", "--name", "n", "--json"], more].concat();
    let made = run(&mut folder.program(&arguments)).json();
    let [id, key] = ["id", "api_key"].map(|name| made[name].as_str().unwrap().to_owned());
    (id, key)
}

/// A secret and an API key of each tenant, together with the name of the other tenant.
fn serving() -> (Folder, Program, Vec<(&'static str, String, &'static str)>) {
    let (folder, program) = with_api_keys();
    let of_each = TENANTS.map(|(tenant, secret, other)| {
        [(tenant, secret.to_owned(), other), (tenant, new_api_key(&folder, tenant, &[]).1, other)]
    });
    (folder, program, of_each.into_iter().flatten().collect())
}

/// Checks that every method of the library gets a token at the tenant of its secret, and none at the other.
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
async fn authlib_sends_a_secret_in_header_and_body() {
    try_library(|environment| python(include_str!("scripts/secret.py"), environment).output()).await;
}

#[tokio::test]
async fn go_x_oauth2_sends_secrets_in_header_and_body() {
    try_library(|environment| go(include_str!("scripts/secret.go"), environment).output()).await;
}
