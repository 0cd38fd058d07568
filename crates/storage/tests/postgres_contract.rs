//! Runs the contract of every store with PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "postgres/sandbox.rs"]
#[expect(dead_code, reason = "shared with the other tests of PostgreSQL")]
mod sandbox;

use sandbox::Sandbox;
use testkit::store_contract::Stores;

/// The environment variable with the URL of the server.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES_URL";

async fn fresh() -> (Stores, Sandbox) {
    let sandbox = Sandbox::new().await;
    (sandbox.stores().await, sandbox)
}

testkit::store_contract_tests!(fresh);
