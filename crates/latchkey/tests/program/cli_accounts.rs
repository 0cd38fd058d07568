//! Tests `latchkey account add` and `account import`, and that the new people can sign in.

use std::fs::File;

use serde_json::{Value, json};

use crate::cli::Cli;
use crate::folder::Folder;
use crate::person::{Browser, public_url};
use crate::program::Program;
use crate::settings::TWO_TENANTS;
use crate::two_providers::TwoProviders;

/// The hash of `a long enough password`, created by PyPI bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO";

/// More lines than one call takes. The third and the last line are refused.
fn lines() -> String {
    let mut lines: Vec<String> =
        (0..2_500).map(|number| json!({ "username": format!("p{number}") }).to_string()).collect();
    lines[0] = json!({ "email": "ada@example.com", "password_hash": HASH }).to_string();
    lines[1] = json!({ "username": "bob", "password": "nine lanterns beside the river" }).to_string();
    lines[2] = json!({ "username": "carol", "password": "hunter2" }).to_string();
    lines[2_499] = "{".to_owned();
    lines.join("\n")
}

#[test]
fn long_file_is_imported_and_refused_lines_are_named() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.run(&["apply"]).output();
    folder.write("people.ndjson", &lines());
    let first = cli.run(&["account", "import", "acme", "people.ndjson"]);
    let expected = "Tenant acme: 2498 accounts created, 0 already existed, 2 lines refused.\n";
    assert_eq!((first.code, first.out.as_str()), (Some(1), expected), "{first:?}");
    for words in ["line 3 /password: ", "line 2500: not JSON"] {
        assert!(first.err.contains(words) && !first.err.contains("hunter2"), "{first:?}");
    }

    folder.write("good.ndjson", &lines().lines().take(2).collect::<Vec<_>>().join("\n"));
    let mut piped = cli.command(&["account", "import", "acme", "-", "--json"]);
    let again = piped.stdin(File::open(folder.path("good.ndjson")).unwrap()).output().unwrap();
    let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.status.success(), summary), (true, json!({ "created": 0, "exist": 2, "refused": [] })));

    let listed = |tenant| cli.json(&["account", "list", tenant, "--identifier", "ada@example.com"]);
    assert_eq!(listed("acme")["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed("globex")["items"], json!([]), "the other tenant has no such account");
    cli.assert_ends(&["account", "import", "initech", "good.ndjson"], 3, "initech");
    cli.assert_ends(&["account", "import", "acme", "nothing.ndjson"], 1, "nothing.ndjson");
}

const PASSWORD_OF_HASH: &str = "a long enough password";

/// For one tenant the server adds people, for the other the command adds them on the store.
#[tokio::test]
async fn added_people_sign_in_only_at_their_tenant() {
    const ADDED: &str = "forty grey pebbles in a jar";
    let TwoProviders { tenants, folder, program } = TwoProviders::start("http://127.0.0.1:9");
    let url = public_url(&tenants);
    let clis = [Cli::server(&folder, &program).await, Cli::store(&folder)];
    folder.write_secret("added.password", ADDED);
    let people = [
        ("added", ADDED),
        ("bob", "nine lanterns beside the river"),
        ("carol@example.com", PASSWORD_OF_HASH),
    ];
    let lines = [
        json!({ "email": people[2].0, "password_hash": HASH }),
        json!({ "username": people[1].0, "password": people[1].1 }),
        json!({ "username": "dan" }),
    ];
    folder.write("people.ndjson", &lines.map(|line| line.to_string()).join("\n"));
    let mut browsers = tenants.each_ref().map(|tenant| Browser::new(&url, tenant));
    for (at, cli) in clis.iter().enumerate() {
        let tenant = tenants[at].id;
        let add = ["account", "add", tenant, "--username", "added", "--password-file", "added.password"];
        cli.run(&add).output();
        let imported = cli.run(&["account", "import", tenant, "people.ndjson"]).output();
        let expected = format!("Tenant {tenant}: 3 accounts created, 0 already existed");
        assert!(imported.starts_with(&expected), "{imported}");
        for (name, password) in people {
            browsers[at].assert_signs_in(name, password, true).await;
            // The second time the hash has been replaced by one of this program.
            browsers[at].assert_signs_in(name, password, true).await;
            // When the second tenant gets the people, the first tenant already has them.
            browsers[1 - at].assert_signs_in(name, password, at == 1).await;
        }
        let [(added, _), (bob, password), _] = people;
        for (name, wrong) in [(added, password), (bob, ADDED), ("dan", ADDED), ("dan", "")] {
            browsers[at].assert_signs_in(name, wrong, false).await;
        }
    }
}

// [third 20]
#[tokio::test]
async fn only_a_server_knows_failed_sign_ins() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let (server, store) = (Cli::server(&folder, &program).await, Cli::store(&folder));
    for tenant in ["acme", "globex"] {
        let added = server.json(&["account", "add", tenant, "--email", "ada@example.com"]);
        let show = ["account", "show", tenant, added["account_id"].as_str().unwrap()];
        let beside = store.run(&show).output();
        assert!(beside.contains("unknown without a server; pass --server"), "{beside}");
        assert_eq!(store.json(&show).get("throttling"), Some(&Value::Null));
        let there = server.run(&show).output();
        assert!(!there.contains("unknown without a server"), "{there}");
        assert!(server.json(&show)["throttling"].is_object());
    }
    program.stop();
}

// [third 1]
#[test]
fn administrator_is_invited_until_a_password_is_set() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.run(&["admin", "init", "--secret-file", "admin.secret"]).output();
    let invite =
        ["admin", "invite", "grace@example.com", "--permission", "latchkey:tenants,latchkey:clients"];
    // Another administrator has created the account, and may have a link to set its password.
    let prepared = cli.json(&["account", "add", "platform", "--email", "grace@example.com"]);
    cli.assert_ends(&invite, 4, "strategies.oidc.enabled");
    cli.run(&["tenant", "set", "platform", "strategies.oidc.enabled=true"]).output();
    let [first, second] = [(); 2].map(|()| cli.run(&invite).output());
    let link = "/api/v1/tenant/platform/account/set-password#usr_";
    assert!(first.contains(link) && second.contains(link), "{first} {second}");
    let accounts = cli.json(&["account", "list", "platform"]);
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
    assert_eq!(accounts["items"][0]["permissions"], json!(["latchkey:tenants", "latchkey:clients"]));
    assert_eq!(accounts["items"][0]["account_id"], prepared["account_id"]);
    assert!(accounts["items"][0]["valid_from"].as_str() > prepared["valid_from"].as_str(), "{accounts}");
    folder.write("password", "nine lanterns beside the river");
    let account = accounts["items"][0]["account_id"].as_str().unwrap();
    cli.run(&["account", "password", "platform", account, "--password-file", "password"]).output();
    cli.assert_ends(&invite, 1, "already has an account with a password");
    let all = "permissions=latchkey:tenants,latchkey:clients,latchkey:keys";
    let granted = cli.run(&["account", "set", "platform", account, all]).output();
    assert!(
        granted.contains("granting permissions removed the password") && granted.contains(link),
        "{granted}"
    );
}
