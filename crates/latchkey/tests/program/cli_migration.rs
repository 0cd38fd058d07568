//! Tests `latchkey client migrate`: a client changes from a secret to a key while it continuously requests
//! tokens.

use std::time::Duration;

use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::assertions::{Pair, request, until_key};
use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::TWO_TENANTS;

/// Waits until the next step is `step`, and returns the answer.
async fn until_step(cli: &Cli<'_>, tenant: &str, step: &str) -> Value {
    for _ in 0..60 {
        let found = cli.json(&["client", "migrate", tenant, "signer"]);
        if found["step"] == step {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{step}, not {}", cli.json(&["client", "migrate", tenant, "signer"]));
}

#[tokio::test]
async fn client_migrates_from_secret_to_key_without_outage() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.add_tenant("umbrella");
    let secrets = ["initech", "umbrella"].map(|tenant| {
        let made = cli.json(&["client", "add", tenant, "signer", "--scope", "api:read", "--audience", "api"]);
        let secret = made["secret"]["client_secret"].as_str().unwrap().to_owned();
        folder.canaries.add(&secret);
        secret
    });
    until_status(&program, ("initech", "signer", &secrets[0]), 200).await;
    until_step(&cli, "initech", "register_key").await;

    // The client has a key in addition to the secret.
    let pair = Pair::generate(SigningAlgorithm::ES256);
    let patch = json!({ "jwks": { "keys": [pair.key.jwk] } }).to_string();
    cli.json(&["client", "set", "initech", "signer", "--patch", &patch]);
    let found = until_step(&cli, "initech", "change_services").await;
    assert_eq!(found["still_used_from"][0]["address"], "127.0.0.1", "{found}");
    assert_eq!(found["keys"][0]["thumbprint"], pair.key.thumbprint.as_str());
    let shown = cli.run(&["client", "migrate", "initech", "signer"]).output();
    assert!(shown.contains("127.0.0.1") && shown.contains(&pair.key.thumbprint), "{shown}");
    until_key(&program, "initech", &pair).await;
    assert_eq!(program.request_token("initech", "signer", &secrets[0]).await.status, 200);

    // The client only has the key.
    cli.json(&["client", "set", "initech", "signer", "token_endpoint_auth_method=private_key_jwt"]);
    until_status(&program, ("initech", "signer", &secrets[0]), 401).await;
    assert_eq!(request(&program, "initech", &pair.assertion("initech", "alone")).await.status, 200);
    until_step(&cli, "initech", "revoke_secrets").await;
    cli.run(&["secret", "revoke", "initech", "signer", "s1", "--yes"]).output();
    until_step(&cli, "initech", "done").await;

    // The client with the same name in the other tenant is unchanged.
    assert_eq!(program.request_token("umbrella", "signer", &secrets[1]).await.status, 200);
    assert_eq!(request(&program, "umbrella", &pair.assertion("umbrella", "1")).await.status, 401);
    until_step(&cli, "umbrella", "register_key").await;
}

#[test]
fn private_key_of_a_new_client_is_not_sent() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    let pair = Pair::generate(SigningAlgorithm::ES256);
    let add = |id: &'static str, file: &str| {
        let path = folder.path(file).to_str().unwrap().to_owned();
        ["client", "add", "initech", id, "--auth-method", "private_key_jwt", "--jwks", path.as_str()]
            .map(str::to_owned)
    };
    folder.write("good.json", &json!({ "keys": [pair.key.jwk] }).to_string());
    let good = add("signer", "good.json");
    let made = cli.json(&good.each_ref().map(String::as_str));
    assert_eq!((&made["jwks"]["keys"][0]["kid"], &made["secret"]), (&json!("oauth2-key-1"), &Value::Null));
    let mut private = json!(pair.key.jwk);
    private["d"] = json!("AAAA");
    for (file, text, words) in [
        ("private.json", json!({ "keys": [private] }).to_string(), "contains a private key"),
        ("jwk.json", json!(pair.key.jwk).to_string(), "has no list of keys"),
        ("text.json", "-----BEGIN PUBLIC KEY-----".to_owned(), "is not JSON"),
    ] {
        folder.write(file, &text);
        let arguments = add("other", file);
        cli.assert_ends(&arguments.each_ref().map(String::as_str), 1, words);
    }
    let absent = add("other", "absent.json");
    cli.assert_ends(&absent.each_ref().map(String::as_str), 1, "cannot read the file");
    let add =
        |id: &'static str, more: &[&'static str]| [&["client", "add", "initech", id][..], more].concat();
    let at = |url: &'static str| ["--auth-method", "private_key_jwt", "--jwks-uri", url];
    let made = cli.json(&add("published", &at("https://keys.example.com/jwks")));
    assert_eq!(made["jwks_uri"], "https://keys.example.com/jwks");
    cli.assert_ends(&add("other", &at("http://keys.example.com/jwks")), 1, "jwks_uri");
    let to = ["--redirect-uri", "com.example.app:/callback", "--first-party"];
    let public = ["--auth-method", "none", "--grant-type", "authorization_code", to[0], to[1], to[2]];
    assert_eq!(cli.json(&add("app", &public))["token_endpoint_auth_method"], "none");
    cli.assert_ends(&add("other", &public[..2]), 1, "client_credentials");
}
