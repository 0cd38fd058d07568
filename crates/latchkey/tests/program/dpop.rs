//! Tests DPoP (RFC 9449) with libraries of clients. Each gets a bound token at its own tenant, uses it at the
//! protected resource, and repeats a request that needs a nonce.

use testkit::free_port;

use latchkey_client::{Secret, SendWith as _, TokenSource};
use reqwest::Method;
use secrets::GeneratedSecret;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::folder::Folder;
use crate::foreign::node;
use crate::program::Program;
use crate::prover::Prover;
use crate::running::tenant_path;

const PUBLIC_URL: &str = "http://localhost:3000";

/// Two tenants have a client `svc` that gets bound tokens only. The first one requires nonces and has the
/// protected resource.
fn folder(server: &str, secrets: &[String; 2]) -> Folder {
    let tenant = |nonce: bool, secret: &str| {
        format!(
            "{{ strategies: {{ oauth2: {{ enabled: true }} }}, access_token: {{ require_dpop_nonce: {nonce}, require_sender_constraint: true }}, \
             resource_servers: {{ api: {{ scopes: [api:read] }} }}, clients: {{ svc: {{ client_secret: {{ value: {secret} }}, \
             dpop_bound_access_tokens: true, audiences: [api], scopes: [api:read] }} }} }}"
        )
    };
    let [acme, globex] = secrets;
    Folder::with(&format!(
        "server: {{ {server} }}\nstorage: {{ url: sqlite://data/latchkey.db }}\nkeys: {{ sealing_key: {{ file: keys/sealing.key }} }}\n\
         protected_resource: {{ tenant: acme, audience: api, required_scope: api:read }}\ntenants:\n  acme: {}\n  globex: {}\n",
        tenant(true, acme),
        tenant(false, globex),
    ))
}

fn generated() -> [String; 2] {
    [(); 2].map(|()| GeneratedSecret::generate().secret.expose().to_owned())
}

#[tokio::test]
async fn openid_client_and_oauth4webapi_use_bound_tokens_and_repeat_with_a_nonce() {
    let port = free_port();
    let (url, secrets) = (format!("http://127.0.0.1:{port}"), generated());
    let server = format!("public_url: {url}, listeners: [{{ address: 127.0.0.1:{port} }}]");
    let folder = folder(&server, &secrets);
    let _program = Program::start(&folder);
    let resource = format!("{url}/api/v1/protected-resource");
    for (tenant, secret, status) in [("acme", &secrets[0], 200), ("globex", &secrets[1], 401)] {
        let issuer = format!("{url}{}", tenant_path(tenant, ""));
        let environment = [("ISSUER", issuer.as_str()), ("SECRET", secret), ("RESOURCE", &resource)];
        let found: Value =
            serde_json::from_str(&node(include_str!("scripts/dpop.cjs"), &environment).output()).unwrap();
        // oauth4webapi, as the resource server, accepts the token with its proof, and refuses the proof of
        // another key.
        let expected = json!([
            { "library": "openid-client", "type": "dpop", "bound": true, "resource": status },
            { "library": "oauth4webapi", "type": "dpop", "bound": true, "resource": status, "verified": true, "stolen": "refused" },
        ]);
        assert_eq!(found, expected, "{tenant}");
    }
}

#[tokio::test]
async fn a_token_source_proves_each_call_and_its_token_is_worth_nothing_without() {
    let port = free_port();
    let (url, secrets) = (format!("http://127.0.0.1:{port}"), generated());
    let folder =
        folder(&format!("public_url: {url}, listeners: [{{ address: 127.0.0.1:{port} }}]"), &secrets);
    let _program = Program::start(&folder);
    let resource = format!("{url}/api/v1/protected-resource");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (tenant, secret, status) in [("acme", &secrets[0], 200), ("globex", &secrets[1], 401)] {
        let builder = TokenSource::builder().issuer(format!("{url}{}", tenant_path(tenant, "")));
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

async fn request(program: &Program, tenant: &str, secret: &str, proof: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", "svc"), ("client_secret", secret)];
    let request = program.request(Method::POST, &tenant_path(tenant, "/oauth/token"));
    Answer::to(request.form(&form).header("dpop", proof)).await
}

#[tokio::test]
async fn a_proof_is_accepted_once_also_after_a_kill() {
    let secrets = generated();
    let folder = folder("listeners: [{ address: 127.0.0.1:0 }]", &secrets);
    let url = |tenant: &str| format!("{PUBLIC_URL}{}", tenant_path(tenant, "/oauth/token"));
    let prover = Prover::new();
    let used = prover.proof(&url("globex"), "used");
    let program = Program::start(&folder);
    assert_eq!(request(&program, "globex", &secrets[1], &used).await.status, 200);
    program.kill();
    let program = Program::start(&folder);
    let replayed = request(&program, "globex", &secrets[1], &used).await;
    assert_eq!((replayed.status, &replayed.json()["error"]), (400, &json!("invalid_dpop_proof")));
    assert_eq!(
        request(&program, "globex", &secrets[1], &prover.proof(&url("globex"), "new")).await.status,
        200
    );
    // The proof for one tenant is invalid at the other, which also requires a nonce.
    let at_other = request(&program, "acme", &secrets[0], &prover.proof(&url("globex"), "other")).await;
    assert_eq!(at_other.json()["error"], "invalid_dpop_proof");
    let without_nonce = request(&program, "acme", &secrets[0], &prover.proof(&url("acme"), "other")).await;
    assert_eq!(without_nonce.json()["error"], "use_dpop_nonce");
}
