//! What only PostgreSQL does with a database of an earlier program.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::earlier_schemas::{assert_found_searched_and_touched, rows};
use crate::sandbox::Sandbox;

#[tokio::test]
async fn rows_of_a_database_without_row_level_security_are_found_searched_and_touched() {
    let sandbox = Sandbox::earlier(4, false, &rows()).await;
    assert_found_searched_and_touched(&sandbox.open().await).await;
}

/// PostgreSQL refuses a prepared statement whose columns have changed since (`cached plan must not change result type`).
#[tokio::test]
async fn statements_that_an_earlier_program_prepared_are_answered_after_a_migration() {
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
