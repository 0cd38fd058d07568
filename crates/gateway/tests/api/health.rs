//! Liveness and readiness: the responses, and when they change.

use gateway::HealthState;

use crate::prelude::*;

const READY: &str = r#"{"status":"ready","checks":{"keys":{"status":"ok"},"store":{"status":"ok"}}}"#;

#[tokio::test]
async fn health_checks_read_no_store() {
    let app = TestApp::start();
    for (path, body) in [("/health/live", r#"{"status":"live"}"#), ("/health/ready", READY)] {
        let answer = app.get(path).await;
        answer.assert_json();
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("retry-after"), "");
    }
    assert_eq!(app.store_calls(), 0);
}

#[tokio::test]
async fn failed_check_makes_the_gateway_not_ready() {
    let app = TestApp::start();
    app.health_report.set("store", HealthState::Degraded("cached clients are served".into()));
    let answer = app.get("/health/ready").await;
    let degraded = r#"{"status":"ready","checks":{"keys":{"status":"ok"},"store":{"status":"degraded","reason":"cached clients are served"}}}"#;
    assert_eq!((answer.status, answer.body.as_str()), (200, degraded));

    app.health_report.set("store", HealthState::Failed("it does not answer".into()));
    let answer = app.get("/health/ready").await;
    let failed = r#"{"status":"not_ready","checks":{"keys":{"status":"ok"},"store":{"status":"failed","reason":"it does not answer"}}}"#;
    assert_eq!((answer.status, answer.body.as_str()), (503, failed));
    assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("1", "no-store"));
    // A server that is not ready is still live. Otherwise an orchestrator would restart it because
    // of an unavailable store.
    assert_eq!(app.get("/health/live").await.status, 200);

    app.health_report.set("store", HealthState::Good);
    assert_eq!(app.get("/health/ready").await.body, READY);
}

#[tokio::test]
async fn every_listener_serves_health_only_admin_serves_metrics() {
    let mut options = options(ACME);
    let surfaces = [(true, true), (true, false), (false, true)];
    let listener = |(public, admin)| {
        ListenerOptions::new(([127, 0, 0, 1], 0).into(), ListenerSurface::new(public, admin))
    };
    options.listeners = surfaces.map(listener).to_vec();
    let app = TestApp::start_with(&options);
    for (index, (_, admin)) in surfaces.into_iter().enumerate() {
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(Answer::to(app.request_at(index, Method::GET, path)).await.status, 200);
        }
        let numbers = Answer::to(app.request_at(index, Method::GET, "/metrics")).await;
        if admin {
            assert_eq!(numbers.status, 200);
        } else {
            numbers.assert_refused(404, "not_found", "Unknown path");
        }
    }
}

/// The gateway serves both tenants until it stops. Only the readiness probe and the closing
/// connections announce the stop.
#[tokio::test]
async fn stopping_gateway_is_not_ready_but_still_serves() {
    let app = TestApp::start();
    assert!(!app.handle.probed_within(Duration::from_secs(60)));
    assert_eq!(app.get("/health/ready").await.status, 200);
    assert!(app.handle.probed_within(Duration::from_secs(60)));

    app.handle.withdraw();
    let answer = app.get("/health/ready").await;
    assert_eq!((answer.status, answer.header("connection")), (503, "close"));
    let json = answer.json();
    assert_eq!(json["status"], "not_ready");
    assert_eq!(json["checks"]["draining"]["status"], "failed");
    assert_eq!(json["checks"]["store"]["status"], "ok");
    assert_eq!(app.get("/health/live").await.status, 200);
    for tenant in [ACME, GLOBEX] {
        let answer = app.get(&tenant_path(tenant, "/strategies")).await;
        assert_eq!((&*answer.text("tenant_id"), answer.header("connection")), (tenant, "close"));
        app.token(tenant).await;
    }
}
