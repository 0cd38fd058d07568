//! Counts the statements of requests, with the whole program and over the network.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use secrets::GeneratedSecret;
use tempfile::TempDir;

use super::*;
use crate::apply::{ApplyOptions, apply};
use settings::{Environment, read};

/// Cached rows expire after a little more than this time, so the counting must end before.
const FRESH: Duration = Duration::from_secs(8);

/// A gateway and a platform in a temporary folder, and the secret of its client.
struct Running {
    platform: Platform,
    address: std::net::SocketAddr,
    http: Client,
    secret: GeneratedSecret,
    _folder: TempDir,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_requests_cost_no_statement() {
    serving(async |running| {
        running.assert_free("a token", || running.token_request()).await;
        let answer = running.token_request().send().await.unwrap().text().await.unwrap();
        let token = answer.split('"').nth(3).unwrap();
        let secret = running.secret.secret.expose();
        let form = [("client_id", "svc"), ("client_secret", secret), ("token", token)];
        let introspection = || running.http.post(running.url("/oauth2/introspect")).form(&form);
        assert!(introspection().send().await.unwrap().text().await.unwrap().contains("\"active\":true"));
        running.assert_free("an introspection", introspection).await;
        for path in [
            "/api/v1/tenant/acme/.well-known/jwks.json",
            "/api/v1/tenant/acme/.well-known/oauth-authorization-server",
            "/api/v1/tenant/acme/strategies",
            "/api/v1/protected-resource",
        ] {
            running.assert_free(path, || running.http.get(running.url(path)).bearer_auth(token)).await;
        }
    })
    .await;
}

/// Such ids cause no statement, so that callers cannot put load on the store with invented names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_tenant_id_costs_no_statement() {
    serving(async |running| {
        let before = running.platform.database.statements();
        for id in ["ACME", "-a", "a_b", "%2e%2e", "%00", "a%20b"] {
            let url = running.url(&format!("/api/v1/tenant/{id}/.well-known/jwks.json"));
            assert_eq!(running.http.get(url).send().await.unwrap().status(), 404, "{id}");
        }
        assert_eq!(running.platform.database.statements() - before, 0);
    })
    .await;
}

impl Running {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn token_request(&self) -> RequestBuilder {
        let secret = self.secret.secret.expose();
        let form = [("grant_type", "client_credentials"), ("client_id", "svc"), ("client_secret", secret)];
        self.http.post(self.url("/oauth/token")).form(&form)
    }

    /// Sends a hundred requests after two that fill the caches, and checks that they cause no statement.
    async fn assert_free(&self, what: &str, request: impl Fn() -> RequestBuilder) {
        for _ in 0..3 {
            let (began, mut statements) = (Instant::now(), 0);
            for number in 0..102 {
                if number == 2 {
                    statements = self.platform.database.statements();
                }
                assert_eq!(request().send().await.unwrap().status(), 200, "{what}");
            }
            let cost = self.platform.database.statements() - statements;
            if began.elapsed() < FRESH {
                return assert_eq!(cost, 0, "a hundred times {what}");
            }
        }
        panic!("this machine is too slow to count: a hundred times {what} take longer than {FRESH:?}");
    }
}

/// Runs the server while the test sends requests.
async fn serving(request: impl AsyncFnOnce(&Running)) {
    let folder = TempDir::new().unwrap();
    let secret = GeneratedSecret::generate();
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, settings(secret.secret.expose())).unwrap();
    let (platform, gateway) = compose(&config).await;
    let address = gateway.addresses()[0];
    let handle = gateway.handle();
    let running = Running { platform, address, http: Client::new(), secret, _folder: folder };
    let asking = async {
        request(&running).await;
        handle.stop().await;
    };
    let (served, ()) = tokio::join!(gateway.serve(), asking);
    served.unwrap();
    running.platform.database.close().await;
}

async fn compose(config: &Path) -> (Platform, gateway::Gateway) {
    let environment = Environment::default();
    let platform = Platform::open(&read(config, &environment).unwrap().platform).await.unwrap();
    let loaded = read(config, &environment).unwrap();
    let options = gateway_options(&loaded, None).unwrap();
    apply(&platform, loaded, ApplyOptions::default(), &|_| {}).await.unwrap();
    let gateway = {
        let addresses = gateway::ListenAddresses::take(&options.listeners).unwrap();
        gateway::Gateway::listen(addresses, &options, &platform.services).unwrap()
    };
    (platform, gateway)
}

fn settings(secret: &str) -> String {
    format!(
        "server: {{ listeners: [{{ address: 127.0.0.1:0 }}], default_tenant: acme, workers: 2 }}
protected_resource: {{ tenant: acme, audience: api, required_scope: read }}
tenants:
  acme:
    strategies: {{ oauth2: {{ enabled: true }} }}
    resource_servers: {{ api: {{ scopes: [read] }} }}
    clients: {{ svc: {{ client_secret: {{ value: {secret} }}, audiences: [api], scopes: [read] }} }}
"
    )
}

// [limits #6]
#[test]
fn connections_fit_the_limit_of_open_files() {
    for (requested, files, all, of_source) in [
        (None, None, 10_000, 2_500),
        (None, Some(65_536), 10_000, 2_500),
        (None, Some(1024), 768, 192),
        (Some(100), Some(1024), 100, 25),
        (Some(5_000), Some(1024), 768, 192),
        (Some(2), None, 2, 1),
    ] {
        let limits = super::connection_limits(requested, files);
        assert_eq!((limits.all, limits.of_source), (all, of_source), "{requested:?} {files:?}");
    }
}
