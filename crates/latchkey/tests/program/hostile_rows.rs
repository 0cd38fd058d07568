//! Tests rows that the current rules would refuse: an import refuses them; a restore, a copy and a start
//! report them.

use std::process::Command;

use serde_json::Value;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::{Ran, assert_has, run};
use crate::program::{Mark, Program};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

/// The tenants initech and umbrella on the store. A client of initech has a claim that the rules refuse.
fn hostile() -> Folder {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    for tenant in ["initech", "umbrella"] {
        cli.add_tenant(tenant);
    }
    folder.execute(
        r#"update clients set settings = json_set(settings, '$.claims', json('{"aud":"urn:latchkey:admin"}'))
            where tenant_id = 'initech'"#,
    );
    folder
}

const MISFIT: &str = "client initech/svc /claims/aud: ";

/// Asserts that exactly the rows of the hostile client are reported.
#[track_caller]
fn assert_named(ran: Ran) {
    let document = ran.json();
    let refused = document["refused_today"].as_array().unwrap();
    let is_named = |row: &Value| row.as_str().unwrap().starts_with(MISFIT);
    assert!(!refused.is_empty() && refused.iter().all(is_named), "{document}");
}

// [third 4]
#[test]
fn restores_and_copies_report_invalid_rows() {
    let folder = hostile();
    folder.run(&["backup", "store.backup"]).output();
    assert_named(folder.run(&["restore", "store.backup", "--to", "sqlite://data/first.db", "--json"]));
    let told = folder.run(&["restore", "store.backup", "--to", "sqlite://data/second.db"]).output();
    assert_has(&told, &["The current rules do not accept ", " settings of the rows below", MISFIT]);
    assert_named(folder.run(&["store", "copy", "--to", "sqlite://data/third.db", "--json"]));
    folder.run(&["store", "copy", "--take-back"]).output();
    // Without the claim nothing is reported.
    folder.execute("update clients set settings = json_set(settings, '$.claims', json('{}'))");
    let copied = folder.run(&["store", "copy", "--to", "sqlite://data/fourth.db", "--json"]).json();
    assert_eq!(copied["refused_today"], serde_json::json!([]));
}

/// All rows of the store, as SQL statements.
fn dump(folder: &Folder) -> String {
    let script = "import sqlite3, sys\nprint('\\n'.join(sqlite3.connect(sys.argv[1]).iterdump()))";
    let database = folder.path("data/latchkey.db");
    run(Command::new("python3").arg("-c").arg(script).arg(database)).output()
}

// [third 4]
#[test]
fn import_of_invalid_rows_writes_nothing() {
    let (home, abroad) = (hostile(), Folder::with(TWO_TENANTS));
    let (from, to) = (Cli::store(&home), Cli::store(&abroad));
    let key = to.run(&["tenant", "recipient"]).output();
    let export = |tenant: &str| {
        let file = abroad.path(format!("{tenant}.tenant")).display().to_string();
        let exported = from.run(&["tenant", "export", tenant, &file, "--to", key.trim()]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        file
    };
    let (hostile, good) = (export("initech"), export("umbrella"));
    let before = dump(&abroad);
    let refused = to.run(&["tenant", "import", &hostile]);
    refused.assert_ends(1, &["tenant initech was not imported", MISFIT]);
    assert_eq!(dump(&abroad), before);
    to.assert_ends(&["tenant", "show", "initech"], 3, "initech");
    to.run(&["tenant", "import", &good]).output();
    let listed = to.json(&["client", "list", "umbrella"]);
    assert_eq!(listed["items"][0]["client_id"], "svc");
}

// [third 2]
#[tokio::test]
async fn start_warns_of_outdated_subject_patterns() {
    let settings = |subject: &str| {
        let rule = |of: &str| format!("federated: [{{ issuer: 'https://ci.example.com', subject: '{of}' }}]");
        let mut text = TWO_TENANTS.to_owned();
        for (secret, subject) in [(ACME_SECRET, subject), (GLOBEX_SECRET, "repo:globex/*")] {
            let value = format!("client_secret: {{ value: {secret} }}");
            text = edited(&text, &value, &format!("{value}, {}", rule(subject)));
        }
        text
    };
    const WARNING: &str = "the first star comes before the first `:` or `/`";
    let (folder, program) = Program::serving(&settings("repo:acme/*"));
    program.token("acme", "svc", ACME_SECRET).await;
    assert!(!program.log().iter().any(|line| line["message"].to_string().contains(WARNING)));
    program.stop();
    folder.execute(
        "update clients set settings = replace(settings, 'repo:acme/*', 'a*b'),
                            federated = replace(federated, 'repo:acme/*', 'a*b')",
    );
    folder.replace("config.yaml", &settings("a*b"));
    let program = Program::start(&folder);
    let warned = program.log_after(Mark::START, WARNING);
    assert!(warned.contains("acme") && !warned.contains("globex"), "{warned}");
    program.token("acme", "svc", ACME_SECRET).await;
    program.token("globex", "svc", GLOBEX_SECRET).await;
    program.stop();
}
