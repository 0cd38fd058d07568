//! Tests `latchkey client …` and `audit …` on the store, and `secret …` through a server. Another tenant
//! always has rows with the same names.

use serde_json::json;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::TWO_TENANTS;

#[test]
fn client_is_registered_changed_suspended_and_deleted() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.add_tenant("umbrella");
    let names = ["--name", "Other", "--description", "Reads orders"];
    let rights = ["--scope", "api:read", "--audience", "api,reports", "--lifetime", "2m"];
    let made = cli.json(&[&["client", "add", "initech", "other"], &names[..], &rights].concat());
    folder.canaries.add(made["secret"]["client_secret"].as_str().unwrap());
    assert_eq!((&made["name"], &made["description"]), (&json!("Other"), &json!("Reads orders")));
    assert_eq!((&made["scopes"], &made["access_token_lifetime"]), (&json!(["api:read"]), &json!(120)));
    assert_eq!(made["audiences"], json!(["api", "reports"]));
    cli.assert_ends(&["client", "show", "umbrella", "other"], 3, "no client has this id");

    let svc = |tenant| cli.json(&["client", "show", tenant, "svc"]);
    let before = svc("umbrella");
    let changes = ["scopes=api:read", "introspection=tenant", "description=Sends the bills"];
    let changed = cli.json(&[&["client", "set", "initech", "svc"], &changes[..]].concat());
    assert_eq!((&changed["scopes"], &changed["introspection"]), (&json!(["api:read"]), &json!("tenant")));
    let shown = cli.run(&["client", "show", "initech", "svc"]).output();
    assert!(shown.contains("Sends the bills"), "{shown}");
    for (verb, status) in [("suspend", "suspended"), ("resume", "active")] {
        cli.run(&["client", verb, "initech", "svc"]).output();
        assert_eq!(svc("initech")["status"], status);
    }
    cli.run(&["client", "delete", "initech", "svc", "--yes"]).output();
    let list = cli.run(&["client", "list", "initech"]).output();
    assert!(list.contains("other ") && !list.contains("\nsvc "), "{list}");
    assert_eq!(svc("umbrella"), before, "nothing of the other tenant");
}

#[test]
fn settings_without_effect_are_warned_of() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    for tenant in ["initech", "umbrella"] {
        cli.add_tenant(tenant);
    }
    let add = ["client", "add", "initech", "web", "--audience", "api", "--scope", "api:raed,api:read"];
    let warning = "warning: --scope api:raed: no resource server of this tenant has this scope; did you mean `api:read`?";
    let ran = cli.run(&add);
    assert!(ran.err.contains(warning), "{ran:?}");
    cli.json(&["tenant", "set", "umbrella", "resource_servers.api.scopes=api:raed,api:read"]);
    let theirs = cli.run(&[&["client", "add", "umbrella"], &add[3..]].concat());
    assert!(!theirs.err.contains("warning"), "{theirs:?}");
    let shown = cli.json(&["client", "show", "initech", "web"]);
    assert_eq!(shown["warnings"][0]["pointer"], "/scopes/0");
    let set = ["client", "set", "initech", "web", "scopes=api:read", "jwks_uri=https://10.0.0.1/jwks"];
    let ran = cli.run(&set);
    assert!(ran.err.contains("warning: jwks_uri: Latchkey does not send requests there:"), "{ran:?}");
    assert!(!ran.err.contains("api:raed"), "{ran:?}");
    let trusted = ["tenant", "set", "initech", "trusted_issuers.ci.issuer=https://10.0.0.1"];
    let ran = cli.run(&trusted);
    assert!(
        ran.err.contains("warning: trusted_issuers.ci.issuer: Latchkey does not send requests there:"),
        "{ran:?}"
    );
    assert!(!cli.run(&["tenant", "show", "umbrella"]).err.contains("warning"), "the other one trusts none");
}

#[tokio::test]
async fn secret_is_rotated_expired_and_revoked() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let cli = Cli::server(&folder, &program).await;
    let (first, theirs) = (cli.add_tenant("initech"), cli.add_tenant("umbrella"));
    let made = |arguments: &[&str]| {
        let made = cli.json(arguments);
        let secret = made["client_secret"].as_str().unwrap().to_owned();
        folder.canaries.add(&secret);
        (made["id"].as_str().unwrap().to_owned(), secret)
    };
    let (id, second) = made(&["secret", "rotate", "initech", "svc", "--grace", "1h"]);
    assert_eq!(id, "s2");
    for secret in [&first, &second] {
        until_status(&program, ("initech", "svc", secret), 200).await;
    }
    let list = cli.json(&["secret", "list", "initech", "svc"]);
    assert!(list["items"][0]["expires_at"].is_string() && list["items"][1]["expires_at"].is_null(), "{list}");
    assert_eq!(list.to_string().matches("client_secret").count(), 0);

    let (_, third) = made(&["secret", "add", "initech", "svc", "--expires", "30d"]);
    until_status(&program, ("initech", "svc", &third), 200).await;
    cli.run(&["secret", "expire", "initech", "svc", "s3", "4s"]).output();
    until_status(&program, ("initech", "svc", &third), 401).await;
    cli.run(&["secret", "revoke", "initech", "svc", "s1", "--yes"]).output();
    until_status(&program, ("initech", "svc", &first), 401).await;
    assert_eq!(program.request_token("initech", "svc", &second).await.status, 200);
    assert_eq!(program.request_token("umbrella", "svc", &theirs).await.status, 200);
    let table = cli.run(&["secret", "list", "initech", "svc"]).output();
    let status = |id: &str| {
        let line = table.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap_or_default();
        ["live", "expired", "revoked"].into_iter().find(|status| line.contains(status))
    };
    assert_eq!(["s1", "s2", "s3"].map(status), ["revoked", "live", "expired"].map(Some), "{table}");
    cli.assert_ends(&["secret", "revoke", "initech", "svc", "s9", "--yes"], 3, "no secret has this id");
    let audit = cli.json(&["audit", "list", "--tenant", "initech", "--limit", "1"]);
    assert_eq!(audit["items"][0]["actor"], "client:platform/admin", "{audit}");

    // An attempt in the same second as the end does not count as later. The program writes the uses when it
    // stops.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    program.request_token("initech", "svc", &third).await.assert_refused(401, "invalid_client");
    program.stop();
    let store = Cli::store(&folder);
    let shown = store.run(&["client", "show", "initech", "svc"]).output();
    let line = shown.lines().find(|line| line.starts_with("secret s3 ")).unwrap_or_else(|| panic!("{shown}"));
    assert!(line.ends_with("127.0.0.1"), "{shown}");
    assert!(!store.run(&["client", "show", "umbrella", "svc"]).output().contains("USED AFTER EXPIRY"));
}

#[test]
fn audit_is_listed_by_actor_action_and_time() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    cli.add_tenant("initech");
    cli.add_tenant("umbrella");
    cli.run(&["client", "suspend", "initech", "svc"]).output();
    let ours = cli.json(&["audit", "list", "--tenant", "initech"]);
    let items = ours["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["tenant"] == "initech" && item["actor"] == "cli:ops"), "{ours}");
    assert_eq!(items[0]["action"], "client.suspended");
    assert_eq!(items[0]["subject"], "svc");
    let suspended = cli.json(&["audit", "list", "--action", "client.suspended"]);
    assert_eq!(suspended["items"].as_array().unwrap().len(), 1);
    let by_files = cli.json(&["audit", "list", "--actor", "config", "--since", "1h", "--all"]);
    assert!(by_files["items"].as_array().unwrap().len() >= 6, "{by_files}");
    let before = cli.json(&["audit", "list", "--until", "2020-01-01"]);
    assert_eq!(before["items"].as_array().unwrap().len(), 0);
    let table = cli.run(&["audit", "list", "--tenant", "initech", "--limit", "1"]).output();
    let row = table.lines().nth(1).unwrap();
    assert!(row.contains("client.suspended") && row.contains(" UTC ") && !row.contains("T0"), "{table}");
}

#[test]
fn audit_table_shows_accounts_by_address() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    let cli = Cli::store(&folder);
    let id = cli.json(&["account", "add", "acme", "--email", "ada@example.com"])["account_id"].clone();
    let list = ["audit", "list", "--tenant", "acme", "--limit", "1"];
    let table = cli.run(&list).output();
    assert!(table.contains(" ada@example.com") && !table.contains("usr_"), "{table}");
    assert_eq!(cli.json(&list)["items"][0]["subject"], id);
}

#[test]
fn first_administrator_is_created_once() {
    let folder = Folder::with(TWO_TENANTS);
    let out = folder.run(&["admin", "init", "--name", "ops"]).output();
    let secret = out.split_whitespace().find(|word| word.starts_with("lk_")).expect("a secret");
    assert_eq!(out.matches(secret).count(), 1, "{out}");
    assert!(out.contains("--as-client=ops"), "{out}");
    folder.run(&["admin", "init"]).assert_ends(4, &[]);
}

// [third 22]
#[test]
fn grant_revokes_the_credentials_it_does_not_keep() {
    let folder = Folder::with(TWO_TENANTS);
    let cli = Cli::store(&folder);
    for tenant in ["initech", "umbrella"] {
        cli.add_tenant(tenant);
        let set = ["client", "set", tenant, "svc", "scopes=latchkey:keys", "audiences=null"];
        cli.assert_ends(&set, 1, "--revoke-others");
        assert_eq!(cli.json(&["client", "show", tenant, "svc"])["live_secrets"], 1, "nothing was changed");
    }
    let set = ["client", "set", "initech", "svc", "scopes=latchkey:keys", "audiences=null"];
    cli.assert_ends(&[&set[..], &["--keep", "s2"]].concat(), 1, "no live credential with this id");
    assert_eq!(cli.json(&[&set[..], &["--keep", "s1"]].concat())["live_secrets"], 1);
    let set = ["client", "set", "umbrella", "svc", "scopes=latchkey:keys", "audiences=null"];
    assert_eq!(cli.json(&[&set[..], &["--revoke-others"]].concat())["live_secrets"], 0);
    assert_eq!(cli.json(&["client", "show", "initech", "svc"])["live_secrets"], 1);
}
