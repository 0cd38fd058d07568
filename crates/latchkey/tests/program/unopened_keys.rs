//! Tests a tenant whose sealing key is missing. Its clients learn nothing about the reason. Every interface
//! for operators names the missing key and the fix, and the fix works.

use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::jwt;
use crate::program::{Mark, Program};
use crate::reload::{eventually, until_status};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

const LOCAL: &str = "sealing_key: { file: keys/sealing.key }";
const BOTH: &str = "sealing_key: { file: keys/new.key }, former_sealing_keys: [{ file: keys/sealing.key }]";
const NEW: &str = "sealing_key: { file: keys/new.key }";

/// Everything is sealed with the new key, except acme's key, which is sealed with the previous one. Also
/// returns the previous key's name.
async fn acme_is_left_behind() -> (Folder, String, String) {
    let (folder, program) = Program::serving(TWO_TENANTS);
    until_status(&program, ("acme", "svc", ACME_SECRET), 200).await;
    until_status(&program, ("globex", "svc", GLOBEX_SECRET), 200).await;
    let token = program.token("acme", "svc", ACME_SECRET).await;
    program.stop();
    folder.run(&["key", "new-sealing-key", "--file", "keys/new.key"]).output();
    folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, NEW));
    let left = folder.run(&["key", "reseal", "--dry-run"]).out;
    let (_, old) = left.split_once("sealed with key-encryption key \"").unwrap_or_else(|| panic!("{left}"));
    let old = old.split('"').next().unwrap().to_owned();
    folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, BOTH));
    folder
        .execute("create table kept as select sealed_private_key from signing_keys where tenant_id = 'acme'");
    folder.run(&["key", "reseal"]).output();
    folder.execute(
        "update signing_keys set sealed_private_key = (select sealed_private_key from kept) where tenant_id = 'acme';
         drop table kept",
    );
    (folder, old, token)
}

async fn reason(program: &Program) -> Option<String> {
    let ready = program.get("/health/ready").await;
    assert_eq!(ready.status, 200, "others are served: {ready:?}");
    ready.json()["checks"]["keys"]["reason"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn operator_can_find_and_fix_a_missing_sealing_key() {
    let (folder, old, before) = acme_is_left_behind().await;
    folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, NEW));
    let program = Program::start(&folder);
    for _ in 0..3 {
        let answer = program.request_token("acme", "svc", ACME_SECRET).await;
        answer.assert_refused(500, "server_error");
        assert!(!answer.body.contains(&old) && !answer.body.contains("oauth2-key"), "{answer:?}");
        program.jwks("acme").await.assert_refused(500, "server_error");
        program.token("globex", "svc", GLOBEX_SECRET).await;
        // The program tries again after a second.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    let reported = program.log_after(Mark::START, "cannot use a key of tenant acme");
    let parts = [
        "oauth2-key-1",
        &old,
        "is not configured",
        "add that sealing key to keys.former_sealing_keys and restart",
        "if it is lost, replace the key with `latchkey key revoke acme oauth2-key-1`",
    ];
    assert_has(&reported, &parts);
    let lines = program.log();
    let reported = |line: &&serde_json::Value| line["message"].as_str().unwrap_or_default().contains(&old);
    assert_eq!(lines.iter().filter(reported).count(), 1, "the log reports it once, not at each request");
    let expected =
        "number of tenants whose keys cannot be opened: 1; the log names them, and all other tenants work";
    assert_eq!(reason(&program).await.as_deref(), Some(expected));
    let metrics = program.get("/metrics").await.body;
    assert!(metrics.contains("\nlatchkey_tenants_with_unopened_keys 1\n"), "{metrics}");

    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    for cli in [&store, &server] {
        let shown = cli.run(&["key", "status", "acme"]).output();
        let parts = ["oauth2-key-1 signs", "cannot open oauth2-key-1: ", &old, "keys.former_sealing_keys"];
        assert_has(&shown, &parts);
        let shown = cli.run(&["key", "status", "globex"]).output();
        assert!(!shown.contains("cannot open"), "{shown}");
        assert!(cli.json(&["key", "status", "globex"]).get("unopened").is_none());
    }
    let left = folder.run(&["key", "reseal", "--dry-run"]);
    assert_eq!(left.code, Some(1), "{left:?}");
    assert!(left.out.contains("key oauth2-key-1 of tenant acme") && left.out.contains(&old), "{}", left.out);
    program.stop();

    // The operator restores the previous key.
    folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, BOTH));
    let program = Program::start(&folder);
    until_status(&program, ("acme", "svc", ACME_SECRET), 200).await;
    assert_eq!(program.present(&before).await.status, 200);
    assert_eq!(reason(&program).await, None);
    program.stop();

    // The operator gives up the previous key.
    folder.replace("config.yaml", &edited(TWO_TENANTS, LOCAL, NEW));
    let program = Program::start(&folder);
    program.request_token("acme", "svc", ACME_SECRET).await.assert_refused(500, "server_error");
    folder.run(&["key", "revoke", "acme", "oauth2-key-1", "--yes"]).output();
    until_status(&program, ("acme", "svc", ACME_SECRET), 200).await;
    let token = program.token("acme", "svc", ACME_SECRET).await;
    assert_eq!(jwt::kid(&token), "oauth2-key-2");
    assert_eq!(program.present(&token).await.status, 200);
    assert_eq!(program.present(&before).await.status, 401, "its key is gone");
    eventually("readiness is well", async || reason(&program).await.is_none()).await;
    program.stop();
}
