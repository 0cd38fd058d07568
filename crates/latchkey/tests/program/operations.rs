//! Tests health and metrics of the whole program, as monitoring tools read them.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::host::assert_has;
use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

#[tokio::test]
async fn started_program_is_ready_and_counts_requests() {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    assert_eq!(program.get("/health/live").await.json(), json!({ "status": "live" }));
    let ready = program.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let checks = json!({ "store": { "status": "ok" }, "keys": { "status": "ok" } });
    assert_eq!(ready.json(), json!({ "status": "ready", "checks": checks }));

    program.token("acme", "svc", ACME_SECRET).await;
    program.token("globex", "svc", GLOBEX_SECRET).await;
    let until = Instant::now() + Duration::from_secs(60);
    let (tokens, keys) =
        ("latchkey_signatures_total{algorithm=\"RS256\"} 2\n", "\nlatchkey_rsa_keys_ready 2\n");
    let numbers = loop {
        let numbers = program.get("/metrics").await.body;
        // A request is counted after its answer, and keys are generated in advance after the first requests.
        if numbers.contains(tokens) && numbers.contains(keys) || Instant::now() > until {
            break numbers;
        }
        sleep(Duration::from_millis(20)).await;
    };
    let parts = [
        tokens,
        "latchkey_store_up 1\n",
        "latchkey_cache_loads_total{cache=\"clients\"} 2\n",
        "latchkey_cache_load_failures_total{cache=\"clients\"} 0\n",
        "\nlatchkey_store_statements_total ",
        keys,
        "\nlatchkey_build_info{version=\"",
    ];
    assert_has(&numbers, &parts);
    for name in ["acme", "globex", "svc"] {
        assert!(!numbers.contains(name), "{name} in\n{numbers}");
    }
    program.stop();
}

#[tokio::test]
async fn documented_metrics_match_the_exported_ones() {
    let page = include_str!("../../../../docs/operations.md");
    let chapter = page.split("\n## ").find(|chapter| chapter.starts_with("Metrics\n")).unwrap();
    let (_folder, program) = Program::serving(TWO_TENANTS);
    let numbers = program.get("/metrics").await.body;
    let reported: Vec<&str> =
        numbers.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    // The program only exports the metrics of PostgreSQL and Redis when it uses them.
    let in_table = |line: &'static str| {
        let line = Some(line).filter(|line| !line.contains("| With "))?;
        line.strip_prefix("| `latchkey_")?.split('`').next()
    };
    let documented: Vec<String> =
        chapter.lines().filter_map(in_table).map(|name| format!("latchkey_{name}")).collect();
    assert_eq!(reported, documented);
}
