//! Tests DPoP (RFC 9449) with client libraries. Each gets a bound token at its own tenant, uses the token at
//! the protected resource, and repeats a request that needs a nonce.

use latchkey_client::{Secret, SendWith as _, TokenSource};
use serde_json::json;

use crate::folder::Folder;
use crate::foreign::node;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{generated, own_address};

/// Two tenants have a client `svc` that only gets bound tokens. The first tenant requires nonces and has the
/// protected resource.
fn start() -> (Folder, Program, [String; 2]) {
    let secrets = [generated(), generated()];
    let tenant = |nonce: bool, secret: &str| {
        format!(
            "{{ strategies: {{ oauth2: {{ enabled: true }} }}, access_token: {{ require_dpop_nonce: {nonce}, require_sender_constraint: true }}, \
             resource_servers: {{ api: {{ scopes: [api:read] }} }}, clients: {{ svc: {{ client_secret: {{ value: {secret} }}, \
             dpop_bound_access_tokens: true, audiences: [api], scopes: [api:read] }} }} }}"
        )
    };
    let [acme, globex] = [tenant(true, &secrets[0]), tenant(false, &secrets[1])];
    let (folder, program) = Program::serving(&format!(
        "{}protected_resource: {{ tenant: acme, audience: api, required_scope: api:read }}\n\
         tenants:\n  acme: {acme}\n  globex: {globex}\n",
        own_address().1
    ));
    (folder, program, secrets)
}

#[tokio::test]
async fn openid_client_and_oauth4webapi_use_bound_tokens() {
    let (_folder, program, secrets) = start();
    let resource = program.url("/api/v1/protected-resource");
    for (tenant, secret, status) in [("acme", &secrets[0], 200), ("globex", &secrets[1], 401)] {
        let issuer = program.url(&tenant_path(tenant, ""));
        let environment = [("ISSUER", issuer.as_str()), ("SECRET", secret), ("RESOURCE", &resource)];
        let found = node(include_str!("scripts/dpop.cjs"), &environment).json();
        // oauth4webapi as the resource server accepts the token with its proof, and refuses the proof of
        // another key.
        let expected = json!([
            { "library": "openid-client", "type": "dpop", "bound": true, "resource": status },
            { "library": "oauth4webapi", "type": "dpop", "bound": true, "resource": status, "verified": true, "stolen": "refused" },
        ]);
        assert_eq!(found, expected, "{tenant}");
    }
}

#[tokio::test]
async fn token_source_proves_each_call() {
    let (_folder, program, secrets) = start();
    let resource = program.url("/api/v1/protected-resource");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (tenant, secret, status) in [("acme", &secrets[0], 200), ("globex", &secrets[1], 401)] {
        let builder = TokenSource::builder().issuer(program.url(&tenant_path(tenant, "")));
        let tokens = builder.client_id("svc").credential(Secret::value(secret)).dpop().build().unwrap();
        for _ in 0..2 {
            let answer = http.get(&resource).send_with(&tokens).await.unwrap();
            assert_eq!(answer.status(), status, "{tenant}");
        }
        let stolen = tokens.token().await.unwrap();
        for scheme in ["Bearer", "DPoP"] {
            let answer = http.get(&resource).header("authorization", format!("{scheme} {}", stolen.expose()));
            assert_eq!(answer.send().await.unwrap().status(), 401, "{tenant} {scheme}");
        }
    }
}
