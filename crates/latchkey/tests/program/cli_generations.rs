//! Tests drift, rollback, and an apply that is killed.

use std::fmt::Write as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::program::{Mark, Program};
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, NEW_SECRET, TWO_TENANTS, edited};

#[test]
fn drift_includes_changes_that_apply_leaves_alone() {
    let folder = Folder::with(TWO_TENANTS);
    let first = folder.run(&["drift"]);
    assert_eq!(first.code, Some(2), "nothing is applied yet: {first:?}");
    assert!(!folder.exists("data"), "looking makes nothing");
    folder.run(&["apply"]).output();
    let none = folder.run(&["drift"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), "No drift.\n"), "{none:?}");

    let cli = Cli::store(&folder);
    cli.run(&["tenant", "suspend", "acme"]).output();
    cli.run(&["client", "suspend", "globex", "auditor"]).output();
    cli.run(&["secret", "revoke", "globex", "svc", "s1", "--yes"]).output();
    let given = cli.json(&["secret", "add", "globex", "svc"]);
    folder.canaries.add(given["client_secret"].as_str().unwrap());
    let drift = folder.run(&["drift"]);
    assert_eq!(drift.code, Some(2), "{drift:?}");
    let parts = [
        "! tenant acme: suspended outside the declaration since",
        "! client globex/auditor: suspended outside the declaration since",
        "! secret globex/svc/s1: declared, but revoked outside the declaration at",
        "! secret globex/svc/s2: created outside the declaration",
    ];
    assert_has(&drift.out, &parts);
    assert_eq!(drift.out.lines().count(), 4, "{}", drift.out);
    assert_eq!(folder.run(&["plan"]).code, Some(0), "applying would leave all of it alone");

    folder.write("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    let drift = folder.run(&["drift", "--json"]).document();
    assert_eq!(drift["left_alone"].as_array().unwrap().len(), 4, "{drift}");
    let changes = drift["plan"]["changes"].as_array().unwrap();
    let actions: Vec<_> = changes.iter().map(|change| &change["action"]).collect();
    assert_eq!(actions, ["secret.added", "secret.revoked"]);
    folder.write("config.yaml", "nonsense");
    assert_eq!(folder.run(&["drift"]).code, Some(1));
}

/// The standard output only contains the document.
#[test]
fn commands_on_settings_print_json() {
    let folder = Folder::with(TWO_TENANTS);
    let document = |arguments: &[&str]| folder.run(arguments).document();
    assert_eq!(document(&["migrate", "--json"]), json!({ "schema": "up-to-date", "warning": null }));
    let checked = document(&["check", "--json"]);
    assert_eq!((&checked["tenants"], &checked["errors"]), (&json!(2), &json!([])), "{checked}");
    let applied = document(&["apply", "--json"]);
    assert_eq!(applied["generation"], 1, "{applied}");
    assert_eq!(applied["plan"]["changes"][0]["action"], "tenant.added", "{applied}");
    let again = document(&["apply", "--json"]);
    assert_eq!((&again["generation"], &again["plan"]["changes"]), (&Value::Null, &json!([])), "{again}");

    folder.write("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    assert_eq!(document(&["apply", "--json"])["generation"], 2);
    let listed = document(&["rollback", "--list", "--json"]);
    let current: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| &item["current"]).collect();
    assert_eq!(current, [true, false], "{listed}");
    let rolled_back = folder.run(&["rollback", "1", "--yes", "--json"]);
    let generation = rolled_back.document()["generation"].clone();
    assert_eq!((generation, rolled_back.code), (json!(3), Some(0)), "{rolled_back:?}");
    assert!(rolled_back.err.contains("secret acme/svc"), "the plan is shown before: {}", rolled_back.err);

    let svc = "value: globex-svc-canary-52b7 }, audiences: [api], scopes: [api:read]";
    folder.write("config.yaml", &edited(TWO_TENANTS, svc, &svc.replace("[api:read]", "[api:write]")));
    let effect =
        json!({ "tenant": "globex", "client": "svc", "gains": ["api:write"], "loses": ["api:read"] });
    assert_eq!(document(&["plan", "--json"])["effects"], json!([effect]));

    let fault = edited(TWO_TENANTS, svc, &svc.replace("[api:read]", "['a b']"));
    folder.write("config.yaml", &fault);
    let ran = folder.run(&["check", "--json"]);
    ran.assert_ends(1, &[]);
    let checked = ran.document();
    let error = &checked["errors"][0];
    assert!(error["location"].as_str().unwrap().contains("config.yaml:18:"), "{checked}");
    assert!(error["key"].as_str().unwrap().contains("scopes"), "{checked}");
    assert!(["problem", "hint"].iter().all(|member| error[*member].is_string()), "{checked}");
}

/// A rollback restores a tenant in a folder, a secret in a file and one in a variable, whatever these contain
/// now.
#[tokio::test]
async fn rollback_restores_files_and_variables_of_a_generation() {
    let settings = edited(TWO_TENANTS, "tenants:\n", "tenants_dir: tenants.d\ntenants:\n");
    let settings = edited(&settings, &format!("{{ value: {GLOBEX_SECRET} }}"), "{ env: GLOBEX_SECRET }");
    let folder = Folder::with(&settings);
    let initech = "strategies: { oauth2: { enabled: true } }\nclients: { svc: { client_secret: { file: ../secret } } }\n";
    folder.write("tenants.d/initech.yaml", initech);
    folder.write_secret("secret", "initech-canary-71aa");
    let run = |arguments: &[&str], secret: &str| {
        let ran = crate::host::run(folder.program(arguments).env("GLOBEX_SECRET", secret));
        folder.canaries.assert_absent(&ran.out);
        ran
    };
    run(&["apply"], GLOBEX_SECRET).output();

    folder.write("config.yaml", &edited(&settings, ACME_SECRET, NEW_SECRET));
    folder.write("tenants.d/initech.yaml", "strategies: { oauth2: { enabled: false } }\n");
    folder.write_secret("secret", "initech-later-canary");
    run(&["apply"], "globex-later-canary").output();

    let list = run(&["rollback", "--list"], "globex-later-canary").output();
    assert_eq!(list.lines().count(), 3, "{list}");
    let requested = run(&["rollback", "1"], "globex-later-canary");
    // Without a terminal a confirmation by `--yes` is required.
    requested.assert_ends(1, &["--yes"]);
    assert_has(&requested.out, &["+ client initech/svc"]);
    let done = run(&["rollback", "1", "--yes"], "globex-later-canary").output();
    assert!(done.contains("Applied as generation 3."), "{done}");

    // A start with the newer files uses the store's state, and warns.
    let program =
        Program::spawn(&folder, folder.program(&["serve"]).env("GLOBEX_SECRET", "globex-later-canary"));
    program.log_after(Mark::START, "newer settings have already replaced these settings");
    for (tenant, secret) in
        [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET), ("initech", "initech-canary-71aa")]
    {
        assert_eq!(program.request_token(tenant, "svc", secret).await.status, 200, "{tenant}");
    }
    assert_eq!(program.request_token("globex", "svc", "globex-later-canary").await.status, 401);
    // A rollback can also go forward again. The running server is notified.
    run(&["rollback", "2", "--yes"], "globex-later-canary").output();
    until_status(&program, ("globex", "svc", "globex-later-canary"), 200).await;
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    run(&["rollback", "9", "--yes"], "globex-later-canary")
        .assert_ends(1, &["only the latest 20 generations are kept"]);
}

// [parties #12]
/// The stored sources are sealed: the store contains no secret of the environment or of a file in plain text.
#[test]
fn stored_sources_of_a_generation_are_sealed() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    for file in std::fs::read_dir(folder.path("data")).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [ACME_SECRET, GLOBEX_SECRET] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} lies in {}", file.display());
        }
    }
}

/// If apply is killed at any time, the store contains the whole change or nothing, and the next apply
/// completes it.
#[test]
fn killed_apply_is_completed_by_the_next() {
    let folder = Folder::with(&many(2_000));
    let mut wrote_nothing = 0;
    for pause in [150, 300, 450, 600, 900] {
        let mut command = folder.program(&["apply"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(pause));
        drop(child.kill());
        drop(child.wait());
        let plan = folder.run(&["plan", "--full"]);
        match plan.code {
            Some(0) => {}
            Some(2) => {
                wrote_nothing += 1;
                assert_eq!(plan.out.lines().filter(|line| line.starts_with("+ tenant ")).count(), 2_000);
            }
            code => panic!("{code:?}: {}", plan.err),
        }
    }
    assert!(wrote_nothing > 0, "it was killed in time at least once");
    let applied = folder.run(&["apply"]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    assert_eq!(folder.run(&["apply"]).output(), "No changes.\n");
    assert_eq!(folder.run(&["drift"]).code, Some(0));
}

/// Tenants with one client each, whose secrets are hashes.
fn many(tenants: usize) -> String {
    let (head, _) = TWO_TENANTS.split_once("tenants:\n").unwrap();
    let head = head.replace("default_tenant: acme", "default_tenant: t0");
    let head = head.replace("protected_resource: { tenant: acme,", "protected_resource: { tenant: t0,");
    let mut settings = format!("{head}tenants:\n");
    let hash =
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for number in 0..tenants {
        let _ = writeln!(
            settings,
            "  t{number}: {{ strategies: {{ oauth2: {{ enabled: true }} }}, resource_servers: {{ api: {{ scopes: [api:read] }} }}, \
             clients: {{ svc: {{ client_secret: {{ hash: '{hash}' }}, audiences: [api], scopes: [api:read] }} }} }}"
        );
    }
    settings
}
