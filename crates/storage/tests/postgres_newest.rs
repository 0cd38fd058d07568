//! Runs the contract of every store with the newest PostgreSQL, with row level security. There, a login that
//! creates a role cannot act as the role until it is granted. Text is sorted as in English unless a column
//! says otherwise.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

#[path = "postgres/belongings.rs"]
mod belongings;
#[path = "shared/earlier_schemas.rs"]
mod earlier_schemas;
#[path = "postgres/foreign_rows.rs"]
mod foreign_rows;
#[path = "postgres/migrating.rs"]
mod migrating;
#[path = "postgres/opening.rs"]
mod opening;
#[path = "postgres/row_level_security.rs"]
mod row_level_security;
#[path = "postgres/sandbox.rs"]
#[expect(dead_code, reason = "shared with the other tests of PostgreSQL")]
mod sandbox;
#[path = "shared/settings_as_columns.rs"]
mod settings_as_columns;
#[path = "postgres/two_tenants.rs"]
mod two_tenants;

use opening::Modest;
use sandbox::Sandbox;
use sqlx::Connection as _;
use storage::OpenError;
use storage::postgres::{self, PostgresOptions};
use tenancy::TenantStore as _;
use testkit::fixtures::tenant_id;
use testkit::store_contract::Stores;

/// The environment variable with the URL of the server.
const SERVER: &str = "LATCHKEY_TEST_NEWEST_POSTGRES_URL";

async fn fresh() -> (Stores, Sandbox) {
    let sandbox = Sandbox::new().await;
    (sandbox.stores().await, sandbox)
}

testkit::store_contract_tests!(fresh);

/// Checks the properties of this server that the other tests rely on.
#[tokio::test]
async fn server_has_english_collation_and_strict_roles() {
    let (version, sorts): (i32, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::integer, 'a' < 'B' AND 'B' < 'c' AND 'a b' < 'aa'",
    )
    .fetch_one(&mut sandbox::server().await)
    .await
    .unwrap();
    assert!(version >= 160_000 && sorts, "{version} {sorts}");
}

/// The database has the sixth schema.
#[tokio::test]
async fn row_level_security_needs_the_roles() {
    let modest = Modest::new().await;
    // The permissions that PostgreSQL gives to the creator of a role.
    let made = "GRANT latchkey_app, latchkey_operator, latchkey_writer TO {login} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
    modest.administer(made).await;
    let mut connection = sandbox::migrated(&modest.url(), 6).await;
    for sql in earlier_schemas::rows() {
        sandbox::execute(&mut connection, sql).await;
    }
    let raised: bool =
        sqlx::query_scalar("SELECT latchkey_raise_wall()").fetch_one(&mut connection).await.unwrap();
    assert!(!raised && !modest.has_row_level_security().await);
    connection.close().await.unwrap();

    let database = modest.open().await.unwrap();
    assert!(modest.has_row_level_security().await);
    assert_eq!(database.warning(), None);
    for tenant in ["acme-1", "globex"] {
        assert!(database.find_tenant(&tenant_id(tenant)).await.unwrap().is_some());
    }
    database.close().await;
}

/// The login could grant the roles to itself, but reading must not change anything.
#[tokio::test]
async fn read_only_opening_reports_missing_roles() {
    let modest = Modest::new().await;
    let grant = "GRANT latchkey_app, latchkey_operator, latchkey_writer TO {login} WITH ADMIN TRUE, SET TRUE";
    modest.administer(grant).await;
    modest.open().await.unwrap().close().await;
    let look = async || postgres::open_read_only(&modest.url(), PostgresOptions::default()).await;
    assert_eq!(look().await.unwrap().unwrap().warning(), None);
    modest.administer(&grant.replace("SET TRUE", "SET FALSE")).await;
    let refused = look().await.unwrap_err();
    assert!(matches!(refused, OpenError::Roles { .. }), "{refused}");
}
