//! Tests a backup that is created while servers use the store, and restored to a store of the other engine.
//! Revoked credentials stay revoked, and issued sessions and codes have ended. So has everything that ended
//! later according to the audit.

use crate::host::{Ran, assert_has};
use crate::person::{AUTHORIZATION_REQUEST, Browser, code_of, redeem, request, settings_with_people};
use crate::revocation::introspect;
use crate::store_copy::{patiently, start};
use crate::test_env::{Replica, TENANTS, TestEnv};

fn header(token: &str) -> String {
    token.split('.').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_backup_has_settings_but_no_sessions() {
    let test_env = TestEnv::new(None);
    let settings = settings_with_people();
    let source = start(&test_env, &settings, &test_env.database.url());
    let cli = |replica: &Replica, arguments: &[&str]| -> Ran {
        patiently(|| test_env.command(&replica.folder, arguments))
    };
    let mut held = Vec::new();
    for tenant in TENANTS {
        let token = source.program.token(tenant, "svc-0", test_env.secret_of(tenant)).await;
        let browser = Browser::signed_in(&test_env, tenant, &source).await;
        let code = code_of(&browser.authorize(&source, &AUTHORIZATION_REQUEST).await).unwrap();
        let tokens = redeem((&test_env, tenant), &source, &code).await.json();
        let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
        let secret = cli(&source, &["secret", "add", tenant, "svc-0", "--json"]).json();
        let [id, secret] = ["id", "client_secret"].map(|name| secret[name].as_str().unwrap().to_owned());
        held.push((tenant, token, browser, refresh_token, id, secret));
    }
    cli(&source, &["backup", "rows.backup"]).assert_ends(0, &["The backup does not contain the sealing key"]);
    cli(&source, &["backup", "rows.backup"]).assert_ends(1, &["cannot write"]);
    cli(&source, &["secret", "revoke", "acme", "svc-0", &held[0].4, "--yes"]).output();
    cli(&source, &["client", "suspend", "globex", "web"]).output();
    cli(&source, &["key", "revoke", "globex", "oauth2-key-1", "--yes"]).output();
    let audit = cli(&source, &["audit", "list", "--json"]).output();
    source.folder.write("audit.json", &audit);

    let whole = cli(&source, &["restore", "rows.backup", "--verify"]).output();
    assert!(whole.starts_with("The backup is intact: ") && whole.contains("127.0.0.1"), "{whole}");
    let text = source.folder.read("rows.backup");
    for (broken, says) in [
        (text.replace("svc-0", "svc-1"), "differs"),
        (
            text.lines().filter(|line| *line != "[\"end\"]").map(|line| format!("{line}\n")).collect(),
            "the end is missing",
        ),
        ("no backup\n".to_owned(), "line 1 is not a backup line"),
    ] {
        source.folder.write("broken.backup", &broken);
        cli(&source, &["restore", "broken.backup", "--verify"]).assert_ends(1, &[says]);
    }
    let file = format!("sqlite://{}", source.folder.path("restored.db").display());
    let restore = ["restore", "rows.backup", "--to", &file, "--revocations", "audit.json"];
    let restored = cli(&source, &restore).output();
    assert_has(&restored, &["Revoked because of the audit: 3.", "  globex svc-0 s2\n"]);
    assert!(!restored.contains("  acme svc-0 s2\n"), "{restored}");
    cli(&source, &restore).assert_ends(1, &["is in use"]);

    let back = start(&test_env, &settings, &file);
    for (tenant, token, browser, refresh_token, _, secret) in &held {
        let answer = introspect(&test_env, &back, tenant, token).await;
        assert_eq!(answer.json()["active"], false, "{answer:?}");
        let form = [("grant_type", "refresh_token"), ("refresh_token", &**refresh_token)];
        let refused = request((&test_env, tenant), &back, "/oauth/token", &form).await;
        assert!([400, 401].contains(&refused.status), "{refused:?}");
        let session = browser.authorize(&back, &AUTHORIZATION_REQUEST).await;
        assert_eq!(code_of(&session), None, "the session has ended");
        let next = back.program.token(tenant, "svc-0", test_env.secret_of(tenant)).await;
        assert_eq!(header(&next) == header(token), *tenant == "acme", "a key signs unless it was revoked");
        let status = back.program.request_token(tenant, "svc-0", secret).await.status;
        assert_eq!(status, if *tenant == "acme" { 401 } else { 200 }, "{tenant}");
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", "any")];
    let suspended = request((&test_env, "globex"), &back, "/oauth/token", &form).await;
    assert_eq!(suspended.status, 401, "{suspended:?}");
}
