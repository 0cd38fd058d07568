//! Tests a change of the settings of a running program. The program either applies the change within seconds
//! without dropping a request, or refuses it and changes nothing. `reload_sources.rs` tests the sources of
//! changes.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::program::Program;
use crate::running::{credentials, tenant_path};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, NEW_SECRET, TWO_TENANTS, edited, with_line};

/// Shorter than the polling interval of 15 s, so only the file watch can detect the change in time.
const LONGEST: Duration = Duration::from_secs(10);
/// While a client changes to another secret, both are valid. A removed client gets no more tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn next_token_uses_the_changed_settings() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let load = Load::on(&program);
    let svc = "client_secret: { value: acme-svc-canary-8d1f }, audiences: [api], scopes: [api:read]";
    let wider = "client_secrets: [{ value: acme-svc-canary-8d1f }, { value: acme-new-canary-31c5 }], audiences: [api], scopes: [api:read, api:write]";
    let changed = with_line(&edited(TWO_TENANTS, svc, wider), "acme", "access_token: { lifetime: 7m }");
    folder.replace("config.yaml", &changed);
    eventually("the new scopes are granted", async || {
        let answer = program.request_token("acme", "svc", NEW_SECRET).await.json();
        (answer["scope"].as_str(), answer["expires_in"].as_u64()) == (Some("api:read api:write"), Some(420))
    })
    .await;
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);

    let without: Vec<&str> = TWO_TENANTS.lines().filter(|line| !line.contains(ACME_SECRET)).collect();
    folder.replace("config.yaml", &without.join("\n"));
    until_status(&program, ("acme", "svc", ACME_SECRET), 401).await;
    assert_eq!(program.request_token("acme", "auditor", "acme-auditor-canary-90aa").await.status, 200);
    load.assert_none_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_file_leaves_the_last_valid_settings() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let load = Load::on(&program);
    let broken = edited(TWO_TENANTS, "storage: {", "storagee: {").replace(ACME_SECRET, NEW_SECRET);
    for (text, place) in
        [(broken.as_str(), "config.yaml:4:1"), ("tenants: [", "config.yaml:1:"), ("", "config.yaml")]
    {
        let mark = program.mark();
        folder.replace("config.yaml", text);
        let line = program.log_after(mark, "settings not loaded; the previous settings stay in effect");
        assert!(line.contains(place), "{place:?} in {line}");
        assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
        assert_eq!(program.request_token("acme", "svc", NEW_SECRET).await.status, 401);
    }
    // The program applies the corrected file.
    folder.replace("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET));
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    load.assert_none_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removing_too_many_tenants_is_refused() {
    let third = "  initech: { strategies: { oauth2: { enabled: true } }, clients: { svc: { client_secret: { value: initech-canary-4411 } } } }\n";
    let three = format!("{TWO_TENANTS}{third}");
    let (folder, program) = Program::serving(&three);
    let load = Load::on(&program);
    let mark = program.mark();
    folder.replace("config.yaml", &without_acme(TWO_TENANTS));
    let line = program.log_after(mark, "would retire more rows than reconcile.max_retired allows");
    let plan = folder.run(&["plan"]);
    assert!(plan.err.starts_with("warning: this plan retires 2 tenants") && plan.code == Some(2), "{plan:?}");
    assert!(
        plan.err.contains("reconcile.max_retired allows 1 and 10.") && plan.err.contains("--prune"),
        "{plan:?}"
    );
    assert!(line.contains(r#""tenants":2"#) && line.contains("latchkey apply --prune"), "{line}");
    for (tenant, secret) in
        [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET), ("initech", "initech-canary-4411")]
    {
        assert_eq!(program.request_token(tenant, "svc", secret).await.status, 200, "{tenant}");
    }
    assert_eq!(folder.run(&["plan"]).code, Some(2));
    let retired = ["- tenant acme", "- tenant initech", "reconcile.max_retired", "latchkey apply --prune"];
    for command in ["apply", "serve"] {
        folder.run(&[command]).assert_ends(1, &retired);
    }
    // The operator confirms the removal.
    let pruned = folder.run(&["apply", "--prune"]).output();
    assert!(pruned.contains("- tenant initech") && pruned.contains("Applied as generation"), "{pruned}");
    for (tenant, secret) in [("acme", ACME_SECRET), ("initech", "initech-canary-4411")] {
        until_status(&program, (tenant, "svc", secret), 404).await;
    }
    load.assert_none_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_need_a_restart_are_logged() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let mark = program.mark();
    let changed = edited(TWO_TENANTS, "required_scope: api:read", "required_scope: api:write");
    folder.replace("config.yaml", &edited(&changed, ACME_SECRET, NEW_SECRET));
    program.log_after(mark, "take effect after a restart");
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    let token = program.token("acme", "svc", NEW_SECRET).await;
    assert_eq!(program.present(&token).await.status, 200);
}

/// The settings without the first tenant and without references to it.
fn without_acme(settings: &str) -> String {
    let (head, tenants) = settings.split_once("  acme:\n").unwrap();
    let (_, globex) = tenants.split_once("  globex:\n").unwrap();
    format!("{head}  globex:\n{globex}")
        .replace("default_tenant: acme", "default_tenant: globex")
        .replace("tenant: acme,", "tenant: globex,")
}

/// Repeats the request until the client gets this status.
pub(crate) async fn until_status(
    program: &Program,
    (tenant, client, secret): (&str, &str, &str),
    status: u16,
) {
    eventually(&format!("{client} of {tenant} is answered {status}"), async || {
        program.request_token(tenant, client, secret).await.status == status
    })
    .await;
}

pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < LONGEST, "in {LONGEST:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Requests of clients `svc`, alternating between a new connection and a persistent one.
pub(crate) struct Load {
    /// Tenants, and the secrets of their clients.
    secrets: Arc<Mutex<Vec<(&'static str, String)>>>,
    ended: Arc<AtomicBool>,
    requests: JoinHandle<Vec<u16>>,
}

impl Load {
    /// Requests of a client that no change affects.
    pub(crate) fn on(program: &Program) -> Self {
        Self::of(program, vec![("globex", GLOBEX_SECRET.to_owned())])
    }

    /// Requests of clients that read their secret again each time, as from a secret store.
    pub(crate) fn of(program: &Program, secrets: Vec<(&'static str, String)>) -> Self {
        let (secrets, ended) = (Arc::new(Mutex::new(secrets)), Arc::new(AtomicBool::new(false)));
        let (read, end, origin) = (Arc::clone(&secrets), Arc::clone(&ended), program.url(""));
        let requests = tokio::spawn(async move {
            let kept = reqwest::Client::new();
            let mut statuses = Vec::new();
            while !end.load(Ordering::Relaxed) || statuses.len() < 10 {
                let secrets = read.lock().unwrap().clone();
                for (tenant, secret) in &secrets {
                    let url = format!("{origin}{}", tenant_path(tenant, "/oauth/token"));
                    let form = credentials("svc", secret);
                    for client in [&kept, &reqwest::Client::new()] {
                        let answer = client.post(&url).form(&form).timeout(LONGEST).send().await;
                        statuses.push(answer.map_or(0, |answer| answer.status().as_u16()));
                    }
                }
                sleep(Duration::from_millis(5)).await;
            }
            statuses
        });
        Self { secrets, ended, requests }
    }

    pub(crate) fn change_to(&self, tenant: &str, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        let (_, known) = secrets.iter_mut().find(|(known, _)| *known == tenant).unwrap();
        secret.clone_into(known);
    }

    /// Stops the requests, asserts that none failed, and returns their number.
    pub(crate) async fn assert_none_failed(self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        let statuses = self.requests.await.unwrap();
        let failed: Vec<_> = statuses.iter().filter(|status| **status != 200).collect();
        assert!(failed.is_empty(), "{failed:?} of {}", statuses.len());
        statuses.len()
    }
}
