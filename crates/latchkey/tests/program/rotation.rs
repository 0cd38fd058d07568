//! Tests the client guide's secret rotation (create, update, verify, revoke) while the client requests
//! tokens, and the usage of secrets that the API then reports.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::cli::administrator;
use crate::folder::Folder;
use crate::program::Program;
use crate::running::{credentials, tenant_path};
use crate::settings::TWO_TENANTS;

const CALLERS: usize = 4;
const ROTATIONS: usize = 10;
/// A second more than the flush interval of secret usage, and a margin for a busy machine.
const WRITTEN: Duration = Duration::from_secs(14);

/// A client with several callers, each of which reads the new secret at its next request.
struct Caller {
    url: String,
    secret: RwLock<(usize, String)>,
    /// For each caller, the index of the secret of its last successful request.
    used: Vec<AtomicUsize>,
    answered: AtomicUsize,
    ended: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_rotations_under_load_lose_no_request() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let admin = administrator(&folder, &program).await;
    let [mut secret, of_globex] =
        [create(&folder, &admin, "acme").await, create(&folder, &admin, "globex").await];
    // A client with the same name at another tenant, whose secret is not rotated.
    let bystander = Arc::new(Caller::new(&program, "globex", &of_globex.1));
    let caller = Arc::new(Caller::new(&program, "acme", &secret.1));
    let callers: Vec<_> = (0..CALLERS)
        .flat_map(|number| [&caller, &bystander].map(|of| tokio::spawn(Arc::clone(of).call(number))))
        .collect();

    for round in 1..=ROTATIONS {
        let new =
            admin.send_request(Method::POST, &path("acme", "/rotate"), Some(json!({ "grace": 3600 }))).await;
        let new = of(&folder, &new);
        *caller.secret.write().unwrap() = (round, new.1.clone());
        caller.until_all_use(round).await;
        let revoked =
            admin.send_request(Method::DELETE, &path("acme", &format!("/{}", secret.0)), None).await;
        assert_eq!(revoked["status"], "revoked", "{revoked}");
        let old = std::mem::replace(&mut secret, new);
        program.request_token("acme", "rotated", &old.1).await.assert_refused(401, "invalid_client");
        caller.more(20).await;
    }
    for of in [&caller, &bystander] {
        of.ended.store(true, Ordering::Relaxed);
    }
    for task in callers {
        assert_eq!(task.await.unwrap(), [""; 0]);
    }
    assert!(caller.answered.load(Ordering::Relaxed) >= ROTATIONS * (CALLERS + 20));
    program.request_token("globex", "rotated", &secret.1).await.assert_refused(401, "invalid_client");

    // After the restart, the data that the shutdown has written is shown.
    program.stop();
    let program = Program::start(&folder);
    let admin = admin.at(&program);
    let secrets = secrets(&admin, "acme").await;
    assert_eq!(secrets.len(), ROTATIONS + 1);
    for shown in &secrets {
        assert!(shown["last_used_at"].is_string() && shown["addresses"] == 1, "{shown}");
        assert_eq!(shown["used_from"][0]["address"], "127.0.0.1", "{shown}");
        // An attempt with an ended secret does not replace the secret's last use.
        let is_old = shown["id"] != secret.0.as_str();
        assert_eq!(shown["presented_after_end_at"].is_string(), is_old, "{shown}");
        assert_eq!(shown["safe_to_delete"], false, "{shown}");
    }
    assert_eq!(self::secrets(&admin, "globex").await.len(), 1);
}

/// A kill loses at most one interval of usage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_older_than_an_interval_survives_kill_9() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let admin = administrator(&folder, &program).await;
    for tenant in ["acme", "globex"] {
        create(&folder, &admin, tenant).await;
    }
    let extra = of(&folder, &admin.send_request(Method::POST, &path("acme", ""), Some(json!({}))).await);
    program.token("acme", "rotated", &extra.1).await;
    sleep(WRITTEN).await;
    program.kill();

    let program = Program::start(&folder);
    let admin = admin.at(&program);
    for (tenant, used) in [("acme", vec![false, true]), ("globex", vec![false])] {
        let secrets = secrets(&admin, tenant).await;
        let shown: Vec<_> = secrets.iter().map(|secret| secret["last_used_at"].is_string()).collect();
        assert_eq!(shown, used, "{tenant}: {secrets:?}");
    }
}

async fn create(folder: &Folder, admin: &Administrator, tenant: &str) -> (String, String) {
    let body = json!({ "client_id": "rotated", "audiences": ["api"], "scopes": ["api:read"] });
    let made = admin.send_request(Method::POST, &tenant_path(tenant, "/clients"), Some(body)).await;
    of(folder, &made["secret"])
}

fn of(folder: &Folder, made: &Value) -> (String, String) {
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{name}: {made}")).to_owned();
    let secret = (text("id"), text("client_secret"));
    folder.canaries.add(&secret.1);
    secret
}

/// The secrets in the order of their creation.
async fn secrets(admin: &Administrator, tenant: &str) -> Vec<Value> {
    let said = admin.send_request(Method::GET, &path(tenant, ""), None).await;
    said["items"].as_array().unwrap().clone()
}

fn path(tenant: &str, rest: &str) -> String {
    tenant_path(tenant, &format!("/clients/rotated/secrets{rest}"))
}

impl Caller {
    fn new(program: &Program, tenant: &str, secret: &str) -> Self {
        Self {
            url: program.url(&tenant_path(tenant, "/oauth/token")),
            secret: RwLock::new((0, secret.to_owned())),
            used: (0..CALLERS).map(|_| AtomicUsize::new(0)).collect(),
            answered: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Sends requests until the end, and returns the failures.
    async fn call(self: Arc<Self>, number: usize) -> Vec<String> {
        let (http, mut failures) = (reqwest::Client::new(), Vec::new());
        while !self.ended.load(Ordering::Relaxed) {
            let (round, secret) = self.secret.read().unwrap().clone();
            let form = credentials("rotated", &secret);
            match http.post(&self.url).form(&form).timeout(Duration::from_secs(20)).send().await {
                Ok(answer) if answer.status() == 200 => {}
                Ok(answer) => failures.push(format!("round {round}: {}", answer.status())),
                Err(error) => failures.push(format!("round {round}: {error:?}")),
            }
            self.used[number].store(round, Ordering::Relaxed);
            self.answered.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(1)).await;
        }
        failures
    }

    async fn until_all_use(&self, round: usize) {
        let all = || self.used.iter().all(|used| used.load(Ordering::Relaxed) == round);
        until("all callers use the new secret", all).await;
    }

    async fn more(&self, count: usize) {
        let before = self.answered.load(Ordering::Relaxed);
        until("requests are answered", || self.answered.load(Ordering::Relaxed) >= before + count).await;
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(2)).await;
    }
}
