//! Tests that SQLite finds the rows of lists by an index and never scans a whole table. Only the statements
//! and the indexes determine SQLite's plans, because Latchkey never collects statistics.

use administration::audit::AuditRecord;
use administration::documents::application::Application;
use administration::kinds;
use administration::kinds::TenantState;
use administration::kinds::state::ConsentState;
use administration::store::query::{AuditCursor, AuditQuery};
use administration::store::{SecretUsage, VerifierFetch};
use grants::{AuthorizationCode, DeviceCode, OneTime, PushedRequest};
use keys::KeyRecord;
use keys::life_cycle::KeyTimes;
use sessions::FoundSession;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use tempfile::TempDir;
use tenancy::TenantId;
use testkit::fixtures::{NOW, tenant_id};

use crate::one_time::{self, OneTimeKind, Used};
use crate::rows::ReadRevocation;
use crate::statement::{Dialect, Statement};
use crate::{
    accounts, applications, audit_records, audit_stream, clients, key_schedules, logos, revocations,
    sealed_items, secret_rotations, signing_keys, sqlite, tenant_keys, tenant_search, tenants, usage_log,
};

async fn plan(statement: Statement) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("latchkey.db");
    sqlite::open(&path).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.text(Dialect::Sqlite)));
    let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

async fn check(statement: Statement, may_sort: bool) {
    let sql = statement.text(Dialect::Sqlite);
    let steps = plan(statement).await;
    assert!(!steps.is_empty());
    for step in &steps {
        // Only these may be scanned completely: rows given as JSON, a page of rows, the counter of each log,
        // and constants.
        let small = [
            "VIRTUAL TABLE",
            "SCAN page",
            "SCAN place",
            "SCAN reading",
            "SCAN sqlite_sequence",
            "CONSTANT ROW",
        ];
        let scans = step.starts_with("SCAN ") && !small.iter().any(|name| step.contains(name));
        assert!(!scans, "{sql}\n{steps:#?}");
        assert!(may_sort || !step.contains("TEMP B-TREE FOR ORDER BY"), "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn lists_do_not_scan_tables() {
    for statement in [
        Statement::from_text(tenant_search::PLACES),
        Statement::from_text(tenant_search::IN_ORDER).reading::<TenantState>(),
        Statement::from_text(tenants::SELECT).reading::<TenantState>(),
        Statement::from_text(logos::SELECT),
        Statement::from_text(clients::SELECT_ONE).reading::<kinds::client::State>(),
        Statement::from_text(clients::SELECT_ALL).reading::<kinds::client::State>(),
        Statement::from_text(clients::SELECT_PAGE).reading::<kinds::client::State>(),
        Statement::from_text(applications::SELECT_PAGE).reading::<Application>(),
        Statement::from_text(usage_log::SELECT_USES).reading::<SecretUsage>(),
        Statement::from_text(usage_log::SELECT_USES_OF_CLIENTS).reading::<SecretUsage>(),
        Statement::from_text(revocations::SELECT).reading::<ReadRevocation>(),
        Statement::from_text(accounts::SELECT_ONE).reading::<kinds::account::State>(),
        Statement::from_text(accounts::SELECT_IDENTIFIED).reading::<kinds::account::State>(),
        Statement::from_text(accounts::SELECT_PAGE).reading::<kinds::account::State>(),
        Statement::from_text(accounts::SELECT_CONSENTS).reading::<ConsentState>(),
    ] {
        check(statement, false).await;
    }
    // These statements sort only the rows that were found or named.
    for statement in [
        Statement::from_text(tenant_search::FOUND).reading::<TenantState>(),
        Statement::from_text(clients::SQLITE_RELATED).reading::<kinds::client::State>(),
        Statement::from_text(accounts::SELECT_SEARCHED).reading::<kinds::account::State>(),
        Statement::from_text(accounts::SQLITE_RELATED).reading::<kinds::account::State>(),
        Statement::from_text(accounts::SELECT_SESSIONS).reading::<FoundSession>(),
        Statement::from_text(tenants::DUE_DELETIONS),
    ] {
        check(statement, true).await;
    }
}

#[tokio::test]
async fn key_statements_do_not_scan_tables() {
    for sql in [
        key_schedules::DUE,
        key_schedules::NEXT,
        key_schedules::NEXT_OF_TENANT,
        sealed_items::KEYS,
        sealed_items::VALUES,
        sealed_items::SOURCES,
        sealed_items::ANSWERS,
        signing_keys::TAKE_NUMBERS,
        signing_keys::DESTROY,
        key_schedules::SCHEDULE,
        key_schedules::NOTE_PREVIOUS_JWKS,
    ] {
        check(Statement::from_text(sql), false).await;
    }
    for statement in [
        Statement::from_text(tenant_keys::SELECT).reading::<TenantState>(),
        Statement::from_text(signing_keys::SELECT).reading::<KeyRecord>(),
        Statement::from_text(signing_keys::SELECT_WHOLE).reading::<KeyRecord>(),
        Statement::from_text(signing_keys::SELECT_ONE).reading::<KeyRecord>(),
        Statement::writing::<(TenantId, KeyRecord)>(signing_keys::INSERT),
        Statement::writing::<(TenantId, KeyTimes)>(signing_keys::SET_TIMES),
        Statement::writing::<TenantId>(signing_keys::EXTEND_RETENTION),
        Statement::writing::<TenantId>(key_schedules::MAKE_DUE),
    ] {
        check(statement, false).await;
    }
    // Sorts only the rows that are kept for one tenant.
    check(Statement::from_text(usage_log::SELECT_FETCHES).reading::<VerifierFetch>(), true).await;
    for (sql, index) in [
        (key_schedules::DUE, "key_schedules_by_time (due_at>? AND due_at<?)"),
        (key_schedules::NEXT, "key_schedules_by_time (due_at>?)"),
        (secret_rotations::DUE, "clients_that_rotate"),
        (audit_stream::TO_ERASE, "accounts_to_erase"),
        (clients::SELECT_FEDERATED, "clients_by_rules"),
        (clients::SQLITE_SUBJECTS, "s USING PRIMARY KEY (tenant_id=? AND issuer=? AND place=?)"),
        (tenants::ISSUERS_BELOW, "tenant_issuers_1 (issuer>? AND issuer<?)"),
        (sealed_items::KEYS, "(tenant_id,number)>(?,?)"),
        (sealed_items::ANSWERS, "(tenant_id,key)>(?,?)"),
    ] {
        let steps = plan(Statement::from_text(sql)).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
    }
    let steps = plan(Statement::from_text(tenant_keys::SELECT).reading::<TenantState>()).await;
    assert!(steps.iter().any(|step| step.contains("clients_by_lifetime (tenant_id=?")), "{steps:#?}");
}

#[tokio::test]
async fn one_time_records_do_not_scan_tables() {
    async fn check_kind<T: OneTimeKind>() {
        let use_up = Statement::writing::<Used<T>>(&one_time::use_up::<T>());
        check(use_up.reading::<OneTime<T>>(), false).await;
    }
    check_kind::<AuthorizationCode>().await;
    check_kind::<DeviceCode>().await;
    check_kind::<PushedRequest>().await;
}

#[tokio::test]
async fn audit_queries_use_an_index() {
    let all = AuditQuery { limit: 50, ..AuditQuery::default() };
    let before = Some(AuditCursor { at: NOW, tenant: tenant_id("acme"), position: 9 });
    let of_tenant = AuditQuery { tenant: Some(tenant_id("acme")), ..all.clone() };
    let by_root = AuditQuery { actor: Some("cli:root".to_owned()), ..all.clone() };
    let queries = [
        (of_tenant.clone(), "PRIMARY KEY (tenant_id=?)"),
        (AuditQuery { before: before.clone(), ..of_tenant.clone() }, "(tenant_id=? AND position<?)"),
        (AuditQuery { actor: by_root.actor.clone(), ..of_tenant.clone() }, "PRIMARY KEY (tenant_id=?)"),
        (AuditQuery { since: Some(NOW), ..of_tenant.clone() }, "(tenant_id=? AND position>?)"),
        (AuditQuery { since: Some(NOW), ..of_tenant.clone() }, "by_time (tenant_id=? AND at>?)"),
        (AuditQuery { until: Some(NOW), ..of_tenant }, "(tenant_id=? AND position<?)"),
        (AuditQuery { since: Some(NOW), ..by_root.clone() }, "audit_by_actor (actor=? AND at>?)"),
        (by_root, "audit_by_actor (actor=?)"),
        (AuditQuery { action: Some("client.added".to_owned()), ..all.clone() }, "audit_by_action (action=?)"),
        (AuditQuery { since: Some(NOW), ..all.clone() }, "audit_by_time (at>?)"),
        (AuditQuery { until: Some(NOW), ..all.clone() }, "audit_by_time (at<?)"),
        (AuditQuery { before, ..all.clone() }, "audit_by_time ((at,tenant_id,position)<(?,?,?))"),
        (all, "audit_by_time"),
    ];
    for (query, index) in queries {
        let steps =
            plan(audit_records::select(&query, Dialect::Sqlite).reading::<(i64, AuditRecord)>()).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{query:?} {steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{query:?} {steps:#?}");
    }
}
