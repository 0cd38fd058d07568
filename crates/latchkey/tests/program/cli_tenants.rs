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
fn a_new_tenant_is_printed_with_all_that_its_service_needs() {
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

/// `language_examples.rs` runs the examples in other languages.
#[tokio::test]
async fn the_printed_curl_fetches_a_token() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let add = ["tenant", "add", "initech", "--client", "svc", "--secret-file", "secret"];
    let out = Cli::store(&folder).run(&add).output();
    let secret = folder.read("secret").trim().to_owned();
    until_status(&program, ("initech", "svc", &secret), 200).await;
    let line = out.lines().last().unwrap().replace("localhost:3000", &program.address().to_string());
    let answer = bash(&line, &[("CLIENT_SECRET", &secret)]).output();
    assert!(answer.contains("access_token"), "{answer}");
}

/// Suspend, resume, delete and restore do not affect the other tenant. A running server notices each within a
/// second.
#[tokio::test]
async fn a_running_server_sees_each_step_and_no_other_tenant_does() {
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
        "Tenant initech is deleted.\n"
    );
    seen(404).await;
    cli.assert_ends(&["tenant", "add", "initech"], 4, "reserved");
    cli.assert_ends(&["tenant", "resume", "initech"], 3, "no tenant has this id");
}

#[test]
fn settings_change_by_name_or_by_patch() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    let names = ["name=Initech", "access_token.lifetime=30m", "strategies.oidc.enabled=true"];
    let changed = cli.json(&[&["tenant", "set", "initech"], &names[..]].concat());
    assert_eq!(changed["name"], "Initech");
    assert_eq!(changed["access_token"]["lifetime"], 1800);
    assert_eq!(changed["strategies"]["oidc"]["enabled"], true);
    let patched = cli.json(&["tenant", "set", "initech", "--patch", r#"{"name": null}"#]);
    assert_eq!(patched["name"], "initech");
    assert_eq!(patched["access_token"]["lifetime"], 1800, "what a patch does not name stays");
    cli.assert_ends(&["tenant", "set", "initech", "nmae=x"], 1, "name");
    cli.assert_ends(&["tenant", "set", "initech"], 1, "NAME=VALUE");
}

#[test]
fn lists_are_tables_for_people_and_documents_for_programs() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    let table = cli.run(&["tenant", "list", "--limit", "2"]);
    assert!(table.out.starts_with("ID ") && !table.out.contains('\u{1b}'), "{table:?}");
    for tenant in ["acme ", "globex "] {
        assert_eq!(table.out.lines().filter(|line| line.starts_with(tenant)).count(), 1, "{table:?}");
    }
    assert!(table.err.starts_with("there is more: --all, or --cursor "), "{table:?}");
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
fn destructive_commands_need_confirmation_or_yes() {
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
fn exit_codes_say_what_happened() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    folder.write("token", "x");
    let unreachable = ["tenant", "list", "--server", "http://127.0.0.1:9"];
    for (arguments, code, words) in [
        (&["tenant", "show", "acme"][..], 0, ""),
        (&["client", "show", "acme", "nobody"], 3, ": acme/nobody"),
        (&["client", "show", "acme", "svd"], 3, ": acme/svd; did you mean `svc`?"),
        (&["tenant", "show", "glovex"], 3, ": glovex; did you mean `globex`?"),
        (&["key", "export", "globex"], 3, "key that signs"),
        (&["tenant", "add", "acme"], 4, "it is active and declared in the operator's files; change it there"),
        (&["tenant", "add", "acme"], 4, "`latchkey tenant show acme` shows it"),
        // Rows that a file declares can only be changed in the file.
        (&["tenant", "set", "acme", "name=x"], 4, ""),
        (&["tenant", "show", "Not An Id"], 1, ""),
        (&["key", "show", "acme", "../x"], 1, "as `key list` shows it"),
        // The API decides which values are valid, even for an option with completions in the shell.
        (&["client", "add", "acme", "other", "--introspection", "all"], 1, "--introspection all"),
        (&["key", "reseal", "--server", "http://127.0.0.1:9"], 1, "leave --server out"),
        (&unreachable, 5, "no token"),
        (&[&unreachable[..], &["--token-file", "token"]].concat(), 6, "cannot be asked"),
        (&["tenant", "list", "--server", "ftp://127.0.0.1"], 1, "an http or https URL"),
        (&["tenant", "list", "--server", "http://example.com", "--token-file", "none"], 1, "none"),
        (&["tenant", "list", "--server", "http://example.com", "--token-file", "token"], 1, "in clear"),
    ] {
        cli.assert_ends(arguments, code, words);
    }
    let mut nowhere = cli.command(&["tenant", "list"]);
    run(nowhere.env("LATCHKEY__STORAGE__URL", "postgres://x@127.0.0.1:9/x")).assert_ends(6, &[]);
}

// [V13 13.3.2]
#[test]
fn a_secret_goes_to_a_file_that_only_its_owner_reads() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    let ran = cli.run(&["tenant", "add", "initech", "--secret-file", "secret", "--json"]);
    let secret = folder.read("secret").trim().to_owned();
    assert!(secret.starts_with("lk_") && !ran.out.contains(&secret), "{ran:?}");
    assert_eq!(folder.mode("secret"), 0o600);
    // The command neither overwrites an existing file nor creates the client.
    let late = ["client", "add", "initech", "late", "--secret-file", "secret"];
    cli.assert_ends(&late, 1, "cannot be written");
    assert_eq!(folder.read("secret").trim(), secret);
    cli.assert_ends(&["client", "show", "initech", "late"], 3, "");
    // A command that fails leaves no file.
    cli.assert_ends(&["tenant", "add", "initech", "--secret-file", "left"], 4, "");
    assert!(!folder.exists("left"));
}

#[test]
fn a_shell_completes_the_values_of_options() {
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
