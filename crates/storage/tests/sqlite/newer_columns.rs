//! A newer version has added columns, and members of a document. This version keeps what it does not know.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use storage::sqlite;
use testkit::store_contract::{Stores, add_rows_of_each_table, change_rows_of_each_table};

use crate::declared::Sandbox;

#[tokio::test]
async fn a_commit_keeps_the_columns_that_only_a_newer_version_knows() {
    let sandbox = Sandbox::new();
    add_rows_of_each_table(&Stores::of(sqlite::open(&sandbox.path()).await.unwrap())).await;
    let options = SqliteConnectOptions::new().filename(sandbox.path());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let tables = ["tenants", "resource_servers", "clients", "client_secrets", "signing_keys"];
    for table in tables {
        let alter = format!("ALTER TABLE {table} ADD COLUMN newer TEXT; UPDATE {table} SET newer = 'kept'");
        sqlx::raw_sql(AssertSqlSafe(alter)).execute(&mut connection).await.unwrap();
    }
    let documents = ["tenants", "clients"];
    for table in documents {
        let newer = format!("UPDATE {table} SET settings = json_set(settings, '$.newer', 'kept')");
        sqlx::raw_sql(AssertSqlSafe(newer)).execute(&mut connection).await.unwrap();
    }
    change_rows_of_each_table(&Stores::of(sqlite::open(&sandbox.path()).await.unwrap())).await;
    let documents = documents.map(|table| (table, "settings ->> 'newer'"));
    for (table, newer) in tables.map(|table| (table, "newer")).into_iter().chain(documents) {
        let select = format!("SELECT {newer} FROM {table}");
        let kept: Vec<Option<String>> =
            sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut connection).await.unwrap();
        assert_eq!(kept, [Some("kept".to_owned())], "{table}");
    }
}
