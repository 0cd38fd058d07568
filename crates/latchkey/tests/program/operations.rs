//! Health and metrics of the whole program, as monitoring tools read them.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

#[tokio::test]
async fn a_started_program_is_live_ready_and_counts() {
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
    for part in [
        tokens,
        "latchkey_store_up 1\n",
        "latchkey_cache_loads_total{cache=\"clients\"} 2\n",
        "latchkey_cache_load_failures_total{cache=\"clients\"} 0\n",
        "\nlatchkey_store_statements_total ",
        keys,
        "\nlatchkey_build_info{version=\"",
    ] {
        assert!(numbers.contains(part), "{part} in\n{numbers}");
    }
    for name in ["acme", "globex", "svc"] {
        assert!(!numbers.contains(name), "{name} in\n{numbers}");
    }
    program.stop();
}

#[tokio::test]
async fn numbers_are_for_the_address_of_administration() {
    let (_folder, program) = Program::serving(&edited(
        TWO_TENANTS,
        "[{ address: 127.0.0.1:0 }]",
        "[{ address: 127.0.0.1:0, serves: [public] }, { address: 127.0.0.1:0, serves: [admin] }]",
    ));
    program.get("/metrics").await.assert_refused(404, "not_found");
    let admin = format!("http://{}", program.addresses()[1]);
    let status = async |path: &str| reqwest::get(format!("{admin}{path}")).await.unwrap().status().as_u16();
    assert_eq!(status("/metrics").await, 200);
    assert_eq!(status("/health/ready").await, 200);
    assert_eq!(status("/api/v1/tenant/acme/strategies").await, 404);
    assert_eq!(program.get("/health/ready").await.status, 200);
}

/// Compares the names in order.
#[tokio::test]
async fn documented_metrics_are_those_that_are_exported() {
    let page = include_str!("../../../../docs/operations.md");
    let chapter = page.split("\n## ").find(|chapter| chapter.starts_with("Metrics\n")).unwrap();
    let (_folder, program) = Program::serving(TWO_TENANTS);
    let numbers = program.get("/metrics").await.body;
    let reported: Vec<&str> =
        numbers.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    // The program exports the metrics of PostgreSQL and Redis only when it uses these.
    let in_table = |line: &'static str| {
        let line = Some(line).filter(|line| !line.contains("| With "))?;
        line.strip_prefix("| `latchkey_")?.split('`').next()
    };
    let documented: Vec<String> =
        chapter.lines().filter_map(in_table).map(|name| format!("latchkey_{name}")).collect();
    assert_eq!(reported, documented);
}
