//! Three kinds of requests, all through HAProxy and at a fixed rate: tokens of cached clients, tokens of
//! clients that each request once, and creations of clients with an `Idempotency-Key`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::administrator::Administrator;
use crate::answer::Answer;
use crate::running::{credentials, tenant_path};
use crate::test_env::{TENANTS, TestEnv};
use crate::verifier::Verifier;

/// The clients of each tenant in the settings, which are for three kinds of requests in this order.
pub(crate) const CLIENTS: usize = 600;
pub(crate) const WARM: usize = 10;
/// The last clients are for other checks.
pub(crate) const SPARE: usize = 40;

const EACH_WARM: Duration = Duration::from_millis(25);
const EACH_COLD: Duration = Duration::from_millis(100);
const EACH_WRITE: Duration = Duration::from_millis(100);
/// One of so many writes is repeated with its key while it is refused, after this pause.
const REPEATED: usize = 5;
const AGAIN: Duration = Duration::from_millis(500);
/// Longer than a commit may take.
const LONGEST: Duration = Duration::from_secs(50);

/// An answer, or why there was none.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) answer: Result<Answer, String>,
}

/// One request to create a client.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) tenant: usize,
    /// The client id, and the `Idempotency-Key`.
    pub(crate) name: String,
    pub(crate) asked: Asked,
}

#[derive(Default)]
pub(crate) struct Asked3 {
    pub(crate) warm: Vec<Asked>,
    pub(crate) cold: Vec<Asked>,
    pub(crate) writes: Vec<Write>,
}

pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    front: String,
    http: reqwest::Client,
    secrets: [String; 2],
    administrator: Administrator,
    verifier: Verifier,
    next_cold: AtomicUsize,
    ended: AtomicBool,
    asked: Mutex<Asked3>,
}

impl Asked {
    pub(crate) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// Whether this is a 503 that tells the caller when to try again, as Latchkey answers.
    pub(crate) fn is_clean_503(&self) -> bool {
        let is_clean = |answer: &Answer| {
            let parsed = serde_json::from_str::<serde_json::Value>(&answer.body).unwrap_or_default();
            let is_named = parsed["error"] == "temporarily_unavailable"
                || parsed["type"].as_str().is_some_and(|kind| kind.starts_with("urn:latchkey:problem:"));
            answer.status == 503 && is_named && answer.header("retry-after").parse::<u32>().is_ok()
        };
        self.answer.as_ref().is_ok_and(is_clean)
    }

    async fn of(request: RequestBuilder) -> Self {
        let began = Instant::now();
        let answer = Answer::try_within(request, LONGEST).await.map_err(|error| format!("{error:?}"));
        Self { began, ended: Instant::now(), answer }
    }
}

impl Write {
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.asked.status() == 201
    }

    /// Sends a creation with its name as key.
    pub(crate) async fn send(administrator: &Administrator, tenant: usize, name: &str) -> Asked {
        let path = tenant_path(TENANTS[tenant], "/clients");
        let request = administrator.request(Method::POST, &path).header("idempotency-key", name);
        Asked::of(request.json(&json!({ "client_id": name, "scopes": ["api:read"] }))).await
    }
}

impl Load {
    /// Starts all three. `front` is HAProxy's address; the cached clients must be cached at each replica.
    pub(crate) fn start(
        front: &str,
        test_env: &TestEnv,
        administrator: Administrator,
        verifier: Verifier,
    ) -> Self {
        let shared = Arc::new(Shared {
            front: front.to_owned(),
            http: reqwest::Client::builder().tls_certs_only([]).build().unwrap(),
            secrets: TENANTS.map(|tenant| test_env.secret_of(tenant).to_owned()),
            administrator,
            verifier,
            next_cold: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            asked: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(repeat(Arc::clone(&shared), EACH_WARM, Shared::ask_warm)),
            tokio::spawn(repeat(Arc::clone(&shared), EACH_COLD, Shared::ask_cold)),
            tokio::spawn(repeat(Arc::clone(&shared), EACH_WRITE, Shared::write)),
        ];
        Self { shared, tasks }
    }

    /// Ends the load, and waits for all answers.
    pub(crate) async fn end(self) -> Asked3 {
        self.shared.ended.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }
}

/// Begins a request at each tick, however long the answers take.
async fn repeat<F: Future<Output = ()> + Send + 'static>(
    shared: Arc<Shared>,
    each: Duration,
    ask: fn(Arc<Shared>, usize) -> F,
) {
    let mut ticks = interval(each);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut requests = JoinSet::new();
    let mut number = 0;
    while !shared.ended.load(Ordering::Relaxed) {
        ticks.tick().await;
        requests.spawn(ask(Arc::clone(&shared), number));
        number += 1;
    }
    requests.join_all().await;
}

impl Shared {
    async fn token(&self, tenant: usize, client: &str) -> Asked {
        let url = format!("{}{}", self.front, tenant_path(TENANTS[tenant], "/oauth/token"));
        let mut asked =
            Asked::of(self.http.post(url).form(&credentials(client, &self.secrets[tenant]))).await;
        if asked.status() == 200
            && let Ok(answer) = &asked.answer
            && let Some(objection) = self.verifier.objection(TENANTS[tenant], client, &answer.token())
        {
            asked.answer = Err(objection);
        }
        asked
    }

    async fn ask_warm(self: Arc<Self>, number: usize) {
        let client = format!("svc-{}", number / TENANTS.len() % WARM);
        let asked = self.token(number % TENANTS.len(), &client).await;
        self.asked.lock().unwrap().warm.push(asked);
    }

    async fn ask_cold(self: Arc<Self>, _: usize) {
        let number = self.next_cold.fetch_add(1, Ordering::Relaxed);
        let client = WARM + number / TENANTS.len();
        if client >= CLIENTS - SPARE {
            return sleep(Duration::ZERO).await;
        }
        let asked = self.token(number % TENANTS.len(), &format!("svc-{client}")).await;
        self.asked.lock().unwrap().cold.push(asked);
    }

    async fn write(self: Arc<Self>, number: usize) {
        let (tenant, name) = (number % TENANTS.len(), format!("made-{number}"));
        loop {
            let asked = Write::send(&self.administrator, tenant, &name).await;
            // Some callers repeat a refused request, as they should, until it is done.
            let is_repeated = number.is_multiple_of(REPEATED) && asked.is_clean_503();
            self.asked.lock().unwrap().writes.push(Write { tenant, name: name.clone(), asked });
            if !is_repeated || self.ended.load(Ordering::Relaxed) {
                return;
            }
            sleep(AGAIN).await;
        }
    }
}
