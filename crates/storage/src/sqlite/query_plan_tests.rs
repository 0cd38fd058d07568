//! How SQLite finds what is listed: by an index, never by reading a table. What it does is decided by the statements and the
//! indexes alone, because nothing ever collects statistics here.

use administration::AuditQuery;
use sqlx::{AssertSqlSafe, Row as _};
use tempfile::TempDir;
use testkit::fixtures::{NOW, tenant_id};

use crate::sqlite::audit_log::audit;
use crate::sqlite::commit::KEY_STATEMENTS;
use crate::sqlite::tenant_list::PLACES;
use crate::sqlite::{
    SqliteDatabase, applications, client_store, key_schedule, sealed_items, signing_key_store, tenant_rows,
    tenant_store, usage_log,
};

async fn plan(sql: &str) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let database = SqliteDatabase::open(&folder.path().join("latchkey.db")).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(database.read()).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

async fn check(sql: &str, may_sort: bool) {
    let steps = plan(sql).await;
    assert!(!steps.is_empty());
    for step in &steps {
        // What is read whole is what was given as JSON, a page of rows, or nothing but constants.
        let small = ["VIRTUAL TABLE", "SCAN page", "SCAN place", "CONSTANT ROW"];
        let scans = step.starts_with("SCAN ") && !small.iter().any(|name| step.contains(name));
        assert!(!scans, "{sql}\n{steps:#?}");
        assert!(may_sort || !step.contains("TEMP B-TREE FOR ORDER BY"), "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn no_page_of_tenants_or_clients_reads_a_table() {
    for sql in [
        PLACES,
        tenant_store::SELECT,
        tenant_store::SELECT_PAGE,
        client_store::SELECT_ONE,
        client_store::SELECT_ALL,
        client_store::SELECT_PAGE,
        applications::SELECT_PAGE,
        usage_log::SELECT_USES,
    ] {
        check(sql, false).await;
    }
    // As many rows as were found or named are sorted.
    for sql in [tenant_store::SELECT_FOUND, client_store::SELECT_RELATED, tenant_rows::DUE] {
        check(sql, true).await;
    }
}

#[tokio::test]
async fn keys_that_are_due_or_sealed_are_found_without_reading_a_table() {
    for sql in [
        key_schedule::DUE,
        key_schedule::SCHEDULE,
        signing_key_store::SELECT,
        signing_key_store::SELECT_WHOLE,
    ] {
        check(sql, false).await;
    }
    for sql in [sealed_items::KEYS, sealed_items::NAMED, sealed_items::SOURCES, sealed_items::ANSWERS] {
        check(sql, false).await;
    }
    for sql in KEY_STATEMENTS {
        check(sql, false).await;
    }
    // As many as are kept of one tenant are sorted.
    check(usage_log::SELECT_FETCHES, true).await;
    for (sql, index) in [
        (key_schedule::DUE, "key_schedules_by_time (due_at>? AND due_at<?)"),
        (key_schedule::SCHEDULE, "clients_by_lifetime (tenant_id=?"),
        (sealed_items::KEYS, "(tenant_id,number)>(?,?)"),
        (sealed_items::ANSWERS, "(tenant_id,key)>(?,?)"),
    ] {
        let steps = plan(sql).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
    }
}

#[tokio::test]
async fn the_audit_is_followed_from_its_end() {
    let all = AuditQuery { limit: 50, ..AuditQuery::default() };
    let queries = [
        (AuditQuery { tenant: Some(tenant_id("acme")), ..all.clone() }, "PRIMARY KEY (tenant_id=?)"),
        (AuditQuery { actor: Some("cli:root".to_owned()), ..all.clone() }, "audit_by_actor (actor=?)"),
        (AuditQuery { action: Some("client.added".to_owned()), ..all.clone() }, "audit_by_action (action=?)"),
        (AuditQuery { since: Some(NOW), ..all.clone() }, "(position>?)"),
        (AuditQuery { since: Some(NOW), ..all.clone() }, "audit_by_time (at>?)"),
        (AuditQuery { until: Some(NOW), ..all.clone() }, "(position<?)"),
        (AuditQuery { before: Some(9), ..all.clone() }, "(position<?)"),
        (all, "INDEX"),
    ];
    for (query, index) in queries {
        let steps = plan(audit(&query).into_sql().as_str()).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{query:?} {steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{query:?} {steps:#?}");
    }
}
