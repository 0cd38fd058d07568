//! Tests a change of the sealing key while the program serves.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

const OLD: &str = "{ sealing_key: { file: keys/sealing.key } }";
const BOTH: &str =
    "{ sealing_key: { file: keys/new.key }, former_sealing_keys: [{ file: keys/sealing.key }] }";
const NEW: &str = "{ sealing_key: { file: keys/new.key } }";

async fn both_are_served(program: &Program) {
    for (tenant, secret) in [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)] {
        program.token(tenant, "svc", secret).await;
    }
}

#[tokio::test]
async fn everything_moves_to_another_key_while_tokens_are_issued() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    both_are_served(&program).await;
    let token = program.token("acme", "svc", ACME_SECRET).await;
    program.stop();
    folder.run(&["key", "new-sealing-key", "--file", "keys/new.key"]).output();
    folder.replace("config.yaml", &edited(TWO_TENANTS, OLD, NEW));
    let ran = folder.run(&["key", "reseal"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("key oauth2-key-1 of tenant acme"), "{}", ran.out);

    folder.replace("config.yaml", &edited(TWO_TENANTS, OLD, BOTH));
    let program = Program::start(&folder);
    both_are_served(&program).await;
    let looked = folder.run(&["key", "reseal", "--dry-run", "--json"]);
    assert_eq!(looked.code, Some(2), "{looked:?}");
    assert_eq!(serde_json::from_str::<Value>(&looked.out).unwrap()["left"], 4, "{}", looked.out);
    let moved = folder.run(&["key", "reseal"]).output();
    assert!(moved.contains("4 moved, 0 to be moved, 0 cannot be opened; 5 are under"), "{moved}");
    let again = folder.run(&["key", "reseal"]).output();
    assert!(again.contains("0 moved, 0 to be moved"), "{again}");
    assert_eq!(folder.run(&["key", "reseal", "--dry-run"]).code, Some(0));
    both_are_served(&program).await;
    program.stop();

    folder.replace("config.yaml", &edited(TWO_TENANTS, OLD, NEW));
    std::fs::remove_file(folder.path("keys/sealing.key")).unwrap();
    let program = Program::start(&folder);
    both_are_served(&program).await;
    assert_eq!(program.present(&token).await.status, 200, "signed before, by the same key");
    program.stop();
}

/// After the previous key is removed, a repeated request still gets its stored answer, and a rollback to an
/// earlier generation works.
#[tokio::test]
async fn what_is_kept_for_later_moves_too() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let made = Cli::store(&folder).json(&["admin", "init"]);
    let secret = made["secret"]["client_secret"].as_str().unwrap();
    folder.canaries.add(secret);
    let program = Program::start(&folder);
    let client = made["client_id"].as_str().unwrap();
    let token = program.administration_token(client, secret).await.unwrap();
    let create = async |program: &Program| {
        let request = program.request(Method::POST, &tenant_path("acme", "/clients")).bearer_auth(&token);
        let request = request.header("idempotency-key", "lost").json(&json!({ "client_id": "made" }));
        Answer::to(request).await
    };
    let first = create(&program).await;
    assert_eq!(first.status, 201, "{first:?}");
    folder.canaries.add(first.json()["secret"]["client_secret"].as_str().unwrap());
    program.stop();

    folder.run(&["key", "new-sealing-key", "--file", "keys/new.key"]).output();
    let later = edited(TWO_TENANTS, ACME_SECRET, "acme-later-canary-6b02");
    folder.replace("config.yaml", &edited(&later, OLD, BOTH));
    let program = Program::start(&folder);
    assert_eq!(folder.run(&["key", "reseal", "--dry-run"]).code, Some(2));
    folder.run(&["key", "reseal"]).output();
    assert_eq!(folder.run(&["key", "reseal", "--dry-run"]).code, Some(0));
    program.stop();

    folder.replace("config.yaml", &edited(&later, OLD, NEW));
    std::fs::remove_file(folder.path("keys/sealing.key")).unwrap();
    let program = Program::start(&folder);
    let again = create(&program).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{again:?}");
    assert_eq!(again.body, first.body);
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 401);
    folder.run(&["rollback", "1", "--yes"]).output();
    until_status(&program, ("acme", "svc", ACME_SECRET), 200).await;
    assert_eq!(folder.run(&["key", "reseal", "--dry-run"]).code, Some(0));
    program.stop();
}

/// Only the key that seals the pepper is required for a start.
#[tokio::test]
async fn a_former_key_that_is_missing_does_not_stop_the_start() {
    let (folder, program) = Program::serving(&edited(
        TWO_TENANTS,
        OLD,
        "{ sealing_key: { file: keys/sealing.key }, former_sealing_keys: [{ file: keys/gone.key }] }",
    ));
    both_are_served(&program).await;
    program.log_after(crate::program::Mark::START, "a former sealing key is missing");
    program.stop();
    folder.run(&["key", "new-sealing-key", "--file", "keys/new.key"]).output();
    folder.replace("config.yaml", &edited(TWO_TENANTS, OLD, NEW));
    let ran = folder.run(&["serve"]);
    assert!(ran.code == Some(1) && ran.err.contains("the pepper cannot be opened"), "{ran:?}");
}
