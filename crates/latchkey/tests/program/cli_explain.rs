//! Tests `latchkey explain` on the store and through a server. Another tenant always has a client with the
//! same name.

use std::fs::File;

use serde_json::json;

use crate::cli::Cli;
use crate::host::assert_has;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::TWO_TENANTS;

/// Lines for people must fit into a terminal of 80 columns.
#[track_caller]
fn assert_narrow(text: &str) {
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80 && line.contains(' ')).collect();
    let wide: Vec<_> = wide.into_iter().filter(|line| !line.trim().starts_with("http")).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[tokio::test]
async fn refused_request_is_explained_on_store_and_server() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    let (initech, umbrella) = (store.add_tenant("initech"), store.add_tenant("umbrella"));
    until_status(&program, ("initech", "svc", &initech), 200).await;
    until_status(&program, ("umbrella", "svc", &umbrella), 200).await;
    folder.write_secret("initech.secret", &format!("{initech}\n"));
    folder.write_secret("umbrella.secret", &umbrella);
    folder.write("empty.secret", "\n");
    let sealed = folder.read("keys/sealing.key");

    for cli in [&store, &server] {
        for (tenant, other) in [("initech", "umbrella"), ("umbrella", "initech")] {
            let (own, others) = (format!("{tenant}.secret"), format!("{other}.secret"));
            let explain = ["explain", tenant, "svc", "--scope", "api:read,api:write", "--secret-file"];
            let explained = cli.json(&[&explain[..], &[&own]].concat());
            assert_eq!(explained["result"], json!({ "status": 200 }), "{explained}");
            assert_eq!(explained["credential"]["matched"], "s1");
            let token = &explained["token"];
            assert_eq!((&token["claims"]["aud"], &token["kid"]), (&json!(["api"]), &json!("oauth2-key-1")));
            assert!(token["claims"]["iss"].as_str().unwrap().ends_with(tenant), "{explained}");
            // The command gets the secret of the other tenant's client, and a misspelled scope. The answer
            // reports both errors.
            let ran = cli.run(&["explain", tenant, "svc", "--scope", "api:raed", "--secret-file", &others]);
            assert_eq!((ran.code, ran.err.as_str()), (Some(7), ""), "{ran:?}");
            let lines = ran.out;
            assert!(lines.starts_with("401 invalid_client (wrong_secret): the request of "), "{lines}");
            let parts = [
                "refused      secret: The client does not have this secret.",
                &format!("`latchkey secret rotate {tenant} svc`"),
                "refused      scope: The client is not registered for a requested scope. It is\n",
                "/docs/errors#invalid_client",
                "  refused     api:raed (scope_not_registered)",
            ];
            assert_has(&lines, &parts);
            assert_narrow(&lines);
            // Through a pipe, as from a secret store, with the byte order mark of Windows shells.
            let mut piped = cli.command(&["explain", tenant, "svc", "--secret-file", "-", "--json"]);
            folder.write("piped", &format!("\u{feff}{}", folder.read(&own)));
            let ran = piped.stdin(File::open(folder.path("piped")).unwrap()).output().unwrap();
            let out = String::from_utf8(ran.stdout).unwrap();
            assert!(out.contains(r#""matched": "s1""#), "{out}");
        }
        cli.assert_ends(&["explain", "initech", "nobody"], 3, "no client has this id");
        cli.assert_ends(&["explain", "nowhere", "svc"], 3, "no tenant has this id");
        let method = ["explain", "initech", "svc", "--auth-method", "bearer"];
        cli.assert_ends(&method, 1, "--auth-method bearer");
        // The output must describe an invalid secret without containing it: the test searches for the
        // folder's canaries.
        let no_secret =
            ["explain", "initech", "svc", "--auth-method", "none", "--secret-file", "initech.secret"];
        cli.assert_ends(&no_secret, 1, "client_secret: is not used with the method none");
        for (file, message) in [
            ("empty.secret", "--secret-file empty.secret is empty"),
            ("none", "cannot read --secret-file none"),
        ] {
            cli.assert_ends(&["explain", "initech", "svc", "--secret-file", file], 1, message);
        }
    }
    assert_eq!(folder.read("keys/sealing.key"), sealed);
    let audit = store.json(&["audit", "list", "--tenant", "initech"]);
    let actions = audit["items"].as_array().unwrap().iter().map(|record| record["action"].clone());
    assert!(!actions.into_iter().any(|action| action.as_str().unwrap().contains("explain")), "{audit}");
    // No command counted as an attempt at the server. The only recorded use of a secret is the one for the
    // token.
    program.stop();
}

#[tokio::test]
async fn tenant_administrator_explains_only_its_own_clients() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let store = Cli::store(&folder);
    for tenant in ["initech", "umbrella"] {
        let secret = store.add_tenant(tenant);
        until_status(&program, (tenant, "svc", &secret), 200).await;
        let file = format!("{tenant}.boss");
        let add = ["client", "add", tenant, "boss", "--scope", "latchkey:clients", "--secret-file", &file];
        store.run(&add).output();
        let secret = folder.read(&file).trim().to_owned();
        folder.canaries.add(&secret);
        until_status(&program, (tenant, "boss", &secret), 200).await;
    }
    for (tenant, other) in [("initech", "umbrella"), ("umbrella", "initech")] {
        let boss = Cli::as_client(&folder, &program, tenant, "boss", &format!("{tenant}.boss"));
        assert_eq!(boss.json(&["explain", tenant, "svc"])["result"]["status"], 200);
        boss.assert_ends(&["explain", other, "svc"], 5, "");
    }
    program.stop();
}
