//! Tests `latchkey tenant …` on the store: output, effect, and exit codes of failures.

use std::fs;
use std::time::{Duration, Instant};

use crate::cli::Cli;
use crate::folder::Folder;
use crate::foreign::bash;
use crate::host::run;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

#[test]
fn new_tenant_is_printed_with_its_secret_and_endpoints() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let add = ["tenant", "add", "initech", "--client", "svc", "--audience", "api", "--scope", "api:read"];
    let out = cli.run(&add).output();
    let secret = out.split_whitespace().find(|word| word.starts_with("lk_")).expect("a secret").to_owned();
    assert_eq!(out.matches(&secret).count(), 1, "it is shown once: {out}");
    insta::assert_snapshot!(out.replace(&secret, "lk_SECRET"));
    // The store does not contain the secret or any part of it in plain text.
    for file in fs::read_dir(folder.path("data")).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the secret lies in {}", file.display());
    }
}

/// Suspend, resume, delete and restore do not affect the other tenant. A running server notices each within a
/// second.
#[tokio::test]
async fn running_server_applies_each_step_to_one_tenant() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let secret = cli.add_tenant("initech");
    let seen = async |status| {
        let since = Instant::now();
        until_status(&program, ("initech", "svc", &secret), status).await;
        assert!(since.elapsed() < Duration::from_secs(2), "seen after {:?}", since.elapsed());
        assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
        assert_eq!(program.request_token("globex", "svc", GLOBEX_SECRET).await.status, 200);
    };
    seen(200).await;
    for (arguments, says, status) in [
        (&["tenant", "suspend", "initech"][..], "Tenant initech is suspended.", 404),
        (&["tenant", "resume", "initech"], "Tenant initech is active.", 200),
        (&["tenant", "delete", "initech", "--yes"], "Tenant initech will be deleted at ", 404),
        (&["tenant", "restore", "initech"], "Tenant initech is active.", 200),
    ] {
        let out = cli.run(arguments).output();
        assert!(out.starts_with(says), "{out}");
        seen(status).await;
    }
    cli.run(&["tenant", "delete", "initech", "--yes"]).output();
    assert_eq!(
        cli.run(&["tenant", "delete", "initech", "--final", "--yes"]).output(),
        "Tenant initech deleted.\n"
    );
    seen(404).await;
    cli.assert_ends(&["tenant", "add", "initech"], 4, "reserved");
    cli.assert_ends(&["tenant", "resume", "initech"], 3, "no tenant has this id");
}

#[test]
fn lists_are_printed_as_tables_or_json() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    let table = cli.run(&["tenant", "list", "--limit", "2"]);
    assert!(table.out.starts_with("ID ") && !table.out.contains('\u{1b}'), "{table:?}");
    for tenant in ["acme ", "globex "] {
        assert_eq!(table.out.lines().filter(|line| line.starts_with(tenant)).count(), 1, "{table:?}");
    }
    assert!(table.err.starts_with("there are more rows. Pass --all, or --cursor "), "{table:?}");
    let cursor = table.err.trim_end().rsplit(' ').next().unwrap();
    let rest = cli.json(&["tenant", "list", "--cursor", cursor]);
    assert_eq!(rest["items"][0]["id"], "initech");
    assert!(rest.get("next_cursor").is_none(), "{rest}");
    let all = cli.json(&["tenant", "list", "--all"]);
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let found = cli.json(&["tenant", "list", "--search", "glo"]);
    assert_eq!(found["items"][0]["id"], "globex");
    assert_eq!(cli.run(&["tenant", "list", "--search", "nobody"]).output(), "No tenants.\n");
}

#[test]
fn destructive_commands_require_yes() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    for arguments in [
        &["tenant", "delete", "initech"][..],
        &["tenant", "delete", "initech", "--final"],
        &["client", "delete", "initech", "svc"],
        &["secret", "revoke", "initech", "svc", "s1"],
    ] {
        cli.assert_ends(arguments, 1, "--yes");
    }
    assert_eq!(cli.json(&["tenant", "show", "initech"])["status"], "active");
    assert_eq!(cli.json(&["client", "show", "initech", "svc"])["live_secrets"], 1);
}

#[test]
fn exit_code_names_the_kind_of_error() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    folder.write("token", "x");
    let unreachable = ["tenant", "list", "--server", "http://127.0.0.1:9"];
    for (arguments, code, words) in [
        (&["tenant", "show", "acme"][..], 0, ""),
        (&["client", "show", "acme", "nobody"], 3, ": acme/nobody"),
        (&["client", "show", "acme", "svd"], 3, ": acme/svd; did you mean `svc`?"),
        (&["tenant", "show", "glovex"], 3, ": glovex; did you mean `globex`?"),
        (&["key", "export", "globex"], 3, "key that signs"),
        (&["tenant", "add", "acme"], 4, "it is active and declared in the operator's files; change it there"),
        (&["tenant", "add", "acme"], 4, "run `latchkey tenant show acme` to see it"),
        // Rows that a file declares can only be changed in the file.
        (&["tenant", "set", "acme", "name=x"], 4, ""),
        (&["tenant", "set", "initech", "nmae=x"], 1, "name"),
        (&["tenant", "set", "initech"], 1, "NAME=VALUE"),
        (&["tenant", "show", "Not An Id"], 1, ""),
        (&["key", "show", "acme", "../x"], 1, "as in `key list`"),
        // The API decides which values are valid, even for an option with completions in the shell.
        (&["client", "add", "acme", "other", "--introspection", "all"], 1, "--introspection all"),
        (&["key", "reseal", "--server", "http://127.0.0.1:9"], 1, "Omit --server"),
        (&unreachable, 5, "no access token"),
        (&[&unreachable[..], &["--token-file", "token"]].concat(), 6, "cannot reach the server"),
        (&["tenant", "list", "--server", "ftp://127.0.0.1"], 1, "an http or https URL"),
        (&["tenant", "list", "--server", "http://example.com", "--token-file", "none"], 1, "none"),
        (&["tenant", "list", "--server", "http://example.com", "--token-file", "token"], 1, "unencrypted"),
    ] {
        cli.assert_ends(arguments, code, words);
    }
    let mut nowhere = cli.command(&["tenant", "list"]);
    run(nowhere.env("LATCHKEY__STORAGE__URL", "postgres://x@127.0.0.1:9/x")).assert_ends(6, &[]);
}

// [V13 13.3.2]
#[test]
fn secret_file_is_readable_only_by_its_owner() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let ran = cli.run(&["tenant", "add", "initech", "--secret-file", "secret", "--json"]);
    let secret = folder.read("secret").trim().to_owned();
    assert!(secret.starts_with("lk_") && !ran.out.contains(&secret), "{ran:?}");
    assert_eq!(folder.mode("secret"), 0o600);
    // The command neither overwrites an existing file nor creates the client.
    let late = ["client", "add", "initech", "late", "--secret-file", "secret"];
    cli.assert_ends(&late, 1, "cannot write");
    assert_eq!(folder.read("secret").trim(), secret);
    cli.assert_ends(&["client", "show", "initech", "late"], 3, "");
    // A command that fails leaves no file.
    cli.assert_ends(&["tenant", "add", "initech", "--secret-file", "left"], 4, "");
    assert!(!folder.exists("left"));
}

#[test]
fn shell_completes_values_of_options() {
    let folder = Folder::with("{}");
    let script = folder.run(&["completion", "bash"]).output();
    for (words, values) in [
        (
            "client add --auth-method",
            "any client_secret_basic client_secret_post private_key_jwt tls_client_auth self_signed_tls_client_auth none",
        ),
        ("client add --introspection", "own audience tenant"),
        ("key import --algorithm", "RS256 RS384 RS512 PS256 ES256 ES384 EdDSA"),
    ] {
        let words = format!("latchkey {words}");
        let count = words.split(' ').count();
        let previous = words.rsplit(' ').next().unwrap();
        let complete = format!(
            "{script}\nCOMP_WORDS=({words} '')\nCOMP_CWORD={count}\n_latchkey latchkey '' {previous}\necho \"${{COMPREPLY[*]}}\""
        );
        assert_eq!(bash(&complete, &[]).output().trim(), values, "{words}");
    }
}
