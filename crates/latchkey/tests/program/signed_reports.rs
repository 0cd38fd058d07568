//! Tests a signed report of a leaked secret from GitHub. The program stores the reported place only if the
//! signature is valid.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::mock_server::{MockServer, Reply};
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{TWO_TENANTS, edited};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leak_location_is_stored_only_from_signed_reports() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let signing = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pair.serialize_der()).unwrap();
    let keys = json!({ "public_keys": [{ "key_identifier": "k1", "key": pair.public_key_pem(), "is_current": true }] });
    let github = MockServer::start(None, move |_| Reply::json(200, &keys)).await;
    let outbound = format!(
        "server:\n  outbound: {{ allowed_networks: [127.0.0.1], github_keys: 'http://{}/keys' }}\n",
        github.address
    );
    let folder = Folder::with(&edited(TWO_TENANTS, "server:\n", &outbound));
    let (folder, program) = Program::serving_in(folder);
    let cli = Cli::server(&folder, &program).await;
    for tenant in ["initech", "umbrella"] {
        cli.add_tenant(tenant);
        cli.run(&["tenant", "set", tenant, "leaks.action=revoke"]).output();
    }
    let report = async |secret: &str, url: &str, key: &str, change: &str| {
        let body =
            json!([{ "token": secret, "type": "latchkey", "url": url, "source": "commit" }]).to_string();
        let signature = signing.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
        let request = program
            .request(Method::POST, "/api/v1/secrets/leaked")
            .header("Github-Public-Key-Identifier", key)
            .header("Github-Public-Key-Signature", BASE64_STANDARD.encode(signature))
            .body(format!("{body}{change}"));
        let answer = Answer::to(request).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    };
    for (tenant, url, key, change) in [
        ("initech", "https://github.example/initech/1", "k1", ""),
        ("umbrella", "https://github.example/umbrella/2", "k1", " "),
        ("initech", "https://github.example/initech/3", "k2", ""),
    ] {
        let made = cli.json(&["secret", "add", tenant, "svc"]);
        let (secret, id) = (made["client_secret"].as_str().unwrap(), made["id"].as_str().unwrap());
        folder.canaries.add(secret);
        until_status(&program, (tenant, "svc", secret), 200).await;
        report(secret, url, key, change).await;
        until_status(&program, (tenant, "svc", secret), 401).await;
        let subject = format!("svc/{id}");
        let arguments =
            ["audit", "list", "--tenant", tenant, "--action", "secret.leaked", "--subject", &subject];
        let mut audit = Value::Null;
        for _ in 0..200 {
            audit = cli.json(&arguments);
            if audit["items"][0].is_object() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let detail = &audit["items"][0]["detail"];
        let is_proven = (key, change) == ("k1", "");
        let place = if is_proven { (json!(url), json!("commit")) } else { (Value::Null, Value::Null) };
        assert_eq!((detail["url"].clone(), detail["source"].clone()), place, "{audit}");
        assert_eq!((&detail["client"], &detail["secret"]), (&json!("svc"), &json!(id)), "{audit}");
    }
    program.stop();
}
