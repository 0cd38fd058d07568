//! Tests PgBouncer in front of PostgreSQL. Session mode works with row level security; transaction and
//! statement mode are refused. A session with the wrong role never reads or writes a tenant's rows.

use administration::store::query::TenantQuery;
use administration::store::{SealedItems as _, TenantList as _};
use futures_util::future::join_all;
use keys::SigningKeyStore as _;
use registry::{ClientStore as _, ReplayStore as _};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use storage::postgres::{self, PostgresOptions, Urls};
use storage::{Database, OpenError};
use testkit::fixtures::{self, NOW, key_of, tenant_id};
use testkit::{PgBouncer, requests};

use crate::belongings::identifier;
use crate::feeds::{add, added, listen, receive};
use crate::opening::Modest;
use crate::sandbox::{Sandbox, execute};

/// Enough for the pools of two replicas.
const SESSIONS: u32 = 60;

async fn open<'u>(urls: impl Into<Urls<'u>>) -> Result<Database, OpenError> {
    let patience = std::time::Duration::from_secs(10);
    postgres::open(urls, PostgresOptions { patience, ..PostgresOptions::default() }).await
}

async fn add_two_tenants(database: &Database) {
    for id in ["acme", "globex"] {
        let tenant = fixtures::tenant(id);
        requests::commit(database, &requests::added(&tenant, &[&fixtures::client(&tenant, id)]))
            .await
            .unwrap();
        assert!(database.add_key(&tenant.id, &key_of(&tenant.id, 1)).await.unwrap());
    }
}

/// A database whose pooler was reconfigured while it was open, so that all connections share one session.
async fn shared_session() -> (Sandbox, PgBouncer, Database) {
    let sandbox = Sandbox::new().await;
    let mut pooler = PgBouncer::started(&sandbox.url(), "session", SESSIONS);
    let patience = std::time::Duration::from_secs(10);
    let one_of_each = PostgresOptions { readers: 1, administrators: 1, patience };
    let database = postgres::open(&pooler.url(), one_of_each).await.unwrap();
    add_two_tenants(&database).await;
    pooler.restart("transaction", 1);
    (sandbox, pooler, database)
}

/// With PgBouncer's default settings. Earlier, the start was refused because of `extra_float_digits` and
/// `options`.
#[tokio::test(flavor = "multi_thread")]
async fn session_pooler_keeps_tenants_separate() {
    let sandbox = Sandbox::create("").await;
    let pooler = PgBouncer::started(&sandbox.url(), "session", SESSIONS);
    let (here, there) = (open(&pooler.url()).await.unwrap(), open(&pooler.url()).await.unwrap());
    assert_eq!(here.warning(), None);
    add_two_tenants(&here).await;
    for (own, other) in [("acme", "globex"), ("globex", "acme")] {
        let client = fixtures::client(&fixtures::tenant(own), own).id;
        assert!(there.find_client(&tenant_id(own), &client).await.unwrap().is_some());
        assert!(there.find_client(&tenant_id(other), &client).await.unwrap().is_none());
        assert!(there.record_use(&tenant_id(own), &identifier()).await.unwrap());
        assert!(!there.record_use(&tenant_id(own), &identifier()).await.unwrap());
    }
    let (mut received, watching) = listen(&here).await;
    add(&there, "initech").await;
    let patience = std::time::Duration::from_secs(10);
    while receive(&mut received, patience).await != added("initech") {}
    watching.abort();

    let reading = postgres::open_read_only(&pooler.url(), PostgresOptions::default()).await.unwrap().unwrap();
    assert!(reading.put_sealed_if_absent("x", b"y", NOW).await.is_err());
    for database in [here, there, reading] {
        database.close().await;
    }
}

/// Two sessions serve all connections, so that each transaction may get the session of another tenant's.
#[tokio::test(flavor = "multi_thread")]
async fn transaction_pooler_keeps_tenants_separate() {
    let sandbox = Sandbox::create("").await;
    let pooler = PgBouncer::started(&sandbox.url_of_superuser(), "transaction", 2);
    let (url, direct) = (pooler.url(), sandbox.url_of_superuser());
    let urls = Urls { url: &url, direct: Some(&direct), pools_transactions: true };
    let (here, there) = (open(urls).await.unwrap(), open(urls).await.unwrap());
    add_two_tenants(&here).await;
    let client = |id: &str| fixtures::client(&fixtures::tenant(id), id).id;
    let reading = (0..40).flat_map(|_| [("acme", "globex"), ("globex", "acme")]).map(async |(own, other)| {
        assert!(there.find_client(&tenant_id(own), &client(own)).await.unwrap().is_some());
        assert!(here.find_client(&tenant_id(other), &client(own)).await.unwrap().is_none());
    });
    join_all(reading).await;
    assert!(there.record_use(&tenant_id("acme"), &identifier()).await.unwrap());
    assert!(!here.record_use(&tenant_id("acme"), &identifier()).await.unwrap());

    let (mut received, watching) = listen(&here).await;
    add(&there, "initech").await;
    let patience = std::time::Duration::from_secs(10);
    while receive(&mut received, patience).await != added("initech") {}
    watching.abort();

    // The login is a superuser. So these refusals come from the role of each transaction.
    sandbox.define_as_superuser("REVOKE SELECT ON clients FROM latchkey_app").await;
    sandbox.define_as_superuser("REVOKE INSERT ON tenants FROM latchkey_writer, latchkey_operator").await;
    for id in ["acme", "globex"] {
        let refused = there.find_client(&tenant_id(id), &client(id)).await.unwrap_err();
        assert!(values::causes(&refused).contains("permission denied for table clients"), "{refused}");
    }
    let refused =
        requests::commit(&here, &requests::added(&fixtures::tenant("hooli"), &[])).await.unwrap_err();
    assert!(values::causes(&refused).contains("permission denied"), "{refused}");
    for database in [here, there] {
        database.close().await;
    }
}

/// With `ignore_startup_parameters = options` in PgBouncer, sessions of a superuser used to have no role.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_superuser_have_the_roles() {
    let sandbox = Sandbox::new().await;
    add_two_tenants(&sandbox.open().await).await;
    sandbox.define("REVOKE SELECT ON clients FROM latchkey_app").await;
    let pooler = PgBouncer::started(&sandbox.url_of_superuser(), "session", SESSIONS);
    for url in [pooler.url(), sandbox.url_of_superuser()] {
        let database = open(&url).await.unwrap();
        // The next start grants this permission again.
        sandbox.define("REVOKE SELECT ON clients FROM latchkey_app").await;
        for id in ["acme", "globex"] {
            let client = fixtures::client(&fixtures::tenant(id), id).id;
            let refused = database.find_client(&tenant_id(id), &client).await.unwrap_err();
            assert!(values::causes(&refused).contains("permission denied for table clients"), "{refused}");
        }
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_and_statement_poolers_are_refused() {
    let sandbox = Sandbox::new().await;
    for (mode, unit) in [("transaction", "transactions"), ("statement", "statements")] {
        for (login, sessions, several) in [
            (sandbox.url(), SESSIONS, false),
            (sandbox.url(), 1, false),
            // With several hosts, each is first asked whether it accepts writes.
            (sandbox.url(), 1, true),
            (sandbox.url_of_superuser(), SESSIONS, false),
        ] {
            let pooler = PgBouncer::started(&login, mode, sessions);
            let mut url = pooler.url();
            if several {
                let (before, after) = url.rsplit_once('/').unwrap();
                let host = before.rsplit_once('@').unwrap().1;
                url = format!("{before},{host}/{after}?target_session_attrs=read-write");
            }
            let options = PostgresOptions::default();
            let refusals = [
                postgres::open(&url, options).await.unwrap_err(),
                postgres::open_read_only(&url, options).await.unwrap_err(),
                postgres::migrate(&url).await.unwrap_err(),
                postgres::inspect(&url).await.unwrap_err(),
            ];
            for refused in refusals {
                let text = refused.to_string();
                assert!(matches!(refused, OpenError::Pooled { .. }), "{mode}: {}", values::causes(&refused));
                assert!(text.contains(&format!("is behind a pooler of {unit}")), "{text}");
                assert!(refused.hint().unwrap().contains("pool_mode = session"));
            }
            let urls = Urls { url: &url, direct: Some(&login), pools_transactions: true };
            let opened = open(urls).await.map(drop);
            assert_eq!(opened.is_ok(), mode == "transaction", "{opened:?}");
            let refused = open(Urls { url: &sandbox.url(), direct: Some(&url), pools_transactions: false })
                .await
                .unwrap_err();
            assert!(matches!(refused, OpenError::Direct(_)), "{}", values::causes(&refused));
            assert!(refused.hint().unwrap().ends_with("name PostgreSQL itself in storage.direct_url"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_and_migrations_bypass_the_pooler() {
    const NOTE: &str = "
        CREATE TABLE seen (name text); GRANT INSERT ON seen TO PUBLIC;
        CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql
            AS $$ BEGIN INSERT INTO public.seen SELECT current_setting('application_name'); END $$;
        CREATE EVENT TRIGGER noting ON ddl_command_end EXECUTE FUNCTION note()";
    let sandbox = Sandbox::create("").await;
    let mut server = PgConnection::connect(&sandbox.url_of_superuser()).await.unwrap();
    execute(&mut server, NOTE.to_owned()).await;
    let pooler = PgBouncer::started(&sandbox.url(), "session", SESSIONS);
    let (url, direct) = (pooler.url(), format!("{}?application_name=direct", sandbox.url()));
    let urls = Urls { url: &url, direct: Some(&direct), pools_transactions: false };
    let (here, there) = (open(urls).await.unwrap(), open(urls).await.unwrap());
    let mut names = async |select: &'static str| -> Vec<String> {
        sqlx::query_scalar(select).fetch_all(&mut server).await.unwrap()
    };
    assert_eq!(names("SELECT DISTINCT name FROM seen").await, ["direct"]);

    let (mut received, watching) = listen(&here).await;
    let patience = std::time::Duration::from_secs(10);
    for tenant in ["acme", "globex"] {
        add(&there, tenant).await;
        while receive(&mut received, patience).await != added(tenant) {}
    }
    let listening = "SELECT application_name FROM pg_stat_activity
                      WHERE datname = current_database() AND query LIKE 'SELECT reading.history%' AND pid <> pg_backend_pid()";
    assert_eq!(names(listening).await, ["direct"]);
    watching.abort();
    for database in [here, there] {
        database.close().await;
    }
}

/// Otherwise changes of other replicas would never arrive.
#[tokio::test(flavor = "multi_thread")]
async fn direct_url_to_another_database_is_refused() {
    let (sandbox, other) = (Sandbox::new().await, Sandbox::new().await);
    let modest = Modest::new().await;
    let (url, direct) = (sandbox.url(), other.url());
    for direct in [&direct, &modest.url()] {
        let urls = Urls { url: &url, direct: Some(direct), pools_transactions: false };
        let refusals = [open(urls).await.unwrap_err(), postgres::inspect(urls).await.unwrap_err()];
        for refused in refusals {
            let text = refused.to_string();
            assert!(text.starts_with("storage.direct_url leads to a different database ("), "{text}");
        }
    }
    let same = sandbox.url_of_superuser();
    let refused = open(Urls { url: &url, direct: Some(&same), pools_transactions: false }).await.unwrap_err();
    assert!(refused.to_string().starts_with("storage.direct_url leads to a different login ("), "{refused}");
    for direct in ["postgres://canary@127.0.0.1:1/rows", "postgres://canary@db/rows?sslmod=require"] {
        let refused =
            open(Urls { url: &url, direct: Some(direct), pools_transactions: false }).await.unwrap_err();
        assert!(refused.to_string().starts_with("storage.direct_url"), "{refused}");
        assert!(!refused.hint().unwrap_or_default().contains("storage.url"), "{refused}");
    }
}

/// The pooler is reconfigured while the program runs. The other role sees no rows, so without the check of
/// the role, lists would be empty and nothing would be deleted.
#[tokio::test(flavor = "multi_thread")]
async fn session_with_changed_role_cannot_read_across_tenants() {
    let (_sandbox, pooler, database) = shared_session().await;
    let list = async || database.list_tenants(&TenantQuery { limit: 9, ..TenantQuery::default() }).await;
    let delete = async || database.delete_expired_identifiers(NOW).await;
    assert_eq!((list().await.unwrap().len(), delete().await.unwrap()), (2, 0));
    let options: PgConnectOptions = pooler.url().parse().unwrap();
    let mut other = options.extra_float_digits(None).connect().await.unwrap();
    execute(&mut other, "RESET ROLE".to_owned()).await;
    for refused in [list().await.map(drop), delete().await.map(drop)] {
        let text = values::causes(&refused.unwrap_err());
        assert!(text.contains("this session must be latchkey_operator, but is latchkey_login"), "{text}");
    }
}

/// The pooler is reconfigured while the program runs. Both pools then share one session, which has the role
/// that was set last.
#[tokio::test(flavor = "multi_thread")]
async fn session_with_changed_role_cannot_enter_a_tenant() {
    let (_sandbox, _pooler, database) = shared_session().await;
    let client = |id| fixtures::client(&fixtures::tenant(id), id).id;
    // First the readers' connection sets latchkey_app and prepares the lookup. Then the administrators'
    // connection sets latchkey_operator.
    assert!(database.find_client(&tenant_id("acme"), &client("acme")).await.unwrap().is_some());
    drop(database.list_tenants(&TenantQuery::default()).await);
    for (own, other) in [("acme", "globex"), ("globex", "acme")] {
        for tenant in [own, other] {
            let refused = database.find_client(&tenant_id(tenant), &client(own)).await.unwrap_err();
            let text = values::causes(&refused);
            assert!(text.contains("this session must be latchkey_app, but is latchkey_operator"), "{text}");
        }
    }
}
