//! Callers that continuously send requests on persistent connections, each time for another client and at the
//! next program. They check tenant, client and signature of each token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::running::{credentials, tenant_path};
use crate::test_env::{Replica, TENANTS, TestEnv};
use crate::test_servers::{LONGEST, eventually};
use crate::verifier::Verifier;

const CALLERS: usize = 6;
/// The pause between two requests of a caller. Without it the callers alone keep two cores busy, and
/// connections are opened late.
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<Vec<String>>>,
}

struct Shared {
    urls: Vec<String>,
    /// The secrets of the clients of acme and globex.
    secrets: [String; 2],
    clients: usize,
    verifier: Verifier,
    requested: AtomicUsize,
    answered: AtomicUsize,
    ended: AtomicBool,
}

impl Load {
    /// Load for the first `clients` clients of both tenants.
    pub(crate) async fn on(test_env: &TestEnv, replicas: &[Replica], clients: usize) -> Self {
        Self::of(CALLERS, test_env, replicas, clients).await
    }

    /// Load by this number of callers.
    pub(crate) async fn of(callers: usize, test_env: &TestEnv, replicas: &[Replica], clients: usize) -> Self {
        let urls = replicas.iter().map(|replica| replica.program.url("")).collect();
        Self::at(urls, callers, test_env, replicas, clients).await
    }

    /// Load at these origins, which lead to the replicas.
    pub(crate) async fn at(
        urls: Vec<String>,
        callers: usize,
        test_env: &TestEnv,
        replicas: &[Replica],
        clients: usize,
    ) -> Self {
        let shared = Arc::new(Shared {
            urls,
            secrets: TENANTS.map(|tenant| test_env.secret_of(tenant).to_owned()),
            clients,
            verifier: Verifier::from_replica(&replicas[0]).await,
            requested: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        // Cached clients are served whatever happens afterwards. On a busy machine, filling the cache may
        // take more than one attempt: 503 is correct if the store does not answer in time.
        let http = reqwest::Client::new();
        for _ in 0..shared.urls.len() * TENANTS.len() * clients {
            let number = shared.requested.fetch_add(1, Ordering::Relaxed);
            let warm = async || send_request(&shared, &http, number).await.is_ok();
            eventually("every client is warm at every replica", LONGEST, warm).await;
        }
        let callers = (0..callers).map(|_| tokio::spawn(call(Arc::clone(&shared)))).collect();
        let load = Self { shared, callers };
        load.more(100).await;
        load
    }

    /// Waits for this many more answers.
    pub(crate) async fn more(&self, count: usize) {
        let before = self.shared.answered.load(Ordering::Relaxed);
        let answered = async || self.shared.answered.load(Ordering::Relaxed) >= before + count;
        eventually("requests are answered", LONGEST, answered).await;
    }

    /// Ends the load. Asserts that there were at least `least` requests and none failed, and returns their
    /// number.
    pub(crate) async fn assert_none_failed(self, least: usize) -> usize {
        self.more(50).await;
        self.shared.ended.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for caller in self.callers {
            failures.extend(caller.await.unwrap());
        }
        let answered = self.shared.answered.load(Ordering::Relaxed);
        let first = failures.first();
        assert_eq!(first, None, "{} of {answered} failed", failures.len());
        assert!(answered >= least, "{answered} requests are too few to mean anything");
        answered
    }
}

async fn call(shared: Arc<Shared>) -> Vec<String> {
    let http = reqwest::Client::new();
    let mut failures = Vec::new();
    while !shared.ended.load(Ordering::Relaxed) {
        let number = shared.requested.fetch_add(1, Ordering::Relaxed);
        failures.extend(send_request(&shared, &http, number).await.err());
        shared.answered.fetch_add(1, Ordering::Relaxed);
        sleep(PAUSE).await;
    }
    failures
}

async fn send_request(shared: &Shared, http: &reqwest::Client, number: usize) -> Result<(), String> {
    // Iterates over the programs first, then over tenants, then over clients.
    let (url, number) = (&shared.urls[number % shared.urls.len()], number / shared.urls.len());
    let (tenant, number) = (number % TENANTS.len(), number / TENANTS.len());
    let client = format!("svc-{}", number % shared.clients);
    let form = credentials(&client, &shared.secrets[tenant]);
    let url = format!("{url}{}", tenant_path(TENANTS[tenant], "/oauth/token"));
    let failed = |error: reqwest::Error| format!("{client}: {error:?}");
    let answer = http.post(url).form(&form).timeout(LONGEST).send().await.map_err(failed)?;
    let (status, body) = (answer.status(), answer.text().await.map_err(failed)?);
    let parsed: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let token = parsed["access_token"].as_str().ok_or_else(|| format!("{client}: {status} {body}"))?;
    shared.verifier.objection(TENANTS[tenant], &client, token).map_or(Ok(()), Err)
}
