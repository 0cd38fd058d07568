//! Tests `latchkey inspect` and `latchkey explain` of API keys and opaque tokens: what the text shows
//! offline, and what the tenant knows about them.

use serde_json::json;

use crate::cli::Cli;
use crate::host::assert_has;
use crate::inspected::{Inspected, inspect, with_input};
use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, with_line};

#[tokio::test]
async fn api_key_is_inspected_offline_and_by_its_tenant() {
    let settings = with_line(TWO_TENANTS, "acme", "api_keys: { prefix: acme_live }");
    let (folder, program) = Program::serving(&with_line(&settings, "globex", "api_keys: {}"));
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    for (tenant, other, brand) in [("acme", "globex", "acme_live"), ("globex", "acme", "")] {
        let file = format!("{tenant}.key");
        let add = ["api-key", "add", tenant, "svc", "--name", "Nightly", "--secret-file", &file];
        let id = store.json(&add)["id"].as_str().unwrap().to_owned();
        let key = folder.read(&file).trim().to_owned();
        let last = if key.ends_with('0') { "1" } else { "0" };
        let wrong = format!("{}{last}", &key[..key.len() - 1]);
        folder.canaries.add(&key[..key.len() - 1]);
        let inspected = |arguments: &[&str]| Inspected::new(&folder, key.as_bytes(), arguments);

        let offline = inspected(&[]);
        offline.assert_unverified();
        assert_eq!((&offline.document["brand"], &offline.document["id"]), (&json!(brand), &json!(id)));
        offline.assert_status("passed", &["checksum"]);
        offline.assert_status("not_checked", &["api_key", "tenant", "client", "method"]);
        let of_tenant = ["--tenant", tenant];
        Inspected::new(&folder, wrong.as_bytes(), &of_tenant).assert_refused("checksum", "malformed_api_key");

        let live = inspected(&of_tenant);
        live.assert_valid();
        live.assert_status("passed", &["checksum", "api_key", "tenant", "client", "method"]);
        let row = &live.document["api_key"];
        assert_eq!((&row["client_id"], &row["status"]), (&json!("svc"), &json!("live")));
        assert_eq!((&row["scopes"], &row["audiences"]), (&json!(["api:read"]), &json!(["api"])));
        inspected(&["--tenant", other]).assert_refused("api_key", "unknown_api_key");
        let mut through = server.command(&["inspect", "--tenant", tenant]);
        let (code, out) = with_input(&mut through, key.as_bytes());
        folder.canaries.assert_absent(&out);
        assert!(code == Some(0) && out.starts_with("VALID") && out.contains("Nightly"), "{out}");
        let explained = store.run(&["explain", tenant, "svc", "--secret-file", &file]).output();
        let passed = format!("passed       api_key: The API key is the client's key {id},");
        assert_has(&explained, &[&passed, &format!("\n  api_key    {id}\n")]);

        store.run(&["api-key", "revoke", tenant, "svc", &id, "--yes"]).output();
        let revoked = inspected(&of_tenant);
        revoked.assert_refused("api_key", "revoked_api_key");
        assert_eq!(revoked.document["api_key"]["status"], "revoked");
        let (code, text) = inspect(&folder, key.as_bytes(), &of_tenant);
        assert!(code == Some(7) && text.contains("revoked at 20"), "{text}");
        let (code, text) = inspect(&folder, key.as_bytes(), &["--issuer", "https://a.example"]);
        assert!(code == Some(1) && text.contains("--issuer does not apply to an API key"), "{text}");
    }
    program.stop();
}

#[tokio::test]
async fn opaque_token_is_inspected_by_its_tenant() {
    let line = "access_token: { format: opaque }";
    let settings = with_line(&with_line(TWO_TENANTS, "acme", line), "globex", line);
    let (folder, program) = Program::serving(&settings);
    let server = Cli::server(&folder, &program).await;
    // Both tenants have a key with the same number.
    program.token("globex", "svc", GLOBEX_SECRET).await;
    for (tenant, other, secret) in [("acme", "globex", ACME_SECRET), ("globex", "acme", GLOBEX_SECRET)] {
        let token = program.token(tenant, "svc", secret).await;
        folder.canaries.add(&token[20..]);
        let inspected = |arguments: &[&str]| Inspected::new(&folder, token.as_bytes(), arguments);
        let offline = inspected(&[]);
        offline.assert_unverified();
        assert_eq!(offline.document["kind"], "an opaque access token");
        offline.assert_status("not_checked", &["token", "client", "revoked", "cnf"]);
        let live = inspected(&["--client", tenant, "svc", "-"]);
        live.assert_valid();
        live.assert_status("passed", &["token", "client", "revoked", "cnf"]);
        inspected(&["--client", other, "svc", "-"]).assert_refused("token", "token_signature_invalid");
        let mut through = server.command(&["inspect", "--client", tenant, "svc", "-"]);
        let (code, out) = with_input(&mut through, token.as_bytes());
        folder.canaries.assert_absent(&out);
        assert!(code == Some(0) && out.starts_with("VALID"), "{out}");
    }
    program.stop();
}
