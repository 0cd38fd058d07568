//! A database of an earlier program keeps its rows, and what newer ones find them by is made.

use std::str::FromStr as _;

use administration::{
    AuditLog as _, KeySchedule as _, TenantList as _, TenantQuery, TenantRows as _, search_terms,
};
use keys::{KeyId, KeyRecord, ShownTimes, SigningKeyStore as _};
use protocol::{Lifetime, Timestamp};
use registry::{Client, ClientStore as _};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};
use storage::Database;
use storage::postgres::MIGRATOR;
use tenancy::TenantStore as _;
use testkit::fixtures::{client_id, key, key_of, tenant_id};

use crate::sandbox::{Sandbox, execute};
use crate::{settings_of_clients, settings_of_tenants};

/// As the fourth migration's program wrote them, with the columns in the order of its schema. Tokens of a client have a lifetime of 77 s.
pub(crate) const ROWS: [&str; 4] = [
    "INSERT INTO tenants
     SELECT id, name, 'api', 1, 2, NULL, NULL, deleted_at, NULL, NULL, NULL, TRUE, TRUE, 900, 'RS256', 1, 1, 1, 1, 1, 1, 'jwt', 'JWT'
       FROM (VALUES ('acme-1', 'ACME (Tools), No. 1', NULL), ('globex', 'Globex über', NULL),
                    ('gone', 'Gone Tools', 3)) AS given (id, name, deleted_at)",
    "INSERT INTO tenant_issuers SELECT tenant_id, 0, 'https://auth.example.com/' || tenant_id FROM tenants",
    "INSERT INTO clients
     SELECT tenant_id, client_id, client_id, 'api', 1, 2, NULL, NULL, NULL, 'any', '{client_credentials}', audiences,
            resources, '', 77, NULL, 'own'
       FROM tenants,
            (VALUES ('svc', '{api}'::text[], '{https://api.example.com,api}'::text[]),
                    ('other', '{}', '{}')) AS given (client_id, audiences, resources)",
    "INSERT INTO audit_records VALUES ('acme-1', 1, 1, 'config', 'tenant.added', 'acme-1', '{}')",
];

/// As the fifth migration's program wrote them: keys of the first tenant, none of the second.
const KEYS: [&str; 3] = [
    "UPDATE tenants SET next_key = 3 WHERE tenant_id <> 'globex'",
    "INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at, active_from)
     SELECT 'acme-1', number, 'RS256', '\\x009f9296ff', 'thumbprint-' || number, 1767225600, 1767225600
       FROM generate_series(1, 2) AS given (number)",
    "UPDATE clients SET retired_at = CASE client_id WHEN 'svc' THEN 5 END",
];

/// Connected to an empty database that was brought up to this version, by whom the URL names.
pub(crate) async fn migrated(url: &str, version: i64) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let previous = MIGRATOR.iter().filter(|migration| migration.version <= version).cloned();
    Migrator::with_migrations(previous.collect()).run_direct(None, &mut connection, false).await.unwrap();
    connection
}

async fn at_version(version: i64, row_level_security: bool, rows: &[&str]) -> Sandbox {
    // Makes the roles, and takes them, if no test has done so yet: earlier schemas cannot from PostgreSQL 16 on.
    Sandbox::new().await;
    let sandbox = Sandbox::create("").await;
    let mut connection = migrated(&sandbox.url(), version).await;
    let mut transaction = connection.begin().await.unwrap();
    if row_level_security {
        execute(&mut transaction, "SELECT latchkey_raise_wall()".to_owned()).await;
        execute(&mut transaction, "SET LOCAL ROLE latchkey_operator".to_owned()).await;
    }
    for sql in rows {
        execute(&mut transaction, (*sql).to_owned()).await;
    }
    transaction.commit().await.unwrap();
    sandbox
}

async fn found(database: &Database, search: &str) -> Vec<String> {
    let query = TenantQuery { terms: search_terms(search), after: None, limit: 9 };
    let page = database.list_tenants(&query).await.unwrap();
    page.into_iter().map(|(cursor, _)| cursor.tenant.to_string()).collect()
}

#[tokio::test]
async fn rows_of_the_fourth_schema_are_found_searched_and_touched_by_the_fifth() {
    for row_level_security in [true, false] {
        let sandbox = at_version(4, row_level_security, &ROWS).await;
        let database = sandbox.open().await;
        let acme = tenant_id("acme-1");
        assert!(database.find_tenant(&acme).await.unwrap().unwrap().is_active());
        let state = database.load_state(&acme).await.unwrap().unwrap();
        assert_eq!((state.revision, state.lifecycle.deletion_due_at, state.clients.len()), (1, None, 2));
        for (search, expected) in [
            ("", vec!["acme-1", "globex"]),
            ("acme", vec!["acme-1"]),
            ("Tools", vec!["acme-1"]),
            ("no. 1", vec!["acme-1"]),
            ("glob über", vec!["globex"]),
            ("gone", Vec::new()),
        ] {
            assert_eq!(found(&database, search).await, expected, "{search:?}");
        }
        for name in ["api", "https://api.example.com", "svc"] {
            let related = administration::RelatedClients { ids: &[name], listed: &[name] };
            let related = database.load_with_related_clients(&acme, related).await.unwrap().unwrap();
            let touched: Vec<_> = related.clients.iter().map(|state| state.client.id.as_str()).collect();
            assert_eq!((touched.as_slice(), related.client_count), (&["svc"][..], 2), "{name}");
        }
        let query = administration::AuditQuery { limit: 9, ..administration::AuditQuery::default() };
        let audit = database.list_audit(&query).await.unwrap();
        assert!(audit.len() == 1 && audit[0].1.source.is_none(), "{audit:?}");
    }
}

/// The fifth migration has raised the wall itself.
#[tokio::test]
async fn keys_of_the_fifth_schema_are_due_at_once_in_the_sixth() {
    let sandbox = at_version(5, true, &[ROWS.as_slice(), KEYS.as_slice()].concat()).await;
    let database = sandbox.open().await;
    let (acme, globex) = (tenant_id("acme-1"), tenant_id("globex"));
    let state = database.load_keys(&acme).await.unwrap().unwrap();
    assert_eq!(state.records.keys, [key(1), key(2)]);
    assert_eq!(state.records.next, KeyId::numbered(3));
    assert_eq!((state.due_at, state.previous_jwks), (Some(Timestamp::from_seconds(0)), None));
    assert_eq!(state.longest_token, Lifetime::from_seconds(77));
    assert_eq!((state.tenant.signing.rsa_bits, state.tenant.signing.hold_activation), (2048, None));
    let state = database.load_keys(&globex).await.unwrap().unwrap();
    assert!(state.records.keys.is_empty() && state.due_at.is_none(), "{state:?}");
    assert_eq!(database.find_due_keys(Timestamp::from_seconds(1), 9).await.unwrap(), [acme]);
    assert!(database.add_key(&globex, &key_of(&globex, 1)).await.unwrap());
}

/// As the eighth migration's program let it happen. The row of each tenant stays; the tenant that had the key first owns it, and so do
/// the tenants of keys that are gone.
#[tokio::test]
async fn a_key_of_two_tenants_stays_in_both_and_belongs_to_the_first() {
    const SHARED: [&str; 2] = [
        "INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at, active_from)
         VALUES ('acme-1', 7, 'RS256', '\\x00', 'shared', 20, 20), ('globex', 7, 'RS256', '\\x00', 'shared', 10, 10)",
        "UPDATE tenants SET first_key_thumbprint = 'former' WHERE tenant_id = 'gone'",
    ];
    let sandbox = at_version(8, true, &[ROWS.as_slice(), &SHARED].concat()).await;
    let database = sandbox.open().await;
    let mut owners = database.find_key_owners(&["shared", "former", "unknown"]).await.unwrap();
    owners.sort();
    let expected = [("former", "gone"), ("shared", "globex")];
    assert_eq!(owners, expected.map(|(thumbprint, id)| (thumbprint.to_owned(), tenant_id(id))));
    for id in ["acme-1", "globex"] {
        let records = database.load_keys(&tenant_id(id)).await.unwrap().unwrap().records;
        assert_eq!(records.keys[0].thumbprint, "shared", "{id}");
    }
    let known = KeyRecord { thumbprint: "former".to_owned(), ..key(1) };
    assert!(!database.add_key(&tenant_id("acme-1"), &known).await.unwrap());
}

/// A program of the version before, beside this one, writes clients and keeps no count.
#[tokio::test]
async fn clients_that_an_earlier_program_writes_are_counted() {
    let sandbox = at_version(9, true, &ROWS).await;
    let database = sandbox.open().await;
    let mut connection = PgConnection::connect(&sandbox.url()).await.unwrap();
    execute(&mut connection, "SET ROLE latchkey_operator".to_owned()).await;
    let globex = async || database.load_state(&tenant_id("globex")).await.unwrap().unwrap().client_count;
    for (statement, counted) in [
        (
            "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, settings)
             SELECT tenant_id, 'more-' || client_id, name, managed_by, 1, 2, settings
               FROM clients WHERE tenant_id = 'acme-1'",
            4,
        ),
        ("UPDATE clients SET name = 'other' WHERE tenant_id = 'acme-1'", 4),
        ("UPDATE clients SET retired_at = 5 WHERE tenant_id = 'acme-1' AND client_id = 'svc'", 3),
        ("UPDATE clients SET deleted_at = 6 WHERE tenant_id = 'acme-1' AND client_id IN ('svc', 'other')", 2),
        ("UPDATE clients SET retired_at = NULL, deleted_at = NULL WHERE tenant_id = 'acme-1'", 4),
        ("DELETE FROM clients WHERE tenant_id = 'acme-1' AND client_id = 'more-svc'", 3),
    ] {
        execute(&mut connection, statement.to_owned()).await;
        let acme = database.load_state(&tenant_id("acme-1")).await.unwrap().unwrap();
        assert_eq!((acme.client_count, globex().await), (counted, 2), "{statement}");
    }
}

/// A program of the version before, beside this one, adds keys and changes their times, and does not know what is shown of them.
#[tokio::test]
async fn an_earlier_program_leaves_the_shown_times_of_keys() {
    let sandbox = at_version(12, true, &ROWS).await;
    let database = sandbox.open().await;
    let mut connection = PgConnection::connect(&sandbox.url()).await.unwrap();
    execute(&mut connection, "SET ROLE latchkey_operator".to_owned()).await;
    for statement in KEYS {
        execute(&mut connection, statement.to_owned()).await;
    }
    let acme = tenant_id("acme-1");
    let shown = async || {
        let records = database.load_keys(&acme).await.unwrap().unwrap().records;
        records.keys.iter().map(|key| (key.removed_at, key.shown)).collect::<Vec<_>>()
    };
    let nothing = (None, ShownTimes::default());
    assert_eq!(shown().await, [nothing, nothing]);
    let revoke = "UPDATE signing_keys SET removed_at = 8, shown_removed_at = 9 WHERE number = 1";
    execute(&mut connection, revoke.to_owned()).await;
    let earlier = "UPDATE signing_keys AS k SET active_from = 1, retiring_from = 2, removed_at = 3";
    execute(&mut connection, earlier.to_owned()).await;
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    let revoked = ShownTimes { removed_at: at(9), ..ShownTimes::default() };
    assert_eq!(shown().await, [(at(3), revoked), (at(3), ShownTimes::default())]);
}

#[tokio::test]
async fn each_setting_of_the_fortieth_schema_is_kept() {
    let written = settings_of_clients::written(|texts| format!("ARRAY{texts:?}::text[]").replace('"', "'"));
    let rows = [ROWS.as_slice(), &[&written, settings_of_tenants::WRITTEN]].concat();
    let sandbox = at_version(40, true, &rows).await;
    let database = sandbox.open().await;
    for (id, expected) in [
        ("svc", settings_of_clients::expected()),
        ("other", Client { access_token_lifetime: Some(Lifetime::from_seconds(77)), ..plain() }),
    ] {
        let found = database.find_client(&tenant_id("acme-1"), &client_id(id)).await.unwrap();
        assert_eq!(found.as_deref(), Some(&expected));
    }
    let found = database.find_tenant(&tenant_id("acme-1")).await.unwrap();
    assert_eq!(found.as_deref(), Some(&settings_of_tenants::expected()));
}

fn plain() -> Client {
    Client::new(tenant_id("acme-1"), client_id("other"))
}

/// PostgreSQL refuses a prepared statement whose columns have changed since (`cached plan must not change result type`).
#[tokio::test]
async fn statements_that_an_earlier_program_prepared_are_answered_after_a_migration() {
    let sandbox = at_version(8, true, &[]).await;
    let program = PgConnectOptions::from_str(&sandbox.url()).unwrap().application_name("latchkey");
    let earlier = PgPoolOptions::new().max_connections(1).connect_with(program).await.unwrap();
    let statements = ["SELECT t.* FROM tenants t", "SELECT c.* FROM clients c"];
    for _ in 0..2 {
        for sql in statements {
            sqlx::query(sql).fetch_all(&earlier).await.unwrap();
        }
        sandbox.open().await;
    }
}
