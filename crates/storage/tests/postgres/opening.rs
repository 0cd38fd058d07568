//! Tests opening of empty databases, of the same database several times, of newer databases, and with logins
//! with few permissions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use administration::store::SealedItems as _;
use futures_util::future::join_all;
use storage::postgres::{self, MIGRATOR, PostgresOptions};
use storage::{Database, OpenError};
use tenancy::TenantStore as _;
use testkit::fixtures::{self, NOW, tenant_id};
use testkit::requests;
use tokio::time::sleep;

use crate::sandbox::{Sandbox, execute, server};

async fn migrations(sandbox: &Sandbox) -> i64 {
    let mut connection = sandbox.connect().await;
    sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations").fetch_one(&mut connection).await.unwrap()
}

/// The number of migrations of this program.
fn known() -> i64 {
    i64::try_from(MIGRATOR.iter().count()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_openings_migrate_once() {
    let sandbox = Sandbox::create("").await;
    // A migration ends idle sessions, also those that a later replica uses to detect a pooler.
    let openings = (0..12).map(async |place| {
        sleep(Duration::from_millis(20 * place)).await;
        sandbox.open().await
    });
    for database in join_all(openings).await {
        assert!(database.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
    }
    assert_eq!(migrations(&sandbox).await, known());
}

#[tokio::test]
async fn newer_schema_is_refused_and_unchanged() {
    let sandbox = Sandbox::new().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, '', 0)";
    execute(&mut sandbox.connect().await, newer.to_owned()).await;
    let refused = postgres::open(&sandbox.url(), PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("run a newer version of Latchkey"), "{refused}");
    let refused = postgres::open_read_only(&sandbox.url(), PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
    assert_eq!(migrations(&sandbox).await, known() + 1);
}

#[tokio::test]
async fn read_only_opening_requires_the_schema() {
    let sandbox = Sandbox::create("").await;
    assert!(postgres::open_read_only(&sandbox.url(), PostgresOptions::default()).await.unwrap().is_none());
    let database = sandbox.open().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&database, &requests::added(&acme, &[])).await.unwrap();
    let reading =
        postgres::open_read_only(&sandbox.url(), PostgresOptions::default()).await.unwrap().unwrap();
    assert_eq!(reading.find_tenant(&acme.id).await.unwrap().as_deref(), Some(&acme));
    assert!(reading.put_sealed_if_absent("x", b"y", NOW).await.is_err());
    execute(&mut sandbox.connect().await, "DELETE FROM _sqlx_migrations WHERE version > 1".to_owned()).await;
    let refused = postgres::open_read_only(&sandbox.url(), PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Older { found: 1, .. }), "{refused}");
}

#[tokio::test]
async fn messages_do_not_contain_the_password() {
    let refusals = [
        ("postgres://latchkey:canary@127.0.0.1:1/rows", "cannot open 127.0.0.1:1/rows"),
        (
            "postgres://latchkey:canary@[::1/rows",
            "storage.url is not valid: a PostgreSQL host must be a name",
        ),
    ];
    for (url, expected) in refusals {
        let refused = postgres::open(url, PostgresOptions::default()).await.unwrap_err();
        let cause = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
        assert!(refused.to_string().starts_with(expected), "{refused}");
        assert!(!format!("{refused} {cause} {refused:?}").contains("canary"), "{refused:?}");
    }
    let sandbox = Sandbox::new().await;
    assert!(!format!("{:?}", sandbox.open().await).contains("latchkey_login"));
}

#[tokio::test]
async fn unopenable_database_is_reported_with_its_setting() {
    let sandbox = Sandbox::new().await;
    let url = sandbox.url();
    let (login, place) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let user = login.split(':').next().unwrap();
    for (url, because, hint) in [
        (
            format!("postgres://{user}:wrong@{place}"),
            "password authentication failed",
            "correct user and password",
        ),
        (format!("postgres://{login}@{server}/no_{name}"), "does not exist", "create the database"),
        (format!("postgres://{login}@127.0.0.1:1/{name}"), "Connection refused", "start PostgreSQL"),
    ] {
        let refused = postgres::open(&url, PostgresOptions::default()).await.unwrap_err();
        let text = values::causes(&refused);
        assert_eq!(text.matches(because).count(), 1, "{text}");
        assert!(!text.contains(" at line ") && !text.contains("wrong@"), "{text}");
        let said = refused.hint().unwrap();
        assert!(said.starts_with(hint) && said.contains("storage.url"), "{said}");
    }
}

static MODEST: AtomicU64 = AtomicU64::new(0);

/// A login that owns a database, may not create roles and is a member of none. The login is removed on drop.
pub(crate) struct Modest {
    login: String,
    sandbox: Sandbox,
}

impl Modest {
    pub(crate) async fn new() -> Self {
        // Creates the roles, which are shared by the whole server, if no other test has created them yet.
        Sandbox::new().await;
        let sandbox = Sandbox::create("").await;
        let number = MODEST.fetch_add(1, Ordering::Relaxed);
        let login = format!("latchkey_modest_{}_{number}", std::process::id());
        let modest = Self { login, sandbox };
        modest.administer("CREATE ROLE {login} LOGIN PASSWORD 'modest'").await;
        modest.administer("ALTER DATABASE {database} OWNER TO {login}").await;
        modest
    }

    pub(crate) async fn administer(&self, sql: &str) {
        let (_, database) =
            self.sandbox.url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let sql = sql.replace("{login}", &self.login).replace("{database}", &database);
        execute(&mut server().await, sql).await;
    }

    pub(crate) fn url(&self) -> String {
        let url = self.sandbox.url();
        let (_, place) = url.rsplit_once('@').unwrap();
        format!("postgres://{}:modest@{place}", self.login)
    }

    pub(crate) async fn open(&self) -> Result<Database, OpenError> {
        postgres::open(&self.url(), PostgresOptions::default()).await
    }

    pub(crate) async fn has_row_level_security(&self) -> bool {
        let forced = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'tenants'::regclass";
        sqlx::query_scalar(forced).fetch_one(&mut self.sandbox.connect().await).await.unwrap()
    }
}

#[tokio::test]
async fn login_without_roles_has_no_row_level_security() {
    let modest = Modest::new().await;
    let acme = fixtures::tenant("acme");
    let database = modest.open().await.unwrap();
    requests::commit(&database, &requests::added(&acme, &[])).await.unwrap();
    assert!(database.find_tenant(&acme.id).await.unwrap().is_some());
    assert!(!modest.has_row_level_security().await);
    assert!(database.warning().unwrap().starts_with("row level security is off: this login cannot act"));
    database.close().await;

    modest.administer("GRANT latchkey_app, latchkey_operator, latchkey_writer TO {login}").await;
    let database = modest.open().await.unwrap();
    assert!(database.find_tenant(&acme.id).await.unwrap().is_some());
    assert!(modest.has_row_level_security().await);
    assert_eq!(database.warning(), None);
    database.close().await;

    modest.administer("REVOKE latchkey_app, latchkey_operator FROM {login}").await;
    let refused = modest.open().await.unwrap_err();
    assert!(matches!(&refused, OpenError::Roles { login, .. } if *login == modest.login), "{refused}");
}

// Once, a login that does not own the database got `permission denied for schema public` without a hint.
#[tokio::test]
async fn login_without_create_right_gets_a_hint() {
    let modest = Modest::new().await;
    modest.administer("ALTER DATABASE {database} OWNER TO CURRENT_USER").await;
    modest.sandbox.keep_others_out().await;
    let refused = modest.open().await.unwrap_err();
    let text = values::causes(&refused);
    let hint = refused.hint().unwrap_or_default();
    assert!(text.contains("permission denied for schema public"), "{text}");
    assert!(
        hint.contains("owner of the database") && hint.contains("GRANT CREATE ON SCHEMA public"),
        "{hint}"
    );
}

/// The login has the two roles of the previous version, but not the role of writers.
#[tokio::test]
async fn login_without_writer_role_commits_as_operator() {
    let modest = Modest::new().await;
    modest.administer("GRANT latchkey_app, latchkey_operator TO {login}").await;
    let added = async |database: &Database, id: &str| {
        let tenant = fixtures::tenant(id);
        requests::commit(database, &requests::added(&tenant, &[&fixtures::client(&tenant, "svc")]))
            .await
            .unwrap();
        assert!(database.find_tenant(&tenant.id).await.unwrap().is_some());
    };
    let database = modest.open().await.unwrap();
    assert!(modest.has_row_level_security().await);
    assert!(database.warning().unwrap().starts_with("commits of one tenant run as latchkey_operator"));
    added(&database, "acme").await;
    database.close().await;

    modest.administer("GRANT latchkey_writer TO {login}").await;
    let database = modest.open().await.unwrap();
    assert_eq!(database.warning(), None);
    added(&database, "globex").await;
    database.close().await;

    modest.administer("REVOKE latchkey_writer FROM {login}").await;
    let database = modest.open().await.unwrap();
    assert!(database.warning().is_some());
    added(&database, "initech").await;
    database.close().await;
}
