//! Tests listing, rotating, importing and revoking signing keys on the command line, on the store and through
//! a server.

use std::fs::File;
use std::time::Duration;

use serde_json::Value;

use crate::cli::Cli;
use crate::program::Program;
use crate::reload::eventually;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, with_line};

/// EC keys take little time to generate.
fn settings() -> String {
    with_line(TWO_TENANTS, "acme", "signing: { algorithm: ES256 }")
}

fn states(cli: &Cli<'_>, tenant: &str) -> Vec<String> {
    let keys = cli.json(&["key", "list", tenant]);
    let keys = keys["items"].as_array().unwrap();
    keys.iter()
        .map(|key| format!("{} {}", key["kid"].as_str().unwrap(), key["state"].as_str().unwrap()))
        .collect()
}

async fn until_published(program: &Program, tenant: &str, kids: &[&str]) {
    eventually(&format!("{tenant} publishes {kids:?}"), async || {
        let keys = program.jwks(tenant).await.json();
        let published: Vec<&str> =
            keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        published == kids
    })
    .await;
}

#[tokio::test]
async fn keys_are_listed_shown_and_exported() {
    let (folder, program) = Program::serving(&settings());
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    assert_eq!(store.json(&["key", "list", "acme"])["items"], Value::Array(Vec::new()));
    assert!(store.run(&["key", "list", "acme"]).output().contains("No keys"));
    program.token("acme", "svc", ACME_SECRET).await;
    program.token("globex", "svc", GLOBEX_SECRET).await;
    assert_eq!(states(&server, "acme"), ["oauth2-key-1 active"]);
    server.run(&["key", "rotate", "acme"]).output();
    for (arguments, words) in [
        (&["key", "list", "acme"][..], " announced "),
        (&["key", "show", "acme", "oauth2-key-2"], "-----BEGIN PUBLIC KEY-----\n"),
        (&["key", "status", "acme"], "oauth2-key-2 is announced and will sign from "),
        (&["key", "export", "acme", "oauth2-key-2", "--format", "pem"], "-----BEGIN PUBLIC KEY-----\n"),
    ] {
        let out = server.run(arguments).output();
        assert!(out.contains(words) && !out.contains("PRIVATE"), "{arguments:?}: {out}");
    }
    // `export` prints the published key set.
    let exported = server.json(&["key", "export", "acme"]);
    let published = program.jwks("acme").await.json();
    assert_eq!(exported["x"], published["keys"][0]["x"]);
    assert_eq!(states(&server, "globex"), ["oauth2-key-1 active"], "only acme's keys are rotated");
}

#[tokio::test]
async fn command_that_invalidates_tokens_requires_yes() {
    let (folder, program) = Program::serving(&settings());
    let clis = [Cli::store(&folder), Cli::server(&folder, &program).await];
    let token = program.token("acme", "svc", ACME_SECRET).await;
    let other = program.token("globex", "svc", GLOBEX_SECRET).await;
    for cli in &clis {
        for arguments in
            [&["key", "rotate", "acme", "--emergency"][..], &["key", "revoke", "acme", "oauth2-key-1"]]
        {
            cli.run(arguments)
                .assert_ends(1, &["Tokens signed by oauth2-key-1 will be refused", "Pass --yes"]);
        }
    }
    assert_eq!(program.present(&token).await.status, 200, "nothing was done");
    let ran = clis[1].run(&["key", "rotate", "acme", "--emergency", "--yes"]);
    assert!(ran.err.contains("Tokens signed by oauth2-key-1 will be refused"), "{}", ran.err);
    assert!(ran.output().contains("oauth2-key-2"));
    until_published(&program, "acme", &["oauth2-key-2"]).await;
    assert_eq!(program.present(&token).await.status, 401);
    let token = program.token("acme", "svc", ACME_SECRET).await;
    assert_eq!(program.present(&token).await.status, 200);
    // The command on the store revokes one key.
    clis[0].run(&["key", "revoke", "acme", "oauth2-key-2", "--yes"]).output();
    until_published(&program, "acme", &["oauth2-key-3"]).await;
    assert_eq!(program.present(&token).await.status, 401);
    let form = [("client_id", "auditor"), ("client_secret", "globex-auditor-canary-77e0"), ("token", &other)];
    let answer = program.post("/api/v1/tenant/globex/oauth/introspect", &form).await;
    assert_eq!(answer.json()["active"], true, "the other tenant's token goes on");
}

#[tokio::test]
async fn own_key_is_imported_from_file_or_pipe() {
    let (folder, program) = Program::serving(&settings());
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    program.token("acme", "svc", ACME_SECRET).await;
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    folder.canaries.add(pem.lines().nth(1).unwrap());
    folder.write("own.pem", &pem);
    server.run(&["key", "import", "acme", "own.pem", "--algorithm", "ES256"]).output();
    assert_eq!(states(&store, "acme"), ["oauth2-key-1 active", "oauth2-key-2 announced"]);
    let calendar = server.run(&["key", "calendar", "acme"]).output();
    assert!(calendar.contains("SUMMARY:acme: oauth2-key-2 starts to sign\r\n"), "{calendar}");
    assert!(!server.run(&["key", "calendar", "globex"]).output().contains("oauth2-key-2"));
    until_published(&program, "acme", &["oauth2-key-1", "oauth2-key-2"]).await;
    // Through a pipe, as from a secret store.
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    folder.canaries.add(pem.lines().nth(1).unwrap());
    folder.write("piped.pem", &pem);
    let piped = |file: &str| {
        let mut command = server.command(&["key", "import", "acme", "-", "--algorithm", "ES256"]);
        command.stdin(File::open(folder.path(file)).unwrap()).output().unwrap()
    };
    // Two keys cannot begin in the same second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(piped("piped.pem").status.success());
    let states_then = ["oauth2-key-1 active", "oauth2-key-2 announced", "oauth2-key-3 announced"];
    assert_eq!(states(&store, "acme"), states_then);
    folder.write("large.pem", &"A".repeat(70_000));
    let refused = piped("large.pem");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("- is too large for a key"));
    for (file, code) in [("own.pem", 4), ("nowhere.pem", 1), ("config.yaml", 1)] {
        let ran = server.run(&["key", "import", "acme", file, "--algorithm", "ES256"]);
        assert_eq!(ran.code, Some(code), "{file}: {ran:?}");
    }
}
