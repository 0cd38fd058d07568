//! Tests that the settings limit the memory of a cache.

use std::fmt::Write as _;

use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

const CLIENTS: usize = 15;

async fn loads(program: &Program) -> u64 {
    let numbers = program.get("/metrics").await.body;
    let series = "latchkey_cache_loads_total{cache=\"clients\"} ";
    numbers.lines().find_map(|line| line.strip_prefix(series)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn one_mebibyte_cache_keeps_few_large_clients() {
    // Each client needs 75 KB, so 30 of them do not fit.
    let uris: Vec<String> = (0..50).map(|n| format!("https://{n}.example/{}", "x".repeat(1_500))).collect();
    let clients = (0..CLIENTS).fold(String::new(), |mut text, number| {
        let line =
            "client_secret: { value: SECRET }, audiences: [api], scopes: [api:read], redirect_uris: URIS";
        writeln!(
            text,
            "      big-{number}: {{ {line}, grant_types: [client_credentials, authorization_code] }}"
        )
        .unwrap();
        text
    });
    let uris = format!("[{}]", uris.join(", "));
    let clients =
        |secret: &str| format!("    clients:\n{}", clients.replace("SECRET", secret).replace("URIS", &uris));
    let settings = TWO_TENANTS
        .replace("oauth2: { enabled: true } }", "oauth2: { enabled: true }, oidc: { enabled: true } }");
    let settings = settings.replacen("    clients:\n", &clients(ACME_SECRET), 1);
    let (acme, globex) = settings.split_once("  globex:").unwrap();
    let globex = globex.replacen("    clients:\n", &clients(GLOBEX_SECRET), 1);
    let settings = format!("cache: {{ memory: {{ clients: 1, opened_keys: 2 }} }}\n{acme}  globex:{globex}");
    let (_folder, program) = Program::serving(&settings);
    let mut counts = vec![loads(&program).await];
    for _ in 0..2 {
        for (tenant, secret) in [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)] {
            for number in 0..CLIENTS {
                program.token(tenant, &format!("big-{number}"), secret).await;
            }
        }
        counts.push(loads(&program).await);
    }
    assert!(counts[1] - counts[0] >= 2 * CLIENTS as u64, "{counts:?}");
    // With the default of 64 MiB nothing would be evicted.
    assert!(counts[2] - counts[1] >= CLIENTS as u64, "{counts:?}");
}
