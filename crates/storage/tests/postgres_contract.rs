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

/// `cargo xtask ci --full` runs these.
mod pooled {
    use std::sync::Arc;
    use std::time::Duration;

    use storage::postgres::{self, PostgresOptions, Urls};
    use testkit::PgBouncer;
    use testkit::store_contract::Stores;

    use super::Sandbox;

    /// Three sessions for all connections, so that transactions change sessions.
    async fn fresh() -> (Stores, (Sandbox, PgBouncer)) {
        let sandbox = Sandbox::new().await;
        let pooler = PgBouncer::started(&sandbox.url(), "transaction", 3);
        let (url, direct) = (pooler.url(), sandbox.url());
        let urls = Urls { url: &url, direct: Some(&direct), pools_transactions: true };
        let options = PostgresOptions { patience: Duration::from_secs(10), ..PostgresOptions::default() };
        let stores = Arc::new(postgres::open(urls, options).await.unwrap());
        (stores, (sandbox, pooler))
    }

    testkit::store_contract_tests!(fresh);
}
