//! Tests a change of the sealing key while the program runs.

use serde_json::Value;

use crate::program::Program;
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
async fn sealing_key_is_replaced_while_tokens_are_issued() {
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
    assert!(moved.contains("4 resealed, 0 left to reseal, 0 cannot be opened; 5 use"), "{moved}");
    let again = folder.run(&["key", "reseal"]).output();
    assert!(again.contains("0 resealed, 0 left to reseal"), "{again}");
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

/// A start only requires the key that seals the pepper.
#[tokio::test]
async fn missing_former_key_does_not_stop_the_start() {
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
    folder.run(&["serve"]).assert_ends(1, &["cannot open the pepper"]);
}
