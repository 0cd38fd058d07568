//! Commands on the store require only the settings that they use. They need no secret of a client, and a
//! command that only reads creates no store.

use std::fs;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::program::Program;
use crate::settings::{TWO_TENANTS, edited};

/// The client secrets are in a variable that is not set, as in the shell of an operator on the server's
/// machine.
fn without_secrets() -> Folder {
    let secret = format!("value: {}", crate::settings::ACME_SECRET);
    Folder::with(&edited(TWO_TENANTS, &secret, "env: UNSET_SECRET"))
}

#[test]
fn only_applying_settings_needs_client_secrets() {
    let folder = without_secrets();
    let cli = Cli::store(&folder);
    for arguments in [
        &["migrate"][..],
        &["rollback", "--list"],
        &["admin", "init", "--secret-file", "admin.secret"],
        &["tenant", "add", "initech", "--audience", "api", "--secret-file", "initech.secret"],
        &["tenant", "list"],
        &["client", "list", "initech"],
        &["key", "list", "initech"],
        &["key", "reseal", "--dry-run"],
        &["audit", "list"],
    ] {
        let ran = cli.run(arguments);
        assert!(ran.code == Some(0) && ran.err.is_empty(), "{arguments:?}: {ran:?}");
    }
    for arguments in [&["check"][..], &["plan"], &["drift"], &["apply"], &["serve"]] {
        cli.assert_ends(arguments, 1, "client_secret.env");
    }
}

#[test]
fn reading_creates_nothing() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    for arguments in [
        &["tenant", "list"][..],
        &["client", "show", "acme", "svc"],
        &["explain", "acme", "svc"],
        &["audit", "list"],
    ] {
        cli.assert_ends(arguments, 6, "latchkey migrate");
    }
    assert!(!folder.exists("data") && !folder.exists("keys"));

    folder.run(&["migrate"]).output();
    assert_eq!(cli.run(&["tenant", "list"]).output(), "No tenants.\n");
    assert!(!folder.exists("keys"), "a sealing key is for what is written");
}

/// An operator's shell may lack the variable that names the store of the service.
#[test]
fn creating_a_store_is_reported() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let add = |tenant| cli.run(&["tenant", "add", tenant, "--audience", "api", "--secret-file", tenant]);
    let (first, second) = (add("initech"), add("umbrella"));
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first:?} {second:?}");
    assert_has(&first.err, &["created the store ", "data/latchkey.db. Only a server"]);
    assert_eq!(second.err, "");
}

#[test]
fn failed_start_changes_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::with(TWO_TENANTS);
    let address = taken.local_addr().unwrap().to_string();
    let ran = folder.run(&["serve", "--listen", &address]);
    ran.assert_ends(1, &[&format!("cannot listen on {address}")]);
    assert!(ran.err.to_lowercase().contains("in use"), "{}", ran.err);
    assert!(!folder.exists("data") && !folder.exists("keys"));
}

#[tokio::test]
async fn options_override_variables() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    Cli::server(&folder, &program).await;
    let url = program.url("");
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = folder.program(arguments);
        let of_client = [
            ("LATCHKEY_SERVER", &*url),
            ("LATCHKEY_CLIENT_ID", "admin"),
            ("LATCHKEY_CLIENT_SECRET_FILE", "admin.secret"),
        ];
        crate::host::run(command.envs(of_client).envs(variables.iter().copied()))
    };
    let secret = folder.read("admin.secret").trim().to_owned();
    let token = program.token("platform", "admin", &secret).await;
    folder.write("token", &format!("{token}\n"));
    assert!(run(&["tenant", "list"], &[("LATCHKEY_TOKEN", &token)]).output().contains("globex"));
    let option = run(&["tenant", "list", "--token-file", "token"], &[("LATCHKEY_TOKEN", "none")]);
    assert!(option.output().contains("globex"));
    fs::remove_file(folder.config()).unwrap();
    assert!(run(&["tenant", "list"], &[]).output().contains("globex"), "the server has the settings");
    for (arguments, variables, code, words) in [
        (&["tenant", "list"][..], &[("LATCHKEY_TOKEN", "none")][..], 5, ""),
        (&["tenant", "list", "--as-client", "nobody"], &[], 5, ""),
        (&["tenant", "list", "--as-client-secret-file", "missing"], &[], 1, "missing"),
        (&["tenant", "list", "--server", "http://127.0.0.1:9"], &[], 6, ""),
        (&["tenant", "list"], &[("LATCHKEY_SERVER", "no url")], 1, "LATCHKEY_SERVER"),
        (&["tenant", "list"], &[("LATCHKEY_CLIENT_SECRET_FILE", "")], 1, "LATCHKEY_CLIENT_SECRET_FILE"),
    ] {
        let ran = run(arguments, variables);
        assert_eq!(ran.code, Some(code), "{arguments:?} {variables:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?} {variables:?}: {}", ran.err);
    }
}

// The backup was saved with a byte order mark, as editors on Windows do.
#[test]
fn byte_order_mark_before_a_backup_is_skipped() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    folder.run(&["backup", "store.backup"]).output();
    let marked = [b"\xef\xbb\xbf", &fs::read(folder.path("store.backup")).unwrap()[..]].concat();
    fs::write(folder.path("marked.backup"), marked).unwrap();
    folder.write("audit.json", "\u{feff}{\"items\":[]}");
    folder.run(&["restore", "marked.backup", "--verify"]).output();
    let to = "sqlite://data/second.db";
    folder.run(&["restore", "marked.backup", "--to", to, "--revocations", "audit.json"]).output();
}
