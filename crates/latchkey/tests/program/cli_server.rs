//! Commands with `--server`: a whole life of a tenant, exit codes, and the limits of the token's permissions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::TWO_TENANTS;

#[tokio::test]
async fn a_command_that_fails_ends_with_its_exit_code() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let server = Cli::server(&folder, &program).await;
    server.add_tenant("initech");
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
        let ran = server.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
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

/// A server that is busy twice, and then grants a token and lists no tenant. It answers each request on a connection of its own.
fn busy_server() -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = [
        ("503 Service Unavailable\r\nretry-after: 1", ""),
        ("429 Too Many Requests\r\nretry-after: 1", ""),
        ("200 OK", r#"{"access_token":"granted","token_type":"Bearer","expires_in":60}"#),
        ("200 OK", r#"{"items":[],"next_cursor":null}"#),
    ];
    let heads = std::thread::spawn(move || {
        answers
            .map(|(status, body)| {
                let (mut connection, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
                let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                let length = body.len();
                write!(
                    connection,
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                )
                .unwrap();
                head.join("\n").to_lowercase()
            })
            .into()
    });
    (url, heads)
}

#[test]
fn a_token_request_is_repeated_while_the_server_is_busy() {
    let folder = Folder::with(TWO_TENANTS);
    folder.write_secret("admin.secret", "secret-canary-7c1f");
    folder.canaries.add("secret-canary-7c1f");
    let (url, heads) = busy_server();
    let list = ["tenant", "list", "--server", &url, "--as-client", "admin", "--as-client-secret-file"];
    let ran = folder.run(&[&list[..], &["admin.secret"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let heads = heads.join().unwrap();
    for head in &heads[..3] {
        let asked = head.starts_with("post /api/v1/tenant/platform/oauth/token ");
        // The secret is in the header, where no form repeats it.
        assert!(asked && head.contains("authorization: basic "), "{head}");
    }
    assert!(heads[3].contains("authorization: bearer granted"), "{}", heads[3]);
}
