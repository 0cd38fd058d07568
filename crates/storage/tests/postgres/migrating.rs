//! Tests migrations of PostgreSQL databases of an earlier version.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::earlier_schemas::{assert_rows_are_usable, rows};
use crate::sandbox::Sandbox;

#[tokio::test]
async fn rows_written_without_row_level_security_are_usable() {
    let sandbox = Sandbox::earlier(4, false, &rows()).await;
    assert_rows_are_usable(&sandbox.open().await).await;
}

/// The earlier version numbered a tenant's records by reading positions of all tenants.
#[tokio::test]
async fn migration_drops_the_policy_over_all_positions() {
    let sandbox = Sandbox::at_version(42, &[]).await;
    sandbox.define("SELECT latchkey_prepare_writer()").await;
    let policies =
        "SELECT polname::text FROM pg_policy WHERE polrelid = 'audit_records'::regclass ORDER BY 1";
    assert_eq!(sandbox.texts(policies).await.len(), 4);
    for _ in 0..2 {
        sandbox.open().await;
        let expected = ["of_all_tenants", "of_one_tenant", "of_one_writer"].map(|name| Some(name.to_owned()));
        assert_eq!(sandbox.texts(policies).await, expected);
    }
}

/// PostgreSQL refuses a prepared statement if its columns have changed since it was prepared (`cached plan
/// must not change result type`).
#[tokio::test]
async fn prepared_statements_survive_a_migration() {
    let sandbox = Sandbox::at_version(8, &[]).await;
    let program = PgConnectOptions::from_str(&sandbox.url()).unwrap().application_name("latchkey");
    let earlier = PgPoolOptions::new().max_connections(1).connect_with(program).await.unwrap();
    let statements = ["SELECT t.* FROM tenants t", "SELECT c.* FROM clients c"];
    for _ in 0..2 {
        for sql in statements {
            sqlx::query(sql).fetch_all(&earlier).await.unwrap();
        }
        sandbox.open().await;
    }
}
