//! Tests messages and exit codes of commands that need no running server. `plan_and_apply.rs` tests the
//! commands that use the store.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::folder::Folder;
use crate::foreign::bash;
use crate::host::assert_has;
use crate::jwt;
use crate::program::Program;
use crate::settings::{self, TWO_TENANTS, edited, with_line};

#[test]
fn closed_pipe_ends_a_command_silently() {
    let folder = Folder::with(TWO_TENANTS);
    let mut child =
        folder.program(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn check_reports_settings_and_their_effects() {
    let opaque = with_line(TWO_TENANTS, "globex", "access_token: { format: opaque }");
    let sample = settings::sample();
    for (settings, log, words, sum) in [
        (TWO_TENANTS, "info", "config.yaml: ", "2 tenants, 4 clients, 0 warnings\n"),
        (&opaque, "info", "globex.access_token.format", "2 tenants, 4 clients, 1 warning\n"),
        (TWO_TENANTS, "dbug", "variable LATCHKEY_LOG: ", "2 tenants, 4 clients, 1 warning\n"),
        (&sample, "info", "tenants.test-tenant.issuer: the issuer", "2 tenants, 3 clients, 1 warning\n"),
    ] {
        let folder = Folder::with(settings);
        let is_sound = sum.ends_with(" 0 warnings\n");
        for (arguments, code) in [(&["check"][..], 0), (&["check", "--strict"], i32::from(!is_sound))] {
            let ran = crate::host::run(folder.program(arguments).env("LATCHKEY_LOG", log));
            assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{ran:?}");
            assert_eq!(ran.out.starts_with("warning: "), !is_sound, "{}", ran.out);
            assert!(ran.out.contains(words) && ran.out.ends_with(sum), "{}", ran.out);
        }
        assert!(!folder.exists("data") && !folder.exists("keys"), "checking makes nothing");
    }
}

#[test]
fn check_reports_warnings_beside_errors() {
    let opaque = with_line(TWO_TENANTS, "globex", "access_token: { format: opaque, typ: '' }");
    let folder = Folder::with(&opaque);
    let ran = folder.run(&["check"]);
    assert!(ran.code == Some(1) && ran.err.contains("globex.access_token.typ: "), "{ran:?}");
    assert!(ran.out.starts_with("warning: ") && ran.out.contains("globex.access_token.format: "), "{ran:?}");
    let document: Value = serde_json::from_str(&folder.run(&["check", "--json"]).out).unwrap();
    for (kind, key) in
        [("errors", "tenants.globex.access_token.typ"), ("warnings", "tenants.globex.access_token.format")]
    {
        let keys: Vec<_> = document[kind].as_array().unwrap().iter().map(|found| &found["key"]).collect();
        assert_eq!(keys, [key], "{document}");
    }
}

#[test]
fn program_without_arguments_serves_config_yaml() {
    let folder = Folder::with(TWO_TENANTS);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
    Program::spawn(&folder, command.current_dir(folder.path(".")).env_clear()).stop();
    assert!(folder.exists("data/latchkey.db") && folder.exists("keys/sealing.key"));
}

#[test]
fn invalid_store_url_is_reported() {
    for (url, expected) in [
        ("'postgres://db.example:port/x'", "4:17: storage.url: the PostgreSQL port must be a number"),
        (
            "'postgres://db.example/x', direct_url: 'postgres://db.example/x?sslmod=require'",
            "4:56: storage.direct_url: the PostgreSQL URL has the unknown parameter `sslmod`",
        ),
    ] {
        let folder = Folder::with(&edited(TWO_TENANTS, "sqlite://data/latchkey.db", url));
        folder.write_secret("keys/sealing.key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        folder.run(&["check"]).assert_ends(1, &[&format!("config.yaml:{expected}")]);
    }
}

#[test]
fn migrate_creates_only_the_schema() {
    let folder = Folder::with(TWO_TENANTS);
    for _ in 0..2 {
        let ran = folder.run(&["migrate"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "The schema is up to date.\n"), "{ran:?}");
    }
    assert!(folder.exists("data/latchkey.db") && !folder.exists("keys/sealing.key"));
    assert_eq!(folder.run(&["plan"]).code, Some(2));
}

#[test]
fn error_names_file_line_key_and_hint() {
    let folder = Folder::with(&edited(TWO_TENANTS, "globex:\n    strategies:", "globex:\n    strategys:"));
    let unknown = ["config.yaml:15:5: tenants.globex.strategys: unknown key", "= did you mean `strategies`?"];
    for (expected, commands) in [
        (unknown, &["check", "plan", "apply", "serve"][..]),
        (["config.yaml", "`latchkey init`"], &["check"]),
    ] {
        for command in commands {
            let ran = folder.run(&[command]);
            assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{command}: {ran:?}");
            for words in expected {
                assert!(ran.err.contains(words), "{command}: {words:?} in\n{}", ran.err);
            }
        }
        let _ = fs::remove_file(folder.config());
    }
    assert!(!folder.exists("data"), "nothing is made for settings that cannot be used");
}

#[test]
fn rows_beyond_a_limit_are_listed_on_request() {
    let folder = Folder::with(TWO_TENANTS);
    assert!(folder.run(&["check", "--rows"]).out.ends_with("0 warnings\n"), "there is no store yet");
    assert!(!folder.exists("data"), "nothing is made for looking");
    Program::start(&folder).stop();
    for (clients, beyond) in [(2, false), (1, true)] {
        let settings = format!("{TWO_TENANTS}limits: {{ clients: {clients} }}\n");
        fs::write(folder.path("config.yaml"), settings).unwrap();
        let ran = folder.run(&["check", "--rows"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for tenant in ["acme", "globex"] {
            let said = format!("warning: in the store: tenant {tenant} would have 2 clients");
            assert_eq!(ran.out.contains(&said), beyond, "{tenant}: {}", ran.out);
        }
    }
    assert!(!folder.run(&["check"]).out.contains("in the store"));
    Program::start(&folder).stop();
}

// [found 18]
/// Other users must not be able to replace the key.
#[test]
fn sealing_key_with_unsafe_mode_is_refused_or_warned() {
    let folder = Folder::with(TWO_TENANTS);
    Program::start(&folder).stop();
    let set_mode = |mode| {
        fs::set_permissions(folder.path("keys/sealing.key"), fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o620);
    folder.run(&["serve"]).assert_ends(1, &["keys.sealing_key"]);
    set_mode(0o644);
    let said = "every user of this machine can read this file";
    let ran = folder.run(&["check"]);
    assert!(ran.code == Some(0) && ran.out.contains(said) && ran.out.contains("chmod o-rwx"), "{ran:?}");
    let program = Program::start(&folder);
    program.log_after(crate::program::Mark::START, said);
    program.stop();
}

/// Exit code 2 would mean pending changes in `plan`.
#[test]
fn unknown_argument_exits_with_1_and_help_with_0() {
    let folder = Folder::with(TWO_TENANTS);
    for arguments in [&["plan", "--bogus"][..], &["nonsense"], &["tenant"], &["rollback"]] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}: {ran:?}");
        let says_how = ["Usage: ", "try '--help'"].iter().any(|words| ran.err.contains(words));
        assert!(says_how, "{arguments:?}: {}", ran.err);
    }
    for arguments in [&["--version"][..], &["plan", "--help"]] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}: {ran:?}");
    }
    assert!(!folder.exists("data"));
}

#[tokio::test]
async fn init_in_an_empty_folder_is_enough_to_start() {
    let folder = Folder::with("");
    fs::remove_file(folder.config()).unwrap();
    let written = folder.run(&["init"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let parts =
        ["config.yaml and ", "example-service.secret.\n", "curl http://localhost:3000/api/v1/tenant/example"];
    assert_has(&written.out, &parts);
    let secret = folder.read("example-service.secret");
    folder.canaries.add(secret.trim_end());
    assert!(!written.out.contains(secret.trim_end()), "{}", written.out);
    folder.run(&["check", "--strict"]).output();
    let program = Program::spawn(&folder, &mut folder.program(&["serve", "--listen", "127.0.0.1:0"]));
    let token = program.token("example", "example-service", secret.trim_end()).await;
    assert_eq!(jwt::claims(&token)["aud"][0], "example-api");
    folder.run(&["init"]).assert_ends(1, &["config.yaml already exists"]);
    assert_eq!(folder.read("example-service.secret"), secret);
}

// [V13 13.2.3]: 2 | No default credentials | No administrator by default. The secrets of the samples are
//   refused if a listener or `public_url` is beyond loopback, in files and in the store
// [V6 6.3.2], [found 12]
#[test]
fn sample_secret_is_refused_beyond_loopback() {
    // Other machines can reach the listener, directly or through a proxy on this machine.
    for (settings, command) in [
        (settings::sample().replacen("address: 127.0.0.1:0", "address: 0.0.0.0:0", 1), "check"),
        (
            edited(
                &settings::examples(),
                "public_url: http://localhost:3000",
                "public_url: https://login.example.com",
            ),
            "serve",
        ),
    ] {
        Folder::with(&settings)
            .run(&[command])
            .assert_ends(1, &["config.yaml:", "this is a well-known sample secret"]);
    }
}

#[test]
fn printed_documents_match_the_committed_files() {
    let folder = Folder::with("{}");
    for (command, committed) in [
        ("schema", include_str!("../../../../config.schema.json")),
        ("openapi", include_str!("../../../../docs/openapi.json")),
    ] {
        // These texts contain an example of a token, so they are not searched for canaries.
        let printed = crate::host::run(&mut folder.program(&[command])).output();
        assert!(printed == committed, "`latchkey {command}` differs: run `cargo xtask codegen`");
    }
}

/// The examples of the page, each with the name of its operation.
fn examples(page: &str) -> Vec<(&str, String)> {
    let example = |part| -> Option<(&str, String)> {
        let (operation, rest): (&str, &str) = str::split_once(part, '"')?;
        let (_, example) = rest.split_once("</details>")?.0.split_once("<pre class=\"here\"><code>")?;
        let mut example = example.split_once("</code>")?.0.to_owned();
        for (escaped, letter) in
            [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        {
            example = example.replace(escaped, letter);
        }
        Some((operation, example))
    };
    page.split("<details id=\"").skip(1).filter_map(example).collect()
}

#[tokio::test]
async fn examples_of_the_api_page_run_with_sample_settings() {
    let (_folder, program) = Program::serving(&settings::sample());
    let page = program.get("/docs").await.body;
    let token = program.token("test-tenant", "your-client-id", "your-client-secret").await;
    // Only examples that need no administration and no person, and use only names from the sample settings.
    let run = [
        "token",
        "default_token",
        "introspect",
        "default_introspect",
        "revoke",
        "jwks",
        "metadata",
        "openid_configuration",
        "strategies",
        "protected_resource",
        "live",
        "ready",
        "document",
    ];
    let examples = examples(&page);
    let mut script = String::new();
    for operation in run {
        let (_, example) = examples.iter().find(|(name, _)| *name == operation).unwrap();
        let command = example.replace("http://localhost:3000", &program.url(""));
        script += &format!("echo {operation} $({command} -sS -o /dev/null -w '%{{http_code}}')\n");
    }
    let expected: String = run.map(|operation| format!("{operation} 200\n")).concat();
    assert_eq!(bash(&script, &[("TOKEN", &token)]).output(), expected);
}

#[test]
fn new_sealing_key_is_printed_or_written_privately() {
    let folder = Folder::with(TWO_TENANTS);
    let printed = [(); 2].map(|()| folder.run(&["key", "new-sealing-key"]).output());
    assert_ne!(printed[0], printed[1]);
    // The keys are 32 bytes in base64.
    assert!(printed.iter().all(|key| key.trim_end().len() == 44 && key.ends_with("=\n")));

    let to_file = ["key", "new-sealing-key", "--file", "new/sealing.key"];
    let said = folder.run(&to_file).output();
    assert!(said.starts_with("wrote new/sealing.key"), "{said}");
    let written = folder.read("new/sealing.key");
    assert_eq!(written.trim_end().len(), 44);
    assert!(!said.contains(written.trim_end()));
    assert_eq!(folder.mode("new/sealing.key"), 0o600);
    let again = folder.run(&to_file);
    assert_eq!(again.code, Some(1), "a key that is there is never written over: {again:?}");
    assert_eq!(folder.read("new/sealing.key"), written);
}

#[test]
fn sealing_key_comes_from_a_variable() {
    let folder = Folder::with(&edited(TWO_TENANTS, "{ file: keys/sealing.key }", "{ env: SEALING_KEY }"));
    let key = folder.run(&["key", "new-sealing-key"]).output();
    folder.canaries.add(key.trim());
    folder.run(&["serve"]).assert_ends(1, &["keys.sealing_key.env"]);
    Program::spawn(&folder, folder.program(&["serve"]).env("SEALING_KEY", key.trim())).stop();
    assert!(!folder.exists("keys"));
}
