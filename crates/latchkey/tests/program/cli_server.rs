//! The same commands through `--server`: the same documents and exit codes, limited by the token's permissions.

use serde_json::Value;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::TWO_TENANTS;

#[tokio::test]
async fn both_backends_show_the_same_documents() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    // Each backend creates one tenant, and both list both.
    store.add_tenant("initech");
    let secret = server.add_tenant("umbrella");
    until_status(&program, ("umbrella", "svc", &secret), 200).await;
    for (tenant, other) in [("initech", "umbrella"), ("umbrella", "initech")] {
        for arguments in [
            &["tenant", "list", "--limit", "3"][..],
            &["tenant", "list", "--search", tenant],
            &["tenant", "show", tenant],
            &["client", "list", tenant],
            &["client", "show", tenant, "svc"],
            &["audit", "list", "--tenant", tenant],
            &["audit", "list", "--limit", "2"],
        ] {
            assert_eq!(store.json(arguments), server.json(arguments), "{arguments:?}");
        }
        let set = |cli: &Cli<'_>, name: &str| {
            let mut view = cli.json(&["tenant", "set", tenant, &format!("name={name}")]);
            view["updated_at"].take();
            view
        };
        assert_eq!(set(&store, "Same"), set(&server, "Same"));
        assert_ne!(store.json(&["tenant", "show", other])["name"], "Changed");
    }
    // Both backends create equal documents, except for generated values.
    let made = |cli: &Cli<'_>, client: &str| -> Value {
        let mut made = cli.json(&["client", "add", "initech", client, "--scope", "api:read"]);
        let secret = made["secret"].take();
        folder.canaries.add(secret["client_secret"].as_str().unwrap());
        for member in ["client_id", "name", "created_at", "updated_at"] {
            made[member].take();
        }
        made
    };
    assert_eq!(made(&store, "one"), made(&server, "two"));
}

#[tokio::test]
async fn both_backends_fail_alike() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    store.add_tenant("initech");
    for (arguments, code) in [
        (&["tenant", "show", "nobody"][..], 3),
        (&["client", "show", "initech", "nobody"], 3),
        (&["secret", "revoke", "initech", "svc", "s9", "--yes"], 3),
        (&["tenant", "add", "initech"], 4),
        (&["tenant", "set", "acme", "name=x"], 4),
        (&["client", "delete", "acme", "svc", "--yes"], 4),
        (&["tenant", "set", "initech", "nmae=x"], 1),
        (&["client", "add", "initech", "x", "--scope", "not a scope"], 1),
    ] {
        let (one, other) = (store.run(arguments), server.run(arguments));
        assert_eq!((one.code, other.code), (Some(code), Some(code)), "{arguments:?}: {one:?} {other:?}");
        assert_eq!(one.err, other.err, "{arguments:?}");
    }
}

#[tokio::test]
async fn the_whole_life_of_a_tenant_goes_through_the_server() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let server = Cli::server(&folder, &program).await;
    let secret = server.add_tenant("initech");
    until_status(&program, ("initech", "svc", &secret), 200).await;
    for (arguments, status) in [
        (&["tenant", "suspend", "initech"][..], 404),
        (&["tenant", "resume", "initech"], 200),
        (&["client", "suspend", "initech", "svc"], 401),
        (&["client", "resume", "initech", "svc"], 200),
        (&["secret", "expire", "initech", "svc", "s1", "7d"], 200),
        (&["secret", "revoke", "initech", "svc", "s1", "--yes"], 401),
        (&["tenant", "delete", "initech", "--yes"], 404),
        (&["tenant", "restore", "initech"], 401),
        (&["client", "delete", "initech", "svc", "--yes"], 401),
        (&["tenant", "delete", "initech", "--yes"], 404),
        (&["tenant", "delete", "initech", "--final", "--yes"], 404),
    ] {
        server.run(arguments).output();
        until_status(&program, ("initech", "svc", &secret), status).await;
    }
    let audit = server.json(&["audit", "list", "--tenant", "initech", "--all"]);
    let actors: Vec<&Value> = audit["items"].as_array().unwrap().iter().map(|item| &item["actor"]).collect();
    assert!(!actors.is_empty() && actors.iter().all(|actor| *actor == "client:platform/admin"), "{actors:?}");
}

#[tokio::test]
async fn a_tenants_administrator_reaches_his_own_tenant_only() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let store = Cli::store(&folder);
    store.add_tenant("initech");
    store.add_tenant("umbrella");
    let add = [
        "client",
        "add",
        "initech",
        "boss",
        "--scope",
        "latchkey:clients",
        "--scope",
        "latchkey:audit",
        "--scope",
        "api:read",
        "--audience",
        "urn:latchkey:tenant:initech",
        "--secret-file",
        "boss.secret",
    ];
    store.run(&add).output();
    let secret = folder.read("boss.secret").trim().to_owned();
    folder.canaries.add(&secret);
    until_status(&program, ("initech", "boss", &secret), 200).await;
    let boss = Cli::as_client(&folder, &program, "initech", "boss", "boss.secret");
    assert_eq!(boss.json(&["client", "list", "initech"])["items"].as_array().unwrap().len(), 2);
    let made = boss.json(&["client", "add", "initech", "new", "--scope", "api:read"]);
    folder.canaries.add(made["secret"]["client_secret"].as_str().unwrap());
    for arguments in [
        &["client", "list", "umbrella"][..],
        &["client", "add", "umbrella", "new"],
        &["audit", "list", "--tenant", "umbrella"],
        &["audit", "list"],
        &["tenant", "list"],
        &["tenant", "show", "initech"],
        &["tenant", "suspend", "initech"],
        &["client", "add", "initech", "wider", "--scope", "latchkey:keys"],
        &["key", "import", "initech", "boss.secret"],
        &["client", "list", "platform"],
    ] {
        let ran = boss.run(arguments);
        assert!(matches!(ran.code, Some(3 | 5)), "{arguments:?}: {ran:?}");
    }
    let wrong = Cli::as_client(&folder, &program, "umbrella", "boss", "boss.secret");
    wrong.assert_ends(&["client", "list", "umbrella"], 5, "");
}

#[tokio::test]
async fn a_token_comes_from_a_variable_or_a_file_and_is_not_shown() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    Cli::server(&folder, &program).await;
    let secret = folder.read("admin.secret").trim().to_owned();
    let token = program.token("platform", "admin", &secret).await;
    let url = program.url("");
    let list = ["tenant", "list", "--server", &url];
    let ran = crate::host::run(folder.program(&list).env("LATCHKEY_TOKEN", &token));
    assert!(ran.output().contains("acme"));
    folder.write("token", &format!("{token}\n"));
    let from_file = folder.run(&[&list[..], &["--token-file", "token"]].concat());
    assert!(from_file.output().contains("globex"));
    folder.write("token", "nonsense");
    let refused = folder.run(&[&list[..], &["--token-file", "token"]].concat());
    assert_eq!(refused.code, Some(5), "{refused:?}");
}
