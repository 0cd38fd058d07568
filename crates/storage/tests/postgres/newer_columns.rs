//! A newer version has added columns. This version keeps what it does not know.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::store_contract::{Stores, add_rows_of_each_table, change_rows_of_each_table};

use crate::sandbox::{Sandbox, execute};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_keeps_the_columns_that_only_a_newer_version_knows() {
    let sandbox = Sandbox::new().await;
    add_rows_of_each_table(&Stores::of(sandbox.open().await)).await;
    let mut connection = PgConnection::connect(&sandbox.url()).await.unwrap();
    let tables = ["tenants", "resource_servers", "clients", "client_secrets", "signing_keys"];
    for table in tables {
        // The default fills the rows that exist.
        execute(&mut connection, format!("ALTER TABLE {table} ADD COLUMN newer TEXT DEFAULT 'kept'")).await;
    }
    change_rows_of_each_table(&Stores::of(sandbox.open().await)).await;
    execute(&mut connection, "SET ROLE latchkey_operator".to_owned()).await;
    for table in tables {
        let select = format!("SELECT newer FROM {table}");
        let kept: Vec<Option<String>> =
            sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut connection).await.unwrap();
        assert_eq!(kept, [Some("kept".to_owned())], "{table}");
    }
}
