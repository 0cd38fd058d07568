//! `latchkey tenant …` on the store: output, effect, and exit codes of failures.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::cli::Cli;
use crate::folder::Folder;
use crate::foreign::{bash, go, node, python};
use crate::program::Program;
use crate::reload::until_status;
use crate::running::tenant_path;
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

/// Runs each printed line with the program that it is for.
#[tokio::test]
async fn the_printed_lines_fetch_a_token() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let cli = Cli::store(&folder);
    let secret = cli.add_tenant("initech");
    until_status(&program, ("initech", "svc", &secret), 200).await;
    let print = |language, client| {
        let add =
            ["tenant", "add", client, "--client", client, "--snippet", language, "--secret-file", client];
        let out = cli.run(&add).output();
        let secret = folder.read(client).trim().to_owned();
        (section(&out, 0).replace("localhost:3000", &program.address().to_string()), secret)
    };
    let (curl, secret) = print("curl", "with-curl");
    until_status(&program, ("with-curl", "with-curl", &secret), 200).await;
    let answer = bash(&curl, &[("CLIENT_SECRET", &secret)]).output();
    assert!(answer.contains("access_token"), "{answer}");
    let (js, secret) = print("js", "with-js");
    until_status(&program, ("with-js", "with-js", &secret), 200).await;
    let script = format!("(async () => {{ {js}\nconsole.log(access_token.length > 100); }})();");
    assert_eq!(node(&script, &[("CLIENT_SECRET", &secret)]).output(), "true\n");
    let (script, secret) = print("python", "with-python");
    until_status(&program, ("with-python", "with-python", &secret), 200).await;
    let script = format!("{script}\nprint(len(access_token) > 100)\n");
    assert_eq!(python(&script, &[("CLIENT_SECRET", &secret)]).output(), "True\n");
}

/// The lines under the heading of this number, without the words before the next group of headings.
fn section(out: &str, number: usize) -> String {
    let section = out.split("── ").nth(number + 1).expect("a heading").split_once('\n').unwrap().1;
    section.split("\nAn API checks").next().unwrap().to_owned()
}

/// A token of the tenant is accepted. The same token with another signature, and a token of another tenant for the same audience, are not.
#[tokio::test]
async fn the_printed_lines_check_a_token() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let cli = Cli::store(&folder);
    let add = |tenant, language: &str| {
        let out = cli
            .run(&[
                "tenant",
                "add",
                tenant,
                "--client",
                "svc",
                "--audience",
                "api",
                "--snippet",
                language,
                "--secret-file",
                tenant,
            ])
            .output();
        // The keys are at another port than the public URL says; issuers stay as they are.
        let printed = section(&out, 1).replace("localhost:3000", &program.address().to_string());
        let (served, issuer) = (program.url(&tenant_path(tenant, "")), tenant_path(tenant, ""));
        let printed =
            printed.replace(&format!("\"{served}\""), &format!("\"http://localhost:3000{issuer}\""));
        (printed, folder.read(tenant).trim().to_owned())
    };
    let other = {
        let (_, secret) = add("other", "curl");
        until_status(&program, ("other", "svc", &secret), 200).await;
        program.token("other", "svc", &secret).await
    };
    for language in ["curl", "js", "python", "go"] {
        let (lines, secret) = add(language, language);
        until_status(&program, (language, "svc", &secret), 200).await;
        let token = program.token(language, "svc", &secret).await;
        let changed = format!("{}AAAA", &token[..token.len() - 4]);
        for (token, accepted) in [(&token, true), (&changed, false), (&other, false)] {
            let environment = [("TOKEN", token.as_str()), ("CLIENT_SECRET", &secret)];
            let ran = match language {
                "curl" => bash(&format!("{} | grep -q '\"active\":true'", lines.trim_end()), &environment),
                "js" => node(&script_of_module(&lines), &environment),
                "go" => go(
                    &[("verify.go", &format!("package main\n\n{lines}")), ("main.go", GO_MAIN)],
                    &environment,
                ),
                _ => python(&format!("import os\n{lines}\nverify(os.environ['TOKEN'])\n"), &environment),
            };
            assert_eq!(ran.code == Some(0), accepted, "{language}: {ran:?}\n{lines}");
        }
    }
}

/// Gives the printed function the token of the test.
const GO_MAIN: &str = "package main

import (
	\"context\"
	\"log\"
	\"os\"
)

func main() {
	if _, err := Verify(context.Background(), os.Getenv(\"TOKEN\")); err != nil {
		log.Fatal(err)
	}
}
";

/// The test's node finds its packages for `require` only.
fn script_of_module(module: &str) -> String {
    let script = module
        .replace(
            "import { createRemoteJWKSet, jwtVerify } from",
            "const { createRemoteJWKSet, jwtVerify } = require(",
        )
        .replace("\"jose\";", "\"jose\");")
        .replace("export async", "async");
    format!(
        "{script}\nverify(process.env.TOKEN).catch((error) => {{ console.error(error); process.exit(1); }});\n"
    )
}

/// Suspend, resume, delete and restore do not affect the other tenant. A running server sees each within a second.
#[tokio::test]
async fn a_running_server_sees_each_step_and_no_other_tenant_does() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
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
    cli.assert_ends(&["tenant", "resume", "initech"], 3, "there is no tenant");
}

#[test]
fn settings_change_by_name_or_by_patch() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.add_tenant("umbrella");
    let before = cli.json(&["tenant", "show", "umbrella"]);
    let set = [
        "tenant",
        "set",
        "initech",
        "name=Initech",
        "access_token.lifetime=30m",
        "strategies.oidc.enabled=true",
    ];
    let changed = cli.json(&set);
    assert_eq!(changed["name"], "Initech");
    assert_eq!(changed["access_token"]["lifetime"], 1800);
    assert_eq!(changed["strategies"]["oidc"]["enabled"], true);
    let patched = cli.json(&["tenant", "set", "initech", "--patch", r#"{"name": null}"#]);
    assert_eq!(patched["name"], "initech");
    assert_eq!(patched["access_token"]["lifetime"], 1800, "what a patch does not name stays");
    assert_eq!(cli.json(&["tenant", "show", "umbrella"]), before);
    cli.assert_ends(&["tenant", "set", "initech", "nmae=x"], 1, "name");
    cli.assert_ends(&["tenant", "set", "initech", "stale_if_error=soon"], 1, "stale_if_error");
    cli.assert_ends(&["tenant", "set", "initech"], 1, "NAME=VALUE");
    // Rows that a file declares change through the file.
    folder.run(&["apply"]).output();
    cli.assert_ends(&["tenant", "set", "acme", "name=x"], 4, "");
}

#[test]
fn lists_are_tables_for_people_and_documents_for_programs() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    let out = cli.run(&["tenant", "list"]).output();
    assert!(out.starts_with("ID ") && !out.contains('\u{1b}'), "{out}");
    for tenant in ["acme", "globex", "initech"] {
        assert_eq!(out.lines().filter(|line| line.starts_with(&format!("{tenant} "))).count(), 1, "{out}");
    }
    let page = cli.json(&["tenant", "list", "--limit", "2"]);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let rest = cli.json(&["tenant", "list", "--cursor", page["next_cursor"].as_str().unwrap()]);
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
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    for (arguments, code) in [
        (&["tenant", "show", "initech"][..], 0),
        (&["tenant", "show", "nobody"], 3),
        (&["client", "show", "initech", "nobody"], 3),
        (&["client", "show", "nobody", "svc"], 3),
        (&["secret", "list", "initech", "nobody"], 3),
        (&["tenant", "add", "initech"], 4),
        (&["client", "add", "initech", "svc"], 4),
        (&["tenant", "show", "Not An Id"], 1),
        (&["tenant", "shwo", "initech"], 1),
        (&["client", "add", "initech", "other", "--introspection", "all"], 1),
        (&["tenant", "list", "--server", "http://127.0.0.1:9"], 5),
        (&["tenant", "list", "--server", "ftp://127.0.0.1"], 1),
        (&["tenant", "list", "--server", "http://example.com", "--token-file", "none"], 1),
    ] {
        let ran = cli.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    }
    folder.write("token", "x");
    cli.assert_ends(
        &["tenant", "list", "--server", "http://127.0.0.1:9", "--token-file", "token"],
        6,
        "cannot be asked",
    );
    folder.write(
        "nowhere.yaml",
        &TWO_TENANTS.replace("sqlite://data/latchkey.db", "postgres://x@127.0.0.1:9/x"),
    );
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(["tenant", "list", "--config"]).arg(folder.path("nowhere.yaml")).env_clear();
    let ran = crate::host::run(&mut command);
    assert_eq!(ran.code, Some(6), "{ran:?}");
}

#[test]
fn a_secret_goes_to_a_file_that_only_its_owner_reads() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    for (tenant, more) in [("initech", &[][..]), ("umbrella", &["--json"])] {
        let file = format!("{tenant}.secret");
        let ran = cli.run(&[&["tenant", "add", tenant, "--secret-file", &file][..], more].concat());
        let secret = folder.read(&file).trim().to_owned();
        assert!(secret.starts_with("lk_") && !ran.out.contains(&secret), "{ran:?}");
        let mode = fs::metadata(folder.path(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The command neither overwrites an existing file nor creates the client.
        cli.assert_ends(&["client", "add", tenant, "late", "--secret-file", &file], 1, "cannot be written");
        assert_eq!(folder.read(&file).trim(), secret);
        cli.assert_ends(&["client", "show", tenant, "late"], 3, "");
        // A command that fails leaves no file.
        cli.assert_ends(&["tenant", "add", tenant, "--secret-file", "left"], 4, "");
        assert!(!folder.exists("left"));
    }
}

#[test]
fn a_shell_completes_the_commands() {
    let folder = Folder::with("{}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completion", shell]).output();
        assert!(script.contains("rollback") && script.contains("as-client"), "{shell}");
    }
    assert_eq!(bash(&folder.run(&["completion", "bash"]).output(), &[]).output(), "");
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

/// The API decides which values there are, also for one that no shell completes.
#[test]
fn a_value_that_is_not_completed_is_judged_by_the_api() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.assert_ends(&["client", "add", "initech", "--auth-method", "basic"], 1, "--auth-method");
    cli.assert_ends(&["client", "add", "initech", "--introspection", "all"], 1, "--introspection");
}

#[test]
fn what_comes_after_a_list_is_named_below_it() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.add_tenant("umbrella");
    let list = format!(
        "'{}' tenant list --limit 1 --config '{}' 2>&1",
        env!("CARGO_BIN_EXE_latchkey"),
        folder.config().display()
    );
    let out = bash(&list, &[]).output();
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("ID") && lines[1].starts_with("initech"), "{out}");
    assert!(lines.last().unwrap().starts_with("there is more: --all, or --cursor "), "{out}");
}
