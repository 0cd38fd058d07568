//! A database of an earlier program keeps its rows, and what newer ones find them by is made.

use administration::{AdministrationStore as _, TenantQuery, search_words};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};
use storage_postgres::PostgresDatabase;
use tenancy::TenantStore as _;
use testkit::fixtures::tenant_id;

use crate::sandbox::{Sandbox, execute};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

/// As the fourth migration's program wrote them.
const ROWS: [&str; 4] = [
    "INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, deleted_at, oauth2_enabled,
                          oidc_enabled, stale_if_error, signing_algorithm, rotate_every, publish_before,
                          jwks_max_age, jwks_stale, skew, access_token_lifetime, access_token_format,
                          access_token_typ)
     SELECT id, name, 'api', 1, 2, deleted_at, TRUE, TRUE, 900, 'RS256', 1, 1, 1, 1, 1, 1, 'jwt', 'JWT'
       FROM (VALUES ('acme-1', 'ACME (Tools), No. 1', NULL), ('globex', 'Globex über', NULL),
                    ('gone', 'Gone Tools', 3)) AS given (id, name, deleted_at)",
    "INSERT INTO tenant_issuers SELECT tenant_id, 0, 'https://auth.example.com/' || tenant_id FROM tenants",
    "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method,
                          grant_types, audiences, resources, scopes, introspection)
     SELECT tenant_id, client_id, client_id, 'api', 1, 2, 'any', '{client_credentials}', audiences, resources, '', 'own'
       FROM tenants,
            (VALUES ('svc', '{api}'::text[], '{https://api.example.com,api}'::text[]),
                    ('other', '{}', '{}')) AS given (client_id, audiences, resources)",
    "INSERT INTO audit_records VALUES ('acme-1', 1, 1, 'config', 'tenant.added', 'acme-1', '{}')",
];

async fn at_version_4(walled: bool) -> Sandbox {
    let sandbox = Sandbox::create("").await;
    let mut connection = PgConnection::connect(&sandbox.url()).await.unwrap();
    let earlier = MIGRATOR.iter().filter(|migration| migration.version <= 4).cloned();
    Migrator::with_migrations(earlier.collect()).run_direct(None, &mut connection, false).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    if walled {
        execute(&mut transaction, "SELECT latchkey_raise_wall()".to_owned()).await;
        execute(&mut transaction, "SET LOCAL ROLE latchkey_operator".to_owned()).await;
    }
    for sql in ROWS {
        execute(&mut transaction, sql.to_owned()).await;
    }
    transaction.commit().await.unwrap();
    sandbox
}

async fn found(database: &PostgresDatabase, search: &str) -> Vec<String> {
    let query = TenantQuery { words: search_words(search), after: None, limit: 9 };
    let page = database.list_tenants(&query).await.unwrap();
    page.into_iter().map(|(cursor, _)| cursor.tenant.to_string()).collect()
}

#[tokio::test]
async fn rows_of_the_fourth_schema_are_found_searched_and_touched_by_the_fifth() {
    for walled in [true, false] {
        let sandbox = at_version_4(walled).await;
        let database = sandbox.open().await;
        let acme = tenant_id("acme-1");
        assert!(database.find_tenant(&acme).await.unwrap().unwrap().is_active());
        let state = database.load_state(&acme).await.unwrap().unwrap();
        assert_eq!((state.revision, state.standing.deletion_due_at, state.clients.len()), (1, None, 2));
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
            let around = database.load_around(&acme, &[name]).await.unwrap().unwrap();
            let touched: Vec<_> = around.clients.iter().map(|state| state.client.id.as_str()).collect();
            assert_eq!(touched, ["svc"], "{name}");
        }
        let query = administration::AuditQuery { limit: 9, ..administration::AuditQuery::default() };
        let audit = database.list_audit(&query).await.unwrap();
        assert!(audit.len() == 1 && audit[0].1.source.is_none(), "{audit:?}");
    }
}
