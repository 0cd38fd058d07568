//! Tests clients' secrets in a secret store: rotations in the store and rotations that write to the store,
//! both under load; an unavailable store; and which paths a tenant may use.

use std::sync::Mutex;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::administrator;
use crate::folder::Folder;
use crate::program::Program;
use crate::reload::{Load, eventually, until_status};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};
use crate::stores_of_secrets::{NAME, Store};
use crate::test_servers;

/// Schedules are checked every five seconds. Several rounds may be needed.
const ROUNDS: Duration = Duration::from_secs(40);
const TENANTS: [&str; 2] = ["acme", "globex"];

/// Both tenants use the same store, which the program reads every second.
fn settings(store: &Store) -> String {
    let kept = |tenant| {
        format!("{{ store: {NAME}, path: latchkey/{tenant}, key: client_secret, previous_for: 1h }}")
    };
    let settings = edited(TWO_TENANTS, &format!("{{ value: {ACME_SECRET} }}"), &kept("acme"));
    let settings = edited(&settings, &format!("{{ value: {GLOBEX_SECRET} }}"), &kept("globex"));
    let prefixes = "tenant_prefixes: { acme: [latchkey/acme] }";
    format!("secret_stores:\n  {NAME}: {{ refresh: 1s, {}, {prefixes} }}\n{settings}", store.setting)
}

/// A program with the secrets of both tenants in the store.
async fn serving(folder: &Folder, store: &Store) -> Program {
    folder.write("config.yaml", &settings(store));
    for tenant in TENANTS {
        store.put(folder, &format!("latchkey/{tenant}"), &format!("{tenant}-first-canary-6b1d")).await;
    }
    store.serve(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_when_stored_secrets_rotate() {
    for of_aws in [false, true] {
        let folder = Folder::with("");
        let store = if of_aws { Store::aws(&folder).await } else { Store::open_bao(&folder).await };
        rotations_fail_no_request(&folder, &store).await;
    }
}

async fn rotations_fail_no_request(folder: &Folder, store: &Store) {
    let program = serving(folder, store).await;
    let first = "acme-first-canary-6b1d";
    let secrets = TENANTS.map(|tenant| (tenant, format!("{tenant}-first-canary-6b1d")));
    let callers = Load::of(&program, secrets.to_vec());
    // The rotation happens in the store, and the previous value stays valid.
    let second = "acme-second-canary-77c0";
    store.put(folder, "latchkey/acme", second).await;
    let plan = eventually_ran(store, folder, &["plan"], "changed in the store: kept version").await;
    assert!(plan.contains("secret acme/svc/s2 (chosen)") && !plan.contains("globex"), "{plan}");
    until_status(&program, ("acme", "svc", second), 200).await;
    assert_eq!(program.request_token("acme", "svc", first).await.status, 200);
    callers.change_to("acme", second);

    // The rotation writes to the store. The answer contains no part of the secret, and the new secret is
    // found when the settings are read again.
    let place = format!("{NAME}:latchkey/acme#client_secret");
    let rotated = store.run(folder, &["secret", "rotate", "acme", "svc", "--into", &place]).output();
    assert!(rotated.contains(&format!("in {place}, version ")), "{rotated}");
    let current = store.current("latchkey/acme").await;
    let third = current["client_secret"].as_str().unwrap().to_owned();
    folder.canaries.add(&third);
    assert!(third.starts_with("lk_") && current["note"] == "stays", "{rotated}");
    assert!(!rotated.contains(&third), "{rotated}");
    until_status(&program, ("acme", "svc", &third), 200).await;
    callers.change_to("acme", &third);
    eventually_ran(store, folder, &["plan"], "No changes").await;
    let list = store.run(folder, &["secret", "list", "acme", "svc", "--json"]).json();
    let ends: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|secret| !secret["expires_at"].is_null()).collect();
    assert_eq!(ends, [true, true, false], "{list}");

    // A report of a leak, or an operator, revokes the value in the store.
    store.run(folder, &["secret", "revoke", "acme", "svc", "s2", "--yes"]).output();
    until_status(&program, ("acme", "svc", second), 401).await;
    assert!(store.run(folder, &["apply"]).output().contains("No changes"));
    let answered = callers.assert_none_failed().await;
    assert!(answered > 50, "{answered}");
}

/// Runs the command until its output contains these words, and returns the output.
async fn eventually_ran(store: &Store, folder: &Folder, arguments: &[&str], words: &str) -> String {
    let printed = Mutex::new(String::new());
    eventually(words, async || {
        let ran = store.run(folder, arguments);
        *printed.lock().unwrap() = format!("{}{}", ran.out, ran.err);
        printed.lock().unwrap().contains(words)
    })
    .await;
    printed.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secret_store_is_only_required_at_first_start() {
    let folder = Folder::with("");
    let store = Store::vault(&folder).await;
    folder.write("config.yaml", &settings(&store));
    store.be_away(true);
    store
        .run(&folder, &["serve"])
        .assert_ends(1, &["clients.svc.client_secret", "the secret store kept", "no response"]);
    store.be_away(false);
    let program = serving(&folder, &store).await;
    let part = async |program: &Program| {
        let answer = program.get("/health/ready").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["checks"]["secret_stores"].clone()
    };
    let is_served = async |program: &Program| {
        for tenant in TENANTS {
            until_status(program, (tenant, "svc", &format!("{tenant}-first-canary-6b1d")), 200).await;
        }
    };
    is_served(&program).await;
    assert_eq!(part(&program).await, Value::Null);
    store.be_away(true);
    eventually("the store is missed", async || part(&program).await["status"] == "degraded").await;
    let why = part(&program).await.to_string();
    assert!(why.contains(NAME) && !why.contains("latchkey/acme"), "{why}");
    is_served(&program).await;
    program.kill();

    let program = store.serve(&folder);
    is_served(&program).await;
    assert_eq!(part(&program).await["status"], "degraded");
    let doctor = store.run(&folder, &["doctor"]);
    assert!(format!("{}{}", doctor.out, doctor.err).contains("the secret store kept"), "{doctor:?}");
    store.be_away(false);
    store.put(&folder, "latchkey/globex", "globex-second-canary-0c4e").await;
    program.signal("HUP");
    until_status(&program, ("globex", "svc", "globex-second-canary-0c4e"), 200).await;
    eventually("the store is back", async || part(&program).await == Value::Null).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_write_to_the_store_keeps_all_secrets() {
    let folder = Folder::with("");
    let store = Store::vault(&folder).await;
    let program = serving(&folder, &store).await;
    let live = async |tenant: &str| {
        let list = store.run(&folder, &["secret", "list", tenant, "svc", "--json"]).json();
        let status = |secret: &Value| secret["status"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(status).collect::<Vec<_>>()
    };
    let place = format!("{NAME}:latchkey/globex#client_secret");
    let rotate = || store.run(&folder, &["secret", "rotate", "globex", "svc", "--into", &place]);
    store.takes_writes(false, true);
    rotate().assert_ends(4, &["Latchkey cannot tell whether the new secret s2"]);
    assert_eq!(live("globex").await, ["live", "live"]);
    store.takes_writes(false, false);

    let operator = administrator(&folder, &program).await;
    for tenant in TENANTS {
        let boss = json!({ "client_id": "boss", "scopes": ["latchkey:clients"], "client_secret": "boss-canary-1a2b3c" });
        operator.send_request(Method::POST, &format!("/api/v1/tenant/{tenant}/clients"), Some(boss)).await;
    }
    for (tenant, path, expected) in [
        ("acme", "latchkey/acme", 201),
        ("acme", "latchkey/acme-2", 403),
        ("acme", "latchkey/globex", 403),
        ("globex", "latchkey/globex", 403),
        ("globex", "latchkey/acme", 403),
    ] {
        let token = program.token(tenant, "boss", "boss-canary-1a2b3c").await;
        let body = json!({ "into": format!("{NAME}:{path}#client_secret") });
        let target = format!("/api/v1/tenant/{tenant}/clients/svc/secrets/rotate");
        let request = program.request(Method::POST, &target).bearer_auth(&token).json(&body);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, expected, "{tenant} {path}: {answer:?}");
        assert!(!answer.body.contains("lk_") && !answer.body.contains("localhost"), "{answer:?}");
    }

    store.takes_writes(true, false);
    rotate().assert_ends(4, &["and revoked it; the other secrets are unchanged"]);
    assert_eq!(live("globex").await, ["live", "live", "revoked"]);
}

/// Each tenant has two clients: one from a file, and one from the API. The revoked secrets and the changed
/// schedules make both due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedule_rotates_stored_secrets_and_reports_failures() {
    let folder = Folder::with("");
    let store = Store::vault(&folder).await;
    let rotating = |text: &str, every| {
        let rotate = format!(
            "rotate: {{ every: {every}, into: '{NAME}:latchkey/globex#client_secret' }}, client_secret: {{ store: {NAME}, path: latchkey/globex,"
        );
        let prefixes = edited(text, "[latchkey/acme]", "[latchkey/acme, latchkey/by-api]");
        edited(&prefixes, &format!("client_secret: {{ store: {NAME}, path: latchkey/globex,"), &rotate)
    };
    let plain = settings(&store);
    folder.write("config.yaml", &rotating(&plain, "2h"));
    for tenant in TENANTS {
        store.put(&folder, &format!("latchkey/{tenant}"), &format!("{tenant}-first-canary-6b1d")).await;
    }
    let program = store.serve(&folder);
    let into = format!("{NAME}:latchkey/by-api#client_secret");
    let client = json!({ "client_id": "by-api", "rotate": { "every": "1h", "into": into } });
    let operator = administrator(&folder, &program).await;
    let of_acme = "/api/v1/tenant/acme/clients";
    operator.send_request(Method::POST, of_acme, Some(client)).await;
    store.run(&folder, &["secret", "revoke", "acme", "by-api", "s1", "--yes"]).output();
    let shown = async || {
        let target = format!("{of_acme}/by-api");
        operator.send_request(Method::GET, &target, None).await["rotation"].clone()
    };

    store.takes_writes(true, false);
    let every = json!({ "rotate": { "every": "2h" } });
    operator.send_request(Method::PATCH, &format!("{of_acme}/by-api"), Some(every)).await;
    test_servers::eventually("the failure is shown", ROUNDS, async || shown().await["failure"].is_string())
        .await;
    let failure = shown().await["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains(NAME) && !failure.contains("localhost"), "{failure}");
    let metrics = async || program.get("/metrics").await.body;
    test_servers::eventually("the failure is counted", ROUNDS, async || {
        metrics().await.contains("\nlatchkey_secret_rotations_failing 1\n")
    })
    .await;

    store.takes_writes(false, false);
    store.run(&folder, &["secret", "revoke", "globex", "svc", "s1", "--yes"]).output();
    folder.replace("config.yaml", &rotating(&plain, "3h"));
    let every = json!({ "rotate": { "every": "3h" } });
    operator.send_request(Method::PATCH, &format!("{of_acme}/by-api"), Some(every)).await;
    for (tenant, client, path) in
        [("acme", "by-api", "latchkey/by-api"), ("globex", "svc", "latchkey/globex")]
    {
        let current = async || store.current_if_any(path).await.unwrap_or_default().to_owned();
        test_servers::eventually("the store has the new secret", ROUNDS, async || {
            current().await.starts_with("lk_")
        })
        .await;
        let secret = current().await;
        folder.canaries.add(&secret);
        until_status(&program, (tenant, client, &secret), 200).await;
        let other = TENANTS[usize::from(tenant == "acme")];
        assert_ne!(program.request_token(other, client, &secret).await.status, 200);
    }
    test_servers::eventually("no failure is left", ROUNDS, async || shown().await["failure"].is_null()).await;
    let audit = store.run(&folder, &["audit", "list", "--tenant", "globex", "--json"]).output();
    assert!(audit.contains("\"latchkey\"") && audit.contains(&format!("{NAME}:latchkey/globex")), "{audit}");
}
