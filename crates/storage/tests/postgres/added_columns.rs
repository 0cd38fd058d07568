//! Tests this version after a newer version has added columns.

use std::time::Duration;

use administration::documents::application::ApplicationId;
use administration::store::query::{AuditQuery, ClientQuery, RelatedClients, TenantQuery, search_terms};
use administration::store::{
    Applications as _, AuditLog as _, ChangeLog as _, Generations as _, IdempotentAnswers as _,
    KeySchedule as _, SealedItems as _, TenantList as _, TenantRows as _, UsageLog as _,
};
use keys::SigningKeyStore as _;
use registry::{Client, ClientStore as _};
use storage::Database;
use storage::postgres::{self, PostgresOptions};
use tenancy::TenantStore as _;
use testkit::fixtures::{self, NOW};
use testkit::requests;

use crate::sandbox::Sandbox;

/// PostgreSQL refuses a prepared statement if its columns have changed since it was prepared (`cached plan
/// must not change result type`).
#[tokio::test]
async fn prepared_statements_survive_an_added_column() {
    let sandbox = Sandbox::new().await;
    // Each pool has only one session, so it executes the same prepared statements again.
    let options = PostgresOptions { readers: 1, administrators: 1, patience: Duration::from_secs(10) };
    let database = postgres::open(&sandbox.url(), options).await.unwrap();
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    requests::commit(&database, &requests::added(&acme, &[&svc])).await.unwrap();
    read_all_tables(&database, &svc).await;
    let add_columns = "
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
                           AND relkind IN ('r', 'p') AND NOT relispartition LOOP
                EXECUTE format('ALTER TABLE %I ADD COLUMN newer text', name);
            END LOOP;
        END $$";
    sandbox.define(add_columns).await;
    read_all_tables(&database, &svc).await;
}

async fn read_all_tables(database: &Database, svc: &Client) {
    let (tenant, client) = (&svc.tenant, &svc.id);
    assert!(database.find_tenant(tenant).await.unwrap().is_some());
    assert!(database.find_client(tenant, client).await.unwrap().is_some());
    assert!(database.find_keys(tenant).await.unwrap().keys.is_empty());
    assert!(database.load_keys(tenant).await.unwrap().is_some());
    assert_eq!(database.list_tenant_summaries(&[]).await.unwrap().len(), 1);
    assert_eq!(database.load_state(tenant).await.unwrap().unwrap().clients.len(), 1);
    let related = RelatedClients { ids: &[client.as_str()], listed: &[] };
    let state = database.load_with_related_clients(tenant, related).await.unwrap();
    assert_eq!(state.unwrap().clients.len(), 1);
    let page = ClientQuery { limit: 9, ..ClientQuery::default() };
    assert_eq!(database.list_clients(tenant, &page).await.unwrap().len(), 1);
    for search in ["", "acme"] {
        let page = TenantQuery { terms: search_terms(search), after: None, limit: 9 };
        assert_eq!(database.list_tenants(&page).await.unwrap().len(), 1);
    }
    for tenant in [None, Some(tenant.clone())] {
        let page = AuditQuery { tenant, limit: 9, ..AuditQuery::default() };
        database.list_audit(&page).await.unwrap();
    }
    assert!(!database.changes_since(0).await.unwrap().is_empty());
    database.find_application(tenant, &ApplicationId::random()).await.unwrap();
    database.find_application_named(tenant, "app").await.unwrap();
    database.list_applications(tenant, 0, 9).await.unwrap();
    database.latest_generation().await.unwrap();
    database.list_generations(9).await.unwrap();
    database.list_sealed(None, 9, NOW).await.unwrap();
    database.find_idempotent_answer(tenant, &[7; 32], NOW).await.unwrap();
    database.secret_usage(tenant, client).await.unwrap();
    database.verifier_fetches(tenant).await.unwrap();
}
