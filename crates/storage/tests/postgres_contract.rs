//! A database of a PostgreSQL server is a store.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "postgres/sandbox.rs"]
mod sandbox;

use sandbox::Sandbox;
use testkit::store_contract::Stores;

/// What says where the server is.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES_URL";

async fn fresh() -> (Stores, Sandbox) {
    let sandbox = Sandbox::new().await;
    (Stores::of(sandbox.open().await), sandbox)
}

testkit::store_contract_tests!(fresh);
