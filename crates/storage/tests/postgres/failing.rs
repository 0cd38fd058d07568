//! Tests that an unreachable server is reported as unavailable quickly, and that the database recovers
//! without help.

use std::time::{Duration, Instant};

use administration::store::{ChangeLog as _, TenantRows as _};
use storage::postgres::{self, PostgresOptions};
use storage::{Database, OpenError};
use tenancy::{StoreError, TenantStore as _};
use testkit::fixtures;
use testkit::requests;

use crate::forwarder::Forwarder;
use crate::sandbox::{Sandbox, execute, server};

async fn behind_a_forwarder() -> (Sandbox, Forwarder, Database) {
    let sandbox = Sandbox::new().await;
    let (forwarder, url) = Forwarder::new(&sandbox.url()).await;
    let database = postgres::open(&url, PostgresOptions::default()).await.unwrap();
    requests::commit(&database, &requests::added(&fixtures::tenant("acme"), &[])).await.unwrap();
    await_found(&database).await;
    (sandbox, forwarder, database)
}

/// Tries several times, because the machine may be busy.
async fn await_found(database: &Database) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = database.find_tenant(&fixtures::tenant_id("acme")).await {
        assert!(Instant::now() < deadline, "{error:?}");
    }
}

async fn is_found(database: &Database) -> bool {
    database.find_tenant(&fixtures::tenant_id("acme")).await.unwrap().is_some()
}

/// 250 ms on an idle machine, and a margin.
const SOON: Duration = Duration::from_secs(2);

/// Checks that a lookup fails quickly with an error that allows another attempt.
async fn check_refused(database: &Database) {
    let begun = Instant::now();
    let error = database.find_tenant(&fixtures::tenant_id("acme")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let took = begun.elapsed();
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn refusing_server_is_unavailable_and_recovers() {
    let (_sandbox, mut forwarder, database) = behind_a_forwarder().await;
    for _ in 0..2 {
        forwarder.refuse().await;
        for _ in 0..3 {
            check_refused(&database).await;
        }
        let error = database.position().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        forwarder.accept().await;
        await_found(&database).await;
    }
}

// [V13 13.2.6]: 3 | Connections follow the documentation |
#[tokio::test]
async fn hung_server_is_unavailable_soon() {
    let (_sandbox, mut forwarder, database) = behind_a_forwarder().await;
    forwarder.hang();
    for _ in 0..6 {
        check_refused(&database).await;
    }
    forwarder.refuse().await;
    forwarder.accept().await;
    await_found(&database).await;
}

// Once, a URL such as
// `postgres://…@db-1.example.com,db-2.example.com/latchkey?target_session_attrs=read-write` was refused.
#[tokio::test]
async fn writable_host_is_used_and_followed() {
    let sandbox = Sandbox::new().await;
    let ((mut first, one), (mut second, two)) =
        (Forwarder::new(&sandbox.url()).await, Forwarder::new(&sandbox.url()).await);
    let host = two.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    let (before, database) = one.rsplit_once('/').unwrap();
    let url = format!("{before},{host}/{database}?target_session_attrs=read-write");
    first.refuse().await;
    let opened = postgres::open(&url, PostgresOptions::default()).await.unwrap();
    requests::commit(&opened, &requests::added(&fixtures::tenant("acme"), &[])).await.unwrap();
    await_found(&opened).await;
    second.refuse().await;
    first.accept().await;
    check_refused(&opened).await;
    opened.follow().await;
    await_found(&opened).await;
    assert!(opened.takes_writes().await.unwrap());
    let name = database.to_owned();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    execute(&mut server().await, read_only).await;
    let refused = postgres::open(&url, PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::ReadOnly { .. } | OpenError::Open { .. }), "{refused}");
}

#[tokio::test]
async fn closed_connections_do_not_fail_requests() {
    let (sandbox, database) = Sandbox::opened().await;
    requests::commit(&database, &requests::added(&fixtures::tenant("acme"), &[])).await.unwrap();
    let name = sandbox.url().rsplit('/').next().unwrap().to_owned();
    for _ in 0..5 {
        assert!(is_found(&database).await);
        let end =
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
        execute(&mut server().await, end).await;
        assert!(is_found(&database).await);
        assert_eq!(database.list_tenant_summaries(&[]).await.unwrap().len(), 1);
    }
}
