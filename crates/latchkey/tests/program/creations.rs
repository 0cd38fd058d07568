//! Tenants and clients are created concurrently until the program is killed with SIGKILL. Afterwards, every
//! acknowledged creation is complete, and every other one is complete or absent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use secrets::GeneratedSecret;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::administrator::Administrator;
use crate::folder::Folder;
use crate::program::Program;
use crate::running::{credentials, tenant_path};

const ROUNDS: usize = 5;
/// The program is killed after this many acknowledgements, while more requests are in progress.
const ACKNOWLEDGED: usize = 200;
const AT_ONCE: usize = 8;
/// Enough for hundreds of requests, even on a machine that compiles at the same time.
const LONGEST: Duration = Duration::from_secs(45);

/// A requested creation. The test chooses the secret, so that it can try the secret even if it got no answer.
#[derive(Clone, Debug)]
struct Creation {
    tenant: String,
    client: String,
    secret: String,
    is_acknowledged: bool,
}

/// Starts a program on the same store several times. `admin` works with each of them.
pub(crate) async fn assert_survive_kill_9(folder: &Folder, admin: &Administrator) {
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let creations = create_until_killed(Program::start(folder), admin, folder, round).await;
        acknowledged += creations.iter().filter(|creation| creation.is_acknowledged).count();
        let program = Program::start(folder);
        assert_whole(&program, &admin.at(&program), round, &creations).await;
    }
    let program = Program::start(folder);
    let [tenants, clients] = made(&admin.at(&program), "made-").await;
    let count = tenants.len() + clients.len();
    assert!(count >= acknowledged, "{count} of {acknowledged}");
    eprintln!("measured: {acknowledged} acknowledged creates before {ROUNDS} kills, 0 lost, 0 half-written");
}

async fn create_until_killed(
    program: Program,
    admin: &Administrator,
    folder: &Folder,
    round: usize,
) -> Vec<Creation> {
    let admin = admin.at(&program);
    let (next, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut creators = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (admin, canaries) = (admin.clone(), folder.canaries.clone());
        let (next, done) = (Arc::clone(&next), Arc::clone(&done));
        creators.spawn(async move {
            let mut creations = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let mut one = Creation::new(round, number);
                canaries.add(&one.secret);
                let said = one.create(&admin).await;
                one.is_acknowledged = matches!(said, Some((201, _)));
                if one.is_acknowledged {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                creations.push(one);
                match said {
                    // The program was too busy, or a concurrent change conflicted. In both cases nothing is
                    // written.
                    Some((201 | 409 | 503, _)) => {}
                    Some(other) => panic!("{other:?}"),
                    None => return creations,
                }
            }
        });
    }
    let began = Instant::now();
    while done.load(Ordering::Relaxed) < ACKNOWLEDGED {
        assert!(began.elapsed() < LONGEST, "{done:?} creates in {LONGEST:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    program.kill();
    creators.join_all().await.into_iter().flatten().collect()
}

async fn assert_whole(program: &Program, admin: &Administrator, round: usize, creations: &[Creation]) {
    let [tenants, clients] = made(admin, &format!("made-{round}-")).await;
    let audit: BTreeSet<_> = admin.all("/api/v1/admin/audit").await.iter().map(audited).collect();
    let answers = tokens(program, creations).await;
    for (one, status) in creations.iter().zip(answers) {
        let is_there =
            if one.is_tenant() { tenants.contains(&one.tenant) } else { clients.contains(&one.client) };
        assert!(is_there || !one.is_acknowledged, "lost: {one:?}");
        assert_eq!(status, if is_there { 200 } else { one.refusal() }, "half-written: {one:?}");
        let client = (one.tenant.clone(), "client.added".to_owned(), one.client.clone());
        assert_eq!(audit.contains(&client), is_there, "{one:?}");
        if one.is_tenant() {
            let tenant = (one.tenant.clone(), "tenant.added".to_owned(), one.tenant.clone());
            assert_eq!(audit.contains(&tenant), is_there, "{one:?}");
        }
        let secrets = audit.iter().filter(|(tenant, action, subject)| {
            let (client, _) = subject.split_once('/').unwrap_or_default();
            *tenant == one.tenant && action == "secret.added" && client == one.client
        });
        assert_eq!(secrets.count(), usize::from(is_there), "{one:?}");
    }
    let known = |name: &String| creations.iter().any(|one| one.tenant == *name || one.client == *name);
    assert!(tenants.iter().chain(&clients).all(known), "a row that no request created");
}

/// The statuses of token requests with these credentials.
async fn tokens(program: &Program, creations: &[Creation]) -> Vec<u16> {
    let http = reqwest::Client::new();
    let mut answers = Vec::new();
    for some in creations.chunks(AT_ONCE) {
        let requests = some.iter().map(|one| {
            let url = program.url(&tenant_path(&one.tenant, "/oauth/token"));
            let request = http.post(url).form(&credentials(&one.client, &one.secret)).timeout(LONGEST);
            tokio::spawn(async move {
                let began = Instant::now();
                loop {
                    let answer = request.try_clone().unwrap().send().await.unwrap().status().as_u16();
                    // A store on a busy machine may not answer in time. Such an answer says nothing about its
                    // content.
                    if answer != 503 || began.elapsed() > LONGEST {
                        return answer;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        });
        for request in requests.collect::<Vec<_>>() {
            answers.push(request.await.unwrap());
        }
    }
    answers
}

/// The existing tenants and clients of acme whose ids begin with the prefix.
async fn made(admin: &Administrator, prefix: &str) -> [BTreeSet<String>; 2] {
    let ids = |items: Vec<Value>, name: &str| -> BTreeSet<String> {
        let ids = items.iter().map(|item| item[name].as_str().unwrap().to_owned());
        ids.filter(|id| id.starts_with(prefix)).collect()
    };
    let tenants = ids(admin.all("/api/v1/admin/tenants").await, "id");
    [tenants, ids(admin.all(&tenant_path("acme", "/clients")).await, "client_id")]
}

fn audited(record: &Value) -> (String, String, String) {
    let text = |name: &str| record[name].as_str().unwrap().to_owned();
    (text("tenant"), text("action"), text("subject"))
}

impl Creation {
    /// Alternates between a tenant with a client, and a client of acme.
    fn new(round: usize, number: usize) -> Self {
        let name = format!("made-{round}-{number}");
        let (tenant, client) =
            if number.is_multiple_of(2) { (name, "svc".to_owned()) } else { ("acme".to_owned(), name) };
        let secret = GeneratedSecret::generate().secret.expose().to_owned();
        Self { tenant, client, secret, is_acknowledged: false }
    }

    /// The status of a token request if the row does not exist.
    fn refusal(&self) -> u16 {
        if self.is_tenant() { 404 } else { 401 }
    }

    fn is_tenant(&self) -> bool {
        self.tenant != "acme"
    }

    async fn create(&self, admin: &Administrator) -> crate::administrator::Said {
        let client = json!({ "client_id": self.client, "client_secret": self.secret });
        if !self.is_tenant() {
            return admin.send(Method::POST, &tenant_path("acme", "/clients"), Some(&client)).await;
        }
        // Generating an RSA key for each tenant would take most of the test's time.
        let tenant = json!({ "id": self.tenant, "client": client, "signing": { "algorithm": "ES256" } });
        admin.send(Method::POST, "/api/v1/admin/tenants", Some(&tenant)).await
    }
}
