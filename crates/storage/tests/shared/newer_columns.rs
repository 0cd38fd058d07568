//! Tests that columns and document members of a newer version are kept.

use testkit::store_contract::concurrent::{add_rows_of_each_table, change_rows_of_each_table};

use crate::sandbox::{ADD_NEWER_MEMBER, NEWER_MEMBER, Sandbox};

#[tokio::test]
async fn commits_keep_columns_of_newer_versions() {
    let sandbox = Sandbox::new().await;
    add_rows_of_each_table(&sandbox.stores().await).await;
    let tables = ["tenants", "resource_servers", "clients", "client_secrets", "signing_keys"];
    for table in tables {
        sandbox.define(&format!("ALTER TABLE {table} ADD COLUMN newer TEXT")).await;
        sandbox.execute(&format!("UPDATE {table} SET newer = 'kept'")).await;
    }
    let documents = ["tenants", "clients"];
    for table in documents {
        sandbox.execute(&format!("UPDATE {table} SET settings = {ADD_NEWER_MEMBER}")).await;
    }
    change_rows_of_each_table(&sandbox.stores().await).await;
    let documents = documents.map(|table| (table, NEWER_MEMBER));
    for (table, newer) in tables.map(|table| (table, "newer")).into_iter().chain(documents) {
        let kept = sandbox.texts(&format!("SELECT {newer} FROM {table}")).await;
        assert_eq!(kept, [Some("kept".to_owned())], "{table}");
    }
}
