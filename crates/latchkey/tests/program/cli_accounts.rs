//! `latchkey account import`, on the store and through a server.

use std::fs::File;

use serde_json::json;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::settings::TWO_TENANTS;

/// Of `a long enough password`, by PyPI bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO";

/// More lines than one call takes; the third and the last one are refused.
fn lines() -> String {
    let mut lines: Vec<String> =
        (0..2_500).map(|number| json!({ "username": format!("p{number}") }).to_string()).collect();
    lines[0] = json!({ "email": "ada@example.com", "password_hash": HASH }).to_string();
    lines[1] = json!({ "username": "bob", "password": "nine lanterns beside the river" }).to_string();
    lines[2] = json!({ "username": "carol", "password": "hunter2" }).to_string();
    lines[2_499] = "{".to_owned();
    lines.join("\n")
}

fn check_imports(folder: &Folder, cli: &Cli<'_>, tenant: &str, other: &str) {
    folder.write("people.ndjson", &lines());
    let first = cli.run(&["account", "import", tenant, "people.ndjson"]);
    assert_eq!(first.code, Some(1), "{first:?}");
    let expected =
        format!("2498 accounts of {tenant} were created, 0 exist already, 2 lines were refused.\n");
    assert_eq!(first.out, expected);
    assert!(
        first.err.contains("line 3 /password: ") && first.err.contains("line 2500: not JSON"),
        "{first:?}"
    );
    assert!(!first.err.contains("hunter2") && !first.out.contains("$2b$"), "{first:?}");

    folder.write("good.ndjson", &lines().lines().take(2).collect::<Vec<_>>().join("\n"));
    let mut piped = cli.command(&["account", "import", tenant, "-", "--json"]);
    let again = piped.stdin(File::open(folder.path("good.ndjson")).unwrap()).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    let summary: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(summary, json!({ "created": 0, "exist": 2, "refused": [] }));

    let listed = |tenant| cli.json(&["account", "list", tenant, "--identifier", "ada@example.com"]);
    assert_eq!(listed(tenant)["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed(other)["items"], json!([]), "the other tenant has no such account");
    cli.assert_ends(&["account", "import", "initech", "good.ndjson"], 3, "initech");
    cli.assert_ends(&["account", "import", tenant, "nothing.ndjson"], 1, "nothing.ndjson");
}

#[test]
fn a_file_of_any_length_is_imported_on_the_store_and_each_refused_line_is_named() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.run(&["apply"]).output();
    check_imports(&folder, &cli, "acme", "globex");
}

#[tokio::test]
async fn a_file_of_any_length_is_imported_through_a_server() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    let cli = Cli::server(&folder, &program).await;
    check_imports(&folder, &cli, "globex", "acme");
}
