//! Tests keys at a `jwks_uri`, which an https server on this machine publishes. Libraries get tokens with
//! these keys, keys are rotated, and the server stops and starts again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use protocol::SigningAlgorithm;
use serde_json::json;

use crate::assertions::{Pair, authlib, openid_client_and_oauth4webapi, request, settings, try_library};
use crate::folder::Folder;
use crate::mock_server::{MockRequest, MockServer, Reply, tls};
use crate::program::{Mark, Program};

/// Publishes a JWK set for each tenant, in a path with the tenant's id.
struct Publisher {
    server: MockServer,
    sets: Arc<Mutex<HashMap<String, String>>>,
    certificate: String,
}

impl Publisher {
    async fn start() -> Self {
        let sets = Arc::<Mutex<HashMap<String, String>>>::default();
        let (acceptor, certificate) = tls();
        let served = Arc::clone(&sets);
        let answer = move |request: &MockRequest| match served.lock().unwrap().get(&request.path) {
            Some(set) => Reply::new(200, "cache-control: max-age=1", set.as_bytes()),
            None => Reply::new(404, "x: y", b""),
        };
        Self { server: MockServer::start(Some(acceptor), answer).await, sets, certificate }
    }

    fn publish(&self, tenant: &str, pairs: &[&Pair]) {
        let jwks: Vec<_> = pairs.iter().map(|pair| &pair.key.jwk).collect();
        self.sets.lock().unwrap().insert(format!("/{tenant}"), json!({ "keys": jwks }).to_string());
    }

    /// Starts a program whose clients publish their keys here. `allowed` says whether the program may connect
    /// to this server.
    fn program(&self, allowed: &str) -> (Folder, Program) {
        let port = self.server.address.port();
        let at = ["acme", "globex"].map(|tenant| format!("jwks_uri: 'https://localhost:{port}/{tenant}'"));
        let server = format!("server: {{ outbound: {{ allowed_networks: [{allowed}] }}, ");
        let settings = settings(at.each_ref().map(String::as_str)).replacen("server: { ", &server, 1);
        let folder = Folder::with(&settings);
        folder.write("publisher.pem", &self.certificate);
        let mut command = folder.program(&["serve"]);
        command.env("SSL_CERT_FILE", folder.path("publisher.pem"));
        let program = Program::spawn(&folder, &mut command);
        (folder, program)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_get_tokens_with_published_keys() {
    type Library = fn(&[(&str, &str)]) -> String;
    let libraries: [(SigningAlgorithm, Library); 2] =
        [(SigningAlgorithm::ES256, openid_client_and_oauth4webapi), (SigningAlgorithm::RS256, authlib)];
    for (algorithm, library) in libraries {
        let publisher = Publisher::start().await;
        let pairs = [(); 2].map(|()| Pair::generate(algorithm));
        publisher.publish("acme", &[&pairs[0]]);
        publisher.publish("globex", &[&pairs[1]]);
        let (_folder, program) = publisher.program("127.0.0.1, '::1'");
        try_library(&program, &pairs, library);
        // The program fetches one set for each tenant, and once more for the other tenant's key.
        assert!((2..=4).contains(&publisher.server.request_count()));
        publisher.server.be_away(true);
        try_library(&program, &pairs, library);
    }
}

#[tokio::test]
async fn jwks_uri_on_forbidden_networks_is_not_fetched() {
    let publisher = Publisher::start().await;
    let pair = Pair::generate(SigningAlgorithm::ES256);
    publisher.publish("acme", &[&pair]);
    let (_folder, program) = publisher.program("10.0.0.0/8");
    assert_eq!(request(&program, "acme", &pair.assertion("acme", "1")).await.status, 401);
    let line = program.log_after(Mark::START, "cannot fetch the key set at the jwks_uri of a client");
    assert!(line.contains("server.outbound.allowed_networks") && line.contains("\"acme\""), "{line}");
    assert_eq!(publisher.server.request_count(), 0);
}
