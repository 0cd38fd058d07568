//! Runs the contract of every store with SQLite.

use std::sync::Arc;

use storage::sqlite;
use tempfile::TempDir;
use testkit::store_contract::Stores;

async fn fresh() -> (Stores, TempDir) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let database =
        sqlite::open(&folder.path().join("latchkey.db")).await.expect("a new database can be opened");
    (Arc::new(database), folder)
}

testkit::store_contract_tests!(fresh);
