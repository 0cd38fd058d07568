//! Tests that a server that does not do what Latchkey relies on is refused, with what is missing. A forwarder
//! replaces the statement that proves it.

use std::time::Duration;

use storage::OpenError;
use storage::postgres::{self, Missing, PostgresOptions, Proven};

use crate::feeds::{add, added, listen, receive};
use crate::forwarder::Forwarder;
use crate::sandbox::Sandbox;

const PLANTED: [(Missing, &str, &str); 8] = [
    (Missing::Locks, "pg_try_advisory_xact_lock(7810204517302014)", "true"),
    (Missing::TransactionIds, "pg_current_xact_id()::text::bigint", "7::bigint"),
    (Missing::TransactionIds, "pg_current_xact_id()", "not_a_function()"),
    (
        Missing::TransactionIds,
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        "9223372036854775807::bigint",
    ),
    (Missing::Sequences, "RETURNING position", "RETURNING 7::int8"),
    (Missing::Role, "SET LOCAL ROLE latchkey_app", "SET LOCAL jit = off"),
    // The row of one tenant is visible as the other, and invisible as its own.
    (Missing::RowLevelSecurity, "latchkey.tenant = '~there'", "latchkey.tenant = '~here'"),
    (Missing::RowLevelSecurity, "latchkey.tenant = '~here'", "latchkey.tenant = '~gone'"),
];

#[tokio::test(flavor = "multi_thread")]
async fn server_without_a_guarantee_is_refused() {
    let sandbox = Sandbox::new().await;
    let (forwarder, url) = Forwarder::new(&sandbox.url()).await;
    let options = PostgresOptions::default();
    for (expected, from, to) in PLANTED {
        forwarder.rewrite(from, to);
        let refusals =
            [postgres::open(&url, options).await.unwrap_err(), postgres::prove(&url).await.unwrap_err()];
        for refused in refusals {
            let OpenError::Unproven { missing, .. } = &refused else { panic!("{from}: {refused:?}") };
            assert_eq!(*missing, expected, "{from}");
            assert!(refused.to_string().contains("cannot be used: "), "{refused}");
            assert!(refused.hint().unwrap().contains("PostgreSQL 14"));
        }
    }
    forwarder.rewrite("a text that no message contains", "");
    assert_eq!(postgres::prove(&url).await.unwrap(), Some(Proven { notifies: true }));
    forwarder.rewrite("SELECT NOT pg_is_in_recovery() AND", "SELECT false AND");
    let refused = postgres::prove(&url).await.unwrap_err();
    assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_without_notifications() {
    let sandbox = Sandbox::new().await;
    let (forwarder, url) = Forwarder::new(&sandbox.url()).await;
    forwarder.rewrite("LISTEN ", "--");
    assert_eq!(postgres::prove(&url).await.unwrap(), Some(Proven { notifies: false }));
    let options = PostgresOptions { patience: Duration::from_secs(10), ..PostgresOptions::default() };
    let (here, there) =
        (postgres::open(&url, options).await.unwrap(), postgres::open(&url, options).await.unwrap());
    let (mut received, watching) = listen(&here).await;
    add(&there, "acme").await;
    while receive(&mut received, Duration::from_secs(10)).await != added("acme") {}
    watching.abort();
}

#[tokio::test]
async fn proof_leaves_nothing_behind() {
    let sandbox = Sandbox::new().await;
    for _ in 0..2 {
        assert_eq!(postgres::prove(&sandbox.url()).await.unwrap(), Some(Proven { notifies: true }));
    }
    let rows = "SELECT count(*)::text FROM (SELECT tenant_id FROM change_log
                UNION ALL SELECT tenant_id FROM idempotent_answers) AS rows";
    assert_eq!(sandbox.texts(rows).await, [Some("0".to_owned())]);
    assert_eq!(postgres::prove(&Sandbox::create("").await.url()).await.unwrap(), None);
}
