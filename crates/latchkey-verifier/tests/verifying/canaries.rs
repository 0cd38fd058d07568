//! Tests that no token and no proof appears in the log at any level, in an error or in `Debug` output.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use latchkey_verifier::{RequestFacts, Trusted};
use serde_json::{Value, json};
use tracing::Level;

use crate::issuer::{Key, Page, Server, builder, claims, key_set};
use crate::time::TestClock;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_and_errors_contain_no_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (server, clock, key) = (Server::start().await, TestClock::default(), Key::new("k1"));
    server.publish("/jwks.json", Page::ok("max-age=300", key_set(&[&key])));
    let issuer = format!("{}/acme", server.origin);
    let trusted = Trusted::issuer(issuer.as_str()).jwks_uri(format!("{}/jwks.json", server.origin));
    let builder = builder(&clock).issuer(trusted).public_origin("https://orders.example.com");
    let verifier = builder.build().unwrap();
    let now = clock.seconds();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&issuer, now);
        claims["canary"] = json!("canary-of-a-claim");
        claims[name] = value;
        key.sign(&key.header(), &claims)
    };
    let good = with("jti", json!("1"));
    let mut presented = vec![
        good.clone(),
        with("exp", json!(1)),
        with("aud", json!("canary-of-an-audience")),
        with("iss", json!("https://canary.example")),
        with("cnf", json!({ "jkt": "canary-of-a-thumbprint" })),
        with("cnf", json!({ "jkt": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" })),
        Key::new("k1").token(&issuer, now),
        Key::new("canary-of-a-kid").token(&issuer, now),
        format!("{good}canary"),
        "canary-no-token".to_owned(),
    ];
    let mut shown = String::new();
    for token in &presented {
        for scheme in ["Bearer", "DPoP"] {
            let authorization = format!("{scheme} {token}");
            let facts = RequestFacts::new("GET", "/").authorization(authorization.as_bytes());
            let verified = verifier.verify_request::<Value>(&facts.dpop(b"canary-of-a-proof")).await;
            shown.push_str(&format!("{verified:?}"));
            if let Err(refusal) = verified {
                shown.push_str(&format!("{refusal} {:?} {}", refusal.headers(), refusal.body()));
            }
        }
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("fetched the key set") && logged.contains("Token has expired"), "{logged}");
    presented.push("canary".to_owned());
    for text in [&logged, &shown] {
        for token in &presented {
            // The output contains neither a token nor one of its parts.
            for part in token.split('.') {
                assert!(!text.contains(part), "{part} is in {text}");
            }
        }
    }
}
