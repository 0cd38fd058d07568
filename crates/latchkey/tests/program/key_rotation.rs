//! Rotates keys repeatedly under traffic with offline verification. No verifier that honours `Cache-Control`
//! ever receives a token that it cannot verify. `cargo xtask soak --only rotation` is the long form.

use std::sync::Arc;
use std::time::Duration;

use crate::administrator::Administrator;
use crate::folder::Folder;
use crate::program::Program;
use crate::rotations::{QUICK, QUICK_CACHE, QUICK_TOKENS, rotate};
use crate::traffic::{Pace, Requester, Traffic};
use crate::verifier_crate::Callers;

const ROTATIONS: usize = 6;
const TENANTS: [(&str, &str, &str); 2] =
    [("acme", "RS256", "acme-rotated-canary-51fd"), ("globex", "ES256", "globex-rotated-canary-c3a0")];
const CLIENTS: [&str; 3] = ["svc-0", "svc-1", "svc-2"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rotation_leaves_a_verifier_without_the_key_of_a_token() {
    let folder = Folder::with(&settings());
    let program = Arc::new(Program::start(&folder));
    let mut init = folder.program(&["admin", "init", "--json"]);
    let admin = Administrator::init(&program, &mut init, &folder.canaries).await;
    let of = |(tenant, _, secret): (&str, &str, &str)| {
        let requested =
            |client: &str| Requester { tenant: tenant.into(), client: client.into(), secret: secret.into() };
        CLIENTS.map(requested)
    };
    for (tenant, _, secret) in TENANTS {
        program.token(tenant, "svc-0", secret).await;
    }
    let pace = Pace { callers: 6, pause: Duration::from_millis(10), again: 4 };
    let requested = TENANTS.into_iter().flat_map(of).collect();
    let traffic = Traffic::start(vec![program.url("")], requested, pace);
    let callers = Callers::start(&program, &TENANTS.map(|(tenant, _, secret)| (tenant, "svc-0", secret)));
    rotate(&[admin], &TENANTS.map(|(tenant, ..)| tenant), ROTATIONS, &traffic).await;
    assert!(callers.end().await > ROTATIONS * 10);
    let outcome = traffic.end().await;
    outcome.assert_all_served(ROTATIONS * 50);
    for (tenant, ..) in TENANTS {
        assert_eq!(outcome.kids[tenant].len(), ROTATIONS + 1, "{outcome:?}");
    }
    eprintln!("measured: {outcome:?}");
}

fn settings() -> String {
    let tenant = |(tenant, algorithm, secret): (&str, &str, &str)| {
        let client = |name: &str| {
            format!(
                "      {name}: {{ client_secret: {{ value: {secret} }}, audiences: [api], scopes: [api:read] }}\n"
            )
        };
        let clients: String = CLIENTS.into_iter().map(client).collect();
        format!(
            "  {tenant}:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n    \
             signing: {{ algorithm: {algorithm}, {QUICK} }}\n    {QUICK_TOKENS}\n    \
             resource_servers: {{ api: {{ scopes: [api:read] }} }}\n    clients:\n{clients}"
        )
    };
    let tenants: String = TENANTS.into_iter().map(tenant).collect();
    format!(
        "server: {{ listeners: [{{ address: 127.0.0.1:0 }}], default_tenant: acme }}\n\
         storage: {{ url: sqlite://data/latchkey.db }}\n\
         keys: {{ sealing_key: {{ file: keys/sealing.key }} }}\n{QUICK_CACHE}tenants:\n{tenants}"
    )
}
